/* What events are made of: their instances, their paths and the lists that hold them begin and end without Python's general
 * ways.
 *
 * Most streams make an event and let go of the one before, again and again. So a class keeps a few that have ended, as
 * Python does with its own floats and tuples: they need no memory anew. So do paths.
 */
#include "native.h"

/* A list has room for so many events at first, as Python gives it. */
#define FIRST_EVENTS 4

/* ------------------------------------------------------------------ paths */

PyObject *native_path(module_state *state, PyObject *path, PyObject *place)
{
    if (place == NULL) {
        return NULL;
    }
    Py_ssize_t size = PyTuple_GET_SIZE(path);
    path_spares *spares = size < PATH_LONGEST ? &state->paths[size] : NULL;
    PyObject *longer;
    if (spares != NULL && spares->count != 0) {
        longer = spares->paths[--spares->count];
    } else {
        longer = PyTuple_New(size + 1);
        if (longer == NULL) {
            Py_DECREF(place);
            return NULL;
        }
        PyObject_GC_UnTrack(longer); /* keys and indexes lead back to nothing */
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyTuple_SET_ITEM(longer, i, Py_NewRef(PyTuple_GET_ITEM(path, i)));
    }
    PyTuple_SET_ITEM(longer, size, place);
    return longer;
}

/* Keeps a path that only the caller holds, without its steps; takes the reference. Answers 0, with nothing changed, if it is
 * none, or if there are enough. */
static inline int path_keep(module_state *state, PyObject *path)
{
    Py_ssize_t size = PyTuple_GET_SIZE(path);
    if (size == 0 || size > PATH_LONGEST || PyObject_GC_IsTracked(path)) {
        return 0;
    }
    path_spares *spares = &state->paths[size - 1];
    if (spares->count == PATH_SPARES) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *step = PyTuple_GET_ITEM(path, i);
        PyTuple_SET_ITEM(path, i, NULL);
        Py_DECREF(step);
    }
#if PY_VERSION_HEX >= 0x030e0000
    ((PyTupleObject *)path)->ob_hash = -1;
#endif
    if (spares->count == PATH_SPARES) { /* a step's end may have run other code */
        Py_DECREF(path);
    } else {
        spares->paths[spares->count++] = path;
    }
    return 1;
}

void native_paths_clear(module_state *state)
{
    for (int size = 0; size < PATH_LONGEST; size++) {
        path_spares *spares = &state->paths[size];
        while (spares->count != 0) {
            Py_DECREF(spares->paths[--spares->count]);
        }
    }
}

/* ------------------------------------------------------------------ lists */

int native_append_more(PyObject *events, PyObject *event)
{
#ifndef Py_GIL_DISABLED
    PyListObject *list = (PyListObject *)events;
    if (list->allocated == 0) { /* what appending does, without the way there: most lists of events are new */
        PyObject **items = PyMem_New(PyObject *, FIRST_EVENTS);
        if (items != NULL) {
            items[0] = event;
            list->ob_item = items;
            list->allocated = FIRST_EVENTS;
            Py_SET_SIZE(list, 1);
            return 0;
        }
    }
#endif
    int status = PyList_Append(events, event);
    Py_DECREF(event);
    return status;
}

/* ------------------------------------------------------------------ instances */

/* The class of this type among those that are made here, or NULL. */
static event_class *class_of(module_state *state, PyTypeObject *type)
{
    return type == state->complete.type    ? &state->complete
           : type == state->delta.type     ? &state->delta
           : type == state->text.type      ? &state->text
           : type == state->reasoning.type ? &state->reasoning
                                           : NULL;
}

static module_state *state_of(PyTypeObject *type)
{
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    return module == NULL ? NULL : (module_state *)PyModule_GetState(module);
}

/* The memory of an event that has ended. */
static inline void event_keep(module_state *state, PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    event_class *class = state == NULL ? NULL : class_of(state, type);
    if (class != NULL && class->spare_count < EVENT_SPARES) {
        class->spares[class->spare_count++] = self;
    } else {
        type->tp_free(self);
    }
    Py_DECREF(type);
}

static void event_dealloc(PyObject *self);

/* Ends the fields of an event. Answers 0 before one that would end another event, unless that may be. */
static inline int fields_end(module_state *state, PyObject *self, PyTypeObject *own, int may_end_events)
{
    PyObject **end = (PyObject **)((char *)self + own->tp_basicsize);
    for (PyObject **slot = (PyObject **)(self + 1); slot < end; slot++) {
        PyObject *held = *slot;
        if (held != NULL && Py_REFCNT(held) == 1) {
            if (!may_end_events && Py_TYPE(held)->tp_dealloc == event_dealloc) {
                return 0;
            }
            held = state != NULL && PyTuple_CheckExact(held) && path_keep(state, held) ? NULL : held;
        }
        *slot = NULL;
        Py_XDECREF(held);
    }
    return 1;
}

/* Events that hold events end without recursion. */
static TS_NOINLINE void event_end_chain(module_state *state, PyObject *self, PyTypeObject *own)
{
    Py_TRASHCAN_BEGIN(self, event_dealloc)
    (void)fields_end(state, self, own, 1);
    event_keep(state, self);
    Py_TRASHCAN_END
}

/* Ends an event whose fields are slots behind the head and nothing else: what Python's own function for classes with
 * __slots__ does, without the search for what else such a class might have. */
static void event_dealloc(PyObject *self)
{
    PyTypeObject *own = Py_TYPE(self); /* or a subclass, which has ended its part */
    module_state *state = state_of(own);
    PyObject_GC_UnTrack(self);
    while (own->tp_dealloc != event_dealloc) {
        own = own->tp_base;
    }
    if (fields_end(state, self, own, 0)) {
        event_keep(state, self);
    } else {
        event_end_chain(state, self, own);
    }
}

PyObject *native_event(event_class *class, int is_plain)
{
    if (class->spare_count == 0) {
        return class->type->tp_alloc(class->type, 0);
    }
    PyObject *event = PyObject_Init(class->spares[--class->spare_count], class->type);
    if (!is_plain) {
        PyObject_GC_Track(event);
    }
    return event;
}

void native_event_class_clear(event_class *class)
{
    while (class->spare_count != 0) {
        class->type->tp_free(class->spares[--class->spare_count]);
    }
    Py_CLEAR(class->type);
}

/* Whether instances are as event_dealloc says. */
static int is_plain(PyTypeObject *type, Py_ssize_t fields)
{
    return type->tp_base != NULL && type->tp_base->tp_basicsize == (Py_ssize_t)sizeof(PyObject) &&
           type->tp_basicsize == (Py_ssize_t)sizeof(PyObject) + fields * (Py_ssize_t)sizeof(PyObject *) &&
           type->tp_dictoffset == 0 && type->tp_weaklistoffset == 0 && type->tp_itemsize == 0 &&
           type->tp_finalize == NULL && type->tp_del == NULL && PyType_IS_GC(type) &&
           PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
}

Py_ssize_t native_slot(PyTypeObject *type, PyObject *name)
{
    PyObject *slot = PyObject_GetAttr((PyObject *)type, name);
    if (slot == NULL) {
        return -1;
    }
    Py_ssize_t offset = -1;
    if (PyObject_TypeCheck(slot, &PyMemberDescr_Type)) {
        offset = ((PyMemberDescrObject *)slot)->d_member->offset;
    } else {
        PyErr_Format(PyExc_TypeError, "%U is no slot", name);
    }
    Py_DECREF(slot);
    return offset;
}

int native_event_class_set(event_class *class, PyObject *module, PyObject *type, const char *const *names)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "an event class is wanted");
        return -1;
    }
    Py_ssize_t fields = 0;
    for (; fields < EVENT_FIELDS && names[fields] != NULL; fields++) {
        PyObject *name = PyUnicode_FromString(names[fields]);
        class->slots[fields] = name == NULL ? -1 : native_slot((PyTypeObject *)type, name);
        Py_XDECREF(name);
        if (class->slots[fields] < 0) {
            return -1;
        }
    }
    native_event_class_clear(class);
    class->type = (PyTypeObject *)Py_NewRef(type);
    if (is_plain(class->type, fields)) {
        PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
        heap->ht_module = heap->ht_module == NULL ? Py_NewRef(module) : heap->ht_module; /* where its spares are */
        class->type->tp_dealloc = event_dealloc;
    }
    return 0;
}
