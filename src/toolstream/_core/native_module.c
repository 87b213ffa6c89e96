/* The CPython extension `toolstream._core._native`: its types, and what they need of Python. */
#include "native.h"

static PyObject *native_configure(PyObject *module, PyObject *args)
{
    static const char *const complete_names[] = {"call", "path", "value"};
    static const char *const delta_names[] = {"call", "path", "text"};
    static const char *const text_names[] = {"text", "index", NULL};
    PyObject *complete, *delta, *text, *reasoning, *loads, *load, *load_string;
    if (!PyArg_ParseTuple(args, "OOOOOOO", &complete, &delta, &text, &reasoning, &loads, &load, &load_string)) {
        return NULL;
    }
    module_state *state = (module_state *)PyModule_GetState(module);
    if (native_event_class_set(&state->complete, module, complete, complete_names) < 0 ||
        native_event_class_set(&state->delta, module, delta, delta_names) < 0 ||
        native_event_class_set(&state->text, module, text, text_names) < 0 ||
        native_event_class_set(&state->reasoning, module, reasoning, text_names) < 0) {
        return NULL;
    }
    Py_XSETREF(state->loads, Py_NewRef(loads));
    Py_XSETREF(state->load, Py_NewRef(load));
    Py_XSETREF(state->load_string, Py_NewRef(load_string));
    Py_RETURN_NONE;
}

static PyObject *native_load_string(PyObject *module, PyObject *body)
{
    module_state *state = (module_state *)PyModule_GetState(module);
    if (!PyBytes_Check(body)) {
        return PyObject_CallOneArg(state->load_string, body);
    }
    return native_string(state, PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body), 1);
}

static const char *const NAMES[NAME_COUNT] = {
    [NAME_FAIL] = "_fail",
    [NAME_FEED_SLOWLY] = "_feed_slowly",
    [NAME_HANDLE_FIRST] = "_handle",
    [NAME_SPOIL] = "_spoil",
    [NAME_TAKE_FAULT] = "_take_fault",
    [NAME_TAKE_FRAME] = "_take_frame",
    [NAME_TAKE_REPORTS] = "take_reports",
    [NAME_HANDLE] = "handle",
    [NAME_REPEATS] = "repeats",
    [NAME_MAY_REPEAT] = "may_repeat",
    [NAME_IGNORED] = "ignored",
    [NAME_IS_CHECKED] = "is_checked",
    [NAME_PARSER] = "_parser",
    [NAME_EVENTS] = "events",
    [NAME_TYPE] = "type",
    [NAME_INIT] = "__init__",
    [NAME_MESSAGE] = "message",
};

static PyObject *native_module_shared(PyObject *module, PyObject *text)
{
    return native_shared((module_state *)PyModule_GetState(module), text);
}

static int native_exec(PyObject *module)
{
    module_state *state = (module_state *)PyModule_GetState(module);
    for (int i = 0; i < NAME_COUNT; i++) {
        state->names[i] = PyUnicode_InternFromString(NAMES[i]);
        if (state->names[i] == NULL) {
            return -1;
        }
    }
    state->fields_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_fields_spec, NULL);
    state->lane_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_lane_spec, NULL);
    state->frames_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_frames_spec, NULL);
    state->pull_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_pull_spec, NULL);
    state->pulled_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_pulled_spec, NULL);
    state->steps_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_steps_spec, NULL);
    state->markers_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_markers_spec, NULL);
    state->text_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_text_spec, NULL);
    state->record_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_record_spec, NULL);
    state->constructor_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_constructor_spec, NULL);
    if (state->fields_type == NULL || state->lane_type == NULL || state->frames_type == NULL ||
        state->pull_type == NULL || state->pulled_type == NULL || state->steps_type == NULL ||
        state->markers_type == NULL || state->text_type == NULL || state->record_type == NULL ||
        state->constructor_type == NULL) {
        return -1;
    }
    PyTypeObject *call_flags = native_call_flags_type(module, state->record_type);
    int added = call_flags == NULL ? -1 : PyModule_AddType(module, call_flags);
    Py_XDECREF(call_flags);
    if (added < 0) {
        return -1;
    }
    PyTypeObject *const types[] = {state->fields_type, state->lane_type, state->frames_type, state->steps_type,
                                   state->markers_type, state->text_type, state->record_type, state->constructor_type};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (PyModule_AddType(module, types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int native_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = (module_state *)PyModule_GetState(module);
    Py_VISIT(state->fields_type);
    Py_VISIT(state->lane_type);
    Py_VISIT(state->frames_type);
    Py_VISIT(state->pull_type);
    Py_VISIT(state->pulled_type);
    Py_VISIT(state->steps_type);
    Py_VISIT(state->markers_type);
    Py_VISIT(state->text_type);
    Py_VISIT(state->record_type);
    Py_VISIT(state->constructor_type);
    Py_VISIT(state->complete.type);
    Py_VISIT(state->delta.type);
    Py_VISIT(state->text.type);
    Py_VISIT(state->reasoning.type);
    Py_VISIT(state->loads);
    Py_VISIT(state->load);
    Py_VISIT(state->load_string);
    return 0;
}

static int native_clear(PyObject *module)
{
    module_state *state = (module_state *)PyModule_GetState(module);
    Py_CLEAR(state->fields_type);
    Py_CLEAR(state->lane_type);
    Py_CLEAR(state->frames_type);
    Py_CLEAR(state->pull_type);
    Py_CLEAR(state->pulled_type);
    Py_CLEAR(state->steps_type);
    Py_CLEAR(state->markers_type);
    Py_CLEAR(state->text_type);
    Py_CLEAR(state->record_type);
    Py_CLEAR(state->constructor_type);
    native_event_class_clear(&state->complete);
    native_event_class_clear(&state->delta);
    native_event_class_clear(&state->text);
    native_event_class_clear(&state->reasoning);
    native_paths_clear(state);
    Py_CLEAR(state->loads);
    Py_CLEAR(state->load);
    Py_CLEAR(state->load_string);
    for (int i = 0; i < NAME_COUNT; i++) {
        Py_CLEAR(state->names[i]);
    }
    for (size_t slot = 0; slot < KEY_CACHE_SLOTS; slot++) {
        state->keys[slot].size = 0;
        Py_CLEAR(state->keys[slot].key);
    }
    return 0;
}

static void native_free(void *module)
{
    (void)native_clear((PyObject *)module);
    module_state *state = (module_state *)PyModule_GetState((PyObject *)module);
    ts_sse_free(state->spare_sse);
    for (size_t slot = 0; slot < TEMPLATE_SLOTS; slot++) {
        ts_template_free(state->templates[slot]);
    }
}

static PyMethodDef native_methods[] = {
    {"configure", native_configure, METH_VARARGS,
     "configure(FieldComplete, FieldDelta, TextDelta, ReasoningDelta, orjson.loads, values.load, values.load_string)"},
    {"shared", native_module_shared, METH_O, "As shared.shared."},
    {"load_string", native_load_string, METH_O, "As values.load_string."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "The hot calls for CPython.",
    .m_size = sizeof(module_state),
    .m_methods = native_methods,
    .m_slots = native_slots,
    .m_traverse = native_traverse,
    .m_clear = native_clear,
    .m_free = native_free,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
