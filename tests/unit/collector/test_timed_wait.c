#include "collector/timed_wait.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/clock.h"

static uint64_t to_ns(struct timespec at)
{
    return (uint64_t)at.tv_sec * BB_NS_PER_S + (uint64_t)at.tv_nsec;
}

static void adds_to_the_monotonic_clock_and_carries(void **state)
{
    struct timespec now;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (uint64_t ms = 0; ms < 3000; ms += 7) {
        struct timespec at = bb_monotonic_in_ms(ms);
        assert_in_range(at.tv_nsec, 0, BB_NS_PER_S - 1);
        assert_true(to_ns(at) >= to_ns(now) + ms * BB_NS_PER_MS);
    }
}

static void a_wait_until_now_ends_at_once(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;

    (void)state;
    bb_cond_init_monotonic(&cond);
    struct timespec until = bb_monotonic_in_ms(0);
    pthread_mutex_lock(&mutex);
    /* By the wall clock it would lie decades back as well; the next test tells them apart. */
    assert_int_equal(pthread_cond_timedwait(&cond, &mutex, &until), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&cond);
}

static void waits_by_the_monotonic_clock(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    struct timespec before;
    struct timespec after;

    (void)state;
    bb_cond_init_monotonic(&cond);
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct timespec until = bb_monotonic_in_ms(5);
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&cond, &mutex, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&mutex);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(to_ns(after) >= to_ns(before) + 5 * BB_NS_PER_MS);
    pthread_cond_destroy(&cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_to_the_monotonic_clock_and_carries),
        cmocka_unit_test(a_wait_until_now_ends_at_once),
        cmocka_unit_test(waits_by_the_monotonic_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
