#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/otlp_attr.h"

static void replaces_each_byte_that_is_no_character(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"", ""},
        {"plain text, long enough for words", "plain text, long enough for words"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe0\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"12345678\x80", "12345678\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].text);
        uint8_t out[64];
        const uint8_t *end = bbc_utf8_put(out, rows[i].text, size);

        assert_int_equal(end - out, strlen(rows[i].wanted));
        assert_int_equal(bbc_utf8_size(rows[i].text, size), strlen(rows[i].wanted));
        assert_memory_equal(out, rows[i].wanted, strlen(rows[i].wanted));
    }
}

static void encodes_every_type(void **state)
{
    const bool bools[] = {true};
    const struct bobbin_attr attrs[] = {
        bobbin_attr_string(bobbin_lit("s"), bobbin_lit("x")),
        bobbin_attr_string(bobbin_lit("e"), bobbin_lit("")),
        bobbin_attr_bool(bobbin_lit("b"), true),
        bobbin_attr_int(bobbin_lit("i"), 5),
        bobbin_attr_bools(bobbin_lit("a"), bools, 1),
        bobbin_attr_int(bobbin_lit(""), 5), /* without a key: left out */
    };
    static const uint8_t wanted[] = {
        0x0a, 8,   0x0a, 1,    's',  0x12, 3,    0x0a, 1,    'x',  0x0a, 7,    0x0a,
        1,    'e', 0x12, 2,    0x0a, 0,    0x0a, 7,    0x0a, 1,    'b',  0x12, 2,
        0x10, 1,   0x0a, 7,    0x0a, 1,    'i',  0x12, 2,    0x18, 5,    0x0a, 11,
        0x0a, 1,   'a',  0x12, 6,    0x2a, 4,    0x0a, 2,    0x10, 1,
    };
    struct bbc_sink sink = {0};

    (void)state;
    bbc_otlp_attrs(&sink, 1, attrs, sizeof attrs / sizeof attrs[0]);
    assert_int_equal(sink.size, sizeof wanted);
    assert_memory_equal(sink.data, wanted, sizeof wanted);
    bbc_sink_dispose(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_each_byte_that_is_no_character),
        cmocka_unit_test(encodes_every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
