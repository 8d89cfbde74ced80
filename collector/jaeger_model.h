/*
 * jaeger_model.h - jaeger.api_v2 PostSpansRequest to OTLP protobuf bytes, without loss: process tags
 * become resource attributes, references parent and links, logs events, typed tags typed attributes.
 * The mapping is the OpenTelemetry specification's "Jaeger to OTLP", table by table.
 */
#ifndef BB_COLLECTOR_JAEGER_MODEL_H
#define BB_COLLECTOR_JAEGER_MODEL_H

#include "collector/ingest.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/*
 * Transcodes one jaeger.api_v2.PostSpansRequest.
 *
 * BB_OK       `out` has an ExportTraceServiceRequest
 * BB_EINVAL   malformed
 * BB_ETOOBIG  too many messages in it, or `out` or the arena is at its limit
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_jaeger_to_otlp(struct bb_slice post_spans_request,
                                            struct bb_arena *arena, struct bb_buf *out,
                                            struct bb_left_out *left_out,
                                            struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_JAEGER_MODEL_H */
