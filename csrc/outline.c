/* The outline of a text that may be one whole object, by its quotes and brackets alone, 64 bytes at a time.
 *
 * Checks no grammar: it is for a caller who has another parser read the text, and then tells the scanner that it was
 * taken. Reads each byte once and nothing outside the text. Only where the processor has SSE2; elsewhere no text has an
 * outline, and all are scanned.
 */
#include "internal.h"
#include "plain.h"

#include <string.h>

#define CHUNK 64

/* So many digits in a row may be an integer that does not fit 64 bits. */
#define LONG_DIGITS 19

#if defined(TS_SSE2)

typedef struct outline_state {
    const unsigned char *text;
    size_t size;
    uint64_t in_string;          /* all bits: the chunk before ended inside a string */
    uint64_t escaped;            /* 1: its last byte escapes the first one of this chunk */
    int64_t depth;
    int64_t max_depth;
    int64_t end;                 /* behind the bracket that closed the root, or -1 */
} outline_state;

/* 64 bytes. */
typedef struct chunk {
    __m128i a, b, c, d;
} chunk;

static inline chunk chunk_load(const unsigned char *bytes)
{
    const __m128i *from = (const __m128i *)(const void *)bytes;
    return (chunk){_mm_loadu_si128(from), _mm_loadu_si128(from + 1), _mm_loadu_si128(from + 2), _mm_loadu_si128(from + 3)};
}

static inline uint64_t bits_of(__m128i v)
{
    return (unsigned)_mm_movemask_epi8(v);
}

/* Which of its bytes are c: one bit each. */
static inline uint64_t bytes_equal(chunk v, char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    return bits_of(_mm_cmpeq_epi8(v.a, wanted)) | bits_of(_mm_cmpeq_epi8(v.b, wanted)) << 16 |
           bits_of(_mm_cmpeq_epi8(v.c, wanted)) << 32 | bits_of(_mm_cmpeq_epi8(v.d, wanted)) << 48;
}

/* Whether any of them is c. */
static inline int has_byte(chunk v, char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    __m128i low = _mm_or_si128(_mm_cmpeq_epi8(v.a, wanted), _mm_cmpeq_epi8(v.b, wanted));
    __m128i high = _mm_or_si128(_mm_cmpeq_epi8(v.c, wanted), _mm_cmpeq_epi8(v.d, wanted));
    return _mm_movemask_epi8(_mm_or_si128(low, high)) != 0;
}

/* Which bytes a backslash escapes: those behind an odd number of backslashes (Langdale, Lemire, "Parsing gigabytes of
 * JSON per second", 2019, section 3.1.1). */
static uint64_t escaped_bytes(uint64_t slashes, uint64_t *carry)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    slashes &= ~*carry;
    uint64_t follows = (slashes << 1) | *carry;
    uint64_t odd_starts = slashes & ~even & ~follows;
    uint64_t sums = odd_starts + slashes;
    *carry = sums < slashes;
    return (even ^ (sums << 1)) & follows;
}

/* Bit i: whether the number of bits up to and with i is odd. */
static uint64_t prefix_parity(uint64_t bits)
{
    for (int by = 1; by < 64; by *= 2) {
        bits ^= bits << by;
    }
    return bits;
}

/* How many digits stand in a row around a place in the text. */
static size_t digits_around(const outline_state *state, size_t at)
{
    size_t from = at, to = at;
    while (from > 0 && is_digit(state->text[from - 1])) {
        from--;
    }
    while (to < state->size && is_digit(state->text[to])) {
        to++;
    }
    return to - from;
}

/* Whether the bytes on both sides of a place look like digits. */
static inline int is_amid_digits(const unsigned char *place)
{
    uint32_t four;
    memcpy(&four, place - 2, sizeof four);
    return (four & UINT32_C(0xf0f0f0f0)) == UINT32_C(0x30303030);
}

/* LONG_DIGITS digits in a row, wherever they begin, are on both sides of the middle of 16 bytes, two of them at least: if not
 * of these, then of the next. */
static inline int may_have_long_digits(const unsigned char *bytes)
{
    return is_amid_digits(bytes + 8) || is_amid_digits(bytes + 24) || is_amid_digits(bytes + 40) ||
           is_amid_digits(bytes + 56);
}

/* Whether so many stand there in a row outside strings. */
static TS_NOINLINE int has_long_digits(const outline_state *state, const unsigned char *bytes, uint64_t strings,
                                       size_t chunk_start)
{
    for (size_t middle = 8; middle < CHUNK; middle += 16) {
        if (is_amid_digits(bytes + middle) && (strings >> middle & 1) == 0 &&
            digits_around(state, chunk_start + middle) >= LONG_DIGITS) {
            return 1;
        }
    }
    return 0;
}

static int64_t count_bits(uint64_t bits)
{
    bits -= (bits >> 1) & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + ((bits >> 2) & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)((bits * TS_ONES) >> 56);
}

/* Which bytes are brackets. Outside strings, no other byte of valid JSON equals 0x7f once these bits are set. */
static inline uint64_t bytes_brackets(chunk v)
{
    __m128i bits = _mm_set1_epi8(0x26);
    chunk folded = {_mm_or_si128(v.a, bits), _mm_or_si128(v.b, bits), _mm_or_si128(v.c, bits), _mm_or_si128(v.d, bits)};
    return bytes_equal(folded, 0x7f);
}

/* What a bracket does to the depth. */
static inline int64_t step_of(unsigned char bracket)
{
    return (int64_t)(bracket & 2u) - 1;
}

/* Goes from bracket to bracket as long as none can close the root: there only the depth counts. Answers 0, with nothing
 * changed, where there is more to look at. */
static inline int depth_walk(outline_state *state, uint64_t brackets, const unsigned char *bytes)
{
    int64_t depth = state->depth;
    if (depth <= 1) {
        return 0;
    }
    for (; brackets != 0; brackets &= brackets - 1) {
        depth += step_of(bytes[ts_lowest_bit(brackets)]);
        if (depth <= 1 || depth > state->max_depth) {
            return 0;
        }
    }
    state->depth = depth;
    return 1;
}

/* Goes from bracket to bracket. commas: those outside strings. Answers 0 for what is no whole object that the scanner would
 * take. */
static int brackets_walk(outline_state *state, uint64_t brackets, uint64_t commas, const unsigned char *bytes,
                         size_t chunk_start, ts_outline *outline)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        unsigned at = ts_lowest_bit(brackets);
        uint64_t before = (UINT64_C(1) << at) - 1;
        if (state->end >= 0) {
            return 0;
        }
        if (state->depth == 1) {
            outline->members += count_bits(commas & before);
        }
        commas &= ~before;
        state->depth += step_of(bytes[at]);
        if (state->depth > state->max_depth) {
            return 0;
        }
        if (state->depth == 0) {
            state->end = (int64_t)(chunk_start + at) + 1;
        }
    }
    if (state->depth == 1) {
        outline->members += count_bits(commas);
    }
    return 1;
}

/* One chunk. Answers 0 as brackets_walk does. */
static inline int chunk_walk(outline_state *state, const unsigned char *bytes, size_t chunk_start, ts_outline *outline)
{
    chunk v = chunk_load(bytes);
    uint64_t quotes = bytes_equal(v, '"');
    if (quotes == 0 && state->in_string != 0 && bytes[CHUNK - 1] != '\\') {
        state->escaped = 0;
        return 1; /* nothing but the inside of a string */
    }
    if (state->escaped != 0 || has_byte(v, '\\')) {
        quotes &= ~escaped_bytes(bytes_equal(v, '\\'), &state->escaped);
        if (quotes == 0 && state->in_string != 0) {
            return 1;
        }
    }
    uint64_t strings = prefix_parity(quotes) ^ state->in_string;
    state->in_string = (strings >> 63) != 0 ? UINT64_MAX : 0;
    if (may_have_long_digits(bytes) && has_long_digits(state, bytes, strings, chunk_start)) {
        return 0;
    }
    uint64_t brackets = bytes_brackets(v) & ~strings;
    return depth_walk(state, brackets, bytes) ||
           brackets_walk(state, brackets, bytes_equal(v, ',') & ~strings, bytes, chunk_start, outline);
}

static int text_walk(outline_state *state, ts_outline *outline)
{
    unsigned char last[CHUNK];
    const unsigned char *bytes = NULL;
    for (size_t at = 0; bytes != last; at += CHUNK) {
        bytes = state->text + at;
        if (state->size - at < CHUNK) {
            memset(last, ' ', sizeof last);
            memcpy(last, bytes, state->size - at);
            bytes = last;
        }
        if (!chunk_walk(state, bytes, at, outline)) {
            return 0;
        }
    }
    return state->end >= 0;
}

#endif

/* Whether a scanner with these options reports no more than the members of the root, each once it is whole. */
static int is_plain_job(const ts_scanner *s)
{
    const ts_options *options = s->options;
    return (options->depth == 0 || options->depth == 1) && s->words == 0 && !options->deltas &&
           options->duplicate_keys != TS_DUP_STRICT && !options->keep_text && !options->stop_at_end &&
           (options->max_int_digits <= 0 || options->max_int_digits >= LONG_DIGITS);
}

int ts_scanner_outline(const ts_scanner *s, const char *data, size_t size, ts_outline *outline)
{
#if defined(TS_SSE2)
    const unsigned char *text = (const unsigned char *)data;
    size_t first = 0, last = size;
    if (s->view.offset != 0 || s->view.status != TS_OK || !is_plain_job(s) || (uint64_t)size > (uint64_t)s->options->max_bytes) {
        return 0;
    }
    while (first < size && is_space(text[first])) {
        first++;
    }
    while (last > first && is_space(text[last - 1])) {
        last--;
    }
    if (last - first < 2 || text[first] != '{' || text[last - 1] != '}') {
        return 0;
    }
    outline_state state = {.text = text, .size = size, .max_depth = s->options->max_depth, .end = -1};
    memset(outline, 0, sizeof *outline);
    outline->start = (int64_t)first;
    outline->end = (int64_t)last;
    outline->members = 1;
    outline->reported = s->options->depth == 1;
    return text_walk(&state, outline) && state.end == outline->end;
#else
    (void)s;
    (void)data;
    (void)size;
    (void)outline;
    (void)is_plain_job;
    return 0;
#endif
}

/* Counts the line breaks of a whole text. */
static void lines_count(ts_scanner *s, const char *data, size_t size)
{
    const char *from = data, *found;
    while (from < data + size && (found = (const char *)memchr(from, '\n', size - (size_t)(from - data))) != NULL) {
        from = found + 1;
        s->line++;
        s->line_start = from - data;
    }
}

int ts_scanner_take(ts_scanner *s, const char *data, size_t size, const ts_outline *outline)
{
    size_t kept = size < TEXT_CONTEXT ? size : TEXT_CONTEXT;
    if (ts_text_reserve(s, kept) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    memcpy(s->view.text, data + (size - kept), kept);
    s->view.text_size = (int64_t)kept;
    s->view.text_start = (int64_t)(size - kept);
    s->view.offset = (int64_t)size;
    s->keep_from = s->view.offset;
    lines_count(s, data, size);
    s->view.value_start = outline->start;
    s->view.value_end = outline->end;
    s->root_shown = 1;
    s->state = ST_END;
    s->view.scanned = s->view.offset;
    s->view.consumed = s->view.offset;
    ts_complete_update(s);
    return TS_OK;
}
