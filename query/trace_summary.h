/*
 * trace_summary.h - one row of a list of traces: what a trace amounts to, counted afresh from its
 * spans each time, so that late spans are in it.
 */
#ifndef BB_QUERY_TRACE_SUMMARY_H
#define BB_QUERY_TRACE_SUMMARY_H

#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"
#include "store/store.h"

struct bb_service_summary {
    struct bb_slice name; /* as stored: may be empty */
    uint32_t span_count;
    uint32_t error_count;
};

/* Its slices are those of the trace. */
struct bb_trace_summary {
    struct bb_trace_id trace_id;
    /* Of the root: the earliest span without a parent; where there is none the earliest whose
     * parent isn't in the trace; where there is none either (a cycle) the earliest. */
    struct bb_slice root_service_name;
    struct bb_slice root_operation_name;
    uint64_t start_unix_ns_min;
    uint64_t end_unix_ns_max; /* not before the latest start */
    uint32_t span_count;
    uint32_t error_count;                /* spans whose status is error */
    uint32_t orphan_count;               /* spans whose parent is named but not in the trace */
    struct bb_service_summary *services; /* by name, each once; in the arena */
    uint32_t service_count;
};

/*
 * trace  at least one span
 *
 * BB_OK, or BB_ENOMEM when the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_trace_summary_make(const struct bb_trace *trace,
                                                struct bb_arena *arena,
                                                struct bb_trace_summary *out_summary);

#endif /* BB_QUERY_TRACE_SUMMARY_H */
