/*
 * client_alloc.h - the one place where the library asks the host's allocator for memory. Never on a
 * recording path: at the start, for a tracer, and on the threads that export.
 */
#ifndef BBC_CLIENT_ALLOC_H
#define BBC_CLIENT_ALLOC_H

#include <stdlib.h>

/* NULL: out of memory. Freed by bbc_free. */
static inline void *bbc_alloc(size_t size)
{
    return calloc(1, size); /* tidy: allow calloc: the client does not link common/ */
}

/* NULL: out of memory, and `memory` is as it was. */
static inline void *bbc_resize(void *memory, size_t size)
{
    return realloc(memory, size); /* tidy: allow realloc: the client does not link common/ */
}

static inline void bbc_free(void *memory)
{
    free(memory); /* tidy: allow free: the client does not link common/ */
}

#endif /* BBC_CLIENT_ALLOC_H */
