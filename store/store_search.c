/*
 * store_search.c - the newest or slowest traces with a span that matches, exactly.
 *
 * Everything that can be skipped has a bound on its key (latest start, longest duration): a
 * partition that is sealed, a segment, a block. They are visited from the largest bound down, and
 * once N traces are found, whatever can't reach the N-th is skipped:
 *
 *   1. partitions, by bound descending; an active one counts as unbounded;
 *   2. in a partition: segments, unsealed ones first, then sealed ones by bound descending;
 *   3. in a sealed segment: blocks by bound descending.
 */
#include <stdlib.h>

#include "store/span_match.h"
#include "store/store_internal.h"
#include "store/top_traces.h"

/* Rows between two looks at whether the asker is still there. */
#define CHECK_ROWS 4096u

struct searching {
    const struct bb_search *search;
    struct bb_query_ctl *ctl;
    struct bb_top_traces top;
    struct bb_buf text; /* scratch of the matcher */
};

/* Something to visit: its index and the bound of its keys. */
struct visit {
    uint64_t bound;
    uint32_t index;
};

static uint64_t bound_of(const struct bb_search *search, const struct bb_row_bounds *bounds)
{
    return search->order == BB_ORDER_NEWEST ? bounds->start_unix_ns_max : bounds->duration_ns_max;
}

static uint64_t key_of(const struct bb_search *search, const struct bb_row *row)
{
    return search->order == BB_ORDER_NEWEST ? row->start_unix_ns : bb_row_duration_ns(row);
}

/* Can rows within `bounds` be among the best, and inside the search's own bounds? */
static bool is_worth_it(const struct searching *searching, const struct bb_row_bounds *bounds)
{
    const struct bb_search *search = searching->search;

    if (bounds->start_unix_ns_max < search->start_unix_ns_min ||
        bounds->duration_ns_max < search->duration_ns_min ||
        (search->start_unix_ns_max != 0 && bounds->start_unix_ns_min > search->start_unix_ns_max)) {
        return false;
    }
    return bb_top_traces_wants(&searching->top, bound_of(search, bounds));
}

static int by_bound_descending(const void *a, const void *b)
{
    const struct visit *left = a;
    const struct visit *right = b;

    if (left->bound != right->bound) {
        return left->bound > right->bound ? -1 : 1;
    }
    return left->index > right->index ? -1 : left->index < right->index;
}

static enum bb_err search_active(struct searching *searching, struct bb_active_segment *segment,
                                 struct bb_arena *arena)
{
    uint32_t row_count = bb_active_row_count(segment); /* before the dictionary is looked at */
    struct bb_matcher matcher;

    struct bb_row_bounds bounds = bb_active_bounds(segment);
    if (row_count == 0 || !is_worth_it(searching, &bounds)) {
        return BB_OK;
    }
    enum bb_err err = bb_matcher_init(&matcher, searching->search, bb_active_dictionary(segment),
                                      &searching->text, arena);
    if (err != BB_OK || !matcher.can_match) {
        return err;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        const struct bb_row *row = bb_active_row(segment, i);
        uint64_t key = key_of(searching->search, row);
        if (i % CHECK_ROWS == 0) {
            err = bb_query_check(searching->ctl);
            if (err != BB_OK) {
                return err;
            }
        }
        if (bb_top_traces_wants(&searching->top, key) && bb_matcher_columns_match(&matcher, row) &&
            (!matcher.needs_bytes || bb_matcher_bytes_match(&matcher, row))) {
            bb_top_traces_add(&searching->top, &row->trace_id, key);
        }
    }
    return BB_OK;
}

/* Loads the messages of the page that row `row` lies in, unless they are there. */
static enum bb_err load_page(struct searching *searching, struct bb_partition *partition,
                             const struct bb_sealed_segment *segment, uint32_t index,
                             const struct bb_dictionary *dictionary, uint32_t row,
                             struct bb_arena *arena, struct bb_block *block)
{
    bool is_there = false;

    if (block->rows[row].bytes.data != NULL) {
        return BB_OK;
    }
    uint32_t page = bb_block_page_of(block, row);
    return bb_read_rows(partition, segment, index, page, block->page_first_rows[page],
                        block->page_first_rows[page + 1], dictionary, searching->ctl, arena, block,
                        &is_there);
}

static enum bb_err search_block(struct searching *searching, struct bb_partition *partition,
                                const struct bb_sealed_segment *segment, uint32_t index,
                                const struct bb_matcher *matcher, struct bb_arena *arena)
{
    struct bb_block block;
    bool is_there = false;

    enum bb_err err = bb_read_block(partition, segment, index, matcher->dictionary, searching->ctl,
                                    arena, &block, &is_there);
    for (uint32_t i = 0; err == BB_OK && is_there && i < block.row_count; i++) {
        const struct bb_row *row = &block.rows[i];
        uint64_t key = key_of(searching->search, row);
        if (!bb_top_traces_wants(&searching->top, key) || !bb_matcher_columns_match(matcher, row)) {
            continue;
        }
        if (matcher->needs_bytes) {
            err = load_page(searching, partition, segment, index, matcher->dictionary, i, arena,
                            &block);
            if (err != BB_OK || row->bytes.data == NULL || !bb_matcher_bytes_match(matcher, row)) {
                continue;
            }
        }
        bb_top_traces_add(&searching->top, &row->trace_id, key);
    }
    return err;
}

static enum bb_err search_blocks(struct searching *searching, struct bb_partition *partition,
                                 const struct bb_sealed_segment *segment,
                                 const struct bb_matcher *matcher, struct bb_arena *arena)
{
    struct visit *visits = bb_arena_try_alloc(arena, segment->block_count * sizeof *visits);
    enum bb_err err = visits == NULL ? BB_ENOMEM : BB_OK;

    for (uint32_t i = 0; i < segment->block_count && err == BB_OK; i++) {
        visits[i] = (struct visit){.bound = bound_of(searching->search, &segment->blocks[i].bounds),
                                   .index = i};
    }
    if (err == BB_OK) {
        qsort(visits, segment->block_count, sizeof *visits, by_bound_descending);
    }
    for (uint32_t i = 0; i < segment->block_count && err == BB_OK; i++) {
        uint32_t index = visits[i].index;
        struct bb_arena scratch;
        if (!is_worth_it(searching, &segment->blocks[index].bounds)) {
            continue;
        }
        err = bb_query_check(searching->ctl);
        if (err == BB_OK) {
            bb_arena_init(&scratch, BB_SCAN_ARENA_BYTES_MAX);
            err = search_block(searching, partition, segment, index, matcher, &scratch);
            bb_arena_dispose(&scratch);
            bb_top_traces_cut(&searching->top);
        }
    }
    return err;
}

static enum bb_err search_sealed(struct searching *searching, struct bb_partition *partition,
                                 const struct bb_sealed_segment *segment)
{
    struct bb_dictionary *dictionary = NULL;
    struct bb_matcher matcher;
    struct bb_arena arena;
    bool is_there = false;

    bb_arena_init(&arena, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err =
        bb_read_dictionary(partition, segment, searching->ctl, &arena, &dictionary, &is_there);
    if (err == BB_OK && is_there) {
        err = bb_matcher_init(&matcher, searching->search, dictionary, &searching->text, &arena);
        if (err == BB_OK && matcher.can_match) {
            err = search_blocks(searching, partition, segment, &matcher, &arena);
        }
    }
    bb_arena_dispose(&arena);
    return err;
}

static enum bb_err search_list(struct searching *searching, const struct bb_segment_list *list,
                               struct bb_arena *arena)
{
    struct visit *visits = bb_arena_try_alloc(arena, list->sealed_count * sizeof *visits);
    enum bb_err err = visits == NULL ? BB_ENOMEM : BB_OK;

    for (uint32_t i = list->unsealed_count; i-- > 0 && err == BB_OK;) {
        struct bb_arena scratch;
        bb_arena_init(&scratch, BB_SCAN_ARENA_BYTES_MAX);
        err = search_active(searching, list->unsealed[i]->segment, &scratch);
        bb_arena_dispose(&scratch);
        bb_top_traces_cut(&searching->top);
    }
    for (uint32_t i = 0; i < list->sealed_count && err == BB_OK; i++) {
        visits[i] = (struct visit){.bound = bound_of(searching->search, &list->sealed[i]->bounds),
                                   .index = i};
    }
    if (err == BB_OK) {
        qsort(visits, list->sealed_count, sizeof *visits, by_bound_descending);
    }
    for (uint32_t i = 0; i < list->sealed_count && err == BB_OK; i++) {
        const struct bb_sealed_segment *segment = list->sealed[visits[i].index];
        if (is_worth_it(searching, &segment->bounds)) {
            err = search_sealed(searching, list->partition, segment);
            bb_top_traces_cut(&searching->top);
        }
    }
    return err;
}

static enum bb_err search_partition(struct searching *searching, struct bb_view *view,
                                    uint32_t index)
{
    struct bb_segment_list *list = NULL;
    struct bb_arena arena;

    enum bb_err err = bb_view_list(view, index, searching->ctl, &list);
    if (err != BB_OK || list == NULL) {
        return err;
    }
    bb_arena_init(&arena, BB_SCAN_ARENA_BYTES_MAX);
    err = search_list(searching, list, &arena);
    bb_arena_dispose(&arena);
    bb_segment_list_release(list);
    return err;
}

static enum bb_err search_view(struct searching *searching, struct bb_view *view,
                               struct bb_arena *arena)
{
    struct visit *visits = bb_arena_try_alloc(arena, view->partition_count * sizeof *visits);

    if (visits == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < view->partition_count; i++) {
        const struct bb_partition *partition = view->partitions[i];
        visits[i] = (struct visit){.bound = UINT64_MAX, .index = i};
        if (atomic_load(&partition->is_sealed)) {
            visits[i].bound = bound_of(searching->search, &partition->summary.bounds);
        }
    }
    qsort(visits, view->partition_count, sizeof *visits, by_bound_descending);
    for (uint32_t i = 0; i < view->partition_count; i++) {
        const struct bb_partition *partition = view->partitions[visits[i].index];
        if (atomic_load(&partition->is_sealed) &&
            (partition->summary.row_count == 0 ||
             !is_worth_it(searching, &partition->summary.bounds))) {
            continue;
        }
        enum bb_err err = search_partition(searching, view, visits[i].index);
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

enum bb_err bb_store_search(struct bb_store *store, const struct bb_search *search,
                            struct bb_query_ctl *ctl, struct bb_arena *arena,
                            struct bb_search_result *out_result)
{
    struct searching searching = {.search = search, .ctl = ctl};
    struct bb_view view = {.partition_count = 0};

    bb_buf_init(&searching.text, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err = bb_top_traces_init(&searching.top, search->limit, arena);
    if (err == BB_OK) {
        err = bb_view_open(store, ctl, arena, &view);
    }
    if (err == BB_OK) {
        err = search_view(&searching, &view, arena);
    }
    if (err == BB_ETOOBIG) {
        bb_query_lacks(ctl, "the query's budget of %llu bytes read is used up",
                       (unsigned long long)ctl->read_bytes_max);
        err = BB_OK;
    }
    bb_view_close(&view);
    bb_buf_dispose(&searching.text);
    if (err == BB_OK) {
        bb_top_traces_cut(&searching.top);
        *out_result = (struct bb_search_result){.hits = searching.top.hits,
                                                .hit_count = searching.top.hit_count};
    }
    return err;
}
