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
    uint64_t in_string;          /* all bits: the chunk before ended inside a string */
    uint64_t escaped;            /* 1: its last byte escapes the first one of this chunk */
    uint64_t digits;             /* which of its bytes are digits outside strings */
    int64_t depth;
    int64_t max_depth;
    int64_t end;                 /* behind the bracket that closed the root, or -1 */
    __m128i least;               /* the least bytes so far where not all was inside a string */
} outline_state;

/* Which of 64 bytes are c: one bit each. */
static uint64_t bytes_equal(const __m128i v[4], char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], wanted)) << (16 * i);
    }
    return mask;
}

static uint64_t bytes_digits(const __m128i v[4])
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        __m128i from_zero = _mm_sub_epi8(v[i], _mm_set1_epi8('0'));
        __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(small) << (16 * i);
    }
    return mask;
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

/* Whether LONG_DIGITS bits in a row are set. */
static int has_long_run(uint64_t bits)
{
    uint64_t runs = bits & (bits >> 1);
    runs &= runs >> 2;
    runs &= runs >> 4;
    runs &= runs >> 8;
    return (runs & (bits >> 16) & (bits >> 17) & (bits >> 18)) != 0;
}

/* Whether so many digits stand in a row, in this chunk or from the one before on. */
static int has_long_digits(outline_state *state, uint64_t digits)
{
    const int before = LONG_DIGITS - 1;
    uint64_t earlier = state->digits;
    state->digits = digits;
    /* So many hold eight that begin at a multiple of eight, here or at the end of the chunk before. */
    if (((~digits - TS_ONES) & digits & TS_HIGHS) == 0 && (earlier >> (CHUNK - 8)) != 0xff) {
        return 0;
    }
    int goes_on = (earlier >> (CHUNK - 1)) & digits & 1;
    return has_long_run(digits) || (goes_on && has_long_run((earlier >> (CHUNK - before)) | (digits << before)));
}

static int64_t count_bits(uint64_t bits)
{
    bits -= (bits >> 1) & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + ((bits >> 2) & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)((bits * TS_ONES) >> 56);
}

/* Which bytes are brackets. Outside strings, no other byte of valid JSON equals 0x7f once these bits are set. */
static uint64_t bytes_brackets(const __m128i v[4])
{
    __m128i folded[4];
    for (int i = 0; i < 4; i++) {
        folded[i] = _mm_or_si128(v[i], _mm_set1_epi8(0x26));
    }
    return bytes_equal(folded, 0x7f);
}

/* Which bytes have the bit that tells an opening bracket from a closing one. */
static uint64_t bytes_opening(const __m128i v[4])
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_slli_epi16(v[i], 6)) << (16 * i);
    }
    return mask;
}

/* Goes from bracket to bracket. commas: those outside strings. Answers 0 for what is no whole object that the scanner would
 * take. */
static int brackets_walk(outline_state *state, uint64_t brackets, uint64_t opens, uint64_t commas, int64_t chunk_start,
                         ts_outline *outline)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        uint64_t bit = brackets & (~brackets + 1);
        if (state->end >= 0) {
            return 0;
        }
        if (state->depth == 1) {
            outline->members += count_bits(commas & (bit - 1));
        }
        commas &= ~(bit - 1);
        state->depth += (opens & bit) != 0 ? 1 : -1;
        if (state->depth > state->max_depth) {
            return 0;
        }
        if (state->depth == 0) {
            state->end = chunk_start + (int64_t)ts_lowest_bit(bit) + 1;
        }
    }
    if (state->depth == 1) {
        outline->members += count_bits(commas);
    }
    return 1;
}

/* One chunk. Answers 0 as brackets_walk does. */
static int chunk_walk(outline_state *state, const unsigned char *bytes, int64_t chunk_start, ts_outline *outline)
{
    __m128i v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
    }
    uint64_t quotes = bytes_equal(v, '"');
    if (quotes == 0 && state->in_string != 0 && bytes[CHUNK - 1] != '\\') {
        state->escaped = 0;
        return 1; /* nothing but the inside of a string */
    }
    uint64_t slashes = bytes_equal(v, '\\');
    if ((slashes | state->escaped) != 0) {
        quotes &= ~escaped_bytes(slashes, &state->escaped);
        if (quotes == 0 && state->in_string != 0) {
            return 1;
        }
    }
    state->least = _mm_min_epu8(state->least, _mm_min_epu8(_mm_min_epu8(v[0], v[1]), _mm_min_epu8(v[2], v[3])));
    uint64_t strings = prefix_parity(quotes) ^ state->in_string;
    state->in_string = (strings >> 63) != 0 ? UINT64_MAX : 0;
    if (has_long_digits(state, bytes_digits(v) & ~strings)) {
        return 0;
    }
    uint64_t brackets = bytes_brackets(v) & ~strings;
    uint64_t opens = bytes_opening(v) & brackets;
    int64_t opened = count_bits(opens), closed = count_bits(brackets ^ opens);
    if (state->depth - closed > 1 && state->depth + opened <= state->max_depth) {
        state->depth += opened - closed; /* in whatever order */
        return 1;
    }
    return brackets_walk(state, brackets, opens, bytes_equal(v, ',') & ~strings, chunk_start, outline);
}

/* Whether a byte that may be a line break was outside strings, where all of them are in valid JSON. */
static int has_breaks(const outline_state *state)
{
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(state->least, _mm_set1_epi8(0x1f)), state->least);
    return _mm_movemask_epi8(controls) != 0;
}

static int text_walk(outline_state *state, const unsigned char *text, size_t size, ts_outline *outline)
{
    size_t at = 0;
    for (; size - at >= CHUNK; at += CHUNK) {
        if (!chunk_walk(state, text + at, (int64_t)at, outline)) {
            return 0;
        }
    }
    unsigned char last[CHUNK];
    memset(last, ' ', sizeof last);
    memcpy(last, text + at, size - at);
    return chunk_walk(state, last, (int64_t)at, outline) && state->end >= 0;
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
    outline_state state = {.max_depth = s->options->max_depth, .end = -1, .least = _mm_set1_epi8(' ')};
    memset(outline, 0, sizeof *outline);
    outline->start = (int64_t)first;
    outline->end = (int64_t)last;
    outline->members = 1;
    outline->reported = s->options->depth == 1;
    int is_whole = text_walk(&state, text, size, outline) && state.end == outline->end;
    outline->has_breaks = has_breaks(&state);
    return is_whole;
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
    if (outline->has_breaks) {
        lines_count(s, data, size);
    }
    s->view.value_start = outline->start;
    s->view.value_end = outline->end;
    s->root_shown = 1;
    s->state = ST_END;
    s->view.scanned = s->view.offset;
    s->view.consumed = s->view.offset;
    ts_complete_update(s);
    return TS_OK;
}
