/*
 * page_codec.h - a page: the shapes and values of some rows of a sealed segment, in row order.
 *
 * Before zstd; "v" is a varint, integers are little-endian:
 *
 *   rows x { shape v }
 *   then, for each column that has values here, ascending:
 *     column v | values v | payload
 *
 *   payload by the column's type and coding (of the segment's dictionary):
 *     strings in the dictionary   of 1 entry: nothing; up to 256: values x 1 byte; else values x v
 *     strings that stand here     mode, 1 byte, then
 *                                   0 plain   values x { size v } | the bytes
 *                                   1 UUIDs   values x 16 (8-4-4-4-12 lower-case digits)
 *                                   2 hex     digits v | values x digits / 2 (lower-case digits)
 *     INT, TIME                   values x v
 *     DOUBLE, ID8                 values x 8
 *     ID16                        values x 8; two values make one id
 *
 * On-disk format: a change here raises BB_STORE_FORMAT and docs/store-format.md, in the same
 * commit.
 */
#ifndef BB_STORE_PAGE_CODEC_H
#define BB_STORE_PAGE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "store/dictionary.h"
#include "store/shred.h"

/* What the writer of a segment decides for its columns, once all rows have been shredded. */
struct bb_column_plan {
    uint32_t *globals; /* codes of the shredder's strings, by code of the column */
    uint32_t distinct_count;
    bool is_in_dictionary;
};

/*
 * Plans all columns of `shredder`, and turns the codes in the vectors of string columns into codes
 * of their own column, in the order of first use. *out_plans has one entry a column. BB_ENOMEM.
 */
BB_MUST_CHECK enum bb_err bb_plan_columns(struct bb_shredder *shredder, struct bb_arena *arena,
                                          struct bb_column_plan **out_plans);

/*
 * Appends the page of the rows whose shapes are `shapes`, and whose values are those of each
 * column from `first_values` up to `end_values` (both by column). `out` keeps the error.
 */
void bb_page_encode(const struct bb_shredder *shredder, const struct bb_column_plan *plans,
                    const uint32_t *shapes, uint32_t row_count, const uint32_t *first_values,
                    const uint32_t *end_values, struct bb_buf *out);

struct bb_page_column;

/* Reads a page row by row. Lives in the arena it was made in. */
struct bb_page_reader {
    const struct bb_dictionary *dictionary;
    struct bb_page_column *columns; /* by column */
    const uint8_t *next_shape;
    const uint8_t *shapes_end;
};

/* BB_ECORRUPT, BB_ENOMEM. `plain` must live as long as the reader. */
BB_MUST_CHECK enum bb_err bb_page_reader_init(struct bb_page_reader *reader, struct bb_slice plain,
                                              uint32_t row_count,
                                              const struct bb_dictionary *dictionary,
                                              struct bb_arena *arena);

/*
 * The next row: appends its message to `out`, or only steps over it when `out` is NULL. `span` has
 * what the row keeps. BB_ECORRUPT; BB_ENOMEM, BB_ETOOBIG from `out`.
 */
BB_MUST_CHECK enum bb_err bb_page_next(struct bb_page_reader *reader,
                                       const struct bb_span_ref *span, struct bb_buf *out);

#endif /* BB_STORE_PAGE_CODEC_H */
