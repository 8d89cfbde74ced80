#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/request_json.h"

static void refuses_bytes_that_are_no_request(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
    } rows[] = {
        {{0x0a}, 1},                   /* a length is missing */
        {{0x0a, 0x05, 0x00}, 3},       /* a length beyond the end */
        {{0x0b}, 1},                   /* a group */
        {{0x0a, 0x02, 0x0a, 0x05}, 4}, /* within */
        {{0x80, 0x80, 0x80}, 3},       /* a tag without an end */
        {{0x09, 1, 2}, 3},             /* a fixed64 of two bytes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bbc_sink out = {0};

        assert_false(bbc_otlp_json(rows[i].bytes, rows[i].size, &out));
        bbc_sink_dispose(&out);
    }
}

static void leaves_out_fields_that_it_does_not_know(void **state)
{
    /* ResourceSpans { 3: "u", 9: 1 } and an unknown field 2 of the request. */
    static const uint8_t bytes[] = {0x0a, 5, 0x1a, 1, 'u', 0x48, 1, 0x10, 1};
    struct bbc_sink out = {0};

    (void)state;
    assert_true(bbc_otlp_json(bytes, sizeof bytes, &out));
    bbc_sink_byte(&out, 0);
    assert_string_equal((const char *)out.data, "{\"resourceSpans\":[{\"schemaUrl\":\"u\"}]}");
    bbc_sink_dispose(&out);
}

/* An AnyValue in place of a resource's attribute, by way of { 1: { 1: { 1: { 2: value } } } }. */
static void assert_value(const uint8_t *value, size_t size, const char *wanted)
{
    uint8_t bytes[64] = {0x0a, (uint8_t)(size + 6), 0x0a, (uint8_t)(size + 4),
                         0x0a, (uint8_t)(size + 2), 0x12, (uint8_t)size};
    struct bbc_sink out = {0};

    memcpy(bytes + 8, value, size);
    assert_true(bbc_otlp_json(bytes, size + 8, &out));
    bbc_sink_byte(&out, 0);
    assert_non_null(strstr((const char *)out.data, wanted));
    bbc_sink_dispose(&out);
}

static void doubles_that_are_no_numbers_are_texts(void **state)
{
    (void)state;
    assert_value((const uint8_t[]){0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f}, 9,
                 "{\"doubleValue\":\"Infinity\"}");
    assert_value((const uint8_t[]){0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0xff}, 9,
                 "{\"doubleValue\":\"-Infinity\"}");
    assert_value((const uint8_t[]){0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, 9,
                 "{\"doubleValue\":\"NaN\"}");
    assert_value((const uint8_t[]){0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 9, "{\"doubleValue\":1.5}");
}

static void bytes_are_base64_with_its_padding(void **state)
{
    (void)state;
    assert_value((const uint8_t[]){0x3a, 0}, 2, "{\"bytesValue\":\"\"}");
    assert_value((const uint8_t[]){0x3a, 1, 'f'}, 3, "{\"bytesValue\":\"Zg==\"}");
    assert_value((const uint8_t[]){0x3a, 2, 'f', 'o'}, 4, "{\"bytesValue\":\"Zm8=\"}");
    assert_value((const uint8_t[]){0x3a, 3, 'f', 'o', 'o'}, 5, "{\"bytesValue\":\"Zm9v\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bytes_that_are_no_request),
        cmocka_unit_test(leaves_out_fields_that_it_does_not_know),
        cmocka_unit_test(doubles_that_are_no_numbers_are_texts),
        cmocka_unit_test(bytes_are_base64_with_its_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
