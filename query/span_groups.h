/*
 * span_groups.h - a trace's spans in the order that OTLP nests them: by resource, then by scope.
 *
 * A stored trace is sorted by time, so that resource and scope change with nearly every span.
 * Written as it is, each span would bring its resource along again.
 */
#ifndef BB_QUERY_SPAN_GROUPS_H
#define BB_QUERY_SPAN_GROUPS_H

#include "common/arena.h"
#include "common/err.h"
#include "common/span_batch.h"

/*
 * Gives a batch of the same spans, sorted by resource, then scope, then as they stood. Resources
 * and scopes are shared with `batch`; the spans are copies in the arena, their bytes are not.
 *
 * BB_OK      *out_batch is set
 * BB_ENOMEM  the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_span_groups_sort(const struct bb_span_batch *batch,
                                              struct bb_arena *arena,
                                              struct bb_span_batch *out_batch);

#endif /* BB_QUERY_SPAN_GROUPS_H */
