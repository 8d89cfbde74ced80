#include "query/search_params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_fields.h"
#include "tests/support/http_call.h"

typedef enum bb_err (*reader)(const struct bb_http_request *request,
                              struct bb_search_params *out_params, struct bb_err_detail *detail);

/* One parse at a time. */
static struct http_call call;
static struct bb_search_params params;
static struct bb_err_detail detail;

static enum bb_err parse(reader read, const char *target)
{
    http_call_dispose(&call);
    http_call_init(&call, "GET", target);
    assert_int_equal(bb_http_parse_args(&call.request), BB_OK);
    detail.text[0] = '\0';
    return read(&call.request, &params, &detail);
}

static enum bb_err parse_v1(const char *target)
{
    return parse(bb_search_params_read_v1, target);
}

static enum bb_err parse_v3(const char *target)
{
    return parse(bb_search_params_read_v3, target);
}

static int tear_down(void **state)
{
    (void)state;
    http_call_dispose(&call);
    return 0;
}

static void check_condition(uint32_t index, enum bb_condition_type type, const char *key,
                            const char *value, uint32_t number)
{
    assert_true(index < params.search.condition_count);
    const struct bb_condition *condition = &params.search.conditions[index];
    assert_int_equal(condition->type, type);
    assert_true(bb_slice_equals_cstr(condition->key, key));
    assert_true(bb_slice_equals_cstr(condition->value, value));
    assert_int_equal(condition->number, number);
}

static void searches_everything_when_nothing_is_asked(void **state)
{
    (void)state;
    for (int v3 = 0; v3 < 2; v3++) {
        assert_int_equal((v3 ? parse_v3 : parse_v1)("/?service=&unknown=1&query.serviceName="),
                         BB_OK);
        assert_false(params.search.has_service_name);
        assert_false(params.search.has_operation);
        assert_true(params.search.start_unix_ns_min == 0);
        assert_true(params.search.start_unix_ns_max == 0);
        assert_true(params.search.duration_ns_min == 0);
        assert_true(params.search.duration_ns_max == 0);
        assert_int_equal(params.search.condition_count, 0);
        assert_int_equal(params.search.order, BB_ORDER_NEWEST);
        assert_int_equal(params.search.limit, 100);
        assert_int_equal(params.trace_id_count, 0);
    }
}

static void reads_every_parameter_of_v1(void **state)
{
    (void)state;
    assert_int_equal(
        parse_v1("/api/traces?service=a%20b&operation=GET+%2F&start=1000001&end=2000002"
                 "&minDuration=1.2s&maxDuration=1h2m3.5s&limit=7&sort=slowest&raw=true"
                 "&tag=http.url:http://x:1/&tags=%7B%22n%22%3A200%7D&tag=k:"),
        BB_OK);
    assert_true(params.search.has_service_name);
    assert_true(bb_slice_equals_cstr(params.search.service_name, "a b"));
    assert_true(bb_slice_equals_cstr(params.search.operation, "GET /"));
    assert_true(params.search.start_unix_ns_min == 1000001000);
    /* The whole microsecond: v1 shows starts cut to one. */
    assert_true(params.search.start_unix_ns_max == 2000002999);
    assert_true(params.search.duration_ns_min == 1200000000);
    assert_true(params.search.duration_ns_max == UINT64_C(3723500000000));
    assert_int_equal(params.search.limit, 7);
    assert_int_equal(params.search.order, BB_ORDER_SLOWEST);
    assert_int_equal(params.search.condition_count, 3);
    check_condition(0, BB_CONDITION_ATTRIBUTE, "http.url", "http://x:1/", 0);
    check_condition(1, BB_CONDITION_ATTRIBUTE, "n", "200", 0);
    check_condition(2, BB_CONDITION_ATTRIBUTE, "k", "", 0);
}

static void reads_every_parameter_of_v3_in_both_spellings(void **state)
{
    static const char *const targets[] = {
        "/?query.serviceName=s&query.operationName=o&query.attributes=%7B%22a%22:%22b%22%7D"
        "&query.startTimeMin=1970-01-01T00:00:01Z&query.startTimeMax=1970-01-01T00:00:02Z"
        "&query.durationMin=100ms&query.durationMax=250us1s&query.searchDepth=9"
        "&query.rawTraces=1&query.sort=slowest",
        "/?query.service_name=s&query.operation_name=o&query.attributes=%7B%22a%22:%22b%22%7D"
        "&query.start_time_min=1970-01-01T00:00:01Z&query.start_time_max=1970-01-01T01:00:02+01:00"
        "&query.duration_min=100ms&query.duration_max=1s250us&query.num_traces=9"
        "&query.raw_traces=false&sort=slowest",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(parse_v3(targets[i]), BB_OK);
        assert_true(bb_slice_equals_cstr(params.search.service_name, "s"));
        assert_true(bb_slice_equals_cstr(params.search.operation, "o"));
        check_condition(0, BB_CONDITION_ATTRIBUTE, "a", "b", 0);
        assert_true(params.search.start_unix_ns_min == UINT64_C(1000000000));
        assert_true(params.search.start_unix_ns_max == UINT64_C(1999999999));
        assert_true(params.search.duration_ns_min == 100000000);
        assert_true(params.search.duration_ns_max == 1000250000);
        assert_int_equal(params.search.limit, 9);
        assert_int_equal(params.search.order, BB_ORDER_SLOWEST);
    }
}

static void turns_the_tags_that_stand_for_fields_into_conditions_on_them(void **state)
{
    (void)state;
    assert_int_equal(
        parse_v1("/?tag=error:true&tag=error:false&tag=error:timeout&tag=span.kind:server"
                 "&tag=span.kind:odd&tag=otel.status_code:ERROR&tag=otel.status_code:OK"
                 "&tag=otel.status_code:UNSET&tag=otel.status_code:x&tag=otel.scope.name:l"
                 "&tag=otel.library.name:l&tag=otel.scope.version:1&tag=otel.library.version:1"),
        BB_OK);
    assert_int_equal(params.search.condition_count, 13);
    check_condition(0, BB_CONDITION_ERROR_TAG, "error", "true", 1);
    check_condition(1, BB_CONDITION_ERROR_TAG, "error", "false", 0);
    check_condition(2, BB_CONDITION_ATTRIBUTE, "error", "timeout", 0);
    check_condition(3, BB_CONDITION_KIND, "span.kind", "server", BB_KIND_SERVER);
    check_condition(4, BB_CONDITION_ATTRIBUTE, "span.kind", "odd", 0);
    check_condition(5, BB_CONDITION_STATUS, "otel.status_code", "ERROR", BB_STATUS_ERROR);
    check_condition(6, BB_CONDITION_STATUS, "otel.status_code", "OK", BB_STATUS_OK);
    check_condition(7, BB_CONDITION_STATUS, "otel.status_code", "UNSET", BB_STATUS_UNSET);
    check_condition(8, BB_CONDITION_ATTRIBUTE, "otel.status_code", "x", 0);
    check_condition(9, BB_CONDITION_SCOPE_NAME, "otel.scope.name", "l", 0);
    check_condition(10, BB_CONDITION_SCOPE_NAME, "otel.library.name", "l", 0);
    check_condition(11, BB_CONDITION_SCOPE_VERSION, "otel.scope.version", "1", 0);
    check_condition(12, BB_CONDITION_SCOPE_VERSION, "otel.library.version", "1", 0);
}

static void asks_for_spans_without_a_service_by_the_name_they_are_shown_with(void **state)
{
    (void)state;
    assert_int_equal(parse_v1("/?service=" BB_NO_SERVICE_NAME), BB_OK);
    assert_true(params.search.has_service_name);
    assert_int_equal(params.search.service_name.size, 0);
    assert_true(bb_slice_equals_cstr(bb_service_name_shown(params.search.service_name),
                                     BB_NO_SERVICE_NAME));
}

static void reads_each_trace_id_once(void **state)
{
    (void)state;
    assert_int_equal(parse_v1("/?traceID=abc&traceID=00abc&traceID=1"), BB_OK);
    assert_int_equal(params.trace_id_count, 2);
    assert_int_equal(params.trace_ids[0].bytes[15], 0xbc);
    assert_int_equal(params.trace_ids[1].bytes[15], 1);
}

/* Every bad parameter is told by its name, with what was expected. */
static void names_the_parameter_that_is_wrong(void **state)
{
    static const struct {
        reader read;
        const char *target;
        const char *words[2];
    } bad[] = {
        {bb_search_params_read_v1, "/?start=yesterday", {"start: expected microseconds", "yest"}},
        {bb_search_params_read_v1, "/?end=-5", {"end: expected microseconds", "-5"}},
        {bb_search_params_read_v1, "/?minDuration=5", {"minDuration: expected a duration", "1.2s"}},
        {bb_search_params_read_v1, "/?maxDuration=-1s", {"maxDuration: expected a duration", ""}},
        {bb_search_params_read_v1, "/?limit=0", {"limit: expected a number from 1", "100000"}},
        {bb_search_params_read_v1, "/?limit=100001", {"limit: expected a number from 1", ""}},
        {bb_search_params_read_v1, "/?limit=ten", {"limit: expected a number from 1", "ten"}},
        {bb_search_params_read_v1, "/?sort=oldest", {"sort: expected newest or slowest", "oldest"}},
        {bb_search_params_read_v1, "/?raw=maybe", {"raw: expected true or false", "maybe"}},
        {bb_search_params_read_v1, "/?tag=novalue", {"tag: expected key:value", "novalue"}},
        {bb_search_params_read_v1, "/?tag=:v", {"tag: ", "empty key"}},
        {bb_search_params_read_v1, "/?tags=[]", {"tags: ", "JSON object"}},
        {bb_search_params_read_v1, "/?tags=%7B%22a%22:null%7D", {"tags: ", "null"}},
        {bb_search_params_read_v1, "/?traceID=xyz", {"traceID: expected a trace id", "xyz"}},
        {bb_search_params_read_v1, "/?start=2&end=1", {"start: must lie before", ""}},
        {bb_search_params_read_v1,
         "/?minDuration=2s&maxDuration=1s",
         {"minDuration: must not", ""}},
        {bb_search_params_read_v3, "/?query.startTimeMin=1", {"query.startTimeMin: ", "RFC 3339"}},
        {bb_search_params_read_v3,
         "/?query.start_time_max=x",
         {"query.start_time_max: ", "RFC 3339"}},
        {bb_search_params_read_v3,
         "/?query.startTimeMax=1970-01-01T00:00:00Z",
         {"query.startTimeMax: must lie after", "1970"}},
        {bb_search_params_read_v3,
         "/?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z",
         {"query.startTimeMin: must lie before", ""}},
        {bb_search_params_read_v3, "/?query.durationMin=1", {"query.durationMin: ", "duration"}},
        {bb_search_params_read_v3, "/?query.duration_max=x", {"query.duration_max: ", "duration"}},
        {bb_search_params_read_v3, "/?query.searchDepth=-1", {"query.searchDepth: ", "100000"}},
        {bb_search_params_read_v3, "/?query.numTraces=200000", {"query.numTraces: ", "100000"}},
        {bb_search_params_read_v3, "/?query.sort=x", {"query.sort: ", "newest"}},
        {bb_search_params_read_v3, "/?query.rawTraces=x", {"query.rawTraces: ", "true"}},
        {bb_search_params_read_v3, "/?query.attributes=a%3Db", {"query.attributes: ", "JSON"}},
        {bb_search_params_read_v3, "/?query.filter=%7B%7D", {"query.filter: ", "not supported"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i].read, bad[i].target), BB_EINVAL);
        for (size_t k = 0; k < 2; k++) {
            if (strstr(detail.text, bad[i].words[k]) == NULL) {
                fail_msg("%s: \"%s\" is not in \"%s\"", bad[i].target, bad[i].words[k],
                         detail.text);
            }
        }
        assert_true(detail.text == strstr(detail.text, bad[i].words[0]));
    }
}

static void takes_a_search_depth_of_zero_for_the_default(void **state)
{
    (void)state;
    assert_int_equal(parse_v3("/?query.searchDepth=0"), BB_OK);
    assert_int_equal(params.search.limit, 100);
}

static void prefers_search_depth_to_its_old_name(void **state)
{
    (void)state;
    assert_int_equal(parse_v3("/?query.numTraces=5&query.searchDepth=6"), BB_OK);
    assert_int_equal(params.search.limit, 6);
}

static void takes_the_first_of_a_parameter_that_is_given_twice(void **state)
{
    (void)state;
    assert_int_equal(parse_v1("/?limit=5&limit=6&service=a&service=b"), BB_OK);
    assert_int_equal(params.search.limit, 5);
    assert_true(bb_slice_equals_cstr(params.search.service_name, "a"));
}

static void refuses_more_tags_than_the_limit(void **state)
{
    char target[BB_SEARCH_CONDITIONS_MAX * 16 + 64] = "/?tag=k:v";
    size_t size = strlen(target);

    (void)state;
    for (int i = 1; i < BB_SEARCH_CONDITIONS_MAX; i++) {
        size += (size_t)snprintf(target + size, sizeof(target) - size, "&tag=k%d:v", i);
    }
    assert_int_equal(parse_v1(target), BB_OK);
    assert_int_equal(params.search.condition_count, BB_SEARCH_CONDITIONS_MAX);
    (void)snprintf(target + size, sizeof(target) - size, "&tag=one:more");
    assert_int_equal(parse_v1(target), BB_EINVAL);
    assert_non_null(strstr(detail.text, "tag: more than"));
}

static void bounds_microseconds_that_overflow(void **state)
{
    (void)state;
    assert_int_equal(parse_v1("/?start=1&end=18446744073709551615"), BB_OK);
    assert_true(params.search.start_unix_ns_max == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(searches_everything_when_nothing_is_asked, tear_down),
        cmocka_unit_test_teardown(reads_every_parameter_of_v1, tear_down),
        cmocka_unit_test_teardown(reads_every_parameter_of_v3_in_both_spellings, tear_down),
        cmocka_unit_test_teardown(turns_the_tags_that_stand_for_fields_into_conditions_on_them,
                                  tear_down),
        cmocka_unit_test_teardown(asks_for_spans_without_a_service_by_the_name_they_are_shown_with,
                                  tear_down),
        cmocka_unit_test_teardown(reads_each_trace_id_once, tear_down),
        cmocka_unit_test_teardown(names_the_parameter_that_is_wrong, tear_down),
        cmocka_unit_test_teardown(takes_a_search_depth_of_zero_for_the_default, tear_down),
        cmocka_unit_test_teardown(prefers_search_depth_to_its_old_name, tear_down),
        cmocka_unit_test_teardown(takes_the_first_of_a_parameter_that_is_given_twice, tear_down),
        cmocka_unit_test_teardown(refuses_more_tags_than_the_limit, tear_down),
        cmocka_unit_test_teardown(bounds_microseconds_that_overflow, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
