/* Valid JSON text to Python objects, for runs so short that a call of orjson costs more than what it parses.
 *
 * Trusts the scanner: the text is valid, no deeper than TS_RUN_DEPTH, and TS_BLOCK bytes behind its end are readable.
 * Guarantees json.loads's values. What is rare (escapes, long or odd numbers) goes through `values.py`.
 */
#include "native.h"

#include <float.h>

#include "plain.h"

/* Digits that fit a signed 64-bit integer whatever they are. */
#define SAFE_DIGITS 18

/* An integer up to this is exact as a double, and so is a power of ten up to the one below. */
#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER 22

#define LONGEST_NUMBER 64

/* A container that is being read. path: its own, if its members may be events; the reference is owned. */
typedef struct level {
    PyObject *container;
    PyObject *path;
} level;

typedef struct reader {
    module_state *state;
    fields *parser;
    PyObject *events;
    const unsigned char *at;
    const unsigned char *end;
    int is_guessed;              /* whether a string that may be all the rest has been tried as that */
} reader;

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* ------------------------------------------------------------------ strings */

static PyObject *ascii_string(const unsigned char *text, Py_ssize_t size)
{
    PyObject *string = PyUnicode_New(size, 127);
    if (string != NULL) {
        memcpy(PyUnicode_DATA(string), text, (size_t)size);
    }
    return string;
}

/* Up to eight bytes of text as one number: TS_BLOCK bytes are readable. */
static uint64_t first_word(const unsigned char *text, Py_ssize_t size)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
#if PY_BIG_ENDIAN
    return size >= 8 ? word : word >> (8 * (8 - size));
#else
    return size >= 8 ? word : word & ((UINT64_C(1) << (8 * size)) - 1);
#endif
}

PyObject *native_key(module_state *state, const unsigned char *text, Py_ssize_t size)
{
    if (size == 0 || size > KEY_CACHE_LONGEST) {
        return PyUnicode_DecodeUTF8((const char *)text, size, NULL);
    }
    uint64_t word = first_word(text, size);
    uint64_t hash = (word ^ (uint64_t)size ^ ((uint64_t)text[size - 1] << 56)) * UINT64_C(0x9e3779b97f4a7c15);
    key_slot *slot = &state->keys[(size_t)(hash >> 32) % KEY_CACHE_SLOTS];
    if (slot->word == word && slot->size == size &&
        (size <= 8 || memcmp((const char *)PyUnicode_DATA(slot->key) + 8, text + 8, (size_t)size - 8) == 0)) {
        return Py_NewRef(slot->key);
    }
    PyObject *key = PyUnicode_DecodeUTF8((const char *)text, size, NULL);
    if (key != NULL && PyUnicode_IS_COMPACT_ASCII(key)) {
        slot->word = word;
        slot->size = size;
        Py_XSETREF(slot->key, Py_NewRef(key));
    }
    return key;
}

PyObject *native_shared(module_state *state, PyObject *text)
{
    unsigned char copy[KEY_CACHE_LONGEST + TS_BLOCK] = {0};
    if (!PyUnicode_CheckExact(text) || !PyUnicode_IS_COMPACT_ASCII(text) ||
        PyUnicode_GET_LENGTH(text) > KEY_CACHE_LONGEST) {
        return Py_NewRef(text);
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    memcpy(copy, PyUnicode_DATA(text), (size_t)size);
    return native_key(state, copy, size);
}

/* The closing quote of a string in which `at` is the first byte that is not plain. */
static const unsigned char *string_close(const unsigned char *at, const unsigned char *end, int *escaped)
{
    while (*at != '"') {
        if (*at == '\\') {
            *escaped = 1;
            at++;
        }
        at++;
        at += ts_plain_end(at, 0, (size_t)(end - at));
    }
    return at;
}

/* The string whose opening quote is at reader.at. */
static PyObject *read_string(reader *in, int is_key)
{
    const unsigned char *start = in->at + 1;
    const unsigned char *close = start + ts_plain_end(start, 0, (size_t)(in->end - start));
    if (*close == '"') {
        in->at = close + 1;
        return is_key ? native_key(in->state, start, close - start) : ascii_string(start, close - start);
    }
    if (!is_key && !in->is_guessed && in->end - start > TS_LONG_STRING && in->end[-1] == '"') {
        /* A long string is mostly a run by itself: then it need not be read twice to find its end. */
        in->is_guessed = 1;
        PyObject *string = native_long_string(start, in->end - 1 - start);
        if (string != NULL || PyErr_Occurred()) {
            in->at = in->end;
            return string;
        }
    }
    int escaped = 0;
    close = string_close(close, in->end, &escaped);
    in->at = close + 1;
    return native_string(in->state, (const char *)start, close - start, escaped);
}

/* ------------------------------------------------------------------ numbers */

/* A float that is neither short nor simple, or an integer that may not fit 64 bits. */
static PyObject *read_odd_number(reader *in, const unsigned char *start, int is_integer)
{
    char text[LONGEST_NUMBER];
    size_t size = (size_t)(in->at - start);
    if (size >= sizeof text) {
        PyObject *bytes = PyBytes_FromStringAndSize((const char *)start, (Py_ssize_t)size);
        PyObject *value = bytes == NULL ? NULL : PyObject_CallFunctionObjArgs(in->state->load, bytes, Py_True, NULL);
        Py_XDECREF(bytes);
        return value;
    }
    memcpy(text, start, size);
    text[size] = '\0';
    if (is_integer) {
        return PyLong_FromString(text, NULL, 10);
    }
    double value = PyOS_string_to_double(text, NULL, NULL);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

/* mantissa * 10 ** power, rounded once: both factors are exact (Clinger's fast path). */
static PyObject *exact_float(uint64_t mantissa, int power, int negative)
{
    static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value = (double)mantissa / powers[-power];
    return PyFloat_FromDouble(negative ? -value : value);
}

/* The number whose first byte is at reader.at. */
static PyObject *read_number(reader *in)
{
    const unsigned char *start = in->at, *at = start;
    int negative = *at == '-';
    at += negative;
    const unsigned char *first = at;
    uint64_t mantissa = 0;
    for (; is_digit(*at); at++) {
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    }
    Py_ssize_t digits = at - first;
    if (at >= in->end || (*at != '.' && (*at | 0x20) != 'e')) {
        in->at = at;
        if (digits > SAFE_DIGITS) {
            return read_odd_number(in, start, 1);
        }
        return PyLong_FromLongLong(negative ? -(long long)mantissa : (long long)mantissa);
    }
    const unsigned char *dot = at;
    if (*at == '.') {
        for (at++; is_digit(*at); at++) {
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        }
        digits += at - dot - 1;
    }
    int power = *dot == '.' && digits <= SAFE_DIGITS ? -(int)(at - dot - 1) : 0;
    int simple = (*at | 0x20) != 'e' && digits <= SAFE_DIGITS && mantissa <= EXACT_MANTISSA && FLT_EVAL_METHOD == 0;
    while (at < in->end && (is_digit(*at) || (*at | 0x20) == 'e' || *at == '+' || *at == '-')) {
        at++;
    }
    in->at = at;
    return simple ? exact_float(mantissa, power, negative) : read_odd_number(in, start, 0);
}

/* ------------------------------------------------------------------ members */

static PyObject *read_literal(reader *in)
{
    unsigned char c = *in->at;
    in->at += c == 'f' ? 5 : 4;
    return Py_NewRef(c == 't' ? Py_True : c == 'f' ? Py_False : Py_None);
}

/* The value at reader.at; a container is empty, and its members follow. */
static PyObject *read_value(reader *in)
{
    switch (*in->at) {
    case '"': return read_string(in, 0);
    case '{': in->at++; return PyDict_New();
    case '[': in->at++; return PyList_New(0);
    case 't': case 'f': case 'n': return read_literal(in);
    default: return read_number(in);
    }
}

/* Skips white space and a separator. The text is valid: behind a key there is a value. */
static inline void skip_colon(reader *in)
{
    const unsigned char *at = in->at;
    while (*at <= ' ' || *at == ':') {
        at++;
    }
    in->at = at;
}

static inline void skip_comma(reader *in)
{
    const unsigned char *at = in->at, *end = in->end;
    while (at < end && (*at <= ' ' || *at == ',')) {
        at++;
    }
    in->at = at;
}

/* Whether the members of a container are events. */
static int are_events(const reader *in, const level *around)
{
    return around->path != NULL && PyTuple_GET_SIZE(around->path) < (Py_ssize_t)in->parser->depth;
}

/* Adds a value, and the path that it then has if it is an event. Takes the reference to key, which is NULL for an element. */
static int add_value(const reader *in, const level *around, PyObject *key, PyObject *value, PyObject **path)
{
    PyObject *container = around->container;
    int status = key != NULL ? PyDict_SetItem(container, key, value) : PyList_Append(container, value);
    *path = NULL;
    if (status == 0 && are_events(in, around)) {
        *path = native_path(in->state, around->path, key != NULL ? key : PyLong_FromSsize_t(PyList_GET_SIZE(container) - 1));
        return *path == NULL ? -1 : 0;
    }
    Py_XDECREF(key);
    return status;
}

/* Reads a member or element. Answers 1 for a container, which is in `inner` then and whose members follow; 0 for any other
 * value; -1 with an exception. */
static int read_member(reader *in, const level *around, level *inner)
{
    PyObject *key = NULL, *path;
    if (PyDict_CheckExact(around->container)) {
        key = read_string(in, 1);
        if (key == NULL) {
            return -1;
        }
        skip_colon(in);
    }
    PyObject *value = read_value(in);
    if (value == NULL) {
        Py_XDECREF(key);
        return -1;
    }
    if (add_value(in, around, key, value, &path) < 0) {
        Py_DECREF(value);
        return -1;
    }
    if (PyDict_CheckExact(value) || PyList_CheckExact(value)) {
        *inner = (level){value, path};
        return 1;
    }
    if (path != NULL) {
        return native_complete(in->parser, path, value, in->events);
    }
    Py_DECREF(value);
    return 0;
}

/* The innermost container has ended. */
static int close_level(reader *in, level *ended)
{
    if (ended->path != NULL) {
        return native_complete(in->parser, ended->path, ended->container, in->events);
    }
    Py_DECREF(ended->container);
    return 0;
}

/* Reads all members into open[0] and what is nested in it. *depth: how many containers in open are owned. */
static int read_members(reader *in, level *open, size_t *depth)
{
    for (skip_comma(in); in->at < in->end; skip_comma(in)) {
        int status;
        if (*in->at == ']' || *in->at == '}') {
            in->at++;
            status = close_level(in, &open[(*depth)--]);
        } else {
            status = read_member(in, &open[*depth], &open[*depth + 1]);
            *depth += status > 0;
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int native_members(fields *self, PyObject *container, PyObject *path, const unsigned char *text, size_t size,
                   PyObject *events)
{
    /* Owned but for the first: Python code may run in between, and take them out of the live value. */
    level open[TS_RUN_DEPTH + 2];
    size_t depth = 0;
    reader in = {self->state, self, events, text, text + size, 0};
    open[0] = (level){container, path};
    int status = read_members(&in, open, &depth);
    for (; depth != 0; depth--) {
        Py_DECREF(open[depth].container);
        Py_XDECREF(open[depth].path);
    }
    return status;
}
