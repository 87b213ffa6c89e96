/* The end of plain string content, 16 bytes at a time where the processor can.
 *
 * Plain is printable ASCII without '"' and '\': what needs no look at its neighbours. A block is read as a whole, so the
 * caller has TS_BLOCK readable bytes from its first one on; what stands in those that do not count does not matter.
 */
#ifndef TS_PLAIN_H
#define TS_PLAIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64) || (defined(_M_IX86_FP) && _M_IX86_FP >= 2)
#include <emmintrin.h>
#define TS_SSE2 1
#elif defined(__ARM_NEON) && (defined(__aarch64__) || defined(_M_ARM64))
#include <arm_neon.h>
#define TS_NEON 1
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#define TS_BLOCK 16

/* What ts_copy copies without a call. */
#define TS_COPY_SHORT (4 * TS_BLOCK)

#define TS_ONES UINT64_C(0x0101010101010101)
#define TS_HIGHS UINT64_C(0x8080808080808080)

/* The index of the lowest bit that is set; mask is not 0. */
static inline unsigned ts_lowest_bit(uint64_t mask)
{
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long at;
    if (_BitScanForward(&at, (unsigned long)(mask & 0xffffffffu))) {
        return (unsigned)at;
    }
    _BitScanForward(&at, (unsigned long)(mask >> 32));
    return (unsigned)at + 32;
#elif defined(__GNUC__)
    return (unsigned)__builtin_ctzll(mask);
#else
    unsigned at = 0;
    while (((mask >> at) & 1) == 0) {
        at++;
    }
    return at;
#endif
}

static inline int ts_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Whether eight bytes are plain. */
static inline int ts_plain_word(const unsigned char *data)
{
    uint64_t v;
    memcpy(&v, data, 8);
    uint64_t quote = v ^ (TS_ONES * '"');
    uint64_t slash = v ^ (TS_ONES * '\\');
    uint64_t control = (v - TS_ONES * 0x20) & ~v;
    uint64_t special = ((quote - TS_ONES) & ~quote) | ((slash - TS_ONES) & ~slash);
    /* A borrow may mark a byte above a true mark, never one where there is none. */
    return ((control | special | v) & TS_HIGHS) == 0;
}

/* Copies a fragment, most of which are a few bytes: a general copy takes longer to begin than they take. */
static inline void ts_copy(unsigned char *to, const char *from, size_t size)
{
    if (size < 4) {
        if (size != 0) { /* one byte may be the first, the middle and the last */
            to[0] = (unsigned char)from[0];
            to[size / 2] = (unsigned char)from[size / 2];
            to[size - 1] = (unsigned char)from[size - 1];
        }
    } else if (size < 8) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else if (size < TS_BLOCK) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size <= TS_COPY_SHORT) { /* whole blocks, the last of which may overlap the one before */
        for (size_t at = 0; at < size - TS_BLOCK; at += TS_BLOCK) {
            memcpy(to + at, from + at, TS_BLOCK);
        }
        memcpy(to + size - TS_BLOCK, from + size - TS_BLOCK, TS_BLOCK);
    } else {
        memcpy(to, from, size);
    }
}

/* Whether two texts of one size are the same: most are a few bytes, and then a call would take longer. */
static inline int ts_is_same(const unsigned char *a, const unsigned char *b, size_t size)
{
    uint64_t first = 0, last = 0, other_first = 0, other_last = 0;
    if (size > TS_BLOCK) {
        return memcmp(a, b, size) == 0;
    }
    if (size >= 8) {
        memcpy(&first, a, 8);
        memcpy(&other_first, b, 8);
        memcpy(&last, a + size - 8, 8);
        memcpy(&other_last, b + size - 8, 8);
    } else if (size >= 4) {
        memcpy(&first, a, 4);
        memcpy(&other_first, b, 4);
        memcpy(&last, a + size - 4, 4);
        memcpy(&other_last, b + size - 4, 4);
    } else if (size != 0) { /* one byte may be the first, the middle and the last */
        return a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1];
    }
    return first == other_first && last == other_last;
}

/* Which of the TS_BLOCK bytes from data on are not plain: TS_ODD_BITS bits each, the first byte's the lowest. */
#if defined(TS_NEON)
#define TS_ODD_BITS 4
#else
#define TS_ODD_BITS 1
#endif

static inline uint64_t ts_odd_bytes(const unsigned char *data)
{
#if defined(TS_SSE2)
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)data);
    /* Signed: bytes from 0x80 on are below zero, so this refuses them as well as controls. */
    __m128i printable = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f));
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_andnot_si128(special, printable)) ^ 0xffff;
#elif defined(TS_NEON)
    uint8x16_t v = vld1q_u8(data);
    uint8x16_t other = vorrq_u8(vcgeq_u8(v, vdupq_n_u8(0x80)), vcltq_u8(v, vdupq_n_u8(0x20)));
    other = vorrq_u8(other, vceqq_u8(v, vdupq_n_u8('"')));
    other = vorrq_u8(other, vceqq_u8(v, vdupq_n_u8('\\')));
    /* Four bits a byte: the narrowing shift packs the 16 results into 64 bits. */
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(other), 4)), 0);
#else
    uint64_t odd = 0;
    if (ts_plain_word(data) && ts_plain_word(data + 8)) {
        return 0;
    }
    for (unsigned at = 0; at < TS_BLOCK; at++) {
        odd |= (uint64_t)!ts_is_plain(data[at]) << at;
    }
    return odd;
#endif
}

/* How many of the TS_BLOCK bytes from data on are plain before the first that is not. */
static inline size_t ts_plain_block(const unsigned char *data)
{
    uint64_t odd = ts_odd_bytes(data);
#if TS_ODD_BITS == 1
    return ts_lowest_bit(odd | UINT64_C(1) << TS_BLOCK);
#else
    return odd == 0 ? TS_BLOCK : ts_lowest_bit(odd) / TS_ODD_BITS;
#endif
}

/* Whether all of a fragment is plain. Reads nothing outside it. */
static inline int ts_is_all_plain(const char *data, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)data;
    if (size < 4) {
        size_t at = 0;
        while (at < size && ts_is_plain(bytes[at])) {
            at++;
        }
        return at == size;
    }
    if (size < 8) {
        unsigned char word[8];
        memcpy(word, bytes, 4);
        memcpy(word + 4, bytes + size - 4, 4);
        return ts_plain_word(word);
    }
    if (size < TS_BLOCK) {
        return ts_plain_word(bytes) && ts_plain_word(bytes + size - 8);
    }
    /* Whole blocks, the last of which may overlap the one before. */
    for (size_t at = 0; at < size - TS_BLOCK; at += TS_BLOCK) {
        if (ts_plain_block(bytes + at) != TS_BLOCK) {
            return 0;
        }
    }
    return ts_plain_block(bytes + size - TS_BLOCK) == TS_BLOCK;
}

/* Where plain content ends that begins at text[at]; `end` if it does not before. TS_BLOCK bytes from text[end] on are
 * readable. */
static inline size_t ts_plain_end(const unsigned char *text, size_t at, size_t end)
{
    size_t plain;
    do {
        plain = ts_plain_block(text + at);
        at += plain;
    } while (plain == TS_BLOCK && at < end);
    return at < end ? at : end;
}

#endif
