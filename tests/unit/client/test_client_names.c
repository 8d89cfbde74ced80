#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/client/client_fixture.h"

static void every_error_and_reason_has_a_name(void **state)
{
    (void)state;
    for (int err = BOBBIN_OK; err <= BOBBIN_EIO; err++) {
        assert_memory_equal(bobbin_err_name((enum bobbin_err)err), "BOBBIN_", 7);
    }
    assert_string_equal(bobbin_err_name((enum bobbin_err)999), "unknown error");
    for (int reason = 0; reason < BOBBIN_DROP_REASONS; reason++) {
        assert_non_null(bobbin_drop_name((enum bobbin_drop)reason));
    }
    assert_null(bobbin_drop_name(BOBBIN_DROP_REASONS));
}

static void the_version_is_that_of_the_header(void **state)
{
    char wanted[32];

    (void)state;
    (void)snprintf(wanted, sizeof wanted, "%d.%d.%d", BOBBIN_VERSION_MAJOR, BOBBIN_VERSION_MINOR,
                   BOBBIN_VERSION_PATCH);
    assert_string_equal(bobbin_version(), wanted);
    assert_string_equal(BOBBIN_VERSION, wanted);
}

static void a_dump_has_a_line_for_each_counter_and_is_cut_to_fit(void **state)
{
    char text[2048];
    char small[8];
    size_t size = bobbin_stats_dump(text, sizeof text);

    (void)state;
    assert_int_equal(size, strlen(text));
    assert_contains(text, "spans_started 0\n");
    assert_contains(text, "spans_dropped_ring_full 0\n");
    assert_contains(text, "breaker_state 0\n");
    assert_int_equal(bobbin_stats_dump(small, sizeof small), size);
    assert_string_equal(small, "spans_s");
    assert_int_equal(bobbin_stats_dump(NULL, 0), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_and_reason_has_a_name),
        cmocka_unit_test(the_version_is_that_of_the_header),
        cmocka_unit_test(a_dump_has_a_line_for_each_counter_and_is_cut_to_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
