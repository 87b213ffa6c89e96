/* The constructor of a plain class as a C object: events, calls and usage counts are made for many chunks.
 *
 * `__init__` of a class is looked up like a function: flagged as a method, this object is called with the instance
 * before the arguments. It stores what was given in the instance's slots, and constants in the others. A call that does
 * not fit is left to the function that was written in Python, which also raises what is to be raised.
 *
 * Where the class comes from `Record`, a call of it goes straight here: Python would make a tuple and a dict of the
 * arguments, and take them apart again.
 */
#include "native.h"

#define CONSTRUCTOR_FIELDS 32

typedef struct constructor {
    PyObject_HEAD
    vectorcallfunc call;
    PyTypeObject *owner;         /* the class */
    PyObject *written;           /* the same in Python */
    PyObject *names;             /* tuple: of the parameters, interned */
    PyObject *values;            /* tuple: what each slot gets if nothing is given for it; Ellipsis: something must be;
                                    NotImplemented: of nothing, or None, the written one makes something else */
    Py_ssize_t count;            /* of the slots: the parameters' first */
    Py_ssize_t slots[CONSTRUCTOR_FIELDS];
} constructor;

/* Finds what each parameter is given, by position or by name in the order of the parameters. Answers 0 if it does not
 * fit. */
static int arguments_find(const constructor *self, PyObject *const *args, Py_ssize_t positional, PyObject *names,
                          PyObject **given)
{
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    Py_ssize_t parameters = PyTuple_GET_SIZE(self->names);
    if (positional + named > parameters) {
        return 0;
    }
    Py_ssize_t name = 0;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        given[i] = PyTuple_GET_ITEM(self->values, i);
        if (i < positional) {
            given[i] = args[i];
        } else if (name < named && i < parameters && PyTuple_GET_ITEM(names, name) == PyTuple_GET_ITEM(self->names, i)) {
            given[i] = args[positional + name++];
        }
        int is_made = PyTuple_GET_ITEM(self->values, i) == Py_NotImplemented;
        if (given[i] == Py_Ellipsis || (is_made && (given[i] == Py_NotImplemented || given[i] == Py_None))) {
            return 0;
        }
    }
    return name == named;
}

static void slots_set(const constructor *self, PyObject *instance, PyObject *const *given)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        PyObject **slot = (PyObject **)((char *)instance + self->slots[i]);
        Py_XSETREF(*slot, Py_NewRef(given[i]));
    }
}

static PyObject *constructor_call(PyObject *callable, PyObject *const *args, size_t flagged, PyObject *names)
{
    constructor *self = (constructor *)callable;
    PyObject *given[CONSTRUCTOR_FIELDS];
    Py_ssize_t positional = PyVectorcall_NARGS(flagged) - 1; /* the instance comes first */
    if (positional < 0 || !PyObject_TypeCheck(args[0], self->owner) ||
        !arguments_find(self, args + 1, positional, names, given)) {
        return PyObject_Vectorcall(self->written, args, flagged, names);
    }
    slots_set(self, args[0], given);
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ calls of the class */

static PyMethodDef record_methods[] = {{NULL, NULL, 0, NULL}};

/* The constructor that a class has as its own `__init__`, borrowed; NULL if it has another one. */
static constructor *constructor_of(PyTypeObject *type)
{
    PyTypeObject *base = type; /* Record, which knows the module's state */
    while (base->tp_methods != record_methods) {
        base = base->tp_base;
    }
    module_state *state = (module_state *)PyType_GetModuleState(base);
    PyObject *init = PyDict_GetItemWithError(type->tp_dict, state->names[NAME_INIT]);
    return init != NULL && Py_TYPE(init) == state->constructor_type ? (constructor *)init : NULL;
}

int native_record_read(module_state *state, PyObject *record, PyObject **fields, Py_ssize_t count)
{
    PyTypeObject *type = Py_TYPE(record);
    const constructor *init = PyType_IsSubtype(type, state->record_type) ? constructor_of(type) : NULL;
    if (init == NULL || init->owner != type || init->count != count) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        fields[i] = *(PyObject **)((char *)record + init->slots[i]);
        if (fields[i] == NULL) {
            return 0;
        }
    }
    return 1;
}

/* Calls the class as if it had no way of its own. */
static PyObject *class_call(PyObject *class, PyObject *const *args, Py_ssize_t positional, PyObject *names)
{
    PyObject *tuple = PyTuple_New(positional);
    PyObject *dict = names == NULL ? NULL : PyDict_New();
    int status = tuple == NULL || (names != NULL && dict == NULL) ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < positional; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; status == 0 && dict != NULL && i < PyTuple_GET_SIZE(names); i++) {
        status = PyDict_SetItem(dict, PyTuple_GET_ITEM(names, i), args[positional + i]);
    }
    PyObject *instance = status < 0 ? NULL : PyType_Type.tp_call(class, tuple, dict);
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return instance;
}

static PyObject *record_make(PyObject *class, PyObject *const *args, size_t flagged, PyObject *names)
{
    PyTypeObject *type = (PyTypeObject *)class;
    constructor *init = constructor_of(type);
    PyObject *given[CONSTRUCTOR_FIELDS];
    Py_ssize_t positional = PyVectorcall_NARGS(flagged);
    if (init == NULL || init->owner != type || !arguments_find(init, args, positional, names, given)) {
        return class_call(class, args, positional, names);
    }
    Py_INCREF(init); /* allocating may collect garbage, whose finalizers may do anything */
    PyObject *instance = type->tp_alloc(type, 0);
    if (instance != NULL) {
        slots_set(init, instance, given);
    }
    Py_DECREF(init);
    return instance;
}

static int slots_find(constructor *self, PyObject *slots)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(slots); i++) {
        self->slots[i] = native_slot(self->owner, PyTuple_GET_ITEM(slots, i));
        if (self->slots[i] < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *constructor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *owner;
    PyObject *names, *slots, *written, *values;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!O!O!OO!", &PyType_Type, &owner, &PyTuple_Type, &names, &PyTuple_Type, &slots,
                          &written, &PyTuple_Type, &values)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(slots);
    if (count > CONSTRUCTOR_FIELDS || PyTuple_GET_SIZE(values) != count || PyTuple_GET_SIZE(names) > count) {
        PyErr_SetString(PyExc_ValueError, "one value for each slot is wanted, and not too many");
        return NULL;
    }
    constructor *self = (constructor *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->call = constructor_call;
    const module_state *state = (module_state *)PyType_GetModuleState(type);
    self->owner = (PyTypeObject *)Py_NewRef(owner);
    self->written = Py_NewRef(written);
    self->names = Py_NewRef(names);
    self->values = Py_NewRef(values);
    self->count = count;
    if (slots_find(self, slots) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (PyType_IsSubtype(owner, state->record_type)) {
        owner->tp_vectorcall = record_make; /* no subclass inherits it */
    }
    return (PyObject *)self;
}

static int constructor_traverse(constructor *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->owner);
    Py_VISIT(self->written);
    Py_VISIT(self->names);
    Py_VISIT(self->values);
    return 0;
}

static int constructor_clear(constructor *self)
{
    Py_CLEAR(self->owner);
    Py_CLEAR(self->written);
    Py_CLEAR(self->names);
    Py_CLEAR(self->values);
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

/* As a function of a class becomes a method of its instances. */
static PyObject *constructor_get(PyObject *self, PyObject *instance, PyObject *unused)
{
    (void)unused;
    return instance == NULL ? Py_NewRef(self) : PyMethod_New(self, instance);
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
    {Py_tp_descr_get, constructor_get},
    {Py_tp_members, constructor_members},
    {0, NULL},
};

PyType_Spec native_constructor_spec = {
    .name = "toolstream._core._native.Constructor",
    .basicsize = sizeof(constructor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = constructor_slots,
};

static PyType_Slot record_slots[] = {
    {Py_tp_doc, "The base of classes that a Constructor makes."},
    {Py_tp_methods, record_methods},
    {0, NULL},
};

PyType_Spec native_record_spec = {
    .name = "toolstream._core._native.Record",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = record_slots,
};
