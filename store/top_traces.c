#include "store/top_traces.h"

#include <stdlib.h>

enum bb_err bb_top_traces_init(struct bb_top_traces *top, uint32_t limit, struct bb_arena *arena)
{
    BB_ASSERT(limit > 0);
    *top = (struct bb_top_traces){.limit = limit, .capacity = 4 * limit + 1024};
    top->hits = bb_arena_try_alloc(arena, top->capacity * sizeof *top->hits);
    return top->hits == NULL ? BB_ENOMEM : BB_OK;
}

static int by_trace_then_key(const void *a, const void *b)
{
    const struct bb_search_hit *left = a;
    const struct bb_search_hit *right = b;
    int order = bb_trace_id_compare(&left->trace_id, &right->trace_id);

    if (order != 0) {
        return order;
    }
    return left->key > right->key ? -1 : left->key < right->key;
}

static int by_key_then_trace(const void *a, const void *b)
{
    const struct bb_search_hit *left = a;
    const struct bb_search_hit *right = b;

    if (left->key != right->key) {
        return left->key > right->key ? -1 : 1;
    }
    return bb_trace_id_compare(&left->trace_id, &right->trace_id);
}

void bb_top_traces_cut(struct bb_top_traces *top)
{
    uint32_t kept = 0;

    qsort(top->hits, top->hit_count, sizeof *top->hits, by_trace_then_key);
    for (uint32_t i = 0; i < top->hit_count; i++) {
        if (kept == 0 ||
            !bb_trace_id_equals(&top->hits[kept - 1].trace_id, &top->hits[i].trace_id)) {
            top->hits[kept++] = top->hits[i];
        }
    }
    qsort(top->hits, kept, sizeof *top->hits, by_key_then_trace);
    if (kept >= top->limit) {
        kept = top->limit;
        top->has_bar = true;
        top->bar = top->hits[kept - 1].key;
    }
    top->hit_count = kept;
}

void bb_top_traces_add(struct bb_top_traces *top, const struct bb_trace_id *trace_id, uint64_t key)
{
    if (!bb_top_traces_wants(top, key)) {
        return;
    }
    /* Spans of a trace come one after another in a block. */
    if (top->hit_count > 0) {
        struct bb_search_hit *last = &top->hits[top->hit_count - 1];
        if (bb_trace_id_equals(&last->trace_id, trace_id)) {
            last->key = key > last->key ? key : last->key;
            return;
        }
    }
    if (top->hit_count == top->capacity) {
        bb_top_traces_cut(top);
    }
    top->hits[top->hit_count++] = (struct bb_search_hit){.trace_id = *trace_id, .key = key};
}
