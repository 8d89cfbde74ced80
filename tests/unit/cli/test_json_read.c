#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/json_read.h"

struct fixture {
    struct bb_arena arena;
    struct bb_err_detail detail;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    bb_arena_init(&fixture.arena, 1u << 20);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    bb_arena_dispose(&fixture->arena);
    return 0;
}

static struct bb_slice slice(const char *text)
{
    return bb_slice_from_cstr(text);
}

static void reads_services(void **state)
{
    struct fixture *fixture = *state;
    struct bb_services services;

    assert_int_equal(
        bb_json_read_services(slice("{\"new\":{\"x\":[1]},\"services\":[\"a\",\"b\\u00e9\\n\"]}"),
                              &fixture->arena, &fixture->detail, &services),
        BB_OK);
    assert_int_equal(services.count, 2);
    assert_true(bb_slice_equals_cstr(services.names[0], "a"));
    assert_true(bb_slice_equals_cstr(services.names[1], "b\xc3\xa9\n"));
    assert_int_equal(bb_json_read_services(slice("{\"services\":[]}"), &fixture->arena,
                                           &fixture->detail, &services),
                     BB_OK);
    assert_int_equal(services.count, 0);
}

static void reads_operations(void **state)
{
    struct fixture *fixture = *state;
    struct bb_operations operations;

    assert_int_equal(
        bb_json_read_operations(
            slice("{\"operations\":[{\"name\":\"GET\",\"spanKind\":\"server\",\"x\":0},{}]}"),
            &fixture->arena, &fixture->detail, &operations),
        BB_OK);
    assert_int_equal(operations.count, 2);
    assert_true(bb_slice_equals_cstr(operations.items[0].name, "GET"));
    assert_true(bb_slice_equals_cstr(operations.items[0].span_kind, "server"));
    assert_int_equal(operations.items[1].name.size, 0);
}

static void reads_summaries_with_numbers_in_both_forms(void **state)
{
    struct fixture *fixture = *state;
    struct bb_summaries summaries;
    const char *text =
        "{\"summaries\":[{\"traceId\":\"ab\",\"rootServiceName\":\"s\",\"rootOperationName\":\"o\","
        "\"minStartTimeUnixNano\":\"18446744073709551615\",\"maxEndTimeUnixNano\":7,"
        "\"spanCount\":3,\"errorSpanCount\":\"1\",\"orphanSpanCount\":2,"
        "\"services\":[{\"name\":\"s\",\"spanCount\":3,\"errorSpanCount\":1}]}],"
        "\"complete\":false,\"incompleteReason\":\"too slow\"}";

    assert_int_equal(
        bb_json_read_summaries(slice(text), &fixture->arena, &fixture->detail, &summaries), BB_OK);
    assert_int_equal(summaries.count, 1);
    assert_false(summaries.is_complete);
    assert_true(bb_slice_equals_cstr(summaries.incomplete_reason, "too slow"));
    assert_true(summaries.items[0].start_unix_ns == UINT64_MAX);
    assert_int_equal(summaries.items[0].end_unix_ns, 7);
    assert_int_equal(summaries.items[0].span_count, 3);
    assert_int_equal(summaries.items[0].error_span_count, 1);
    assert_int_equal(summaries.items[0].orphan_span_count, 2);
    assert_int_equal(summaries.items[0].service_count, 1);
    assert_int_equal(summaries.items[0].services[0].error_span_count, 1);
    assert_int_equal(bb_json_read_summaries(slice("{\"summaries\":[]}"), &fixture->arena,
                                            &fixture->detail, &summaries),
                     BB_OK);
    assert_true(summaries.is_complete);
}

static void answers_of_another_form_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "the text ends"},
        {"<html>", "line 1, column 1"},
        {"[]", "another type"},
        {"{}", "has no \"services\""},
        {"{\"services\":7}", "another type"},
        {"{\"services\":[7]}", "another type"},
        {"{\"services\":[\"a\"", "line 1"},
        {"{\"services\":[]} x", "more text"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_services services;
        fixture->detail = (struct bb_err_detail){0};
        enum bb_err err = bb_json_read_services(slice(cases[i].text), &fixture->arena,
                                                &fixture->detail, &services);
        if (err != BB_EINVAL || strstr(fixture->detail.text, cases[i].words) == NULL) {
            fail_msg("%s: error %d, '%s'", cases[i].text, err, fixture->detail.text);
        }
    }
}

static void an_answer_over_the_memory_allowed_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct bb_arena small;
    struct bb_services services;

    bb_arena_init(&small, 16);
    assert_int_equal(bb_json_read_services(slice("{\"services\":[\"a\",\"b\"]}"), &small,
                                           &fixture->detail, &services),
                     BB_ENOMEM);
    bb_arena_dispose(&small);
}

static void a_trace_is_handed_on_as_it_stands(void **state)
{
    struct fixture *fixture = *state;
    struct bb_slice result;
    struct bb_slice inside;

    assert_int_equal(bb_json_read_result(slice(" {\"result\": {\"resourceSpans\":[ {\"a\":1.0} ,{}"
                                               " ] }\n}"),
                                         &fixture->detail, &result),
                     BB_OK);
    assert_true(bb_slice_equals_cstr(result, "{\"resourceSpans\":[ {\"a\":1.0} ,{} ] }"));
    assert_int_equal(bb_json_read_resource_spans(result, &fixture->detail, &inside), BB_OK);
    assert_true(bb_slice_equals_cstr(inside, " {\"a\":1.0} ,{}"));
    assert_int_equal(
        bb_json_read_resource_spans(slice("{\"resourceSpans\":[ ]}"), &fixture->detail, &inside),
        BB_OK);
    assert_int_equal(inside.size, 0);
    assert_int_equal(
        bb_json_read_resource_spans(slice("{\"resourceSpans\":{}}"), &fixture->detail, &inside),
        BB_EINVAL);
    assert_int_equal(bb_json_read_result(slice("{}"), &fixture->detail, &result), BB_EINVAL);
}

static void finds_the_words_of_each_form_of_error(void **state)
{
    static const char *const texts[] = {
        "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}",
        "{\"data\":null,\"errors\":[{\"code\":404,\"msg\":\"No traces found\"}]}",
        "{\"code\":5,\"message\":\"No traces found\",\"details\":[]}",
    };
    static const char *const others[] = {
        "",
        "404 page not found",
        "{}",
        "{\"error\":\"x\"}",
        "{\"errors\":[]}",
        "{\"errors\":[{}]}",
        "{\"error\":{\"message\":7}}",
    };
    struct fixture *fixture = *state;
    struct bb_slice message;

    for (size_t i = 0; i < BB_ARRAY_COUNT(texts); i++) {
        assert_true(bb_json_read_error(slice(texts[i]), &fixture->arena, &message));
        assert_true(bb_slice_equals_cstr(message, "No traces found"));
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(others); i++) {
        if (bb_json_read_error(slice(others[i]), &fixture->arena, &message)) {
            fail_msg("taken for an error: %s", others[i]);
        }
    }
}

static void reads_what_a_receiver_has_rejected(void **state)
{
    struct fixture *fixture = *state;
    struct bb_export_response response;

    assert_int_equal(
        bb_json_read_export_response(
            slice("{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"why\"}}"),
            &fixture->arena, &fixture->detail, &response),
        BB_OK);
    assert_int_equal(response.rejected_span_count, 3);
    assert_true(bb_slice_equals_cstr(response.message, "why"));
    assert_int_equal(bb_json_read_export_response(slice("{\"partialSuccess\":null}"),
                                                  &fixture->arena, &fixture->detail, &response),
                     BB_OK);
    assert_int_equal(response.rejected_span_count, 0);
    assert_int_equal(response.message.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_services, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_operations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_summaries_with_numbers_in_both_forms, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_of_another_form_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_over_the_memory_allowed_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_trace_is_handed_on_as_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_the_words_of_each_form_of_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_what_a_receiver_has_rejected, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
