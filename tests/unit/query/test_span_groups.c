#include "query/span_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pb_wire.h"
#include "tests/support/span_build.h"

/* Spans 1 and 3 of one resource, 2 and 4 of another: as a stored trace has them, by time. */
static struct bb_span_batch interleaved(struct span_build *build, struct bb_arena *arena)
{
    span_build_resource(build, "a");
    span_build_scope(build, "s1", NULL);
    span_build_span(build, (struct span_spec){.trace = 1, .id = 1, .start_unix_ns = 1});
    span_build_scope(build, "s2", NULL);
    span_build_span(build, (struct span_spec){.trace = 1, .id = 3, .start_unix_ns = 3});
    span_build_resource(build, "b");
    span_build_scope(build, "s3", NULL);
    span_build_span(build, (struct span_spec){.trace = 1, .id = 2, .start_unix_ns = 2});
    span_build_span(build, (struct span_spec){.trace = 1, .id = 4, .start_unix_ns = 4});
    struct bb_span_batch batch = span_build_batch(build, arena);
    struct bb_span_ref second = batch.spans[1];
    batch.spans[1] = batch.spans[2];
    batch.spans[2] = second;
    return batch;
}

static uint32_t count_resource_spans(const struct bb_span_batch *batch)
{
    struct bb_pb_reader reader;
    struct bb_pb_field field;
    struct bb_buf out;
    uint32_t count = 0;

    bb_buf_init(&out, 1 << 20);
    bb_span_batch_encode(batch, &out);
    reader = bb_pb_reader_of(bb_buf_slice(&out));
    while (bb_pb_next(&reader, &field)) {
        count++;
    }
    bb_buf_dispose(&out);
    return count;
}

static void writes_each_resource_once(void **state)
{
    static const uint8_t wanted[] = {1, 3, 2, 4};
    struct span_build build;
    struct bb_span_batch grouped;
    struct bb_arena arena;

    (void)state;
    span_build_init(&build);
    bb_arena_init(&arena, 1 << 20);
    struct bb_span_batch batch = interleaved(&build, &arena);
    assert_int_equal(count_resource_spans(&batch), 4);
    assert_int_equal(bb_span_groups_sort(&batch, &arena, &grouped), BB_OK);
    assert_int_equal(count_resource_spans(&grouped), 2);
    assert_int_equal(grouped.span_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(grouped.spans[i].span_id.bytes[7], wanted[i]);
    }
    bb_arena_dispose(&arena);
    span_build_dispose(&build);
}

static void reports_an_arena_that_is_full(void **state)
{
    struct span_build build;
    struct bb_span_batch grouped;
    struct bb_arena arena;
    struct bb_arena full;

    (void)state;
    span_build_init(&build);
    bb_arena_init(&arena, 1 << 20);
    bb_arena_init(&full, 128);
    struct bb_span_batch batch = interleaved(&build, &arena);
    assert_int_equal(bb_span_groups_sort(&batch, &full, &grouped), BB_ENOMEM);
    bb_arena_dispose(&full);
    bb_arena_dispose(&arena);
    span_build_dispose(&build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_resource_once),
        cmocka_unit_test(reports_an_arena_that_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
