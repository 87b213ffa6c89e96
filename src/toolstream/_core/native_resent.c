/* Events that say a call's arguments once more, as up to three do at the end of a call of Responses: the text, which is
 * known, is put where the event has it, so that orjson need not decode it again. For long arguments that is most of what
 * such an event takes. Nothing else changes: what is unusual is read as any other event. */
#include "native_lane.h"

/* Shorter text is decoded in no time. */
#define RESENT_FROM 1024

/* Stands for the text while orjson reads the event. */
#define PLACEHOLDER "(resent by the server)"
#define PLACEHOLDER_SIZE ((Py_ssize_t)sizeof PLACEHOLDER - 1)

/* Containers around a text that is looked for. */
#define NESTED 16

/* The body of a string in JSON text, between its quotes. */
typedef struct body {
    const char *start;
    const char *end;
} body;

/* ------------------------------------------------------------------ the event's text */

/* The quote that ends a string, or NULL. */
static const char *closing_quote(const char *start, const char *end)
{
    const char *quote = start, *slash;
    while (start < end && (quote = memchr(start, '"', (size_t)(end - start))) != NULL) {
        for (slash = quote; slash > start && slash[-1] == '\\'; slash--) {
        }
        if ((quote - slash) % 2 == 0) {
            return quote;
        }
        start = quote + 1;
    }
    return NULL;
}

/* Finds the first string that says this text. room: as large as the text, and TS_ROOM_SPARE more. */
static int string_find(ts_bytes data, ts_bytes text, unsigned char *room, body *found)
{
    const char *at = data.data, *end = data.data + data.size;
    while ((size_t)(end - at) > text.size && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == text.data[0]) { /* a brace, mostly: few other strings begin so */
            ts_room said = {room, 0, text.size + TS_ROOM_SPARE};
            size_t size = 0;
            if (ts_text_take((const unsigned char *)at, (size_t)(end - at), &size, &said) && said.size == text.size &&
                at + size < end && memcmp(room, text.data, text.size) == 0) {
                *found = (body){at, at + size};
                return 1;
            }
        }
        at = closing_quote(at, end);
        if (at == NULL) {
            return 0;
        }
        at++;
    }
    return 0;
}

/* The event with the placeholder for the body of that string; NULL with an exception, or without one for no event. */
static PyObject *load_without(module_state *state, ts_bytes data, body left_out)
{
    Py_ssize_t before = left_out.start - data.data, behind = data.data + data.size - left_out.end;
    PyObject *text = PyBytes_FromStringAndSize(NULL, before + PLACEHOLDER_SIZE + behind);
    if (text == NULL) {
        return NULL;
    }
    char *out = PyBytes_AS_STRING(text);
    memcpy(out, data.data, (size_t)before);
    memcpy(out + before, PLACEHOLDER, (size_t)PLACEHOLDER_SIZE);
    memcpy(out + before + PLACEHOLDER_SIZE, left_out.end, (size_t)behind);
    PyObject *event = PyObject_CallOneArg(state->loads, text);
    Py_DECREF(text);
    if (event == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
    }
    return event;
}

/* ------------------------------------------------------------------ the event's value */

static int is_placeholder(PyObject *value)
{
    return PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == PLACEHOLDER_SIZE &&
           PyUnicode_IS_COMPACT_ASCII(value) && memcmp(PyUnicode_DATA(value), PLACEHOLDER, (size_t)PLACEHOLDER_SIZE) == 0;
}

/* A container, and how far its members have been looked at. */
typedef struct level {
    PyObject *container;
    Py_ssize_t at;
} level;

/* Borrowed: the next member's value and its key (NULL: it is an element). Answers 0 behind the last. */
static int next_member(level *in, PyObject **key, PyObject **value)
{
    *key = NULL;
    if (PyDict_CheckExact(in->container)) {
        return PyDict_Next(in->container, &in->at, key, value);
    }
    if (in->at >= PyList_GET_SIZE(in->container)) {
        return 0;
    }
    *value = PyList_GET_ITEM(in->container, in->at++);
    return 1;
}

/* Puts text in the place of the member that next_member gave last. Answers 0, or -1 with an exception. */
static int member_set(const level *in, PyObject *key, PyObject *text)
{
    return key != NULL ? PyDict_SetItem(in->container, key, text)
                       : PyList_SetItem(in->container, in->at - 1, Py_NewRef(text));
}

/* Puts text wherever the placeholder is. Answers how often that was, or -1 with an exception. */
static int placeholders_fill(PyObject *root, PyObject *text)
{
    level open[NESTED] = {{root, 0}};
    int filled = 0;
    for (int depth = 0; depth >= 0;) {
        PyObject *key, *value;
        if (!next_member(&open[depth], &key, &value)) {
            depth--;
        } else if (is_placeholder(value)) {
            if (member_set(&open[depth], key, text) < 0) {
                return -1;
            }
            filled++;
        } else if (depth + 1 < NESTED && (PyDict_CheckExact(value) || PyList_CheckExact(value))) {
            open[++depth] = (level){value, 0};
        }
    }
    return filled;
}

/* Reads data, in which a string says the text. Answers as native_load_resent. */
static PyObject *load_with(module_state *state, ts_bytes data, body found, ts_bytes text)
{
    PyObject *event = load_without(state, data, found);
    if (event == NULL || !PyDict_CheckExact(event)) {
        Py_XDECREF(event);
        return NULL;
    }
    PyObject *known = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, NULL);
    /* Not once: a member of that name came later, it lies deeper, or the event has such a string of its own. */
    if (known == NULL || placeholders_fill(event, known) != 1) {
        Py_CLEAR(event);
    }
    Py_XDECREF(known);
    return event;
}

PyObject *native_load_resent(lane *self, ts_bytes data)
{
    const fields *parser = self->latest;
    if (parser == NULL || parser->view == NULL || parser->busy) {
        return NULL;
    }
    ts_bytes text = native_kept_text(parser);
    if (text.size < RESENT_FROM || data.size <= text.size) {
        return NULL;
    }
    unsigned char *room = PyMem_Malloc(text.size + TS_ROOM_SPARE);
    if (room == NULL) {
        return PyErr_NoMemory();
    }
    body found;
    PyObject *event = string_find(data, text, room, &found) ? load_with(self->state, data, found, text) : NULL;
    PyMem_Free(room);
    return event;
}
