/* libFuzzer target: a text cut at fuzzed places gives the same markers as the same text whole, and as a plain search; each
 * code point is looked at once, and what is held back can still become a marker.
 *
 * Input: a byte that gives the width of code points, two that give the sizes of the pieces in turn, then up to MARKERS
 * markers, each behind a byte with its size (0: no more of them), then the text.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I csrc csrc/fuzz/fuzz_markers.c csrc/markers.c -o fuzz_markers
 *   ./fuzz_markers -max_total_time=60 -max_len=512
 */
#include "toolstream.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 3, MARKERS = 8, PIECES = 2, LONGEST = 16 };

typedef struct word {
    const uint8_t *text;
    size_t size;
} word;

typedef struct setup {
    word words[MARKERS];
    size_t count;
    const uint8_t *text;
    size_t size;
    int width;
} setup;

static void check(int holds)
{
    if (!holds) {
        abort();
    }
}

static void read_words(setup *s)
{
    while (s->count < MARKERS && s->size != 0 && s->text[0] != 0) {
        size_t size = s->text[0] % LONGEST;
        if (size == 0 || size >= s->size) {
            return;
        }
        s->words[s->count].text = s->text + 1;
        s->words[s->count++].size = size;
        s->text += 1 + size;
        s->size -= 1 + size;
    }
}

static ts_markers *build(const setup *s)
{
    ts_markers *markers = ts_markers_new();
    check(markers != NULL);
    for (size_t i = 0; i < s->count; i++) {
        uint32_t codes[LONGEST];
        for (size_t at = 0; at < s->words[i].size; at++) {
            codes[at] = s->words[i].text[at];
        }
        check(ts_markers_add(markers, codes, s->words[i].size) == TS_OK);
    }
    check(ts_markers_build(markers) == TS_OK);
    return markers;
}

/* The first of the longest markers that begin at a place of the text, or count. */
static size_t marker_at(const setup *s, size_t at)
{
    size_t best = s->count;
    for (size_t i = 0; i < s->count; i++) {
        const word *one = &s->words[i];
        if (one->size <= s->size - at && memcmp(s->text + at, one->text, one->size) == 0 &&
            (best == s->count || one->size > s->words[best].size)) {
            best = i;
        }
    }
    return best;
}

static int may_become_marker(const setup *s, size_t at, size_t end)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->words[i].size > end - at && memcmp(s->text + at, s->words[i].text, end - at) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Searches in text[from..to) as one piece, in a copy of its own size, so that ASan sees any step beyond it. */
static int32_t find(const setup *s, const ts_markers *markers, ts_search *search, size_t from, size_t to, int final,
                    size_t *end)
{
    unsigned char *codes = (unsigned char *)malloc((to - from) * (size_t)s->width + (to == from));
    check(codes != NULL);
    for (size_t i = from; i < to; i++) {
        uint16_t narrow = s->text[i];
        uint32_t wide = s->text[i];
        const void *code = s->width == 1 ? (const void *)&s->text[i] : s->width == 2 ? (const void *)&narrow
                                                                                      : (const void *)&wide;
        memcpy(codes + (i - from) * (size_t)s->width, code, (size_t)s->width);
    }
    size_t held = search->held;
    int32_t found = ts_markers_find(markers, search, codes, s->width, to - from, final, end);
    free(codes);
    check(*end <= to - from && search->looked <= to - from - held);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE) {
        return 0;
    }
    setup s = {.text = data + HEAD_SIZE, .size = size - HEAD_SIZE, .width = 1 << data[0] % 3};
    const uint8_t *pieces = data + 1;
    read_words(&s);
    ts_markers *markers = build(&s);
    ts_search search = {0};
    size_t at = 0;    /* read up to here */
    size_t there = 0; /* text that has come */
    for (size_t turn = 0; at < s.size; turn++) {
        size_t piece = turn % PIECES == 0 ? pieces[0] + 1u : pieces[1];
        there = piece > s.size - there ? s.size : there + piece;
        int32_t found;
        do {
            size_t end;
            int final = there == s.size;
            found = find(&s, markers, &search, at, there, final, &end);
            for (size_t i = at; i < at + end; i++) {
                check(marker_at(&s, i) == s.count); /* text that a marker begins in was no text */
            }
            at += end;
            if (found >= 0) {
                check((size_t)found == marker_at(&s, at));
                at += s.words[found].size;
            } else {
                check(final ? at == s.size : search.held == there - at);
                check(at == there || may_become_marker(&s, at, there));
            }
        } while (found >= 0);
    }
    ts_markers_free(markers);
    return 0;
}
