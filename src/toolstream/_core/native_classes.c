/* The event classes: their instances begin and end without Python's general ways.
 *
 * Most streams make an event and let go of the one before, again and again. So a class keeps a few that have ended, as
 * Python does with its own floats and tuples: they need no memory anew.
 */
#include "native.h"

/* The class of this type among those that are made here, or NULL. */
static event_class *class_of(PyTypeObject *type)
{
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    module_state *state = module == NULL ? NULL : (module_state *)PyModule_GetState(module);
    if (state == NULL) {
        return NULL;
    }
    return type == state->delta.type       ? &state->delta
           : type == state->complete.type  ? &state->complete
           : type == state->text.type      ? &state->text
           : type == state->reasoning.type ? &state->reasoning
                                           : NULL;
}

/* Ends an event whose fields are slots behind the head and nothing else: what Python's own function for classes with
 * __slots__ does, without the search for what else such a class might have. */
static void event_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self), *own = type; /* or a subclass, which has ended its part */
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, event_dealloc) /* events that hold events end without recursion */
    while (own->tp_dealloc != event_dealloc) {
        own = own->tp_base;
    }
    PyObject **end = (PyObject **)((char *)self + own->tp_basicsize);
    for (PyObject **slot = (PyObject **)(self + 1); slot < end; slot++) {
        Py_CLEAR(*slot);
    }
    event_class *class = class_of(type);
    if (class != NULL && class->spare_count < EVENT_SPARES) {
        class->spares[class->spare_count++] = self;
    } else {
        type->tp_free(self);
    }
    Py_DECREF(type);
    Py_TRASHCAN_END
}

PyObject *native_event(event_class *class)
{
    if (class->spare_count == 0) {
        return class->type->tp_alloc(class->type, 0);
    }
    PyObject *event = PyObject_Init(class->spares[--class->spare_count], class->type);
    PyObject_GC_Track(event);
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
