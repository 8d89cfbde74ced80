#include "store/seal.h"

#include <stdlib.h>

#include "common/limits.h"
#include "store/block_codec.h"
#include "store/trace_filter.h"

#define SCRATCH_BYTES_MAX ((size_t)256 << 20)
#define INDEX_BYTES_MAX ((size_t)64 << 20)

struct sealing {
    struct bb_kv *kv;
    struct bb_kv_writes *writes;
    uint32_t segment;
    uint32_t block; /* being encoded */
    struct bb_arena arena;
    struct bb_block_encoder encoder;
    struct bb_buf value;
};

/* A row with the first half of its trace id beside it, which decides most comparisons. */
struct sort_row {
    uint64_t prefix;
    const struct bb_row *row;
};

static int compare_rows(const void *a, const void *b)
{
    const struct sort_row *left = a;
    const struct sort_row *right = b;

    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    int order = bb_trace_id_compare(&left->row->trace_id, &right->row->trace_id);
    if (order != 0) {
        return order;
    }
    if (left->row->start_unix_ns != right->row->start_unix_ns) {
        return left->row->start_unix_ns < right->row->start_unix_ns ? -1 : 1;
    }
    return memcmp(left->row->span_id.bytes, right->row->span_id.bytes, BB_SPAN_ID_SIZE);
}

static enum bb_err sort_rows(const struct bb_active_segment *segment, uint32_t row_count,
                             struct bb_arena *arena, const struct bb_row ***out_rows)
{
    struct sort_row *sorted = bb_arena_try_alloc(arena, row_count * sizeof *sorted);
    const struct bb_row **rows = bb_arena_try_alloc(arena, row_count * sizeof *rows);

    if (sorted == NULL || rows == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        const struct bb_row *row = bb_active_row(segment, i);
        sorted[i] = (struct sort_row){.prefix = bb_get_be64(row->trace_id.bytes), .row = row};
    }
    qsort(sorted, row_count, sizeof *sorted, compare_rows);
    for (uint32_t i = 0; i < row_count; i++) {
        rows[i] = sorted[i].row;
    }
    *out_rows = rows;
    return BB_OK;
}

static enum bb_err put_frame(void *ctx, uint32_t page, struct bb_slice frame)
{
    struct sealing *sealing = ctx;
    uint8_t key[BB_BLOCK_KEY_SIZE];

    bb_block_key(sealing->segment, sealing->block, page, key);
    bb_kv_writes_put(sealing->kv, sealing->writes, BB_KV_BLOCKS, bb_slice_of(key, sizeof key),
                     frame);
    return BB_OK;
}

/* Rows from `first` that make one block. */
static uint32_t block_end(const struct bb_row *const *rows, uint32_t row_count, uint32_t first)
{
    size_t bytes = rows[first]->bytes.size;
    uint32_t end = first + 1;

    while (end < row_count && end - first < BB_BLOCK_SPANS_MAX &&
           bytes + rows[end]->bytes.size <= BB_BLOCK_BYTES_MAX) {
        bytes += rows[end++]->bytes.size;
    }
    return end;
}

static enum bb_err put_blocks(struct sealing *sealing, const struct bb_row *const *rows,
                              uint32_t row_count, const struct bb_dictionary *dictionary,
                              struct bb_sealed_segment *sealed)
{
    uint32_t capacity = 0;

    for (uint32_t first = 0; first < row_count; first = block_end(rows, row_count, first)) {
        capacity++;
    }
    sealed->blocks = bb_arena_try_calloc(&sealing->arena, capacity, sizeof *sealed->blocks);
    if (sealed->blocks == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t first = 0; first < row_count;) {
        uint32_t end = block_end(rows, row_count, first);
        struct bb_block_summary *block = &sealed->blocks[sealed->block_count];
        block->row_count = end - first;
        block->first_trace_id = rows[first]->trace_id;
        block->last_trace_id = rows[end - 1]->trace_id;
        for (uint32_t i = first; i < end; i++) {
            bb_row_bounds_add(&block->bounds, i == first, rows[i]);
        }
        sealing->block = sealed->block_count++;
        enum bb_err err = bb_block_encode(&sealing->encoder, rows + first, end - first, dictionary,
                                          put_frame, sealing);
        if (err != BB_OK) {
            return err;
        }
        first = end;
    }
    sealed->row_count = row_count;
    return BB_OK;
}

static void put_index(struct sealing *sealing, enum bb_index_part part, struct bb_slice value)
{
    uint8_t key[BB_INDEX_KEY_SIZE];

    bb_index_key(sealing->segment, part, key);
    bb_kv_writes_put(sealing->kv, sealing->writes, BB_KV_INDEX, bb_slice_of(key, sizeof key),
                     value);
}

static enum bb_err put_filter(struct sealing *sealing, const struct bb_row *const *rows,
                              uint32_t row_count)
{
    uint32_t trace_count = 0;

    for (uint32_t i = 0; i < row_count; i++) {
        trace_count += i == 0 || !bb_trace_id_equals(&rows[i]->trace_id, &rows[i - 1]->trace_id);
    }
    size_t size = bb_trace_filter_size(trace_count);
    uint8_t *filter = bb_arena_try_calloc(&sealing->arena, size, 1);
    if (filter == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        if (i == 0 || !bb_trace_id_equals(&rows[i]->trace_id, &rows[i - 1]->trace_id)) {
            bb_trace_filter_add(filter, size, &rows[i]->trace_id);
        }
    }
    put_index(sealing, BB_INDEX_FILTER, bb_slice_of(filter, size));
    return BB_OK;
}

static void delete_log(struct sealing *sealing, const struct bb_unsealed *unsealed)
{
    uint8_t first[8];
    uint8_t end[8];

    bb_put_be64(first, unsealed->log_first);
    bb_put_be64(end, unsealed->log_end);
    bb_kv_writes_delete_range(sealing->kv, sealing->writes, BB_KV_LOG,
                              bb_slice_of(first, sizeof first), bb_slice_of(end, sizeof end));
}

static enum bb_err put_segment(struct sealing *sealing, const struct bb_unsealed *unsealed)
{
    const struct bb_dictionary *dictionary = bb_active_dictionary(unsealed->segment);
    uint32_t row_count = bb_active_row_count(unsealed->segment);
    struct bb_sealed_segment sealed = {.segment = sealing->segment};
    const struct bb_row **rows = NULL;

    enum bb_err err = sort_rows(unsealed->segment, row_count, &sealing->arena, &rows);
    if (err == BB_OK) {
        err = put_blocks(sealing, rows, row_count, dictionary, &sealed);
    }
    if (err == BB_OK) {
        bb_segment_summary_encode(&sealed, &sealing->value);
        err = bb_buf_err(&sealing->value);
    }
    if (err == BB_OK) {
        put_index(sealing, BB_INDEX_SUMMARY, bb_buf_slice(&sealing->value));
        bb_buf_clear(&sealing->value);
        err = bb_dictionary_encode(dictionary, &sealing->value);
    }
    if (err == BB_OK) {
        put_index(sealing, BB_INDEX_DICTIONARY, bb_buf_slice(&sealing->value));
        err = put_filter(sealing, rows, row_count);
    }
    if (err == BB_OK) {
        delete_log(sealing, unsealed);
    }
    return err;
}

enum bb_err bb_seal_segment(struct bb_partition *partition, struct bb_unsealed *unsealed,
                            bool sync, struct bb_err_detail *detail)
{
    struct sealing sealing = {.kv = partition->kv, .segment = unsealed->number};
    struct bb_sealed_segment *sealed = NULL;

    BB_ASSERT(unsealed->log_end != UINT64_MAX);
    bb_arena_init(&sealing.arena, SCRATCH_BYTES_MAX);
    bb_buf_init(&sealing.value, INDEX_BYTES_MAX);
    bb_block_encoder_init(&sealing.encoder);

    enum bb_err err = bb_kv_writes_new(&sealing.writes);
    if (err == BB_OK) {
        err = put_segment(&sealing, unsealed);
    }
    if (err == BB_OK) {
        err = bb_kv_commit(partition->kv, sealing.writes, sync, detail);
    }
    if (err == BB_OK) {
        err = bb_partition_read_segment(partition->kv, unsealed->number, &partition->sealed_arena,
                                        detail, &sealed);
    }
    if (err == BB_OK) {
        err = bb_partition_replace(partition, unsealed, sealed);
    }

    bb_kv_writes_free(sealing.writes);
    bb_block_encoder_dispose(&sealing.encoder);
    bb_buf_dispose(&sealing.value);
    bb_arena_dispose(&sealing.arena);
    return err;
}
