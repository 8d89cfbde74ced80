/*
 * block_codec.h - a block: up to BB_BLOCK_SPANS_MAX rows of a sealed segment, sorted by trace id,
 * start, span id.
 *
 * A block is one value of columns and one value for each page of shapes and values, each a zstd
 * frame, so that a search that asks for service, operation, time or duration inflates the columns
 * alone, and a look-up inflates the one page that it wants.
 *
 * Columns, before zstd; "v" is a varint, "z" a zigzag varint, u16 little-endian:
 *
 *   rows v | pages v | pages x { rows in the page v }
 *   traces v | traces x { trace id 16 } | traces x { rows v }
 *   rows x { span id 8 }
 *   rows x { parent u16: 0 none, 1 in the list below, else row distance + 0x4000 }
 *   rows with 1 x { parent span id 8 }
 *   start: rows x { code / 2000 v } | rows x { code % 2000, low byte } | rows x { high byte };
 *     code: z of start minus the start of the row before, the first minus 0
 *   duration: the same; code: z of end minus start
 *   rows x { operation v } | rows x { resource v } | rows x { scope v }
 *   rows x { status code, one byte }
 *
 * A page is page_codec.h's.
 *
 * On-disk format: a change here raises BB_STORE_FORMAT and docs/store-format.md, in the same
 * commit.
 */
#ifndef BB_STORE_BLOCK_CODEC_H
#define BB_STORE_BLOCK_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "store/dictionary.h"
#include "store/row.h"

/* Bound of what one frame may inflate to: the dictionary of a segment that is one request of
 * nothing but different strings, each with its lengths and codes. */
#define BB_FRAME_PLAIN_BYTES_MAX (192u << 20)

/*
 * Appends the columns of rows[0..row_count), which are sorted, before zstd. `page_rows` has the
 * number of rows in each page. `out` keeps the error.
 */
void bb_block_encode_columns(const struct bb_row *const *rows, uint32_t row_count,
                             const uint32_t *page_rows, uint32_t page_count, struct bb_buf *out);

/* A decoded block; all of it in the arena it was decoded into. */
struct bb_block {
    struct bb_row *rows;       /* bytes.data is NULL until they are loaded */
    uint32_t *page_first_rows; /* page_count + 1 of them */
    uint32_t row_count;
    uint32_t page_count;
};

/* Decodes columns. BB_ECORRUPT when no encoder makes such bytes; BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_block_decode(struct bb_slice columns_frame,
                                          const struct bb_dictionary *dictionary,
                                          struct bb_arena *arena, struct bb_block *out_block);

/* The page that row `row` lies in. */
uint32_t bb_block_page_of(const struct bb_block *block, uint32_t row);

/* Puts the messages of the rows in [first_row, end_row) that lie in page `page` into the rows.
 * BB_ECORRUPT, BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_block_load_rows(struct bb_block *block, uint32_t page,
                                             struct bb_slice page_frame, uint32_t first_row,
                                             uint32_t end_row,
                                             const struct bb_dictionary *dictionary,
                                             struct bb_arena *arena);

#endif /* BB_STORE_BLOCK_CODEC_H */
