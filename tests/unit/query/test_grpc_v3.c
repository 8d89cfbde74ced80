#include "query/query_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/otlp_walk.h"
#include "common/pb_wire.h"
#include "jaeger/api_v3/query_service.pb-c.h"
#include "query_fixture.h"
#include "rpc_capture.h"

static struct rpc_capture capture;

/* Calls jaeger.api_v3.QueryService/`name`. */
static void run(struct query_fixture *fx, const char *name, struct bb_slice request)
{
    struct bb_rpc_method methods[BB_QUERY_RPC_METHODS_MAX];
    uint32_t count = bb_query_rpc_methods(&fx->api, methods);
    const char prefix[] = "/jaeger.api_v3.QueryService/";

    rpc_capture_init(&capture, request);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(strncmp(methods[i].path, prefix, sizeof(prefix) - 1), 0);
        assert_false(methods[i].is_inline);
        if (strcmp(methods[i].path + sizeof(prefix) - 1, name) == 0) {
            methods[i].handler(methods[i].ctx, &capture.call);
            return;
        }
    }
    fail_msg("no method %s", name);
}

static struct bb_slice search_request(uint8_t *packed, const char *service, int32_t depth)
{
    Jaeger__ApiV3__TraceQueryParameters query = JAEGER__API_V3__TRACE_QUERY_PARAMETERS__INIT;
    Jaeger__ApiV3__FindTracesRequest request = JAEGER__API_V3__FIND_TRACES_REQUEST__INIT;
    char name[64];

    (void)strncpy(name, service, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    query.service_name = name;
    query.search_depth = depth;
    request.query = &query;
    return bb_slice_of(packed, jaeger__api_v3__find_traces_request__pack(&request, packed));
}

/* The spans of one message, all of the same trace; gives the last byte of the trace id. */
static uint8_t check_chunk(struct bb_slice message, uint32_t *span_count)
{
    struct bb_walk_result result;
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)64 << 20);
    assert_int_equal(bb_otlp_walk(message, &arena, NULL, &result), BB_OK);
    assert_int_equal(result.rejected_count, 0);
    assert_true(result.batch.span_count > 0);
    for (uint32_t i = 1; i < result.batch.span_count; i++) {
        assert_true(
            bb_trace_id_equals(&result.batch.spans[i].trace_id, &result.batch.spans[0].trace_id));
    }
    *span_count += result.batch.span_count;
    uint8_t last = result.batch.spans[0].trace_id.bytes[15];
    bb_arena_dispose(&arena);
    return last;
}

static void streams_each_found_trace_in_messages_of_its_own(void **state)
{
    struct query_fixture *fx = *state;
    uint8_t packed[256];
    uint32_t span_count = 0;

    run(fx, "FindTraces", search_request(packed, "web", 0));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 2);
    assert_int_equal(check_chunk(capture.messages[0], &span_count), 2); /* the newest first */
    assert_int_equal(check_chunk(capture.messages[1], &span_count), 1);
    assert_int_equal(span_count, 4);
    rpc_capture_dispose(&capture);
}

static void streams_nothing_when_nothing_is_found(void **state)
{
    struct query_fixture *fx = *state;
    uint8_t packed[256];

    run(fx, "FindTraces", search_request(packed, "nobody", 0));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 0);
    rpc_capture_dispose(&capture);
    run(fx, "FindTraceSummaries", search_request(packed, "nobody", 0));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 0);
    rpc_capture_dispose(&capture);
}

static void gives_a_trace_by_its_id(void **state)
{
    struct query_fixture *fx = *state;
    uint32_t span_count = 0;

    run(fx, "GetTrace", bb_slice_of("\x0a\x20" FIXTURE_TRACE_1, 34));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 1);
    assert_int_equal(check_chunk(capture.messages[0], &span_count), 1);
    assert_int_equal(span_count, 2);
    rpc_capture_dispose(&capture);
}

static void says_not_found_for_an_unknown_trace(void **state)
{
    struct query_fixture *fx = *state;

    run(fx, "GetTrace",
        bb_slice_of("\x0a\x03"
                    "abc",
                    5));
    assert_int_equal(capture.call.code, BB_RPC_NOT_FOUND);
    assert_string_equal(capture.call.message.text, "trace not found");
    assert_int_equal(capture.message_count, 0);
    rpc_capture_dispose(&capture);
}

static void says_invalid_argument_for_a_bad_request(void **state)
{
    struct query_fixture *fx = *state;
    uint8_t packed[256];

    run(fx, "GetTrace",
        bb_slice_of("\x0a\x03"
                    "xyz",
                    5));
    assert_int_equal(capture.call.code, BB_RPC_INVALID_ARGUMENT);
    check_has(capture.call.message.text, "trace_id: expected");
    rpc_capture_dispose(&capture);
    run(fx, "FindTraces", bb_slice_of("\x0a\xff", 2));
    assert_int_equal(capture.call.code, BB_RPC_INVALID_ARGUMENT);
    rpc_capture_dispose(&capture);
    run(fx, "FindTraceSummaries", search_request(packed, "web", -1));
    assert_int_equal(capture.call.code, BB_RPC_INVALID_ARGUMENT);
    check_has(capture.call.message.text, "query.search_depth: ");
    rpc_capture_dispose(&capture);
    run(fx, "GetOperations", bb_slice_of(NULL, 0));
    assert_int_equal(capture.call.code, BB_RPC_INVALID_ARGUMENT);
    rpc_capture_dispose(&capture);
}

static void refuses_a_request_over_the_limit(void **state)
{
    static uint8_t large[BB_QUERY_REQUEST_BYTES_MAX + 1];
    struct query_fixture *fx = *state;

    run(fx, "GetServices", bb_slice_of(large, sizeof(large)));
    assert_int_equal(capture.call.code, BB_RPC_RESOURCE_EXHAUSTED);
    check_has(capture.call.message.text, "over 262144 bytes");
    rpc_capture_dispose(&capture);
}

static void says_unavailable_while_other_queries_have_the_memory(void **state)
{
    struct query_fixture *fx = *state;
    size_t all = fx->budget.limit_bytes;

    assert_true(bb_mem_budget_try_take(&fx->budget, all));
    run(fx, "GetServices", bb_slice_of(NULL, 0));
    bb_mem_budget_give(&fx->budget, all);
    assert_int_equal(capture.call.code, BB_RPC_UNAVAILABLE);
    rpc_capture_dispose(&capture);
}

static void lists_services_operations_and_calls(void **state)
{
    struct query_fixture *fx = *state;

    run(fx, "GetServices", bb_slice_of(NULL, 0));
    assert_int_equal(capture.message_count, 1);
    Jaeger__ApiV3__GetServicesResponse *services = jaeger__api_v3__get_services_response__unpack(
        NULL, capture.messages[0].size, capture.messages[0].data);
    assert_non_null(services);
    assert_int_equal(services->n_services, 3);
    assert_string_equal(services->services[2], "web");
    jaeger__api_v3__get_services_response__free_unpacked(services, NULL);
    rpc_capture_dispose(&capture);

    run(fx, "GetOperations",
        bb_slice_of("\x0a\x04"
                    "cart",
                    6));
    assert_int_equal(capture.message_count, 1);
    Jaeger__ApiV3__GetOperationsResponse *operations =
        jaeger__api_v3__get_operations_response__unpack(NULL, capture.messages[0].size,
                                                        capture.messages[0].data);
    assert_non_null(operations);
    assert_int_equal(operations->n_operations, 2);
    jaeger__api_v3__get_operations_response__free_unpacked(operations, NULL);
    rpc_capture_dispose(&capture);

    run(fx, "GetDependencies", bb_slice_of(NULL, 0));
    assert_int_equal(capture.message_count, 1);
    Jaeger__ApiV3__DependenciesResponse *calls = jaeger__api_v3__dependencies_response__unpack(
        NULL, capture.messages[0].size, capture.messages[0].data);
    assert_non_null(calls);
    assert_int_equal(calls->n_dependencies, 1);
    assert_string_equal(calls->dependencies[0]->child, "cart");
    jaeger__api_v3__dependencies_response__free_unpacked(calls, NULL);
    rpc_capture_dispose(&capture);
}

static void answers_with_an_empty_list_rather_than_nothing(void **state)
{
    struct query_fixture *fx = *state;

    run(fx, "GetServices", bb_slice_of(NULL, 0));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 1); /* a unary call needs its one message */
    assert_int_equal(capture.messages[0].size, 0);
    rpc_capture_dispose(&capture);
}

static void summarizes_what_is_found(void **state)
{
    struct query_fixture *fx = *state;
    uint8_t packed[256];

    run(fx, "FindTraceSummaries", search_request(packed, "", 2));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_int_equal(capture.message_count, 1);
    Jaeger__ApiV3__FindTraceSummariesResponse *response =
        jaeger__api_v3__find_trace_summaries_response__unpack(NULL, capture.messages[0].size,
                                                              capture.messages[0].data);
    assert_non_null(response);
    assert_int_equal(response->n_summaries, 2);
    assert_string_equal(response->summaries[0]->trace_id, FIXTURE_TRACE_3);
    assert_string_equal(response->summaries[1]->root_operation_name, "GET /");
    assert_int_equal(response->summaries[1]->orphan_span_count, 1);
    jaeger__api_v3__find_trace_summaries_response__free_unpacked(response, NULL);
    rpc_capture_dispose(&capture);
}

/* One trace of 10 MB in 20 spans, each of another resource than the one before by time. */
static void append_large_trace(struct query_fixture *fx)
{
    static char text[500001];
    struct span_build build;

    memset(text, 'x', sizeof(text) - 1);
    span_build_init(&build);
    for (uint64_t i = 0; i < 20; i++) {
        span_build_resource(&build, i % 2 == 0 ? "even" : "odd");
        span_build_scope(&build, "lib", NULL);
        span_build_span(&build, (struct span_spec){.trace = 7,
                                                   .id = i + 1,
                                                   .name = "large",
                                                   .start_unix_ns = FIXTURE_START_NS + i,
                                                   .end_unix_ns = FIXTURE_START_NS + i + 1});
        span_build_string(&build, "text", text);
    }
    query_fixture_append(fx, &build);
}

static void streams_a_large_trace_in_chunks_that_clients_take(void **state)
{
    struct query_fixture *fx = *state;
    uint32_t span_count = 0;

    append_large_trace(fx);
    run(fx, "GetTrace",
        bb_slice_of("\x0a\x20"
                    "a0a1a2a3a4a5a6a70000000000000007",
                    34));
    assert_int_equal(capture.call.code, BB_RPC_OK);
    assert_true(capture.message_count >= 4);
    for (uint32_t i = 0; i < capture.message_count; i++) {
        assert_true(capture.messages[i].size <= BB_GRPC_CHUNK_BYTES_MAX);
        assert_int_equal(check_chunk(capture.messages[i], &span_count), 7);
    }
    assert_int_equal(span_count, 20);
    rpc_capture_dispose(&capture);
}

static void stops_when_the_client_has_gone(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_rpc_method methods[BB_QUERY_RPC_METHODS_MAX];

    append_large_trace(fx);
    (void)bb_query_rpc_methods(&fx->api, methods);
    assert_string_equal(methods[0].path, "/jaeger.api_v3.QueryService/GetTrace");
    rpc_capture_init(&capture, bb_slice_of("\x0a\x20"
                                           "a0a1a2a3a4a5a6a70000000000000007",
                                           34));
    capture.cancel_after = 1;
    methods[0].handler(methods[0].ctx, &capture.call);
    assert_int_equal(capture.call.code, BB_RPC_CANCELLED);
    assert_int_equal(capture.message_count, 1);
    rpc_capture_dispose(&capture);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up, query_fixture_tear_down)
#define TEST_EMPTY(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up_empty, query_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(streams_each_found_trace_in_messages_of_its_own),
        TEST(streams_nothing_when_nothing_is_found),
        TEST(gives_a_trace_by_its_id),
        TEST(says_not_found_for_an_unknown_trace),
        TEST(says_invalid_argument_for_a_bad_request),
        TEST(refuses_a_request_over_the_limit),
        TEST(says_unavailable_while_other_queries_have_the_memory),
        TEST(lists_services_operations_and_calls),
        TEST_EMPTY(answers_with_an_empty_list_rather_than_nothing),
        TEST(summarizes_what_is_found),
        TEST_EMPTY(streams_a_large_trace_in_chunks_that_clients_take),
        TEST_EMPTY(stops_when_the_client_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
