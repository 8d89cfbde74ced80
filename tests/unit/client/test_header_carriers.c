#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/include/bobbin/bobbin.h"

static void finds_headers_without_case_and_by_number(void **state)
{
    const struct bobbin_header list[] = {
        {"A", bobbin_lit("1")}, {"b", bobbin_lit("2")}, {"a", bobbin_lit("3")}};
    const struct bobbin_headers headers = {list, 3};
    struct bobbin_header_reader reader = bobbin_headers_reader(&headers);
    struct bobbin_str value;

    (void)state;
    assert_true(reader.get(reader.user, "a", 0, &value));
    assert_memory_equal(value.data, "1", 1);
    assert_true(reader.get(reader.user, "a", 1, &value));
    assert_memory_equal(value.data, "3", 1);
    assert_false(reader.get(reader.user, "a", 2, &value));
    assert_false(reader.get(reader.user, "c", 0, &value));
}

static void the_environment_carries_a_context_to_a_child_process(void **state)
{
    static const char parent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const struct bobbin_header_writer writer = bobbin_environment_writer();
    const struct bobbin_header_reader reader = bobbin_environment_reader();
    struct bobbin_span_context context;
    struct bobbin_context found;

    (void)state;
    assert_int_equal(bobbin_traceparent_read(parent, sizeof parent - 1, &context), BOBBIN_OK);
    assert_int_equal(bobbin_inject(0x1f, &context, NULL, &writer), BOBBIN_OK);
    assert_string_equal(getenv("TRACEPARENT"), parent);
    assert_string_equal(getenv("X_B3_SAMPLED"), "1");
    assert_int_equal(bobbin_extract(BOBBIN_PROPAGATE_TRACECONTEXT, &reader, &found, NULL),
                     BOBBIN_OK);
    assert_memory_equal(found.span.span_id, context.span_id, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_headers_without_case_and_by_number),
        cmocka_unit_test(the_environment_carries_a_context_to_a_child_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
