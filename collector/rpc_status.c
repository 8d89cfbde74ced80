#include "collector/rpc_status.h"

#include <stdio.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/pb_wire.h"

#define RETRY_INFO_TYPE "type.googleapis.com/google.rpc.RetryInfo"
#define BAD_REQUEST_TYPE "type.googleapis.com/google.rpc.BadRequest"
/* Servers and proxies bound the size of all headers at 8 KiB; the message is far below. */
#define DETAILS_BYTES_MAX 4096u
#define DELAY_TEXT_SIZE 16

enum status_field { STATUS_CODE = 1, STATUS_MESSAGE = 2, STATUS_DETAILS = 3 };
enum any_field { ANY_TYPE_URL = 1, ANY_VALUE = 2 };
enum retry_info_field { RETRY_INFO_DELAY = 1 };
enum duration_field { DURATION_SECONDS = 1 };
enum bad_request_field { BAD_REQUEST_VIOLATIONS = 1 };
enum violation_field { VIOLATION_FIELD = 1, VIOLATION_DESCRIPTION = 2 };

struct bb_rpc_status bb_rpc_status_of(enum bb_rpc_code code, const char *message,
                                      uint32_t retry_after_s)
{
    struct bb_rpc_status status = {
        .code = code,
        .message = bb_slice_from_cstr(message),
        .retry_after_s = retry_after_s,
    };
    const char *colon = strstr(message, ": ");

    if (code != BB_RPC_INVALID_ARGUMENT || colon == NULL || colon == message) {
        return status;
    }
    size_t field_size = (size_t)(colon - message);
    if (memchr(message, ' ', field_size) == NULL) {
        status.field = bb_slice_of(message, field_size);
        status.description = bb_slice_from_cstr(colon + 2);
    }
    return status;
}

static void write_any_type(struct bb_buf *out, const char *type)
{
    bb_pb_write_bytes(out, ANY_TYPE_URL, bb_slice_from_cstr(type));
}

static void write_retry_info(const struct bb_rpc_status *status, struct bb_buf *out)
{
    size_t any = bb_pb_begin_message(out, STATUS_DETAILS);
    write_any_type(out, RETRY_INFO_TYPE);
    size_t value = bb_pb_begin_message(out, ANY_VALUE);
    size_t delay = bb_pb_begin_message(out, RETRY_INFO_DELAY);
    bb_pb_write_uint(out, DURATION_SECONDS, status->retry_after_s);
    bb_pb_end_message(out, delay);
    bb_pb_end_message(out, value);
    bb_pb_end_message(out, any);
}

static void write_bad_request(const struct bb_rpc_status *status, struct bb_buf *out)
{
    size_t any = bb_pb_begin_message(out, STATUS_DETAILS);
    write_any_type(out, BAD_REQUEST_TYPE);
    size_t value = bb_pb_begin_message(out, ANY_VALUE);
    size_t violation = bb_pb_begin_message(out, BAD_REQUEST_VIOLATIONS);
    bb_pb_write_bytes(out, VIOLATION_FIELD, status->field);
    bb_pb_write_bytes(out, VIOLATION_DESCRIPTION, status->description);
    bb_pb_end_message(out, violation);
    bb_pb_end_message(out, value);
    bb_pb_end_message(out, any);
}

void bb_rpc_status_to_protobuf(const struct bb_rpc_status *status, struct bb_buf *out)
{
    if (status->code != BB_RPC_OK) {
        bb_pb_write_uint(out, STATUS_CODE, (uint64_t)status->code);
    }
    if (status->message.size > 0) {
        bb_pb_write_bytes(out, STATUS_MESSAGE, status->message);
    }
    if (status->retry_after_s > 0) {
        write_retry_info(status, out);
    }
    if (status->field.size > 0) {
        write_bad_request(status, out);
    }
}

static void write_json_details(const struct bb_rpc_status *status, struct bb_json_writer *json)
{
    bb_json_key(json, "details");
    bb_json_begin_array(json);
    if (status->retry_after_s > 0) {
        char delay[DELAY_TEXT_SIZE];

        snprintf(delay, sizeof(delay), "%us", status->retry_after_s);
        bb_json_begin_object(json);
        bb_json_key(json, "@type");
        bb_json_cstr(json, RETRY_INFO_TYPE);
        bb_json_key(json, "retryDelay");
        bb_json_cstr(json, delay);
        bb_json_end_object(json);
    }
    if (status->field.size > 0) {
        bb_json_begin_object(json);
        bb_json_key(json, "@type");
        bb_json_cstr(json, BAD_REQUEST_TYPE);
        bb_json_key(json, "fieldViolations");
        bb_json_begin_array(json);
        bb_json_begin_object(json);
        bb_json_key(json, "field");
        bb_json_string(json, status->field);
        bb_json_key(json, "description");
        bb_json_string(json, status->description);
        bb_json_end_object(json);
        bb_json_end_array(json);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

void bb_rpc_status_to_json(const struct bb_rpc_status *status, struct bb_buf *out)
{
    struct bb_json_writer json = bb_json_writer_of(out);

    bb_json_begin_object(&json);
    bb_json_key(&json, "code");
    bb_json_int(&json, status->code);
    bb_json_key(&json, "message");
    bb_json_string(&json, status->message);
    if (status->retry_after_s > 0 || status->field.size > 0) {
        write_json_details(status, &json);
    }
    bb_json_end_object(&json);
}

struct bb_slice bb_rpc_status_details(const struct bb_rpc_status *status, struct bb_arena *arena)
{
    struct bb_slice details = {0};
    struct bb_buf bytes;

    if (status->retry_after_s == 0 && status->field.size == 0) {
        return details;
    }
    bb_buf_init(&bytes, DETAILS_BYTES_MAX);
    bb_rpc_status_to_protobuf(status, &bytes);
    if (bb_buf_err(&bytes) == BB_OK) {
        details = bb_arena_try_copy(arena, bb_buf_slice(&bytes));
    }
    bb_buf_dispose(&bytes);
    return details.data == NULL ? bb_slice_of(NULL, 0) : details;
}
