/* Compares events with the one before them: see ts_template in toolstream.h.
 *
 * A template is a list of parts: bytes that must be equal, and slots. Matching stops and resumes anywhere, so each byte
 * is compared once however the stream is cut. The lane understands nothing: it only knows that equal bytes mean the
 * same, and that a JSON string ends at a quote that no backslash precedes.
 */
#include "internal.h"

#include <string.h>

/* Of the bytes in a template there are no more than so many, and of its parts. */
#define BYTES_MAX ((UINT32_C(1) << 29) - 1)
#define PARTS_MAX UINT16_MAX

/* An event that would have more parts is none that repeats. */
#define LEARNED_PARTS 128

typedef struct lane_part {
    uint32_t size : 29;          /* of its bytes, which stand behind those of the part before */
    uint32_t slot : 3;           /* ts_slot, or 0: bytes */
} lane_part;

/* One for each stream that waits, if others do not have the same. Behind the parts stand their bytes. */
struct ts_template {
    uint32_t holders;
    uint32_t bytes_size;
    uint32_t closing_bytes;      /* those before the part `closing` */
    uint16_t count;              /* of parts */
    uint16_t closing;            /* from this part on there are only bytes and blanks */
    lane_part parts[];
};

static const unsigned char *bytes_of(const ts_template *t)
{
    return (const unsigned char *)(t->parts + t->count);
}

size_t ts_template_size(const ts_template *t)
{
    return sizeof *t + t->count * sizeof *t->parts + t->bytes_size;
}

uint32_t ts_template_holders(const ts_template *t)
{
    return t->holders;
}

ts_template *ts_template_hold(ts_template *t)
{
    t->holders++;
    return t;
}

void ts_template_free(ts_template *t)
{
    if (t != NULL && --t->holders == 0) {
        TS_FREE(t);
    }
}

int ts_template_same(const ts_template *a, const ts_template *b)
{
    return a->bytes_size == b->bytes_size && a->count == b->count &&
           memcmp(a->parts, b->parts, a->count * sizeof *a->parts + a->bytes_size) == 0;
}

uint32_t ts_template_hash(const ts_template *t)
{
    const unsigned char *bytes = bytes_of(t);
    uint32_t hash = t->bytes_size;
    for (uint32_t i = 0; i < t->bytes_size; i++) {
        hash = (hash ^ bytes[i]) * UINT32_C(16777619); /* FNV-1a; where it is used, a collision costs nothing */
    }
    return hash ^ hash >> 15;
}

static int is_joined(const ts_part *parts, size_t at)
{
    return at != 0 && parts[at].slot == 0 && parts[at - 1].slot == 0;
}

/* How much there is of all parts. Neighbouring bytes are one part. Answers TS_OK or TS_ERR_ARGUMENT. */
static int parts_measure(const ts_part *parts, size_t count, size_t *own, size_t *bytes)
{
    *own = *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = parts[i].slot == 0 ? parts[i].size : 0;
        int is_bad = parts[i].slot < 0 || parts[i].slot > TS_SLOT_SPACE || (parts[i].slot == 0 && size == 0);
        if (is_bad || size > BYTES_MAX - *bytes) {
            return TS_ERR_ARGUMENT;
        }
        *own += !is_joined(parts, i);
        *bytes += size;
    }
    return *own == 0 || *own > PARTS_MAX ? TS_ERR_ARGUMENT : TS_OK;
}

int ts_template_new(const ts_part *parts, size_t count, ts_template **made)
{
    size_t own, bytes;
    *made = NULL;
    if (parts_measure(parts, count, &own, &bytes) != TS_OK) {
        return TS_ERR_ARGUMENT;
    }
    ts_template *t = (ts_template *)TS_MALLOC(sizeof *t + own * sizeof *t->parts + bytes);
    if (t == NULL) {
        return TS_ERR_MEMORY;
    }
    *t = (ts_template){.holders = 1, .bytes_size = (uint32_t)bytes, .count = (uint16_t)own};
    unsigned char *out = (unsigned char *)(t->parts + own);
    lane_part *part = t->parts;
    uint32_t written = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = parts[i].slot == 0 ? parts[i].size : 0;
        if (!is_joined(parts, i)) {
            part += i != 0;
            *part = (lane_part){.slot = (unsigned)parts[i].slot & 7};
        }
        part->size = (part->size + (uint32_t)size) & BYTES_MAX;
        if (size != 0) {
            memcpy(out + written, parts[i].data, size);
            written += (uint32_t)size;
        }
        if (part->slot != 0 && part->slot != TS_SLOT_SPACE) {
            t->closing = (uint16_t)(part - t->parts + 1);
            t->closing_bytes = written;
        }
    }
    *made = t;
    return TS_OK;
}

/* ------------------------------------------------------------------ parts */

static int match_bytes(const ts_template *t, ts_match *m, const lane_part *part, const unsigned char *data, size_t size)
{
    size_t done = m->at - m->part_start;
    size_t left = part->size - done;
    size_t there = size - m->at < left ? size - m->at : left;
    if (there != 0 && memcmp(bytes_of(t) + m->bytes + done, data + m->at, there) != 0) {
        return TS_LANE_OTHER;
    }
    m->at += (uint32_t)there;
    return there == left ? TS_LANE_EVENT : TS_LANE_MORE;
}

/* The rest of a string, its closing quote left to the part behind it. */
static int match_string(ts_match *m, const unsigned char *data, size_t size)
{
    if (m->at == m->part_start) {
        m->text_is_plain = 1;
    }
    while (m->at < size) {
        m->at += (uint32_t)ts_plain_prefix(data + m->at, size - m->at);
        if (m->at == size) {
            break;
        }
        unsigned char c = data[m->at];
        if (c == '"') {
            return TS_LANE_EVENT;
        }
        if (c < 0x20) {
            return TS_LANE_OTHER; /* no JSON, or the event's end */
        }
        m->text_is_plain = 0;
        if (c == '\\') {
            if (size - m->at < 2) {
                break;
            }
            m->at++;
        }
        m->at++;
    }
    return TS_LANE_MORE;
}

/* A string that means nothing; only a plain one is told to be sound without a closer look. */
static int match_ignored(ts_match *m, const unsigned char *data, size_t size)
{
    m->at += (uint32_t)ts_plain_prefix(data + m->at, size - m->at);
    if (m->at == size) {
        return TS_LANE_MORE;
    }
    return data[m->at] == '"' ? TS_LANE_EVENT : TS_LANE_OTHER;
}

/* Whether so many digits are a number that any reader can hold. */
static int is_number(const unsigned char *digits, size_t count)
{
    return count == 1 || (count != 0 && count <= 18 && digits[0] != '0');
}

static int match_number(ts_match *m, const unsigned char *data, size_t size)
{
    while (m->at < size && is_digit(data[m->at])) {
        m->at++;
    }
    if (m->at == size) {
        return TS_LANE_MORE;
    }
    return is_number(data + m->part_start, m->at - m->part_start) ? TS_LANE_EVENT : TS_LANE_OTHER;
}

static int match_space(ts_match *m, const unsigned char *data, size_t size)
{
    while (m->at < size && data[m->at] == ' ') {
        m->at++;
    }
    return m->at == size ? TS_LANE_MORE : TS_LANE_EVENT;
}

/* The event's end without any blanks, which is how it mostly stands: all bytes that are left, at once. */
static int match_closing(const ts_template *t, ts_match *m, const unsigned char *data, size_t size)
{
    size_t left = t->bytes_size - t->closing_bytes;
    if (m->at != m->part_start || size - m->at < left ||
        memcmp(bytes_of(t) + t->closing_bytes, data + m->at, left) != 0) {
        return 0;
    }
    m->at += (uint32_t)left;
    return 1;
}

static int match_part(const ts_template *t, ts_match *m, const lane_part *part, const unsigned char *data, size_t size)
{
    switch (part->slot) {
    case 0: return match_bytes(t, m, part, data, size);
    case TS_SLOT_TEXT: return match_string(m, data, size);
    case TS_SLOT_STRING: return match_ignored(m, data, size);
    case TS_SLOT_NUMBER: return match_number(m, data, size);
    default: return match_space(m, data, size);
    }
}

/* ------------------------------------------------------------------ matching */

int ts_template_match(const ts_template *t, ts_match *m, const unsigned char *data, size_t size, size_t *used,
                      ts_found *text)
{
    if (size > UINT32_MAX / 2) { /* no event is so long that 32 bits cannot tell a place in it */
        return TS_LANE_OTHER;
    }
    while (m->part < t->count) {
        if (m->part == t->closing && t->closing != 0 && match_closing(t, m, data, size)) {
            break;
        }
        const lane_part *part = &t->parts[m->part];
        int answer = match_part(t, m, part, data, size);
        if (answer != TS_LANE_EVENT) {
            if (answer == TS_LANE_OTHER) {
                *m = (ts_match){0};
            }
            return answer;
        }
        if (part->slot == TS_SLOT_TEXT) {
            m->text_start = m->part_start;
            m->text_end = m->at;
        }
        m->bytes += part->size;
        m->part++;
        m->part_start = m->at;
    }
    *used = m->at;
    *text = (ts_found){data + m->text_start, m->text_end - m->text_start, m->text_is_plain};
    *m = (ts_match){0};
    return TS_LANE_EVENT;
}

/* An event that is being compared: where its parts have come to. */
typedef struct whole_event {
    const unsigned char *data;
    size_t size;
    size_t at;
    const unsigned char *bytes;  /* the template's, of the next part */
} whole_event;

/* The bytes of a part, all there. */
static inline int whole_bytes(whole_event *event, size_t count)
{
    const unsigned char *from = event->data + event->at, *bytes = event->bytes;
    if (event->size - event->at < count) {
        return TS_LANE_MORE;
    }
    event->at += count;
    event->bytes += count;
    return memcmp(bytes, from, count) == 0 ? TS_LANE_EVENT : TS_LANE_OTHER;
}

/* A slot that ends before data does. */
static int whole_slot(int slot, const unsigned char *data, size_t size, size_t *at, ts_room *text)
{
    size_t from = *at, to = from;
    switch (slot) {
    case TS_SLOT_TEXT: return ts_text_take(data, size, at, text) && *at < size ? TS_LANE_EVENT : TS_LANE_MORE;
    case TS_SLOT_STRING:
        to += ts_plain_prefix(data + from, size - from);
        *at = to;
        return to < size && data[to] == '"' ? TS_LANE_EVENT : TS_LANE_MORE;
    case TS_SLOT_NUMBER:
        while (to < size && is_digit(data[to])) {
            to++;
        }
        *at = to;
        return to < size && is_number(data + from, to - from) ? TS_LANE_EVENT : TS_LANE_MORE;
    default:
        while (to < size && data[to] == ' ') {
            to++;
        }
        *at = to;
        return to < size ? TS_LANE_EVENT : TS_LANE_MORE;
    }
}

/* The parts from one up to another, all there. */
static inline int whole_parts(const lane_part *part, const lane_part *end, whole_event *event, ts_room *text)
{
    int answer = TS_LANE_EVENT;
    for (; part < end && answer == TS_LANE_EVENT; part++) {
        answer = part->slot == 0 ? whole_bytes(event, part->size)
                                 : whole_slot(part->slot, event->data, event->size, &event->at, text);
    }
    return answer;
}

int ts_template_match_whole(const ts_template *t, const unsigned char *data, size_t size, size_t *used, ts_room *text)
{
    if (t->closing >= t->count) {
        return TS_LANE_MORE;
    }
    whole_event event = {data, size, 0, bytes_of(t)};
    const lane_part *closing = t->parts + t->closing;
    text->size = 0;
    int answer = whole_parts(t->parts, closing, &event, text);
    if (answer != TS_LANE_EVENT) {
        return answer;
    }
    size_t left = t->bytes_size - t->closing_bytes;
    if (size - event.at >= left && memcmp(event.bytes, data + event.at, left) == 0) {
        event.at += left; /* without any blanks, which is how it mostly stands */
    } else {
        answer = whole_parts(closing, t->parts + t->count, &event, text);
    }
    *used = event.at;
    return answer;
}

/* ------------------------------------------------------------------ learning */

/* A member's value: its bytes in the event's data, and the slot that they become. */
typedef struct lane_value {
    size_t start;
    size_t end;
    int slot;
} lane_value;

/* The place behind the next "name" in quotes, or 0. */
static size_t name_find(ts_bytes data, size_t from, ts_bytes name)
{
    size_t needed = name.size + 2;
    while (from <= data.size && data.size - from >= needed) {
        const char *quote = (const char *)memchr(data.data + from, '"', data.size - from - needed + 1);
        if (quote == NULL) {
            return 0;
        }
        from = (size_t)(quote - data.data);
        if (quote[needed - 1] == '"' && memcmp(quote + 1, name.data, name.size) == 0) {
            return from + needed;
        }
        from++;
    }
    return 0;
}

/* The value behind a name: a string without its quotes, or the digits of a number. Answers 0 for anything else. */
static int value_find(ts_bytes data, size_t at, lane_value *value)
{
    at += at < data.size && data.data[at] == ' ';
    if (at == data.size || data.data[at++] != ':') {
        return 0;
    }
    at += at < data.size && data.data[at] == ' ';
    if (at < data.size && data.data[at] == '"') {
        value->slot = TS_SLOT_STRING;
        value->start = ++at;
        while (at < data.size && data.data[at] != '"') {
            at += data.data[at] == '\\' ? 2 : 1;
        }
        value->end = at;
        return at < data.size;
    }
    value->slot = TS_SLOT_NUMBER;
    value->start = at;
    while (at < data.size && is_digit((unsigned char)data.data[at])) {
        at++;
    }
    value->end = at;
    return value->end != value->start;
}

/* The value of the member of this name. Answers 0 where there is none, or the name stands there more than once. */
static int member_find(ts_bytes data, ts_bytes name, lane_value *value)
{
    size_t at = name_find(data, 0, name);
    return at != 0 && name_find(data, at - 1, name) == 0 && value_find(data, at, value);
}

static int is_utf8(ts_bytes data)
{
    const unsigned char *bytes = (const unsigned char *)data.data;
    size_t at = 0;
    while (at < data.size) {
        size_t step = bytes[at] < 0x80 ? 1 : ts_utf8_prefix(bytes + at, data.size - at);
        if (step == 0) {
            return 0;
        }
        at += step;
    }
    return 1;
}

static int has_byte(const char *data, size_t size, char byte)
{
    return size != 0 && memchr(data, byte, size) != NULL;
}

/* Whether data is an event whose text is told for sure. TS_LANE_EVENT if it is. */
static int text_find(const ts_example *example, lane_value *value)
{
    ts_bytes data = example->data;
    if (!member_find(data, example->member, value) || value->slot != TS_SLOT_STRING ||
        has_byte(data.data, data.size, '\n') || !is_utf8(data)) {
        return TS_LANE_OTHER;
    }
    /* A name may be spelled with escapes, and be the one that counts. */
    if (has_byte(data.data, value->start, '\\') || has_byte(data.data + value->end, data.size - value->end, '\\')) {
        return TS_LANE_OTHER;
    }
    value->slot = TS_SLOT_TEXT;
    size_t at = value->start, capacity = value->end - value->start + TS_ROOM_SPARE;
    ts_room text = {(unsigned char *)TS_MALLOC(capacity), 0, capacity};
    if (text.bytes == NULL) {
        return TS_ERR_MEMORY;
    }
    int is_same = ts_text_take((const unsigned char *)data.data, value->end, &at, &text) &&
                  text.size == example->text.size && (text.size == 0 || memcmp(text.bytes, example->text.data, text.size) == 0);
    TS_FREE(text.bytes);
    return is_same ? TS_LANE_EVENT : TS_LANE_OTHER;
}

/* The parts of the template that is being made. */
typedef struct part_list {
    ts_part parts[LEARNED_PARTS];
    size_t count;                /* as if there were room for all */
} part_list;

static void add_part(part_list *list, int slot, const char *data, size_t size)
{
    if (list->count < LEARNED_PARTS) {
        list->parts[list->count] = (ts_part){slot, data, size};
    }
    list->count++;
}

static void add_bytes(part_list *list, const char *data, size_t size)
{
    if (size != 0) {
        add_part(list, 0, data, size);
    }
}

/* What stands behind the last slot: blanks may stand before the brackets that close the event. */
static void add_closing(part_list *list, ts_bytes data, size_t at)
{
    size_t end = data.size;
    while (end > at && (data.data[end - 1] == ' ' || data.data[end - 1] == ']' || data.data[end - 1] == '}')) {
        end--;
    }
    add_bytes(list, data.data + at, end - at);
    for (; end < data.size; end++) {
        if (data.data[end] != ' ') {
            add_part(list, TS_SLOT_SPACE, NULL, 0);
            add_part(list, 0, data.data + end, 1);
        }
    }
    add_part(list, TS_SLOT_SPACE, NULL, 0);
}

/* Makes the template of an event with these values, which are in their order and do not overlap. */
static int template_make(const ts_example *example, const lane_value *values, size_t count, ts_template **made)
{
    part_list list;
    size_t at = 0;
    list.count = 0;
    add_bytes(&list, example->head.data, example->head.size);
    for (size_t i = 0; i < count; i++) {
        add_bytes(&list, example->data.data + at, values[i].start - at);
        add_part(&list, values[i].slot, NULL, 0);
        at = values[i].end;
    }
    add_closing(&list, example->data, at);
    add_bytes(&list, example->tail.data, example->tail.size);
    int status = list.count > LEARNED_PARTS ? TS_ERR_ARGUMENT : ts_template_new(list.parts, list.count, made);
    return status == TS_OK ? TS_LANE_EVENT : status == TS_ERR_MEMORY ? status : TS_LANE_OTHER;
}

int ts_template_learn(const ts_example *example, ts_template **made)
{
    lane_value values[TS_LANE_IGNORED + 1];
    *made = NULL;
    int answer = text_find(example, &values[0]);
    if (answer != TS_LANE_EVENT) {
        return answer;
    }
    size_t count = 1;
    for (size_t i = 0; i < example->ignored_count && i < TS_LANE_IGNORED; i++) {
        lane_value value;
        if (!member_find(example->data, example->ignored[i], &value)) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && values[at - 1].start > value.start; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
    for (size_t i = 1; i < count; i++) {
        if (values[i].start < values[i - 1].end) {
            return TS_LANE_OTHER;
        }
    }
    return template_make(example, values, count, made);
}
