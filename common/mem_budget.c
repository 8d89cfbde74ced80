#include "common/mem_budget.h"

#include "common/check.h"

void bb_mem_budget_init(struct bb_mem_budget *budget, size_t limit_bytes, enum bb_metric metric)
{
    atomic_init(&budget->used_bytes, 0);
    budget->limit_bytes = limit_bytes;
    budget->metric = metric;
    bb_metric_set(metric, 0);
}

bool bb_mem_budget_try_take(struct bb_mem_budget *budget, size_t size)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);

    do {
        if (size > budget->limit_bytes || used > budget->limit_bytes - size) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    bb_metric_add(budget->metric, (int64_t)size);
    return true;
}

void bb_mem_budget_give(struct bb_mem_budget *budget, size_t size)
{
    size_t used = atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);

    BB_ASSERT(used >= size);
    bb_metric_add(budget->metric, -(int64_t)size);
}
