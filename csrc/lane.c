/* Compares events with the one before them: see ts_lane in toolstream.h.
 *
 * A template is a list of parts: bytes that must be equal, and slots. Matching stops and resumes anywhere, so each byte
 * is compared once however the stream is cut. The lane understands nothing: it only knows that equal bytes mean the
 * same, and that a JSON string ends at a quote that no backslash precedes.
 */
#include "internal.h"

#include <string.h>

/* So many parts and bytes are made room for at least, while the template is made. */
#define PART_STEP 4
#define BYTES_STEP 32

/* Of the bytes in a template there are no more than so many. */
#define BYTES_MAX ((UINT32_C(1) << 29) - 1)

typedef struct lane_part {
    uint32_t bytes;              /* where they stand in ts_lane.bytes */
    uint32_t size : 29;
    uint32_t slot : 3;           /* ts_slot, or 0: bytes */
} lane_part;

struct ts_lane {
    lane_part *parts;
    unsigned char *bytes;
    unsigned char *scratch;      /* text without its escapes */
    uint32_t scratch_capacity;
    uint32_t count;              /* of parts */
    uint32_t capacity;
    uint32_t bytes_size;
    uint32_t bytes_capacity;

    uint32_t closing;            /* from this part on there are only bytes and blanks */
    uint32_t part;               /* matching stands in this part */
    uint32_t part_start;         /* which began here in the event */
    uint32_t at;                 /* and has come to here */
    uint32_t text_start;         /* the wanted text in the event */
    uint32_t text_end;
    uint8_t text_is_plain;       /* it holds no escape, and only ASCII */
};

size_t ts_lane_size(const ts_lane *lane)
{
    return sizeof *lane + lane->capacity * sizeof *lane->parts + lane->bytes_capacity + lane->scratch_capacity;
}

ts_lane *ts_lane_new(void)
{
    ts_lane *lane = (ts_lane *)TS_MALLOC(sizeof *lane);
    if (lane != NULL) {
        memset(lane, 0, sizeof *lane);
    }
    return lane;
}

void ts_lane_free(ts_lane *lane)
{
    if (lane != NULL) {
        TS_FREE(lane->parts);
        TS_FREE(lane->bytes);
        TS_FREE(lane->scratch);
        TS_FREE(lane);
    }
}

void ts_lane_restart(ts_lane *lane)
{
    lane->part = 0;
    lane->part_start = 0;
    lane->at = 0;
}

void ts_lane_clear(ts_lane *lane)
{
    lane->count = 0;
    lane->bytes_size = 0;
    lane->closing = 0;
    ts_lane_restart(lane);
}

int ts_lane_add(ts_lane *lane, int slot, const char *data, size_t size)
{
    if (slot < 0 || slot > TS_SLOT_SPACE || (slot == 0 && size == 0)) {
        return TS_ERR_ARGUMENT;
    }
    size = slot != 0 ? 0 : size;
    if (size > BYTES_MAX - lane->bytes_size ||
        !ts_reserve_small((void **)&lane->parts, &lane->capacity, lane->count, 1, PART_STEP, sizeof *lane->parts) ||
        !ts_reserve_small((void **)&lane->bytes, &lane->bytes_capacity, lane->bytes_size, size, BYTES_STEP, 1)) {
        return TS_ERR_MEMORY;
    }
    lane_part *last = lane->count == 0 ? NULL : &lane->parts[lane->count - 1];
    if (slot == 0 && last != NULL && last->slot == 0) {
        last->size = (last->size + (uint32_t)size) & BYTES_MAX;
    } else {
        lane_part *part = &lane->parts[lane->count++];
        part->slot = (unsigned)slot & 7;
        part->bytes = lane->bytes_size;
        part->size = (uint32_t)size & BYTES_MAX;
    }
    if (size != 0) {
        memcpy(lane->bytes + lane->bytes_size, data, size);
        lane->bytes_size += (uint32_t)size;
    }
    if (slot != 0 && slot != TS_SLOT_SPACE) {
        lane->closing = lane->count;
    }
    return TS_OK;
}

/* ------------------------------------------------------------------ parts */

static int match_bytes(ts_lane *lane, const lane_part *part, const unsigned char *data, size_t size)
{
    size_t done = lane->at - lane->part_start;
    size_t left = part->size - done;
    size_t there = size - lane->at < left ? size - lane->at : left;
    if (there != 0 && memcmp(lane->bytes + part->bytes + done, data + lane->at, there) != 0) {
        return TS_LANE_OTHER;
    }
    lane->at += (uint32_t)there;
    return there == left ? TS_LANE_EVENT : TS_LANE_MORE;
}

/* The rest of a string, its closing quote left to the part behind it. */
static int match_string(ts_lane *lane, const unsigned char *data, size_t size)
{
    if (lane->at == lane->part_start) {
        lane->text_is_plain = 1;
    }
    while (lane->at < size) {
        lane->at += (uint32_t)ts_plain_prefix(data + lane->at, size - lane->at);
        if (lane->at == size) {
            break;
        }
        unsigned char c = data[lane->at];
        if (c == '"') {
            return TS_LANE_EVENT;
        }
        if (c < 0x20) {
            return TS_LANE_OTHER; /* no JSON, or the event's end */
        }
        lane->text_is_plain = 0;
        if (c == '\\') {
            if (size - lane->at < 2) {
                break;
            }
            lane->at++;
        }
        lane->at++;
    }
    return TS_LANE_MORE;
}

/* A string that means nothing; only a plain one is told to be sound without a closer look. */
static int match_ignored(ts_lane *lane, const unsigned char *data, size_t size)
{
    lane->at += (uint32_t)ts_plain_prefix(data + lane->at, size - lane->at);
    if (lane->at == size) {
        return TS_LANE_MORE;
    }
    return data[lane->at] == '"' ? TS_LANE_EVENT : TS_LANE_OTHER;
}

/* Whether so many digits are a number that any reader can hold. */
static int is_number(const unsigned char *digits, size_t count)
{
    return count == 1 || (count != 0 && count <= 18 && digits[0] != '0');
}

static int match_number(ts_lane *lane, const unsigned char *data, size_t size)
{
    while (lane->at < size && is_digit(data[lane->at])) {
        lane->at++;
    }
    if (lane->at == size) {
        return TS_LANE_MORE;
    }
    return is_number(data + lane->part_start, lane->at - lane->part_start) ? TS_LANE_EVENT : TS_LANE_OTHER;
}

static int match_space(ts_lane *lane, const unsigned char *data, size_t size)
{
    while (lane->at < size && data[lane->at] == ' ') {
        lane->at++;
    }
    return lane->at == size ? TS_LANE_MORE : TS_LANE_EVENT;
}

/* The event's end without any blanks, which is how it mostly stands: all bytes that are left, at once. */
static int match_closing(ts_lane *lane, const unsigned char *data, size_t size)
{
    size_t from = lane->parts[lane->part].bytes;
    size_t left = lane->bytes_size - from;
    if (lane->at != lane->part_start || size - lane->at < left || memcmp(lane->bytes + from, data + lane->at, left) != 0) {
        return 0;
    }
    lane->at += (uint32_t)left;
    lane->part = lane->count;
    return 1;
}

static int match_part(ts_lane *lane, const lane_part *part, const unsigned char *data, size_t size)
{
    switch (part->slot) {
    case 0: return match_bytes(lane, part, data, size);
    case TS_SLOT_TEXT: return match_string(lane, data, size);
    case TS_SLOT_STRING: return match_ignored(lane, data, size);
    case TS_SLOT_NUMBER: return match_number(lane, data, size);
    default: return match_space(lane, data, size);
    }
}

/* ------------------------------------------------------------------ matching */

static int text_ready(ts_lane *lane, const unsigned char *data, const unsigned char **text, size_t *text_size)
{
    const unsigned char *raw = data + lane->text_start;
    size_t size = lane->text_end - lane->text_start;
    if (lane->text_is_plain) {
        *text = raw;
        *text_size = size;
        return TS_LANE_EVENT;
    }
    if (!ts_reserve_small((void **)&lane->scratch, &lane->scratch_capacity, 0, size + TS_ROOM_SPARE, 64, 1)) {
        return TS_ERR_MEMORY;
    }
    ts_room room = {lane->scratch, 0, lane->scratch_capacity};
    size_t at = 0;
    int decoded = ts_text_take(raw, size, &at, &room);
    *text = room.bytes;
    *text_size = room.size;
    return decoded ? TS_LANE_EVENT : TS_LANE_OTHER;
}

int ts_lane_match(ts_lane *lane, const unsigned char *data, size_t size, size_t *used, const unsigned char **text,
                  size_t *text_size)
{
    if (lane->count == 0 || size > UINT32_MAX / 2) { /* no event is so long that 32 bits cannot tell a place in it */
        return TS_LANE_OTHER;
    }
    while (lane->part < lane->count) {
        if (lane->part == lane->closing && lane->closing != 0 && match_closing(lane, data, size)) {
            break;
        }
        const lane_part *part = &lane->parts[lane->part];
        int answer = match_part(lane, part, data, size);
        if (answer != TS_LANE_EVENT) {
            if (answer == TS_LANE_OTHER) {
                ts_lane_restart(lane);
            }
            return answer;
        }
        if (part->slot == TS_SLOT_TEXT) {
            lane->text_start = lane->part_start;
            lane->text_end = lane->at;
        }
        lane->part++;
        lane->part_start = lane->at;
    }
    *used = lane->at;
    ts_lane_restart(lane);
    return text_ready(lane, data, text, text_size);
}

/* The bytes of a part that stand at data[*at], which moves behind them. */
static inline int whole_bytes(const ts_lane *lane, const lane_part *part, const unsigned char *data, size_t size, size_t *at)
{
    size_t from = *at, count = part->size;
    if (size - from < count) {
        return TS_LANE_MORE;
    }
    *at = from + count;
    return memcmp(lane->bytes + part->bytes, data + from, count) == 0 ? TS_LANE_EVENT : TS_LANE_OTHER;
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

/* The parts from the given one up to another, all there. */
static inline int whole_parts(const ts_lane *lane, uint32_t from, uint32_t to, const unsigned char *data, size_t size,
                              size_t *at, ts_room *text)
{
    int answer = TS_LANE_EVENT;
    for (const lane_part *part = lane->parts + from; part < lane->parts + to && answer == TS_LANE_EVENT; part++) {
        answer = part->slot == 0 ? whole_bytes(lane, part, data, size, at) : whole_slot(part->slot, data, size, at, text);
    }
    return answer;
}

int ts_lane_match_whole(const ts_lane *lane, const unsigned char *data, size_t size, size_t *used, ts_room *text)
{
    if (lane->closing >= lane->count || lane->at != 0) {
        return TS_LANE_MORE;
    }
    size_t at = 0;
    text->size = 0;
    int answer = whole_parts(lane, 0, lane->closing, data, size, &at, text);
    if (answer != TS_LANE_EVENT) {
        return answer;
    }
    size_t closing = lane->parts[lane->closing].bytes, left = lane->bytes_size - closing;
    if (size - at >= left && memcmp(lane->bytes + closing, data + at, left) == 0) {
        at += left; /* without any blanks, which is how it mostly stands */
    } else {
        answer = whole_parts(lane, lane->closing, lane->count, data, size, &at, text);
    }
    *used = at;
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

static int add_bytes(ts_lane *lane, const char *data, size_t size)
{
    return size == 0 ? TS_OK : ts_lane_add(lane, 0, data, size);
}

/* What stands behind the last slot: blanks may stand before the brackets that close the event. */
static int add_closing(ts_lane *lane, ts_bytes data, size_t at)
{
    size_t end = data.size;
    while (end > at && (data.data[end - 1] == ' ' || data.data[end - 1] == ']' || data.data[end - 1] == '}')) {
        end--;
    }
    int status = add_bytes(lane, data.data + at, end - at);
    for (; end < data.size && status == TS_OK; end++) {
        if (data.data[end] != ' ') {
            status = ts_lane_add(lane, TS_SLOT_SPACE, NULL, 0);
            status = status == TS_OK ? ts_lane_add(lane, 0, data.data + end, 1) : status;
        }
    }
    return status == TS_OK ? ts_lane_add(lane, TS_SLOT_SPACE, NULL, 0) : status;
}

/* values: in their order, not overlapping. */
static int template_add(ts_lane *lane, const ts_example *example, const lane_value *values, size_t count)
{
    int status = add_bytes(lane, example->head.data, example->head.size);
    size_t at = 0;
    for (size_t i = 0; i < count && status == TS_OK; i++) {
        status = add_bytes(lane, example->data.data + at, values[i].start - at);
        status = status == TS_OK ? ts_lane_add(lane, values[i].slot, NULL, 0) : status;
        at = values[i].end;
    }
    status = status == TS_OK ? add_closing(lane, example->data, at) : status;
    return status == TS_OK ? add_bytes(lane, example->tail.data, example->tail.size) : status;
}

/* Makes an array no larger than its items. Answers 0 without memory. */
static int array_fit(void **block, uint32_t *capacity, uint32_t count, size_t item_size)
{
    if (count != *capacity) {
        void *smaller = ts_resize_array(*block, count, item_size);
        if (smaller == NULL) {
            return 0;
        }
        *block = smaller;
        *capacity = count;
    }
    return 1;
}

/* Makes the template of an event with these values: it is kept for long, so it takes no more memory than it must. */
static int template_make(ts_lane *lane, const ts_example *example, const lane_value *values, size_t count)
{
    size_t most = example->head.size + example->data.size + example->tail.size;
    if (most > BYTES_MAX) {
        return TS_LANE_OTHER;
    }
    int has_room = ts_reserve_small((void **)&lane->bytes, &lane->bytes_capacity, 0, most, 0, 1);
    if (!has_room || template_add(lane, example, values, count) != TS_OK ||
        !array_fit((void **)&lane->parts, &lane->capacity, lane->count, sizeof *lane->parts) ||
        !array_fit((void **)&lane->bytes, &lane->bytes_capacity, lane->bytes_size, 1)) {
        ts_lane_clear(lane);
        return TS_ERR_MEMORY;
    }
    return TS_LANE_EVENT;
}

int ts_lane_learn(ts_lane *lane, const ts_example *example)
{
    lane_value values[TS_LANE_IGNORED + 1];
    ts_lane_clear(lane);
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
    return template_make(lane, example, values, count);
}
