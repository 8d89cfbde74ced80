#include "common/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * BB_NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t system_unix_ns(const struct bb_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

static uint64_t system_monotonic_ns(const struct bb_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

const struct bb_clock bb_clock_system = {
    .unix_ns = system_unix_ns,
    .monotonic_ns = system_monotonic_ns,
};
