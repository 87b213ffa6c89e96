/* The JSON scanner: where do values end, and which of them did somebody ask for?
 *
 * RFC 8259 and RFC 3629, strictly. A state machine over bytes that stops and resumes anywhere; it builds no
 * values. Bytes are appended to one buffer, each is looked at once, and what is found is written as records
 * that point into the buffer: reports (what was subscribed to) and build steps (how a live value catches up).
 * The open containers are an explicit stack, so depth costs no C stack.
 */
#include "internal.h"

#include <string.h>

/* How many containers may be open without a TS_PUSH: see TS_RUN_DEPTH. */
#define UNSEEN_LEVELS TS_RUN_DEPTH

/* Tapes longer than this are given back when they have been read: an idle scanner stays small. */
#define TAPE_KEPT 64

/* A fragment is taken in slices, so that what is copied in vain before a pause is bounded, and a value that pauses
 * often still costs what it is long. */
#define SLICE 4096

/* How much of the text before the current byte is kept for error messages. */
#define TEXT_CONTEXT 32

/* ------------------------------------------------------------------ small parts */

static int64_t position(const ts_scanner *s, size_t at)
{
    return s->text_start + (int64_t)at;
}

static ts_level *top_level(ts_scanner *s)
{
    return s->level_count == 0 ? NULL : &s->levels[s->level_count - 1];
}

/* Ends the scanner's life: the offending byte is at `offset` of the stream. */
static int fail(ts_scanner *s, int status, int64_t offset)
{
    s->view.status = status;
    s->offset = offset;
    return status;
}

static int tape_append(ts_tape *tape, int64_t tag, int64_t a, int64_t b)
{
    if (!ts_reserve((void **)&tape->records, &tape->capacity, tape->count, 1, sizeof *tape->records)) {
        return TS_ERR_MEMORY;
    }
    ts_record *record = &tape->records[tape->count++];
    record->tag = tag;
    record->a = a;
    record->b = b;
    return TS_OK;
}

static void tape_reset(ts_tape *tape)
{
    tape->count = 0;
    if (tape->capacity > TAPE_KEPT) {
        TS_FREE(tape->records);
        tape->records = NULL;
        tape->capacity = 0;
    }
}

/* Appends a record about the current member of a container: its key or index. */
static int place_append(ts_scanner *s, ts_tape *tape, int64_t tag, const ts_level *level)
{
    if (level->flags & LV_ARRAY) {
        return tape_append(tape, tag | TS_F_INDEX, level->index, 0);
    }
    if (level->flags & LV_KEY_ESCAPED) {
        tag |= TS_F_ESCAPED;
    }
    return tape_append(tape, tag, level->key_start - s->text_start, level->key_end - s->text_start);
}

int ts_text_reserve(ts_scanner *s, size_t size)
{
    if (size == SIZE_MAX) {
        return TS_ERR_MEMORY;
    }
    if (!ts_reserve((void **)&s->text, &s->text_capacity, s->text_size, size + 1, 1)) {
        return TS_ERR_MEMORY;
    }
    return TS_OK;
}

int ts_levels_reserve(ts_scanner *s, size_t needed)
{
    size_t capacity = s->level_capacity;
    if (needed <= capacity) {
        return TS_OK;
    }
    if (!ts_reserve((void **)&s->levels, &capacity, s->level_count, needed - s->level_count, sizeof *s->levels)) {
        return TS_ERR_MEMORY;
    }
    if (s->words != 0) {
        uint64_t *sets = (uint64_t *)ts_resize_array(s->sets, (capacity + 1) * s->words, sizeof *sets);
        if (sets == NULL) {
            return TS_ERR_MEMORY; /* levels is larger than level_capacity says: harmless */
        }
        s->sets = sets;
    }
    s->level_capacity = capacity;
    return TS_OK;
}

/* Drops text that nobody needs any more, once that is at least half of it: so each byte moves O(1) times. */
static void text_compact(ts_scanner *s)
{
    int64_t keep = s->keep_from < s->offset - TEXT_CONTEXT ? s->keep_from : s->offset - TEXT_CONTEXT;
    if (s->options.keep_text || keep <= s->text_start) {
        return;
    }
    size_t dropped = (size_t)(keep - s->text_start);
    if (dropped < s->text_size / 2) {
        return;
    }
    s->text_size -= dropped;
    memmove(s->text, s->text + dropped, s->text_size);
    s->text_start = keep;
    if (s->text_capacity > 4096 && s->text_size < s->text_capacity / 4) {
        size_t capacity = s->text_size * 2 + 1;
        unsigned char *smaller = (unsigned char *)TS_REALLOC(s->text, capacity);
        if (smaller != NULL) {
            s->text = smaller;
            s->text_capacity = capacity;
        }
    }
}

/* ------------------------------------------------------------------ reports */

/* Notes that something in the members in progress was reported: their keys must not come again. */
static void mark_reported(ts_scanner *s)
{
    for (size_t i = s->level_count; i-- > 0;) {
        ts_level *level = &s->levels[i];
        if (level->flags & LV_REPORTED) {
            return; /* so all containers around it are marked, too */
        }
        level->flags |= LV_REPORTED;
        if (level->key != TS_NO_KEY) {
            s->keys.keys[level->key].reported = 1;
        }
    }
}

static int report_value(ts_scanner *s, const ts_level *level)
{
    mark_reported(s);
    s->value_due = 1;
    return place_append(s, &s->reports, TS_VALUE, level);
}

/* The container around is the top again. Its key may have been dropped from the text by now, so the end of a
 * wanted container has no place: the reader has it from TS_ENTER. */
static int report_leave(ts_scanner *s, int wanted)
{
    if (!wanted) {
        return tape_append(&s->reports, TS_LEAVE, 0, 0);
    }
    mark_reported(s);
    s->value_due = 1;
    return tape_append(&s->reports, TS_LEAVE | TS_F_VALUE, 0, 0);
}

/* Reports what the string in progress grew by, up to the first byte that is not yet decided. */
static int report_growth(ts_scanner *s, int64_t end)
{
    if (s->hold >= 0 && s->hold < end) {
        end = s->hold;
    }
    if (end <= s->grown) {
        return TS_OK;
    }
    if (s->growing == 1) {
        mark_reported(s);
        int status = place_append(s, &s->reports, TS_STRING, top_level(s));
        if (status != TS_OK) {
            return status;
        }
        s->growing = 2;
    }
    int64_t tag = s->escaped ? TS_GROW | TS_F_ESCAPED : TS_GROW;
    int64_t start = s->grown;
    s->grown = end;
    return tape_append(&s->reports, tag, start - s->text_start, end - s->text_start);
}

/* Decides what is asked of the member that begins: want and inner. key: decoded, NULL in an array. */
static void member_match(ts_scanner *s, const unsigned char *key, size_t key_size)
{
    const ts_level *level = top_level(s);
    s->want = 0;
    s->inner = 0;
    if (level == NULL || !(level->flags & LV_INNER)) {
        return;
    }
    int64_t depth = (int64_t)s->level_count;
    if (s->options.depth < 0 || depth <= s->options.depth) {
        s->want = s->options.deltas ? TS_WANT_VALUE | TS_WANT_GROWTH : TS_WANT_VALUE;
    }
    s->inner = s->options.depth < 0 || depth < s->options.depth;
    if (s->words != 0) {
        uint64_t *from = s->sets + (s->level_count - 1) * s->words;
        int want = 0;
        s->inner |= ts_paths_move(s->options.paths, from, from + s->words, key, key_size, level->index, &want);
        s->want |= want;
    }
}

/* ------------------------------------------------------------------ values begin and end */

static int root_end(ts_scanner *s, int64_t end, int exact)
{
    s->root_end = end;
    s->root_exact = exact;
    s->state = ST_END;
    return s->options.stop_at_end ? TS_PAUSED : TS_OK;
}

/* A scalar has ended before `end`. */
static int scalar_end(ts_scanner *s, int64_t end, int exact)
{
    ts_level *level = top_level(s);
    if (level == NULL) {
        return root_end(s, end, exact);
    }
    level->run_end = end;
    if (exact) {
        level->flags |= LV_EXACT;
    }
    s->state = ST_AFTER_VALUE;
    return (s->want & TS_WANT_VALUE) ? report_value(s, level) : TS_OK;
}

static int container_begin(ts_scanner *s, int64_t at, int is_array)
{
    if ((int64_t)s->level_count >= s->options.max_depth) {
        return fail(s, TS_ERR_DEPTH, at);
    }
    if (ts_levels_reserve(s, s->level_count + 1) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    int is_root = s->level_count == 0;
    int wanted = (s->want & TS_WANT_VALUE) != 0;
    if (!is_root && (s->inner || wanted)) {
        int status = place_append(s, &s->reports, TS_ENTER | (is_array ? TS_F_ARRAY : 0), top_level(s));
        if (status != TS_OK) {
            return status;
        }
    }
    ts_level *level = &s->levels[s->level_count++];
    memset(level, 0, sizeof *level);
    level->run_start = at + 1;
    level->member_start = at + 1;
    level->key_mark = s->keys.count;
    level->key = TS_NO_KEY;
    if (is_array) {
        level->flags |= LV_ARRAY;
    }
    if (is_root) {
        level->flags |= s->options.depth != 0 || s->words != 0 ? LV_INNER : 0;
        if (s->words != 0) {
            ts_paths_start(s->options.paths, s->sets);
        }
    } else {
        level->flags |= (s->inner ? LV_INNER : 0) | (wanted ? LV_WANTED : 0);
    }
    s->state = is_array ? ST_FIRST_ELEMENT : ST_FIRST_KEY;
    int unseen = s->level_count - s->pushed > UNSEEN_LEVELS;
    return unseen && !s->options.stop_at_end ? TS_PAUSED : TS_OK;
}

/* Shows what the level holds that was not shown yet. */
static int run_append(ts_scanner *s, ts_level *level)
{
    if (level->run_start < 0 || level->run_end <= level->run_start) {
        return TS_OK;
    }
    int64_t tag = (level->flags & LV_EXACT) ? TS_RUN | TS_F_EXACT : TS_RUN;
    level->flags &= ~(uint32_t)LV_EXACT;
    return tape_append(&s->steps, tag, level->run_start - s->text_start, level->run_end - s->text_start);
}

static int container_end(ts_scanner *s, int64_t at)
{
    ts_level *level = top_level(s);
    uint32_t flags = level->flags;
    int status = TS_OK;
    ts_keys_drop(&s->keys, level->key_mark);
    int shown = s->pushed == s->level_count;
    if (shown) {
        status = run_append(s, level);
        if (status == TS_OK) {
            status = tape_append(&s->steps, TS_POP, 0, 0);
        }
        s->pushed--;
    }
    s->level_count--;
    if (status != TS_OK) {
        return status;
    }
    ts_level *outer = top_level(s);
    if (outer == NULL) {
        return root_end(s, at + 1, (flags & LV_EXACT) != 0);
    }
    if (!shown) {
        outer->run_end = at + 1;
        outer->flags |= flags & LV_EXACT;
    }
    s->state = ST_AFTER_VALUE;
    return (flags & (LV_INNER | LV_WANTED)) ? report_leave(s, (flags & LV_WANTED) != 0) : TS_OK;
}

/* Behind a ',' or an opening bracket the next member begins. */
static void member_begin(ts_level *level, int64_t start)
{
    level->member_start = start;
    if (level->run_start < 0) {
        level->run_start = start;
    }
    level->flags &= ~(uint32_t)(LV_REPORTED | LV_KEY_ESCAPED);
    level->key = TS_NO_KEY;
}

static int string_begin(ts_scanner *s, int64_t at, int is_key)
{
    s->state = ST_IN_STRING;
    s->string = STR_BODY;
    s->is_key = is_key;
    s->token = at;
    s->escaped = 0;
    s->hold = -1;
    s->growing = !is_key && (s->want & TS_WANT_GROWTH) ? 1 : 0;
    s->grown = at + 1;
    return TS_OK;
}

/* ------------------------------------------------------------------ keys */

static uint32_t four_digits(const unsigned char *text)
{
    return (ts_hex_digit(text[0]) << 12) | (ts_hex_digit(text[1]) << 8) | (ts_hex_digit(text[2]) << 4) | ts_hex_digit(text[3]);
}

static unsigned char simple_escape(unsigned char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
    }
}

/* Decodes the escapes of a key that the scanner has already checked. It never grows. */
static size_t key_decode(const unsigned char *text, size_t size, unsigned char *out)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        if (text[at] != '\\') {
            out[written++] = text[at++];
        } else if (text[at + 1] != 'u') {
            out[written++] = simple_escape(text[at + 1]);
            at += 2;
        } else {
            uint32_t code = four_digits(text + at + 2);
            at += 6;
            if (code >= 0xd800 && code < 0xdc00 && size - at >= 6 && text[at] == '\\' && text[at + 1] == 'u') {
                uint32_t low = four_digits(text + at + 2);
                if (low >= 0xdc00 && low < 0xe000) {
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    at += 6;
                }
            }
            written += ts_utf8_write(out + written, code);
        }
    }
    return written;
}

/* Looks whether the object has had this key, where that matters. */
static int key_check(ts_scanner *s, ts_level *level, const unsigned char *key, size_t size, int64_t end)
{
    int mode = s->options.duplicate_keys;
    if (mode != TS_DUP_STRICT && !(level->flags & LV_INNER)) {
        return TS_OK;
    }
    size_t at = 0;
    int found = 0;
    int status = ts_keys_add(&s->keys, (uint32_t)s->level_count, key, size, &at, &found);
    if (status != TS_OK) {
        return status;
    }
    level->key = at;
    if (!found) {
        return TS_OK;
    }
    int reported = s->keys.keys[at].reported != 0;
    if (mode == TS_DUP_STRICT || (mode == TS_DUP_ERROR && reported)) {
        return fail(s, TS_ERR_DUPLICATE, end);
    }
    s->keys.keys[at].reported = 0;
    return reported ? TS_PAUSED : TS_OK; /* the reader must see the value before another replaces it */
}

/* A key's closing quote is at `at`. */
static int key_end(ts_scanner *s, int64_t at)
{
    ts_level *level = top_level(s);
    level->key_start = s->token + 1;
    level->key_end = at;
    level->flags |= s->escaped ? LV_KEY_ESCAPED : 0;
    s->state = ST_COLON;
    const unsigned char *key = s->text + (level->key_start - s->text_start);
    size_t size = (size_t)(at - level->key_start);
    int matters = (level->flags & LV_INNER) || s->options.duplicate_keys == TS_DUP_STRICT;
    if (s->escaped && matters) {
        if (!ts_reserve((void **)&s->scratch, &s->scratch_capacity, 0, size, 1)) {
            return TS_ERR_MEMORY;
        }
        size = key_decode(key, size, s->scratch);
        key = s->scratch;
    }
    int status = key_check(s, level, key, size, at);
    if (status >= 0) {
        member_match(s, key, size);
    }
    return status;
}

/* ------------------------------------------------------------------ strings */

/* A byte from 0x80 on begins a sequence. */
static int utf8_begin(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c < 0xc2 || c > 0xf4) {
        return fail(s, TS_ERR_UTF8, at);
    }
    s->utf8_need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    s->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    s->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    s->hold = at;
    s->string = STR_UTF8;
    return TS_OK;
}

static int utf8_continue(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c < s->utf8_low || c > s->utf8_high) {
        return fail(s, TS_ERR_UTF8, at);
    }
    s->utf8_low = 0x80;
    s->utf8_high = 0xbf;
    if (--s->utf8_need == 0) {
        s->hold = -1;
        s->string = STR_BODY;
    }
    return TS_OK;
}

/* The letter behind a '\' that is no \u of a pair. */
static int escape_letter(ts_scanner *s, unsigned char c, int64_t at)
{
    switch (c) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        s->hold = -1;
        s->string = STR_BODY;
        return TS_OK;
    case 'u':
        s->code = 0;
        s->digits = 0;
        s->string = STR_HEX;
        return TS_OK;
    default:
        return fail(s, TS_ERR_ESCAPE, at);
    }
}

/* A digit of \uXXXX. What the four of them mean depends on whether a high surrogate came before, exactly as
 * in json.loads: a pair is one character, anything else stands alone. */
static int escape_digit(ts_scanner *s, unsigned char c, int64_t at)
{
    unsigned digit = ts_hex_digit(c);
    if (digit > 15) {
        return fail(s, TS_ERR_ESCAPE, at);
    }
    s->code = (s->code << 4) | digit;
    if (++s->digits < 4) {
        return TS_OK;
    }
    if (s->code >= 0xd800 && s->code < 0xdc00) {
        s->hold = s->escape;
        s->string = STR_HIGH;
    } else {
        s->hold = -1;
        s->string = STR_BODY;
    }
    return TS_OK;
}

/* The closing quote is at `at`. */
static int string_end(ts_scanner *s, int64_t at)
{
    s->hold = -1;
    if (s->is_key) {
        return key_end(s, at);
    }
    if (s->growing) {
        int status = report_growth(s, at);
        if (status != TS_OK) {
            return status;
        }
    }
    return scalar_end(s, at + 1, 0);
}

/* A byte in the body that is not plain. */
static int string_special(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c == '"') {
        return string_end(s, at);
    }
    if (c == '\\') {
        s->hold = at;
        s->escape = at;
        s->escaped = 1;
        s->string = STR_ESCAPE;
        return TS_OK;
    }
    if (c < 0x20) {
        return fail(s, TS_ERR_CONTROL, at);
    }
    return utf8_begin(s, c, at);
}

/* One byte in any state but STR_BODY. */
static int string_byte(ts_scanner *s, unsigned char c, int64_t at)
{
    switch (s->string) {
    case STR_UTF8: return utf8_continue(s, c, at);
    case STR_ESCAPE: return escape_letter(s, c, at);
    case STR_HEX: return escape_digit(s, c, at);
    case STR_HIGH: /* before a '\\': the high surrogate is still held */
        s->escape = at;
        s->string = STR_HIGH_ESCAPE;
        return TS_OK;
    default: /* STR_HIGH_ESCAPE; if this is no \u, the high surrogate stands alone */
        return escape_letter(s, c, at);
    }
}

/* Scans string content from `at` on; answers where it stopped. */
static size_t string_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->text;
    while (at < end && s->state == ST_IN_STRING && *status == TS_OK) {
        if (s->string != STR_BODY) {
            if (s->string == STR_HIGH && text[at] != '\\') {
                s->hold = -1; /* no pair: the surrogate stands alone */
                s->string = STR_BODY;
                continue;
            }
            *status = string_byte(s, text[at], position(s, at));
            at += *status >= 0;
            continue;
        }
        at += ts_plain_prefix(text + at, end - at);
        if (at == end) {
            break;
        }
        unsigned char c = text[at];
        if (c >= 0x80) {
            size_t whole = ts_utf8_prefix(text + at, end - at);
            if (whole != 0) {
                at += whole;
                continue;
            }
        } else if (c == '\\' && end - at >= 2 && text[at + 1] != 'u') {
            s->escaped = 1;
            s->hold = position(s, at);
            *status = escape_letter(s, text[at + 1], position(s, at + 1));
            at += *status >= 0 ? 2 : 1;
            continue;
        }
        *status = string_special(s, c, position(s, at));
        at += *status >= 0;
    }
    return at;
}

/* ------------------------------------------------------------------ numbers and literals */

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* The state behind byte c, or -1: the byte does not belong to the number. */
static int number_next(int state, unsigned char c)
{
    switch (state) {
    case NUM_MINUS: return c == '0' ? NUM_ZERO : is_digit(c) ? NUM_INT : -1;
    case NUM_ZERO:
    case NUM_INT:
        if (is_digit(c)) {
            return state == NUM_INT ? NUM_INT : -1;
        }
        return c == '.' ? NUM_DOT : (c | 0x20) == 'e' ? NUM_E : -1;
    case NUM_DOT: return is_digit(c) ? NUM_FRACTION : -1;
    case NUM_FRACTION: return is_digit(c) ? NUM_FRACTION : (c | 0x20) == 'e' ? NUM_E : -1;
    case NUM_E: return is_digit(c) ? NUM_EXPONENT : c == '+' || c == '-' ? NUM_SIGN : -1;
    default: return is_digit(c) ? NUM_EXPONENT : -1; /* NUM_SIGN, NUM_EXPONENT */
    }
}

/* Whether another digit changes nothing. */
static int number_is_run(int state)
{
    return state == NUM_INT || state == NUM_FRACTION || state == NUM_EXPONENT;
}

static int number_is_whole(int state)
{
    return state == NUM_ZERO || state == NUM_INT || state == NUM_FRACTION || state == NUM_EXPONENT;
}

/* The number in progress has ended before `end`. */
static int number_end(ts_scanner *s, int64_t end)
{
    int exact = 0;
    if (s->number == NUM_INT) {
        int64_t digits = end - s->token - (s->text[s->token - s->text_start] == '-');
        if (s->options.max_int_digits > 0 && digits > s->options.max_int_digits) {
            return fail(s, TS_ERR_DIGITS, s->token);
        }
        exact = digits > 18; /* may not fit 64 bits, where other parsers answer a float */
    }
    return scalar_end(s, end, exact);
}

static size_t number_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->text;
    int state = s->number;
    while (at < end) {
        unsigned char c = text[at];
        if (is_digit(c) && number_is_run(state)) {
            at++; /* by far the most bytes */
            continue;
        }
        int next = number_next(state, c);
        if (next < 0) {
            s->number = state;
            int whole = number_is_whole(state) && !(state == NUM_ZERO && is_digit(c));
            *status = whole ? number_end(s, position(s, at)) : fail(s, TS_ERR_NUMBER, position(s, at));
            return at;
        }
        state = next;
        at++;
    }
    s->number = state;
    return at;
}

static size_t literal_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *word = words[s->literal];
    while (at < end) {
        if (s->text[at] != (unsigned char)word[s->matched]) {
            *status = fail(s, TS_ERR_LITERAL, position(s, at));
            return at;
        }
        at++;
        if (word[++s->matched] == '\0') {
            *status = scalar_end(s, position(s, at), 0);
            return at;
        }
    }
    return at;
}

/* ------------------------------------------------------------------ structure */

static int literal_begin(ts_scanner *s, int which)
{
    s->state = ST_IN_LITERAL;
    s->literal = which;
    s->matched = 1;
    return TS_OK;
}

static int number_begin(ts_scanner *s, unsigned char c)
{
    s->state = ST_IN_NUMBER;
    s->number = c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
    return TS_OK;
}

/* The first byte of a value. */
static int value_begin(ts_scanner *s, unsigned char c, int64_t at)
{
    ts_level *level = top_level(s);
    if (level == NULL) {
        s->root_start = at;
        s->want = 0;
        s->inner = 0;
    } else if (level->flags & LV_ARRAY) {
        member_match(s, NULL, 0);
    }
    s->token = at;
    switch (c) {
    case '{': return container_begin(s, at, 0);
    case '[': return container_begin(s, at, 1);
    case '"': return string_begin(s, at, 0);
    case 't': return literal_begin(s, 0);
    case 'f': return literal_begin(s, 1);
    case 'n': return literal_begin(s, 2);
    case '-': return number_begin(s, c);
    default: return is_digit(c) ? number_begin(s, c) : fail(s, TS_ERR_SYNTAX, at);
    }
}

static int after_value(ts_scanner *s, unsigned char c, int64_t at)
{
    ts_level *level = top_level(s);
    int is_array = (level->flags & LV_ARRAY) != 0;
    if (c == ',') {
        member_begin(level, at + 1);
        level->index += is_array;
        s->state = is_array ? ST_VALUE : ST_KEY;
        return TS_OK;
    }
    if (c == (is_array ? ']' : '}')) {
        return container_end(s, at);
    }
    return fail(s, TS_ERR_SYNTAX, at);
}

/* One byte between the tokens that is not white space. */
static int structure_byte(ts_scanner *s, unsigned char c, int64_t at)
{
    switch (s->state) {
    case ST_VALUE: return value_begin(s, c, at);
    case ST_FIRST_ELEMENT: return c == ']' ? container_end(s, at) : value_begin(s, c, at);
    case ST_FIRST_KEY:
        if (c == '}') {
            return container_end(s, at);
        }
        return c == '"' ? string_begin(s, at, 1) : fail(s, TS_ERR_SYNTAX, at);
    case ST_KEY: return c == '"' ? string_begin(s, at, 1) : fail(s, TS_ERR_SYNTAX, at);
    case ST_COLON:
        if (c != ':') {
            return fail(s, TS_ERR_SYNTAX, at);
        }
        s->state = ST_VALUE;
        return TS_OK;
    case ST_AFTER_VALUE: return after_value(s, c, at);
    default: return fail(s, TS_ERR_TRAILING, at); /* ST_END */
    }
}

/* Scans structure from `at` on until a token begins. */
static size_t structure_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->text;
    while (at < end) {
        unsigned char c = text[at];
        if (c == ' ' || c == '\t' || c == '\r') {
            at++;
            continue;
        }
        if (c == '\n') {
            at++;
            s->line++;
            s->line_start = position(s, at);
            continue;
        }
        *status = structure_byte(s, c, position(s, at));
        at += *status >= 0;
        if (*status != TS_OK || s->state >= ST_IN_STRING) {
            break;
        }
    }
    return at;
}

/* Scans text[at .. end); answers where it stopped, which is `end` unless *status says why not. */
static size_t scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    while (at < end && *status == TS_OK) {
        size_t from = at;
        switch (s->state) {
        case ST_IN_STRING: at = string_scan(s, at, end, status); break;
        case ST_IN_NUMBER: at = number_scan(s, at, end, status); break;
        case ST_IN_LITERAL: at = literal_scan(s, at, end, status); break;
        default: at = structure_scan(s, at, end, status); break;
        }
        s->view.scanned += (int64_t)(at - from);
    }
    return at;
}

/* ------------------------------------------------------------------ building */

/* Whether the stream stands before or in a member, not behind a whole one. */
static int member_is_open(const ts_scanner *s)
{
    return s->state != ST_AFTER_VALUE && s->state != ST_END;
}

/* Shows a root that ended before any of it was shown: a scalar, or a container as a whole. */
static int root_append(ts_scanner *s)
{
    if (s->state != ST_END || s->root_shown) {
        return TS_OK;
    }
    int64_t tag = s->root_exact ? TS_ROOT | TS_F_EXACT : TS_ROOT;
    s->root_shown = 1;
    return tape_append(&s->steps, tag, s->root_start - s->text_start, s->root_end - s->text_start);
}

static int settle(ts_scanner *s)
{
    int status = root_append(s);
    size_t first = s->pushed == 0 ? 0 : s->pushed - 1;
    for (size_t i = first; i < s->level_count && status == TS_OK; i++) {
        ts_level *level = &s->levels[i];
        if (i >= s->pushed) {
            int64_t tag = TS_PUSH | ((level->flags & LV_ARRAY) ? TS_F_ARRAY : 0);
            status = i == 0 ? tape_append(&s->steps, tag, 0, 0) : place_append(s, &s->steps, tag, &s->levels[i - 1]);
        }
        if (status == TS_OK) {
            status = run_append(s, level);
        }
        int is_top = i + 1 == s->level_count;
        level->run_start = is_top && member_is_open(s) ? level->member_start : -1;
    }
    if (status != TS_OK) {
        return status;
    }
    s->pushed = s->level_count;
    s->root_shown |= s->pushed != 0;
    const ts_level *top = top_level(s);
    if (top != NULL) {
        s->keep_from = top->run_start >= 0 ? top->run_start - 1 : s->offset;
    } else if (s->state == ST_END) {
        s->keep_from = s->offset;
    }
    return TS_OK;
}

/* ------------------------------------------------------------------ the interface */

static int expectation(const ts_scanner *s)
{
    switch (s->state) {
    case ST_VALUE: return TS_EXPECT_VALUE;
    case ST_FIRST_ELEMENT: return TS_EXPECT_VALUE_OR_END;
    case ST_FIRST_KEY: return TS_EXPECT_KEY_OR_END;
    case ST_KEY: return TS_EXPECT_KEY;
    case ST_COLON: return TS_EXPECT_COLON;
    case ST_AFTER_VALUE: return TS_EXPECT_COMMA_OR_END;
    case ST_IN_STRING: return TS_EXPECT_IN_STRING;
    case ST_IN_NUMBER: return TS_EXPECT_IN_NUMBER;
    case ST_IN_LITERAL: return TS_EXPECT_IN_LITERAL;
    default: return TS_EXPECT_NOTHING;
    }
}

void ts_view_update(ts_scanner *s)
{
    ts_view *view = &s->view;
    view->reports = s->reports.records;
    view->steps = s->steps.records;
    view->text = s->text;
    view->report_count = (int64_t)s->reports.count;
    view->step_count = (int64_t)s->steps.count;
    view->text_start = s->text_start;
    view->text_size = (int64_t)s->text_size;
    view->offset = s->offset;
    view->value_start = s->root_start < 0 ? -1 : s->root_start - s->text_start;
    view->value_end = s->root_end < 0 ? -1 : s->root_end - s->text_start;
    view->depth = (int64_t)s->level_count;
    view->line = s->line;
    view->column = s->offset - s->line_start + 1;
    view->complete = s->state == ST_END;
    view->expected = expectation(s);
    view->in_string = s->state == ST_IN_STRING && !s->is_key;
}

/* What a call answers in the end: errors stay. */
static int answer(ts_scanner *s, int status)
{
    if (status == TS_OK && s->reports.count + s->steps.count != 0) {
        status = TS_READY;
    }
    s->view.status = status;
    ts_view_update(s);
    return status;
}

ts_scanner *ts_scanner_new(const ts_options *options)
{
    ts_scanner *s = (ts_scanner *)TS_MALLOC(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    memset(s, 0, sizeof *s);
    s->options = *options;
    s->words = options->paths != NULL ? ts_paths_words(options->paths) : 0;
    s->keys.seed[0] = options->seed[0];
    s->keys.seed[1] = options->seed[1];
    s->line = 1;
    s->root_start = -1;
    s->root_end = -1;
    s->hold = -1;
    ts_view_update(s);
    return s;
}

void ts_scanner_free(ts_scanner *s)
{
    if (s != NULL) {
        TS_FREE(s->reports.records);
        TS_FREE(s->steps.records);
        TS_FREE(s->text);
        TS_FREE(s->levels);
        TS_FREE(s->sets);
        TS_FREE(s->scratch);
        ts_keys_free(&s->keys);
        TS_FREE(s);
    }
}

const ts_view *ts_scanner_view(const ts_scanner *s)
{
    return &s->view;
}

/* Forgets what the last call reported. Answers an error that stays. */
static int call_begin(ts_scanner *s)
{
    tape_reset(&s->reports);
    tape_reset(&s->steps);
    s->value_due = 0;
    s->view.consumed = 0;
    return s->view.status < 0 ? s->view.status : TS_OK;
}

/* Appends a slice of a fragment and scans it. After a pause the bytes that were not scanned are dropped again: they come
 * back with the next call. */
static int slice_scan(ts_scanner *s, const char *data, size_t size, size_t *taken)
{
    int status = TS_OK;
    if (ts_text_reserve(s, size) != TS_OK) {
        return fail(s, TS_ERR_MEMORY, s->offset);
    }
    memcpy(s->text + s->text_size, data, size);
    size_t from = s->text_size;
    s->text_size += size;
    size_t at = scan(s, from, s->text_size, &status);
    if (status == TS_ERR_MEMORY) {
        return fail(s, status, position(s, at));
    }
    if (status >= 0) {
        s->offset = position(s, at);
        s->text_size = at;
        *taken += at - from;
    }
    return status;
}

int ts_scanner_feed(ts_scanner *s, const char *data, size_t size)
{
    int status = call_begin(s);
    if (status != TS_OK) {
        ts_view_update(s);
        return status;
    }
    int64_t room = s->options.max_bytes - (s->offset - s->counted_from);
    int too_long = room < 0 || (uint64_t)size > (uint64_t)room;
    if (too_long) {
        size = room < 0 ? 0 : (size_t)room;
    }
    text_compact(s);
    size_t taken = 0;
    while (taken < size && status == TS_OK) {
        size_t slice = size - taken < SLICE ? size - taken : SLICE;
        status = slice_scan(s, data + taken, slice, &taken);
    }
    s->view.consumed = (int64_t)taken;
    if (status == TS_OK && too_long) {
        status = fail(s, TS_ERR_BYTES, s->offset);
    }
    if (s->state == ST_IN_STRING && s->growing && status != TS_ERR_MEMORY) {
        int grown = report_growth(s, s->offset); /* before a fault, too */
        status = grown != TS_OK ? fail(s, grown, s->offset) : status;
    }
    if ((s->value_due || status == TS_PAUSED) && status != TS_ERR_MEMORY && !s->options.stop_at_end) {
        int settled = settle(s);
        status = settled != TS_OK ? fail(s, settled, s->offset) : status;
    }
    return answer(s, status);
}

int ts_scanner_finish(ts_scanner *s)
{
    int status = call_begin(s);
    if (status == TS_OK && s->state == ST_IN_NUMBER && s->level_count == 0 && number_is_whole(s->number)) {
        status = number_end(s, s->offset);
        status = status == TS_PAUSED ? TS_OK : status;
    }
    if (status == TS_OK && s->state != ST_END) {
        status = fail(s, TS_ERR_INCOMPLETE, s->offset);
    }
    return answer(s, status);
}

int ts_scanner_settle(ts_scanner *s)
{
    int failed = call_begin(s);
    if (failed == TS_ERR_MEMORY) {
        return failed; /* it may have struck between two changes that belong together */
    }
    int status = settle(s);
    if (failed != TS_OK || status != TS_OK) {
        ts_view_update(s);
        s->view.status = failed != TS_OK ? failed : status;
        return status != TS_OK ? status : s->steps.count != 0 ? TS_READY : TS_OK;
    }
    return answer(s, status);
}

int ts_scanner_where(ts_scanner *s)
{
    int failed = call_begin(s);
    int status = TS_OK;
    size_t first = s->pushed == 0 ? 1 : s->pushed;
    for (size_t i = first; i < s->level_count && status == TS_OK; i++) {
        status = place_append(s, &s->reports, TS_ENTER, &s->levels[i - 1]);
    }
    const ts_level *top = top_level(s);
    if (top != NULL && status == TS_OK) {
        int in_value = s->state == ST_VALUE || s->state == ST_IN_NUMBER || s->state == ST_IN_LITERAL ||
                       (s->state == ST_IN_STRING && !s->is_key);
        int has_key = !(top->flags & LV_ARRAY) && s->state == ST_COLON;
        if (in_value || has_key) {
            status = place_append(s, &s->reports, TS_ENTER, top);
        }
    }
    ts_view_update(s);
    s->view.status = failed;
    return status != TS_OK ? status : s->reports.count != 0 ? TS_READY : TS_OK;
}

int ts_scanner_next(ts_scanner *s)
{
    int status = call_begin(s);
    if (status != TS_OK || s->state != ST_END) {
        return status != TS_OK ? status : TS_ERR_ARGUMENT;
    }
    s->state = ST_VALUE;
    s->root_start = -1;
    s->root_end = -1;
    s->root_shown = 0;
    s->keep_from = s->offset;
    s->counted_from = s->offset;
    return answer(s, TS_OK);
}

int ts_scanner_string(const ts_scanner *s, int64_t *start, int64_t *end, int32_t *escaped)
{
    if (s->state != ST_IN_STRING || s->is_key) {
        return 0;
    }
    *start = s->token + 1 - s->text_start;
    *end = (s->hold >= 0 ? s->hold : s->offset) - s->text_start;
    *escaped = s->escaped;
    return 1;
}
