/* Cuts a byte stream into server-sent events: WHATWG HTML, section 9.2.5 "Parsing an event stream" and 9.2.6
 * "Interpreting an event stream".
 *
 * Trusts nothing about the input; it may be cut anywhere. Guarantees: the same frames, offsets and status for
 * every way to cut it; each byte is looked at once; a byte of data is copied once, from the input to the
 * text (and once more if its frame is still open when earlier ones are forgotten).
 *
 * The rules work on bytes: the standard decodes first, but all that it looks for is ASCII, and UTF-8 decoding
 * with replacement never swallows or makes an ASCII byte. So the caller decodes what it needs.
 */
#include "sse.h"

#include <string.h>

#define TRIM_BYTES 4096          /* buffers up to here are kept for good */
#define TRIM_FRAMES 512

/* ------------------------------------------------------------------ buffers */

int ts_buffer_append(ts_buffer *buffer, const unsigned char *bytes, size_t size)
{
    if (size == 0) {
        return TS_OK;
    }
    void *block = buffer->bytes;
    int enough = ts_reserve(&block, &buffer->capacity, buffer->size, size, 64, 1);
    buffer->bytes = (unsigned char *)block;
    if (!enough) {
        return TS_ERR_MEMORY;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return TS_OK;
}

static void buffer_swap(ts_buffer *a, ts_buffer *b)
{
    ts_buffer kept = *a;
    *a = *b;
    *b = kept;
}

/* Gives back memory that one long event needed and the next ones don't. Filling it again takes as many bytes
 * of input, so the work stays linear. */
static void buffer_trim(ts_buffer *buffer)
{
    if (buffer->capacity <= TRIM_BYTES || buffer->size >= buffer->capacity / 4) {
        return;
    }
    size_t capacity = buffer->size > TRIM_BYTES ? buffer->size : TRIM_BYTES;
    void *smaller = TS_REALLOC(buffer->bytes, capacity);
    if (smaller != NULL) {
        buffer->bytes = (unsigned char *)smaller;
        buffer->capacity = capacity;
    }
}

/* ------------------------------------------------------------------ lines */

/* In so many bytes one end of a line is searched after the other. Not in all that came: a stream that uses only one of them
 * would be read to its end for the other, again and again. */
#define LINE_WINDOW 1024

/* How many bytes come before the first CR or LF. */
static size_t line_length(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t window = size - at < LINE_WINDOW ? size - at : LINE_WINDOW;
        const unsigned char *lf = (const unsigned char *)memchr(data + at, '\n', window);
        size_t before = lf != NULL ? (size_t)(lf - data) - at : window;
        const unsigned char *cr = (const unsigned char *)memchr(data + at, '\r', before);
        if (cr != NULL) {
            return (size_t)(cr - data);
        }
        at += before;
        if (lf != NULL) {
            break;
        }
    }
    return at;
}

static int field_named(const unsigned char *name, size_t size)
{
    if (size == 4 && memcmp(name, "data", 4) == 0) {
        return FIELD_DATA;
    }
    if (size == 5 && memcmp(name, "event", 5) == 0) {
        return FIELD_EVENT;
    }
    if (size == 2 && memcmp(name, "id", 2) == 0) {
        return FIELD_ID;
    }
    if (size == 5 && memcmp(name, "retry", 5) == 0) {
        return FIELD_RETRY;
    }
    return FIELD_NONE;
}

/* The name is whole. An empty one begins a comment, and no field has it. */
static void begin_value(ts_sse *sse)
{
    sse->field = field_named(sse->name, sse->name_size);
    sse->state = sse->field == FIELD_NONE ? SSE_SKIP : SSE_SPACE;
    sse->digits = DIGITS_NONE;
    sse->has_nul = 0;
}

/* Reads the name as far as it goes; answers how many bytes that took, the colon included. */
static size_t take_name(ts_sse *sse, const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && sse->state == SSE_NAME) {
        unsigned char c = bytes[at];
        if (c == ':') {
            begin_value(sse);
        } else if (sse->name_size == NAME_MAX_SIZE) {
            sse->state = SSE_SKIP;
        } else {
            sse->name[sse->name_size++] = c;
        }
        at++;
    }
    return at;
}

/* Too large a number is the largest one that fits: the wait is for ever either way. */
static void take_digits(ts_sse *sse, const unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at < size && sse->digits != DIGITS_BAD; at++) {
        int digit = bytes[at] - '0';
        if (digit < 0 || digit > 9) {
            sse->digits = DIGITS_BAD;
        } else if (sse->digits == DIGITS_NONE) {
            sse->digits = digit;
        } else if (sse->digits > (INT64_MAX - digit) / 10) {
            sse->digits = INT64_MAX;
        } else {
            sse->digits = sse->digits * 10 + digit;
        }
    }
}

static int take_value(ts_sse *sse, const unsigned char *bytes, size_t size)
{
    switch (sse->field) {
    case FIELD_DATA: return ts_buffer_append(&sse->text, bytes, size);
    case FIELD_EVENT: return ts_buffer_append(&sse->line, bytes, size);
    case FIELD_ID:
        if (sse->has_nul || memchr(bytes, 0, size) != NULL) {
            sse->has_nul = 1;
            return TS_OK;
        }
        return ts_buffer_append(&sse->line, bytes, size);
    default: take_digits(sse, bytes, size); return TS_OK;
    }
}

/* Takes a part of a line, without its end; size is not 0. */
static int take_piece(ts_sse *sse, const unsigned char *bytes, size_t size)
{
    size_t at = take_name(sse, bytes, size);
    if (sse->state == SSE_SPACE && at < size) {
        at += bytes[at] == ' ';
        sse->state = SSE_VALUE;
    }
    if (sse->state == SSE_VALUE && at < size) {
        return take_value(sse, bytes + at, size - at);
    }
    return TS_OK;
}

/* The line of a known field has ended. */
static int end_value(ts_sse *sse)
{
    int status = TS_OK;
    switch (sse->field) {
    case FIELD_DATA:
        status = ts_buffer_append(&sse->text, (const unsigned char *)"\n", 1);
        sse->data_size = sse->text.size - sse->data_start;
        break;
    case FIELD_EVENT: buffer_swap(&sse->event, &sse->line); break;
    case FIELD_ID:
        if (!sse->has_nul) {
            buffer_swap(&sse->id, &sse->line);
            sse->has_id = 1;
        }
        break;
    default:
        if (sse->digits >= 0) { /* no digit at all: the standard doesn't say, browsers ignore it */
            sse->view.retry = sse->digits;
        }
        break;
    }
    sse->line.size = 0;
    return status;
}

/* ------------------------------------------------------------------ frames */

/* The open frame's id becomes the last event id, with or without data. */
static int commit_id(ts_sse *sse)
{
    if (!sse->has_id) {
        return TS_OK;
    }
    size_t at = sse->text.size;
    if (ts_buffer_append(&sse->text, sse->id.bytes, sse->id.size) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    sse->view.last_id = sse->id.size != 0 ? (int64_t)at : 0;
    sse->view.last_id_size = (int64_t)sse->id.size;
    sse->has_id = 0;
    sse->id.size = 0;
    return TS_OK;
}

static int add_frame(ts_sse *sse)
{
    void *block = sse->frames;
    int enough = ts_reserve(&block, &sse->frame_capacity, (size_t)sse->view.frame_count, 1, 4, sizeof *sse->frames);
    sse->frames = (ts_frame *)block;
    if (!enough) {
        return TS_ERR_MEMORY;
    }
    ts_frame *frame = &sse->frames[sse->view.frame_count];
    frame->data = (int64_t)sse->data_start;
    frame->data_size = (int64_t)sse->data_size - 1; /* without the last LF */
    frame->event = (int64_t)sse->text.size;
    frame->event_size = (int64_t)sse->event.size;
    frame->id = sse->view.last_id;
    frame->id_size = sse->view.last_id_size;
    frame->retry = sse->view.retry;
    if (ts_buffer_append(&sse->text, sse->event.bytes, sse->event.size) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    sse->view.frame_count++;
    return TS_OK;
}

/* A blank line: hands out the frame if it has data, and begins the next one. */
static int dispatch(ts_sse *sse)
{
    int status = commit_id(sse);
    if (status == TS_OK && sse->data_size != 0) {
        status = add_frame(sse);
    }
    sse->event.size = 0;
    sse->data_start = sse->text.size;
    sse->data_size = 0;
    return status;
}

/* The line in progress has ended; state says how it goes on. */
static int end_line(ts_sse *sse, int state)
{
    int status = TS_OK;
    if (sse->state == SSE_NAME && sse->name_size == 0) {
        status = dispatch(sse);
    } else {
        if (sse->state == SSE_NAME) {
            begin_value(sse); /* a name without a colon: the value is empty */
        }
        if (sse->state == SSE_SPACE || sse->state == SSE_VALUE) {
            status = end_value(sse);
        }
    }
    sse->state = state;
    sse->name_size = 0;
    sse->line_size = 0;
    return status;
}

/* Whether ts_sse_flush would give a frame. */
static int has_open_frame(const ts_sse *sse)
{
    switch (sse->state) {
    case SSE_SPACE:
    case SSE_VALUE: return sse->data_size != 0 || sse->field == FIELD_DATA;
    case SSE_NAME: return sse->data_size != 0 || field_named(sse->name, sse->name_size) == FIELD_DATA;
    default: return sse->data_size != 0;
    }
}

/* ------------------------------------------------------------------ the stream */

/* How many more bytes the line in progress may have. */
static int64_t room_left(const ts_sse *sse)
{
    return sse->max_event_bytes - (int64_t)(sse->data_size + sse->event.size + sse->id.size) - sse->line_size;
}

/* Looks at one of the stream's first bytes; answers whether it was taken as part of a BOM. */
static int take_bom(ts_sse *sse, unsigned char c)
{
    static const unsigned char bom[3] = {0xef, 0xbb, 0xbf};
    if (c != bom[sse->line_size]) {
        sse->state = sse->line_size == 0 ? SSE_NAME : SSE_SKIP; /* half a BOM is part of an unknown name */
        return 0;
    }
    sse->line_size++;
    if (sse->line_size == 3) {
        sse->state = SSE_NAME;
        sse->line_size = 0;
    }
    return 1;
}

/* Takes bytes up to a fault; *at tells how many. */
static int take_bytes(ts_sse *sse, const unsigned char *bytes, size_t size, size_t *at)
{
    int status = TS_OK;
    while (status == TS_OK && *at < size) {
        if (sse->state == SSE_AFTER_CR) {
            sse->state = SSE_NAME;
            *at += bytes[*at] == '\n';
            continue;
        }
        if (sse->state == SSE_BOM && room_left(sse) > 0) {
            *at += (size_t)take_bom(sse, bytes[*at]);
            continue;
        }
        /* One byte more than there is room for: it may be the line's end. */
        uint64_t room = (uint64_t)room_left(sse);
        size_t window = size - *at > room ? (size_t)room + 1 : size - *at;
        size_t length = line_length(bytes + *at, window);
        if (length > room) {
            *at += (size_t)room;
            return TS_ERR_EVENT_BYTES;
        }
        if (length != 0) {
            status = take_piece(sse, bytes + *at, length);
            sse->line_size += (int64_t)length;
            *at += length;
        }
        if (length < window && status == TS_OK) {
            status = end_line(sse, bytes[*at] == '\r' ? SSE_AFTER_CR : SSE_NAME);
            *at += 1;
        }
    }
    return status;
}

/* Forgets what the last call handed out: only the last event id and the open frame's data stay. */
static int forget_frames(ts_sse *sse)
{
    ts_buffer *text = &sse->text;
    sse->view.frame_count = 0;
    if (text->size == 0) {
        sse->data_start = 1;
        return ts_buffer_append(text, (const unsigned char *)"", 1);
    }
    size_t id_size = (size_t)sse->view.last_id_size;
    if (sse->view.last_id != 0) {
        memmove(text->bytes, text->bytes + sse->view.last_id, id_size);
        sse->view.last_id = 0;
    }
    size_t kept = id_size + 1;
    size_t open_size = text->size - sse->data_start;
    if (sse->data_start != kept) {
        text->bytes[id_size] = 0;
        memmove(text->bytes + kept, text->bytes + sse->data_start, open_size);
        sse->data_start = kept;
        text->size = kept + open_size;
    }
    buffer_trim(text);
    buffer_trim(&sse->event);
    buffer_trim(&sse->id);
    buffer_trim(&sse->line);
    if (sse->frame_capacity > TRIM_FRAMES) {
        TS_FREE(sse->frames);
        sse->frames = NULL;
        sse->frame_capacity = 0;
    }
    return TS_OK;
}

int ts_sse_answer(ts_sse *sse, int status)
{
    ts_sse_view *view = &sse->view;
    view->frames = sse->frames;
    view->text = sse->text.bytes;
    view->text_size = (int64_t)sse->text.size;
    view->open = status == TS_OK && has_open_frame(sse);
    view->status = status != TS_OK ? status : view->frame_count != 0 ? TS_READY : TS_OK;
    return view->status;
}

static int refuse(ts_sse *sse)
{
    sse->view.frame_count = 0;
    return sse->view.status;
}

/* An empty buffer with the memory of another one. */
static ts_buffer buffer_reuse(ts_buffer buffer)
{
    buffer.size = 0;
    buffer_trim(&buffer);
    return buffer;
}

void ts_sse_reuse(ts_sse *sse, int64_t max_event_bytes, int64_t offset)
{
    ts_sse old = *sse;
    memset(sse, 0, sizeof *sse);
    sse->frames = old.frames;
    sse->frame_capacity = old.frame_capacity;
    sse->text = buffer_reuse(old.text);
    sse->event = buffer_reuse(old.event);
    sse->id = buffer_reuse(old.id);
    sse->line = buffer_reuse(old.line);
    sse->max_event_bytes = max_event_bytes > 0 ? max_event_bytes : 0;
    sse->view.retry = -1;
    sse->view.text = (const unsigned char *)"";
    sse->view.offset = offset;
    sse->view.scanned = offset;
    sse->digits = DIGITS_NONE;
    sse->state = offset == 0 ? SSE_BOM : SSE_NAME;
}

ts_sse *ts_sse_new(int64_t max_event_bytes)
{
    ts_sse *sse = (ts_sse *)TS_MALLOC(sizeof *sse);
    if (sse != NULL) {
        memset(sse, 0, sizeof *sse);
        ts_sse_reuse(sse, max_event_bytes, 0);
    }
    return sse;
}

size_t ts_sse_size(const ts_sse *sse)
{
    size_t buffers = sse->text.capacity + sse->event.capacity + sse->id.capacity + sse->line.capacity;
    return sizeof *sse + buffers + sse->frame_capacity * sizeof *sse->frames;
}

void ts_sse_free(ts_sse *sse)
{
    if (sse == NULL) {
        return;
    }
    TS_FREE(sse->frames);
    TS_FREE(sse->text.bytes);
    TS_FREE(sse->event.bytes);
    TS_FREE(sse->id.bytes);
    TS_FREE(sse->line.bytes);
    TS_FREE(sse);
}

const ts_sse_view *ts_sse_get_view(const ts_sse *sse)
{
    return &sse->view;
}

int ts_sse_feed(ts_sse *sse, const char *data, size_t size)
{
    if (sse->view.status < 0) {
        return refuse(sse);
    }
    size_t taken = 0;
    int status = forget_frames(sse);
    if (status == TS_OK) {
        status = take_bytes(sse, (const unsigned char *)data, size, &taken);
    }
    sse->view.offset += (int64_t)taken;
    sse->view.scanned += (int64_t)taken + (status == TS_ERR_EVENT_BYTES);
    return ts_sse_answer(sse, status);
}

/* A line that begins with this name and a colon, all of it there. Its value is data[*value .. *end), and the next line begins
 * behind *end. */
static int line_find(const char *data, size_t size, size_t at, const char *name, size_t *value, size_t *end)
{
    size_t name_size = strlen(name);
    if (size - at <= name_size || memcmp(data + at, name, name_size) != 0) {
        return 0;
    }
    at += name_size;
    at += data[at] == ' ';
    const char *lf = at < size ? (const char *)memchr(data + at, '\n', size - at) : NULL;
    if (lf == NULL) {
        return 0;
    }
    *value = at;
    *end = (size_t)(lf - data);
    return memchr(data + at, '\r', *end - at) == NULL;
}

size_t ts_sse_whole(const char *data, size_t size, ts_frame *frame)
{
    size_t value, end, at = 0;
    *frame = (ts_frame){.retry = -1};
    if (line_find(data, size, 0, "event:", &value, &end)) {
        frame->event = (int64_t)value;
        frame->event_size = (int64_t)(end - value);
        at = end + 1;
    }
    if (!line_find(data, size, at, "data:", &value, &end) || end + 1 == size || data[end + 1] != '\n') {
        return 0;
    }
    frame->data = (int64_t)value;
    frame->data_size = (int64_t)(end - value);
    return end + 2;
}

int ts_sse_between(const ts_sse *sse)
{
    return sse->state == SSE_NAME && sse->line_size == 0 && sse->data_size == 0 && sse->event.size == 0 &&
           !sse->has_id && sse->view.status >= 0;
}

int ts_sse_is_done(const ts_sse *sse)
{
    return ts_sse_between(sse) && sse->view.last_id_size == 0 && sse->view.retry < 0;
}

int ts_sse_flush(ts_sse *sse)
{
    if (sse->view.status < 0) {
        return refuse(sse);
    }
    int status = forget_frames(sse);
    if (status == TS_OK && sse->line_size != 0) {
        status = end_line(sse, SSE_NAME);
    }
    if (status == TS_OK && sse->data_size != 0) {
        status = dispatch(sse);
    }
    return ts_sse_answer(sse, status);
}
