/*
 * receivers.h - the protocols that spans come in by, as handlers for the two servers. `ctx` of each
 * is a struct bb_ingest.
 */
#ifndef BB_COLLECTOR_RECEIVERS_H
#define BB_COLLECTOR_RECEIVERS_H

#include "common/err.h"
#include "common/http_api.h"
#include "common/rpc_api.h"

/* OTLP/HTTP: POST /v1/traces, protobuf and JSON. */
void bb_otlp_http_handle(void *ingest, const struct bb_http_request *request,
                         struct bb_http_response *response);

/* The same server's hook for requests that it refuses itself: counts them, and makes the Status
 * that OTLP asks for as the body (see bb_http_refusal). */
void bb_otlp_http_refuse(void *ingest, const struct bb_http_request *request, enum bb_err err,
                         const char *reason, struct bb_http_response *response);

/* OTLP/gRPC: opentelemetry.proto.collector.trace.v1.TraceService/Export */
#define BB_OTLP_GRPC_EXPORT_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
void bb_otlp_grpc_export(void *ingest, struct bb_rpc_call *call);

/* The hook of both gRPC receivers for calls that their server refuses itself (see
 * bb_grpc_refusal): counts them. */
void bb_otlp_grpc_refused(void *ingest, enum bb_err err, const char *reason);

/* Jaeger: jaeger.api_v2.CollectorService/PostSpans */
#define BB_JAEGER_POST_SPANS_PATH "/jaeger.api_v2.CollectorService/PostSpans"
void bb_jaeger_grpc_post_spans(void *ingest, struct bb_rpc_call *call);

#endif /* BB_COLLECTOR_RECEIVERS_H */
