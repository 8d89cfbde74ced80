/*
 * otlp_json_render.h - spans as OTLP/JSON (OTLP specification, "JSON Protobuf Encoding"): ids as
 * hex, 64-bit integers as strings, enums as numbers, bytes as base64, lowerCamelCase names.
 *
 * Every field of the OTLP messages that we know is written, and nothing is changed; a field with
 * its default value is left out, but for a span's ids, name, kind and times. Only fields of a later
 * OTLP than ours are lost, as JSON has no name for them: the protobuf form keeps those, too.
 */
#ifndef BB_QUERY_OTLP_JSON_RENDER_H
#define BB_QUERY_OTLP_JSON_RENDER_H

#include "common/json_writer.h"
#include "common/span_batch.h"

/*
 * Writes the spans as elements of the array `resourceSpans`, which the caller has begun: a new one
 * wherever the resource changes from span to span, a new scope wherever the scope does (see
 * span_groups.h). The writer's buffer keeps the error.
 */
void bb_otlp_json_write_resource_spans(struct bb_json_writer *json,
                                       const struct bb_span_batch *batch);

#endif /* BB_QUERY_OTLP_JSON_RENDER_H */
