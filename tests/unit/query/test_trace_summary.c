#include "query/trace_summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/span_build.h"

struct fixture {
    struct span_build build;
    struct bb_arena arena;
    struct bb_trace trace;
    struct bb_trace_summary summary;
};

static int set_up(void **state)
{
    static struct fixture fx;

    span_build_init(&fx.build);
    bb_arena_init(&fx.arena, 1 << 20);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    span_build_dispose(&fx->build);
    bb_arena_dispose(&fx->arena);
    return 0;
}

static void begin(struct fixture *fx, const char *service)
{
    span_build_resource(&fx->build, service);
    span_build_scope(&fx->build, "lib", NULL);
}

static void span(struct fixture *fx, uint64_t id, uint64_t parent, uint64_t start, uint64_t end,
                 enum bb_status_code status)
{
    static const char *const names[] = {"zero", "one", "two", "three", "four", "five"};

    span_build_span(&fx->build, (struct span_spec){.trace = 1,
                                                   .id = id,
                                                   .parent = parent,
                                                   .name = names[id],
                                                   .start_unix_ns = start,
                                                   .end_unix_ns = end,
                                                   .status = status});
}

static void summarize(struct fixture *fx)
{
    fx->trace.trace_id = span_build_trace_id(1);
    fx->trace.batch = span_build_batch(&fx->build, &fx->arena);
    assert_int_equal(bb_trace_summary_make(&fx->trace, &fx->arena, &fx->summary), BB_OK);
}

static void check_service(const struct fixture *fx, uint32_t index, const char *name,
                          uint32_t span_count, uint32_t error_count)
{
    assert_true(index < fx->summary.service_count);
    assert_true(bb_slice_equals_cstr(fx->summary.services[index].name, name));
    assert_int_equal(fx->summary.services[index].span_count, span_count);
    assert_int_equal(fx->summary.services[index].error_count, error_count);
}

static void counts_spans_errors_and_orphans_by_service(void **state)
{
    struct fixture *fx = *state;

    begin(fx, "web");
    span(fx, 1, 0, 100, 900, BB_STATUS_OK);
    begin(fx, "cart");
    span(fx, 2, 1, 200, 950, BB_STATUS_ERROR);
    span(fx, 3, 99, 50, 60, BB_STATUS_UNSET);
    begin(fx, "web"); /* another resource of the same service */
    span(fx, 4, 2, 300, 400, BB_STATUS_ERROR);
    summarize(fx);

    assert_int_equal(fx->summary.span_count, 4);
    assert_int_equal(fx->summary.error_count, 2);
    assert_int_equal(fx->summary.orphan_count, 1);
    assert_true(fx->summary.start_unix_ns_min == 50);
    assert_true(fx->summary.end_unix_ns_max == 950);
    assert_true(bb_slice_equals_cstr(fx->summary.root_service_name, "web"));
    assert_true(bb_slice_equals_cstr(fx->summary.root_operation_name, "one"));
    assert_int_equal(fx->summary.service_count, 2);
    check_service(fx, 0, "cart", 2, 1);
    check_service(fx, 1, "web", 2, 1);
}

static void takes_the_earliest_of_two_roots(void **state)
{
    struct fixture *fx = *state;

    begin(fx, "a");
    span(fx, 1, 0, 200, 300, BB_STATUS_UNSET);
    begin(fx, "b");
    span(fx, 2, 0, 100, 150, BB_STATUS_UNSET);
    summarize(fx);
    assert_true(bb_slice_equals_cstr(fx->summary.root_service_name, "b"));
    assert_true(bb_slice_equals_cstr(fx->summary.root_operation_name, "two"));
}

static void takes_the_earliest_orphan_where_there_is_no_root(void **state)
{
    struct fixture *fx = *state;

    begin(fx, "a");
    span(fx, 1, 2, 50, 300, BB_STATUS_UNSET); /* earlier, but its parent is there */
    span(fx, 2, 77, 200, 300, BB_STATUS_UNSET);
    span(fx, 3, 78, 100, 300, BB_STATUS_UNSET);
    summarize(fx);
    assert_true(bb_slice_equals_cstr(fx->summary.root_operation_name, "three"));
    assert_int_equal(fx->summary.orphan_count, 2);
}

static void takes_the_earliest_span_of_a_cycle(void **state)
{
    struct fixture *fx = *state;

    begin(fx, "a");
    span(fx, 1, 2, 200, 300, BB_STATUS_UNSET);
    span(fx, 2, 1, 100, 300, BB_STATUS_UNSET);
    summarize(fx);
    assert_true(bb_slice_equals_cstr(fx->summary.root_operation_name, "two"));
    assert_int_equal(fx->summary.orphan_count, 0);
}

static void never_ends_before_it_starts(void **state)
{
    struct fixture *fx = *state;

    begin(fx, NULL);
    span(fx, 1, 0, 500, 100, BB_STATUS_UNSET);
    summarize(fx);
    assert_true(fx->summary.start_unix_ns_min == 500);
    assert_true(fx->summary.end_unix_ns_max == 500);
    check_service(fx, 0, "", 1, 0);
}

static void reports_an_arena_that_is_full(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena full;

    begin(fx, "a");
    span(fx, 1, 0, 1, 2, BB_STATUS_UNSET);
    fx->trace.batch = span_build_batch(&fx->build, &fx->arena);
    bb_arena_init(&full, 8);
    assert_int_equal(bb_trace_summary_make(&fx->trace, &full, &fx->summary), BB_ENOMEM);
    bb_arena_dispose(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_spans_errors_and_orphans_by_service, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(takes_the_earliest_of_two_roots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_the_earliest_orphan_where_there_is_no_root, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(takes_the_earliest_span_of_a_cycle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(never_ends_before_it_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reports_an_arena_that_is_full, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
