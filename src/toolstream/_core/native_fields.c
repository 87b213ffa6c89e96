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

/* A first fragment from this size on may be a whole document. */
#define WHOLE_FROM 64

/* Runs below this size are built here, without a call of orjson. */
#define ORJSON_FROM 512

/* Runs from this size on are parsed in place; below, a copy with brackets is cheaper. */
#define IN_PLACE_FROM 4096

/* ------------------------------------------------------------------ values */

/* values.load(text, exact); takes the reference to text. */
static PyObject *load_slowly(module_state *state, PyObject *text, int exact)
{
    PyObject *value = text == NULL ? NULL : PyObject_CallFunctionObjArgs(state->load, text, exact ? Py_True : Py_False, NULL);
    Py_XDECREF(text);
    return value;
}

static PyObject *load_text(module_state *state, PyObject *text, int exact)
{
    if (text == NULL || exact) {
        return load_slowly(state, text, exact);
    }
    PyObject *value = PyObject_CallOneArg(state->loads, text);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear(); /* lone surrogates, infinite floats: values.load knows */
        return load_slowly(state, text, 1);
    }
    Py_DECREF(text);
    return value;
}

/* The value of text[start .. end) with brackets around it. */
static PyObject *load_run(fields *self, int64_t start, int64_t end, char before, char after, int exact)
{
    Py_ssize_t size = (Py_ssize_t)(end - start);
    if (size < IN_PLACE_FROM) {
        PyObject *text = PyBytes_FromStringAndSize(NULL, size + 2);
        if (text != NULL) {
            char *out = PyBytes_AS_STRING(text);
            out[0] = before;
            memcpy(out + 1, self->view->text + start, (size_t)size);
            out[size + 1] = after;
        }
        return load_text(self->state, text, exact);
    }
    /* The bytes around a run are a comma, a bracket or spare: they lend their places for the time of the call. */
    char *run = (char *)(uintptr_t)(self->view->text + start);
    char was_before = run[-1], was_after = run[size];
    run[-1] = before;
    run[size] = after;
    PyObject *value = load_text(self->state, PyMemoryView_FromMemory(run - 1, size + 2, PyBUF_READ), exact);
    run[-1] = was_before;
    run[size] = was_after;
    return value;
}

PyObject *native_string(module_state *state, const char *body, Py_ssize_t size, int escaped)
{
    if (!escaped) {
        return PyUnicode_DecodeUTF8(body, size, NULL);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(body, size);
    PyObject *value = bytes == NULL ? NULL : PyObject_CallOneArg(state->load_string, bytes);
    Py_XDECREF(bytes);
    return value;
}

/* The str of text[start .. end), the body of a JSON string. */
static PyObject *read_string(fields *self, int64_t start, int64_t end, int escaped)
{
    return native_string(self->state, (const char *)self->view->text + start, (Py_ssize_t)(end - start), escaped);
}

static PyObject *read_place(fields *self, const ts_record *record)
{
    if (record->tag & TS_F_INDEX) {
        return PyLong_FromLongLong(record->a);
    }
    if (record->tag & TS_F_ESCAPED) {
        return read_string(self, record->a, record->b, 1);
    }
    return native_key(self->state, self->view->text + record->a, (Py_ssize_t)(record->b - record->a));
}

/* ------------------------------------------------------------------ building the live value */

/* New members or elements for the innermost open container. */
static int build_run(fields *self, const ts_record *record)
{
    PyObject *top = PyList_GET_ITEM(self->open, PyList_GET_SIZE(self->open) - 1);
    int is_dict = PyDict_CheckExact(top);
    if (record->b - record->a < ORJSON_FROM && !(record->tag & TS_F_EXACT)) {
        return native_members(self->state, top, self->view->text + record->a, (size_t)(record->b - record->a));
    }
    PyObject *run = load_run(self, record->a, record->b, is_dict ? '{' : '[', is_dict ? '}' : ']',
                             (record->tag & TS_F_EXACT) != 0);
    if (run == NULL) {
        return -1;
    }
    Py_ssize_t end = is_dict ? 0 : PyList_GET_SIZE(top);
    int status = is_dict ? PyDict_Update(top, run) : PyList_SetSlice(top, end, end, run);
    Py_DECREF(run);
    return status;
}

static int attach(PyObject *parent, PyObject *place, PyObject *child)
{
    return PyDict_CheckExact(parent) ? PyDict_SetItem(parent, place, child) : PyList_Append(parent, child);
}

static int build_push(fields *self, const ts_record *record)
{
    PyObject *child = record->tag & TS_F_ARRAY ? PyList_New(0) : PyDict_New();
    if (child == NULL) {
        return -1;
    }
    Py_ssize_t depth = PyList_GET_SIZE(self->open);
    int status = 0;
    if (depth == 0) {
        Py_INCREF(child);
        Py_SETREF(self->root, child);
    } else {
        PyObject *place = read_place(self, record);
        status = place == NULL || attach(PyList_GET_ITEM(self->open, depth - 1), place, child) < 0 ||
                         PyList_Append(self->places, place) < 0
                     ? -1
                     : 0;
        Py_XDECREF(place);
    }
    if (status == 0) {
        status = PyList_Append(self->open, child);
    }
    Py_DECREF(child);
    return status;
}

static void list_pop(PyObject *list)
{
    Py_ssize_t last = PyList_GET_SIZE(list) - 1;
    if (last >= 0) {
        PyObject *item = PyList_GET_ITEM(list, last);
        Py_SET_SIZE(list, last);
        Py_DECREF(item);
    }
}

static int build_root(fields *self, const ts_record *record)
{
    const char *start = (const char *)self->view->text + record->a;
    Py_ssize_t size = (Py_ssize_t)(record->b - record->a);
    /* orjson is slower to begin with a view than with bytes. */
    PyObject *text = size < IN_PLACE_FROM ? PyBytes_FromStringAndSize(start, size)
                                          : PyMemoryView_FromMemory((char *)(uintptr_t)start, size, PyBUF_READ);
    PyObject *root = load_text(self->state, text, (record->tag & TS_F_EXACT) != 0);
    if (root == NULL) {
        return -1;
    }
    Py_SETREF(self->root, root);
    return 0;
}

static int build(fields *self)
{
    for (int64_t i = 0; i < self->view->step_count; i++) {
        const ts_record *record = &self->view->steps[i];
        int status;
        switch (record->tag & 0xff) {
        case TS_RUN: status = build_run(self, record); break;
        case TS_PUSH: status = build_push(self, record); break;
        case TS_POP:
            list_pop(self->open);
            list_pop(self->places);
            status = 0;
            break;
        default: status = build_root(self, record); break;
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ reporting */

/* Borrowed: the value at place of a live container. */
static PyObject *look_up(PyObject *container, PyObject *place)
{
    PyObject *value;
    if (PyDict_CheckExact(container)) {
        value = PyDict_GetItemWithError(container, place);
        if (value == NULL && !PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, place);
        }
        return value;
    }
    Py_ssize_t index = PyLong_AsSsize_t(place);
    return index < 0 && PyErr_Occurred() ? NULL : PyList_GetItem(container, index);
}

/* Borrowed: the live container in which the reports are. Those on the way are looked up once. */
static PyObject *current_container(fields *self)
{
    Py_ssize_t last = PyList_GET_SIZE(self->containers) - 1;
    Py_ssize_t known = last;
    while (known > 0 && PyList_GET_ITEM(self->containers, known) == Py_None) {
        known--;
    }
    PyObject *container = PyList_GET_ITEM(self->containers, known);
    if (container == Py_None) {
        container = self->root;
        Py_INCREF(container);
        PyList_SetItem(self->containers, 0, container);
    }
    for (; known < last; known++) {
        container = look_up(container, PyTuple_GET_ITEM(self->prefix, known));
        if (container == NULL) {
            return NULL;
        }
        Py_INCREF(container);
        PyList_SetItem(self->containers, known + 1, container);
    }
    return container;
}

/* The prefix and one more step; takes the reference to place. */
static PyObject *path_join(PyObject *prefix, PyObject *place)
{
    if (place == NULL) {
        return NULL;
    }
    Py_ssize_t size = PyTuple_GET_SIZE(prefix);
    PyObject *path = PyTuple_New(size + 1);
    if (path == NULL) {
        Py_DECREF(place);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *step = PyTuple_GET_ITEM(prefix, i);
        Py_INCREF(step);
        PyTuple_SET_ITEM(path, i, step);
    }
    PyTuple_SET_ITEM(path, size, place);
    return path;
}

/* Appends event(call, path, last); takes the references to path and last, either of which may be NULL after an
 * error. */
static int emit(fields *self, PyObject *events, const event_class *event, PyObject *path, PyObject *last)
{
    PyObject *object = path == NULL || last == NULL ? NULL : event->type->tp_alloc(event->type, 0);
    if (object == NULL) {
        Py_XDECREF(path);
        Py_XDECREF(last);
        return -1;
    }
    Py_INCREF(self->call);
    *(PyObject **)((char *)object + event->slots[0]) = self->call;
    *(PyObject **)((char *)object + event->slots[1]) = path;
    *(PyObject **)((char *)object + event->slots[2]) = last;
    int status = PyList_Append(events, object);
    Py_DECREF(object);
    return status;
}

/* FieldComplete for the value at the end of path in the current container; takes the reference to path. */
static int emit_complete(fields *self, PyObject *events, PyObject *path)
{
    if (path == NULL) {
        return -1;
    }
    PyObject *container = current_container(self);
    PyObject *value =
        container == NULL ? NULL : look_up(container, PyTuple_GET_ITEM(path, PyTuple_GET_SIZE(path) - 1));
    Py_XINCREF(value);
    return emit(self, events, &self->state->complete, path, value);
}

static int report_enter(fields *self, const ts_record *record)
{
    PyObject *path = path_join(self->prefix, read_place(self, record));
    if (path == NULL) {
        return -1;
    }
    Py_SETREF(self->prefix, path);
    return PyList_Append(self->containers, Py_None);
}

static int report_leave(fields *self, const ts_record *record, PyObject *events)
{
    list_pop(self->containers);
    if (record->tag & TS_F_VALUE) {
        Py_INCREF(self->prefix);
        if (emit_complete(self, events, self->prefix) < 0) {
            return -1;
        }
    }
    PyObject *outer = PyTuple_GetSlice(self->prefix, 0, PyTuple_GET_SIZE(self->prefix) - 1);
    if (outer == NULL) {
        return -1;
    }
    Py_SETREF(self->prefix, outer);
    return 0;
}

static int report_growth(fields *self, const ts_record *record, PyObject *events)
{
    PyObject *text = read_string(self, record->a, record->b, (record->tag & TS_F_ESCAPED) != 0);
    Py_INCREF(self->string_path);
    return emit(self, events, &self->state->delta, self->string_path, text);
}

static int report_string(fields *self, const ts_record *record)
{
    PyObject *path = path_join(self->prefix, read_place(self, record));
    if (path == NULL) {
        return -1;
    }
    Py_SETREF(self->string_path, path);
    return 0;
}

static int report(fields *self, PyObject *events)
{
    for (int64_t i = 0; i < self->view->report_count; i++) {
        const ts_record *record = &self->view->reports[i];
        int status;
        switch (record->tag & 0xff) {
        case TS_VALUE: status = emit_complete(self, events, path_join(self->prefix, read_place(self, record))); break;
        case TS_GROW: status = report_growth(self, record, events); break;
        case TS_STRING: status = report_string(self, record); break;
        case TS_ENTER: status = report_enter(self, record); break;
        default: status = report_leave(self, record, events); break;
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ feeding */

void native_raise_busy(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "the parser is in use: another thread, or a call from inside it, is feeding or reading it");
}

static int enter(fields *self)
{
    if (self->busy) {
        native_raise_busy();
        return -1;
    }
    if (self->scanner == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the parser was not initialised");
        return -1;
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

/* The members of the root, of which none is repeated. */
static int report_members(fields *self, PyObject *events)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(self->root, &at, &key, &value)) {
        Py_INCREF(value);
        if (emit(self, events, &self->state->complete, PyTuple_Pack(1, key), value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Takes a document that comes whole: orjson checks it, so the scanner need not. Answers 1 for done, 0 for a text that has
 * to be scanned, -1 with an exception. */
static int take_whole(fields *self, const char *data, size_t size, PyObject *events)
{
    ts_outline outline;
    if (!ts_scanner_outline(self->scanner, data, size, &outline)) {
        return 0;
    }
    PyObject *text = PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)size, PyBUF_READ);
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
    return !outline.reported ? 1 : report_members(self, events) < 0 ? -1 : 1;
}

/* Feeds all of data. Answers TS_OK, a negative status of the core, or 1 with a Python exception set. */
static int take(fields *self, const char *data, size_t size, PyObject *events)
{
    if (size >= WHOLE_FROM && self->view->offset == 0) {
        int whole = take_whole(self, data, size, events);
        if (whole != 0) {
            return whole < 0 ? 1 : TS_OK;
        }
    }
    for (;;) {
        int status = scan(self, data, size);
        if (status == TS_OK) {
            return TS_OK;
        }
        if (build(self) < 0 || report(self, events) < 0) {
            return 1;
        }
        if (status != TS_PAUSED) {
            return status < 0 ? status : TS_OK;
        }
        data += self->view->consumed;
        size -= (size_t)self->view->consumed;
    }
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
    int status = take(self, (const char *)buffer.buf, (size_t)buffer.len, events);
    PyBuffer_Release(&buffer);
    return status;
}

static int take_any(fields *self, PyObject *data, PyObject *events)
{
    if (PyBytes_CheckExact(data)) {
        return take(self, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), events);
    }
    if (!PyUnicode_Check(data)) {
        return take_buffer(self, data, events);
    }
    if (PyUnicode_IS_COMPACT_ASCII(data)) {
        return take(self, (const char *)PyUnicode_DATA(data), (size_t)PyUnicode_GET_LENGTH(data), events);
    }
    /* Lone surrogates become bytes that the scanner refuses at their place. */
    PyObject *bytes = PyUnicode_AsEncodedString(data, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return 1;
    }
    int status = take(self, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), events);
    Py_DECREF(bytes);
    return status;
}

static int raise_fault(PyObject *fault)
{
    PyErr_SetObject((PyObject *)Py_TYPE(fault), fault);
    return -1;
}

/* Raises the exception that ended this parser, anew. */
static int raise_again(fields *self, PyObject *events)
{
    PyObject *fault = PyObject_CallMethodObjArgs((PyObject *)self, self->state->fail, Py_None, events, NULL);
    if (fault != NULL) {
        raise_fault(fault);
        Py_DECREF(fault);
    }
    return -1;
}

/* Makes and raises the exception for a status of the core. */
static int raise_status(fields *self, int status, PyObject *events)
{
    PyObject *code = PyLong_FromLong(status);
    PyObject *fault =
        code == NULL ? NULL : PyObject_CallMethodObjArgs((PyObject *)self, self->state->fail, code, events, NULL);
    Py_XDECREF(code);
    if (fault != NULL) {
        raise_fault(fault);
        Py_DECREF(fault);
    }
    return -1;
}

static int feed_into(fields *self, PyObject *data, PyObject *events)
{
    if (enter(self) < 0) {
        return -1;
    }
    if (self->fault != Py_None) {
        self->busy = 0;
        return raise_again(self, events);
    }
    int status = take_any(self, data, events);
    self->busy = 0;
    if (status < 0) {
        return raise_status(self, status, events);
    }
    return status == TS_OK ? 0 : -1;
}

int native_feed(fields *self, const char *data, size_t size, PyObject *events)
{
    if (enter(self) < 0) {
        return -1;
    }
    int status = take(self, data, size, events);
    self->busy = 0;
    if (status < 0) {
        return raise_status(self, status, events);
    }
    return status == TS_OK ? 0 : -1;
}

static PyObject *fields_feed(fields *self, PyObject *data)
{
    PyObject *events = PyList_New(0);
    if (events != NULL && feed_into(self, data, events) < 0) {
        Py_CLEAR(events);
    }
    return events;
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
    status = status == TS_ERR_MEMORY ? (PyErr_NoMemory(), -1) : build(self);
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

static PyObject *fields_check_idle(fields *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    self->busy = 0;
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the type */

/* Makes the scanner. The options are given by their address; what they point to must outlive this object. */
static PyObject *fields_start(fields *self, PyObject *address)
{
    const ts_options *options = (const ts_options *)PyLong_AsVoidPtr(address);
    ts_scanner *scanner = options == NULL ? NULL : ts_scanner_new(options);
    if (scanner == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    ts_scanner_free(self->scanner);
    self->scanner = scanner;
    self->view = ts_scanner_view(scanner);
    Py_RETURN_NONE;
}

/* Takes over a scanner, as an address: the one that cffi made belongs to this object from here on. */
static PyObject *fields_adopt(fields *self, PyObject *address)
{
    void *scanner = PyLong_AsVoidPtr(address);
    if (scanner == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    ts_scanner_free(self->scanner);
    self->scanner = (ts_scanner *)scanner;
    self->view = ts_scanner_view(self->scanner);
    Py_RETURN_NONE;
}

static int fields_traverse(fields *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->call);
    Py_VISIT(self->root);
    Py_VISIT(self->open);
    Py_VISIT(self->places);
    Py_VISIT(self->prefix);
    Py_VISIT(self->containers);
    Py_VISIT(self->string_path);
    Py_VISIT(self->fault);
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
    self->open = PyList_New(0);
    self->places = PyList_New(0);
    self->prefix = PyTuple_New(0);
    self->string_path = PyTuple_New(0);
    self->containers = PyList_New(1);
    if (self->open == NULL || self->places == NULL || self->prefix == NULL || self->string_path == NULL ||
        self->containers == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    PyList_SET_ITEM(self->containers, 0, Py_NewRef(Py_None));
    return (PyObject *)self;
}

static int fields_clear(fields *self)
{
    Py_CLEAR(self->call);
    Py_CLEAR(self->root);
    Py_CLEAR(self->open);
    Py_CLEAR(self->places);
    Py_CLEAR(self->prefix);
    Py_CLEAR(self->containers);
    Py_CLEAR(self->string_path);
    Py_CLEAR(self->fault);
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
    PyObject *settled = fields_settle(self, NULL);
    Py_XDECREF(settled);
    return settled == NULL ? NULL : Py_NewRef(self->root);
}

static PyMethodDef fields_methods[] = {
    {"feed", (PyCFunction)fields_feed, METH_O,
     "Takes a fragment, which may end anywhere, and returns the events that it completes.\n\n"
     "Raises JSONError (with `events`: what came before the fault), DuplicateKeyError, LimitError, TypeError for\n"
     "other data, RuntimeError where another thread is inside."},
    {"feed_into", (PyCFunction)(void (*)(void))fields_feed_into, METH_FASTCALL, "As feed, but appends to a list."},
    {"_settle", (PyCFunction)fields_settle, METH_NOARGS, "Brings the live value up to date."},
    {"_finish", (PyCFunction)fields_finish, METH_NOARGS, "The text has ended: answers the core's status."},
    {"_check_idle", (PyCFunction)fields_check_idle, METH_NOARGS, "Raises RuntimeError where the parser is in use."},
    {"_start", (PyCFunction)fields_start, METH_O, "Makes the scanner with the options at an address."},
    {"_adopt", (PyCFunction)fields_adopt, METH_O, "Takes over the scanner at an address."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fields_getset[] = {
    {"_address", (getter)fields_address, NULL, "Where the scanner is.", NULL},
    {"complete", (getter)fields_complete, NULL, "The root value is final.", NULL},
    {"value", (getter)fields_value, NULL, "All that is final so far, then the final value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef fields_members[] = {
    OBJECT_MEMBER(fields, "call", call),
    OBJECT_MEMBER(fields, "_root", root),
    OBJECT_MEMBER(fields, "_open", open),
    OBJECT_MEMBER(fields, "_places", places),
    OBJECT_MEMBER(fields, "_prefix", prefix),
    OBJECT_MEMBER(fields, "_containers", containers),
    OBJECT_MEMBER(fields, "_string_path", string_path),
    OBJECT_MEMBER(fields, "_fault", fault),
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
