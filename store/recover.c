#include "store/recover.h"

#include <inttypes.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/otlp_walk.h"
#include "store/lz4_codec.h"

#define ENTRY_ARENA_BYTES_MAX ((size_t)8 * BB_REQUEST_BYTES_MAX)

bool bb_segment_is_full(const struct bb_active_segment *segment, size_t segment_bytes_max,
                        uint32_t more_rows, size_t more_bytes)
{
    uint32_t row_count = bb_active_row_count(segment);

    if (row_count == 0) {
        return false;
    }
    return more_rows > BB_SEGMENT_SPANS_MAX - row_count ||
           bb_active_bytes(segment) + more_bytes > segment_bytes_max;
}

static struct bb_active_segment *last_segment(struct bb_partition *partition)
{
    /* Nobody else has the partition yet. */
    return partition->list->unsealed[partition->list->unsealed_count - 1]->segment;
}

/* BB_ECORRUPT when the entry is no request of accepted spans. */
static enum bb_err append_entry(struct bb_partition *partition, struct bb_slice frame,
                                size_t segment_bytes_max, struct bb_arena *arena,
                                struct bb_recovered *recovered)
{
    struct bb_walk_result *result = bb_arena_try_calloc(arena, 1, sizeof *result);
    struct bb_slice wire;

    if (result == NULL) {
        return BB_ENOMEM;
    }
    enum bb_err err = bb_lz4_inflate(frame, BB_REQUEST_BYTES_MAX, arena, &wire);
    if (err == BB_OK) {
        err = bb_otlp_walk(wire, arena, NULL, result);
    }
    if (err != BB_OK) {
        return err == BB_ENOMEM ? err : BB_ECORRUPT;
    }
    if (result->rejected_count > 0 || result->batch.span_count == 0) {
        return BB_ECORRUPT;
    }
    if (bb_segment_is_full(last_segment(partition), segment_bytes_max, result->batch.span_count,
                           wire.size)) {
        err = bb_partition_freeze(partition, true);
    }
    if (err == BB_OK) {
        err = bb_active_append(last_segment(partition), &result->batch, wire);
        recovered->row_count += err == BB_OK ? result->batch.span_count : 0;
    }
    return err;
}

enum bb_err bb_recover_log(struct bb_partition *partition, size_t segment_bytes_max,
                           struct bb_err_detail *detail, struct bb_recovered *out_recovered)
{
    struct bb_recovered recovered = {0};
    uint8_t first[BB_LOG_KEY_SIZE] = {0};
    struct bb_kv_iter *iter = NULL;
    struct bb_slice key;
    struct bb_slice value;

    enum bb_err err =
        bb_kv_iter_new(partition->kv, BB_KV_LOG, bb_slice_of(first, sizeof first), &iter);
    if (err == BB_OK) {
        err = bb_partition_add_active(partition);
    }
    while (err == BB_OK && bb_kv_iter_next(iter, &key, &value)) {
        struct bb_arena arena;
        if (key.size != BB_LOG_KEY_SIZE) {
            continue;
        }
        /* A segment that is frozen now ends before this entry. */
        atomic_store(&partition->next_log, bb_get_be64(key.data));
        bb_arena_init(&arena, ENTRY_ARENA_BYTES_MAX);
        err = append_entry(partition, value, segment_bytes_max, &arena, &recovered);
        bb_arena_dispose(&arena);
        if (err == BB_ECORRUPT) {
            bb_log(BB_LOG_ERROR, "store", "a log entry is damaged and not served",
                   "partition=%s sequence=%" PRIu64, partition->name, bb_get_be64(key.data));
            bb_metric_add(BB_M_STORE_DAMAGED_BLOCKS, 1);
            recovered.damaged_entry_count++;
            err = BB_OK;
        }
        atomic_store(&partition->next_log, bb_get_be64(key.data) + 1);
        recovered.entry_count++;
    }
    if (err == BB_OK) {
        err = bb_kv_iter_err(iter, detail);
    }
    bb_kv_iter_free(iter);
    *out_recovered = recovered;
    return err;
}
