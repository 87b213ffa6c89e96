/* A framer's state as bytes, and back.
 *
 * All integers little-endian, in this order: a mark, the small fields, the name, the large fields, the
 * sizes of five texts, the texts. */
#include "sse.h"

#include <string.h>

static const unsigned char saved_mark[4] = {'T', 'S', 'E', '1'};

enum { SAVED_SMALL = 5, SAVED_LARGE = 6, SAVED_TEXTS = 6 };

typedef struct ts_writer {
    unsigned char *out;
    size_t cap;
    size_t size;                 /* what was written, and what would have been beyond cap */
} ts_writer;

static void write_bytes(ts_writer *writer, const unsigned char *bytes, size_t size)
{
    if (size != 0 && writer->size <= writer->cap && size <= writer->cap - writer->size) {
        memcpy(writer->out + writer->size, bytes, size);
    }
    writer->size += size;
}

static void write_integer(ts_writer *writer, uint64_t value, size_t width)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < width; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    write_bytes(writer, bytes, width);
}

size_t ts_sse_save(const ts_sse *sse, unsigned char *out, size_t cap)
{
    const ts_sse_view *view = &sse->view;
    const unsigned char *text = sse->text.bytes;
    const int32_t small[SAVED_SMALL] = {sse->state, sse->field, sse->has_id, sse->has_nul, (int32_t)sse->name_size};
    const int64_t large[SAVED_LARGE] = {sse->line_size, sse->digits,   view->retry,
                                        view->offset,   view->scanned, view->status < 0 ? view->status : TS_OK};
    size_t whole = sse->data_size;
    size_t partial = sse->text.size - sse->data_start - whole;
    const struct {
        const unsigned char *bytes;
        size_t size;
    } texts[SAVED_TEXTS] = {
        {text == NULL ? NULL : text + view->last_id, (size_t)view->last_id_size},
        {text == NULL ? NULL : text + sse->data_start, whole},
        {text == NULL ? NULL : text + sse->data_start + whole, partial},
        {sse->event.bytes, sse->event.size},
        {sse->id.bytes, sse->id.size},
        {sse->line.bytes, sse->line.size},
    };
    ts_writer writer = {out, cap, 0};
    write_bytes(&writer, saved_mark, sizeof saved_mark);
    for (size_t i = 0; i < SAVED_SMALL; i++) {
        write_integer(&writer, (uint64_t)small[i], 1);
    }
    write_bytes(&writer, sse->name, NAME_MAX_SIZE);
    for (size_t i = 0; i < SAVED_LARGE; i++) {
        write_integer(&writer, (uint64_t)large[i], 8);
    }
    for (size_t i = 0; i < SAVED_TEXTS; i++) {
        write_integer(&writer, texts[i].size, 8);
    }
    for (size_t i = 0; i < SAVED_TEXTS; i++) {
        write_bytes(&writer, texts[i].bytes, texts[i].size);
    }
    return writer.size;
}

/* What stands before the texts, read from bytes that may be anything. */
typedef struct ts_saved_sse {
    int32_t small[SAVED_SMALL];
    unsigned char name[NAME_MAX_SIZE];
    int64_t large[SAVED_LARGE];
    size_t sizes[SAVED_TEXTS];
    const unsigned char *texts[SAVED_TEXTS];
} ts_saved_sse;

#define SAVED_HEAD (sizeof saved_mark + SAVED_SMALL + NAME_MAX_SIZE + 8 * (SAVED_LARGE + SAVED_TEXTS))

static uint64_t read_integer(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) {
        value = (value << 8) | bytes[i];
    }
    return value;
}

/* Answers whether the bytes have the right form; what they say is still to be checked. */
static int read_saved(ts_saved_sse *saved, const unsigned char *data, size_t size)
{
    if (size < SAVED_HEAD || memcmp(data, saved_mark, sizeof saved_mark) != 0) {
        return 0;
    }
    const unsigned char *at = data + sizeof saved_mark;
    for (size_t i = 0; i < SAVED_SMALL; i++) {
        saved->small[i] = *at++;
    }
    memcpy(saved->name, at, NAME_MAX_SIZE);
    at += NAME_MAX_SIZE;
    for (size_t i = 0; i < SAVED_LARGE; i++, at += 8) {
        uint64_t bits = read_integer(at);
        memcpy(&saved->large[i], &bits, sizeof bits);
    }
    const unsigned char *text = data + SAVED_HEAD;
    size_t left = size - SAVED_HEAD;
    for (size_t i = 0; i < SAVED_TEXTS; i++, at += 8) {
        uint64_t wanted = read_integer(at);
        if (wanted > left) {
            return 0;
        }
        saved->sizes[i] = (size_t)wanted;
        saved->texts[i] = text;
        text += wanted;
        left -= (size_t)wanted;
    }
    return left == 0;
}

static int loaded_numbers_fit(const ts_sse *sse)
{
    const ts_sse_view *view = &sse->view;
    return sse->state < SSE_STATE_COUNT && sse->field < FIELD_COUNT && sse->has_id <= 1 && sse->has_nul <= 1 &&
           sse->name_size <= NAME_MAX_SIZE && sse->digits >= DIGITS_BAD && view->retry >= -1 && view->offset >= 0 &&
           view->offset <= INT64_MAX / 2 && view->scanned >= 0 && view->scanned <= INT64_MAX / 2 &&
           (view->status == TS_OK || view->status == TS_ERR_MEMORY || view->status == TS_ERR_EVENT_BYTES);
}

/* Whether line_size fits the place in the line. */
static int loaded_line_fits(const ts_sse *sse)
{
    switch (sse->state) {
    case SSE_BOM: return sse->line_size >= 0 && sse->line_size < 3;
    case SSE_AFTER_CR: return sse->line_size == 0;
    case SSE_NAME: return sse->line_size == (int64_t)sse->name_size;
    case SSE_SPACE:
    case SSE_VALUE: return sse->line_size > 0 && sse->field != FIELD_NONE;
    default: return sse->line_size > 0;
    }
}

/* Whether the texts are such as the state can have, and within the limit. */
static int loaded_texts_fit(const ts_sse *sse, const ts_saved_sse *saved)
{
    uint64_t limit = (uint64_t)sse->max_event_bytes;
    uint64_t line_size = (uint64_t)sse->line_size;
    const size_t *sizes = saved->sizes;
    int in_data = sse->state == SSE_VALUE && sse->field == FIELD_DATA;
    int in_line = sse->state == SSE_VALUE && (sse->field == FIELD_EVENT || sse->field == FIELD_ID);
    uint64_t held = line_size;
    if (held > limit || sizes[0] > limit) {
        return 0;
    }
    for (size_t i = 1; i <= 4; i++) {
        if (i == 2) {
            continue; /* counted with its line */
        }
        if (sizes[i] > limit - held) {
            return 0;
        }
        held += sizes[i];
    }
    return sizes[2] <= (in_data ? line_size : 0) && sizes[5] <= (in_line ? line_size : 0) &&
           (sizes[4] == 0 || sse->has_id) && (sizes[1] == 0 || saved->texts[1][sizes[1] - 1] == '\n');
}

static int load_texts(ts_sse *sse, const ts_saved_sse *saved)
{
    if (ts_buffer_append(&sse->text, saved->texts[0], saved->sizes[0]) != TS_OK ||
        ts_buffer_append(&sse->text, (const unsigned char *)"", 1) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    sse->view.last_id_size = (int64_t)saved->sizes[0];
    sse->data_start = sse->text.size;
    sse->data_size = saved->sizes[1];
    if (ts_buffer_append(&sse->text, saved->texts[1], saved->sizes[1] + saved->sizes[2]) != TS_OK ||
        ts_buffer_append(&sse->event, saved->texts[3], saved->sizes[3]) != TS_OK ||
        ts_buffer_append(&sse->id, saved->texts[4], saved->sizes[4]) != TS_OK) {
        return TS_ERR_MEMORY;
    }
    return ts_buffer_append(&sse->line, saved->texts[5], saved->sizes[5]);
}

static int load_saved(ts_sse *sse, const ts_saved_sse *saved)
{
    sse->state = saved->small[0];
    sse->field = saved->small[1];
    sse->has_id = saved->small[2];
    sse->has_nul = saved->small[3];
    sse->name_size = (uint32_t)saved->small[4];
    memcpy(sse->name, saved->name, NAME_MAX_SIZE);
    sse->line_size = saved->large[0];
    sse->digits = saved->large[1];
    sse->view.retry = saved->large[2];
    sse->view.offset = saved->large[3];
    sse->view.scanned = saved->large[4];
    if (saved->large[5] > TS_OK || saved->large[5] < TS_ERR_ARGUMENT) {
        return TS_ERR_ARGUMENT;
    }
    sse->view.status = (int32_t)saved->large[5];
    if (!loaded_numbers_fit(sse) || !loaded_line_fits(sse) || !loaded_texts_fit(sse, saved)) {
        return TS_ERR_ARGUMENT;
    }
    return load_texts(sse, saved);
}

ts_sse *ts_sse_load(int64_t max_event_bytes, const unsigned char *data, size_t size)
{
    ts_saved_sse saved;
    ts_sse *sse = read_saved(&saved, data, size) ? ts_sse_new(max_event_bytes) : NULL;
    if (sse == NULL) {
        return NULL;
    }
    if (load_saved(sse, &saved) != TS_OK) {
        ts_sse_free(sse);
        return NULL;
    }
    ts_sse_answer(sse, sse->view.status);
    return sse;
}
