/* The fast lane as a CPython type, the base of `StreamParser`: its methods, and what Python sees of its fields. */
#include "native_lane.h"

static PyObject *lane_feed(lane *self, PyObject *data)
{
    if (self->busy) {
        native_raise_busy();
        return NULL;
    }
    PyObject *events = PyList_New(0);
    if (events == NULL) {
        return NULL;
    }
    self->busy = 1;
    if (native_lane_feed(self, data, events) < 0) {
        Py_CLEAR(events);
    }
    self->busy = 0;
    return events;
}

static PyObject *lane_pull(lane *self, PyObject *items)
{
    if (!PyIter_Check(items)) {
        PyErr_SetString(PyExc_TypeError, "an iterator is wanted");
        return NULL;
    }
    PyObject *events = PyList_New(0);
    int status = events == NULL ? -1 : native_lane_pull((PyObject *)self, items, events);
    if (status > 0) {
        return events;
    }
    Py_XDECREF(events);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *lane_pull_all(lane *self, PyObject *items)
{
    return native_pulled_new(self->state, (PyObject *)self, items);
}

static PyObject *lane_pull_async(lane *self, PyObject *items)
{
    return native_pull_new(self->state, (PyObject *)self, items);
}

static PyObject *lane_flush(lane *self, PyObject *events)
{
    if (native_flush(self, events) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *lane_take_frames(lane *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_CheckExact(args[0]) || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "bytes and a list of events are wanted");
        return NULL;
    }
    if (native_take_frames(self, args[0], args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *lane_unbind(lane *self, PyObject *unused)
{
    (void)unused;
    native_unbind(self);
    Py_RETURN_NONE;
}

static PyObject *lane_enter(lane *self, PyObject *unused)
{
    (void)unused;
    if (self->busy) {
        native_raise_busy();
        return NULL;
    }
    self->busy = 1;
    Py_RETURN_NONE;
}

static PyObject *lane_leave(lane *self, PyObject *unused)
{
    (void)unused;
    self->busy = 0;
    Py_RETURN_NONE;
}

static int lane_traverse(lane *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->adapter);
    Py_VISIT(self->assembler);
    Py_VISIT(self->framing);
    Py_VISIT(self->goal);
    Py_VISIT(self->latest);
    return 0;
}

static int lane_clear(lane *self)
{
    Py_CLEAR(self->adapter);
    Py_CLEAR(self->assembler);
    Py_CLEAR(self->framing);
    Py_CLEAR(self->goal);
    Py_CLEAR(self->latest);
    return 0;
}

static PyObject *lane_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    PyTypeObject *own = type; /* or a subclass, which has no module state */
    while (own->tp_traverse != (traverseproc)lane_traverse) {
        own = own->tp_base;
    }
    lane *self = (lane *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = (module_state *)PyType_GetModuleState(own);
    self->adapter = Py_NewRef(Py_None);
    return (PyObject *)self;
}

static void lane_dealloc(lane *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lane_clear(self);
    ts_template_free(self->template);
    PyMem_Free(self->pending);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *lane_is_bound(lane *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(self->use != USE_NOTHING);
}

static PyObject *lane_get_pending(lane *self, void *unused)
{
    (void)unused;
    if (self->busy) {
        native_raise_busy();
        return NULL;
    }
    const char *pending = self->pending == NULL ? NULL : (const char *)self->pending->bytes;
    return PyBytes_FromStringAndSize(pending, (Py_ssize_t)native_pending_size(self));
}

/* For a copy: it has no template, so what is pending goes to the slow lane with the next bytes. */
static int lane_set_pending(lane *self, PyObject *bytes, void *unused)
{
    (void)unused;
    if (bytes == NULL || !PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "bytes are wanted");
        return -1;
    }
    PyMem_Free(native_pending_take(self));
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    return size == 0 ? 0 : native_pending_append(self, (const unsigned char *)PyBytes_AS_STRING(bytes), (size_t)size);
}

static PyObject *lane_sizeof(lane *self, PyObject *unused)
{
    (void)unused;
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + native_template_size(self);
    size += self->pending == NULL ? 0 : sizeof *self->pending + self->pending->capacity;
    return PyLong_FromSize_t(size);
}

static PyMethodDef lane_methods[] = {
    {"__sizeof__", (PyCFunction)lane_sizeof, METH_NOARGS, "Bytes of memory, the template's and the buffers' included."},
    {"feed", (PyCFunction)lane_feed, METH_O,
     "feed($self, data, /)\n--\n\n"
     "Takes the next bytes (or text), cut anywhere, and returns what they complete.\n\n"
     "Raises ToolStreamError, whose `events` are those that came before the fault; TypeError for other data;\n"
     "RuntimeError where another thread is inside."},
    {"_pull", (PyCFunction)lane_pull, METH_O,
     "Feeds what an iterator gives until there are events, and returns them; None at its end."},
    {"_pull_all", (PyCFunction)lane_pull_all, METH_O, "The events of all that an iterator gives, as an iterator."},
    {"_pull_async", (PyCFunction)lane_pull_async, METH_O, "As _pull, of an async iterator: to be awaited."},
    {"_enter", (PyCFunction)lane_enter, METH_NOARGS, "Keeps all others out. Raises RuntimeError where one is inside."},
    {"_leave", (PyCFunction)lane_leave, METH_NOARGS, "Lets others in again."},
    {"_flush", (PyCFunction)lane_flush, METH_O, "Gives the slow lane all that came, and appends to a list of events."},
    {"_take_frames", (PyCFunction)(void (*)(void))lane_take_frames, METH_FASTCALL,
     "Has bytes of a stream of SSE framed and their events handled."},
    {"_unbind", (PyCFunction)lane_unbind, METH_NOARGS, "Forgets the event that repeats."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lane_getset[] = {
    {"_is_bound", (getter)lane_is_bound, NULL, "An event that repeats is known.", NULL},
    {"_pending", (getter)lane_get_pending, (setter)lane_set_pending, "Bytes that no lane has taken yet.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lane_members[] = {
    {"_adapter", T_OBJECT_EX, offsetof(lane, adapter), 0, "Who knows what events mean, or None."},
    {"_assembler", T_OBJECT_EX, offsetof(lane, assembler), 0, "Whom the adapter tells it."},
    {"_framing", T_OBJECT_EX, offsetof(lane, framing), 0, "What cuts bytes into events."},
    {"_framed", T_LONGLONG, offsetof(lane, framed), 0, "Bytes that the framing has had."},
    {"_steady", T_BOOL, offsetof(lane, steady), 0, "The framing is SSE, so that frames may be cut here."},
    {"_known", T_BOOL, offsetof(lane, known), 0, "The adapter is known, and its message has begun."},
    {"_room", T_LONGLONG, offsetof(lane, room), 0, "Bytes that the stream may still have."},
    {"_max_event", T_LONGLONG, offsetof(lane, max_event), 0, "Bytes that an event may have."},
    {"_hits", T_UINT, offsetof(lane, hits), 0, "Events that took the lane."},
    {"_between", T_BOOL, offsetof(lane, between), 0, "The slow lane stands between two events."},
    {"_hopeful", T_BOOL, offsetof(lane, hopeful), 0, "Events may repeat."},
    {"_interrupted", T_BOOL, offsetof(lane, interrupted), 0, "What is pulled is no longer wanted."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lane_slots[] = {
    {Py_tp_new, lane_new},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_clear, lane_clear},
    {Py_tp_methods, lane_methods},
    {Py_tp_getset, lane_getset},
    {Py_tp_members, lane_members},
    {0, NULL},
};

PyType_Spec native_lane_spec = {
    .name = "toolstream._core._native.Lane",
    .basicsize = sizeof(lane),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = lane_slots,
};
