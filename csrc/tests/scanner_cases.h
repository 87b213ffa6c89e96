/* What the tests of the scanner share: options, patterns, documents, and runs of a document at every cut. */
#ifndef TS_SCANNER_CASES_H
#define TS_SCANNER_CASES_H

#include "check.h"
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

static inline ts_options plain_options(void)
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

static inline ts_options depth_options(int64_t depth, int deltas, int duplicates)
{
    ts_options options = plain_options();
    options.depth = depth;
    options.deltas = deltas;
    options.duplicate_keys = duplicates;
    return options;
}

/* A pattern in a short notation of these tests: a key, 7 an index, '*' any key, '#' any index, '?' any, '!' deep. */
static inline void path_add(ts_paths *paths, const char *pattern, int want)
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

static inline replay whole(const ts_options *options, const char *document, size_t size)
{
    return replay_run(options, document, size, NULL, 0, REPLAY_FINISH);
}

static inline int reports_are(const replay *run, const char *expected)
{
    return run->reports.size == strlen(expected) &&
           (run->reports.size == 0 || memcmp(run->reports.data, expected, run->reports.size) == 0);
}

/* The reports of a document, at every two-way cut, byte by byte, and with all that may happen between pieces. */
static inline void check_every_cut(const ts_options *options, const char *document, size_t size)
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

static inline void check_reports(const ts_options *options, const char *document, const char *expected)
{
    replay run = whole(options, document, strlen(document));
    CHECK_CASE(run.status == TS_OK && run.complete, "%s", document);
    CHECK_CASE(reports_are(&run, expected), "%s gives\n%.*s\ninstead of\n%s", document, (int)run.reports.size,
               run.reports.data, expected);
    replay_free(&run);
    check_every_cut(options, document, strlen(document));
}

static inline void check_fault(const ts_options *options, const char *document, size_t size, int status, int64_t offset)
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

#endif
