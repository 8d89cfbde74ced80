#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/breaker.h"

static const struct bobbin_breaker_opts opts = {
    .window_ms = 10000,
    .volume_threshold = 5,
    .error_share_percent = 50,
    .sleep_window_ms = 1000,
    .probe_count = 5,
    .successes_required = 1,
};

/*
 * A caller makes one call after the other, 100 ms between them. The peer takes 1 s and fails for
 * the calls 5 to 15. The breaker opens with the fifth failure, keeps calls from the peer for 1 s,
 * and finds it well again.
 */
static void an_outage_costs_five_slow_calls(void **state)
{
    struct bbc_breaker breaker;
    uint64_t now = 1000000;
    unsigned passed = 0;
    unsigned failed_slowly = 0;
    unsigned failed_fast = 0;

    (void)state;
    bbc_breaker_init(&breaker, &opts);
    for (unsigned call = 0; call < 40; call++, now += 100) {
        bool is_bad = call >= 5 && call <= 15;
        bool is_allowed = bbc_breaker_allows(&breaker, now);

        if (call < 5) {
            assert_true(is_allowed);
        } else if (call <= 9) {
            assert_true(is_allowed);
            assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
        } else if (call <= 18) {
            assert_false(is_allowed);
            assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
        } else {
            assert_true(is_allowed);
        }
        if (!is_allowed) {
            failed_fast++;
            continue;
        }
        if (call == 19) {
            assert_int_equal(breaker.state, BOBBIN_BREAKER_HALF_OPEN);
        }
        now += is_bad ? 1000 : 0;
        bbc_breaker_report(&breaker, now, !is_bad);
        passed += !is_bad;
        failed_slowly += is_bad;
        if (call == 9) {
            assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
        }
        if (call >= 19) {
            assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
        }
    }
    assert_int_equal(passed, 5 + 21);
    assert_int_equal(failed_slowly, 5);
    assert_int_equal(failed_fast, 9);
    assert_int_equal(breaker.opened_count, 1);
}

static void fail_calls(struct bbc_breaker *breaker, uint64_t now, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(bbc_breaker_allows(breaker, now));
        bbc_breaker_report(breaker, now, false);
    }
}

static void stays_closed_below_the_volume(void **state)
{
    struct bbc_breaker breaker;

    (void)state;
    bbc_breaker_init(&breaker, &opts);
    fail_calls(&breaker, 5000, 4);
    assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
    fail_calls(&breaker, 5000, 1);
    assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
}

static void stays_closed_below_the_share(void **state)
{
    struct bbc_breaker breaker;

    (void)state;
    bbc_breaker_init(&breaker, &opts);
    for (unsigned i = 0; i < 100; i++) {
        bbc_breaker_report(&breaker, 1000, true);
    }
    fail_calls(&breaker, 1000, 99);
    assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
    fail_calls(&breaker, 1000, 1); /* 100 of 200 */
    assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
}

static void forgets_what_is_older_than_the_window(void **state)
{
    struct bbc_breaker breaker;

    (void)state;
    bbc_breaker_init(&breaker, &opts);
    fail_calls(&breaker, 1000, 4);
    fail_calls(&breaker, 12000, 4);
    assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
    fail_calls(&breaker, 13000, 1); /* the five of 12 s and 13 s */
    assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
}

static void half_open_lets_through_its_probes_only(void **state)
{
    struct bbc_breaker breaker;

    (void)state;
    bbc_breaker_init(&breaker, &opts);
    fail_calls(&breaker, 1000, 5);
    assert_false(bbc_breaker_allows(&breaker, 1999));
    for (unsigned i = 0; i < 5; i++) {
        assert_true(bbc_breaker_allows(&breaker, 2000));
    }
    assert_false(bbc_breaker_allows(&breaker, 2000));
    for (unsigned i = 0; i < 4; i++) {
        bbc_breaker_report(&breaker, 2000, false);
        assert_int_equal(breaker.state, BOBBIN_BREAKER_HALF_OPEN);
    }
    bbc_breaker_report(&breaker, 2500, false); /* none can succeed any more */
    assert_int_equal(breaker.state, BOBBIN_BREAKER_OPEN);
    assert_int_equal(breaker.opened_count, 2);
    assert_false(bbc_breaker_allows(&breaker, 3499));
    assert_true(bbc_breaker_allows(&breaker, 3500));
}

static void half_open_asks_for_its_successes(void **state)
{
    struct bobbin_breaker_opts three = opts;
    struct bbc_breaker breaker;

    (void)state;
    three.successes_required = 3;
    bbc_breaker_init(&breaker, &three);
    fail_calls(&breaker, 1000, 5);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(bbc_breaker_allows(&breaker, 2000));
        assert_int_equal(breaker.state, BOBBIN_BREAKER_HALF_OPEN);
        bbc_breaker_report(&breaker, 2000, true);
    }
    assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
}

static void switched_off_it_lets_all_through(void **state)
{
    const struct bobbin_breaker_opts off = {.is_off = true};
    struct bbc_breaker breaker;

    (void)state;
    bbc_breaker_init(&breaker, &off);
    fail_calls(&breaker, 1000, 100);
    assert_int_equal(breaker.state, BOBBIN_BREAKER_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_costs_five_slow_calls),
        cmocka_unit_test(stays_closed_below_the_volume),
        cmocka_unit_test(stays_closed_below_the_share),
        cmocka_unit_test(forgets_what_is_older_than_the_window),
        cmocka_unit_test(half_open_lets_through_its_probes_only),
        cmocka_unit_test(half_open_asks_for_its_successes),
        cmocka_unit_test(switched_off_it_lets_all_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
