/* A generator that is not gone through for each event:
 *
 *     for item in generator:
 *         if type(item) is Pulled:
 *             yield from item
 *         else:
 *             yield item
 *
 * What the `Pulled` raises is raised where the generator has given it. So the generator might as well have delegated to it,
 * but then each event would resume its frame, which takes longer than to make the event. To all others this is a generator.
 */
#include "native.h"

typedef struct steps {
    PyObject_HEAD
    module_state *state;
    PyObject *generator;
    PyObject *pulled;            /* whose events are given, or NULL */
    PyObject *weak;
    char running;
} steps;

static PyObject *steps_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *generator;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!", &PyGen_Type, &generator)) {
        return NULL;
    }
    steps *self = (steps *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = (module_state *)PyType_GetModuleState(type);
        self->generator = Py_NewRef(generator);
    }
    return (PyObject *)self;
}

static int enter(steps *self)
{
    if (self->running) {
        PyErr_SetString(PyExc_ValueError, "generator already executing");
        return -1;
    }
    self->running = 1;
    return 0;
}

/* Raises in the generator what has been raised, and answers what it gives then. */
static PyObject *raise_in(PyObject *generator)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(error, traceback);
    }
    PyObject *item = PyObject_CallMethod(generator, "throw", "O", error);
    Py_DECREF(type);
    Py_DECREF(error);
    Py_XDECREF(traceback);
    return item;
}

static PyObject *next_of(PyObject *iterator)
{
    return Py_TYPE(iterator)->tp_iternext(iterator);
}

/* What the generator gives next, behind the last event of what was pulled, or a fault there. */
static PyObject *resume(steps *self)
{
    Py_CLEAR(self->pulled);
    return PyErr_Occurred() ? raise_in(self->generator) : next_of(self->generator);
}

/* The next event, where the generator has given this item. */
static PyObject *event_from(steps *self, PyObject *item)
{
    while (item != NULL && Py_IS_TYPE(item, self->state->pulled_type)) {
        self->pulled = item;
        PyObject *event = next_of(item);
        if (event != NULL) {
            return event;
        }
        item = resume(self);
    }
    return item;
}

static PyObject *steps_next(steps *self)
{
    if (enter(self) < 0) {
        return NULL;
    }
    PyObject *event = self->pulled == NULL ? NULL : next_of(self->pulled);
    if (event == NULL) {
        event = event_from(self, resume(self));
    }
    self->running = 0;
    return event;
}

static PyObject *steps_send(steps *self, PyObject *sent)
{
    if (self->pulled != NULL) { /* which takes nothing */
        PyObject *event = steps_next(self);
        if (event == NULL && !PyErr_Occurred()) {
            PyErr_SetNone(PyExc_StopIteration);
        }
        return event;
    }
    if (enter(self) < 0) {
        return NULL;
    }
    PyObject *event = event_from(self, PyObject_CallMethod(self->generator, "send", "O", sent));
    self->running = 0;
    return event;
}

static PyObject *steps_throw(steps *self, PyObject *args)
{
    if (enter(self) < 0) {
        return NULL;
    }
    Py_CLEAR(self->pulled);
    PyObject *throw = PyObject_GetAttrString(self->generator, "throw");
    PyObject *event = throw == NULL ? NULL : event_from(self, PyObject_Call(throw, args, NULL));
    Py_XDECREF(throw);
    self->running = 0;
    return event;
}

static PyObject *steps_close(steps *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    Py_CLEAR(self->pulled);
    PyObject *done = PyObject_CallMethod(self->generator, "close", NULL);
    self->running = 0;
    return done;
}

/* ------------------------------------------------------------------ the type */

static int steps_traverse(steps *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->generator);
    Py_VISIT(self->pulled);
    return 0;
}

static int steps_clear(steps *self)
{
    Py_CLEAR(self->pulled);
    Py_CLEAR(self->generator); /* which closes it */
    return 0;
}

static void steps_dealloc(steps *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weak != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    steps_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef steps_methods[] = {
    {"send", (PyCFunction)steps_send, METH_O, "As a generator's."},
    {"throw", (PyCFunction)steps_throw, METH_VARARGS, "As a generator's."},
    {"close", (PyCFunction)steps_close, METH_NOARGS, "As a generator's."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef steps_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(steps, weak), READONLY, NULL},
    {"gi_running", T_BOOL, offsetof(steps, running), READONLY, "As a generator's."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot steps_slots[] = {
    {Py_tp_new, steps_new},
    {Py_tp_dealloc, steps_dealloc},
    {Py_tp_traverse, steps_traverse},
    {Py_tp_clear, steps_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, steps_next},
    {Py_tp_methods, steps_methods},
    {Py_tp_members, steps_members},
    {0, NULL},
};

PyType_Spec native_steps_spec = {
    .name = "toolstream._core._native.Steps",
    .basicsize = sizeof(steps),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = steps_slots,
};
