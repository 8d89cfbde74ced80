/*
 * tick_clock.h - the clock that spans read, and how its ticks become Unix time later.
 *
 * A span reads one counter at each end: the TSC where the kernel uses it as its own clock source
 * (and
 * so has checked that it is constant and the same on all cores), else CLOCK_MONOTONIC. The
 * exporting
 * thread turns ticks into Unix nanoseconds:
 *
 *     unix = anchor.unix + (tick - anchor.tick) * nanoseconds a tick
 *
 * The rate comes from two readings of both clocks, the first taken at the start and the second at
 * each
 * drain. A span is never older than the start, so the error of the rate times its age stays
 * below the error of one reading, some 100 ns. The anchor moves only when the wall clock has been
 * stepped or has drifted by BBC_ANCHOR_DRIFT_NS_MAX, so that the spans of a trace fit each other.
 */
#ifndef BBC_TICK_CLOCK_H
#define BBC_TICK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds that the anchored time may be off the wall clock. */
#define BBC_ANCHOR_DRIFT_NS_MAX 500000

struct bbc_tick_clock {
    bool uses_tsc;
    uint64_t first_tick;
    uint64_t first_monotonic_ns;
    uint64_t anchor_tick;
    uint64_t anchor_unix_ns;
    double ns_per_tick;
};

static inline uint64_t bbc_clock_ns(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t bbc_tick_now(bool uses_tsc)
{
#if defined(__x86_64__) || defined(__i386__)
    if (uses_tsc) {
        return __builtin_ia32_rdtsc();
    }
#else
    (void)uses_tsc;
#endif
    return bbc_clock_ns(CLOCK_MONOTONIC);
}

/* Whether the kernel keeps its own time by the TSC. */
bool bbc_tsc_is_trusted(void);

/* Takes the first reading. */
void bbc_tick_clock_init(struct bbc_tick_clock *clock, bool uses_tsc);

/* Takes another reading: at each drain, before ticks are turned into time. */
void bbc_tick_clock_refresh(struct bbc_tick_clock *clock);

/* Unix nanoseconds of a tick. */
uint64_t bbc_tick_clock_unix_ns(const struct bbc_tick_clock *clock, uint64_t tick);

#endif /* BBC_TICK_CLOCK_H */
