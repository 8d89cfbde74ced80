#include "query/http_v1.h"

#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "common/otlp_view.h"
#include "query/jaeger_json.h"
#include "query/json_pretty.h"
#include "query/param_text.h"
#include "query/search_params.h"

#define DEPENDENCIES_LOOKBACK_MS_DEFAULT UINT64_C(86400000) /* Jaeger's: 24 hours */

/* One request of this API. */
struct v1_call {
    struct bb_http_query query;
    struct bb_json_writer json;
    struct bb_slice wildcard; /* of the route */
    uint64_t total;           /* elements of `data` */
    uint64_t limit;
    /* For errors[].traceID. */
    const struct bb_trace_id *missing_ids;
    uint32_t missing_count;
};

/* Writes `data` into the envelope that has been begun, as far as it gets. */
typedef enum bb_err (*v1_handler)(struct v1_call *call);

static const struct bb_query_api *api_of(const struct v1_call *call)
{
    return call->query.run.api;
}

static void write_error(struct bb_json_writer *json, unsigned code, const char *message,
                        const struct bb_trace_id *trace_id)
{
    char id[BB_TRACE_ID_HEX_SIZE];

    bb_json_begin_object(json);
    bb_json_key(json, "code");
    bb_json_uint(json, code);
    bb_json_key(json, "msg");
    bb_json_cstr(json, message);
    if (trace_id != NULL) {
        bb_trace_id_format(trace_id, id);
        bb_json_key(json, "traceID");
        bb_json_cstr(json, id);
    }
    bb_json_end_object(json);
}

static void write_counts(struct bb_json_writer *json, uint64_t total, uint64_t limit)
{
    bb_json_key(json, "total");
    bb_json_uint(json, total);
    bb_json_key(json, "limit");
    bb_json_uint(json, limit);
    bb_json_key(json, "offset");
    bb_json_uint(json, 0);
    bb_json_key(json, "errors");
}

/* The envelope behind `data` of a call that succeeded. */
static void end_envelope(struct v1_call *call)
{
    const struct bb_query_ctl *ctl = &call->query.run.ctl;
    struct bb_json_writer *json = &call->json;

    write_counts(json, call->total, call->limit);
    if (call->missing_count == 0 && !ctl->incomplete) {
        bb_json_null(json);
    } else {
        bb_json_begin_array(json);
        if (ctl->incomplete) {
            write_error(json, 206, ctl->incomplete_reason, NULL);
        }
        for (uint32_t i = 0; i < call->missing_count; i++) {
            write_error(json, 404, "trace not found", &call->missing_ids[i]);
        }
        bb_json_end_array(json);
    }
    bb_json_end_object(json);
}

static void write_failure(struct bb_http_response *response, unsigned status, const char *message,
                          const struct bb_trace_id *trace_id)
{
    struct bb_json_writer json = bb_json_writer_of(&response->body);

    response->status = status;
    response->content_type = BB_CONTENT_TYPE_JSON;
    bb_buf_clear(&response->body);
    bb_json_begin_object(&json);
    bb_json_key(&json, "data");
    bb_json_null(&json);
    write_counts(&json, 0, 0);
    bb_json_begin_array(&json);
    write_error(&json, status, message, trace_id);
    bb_json_end_array(&json);
    bb_json_end_object(&json);
}

void bb_http_v1_refuse(struct bb_http_response *response, unsigned status, const char *message)
{
    write_failure(response, status, message, NULL);
}

/* A parameter's value; false when it is absent or empty. */
static bool arg_of(const struct v1_call *call, const char *name, struct bb_slice *out_value)
{
    return bb_http_arg(&call->query.request, name, out_value) && out_value->size > 0;
}

static enum bb_err answer_services(struct v1_call *call)
{
    struct bb_slice *names;
    uint32_t count;

    enum bb_err err = bb_query_run_services(&call->query.run, &names, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        bb_json_string(&call->json, bb_service_name_shown(names[i]));
    }
    bb_json_end_array(&call->json);
    call->total = count;
    return BB_OK;
}

/* Names only, each once whatever its kinds. */
static enum bb_err answer_operation_names(struct v1_call *call)
{
    struct bb_operation *operations;
    uint32_t count;

    enum bb_err err = bb_query_run_operations(
        &call->query.run, bb_service_name_stored(call->wildcard), &operations, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !bb_slice_equals(operations[i].name, operations[i - 1].name)) {
            bb_json_string(&call->json, operations[i].name);
            call->total++;
        }
    }
    bb_json_end_array(&call->json);
    return BB_OK;
}

static enum bb_err answer_operations(struct v1_call *call)
{
    struct bb_slice service;
    struct bb_slice kind_text;
    enum bb_span_kind kind;
    struct bb_operation *operations;
    uint32_t count;

    if (!arg_of(call, "service", &service)) {
        return bb_err_set(&call->query.detail, BB_EINVAL, "parameter 'service' is required");
    }
    bool has_kind = arg_of(call, "spanKind", &kind_text);
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
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        if (has_kind && operations[i].kind != kind) {
            continue;
        }
        bool is_unspecified = operations[i].kind == BB_KIND_UNSPECIFIED;
        bb_json_begin_object(&call->json);
        bb_json_key(&call->json, "name");
        bb_json_string(&call->json, operations[i].name);
        bb_json_key(&call->json, "spanKind");
        bb_json_cstr(&call->json, is_unspecified ? "" : bb_span_kind_text(operations[i].kind));
        bb_json_end_object(&call->json);
        call->total++;
    }
    bb_json_end_array(&call->json);
    return BB_OK;
}

/* A bb_query_trace_sink: one element of `data`. */
static enum bb_err render_trace(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    struct v1_call *call = ctx;
    struct bb_json_writer before = call->json;
    size_t size_before = call->json.out->size;

    enum bb_err err = bb_jaeger_json_write_trace(&call->json, trace, &run->trace);
    err = bb_answer_settle(call->json.out, size_before, err);
    if (err == BB_OK) {
        call->total++;
    } else {
        call->json = before;
    }
    return err;
}

/* traceID=: those that are stored, in the order asked for; the others are told as errors. */
static enum bb_err render_listed(struct v1_call *call, const struct bb_search_params *params)
{
    struct bb_trace_id *missing =
        bb_arena_try_calloc(call->query.request.arena, params->trace_id_count, sizeof(*missing));
    struct bb_trace trace;

    if (missing == NULL) {
        return BB_ENOMEM;
    }
    call->missing_ids = missing;
    for (uint32_t i = 0; i < params->trace_id_count; i++) {
        enum bb_err err = bb_query_run_find_trace(&call->query.run, &params->trace_ids[i], &trace);
        if (err == BB_ENOTFOUND) {
            missing[call->missing_count++] = params->trace_ids[i];
            continue;
        }
        if (err == BB_OK) {
            err = render_trace(call, &call->query.run, &trace);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

static enum bb_err answer_search(struct v1_call *call)
{
    struct bb_search_params params;

    enum bb_err err = bb_search_params_read_v1(&call->query.request, &params, &call->query.detail);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_array(&call->json);
    if (params.trace_id_count > 0) {
        err = render_listed(call, &params);
    } else {
        call->limit = params.search.limit;
        err = bb_query_run_search(&call->query.run, &params.search, render_trace, call);
    }
    bb_json_end_array(&call->json);
    return err;
}

static enum bb_err answer_trace(struct v1_call *call)
{
    struct bb_trace_id *id = bb_arena_try_calloc(call->query.request.arena, 1, sizeof(*id));
    struct bb_trace trace;

    if (id == NULL) {
        return BB_ENOMEM;
    }
    if (!bb_param_parse_trace_id(call->wildcard, id)) {
        return bb_err_set(&call->query.detail, BB_EINVAL,
                          "trace id: expected 1 to 32 hex digits, not all zeros");
    }
    call->missing_ids = id; /* for the error, should it come to one */
    enum bb_err err = bb_query_run_find_trace(&call->query.run, id, &trace);
    if (err == BB_ENOTFOUND) {
        return bb_err_set(&call->query.detail, BB_ENOTFOUND, "trace not found");
    }
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_array(&call->json);
    err = render_trace(call, &call->query.run, &trace);
    bb_json_end_array(&call->json);
    return err;
}

static enum bb_err read_ms(struct v1_call *call, const char *name, uint64_t *value)
{
    struct bb_slice text;

    if (arg_of(call, name, &text) &&
        (!bb_param_parse_uint(text, value) || *value > UINT64_MAX / BB_NS_PER_MS - 1)) {
        return bb_err_set(&call->query.detail, BB_EINVAL, "%s: expected milliseconds", name);
    }
    return BB_OK;
}

static void write_dependency(struct bb_json_writer *json, const struct bb_dependency *dependency)
{
    bb_json_begin_object(json);
    bb_json_key(json, "parent");
    bb_json_string(json, bb_service_name_shown(dependency->parent));
    bb_json_key(json, "child");
    bb_json_string(json, bb_service_name_shown(dependency->child));
    bb_json_key(json, "callCount");
    bb_json_uint(json, dependency->call_count);
    bb_json_key(json, "errorCount");
    bb_json_uint(json, dependency->error_count);
    bb_json_end_object(json);
}

static enum bb_err answer_dependencies(struct v1_call *call)
{
    uint64_t end_ms = bb_clock_unix_ns(api_of(call)->clock) / BB_NS_PER_MS;
    uint64_t lookback_ms = DEPENDENCIES_LOOKBACK_MS_DEFAULT;
    struct bb_dependency *dependencies;
    struct bb_slice service;
    uint32_t count;

    enum bb_err err = read_ms(call, "endTs", &end_ms);
    if (err == BB_OK) {
        err = read_ms(call, "lookback", &lookback_ms);
    }
    if (err != BB_OK) {
        return err;
    }
    bool has_service = arg_of(call, "service", &service);
    uint64_t start_ms = end_ms > lookback_ms ? end_ms - lookback_ms : 0;
    err =
        bb_query_run_dependencies(&call->query.run, start_ms * BB_NS_PER_MS,
                                  end_ms * BB_NS_PER_MS + BB_NS_PER_MS - 1, &dependencies, &count);
    if (err != BB_OK) {
        return err;
    }
    bb_json_begin_array(&call->json);
    for (uint32_t i = 0; i < count; i++) {
        if (has_service &&
            !bb_slice_equals(service, bb_service_name_shown(dependencies[i].parent)) &&
            !bb_slice_equals(service, bb_service_name_shown(dependencies[i].child))) {
            continue;
        }
        write_dependency(&call->json, &dependencies[i]);
        call->total++;
    }
    bb_json_end_array(&call->json);
    return BB_OK;
}

static const struct {
    const char *pattern;
    v1_handler handler;
} routes[] = {
    /* clang-format off */
    {"api/services", answer_services},
    {"api/services/*/operations", answer_operation_names},
    {"api/operations", answer_operations},
    {"api/traces", answer_search},
    {"api/traces/*", answer_trace},
    {"api/dependencies", answer_dependencies},
    /* clang-format on */
};

/* prettyPrint is asked for by any value but false, as Jaeger has it. */
static enum bb_err indent_if_asked(struct v1_call *call)
{
    struct bb_buf *body = &call->query.response->body;
    struct bb_slice value;
    struct bb_buf pretty;
    bool flag = true;

    if (!arg_of(call, "prettyPrint", &value) || (bb_param_parse_bool(value, &flag) && !flag)) {
        return BB_OK;
    }
    enum bb_err err = bb_query_run_reserve(&call->query.run, 2 * body->size);
    if (err != BB_OK) {
        return err;
    }
    bb_buf_init(&pretty, body->limit_bytes);
    bb_json_pretty_append(bb_buf_slice(body), &pretty);
    err = bb_buf_err(&pretty);
    if (err == BB_OK) {
        struct bb_buf compact = *body;
        *body = pretty;
        pretty = compact;
    }
    bb_buf_dispose(&pretty);
    return err;
}

static void run_handler(struct v1_call *call, v1_handler handler, enum bb_err err)
{
    struct bb_http_response *response = call->query.response;

    if (err == BB_OK) {
        response->content_type = BB_CONTENT_TYPE_JSON;
        bb_json_begin_object(&call->json);
        bb_json_key(&call->json, "data");
        err = handler(call);
    }
    if (err == BB_OK) {
        end_envelope(call);
        err = bb_buf_err(&response->body);
    }
    if (err == BB_OK) {
        err = indent_if_asked(call);
    }
    if (err != BB_OK) {
        write_failure(response, bb_http_query_status(err),
                      bb_query_error_text(err, &call->query.detail),
                      err == BB_ENOTFOUND ? call->missing_ids : NULL);
    }
    bb_http_query_end(&call->query, err);
}

void bb_http_v1_handle(const struct bb_query_api *api, const struct bb_http_path *path,
                       const struct bb_http_request *request, struct bb_http_response *response)
{
    struct v1_call call = {.json = bb_json_writer_of(&response->body)};

    for (size_t i = 0; i < BB_ARRAY_COUNT(routes); i++) {
        if (!bb_http_path_matches(path, routes[i].pattern, &call.wildcard)) {
            continue;
        }
        if (!bb_http_allows_method(request, response)) {
            bb_http_v1_refuse(response, 405, "method not allowed: use GET");
            return;
        }
        enum bb_err err = bb_http_query_begin(&call.query, api, request, response);
        run_handler(&call, routes[i].handler, err);
        return;
    }
    bb_http_v1_refuse(response, 404, "no such endpoint");
}
