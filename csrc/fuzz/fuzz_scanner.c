/* The scanner against itself: a document whole and in pieces must give the same reports, build steps, status and
 * offset, whatever is done between the pieces. replay.h checks on the way that every record lies in the text and
 * that no byte is looked at twice. Where a document has an outline, the scanner must find the same.
 *
 * Input: byte 0 options, byte 1 what is done between the pieces and how many cuts there are, one byte for each
 * cut (its distance from the one before), then the document. A saved state is fuzzed, too: with the highest bit of
 * byte 1 the rest is loaded as one.
 */
#include "../tests/replay.h"

#define MOST_CUTS 15

static const char *const patterns[] = {"a", "b*", "!c", "#?", "a#b", "!0"};

/* A pattern in short: a letter is a key, a digit an index, '*' any key, '#' any index, '?' any step, '!' deep. */
static void pattern_add(ts_paths *paths, const char *pattern, int want)
{
    for (const char *c = pattern; *c != '\0'; c++) {
        int step = *c == '*' ? TS_STEP_ANY_KEY
                   : *c == '#' ? TS_STEP_ANY_INDEX
                   : *c == '?' ? TS_STEP_ANY
                   : *c == '!' ? TS_STEP_DEEP
                   : *c == '0' ? TS_STEP_INDEX
                               : TS_STEP_KEY;
        REPLAY_MUST(ts_paths_step(paths, step, c, 1, 0) == TS_OK);
    }
    REPLAY_MUST(ts_paths_end(paths, want) == TS_OK);
}

static ts_options choose_options(unsigned char choice, const ts_paths *paths)
{
    static const int64_t depths[] = {1, 0, 2, -1};
    ts_options options;
    memset(&options, 0, sizeof options);
    options.depth = depths[choice & 3];
    options.deltas = (choice >> 2) & 1;
    options.duplicate_keys = (choice >> 3) % 3;
    options.paths = choice & 32 ? paths : NULL;
    options.max_depth = choice & 64 ? 3 : 1000;
    options.max_bytes = choice & 128 ? 20 : INT64_MAX;
    options.max_int_digits = choice & 64 ? 5 : 4300;
    options.seed[0] = choice;
    options.implied = options.paths == NULL && !options.deltas && (choice & 64);
    return options;
}

/* Bytes from anywhere as a saved state: refused, or a scanner that any call may be made on. */
static void load_state(const ts_options *options, const unsigned char *data, size_t size)
{
    ts_scanner *scanner = ts_scanner_load(options, data, size);
    if (scanner != NULL) {
        ts_scanner_where(scanner);
        ts_scanner_feed(scanner, "1\",\"a\":[{\"b\":\"\\u00", 18);
        ts_scanner_settle(scanner);
        ts_scanner_finish(scanner);
        ts_scanner_free(scanner);
    }
}

static void compare(const ts_options *options, const char *document, size_t size, const size_t *cuts, size_t cut_count,
                    int mode)
{
    replay whole = replay_run(options, document, size, NULL, 0, REPLAY_FINISH);
    replay pieces = replay_run(options, document, size, cuts, cut_count, mode | REPLAY_FINISH);
    if (!replay_same(&whole, &pieces)) {
        replay_show("whole", &whole);
        replay_show("pieces", &pieces);
        abort();
    }
    if (whole.status == TS_OK) {
        replay_text compact = {0};
        replay_compact(&compact, document, size);
        REPLAY_MUST(replay_same_text(&compact, &whole.document));
        free(compact.data);
    }
    replay_free(&whole);
    replay_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    ts_paths *paths = ts_paths_new();
    REPLAY_MUST(paths != NULL);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        pattern_add(paths, patterns[i], i % 2 ? TS_WANT_VALUE : TS_WANT_VALUE | TS_WANT_GROWTH);
    }
    ts_options options = choose_options(data[0], paths);
    if (data[1] & 128) {
        load_state(&options, data + 2, size - 2);
        ts_paths_free(paths);
        return 0;
    }
    int mode = (data[1] >> 4) & 7;
    size_t cut_count = data[1] & MOST_CUTS;
    size_t at = 2;
    size_t cuts[MOST_CUTS];
    cut_count = cut_count < size - at ? cut_count : size - at;
    size_t document_size = size - at - cut_count;
    size_t place = 0;
    for (size_t i = 0; i < cut_count; i++) {
        place += data[at++];
        place = place < document_size ? place : document_size;
        cuts[i] = place;
    }
    compare(&options, (const char *)data + at, document_size, cuts, cut_count, mode);
    replay_outline(&options, (const char *)data + at, document_size);
    ts_paths_free(paths);
    return 0;
}
