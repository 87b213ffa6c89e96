/* A scanner's state as bytes, so that a stream can move between processes and machines.
 *
 * One function walks over all fields for both directions, so writing and reading cannot differ. Numbers are
 * 64-bit little-endian. A loaded state is checked wherever a wrong number could lead outside an array.
 */
#include "internal.h"

#include <string.h>

#define STATE_FORMAT 3

typedef struct ts_io {
    unsigned char *out;          /* writing: NULL while only counting */
    size_t cap;
    const unsigned char *in;     /* reading: not NULL */
    size_t size;
    size_t at;
    int failed;
} ts_io;

static void io_bytes(ts_io *io, void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    if (io->in != NULL) {
        if (io->failed || size > io->size - io->at) {
            io->failed = 1;
            memset(data, 0, size);
            return;
        }
        memcpy(data, io->in + io->at, size);
    } else if (io->out != NULL && io->at <= io->cap && size <= io->cap - io->at) {
        memcpy(io->out + io->at, data, size);
    }
    io->at += size;
}

static uint64_t io_number(ts_io *io, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    io_bytes(io, bytes, sizeof bytes);
    value = 0;
    for (int i = 7; i >= 0; i--) {
        value = (value << 8) | bytes[i];
    }
    return value;
}

static void io_int64(ts_io *io, int64_t *value)
{
    *value = (int64_t)io_number(io, (uint64_t)*value);
}

/* A number that must lie in 0 .. limit. */
static void io_bounded(ts_io *io, size_t *value, size_t limit)
{
    uint64_t number = io_number(io, (uint64_t)*value);
    if (number > limit) {
        io->failed = 1;
        number = 0;
    }
    *value = (size_t)number;
}

static void io_int32(ts_io *io, int32_t *value, int32_t limit)
{
    size_t number = (size_t)*value;
    io_bounded(io, &number, (size_t)limit);
    *value = (int32_t)number;
}

/* A number of 8 bits that must lie in 0 .. limit. */
static void io_small(ts_io *io, uint8_t *value, uint8_t limit)
{
    size_t number = *value;
    io_bounded(io, &number, limit);
    *value = (uint8_t)number;
}

static void io_uint32(ts_io *io, uint32_t *value)
{
    *value = (uint32_t)io_number(io, *value);
}

/* A number of 32 bits that must lie in 0 .. limit. */
static void io_index(ts_io *io, uint32_t *value, size_t limit)
{
    size_t number = *value;
    io_bounded(io, &number, limit < UINT32_MAX ? limit : UINT32_MAX);
    *value = (uint32_t)number;
}

/* An index that may be TS_NO_KEY, written as 0. */
static void io_key_index(ts_io *io, uint32_t *value, size_t count)
{
    size_t number = *value == TS_NO_KEY ? 0 : (size_t)*value + 1;
    io_bounded(io, &number, count);
    *value = number == 0 ? TS_NO_KEY : (uint32_t)(number - 1);
}

/* An item count, which the bytes that are left must be able to hold. */
static void io_count(ts_io *io, size_t *count, size_t item_bytes)
{
    io_bounded(io, count, io->in != NULL ? io->size / item_bytes : SIZE_MAX / 2);
}

static void io_text(ts_io *io, ts_scanner *s)
{
    io_int64(io, &s->view.text_start);
    size_t size = text_size(s);
    io_count(io, &size, 1);
    if (io->in != NULL && !io->failed && ts_text_reserve(s, size) != TS_OK) {
        io->failed = 1;
    }
    if (!io->failed) {
        s->view.text_size = (int64_t)size;
        io_bytes(io, s->view.text, size);
    }
}

static void io_keys(ts_io *io, ts_keys *keys, const uint64_t *seed)
{
    size_t count = keys->count;
    size_t text_size = keys->text_size;
    io_count(io, &count, 32);
    io_count(io, &text_size, 1);
    io->failed |= text_size > UINT32_MAX || count > UINT32_MAX / 4; /* as in keys.c */
    if (io->in != NULL && !io->failed) {
        io->failed = !ts_reserve_small((void **)&keys->keys, &keys->capacity, 0, count, 0, sizeof *keys->keys) ||
                     !ts_reserve_small((void **)&keys->text, &keys->text_capacity, 0, text_size, 0, 1);
    }
    if (io->failed) {
        return;
    }
    if (io->in != NULL && count != 0) {
        memset(keys->keys, 0, count * sizeof *keys->keys);
    }
    for (size_t i = 0; i < count; i++) {
        ts_key *key = &keys->keys[i];
        uint32_t reported = key->reported;
        uint32_t level = key->level;
        io_index(io, &key->text, text_size);
        io_index(io, &key->size, text_size - key->text);
        io_index(io, &level, TS_KEY_LEVEL_MAX);
        io_index(io, &reported, 1);
        key->level = level & TS_KEY_LEVEL_MAX;
        key->reported = reported & 1;
    }
    io_bytes(io, keys->text, text_size);
    keys->count = (uint32_t)count;
    keys->text_size = (uint32_t)text_size;
    if (io->in != NULL && !io->failed && count != 0 && ts_keys_restore(keys, seed) != TS_OK) {
        io->failed = 1;
    }
}

static void io_level(ts_io *io, ts_level *level, size_t key_count)
{
    io_int64(io, &level->run_start);
    io_int64(io, &level->run_end);
    io_int64(io, &level->place);
    io_uint32(io, &level->key_size);
    io_index(io, &level->key_mark, key_count);
    io_key_index(io, &level->key, key_count);
    io_uint32(io, &level->flags);
}

static void io_levels(ts_io *io, ts_scanner *s)
{
    size_t count = s->level_count;
    io_count(io, &count, 56);
    if (io->in != NULL && !io->failed && count != 0) {
        io->failed = ts_levels_reserve(s, count) != TS_OK;
        if (!io->failed) {
            memset(s->levels, 0, count * sizeof *s->levels);
        }
    }
    if (io->failed) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        io_level(io, &s->levels[i], s->keys.count);
    }
    s->level_count = (uint32_t)count;
    if (s->words == 0 || count == 0) {
        return;
    }
    for (size_t i = 0; i < (count + 1) * s->words; i++) {
        s->sets[i] = io_number(io, io->in != NULL ? 0 : s->sets[i]);
        if (io->in != NULL && i % s->words == s->words - 1) {
            s->sets[i] &= ts_paths_last_word(s->options->paths);
        }
    }
}

static void io_scalars(ts_io *io, ts_scanner *s)
{
    int32_t fault = s->view.status < 0 ? -s->view.status : 0; /* errors stay */
    io_int32(io, &fault, -TS_ERR_ARGUMENT);
    if (io->in != NULL) {
        s->view.status = -fault;
    }
    io_int64(io, &s->keep_from);
    io_index(io, &s->pushed, s->level_count);
    io_int64(io, &s->view.offset);
    io_int64(io, &s->counted_from);
    io_int64(io, &s->view.scanned);
    io_int64(io, &s->line);
    io_int64(io, &s->line_start);
    io_int64(io, &s->token);
    io_int64(io, &s->member_start);
    io_int64(io, &s->view.value_start);
    io_int64(io, &s->view.value_end);
    io_small(io, &s->state, ST_STATE_COUNT - 1);
    io_small(io, &s->root_shown, 1);
    io_small(io, &s->root_traits, LV_TRAITS);
    io_small(io, &s->want, TS_WANT_VALUE | TS_WANT_GROWTH);
    io_small(io, &s->inner, 1);
    io_small(io, &s->string, STR_STATE_COUNT - 1);
    io_small(io, &s->is_key, 1);
    io_small(io, &s->escaped, 1);
    io_small(io, &s->growing, 2);
    io_int64(io, &s->grown);
    io_int64(io, &s->hold);
    io_int64(io, &s->escape);
    io_uint32(io, &s->code);
    io_small(io, &s->digits, 4);
    io_small(io, &s->utf8_need, 3);
    io_small(io, &s->utf8_low, UINT8_MAX);
    io_small(io, &s->utf8_high, UINT8_MAX);
    io_small(io, &s->number, NUM_STATE_COUNT - 1);
    io_small(io, &s->literal, 2);
    io_small(io, &s->matched, 5);
}

static void io_scanner(ts_io *io, ts_scanner *s)
{
    size_t format = STATE_FORMAT;
    size_t words = s->words;
    io_bounded(io, &format, STATE_FORMAT);
    io_bounded(io, &words, s->words);
    if (format != STATE_FORMAT || words != s->words) {
        io->failed = 1;
    }
    io_text(io, s);
    io_keys(io, &s->keys, s->options->seed);
    io_levels(io, s);
    io_scalars(io, s);
}

/* Whether every offset that the scanner will look up lies inside its text. */
static int is_sound(const ts_scanner *s)
{
    int64_t end = s->view.text_start + s->view.text_size;
    if (s->view.text_start < 0 || s->view.offset > end || s->view.offset < s->view.text_start || s->pushed > s->level_count) {
        return 0;
    }
    if (s->counted_from < 0 || s->counted_from > s->view.offset || s->line_start < 0 || s->line_start > s->view.offset) {
        return 0;
    }
    if (s->view.status >= 0 && s->view.offset != end) {
        return 0; /* only a fault leaves text behind it */
    }
    if ((s->state == ST_IN_STRING || s->state == ST_IN_NUMBER) && (s->token < s->view.text_start || s->token >= end)) {
        return 0;
    }
    if (s->state == ST_IN_STRING && (s->grown < s->view.text_start || s->grown > end)) {
        return 0;
    }
    int is_due = s->state == ST_END && !s->root_shown; /* the root is to be shown yet, by its place */
    if (is_due && (s->view.value_start < s->view.text_start || s->view.value_end < s->view.value_start || s->view.value_end > end)) {
        return 0;
    }
    if (s->state == ST_IN_LITERAL && s->matched > (s->literal == 1 ? 4 : 3)) {
        return 0;
    }
    int needs_level = s->state != ST_VALUE && s->state < ST_END;
    if (s->level_count == 0 && (needs_level || (s->state == ST_IN_STRING && (s->is_key || s->growing)))) {
        return 0;
    }
    for (size_t i = 1; i < s->level_count; i++) {
        if (s->levels[i].key_mark < s->levels[i - 1].key_mark) {
            return 0;
        }
    }
    return 1;
}

size_t ts_scanner_save(const ts_scanner *s, unsigned char *out, size_t cap)
{
    ts_io io = {0};
    io.out = out;
    io.cap = cap;
    /* Writing changes nothing: io_scanner stores each field's own value back. */
    io_scanner(&io, (ts_scanner *)s);
    return io.failed ? 0 : io.at;
}

ts_scanner *ts_scanner_load(const ts_options *options, const unsigned char *data, size_t size)
{
    ts_scanner *s = ts_scanner_new(options);
    if (s == NULL) {
        return NULL;
    }
    ts_io io = {0};
    io.in = data;
    io.size = size;
    io_scanner(&io, s);
    if (io.failed || io.at != size || !is_sound(s)) {
        ts_scanner_free(s);
        return NULL;
    }
    s->view.unsettled = 1;
    ts_complete_update(s);
    return s;
}
