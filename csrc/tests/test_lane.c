/* The lane by itself: templates at every cut, what each slot takes, decoded text, and memory that runs out.
 * csrc/tests/run.sh builds and runs this.
 */
#include "check.h"
#include "failing_alloc.h"
#include "toolstream.h"

#include <string.h>

/* ------------------------------------------------------------------ templates in short */

/* A template, and how far an event has been compared with it. */
typedef struct lane {
    ts_template *template;
    ts_match match;
} lane;

/* '$' the text, '@' a string, '#' a number, '_' blanks; all else are bytes that must be equal. */
static int make(lane *lane, const char *template)
{
    static const char slots[] = "$@#_";
    ts_part parts[64];
    size_t count = 0;
    while (*template != '\0') {
        const char *slot = strchr(slots, *template);
        size_t size = slot != NULL ? 0 : strcspn(template, slots);
        CHECK(count < sizeof parts / sizeof parts[0]);
        parts[count].slot = slot != NULL ? (int)(slot - slots) + TS_SLOT_TEXT : 0;
        parts[count].data = template;
        parts[count++].size = size;
        template += slot != NULL ? 1 : size;
    }
    memset(lane, 0, sizeof *lane);
    return ts_template_new(parts, count, &lane->template);
}

static lane new_lane(const char *template)
{
    lane lane;
    CHECK(make(&lane, template) == TS_OK);
    return lane;
}

static void restart(lane *lane)
{
    memset(&lane->match, 0, sizeof lane->match);
}

typedef struct answer {
    int kind;
    size_t used;
    size_t text_size;
    unsigned char text[512];
} answer;

/* An event that is there as a whole is told as such, where its text has room, and no other. */
static void check_whole(const lane *lane, const unsigned char *data, size_t size, const answer *expected)
{
    for (size_t capacity = 0; capacity <= sizeof expected->text; capacity += capacity < 40 ? 1 : 59) {
        ts_room text = {(unsigned char *)malloc(capacity != 0 ? capacity : 1), 0, capacity};
        CHECK(text.bytes != NULL);
        size_t used = 0;
        int kind = ts_template_match_whole(lane->template, data, size, &used, &text);
        CHECK(kind == TS_LANE_MORE || kind == expected->kind);
        CHECK(kind != TS_LANE_EVENT || (used == expected->used && text.size == expected->text_size &&
                                        memcmp(text.bytes, expected->text, text.size) == 0));
        CHECK(kind == TS_LANE_EVENT || expected->kind != TS_LANE_EVENT || capacity < expected->text_size + TS_ROOM_SPARE);
        free(text.bytes);
    }
}

/* Matches a copy of exactly size bytes, so that ASan sees any step beyond it. */
static answer match(lane *lane, const char *data, size_t size)
{
    unsigned char *copy = (unsigned char *)malloc(size != 0 ? size : 1);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    answer got;
    memset(&got, 0, sizeof got);
    ts_found found;
    got.kind = ts_template_match(lane->template, &lane->match, copy, size, &got.used, &found);
    if (got.kind == TS_LANE_EVENT) {
        CHECK(got.used <= size && found.size < sizeof got.text);
        ts_room text = {got.text, 0, sizeof got.text};
        size_t at = 0;
        int is_sound = ts_text_take(found.text, found.size, &at, &text);
        CHECK(!is_sound || at == found.size);
        got.text_size = text.size;
        CHECK(is_sound || !found.is_plain);
        CHECK(!found.is_plain || (got.text_size == found.size && memcmp(got.text, found.text, found.size) == 0));
        got.kind = is_sound ? TS_LANE_EVENT : TS_LANE_OTHER; /* text that needs a closer look */
    }
    if (got.kind != TS_LANE_EVENT) {
        got.used = got.text_size = 0;
    }
    if (got.kind == TS_LANE_EVENT || got.kind == TS_LANE_OTHER) { /* the lane is at an event's beginning again */
        check_whole(lane, copy, size, &got);
    }
    free(copy);
    return got;
}

static int same(const answer *a, const answer *b)
{
    return a->kind == b->kind && a->used == b->used && a->text_size == b->text_size &&
           memcmp(a->text, b->text, a->text_size) == 0;
}

/* The answer to data, which is the same for all ways to cut it: only that it may come earlier, where nothing that
 * follows could change it. */
static answer match_at_every_cut(const char *template, const char *data, size_t size)
{
    lane lane = new_lane(template);
    answer whole = match(&lane, data, size);
    for (size_t cut = 0; cut <= size; cut++) {
        restart(&lane);
        answer first = match(&lane, data, cut);
        answer second = first.kind == TS_LANE_MORE ? match(&lane, data, size) : first;
        CHECK(same(&whole, &second));
        CHECK(first.kind != TS_LANE_EVENT || cut >= whole.used);
    }
    restart(&lane);
    answer got = match(&lane, data, 0);
    for (size_t end = 1; got.kind == TS_LANE_MORE && end <= size; end++) {
        got = match(&lane, data, end);
    }
    CHECK(same(&whole, &got));
    /* An answer other than MORE leaves nothing behind. */
    if (whole.kind != TS_LANE_MORE) {
        got = match(&lane, data, size);
        CHECK(same(&whole, &got));
    }
    ts_template_free(lane.template);
    return whole;
}

static void check_text(const char *template, const char *data, const char *text, size_t text_size)
{
    answer got = match_at_every_cut(template, data, strlen(data));
    CHECK(got.kind == TS_LANE_EVENT && got.used == strlen(data));
    CHECK(got.text_size == text_size && memcmp(got.text, text, text_size) == 0);
}

static void check_kind(const char *template, const char *data, int kind)
{
    answer got = match_at_every_cut(template, data, strlen(data));
    CHECK(got.kind == kind);
}

/* ------------------------------------------------------------------ matching */

static const char *const delta = "data: {\"n\":#,\"t\":\"$\",\"x\":\"@\"_}_\n\n";

static void test_an_event_like_the_template_gives_its_text(void)
{
    check_text(delta, "data: {\"n\":7,\"t\":\"some text\",\"x\":\"abc\"}\n\n", "some text", 9);
    check_text(delta, "data: {\"n\":123456,\"t\":\"\",\"x\":\"\"   }  \n\n", "", 0);
    check_text("$\"", "x\"", "x", 1);
}

static void test_anything_else_is_something_else(void)
{
    static const char *const others[] = {
        "data: {\"m\":7,\"t\":\"a\",\"x\":\"b\"}\n\n",   "data: {\"n\":7,\"t\":\"a\",\"x\":\"b\"}\n\r\n",
        "data: {\"n\":7,\"t\":\"a\",\"x\":\"b\",1}\n\n", "data:{\"n\":7,\"t\":\"a\",\"x\":\"b\"}\n\n",
        "data: {\"n\":7,\"t\":\"a\"}\n\n",               "\n",
        "data: {\"n\":7,\"t\":\"a\nb\",\"x\":\"b\"}\n\n", "data: {\"n\":7,\"t\":\"a\",\"x\":\"b\"\t}\n\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        check_kind(delta, others[i], TS_LANE_OTHER);
    }
}

static void test_what_matches_so_far_wants_more(void)
{
    const char *event = "data: {\"n\":7,\"t\":\"a\\u00e9\\\\\",\"x\":\"b\" } \n\n";
    for (size_t size = 0; size < strlen(event); size++) {
        answer got = match_at_every_cut(delta, event, size);
        CHECK(got.kind == TS_LANE_MORE);
    }
}

static void test_events_in_a_row_are_taken_one_by_one(void)
{
    const char *stream = "<\"a\">\n<\"b\\n\">\n<\"\">\n<'c'>\n";
    static const char *const texts[] = {"a", "b\n", ""};
    lane lane = new_lane("<\"$\">\n");
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        answer got = match(&lane, stream + at, strlen(stream) - at);
        CHECK(got.kind == TS_LANE_EVENT && got.text_size == strlen(texts[i]));
        CHECK(memcmp(got.text, texts[i], got.text_size) == 0);
        at += got.used;
    }
    CHECK(match(&lane, stream + at, strlen(stream) - at).kind == TS_LANE_OTHER);
    ts_template_free(lane.template);
}

static void test_bad_parts_are_refused(void)
{
    static const ts_part bad[][2] = {
        {{0, "x", 1}, {0, "", 0}}, {{0, "x", 1}, {-1, NULL, 0}}, {{0, "x", 1}, {TS_SLOT_SPACE + 1, NULL, 0}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ts_template *made = NULL;
        CHECK(ts_template_new(bad[i], 2, &made) == TS_ERR_ARGUMENT && made == NULL);
        CHECK(ts_template_new(bad[i], 0, &made) == TS_ERR_ARGUMENT && made == NULL);
    }
    ts_template_free(NULL);
}

static void test_templates_of_the_same_parts_are_the_same(void)
{
    static const ts_part halves[] = {{0, "a\"", 2}, {0, "b", 1}, {TS_SLOT_TEXT, NULL, 0}, {0, "\"", 1}};
    lane one = new_lane("a\"b$\""), other = new_lane("a\"b@\""), third = new_lane("a\"c$\"");
    ts_template *joined = NULL;
    CHECK(ts_template_new(halves, 4, &joined) == TS_OK && ts_template_same(one.template, joined));
    CHECK(ts_template_hash(one.template) == ts_template_hash(joined));
    CHECK(ts_template_size(one.template) == ts_template_size(joined));
    CHECK(!ts_template_same(one.template, other.template) && !ts_template_same(one.template, third.template));
    ts_template *both[] = {one.template, other.template, third.template, joined};
    for (size_t i = 0; i < 4; i++) {
        CHECK(ts_template_hold(both[i]) == both[i] && ts_template_holders(both[i]) == 2);
        ts_template_free(both[i]);
        CHECK(ts_template_holders(both[i]) == 1);
        ts_template_free(both[i]);
    }
}

/* ------------------------------------------------------------------ slots */

static void test_a_number_is_one_that_json_allows(void)
{
    static const struct {
        const char *number;
        int kind;
    } rows[] = {
        {"0", TS_LANE_EVENT},   {"9", TS_LANE_EVENT},    {"123456789012345678", TS_LANE_EVENT},
        {"", TS_LANE_OTHER},    {"00", TS_LANE_OTHER},   {"01", TS_LANE_OTHER},
        {"-1", TS_LANE_OTHER},  {"1.5", TS_LANE_OTHER},  {"1234567890123456789", TS_LANE_OTHER},
        {"1e5", TS_LANE_OTHER}, {" 1", TS_LANE_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char event[64];
        snprintf(event, sizeof event, "%s,\"x\"", rows[i].number);
        check_kind("#,\"$\"", event, rows[i].kind);
    }
}

static void test_a_string_without_meaning_is_a_plain_one(void)
{
    check_kind("@\"$\"", "abc def\"x\"", TS_LANE_EVENT);
    check_kind("@\"$\"", "\"x\"", TS_LANE_EVENT);
    check_kind("@\"$\"", "a\\n\"x\"", TS_LANE_OTHER);
    check_kind("@\"$\"", "a\xc3\xa9\"x\"", TS_LANE_OTHER);
    check_kind("@\"$\"", "a\nb\"x\"", TS_LANE_OTHER);
}

static void test_blanks_are_blanks_only(void)
{
    check_kind("_}$\"", "}\"", TS_LANE_EVENT);
    check_kind("_}$\"", "     }\"", TS_LANE_EVENT);
    check_kind("_}$\"", "\t}\"", TS_LANE_OTHER);
    check_kind("_}$\"", "   ", TS_LANE_MORE);
}

/* ------------------------------------------------------------------ text */

static void check_decoded(const char *raw, const char *text, size_t text_size)
{
    char event[256];
    snprintf(event, sizeof event, "\"%s\"}", raw);
    check_text("\"$\"}", event, text, text_size);
}

static void check_undecided(const char *raw)
{
    char event[256];
    snprintf(event, sizeof event, "\"%s\"}", raw);
    check_kind("\"$\"}", event, TS_LANE_OTHER);
}

static void test_escapes_are_decoded(void)
{
    check_decoded("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8);
    check_decoded("a\\u0041\\u00e9\\u20AC", "aA\xc3\xa9\xe2\x82\xac", 7);
    check_decoded("\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4);
    check_decoded("\\uD800\\uDC00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
    check_decoded("\\u0000", "\0", 1);
    check_decoded("\\uffff\\ud7ff\\ue000", "\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80", 9);
    check_decoded("\\\\u0041\\\\\\\"", "\\u0041\\\"", 8);
}

static void test_utf8_stays_as_it_is(void)
{
    const char *text = "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    check_decoded(text, text, strlen(text));
    check_decoded("0123456789abcdef0123456789\xc3\xa9\\n", "0123456789abcdef0123456789\xc3\xa9\n", 29);
}

/* Each of these is tried in rooms of any size, which the sanitizers watch. */
static void test_a_run_beyond_ascii_keeps_within_its_room_wherever_it_begins(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    static const char beyond[] = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
    static const char *const runs[] = {beyond, "\\ud83d\\ude00"}, *const texts[] = {beyond, "\xf0\x9f\x98\x80"};
    for (int plain = 0; plain < 40; plain++) {
        for (int run = 0; run < 2; run++) {
            char raw[128], text[128];
            snprintf(raw, sizeof raw, "%.*s%s", plain, letters, runs[run]);
            snprintf(text, sizeof text, "%.*s%s", plain, letters, texts[run]);
            check_decoded(raw, text, strlen(text));
        }
    }
}

static void test_what_needs_a_closer_look_is_left_alone(void)
{
    static const char *const raws[] = {
        "\\x",           "\\u12",         "\\u12g4",          "\\U0041",         "a\\ud83d",     "\\ude00",
        "\\ud83dx",      "\\ud83d\\n",    "\\ud83d\\u0041",   "\\ud83d\\ud83d",  "\\ude00\\ud83d", "\\ud83d\\ude0",
        "\xff",          "\xc0\x80",      "\xed\xa0\x80",     "\xf4\x90\x80\x80", "\xe2\x82",     "\xc3",
        "\xf0\x9f\x98",  "\x80",          "\xf8\x88\x80\x80\x80", "\xc3\\n",      "\xe0\x80\x80",
    };
    for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
        check_undecided(raws[i]);
    }
    /* A backslash takes the quote with it: the string goes on. */
    check_kind("\"$\"}", "\"\\\"}", TS_LANE_MORE);
    for (int c = 1; c < 0x20; c++) {
        char raw[4] = {'a', (char)c, 'b', '\0'};
        check_undecided(raw);
    }
}

/* ------------------------------------------------------------------ learning */

static ts_bytes bytes_of(const char *text)
{
    ts_bytes bytes = {text, strlen(text)};
    return bytes;
}

/* Makes a template of an event with the member "a", and "n" and "p" to be ignored. */
static int learn(lane *lane, const char *data, const char *text)
{
    ts_bytes ignored[2] = {bytes_of("p"), bytes_of("n")};
    ts_example example = {bytes_of("data: "), bytes_of(data), bytes_of("\n\n"), bytes_of("a"), bytes_of(text), ignored, 2};
    memset(lane, 0, sizeof *lane);
    return ts_template_learn(&example, &lane->template);
}

/* Learns from one event, and answers what another one is. */
static int kind_after(const char *data, const char *text, const char *other)
{
    lane lane;
    CHECK(learn(&lane, data, text) == TS_LANE_EVENT);
    int kind = match(&lane, other, strlen(other)).kind;
    ts_template_free(lane.template);
    return kind;
}

static void test_what_is_learned_from_an_event_is_the_next(void)
{
    const char *data = "{\"n\":7,\"a\":\"x\\n\",\"p\":\"aZ\",\"k\":[1]}";
    CHECK(kind_after(data, "x\n", "data: {\"n\":7,\"a\":\"x\\n\",\"p\":\"aZ\",\"k\":[1]}\n\n") == TS_LANE_EVENT);
    CHECK(kind_after(data, "x\n", "data: {\"n\":812,\"a\":\"\",\"p\":\"\",\"k\":[1 ] } \n\n") == TS_LANE_EVENT);
    CHECK(kind_after(data, "x\n", "data: {\"n\":7,\"a\":\"x\",\"p\":\"aZ\",\"k\":[2]}\n\n") == TS_LANE_OTHER);
    CHECK(kind_after(data, "x\n", "data: {\"n\":7,\"a\":1,\"p\":\"aZ\",\"k\":[1]}\n\n") == TS_LANE_OTHER);
    CHECK(kind_after("{\"a\" : \"\"}", "", "data: {\"a\" : \"text\"}\n\n") == TS_LANE_EVENT);
}

static void test_what_is_not_sure_is_not_learned(void)
{
    static const char *const events[][2] = {
        {"{\"b\":\"x\"}", "x"},                      /* no such member */
        {"{\"a\":\"x\",\"b\":{\"a\":\"x\"}}", "x"},   /* several */
        {"{\"a\":\"a\"}", "a"},                      /* its name again, as a value */
        {"{\"a\":1}", "1"},                          /* no string */
        {"{\"a\":\"x\"}", "y"},                      /* another text */
        {"{\"a\":\"x\"}", "xx"},
        {"{\"a\":\"\\ud83d\"}", "\xed\xa0\xbd"},   /* half a pair */
        {"{\"a\":\"x\",\"b\":\"\\u0061\"}", "x"},  /* a name may be spelled with escapes */
        {"{\"a\":\"x\",\n\"b\":1}", "x"},           /* two lines of data */
        {"{\"a\":\"x\",\"b\":\"\xff\"}", "x"},      /* no UTF-8 */
        {"{\"a\":\"x", "x"},
        {"{\"a\":\"x\\", "x"},
        {"{\"a\"", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        lane lane;
        CHECK(learn(&lane, events[i][0], events[i][1]) == TS_LANE_OTHER && lane.template == NULL);
    }
}

static void test_an_event_of_very_many_brackets_is_not_learned(void)
{
    for (size_t depth = 8; depth <= 256; depth *= 2) {
        char data[600] = "{\"a\":\"x\",\"b\":";
        memset(data + strlen(data), '[', depth);
        memset(data + strlen(data), ']', depth);
        strcat(data, "}");
        lane lane;
        CHECK(learn(&lane, data, "x") == (depth < 60 ? TS_LANE_EVENT : TS_LANE_OTHER));
        ts_template_free(lane.template);
    }
}

/* ------------------------------------------------------------------ memory */

/* Each answers whether memory ran out somewhere, which the call says itself. */
static int learn_through(void)
{
    lane lane;
    const char *data = "{\"n\":7,\"a\":\"x\\n\",\"p\":\"aZ\",\"k\":[[[[[[[[1]]]]]]]]}";
    int answer = learn(&lane, data, "x\n");
    CHECK(answer == TS_LANE_EVENT || (answer == TS_ERR_MEMORY && lane.template == NULL));
    ts_template_free(lane.template);
    return answer == TS_ERR_MEMORY;
}

static int make_through(void)
{
    lane lane;
    int status = make(&lane, "a,b,c\"$\"#_}");
    CHECK(status == TS_OK || (status == TS_ERR_MEMORY && lane.template == NULL));
    ts_template_free(lane.template);
    return status == TS_ERR_MEMORY;
}

static void check_failing(int (*work)(void))
{
    long live = allocations_alive();
    for (int after = 0; after <= 1; after++) {
        long at = 1;
        for (int failed = 1; failed; at++) {
            fail_allocation(at, after);
            int noticed = work();
            failed = allocation_has_failed();
            CHECK((noticed != 0) == failed);
            CHECK(allocations_alive() == live);
        }
        CHECK(at > 2); /* there was something to fail */
    }
    fail_allocation(0, 0);
}

static void test_every_allocation_may_fail(void)
{
    check_failing(make_through);
    check_failing(learn_through);
}

int main(void)
{
    test_an_event_like_the_template_gives_its_text();
    test_anything_else_is_something_else();
    test_what_matches_so_far_wants_more();
    test_events_in_a_row_are_taken_one_by_one();
    test_bad_parts_are_refused();
    test_templates_of_the_same_parts_are_the_same();
    test_a_number_is_one_that_json_allows();
    test_a_string_without_meaning_is_a_plain_one();
    test_blanks_are_blanks_only();
    test_escapes_are_decoded();
    test_utf8_stays_as_it_is();
    test_a_run_beyond_ascii_keeps_within_its_room_wherever_it_begins();
    test_what_needs_a_closer_look_is_left_alone();
    test_what_is_learned_from_an_event_is_the_next();
    test_what_is_not_sure_is_not_learned();
    test_an_event_of_very_many_brackets_is_not_learned();
    test_every_allocation_may_fail();
    return 0;
}
