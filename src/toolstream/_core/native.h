/* What the parts of the CPython extension share: see native_fields.c for what it is for. */
#ifndef TS_NATIVE_H
#define TS_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "noinline.h"
#include "toolstream.h"

/* An event class, and where its instances keep their fields. */
#define EVENT_FIELDS 3
#define EVENT_SPARES 8

typedef struct event_class {
    PyTypeObject *type;
    Py_ssize_t slots[EVENT_FIELDS];
    PyObject *spares[EVENT_SPARES]; /* instances that have ended, without fields: the next ones */
    int spare_count;
} event_class;

/* Paths of up to so many steps that have ended, without steps: the next ones. */
#define PATH_LONGEST 8
#define PATH_SPARES 8

typedef struct path_spares {
    PyObject *paths[PATH_SPARES];
    int count;
} path_spares;

/* Strings that were keys before, at places that their bytes choose: a repeated key is no new string. */
#define KEY_CACHE_SLOTS 512
#define KEY_CACHE_LONGEST 32

typedef struct key_slot {
    uint64_t word;               /* the first eight bytes */
    Py_ssize_t size;             /* in bytes; 0: the slot is free */
    PyObject *key;               /* ASCII */
} key_slot;

/* Templates that streams share, at places that their hashes choose. */
#define TEMPLATE_SLOTS 64

/* The names that C asks Python for; native_module.c spells them. */
enum name {
    NAME_FAIL,
    NAME_FEED_SLOWLY,
    NAME_HANDLE_FIRST,
    NAME_SPOIL,
    NAME_TAKE_FAULT,
    NAME_TAKE_FRAME,
    NAME_TAKE_REPORTS,
    NAME_HANDLE,
    NAME_REPEATS,
    NAME_MAY_REPEAT,
    NAME_IGNORED,
    NAME_IS_CHECKED,
    NAME_PARSER,
    NAME_EVENTS,
    NAME_TYPE,
    NAME_INIT,
    NAME_MESSAGE,                /* the type of an SSE event that names none */
    NAME_COUNT
};

typedef struct module_state {
    PyTypeObject *fields_type;
    PyTypeObject *lane_type;
    PyTypeObject *frames_type;
    PyTypeObject *pull_type;
    PyTypeObject *pulled_type;
    PyTypeObject *steps_type;
    PyTypeObject *markers_type;
    PyTypeObject *text_type;
    PyTypeObject *record_type;
    PyTypeObject *constructor_type;
    event_class complete;        /* FieldComplete(call, path, value) */
    event_class delta;           /* FieldDelta(call, path, text) */
    event_class text;            /* TextDelta(text, index) */
    event_class reasoning;       /* ReasoningDelta(text, index) */
    PyObject *loads;             /* orjson.loads */
    PyObject *load;              /* values.load(text, exact): where orjson.loads is not enough */
    PyObject *load_string;       /* values.load_string(body): where native_string is not enough */
    PyObject *names[NAME_COUNT];
    path_spares paths[PATH_LONGEST]; /* by their steps, less one */
    ts_sse *spare_sse;           /* a framer that no stream is in; NULL while one has it */
    ts_template *templates[TEMPLATE_SLOTS];
    key_slot keys[KEY_CACHE_SLOTS];
} module_state;

/* The caller of feed holds one list while it asks for the next. */
#define SPARE_LISTS 2

/* A container of the live value that has not ended, and where it stands in the one before: its key or index; or, if its
 * own end is an event, its path, of which that is the last step. */
typedef struct open_container {
    PyObject *container;
    PyObject *place;
} open_container;

typedef struct fields {
    PyObject_HEAD
    module_state *state;
    ts_scanner *scanner;
    const ts_view *view;
    PyObject *call;              /* what events name */
    PyObject *root;              /* the live value */
    open_container *open;        /* the containers in it that have not ended, without the root */
    PyObject *prefix;            /* tuple: path of the container that the reports are in; with a depth, always empty */
    PyObject **along;            /* the live containers along it, without the root: the first few, that were looked up */
    PyObject *string_path;       /* tuple: the string whose growth is reported */
    PyObject *fault;             /* the exception that ended this parser, or None */
    PyObject *spare[SPARE_LISTS]; /* lists that feed answered with empty, or NULL */
    uint32_t open_count;         /* the root included */
    uint32_t open_capacity;
    uint32_t along_count;
    uint32_t along_capacity;
    uint32_t depth;              /* values so deep are events once they are built; 0: the core's reports say which are */
    char busy;
    char closed;                 /* for the subclass: nothing more may be fed */
} fields;

#define OBJECT_MEMBER(owner, name, field) {name, T_OBJECT_EX, offsetof(owner, field), 0, NULL}

/* The busy error, for an object that another call is inside of. */
void native_raise_busy(void);

extern PyType_Spec native_fields_spec;
extern PyType_Spec native_lane_spec;
extern PyType_Spec native_frames_spec;
extern PyType_Spec native_pull_spec;
extern PyType_Spec native_pulled_spec;
extern PyType_Spec native_steps_spec;
extern PyType_Spec native_markers_spec;
extern PyType_Spec native_text_spec;
extern PyType_Spec native_constructor_spec;
extern PyType_Spec native_record_spec;

/* native_flags.c. A new base for `ToolCall`, which is a record; NULL with an exception. */
PyTypeObject *native_call_flags_type(PyObject *module, PyTypeObject *record_type);

/* native_records.c. Finds what a record holds, in the order of its parameters; borrowed. Answers 0 where it has not so many. */
int native_record_read(module_state *state, PyObject *record, PyObject **fields, Py_ssize_t count);

/* native_values.c. The str of a key without escapes; TS_BLOCK bytes from its end on are readable. */
PyObject *native_key(module_state *state, const unsigned char *text, Py_ssize_t size);
/* The str that is a key of the same text: what many streams say is no new string. Anything else as it is. */
PyObject *native_shared(module_state *state, PyObject *text);
/* Adds whole members or elements, comma-separated, to a dict or list. path: of the container, if the events of what is
 * added are to be appended, else NULL. */
int native_members(fields *self, PyObject *container, PyObject *path, const unsigned char *text, size_t size,
                   PyObject *events);

/* native_strings.c. The str of valid UTF-8. */
PyObject *native_utf8(const char *text, Py_ssize_t size);
/* The str of the valid body of a JSON string; no memory is needed but its own. NULL without an exception
 * if that is no body, but holds a quote that no backslash escapes. */
PyObject *native_long_string(const unsigned char *body, Py_ssize_t size);

/* native_live.c. The str of the body of a JSON string. */
PyObject *native_string(module_state *state, const char *body, Py_ssize_t size, int escaped);
/* The same of text[start .. end). */
PyObject *native_text(fields *self, int64_t start, int64_t end, int escaped);
/* The key or index that a record names. */
PyObject *native_place(fields *self, const ts_record *record);
/* Makes room for one more item; the first few are added one by one, because most stay few. Answers 0, or -1 with an
 * exception. */
int native_reserve(void **items, uint32_t *capacity, uint32_t count, size_t item_size);
/* A container begins, at place (NULL: it is the root; the reference is taken). Answers as native_reserve. */
int native_push(fields *self, PyObject *container, PyObject *place);
/* What native_push is to be given for a container at place in the innermost open one; takes the reference to place. NULL
 * with an exception. */
PyObject *native_open_place(fields *self, PyObject *place);
/* The innermost one has ended. */
void native_pop(fields *self);
/* Brings the live value up to date with the scanner's steps, and appends the events of what is final by then; events:
 * NULL where there can be none. Answers 0, or -1 with an exception, as those below do. */
int native_build(fields *self, PyObject *events);

/* native_classes.c. Where a class's instances keep a slot; -1 with an exception where it has none of the name. */
Py_ssize_t native_slot(PyTypeObject *type, PyObject *name);
/* Takes over a class: names are its slots, EVENT_FIELDS at most, NULL behind the last. Answers 0, or -1
 * with an exception. */
int native_event_class_set(event_class *class, PyObject *module, PyObject *type, const char *const *names);
void native_event_class_clear(event_class *class);
/* A new instance, the fields of which are to be set. is_plain: nothing that they will hold can lead back to it, so the
 * garbage collector need not look at it. */
PyObject *native_event(event_class *class, int is_plain);
/* path and one more step; takes the reference to place, which may be NULL after an error. */
PyObject *native_path(module_state *state, PyObject *path, PyObject *place);
void native_paths_clear(module_state *state);

/* As native_append, where there is no room. */
int native_append_more(PyObject *events, PyObject *event);

/* Appends an event to a list; takes the reference to it. Answers 0, or -1 with an exception. */
static inline int native_append(PyObject *events, PyObject *event)
{
    Py_ssize_t size = PyList_GET_SIZE(events);
    if (size < ((PyListObject *)events)->allocated) {
        Py_SET_SIZE(events, size + 1);
        PyList_SET_ITEM(events, size, event);
        return 0;
    }
    return native_append_more(events, event);
}

/* native_reports.c. Appends the events that the scanner's reports stand for. */
int native_report(fields *self, PyObject *events);
/* Appends an event for each member or element of a container at path, the first of which has that index. */
int native_report_members(fields *self, PyObject *container, PyObject *path, Py_ssize_t first, PyObject *events);
/* Appends a FieldComplete; takes the references to path and value, either of which may be NULL after an error. */
int native_complete(fields *self, PyObject *path, PyObject *value, PyObject *events);

/* A first fragment from this size on may be a whole document. */
#define WHOLE_FROM 64

/* The text that a parser has had, where it keeps all of it. Brackets may stand in it that are not its own while it is busy. */
static inline ts_bytes native_kept_text(const fields *self)
{
    const ts_view *view = self->view;
    return (ts_bytes){(const char *)view->text, (size_t)(view->offset < view->text_size ? view->offset : view->text_size)};
}

/* native_fields.c. Feeds bytes to a parser. Answers 0, or -1 with an exception set, which `events` holds what came before. */
int native_feed(fields *self, const char *data, size_t size, PyObject *events);
/* The same from where the core has stopped, with this status. */
int native_feed_on(fields *self, int status, const char *data, size_t size, PyObject *events);

/* As native_feed, at once where a short fragment completes nothing, as most do: the core alone has to look at it. */
static inline int native_feed_short(fields *self, const char *data, size_t size, PyObject *events)
{
    if (self->busy || self->scanner == NULL || size >= WHOLE_FROM) {
        return native_feed(self, data, size, events);
    }
    int status = ts_scanner_feed(self->scanner, data, size);
    return status == TS_OK ? 0 : native_feed_on(self, status, data, size, events);
}

/* native_frames.c, for an object of frames_type. The frames that bytes complete, a list of (type, data); NULL with an
 * exception. */
PyObject *native_frames_take(PyObject *frames, const char *data, size_t size);
/* Takes an event that begins data if it needs no framer. Answers its size, else 0; see ts_sse_whole. */
size_t native_frames_take_whole(PyObject *frames, const char *data, size_t size, ts_frame *frame);
/* Behind a blank line: nothing of the next frame has come. */
int native_frames_are_between(PyObject *frames);
/* A fault stands behind the last frame. */
int native_frames_failed(PyObject *frames);

/* So many items are pulled without looking for signals: an iterator in C may never come back to Python. */
#define SIGNAL_EVERY 1024

/* Feeds an item that was pulled to a lane. Answers 0, or -1 with an exception set. */
int native_lane_take(PyObject *lane, PyObject *item, PyObject *events);

/* Feeds what an iterator gives to a lane until there are events. Answers 1, or 0 at its end, or -1. */
int native_lane_pull(PyObject *lane, PyObject *items, PyObject *events);

/* An iterator over the events of all that another one gives. */
PyObject *native_pulled_new(module_state *state, PyObject *lane, PyObject *items);

/* An awaitable that feeds what an async iterator gives to a lane, until there are events. */
PyObject *native_pull_new(module_state *state, PyObject *lane, PyObject *items);

#endif
