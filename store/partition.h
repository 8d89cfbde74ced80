/*
 * partition.h - one directory, one database: the spans that arrived between two moments.
 *
 *   active     takes spans: one active segment, older ones waiting to be sealed, sealed ones
 *   closed     takes no more, and still has segments to seal
 *   sealed     SEALED is written; its database is opened when somebody asks
 *
 * What a query reads of a partition is its segment list, which never changes: each change makes a
 * new list. A list holds its unsealed segments and its partition, so that nothing goes away under
 * a reader; and as sealing a segment swaps it for its sealed form in one new list, a reader sees
 * every span exactly once.
 */
#ifndef BB_STORE_PARTITION_H
#define BB_STORE_PARTITION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "store/active_segment.h"
#include "store/kv_rocks.h"
#include "store/segment_index.h"
#include "store/store_dir.h"

/* A segment that isn't sealed, and the part of the log that it was made from. */
struct bb_unsealed {
    struct bb_active_segment *segment;
    atomic_uint reference_count;
    uint64_t log_first; /* sequence of the first log entry */
    uint64_t log_end;   /* one behind the last; set when it is frozen */
    uint32_t number;    /* its key in `index` and `blocks` once it is sealed */
};

struct bb_partition;

struct bb_segment_list {
    struct bb_partition *partition; /* held */
    atomic_uint reference_count;
    uint32_t unsealed_count;
    uint32_t sealed_count;
    struct bb_unsealed **unsealed;           /* held; oldest first; the last may be active */
    const struct bb_sealed_segment **sealed; /* live as long as the partition */
};

struct bb_partition {
    /* Constant after it is made. */
    char name[BB_PARTITION_NAME_SIZE];
    char path[BB_STORE_PATH_SIZE];
    const char *data_dir; /* borrowed from the store */
    struct bb_kv_shared *shared;
    uint64_t made_unix_ns;
    uint64_t period_end_unix_ns; /* takes spans until then */

    atomic_uint reference_count;
    atomic_bool is_discarded;    /* the files go when the last reference does */
    atomic_bool is_damaged;      /* can't be opened: answers without it are incomplete */
    atomic_bool is_sealed;       /* once true, `summary` is constant */
    _Atomic uint64_t disk_bytes; /* as last counted */
    _Atomic uint64_t next_log;   /* sequence of the next log entry */

    /*
     * Guards what is below. Nests in the store's append lock and in its mutex; nothing but a
     * segment's lock and the engine's own nests in it.
     */
    pthread_mutex_t mutex;
    struct bb_kv *kv; /* NULL until it is opened; then constant until the partition goes */
    struct bb_segment_list *list; /* held; NULL until it is opened */
    struct bb_arena sealed_arena; /* what the sealed segments of the list live in */
    uint32_t next_segment;
    bool is_active;
    struct bb_partition_summary summary; /* set before is_sealed */
};

/* Makes the object for NAME with one reference, without opening anything. BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_partition_new(const char *data_dir, const char *name,
                                           struct bb_kv_shared *shared, uint64_t period_end_unix_ns,
                                           struct bb_partition **out_partition);

void bb_partition_hold(struct bb_partition *partition);
/* Gives a reference back. The last one closes the database and, if it is discarded, moves the
 * files to the trash. NULL is accepted. */
void bb_partition_release(struct bb_partition *partition);

/* Opens the database and reads the sealed segments' indexes, if that hasn't been done. A sealed
 * partition is opened read-only. Marks it damaged on BB_ECORRUPT and BB_EIO. */
BB_MUST_CHECK enum bb_err bb_partition_open(struct bb_partition *partition,
                                            struct bb_err_detail *detail);

/* The current list, held, opening the partition where needed; give it back with
 * bb_segment_list_release. */
BB_MUST_CHECK enum bb_err bb_partition_list(struct bb_partition *partition,
                                            struct bb_err_detail *detail,
                                            struct bb_segment_list **out_list);
void bb_segment_list_release(struct bb_segment_list *list);

/* Adds an empty active segment behind the others. The caller sees to it that no append is under
 * way. BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_partition_add_active(struct bb_partition *partition);

/* The active segment is complete: notes the end of its log, and starts another if `again`. An
 * empty one is kept as it is when `again`, else dropped. The caller sees to it that no append is
 * under way. BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_partition_freeze(struct bb_partition *partition, bool again);

/* The oldest frozen segment, held, or NULL; give it back with bb_unsealed_release. */
struct bb_unsealed *bb_partition_next_frozen(struct bb_partition *partition);
void bb_unsealed_release(struct bb_unsealed *unsealed);

/* Puts `sealed`, which lives in `sealed_arena`, in the place of `unsealed`. BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_partition_replace(struct bb_partition *partition,
                                               struct bb_unsealed *unsealed,
                                               const struct bb_sealed_segment *sealed);

/* Reads one sealed segment's index. The segment lives in `arena`. */
BB_MUST_CHECK enum bb_err bb_partition_read_segment(struct bb_kv *kv, uint32_t segment,
                                                    struct bb_arena *arena,
                                                    struct bb_err_detail *detail,
                                                    struct bb_sealed_segment **out_segment);

/* No more spans come and all segments are sealed: flushes, writes SEALED. */
BB_MUST_CHECK enum bb_err bb_partition_finish(struct bb_partition *partition, uint64_t now_unix_ns,
                                              struct bb_err_detail *detail);

/* Bytes of memory in its unsealed segments. */
size_t bb_partition_unsealed_bytes(struct bb_partition *partition);

#endif /* BB_STORE_PARTITION_H */
