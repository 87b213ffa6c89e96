/* The search for markers in text that comes in pieces, as CPython types: `cursor.CffiMarkers` and `cursor.CffiText` without
 * a cffi call for each piece, and without a copy of it. */
#include "native.h"

/* ------------------------------------------------------------------ Markers */

typedef struct markers {
    PyObject_HEAD
    ts_markers *automaton;
    PyObject *words;             /* tuple of str, by number */
} markers;

static int word_add(ts_markers *automaton, PyObject *word)
{
    if (!PyUnicode_Check(word)) {
        PyErr_SetString(PyExc_TypeError, "a marker is a str");
        return -1;
    }
    Py_UCS4 *codes = PyUnicode_AsUCS4Copy(word);
    if (codes == NULL) {
        return -1;
    }
    int status = ts_markers_add(automaton, codes, (size_t)PyUnicode_GET_LENGTH(word));
    PyMem_Free(codes);
    if (status == TS_ERR_MEMORY) {
        PyErr_NoMemory();
    } else if (status != TS_OK) {
        PyErr_Format(PyExc_ValueError, "a marker has 1 to %d characters", TS_MARKER_LONGEST);
    }
    return status == TS_OK ? 0 : -1;
}

static int words_build(ts_markers *automaton, PyObject *words)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(words); i++) {
        if (word_add(automaton, PyTuple_GET_ITEM(words, i)) < 0) {
            return -1;
        }
    }
    if (ts_markers_build(automaton) != TS_OK) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject *markers_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *words;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!", &PyTuple_Type, &words)) {
        return NULL;
    }
    ts_markers *automaton = ts_markers_new();
    if (automaton == NULL) {
        return PyErr_NoMemory();
    }
    markers *self = words_build(automaton, words) < 0 ? NULL : (markers *)type->tp_alloc(type, 0);
    if (self == NULL) {
        ts_markers_free(automaton);
        return NULL;
    }
    self->automaton = automaton;
    self->words = Py_NewRef(words);
    return (PyObject *)self;
}

static void markers_dealloc(markers *self)
{
    PyTypeObject *type = Py_TYPE(self);
    ts_markers_free(self->automaton);
    Py_CLEAR(self->words);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef markers_members[] = {
    {"words", T_OBJECT_EX, offsetof(markers, words), READONLY, "The markers."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot markers_slots[] = {
    {Py_tp_new, markers_new},
    {Py_tp_dealloc, markers_dealloc},
    {Py_tp_members, markers_members},
    {0, NULL},
};

PyType_Spec native_markers_spec = {
    .name = "toolstream._core._native.Markers",
    .basicsize = sizeof(markers),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = markers_slots,
};

/* ------------------------------------------------------------------ Text */

typedef struct text {
    PyObject_HEAD
    module_state *state;
    PyObject *text;              /* str: what has come, and is needed */
    Py_ssize_t at;               /* what is not read yet begins here */
    Py_ssize_t offset;           /* characters before those in text */
    Py_ssize_t scanned;
    char final;
    PyObject *wanted;            /* the markers of the last search, or NULL */
    Py_ssize_t place;            /* where in the whole text it has stopped */
    ts_search search;
} text;

/* The characters that are there; NULL, with an exception set, where they are no str or `at` is outside of them. */
static const char *text_data(text *self, Py_ssize_t *size, int *width)
{
    if (self->text == NULL || !PyUnicode_Check(self->text)) {
        PyErr_SetString(PyExc_TypeError, "text is a str");
        return NULL;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(self->text) < 0) {
        return NULL;
    }
#endif
    Py_ssize_t length = PyUnicode_GET_LENGTH(self->text);
    if (self->at < 0 || self->at > length) {
        PyErr_SetString(PyExc_IndexError, "at is outside of the text");
        return NULL;
    }
    *width = (int)PyUnicode_KIND(self->text);
    *size = length - self->at;
    return (const char *)PyUnicode_DATA(self->text) + self->at * *width;
}

static PyObject *text_take_until(text *self, PyObject *wanted)
{
    if (!PyObject_TypeCheck(wanted, self->state->markers_type)) {
        PyErr_SetString(PyExc_TypeError, "Markers are wanted");
        return NULL;
    }
    Py_ssize_t size;
    int width;
    const char *data = text_data(self, &size, &width);
    if (data == NULL) {
        return NULL;
    }
    if (self->wanted != wanted || self->place != self->offset + self->at) {
        memset(&self->search, 0, sizeof self->search);
        Py_XSETREF(self->wanted, Py_NewRef(wanted));
    }
    const markers *all = (const markers *)wanted;
    size_t end;
    int32_t found = ts_markers_find(all->automaton, &self->search, data, width, (size_t)size, self->final, &end);
    PyObject *before = PyUnicode_Substring(self->text, self->at, self->at + (Py_ssize_t)end);
    PyObject *marker = found < 0 ? PyUnicode_FromStringAndSize(NULL, 0) : Py_NewRef(PyTuple_GET_ITEM(all->words, found));
    PyObject *pair = before == NULL || marker == NULL ? NULL : PyTuple_Pack(2, before, marker);
    if (pair != NULL) {
        self->at += (Py_ssize_t)end + PyUnicode_GET_LENGTH(marker);
        self->scanned += (Py_ssize_t)self->search.looked;
        self->place = self->offset + self->at;
    }
    Py_XDECREF(before);
    Py_XDECREF(marker);
    return pair;
}

static void text_dealloc(text *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(self->text);
    Py_CLEAR(self->wanted);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef text_methods[] = {
    {"take_until", (PyCFunction)text_take_until, METH_O,
     "Reads what stands before the first of the markers, and that marker; or what holds none for sure, and \"\"."},
    {NULL, NULL, 0, NULL},
};

static PyObject *text_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    PyTypeObject *own = type; /* or a subclass, which has no module state */
    while (own->tp_methods != text_methods) {
        own = own->tp_base;
    }
    text *self = (text *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = (module_state *)PyType_GetModuleState(own);
        self->text = PyUnicode_FromStringAndSize(NULL, 0);
        if (self->text == NULL) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static PyMemberDef text_members[] = {
    {"text", T_OBJECT_EX, offsetof(text, text), 0, "What has come, and is needed."},
    {"at", T_PYSSIZET, offsetof(text, at), 0, "What is not read yet begins here."},
    {"offset", T_PYSSIZET, offsetof(text, offset), 0, "Characters of the whole text before those in text."},
    {"scanned", T_PYSSIZET, offsetof(text, scanned), 0, "Characters that searches have looked at."},
    {"final", T_BOOL, offsetof(text, final), 0, "No more text comes."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot text_slots[] = {
    {Py_tp_new, text_new},
    {Py_tp_dealloc, text_dealloc},
    {Py_tp_methods, text_methods},
    {Py_tp_members, text_members},
    {0, NULL},
};

PyType_Spec native_text_spec = {
    .name = "toolstream._core._native.Text",
    .basicsize = sizeof(text),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = text_slots,
};
