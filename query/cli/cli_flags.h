/*
 * cli_flags.h - the flags of a command as a table: from it come the parsing (getopt_long) and the
 * help page, so that the two can't disagree.
 */
#ifndef BB_QUERY_CLI_CLI_FLAGS_H
#define BB_QUERY_CLI_CLI_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "query/cli/cli.h"

#define BB_FLAGS_MAX 32
#define BB_TEXT_LIST_MAX 64

/* A flag that may be given several times. The texts are argv's. */
struct bb_text_list {
    const char *items[BB_TEXT_LIST_MAX];
    uint32_t count;
};

/* The type that `target` points to, and what is read into it. */
enum bb_flag_type {
    BB_FLAG_SWITCH,   /* bool: true when the flag is there; it takes no value */
    BB_FLAG_TEXT,     /* const char *: as given, not empty */
    BB_FLAG_LIST,     /* struct bb_text_list: one more item each time */
    BB_FLAG_UINT,     /* uint64_t: decimal, from `min` to `max` */
    BB_FLAG_DURATION, /* uint64_t nanoseconds: "100ms" */
    BB_FLAG_TIME,     /* uint64_t Unix nanoseconds: a duration back from now, or a time */
    BB_FLAG_SHARE,    /* uint64_t millionths: "2%" or "0.02", at most 1 */
    BB_FLAG_CHOICE,   /* int: the index of the word in `choices` */
};

struct bb_flag {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum bb_flag_type type;
    const char *value_name;     /* "DURATION"; NULL for a switch */
    const char *help;           /* one line or several, separated by "\n" */
    void *target;               /* holds the default; left alone when the flag isn't there */
    const char *const *choices; /* CHOICE: the words, NULL behind the last */
    uint64_t min;               /* UINT */
    uint64_t max;               /* UINT; 0: no maximum */
};

enum bb_flags_outcome {
    BB_FLAGS_OK,
    BB_FLAGS_HELP,  /* --help was given: print bb_flags_help() and leave */
    BB_FLAGS_WRONG, /* `detail` says what, with a hint */
};

/*
 * Reads the flags of argv[1..] into their targets; "--help" and "-h" are known to every command.
 * `now_unix_ns` is what TIME counts back from. argv is reordered so that the positional arguments
 * stand last, from *out_first_arg on. Not for several threads: getopt_long keeps state.
 */
BB_MUST_CHECK enum bb_flags_outcome bb_flags_parse(const struct bb_command *command,
                                                   const struct bb_flag *flags, uint32_t flag_count,
                                                   uint64_t now_unix_ns, int argc, char **argv,
                                                   struct bb_err_detail *detail,
                                                   int *out_first_arg);

/* Appends the help page of the command. */
void bb_flags_help(const struct bb_command *command, const struct bb_flag *flags,
                   uint32_t flag_count, struct bb_buf *out);

/*
 * bb_flags_parse() for the start of a command: true when it can go on. Else the help page or the
 * error has been written, and *out_exit is what the command returns.
 */
BB_MUST_CHECK bool bb_flags_begin(const struct bb_command *command, const struct bb_flag *flags,
                                  uint32_t flag_count, int argc, char **argv, int *out_first_arg,
                                  enum bb_exit *out_exit);

/* Reads "1h" (that long before now) or an RFC 3339 time or date ("2026-11-24", midnight UTC). */
BB_MUST_CHECK enum bb_err bb_flag_parse_time(const char *text, uint64_t now_unix_ns,
                                             uint64_t *out_unix_ns);

/* Flags that several commands have, for their tables; the targets are const char * and int. */
struct bb_flag bb_flag_server(const char **target);
struct bb_flag bb_flag_otlp(const char **target);
struct bb_flag bb_flag_output(int *target);

/* `flag_value` when it is set, else the environment variable when that is set and not empty, else
 * `fallback`. */
const char *bb_flag_or_env(const char *flag_value, const char *variable, const char *fallback);

#endif /* BB_QUERY_CLI_CLI_FLAGS_H */
