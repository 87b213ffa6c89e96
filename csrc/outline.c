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

/* How much of the text is kept for error messages. */
#define TEXT_CONTEXT 32

#if defined(TS_SSE2)

/* Which of 64 bytes are what: one bit each. */
typedef struct chunk {
    uint64_t quotes, slashes, opens, closes, commas, digits, breaks;
} chunk;

typedef struct outline_state {
    uint64_t in_string;          /* all bits: the chunk before ended inside a string */
    uint64_t escaped;            /* 1: its last byte escapes the first one of this chunk */
    size_t digits;               /* how many of its last bytes are digits */
    int64_t depth;
    int64_t max_depth;
    int64_t end;                 /* behind the bracket that closed the root, or -1 */
} outline_state;

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

/* Whether more digits stand in a row, here or from the chunk before on, than an integer of 64 bits has. */
static int has_long_digits(uint64_t digits, size_t *before)
{
    uint64_t runs = digits & (digits >> 1);
    runs &= runs >> 2;
    runs &= runs >> 4;
    runs &= runs >> 8;
    int found = (runs & (digits >> 16) & (digits >> 17) & (digits >> 18)) != 0;
    size_t leading = digits == UINT64_MAX ? CHUNK : ts_lowest_bit(~digits);
    found |= *before + leading >= LONG_DIGITS;
    size_t trailing = 0;
    while (trailing < CHUNK && (digits >> (CHUNK - 1 - trailing)) & 1) {
        trailing++;
    }
    *before = trailing;
    return found;
}

static int64_t count_bits(uint64_t bits)
{
    int64_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* Goes from bracket to bracket. Answers 0 for what is no whole object that the scanner would take. */
static int brackets_walk(outline_state *state, const chunk *c, int64_t chunk_start, ts_outline *outline)
{
    uint64_t commas = c->commas;
    for (uint64_t left = c->opens | c->closes; left != 0; left &= left - 1) {
        uint64_t bit = left & (~left + 1);
        if (state->end >= 0) {
            return 0;
        }
        if (state->depth == 1) {
            outline->members += count_bits(commas & (bit - 1));
        }
        commas &= ~(bit - 1);
        state->depth += (c->opens & bit) != 0 ? 1 : -1;
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

static void breaks_count(uint64_t breaks, int64_t chunk_start, ts_outline *outline)
{
    for (; breaks != 0; breaks &= breaks - 1) {
        outline->lines++;
        outline->line_start = chunk_start + (int64_t)ts_lowest_bit(breaks) + 1;
    }
}

/* One chunk. Answers 0 as brackets_walk does. */
static int chunk_walk(outline_state *state, const unsigned char *bytes, int64_t chunk_start, ts_outline *outline)
{
    __m128i v[4], folded[4];
    for (int i = 0; i < 4; i++) {
        v[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
    }
    uint64_t escaped = escaped_bytes(bytes_equal(v, '\\'), &state->escaped);
    uint64_t quotes = bytes_equal(v, '"') & ~escaped;
    if (quotes == 0 && state->in_string != 0) {
        return 1; /* nothing but the inside of a string */
    }
    uint64_t strings = prefix_parity(quotes) ^ state->in_string;
    state->in_string = (strings >> 63) != 0 ? UINT64_MAX : 0;
    for (int i = 0; i < 4; i++) {
        folded[i] = _mm_or_si128(v[i], _mm_set1_epi8(0x20)); /* '[' is '{' without this bit, and so on */
    }
    chunk c = {
        .opens = bytes_equal(folded, '{') & ~strings,
        .closes = bytes_equal(folded, '}') & ~strings,
        .commas = bytes_equal(v, ',') & ~strings,
        .digits = bytes_digits(v) & ~strings,
        .breaks = bytes_equal(v, '\n') & ~strings,
    };
    breaks_count(c.breaks, chunk_start, outline);
    return !has_long_digits(c.digits, &state->digits) && brackets_walk(state, &c, chunk_start, outline);
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
    if (s->offset != 0 || s->view.status != TS_OK || !is_plain_job(s) || (uint64_t)size > (uint64_t)s->options->max_bytes) {
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
    outline_state state = {.max_depth = s->options->max_depth, .end = -1};
    memset(outline, 0, sizeof *outline);
    outline->start = (int64_t)first;
    outline->end = (int64_t)last;
    outline->members = 1;
    outline->reported = s->options->depth == 1;
    return text_walk(&state, text, size, outline) && state.end == outline->end;
#else
    (void)s;
    (void)data;
    (void)size;
    (void)outline;
    (void)is_plain_job;
    return 0;
#endif
}

int ts_scanner_take(ts_scanner *s, const char *data, size_t size, const ts_outline *outline)
{
    size_t kept = size < TEXT_CONTEXT ? size : TEXT_CONTEXT;
    if (ts_text_reserve(s, kept) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    memcpy(s->text, data + (size - kept), kept);
    s->text_size = kept;
    s->text_start = (int64_t)(size - kept);
    s->offset = (int64_t)size;
    s->keep_from = s->offset;
    s->line += outline->lines;
    s->line_start = outline->line_start;
    s->root_start = outline->start;
    s->root_end = outline->end;
    s->root_shown = 1;
    s->state = ST_END;
    s->view.scanned = s->offset;
    s->view.consumed = s->offset;
    ts_view_update(s);
    return TS_OK;
}
