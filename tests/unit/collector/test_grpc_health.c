#include "collector/grpc_health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct bb_rpc_method methods[] = {{.path = "/a.b.Traces/Export"},
                                               {.path = "/c.Query/Get"}};

struct reply {
    struct bb_rpc_call call; /* first */
    uint8_t bytes[8];
    size_t size;
    uint32_t sent_count;
};

static enum bb_err take_message(struct bb_rpc_call *call, struct bb_slice message)
{
    struct reply *reply = (struct reply *)call;

    assert_true(message.size <= sizeof(reply->bytes));
    memcpy(reply->bytes, message.data, message.size);
    reply->size = message.size;
    reply->sent_count++;
    return BB_OK;
}

static struct reply check(struct bb_grpc_health *health, const void *request, size_t size)
{
    struct reply reply = {.call = {.request = bb_slice_of(request, size), .send = take_message}};

    bb_grpc_health_check(health, &reply.call);
    return reply;
}

static void assert_serving(const struct reply *reply, uint8_t status)
{
    assert_int_equal(reply->call.code, BB_RPC_OK);
    assert_int_equal(reply->sent_count, 1);
    assert_int_equal(reply->size, 2);
    assert_int_equal(reply->bytes[0], 0x08);
    assert_int_equal(reply->bytes[1], status);
}

static void the_server_and_each_service_of_its_serve(void **state)
{
    static const char *const requests[] = {"",
                                           "\x0a\x0a"
                                           "a.b.Traces",
                                           "\x0a\x07"
                                           "c.Query",
                                           "\x0a\x15"
                                           "grpc.health.v1.Health"};
    struct bb_grpc_health health = {.methods = methods, .method_count = 2};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(requests); i++) {
        struct reply reply = check(&health, requests[i], strlen(requests[i]));
        assert_serving(&reply, 1);
    }
}

static void a_service_that_is_not_here_is_not_found(void **state)
{
    static const char *const requests[] = {"\x0a\x05"
                                           "a.b.T",
                                           "\x0a\x0b"
                                           "a.b.Traces2",
                                           "\x0a\x11"
                                           "a.b.Traces/Export"};
    struct bb_grpc_health health = {.methods = methods, .method_count = 2};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(requests); i++) {
        struct reply reply = check(&health, requests[i], strlen(requests[i]));
        assert_int_equal(reply.call.code, BB_RPC_NOT_FOUND);
        assert_int_equal(reply.sent_count, 0);
    }
}

static void a_request_that_is_no_protobuf_is_refused(void **state)
{
    struct bb_grpc_health health = {.methods = methods, .method_count = 2};
    struct reply reply = check(&health, "\x0a\x7f", 2);

    (void)state;
    assert_int_equal(reply.call.code, BB_RPC_INVALID_ARGUMENT);
    assert_int_equal(reply.sent_count, 0);
}

static void a_stopping_server_does_not_serve(void **state)
{
    struct bb_grpc_health health = {.methods = methods, .method_count = 2};

    (void)state;
    atomic_store(&health.is_stopping, true);
    struct reply reply = check(&health, "", 0);
    assert_serving(&reply, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_and_each_service_of_its_serve),
        cmocka_unit_test(a_service_that_is_not_here_is_not_found),
        cmocka_unit_test(a_request_that_is_no_protobuf_is_refused),
        cmocka_unit_test(a_stopping_server_does_not_serve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
