#include "collector/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/config_file.h"
#include "collector/config_value.h"
#include "common/limits.h"
#include "common/slice.h"

#define ENV_PREFIX "BOBBIND_"
#define NAME_SIZE 40 /* of a name with its prefix and the NUL */
#define ACTION_COUNT 3
#define ORIGIN_SIZE 160   /* of a setting's origin in words */
#define SHOWN_SIZE_MAX 80 /* bytes of foreign text that an error repeats */

struct option {
    const char *name;
    bb_value_parser parse;
    size_t field; /* offset in struct bb_config */
    const char *default_text;
    const char *value; /* in --help */
    const char *help;
};

#define KIND_PATH bb_parse_path
#define KIND_OPTIONAL_PATH bb_parse_optional_path
#define KIND_LISTEN bb_parse_listen
#define KIND_DURABILITY bb_parse_durability
#define KIND_RETENTION bb_parse_retention
#define KIND_DISK_BYTES bb_parse_disk_bytes
#define KIND_MEMORY_BYTES bb_parse_memory_bytes
#define KIND_LOG_LEVEL bb_parse_log_level

#define BB_OPTION(id, name, kind, field, default_text, value, help)                                \
    [BB_OPTION_##id] = {name,         KIND_##kind, offsetof(struct bb_config, field),              \
                        default_text, value,       help},
#define BB_ACTION(id, name, help)
static const struct option options[BB_OPTION_COUNT] = {
#include "collector/config_options.def"
};
#undef BB_OPTION
#undef BB_ACTION

struct action {
    enum bb_config_action action;
    const char *name;
    const char *help;
};

#define BB_OPTION(id, name, kind, field, default_text, value, help)
#define BB_ACTION(id, name, help) {BB_ACTION_##id, name, help},
static const struct action actions[ACTION_COUNT] = {
#include "collector/config_options.def"
};
#undef BB_OPTION
#undef BB_ACTION

/* What each source has for each option; NULL for nothing. */
struct given {
    const char *texts[BB_SOURCE_COUNT][BB_OPTION_COUNT];
    unsigned lines[BB_OPTION_COUNT]; /* in the file */
    const char *config_file;
};

const char *bb_option_name(enum bb_option option)
{
    BB_ASSERT(option < BB_OPTION_COUNT);
    return options[option].name;
}

/* The names in each source's spelling. */

static void env_name(enum bb_option option, char out[NAME_SIZE])
{
    size_t used = sizeof ENV_PREFIX - 1;

    memcpy(out, ENV_PREFIX, used);
    for (const char *c = options[option].name; *c != '\0'; c++) {
        BB_ASSERT(used + 1 < NAME_SIZE);
        out[used++] = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    out[used] = '\0';
}

/* Where `option` was given by `source`, in words: "--retention", "/etc/bobbind.conf:3: retention".
 */
static void describe_origin(const struct given *given, enum bb_option option,
                            enum bb_config_source source, char out[ORIGIN_SIZE])
{
    if (source == BB_SOURCE_ENVIRONMENT) {
        env_name(option, out);
    } else if (source == BB_SOURCE_FILE) {
        snprintf(out, ORIGIN_SIZE, "%.*s:%u: %s", SHOWN_SIZE_MAX, given->config_file,
                 given->lines[option], options[option].name);
    } else {
        snprintf(out, ORIGIN_SIZE, "--%s", options[option].name);
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be put in, taken out or changed to make `b`, which is less than NAME_SIZE
 * bytes long, of `a` (Levenshtein). */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_SIZE];
    size_t size = strlen(b);

    for (size_t j = 0; j <= size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= size; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = smaller(changed, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[size];
}

/* The nearest of two names becomes the better one of `*best`. */
static void suggest(const char *name, const char *candidate, size_t *best_distance, char *best)
{
    size_t distance = edit_distance(name, candidate);

    if (distance < *best_distance) {
        *best_distance = distance;
        snprintf(best, NAME_SIZE, "%s", candidate);
    }
}

/* An error that `name`, found at `where`, is no setting, with the nearest one of that source. */
static enum bb_err unknown_name(const char *where, const char *what, const char *name, size_t size,
                                enum bb_config_source source, struct bb_err_detail *detail)
{
    const char *dashes = source == BB_SOURCE_FLAG ? "--" : "";
    size_t distance = size / 3 + 2; /* farther names are no help */
    char nearest[NAME_SIZE] = "";
    char candidate[NAME_SIZE];
    char shown[SHOWN_SIZE_MAX + 1];

    snprintf(shown, sizeof shown, "%.*s", (int)smaller(size, SHOWN_SIZE_MAX), name);
    for (int i = 0; i < BB_OPTION_COUNT; i++) {
        snprintf(candidate, sizeof candidate, "%s", options[i].name);
        if (source == BB_SOURCE_ENVIRONMENT) {
            env_name((enum bb_option)i, candidate);
        }
        suggest(shown, candidate, &distance, nearest);
    }
    for (int i = 0; i < ACTION_COUNT && source == BB_SOURCE_FLAG; i++) {
        suggest(shown, actions[i].name, &distance, nearest);
    }
    if (nearest[0] == '\0') {
        return bb_err_set(detail, BB_EINVAL, "%sunknown %s \"%s%s\" (--help lists all)", where,
                          what, dashes, shown);
    }
    return bb_err_set(detail, BB_EINVAL, "%sunknown %s \"%s%s\"; did you mean \"%s%s\"?", where,
                      what, dashes, shown, dashes, nearest);
}

/* The option called `name`, which is `size` bytes long; BB_OPTION_COUNT when there is none. */
static enum bb_option find_option(const char *name, size_t size)
{
    int i = 0;

    while (i < BB_OPTION_COUNT &&
           (strlen(options[i].name) != size || memcmp(options[i].name, name, size) != 0)) {
        i++;
    }
    return (enum bb_option)i;
}

static enum bb_config_action find_action(const char *name)
{
    for (int i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(name, actions[i].name) == 0) {
            return actions[i].action;
        }
    }
    return BB_ACTION_RUN;
}

/* Flags */

static enum bb_err take_flags(int argc, char *const *argv, struct given *given,
                              enum bb_config_action *action, struct bb_err_detail *detail)
{
    const char **texts = given->texts[BB_SOURCE_FLAG];

    for (int i = 1; i < argc; i++) {
        bool is_short_help = strcmp(argv[i], "-h") == 0;
        const char *name = argv[i] + (is_short_help ? 1 : 2);
        size_t size;
        enum bb_config_action found;
        enum bb_option option;

        if (!is_short_help && (strncmp(argv[i], "--", 2) != 0 || name[0] == '\0')) {
            return bb_err_set(detail, BB_EINVAL, "unexpected argument \"%.*s\" (--help lists all)",
                              SHOWN_SIZE_MAX, argv[i]);
        }
        found = is_short_help ? BB_ACTION_HELP : find_action(name);
        if (found != BB_ACTION_RUN) {
            *action = found > *action ? found : *action;
            continue;
        }
        size = strcspn(name, "=");
        option = find_option(name, size);
        if (option == BB_OPTION_COUNT) {
            return unknown_name("", "flag", name, size, BB_SOURCE_FLAG, detail);
        }
        if (texts[option] != NULL) {
            return bb_err_set(detail, BB_EINVAL, "--%s is given twice", options[option].name);
        }
        if (name[size] == '=') {
            texts[option] = name + size + 1;
        } else if (i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0) {
            texts[option] = argv[++i];
        } else {
            return bb_err_set(detail, BB_EINVAL, "--%s needs a value: %s", options[option].name,
                              options[option].value);
        }
    }
    return BB_OK;
}

/* The environment */

/*
 * True for what Kubernetes puts into every container beside a Service called "bobbind":
 * BOBBIND_SERVICE_HOST, BOBBIND_SERVICE_PORT[_NAME], BOBBIND_PORT, BOBBIND_PORT_4317_TCP[_...].
 */
static bool is_of_kubernetes(const char *name, size_t size)
{
    static const char *const prefixes[] = {"SERVICE_HOST", "SERVICE_PORT", "PORT_"};
    const char *rest = name + sizeof ENV_PREFIX - 1;

    size -= sizeof ENV_PREFIX - 1;
    for (size_t i = 0; i < BB_ARRAY_COUNT(prefixes); i++) {
        if (strncmp(rest, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return size == 4 && strncmp(rest, "PORT", size) == 0;
}

static enum bb_err take_environment(char *const *env, struct given *given,
                                    struct bb_err_detail *detail)
{
    for (; env != NULL && *env != NULL; env++) {
        size_t size = strcspn(*env, "=");
        int option = 0;

        if (strncmp(*env, ENV_PREFIX, sizeof ENV_PREFIX - 1) != 0 || (*env)[size] != '=' ||
            is_of_kubernetes(*env, size)) {
            continue;
        }
        for (; option < BB_OPTION_COUNT; option++) {
            char candidate[NAME_SIZE];

            env_name((enum bb_option)option, candidate);
            if (strlen(candidate) == size && memcmp(candidate, *env, size) == 0) {
                break;
            }
        }
        if (option == BB_OPTION_COUNT) {
            return unknown_name("", "environment variable", *env, size, BB_SOURCE_ENVIRONMENT,
                                detail);
        }
        given->texts[BB_SOURCE_ENVIRONMENT][option] = *env + size + 1;
    }
    return BB_OK;
}

/* The file */

/* Reads all of `path`; *out_text is in the arena. */
static enum bb_err read_file(const char *path, struct bb_arena *arena, struct bb_slice *out_text,
                             struct bb_err_detail *detail)
{
    uint8_t *bytes = bb_arena_try_alloc(arena, BB_CONFIG_FILE_BYTES_MAX + 1);
    enum bb_err err = BB_OK;
    size_t size = 0;
    ssize_t got = 1;
    int fd;

    if (bytes == NULL) {
        return BB_ENOMEM;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && got > 0 && size <= BB_CONFIG_FILE_BYTES_MAX) {
        got = read(fd, bytes + size, BB_CONFIG_FILE_BYTES_MAX + 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    if (fd < 0 || got < 0) {
        err = bb_err_set(detail, BB_EIO, "--config: can't read \"%.*s\": %s", SHOWN_SIZE_MAX, path,
                         strerrordesc_np(errno));
    } else if (size > BB_CONFIG_FILE_BYTES_MAX) {
        err = bb_err_set(detail, BB_EINVAL, "--config: \"%.*s\" has over %u KiB", SHOWN_SIZE_MAX,
                         path, BB_CONFIG_FILE_BYTES_MAX >> 10);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err == BB_OK) {
        *out_text = bb_slice_of(bytes, size);
    }
    return err;
}

static enum bb_err take_file(struct given *given, struct bb_arena *arena,
                             struct bb_err_detail *detail)
{
    const char *path = given->config_file;
    struct bb_config_cursor cursor = {0};
    struct bb_config_entry entry;
    struct bb_err_detail words = {0};
    char where[ORIGIN_SIZE];
    enum bb_err err = read_file(path, arena, &cursor.rest, detail);

    if (err != BB_OK) {
        return err;
    }
    while ((err = bb_config_next_entry(&cursor, arena, &entry, &words)) == BB_OK) {
        enum bb_option option = find_option(entry.key, strlen(entry.key));

        snprintf(where, sizeof where, "%.*s:%u: ", SHOWN_SIZE_MAX, path, cursor.line);
        if (option == BB_OPTION_COUNT) {
            return unknown_name(where, "key", entry.key, strlen(entry.key), BB_SOURCE_FILE, detail);
        }
        if (option == BB_OPTION_CONFIG) {
            return bb_err_set(detail, BB_EINVAL, "%sa configuration file can't name another",
                              where);
        }
        if (given->lines[option] != 0) {
            return bb_err_set(detail, BB_EINVAL, "%s%s is given twice, first in line %u", where,
                              entry.key, given->lines[option]);
        }
        given->texts[BB_SOURCE_FILE][option] = entry.value;
        given->lines[option] = entry.line;
    }
    if (err == BB_EINVAL) {
        return bb_err_set(detail, err, "%.*s:%u: %s", SHOWN_SIZE_MAX, path, cursor.line,
                          words.text);
    }
    return err == BB_ENOTFOUND ? BB_OK : err;
}

/* All of them together */

static bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Sets an option's field to the text of the source that goes before the others; checks all. */
static enum bb_err settle_option(const struct given *given, enum bb_option option,
                                 struct bb_config *config, struct bb_err_detail *detail)
{
    for (int source = BB_SOURCE_DEFAULT; source < BB_SOURCE_COUNT; source++) {
        const char *text = given->texts[source][option];
        struct bb_err_detail words = {0};
        char where[ORIGIN_SIZE];
        enum bb_err err = BB_EINVAL;

        if (text == NULL) {
            continue;
        }
        if (has_control_character(text)) {
            (void)bb_err_set(&words, err, "has a control character: \"%s\"", text);
        } else {
            err = options[option].parse(text, (char *)config + options[option].field, &words);
        }
        if (err != BB_OK) {
            describe_origin(given, option, (enum bb_config_source)source, where);
            return bb_err_set(detail, err, "%s: %s", where, words.text);
        }
        config->settings[option] = (struct bb_config_setting){
            .text = text,
            .source = (enum bb_config_source)source,
            .line = source == BB_SOURCE_FILE ? given->lines[option] : 0,
        };
    }
    return BB_OK;
}

/* Refuses one fixed address for two listeners: the kernel would only say that it is in use. */
static enum bb_err check_addresses(const struct given *given, const struct bb_config *config,
                                   struct bb_err_detail *detail)
{
    for (int a = 0; a < BB_OPTION_COUNT; a++) {
        const char *text = config->settings[a].text;

        for (int b = a + 1; b < BB_OPTION_COUNT; b++) {
            char first[ORIGIN_SIZE];
            char second[ORIGIN_SIZE];

            if (options[a].parse != bb_parse_listen || options[b].parse != bb_parse_listen ||
                text[0] == '\0' || strcmp(strrchr(text, ':'), ":0") == 0 ||
                strcmp(text, config->settings[b].text) != 0) {
                continue;
            }
            describe_origin(given, (enum bb_option)a, config->settings[a].source, first);
            describe_origin(given, (enum bb_option)b, config->settings[b].source, second);
            return bb_err_set(detail, BB_EINVAL, "%s and %s are both \"%.*s\"", first, second,
                              SHOWN_SIZE_MAX, text);
        }
    }
    return BB_OK;
}

static enum bb_err load(int argc, char *const *argv, char *const *env, struct bb_config *config,
                        struct bb_err_detail *detail)
{
    struct given given = {0};
    enum bb_err err = take_flags(argc, argv, &given, &config->action, detail);

    if (err != BB_OK || config->action >= BB_ACTION_VERSION) {
        return err;
    }
    err = take_environment(env, &given, detail);
    if (err != BB_OK) {
        return err;
    }
    given.config_file = given.texts[BB_SOURCE_FLAG][BB_OPTION_CONFIG];
    if (given.config_file == NULL) {
        given.config_file = given.texts[BB_SOURCE_ENVIRONMENT][BB_OPTION_CONFIG];
    }
    if (given.config_file != NULL && given.config_file[0] != '\0') {
        err = take_file(&given, &config->arena, detail);
    }
    for (int i = 0; i < BB_OPTION_COUNT && err == BB_OK; i++) {
        given.texts[BB_SOURCE_DEFAULT][i] = options[i].default_text;
        err = settle_option(&given, (enum bb_option)i, config, detail);
    }
    return err == BB_OK ? check_addresses(&given, config, detail) : err;
}

enum bb_err bb_config_load(int argc, char *const *argv, char *const *env, struct bb_config *config,
                           struct bb_err_detail *detail)
{
    enum bb_err err;

    *config = (struct bb_config){.action = BB_ACTION_RUN};
    bb_arena_init(&config->arena, 4 * (size_t)BB_CONFIG_FILE_BYTES_MAX);
    err = load(argc, argv, env, config, detail);
    if (err != BB_OK) {
        bb_config_dispose(config);
    }
    return err;
}

void bb_config_dispose(struct bb_config *config)
{
    bb_arena_dispose(&config->arena);
    *config = (struct bb_config){.action = BB_ACTION_RUN};
}

/* Output */

void bb_config_print(const struct bb_config *config, struct bb_buf *out)
{
    for (int i = 0; i < BB_OPTION_COUNT; i++) {
        const struct bb_config_setting *setting = &config->settings[i];
        char name[NAME_SIZE];

        if (i == BB_OPTION_CONFIG) { /* its settings stand here: reading them twice would not do */
            continue;
        }
        bb_buf_printf(out, "%s = ", options[i].name);
        bb_config_append_value(out, setting->text);
        switch (setting->source) {
        case BB_SOURCE_FLAG:
            bb_buf_printf(out, " # flag --%s\n", options[i].name);
            break;
        case BB_SOURCE_ENVIRONMENT:
            env_name((enum bb_option)i, name);
            bb_buf_printf(out, " # environment %s\n", name);
            break;
        case BB_SOURCE_FILE:
            bb_buf_printf(out, " # file %s:%u\n", config->config_file, setting->line);
            break;
        default:
            bb_buf_append_cstr(out, " # default\n");
            break;
        }
    }
}

void bb_config_print_help(struct bb_buf *out)
{
    bb_buf_append_cstr(out, "Usage: bobbind [--NAME VALUE | --NAME=VALUE]...\n\n"
                            "Takes in traces, keeps them, and serves them to those who ask.\n\n");
    for (int i = 0; i < BB_OPTION_COUNT; i++) {
        const char *text = options[i].default_text;

        bb_buf_printf(out, "  --%s %s\n      %s\n      Default: %s\n", options[i].name,
                      options[i].value, options[i].help, text[0] == '\0' ? "empty" : text);
    }
    for (int i = 0; i < ACTION_COUNT; i++) {
        bb_buf_printf(out, "  --%s\n      %s\n", actions[i].name, actions[i].help);
    }
    bb_buf_append_cstr(
        out,
        "\nEach can also be set by the environment (--data-dir is " ENV_PREFIX "DATA_DIR) and by\n"
        "a line of the --config file (data-dir = /var/lib/bobbin). A flag goes before the\n"
        "environment, that before the file, that before the default.\n");
}

struct bb_memory_split bb_config_split_memory(const struct bb_config *config)
{
    uint64_t sixteenth = config->memory_limit_bytes / 16;

    return (struct bb_memory_split){
        .ingest_bytes = 4 * sixteenth,
        .store_bytes = 7 * sixteenth,
        .query_bytes = 4 * sixteenth,
    };
}
