/*
 * grpc_v3.c - jaeger.api_v3.QueryService.
 *
 * Traces are streamed as TracesData of at most BB_GRPC_CHUNK_BYTES_MAX (more only where one span
 * alone is larger). The chunks of a trace follow each other, a chunk never has spans of two traces,
 * and none is empty: clients put a trace together by just that.
 */
#include <assert.h>

#include "common/check.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/pb_wire.h"
#include "query/api_v3_wire.h"
#include "query/http_query.h"
#include "query/query_api.h"
#include "query/query_run.h"
#include "query/span_groups.h"

#define SERVICE "/jaeger.api_v3.QueryService/"
/* What framing one span, scope or resource in a chunk takes at most: tags and lengths. */
#define FRAME_BYTES_MAX 32
/* Summaries are small; a client should see the first ones soon. */
#define SUMMARIES_BYTES_MAX (256u << 10)

/* One call of any of the methods. */
struct v3_rpc {
    struct bb_rpc_call *call;
    struct bb_query_run run;
    struct bb_err_detail detail;
    struct bb_buf message; /* the one that is being made */
};

typedef enum bb_err (*rpc_body)(struct v3_rpc *rpc);

static bool is_cancelled(void *ctx)
{
    const struct bb_rpc_call *call = ctx;

    return call->is_cancelled != NULL && call->is_cancelled(call);
}

static enum bb_rpc_code code_of(enum bb_err err)
{
    switch (err) {
    case BB_OK:
        return BB_RPC_OK;
    case BB_EINVAL:
        return BB_RPC_INVALID_ARGUMENT;
    case BB_ENOTFOUND:
        return BB_RPC_NOT_FOUND;
    case BB_ETOOBIG:
        return BB_RPC_RESOURCE_EXHAUSTED;
    case BB_EUNSUPPORTED:
        return BB_RPC_UNIMPLEMENTED;
    case BB_EBUSY:
    case BB_ENOMEM:
        return BB_RPC_UNAVAILABLE;
    case BB_ECANCELLED:
        return BB_RPC_CANCELLED;
    default:
        return BB_RPC_INTERNAL;
    }
}

/* Runs one method from the check of its request to its status. */
static void run_method(void *ctx, struct bb_rpc_call *call, const char *name, rpc_body body)
{
    struct v3_rpc rpc = {.call = call};
    enum bb_err err;

    bb_query_run_begin(&rpc.run, ctx, is_cancelled, call);
    bb_buf_init(&rpc.message, BB_ANSWER_BYTES_MAX);
    rpc.run.answer = &rpc.message;
    if (call->request.size > BB_QUERY_REQUEST_BYTES_MAX) {
        err = bb_err_set(&rpc.detail, BB_ETOOBIG, "the request is over %u bytes",
                         BB_QUERY_REQUEST_BYTES_MAX);
    } else {
        err = body(&rpc);
    }
    call->code = code_of(err);
    if (err != BB_OK) {
        (void)bb_err_set(&call->message, err, "%s", bb_query_error_text(err, &rpc.detail));
    }
    if (call->code == BB_RPC_INTERNAL) {
        bb_log(BB_LOG_ERROR, "query", "query failed", "method=%s err=\"%s\"", name,
               bb_err_text(err));
    }
    bb_buf_dispose(&rpc.message);
    bb_query_run_end(&rpc.run, err);
}

/* Sends what has been made, and begins anew. */
static enum bb_err flush(struct v3_rpc *rpc)
{
    enum bb_err err = bb_buf_err(&rpc->message);

    if (err == BB_OK) {
        err = rpc->call->send(rpc->call, bb_buf_slice(&rpc->message));
    }
    bb_buf_clear(&rpc->message);
    return err;
}

/* The most that span `i` adds to a chunk that begins with span `first`. */
static size_t added_bytes(const struct bb_span_batch *batch, uint32_t first, uint32_t i)
{
    const struct bb_span_ref *span = &batch->spans[i];
    const struct bb_span_ref *previous = i == first ? NULL : &batch->spans[i - 1];
    size_t size = span->bytes.size + FRAME_BYTES_MAX;
    bool is_new_resource = previous == NULL || previous->resource_index != span->resource_index;

    if (is_new_resource) {
        const struct bb_resource_ref *resource = &batch->resources[span->resource_index];
        size += resource->bytes.size + resource->schema_url.size + FRAME_BYTES_MAX;
    }
    if (is_new_resource || previous->scope_index != span->scope_index) {
        const struct bb_scope_ref *scope = &batch->scopes[span->scope_index];
        size += scope->bytes.size + scope->schema_url.size + FRAME_BYTES_MAX;
    }
    return size;
}

/* A bb_query_trace_sink: streams one trace. */
static enum bb_err send_trace(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    struct v3_rpc *rpc = ctx;
    struct bb_span_batch grouped;
    uint32_t first = 0;

    enum bb_err err = bb_span_groups_sort(&trace->batch, &run->trace, &grouped);
    while (err == BB_OK && first < grouped.span_count) {
        size_t size = 0;
        uint32_t end = first;
        while (end < grouped.span_count) {
            size_t added = added_bytes(&grouped, first, end);
            if (end > first && size + added > BB_GRPC_CHUNK_BYTES_MAX) {
                break;
            }
            size += added;
            end++;
        }
        struct bb_span_batch chunk = grouped;
        chunk.spans = grouped.spans + first;
        chunk.span_count = end - first;
        bb_span_batch_encode(&chunk, &rpc->message);
        err = flush(rpc);
        first = end;
    }
    return err;
}

static enum bb_err get_trace_body(struct v3_rpc *rpc)
{
    struct bb_trace_id id;
    struct bb_trace trace;

    enum bb_err err = bb_api_v3_read_get_trace(rpc->call->request, &id, &rpc->detail);
    if (err != BB_OK) {
        return err;
    }
    err = bb_query_run_find_trace(&rpc->run, &id, &trace);
    if (err == BB_ENOTFOUND) {
        return bb_err_set(&rpc->detail, BB_ENOTFOUND, "trace not found");
    }
    return err == BB_OK ? send_trace(rpc, &rpc->run, &trace) : err;
}

static enum bb_err find_traces_body(struct v3_rpc *rpc)
{
    struct bb_search_params params;

    enum bb_err err = bb_api_v3_read_search(rpc->call->request, &params, &rpc->detail);
    if (err != BB_OK) {
        return err;
    }
    return bb_query_run_search(&rpc->run, &params.search, send_trace, rpc);
}

/* A bb_query_trace_sink: one more summary. */
static enum bb_err add_summary(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    struct v3_rpc *rpc = ctx;
    struct bb_trace_summary summary;

    enum bb_err err = bb_trace_summary_make(trace, &run->trace, &summary);
    if (err != BB_OK) {
        return err;
    }
    bb_api_v3_write_summary(&summary, &rpc->message);
    return rpc->message.size >= SUMMARIES_BYTES_MAX ? flush(rpc) : bb_buf_err(&rpc->message);
}

static enum bb_err find_trace_summaries_body(struct v3_rpc *rpc)
{
    struct bb_search_params params;

    enum bb_err err = bb_api_v3_read_search(rpc->call->request, &params, &rpc->detail);
    if (err == BB_OK) {
        err = bb_query_run_search(&rpc->run, &params.search, add_summary, rpc);
    }
    return err == BB_OK && rpc->message.size > 0 ? flush(rpc) : err;
}

static enum bb_err get_services_body(struct v3_rpc *rpc)
{
    struct bb_slice *names;
    uint32_t count;

    enum bb_err err = bb_query_run_services(&rpc->run, &names, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_api_v3_write_services(names, count, &rpc->message);
    return flush(rpc);
}

static enum bb_err get_operations_body(struct v3_rpc *rpc)
{
    struct bb_operations_query query;
    struct bb_operation *operations;
    uint32_t count;

    enum bb_err err = bb_api_v3_read_get_operations(rpc->call->request, &query, &rpc->detail);
    if (err == BB_OK) {
        err = bb_query_run_operations(&rpc->run, query.service, &operations, &count);
    }
    if (err != BB_OK) {
        return err;
    }
    bb_api_v3_write_operations(operations, count, &query, &rpc->message);
    return flush(rpc);
}

static enum bb_err get_dependencies_body(struct v3_rpc *rpc)
{
    struct bb_dependency *dependencies;
    uint64_t start_unix_ns_min;
    uint64_t start_unix_ns_max;
    uint32_t count;

    enum bb_err err = bb_api_v3_read_get_dependencies(rpc->call->request, &start_unix_ns_min,
                                                      &start_unix_ns_max, &rpc->detail);
    if (err == BB_OK) {
        err = bb_query_run_dependencies(&rpc->run, start_unix_ns_min, start_unix_ns_max,
                                        &dependencies, &count);
    }
    if (err != BB_OK) {
        return err;
    }
    bb_api_v3_write_dependencies(dependencies, count, &rpc->message);
    return flush(rpc);
}

static void get_trace(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "GetTrace", get_trace_body);
}

static void find_traces(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "FindTraces", find_traces_body);
}

static void find_trace_summaries(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "FindTraceSummaries", find_trace_summaries_body);
}

static void get_services(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "GetServices", get_services_body);
}

static void get_operations(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "GetOperations", get_operations_body);
}

static void get_dependencies(void *ctx, struct bb_rpc_call *call)
{
    run_method(ctx, call, "GetDependencies", get_dependencies_body);
}

uint32_t bb_query_rpc_methods(struct bb_query_api *api,
                              struct bb_rpc_method out_methods[BB_QUERY_RPC_METHODS_MAX])
{
    static const struct bb_rpc_method methods[] = {
        {.path = SERVICE "GetTrace", .handler = get_trace},
        {.path = SERVICE "FindTraces", .handler = find_traces},
        {.path = SERVICE "FindTraceSummaries", .handler = find_trace_summaries},
        {.path = SERVICE "GetServices", .handler = get_services},
        {.path = SERVICE "GetOperations", .handler = get_operations},
        {.path = SERVICE "GetDependencies", .handler = get_dependencies},
    };

    static_assert(BB_ARRAY_COUNT(methods) <= BB_QUERY_RPC_METHODS_MAX, "the caller has no room");
    for (size_t i = 0; i < BB_ARRAY_COUNT(methods); i++) {
        out_methods[i] = methods[i];
        out_methods[i].ctx = api;
    }
    return BB_ARRAY_COUNT(methods);
}
