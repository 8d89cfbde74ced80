#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "store/trace_filter.h"
#include "tests/support/span_build.h"

#define SIZE_MAX_TESTED ((size_t)1 << 20)

static uint8_t filter[SIZE_MAX_TESTED];

/* Ids as tracers make them (`is_random`), or counted up. */
static struct bb_trace_id trace_id(uint64_t index, bool is_random)
{
    struct bb_trace_id id = span_build_trace_id(index);

    if (is_random) {
        uint64_t value = index * UINT64_C(0x9e3779b97f4a7c15) + 1;
        for (size_t i = 0; i < BB_TRACE_ID_SIZE; i += 8) {
            value = (value ^ value >> 31) * UINT64_C(0xd6e8feb86659fd93);
            bb_put_le64(id.bytes + i, value ^ value >> 32);
        }
    }
    return id;
}

/* Fills a filter; the share of wrong yeses, in thousandths. */
static uint32_t check(uint32_t trace_count, bool is_random)
{
    size_t size = bb_trace_filter_size(trace_count);
    uint32_t wrong = 0;

    assert_true(size <= sizeof filter);
    memset(filter, 0, size);
    for (uint32_t i = 0; i < trace_count; i++) {
        struct bb_trace_id id = trace_id(i, is_random);
        bb_trace_filter_add(filter, size, &id);
    }
    for (uint32_t i = 0; i < trace_count; i++) {
        struct bb_trace_id id = trace_id(i, is_random);
        assert_true(bb_trace_filter_may_hold(bb_slice_of(filter, size), &id));
    }
    for (uint32_t i = 0; i < 50000; i++) {
        struct bb_trace_id id = trace_id(UINT64_C(1000000) + i, is_random);
        wrong += bb_trace_filter_may_hold(bb_slice_of(filter, size), &id);
    }
    return wrong / 50;
}

static void holds_what_was_added_and_little_else(void **state)
{
    static const uint32_t counts[] = {1, 2, 40, 43, 1000, 30000, 200000};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(counts); i++) {
        assert_true(check(counts[i], true) < 20);
        assert_true(check(counts[i], false) < 20);
    }
}

static void holds_nothing_when_it_is_empty(void **state)
{
    (void)state;
    assert_int_equal(check(0, true), 0);
}

static void has_a_size_of_whole_blocks_and_12_bits_a_trace(void **state)
{
    (void)state;
    assert_int_equal(bb_trace_filter_size(0), 64);
    for (uint32_t count = 1; count < 3000; count++) {
        size_t size = bb_trace_filter_size(count);
        assert_int_equal(size % 64, 0);
        assert_true(size * 8 >= (size_t)count * 12);
        assert_true(size * 8 < (size_t)count * 12 + 512);
    }
    assert_true(bb_trace_filter_size(UINT32_MAX) >= (size_t)UINT32_MAX * 12 / 8);
}

/* Six at most; without any one of them the answer is no. */
static void needs_every_bit_of_an_id(void **state)
{
    uint8_t bits[64] = {0};
    struct bb_trace_id id = span_build_trace_id(1);
    unsigned set = 0;

    (void)state;
    bb_trace_filter_add(bits, sizeof bits, &id);
    for (size_t i = 0; i < sizeof bits; i++) {
        set += (unsigned)__builtin_popcount(bits[i]);
    }
    assert_true(set >= 1 && set <= 6);
    assert_true(bb_trace_filter_may_hold(bb_slice_of(bits, sizeof bits), &id));
    for (size_t i = 0; i < sizeof bits; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if ((bits[i] & 1u << bit) != 0) {
                bits[i] ^= (uint8_t)(1u << bit);
                assert_false(bb_trace_filter_may_hold(bb_slice_of(bits, sizeof bits), &id));
                bits[i] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_was_added_and_little_else),
        cmocka_unit_test(holds_nothing_when_it_is_empty),
        cmocka_unit_test(has_a_size_of_whole_blocks_and_12_bits_a_trace),
        cmocka_unit_test(needs_every_bit_of_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
