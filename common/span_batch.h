/*
 * span_batch.h - the spans of one request, or of one stored block, as slices of somebody's bytes.
 *
 * The model inside is OTLP, kept whole: `bytes` of a span, scope or resource are its protobuf
 * message body exactly as it came, and what search needs is read out beside it. Whatever comes in
 * in another format is turned into OTLP protobuf first, so that there is one form and one check.
 */
#ifndef BB_COMMON_SPAN_BATCH_H
#define BB_COMMON_SPAN_BATCH_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/ids.h"
#include "common/otlp_fields.h"
#include "common/slice.h"

struct bb_resource_ref {
    struct bb_slice bytes;        /* opentelemetry.proto.resource.v1.Resource */
    struct bb_slice schema_url;   /* ResourceSpans.schema_url */
    struct bb_slice service_name; /* string attribute service.name; size 0 when absent */
};

struct bb_scope_ref {
    struct bb_slice bytes;      /* opentelemetry.proto.common.v1.InstrumentationScope */
    struct bb_slice schema_url; /* ScopeSpans.schema_url */
};

struct bb_span_ref {
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    struct bb_span_id parent_span_id; /* all zeros for a root */
    uint64_t start_unix_ns;
    uint64_t end_unix_ns; /* as sent; may lie before the start */
    struct bb_slice name;
    struct bb_slice bytes; /* opentelemetry.proto.trace.v1.Span */
    uint32_t resource_index;
    uint32_t scope_index;
    uint8_t kind;        /* enum bb_span_kind; an unknown number becomes BB_KIND_UNSPECIFIED */
    uint8_t status_code; /* enum bb_status_code; an unknown number becomes BB_STATUS_UNSET */
};

struct bb_span_batch {
    struct bb_resource_ref *resources;
    struct bb_scope_ref *scopes;
    struct bb_span_ref *spans; /* those of one resource and scope stand together */
    uint32_t resource_count;
    uint32_t scope_count;
    uint32_t span_count;
};

/* End minus start; 0 when the end lies before the start. */
static inline uint64_t bb_span_duration_ns(const struct bb_span_ref *span)
{
    return span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns - span->start_unix_ns : 0;
}

/*
 * Appends the spans as one TracesData (or ExportTraceServiceRequest: the same bytes) to `out`, a
 * new ResourceSpans or ScopeSpans wherever the index changes. `out` keeps the error.
 */
void bb_span_batch_encode(const struct bb_span_batch *batch, struct bb_buf *out);

#endif /* BB_COMMON_SPAN_BATCH_H */
