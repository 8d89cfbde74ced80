/* seal.h - turns a frozen segment into blocks. */
#ifndef BB_STORE_SEAL_H
#define BB_STORE_SEAL_H

#include "common/err.h"
#include "store/partition.h"

/*
 * Sorts the rows of `unsealed` by trace, cuts them into blocks, and writes blocks, index and filter
 * and the end of its part of the log in one atomic batch; then swaps it in the partition's list.
 * Doing it again, after a failure behind the write, writes the same keys and values.
 *
 * On an error the partition is as before, and the segment can be sealed later.
 * Threads: one at a time for a partition.
 */
BB_MUST_CHECK enum bb_err bb_seal_segment(struct bb_partition *partition,
                                          struct bb_unsealed *unsealed, bool sync,
                                          struct bb_err_detail *detail);

#endif /* BB_STORE_SEAL_H */
