/*
 * store_dir.h - the directories of a store.
 *
 *   DATA/FORMAT                 "bobbin store format 1\n"
 *   DATA/LOCK                   held by the process that has the store open
 *   DATA/partitions/NAME/       one database; NAME is the UTC second it was made at:
 * 20261124T220000Z DATA/partitions/NAME/SEALED the partition's summary, written when nothing is
 * added any more DATA/trash/NAME             on its way out: renamed first, so that half of it is
 * never opened DATA/quarantine/NAME        could not be opened; nobody deletes it but a person
 */
#ifndef BB_STORE_STORE_DIR_H
#define BB_STORE_STORE_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "store/active_segment.h"

#define BB_PARTITION_NAME_SIZE 17 /* "20261124T220000Z" and a NUL */

/*
 * Makes what is missing of the store's directories, checks the format and takes the lock.
 *
 * BB_OK        *out_lock_fd is open; closing it gives the lock back
 * BB_EBUSY     another process has the lock
 * BB_EVERSION  another format
 * BB_EIO, BB_EFULL
 */
BB_MUST_CHECK enum bb_err bb_store_dir_open(const char *data_dir, struct bb_err_detail *detail,
                                            int *out_lock_fd);

/* Names of the partitions, oldest first; in the arena. Other entries are left alone. */
BB_MUST_CHECK enum bb_err bb_store_dir_list(const char *data_dir, struct bb_arena *arena,
                                            struct bb_err_detail *detail, char ***out_names,
                                            uint32_t *out_count);

/* "DATA/partitions/NAME" into `out`. */
#define BB_STORE_PATH_SIZE 4096
void bb_store_dir_partition_path(const char *data_dir, const char *name,
                                 char out[BB_STORE_PATH_SIZE]);

void bb_partition_name_format(uint64_t unix_ns, char out[BB_PARTITION_NAME_SIZE]);
/* BB_EINVAL when it is no name of ours. */
BB_MUST_CHECK enum bb_err bb_partition_name_parse(const char *name, uint64_t *out_unix_ns);

/* Renames the partition into the trash; from then on it isn't the store's. */
BB_MUST_CHECK enum bb_err bb_store_dir_discard(const char *data_dir, const char *name,
                                               struct bb_err_detail *detail);

/* Renames the partition into quarantine. */
BB_MUST_CHECK enum bb_err bb_store_dir_quarantine(const char *data_dir, const char *name,
                                                  struct bb_err_detail *detail);

/* Unlinks all that is in the trash. What can't be removed now is tried again at the next call. */
void bb_store_dir_empty_trash(const char *data_dir);

/* Bytes that the files below `path` take on the disk, as du counts them. */
uint64_t bb_store_dir_bytes(const char *path);

/* Bytes free for us on the file system of `path`; 0 when it can't be told. */
uint64_t bb_store_dir_free_bytes(const char *path);

/* What SEALED says: lines of "name=value". */
struct bb_partition_summary {
    uint64_t sealed_unix_ns; /* nothing arrived later */
    uint64_t row_count;
    struct bb_row_bounds bounds;
};

/* Written to a temporary file first, synced, renamed. */
BB_MUST_CHECK enum bb_err bb_partition_summary_write(const char *partition_path,
                                                     const struct bb_partition_summary *summary,
                                                     struct bb_err_detail *detail);

/* BB_ENOTFOUND when the partition isn't sealed; BB_ECORRUPT. */
BB_MUST_CHECK enum bb_err bb_partition_summary_read(const char *partition_path,
                                                    struct bb_partition_summary *out_summary);

#endif /* BB_STORE_STORE_DIR_H */
