/* What looks at many bytes at once (plain.h, outline.c) says the same as a look at each byte.
 * csrc/tests/run.sh builds and runs this.
 */
#include "plain.h"
#include "scanner_cases.h"

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

int main(void)
{
    test_plain_prefix_is_the_same_for_every_byte_place_and_alignment();
    test_plain_prefix_finds_the_first_of_many();
    test_an_outline_says_what_the_scanner_finds();
    test_a_fragment_is_copied_whole_and_nothing_else();
    return failures == 0 ? 0 : 1;
}
