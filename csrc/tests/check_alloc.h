/* An allocator that fails on demand. Built into the core with `-include csrc/tests/check_alloc.h`; the test
 * that uses it defines CHECK_ALLOC_MAIN before it includes this file again, and so holds the functions. */
#ifndef TS_CHECK_ALLOC_H
#define TS_CHECK_ALLOC_H

#include <stddef.h>

void *check_malloc(size_t size);
void *check_realloc(void *block, size_t size);
void check_free(void *block);

#define TS_MALLOC(size) check_malloc(size)
#define TS_REALLOC(block, size) check_realloc((block), (size))
#define TS_FREE(block) check_free(block)

#endif

#if defined(CHECK_ALLOC_MAIN) && !defined(TS_CHECK_ALLOC_DEFINED)
#define TS_CHECK_ALLOC_DEFINED

#include <stdlib.h>

static long check_alloc_calls;      /* allocations asked for since check_alloc_fail */
static long check_alloc_fail_at;    /* the one that fails, from 1; 0: none */
static int check_alloc_fail_after;  /* and all behind it */
static long check_alloc_live;       /* blocks not freed */

/* Lets the at-th allocation from now on fail, and with `after` every later one, too. */
static void check_alloc_fail(long at, int after)
{
    check_alloc_calls = 0;
    check_alloc_fail_at = at;
    check_alloc_fail_after = after;
}

static int check_alloc_refuses(void)
{
    check_alloc_calls++;
    if (check_alloc_fail_at == 0 || check_alloc_calls < check_alloc_fail_at) {
        return 0;
    }
    return check_alloc_calls == check_alloc_fail_at || check_alloc_fail_after;
}

void *check_malloc(size_t size)
{
    void *block = check_alloc_refuses() ? NULL : malloc(size);
    check_alloc_live += block != NULL;
    return block;
}

void *check_realloc(void *block, size_t size)
{
    if (check_alloc_refuses()) {
        return NULL;
    }
    void *bigger = realloc(block, size);
    check_alloc_live += block == NULL && bigger != NULL;
    return bigger;
}

void check_free(void *block)
{
    check_alloc_live -= block != NULL;
    free(block);
}

#endif
