#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "store/lz4_codec.h"
#include "tests/support/otlp_build.h"

#define PLAIN_BYTES ((size_t)1 << 20)

struct codec_fixture {
    struct bb_arena arena;
    struct bb_buf plain;
    struct bb_buf entry;
};

static int set_up(void **state)
{
    static struct codec_fixture fx;

    bb_arena_init(&fx.arena, (size_t)512 << 20);
    build_init(&fx.plain);
    build_init(&fx.entry);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct codec_fixture *fx = *state;

    bb_buf_dispose(&fx->plain);
    bb_buf_dispose(&fx->entry);
    bb_arena_dispose(&fx->arena);
    return 0;
}

static void fill(struct codec_fixture *fx, size_t size, bool is_random)
{
    uint64_t value = 1;

    bb_buf_clear(&fx->plain);
    for (size_t i = 0; i < size; i++) {
        value = value * UINT64_C(6364136223846793005) + 1;
        bb_buf_append_byte(&fx->plain, (uint8_t)(is_random ? value >> 56 : i / 100));
    }
    bb_buf_clear(&fx->entry);
    assert_int_equal(bb_lz4_compress(bb_buf_slice(&fx->plain), &fx->entry), BB_OK);
}

static enum bb_err inflate(struct codec_fixture *fx, struct bb_slice entry, size_t max,
                           struct bb_slice *out_plain)
{
    /* A copy of its exact size, so that a read outside is seen. */
    uint8_t *exact = test_malloc(entry.size == 0 ? 1 : entry.size);

    if (entry.size > 0) {
        memcpy(exact, entry.data, entry.size);
    }
    enum bb_err err = bb_lz4_inflate(bb_slice_of(exact, entry.size), max, &fx->arena, out_plain);
    test_free(exact);
    return err;
}

static void gives_back_what_was_compressed(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 11, 12, 13, 255, 65536, PLAIN_BYTES};
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    for (size_t i = 0; i < BB_ARRAY_COUNT(sizes); i++) {
        for (int is_random = 0; is_random < 2; is_random++) {
            fill(fx, sizes[i], is_random != 0);
            assert_int_equal(inflate(fx, bb_buf_slice(&fx->entry), sizes[i], &plain), BB_OK);
            assert_true(bb_slice_equals(plain, bb_buf_slice(&fx->plain)));
        }
    }
}

static void appends_behind_what_is_there(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 100, false);
    bb_buf_clear(&fx->entry);
    bb_buf_append_cstr(&fx->entry, "head");
    assert_int_equal(bb_lz4_compress(bb_buf_slice(&fx->plain), &fx->entry), BB_OK);
    assert_memory_equal(fx->entry.data, "head", 4);
    assert_int_equal(inflate(fx, bb_slice_of(fx->entry.data + 4, fx->entry.size - 4), 100, &plain),
                     BB_OK);
    assert_true(bb_slice_equals(plain, bb_buf_slice(&fx->plain)));
}

static void refuses_more_than_it_is_allowed_before_taking_memory(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 1000, false);
    assert_int_equal(inflate(fx, bb_buf_slice(&fx->entry), 999, &plain), BB_ECORRUPT);
    bb_put_le32(fx->entry.data, UINT32_MAX);
    assert_int_equal(inflate(fx, bb_buf_slice(&fx->entry), PLAIN_BYTES, &plain), BB_ECORRUPT);
}

static void refuses_an_entry_whose_size_is_not_what_it_says(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 1000, true);
    for (uint32_t size = 900; size <= 1100; size++) {
        bb_put_le32(fx->entry.data, size);
        assert_int_equal(inflate(fx, bb_buf_slice(&fx->entry), PLAIN_BYTES, &plain),
                         size == 1000 ? BB_OK : BB_ECORRUPT);
    }
}

static void refuses_an_entry_cut_short_at_any_byte(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 2000, false);
    for (size_t size = 0; size < fx->entry.size; size++) {
        assert_int_equal(inflate(fx, bb_slice_of(fx->entry.data, size), PLAIN_BYTES, &plain),
                         BB_ECORRUPT);
    }
}

static void reads_nothing_outside_of_a_damaged_entry(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 2000, false);
    for (size_t at = 0; at < fx->entry.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            fx->entry.data[at] ^= (uint8_t)(1u << bit);
            enum bb_err err = inflate(fx, bb_buf_slice(&fx->entry), 4000, &plain);
            assert_true(err == BB_OK || err == BB_ECORRUPT);
            assert_true(err != BB_OK || plain.size == 2000);
            fx->entry.data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void says_when_there_is_no_memory(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_arena small;
    struct bb_slice plain;

    fill(fx, 100000, false);
    bb_arena_init(&small, 4096);
    assert_int_equal(bb_lz4_inflate(bb_buf_slice(&fx->entry), PLAIN_BYTES, &small, &plain),
                     BB_ENOMEM);
    bb_arena_dispose(&small);
    struct bb_buf full;
    bb_buf_init(&full, 10);
    assert_int_equal(bb_lz4_compress(bb_buf_slice(&fx->plain), &full), BB_ETOOBIG);
    bb_buf_dispose(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_compressed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(appends_behind_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_than_it_is_allowed_before_taking_memory,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_an_entry_whose_size_is_not_what_it_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_an_entry_cut_short_at_any_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_nothing_outside_of_a_damaged_entry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
