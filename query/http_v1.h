/*
 * http_v1.h - Jaeger's HTTP API version 1, "internal JSON": what Grafana's Jaeger data source and
 * Jaeger's UI call. docs/query-api.md has its endpoints.
 *
 * Every answer, errors as well, is one envelope; `errors` is null where there are none:
 *   {"data":..., "total":n, "limit":n, "offset":0,
 * "errors":[{"code":n,"msg":"...","traceID":"..."}]} An incomplete answer says so in `errors`, with
 * code 206.
 */
#ifndef BB_QUERY_HTTP_V1_H
#define BB_QUERY_HTTP_V1_H

#include "query/http_query.h"

/* Answers whatever `path` is: 404 for one that isn't of this API. */
void bb_http_v1_handle(const struct bb_query_api *api, const struct bb_http_path *path,
                       const struct bb_http_request *request, struct bb_http_response *response);

/* Answers with an error of this API. */
void bb_http_v1_refuse(struct bb_http_response *response, unsigned status, const char *message);

#endif /* BB_QUERY_HTTP_V1_H */
