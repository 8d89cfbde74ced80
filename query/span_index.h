/*
 * span_index.h - the span ids of one trace, sorted: is a parent there, is an id there twice?
 */
#ifndef BB_QUERY_SPAN_INDEX_H
#define BB_QUERY_SPAN_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/ids.h"
#include "common/span_batch.h"

/* Lives in the arena it was built in. */
struct bb_span_index {
    struct bb_span_id *ids; /* memcmp order, repeated ones included */
    uint32_t count;
};

/* BB_OK, or BB_ENOMEM when the arena is at its limit. */
BB_MUST_CHECK enum bb_err bb_span_index_build(const struct bb_span_batch *batch,
                                              struct bb_arena *arena,
                                              struct bb_span_index *out_index);

/* How many spans have that id. */
uint32_t bb_span_index_count(const struct bb_span_index *index, const struct bb_span_id *id);

/* True when the span names a parent that isn't in the trace. */
bool bb_span_index_is_orphan(const struct bb_span_index *index, const struct bb_span_ref *span);

#endif /* BB_QUERY_SPAN_INDEX_H */
