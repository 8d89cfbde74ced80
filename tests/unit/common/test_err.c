#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static void ok_is_zero(void **state)
{
    (void)state;
    assert_int_equal(BB_OK, 0);
}

static void every_error_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < BB_ERR_COUNT; a++) {
        assert_true(strlen(bb_err_text((enum bb_err)a)) > 0);
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(bb_err_text((enum bb_err)a), bb_err_text((enum bb_err)b));
        }
    }
}

static void setting_words_gives_the_error_back(void **state)
{
    struct bb_err_detail detail = {{0}};

    (void)state;
    assert_int_equal(bb_err_set(&detail, BB_EIO, "%s at %d", "read", 7), BB_EIO);
    assert_string_equal(detail.text, "read at 7");
    assert_int_equal(bb_err_set(NULL, BB_EFULL, "%s", "nobody listens"), BB_EFULL);
}

static void long_words_are_cut_and_end_with_a_nul(void **state)
{
    struct bb_err_detail detail;

    (void)state;
    memset(&detail, 'x', sizeof detail);
    assert_int_equal(bb_err_set(&detail, BB_EINVAL, "%01000d", 7), BB_EINVAL);
    assert_int_equal(strlen(detail.text), BB_ERR_DETAIL_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ok_is_zero),
        cmocka_unit_test(every_error_has_a_text_of_its_own),
        cmocka_unit_test(setting_words_gives_the_error_back),
        cmocka_unit_test(long_words_are_cut_and_end_with_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
