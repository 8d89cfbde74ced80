/*
 * store_keeper.c - see store_keeper.h. One turn of housekeeping:
 *
 *   1. roll over, when the active partition's time is over, when it has grown to a sixteenth of the
 *      disk limit (so that expiry has something small to drop), or when a write has failed and
 * there is room on the disk: its engine takes nothing more;
 *   2. seal what is frozen, and finish partitions that have nothing left to seal;
 *   3. expire: partitions whose last span came before now - retention; then, while all of them
 *      together are over the disk limit, the oldest.
 */
#include "store/store_keeper.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "common/log.h"
#include "common/metrics.h"
#include "store/seal.h"

#define TURN_S 1
/* A partition of its own is worth no less than this, however small the disk limit. */
#define ROLL_BYTES_MIN ((uint64_t)16 << 20)
#define DISK_SHARE 16
/* Room that a new partition needs before it is worth beginning one after a write that failed. */
#define AFTER_FAILURE_FREE_BYTES_MIN ((uint64_t)64 << 20)

enum bb_err bb_store_add_partition(struct bb_store *store, struct bb_partition *partition)
{
    enum bb_err err = BB_OK;

    pthread_mutex_lock(&store->mutex);
    if (store->partition_count == store->partition_capacity) {
        uint32_t capacity = store->partition_capacity == 0 ? 128 : store->partition_capacity * 2;
        struct bb_partition **larger =
            realloc(store->partitions,
                    capacity * sizeof *larger); /* tidy: allow malloc: lives with the store */
        if (larger == NULL) {
            err = BB_ENOMEM;
        } else {
            store->partitions = larger;
            store->partition_capacity = capacity;
        }
    }
    if (err == BB_OK) {
        store->partitions[store->partition_count++] = partition;
    }
    pthread_mutex_unlock(&store->mutex);
    return err;
}

void bb_store_set_active(struct bb_store *store, struct bb_partition *partition)
{
    if (store->active != partition) {
        bb_partition_hold(partition);
        bb_partition_release(store->active);
        store->active = partition;
    }
    pthread_mutex_lock(&partition->mutex);
    BB_ASSERT(partition->is_active);
    store->active_segment = partition->list->unsealed[partition->list->unsealed_count - 1]->segment;
    pthread_mutex_unlock(&partition->mutex);
}

enum bb_err bb_store_freeze_active(struct bb_store *store)
{
    enum bb_err err = bb_partition_freeze(store->active, true);

    if (err == BB_OK) {
        bb_store_set_active(store, store->active);
    }
    return err;
}

/* `now_unix_ns`, or a second after the newest partition was made: within the same second, or after
 * the clock has stepped back, also while we were down, names stay in order and each its own. */
static uint64_t after_newest(struct bb_store *store, uint64_t now_unix_ns)
{
    uint64_t newest_unix_ns = 0;

    pthread_mutex_lock(&store->mutex);
    if (store->partition_count > 0) {
        newest_unix_ns = store->partitions[store->partition_count - 1]->made_unix_ns;
    }
    pthread_mutex_unlock(&store->mutex);
    bool is_after = now_unix_ns / BB_NS_PER_S > newest_unix_ns / BB_NS_PER_S;
    return is_after ? now_unix_ns : newest_unix_ns + BB_NS_PER_S;
}

/* A new partition, opened and with an active segment, in the store's list. */
static enum bb_err make_partition(struct bb_store *store, uint64_t now_unix_ns,
                                  struct bb_err_detail *detail, struct bb_partition **out_partition)
{
    char name[BB_PARTITION_NAME_SIZE];
    struct bb_partition *partition = NULL;
    uint64_t end_unix_ns = (now_unix_ns / store->period_ns + 1) * store->period_ns;

    bb_partition_name_format(after_newest(store, now_unix_ns), name);
    enum bb_err err =
        bb_partition_new(store->data_dir, name, store->shared, end_unix_ns, &partition);
    if (err == BB_OK) {
        err = bb_partition_open(partition, detail);
    }
    if (err == BB_OK) {
        err = bb_partition_add_active(partition);
    }
    if (err == BB_OK) {
        err = bb_store_add_partition(store, partition);
    }
    if (err != BB_OK) {
        bb_partition_release(partition);
        return err;
    }
    bb_log(BB_LOG_INFO, "store", "partition begun", "partition=%s", name);
    *out_partition = partition;
    return BB_OK;
}

enum bb_err bb_store_roll_over(struct bb_store *store, uint64_t now_unix_ns,
                               struct bb_err_detail *detail)
{
    struct bb_partition *fresh = NULL;

    enum bb_err err = make_partition(store, now_unix_ns, detail, &fresh);
    if (err != BB_OK) {
        return err;
    }
    pthread_rwlock_wrlock(&store->append_lock);
    if (store->active != NULL) {
        err = bb_partition_freeze(store->active, false);
    }
    if (err == BB_OK) {
        bb_store_set_active(store, fresh);
    }
    pthread_rwlock_unlock(&store->append_lock);
    return err;
}

size_t bb_store_unsealed_bytes(struct bb_store *store)
{
    size_t bytes = 0;

    pthread_mutex_lock(&store->mutex);
    for (uint32_t i = 0; i < store->partition_count; i++) {
        if (!store->partitions[i]->is_sealed) {
            bytes += bb_partition_unsealed_bytes(store->partitions[i]);
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return bytes;
}

enum bb_err bb_store_quarantine(struct bb_store *store, struct bb_partition *partition,
                                struct bb_err_detail *detail)
{
    char name[BB_PARTITION_NAME_SIZE];

    snprintf(name, sizeof name, "%s", partition->name);
    bb_log(BB_LOG_ERROR, "store", "a damaged partition is set aside", "partition=%s error=\"%s\"",
           name, detail == NULL ? "" : detail->text);
    bb_partition_release(partition);
    atomic_fetch_add(&store->quarantined_count, 1);
    bb_metric_add(BB_M_STORE_QUARANTINED_PARTITIONS, 1);
    return bb_store_dir_quarantine(store->data_dir, name, detail);
}

void bb_store_count_quarantine(struct bb_store *store)
{
    char path[BB_STORE_PATH_SIZE + 16];

    snprintf(path, sizeof path, "%s/quarantine", store->data_dir);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            atomic_fetch_add(&store->quarantined_count, 1);
        }
    }
    closedir(dir);
}

/* Partition `index`, held, or NULL when there are no more. */
static struct bb_partition *hold_partition(struct bb_store *store, uint32_t index)
{
    struct bb_partition *partition = NULL;

    pthread_mutex_lock(&store->mutex);
    if (index < store->partition_count) {
        partition = store->partitions[index];
        bb_partition_hold(partition);
    }
    pthread_mutex_unlock(&store->mutex);
    return partition;
}

static void log_failure(const char *what, const struct bb_partition *partition, enum bb_err err,
                        const struct bb_err_detail *detail)
{
    bb_log(BB_LOG_ERROR, "store", what, "partition=%s error=\"%s: %s\"", partition->name,
           bb_err_text(err), detail->text);
}

static void note_sealed(struct bb_store *store)
{
    bb_metric_add(BB_M_STORE_SEALED_SEGMENTS, 1);
    pthread_mutex_lock(&store->mutex);
    store->sealed_count++;
    pthread_cond_broadcast(&store->segment_sealed);
    pthread_mutex_unlock(&store->mutex);
}

uint64_t bb_store_sealed_count(struct bb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    uint64_t count = store->sealed_count;
    pthread_mutex_unlock(&store->mutex);
    return count;
}

bool bb_store_await_seal(struct bb_store *store, uint64_t seen_count, uint32_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t end_ns = (uint64_t)until.tv_nsec + wait_ms * BB_NS_PER_MS;
    until.tv_sec += (time_t)(end_ns / BB_NS_PER_S);
    until.tv_nsec = (long)(end_ns % BB_NS_PER_S);
    pthread_mutex_lock(&store->mutex);
    while (store->sealed_count == seen_count) {
        if (pthread_cond_timedwait(&store->segment_sealed, &store->mutex, &until) != 0) {
            break;
        }
    }
    bool is_sealed = store->sealed_count != seen_count;
    pthread_mutex_unlock(&store->mutex);
    return is_sealed;
}

/* Seals everything that is frozen in one partition. */
static enum bb_err seal_partition(struct bb_store *store, struct bb_partition *partition,
                                  struct bb_err_detail *detail)
{
    bool sync = store->options.durability == BB_DURABILITY_FSYNC;
    enum bb_err err = BB_OK;

    for (struct bb_unsealed *frozen = bb_partition_next_frozen(partition);
         frozen != NULL && err == BB_OK; frozen = bb_partition_next_frozen(partition)) {
        err = bb_seal_segment(partition, frozen, sync, detail);
        bb_unsealed_release(frozen);
        if (err == BB_OK) {
            note_sealed(store);
        } else {
            bb_metric_add(BB_M_STORE_SEAL_ERRORS, 1);
            log_failure("a segment can't be sealed", partition, err, detail);
        }
    }
    return err;
}

/* Does the partition take no more, and has nothing left to seal? */
static bool is_finishable(struct bb_partition *partition)
{
    pthread_mutex_lock(&partition->mutex);
    bool is_finishable = !partition->is_sealed && !partition->is_active &&
                         partition->list != NULL && partition->list->unsealed_count == 0;
    pthread_mutex_unlock(&partition->mutex);
    return is_finishable;
}

/* Takes `partition` out of the list and lets go of it; its files go when nobody reads it. */
static void discard(struct bb_store *store, struct bb_partition *partition)
{
    bool is_there = false;

    pthread_mutex_lock(&store->mutex);
    for (uint32_t i = 0; i < store->partition_count; i++) {
        if (store->partitions[i] == partition) {
            is_there = true;
            store->partition_count--;
            memmove(store->partitions + i, store->partitions + i + 1,
                    (store->partition_count - i) * sizeof(struct bb_partition *));
            break;
        }
    }
    pthread_mutex_unlock(&store->mutex);
    if (is_there) {
        atomic_store(&partition->is_discarded, true);
        bb_partition_release(partition);
    }
}

/* The last step of a partition that takes no more. */
static enum bb_err finish_partition(struct bb_store *store, struct bb_partition *partition,
                                    struct bb_err_detail *detail)
{
    enum bb_err err =
        bb_partition_finish(partition, bb_clock_unix_ns(store->options.clock), detail);

    if (err != BB_OK) {
        log_failure("a partition can't be sealed", partition, err, detail);
    } else if (partition->summary.row_count == 0) {
        discard(store, partition); /* nothing arrived in its time */
    } else {
        atomic_store(&partition->disk_bytes, bb_store_dir_bytes(partition->path));
        bb_log(BB_LOG_INFO, "store", "partition sealed",
               "partition=%s spans=%" PRIu64 " bytes=%" PRIu64, partition->name,
               partition->summary.row_count, atomic_load(&partition->disk_bytes));
    }
    return err;
}

static enum bb_err seal_all(struct bb_store *store, struct bb_err_detail *detail)
{
    enum bb_err first_err = BB_OK;

    for (uint32_t i = 0;; i++) {
        struct bb_partition *partition = hold_partition(store, i);
        if (partition == NULL) {
            return first_err;
        }
        enum bb_err err = seal_partition(store, partition, detail);
        if (err == BB_OK && is_finishable(partition)) {
            err = finish_partition(store, partition, detail);
            /* A discarded one has made place for the next. */
            i -= atomic_load(&partition->is_discarded) ? 1 : 0;
        }
        first_err = first_err == BB_OK ? err : first_err;
        bb_partition_release(partition);
    }
}

static bool must_roll_over(struct bb_store *store, uint64_t now_unix_ns)
{
    struct bb_partition *active = store->active; /* only this thread changes it */
    uint64_t disk_bytes_max = store->options.disk_bytes_max;

    atomic_store(&active->disk_bytes, bb_store_dir_bytes(active->path));
    if (now_unix_ns >= active->period_end_unix_ns) {
        return true;
    }
    if (disk_bytes_max != 0) {
        uint64_t share = disk_bytes_max / DISK_SHARE;
        share = share < ROLL_BYTES_MIN ? ROLL_BYTES_MIN : share;
        if (atomic_load(&active->disk_bytes) > share) {
            return true;
        }
    }
    /* The engine takes nothing more after a write that failed, even when there is room again. */
    return (atomic_load(&store->is_failed) || atomic_load(&store->is_short_of_space)) &&
           bb_store_dir_free_bytes(store->data_dir) >= AFTER_FAILURE_FREE_BYTES_MIN;
}

/* Lets go of the oldest partition, if it is sealed and `now_unix_ns` is past its time (0: whatever
 * its time). False when there was none. */
static bool discard_oldest(struct bb_store *store, uint64_t now_unix_ns, enum bb_metric metric)
{
    struct bb_partition *oldest = hold_partition(store, 0);

    if (oldest == NULL || !atomic_load(&oldest->is_sealed) ||
        (now_unix_ns != 0 &&
         oldest->summary.sealed_unix_ns + store->options.retention_ns > now_unix_ns)) {
        bb_partition_release(oldest);
        return false;
    }
    bb_log(BB_LOG_INFO, "store", "partition expired", "partition=%s reason=%s bytes=%" PRIu64,
           oldest->name, now_unix_ns == 0 ? "bytes" : "age", atomic_load(&oldest->disk_bytes));
    bb_metric_add(metric, 1);
    discard(store, oldest);
    bb_partition_release(oldest);
    return true;
}

static uint64_t disk_bytes(struct bb_store *store)
{
    uint64_t bytes = 0;

    pthread_mutex_lock(&store->mutex);
    for (uint32_t i = 0; i < store->partition_count; i++) {
        bytes += atomic_load(&store->partitions[i]->disk_bytes);
    }
    pthread_mutex_unlock(&store->mutex);
    return bytes;
}

static void expire(struct bb_store *store, uint64_t now_unix_ns)
{
    uint64_t disk_bytes_max = store->options.disk_bytes_max;

    while (discard_oldest(store, now_unix_ns, BB_M_STORE_EXPIRED_PARTITIONS_AGE)) {
    }
    while (disk_bytes_max != 0 && disk_bytes(store) > disk_bytes_max &&
           discard_oldest(store, 0, BB_M_STORE_EXPIRED_PARTITIONS_BYTES)) {
    }
}

void bb_store_housekeep(struct bb_store *store)
{
    uint64_t now_unix_ns = bb_clock_unix_ns(store->options.clock);
    struct bb_err_detail detail = {{0}};

    pthread_mutex_lock(&store->keep_mutex);
    if (must_roll_over(store, now_unix_ns)) {
        enum bb_err err = bb_store_roll_over(store, now_unix_ns, &detail);
        if (err != BB_OK) {
            log_failure("can't begin a partition", store->active, err, &detail);
        }
    }
    (void)seal_all(store, &detail); /* logged; tried again at the next turn */
    expire(store, now_unix_ns);
    pthread_mutex_unlock(&store->keep_mutex);
}

enum bb_err bb_store_seal(struct bb_store *store, struct bb_err_detail *detail)
{
    struct bb_err_detail own = {{0}};

    pthread_mutex_lock(&store->keep_mutex);
    pthread_rwlock_wrlock(&store->append_lock);
    enum bb_err err = bb_store_freeze_active(store);
    pthread_rwlock_unlock(&store->append_lock);
    if (err == BB_OK) {
        err = seal_all(store, detail == NULL ? &own : detail);
    }
    pthread_mutex_unlock(&store->keep_mutex);
    return err;
}

void bb_store_wake_keeper(struct bb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->has_work = true;
    pthread_cond_signal(&store->wake_keeper);
    pthread_mutex_unlock(&store->mutex);
}

/* Waits for work or for the next turn. False when the store is closing. */
static bool wait_for_turn(struct bb_store *store)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TURN_S;
    pthread_mutex_lock(&store->mutex);
    while (!store->has_work && !store->is_closing) {
        if (pthread_cond_timedwait(&store->wake_keeper, &store->mutex, &until) != 0) {
            break;
        }
    }
    store->has_work = false;
    bool goes_on = !store->is_closing;
    pthread_mutex_unlock(&store->mutex);
    return goes_on;
}

static void *keep(void *ctx)
{
    struct bb_store *store = ctx;

    prctl(PR_SET_NAME, "store-keeper");
    while (wait_for_turn(store)) {
        bb_store_housekeep(store);
    }
    return NULL;
}

enum bb_err bb_store_start_keeper(struct bb_store *store)
{
    if (pthread_create(&store->keeper, NULL, keep, store) != 0) {
        return BB_ENOMEM;
    }
    store->keeper_is_running = true;
    return BB_OK;
}

void bb_store_stop_keeper(struct bb_store *store)
{
    if (!store->keeper_is_running) {
        return;
    }
    pthread_mutex_lock(&store->mutex);
    store->is_closing = true;
    pthread_cond_signal(&store->wake_keeper);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->keeper, NULL);
    store->keeper_is_running = false;
}

void bb_store_update_metrics(struct bb_store *store)
{
    uint64_t row_count = 0;
    uint64_t unsealed_row_count = 0;
    uint64_t oldest_unix_ns = 0;
    uint32_t count = 0;

    for (;; count++) {
        struct bb_partition *partition = hold_partition(store, count);
        if (partition == NULL) {
            break;
        }
        oldest_unix_ns = count == 0 ? partition->made_unix_ns : oldest_unix_ns;
        pthread_mutex_lock(&partition->mutex);
        if (partition->is_sealed) {
            row_count += partition->summary.row_count;
        } else if (partition->list != NULL) {
            const struct bb_segment_list *list = partition->list;
            for (uint32_t i = 0; i < list->sealed_count; i++) {
                row_count += list->sealed[i]->row_count;
            }
            for (uint32_t i = 0; i < list->unsealed_count; i++) {
                unsealed_row_count += bb_active_row_count(list->unsealed[i]->segment);
            }
        }
        pthread_mutex_unlock(&partition->mutex);
        bb_partition_release(partition);
    }
    bb_metric_set(BB_M_STORE_PARTITIONS, count);
    bb_metric_set(BB_M_STORE_SPANS, (int64_t)(row_count + unsealed_row_count));
    bb_metric_set(BB_M_STORE_ACTIVE_SPANS, (int64_t)unsealed_row_count);
    bb_metric_set(BB_M_STORE_OLDEST_UNIX, (int64_t)(oldest_unix_ns / BB_NS_PER_S));
    bb_metric_set(BB_M_STORE_DISK_BYTES, (int64_t)bb_store_dir_bytes(store->data_dir));
    bb_metric_set(BB_M_STORE_DISK_FREE_BYTES, (int64_t)bb_store_dir_free_bytes(store->data_dir));
    bb_metric_set(BB_M_MEMORY_ACTIVE_BYTES, (int64_t)bb_store_unsealed_bytes(store));
    bb_metric_set(BB_M_MEMORY_CACHE_BYTES, (int64_t)bb_kv_cache_bytes(store->shared));
    pthread_rwlock_rdlock(&store->append_lock);
    bb_metric_set(BB_M_MEMORY_MEMTABLE_BYTES, (int64_t)bb_kv_memtable_bytes(store->active->kv));
    pthread_rwlock_unlock(&store->append_lock);
}
