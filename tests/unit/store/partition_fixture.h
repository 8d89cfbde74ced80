/* partition_fixture.h - one partition in a directory of its own, and spans for it. */
#ifndef BB_TESTS_PARTITION_FIXTURE_H
#define BB_TESTS_PARTITION_FIXTURE_H

#include "store/partition.h"
#include "temp_dir.h"

#define FIXTURE_PARTITION "20261124T220000Z"
#define FIXTURE_PERIOD_END_NS UINT64_C(1795561200000000000) /* an hour later */

struct partition_fixture {
    char dir[TEMP_DIR_SIZE];
    struct bb_kv_shared *shared;
    struct bb_partition *partition;
    struct bb_arena arena;
    int lock_fd;
};

/* cmocka's set-up and tear-down: the partition is open and has an empty active segment. */
int partition_fixture_set_up(void **state);
int partition_fixture_tear_down(void **state);

/* Gives the partition back and opens it anew, without an active segment. */
void partition_fixture_reopen(struct partition_fixture *fx);

/* Appends the accepted spans of a request to the active segment and to the log. */
void partition_fixture_append(struct partition_fixture *fx, struct bb_slice wire);

/* The same with `count` spans, each a trace of its own, numbered from `first` on. */
void partition_fixture_append_spans(struct partition_fixture *fx, uint32_t first, uint32_t count);

/* Keys of a family. */
uint32_t partition_fixture_key_count(struct partition_fixture *fx, enum bb_kv_family family);

#endif /* BB_TESTS_PARTITION_FIXTURE_H */
