#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/table_output.h"

static const struct bb_table_column columns[] = {
    {.title = "NAME"},
    {.title = "COUNT", .is_right = true},
    {.title = "TEXT", .may_shrink = true},
};

/* A table of two rows on `screen`, with a NUL behind it. */
static void render(const struct bb_screen *screen, const char *long_text, struct bb_buf *out)
{
    struct bb_arena arena;
    struct bb_table table;

    bb_arena_init(&arena, 1u << 16);
    bb_buf_init(out, 1u << 16);
    bb_table_init(&table, columns, BB_ARRAY_COUNT(columns), &arena);
    bb_table_add(&table, bb_slice_from_cstr("h\xc3\xa9"));
    bb_table_add_uint(&table, 7);
    bb_table_add(&table, bb_slice_from_cstr(long_text));
    bb_table_add(&table, bb_slice_from_cstr("frontend"));
    bb_table_add_uint(&table, 1234567);
    bb_table_add(&table, bb_slice_from_cstr("b\x1b[0m"));
    assert_int_equal(bb_table_render(&table, screen, out), BB_OK);
    bb_buf_append_byte(out, '\0');
    bb_table_dispose(&table);
    bb_arena_dispose(&arena);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    const struct bb_screen screen = {.width = 40};
    struct bb_buf out;

    (void)state;
    render(&screen, "a", &out);
    assert_string_equal((const char *)out.data, "NAME        COUNT  TEXT\n"
                                                "h\xc3\xa9              7  a\n"
                                                "frontend  1234567  b\\x1b[0m\n");
    bb_buf_dispose(&out);
}

static void on_a_terminal_lines_do_not_wrap(void **state)
{
    const struct bb_screen screen = {.is_terminal = true, .width = 40};
    struct bb_buf out;

    (void)state;
    render(&screen, "a text that is too long for the terminal", &out);
    assert_non_null(strstr((const char *)out.data,
                           "h\xc3\xa9              7  a text that is too l\xe2\x80\xa6\n"));
    bb_buf_dispose(&out);
}

static void into_a_pipe_everything_is_written(void **state)
{
    const struct bb_screen screen = {.width = 40};
    struct bb_buf out;

    (void)state;
    render(&screen, "a text that is too long for the terminal", &out);
    assert_non_null(strstr((const char *)out.data, "a text that is too long for the terminal\n"));
    bb_buf_dispose(&out);
}

static void there_are_escapes_only_with_colours(void **state)
{
    struct bb_screen screen = {.is_terminal = true, .width = 80};
    struct bb_buf out;

    (void)state;
    render(&screen, "a", &out);
    assert_null(strchr((const char *)out.data, '\x1b'));
    bb_buf_dispose(&out);
    screen.has_colours = true;
    render(&screen, "a", &out);
    assert_int_equal(out.data[0], '\x1b');
    bb_buf_dispose(&out);
}

static void a_cell_without_memory_is_an_error_at_the_end(void **state)
{
    const struct bb_screen screen = {.width = 40};
    struct bb_arena arena;
    struct bb_table table;
    struct bb_buf out;

    (void)state;
    bb_arena_init(&arena, 1);
    bb_buf_init(&out, 1u << 16);
    bb_table_init(&table, columns, BB_ARRAY_COUNT(columns), &arena);
    bb_table_add(&table, bb_slice_from_cstr("x"));
    assert_int_equal(bb_table_render(&table, &screen, &out), BB_ENOMEM);
    bb_table_dispose(&table);
    bb_arena_dispose(&arena);
    bb_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(on_a_terminal_lines_do_not_wrap),
        cmocka_unit_test(into_a_pipe_everything_is_written),
        cmocka_unit_test(there_are_escapes_only_with_colours),
        cmocka_unit_test(a_cell_without_memory_is_an_error_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
