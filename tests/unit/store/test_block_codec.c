#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "store/block_codec.h"
#include "store/zstd_codec.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

#define FRAME_BYTES_MAX ((size_t)16 << 20)
#define CODES 300u

/* Rows to encode, and a dictionary that has codes up to CODES. */
struct block_fixture {
    struct bb_arena arena;
    struct bb_dictionary *dictionary;
    struct bb_row *rows;
    const struct bb_row **sorted;
    struct bb_buf plain;
    struct bb_buf frame;
    uint32_t row_count;
};

static void *take(struct block_fixture *fx, size_t count, size_t size)
{
    void *taken = bb_arena_try_calloc(&fx->arena, count, size);

    assert_non_null(taken);
    return taken;
}

static int set_up(void **state)
{
    static struct block_fixture fx;

    memset(&fx, 0, sizeof fx);
    bb_arena_init(&fx.arena, (size_t)256 << 20);
    bb_buf_init(&fx.plain, FRAME_BYTES_MAX);
    bb_buf_init(&fx.frame, FRAME_BYTES_MAX);
    fx.dictionary = take(&fx, 1, sizeof *fx.dictionary);
    fx.rows = take(&fx, BB_BLOCK_SPANS_MAX, sizeof *fx.rows);
    fx.sorted = take(&fx, BB_BLOCK_SPANS_MAX, sizeof *fx.sorted);
    bb_dictionary_init(fx.dictionary, &fx.arena);
    assert_int_equal(bb_intern_push(&fx.dictionary->services, BYTES_OF("s")), BB_OK);
    for (uint32_t i = 0; i < CODES; i++) {
        assert_int_equal(
            bb_intern_push(&fx.dictionary->operations, BYTES_OF("\x01\x00\x00\x00\x00name")),
            BB_OK);
        assert_int_equal(bb_intern_push(&fx.dictionary->resources, BYTES_OF("\x00\x00\x00\x00")),
                         BB_OK);
        assert_int_equal(bb_intern_push(&fx.dictionary->scopes, BYTES_OF("\x00\x00\x00\x00")),
                         BB_OK);
    }
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct block_fixture *fx = *state;

    bb_buf_dispose(&fx->plain);
    bb_buf_dispose(&fx->frame);
    bb_arena_dispose(&fx->arena);
    return 0;
}

static struct bb_row *add(struct block_fixture *fx, uint64_t trace, uint64_t id, uint64_t parent)
{
    struct bb_row *row = &fx->rows[fx->row_count];

    assert_true(fx->row_count < BB_BLOCK_SPANS_MAX);
    row->trace_id = span_build_trace_id(trace);
    row->span_id = span_build_span_id(id);
    row->parent_span_id = span_build_span_id(parent);
    fx->sorted[fx->row_count++] = row;
    return row;
}

/* Encodes the rows as pages of up to `page_rows`. */
static void encode(struct block_fixture *fx, uint32_t page_rows)
{
    uint32_t pages[BB_BLOCK_SPANS_MAX];
    uint32_t page_count = 0;

    for (uint32_t at = 0; at < fx->row_count; at += page_rows) {
        pages[page_count++] = fx->row_count - at < page_rows ? fx->row_count - at : page_rows;
    }
    bb_buf_clear(&fx->plain);
    bb_buf_clear(&fx->frame);
    bb_block_encode_columns(fx->sorted, fx->row_count, pages, page_count, &fx->plain);
    assert_int_equal(bb_buf_err(&fx->plain), BB_OK);
    assert_int_equal(bb_zstd_compress(bb_buf_slice(&fx->plain), &fx->frame), BB_OK);
}

static void check_rows(const struct block_fixture *fx, const struct bb_block *block)
{
    assert_int_equal(block->row_count, fx->row_count);
    for (uint32_t i = 0; i < fx->row_count; i++) {
        const struct bb_row *row = &block->rows[i];
        const struct bb_row *expected = &fx->rows[i];
        assert_true(bb_trace_id_equals(&row->trace_id, &expected->trace_id));
        assert_true(bb_span_id_equals(&row->span_id, &expected->span_id));
        assert_true(bb_span_id_equals(&row->parent_span_id, &expected->parent_span_id));
        assert_true(row->start_unix_ns == expected->start_unix_ns);
        assert_true(row->end_unix_ns == expected->end_unix_ns);
        assert_int_equal(row->operation_code, expected->operation_code);
        assert_int_equal(row->resource_code, expected->resource_code);
        assert_int_equal(row->scope_code, expected->scope_code);
        assert_int_equal(row->status_code, expected->status_code);
        assert_null(row->bytes.data);
    }
}

static void check_round_trip(struct block_fixture *fx, uint32_t page_rows)
{
    struct bb_block block;

    encode(fx, page_rows);
    assert_int_equal(bb_block_decode(bb_buf_slice(&fx->frame), fx->dictionary, &fx->arena, &block),
                     BB_OK);
    check_rows(fx, &block);
    assert_int_equal(block.page_count, (fx->row_count + page_rows - 1) / page_rows);
    for (uint32_t i = 0; i < fx->row_count; i++) {
        assert_int_equal(bb_block_page_of(&block, i), i / page_rows);
    }
}

static void gives_back_one_row(void **state)
{
    struct block_fixture *fx = *state;

    add(fx, 1, 2, 0);
    check_round_trip(fx, 1);
}

static void gives_back_4096_rows_with_codes_of_all_sizes(void **state)
{
    struct block_fixture *fx = *state;

    for (uint32_t i = 0; i < BB_BLOCK_SPANS_MAX; i++) {
        struct bb_row *row = add(fx, i / 7, i + 1, i % 7 == 0 ? 0 : i);
        row->start_unix_ns = UINT64_C(1700000000000000000) + i * 1000 + i % 3;
        row->end_unix_ns = row->start_unix_ns + i * UINT64_C(123457);
        row->operation_code = i % CODES;
        row->resource_code = (CODES - 1) - i % CODES;
        row->scope_code = i % 2 * (CODES - 1);
        row->status_code = (uint8_t)(i % 3);
    }
    check_round_trip(fx, 1000);
    check_round_trip(fx, BB_BLOCK_SPANS_MAX);
    check_round_trip(fx, 1);
}

/* A parent may stand before the row or behind it, near or far, in another trace, be the row itself,
 * or not be there. */
static void gives_back_parents_wherever_they_stand(void **state)
{
    struct block_fixture *fx = *state;

    for (uint64_t i = 0; i < 400; i++) {
        static const int distances[] = {1, -1, 15, -15, 16, -16, 17, 63, 64, 65, -64, 0, 300, -300};
        int64_t parent = (int64_t)i - distances[i % BB_ARRAY_COUNT(distances)];
        add(fx, 1, 1000 + i, (uint64_t)(1000 + parent));
    }
    for (uint64_t i = 0; i < 50; i++) {
        add(fx, 2, 1000 + i, 1000 + i + 399); /* ids of the trace before, and of nobody */
    }
    add(fx, 3, 7, 7);
    add(fx, 3, 7, 7); /* the same span twice */
    add(fx, 3, 8, UINT64_MAX);
    check_round_trip(fx, 64);
}

static void gives_back_times_as_far_apart_as_there_are(void **state)
{
    static const uint64_t times[] = {0,
                                     1,
                                     999,
                                     1000,
                                     1999,
                                     2000,
                                     2001,
                                     UINT64_C(1) << 63,
                                     (UINT64_C(1) << 63) - 1,
                                     (UINT64_C(1) << 63) + 1,
                                     UINT64_MAX - 1,
                                     UINT64_MAX,
                                     UINT64_C(1700000000000000000)};
    struct block_fixture *fx = *state;

    for (uint32_t i = 0; i < BB_ARRAY_COUNT(times); i++) {
        for (uint32_t k = 0; k < BB_ARRAY_COUNT(times); k++) {
            struct bb_row *row = add(fx, 1, i * 100 + k + 1, 0);
            row->start_unix_ns = times[i];
            row->end_unix_ns = times[k]; /* half of them before the start */
        }
    }
    check_round_trip(fx, 50);
}

/* Decodes the plain bytes, compressed anew, so that no checksum stands before the decoder. */
static enum bb_err decode_plain(struct block_fixture *fx, struct bb_slice plain)
{
    struct bb_block block;
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)64 << 20);
    bb_buf_clear(&fx->frame);
    assert_int_equal(bb_zstd_compress(plain, &fx->frame), BB_OK);
    enum bb_err err = bb_block_decode(bb_buf_slice(&fx->frame), fx->dictionary, &arena, &block);
    if (err == BB_OK) {
        for (uint32_t i = 0; i < block.row_count; i++) {
            assert_true(block.rows[i].operation_code < CODES);
            assert_true(block.rows[i].resource_code < CODES);
            assert_true(block.rows[i].scope_code < CODES);
            assert_true(bb_block_page_of(&block, i) < block.page_count);
        }
    }
    bb_arena_dispose(&arena);
    return err;
}

static void add_small_block(struct block_fixture *fx)
{
    for (uint32_t i = 0; i < 12; i++) {
        struct bb_row *row = add(fx, i / 5, i + 1, i % 5 == 0 ? 0 : i % 5 == 4 ? 99 : i);
        row->start_unix_ns = UINT64_C(1700000000000000000) + i;
        row->end_unix_ns = row->start_unix_ns + 5000;
        row->operation_code = i * 20;
    }
    encode(fx, 5);
}

static void refuses_columns_cut_short_at_any_byte(void **state)
{
    struct block_fixture *fx = *state;

    add_small_block(fx);
    for (size_t size = 0; size < fx->plain.size; size++) {
        assert_int_equal(decode_plain(fx, bb_slice_of(fx->plain.data, size)), BB_ECORRUPT);
    }
    bb_buf_append_byte(&fx->plain, 0);
    assert_int_equal(decode_plain(fx, bb_buf_slice(&fx->plain)), BB_ECORRUPT);
}

static void answers_or_refuses_whatever_byte_is_damaged(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    struct block_fixture *fx = *state;
    uint32_t refused = 0;

    add_small_block(fx);
    for (size_t at = 0; at < fx->plain.size; at++) {
        for (size_t i = 0; i < BB_ARRAY_COUNT(flips); i++) {
            fx->plain.data[at] ^= flips[i];
            enum bb_err err = decode_plain(fx, bb_buf_slice(&fx->plain));
            assert_true(err == BB_OK || err == BB_ECORRUPT);
            refused += err == BB_ECORRUPT;
            fx->plain.data[at] ^= flips[i];
        }
    }
    assert_true(refused > 0);
    assert_int_equal(decode_plain(fx, bb_buf_slice(&fx->plain)), BB_OK);
}

static void refuses_a_frame_with_any_bit_turned(void **state)
{
    struct block_fixture *fx = *state;
    struct bb_block block;

    add_small_block(fx);
    for (size_t at = 0; at < fx->frame.size; at++) {
        fx->frame.data[at] ^= 0x10;
        enum bb_err err =
            bb_block_decode(bb_buf_slice(&fx->frame), fx->dictionary, &fx->arena, &block);
        /* A few bits of a frame's head mean nothing; but what is read is right then. */
        if (err == BB_OK) {
            check_rows(fx, &block);
        } else {
            assert_int_equal(err, BB_ECORRUPT);
        }
        fx->frame.data[at] ^= 0x10;
    }
}

static void refuses_a_block_of_no_rows(void **state)
{
    assert_int_equal(decode_plain(*state, BYTES_OF("\x00\x00\x00")), BB_ECORRUPT);
}

static void refuses_codes_that_the_dictionary_does_not_have(void **state)
{
    struct block_fixture *fx = *state;

    add(fx, 1, 2, 0)->operation_code = CODES;
    encode(fx, 1);
    assert_int_equal(decode_plain(fx, bb_buf_slice(&fx->plain)), BB_ECORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_one_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_4096_rows_with_codes_of_all_sizes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_back_parents_wherever_they_stand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_times_as_far_apart_as_there_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_columns_cut_short_at_any_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_or_refuses_whatever_byte_is_damaged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_frame_with_any_bit_turned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_block_of_no_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_codes_that_the_dictionary_does_not_have, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
