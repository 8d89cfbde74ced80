/*
 * otlp_receiver_http.c - POST /v1/traces (OTLP specification, "OTLP/HTTP"). An answer has the
 * request's content type, a Status for every 4xx and 5xx included; where the request has neither of
 * the two types, the answer is a line of text.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collector/inflate.h"
#include "collector/ingest.h"
#include "collector/otlp_answer.h"
#include "collector/otlp_json.h"
#include "collector/receivers.h"
#include "collector/rpc_status.h"
#include "common/limits.h"

#define TRACES_PATH "/v1/traces"
#define PROTOBUF_TYPE "application/x-protobuf"
#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"

enum body_format { FORMAT_UNKNOWN, FORMAT_PROTOBUF, FORMAT_JSON };

/* Reads a Content-Type, whose parameters (charset) say nothing that we don't know. */
static enum body_format format_of(const char *content_type)
{
    static const struct {
        const char *type;
        enum body_format format;
    } types[] = {
        {PROTOBUF_TYPE, FORMAT_PROTOBUF},
        {"application/protobuf", FORMAT_PROTOBUF},
        {JSON_TYPE, FORMAT_JSON},
    };

    if (content_type == NULL) {
        return FORMAT_UNKNOWN;
    }
    content_type += strspn(content_type, " \t");
    size_t size = strcspn(content_type, "; \t");
    for (size_t i = 0; i < BB_ARRAY_COUNT(types); i++) {
        if (size == strlen(types[i].type) && strncasecmp(content_type, types[i].type, size) == 0) {
            return types[i].format;
        }
    }
    return FORMAT_UNKNOWN;
}

static void answer_status(const struct bb_rpc_status *status, unsigned http_status,
                          enum body_format format, struct bb_http_response *response)
{
    response->status = http_status;
    switch (format) {
    case FORMAT_PROTOBUF:
        response->content_type = PROTOBUF_TYPE;
        bb_rpc_status_to_protobuf(status, &response->body);
        break;
    case FORMAT_JSON:
        response->content_type = JSON_TYPE;
        bb_rpc_status_to_json(status, &response->body);
        break;
    case FORMAT_UNKNOWN:
        response->content_type = TEXT_TYPE;
        bb_buf_append_slice(&response->body, status->message);
        bb_buf_append_cstr(&response->body, "\n");
        break;
    }
}

static void answer_error(enum bb_rpc_code code, unsigned http_status, const char *message,
                         enum body_format format, struct bb_http_response *response)
{
    struct bb_rpc_status status = bb_rpc_status_of(code, message, 0);

    answer_status(&status, http_status, format, response);
}

/* Of a request that has no result of its own. */
static void count_refused(enum bb_err err)
{
    struct bb_ingest_result ignored;

    bb_ingest_refuse(err, NULL, &ignored);
}

static void answer_result(const struct bb_ingest_result *result, enum body_format format,
                          struct bb_http_response *response)
{
    if (result->outcome != BB_INGEST_OK && result->outcome != BB_INGEST_PARTIAL) {
        struct bb_rpc_status status = bb_ingest_status(result);
        answer_status(&status, bb_ingest_http_status(result->outcome), format, response);
        if (result->outcome == BB_INGEST_RETRY) {
            bb_http_add_header(response, "Retry-After", "%u", result->retry_after_s);
        }
        return;
    }
    if (format == FORMAT_JSON) {
        response->content_type = JSON_TYPE;
        bb_otlp_answer_to_json(result, &response->body);
    } else {
        response->content_type = PROTOBUF_TYPE;
        bb_otlp_answer_to_protobuf(result, &response->body);
    }
}

static void take_json(struct bb_ingest *ingest, struct bb_slice body, struct bb_arena *arena,
                      struct bb_ingest_result *out_result)
{
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {0};
    struct bb_buf wire;

    bb_buf_init(&wire, BB_REQUEST_BYTES_MAX);
    enum bb_err err = bb_otlp_json_to_protobuf(body, &wire, &left_out, &detail);
    if (err == BB_OK) {
        bb_ingest_otlp(ingest, BB_RECEIVER_OTLP_HTTP, bb_buf_slice(&wire), &left_out, arena,
                       out_result);
    } else {
        bb_ingest_refuse(err, &detail, out_result);
    }
    bb_buf_dispose(&wire);
}

static void take_inflated(struct bb_ingest *ingest, struct bb_slice body, enum body_format format,
                          struct bb_arena *arena, struct bb_ingest_result *out_result)
{
    if (format == FORMAT_JSON) {
        take_json(ingest, body, arena, out_result);
    } else {
        bb_ingest_otlp(ingest, BB_RECEIVER_OTLP_HTTP, body, NULL, arena, out_result);
    }
}

static void take_body(struct bb_ingest *ingest, const struct bb_http_request *request,
                      enum bb_encoding encoding, enum body_format format,
                      struct bb_ingest_result *out_result)
{
    struct bb_err_detail detail = {0};
    struct bb_slice body;

    enum bb_err err =
        bb_inflate(encoding, request->body, BB_REQUEST_BYTES_MAX, request->arena, &detail, &body);
    if (err != BB_OK) {
        bb_ingest_refuse(err, &detail, out_result);
        return;
    }
    if (encoding == BB_ENCODING_IDENTITY) {
        take_inflated(ingest, body, format, request->arena, out_result); /* the server's account */
        return;
    }
    if (!bb_mem_budget_try_take(ingest->budget, body.size)) {
        bb_err_set(&detail, BB_EBUSY, "too many requests at once");
        bb_ingest_refuse(BB_EBUSY, &detail, out_result);
        return;
    }
    take_inflated(ingest, body, format, request->arena, out_result);
    bb_mem_budget_give(ingest->budget, body.size);
}

void bb_otlp_http_handle(void *ctx, const struct bb_http_request *request,
                         struct bb_http_response *response)
{
    enum body_format format = format_of(request->header(request, "Content-Type"));
    struct bb_ingest_result result = {0};
    enum bb_encoding encoding;

    if (!bb_slice_equals_cstr(request->path, TRACES_PATH)) {
        answer_error(BB_RPC_NOT_FOUND, 404, "only " TRACES_PATH " is here", format, response);
        return;
    }
    if (strcmp(request->method, "POST") != 0) {
        answer_error(BB_RPC_UNIMPLEMENTED, 405, "only POST is allowed", format, response);
        bb_http_add_header(response, "Allow", "POST");
        return;
    }
    if (format == FORMAT_UNKNOWN) {
        count_refused(BB_EUNSUPPORTED);
        answer_error(BB_RPC_INVALID_ARGUMENT, 415,
                     "Content-Type must be " PROTOBUF_TYPE " or " JSON_TYPE, format, response);
        bb_http_add_header(response, "Accept", PROTOBUF_TYPE ", " JSON_TYPE);
        return;
    }
    if (bb_encoding_parse(request->header(request, "Content-Encoding"), &encoding) != BB_OK) {
        count_refused(BB_EUNSUPPORTED);
        answer_error(BB_RPC_INVALID_ARGUMENT, 415,
                     "Content-Encoding must be one of gzip, zstd, deflate, identity", format,
                     response);
        bb_http_add_header(response, "Accept-Encoding", "gzip, zstd, deflate");
        return;
    }
    take_body(ctx, request, encoding, format, &result);
    answer_result(&result, format, response);
}

void bb_otlp_http_refuse(void *ctx, const struct bb_http_request *request, enum bb_err err,
                         const char *reason, struct bb_http_response *response)
{
    struct bb_err_detail detail = {0};
    struct bb_ingest_result result = {0};

    (void)ctx;
    bb_err_set(&detail, err, "%s", reason);
    bb_ingest_refuse(err, &detail, &result);
    struct bb_rpc_status status = bb_ingest_status(&result);
    answer_status(&status, response->status, format_of(request->header(request, "Content-Type")),
                  response);
}
