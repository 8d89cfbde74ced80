#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/active_segment.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

#define ARENA_BYTES ((size_t)256 << 20)

static struct bb_active_segment *segment;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(bb_active_new(&segment), BB_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_active_free(segment);
    return 0;
}

/* Appends `count` spans, numbered from `first` on, of `traces` traces in turn. */
static void append(uint32_t first, uint32_t count, uint32_t traces)
{
    struct span_build build;
    struct bb_arena arena;
    char name[32];

    bb_arena_init(&arena, ARENA_BYTES);
    span_build_init(&build);
    span_build_resource(&build, "cart");
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "operation %u", i % 10);
        span_build_span(&build, (struct span_spec){.trace = i % traces,
                                                   .id = i + 1,
                                                   .parent = i % 3,
                                                   .name = name,
                                                   .kind = BB_KIND_SERVER,
                                                   .start_unix_ns = 1000000 + i,
                                                   .end_unix_ns = 1000000 + 3 * (uint64_t)i,
                                                   .status = BB_STATUS_OK});
    }
    struct bb_slice wire = span_build_finish(&build);
    struct bb_span_batch batch = span_build_batch(&build, &arena);
    BB_ASSERT(bb_active_append(segment, &batch, wire) == BB_OK);
    span_build_dispose(&build); /* what is kept is a copy */
    bb_arena_dispose(&arena);
}

/* Row `i` is the span that append numbered so. */
static void check_row(uint32_t i)
{
    const struct bb_row *row = bb_active_row(segment, i);
    const struct bb_dictionary *dictionary = bb_active_dictionary(segment);
    struct bb_operation_entry operation = bb_dictionary_operation(dictionary, row->operation_code);
    struct bb_span_id span_id = span_build_span_id(i + 1);
    char name[32];

    snprintf(name, sizeof name, "operation %u", i % 10);
    assert_true(bb_span_id_equals(&row->span_id, &span_id));
    assert_true(row->start_unix_ns == 1000000 + i);
    assert_true(bb_row_duration_ns(row) == 2 * (uint64_t)i);
    assert_int_equal(row->status_code, BB_STATUS_OK);
    assert_int_equal(operation.kind, BB_KIND_SERVER);
    assert_true(bb_slice_equals_cstr(operation.name, name));
    assert_true(bb_slice_equals_cstr(operation.service_name, "cart"));
    assert_true(row->bytes.size > 40);
    assert_memory_equal(row->bytes.data + 2, row->trace_id.bytes, BB_TRACE_ID_SIZE);
}

/* The rows of a trace below `row_count`, last first, are those with that number, all of them. */
static void check_trace(uint32_t trace, uint32_t traces, uint32_t row_count)
{
    struct bb_trace_id id = span_build_trace_id(trace);
    uint32_t index = bb_active_find_trace(segment, &id, row_count);
    uint32_t expected = row_count;

    while (expected-- > 0) {
        if (expected % traces == trace) {
            assert_int_equal(index, expected);
            index = bb_active_row(segment, index)->previous_in_trace;
        }
    }
    assert_int_equal(index, BB_NO_ROW);
}

static void is_empty_at_first(void **state)
{
    struct bb_trace_id id = span_build_trace_id(1);
    struct bb_row_bounds bounds = bb_active_bounds(segment);

    (void)state;
    assert_int_equal(bb_active_row_count(segment), 0);
    assert_int_equal(bb_active_find_trace(segment, &id, 0), BB_NO_ROW);
    assert_true(bounds.start_unix_ns_min == 0 && bounds.start_unix_ns_max == 0);
    assert_true(bounds.duration_ns_max == 0);
    bb_active_free(NULL);
}

static void holds_every_span_and_finds_its_trace(void **state)
{
    (void)state;
    append(0, 1, 700);
    append(1, 9999, 700); /* over several chunks of rows */
    append(10000, 500, 700);
    assert_int_equal(bb_active_row_count(segment), 10500);
    for (uint32_t i = 0; i < 10500; i++) {
        check_row(i);
    }
    for (uint32_t trace = 0; trace < 700; trace++) {
        check_trace(trace, 700, 10500);
    }
    struct bb_trace_id id = span_build_trace_id(700);
    assert_int_equal(bb_active_find_trace(segment, &id, 10500), BB_NO_ROW);
}

static void finds_only_rows_below_the_count_that_was_read(void **state)
{
    (void)state;
    append(0, 100, 7);
    append(100, 100, 7);
    for (uint32_t count = 0; count <= 200; count++) {
        check_trace(3, 7, count);
    }
}

static void finds_traces_when_each_span_is_one(void **state)
{
    (void)state;
    append(0, 5000, 1000000);
    for (uint32_t i = 0; i < 5000; i++) {
        struct bb_trace_id id = span_build_trace_id(i);
        assert_int_equal(bb_active_find_trace(segment, &id, 5000), i);
    }
}

static void keeps_one_dictionary_entry_for_many_spans(void **state)
{
    const struct bb_dictionary *dictionary = bb_active_dictionary(segment);

    (void)state;
    append(0, 1000, 10);
    append(1000, 1000, 10);
    assert_int_equal(dictionary->operations.count, 10);
    assert_int_equal(dictionary->resources.count, 1);
    assert_int_equal(dictionary->scopes.count, 1);
    struct bb_resource_ref resource = bb_dictionary_resource(dictionary, 0);
    assert_true(resource.bytes.size > 0);
    assert_int_equal(resource.schema_url.size, 0);
}

static void tells_owners_apart_by_their_schema_url(void **state)
{
    const struct bb_dictionary *dictionary = bb_active_dictionary(segment);
    struct bb_arena arena;
    struct span_build build;

    (void)state;
    bb_arena_init(&arena, ARENA_BYTES);
    span_build_init(&build);
    span_build_resource(&build, "cart");
    span_build_scope(&build, "lib", "1.0");
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 1});
    struct bb_slice wire = span_build_finish(&build);
    struct bb_span_batch batch = span_build_batch(&build, &arena);
    assert_int_equal(bb_active_append(segment, &batch, wire), BB_OK);
    batch.resources[0].schema_url = BYTES_OF("url");
    batch.scopes[0].schema_url = BYTES_OF("url of the scope");
    assert_int_equal(bb_active_append(segment, &batch, wire), BB_OK);
    assert_int_equal(dictionary->resources.count, 2);
    assert_int_equal(dictionary->scopes.count, 2);
    uint32_t code = bb_active_row(segment, 1)->resource_code;
    assert_true(bb_slice_equals_cstr(bb_dictionary_resource(dictionary, code).schema_url, "url"));
    code = bb_active_row(segment, 1)->scope_code;
    assert_true(
        bb_slice_equals_cstr(bb_dictionary_scope(dictionary, code).schema_url, "url of the scope"));
    span_build_dispose(&build);
    bb_arena_dispose(&arena);
}

static void bounds_all_rows(void **state)
{
    (void)state;
    append(50, 10, 5);
    append(3, 2, 5);
    struct bb_row_bounds bounds = bb_active_bounds(segment);
    assert_true(bounds.start_unix_ns_min == 1000003);
    assert_true(bounds.start_unix_ns_max == 1000059);
    assert_true(bounds.duration_ns_max == 118);
}

static void counts_the_memory_that_it_takes(void **state)
{
    (void)state;
    append(0, 10, 5);
    size_t before = bb_active_bytes(segment);
    append(10, 20000, 50);
    assert_true(bb_active_bytes(segment) >= before + (size_t)20000 * 60);
}

#define BATCHES 200u
#define BATCH_SPANS 50u

static void *append_batches(void *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < BATCHES; i++) {
        append(i * BATCH_SPANS, BATCH_SPANS, 20);
    }
    return NULL;
}

/* Whatever count a reader reads, the rows below it stand, and are whole batches. */
static void shows_whole_batches_to_a_reader_while_it_grows(void **state)
{
    pthread_t writer;
    uint32_t count = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, append_batches, NULL), 0);
    while (count < BATCHES * BATCH_SPANS) {
        uint32_t now = bb_active_row_count(segment);
        assert_true(now >= count);
        assert_int_equal(now % BATCH_SPANS, 0);
        for (uint32_t i = now > BATCH_SPANS ? now - BATCH_SPANS : 0; i < now; i++) {
            check_row(i);
        }
        if (now != count) {
            check_trace(7, 20, now);
            assert_true(bb_active_bounds(segment).start_unix_ns_max >= 1000000 + now - 1);
        }
        count = now;
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_empty_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holds_every_span_and_finds_its_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_only_rows_below_the_count_that_was_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(finds_traces_when_each_span_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_one_dictionary_entry_for_many_spans, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tells_owners_apart_by_their_schema_url, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_all_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_the_memory_that_it_takes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_whole_batches_to_a_reader_while_it_grows, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
