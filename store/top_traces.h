/*
 * top_traces.h - the best N traces of a search, each by the best key among its matching spans.
 *
 * Hits are gathered until there are four times N, then cut back to the best N, the worst of which
 * is from then on the bar that a hit must reach. A trace may be cut and come back with a better
 * key, which is all that counts of it: so the result is exact with memory for 4 N.
 */
#ifndef BB_STORE_TOP_TRACES_H
#define BB_STORE_TOP_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "store/store.h"

struct bb_top_traces {
    struct bb_search_hit *hits; /* in the arena */
    uint32_t hit_count;
    uint32_t capacity;
    uint32_t limit;
    uint64_t bar; /* no hit with a smaller key is among the best */
    bool has_bar;
};

/* BB_ENOMEM */
BB_MUST_CHECK enum bb_err bb_top_traces_init(struct bb_top_traces *top, uint32_t limit,
                                             struct bb_arena *arena);

static inline bool bb_top_traces_wants(const struct bb_top_traces *top, uint64_t key)
{
    return !top->has_bar || key >= top->bar;
}

void bb_top_traces_add(struct bb_top_traces *top, const struct bb_trace_id *trace_id, uint64_t key);

/* Brings the bar up to date: between two segments, so that the next may be skipped. */
void bb_top_traces_cut(struct bb_top_traces *top);

#endif /* BB_STORE_TOP_TRACES_H */
