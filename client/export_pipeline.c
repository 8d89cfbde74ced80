#include "client/export_pipeline.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/breaker.h"
#include "client/config_build.h"
#include "client/otlp_encode.h"
#include "client/overflow_pool.h"
#include "client/thread_ring.h"
#include "client/tick_clock.h"
#include "client/trace_sampler.h"
#include "client/tracer_list.h"

/* Records after which the drainer gives their room in the ring back. */
#define RELEASE_INTERVAL 32u

/* Milliseconds that a shutdown waits for its threads once it has told them to give up. */
#define GIVE_UP_MS 40u

enum pipeline_state { IDLE = 0, RUNNING, STOPPING };

struct request {
    struct request *next;
    struct bbc_sink bytes;
    uint32_t span_count;
    uint64_t number; /* from 1, in the order of the queue */
};

static struct {
    /* Constant from a start until its threads have ended. */
    const struct bbc_config *config;

    /* Guards what follows. Nests in nothing; nothing blocks under it. */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* any of it has */
    enum pipeline_state state;
    bool has_threads;
    unsigned thread_count;
    bool gives_up;   /* the shutdown's time is over: drop what is left */
    bool is_drained; /* STOPPING: the drainer has queued its last request */
    struct request *first;
    struct request *last;
    struct request *inherited; /* the parent process's queue: freed by the drainer, unsent */
    uint64_t queue_spans;
    uint64_t batch_spans;   /* encoded, not queued yet */
    uint64_t sending_spans; /* at the exporter, or between retries */
    uint64_t queued_number; /* of the newest request ever queued */
    uint64_t done_number;   /* of the newest request done with */
    uint64_t flush_asked;
    uint64_t flush_drained;        /* flushes up to here have all their spans queued ... */
    uint64_t flush_drained_number; /* ... in requests up to here */
    uint64_t dropped_at_flush;
    uint64_t exported;
    uint64_t dropped[BOBBIN_DROP_REASONS];
    uint64_t requests;
    uint64_t retries;
    uint64_t requests_failed;
    struct bbc_breaker breaker;
    struct bbc_tick_clock clock; /* drainer only, once it runs */
} pipe_ = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static atomic_uint wake_word; /* bumped to wake the drainer */

static void lock(void)
{
    (void)pthread_mutex_lock(&pipe_.mutex);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&pipe_.mutex);
}

static uint64_t now_ms(void)
{
    return bbc_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static void tell_change(void)
{
    (void)pthread_cond_broadcast(&pipe_.changed);
}

/* Waits for a change until `deadline_ms`; false once that is over. The mutex is held. */
static bool wait_change(uint64_t deadline_ms)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};

    return pthread_cond_timedwait(&pipe_.changed, &pipe_.mutex, &until) != ETIMEDOUT;
}

void bbc_drainer_wake(void)
{
    int saved = errno;

    atomic_fetch_add(&wake_word, 1);
    (void)syscall(SYS_futex, &wake_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

static void drainer_sleep(unsigned seen, uint64_t ms)
{
    struct timespec timeout = {.tv_sec = (time_t)(ms / 1000),
                               .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)syscall(SYS_futex, &wake_word, FUTEX_WAIT_PRIVATE, seen, &timeout, NULL, 0);
}

static void free_requests(struct request *request)
{
    while (request != NULL) {
        struct request *next = request->next;

        bbc_sink_dispose(&request->bytes);
        bbc_free(request);
        request = next;
    }
}

static struct request *pop_request(void)
{
    struct request *request = pipe_.first;

    if (request != NULL) {
        pipe_.first = request->next;
        if (pipe_.first == NULL) {
            pipe_.last = NULL;
        }
        request->next = NULL;
        pipe_.queue_spans -= request->span_count;
    }
    return request;
}

/* The drainer's own state. */
struct drainer {
    struct bbc_encoder encoder;
    uint64_t first_ms; /* when the first span of the request was encoded */
    /* Of the ring being drained, and not in the counters yet. */
    struct bbc_ring *ring;
    uint32_t taken;
    uint32_t encoded;
};

/* Puts into the counters what was drained since the last time. The mutex is held. */
static void settle(struct drainer *drainer)
{
    if (drainer->taken > 0) {
        bbc_own_add(&drainer->ring->drained, drainer->taken);
        pipe_.batch_spans += drainer->encoded;
        drainer->taken = 0;
        drainer->encoded = 0;
    }
}

/* Makes room in the queue for `span_count` more, or waits for it. The mutex is held. */
static void make_queue_room(uint32_t span_count)
{
    const struct bobbin_batch_opts *batch = &pipe_.config->batch;

    while (pipe_.queue_spans > 0 && pipe_.queue_spans + span_count > batch->queue_spans_max &&
           !pipe_.gives_up) {
        if (batch->overflow == BOBBIN_DROP_OLDEST) {
            struct request *oldest = pop_request();

            pipe_.dropped[BOBBIN_DROP_QUEUE_FULL] += oldest->span_count;
            free_requests(oldest);
        } else {
            (void)pthread_cond_wait(&pipe_.changed, &pipe_.mutex);
        }
    }
}

/* Queues the request that is being encoded, if it has spans. */
static void queue_request(struct drainer *drainer)
{
    struct request *request;

    if (drainer->encoder.span_count == 0) {
        return;
    }
    bbc_encoder_seal(&drainer->encoder);
    request = bbc_alloc(sizeof *request);
    lock();
    settle(drainer);
    if (request == NULL) {
        pipe_.dropped[BOBBIN_DROP_NO_MEMORY] += drainer->encoder.span_count;
        bbc_sink_dispose(&drainer->encoder.request);
    } else {
        make_queue_room(drainer->encoder.span_count);
        request->bytes = drainer->encoder.request;
        request->span_count = drainer->encoder.span_count;
        request->number = ++pipe_.queued_number;
        if (pipe_.last == NULL) {
            pipe_.first = request;
        } else {
            pipe_.last->next = request;
        }
        pipe_.last = request;
        pipe_.queue_spans += request->span_count;
    }
    pipe_.batch_spans -= drainer->encoder.span_count;
    tell_change();
    unlock();
    bbc_encoder_reset(&drainer->encoder);
}

static void encode(struct drainer *drainer, const struct bobbin_span_record *record)
{
    const struct bbc_config *config = pipe_.config;
    enum bbc_encode_result result;

    result = bbc_encoder_add(&drainer->encoder, record, &pipe_.clock, &config->resource,
                             config->batch.request_size_max);
    if (result == BBC_ENCODE_FULL) {
        queue_request(drainer);
        result = bbc_encoder_add(&drainer->encoder, record, &pipe_.clock, &config->resource,
                                 config->batch.request_size_max);
    }
    drainer->taken++;
    if (result == BBC_ENCODED) {
        drainer->encoded++;
        if (drainer->encoder.span_count == 1) {
            drainer->first_ms = now_ms();
        }
        if (drainer->encoder.span_count >= config->batch.span_count_max) {
            queue_request(drainer);
        }
    } else {
        lock();
        settle(drainer);
        pipe_.dropped[result == BBC_ENCODE_NO_MEMORY ? BOBBIN_DROP_NO_MEMORY
                                                     : BOBBIN_DROP_TOO_BIG]++;
        unlock();
    }
}

static void drain_ring(struct drainer *drainer, struct bbc_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t count = 0;

    drainer->ring = ring;
    while (tail < head) {
        const struct bobbin_span_record *record =
            (const struct bobbin_span_record *)(const void *)(ring->bytes +
                                                              (tail & (ring->size - 1)));

        tail += record->record_size;
        if (record->record_kind == BBC_RECORD_SPAN) {
            encode(drainer, record);
            bbc_overflow_release(record->block);
        }
        if (++count % RELEASE_INTERVAL == 0) {
            atomic_store_explicit(&ring->tail, tail, memory_order_release);
        }
    }
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
    lock();
    settle(drainer);
    unlock();
}

static void drain_rings(struct drainer *drainer)
{
    struct bbc_ring *ring = atomic_load_explicit(&bbc_rings, memory_order_acquire);

    bbc_tick_clock_refresh(&pipe_.clock);
    while (ring != NULL) {
        int state = atomic_load_explicit(&ring->state, memory_order_acquire);

        drain_ring(drainer, ring);
        if (state == BBC_RING_LEFT) { /* it had left before the ring was drained: nothing follows */
            atomic_store_explicit(&ring->state, BBC_RING_FREE, memory_order_release);
        }
        ring = ring->next;
    }
}

/* One thread fewer; the last one ends the start. */
static void leave_pipeline(void)
{
    lock();
    if (--pipe_.thread_count == 0) {
        pipe_.state = IDLE;
        pipe_.has_threads = false;
    }
    tell_change();
    unlock();
}

static void *drainer_main(void *unused)
{
    struct drainer drainer = {0};
    bool is_last = false;
    struct request *inherited;

    lock();
    inherited = pipe_.inherited;
    pipe_.inherited = NULL;
    unlock();
    free_requests(inherited);
    while (!is_last) {
        unsigned seen = atomic_load(&wake_word);
        uint64_t delay = pipe_.config->batch.schedule_delay_ms;
        uint64_t flush;
        uint64_t age;
        bool is_flush;

        lock();
        flush = pipe_.flush_asked;
        is_flush = flush != pipe_.flush_drained;
        is_last = pipe_.state == STOPPING;
        unlock();
        drain_rings(&drainer);
        age = drainer.encoder.span_count == 0 ? 0 : now_ms() - drainer.first_ms;
        if (is_flush || is_last || age >= delay) {
            queue_request(&drainer);
            age = 0;
        }
        lock();
        pipe_.flush_drained = flush;
        pipe_.flush_drained_number = pipe_.queued_number;
        pipe_.is_drained = is_last;
        tell_change();
        unlock();
        if (!is_last) {
            drainer_sleep(seen, delay - age);
        }
    }
    bbc_sink_dispose(&drainer.encoder.request);
    leave_pipeline();
    return unused;
}

uint32_t bbc_retry_wait_ms(const struct bobbin_retry_opts *retry, uint32_t attempt,
                           uint32_t retry_after_ms, uint64_t random)
{
    uint64_t wait = retry->initial_ms;

    for (uint32_t i = 0; i < attempt && wait < retry->max_ms; i++) {
        wait *= 2;
    }
    if (wait > retry->max_ms) {
        wait = retry->max_ms;
    }
    wait = wait / 2 + random % (wait - wait / 2 + 1);
    return retry_after_ms > wait ? retry_after_ms : (uint32_t)wait;
}

/* Counts how a request ended, `rejected` of its spans by the receiver. */
static void count_sent(const struct request *request, uint32_t rejected)
{
    if (rejected > request->span_count) {
        rejected = request->span_count;
    }
    pipe_.exported += request->span_count - rejected;
    pipe_.dropped[BOBBIN_DROP_REJECTED] += rejected;
}

/* One attempt. The mutex is held, and not during the attempt. */
static enum bobbin_export_result attempt(const struct request *request, uint32_t timeout_ms,
                                         struct bobbin_export_report *report)
{
    const struct bobbin_exporter *exporter = &pipe_.config->exporter;
    const struct bobbin_request sent = {request->bytes.data, request->bytes.size,
                                        request->span_count};
    enum bobbin_export_result result;

    pipe_.requests++;
    unlock();
    *report = (struct bobbin_export_report){0};
    result = exporter->send(exporter->user, &sent, timeout_ms, report);
    lock();
    pipe_.requests_failed += result != BOBBIN_EXPORT_OK;
    /* A receiver that says never is up: only what may succeed later speaks against it. */
    bbc_breaker_report(&pipe_.breaker, now_ms(), result != BOBBIN_EXPORT_RETRY);
    return result;
}

/* Sends a request, with its retries. The mutex is held, and not while it blocks. */
static void send_request(const struct request *request, struct bbc_id_source *random)
{
    uint64_t deadline = now_ms() + pipe_.config->batch.export_timeout_ms;
    enum bobbin_drop reason = BOBBIN_DROP_SHUTDOWN;
    struct bobbin_export_report report;

    for (uint32_t retry = 0; !pipe_.gives_up; retry++) {
        uint64_t now = now_ms();
        enum bobbin_export_result result;
        uint64_t until;

        if (!bbc_breaker_allows(&pipe_.breaker, now)) {
            reason = BOBBIN_DROP_BREAKER_OPEN;
            break;
        }
        pipe_.retries += retry > 0;
        result = attempt(request, (uint32_t)(deadline > now ? deadline - now : 1), &report);
        if (result == BOBBIN_EXPORT_OK) {
            count_sent(request, report.rejected_spans);
            return;
        }
        if (result == BOBBIN_EXPORT_FAILED) {
            reason = BOBBIN_DROP_EXPORT_FAILED;
            break;
        }
        until = now_ms() + bbc_retry_wait_ms(&pipe_.config->retry, retry, report.retry_after_ms,
                                             bbc_id_source_next(random));
        if (until >= deadline) {
            reason = BOBBIN_DROP_RETRIES_OVER;
            break;
        }
        while (!pipe_.gives_up && wait_change(until)) {
        }
    }
    pipe_.dropped[pipe_.gives_up ? BOBBIN_DROP_SHUTDOWN : reason] += request->span_count;
}

static void *sender_main(void *unused)
{
    struct bbc_id_source random = {{1, 2, 3, 4}};
    const struct bobbin_exporter *exporter = &pipe_.config->exporter;
    struct request *request;

    (void)bbc_id_source_seed(&random);
    lock();
    for (;;) {
        while (pipe_.first == NULL && !pipe_.is_drained) {
            (void)pthread_cond_wait(&pipe_.changed, &pipe_.mutex);
        }
        request = pop_request();
        if (request == NULL) {
            break;
        }
        pipe_.sending_spans = request->span_count;
        send_request(request, &random);
        pipe_.sending_spans = 0;
        pipe_.done_number = request->number;
        tell_change();
        unlock();
        free_requests(request);
        lock();
    }
    unlock();
    if (exporter->close != NULL) {
        exporter->close(exporter->user);
    }
    leave_pipeline();
    return unused;
}

static bool make_thread(void *(*run)(void *))
{
    pthread_attr_t attr;
    pthread_t thread;
    bool is_made;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    is_made = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, run, NULL) == 0;
    (void)pthread_attr_destroy(&attr);
    return is_made;
}

/*
 * Makes the threads, with every signal of the host's blocked in them. Without both, what is made
 * ends by itself. The mutex is held.
 */
static bool make_threads(void)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pipe_.has_threads = true;
    pipe_.thread_count = 2;
    if (!make_thread(drainer_main)) {
        pipe_.thread_count = 0;
        pipe_.has_threads = false;
    } else if (!make_thread(sender_main)) {
        pipe_.thread_count = 1;
        pipe_.state = STOPPING;
        pipe_.gives_up = true;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pipe_.thread_count == 2;
}

void bbc_pipeline_ensure_threads(void)
{
    lock();
    if (pipe_.state == RUNNING && !pipe_.has_threads) {
        const struct bobbin_exporter *exporter = &pipe_.config->exporter;

        if (exporter->forked != NULL) {
            exporter->forked(exporter->user);
        }
        (void)make_threads();
    }
    unlock();
}

static void fork_prepare(void)
{
    bbc_rings_fork_prepare();
    bbc_tracers_fork_prepare();
    lock();
}

static void fork_parent(void)
{
    unlock();
    bbc_tracers_fork_parent();
    bbc_rings_fork_parent();
}

static void init_sync(void)
{
    pthread_condattr_t attr;

    (void)pthread_mutex_init(&pipe_.mutex, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pipe_.changed, &attr);
    (void)pthread_condattr_destroy(&attr);
}

/* What the parent has is the parent's: queue, counters, threads. The configuration is shared. */
static void fork_child(void)
{
    init_sync();
    atomic_fetch_add(&bbc_fork_generation, 1);
    if (pipe_.last != NULL) {
        pipe_.last->next = pipe_.inherited;
        pipe_.inherited = pipe_.first;
    }
    pipe_.first = NULL;
    pipe_.last = NULL;
    pipe_.queue_spans = 0;
    pipe_.batch_spans = 0;
    pipe_.sending_spans = 0;
    pipe_.done_number = pipe_.queued_number;
    pipe_.flush_drained = pipe_.flush_asked;
    pipe_.flush_drained_number = pipe_.queued_number;
    pipe_.dropped_at_flush = 0;
    pipe_.exported = 0;
    memset(pipe_.dropped, 0, sizeof pipe_.dropped);
    pipe_.requests = 0;
    pipe_.retries = 0;
    pipe_.requests_failed = 0;
    pipe_.has_threads = false;
    pipe_.thread_count = 0;
    if (pipe_.state == STOPPING) { /* a shutdown in the parent: over, here */
        pipe_.state = IDLE;
    } else if (pipe_.state == RUNNING) {
        bbc_breaker_init(&pipe_.breaker, &pipe_.config->breaker);
        bbc_tick_clock_init(&pipe_.clock, pipe_.config->uses_tsc);
        bbc_config_name_process(pipe_.config);
    }
    memset(&bbc_loose, 0, sizeof bbc_loose);
    bbc_tracers_fork_child();
    bbc_rings_fork_child();
}

static void init_process(void)
{
    init_sync();
    (void)pthread_atfork(fork_prepare, fork_parent, fork_child);
}

static uint64_t ring_drops(void)
{
    const struct bbc_ring *ring = atomic_load_explicit(&bbc_rings, memory_order_acquire);
    uint64_t sum = 0;

    while (ring != NULL) {
        sum += atomic_load_explicit(&ring->dropped_full, memory_order_relaxed);
        ring = ring->next;
    }
    return sum;
}

/* All drops so far. The mutex is held. */
static uint64_t dropped_total(void)
{
    uint64_t sum = ring_drops();

    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        sum += pipe_.dropped[i] + atomic_load_explicit(&bbc_loose.dropped[i], memory_order_relaxed);
    }
    return sum;
}

enum bobbin_err bobbin_start(const struct bobbin_opts *opts)
{
    struct bbc_config *config = NULL;
    enum bobbin_err err = BOBBIN_OK;

    (void)pthread_once(&init_once, init_process);
    if (!opts->is_disabled) {
        err = bbc_config_build(opts, &config);
    }
    if (err != BOBBIN_OK || config == NULL) {
        goto out;
    }
    lock();
    if (pipe_.state != IDLE) {
        err = BOBBIN_ESTATE;
    } else {
        config->older = (struct bbc_config *)pipe_.config;
        pipe_.config = config;
        pipe_.gives_up = false;
        pipe_.is_drained = false;
        pipe_.dropped_at_flush = dropped_total();
        pipe_.state = RUNNING;
        bbc_breaker_init(&pipe_.breaker, &config->breaker);
        bbc_sampler_reset();
        bbc_tick_clock_init(&pipe_.clock, config->uses_tsc);
        if (!make_threads()) {
            err = BOBBIN_EIO;
            pipe_.state = pipe_.thread_count == 0 ? IDLE : STOPPING;
        } else {
            atomic_store_explicit(&bbc_live, config, memory_order_release);
        }
        config = NULL;
    }
    unlock();

out:
    bbc_config_free(config);
    if ((err != BOBBIN_OK || opts->is_disabled) && opts->exporter.close != NULL) {
        opts->exporter.close(opts->exporter.user);
    }
    return err;
}

/* Waits until the spans so far are exported or dropped. The mutex is held. */
static enum bobbin_err flush_until(uint64_t deadline)
{
    uint64_t ticket = ++pipe_.flush_asked;
    uint64_t dropped;

    bbc_drainer_wake();
    while (pipe_.flush_drained < ticket || pipe_.done_number < pipe_.flush_drained_number) {
        if (!wait_change(deadline)) {
            return BOBBIN_ETIMEDOUT;
        }
    }
    dropped = dropped_total();
    if (dropped != pipe_.dropped_at_flush) {
        pipe_.dropped_at_flush = dropped;
        return BOBBIN_EEXPORT;
    }
    return BOBBIN_OK;
}

enum bobbin_err bobbin_flush(uint32_t timeout_ms)
{
    uint64_t deadline = now_ms() + timeout_ms;
    enum bobbin_err err = BOBBIN_ESTATE;

    bbc_pipeline_ensure_threads();
    lock();
    if (pipe_.state == RUNNING && pipe_.has_threads) {
        err = flush_until(deadline);
    }
    unlock();
    return err;
}

/* Tells the threads to end and waits for it. The mutex is held. */
static enum bobbin_err stop_threads(uint64_t deadline)
{
    pipe_.state = STOPPING;
    bbc_drainer_wake();
    tell_change();
    while (pipe_.thread_count > 0) {
        if (wait_change(deadline)) {
            continue;
        }
        if (pipe_.gives_up) {
            return BOBBIN_ETIMEDOUT;
        }
        pipe_.gives_up = true;
        deadline = now_ms() + GIVE_UP_MS;
        tell_change();
        if (pipe_.config->exporter.cancel != NULL) {
            unlock();
            pipe_.config->exporter.cancel(pipe_.config->exporter.user);
            lock();
        }
    }
    return pipe_.gives_up ? BOBBIN_ETIMEDOUT : BOBBIN_OK;
}

enum bobbin_err bobbin_shutdown(uint32_t timeout_ms)
{
    uint64_t deadline = now_ms() + timeout_ms;
    enum bobbin_err err = BOBBIN_ESTATE;
    enum bobbin_err stopped;

    bbc_pipeline_ensure_threads();
    lock();
    if (pipe_.state == RUNNING) {
        atomic_store_explicit(&bbc_live, NULL, memory_order_release);
        err = flush_until(deadline);
        if (pipe_.state == RUNNING) { /* or another thread's shutdown got here first */
            stopped = stop_threads(deadline);
            err = stopped == BOBBIN_OK ? err : stopped;
        }
    }
    unlock();
    return err;
}

void bobbin_stats_read(struct bobbin_stats *out)
{
    const struct bbc_ring *ring = atomic_load_explicit(&bbc_rings, memory_order_acquire);

    *out = (struct bobbin_stats){0};
    lock();
    out->exported = pipe_.exported;
    out->queue_spans = pipe_.queue_spans;
    out->in_flight = pipe_.queue_spans + pipe_.batch_spans + pipe_.sending_spans;
    out->requests = pipe_.requests;
    out->retries = pipe_.retries;
    out->requests_failed = pipe_.requests_failed;
    out->breaker = pipe_.breaker.state;
    out->breaker_opened = pipe_.breaker.opened_count;
    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        out->dropped[i] =
            pipe_.dropped[i] + atomic_load_explicit(&bbc_loose.dropped[i], memory_order_relaxed);
    }
    out->started = atomic_load_explicit(&bbc_loose.started, memory_order_relaxed);
    out->ended = atomic_load_explicit(&bbc_loose.ended, memory_order_relaxed);
    out->misuse = atomic_load_explicit(&bbc_loose.misuse, memory_order_relaxed);
    while (ring != NULL) {
        uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
        uint64_t full = atomic_load_explicit(&ring->dropped_full, memory_order_relaxed);

        out->started += atomic_load_explicit(&ring->started, memory_order_relaxed);
        out->ended += pushed + full;
        out->dropped[BOBBIN_DROP_RING_FULL] += full;
        out->in_flight += pushed - atomic_load_explicit(&ring->drained, memory_order_relaxed);
        out->ring_count++;
        ring = ring->next;
    }
    unlock();
}
