/* The constructor of an immutable class as a C object: events and usage counts are made for many chunks.
 *
 * `__init__` of a class is looked up like a function: flagged as a method, this object is called with the instance
 * before the arguments. It stores what was given in the instance's slots; anything but the usual way to call it (all
 * arguments but those with defaults, in the order of the parameters, by position or by name) is left to the function
 * that was written in Python, which also raises what is to be raised.
 */
#include "native.h"

#define CONSTRUCTOR_FIELDS 8

typedef struct constructor {
    PyObject_HEAD
    vectorcallfunc call;
    PyTypeObject *owner;         /* the class */
    PyObject *written;           /* the same in Python */
    PyObject *names;             /* tuple: of the parameters, interned */
    PyObject *defaults;          /* tuple: of the last parameters */
    Py_ssize_t count;
    Py_ssize_t slots[CONSTRUCTOR_FIELDS];
} constructor;

/* Whether the arguments are the first parameters in order, and no default is missing for the others. */
static int in_order(const constructor *self, Py_ssize_t positional, PyObject *names, Py_ssize_t given)
{
    if (given > self->count || given < self->count - PyTuple_GET_SIZE(self->defaults)) {
        return 0;
    }
    for (Py_ssize_t i = positional; i < given; i++) {
        if (PyTuple_GET_ITEM(names, i - positional) != PyTuple_GET_ITEM(self->names, i)) {
            return 0;
        }
    }
    return 1;
}

static PyObject *constructor_call(PyObject *callable, PyObject *const *args, size_t flagged, PyObject *names)
{
    constructor *self = (constructor *)callable;
    Py_ssize_t positional = PyVectorcall_NARGS(flagged) - 1; /* the instance comes first */
    Py_ssize_t given = positional + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    if (positional < 0 || !in_order(self, positional, names, given) || !PyObject_TypeCheck(args[0], self->owner)) {
        return PyObject_Vectorcall(self->written, args, flagged, names);
    }
    Py_ssize_t first_default = self->count - PyTuple_GET_SIZE(self->defaults);
    for (Py_ssize_t i = 0; i < self->count; i++) {
        PyObject *value = i < given ? args[i + 1] : PyTuple_GET_ITEM(self->defaults, i - first_default);
        PyObject **slot = (PyObject **)((char *)args[0] + self->slots[i]);
        Py_XSETREF(*slot, Py_NewRef(value));
    }
    Py_RETURN_NONE;
}

/* Where the class's instances keep a slot; -1 with an exception where it has none of the name. */
static Py_ssize_t slot_of(PyTypeObject *owner, PyObject *name)
{
    PyObject *slot = PyObject_GetAttr((PyObject *)owner, name);
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

static PyObject *constructor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *owner;
    PyObject *names, *written, *defaults;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!O!OO!", &PyType_Type, &owner, &PyTuple_Type, &names, &written, &PyTuple_Type,
                          &defaults)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (count > CONSTRUCTOR_FIELDS || PyTuple_GET_SIZE(defaults) > count) {
        PyErr_SetString(PyExc_ValueError, "too many parameters");
        return NULL;
    }
    constructor *self = (constructor *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->call = constructor_call;
    self->owner = (PyTypeObject *)Py_NewRef(owner);
    self->written = Py_NewRef(written);
    self->names = Py_NewRef(names);
    self->defaults = Py_NewRef(defaults);
    self->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        self->slots[i] = slot_of(owner, PyTuple_GET_ITEM(names, i));
        if (self->slots[i] < 0) {
            Py_DECREF(self);
            return NULL;
        }
    }
    return (PyObject *)self;
}

static int constructor_traverse(constructor *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->owner);
    Py_VISIT(self->written);
    Py_VISIT(self->names);
    Py_VISIT(self->defaults);
    return 0;
}

static int constructor_clear(constructor *self)
{
    Py_CLEAR(self->owner);
    Py_CLEAR(self->written);
    Py_CLEAR(self->names);
    Py_CLEAR(self->defaults);
    return 0;
}

static void constructor_dealloc(constructor *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    constructor_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef constructor_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(constructor, call), READONLY, NULL},
    {"__wrapped__", T_OBJECT_EX, offsetof(constructor, written), READONLY, "The same in Python."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot constructor_slots[] = {
    {Py_tp_new, constructor_new},
    {Py_tp_dealloc, constructor_dealloc},
    {Py_tp_traverse, constructor_traverse},
    {Py_tp_clear, constructor_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, constructor_members},
    {0, NULL},
};

PyType_Spec native_constructor_spec = {
    .name = "toolstream._core._native.Constructor",
    .basicsize = sizeof(constructor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = constructor_slots,
};
