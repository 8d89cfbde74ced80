/*
 * store.c - the store's door: open, append, close. What runs in the background is in
 * store_keeper.c, what queries read through in store_view.c.
 *
 * An append
 *   1. takes the append lock for reading, so that segment and partition stay where they are;
 *   2. writes the request to the log, one put, which is what makes it durable;
 *   3. adds it to the active segment, which is what makes it visible.
 * A segment that is full is frozen by the append that finds it so, with the append lock held for
 * writing: then every sequence number below the next one is in a segment, and the frozen one ends
 * there.
 */
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/metrics.h"
#include "store/lz4_codec.h"
#include "store/recover.h"
#include "store/store_internal.h"
#include "store/store_keeper.h"

/* How long an append waits for a segment to be sealed before it asks the sender to come again: what
 * sealing one takes. A request that is sent twice costs more than one that waits. */
#define ROOM_WAIT_MS 200u

static enum bb_err put_log(struct bb_store *store, struct bb_slice wire, uint64_t *out_sequence,
                           struct bb_err_detail *detail)
{
    struct bb_partition *partition = store->active;
    uint8_t key[BB_LOG_KEY_SIZE];
    struct bb_buf frame;

    bb_buf_init(&frame, 2 * (size_t)BB_REQUEST_BYTES_MAX);
    enum bb_err err = bb_lz4_compress(wire, &frame);
    if (err == BB_OK) {
        uint64_t sequence = atomic_fetch_add(&partition->next_log, 1);
        bb_put_be64(key, sequence);
        err =
            bb_kv_put(partition->kv, BB_KV_LOG, bb_slice_of(key, sizeof key), bb_buf_slice(&frame),
                      store->options.durability == BB_DURABILITY_FSYNC, detail);
        *out_sequence = sequence;
    }
    bb_buf_dispose(&frame);
    return err;
}

/* Takes back a log entry that memory had no room for, so that it doesn't appear at the next open.
 */
static void take_back(struct bb_store *store, uint64_t sequence)
{
    uint8_t first[BB_LOG_KEY_SIZE];
    uint8_t end[BB_LOG_KEY_SIZE];
    struct bb_kv_writes *writes = NULL;

    bb_put_be64(first, sequence);
    bb_put_be64(end, sequence + 1);
    enum bb_err err = bb_kv_writes_new(&writes);
    if (err == BB_OK) {
        bb_kv_writes_delete_range(store->active->kv, writes, BB_KV_LOG,
                                  bb_slice_of(first, sizeof first), bb_slice_of(end, sizeof end));
        err = bb_kv_commit(store->active->kv, writes, false, NULL);
    }
    bb_kv_writes_free(writes);
    if (err != BB_OK) {
        bb_log(BB_LOG_WARN, "store", "a refused batch may appear after a restart",
               "sequence=%" PRIu64, sequence);
    }
}

/* With the append lock held for reading, and room in the segment. */
static enum bb_err append_locked(struct bb_store *store, const struct bb_span_batch *batch,
                                 struct bb_slice wire, struct bb_err_detail *detail)
{
    uint64_t sequence = 0;

    enum bb_err err = put_log(store, wire, &sequence, detail);
    if (err != BB_OK) {
        return err;
    }
    err = bb_active_append(store->active_segment, batch, wire);
    if (err != BB_OK) {
        take_back(store, sequence);
    }
    return err;
}

/* The active segment is full, or another append has just found it so. */
static enum bb_err make_room(struct bb_store *store, uint32_t more_rows, size_t more_bytes)
{
    enum bb_err err = BB_OK;

    pthread_rwlock_wrlock(&store->append_lock);
    if (bb_segment_is_full(store->active_segment, store->segment_bytes_max, more_rows,
                           more_bytes)) {
        if (bb_store_unsealed_bytes(store) > store->unsealed_bytes_max) {
            err = BB_EBUSY;
        } else {
            err = bb_store_freeze_active(store);
        }
    }
    pthread_rwlock_unlock(&store->append_lock);
    bb_store_wake_keeper(store);
    return err;
}

static void note_outcome(struct bb_store *store, enum bb_err err, uint32_t span_count,
                         const struct bb_err_detail *detail)
{
    if (err == BB_OK) {
        bb_metric_add(BB_M_STORE_SPANS_APPENDED, span_count);
        atomic_store_explicit(&store->is_failed, false, memory_order_relaxed);
        atomic_store_explicit(&store->is_short_of_space, false, memory_order_relaxed);
        return;
    }
    if (err == BB_EBUSY) {
        return;
    }
    bb_metric_add(BB_M_STORE_APPEND_ERRORS, 1);
    atomic_bool *state = err == BB_EFULL ? &store->is_short_of_space : &store->is_failed;
    if (!atomic_exchange(state, true)) { /* once, not once a request */
        bb_log(BB_LOG_ERROR, "store", "appends fail", "error=\"%s: %s\"", bb_err_text(err),
               detail == NULL ? "" : detail->text);
    }
}

enum bb_err bb_store_append(struct bb_store *store, const struct bb_span_batch *batch,
                            struct bb_slice wire, struct bb_err_detail *detail)
{
    enum bb_err err = BB_OK;

    BB_ASSERT(batch->span_count > 0 && batch->span_count <= BB_REQUEST_SPANS_MAX);
    BB_ASSERT(wire.size <= BB_REQUEST_BYTES_MAX);
    for (;;) {
        pthread_rwlock_rdlock(&store->append_lock);
        if (!bb_segment_is_full(store->active_segment, store->segment_bytes_max, batch->span_count,
                                wire.size)) {
            err = append_locked(store, batch, wire, detail);
            pthread_rwlock_unlock(&store->append_lock);
            break;
        }
        pthread_rwlock_unlock(&store->append_lock);
        uint64_t sealed_count = bb_store_sealed_count(store);
        err = make_room(store, batch->span_count, wire.size);
        if (err == BB_EBUSY && bb_store_await_seal(store, sealed_count, ROOM_WAIT_MS)) {
            continue;
        }
        if (err != BB_OK) {
            (void)bb_err_set(detail, err, "spans that are not sealed yet fill their memory");
            break;
        }
    }
    note_outcome(store, err, batch->span_count, detail);
    return err;
}

const char *bb_store_not_ready_reason(struct bb_store *store)
{
    if (atomic_load(&store->is_short_of_space)) {
        return "no space left on the store's file system";
    }
    if (atomic_load(&store->is_failed)) {
        return "the store's last write failed";
    }
    return NULL;
}

/* Opening. */

/* The shortest period that makes no more partitions than we aim at. */
static uint64_t choose_period_ns(uint64_t retention_ns)
{
    static const uint64_t periods_s[] = {60, 300, 900, 3600, 7200, 10800, 21600, 43200, 86400};

    for (size_t i = 0; i < BB_ARRAY_COUNT(periods_s); i++) {
        uint64_t period_ns = periods_s[i] * BB_NS_PER_S;
        if (retention_ns / period_ns <= BB_PARTITIONS_AIM) {
            return period_ns;
        }
    }
    return 7 * UINT64_C(86400) * BB_NS_PER_S;
}

static enum bb_err init_store(struct bb_store *store, const struct bb_store_options *options)
{
    pthread_rwlockattr_t attributes;

    store->options = *options;
    store->lock_fd = -1;
    snprintf(store->data_dir, sizeof store->data_dir, "%s", options->data_dir);
    store->options.data_dir = store->data_dir;
    store->period_ns = choose_period_ns(options->retention_ns);
    /* A quarter for the cache, a sixteenth for memtables, the rest for unsealed segments: one that
     * fills, one that is being sealed, and what sealing needs besides. */
    store->segment_bytes_max = options->memory_bytes / 6;
    if (store->segment_bytes_max > BB_SEGMENT_BYTES_MAX) {
        store->segment_bytes_max = BB_SEGMENT_BYTES_MAX;
    }
    store->unsealed_bytes_max = 2 * store->segment_bytes_max;
    /* An append must not wait for readers of the lock that keep coming. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&store->append_lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&store->keep_mutex, NULL);
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->wake_keeper, NULL);
    pthread_cond_init(&store->segment_sealed, NULL);
    return bb_kv_shared_new(options->memory_bytes / 4, options->memory_bytes / 16, &store->shared);
}

static void dispose_store(struct bb_store *store)
{
    for (uint32_t i = 0; i < store->partition_count; i++) {
        bb_partition_release(store->partitions[i]);
    }
    bb_partition_release(store->active);
    free(store->partitions); /* tidy: allow malloc: lives with the store */
    bb_kv_shared_free(store->shared);
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    pthread_rwlock_destroy(&store->append_lock);
    pthread_mutex_destroy(&store->keep_mutex);
    pthread_mutex_destroy(&store->mutex);
    pthread_cond_destroy(&store->wake_keeper);
    pthread_cond_destroy(&store->segment_sealed);
    free(store); /* tidy: allow malloc: see open */
}

/* A partition that was not sealed: its log is read back. */
static enum bb_err recover_partition(struct bb_store *store, struct bb_partition *partition,
                                     struct bb_err_detail *detail)
{
    struct bb_recovered recovered = {0};

    enum bb_err err = bb_partition_open(partition, detail);
    if (err == BB_OK) {
        err = bb_recover_log(partition, store->segment_bytes_max, detail, &recovered);
    }
    if (err == BB_OK) {
        bb_log(BB_LOG_INFO, "store", "partition recovered",
               "partition=%s log_entries=%" PRIu64 " spans=%" PRIu64, partition->name,
               recovered.entry_count, recovered.row_count);
    }
    return err;
}

static enum bb_err open_partition(struct bb_store *store, const char *name, uint64_t now_unix_ns,
                                  struct bb_err_detail *detail)
{
    struct bb_partition *partition = NULL;
    uint64_t made_unix_ns = 0;

    enum bb_err err = bb_partition_name_parse(name, &made_unix_ns);
    if (err == BB_OK) {
        uint64_t end_unix_ns = (made_unix_ns / store->period_ns + 1) * store->period_ns;
        err = bb_partition_new(store->data_dir, name, store->shared, end_unix_ns, &partition);
    }
    if (err != BB_OK) {
        return err;
    }
    atomic_store(&partition->disk_bytes, bb_store_dir_bytes(partition->path));
    if (!partition->is_sealed) {
        err = recover_partition(store, partition, detail);
        if (err == BB_ECORRUPT) {
            return bb_store_quarantine(store, partition, detail);
        }
    }
    if (err == BB_OK) {
        err = bb_store_add_partition(store, partition);
    }
    if (err == BB_OK && !partition->is_sealed) {
        bool is_current = made_unix_ns <= now_unix_ns &&
                          now_unix_ns < partition->period_end_unix_ns && store->active == NULL;
        if (is_current) {
            bb_store_set_active(store, partition);
        } else {
            err = bb_partition_freeze(partition, false);
        }
    }
    if (err != BB_OK) {
        bb_partition_release(partition);
    }
    return err;
}

static enum bb_err open_partitions(struct bb_store *store, struct bb_err_detail *detail)
{
    uint64_t now_unix_ns = bb_clock_unix_ns(store->options.clock);
    struct bb_arena arena;
    char **names = NULL;
    uint32_t count = 0;

    bb_arena_init(&arena, (size_t)16 << 20);
    enum bb_err err = bb_store_dir_list(store->data_dir, &arena, detail, &names, &count);
    for (uint32_t i = 0; i < count && err == BB_OK; i++) {
        err = open_partition(store, names[i], now_unix_ns, detail);
    }
    bb_arena_dispose(&arena);
    if (err == BB_OK && store->active == NULL) {
        err = bb_store_roll_over(store, now_unix_ns, detail);
    }
    return err;
}

enum bb_err bb_store_open(const struct bb_store_options *options, struct bb_err_detail *detail,
                          struct bb_store **out_store)
{
    struct bb_store *store = calloc(1, sizeof *store); /* tidy: allow malloc: until close */

    BB_ASSERT(options->clock != NULL && options->memory_bytes > 0 && options->retention_ns > 0);
    if (store == NULL) {
        return BB_ENOMEM;
    }
    enum bb_err err = init_store(store, options);
    if (err == BB_OK) {
        err = bb_store_dir_open(store->data_dir, detail, &store->lock_fd);
    }
    if (err == BB_OK) {
        bb_store_dir_empty_trash(store->data_dir);
        bb_store_count_quarantine(store);
        err = open_partitions(store, detail);
    }
    if (err == BB_OK) {
        err = bb_store_start_keeper(store);
    }
    if (err != BB_OK) {
        dispose_store(store);
        return err;
    }
    *out_store = store;
    return BB_OK;
}

enum bb_err bb_store_close(struct bb_store *store, struct bb_err_detail *detail)
{
    enum bb_err err = BB_OK;

    bb_store_stop_keeper(store);
    /* The log is in the engine's own log; a flush spares the next open its replay. */
    if (store->active != NULL && !bb_kv_is_failed(store->active->kv)) {
        err = bb_kv_flush(store->active->kv, detail);
    }
    dispose_store(store);
    return err;
}
