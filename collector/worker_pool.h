/*
 * worker_pool.h - threads that run what is submitted, in order, from a bounded queue.
 *
 * Threads: submit from any; start and stop from one.
 */
#ifndef BB_COLLECTOR_WORKER_POOL_H
#define BB_COLLECTOR_WORKER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define BB_WORKER_THREADS_MAX 64

/* One piece of work: put it first into a struct of your own. */
struct bb_work {
    struct bb_work *next; /* the pool's */
    void (*run)(struct bb_work *work);
};

struct bb_worker_pool;

struct bb_worker_pool_options {
    const char *name; /* of the threads: the first 15 characters */
    unsigned thread_count;
    uint32_t queue_max; /* work that waits for a thread */
    bool is_low_priority;
};

/* BB_OK, BB_ENOMEM, BB_EINVAL (no thread, or more than BB_WORKER_THREADS_MAX), BB_EIO (no thread to
 * be had). *out_pool is the caller's; stop it, then free it with bb_worker_pool_free. */
BB_MUST_CHECK enum bb_err bb_worker_pool_start(const struct bb_worker_pool_options *options,
                                               struct bb_worker_pool **out_pool);

/* Takes `work` and runs it soon. False, and nothing taken, when the queue is full or the pool has
 * been stopped. */
BB_MUST_CHECK bool bb_worker_pool_try_submit(struct bb_worker_pool *pool, struct bb_work *work);

/* Runs all that waits and ends the threads. NULL and a stopped pool are accepted. */
void bb_worker_pool_stop(struct bb_worker_pool *pool);

/* Of a pool that has been stopped, when nobody submits any more. NULL is accepted. */
void bb_worker_pool_free(struct bb_worker_pool *pool);

#endif /* BB_COLLECTOR_WORKER_POOL_H */
