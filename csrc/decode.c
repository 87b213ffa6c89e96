/* The text of a JSON string without its escapes: valid UTF-8, or none where it needs a closer look. */
#include "internal.h"
#include "plain.h"

#include <string.h>

/* No more of a run of characters beyond ASCII are taken at once: they fit into a block's room. */
#define ODD_BYTES TS_BLOCK

/* Reads \uXXXX, or two that are a pair, at text[at]. Answers the bytes read; 0 where it is malformed or half a pair. */
static size_t unicode_escape(const unsigned char *text, size_t at, size_t end, uint32_t *code)
{
    uint32_t units[2] = {0, 0};
    size_t from = at;
    for (int i = 0; i < 2; i++) {
        if (end - at < 6 || text[at] != '\\' || text[at + 1] != 'u') {
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
            return at - from;
        }
    }
    if (units[0] > 0xdbff || units[1] < 0xdc00 || units[1] > 0xdfff) {
        return 0;
    }
    *code = 0x10000 + ((units[0] - 0xd800) << 10) + (units[1] - 0xdc00);
    return at - from;
}

/* The character of a simple escape, or 0. */
static unsigned char escaped_character(unsigned char c)
{
    switch (c) {
    case '"': case '\\': case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

int ts_text_decode(const unsigned char *text, size_t size, unsigned char *out, size_t *written)
{
    size_t at = 0, to = 0;
    while (at < size) {
        size_t run = ts_plain_prefix(text + at, size - at);
        run = run != 0 ? run : ts_utf8_prefix(text + at, size - at);
        if (run != 0) {
            memcpy(out + to, text + at, run);
            at += run;
            to += run;
            continue;
        }
        if (text[at] != '\\' || size - at < 2) {
            return 0; /* invalid UTF-8 */
        }
        unsigned char simple = escaped_character(text[at + 1]);
        if (simple != 0) {
            out[to++] = simple;
            at += 2;
            continue;
        }
        uint32_t code = 0;
        size_t read = unicode_escape(text, at, size, &code);
        if (read == 0) {
            return 0;
        }
        to += ts_utf8_write(out + to, code);
        at += read;
    }
    *written = to;
    return 1;
}

/* The character at data[*at], which is not plain and no quote. Answers 0 where it is none, or is not all there. */
static int take_odd(const unsigned char *data, size_t size, size_t *at, ts_room *text)
{
    unsigned char *out = text->bytes + text->size;
    size_t from = *at;
    if (data[from] >= 0x80) {
        size_t run = ts_utf8_prefix(data + from, size - from < ODD_BYTES ? size - from : ODD_BYTES);
        memcpy(out, data + from, run);
        *at += run;
        text->size += run;
        return run != 0;
    }
    if (data[from] != '\\' || size - from < 2) {
        return 0;
    }
    unsigned char simple = escaped_character(data[from + 1]);
    if (simple != 0) {
        out[0] = simple;
        *at += 2;
        text->size++;
        return 1;
    }
    uint32_t code = 0;
    size_t read = unicode_escape(data, from, size, &code);
    *at += read;
    text->size += read != 0 ? ts_utf8_write(out, code) : 0;
    return read != 0;
}

int ts_text_take(const unsigned char *data, size_t size, size_t *at, ts_room *text)
{
    unsigned char tail[TS_BLOCK];
    while (*at < size && data[*at] != '"' && text->capacity - text->size >= TS_BLOCK) {
        if (!ts_is_plain(data[*at])) {
            if (!take_odd(data, size, at, text)) {
                return 0;
            }
            continue;
        }
        const unsigned char *block = data + *at;
        if (size - *at < TS_BLOCK) {
            memset(tail, 0, sizeof tail); /* which is not plain */
            memcpy(tail, block, size - *at);
            block = tail;
        }
        memcpy(text->bytes + text->size, block, TS_BLOCK);
        size_t plain = ts_plain_block(block);
        *at += plain;
        text->size += plain;
    }
    return *at < size && data[*at] == '"';
}
