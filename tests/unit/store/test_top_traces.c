#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/top_traces.h"
#include "tests/support/span_build.h"

#define TRACES_MAX 4000u

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int by_key_then_trace(const void *a, const void *b)
{
    const struct bb_search_hit *left = a;
    const struct bb_search_hit *right = b;

    if (left->key != right->key) {
        return left->key > right->key ? -1 : 1;
    }
    return bb_trace_id_compare(&left->trace_id, &right->trace_id);
}

/* Offers `hit_count` random hits on up to `trace_count` traces, and compares with a table of the
 * best key of every trace. `skips`: asks first if the key is wanted, as a search does. */
static void check(uint32_t limit, uint32_t trace_count, uint32_t hit_count, uint64_t key_range,
                  bool skips)
{
    static struct bb_search_hit best[TRACES_MAX];
    static struct bb_search_hit expected[TRACES_MAX];
    uint64_t seed = 1 + limit * UINT64_C(7919) + hit_count;
    uint32_t expected_count = 0;
    struct bb_top_traces top;
    struct bb_arena arena;

    assert_true(trace_count <= TRACES_MAX);
    bb_arena_init(&arena, (size_t)64 << 20);
    assert_int_equal(bb_top_traces_init(&top, limit, &arena), BB_OK);
    memset(best, 0, sizeof best);
    for (uint32_t i = 0; i < hit_count; i++) {
        uint64_t trace = next_random(&seed) % trace_count;
        uint64_t key = 1 + next_random(&seed) % key_range;
        best[trace].trace_id = span_build_trace_id(trace);
        best[trace].key = key > best[trace].key ? key : best[trace].key;
        if (!skips || bb_top_traces_wants(&top, key)) {
            bb_top_traces_add(&top, &best[trace].trace_id, key);
        }
        if (i % 997 == 996) {
            bb_top_traces_cut(&top);
        }
    }
    for (uint32_t i = 0; i < trace_count; i++) {
        if (best[i].key != 0) {
            expected[expected_count++] = best[i];
        }
    }
    qsort(expected, expected_count, sizeof *expected, by_key_then_trace);
    bb_top_traces_cut(&top);
    assert_int_equal(top.hit_count, expected_count < limit ? expected_count : limit);
    for (uint32_t i = 0; i < top.hit_count; i++) {
        assert_true(bb_trace_id_equals(&top.hits[i].trace_id, &expected[i].trace_id));
        assert_true(top.hits[i].key == expected[i].key);
    }
    bb_arena_dispose(&arena);
}

static void keeps_the_best_traces_as_a_full_sort_does(void **state)
{
    static const uint32_t limits[] = {1, 2, 20, 1500};
    static const uint64_t ranges[] = {3, 1000, UINT64_MAX - 1}; /* ties nearly always, or never */

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(limits); i++) {
        for (size_t k = 0; k < BB_ARRAY_COUNT(ranges); k++) {
            check(limits[i], 4000, 40000, ranges[k], false);
            check(limits[i], 4000, 40000, ranges[k], true);
            check(limits[i], 10, 3000, ranges[k], true);
        }
    }
}

static void wants_a_key_that_ties_with_the_worst_of_the_best(void **state)
{
    struct bb_top_traces top;
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_top_traces_init(&top, 2, &arena), BB_OK);
    for (uint64_t i = 0; i < 3; i++) {
        struct bb_trace_id id = span_build_trace_id(10 + i);
        assert_true(bb_top_traces_wants(&top, 0));
        bb_top_traces_add(&top, &id, 5);
    }
    bb_top_traces_cut(&top);
    assert_true(bb_top_traces_wants(&top, 5));
    assert_false(bb_top_traces_wants(&top, 4));
    struct bb_trace_id smaller = span_build_trace_id(1);
    bb_top_traces_add(&top, &smaller, 5);
    bb_top_traces_cut(&top);
    assert_int_equal(top.hit_count, 2);
    assert_true(bb_trace_id_equals(&top.hits[0].trace_id, &smaller));
    bb_arena_dispose(&arena);
}

static void says_when_there_is_no_memory(void **state)
{
    struct bb_top_traces top;
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 4096);
    assert_int_equal(bb_top_traces_init(&top, 1000, &arena), BB_ENOMEM);
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_best_traces_as_a_full_sort_does),
        cmocka_unit_test(wants_a_key_that_ties_with_the_worst_of_the_best),
        cmocka_unit_test(says_when_there_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
