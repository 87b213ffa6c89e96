/* libFuzzer target: a stream compared with a template whole and as it grows gives the same answers, and what is taken
 * for an event like the template's is sound JSON with sound UTF-8 as its text.
 *
 * Input: a byte that chooses the template, a byte that chooses how much comes at a time, then the stream.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I csrc csrc/fuzz/fuzz_lane.c csrc/[a-z]*.c -o fuzz_lane
 *   ./fuzz_lane -max_total_time=60 -max_len=512
 */
#include "toolstream.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                              \
    do {                                                                             \
        if (!(condition)) {                                                          \
            abort();                                                                 \
        }                                                                            \
    } while (0)

/* '$' the text, '@' a string, '#' a number, '_' blanks. Each is one JSON text. */
static const char *const templates[] = {
    "{\"a\":\"$\"}",
    "{\"n\":#,\"a\":\"$\",\"p\":\"@\"_}_",
    "{\"p\":\"@\",\"a\":\"$\"_}_",
    "[\"$\",#_]_",
};
#define TEMPLATE_COUNT (sizeof templates / sizeof templates[0])

typedef struct answer {
    int kind;
    size_t used;
    size_t text_size;
    unsigned char *text;
} answer;

/* A template, and how far an event has been compared with it. */
typedef struct lane {
    ts_template *template;
    ts_match match;
} lane;

static lane new_lane(const char *template)
{
    static const char slots[] = "$@#_";
    ts_part parts[16];
    size_t count = 0;
    while (*template != '\0') {
        const char *slot = strchr(slots, *template);
        size_t size = slot != NULL ? 0 : strcspn(template, slots);
        parts[count].slot = slot != NULL ? (int)(slot - slots) + TS_SLOT_TEXT : 0;
        parts[count].data = template;
        parts[count++].size = size;
        template += slot != NULL ? 1 : size;
    }
    parts[count].slot = 0;
    parts[count].data = "\n\n";
    parts[count++].size = 2;
    lane lane;
    memset(&lane, 0, sizeof lane);
    MUST(ts_template_new(parts, count, &lane.template) == TS_OK);
    return lane;
}

/* An event that is there as a whole is told as such, where its text has room, and no other. */
static void check_whole(const lane *lane, const uint8_t *data, size_t size, const answer *expected)
{
    size_t enough = expected->text_size + TS_ROOM_SPARE;
    size_t capacity = size % 3 == 0 ? expected->text_size : enough;
    ts_room text = {(unsigned char *)malloc(capacity + 1), 0, capacity};
    MUST(text.bytes != NULL);
    size_t used = 0;
    int kind = ts_template_match_whole(lane->template, data, size, &used, &text);
    MUST(kind == expected->kind || (kind == TS_LANE_MORE && (expected->kind == TS_LANE_OTHER || capacity < enough)));
    MUST(kind != TS_LANE_EVENT || (used == expected->used && text.size == expected->text_size &&
                                   memcmp(text.bytes, expected->text, text.size) == 0));
    free(text.bytes);
}

static answer match(lane *lane, const uint8_t *data, size_t size)
{
    /* A copy of its own size, so that ASan sees any step beyond it. */
    unsigned char *piece = (unsigned char *)malloc(size != 0 ? size : 1);
    MUST(piece != NULL);
    if (size != 0) {
        memcpy(piece, data, size);
    }
    answer got = {0, 0, 0, NULL};
    ts_found found;
    got.kind = ts_template_match(lane->template, &lane->match, piece, size, &got.used, &found);
    MUST(got.kind == TS_LANE_EVENT || got.kind == TS_LANE_MORE || got.kind == TS_LANE_OTHER);
    if (got.kind == TS_LANE_EVENT) {
        MUST(got.used <= size && found.size <= got.used);
        ts_room text = {(unsigned char *)malloc(found.size + TS_ROOM_SPARE), 0, found.size + TS_ROOM_SPARE};
        size_t at = 0;
        MUST(text.bytes != NULL);
        int is_sound = ts_text_take(found.text, found.size, &at, &text);
        got.text = text.bytes;
        got.text_size = text.size;
        if (!is_sound) {
            MUST(!found.is_plain);
            got.kind = TS_LANE_OTHER; /* text that needs a closer look */
        }
    }
    if (got.kind != TS_LANE_EVENT) {
        free(got.text);
        got.text = NULL;
        got.used = got.text_size = 0;
    }
    if (got.kind != TS_LANE_MORE) { /* the lane is at an event's beginning again */
        check_whole(lane, piece, size, &got);
    }
    free(piece);
    return got;
}

static void check_json(const unsigned char *data, size_t size, int is_whole)
{
    ts_options options;
    memset(&options, 0, sizeof options);
    options.max_depth = 10;
    options.max_bytes = INT64_MAX;
    ts_scanner *scanner = ts_scanner_new(&options);
    MUST(scanner != NULL);
    MUST(ts_scanner_feed(scanner, (const char *)data, size) >= 0);
    if (is_whole) {
        MUST(ts_scanner_finish(scanner) >= 0 && ts_scanner_view(scanner)->complete);
    }
    ts_scanner_free(scanner);
}

/* The text in a JSON string: nothing but escapes that are needed, so that only its UTF-8 is judged. */
static void check_utf8(const unsigned char *text, size_t size)
{
    unsigned char *quoted = (unsigned char *)malloc(size + 2);
    MUST(quoted != NULL);
    quoted[0] = '"';
    for (size_t i = 0; i < size; i++) {
        quoted[i + 1] = text[i] < 0x20 || text[i] == '"' || text[i] == '\\' ? ' ' : text[i];
    }
    quoted[size + 1] = '"';
    check_json(quoted, size + 2, 1);
    free(quoted);
}

/* One event of the stream; answers how much of it was taken. */
static size_t compare(const char *template, const uint8_t *data, size_t size, size_t step)
{
    lane at_once = new_lane(template);
    lane growing = new_lane(template);
    answer whole = match(&at_once, data, size);
    answer got = match(&growing, data, 0);
    for (size_t end = 0; got.kind == TS_LANE_MORE && end < size;) {
        end = size - end < step ? size : end + step;
        got = match(&growing, data, end);
    }
    MUST(whole.kind == got.kind && whole.used == got.used && whole.text_size == got.text_size);
    if (whole.kind == TS_LANE_EVENT) {
        MUST(memcmp(whole.text, got.text, got.text_size) == 0);
        check_json(data, whole.used, 1);
        check_utf8(whole.text, whole.text_size);
    }
    size_t used = whole.used;
    free(whole.text);
    free(got.text);
    ts_template_free(at_once.template);
    ts_template_free(growing.template);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *template = templates[data[0] % TEMPLATE_COUNT];
    size_t step = data[1] % 16 + 1u;
    data += 2;
    size -= 2;
    for (size_t used = 1; used != 0; data += used, size -= used) {
        used = compare(template, data, size, step);
    }
    return 0;
}
