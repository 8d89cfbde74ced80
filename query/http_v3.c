#include "query/http_v3.h"

#include "common/check.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "common/otlp_view.h"
#include "query/otlp_json_render.h"
#include "query/param_text.h"
#include "query/search_params.h"
#include "query/span_groups.h"
#include "query/trace_summary.h"

/* One request of this API. */
struct v3_call {
    struct bb_http_query query;
    struct bb_json_writer json;
    struct bb_slice wildcard; /* of the route */
    bool is_protobuf;
    uint64_t trace_count; /* rendered so far */
};

typedef enum bb_err (*v3_handler)(struct v3_call *call);

void bb_http_v3_refuse(struct bb_http_response *response, unsigned status, const char *message)
{
    struct bb_json_writer json = bb_json_writer_of(&response->body);

    response->status = status;
    response->content_type = BB_CONTENT_TYPE_JSON;
    bb_buf_clear(&response->body);
    bb_json_begin_object(&json);
    bb_json_key(&json, "error");
    bb_json_begin_object(&json);
    bb_json_key(&json, "httpCode");
    bb_json_uint(&json, status);
    bb_json_key(&json, "message");
    bb_json_cstr(&json, message);
    bb_json_end_object(&json);
    bb_json_end_object(&json);
}

/* A parameter under its camelCase or its snake_case name; false when it is absent or empty. */
static bool arg_of(const struct v3_call *call, const char *name, const char *alias,
                   struct bb_slice *out_value)
{
    return (bb_http_arg(&call->query.request, name, out_value) && out_value->size > 0) ||
           (bb_http_arg(&call->query.request, alias, out_value) && out_value->size > 0);
}

static enum bb_err read_time(struct v3_call *call, const char *name, const char *alias,
                             uint64_t *out_unix_ns)
{
    struct bb_slice value;

    if (arg_of(call, name, alias, &value) && !bb_param_parse_time(value, out_unix_ns)) {
        return bb_err_set(&call->query.detail, BB_EINVAL,
                          "%s: expected an RFC 3339 time like 2026-01-02T15:04:05.123456789Z",
                          name);
    }
    return BB_OK;
}

static enum bb_err answer_services(struct v3_call *call)
{
    struct bb_slice *names;
    uint32_t count;

    enum bb_err err = bb_query_run_services(&call->query.run, &names, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "services");
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        bb_json_string(&call->json, bb_service_name_shown(names[i]));
    }
    bb_json_end_array(&call->json);
    bb_json_end_object(&call->json);
    return BB_OK;
}

static void write_operation(struct bb_json_writer *json, const struct bb_operation *operation)
{
    /* Jaeger's gateway shows a kind that is not set as internal. */
    uint32_t kind = operation->kind == BB_KIND_UNSPECIFIED ? BB_KIND_INTERNAL : operation->kind;

    bb_json_begin_object(json);
    bb_json_key(json, "name");
    bb_json_string(json, operation->name);
    bb_json_key(json, "spanKind");
    bb_json_cstr(json, bb_span_kind_text(kind));
    bb_json_end_object(json);
}

static enum bb_err answer_operations(struct v3_call *call)
{
    struct bb_slice service;
    struct bb_slice kind_text;
    enum bb_span_kind kind;
    struct bb_operation *operations;
    uint32_t count;

    if (!arg_of(call, "service", "service", &service)) {
        return bb_err_set(&call->query.detail, BB_EINVAL, "service: required");
    }
    bool has_kind = arg_of(call, "spanKind", "span_kind", &kind_text);
    if (has_kind && !bb_span_kind_parse(kind_text, &kind)) {
        return bb_err_set(&call->query.detail, BB_EINVAL,
                          "spanKind: expected unspecified, internal, server, client, producer or "
                          "consumer");
    }
    enum bb_err err = bb_query_run_operations(&call->query.run, bb_service_name_stored(service),
                                              &operations, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "operations");
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        if (!has_kind || operations[i].kind == kind) {
            write_operation(&call->json, &operations[i]);
        }
    }
    bb_json_end_array(&call->json);
    bb_json_end_object(&call->json);
    return BB_OK;
}

/* A bb_query_trace_sink: the spans of one more trace. */
static enum bb_err render_trace(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    struct v3_call *call = ctx;
    struct bb_buf *body = &call->query.response->body;
    struct bb_json_writer before = call->json;
    size_t size_before = body->size;
    struct bb_span_batch grouped;

    enum bb_err err = bb_span_groups_sort(&trace->batch, &run->trace, &grouped);
    if (err != BB_OK) {
        return err;
    }
    if (call->is_protobuf) {
        bb_span_batch_encode(&grouped, body); /* TracesData one behind the other are one */
    } else {
        bb_otlp_json_write_resource_spans(&call->json, &grouped);
    }
    err = bb_answer_settle(body, size_before, bb_buf_err(body));
    if (err == BB_OK) {
        call->trace_count++;
    } else {
        call->json = before;
    }
    return err;
}

static void begin_traces(struct v3_call *call)
{
    call->is_protobuf = bb_http_wants_protobuf(&call->query.request);
    if (call->is_protobuf) {
        call->query.response->content_type = BB_CONTENT_TYPE_PROTOBUF;
        return;
    }
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "result");
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "resourceSpans");
    bb_json_begin_array(&call->json);
}

static enum bb_err end_traces(struct v3_call *call)
{
    if (call->trace_count == 0) {
        return bb_err_set(&call->query.detail, BB_ENOTFOUND, "No traces found");
    }
    if (!call->is_protobuf) {
        bb_json_end_array(&call->json);
        bb_json_end_object(&call->json);
        bb_json_end_object(&call->json);
    }
    return BB_OK;
}

static enum bb_err answer_traces(struct v3_call *call)
{
    struct bb_search_params params;

    enum bb_err err = bb_search_params_read_v3(&call->query.request, &params, &call->query.detail);
    if (err != BB_OK) {
        return err;
    }
    begin_traces(call);
    err = bb_query_run_search(&call->query.run, &params.search, render_trace, call);
    return err == BB_OK ? end_traces(call) : err;
}

static enum bb_err answer_trace(struct v3_call *call)
{
    struct bb_trace_id id;
    struct bb_trace trace;
    struct bb_slice raw;
    uint64_t unix_ns;
    bool flag;

    if (!bb_param_parse_trace_id(call->wildcard, &id)) {
        return bb_err_set(&call->query.detail, BB_EINVAL,
                          "trace id: expected 1 to 32 hex digits, not all zeros");
    }
    /* A look-up needs no time range and no adjusting: what is sent for it must only make sense. */
    enum bb_err err = read_time(call, "startTime", "start_time", &unix_ns);
    if (err == BB_OK) {
        err = read_time(call, "endTime", "end_time", &unix_ns);
    }
    if (err == BB_OK && arg_of(call, "rawTraces", "raw_traces", &raw) &&
        !bb_param_parse_bool(raw, &flag)) {
        err = bb_err_set(&call->query.detail, BB_EINVAL, "rawTraces: expected true or false");
    }
    if (err != BB_OK) {
        return err;
    }
    begin_traces(call);
    err = bb_query_run_find_trace(&call->query.run, &id, &trace);
    if (err == BB_OK) {
        err = render_trace(call, &call->query.run, &trace);
    }
    return err == BB_OK || err == BB_ENOTFOUND ? end_traces(call) : err;
}

static void write_service_summary(struct bb_json_writer *json,
                                  const struct bb_service_summary *service)
{
    bb_json_begin_object(json);
    bb_json_key(json, "name");
    bb_json_string(json, bb_service_name_shown(service->name));
    bb_json_key(json, "spanCount");
    bb_json_uint(json, service->span_count);
    bb_json_key(json, "errorSpanCount");
    bb_json_uint(json, service->error_count);
    bb_json_end_object(json);
}

static void write_summary(struct bb_json_writer *json, const struct bb_trace_summary *summary)
{
    bb_json_begin_object(json);
    bb_json_key(json, "traceId");
    bb_json_hex(json, bb_slice_of(summary->trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_json_key(json, "rootServiceName");
    bb_json_string(json, bb_service_name_shown(summary->root_service_name));
    bb_json_key(json, "rootOperationName");
    bb_json_string(json, summary->root_operation_name);
    bb_json_key(json, "minStartTimeUnixNano");
    bb_json_uint_string(json, summary->start_unix_ns_min);
    bb_json_key(json, "maxEndTimeUnixNano");
    bb_json_uint_string(json, summary->end_unix_ns_max);
    bb_json_key(json, "spanCount");
    bb_json_uint(json, summary->span_count);
    bb_json_key(json, "errorSpanCount");
    bb_json_uint(json, summary->error_count);
    bb_json_key(json, "orphanSpanCount");
    bb_json_uint(json, summary->orphan_count);
    bb_json_key(json, "services");
    bb_json_begin_array(json);
    for (uint32_t i = 0; i < summary->service_count; i++) {
        write_service_summary(json, &summary->services[i]);
    }
    bb_json_end_array(json);
    bb_json_end_object(json);
}

/* A bb_query_trace_sink: one summary. */
static enum bb_err render_summary(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    struct v3_call *call = ctx;
    struct bb_buf *body = call->json.out;
    struct bb_json_writer before = call->json;
    size_t size_before = body->size;
    struct bb_trace_summary summary;

    enum bb_err err = bb_trace_summary_make(trace, &run->trace, &summary);
    if (err != BB_OK) {
        return err;
    }
    write_summary(&call->json, &summary);
    err = bb_answer_settle(body, size_before, bb_buf_err(body));
    if (err != BB_OK) {
        call->json = before;
    }
    return err;
}

static enum bb_err answer_summaries(struct v3_call *call)
{
    struct bb_query_ctl *ctl = &call->query.run.ctl;
    struct bb_search_params params;

    enum bb_err err = bb_search_params_read_v3(&call->query.request, &params, &call->query.detail);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "summaries");
    bb_json_begin_array(&call->json);
    err = bb_query_run_search(&call->query.run, &params.search, render_summary, call);
    bb_json_end_array(&call->json);
    bb_json_key(&call->json, "complete");
    bb_json_bool(&call->json, !ctl->incomplete);
    if (ctl->incomplete) {
        bb_json_key(&call->json, "incompleteReason");
        bb_json_cstr(&call->json, ctl->incomplete_reason);
    }
    bb_json_end_object(&call->json);
    return err;
}

static void write_dependency(struct bb_json_writer *json, const struct bb_dependency *dependency)
{
    bb_json_begin_object(json);
    bb_json_key(json, "parent");
    bb_json_string(json, bb_service_name_shown(dependency->parent));
    bb_json_key(json, "child");
    bb_json_string(json, bb_service_name_shown(dependency->child));
    bb_json_key(json, "callCount");
    bb_json_uint_string(json, dependency->call_count);
    bb_json_key(json, "errorCount");
    bb_json_uint_string(json, dependency->error_count);
    bb_json_end_object(json);
}

static enum bb_err answer_dependencies(struct v3_call *call)
{
    uint64_t start_unix_ns = 0;
    uint64_t end_unix_ns = UINT64_MAX;
    struct bb_dependency *dependencies;
    uint32_t count;

    enum bb_err err = read_time(call, "startTime", "start_time", &start_unix_ns);
    if (err == BB_OK) {
        err = read_time(call, "endTime", "end_time", &end_unix_ns);
    }
    if (err == BB_OK && start_unix_ns > end_unix_ns) {
        err = bb_err_set(&call->query.detail, BB_EINVAL,
                         "startTime: must lie before the end of the time range");
    }
    if (err == BB_OK) {
        err = bb_query_run_dependencies(&call->query.run, start_unix_ns, end_unix_ns, &dependencies,
                                        &count);
    }
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_object(&call->json);
    bb_json_key(&call->json, "dependencies");
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        write_dependency(&call->json, &dependencies[i]);
    }
    bb_json_end_array(&call->json);
    bb_json_end_object(&call->json);
    return BB_OK;
}

static const struct {
    const char *pattern;
    v3_handler handler;
} routes[] = {
    /* clang-format off */
    {"api/v3/services", answer_services},
    {"api/v3/operations", answer_operations},
    {"api/v3/traces", answer_traces},
    {"api/v3/traces/*", answer_trace},
    {"api/v3/trace-summaries", answer_summaries},
    {"api/v3/dependencies", answer_dependencies},
    /* clang-format on */
};

static void run_handler(struct v3_call *call, v3_handler handler, enum bb_err err)
{
    struct bb_http_response *response = call->query.response;

    response->content_type = BB_CONTENT_TYPE_JSON;
    if (err == BB_OK) {
        err = handler(call);
    }
    if (err == BB_OK) {
        err = bb_buf_err(&response->body);
    }
    if (err != BB_OK) {
        bb_http_v3_refuse(response, bb_http_query_status(err),
                          bb_query_error_text(err, &call->query.detail));
    }
    bb_http_query_end(&call->query, err);
}

void bb_http_v3_handle(const struct bb_query_api *api, const struct bb_http_path *path,
                       const struct bb_http_request *request, struct bb_http_response *response)
{
    struct v3_call call = {.json = bb_json_writer_of(&response->body)};

    for (size_t i = 0; i < BB_ARRAY_COUNT(routes); i++) {
        if (!bb_http_path_matches(path, routes[i].pattern, &call.wildcard)) {
            continue;
        }
        if (!bb_http_allows_method(request, response)) {
            bb_http_v3_refuse(response, 405, "method not allowed: use GET");
            return;
        }
        enum bb_err err = bb_http_query_begin(&call.query, api, request, response);
        run_handler(&call, routes[i].handler, err);
        return;
    }
    bb_http_v3_refuse(response, 404, "no such endpoint");
}
