/*
 * receivers.h - the protocols that spans come in by, as handlers for the two servers. `ctx` of each
 * is a struct bb_ingest.
 */
#ifndef BB_COLLECTOR_RECEIVERS_H
#define BB_COLLECTOR_RECEIVERS_H

#include "common/http_api.h"
#include "common/rpc_api.h"

/* OTLP/HTTP: POST /v1/traces, protobuf and JSON. */
void bb_otlp_http_handle(void *ingest, const struct bb_http_request *request,
                         struct bb_http_response *response);

/* OTLP/gRPC: opentelemetry.proto.collector.trace.v1.TraceService/Export */
#define BB_OTLP_GRPC_EXPORT_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
void bb_otlp_grpc_export(void *ingest, struct bb_rpc_call *call);

/* Jaeger: jaeger.api_v2.CollectorService/PostSpans */
#define BB_JAEGER_POST_SPANS_PATH "/jaeger.api_v2.CollectorService/PostSpans"
void bb_jaeger_grpc_post_spans(void *ingest, struct bb_rpc_call *call);

#endif /* BB_COLLECTOR_RECEIVERS_H */
