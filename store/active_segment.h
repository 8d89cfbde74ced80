/*
 * active_segment.h - the spans of the log that aren't sealed yet, in memory, searchable at once.
 *
 * Rows are only ever added. They lie in chunks that don't move, and a batch is published by one
 * release store of the row count after all of it stands: a reader takes the count once and reads
 * the rows below it without a lock. Only the table from trace id to rows takes one.
 *
 * Threads: bb_active_append one at a time (the segment's lock sees to it); readers at any time.
 */
#ifndef BB_STORE_ACTIVE_SEGMENT_H
#define BB_STORE_ACTIVE_SEGMENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/span_batch.h"
#include "store/dictionary.h"
#include "store/row.h"

struct bb_active_segment;

/* BB_ENOMEM. The caller frees it with bb_active_free. */
BB_MUST_CHECK enum bb_err bb_active_new(struct bb_active_segment **out_segment);
void bb_active_free(struct bb_active_segment *segment);

/*
 * Adds all spans of `batch`, whose span bytes lie inside `wire`, or none.
 * BB_ENOMEM; BB_ETOOBIG when the segment can't hold so many rows.
 */
BB_MUST_CHECK enum bb_err bb_active_append(struct bb_active_segment *segment,
                                           const struct bb_span_batch *batch, struct bb_slice wire);

/* What is published now. */
uint32_t bb_active_row_count(const struct bb_active_segment *segment);

/* Bytes of memory held, near enough for a budget. */
size_t bb_active_bytes(const struct bb_active_segment *segment);

/* Row `index`, which must be below a count that this thread has read. */
const struct bb_row *bb_active_row(const struct bb_active_segment *segment, uint32_t index);

const struct bb_dictionary *bb_active_dictionary(const struct bb_active_segment *segment);

/* The last row below `row_count` of that trace, or BB_NO_ROW; the others follow by
 * previous_in_trace. */
uint32_t bb_active_find_trace(struct bb_active_segment *segment, const struct bb_trace_id *trace_id,
                              uint32_t row_count);

/* Bounds over all rows published so far (or a little more). Zeros when there are none. */
struct bb_row_bounds {
    uint64_t start_unix_ns_min;
    uint64_t start_unix_ns_max;
    uint64_t duration_ns_max;
};

struct bb_row_bounds bb_active_bounds(struct bb_active_segment *segment);

#endif /* BB_STORE_ACTIVE_SEGMENT_H */
