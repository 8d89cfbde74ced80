/*
 * query_api.h - what bobbind serves to those who ask: Jaeger's HTTP v1 and v3, Jaeger's gRPC v3,
 * and the viewer's files. Handlers for the two servers; `ctx` of each is a struct bb_query_api.
 */
#ifndef BB_QUERY_QUERY_API_H
#define BB_QUERY_QUERY_API_H

#include <stdint.h>

#include "common/http_api.h"
#include "common/mem_budget.h"
#include "common/rpc_api.h"
#include "store/store.h"

/* The caller's storage; constant after init. */
struct bb_query_api {
    struct bb_store *store;       /* borrowed */
    struct bb_mem_budget *budget; /* borrowed: memory of running queries */
    const struct bb_clock *clock; /* borrowed */
    const char *ui_dir;           /* the viewer is read from here; NULL: the built-in copy */
};

/* /api/..., /api/v3/... and, for every other path, the viewer. */
void bb_query_http_handle(void *query_api, const struct bb_http_request *request,
                          struct bb_http_response *response);

/* The gRPC methods (jaeger.api_v3.QueryService). Fills `out_methods`, whose ctx is `api`; returns
 * how many. */
#define BB_QUERY_RPC_METHODS_MAX 8
uint32_t bb_query_rpc_methods(struct bb_query_api *api,
                              struct bb_rpc_method out_methods[BB_QUERY_RPC_METHODS_MAX]);

#endif /* BB_QUERY_QUERY_API_H */
