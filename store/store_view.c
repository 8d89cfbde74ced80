/* store_view.c - what queries read through: the view, and reads that tell damage from failure. */
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "common/metrics.h"
#include "store/store_internal.h"

void bb_query_lacks(struct bb_query_ctl *ctl, const char *format, ...)
{
    if (!ctl->incomplete) {
        va_list args;
        va_start(args, format);
        vsnprintf(ctl->incomplete_reason, sizeof ctl->incomplete_reason, format, args);
        va_end(args);
        ctl->incomplete = true;
    }
}

enum bb_err bb_query_check(const struct bb_query_ctl *ctl)
{
    if (ctl->is_cancelled != NULL && ctl->is_cancelled(ctl->cancel_ctx)) {
        return BB_ECANCELLED;
    }
    if (ctl->read_bytes_max != 0 && ctl->read_bytes > ctl->read_bytes_max) {
        return BB_ETOOBIG;
    }
    return BB_OK;
}

enum bb_err bb_view_open(struct bb_store *store, struct bb_query_ctl *ctl, struct bb_arena *arena,
                         struct bb_view *out_view)
{
    struct bb_view view = {.store = store};
    uint64_t quarantined_count = atomic_load(&store->quarantined_count);

    pthread_mutex_lock(&store->mutex);
    view.partitions = bb_arena_try_alloc(arena, store->partition_count * sizeof(void *));
    for (uint32_t i = 0; i < store->partition_count && view.partitions != NULL; i++) {
        bb_partition_hold(store->partitions[i]);
        view.partitions[view.partition_count++] = store->partitions[i];
    }
    pthread_mutex_unlock(&store->mutex);
    if (view.partitions == NULL) {
        return BB_ENOMEM;
    }
    if (quarantined_count > 0) {
        bb_query_lacks(ctl, "%" PRIu64 " damaged partition(s) are set aside in quarantine",
                       quarantined_count);
    }
    *out_view = view;
    return BB_OK;
}

void bb_view_close(struct bb_view *view)
{
    for (uint32_t i = 0; i < view->partition_count; i++) {
        bb_partition_release(view->partitions[i]);
    }
    view->partition_count = 0;
}

enum bb_err bb_view_list(struct bb_view *view, uint32_t index, struct bb_query_ctl *ctl,
                         struct bb_segment_list **out_list)
{
    struct bb_partition *partition = view->partitions[index];
    struct bb_err_detail detail = {{0}};

    *out_list = NULL;
    if (!atomic_load(&partition->is_damaged)) {
        enum bb_err err = bb_partition_list(partition, &detail, out_list);
        if (err == BB_OK || err == BB_ENOMEM) {
            return err;
        }
        bb_log(BB_LOG_ERROR, "store", "a partition can't be opened", "partition=%s error=\"%s\"",
               partition->name, detail.text);
        bb_metric_add(BB_M_STORE_QUARANTINED_PARTITIONS, 1);
    }
    bb_query_lacks(ctl, "partition %s can't be opened", partition->name);
    return BB_OK;
}

/* What a failed read means for the answer. */
static enum bb_err after_read(enum bb_err err, struct bb_partition *partition,
                              const struct bb_sealed_segment *segment, const char *what,
                              struct bb_query_ctl *ctl, bool *out_is_there)
{
    *out_is_there = err == BB_OK;
    if (err != BB_ECORRUPT && err != BB_ENOTFOUND && err != BB_EIO) {
        return err;
    }
    bb_metric_add(BB_M_STORE_DAMAGED_BLOCKS, 1);
    bb_log(BB_LOG_ERROR, "store", "damaged data is left out of an answer",
           "partition=%s segment=%" PRIu32 " part=%s", partition->name, segment->segment, what);
    bb_query_lacks(ctl, "damaged %s in partition %s, segment %" PRIu32, what, partition->name,
                   segment->segment);
    return BB_OK;
}

enum bb_err bb_read_dictionary(struct bb_partition *partition,
                               const struct bb_sealed_segment *segment, struct bb_query_ctl *ctl,
                               struct bb_arena *arena, struct bb_dictionary **out_dictionary,
                               bool *out_is_there)
{
    uint8_t key[BB_INDEX_KEY_SIZE];
    struct bb_kv_value value = {.pin = NULL};
    struct bb_dictionary *dictionary = bb_arena_try_alloc(arena, sizeof *dictionary);

    if (dictionary == NULL) {
        return BB_ENOMEM;
    }
    bb_index_key(segment->segment, BB_INDEX_DICTIONARY, key);
    enum bb_err err =
        bb_kv_get(partition->kv, BB_KV_INDEX, bb_slice_of(key, sizeof key), NULL, &value);
    if (err == BB_OK) {
        ctl->read_bytes += value.bytes.size;
        err = bb_dictionary_decode(value.bytes, arena, dictionary);
        bb_kv_value_dispose(&value);
    }
    *out_dictionary = dictionary;
    return after_read(err, partition, segment, "dictionary", ctl, out_is_there);
}

static enum bb_err get_frame(struct bb_partition *partition,
                             const struct bb_sealed_segment *segment, uint32_t block, uint32_t page,
                             struct bb_query_ctl *ctl, struct bb_kv_value *out_value)
{
    uint8_t key[BB_BLOCK_KEY_SIZE];

    bb_block_key(segment->segment, block, page, key);
    enum bb_err err =
        bb_kv_get(partition->kv, BB_KV_BLOCKS, bb_slice_of(key, sizeof key), NULL, out_value);
    if (err == BB_OK) {
        ctl->read_bytes += out_value->bytes.size;
    }
    return err;
}

enum bb_err bb_read_block(struct bb_partition *partition, const struct bb_sealed_segment *segment,
                          uint32_t block, const struct bb_dictionary *dictionary,
                          struct bb_query_ctl *ctl, struct bb_arena *arena,
                          struct bb_block *out_block, bool *out_is_there)
{
    struct bb_kv_value value = {.pin = NULL};

    enum bb_err err = get_frame(partition, segment, block, 0, ctl, &value);
    if (err == BB_OK) {
        err = bb_block_decode(value.bytes, dictionary, arena, out_block);
        bb_kv_value_dispose(&value);
    }
    return after_read(err, partition, segment, "block", ctl, out_is_there);
}

enum bb_err bb_read_rows(struct bb_partition *partition, const struct bb_sealed_segment *segment,
                         uint32_t block, uint32_t page, uint32_t first_row, uint32_t end_row,
                         const struct bb_dictionary *dictionary, struct bb_query_ctl *ctl,
                         struct bb_arena *arena, struct bb_block *decoded, bool *out_is_there)
{
    struct bb_kv_value value = {.pin = NULL};

    enum bb_err err = get_frame(partition, segment, block, page + 1, ctl, &value);
    if (err == BB_OK) {
        err = bb_block_load_rows(decoded, page, value.bytes, first_row, end_row, dictionary, arena);
        bb_kv_value_dispose(&value);
    }
    return after_read(err, partition, segment, "page", ctl, out_is_there);
}
