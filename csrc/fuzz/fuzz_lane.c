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

static ts_lane *new_lane(const char *template)
{
    static const char slots[] = "$@#_";
    ts_lane *lane = ts_lane_new();
    MUST(lane != NULL);
    while (*template != '\0') {
        const char *slot = strchr(slots, *template);
        size_t size = slot != NULL ? 0 : strcspn(template, slots);
        MUST(ts_lane_add(lane, slot != NULL ? (int)(slot - slots) + TS_SLOT_TEXT : 0, template, size) == TS_OK);
        template += slot != NULL ? 1 : size;
    }
    MUST(ts_lane_add(lane, 0, "\n\n", 2) == TS_OK);
    return lane;
}

/* An event that is there as a whole is told as such, where its text has room, and no other. */
static void check_whole(const ts_lane *lane, const uint8_t *data, size_t size, const answer *expected)
{
    size_t enough = expected->text_size + 16;
    size_t capacity = size % 3 == 0 ? expected->text_size : enough;
    ts_room text = {(unsigned char *)malloc(capacity + 1), 0, capacity};
    MUST(text.bytes != NULL);
    size_t used = 0;
    int kind = ts_lane_match_whole(lane, data, size, &used, &text);
    MUST(kind == expected->kind || (kind == TS_LANE_MORE && (expected->kind == TS_LANE_OTHER || capacity < enough)));
    MUST(kind != TS_LANE_EVENT || (used == expected->used && text.size == expected->text_size &&
                                   memcmp(text.bytes, expected->text, text.size) == 0));
    free(text.bytes);
}

static answer match(ts_lane *lane, const uint8_t *data, size_t size)
{
    /* A copy of its own size, so that ASan sees any step beyond it. */
    unsigned char *piece = (unsigned char *)malloc(size != 0 ? size : 1);
    MUST(piece != NULL);
    if (size != 0) {
        memcpy(piece, data, size);
    }
    answer got = {0, 0, 0, NULL};
    const unsigned char *text = NULL;
    got.kind = ts_lane_match(lane, piece, size, &got.used, &text, &got.text_size);
    MUST(got.kind == TS_LANE_EVENT || got.kind == TS_LANE_MORE || got.kind == TS_LANE_OTHER);
    if (got.kind == TS_LANE_EVENT) {
        MUST(got.used <= size && got.text_size <= got.used);
        got.text = (unsigned char *)malloc(got.text_size + 1);
        MUST(got.text != NULL);
        memcpy(got.text, text, got.text_size);
    } else {
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
    ts_lane *at_once = new_lane(template);
    ts_lane *growing = new_lane(template);
    answer whole = match(at_once, data, size);
    answer got = match(growing, data, 0);
    for (size_t end = 0; got.kind == TS_LANE_MORE && end < size;) {
        end = size - end < step ? size : end + step;
        got = match(growing, data, end);
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
    ts_lane_free(at_once);
    ts_lane_free(growing);
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
