/*
 * jaeger_model.h - jaeger.api_v2 PostSpansRequest to OTLP protobuf bytes, without loss: process
 * tags become resource attributes, references parent and links, logs events, typed tags typed
 * attributes. The mapping is the OpenTelemetry specification's for Jaeger, read backwards; row by
 * row it is in docs/jaeger-mapping.md. Fuzzed by tests/fuzz/fuzz_jaeger.c.
 */
#ifndef BB_COLLECTOR_JAEGER_MODEL_H
#define BB_COLLECTOR_JAEGER_MODEL_H

#include "collector/ingest.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* Span attributes for what OTLP has no field for. */
#define BB_JAEGER_WARNINGS_KEY "@jaeger@warnings"    /* Span.warnings, an array of strings */
#define BB_JAEGER_FLAGS_KEY "jaeger.flags"           /* Span.flags, when more than "sampled" */
#define BB_JAEGER_PROCESS_ID_KEY "jaeger.process_id" /* Span.process_id, when not empty */

/*
 * Transcodes one jaeger.api_v2.PostSpansRequest. A span that breaks a rule within itself is left
 * out and counted in `left_out`, with the path of the field: "batch.spans[3].tags[0].v_type: must
 * be 0 to 4, is 9". A bad process takes its spans along. UTF-8, counts and sizes are bb_otlp_walk's
 * to check.
 *
 * arena     takes some 100 bytes a span; nothing in `out` points into it
 * out       appended to; as it was on any error, save that an error of its own sticks in it
 * left_out  added to; as it was on any error
 * detail    may be NULL
 *
 * BB_OK       `out` has an ExportTraceServiceRequest
 * BB_EINVAL   the request or its batch is malformed (detail: path)
 * BB_ETOOBIG  over BB_REQUEST_SPANS_MAX, or `out` or the arena is at its limit
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_jaeger_to_otlp(struct bb_slice post_spans_request,
                                            struct bb_arena *arena, struct bb_buf *out,
                                            struct bb_left_out *left_out,
                                            struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_JAEGER_MODEL_H */
