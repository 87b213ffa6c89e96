/* The end of plain string content in memory of which no byte outside may be read. See plain.h. */
#include "toolstream.h"

#include "plain.h"

size_t ts_plain_prefix_portable(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (size - at >= 8 && ts_plain_word(data + at)) {
        at += 8;
    }
    while (at < size && ts_is_plain(data[at])) {
        at++;
    }
    return at;
}

size_t ts_plain_prefix(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (size - at >= TS_BLOCK) {
        size_t plain = ts_plain_block(data + at);
        at += plain;
        if (plain != TS_BLOCK) {
            return at;
        }
    }
    return at + ts_plain_prefix_portable(data + at, size - at);
}
