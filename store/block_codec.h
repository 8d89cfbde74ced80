/*
 * block_codec.h - a block: up to BB_BLOCK_SPANS_MAX rows of a sealed segment, sorted by trace id,
 * start, span id.
 *
 * A block is one value of columns and one value for each page of span messages, each a zstd frame,
 * so that a search that asks for service, operation, time or duration inflates the columns alone,
 * and a look-up inflates the one page that it wants.
 *
 * Columns, before zstd; "v" is a varint, "z" a zigzag varint, u16 little-endian:
 *
 *   rows v | pages v | pages x { rows in the page v }
 *   traces v | traces x { trace id 16 } | traces x { rows v }
 *   rows x { span id 8 }
 *   rows x { parent u16: 0 none, 1 in the list below, else row distance + 0x4000 }
 *   rows with 1 x { parent span id 8 }
 *   rows x { start z: minus the row before, the first minus 0 }
 *   rows x { end minus start z }
 *   rows x { operation v } | rows x { resource v } | rows x { scope v }
 *   rows x { status code | strip flags << 2, one byte }
 *   rows x { bytes in the page v }
 *
 * A page is its rows' stripped messages (span_strip.h) one behind the other.
 *
 * On-disk format: a change here raises BB_STORE_FORMAT and docs/store-format.md, in the same commit.
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

/* Bytes of span messages in a page, before zstd; a larger span has a page of its own. */
#define BB_PAGE_BYTES_AIM (256u << 10)
/* Bound of what one frame may inflate to. */
#define BB_FRAME_PLAIN_BYTES_MAX (64u << 20)

/* Where the frames of a block go: page 0 is the columns, 1 and up are the pages. */
typedef enum bb_err (*bb_block_sink)(void *ctx, uint32_t page, struct bb_slice frame);

/* Buffers of an encoder, kept from block to block. */
struct bb_block_encoder {
    struct bb_buf columns;
    struct bb_buf page;
    struct bb_buf frame;
    struct bb_buf scratch;
};

void bb_block_encoder_init(struct bb_block_encoder *encoder);
void bb_block_encoder_dispose(struct bb_block_encoder *encoder);

/*
 * Encodes rows[0..row_count), which are sorted and have their bytes, and gives each frame to
 * `sink`. BB_ENOMEM, or what the sink returned.
 */
BB_MUST_CHECK enum bb_err bb_block_encode(struct bb_block_encoder *encoder,
                                          const struct bb_row *const *rows, uint32_t row_count,
                                          const struct bb_dictionary *dictionary,
                                          bb_block_sink sink, void *ctx);

/* A decoded block; all of it in the arena it was decoded into. */
struct bb_block {
    struct bb_row *rows; /* bytes.data is NULL until the page is loaded */
    uint8_t *strip_flags;
    uint32_t *left_sizes; /* bytes in the page */
    uint32_t *page_first_rows; /* page_count + 1 of them; pages count from 0 here */
    bool *page_is_loaded;
    uint32_t row_count;
    uint32_t page_count;
};

/* Decodes columns. BB_ECORRUPT when no encoder makes such bytes; BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_block_decode(struct bb_slice columns_frame,
                                          const struct bb_dictionary *dictionary,
                                          struct bb_arena *arena, struct bb_block *out_block);

/* The page, from 0, that row `row` lies in. */
uint32_t bb_block_page_of(const struct bb_block *block, uint32_t row);

/* Puts the messages of page `page` (from 0) into the rows. BB_ECORRUPT, BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_block_load_page(struct bb_block *block, uint32_t page,
                                             struct bb_slice page_frame,
                                             const struct bb_dictionary *dictionary,
                                             struct bb_arena *arena);

#endif /* BB_STORE_BLOCK_CODEC_H */
