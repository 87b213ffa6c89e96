/* The framer's own state: shared by sse.c, which moves it, and sse_state.c, which saves and loads it. */
#ifndef TS_SSE_H
#define TS_SSE_H

#include "memory.h"
#include "toolstream.h"

#define NAME_MAX_SIZE 5          /* "event", "retry" */

/* Where the line in progress stands. */
enum ts_sse_state {
    SSE_BOM,                     /* the stream's first bytes: line_size of them match a BOM */
    SSE_AFTER_CR,                /* a line has ended; an LF here belongs to its end */
    SSE_NAME,                    /* in the field name; at the line's begin while it is empty */
    SSE_SPACE,                   /* after the colon: one space is dropped */
    SSE_VALUE,
    SSE_SKIP,                    /* in a comment or a field that the standard doesn't know */
    SSE_STATE_COUNT
};

enum ts_sse_field {
    FIELD_NONE,
    FIELD_DATA,
    FIELD_EVENT,
    FIELD_ID,
    FIELD_RETRY,
    FIELD_COUNT
};

/* ts_sse.digits before the first digit, and after anything that is none. */
enum ts_sse_digits { DIGITS_NONE = -1, DIGITS_BAD = -2 };

typedef struct ts_buffer {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
} ts_buffer;

struct ts_sse {
    ts_sse_view view;
    int64_t max_event_bytes;
    ts_frame *frames;
    size_t frame_capacity;

    /* The last event id, a zero byte, then the data, id and type of the frames since the last call, then the
     * open frame's data. Thanks to the zero byte an id at offset 0 is always one from an earlier call. */
    ts_buffer text;
    size_t data_start;           /* the open frame's data */
    size_t data_size;            /* its whole lines, an LF behind each; a line in progress follows */
    ts_buffer event;             /* the open frame's type */
    ts_buffer id;                /* ... and its id, if has_id */
    ts_buffer line;              /* value in progress of an event or id line */

    int64_t line_size;           /* bytes of the line in progress, of whatever kind */
    int64_t digits;              /* value in progress of a retry line, or ts_sse_digits */
    int32_t state;               /* ts_sse_state */
    int32_t field;               /* ts_sse_field of SSE_SPACE and SSE_VALUE */
    int32_t has_id;
    int32_t has_nul;             /* the id in progress holds a NUL: it will be ignored */
    uint32_t name_size;
    unsigned char name[NAME_MAX_SIZE];
};

/* Appends a copy of the bytes. */
int ts_buffer_append(ts_buffer *buffer, const unsigned char *bytes, size_t size);
/* Brings the view up to date, and answers what a call answers in the end. */
int ts_sse_answer(ts_sse *sse, int status);

#endif
