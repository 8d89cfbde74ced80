#include "query/param_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void reads_whole_numbers_and_nothing_else(void **state)
{
    static const char *const bad[] = {"", "-1", "+1", "1.5", "1 ", "0x10", "18446744073709551616"};
    uint64_t value = 7;

    (void)state;
    assert_true(bb_param_parse_uint(bb_slice_from_cstr("0"), &value));
    assert_true(value == 0);
    assert_true(bb_param_parse_uint(bb_slice_from_cstr("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(bb_param_parse_uint(bb_slice_from_cstr(bad[i]), &value));
    }
}

static void reads_the_booleans_that_go_reads(void **state)
{
    bool value = false;

    (void)state;
    assert_true(bb_param_parse_bool(bb_slice_from_cstr("True"), &value));
    assert_true(value);
    assert_true(bb_param_parse_bool(bb_slice_from_cstr("0"), &value));
    assert_false(value);
    assert_false(bb_param_parse_bool(bb_slice_from_cstr("yes"), &value));
    assert_false(bb_param_parse_bool(bb_slice_from_cstr(""), &value));
}

static uint64_t time_of(const char *text)
{
    uint64_t unix_ns = 12345;

    assert_true(bb_param_parse_time(bb_slice_from_cstr(text), &unix_ns));
    return unix_ns;
}

static void takes_a_blank_for_the_plus_of_an_offset(void **state)
{
    (void)state;
    assert_true(time_of("2026-11-24T23:00:00 01:00") == time_of("2026-11-24T22:00:00Z"));
    assert_true(time_of("2026-11-24T23:00:00.000000001+01:00") == UINT64_C(1795557600000000001));
}

static void bounds_times_that_64_bits_cannot_hold(void **state)
{
    (void)state;
    assert_true(time_of("0001-01-01T00:00:00Z") == 0);
    assert_true(time_of("1970-01-01T00:30:00+01:00") == 0);
    assert_true(time_of("9999-12-31T23:59:59Z") == UINT64_MAX);
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "", "now", "2026-11-24", "2026-13-24T22:00:00Z", "2026-11-24T22:00:00", "1795557600000000"};
    uint64_t unix_ns;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(bb_param_parse_time(bb_slice_from_cstr(bad[i]), &unix_ns));
    }
}

static void check_id(const char *text, const char *hex)
{
    char formatted[BB_TRACE_ID_HEX_SIZE];
    struct bb_trace_id id;

    assert_true(bb_param_parse_trace_id(bb_slice_from_cstr(text), &id));
    bb_trace_id_format(&id, formatted);
    assert_string_equal(formatted, hex);
}

static void reads_trace_ids_as_hex_and_as_base64(void **state)
{
    (void)state;
    check_id("0102030405060708090A0b0c0d0e0f10", "0102030405060708090a0b0c0d0e0f10");
    check_id("abc", "00000000000000000000000000000abc");
    check_id("AQIDBAUGBwgJCgsMDQ4PEA==", "0102030405060708090a0b0c0d0e0f10");
    check_id("AQIDBAUGBwgJCgsMDQ4PEA", "0102030405060708090a0b0c0d0e0f10");
    check_id("-_-_-_-_-_8=", "0000000000000000fbffbffbffbffbff");
}

static void refuses_what_is_no_trace_id(void **state)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "00000000000000000000000000000000",
                                      "0102030405060708090a0b0c0d0e0f1011",
                                      "xyz",
                                      "AAAAAAAAAAAAAAAAAAAAAA==",
                                      "AQIDBAUGBwgJCgsMDQ4PEBE="};
    struct bb_trace_id id;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(bb_param_parse_trace_id(bb_slice_from_cstr(bad[i]), &id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_numbers_and_nothing_else),
        cmocka_unit_test(reads_the_booleans_that_go_reads),
        cmocka_unit_test(takes_a_blank_for_the_plus_of_an_offset),
        cmocka_unit_test(bounds_times_that_64_bits_cannot_hold),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(reads_trace_ids_as_hex_and_as_base64),
        cmocka_unit_test(refuses_what_is_no_trace_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
