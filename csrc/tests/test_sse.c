/* The framer against a table of cases, each run whole, byte by byte, at every two-way cut, saved and loaded at
 * every byte, and with every allocation failing in turn. */
#include "check.h"
#include "failing_alloc.h"
#include "toolstream.h"

#include <string.h>

#define NO_LIMIT INT64_MAX

/* ------------------------------------------------------------------ what came out, as text */

typedef struct transcript {
    char text[8192];
    size_t size;
} transcript;

static void say(transcript *out, const char *text)
{
    size_t size = strlen(text);
    CHECK(size < sizeof out->text - out->size);
    memcpy(out->text + out->size, text, size + 1);
    out->size += size;
}

static void say_bytes(transcript *out, const unsigned char *bytes, int64_t size)
{
    for (int64_t i = 0; i < size; i++) {
        char one[2] = {(char)bytes[i], 0};
        say(out, bytes[i] == '\n' ? "\\n" : bytes[i] == 0 ? "\\0" : one);
    }
}

/* One frame: type[data]id@retry, and a space. The type and id are left out when empty, retry when never set. */
static void say_frame(transcript *out, const ts_frame *frame, const unsigned char *text)
{
    say_bytes(out, text + frame->event, frame->event_size);
    say(out, "[");
    say_bytes(out, text + frame->data, frame->data_size);
    say(out, "]");
    say_bytes(out, text + frame->id, frame->id_size);
    if (frame->retry >= 0) {
        char number[32];
        snprintf(number, sizeof number, "@%lld", (long long)frame->retry);
        say(out, number);
    }
    say(out, " ");
}

static void say_frames(transcript *out, const ts_sse *sse)
{
    const ts_sse_view *view = ts_sse_get_view(sse);
    for (int64_t i = 0; i < view->frame_count; i++) {
        const ts_frame *frame = &view->frames[i];
        CHECK(frame->data >= 0 && frame->data_size >= 0 && frame->data + frame->data_size <= view->text_size);
        CHECK(frame->event >= 0 && frame->event_size >= 0 && frame->event + frame->event_size <= view->text_size);
        CHECK(frame->id >= 0 && frame->id_size >= 0 && frame->id + frame->id_size <= view->text_size);
        say_frame(out, frame, view->text);
    }
}

/* What the stream has come to: status, offset, id, retry, and what a flush adds. */
static void say_end(transcript *out, ts_sse *sse)
{
    const ts_sse_view *view = ts_sse_get_view(sse);
    char line[128];
    snprintf(line, sizeof line, "| %s offset=%lld retry=%lld id=", view->status < 0 ? ts_status_text(view->status) : "ok",
             (long long)view->offset, (long long)view->retry);
    say(out, line);
    say_bytes(out, view->text + view->last_id, view->last_id_size);
    int open = view->open;
    say(out, " | ");
    int failed = view->status < 0;
    int status = ts_sse_flush(sse);
    CHECK(failed || status == TS_ERR_MEMORY || (status == TS_READY) == open);
    CHECK(!failed || (status < 0 && view->frame_count == 0));
    say_frames(out, sse);
}

static void feed(transcript *out, ts_sse *sse, const char *data, size_t size)
{
    int before = ts_sse_get_view(sse)->status;
    int status = ts_sse_feed(sse, data, size);
    const ts_sse_view *view = ts_sse_get_view(sse);
    CHECK(status == view->status);
    CHECK(before >= 0 || (status == before && view->frame_count == 0));
    CHECK(status < 0 || (status == TS_READY) == (view->frame_count != 0));
    CHECK(view->scanned == view->offset + (view->status == TS_ERR_EVENT_BYTES));
    say_frames(out, sse);
}

/* ------------------------------------------------------------------ ways to run a case */

static void run_cut(transcript *out, const char *data, size_t size, size_t cut, int64_t limit)
{
    ts_sse *sse = ts_sse_new(limit);
    CHECK(sse != NULL);
    out->size = 0;
    out->text[0] = 0;
    feed(out, sse, data, cut);
    feed(out, sse, data + cut, size - cut);
    say_end(out, sse);
    ts_sse_free(sse);
}

static void run_bytewise(transcript *out, const char *data, size_t size, int64_t limit)
{
    ts_sse *sse = ts_sse_new(limit);
    CHECK(sse != NULL);
    out->size = 0;
    out->text[0] = 0;
    for (size_t i = 0; i < size; i++) {
        feed(out, sse, data + i, 1);
    }
    say_end(out, sse);
    ts_sse_free(sse);
}

static ts_sse *reload(ts_sse *sse, int64_t limit)
{
    size_t needed = ts_sse_save(sse, NULL, 0);
    unsigned char *saved = (unsigned char *)calloc(needed + 1, 1);
    CHECK(saved != NULL);
    CHECK(ts_sse_save(sse, saved, needed) == needed);
    ts_sse_free(sse);
    ts_sse *loaded = ts_sse_load(limit, saved, needed);
    CHECK(loaded != NULL);
    for (size_t cut = 0; cut < needed; cut++) {
        CHECK(ts_sse_load(limit, saved, cut) == NULL);
    }
    CHECK(ts_sse_load(limit, saved, needed + 1) == NULL);
    unsigned char *again = (unsigned char *)malloc(needed);
    CHECK(again != NULL);
    CHECK(ts_sse_save(loaded, again, needed) == needed && memcmp(saved, again, needed) == 0);
    free(again);
    free(saved);
    return loaded;
}

static void run_reloaded(transcript *out, const char *data, size_t size, int64_t limit)
{
    ts_sse *sse = ts_sse_new(limit);
    CHECK(sse != NULL);
    out->size = 0;
    out->text[0] = 0;
    for (size_t i = 0; i < size; i++) {
        sse = reload(sse, limit);
        feed(out, sse, data + i, 1);
    }
    sse = reload(sse, limit);
    say_end(out, sse);
    ts_sse_free(sse);
}

/* Events that lie whole in what follows a cut are found without a framer, as far as that goes. */
static void run_whole(transcript *out, const char *data, size_t size, size_t cut, int64_t limit)
{
    ts_sse *sse = ts_sse_new(limit);
    CHECK(sse != NULL);
    out->size = 0;
    out->text[0] = 0;
    feed(out, sse, data, cut);
    size_t at = cut, taken = 1;
    while (taken != 0 && (at == 0 || ts_sse_is_done(sse))) {
        ts_frame frame;
        taken = ts_sse_whole(data + at, size - at, &frame);
        taken = (int64_t)taken > limit ? 0 : taken;
        if (taken != 0) {
            say_frame(out, &frame, (const unsigned char *)data + at);
            at += taken;
            ts_sse_reuse(sse, limit, (int64_t)at);
        }
    }
    feed(out, sse, data + at, size - at);
    say_end(out, sse);
    ts_sse_free(sse);
}

/* Wherever nothing is left of what came, the stream goes on with a framer that another one has used. */
static void run_reused(transcript *out, const char *data, size_t size, int64_t limit)
{
    ts_sse *sse = ts_sse_new(limit);
    ts_sse *other = ts_sse_new(NO_LIMIT);
    static const char left[] = "id: 1\nretry: 2\nevent: x\ndata: y\n\nid: 3\nevent: z\ndata: left";
    CHECK(sse != NULL && other != NULL);
    CHECK(ts_sse_feed(other, left, sizeof left - 1) == TS_READY);
    out->size = 0;
    out->text[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (ts_sse_is_done(sse)) {
            ts_sse *used = sse;
            ts_sse_reuse(other, limit, ts_sse_get_view(sse)->offset);
            sse = other;
            other = used;
        }
        feed(out, sse, data + i, 1);
    }
    say_end(out, sse);
    ts_sse_free(sse);
    ts_sse_free(other);
}

/* With the n-th allocation failing: either what should come comes, or a first part of it and then an error that
 * stays. Answers whether an allocation failed. */
static int run_failing(const transcript *expected, const char *data, size_t size, size_t step, long n, int ever_after)
{
    static transcript got;
    got.size = 0;
    got.text[0] = 0;
    fail_allocation(n, ever_after);
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    if (sse != NULL) {
        int status = TS_OK;
        for (size_t at = 0; at < size && status >= 0; at += step) {
            status = ts_sse_feed(sse, data + at, size - at < step ? size - at : step);
            say_frames(&got, sse);
        }
        if (status >= 0) {
            say_end(&got, sse);
        }
        status = ts_sse_get_view(sse)->status;
        CHECK(status >= 0 || status == TS_ERR_MEMORY);
        CHECK(status >= 0 || ts_sse_feed(sse, "data:x\n\n", 8) == TS_ERR_MEMORY);
        CHECK(strncmp(got.text, expected->text, got.size) == 0);
        CHECK(status < 0 || got.size == expected->size);
    }
    int failed = allocation_has_failed();
    fail_allocation(0, 0);
    ts_sse_free(sse);
    return failed;
}

static void run_failing_load(const char *data, size_t size)
{
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    ts_sse_feed(sse, data, size);
    unsigned char saved[8192];
    size_t needed = ts_sse_save(sse, saved, sizeof saved);
    CHECK(needed <= sizeof saved);
    ts_sse_free(sse);
    for (long n = 1;; n++) {
        fail_allocation(n, 0);
        ts_sse *loaded = ts_sse_load(NO_LIMIT, saved, needed);
        int failed = allocation_has_failed();
        fail_allocation(0, 0);
        CHECK((loaded == NULL) == failed);
        ts_sse_free(loaded);
        if (!failed) {
            return;
        }
    }
}

static void run_every_way(const char *data, size_t size, int64_t limit, const char *expected)
{
    static transcript got;
    for (size_t cut = 0; cut <= size; cut++) {
        run_cut(&got, data, size, cut, limit);
        if (strcmp(got.text, expected) != 0) {
            fprintf(stderr, "input:    %s\ncut:      %zu\nexpected: %s\ngot:      %s\n", data, cut, expected, got.text);
        }
        CHECK(strcmp(got.text, expected) == 0);
        run_whole(&got, data, size, cut, limit);
        CHECK(strcmp(got.text, expected) == 0);
    }
    run_bytewise(&got, data, size, limit);
    CHECK(strcmp(got.text, expected) == 0);
    run_reloaded(&got, data, size, limit);
    CHECK(strcmp(got.text, expected) == 0);
    run_reused(&got, data, size, limit);
    CHECK(strcmp(got.text, expected) == 0);
    CHECK(allocations_alive() == 0);
}

/* ------------------------------------------------------------------ cases */

typedef struct sse_case {
    const char *data;
    size_t size;
    const char *expected;        /* frames | status | what a flush adds */
} sse_case;

#define CASE(data, expected) {data, sizeof data - 1, expected}

static const sse_case cases[] = {
    CASE("", "| ok offset=0 retry=-1 id= | "),
    CASE("data: a\n\n", "[a] | ok offset=9 retry=-1 id= | "),
    CASE("data: a\r\r", "[a] | ok offset=9 retry=-1 id= | "),
    CASE("data: a\r\n\r\n", "[a] | ok offset=11 retry=-1 id= | "),
    CASE("data: a\n\rdata: b\r\n\n", "[a] [b] | ok offset=19 retry=-1 id= | "),
    CASE("data: a\r\ndata: b\rdata: c\n\r\n", "[a\\nb\\nc] | ok offset=27 retry=-1 id= | "),
    CASE("\n\r\r\n\n", "| ok offset=5 retry=-1 id= | "),
    /* field syntax */
    CASE("data:a\n\ndata:  a \n\ndata:\ta\n\n", "[a] [ a ] [\ta] | ok offset=28 retry=-1 id= | "),
    CASE("data\n\n", "[] | ok offset=6 retry=-1 id= | "),
    CASE("data\ndata:\ndata: \n\n", "[\\n\\n] | ok offset=19 retry=-1 id= | "),
    CASE("data : a\ndat: b\ndatas: c\nDATA: d\n data: e\ndata: f\n\n", "[f] | ok offset=51 retry=-1 id= | "),
    CASE("id2: x\nretries: 1\nevents: x\nevenT: x\ndatx: x\nre: 1\n\n", "| ok offset=52 retry=-1 id= | "),
    CASE("data: a: b\n\n", "[a: b] | ok offset=12 retry=-1 id= | "),
    CASE("data: \0\n\n", "[\\0] | ok offset=9 retry=-1 id= | "),
    CASE(": one\n:\n::\ndata: a\n:data: b\n\n", "[a] | ok offset=29 retry=-1 id= | "),
    CASE("data: 0123456789abcdef0123456789abcdef0123456789\n\n",
         "[0123456789abcdef0123456789abcdef0123456789] | ok offset=50 retry=-1 id= | "),
    /* types */
    CASE("event: t\ndata: a\n\ndata: b\n\n", "t[a] [b] | ok offset=27 retry=-1 id= | "),
    CASE("event: t\ndata: a\n\nevent:u\ndata:b\n\nevent: \ndata:\n\nda", "t[a] u[b] [] | ok offset=51 retry=-1 id= | "),
    CASE("event: t\rdata: a\n\nevent: u\ndata: b\revent: v\n\n", "t[a] v[b] | ok offset=45 retry=-1 id= | "),
    CASE("event: t\n\ndata: a\n\n", "[a] | ok offset=19 retry=-1 id= | "),
    CASE("event: t\ndata: a\nevent: u\ndata: b\n\n", "u[a\\nb] | ok offset=35 retry=-1 id= | "),
    CASE("event: t\nevent\ndata: a\n\n", "[a] | ok offset=24 retry=-1 id= | "),
    CASE("event: a type that needs more room than its data\ndata: a\n\n",
         "a type that needs more room than its data[a] | ok offset=58 retry=-1 id= | "),
    /* ids */
    CASE("id: 7\ndata: a\n\ndata: b\n\nid: 9\ndata: c\n\nid\ndata: d\n\n", "[a]7 [b]7 [c]9 [d] | ok offset=51 retry=-1 id= | "),
    CASE("id: 7\n\ndata: a\n\n", "[a]7 | ok offset=16 retry=-1 id=7 | "),
    CASE("id: 7\nid: 8\ndata: a\n\nid: 9\n", "[a]8 | ok offset=27 retry=-1 id=8 | "),
    CASE("id: 7\nid: 8\0\ndata: a\n\nid: 1\0" "2\ndata: b\n\n", "[a]7 [b]7 | ok offset=39 retry=-1 id=7 | "),
    CASE("id: 7\n\nid: a longer one\ndata: x\n\ndata: y\ndata: z\n\n",
         "[x]a longer one [y\\nz]a longer one | ok offset=50 retry=-1 id=a longer one | "),
    /* retry */
    CASE("retry: 30\ndata: a\n\ndata: b\nretry:4x\nretry:\nretry\nretry: +1\nretry:  1\nretry: -2\n\n",
         "[a]@30 [b]@30 | ok offset=80 retry=30 id= | "),
    CASE("data: a\nretry: 0010\n\n", "[a]@10 | ok offset=21 retry=10 id= | "),
    CASE("retry: 0\n", "| ok offset=9 retry=0 id= | "),
    CASE("retry: 9223372036854775807\n", "| ok offset=27 retry=9223372036854775807 id= | "),
    CASE("retry: 9223372036854775808\n", "| ok offset=27 retry=9223372036854775807 id= | "),
    CASE("retry: 99999999999999999999999\n", "| ok offset=31 retry=9223372036854775807 id= | "),
    /* the byte order mark */
    CASE("\xef\xbb\xbf" "data: a\n\n", "[a] | ok offset=12 retry=-1 id= | "),
    CASE("\xef\xbb\xbf\xef\xbb\xbf" "data: a\ndata: b\n\n", "[b] | ok offset=23 retry=-1 id= | "),
    CASE("\xef\xbb" "data: a\ndata: b\n\n", "[b] | ok offset=19 retry=-1 id= | "),
    CASE("\xef\n\xbb\n\xef\xbb\xbf" "data: a\ndata: b\n\n", "[b] | ok offset=24 retry=-1 id= | "),
    CASE("\xef\xbb\xbf\n\xef\xbb\xbf" "data: a\n\n", "| ok offset=16 retry=-1 id= | "),
    CASE("\xef\xbb\xbf", "| ok offset=3 retry=-1 id= | "),
    CASE("\xef\xbb", "| ok offset=2 retry=-1 id= | "),
    /* what no blank line has ended */
    CASE("data: a\n\ndata: b", "[a] | ok offset=16 retry=-1 id= | [b] "),
    CASE("event: t\ndata: b\r\n", "| ok offset=18 retry=-1 id= | t[b] "),
    CASE("data: b\nevent: t", "| ok offset=16 retry=-1 id= | t[b] "),
    CASE("data: b\r", "| ok offset=8 retry=-1 id= | [b] "),
    CASE("data: b\nid: 7", "| ok offset=13 retry=-1 id= | [b]7 "),
    CASE("data: b\nretry: 7", "| ok offset=16 retry=-1 id= | [b]@7 "),
    CASE("data: b\n: comment", "| ok offset=17 retry=-1 id= | [b] "),
    CASE("data: b\nda", "| ok offset=10 retry=-1 id= | [b] "),
    CASE("data", "| ok offset=4 retry=-1 id= | [] "),
    CASE("dat", "| ok offset=3 retry=-1 id= | "),
    CASE("data:", "| ok offset=5 retry=-1 id= | [] "),
    CASE("event: t", "| ok offset=8 retry=-1 id= | "),
    CASE("id: 7\nevent: t\n", "| ok offset=15 retry=-1 id= | "),
};

static void test_every_case_at_every_cut(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_every_way(cases[i].data, cases[i].size, NO_LIMIT, cases[i].expected);
    }
}

static void test_every_allocation_failing_in_turn(void)
{
    static transcript expected;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sse_case *c = &cases[i];
        run_cut(&expected, c->data, c->size, c->size, NO_LIMIT);
        for (int ever_after = 0; ever_after <= 1; ever_after++) {
            for (long n = 1; run_failing(&expected, c->data, c->size, c->size + 1, n, ever_after); n++) {
            }
            for (long n = 1; run_failing(&expected, c->data, c->size, 1, n, ever_after); n++) {
            }
        }
        for (size_t cut = 0; cut <= c->size; cut++) {
            run_failing_load(c->data, cut);
        }
        CHECK(allocations_alive() == 0);
    }
}

/* ------------------------------------------------------------------ limits */

static void test_limit_is_hit_at_the_same_byte(void)
{
    static const struct {
        const char *data;
        int64_t limit;
        const char *expected;
    } limited[] = {
        {"data: abc\n\n", 9, "[abc] | ok offset=11 retry=-1 id= | "},
        {"data: abc\n\n", 8, "| SSE event too long offset=8 retry=-1 id= | "},
        {"data: a\n\ndata: abc\n\n", 8, "[a] | SSE event too long offset=17 retry=-1 id= | "},
        {"data: a\ndata: b\n\n", 9, "[a\\nb] | ok offset=17 retry=-1 id= | "},
        {"data: a\ndata: b\n\n", 8, "| SSE event too long offset=14 retry=-1 id= | "},
        {"event: abc\ndata: b\n\n", 10, "abc[b] | ok offset=20 retry=-1 id= | "},
        {"event: ab\ndata: b\n\n", 8, "| SSE event too long offset=8 retry=-1 id= | "},
        {"id: abc\ndata: b\n\ndata: abc\n\n", 10, "[b]abc [abc]abc | ok offset=28 retry=-1 id=abc | "},
        {"id: abc\ndata: b\n\n", 9, "| SSE event too long offset=14 retry=-1 id= | "},
        {":0123456789\n", 11, "| ok offset=12 retry=-1 id= | "},
        {":0123456789\n", 10, "| SSE event too long offset=10 retry=-1 id= | "},
        {"\xef\xbb\xbf" ":23\n\n", 3, "| ok offset=8 retry=-1 id= | "},
        {"\xef\xbb\xbf\n\n", 2, "| SSE event too long offset=2 retry=-1 id= | "},
        {"\xef\xbb\n\n", 2, "| ok offset=4 retry=-1 id= | "},
        {"\n\n", 0, "| ok offset=2 retry=-1 id= | "},
        {"a", 0, "| SSE event too long offset=0 retry=-1 id= | "},
        {"a", -5, "| SSE event too long offset=0 retry=-1 id= | "},
    };
    for (size_t i = 0; i < sizeof limited / sizeof *limited; i++) {
        run_every_way(limited[i].data, strlen(limited[i].data), limited[i].limit, limited[i].expected);
    }
}

/* ------------------------------------------------------------------ long streams */

static int feed_text(ts_sse *sse, const char *text)
{
    return ts_sse_feed(sse, text, strlen(text));
}


/* An id from an earlier call is always at offset 0, a newer one never: callers may keep what they decoded. */
static void test_id_from_an_earlier_call_is_at_offset_zero(void)
{
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    const ts_sse_view *view = ts_sse_get_view(sse);
    CHECK(feed_text(sse, "id: abc\n\n") == TS_OK);
    CHECK(view->last_id > 0 && view->last_id_size == 3);
    CHECK(feed_text(sse, "data: x\n\nid: xyz\ndata: y\n\ndata: z\n\n") == TS_READY);
    CHECK(view->frame_count == 3);
    CHECK(view->frames[0].id == 0 && view->frames[0].id_size == 3);
    CHECK(view->frames[1].id > 0 && view->frames[2].id == view->frames[1].id);
    CHECK(feed_text(sse, "id\n\n") == TS_OK);
    CHECK(view->last_id == 0 && view->last_id_size == 0);
    ts_sse_free(sse);
}

/* After a long event the next ones make the parser give the memory back, and the stream goes on as before. */
static void test_long_events_leave_the_state_whole(void)
{
    enum { LONG = 200000 };
    char *data = (char *)malloc(LONG);
    CHECK(data != NULL);
    memset(data, 'x', LONG);
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    const ts_sse_view *view = ts_sse_get_view(sse);
    for (int round = 0; round < 3; round++) {
        CHECK(feed_text(sse, "id: ") == TS_OK);
        CHECK(ts_sse_feed(sse, data, LONG / 2) == TS_OK);
        CHECK(feed_text(sse, "\nevent: ") == TS_OK);
        CHECK(ts_sse_feed(sse, data, LONG) == TS_OK);
        CHECK(feed_text(sse, "\ndata: ") == TS_OK);
        for (int i = 0; i < LONG; i += 1000) {
            CHECK(ts_sse_feed(sse, data + i, 1000) == TS_OK);
        }
        CHECK(feed_text(sse, "\n\ndata: open") == TS_READY);
        CHECK(view->frames[0].data_size == LONG && view->frames[0].event_size == LONG);
        CHECK(view->frames[0].id_size == LONG / 2);
        CHECK(memcmp(view->text + view->frames[0].data, data, LONG) == 0);
        CHECK(memcmp(view->text + view->frames[0].event, data, LONG) == 0);
        CHECK(feed_text(sse, "\nid: 1\n\n") == TS_READY);
        CHECK(view->frames[0].data_size == 4 && memcmp(view->text + view->frames[0].data, "open", 4) == 0);
        CHECK(view->frames[0].event_size == 0 && view->frames[0].id_size == 1);
    }
    CHECK(view->scanned == view->offset);
    ts_sse_free(sse);
    free(data);
}

/* Giving memory back may fail, too: then it is kept. */
static void test_memory_that_cannot_be_given_back_is_kept(void)
{
    static char data[3 * 4096];
    memset(data, 'x', sizeof data);
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    CHECK(feed_text(sse, "data: ") == TS_OK);
    CHECK(ts_sse_feed(sse, data, sizeof data) == TS_OK);
    CHECK(feed_text(sse, "\n\n") == TS_READY);
    fail_allocation(1, 1);
    CHECK(feed_text(sse, "data: y\n\n") == TS_READY);
    CHECK(allocation_has_failed());
    fail_allocation(0, 0);
    CHECK(ts_sse_get_view(sse)->frames[0].data_size == 1);
    ts_sse_free(sse);
}

static void test_many_frames_in_one_call(void)
{
    enum { COUNT = 5000, SIZE = 9 };
    char *data = (char *)malloc(COUNT * SIZE);
    CHECK(data != NULL);
    for (int i = 0; i < COUNT; i++) {
        memcpy(data + i * SIZE, "data: x\n\n", SIZE);
    }
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    for (int round = 0; round < 2; round++) {
        CHECK(ts_sse_feed(sse, data, COUNT * SIZE) == TS_READY);
        CHECK(ts_sse_get_view(sse)->frame_count == COUNT);
        CHECK(ts_sse_feed(sse, data, SIZE) == TS_READY);
        CHECK(ts_sse_get_view(sse)->frame_count == 1);
    }
    ts_sse_free(sse);
    free(data);
}

/* ------------------------------------------------------------------ damaged states */

/* Any byte of a saved state may be wrong: the load refuses it, or gives a parser that is safe to use. */
static void test_damaged_state_is_refused_or_harmless(void)
{
    static const char *const streams[] = {
        "id: 7\nevent: t\ndata: one\ndata: tw", "id: 7\n\nevent: so", "id: 1\nid: 2", "retry: 55", "dat", ": comm", "\xef\xbb",
        "data: x\r", "event: t\ndata",
        ":a comment of more than a hundred bytes, which is more than the parser is allowed to take in here, so it dies",
    };
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++) {
        ts_sse *sse = ts_sse_new(100);
        CHECK(sse != NULL);
        feed_text(sse, streams[s]);
        unsigned char saved[512];
        size_t size = ts_sse_save(sse, saved, sizeof saved);
        CHECK(size <= sizeof saved);
        ts_sse_free(sse);
        for (size_t at = 0; at < size; at++) {
            for (int value = 0; value < 256; value++) {
                unsigned char damaged[512];
                memcpy(damaged, saved, size);
                damaged[at] = (unsigned char)value;
                ts_sse *loaded = ts_sse_load(100, damaged, size);
                if (loaded != NULL) {
                    feed_text(loaded, "ata: x\r\nid: 5\n\ndata: y\n");
                    ts_sse_flush(loaded);
                    ts_sse_free(loaded);
                }
            }
        }
    }
    CHECK(allocations_alive() == 0);
}

static void test_state_beyond_the_limit_is_refused(void)
{
    ts_sse *sse = ts_sse_new(100);
    CHECK(sse != NULL);
    feed_text(sse, "event: type\nid: number\ndata: line\ndata: and more");
    unsigned char saved[512];
    size_t size = ts_sse_save(sse, saved, sizeof saved);
    CHECK(size <= sizeof saved);
    ts_sse_free(sse);
    for (int64_t limit = 0; limit < 100; limit++) {
        /* 4 of type, 6 of id, 5 of the whole line, 14 of the one in progress */
        ts_sse *loaded = ts_sse_load(limit, saved, size);
        CHECK((loaded != NULL) == (limit >= 29));
        ts_sse_free(loaded);
    }
    sse = ts_sse_new(100);
    CHECK(sse != NULL);
    feed_text(sse, "id: number\n\n");
    size = ts_sse_save(sse, saved, sizeof saved);
    CHECK(size <= sizeof saved);
    ts_sse_free(sse);
    CHECK(ts_sse_load(5, saved, size) == NULL);
    sse = ts_sse_load(6, saved, size);
    CHECK(sse != NULL);
    ts_sse_free(sse);
}

static void test_save_writes_no_more_than_it_may(void)
{
    ts_sse *sse = ts_sse_new(NO_LIMIT);
    CHECK(sse != NULL);
    feed_text(sse, "id: 7\nevent: t\ndata: one");
    size_t needed = ts_sse_save(sse, NULL, 0);
    for (size_t cap = 0; cap <= needed; cap++) {
        unsigned char *out = (unsigned char *)malloc(cap + 1); /* ASan watches its end */
        CHECK(out != NULL);
        CHECK(ts_sse_save(sse, out, cap) == needed);
        free(out);
    }
    ts_sse_free(sse);
}

int main(void)
{
    test_every_case_at_every_cut();
    test_every_allocation_failing_in_turn();
    test_limit_is_hit_at_the_same_byte();
    test_id_from_an_earlier_call_is_at_offset_zero();
    test_long_events_leave_the_state_whole();
    test_memory_that_cannot_be_given_back_is_kept();
    test_many_frames_in_one_call();
    test_damaged_state_is_refused_or_harmless();
    test_state_beyond_the_limit_is_refused();
    test_save_writes_no_more_than_it_may();
    ts_sse_free(NULL);
    CHECK(allocations_alive() == 0);
    return 0;
}
