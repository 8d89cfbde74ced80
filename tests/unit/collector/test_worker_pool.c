/* The pool's promises: each piece of work runs once, the queue has an end, stop runs what waits. */
#include "collector/worker_pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define WORK_MAX 200

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open;
    uint32_t entered_count;
    uint32_t run_counts[WORK_MAX];
    uint32_t order[WORK_MAX];
    uint32_t run_count;
    int nice;
};

struct item {
    struct bb_work work; /* first */
    struct gate *gate;
    uint32_t index;
};

static void run_item(struct bb_work *work)
{
    struct item *item = (struct item *)work;
    struct gate *gate = item->gate;

    pthread_mutex_lock(&gate->mutex);
    gate->entered_count++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->is_open) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    gate->run_counts[item->index]++;
    gate->order[gate->run_count++] = item->index;
    gate->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_init(struct gate *gate, struct item *items, bool is_open)
{
    *gate = (struct gate){.is_open = is_open};
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->changed, NULL);
    for (uint32_t i = 0; i < WORK_MAX; i++) {
        items[i] = (struct item){.work.run = run_item, .gate = gate, .index = i};
    }
}

static void gate_dispose(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->mutex);
}

static void gate_wait_entered(struct gate *gate, uint32_t count)
{
    pthread_mutex_lock(&gate->mutex);
    while (gate->entered_count < count) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static struct bb_worker_pool *start(unsigned thread_count, uint32_t queue_max, bool is_low)
{
    const struct bb_worker_pool_options options = {
        .name = "a name longer than fifteen",
        .thread_count = thread_count,
        .queue_max = queue_max,
        .is_low_priority = is_low,
    };
    struct bb_worker_pool *pool = NULL;

    assert_int_equal(bb_worker_pool_start(&options, &pool), BB_OK);
    return pool;
}

static void runs_each_piece_once_before_it_stops(void **state)
{
    static struct item items[WORK_MAX];
    struct gate gate;

    (void)state;
    gate_init(&gate, items, true);
    struct bb_worker_pool *pool = start(4, WORK_MAX, false);
    for (uint32_t i = 0; i < WORK_MAX; i++) {
        assert_true(bb_worker_pool_try_submit(pool, &items[i].work));
    }
    bb_worker_pool_stop(pool);
    for (uint32_t i = 0; i < WORK_MAX; i++) {
        assert_int_equal(gate.run_counts[i], 1);
    }
    bb_worker_pool_free(pool);
    gate_dispose(&gate);
}

static void one_thread_keeps_the_order(void **state)
{
    static struct item items[WORK_MAX];
    struct gate gate;

    (void)state;
    gate_init(&gate, items, false);
    struct bb_worker_pool *pool = start(1, WORK_MAX, false);
    for (uint32_t i = 0; i < WORK_MAX; i++) {
        assert_true(bb_worker_pool_try_submit(pool, &items[i].work));
    }
    gate_open(&gate);
    bb_worker_pool_stop(pool);
    for (uint32_t i = 0; i < WORK_MAX; i++) {
        assert_int_equal(gate.order[i], i);
    }
    bb_worker_pool_free(pool);
    gate_dispose(&gate);
}

static void refuses_work_when_the_queue_is_full(void **state)
{
    static struct item items[WORK_MAX];
    struct gate gate;

    (void)state;
    gate_init(&gate, items, false);
    struct bb_worker_pool *pool = start(1, 2, false);
    assert_true(bb_worker_pool_try_submit(pool, &items[0].work));
    gate_wait_entered(&gate, 1); /* it runs, so it doesn't wait any more */
    assert_true(bb_worker_pool_try_submit(pool, &items[1].work));
    assert_true(bb_worker_pool_try_submit(pool, &items[2].work));
    assert_false(bb_worker_pool_try_submit(pool, &items[3].work));
    gate_open(&gate);
    bb_worker_pool_stop(pool);
    assert_int_equal(gate.run_counts[2], 1);
    assert_int_equal(gate.run_counts[3], 0);
    bb_worker_pool_free(pool);
    gate_dispose(&gate);
}

static void refuses_work_once_stopped(void **state)
{
    static struct item items[WORK_MAX];
    struct gate gate;

    (void)state;
    gate_init(&gate, items, true);
    struct bb_worker_pool *pool = start(2, 2, false);
    bb_worker_pool_stop(pool);
    bb_worker_pool_stop(pool);
    assert_false(bb_worker_pool_try_submit(pool, &items[0].work));
    bb_worker_pool_free(pool);
    gate_dispose(&gate);
}

static void low_priority_threads_are_nicer(void **state)
{
    static struct item items[WORK_MAX];
    struct gate gate;
    int nice = getpriority(PRIO_PROCESS, (id_t)gettid());

    (void)state;
    gate_init(&gate, items, true);
    struct bb_worker_pool *pool = start(1, 1, true);
    assert_true(bb_worker_pool_try_submit(pool, &items[0].work));
    bb_worker_pool_stop(pool);
    assert_true(gate.nice > nice || gate.nice == 19);
    bb_worker_pool_free(pool);
    gate_dispose(&gate);
}

static void needs_a_sane_number_of_threads(void **state)
{
    struct bb_worker_pool_options options = {.name = "none"};
    struct bb_worker_pool *pool = NULL;

    (void)state;
    assert_int_equal(bb_worker_pool_start(&options, &pool), BB_EINVAL);
    options.thread_count = BB_WORKER_THREADS_MAX + 1;
    assert_int_equal(bb_worker_pool_start(&options, &pool), BB_EINVAL);
    assert_null(pool);
    bb_worker_pool_stop(NULL);
    bb_worker_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_piece_once_before_it_stops),
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(refuses_work_when_the_queue_is_full),
        cmocka_unit_test(refuses_work_once_stopped),
        cmocka_unit_test(low_priority_threads_are_nicer),
        cmocka_unit_test(needs_a_sane_number_of_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
