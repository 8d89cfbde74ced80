#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "shred_fixture.h"
#include "store/varint_code.h"
#include "tests/support/otlp_build.h"

#define START_NS UINT64_C(1700000000000000000)

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

/* Ids, name, kind and times in the order of their numbers. */
static void put_head(struct bb_buf *span, uint8_t seed)
{
    uint8_t id[BB_TRACE_ID_SIZE];

    memset(id, seed, sizeof id);
    build_init(span);
    bb_pb_write_bytes(span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
    build_put_text(span, BB_F_SPAN_NAME, "GET /");
    bb_pb_write_uint(span, BB_F_SPAN_KIND, BB_KIND_SERVER);
    bb_pb_write_fixed64(span, BB_F_SPAN_START_TIME_UNIX_NANO, START_NS + seed);
    bb_pb_write_fixed64(span, BB_F_SPAN_END_TIME_UNIX_NANO, START_NS + seed + 1000);
}

static uint32_t add(struct shred_fixture *fx, struct bb_buf *span)
{
    assert_int_equal(bb_buf_err(span), BB_OK);
    uint32_t shape = shred_fixture_add(fx, bb_buf_slice(span));
    bb_buf_dispose(span);
    return shape;
}

/* The last span added is kept whole: it is a value of column 0, and no other column has one more
 * than `values_before`. */
static void assert_whole(const struct shred_fixture *fx, uint32_t shape, uint64_t values_before)
{
    const struct bb_value_vector *whole = &fx->shredder->vectors[0];

    assert_int_equal(shape, 0);
    assert_true(shred_fixture_value_count(fx) == values_before + 1);
    assert_true(whole->count > 0);
    struct bb_slice message = bb_intern_get(&fx->shredder->strings, whole->codes[whole->count - 1]);
    assert_true(bb_slice_equals(message, fx->spans[fx->row_count - 1].bytes));
}

static void gives_spans_that_differ_in_values_alone_one_shape(void **state)
{
    struct shred_fixture *fx = *state;
    static const char *const urls[] = {"/a", "/b", ""};
    uint32_t shapes[3];

    for (uint8_t i = 0; i < 3; i++) {
        struct bb_buf span;
        put_head(&span, (uint8_t)(i + 1));
        build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "url", urls[i]);
        shapes[i] = add(fx, &span);
    }
    assert_int_not_equal(shapes[0], 0);
    assert_int_equal(shapes[1], shapes[0]);
    assert_int_equal(shapes[2], shapes[0]);
    uint32_t column = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_STRING, "url");
    assert_int_not_equal(column, UINT32_MAX);
    const struct bb_value_vector *vector = &fx->shredder->vectors[column];
    assert_int_equal(vector->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct bb_slice value = bb_intern_get(&fx->shredder->strings, vector->codes[i]);
        assert_true(bb_slice_equals_cstr(value, urls[i]));
    }
}

static void tells_shapes_apart_by_which_fields_were_there(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_buf span;
    uint8_t id[BB_TRACE_ID_SIZE] = {1};

    put_head(&span, 1);
    uint32_t shape_with_name = add(fx, &span);
    build_init(&span);
    bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(&span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
    uint32_t shape_of_ids = add(fx, &span);
    assert_int_not_equal(shape_with_name, 0);
    assert_int_not_equal(shape_of_ids, 0);
    assert_int_not_equal(shape_with_name, shape_of_ids);
    assert_int_equal(bb_intern_get(&fx->shredder->shapes, shape_of_ids).data[0], 0);
    assert_int_equal(bb_intern_get(&fx->shredder->shapes, shape_with_name).data[0],
                     BB_HAS_NAME | BB_HAS_KIND | BB_HAS_START | BB_HAS_END);
}

/* Appends a KeyValue of `key` whose AnyValue is the given bytes. */
static void put_raw_attribute(struct bb_buf *out, uint32_t number, struct bb_slice key,
                              struct bb_slice any)
{
    struct bb_buf pair;

    build_init(&pair);
    bb_pb_write_bytes(&pair, BB_F_KEY_VALUE_KEY, key);
    bb_pb_write_bytes(&pair, BB_F_KEY_VALUE_VALUE, any);
    build_put(out, number, &pair);
}

static void gives_one_key_of_two_types_two_columns(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_buf span;

    put_head(&span, 1);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "size", "12");
    put_raw_attribute(&span, BB_F_SPAN_ATTRIBUTES, BYTES_OF("size"), BYTES_OF("\x18\x0c"));
    assert_int_not_equal(add(fx, &span), 0);
    uint32_t text = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_STRING, "size");
    uint32_t number = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_INT, "size");
    assert_int_not_equal(text, UINT32_MAX);
    assert_int_not_equal(number, UINT32_MAX);
    assert_int_equal(fx->shredder->vectors[number].count, 1);
    assert_true(fx->shredder->vectors[number].numbers[0] == bb_zigzag(12));
}

/* Tails that are put behind a good span. Regular ones are taken apart; the others are kept whole,
 * and leave no value in any column but that of whole spans. */
struct tail {
    const char *what;
    struct bb_slice bytes;
    bool is_regular;
};

static const struct tail tails[] = {
    {"nothing", BYTES_INIT(""), true},
    {"an attribute", BYTES_INIT("\x4a\x08\x0a\x01k\x12\x03\x0a\x01v"), true},
    {"an attribute without a value", BYTES_INIT("\x4a\x05\x0a\x01k\x12\x00"), true},
    {"an attribute of an empty key", BYTES_INIT("\x4a\x04\x0a\x00\x12\x00"), true},
    {"a true one", BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x10\x01"), true},
    {"a false one", BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x10\x00"), true},
    {"the smallest number",
     BYTES_INIT("\x4a\x10\x0a\x01k\x12\x0b\x18\x80\x80\x80\x80\x80\x80\x80"
                "\x80\x80\x01"),
     true},
    {"a double", BYTES_INIT("\x4a\x0e\x0a\x01k\x12\x09\x21\x01\x02\x03\x04\x05\x06\xf0\x7f"), true},
    {"an empty list", BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x32\x00"), true},
    {"an empty array", BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x2a\x00"), true},
    {"bytes", BYTES_INIT("\x4a\x09\x0a\x01k\x12\x04\x3a\x02\x00\xff"), true},
    {"dropped attributes", BYTES_INIT("\x50\x05"), true},
    {"dropped attributes, a zero", BYTES_INIT("\x50\x00"), true},
    {"dropped attributes, many", BYTES_INIT("\x50\x80\x20"), true},
    {"an empty event", BYTES_INIT("\x5a\x00"), true},
    {"an event of a name", BYTES_INIT("\x5a\x03\x12\x01n"), true},
    {"an event whose fields fall",
     BYTES_INIT("\x5a\x0c\x12\x01n\x09\x01\x02\x03\x04\x05\x06\x07"
                "\x08"),
     true},
    {"an empty link", BYTES_INIT("\x6a\x00"), true},
    {"an empty status", BYTES_INIT("\x7a\x00"), true},
    {"a status twice", BYTES_INIT("\x7a\x02\x18\x02\x7a\x02\x18\x01"), true},
    {"flags", BYTES_INIT("\x85\x01\x01\x01\x00\x00"), true},
    {"more dropped attributes than a shape is worth", BYTES_INIT("\x50\x81\x20"), false},
    {"an over-long tag", BYTES_INIT("\xca\x00\x08\x0a\x01k\x12\x03\x0a\x01v"), false},
    {"an over-long size", BYTES_INIT("\x4a\x88\x00\x0a\x01k\x12\x03\x0a\x01v"), false},
    {"an over-long size of a key", BYTES_INIT("\x4a\x09\x0a\x81\x00k\x12\x03\x0a\x01v"), false},
    {"an over-long size of a value", BYTES_INIT("\x4a\x09\x0a\x01k\x12\x83\x00\x0a\x01v"), false},
    {"an over-long size of a string", BYTES_INIT("\x4a\x09\x0a\x01k\x12\x04\x0a\x81\x00v"), false},
    {"an over-long number", BYTES_INIT("\x4a\x08\x0a\x01k\x12\x03\x18\x81\x00"), false},
    {"an over-long count", BYTES_INIT("\x50\x85\x00"), false},
    {"a true one that is a 2", BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x10\x02"), false},
    {"a value of two strings", BYTES_INIT("\x4a\x0b\x0a\x01k\x12\x06\x0a\x01v\x0a\x01w"), false},
    {"a value and then its key", BYTES_INIT("\x4a\x08\x12\x03\x0a\x01v\x0a\x01k"), false},
    {"a key alone", BYTES_INIT("\x4a\x03\x0a\x01k"), false},
    {"a key twice", BYTES_INIT("\x4a\x0b\x0a\x01k\x0a\x01k\x12\x03\x0a\x01v"), false},
    {"a field of a later version", BYTES_INIT("\xc2\x3e\x01x"), false},
    {"such a field in an event", BYTES_INIT("\x5a\x03\x7a\x01x"), false},
    {"such a field in a link", BYTES_INIT("\x6a\x03\x7a\x01x"), false},
    {"such a field in a status", BYTES_INIT("\x7a\x03\x7a\x01x"), false},
    {"the reserved field of a status", BYTES_INIT("\x7a\x02\x08\x01"), false},
    {"a field that falls", BYTES_INIT("\x50\x05\x4a\x08\x0a\x01k\x12\x03\x0a\x01v"), false},
    {"the name again", BYTES_INIT("\x2a\x01n"), false},
    {"the kind again, as the last", BYTES_INIT("\x30\x01"), false},
    {"the end again, as the last", BYTES_INIT("\x41\x00\x00\x00\x00\x00\x00\x00\x00"), false},
};

static void takes_apart_what_it_can_give_back_and_keeps_the_rest_whole(void **state)
{
    struct shred_fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(tails); i++) {
        struct bb_buf span;
        put_head(&span, 7);
        bb_buf_append_slice(&span, tails[i].bytes);
        uint64_t values_before = shred_fixture_value_count(fx);
        uint32_t shape = add(fx, &span);
        if ((shape != 0) != tails[i].is_regular) {
            fail_msg("%s: %s", tails[i].what, shape == 0 ? "kept whole" : "taken apart");
        }
        if (shape == 0) {
            assert_whole(fx, shape, values_before);
        }
    }
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

static void keeps_a_span_of_an_unknown_kind_whole(void **state)
{
    struct shred_fixture *fx = *state;
    uint8_t id[BB_TRACE_ID_SIZE] = {1};
    struct bb_buf span;

    build_init(&span);
    bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(&span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
    bb_pb_write_uint(&span, BB_F_SPAN_KIND, 77);
    assert_whole(fx, add(fx, &span), 0);
}

static void keeps_a_key_of_256_bytes_whole_and_takes_one_of_255(void **state)
{
    struct shred_fixture *fx = *state;
    char key[257] = {0};
    struct bb_buf span;

    memset(key, 'k', 256);
    put_head(&span, 1);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, key, "v");
    assert_whole(fx, add(fx, &span), 0);
    key[255] = '\0';
    put_head(&span, 2);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, key, "v");
    assert_int_not_equal(add(fx, &span), 0);
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

/* Ids in links are two numbers each, strings may repeat: all of it is taken back. */
static void leaves_nothing_of_a_half_taken_span_in_the_columns(void **state)
{
    struct shred_fixture *fx = *state;
    uint32_t counts[256];
    struct bb_buf span;

    for (uint8_t i = 1; i < 4; i++) {
        put_head(&span, i);
        build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "url", "/a");
        bb_buf_append_slice(&span, BYTES_OF("\x5a\x0c\x09\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01n"
                                            "\x6a\x1c\x0a\x10ttttttttTTTTTTTT\x12\x08ssssssss"));
        assert_int_not_equal(add(fx, &span), 0);
    }
    uint32_t column_count = fx->shredder->columns.count;
    assert_true(column_count < BB_ARRAY_COUNT(counts));
    for (uint32_t i = 0; i < column_count; i++) {
        counts[i] = fx->shredder->vectors[i].count;
    }
    put_head(&span, 9);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "url", "/another");
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "url", "/and another");
    bb_buf_append_slice(&span, BYTES_OF("\x5a\x0c\x09\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01m"
                                        "\x6a\x1c\x0a\x10uuuuuuuuUUUUUUUU\x12\x08rrrrrrrr"
                                        "\xc2\x3e\x01x"));
    assert_int_equal(add(fx, &span), 0);
    for (uint32_t i = 1; i < column_count; i++) {
        assert_int_equal(fx->shredder->vectors[i].count, counts[i]);
    }
    put_head(&span, 4);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "url", "/a");
    assert_int_not_equal(add(fx, &span), 0);
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

/* One span with more values than it can take back is kept whole. */
static void keeps_a_span_of_thousands_of_values_whole(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_buf span;
    struct bb_buf event;

    put_head(&span, 1);
    for (uint32_t i = 0; i < 8; i++) {
        build_init(&event);
        for (uint32_t k = 0; k < 600; k++) {
            build_put_attribute(&event, BB_F_EVENT_ATTRIBUTES, "k", "v");
        }
        build_put(&span, BB_F_SPAN_EVENTS, &event);
    }
    assert_whole(fx, add(fx, &span), 0);
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

static void keeps_spans_whole_once_there_are_too_many_columns(void **state)
{
    struct shred_fixture *fx = *state;
    uint32_t whole_count = 0;
    struct bb_buf span;

    for (uint32_t i = 0; i < 100; i++) {
        put_head(&span, (uint8_t)(i + 1));
        for (uint32_t k = 0; k < 50; k++) {
            char key[32];
            snprintf(key, sizeof key, "key %u", i * 50 + k);
            build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, key, "v");
        }
        whole_count += add(fx, &span) == 0;
    }
    assert_int_equal(fx->shredder->columns.count, BB_COLUMNS_MAX);
    assert_true(whole_count > 15 && whole_count < 25); /* 5,000 keys are some 900 too many */
    put_head(&span, 200);
    assert_int_not_equal(add(fx, &span), 0); /* one that needs no column is taken apart still */
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

static void keeps_a_time_as_its_difference_to_the_start(void **state)
{
    struct shred_fixture *fx = *state;
    uint8_t time_key[2] = {BB_FIELD_EVENT_TIME, 0};
    struct bb_buf span;
    struct bb_buf event;

    put_head(&span, 5);
    build_init(&event);
    bb_pb_write_fixed64(&event, BB_F_EVENT_TIME_UNIX_NANO, START_NS + 5 - 3);
    build_put(&span, BB_F_SPAN_EVENTS, &event);
    assert_int_not_equal(add(fx, &span), 0);
    uint32_t column =
        shred_fixture_column(fx, BB_PLACE_FIELD, BB_COLUMN_TIME, (const char *)time_key);
    assert_int_not_equal(column, UINT32_MAX);
    assert_true(fx->shredder->vectors[column].numbers[0] == bb_zigzag((uint64_t)-3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_spans_that_differ_in_values_alone_one_shape, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tells_shapes_apart_by_which_fields_were_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_one_key_of_two_types_two_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_apart_what_it_can_give_back_and_keeps_the_rest_whole,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_span_of_an_unknown_kind_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_key_of_256_bytes_whole_and_takes_one_of_255, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(leaves_nothing_of_a_half_taken_span_in_the_columns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_span_of_thousands_of_values_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_spans_whole_once_there_are_too_many_columns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_time_as_its_difference_to_the_start, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
