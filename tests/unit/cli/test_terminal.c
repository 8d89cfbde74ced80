#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "query/cli/terminal.h"

/* A screen of a file that is no terminal, with these variables set (NULL: unset). */
static struct bb_screen screen_with(const char *columns, const char *no_color)
{
    FILE *file = fopen("/dev/null", "w");

    assert_non_null(file);
    assert_int_equal(columns != NULL ? setenv("COLUMNS", columns, 1) : unsetenv("COLUMNS"), 0);
    assert_int_equal(no_color != NULL ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR"), 0);
    struct bb_screen screen = bb_screen_of(file);
    assert_int_equal(fclose(file), 0);
    return screen;
}

static void a_pipe_has_no_colours(void **state)
{
    (void)state;
    struct bb_screen screen = screen_with(NULL, NULL);
    assert_false(screen.is_terminal);
    assert_false(screen.has_colours);
    assert_string_equal(bb_colour_on(&screen, BB_COLOUR_ERROR), "");
    assert_string_equal(bb_colour_off(&screen), "");
}

static void the_width_is_that_of_columns_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(screen_with("132", NULL).width, 132);
    assert_int_equal(screen_with("7", NULL).width, 40);
    assert_int_equal(screen_with("100000", NULL).width, 1000);
    assert_int_equal(screen_with("wide", NULL).width, 100);
    assert_int_equal(screen_with(NULL, NULL).width, 100);
}

/* The master side of a pseudo terminal counts as one. */
static void a_terminal_has_colours_unless_told_not_to(void **state)
{
    (void)state;
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0) {
        skip(); /* no pseudo terminals here */
    }
    FILE *terminal = fdopen(fd, "w");
    assert_non_null(terminal);
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    struct bb_screen screen = bb_screen_of(terminal);
    assert_true(screen.is_terminal);
    assert_true(screen.has_colours);
    assert_string_equal(bb_colour_on(&screen, BB_COLOUR_ERROR), "\x1b[31m");
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_false(bb_screen_of(terminal).has_colours);
    assert_int_equal(setenv("NO_COLOR", "", 1), 0); /* empty: as if it weren't there */
    assert_true(bb_screen_of(terminal).has_colours);
    assert_int_equal(setenv("TERM", "dumb", 1), 0);
    assert_false(bb_screen_of(terminal).has_colours);
    assert_int_equal(fclose(terminal), 0);
}

static void the_progress_bar_fills_up(void **state)
{
    const struct bb_screen wide = {.is_terminal = true, .width = 100};
    const struct bb_screen narrow = {.is_terminal = true, .width = 40};
    struct bb_buf out;

    (void)state;
    bb_buf_init(&out, 1024);
    bb_progress_render(&wide, 500, 1, 2, 2000000000, &out);
    bb_buf_append_byte(&out, '\0');
    assert_string_equal((const char *)out.data,
                        "[###############...............]  50%  500 spans  250/s");
    bb_buf_clear(&out);
    bb_progress_render(&narrow, 1, 2, 2, 0, &out);
    bb_buf_append_byte(&out, '\0');
    assert_string_equal((const char *)out.data, "100%  1 span  0/s");
    bb_buf_clear(&out);
    bb_progress_render(&narrow, 0, 0, 0, 0, &out);
    assert_int_equal(bb_buf_err(&out), BB_OK);
    bb_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_has_no_colours),
        cmocka_unit_test(the_width_is_that_of_columns_within_bounds),
        cmocka_unit_test(a_terminal_has_colours_unless_told_not_to),
        cmocka_unit_test(the_progress_bar_fills_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
