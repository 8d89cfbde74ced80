#include "store/seal.h"

#include <stdlib.h>

#include "common/limits.h"
#include "store/block_codec.h"
#include "store/page_codec.h"
#include "store/shred.h"
#include "store/trace_filter.h"
#include "store/zstd_codec.h"

#define SCRATCH_BYTES_MAX ((size_t)512 << 20)

/* Rows of one page, and what each column held before and after them. */
struct page_plan {
    uint32_t row_count;
    uint32_t *end_values; /* by column; shorter than the next one's where columns came later */
    uint32_t column_count;
};

struct sealing {
    struct bb_kv *kv;
    struct bb_kv_writes *writes;
    uint32_t segment;
    struct bb_arena arena;
    struct bb_shredder *shredder;
    struct bb_column_plan *plans;
    const struct bb_row **rows; /* sorted */
    uint32_t *shapes;           /* by row */
    uint32_t row_count;
    struct page_plan *pages; /* of all blocks, in order */
    uint32_t page_count;
    struct bb_buf plain;
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

/* Rows from `first` that make one block. */
static uint32_t block_end(const struct sealing *sealing, uint32_t first)
{
    size_t bytes = sealing->rows[first]->bytes.size;
    uint32_t end = first + 1;

    while (end < sealing->row_count && end - first < BB_BLOCK_SPANS_MAX &&
           bytes + sealing->rows[end]->bytes.size <= BB_BLOCK_BYTES_MAX) {
        bytes += sealing->rows[end++]->bytes.size;
    }
    return end;
}

/* Rows from `first` on, up to `end`, that make one page. */
static uint32_t page_end(const struct sealing *sealing, uint32_t first, uint32_t end)
{
    size_t bytes = sealing->rows[first]->bytes.size;
    uint32_t at = first + 1;

    while (at < end && at - first < BB_PAGE_SPANS_MAX &&
           bytes + sealing->rows[at]->bytes.size <= BB_PAGE_BYTES_MAX) {
        bytes += sealing->rows[at++]->bytes.size;
    }
    return at;
}

static struct bb_span_ref span_of(const struct bb_row *row, const struct bb_dictionary *dictionary)
{
    return (struct bb_span_ref){
        .start_unix_ns = row->start_unix_ns,
        .bytes = row->bytes,
        .kind = bb_dictionary_operation(dictionary, row->operation_code).kind,
    };
}

static enum bb_err shred_page(struct sealing *sealing, uint32_t first, uint32_t end,
                              const struct bb_dictionary *dictionary)
{
    struct bb_shredder *shredder = sealing->shredder;
    struct page_plan *page = &sealing->pages[sealing->page_count++];

    for (uint32_t i = first; i < end; i++) {
        struct bb_span_ref span = span_of(sealing->rows[i], dictionary);
        enum bb_err err = bb_shred_span(shredder, &span, &sealing->shapes[i]);
        if (err != BB_OK) {
            return err;
        }
    }
    page->row_count = end - first;
    page->column_count = shredder->columns.count;
    page->end_values =
        bb_arena_try_alloc(&sealing->arena, page->column_count * sizeof *page->end_values);
    if (page->end_values == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t column = 0; column < page->column_count; column++) {
        page->end_values[column] = shredder->vectors[column].count;
    }
    return BB_OK;
}

/* Takes all rows apart, page after page. */
static enum bb_err shred_rows(struct sealing *sealing, const struct bb_dictionary *dictionary)
{
    uint32_t page_count = 0;
    enum bb_err err = BB_OK;

    for (uint32_t first = 0; first < sealing->row_count;) {
        uint32_t end = block_end(sealing, first);
        while (first < end) {
            first = page_end(sealing, first, end);
            page_count++;
        }
    }
    sealing->shredder = bb_arena_try_alloc(&sealing->arena, sizeof *sealing->shredder);
    sealing->pages = bb_arena_try_calloc(&sealing->arena, page_count, sizeof *sealing->pages);
    sealing->shapes =
        bb_arena_try_alloc(&sealing->arena, sealing->row_count * sizeof *sealing->shapes);
    if (sealing->shredder == NULL || sealing->pages == NULL || sealing->shapes == NULL) {
        sealing->shredder = NULL;
        return BB_ENOMEM;
    }
    err = bb_shredder_init(sealing->shredder, &sealing->arena);
    for (uint32_t first = 0; first < sealing->row_count && err == BB_OK;) {
        uint32_t end = block_end(sealing, first);
        while (first < end && err == BB_OK) {
            uint32_t next = page_end(sealing, first, end);
            err = shred_page(sealing, first, next, dictionary);
            first = next;
        }
    }
    if (err == BB_OK) {
        err = bb_plan_columns(sealing->shredder, &sealing->arena, &sealing->plans);
    }
    return err;
}

/* Compresses sealing->plain and puts it at that place. */
static enum bb_err put_frame(struct sealing *sealing, uint32_t block, uint32_t page)
{
    uint8_t key[BB_BLOCK_KEY_SIZE];

    bb_buf_clear(&sealing->value);
    enum bb_err err = bb_buf_err(&sealing->plain);
    if (err == BB_OK) {
        err = bb_zstd_compress(bb_buf_slice(&sealing->plain), &sealing->value);
    }
    if (err == BB_OK) {
        bb_block_key(sealing->segment, block, page, key);
        bb_kv_writes_put(sealing->kv, sealing->writes, BB_KV_BLOCKS, bb_slice_of(key, sizeof key),
                         bb_buf_slice(&sealing->value));
    }
    bb_buf_clear(&sealing->plain);
    return err;
}

/* Page `index` of the segment, whose first row is `first_row`, as page `page` of `block`. */
static enum bb_err put_page(struct sealing *sealing, uint32_t index, uint32_t first_row,
                            uint32_t block, uint32_t page)
{
    uint32_t column_count = sealing->shredder->columns.count;
    const struct page_plan *plan = &sealing->pages[index];
    struct bb_arena scratch;

    bb_arena_init(&scratch, (size_t)BB_COLUMNS_MAX * 16);
    uint32_t *first = bb_arena_try_calloc(&scratch, column_count, sizeof *first);
    uint32_t *end = bb_arena_try_calloc(&scratch, column_count, sizeof *end);
    enum bb_err err = first == NULL || end == NULL ? BB_ENOMEM : BB_OK;
    if (err == BB_OK) {
        memcpy(end, plan->end_values, plan->column_count * sizeof *end);
        if (index > 0) {
            const struct page_plan *before = &sealing->pages[index - 1];
            memcpy(first, before->end_values, before->column_count * sizeof *first);
        }
        bb_page_encode(sealing->shredder, sealing->plans, sealing->shapes + first_row,
                       plan->row_count, first, end, &sealing->plain);
        err = put_frame(sealing, block, page);
    }
    bb_arena_dispose(&scratch);
    return err;
}

/* One block from row `first` on; `*page_index` is the segment's page that it begins with. */
static enum bb_err put_block(struct sealing *sealing, uint32_t block, uint32_t first, uint32_t end,
                             uint32_t *page_index)
{
    uint32_t page_rows[BB_BLOCK_SPANS_MAX];
    uint32_t page_count = 0;
    enum bb_err err = BB_OK;

    for (uint32_t row = first; row < end && err == BB_OK; page_count++) {
        page_rows[page_count] = sealing->pages[*page_index].row_count;
        err = put_page(sealing, *page_index, row, block, page_count + 1);
        row += page_rows[page_count];
        (*page_index)++;
    }
    if (err == BB_OK) {
        bb_block_encode_columns(sealing->rows + first, end - first, page_rows, page_count,
                                &sealing->plain);
        err = put_frame(sealing, block, 0);
    }
    return err;
}

static enum bb_err put_blocks(struct sealing *sealing, struct bb_sealed_segment *sealed)
{
    uint32_t capacity = 0;
    uint32_t page_index = 0;
    enum bb_err err = BB_OK;

    for (uint32_t first = 0; first < sealing->row_count; first = block_end(sealing, first)) {
        capacity++;
    }
    sealed->blocks = bb_arena_try_calloc(&sealing->arena, capacity, sizeof *sealed->blocks);
    if (sealed->blocks == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t first = 0; first < sealing->row_count && err == BB_OK;) {
        uint32_t end = block_end(sealing, first);
        struct bb_block_summary *block = &sealed->blocks[sealed->block_count];
        block->row_count = end - first;
        block->first_trace_id = sealing->rows[first]->trace_id;
        block->last_trace_id = sealing->rows[end - 1]->trace_id;
        for (uint32_t i = first; i < end; i++) {
            bb_row_bounds_add(&block->bounds, i == first, sealing->rows[i]);
        }
        err = put_block(sealing, sealed->block_count++, first, end, &page_index);
        first = end;
    }
    sealed->row_count = sealing->row_count;
    return err;
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
    struct bb_sealed_segment sealed = {.segment = sealing->segment};

    sealing->row_count = bb_active_row_count(unsealed->segment);
    enum bb_err err =
        sort_rows(unsealed->segment, sealing->row_count, &sealing->arena, &sealing->rows);
    if (err == BB_OK) {
        err = shred_rows(sealing, dictionary);
    }
    if (err == BB_OK) {
        err = put_blocks(sealing, &sealed);
    }
    if (err == BB_OK) {
        bb_buf_clear(&sealing->value);
        bb_segment_summary_encode(&sealed, &sealing->value);
        err = bb_buf_err(&sealing->value);
    }
    if (err == BB_OK) {
        put_index(sealing, BB_INDEX_SUMMARY, bb_buf_slice(&sealing->value));
        bb_buf_clear(&sealing->value);
        err = bb_dictionary_encode(dictionary, sealing->shredder, sealing->plans, &sealing->value);
    }
    if (err == BB_OK) {
        put_index(sealing, BB_INDEX_DICTIONARY, bb_buf_slice(&sealing->value));
        err = put_filter(sealing, sealing->rows, sealing->row_count);
    }
    if (err == BB_OK) {
        delete_log(sealing, unsealed);
    }
    return err;
}

enum bb_err bb_seal_segment(struct bb_partition *partition, struct bb_unsealed *unsealed, bool sync,
                            struct bb_err_detail *detail)
{
    struct sealing sealing = {.kv = partition->kv, .segment = unsealed->number};
    struct bb_sealed_segment *sealed = NULL;

    BB_ASSERT(unsealed->log_end != UINT64_MAX);
    bb_arena_init(&sealing.arena, SCRATCH_BYTES_MAX);
    bb_buf_init(&sealing.plain, BB_FRAME_PLAIN_BYTES_MAX);
    bb_buf_init(&sealing.value, 2 * (size_t)BB_FRAME_PLAIN_BYTES_MAX);

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

    bb_shredder_dispose(sealing.shredder);
    bb_buf_dispose(&sealing.plain);
    bb_kv_writes_free(sealing.writes);
    bb_buf_dispose(&sealing.value);
    bb_arena_dispose(&sealing.arena);
    return err;
}
