/* Compares events with the one before them: see ts_lane in toolstream.h.
 *
 * A template is a list of parts: bytes that must be equal, and slots. Matching stops and resumes anywhere, so each byte
 * is compared once however the stream is cut. The lane understands nothing: it only knows that equal bytes mean the
 * same, and that a JSON string ends at a quote that no backslash precedes.
 */
#include "internal.h"

#include <string.h>

typedef struct lane_part {
    int slot;                    /* ts_slot, or 0: bytes */
    size_t bytes;                /* where they stand in ts_lane.bytes */
    size_t size;
} lane_part;

struct ts_lane {
    lane_part *parts;
    size_t count;
    size_t capacity;
    unsigned char *bytes;
    size_t bytes_size;
    size_t bytes_capacity;
    unsigned char *scratch;      /* text without its escapes */
    size_t scratch_capacity;

    size_t part;                 /* matching stands in this part */
    size_t part_start;           /* which began here in the event */
    size_t at;                   /* and has come to here */
    size_t text_start;           /* the wanted text in the event */
    size_t text_end;
};

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
    ts_lane_restart(lane);
}

int ts_lane_add(ts_lane *lane, int slot, const char *data, size_t size)
{
    if (slot < 0 || slot > TS_SLOT_SPACE || (slot == 0 && size == 0)) {
        return TS_ERR_ARGUMENT;
    }
    if (!ts_reserve((void **)&lane->parts, &lane->capacity, lane->count, 1, sizeof *lane->parts)) {
        return TS_ERR_MEMORY;
    }
    if (slot != 0) {
        size = 0;
    } else if (!ts_reserve((void **)&lane->bytes, &lane->bytes_capacity, lane->bytes_size, size, 1)) {
        return TS_ERR_MEMORY;
    }
    lane_part *part = &lane->parts[lane->count++];
    part->slot = slot;
    part->bytes = lane->bytes_size;
    part->size = size;
    if (size != 0) {
        memcpy(lane->bytes + lane->bytes_size, data, size);
        lane->bytes_size += size;
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
    lane->at += there;
    return there == left ? TS_LANE_EVENT : TS_LANE_MORE;
}

/* The rest of a string, its closing quote left to the part behind it. */
static int match_string(ts_lane *lane, const unsigned char *data, size_t size)
{
    while (lane->at < size) {
        lane->at += ts_plain_prefix(data + lane->at, size - lane->at);
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
    lane->at += ts_plain_prefix(data + lane->at, size - lane->at);
    if (lane->at == size) {
        return TS_LANE_MORE;
    }
    return data[lane->at] == '"' ? TS_LANE_EVENT : TS_LANE_OTHER;
}

static int match_number(ts_lane *lane, const unsigned char *data, size_t size)
{
    while (lane->at < size && data[lane->at] >= '0' && data[lane->at] <= '9') {
        lane->at++;
    }
    if (lane->at == size) {
        return TS_LANE_MORE;
    }
    size_t digits = lane->at - lane->part_start;
    int leading_zero = digits > 1 && data[lane->part_start] == '0';
    return digits == 0 || digits > 18 || leading_zero ? TS_LANE_OTHER : TS_LANE_EVENT;
}

static int match_space(ts_lane *lane, const unsigned char *data, size_t size)
{
    while (lane->at < size && data[lane->at] == ' ') {
        lane->at++;
    }
    return lane->at == size ? TS_LANE_MORE : TS_LANE_EVENT;
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

/* ------------------------------------------------------------------ text */

/* Reads \uXXXX, or two that are a pair, at text[at]. Answers the bytes read; 0 where it is malformed or half a pair. */
static size_t unicode_escape(const unsigned char *text, size_t at, size_t end, uint32_t *code)
{
    uint32_t units[2] = {0, 0};
    size_t from = at;
    for (int i = 0; i < 2; i++) {
        if (end - at < 6 || text[at] != '\\' || text[at + 1] != 'u') {
            return 0;
        }
        for (size_t digit = 2; digit < 6; digit++) {
            unsigned value = ts_hex_digit(text[at + digit]);
            if (value > 15) {
                return 0;
            }
            units[i] = (units[i] << 4) | value;
        }
        at += 6;
        if (i == 0 && (units[0] < 0xd800 || units[0] > 0xdfff)) {
            *code = units[0];
            return at - from;
        }
    }
    if (units[0] > 0xdbff || units[1] < 0xdc00 || units[1] > 0xdfff) {
        return 0;
    }
    *code = 0x10000 + ((units[0] - 0xd800) << 10) + (units[1] - 0xdc00);
    return at - from;
}

/* The character of a simple escape, or 0. */
static unsigned char escaped_character(unsigned char c)
{
    switch (c) {
    case '"': case '\\': case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/* Decodes text[0 .. size) into out, which it never outgrows. Answers 0 where that needs a closer look. */
static int text_decode(const unsigned char *text, size_t size, unsigned char *out, size_t *written)
{
    size_t at = 0, to = 0;
    while (at < size) {
        size_t run = ts_plain_prefix(text + at, size - at);
        run = run != 0 ? run : ts_utf8_prefix(text + at, size - at);
        if (run != 0) {
            memcpy(out + to, text + at, run);
            at += run;
            to += run;
            continue;
        }
        if (text[at] != '\\' || size - at < 2) {
            return 0; /* invalid UTF-8 */
        }
        unsigned char simple = escaped_character(text[at + 1]);
        if (simple != 0) {
            out[to++] = simple;
            at += 2;
            continue;
        }
        uint32_t code = 0;
        size_t read = unicode_escape(text, at, size, &code);
        if (read == 0) {
            return 0;
        }
        to += ts_utf8_write(out + to, code);
        at += read;
    }
    *written = to;
    return 1;
}

static int text_ready(ts_lane *lane, const unsigned char *data, const unsigned char **text, size_t *text_size)
{
    const unsigned char *raw = data + lane->text_start;
    size_t size = lane->text_end - lane->text_start;
    if (ts_plain_prefix(raw, size) == size) {
        *text = raw;
        *text_size = size;
        return TS_LANE_EVENT;
    }
    if (!ts_reserve((void **)&lane->scratch, &lane->scratch_capacity, 0, size, 1)) {
        return TS_ERR_MEMORY;
    }
    *text = lane->scratch;
    return text_decode(raw, size, lane->scratch, text_size) ? TS_LANE_EVENT : TS_LANE_OTHER;
}

int ts_lane_match(ts_lane *lane, const unsigned char *data, size_t size, size_t *used, const unsigned char **text,
                  size_t *text_size)
{
    if (lane->count == 0) {
        return TS_LANE_OTHER;
    }
    while (lane->part < lane->count) {
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
