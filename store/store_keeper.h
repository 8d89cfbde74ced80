/*
 * store_keeper.h - the store's background thread, and the changes of state that it and the door
 * share: which partitions there are, and where appends go.
 */
#ifndef BB_STORE_STORE_KEEPER_H
#define BB_STORE_STORE_KEEPER_H

#include "common/err.h"
#include "store/store_internal.h"

BB_MUST_CHECK enum bb_err bb_store_start_keeper(struct bb_store *store);
void bb_store_stop_keeper(struct bb_store *store);

/* There is a frozen segment to seal. */
void bb_store_wake_keeper(struct bb_store *store);

/* Segments sealed since the open. */
uint64_t bb_store_sealed_count(struct bb_store *store);

/* Waits until more than `seen_count` segments have been sealed; false when `wait_ms` have passed
 * first. */
bool bb_store_await_seal(struct bb_store *store, uint64_t seen_count, uint32_t wait_ms);

/* Takes the reference to `partition` into the list of partitions. BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_store_add_partition(struct bb_store *store,
                                                 struct bb_partition *partition);

/* Appends go to `partition`, which has an active segment. With the append lock held for writing,
 * or while the store is being opened. */
void bb_store_set_active(struct bb_store *store, struct bb_partition *partition);

/* Begins a new segment of the active partition. With the append lock held for writing. */
BB_MUST_CHECK enum bb_err bb_store_freeze_active(struct bb_store *store);

/* Begins a new partition; the old one takes no more. Takes the append lock. */
BB_MUST_CHECK enum bb_err bb_store_roll_over(struct bb_store *store, uint64_t now_unix_ns,
                                             struct bb_err_detail *detail);

/* Bytes of memory in unsealed segments of all partitions. */
size_t bb_store_unsealed_bytes(struct bb_store *store);

/* Closes `partition`, whose reference it takes, moves it to quarantine, and counts it. */
BB_MUST_CHECK enum bb_err bb_store_quarantine(struct bb_store *store,
                                              struct bb_partition *partition,
                                              struct bb_err_detail *detail);

/* Counts what earlier runs have set aside. */
void bb_store_count_quarantine(struct bb_store *store);

#endif /* BB_STORE_STORE_KEEPER_H */
