#include "store/partition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/metrics.h"
#include "store/trace_filter.h"

/* Indexes of sealed segments: 40 bytes a block and 12 bits a trace. */
#define SEALED_ARENA_BYTES_MAX ((size_t)1 << 32)

enum bb_err bb_partition_new(const char *data_dir, const char *name, struct bb_kv_shared *shared,
                             uint64_t period_end_unix_ns, struct bb_partition **out_partition)
{
    struct bb_partition *partition =
        calloc(1, sizeof *partition); /* tidy: allow malloc: counted by references */

    if (partition == NULL) {
        return BB_ENOMEM;
    }
    snprintf(partition->name, sizeof partition->name, "%s", name);
    bb_store_dir_partition_path(data_dir, name, partition->path);
    partition->data_dir = data_dir;
    partition->shared = shared;
    partition->period_end_unix_ns = period_end_unix_ns;
    enum bb_err err = bb_partition_name_parse(name, &partition->made_unix_ns);
    BB_ASSERT(err == BB_OK); /* the directory's listing and our own names are checked */
    atomic_init(&partition->reference_count, 1);
    atomic_init(&partition->next_log, 1);
    bb_arena_init(&partition->sealed_arena, SEALED_ARENA_BYTES_MAX);
    pthread_mutex_init(&partition->mutex, NULL);
    atomic_init(&partition->is_sealed,
                bb_partition_summary_read(partition->path, &partition->summary) == BB_OK);
    *out_partition = partition;
    return BB_OK;
}

void bb_partition_hold(struct bb_partition *partition)
{
    atomic_fetch_add(&partition->reference_count, 1);
}

/* The lists that were replaced hold the partition, but its own list must not: so the partition's
 * reference to its list is not counted against it. See make_list. */
static void release_list_contents(struct bb_segment_list *list)
{
    for (uint32_t i = 0; i < list->unsealed_count; i++) {
        bb_unsealed_release(list->unsealed[i]);
    }
    free(list); /* tidy: allow malloc: counted by references */
}

void bb_partition_release(struct bb_partition *partition)
{
    struct bb_err_detail detail = {{0}};

    if (partition == NULL || atomic_fetch_sub(&partition->reference_count, 1) > 1) {
        return;
    }
    if (partition->list != NULL) {
        release_list_contents(partition->list);
    }
    bb_kv_close(partition->kv);
    if (atomic_load(&partition->is_discarded)) {
        if (bb_store_dir_discard(partition->data_dir, partition->name, &detail) != BB_OK) {
            bb_log(BB_LOG_ERROR, "store", "can't remove a partition", "error=\"%s\"", detail.text);
        }
        bb_store_dir_empty_trash(partition->data_dir);
    }
    bb_arena_dispose(&partition->sealed_arena);
    pthread_mutex_destroy(&partition->mutex);
    free(partition); /* tidy: allow malloc: see new */
}

void bb_unsealed_release(struct bb_unsealed *unsealed)
{
    if (unsealed != NULL && atomic_fetch_sub(&unsealed->reference_count, 1) == 1) {
        bb_active_free(unsealed->segment);
        free(unsealed); /* tidy: allow malloc: counted by references */
    }
}

void bb_segment_list_release(struct bb_segment_list *list)
{
    if (list == NULL) {
        return;
    }
    struct bb_partition *partition = list->partition;
    /* Whoever was given a list holds the partition as well. */
    if (atomic_fetch_sub(&list->reference_count, 1) == 1) {
        release_list_contents(list);
    }
    bb_partition_release(partition);
}

/* A list with room for those counts, with the partition's one reference. */
static struct bb_segment_list *make_list(struct bb_partition *partition, uint32_t unsealed_count,
                                         uint32_t sealed_count)
{
    size_t pointer_count = (size_t)unsealed_count + sealed_count;
    struct bb_segment_list *list = calloc(
        1, sizeof *list +
               pointer_count * sizeof(void *)); /* tidy: allow malloc: counted by references */

    if (list != NULL) {
        list->partition = partition;
        atomic_init(&list->reference_count, 1);
        list->unsealed = (struct bb_unsealed **)(list + 1);
        list->sealed = (const struct bb_sealed_segment **)(list->unsealed + unsealed_count);
    }
    return list;
}

static void add_unsealed(struct bb_segment_list *list, struct bb_unsealed *unsealed)
{
    atomic_fetch_add(&unsealed->reference_count, 1);
    list->unsealed[list->unsealed_count++] = unsealed;
}

/* With the mutex held. */
static void set_list(struct bb_partition *partition, struct bb_segment_list *list)
{
    struct bb_segment_list *old = partition->list;

    partition->list = list;
    if (old != NULL && atomic_fetch_sub(&old->reference_count, 1) == 1) {
        release_list_contents(old);
    }
}

enum bb_err bb_partition_read_segment(struct bb_kv *kv, uint32_t segment, struct bb_arena *arena,
                                      struct bb_err_detail *detail,
                                      struct bb_sealed_segment **out_segment)
{
    uint8_t key[BB_INDEX_KEY_SIZE];
    struct bb_kv_value value = {.pin = NULL};
    struct bb_sealed_segment *sealed = bb_arena_try_calloc(arena, 1, sizeof *sealed);

    if (sealed == NULL) {
        return BB_ENOMEM;
    }
    sealed->segment = segment;
    bb_index_key(segment, BB_INDEX_SUMMARY, key);
    enum bb_err err = bb_kv_get(kv, BB_KV_INDEX, bb_slice_of(key, sizeof key), detail, &value);
    if (err == BB_OK) {
        err = bb_segment_summary_decode(value.bytes, arena, sealed);
        bb_kv_value_dispose(&value);
    }
    if (err != BB_OK) {
        return err;
    }
    bb_index_key(segment, BB_INDEX_FILTER, key);
    err = bb_kv_get(kv, BB_KV_INDEX, bb_slice_of(key, sizeof key), detail, &value);
    if (err != BB_OK) {
        return err == BB_ENOTFOUND ? BB_ECORRUPT : err;
    }
    sealed->filter = bb_arena_try_copy(arena, value.bytes);
    bb_kv_value_dispose(&value);
    if (sealed->filter.data == NULL) {
        return BB_ENOMEM;
    }
    if (sealed->filter.size == 0 || sealed->filter.size % 64 != 0) {
        return bb_err_set(detail, BB_ECORRUPT, "trace filter of segment %" PRIu32 " is damaged",
                          segment);
    }
    *out_segment = sealed;
    return BB_OK;
}

/* All sealed segments in the database, ascending. */
static enum bb_err read_segments(struct bb_partition *partition, struct bb_err_detail *detail,
                                 const struct bb_sealed_segment ***out_sealed, uint32_t *out_count)
{
    const struct bb_sealed_segment **sealed = NULL;
    uint32_t capacity = 0;
    uint32_t count = 0;
    uint8_t first[BB_INDEX_KEY_SIZE] = {0};
    struct bb_kv_iter *iter = NULL;
    struct bb_slice key;
    struct bb_slice value;

    enum bb_err err =
        bb_kv_iter_new(partition->kv, BB_KV_INDEX, bb_slice_of(first, sizeof first), &iter);
    while (err == BB_OK && bb_kv_iter_next(iter, &key, &value)) {
        struct bb_sealed_segment *segment = NULL;
        if (key.size != BB_INDEX_KEY_SIZE || key.data[4] != BB_INDEX_SUMMARY) {
            continue;
        }
        if (count == capacity) {
            uint32_t wanted = capacity == 0 ? 64 : capacity * 2;
            const struct bb_sealed_segment **larger =
                bb_arena_try_alloc(&partition->sealed_arena, wanted * sizeof(*larger));
            if (larger == NULL) {
                err = BB_ENOMEM;
                break;
            }
            if (count > 0) {
                memcpy(larger, sealed, count * sizeof *larger);
            }
            sealed = larger;
            capacity = wanted;
        }
        err = bb_partition_read_segment(partition->kv, bb_get_be32(key.data),
                                        &partition->sealed_arena, detail, &segment);
        if (err == BB_OK) {
            sealed[count++] = segment;
            partition->next_segment = segment->segment + 1;
        }
    }
    if (err == BB_OK) {
        err = bb_kv_iter_err(iter, detail);
    }
    bb_kv_iter_free(iter);
    *out_sealed = sealed;
    *out_count = count;
    return err;
}

static enum bb_err open_locked(struct bb_partition *partition, struct bb_err_detail *detail)
{
    const struct bb_sealed_segment **sealed = NULL;
    uint32_t count = 0;

    if (partition->list != NULL) {
        return BB_OK;
    }
    enum bb_err err = bb_kv_open(partition->shared, partition->path, partition->is_sealed, detail,
                                 &partition->kv);
    if (err == BB_OK) {
        err = read_segments(partition, detail, &sealed, &count);
    }
    if (err == BB_OK) {
        struct bb_segment_list *list = make_list(partition, 0, count);
        err = list == NULL ? BB_ENOMEM : BB_OK;
        if (list != NULL) {
            list->sealed_count = count;
            if (count > 0) {
                memcpy(list->sealed, sealed, count * sizeof *sealed);
            }
            set_list(partition, list);
        }
    }
    if (err != BB_OK) {
        bb_kv_close(partition->kv);
        partition->kv = NULL;
        bb_arena_dispose(&partition->sealed_arena);
        if (err == BB_ECORRUPT || err == BB_EIO) {
            atomic_store(&partition->is_damaged, true);
        }
    }
    return err;
}

enum bb_err bb_partition_open(struct bb_partition *partition, struct bb_err_detail *detail)
{
    pthread_mutex_lock(&partition->mutex);
    enum bb_err err = open_locked(partition, detail);
    pthread_mutex_unlock(&partition->mutex);
    return err;
}

enum bb_err bb_partition_list(struct bb_partition *partition, struct bb_err_detail *detail,
                              struct bb_segment_list **out_list)
{
    pthread_mutex_lock(&partition->mutex);
    enum bb_err err = open_locked(partition, detail);
    if (err == BB_OK) {
        atomic_fetch_add(&partition->list->reference_count, 1);
        bb_partition_hold(partition);
        *out_list = partition->list;
    }
    pthread_mutex_unlock(&partition->mutex);
    return err;
}

/* The current list with room for one more unsealed segment. */
static struct bb_segment_list *copy_list(struct bb_partition *partition, uint32_t more_unsealed,
                                         uint32_t more_sealed)
{
    const struct bb_segment_list *old = partition->list;
    struct bb_segment_list *list =
        make_list(partition, old->unsealed_count + more_unsealed, old->sealed_count + more_sealed);

    if (list != NULL) {
        list->sealed_count = old->sealed_count;
        if (old->sealed_count > 0) {
            memcpy(list->sealed, old->sealed, old->sealed_count * sizeof(*list->sealed));
        }
    }
    return list;
}

static enum bb_err add_active_locked(struct bb_partition *partition)
{
    struct bb_unsealed *unsealed =
        calloc(1, sizeof *unsealed); /* tidy: allow malloc: counted by references */
    struct bb_segment_list *list = copy_list(partition, 1, 0);

    if (unsealed == NULL || list == NULL || bb_active_new(&unsealed->segment) != BB_OK) {
        free(unsealed); /* tidy: allow malloc: see above */
        free(list);     /* tidy: allow malloc: see make_list */
        return BB_ENOMEM;
    }
    unsealed->log_first = atomic_load(&partition->next_log);
    unsealed->log_end = UINT64_MAX;
    unsealed->number = partition->next_segment++;
    for (uint32_t i = 0; i < partition->list->unsealed_count; i++) {
        add_unsealed(list, partition->list->unsealed[i]);
    }
    add_unsealed(list, unsealed);
    partition->is_active = true;
    set_list(partition, list);
    return BB_OK;
}

enum bb_err bb_partition_add_active(struct bb_partition *partition)
{
    pthread_mutex_lock(&partition->mutex);
    enum bb_err err = add_active_locked(partition);
    pthread_mutex_unlock(&partition->mutex);
    return err;
}

/* Takes the last unsealed segment, which is empty, out of the list. */
static enum bb_err drop_active_locked(struct bb_partition *partition)
{
    struct bb_segment_list *list = copy_list(partition, 0, 0);

    if (list == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i + 1 < partition->list->unsealed_count; i++) {
        add_unsealed(list, partition->list->unsealed[i]);
    }
    set_list(partition, list);
    return BB_OK;
}

enum bb_err bb_partition_freeze(struct bb_partition *partition, bool again)
{
    enum bb_err err = BB_OK;

    pthread_mutex_lock(&partition->mutex);
    if (partition->is_active) {
        struct bb_segment_list *list = partition->list;
        struct bb_unsealed *active = list->unsealed[list->unsealed_count - 1];
        bool is_empty = bb_active_row_count(active->segment) == 0;
        if (is_empty && !again) {
            err = drop_active_locked(partition);
        } else if (!is_empty) {
            active->log_end = atomic_load(&partition->next_log);
            if (again) {
                err = add_active_locked(partition);
            }
            if (err != BB_OK) {
                active->log_end = UINT64_MAX;
            }
        }
        partition->is_active = again || err != BB_OK;
    }
    pthread_mutex_unlock(&partition->mutex);
    return err;
}

struct bb_unsealed *bb_partition_next_frozen(struct bb_partition *partition)
{
    struct bb_unsealed *frozen = NULL;

    pthread_mutex_lock(&partition->mutex);
    if (partition->list != NULL && partition->list->unsealed_count > 0 &&
        partition->list->unsealed[0]->log_end != UINT64_MAX) {
        frozen = partition->list->unsealed[0];
        atomic_fetch_add(&frozen->reference_count, 1);
    }
    pthread_mutex_unlock(&partition->mutex);
    return frozen;
}

enum bb_err bb_partition_replace(struct bb_partition *partition, struct bb_unsealed *unsealed,
                                 const struct bb_sealed_segment *sealed)
{
    pthread_mutex_lock(&partition->mutex);
    struct bb_segment_list *list = copy_list(partition, 0, 1);
    if (list != NULL) {
        for (uint32_t i = 0; i < partition->list->unsealed_count; i++) {
            if (partition->list->unsealed[i] != unsealed) {
                add_unsealed(list, partition->list->unsealed[i]);
            }
        }
        list->sealed[list->sealed_count++] = sealed;
        set_list(partition, list);
    }
    pthread_mutex_unlock(&partition->mutex);
    return list == NULL ? BB_ENOMEM : BB_OK;
}

enum bb_err bb_partition_finish(struct bb_partition *partition, uint64_t now_unix_ns,
                                struct bb_err_detail *detail)
{
    struct bb_partition_summary summary = {.sealed_unix_ns = now_unix_ns};
    struct bb_segment_list *list = NULL;

    enum bb_err err = bb_partition_list(partition, detail, &list);
    if (err != BB_OK) {
        return err;
    }
    BB_ASSERT(list->unsealed_count == 0);
    for (uint32_t i = 0; i < list->sealed_count; i++) {
        bb_row_bounds_join(&summary.bounds, i == 0, &list->sealed[i]->bounds);
        summary.row_count += list->sealed[i]->row_count;
    }
    bb_segment_list_release(list);
    err = bb_kv_flush(partition->kv, detail);
    if (err == BB_OK) {
        err = bb_partition_summary_write(partition->path, &summary, detail);
    }
    if (err == BB_OK) {
        pthread_mutex_lock(&partition->mutex);
        partition->summary = summary;
        atomic_store(&partition->is_sealed, true);
        pthread_mutex_unlock(&partition->mutex);
    }
    return err;
}

size_t bb_partition_unsealed_bytes(struct bb_partition *partition)
{
    size_t bytes = 0;

    pthread_mutex_lock(&partition->mutex);
    for (uint32_t i = 0; partition->list != NULL && i < partition->list->unsealed_count; i++) {
        bytes += bb_active_bytes(partition->list->unsealed[i]->segment);
    }
    pthread_mutex_unlock(&partition->mutex);
    return bytes;
}
