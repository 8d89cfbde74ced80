/*
 * main_bobbin.c - `bobbin`, the command line of Bobbin: the table of commands and what happens
 * before and after one runs.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "query/cli/cli.h"

static const struct bb_command commands[] = {
    {"services", "", "Lists the services that have sent spans", "", bb_cmd_services},
    {"operations", "SERVICE", "Lists the operations of a service", "", bb_cmd_operations},
    {"search", "", "Finds traces",
     "Without --since the last hour is searched, and 20 traces are shown.\n\n"
     "Examples:\n"
     "  bobbin search --service frontend --tag http.response.status_code=500\n"
     "  bobbin search --since 24h --min-duration 2s --sort slowest\n"
     "  bobbin search --since 1h --output ndjson | jq -r .traceId",
     bb_cmd_search},
    {"trace", "ID", "Shows one trace",
     "As a table it is drawn as a waterfall; as json it is OTLP JSON, as ndjson a span a line.",
     bb_cmd_trace},
    {"import", "FILE...", "Sends OTLP files to a receiver",
     "A FILE ('-' is stdin) holds OTLP requests in one of these forms, told by its content:\n"
     "length-prefixed protobuf, one bare protobuf message, JSON, JSON lines; each also in zstd.",
     bb_cmd_import},
    {"export", "", "Writes traces as OTLP, to be imported again",
     "Without --since and --until everything that is stored is looked at, up to --limit traces\n"
     "(default: 100000).\n\n"
     "Examples:\n"
     "  bobbin export --service frontend --since 1h >frontend.jsonl\n"
     "  bobbin export --trace 4bf92f3577b34da6a3ce929d0e0e4736 --output-format json",
     bb_cmd_export},
    {"generate", "", "Sends traffic of a made-up web shop",
     "The same --seed and --until (as a point in time) give the same spans, byte for byte.",
     bb_cmd_generate},
};

static void print_help(void)
{
    (void)printf("Usage: bobbin COMMAND [flags]\n\nThe command line of Bobbin.\n\nCommands:\n");
    for (size_t i = 0; i < BB_ARRAY_COUNT(commands); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s %s", commands[i].name, commands[i].args);
        (void)printf("  %-20s %s\n", name, commands[i].summary);
    }
    (void)printf("  %-20s %s\n\n"
                 "'bobbin COMMAND --help' shows the flags of a command.\n\n"
                 "Exit codes: 0 found (or done), 1 nothing found, 2 error.\n\n"
                 "Environment:\n"
                 "  BOBBIN_SERVER  query API (default: " BB_DEFAULT_SERVER ")\n"
                 "  BOBBIN_OTLP    where import and generate send to (default: " BB_DEFAULT_OTLP
                 ")\n"
                 "  NO_COLOR       no colours, also on a terminal\n",
                 "version", "Shows the version");
}

static enum bb_exit run_command(int argc, char **argv)
{
    if (argc < 2) {
        return bb_say_error("which command? See 'bobbin --help'");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return BB_EXIT_FOUND;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        (void)printf("bobbin %s\n", BB_CLI_VERSION);
        return BB_EXIT_FOUND;
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(&commands[i], argc - 1, argv + 1);
        }
    }
    return bb_say_error("there is no command '%s'; see 'bobbin --help'", argv[1]);
}

int main(int argc, char **argv)
{
    /* For the character set only: numbers keep their points. An unknown locale leaves plain C. */
    (void)setlocale(LC_CTYPE, "");

    enum bb_exit code = run_command(argc, argv);
    bool is_lost = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (is_lost && code != BB_EXIT_ERROR) { /* else it has been said, or something worse */
        code = bb_say_error("can't write to stdout: %s", strerrordesc_np(errno));
    }
    return (int)code;
}
