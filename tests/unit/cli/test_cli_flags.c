#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "query/cli/cli_flags.h"

#define NOW_NS (UINT64_C(1795557600) * BB_NS_PER_S) /* 2026-11-24T22:00:00Z */

static const struct bb_command command = {
    .name = "weave", .args = "FILE", .summary = "Weaves", .notes = "Notes."};

/* One flag of each type. */
struct values {
    bool is_on;
    const char *text;
    struct bb_text_list list;
    uint64_t number;
    uint64_t duration_ns;
    uint64_t time_ns;
    uint64_t share;
    int choice;
};

static const char *const words[] = {"warp", "weft", NULL};

#define FLAG_COUNT 8

static void make_flags(struct values *values, struct bb_flag flags[FLAG_COUNT])
{
    const struct bb_flag made[FLAG_COUNT] = {
        {"on", 0, BB_FLAG_SWITCH, NULL, "a switch", &values->is_on, NULL, 0, 0},
        {"text", 't', BB_FLAG_TEXT, "TEXT", "a text", (void *)&values->text, NULL, 0, 0},
        {"list", 0, BB_FLAG_LIST, "TEXT", "a list", &values->list, NULL, 0, 0},
        {"number", 'n', BB_FLAG_UINT, "N", "a number", &values->number, NULL, 2, 9},
        {"duration", 0, BB_FLAG_DURATION, "DURATION", "a duration", &values->duration_ns, NULL, 0,
         0},
        {"time", 0, BB_FLAG_TIME, "TIME", "a time\nin two lines", &values->time_ns, NULL, 0, 0},
        {"share", 0, BB_FLAG_SHARE, "SHARE", "a share", &values->share, NULL, 0, 0},
        {"choice", 0, BB_FLAG_CHOICE, "warp|weft", "a choice", &values->choice, words, 0, 0},
    };

    memcpy(flags, made, sizeof(made));
}

/* Parses a command line of up to 7 words behind the command's name. */
static enum bb_flags_outcome parse(struct values *values, struct bb_err_detail *detail,
                                   int *out_left, const char *const *arguments)
{
    char storage[8][64];
    char *argv[9] = {(char[]){"weave"}};
    struct bb_flag flags[FLAG_COUNT];
    int argc = 1;
    int first_arg = 0;

    make_flags(values, flags);
    for (; arguments[argc - 1] != NULL; argc++) {
        assert_true(argc < 8);
        (void)snprintf(storage[argc], sizeof(storage[argc]), "%s", arguments[argc - 1]);
        argv[argc] = storage[argc];
    }
    *detail = (struct bb_err_detail){0};
    enum bb_flags_outcome outcome =
        bb_flags_parse(&command, flags, FLAG_COUNT, NOW_NS, argc, argv, detail, &first_arg);
    *out_left = argc - first_arg;
    return outcome;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void reads_each_type_of_flag(void **state)
{
    struct values values = {0};
    struct bb_err_detail detail;
    int left;

    (void)state;
    assert_int_equal(
        parse(&values, &detail, &left, ARGS("--on", "--list=a", "--list", "b=c", "-n", "7")),
        BB_FLAGS_OK);
    assert_true(values.is_on);
    assert_int_equal(values.list.count, 2);
    assert_int_equal(values.number, 7);
    assert_int_equal(left, 0);
    assert_int_equal(
        parse(&values, &detail, &left, ARGS("--duration=1.5s", "--share", "2.5%", "--choice=weft")),
        BB_FLAGS_OK);
    assert_int_equal(values.duration_ns, 1500 * BB_NS_PER_MS);
    assert_int_equal(values.share, 25000);
    assert_int_equal(values.choice, 1);
    assert_int_equal(parse(&values, &detail, &left, ARGS("--share=0.5")), BB_FLAGS_OK);
    assert_int_equal(values.share, 500000);
}

static void flags_and_arguments_may_be_mixed(void **state)
{
    struct values values = {0};
    struct bb_err_detail detail;
    int left;

    (void)state;
    assert_int_equal(parse(&values, &detail, &left, ARGS("a", "--on", "-", "--", "--list")),
                     BB_FLAGS_OK);
    assert_true(values.is_on);
    assert_int_equal(left, 3);
    assert_int_equal(values.list.count, 0);
}

static void flags_that_are_not_given_keep_their_defaults(void **state)
{
    struct values values = {.number = 5, .choice = 1, .text = "x"};
    struct bb_err_detail detail;
    int left;

    (void)state;
    assert_int_equal(parse(&values, &detail, &left, ARGS("--on")), BB_FLAGS_OK);
    assert_int_equal(values.number, 5);
    assert_int_equal(values.choice, 1);
    assert_string_equal(values.text, "x");
}

static void refuses_bad_command_lines_and_says_why(void **state)
{
    const struct {
        const char *const *arguments;
        const char *words;
    } cases[] = {
        {ARGS("--nonsense"), "weave: there is no flag --nonsense; see 'bobbin weave --help'"},
        {ARGS("x", "--nonsense=5"), "weave: there is no flag --nonsense=5;"},
        {ARGS("-x"), "weave: there is no flag -x;"},
        {ARGS("--number"), "weave: --number needs a value;"},
        {ARGS("-n"), "weave: --number needs a value;"},
        {ARGS("--on=1"), "weave: --on takes no value;"},
        {ARGS("--number=1"), "weave: --number can't be '1': it takes a whole number from 2 to 9"},
        {ARGS("--number=10"), "--number can't be '10'"},
        {ARGS("--number=-3"), "--number can't be '-3'"},
        {ARGS("--number=3x"), "--number can't be '3x'"},
        {ARGS("--number="), "--number can't be ''"},
        {ARGS("--number=99999999999999999999"), "--number can't be"},
        {ARGS("--duration=5"), "--duration can't be '5': it takes a duration like"},
        {ARGS("--time=yesterday"), "--time can't be 'yesterday': it takes a duration like 1h, or"},
        {ARGS("--share=2"), "--share can't be '2'"},
        {ARGS("--share=101%"), "--share can't be '101%'"},
        {ARGS("--share=1e-2"), "--share can't be '1e-2'"},
        {ARGS("--share=%"), "--share can't be '%'"},
        {ARGS("--share=1.2.3"), "--share can't be '1.2.3'"},
        {ARGS("--choice=WARP"), "--choice can't be 'WARP': it takes one of warp|weft"},
        {ARGS("--text="), "--text can't be '': it takes a value that is not empty"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct values values = {0};
        struct bb_err_detail detail;
        int left;
        enum bb_flags_outcome outcome = parse(&values, &detail, &left, cases[i].arguments);
        if (outcome != BB_FLAGS_WRONG || strstr(detail.text, cases[i].words) == NULL) {
            fail_msg("%s: outcome %d, '%s'", cases[i].words, outcome, detail.text);
        }
    }
}

static void a_list_that_is_too_long_is_refused(void **state)
{
    struct values values = {.list.count = BB_TEXT_LIST_MAX};
    struct bb_err_detail detail;
    int left;

    (void)state;
    assert_int_equal(parse(&values, &detail, &left, ARGS("--list=x")), BB_FLAGS_WRONG);
    assert_non_null(strstr(detail.text, "no more than 64"));
}

static void times_count_back_from_now_or_stand_for_themselves(void **state)
{
    static const struct {
        const char *text;
        uint64_t unix_ns;
    } cases[] = {
        {"1h", NOW_NS - 3600 * BB_NS_PER_S},
        {"0", NOW_NS},
        {"290w", NOW_NS - UINT64_C(290) * 7 * 86400 * BB_NS_PER_S},
        {"5000w", 0},
        {"2026-11-24T21:59:59.5Z", NOW_NS - 500 * BB_NS_PER_MS},
        {"2026-11-24T23:00:00+01:00", NOW_NS},
        {"2026-11-24", NOW_NS - 22 * 3600 * BB_NS_PER_S},
    };
    uint64_t unix_ns;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        assert_int_equal(bb_flag_parse_time(cases[i].text, NOW_NS, &unix_ns), BB_OK);
        if (unix_ns != cases[i].unix_ns) {
            fail_msg("%s is %llu", cases[i].text, (unsigned long long)unix_ns);
        }
    }
    assert_int_equal(bb_flag_parse_time("2026-11-2x", NOW_NS, &unix_ns), BB_EINVAL);
    assert_int_equal(bb_flag_parse_time("", NOW_NS, &unix_ns), BB_EINVAL);
}

static void help_is_asked_for_in_two_ways(void **state)
{
    struct values values = {0};
    struct bb_err_detail detail;
    int left;

    (void)state;
    assert_int_equal(parse(&values, &detail, &left, ARGS("--help")), BB_FLAGS_HELP);
    assert_int_equal(parse(&values, &detail, &left, ARGS("x", "-h")), BB_FLAGS_HELP);
}

static void the_help_page_shows_every_flag(void **state)
{
    struct values values = {0};
    struct bb_flag flags[FLAG_COUNT];
    struct bb_buf page;

    (void)state;
    make_flags(&values, flags);
    bb_buf_init(&page, 1u << 16);
    bb_flags_help(&command, flags, FLAG_COUNT, &page);
    bb_buf_append_byte(&page, '\0');
    assert_int_equal(bb_buf_err(&page), BB_OK);
    assert_string_equal((const char *)page.data, "Usage: bobbin weave [flags] FILE\n"
                                                 "\n"
                                                 "Weaves.\n"
                                                 "\n"
                                                 "Flags:\n"
                                                 "      --on                    a switch\n"
                                                 "  -t, --text TEXT             a text\n"
                                                 "      --list TEXT             a list\n"
                                                 "  -n, --number N              a number\n"
                                                 "      --duration DURATION     a duration\n"
                                                 "      --time TIME             a time\n"
                                                 "                              in two lines\n"
                                                 "      --share SHARE           a share\n"
                                                 "      --choice warp|weft      a choice\n"
                                                 "  -h, --help                  this page\n"
                                                 "\n"
                                                 "Notes.\n");
    bb_buf_dispose(&page);
}

static void the_flag_wins_over_the_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("BOBBIN_TEST_VALUE", "env", 1), 0);
    assert_string_equal(bb_flag_or_env("flag", "BOBBIN_TEST_VALUE", "default"), "flag");
    assert_string_equal(bb_flag_or_env(NULL, "BOBBIN_TEST_VALUE", "default"), "env");
    assert_int_equal(setenv("BOBBIN_TEST_VALUE", "", 1), 0);
    assert_string_equal(bb_flag_or_env(NULL, "BOBBIN_TEST_VALUE", "default"), "default");
    assert_int_equal(unsetenv("BOBBIN_TEST_VALUE"), 0);
    assert_string_equal(bb_flag_or_env(NULL, "BOBBIN_TEST_VALUE", "default"), "default");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_type_of_flag),
        cmocka_unit_test(flags_and_arguments_may_be_mixed),
        cmocka_unit_test(flags_that_are_not_given_keep_their_defaults),
        cmocka_unit_test(refuses_bad_command_lines_and_says_why),
        cmocka_unit_test(a_list_that_is_too_long_is_refused),
        cmocka_unit_test(times_count_back_from_now_or_stand_for_themselves),
        cmocka_unit_test(help_is_asked_for_in_two_ways),
        cmocka_unit_test(the_help_page_shows_every_flag),
        cmocka_unit_test(the_flag_wins_over_the_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
