#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/log.h"
#include "store/store_internal.h"
#include "store_fixture.h"
#include "tests/support/otlp_build.h"

#define TRACES 1500u /* two pages of one block */
#define ARENA_BYTES ((size_t)256 << 20)

/* Puts `value` (or, when it has no bytes, nothing) in the place of what a key of the one partition
 * has, behind the store's back. */
static void damage(struct store_fixture *fx, enum bb_kv_family family, struct bb_slice key,
                   struct bb_slice value)
{
    struct bb_kv_shared *shared = NULL;
    struct bb_kv_writes *writes = NULL;
    struct bb_kv *kv = NULL;
    struct bb_arena arena;
    char path[BB_STORE_PATH_SIZE];
    char **names = NULL;
    uint8_t end[BB_BLOCK_KEY_SIZE + 1] = {0};
    uint32_t count = 0;

    store_fixture_close(fx);
    bb_arena_init(&arena, ARENA_BYTES);
    assert_int_equal(bb_store_dir_list(fx->dir, &arena, NULL, &names, &count), BB_OK);
    assert_int_equal(count, 1);
    bb_store_dir_partition_path(fx->dir, names[0], path);
    assert_int_equal(bb_kv_shared_new(1u << 20, 1u << 20, &shared), BB_OK);
    assert_int_equal(bb_kv_open(shared, path, false, NULL, &kv), BB_OK);
    assert_int_equal(bb_kv_writes_new(&writes), BB_OK);
    if (value.size > 0) {
        bb_kv_writes_put(kv, writes, family, key, value);
    } else {
        memcpy(end, key.data, key.size); /* the key right behind it */
        bb_kv_writes_delete_range(kv, writes, family, key, bb_slice_of(end, key.size + 1));
    }
    assert_int_equal(bb_kv_commit(kv, writes, true, NULL), BB_OK);
    bb_kv_writes_free(writes);
    bb_kv_close(kv);
    bb_kv_shared_free(shared);
    bb_arena_dispose(&arena);
    store_fixture_open(fx);
}

static void damage_block(struct store_fixture *fx, uint32_t page, struct bb_slice value)
{
    uint8_t key[BB_BLOCK_KEY_SIZE];

    bb_block_key(0, 0, page, key);
    damage(fx, BB_KV_BLOCKS, bb_slice_of(key, sizeof key), value);
}

static void append_traces(struct store_fixture *fx, uint32_t first, uint32_t count)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = first; i < first + count; i++) {
        span_build_span(&build, (struct span_spec){.trace = i,
                                                   .id = i + 1,
                                                   .name = "GET /",
                                                   .start_unix_ns = FIXTURE_START_NS + i,
                                                   .end_unix_ns = FIXTURE_START_NS + 2 * i});
        span_build_string(&build, "is", "there");
    }
    store_fixture_append(fx, &build);
}

/* Set up with TRACES sealed traces and one after them that isn't. */
static int set_up(void **state)
{
    store_fixture_set_up(state);
    bb_log_set_level(BB_LOG_OFF); /* an answer with damage in it is an error line */
    append_traces(*state, 0, TRACES);
    store_fixture_seal(*state);
    append_traces(*state, TRACES, 1);
    return 0;
}

/* Traces of [first, end) that are found; the answers that lack one say so. */
static uint32_t count_found(struct store_fixture *fx, uint32_t first, uint32_t end,
                            const char *reason)
{
    uint32_t found = 0;

    for (uint32_t i = first; i < end; i++) {
        struct bb_trace_id id = span_build_trace_id(i);
        struct bb_query_ctl ctl = {.read_bytes_max = 0};
        struct bb_arena arena;
        struct bb_trace trace;
        bb_arena_init(&arena, ARENA_BYTES);
        enum bb_err err = bb_store_find_trace(fx->store, &id, &ctl, &arena, &trace);
        bb_arena_dispose(&arena);
        assert_true(err == BB_OK || err == BB_ENOTFOUND);
        assert_int_equal(ctl.incomplete, err == BB_ENOTFOUND);
        if (err == BB_OK) {
            found++;
        } else {
            assert_non_null(strstr(ctl.incomplete_reason, reason));
        }
    }
    return found;
}

/* Hits of a search over everything; `by_attribute` makes it read the messages. */
static uint32_t count_hits(struct store_fixture *fx, bool by_attribute, bool is_incomplete)
{
    struct bb_condition condition = {
        .type = BB_CONDITION_ATTRIBUTE, .key = BYTES_OF("is"), .value = BYTES_OF("there")};
    struct bb_search search = {
        .conditions = &condition, .condition_count = by_attribute, .limit = 10000};
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_search_result result;
    struct bb_arena arena;

    bb_arena_init(&arena, ARENA_BYTES);
    assert_int_equal(bb_store_search(fx->store, &search, &ctl, &arena, &result), BB_OK);
    assert_int_equal(ctl.incomplete, is_incomplete);
    assert_int_equal(ctl.incomplete_reason[0] != '\0', is_incomplete);
    uint32_t count = result.hit_count;
    bb_arena_dispose(&arena);
    return count;
}

static void serves_everything_when_nothing_is_damaged(void **state)
{
    struct store_fixture *fx = *state;

    assert_int_equal(count_found(fx, 0, TRACES + 1, ""), TRACES + 1);
    assert_int_equal(count_hits(fx, false, false), TRACES + 1);
    assert_int_equal(count_hits(fx, true, false), TRACES + 1);
}

static void leaves_out_the_traces_of_a_damaged_page_and_says_so(void **state)
{
    struct store_fixture *fx = *state;

    damage_block(fx, 1, BYTES_OF("no frame at all"));
    assert_int_equal(count_found(fx, 0, TRACES + 1, "damaged page in partition"),
                     TRACES + 1 - BB_PAGE_SPANS_MAX);
    assert_int_equal(count_hits(fx, false, false), TRACES + 1); /* the columns are enough */
    assert_int_equal(count_hits(fx, true, true), TRACES + 1 - BB_PAGE_SPANS_MAX);
}

static void leaves_out_the_traces_of_a_page_that_is_gone(void **state)
{
    struct store_fixture *fx = *state;

    damage_block(fx, 2, BYTES_OF(""));
    assert_int_equal(count_found(fx, 0, TRACES + 1, "damaged page in partition"),
                     BB_PAGE_SPANS_MAX + 1);
    assert_int_equal(count_hits(fx, true, true), BB_PAGE_SPANS_MAX + 1);
}

static void leaves_out_a_damaged_block_and_serves_the_rest(void **state)
{
    struct store_fixture *fx = *state;

    damage_block(fx, 0, BYTES_OF("no frame at all"));
    assert_int_equal(count_found(fx, 0, TRACES + 1, "damaged block in partition"), 1);
    assert_int_equal(count_hits(fx, false, true), 1);
}

static void leaves_out_a_segment_without_a_dictionary_and_serves_the_rest(void **state)
{
    struct store_fixture *fx = *state;
    uint8_t key[BB_INDEX_KEY_SIZE];

    bb_index_key(0, BB_INDEX_DICTIONARY, key);
    damage(fx, BB_KV_INDEX, bb_slice_of(key, sizeof key), BYTES_OF("no frame at all"));
    assert_int_equal(count_found(fx, 0, TRACES + 1, "damaged dictionary in partition"), 1);
    assert_int_equal(count_hits(fx, false, true), 1);
}

static void keeps_the_first_reason(void **state)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};

    (void)state;
    bb_query_lacks(&ctl, "first %d", 1);
    bb_query_lacks(&ctl, "second");
    assert_true(ctl.incomplete);
    assert_string_equal(ctl.incomplete_reason, "first 1");
    ctl.incomplete = false;
    bb_query_lacks(&ctl, "%0500d", 1);
    assert_int_equal(strlen(ctl.incomplete_reason), sizeof ctl.incomplete_reason - 1);
}

static bool is_cancelled(void *ctx)
{
    return *(const bool *)ctx;
}

static void stops_when_it_is_cancelled_or_has_read_too_much(void **state)
{
    bool cancelled = false;
    struct bb_query_ctl ctl = {.is_cancelled = is_cancelled, .cancel_ctx = &cancelled};

    (void)state;
    ctl.read_bytes = UINT64_MAX;
    assert_int_equal(bb_query_check(&ctl), BB_OK); /* 0 is no bound */
    ctl.read_bytes_max = 100;
    ctl.read_bytes = 100;
    assert_int_equal(bb_query_check(&ctl), BB_OK);
    ctl.read_bytes = 101;
    assert_int_equal(bb_query_check(&ctl), BB_ETOOBIG);
    cancelled = true;
    assert_int_equal(bb_query_check(&ctl), BB_ECANCELLED);
}

/* What a view has seen it holds: a partition does not go under it. */
static void holds_the_partitions_that_there_were(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_segment_list *list = NULL;
    struct bb_arena arena;
    struct bb_view view;

    bb_arena_init(&arena, ARENA_BYTES);
    assert_int_equal(bb_view_open(fx->store, &ctl, &arena, &view), BB_OK);
    assert_int_equal(view.partition_count, 1);
    store_fixture_pass(fx, 4 * FIXTURE_RETENTION_NS);
    store_fixture_append_span(fx, (struct span_spec){.trace = 9, .name = "late"});
    store_fixture_pass(fx, 4 * FIXTURE_RETENTION_NS);
    assert_int_equal(bb_view_list(&view, 0, &ctl, &list), BB_OK);
    assert_non_null(list);
    assert_true(list->sealed_count + list->unsealed_count > 0);
    assert_false(ctl.incomplete);
    bb_segment_list_release(list);
    bb_view_close(&view);
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(serves_everything_when_nothing_is_damaged, set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_the_traces_of_a_damaged_page_and_says_so, set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_the_traces_of_a_page_that_is_gone, set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_a_damaged_block_and_serves_the_rest, set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            leaves_out_a_segment_without_a_dictionary_and_serves_the_rest, set_up,
            store_fixture_tear_down),
        cmocka_unit_test(keeps_the_first_reason),
        cmocka_unit_test(stops_when_it_is_cancelled_or_has_read_too_much),
        cmocka_unit_test_setup_teardown(holds_the_partitions_that_there_were, set_up,
                                        store_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
