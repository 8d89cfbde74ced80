#include "query/cli/cli_flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/time_text.h"

/* getopt_long gives a long flag back as this plus its index; letters are below it. */
#define LONG_BASE 256
#define LONG_HELP (LONG_BASE + BB_FLAGS_MAX)
#define HELP_COLUMN 30
#define HELP_BYTES_MAX (64u << 10)

static const char *const output_words[] = {
    [BB_OUTPUT_TABLE] = "table", [BB_OUTPUT_JSON] = "json", [BB_OUTPUT_NDJSON] = "ndjson", NULL};

struct bb_flag bb_flag_server(const char **target)
{
    return (struct bb_flag){
        .name = "server",
        .type = BB_FLAG_TEXT,
        .value_name = "URL",
        .help = "query API of bobbind\n(default: $BOBBIN_SERVER, else " BB_DEFAULT_SERVER ")",
        .target = (void *)target,
    };
}

struct bb_flag bb_flag_otlp(const char **target)
{
    return (struct bb_flag){
        .name = "otlp",
        .type = BB_FLAG_TEXT,
        .value_name = "URL",
        .help = "OTLP/HTTP endpoint to send to\n(default: $BOBBIN_OTLP, else " BB_DEFAULT_OTLP ")",
        .target = (void *)target,
    };
}

struct bb_flag bb_flag_output(int *target)
{
    return (struct bb_flag){
        .name = "output",
        .type = BB_FLAG_CHOICE,
        .value_name = "table|json|ndjson",
        .help = "form of the result (default: table)",
        .target = target,
        .choices = output_words,
    };
}

const char *bb_flag_or_env(const char *flag_value, const char *variable, const char *fallback)
{
    if (flag_value != NULL) {
        return flag_value;
    }
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : fallback;
}

enum bb_err bb_flag_parse_time(const char *text, uint64_t now_unix_ns, uint64_t *out_unix_ns)
{
    char with_time[BB_RFC3339_TEXT_SIZE];
    uint64_t ago_ns;

    enum bb_err err = bb_duration_parse(bb_slice_from_cstr(text), &ago_ns);
    if (err == BB_OK) {
        *out_unix_ns = now_unix_ns > ago_ns ? now_unix_ns - ago_ns : 0;
        return BB_OK;
    }
    if (err == BB_ETOOBIG) {
        return err;
    }
    if (strlen(text) == strlen("2026-11-24")) {
        (void)snprintf(with_time, sizeof(with_time), "%sT00:00:00Z", text);
        text = with_time;
    }
    return bb_rfc3339_parse(bb_slice_from_cstr(text), out_unix_ns);
}

static enum bb_err parse_uint(const char *text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text[0] == '\0') {
        return BB_EINVAL;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return BB_EINVAL;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return BB_ETOOBIG;
        }
        value = value * 10 + digit;
    }
    *out_value = value;
    return BB_OK;
}

/* "2.5%" or "0.025" as millionths. */
static enum bb_err parse_share(const char *text, uint64_t *out_millionths)
{
    size_t size = strlen(text);
    bool is_percent = size > 0 && text[size - 1] == '%';
    char *end = NULL;

    /* strtod would also take " 1", "nan", "0x1" and "1e-2". */
    if (strspn(text, "0123456789.") != size - (is_percent ? 1 : 0) || size == 0 || text[0] == '%') {
        return BB_EINVAL;
    }
    double share = strtod(text, &end);
    if (end != text + size - (is_percent ? 1 : 0)) {
        return BB_EINVAL;
    }
    share = is_percent ? share / 100 : share;
    if (share > 1) {
        return BB_ETOOBIG;
    }
    *out_millionths = (uint64_t)(share * 1e6 + 0.5);
    return BB_OK;
}

static enum bb_err parse_choice(const struct bb_flag *flag, const char *text)
{
    for (int i = 0; flag->choices[i] != NULL; i++) {
        if (strcmp(flag->choices[i], text) == 0) {
            *(int *)flag->target = i;
            return BB_OK;
        }
    }
    return BB_EINVAL;
}

static enum bb_err parse_uint_flag(const struct bb_flag *flag, const char *text)
{
    uint64_t value;
    enum bb_err err = parse_uint(text, &value);

    if (err == BB_OK && (value < flag->min || (flag->max != 0 && value > flag->max))) {
        err = BB_ETOOBIG;
    }
    if (err == BB_OK) {
        *(uint64_t *)flag->target = value;
    }
    return err;
}

/* Reads `text` into the flag's target. */
static enum bb_err set_flag(const struct bb_flag *flag, const char *text, uint64_t now_unix_ns)
{
    struct bb_text_list *list = flag->target;

    switch (flag->type) {
    case BB_FLAG_SWITCH:
        *(bool *)flag->target = true;
        return BB_OK;
    case BB_FLAG_TEXT:
        if (text[0] == '\0') {
            return BB_EINVAL;
        }
        *(const char **)flag->target = text;
        return BB_OK;
    case BB_FLAG_LIST:
        if (list->count == BB_TEXT_LIST_MAX) {
            return BB_ETOOBIG;
        }
        list->items[list->count++] = text;
        return BB_OK;
    case BB_FLAG_UINT:
        return parse_uint_flag(flag, text);
    case BB_FLAG_DURATION:
        return bb_duration_parse(bb_slice_from_cstr(text), flag->target);
    case BB_FLAG_TIME:
        return bb_flag_parse_time(text, now_unix_ns, flag->target);
    case BB_FLAG_SHARE:
        return parse_share(text, flag->target);
    case BB_FLAG_CHOICE:
        return parse_choice(flag, text);
    }
    return BB_EINVAL;
}

/* What a value of the flag looks like, for its error message. */
static void say_wrong_value(const struct bb_command *command, const struct bb_flag *flag,
                            const char *text, struct bb_err_detail *detail)
{
    char expected[160] = "";

    switch (flag->type) {
    case BB_FLAG_UINT:
        if (flag->max != 0) {
            (void)snprintf(expected, sizeof(expected), "a whole number from %llu to %llu",
                           (unsigned long long)flag->min, (unsigned long long)flag->max);
        } else {
            (void)snprintf(expected, sizeof(expected), "a whole number of at least %llu",
                           (unsigned long long)flag->min);
        }
        break;
    case BB_FLAG_DURATION:
        (void)snprintf(expected, sizeof(expected), "a duration like 100ms, 1.5s or 2h");
        break;
    case BB_FLAG_TIME:
        (void)snprintf(expected, sizeof(expected),
                       "a duration like 1h, or a time like 2026-11-24T22:00:00Z");
        break;
    case BB_FLAG_SHARE:
        (void)snprintf(expected, sizeof(expected), "a share like 2%% or 0.02");
        break;
    case BB_FLAG_CHOICE:
        (void)snprintf(expected, sizeof(expected), "one of %s", flag->value_name);
        break;
    case BB_FLAG_LIST:
        (void)snprintf(expected, sizeof(expected), "no more than %d of them", BB_TEXT_LIST_MAX);
        break;
    case BB_FLAG_TEXT:
    case BB_FLAG_SWITCH:
        (void)snprintf(expected, sizeof(expected), "a value that is not empty");
        break;
    }
    (void)bb_err_set(detail, BB_EINVAL, "%s: --%s can't be '%s': it takes %s", command->name,
                     flag->name, text, expected);
}

/* Fills getopt_long's tables. `letters` begins with ":", so that a missing value is told apart. */
static void fill_tables(const struct bb_flag *flags, uint32_t flag_count, struct option *longs,
                        char *letters)
{
    *letters++ = ':';
    *letters++ = 'h';
    for (uint32_t i = 0; i < flag_count; i++) {
        bool has_value = flags[i].type != BB_FLAG_SWITCH;
        longs[i] = (struct option){
            .name = flags[i].name,
            .has_arg = has_value ? required_argument : no_argument,
            .val = LONG_BASE + (int)i,
        };
        if (flags[i].letter != 0) {
            *letters++ = flags[i].letter;
            if (has_value) {
                *letters++ = ':';
            }
        }
    }
    longs[flag_count] = (struct option){.name = "help", .val = LONG_HELP};
    longs[flag_count + 1] = (struct option){0};
    *letters = '\0';
}

/* NULL when `option` is none of the flags. */
static const struct bb_flag *find_flag(const struct bb_flag *flags, uint32_t flag_count, int option)
{
    for (uint32_t i = 0; i < flag_count; i++) {
        if (option == LONG_BASE + (int)i || (flags[i].letter != 0 && option == flags[i].letter)) {
            return &flags[i];
        }
    }
    return NULL;
}

/* What getopt_long stumbled over, from what it leaves in optopt and optind. */
static void say_bad_flag(const struct bb_command *command, const struct bb_flag *flags,
                         uint32_t flag_count, int option, char **argv, struct bb_err_detail *detail)
{
    const struct bb_flag *flag = find_flag(flags, flag_count, optopt);

    if (flag != NULL) {
        const char *problem = option == ':' ? "needs a value" : "takes no value";
        (void)bb_err_set(detail, BB_EINVAL, "%s: --%s %s; see 'bobbin %s --help'", command->name,
                         flag->name, problem, command->name);
    } else if (optopt > 0 && optopt < LONG_BASE) {
        (void)bb_err_set(detail, BB_EINVAL, "%s: there is no flag -%c; see 'bobbin %s --help'",
                         command->name, optopt, command->name);
    } else {
        (void)bb_err_set(detail, BB_EINVAL, "%s: there is no flag %s; see 'bobbin %s --help'",
                         command->name, argv[optind - 1], command->name);
    }
}

enum bb_flags_outcome bb_flags_parse(const struct bb_command *command, const struct bb_flag *flags,
                                     uint32_t flag_count, uint64_t now_unix_ns, int argc,
                                     char **argv, struct bb_err_detail *detail, int *out_first_arg)
{
    struct option longs[BB_FLAGS_MAX + 2];
    char letters[2 * BB_FLAGS_MAX + 3];
    int option;

    BB_ASSERT(flag_count <= BB_FLAGS_MAX);
    fill_tables(flags, flag_count, longs, letters);
    opterr = 0;
    optind = 0; /* glibc: forget the state of an earlier call */
    while ((option = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (option == 'h' || option == LONG_HELP) {
            return BB_FLAGS_HELP;
        }
        const struct bb_flag *flag = find_flag(flags, flag_count, option);
        if (flag == NULL) {
            say_bad_flag(command, flags, flag_count, option, argv, detail);
            return BB_FLAGS_WRONG;
        }
        if (set_flag(flag, optarg, now_unix_ns) != BB_OK) {
            say_wrong_value(command, flag, optarg, detail);
            return BB_FLAGS_WRONG;
        }
    }
    *out_first_arg = optind;
    return BB_FLAGS_OK;
}

/* "  -o, --output FORM" padded to the column of the help text. */
static void append_flag_help(const struct bb_flag *flag, struct bb_buf *out)
{
    size_t start = out->size;
    const char *line = flag->help;

    if (flag->letter != 0) {
        bb_buf_printf(out, "  -%c, --%s", flag->letter, flag->name);
    } else {
        bb_buf_printf(out, "      --%s", flag->name);
    }
    if (flag->value_name != NULL) {
        bb_buf_printf(out, " %s", flag->value_name);
    }
    if (out->size - start >= HELP_COLUMN) {
        bb_buf_append_byte(out, '\n');
        start = out->size;
    }
    bb_buf_printf(out, "%*s", (int)(HELP_COLUMN - (out->size - start)), "");
    while (true) {
        size_t size = strcspn(line, "\n");
        bb_buf_append(out, line, size);
        bb_buf_append_byte(out, '\n');
        if (line[size] == '\0') {
            break;
        }
        line += size + 1;
        bb_buf_printf(out, "%*s", HELP_COLUMN, "");
    }
}

void bb_flags_help(const struct bb_command *command, const struct bb_flag *flags,
                   uint32_t flag_count, struct bb_buf *out)
{
    static const struct bb_flag help_flag = {
        .name = "help", .letter = 'h', .type = BB_FLAG_SWITCH, .help = "this page"};

    bb_buf_printf(out, "Usage: bobbin %s [flags]%s%s\n\n%s.\n\nFlags:\n", command->name,
                  command->args[0] != '\0' ? " " : "", command->args, command->summary);
    for (uint32_t i = 0; i < flag_count; i++) {
        append_flag_help(&flags[i], out);
    }
    append_flag_help(&help_flag, out);
    if (command->notes[0] != '\0') {
        bb_buf_printf(out, "\n%s\n", command->notes);
    }
}

bool bb_flags_begin(const struct bb_command *command, const struct bb_flag *flags,
                    uint32_t flag_count, int argc, char **argv, int *out_first_arg,
                    enum bb_exit *out_exit)
{
    struct bb_err_detail detail = {0};
    struct bb_buf help;

    switch (bb_flags_parse(command, flags, flag_count, bb_clock_unix_ns(&bb_clock_system), argc,
                           argv, &detail, out_first_arg)) {
    case BB_FLAGS_OK:
        return true;
    case BB_FLAGS_HELP:
        bb_buf_init(&help, HELP_BYTES_MAX);
        bb_flags_help(command, flags, flag_count, &help);
        bb_print(bb_buf_slice(&help));
        bb_buf_dispose(&help);
        *out_exit = BB_EXIT_FOUND;
        return false;
    case BB_FLAGS_WRONG:
        break;
    }
    *out_exit = bb_say_error("%s", detail.text);
    return false;
}
