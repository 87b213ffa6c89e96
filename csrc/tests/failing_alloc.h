/* An allocator that fails on demand. Test builds include this before everything else (-include), so that
 * csrc/alloc.h takes it instead of malloc; failing_alloc.c holds the counters. */
#ifndef TS_FAILING_ALLOC_H
#define TS_FAILING_ALLOC_H

#include <stddef.h>

void *failing_malloc(size_t size);
void *failing_realloc(void *block, size_t size);
void failing_free(void *block);

/* From now on the n-th allocation fails (1: the next one; 0: none), and the later ones too if ever_after. */
void fail_allocation(long n, int ever_after);
/* Whether one has failed since fail_allocation. */
int allocation_has_failed(void);
/* Blocks that are allocated now. */
long allocations_alive(void);

#define TS_MALLOC(size) failing_malloc(size)
#define TS_REALLOC(block, size) failing_realloc((block), (size))
#define TS_FREE(block) failing_free(block)

#endif
