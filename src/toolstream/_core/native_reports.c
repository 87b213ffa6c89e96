/* The events of a parser: reports to FieldComplete and FieldDelta. See native_fields.c. */
#include "native.h"

/* Borrowed: the value at place of a live container. */
static PyObject *look_up(PyObject *container, PyObject *place)
{
    PyObject *value;
    if (PyDict_CheckExact(container)) {
        value = PyDict_GetItemWithError(container, place);
        if (value == NULL && !PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, place);
        }
        return value;
    }
    Py_ssize_t index = PyLong_AsSsize_t(place);
    return index < 0 && PyErr_Occurred() ? NULL : PyList_GetItem(container, index);
}

/* Borrowed: the live container at the first `depth` steps of a path, which are those of the prefix. Those on the way are
 * looked up once. */
static PyObject *container_at(fields *self, PyObject *path, Py_ssize_t depth)
{
    PyObject *container = self->along_count == 0 ? self->root : self->along[self->along_count - 1];
    while (self->along_count < depth) {
        container = look_up(container, PyTuple_GET_ITEM(path, self->along_count));
        if (container == NULL || native_reserve((void **)&self->along, &self->along_capacity, self->along_count,
                                                sizeof *self->along) < 0) {
            return NULL;
        }
        self->along[self->along_count++] = Py_NewRef(container);
    }
    return container;
}

/* Appends event(call, path, last); takes the references to path and last, either of which may be NULL after an
 * error. */
static int emit(fields *self, PyObject *events, event_class *event, PyObject *path, PyObject *last)
{
    PyObject *object = NULL;
    if (path != NULL && last != NULL) {
        object = native_event(event, self->call == Py_None && !PyType_IS_GC(Py_TYPE(last)));
    }
    if (object == NULL) {
        Py_XDECREF(path);
        Py_XDECREF(last);
        return -1;
    }
    *(PyObject **)((char *)object + event->slots[0]) = Py_NewRef(self->call);
    *(PyObject **)((char *)object + event->slots[1]) = path;
    *(PyObject **)((char *)object + event->slots[2]) = last;
    return native_append(events, object);
}

int native_complete(fields *self, PyObject *path, PyObject *value, PyObject *events)
{
    return emit(self, events, &self->state->complete, path, value);
}

/* FieldComplete for the value at the end of path in the current container; takes the reference to path. */
static int report_value(fields *self, PyObject *events, PyObject *path)
{
    if (path == NULL) {
        return -1;
    }
    Py_ssize_t last = PyTuple_GET_SIZE(path) - 1;
    PyObject *container = container_at(self, path, last);
    PyObject *value = container == NULL ? NULL : look_up(container, PyTuple_GET_ITEM(path, last));
    return native_complete(self, path, Py_XNewRef(value), events);
}

static int report_enter(fields *self, const ts_record *record)
{
    PyObject *path = native_path(self->state, self->prefix, native_place(self, record));
    if (path == NULL) {
        return -1;
    }
    Py_SETREF(self->prefix, path);
    return 0;
}

static int report_leave(fields *self, const ts_record *record, PyObject *events)
{
    if (self->along_count == PyTuple_GET_SIZE(self->prefix)) {
        self->along_count--;
        Py_DECREF(self->along[self->along_count]);
    }
    if (record->tag & TS_F_VALUE) {
        Py_INCREF(self->prefix);
        if (report_value(self, events, self->prefix) < 0) {
            return -1;
        }
    }
    PyObject *outer = PyTuple_GetSlice(self->prefix, 0, PyTuple_GET_SIZE(self->prefix) - 1);
    if (outer == NULL) {
        return -1;
    }
    Py_SETREF(self->prefix, outer);
    return 0;
}

static int report_growth(fields *self, const ts_record *record, PyObject *events)
{
    PyObject *text = native_text(self, record->a, record->b, (record->tag & TS_F_ESCAPED) != 0);
    Py_INCREF(self->string_path);
    return emit(self, events, &self->state->delta, self->string_path, text);
}

static int report_string(fields *self, const ts_record *record)
{
    PyObject *path = native_path(self->state, self->prefix, native_place(self, record));
    if (path == NULL) {
        return -1;
    }
    Py_SETREF(self->string_path, path);
    return 0;
}

int native_report(fields *self, PyObject *events)
{
    for (int64_t i = 0; i < self->view->report_count; i++) {
        const ts_record *record = &self->view->reports[i];
        int status;
        switch (record->tag & 0xff) {
        case TS_VALUE: status = report_value(self, events, native_path(self->state, self->prefix, native_place(self, record))); break;
        case TS_GROW: status = report_growth(self, record, events); break;
        case TS_STRING: status = report_string(self, record); break;
        case TS_ENTER: status = report_enter(self, record); break;
        default: status = report_leave(self, record, events); break;
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int native_report_members(fields *self, PyObject *container, PyObject *path, Py_ssize_t first, PyObject *events)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (PyDict_CheckExact(container)) {
        while (PyDict_Next(container, &at, &key, &value)) {
            Py_INCREF(value);
            if (native_complete(self, native_path(self->state, path, Py_NewRef(key)), value, events) < 0) {
                return -1;
            }
        }
        return 0;
    }
    for (; PyList_CheckExact(container) && at < PyList_GET_SIZE(container); at++) {
        value = Py_NewRef(PyList_GET_ITEM(container, at));
        if (native_complete(self, native_path(self->state, path, PyLong_FromSsize_t(first + at)), value, events) < 0) {
            return -1;
        }
    }
    return 0;
}
