#include "client/tick_clock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A reading is taken so often, and the one that took the least time counts. */
#define READING_ATTEMPTS 5

struct reading {
    uint64_t tick;
    uint64_t other_ns;
};

static struct reading read_both(bool uses_tsc, clockid_t other)
{
    struct reading best = {0, 0};
    uint64_t best_width = UINT64_MAX;

    for (unsigned i = 0; i < READING_ATTEMPTS; i++) {
        uint64_t before = bbc_tick_now(uses_tsc);
        uint64_t other_ns = bbc_clock_ns(other);
        uint64_t width = bbc_tick_now(uses_tsc) - before;

        if (width < best_width) {
            best_width = width;
            best = (struct reading){before + width / 2, other_ns};
        }
    }
    return best;
}

bool bbc_tsc_is_trusted(void)
{
#if defined(__x86_64__) || defined(__i386__)
    char name[8] = {0};
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0) {
        return false;
    }
    size = read(fd, name, sizeof name - 1);
    (void)close(fd);
    return size == 4 && memcmp(name, "tsc\n", 4) == 0;
#else
    return false;
#endif
}

static void move_anchor(struct bbc_tick_clock *clock)
{
    struct reading now = read_both(clock->uses_tsc, CLOCK_REALTIME);

    clock->anchor_tick = now.tick;
    clock->anchor_unix_ns = now.other_ns;
}

void bbc_tick_clock_init(struct bbc_tick_clock *clock, bool uses_tsc)
{
    struct reading first = read_both(uses_tsc, CLOCK_MONOTONIC);

    clock->uses_tsc = uses_tsc;
    clock->first_tick = first.tick;
    clock->first_monotonic_ns = first.other_ns;
    clock->ns_per_tick = 1.0;
    move_anchor(clock);
}

void bbc_tick_clock_refresh(struct bbc_tick_clock *clock)
{
    struct reading now;
    uint64_t expected;
    uint64_t off;

    if (clock->uses_tsc) {
        now = read_both(true, CLOCK_MONOTONIC);
        if (now.tick > clock->first_tick && now.other_ns > clock->first_monotonic_ns) {
            clock->ns_per_tick = (double)(now.other_ns - clock->first_monotonic_ns) /
                                 (double)(now.tick - clock->first_tick);
        }
    }
    now = read_both(clock->uses_tsc, CLOCK_REALTIME);
    expected = bbc_tick_clock_unix_ns(clock, now.tick);
    off = expected > now.other_ns ? expected - now.other_ns : now.other_ns - expected;
    if (off > BBC_ANCHOR_DRIFT_NS_MAX) {
        clock->anchor_tick = now.tick;
        clock->anchor_unix_ns = now.other_ns;
    }
}

uint64_t bbc_tick_clock_unix_ns(const struct bbc_tick_clock *clock, uint64_t tick)
{
    /* Signed, as a span may have begun before the anchor. */
    double ns = (double)(int64_t)(tick - clock->anchor_tick) * clock->ns_per_tick;

    return clock->anchor_unix_ns + (uint64_t)(int64_t)ns;
}
