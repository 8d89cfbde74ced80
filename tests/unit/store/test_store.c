#include <pthread.h>
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

static struct span_spec spec(uint64_t trace, uint64_t id, uint64_t start_ms)
{
    return (struct span_spec){.trace = trace,
                              .id = id,
                              .name = "GET /",
                              .kind = BB_KIND_SERVER,
                              .start_unix_ns = FIXTURE_START_NS + start_ms * MS,
                              .end_unix_ns = FIXTURE_START_NS + (start_ms + 7) * MS};
}

static void a_new_store_is_empty_and_ready(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 20};

    assert_null(bb_store_not_ready_reason(fx->store));
    store_fixture_check_search(fx, &search, "all");
    store_fixture_check_all(fx);
}

static void an_append_is_seen_at_once_by_every_query(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {
        .limit = 20, .service_name = bb_slice_from_cstr("web"), .has_service_name = true};

    for (uint64_t i = 1; i <= 30; i++) {
        store_fixture_append_span(fx, spec(i % 7 + 1, i, i));
        store_fixture_check_all(fx);
        store_fixture_check_search(fx, &search, "of web");
    }
}

static void sealing_changes_no_answer(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_search search = {.limit = 3};

    for (uint64_t i = 1; i <= 30; i++) {
        store_fixture_append_span(fx, spec(i % 7 + 1, i, i));
    }
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    store_fixture_check_search(fx, &search, "newest");
    store_fixture_seal(fx); /* with nothing to seal */
    store_fixture_append_span(fx, spec(3, 100, 100));
    store_fixture_check_all(fx);
    store_fixture_check_search(fx, &search, "newest");
}

static void copies_of_a_span_count_once_wherever_they_lie(void **state)
{
    struct store_fixture *fx = *state;

    store_fixture_append_span(fx, spec(1, 5, 10));
    store_fixture_append_span(fx, spec(1, 5, 10)); /* the same segment */
    store_fixture_seal(fx);
    store_fixture_append_span(fx, spec(1, 5, 10)); /* another segment */
    store_fixture_check_all(fx);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    store_fixture_append_span(fx, spec(1, 5, 10)); /* another partition */
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void two_spans_of_one_id_and_different_content_are_both_there(void **state)
{
    struct store_fixture *fx = *state;
    struct span_spec other = spec(1, 5, 10);
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_trace_id trace_id = span_build_trace_id(1);
    struct bb_arena arena;
    struct bb_trace trace;

    other.name = "another";
    store_fixture_append_span(fx, spec(1, 5, 10));
    store_fixture_append_span(fx, other);
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_store_find_trace(fx->store, &trace_id, &ctl, &arena, &trace), BB_OK);
    assert_int_equal(trace.batch.span_count, 2);
    bb_arena_dispose(&arena);
}

static void only_one_process_or_handle_has_it_open(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_err_detail detail = {{0}};
    struct bb_store *second = NULL;

    assert_int_equal(bb_store_open(&fx->options, &detail, &second), BB_EBUSY);
    assert_null(second);
    assert_true(detail.text[0] != '\0');
    store_fixture_append_span(fx, spec(1, 1, 1));
    store_fixture_check_all(fx);
}

static void a_directory_of_a_later_format_is_left_alone(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_err_detail detail = {{0}};
    struct bb_store *store = NULL;
    char path[128];
    char text[64] = "";

    store_fixture_append_span(fx, spec(1, 1, 1));
    store_fixture_close(fx);
    snprintf(path, sizeof path, "%s/FORMAT", fx->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "bobbin store format %d\n", BB_STORE_FORMAT + 1);
    fclose(file);
    assert_int_equal(bb_store_open(&fx->options, &detail, &store), BB_EVERSION);
    assert_null(store);

    file = fopen(path, "w"); /* as it was: all is still there */
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    store_fixture_open(fx);
    store_fixture_check_all(fx);
}

static void a_file_in_the_place_of_the_directory_is_an_error_with_words(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_store_options options = fx->options;
    struct bb_err_detail detail = {{0}};
    struct bb_store *store = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/FORMAT", fx->dir);
    options.data_dir = path;
    enum bb_err err = bb_store_open(&options, &detail, &store);
    assert_true(err == BB_EIO || err == BB_EINVAL);
    assert_true(detail.text[0] != '\0');
    assert_null(store);
}

/* More than one unsealed segment can hold: appends freeze, and the keeper seals, as it goes. */
static void appends_beyond_a_segment_go_on_and_are_all_there(void **state)
{
    struct store_fixture *fx = *state;
    static char filler[2001];
    struct bb_search search = {.limit = 5, .order = BB_ORDER_NEWEST};
    int64_t sealed_before = bb_metric_get(BB_M_STORE_SEALED_SEGMENTS);

    memset(filler, 'x', sizeof filler - 1);
    for (uint64_t batch = 0; batch < 60; batch++) {
        struct span_build build;
        span_build_init(&build);
        span_build_resource(&build, "bulk");
        span_build_scope(&build, "lib", "1.0");
        for (uint64_t i = 0; i < 200; i++) {
            span_build_span(&build, spec(batch * 200 + i / 10 + 1, i + 1, batch * 10 + i));
            span_build_string(&build, "filler", filler);
            span_build_int(&build, "i", (int64_t)i);
        }
        store_fixture_append(fx, &build);
    }
    bb_store_housekeep(fx->store);
    assert_true(bb_metric_get(BB_M_STORE_SEALED_SEGMENTS) > sealed_before);
    store_fixture_check_search(fx, &search, "newest");
    for (uint64_t trace = 1; trace <= 12000; trace += 211) {
        struct bb_trace_id trace_id = span_build_trace_id(trace);
        store_fixture_check_trace(fx, &trace_id);
    }
    store_fixture_reopen(fx);
    store_fixture_check_search(fx, &search, "newest");
}

enum { WRITERS = 3, BATCHES = 40, SPANS = 25 };

struct writer {
    struct store_fixture *fx;
    uint64_t number;
    enum bb_err err;
};

static void *write_batches(void *arg)
{
    struct writer *writer = arg;

    for (uint64_t batch = 0; batch < BATCHES && writer->err == BB_OK; batch++) {
        struct span_build build;
        struct bb_arena arena;
        span_build_init(&build);
        bb_arena_init(&arena, (size_t)16 << 20);
        span_build_resource(&build, "threads");
        span_build_scope(&build, "lib", "1.0");
        for (uint64_t i = 0; i < SPANS; i++) {
            uint64_t id = (writer->number * BATCHES + batch) * SPANS + i + 1;
            span_build_span(&build, spec(writer->number + 1, id, id));
        }
        struct bb_span_batch spans = span_build_batch(&build, &arena);
        writer->err = bb_store_append(writer->fx->store, &spans, bb_buf_slice(&build.wire), NULL);
        bb_arena_dispose(&arena);
        span_build_dispose(&build);
    }
    return NULL;
}

/* Each trace's spans as found; sees to it that no batch is there by half. */
static void check_whole_batches(struct store_fixture *fx, uint64_t writer, bool is_over)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_trace_id trace_id = span_build_trace_id(writer + 1);
    struct bb_arena arena;
    struct bb_trace trace;

    bb_arena_init(&arena, (size_t)64 << 20);
    enum bb_err err = bb_store_find_trace(fx->store, &trace_id, &ctl, &arena, &trace);
    assert_true(err == BB_OK || (err == BB_ENOTFOUND && !is_over));
    if (err == BB_OK) {
        assert_int_equal(trace.batch.span_count % SPANS, 0);
        if (is_over) {
            assert_int_equal(trace.batch.span_count, BATCHES * SPANS);
        }
    }
    bb_arena_dispose(&arena);
}

static void threads_append_seal_and_read_at_the_same_time(void **state)
{
    struct store_fixture *fx = *state;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];

    for (uint64_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.fx = fx, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_batches, &writers[i]), 0);
    }
    for (int round = 0; round < 8; round++) {
        store_fixture_seal(fx);
        for (uint64_t i = 0; i < WRITERS; i++) {
            check_whole_batches(fx, i, false);
        }
        store_fixture_pass(fx, round % 3 == 0 ? FIXTURE_HOUR_NS : 0);
    }
    for (uint64_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(writers[i].err, BB_OK);
        check_whole_batches(fx, i, true);
    }
    store_fixture_reopen(fx);
    for (uint64_t i = 0; i < WRITERS; i++) {
        check_whole_batches(fx, i, true);
    }
}

static void gauges_tell_what_is_stored(void **state)
{
    struct store_fixture *fx = *state;

    store_fixture_append_span(fx, spec(1, 1, 1));
    store_fixture_append_span(fx, spec(2, 2, 2));
    bb_store_update_metrics(fx->store);
    assert_int_equal(bb_metric_get(BB_M_STORE_SPANS), 2);
    assert_int_equal(bb_metric_get(BB_M_STORE_ACTIVE_SPANS), 2);
    assert_int_equal(bb_metric_get(BB_M_STORE_PARTITIONS), 1);
    store_fixture_seal(fx);
    store_fixture_append_span(fx, spec(3, 3, 3));
    bb_store_update_metrics(fx->store);
    assert_int_equal(bb_metric_get(BB_M_STORE_SPANS), 3);
    assert_int_equal(bb_metric_get(BB_M_STORE_ACTIVE_SPANS), 1);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    bb_store_update_metrics(fx->store);
    assert_int_equal(bb_metric_get(BB_M_STORE_SPANS), 3);
    assert_int_equal(bb_metric_get(BB_M_STORE_ACTIVE_SPANS), 0);
    assert_int_equal(bb_metric_get(BB_M_STORE_PARTITIONS), 2);
    assert_true(bb_metric_get(BB_M_STORE_DISK_BYTES) > 0);
    assert_true(bb_metric_get(BB_M_STORE_DISK_FREE_BYTES) > 0);
    assert_int_equal(bb_metric_get(BB_M_STORE_OLDEST_UNIX), FIXTURE_START_NS / BB_NS_PER_S);
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_store_is_empty_and_ready),
        STORE_TEST(an_append_is_seen_at_once_by_every_query),
        STORE_TEST(sealing_changes_no_answer),
        STORE_TEST(copies_of_a_span_count_once_wherever_they_lie),
        STORE_TEST(two_spans_of_one_id_and_different_content_are_both_there),
        STORE_TEST(only_one_process_or_handle_has_it_open),
        STORE_TEST(a_directory_of_a_later_format_is_left_alone),
        STORE_TEST(a_file_in_the_place_of_the_directory_is_an_error_with_words),
        STORE_TEST(appends_beyond_a_segment_go_on_and_are_all_there),
        STORE_TEST(threads_append_seal_and_read_at_the_same_time),
        STORE_TEST(gauges_tell_what_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
