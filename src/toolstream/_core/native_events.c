/* The events that do not match a template, once it is known what reads them: SSE frames are decoded and given to the
 * adapter with no Python between. `StreamParser._feed_slowly` does the same for all streams and is the reference; what
 * is not plain goes there: the first event, a frame that is no JSON object, whatever has raised. What answers an int here
 * answers 0, or -1 with an exception set, if nothing else is said. */
#include "native_lane.h"

static int leave_to_python(lane *self, enum name method, PyObject *what, PyObject *events)
{
    PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, self->state->names[method], what, events, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* The assembler adds to this list what happens. */
static int events_set(lane *self, PyObject *events)
{
    return PyObject_SetAttr(self->assembler, self->state->names[NAME_EVENTS], events);
}

/* As long as nothing is being read, nothing can happen: a tuple, so that nothing gets lost in it. */
static int events_unset(lane *self)
{
    PyObject *none = PyTuple_New(0);
    int status = none == NULL ? -1 : events_set(self, none);
    Py_XDECREF(none);
    return status;
}

/* Shorter data is copied for orjson, which costs less than a view of it. */
#define VIEW_FROM 2048

/* A frame's type as a str. */
static PyObject *type_of(const lane *self, const slow_frame *frame)
{
    return frame->type.size == 0 ? Py_NewRef(self->state->names[NAME_MESSAGE])
                                 : PyUnicode_DecodeUTF8(frame->type.data, (Py_ssize_t)frame->type.size, "replace");
}

/* Gives an event without a type the frame's, if that has one of its own. Answers 0, or -1 with an exception set. */
static int type_set(lane *self, const slow_frame *frame, PyObject *event)
{
    PyObject *name = self->state->names[NAME_TYPE];
    int has_type = PyDict_Contains(event, name);
    if (has_type != 0 || frame->type.size == 0) {
        return has_type < 0 ? -1 : 0;
    }
    PyObject *type = type_of(self, frame);
    int is_plain = type != NULL && PyUnicode_Compare(type, self->state->names[NAME_MESSAGE]) != 0;
    int status = type == NULL ? -1 : is_plain ? PyDict_SetItem(event, name, type) : 0;
    Py_XDECREF(type);
    return status;
}

/* What orjson makes of a frame's data. */
static PyObject *data_load(lane *self, ts_bytes data)
{
    PyObject *text = data.size < VIEW_FROM
                         ? PyBytes_FromStringAndSize(data.data, (Py_ssize_t)data.size)
                         : PyMemoryView_FromMemory((char *)(uintptr_t)data.data, (Py_ssize_t)data.size, PyBUF_READ);
    PyObject *event = text == NULL ? NULL : PyObject_CallOneArg(self->state->loads, text);
    Py_XDECREF(text);
    return event;
}

/* The event that a frame holds; NULL without an exception where that is not plain to see. */
static PyObject *decode(lane *self, const slow_frame *frame)
{
    PyObject *event = native_load_resent(self, frame->data);
    if (event == NULL && !PyErr_Occurred()) {
        event = data_load(self, frame->data);
    }
    if (event == NULL) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
        }
        return NULL;
    }
    if (!PyDict_CheckExact(event) || type_set(self, frame, event) < 0) {
        Py_CLEAR(event);
    }
    return event;
}

/* Has the subclass decide what an exception of the adapter's means for the stream. */
static int fault_take(lane *self, PyObject *event, PyObject *events)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(error, traceback);
    }
    PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, self->state->names[NAME_TAKE_FAULT], event, error,
                                                events, NULL);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Gives an event to the adapter, or to the subclass as long as something has to be decided about it. */
static PyObject *event_tell(lane *self, PyObject *event)
{
    PyObject *const *names = self->state->names;
    if (!self->known) {
        return PyObject_CallMethodOneArg((PyObject *)self, names[NAME_HANDLE_FIRST], event);
    }
    PyObject *args[] = {self->adapter, event, self->assembler};
    return PyObject_VectorcallMethod(names[NAME_HANDLE], args, 3, NULL);
}

static int event_handle(lane *self, const slow_frame *frame, PyObject *event, PyObject *events)
{
    native_unbind(self); /* what the template meant may change */
    int may_bind = self->known && self->hopeful;
    PyObject *done = events_set(self, events) < 0 ? NULL : event_tell(self, event);
    if (done == NULL || (may_bind && native_bind(self, frame, event) < 0)) {
        Py_XDECREF(done);
        return fault_take(self, event, events);
    }
    Py_DECREF(done);
    return events_unset(self);
}

/* Gives the slow lane a frame as it has them: (type, data). */
static int frame_leave(lane *self, const slow_frame *frame, PyObject *events)
{
    PyObject *type = type_of(self, frame);
    PyObject *data = type == NULL ? NULL : PyBytes_FromStringAndSize(frame->data.data, (Py_ssize_t)frame->data.size);
    PyObject *pair = data == NULL ? NULL : PyTuple_Pack(2, type, data);
    Py_XDECREF(type);
    Py_XDECREF(data);
    int status = pair == NULL ? -1 : leave_to_python(self, NAME_TAKE_FRAME, pair, events);
    Py_XDECREF(pair);
    return status;
}

static int frame_handle(lane *self, const slow_frame *frame, PyObject *events)
{
    int is_object = frame->data.size != 0 && frame->data.data[0] == '{'; /* and not `[DONE]`, say */
    PyObject *event = self->steady && is_object ? decode(self, frame) : NULL;
    if (event != NULL) {
        int status = event_handle(self, frame, event, events);
        Py_DECREF(event);
        return status;
    }
    return PyErr_Occurred() ? -1 : frame_leave(self, frame, events);
}

/* A fault of the framing's: the slow lane tells of it when it is fed, were it with nothing. */
static int framing_fault(lane *self, PyObject *events)
{
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    int status = nothing == NULL ? -1 : leave_to_python(self, NAME_FEED_SLOWLY, nothing, events);
    Py_XDECREF(nothing);
    return status;
}

/* Handles the events that begin a chunk and lie whole in it. *taken: how far they go. */
static int whole_handle(lane *self, ts_bytes chunk, size_t *taken, PyObject *events)
{
    int status = 0;
    ts_frame found;
    for (size_t at = 0, size = 1; status == 0 && size != 0; at += size) {
        const char *data = chunk.data + at;
        size = native_frames_take_whole(self->framing, data, chunk.size - at, &found);
        *taken = at + size;
        if (size != 0) {
            slow_frame frame = {{data + found.event, (size_t)found.event_size},
                                {data + found.data, (size_t)found.data_size}, {data, size}, 1};
            status = frame_handle(self, &frame, events);
        }
    }
    return status;
}

/* Handles a frame that the framer has cut, (type, data), of these bytes. */
static int cut_handle(lane *self, PyObject *pair, ts_bytes bytes, int is_whole, PyObject *events)
{
    PyObject *type = PyTuple_GET_ITEM(pair, 0), *data = PyTuple_GET_ITEM(pair, 1);
    slow_frame frame = {{NULL, 0}, {PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data)}, bytes, is_whole};
    if (type != self->state->names[NAME_MESSAGE]) {
        Py_ssize_t size;
        frame.type.data = PyUnicode_AsUTF8AndSize(type, &size);
        if (frame.type.data == NULL) {
            return -1;
        }
        frame.type.size = (size_t)size;
    }
    return frame_handle(self, &frame, events);
}

/* Handles the events that bytes complete, of which the framer is needed to cut the first. */
static int cuts_handle(lane *self, ts_bytes bytes, PyObject *events)
{
    int is_start = native_frames_are_between(self->framing);
    PyObject *frames = native_frames_take(self->framing, bytes.data, bytes.size);
    int status = frames == NULL ? -1 : 0;
    /* What began behind a blank line and made one frame is that frame. */
    int is_whole = is_start && status == 0 && PyList_GET_SIZE(frames) == 1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(frames); i++) {
        status = cut_handle(self, PyList_GET_ITEM(frames, i), bytes, is_whole, events);
    }
    Py_XDECREF(frames);
    return status;
}

static int frames_handle(lane *self, ts_bytes chunk, PyObject *events)
{
    size_t taken;
    int status = whole_handle(self, chunk, &taken, events);
    if (status < 0 || taken == chunk.size) {
        return status;
    }
    return cuts_handle(self, (ts_bytes){chunk.data + taken, chunk.size - taken}, events);
}

static int can_frame(const lane *self)
{
    return self->steady && self->assembler != NULL && self->framing != NULL &&
           PyObject_TypeCheck(self->framing, self->state->frames_type);
}

int native_handle(lane *self, PyObject *bytes, PyObject *events)
{
    long long size = PyBytes_CheckExact(bytes) ? (long long)PyBytes_GET_SIZE(bytes) : -1;
    if (!can_frame(self) || self->adapter == Py_None || size < 0 || size > self->room) {
        return leave_to_python(self, NAME_FEED_SLOWLY, bytes, events);
    }
    return native_take_frames(self, bytes, events);
}

int native_take_frames(lane *self, PyObject *bytes, PyObject *events)
{
    if (!can_frame(self)) {
        PyErr_SetString(PyExc_RuntimeError, "these are no frames of SSE");
        return -1;
    }
    self->room -= (long long)PyBytes_GET_SIZE(bytes);
    self->framed += (long long)PyBytes_GET_SIZE(bytes);
    ts_bytes chunk = {PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
    int status = frames_handle(self, chunk, events);
    self->between = (char)native_frames_are_between(self->framing);
    return status == 0 && native_frames_failed(self->framing) ? framing_fault(self, events) : status;
}
