/*
 * kv_rocks.h - the key-value engine as the store needs it. The one file that sees RocksDB's C API;
 * its convention (char **errptr, malloc'ed text) becomes one of our codes here, in one place.
 *
 * Threads: every function but open, close and those of one iterator or one set of writes may be
 * called from any thread at the same time.
 */
#ifndef BB_STORE_KV_ROCKS_H
#define BB_STORE_KV_ROCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

/* Column families (docs/store-format.md). */
enum bb_kv_family { BB_KV_META, BB_KV_LOG, BB_KV_BLOCKS, BB_KV_INDEX, BB_KV_FAMILY_COUNT };

/* What all databases of a store share: block cache and thread pool. */
struct bb_kv_shared;

BB_MUST_CHECK enum bb_err bb_kv_shared_new(size_t cache_bytes, size_t write_buffer_bytes,
                                           struct bb_kv_shared **out_shared);
void bb_kv_shared_free(struct bb_kv_shared *shared);

/* Bytes of the shared block cache in use. */
size_t bb_kv_cache_bytes(const struct bb_kv_shared *shared);

struct bb_kv;

/*
 * Opens the database in `dir`; it is made when it is missing and not `is_read_only`.
 *
 * BB_OK        *out_kv is the caller's; free it with bb_kv_close
 * BB_EBUSY     locked by another process
 * BB_ECORRUPT  damaged
 * BB_EFULL, BB_EIO, BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_kv_open(struct bb_kv_shared *shared, const char *dir,
                                     bool is_read_only, struct bb_err_detail *detail,
                                     struct bb_kv **out_kv);

/* Waits for background work. NULL is accepted. */
void bb_kv_close(struct bb_kv *kv);

/* One key, through the log; with `sync` it is on the disk when this returns. */
BB_MUST_CHECK enum bb_err bb_kv_put(struct bb_kv *kv, enum bb_kv_family family, struct bb_slice key,
                                    struct bb_slice value, bool sync, struct bb_err_detail *detail);

/* Writes that become visible and durable together. */
struct bb_kv_writes;

BB_MUST_CHECK enum bb_err bb_kv_writes_new(struct bb_kv_writes **out_writes);
void bb_kv_writes_free(struct bb_kv_writes *writes);
void bb_kv_writes_put(struct bb_kv *kv, struct bb_kv_writes *writes, enum bb_kv_family family,
                      struct bb_slice key, struct bb_slice value);
/* Deletes keys in [first, end). */
void bb_kv_writes_delete_range(struct bb_kv *kv, struct bb_kv_writes *writes,
                               enum bb_kv_family family, struct bb_slice first,
                               struct bb_slice end);
BB_MUST_CHECK enum bb_err bb_kv_commit(struct bb_kv *kv, struct bb_kv_writes *writes, bool sync,
                                       struct bb_err_detail *detail);

/* A value that the engine keeps in place until it is disposed of. */
struct bb_kv_value {
    struct bb_slice bytes;
    void *pin;
};

/* BB_ENOTFOUND when there is no such key. The caller disposes of *out_value on BB_OK. */
BB_MUST_CHECK enum bb_err bb_kv_get(struct bb_kv *kv, enum bb_kv_family family, struct bb_slice key,
                                    struct bb_err_detail *detail, struct bb_kv_value *out_value);
void bb_kv_value_dispose(struct bb_kv_value *value);

/* Walks keys upwards from the first one that is not less than `from`. Never NULL on BB_OK. */
struct bb_kv_iter;

BB_MUST_CHECK enum bb_err bb_kv_iter_new(struct bb_kv *kv, enum bb_kv_family family,
                                         struct bb_slice from, struct bb_kv_iter **out_iter);
/* False at the end and at an error. Key and value are borrowed until the next call. */
bool bb_kv_iter_next(struct bb_kv_iter *iter, struct bb_slice *out_key, struct bb_slice *out_value);
BB_MUST_CHECK enum bb_err bb_kv_iter_err(const struct bb_kv_iter *iter,
                                         struct bb_err_detail *detail);
void bb_kv_iter_free(struct bb_kv_iter *iter);

/* Writes all memtables to files, so that the next open has no log to replay. */
BB_MUST_CHECK enum bb_err bb_kv_flush(struct bb_kv *kv, struct bb_err_detail *detail);

/* Bytes in memtables of all families. */
size_t bb_kv_memtable_bytes(struct bb_kv *kv);

/* True when the engine has stopped taking writes after an error in the background. */
bool bb_kv_is_failed(struct bb_kv *kv);

#endif /* BB_STORE_KV_ROCKS_H */
