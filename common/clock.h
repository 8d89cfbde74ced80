/*
 * clock.h - time as a parameter: what the tests put their own hands on.
 * The system's clock is bb_clock_system; a test makes its own struct and moves it.
 */
#ifndef BB_COMMON_CLOCK_H
#define BB_COMMON_CLOCK_H

#include <stdint.h>

#define BB_NS_PER_US UINT64_C(1000)
#define BB_NS_PER_MS UINT64_C(1000000)
#define BB_NS_PER_S UINT64_C(1000000000)

struct bb_clock {
    uint64_t (*unix_ns)(const struct bb_clock *clock);      /* nanoseconds since the Unix epoch */
    uint64_t (*monotonic_ns)(const struct bb_clock *clock); /* never goes back; no fixed origin */
};

extern const struct bb_clock bb_clock_system;

static inline uint64_t bb_clock_unix_ns(const struct bb_clock *clock)
{
    return clock->unix_ns(clock);
}

static inline uint64_t bb_clock_monotonic_ns(const struct bb_clock *clock)
{
    return clock->monotonic_ns(clock);
}

#endif /* BB_COMMON_CLOCK_H */
