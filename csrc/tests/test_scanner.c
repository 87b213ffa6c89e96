/* The scanner by itself: every state at every cut, growth, faults, limits, and where the stream stands.
 * csrc/tests/run.sh builds and runs this.
 */
#include "scanner_cases.h"

static void test_reports_do_not_depend_on_the_cuts(void)
{
    static const int64_t depths[] = {0, 1, 2, -1};
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        for (size_t depth = 0; depth < sizeof depths / sizeof depths[0]; depth++) {
            for (int deltas = 0; deltas <= 1; deltas++) {
                ts_options options = depth_options(depths[depth], deltas, TS_DUP_LAST);
                check_every_cut(&options, documents[i], strlen(documents[i]));
            }
        }
    }
}

/* So long that what nobody needs any more is dropped from the text, and what somebody needs must stay. */
static void test_long_documents_do_not_depend_on_the_cuts_either(void)
{
    replay_text document = {0};
    char member[128];
    replay_print(&document, "{");
    for (int i = 0; i < 6; i++) {
        snprintf(member, sizeof member, "%s\"key number %d\":{\"text\":\"%s \\u00e9 %d\",\"list\":[%d,{\"x\":[true]},12345678901234567890]}",
                 i != 0 ? ", " : "", i, "a text of some length that goes on", i, i);
        replay_print(&document, member);
    }
    replay_print(&document, "}");
    for (int64_t depth = -1; depth <= 3; depth++) {
        ts_options options = depth_options(depth, 1, TS_DUP_ERROR);
        check_every_cut(&options, document.data, document.size);
    }
    free(document.data);
}

static void test_the_build_steps_tell_the_whole_document(void)
{
    static const int64_t depths[] = {0, 1, -1};
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        for (size_t depth = 0; depth < sizeof depths / sizeof depths[0]; depth++) {
            ts_options options = depth_options(depths[depth], 0, TS_DUP_LAST);
            replay_text compact = {0};
            replay_compact(&compact, documents[i], strlen(documents[i]));
            replay run = whole(&options, documents[i], strlen(documents[i]));
            CHECK_CASE(run.status == TS_OK && run.complete, "%s", documents[i]);
            CHECK_CASE(replay_same_text(&compact, &run.document), "%s built as %.*s", documents[i],
                       (int)run.document.size, run.document.data);
            replay_free(&run);
            free(compact.data);
        }
    }
}

static void test_implied_reports_are_steps_of_the_same_call(void)
{
    const char *pieces[] = {"{\"a\":[", "1,", "2]", ",\"b\":{\"c\":tru", "e}}"};
    const int has_steps[] = {0, 1, 1, 0, 1};
    ts_options options = depth_options(-1, 0, TS_DUP_ERROR);
    options.implied = 1;
    ts_scanner *scanner = ts_scanner_new(&options);
    const ts_view *view = ts_scanner_view(scanner);
    CHECK(ts_scanner_options(scanner) == &options);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        int status = ts_scanner_feed(scanner, pieces[i], strlen(pieces[i]));
        CHECK_CASE(status == (has_steps[i] ? TS_READY : TS_OK), "%s: status %d", pieces[i], status);
        CHECK_CASE(view->report_count == 0, "%s is reported", pieces[i]);
        CHECK_CASE((view->step_count != 0) == has_steps[i], "%s: %u steps", pieces[i], view->step_count);
        CHECK(!view->unsettled || !has_steps[i]);
    }
    CHECK(view->complete);
    ts_scanner_free(scanner);
    check_fault(&options, "{\"a\":1,\"a\":2}", 13, TS_ERR_DUPLICATE, 9);
}

static void test_values_are_reported_down_to_the_depth_inner_ones_first(void)
{
    const char *document = "{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":\"x\"}";
    ts_options options = depth_options(0, 0, TS_DUP_ERROR);
    check_reports(&options, document, "");
    options.depth = 1;
    check_reports(&options, document, "\nvalue /a\nvalue /d");
    options.depth = 2;
    check_reports(&options, document, "\nvalue /a/b\nvalue /a\nvalue /d");
    options.depth = 3;
    check_reports(&options, document, "\nvalue /a/b/0\nvalue /a/b/1\nvalue /a/b\nvalue /a\nvalue /d");
    options.depth = -1;
    check_reports(&options, document, "\nvalue /a/b/0\nvalue /a/b/1/c\nvalue /a/b/1\nvalue /a/b\nvalue /a\nvalue /d");
    check_reports(&options, "[[],[7]]", "\nvalue /0\nvalue /1/0\nvalue /1");
    check_reports(&options, "\"root\"", "");
}

static void test_growth_joins_to_the_string(void)
{
    ts_options options = depth_options(1, 1, TS_DUP_ERROR);
    check_reports(&options, "{\"a\":\"x\\ny\",\"b\":\"\",\"c\":1}", "\ngrowth /a x\\ny\nvalue /a\nvalue /b\nvalue /c");
    check_reports(&options, "[\"\\ud83d\\ude00\",\"\\ud83d\"]",
                  "\ngrowth /0 \\ud83d\\ude00\nvalue /0\ngrowth /1 \\ud83d\nvalue /1");
    check_reports(&options, "{\"a\":{\"b\":\"inner\"}}", "\nvalue /a");
    options.depth = -1;
    check_reports(&options, "{\"a\":[\"x\",{\"b\":\"y\"}]}",
                  "\ngrowth /a/0 x\nvalue /a/0\ngrowth /a/1/b y\nvalue /a/1/b\nvalue /a/1\nvalue /a");
}

static void test_growth_holds_back_what_is_not_decided(void)
{
    static const struct {
        const char *fed;
        const char *grown;
    } rows[] = {
        {"[\"ab", "ab"},           {"[\"ab\\", "ab"},          {"[\"ab\\n", "ab\\n"},
        {"[\"ab\\u00", "ab"},      {"[\"ab\\u0041", "ab\\u0041"}, {"[\"a\xc3", "a"},
        {"[\"a\xc3\xa9", "a\xc3\xa9"}, {"[\"a\xf0\x9f\x98", "a"}, {"[\"a\\ud83d", "a"},
        {"[\"a\\ud83d\\", "a"},    {"[\"a\\ud83d\\ude0", "a"}, {"[\"a\\ud83d\\ude00", "a\\ud83d\\ude00"},
        {"[\"a\\ud83dz", "a\\ud83dz"}, {"[\"a\\ud83d\\n", "a\\ud83d\\n"}, {"[\"\\ude00", "\\ude00"},
    };
    ts_options options = depth_options(1, 1, TS_DUP_ERROR);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t cut = 0; cut <= strlen(rows[i].fed); cut++) {
            replay run = replay_run(&options, rows[i].fed, strlen(rows[i].fed), &cut, 1, 0);
            char expected[64];
            snprintf(expected, sizeof expected, "\ngrowth /0 %s", rows[i].grown);
            CHECK_CASE(reports_are(&run, expected), "%s: %.*s", rows[i].fed, (int)run.reports.size, run.reports.data);
            replay_free(&run);
        }
    }
}

static void test_growth_before_a_fault_is_reported(void)
{
    static const char *const faults[] = {"[\"ab\n", "[\"ab\\x", "[\"ab\xff", "[\"ab\\u00g", "[\"ab\xc3\"", "[\"ab\\ud83d\\q"};
    ts_options options = depth_options(1, 1, TS_DUP_ERROR);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        replay run = whole(&options, faults[i], strlen(faults[i]));
        CHECK_CASE(run.status < 0 && reports_are(&run, "\ngrowth /0 ab"), "%s", faults[i]);
        replay_free(&run);
        check_every_cut(&options, faults[i], strlen(faults[i]));
    }
    options.max_bytes = 4;
    check_fault(&options, "[\"abcd\"]", 8, TS_ERR_BYTES, 4);
}

/* ------------------------------------------------------------------ faults */

static void test_faults_are_found_at_their_first_byte(void)
{
    static const struct {
        const char *document;
        int status;
        int64_t offset;
    } rows[] = {
        {"", TS_ERR_INCOMPLETE, 0},
        {" \n", TS_ERR_INCOMPLETE, 2},
        {"[1,]", TS_ERR_SYNTAX, 3},
        {"[1 2]", TS_ERR_SYNTAX, 3},
        {"[}", TS_ERR_SYNTAX, 1},
        {"{]", TS_ERR_SYNTAX, 1},
        {"{\"a\" 1}", TS_ERR_SYNTAX, 5},
        {"{\"a\":1,}", TS_ERR_SYNTAX, 7},
        {"{1:2}", TS_ERR_SYNTAX, 1},
        {"[1x", TS_ERR_SYNTAX, 2},
        {"\xef\xbb\xbf{}", TS_ERR_SYNTAX, 0},
        {"[nulll]", TS_ERR_SYNTAX, 5},
        {"nul1", TS_ERR_LITERAL, 3},
        {"[trux]", TS_ERR_LITERAL, 4},
        {"01", TS_ERR_NUMBER, 1},
        {"[-]", TS_ERR_NUMBER, 2},
        {"[1.]", TS_ERR_NUMBER, 3},
        {"[1e+]", TS_ERR_NUMBER, 4},
        {"1.5.", TS_ERR_TRAILING, 3},
        {"{}{", TS_ERR_TRAILING, 2},
        {"null \n x", TS_ERR_TRAILING, 7},
        {"\"\n\"", TS_ERR_CONTROL, 1},
        {"[\"0123456789abcdef\x01\"]", TS_ERR_CONTROL, 18},
        {"\"\\q\"", TS_ERR_ESCAPE, 2},
        {"\"\\u12g4\"", TS_ERR_ESCAPE, 5},
        {"\"\\ud83d\\u12\"", TS_ERR_ESCAPE, 11},
        {"\"\x80\"", TS_ERR_UTF8, 1},
        {"\"\xc3(\"", TS_ERR_UTF8, 2},
        {"\"\xe0\x80\x80\"", TS_ERR_UTF8, 2},
        {"\"\xed\xa0\x80\"", TS_ERR_UTF8, 2},
        {"\"\xf4\x90\x80\x80\"", TS_ERR_UTF8, 2},
        {"\"\xf5\"", TS_ERR_UTF8, 1},
        {"{\"a\":1,\"a\":2}", TS_ERR_DUPLICATE, 9},
        {"{\"a\":1,\"\\u0061\"", TS_ERR_DUPLICATE, 14},
        {"[1", TS_ERR_INCOMPLETE, 2},
        {"-", TS_ERR_INCOMPLETE, 1},
        {"1e", TS_ERR_INCOMPLETE, 2},
        {"tru", TS_ERR_INCOMPLETE, 3},
        {"{\"a\":\"\\ud83d\\u", TS_ERR_INCOMPLETE, 14},
        {"\"\xf0\x9f", TS_ERR_INCOMPLETE, 3},
        {"{\n\"a\":\n 1x}", TS_ERR_SYNTAX, 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int deltas = 0; deltas <= 1; deltas++) {
            ts_options options = depth_options(1, deltas, TS_DUP_ERROR);
            check_fault(&options, rows[i].document, strlen(rows[i].document), rows[i].status, rows[i].offset);
        }
    }
    ts_options options = plain_options();
    check_fault(&options, "[1\0]", 4, TS_ERR_SYNTAX, 2);
    replay run = whole(&options, "{\n\"a\":\n 1x}", 11);
    CHECK(run.line == 3 && run.column == 3);
    replay_free(&run);
}

static void test_repeated_keys_are_faults_where_values_were_reported(void)
{
    ts_options options = depth_options(1, 0, TS_DUP_ERROR);
    check_reports(&options, "{\"a\":{\"x\":1,\"x\":2}}", "\nvalue /a");
    options.depth = 2;
    check_fault(&options, "{\"a\":{\"x\":1,\"x\":2}}", 20, TS_ERR_DUPLICATE, 14);
    options.depth = 0;
    check_reports(&options, "{\"a\":1,\"a\":2}", "");
    options = depth_options(1, 0, TS_DUP_LAST);
    check_reports(&options, "{\"a\":1,\"a\":2}", "\nvalue /a\nvalue /a");
    options = depth_options(1, 0, TS_DUP_STRICT);
    check_fault(&options, "{\"a\":{\"x\":1,\"x\":2}}", 20, TS_ERR_DUPLICATE, 14);
    check_reports(&options, "[{\"x\":1},{\"x\":1,\"y\":{\"x\":1}}]", "\nvalue /0\nvalue /1");
}

static void test_many_keys_are_told_apart(void)
{
    ts_options options = depth_options(1, 0, TS_DUP_ERROR);
    ts_scanner *scanner = ts_scanner_new(&options);
    char member[48];
    CHECK(ts_scanner_feed(scanner, "{", 1) >= 0);
    for (int i = 0; i < 20000; i++) {
        int size = snprintf(member, sizeof member, "\"key %d\":{\"key %d\":1},", i, i);
        CHECK(ts_scanner_feed(scanner, member, (size_t)size) >= 0);
    }
    CHECK(ts_scanner_feed(scanner, "\"key 12345\"", 11) == TS_ERR_DUPLICATE);
    ts_scanner_free(scanner);
}

/* ------------------------------------------------------------------ limits */

static void test_limits_trip_at_the_same_byte_however_it_is_cut(void)
{
    ts_options options = plain_options();
    options.max_depth = 3;
    check_reports(&options, "[[[]]]", "\nvalue /0");
    check_fault(&options, "[[[[]]]]", 8, TS_ERR_DEPTH, 3);
    check_fault(&options, "[1,{\"a\":[{}]}]", 14, TS_ERR_DEPTH, 9);
    options = plain_options();
    options.max_bytes = 7;
    check_reports(&options, "[1,2,3]", "\nvalue /0\nvalue /1\nvalue /2");
    check_fault(&options, "[1,2,3] ", 8, TS_ERR_BYTES, 7);
    check_fault(&options, "{\"a\":1,\"b\":2}", 13, TS_ERR_BYTES, 7);
    check_fault(&options, "[\"abcdefgh\"]", 12, TS_ERR_BYTES, 7);
    options = plain_options();
    options.max_int_digits = 5;
    check_reports(&options, "[12345,-12345,123456.0,123456e1]", "\nvalue /0\nvalue /1\nvalue /2\nvalue /3");
    options.max_int_digits = 0;
    check_reports(&options, "[123456789012345678901234567890]", "\nvalue /0");
    options.max_int_digits = 5;
    replay run = whole(&options, "[1,-123456]", 11);
    CHECK(run.status == TS_ERR_DIGITS && run.offset >= 3 && run.offset <= 10);
    replay_free(&run);
    check_every_cut(&options, "[1,-123456]", 11);
    check_every_cut(&options, "123456", 6);
}

static void test_a_fault_in_front_of_a_limit_comes_first(void)
{
    ts_options options = plain_options();
    options.max_bytes = 3;
    check_fault(&options, "[x,1,2,3]", 9, TS_ERR_SYNTAX, 1);
    check_fault(&options, "[1]x", 4, TS_ERR_BYTES, 3);
}

static void test_depth_costs_no_stack(void)
{
    enum { DEPTH = 100000 };
    ts_options options = plain_options();
    options.max_depth = INT64_MAX;
    options.depth = 0;
    for (int chunk = 1; chunk <= 4096; chunk *= 64) {
        ts_scanner *scanner = ts_scanner_new(&options);
        const ts_view *view = ts_scanner_view(scanner);
        char piece[4096];
        int status = TS_OK;
        for (int half = 0; half < 2; half++) {
            memset(piece, half == 0 ? '[' : ']', sizeof piece);
            for (int left = DEPTH; left > 0 && status >= 0; left -= (int)view->consumed) {
                status = ts_scanner_feed(scanner, piece, (size_t)(left < chunk ? left : chunk));
            }
        }
        CHECK(status >= 0 && view->complete && view->offset == 2 * DEPTH && view->scanned == 2 * DEPTH);
        ts_scanner_free(scanner);
    }
}

/* ------------------------------------------------------------------ where the stream stands */

static void check_where(const char *fed, const char *expected)
{
    for (int settled = 0; settled <= 1; settled++) {
        ts_options options = plain_options();
        options.depth = 0;
        ts_scanner *scanner = ts_scanner_new(&options);
        const ts_view *view = ts_scanner_view(scanner);
        replay run;
        memset(&run, 0, sizeof run);
        CHECK(ts_scanner_feed(scanner, fed, strlen(fed)) >= 0);
        replay_text place = {0};
        if (settled) {
            CHECK(ts_scanner_settle(scanner) >= 0);
            int shown = 0;
            for (int64_t i = 0; i < view->step_count; i++) {
                if ((view->steps[i].tag & 255) == TS_PUSH && shown++ != 0) {
                    replay_place(&place, view, &view->steps[i]);
                }
            }
        }
        CHECK(ts_scanner_where(scanner) >= 0);
        for (int64_t i = 0; i < view->report_count; i++) {
            replay_place(&place, view, &view->reports[i]);
        }
        CHECK_CASE(place.size == strlen(expected) && (place.size == 0 || memcmp(place.data, expected, place.size) == 0),
                   "%s stands at %.*s", fed, (int)place.size, place.data);
        free(place.data);
        ts_scanner_free(scanner);
    }
}

static void test_where_the_stream_stands(void)
{
    check_where("", "");
    check_where("[", "");
    check_where("{", "");
    check_where("[1", "/0");
    check_where("[1,", "/1");
    check_where("{\"a\":", "/a");
    check_where("{\"a\":1,", "");
    check_where("{\"a\":1,\"b", "");
    check_where("{\"a\":[tru", "/a/0");
    check_where("{\"a\":[true", "/a");
    check_where("{\"a\":[[],{\"b\":\"x", "/a/1/b");
    check_where("{\"a\\n\":{\"b\":[0,1,", "/a\\n/b/2");
    check_where("[[[1],2],3", "/1");
    check_where("[1]", "");
}

static void test_where_the_stream_stands_is_no_report_of_what_is_fed_then(void)
{
    static const char *const documents[] = {"{\"a\":86", "{\"a\":\"text", "{\"a\":[nul", "{\"a\" :", "{\"a\":{\"b\""};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        ts_options options = depth_options(-1, 0, TS_DUP_ERROR);
        ts_scanner *scanner = ts_scanner_new(&options);
        CHECK(scanner != NULL);
        const ts_view *view = ts_scanner_view(scanner);
        for (const char *c = documents[i]; *c != '\0'; c++) {
            CHECK(ts_scanner_feed(scanner, c, 1) >= 0);
            for (int64_t j = 0; j < view->report_count; j++) {
                CHECK((view->reports[j].tag & 255) != TS_ENTER || *c == '{' || *c == '[');
            }
            CHECK(ts_scanner_where(scanner) >= 0);
        }
        ts_scanner_free(scanner);
    }
}

/* ------------------------------------------------------------------ one value after another */

static void test_values_in_a_row(void)
{
    const char *text = " {\"a\":1} [2]\n\"x\"3 null";
    ts_options options = plain_options();
    options.stop_at_end = 1;
    size_t size = strlen(text);
    for (size_t piece = 1; piece <= size; piece++) {
        ts_scanner *scanner = ts_scanner_new(&options);
        const ts_view *view = ts_scanner_view(scanner);
        replay_text values = {0};
        size_t at = 0;
        int status = TS_OK;
        while (at < size && status >= 0) {
            size_t length = size - at < piece ? size - at : piece;
            status = ts_scanner_feed(scanner, text + at, length);
            at += (size_t)view->consumed;
            if (view->complete) {
                CHECK(status == TS_PAUSED);
                CHECK(view->value_start >= view->text_start && view->value_end <= view->text_start + view->text_size);
                replay_write(&values, view->text + (view->value_start - view->text_start),
                             (size_t)(view->value_end - view->value_start));
                replay_print(&values, ";");
                status = ts_scanner_next(scanner);
            }
        }
        CHECK(status >= 0);
        const char *expected = "{\"a\":1};[2];\"x\";3;null;";
        CHECK_CASE(values.size == strlen(expected) && memcmp(values.data, expected, values.size) == 0,
                   "pieces of %d: %.*s", (int)piece, (int)values.size, values.data);
        free(values.data);
        ts_scanner_free(scanner);
    }
}

static void test_the_view_stays_right_where_the_text_moves_and_a_string_goes_on(void)
{
    char document[20000];
    size_t size = (size_t)snprintf(document, sizeof document, "{\"a\":\"%015000d\",\"b\":\"begun", 0);
    ts_options options = plain_options();
    ts_scanner *scanner = ts_scanner_new(&options);
    CHECK(scanner != NULL && ts_scanner_feed(scanner, document, size) == TS_READY);
    const ts_view *view = ts_scanner_view(scanner);
    CHECK(ts_scanner_settle(scanner) == TS_OK); /* all has been read */
    CHECK(ts_scanner_feed(scanner, "!", 1) == TS_OK);
    CHECK(view->text_start > 0 && view->text_start + view->text_size == view->offset);
    CHECK(memcmp(view->text + view->text_size - 6, "begun!", 6) == 0);
    ts_scanner_free(scanner);
}

static void test_every_status_has_a_sentence(void)
{
    for (int status = -20; status <= 5; status++) {
        CHECK(ts_status_text(status) != NULL && ts_status_text(status)[0] != '\0');
    }
}

int main(void)
{
    test_reports_do_not_depend_on_the_cuts();
    test_long_documents_do_not_depend_on_the_cuts_either();
    test_the_build_steps_tell_the_whole_document();
    test_implied_reports_are_steps_of_the_same_call();
    test_values_are_reported_down_to_the_depth_inner_ones_first();
    test_growth_joins_to_the_string();
    test_growth_holds_back_what_is_not_decided();
    test_growth_before_a_fault_is_reported();
    test_faults_are_found_at_their_first_byte();
    test_repeated_keys_are_faults_where_values_were_reported();
    test_many_keys_are_told_apart();
    test_limits_trip_at_the_same_byte_however_it_is_cut();
    test_a_fault_in_front_of_a_limit_comes_first();
    test_depth_costs_no_stack();
    test_where_the_stream_stands();
    test_where_the_stream_stands_is_no_report_of_what_is_fed_then();
    test_values_in_a_row();
    test_the_view_stays_right_where_the_text_moves_and_a_string_goes_on();
    test_every_status_has_a_sentence();
    return failures == 0 ? 0 : 1;
}
