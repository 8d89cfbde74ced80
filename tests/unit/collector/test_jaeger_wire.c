#include "collector/jaeger_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A slice of a string literal, which may hold NULs. */
#define WIRE(literal) bb_slice_of(literal, sizeof(literal) - 1)

#define IDS                                                                                        \
    "\x0a\x10"                                                                                     \
    "0123456789abcdef"                                                                             \
    "\x12\x08"                                                                                     \
    "01234567"

struct fixture {
    struct bb_jaeger_transcoder t;
    struct bb_arena arena;
    struct bb_buf out;
    struct bb_left_out left_out;
};

static struct fixture fx;

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof fx);
    bb_arena_init(&fx.arena, 65536);
    bb_buf_init(&fx.out, 4096);
    fx.t =
        (struct bb_jaeger_transcoder){.arena = &fx.arena, .out = &fx.out, .left_out = &fx.left_out};
    bb_field_path_clear(&fx.t.path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_arena_dispose(&fx.arena);
    bb_buf_dispose(&fx.out);
    return 0;
}

static struct bb_pb_field message_of(struct bb_slice bytes)
{
    return (struct bb_pb_field){.number = 1, .type = BB_PB_BYTES, .bytes = bytes};
}

static void check_failure(const char *path, const char *what)
{
    assert_string_equal(bb_field_path_text(&fx.t.path), path);
    assert_string_equal(fx.t.what, what);
    assert_false(bb_jaeger_is_fatal(&fx.t));
}

static void a_failure_gathers_its_path_on_the_way_up(void **state)
{
    (void)state;
    assert_false(bb_jaeger_fail(&fx.t, "must be %d bytes", 8));
    assert_false(bb_jaeger_at_field(&fx.t, "span_id", -1));
    assert_false(bb_jaeger_at_field(&fx.t, "references", 2));
    check_failure("references[2].span_id", "must be 8 bytes");
    assert_false(bb_jaeger_fail(&fx.t, "another"));
    check_failure("", "another");
}

static void an_arena_at_its_limit_is_fatal(void **state)
{
    struct bb_jaeger_process process = {0};

    (void)state;
    bb_arena_dispose(&fx.arena);
    bb_arena_init(&fx.arena, 4);
    assert_true(bb_jaeger_merge(&fx.t, &process,
                                WIRE("\x0a\x01"
                                     "a")));
    assert_false(bb_jaeger_is_fatal(&fx.t));
    assert_false(bb_jaeger_merge(&fx.t, &process,
                                 WIRE("\x0a\x01"
                                      "b")));
    assert_true(bb_jaeger_is_fatal(&fx.t));
    assert_int_equal(fx.t.err, BB_ETOOBIG);
}

static void an_output_at_its_limit_is_fatal(void **state)
{
    (void)state;
    bb_buf_dispose(&fx.out);
    bb_buf_init(&fx.out, 1);
    bb_buf_append(&fx.out, "ab", 2);
    assert_true(bb_jaeger_is_fatal(&fx.t));
}

static void parts_of_a_process_are_put_in_a_row(void **state)
{
    struct bb_jaeger_process process = {0};

    (void)state;
    assert_true(bb_jaeger_merge(&fx.t, &process, WIRE("")));
    assert_true(process.is_set);
    assert_int_equal(process.bytes.size, 0);
    assert_true(bb_jaeger_merge(&fx.t, &process,
                                WIRE("\x0a\x01"
                                     "a")));
    assert_true(bb_jaeger_merge(&fx.t, &process, WIRE("")));
    assert_true(bb_jaeger_merge(&fx.t, &process, WIRE("\x12\x00")));
    assert_true(bb_slice_equals(process.bytes, WIRE("\x0a\x01"
                                                    "a"
                                                    "\x12\x00")));
}

static void reads_moments_with_their_sign(void **state)
{
    struct bb_jaeger_moment moment = {0};
    struct bb_pb_field minus_one_second =
        message_of(WIRE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    struct bb_pb_field minus_two_nanos =
        message_of(WIRE("\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));

    (void)state;
    assert_true(bb_jaeger_read_moment(&fx.t, &minus_one_second, &moment));
    assert_true(bb_jaeger_read_moment(&fx.t, &minus_two_nanos, &moment));
    assert_int_equal(moment.seconds, -1);
    assert_int_equal(moment.nanos, -2);
}

static void refuses_moments_that_are_none(void **state)
{
    struct bb_jaeger_moment moment = {0};
    struct bb_pb_field wrong_type = message_of(WIRE("\x0a\x00"));
    struct bb_pb_field cut = message_of(WIRE("\x08"));
    struct bb_pb_field number = {.number = 1, .type = BB_PB_VARINT};

    (void)state;
    assert_false(bb_jaeger_read_moment(&fx.t, &wrong_type, &moment));
    check_failure("seconds", "has the wrong wire type");
    assert_false(bb_jaeger_read_moment(&fx.t, &cut, &moment));
    check_failure("", "malformed protobuf");
    assert_false(bb_jaeger_read_moment(&fx.t, &number, &moment));
    check_failure("", "has the wrong wire type");
}

static void reads_every_field_of_a_tag(void **state)
{
    struct bb_jaeger_tag tag;
    struct bb_pb_field field = message_of(WIRE("\x0a\x03"
                                               "k\0k"
                                               "\x10\x03"
                                               "\x1a\x01"
                                               "s"
                                               "\x20\x01"
                                               "\x28\x05"
                                               "\x31\x01\x02\x03\x04\x05\x06\x07\x08"
                                               "\x3a\x02\0\1"
                                               "\x48\x07"));

    (void)state;
    assert_true(bb_jaeger_read_tag(&fx.t, &field, &tag));
    assert_true(bb_slice_equals(tag.key, WIRE("k\0k")));
    assert_int_equal(tag.type, BB_JAEGER_TYPE_FLOAT64);
    assert_true(bb_slice_equals(tag.text, WIRE("s")));
    assert_true(tag.boolean);
    assert_int_equal(tag.integer, 5);
    assert_true(tag.float64_bits == UINT64_C(0x0807060504030201));
    assert_true(bb_slice_equals(tag.binary, WIRE("\0\1")));
}

static void names_the_field_of_a_tag_that_is_wrong(void **state)
{
    static const struct {
        const char *wire;
        size_t size;
        const char *path;
        const char *what;
    } rows[] = {
        {"\x08\x01", 2, "key", "has the wrong wire type"},
        {"\x12\x00", 2, "v_type", "has the wrong wire type"},
        {"\x18\x01", 2, "v_str", "has the wrong wire type"},
        {"\x22\x00", 2, "v_bool", "has the wrong wire type"},
        {"\x2a\x00", 2, "v_int64", "has the wrong wire type"},
        {"\x30\x01", 2, "v_float64", "has the wrong wire type"},
        {"\x38\x01", 2, "v_binary", "has the wrong wire type"},
        {"\x10\x05", 2, "v_type", "must be 0 to 4, is 5"},
        {"\x0a\x05", 2, "", "malformed protobuf"},
    };
    struct bb_jaeger_tag tag;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_pb_field field = message_of(bb_slice_of(rows[i].wire, rows[i].size));

        assert_false(bb_jaeger_read_tag(&fx.t, &field, &tag));
        check_failure(rows[i].path, rows[i].what);
    }
}

static void knows_the_special_keys_whole(void **state)
{
    (void)state;
#define KEY_IS_KNOWN(name, key)                                                                    \
    assert_int_equal(bb_jaeger_special_key_of(bb_slice_from_cstr(key)), name);
    BB_JAEGER_KEY_LIST(KEY_IS_KNOWN)
#undef KEY_IS_KNOWN
    assert_int_equal(bb_jaeger_special_key_of(WIRE("")), BB_JAEGER_KEY_COUNT);
    assert_int_equal(bb_jaeger_special_key_of(WIRE("erro")), BB_JAEGER_KEY_COUNT);
    assert_int_equal(bb_jaeger_special_key_of(WIRE("errors")), BB_JAEGER_KEY_COUNT);
    assert_int_equal(bb_jaeger_special_key_of(WIRE("Error")), BB_JAEGER_KEY_COUNT);
}

static void keeps_the_first_tag_of_a_special_key_with_its_index(void **state)
{
    struct bb_jaeger_span span;

    (void)state;
    assert_true(bb_jaeger_read_span(&fx.t,
                                    WIRE(IDS "\x42\x03\x0a\x01"
                                             "a"
                                             "\x42\x0a\x0a\x05"
                                             "error"
                                             "\x1a\x01"
                                             "1"
                                             "\x42\x0a\x0a\x05"
                                             "error"
                                             "\x1a\x01"
                                             "2"),
                                    &span));
    const struct bb_jaeger_special *error = &span.specials[BB_JAEGER_KEY_ERROR];
    assert_true(error->is_found);
    assert_false(error->is_used_up);
    assert_int_equal(error->index, 1);
    assert_true(bb_slice_equals(error->tag.text, WIRE("1")));
    assert_false(span.specials[BB_JAEGER_KEY_SPAN_KIND].is_found);
}

static void of_a_plain_field_the_last_one_counts(void **state)
{
    struct bb_jaeger_span span;

    (void)state;
    assert_true(bb_jaeger_read_span(&fx.t,
                                    WIRE(IDS "\x1a\x01"
                                             "a"
                                             "\x1a\x01"
                                             "b"
                                             "\x28\x01\x28\x02"),
                                    &span));
    assert_true(bb_slice_equals(span.name, WIRE("b")));
    assert_int_equal(span.flags, 2);
    assert_memory_equal(span.trace_id.bytes, "0123456789abcdef", 16);
    assert_memory_equal(span.span_id.bytes, "01234567", 8);
    assert_false(span.process.is_set);
}

static void reads_references(void **state)
{
    struct bb_jaeger_reference reference;
    struct bb_pb_field follows = message_of(WIRE(IDS "\x18\x01"));
    struct bb_pb_field nothing = message_of(WIRE(""));
    struct bb_pb_field follows_nothing = message_of(WIRE("\x18\x01"));
    struct bb_pb_field zeros = message_of(WIRE("\x12\x08\0\0\0\0\0\0\0\0"));

    (void)state;
    assert_true(bb_jaeger_read_reference(&fx.t, &follows, &reference));
    assert_int_equal(reference.type, BB_JAEGER_REF_FOLLOWS_FROM);
    assert_false(reference.is_nothing);
    assert_memory_equal(reference.trace_id.bytes, "0123456789abcdef", 16);
    assert_memory_equal(reference.span_id.bytes, "01234567", 8);
    assert_true(bb_jaeger_read_reference(&fx.t, &nothing, &reference));
    assert_true(reference.is_nothing);
    assert_true(bb_jaeger_read_reference(&fx.t, &zeros, &reference));
    assert_true(reference.is_nothing);
    assert_false(bb_jaeger_read_reference(&fx.t, &follows_nothing, &reference));
    check_failure("span_id", "must be 8 bytes, is 0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_failure_gathers_its_path_on_the_way_up),
        TEST(an_arena_at_its_limit_is_fatal),
        TEST(an_output_at_its_limit_is_fatal),
        TEST(parts_of_a_process_are_put_in_a_row),
        TEST(reads_moments_with_their_sign),
        TEST(refuses_moments_that_are_none),
        TEST(reads_every_field_of_a_tag),
        TEST(names_the_field_of_a_tag_that_is_wrong),
        TEST(knows_the_special_keys_whole),
        TEST(keeps_the_first_tag_of_a_special_key_with_its_index),
        TEST(of_a_plain_field_the_last_one_counts),
        TEST(reads_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
