#include "common/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE_MIN 4096u
#define BLOCK_SIZE_MAX (1u << 20)

struct bb_arena_block {
    struct bb_arena_block *older;
    size_t size; /* of the whole block, this header included */
    alignas(max_align_t) uint8_t bytes[];
};

void bb_arena_init(struct bb_arena *arena, size_t limit_bytes)
{
    *arena = (struct bb_arena){.limit_bytes = limit_bytes};
}

void bb_arena_dispose(struct bb_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->blocks != NULL) {
        struct bb_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        free(block);
    }
    arena->next = NULL;
    arena->end = NULL;
    arena->taken_bytes = 0;
}

static struct bb_arena_block *add_block(struct bb_arena *arena, size_t size)
{
    if (size > arena->limit_bytes - arena->taken_bytes) {
        return NULL;
    }
    struct bb_arena_block *block = malloc(size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    arena->taken_bytes += size;
    return block;
}

/* A piece that the current block has no room for. */
BB_COLD static void *alloc_slow(struct bb_arena *arena, size_t size)
{
    size_t header = sizeof(struct bb_arena_block);
    size_t wanted = arena->blocks == NULL ? BLOCK_SIZE_MIN : arena->taken_bytes;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    if (wanted > BLOCK_SIZE_MAX) {
        wanted = BLOCK_SIZE_MAX;
    }
    if (size + header > wanted / 2) {
        /* A block of its own, behind the current one, which keeps its room for small pieces. */
        struct bb_arena_block *block = add_block(arena, size + header);
        if (block == NULL) {
            return NULL;
        }
        if (arena->blocks == NULL) {
            block->older = NULL;
            arena->blocks = block;
        } else {
            block->older = arena->blocks->older;
            arena->blocks->older = block;
        }
        return block->bytes;
    }
    if (wanted > arena->limit_bytes - arena->taken_bytes) {
        wanted = size + header; /* near the limit: no more than needed */
    }
    struct bb_arena_block *block = add_block(arena, wanted);
    if (block == NULL) {
        return NULL;
    }
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->bytes + size;
    arena->end = (uint8_t *)block + wanted;
    return block->bytes;
}

void *bb_arena_try_alloc(struct bb_arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);

    if (BB_UNLIKELY(size > SIZE_MAX - align)) {
        return NULL;
    }
    size = (size + align - 1) & ~(align - 1);
    if (BB_LIKELY(arena->next != NULL && size <= (size_t)(arena->end - arena->next))) {
        void *piece = arena->next;
        arena->next += size;
        return piece;
    }
    return alloc_slow(arena, size);
}

void *bb_arena_try_calloc(struct bb_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *piece = bb_arena_try_alloc(arena, count * size);
    if (piece != NULL) {
        memset(piece, 0, count * size);
    }
    return piece;
}

struct bb_slice bb_arena_try_copy(struct bb_arena *arena, struct bb_slice bytes)
{
    char *copy = bb_arena_try_cstr(arena, bytes);

    return bb_slice_of(copy, copy == NULL ? 0 : bytes.size);
}

char *bb_arena_try_cstr(struct bb_arena *arena, struct bb_slice bytes)
{
    char *copy = bytes.size == SIZE_MAX ? NULL : bb_arena_try_alloc(arena, bytes.size + 1);

    if (copy == NULL) {
        return NULL;
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    copy[bytes.size] = '\0';
    return copy;
}

char *bb_arena_try_printf(struct bb_arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size >= 0) {
        text = bb_arena_try_alloc(arena, (size_t)size + 1);
    }
    if (text != NULL) {
        va_start(args, format);
        vsnprintf(text, (size_t)size + 1, format, args);
        va_end(args);
    }
    return text;
}
