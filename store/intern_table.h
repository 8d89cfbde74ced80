/*
 * intern_table.h - byte strings and their codes 0, 1, 2, …: one segment's dictionary of a column.
 *
 * Entries never move and never go: whoever has learned of a code (from a row that was published)
 * may read it while others are added.
 *
 * Threads: one writer at a time; readers of published codes at any time.
 */
#ifndef BB_STORE_INTERN_TABLE_H
#define BB_STORE_INTERN_TABLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"

#define BB_INTERN_CHUNK_SIZE 2048u
/* Entries: as many as a segment can have rows. */
#define BB_INTERN_CHUNKS_MAX 4096u

struct bb_intern_table {
    struct bb_arena *arena; /* borrowed: entries and chunks */
    struct bb_slice *chunks[BB_INTERN_CHUNKS_MAX];
    atomic_uint count; /* an entry stands before its code is counted */
    uint64_t *slots;   /* hash, upper half | code + 1, at the place of its lower half; 0: free */
    uint32_t slot_count;
};

void bb_intern_init(struct bb_intern_table *table, struct bb_arena *arena);

/* The code of `bytes`, which are copied when they are new. BB_ENOMEM, BB_ETOOBIG (full). */
BB_MUST_CHECK enum bb_err bb_intern_add(struct bb_intern_table *table, struct bb_slice bytes,
                                        uint32_t *out_code);

/* The same, but a new entry is `bytes` itself, borrowed as long as the table lives. */
BB_MUST_CHECK enum bb_err bb_intern_add_borrowed(struct bb_intern_table *table,
                                                 struct bb_slice bytes, uint32_t *out_code);

/* Adds `bytes`, borrowed as long as the table lives, as the next code without looking for it: for a
 * dictionary that is read back. BB_ENOMEM, BB_ETOOBIG. */
BB_MUST_CHECK enum bb_err bb_intern_push(struct bb_intern_table *table, struct bb_slice bytes);

static inline struct bb_slice bb_intern_get(const struct bb_intern_table *table, uint32_t code)
{
    return table->chunks[code / BB_INTERN_CHUNK_SIZE][code % BB_INTERN_CHUNK_SIZE];
}

#endif /* BB_STORE_INTERN_TABLE_H */
