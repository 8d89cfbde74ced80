#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pb_wire.h"

#define BYTES_OF(literal) bb_slice_of(literal, sizeof(literal) - 1)
#define BYTES_INIT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1} /* in tables */

static const uint64_t varints[] = {
    0,
    1,
    127,
    128,
    300,
    16383,
    16384,
    UINT32_MAX,
    UINT64_C(1) << 35,
    UINT64_C(1) << 62,
    INT64_MAX,
    (uint64_t)INT64_MIN,
    UINT64_MAX,
};

static void every_varint_reads_back_and_has_its_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(varints); i++) {
        struct bb_buf buf;
        uint64_t back = 42;
        bb_buf_init(&buf, 10);
        bb_pb_write_varint(&buf, varints[i]);
        assert_int_equal(bb_buf_err(&buf), BB_OK);
        assert_int_equal(buf.size, bb_pb_varint_size(varints[i]));
        struct bb_pb_reader reader = bb_pb_reader_of(bb_buf_slice(&buf));
        assert_true(bb_pb_read_varint(&reader, &back));
        assert_true(back == varints[i]);
        assert_true(reader.next == reader.end);
        bb_buf_dispose(&buf);
    }
}

static void writes_the_bytes_of_the_encoding_guide(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    bb_pb_write_uint(&buf, 1, 150);
    bb_pb_write_bytes(&buf, 2, bb_slice_from_cstr("testing"));
    bb_pb_write_fixed32(&buf, 3, 1);
    bb_pb_write_fixed64(&buf, 4, 2);
    bb_pb_write_double(&buf, 5, 1.0);
    bb_pb_write_uint(&buf, 16, 0);
    bb_pb_write_uint(&buf, 6, (uint64_t)INT64_C(-2));
    assert_true(bb_slice_equals(bb_buf_slice(&buf),
                                BYTES_OF("\x08\x96\x01"
                                         "\x12\x07testing"
                                         "\x1d\x01\x00\x00\x00"
                                         "\x21\x02\x00\x00\x00\x00\x00\x00\x00"
                                         "\x29\x00\x00\x00\x00\x00\x00\xf0\x3f"
                                         "\x80\x01\x00"
                                         "\x30\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
    bb_buf_dispose(&buf);
}

static void reads_fields_of_every_type(void **state)
{
    struct bb_pb_reader reader = bb_pb_reader_of(BYTES_OF("\x08\x96\x01"
                                                          "\x12\x03xyz"
                                                          "\x1d\x04\x03\x02\x81"
                                                          "\x21\x08\x07\x06\x05\x04\x03\x02\x81"
                                                          "\xfa\xff\xff\xff\x0f\x00"));
    struct bb_pb_field field;

    (void)state;
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.type, BB_PB_VARINT);
    assert_int_equal(field.value, 150);
    assert_int_equal(field.bytes.size, 0);
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.number, 2);
    assert_int_equal(field.type, BB_PB_BYTES);
    assert_int_equal(field.value, 3);
    assert_true(bb_slice_equals_cstr(field.bytes, "xyz"));
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.type, BB_PB_FIXED32);
    assert_int_equal(field.value, UINT32_C(0x81020304));
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.type, BB_PB_FIXED64);
    assert_true(field.value == UINT64_C(0x8102030405060708));
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.number, (1u << 29) - 1); /* the largest number there is */
    assert_int_equal(field.bytes.size, 0);
    assert_false(bb_pb_next(&reader, &field));
    assert_false(reader.malformed);
    assert_false(bb_pb_next(&reader, &field));
}

static void no_message_is_one_without_fields(void **state)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bb_slice_of(NULL, 0));
    struct bb_pb_field field;

    (void)state;
    assert_false(bb_pb_next(&reader, &field));
    assert_false(reader.malformed);
}

static void refuses_malformed_fields(void **state)
{
    static const struct {
        const char *what;
        struct bb_slice bytes;
    } cases[] = {
        {"a tag cut short", BYTES_INIT("\x80")},
        {"field number 0", BYTES_INIT("\x00\x01")},
        {"field number 0 of type bytes", BYTES_INIT("\x02\x00")},
        {"a tag of 6 bytes", BYTES_INIT("\x88\x80\x80\x80\x80\x00\x01")},
        {"a tag over 32 bits", BYTES_INIT("\x88\x80\x80\x80\x10\x01")},
        {"a group's start", BYTES_INIT("\x0b\x0c")},
        {"a group's end", BYTES_INIT("\x0c")},
        {"wire type 6", BYTES_INIT("\x0e\x00")},
        {"wire type 7", BYTES_INIT("\x0f\x00")},
        {"a varint that is missing", BYTES_INIT("\x08")},
        {"a varint cut short", BYTES_INIT("\x08\xff\xff")},
        {"a varint of 11 bytes", BYTES_INIT("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00")},
        {"a varint over 64 bits", BYTES_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")},
        {"8 bytes cut short", BYTES_INIT("\x09\x00\x00\x00\x00\x00\x00\x00")},
        {"4 bytes cut short", BYTES_INIT("\x0d\x00\x00\x00")},
        {"a length that is missing", BYTES_INIT("\x0a")},
        {"a length cut short", BYTES_INIT("\x0a\x80")},
        {"a length past the end", BYTES_INIT("\x0a\x02x")},
        {"a length of 6 bytes", BYTES_INIT("\x0a\x81\x80\x80\x80\x80\x00x")},
        {"a length of 2^32 + 1", BYTES_INIT("\x0a\x81\x80\x80\x80\x10x")},
        {"a length of 2^64 - 1", BYTES_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x")},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_pb_reader reader = bb_pb_reader_of(cases[i].bytes);
        struct bb_pb_field field;
        if (bb_pb_next(&reader, &field) || !reader.malformed) {
            fail_msg("%s is taken", cases[i].what);
        }
        assert_false(bb_pb_next(&reader, &field)); /* and stays so */
    }
}

static void takes_numbers_that_are_longer_than_they_need_to_be(void **state)
{
    struct bb_pb_reader reader =
        bb_pb_reader_of(BYTES_OF("\x88\x80\x80\x80\x00"                     /* tag 1, varint */
                                 "\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00" /* 1 in ten bytes */
                                 "\x0a\x81\x80\x80\x80\x00x"));             /* length 1 in five */
    struct bb_pb_field field = {0};

    (void)state;
    assert_true(bb_pb_next(&reader, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.value, 1);
    assert_true(bb_pb_next(&reader, &field));
    assert_true(bb_slice_equals_cstr(field.bytes, "x"));
    assert_false(bb_pb_next(&reader, &field));
    assert_false(reader.malformed);
}

static void sizes_of_bytes_fields_are_what_is_written(void **state)
{
    static const uint32_t numbers[] = {1, 15, 16, 2047, 2048, (1u << 29) - 1};
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384};
    static const uint8_t content[16384];

    (void)state;
    for (size_t n = 0; n < BB_ARRAY_COUNT(numbers); n++) {
        for (size_t s = 0; s < BB_ARRAY_COUNT(sizes); s++) {
            struct bb_buf buf;
            size_t size = bb_pb_bytes_field_size(numbers[n], sizes[s]);
            bb_buf_init(&buf, size); /* not a byte more is needed */
            bb_pb_write_bytes(&buf, numbers[n], bb_slice_of(content, sizes[s]));
            assert_int_equal(bb_buf_err(&buf), BB_OK);
            assert_int_equal(buf.size, size);
            bb_buf_dispose(&buf);
        }
    }
}

static void a_message_of_unknown_size_gets_its_length_in_front(void **state)
{
    static const size_t sizes[] = {0, 1, 127, 128, 20000};
    static const uint8_t content[20000];

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(sizes); i++) {
        struct bb_buf buf;
        struct bb_buf expected;
        bb_buf_init(&buf, 1 << 20);
        bb_buf_init(&expected, 1 << 20);
        bb_pb_write_uint(&buf, 1, 7);
        size_t mark = bb_pb_begin_message(&buf, 2);
        bb_buf_append(&buf, content, sizes[i]);
        bb_pb_end_message(&buf, mark);
        bb_pb_write_uint(&buf, 3, 8);

        bb_pb_write_uint(&expected, 1, 7);
        bb_pb_write_bytes(&expected, 2, bb_slice_of(content, sizes[i]));
        bb_pb_write_uint(&expected, 3, 8);
        assert_true(bb_slice_equals(bb_buf_slice(&buf), bb_buf_slice(&expected)));
        bb_buf_dispose(&buf);
        bb_buf_dispose(&expected);
    }
}

static void messages_of_unknown_size_nest(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    size_t outer = bb_pb_begin_message(&buf, 1);
    size_t inner = bb_pb_begin_message(&buf, 2);
    bb_pb_write_uint(&buf, 3, 4);
    bb_pb_end_message(&buf, inner);
    bb_pb_end_message(&buf, outer);
    assert_true(bb_slice_equals(bb_buf_slice(&buf), BYTES_OF("\x0a\x04\x12\x02\x18\x04")));
    bb_buf_dispose(&buf);
}

static void a_buffer_at_its_limit_keeps_the_error_through_every_writer(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 12; limit++) {
        struct bb_buf buf;
        bb_buf_init(&buf, limit);
        size_t mark = bb_pb_begin_message(&buf, 1);
        bb_pb_write_uint(&buf, 2, 300);
        bb_pb_write_fixed32(&buf, 3, 1);
        bb_pb_end_message(&buf, mark);
        /* 1 tag, 1 length, 3 and 5 bytes of fields */
        assert_int_equal(bb_buf_err(&buf), limit < 10 ? BB_ETOOBIG : BB_OK);
        bb_buf_dispose(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_varint_reads_back_and_has_its_size),
        cmocka_unit_test(writes_the_bytes_of_the_encoding_guide),
        cmocka_unit_test(reads_fields_of_every_type),
        cmocka_unit_test(no_message_is_one_without_fields),
        cmocka_unit_test(refuses_malformed_fields),
        cmocka_unit_test(takes_numbers_that_are_longer_than_they_need_to_be),
        cmocka_unit_test(sizes_of_bytes_fields_are_what_is_written),
        cmocka_unit_test(a_message_of_unknown_size_gets_its_length_in_front),
        cmocka_unit_test(messages_of_unknown_size_nest),
        cmocka_unit_test(a_buffer_at_its_limit_keeps_the_error_through_every_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
