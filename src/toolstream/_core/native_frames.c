/* The SSE framer as a CPython type: `sse.CffiFrames` without a cffi call for each chunk and each of its results. */
#include "native.h"

/* A framer is needed only inside an event. Between two of them nothing is left to know but how many bytes came, so all
 * streams take the same framer in turn: an idle stream holds none. */
typedef struct frames {
    PyObject_HEAD
    module_state *state;
    ts_sse *sse;                 /* NULL between two events */
    long long offset;            /* ... and then: bytes taken */
    long long max_event_bytes;   /* -1 before _start or _load */
} frames;

/* The framer, out of where it rests. */
static ts_sse *sse_take(frames *self)
{
    if (self->max_event_bytes < 0) {
        PyErr_SetString(PyExc_RuntimeError, "the framer was not initialised");
        return NULL;
    }
    if (self->sse == NULL) {
        ts_sse *spare = self->state->spare_sse;
        self->state->spare_sse = NULL;
        self->sse = spare != NULL ? spare : ts_sse_new(0);
        if (self->sse == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        ts_sse_reuse(self->sse, self->max_event_bytes, self->offset);
    }
    return self->sse;
}

/* Gives the framer back if nothing of the next event has come. */
static void sse_rest(frames *self)
{
    if (ts_sse_is_done(self->sse)) {
        self->offset = ts_sse_get_view(self->sse)->offset;
        if (self->state->spare_sse == NULL) {
            self->state->spare_sse = self->sse;
        } else {
            ts_sse_free(self->sse);
        }
        self->sse = NULL;
    }
}

/* (type, data) of one frame. */
static PyObject *frame_read(frames *self, const char *text, const ts_frame *frame)
{
    PyObject *type = frame->event_size == 0
                         ? Py_NewRef(self->state->names[NAME_MESSAGE])
                         : PyUnicode_DecodeUTF8(text + frame->event, (Py_ssize_t)frame->event_size, "replace");
    PyObject *data = PyBytes_FromStringAndSize(text + frame->data, (Py_ssize_t)frame->data_size);
    PyObject *pair = type == NULL || data == NULL ? NULL : PyTuple_Pack(2, type, data);
    Py_XDECREF(type);
    Py_XDECREF(data);
    return pair;
}

static PyObject *frames_read(frames *self)
{
    const ts_sse_view *view = ts_sse_get_view(self->sse);
    PyObject *list = PyList_New((Py_ssize_t)view->frame_count);
    for (int64_t i = 0; list != NULL && i < view->frame_count; i++) {
        PyObject *pair = frame_read(self, (const char *)view->text, &view->frames[i]);
        if (pair == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, pair);
        }
    }
    sse_rest(self);
    return list;
}

PyObject *native_frames_take(PyObject *object, const char *data, size_t size)
{
    frames *self = (frames *)object;
    ts_sse *sse = sse_take(self);
    if (sse == NULL) {
        return NULL;
    }
    ts_sse_feed(sse, data, size);
    return frames_read(self);
}

size_t native_frames_take_whole(PyObject *object, const char *data, size_t size, ts_frame *frame)
{
    frames *self = (frames *)object;
    size_t taken = self->sse == NULL ? ts_sse_whole(data, size, frame) : 0;
    if ((long long)taken > self->max_event_bytes) {
        return 0;
    }
    self->offset += (long long)taken;
    return taken;
}

static PyObject *frames_take(frames *self, PyObject *data)
{
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "bytes are wanted");
        return NULL;
    }
    return native_frames_take((PyObject *)self, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
}

static PyObject *frames_end(frames *self, PyObject *unused)
{
    (void)unused;
    ts_sse *sse = sse_take(self);
    if (sse == NULL) {
        return NULL;
    }
    ts_sse_flush(sse);
    return frames_read(self);
}

/* ------------------------------------------------------------------ the type */

static PyObject *frames_start(frames *self, PyObject *bound)
{
    long long max_event_bytes = PyLong_AsLongLong(bound);
    if (max_event_bytes == -1 && PyErr_Occurred()) {
        return NULL;
    }
    ts_sse_free(self->sse);
    self->sse = NULL;
    self->offset = 0;
    self->max_event_bytes = max_event_bytes > 0 ? max_event_bytes : 0;
    Py_RETURN_NONE;
}

static PyObject *frames_load(frames *self, PyObject *args)
{
    long long max_event_bytes;
    PyObject *saved;
    if (!PyArg_ParseTuple(args, "LS", &max_event_bytes, &saved)) {
        return NULL;
    }
    ts_sse *sse = ts_sse_load(max_event_bytes, (const unsigned char *)PyBytes_AS_STRING(saved),
                              (size_t)PyBytes_GET_SIZE(saved));
    if (sse == NULL) {
        PyErr_SetString(PyExc_ValueError, "the saved state of a parser is damaged, or of another version");
        return NULL;
    }
    ts_sse_free(self->sse);
    self->sse = sse;
    self->max_event_bytes = max_event_bytes > 0 ? max_event_bytes : 0;
    Py_RETURN_NONE;
}

static PyObject *frames_save(frames *self, PyObject *unused)
{
    (void)unused;
    ts_sse *sse = sse_take(self);
    if (sse == NULL) {
        return NULL;
    }
    size_t size = ts_sse_save(sse, NULL, 0);
    PyObject *saved = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (saved != NULL) {
        ts_sse_save(sse, (unsigned char *)PyBytes_AS_STRING(saved), size);
    }
    sse_rest(self);
    return saved;
}

static void frames_dealloc(frames *self)
{
    PyTypeObject *type = Py_TYPE(self);
    ts_sse_free(self->sse);
    type->tp_free(self);
    Py_DECREF(type);
}

int native_frames_are_between(PyObject *object)
{
    const frames *self = (frames *)object;
    return self->sse != NULL ? ts_sse_between(self->sse) : self->offset != 0;
}

static int status_of(const frames *self)
{
    return self->sse != NULL ? ts_sse_get_view(self->sse)->status : TS_OK;
}

int native_frames_failed(PyObject *object)
{
    return status_of((frames *)object) < 0;
}

static PyObject *frames_between(frames *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(native_frames_are_between((PyObject *)self));
}

static PyObject *frames_offset(frames *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(self->sse != NULL ? ts_sse_get_view(self->sse)->offset : self->offset);
}

static PyObject *frames_status(frames *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(status_of(self));
}

static PyObject *frames_sizeof(frames *self, PyObject *unused)
{
    (void)unused;
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + (self->sse == NULL ? 0 : ts_sse_size(self->sse));
    return PyLong_FromSize_t(size);
}

static PyMemberDef frames_members[] = {
    {"_bound", T_LONGLONG, offsetof(frames, max_event_bytes), READONLY, "The bound on an event's bytes."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef frames_methods[] = {
    {"__sizeof__", (PyCFunction)frames_sizeof, METH_NOARGS, "Bytes of memory, the framer's included."},
    {"_take", (PyCFunction)frames_take, METH_O, "The frames that a chunk completes; _status tells of a fault behind them."},
    {"_end", (PyCFunction)frames_end, METH_NOARGS, "The stream has ended: the frame that no blank line has ended."},
    {"_start", (PyCFunction)frames_start, METH_O, "Begins a stream, with a bound on an event's bytes."},
    {"_load", (PyCFunction)frames_load, METH_VARARGS, "_load(bound, saved): makes the framer that was saved."},
    {"_save", (PyCFunction)frames_save, METH_NOARGS, "The framer as bytes."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef frames_getset[] = {
    {"between", (getter)frames_between, NULL, "Behind a blank line: nothing of the next frame has come.", NULL},
    {"offset", (getter)frames_offset, NULL, "Bytes taken; after a fault, those before the first byte too many.", NULL},
    {"_status", (getter)frames_status, NULL, "The core's status: negative after a fault.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyObject *frames_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    PyTypeObject *own = type; /* or a subclass, which has no module state */
    while (own->tp_getset != frames_getset) {
        own = own->tp_base;
    }
    frames *self = (frames *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = (module_state *)PyType_GetModuleState(own);
        self->max_event_bytes = -1;
    }
    return (PyObject *)self;
}

static PyType_Slot frames_slots[] = {
    {Py_tp_new, frames_new},
    {Py_tp_dealloc, frames_dealloc},
    {Py_tp_methods, frames_methods},
    {Py_tp_getset, frames_getset},
    {Py_tp_members, frames_members},
    {0, NULL},
};

PyType_Spec native_frames_spec = {
    .name = "toolstream._core._native.Frames",
    .basicsize = sizeof(frames),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = frames_slots,
};
