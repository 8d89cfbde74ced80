/*
 * test_store_oracle.c - a store under random appends, seals, hours that pass and reopenings answers
 * whatever it is asked as a list of all its spans does.
 *
 * Each round prints its seed when it fails; BOBBIN_SEED runs that one again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "span_random.h"
#include "store_fixture.h"

#define REQUEST_BYTES_MAX ((size_t)4 << 20)

static uint64_t first_seed(void)
{
    const char *text = getenv("BOBBIN_SEED");

    return text == NULL ? 20261125 : strtoull(text, NULL, 10);
}

static void append_random(struct store_fixture *fx, struct span_random *random)
{
    struct bb_buf request;

    bb_buf_init(&request, REQUEST_BYTES_MAX);
    span_random_put_request(random, &request);
    assert_int_equal(bb_buf_err(&request), BB_OK);
    store_fixture_append_wire(fx, bb_buf_slice(&request));
    if (span_random_below(random, 10) == 0) { /* an exporter that tried again */
        store_fixture_append_wire(fx, bb_buf_slice(&request));
    }
    bb_buf_dispose(&request);
}

/* What may happen to a store between two appends. */
static void disturb(struct store_fixture *fx, struct span_random *random)
{
    switch (span_random_below(random, 12)) {
    case 0:
        store_fixture_seal(fx);
        break;
    case 1:
        store_fixture_pass(fx, FIXTURE_HOUR_NS);
        break;
    case 2:
        store_fixture_reopen(fx);
        break;
    case 3:
        store_fixture_pass(fx, FIXTURE_HOUR_NS);
        store_fixture_reopen(fx);
        break;
    case 4: /* spans of another time */
        random->start_unix_ns += BB_NS_PER_S * span_random_below(random, 600);
        break;
    default:
        break;
    }
}

static void check_searches(struct store_fixture *fx, struct span_random *random, uint64_t seed,
                           int count)
{
    for (int i = 0; i < count; i++) {
        struct bb_condition conditions[RANDOM_CONDITIONS_MAX];
        struct bb_search search = span_random_search(random, conditions);
        char what[80];
        snprintf(what, sizeof what, "seed %llu, search %d", (unsigned long long)seed, i);
        store_fixture_check_search(fx, &search, what);
    }
}

static void run_round(struct store_fixture *fx, uint64_t seed, int append_count)
{
    struct span_random random = {.seed = seed, .start_unix_ns = FIXTURE_START_NS};

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < append_count; i++) {
        append_random(fx, &random);
        disturb(fx, &random);
        if (i % 8 == 7) {
            check_searches(fx, &random, seed, 6);
        }
    }
    check_searches(fx, &random, seed, 150);
    store_fixture_check_all(fx);
    store_fixture_seal(fx);
    check_searches(fx, &random, seed, 150);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    check_searches(fx, &random, seed, 30);
    store_fixture_check_all(fx);
}

static void answers_as_a_list_of_its_spans_does(void **state)
{
    run_round(*state, first_seed(), 50);
}

static void answers_as_a_list_of_its_spans_does_when_small(void **state)
{
    for (uint64_t i = 0; i < 4; i++) {
        run_round(*state, first_seed() + 1 + i, 6);
        store_fixture_tear_down(state);
        store_fixture_set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_as_a_list_of_its_spans_does, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(answers_as_a_list_of_its_spans_does_when_small,
                                        store_fixture_set_up, store_fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
