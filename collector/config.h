/*
 * config.h - what bobbind is told to do: flags, environment, a file and defaults become one struct.
 *
 * The settings stand in config_options.def and nowhere else. A flag goes before the environment,
 * that before the file, that before the default; every value that is given is checked, also one
 * that another goes before. An unknown name, a name given twice and a value that can't be are start
 * errors that say where it stands and what it could have been.
 */
#ifndef BB_COLLECTOR_CONFIG_H
#define BB_COLLECTOR_CONFIG_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/log.h"
#include "store/store.h"

#define BB_OPTION(id, ...) BB_OPTION_##id,
#define BB_ACTION(id, ...)
enum bb_option {
#include "collector/config_options.def"
    BB_OPTION_COUNT
};
#undef BB_OPTION
#undef BB_ACTION

enum bb_config_action {
    BB_ACTION_RUN,
    BB_ACTION_PRINT,
    BB_ACTION_VERSION,
    BB_ACTION_HELP, /* the highest that is given is taken */
};

enum bb_config_source {
    BB_SOURCE_DEFAULT,
    BB_SOURCE_FILE,
    BB_SOURCE_ENVIRONMENT,
    BB_SOURCE_FLAG,
    BB_SOURCE_COUNT
};

/* One setting as it was given. */
struct bb_config_setting {
    const char *text;
    enum bb_config_source source;
    unsigned line; /* of the file */
};

struct bb_config {
    const char *data_dir;
    const char *otlp_grpc_listen; /* the addresses: NULL when switched off */
    const char *otlp_http_listen;
    const char *jaeger_grpc_listen;
    const char *http_listen;
    const char *grpc_query_listen;
    const char *admin_listen;
    enum bb_durability durability;
    uint64_t retention_ns;
    uint64_t max_disk_bytes; /* 0: no bound */
    uint64_t memory_limit_bytes;
    enum bb_log_level log_level;
    const char *ui_dir;      /* NULL: the built-in copy */
    const char *config_file; /* NULL: none */

    enum bb_config_action action; /* for HELP and VERSION nothing else is set */
    struct bb_config_setting settings[BB_OPTION_COUNT];
    struct bb_arena arena; /* what was read from the file */
};

/*
 * Reads the arguments (argv[0] is skipped), the environment (NULL-terminated, may be NULL) and the
 * file that they name. Both are borrowed as long as `config` lives.
 *
 * BB_OK      `config` is set; free it with bb_config_dispose
 * BB_EINVAL  detail says what is wrong, and where
 * BB_EIO     the file can't be read
 * BB_ENOMEM
 * On an error `config` is empty.
 */
BB_MUST_CHECK enum bb_err bb_config_load(int argc, char *const *argv, char *const *env,
                                         struct bb_config *config, struct bb_err_detail *detail);

void bb_config_dispose(struct bb_config *config);

/* The flag of an option, without its dashes; static storage. */
const char *bb_option_name(enum bb_option option);

/* Appends every setting in the file's format, with where it came from as a comment. */
void bb_config_print(const struct bb_config *config, struct bb_buf *out);

/* Appends what --help says. */
void bb_config_print_help(struct bb_buf *out);

/*
 * How the memory limit is split. What is left over, a sixteenth, is for what nobody counts: code,
 * thread stacks, the allocator's own.
 */
struct bb_memory_split {
    uint64_t ingest_bytes; /* requests that are being worked on: a quarter */
    uint64_t store_bytes;  /* memtables, block cache, unsealed segments: seven sixteenths */
    uint64_t query_bytes;  /* queries that are being worked on: a quarter */
};

struct bb_memory_split bb_config_split_memory(const struct bb_config *config);

#endif /* BB_COLLECTOR_CONFIG_H */
