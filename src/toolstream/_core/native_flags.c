/* What few tool calls are, or are not asked often: a byte for each flag of a `ToolCall`, where a slot of Python's would take
 * eight. All are False at first; no other object than a bool can be stored. Python reads slots faster. */
#include "native.h"

typedef struct call_flags {
    PyObject_HEAD
    char complete;
    char cumulative;
    char free_text;
    char has_grown;
    char named_again;
    char owes_brace;
    char server;
    char withdrawn;
} call_flags;

/* The names are those that ToolCall has in Python; calls.py says what they mean. */
static PyMemberDef call_flags_members[] = {
    {"_complete", T_BOOL, offsetof(call_flags, complete), 0, NULL},
    {"_cumulative", T_BOOL, offsetof(call_flags, cumulative), 0, NULL},
    {"_free_text", T_BOOL, offsetof(call_flags, free_text), 0, NULL},
    {"_has_grown", T_BOOL, offsetof(call_flags, has_grown), 0, NULL},
    {"_named_again", T_BOOL, offsetof(call_flags, named_again), 0, NULL},
    {"_owes_brace", T_BOOL, offsetof(call_flags, owes_brace), 0, NULL},
    {"_withdrawn", T_BOOL, offsetof(call_flags, withdrawn), 0, NULL},
    {"server", T_BOOL, offsetof(call_flags, server), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

#define FLAG_COUNT ((Py_ssize_t)(sizeof call_flags_members / sizeof *call_flags_members) - 1)

static PyType_Slot call_flags_slots[] = {
    {Py_tp_doc, "The flags of a ToolCall."},
    {Py_tp_members, call_flags_members},
    {0, NULL},
};

static PyType_Spec call_flags_spec = {
    .name = "toolstream._core._native.CallFlags",
    .basicsize = sizeof(call_flags),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = call_flags_slots,
};

/* Copying and pickling go by the names in `__slots__`. */
static int slots_name(PyObject *type)
{
    PyObject *names = PyTuple_New(FLAG_COUNT);
    if (names == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < FLAG_COUNT; i++) {
        PyObject *name = PyUnicode_InternFromString(call_flags_members[i].name);
        if (name == NULL) {
            Py_DECREF(names);
            return -1;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    int status = PyObject_SetAttrString(type, "__slots__", names);
    Py_DECREF(names);
    return status;
}

PyTypeObject *native_call_flags_type(PyObject *module, PyTypeObject *record_type)
{
    PyObject *bases = PyTuple_Pack(1, record_type);
    PyObject *type = bases == NULL ? NULL : PyType_FromModuleAndSpec(module, &call_flags_spec, bases);
    Py_XDECREF(bases);
    if (type != NULL && slots_name(type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}
