#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/metrics.h"
#include "store_fixture.h"

#define MS BB_NS_PER_MS

static void append(struct store_fixture *fx, uint64_t trace, uint64_t start_unix_ns)
{
    store_fixture_append_span(fx, (struct span_spec){.trace = trace,
                                                     .id = trace,
                                                     .name = "op",
                                                     .start_unix_ns = start_unix_ns,
                                                     .end_unix_ns = start_unix_ns + MS});
}

static void partitions_roll_over_by_the_hour(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t hour = 0; hour < 5; hour++) {
        append(fx, hour + 1, FIXTURE_START_NS + hour * FIXTURE_HOUR_NS);
        store_fixture_pass(fx, FIXTURE_HOUR_NS / 2); /* half an hour changes nothing */
        assert_int_equal(store_fixture_partition_count(fx), hour + 1);
        append(fx, hour + 101, FIXTURE_START_NS + hour * FIXTURE_HOUR_NS + 1);
        store_fixture_pass(fx, FIXTURE_HOUR_NS / 2);
        assert_int_equal(store_fixture_partition_count(fx), hour + 2);
        store_fixture_check_all(fx);
    }
    store_fixture_reopen(fx);
    assert_int_equal(store_fixture_partition_count(fx), 6);
    store_fixture_check_all(fx);
}

static void hours_in_which_nothing_arrives_leave_no_partitions(void **state)
{
    struct store_fixture *fx = *state;

    append(fx, 1, FIXTURE_START_NS);
    for (int hour = 0; hour < 10; hour++) {
        store_fixture_pass(fx, FIXTURE_HOUR_NS);
    }
    assert_int_equal(store_fixture_partition_count(fx), 2); /* the first and the active one */
    store_fixture_check_all(fx);
}

/* What counts for retention is when a span arrived, not when it says that it began. */
static void retention_drops_whole_partitions_by_arrival(void **state)
{
    enum { PERIODS = 6 };
    const uint64_t period_ns = 60 * BB_NS_PER_S; /* the shortest there is */
    struct store_fixture *fx = *state;
    int64_t dropped_before = bb_metric_get(BB_M_STORE_EXPIRED_PARTITIONS_AGE);

    store_fixture_close(fx);
    fx->options.retention_ns = PERIODS * period_ns;
    store_fixture_open(fx);
    for (uint64_t period = 0; period < PERIODS; period++) {
        /* Two a partition; the second claims to be of long ago, or of the far future. */
        append(fx, 2 * period + 1, FIXTURE_START_NS + period * period_ns);
        append(fx, 2 * period + 2, period % 2 == 0 ? 1 : UINT64_C(4000000000000000000));
        store_fixture_pass(fx, period_ns);
    }
    /* The oldest partition took spans until the second period began: they are kept that long. */
    assert_int_equal(bb_metric_get(BB_M_STORE_EXPIRED_PARTITIONS_AGE), dropped_before);
    store_fixture_check_all(fx);

    for (uint64_t period = 0; period < 4; period++) {
        store_fixture_pass(fx, period_ns + (period == 0 ? 1 : 0));
        store_model_forget(&fx->model, 2);
        store_fixture_check_all(fx);
        assert_int_equal(bb_metric_get(BB_M_STORE_EXPIRED_PARTITIONS_AGE) - dropped_before,
                         period + 1);
    }
    for (uint64_t trace = 1; trace <= 2 * PERIODS; trace++) {
        struct bb_trace_id trace_id = span_build_trace_id(trace);
        store_fixture_check_trace(fx, &trace_id); /* 1 to 8 are gone, the model says */
    }
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void what_is_dropped_takes_its_files_along(void **state)
{
    struct store_fixture *fx = *state;
    char path[128];
    unsigned left = 0;

    append(fx, 1, FIXTURE_START_NS);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    assert_int_equal(store_fixture_partition_count(fx), 2);
    store_fixture_pass(fx, 2 * FIXTURE_RETENTION_NS);
    store_model_forget(&fx->model, 1);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx); /* empties the trash at the latest */
    assert_int_equal(store_fixture_partition_count(fx), 1);
    snprintf(path, sizeof path, "%s/trash", fx->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        left += entry->d_name[0] != '.';
    }
    closedir(dir);
    assert_int_equal(left, 0);
}

static void a_clock_that_steps_back_loses_nothing(void **state)
{
    struct store_fixture *fx = *state;

    append(fx, 1, FIXTURE_START_NS);
    store_fixture_pass(fx, 3 * FIXTURE_HOUR_NS);
    append(fx, 2, FIXTURE_START_NS);
    atomic_fetch_sub(&fx->clock.now_unix_ns, 5 * FIXTURE_HOUR_NS);
    bb_store_housekeep(fx->store);
    append(fx, 3, FIXTURE_START_NS);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    append(fx, 4, FIXTURE_START_NS);
    store_fixture_check_all(fx);
    store_fixture_pass(fx, 10 * FIXTURE_HOUR_NS);
    append(fx, 5, FIXTURE_START_NS);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void a_reopening_goes_on_in_the_partition_of_the_hour(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t i = 1; i <= 4; i++) {
        append(fx, i, FIXTURE_START_NS);
        store_fixture_reopen(fx);
        assert_int_equal(store_fixture_partition_count(fx), 1);
    }
    store_fixture_close(fx);
    atomic_fetch_add(&fx->clock.now_unix_ns, 2 * FIXTURE_HOUR_NS); /* while it was down */
    store_fixture_open(fx);
    append(fx, 5, FIXTURE_START_NS);
    assert_int_equal(store_fixture_partition_count(fx), 2);
    store_fixture_check_all(fx);
}

/* Values that don't compress, so that bytes on disk are what the test says. */
static void append_noise(struct store_fixture *fx, uint64_t trace, size_t size)
{
    static uint8_t noise[1 << 20];
    static uint64_t seed = 1;
    struct span_build build;

    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        noise[i] = (uint8_t)(seed >> 56);
    }
    span_build_init(&build);
    span_build_resource(&build, "noise");
    span_build_scope(&build, "lib", NULL);
    span_build_span(&build, (struct span_spec){.trace = trace, .id = 1, .name = "op"});
    span_build_bytes(&build, "noise", bb_slice_of(noise, size));
    store_fixture_append(fx, &build);
}

static void the_disk_limit_drops_the_oldest_first(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    int64_t dropped_before = bb_metric_get(BB_M_STORE_EXPIRED_PARTITIONS_BYTES);
    bool was_there = false;

    store_fixture_close(fx);
    fx->options.disk_bytes_max = (uint64_t)24 << 20;
    store_fixture_open(fx);
    for (uint64_t i = 1; i <= 40; i++) {
        append_noise(fx, i, 1 << 20);
        if (i % 4 == 0) {
            store_fixture_pass(fx, FIXTURE_HOUR_NS);
        }
    }
    assert_true(bb_metric_get(BB_M_STORE_EXPIRED_PARTITIONS_BYTES) > dropped_before);
    /* What is left is the newest, without a hole. */
    for (uint64_t i = 1; i <= 40; i++) {
        struct bb_trace_id trace_id = span_build_trace_id(i);
        struct bb_arena arena;
        struct bb_trace trace;
        bb_arena_init(&arena, (size_t)16 << 20);
        enum bb_err err = bb_store_find_trace(fx->store, &trace_id, &ctl, &arena, &trace);
        assert_true(err == BB_OK || err == BB_ENOTFOUND);
        assert_true(err == BB_OK || !was_there);
        was_there = err == BB_OK;
        bb_arena_dispose(&arena);
    }
    assert_true(was_there);
    bb_store_update_metrics(fx->store);
    assert_true(bb_metric_get(BB_M_STORE_DISK_BYTES) <= 28 << 20);
}

static void the_age_of_the_oldest_partition_is_told(void **state)
{
    struct store_fixture *fx = *state;

    append(fx, 1, FIXTURE_START_NS);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    append(fx, 2, FIXTURE_START_NS);
    bb_store_update_metrics(fx->store);
    assert_int_equal(bb_metric_get(BB_M_STORE_OLDEST_UNIX), FIXTURE_START_NS / BB_NS_PER_S);
    store_fixture_pass(fx, FIXTURE_RETENTION_NS + 1);
    store_model_forget(&fx->model, 1);
    store_fixture_check_all(fx);
    bb_store_update_metrics(fx->store);
    assert_int_equal(bb_metric_get(BB_M_STORE_OLDEST_UNIX),
                     (FIXTURE_START_NS + FIXTURE_HOUR_NS) / BB_NS_PER_S);
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(partitions_roll_over_by_the_hour),
        STORE_TEST(hours_in_which_nothing_arrives_leave_no_partitions),
        STORE_TEST(retention_drops_whole_partitions_by_arrival),
        STORE_TEST(what_is_dropped_takes_its_files_along),
        STORE_TEST(a_clock_that_steps_back_loses_nothing),
        STORE_TEST(a_reopening_goes_on_in_the_partition_of_the_hour),
        STORE_TEST(the_disk_limit_drops_the_oldest_first),
        STORE_TEST(the_age_of_the_oldest_partition_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
