/* The fast lane's templates: an event becomes one if its adapter says that others like it may follow. */
#include "native_lane.h"

/* So many events in vain were made templates before the stream is taken for one whose events do not repeat. */
#define TRIES 32

/* The fields of lane.Repeat. */
enum repeat_field {
    REPEAT_MEMBER,
    REPEAT_TEXT,
    REPEAT_CALL,
    REPEAT_INDEX,
    REPEAT_KEEP,
    REPEAT_REASONING,
    REPEAT_WATCHFUL,
    REPEAT_COUNT
};

void native_unbind(lane *self)
{
    self->use = USE_NOTHING;
    Py_CLEAR(self->goal);
    ts_template_free(self->template);
    self->template = NULL;
}

/* ------------------------------------------------------------------ the template */

/* What a str says in UTF-8. Answers 0 where it can't be said: a template has no lone surrogates. */
static int utf8_of(PyObject *string, ts_bytes *bytes)
{
    Py_ssize_t size = 0;
    bytes->data = PyUnicode_Check(string) ? PyUnicode_AsUTF8AndSize(string, &size) : NULL;
    bytes->size = (size_t)size;
    if (bytes->data == NULL) {
        PyErr_Clear();
    }
    return bytes->data != NULL;
}

/* The names whose strings and numbers mean nothing. Answers 0 where one can't be said. */
static int ignored_read(PyObject *ignored, ts_bytes *names, ts_example *example)
{
    example->ignored = names;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ignored) && i < TS_LANE_IGNORED; i++) {
        if (!utf8_of(PyTuple_GET_ITEM(ignored, i), &names[example->ignored_count++])) {
            return 0;
        }
    }
    return 1;
}

/* What stands before a frame's data as most servers write it, for an event that came in pieces. */
static PyObject *head_of(ts_bytes type, ts_bytes newline)
{
    const ts_bytes parts[] = {{"event: ", 7}, type, newline, {"data: ", 6}};
    size_t first = type.size == 0 ? 3 : 0, size = 0;
    for (size_t i = first; i < 4; i++) {
        size += parts[i].size;
    }
    PyObject *head = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    char *at = head == NULL ? NULL : PyBytes_AS_STRING(head);
    for (size_t i = first; i < 4 && at != NULL; i++) {
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return head;
}

/* What stands before and behind the data of an event, which is all of these bytes. Answers 0 where the data is not. */
static int surroundings_find(ts_bytes bytes, ts_example *example)
{
    size_t size = example->data.size;
    size_t start = bytes.size != 0 && bytes.data[0] == '\n'; /* of the event before */
    for (size_t at = start; size != 0 && at < bytes.size && bytes.size - at >= size; at++) {
        const char *found = memchr(bytes.data + at, example->data.data[0], bytes.size - at - size + 1);
        if (found == NULL) {
            return 0;
        }
        at = (size_t)(found - bytes.data);
        if (memcmp(found, example->data.data, size) == 0) {
            example->head = (ts_bytes){bytes.data + start, at - start};
            example->tail = (ts_bytes){found + size, bytes.size - at - size};
            return 1;
        }
    }
    return 0;
}

static ts_template **template_slot(module_state *state, const ts_template *t)
{
    return &state->templates[ts_template_hash(t) % TEMPLATE_SLOTS];
}

size_t native_template_size(const lane *self)
{
    if (self->template == NULL) {
        return 0;
    }
    uint32_t streams = ts_template_holders(self->template) - (*template_slot(self->state, self->template) == self->template);
    return ts_template_size(self->template) / streams;
}

/* The same template, and the very one that other streams have, if some do: where events name no message, they are alike. */
static ts_template *template_shared(module_state *state, ts_template *made)
{
    ts_template **slot = template_slot(state, made);
    if (*slot == NULL || !ts_template_same(*slot, made)) {
        ts_template_free(*slot);
        *slot = ts_template_hold(made);
        return made;
    }
    ts_template_free(made);
    return ts_template_hold(*slot);
}

static int learn_from(lane *self, ts_example *example, PyObject *const *repeat, PyObject *ignored)
{
    ts_bytes names[TS_LANE_IGNORED];
    if (!utf8_of(repeat[REPEAT_MEMBER], &example->member) ||
        !utf8_of(repeat[REPEAT_TEXT], &example->text) || !ignored_read(ignored, names, example)) {
        return TS_LANE_OTHER;
    }
    ts_template *made;
    int answer = ts_template_learn(example, &made);
    if (answer == TS_ERR_MEMORY) {
        PyErr_NoMemory();
        return -1;
    }
    if (answer == TS_LANE_EVENT) {
        self->template = template_shared(self->state, made);
    }
    return answer;
}

/* Answers TS_LANE_EVENT, TS_LANE_OTHER, or -1 with an exception. */
static int learn(lane *self, const slow_frame *frame, PyObject *const *repeat, PyObject *ignored)
{
    ts_example example = {.data = frame->data};
    if (frame->is_whole && surroundings_find(frame->bytes, &example)) {
        return learn_from(self, &example, repeat, ignored);
    }
    /* A CR ends the blank line already; the LF behind it is skipped before the next event. */
    int is_crlf = memchr(frame->bytes.data, '\r', frame->bytes.size) != NULL;
    PyObject *head = head_of(frame->type, is_crlf ? (ts_bytes){"\r\n", 2} : (ts_bytes){"\n", 1});
    if (head == NULL) {
        return -1;
    }
    example.head = (ts_bytes){PyBytes_AS_STRING(head), (size_t)PyBytes_GET_SIZE(head)};
    example.tail = is_crlf ? (ts_bytes){"\r\n\r", 3} : (ts_bytes){"\n\n", 2};
    int answer = learn_from(self, &example, repeat, ignored);
    Py_DECREF(head);
    return answer;
}

/* ------------------------------------------------------------------ what it is for */

/* For a call's arguments: the call's parser takes the text. Answers 0, or -1 with an exception set. */
static int use_for_call(lane *self, PyObject *const *repeat, PyObject *parser)
{
    PyObject *checked = PyObject_GetAttr(parser, self->state->names[NAME_IS_CHECKED]);
    if (checked == NULL) {
        return -1;
    }
    self->checked = checked == Py_True;
    Py_DECREF(checked);
    self->target = (fields *)Py_NewRef(parser);
    Py_XSETREF(self->latest, (fields *)Py_NewRef(parser));
    self->watchful = repeat[REPEAT_WATCHFUL] == Py_True;
    self->quiet = 0;
    self->use = USE_CALL;
    return 0;
}

/* For text of the message. */
static int use_for_text(lane *self, PyObject *const *repeat)
{
    self->place = PyTuple_Pack(2, repeat[REPEAT_INDEX], repeat[REPEAT_KEEP]);
    if (self->place == NULL) {
        return -1;
    }
    self->use = repeat[REPEAT_REASONING] == Py_True ? USE_REASONING : USE_TEXT;
    return 0;
}

/* The call's parser, None for text of the message; NULL without an exception for a call that has none of the kind. */
static PyObject *parser_of(lane *self, PyObject *call)
{
    if (call == Py_None) {
        return Py_NewRef(Py_None);
    }
    PyObject *parser = PyObject_GetAttr(call, self->state->names[NAME_PARSER]);
    if (parser != NULL && !PyObject_TypeCheck(parser, self->state->fields_type)) {
        Py_CLEAR(parser);
    }
    return parser;
}

static int bind_to(lane *self, const slow_frame *frame, PyObject *const *repeat, PyObject *parser)
{
    PyObject *ignored = PyObject_GetAttr(self->adapter, self->state->names[NAME_IGNORED]);
    if (ignored != NULL && !PyTuple_Check(ignored)) {
        PyErr_SetString(PyExc_TypeError, "an adapter's `ignored` is a tuple of names");
        Py_CLEAR(ignored);
    }
    if (ignored == NULL) {
        return -1;
    }
    native_unbind(self);
    int answer = learn(self, frame, repeat, ignored);
    Py_DECREF(ignored);
    if (answer != TS_LANE_EVENT) {
        return answer < 0 ? -1 : 0;
    }
    return parser == Py_None ? use_for_text(self, repeat) : use_for_call(self, repeat, parser);
}

/* ------------------------------------------------------------------ whether to make one */

/* What the adapter says of the event: a Repeat, None, or NULL with an exception. */
static PyObject *repeat_ask(lane *self, PyObject *event)
{
    PyObject *args[] = {self->adapter, event, self->assembler};
    PyObject *repeat = PyObject_VectorcallMethod(self->state->names[NAME_REPEATS], args, 3, NULL);
    /* `handle` has borne the event, so it is no fault. */
    if (repeat == NULL && PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    return repeat;
}

/* Its fields, borrowed. Answers 0, or -1 with an exception set. */
static int repeat_read(lane *self, PyObject *repeat, PyObject **fields)
{
    if (!native_record_read(self->state, repeat, fields, REPEAT_COUNT) || !PyTuple_Check(fields[REPEAT_KEEP])) {
        PyErr_SetString(PyExc_TypeError, "an adapter's `repeats` answers a Repeat or None");
        return -1;
    }
    return 0;
}

/* Whether text like the event's needs nothing but to be fed. Answers 1 or 0, or -1 with an exception set. */
static int may_repeat(lane *self, PyObject *const *repeat)
{
    PyObject *may = PyObject_CallMethodOneArg(self->assembler, self->state->names[NAME_MAY_REPEAT],
                                              repeat[REPEAT_CALL]);
    int answer = may == NULL ? -1 : PyObject_IsTrue(may);
    Py_XDECREF(may);
    return answer;
}

/* Answers 0 for a stream whose events do not repeat. */
static int is_worth_it(lane *self)
{
    self->tries++;
    if (self->tries > TRIES && self->hits < self->tries) {
        self->hopeful = 0;
    }
    return self->hopeful;
}

static int bind_if_worth_it(lane *self, const slow_frame *frame, PyObject *const *repeat)
{
    int status = may_repeat(self, repeat);
    if (status <= 0 || !is_worth_it(self)) {
        return status;
    }
    PyObject *parser = parser_of(self, repeat[REPEAT_CALL]);
    status = parser != NULL ? bind_to(self, frame, repeat, parser) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(parser);
    return status;
}

int native_bind(lane *self, const slow_frame *frame, PyObject *event)
{
    PyObject *repeat = repeat_ask(self, event);
    if (repeat == NULL) {
        return -1;
    }
    PyObject *fields[REPEAT_COUNT];
    int status = repeat == Py_None ? 0 : repeat_read(self, repeat, fields);
    if (status == 0 && repeat != Py_None) {
        status = bind_if_worth_it(self, frame, fields);
    }
    Py_DECREF(repeat);
    return status < 0 ? -1 : 0;
}
