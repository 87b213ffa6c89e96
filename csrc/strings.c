/* Finds the end of plain string content, 16 bytes at a time where the processor can.
 *
 * Plain is printable ASCII without '"' and '\': what needs no look at its neighbours. Both functions give
 * the same results and read no byte outside data[0 .. size).
 */
#include "toolstream.h"

#include <string.h>

#if defined(__SSE2__) || defined(_M_X64) || (defined(_M_IX86_FP) && _M_IX86_FP >= 2)
#include <emmintrin.h>
#define TS_SSE2 1
#elif defined(__ARM_NEON) && (defined(__aarch64__) || defined(_M_ARM64))
#include <arm_neon.h>
#define TS_NEON 1
#endif

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Nonzero where a byte of v is zero (Mycroft's test); false positives only above a true one. */
static uint64_t zero_bytes(uint64_t v)
{
    return (v - ONES) & ~v & HIGHS;
}

static int is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

size_t ts_plain_prefix_portable(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (size - at >= 8) {
        uint64_t v;
        memcpy(&v, data + at, 8);
        uint64_t control = (v - ONES * 0x20) & ~v & HIGHS; /* a byte below 0x20, or above a borrow */
        uint64_t special = zero_bytes(v ^ (ONES * '"')) | zero_bytes(v ^ (ONES * '\\'));
        if ((control | special | (v & HIGHS)) != 0) {
            break; /* the byte loop says which one: a borrow may have marked a later byte only */
        }
        at += 8;
    }
    while (at < size && is_plain(data[at])) {
        at++;
    }
    return at;
}

#if defined(TS_SSE2) || defined(TS_NEON)
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static unsigned lowest_bit64(uint64_t mask)
{
    unsigned long at;
    if (_BitScanForward(&at, (unsigned long)(mask & 0xffffffffu))) {
        return (unsigned)at;
    }
    _BitScanForward(&at, (unsigned long)(mask >> 32));
    return (unsigned)at + 32;
}
#else
static unsigned lowest_bit64(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}
#endif
#endif

size_t ts_plain_prefix(const unsigned char *data, size_t size)
{
    size_t at = 0;
#if defined(TS_SSE2)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x1f);
    while (size - at >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(data + at));
        /* Signed: bytes from 0x80 on are below zero, so this refuses them as well as controls. */
        __m128i printable = _mm_cmpgt_epi8(v, space);
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        unsigned plain = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(special, printable));
        if (plain != 0xffffu) {
            return at + lowest_bit64(~(uint64_t)plain);
        }
        at += 16;
    }
#elif defined(TS_NEON)
    while (size - at >= 16) {
        uint8x16_t v = vld1q_u8(data + at);
        uint8x16_t other = vorrq_u8(vcgeq_u8(v, vdupq_n_u8(0x80)), vcltq_u8(v, vdupq_n_u8(0x20)));
        other = vorrq_u8(other, vceqq_u8(v, vdupq_n_u8('"')));
        other = vorrq_u8(other, vceqq_u8(v, vdupq_n_u8('\\')));
        /* Four bits a byte: the narrowing shift packs the 16 results into 64 bits. */
        uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(other), 4)), 0);
        if (mask != 0) {
            return at + lowest_bit64(mask) / 4;
        }
        at += 16;
    }
#endif
    return at + ts_plain_prefix_portable(data + at, size - at);
}
