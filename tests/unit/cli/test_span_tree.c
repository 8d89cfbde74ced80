#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/span_tree.h"

#define SPANS_MAX 16

/* Builds the tree of spans {id, parent, start, end} and writes the ids in their order, each behind
 * as many dots as it is deep: "1 .2 ..3 .4". */
struct row {
    uint8_t id;
    uint8_t parent;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
};

static void assert_order(const struct row *rows, uint32_t count, const char *expected,
                         uint32_t orphan_count)
{
    struct bb_span_ref spans[SPANS_MAX] = {0};
    struct bb_span_batch batch = {.spans = spans, .span_count = count};
    struct bb_span_tree tree;
    struct bb_arena arena;
    struct bb_buf order;

    for (uint32_t i = 0; i < count; i++) {
        spans[i].span_id.bytes[7] = rows[i].id;
        spans[i].parent_span_id.bytes[7] = rows[i].parent;
        spans[i].start_unix_ns = rows[i].start_unix_ns;
        spans[i].end_unix_ns = rows[i].end_unix_ns;
    }
    bb_arena_init(&arena, 1u << 20);
    bb_buf_init(&order, 1024);
    assert_int_equal(bb_span_tree_build(&batch, &arena, &tree), BB_OK);
    assert_int_equal(tree.count, count);
    for (uint32_t i = 0; i < tree.count; i++) {
        const struct bb_tree_node *node = &tree.nodes[i];
        bb_buf_append_cstr(&order, i > 0 ? " " : "");
        for (uint32_t j = 0; j < node->depth; j++) {
            bb_buf_append_byte(&order, '.');
        }
        bb_buf_printf(&order, "%u", node->span->span_id.bytes[7]);
        if (node->depth > 0) {
            assert_int_equal(tree.nodes[node->parent].depth, node->depth - 1);
            assert_true(tree.nodes[node->parent].has_children);
        }
        bool is_last = true;
        for (uint32_t j = i + 1; j < tree.count && tree.nodes[j].depth >= node->depth; j++) {
            is_last = is_last && tree.nodes[j].depth != node->depth;
        }
        assert_true(node->is_last == is_last);
    }
    bb_buf_append_byte(&order, '\0');
    assert_string_equal((const char *)order.data, expected);
    assert_int_equal(tree.orphan_count, orphan_count);
    bb_buf_dispose(&order);
    bb_arena_dispose(&arena);
}

static void children_stand_below_their_parent_by_start(void **state)
{
    static const struct row rows[] = {
        {3, 2, 30, 35}, {5, 1, 60, 90}, {1, 0, 10, 100}, {2, 1, 20, 50}, {4, 2, 25, 40},
    };

    (void)state;
    assert_order(rows, 5, "1 .2 ..4 ..3 .5", 0);
}

static void a_child_that_starts_before_its_parent_still_stands_below(void **state)
{
    static const struct row rows[] = {{2, 1, 5, 8}, {1, 0, 10, 100}};

    (void)state;
    assert_order(rows, 2, "1 .2", 0);
}

static void a_span_without_its_parent_is_a_root(void **state)
{
    static const struct row rows[] = {{1, 0, 10, 100}, {2, 9, 20, 50}, {3, 2, 30, 40}};

    (void)state;
    assert_order(rows, 3, "1 2 .3", 1);
}

static void circles_are_cut_once(void **state)
{
    static const struct row self[] = {{1, 1, 10, 100}};
    static const struct row pair[] = {{1, 2, 10, 100}, {2, 1, 20, 50}};
    static const struct row tail[] = {
        {1, 2, 10, 100}, {2, 3, 20, 50}, {3, 1, 30, 40}, {4, 1, 5, 50}};

    (void)state;
    assert_order(self, 1, "1", 1);
    assert_order(pair, 2, "1 .2", 1);
    assert_order(tail, 4, "1 .4 .3 ..2", 1);
}

static void two_spans_of_one_id_are_both_there(void **state)
{
    static const struct row rows[] = {
        {1, 0, 10, 100}, {2, 1, 20, 30}, {2, 1, 40, 50}, {3, 2, 45, 46}};

    (void)state;
    assert_order(rows, 4, "1 .2 ..3 .2", 0);
}

static void of_two_that_start_together_the_longer_comes_first(void **state)
{
    static const struct row rows[] = {{2, 1, 10, 20}, {1, 0, 10, 100}, {3, 1, 10, 50}};

    (void)state;
    assert_order(rows, 3, "1 .3 .2", 0);
}

/* A chain as deep as a request is long must neither recurse nor take long. */
static void a_chain_of_200000_spans_is_a_tree(void **state)
{
    const uint32_t count = 200000;
    struct bb_arena arena;
    struct bb_span_tree tree;

    (void)state;
    bb_arena_init(&arena, 512u << 20);
    struct bb_span_ref *spans = bb_arena_try_calloc(&arena, count, sizeof(*spans));
    assert_non_null(spans);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(spans[i].span_id.bytes, &(uint32_t){i + 1}, sizeof(uint32_t));
        memcpy(spans[i].parent_span_id.bytes, &(uint32_t){i}, sizeof(uint32_t));
        spans[i].start_unix_ns = i;
        spans[i].end_unix_ns = i;
    }
    struct bb_span_batch batch = {.spans = spans, .span_count = count};
    assert_int_equal(bb_span_tree_build(&batch, &arena, &tree), BB_OK);
    assert_int_equal(tree.nodes[count - 1].depth, count - 1);
    /* Closed to a circle. */
    memcpy(spans[0].parent_span_id.bytes, &count, sizeof(count));
    assert_int_equal(bb_span_tree_build(&batch, &arena, &tree), BB_OK);
    assert_int_equal(tree.nodes[count - 1].depth, count - 1);
    assert_int_equal(tree.orphan_count, 1);
    bb_arena_dispose(&arena);
}

static void sums_up_times_and_errors(void **state)
{
    struct bb_span_ref spans[] = {
        {.span_id.bytes = {1}, .start_unix_ns = 50, .end_unix_ns = 70, .status_code = 2},
        {.span_id.bytes = {2}, .start_unix_ns = 40, .end_unix_ns = 60, .status_code = 1},
        {.span_id.bytes = {3}, .start_unix_ns = 80, .end_unix_ns = 10},
    };
    struct bb_span_batch batch = {.spans = spans, .span_count = 3};
    struct bb_span_batch late = {.spans = &spans[2], .span_count = 1};
    struct bb_span_tree tree;
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 1u << 20);
    assert_int_equal(bb_span_tree_build(&batch, &arena, &tree), BB_OK);
    assert_int_equal(tree.start_unix_ns, 40);
    assert_int_equal(tree.end_unix_ns, 70);
    assert_int_equal(tree.error_count, 1);
    assert_int_equal(bb_span_tree_build(&late, &arena, &tree), BB_OK);
    assert_int_equal(tree.end_unix_ns, 80); /* not before its start */
    bb_arena_dispose(&arena);
    bb_arena_init(&arena, 10);
    assert_int_equal(bb_span_tree_build(&batch, &arena, &tree), BB_ENOMEM);
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_stand_below_their_parent_by_start),
        cmocka_unit_test(a_child_that_starts_before_its_parent_still_stands_below),
        cmocka_unit_test(a_span_without_its_parent_is_a_root),
        cmocka_unit_test(circles_are_cut_once),
        cmocka_unit_test(two_spans_of_one_id_are_both_there),
        cmocka_unit_test(of_two_that_start_together_the_longer_comes_first),
        cmocka_unit_test(a_chain_of_200000_spans_is_a_tree),
        cmocka_unit_test(sums_up_times_and_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
