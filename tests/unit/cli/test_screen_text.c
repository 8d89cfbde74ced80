#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/screen_text.h"

/* What `text` becomes in `width_max` columns; *out_width is the columns that were reported. */
static void render(const char *text, size_t width_max, char out[128], size_t *out_width)
{
    struct bb_buf buf;

    bb_buf_init(&buf, 1024);
    *out_width = bb_screen_text_append(&buf, bb_slice_from_cstr(text), width_max);
    assert_int_equal(bb_buf_err(&buf), BB_OK);
    assert_true(buf.size < 128);
    bb_buf_append_byte(&buf, 0);
    memcpy(out, buf.data, buf.size);
    bb_buf_dispose(&buf);
}

static void assert_shown(const char *text, size_t width_max, const char *shown, size_t width)
{
    char out[128] = "";
    size_t taken;

    render(text, width_max, out, &taken);
    assert_string_equal(out, shown);
    assert_int_equal(taken, width);
}

static void nothing_that_a_terminal_obeys_gets_through(void **state)
{
    (void)state;
    assert_shown("a\x1b[31mb", BB_WIDTH_ANY, "a\\x1b[31mb", 10);
    assert_shown("a\nb\tc\rd", BB_WIDTH_ANY, "a\\nb\\tc\\rd", 10);
    assert_shown("\x7f", BB_WIDTH_ANY, "\\x7f", 4);
    assert_shown("\xc2\x9b"
                 "5m",
                 BB_WIDTH_ANY, "\\x9b5m", 6); /* U+009B, the one-byte CSI */
    assert_shown("\xe2\x80\xae"
                 "gpj.exe",
                 BB_WIDTH_ANY, "\\u202egpj.exe", 13); /* right-to-left override */
}

static void bytes_that_are_no_utf8_become_replacements(void **state)
{
    (void)state;
    assert_shown("a\x9b\xff"
                 "b",
                 BB_WIDTH_ANY,
                 "a\xef\xbf\xbd\xef\xbf\xbd"
                 "b",
                 4);
    assert_shown("\xe2\x82", BB_WIDTH_ANY, "\xef\xbf\xbd\xef\xbf\xbd", 2);
}

static void widths_count_columns_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(bb_screen_text_width(bb_slice_from_cstr("h\xc3\xa9")), 2);
    assert_int_equal(bb_screen_text_width(bb_slice_from_cstr("\xe6\x97\xa5\xe6\x9c\xac")), 4);
    assert_int_equal(bb_screen_text_width(bb_slice_from_cstr("e\xcc\x81")), 1); /* combining */
    assert_int_equal(bb_screen_text_width(bb_slice_from_cstr("\xf0\x9f\x98\x80")), 2); /* emoji */
    assert_int_equal(bb_screen_text_width(bb_slice_of(NULL, 0)), 0);
}

static void text_that_is_cut_ends_in_an_ellipsis(void **state)
{
    (void)state;
    assert_shown("abcdef", 6, "abcdef", 6);
    assert_shown("abcdef", 5, "abcd\xe2\x80\xa6", 5);
    assert_shown("abcdef", 1, "\xe2\x80\xa6", 1);
    assert_shown("abcdef", 0, "", 0);
}

static void a_wide_character_is_not_cut_in_half(void **state)
{
    (void)state;
    assert_shown("\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5\xe2\x80\xa6", 3);
    assert_shown("\xe6\x97\xa5\xe6\x9c\xac", 2, "\xe2\x80\xa6", 1);
}

static void padding_fills_up_to_the_width(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1024);
    bb_screen_text_append_padded(&buf, bb_slice_from_cstr("h\xc3\xa9"), 4);
    bb_screen_text_append_padded(&buf, bb_slice_from_cstr("abcdef"), 3);
    bb_buf_append_byte(&buf, '\0');
    assert_string_equal((const char *)buf.data, "h\xc3\xa9  ab\xe2\x80\xa6");
    bb_buf_clear(&buf);
    bb_screen_text_append_spaces(&buf, 100);
    assert_int_equal(buf.size, 100);
    bb_buf_dispose(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_a_terminal_obeys_gets_through),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacements),
        cmocka_unit_test(widths_count_columns_and_not_bytes),
        cmocka_unit_test(text_that_is_cut_ends_in_an_ellipsis),
        cmocka_unit_test(a_wide_character_is_not_cut_in_half),
        cmocka_unit_test(padding_fills_up_to_the_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
