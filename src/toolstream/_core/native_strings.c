/* Text to str: short text, most of which is ASCII; and the body of a JSON string that is so long that no copy may be made
 * on the way: its characters are written where they belong at once.
 *
 * Trusts the scanner: the body is valid, and TS_BLOCK bytes behind its end are readable. Guarantees json.loads's values.
 */
#include "native.h"

#include "escapes.h"

/* Text of so many bytes is looked at before Python's decoder is asked. */
#define SHORT_TEXT 256

/* More than any character. */
#define NO_CHARACTER 0xffffffffu

static int is_ascii(const char *text, size_t size)
{
    uint64_t all = 0, word = 0;
    if (size >= 8) { /* whole words, the last of which may overlap the one before */
        for (size_t at = 0; at < size - 8; at += 8) {
            memcpy(&word, text + at, 8);
            all |= word;
        }
        memcpy(&word, text + size - 8, 8);
    } else {
        ts_copy((unsigned char *)&word, text, size);
    }
    return ((all | word) & TS_HIGHS) == 0;
}

PyObject *native_utf8(const char *text, Py_ssize_t size)
{
    if (size < 2 || size > SHORT_TEXT || !is_ascii(text, (size_t)size)) {
        return PyUnicode_DecodeUTF8(text, size, NULL); /* which knows the few strings that there is one of */
    }
    PyObject *string = PyUnicode_New(size, 127);
    if (string != NULL) {
        ts_copy((unsigned char *)PyUnicode_DATA(string), text, (size_t)size);
    }
    return string;
}

typedef struct reader {
    const unsigned char *at;
    const unsigned char *end;
} reader;

static Py_UCS4 hex_digits(const unsigned char *text)
{
    Py_UCS4 code = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = text[i];
        code = (code << 4) | (Py_UCS4)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* The character of \uXXXX, or of two that are a pair, behind the 'u'. */
static Py_UCS4 read_unicode(reader *in)
{
    Py_UCS4 high = hex_digits(in->at);
    in->at += 4;
    if (high < 0xd800 || high > 0xdbff || in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u') {
        return high;
    }
    Py_UCS4 low = hex_digits(in->at + 2);
    if (low < 0xdc00 || low > 0xdfff) {
        return high;
    }
    in->at += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* The character of an escape, behind the backslash. */
static Py_UCS4 read_escape(reader *in)
{
    unsigned char c = *in->at++;
    return c == 'u' ? read_unicode(in) : ts_simple_escapes[c];
}

/* A character that is no plain one. */
static Py_UCS4 read_character(reader *in)
{
    unsigned char c = *in->at++;
    if (c == '\\') {
        return read_escape(in);
    }
    if (c < 0x80) {
        return c; /* DEL */
    }
    int more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    Py_UCS4 code = c & (0x3fu >> more);
    for (; more > 0; more--) {
        code = (code << 6) | (*in->at++ & 0x3fu);
    }
    return code;
}

/* How many plain characters come next. */
static Py_ssize_t plain_run(const reader *in)
{
    return in->at == in->end ? 0 : (Py_ssize_t)ts_plain_end(in->at, 0, (size_t)(in->end - in->at));
}

static unsigned char highest_byte(const unsigned char *data, Py_ssize_t size)
{
    unsigned char highest = 0;
    Py_ssize_t at = 0;
#if defined(TS_SSE2)
    __m128i all = _mm_setzero_si128();
    for (; size - at >= 16; at += 16) {
        all = _mm_max_epu8(all, _mm_loadu_si128((const __m128i *)(const void *)(data + at)));
    }
    unsigned char lanes[16];
    _mm_storeu_si128((__m128i *)(void *)lanes, all);
    for (int i = 0; i < 16; i++) {
        highest = lanes[i] > highest ? lanes[i] : highest;
    }
#endif
    for (; at < size; at++) {
        highest = data[at] > highest ? data[at] : highest;
    }
    return highest;
}

/* ------------------------------------------------------------------ writing
 *
 * Both answer how many characters they have written; -1 where one is wider than the string's, or a quote stands in it. */

/* What the text has by the block is copied or decoded by the block, and what is too much of one is written over: out is as long
 * as the text. */
static Py_ssize_t write_narrow(Py_UCS1 *out, Py_UCS4 widest, reader in)
{
    Py_UCS1 *const start = out;
    while (in.at < in.end) {
        size_t read, written;
        if (in.end - in.at >= 2 * TS_BLOCK) {
            read = ts_block_decode(in.at, out, &written);
        } else {
            read = written = (size_t)plain_run(&in);
            memcpy(out, in.at, read);
        }
        in.at += read;
        out += written;
        if (read >= TS_BLOCK || in.at == in.end) {
            continue;
        }
        Py_UCS4 code = *in.at == '"' ? NO_CHARACTER : read_character(&in);
        if (code > widest) {
            return -1;
        }
        *out++ = (Py_UCS1)code;
    }
    return out - start;
}

static Py_ssize_t write_wide(PyObject *string, Py_UCS4 widest, reader in)
{
    int kind = (int)PyUnicode_KIND(string);
    void *data = PyUnicode_DATA(string);
    Py_ssize_t at = 0;
    while (in.at < in.end) {
        for (Py_ssize_t run = plain_run(&in); run > 0; run--) {
            PyUnicode_WRITE(kind, data, at, *in.at);
            at++;
            in.at++;
        }
        if (in.at < in.end) {
            Py_UCS4 code = *in.at == '"' ? NO_CHARACTER : read_character(&in);
            if (code > widest) {
                return -1;
            }
            PyUnicode_WRITE(kind, data, at, code);
            at++;
        }
    }
    return at;
}

/* The string, if all its characters are within widest, and one of them needs all of its width (or it is ASCII). */
static PyObject *string_of_width(const unsigned char *body, Py_ssize_t size, Py_ssize_t count, Py_UCS4 widest)
{
    PyObject *string = PyUnicode_New(count, widest);
    if (string == NULL) {
        return NULL;
    }
    reader in = {body, body + size};
    int is_narrow = widest < 256 && count == size;
    Py_ssize_t written = is_narrow ? write_narrow((Py_UCS1 *)PyUnicode_DATA(string), widest, in)
                                   : write_wide(string, widest, in);
    if (written < 0) {
        Py_CLEAR(string);
    } else if (written < count && PyUnicode_Resize(&string, written) < 0) {
        return NULL;
    }
    return string;
}

/* The widest character, and how many there are. Answers 0 where a quote stands among them. */
static int measure(reader in, Py_ssize_t *count, Py_UCS4 *widest)
{
    *count = 0;
    *widest = 127;
    while (in.at < in.end) {
        Py_ssize_t run = plain_run(&in);
        in.at += run;
        *count += run;
        if (in.at < in.end) {
            if (*in.at == '"') {
                return 0;
            }
            Py_UCS4 code = read_character(&in);
            *widest = code > *widest ? code : *widest;
            ++*count;
        }
    }
    return 1;
}

PyObject *native_long_string(const unsigned char *body, Py_ssize_t size)
{
    unsigned char highest = highest_byte(body, size);
    /* What stands there unescaped mostly tells the width; memory that is not written to costs nothing. */
    Py_UCS4 widest = highest < 0x80 ? 127 : highest < 0xc4 ? 255 : highest < 0xf0 ? 0xffff : 0x10ffff;
    PyObject *string = string_of_width(body, size, size, widest);
    Py_ssize_t count;
    if (string != NULL || PyErr_Occurred() || !measure((reader){body, body + size}, &count, &widest)) {
        return string;
    }
    return string_of_width(body, size, count, widest);
}
