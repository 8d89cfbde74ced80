#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "partition_fixture.h"
#include "store/seal.h"
#include "tests/support/otlp_build.h"

static struct bb_segment_list *list_of(struct partition_fixture *fx)
{
    struct bb_segment_list *list = NULL;

    assert_int_equal(bb_partition_list(fx->partition, NULL, &list), BB_OK);
    assert_ptr_equal(list->partition, fx->partition);
    return list;
}

static void check_counts(struct partition_fixture *fx, uint32_t unsealed, uint32_t sealed)
{
    struct bb_segment_list *list = list_of(fx);

    assert_int_equal(list->unsealed_count, unsealed);
    assert_int_equal(list->sealed_count, sealed);
    bb_segment_list_release(list);
}

static void seal_next(struct partition_fixture *fx)
{
    struct bb_unsealed *frozen = bb_partition_next_frozen(fx->partition);

    assert_non_null(frozen);
    assert_int_equal(bb_seal_segment(fx->partition, frozen, false, NULL), BB_OK);
    bb_unsealed_release(frozen);
}

static void keeps_an_empty_active_segment_and_drops_it_at_the_end(void **state)
{
    struct partition_fixture *fx = *state;

    check_counts(fx, 1, 0);
    assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
    check_counts(fx, 1, 0);
    assert_null(bb_partition_next_frozen(fx->partition));
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    check_counts(fx, 0, 0);
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    check_counts(fx, 0, 0);
}

static void freezes_segments_in_the_order_of_their_logs(void **state)
{
    struct partition_fixture *fx = *state;

    partition_fixture_append_spans(fx, 0, 3);
    partition_fixture_append_spans(fx, 3, 3);
    assert_null(bb_partition_next_frozen(fx->partition));
    assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
    partition_fixture_append_spans(fx, 6, 3);
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    struct bb_segment_list *list = list_of(fx);
    assert_int_equal(list->unsealed_count, 2);
    assert_true(list->unsealed[0]->log_first == 1 && list->unsealed[0]->log_end == 3);
    assert_true(list->unsealed[1]->log_first == 3 && list->unsealed[1]->log_end == 4);
    assert_true(list->unsealed[0]->number < list->unsealed[1]->number);
    struct bb_unsealed *frozen = bb_partition_next_frozen(fx->partition);
    assert_ptr_equal(frozen, list->unsealed[0]);
    bb_unsealed_release(frozen);
    bb_segment_list_release(list);
}

/* A reader's list is as it was, whatever happens to the partition meanwhile. */
static void leaves_a_list_that_is_held_as_it_was(void **state)
{
    struct partition_fixture *fx = *state;

    partition_fixture_append_spans(fx, 0, 10);
    struct bb_segment_list *before = list_of(fx);
    assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
    struct bb_segment_list *between = list_of(fx);
    seal_next(fx);
    check_counts(fx, 1, 1);
    assert_int_equal(before->unsealed_count, 1);
    assert_int_equal(before->sealed_count, 0);
    assert_int_equal(between->unsealed_count, 2);
    assert_int_equal(between->sealed_count, 0);
    assert_int_equal(bb_active_row_count(before->unsealed[0]->segment), 10);
    assert_true(bb_active_row(before->unsealed[0]->segment, 9)->start_unix_ns == 1009);
    bb_segment_list_release(before);
    assert_int_equal(bb_active_row_count(between->unsealed[0]->segment), 10);
    bb_segment_list_release(between);
    bb_segment_list_release(NULL);
}

static void finds_its_sealed_segments_again(void **state)
{
    struct partition_fixture *fx = *state;

    for (uint32_t i = 0; i < 70; i++) { /* more than the first array holds */
        partition_fixture_append_spans(fx, i * 3, 3);
        assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
        seal_next(fx);
    }
    check_counts(fx, 1, 70);
    partition_fixture_reopen(fx);
    check_counts(fx, 0, 70);
    struct bb_segment_list *list = list_of(fx);
    for (uint32_t i = 0; i < 70; i++) {
        assert_int_equal(list->sealed[i]->segment, i);
        assert_true(list->sealed[i]->row_count == 3);
        assert_true(list->sealed[i]->bounds.start_unix_ns_min == 1000 + i * 3);
    }
    bb_segment_list_release(list);
    /* Numbers go on where they were, so that no key is written over. */
    assert_int_equal(bb_partition_add_active(fx->partition), BB_OK);
    list = list_of(fx);
    assert_int_equal(list->unsealed[0]->number, 70);
    bb_segment_list_release(list);
}

static void says_what_it_held_when_it_is_finished(void **state)
{
    struct partition_fixture *fx = *state;

    partition_fixture_append_spans(fx, 5, 10);
    assert_int_equal(bb_partition_freeze(fx->partition, true), BB_OK);
    seal_next(fx);
    partition_fixture_append_spans(fx, 100, 20);
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    seal_next(fx);
    assert_false(atomic_load(&fx->partition->is_sealed));
    assert_int_equal(bb_partition_finish(fx->partition, 777, NULL), BB_OK);
    partition_fixture_reopen(fx);
    assert_true(atomic_load(&fx->partition->is_sealed));
    const struct bb_partition_summary *summary = &fx->partition->summary;
    assert_true(summary->sealed_unix_ns == 777);
    assert_true(summary->row_count == 30);
    assert_true(summary->bounds.start_unix_ns_min == 1005);
    assert_true(summary->bounds.start_unix_ns_max == 1119);
    assert_true(summary->bounds.duration_ns_max == 119);
    check_counts(fx, 0, 2);
}

static void is_damaged_when_a_segment_has_no_filter_or_a_wrong_one(void **state)
{
    static const struct bb_slice filters[] = {BYTES_INIT(""), BYTES_INIT("not 64 bytes")};
    struct partition_fixture *fx = *state;
    uint8_t key[BB_INDEX_KEY_SIZE];

    partition_fixture_append_spans(fx, 0, 10);
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    seal_next(fx);
    bb_index_key(0, BB_INDEX_FILTER, key);
    for (size_t i = 0; i < BB_ARRAY_COUNT(filters); i++) {
        struct bb_sealed_segment *segment = NULL;
        assert_int_equal(bb_kv_put(fx->partition->kv, BB_KV_INDEX, bb_slice_of(key, sizeof key),
                                   filters[i], false, NULL),
                         BB_OK);
        assert_int_equal(
            bb_partition_read_segment(fx->partition->kv, 0, &fx->arena, NULL, &segment),
            BB_ECORRUPT);
        assert_null(segment);
    }
    bb_partition_release(fx->partition);
    assert_int_equal(bb_partition_new(fx->dir, FIXTURE_PARTITION, fx->shared, FIXTURE_PERIOD_END_NS,
                                      &fx->partition),
                     BB_OK);
    assert_int_equal(bb_partition_open(fx->partition, NULL), BB_ECORRUPT);
    assert_true(atomic_load(&fx->partition->is_damaged));
}

static void goes_to_the_trash_with_its_last_reference_when_it_is_discarded(void **state)
{
    struct partition_fixture *fx = *state;
    char path[BB_STORE_PATH_SIZE];

    partition_fixture_append_spans(fx, 0, 10);
    bb_store_dir_partition_path(fx->dir, FIXTURE_PARTITION, path);
    struct bb_segment_list *list = list_of(fx);
    atomic_store(&fx->partition->is_discarded, true);
    bb_partition_release(fx->partition);
    fx->partition = NULL;
    assert_int_equal(access(path, F_OK), 0); /* the list still reads from it */
    assert_int_equal(bb_active_row_count(list->unsealed[0]->segment), 10);
    bb_segment_list_release(list);
    assert_int_not_equal(access(path, F_OK), 0);
    bb_partition_release(NULL);
}

static void counts_the_bytes_of_unsealed_segments_only(void **state)
{
    struct partition_fixture *fx = *state;

    partition_fixture_append_spans(fx, 0, 1000);
    size_t bytes = bb_partition_unsealed_bytes(fx->partition);
    assert_true(bytes > 60000);
    assert_int_equal(bb_partition_freeze(fx->partition, false), BB_OK);
    assert_int_equal(bb_partition_unsealed_bytes(fx->partition), bytes);
    seal_next(fx);
    assert_int_equal(bb_partition_unsealed_bytes(fx->partition), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_an_empty_active_segment_and_drops_it_at_the_end,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(freezes_segments_in_the_order_of_their_logs,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(leaves_a_list_that_is_held_as_it_was,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(finds_its_sealed_segments_again, partition_fixture_set_up,
                                        partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(says_what_it_held_when_it_is_finished,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(is_damaged_when_a_segment_has_no_filter_or_a_wrong_one,
                                        partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            goes_to_the_trash_with_its_last_reference_when_it_is_discarded,
            partition_fixture_set_up, partition_fixture_tear_down),
        cmocka_unit_test_setup_teardown(counts_the_bytes_of_unsealed_segments_only,
                                        partition_fixture_set_up, partition_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
