#include "query/span_groups.h"

#include <stdlib.h>

struct place {
    uint32_t resource_index;
    uint32_t scope_index;
    uint32_t span_index;
};

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    int order = compare_u32(left->resource_index, right->resource_index);

    if (order == 0) {
        order = compare_u32(left->scope_index, right->scope_index);
    }
    return order != 0 ? order : compare_u32(left->span_index, right->span_index);
}

enum bb_err bb_span_groups_sort(const struct bb_span_batch *batch, struct bb_arena *arena,
                                struct bb_span_batch *out_batch)
{
    struct place *places = bb_arena_try_calloc(arena, batch->span_count, sizeof(*places));
    struct bb_span_ref *spans = bb_arena_try_calloc(arena, batch->span_count, sizeof(*spans));

    if (places == NULL || spans == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        places[i] = (struct place){
            .resource_index = batch->spans[i].resource_index,
            .scope_index = batch->spans[i].scope_index,
            .span_index = i,
        };
    }
    qsort(places, batch->span_count, sizeof(*places), compare_places);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        spans[i] = batch->spans[places[i].span_index];
    }
    *out_batch = *batch;
    out_batch->spans = spans;
    return BB_OK;
}
