#include "partition_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "store/lz4_codec.h"
#include "tests/support/span_build.h"

#define ARENA_BYTES ((size_t)512 << 20)

static void open_partition(struct partition_fixture *fx)
{
    struct bb_err_detail detail = {{0}};

    assert_int_equal(bb_partition_new(fx->dir, FIXTURE_PARTITION, fx->shared, FIXTURE_PERIOD_END_NS,
                                      &fx->partition),
                     BB_OK);
    if (bb_partition_open(fx->partition, &detail) != BB_OK) {
        fail_msg("the partition did not open: %s", detail.text);
    }
}

int partition_fixture_set_up(void **state)
{
    static struct partition_fixture fx;

    temp_dir_make(fx.dir);
    bb_arena_init(&fx.arena, ARENA_BYTES);
    assert_int_equal(bb_store_dir_open(fx.dir, NULL, &fx.lock_fd), BB_OK);
    assert_int_equal(bb_kv_shared_new(4u << 20, 4u << 20, &fx.shared), BB_OK);
    open_partition(&fx);
    assert_int_equal(bb_partition_add_active(fx.partition), BB_OK);
    *state = &fx;
    return 0;
}

int partition_fixture_tear_down(void **state)
{
    struct partition_fixture *fx = *state;

    bb_partition_release(fx->partition);
    bb_kv_shared_free(fx->shared);
    close(fx->lock_fd);
    bb_arena_dispose(&fx->arena);
    temp_dir_remove(fx->dir);
    return 0;
}

void partition_fixture_reopen(struct partition_fixture *fx)
{
    bb_partition_release(fx->partition);
    fx->partition = NULL;
    open_partition(fx);
}

void partition_fixture_append(struct partition_fixture *fx, struct bb_slice wire)
{
    struct bb_segment_list *list = NULL;
    struct bb_walk_result result;
    struct bb_buf entry;
    uint8_t key[8];

    wire = bb_arena_try_copy(&fx->arena, wire);
    assert_non_null(wire.data);
    assert_int_equal(bb_otlp_walk(wire, &fx->arena, NULL, &result), BB_OK);
    if (result.batch.span_count == 0) {
        return;
    }
    bb_buf_init(&entry, 2 * wire.size + 1024);
    assert_int_equal(bb_lz4_compress(wire, &entry), BB_OK);
    bb_put_be64(key, atomic_fetch_add(&fx->partition->next_log, 1));
    assert_int_equal(bb_kv_put(fx->partition->kv, BB_KV_LOG, bb_slice_of(key, sizeof key),
                               bb_buf_slice(&entry), false, NULL),
                     BB_OK);
    bb_buf_dispose(&entry);
    assert_int_equal(bb_partition_list(fx->partition, NULL, &list), BB_OK);
    assert_true(list->unsealed_count > 0);
    struct bb_active_segment *active = list->unsealed[list->unsealed_count - 1]->segment;
    assert_int_equal(bb_active_append(active, &result.batch, wire), BB_OK);
    bb_segment_list_release(list);
}

void partition_fixture_append_spans(struct partition_fixture *fx, uint32_t first, uint32_t count)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = first; i < first + count; i++) {
        span_build_span(&build, (struct span_spec){.trace = i,
                                                   .id = i + 1,
                                                   .name = "GET /",
                                                   .start_unix_ns = 1000 + i,
                                                   .end_unix_ns = 1000 + 2 * (uint64_t)i});
        span_build_int(&build, "number", i);
    }
    partition_fixture_append(fx, span_build_finish(&build));
    span_build_dispose(&build);
}

uint32_t partition_fixture_key_count(struct partition_fixture *fx, enum bb_kv_family family)
{
    struct bb_kv_iter *iter = NULL;
    struct bb_slice key;
    struct bb_slice value;
    uint32_t count = 0;

    assert_int_equal(bb_kv_iter_new(fx->partition->kv, family, bb_slice_of("", 0), &iter), BB_OK);
    while (bb_kv_iter_next(iter, &key, &value)) {
        count++;
    }
    assert_int_equal(bb_kv_iter_err(iter, NULL), BB_OK);
    bb_kv_iter_free(iter);
    return count;
}
