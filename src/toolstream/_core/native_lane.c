/* The fast lane: a stream's bytes are fed without Python as long as they are the event that repeats.
 *
 * Most of a stream is one event, again and again, with other text: `_bind` says what such an event looks like (a
 * template of the core's lane is made of it) and what its text is for. Bytes that match go straight to the call's parser
 * or become a text event; all others go to `_feed_slowly`, which a subclass has, and which alone understands them. Any
 * event that went there may have changed what the template meant, so the subclass binds anew behind it.
 */
#include "native_lane.h"

/* No more than about so many bytes of text wait for the end of their chunk. */
#define BATCH_BYTES 16384

/* Text of so many bytes is decoded where it is wanted; longer text is copied there. */
#define SHORT_TEXT 256

/* A chunk of so many bytes may well be one event. */
#define ONE_EVENT 1024

/* Text of a chunk's events waits on the stack as long as it is no more than so many bytes. */
#define BATCH_PLACE 4096

/* What a chunk needs while it is being taken. */
typedef struct turn {
    PyObject *events;            /* the list that events are appended to */
    PyObject *chunk;             /* the bytes */
    int goes_on;                 /* more of it comes behind the bytes that are being looked at */
    ts_match match;              /* how far the next event has been compared */
    ts_room batch;               /* USE_CALL: text of its events that the call's parser has not had yet */
    unsigned char place[BATCH_PLACE];
} turn;

static void turn_begin(turn *turn, PyObject *chunk, PyObject *events)
{
    turn->events = events;
    turn->chunk = chunk;
    turn->goes_on = 0;
    turn->match = (ts_match){0};
    turn->batch = (ts_room){turn->place, 0, BATCH_PLACE};
}

static void turn_end(turn *turn)
{
    if (turn->batch.bytes != turn->place) {
        PyMem_Free(turn->batch.bytes);
    }
}

static int batch_reserve(turn *turn, size_t size)
{
    ts_room *batch = &turn->batch;
    if (size <= batch->capacity - batch->size) {
        return 0;
    }
    size_t capacity = batch->size + size + batch->size / 2;
    int is_place = batch->bytes == turn->place;
    unsigned char *bigger = PyMem_Realloc(is_place ? NULL : batch->bytes, capacity);
    if (bigger == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (is_place) {
        memcpy(bigger, turn->place, batch->size);
    }
    batch->bytes = bigger;
    batch->capacity = capacity;
    return 0;
}

static int batch_append(turn *turn, const unsigned char *data, size_t size)
{
    if (batch_reserve(turn, size) < 0) {
        return -1;
    }
    if (size != 0) {
        memmove(turn->batch.bytes + turn->batch.size, data, size); /* it may be text in this buffer */
        turn->batch.size += size;
    }
    return 0;
}

size_t native_pending_size(const lane *self)
{
    return self->pending == NULL ? 0 : self->pending->size;
}

pending_bytes *native_pending_take(lane *self)
{
    pending_bytes *pending = self->pending;
    self->pending = NULL;
    return pending;
}

int native_pending_append(lane *self, const unsigned char *data, size_t size)
{
    size_t before = native_pending_size(self);
    if (self->pending == NULL || size > self->pending->capacity - before) {
        size_t capacity = before + size + before / 2;
        pending_bytes *bigger = PyMem_Realloc(self->pending, sizeof *bigger + capacity);
        if (bigger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (before == 0) {
            bigger->match = (ts_match){0};
        }
        bigger->capacity = capacity;
        self->pending = bigger;
    }
    memcpy(self->pending->bytes + before, data, size);
    self->pending->size = before + size;
    return 0;
}

/* ------------------------------------------------------------------ what matching events are for */

/* A fault in a call's arguments: the subclass decides what it means for the stream. */
static int spoil_call(lane *self, PyObject *events)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *call = Py_NewRef(self->target->call);
    native_unbind(self);
    PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, self->state->names[NAME_SPOIL], call, error, events, NULL);
    Py_DECREF(call);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int use_for_text(lane *self, const unsigned char *text, size_t size, PyObject *events)
{
    event_class *class = self->use == USE_TEXT ? &self->state->text : &self->state->reasoning;
    PyObject *string = native_utf8((const char *)text, (Py_ssize_t)size);
    PyObject *event = string == NULL ? NULL : native_event(class, 1);
    if (event == NULL) {
        Py_XDECREF(string);
        return -1;
    }
    *(PyObject **)((char *)event + class->slots[0]) = string;
    *(PyObject **)((char *)event + class->slots[1]) = Py_NewRef(PyTuple_GET_ITEM(self->place, 0));
    int status = native_append(events, event);
    PyObject *keep = PyTuple_GET_ITEM(self->place, 1);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keep) && status == 0; i++) {
        status = PyList_Append(PyTuple_GET_ITEM(keep, i), string);
    }
    return status;
}

/* Feeds a call that is checked by its tool's schema. Most texts complete nothing: then the check need not be asked. What
 * it raises counts more than a fault behind it. Answers -1 after an error. */
static int feed_checked(lane *self, const unsigned char *text, size_t size, PyObject *events)
{
    PyObject *reports = PyList_New(0);
    if (reports == NULL) {
        return -1;
    }
    int fed = native_feed(self->target, (const char *)text, size, reports);
    if (fed == 0 && self->quiet && PyList_GET_SIZE(reports) == 0 && !self->target->view->complete) {
        Py_DECREF(reports);
        return 0;
    }
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *quiet = PyObject_CallMethodObjArgs((PyObject *)self->target, self->state->names[NAME_TAKE_REPORTS],
                                                 reports, events, NULL);
    Py_DECREF(reports);
    if (quiet == NULL) {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(traceback);
        return -1;
    }
    self->quiet = quiet == Py_True;
    Py_DECREF(quiet);
    PyErr_Restore(type, error, traceback);
    return fed;
}

static int feed_target(lane *self, const unsigned char *text, size_t size, PyObject *events)
{
    if (self->checked) {
        int fed = feed_checked(self, text, size, events);
        return fed == 0 || PyErr_ExceptionMatches(PyExc_MemoryError) ? fed : spoil_call(self, events);
    }
    if (native_feed_short(self->target, (const char *)text, size, events) == 0) {
        return 0;
    }
    return PyErr_ExceptionMatches(PyExc_ValueError) ? spoil_call(self, events) : -1;
}

/* Gives the call's parser what has been gathered for it. */
static int feed_batch(lane *self, turn *turn)
{
    size_t size = turn->batch.size;
    turn->batch.size = 0;
    return size == 0 ? 0 : feed_target(self, turn->batch.bytes, size, turn->events);
}

static int begins_anew(const unsigned char *text, size_t size)
{
    return size != 0 && (text[0] == '{' || text[0] == '[');
}

/* Whether a text may be all the arguments again, those that were gathered included. */
static int may_repeat_all(const lane *self, size_t size, const turn *turn)
{
    const ts_view *view = self->target->view;
    return view->complete || (long long)size >= view->offset + (long long)turn->batch.size;
}

/* Whether the text of a matching event can be used without a closer look; -1 after an error. Text that may be all the
 * arguments again begins with a bracket: whether they are whole is only known once the batch is fed. */
static inline int is_usable(lane *self, const unsigned char *text, size_t size, turn *turn)
{
    if (self->use != USE_CALL) {
        return 1;
    }
    if (self->watchful && begins_anew(text, size) && feed_batch(self, turn) < 0) {
        return -1;
    }
    return self->target != NULL && self->target->fault == Py_None &&
           !(self->watchful && may_repeat_all(self, size, turn));
}

/* is_last: of the chunk. Of a call, the texts of all events of a chunk are fed as one: that costs less. A check may end
 * the call at any of them. */
static int use_text(lane *self, const unsigned char *text, size_t size, int is_last, turn *turn)
{
    self->hits++;
    if (self->use != USE_CALL) {
        return size == 0 ? 0 : use_for_text(self, text, size, turn->events);
    }
    ts_room *batch = &turn->batch;
    if (self->checked || (is_last && batch->size == 0)) {
        return size == 0 ? 0 : feed_target(self, text, size, turn->events);
    }
    if (text == batch->bytes + batch->size) {
        batch->size += size; /* it was decoded there */
    } else if (batch_append(turn, text, size) < 0) {
        return -1;
    }
    return is_last || batch->size >= BATCH_BYTES ? feed_batch(self, turn) : 0;
}

/* ------------------------------------------------------------------ feeding */

/* The place behind the next blank line, or size. */
static size_t event_end(const unsigned char *data, size_t size)
{
    for (size_t at = 0; at + 1 < size; at++) {
        const unsigned char *found = memchr(data + at, '\n', size - at - 1);
        if (found == NULL) {
            return size;
        }
        at = (size_t)(found - data);
        if (data[at + 1] == '\n') {
            return at + 2;
        }
        if (data[at + 1] == '\r' && at + 2 < size && data[at + 2] == '\n') {
            return at + 3;
        }
    }
    return size;
}

/* The bytes for the slow lane: the chunk itself where they are all of it. */
static PyObject *bytes_from(PyObject *chunk, const unsigned char *data, size_t size)
{
    if (size == (size_t)PyBytes_GET_SIZE(chunk) && data == (unsigned char *)PyBytes_AS_STRING(chunk)) {
        return Py_NewRef(chunk);
    }
    return PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
}

static int feed_slowly(lane *self, const unsigned char *data, size_t size, turn *turn)
{
    if (feed_batch(self, turn) < 0) {
        return -1;
    }
    PyObject *bytes = bytes_from(turn->chunk, data, size);
    int status = bytes == NULL ? -1 : native_handle(self, bytes, turn->events);
    Py_XDECREF(bytes);
    return status;
}

/* Decodes the text of an event behind the text that was gathered before. Answers TS_LANE_EVENT; TS_LANE_OTHER for text that
 * needs a closer look, or -1. */
static int decode(const ts_found *found, ts_room *text, turn *turn)
{
    if (batch_reserve(turn, found->size + TS_ROOM_SPARE) < 0) {
        return -1;
    }
    ts_room *batch = &turn->batch;
    *text = (ts_room){batch->bytes + batch->size, 0, batch->capacity - batch->size};
    size_t at = 0;
    return ts_text_take(found->text, found->size, &at, text) ? TS_LANE_EVENT : TS_LANE_OTHER;
}

/* Compares data with the template. Answers as ts_template_match, TS_LANE_OTHER for text that needs a closer look, or -1.
 * Short text is decoded into the room. */
static int match(lane *self, const unsigned char *data, size_t size, size_t *used, ts_room *text, turn *turn)
{
    int answer = TS_LANE_MORE;
    if (turn->match.at == 0) {
        answer = ts_template_match_whole(self->template, data, size, used, text);
    }
    if (answer != TS_LANE_MORE) {
        return answer;
    }
    ts_found found;
    answer = ts_template_match(self->template, &turn->match, data, size, used, &found);
    if (answer == TS_LANE_EVENT && !found.is_plain) {
        return decode(&found, text, turn);
    }
    if (answer == TS_LANE_EVENT) {
        text->bytes = (unsigned char *)(uintptr_t)found.text;
        text->size = found.size;
    }
    return answer;
}

/* An event that matches is used: answers 1; 0 where it can't be, or -1. A chunk that may be no more than one event has
 * its text decoded on the stack, any other one behind the text that was gathered before. */
static int match_and_use(lane *self, const unsigned char *data, size_t size, size_t *used, int *answer, turn *turn)
{
    unsigned char place[SHORT_TEXT];
    ts_room text = {place, 0, sizeof place};
    ts_room *batch = &turn->batch;
    if (self->use == USE_CALL && (batch->size != 0 || size > ONE_EVENT)) {
        if (batch_reserve(turn, SHORT_TEXT) < 0) {
            return -1;
        }
        text.bytes = batch->bytes + batch->size;
        text.capacity = batch->capacity - batch->size;
    }
    *answer = match(self, data, size, used, &text, turn);
    if (*answer != TS_LANE_EVENT || (long long)*used > self->max_event) {
        return *answer < 0 ? -1 : 0;
    }
    int usable = is_usable(self, text.bytes, text.size, turn);
    if (usable <= 0) {
        return usable;
    }
    self->room -= (long long)*used;
    return use_text(self, text.bytes, text.size, *used == size && !turn->goes_on, turn) < 0 ? -1 : 1;
}

/* One event from the beginning of data, or all of data where none is told apart. *used: how much of it; 0 where it
 * matches so far but is not whole. */
static int step(lane *self, const unsigned char *data, size_t size, size_t *used, turn *turn)
{
    int answer = TS_LANE_OTHER;
    *used = 0;
    if (self->use != USE_NOTHING && self->between) {
        if (data[0] == '\n') { /* between two events: the end of a CRLF, or an empty line */
            *used = 1;
            self->room--;
            return 0;
        }
        int done = match_and_use(self, data, size, used, &answer, turn);
        if (done != 0) {
            return done < 0 ? -1 : 0;
        }
    }
    if (answer == TS_LANE_MORE && (long long)size <= self->max_event) {
        *used = 0;
        return 0;
    }
    turn->match = (ts_match){0};
    *used = self->hopeful ? event_end(data, size) : size;
    return feed_slowly(self, data, *used, turn);
}

/* Gathers the text of one event after the other for a call's parser, up to one that does not match or needs a closer look:
 * which can only be told by `step`. *taken moves behind what it took. */
static int gather(lane *self, const unsigned char *data, size_t size, size_t *taken, turn *turn)
{
    ts_room *batch = &turn->batch;
    size_t at = *taken, used = 0;
    int gathers = self->use == USE_CALL && !self->checked && self->between && self->target->fault == Py_None &&
                  turn->match.at == 0;
    while (gathers && at < size && batch->size < BATCH_BYTES) {
        if (batch_reserve(turn, SHORT_TEXT) < 0) {
            return -1;
        }
        ts_room text = {batch->bytes + batch->size, 0, batch->capacity - batch->size};
        if (ts_template_match_whole(self->template, data + at, size - at, &used, &text) != TS_LANE_EVENT ||
            (long long)used > self->max_event) {
            break;
        }
        if (self->watchful && (begins_anew(text.bytes, text.size) || may_repeat_all(self, text.size, turn))) {
            break;
        }
        batch->size += text.size;
        self->room -= (long long)used;
        self->hits++;
        at += used;
    }
    *taken = at;
    return 0;
}

/* Takes data as far as it goes. *taken: how far; what is left matches so far. */
static int take_events(lane *self, const unsigned char *data, size_t size, size_t *taken, turn *turn)
{
    size_t at = 0, used = 1;
    while (at < size && used != 0) {
        int status = size > ONE_EVENT ? gather(self, data, size, &at, turn) : 0;
        if (status == 0 && at < size) {
            status = step(self, data + at, size - at, &used, turn);
            at += used;
        }
        if (status < 0) {
            return -1;
        }
    }
    *taken = at;
    return 0;
}

/* A chunk that is one event which matches, as most are where nothing gathers them. Answers 1 if it is taken, 0 if it is to
 * be taken as any other one, or -1. */
static int take_one(lane *self, const unsigned char *data, size_t size, turn *turn)
{
    unsigned char place[SHORT_TEXT];
    ts_room text = {place, 0, sizeof place};
    size_t used;
    if (size > ONE_EVENT || self->use == USE_NOTHING || !self->between ||
        ts_template_match_whole(self->template, data, size, &used, &text) != TS_LANE_EVENT || used != size ||
        (long long)size > self->max_event) {
        return 0;
    }
    int usable = is_usable(self, text.bytes, text.size, turn);
    if (usable <= 0) {
        return usable;
    }
    self->room -= (long long)size;
    self->hits++;
    if (text.size == 0) {
        return 1;
    }
    int status = self->use == USE_CALL ? feed_target(self, text.bytes, text.size, turn->events)
                                       : use_for_text(self, text.bytes, text.size, turn->events);
    return status < 0 ? -1 : 1;
}

/* What is pending goes on with data. What of both matches so far is pending then. */
static int take_pending(lane *self, const unsigned char *data, size_t size, turn *turn)
{
    if (native_pending_append(self, data, size) < 0) {
        return -1;
    }
    pending_bytes *pending = native_pending_take(self);
    size_t taken = 0;
    turn->match = pending->match;
    int status = take_events(self, pending->bytes, pending->size, &taken, turn);
    if (status < 0 || taken == pending->size) {
        PyMem_Free(pending);
        return status;
    }
    pending->match = turn->match;
    turn->match = (ts_match){0};
    pending->size -= taken;
    memmove(pending->bytes, pending->bytes + taken, pending->size);
    self->pending = pending;
    return 0;
}

/* Takes the first bytes of a chunk, where an event is pending: mostly they are the rest of it. Answers how many, or -1. */
static Py_ssize_t take_rest(lane *self, const unsigned char *data, size_t size, turn *turn)
{
    size_t rest = event_end(data, size);
    turn->goes_on = rest < size;
    if (take_pending(self, data, rest, turn) < 0) {
        return -1;
    }
    turn->goes_on = 0;
    if (rest < size && self->pending != NULL) {
        return take_pending(self, data + rest, size - rest, turn) < 0 ? -1 : (Py_ssize_t)size;
    }
    return (Py_ssize_t)rest;
}

static int take_all(lane *self, const unsigned char *data, size_t size, turn *turn)
{
    if (self->pending != NULL) {
        Py_ssize_t rest = take_rest(self, data, size, turn);
        if (rest < 0) {
            return -1;
        }
        data += rest;
        size -= (size_t)rest;
    }
    size_t taken = 0;
    if (take_events(self, data, size, &taken, turn) < 0 || feed_batch(self, turn) < 0) {
        return -1;
    }
    if (taken < size) {
        if (native_pending_append(self, data + taken, size - taken) < 0) {
            return -1;
        }
        self->pending->match = turn->match;
    }
    return 0;
}

static int take_chunk(lane *self, PyObject *chunk, PyObject *events)
{
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(chunk);
    size_t size = (size_t)PyBytes_GET_SIZE(chunk);
    turn turn;
    turn_begin(&turn, chunk, events);
    int status = self->pending == NULL ? take_one(self, data, size, &turn) : 0;
    if (status == 0) {
        status = take_all(self, data, size, &turn);
    }
    turn_end(&turn);
    return status < 0 ? -1 : 0;
}

int native_flush(lane *self, PyObject *events)
{
    pending_bytes *pending = native_pending_take(self);
    if (pending == NULL) {
        return 0;
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)pending->bytes, (Py_ssize_t)pending->size);
    PyMem_Free(pending);
    int status = bytes == NULL ? -1 : native_handle(self, bytes, events);
    Py_XDECREF(bytes);
    return status;
}

int native_lane_feed(lane *self, PyObject *data, PyObject *events)
{
    Py_ssize_t size = PyBytes_CheckExact(data) ? PyBytes_GET_SIZE(data) : -1;
    if (size > 0 && size <= self->room - (long long)native_pending_size(self)) {
        return take_chunk(self, data, events);
    }
    if (size < 0 && !PyUnicode_Check(data) && !PyObject_CheckBuffer(data)) {
        PyErr_Format(PyExc_TypeError, "feed takes str, bytes, bytearray or memoryview, not %.100s",
                     Py_TYPE(data)->tp_name);
        return -1;
    }
    if (size != 0 && native_flush(self, events) < 0) {
        return -1;
    }
    return native_handle(self, data, events);
}

int native_lane_take(PyObject *object, PyObject *item, PyObject *events)
{
    lane *self = (lane *)object;
    if (self->interrupted) {
        PyErr_SetString(PyExc_RuntimeError, "the stream was closed while it was being read");
        return -1;
    }
    if (self->busy) {
        native_raise_busy();
        return -1;
    }
    self->busy = 1;
    int status = native_lane_feed(self, item, events);
    self->busy = 0;
    return status;
}

/* The next item's events are appended. Answers 1, or 0 at the end of the items, or -1. */
static int pull_one(lane *self, PyObject *items, PyObject *events)
{
    PyObject *item = PyIter_Next(items);
    if (item == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int status = native_lane_take((PyObject *)self, item, events);
    Py_DECREF(item);
    return status < 0 ? -1 : 1;
}

int native_lane_pull(PyObject *object, PyObject *items, PyObject *events)
{
    for (unsigned turn = 1; PyList_GET_SIZE(events) == 0; turn++) {
        int status = pull_one((lane *)object, items, events);
        if (status <= 0) {
            return status;
        }
        if (turn % SIGNAL_EVERY == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    return 1;
}
