#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mem_budget.h"

#define METRIC BB_M_MEMORY_QUERY_BYTES

static void takes_up_to_the_limit_and_not_a_byte_more(void **state)
{
    struct bb_mem_budget budget;

    (void)state;
    bb_mem_budget_init(&budget, 100, METRIC);
    assert_true(bb_mem_budget_try_take(&budget, 60));
    assert_false(bb_mem_budget_try_take(&budget, 41));
    assert_true(bb_mem_budget_try_take(&budget, 40));
    assert_false(bb_mem_budget_try_take(&budget, 1));
    assert_true(bb_mem_budget_try_take(&budget, 0));
    bb_mem_budget_give(&budget, 100);
    assert_true(bb_mem_budget_try_take(&budget, 100));
    bb_mem_budget_give(&budget, 100);
}

static void refuses_sizes_that_overflow(void **state)
{
    struct bb_mem_budget budget;

    (void)state;
    bb_mem_budget_init(&budget, 100, METRIC);
    assert_true(bb_mem_budget_try_take(&budget, 50));
    assert_false(bb_mem_budget_try_take(&budget, SIZE_MAX));
    assert_false(bb_mem_budget_try_take(&budget, SIZE_MAX - 49));
    assert_int_equal(atomic_load(&budget.used_bytes), 50);
    bb_mem_budget_give(&budget, 50);
}

static void the_gauge_follows(void **state)
{
    struct bb_mem_budget budget;

    (void)state;
    bb_metric_set(METRIC, 12345);
    bb_mem_budget_init(&budget, 100, METRIC);
    assert_int_equal(bb_metric_get(METRIC), 0);
    assert_true(bb_mem_budget_try_take(&budget, 70));
    assert_false(bb_mem_budget_try_take(&budget, 70));
    assert_int_equal(bb_metric_get(METRIC), 70);
    bb_mem_budget_give(&budget, 20);
    assert_int_equal(bb_metric_get(METRIC), 50);
    bb_mem_budget_give(&budget, 50);
    assert_int_equal(bb_metric_get(METRIC), 0);
}

enum { THREAD_COUNT = 4, ROUNDS = 50000, LIMIT = 1000 };

struct worker {
    struct bb_mem_budget *budget;
    atomic_size_t *held; /* of all workers, counted apart from the budget */
    unsigned seed;
    bool has_gone_over;
    unsigned taken_count;
};

static void *take_and_give(void *arg)
{
    struct worker *worker = arg;

    for (int i = 0; i < ROUNDS; i++) {
        worker->seed = worker->seed * 1103515245u + 12345u;
        size_t size = worker->seed >> 16 & 511;
        if (bb_mem_budget_try_take(worker->budget, size)) {
            size_t held = atomic_fetch_add(worker->held, size) + size;
            worker->has_gone_over = worker->has_gone_over || held > LIMIT;
            worker->taken_count++;
            atomic_fetch_sub(worker->held, size);
            bb_mem_budget_give(worker->budget, size);
        }
    }
    return NULL;
}

static void threads_together_never_pass_the_limit(void **state)
{
    struct bb_mem_budget budget;
    struct worker workers[THREAD_COUNT];
    pthread_t threads[THREAD_COUNT];
    atomic_size_t held = 0;

    (void)state;
    bb_mem_budget_init(&budget, LIMIT, METRIC);
    for (unsigned i = 0; i < THREAD_COUNT; i++) {
        workers[i] = (struct worker){.budget = &budget, .held = &held, .seed = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_false(workers[i].has_gone_over);
        assert_true(workers[i].taken_count > 0);
    }
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    assert_int_equal(bb_metric_get(METRIC), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_up_to_the_limit_and_not_a_byte_more),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(the_gauge_follows),
        cmocka_unit_test(threads_together_never_pass_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
