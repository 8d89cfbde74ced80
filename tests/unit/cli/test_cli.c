#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "query/cli/cli.h"

/* What `say` writes to stderr, with a NUL behind it. */
static void capture(void (*say)(void), char *out, size_t out_size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    assert_non_null(file);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    say();
    (void)fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    rewind(file);
    size_t size = fread(out, 1, out_size - 1, file);
    out[size] = '\0';
    (void)fclose(file);
}

static void say_each(void)
{
    assert_int_equal(bb_say_error("%d is\nwrong", 7), BB_EXIT_ERROR);
    bb_say_warning("look\x1b[2J");
    bb_say_note("done");
}

static void each_message_is_one_line_that_no_terminal_obeys(void **state)
{
    char out[1024];

    (void)state;
    capture(say_each, out, sizeof(out));
    assert_string_equal(out, "bobbin: 7 is\\nwrong\n"
                             "bobbin: warning: look\\x1b[2J\n"
                             "bobbin: done\n");
}

static void say_much(void)
{
    static char much[10000];

    memset(much, 'x', sizeof(much) - 1);
    (void)bb_say_error("%s", much);
}

static void a_message_that_is_too_long_is_cut(void **state)
{
    static char out[20000];

    (void)state;
    capture(say_much, out, sizeof(out));
    assert_int_equal(strlen(out), strlen("bobbin: ") + 4095 + 1);
    assert_int_equal(out[strlen(out) - 1], '\n');
}

static void one_is_not_many(void **state)
{
    (void)state;
    assert_string_equal(bb_plural(0, "span", "spans"), "spans");
    assert_string_equal(bb_plural(1, "span", "spans"), "span");
    assert_string_equal(bb_plural(2, "span", "spans"), "spans");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_one_line_that_no_terminal_obeys),
        cmocka_unit_test(a_message_that_is_too_long_is_cut),
        cmocka_unit_test(one_is_not_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
