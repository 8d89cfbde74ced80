#include "collector/timed_wait.h"

#include "common/clock.h"

void bb_cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec bb_monotonic_in_ms(uint64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t ns = (uint64_t)at.tv_nsec + ms * BB_NS_PER_MS;
    at.tv_sec += (time_t)(ns / BB_NS_PER_S);
    at.tv_nsec = (long)(ns % BB_NS_PER_S);
    return at;
}
