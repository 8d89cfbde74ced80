/* traffic_encode.h - the spans of traffic_generator.h as OTLP protobuf, with the attributes of the
 * OpenTelemetry semantic conventions that belong to them. */
#ifndef BB_QUERY_CLI_TRAFFIC_ENCODE_H
#define BB_QUERY_CLI_TRAFFIC_ENCODE_H

#include "common/buf.h"
#include "query/cli/traffic_generator.h"

/* Appends span `index` of `trace` as an element of ScopeSpans.spans. `out` keeps the error. */
void bb_traffic_encode_span(const struct bb_traffic_trace *trace, uint32_t index,
                            struct bb_buf *out);

/* Appends a ResourceSpans of one instance of a service with `spans`, encoded by the above. */
void bb_traffic_encode_resource_spans(uint32_t service, uint32_t instance, struct bb_slice spans,
                                      struct bb_buf *out);

#endif /* BB_QUERY_CLI_TRAFFIC_ENCODE_H */
