#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/env_text.h"

#define NAME "BOBBIN_TEST_VARIABLE"

static void an_empty_variable_is_unset(void **state)
{
    (void)state;
    unsetenv(NAME);
    assert_null(bbc_env_text(NAME));
    setenv(NAME, "", 1);
    assert_null(bbc_env_text(NAME));
    setenv(NAME, "x", 1);
    assert_string_equal(bbc_env_text(NAME), "x");
}

static void only_true_is_true(void **state)
{
    static const char *const others[] = {"false", "1", "yes", "truee", " true", ""};

    (void)state;
    setenv(NAME, "tRuE", 1);
    assert_true(bbc_env_is_true(NAME));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        setenv(NAME, others[i], 1);
        assert_false(bbc_env_is_true(NAME));
    }
}

static void a_number_that_is_malformed_or_out_of_range_counts_as_unset(void **state)
{
    static const char *const bad[] = {
        "-1", "1.5", "0x10", " 5", "5 ", "101", "9", "4294967306", "18446744073709551616", ""};
    uint32_t value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv(NAME, bad[i], 1);
        bbc_env_u32(NAME, 10, 100, &value);
        assert_int_equal(value, 7);
    }
    setenv(NAME, "100", 1);
    bbc_env_u32(NAME, 10, 100, &value);
    assert_int_equal(value, 100);
}

static void decodes_percents_and_leaves_bad_ones(void **state)
{
    char text[] = "a%20b%2cc%zz%4";
    size_t size;

    (void)state;
    size = bbc_percent_decode(text, strlen(text));
    assert_int_equal(size, 10);
    assert_memory_equal(text, "a b,c%zz%4", 10);
}

static void trims_blanks_at_both_ends(void **state)
{
    char text[] = " \ta b\t ";
    size_t size;

    (void)state;
    assert_ptr_equal(bbc_trim(text, text + strlen(text), &size), text + 2);
    assert_int_equal(size, 3);
    (void)bbc_trim(text, text + 2, &size);
    assert_int_equal(size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_variable_is_unset),
        cmocka_unit_test(only_true_is_true),
        cmocka_unit_test(a_number_that_is_malformed_or_out_of_range_counts_as_unset),
        cmocka_unit_test(decodes_percents_and_leaves_bad_ones),
        cmocka_unit_test(trims_blanks_at_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
