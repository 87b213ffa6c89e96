/* `Lane._pull_async`: what an async iterator gives goes to the lane, without Python for items that complete no event.
 *
 * An awaitable that is its own iterator, as a coroutine with this body would be:
 *
 *     async for item in items:
 *         events = lane.feed(item)
 *         if events:
 *             return events
 *     return None
 *
 * So what is sent or thrown into it goes on to the awaitable that the items gave, if one is being waited for.
 */
#include "native.h"

typedef struct pull {
    PyObject_HEAD
    module_state *state;
    PyObject *lane;
    PyObject *items;
    PyObject *waiting;           /* the iterator of the awaitable of the next item, or NULL */
    PyObject *events;            /* list, empty until it is answered; NULL once this is over */
    char running;
} pull;

PyObject *native_pull_new(module_state *state, PyObject *lane, PyObject *items)
{
    if (Py_TYPE(items)->tp_as_async == NULL || Py_TYPE(items)->tp_as_async->am_anext == NULL) {
        PyErr_SetString(PyExc_TypeError, "an async iterator is wanted");
        return NULL;
    }
    PyObject *events = PyList_New(0);
    pull *self = events == NULL ? NULL : (pull *)state->pull_type->tp_alloc(state->pull_type, 0);
    if (self == NULL) {
        Py_XDECREF(events);
        return NULL;
    }
    self->state = state;
    self->lane = Py_NewRef(lane);
    self->items = Py_NewRef(items);
    self->events = events;
    return (PyObject *)self;
}

/* ------------------------------------------------------------------ what can be awaited */

/* A generator that `types.coroutine` has marked. */
static int is_marked(PyObject *awaitable)
{
    if (!PyGen_CheckExact(awaitable)) {
        return 0;
    }
    PyObject *code = PyObject_GetAttrString(awaitable, "gi_code");
    int marked = code != NULL && PyCode_Check(code) && (((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE) != 0;
    Py_XDECREF(code);
    PyErr_Clear();
    return marked;
}

/* What `await` iterates; takes the reference to the awaitable. */
static PyObject *await_iterator(PyObject *awaitable)
{
    if (awaitable == NULL || PyCoro_CheckExact(awaitable) || is_marked(awaitable)) {
        return awaitable;
    }
    PyTypeObject *type = Py_TYPE(awaitable);
    unaryfunc await = type->tp_as_async == NULL ? NULL : type->tp_as_async->am_await;
    PyObject *iterator = NULL;
    if (await == NULL) {
        PyErr_Format(PyExc_TypeError, "__anext__ gave a %.100s, which can't be awaited", type->tp_name);
    } else {
        iterator = await(awaitable);
    }
    if (iterator != NULL && (!PyIter_Check(iterator) || PyCoro_CheckExact(iterator))) {
        PyErr_Format(PyExc_TypeError, "__await__() returned a %.100s, which is no iterator", Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    Py_DECREF(awaitable);
    return iterator;
}

/* ------------------------------------------------------------------ a step */

/* This is over; *result: what awaiting it answers, or NULL with an exception set. */
static PySendResult finish(pull *self, PyObject *answer, PyObject **result)
{
    Py_CLEAR(self->waiting);
    Py_CLEAR(self->events);
    *result = answer;
    return answer == NULL ? PYGEN_ERROR : PYGEN_RETURN;
}

/* Waiting for an item has raised: this is the end of the items, or a fault. */
static PySendResult finish_raised(pull *self, PyObject **result)
{
    if (!PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        return finish(self, NULL, result);
    }
    PyErr_Clear();
    return finish(self, Py_NewRef(Py_None), result);
}

/* An item has come: takes the reference to it. Answers 1 if it has completed events, 0 or -1. */
static int take(pull *self, PyObject *item)
{
    Py_CLEAR(self->waiting);
    int status = native_lane_take(self->lane, item, self->events);
    Py_DECREF(item);
    return status < 0 ? -1 : PyList_GET_SIZE(self->events) != 0;
}

/* Goes on until an awaitable has to wait, or there are events. item: one that has come, or NULL; sent: for the awaitable
 * that is being waited for. */
static PySendResult go_on(pull *self, PyObject *item, PyObject *sent, PyObject **result)
{
    for (unsigned turn = 1;; turn++) {
        if (item != NULL) {
            int status = take(self, item);
            if (status != 0) {
                return finish(self, status < 0 ? NULL : Py_NewRef(self->events), result);
            }
            sent = Py_None;
        }
        if (turn % SIGNAL_EVERY == 0 && PyErr_CheckSignals() < 0) {
            return finish(self, NULL, result);
        }
        if (self->waiting == NULL) {
            self->waiting = await_iterator(Py_TYPE(self->items)->tp_as_async->am_anext(self->items));
            if (self->waiting == NULL) {
                return finish_raised(self, result);
            }
        }
        PySendResult answer = PyIter_Send(self->waiting, sent, &item);
        if (answer == PYGEN_NEXT) {
            *result = item;
            return PYGEN_NEXT;
        }
        if (answer == PYGEN_ERROR) {
            return finish_raised(self, result);
        }
    }
}

static int enter(pull *self)
{
    if (self->running || self->events == NULL) {
        PyErr_SetString(PyExc_RuntimeError, self->running ? "this is being awaited already" : "this has been awaited");
        return -1;
    }
    self->running = 1;
    return 0;
}

static PySendResult pull_am_send(PyObject *object, PyObject *sent, PyObject **result)
{
    pull *self = (pull *)object;
    *result = NULL;
    if (enter(self) < 0) {
        return PYGEN_ERROR;
    }
    PySendResult answer = go_on(self, NULL, sent, result);
    self->running = 0;
    return answer;
}

/* A step's result as an iterator tells it. */
static PyObject *told(PySendResult answer, PyObject *result)
{
    if (answer == PYGEN_RETURN) {
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);
        if (stop != NULL) {
            PyErr_SetObject(PyExc_StopIteration, stop);
            Py_DECREF(stop);
        }
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *pull_send(pull *self, PyObject *sent)
{
    PyObject *result = NULL;
    PySendResult answer = pull_am_send((PyObject *)self, sent, &result);
    return told(answer, result);
}

static PyObject *pull_next(pull *self)
{
    return pull_send(self, Py_None);
}

/* ------------------------------------------------------------------ throwing and closing */

/* The method of what is being waited for. Answers 0 where there is none, -1 after an error. */
static int find_method(pull *self, const char *name, PyObject **method)
{
    *method = self->waiting == NULL ? NULL : PyObject_GetAttrString(self->waiting, name);
    if (*method == NULL && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    return *method != NULL;
}

static int close_waiting(pull *self)
{
    PyObject *method;
    int found = find_method(self, "close", &method);
    PyObject *done = found > 0 ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(done);
    Py_CLEAR(self->waiting);
    return found == 0 || done != NULL ? 0 : -1;
}

/* Raises what throw's arguments say: an exception, or a type with its value and traceback. */
static void raise_thrown(PyObject *args)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    if (!PyArg_UnpackTuple(args, "throw", 1, 3, &type, &value, &traceback)) {
        return;
    }
    PyObject *error = PyExceptionInstance_Check(type) ? Py_NewRef(type)
                      : value != NULL && PyExceptionInstance_Check(value)
                          ? Py_NewRef(value)
                          : PyObject_CallFunctionObjArgs(type, value == Py_None ? NULL : value, NULL);
    if (error == NULL) {
        return;
    }
    if (!PyExceptionInstance_Check(error)) {
        PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
    } else if (traceback == NULL || traceback == Py_None || PyException_SetTraceback(error, traceback) == 0) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_DECREF(error);
}

static int is_exit(PyObject *thrown)
{
    return PyExceptionClass_Check(thrown) ? PyErr_GivenExceptionMatches(thrown, PyExc_GeneratorExit)
                                          : PyObject_TypeCheck(thrown, (PyTypeObject *)PyExc_GeneratorExit);
}

/* The value that a StopIteration which has been raised carries; NULL with the exception set if it is another one. */
static PyObject *stop_value(void)
{
    PyObject *type, *error, *traceback;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return NULL;
    }
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *value = error == NULL ? NULL : PyObject_GetAttrString(error, "value");
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    return value;
}

static PySendResult throw_into(pull *self, PyObject *args, PyObject **result)
{
    PyObject *method = NULL;
    if (PyTuple_GET_SIZE(args) != 0 && is_exit(PyTuple_GET_ITEM(args, 0))) {
        if (close_waiting(self) < 0) {
            return finish(self, NULL, result);
        }
    } else if (find_method(self, "throw", &method) < 0) {
        return finish(self, NULL, result);
    }
    if (method == NULL) {
        raise_thrown(args);
        return finish(self, NULL, result);
    }
    *result = PyObject_Call(method, args, NULL);
    Py_DECREF(method);
    if (*result != NULL) {
        return PYGEN_NEXT;
    }
    PyObject *item = stop_value();
    return item == NULL ? finish_raised(self, result) : go_on(self, item, Py_None, result);
}

static PyObject *pull_throw(pull *self, PyObject *args)
{
    if (enter(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    PySendResult answer = throw_into(self, args, &result);
    self->running = 0;
    return told(answer, result);
}

static PyObject *pull_close(pull *self, PyObject *unused)
{
    (void)unused;
    if (self->events == NULL) {
        Py_RETURN_NONE;
    }
    if (enter(self) < 0) {
        return NULL;
    }
    int status = close_waiting(self);
    Py_CLEAR(self->events);
    self->running = 0;
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the type */

static int pull_traverse(pull *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->lane);
    Py_VISIT(self->items);
    Py_VISIT(self->waiting);
    Py_VISIT(self->events);
    return 0;
}

static int pull_clear(pull *self)
{
    Py_CLEAR(self->waiting);
    Py_CLEAR(self->lane);
    Py_CLEAR(self->items);
    Py_CLEAR(self->events);
    return 0;
}

static void pull_dealloc(pull *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    pull_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef pull_methods[] = {
    {"send", (PyCFunction)pull_send, METH_O, "As a coroutine's."},
    {"throw", (PyCFunction)pull_throw, METH_VARARGS, "As a coroutine's."},
    {"close", (PyCFunction)pull_close, METH_NOARGS, "As a coroutine's."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot pull_slots[] = {
    {Py_tp_dealloc, pull_dealloc},
    {Py_tp_traverse, pull_traverse},
    {Py_tp_clear, pull_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, pull_next},
    {Py_tp_methods, pull_methods},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, pull_am_send},
    {0, NULL},
};

PyType_Spec native_pull_spec = {
    .name = "toolstream._core._native.Pull",
    .basicsize = sizeof(pull),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pull_slots,
};
