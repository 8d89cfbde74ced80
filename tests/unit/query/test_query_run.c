#include "query/query_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "query_fixture.h"

/* One trace of `span_count` spans with 64 kB of text each. */
static void append_trace(struct query_fixture *fx, uint64_t trace, uint32_t span_count)
{
    static char text[65537];
    struct span_build build;

    memset(text, 'x', sizeof(text) - 1);
    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", NULL);
    for (uint32_t i = 0; i < span_count; i++) {
        span_build_span(&build, (struct span_spec){.trace = trace,
                                                   .id = i + 1,
                                                   .name = "x",
                                                   .start_unix_ns = FIXTURE_START_NS + trace,
                                                   .end_unix_ns = FIXTURE_START_NS + trace + 1});
        span_build_string(&build, "text", text);
    }
    query_fixture_append(fx, &build);
}

static void grows_its_memory_to_what_a_trace_needs(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_trace_id id = span_build_trace_id(1);
    struct bb_query_run run;
    struct bb_trace trace;

    append_trace(fx, 1, 200); /* 13 MB: two steps over the first 1 MiB */
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_find_trace(&run, &id, &trace), BB_OK);
    assert_int_equal(trace.batch.span_count, 200);
    size_t used = atomic_load(&fx->budget.used_bytes);
    assert_true(used >= run.trace.taken_bytes);
    assert_true(used == run.reserved_bytes);
    bb_query_run_end(&run, BB_OK);
    assert_int_equal(atomic_load(&fx->budget.used_bytes), 0);
}

static void tells_too_big_from_busy(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_trace_id id = span_build_trace_id(1);
    struct bb_query_run run;
    struct bb_trace trace;

    append_trace(fx, 1, 200);
    bb_mem_budget_init(&fx->budget, (size_t)4 << 20, BB_M_MEMORY_QUERY_BYTES);
    /* It would not fit if all other queries ended: trying again won't help. */
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_find_trace(&run, &id, &trace), BB_ETOOBIG);
    bb_query_run_end(&run, BB_ETOOBIG);
    /* It would: trying again helps. */
    bb_mem_budget_init(&fx->budget, (size_t)256 << 20, BB_M_MEMORY_QUERY_BYTES);
    assert_true(bb_mem_budget_try_take(&fx->budget, (size_t)250 << 20));
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_find_trace(&run, &id, &trace), BB_EBUSY);
    bb_query_run_end(&run, BB_EBUSY);
    bb_mem_budget_give(&fx->budget, (size_t)250 << 20);
}

static enum bb_err count_spans(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    uint32_t *count = ctx;

    (void)run;
    *count += trace->batch.span_count;
    return BB_OK;
}

static void leaves_out_the_trace_that_is_too_big_and_says_so(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_search search = {.limit = 10};
    struct bb_query_run run;
    uint32_t span_count = 0;

    append_trace(fx, 1, 2);
    append_trace(fx, 2, 200);
    append_trace(fx, 3, 2);
    bb_mem_budget_init(&fx->budget, (size_t)6 << 20, BB_M_MEMORY_QUERY_BYTES);
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_search(&run, &search, count_spans, &span_count), BB_OK);
    assert_int_equal(span_count, 4);
    assert_true(run.ctl.incomplete);
    assert_string_equal(run.ctl.incomplete_reason,
                        "trace " FIXTURE_TRACE_2 " takes more memory than is left");
    bb_query_run_end(&run, BB_OK);
}

static void holds_the_memory_of_one_trace_at_a_time(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_search search = {.limit = 50};
    struct bb_query_run run;
    uint32_t span_count = 0;

    for (uint64_t trace = 1; trace <= 20; trace++) {
        append_trace(fx, trace, 40); /* 2.6 MB each, 52 MB together */
    }
    bb_mem_budget_init(&fx->budget, (size_t)16 << 20, BB_M_MEMORY_QUERY_BYTES);
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_search(&run, &search, count_spans, &span_count), BB_OK);
    assert_int_equal(span_count, 20 * 40);
    assert_false(run.ctl.incomplete);
    bb_query_run_end(&run, BB_OK);
}

static enum bb_err fill_up(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    uint32_t *left = ctx;

    (void)run;
    (void)trace;
    if (*left == 0) {
        return BB_ETOOBIG;
    }
    --*left;
    return BB_OK;
}

static void ends_at_a_full_answer(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_search search = {.limit = 10};
    struct bb_query_run run;
    uint32_t left = 2;

    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_search(&run, &search, fill_up, &left), BB_OK);
    assert_true(run.ctl.incomplete);
    assert_string_equal(run.ctl.incomplete_reason, "the answer is full with 2 of 3 traces");
    bb_query_run_end(&run, BB_OK);
}

struct filling {
    struct bb_buf answer;
    uint32_t trace_count;
};

static enum bb_err add_bytes(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    static const uint8_t bytes[3 << 20];
    struct filling *filling = ctx;

    (void)run;
    (void)trace;
    bb_buf_append(&filling->answer, bytes, sizeof(bytes));
    filling->trace_count++;
    return bb_buf_err(&filling->answer);
}

static void ends_at_an_answer_that_takes_all_memory(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_search search = {.limit = 50};
    struct filling filling = {.trace_count = 0};
    struct bb_query_run run;
    char reason[64];

    for (uint64_t trace = 1; trace <= 20; trace++) {
        append_trace(fx, trace, 2);
    }
    bb_buf_init(&filling.answer, (size_t)64 << 20);
    bb_mem_budget_init(&fx->budget, (size_t)20 << 20, BB_M_MEMORY_QUERY_BYTES);
    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    run.answer = &filling.answer;
    assert_int_equal(bb_query_run_search(&run, &search, add_bytes, &filling), BB_OK);
    assert_true(filling.trace_count > 1);
    assert_true(filling.trace_count < 20);
    assert_true(run.ctl.incomplete);
    (void)snprintf(reason, sizeof(reason), "the answer is full with %u of 20 traces",
                   filling.trace_count);
    assert_string_equal(run.ctl.incomplete_reason, reason);
    bb_query_run_end(&run, BB_OK);
    bb_buf_dispose(&filling.answer);
}

static enum bb_err fail_with_io(void *ctx, struct bb_query_run *run, const struct bb_trace *trace)
{
    (void)ctx;
    (void)run;
    (void)trace;
    return BB_EIO;
}

static void hands_on_any_other_error_of_the_sink(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_search search = {.limit = 10};
    struct bb_query_run run;

    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    assert_int_equal(bb_query_run_search(&run, &search, fail_with_io, NULL), BB_EIO);
    bb_query_run_end(&run, BB_EIO);
}

static void keeps_the_first_reason_for_being_incomplete(void **state)
{
    struct query_fixture *fx = *state;
    struct bb_query_run run;

    bb_query_run_begin(&run, &fx->api, NULL, NULL);
    bb_query_run_set_incomplete(&run, "reason %d", 1);
    bb_query_run_set_incomplete(&run, "reason %d", 2);
    assert_string_equal(run.ctl.incomplete_reason, "reason 1");
    int64_t incomplete = bb_metric_get(BB_M_QUERIES_INCOMPLETE);
    bb_query_run_end(&run, BB_OK);
    assert_int_equal(bb_metric_get(BB_M_QUERIES_INCOMPLETE), incomplete + 1);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up, query_fixture_tear_down)
#define TEST_EMPTY(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, query_fixture_set_up_empty, query_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST_EMPTY(grows_its_memory_to_what_a_trace_needs),
        TEST_EMPTY(tells_too_big_from_busy),
        TEST_EMPTY(leaves_out_the_trace_that_is_too_big_and_says_so),
        TEST_EMPTY(holds_the_memory_of_one_trace_at_a_time),
        TEST(ends_at_a_full_answer),
        TEST_EMPTY(ends_at_an_answer_that_takes_all_memory),
        TEST(hands_on_any_other_error_of_the_sink),
        TEST_EMPTY(keeps_the_first_reason_for_being_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
