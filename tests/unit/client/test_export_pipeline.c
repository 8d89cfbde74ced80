#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/export_pipeline.h"
#include "client/tick_clock.h"
#include "tests/unit/client/client_fixture.h"

#define TEST_TIMEOUT_MS 60000u

/*
 * The sanitizers of GCC 12 don't work in a child of a program with threads: the allocator of one
 * may be locked there for good, the other ends a child that makes threads.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FORKS_WITH_THREADS 0
#else
#define FORKS_WITH_THREADS 1
#endif

/* An exporter that answers from a script, and blocks while it is told to. */
struct scripted {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum bobbin_export_result answers[16];
    unsigned answer_count; /* the last one goes on */
    struct bobbin_export_report report;
    bool blocks;
    bool is_blocked;
    unsigned sent;
    uint64_t spans_sent;
    unsigned closed;
    unsigned forked;
};

static struct scripted script;

static enum bobbin_export_result send_scripted(void *user, const struct bobbin_request *request,
                                               uint32_t timeout_ms,
                                               struct bobbin_export_report *report)
{
    struct scripted *self = user;
    enum bobbin_export_result result;
    unsigned index;

    (void)timeout_ms;
    pthread_mutex_lock(&self->mutex);
    while (self->blocks) {
        self->is_blocked = true;
        pthread_cond_broadcast(&self->changed);
        pthread_cond_wait(&self->changed, &self->mutex);
    }
    self->is_blocked = false;
    index = self->sent < self->answer_count ? self->sent : self->answer_count - 1;
    result = self->answers[index];
    *report = self->report;
    self->sent++;
    self->spans_sent += result == BOBBIN_EXPORT_OK ? request->span_count : 0;
    pthread_mutex_unlock(&self->mutex);
    return result;
}

static void set_blocks(bool blocks)
{
    pthread_mutex_lock(&script.mutex);
    script.blocks = blocks;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.mutex);
}

static void cancel_scripted(void *user)
{
    (void)user;
    set_blocks(false);
}

static void close_scripted(void *user)
{
    ((struct scripted *)user)->closed++;
}

static void forked_scripted(void *user)
{
    ((struct scripted *)user)->forked++;
}

static void await_blocked(void)
{
    pthread_mutex_lock(&script.mutex);
    while (!script.is_blocked) {
        pthread_cond_wait(&script.changed, &script.mutex);
    }
    pthread_mutex_unlock(&script.mutex);
}

static int set_up(void **state)
{
    static struct client_fixture fixture;

    client_fixture_init(&fixture);
    script = (struct scripted){.answer_count = 1};
    pthread_mutex_init(&script.mutex, NULL);
    pthread_cond_init(&script.changed, NULL);
    fixture.opts.exporter = (struct bobbin_exporter){.user = &script,
                                                     .send = send_scripted,
                                                     .cancel = cancel_scripted,
                                                     .forked = forked_scripted,
                                                     .close = close_scripted};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct bobbin_stats stats;

    client_fixture_stop(*state);
    bobbin_stats_read(&stats);
    assert_conserved(&stats);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(script.closed, 1);
    return 0;
}

static void record(const struct client_fixture *fixture, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct bobbin_span span;

        bobbin_span_start(&span, fixture->tracer, bobbin_lit("span"), NULL);
        bobbin_span_set_int(&span, bobbin_lit("i"), i);
        bobbin_span_end(&span);
    }
}

/* What has been counted since `before`. */
static struct bobbin_stats since(const struct bobbin_stats *before)
{
    struct bobbin_stats now;

    bobbin_stats_read(&now);
    now.started -= before->started;
    now.ended -= before->ended;
    now.exported -= before->exported;
    now.requests -= before->requests;
    now.retries -= before->retries;
    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        now.dropped[i] -= before->dropped[i];
    }
    return now;
}

static void splits_requests_by_count(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    fixture->opts.batch.span_count_max = 10;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 25);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_OK);
    now = since(&before);
    assert_int_equal(now.exported, 25);
    assert_int_equal(now.requests, 3);
    assert_int_equal(script.spans_sent, 25);
}

static void splits_requests_by_bytes_and_drops_a_span_over_them(void **state)
{
    struct client_fixture *fixture = *state;
    static char large[4000];
    struct bobbin_stats before;
    struct bobbin_stats now;
    struct bobbin_span span;

    fixture->opts.batch.request_size_max = 2048;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 100);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("large"), NULL);
    bobbin_span_set_string(&span, bobbin_lit("l"), bobbin_strn(large, sizeof large));
    bobbin_span_end(&span);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    now = since(&before);
    assert_int_equal(now.exported, 100);
    assert_true(now.requests > 3);
    assert_int_equal(now.dropped[BOBBIN_DROP_TOO_BIG], 1);
}

static void retries_until_it_is_taken(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    script.answers[0] = BOBBIN_EXPORT_RETRY;
    script.answers[1] = BOBBIN_EXPORT_RETRY;
    script.answers[2] = BOBBIN_EXPORT_OK;
    script.answer_count = 3;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_OK);
    now = since(&before);
    assert_int_equal(now.exported, 5);
    assert_int_equal(now.requests, 3);
    assert_int_equal(now.retries, 2);
}

static void a_final_answer_drops_at_once(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    script.answers[0] = BOBBIN_EXPORT_FAILED;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_OK); /* nothing more was dropped */
    now = since(&before);
    assert_int_equal(now.dropped[BOBBIN_DROP_EXPORT_FAILED], 5);
    assert_int_equal(now.requests, 1);
}

static void a_wait_over_the_time_of_a_request_drops_it(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    script.answers[0] = BOBBIN_EXPORT_RETRY;
    script.report.retry_after_ms = 3600000;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    now = since(&before);
    assert_int_equal(now.dropped[BOBBIN_DROP_RETRIES_OVER], 5);
}

static void counts_what_the_receiver_rejects(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    script.report.rejected_spans = 2;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    now = since(&before);
    assert_int_equal(now.exported, 3);
    assert_int_equal(now.dropped[BOBBIN_DROP_REJECTED], 2);
}

static void the_breaker_drops_without_touching_the_receiver(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    fixture->opts.breaker.volume_threshold = 3;
    fixture->opts.breaker.sleep_window_ms = 3600000;
    script.answers[0] = BOBBIN_EXPORT_RETRY;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    record(fixture, 7);
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    now = since(&before);
    assert_int_equal(now.requests, 3);
    assert_int_equal(now.dropped[BOBBIN_DROP_BREAKER_OPEN], 12);
    assert_int_equal(now.breaker, BOBBIN_BREAKER_OPEN);
}

static void a_full_ring_drops_the_newest(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    fixture->opts.batch.span_count_max = 4;
    fixture->opts.batch.queue_spans_max = 8;
    script.blocks = true;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 10000);
    now = since(&before);
    assert_int_equal(now.ended, 10000);
    assert_true(now.dropped[BOBBIN_DROP_RING_FULL] > 5000);
    set_blocks(false);
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    now = since(&before);
    assert_int_equal(now.exported + now.dropped[BOBBIN_DROP_RING_FULL], 10000);
}

static void drop_oldest_keeps_the_newest_in_the_queue(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    fixture->opts.batch.span_count_max = 4;
    fixture->opts.batch.queue_spans_max = 8;
    fixture->opts.batch.overflow = BOBBIN_DROP_OLDEST;
    script.blocks = true;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 4);
    assert_int_equal(bobbin_flush(0), BOBBIN_ETIMEDOUT);
    await_blocked();
    record(fixture, 40); /* 4 at the exporter, 8 can wait, 32 go */
    for (now = since(&before); now.dropped[BOBBIN_DROP_QUEUE_FULL] < 32; now = since(&before)) {
        assert_int_equal(bobbin_flush(1), BOBBIN_ETIMEDOUT);
    }
    assert_int_equal(now.queue_spans, 8);
    set_blocks(false);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    now = since(&before);
    assert_int_equal(now.exported, 12);
    assert_int_equal(now.dropped[BOBBIN_DROP_QUEUE_FULL], 32);
}

static void a_shutdown_gives_up_in_its_time(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;

    script.blocks = true;
    script.answers[0] = BOBBIN_EXPORT_RETRY;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 5);
    assert_int_equal(bobbin_shutdown(20), BOBBIN_ETIMEDOUT);
    now = since(&before);
    assert_int_equal(now.dropped[BOBBIN_DROP_SHUTDOWN], 5);
    assert_int_equal(bobbin_flush(1), BOBBIN_ESTATE);
    assert_int_equal(bobbin_shutdown(1), BOBBIN_ESTATE);
}

static void a_span_that_ends_after_the_shutdown_is_counted(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;
    struct bobbin_span span;

    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("late"), NULL);
    assert_int_equal(bobbin_shutdown(TEST_TIMEOUT_MS), BOBBIN_OK);
    bobbin_span_end(&span);
    now = since(&before);
    assert_int_equal(now.dropped[BOBBIN_DROP_SHUTDOWN], 1);
}

static void a_second_start_is_refused_and_its_exporter_closed(void **state)
{
    struct client_fixture *fixture = *state;

    client_fixture_start(fixture);
    assert_int_equal(bobbin_start(&fixture->opts), BOBBIN_ESTATE);
    assert_int_equal(script.closed, 1);
    script.closed = 0;
}

static void a_start_refuses_options_out_of_range(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_opts bad = fixture->opts;

    bad.exporter.close = NULL;
    bad.ring_size = 10000;
    assert_int_equal(bobbin_start(&bad), BOBBIN_EINVAL);
    bad.ring_size = fixture->opts.ring_size;
    bad.exporter.send = NULL;
    assert_int_equal(bobbin_start(&bad), BOBBIN_EINVAL);
    client_fixture_start(fixture);
}

struct worker {
    const struct client_fixture *fixture;
    unsigned count;
};

static void *work(void *arg)
{
    const struct worker *worker = arg;

    record(worker->fixture, worker->count);
    return NULL;
}

static void eight_threads_lose_nothing_uncounted(void **state)
{
    struct client_fixture *fixture = *state;
    struct worker worker = {fixture, 20000};
    pthread_t threads[8];
    struct bobbin_stats before;
    struct bobbin_stats now;

    fixture->opts.batch.queue_spans_max = 100000;
    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, &worker), 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    now = since(&before);
    assert_int_equal(now.started, 160000);
    assert_int_equal(now.ended, 160000);
    assert_int_equal(now.exported + now.dropped[BOBBIN_DROP_RING_FULL], 160000);
    assert_int_equal(script.spans_sent, now.exported);
    assert_int_equal(now.in_flight, 0);
}

#if FORKS_WITH_THREADS
/* The child's part: exit status 0 if its one new span, and nothing else, was exported by it. */
static int trace_in_child(const struct client_fixture *fixture, struct bobbin_span *open)
{
    struct bobbin_stats stats;

    script.sent = 0;
    script.spans_sent = 0;
    bobbin_span_end(open); /* the parent's */
    record(fixture, 3);
    if (bobbin_flush(TEST_TIMEOUT_MS) != BOBBIN_OK) {
        return 2;
    }
    bobbin_stats_read(&stats);
    if (script.spans_sent != 3 || stats.exported != 3 || stats.ended != 3 || script.forked != 1) {
        return 3;
    }
    return bobbin_shutdown(TEST_TIMEOUT_MS) == BOBBIN_OK ? 0 : 4;
}

static void a_forked_child_traces_on_without_duplicates(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats now;
    struct bobbin_span open;

    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    record(fixture, 2);
    bobbin_span_start(&open, fixture->tracer, bobbin_lit("open"), NULL);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
            _exit(trace_in_child(fixture, &open));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    bobbin_span_end(&open);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_OK);
    now = since(&before);
    assert_int_equal(now.exported, 3);
    assert_int_equal(script.spans_sent, 3);
}

static atomic_bool storm_is_over;

static void *record_until_over(void *arg)
{
    const struct client_fixture *fixture = arg;

    while (!atomic_load(&storm_is_over)) {
        record(fixture, 100);
    }
    return NULL;
}

static void forks_in_a_storm_of_spans_neither_hang_nor_duplicate(void **state)
{
    struct client_fixture *fixture = *state;
    pthread_t threads[8];
    struct bobbin_stats before;
    struct bobbin_stats now;

    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    atomic_store(&storm_is_over, false);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, record_until_over, fixture), 0);
    }
    for (unsigned i = 0; i < 200; i++) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
            struct bobbin_stats stats;
            struct bobbin_span span;

            /* Another thread of the parent may have been inside the exporter's own lock. */
            pthread_mutex_init(&script.mutex, NULL);
            script.spans_sent = 0;
            bobbin_span_start(&span, fixture->tracer, bobbin_lit("child"), NULL);
            bobbin_span_end(&span);
            if (bobbin_flush(TEST_TIMEOUT_MS) != BOBBIN_OK) {
                _exit(2);
            }
            bobbin_stats_read(&stats);
            _exit(script.spans_sent == 1 && stats.exported == 1 ? 0 : 3);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&storm_is_over, true);
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    now = since(&before);
    assert_int_equal(now.exported + now.dropped[BOBBIN_DROP_RING_FULL], now.ended);
    assert_int_equal(script.spans_sent, now.exported);
}
#endif

static void retries_wait_longer_each_time_up_to_the_most(void **state)
{
    const struct bobbin_retry_opts retry = {.initial_ms = 100, .max_ms = 1000};

    (void)state;
    assert_int_equal(bbc_retry_wait_ms(&retry, 0, 0, 0), 50);
    assert_int_equal(bbc_retry_wait_ms(&retry, 0, 0, 50), 100);
    assert_int_equal(bbc_retry_wait_ms(&retry, 2, 0, 0), 200);
    assert_int_equal(bbc_retry_wait_ms(&retry, 40, 0, 500), 1000);
    assert_int_equal(bbc_retry_wait_ms(&retry, 0, 7000, 0), 7000);
    assert_int_equal(bbc_retry_wait_ms(&retry, 3, 10, 0), 400);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(splits_requests_by_count),
        TEST(splits_requests_by_bytes_and_drops_a_span_over_them),
        TEST(retries_until_it_is_taken),
        TEST(a_final_answer_drops_at_once),
        TEST(a_wait_over_the_time_of_a_request_drops_it),
        TEST(counts_what_the_receiver_rejects),
        TEST(the_breaker_drops_without_touching_the_receiver),
        TEST(a_full_ring_drops_the_newest),
        TEST(drop_oldest_keeps_the_newest_in_the_queue),
        TEST(a_shutdown_gives_up_in_its_time),
        TEST(a_span_that_ends_after_the_shutdown_is_counted),
        TEST(a_second_start_is_refused_and_its_exporter_closed),
        TEST(a_start_refuses_options_out_of_range),
        TEST(eight_threads_lose_nothing_uncounted),
#if FORKS_WITH_THREADS
        TEST(a_forked_child_traces_on_without_duplicates),
        TEST(forks_in_a_storm_of_spans_neither_hang_nor_duplicate),
#endif
        cmocka_unit_test(retries_wait_longer_each_time_up_to_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
