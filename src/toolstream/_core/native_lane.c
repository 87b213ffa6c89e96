/* The fast lane as a CPython type: `StreamParser.feed` without Python for the event that repeats.
 *
 * Most of a stream is one event, again and again, with other text: `_bind_call` or `_bind_text` say what such an event
 * looks like (a template of the core's lane) and what its text is for. Bytes that match go straight to the call's parser
 * or become a text event; all others go to `_feed_slowly`, which a subclass has, and which alone understands them. Any
 * event that went there may have changed what the template meant, so the subclass binds anew behind it.
 */
#include "native.h"

/* So many bytes for the beginning of an event are kept for good. */
#define KEPT_PENDING 8192

/* What the text of a matching event is for. */
enum lane_use { USE_NOTHING, USE_CALL, USE_TEXT, USE_REASONING };

typedef struct lane {
    PyObject_HEAD
    module_state *state;
    ts_lane *matcher;
    fields *target;              /* USE_CALL: the call's parser */
    PyObject *index;             /* else: the event's index, ... */
    PyObject *keep;              /* tuple of lists: and who wants the text as well */
    unsigned char *pending;      /* the beginning of an event that matches so far */
    size_t pending_size;
    size_t pending_capacity;
    long long room;              /* bytes that the stream may still have */
    long long max_event;         /* bytes that an event may have */
    long long hits;              /* events that matched */
    int use;
    char watchful;               /* USE_CALL: a text that may repeat all before it needs a closer look */
    char between;                /* the slow lane stands between two events */
    char hopeful;                /* events may repeat: worth cutting chunks at events */
    char busy;
} lane;

static PyObject *lane_unbind(lane *self, PyObject *unused)
{
    (void)unused;
    self->use = USE_NOTHING;
    Py_CLEAR(self->target);
    Py_CLEAR(self->index);
    Py_CLEAR(self->keep);
    ts_lane_clear(self->matcher);
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ binding */

/* parts: bytes, or ints for slots. */
static int template_set(lane *self, PyObject *parts)
{
    Py_DECREF(lane_unbind(self, NULL));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(parts); i++) {
        PyObject *part = PyTuple_GET_ITEM(parts, i);
        int status;
        if (PyBytes_Check(part)) {
            status = ts_lane_add(self->matcher, 0, PyBytes_AS_STRING(part), (size_t)PyBytes_GET_SIZE(part));
        } else {
            long slot = PyLong_AsLong(part);
            if (slot == -1 && PyErr_Occurred()) {
                return -1;
            }
            status = ts_lane_add(self->matcher, (int)slot, NULL, 0);
        }
        if (status != TS_OK) {
            ts_lane_clear(self->matcher);
            PyErr_SetString(PyExc_ValueError, ts_status_text(status));
            return -1;
        }
    }
    return 0;
}

static PyObject *lane_bind_call(lane *self, PyObject *args)
{
    PyObject *parts, *target;
    int watchful;
    if (!PyArg_ParseTuple(args, "O!O!p", &PyTuple_Type, &parts, self->state->fields_type, &target, &watchful) ||
        template_set(self, parts) < 0) {
        return NULL;
    }
    self->target = (fields *)Py_NewRef(target);
    self->watchful = (char)watchful;
    self->use = USE_CALL;
    Py_RETURN_NONE;
}

static PyObject *lane_bind_text(lane *self, PyObject *args)
{
    PyObject *parts, *index, *keep;
    int is_reasoning;
    if (!PyArg_ParseTuple(args, "O!OO!p", &PyTuple_Type, &parts, &index, &PyTuple_Type, &keep, &is_reasoning) ||
        template_set(self, parts) < 0) {
        return NULL;
    }
    self->index = Py_NewRef(index);
    self->keep = Py_NewRef(keep);
    self->use = is_reasoning ? USE_REASONING : USE_TEXT;
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ what matching events are for */

/* A fault in a call's arguments: the subclass decides what it means for the stream. */
static int spoil_call(lane *self, PyObject *events)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *call = Py_NewRef(self->target->call);
    Py_DECREF(lane_unbind(self, NULL));
    PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, self->state->spoil, call, error, events, NULL);
    Py_DECREF(call);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int use_for_text(lane *self, const unsigned char *text, size_t size, PyObject *events)
{
    const event_class *class = self->use == USE_TEXT ? &self->state->text : &self->state->reasoning;
    PyObject *string = PyUnicode_DecodeUTF8((const char *)text, (Py_ssize_t)size, NULL);
    PyObject *event = string == NULL ? NULL : class->type->tp_alloc(class->type, 0);
    if (event == NULL) {
        Py_XDECREF(string);
        return -1;
    }
    *(PyObject **)((char *)event + class->slots[0]) = string;
    *(PyObject **)((char *)event + class->slots[1]) = Py_NewRef(self->index);
    int status = PyList_Append(events, event);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->keep) && status == 0; i++) {
        status = PyList_Append(PyTuple_GET_ITEM(self->keep, i), string);
    }
    Py_DECREF(event);
    return status;
}

/* Whether the text of a matching event can be used without a closer look. */
static int is_usable(const lane *self, size_t size)
{
    if (self->use != USE_CALL) {
        return 1;
    }
    const fields *target = self->target;
    const ts_view *view = target->view;
    return target->fault == Py_None && !(self->watchful && (view->complete || (long long)size >= view->offset));
}

static int use_text(lane *self, const unsigned char *text, size_t size, PyObject *events)
{
    self->hits++;
    if (size == 0) {
        return 0;
    }
    if (self->use != USE_CALL) {
        return use_for_text(self, text, size, events);
    }
    if (native_feed(self->target, (const char *)text, size, events) == 0) {
        return 0;
    }
    return PyErr_ExceptionMatches(PyExc_ValueError) ? spoil_call(self, events) : -1;
}

/* ------------------------------------------------------------------ feeding */

/* The place behind the next blank line, or size. */
static size_t event_end(const unsigned char *data, size_t size)
{
    for (size_t at = 0; at + 1 < size; at++) {
        const unsigned char *found = memchr(data + at, '\n', size - at - 1);
        if (found == NULL) {
            return size;
        }
        at = (size_t)(found - data);
        if (data[at + 1] == '\n') {
            return at + 2;
        }
        if (data[at + 1] == '\r' && at + 2 < size && data[at + 2] == '\n') {
            return at + 3;
        }
    }
    return size;
}

static int feed_slowly(lane *self, const unsigned char *data, size_t size, PyObject *events)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    PyObject *done =
        bytes == NULL ? NULL
                      : PyObject_CallMethodObjArgs((PyObject *)self, self->state->feed_slowly, bytes, events, NULL);
    Py_XDECREF(bytes);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* One event from the beginning of data, or all of data where none is told apart. *used: how much of it; 0 where it
 * matches so far but is not whole. */
static int step(lane *self, const unsigned char *data, size_t size, size_t *used, PyObject *events)
{
    int answer = TS_LANE_OTHER;
    const unsigned char *text = NULL;
    size_t text_size = 0;
    *used = 0;
    if (self->use != USE_NOTHING && self->between) {
        if (data[0] == '\n') { /* between two events: the end of a CRLF, or an empty line */
            *used = 1;
            self->room--;
            return 0;
        }
        answer = ts_lane_match(self->matcher, data, size, used, &text, &text_size);
        if (answer == TS_ERR_MEMORY) {
            PyErr_NoMemory();
            return -1;
        }
    }
    if (answer == TS_LANE_EVENT && is_usable(self, text_size) && (long long)*used <= self->max_event) {
        self->room -= (long long)*used;
        return use_text(self, text, text_size, events);
    }
    if (answer == TS_LANE_MORE && (long long)size <= self->max_event) {
        *used = 0;
        return 0;
    }
    ts_lane_restart(self->matcher);
    *used = self->hopeful ? event_end(data, size) : size;
    return feed_slowly(self, data, *used, events);
}

static int append_pending(lane *self, const unsigned char *data, size_t size)
{
    if (size > self->pending_capacity - self->pending_size) {
        size_t capacity = self->pending_size + size + self->pending_size / 2;
        unsigned char *bigger = PyMem_Realloc(self->pending, capacity);
        if (bigger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->pending = bigger;
        self->pending_capacity = capacity;
    }
    memcpy(self->pending + self->pending_size, data, size);
    self->pending_size += size;
    return 0;
}

/* Gives back what a large chunk needed and the beginning of an event does not. */
static void trim_pending(lane *self)
{
    if (self->pending_capacity > KEPT_PENDING && self->pending_size < self->pending_capacity / 4) {
        size_t capacity = self->pending_size + 1;
        unsigned char *smaller = PyMem_Realloc(self->pending, capacity);
        if (smaller != NULL) {
            self->pending = smaller;
            self->pending_capacity = capacity;
        }
    }
}

/* Takes data as far as it goes; what matches so far waits in pending. */
static int take_chunk(lane *self, const unsigned char *data, size_t size, PyObject *events)
{
    int is_pending = self->pending_size != 0;
    if (is_pending) {
        if (append_pending(self, data, size) < 0) {
            return -1;
        }
        data = self->pending;
        size = self->pending_size;
        self->pending_size = 0;
    }
    size_t at = 0;
    while (at < size) {
        size_t used = 0;
        if (step(self, data + at, size - at, &used, events) < 0) {
            return -1;
        }
        if (used == 0) {
            break;
        }
        at += used;
    }
    if (is_pending) {
        memmove(self->pending, data + at, size - at);
        self->pending_size = size - at;
        trim_pending(self);
        return 0;
    }
    return at < size ? append_pending(self, data + at, size - at) : 0;
}

/* Gives what is pending to the slow lane, which then has all that came. */
static int flush_pending(lane *self, PyObject *events)
{
    size_t size = self->pending_size;
    self->pending_size = 0;
    ts_lane_restart(self->matcher);
    return size == 0 ? 0 : feed_slowly(self, self->pending, size, events);
}

static int feed_any(lane *self, PyObject *data, PyObject *events)
{
    Py_ssize_t size = PyBytes_CheckExact(data) ? PyBytes_GET_SIZE(data) : -1;
    if (size > 0 && size <= self->room - (long long)self->pending_size) {
        return take_chunk(self, (const unsigned char *)PyBytes_AS_STRING(data), (size_t)size, events);
    }
    if (size < 0 && !PyUnicode_Check(data) && !PyObject_CheckBuffer(data)) {
        PyErr_Format(PyExc_TypeError, "feed takes str, bytes, bytearray or memoryview, not %.100s",
                     Py_TYPE(data)->tp_name);
        return -1;
    }
    if (size != 0 && flush_pending(self, events) < 0) {
        return -1;
    }
    PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, self->state->feed_slowly, data, events, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

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
    if (feed_any(self, data, events) < 0) {
        Py_CLEAR(events);
    }
    self->busy = 0;
    return events;
}

static PyObject *lane_flush(lane *self, PyObject *events)
{
    if (self->busy) {
        native_raise_busy();
        return NULL;
    }
    self->busy = 1;
    int status = flush_pending(self, events);
    self->busy = 0;
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the type */

static int lane_traverse(lane *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->target);
    Py_VISIT(self->index);
    Py_VISIT(self->keep);
    return 0;
}

static int lane_clear(lane *self)
{
    Py_CLEAR(self->target);
    Py_CLEAR(self->index);
    Py_CLEAR(self->keep);
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
    self->matcher = ts_lane_new();
    if (self->matcher == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void lane_dealloc(lane *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lane_clear(self);
    ts_lane_free(self->matcher);
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
    return PyBytes_FromStringAndSize((const char *)self->pending, (Py_ssize_t)self->pending_size);
}

/* For a copy: it has no template, so what is pending goes to the slow lane with the next bytes. */
static int lane_set_pending(lane *self, PyObject *bytes, void *unused)
{
    (void)unused;
    if (bytes == NULL || !PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "bytes are wanted");
        return -1;
    }
    self->pending_size = 0;
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    return size == 0 ? 0 : append_pending(self, (const unsigned char *)PyBytes_AS_STRING(bytes), (size_t)size);
}

static PyMethodDef lane_methods[] = {
    {"feed", (PyCFunction)lane_feed, METH_O,
     "Takes the next bytes (or text), cut anywhere, and returns what they complete.\n\n"
     "Raises ToolStreamError, whose `events` are those that came before the fault; TypeError for other data;\n"
     "RuntimeError where another thread is inside."},
    {"_flush", (PyCFunction)lane_flush, METH_O, "Gives the slow lane all that came, and appends to a list of events."},
    {"_bind_call", (PyCFunction)lane_bind_call, METH_VARARGS, "_bind_call(template, parser, watchful)"},
    {"_bind_text", (PyCFunction)lane_bind_text, METH_VARARGS, "_bind_text(template, index, lists, is_reasoning)"},
    {"_unbind", (PyCFunction)lane_unbind, METH_NOARGS, "Forgets the event that repeats."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lane_getset[] = {
    {"_is_bound", (getter)lane_is_bound, NULL, "An event that repeats is known.", NULL},
    {"_pending", (getter)lane_get_pending, (setter)lane_set_pending, "Bytes that no lane has taken yet.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lane_members[] = {
    {"_room", T_LONGLONG, offsetof(lane, room), 0, "Bytes that the stream may still have."},
    {"_max_event", T_LONGLONG, offsetof(lane, max_event), 0, "Bytes that an event may have."},
    {"_hits", T_LONGLONG, offsetof(lane, hits), 0, "Events that took the lane."},
    {"_between", T_BOOL, offsetof(lane, between), 0, "The slow lane stands between two events."},
    {"_hopeful", T_BOOL, offsetof(lane, hopeful), 0, "Events may repeat."},
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
