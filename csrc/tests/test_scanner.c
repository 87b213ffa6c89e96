/* The scanner by itself: every state at every cut, faults, limits, saved states, and memory that runs out.
 * csrc/tests/run.sh builds and runs this.
 */
#include "check.h"
#include "failing_alloc.h"
#include "plain.h"
#include "replay.h"

/* As CHECK, but says which case it was and goes on, so that one run shows all cases that fail. */
#define CHECK_CASE(condition, ...)                                                   \
    do {                                                                             \
        if (!(condition)) {                                                          \
            failures++;                                                              \
            fprintf(stderr, "%s:%d: failed: %s: ", __FILE__, __LINE__, #condition);  \
            fprintf(stderr, __VA_ARGS__);                                            \
            fputc('\n', stderr);                                                     \
        }                                                                            \
    } while (0)

static long failures;

/* ------------------------------------------------------------------ options */

static ts_options plain_options(void)
{
    ts_options options;
    memset(&options, 0, sizeof options);
    options.depth = 1;
    options.max_depth = 512;
    options.max_bytes = INT64_MAX;
    options.max_int_digits = 4300;
    options.seed[0] = 1;
    options.seed[1] = 2;
    return options;
}

static ts_options depth_options(int64_t depth, int deltas, int duplicates)
{
    ts_options options = plain_options();
    options.depth = depth;
    options.deltas = deltas;
    options.duplicate_keys = duplicates;
    return options;
}

/* A pattern in a short notation of these tests: a key, 7 an index, '*' any key, '#' any index, '?' any, '!' deep. */
static void path_add(ts_paths *paths, const char *pattern, int want)
{
    for (const char *c = pattern; *c != '\0'; c++) {
        int status = TS_OK;
        switch (*c) {
        case '*': status = ts_paths_step(paths, TS_STEP_ANY_KEY, NULL, 0, 0); break;
        case '#': status = ts_paths_step(paths, TS_STEP_ANY_INDEX, NULL, 0, 0); break;
        case '?': status = ts_paths_step(paths, TS_STEP_ANY, NULL, 0, 0); break;
        case '!': status = ts_paths_step(paths, TS_STEP_DEEP, NULL, 0, 0); break;
        default:
            status = *c >= '0' && *c <= '9' ? ts_paths_step(paths, TS_STEP_INDEX, NULL, 0, *c - '0')
                                            : ts_paths_step(paths, TS_STEP_KEY, c, 1, 0);
            break;
        }
        CHECK(status == TS_OK);
    }
    CHECK(ts_paths_end(paths, want) == TS_OK);
}

/* ------------------------------------------------------------------ runs */

static replay whole(const ts_options *options, const char *document, size_t size)
{
    return replay_run(options, document, size, NULL, 0, REPLAY_FINISH);
}

static int reports_are(const replay *run, const char *expected)
{
    return run->reports.size == strlen(expected) &&
           (run->reports.size == 0 || memcmp(run->reports.data, expected, run->reports.size) == 0);
}

/* The reports of a document, at every two-way cut, byte by byte, and with all that may happen between pieces. */
static void check_every_cut(const ts_options *options, const char *document, size_t size)
{
    static const int modes[] = {REPLAY_FINISH, REPLAY_FINISH | REPLAY_SETTLE, REPLAY_FINISH | REPLAY_SAVE,
                                REPLAY_FINISH | REPLAY_SETTLE | REPLAY_LOOK | REPLAY_SAVE};
    replay expected = whole(options, document, size);
    size_t *every = (size_t *)malloc((size + 1) * sizeof *every);
    REPLAY_MUST(every != NULL);
    for (size_t i = 0; i <= size; i++) {
        every[i] = i;
    }
    int same = 1;
    for (size_t mode = 0; same && mode < sizeof modes / sizeof modes[0]; mode++) {
        for (size_t cut = 0; same && cut <= size + 1; cut++) {
            int each_byte = cut == size + 1;
            replay run = replay_run(options, document, size, each_byte ? every : &cut, each_byte ? size : 1, modes[mode]);
            same = replay_same(&expected, &run);
            CHECK_CASE(same, "%.*s, cut at %d of %d, mode %d", (int)size, document, (int)cut, (int)size, modes[mode]);
            if (!same) {
                replay_show("whole", &expected);
                replay_show("cut", &run);
            }
            replay_free(&run);
        }
    }
    free(every);
    replay_free(&expected);
}

static void check_reports(const ts_options *options, const char *document, const char *expected)
{
    replay run = whole(options, document, strlen(document));
    CHECK_CASE(run.status == TS_OK && run.complete, "%s", document);
    CHECK_CASE(reports_are(&run, expected), "%s gives\n%.*s\ninstead of\n%s", document, (int)run.reports.size,
               run.reports.data, expected);
    replay_free(&run);
    check_every_cut(options, document, strlen(document));
}

static void check_fault(const ts_options *options, const char *document, size_t size, int status, int64_t offset)
{
    replay run = whole(options, document, size);
    CHECK_CASE(run.status == status && run.offset == offset, "%.*s: status %d at %lld instead of %d at %lld", (int)size,
               document, run.status, (long long)run.offset, status, (long long)offset);
    replay_free(&run);
    check_every_cut(options, document, size);
}

/* ------------------------------------------------------------------ documents */

/* Together they pass through every state of the scanner, of strings and of numbers. */
static const char *const documents[] = {
    "{}",
    "[]",
    " \t\r\n{ } \n",
    "[ ]",
    "null",
    " true ",
    "false\n",
    "0",
    "-0",
    "-12.50e+07",
    "1E-5 ",
    "\"\"",
    "\"root \\u00e9 \\ud83d\\ude00 \xf0\x9f\x98\x80\"",
    "[1,2,3]",
    "[ -0.0 , 1e5 ,\n10 ]",
    "[true,false,null]",
    "[[],[[]],{},[{}]]",
    "{\"a\":1}",
    "{\"a\":{\"b\":{\"c\":[1,{\"d\":[[2]]}]}},\"e\":[]}",
    "{ \"query\" : \"tide times\" , \"limit\" : 10 ,\r\n \"tags\" : [ \"a\" , \"b\" ] , \"x\" : null }",
    "{\"e\":[{\"p\":\"a.py\",\"n\":1},{\"p\":\"b.py\",\"n\":[true,\"\\n\"]}],\"p\":\"z\"}",
    "[\"0123456789abcdef0123456789abcdef\\n0123456789abcdef\",\"\\\\\",\"\\\"\"]",
    "{\"a\\u0062\":\"\\u00\x65\x39\",\"\\ud83d\\ude00\":\"\\ud83d\",\"\\ude00\":\"\\ud83dx\"}",
    "[\"\\ud83d\\ud83d\\ude00\",\"\\ud83d\\n\",\"\\ud83d\\u0041\",\"\\ude00\\ud83d\",\"\\ud83d\xc3\xa9\"]",
    "[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
    "{\"big\":123456789012345678901234567890,\"m\":[18446744073709551616,1],\"s\":-99999999999999999999}",
    "{\"a\":\"\",\"b\":\"x\",\"c\":[\"\",\"y\"]}",
    "{\"x\":{\"k\":1,\"k\":2},\"y\":[{\"k\":1,\"k\":[2]}]}",
    "[[[[[[[[1,[2]],3]]]],\"s\"]]]",
    "{\"\":{\"\":[\"\"],\" \":0}}",
};
#define DOCUMENT_COUNT (sizeof documents / sizeof documents[0])

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

/* ------------------------------------------------------------------ paths */

static void check_path(const char *pattern, const char *document, const char *expected)
{
    ts_paths *paths = ts_paths_new();
    path_add(paths, pattern, TS_WANT_VALUE);
    ts_options options = depth_options(0, 0, TS_DUP_ERROR);
    options.paths = paths;
    check_reports(&options, document, expected);
    ts_paths_free(paths);
}

static void test_paths_choose_what_is_reported(void)
{
    const char *document = "{\"a\":{\"b\":1,\"c\":[2,{\"b\":3}]},\"b\":4,\"d\":[[5,6],7]}";
    check_path("a", document, "\nvalue /a");
    check_path("b", document, "\nvalue /b");
    check_path("ab", document, "\nvalue /a/b");
    check_path("ac0", document, "\nvalue /a/c/0");
    check_path("ac1b", document, "\nvalue /a/c/1/b");
    check_path("*", document, "\nvalue /a\nvalue /b\nvalue /d");
    check_path("#", document, "");
    check_path("?", document, "\nvalue /a\nvalue /b\nvalue /d");
    check_path("a*", document, "\nvalue /a/b\nvalue /a/c");
    check_path("d#", document, "\nvalue /d/0\nvalue /d/1");
    check_path("d##", document, "\nvalue /d/0/0\nvalue /d/0/1");
    check_path("??", document, "\nvalue /a/b\nvalue /a/c\nvalue /d/0\nvalue /d/1");
    check_path("!b", document, "\nvalue /a/b\nvalue /a/c/1/b\nvalue /b");
    check_path("a!b", document, "\nvalue /a/b\nvalue /a/c/1/b");
    check_path("!1", document, "\nvalue /a/c/1\nvalue /d/0/1\nvalue /d/1");
    check_path("!d!", "{\"d\":[{\"d\":1}]}", "\nvalue /d/0/d\nvalue /d/0\nvalue /d");
    check_path("z", document, "");
    check_path("a", "[1]", "");
    check_path("0", "{\"0\":1}", "");
}

static void test_paths_add_to_what_depth_reports(void)
{
    ts_paths *paths = ts_paths_new();
    path_add(paths, "ab", TS_WANT_VALUE | TS_WANT_GROWTH);
    ts_options options = depth_options(1, 0, TS_DUP_ERROR);
    options.paths = paths;
    check_reports(&options, "{\"a\":{\"b\":\"x\",\"c\":1},\"b\":\"y\"}", "\ngrowth /a/b x\nvalue /a/b\nvalue /a\nvalue /b");
    ts_paths_free(paths);
}

static void test_many_patterns_and_kinds_of_interest(void)
{
    ts_paths *paths = ts_paths_new();
    path_add(paths, "a", TS_WANT_VALUE);
    path_add(paths, "b", TS_WANT_VALUE | TS_WANT_GROWTH);
    path_add(paths, "c#", TS_WANT_VALUE | TS_WANT_GROWTH);
    for (int i = 0; i < 100; i++) {
        path_add(paths, "xyzxyzxyz", TS_WANT_VALUE); /* more than one word of positions */
    }
    path_add(paths, "!z", TS_WANT_VALUE);
    ts_options options = depth_options(0, 0, TS_DUP_ERROR);
    options.paths = paths;
    check_reports(&options, "{\"a\":\"s\",\"b\":\"t\",\"c\":[\"u\",{\"z\":\"v\"}],\"x\":{\"y\":{\"z\":1}}}",
                  "\nvalue /a\ngrowth /b t\nvalue /b\ngrowth /c/0 u\nvalue /c/0\nvalue /c/1/z\nvalue /c/1\nvalue /x/y/z");
    ts_paths_free(paths);
}

static void test_keys_match_by_their_decoded_text(void)
{
    check_path("a", "{\"\\u0061\":1,\"b\":2}", "\nvalue /\\u0061");
    ts_paths *paths = ts_paths_new();
    CHECK(ts_paths_step(paths, TS_STEP_KEY, "\xf0\x9f\x98\x80\n", 5, 0) == TS_OK);
    CHECK(ts_paths_end(paths, TS_WANT_VALUE) == TS_OK);
    CHECK(ts_paths_step(paths, TS_STEP_KEY, "", 0, 0) == TS_OK);
    CHECK(ts_paths_end(paths, TS_WANT_VALUE) == TS_OK);
    ts_options options = depth_options(0, 0, TS_DUP_ERROR);
    options.paths = paths;
    check_reports(&options, "{\"\\uD83D\\ude00\\n\":1,\"\":2}", "\nvalue /\\uD83D\\ude00\\n\nvalue /");
    ts_paths_free(paths);
}

static void test_bad_patterns_are_refused(void)
{
    ts_paths *paths = ts_paths_new();
    CHECK(ts_paths_end(paths, TS_WANT_VALUE) == TS_ERR_ARGUMENT);
    CHECK(ts_paths_step(paths, 0, NULL, 0, 0) == TS_ERR_ARGUMENT);
    CHECK(ts_paths_step(paths, TS_STEP_DEEP + 1, NULL, 0, 0) == TS_ERR_ARGUMENT);
    CHECK(ts_paths_step(paths, TS_STEP_INDEX, NULL, 0, -1) == TS_ERR_ARGUMENT);
    ts_options options = depth_options(0, 0, TS_DUP_ERROR);
    options.paths = paths;
    check_reports(&options, "{\"a\":[1]}", ""); /* an empty set reports nothing */
    ts_paths_free(paths);
    ts_paths_free(NULL);
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

/* ------------------------------------------------------------------ memory */

/* One life of a scanner, any call of which may run out of memory. Answers whether one did. */
static int live_through(const ts_options *plain, const char *document, size_t size, int with_paths, int with_save)
{
    ts_options options = *plain;
    ts_paths *paths = with_paths ? ts_paths_new() : NULL;
    int short_of_memory = with_paths && paths == NULL;
    if (paths != NULL) {
        for (int i = 0; i < 20 && !short_of_memory; i++) {
            short_of_memory = ts_paths_step(paths, TS_STEP_DEEP, NULL, 0, 0) == TS_ERR_MEMORY ||
                              ts_paths_step(paths, TS_STEP_KEY, "abc", 1, 0) == TS_ERR_MEMORY ||
                              ts_paths_end(paths, TS_WANT_VALUE | TS_WANT_GROWTH) == TS_ERR_MEMORY;
        }
        options.paths = paths;
    }
    ts_scanner *scanner = short_of_memory ? NULL : ts_scanner_new(&options);
    short_of_memory |= scanner == NULL;
    for (size_t at = 0; at < size && !short_of_memory;) {
        const ts_view *view = ts_scanner_view(scanner);
        size_t piece = size - at < 5 ? size - at : 5;
        int status = ts_scanner_feed(scanner, document + at, piece);
        if (status == TS_ERR_MEMORY) {
            short_of_memory = 1;
            CHECK(ts_scanner_feed(scanner, "x", 1) == TS_ERR_MEMORY);
            CHECK(ts_scanner_settle(scanner) == TS_ERR_MEMORY);
            break;
        }
        REPLAY_MUST(status >= 0);
        at += (size_t)view->consumed;
        short_of_memory = ts_scanner_where(scanner) == TS_ERR_MEMORY;
        if (!short_of_memory && at % 2 == 0) {
            short_of_memory = ts_scanner_settle(scanner) == TS_ERR_MEMORY;
        }
        if (!short_of_memory && with_save) {
            unsigned char state[8192];
            size_t needed = ts_scanner_save(scanner, state, sizeof state);
            REPLAY_MUST(needed != 0 && needed <= sizeof state);
            ts_scanner *loaded = ts_scanner_load(&options, state, needed);
            if (loaded == NULL) {
                short_of_memory = 1;
            } else {
                ts_scanner_free(scanner);
                scanner = loaded;
            }
        }
    }
    if (!short_of_memory) {
        short_of_memory = ts_scanner_finish(scanner) == TS_ERR_MEMORY || ts_scanner_settle(scanner) == TS_ERR_MEMORY;
    }
    ts_scanner_free(scanner);
    ts_paths_free(paths);
    return short_of_memory;
}

static void test_every_allocation_may_fail(void)
{
    const char *document = "{\"a\":[1,{\"\\u0062\":\"text of some length, \\n and more of it\"},[[[[[]]]]]],\"b\":{\"c\":null,"
                           "\"d\":12345678901234567890},\"e\":[[[[[[[[[[[[]]]]]]]]]]]],\"f\":\"\"}";
    long live = allocations_alive();
    for (int variant = 0; variant < 16; variant++) {
        ts_options options = depth_options(variant & 1 ? -1 : 1, (variant & 2) != 0, TS_DUP_STRICT);
        int with_paths = (variant & 4) != 0;
        int with_save = (variant & 8) != 0;
        for (int after = 0; after <= 1; after++) {
            long at = 1;
            int failed = 1;
            for (; failed; at++) {
                REPLAY_MUST(at < 100000);
                fail_allocation(at, after);
                int noticed = live_through(&options, document, strlen(document), with_paths, with_save);
                failed = allocation_has_failed();
                /* Shrinking a block may fail unnoticed; whatever needs memory must say so. */
                CHECK_CASE(!noticed || failed, "variant %d, allocation %ld", variant, at);
                CHECK_CASE(allocations_alive() == live, "variant %d, allocation %ld: %ld blocks lost", variant, at,
                           allocations_alive() - live);
            }
            CHECK(at > 5);
        }
    }
    fail_allocation(0, 0);
}

/* ------------------------------------------------------------------ saved states */

static void test_damaged_states_are_refused_or_harmless(void)
{
    static const char *const fed[] = {"{\"a\":[1,{\"b\":\"x\\u00", "[1,2,[3,{\"k\":tru", "\"ab\\ud83d", "[12", "{\"a\":1,\"b"};
    for (size_t i = 0; i < sizeof fed / sizeof fed[0]; i++) {
        for (int with_paths = 0; with_paths <= 1; with_paths++) {
            ts_options options = depth_options(-1, 1, TS_DUP_ERROR);
            ts_paths *paths = with_paths ? ts_paths_new() : NULL;
            if (paths != NULL) {
                path_add(paths, "!b", TS_WANT_VALUE | TS_WANT_GROWTH);
                path_add(paths, "a#?", TS_WANT_VALUE);
                options.paths = paths;
            }
            ts_scanner *scanner = ts_scanner_new(&options);
            CHECK(ts_scanner_feed(scanner, fed[i], strlen(fed[i])) >= 0);
            CHECK(ts_scanner_settle(scanner) >= 0);
            size_t size = ts_scanner_save(scanner, NULL, 0);
            unsigned char *state = (unsigned char *)malloc(size + 1);
            REPLAY_MUST(state != NULL && ts_scanner_save(scanner, state, size) == size);
            ts_scanner_free(scanner);
            for (size_t cut = 0; cut < size; cut++) {
                CHECK(ts_scanner_load(&options, state, cut) == NULL);
            }
            state[size] = 0;
            CHECK(ts_scanner_load(&options, state, size + 1) == NULL);
            static const unsigned char changes[] = {1, 2, 0x10, 0x40, 0x7f, 0x80, 0xff};
            for (size_t at = 0; at < size; at++) {
                for (size_t change = 0; change < sizeof changes; change++) {
                    state[at] ^= changes[change];
                    ts_scanner *loaded = ts_scanner_load(&options, state, size);
                    state[at] ^= changes[change];
                    if (loaded != NULL) {
                        ts_scanner_where(loaded);
                        ts_scanner_feed(loaded, "e9\",\"b\":[{\"c\":\"d\"}]", 20);
                        ts_scanner_feed(loaded, "1]}]}]", 6);
                        ts_scanner_settle(loaded);
                        ts_scanner_finish(loaded);
                        ts_scanner_free(loaded);
                    }
                }
            }
            free(state);
            ts_paths_free(paths);
        }
    }
}

/* ------------------------------------------------------------------ the vector code */

static size_t plain_prefix_by_definition(const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (at < size && data[at] >= 0x20 && data[at] < 0x80 && data[at] != '"' && data[at] != '\\') {
        at++;
    }
    return at;
}

static void test_plain_prefix_is_the_same_for_every_byte_place_and_alignment(void)
{
    enum { LONGEST = 67 };
    for (size_t size = 0; size <= LONGEST; size++) {
        for (size_t lead = 0; lead < 16; lead++) {
            unsigned char *block = (unsigned char *)malloc(lead + size + 1); /* one more: malloc(0) */
            REPLAY_MUST(block != NULL);
            unsigned char *exact = (unsigned char *)realloc(block, lead + size != 0 ? lead + size : 1);
            REPLAY_MUST(exact != NULL);
            unsigned char *data = exact + lead;
            memset(exact, '"', lead);
            memset(data, 'x', size);
            CHECK(ts_plain_prefix(data, size) == size && ts_plain_prefix_portable(data, size) == size);
            for (size_t at = 0; at < size; at++) {
                for (int byte = 0; byte < 256; byte++) {
                    data[at] = (unsigned char)byte;
                    size_t expected = plain_prefix_by_definition(data, size);
                    size_t fast = ts_plain_prefix(data, size);
                    size_t portable = ts_plain_prefix_portable(data, size);
                    int all = ts_is_all_plain((const char *)data, size);
                    if (fast != expected || portable != expected || all != (expected == size)) {
                        CHECK_CASE(0, "byte %02x at %d of %d: %d, portable %d, all %d", byte, (int)at, (int)size, (int)fast,
                                   (int)portable, all);
                    }
                }
                data[at] = (unsigned char)('a' + at % 26);
            }
            free(exact);
        }
    }
}

static void test_plain_prefix_finds_the_first_of_many(void)
{
    uint64_t random = 88172645463325252u;
    unsigned char data[64];
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof data; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            data[i] = (unsigned char)(random % 40 == 0 ? random >> 8 : 0x20 + (random >> 8) % 0x5f);
        }
        size_t size = (size_t)(random >> 32) % (sizeof data + 1);
        size_t expected = plain_prefix_by_definition(data, size);
        CHECK(ts_plain_prefix(data, size) == expected && ts_plain_prefix_portable(data, size) == expected);
    }
}

/* With every kind of byte at every place of a chunk, and before and behind its end. */
static void test_an_outline_says_what_the_scanner_finds(void)
{
    enum { PLAIN = 3 }; /* so many of these have one */
    static const char *const rests[] = {
        "\"b\":[1,{\"c\":[]}],\"d\":\"\\\\\\\",{[\\\\\",\"e\":{}}",
        "\"b\":\"}\\\\\",\"c\":123456789012345678\n,\n\"d\":1.5e3 } \n ",
        "\"b\":\"1234567890123456789\",\"c\":[{}],\"d\":1e5}",
        "\"b\":1234567890123456789}",
        "\"b\":[[12345678901234567890]]}",
        "\"b\":1}}",
        "\"b\":1} {}",
        "\"b\":\"}",
    };
    char document[512];
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        for (int lead = 0; lead < 140; lead++) {
            int size = snprintf(document, sizeof document, "\n{ \"%0*d\":\"\\\"\", %s", lead + 1, 0, rests[i]);
            for (int64_t depth = 0; depth <= 1; depth++) {
                ts_options options = depth_options(depth, 0, TS_DUP_LAST);
                int found = replay_outline(&options, document, (size_t)size);
                CHECK_CASE(i < PLAIN || !found, "%s", document);
#if defined(__SSE2__)
                CHECK_CASE(i >= PLAIN || found, "%s", document);
#endif
            }
        }
    }
    ts_options options = depth_options(-1, 0, TS_DUP_ERROR);
    CHECK(!replay_outline(&options, "{}", 2));
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

static void test_a_fragment_is_copied_whole_and_nothing_else(void)
{
    enum { LONGEST = 100 };
    char from[LONGEST];
    for (int i = 0; i < LONGEST; i++) {
        from[i] = (char)(i + 1);
    }
    for (size_t size = 0; size <= LONGEST; size++) {
        unsigned char *to = (unsigned char *)calloc(size + 1, 1);
        char *exact = (char *)malloc(size + 1);
        REPLAY_MUST(to != NULL && exact != NULL);
        memcpy(exact + 1, from, size); /* nothing may be read behind it */
        ts_copy(to, exact + 1, size);
        CHECK(memcmp(to, from, size) == 0 && to[size] == 0);
        free(exact);
        free(to);
    }
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
    test_paths_choose_what_is_reported();
    test_paths_add_to_what_depth_reports();
    test_many_patterns_and_kinds_of_interest();
    test_keys_match_by_their_decoded_text();
    test_bad_patterns_are_refused();
    test_faults_are_found_at_their_first_byte();
    test_repeated_keys_are_faults_where_values_were_reported();
    test_many_keys_are_told_apart();
    test_limits_trip_at_the_same_byte_however_it_is_cut();
    test_a_fault_in_front_of_a_limit_comes_first();
    test_depth_costs_no_stack();
    test_where_the_stream_stands();
    test_where_the_stream_stands_is_no_report_of_what_is_fed_then();
    test_values_in_a_row();
    test_every_allocation_may_fail();
    test_damaged_states_are_refused_or_harmless();
    test_plain_prefix_is_the_same_for_every_byte_place_and_alignment();
    test_plain_prefix_finds_the_first_of_many();
    test_an_outline_says_what_the_scanner_finds();
    test_the_view_stays_right_where_the_text_moves_and_a_string_goes_on();
    test_a_fragment_is_copied_whole_and_nothing_else();
    test_every_status_has_a_sentence();
    return failures == 0 ? 0 : 1;
}
