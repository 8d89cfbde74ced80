#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "span_random.h"
#include "store_fixture.h"

#define MS BB_NS_PER_MS
#define REQUEST_BYTES_MAX ((size_t)4 << 20)

static void check(struct store_fixture *fx, uint64_t min_ns, uint64_t max_ns)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_dependency *calls = NULL;
    struct bb_arena arena;
    uint32_t count = 0;
    uint32_t expected_count = 0;

    bb_arena_init(&arena, (size_t)64 << 20);
    const struct bb_dependency *expected =
        store_model_dependencies(&fx->model, min_ns, max_ns, &arena, &expected_count);
    assert_int_equal(bb_store_dependencies(fx->store, min_ns, max_ns, &ctl, &arena, &calls, &count),
                     BB_OK);
    assert_false(ctl.incomplete);
    assert_int_equal(count, expected_count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bb_slice_equals(calls[i].parent, expected[i].parent));
        assert_true(bb_slice_equals(calls[i].child, expected[i].child));
        assert_int_equal(calls[i].call_count, expected[i].call_count);
        assert_int_equal(calls[i].error_count, expected[i].error_count);
    }
    bb_arena_dispose(&arena);
}

static void append(struct store_fixture *fx, const char *service, struct span_spec spec)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, service);
    span_build_scope(&build, "lib", NULL);
    spec.name = "op";
    span_build_span(&build, spec);
    store_fixture_append(fx, &build);
}

/* One call, as the test knows it. */
static void check_one(struct store_fixture *fx, uint64_t calls_expected, uint64_t errors_expected)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_dependency *calls = NULL;
    struct bb_arena arena;
    uint32_t count = 0;

    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_store_dependencies(fx->store, 0, UINT64_MAX, &ctl, &arena, &calls, &count),
                     BB_OK);
    assert_int_equal(count, 1);
    assert_true(bb_slice_equals_cstr(calls[0].parent, "web"));
    assert_true(bb_slice_equals_cstr(calls[0].child, "cart"));
    assert_int_equal(calls[0].call_count, calls_expected);
    assert_int_equal(calls[0].error_count, errors_expected);
    bb_arena_dispose(&arena);
}

static void counts_calls_and_those_that_failed(void **state)
{
    struct store_fixture *fx = *state;
    const uint64_t t = FIXTURE_START_NS;

    append(fx, "web", (struct span_spec){.trace = 1, .id = 1, .start_unix_ns = t});
    append(fx, "cart", (struct span_spec){.trace = 1, .id = 2, .parent = 1, .start_unix_ns = t});
    check_one(fx, 1, 0);
    append(
        fx, "cart",
        (struct span_spec){
            .trace = 1, .id = 3, .parent = 1, .start_unix_ns = t + 1, .status = BB_STATUS_ERROR});
    check_one(fx, 2, 1);
    /* No calls: within a service, of a parent that isn't there, of one in another trace. */
    append(fx, "cart", (struct span_spec){.trace = 1, .id = 4, .parent = 2, .start_unix_ns = t});
    append(fx, "cart", (struct span_spec){.trace = 1, .id = 5, .parent = 99, .start_unix_ns = t});
    append(fx, "cart", (struct span_spec){.trace = 2, .id = 6, .parent = 1, .start_unix_ns = t});
    check_one(fx, 2, 1);
    check(fx, 0, UINT64_MAX);
    store_fixture_seal(fx);
    check_one(fx, 2, 1);
}

/* The child arrives before its parent, into another segment or hour. */
static void parents_are_found_wherever_they_lie(void **state)
{
    struct store_fixture *fx = *state;
    const uint64_t t = FIXTURE_START_NS;

    append(fx, "cart",
           (struct span_spec){.trace = 1, .id = 2, .parent = 1, .start_unix_ns = t + MS});
    store_fixture_seal(fx);
    append(fx, "web", (struct span_spec){.trace = 1, .id = 1, .start_unix_ns = t});
    check_one(fx, 1, 0);
    append(fx, "cart",
           (struct span_spec){.trace = 2, .id = 2, .parent = 1, .start_unix_ns = t + MS});
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    append(fx, "web", (struct span_spec){.trace = 2, .id = 1, .start_unix_ns = t});
    check_one(fx, 2, 0);
    store_fixture_reopen(fx);
    check_one(fx, 2, 0);
}

static void the_range_is_of_the_child_and_includes_both_ends(void **state)
{
    struct store_fixture *fx = *state;
    const uint64_t t = FIXTURE_START_NS;

    append(fx, "web", (struct span_spec){.trace = 1, .id = 1, .start_unix_ns = t});
    append(fx, "cart",
           (struct span_spec){.trace = 1, .id = 2, .parent = 1, .start_unix_ns = t + 10});
    for (int sealed = 0; sealed < 2; sealed++) {
        check(fx, t + 10, t + 10);
        check(fx, t + 10, t + 100);
        check(fx, t, t + 9);
        check(fx, t + 11, t + 100);
        check(fx, t + FIXTURE_HOUR_NS, t + 2 * FIXTURE_HOUR_NS);
        store_fixture_seal(fx);
    }
}

static void agrees_with_the_model_on_random_spans(void **state)
{
    struct store_fixture *fx = *state;
    struct span_random random = {.seed = 11,
                                 .start_unix_ns = FIXTURE_START_NS,
                                 /* Which of two spans of one id is the parent isn't defined. */
                                 .has_unique_ids = true};

    for (int i = 0; i < 24; i++) {
        struct bb_buf request;
        bb_buf_init(&request, REQUEST_BYTES_MAX);
        span_random_put_request(&random, &request);
        assert_int_equal(bb_buf_err(&request), BB_OK);
        store_fixture_append_wire(fx, bb_buf_slice(&request));
        bb_buf_dispose(&request);
        if (i % 5 == 2) {
            store_fixture_seal(fx);
        }
        if (i % 7 == 3) {
            store_fixture_pass(fx, FIXTURE_HOUR_NS);
        }
        uint64_t from = FIXTURE_START_NS + span_random_below(&random, 400) * BB_NS_PER_S;
        check(fx, from, from + span_random_below(&random, 400) * BB_NS_PER_S);
        check(fx, 0, UINT64_MAX);
    }
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(counts_calls_and_those_that_failed),
        STORE_TEST(parents_are_found_wherever_they_lie),
        STORE_TEST(the_range_is_of_the_child_and_includes_both_ends),
        STORE_TEST(agrees_with_the_model_on_random_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
