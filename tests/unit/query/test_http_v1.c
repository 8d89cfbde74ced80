#include "query/http_v1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/metrics.h"
#include "query_fixture.h"

static void check_answer(struct query_fixture *fx, const char *target, unsigned status,
                         const char *body)
{
    const char *got = query_fixture_get(fx, target);

    assert_string_equal(got, body);
    assert_int_equal(fx->call.response.status, status);
    assert_string_equal(fx->call.response.content_type, "application/json; charset=utf-8");
}

static void lists_services_in_the_envelope(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/services", 200,
                 "{\"data\":[\"OTLPResourceNoServiceName\",\"cart\",\"web\"],\"total\":3,"
                 "\"limit\":0,\"offset\":0,\"errors\":null}");
    assert_string_equal(http_call_header(&fx->call, "Bobbin-Complete"), "true");
}

static void lists_the_names_of_a_services_operations_once(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/services/cart/operations", 200,
                 "{\"data\":[\"getCart\"],\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
    check_answer(fx, "/api/services/OTLPResourceNoServiceName/operations", 200,
                 "{\"data\":[\"batch\"],\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
    check_answer(fx, "/api/services/a%2Fb/operations", 200,
                 "{\"data\":[],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}");
}

static void lists_operations_with_their_kinds(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/operations?service=cart", 200,
                 "{\"data\":[{\"name\":\"getCart\",\"spanKind\":\"server\"},"
                 "{\"name\":\"getCart\",\"spanKind\":\"client\"}],"
                 "\"total\":2,\"limit\":0,\"offset\":0,\"errors\":null}");
    check_answer(fx, "/api/operations?service=cart&spanKind=client", 200,
                 "{\"data\":[{\"name\":\"getCart\",\"spanKind\":\"client\"}],"
                 "\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
    check_answer(fx, "/api/operations?service=OTLPResourceNoServiceName", 200,
                 "{\"data\":[{\"name\":\"batch\",\"spanKind\":\"\"}],"
                 "\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
}

static void gives_a_trace_by_any_form_of_its_id(void **state)
{
    static const char *const targets[] = {
        "/api/traces/" FIXTURE_TRACE_1,
        "/api/traces/A0A1A2A3A4A5A6A70000000000000001?raw=true&start=1&end=2",
        "/api/traces/oKGio6Slpqc%41AAAAAAAAAQ%3D%3D",
    };
    struct query_fixture *fx = *state;

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const char *body = query_fixture_get(fx, targets[i]);
        assert_int_equal(fx->call.response.status, 200);
        check_has(body, "{\"data\":[{\"traceID\":\"" FIXTURE_TRACE_1 "\",\"spans\":[");
        check_has(body, "\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
        assert_int_equal(count_of(body, "\"operationName\""), 2);
    }
}

static void tells_an_unknown_trace_by_404_and_its_id(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/traces/12ab", 404,
                 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":404,"
                 "\"msg\":\"trace not found\","
                 "\"traceID\":\"000000000000000000000000000012ab\"}]}");
}

/* The ids of the answer, in order. */
static void check_found(struct query_fixture *fx, const char *target, const char *traces)
{
    const char *body = query_fixture_get(fx, target);
    char found[16] = "";
    size_t count = 0;

    if (fx->call.response.status != 200) {
        fail_msg("%s: %s", target, body);
    }
    while ((body = strstr(body, "\",\"spans\":[")) != NULL && count + 1 < sizeof(found)) {
        found[count++] = body[-1]; /* the last digit of the trace id */
        found[count] = '\0';
        body++;
    }
    if (strcmp(found, traces) != 0) {
        fail_msg("%s: found traces \"%s\", wanted \"%s\"", target, found, traces);
    }
}

static void finds_traces_by_every_parameter(void **state)
{
    static const struct {
        const char *target;
        const char *traces;
    } searches[] = {
        {"/api/traces", "321"},
        {"/api/traces?sort=slowest", "312"},
        {"/api/traces?limit=2", "32"},
        {"/api/traces?service=web", "21"},
        {"/api/traces?service=OTLPResourceNoServiceName", "3"},
        {"/api/traces?service=web&operation=GET%20/", "2"},
        {"/api/traces?operation=getCart", "21"},
        {"/api/traces?service=nobody", ""},
        {"/api/traces?tag=http.status_code:500", "1"},
        {"/api/traces?tags=%7B%22http.status_code%22:%22500%22%7D", "1"},
        {"/api/traces?tags=%7B%22http.status_code%22:500%7D", "1"},
        {"/api/traces?tag=tenant:blue", "3"},
        {"/api/traces?tag=error:true", "1"},
        {"/api/traces?tag=error:false&service=cart", "2"},
        {"/api/traces?tag=span.kind:client", "1"},
        {"/api/traces?tag=otel.status_code:ERROR", "1"},
        {"/api/traces?tag=otel.scope.name:http&tag=otel.scope.version:1.0", "21"},
        /* Each holds on a span of trace 1, but on no one span both. */
        {"/api/traces?tag=http.status_code:500&tag=error:true", ""},
        {"/api/traces?minDuration=100ms", "31"},
        {"/api/traces?minDuration=100.000001ms", "3"},
        {"/api/traces?maxDuration=20ms", "2"},
        {"/api/traces?start=1700000010000000", "32"},
        {"/api/traces?end=1700000009999999", "1"},
        {"/api/traces?start=1700000010000000&end=1700000010000000", "2"},
        {"/api/traces?traceID=" FIXTURE_TRACE_2 "&traceID=" FIXTURE_TRACE_1, "21"},
    };
    struct query_fixture *fx = *state;

    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        check_found(fx, searches[i].target, searches[i].traces);
    }
}

static void gives_found_traces_whole(void **state)
{
    struct query_fixture *fx = *state;
    const char *body = query_fixture_get(fx, "/api/traces?tag=http.status_code:500");

    check_has(body, "\"operationName\":\"GET /cart\"");
    check_has(body, "\"operationName\":\"getCart\"");
    check_has(body, "\"total\":1,\"limit\":100,\"offset\":0,\"errors\":null}");
}

static void tells_the_listed_traces_that_are_not_stored(void **state)
{
    struct query_fixture *fx = *state;
    const char *body = query_fixture_get(fx, "/api/traces?traceID=abc&traceID=" FIXTURE_TRACE_1);

    assert_int_equal(fx->call.response.status, 200);
    check_has(body, "\"total\":1,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":404,"
                    "\"msg\":\"trace not found\","
                    "\"traceID\":\"00000000000000000000000000000abc\"}]}");
}

static void answers_bad_parameters_with_400_and_their_name(void **state)
{
    static const struct {
        const char *target;
        const char *part;
    } bad[] = {
        {"/api/traces?limit=0", "\"msg\":\"limit: expected a number from 1 to 100000, got \\\"0"},
        {"/api/traces?minDuration=fast", "\"msg\":\"minDuration: expected a duration"},
        {"/api/traces?a=%zz", "without two hex digits"},
        {"/api/traces/nohex!", "\"msg\":\"trace id: expected"},
        {"/api/operations", "\"msg\":\"parameter 'service' is required\""},
        {"/api/operations?service=a&spanKind=up", "\"msg\":\"spanKind: expected"},
        {"/api/dependencies?endTs=now", "\"msg\":\"endTs: expected milliseconds\""},
        {"/api/dependencies?lookback=1d", "\"msg\":\"lookback: expected milliseconds\""},
        {"/api/services/%zz/operations", "the path has a"},
    };
    struct query_fixture *fx = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *body = query_fixture_get(fx, bad[i].target);
        check_has(body, bad[i].part);
        check_has(body, "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
                        "\"code\":400,");
        assert_int_equal(fx->call.response.status, 400);
    }
}

static void draws_calls_between_services_in_a_time_range(void **state)
{
    struct query_fixture *fx = *state;
    static const char found[] =
        "{\"data\":[{\"parent\":\"web\",\"child\":\"cart\",\"callCount\":1,\"errorCount\":1}],"
        "\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}";
    static const char nothing[] =
        "{\"data\":[],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}";

    check_answer(fx, "/api/dependencies", 200, found); /* the clock's last 24 hours */
    check_answer(fx, "/api/dependencies?endTs=1700000060000&lookback=60000", 200, found);
    check_answer(fx, "/api/dependencies?endTs=1700000060000&lookback=50000", 200, nothing);
    check_answer(fx, "/api/dependencies?service=cart", 200, found);
    check_answer(fx, "/api/dependencies?service=other", 200, nothing);
}

static void indents_when_asked_to(void **state)
{
    struct query_fixture *fx = *state;

    check_answer(fx, "/api/services/cart/operations?prettyPrint=true", 200,
                 "{\n    \"data\": [\n        \"getCart\"\n    ],\n    \"total\": 1,\n"
                 "    \"limit\": 0,\n    \"offset\": 0,\n    \"errors\": null\n}");
    check_answer(fx, "/api/services/cart/operations?prettyPrint=false", 200,
                 "{\"data\":[\"getCart\"],\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
}

static void answers_unknown_endpoints_with_404(void **state)
{
    static const char *const targets[] = {"/api",
                                          "/api/",
                                          "/api/service",
                                          "/api/services/",
                                          "/api/traces/1/2",
                                          "/api/metrics/calls",
                                          "/api/1/2/3/4/5/6/7/8/9"};
    struct query_fixture *fx = *state;

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        check_answer(fx, targets[i], 404,
                     "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":"
                     "404,\"msg\":\"no such endpoint\"}]}");
    }
}

static void refuses_to_be_written_to(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "POST", "/api/traces");
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 405);
    assert_string_equal(http_call_header(&fx->call, "Allow"), "GET, HEAD");
    check_has(http_call_body(&fx->call), "\"code\":405");
}

static void answers_503_while_other_queries_have_the_memory(void **state)
{
    struct query_fixture *fx = *state;
    int64_t busy = bb_metric_get(BB_M_QUERIES_BUSY);
    size_t all = fx->budget.limit_bytes;

    assert_true(bb_mem_budget_try_take(&fx->budget, all));
    const char *body = query_fixture_get(fx, "/api/services");
    bb_mem_budget_give(&fx->budget, all);
    assert_int_equal(fx->call.response.status, 503);
    assert_string_equal(http_call_header(&fx->call, "Retry-After"), "1");
    check_has(body, "\"code\":503");
    assert_int_equal(bb_metric_get(BB_M_QUERIES_BUSY), busy + 1);
}

static void stops_when_the_client_has_gone(void **state)
{
    struct query_fixture *fx = *state;
    int64_t cancelled = bb_metric_get(BB_M_QUERIES_CANCELLED);

    http_call_init(&fx->call, "GET", "/api/traces");
    fx->call.is_cancelled = true;
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 503);
    assert_int_equal(bb_metric_get(BB_M_QUERIES_CANCELLED), cancelled + 1);
}

static void counts_what_queries_come_to(void **state)
{
    struct query_fixture *fx = *state;
    int64_t ok = bb_metric_get(BB_M_QUERIES_OK);
    int64_t invalid = bb_metric_get(BB_M_QUERIES_INVALID);
    int64_t not_found = bb_metric_get(BB_M_QUERIES_NOT_FOUND);
    int64_t timed = bb_metric_get(BB_M_QUERY_SECONDS);

    query_fixture_get(fx, "/api/traces");
    query_fixture_get(fx, "/api/traces?limit=x");
    query_fixture_get(fx, "/api/traces/1");
    assert_int_equal(bb_metric_get(BB_M_QUERIES_OK), ok + 1);
    assert_int_equal(bb_metric_get(BB_M_QUERIES_INVALID), invalid + 1);
    assert_int_equal(bb_metric_get(BB_M_QUERIES_NOT_FOUND), not_found + 1);
    assert_int_equal(bb_metric_get(BB_M_QUERY_SECONDS), timed + 3);
}

/* The body may be no larger than one trace and a bit: the second one doesn't fit any more. */
static void says_that_an_answer_is_full(void **state)
{
    struct query_fixture *fx = *state;

    size_t one_trace = strlen(query_fixture_get(fx, "/api/traces?limit=1"));
    http_call_dispose(&fx->call);
    http_call_init(&fx->call, "GET", "/api/traces");
    fx->call.response.body.limit_bytes = BB_ANSWER_END_BYTES + one_trace + 10;
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    const char *body = http_call_body(&fx->call);

    assert_int_equal(fx->call.response.status, 200);
    assert_int_equal(count_of(body, "\"spans\":["), 1);
    assert_string_equal(http_call_header(&fx->call, "Bobbin-Complete"), "false");
    assert_string_equal(http_call_header(&fx->call, "Bobbin-Incomplete-Reason"),
                        "the answer is full with 1 of 3 traces");
    check_has(body, "\"total\":1,\"limit\":100,\"offset\":0,\"errors\":[{\"code\":206,"
                    "\"msg\":\"the answer is full with 1 of 3 traces\"}]}");
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up, query_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lists_services_in_the_envelope),
        TEST(lists_the_names_of_a_services_operations_once),
        TEST(lists_operations_with_their_kinds),
        TEST(gives_a_trace_by_any_form_of_its_id),
        TEST(tells_an_unknown_trace_by_404_and_its_id),
        TEST(finds_traces_by_every_parameter),
        TEST(gives_found_traces_whole),
        TEST(tells_the_listed_traces_that_are_not_stored),
        TEST(answers_bad_parameters_with_400_and_their_name),
        TEST(draws_calls_between_services_in_a_time_range),
        TEST(indents_when_asked_to),
        TEST(answers_unknown_endpoints_with_404),
        TEST(refuses_to_be_written_to),
        TEST(answers_503_while_other_queries_have_the_memory),
        TEST(stops_when_the_client_has_gone),
        TEST(counts_what_queries_come_to),
        TEST(says_that_an_answer_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
