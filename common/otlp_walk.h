/*
 * otlp_walk.h - the one check that every span passes: one walk over OTLP protobuf bytes that looks
 * at lengths, depth, counts, UTF-8 and id sizes, and leaves a span batch of slices.
 *
 * Two outcomes are kept apart (OTLP specification, "Failures" and "Partial Success"):
 *   - the envelope (request, ResourceSpans, ScopeSpans) can't be read: nothing is taken, BB_EINVAL;
 *   - a span, or the resource or scope above it, is bad within itself: that span is rejected and
 *     counted with its reason, the others are taken.
 *
 * Nothing here recurses on the input without BB_VALUE_DEPTH_MAX, and memory is asked for only
 * after the spans have been counted. Fuzzed by tests/fuzz/fuzz_otlp_walk.c.
 */
#ifndef BB_COMMON_OTLP_WALK_H
#define BB_COMMON_OTLP_WALK_H

#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/span_batch.h"

/* Why a span is rejected: name for metrics, words for people. */
#define BB_REJECT_LIST(X)                                                                          \
    X(BB_REJECT_MALFORMED, "malformed", "malformed protobuf")                                      \
    X(BB_REJECT_TRACE_ID, "trace_id", "trace_id must be 16 bytes and not all zeros")               \
    X(BB_REJECT_SPAN_ID, "span_id", "span_id must be 8 bytes and not all zeros")                   \
    X(BB_REJECT_PARENT_ID, "parent_span_id", "parent_span_id must be empty or 8 bytes")            \
    X(BB_REJECT_LINK_ID, "link_id", "a link's trace_id must be 16 and its span_id 8 bytes")        \
    X(BB_REJECT_UTF8, "utf8", "a string is not valid UTF-8")                                       \
    X(BB_REJECT_DEPTH, "depth", "a value is nested too deep")                                      \
    X(BB_REJECT_COUNT, "count", "too many attributes, events, links or values")                    \
    X(BB_REJECT_SIZE, "size", "a span, scope or resource is too large")

#define BB_REJECT_ENUM(name, label, text) name,
enum bb_reject { BB_REJECT_LIST(BB_REJECT_ENUM) BB_REJECT_COUNT_OF };
#undef BB_REJECT_ENUM

/* Static storage. */
const char *bb_reject_label(enum bb_reject reason);

struct bb_walk_result {
    struct bb_span_batch batch; /* lives in the arena, its slices in the walked bytes */
    uint64_t rejected_count;
    uint64_t rejected_by_reason[BB_REJECT_COUNT_OF];
    /* The first rejected span, with the path of the field:
     * "resource_spans[0].scope_spans[1].spans[2].trace_id: must be 16 bytes, is 8" */
    struct bb_err_detail first_rejection;
};

/*
 * Walks `wire`, an ExportTraceServiceRequest.
 *
 * wire    borrowed; the batch points into it, so it must live as long as the batch
 * arena   takes the batch's arrays
 * detail  may be NULL; on BB_EINVAL and BB_ETOOBIG the field's path and what is wrong
 *
 * BB_OK       *out_result is set; an empty request gives a batch of no spans
 * BB_EINVAL   the envelope is malformed
 * BB_ETOOBIG  more than BB_REQUEST_BYTES_MAX or BB_REQUEST_SPANS_MAX
 * BB_ENOMEM   the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_otlp_walk(struct bb_slice wire, struct bb_arena *arena,
                                       struct bb_err_detail *detail,
                                       struct bb_walk_result *out_result);

/*
 * Reads ids, times, name, kind and status of one Span message into `out_span` (all but the two
 * indexes). For bytes that bb_otlp_walk accepted and a store gave back: checks only that nothing
 * lies outside of `bytes`.
 *
 * BB_OK        *out_span is set
 * BB_ECORRUPT  no accepted span has such bytes
 */
BB_MUST_CHECK enum bb_err bb_otlp_read_span(struct bb_slice bytes, struct bb_span_ref *out_span);

/* The service.name string attribute of a Resource message; size 0 when it has none. */
struct bb_slice bb_otlp_service_name(struct bb_slice resource_bytes);

#endif /* BB_COMMON_OTLP_WALK_H */
