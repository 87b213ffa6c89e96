/* What a scanner's caller calls: fragments in, an answer out, and what it tells stands in its view.
 *
 * Most fragments are short and lie inside a string or a number, where they change nothing but how far the text goes. So there
 * is a short way for those, in functions that do nothing else; all others go to the state machine in scanner.c.
 */
#include "internal.h"
#include "plain.h"

#include <string.h>

/* A fragment is taken in slices, so that what is copied in vain before a pause is bounded, and a value that pauses
 * often still costs what it is long. */
#define SLICE 4096

/* ------------------------------------------------------------------ its life, and what it is asked */

/* What a scanner in each ts_state waits for. */
static const int8_t expectations[ST_STATE_COUNT] = {
    TS_EXPECT_VALUE,
    TS_EXPECT_VALUE_OR_END,
    TS_EXPECT_KEY_OR_END,
    TS_EXPECT_KEY,
    TS_EXPECT_COLON,
    TS_EXPECT_COMMA_OR_END,
    TS_EXPECT_NOTHING,
    TS_EXPECT_IN_STRING,
    TS_EXPECT_IN_NUMBER,
    TS_EXPECT_IN_LITERAL,
};

void ts_complete_update(ts_scanner *s)
{
    s->view.complete = s->state == ST_END;
}

ts_scanner *ts_scanner_new(const ts_options *options)
{
    ts_scanner *s = (ts_scanner *)TS_MALLOC(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    memset(s, 0, sizeof *s);
    s->options = options;
    s->words = options->paths != NULL ? (uint32_t)ts_paths_words(options->paths) : 0;
    s->line = 1;
    s->view.value_start = -1;
    s->view.value_end = -1;
    s->hold = -1;
    ts_complete_update(s);
    return s;
}

void ts_scanner_free(ts_scanner *s)
{
    if (s != NULL) {
        ts_tapes_free(s);
        TS_FREE(s->view.text);
        TS_FREE(s->levels);
        TS_FREE(s->sets);
        TS_FREE(s->scratch);
        ts_keys_free(&s->keys);
        TS_FREE(s);
    }
}

size_t ts_scanner_size(const ts_scanner *s)
{
    const ts_keys *keys = &s->keys;
    size_t records = (size_t)s->report_capacity + s->step_capacity;
    size_t sets = s->level_capacity == 0 ? 0 : ((size_t)s->level_capacity + 1) * s->words;
    return sizeof *s + records * sizeof(ts_record) + s->text_capacity + s->level_capacity * sizeof *s->levels +
           sets * sizeof *s->sets + s->scratch_capacity + keys->capacity * sizeof *keys->keys + keys->text_capacity +
           keys->slot_count * sizeof *keys->slots;
}

const ts_view *ts_scanner_view(const ts_scanner *s)
{
    return &s->view;
}

const ts_options *ts_scanner_options(const ts_scanner *s)
{
    return s->options;
}

void ts_scanner_place(const ts_scanner *s, ts_place *place)
{
    place->line = s->line;
    place->column = s->view.offset - s->line_start + 1;
    place->expected = expectations[s->state];
}

/* ------------------------------------------------------------------ feeding */

/* Forgets what the last call reported. Answers an error that stays. */
static int call_begin(ts_scanner *s)
{
    s->view.report_count = 0;
    s->view.step_count = 0;
    s->value_due = 0;
    s->view.consumed = 0;
    return s->view.status < 0 ? s->view.status : TS_OK;
}

/* What a call answers in the end: errors stay. */
static int answer(ts_scanner *s, int status)
{
    if (status == TS_OK && s->view.report_count + s->view.step_count != 0) {
        status = TS_READY;
    }
    s->view.status = status;
    ts_complete_update(s);
    return status;
}

/* Drops text that nobody needs any more, once that is at least half of it: so each byte moves O(1) times. */
static void text_compact(ts_scanner *s)
{
    s->text_freed = 0;
    if (s->options->keep_text) {
        return;
    }
    int64_t place = s->state == ST_IN_NUMBER ? s->token : s->view.offset; /* a number's fault may be told at its begin */
    int64_t keep = s->keep_from < place - TEXT_CONTEXT ? s->keep_from : place - TEXT_CONTEXT;
    if (keep <= s->view.text_start) {
        return;
    }
    size_t dropped = (size_t)(keep - s->view.text_start);
    if (dropped < text_size(s) / 2) {
        return;
    }
    s->view.text_size -= (int64_t)dropped;
    memmove(s->view.text, s->view.text + dropped, text_size(s));
    s->view.text_start = keep;
    if (s->text_capacity > TS_TEXT_SMALL && text_size(s) < s->text_capacity / 4) {
        size_t capacity = text_size(s) * 2 + TS_BLOCK;
        unsigned char *smaller = (unsigned char *)TS_REALLOC(s->view.text, capacity);
        if (smaller != NULL) {
            s->view.text = smaller;
            s->text_capacity = capacity;
        }
    }
    ts_complete_update(s);
}

/* Whether size bytes more fit the text as it is. */
static int has_room(const ts_scanner *s, size_t size)
{
    size_t room = s->text_capacity - text_size(s);
    return room >= TS_BLOCK && room - TS_BLOCK >= size;
}

/* Bytes that may still come. */
static int64_t bytes_left(const ts_scanner *s)
{
    int64_t left = s->options->max_bytes - (s->view.offset - s->counted_from);
    return left < 0 ? 0 : left;
}

/* Whether a fragment may come and can be copied as a whole. */
static inline int is_welcome(const ts_scanner *s, size_t size)
{
    return size <= SLICE && size + TS_BLOCK <= s->text_capacity - text_size(s) &&
           (int64_t)size <= s->options->max_bytes - (s->view.offset - s->counted_from);
}

static inline int in_body(const ts_scanner *s)
{
    return s->state == ST_IN_STRING && s->string == STR_BODY;
}

/* A fragment has been copied that changes nothing but how far the text goes, as most do. */
static inline void text_goes_on(ts_scanner *s, size_t size)
{
    s->view.text_size += (int64_t)size;
    s->view.offset += (int64_t)size;
    s->view.scanned += (int64_t)size;
    s->view.consumed = (int64_t)size;
}

/* The string in progress has grown by all of text[text_size .. end), and it has been reported that it grows. */
static TS_NOINLINE int growth_goes_on(ts_scanner *s, size_t end, int escaped)
{
    s->view.report_count = 0;
    int64_t tag = escaped ? TS_GROW | TS_F_ESCAPED : TS_GROW;
    if (ts_tape_append(s, TAPE_REPORTS, tag, s->view.text_size, (int64_t)end) != TS_OK) {
        return 0;
    }
    s->grown = position(s, end);
    s->view.step_count = 0;
    return 1;
}

/* Takes a fragment that lies inside a string as a whole, also with escapes or other characters in it, and of a string
 * whose growth is reported. Answers what feeding it does, or TS_PAUSED with nothing changed if this is another one. */
static int string_goes_on(ts_scanner *s, const char *data, size_t size)
{
    int is_usual = s->growing ? s->growing == 2 && s->grown == s->view.offset && s->view.status >= TS_OK
                              : s->view.status == TS_OK;
    if (!in_body(s) || !is_usual || size == 0 || !is_welcome(s, size)) {
        return TS_PAUSED;
    }
    size_t end = text_size(s) + size;
    uint8_t escaped = 0;
    ts_copy(s->view.text + s->view.text_size, data, size);
    /* Looked at where it came from: what has just been written cannot be read at once in other pieces. */
    if (!ts_is_all_plain(data, size) && ts_string_body(s->view.text, text_size(s), end, &escaped) != end) {
        return TS_PAUSED;
    }
    if (s->growing && !growth_goes_on(s, end, escaped)) {
        return TS_PAUSED;
    }
    s->escaped |= escaped;
    text_goes_on(s, size);
    s->view.status = s->growing ? TS_READY : TS_OK;
    return s->view.status;
}

/* Takes a byte outside strings that ends nothing, and before which nothing may be asked for: so only the state changes, if that
 * does. Answers 0, with nothing changed, if this is another one. */
static inline int byte_goes_on(ts_scanner *s, unsigned char c)
{
    switch (s->state) {
    case ST_IN_NUMBER: return is_digit(c) && ts_number_is_run(s->number);
    case ST_COLON:
        s->state = c == ':' ? ST_VALUE : ST_COLON;
        return c == ':' || c == ' ';
    case ST_FIRST_KEY: case ST_KEY:
        if (c == '"') {
            ts_string_begin(s, s->view.offset, 1);
        }
        return c == '"' || c == ' ';
    case ST_IN_LITERAL: return ts_literal_goes_on(s, c);
    default: return c == ' ' && s->state < ST_IN_STRING;
    }
}

/* Scans as much of a fragment as there is room for under max_bytes. */
static int slices_scan(ts_scanner *s, const char *data, size_t size)
{
    int64_t left = bytes_left(s);
    int too_long = (uint64_t)size > (uint64_t)left;
    size_t end = too_long ? (size_t)left : size;
    int status = TS_OK;
    for (size_t taken = 0; taken < end && status == TS_OK; taken = (size_t)s->view.consumed) {
        size_t slice = end - taken < SLICE ? end - taken : SLICE, at = text_size(s);
        if (ts_text_reserve(s, slice) != TS_OK) {
            return ts_fail(s, TS_ERR_MEMORY, s->view.offset);
        }
        ts_copy(s->view.text + at, data + taken, slice);
        status = ts_text_scan(s, at, at + slice);
    }
    return status == TS_OK && too_long ? ts_fail(s, TS_ERR_BYTES, s->view.offset) : status;
}

/* The end of a call that has scanned: what it answers. */
static inline int call_end(ts_scanner *s, int status)
{
    if (s->growing && s->state == ST_IN_STRING && status != TS_ERR_MEMORY) {
        int grown = ts_report_growth(s, s->view.offset); /* before a fault, too */
        status = grown != TS_OK ? ts_fail(s, grown, s->view.offset) : status;
    }
    if ((s->value_due || status == TS_PAUSED) && status != TS_ERR_MEMORY && !s->options->stop_at_end) {
        int settled = ts_settle(s);
        status = settled != TS_OK ? ts_fail(s, settled, s->view.offset) : status;
    }
    return answer(s, status);
}

/* Feeds what is more than text going on. */
static TS_NOINLINE int feed_on(ts_scanner *s, const char *data, size_t size)
{
    int status = call_begin(s);
    if (status != TS_OK) {
        ts_complete_update(s);
        return status;
    }
    return call_end(s, slices_scan(s, data, size));
}

/* Feeds a short fragment for which there is room, and of which the state machine has to see text[at .. end). */
static TS_NOINLINE int feed_tokens(ts_scanner *s, size_t at, size_t end)
{
    call_begin(s);
    return call_end(s, ts_text_scan(s, at, end));
}

/* Feeds any fragment. Kept apart, so that the short way costs no more than it must. */
static TS_NOINLINE int feed_any(ts_scanner *s, const char *data, size_t size)
{
    int is_full = !has_room(s, size);
    if (is_full && s->view.report_count + s->view.step_count == 0) {
        ts_tapes_free(s); /* an idle scanner stays small; one that reports all the time keeps its tapes */
    }
    if (is_full || s->text_freed) {
        text_compact(s);
    }
    int status = size > 1 || s->growing ? string_goes_on(s, data, size) : TS_PAUSED;
    return status != TS_PAUSED ? status : feed_on(s, data, size);
}

/* Feeds a byte outside strings that has been copied behind the text. */
static TS_NOINLINE int feed_byte(ts_scanner *s, const char *data)
{
    size_t at = text_size(s);
    if (byte_goes_on(s, (unsigned char)*data)) {
        text_goes_on(s, 1);
        return TS_OK;
    }
    return s->text_freed ? feed_any(s, data, 1) : feed_tokens(s, at, at + 1);
}

/* Feeds a fragment inside a string that has been copied behind the text, and of which not all is plain. */
static TS_NOINLINE int feed_odd(ts_scanner *s, size_t size)
{
    size_t end = text_size(s) + size;
    size_t at = ts_string_body(s->view.text, text_size(s), end, &s->escaped);
    if (at != end) {
        return feed_tokens(s, at, end);
    }
    text_goes_on(s, size);
    return TS_OK;
}

/* Feeds what may be a string that is reported as it grows. */
static TS_NOINLINE int feed_growing(ts_scanner *s, const char *data, size_t size)
{
    int status = string_goes_on(s, data, size);
    return status != TS_PAUSED ? status : feed_any(s, data, size);
}

int ts_scanner_feed(ts_scanner *s, const char *data, size_t size)
{
    if (s->growing) {
        return feed_growing(s, data, size);
    }
    int is_quiet = s->view.status == TS_OK;
    if (size == 1 && is_quiet && is_welcome(s, 1)) {
        size_t at = text_size(s);
        s->view.text[at] = (unsigned char)*data;
        if (!in_body(s)) {
            return feed_byte(s, data);
        }
        if (!ts_is_plain((unsigned char)*data)) {
            return feed_tokens(s, at, at + 1);
        }
        text_goes_on(s, 1);
        return TS_OK;
    }
    if (size - 1 < TS_COPY_SHORT && s->view.status >= TS_OK && is_welcome(s, size)) {
        if (is_quiet && in_body(s)) {
            ts_copy(s->view.text + s->view.text_size, data, size);
            if (!ts_is_all_plain(data, size)) {
                return feed_odd(s, size);
            }
            text_goes_on(s, size);
            return TS_OK;
        }
        if (!s->text_freed) {
            size_t at = text_size(s);
            ts_copy(s->view.text + at, data, size);
            return feed_tokens(s, at, at + size);
        }
    }
    return feed_any(s, data, size);
}

/* ------------------------------------------------------------------ other calls */

int ts_scanner_finish(ts_scanner *s)
{
    int status = call_begin(s);
    if (status == TS_OK && s->state == ST_IN_NUMBER && s->level_count == 0 && ts_number_is_whole(s->number)) {
        status = ts_number_end(s, s->view.offset);
        status = status == TS_PAUSED ? TS_OK : status;
    }
    if (status == TS_OK && s->state != ST_END) {
        status = ts_fail(s, TS_ERR_INCOMPLETE, s->view.offset);
    }
    return answer(s, status);
}

int ts_scanner_settle(ts_scanner *s)
{
    int failed = call_begin(s);
    if (failed == TS_ERR_MEMORY) {
        return failed; /* it may have struck between two changes that belong together */
    }
    /* With stop_at_end the caller wants each value's text as a whole: none of it may count as done with. */
    int status = s->options->stop_at_end ? TS_OK : ts_settle(s);
    if (failed != TS_OK || status != TS_OK) {
        ts_complete_update(s);
        s->view.status = failed != TS_OK ? failed : status;
        return status != TS_OK ? status : s->view.step_count != 0 ? TS_READY : TS_OK;
    }
    return answer(s, status);
}

int ts_scanner_where(ts_scanner *s)
{
    int failed = call_begin(s);
    int status = TS_OK;
    size_t first = s->pushed == 0 ? 1 : s->pushed;
    for (size_t i = first; i < s->level_count && status == TS_OK; i++) {
        status = ts_place_append(s, TAPE_REPORTS, TS_ENTER, &s->levels[i - 1]);
    }
    const ts_level *top = top_level(s);
    if (top != NULL && status == TS_OK) {
        int in_value = s->state == ST_VALUE || s->state == ST_IN_NUMBER || s->state == ST_IN_LITERAL ||
                       (s->state == ST_IN_STRING && !s->is_key);
        int has_key = !(top->flags & LV_ARRAY) && s->state == ST_COLON;
        if (in_value || has_key) {
            status = ts_place_append(s, TAPE_REPORTS, TS_ENTER, top);
        }
    }
    ts_complete_update(s);
    int answer = s->view.report_count != 0 ? TS_READY : TS_OK;
    s->view.status = failed != TS_OK ? failed : answer; /* what feeds next must not take these for its own reports */
    return status != TS_OK ? status : answer;
}

int ts_scanner_next(ts_scanner *s)
{
    int status = call_begin(s);
    if (status != TS_OK || s->state != ST_END) {
        return status != TS_OK ? status : TS_ERR_ARGUMENT;
    }
    s->state = ST_VALUE;
    s->view.value_start = -1;
    s->view.value_end = -1;
    s->root_shown = 0;
    keep_text_from(s, s->view.offset);
    s->counted_from = s->view.offset;
    return answer(s, TS_OK);
}

int ts_scanner_string(const ts_scanner *s, int64_t *start, int64_t *end, int32_t *escaped)
{
    if (s->state != ST_IN_STRING || s->is_key) {
        return 0;
    }
    *start = s->token + 1 - s->view.text_start;
    *end = (s->hold >= 0 ? s->hold : s->view.offset) - s->view.text_start;
    *escaped = s->escaped;
    return 1;
}
