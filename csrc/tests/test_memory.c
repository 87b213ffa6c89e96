/* A scanner whose memory runs out, at each allocation in turn, and one that is made from a damaged saved state.
 * csrc/tests/run.sh builds and runs this.
 */
#include "failing_alloc.h"
#include "scanner_cases.h"

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

int main(void)
{
    test_every_allocation_may_fail();
    test_damaged_states_are_refused_or_harmless();
    return failures == 0 ? 0 : 1;
}
