#include "query/span_index.h"

#include <stdlib.h>
#include <string.h>

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, BB_SPAN_ID_SIZE);
}

enum bb_err bb_span_index_build(const struct bb_span_batch *batch, struct bb_arena *arena,
                                struct bb_span_index *out_index)
{
    struct bb_span_id *ids = bb_arena_try_calloc(arena, batch->span_count, sizeof(*ids));

    if (ids == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        ids[i] = batch->spans[i].span_id;
    }
    qsort(ids, batch->span_count, sizeof(*ids), compare_ids);
    *out_index = (struct bb_span_index){.ids = ids, .count = batch->span_count};
    return BB_OK;
}

/* The place of the first id that isn't before `id`. */
static uint32_t lower_bound(const struct bb_span_index *index, const struct bb_span_id *id)
{
    uint32_t low = 0;
    uint32_t high = index->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_ids(&index->ids[middle], id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t bb_span_index_count(const struct bb_span_index *index, const struct bb_span_id *id)
{
    uint32_t first = lower_bound(index, id);
    uint32_t end = first;

    while (end < index->count && bb_span_id_equals(&index->ids[end], id)) {
        end++;
    }
    return end - first;
}

bool bb_span_index_is_orphan(const struct bb_span_index *index, const struct bb_span_ref *span)
{
    if (bb_span_id_is_zero(&span->parent_span_id)) {
        return false;
    }
    uint32_t at = lower_bound(index, &span->parent_span_id);
    return at == index->count || !bb_span_id_equals(&index->ids[at], &span->parent_span_id);
}
