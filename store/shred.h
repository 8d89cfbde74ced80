/*
 * shred.h - takes span messages apart into shapes and columns (shape.h), row after row, for a
 * segment that is being sealed.
 */
#ifndef BB_STORE_SHRED_H
#define BB_STORE_SHRED_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/span_batch.h"
#include "store/intern_table.h"
#include "store/shape.h"

/* Columns of one segment; keys beyond that make spans be kept whole. */
#define BB_COLUMNS_MAX 4096u
/* Shapes of one segment, likewise. */
#define BB_SHAPES_MAX 65536u

/* The values of one column in row order, in one of three forms. */
struct bb_value_vector {
    uint32_t *codes;        /* strings that repeat: codes of bb_shredder.strings */
    struct bb_slice *texts; /* strings that hardly do: as they are, borrowed */
    uint64_t *numbers;      /* other types; ID16 takes two */
    uint32_t count;
    uint32_t capacity;
    uint32_t new_count; /* strings that no column had before */
    bool is_direct;     /* texts, not codes */
};

struct bb_shredder {
    struct bb_arena *arena;         /* borrowed */
    struct bb_intern_table strings; /* every string value */
    struct bb_intern_table columns; /* entry: place << 4 | type, 1 byte; key */
    struct bb_intern_table shapes;
    struct bb_value_vector vectors[BB_COLUMNS_MAX];
    struct bb_buf shape; /* being made */
    /* What the row being shredded has added, to be taken back when it turns out not to be regular.
     */
    uint32_t touched[BB_COLUMNS_MAX];
    uint32_t touched_count;
};

/* BB_ENOMEM. Large: lives in an arena. Dispose of it with bb_shredder_dispose. */
BB_MUST_CHECK enum bb_err bb_shredder_init(struct bb_shredder *shredder, struct bb_arena *arena);
void bb_shredder_dispose(struct bb_shredder *shredder);

/*
 * Takes `span` apart: its values go to the columns, its shape's code to *out_shape. `span->bytes`
 * must stay until the segment is written. BB_ENOMEM.
 */
BB_MUST_CHECK enum bb_err bb_shred_span(struct bb_shredder *shredder,
                                        const struct bb_span_ref *span, uint32_t *out_shape);

static inline enum bb_column_type bb_column_type_of(struct bb_slice entry)
{
    return (enum bb_column_type)(entry.data[0] & 15);
}

static inline enum bb_column_place bb_column_place_of(struct bb_slice entry)
{
    return (enum bb_column_place)(entry.data[0] >> 4);
}

static inline struct bb_slice bb_column_key_of(struct bb_slice entry)
{
    return bb_slice_of(entry.data + 1, entry.size - 1);
}

static inline bool bb_column_has_strings(enum bb_column_type type)
{
    return type == BB_COLUMN_STRING || type == BB_COLUMN_RAW;
}

#endif /* BB_STORE_SHRED_H */
