/* The text of a JSON string without its escapes: valid UTF-8, or none where it needs a closer look. */
#include "escapes.h"
#include "internal.h"
#include "plain.h"

#include <string.h>

/* Reads \uXXXX, or two that are a pair, at text[0]. Answers the bytes read; 0 where it is malformed or half a pair. */
static size_t unicode_escape(const unsigned char *text, size_t size, uint32_t *code)
{
    uint32_t units[2] = {0, 0};
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        if (size - at < 6 || text[at] != '\\' || text[at + 1] != 'u') {
            return 0;
        }
        for (size_t digit = 2; digit < 6; digit++) {
            unsigned value = ts_hex_digit(text[at + digit]);
            if (value > 15) {
                return 0;
            }
            units[i] = (units[i] << 4) | value;
        }
        at += 6;
        if (i == 0 && (units[0] < 0xd800 || units[0] > 0xdfff)) {
            *code = units[0];
            return at;
        }
    }
    if (units[0] > 0xdbff || units[1] < 0xdc00 || units[1] > 0xdfff) {
        return 0;
    }
    *code = 0x10000 + ((units[0] - 0xd800) << 10) + (units[1] - 0xdc00);
    return at;
}

/* Decodes a run of characters beyond ASCII, or an escape of digits, to at most TS_ROOM_SPARE bytes; *written: how many.
 * Answers the bytes read, 0 where it is nothing of these, or is not all there. */
static TS_NOINLINE size_t odd_decode(const unsigned char *text, size_t size, unsigned char *out, size_t *written)
{
    if (text[0] >= 0x80) {
        *written = ts_utf8_prefix(text, size < TS_ROOM_SPARE ? size : TS_ROOM_SPARE);
        memcpy(out, text, *written);
        return *written;
    }
    uint32_t code = 0;
    size_t read = unicode_escape(text, size, &code);
    *written = read != 0 ? ts_utf8_write(out, code) : 0;
    return read;
}

/* Copies a block. Answers how many of its bytes are plain before the first that is not; the others do not count. */
static inline size_t block_copy(const unsigned char *from, unsigned char *out)
{
    memcpy(out, from, TS_BLOCK);
    return ts_plain_block(from);
}

/* The same where fewer bytes than a block are left. */
static TS_NOINLINE size_t rest_copy(const unsigned char *from, size_t left, unsigned char *out)
{
    unsigned char block[TS_BLOCK] = {0}; /* which is not plain */
    ts_copy(block, (const char *)from, left % TS_BLOCK); /* so that the compiler, too, sees that it fits */
    return block_copy(block, out);
}

/* Where decoding has come to. */
typedef struct place {
    const unsigned char *from;
    unsigned char *out;
} place;

/* A fragment and what follows it in its event are mostly shorter: there it would take longer to begin. */
#define LONG_TEXT 256

/* Decodes long text, up to a quote, near to the end, or as far as it can: the rest is ts_text_take's, faults included. */
static TS_NOINLINE place long_take(place at, const unsigned char *end, const unsigned char *full)
{
    while (end - at.from >= LONG_TEXT && full - at.out >= TS_ROOM_SPARE) {
        size_t written, read = ts_block_decode(at.from, at.out, &written);
        at.from += read;
        at.out += written;
        if (read >= TS_BLOCK) {
            continue;
        }
        if (*at.from == '"' || full - at.out < TS_ROOM_SPARE) {
            break;
        }
        read = odd_decode(at.from, (size_t)(end - at.from), at.out, &written);
        if (read == 0) {
            break;
        }
        at.from += read;
        at.out += written;
    }
    return at;
}

int ts_text_take(const unsigned char *data, size_t size, size_t *at, ts_room *text)
{
    const unsigned char *from = data + *at, *const end = data + size;
    unsigned char *out = text->bytes + text->size, *const full = text->bytes + text->capacity;
    if (end - from >= LONG_TEXT) {
        place reached = long_take((place){from, out}, end, full);
        from = reached.from;
        out = reached.out;
    }
    for (;;) {
        size_t left = (size_t)(end - from);
        if (left < TS_BLOCK && (left == 0 || *from == '"')) {
            break;
        }
        if (full - out < TS_ROOM_SPARE) {
            return 0;
        }
        size_t plain = left < TS_BLOCK ? rest_copy(from, left, out) : block_copy(from, out);
        from += plain;
        out += plain;
        if (plain == TS_BLOCK) {
            continue;
        }
        if (from == end || *from == '"') {
            break;
        }
        if (*from == '\\' && end - from > 1 && ts_simple_escapes[from[1]] != 0) {
            *out++ = ts_simple_escapes[from[1]];
            from += 2;
        } else {
            /* What was plain of the block has taken some of the room. */
            size_t written = 0, has_room = full - out >= TS_ROOM_SPARE;
            size_t read = has_room ? odd_decode(from, (size_t)(end - from), out, &written) : 0;
            if (read == 0) {
                return 0;
            }
            from += read;
            out += written;
        }
    }
    *at = (size_t)(from - data);
    text->size = (size_t)(out - text->bytes);
    return 1;
}
