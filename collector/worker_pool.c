#include "collector/worker_pool.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/arena.h"

/* Enough for the deepest walk of a value and for the store's engine below it. */
#define STACK_BYTES (1u << 20)
/* Lets threads that answer queries take what threads that take in spans leave. */
#define LOW_PRIORITY_NICE 10
#define THREAD_NAME_SIZE 16 /* the kernel's, NUL included */

struct bb_worker_pool {
    /* Constant after start. */
    struct bb_arena memory; /* holds this struct */
    pthread_t threads[BB_WORKER_THREADS_MAX];
    unsigned thread_count; /* 0 once stopped */
    uint32_t queue_max;
    bool is_low_priority;
    char name[THREAD_NAME_SIZE];

    /* Guards what follows; nests in nothing. */
    pthread_mutex_t mutex;
    pthread_cond_t has_work;
    struct bb_work *first;
    struct bb_work *last;
    uint32_t waiting_count;
    bool is_stopping;
};

/* The next piece of work; NULL when the pool stops and nothing waits any more. */
static struct bb_work *take(struct bb_worker_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->first == NULL && !pool->is_stopping) {
        pthread_cond_wait(&pool->has_work, &pool->mutex);
    }
    struct bb_work *work = pool->first;
    if (work != NULL) {
        pool->first = work->next;
        pool->waiting_count--;
    }
    pthread_mutex_unlock(&pool->mutex);
    return work;
}

static void *run_worker(void *arg)
{
    struct bb_worker_pool *pool = arg;
    struct bb_work *work;

    pthread_setname_np(pthread_self(), pool->name);
    if (pool->is_low_priority) {
        setpriority(PRIO_PROCESS, (id_t)gettid(), LOW_PRIORITY_NICE);
    }
    while ((work = take(pool)) != NULL) {
        work->run(work);
    }
    return NULL;
}

enum bb_err bb_worker_pool_start(const struct bb_worker_pool_options *options,
                                 struct bb_worker_pool **out_pool)
{
    struct bb_arena memory;
    pthread_attr_t attr;

    if (options->thread_count == 0 || options->thread_count > BB_WORKER_THREADS_MAX) {
        return BB_EINVAL;
    }
    bb_arena_init(&memory, 2 * sizeof(struct bb_worker_pool) + 4096);
    struct bb_worker_pool *pool = bb_arena_try_calloc(&memory, 1, sizeof(*pool));
    if (pool == NULL) {
        return BB_ENOMEM;
    }
    pool->memory = memory;
    pool->queue_max = options->queue_max;
    pool->is_low_priority = options->is_low_priority;
    memcpy(pool->name, options->name, strnlen(options->name, THREAD_NAME_SIZE - 1));
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->has_work, NULL);

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (unsigned i = 0; i < options->thread_count; i++) {
        if (pthread_create(&pool->threads[i], &attr, run_worker, pool) != 0) {
            break;
        }
        pool->thread_count++;
    }
    pthread_attr_destroy(&attr);
    if (pool->thread_count < options->thread_count) {
        bb_worker_pool_stop(pool);
        bb_worker_pool_free(pool);
        return BB_EIO;
    }
    *out_pool = pool;
    return BB_OK;
}

bool bb_worker_pool_try_submit(struct bb_worker_pool *pool, struct bb_work *work)
{
    pthread_mutex_lock(&pool->mutex);
    bool is_taken = !pool->is_stopping && pool->waiting_count < pool->queue_max;
    if (is_taken) {
        work->next = NULL;
        if (pool->first == NULL) {
            pool->first = work;
        } else {
            pool->last->next = work;
        }
        pool->last = work;
        pool->waiting_count++;
        pthread_cond_signal(&pool->has_work);
    }
    pthread_mutex_unlock(&pool->mutex);
    return is_taken;
}

void bb_worker_pool_stop(struct bb_worker_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->has_work);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pool->thread_count = 0;
}

void bb_worker_pool_free(struct bb_worker_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    BB_ASSERT(pool->thread_count == 0);
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->mutex);
    struct bb_arena memory = pool->memory;
    bb_arena_dispose(&memory);
}
