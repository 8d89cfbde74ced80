#include "query/span_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/span_build.h"

static void finds_repeated_ids_and_missing_parents(void **state)
{
    struct span_build build;
    struct bb_arena arena;
    struct bb_span_index index;
    struct bb_span_id id;

    (void)state;
    span_build_init(&build);
    bb_arena_init(&arena, 1 << 20);
    span_build_resource(&build, "a");
    span_build_scope(&build, "lib", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 2});
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 3, .parent = 2});
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 2, .parent = 4});
    struct bb_span_batch batch = span_build_batch(&build, &arena);

    assert_int_equal(bb_span_index_build(&batch, &arena, &index), BB_OK);
    id = span_build_span_id(2);
    assert_int_equal(bb_span_index_count(&index, &id), 2);
    id = span_build_span_id(3);
    assert_int_equal(bb_span_index_count(&index, &id), 1);
    id = span_build_span_id(5);
    assert_int_equal(bb_span_index_count(&index, &id), 0);
    assert_false(bb_span_index_is_orphan(&index, &batch.spans[0]));
    assert_false(bb_span_index_is_orphan(&index, &batch.spans[1]));
    assert_true(bb_span_index_is_orphan(&index, &batch.spans[2]));
    bb_arena_dispose(&arena);
    span_build_dispose(&build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_repeated_ids_and_missing_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
