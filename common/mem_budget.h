/*
 * mem_budget.h - an amount of memory that several threads share: take before asking for memory,
 * give back when it is freed. Lock-free. A share that is used up makes its owner answer "retry
 * later"; it never makes anyone wait.
 */
#ifndef BB_COMMON_MEM_BUDGET_H
#define BB_COMMON_MEM_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/metrics.h"

struct bb_mem_budget {
    atomic_size_t used_bytes;
    size_t limit_bytes;    /* constant after init */
    enum bb_metric metric; /* gauge that follows used_bytes */
};

void bb_mem_budget_init(struct bb_mem_budget *budget, size_t limit_bytes, enum bb_metric metric);

/* False, and nothing taken, when `size` more would pass the limit. One taker alone may always go
 * up to the whole limit. */
BB_MUST_CHECK bool bb_mem_budget_try_take(struct bb_mem_budget *budget, size_t size);

void bb_mem_budget_give(struct bb_mem_budget *budget, size_t size);

#endif /* BB_COMMON_MEM_BUDGET_H */
