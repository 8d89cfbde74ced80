#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shred_fixture.h"
#include "store/segment_index.h"
#include "store/zstd_codec.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

static int set_up(void **state)
{
    static struct shred_fixture fx;

    shred_fixture_init(&fx);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    shred_fixture_dispose(*state);
    return 0;
}

static void orders_keys_by_segment_block_and_page(void **state)
{
    uint8_t keys[6][BB_BLOCK_KEY_SIZE];
    uint8_t index_key[BB_INDEX_KEY_SIZE];

    (void)state;
    bb_block_key(1, 0, 0, keys[0]);
    bb_block_key(1, 0, 1, keys[1]);
    bb_block_key(1, 1, 0, keys[2]);
    bb_block_key(1, 256, 0, keys[3]);
    bb_block_key(2, 0, 0, keys[4]);
    bb_block_key(UINT32_MAX, UINT32_MAX, UINT32_MAX, keys[5]);
    for (size_t i = 1; i < BB_ARRAY_COUNT(keys); i++) {
        assert_true(memcmp(keys[i - 1], keys[i], BB_BLOCK_KEY_SIZE) < 0);
    }
    bb_index_key(0x01020304, BB_INDEX_FILTER, index_key);
    assert_memory_equal(index_key, "\x01\x02\x03\x04\x02", BB_INDEX_KEY_SIZE);
}

/* A segment of three blocks; the second and third share a trace. */
static struct bb_sealed_segment three_blocks(struct bb_block_summary blocks[3])
{
    static const uint64_t traces[3][2] = {{10, 20}, {25, 40}, {40, 50}};

    for (uint32_t i = 0; i < 3; i++) {
        blocks[i] = (struct bb_block_summary){
            .first_trace_id = span_build_trace_id(traces[i][0]),
            .last_trace_id = span_build_trace_id(traces[i][1]),
            .bounds = {.start_unix_ns_min = i == 1 ? 0 : 100 * i,
                       .start_unix_ns_max = i == 2 ? UINT64_MAX : 500,
                       .duration_ns_max = 7 - i},
            .row_count = 10 + i,
        };
    }
    return (struct bb_sealed_segment){
        .blocks = blocks, .block_count = 3, .row_count = 33, .segment = 5};
}

static void gives_a_summary_back_with_bounds_over_all_blocks(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_block_summary blocks[3];
    struct bb_sealed_segment segment = three_blocks(blocks);
    struct bb_sealed_segment read = {.segment = 5};
    struct bb_buf bytes;

    build_init(&bytes);
    bb_segment_summary_encode(&segment, &bytes);
    assert_int_equal(bb_segment_summary_decode(bb_buf_slice(&bytes), &fx->arena, &read), BB_OK);
    bb_buf_dispose(&bytes);
    assert_int_equal(read.block_count, 3);
    assert_true(read.row_count == 33);
    for (uint32_t i = 0; i < 3; i++) {
        const struct bb_block_summary *a = &read.blocks[i];
        const struct bb_block_summary *b = &blocks[i];
        assert_true(bb_trace_id_equals(&a->first_trace_id, &b->first_trace_id));
        assert_true(bb_trace_id_equals(&a->last_trace_id, &b->last_trace_id));
        assert_true(a->bounds.start_unix_ns_min == b->bounds.start_unix_ns_min);
        assert_true(a->bounds.start_unix_ns_max == b->bounds.start_unix_ns_max);
        assert_true(a->bounds.duration_ns_max == b->bounds.duration_ns_max);
        assert_int_equal(a->row_count, b->row_count);
    }
    assert_true(read.bounds.start_unix_ns_min == 0);
    assert_true(read.bounds.start_unix_ns_max == UINT64_MAX);
    assert_true(read.bounds.duration_ns_max == 7);
}

static void refuses_a_summary_cut_short_at_any_byte(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_block_summary blocks[3];
    struct bb_sealed_segment segment = three_blocks(blocks);
    struct bb_buf bytes;

    build_init(&bytes);
    bb_segment_summary_encode(&segment, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        struct bb_sealed_segment read = {.segment = 5};
        uint8_t *exact = test_malloc(size + (size == 0));
        memcpy(exact, bytes.data, size);
        assert_int_equal(bb_segment_summary_decode(bb_slice_of(exact, size), &fx->arena, &read),
                         BB_ECORRUPT);
        test_free(exact);
    }
    for (size_t at = 0; at < bytes.size; at++) {
        struct bb_sealed_segment read = {.segment = 5};
        bytes.data[at] ^= 0xff;
        enum bb_err err = bb_segment_summary_decode(bb_buf_slice(&bytes), &fx->arena, &read);
        assert_true(err == BB_OK || err == BB_ECORRUPT);
        bytes.data[at] ^= 0xff;
    }
    bb_buf_dispose(&bytes);
}

static void finds_the_blocks_that_may_hold_a_trace(void **state)
{
    static const uint32_t expected[][3] = {{5, 0, 0},  {10, 0, 1}, {15, 0, 1}, {20, 0, 1},
                                           {22, 1, 1}, {25, 1, 2}, {40, 1, 3}, {45, 2, 3},
                                           {50, 2, 3}, {51, 3, 3}};
    struct bb_block_summary blocks[3];
    struct bb_sealed_segment segment = three_blocks(blocks);

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(expected); i++) {
        struct bb_trace_id id = span_build_trace_id(expected[i][0]);
        uint32_t first = 99;
        uint32_t end = 99;
        bb_segment_find_blocks(&segment, &id, &first, &end);
        assert_int_equal(first, expected[i][1]);
        assert_int_equal(end, expected[i][2]);
    }
}

static void assert_tables_equal(const struct bb_intern_table *a, const struct bb_intern_table *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_true(bb_slice_equals(bb_intern_get(a, i), bb_intern_get(b, i)));
    }
}

static void add_span(struct shred_fixture *fx, uint8_t seed, const char *value)
{
    struct bb_buf span;

    build_init(&span);
    build_span_body(&span, seed);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "key", value);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "same", "always");
    shred_fixture_add(fx, bb_buf_slice(&span));
    bb_buf_dispose(&span);
}

static void gives_a_dictionary_back(void **state)
{
    struct shred_fixture *fx = *state;

    assert_int_equal(bb_intern_push(&fx->written->services, BYTES_OF("")), BB_OK);
    assert_int_equal(bb_intern_push(&fx->written->services, BYTES_OF("s")), BB_OK);
    assert_int_equal(bb_intern_push(&fx->written->operations, BYTES_OF("\x02\x01\x00\x00\x00n")),
                     BB_OK);
    assert_int_equal(bb_intern_push(&fx->written->operations, BYTES_OF("\x02\x00\x00\x00\x00")),
                     BB_OK);
    assert_int_equal(bb_intern_push(&fx->written->resources, BYTES_OF("\x01\x00\x00\x00u")), BB_OK);
    assert_int_equal(bb_intern_push(&fx->written->scopes, BYTES_OF("\x00\x00\x00\x00s")), BB_OK);
    for (uint8_t i = 1; i < 20; i++) {
        add_span(fx, i, i % 2 == 0 ? "" : "v");
    }
    shred_fixture_finish(fx);
    assert_tables_equal(&fx->read->services, &fx->written->services);
    assert_tables_equal(&fx->read->operations, &fx->written->operations);
    assert_tables_equal(&fx->read->resources, &fx->written->resources);
    assert_tables_equal(&fx->read->scopes, &fx->written->scopes);
    assert_tables_equal(&fx->read->columns, &fx->shredder->columns);
    assert_tables_equal(&fx->read->shapes, &fx->shredder->shapes);
    uint32_t column = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_STRING, "key");
    const struct bb_column_values *values = &fx->read->column_values[column];
    assert_int_equal(values->count, 2);
    assert_true(bb_slice_equals_cstr(values->values[0], "v"));
    assert_true(bb_slice_equals_cstr(values->values[1], ""));
    struct bb_operation_entry operation = bb_dictionary_operation(fx->read, 0);
    assert_int_equal(operation.kind, 2);
    assert_true(bb_slice_equals_cstr(operation.service_name, "s"));
    assert_true(bb_slice_equals_cstr(operation.name, "n"));
}

/* Decodes plain bytes as the content of a dictionary's frame. */
static enum bb_err decode(struct shred_fixture *fx, struct bb_slice plain,
                          struct bb_dictionary *dictionary)
{
    struct bb_buf frame;

    build_init(&frame);
    assert_int_equal(bb_zstd_compress(plain, &frame), BB_OK);
    enum bb_err err = bb_dictionary_decode(bb_buf_slice(&frame), &fx->arena, dictionary);
    bb_buf_dispose(&frame);
    return err;
}

static void refuses_dictionaries_that_no_segment_has(void **state)
{
    static const struct bb_slice plains[] = {
        BYTES_INIT("\x0a\x04\x00\x00\x00\x00"),              /* an operation of 4 bytes */
        BYTES_INIT("\x0a\x05\x00\x00\x00\x00\x00"),          /* of a service that is not there */
        BYTES_INIT("\x3a\x01s\x0a\x05\x00\x01\x00\x00\x00"), /* of one behind the last */
        BYTES_INIT("\x12\x03\x00\x00\x00"),                  /* a resource of 3 bytes */
        BYTES_INIT("\x12\x04\x01\x00\x00\x00"),              /* its URL is too long */
        BYTES_INIT("\x1a\x04\xff\xff\xff\xff"),              /* a scope's */
        BYTES_INIT("\x22\x00"),                              /* a column of nothing */
        BYTES_INIT("\x32\x04\x08\x00\x12\x00"),              /* values before the columns */
        BYTES_INIT("\x22\x01\x00\x32\x04\x08\x01\x12\x00"),  /* values of a column not there */
        BYTES_INIT("\x22\x01\x00\x32\x02\x12\x00"),          /* values of no column */
        BYTES_INIT("\x22\x01\x00\x32\x02\x08\x00"),          /* no values */
        BYTES_INIT("\x22\x01\x00\x32\x04\x08\x00\x12\x00\x22\x01\x00"), /* a column after them */
        BYTES_INIT(
            "\x22\x01\x00\x32\x04\x08\x00\x12\x00\x32\x06\x08\x00\x12\x00\x12\x00"), /* twice */
        BYTES_INIT("\x22\x01\x00\x32\x04\x08\x00\x12\x05"), /* a value that is cut off */
        BYTES_INIT("\x42\x01\x00"),                         /* an unknown field */
        BYTES_INIT("\x08\x01"),                             /* a number */
        BYTES_INIT("\x2a\x05\x00"),                         /* a shape that is cut off */
    };
    struct shred_fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(plains); i++) {
        enum bb_err err = decode(fx, plains[i], fx->read);
        if (err != BB_ECORRUPT) {
            fail_msg("dictionary %zu: %d", i, (int)err);
        }
    }
    assert_int_equal(decode(fx, BYTES_OF("\x22\x01\x00\x32\x04\x08\x00\x12\x00"), fx->read), BB_OK);
    assert_int_equal(fx->read->column_values[0].count, 1);
}

static void refuses_a_damaged_frame(void **state)
{
    struct shred_fixture *fx = *state;

    assert_int_equal(bb_dictionary_decode(BYTES_OF("no frame"), &fx->arena, fx->read), BB_ECORRUPT);
    assert_int_equal(bb_dictionary_decode(BYTES_OF(""), &fx->arena, fx->read), BB_ECORRUPT);
}

static void widens_bounds_by_rows(void **state)
{
    struct bb_row_bounds bounds = {0};
    struct bb_row row = {.start_unix_ns = 100, .end_unix_ns = 90};

    (void)state;
    bb_row_bounds_add(&bounds, true, &row);
    assert_true(bounds.start_unix_ns_min == 100 && bounds.start_unix_ns_max == 100);
    assert_true(bounds.duration_ns_max == 0);
    row = (struct bb_row){.start_unix_ns = 50, .end_unix_ns = 250};
    bb_row_bounds_add(&bounds, false, &row);
    assert_true(bounds.start_unix_ns_min == 50 && bounds.start_unix_ns_max == 100);
    assert_true(bounds.duration_ns_max == 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_keys_by_segment_block_and_page),
        cmocka_unit_test_setup_teardown(gives_a_summary_back_with_bounds_over_all_blocks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_summary_cut_short_at_any_byte, set_up, tear_down),
        cmocka_unit_test(finds_the_blocks_that_may_hold_a_trace),
        cmocka_unit_test_setup_teardown(gives_a_dictionary_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_dictionaries_that_no_segment_has, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_damaged_frame, set_up, tear_down),
        cmocka_unit_test(widens_bounds_by_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
