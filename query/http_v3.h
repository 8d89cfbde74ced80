/*
 * http_v3.h - Jaeger's HTTP API version 3, whose traces are OTLP. docs/query-api.md has its
 * endpoints.
 *
 * Errors: {"error":{"httpCode":404,"message":"No traces found"}}. Traces are OTLP/JSON in
 * {"result":{"resourceSpans":[...]}}, or one TracesData as protobuf bytes when Accept asks for it.
 */
#ifndef BB_QUERY_HTTP_V3_H
#define BB_QUERY_HTTP_V3_H

#include "query/http_query.h"

/* Answers whatever `path` is: 404 for one that isn't of this API. */
void bb_http_v3_handle(const struct bb_query_api *api, const struct bb_http_path *path,
                       const struct bb_http_request *request, struct bb_http_response *response);

/* Answers with an error of this API. */
void bb_http_v3_refuse(struct bb_http_response *response, unsigned status, const char *message);

#endif /* BB_QUERY_HTTP_V3_H */
