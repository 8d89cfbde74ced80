/*
 * otlp_answer.h - what became of a request, in the words of the protocols: the one place that maps
 * an outcome to status codes (OTLP specification, "OTLP/gRPC Response" and "OTLP/HTTP Response").
 *
 *   outcome     gRPC                              HTTP
 *   OK          OK                                200
 *   PARTIAL     OK with partial_success           200 with partial_success
 *   INVALID     INVALID_ARGUMENT + BadRequest     400
 *   TOO_LARGE   RESOURCE_EXHAUSTED, no RetryInfo  413
 *   RETRY       UNAVAILABLE + RetryInfo           503 + Retry-After
 *   INTERNAL    INTERNAL                          500
 */
#ifndef BB_COLLECTOR_OTLP_ANSWER_H
#define BB_COLLECTOR_OTLP_ANSWER_H

#include "collector/ingest.h"
#include "collector/rpc_status.h"
#include "common/buf.h"

/* The status of an outcome; borrows from `result`. */
struct bb_rpc_status bb_ingest_status(const struct bb_ingest_result *result);

/* The HTTP status of an outcome. */
unsigned bb_ingest_http_status(enum bb_ingest_outcome outcome);

/* Append an ExportTraceServiceResponse, for BB_INGEST_OK and BB_INGEST_PARTIAL. `out` keeps the
 * error. */
void bb_otlp_answer_to_protobuf(const struct bb_ingest_result *result, struct bb_buf *out);
void bb_otlp_answer_to_json(const struct bb_ingest_result *result, struct bb_buf *out);

#endif /* BB_COLLECTOR_OTLP_ANSWER_H */
