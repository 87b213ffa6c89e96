/* The allocator of the core: a build may define these three, for instance to let the n-th allocation fail. */
#ifndef TS_ALLOC_H
#define TS_ALLOC_H

#ifndef TS_MALLOC
#include <stdlib.h>
#define TS_MALLOC(size) malloc(size)
#define TS_REALLOC(block, size) realloc((block), (size))
#define TS_FREE(block) free(block)
#endif

#endif
