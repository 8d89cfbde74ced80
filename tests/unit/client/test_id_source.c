#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/id_source.h"

/* The first numbers of xoshiro256++ from the state 1, 2, 3, 4, as its authors' program gives them.
 */
static void makes_the_numbers_of_xoshiro256plusplus(void **state)
{
    static const uint64_t wanted[] = {41943041u, 58720359u, UINT64_C(3588806011781223),
                                      UINT64_C(3591011842654386)};
    struct bbc_id_source source = {{1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(bbc_id_source_next(&source), wanted[i]);
    }
}

static void two_seeds_differ(void **state)
{
    struct bbc_id_source a;
    struct bbc_id_source b;

    (void)state;
    assert_true(bbc_id_source_seed(&a));
    assert_true(bbc_id_source_seed(&b));
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void an_id_is_never_zero(void **state)
{
    /* s[0] + s[3] rotated, plus s[0]: zero for this state at first. */
    struct bbc_id_source source = {{0, 1, 1, 0}};

    (void)state;
    assert_int_not_equal(bbc_id_source_next_id(&source), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_numbers_of_xoshiro256plusplus),
        cmocka_unit_test(two_seeds_differ),
        cmocka_unit_test(an_id_is_never_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
