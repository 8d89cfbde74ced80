/* test_store_search.c - order, ties, bounds and budgets of a search; the random ones are in
 * test_store_oracle.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store_fixture.h"

#define MS BB_NS_PER_MS

static void append(struct store_fixture *fx, uint64_t trace, uint64_t id, uint64_t start_ms,
                   uint64_t duration_ms)
{
    store_fixture_append_span(
        fx, (struct span_spec){.trace = trace,
                               .id = id,
                               .name = "op",
                               .start_unix_ns = FIXTURE_START_NS + start_ms * MS,
                               .end_unix_ns = FIXTURE_START_NS + (start_ms + duration_ms) * MS});
}

/* In memory, in segments, and in partitions that are sealed: the same answers. */
static void check_in_every_state(struct store_fixture *fx, const struct bb_search *search)
{
    store_fixture_check_search(fx, search, "in memory");
    store_fixture_seal(fx);
    store_fixture_check_search(fx, search, "in a segment");
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    store_fixture_check_search(fx, search, "in a partition");
    store_fixture_reopen(fx);
    store_fixture_check_search(fx, search, "opened again");
}

/* Checks hits against traces that the test knows, so that the model itself is held to something. */
static void check_hits(struct store_fixture *fx, const struct bb_search *search,
                       const uint64_t *traces, uint32_t count)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_search_result result;
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)16 << 20);
    assert_int_equal(bb_store_search(fx->store, search, &ctl, &arena, &result), BB_OK);
    assert_int_equal(result.hit_count, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bb_trace_id expected = span_build_trace_id(traces[i]);
        assert_true(bb_trace_id_equals(&result.hits[i].trace_id, &expected));
    }
    bb_arena_dispose(&arena);
    store_fixture_check_search(fx, search, "as the model");
}

static void newest_is_by_the_latest_start_of_a_matching_span(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 10, .order = BB_ORDER_NEWEST};

    append(fx, 1, 1, 10, 1);
    append(fx, 1, 2, 90, 1); /* trace 1 begins first, and has the latest span */
    append(fx, 2, 1, 50, 1);
    append(fx, 3, 1, 70, 1);
    check_hits(fx, &search, (const uint64_t[]){1, 3, 2}, 3);
    search.duration_ns_max = 500000;
    check_hits(fx, &search, NULL, 0);
    search.duration_ns_max = 0;
    search.start_unix_ns_max = FIXTURE_START_NS + 80 * MS; /* then it is its first that counts */
    check_hits(fx, &search, (const uint64_t[]){3, 2, 1}, 3);
    check_in_every_state(fx, &search);
}

static void slowest_is_by_the_longest_of_a_matching_span(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 10, .order = BB_ORDER_SLOWEST};

    append(fx, 1, 1, 10, 5);
    append(fx, 1, 2, 11, 500);
    append(fx, 2, 1, 50, 100);
    append(fx, 3, 1, 70, 300);
    check_hits(fx, &search, (const uint64_t[]){1, 3, 2}, 3);
    search.duration_ns_max = 400 * MS;
    check_hits(fx, &search, (const uint64_t[]){3, 2, 1}, 3);
    check_in_every_state(fx, &search);
}

static void ties_are_by_trace_id_also_at_the_limit(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t trace = 40; trace >= 1; trace--) {
        append(fx, trace, 1, 10, 5);
        if (trace % 13 == 0) {
            store_fixture_seal(fx);
        }
    }
    for (uint32_t limit = 1; limit <= 41; limit += 8) {
        struct bb_search search = {.limit = limit, .order = BB_ORDER_NEWEST};
        static const uint64_t traces[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                          15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                          29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40};
        check_hits(fx, &search, traces, limit < 40 ? limit : 40);
        search.order = BB_ORDER_SLOWEST;
        check_hits(fx, &search, traces, limit < 40 ? limit : 40);
    }
}

static void bounds_are_inclusive_at_both_ends(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 10};

    for (uint64_t trace = 1; trace <= 5; trace++) {
        append(fx, trace, 1, trace * 10, trace);
    }
    search.start_unix_ns_min = FIXTURE_START_NS + 20 * MS;
    search.start_unix_ns_max = FIXTURE_START_NS + 40 * MS;
    check_hits(fx, &search, (const uint64_t[]){4, 3, 2}, 3);
    search.start_unix_ns_min++;
    search.start_unix_ns_max--;
    check_hits(fx, &search, (const uint64_t[]){3}, 1);
    search = (struct bb_search){.limit = 10, .duration_ns_min = 2 * MS, .duration_ns_max = 4 * MS};
    check_hits(fx, &search, (const uint64_t[]){4, 3, 2}, 3);
    search.duration_ns_min++;
    search.duration_ns_max--;
    check_hits(fx, &search, (const uint64_t[]){3}, 1);
    check_in_every_state(fx, &search);
}

static void the_empty_service_and_operation_can_be_asked_for(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 10, .has_service_name = true};
    struct span_build build;

    append(fx, 1, 1, 10, 1);
    span_build_init(&build);
    span_build_resource(&build, NULL);
    span_build_scope(&build, NULL, NULL);
    span_build_span(&build, (struct span_spec){.trace = 2, .id = 1, .name = "op"});
    span_build_span(&build, (struct span_spec){.trace = 3, .id = 1});
    store_fixture_append(fx, &build);
    check_hits(fx, &search, (const uint64_t[]){2, 3}, 2);
    search.has_operation = true;
    check_hits(fx, &search, (const uint64_t[]){3}, 1);
    search.has_service_name = false;
    check_hits(fx, &search, (const uint64_t[]){3}, 1);
    check_in_every_state(fx, &search);
}

static void all_conditions_must_hold_on_one_span(void **state)
{
    struct store_fixture *fx = *state;
    const struct bb_condition conditions[] = {
        {.type = BB_CONDITION_ATTRIBUTE,
         .key = bb_slice_from_cstr("a"),
         .value = bb_slice_from_cstr("1")},
        {.type = BB_CONDITION_ATTRIBUTE,
         .key = bb_slice_from_cstr("b"),
         .value = bb_slice_from_cstr("2")},
    };
    struct bb_search search = {.limit = 10, .conditions = conditions, .condition_count = 2};
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 1, .name = "op"});
    span_build_string(&build, "a", "1");
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 2, .name = "op"});
    span_build_string(&build, "b", "2"); /* on another span of the trace: no match */
    span_build_span(&build, (struct span_spec){.trace = 2, .id = 1, .name = "op"});
    span_build_int(&build, "a", 1); /* as text */
    span_build_event(&build, 5, "e");
    span_build_double(&build, "b", 2.0); /* and in another place of the same span */
    span_build_resource(&build, "web");
    span_build_string(&build, "a", "1");
    span_build_scope(&build, "lib", NULL);
    span_build_string(&build, "b", "2");
    span_build_span(&build, (struct span_spec){.trace = 3, .id = 1, .name = "op"});
    store_fixture_append(fx, &build);
    check_hits(fx, &search, (const uint64_t[]){2, 3}, 2);
    check_in_every_state(fx, &search);
}

static bool is_gone_after_some(void *ctx)
{
    return --*(int *)ctx < 0;
}

/* Enough for several blocks in several segments. */
static void append_many(struct store_fixture *fx)
{
    for (uint64_t batch = 0; batch < 4; batch++) {
        struct span_build build;
        span_build_init(&build);
        span_build_resource(&build, "bulk");
        span_build_scope(&build, "lib", NULL);
        for (uint64_t i = 0; i < 5000; i++) {
            uint64_t number = batch * 5000 + i;
            char user[32];
            span_build_span(&build,
                            (struct span_spec){.trace = number / 5 + 1,
                                               .id = number + 1,
                                               .name = "op",
                                               .start_unix_ns = FIXTURE_START_NS + number,
                                               .end_unix_ns = FIXTURE_START_NS + 2 * number});
            snprintf(user, sizeof user, "user-%llu", (unsigned long long)(number * 7919 % 20000));
            span_build_string(&build, "user", user);
        }
        store_fixture_append(fx, &build);
        store_fixture_seal(fx);
    }
}

static void finds_one_rare_value_among_many(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_condition condition = {.type = BB_CONDITION_ATTRIBUTE,
                                     .key = bb_slice_from_cstr("user"),
                                     .value = bb_slice_from_cstr("user-4242")};
    struct bb_search search = {.limit = 20, .conditions = &condition, .condition_count = 1};

    append_many(fx);
    store_fixture_check_search(fx, &search, "there");
    condition.value = bb_slice_from_cstr("user-x");
    store_fixture_check_search(fx, &search, "not there");
    search = (struct bb_search){.limit = 1000, .order = BB_ORDER_SLOWEST};
    store_fixture_check_search(fx, &search, "slowest");
    search = (struct bb_search){.limit = 1000, .order = BB_ORDER_NEWEST};
    store_fixture_check_search(fx, &search, "newest");
}

static void a_search_can_be_cancelled_at_every_step(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 10};
    bool is_done = false;

    append_many(fx);
    append(fx, 9000000, 1, 1, 1); /* and one that isn't sealed */
    for (int steps = 0; !is_done; steps++) {
        int left = steps;
        struct bb_query_ctl ctl = {.is_cancelled = is_gone_after_some, .cancel_ctx = &left};
        struct bb_search_result result;
        struct bb_arena arena;
        bb_arena_init(&arena, (size_t)16 << 20);
        enum bb_err err = bb_store_search(fx->store, &search, &ctl, &arena, &result);
        assert_true(err == BB_OK || err == BB_ECANCELLED);
        is_done = err == BB_OK;
        assert_true(steps > 0 || !is_done);
        assert_true(steps < 10000);
        bb_arena_dispose(&arena);
    }
}

static void a_budget_that_is_used_up_makes_the_answer_incomplete(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_condition condition = {.type = BB_CONDITION_ATTRIBUTE,
                                     .key = bb_slice_from_cstr("user"),
                                     .value = bb_slice_from_cstr("user-x")};
    struct bb_search search = {.limit = 10, .conditions = &condition, .condition_count = 1};
    uint64_t needed = 0;

    append_many(fx);
    store_fixture_reopen(fx);
    for (int round = 0; round < 2; round++) {
        struct bb_query_ctl ctl = {.read_bytes_max = round == 0 ? 0 : needed / 2};
        struct bb_search_result result;
        struct bb_arena arena;
        bb_arena_init(&arena, (size_t)16 << 20);
        assert_int_equal(bb_store_search(fx->store, &search, &ctl, &arena, &result), BB_OK);
        assert_int_equal(ctl.incomplete, round == 1);
        assert_true(ctl.read_bytes > 0);
        assert_int_equal(ctl.incomplete_reason[0] != '\0', round == 1);
        needed = ctl.read_bytes;
        bb_arena_dispose(&arena);
    }
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(newest_is_by_the_latest_start_of_a_matching_span),
        STORE_TEST(slowest_is_by_the_longest_of_a_matching_span),
        STORE_TEST(ties_are_by_trace_id_also_at_the_limit),
        STORE_TEST(bounds_are_inclusive_at_both_ends),
        STORE_TEST(the_empty_service_and_operation_can_be_asked_for),
        STORE_TEST(all_conditions_must_hold_on_one_span),
        STORE_TEST(finds_one_rare_value_among_many),
        STORE_TEST(a_search_can_be_cancelled_at_every_step),
        STORE_TEST(a_budget_that_is_used_up_makes_the_answer_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
