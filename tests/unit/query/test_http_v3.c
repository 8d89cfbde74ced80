#include "query/http_v3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/otlp_walk.h"
#include "query_fixture.h"

static void check_answer(struct query_fixture *fx, const char *target, unsigned status,
                         const char *body)
{
    const char *got = query_fixture_get(fx, target);

    assert_string_equal(got, body);
    assert_int_equal(fx->call.response.status, status);
    assert_string_equal(fx->call.response.content_type, "application/json; charset=utf-8");
}

static void lists_services(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/v3/services", 200,
                 "{\"services\":[\"OTLPResourceNoServiceName\",\"cart\",\"web\"]}");
    assert_string_equal(http_call_header(&fx->call, "Bobbin-Complete"), "true");
    assert_string_equal(http_call_header(&fx->call, "X-Content-Type-Options"), "nosniff");
}

static void keeps_the_list_when_it_is_empty(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/v3/services", 200, "{\"services\":[]}");
    check_answer(fx, "/api/v3/operations?service=x", 200, "{\"operations\":[]}");
    check_answer(fx, "/api/v3/trace-summaries", 200, "{\"summaries\":[],\"complete\":true}");
    check_answer(fx, "/api/v3/dependencies", 200, "{\"dependencies\":[]}");
}

static void shows_operations_without_a_kind_as_internal(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/v3/operations?service=OTLPResourceNoServiceName", 200,
                 "{\"operations\":[{\"name\":\"batch\",\"spanKind\":\"internal\"}]}");
    check_answer(fx, "/api/v3/operations?service=cart&span_kind=SPAN_KIND_CLIENT", 200,
                 "{\"operations\":[{\"name\":\"getCart\",\"spanKind\":\"client\"}]}");
}

static void wraps_a_trace_as_otlp(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(
        fx, "/api/v3/traces/" FIXTURE_TRACE_3, 200,
        "{\"result\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"tenant\","
        "\"value\":{\"stringValue\":\"blue\"}}]},\"scopeSpans\":[{\"scope\":{},\"spans\":["
        "{\"traceId\":\"" FIXTURE_TRACE_3 "\",\"spanId\":\"0000000000000031\","
        "\"name\":\"batch\",\"kind\":0,\"startTimeUnixNano\":\"1700000020000000000\","
        "\"endTimeUnixNano\":\"1700000022000000000\"}]}]}]}}");
}

static void answers_an_unknown_trace_as_jaeger_does(void **state)
{
    struct query_fixture *fx = *state;
    static const char none[] = "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}";

    check_answer(fx, "/api/v3/traces/abc", 404, none);
    check_answer(fx, "/api/v3/traces?query.serviceName=nobody", 404, none);
}

static void puts_all_traces_found_into_one_list(void **state)
{
    struct query_fixture *fx = *state;
    const char *body = query_fixture_get(fx, "/api/v3/traces?query.serviceName=web");

    assert_int_equal(fx->call.response.status, 200);
    assert_int_equal(count_of(body, "\"resource\":"), 4);
    assert_int_equal(count_of(body, "\"traceId\":\"" FIXTURE_TRACE_1 "\""), 2);
    assert_int_equal(count_of(body, "\"traceId\":\"" FIXTURE_TRACE_2 "\""), 2);
}

static void summarizes_what_is_found(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(
        fx, "/api/v3/trace-summaries?query.service_name=cart", 200,
        "{\"summaries\":[{\"traceId\":\"" FIXTURE_TRACE_2 "\",\"rootServiceName\":\"web\","
        "\"rootOperationName\":\"GET /\",\"minStartTimeUnixNano\":\"1700000010000000000\","
        "\"maxEndTimeUnixNano\":\"1700000010020000000\",\"spanCount\":2,\"errorSpanCount\":0,"
        "\"orphanSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":1,"
        "\"errorSpanCount\":0},{\"name\":\"web\",\"spanCount\":1,\"errorSpanCount\":0}]},"
        "{\"traceId\":\"" FIXTURE_TRACE_1 "\",\"rootServiceName\":\"web\","
        "\"rootOperationName\":\"GET /cart\",\"minStartTimeUnixNano\":\"1700000000000000000\","
        "\"maxEndTimeUnixNano\":\"1700000000100000000\",\"spanCount\":2,\"errorSpanCount\":1,"
        "\"orphanSpanCount\":0,\"services\":[{\"name\":\"cart\",\"spanCount\":1,"
        "\"errorSpanCount\":1},{\"name\":\"web\",\"spanCount\":1,\"errorSpanCount\":0}]}],"
        "\"complete\":true}");
}

static void finds_traces_by_every_parameter(void **state)
{
    static const struct {
        const char *query;
        const char *traces; /* last digits, in order */
    } searches[] = {
        {"", "321"},
        {"?query.sort=slowest", "312"},
        {"?query.searchDepth=1", "3"},
        {"?query.operationName=getCart", "21"},
        {"?query.attributes=%7B%22http.status_code%22:%22500%22%7D", "1"},
        {"?query.attributes=%7B%22error%22:%22true%22%7D", "1"},
        {"?query.durationMin=100ms&query.durationMax=1s", "1"},
        /* 22:13:20Z is FIXTURE_START_NS; the end is exclusive, the blank an unescaped "+". */
        {"?query.startTimeMin=2023-11-14T22:13:30Z&query.startTimeMax=2023-11-14T22:13:40Z", "2"},
        {"?query.start_time_min=2023-11-14T23:13:30+01:00", "32"},
        {"?query.start_time_max=2023-11-14T22:13:20.000000001Z", "1"},
        {"?query.start_time_max=2023-11-14T22:13:20Z", ""},
    };
    struct query_fixture *fx = *state;
    char target[256];

    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        (void)snprintf(target, sizeof(target), "/api/v3/trace-summaries%s", searches[i].query);
        const char *body = query_fixture_get(fx, target);
        char found[8] = "";
        size_t count = 0;
        assert_int_equal(fx->call.response.status, 200);
        while ((body = strstr(body, "{\"traceId\":\"")) != NULL && count + 1 < sizeof(found)) {
            body += strlen("{\"traceId\":\"");
            found[count++] = body[31];
            found[count] = '\0';
        }
        if (strcmp(found, searches[i].traces) != 0) {
            fail_msg("%s: found \"%s\", wanted \"%s\"", target, found, searches[i].traces);
        }
    }
}

static void gives_protobuf_to_who_asks_for_it(void **state)
{
    static const char *const accepts[] = {"application/x-protobuf", "Application/Protobuf;q=1, */*",
                                          "text/html, application/protobuf"};
    struct query_fixture *fx = *state;
    struct bb_walk_result result;
    struct bb_arena arena;

    for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
        http_call_dispose(&fx->call);
        http_call_init(&fx->call, "GET", "/api/v3/traces?query.serviceName=web");
        http_call_set_header(&fx->call, "Accept", accepts[i]);
        http_call_run(&fx->call, bb_query_http_handle, &fx->api);
        assert_int_equal(fx->call.response.status, 200);
        assert_string_equal(fx->call.response.content_type, "application/x-protobuf");
        bb_arena_init(&arena, 1 << 20);
        assert_int_equal(bb_otlp_walk(bb_buf_slice(&fx->call.response.body), &arena, NULL, &result),
                         BB_OK);
        assert_int_equal(result.rejected_count, 0);
        assert_int_equal(result.batch.span_count, 4);
        bb_arena_dispose(&arena);
    }
}

static void gives_json_to_who_asks_for_it_first(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "GET", "/api/v3/traces/" FIXTURE_TRACE_1);
    http_call_set_header(&fx->call, "Accept", "application/json, application/x-protobuf");
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    check_has(http_call_body(&fx->call), "{\"result\":{\"resourceSpans\":[");
}

static void tells_errors_as_json_also_to_who_asks_for_protobuf(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "GET", "/api/v3/traces/abc");
    http_call_set_header(&fx->call, "Accept", "application/x-protobuf");
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 404);
    assert_string_equal(fx->call.response.content_type, "application/json; charset=utf-8");
    check_has(http_call_body(&fx->call), "No traces found");
}

static void counts_calls_as_protobuf_json_has_64_bits(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/v3/dependencies", 200,
                 "{\"dependencies\":[{\"parent\":\"web\",\"child\":\"cart\",\"callCount\":\"1\","
                 "\"errorCount\":\"1\"}]}");
    check_answer(fx, "/api/v3/dependencies?startTime=2023-11-14T22:13:30Z", 200,
                 "{\"dependencies\":[]}");
}

static void answers_bad_requests_in_its_own_envelope(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *message;
    } bad[] = {
        {"/api/v3/traces?query.searchDepth=x", 400, "query.searchDepth: expected"},
        {"/api/v3/trace-summaries?query.startTimeMin=1", 400, "query.startTimeMin: expected"},
        {"/api/v3/trace-summaries?query.filter=%7B%7D", 400, "query.filter: "},
        {"/api/v3/traces/xyz", 400, "trace id: expected"},
        {"/api/v3/traces/abc?startTime=now", 400, "startTime: expected"},
        {"/api/v3/traces/abc?end_time=now", 400, "endTime: expected"},
        {"/api/v3/traces/abc?rawTraces=2", 400, "rawTraces: expected"},
        {"/api/v3/operations", 400, "service: required"},
        {"/api/v3/operations?service=a&spanKind=up", 400, "spanKind: expected"},
        {"/api/v3/dependencies?startTime=1", 400, "startTime: expected"},
        {"/api/v3/dependencies?startTime=2023-01-02T00:00:00Z&endTime=2023-01-01T00:00:00Z", 400,
         "startTime: must lie before"},
        {"/api/v3/services?a=%zz", 400, "without two hex digits"},
        {"/api/v3/%zz", 400, "the path has a"},
        {"/api/v3", 404, "no such endpoint"},
        {"/api/v3/traces/", 404, "no such endpoint"},
        {"/api/v3/other", 404, "no such endpoint"},
    };
    struct query_fixture *fx = *state;
    char begin[64];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *body = query_fixture_get(fx, bad[i].target);
        (void)snprintf(begin, sizeof(begin), "{\"error\":{\"httpCode\":%u,\"message\":\"",
                       bad[i].status);
        assert_int_equal(fx->call.response.status, bad[i].status);
        check_has(body, begin);
        check_has(body, bad[i].message);
    }
}

static void refuses_to_be_written_to(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "DELETE", "/api/v3/services");
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 405);
    assert_string_equal(http_call_header(&fx->call, "Allow"), "GET, HEAD");
    check_has(http_call_body(&fx->call), "{\"error\":{\"httpCode\":405,");
}

static void says_in_the_body_too_that_summaries_are_incomplete(void **state)
{
    struct query_fixture *fx = *state;

    size_t one = strlen(query_fixture_get(fx, "/api/v3/trace-summaries?query.searchDepth=1"));
    http_call_dispose(&fx->call);
    http_call_init(&fx->call, "GET", "/api/v3/trace-summaries");
    fx->call.response.body.limit_bytes = BB_ANSWER_END_BYTES + one + 10;
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    const char *body = http_call_body(&fx->call);

    assert_string_equal(http_call_header(&fx->call, "Bobbin-Complete"), "false");
    assert_int_equal(count_of(body, "\"traceId\""), 1);
    check_has(body, "}],\"complete\":false,\"incompleteReason\":\"the answer is full with 1 of 3 "
                    "traces\"}");
}

static void never_cuts_a_trace_that_does_not_fit(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "GET", "/api/v3/traces/" FIXTURE_TRACE_1);
    fx->call.response.body.limit_bytes = BB_ANSWER_END_BYTES + 100;
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 422);
    check_has(http_call_body(&fx->call), "takes more memory than one query may");
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up, query_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lists_services),
        cmocka_unit_test_setup_teardown(keeps_the_list_when_it_is_empty, query_fixture_set_up_empty,
                                        query_fixture_tear_down),
        TEST(shows_operations_without_a_kind_as_internal),
        TEST(wraps_a_trace_as_otlp),
        TEST(answers_an_unknown_trace_as_jaeger_does),
        TEST(puts_all_traces_found_into_one_list),
        TEST(summarizes_what_is_found),
        TEST(finds_traces_by_every_parameter),
        TEST(gives_protobuf_to_who_asks_for_it),
        TEST(gives_json_to_who_asks_for_it_first),
        TEST(tells_errors_as_json_also_to_who_asks_for_protobuf),
        TEST(counts_calls_as_protobuf_json_has_64_bits),
        TEST(answers_bad_requests_in_its_own_envelope),
        TEST(refuses_to_be_written_to),
        TEST(says_in_the_body_too_that_summaries_are_incomplete),
        TEST(never_cuts_a_trace_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
