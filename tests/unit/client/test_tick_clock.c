#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/tick_clock.h"

static void ticks_become_time_by_anchor_and_rate(void **state)
{
    const struct bbc_tick_clock clock = {
        .anchor_tick = 1000, .anchor_unix_ns = 5000000, .ns_per_tick = 0.5};

    (void)state;
    assert_int_equal(bbc_tick_clock_unix_ns(&clock, 1000), 5000000);
    assert_int_equal(bbc_tick_clock_unix_ns(&clock, 3000), 5001000);
    assert_int_equal(bbc_tick_clock_unix_ns(&clock, 0), 4999500); /* before the anchor */
}

static void both_clocks_give_the_time_of_the_wall_clock(void **state)
{
    (void)state;
    for (int uses_tsc = 0; uses_tsc <= (int)bbc_tsc_is_trusted(); uses_tsc++) {
        struct bbc_tick_clock clock;
        uint64_t before;
        uint64_t found;
        uint64_t after;

        bbc_tick_clock_init(&clock, uses_tsc != 0);
        before = bbc_clock_ns(CLOCK_REALTIME);
        found = bbc_tick_now(uses_tsc != 0);
        after = bbc_clock_ns(CLOCK_REALTIME);
        bbc_tick_clock_refresh(&clock);
        found = bbc_tick_clock_unix_ns(&clock, found);
        assert_true(found + 1000000 > before);
        assert_true(found < after + 1000000);
    }
}

static void the_anchor_follows_a_stepped_wall_clock(void **state)
{
    struct bbc_tick_clock clock;
    uint64_t now;

    (void)state;
    bbc_tick_clock_init(&clock, false);
    clock.anchor_unix_ns -= 3600u * UINT64_C(1000000000); /* as if it had been an hour late */
    bbc_tick_clock_refresh(&clock);
    now = bbc_clock_ns(CLOCK_REALTIME);
    assert_true(bbc_tick_clock_unix_ns(&clock, bbc_tick_now(false)) + 1000000 > now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_become_time_by_anchor_and_rate),
        cmocka_unit_test(both_clocks_give_the_time_of_the_wall_clock),
        cmocka_unit_test(the_anchor_follows_a_stepped_wall_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
