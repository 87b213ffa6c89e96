/* Small parts of JSON strings that the scanner and the lane share: UTF-8 (RFC 3629) and hexadecimal digits. */
#include "internal.h"

unsigned ts_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* Writes a code point as UTF-8; lone surrogates as three bytes, so that different keys stay different. */
size_t ts_utf8_write(unsigned char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (unsigned char)(0xc0 | (code >> 6));
        out[1] = (unsigned char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (unsigned char)(0xe0 | (code >> 12));
        out[1] = (unsigned char)(0x80 | ((code >> 6) & 0x3f));
        out[2] = (unsigned char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (unsigned char)(0xf0 | (code >> 18));
    out[1] = (unsigned char)(0x80 | ((code >> 12) & 0x3f));
    out[2] = (unsigned char)(0x80 | ((code >> 6) & 0x3f));
    out[3] = (unsigned char)(0x80 | (code & 0x3f));
    return 4;
}

/* How many bytes of data are whole, valid multi-byte sequences (RFC 3629, table in section 4). */
size_t ts_utf8_prefix(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (size - at >= 2 && data[at] >= 0xc2) {
        unsigned char lead = data[at];
        unsigned char next = data[at + 1];
        size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (lead > 0xf4 || size - at < length || next < low || next > high) {
            break;
        }
        if ((length > 2 && (data[at + 2] & 0xc0) != 0x80) || (length > 3 && (data[at + 3] & 0xc0) != 0x80)) {
            break;
        }
        at += length;
    }
    return at;
}
