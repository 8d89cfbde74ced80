/* Flags, environment, file and defaults together: precedence, origins, and every start error. */
#include "collector/config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/check.h"
#include "common/clock.h"

#define ARGS_MAX 8
#define FILE_PLACE "FILE" /* in arguments, environment and expected words: the written file */

struct fixture {
    char path[64]; /* of the file that a test writes */
    char texts[2 * ARGS_MAX][128];
    struct bb_config config;
    struct bb_err_detail detail;
};

static struct fixture the_fixture;

static int set_up(void **state)
{
    struct fixture *fx = &the_fixture;
    int fd;

    snprintf(fx->path, sizeof fx->path, "/tmp/bobbin-test-config-XXXXXX");
    fd = mkstemp(fx->path);
    assert_true(fd >= 0);
    close(fd);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    unlink(fx->path);
    return 0;
}

static void write_file(struct fixture *fx, struct bb_slice text)
{
    int fd = open(fx->path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.data, text.size), text.size);
    close(fd);
}

/* `text` with the written file's path for FILE. */
static void put_path(const struct fixture *fx, const char *text, char *out, size_t out_size)
{
    const char *place = strstr(text, FILE_PLACE);

    if (place == NULL) {
        snprintf(out, out_size, "%s", text);
    } else {
        snprintf(out, out_size, "%.*s%s%s", (int)(place - text), text, fx->path,
                 place + strlen(FILE_PLACE));
    }
}

/* Loads from NULL-terminated lists, either of which may be NULL, and the file's text, or NULL. */
static enum bb_err load(struct fixture *fx, const char *const *args, const char *const *env,
                        const char *file)
{
    char *argv[ARGS_MAX + 1] = {(char[]){"bobbind"}};
    char *envp[ARGS_MAX] = {NULL};
    int argc = 1;

    for (; args != NULL && args[argc - 1] != NULL; argc++) {
        put_path(fx, args[argc - 1], fx->texts[argc], sizeof fx->texts[argc]);
        argv[argc] = fx->texts[argc];
    }
    for (int i = 0; env != NULL && env[i] != NULL; i++) {
        put_path(fx, env[i], fx->texts[ARGS_MAX + i], sizeof fx->texts[0]);
        envp[i] = fx->texts[ARGS_MAX + i];
    }
    if (file != NULL) {
        write_file(fx, bb_slice_from_cstr(file));
    }
    fx->detail = (struct bb_err_detail){0};
    return bb_config_load(argc, argv, envp, &fx->config, &fx->detail);
}

static void without_anything_the_defaults_hold(void **state)
{
    struct fixture *fx = *state;
    struct bb_config *config = &fx->config;

    assert_int_equal(load(fx, NULL, NULL, NULL), BB_OK);
    assert_int_equal(config->action, BB_ACTION_RUN);
    assert_string_equal(config->data_dir, "./bobbin-data");
    assert_string_equal(config->otlp_grpc_listen, "127.0.0.1:4317");
    assert_string_equal(config->otlp_http_listen, "127.0.0.1:4318");
    assert_string_equal(config->jaeger_grpc_listen, "127.0.0.1:14250");
    assert_string_equal(config->http_listen, "127.0.0.1:16686");
    assert_string_equal(config->grpc_query_listen, "127.0.0.1:16685");
    assert_string_equal(config->admin_listen, "127.0.0.1:14269");
    assert_int_equal(config->durability, BB_DURABILITY_WAL);
    assert_int_equal(config->retention_ns, 168 * 3600 * BB_NS_PER_S);
    assert_int_equal(config->max_disk_bytes, 0);
    assert_int_equal(config->memory_limit_bytes, 512u << 20);
    assert_int_equal(config->log_level, BB_LOG_INFO);
    assert_null(config->ui_dir);
    assert_null(config->config_file);
    bb_config_dispose(config);
}

static void a_flag_goes_before_the_environment_before_the_file(void **state)
{
    static const char *const args[] = {"--config=FILE", "--data-dir", "from-flag", NULL};
    static const char *const env[] = {"BOBBIND_DATA_DIR=from-env", "BOBBIND_RETENTION=2h",
                                      "HOME=/root", NULL};
    struct fixture *fx = *state;

    assert_int_equal(load(fx, args, env,
                          "data-dir = from-file\n# comment\nretention = 3h\ndurability = fsync\n"),
                     BB_OK);
    assert_string_equal(fx->config.data_dir, "from-flag");
    assert_int_equal(fx->config.retention_ns, 2 * 3600 * BB_NS_PER_S);
    assert_int_equal(fx->config.durability, BB_DURABILITY_FSYNC);
    assert_int_equal(fx->config.settings[BB_OPTION_DATA_DIR].source, BB_SOURCE_FLAG);
    assert_int_equal(fx->config.settings[BB_OPTION_RETENTION].source, BB_SOURCE_ENVIRONMENT);
    assert_int_equal(fx->config.settings[BB_OPTION_DURABILITY].source, BB_SOURCE_FILE);
    assert_int_equal(fx->config.settings[BB_OPTION_DURABILITY].line, 4);
    assert_int_equal(fx->config.settings[BB_OPTION_LOG_LEVEL].source, BB_SOURCE_DEFAULT);
    bb_config_dispose(&fx->config);
}

static void the_environment_can_name_the_file(void **state)
{
    static const char *const env[] = {"BOBBIND_CONFIG=FILE", NULL};
    struct fixture *fx = *state;

    assert_int_equal(load(fx, NULL, env, "log-level = debug"), BB_OK);
    assert_int_equal(fx->config.log_level, BB_LOG_DEBUG);
    assert_string_equal(fx->config.config_file, fx->path);
    bb_config_dispose(&fx->config);
}

static void an_empty_address_from_any_source_switches_a_listener_off(void **state)
{
    static const char *const args[] = {"--config=FILE", "--admin-listen=", "--http-listen", "",
                                       NULL};
    static const char *const env[] = {"BOBBIND_OTLP_HTTP_LISTEN=", NULL};
    struct fixture *fx = *state;

    assert_int_equal(load(fx, args, env, "jaeger-grpc-listen =\n"), BB_OK);
    assert_null(fx->config.admin_listen);
    assert_null(fx->config.http_listen);
    assert_null(fx->config.otlp_http_listen);
    assert_null(fx->config.jaeger_grpc_listen);
    assert_string_equal(fx->config.otlp_grpc_listen, "127.0.0.1:4317");
    bb_config_dispose(&fx->config);
}

static void what_kubernetes_puts_beside_a_service_is_left_alone(void **state)
{
    static const char *const env[] = {
        "BOBBIND_SERVICE_HOST=10.0.0.1", "BOBBIND_SERVICE_PORT_OTLP=4317",
        "BOBBIND_PORT=tcp://10.0.0.1:4317", "BOBBIND_PORT_4317_TCP_ADDR=10.0.0.1", NULL};
    struct fixture *fx = *state;

    assert_int_equal(load(fx, NULL, env, NULL), BB_OK);
    bb_config_dispose(&fx->config);
}

static void help_goes_before_version_before_print(void **state)
{
    static const char *const help[] = {"--print-config", "-h", "--version", NULL};
    static const char *const version[] = {"--version", "--print-config", NULL};
    static const char *const print[] = {"--print-config", NULL};
    /* Help is given also where the environment would be a start error. */
    static const char *const env[] = {"BOBBIND_RETENTION=forever", NULL};
    struct fixture *fx = *state;

    assert_int_equal(load(fx, help, env, NULL), BB_OK);
    assert_int_equal(fx->config.action, BB_ACTION_HELP);
    bb_config_dispose(&fx->config);
    assert_int_equal(load(fx, version, env, NULL), BB_OK);
    assert_int_equal(fx->config.action, BB_ACTION_VERSION);
    bb_config_dispose(&fx->config);
    assert_int_equal(load(fx, print, NULL, NULL), BB_OK);
    assert_int_equal(fx->config.action, BB_ACTION_PRINT);
    bb_config_dispose(&fx->config);
    assert_int_equal(load(fx, print, env, NULL), BB_EINVAL);
}

struct bad {
    const char *args[4]; /* NULL-terminated */
    const char *env[2];
    const char *file;
    const char *words; /* all of the detail */
};

static const struct bad bad_ones[] = {
    {{"serve"}, {0}, 0, "unexpected argument \"serve\" (--help lists all)"},
    {{""}, {0}, 0, "unexpected argument \"\" (--help lists all)"},
    {{"--"}, {0}, 0, "unexpected argument \"--\" (--help lists all)"},
    {{"-d", "x"}, {0}, 0, "unexpected argument \"-d\" (--help lists all)"},
    {{"--datadir", "x"}, {0}, 0, "unknown flag \"--datadir\"; did you mean \"--data-dir\"?"},
    {{"--Data-Dir=x"}, {0}, 0, "unknown flag \"--Data-Dir\"; did you mean \"--data-dir\"?"},
    {{"--helo"}, {0}, 0, "unknown flag \"--helo\"; did you mean \"--help\"?"},
    {{"--otlp-listen=x"},
     {0},
     0,
     "unknown flag \"--otlp-listen\"; did you mean \"--http-listen\"?"},
    {{"--frobnicate-all-of-it=1"},
     {0},
     0,
     "unknown flag \"--frobnicate-all-of-it\" (--help lists all)"},
    {{"--config=FILE", "--data-dir"}, {0}, "", "--data-dir needs a value: DIR"},
    {{"--data-dir", "--print-config"}, {0}, 0, "--data-dir needs a value: DIR"},
    {{"--retention=1h", "--retention=1h"}, {0}, 0, "--retention is given twice"},
    {{"--retention", "7 days"},
     {0},
     0,
     "--retention: \"7 days\" is no duration (like 90m, 168h, 7d)"},
    {{"--data-dir="}, {0}, 0, "--data-dir: can't be empty"},
    {{"--data-dir=a\nb"}, {0}, 0, "--data-dir: has a control character: \"a\nb\""},
    {{"--durability=never"}, {0}, 0, "--durability: \"never\" can only be one of: wal, fsync"},
    {{"--memory-limit=64MiB"}, {0}, 0, "--memory-limit: \"64MiB\" must be at least 256MiB"},
    {{"--max-disk-bytes=10G"},
     {0},
     0,
     "--max-disk-bytes: \"10G\" is no amount of bytes (like 268435456, 512MiB, 10GB)"},
    {{"--http-listen=16686"}, {0}, 0, "--http-listen: \"16686\" has no port: host:port is wanted"},
    {{"--http-listen=127.0.0.1:4317"},
     {0},
     0,
     "--otlp-grpc-listen and --http-listen are both \"127.0.0.1:4317\""},
    {{0},
     {"BOBBIND_ADMIN_LISTEN=127.0.0.1:4318"},
     0,
     "--otlp-http-listen and BOBBIND_ADMIN_LISTEN are both \"127.0.0.1:4318\""},
    {{0},
     {"BOBBIND_RETENTION=x"},
     0,
     "BOBBIND_RETENTION: \"x\" is no duration (like 90m, 168h, 7d)"},
    {{0}, {"BOBBIND_RETENTION="}, 0, "BOBBIND_RETENTION: \"\" is no duration (like 90m, 168h, 7d)"},
    {{0},
     {"BOBBIND_RETENTIONS=1h"},
     0,
     "unknown environment variable \"BOBBIND_RETENTIONS\"; did you mean \"BOBBIND_RETENTION\"?"},
    {{0},
     {"BOBBIND_PRINT_CONFIG=1"},
     0,
     "unknown environment variable \"BOBBIND_PRINT_CONFIG\"; did you mean \"BOBBIND_CONFIG\"?"},
    /* What another source goes before is checked all the same. */
    {{"--retention=1h"},
     {"BOBBIND_RETENTION=x"},
     0,
     "BOBBIND_RETENTION: \"x\" is no duration (like 90m, 168h, 7d)"},
    {{"--retention=1h", "--config=FILE"},
     {0},
     "retention = x",
     "FILE:1: retention: \"x\" is no duration (like 90m, 168h, 7d)"},
    {{"--config=FILE"},
     {0},
     "\n\nretentoin = 1h\n",
     "FILE:3: unknown key \"retentoin\"; did you mean \"retention\"?"},
    {{"--config=FILE"}, {0}, "help = 1\n", "FILE:1: unknown key \"help\" (--help lists all)"},
    {{"--config=FILE"}, {0}, "config = other\n", "FILE:1: a configuration file can't name another"},
    {{"--config=FILE"},
     {0},
     "retention = 1h\nretention = 1h\n",
     "FILE:2: retention is given twice, first in line 1"},
    {{"--config=FILE"}, {0}, "# x\nretention\n", "FILE:2: no `key = value`: the = is missing"},
    {{"--config=/nowhere/at/all"},
     {0},
     0,
     "--config: can't read \"/nowhere/at/all\": No such file or directory"},
    {{"--config=/"}, {0}, 0, "--config: can't read \"/\": Is a directory"},
};

static void every_mistake_is_named_with_its_place(void **state)
{
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(bad_ones); i++) {
        char words[BB_ERR_DETAIL_SIZE];
        enum bb_err err = load(fx, bad_ones[i].args, bad_ones[i].env, bad_ones[i].file);

        put_path(fx, bad_ones[i].words, words, sizeof words);
        if (err != BB_EINVAL && err != BB_EIO) {
            fail_msg("taken, though: %s", words);
        }
        assert_string_equal(fx->detail.text, words);
        assert_null(fx->config.data_dir);
    }
}

static void a_file_over_the_limit_is_refused(void **state)
{
    static char text[(64u << 10) + 1];
    static const char *const args[] = {"--config=FILE", NULL};
    struct fixture *fx = *state;

    memset(text, '\n', sizeof text);
    write_file(fx, bb_slice_of(text, sizeof text));
    assert_int_equal(load(fx, args, NULL, NULL), BB_EINVAL);
    assert_non_null(strstr(fx->detail.text, "has over 64 KiB"));

    write_file(fx, bb_slice_of(text, sizeof text - 1));
    assert_int_equal(load(fx, args, NULL, NULL), BB_OK);
    bb_config_dispose(&fx->config);
}

/* Copies what --print-config says, without the comments that name origins, to `out`. */
static void print_without_origins(const struct bb_config *config, struct bb_buf *out)
{
    struct bb_buf printed;

    bb_buf_init(&printed, 1 << 20);
    bb_config_print(config, &printed);
    bb_buf_append_byte(&printed, '\0');
    assert_int_equal(bb_buf_err(&printed), BB_OK);
    for (char *line = (char *)printed.data; *line != '\0';) {
        char *end = strchr(line, '\n');
        char *comment = end;

        while (comment > line && strncmp(comment, " # ", 3) != 0) {
            comment--;
        }
        bb_buf_append(out, line, (size_t)(comment - line));
        bb_buf_append_byte(out, '\n');
        line = end + 1;
    }
    bb_buf_dispose(&printed);
}

static void what_is_printed_can_be_fed_back(void **state)
{
    static const char *const args[] = {
        "--data-dir= /a dir # 7/\"x\"\\", "--admin-listen=", "--retention=90m",
        "--max-disk-bytes=1.5 GiB",       "--log-level=off", NULL};
    static const char *const again[] = {"--config=FILE", NULL};
    struct fixture *fx = *state;
    struct bb_buf first;
    struct bb_buf second;

    bb_buf_init(&first, 1 << 20);
    bb_buf_init(&second, 1 << 20);
    assert_int_equal(load(fx, args, NULL, NULL), BB_OK);
    bb_config_print(&fx->config, &second);
    write_file(fx, bb_buf_slice(&second));
    bb_buf_clear(&second);
    print_without_origins(&fx->config, &first);
    bb_config_dispose(&fx->config);

    assert_int_equal(load(fx, again, NULL, NULL), BB_OK);
    print_without_origins(&fx->config, &second);
    assert_string_equal(fx->config.data_dir, " /a dir # 7/\"x\"\\");
    assert_null(fx->config.admin_listen);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    bb_config_dispose(&fx->config);
    bb_buf_dispose(&first);
    bb_buf_dispose(&second);
}

static void printing_says_where_each_value_came_from(void **state)
{
    static const char *const args[] = {"--config=FILE", "--log-level=warn", NULL};
    static const char *const env[] = {"BOBBIND_RETENTION=2h", NULL};
    static const char *const lines[] = {
        "data-dir = ./bobbin-data # default\n",
        "retention = 2h # environment BOBBIND_RETENTION\n",
        "log-level = warn # flag --log-level\n",
        "durability = fsync # file FILE:2\n",
    };
    struct fixture *fx = *state;
    struct bb_buf printed;

    bb_buf_init(&printed, 1 << 20);
    assert_int_equal(load(fx, args, env, "\ndurability=fsync\n"), BB_OK);
    bb_config_print(&fx->config, &printed);
    bb_buf_append_byte(&printed, '\0');
    for (size_t i = 0; i < BB_ARRAY_COUNT(lines); i++) {
        char line[256];

        put_path(fx, lines[i], line, sizeof line);
        assert_non_null(strstr((char *)printed.data, line));
    }
    assert_null(strstr((char *)printed.data, "\nconfig ="));
    bb_config_dispose(&fx->config);
    bb_buf_dispose(&printed);
}

static void help_has_every_flag_with_its_default(void **state)
{
    struct bb_buf help;

    (void)state;
    bb_buf_init(&help, 1 << 20);
    bb_config_print_help(&help);
    bb_buf_append_byte(&help, '\0');
    for (int i = 0; i < BB_OPTION_COUNT; i++) {
        char flag[64];

        snprintf(flag, sizeof flag, "  --%s ", bb_option_name((enum bb_option)i));
        assert_non_null(strstr((char *)help.data, flag));
    }
    assert_non_null(strstr((char *)help.data, "Default: 127.0.0.1:4317\n"));
    assert_non_null(strstr((char *)help.data, "Default: 168h\n"));
    assert_non_null(strstr((char *)help.data, "  --print-config\n"));
    bb_buf_dispose(&help);
}

static void the_shares_of_memory_stay_within_the_limit(void **state)
{
    static const char *const args[] = {"--memory-limit=1GiB", NULL};
    struct fixture *fx = *state;
    struct bb_memory_split split;

    assert_int_equal(load(fx, args, NULL, NULL), BB_OK);
    split = bb_config_split_memory(&fx->config);
    assert_int_equal(split.ingest_bytes, 256u << 20);
    assert_int_equal(split.store_bytes, 448u << 20);
    assert_int_equal(split.query_bytes, 256u << 20);
    bb_config_dispose(&fx->config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anything_the_defaults_hold),
        cmocka_unit_test(a_flag_goes_before_the_environment_before_the_file),
        cmocka_unit_test(the_environment_can_name_the_file),
        cmocka_unit_test(an_empty_address_from_any_source_switches_a_listener_off),
        cmocka_unit_test(what_kubernetes_puts_beside_a_service_is_left_alone),
        cmocka_unit_test(help_goes_before_version_before_print),
        cmocka_unit_test(every_mistake_is_named_with_its_place),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(what_is_printed_can_be_fed_back),
        cmocka_unit_test(printing_says_where_each_value_came_from),
        cmocka_unit_test(help_has_every_flag_with_its_default),
        cmocka_unit_test(the_shares_of_memory_stay_within_the_limit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
