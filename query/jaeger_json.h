/*
 * jaeger_json.h - a trace in the JSON model of Jaeger's v1 API, which Jaeger's UI and Grafana read.
 *
 *   OTLP                          here
 *   resource                      processes.pN: serviceName, and its attributes as tags
 *   parent_span_id                references[0], CHILD_OF
 *   links                         references, FOLLOWS_FROM (their attributes have no place)
 *   start, end                    startTime and duration in microseconds, cut
 *   attributes                    tags, with their type
 *   scope name and version        tags otel.scope.name, otel.scope.version
 *   kind                          tag span.kind
 *   status                        tags otel.status_code, otel.status_description, error
 *   trace state                   tag w3c.tracestate
 *   events                        logs: a field `event` with the name, and their attributes
 *   dropped counts                warnings
 *
 * Values: bytes are type binary (base64), arrays and key-value lists type string (JSON), and an
 * int64 past 2^53 - 1, which JavaScript can't hold, is a string in an int64. A tag made from a
 * field is left out when an attribute of that name and text is there already.
 */
#ifndef BB_QUERY_JAEGER_JSON_H
#define BB_QUERY_JAEGER_JSON_H

#include "common/arena.h"
#include "common/err.h"
#include "common/json_writer.h"
#include "store/store.h"

/*
 * Writes the trace as one JSON object.
 *
 * arena  for what has to be looked up while writing
 *
 * BB_OK
 * BB_ETOOBIG, BB_ENOMEM  the writer's buffer or the arena is at its limit; part may be written
 */
BB_MUST_CHECK enum bb_err bb_jaeger_json_write_trace(struct bb_json_writer *json,
                                                     const struct bb_trace *trace,
                                                     struct bb_arena *arena);

#endif /* BB_QUERY_JAEGER_JSON_H */
