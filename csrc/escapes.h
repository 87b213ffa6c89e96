/* The simple escapes of JSON strings (RFC 8259, section 7), decoded together with what is plain around them. */
#ifndef TS_ESCAPES_H
#define TS_ESCAPES_H

#include "plain.h"

/* The character of a simple escape by its letter; 0: there is none. */
static const unsigned char ts_simple_escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* Decodes a block's plain characters and simple escapes, up to the first byte that is neither; *written: to how many. A block
 * more must be readable behind it, and room for two at out: all is copied by the block, and what is too much is written over.
 * Answers the bytes read, one more than a block's where an escape ends behind it. */
static inline size_t ts_block_decode(const unsigned char *from, unsigned char *out, size_t *written)
{
    uint64_t odd = ts_odd_bytes(from); /* of the whole block: a look behind each escape would have to wait for its end */
    size_t at = 0, to = 0;
    memcpy(out, from, TS_BLOCK);
    while (odd != 0) {
        size_t next = ts_lowest_bit(odd) / TS_ODD_BITS;
        unsigned char c = ts_simple_escapes[from[next + 1]];
        to += next - at;
        at = next;
        if (from[at] != '\\' || c == 0) {
            *written = to;
            return at;
        }
        out[to++] = c;
        at += 2;
        if (at >= TS_BLOCK) {
            *written = to;
            return at;
        }
        memcpy(out + to, from + at, TS_BLOCK);
        odd &= UINT64_MAX << (at * TS_ODD_BITS);
    }
    *written = to + (TS_BLOCK - at);
    return TS_BLOCK;
}

#endif
