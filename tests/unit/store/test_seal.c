#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "partition_fixture.h"
#include "span_random.h"
#include "store/block_codec.h"
#include "store/seal.h"
#include "store/trace_filter.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

static struct bb_unsealed *freeze(struct partition_fixture *fx)
{
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    struct bb_unsealed *frozen = bb_partition_next_frozen(fx->partition);
    assert_non_null(frozen);
    return frozen;
}

static void seal(struct partition_fixture *fx, struct bb_unsealed *unsealed)
{
    struct bb_err_detail detail = {{0}};

    if (bb_seal_segment(fx->partition, unsealed, false, &detail) != BB_OK) {
        fail_msg("not sealed: %s", detail.text);
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct bb_row *left = *(const struct bb_row *const *)a;
    const struct bb_row *right = *(const struct bb_row *const *)b;
    int order = bb_trace_id_compare(&left->trace_id, &right->trace_id);

    if (order != 0) {
        return order;
    }
    if (left->start_unix_ns != right->start_unix_ns) {
        return left->start_unix_ns < right->start_unix_ns ? -1 : 1;
    }
    return memcmp(left->span_id.bytes, right->span_id.bytes, BB_SPAN_ID_SIZE);
}

/* The rows as they were before, sorted, and which of them have been found again. */
struct expected_rows {
    const struct bb_dictionary *dictionary;
    const struct bb_row **rows;
    uint8_t *is_found;
    uint32_t count;
};

static struct expected_rows rows_of(struct partition_fixture *fx, struct bb_unsealed *unsealed)
{
    struct expected_rows expected = {.dictionary = bb_active_dictionary(unsealed->segment),
                                     .count = bb_active_row_count(unsealed->segment)};

    expected.rows = bb_arena_try_calloc(&fx->arena, expected.count, sizeof *expected.rows);
    expected.is_found = bb_arena_try_calloc(&fx->arena, expected.count, 1);
    assert_non_null(expected.rows);
    assert_non_null(expected.is_found);
    for (uint32_t i = 0; i < expected.count; i++) {
        expected.rows[i] = bb_active_row(unsealed->segment, i);
    }
    qsort(expected.rows, expected.count, sizeof *expected.rows, compare_rows);
    return expected;
}

static bool is_same(const struct bb_row *a, const struct bb_dictionary *of_a,
                    const struct bb_row *b, const struct bb_dictionary *of_b)
{
    return bb_slice_equals(a->bytes, b->bytes) && a->end_unix_ns == b->end_unix_ns &&
           a->status_code == b->status_code &&
           bb_span_id_equals(&a->parent_span_id, &b->parent_span_id) &&
           bb_slice_equals(bb_intern_get(&of_a->operations, a->operation_code),
                           bb_intern_get(&of_b->operations, b->operation_code)) &&
           bb_slice_equals(bb_intern_get(&of_a->resources, a->resource_code),
                           bb_intern_get(&of_b->resources, b->resource_code)) &&
           bb_slice_equals(bb_intern_get(&of_a->scopes, a->scope_code),
                           bb_intern_get(&of_b->scopes, b->scope_code));
}

/* Row `index` of the sealed ones is one that was there, and hasn't been found yet. */
static void find_row(struct expected_rows *expected, uint32_t index, const struct bb_row *row,
                     const struct bb_dictionary *dictionary)
{
    uint32_t at = index;

    assert_true(index < expected->count);
    while (at > 0 && compare_rows(&expected->rows[at - 1], &row) == 0) {
        at--;
    }
    for (; at < expected->count && compare_rows(&expected->rows[at], &row) == 0; at++) {
        if (!expected->is_found[at] &&
            is_same(expected->rows[at], expected->dictionary, row, dictionary)) {
            expected->is_found[at] = 1;
            return;
        }
    }
    fail_msg("row %u is not one that was appended", index);
}

static struct bb_kv_value get(struct partition_fixture *fx, enum bb_kv_family family,
                              const uint8_t *key, size_t key_size)
{
    struct bb_kv_value value = {.pin = NULL};

    assert_int_equal(bb_kv_get(fx->partition->kv, family, bb_slice_of(key, key_size), NULL, &value),
                     BB_OK);
    return value;
}

static void load_block(struct partition_fixture *fx, uint32_t segment, uint32_t index,
                       const struct bb_dictionary *dictionary, struct bb_block *block)
{
    uint8_t key[BB_BLOCK_KEY_SIZE];

    bb_block_key(segment, index, 0, key);
    struct bb_kv_value value = get(fx, BB_KV_BLOCKS, key, sizeof key);
    assert_int_equal(bb_block_decode(value.bytes, dictionary, &fx->arena, block), BB_OK);
    bb_kv_value_dispose(&value);
    for (uint32_t page = 0; page < block->page_count; page++) {
        bb_block_key(segment, index, page + 1, key);
        value = get(fx, BB_KV_BLOCKS, key, sizeof key);
        assert_int_equal(bb_block_load_rows(block, page, value.bytes, 0, block->row_count,
                                            dictionary, &fx->arena),
                         BB_OK);
        bb_kv_value_dispose(&value);
    }
}

/* The one sealed segment has exactly the expected rows, in order. */
static void check(struct partition_fixture *fx, struct expected_rows *expected)
{
    struct bb_dictionary *dictionary = bb_arena_try_alloc(&fx->arena, sizeof *dictionary);
    struct bb_segment_list *list = NULL;
    uint8_t key[BB_INDEX_KEY_SIZE];
    uint32_t row_count = 0;

    assert_non_null(dictionary);
    assert_int_equal(bb_partition_list(fx->partition, NULL, &list), BB_OK);
    assert_int_equal(list->sealed_count, 1);
    const struct bb_sealed_segment *sealed = list->sealed[0];
    bb_index_key(sealed->segment, BB_INDEX_DICTIONARY, key);
    struct bb_kv_value value = get(fx, BB_KV_INDEX, key, sizeof key);
    assert_int_equal(bb_dictionary_decode(value.bytes, &fx->arena, dictionary), BB_OK);
    bb_kv_value_dispose(&value);
    for (uint32_t i = 0; i < sealed->block_count; i++) {
        struct bb_block block;
        load_block(fx, sealed->segment, i, dictionary, &block);
        assert_int_equal(block.row_count, sealed->blocks[i].row_count);
        for (uint32_t row = 0; row < block.row_count; row++) {
            const struct bb_trace_id *trace_id = &block.rows[row].trace_id;
            find_row(expected, row_count++, &block.rows[row], dictionary);
            assert_true(bb_trace_filter_may_hold(sealed->filter, trace_id));
            assert_true(bb_trace_id_compare(&sealed->blocks[i].first_trace_id, trace_id) <= 0);
            assert_true(bb_trace_id_compare(trace_id, &sealed->blocks[i].last_trace_id) <= 0);
        }
    }
    assert_int_equal(row_count, expected->count);
    assert_true(sealed->row_count == row_count);
    bb_segment_list_release(list);
}

static void append_random(struct partition_fixture *fx, uint32_t requests)
{
    struct span_random random = {.seed = 7, .start_unix_ns = UINT64_C(1700000000000000000)};
    struct bb_buf request;

    build_init(&request);
    for (uint32_t i = 0; i < requests; i++) {
        bb_buf_clear(&request);
        span_random_put_request(&random, &request);
        partition_fixture_append(fx, bb_buf_slice(&request));
    }
    bb_buf_dispose(&request);
}

static void keeps_every_span_byte_for_byte(void **state)
{
    struct partition_fixture *fx = *state;

    append_random(fx, 500);
    struct bb_unsealed *unsealed = freeze(fx);
    struct expected_rows expected = rows_of(fx, unsealed);
    assert_true(expected.count > BB_BLOCK_SPANS_MAX); /* several blocks of several pages */
    seal(fx, unsealed);
    check(fx, &expected);
    bb_unsealed_release(unsealed);
}

static void keeps_spans_with_everything_in_them(void **state)
{
    struct partition_fixture *fx = *state;
    struct bb_buf request;

    build_init(&request);
    build_full_request(&request);
    partition_fixture_append(fx, bb_buf_slice(&request));
    bb_buf_dispose(&request);
    struct bb_unsealed *unsealed = freeze(fx);
    struct expected_rows expected = rows_of(fx, unsealed);
    seal(fx, unsealed);
    check(fx, &expected);
    bb_unsealed_release(unsealed);
}

static void cuts_blocks_and_pages_by_bytes_too(void **state)
{
    struct partition_fixture *fx = *state;
    static char text[700001];
    struct span_build build;

    memset(text, 'x', sizeof text - 1);
    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = 0; i < 12; i++) { /* larger than a page, each */
        text[i] = 'y';
        span_build_span(&build, (struct span_spec){.trace = i % 5, .id = i + 1, .name = "big"});
        span_build_string(&build, "text", text);
    }
    partition_fixture_append(fx, span_build_finish(&build));
    span_build_dispose(&build);
    struct bb_unsealed *unsealed = freeze(fx);
    struct expected_rows expected = rows_of(fx, unsealed);
    seal(fx, unsealed);
    check(fx, &expected);
    /* Five such spans make a block: three of them, and a page for each span. */
    assert_int_equal(partition_fixture_key_count(fx, BB_KV_BLOCKS), 3 + 12);
    bb_unsealed_release(unsealed);
}

/* A small request must not become a segment of any size: its memory and its dictionary stay near
 * what came. */
static void keeps_a_long_service_name_once_for_all_its_operations(void **state)
{
    struct partition_fixture *fx = *state;
    static char service[100001];
    static char names[1000][16];
    struct span_build build;

    memset(service, 's', sizeof service - 1);
    span_build_init(&build);
    span_build_resource(&build, service);
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = 0; i < BB_ARRAY_COUNT(names); i++) {
        snprintf(names[i], sizeof names[i], "operation %u", i);
        span_build_span(&build, (struct span_spec){.trace = i, .id = i + 1, .name = names[i]});
    }
    partition_fixture_append(fx, span_build_finish(&build));
    span_build_dispose(&build);
    struct bb_unsealed *unsealed = freeze(fx);
    assert_true(bb_active_bytes(unsealed->segment) < (size_t)4 << 20);
    struct expected_rows expected = rows_of(fx, unsealed);
    seal(fx, unsealed);
    check(fx, &expected);
    bb_unsealed_release(unsealed);
}

static void takes_its_part_of_the_log_away_and_no_more(void **state)
{
    struct partition_fixture *fx = *state;

    partition_fixture_append_spans(fx, 0, 5);
    partition_fixture_append_spans(fx, 5, 5);
    assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
    partition_fixture_append_spans(fx, 10, 5);
    assert_int_equal(partition_fixture_key_count(fx, BB_KV_LOG), 3);
    struct bb_unsealed *unsealed = bb_partition_next_frozen(fx->partition);
    assert_non_null(unsealed);
    seal(fx, unsealed);
    bb_unsealed_release(unsealed);
    assert_int_equal(partition_fixture_key_count(fx, BB_KV_LOG), 1);
    assert_int_equal(partition_fixture_key_count(fx, BB_KV_INDEX), 3);
    struct bb_segment_list *list = NULL;
    assert_int_equal(bb_partition_list(fx->partition, NULL, &list), BB_OK);
    assert_int_equal(list->unsealed_count, 1);
    assert_int_equal(list->sealed_count, 1);
    bb_segment_list_release(list);
}

/* All keys and values of a family, one behind the other. */
static void dump(struct partition_fixture *fx, enum bb_kv_family family, struct bb_buf *out)
{
    struct bb_kv_iter *iter = NULL;
    struct bb_slice key;
    struct bb_slice value;

    assert_int_equal(bb_kv_iter_new(fx->partition->kv, family, BYTES_OF(""), &iter), BB_OK);
    while (bb_kv_iter_next(iter, &key, &value)) {
        bb_buf_append_slice(out, key);
        bb_buf_append_slice(out, value);
    }
    assert_int_equal(bb_kv_iter_err(iter, NULL), BB_OK);
    bb_kv_iter_free(iter);
}

static void writes_the_same_keys_and_values_when_it_is_done_again(void **state)
{
    struct partition_fixture *fx = *state;
    struct bb_buf first;
    struct bb_buf second;

    build_init(&first);
    build_init(&second);
    append_random(fx, 60);
    struct bb_unsealed *unsealed = freeze(fx);
    seal(fx, unsealed);
    dump(fx, BB_KV_BLOCKS, &first);
    dump(fx, BB_KV_INDEX, &first);
    seal(fx, unsealed);
    dump(fx, BB_KV_BLOCKS, &second);
    dump(fx, BB_KV_INDEX, &second);
    assert_true(first.size > 1000);
    assert_true(bb_slice_equals(bb_buf_slice(&first), bb_buf_slice(&second)));
    bb_unsealed_release(unsealed);
    bb_buf_dispose(&first);
    bb_buf_dispose(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_every_span_byte_for_byte, partition_fixture_set_up,
                                        partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(keeps_spans_with_everything_in_them,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(cuts_blocks_and_pages_by_bytes_too,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_long_service_name_once_for_all_its_operations,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(takes_its_part_of_the_log_away_and_no_more,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(writes_the_same_keys_and_values_when_it_is_done_again,
                                        partition_fixture_set_up, partition_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
