/*
 * otlp_json.h - OTLP/JSON to OTLP protobuf bytes (OTLP specification, "JSON Protobuf Encoding":
 * hex ids, enums as integers, 64-bit integers as numbers or strings, unknown fields ignored,
 * lowerCamelCase names only). Sees jansson.
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
 * startTimeUnixNano: must be an unsigned 64-bit integer".
 *
 * BB_OK       `out` has the protobuf bytes
 * BB_EINVAL   no JSON (detail: line and column), or a wrong type outside of any span (detail: path)
 * BB_ETOOBIG  nested too deep or `out` is at its limit
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_otlp_json_to_protobuf(struct bb_slice json, struct bb_buf *out,
                                                   struct bb_left_out *left_out,
                                                   struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_OTLP_JSON_H */
