/*
 * segment_index.h - what is known of a sealed segment without reading its blocks.
 *
 * Three values in the "index" family; key = segment (u32 BE) | part (1 byte):
 *
 *   part 0  summary: protobuf wire format, see the field numbers in segment_index.c
 *   part 1  dictionary: zstd of protobuf wire format; operations 1, resources 2, scopes 3, columns
 *           4, shapes 5, values of string columns 6 (column 1, value 2), services 7
 *   part 2  filter of trace ids (trace_filter.h)
 *
 * and in "blocks"; key = segment (u32 BE) | block (u32 BE) | page (u32 BE): block_codec.h.
 *
 * On-disk format: a change here raises BB_STORE_FORMAT and docs/store-format.md, in the same
 * commit.
 */
#ifndef BB_STORE_SEGMENT_INDEX_H
#define BB_STORE_SEGMENT_INDEX_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/ids.h"
#include "store/active_segment.h"
#include "store/dictionary.h"
#include "store/page_codec.h"

enum bb_index_part { BB_INDEX_SUMMARY, BB_INDEX_DICTIONARY, BB_INDEX_FILTER };

#define BB_INDEX_KEY_SIZE 5
#define BB_BLOCK_KEY_SIZE 12

void bb_index_key(uint32_t segment, enum bb_index_part part, uint8_t out[BB_INDEX_KEY_SIZE]);
void bb_block_key(uint32_t segment, uint32_t block, uint32_t page, uint8_t out[BB_BLOCK_KEY_SIZE]);

struct bb_block_summary {
    struct bb_trace_id first_trace_id;
    struct bb_trace_id last_trace_id;
    struct bb_row_bounds bounds;
    uint32_t row_count;
};

/* A sealed segment. Constant; all of it lives in the arena that it was read into. */
struct bb_sealed_segment {
    struct bb_block_summary *blocks; /* by trace id ascending */
    struct bb_slice filter;
    struct bb_row_bounds bounds;
    uint64_t row_count;
    uint32_t block_count;
    uint32_t segment;
};

/* Widens `bounds` by a row; `is_first` says that it is the first. */
void bb_row_bounds_add(struct bb_row_bounds *bounds, bool is_first, const struct bb_row *row);
/* Widens `bounds` by others. */
void bb_row_bounds_join(struct bb_row_bounds *bounds, bool is_first,
                        const struct bb_row_bounds *other);

void bb_segment_summary_encode(const struct bb_sealed_segment *segment, struct bb_buf *out);

/* Reads a summary; `filter` stays as it is. BB_ECORRUPT, BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_segment_summary_decode(struct bb_slice bytes, struct bb_arena *arena,
                                                    struct bb_sealed_segment *out_segment);

/* The active segment's dictionary, and what was learned of its columns when it was sealed. */
BB_MUST_CHECK enum bb_err bb_dictionary_encode(const struct bb_dictionary *dictionary,
                                               const struct bb_shredder *shredder,
                                               const struct bb_column_plan *plans,
                                               struct bb_buf *out);

/* Reads a dictionary into the arena. BB_ECORRUPT, BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_dictionary_decode(struct bb_slice frame, struct bb_arena *arena,
                                               struct bb_dictionary *out_dictionary);

/* The blocks [*out_first, *out_end) that may hold rows of that trace. */
void bb_segment_find_blocks(const struct bb_sealed_segment *segment,
                            const struct bb_trace_id *trace_id, uint32_t *out_first,
                            uint32_t *out_end);

#endif /* BB_STORE_SEGMENT_INDEX_H */
