#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/json_writer.h"

#define BYTES_OF(literal) bb_slice_of(literal, sizeof(literal) - 1)
#define BYTES_INIT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1} /* in tables */

static int set_up(void **state)
{
    static struct bb_buf buf;

    bb_buf_init(&buf, 1 << 20);
    *state = &buf;
    return 0;
}

static int tear_down(void **state)
{
    bb_buf_dispose(*state);
    return 0;
}

static void assert_text(struct bb_buf *buf, const char *expected)
{
    assert_int_equal(bb_buf_err(buf), BB_OK);
    bb_buf_append_byte(buf, '\0');
    assert_string_equal((const char *)buf->data, expected);
    bb_buf_clear(buf);
}

static void nests_objects_and_arrays_with_commas_where_they_belong(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_begin_object(&json);
    bb_json_key(&json, "a");
    bb_json_begin_array(&json);
    bb_json_uint(&json, 1);
    bb_json_begin_array(&json);
    bb_json_end_array(&json);
    bb_json_begin_object(&json);
    bb_json_end_object(&json);
    bb_json_null(&json);
    bb_json_end_array(&json);
    bb_json_key(&json, "b");
    bb_json_bool(&json, true);
    bb_json_key_slice(&json, bb_slice_from_cstr("c\"d"));
    bb_json_bool(&json, false);
    bb_json_key(&json, "e");
    bb_json_begin_object(&json);
    bb_json_key(&json, "f");
    bb_json_raw(&json, bb_slice_from_cstr("[1,2]"));
    bb_json_end_object(&json);
    bb_json_end_object(&json);
    assert_int_equal(json.depth, 0);
    assert_text(*state, "{\"a\":[1,[],{},null],\"b\":true,\"c\\\"d\":false,\"e\":{\"f\":[1,2]}}");
}

static void writes_the_ends_of_integers(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_begin_array(&json);
    bb_json_uint(&json, UINT64_MAX);
    bb_json_int(&json, INT64_MIN);
    bb_json_int(&json, INT64_MAX);
    bb_json_uint_string(&json, UINT64_MAX);
    bb_json_int_string(&json, INT64_MIN);
    bb_json_end_array(&json);
    assert_text(*state, "[18446744073709551615,-9223372036854775808,9223372036854775807,"
                        "\"18446744073709551615\",\"-9223372036854775808\"]");
}

static void doubles_are_numbers_and_the_others_are_strings(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_begin_array(&json);
    bb_json_double(&json, 72.5);
    bb_json_double(&json, -0.0);
    bb_json_double(&json, 1e300);
    bb_json_double(&json, 0.1);
    bb_json_double(&json, (double)NAN);
    bb_json_double(&json, (double)INFINITY);
    bb_json_double(&json, -(double)INFINITY);
    bb_json_end_array(&json);
    assert_text(*state, "[72.5,-0.0,1e+300,0.1,\"NaN\",\"Infinity\",\"-Infinity\"]");
}

static void escapes_quotes_backslashes_and_every_control_character(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_string(&json, BYTES_OF("a\"b\\c/\b\f\n\r\t\x7f"));
    assert_text(*state, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\x7f\"");
    for (unsigned c = 0; c < 0x20; c++) {
        char text[1] = {(char)c};
        char expected[16];
        if (c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
            continue;
        }
        json = bb_json_writer_of(*state);
        bb_json_string(&json, bb_slice_of(text, 1));
        snprintf(expected, sizeof expected, "\"\\u%04x\"", c);
        assert_text(*state, expected);
    }
}

static void keeps_utf8_and_replaces_what_is_none(void **state)
{
    static const struct {
        struct bb_slice text;
        const char *expected;
    } cases[] = {
        {BYTES_INIT(""), "\"\""},
        {BYTES_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80"),
         "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80\""},
        {BYTES_INIT("\xff"), "\"\xef\xbf\xbd\""},
        {BYTES_INIT("a\x80z"), "\"a\xef\xbf\xbdz\""},
        {BYTES_INIT("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {BYTES_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {BYTES_INIT("cut \xe2\x82"), "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
        {BYTES_INIT("\xc3\"\\"), "\"\xef\xbf\xbd\\\"\\\\\""},
        {BYTES_INIT("a\0b"), "\"a\\u0000b\""},
    };

    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_json_writer json = bb_json_writer_of(*state);
        bb_json_string(&json, cases[i].text);
        assert_text(*state, cases[i].expected);
    }
}

static void a_key_from_outside_is_escaped_and_made_valid(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_begin_object(&json);
    bb_json_key_slice(&json, BYTES_OF("\n\xff"));
    bb_json_cstr(&json, "v");
    bb_json_end_object(&json);
    assert_text(*state, "{\"\\n\xef\xbf\xbd\":\"v\"}");
}

/* The vectors of RFC 4648, section 10. */
static void writes_base64_with_padding(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        bb_base64_append(*state, bb_slice_from_cstr(cases[i][0]));
        assert_text(*state, cases[i][1]);
    }
    bb_base64_append(*state, BYTES_OF("\xfb\xef\xbe\xff\xff"));
    assert_text(*state, "++++//8=");
    struct bb_json_writer json = bb_json_writer_of(*state);
    bb_json_base64(&json, BYTES_OF("\0\xff"));
    assert_text(*state, "\"AP8=\"");
}

static void writes_hex_in_lower_case(void **state)
{
    struct bb_json_writer json = bb_json_writer_of(*state);

    bb_json_begin_array(&json);
    bb_json_hex(&json, BYTES_OF("\x0a\xf7\x00"));
    bb_json_hex(&json, bb_slice_of(NULL, 0));
    bb_json_end_array(&json);
    assert_text(*state, "[\"0af700\",\"\"]");
}

static void a_full_buffer_keeps_the_error(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 10; limit++) {
        struct bb_buf buf;
        bb_buf_init(&buf, limit);
        struct bb_json_writer json = bb_json_writer_of(&buf);
        bb_json_begin_object(&json);
        bb_json_key(&json, "key");
        bb_json_string(&json, BYTES_OF("a\nb\xff"));
        bb_json_end_object(&json);
        assert_int_equal(bb_buf_err(&buf), BB_ETOOBIG);
        bb_buf_dispose(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests_objects_and_arrays_with_commas_where_they_belong),
        cmocka_unit_test(writes_the_ends_of_integers),
        cmocka_unit_test(doubles_are_numbers_and_the_others_are_strings),
        cmocka_unit_test(escapes_quotes_backslashes_and_every_control_character),
        cmocka_unit_test(keeps_utf8_and_replaces_what_is_none),
        cmocka_unit_test(a_key_from_outside_is_escaped_and_made_valid),
        cmocka_unit_test(writes_base64_with_padding),
        cmocka_unit_test(writes_hex_in_lower_case),
        cmocka_unit_test(a_full_buffer_keeps_the_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
