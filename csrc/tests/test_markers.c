/* The search for markers against a table of cases, each whole, by code points, at every two-way cut and in each width;
 * against a plain search on all texts of two letters; and with every allocation failing in turn. */
#include "check.h"
#include "failing_alloc.h"
#include "toolstream.h"

#include <string.h>

enum { WORDS = 6, LONGEST = 128 };

typedef const char *words[WORDS]; /* NULL behind the last */

static size_t word_count(const words list)
{
    size_t count = 0;
    while (count < WORDS && list[count] != NULL) {
        count++;
    }
    return count;
}

static int words_add(ts_markers *markers, const words list)
{
    for (size_t w = 0; w < word_count(list); w++) {
        uint32_t codes[LONGEST];
        for (size_t i = 0; i < strlen(list[w]); i++) {
            codes[i] = (unsigned char)list[w][i];
        }
        int status = ts_markers_add(markers, codes, strlen(list[w]));
        if (status != TS_OK) {
            return status;
        }
    }
    return ts_markers_build(markers);
}

static ts_markers *built(const words list)
{
    ts_markers *markers = ts_markers_new();
    CHECK(markers != NULL);
    CHECK(words_add(markers, list) == TS_OK);
    return markers;
}

/* ------------------------------------------------------------------ what comes out, as text */

typedef struct transcript {
    char text[8 * LONGEST];
    size_t size;
} transcript;

static void say(transcript *out, const char *text, size_t size)
{
    CHECK(size < sizeof out->text - out->size);
    memcpy(out->text + out->size, text, size);
    out->size += size;
    out->text[out->size] = 0;
}

static void say_marker(transcript *out, size_t number)
{
    char text[16];
    say(out, text, (size_t)snprintf(text, sizeof text, "[%u]", (unsigned)number));
}

/* The longest word that a text begins with, or the number of words. */
static size_t word_at(const words list, const char *text, size_t size)
{
    size_t count = word_count(list);
    size_t best = count;
    for (size_t w = 0; w < count; w++) {
        size_t length = strlen(list[w]);
        if (length <= size && memcmp(text, list[w], length) == 0 && (best == count || length > strlen(list[best]))) {
            best = w;
        }
    }
    return best;
}

/* What a search must say of a whole text, found with none of its means. */
static void say_plainly(transcript *out, const words list, const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t word = word_at(list, text + at, size - at);
        if (word < word_count(list)) {
            say_marker(out, word);
            at += strlen(list[word]);
        } else {
            say(out, text + at++, 1);
        }
    }
}

/* Whether more text could make a marker of all of this. */
static int may_become_marker(const words list, const char *text, size_t size)
{
    for (size_t w = 0; w < word_count(list); w++) {
        if (strlen(list[w]) > size && memcmp(text, list[w], size) == 0) {
            return 1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ reading in pieces */

/* rest: what has come and is not read. */
typedef struct reading {
    const ts_markers *markers;
    const char *const *list;
    int width;
    ts_search search;
    char rest[LONGEST];
    size_t size;
    transcript out;
} reading;

/* The text in code points of this width, in a block of its own size, so that ASan sees any step beyond it. */
static unsigned char *widened(const char *text, size_t size, int width)
{
    unsigned char *block = (unsigned char *)calloc(size + 1, (size_t)width);
    CHECK(block != NULL);
    for (size_t i = 0; i < size; i++) {
        uint16_t narrow = (unsigned char)text[i];
        uint32_t wide = (unsigned char)text[i];
        const void *code = width == 1 ? (const void *)&text[i] : width == 2 ? (const void *)&narrow : (const void *)&wide;
        memcpy(block + i * (size_t)width, code, (size_t)width);
    }
    unsigned char *exact = (unsigned char *)realloc(block, size == 0 ? 1 : size * (size_t)width);
    CHECK(exact != NULL);
    return exact;
}

static void read_on(reading *r, size_t count)
{
    memmove(r->rest, r->rest + count, r->size - count);
    r->size -= count;
}

static void feed(reading *r, const char *text, size_t size, int final)
{
    CHECK(size <= sizeof r->rest - r->size);
    memcpy(r->rest + r->size, text, size);
    r->size += size;
    int32_t found;
    do {
        size_t end = 0;
        size_t held = r->search.held;
        unsigned char *codes = widened(r->rest, r->size, r->width);
        found = ts_markers_find(r->markers, &r->search, codes, r->width, r->size, final, &end);
        free(codes);
        CHECK(end <= r->size && r->search.looked <= r->size - held);
        say(&r->out, r->rest, end);
        read_on(r, end);
        if (found >= 0) {
            say_marker(&r->out, (size_t)found);
            read_on(r, strlen(r->list[found]));
        }
    } while (found >= 0);
    CHECK(r->search.held == r->size);
    CHECK(r->size == 0 || (!final && may_become_marker(r->list, r->rest, r->size)));
}

/* Pieces of a text: up to cut and from there, or one by one. */
static void check_pieces(const ts_markers *markers, const words list, const char *text, size_t size, size_t cut,
                         int one_by_one, int width, const char *expected)
{
    reading r;
    memset(&r, 0, sizeof r);
    r.markers = markers;
    r.list = list;
    r.width = width;
    if (one_by_one) {
        for (size_t i = 0; i < size; i++) {
            feed(&r, text + i, 1, 0);
        }
    } else {
        feed(&r, text, cut, 0);
        feed(&r, text + cut, size - cut, 0);
    }
    feed(&r, "", 0, 1);
    CHECK(strcmp(r.out.text, expected) == 0);
}

static void check_text(const ts_markers *markers, const words list, const char *text, size_t size, const char *expected)
{
    for (int width = 1; width <= 4; width *= 2) {
        check_pieces(markers, list, text, size, 0, 1, width, expected);
        for (size_t cut = 0; cut <= size; cut++) {
            check_pieces(markers, list, text, size, cut, 0, width, expected);
        }
    }
}

/* ------------------------------------------------------------------ the cases */

static void test_every_case_at_every_cut(void)
{
    static const struct {
        words list;
        const char *text, *expected;
    } cases[] = {
        {{NULL}, "text <a>", "text <a>"},
        {{"<a>"}, "", ""},
        {{"<a>"}, "<a>", "[0]"},
        {{"<a>", "</a>"}, "x<a>y</a>z", "x[0]y[1]z"},
        {{"<tool_call>", "<tool>"}, "a <tool> b <tool_call>c<tool_ca", "a [1] b [0]c<tool_ca"},
        {{"```", "```<end_code>"}, "x```y```<end_code>z```<end", "x[0]y[1]z[0]<end"},
        {{"abcX", "b"}, "abcY abcX ab", "a[1]cY [0] a[1]"},
        {{"abcd", "bc", "c"}, "abcabcdc", "a[1][0][2]"},
        {{"aab", "ab"}, "aaab", "a[0]"},
        {{"aa"}, "aaaaa", "[0][0]a"},
        {{"abab", "ba"}, "ababa aba", "[0]a a[1]"},
        {{"a", "a"}, "ab", "[0]b"},
        {{"<<<!"}, "<<<<<<!<<<", "<<<[0]<<<"},
        {{"\xff\x01"}, "\xff\xff\x01", "\xff[0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_markers *markers = built(cases[i].list);
        check_text(markers, cases[i].list, cases[i].text, strlen(cases[i].text), cases[i].expected);
        ts_markers_free(markers);
    }
}

static void test_texts_of_two_letters_give_what_a_plain_search_finds(void)
{
    static const words lists[] = {
        {"ab", "ba"}, {"aab", "ab", "b"}, {"abab", "ba", "bb"}, {"aaa", "aab", "ba"}, {"abba", "bb", "b"}, {"bab", "abaa"},
    };
    enum { LETTERS = 9 };
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        ts_markers *markers = built(lists[l]);
        for (unsigned letters = 0; letters < 1u << LETTERS; letters++) {
            char text[LETTERS];
            for (size_t i = 0; i < LETTERS; i++) {
                text[i] = letters >> i & 1 ? 'b' : 'a';
            }
            transcript expected = {"", 0};
            say_plainly(&expected, lists[l], text, LETTERS);
            check_text(markers, lists[l], text, LETTERS, expected.text);
        }
        ts_markers_free(markers);
    }
}

static void test_markers_may_hold_any_code_point(void)
{
    static const uint32_t marker[] = {'<', 0xFF5C, 0x2581, 0x1F389, 0xD800};
    static const uint32_t text[] = {0xFF5C, '<', '<', 0xFF5C, 0x2581, 0x1F389, 0xD800, 0x10FFFF};
    static const uint32_t head[] = {0x1F389};
    ts_markers *markers = ts_markers_new();
    CHECK(markers != NULL);
    CHECK(ts_markers_add(markers, marker, 5) == TS_OK && ts_markers_add(markers, head, 1) == TS_OK);
    CHECK(ts_markers_build(markers) == TS_OK);
    ts_search search = {0};
    size_t end;
    CHECK(ts_markers_find(markers, &search, text, 4, 6, 0, &end) == -1 && end == 2 && search.held == 4);
    CHECK(ts_markers_find(markers, &search, text + 2, 4, 6, 0, &end) == 0 && end == 0);
    CHECK(ts_markers_find(markers, &search, text + 2, 4, 4, 1, &end) == 1 && end == 3);
    ts_markers_free(markers);
}

static void test_a_search_of_another_text_begins_again(void)
{
    const words list = {"abc"};
    ts_markers *markers = built(list);
    ts_search search = {0};
    size_t end;
    CHECK(ts_markers_find(markers, &search, "ab", 1, 2, 0, &end) == -1 && search.held == 2);
    CHECK(ts_markers_find(markers, &search, "c", 1, 1, 0, &end) == -1 && end == 1);
    ts_markers_free(markers);
}

static void test_bad_arguments_are_refused(void)
{
    static const uint32_t long_word[TS_MARKER_LONGEST + 1];
    ts_markers *markers = ts_markers_new();
    CHECK(markers != NULL);
    CHECK(ts_markers_add(markers, long_word, 0) == TS_ERR_ARGUMENT);
    CHECK(ts_markers_add(markers, long_word, TS_MARKER_LONGEST + 1) == TS_ERR_ARGUMENT);
    CHECK(ts_markers_add(markers, long_word, TS_MARKER_LONGEST) == TS_OK);
    CHECK(ts_markers_build(markers) == TS_OK && ts_markers_build(markers) == TS_ERR_ARGUMENT);
    CHECK(ts_markers_add(markers, long_word, 1) == TS_ERR_ARGUMENT);
    ts_markers_free(markers);
    ts_markers_free(NULL);
}

static void test_every_allocation_failing_in_turn(void)
{
    const words list = {"<tool_call>", "</tool_call>", "<think>", "</think>", "a marker of more than thirty-two letters"};
    int failed = 1;
    for (long n = 1; failed; n++) {
        fail_allocation(n, 0);
        ts_markers *markers = ts_markers_new();
        int status = markers == NULL ? TS_ERR_MEMORY : words_add(markers, list);
        failed = allocation_has_failed();
        CHECK(status == (failed ? TS_ERR_MEMORY : TS_OK));
        ts_markers_free(markers);
        fail_allocation(0, 0);
        CHECK(allocations_alive() == 0);
    }
}

int main(void)
{
    test_every_case_at_every_cut();
    test_texts_of_two_letters_give_what_a_plain_search_finds();
    test_markers_may_hold_any_code_point();
    test_a_search_of_another_text_begins_again();
    test_bad_arguments_are_refused();
    test_every_allocation_failing_in_turn();
    CHECK(allocations_alive() == 0);
    return 0;
}
