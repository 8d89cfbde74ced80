#include "collector/grpc_health.h"

#include <string.h>

#include "common/pb_wire.h"

enum check_request_field { REQUEST_SERVICE = 1 };
enum check_response_field { RESPONSE_STATUS = 1 };
enum serving_status { STATUS_SERVING = 1, STATUS_NOT_SERVING = 2 };

#define RESPONSE_SIZE 2 /* a tag and a varint below 128 */

/* Is `path` "/service/..."? */
static bool is_method_of(const char *path, struct bb_slice service)
{
    return strlen(path) > service.size + 1 && path[service.size + 1] == '/' &&
           memcmp(path + 1, service.data, service.size) == 0;
}

static bool has_service(const struct bb_grpc_health *health, struct bb_slice service)
{
    if (service.size == 0 || is_method_of(BB_GRPC_HEALTH_CHECK_PATH, service)) {
        return true;
    }
    for (uint32_t i = 0; i < health->method_count; i++) {
        if (is_method_of(health->methods[i].path, service)) {
            return true;
        }
    }
    return false;
}

void bb_grpc_health_check(void *ctx, struct bb_rpc_call *call)
{
    struct bb_grpc_health *health = ctx;
    struct bb_pb_reader reader = bb_pb_reader_of(call->request);
    struct bb_slice service = {0};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == REQUEST_SERVICE && field.type == BB_PB_BYTES) {
            service = field.bytes;
        }
    }
    if (reader.malformed) {
        call->code = BB_RPC_INVALID_ARGUMENT;
        bb_err_set(&call->message, BB_EINVAL, "the request is no HealthCheckRequest");
        return;
    }
    if (!has_service(health, service)) {
        call->code = BB_RPC_NOT_FOUND;
        bb_err_set(&call->message, BB_ENOTFOUND, "this server doesn't have that service");
        return;
    }
    uint8_t response[RESPONSE_SIZE] = {RESPONSE_STATUS << 3 | BB_PB_VARINT, STATUS_SERVING};
    if (atomic_load(&health->is_stopping)) {
        response[1] = STATUS_NOT_SERVING;
    }
    if (call->send(call, bb_slice_of(response, sizeof(response))) != BB_OK) {
        call->code = BB_RPC_CANCELLED;
    }
}
