/*
 * otlp_json.h - OTLP/JSON to OTLP protobuf bytes (OTLP specification, "JSON Protobuf Encoding":
 * hex ids, enums as integers, 64-bit integers as numbers or strings, unknown fields ignored,
 * lowerCamelCase names only). Streams: memory is the text and the result. Fuzzed by
 * tests/fuzz/fuzz_otlp_json.c.
 */
#ifndef BB_COLLECTOR_OTLP_JSON_H
#define BB_COLLECTOR_OTLP_JSON_H

#include "collector/ingest.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/*
 * Transcodes one ExportTraceServiceRequest. A span that breaks a rule within itself is left out and
 * counted in `left_out`, with the path of the field: "resourceSpans[0].scopeSpans[0].spans[3].
 * startTimeUnixNano: must be an unsigned 64-bit integer". A bad resource or scope takes the spans
 * below it along. Ids are checked whole; what else a span may not do is bb_otlp_walk's to find.
 *
 * out       appended to; as it was on any error, save that an error of its own sticks in it
 * left_out  added to; as it was on any error
 * detail    may be NULL
 *
 * BB_OK       `out` has the protobuf bytes
 * BB_EINVAL   no JSON (detail: line and column), or a wrong type where no span, resource or scope
 *             is to blame (detail: path)
 * BB_ETOOBIG  nested deeper than BB_JSON_DEPTH_MAX, or `out` is at its limit
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_otlp_json_to_protobuf(struct bb_slice json, struct bb_buf *out,
                                                   struct bb_left_out *left_out,
                                                   struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_OTLP_JSON_H */
