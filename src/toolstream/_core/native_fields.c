/* The hot calls of the JSON layer as a CPython type, over the same C core that cffi binds.
 *
 * A cffi call costs as much as scanning a few hundred bytes, and reading its records from Python costs more; here a
 * fragment goes from bytes to event objects in one call. `fields.py` beside this folder is the same in Python over cffi,
 * for interpreters without this extension: what one does, the other does, and one test suite runs over both.
 *
 * Holds the GIL except while it scans a large fragment; `busy` keeps a second thread and re-entrant calls out.
 */
#include "native.h"

/* Fragments from this size on are scanned without the GIL. */
#define RELEASE_FROM 32768

void native_raise_busy(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "the parser is in use: another thread, or a call from inside it, is feeding or reading it");
}

static TS_NOINLINE int refuse(fields *self)
{
    if (self->busy) {
        native_raise_busy();
    } else {
        PyErr_SetString(PyExc_RuntimeError, "the parser was not initialised");
    }
    return -1;
}

static inline int enter(fields *self)
{
    if (self->busy || self->scanner == NULL) {
        return refuse(self);
    }
    self->busy = 1;
    return 0;
}

static int scan(fields *self, const char *data, size_t size)
{
    if (size < RELEASE_FROM) {
        return ts_scanner_feed(self->scanner, data, size);
    }
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = ts_scanner_feed(self->scanner, data, size);
    Py_END_ALLOW_THREADS
    return status;
}

/* Takes a document that comes whole: orjson checks it, so the scanner need not. owner: a bytes or str object that holds the
 * text, or NULL. Answers 1 for done, 0 for a text that has to be scanned, -1 with an exception. */
static int take_whole(fields *self, const char *data, size_t size, PyObject *owner, PyObject *events)
{
    ts_outline outline;
    if (!ts_scanner_outline(self->scanner, data, size, &outline)) {
        return 0;
    }
    PyObject *text = owner != NULL ? Py_NewRef(owner)
                                   : PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)size, PyBUF_READ);
    PyObject *root = text == NULL ? NULL : PyObject_CallOneArg(self->state->loads, text);
    Py_XDECREF(text);
    if (root == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear(); /* the scanner finds the fault, or that it is none */
        return 0;
    }
    if (outline.reported && PyDict_GET_SIZE(root) != outline.members) {
        Py_DECREF(root); /* a repeated key, or an empty object */
        return 0;
    }
    if (ts_scanner_take(self->scanner, data, size, &outline) != TS_OK) {
        Py_DECREF(root);
        return 0;
    }
    Py_SETREF(self->root, root);
    return outline.reported && native_report_members(self, self->root, self->prefix, 0, events) < 0 ? -1 : 1;
}

/* Goes on behind a call of the core that has answered this status. Answers as take. */
static TS_NOINLINE int take_on(fields *self, int status, const char *data, size_t size, PyObject *events)
{
    while (status != TS_OK) {
        if (native_build(self, events) < 0 || (self->view->report_count != 0 && native_report(self, events) < 0)) {
            return 1;
        }
        if (status != TS_PAUSED) {
            return status < 0 ? status : TS_OK;
        }
        data += self->view->consumed;
        size -= (size_t)self->view->consumed;
        status = scan(self, data, size);
    }
    return TS_OK;
}

/* Feeds all of data, which may be long. */
static TS_NOINLINE int take_long(fields *self, const char *data, size_t size, PyObject *owner, PyObject *events)
{
    if (self->view->offset == 0) {
        int whole = take_whole(self, data, size, owner, events);
        if (whole != 0) {
            return whole < 0 ? 1 : TS_OK;
        }
    }
    return take_on(self, scan(self, data, size), data, size, events);
}

/* Feeds all of data. owner: as for take_whole. Answers TS_OK, a negative status of the core, or 1 with a Python exception
 * set. */
static inline int take(fields *self, const char *data, size_t size, PyObject *owner, PyObject *events)
{
    if (size >= WHOLE_FROM) {
        return take_long(self, data, size, owner, events);
    }
    int status = ts_scanner_feed(self->scanner, data, size);
    return status == TS_OK ? TS_OK : take_on(self, status, data, size, events);
}

static int take_buffer(fields *self, PyObject *data, PyObject *events)
{
    Py_buffer buffer;
    if (PyMemoryView_Check(data) && !PyBuffer_IsContiguous(PyMemoryView_GET_BUFFER(data), 'C')) {
        PyObject *bytes = PyObject_CallMethod(data, "tobytes", NULL);
        int status = bytes == NULL ? 1 : take_buffer(self, bytes, events);
        Py_XDECREF(bytes);
        return status;
    }
    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_BufferError)) {
            PyErr_Format(PyExc_TypeError, "feed takes str, bytes, bytearray or memoryview, not %.100s",
                         Py_TYPE(data)->tp_name);
        }
        return 1;
    }
    int status = take(self, (const char *)buffer.buf, (size_t)buffer.len, NULL, events);
    PyBuffer_Release(&buffer);
    return status;
}

static TS_NOINLINE int take_other(fields *self, PyObject *data, PyObject *events)
{
    if (!PyUnicode_Check(data)) {
        return take_buffer(self, data, events);
    }
    /* Lone surrogates become bytes that the scanner refuses at their place. */
    PyObject *bytes = PyUnicode_AsEncodedString(data, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return 1;
    }
    int status = take(self, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), bytes, events);
    Py_DECREF(bytes);
    return status;
}

static inline int take_any(fields *self, PyObject *data, PyObject *events)
{
    if (PyBytes_CheckExact(data)) {
        return take(self, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), data, events);
    }
    if (PyUnicode_Check(data) && PyUnicode_IS_COMPACT_ASCII(data)) {
        return take(self, (const char *)PyUnicode_DATA(data), (size_t)PyUnicode_GET_LENGTH(data), data, events);
    }
    return take_other(self, data, events);
}

static int raise_fault(PyObject *fault)
{
    PyErr_SetObject((PyObject *)Py_TYPE(fault), fault);
    return -1;
}

/* Raises the exception that ended this parser, anew. */
static TS_NOINLINE int raise_again(fields *self, PyObject *events)
{
    PyObject *fault = PyObject_CallMethodObjArgs((PyObject *)self, self->state->names[NAME_FAIL], Py_None, events, NULL);
    if (fault != NULL) {
        raise_fault(fault);
        Py_DECREF(fault);
    }
    return -1;
}

/* Makes and raises the exception for a status of the core. */
static TS_NOINLINE int raise_status(fields *self, int status, PyObject *events)
{
    PyObject *code = PyLong_FromLong(status);
    PyObject *fault =
        code == NULL ? NULL : PyObject_CallMethodObjArgs((PyObject *)self, self->state->names[NAME_FAIL], code, events, NULL);
    Py_XDECREF(code);
    if (fault != NULL) {
        raise_fault(fault);
        Py_DECREF(fault);
    }
    return -1;
}

/* The end of a call that has taken data: what take has answered, as 0 or -1. */
static inline int leave(fields *self, int status, PyObject *events)
{
    self->busy = 0;
    if (status < 0) {
        return raise_status(self, status, events);
    }
    return status == TS_OK ? 0 : -1;
}

static inline int feed_into(fields *self, PyObject *data, PyObject *events)
{
    if (enter(self) < 0) {
        return -1;
    }
    if (self->fault != Py_None) {
        self->busy = 0;
        return raise_again(self, events);
    }
    return leave(self, take_any(self, data, events), events);
}

int native_feed(fields *self, const char *data, size_t size, PyObject *events)
{
    if (enter(self) < 0) {
        return -1;
    }
    return leave(self, take(self, data, size, NULL, events), events);
}

int native_feed_on(fields *self, int status, const char *data, size_t size, PyObject *events)
{
    self->busy = 1;
    return leave(self, take_on(self, status, data, size, events), events);
}

static TS_NOINLINE PyObject *list_new(fields *self)
{
    PyObject *list = PyList_New(0);
    if (list != NULL) {
        Py_XSETREF(self->spare[0], self->spare[1]);
        self->spare[1] = Py_NewRef(list);
    }
    return list;
}

/* An empty list. Most fragments complete nothing, and most callers look at the answer and drop it: one that nobody else
 * holds any more is used again. */
static inline PyObject *list_begin(fields *self)
{
    for (int i = 0; i < SPARE_LISTS; i++) {
        PyObject *list = self->spare[i];
        if (list != NULL && Py_REFCNT(list) == 1 && PyList_GET_SIZE(list) == 0) {
            return Py_NewRef(list);
        }
    }
    return list_new(self);
}

/* A list that holds events is its caller's alone. */
static void list_end(fields *self, PyObject *list)
{
    for (int i = 0; i < SPARE_LISTS; i++) {
        if (self->spare[i] == list) {
            Py_CLEAR(self->spare[i]);
        }
    }
}

/* The answer of a call of feed. */
static TS_NOINLINE PyObject *feed_answer(fields *self, int status, PyObject *events)
{
    if (PyList_GET_SIZE(events) != 0) {
        list_end(self, events);
    }
    if (status < 0) {
        Py_CLEAR(events);
    }
    return events;
}

static TS_NOINLINE PyObject *feed_any(fields *self, PyObject *data, PyObject *events)
{
    return events == NULL ? NULL : feed_answer(self, feed_into(self, data, events), events);
}

static TS_NOINLINE PyObject *feed_on(fields *self, int status, PyObject *data, PyObject *events)
{
    if (self->fault != Py_None) { /* so the core has taken nothing */
        return feed_any(self, data, events);
    }
    status = native_feed_on(self, status, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), events);
    return feed_answer(self, status, events);
}

/* A few bytes go to the core at once, which has nothing to tell of most. */
static PyObject *fields_feed(fields *self, PyObject *data)
{
    PyObject *events = list_begin(self);
    if (events == NULL || !PyBytes_CheckExact(data) || PyBytes_GET_SIZE(data) >= WHOLE_FROM || self->busy ||
        self->scanner == NULL) {
        return feed_any(self, data, events);
    }
    int status = ts_scanner_feed(self->scanner, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
    return status == TS_OK ? events : feed_on(self, status, data, events);
}

static PyObject *fields_feed_into(fields *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "feed_into takes data and a list");
        return NULL;
    }
    if (feed_into(self, args[0], args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *fields_settle(fields *self, PyObject *unused)
{
    (void)unused;
    if (!self->busy && self->view != NULL && !self->view->unsettled) {
        Py_RETURN_NONE;
    }
    if (enter(self) < 0) {
        return NULL;
    }
    int status = ts_scanner_settle(self->scanner);
    status = status == TS_ERR_MEMORY ? (PyErr_NoMemory(), -1) : native_build(self, NULL);
    self->busy = 0;
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *fields_finish(fields *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    self->busy = 0;
    return PyLong_FromLong(ts_scanner_finish(self->scanner));
}

/* Whether a str says the same as these bytes. Answers -1 with an exception. */
static int says(PyObject *string, const char *bytes, Py_ssize_t size)
{
    if (PyUnicode_IS_COMPACT_ASCII(string)) {
        return PyUnicode_GET_LENGTH(string) == size && (size == 0 || memcmp(PyUnicode_DATA(string), bytes, (size_t)size) == 0);
    }
    if (PyUnicode_GET_LENGTH(string) > size) {
        return 0;
    }
    PyObject *other = PyUnicode_DecodeUTF8(bytes, size, NULL); /* a fraction of what encoding the str takes */
    if (other == NULL) {
        int is_broken = PyErr_ExceptionMatches(PyExc_UnicodeDecodeError); /* inside a character, say */
        if (is_broken) {
            PyErr_Clear();
        }
        return is_broken ? 0 : -1;
    }
    int is_same = PyUnicode_Compare(string, other) == 0;
    Py_DECREF(other);
    return is_same;
}

static PyObject *fields_holds(fields *self, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a str is wanted");
        return NULL;
    }
    if (enter(self) < 0) {
        return NULL;
    }
    ts_bytes kept = native_kept_text(self);
    int is_same = says(text, kept.data, (Py_ssize_t)kept.size);
    self->busy = 0;
    return is_same < 0 ? NULL : PyBool_FromLong(is_same);
}

/* ------------------------------------------------------------------ the type */

static void set_scanner(fields *self, ts_scanner *scanner)
{
    const ts_options *options = ts_scanner_options(scanner);
    int64_t depth = options->implied ? options->depth : 0;
    ts_scanner_free(self->scanner);
    self->scanner = scanner;
    self->view = ts_scanner_view(scanner);
    self->depth = depth < 0 || depth > INT32_MAX ? INT32_MAX : (uint32_t)depth;
}

/* Makes the scanner. The options are given by their address; what they point to must outlive this object. */
static PyObject *fields_start(fields *self, PyObject *address)
{
    const ts_options *options = (const ts_options *)PyLong_AsVoidPtr(address);
    ts_scanner *scanner = options == NULL ? NULL : ts_scanner_new(options);
    if (scanner == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    set_scanner(self, scanner);
    Py_RETURN_NONE;
}

/* Takes over a scanner, as an address: the one that cffi made belongs to this object from here on. */
static PyObject *fields_adopt(fields *self, PyObject *address)
{
    void *scanner = PyLong_AsVoidPtr(address);
    if (scanner == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    set_scanner(self, (ts_scanner *)scanner);
    Py_RETURN_NONE;
}

static int fields_traverse(fields *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->call);
    Py_VISIT(self->root);
    for (uint32_t i = 0; i + 1 < self->open_count; i++) {
        Py_VISIT(self->open[i].container);
        Py_VISIT(self->open[i].place);
    }
    Py_VISIT(self->prefix);
    for (uint32_t i = 0; i < self->along_count; i++) {
        Py_VISIT(self->along[i]);
    }
    Py_VISIT(self->string_path);
    Py_VISIT(self->fault);
    for (int i = 0; i < SPARE_LISTS; i++) {
        Py_VISIT(self->spare[i]);
    }
    return 0;
}

static PyObject *fields_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    PyTypeObject *own = type; /* or a subclass, which has no module state */
    while (own->tp_traverse != (traverseproc)fields_traverse) {
        own = own->tp_base;
    }
    fields *self = (fields *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = (module_state *)PyType_GetModuleState(own);
    self->call = Py_NewRef(Py_None);
    self->root = Py_NewRef(Py_None);
    self->fault = Py_NewRef(Py_None);
    self->prefix = PyTuple_New(0);
    self->string_path = PyTuple_New(0);
    if (self->prefix == NULL || self->string_path == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Forgets the open containers, and those along the prefix. */
static void stacks_clear(fields *self)
{
    while (self->open_count != 0) {
        native_pop(self);
    }
    while (self->along_count != 0) {
        self->along_count--;
        Py_DECREF(self->along[self->along_count]);
    }
    PyMem_Free(self->open);
    PyMem_Free(self->along);
    self->open = NULL;
    self->along = NULL;
    self->open_capacity = 0;
    self->along_capacity = 0;
}

static int fields_clear(fields *self)
{
    stacks_clear(self);
    Py_CLEAR(self->call);
    Py_CLEAR(self->root);
    Py_CLEAR(self->prefix);
    Py_CLEAR(self->string_path);
    Py_CLEAR(self->fault);
    for (int i = 0; i < SPARE_LISTS; i++) {
        Py_CLEAR(self->spare[i]);
    }
    ts_scanner_free(self->scanner); /* what owns its options may be gone, too */
    self->scanner = NULL;
    self->view = NULL;
    return 0;
}

static void fields_dealloc(fields *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    fields_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *fields_address(fields *self, void *unused)
{
    (void)unused;
    return PyLong_FromVoidPtr(self->scanner);
}

static PyObject *fields_complete(fields *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(self->view != NULL && self->view->complete);
}

static PyObject *fields_value(fields *self, void *unused)
{
    (void)unused;
    if (self->busy || self->view == NULL || self->view->unsettled) {
        PyObject *settled = fields_settle(self, NULL);
        Py_XDECREF(settled);
        if (settled == NULL) {
            return NULL;
        }
    }
    return Py_NewRef(self->root);
}

static PyObject *fields_open(fields *self, void *unused)
{
    (void)unused;
    PyObject *list = PyList_New(self->open_count);
    for (uint32_t i = 0; list != NULL && i < self->open_count; i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(i == 0 ? self->root : self->open[i - 1].container));
    }
    return list;
}

static PyObject *fields_places(fields *self, void *unused)
{
    (void)unused;
    Py_ssize_t count = self->open_count == 0 ? 0 : (Py_ssize_t)self->open_count - 1;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *place = self->open[i].place;
        Py_ssize_t last = PyTuple_CheckExact(place) ? PyTuple_GET_SIZE(place) - 1 : -1;
        PyList_SET_ITEM(list, i, Py_NewRef(last < 0 ? place : PyTuple_GET_ITEM(place, last)));
    }
    return list;
}

/* These three leave nobody time to feed meanwhile, as a call of the core through cffi would. */

static PyObject *fields_where(fields *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    PyObject *list = fields_places(self, NULL);
    if (list != NULL && ts_scanner_where(self->scanner) == TS_ERR_MEMORY) {
        Py_CLEAR(list);
        PyErr_NoMemory();
    }
    for (size_t i = 0; list != NULL && i < (size_t)self->view->report_count; i++) {
        PyObject *place = native_place(self, &self->view->reports[i]);
        if (place == NULL || PyList_Append(list, place) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(place);
    }
    self->busy = 0;
    return list;
}

static PyObject *fields_slice(fields *self, PyObject *args)
{
    Py_ssize_t start, end;
    if (!PyArg_ParseTuple(args, "nn", &start, &end) || enter(self) < 0) {
        return NULL;
    }
    Py_ssize_t size = (Py_ssize_t)self->view->text_size;
    end = end < size ? end : size;
    PyObject *slice = start < 0 || start >= end ? PyBytes_FromStringAndSize(NULL, 0)
                                                : PyBytes_FromStringAndSize((const char *)self->view->text + start, end - start);
    self->busy = 0;
    return slice;
}

static PyObject *fields_saved(fields *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    size_t size = ts_scanner_save(self->scanner, NULL, 0);
    PyObject *saved = size == 0 ? PyErr_NoMemory() : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (saved != NULL) {
        ts_scanner_save(self->scanner, (unsigned char *)PyBytes_AS_STRING(saved), size);
    }
    self->busy = 0;
    return saved;
}

/* The path of the innermost open container that a report may name. */
static PyObject *fields_prefix(fields *self, void *unused)
{
    (void)unused;
    for (uint32_t i = self->depth == 0 || self->open_count == 0 ? 0 : self->open_count - 1; i > 0; i--) {
        if (PyTuple_CheckExact(self->open[i - 1].place)) {
            return Py_NewRef(self->open[i - 1].place);
        }
    }
    return Py_NewRef(self->prefix);
}

/* The live value of a parser that was saved, whose scanner is here already. */
static PyObject *fields_set_live(fields *self, PyObject *args)
{
    PyObject *root, *open, *places, *prefix;
    if (!PyArg_ParseTuple(args, "OO!O!O!", &root, &PyList_Type, &open, &PyTuple_Type, &places, &PyTuple_Type, &prefix)) {
        return NULL;
    }
    Py_ssize_t count = PyList_GET_SIZE(open);
    if (count > UINT32_MAX / 2 || PyTuple_GET_SIZE(places) != (count == 0 ? 0 : count - 1)) {
        PyErr_SetString(PyExc_ValueError, "the saved state of a parser is damaged, or of another version");
        return NULL;
    }
    stacks_clear(self);
    Py_SETREF(self->root, Py_NewRef(root));
    if (self->depth == 0) {
        Py_SETREF(self->prefix, Py_NewRef(prefix));
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *place = i == 0 ? NULL : native_open_place(self, Py_NewRef(PyTuple_GET_ITEM(places, i - 1)));
        if ((i != 0 && place == NULL) || native_push(self, PyList_GET_ITEM(open, i), place) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *fields_sizeof(fields *self, PyObject *unused)
{
    (void)unused;
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + (self->scanner == NULL ? 0 : ts_scanner_size(self->scanner));
    size += self->open_capacity * sizeof *self->open + self->along_capacity * sizeof *self->along;
    return PyLong_FromSize_t(size);
}

static PyMethodDef fields_methods[] = {
    {"__sizeof__", (PyCFunction)fields_sizeof, METH_NOARGS, "Bytes of memory, the scanner's included."},
    {"feed", (PyCFunction)fields_feed, METH_O,
     "feed($self, data, /)\n--\n\n"
     "Takes a fragment, which may end anywhere, and returns the events that it completes.\n\n"
     "Raises JSONError (with `events`: what came before the fault), DuplicateKeyError, LimitError, TypeError for\n"
     "other data, RuntimeError where another thread is inside."},
    {"feed_into", (PyCFunction)(void (*)(void))fields_feed_into, METH_FASTCALL,
     "feed_into($self, data, events, /)\n--\n\nAs feed, but appends to a list."},
    {"_settle", (PyCFunction)fields_settle, METH_NOARGS, "Brings the live value up to date."},
    {"_finish", (PyCFunction)fields_finish, METH_NOARGS, "The text has ended: answers the core's status."},
    {"holds", (PyCFunction)fields_holds, METH_O, "Whether this is all the text so far (with keep_text)."},
    {"_where", (PyCFunction)fields_where, METH_NOARGS, "The steps from the root to where the stream stands."},
    {"_slice", (PyCFunction)fields_slice, METH_VARARGS, "_slice(start, end): bytes of the text that is still there."},
    {"_saved", (PyCFunction)fields_saved, METH_NOARGS, "The scanner's state as bytes. Settle first."},
    {"_start", (PyCFunction)fields_start, METH_O, "Makes the scanner with the options at an address."},
    {"_set_live", (PyCFunction)fields_set_live, METH_VARARGS, "_set_live(root, open, places, prefix): the saved ones."},
    {"_adopt", (PyCFunction)fields_adopt, METH_O, "Takes over the scanner at an address."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fields_getset[] = {
    {"_address", (getter)fields_address, NULL, "Where the scanner is.", NULL},
    {"complete", (getter)fields_complete, NULL, "The root value is final.", NULL},
    {"_open", (getter)fields_open, NULL, "The containers in the live value that have not ended.", NULL},
    {"_places", (getter)fields_places, NULL, "Where each but the root stands in the one before.", NULL},
    {"_prefix", (getter)fields_prefix, NULL, "The path of the container that the reports are in.", NULL},
    {"value", (getter)fields_value, NULL, "All that is final so far, then the final value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef fields_members[] = {
    OBJECT_MEMBER(fields, "call", call),
    {"_root", T_OBJECT_EX, offsetof(fields, root), READONLY, "The live value, as far as it was built."},
    OBJECT_MEMBER(fields, "_string_path", string_path),
    OBJECT_MEMBER(fields, "_fault", fault),
    {"_closed", T_BOOL, offsetof(fields, closed), 0, "Nothing more may be fed."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot fields_slots[] = {
    {Py_tp_new, fields_new},
    {Py_tp_dealloc, fields_dealloc},
    {Py_tp_traverse, fields_traverse},
    {Py_tp_clear, fields_clear},
    {Py_tp_methods, fields_methods},
    {Py_tp_getset, fields_getset},
    {Py_tp_members, fields_members},
    {0, NULL},
};

PyType_Spec native_fields_spec = {
    .name = "toolstream._core._native.Fields",
    .basicsize = sizeof(fields),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = fields_slots,
};
