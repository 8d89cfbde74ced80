/*
 * cli.h - what the commands of `bobbin` have in common: the command table, exit codes, and the way
 * they speak to people. Results go to stdout; everything else is one line on stderr.
 */
#ifndef BB_QUERY_CLI_CLI_H
#define BB_QUERY_CLI_CLI_H

#include <stdbool.h>

#include "common/check.h"
#include "common/slice.h"

/* Exit codes, the same for all commands. */
enum bb_exit { BB_EXIT_FOUND = 0, BB_EXIT_NOTHING = 1, BB_EXIT_ERROR = 2 };

enum bb_output { BB_OUTPUT_TABLE, BB_OUTPUT_JSON, BB_OUTPUT_NDJSON };

#define BB_DEFAULT_SERVER "http://127.0.0.1:16686"
#define BB_DEFAULT_OTLP "http://127.0.0.1:4318"

struct bb_command {
    const char *name;
    const char *args;    /* the positional ones, for the usage line: "FILE..." */
    const char *summary; /* one line without a full stop, for `bobbin --help` */
    const char *notes;   /* below the flags in `bobbin NAME --help` */
    enum bb_exit (*run)(const struct bb_command *command, int argc, char **argv);
};

/* The commands; argv[0] is the command's name. */
enum bb_exit bb_cmd_services(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_operations(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_search(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_trace(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_import(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_export(const struct bb_command *command, int argc, char **argv);
enum bb_exit bb_cmd_generate(const struct bb_command *command, int argc, char **argv);

/*
 * Write "bobbin: ...", "bobbin: warning: ..." as one line to stderr: line ends and other control
 * characters in the text (a server's message may have them) are escaped; text over 4 KiB is cut.
 * bb_say_error returns BB_EXIT_ERROR, so that it can end a command.
 */
enum bb_exit bb_say_error(const char *format, ...) BB_PRINTF(1, 2);
void bb_say_warning(const char *format, ...) BB_PRINTF(1, 2);
void bb_say_note(const char *format, ...) BB_PRINTF(1, 2);

/* Writes to stdout. Errors stick in the stream: main looks at them once, at the end. */
void bb_print(struct bb_slice text);

/* "1 span", "2 spans": picks the word for `count`. */
const char *bb_plural(unsigned long long count, const char *one, const char *many);

#endif /* BB_QUERY_CLI_CLI_H */
