/*
 * Holds our reading and writing of jaeger.api_v3 against the code that protoc-c makes from the
 * .proto: requests are packed by it, answers unpacked by it.
 */
#include "query/api_v3_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pb_wire.h"
#include "jaeger/api_v3/query_service.pb-c.h"
#include "tests/support/span_build.h"

#define TEXT(literal) bb_slice_of(literal, sizeof(literal) - 1)

static struct bb_err_detail detail;
static struct bb_search_params params;
static uint8_t packed[4096];

static struct bb_slice pack(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);

    assert_true(size <= sizeof(packed));
    return bb_slice_of(packed, protobuf_c_message_pack(message, packed));
}

static void reads_every_field_of_a_search(void **state)
{
    Jaeger__ApiV3__TraceQueryParameters__AttributesEntry first =
        JAEGER__API_V3__TRACE_QUERY_PARAMETERS__ATTRIBUTES_ENTRY__INIT;
    Jaeger__ApiV3__TraceQueryParameters__AttributesEntry second = first;
    Jaeger__ApiV3__TraceQueryParameters__AttributesEntry *entries[] = {&first, &second};
    Google__Protobuf__Timestamp min = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp max = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration shortest = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Protobuf__Duration longest = GOOGLE__PROTOBUF__DURATION__INIT;
    Jaeger__ApiV3__TraceQueryParameters query = JAEGER__API_V3__TRACE_QUERY_PARAMETERS__INIT;
    Jaeger__ApiV3__FindTracesRequest find = JAEGER__API_V3__FIND_TRACES_REQUEST__INIT;
    Jaeger__ApiV3__FindTraceSummariesRequest summaries =
        JAEGER__API_V3__FIND_TRACE_SUMMARIES_REQUEST__INIT;
    const ProtobufCMessage *requests[] = {&find.base, &summaries.base};

    (void)state;
    first.key = "error";
    first.value = "true";
    second.key = "k";
    second.value = "v";
    min.seconds = 5;
    min.nanos = 7;
    max.seconds = 9;
    shortest.nanos = 1000;
    longest.seconds = 2;
    query.service_name = "web";
    query.operation_name = "GET /";
    query.n_attributes = 2;
    query.attributes = entries;
    query.start_time_min = &min;
    query.start_time_max = &max;
    query.duration_min = &shortest;
    query.duration_max = &longest;
    query.search_depth = 42;
    query.raw_traces = 1;
    find.query = &query;
    summaries.query = &query;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bb_api_v3_read_search(pack(requests[i]), &params, &detail), BB_OK);
        const struct bb_search *search = &params.search;
        assert_true(search->has_service_name);
        assert_true(bb_slice_equals_cstr(search->service_name, "web"));
        assert_true(search->has_operation);
        assert_true(bb_slice_equals_cstr(search->operation, "GET /"));
        assert_int_equal(search->condition_count, 2);
        assert_int_equal(search->conditions[0].type, BB_CONDITION_ERROR_TAG);
        assert_int_equal(search->conditions[1].type, BB_CONDITION_ATTRIBUTE);
        assert_true(bb_slice_equals_cstr(search->conditions[1].key, "k"));
        assert_true(bb_slice_equals_cstr(search->conditions[1].value, "v"));
        assert_true(search->start_unix_ns_min == UINT64_C(5000000007));
        assert_true(search->start_unix_ns_max == UINT64_C(8999999999)); /* the end is exclusive */
        assert_true(search->duration_ns_min == 1000);
        assert_true(search->duration_ns_max == UINT64_C(2000000000));
        assert_int_equal(search->limit, 42);
        assert_int_equal(search->order, BB_ORDER_NEWEST);
    }
}

static void takes_an_empty_request_for_a_search_of_everything(void **state)
{
    (void)state;
    assert_int_equal(bb_api_v3_read_search(bb_slice_of(NULL, 0), &params, &detail), BB_OK);
    assert_false(params.search.has_service_name);
    assert_true(params.search.start_unix_ns_max == 0);
    assert_int_equal(params.search.limit, 100);
}

/* A query with one field of the given content; a NUL in a name cuts nothing. */
static enum bb_err read_query_with(uint32_t number, struct bb_slice content)
{
    struct bb_buf out;

    bb_buf_init(&out, sizeof(packed));
    size_t mark = bb_pb_begin_message(&out, 1);
    bb_pb_write_bytes(&out, number, content);
    bb_pb_end_message(&out, mark);
    assert_int_equal(bb_buf_err(&out), BB_OK);
    memcpy(packed, out.data, out.size);
    size_t size = out.size;
    bb_buf_dispose(&out);
    detail.text[0] = '\0';
    return bb_api_v3_read_search(bb_slice_of(packed, size), &params, &detail);
}

static void keeps_a_name_with_a_nul_whole(void **state)
{
    (void)state;
    assert_int_equal(read_query_with(1, TEXT("a\0b")), BB_OK);
    assert_int_equal(params.search.service_name.size, 3);
}

static void names_the_field_that_is_wrong(void **state)
{
    static const struct {
        uint32_t number;
        struct bb_slice content;
        const char *begins;
    } rows[] = {
        {3, {(const uint8_t *)"\x0a", 1}, "query.attributes: malformed"},
        {3, {(const uint8_t *)"\x12\x01v", 3}, "query.attributes: a tag has an empty key"},
        {4, {(const uint8_t *)"\x08", 1}, "query.start_time_min: malformed"},
        /* nanos = 1000000000 */
        {4, {(const uint8_t *)"\x10\x80\x94\xeb\xdc\x03", 6}, "query.start_time_min.nanos: "},
        {5, {(const uint8_t *)"", 0}, "query.start_time_max: must lie after 1970"},
        /* seconds = -1 */
        {6,
         {(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
         "query.duration_min: must not be negative"},
        {10, {(const uint8_t *)"", 0}, "query.filter: structured filters are not supported"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(read_query_with(rows[i].number, rows[i].content), BB_EINVAL);
        if (strncmp(detail.text, rows[i].begins, strlen(rows[i].begins)) != 0) {
            fail_msg("\"%s\" does not begin with \"%s\"", detail.text, rows[i].begins);
        }
    }
}

static void takes_times_before_1970_for_no_bound_below(void **state)
{
    (void)state;
    /* Go's zero time: seconds = -62135596800 */
    assert_int_equal(
        read_query_with(4, bb_slice_of("\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01", 11)), BB_OK);
    assert_true(params.search.start_unix_ns_min == 0);
}

static void bounds_the_search_depth(void **state)
{
    static const struct {
        int32_t depth;
        enum bb_err err;
        uint32_t limit;
    } rows[] = {
        {0, BB_OK, 100},        {1, BB_OK, 1},      {100000, BB_OK, 100000},
        {100001, BB_EINVAL, 0}, {-1, BB_EINVAL, 0},
    };
    Jaeger__ApiV3__TraceQueryParameters query = JAEGER__API_V3__TRACE_QUERY_PARAMETERS__INIT;
    Jaeger__ApiV3__FindTracesRequest find = JAEGER__API_V3__FIND_TRACES_REQUEST__INIT;

    (void)state;
    find.query = &query;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        query.search_depth = rows[i].depth;
        assert_int_equal(bb_api_v3_read_search(pack(&find.base), &params, &detail), rows[i].err);
        if (rows[i].err == BB_OK) {
            assert_int_equal(params.search.limit, rows[i].limit);
        }
    }
}

static void reads_a_trace_request(void **state)
{
    Jaeger__ApiV3__GetTraceRequest request = JAEGER__API_V3__GET_TRACE_REQUEST__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    struct bb_trace_id id;

    (void)state;
    request.trace_id = "abc";
    request.start_time = &time;
    request.raw_traces = 1;
    assert_int_equal(bb_api_v3_read_get_trace(pack(&request.base), &id, &detail), BB_OK);
    assert_int_equal(id.bytes[14], 0x0a);
    assert_int_equal(id.bytes[15], 0xbc);
    request.trace_id = "xyz";
    assert_int_equal(bb_api_v3_read_get_trace(pack(&request.base), &id, &detail), BB_EINVAL);
    assert_int_equal(bb_api_v3_read_get_trace(bb_slice_of(NULL, 0), &id, &detail), BB_EINVAL);
    assert_int_equal(bb_api_v3_read_get_trace(TEXT("\x0a\x05"), &id, &detail), BB_EINVAL);
}

static void reads_an_operations_request(void **state)
{
    Jaeger__ApiV3__GetOperationsRequest request = JAEGER__API_V3__GET_OPERATIONS_REQUEST__INIT;
    struct bb_operations_query query;

    (void)state;
    request.service = "web";
    assert_int_equal(bb_api_v3_read_get_operations(pack(&request.base), &query, &detail), BB_OK);
    assert_true(bb_slice_equals_cstr(query.service, "web"));
    assert_false(query.has_kind);
    request.span_kind = "server";
    assert_int_equal(bb_api_v3_read_get_operations(pack(&request.base), &query, &detail), BB_OK);
    assert_true(query.has_kind);
    assert_int_equal(query.kind, BB_KIND_SERVER);
    request.span_kind = "up";
    assert_int_equal(bb_api_v3_read_get_operations(pack(&request.base), &query, &detail),
                     BB_EINVAL);
    request.service = "";
    assert_int_equal(bb_api_v3_read_get_operations(pack(&request.base), &query, &detail),
                     BB_EINVAL);
}

static void reads_a_dependencies_request(void **state)
{
    Jaeger__ApiV3__GetDependenciesRequest request = JAEGER__API_V3__GET_DEPENDENCIES_REQUEST__INIT;
    Google__Protobuf__Timestamp start = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp end = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    uint64_t min;
    uint64_t max;

    (void)state;
    assert_int_equal(bb_api_v3_read_get_dependencies(bb_slice_of(NULL, 0), &min, &max, &detail),
                     BB_OK);
    assert_true(min == 0);
    assert_true(max == UINT64_MAX);
    start.seconds = 3;
    end.seconds = 4;
    request.start_time = &start;
    request.end_time = &end;
    assert_int_equal(bb_api_v3_read_get_dependencies(pack(&request.base), &min, &max, &detail),
                     BB_OK);
    assert_true(min == UINT64_C(3000000000));
    assert_true(max == UINT64_C(4000000000));
    start.seconds = 5;
    assert_int_equal(bb_api_v3_read_get_dependencies(pack(&request.base), &min, &max, &detail),
                     BB_EINVAL);
}

static void writes_lists_that_the_generated_code_reads(void **state)
{
    const struct bb_slice names[] = {TEXT("cart"), bb_slice_of(NULL, 0)};
    const struct bb_operation operations[] = {{TEXT("a"), BB_KIND_SERVER},
                                              {TEXT("b"), BB_KIND_UNSPECIFIED}};
    const struct bb_dependency dependencies[] = {{TEXT("a"), TEXT("b"), UINT64_C(1) << 40, 7}};
    struct bb_operations_query any = {.has_kind = false};
    struct bb_operations_query servers = {.has_kind = true, .kind = BB_KIND_SERVER};
    struct bb_buf out;

    (void)state;
    bb_buf_init(&out, 1 << 16);
    bb_api_v3_write_services(names, 2, &out);
    Jaeger__ApiV3__GetServicesResponse *services =
        jaeger__api_v3__get_services_response__unpack(NULL, out.size, out.data);
    assert_non_null(services);
    assert_int_equal(services->n_services, 2);
    assert_string_equal(services->services[0], "cart");
    assert_string_equal(services->services[1], BB_NO_SERVICE_NAME);
    jaeger__api_v3__get_services_response__free_unpacked(services, NULL);

    bb_buf_clear(&out);
    bb_api_v3_write_operations(operations, 2, &any, &out);
    Jaeger__ApiV3__GetOperationsResponse *listed =
        jaeger__api_v3__get_operations_response__unpack(NULL, out.size, out.data);
    assert_non_null(listed);
    assert_int_equal(listed->n_operations, 2);
    assert_string_equal(listed->operations[0]->name, "a");
    assert_string_equal(listed->operations[0]->span_kind, "server");
    assert_string_equal(listed->operations[1]->name, "b");
    assert_string_equal(listed->operations[1]->span_kind, "");
    jaeger__api_v3__get_operations_response__free_unpacked(listed, NULL);

    bb_buf_clear(&out);
    bb_api_v3_write_operations(operations, 2, &servers, &out);
    listed = jaeger__api_v3__get_operations_response__unpack(NULL, out.size, out.data);
    assert_non_null(listed);
    assert_int_equal(listed->n_operations, 1);
    jaeger__api_v3__get_operations_response__free_unpacked(listed, NULL);

    bb_buf_clear(&out);
    bb_api_v3_write_dependencies(dependencies, 1, &out);
    Jaeger__ApiV3__DependenciesResponse *calls =
        jaeger__api_v3__dependencies_response__unpack(NULL, out.size, out.data);
    assert_non_null(calls);
    assert_int_equal(calls->n_dependencies, 1);
    assert_string_equal(calls->dependencies[0]->parent, "a");
    assert_string_equal(calls->dependencies[0]->child, "b");
    assert_true(calls->dependencies[0]->call_count == UINT64_C(1) << 40);
    jaeger__api_v3__dependencies_response__free_unpacked(calls, NULL);
    bb_buf_dispose(&out);
}

static void writes_summaries_that_the_generated_code_reads(void **state)
{
    struct bb_service_summary services[] = {{TEXT("cart"), 1, 0}, {TEXT("web"), 3, 2}};
    struct bb_trace_summary summary = {
        .trace_id = span_build_trace_id(1),
        .root_service_name = TEXT("web"),
        .root_operation_name = TEXT("GET /"),
        .start_unix_ns_min = 11,
        .end_unix_ns_max = 22,
        .span_count = 4,
        .error_count = 2,
        .orphan_count = 1,
        .services = services,
        .service_count = 2,
    };
    struct bb_buf out;

    (void)state;
    bb_buf_init(&out, 1 << 16);
    bb_api_v3_write_summary(&summary, &out);
    bb_api_v3_write_summary(&summary, &out);
    Jaeger__ApiV3__FindTraceSummariesResponse *response =
        jaeger__api_v3__find_trace_summaries_response__unpack(NULL, out.size, out.data);
    assert_non_null(response);
    assert_int_equal(response->n_summaries, 2);
    const Jaeger__ApiV3__TraceSummary *read = response->summaries[1];
    assert_string_equal(read->trace_id, "a0a1a2a3a4a5a6a70000000000000001");
    assert_string_equal(read->root_service_name, "web");
    assert_string_equal(read->root_operation_name, "GET /");
    assert_true(read->min_start_time_unix_nano == 11);
    assert_true(read->max_end_time_unix_nano == 22);
    assert_int_equal(read->span_count, 4);
    assert_int_equal(read->error_span_count, 2);
    assert_int_equal(read->orphan_span_count, 1);
    assert_int_equal(read->n_services, 2);
    assert_string_equal(read->services[1]->name, "web");
    assert_int_equal(read->services[1]->span_count, 3);
    assert_int_equal(read->services[1]->error_span_count, 2);
    jaeger__api_v3__find_trace_summaries_response__free_unpacked(response, NULL);
    bb_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field_of_a_search),
        cmocka_unit_test(takes_an_empty_request_for_a_search_of_everything),
        cmocka_unit_test(keeps_a_name_with_a_nul_whole),
        cmocka_unit_test(names_the_field_that_is_wrong),
        cmocka_unit_test(takes_times_before_1970_for_no_bound_below),
        cmocka_unit_test(bounds_the_search_depth),
        cmocka_unit_test(reads_a_trace_request),
        cmocka_unit_test(reads_an_operations_request),
        cmocka_unit_test(reads_a_dependencies_request),
        cmocka_unit_test(writes_lists_that_the_generated_code_reads),
        cmocka_unit_test(writes_summaries_that_the_generated_code_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
