/* Path patterns: what they choose, add and refuse, by the scanner's reports.
 * csrc/tests/run.sh builds and runs this.
 */
#include "scanner_cases.h"

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

int main(void)
{
    test_paths_choose_what_is_reported();
    test_paths_add_to_what_depth_reports();
    test_many_patterns_and_kinds_of_interest();
    test_keys_match_by_their_decoded_text();
    test_bad_patterns_are_refused();
    return failures == 0 ? 0 : 1;
}
