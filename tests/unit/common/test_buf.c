#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "tests/support/fault.h"

static void appends_bytes_slices_text_and_numbers_in_order(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    bb_buf_append(&buf, "ab", 2);
    bb_buf_append_slice(&buf, bb_slice_from_cstr("cd"));
    bb_buf_append_cstr(&buf, "ef");
    bb_buf_append_byte(&buf, 'g');
    bb_buf_printf(&buf, "%d", 12);
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&buf), "abcdefg12"));
    bb_buf_dispose(&buf);
}

static void appending_nothing_is_no_error(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 0);
    bb_buf_append(&buf, NULL, 0);
    bb_buf_append_slice(&buf, bb_slice_of(NULL, 0));
    bb_buf_append_cstr(&buf, "");
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    assert_int_equal(buf.size, 0);
    bb_buf_dispose(&buf);
}

static void grows_to_its_limit_and_not_a_byte_more(void **state)
{
    static const size_t limits[] = {1, 255, 256, 257, 300, 511, 512, 1000, 1 << 20};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(limits); i++) {
        struct bb_buf buf;
        bb_buf_init(&buf, limits[i]);
        for (size_t at = 0; at < limits[i]; at++) {
            bb_buf_append_byte(&buf, (uint8_t)at);
        }
        assert_int_equal(bb_buf_err(&buf), BB_OK);
        assert_int_equal(buf.size, limits[i]);
        bb_buf_append_byte(&buf, 0);
        assert_int_equal(bb_buf_err(&buf), BB_ETOOBIG);
        assert_int_equal(buf.size, limits[i]);
        assert_true(buf.capacity <= limits[i]);
        for (size_t at = 0; at < limits[i]; at++) {
            assert_int_equal(buf.data[at], (uint8_t)at);
        }
        bb_buf_dispose(&buf);
    }
}

static void an_error_sticks_until_it_is_cleared(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 4);
    bb_buf_append_cstr(&buf, "abc");
    bb_buf_append_cstr(&buf, "de");
    bb_buf_append_cstr(&buf, "f"); /* would fit, but the text would have a hole */
    bb_buf_printf(&buf, "%s", "");
    assert_null(bb_buf_reserve(&buf, 0));
    assert_int_equal(bb_buf_err(&buf), BB_ETOOBIG);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&buf), "abc"));

    bb_buf_clear(&buf);
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    assert_int_equal(buf.size, 0);
    bb_buf_append_cstr(&buf, "wxyz");
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&buf), "wxyz"));
    bb_buf_dispose(&buf);
}

static void refuses_sizes_that_overflow(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    bb_buf_append_cstr(&buf, "abc");
    assert_null(bb_buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(bb_buf_err(&buf), BB_ETOOBIG);
    bb_buf_dispose(&buf);
}

static void reserved_bytes_count_only_once_advanced(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    uint8_t *room = bb_buf_reserve(&buf, 10);
    assert_non_null(room);
    memcpy(room, "0123456789", 10);
    assert_int_equal(buf.size, 0);
    bb_buf_advance(&buf, 4);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&buf), "0123"));
    bb_buf_dispose(&buf);
}

static void clearing_keeps_the_memory(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    bb_buf_append_cstr(&buf, "abc");
    const uint8_t *data = buf.data;
    bb_buf_clear(&buf);
    bb_buf_append_cstr(&buf, "def");
    assert_ptr_equal(buf.data, data);
    bb_buf_dispose(&buf);
}

static void disposing_keeps_the_limit(void **state)
{
    struct bb_buf zeroed = {0};
    struct bb_buf buf;

    (void)state;
    bb_buf_dispose(NULL);
    bb_buf_dispose(&zeroed);
    bb_buf_init(&buf, 3);
    bb_buf_append_cstr(&buf, "abcd");
    bb_buf_dispose(&buf);
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    bb_buf_append_cstr(&buf, "abc");
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    bb_buf_dispose(&buf);
}

/* Fails each allocation in turn: what was appended before it stays, nothing after it is. */
static void a_failed_allocation_keeps_what_was_there(void **state)
{
    enum { APPEND_COUNT = 2000, FAULTS_MAX = 50 };

    (void)state;
    for (uint32_t nth = 1; nth <= FAULTS_MAX; nth++) {
        struct bb_buf buf;
        size_t size_before = 0;
        bb_buf_init(&buf, 1 << 20);
        fault_arm(nth);
        for (int i = 0; i < APPEND_COUNT; i++) {
            bb_buf_append_cstr(&buf, "0123456789");
            if (bb_buf_err(&buf) == BB_OK) {
                size_before = buf.size;
            }
        }
        bool fired = fault_disarm();
        assert_int_equal(bb_buf_err(&buf), fired ? BB_ENOMEM : BB_OK);
        assert_int_equal(buf.size, size_before);
        for (size_t at = 0; at < buf.size; at++) {
            assert_int_equal(buf.data[at], '0' + (int)(at % 10));
        }
        bb_buf_dispose(&buf);
        if (!fired) {
            assert_int_equal(size_before, 10 * APPEND_COUNT); /* every fault point was tried */
            assert_true(nth > 5);
            return;
        }
    }
    fail_msg("over %d allocations", FAULTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_bytes_slices_text_and_numbers_in_order),
        cmocka_unit_test(appending_nothing_is_no_error),
        cmocka_unit_test(grows_to_its_limit_and_not_a_byte_more),
        cmocka_unit_test(an_error_sticks_until_it_is_cleared),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(reserved_bytes_count_only_once_advanced),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(disposing_keeps_the_limit),
        cmocka_unit_test(a_failed_allocation_keeps_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
