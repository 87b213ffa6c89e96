/* See failing_alloc.h. Counters of a test program, hence global; the core itself has none. */
#include "failing_alloc.h"

#include <stdlib.h>

static long countdown;
static int keeps_failing;
static int has_failed;
static long alive;

static int fails_now(void)
{
    if (has_failed && keeps_failing) {
        return 1;
    }
    if (countdown == 0 || --countdown != 0) {
        return 0;
    }
    has_failed = 1;
    return 1;
}

void *failing_malloc(size_t size)
{
    void *block = fails_now() ? NULL : malloc(size);
    alive += block != NULL;
    return block;
}

void *failing_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return failing_malloc(size);
    }
    return fails_now() ? NULL : realloc(block, size);
}

void failing_free(void *block)
{
    alive -= block != NULL;
    free(block);
}

void fail_allocation(long n, int ever_after)
{
    countdown = n;
    keeps_failing = ever_after;
    has_failed = 0;
}

int allocation_has_failed(void)
{
    return has_failed;
}

long allocations_alive(void)
{
    return alive;
}
