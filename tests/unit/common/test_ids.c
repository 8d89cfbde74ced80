#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/ids.h"

static struct bb_trace_id trace_id_of(uint64_t high, uint64_t low)
{
    struct bb_trace_id id;

    bb_put_be64(id.bytes, high);
    bb_put_be64(id.bytes + 8, low);
    return id;
}

static void formats_and_parses_a_trace_id(void **state)
{
    struct bb_trace_id id = trace_id_of(UINT64_C(0x0af7651916cd43dd), UINT64_C(0x8448eb211c80319c));
    struct bb_trace_id back;
    char text[BB_TRACE_ID_HEX_SIZE];

    (void)state;
    bb_trace_id_format(&id, text);
    assert_string_equal(text, "0af7651916cd43dd8448eb211c80319c");
    assert_int_equal(bb_trace_id_parse(bb_slice_from_cstr(text), &back), BB_OK);
    assert_true(bb_trace_id_equals(&id, &back));
    assert_int_equal(
        bb_trace_id_parse(bb_slice_from_cstr("0AF7651916CD43DD8448EB211C80319C"), &back), BB_OK);
    assert_true(bb_trace_id_equals(&id, &back));
}

static void formats_and_parses_a_span_id(void **state)
{
    struct bb_span_id id = {{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}};
    struct bb_span_id back;
    char text[BB_SPAN_ID_HEX_SIZE];

    (void)state;
    bb_span_id_format(&id, text);
    assert_string_equal(text, "00f067aa0ba902b7");
    assert_int_equal(bb_span_id_parse(bb_slice_from_cstr(text), &back), BB_OK);
    assert_true(bb_span_id_equals(&id, &back));
}

static void short_ids_get_leading_zeros(void **state)
{
    static const char digits[] = "123456789abcdef0123456789abcdef0";
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    char text[BB_TRACE_ID_HEX_SIZE];
    char expected[BB_TRACE_ID_HEX_SIZE];

    (void)state;
    for (size_t size = 1; size <= 32; size++) {
        struct bb_slice short_form = bb_slice_of(digits, size);
        memset(expected, '0', 32);
        memcpy(expected + 32 - size, digits, size);
        expected[32] = '\0';
        assert_int_equal(bb_trace_id_parse(short_form, &trace_id), BB_OK);
        bb_trace_id_format(&trace_id, text);
        assert_string_equal(text, expected);
        if (size <= 16) {
            assert_int_equal(bb_span_id_parse(short_form, &span_id), BB_OK);
            bb_span_id_format(&span_id, text);
            assert_string_equal(text, expected + 16);
        }
    }
}

static void refuses_what_is_no_id(void **state)
{
    static const char *const cases[] = {
        "",
        "0",
        "0000000000000000",
        "00000000000000000000000000000000",
        "00f067aa0ba902b700f067aa0ba902b7a", /* 33 digits */
        "00f067aa0ba902bg",
        "-1",
        " 1",
        "1 ",
        "0x1",
        "f067-aa0b",
    };
    struct bb_trace_id trace_id = trace_id_of(1, 2);
    struct bb_span_id span_id = {{9}};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        assert_int_equal(bb_trace_id_parse(bb_slice_from_cstr(cases[i]), &trace_id), BB_EINVAL);
        assert_int_equal(bb_span_id_parse(bb_slice_from_cstr(cases[i]), &span_id), BB_EINVAL);
    }
    assert_int_equal(bb_span_id_parse(bb_slice_from_cstr("00f067aa0ba902b70"), &span_id),
                     BB_EINVAL); /* 17 digits */
    assert_int_equal(bb_trace_id_parse(bb_slice_of("1\0002", 3), &trace_id), BB_EINVAL);
    /* What was there before stays. */
    struct bb_trace_id before = trace_id_of(1, 2);
    assert_true(bb_trace_id_equals(&trace_id, &before));
    assert_int_equal(span_id.bytes[0], 9);
}

static void compares_ids_as_bytes(void **state)
{
    struct bb_trace_id small = trace_id_of(1, UINT64_MAX);
    struct bb_trace_id large = trace_id_of(2, 0);
    struct bb_trace_id zero = trace_id_of(0, 0);
    struct bb_span_id no_span = {{0}};
    struct bb_span_id span = {{0, 0, 0, 0, 0, 0, 0, 1}};

    (void)state;
    assert_true(bb_trace_id_compare(&small, &large) < 0);
    assert_true(bb_trace_id_compare(&large, &small) > 0);
    assert_int_equal(bb_trace_id_compare(&small, &small), 0);
    assert_true(bb_trace_id_is_zero(&zero));
    assert_false(bb_trace_id_is_zero(&small));
    assert_true(bb_span_id_is_zero(&no_span));
    assert_false(bb_span_id_is_zero(&span));
    assert_false(bb_span_id_equals(&span, &no_span));
}

static void a_hash_depends_on_the_id_alone(void **state)
{
    struct bb_trace_id a = trace_id_of(7, 8);
    struct bb_trace_id b = trace_id_of(7, 8);

    (void)state;
    assert_true(bb_trace_id_hash(&a) == bb_trace_id_hash(&b));
}

/* Ids that a counter makes must fill a table of 2^16 places about as evenly as random ones do: the
 * fullest place of 2^16 such ids has 8 or so, and a poor hash has hundreds. */
static void hashes_of_counted_ids_spread_over_low_and_high_bits(void **state)
{
    enum { BITS = 16, PLACES = 1 << BITS };
    static uint16_t low[PLACES];
    static uint16_t high[PLACES];

    (void)state;
    for (int which = 0; which < 4; which++) {
        memset(low, 0, sizeof low);
        memset(high, 0, sizeof high);
        for (uint64_t i = 0; i < PLACES; i++) {
            struct bb_trace_id id = which == 0   ? trace_id_of(0, i)
                                    : which == 1 ? trace_id_of(i, 0)
                                    : which == 2 ? trace_id_of(i << 48, 1)
                                                 : trace_id_of(1, i << 48);
            uint64_t hash = bb_trace_id_hash(&id);
            low[hash % PLACES]++;
            high[hash >> (64 - BITS)]++;
        }
        for (size_t i = 0; i < PLACES; i++) {
            assert_in_range(low[i], 0, 20);
            assert_in_range(high[i], 0, 20);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_and_parses_a_trace_id),
        cmocka_unit_test(formats_and_parses_a_span_id),
        cmocka_unit_test(short_ids_get_leading_zeros),
        cmocka_unit_test(refuses_what_is_no_id),
        cmocka_unit_test(compares_ids_as_bytes),
        cmocka_unit_test(a_hash_depends_on_the_id_alone),
        cmocka_unit_test(hashes_of_counted_ids_spread_over_low_and_high_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
