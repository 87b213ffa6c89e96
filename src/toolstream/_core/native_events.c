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

static int is_message(const lane *self, PyObject *type)
{
    return type == self->state->names[NAME_MESSAGE] || PyUnicode_CompareWithASCIIString(type, "message") == 0;
}

/* The event that a frame holds; NULL without an exception where that is not plain to see. */
static PyObject *decode(lane *self, PyObject *frame)
{
    PyObject *const *names = self->state->names;
    PyObject *type = PyTuple_GET_ITEM(frame, 0);
    PyObject *event = PyObject_CallOneArg(self->state->loads, PyTuple_GET_ITEM(frame, 1));
    if (event == NULL) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
        }
        return NULL;
    }
    int has_type = PyDict_CheckExact(event) ? PyDict_Contains(event, names[NAME_TYPE]) : -1;
    if (has_type == 0 && !is_message(self, type) && PyDict_SetItem(event, names[NAME_TYPE], type) < 0) {
        has_type = -1;
    }
    if (has_type < 0) {
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

static int event_handle(lane *self, PyObject *frame, const arrival *came, PyObject *event, PyObject *events)
{
    native_unbind(self); /* what the template meant may change */
    int may_bind = self->known && self->hopeful;
    PyObject *done = events_set(self, events) < 0 ? NULL : event_tell(self, event);
    if (done == NULL || (may_bind && native_bind(self, frame, came, event) < 0)) {
        Py_XDECREF(done);
        return fault_take(self, event, events);
    }
    Py_DECREF(done);
    return events_unset(self);
}

/* `[DONE]`, say: no JSON object at all. */
static int is_object(PyObject *frame)
{
    PyObject *data = PyTuple_GET_ITEM(frame, 1);
    return PyBytes_GET_SIZE(data) != 0 && PyBytes_AS_STRING(data)[0] == '{';
}

static int frame_handle(lane *self, PyObject *frame, const arrival *came, PyObject *events)
{
    PyObject *event = self->steady && is_object(frame) ? decode(self, frame) : NULL;
    if (event != NULL) {
        int status = event_handle(self, frame, came, event, events);
        Py_DECREF(event);
        return status;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    return leave_to_python(self, NAME_TAKE_FRAME, frame, events);
}

/* A fault of the framing's: the slow lane tells of it when it is fed, were it with nothing. */
static int framing_fault(lane *self, PyObject *events)
{
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    int status = nothing == NULL ? -1 : leave_to_python(self, NAME_FEED_SLOWLY, nothing, events);
    Py_XDECREF(nothing);
    return status;
}

static int frames_handle(lane *self, PyObject *bytes, PyObject *events)
{
    int is_start = native_frames_are_between(self->framing);
    PyObject *frames = native_frames_take(self->framing, bytes);
    int status = frames == NULL ? -1 : 0;
    arrival came = {{PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)}, 0};
    /* What began behind a blank line and made one frame is that frame. */
    came.is_whole = is_start && status == 0 && PyList_GET_SIZE(frames) == 1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(frames); i++) {
        status = frame_handle(self, PyList_GET_ITEM(frames, i), &came, events);
    }
    Py_XDECREF(frames);
    return status;
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
    int status = frames_handle(self, bytes, events);
    self->between = (char)native_frames_are_between(self->framing);
    return status == 0 && native_frames_failed(self->framing) ? framing_fault(self, events) : status;
}
