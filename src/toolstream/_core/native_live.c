/* The live value of a parser: build steps to Python objects. See native_fields.c.
 *
 * Short runs are read by native_values.c, longer ones by orjson; but not those that hold a long string, because orjson
 * copies all text before it reads it.
 */
#include "native.h"

/* Strings of so many bytes are decoded on the stack. */
#define SHORT_STRING 512

/* Runs below this size are built here, without a call of orjson. */
#define ORJSON_FROM 512

/* Runs from this size on are parsed in place; below, a copy with brackets is cheaper. */
#define IN_PLACE_FROM 4096

/* ------------------------------------------------------------------ texts to values */

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
    if (size >= TS_LONG_STRING) {
        return native_long_string((const unsigned char *)body, size);
    }
    if (!escaped) {
        return native_utf8(body, size);
    }
    /* Most strings with escapes are short, as a model's fragments are. */
    unsigned char place[SHORT_STRING + TS_ROOM_SPARE];
    ts_room text = {place, 0, sizeof place};
    size_t at = 0;
    if (size <= SHORT_STRING && ts_text_take((const unsigned char *)body, (size_t)size, &at, &text) && at == (size_t)size) {
        return native_utf8((const char *)text.bytes, (Py_ssize_t)text.size);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(body, size);
    PyObject *value = bytes == NULL ? NULL : PyObject_CallOneArg(state->load_string, bytes);
    Py_XDECREF(bytes);
    return value;
}

PyObject *native_text(fields *self, int64_t start, int64_t end, int escaped)
{
    return native_string(self->state, (const char *)self->view->text + start, (Py_ssize_t)(end - start), escaped);
}

PyObject *native_place(fields *self, const ts_record *record)
{
    if (record->tag & TS_F_INDEX) {
        return PyLong_FromLongLong(record->a);
    }
    if (record->tag & TS_F_ESCAPED) {
        return native_text(self, record->a, record->b, 1);
    }
    return native_key(self->state, self->view->text + record->a, (Py_ssize_t)(record->b - record->a));
}

/* ------------------------------------------------------------------ building the live value */

int native_reserve(void **items, uint32_t *capacity, uint32_t count, size_t item_size)
{
    if (count < *capacity) {
        return 0;
    }
    size_t wider = count < 4 ? (size_t)count + 1 : (size_t)count + count / 2;
    void *more = wider > UINT32_MAX ? NULL : PyMem_Realloc(*items, wider * item_size);
    if (more == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = more;
    *capacity = (uint32_t)wider;
    return 0;
}

int native_push(fields *self, PyObject *container, PyObject *place)
{
    if (place != NULL) {
        uint32_t count = self->open_count - 1;
        if (native_reserve((void **)&self->open, &self->open_capacity, count, sizeof *self->open) < 0) {
            Py_DECREF(place);
            return -1;
        }
        self->open[count] = (open_container){Py_NewRef(container), place};
    }
    self->open_count++;
    return 0;
}

void native_pop(fields *self)
{
    if (self->open_count > 1) {
        open_container last = self->open[self->open_count - 2];
        self->open_count--;
        Py_DECREF(last.container);
        Py_DECREF(last.place);
    } else {
        self->open_count = 0;
    }
}

/* Borrowed: the path of the innermost open container, NULL where neither its end nor what is in it is an event. */
static PyObject *top_path(fields *self)
{
    if (self->depth == 0 || self->open_count < 2) {
        return self->depth == 0 ? NULL : self->prefix;
    }
    PyObject *place = self->open[self->open_count - 2].place;
    return PyTuple_CheckExact(place) ? place : NULL;
}

PyObject *native_open_place(fields *self, PyObject *place)
{
    PyObject *path = top_path(self);
    int is_event = path != NULL && PyTuple_GET_SIZE(path) < (Py_ssize_t)self->depth;
    return is_event ? native_path(self->state, path, place) : place;
}

/* The innermost open container has ended. */
static int build_pop(fields *self, PyObject *events)
{
    PyObject *path = self->open_count < 2 || events == NULL ? NULL : top_path(self);
    int status = 0;
    if (path != NULL) {
        Py_INCREF(path);
        status = native_complete(self, path, Py_NewRef(self->open[self->open_count - 2].container), events);
    }
    native_pop(self);
    return status;
}

/* The innermost open container. */
static PyObject *top_container(fields *self)
{
    return self->open_count > 1 ? self->open[self->open_count - 2].container : self->root;
}

/* Whether the text of members of a container at path is read here and not by orjson, which is faster on long ones: see
 * above, and values below these members may be events. */
static int is_read_here(const fields *self, const ts_record *record, PyObject *path)
{
    if ((record->tag & TS_F_LONG) || record->b - record->a < ORJSON_FROM) {
        return 1;
    }
    return path != NULL && PyTuple_GET_SIZE(path) + 1 < (Py_ssize_t)self->depth;
}

/* New members or elements for the innermost open container. */
static int build_run(fields *self, const ts_record *record, PyObject *events)
{
    PyObject *top = top_container(self);
    PyObject *path = events == NULL ? NULL : top_path(self);
    int is_dict = PyDict_CheckExact(top);
    if (is_read_here(self, record, path)) {
        return native_members(self, top, path, self->view->text + record->a, (size_t)(record->b - record->a), events);
    }
    PyObject *run = load_run(self, record->a, record->b, is_dict ? '{' : '[', is_dict ? '}' : ']',
                             (record->tag & TS_F_EXACT) != 0);
    if (run == NULL) {
        return -1;
    }
    Py_ssize_t end = is_dict ? 0 : PyList_GET_SIZE(top);
    int status = is_dict ? PyDict_Update(top, run) : PyList_SetSlice(top, end, end, run);
    if (status == 0 && path != NULL && PyTuple_GET_SIZE(path) < (Py_ssize_t)self->depth) {
        status = native_report_members(self, run, path, end, events);
    }
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
    if (self->open_count == 0) {
        Py_SETREF(self->root, child);
        return native_push(self, child, NULL);
    }
    PyObject *place = native_place(self, record);
    int failed = place == NULL || attach(top_container(self), place, child) < 0;
    if (failed) {
        Py_XDECREF(place);
    } else {
        place = native_open_place(self, place);
        failed = place == NULL || native_push(self, child, place) < 0;
    }
    Py_DECREF(child);
    return failed ? -1 : 0;
}

/* A root, whose values are events down to self->depth. */
static PyObject *read_root(fields *self, const char *start, Py_ssize_t size, PyObject *events)
{
    PyObject *root = *start == '[' ? PyList_New(0) : PyDict_New();
    PyObject *path = events == NULL || self->depth == 0 ? NULL : self->prefix;
    if (root != NULL &&
        native_members(self, root, path, (const unsigned char *)start + 1, (size_t)size - 2, events) < 0) {
        Py_CLEAR(root);
    }
    return root;
}

static PyObject *load_root(fields *self, const ts_record *record, PyObject *events)
{
    const char *start = (const char *)self->view->text + record->a;
    Py_ssize_t size = (Py_ssize_t)(record->b - record->a);
    int is_container = *start == '{' || *start == '[';
    int exact = (record->tag & TS_F_EXACT) != 0;
    if (is_container && is_read_here(self, record, self->depth == 0 ? NULL : self->prefix)) {
        return read_root(self, start, size, events);
    }
    if (*start == '"' && (record->tag & TS_F_LONG)) {
        return native_long_string((const unsigned char *)start + 1, size - 2); /* orjson would copy it once more */
    }
    /* orjson is slower to begin with a view than with bytes. */
    PyObject *text = size < IN_PLACE_FROM ? PyBytes_FromStringAndSize(start, size)
                                          : PyMemoryView_FromMemory((char *)(uintptr_t)start, size, PyBUF_READ);
    PyObject *root = load_text(self->state, text, exact);
    if (root != NULL && self->depth != 0 && events != NULL &&
        native_report_members(self, root, self->prefix, 0, events) < 0) {
        Py_CLEAR(root);
    }
    return root;
}

static int build_root(fields *self, const ts_record *record, PyObject *events)
{
    PyObject *root = load_root(self, record, events);
    if (root == NULL) {
        return -1;
    }
    Py_SETREF(self->root, root);
    return 0;
}

int native_build(fields *self, PyObject *events)
{
    for (uint32_t i = 0, count = self->view->step_count; i < count; i++) {
        const ts_record *record = &self->view->steps[i];
        int status;
        int kind = (int)(record->tag & 0xff);
        if (kind == TS_RUN) { /* most are */
            status = build_run(self, record, events);
        } else if (kind == TS_PUSH) {
            status = build_push(self, record);
        } else {
            status = kind == TS_POP ? build_pop(self, events) : build_root(self, record, events);
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}
