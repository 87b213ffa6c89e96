/* The JSON scanner: where do values end, and which of them did somebody ask for?
 *
 * RFC 8259 and RFC 3629, strictly. A state machine over bytes that stops and resumes anywhere; it builds no
 * values. Bytes are appended to one buffer, each is looked at once, and what is found is written as records
 * that point into the buffer: reports (what was subscribed to) and build steps (how a live value catches up).
 * The open containers are an explicit stack, so depth costs no C stack.
 */
#include "internal.h"
#include "plain.h"

#include <string.h>

/* How many containers may be open without a TS_PUSH: see TS_RUN_DEPTH. */
#define UNSEEN_LEVELS TS_RUN_DEPTH

/* An integer of so many digits fits 64 bits. */
#define SHORT_NUMBER 18

/* How much text and how many levels are made room for at least: most streams are idle most of the time. */
#define TEXT_STEP 64
#define LEVEL_STEP 1

/* ------------------------------------------------------------------ small parts */

/* Ends the scanner's life: the offending byte is at `offset` of the stream. */
int ts_fail(ts_scanner *s, int status, int64_t offset)
{
    s->view.status = status;
    s->view.offset = offset;
    return status;
}

int ts_text_reserve(ts_scanner *s, size_t size)
{
    if (size > SIZE_MAX - TS_BLOCK) {
        return TS_ERR_MEMORY;
    }
    if (!ts_reserve((void **)&s->view.text, &s->text_capacity, text_size(s), size + TS_BLOCK, TEXT_STEP, 1)) {
        return TS_ERR_MEMORY;
    }
    return TS_OK;
}

int ts_levels_reserve(ts_scanner *s, size_t needed)
{
    uint32_t capacity = s->level_capacity;
    if (needed <= capacity) {
        return TS_OK;
    }
    if (!ts_reserve_small((void **)&s->levels, &capacity, s->level_count, needed - s->level_count, LEVEL_STEP,
                          sizeof *s->levels)) {
        return TS_ERR_MEMORY;
    }
    if (s->words != 0) {
        uint64_t *sets = (uint64_t *)ts_resize_array(s->sets, ((size_t)capacity + 1) * s->words, sizeof *sets);
        if (sets == NULL) {
            return TS_ERR_MEMORY; /* levels is larger than level_capacity says: harmless */
        }
        s->sets = sets;
    }
    s->level_capacity = capacity;
    return TS_OK;
}

void ts_paths_match(ts_scanner *s, const unsigned char *key, size_t key_size)
{
    uint64_t *from = s->sets + (size_t)(s->level_count - 1) * s->words;
    int want = 0;
    s->inner |= ts_paths_move(s->options->paths, from, from + s->words, key, key_size, top_level(s)->place, &want);
    s->want |= want;
}

/* ------------------------------------------------------------------ values begin and end */

static int root_end(ts_scanner *s, int64_t end, uint32_t traits)
{
    s->view.value_end = end;
    s->root_traits = traits;
    s->state = ST_END;
    s->view.unsettled = 1;
    return s->options->stop_at_end ? TS_PAUSED : TS_OK;
}

/* A scalar has ended before `end`. */
static inline int scalar_end(ts_scanner *s, int64_t end, uint32_t traits)
{
    ts_level *level = top_level(s);
    if (level == NULL) {
        return root_end(s, end, traits);
    }
    level->run_end = end;
    s->view.unsettled = 1;
    level->flags |= traits;
    s->state = ST_AFTER_VALUE;
    if (!(s->want & TS_WANT_VALUE)) {
        return TS_OK;
    }
    value_reported(s, level);
    return s->options->implied ? TS_OK : ts_place_append(s, TAPE_REPORTS, TS_VALUE, level);
}

int ts_scalar_end(ts_scanner *s, int64_t end, uint32_t traits)
{
    return scalar_end(s, end, traits);
}

static TS_NOINLINE int container_begin(ts_scanner *s, int64_t at, int is_array)
{
    if ((int64_t)s->level_count >= s->options->max_depth) {
        return ts_fail(s, TS_ERR_DEPTH, at);
    }
    if (ts_levels_reserve(s, s->level_count + 1) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    int is_root = s->level_count == 0;
    int wanted = (s->want & TS_WANT_VALUE) != 0;
    if (!is_root && (s->inner || wanted) && !s->options->implied) {
        int status = ts_place_append(s, TAPE_REPORTS, TS_ENTER | (is_array ? TS_F_ARRAY : 0), top_level(s));
        if (status != TS_OK) {
            return status;
        }
    }
    ts_level *level = &s->levels[s->level_count++];
    *level = (ts_level){.run_start = at + 1, .key_mark = s->keys.count, .key = TS_NO_KEY};
    s->member_start = at + 1;
    if (is_array) {
        level->flags |= LV_ARRAY;
    }
    if (is_root) {
        level->flags |= s->options->depth != 0 || s->words != 0 ? LV_INNER : 0;
        if (s->words != 0) {
            ts_paths_start(s->options->paths, s->sets);
        }
    } else {
        level->flags |= (s->inner ? LV_INNER : 0) | (wanted ? LV_WANTED : 0);
    }
    s->state = is_array ? ST_FIRST_ELEMENT : ST_FIRST_KEY;
    s->view.unsettled = 1;
    int unseen = s->level_count - s->pushed > UNSEEN_LEVELS;
    return unseen && !s->options->stop_at_end ? TS_PAUSED : TS_OK;
}

static TS_NOINLINE int container_end(ts_scanner *s, int64_t at)
{
    ts_level *level = top_level(s);
    uint32_t flags = level->flags;
    int status = TS_OK;
    ts_keys_drop(&s->keys, level->key_mark);
    int shown = s->pushed == s->level_count;
    if (shown) {
        status = ts_run_append(s, level);
        if (status == TS_OK) {
            status = ts_tape_append(s, TAPE_STEPS, TS_POP, 0, 0);
        }
        s->pushed--;
    }
    s->level_count--;
    if (status != TS_OK) {
        return status;
    }
    ts_level *outer = top_level(s);
    if (outer == NULL) {
        return root_end(s, at + 1, flags & LV_TRAITS);
    }
    if (!shown) {
        outer->run_end = at + 1;
        outer->flags |= flags & LV_TRAITS;
    }
    s->view.unsettled = 1;
    s->state = ST_AFTER_VALUE;
    return (flags & (LV_INNER | LV_WANTED)) ? ts_report_leave(s, (flags & LV_WANTED) != 0) : TS_OK;
}

/* Behind a ',' or an opening bracket the next member begins. */
static void member_begin(ts_scanner *s, ts_level *level, int64_t start)
{
    s->member_start = start;
    if (level->run_start < 0) {
        level->run_start = start;
    }
    level->flags &= ~(uint32_t)(LV_REPORTED | LV_KEY_ESCAPED);
    level->key = TS_NO_KEY;
}

/* ------------------------------------------------------------------ structure
 *
 * The hot part: a token that lies inside the fragment is taken as a whole here. What is cut, or is not plain, goes on in
 * tokens.c, from the place and in the state where this part leaves it. */

/* The key whose opening quote is before text[at]. Answers where it stopped. */
static size_t key_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    size_t close = at == end ? end : ts_plain_end(s->view.text, at, end);
    if (close == end || s->view.text[close] != '"') {
        ts_string_begin(s, position(s, at) - 1, 1);
        return close;
    }
    ts_level *level = top_level(s);
    level->place = position(s, at);
    level->key_size = (uint32_t)(close - at); /* it lies in one slice of text */
    s->state = ST_COLON;
    *status = key_known(s, level, 0);
    return *status < 0 ? close : close + 1;
}

/* The string value whose opening quote is before text[at]. */
static size_t string_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    size_t close = at == end ? end : ts_plain_end(s->view.text, at, end);
    if (close == end || s->view.text[close] != '"' || (s->want & TS_WANT_GROWTH)) {
        ts_string_begin(s, position(s, at) - 1, 0);
        return close;
    }
    *status = scalar_end(s, position(s, close + 1), 0);
    return close + 1;
}

/* Where digits end that begin at text[at]. */
static inline size_t digits_end(const unsigned char *text, size_t at, size_t end)
{
    while (at < end && is_digit(text[at])) {
        at++;
    }
    return at;
}

/* Where a number ends whose first digit is to be text[at], if it has no exponent and is of few digits; end if that is not plain
 * to see. */
static inline size_t short_number_end(const ts_scanner *s, size_t at, size_t end)
{
    const unsigned char *text = s->view.text;
    size_t point = digits_end(text, at, end), stop = point;
    if (point < end && text[point] == '.') {
        stop = digits_end(text, point + 1, end);
        stop = stop == point + 1 ? end : stop;
    }
    int is_plain = stop != end && point != at && (text[at] != '0' || point == at + 1) && (text[stop] | 0x20) != 'e';
    int64_t most = s->options->max_int_digits;
    return is_plain && stop - at <= SHORT_NUMBER && (most <= 0 || most >= SHORT_NUMBER) ? stop : end;
}

/* The number whose first byte is text[at]. */
static inline size_t number_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    unsigned char c = s->view.text[at];
    size_t stop = short_number_end(s, at + (c == '-'), end);
    if (stop != end) {
        *status = scalar_end(s, position(s, stop), 0);
        return stop;
    }
    s->token = position(s, at);
    s->state = ST_IN_NUMBER;
    s->number = c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
    return ts_number_scan(s, at + 1, end, status);
}

/* The literal whose first byte is text[at]. */
static size_t literal_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->view.text + at;
    size_t size = *text == 'f' ? 5 : 4;
    if (end - at >= size && memcmp(text, *text == 't' ? "true" : *text == 'f' ? "false" : "null", size) == 0) {
        *status = scalar_end(s, position(s, at + size), 0);
        return at + size;
    }
    s->state = ST_IN_LITERAL;
    s->literal = *text == 't' ? 0 : *text == 'f' ? 1 : 2;
    s->matched = 1;
    return at + 1;
}

/* The value whose first byte is text[at]. */
static inline size_t value_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    ts_level *level = top_level(s);
    if (level == NULL) {
        s->view.value_start = position(s, at);
        s->want = 0;
        s->inner = 0;
    } else if (level->flags & LV_ARRAY) {
        member_match(s, level, NULL, 0);
    }
    unsigned char c = s->view.text[at];
    switch (c) {
    case '"': return string_scan(s, at + 1, end, status);
    case 't': case 'f': case 'n': return literal_scan(s, at, end, status);
    case '{': case '[':
        *status = container_begin(s, position(s, at), c == '[');
        return *status < 0 ? at : at + 1;
    default:
        if (is_digit(c) || c == '-') {
            return number_scan(s, at, end, status);
        }
        *status = ts_fail(s, TS_ERR_SYNTAX, position(s, at));
        return at;
    }
}

/* The byte behind a value, text[at]: ',' or the end of the container. */
static inline size_t after_value(ts_scanner *s, size_t at, int *status)
{
    ts_level *level = top_level(s);
    unsigned char c = s->view.text[at];
    int is_array = (level->flags & LV_ARRAY) != 0;
    if (c == ',') {
        member_begin(s, level, position(s, at + 1));
        level->place += is_array;
        s->state = is_array ? ST_VALUE : ST_KEY;
        return at + 1;
    }
    if (c == (is_array ? ']' : '}')) {
        *status = container_end(s, position(s, at));
    } else {
        *status = ts_fail(s, TS_ERR_SYNTAX, position(s, at));
    }
    return *status < 0 ? at : at + 1;
}

/* The byte behind an opening bracket, text[at]. */
static TS_NOINLINE size_t first_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    int is_end = s->view.text[at] == (s->state == ST_FIRST_ELEMENT ? ']' : '}');
    return is_end ? after_value(s, at, status) : value_scan(s, at, end, status);
}

static size_t wrong_byte(ts_scanner *s, size_t at, int error, int *status)
{
    *status = ts_fail(s, error, position(s, at));
    return at;
}

/* Scans text[at .. end); answers where it stopped, which is `end` unless *status says why not. */
static size_t scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->view.text;
    while (at < end && *status == TS_OK) {
        unsigned char c = text[at];
        if (c <= ' ' && s->state < ST_IN_STRING && is_space(c)) {
            at++;
            if (c == '\n') {
                s->line++;
                s->line_start = position(s, at);
            }
            continue;
        }
        switch (s->state) {
        case ST_FIRST_ELEMENT: at = first_scan(s, at, end, status); break;
        case ST_FIRST_KEY:
            if (c == '}') {
                at = first_scan(s, at, end, status);
                break;
            }
            /* fall through */
        case ST_KEY:
            at = c == '"' ? key_scan(s, at + 1, end, status) : wrong_byte(s, at, TS_ERR_SYNTAX, status);
            if (*status != TS_OK || s->state != ST_COLON || at == end || text[at] != ':') {
                break;
            }
            c = ':';
            /* What mostly comes next is taken without a look at the state. */
            /* fall through */
        case ST_COLON:
            if (c != ':') {
                at = wrong_byte(s, at, TS_ERR_SYNTAX, status);
                break;
            }
            s->state = ST_VALUE;
            at++;
            at += at < end && text[at] == ' ';
            if (at == end || text[at] <= ' ') {
                break;
            }
            /* fall through */
        case ST_VALUE:
            at = value_scan(s, at, end, status);
            if (*status != TS_OK || s->state != ST_AFTER_VALUE || at == end || text[at] <= ' ') {
                break;
            }
            /* fall through */
        case ST_AFTER_VALUE: at = after_value(s, at, status); break;
        case ST_IN_STRING: at = ts_string_scan(s, at, end, status); break;
        case ST_IN_NUMBER: at = ts_number_scan(s, at, end, status); break;
        case ST_IN_LITERAL: at = ts_literal_scan(s, at, end, status); break;
        default: at = wrong_byte(s, at, TS_ERR_TRAILING, status); break; /* ST_END */
        }
    }
    return at;
}

/* After a pause the bytes that were not scanned are dropped again: they come back with the next call. */
int ts_text_scan(ts_scanner *s, size_t at, size_t end)
{
    int status = TS_OK;
    size_t from = text_size(s);
    s->view.text_size = (int64_t)end;
    at = scan(s, at, end, &status);
    s->view.scanned += (int64_t)(at - from);
    if (status == TS_ERR_MEMORY) {
        return ts_fail(s, status, position(s, at));
    }
    if (status >= 0) {
        s->view.offset = position(s, at);
        s->view.text_size = (int64_t)at;
        s->view.consumed += (int64_t)(at - from);
    }
    return status;
}
