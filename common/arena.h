/*
 * arena.h - one request's memory: taken piece by piece, freed at once.
 *
 * Blocks grow from 4 KiB to 1 MiB; a piece that is larger gets a block of its own. An arena has a
 * limit, so that a request can't take more than it was admitted for. Pieces are aligned for any
 * type and not zeroed unless the name says so.
 *
 * Threads: one at a time.
 */
#ifndef BB_COMMON_ARENA_H
#define BB_COMMON_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/err.h"
#include "common/slice.h"

struct bb_arena_block;

struct bb_arena {
    struct bb_arena_block *blocks; /* newest first */
    uint8_t *next;
    uint8_t *end;
    size_t taken_bytes; /* memory held, block headers included */
    size_t limit_bytes;
};

/* An arena that may hold up to `limit_bytes`. Takes no memory yet. */
void bb_arena_init(struct bb_arena *arena, size_t limit_bytes);

/* Frees every piece. The arena can be used again. NULL and a zeroed arena are accepted. */
void bb_arena_dispose(struct bb_arena *arena);

/* NULL when the limit or the machine's memory is reached. `size` 0 gives a valid pointer. */
BB_MUST_CHECK void *bb_arena_try_alloc(struct bb_arena *arena, size_t size);

/* The same, zeroed, for count * size bytes; NULL also when the product overflows. */
BB_MUST_CHECK void *bb_arena_try_calloc(struct bb_arena *arena, size_t count, size_t size);

/* A copy of `bytes` with a NUL behind it; data is NULL when there was no memory. */
BB_MUST_CHECK struct bb_slice bb_arena_try_copy(struct bb_arena *arena, struct bb_slice bytes);

/* A NUL-terminated copy; NULL when there was no memory. */
BB_MUST_CHECK char *bb_arena_try_cstr(struct bb_arena *arena, struct bb_slice bytes);

/* printf into the arena; NULL when there was no memory. */
BB_MUST_CHECK char *bb_arena_try_printf(struct bb_arena *arena, const char *format, ...)
    BB_PRINTF(2, 3);

#endif /* BB_COMMON_ARENA_H */
