/* Growing arrays: sizes that cannot overflow, every allocation checked. */
#ifndef TS_MEMORY_H
#define TS_MEMORY_H

#include "alloc.h"

#include <stddef.h>
#include <stdint.h>

/* realloc for count items of item_size bytes; NULL (and block as it was) without memory. */
static inline void *ts_resize_array(void *block, size_t count, size_t item_size)
{
    if (count > SIZE_MAX / 2 / item_size) {
        return NULL;
    }
    return TS_REALLOC(block, count * item_size);
}

/* Makes room for more items behind count ones, growing by a sixteenth at least so that appending stays linear, and by
 * `step` items at least so that a short array does not grow one by one. Answers 0, with everything as it was, without
 * memory. */
static inline int ts_reserve(void **block, size_t *capacity, size_t count, size_t more, size_t step, size_t item_size)
{
    if (more <= *capacity - count) {
        return 1;
    }
    if (more > SIZE_MAX / 4 - count) {
        return 0;
    }
    size_t wanted = count + more;
    size_t grown = *capacity + (*capacity / 16 > step ? *capacity / 16 : step);
    if (grown < wanted) {
        grown = wanted;
    }
    void *bigger = ts_resize_array(*block, grown, item_size);
    if (bigger == NULL) {
        return 0;
    }
    *block = bigger;
    *capacity = grown;
    return 1;
}

/* The same for an array of which 32 bits tell the size. */
static inline int ts_reserve_small(void **block, uint32_t *capacity, uint32_t count, size_t more, size_t step,
                                   size_t item_size)
{
    size_t wide = *capacity;
    if (more <= wide - count) {
        return 1;
    }
    if (wide > UINT32_MAX / 2 || more > UINT32_MAX / 2 || !ts_reserve(block, &wide, count, more, step, item_size)) {
        return 0;
    }
    *capacity = (uint32_t)wide;
    return 1;
}

#endif
