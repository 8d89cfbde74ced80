/*
 * kv_rocks.c - see kv_rocks.h. What is set and why:
 *   - no compression by the engine: what we write is compressed already;
 *   - one block cache for all databases, with index and filter blocks in it;
 *   - memtables bounded for each database by db_write_buffer_size; only one database is written at
 *     a time, so that this is the bound of the store too;
 *   - the write-ahead log is bounded, which bounds how long an open after a crash replays it;
 *   - the log of messages goes to a small file, not to stderr.
 */
#include "store/kv_rocks.h"

#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>

#define WAL_BYTES_MAX (64u << 20)
#define BLOCK_SIZE (16u << 10)
/* The engine's default of 4 MiB would be most of a small partition. */
#define MANIFEST_RESERVED_BYTES (64u << 10)
#define BACKGROUND_JOBS 2
/* Files of the log that wait before they are merged, which leaves nearly nothing of them: their
 * entries have been deleted meanwhile. */
#define LOG_FILES_MAX 2

struct bb_kv_shared {
    rocksdb_cache_t *cache;
    rocksdb_env_t *env;
    size_t write_buffer_bytes;
};

struct bb_kv {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_options_t *log_options; /* of the log's family */
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_column_family_handle_t *families[BB_KV_FAMILY_COUNT];
    rocksdb_readoptions_t *read_options;
    rocksdb_writeoptions_t *write_options;
    rocksdb_writeoptions_t *sync_options;
};

struct bb_kv_writes {
    rocksdb_writebatch_t *batch;
};

struct bb_kv_iter {
    rocksdb_iterator_t *rocks;
    bool is_started;
};

/* RocksDB makes "default" whatever one does: it is our META. */
static const char *const family_names[BB_KV_FAMILY_COUNT] = {
    [BB_KV_META] = "default",
    [BB_KV_LOG] = "log",
    [BB_KV_BLOCKS] = "blocks",
    [BB_KV_INDEX] = "index",
};

/* Turns the engine's words into a code, and frees them. */
static enum bb_err take_error(char *text, struct bb_err_detail *detail)
{
    enum bb_err err = BB_EIO;

    if (text == NULL) {
        return BB_OK;
    }
    if (strstr(text, "No space left") != NULL || strstr(text, "NoSpace") != NULL ||
        strstr(text, "quota") != NULL) {
        err = BB_EFULL;
    } else if (strncmp(text, "Corruption", strlen("Corruption")) == 0) {
        err = BB_ECORRUPT;
    } else if (strstr(text, "lock") != NULL && strstr(text, "LOCK") != NULL) {
        err = BB_EBUSY;
    }
    (void)bb_err_set(detail, err, "%s", text);
    rocksdb_free(text);
    return err;
}

enum bb_err bb_kv_shared_new(size_t cache_bytes, size_t write_buffer_bytes,
                             struct bb_kv_shared **out_shared)
{
    struct bb_kv_shared *shared =
        calloc(1, sizeof *shared); /* tidy: allow malloc: lives with the store */

    if (shared == NULL) {
        return BB_ENOMEM;
    }
    shared->cache = rocksdb_cache_create_lru(cache_bytes);
    shared->env = rocksdb_create_default_env();
    shared->write_buffer_bytes = write_buffer_bytes;
    rocksdb_env_set_background_threads(shared->env, BACKGROUND_JOBS);
    rocksdb_env_set_high_priority_background_threads(shared->env, 1);
    *out_shared = shared;
    return BB_OK;
}

void bb_kv_shared_free(struct bb_kv_shared *shared)
{
    if (shared == NULL) {
        return;
    }
    rocksdb_cache_destroy(shared->cache);
    rocksdb_env_destroy(shared->env);
    free(shared); /* tidy: allow malloc: see new */
}

size_t bb_kv_cache_bytes(const struct bb_kv_shared *shared)
{
    return rocksdb_cache_get_usage(shared->cache);
}

static void set_options(struct bb_kv *kv, const struct bb_kv_shared *shared)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, shared->cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_SIZE);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_options_set_env(options, shared->env);
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_db_write_buffer_size(options, shared->write_buffer_bytes);
    rocksdb_options_set_write_buffer_size(options, shared->write_buffer_bytes / 2);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_keep_log_file_num(options, 2);
    rocksdb_options_set_max_log_file_size(options, 1u << 20);
    rocksdb_options_set_info_log_level(options, 2 /* warn */);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_manifest_preallocation_size(options, MANIFEST_RESERVED_BYTES);
    kv->options = options;
    kv->table_options = table;
    kv->log_options = rocksdb_options_create_copy(options);
    rocksdb_options_set_level0_file_num_compaction_trigger(kv->log_options, LOG_FILES_MAX);
}

static void dispose_kv(struct bb_kv *kv)
{
    for (int i = 0; i < BB_KV_FAMILY_COUNT; i++) {
        if (kv->families[i] != NULL) {
            rocksdb_column_family_handle_destroy(kv->families[i]);
        }
    }
    if (kv->db != NULL) {
        rocksdb_close(kv->db);
    }
    if (kv->options != NULL) {
        rocksdb_options_destroy(kv->options);
        rocksdb_options_destroy(kv->log_options);
        rocksdb_block_based_options_destroy(kv->table_options);
    }
    if (kv->read_options != NULL) {
        rocksdb_readoptions_destroy(kv->read_options);
        rocksdb_writeoptions_destroy(kv->write_options);
        rocksdb_writeoptions_destroy(kv->sync_options);
    }
    free(kv); /* tidy: allow malloc: see open */
}

enum bb_err bb_kv_open(struct bb_kv_shared *shared, const char *dir, bool is_read_only,
                       struct bb_err_detail *detail, struct bb_kv **out_kv)
{
    const rocksdb_options_t *family_options[BB_KV_FAMILY_COUNT];
    char *text = NULL;
    struct bb_kv *kv = calloc(1, sizeof *kv); /* tidy: allow malloc: lives with the partition */

    if (kv == NULL) {
        return BB_ENOMEM;
    }
    set_options(kv, shared);
    for (int i = 0; i < BB_KV_FAMILY_COUNT; i++) {
        family_options[i] = i == BB_KV_LOG ? kv->log_options : kv->options;
    }
    if (is_read_only) {
        kv->db = rocksdb_open_for_read_only_column_families(kv->options, dir, BB_KV_FAMILY_COUNT,
                                                            family_names, family_options,
                                                            kv->families, 0, &text);
    } else {
        kv->db = rocksdb_open_column_families(kv->options, dir, BB_KV_FAMILY_COUNT, family_names,
                                              family_options, kv->families, &text);
    }
    if (text != NULL) {
        /* The engine leaves the handles undefined when it fails. */
        memset(kv->families, 0, sizeof kv->families);
        kv->db = NULL;
        dispose_kv(kv);
        return take_error(text, detail);
    }
    kv->read_options = rocksdb_readoptions_create();
    kv->write_options = rocksdb_writeoptions_create();
    kv->sync_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(kv->sync_options, 1);
    *out_kv = kv;
    return BB_OK;
}

void bb_kv_close(struct bb_kv *kv)
{
    if (kv != NULL) {
        dispose_kv(kv);
    }
}

enum bb_err bb_kv_put(struct bb_kv *kv, enum bb_kv_family family, struct bb_slice key,
                      struct bb_slice value, bool sync, struct bb_err_detail *detail)
{
    char *text = NULL;

    rocksdb_put_cf(kv->db, sync ? kv->sync_options : kv->write_options, kv->families[family],
                   (const char *)key.data, key.size, (const char *)value.data, value.size, &text);
    return take_error(text, detail);
}

enum bb_err bb_kv_writes_new(struct bb_kv_writes **out_writes)
{
    struct bb_kv_writes *writes = calloc(1, sizeof *writes); /* tidy: allow malloc: one a seal */

    if (writes == NULL) {
        return BB_ENOMEM;
    }
    writes->batch = rocksdb_writebatch_create();
    *out_writes = writes;
    return BB_OK;
}

void bb_kv_writes_free(struct bb_kv_writes *writes)
{
    if (writes != NULL) {
        rocksdb_writebatch_destroy(writes->batch);
        free(writes); /* tidy: allow malloc: see new */
    }
}

void bb_kv_writes_put(struct bb_kv *kv, struct bb_kv_writes *writes, enum bb_kv_family family,
                      struct bb_slice key, struct bb_slice value)
{
    rocksdb_writebatch_put_cf(writes->batch, kv->families[family], (const char *)key.data, key.size,
                              (const char *)value.data, value.size);
}

void bb_kv_writes_delete_range(struct bb_kv *kv, struct bb_kv_writes *writes,
                               enum bb_kv_family family, struct bb_slice first, struct bb_slice end)
{
    rocksdb_writebatch_delete_range_cf(writes->batch, kv->families[family],
                                       (const char *)first.data, first.size, (const char *)end.data,
                                       end.size);
}

enum bb_err bb_kv_commit(struct bb_kv *kv, struct bb_kv_writes *writes, bool sync,
                         struct bb_err_detail *detail)
{
    char *text = NULL;

    rocksdb_write(kv->db, sync ? kv->sync_options : kv->write_options, writes->batch, &text);
    return take_error(text, detail);
}

enum bb_err bb_kv_get(struct bb_kv *kv, enum bb_kv_family family, struct bb_slice key,
                      struct bb_err_detail *detail, struct bb_kv_value *out_value)
{
    char *text = NULL;
    size_t size = 0;

    rocksdb_pinnableslice_t *pin = rocksdb_get_pinned_cf(
        kv->db, kv->read_options, kv->families[family], (const char *)key.data, key.size, &text);
    if (text != NULL) {
        return take_error(text, detail);
    }
    if (pin == NULL) {
        return BB_ENOTFOUND;
    }
    const char *data = rocksdb_pinnableslice_value(pin, &size);
    *out_value = (struct bb_kv_value){.bytes = bb_slice_of(data, size), .pin = pin};
    return BB_OK;
}

void bb_kv_value_dispose(struct bb_kv_value *value)
{
    if (value->pin != NULL) {
        rocksdb_pinnableslice_destroy(value->pin);
    }
    *value = (struct bb_kv_value){.pin = NULL};
}

enum bb_err bb_kv_iter_new(struct bb_kv *kv, enum bb_kv_family family, struct bb_slice from,
                           struct bb_kv_iter **out_iter)
{
    struct bb_kv_iter *iter = calloc(1, sizeof *iter); /* tidy: allow malloc: one a recovery */

    if (iter == NULL) {
        return BB_ENOMEM;
    }
    iter->rocks = rocksdb_create_iterator_cf(kv->db, kv->read_options, kv->families[family]);
    rocksdb_iter_seek(iter->rocks, (const char *)from.data, from.size);
    *out_iter = iter;
    return BB_OK;
}

bool bb_kv_iter_next(struct bb_kv_iter *iter, struct bb_slice *out_key, struct bb_slice *out_value)
{
    size_t size = 0;

    if (iter->is_started && rocksdb_iter_valid(iter->rocks)) {
        rocksdb_iter_next(iter->rocks);
    }
    iter->is_started = true;
    if (!rocksdb_iter_valid(iter->rocks)) {
        return false;
    }
    const char *data = rocksdb_iter_key(iter->rocks, &size);
    *out_key = bb_slice_of(data, size);
    data = rocksdb_iter_value(iter->rocks, &size);
    *out_value = bb_slice_of(data, size);
    return true;
}

enum bb_err bb_kv_iter_err(const struct bb_kv_iter *iter, struct bb_err_detail *detail)
{
    char *text = NULL;

    rocksdb_iter_get_error(iter->rocks, &text);
    return take_error(text, detail);
}

void bb_kv_iter_free(struct bb_kv_iter *iter)
{
    if (iter != NULL) {
        rocksdb_iter_destroy(iter->rocks);
        free(iter); /* tidy: allow malloc: see new */
    }
}

enum bb_err bb_kv_flush(struct bb_kv *kv, struct bb_err_detail *detail)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    enum bb_err err = BB_OK;

    rocksdb_flushoptions_set_wait(options, 1);
    for (int i = 0; i < BB_KV_FAMILY_COUNT && err == BB_OK; i++) {
        char *text = NULL;
        rocksdb_flush_cf(kv->db, options, kv->families[i], &text);
        err = take_error(text, detail);
    }
    rocksdb_flushoptions_destroy(options);
    return err;
}

static uint64_t property(struct bb_kv *kv, int family, const char *name)
{
    uint64_t value = 0;

    if (rocksdb_property_int_cf(kv->db, kv->families[family], name, &value) != 0) {
        return 0;
    }
    return value;
}

size_t bb_kv_memtable_bytes(struct bb_kv *kv)
{
    size_t size = 0;

    for (int i = 0; i < BB_KV_FAMILY_COUNT; i++) {
        size += (size_t)property(kv, i, "rocksdb.size-all-mem-tables");
    }
    return size;
}

bool bb_kv_is_failed(struct bb_kv *kv)
{
    return property(kv, BB_KV_META, "rocksdb.background-errors") > 0;
}
