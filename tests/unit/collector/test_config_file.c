/* The syntax of the configuration file, and that what is written reads back. */
#include "collector/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/check.h"

struct fixture {
    struct bb_arena arena;
};

static int set_up(void **state)
{
    static struct fixture fx;

    bb_arena_init(&fx.arena, 1 << 20);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    return 0;
}

static void reads_keys_and_values_as_they_are_meant(void **state)
{
    static const struct {
        const char *line;
        const char *key;
        const char *value;
    } cases[] = {
        {"a = b", "a", "b"},
        {"a=b", "a", "b"},
        {"\t a\t=  b \t", "a", "b"},
        {"a = b c", "a", "b c"},
        {"a = b\r", "a", "b"},
        {"a = b # why", "a", "b"},
        {"a = b#c", "a", "b#c"},
        {"a = b=c", "a", "b=c"},
        {"a =", "a", ""},
        {"a = # nothing", "a", ""},
        {"a = \"\"", "a", ""},
        {"a = \" b # c \" # d", "a", " b # c "},
        {"a = \"say \\\"hi\\\" \\\\ all\"", "a", "say \"hi\" \\ all"},
        {"a = b \"c\"", "a", "b \"c\""},
        {"a = \xc3\xa9", "a", "\xc3\xa9"},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_config_cursor cursor = {.rest = bb_slice_from_cstr(cases[i].line)};
        struct bb_config_entry entry = {0};
        struct bb_err_detail detail = {0};

        if (bb_config_next_entry(&cursor, &fx->arena, &entry, &detail) != BB_OK) {
            fail_msg("%s: %s", cases[i].line, detail.text);
        }
        assert_string_equal(entry.key, cases[i].key);
        assert_string_equal(entry.value, cases[i].value);
        assert_int_equal(entry.line, 1);
        assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, &detail), BB_ENOTFOUND);
    }
}

static void refuses_lines_that_are_no_entry_and_says_why(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {
        {"data-dir", "the = is missing"},
        {"[section]", "the = is missing"},
        {"= b", "the key is missing"},
        {"a = \"b", "closing quote is missing"},
        {"a = \"", "closing quote is missing"},
        {"a = \"b\\", "backslash"},
        {"a = \"b\\n\"", "backslash"},
        {"a = \"b\" c", "behind the closing quote"},
        {"a = \"b\"\"c\"", "behind the closing quote"},
        {"a = \x01", "control character 0x01"},
        {"a = b\r # c", "control character 0x0d"},
        {"\x7f = b", "control character 0x7f"},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_config_cursor cursor = {.rest = bb_slice_from_cstr(cases[i].line)};
        struct bb_config_entry entry = {0};
        struct bb_err_detail detail = {0};

        if (bb_config_next_entry(&cursor, &fx->arena, &entry, &detail) != BB_EINVAL ||
            strstr(detail.text, cases[i].words) == NULL) {
            fail_msg("\"%s\": \"%s\"", cases[i].line, detail.text);
        }
    }
}

static void a_byte_of_zero_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct bb_config_cursor cursor = {.rest = bb_slice_of("a = b\0c", 7)};
    struct bb_config_entry entry = {0};

    assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, NULL), BB_EINVAL);
}

static void lines_are_counted_from_one_over_comments_and_blanks(void **state)
{
    static const char text[] = "# first\n\n   \r\n\ta = 1\n  # more\nb = 2";
    struct fixture *fx = *state;
    struct bb_config_cursor cursor = {.rest = bb_slice_from_cstr(text)};
    struct bb_config_entry entry = {0};

    assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, NULL), BB_OK);
    assert_string_equal(entry.key, "a");
    assert_int_equal(entry.line, 4);
    assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, NULL), BB_OK);
    assert_string_equal(entry.key, "b");
    assert_string_equal(entry.value, "2");
    assert_int_equal(entry.line, 6);
    assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, NULL), BB_ENOTFOUND);
}

static void an_empty_file_has_no_entry(void **state)
{
    struct fixture *fx = *state;
    struct bb_config_cursor cursor = {0};
    struct bb_config_entry entry = {0};

    assert_int_equal(bb_config_next_entry(&cursor, &fx->arena, &entry, NULL), BB_ENOTFOUND);
}

static void every_value_that_is_written_reads_back(void **state)
{
    static const char *const values[] = {
        "",     "b",  "b c", " b",        "b ",    "#b",     "b #c",      "b#c",    "\"",  "\"b",
        "b\"c", "\\", "b\\", "\"b\" # c", "a = b", "[::]:0", "/d/é #1/x", "\\\" #", "\tb",
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(values); i++) {
        struct bb_config_cursor cursor = {0};
        struct bb_config_entry entry = {0};
        struct bb_err_detail detail = {0};
        struct bb_buf line;

        bb_buf_init(&line, 1024);
        bb_buf_append_cstr(&line, "key = ");
        bb_config_append_value(&line, values[i]);
        bb_buf_append_cstr(&line, " # origin");
        cursor.rest = bb_buf_slice(&line);
        if (bb_config_next_entry(&cursor, &fx->arena, &entry, &detail) != BB_OK) {
            fail_msg("%.*s: %s", (int)line.size, (char *)line.data, detail.text);
        }
        assert_string_equal(entry.value, values[i]);
        bb_buf_dispose(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_keys_and_values_as_they_are_meant),
        cmocka_unit_test(refuses_lines_that_are_no_entry_and_says_why),
        cmocka_unit_test(a_byte_of_zero_is_refused),
        cmocka_unit_test(lines_are_counted_from_one_over_comments_and_blanks),
        cmocka_unit_test(an_empty_file_has_no_entry),
        cmocka_unit_test(every_value_that_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
