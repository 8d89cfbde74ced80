/*
 * trace_fetch.c - a trace by its id, whatever its age and wherever its spans lie.
 *
 * Every segment is asked: an unsealed one has a table, a sealed one a filter, which says no to
 * nearly all that don't hold the trace, and then block bounds, which leave one block to read.
 * What is found is copied into the caller's arena, since segments come and go.
 */
#include <stdlib.h>

#include "common/otlp_walk.h"
#include "store/store_internal.h"
#include "store/trace_filter.h"

/* A span of the trace, with codes of the trace's own tables. */
struct found_span {
    struct bb_span_ref span;
    struct found_span *next;
};

struct fetching {
    const struct bb_trace_id *trace_id;
    struct bb_query_ctl *ctl;
    struct bb_arena *arena;            /* the caller's */
    struct bb_intern_table *resources; /* entries as in a dictionary */
    struct bb_intern_table *scopes;
    struct found_span *spans;
    uint32_t span_count;
};

static enum bb_err add_span(struct fetching *fetching, const struct bb_row *row,
                            const struct bb_dictionary *dictionary)
{
    struct found_span *found = bb_arena_try_alloc(fetching->arena, sizeof *found);
    struct bb_operation_entry operation = bb_dictionary_operation(dictionary, row->operation_code);
    uint32_t resource_index = 0;
    uint32_t scope_index = 0;

    if (found == NULL) {
        return BB_ENOMEM;
    }
    enum bb_err err =
        bb_intern_add(fetching->resources,
                      bb_intern_get(&dictionary->resources, row->resource_code), &resource_index);
    if (err == BB_OK) {
        err = bb_intern_add(fetching->scopes, bb_intern_get(&dictionary->scopes, row->scope_code),
                            &scope_index);
    }
    if (err != BB_OK) {
        return err;
    }
    struct bb_slice bytes = bb_arena_try_copy(fetching->arena, row->bytes);
    struct bb_slice name = bb_arena_try_copy(fetching->arena, operation.name);
    if (bytes.data == NULL || name.data == NULL) {
        return BB_ENOMEM;
    }
    *found = (struct found_span){
        .span = {.trace_id = row->trace_id,
                 .span_id = row->span_id,
                 .parent_span_id = row->parent_span_id,
                 .start_unix_ns = row->start_unix_ns,
                 .end_unix_ns = row->end_unix_ns,
                 .name = name,
                 .bytes = bytes,
                 .resource_index = resource_index,
                 .scope_index = scope_index,
                 .kind = operation.kind,
                 .status_code = row->status_code},
        .next = fetching->spans,
    };
    fetching->spans = found;
    fetching->span_count++;
    return BB_OK;
}

static enum bb_err fetch_active(struct fetching *fetching, struct bb_active_segment *segment)
{
    uint32_t row_count = bb_active_row_count(segment);
    const struct bb_dictionary *dictionary = bb_active_dictionary(segment);
    enum bb_err err = BB_OK;

    for (uint32_t i = bb_active_find_trace(segment, fetching->trace_id, row_count);
         i != BB_NO_ROW && err == BB_OK; i = bb_active_row(segment, i)->previous_in_trace) {
        err = add_span(fetching, bb_active_row(segment, i), dictionary);
    }
    return err;
}

static enum bb_err fetch_block(struct fetching *fetching, struct bb_partition *partition,
                               const struct bb_sealed_segment *segment, uint32_t index,
                               const struct bb_dictionary *dictionary, struct bb_arena *scratch)
{
    struct bb_block block;
    bool is_there = false;

    enum bb_err err = bb_read_block(partition, segment, index, dictionary, fetching->ctl, scratch,
                                    &block, &is_there);
    if (err != BB_OK || !is_there) {
        return err;
    }
    uint32_t first = 0;
    while (first < block.row_count &&
           !bb_trace_id_equals(&block.rows[first].trace_id, fetching->trace_id)) {
        first++;
    }
    uint32_t end = first; /* rows of a trace stand together */
    while (end < block.row_count &&
           bb_trace_id_equals(&block.rows[end].trace_id, fetching->trace_id)) {
        end++;
    }
    for (uint32_t i = first; i < end && err == BB_OK;) {
        uint32_t page = bb_block_page_of(&block, i);
        uint32_t page_end = block.page_first_rows[page + 1];
        bool has_page = false;
        page_end = page_end < end ? page_end : end;
        err = bb_read_rows(partition, segment, index, page, i, page_end, dictionary, fetching->ctl,
                           scratch, &block, &has_page);
        for (; i < page_end && err == BB_OK; i++) {
            err = has_page ? add_span(fetching, &block.rows[i], dictionary) : BB_OK;
        }
    }
    return err;
}

static enum bb_err fetch_sealed(struct fetching *fetching, struct bb_partition *partition,
                                const struct bb_sealed_segment *segment)
{
    struct bb_dictionary *dictionary = NULL;
    struct bb_arena scratch;
    bool is_there = false;
    uint32_t first = 0;
    uint32_t end = 0;

    if (!bb_trace_filter_may_hold(segment->filter, fetching->trace_id)) {
        return BB_OK;
    }
    bb_segment_find_blocks(segment, fetching->trace_id, &first, &end);
    if (first == end) {
        return BB_OK;
    }
    bb_arena_init(&scratch, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err =
        bb_read_dictionary(partition, segment, fetching->ctl, &scratch, &dictionary, &is_there);
    for (uint32_t i = first; i < end && err == BB_OK && is_there; i++) {
        struct bb_arena block_scratch;
        bb_arena_init(&block_scratch, BB_SCAN_ARENA_BYTES_MAX);
        err = fetch_block(fetching, partition, segment, i, dictionary, &block_scratch);
        bb_arena_dispose(&block_scratch);
    }
    bb_arena_dispose(&scratch);
    return err;
}

static enum bb_err fetch_list(struct fetching *fetching, const struct bb_segment_list *list)
{
    enum bb_err err = bb_query_check(fetching->ctl);

    for (uint32_t i = 0; i < list->unsealed_count && err == BB_OK; i++) {
        err = fetch_active(fetching, list->unsealed[i]->segment);
    }
    for (uint32_t i = 0; i < list->sealed_count && err == BB_OK; i++) {
        err = fetch_sealed(fetching, list->partition, list->sealed[i]);
    }
    return err;
}

static enum bb_err fetch_view(struct fetching *fetching, struct bb_view *view)
{
    enum bb_err err = BB_OK;

    for (uint32_t i = 0; i < view->partition_count && err == BB_OK; i++) {
        struct bb_segment_list *list = NULL;
        err = bb_view_list(view, i, fetching->ctl, &list);
        if (err == BB_OK && list != NULL) {
            err = fetch_list(fetching, list);
        }
        bb_segment_list_release(list);
    }
    return err;
}

/* By start, then span id; then by content, so that copies of a span stand together. */
static int compare_spans(const void *a, const void *b)
{
    const struct bb_span_ref *left = a;
    const struct bb_span_ref *right = b;

    if (left->start_unix_ns != right->start_unix_ns) {
        return left->start_unix_ns < right->start_unix_ns ? -1 : 1;
    }
    int order = memcmp(left->span_id.bytes, right->span_id.bytes, BB_SPAN_ID_SIZE);
    if (order != 0) {
        return order;
    }
    order = bb_slice_compare(left->bytes, right->bytes);
    if (order != 0) {
        return order;
    }
    if (left->resource_index != right->resource_index) {
        return left->resource_index < right->resource_index ? -1 : 1;
    }
    return left->scope_index < right->scope_index ? -1 : left->scope_index > right->scope_index;
}

/* Sorts, and leaves one of each group of copies. */
static enum bb_err put_spans(struct fetching *fetching, struct bb_span_batch *batch)
{
    uint32_t kept = 0;

    batch->spans = bb_arena_try_alloc(fetching->arena, fetching->span_count * sizeof *batch->spans);
    if (batch->spans == NULL) {
        return BB_ENOMEM;
    }
    for (const struct found_span *found = fetching->spans; found != NULL; found = found->next) {
        batch->spans[batch->span_count++] = found->span;
    }
    qsort(batch->spans, batch->span_count, sizeof *batch->spans, compare_spans);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        if (kept == 0 || compare_spans(&batch->spans[kept - 1], &batch->spans[i]) != 0) {
            batch->spans[kept++] = batch->spans[i];
        }
    }
    batch->span_count = kept;
    return BB_OK;
}

static enum bb_err put_owners(struct fetching *fetching, struct bb_span_batch *batch)
{
    /* The tables hold entries of a dictionary's form. */
    struct bb_dictionary *dictionary = bb_arena_try_alloc(fetching->arena, sizeof *dictionary);

    batch->resource_count = fetching->resources->count;
    batch->scope_count = fetching->scopes->count;
    batch->resources =
        bb_arena_try_alloc(fetching->arena, batch->resource_count * sizeof *batch->resources);
    batch->scopes = bb_arena_try_alloc(fetching->arena, batch->scope_count * sizeof *batch->scopes);
    if (dictionary == NULL || batch->resources == NULL || batch->scopes == NULL) {
        return BB_ENOMEM;
    }
    dictionary->resources = *fetching->resources;
    dictionary->scopes = *fetching->scopes;
    for (uint32_t i = 0; i < batch->resource_count; i++) {
        batch->resources[i] = bb_dictionary_resource(dictionary, i);
        batch->resources[i].service_name = bb_otlp_service_name(batch->resources[i].bytes);
    }
    for (uint32_t i = 0; i < batch->scope_count; i++) {
        batch->scopes[i] = bb_dictionary_scope(dictionary, i);
    }
    return BB_OK;
}

static enum bb_err init_tables(struct fetching *fetching)
{
    fetching->resources = bb_arena_try_alloc(fetching->arena, sizeof *fetching->resources);
    fetching->scopes = bb_arena_try_alloc(fetching->arena, sizeof *fetching->scopes);
    if (fetching->resources == NULL || fetching->scopes == NULL) {
        return BB_ENOMEM;
    }
    bb_intern_init(fetching->resources, fetching->arena);
    bb_intern_init(fetching->scopes, fetching->arena);
    return BB_OK;
}

enum bb_err bb_store_find_trace(struct bb_store *store, const struct bb_trace_id *trace_id,
                                struct bb_query_ctl *ctl, struct bb_arena *arena,
                                struct bb_trace *out_trace)
{
    struct fetching fetching = {.trace_id = trace_id, .ctl = ctl, .arena = arena};
    struct bb_trace trace = {.trace_id = *trace_id};
    struct bb_view view = {.partition_count = 0};

    enum bb_err err = init_tables(&fetching);
    if (err == BB_OK) {
        err = bb_view_open(store, ctl, arena, &view);
    }
    if (err == BB_OK) {
        err = fetch_view(&fetching, &view);
    }
    bb_view_close(&view);
    if (err == BB_OK && fetching.span_count == 0) {
        err = BB_ENOTFOUND;
    }
    if (err == BB_OK) {
        err = put_spans(&fetching, &trace.batch);
    }
    if (err == BB_OK) {
        err = put_owners(&fetching, &trace.batch);
    }
    if (err == BB_OK) {
        *out_trace = trace;
    }
    return err;
}
