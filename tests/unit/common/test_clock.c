#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "common/clock.h"

static void the_system_clock_tells_unix_time(void **state)
{
    (void)state;
    uint64_t before_s = (uint64_t)time(NULL);
    uint64_t now_ns = bb_clock_unix_ns(&bb_clock_system);
    uint64_t after_s = (uint64_t)time(NULL);

    /* time() may be a tick behind clock_gettime(), so a second of slack on that side. */
    assert_in_range(now_ns / BB_NS_PER_S, before_s, after_s + 1);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    uint64_t last_ns = bb_clock_monotonic_ns(&bb_clock_system);

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t now_ns = bb_clock_monotonic_ns(&bb_clock_system);
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
}

struct moved_clock {
    struct bb_clock clock; /* first, so that a pointer to it is one to this */
    uint64_t now_ns;
};

static uint64_t moved_unix_ns(const struct bb_clock *clock)
{
    return ((const struct moved_clock *)clock)->now_ns;
}

static uint64_t moved_monotonic_ns(const struct bb_clock *clock)
{
    return ((const struct moved_clock *)clock)->now_ns + 5;
}

static void a_clock_of_ones_own_is_asked_instead(void **state)
{
    struct moved_clock moved = {{moved_unix_ns, moved_monotonic_ns}, 100};

    (void)state;
    assert_int_equal(bb_clock_unix_ns(&moved.clock), 100);
    moved.now_ns = 200;
    assert_int_equal(bb_clock_unix_ns(&moved.clock), 200);
    assert_int_equal(bb_clock_monotonic_ns(&moved.clock), 205);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_clock_tells_unix_time),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(a_clock_of_ones_own_is_asked_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
