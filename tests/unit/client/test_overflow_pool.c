#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/overflow_pool.h"

static void gives_each_block_once_until_none_is_left(void **state)
{
    uint8_t *blocks[8];
    uint32_t size = 0;

    (void)state;
    assert_null(bbc_overflow_take(1, &size)); /* not mapped yet */
    assert_true(bbc_overflow_map());
    for (unsigned i = 0; i < 8; i++) {
        blocks[i] = bbc_overflow_take(BBC_BLOCK_SIZE_MAX, &size);
        assert_non_null(blocks[i]);
        assert_int_equal(size, BBC_BLOCK_SIZE_MAX);
        memset(blocks[i], (int)i, size);
    }
    assert_null(bbc_overflow_take(BBC_BLOCK_SIZE_MAX, &size));
    assert_int_equal(bbc_overflow_taken_count(), 8);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][BBC_BLOCK_SIZE_MAX - 1], i);
    }
    bbc_overflow_release(blocks[3]);
    assert_ptr_equal(bbc_overflow_take(300000, &size), blocks[3]);
    for (unsigned i = 0; i < 8; i++) {
        bbc_overflow_release(blocks[i]);
    }
    bbc_overflow_release(NULL);
    assert_int_equal(bbc_overflow_taken_count(), 0);
}

static void gives_the_smallest_size_that_fits_and_is_there(void **state)
{
    static uint8_t *small[256];
    uint32_t size = 0;
    uint8_t *next;

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        small[i] = bbc_overflow_take(4096, &size);
        assert_int_equal(size, 4096);
    }
    next = bbc_overflow_take(1, &size);
    assert_int_equal(size, 32768);
    bbc_overflow_release(next);
    for (unsigned i = 0; i < 256; i++) {
        bbc_overflow_release(small[i]);
    }
    assert_null(bbc_overflow_take(BBC_BLOCK_SIZE_MAX + 1, &size));
    assert_int_equal(bbc_overflow_taken_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_block_once_until_none_is_left),
        cmocka_unit_test(gives_the_smallest_size_that_fits_and_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
