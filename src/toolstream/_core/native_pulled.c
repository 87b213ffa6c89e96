/* `Lane._pull_all`: the events of all that an iterator gives, each without Python:
 *
 *     while (events := lane._pull(items)) is not None:
 *         yield from events
 *
 * It closes nothing, and holds what an item has completed, if it is more than one event, until the next item is wanted.
 */
#include "native.h"

typedef struct pulled {
    PyObject_HEAD
    PyObject *lane;
    PyObject *items;             /* NULL once they have ended, and while one of them is waited for */
    PyObject *events;            /* list, or NULL */
    Py_ssize_t next;             /* of several of them, the one that is given next */
} pulled;

PyObject *native_pulled_new(module_state *state, PyObject *lane, PyObject *items)
{
    if (!PyIter_Check(items)) {
        PyErr_SetString(PyExc_TypeError, "an iterator is wanted");
        return NULL;
    }
    pulled *self = (pulled *)state->pulled_type->tp_alloc(state->pulled_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->lane = Py_NewRef(lane);
    self->items = Py_NewRef(items);
    return (PyObject *)self;
}

/* An empty list: the one there was, where nobody else has it. New reference. */
static PyObject *emptied(PyObject *events)
{
    if (events == NULL || Py_REFCNT(events) != 1) {
        Py_XDECREF(events);
        return PyList_New(0);
    }
    for (Py_ssize_t last = PyList_GET_SIZE(events) - 1; last >= 0; last--) {
        PyObject *event = PyList_GET_ITEM(events, last);
        Py_SET_SIZE(events, last);
        Py_DECREF(event);
    }
    return events;
}

/* Answers as native_lane_pull. What this needs belongs to this call alone: who comes in meanwhile finds the end. */
static int pull(pulled *self)
{
    PyObject *items = self->items, *old = self->events;
    self->items = self->events = NULL;
    self->next = 0;
    if (items == NULL) {
        Py_XDECREF(old);
        return 0;
    }
    PyObject *events = emptied(old);
    int status = events == NULL ? -1 : native_lane_pull(self->lane, items, events);
    if (status > 0) {
        self->items = items;
        self->events = events;
    } else {
        Py_XDECREF(events);
        Py_DECREF(items);
    }
    return status;
}

static PyObject *pulled_next(pulled *self)
{
    PyObject *events = self->events;
    if (events == NULL || self->next >= PyList_GET_SIZE(events)) {
        if (pull(self) <= 0) {
            return NULL;
        }
        events = self->events;
        if (PyList_GET_SIZE(events) == 1) { /* as it mostly is: handed over, so that none are left */
            Py_SET_SIZE(events, 0);
            return PyList_GET_ITEM(events, 0);
        }
    }
    return Py_NewRef(PyList_GET_ITEM(events, self->next++));
}

/* ------------------------------------------------------------------ the type */

static int pulled_traverse(pulled *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->lane);
    Py_VISIT(self->items);
    Py_VISIT(self->events);
    return 0;
}

static int pulled_clear(pulled *self)
{
    Py_CLEAR(self->lane);
    Py_CLEAR(self->items);
    Py_CLEAR(self->events);
    return 0;
}

static void pulled_dealloc(pulled *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    pulled_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot pulled_slots[] = {
    {Py_tp_dealloc, pulled_dealloc},
    {Py_tp_traverse, pulled_traverse},
    {Py_tp_clear, pulled_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, pulled_next},
    {0, NULL},
};

PyType_Spec native_pulled_spec = {
    .name = "toolstream._core._native.Pulled",
    .basicsize = sizeof(pulled),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pulled_slots,
};
