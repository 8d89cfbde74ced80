#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/zstd_codec.h"
#include "tests/support/otlp_build.h"

#define PLAIN_BYTES ((size_t)1 << 20)

struct codec_fixture {
    struct bb_arena arena;
    struct bb_buf plain;
    struct bb_buf frame;
};

static int set_up(void **state)
{
    static struct codec_fixture fx;

    bb_arena_init(&fx.arena, (size_t)512 << 20);
    build_init(&fx.plain);
    build_init(&fx.frame);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct codec_fixture *fx = *state;

    bb_buf_dispose(&fx->plain);
    bb_buf_dispose(&fx->frame);
    bb_arena_dispose(&fx->arena);
    return 0;
}

static void fill(struct codec_fixture *fx, size_t size)
{
    bb_buf_clear(&fx->plain);
    for (size_t i = 0; i < size; i++) {
        bb_buf_append_byte(&fx->plain, (uint8_t)(i * i / 77));
    }
    bb_buf_clear(&fx->frame);
    assert_int_equal(bb_zstd_compress(bb_buf_slice(&fx->plain), &fx->frame), BB_OK);
}

static void gives_back_what_was_compressed_with_zeros_behind(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 1000, 65536, PLAIN_BYTES};
    static const uint8_t zeros[8] = {0};
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    for (size_t i = 0; i < BB_ARRAY_COUNT(sizes); i++) {
        fill(fx, sizes[i]);
        assert_int_equal(bb_zstd_inflate(bb_buf_slice(&fx->frame), sizes[i], &fx->arena, &plain),
                         BB_OK);
        assert_true(bb_slice_equals(plain, bb_buf_slice(&fx->plain)));
        assert_memory_equal(plain.data + plain.size, zeros, sizeof zeros);
    }
}

static void gives_the_same_frame_for_the_same_bytes(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_buf again;

    build_init(&again);
    fill(fx, 50000);
    assert_int_equal(bb_zstd_compress(bb_buf_slice(&fx->plain), &again), BB_OK);
    assert_true(bb_slice_equals(bb_buf_slice(&again), bb_buf_slice(&fx->frame)));
    bb_buf_dispose(&again);
}

static void refuses_a_frame_with_any_bit_of_its_content_turned(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 700);
    for (size_t at = 0; at < fx->frame.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            fx->frame.data[at] ^= (uint8_t)(1u << bit);
            enum bb_err err =
                bb_zstd_inflate(bb_buf_slice(&fx->frame), PLAIN_BYTES, &fx->arena, &plain);
            /* A bit of the head may mean nothing; nothing wrong ever comes out. */
            assert_true(err == BB_ECORRUPT ||
                        (err == BB_OK && bb_slice_equals(plain, bb_buf_slice(&fx->plain))));
            fx->frame.data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void refuses_a_frame_cut_short_and_what_is_no_frame(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 700);
    for (size_t size = 0; size < fx->frame.size; size++) {
        struct bb_slice cut = bb_slice_of(fx->frame.data, size);
        assert_int_equal(bb_zstd_inflate(cut, PLAIN_BYTES, &fx->arena, &plain), BB_ECORRUPT);
    }
    bb_buf_append_byte(&fx->frame, 0);
    assert_int_equal(bb_zstd_inflate(bb_buf_slice(&fx->frame), PLAIN_BYTES, &fx->arena, &plain),
                     BB_ECORRUPT);
    assert_int_equal(
        bb_zstd_inflate(BYTES_OF("this is no frame at all"), PLAIN_BYTES, &fx->arena, &plain),
        BB_ECORRUPT);
}

static void refuses_more_than_it_is_allowed(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_slice plain;

    fill(fx, 1000);
    assert_int_equal(bb_zstd_inflate(bb_buf_slice(&fx->frame), 999, &fx->arena, &plain),
                     BB_ECORRUPT);
}

static void says_when_there_is_no_memory(void **state)
{
    struct codec_fixture *fx = *state;
    struct bb_arena small;
    struct bb_slice plain;
    struct bb_buf full;

    fill(fx, 100000);
    bb_arena_init(&small, 4096);
    assert_int_equal(bb_zstd_inflate(bb_buf_slice(&fx->frame), PLAIN_BYTES, &small, &plain),
                     BB_ENOMEM);
    bb_arena_dispose(&small);
    bb_buf_init(&full, 10);
    assert_int_equal(bb_zstd_compress(bb_buf_slice(&fx->plain), &full), BB_ETOOBIG);
    bb_buf_dispose(&full);
}

static void *round_trip(void *ctx)
{
    const struct codec_fixture *fx = ctx;
    struct bb_arena arena;
    struct bb_slice plain;
    struct bb_buf frame;

    bb_arena_init(&arena, (size_t)64 << 20);
    build_init(&frame);
    for (int i = 0; i < 20; i++) {
        bb_buf_clear(&frame);
        BB_ASSERT(bb_zstd_compress(bb_buf_slice(&fx->plain), &frame) == BB_OK);
        BB_ASSERT(bb_zstd_inflate(bb_buf_slice(&frame), PLAIN_BYTES, &arena, &plain) == BB_OK);
        BB_ASSERT(bb_slice_equals(plain, bb_buf_slice(&fx->plain)));
    }
    bb_buf_dispose(&frame);
    bb_arena_dispose(&arena);
    return NULL;
}

static void works_in_several_threads_and_frees_what_they_had(void **state)
{
    struct codec_fixture *fx = *state;
    pthread_t threads[4];

    fill(fx, 30000);
    for (size_t i = 0; i < BB_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, round_trip, fx), 0);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_compressed_with_zeros_behind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_the_same_frame_for_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_frame_with_any_bit_of_its_content_turned, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_frame_cut_short_and_what_is_no_frame, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_than_it_is_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(works_in_several_threads_and_frees_what_they_had, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
