#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/check.h"
#include "common/json_reader.h"
#include "common/limits.h"

static bool is_json(const char *text, size_t size)
{
    struct bb_json_reader json = bb_json_reader_of(bb_slice_of(text, size));

    return bb_json_skip(&json) && bb_json_at_end(&json);
}

static void accepts_what_rfc_8259_allows(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0e+00",
        "12.5E-7",
        "\"\"",
        " [ ] ",
        "\t\r\n{}\n",
        "[1,2,3]",
        "[[],[[]],{}]",
        "{\"a\":{\"b\":[{\"c\":null}]},\"\":1}",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\\uD83D\\uDE00\"",
        "\"\x7f\"",
        "\"h\xc3\xa9llo\"",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(texts); i++) {
        if (!is_json(texts[i], strlen(texts[i]))) {
            fail_msg("refused: %s", texts[i]);
        }
    }
}

static void refuses_what_is_no_json(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\" 1}",
        "nul",
        "nulL",
        "True",
        "tru",
        "falsee",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1 1",
        "[] []",
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u 123\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "\"\xc0\x80\"",
        "\xef\xbb\xbf{}",
        "/* */{}",
        "{}//",
        "[1]\x01",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(texts); i++) {
        if (is_json(texts[i], strlen(texts[i]))) {
            fail_msg("accepted: %s", texts[i]);
        }
    }
    assert_false(is_json("\"a\x1f\"", 4));
    assert_false(is_json("\"a\0b\"", 5)); /* a NUL must be escaped like any control character */
    assert_false(is_json("[]\0", 3));
}

/* Each prefix of a document is cut in the middle, and must neither pass nor be read beyond. */
static void refuses_every_proper_prefix(void **state)
{
    static const char text[] = "{\"a\":[1.5e3,true,null,{\"\\u00e9\":\"x\\n\"}],\"b\":{}}";

    (void)state;
    for (size_t size = 0; size < sizeof text - 1; size++) {
        char *copy = malloc(size + 1); /* so that a sanitizer sees a read behind it */
        assert_non_null(copy);
        memcpy(copy, text, size);
        char *exact = realloc(copy, size > 0 ? size : 1);
        assert_non_null(exact);
        assert_false(is_json(exact, size));
        free(exact);
    }
    assert_true(is_json(text, sizeof text - 1));
}

static void hands_out_members_in_order(void **state)
{
    struct bb_json_reader json =
        bb_json_reader_of(bb_slice_from_cstr("{\"a\":[1,\"x\",[]],\"b\":{},\"c\":true,"
                                             "\"d\":null}"));
    struct bb_json_string text;
    struct bb_slice number;
    bool value = false;

    (void)state;
    assert_true(bb_json_enter_object(&json));
    assert_true(bb_json_next_key(&json, &text));
    assert_true(bb_json_string_equals(&text, "a"));
    assert_true(bb_json_enter_array(&json));
    assert_true(bb_json_next_element(&json));
    assert_true(bb_json_read_number(&json, &number));
    assert_true(bb_slice_equals_cstr(number, "1"));
    assert_true(bb_json_next_element(&json));
    assert_int_equal(bb_json_peek(&json), BB_JSON_STRING);
    assert_true(bb_json_read_string(&json, &text));
    assert_true(bb_json_next_element(&json));
    assert_true(bb_json_enter_array(&json));
    assert_false(bb_json_next_element(&json));
    assert_false(bb_json_next_element(&json));
    assert_true(bb_json_next_key(&json, &text));
    assert_true(bb_json_string_equals(&text, "b"));
    assert_true(bb_json_skip(&json));
    assert_true(bb_json_next_key(&json, &text));
    assert_true(bb_json_read_bool(&json, &value));
    assert_true(value);
    assert_true(bb_json_next_key(&json, &text));
    assert_true(bb_json_read_null(&json));
    assert_false(bb_json_next_key(&json, &text));
    assert_true(bb_json_at_end(&json));
    assert_int_equal(json.err, BB_OK);
    assert_int_equal(json.depth, 0);
}

static void the_first_error_sticks_and_has_its_place(void **state)
{
    struct bb_json_reader json = bb_json_reader_of(bb_slice_from_cstr("{\n  \"a\": ?}"));
    struct bb_json_string key;
    size_t line;
    size_t column;

    (void)state;
    assert_true(bb_json_enter_object(&json));
    assert_true(bb_json_next_key(&json, &key));
    assert_false(bb_json_skip(&json));
    assert_int_equal(json.err, BB_EINVAL);
    assert_string_equal(json.what, "expected a value");
    bb_json_position(&json, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 8);
    assert_false(bb_json_next_key(&json, &key));
    assert_false(bb_json_at_end(&json));
    assert_int_equal(bb_json_peek(&json), BB_JSON_NONE);
    assert_string_equal(json.what, "expected a value");
}

static void nesting_ends_at_its_limit(void **state)
{
    char text[2 * BB_JSON_DEPTH_MAX + 2];

    (void)state;
    memset(text, '[', BB_JSON_DEPTH_MAX);
    memset(text + BB_JSON_DEPTH_MAX, ']', BB_JSON_DEPTH_MAX);
    assert_true(is_json(text, (size_t)2 * BB_JSON_DEPTH_MAX));

    memset(text, '[', BB_JSON_DEPTH_MAX + 1);
    memset(text + BB_JSON_DEPTH_MAX + 1, ']', BB_JSON_DEPTH_MAX + 1);
    struct bb_json_reader json = bb_json_reader_of(bb_slice_of(text, sizeof text));
    assert_false(bb_json_skip(&json));
    assert_int_equal(json.err, BB_ETOOBIG);
}

static void a_copy_goes_back_to_its_place(void **state)
{
    struct bb_json_reader json = bb_json_reader_of(bb_slice_from_cstr("[1,[2,3],4]"));

    (void)state;
    assert_true(bb_json_enter_array(&json));
    assert_true(bb_json_next_element(&json));
    assert_true(bb_json_skip(&json));
    assert_true(bb_json_next_element(&json));
    struct bb_json_reader mark = json;
    assert_true(bb_json_enter_array(&json));
    assert_true(bb_json_next_element(&json));
    json = mark;
    assert_true(bb_json_skip(&json));
    assert_true(bb_json_next_element(&json));
    assert_true(bb_json_skip(&json));
    assert_false(bb_json_next_element(&json));
    assert_true(bb_json_at_end(&json));
}

static void unescapes_strings(void **state)
{
    static const struct {
        const char *json;
        const char *text;
        size_t size;
    } rows[] = {
        {"\"plain\"", "plain", 5},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6},
        {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!", 5},
        {"\"\\ud83d\"", "\xef\xbf\xbd", 3},
        {"\"\\ude00x\"", "\xef\xbf\xbdx", 4},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7},
        {"\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4},
        {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4},
        {"\"\\ud800\\udc00\"", "\xf0\x90\x80\x80", 4},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_json_reader json = bb_json_reader_of(bb_slice_from_cstr(rows[i].json));
        struct bb_json_string string;
        uint8_t out[64];

        assert_true(bb_json_read_string(&json, &string));
        assert_true(string.raw.size <= sizeof out);
        size_t size = bb_json_string_decode(&string, out);
        if (size != rows[i].size || memcmp(out, rows[i].text, size) != 0) {
            fail_msg("%s: %zu bytes", rows[i].json, size);
        }
    }
}

static void compares_keys_after_unescaping(void **state)
{
    struct bb_json_reader json = bb_json_reader_of(bb_slice_from_cstr("\"trac\\u0065Id\""));
    struct bb_json_string key;

    (void)state;
    assert_true(bb_json_read_string(&json, &key));
    assert_true(bb_json_string_equals(&key, "traceId"));
    assert_false(bb_json_string_equals(&key, "traceI"));
    assert_false(bb_json_string_equals(&key, "x"));
}

static void reads_integers_exactly(void **state)
{
    static const struct {
        const char *text;
        bool is_uint;
        uint64_t as_uint;
        bool is_int;
        int64_t as_int;
    } rows[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, true, 0},
        {"0e999999999999999999999", true, 0, true, 0},
        {"0.000", true, 0, true, 0},
        {"120", true, 120, true, 120},
        {"-120", false, 0, true, -120},
        {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", true, UINT64_C(9223372036854775808), false, 0},
        {"-9223372036854775808", false, 0, true, INT64_MIN},
        {"-9223372036854775809", false, 0, false, 0},
        {"18446744073709551615", true, UINT64_MAX, false, 0},
        {"18446744073709551616", false, 0, false, 0},
        {"99999999999999999999999", false, 0, false, 0},
        {"1e3", true, 1000, true, 1000},
        {"1.5e1", true, 15, true, 15},
        {"-2.50e+2", false, 0, true, -250},
        {"2.0", true, 2, true, 2},
        {"1000e-3", true, 1, true, 1},
        {"1.844674407370955161500e19", true, UINT64_MAX, false, 0},
        {"1e19", true, UINT64_C(10000000000000000000), false, 0},
        {"1e20", false, 0, false, 0},
        {"1e-1", false, 0, false, 0},
        {"2.5", false, 0, false, 0},
        {"1e999999999999999999999", false, 0, false, 0},
        {"", false, 0, false, 0},
        {"-", false, 0, false, 0},
        {"+1", false, 0, false, 0},
        {" 1", false, 0, false, 0},
        {"1 ", false, 0, false, 0},
        {"01", false, 0, false, 0},
        {"0x1", false, 0, false, 0},
        {"12a", false, 0, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_slice text = bb_slice_from_cstr(rows[i].text);
        uint64_t as_uint = 0;
        int64_t as_int = 0;
        bool is_uint = bb_json_number_to_uint(text, &as_uint);
        bool is_int = bb_json_number_to_int(text, &as_int);

        if (is_uint != rows[i].is_uint || as_uint != rows[i].as_uint || is_int != rows[i].is_int ||
            as_int != rows[i].as_int) {
            fail_msg("'%s' was read as %d %llu, %d %lld", rows[i].text, is_uint,
                     (unsigned long long)as_uint, is_int, (long long)as_int);
        }
    }
}

static void reads_doubles(void **state)
{
    double value = 1;

    (void)state;
    assert_true(bb_json_number_to_double(bb_slice_from_cstr("-0.25e2"), &value));
    assert_true(value == -25.0);
    assert_true(bb_json_number_to_double(bb_slice_from_cstr("5e-324"), &value));
    assert_true(value > 0);
    assert_true(bb_json_number_to_double(bb_slice_from_cstr("1.7976931348623157e308"), &value));
    assert_false(bb_json_number_to_double(bb_slice_from_cstr("1e309"), &value));
    assert_false(bb_json_number_to_double(bb_slice_from_cstr("inf"), &value));
    assert_false(bb_json_number_to_double(bb_slice_from_cstr("0x1p3"), &value));
    assert_false(bb_json_number_to_double(bb_slice_from_cstr(""), &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_rfc_8259_allows),
        cmocka_unit_test(refuses_what_is_no_json),
        cmocka_unit_test(refuses_every_proper_prefix),
        cmocka_unit_test(hands_out_members_in_order),
        cmocka_unit_test(the_first_error_sticks_and_has_its_place),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(a_copy_goes_back_to_its_place),
        cmocka_unit_test(unescapes_strings),
        cmocka_unit_test(compares_keys_after_unescaping),
        cmocka_unit_test(reads_integers_exactly),
        cmocka_unit_test(reads_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
