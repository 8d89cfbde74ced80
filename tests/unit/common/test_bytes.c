#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/check.h"

static void integers_have_the_byte_order_of_their_name(void **state)
{
    uint8_t bytes[8];

    (void)state;
    bb_put_be32(bytes, UINT32_C(0x01020384));
    assert_memory_equal(bytes, "\x01\x02\x03\x84", 4);
    assert_int_equal(bb_get_be32(bytes), UINT32_C(0x01020384));
    bb_put_le32(bytes, UINT32_C(0x01020384));
    assert_memory_equal(bytes, "\x84\x03\x02\x01", 4);
    assert_int_equal(bb_get_le32(bytes), UINT32_C(0x01020384));
    bb_put_be64(bytes, UINT64_C(0x81020304050607f8));
    assert_memory_equal(bytes, "\x81\x02\x03\x04\x05\x06\x07\xf8", 8);
    assert_true(bb_get_be64(bytes) == UINT64_C(0x81020304050607f8));
    bb_put_le64(bytes, UINT64_C(0x81020304050607f8));
    assert_memory_equal(bytes, "\xf8\x07\x06\x05\x04\x03\x02\x81", 8);
    assert_true(bb_get_le64(bytes) == UINT64_C(0x81020304050607f8));
}

static void integers_need_no_alignment(void **state)
{
    uint8_t bytes[16] = {0};

    (void)state;
    for (size_t at = 0; at < 8; at++) {
        bb_put_le64(bytes + at, UINT64_C(0xfedcba9876543210));
        assert_true(bb_get_le64(bytes + at) == UINT64_C(0xfedcba9876543210));
    }
}

static void hex_of_every_byte_reads_back(void **state)
{
    uint8_t bytes[256];
    uint8_t back[256];
    char digits[513];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    bb_hex_encode(bytes, sizeof bytes, digits);
    assert_int_equal(strlen(digits), 512);
    assert_memory_equal(digits, "000102", 6);
    assert_memory_equal(digits + 506, "fdfeff", 6);
    assert_true(bb_hex_decode(digits, 512, back));
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void hex_takes_either_case(void **state)
{
    uint8_t bytes[3];

    (void)state;
    assert_true(bb_hex_decode("aBCdeF", 6, bytes));
    assert_memory_equal(bytes, "\xab\xcd\xef", 3);
    assert_true(bb_hex_decode("", 0, bytes));
}

static void hex_refuses_odd_counts_and_every_other_character(void **state)
{
    uint8_t bytes[1];

    (void)state;
    assert_false(bb_hex_decode("abc", 3, bytes));
    for (unsigned c = 0; c < 256; c++) {
        char digits[2] = {(char)c, '0'};
        char swapped[2] = {'0', (char)c};
        bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", (int)c) != NULL;
        assert_int_equal(bb_hex_decode(digits, 2, bytes), is_digit);
        assert_int_equal(bb_hex_decode(swapped, 2, bytes), is_digit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_the_byte_order_of_their_name),
        cmocka_unit_test(integers_need_no_alignment),
        cmocka_unit_test(hex_of_every_byte_reads_back),
        cmocka_unit_test(hex_takes_either_case),
        cmocka_unit_test(hex_refuses_odd_counts_and_every_other_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
