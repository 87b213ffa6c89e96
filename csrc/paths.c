/* Path subscriptions: patterns, and sets of positions in them that move along with the scanner.
 *
 * All patterns stand one after another in one array of steps; a set has a bit for each step. A step at which
 * a set stands is what the next key or index must match. TS_STEP_DEEP stays where it is over any step, and
 * lets the step behind it match at once.
 */
#include "internal.h"

#include <string.h>

ts_paths *ts_paths_new(void)
{
    ts_paths *paths = (ts_paths *)TS_MALLOC(sizeof *paths);
    if (paths != NULL) {
        memset(paths, 0, sizeof *paths);
    }
    return paths;
}

void ts_paths_free(ts_paths *paths)
{
    if (paths != NULL) {
        TS_FREE(paths->steps);
        TS_FREE(paths->text);
        TS_FREE(paths);
    }
}

static int step_append(ts_paths *paths, ts_step_data step)
{
    if (!ts_reserve((void **)&paths->steps, &paths->capacity, paths->count, 1, 4, sizeof *paths->steps)) {
        return TS_ERR_MEMORY;
    }
    paths->steps[paths->count++] = step;
    return TS_OK;
}

int ts_paths_step(ts_paths *paths, int step, const char *key, size_t key_size, int64_t index)
{
    ts_step_data data = {0};
    if (step < TS_STEP_KEY || step > TS_STEP_DEEP || (step == TS_STEP_INDEX && index < 0)) {
        return TS_ERR_ARGUMENT;
    }
    data.kind = step;
    data.index = index;
    if (step == TS_STEP_KEY) {
        if (!ts_reserve((void **)&paths->text, &paths->text_capacity, paths->text_size, key_size, 16, 1)) {
            return TS_ERR_MEMORY;
        }
        data.key = paths->text_size;
        data.key_size = key_size;
        if (key_size != 0) {
            memcpy(paths->text + paths->text_size, key, key_size);
        }
        paths->text_size += key_size;
    }
    return step_append(paths, data);
}

int ts_paths_end(ts_paths *paths, int want)
{
    ts_step_data end = {0};
    if (paths->count == paths->begun) {
        return TS_ERR_ARGUMENT;
    }
    end.want = want;
    int status = step_append(paths, end);
    if (status == TS_OK) {
        paths->begun = paths->count;
    }
    return status;
}

size_t ts_paths_words(const ts_paths *paths)
{
    return (paths->begun + 63) / 64;
}

uint64_t ts_paths_last_word(const ts_paths *paths)
{
    size_t used = paths->begun % 64;
    return used == 0 ? UINT64_MAX : (UINT64_C(1) << used) - 1;
}

/* Adds a position. Behind "any number of steps" the next position holds as well. */
static void set_add(const ts_paths *paths, uint64_t *set, size_t at)
{
    for (;;) {
        set[at / 64] |= UINT64_C(1) << (at % 64);
        if (paths->steps[at].kind != TS_STEP_DEEP) {
            return;
        }
        at++;
    }
}

void ts_paths_start(const ts_paths *paths, uint64_t *set)
{
    memset(set, 0, ts_paths_words(paths) * sizeof *set);
    for (size_t at = 0; at < paths->begun; at++) {
        if (at == 0 || paths->steps[at - 1].kind == 0) {
            set_add(paths, set, at);
        }
    }
}

static int step_matches(const ts_paths *paths, const ts_step_data *step, const unsigned char *key, size_t key_size,
                        int64_t index)
{
    switch (step->kind) {
    case TS_STEP_KEY:
        return key != NULL && step->key_size == key_size &&
               (key_size == 0 || memcmp(paths->text + step->key, key, key_size) == 0);
    case TS_STEP_INDEX: return key == NULL && step->index == index;
    case TS_STEP_ANY_KEY: return key != NULL;
    case TS_STEP_ANY_INDEX: return key == NULL;
    default: return step->kind == TS_STEP_ANY;
    }
}

static unsigned lowest_bit(uint64_t mask)
{
    unsigned at = 0;
    while ((mask & 0xff) == 0) {
        mask >>= 8;
        at += 8;
    }
    while ((mask & 1) == 0) {
        mask >>= 1;
        at++;
    }
    return at;
}

int ts_paths_move(const ts_paths *paths, const uint64_t *from, uint64_t *to, const unsigned char *key, size_t key_size,
                  int64_t index, int *want)
{
    size_t words = ts_paths_words(paths);
    memset(to, 0, words * sizeof *to);
    for (size_t word = 0; word < words; word++) {
        for (uint64_t left = from[word]; left != 0; left &= left - 1) {
            size_t at = word * 64 + lowest_bit(left);
            const ts_step_data *step = &paths->steps[at];
            if (step->kind == TS_STEP_DEEP) {
                set_add(paths, to, at);
            } else if (step->kind != 0 && step_matches(paths, step, key, key_size, index)) {
                set_add(paths, to, at + 1);
            }
        }
    }
    int inner = 0;
    *want = 0;
    for (size_t word = 0; word < words; word++) {
        for (uint64_t left = to[word]; left != 0; left &= left - 1) {
            const ts_step_data *step = &paths->steps[word * 64 + lowest_bit(left)];
            if (step->kind == 0) {
                *want |= step->want;
            } else {
                inner = 1;
            }
        }
    }
    return inner;
}
