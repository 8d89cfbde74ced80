#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"
#include "tests/support/otlp_build.h"

#define MS BB_NS_PER_MS

static struct span_spec spec(uint64_t trace, uint64_t id, uint64_t start_ms)
{
    return (struct span_spec){.trace = trace,
                              .id = id,
                              .name = "op",
                              .start_unix_ns = FIXTURE_START_NS + start_ms * MS,
                              .end_unix_ns = FIXTURE_START_NS + (start_ms + 1) * MS};
}

static void a_trace_over_segments_and_partitions_comes_back_whole(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_trace_id trace_id = span_build_trace_id(1);

    /* Backwards in time, so that the order is the store's own work. */
    for (uint64_t i = 0; i < 12; i++) {
        store_fixture_append_span(fx, spec(1, i + 1, 1000 - i));
        store_fixture_append_span(fx, spec(2 + i, 1, i)); /* traces on both sides of it */
        if (i % 3 == 1) {
            store_fixture_seal(fx);
        }
        if (i % 4 == 3) {
            store_fixture_pass(fx, FIXTURE_HOUR_NS);
        }
        store_fixture_check_trace(fx, &trace_id);
    }
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void a_full_span_comes_back_byte_for_byte(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_buf request;

    build_init(&request);
    build_full_request(&request);
    store_fixture_append_wire(fx, bb_buf_slice(&request));
    bb_buf_dispose(&request);
    store_fixture_check_all(fx);
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

/* Sizes around those that a page, a block and a large value have. */
static void values_of_every_size_come_back(void **state)
{
    struct store_fixture *fx = *state;
    static const size_t sizes[] = {0,    1,     127,   128,   1023,  1024,    1025,
                                   4096, 16383, 16384, 65535, 65536, 1000000, 5000000};
    static uint8_t value[5000000];

    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    for (uint64_t i = 0; i < BB_ARRAY_COUNT(sizes); i++) {
        struct span_build build;
        span_build_init(&build);
        span_build_resource(&build, "web");
        span_build_scope(&build, "lib", NULL);
        span_build_span(&build, spec(1 + i / 3, i + 1, i));
        span_build_bytes(&build, "value", bb_slice_of(value, sizes[i]));
        span_build_span(&build, spec(1 + i / 3, 100 + i, i));
        store_fixture_append(fx, &build);
    }
    store_fixture_check_all(fx);
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

/* More keys, and more orders of keys, than a segment has columns and shapes for. */
static void spans_of_thousands_of_different_keys_come_back(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t batch = 0; batch < 10; batch++) {
        struct span_build build;
        span_build_init(&build);
        span_build_resource(&build, "web");
        span_build_scope(&build, "lib", NULL);
        for (uint64_t i = 0; i < 500; i++) {
            char key[32];
            uint64_t number = batch * 500 + i;
            span_build_span(&build, spec(1 + number / 100, number + 1, number));
            snprintf(key, sizeof key, "key.%llu", (unsigned long long)number);
            span_build_int(&build, key, (int64_t)number);
            span_build_string(&build, "same", "value");
        }
        store_fixture_append(fx, &build);
    }
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
}

/* Not only the ids that random generators make. */
static void ids_at_the_ends_of_their_range_are_found(void **state)
{
    static const uint8_t firsts[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    struct store_fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(firsts); i++) {
        struct bb_buf request;
        struct bb_buf span;
        uint8_t trace_id[16];
        uint8_t span_id[8];
        memset(trace_id, firsts[i], sizeof trace_id);
        memset(span_id, firsts[i], sizeof span_id);
        trace_id[15] = span_id[7] = (uint8_t)(firsts[i] | 1);
        build_init(&request);
        build_init(&span);
        bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(trace_id, 16));
        bb_pb_write_bytes(&span, BB_F_SPAN_SPAN_ID, bb_slice_of(span_id, 8));
        /* Times that are missing, or as far off as they can be. */
        bb_pb_write_fixed64(&span, BB_F_SPAN_START_TIME_UNIX_NANO, i % 2 == 0 ? 0 : UINT64_MAX);
        bb_pb_write_fixed64(&span, BB_F_SPAN_END_TIME_UNIX_NANO, i % 3 == 0 ? 0 : UINT64_MAX);
        build_request_of_span(&request, &span);
        store_fixture_append_wire(fx, bb_buf_slice(&request));
        bb_buf_dispose(&request);
    }
    store_fixture_check_all(fx);
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void says_not_found_of_what_is_not_there(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t trace = 1; trace <= 50; trace++) {
        store_fixture_append_span(fx, spec(2 * trace, 1, trace));
    }
    for (int sealed = 0; sealed < 2; sealed++) {
        for (uint64_t trace = 0; trace <= 101; trace++) {
            struct bb_trace_id trace_id = span_build_trace_id(trace);
            store_fixture_check_trace(fx, &trace_id); /* the model says so, too */
        }
        store_fixture_seal(fx);
    }
}

static void an_arena_at_its_limit_is_told(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_trace_id trace_id = span_build_trace_id(1);
    enum bb_err err = BB_ENOMEM;

    for (uint64_t i = 1; i <= 200; i++) {
        store_fixture_append_span(fx, spec(1, i, i));
    }
    for (int sealed = 0; sealed < 2; sealed++) {
        err = BB_ENOMEM;
        for (size_t limit = 0; err != BB_OK; limit += 1500) {
            struct bb_query_ctl ctl = {.read_bytes_max = 0};
            struct bb_trace untouched;
            struct bb_trace trace;
            struct bb_arena arena;
            memset(&untouched, 0xa5, sizeof untouched);
            memcpy(&trace, &untouched, sizeof trace);
            bb_arena_init(&arena, limit);
            err = bb_store_find_trace(fx->store, &trace_id, &ctl, &arena, &trace);
            if (err != BB_OK) {
                assert_true(err == BB_ENOMEM || err == BB_ETOOBIG);
                assert_memory_equal(&trace, &untouched, sizeof trace);
            } else {
                assert_int_equal(trace.batch.span_count, 200);
            }
            bb_arena_dispose(&arena);
            assert_true(limit < ((size_t)1 << 22));
        }
        store_fixture_seal(fx);
    }
}

static bool say_yes(void *ctx)
{
    (*(int *)ctx)++;
    return true;
}

static void stops_when_the_asker_has_gone(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_trace_id trace_id = span_build_trace_id(1);

    store_fixture_append_span(fx, spec(1, 1, 1));
    for (int sealed = 0; sealed < 2; sealed++) {
        int asked = 0;
        struct bb_query_ctl ctl = {.is_cancelled = say_yes, .cancel_ctx = &asked};
        struct bb_arena arena;
        struct bb_trace trace;
        bb_arena_init(&arena, (size_t)1 << 20);
        assert_int_equal(bb_store_find_trace(fx->store, &trace_id, &ctl, &arena, &trace),
                         BB_ECANCELLED);
        assert_true(asked > 0);
        bb_arena_dispose(&arena);
        store_fixture_seal(fx);
    }
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_trace_over_segments_and_partitions_comes_back_whole),
        STORE_TEST(a_full_span_comes_back_byte_for_byte),
        STORE_TEST(values_of_every_size_come_back),
        STORE_TEST(spans_of_thousands_of_different_keys_come_back),
        STORE_TEST(ids_at_the_ends_of_their_range_are_found),
        STORE_TEST(says_not_found_of_what_is_not_there),
        STORE_TEST(an_arena_at_its_limit_is_told),
        STORE_TEST(stops_when_the_asker_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
