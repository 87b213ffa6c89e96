/* What the files of the fast lane share: native_lane.c feeds it, native_bind.c makes its templates, native_events.c has
 * the events handled that do not match, native_resent.c reads those that repeat arguments, native_lane_type.c is what
 * Python sees of it. */
#ifndef TS_NATIVE_LANE_H
#define TS_NATIVE_LANE_H

#include "native.h"

/* What the text of a matching event is for. */
enum lane_use { USE_NOTHING, USE_CALL, USE_TEXT, USE_REASONING };

/* The beginning of an event that matches so far. */
typedef struct pending_bytes {
    ts_match match;              /* how far they have been compared */
    size_t size;
    size_t capacity;
    unsigned char bytes[];
} pending_bytes;

/* Of these there is one for each stream that waits: what only a chunk needs is not here. */
typedef struct lane {
    PyObject_HEAD
    module_state *state;
    ts_template *template;       /* NULL: USE_NOTHING */
    PyObject *adapter;           /* who knows what events mean; None before the provider is known */
    PyObject *assembler;         /* whom the adapter tells it */
    PyObject *framing;           /* what cuts bytes into events */
    union {
        PyObject *goal;          /* what the text is for, whatever it is */
        fields *target;          /* USE_CALL: the call's parser */
        PyObject *place;         /* else: tuple of the event's index and of the lists that want the text as well */
    };
    fields *latest;              /* the call's parser that was the target last, or NULL */
    pending_bytes *pending;      /* NULL: nothing is pending */
    long long room;              /* bytes that the stream may still have */
    long long framed;            /* bytes that the framing has had */
    long long max_event;         /* bytes that an event may have */
    unsigned hits;               /* events that matched */
    unsigned tries;              /* events that were made templates */
    unsigned char use : 2;       /* lane_use */
    unsigned char watchful : 1;  /* USE_CALL: a text that may repeat all before it needs a closer look */
    unsigned char checked : 1;   /* USE_CALL: the parser's reports go through its `take_reports` */
    unsigned char quiet : 1;     /* and it has nothing to say as long as there are none */
    char between;                /* the slow lane stands between two events */
    char hopeful;                /* events may repeat: worth cutting chunks at events */
    char steady;                 /* the framing is SSE, so that frames may be cut here */
    char known;                  /* the adapter is known and its message has begun: it may have events as they are */
    char busy;
    char interrupted;            /* what is pulled is no longer wanted */
} lane;

/* What an event that takes the slow lane came as. */
typedef struct slow_frame {
    ts_bytes type;               /* empty: "message" */
    ts_bytes data;
    ts_bytes bytes;              /* those with which its end came */
    int is_whole;                /* they are all of the event, and no other's */
} slow_frame;

/* native_lane.c. Feeds data of any type; the caller keeps all others out. Answers 0, or -1 with an exception set. */
int native_lane_feed(lane *self, PyObject *data, PyObject *events);
/* Gives what is pending to the slow lane, which then has all that came. Answers 0, or -1 with an exception set. */
int native_flush(lane *self, PyObject *events);
size_t native_pending_size(const lane *self);
/* Answers 0, or -1 with an exception set. */
int native_pending_append(lane *self, const unsigned char *data, size_t size);
/* Takes the pending bytes out of the lane: the caller frees them. */
pending_bytes *native_pending_take(lane *self);

/* native_bind.c. Forgets the event that repeats. */
void native_unbind(lane *self);
/* A stream's part of the memory for its template. */
size_t native_template_size(const lane *self);
/* Makes a template of the event that a frame held, if the adapter says that others like it may follow. Answers 0, or -1
 * with an exception set. */
int native_bind(lane *self, const slow_frame *frame, PyObject *event);

/* native_resent.c. The event in data, if it says the latest call's arguments again, and they are long. NULL with an
 * exception, or without one where data is to be read as any other event's. */
PyObject *native_load_resent(lane *self, ts_bytes data);

/* native_events.c. Has bytes framed and their events handled. Answers 0, or -1 with an exception set. */
int native_handle(lane *self, PyObject *bytes, PyObject *events);
/* As native_handle, of bytes that are SSE for sure and no more than may come. */
int native_take_frames(lane *self, PyObject *bytes, PyObject *events);

#endif
