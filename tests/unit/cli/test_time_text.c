#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/time_text.h"

static struct bb_slice slice(const char *text)
{
    return bb_slice_from_cstr(text);
}

static void reads_durations_as_go_writes_them(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"1ns", 1},
        {"1.5us", 1500},
        {"1.5\xc2\xb5s", 1500},
        {"1.5\xce\xbcs", 1500},
        {"100ms", 100 * BB_NS_PER_MS},
        {"1h2m3.5s", 3723 * BB_NS_PER_S + 500 * BB_NS_PER_MS},
        {".5s", 500 * BB_NS_PER_MS},
        {"1.s", BB_NS_PER_S},
        {"7d", 7 * 86400 * BB_NS_PER_S},
        {"2w", 14 * 86400 * BB_NS_PER_S},
        {"168h", 168 * 3600 * BB_NS_PER_S},
        {"1s1s", 2 * BB_NS_PER_S},
        {"1.9999999999ns", 1},
        {"0.123456789123456789s", 123456789},
        {"0.3333333333333333h", 1199999999999},
        {"9223372036854775807ns", INT64_MAX},
        {"9223372036.854775807s", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t ns = 42;
        enum bb_err err = bb_duration_parse(slice(cases[i].text), &ns);
        if (err != BB_OK || ns != cases[i].ns) {
            fail_msg("%s: error %d, %llu ns", cases[i].text, err, (unsigned long long)ns);
        }
    }
}

static void refuses_what_is_no_duration(void **state)
{
    static const char *const cases[] = {
        "",   "1",  "s",    ".s",   "1.2.3s", "-1s",   "+1s",   "1 s",    "1s ", " 1s",
        "1x", "ms", "1e3s", "0x1s", "1S",     "1h-2m", "10,5s", "1\xc2s", "00",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t ns = 42;
        if (bb_duration_parse(slice(cases[i]), &ns) != BB_EINVAL || ns != 42) {
            fail_msg("taken: '%s'", cases[i]);
        }
    }
}

static void refuses_durations_over_63_bits(void **state)
{
    static const char *const cases[] = {
        "9223372036854775808ns",    "300000w",
        "9223372036854775807ns1ns", "99999999999999999999999999999999ns",
        "9223372036.854775808s",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t ns = 42;
        if (bb_duration_parse(slice(cases[i]), &ns) != BB_ETOOBIG || ns != 42) {
            fail_msg("not refused as too big: '%s'", cases[i]);
        }
    }
}

static void formats_durations_with_three_digits(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0ns"},
        {999, "999ns"},
        {1000, "1.00\xc2\xb5s"},
        {999999, "999\xc2\xb5s"},
        {1234567, "1.23ms"},
        {45678901, "45.6ms"},
        {999999999, "999ms"},
        {1200000000, "1.20s"},
        {59999999999, "59.9s"},
        {125 * BB_NS_PER_S, "2m05s"},
        {3720 * BB_NS_PER_S, "1h02m"},
        {76 * 3600 * BB_NS_PER_S, "3d04h"},
        {UINT64_MAX, "213503d23h"},
    };
    char text[BB_DURATION_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        size_t length = bb_duration_format(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
}

static void exact_durations_read_back_the_same(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1500, "1.5us"},
        {1500000, "1.5ms"},
        {1000001, "1.000001ms"},
        {168 * 3600 * BB_NS_PER_S, "168h"},
        {3723 * BB_NS_PER_S + 500 * BB_NS_PER_MS, "1h2m3.5s"},
        {90 * BB_NS_PER_S, "1m30s"},
        {3600 * BB_NS_PER_S + 1, "1h1ns"},
        {INT64_MAX, "2562047h47m16.854775807s"},
    };
    char text[BB_DURATION_TEXT_SIZE];
    uint64_t ns;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        size_t length = bb_duration_format_exact(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
        assert_int_equal(bb_duration_parse(slice(text), &ns), BB_OK);
        assert_true(ns == cases[i].ns);
    }
}

static void reads_rfc3339_times(void **state)
{
    static const struct {
        const char *text;
        uint64_t unix_ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T22:30:00-01:30", 0},
        {"2000-02-29T12:00:00Z", UINT64_C(951825600000000000)},
        {"2026-11-24T22:00:00.123456789Z", UINT64_C(1795557600123456789)},
        {"2026-11-24t22:00:00.5z", UINT64_C(1795557600500000000)},
        {"2026-11-24 22:00:00Z", UINT64_C(1795557600000000000)},
        {"2026-11-24T22:00:00.1234567899999Z", UINT64_C(1795557600123456789)},
        {"2554-07-21T23:34:33.709551615Z", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t unix_ns = 42;
        enum bb_err err = bb_rfc3339_parse(slice(cases[i].text), &unix_ns);
        if (err != BB_OK || unix_ns != cases[i].unix_ns) {
            fail_msg("%s: error %d, %llu", cases[i].text, err, (unsigned long long)unix_ns);
        }
    }
}

static void refuses_what_is_no_rfc3339_time(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-11-24",
        "2026-11-24T22:00:00",
        "2026-11-24T22:00Z",
        "2026-11-24T22:00:00.Z",
        "2026-13-24T22:00:00Z",
        "2026-00-24T22:00:00Z",
        "2026-11-31T22:00:00Z",
        "2026-11-00T22:00:00Z",
        "2025-02-29T22:00:00Z",
        "2100-02-29T22:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T22:60:00Z",
        "2026-11-24T22:00:60Z",
        "2026-11-24T22:00:00+24:00",
        "2026-11-24T22:00:00+0100",
        "2026-11-24T22:00:00Z ",
        "2026/11/24T22:00:00Z",
        "26-11-24T22:00:00Z",
        "2026-11-24T22:00:00.5,Z",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t unix_ns = 42;
        if (bb_rfc3339_parse(slice(cases[i]), &unix_ns) != BB_EINVAL || unix_ns != 42) {
            fail_msg("taken: '%s'", cases[i]);
        }
    }
}

static void refuses_times_that_64_bits_cannot_hold(void **state)
{
    static const char *const cases[] = {
        "1969-12-31T23:59:59Z",      "0001-01-01T00:00:00Z", "2554-07-21T23:34:33.709551616Z",
        "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        uint64_t unix_ns = 42;
        if (bb_rfc3339_parse(slice(cases[i]), &unix_ns) != BB_ETOOBIG || unix_ns != 42) {
            fail_msg("not refused as out of range: '%s'", cases[i]);
        }
    }
}

static void formats_rfc3339_with_the_asked_digits(void **state)
{
    char text[BB_RFC3339_TEXT_SIZE];

    (void)state;
    assert_int_equal(bb_rfc3339_format(UINT64_C(1795557600123456789), 9, text), 30);
    assert_string_equal(text, "2026-11-24T22:00:00.123456789Z");
    assert_int_equal(bb_rfc3339_format(UINT64_C(1795557600123456789), 3, text), 24);
    assert_string_equal(text, "2026-11-24T22:00:00.123Z");
    assert_int_equal(bb_rfc3339_format(UINT64_C(1795557600123456789), 0, text), 20);
    assert_string_equal(text, "2026-11-24T22:00:00Z");
    (void)bb_rfc3339_format(UINT64_MAX, 9, text);
    assert_string_equal(text, "2554-07-21T23:34:33.709551615Z");
}

/* Every day that 64 bits hold, so each leap rule and each month end is met. */
static void every_day_reads_back_as_itself(void **state)
{
    char text[BB_RFC3339_TEXT_SIZE];
    uint64_t day_ns = 86400 * BB_NS_PER_S;

    (void)state;
    for (uint64_t day = 0; day <= UINT64_MAX / day_ns; day++) {
        uint64_t unix_ns;
        (void)bb_rfc3339_format(day * day_ns, 0, text);
        if (bb_rfc3339_parse(slice(text), &unix_ns) != BB_OK || unix_ns != day * day_ns) {
            fail_msg("day %llu is written as %s", (unsigned long long)day, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations_as_go_writes_them),
        cmocka_unit_test(refuses_what_is_no_duration),
        cmocka_unit_test(refuses_durations_over_63_bits),
        cmocka_unit_test(formats_durations_with_three_digits),
        cmocka_unit_test(exact_durations_read_back_the_same),
        cmocka_unit_test(reads_rfc3339_times),
        cmocka_unit_test(refuses_what_is_no_rfc3339_time),
        cmocka_unit_test(refuses_times_that_64_bits_cannot_hold),
        cmocka_unit_test(formats_rfc3339_with_the_asked_digits),
        cmocka_unit_test(every_day_reads_back_as_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
