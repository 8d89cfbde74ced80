/*
 * store_internal.h - the store's own struct, for the files of this folder.
 */
#ifndef BB_STORE_STORE_INTERNAL_H
#define BB_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/block_codec.h"
#include "store/partition.h"
#include "store/store.h"

struct bb_store {
    /* Constant after open. */
    struct bb_store_options options;
    char data_dir[BB_STORE_PATH_SIZE];
    int lock_fd;
    struct bb_kv_shared *shared;
    uint64_t period_ns;        /* length of a partition */
    size_t segment_bytes_max;  /* of one unsealed segment */
    size_t unsealed_bytes_max; /* of all of them */
    pthread_t keeper;          /* seals, rolls over, expires */
    bool keeper_is_running;

    _Atomic uint64_t quarantined_count; /* directories set aside as damaged */
    atomic_bool is_failed;              /* the last append failed in the engine */
    atomic_bool is_short_of_space;      /* the last append found no space */

    /*
     * Held for reading by every append while it is under way, for writing by whoever changes where
     * appends go. Outermost: the mutexes below and those of partitions and segments nest in it.
     */
    pthread_rwlock_t append_lock;
    struct bb_partition *active;              /* guarded by append_lock; held */
    struct bb_active_segment *active_segment; /* guarded by append_lock; the active one's last */

    /* One sealing or housekeeping at a time. Nests outside append_lock. */
    pthread_mutex_t keep_mutex;

    /* Guards what is below. Nests in append_lock; the mutexes of partitions nest in it. */
    pthread_mutex_t mutex;
    pthread_cond_t wake_keeper;
    pthread_cond_t segment_sealed;    /* goes with sealed_count */
    uint64_t sealed_count;            /* segments sealed since the open */
    struct bb_partition **partitions; /* held; oldest first */
    uint32_t partition_count;
    uint32_t partition_capacity;
    bool has_work; /* a segment was frozen */
    bool is_closing;
};

/* What one query reads: the partitions there were at its start. */
struct bb_view {
    struct bb_store *store;
    struct bb_partition **partitions; /* held; in the arena; oldest first */
    uint32_t partition_count;
};

BB_MUST_CHECK enum bb_err bb_view_open(struct bb_store *store, struct bb_query_ctl *ctl,
                                       struct bb_arena *arena, struct bb_view *out_view);
void bb_view_close(struct bb_view *view);

/* The list of partition `index`; when it can't be opened the answer is marked incomplete and
 * *out_list is NULL. BB_ENOMEM. Give it back with bb_segment_list_release. */
BB_MUST_CHECK enum bb_err bb_view_list(struct bb_view *view, uint32_t index,
                                       struct bb_query_ctl *ctl, struct bb_segment_list **out_list);

/* Marks the answer as possibly lacking something; the first reason is kept. */
void bb_query_lacks(struct bb_query_ctl *ctl, const char *format, ...) BB_PRINTF(2, 3);

/* BB_ECANCELLED once the asker has gone; BB_ETOOBIG once the budget is read. */
BB_MUST_CHECK enum bb_err bb_query_check(const struct bb_query_ctl *ctl);

/*
 * Reads of one sealed segment. On damage (BB_ECORRUPT, or a key that is missing) the answer is
 * marked incomplete, the damage is counted, and *out_is_there is false with BB_OK.
 */
BB_MUST_CHECK enum bb_err bb_read_dictionary(struct bb_partition *partition,
                                             const struct bb_sealed_segment *segment,
                                             struct bb_query_ctl *ctl, struct bb_arena *arena,
                                             struct bb_dictionary **out_dictionary,
                                             bool *out_is_there);
BB_MUST_CHECK enum bb_err bb_read_block(struct bb_partition *partition,
                                        const struct bb_sealed_segment *segment, uint32_t block,
                                        const struct bb_dictionary *dictionary,
                                        struct bb_query_ctl *ctl, struct bb_arena *arena,
                                        struct bb_block *out_block, bool *out_is_there);
/* The messages of rows [first_row, end_row) as far as they lie in page `page`. */
BB_MUST_CHECK enum bb_err bb_read_rows(struct bb_partition *partition,
                                       const struct bb_sealed_segment *segment, uint32_t block,
                                       uint32_t page, uint32_t first_row, uint32_t end_row,
                                       const struct bb_dictionary *dictionary,
                                       struct bb_query_ctl *ctl, struct bb_arena *arena,
                                       struct bb_block *decoded, bool *out_is_there);

/* Bytes that one query may hold of one block while it looks at it. */
#define BB_SCAN_ARENA_BYTES_MAX ((size_t)512 << 20)

#endif /* BB_STORE_STORE_INTERNAL_H */
