/* cmd_generate.c - `bobbin generate`: made-up traffic, sent to a receiver or written to a file. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/limits.h"
#include "query/cli/cli.h"
#include "query/cli/cli_flags.h"
#include "query/cli/otlp_send.h"
#include "query/cli/traffic_generator.h"

#define TRACES_DEFAULT 1000
#define TRACES_MAX 1000000000u
#define RATE_MAX 1000000000u
#define ERRORS_DEFAULT_MILLIONTHS 50000

struct generate {
    struct bb_traffic_generator traffic;
    struct bb_buf request;
    struct bb_err_detail detail;
    const char *endpoint;
    const char *path; /* NULL: send */
    uint64_t spans_per_s;
};

static enum bb_exit say_failure(const struct generate *generate, enum bb_err err)
{
    return bb_say_error("%s", generate->detail.text[0] != '\0' ? generate->detail.text
                                                               : bb_err_text(err));
}

static enum bb_exit send_all(struct generate *generate)
{
    struct bb_otlp_sender sender = {0};
    uint64_t span_count = 0;
    uint64_t traces_before = 0;
    enum bb_exit code;

    enum bb_err err = bb_otlp_sender_init(&sender, generate->endpoint, generate->spans_per_s);
    sender.work_total = generate->traffic.opts.trace_count;
    while (err == BB_OK) {
        err = bb_traffic_next(&generate->traffic, &generate->request, &span_count);
        if (err != BB_OK || span_count == 0) {
            break;
        }
        err = bb_otlp_sender_send(&sender, bb_buf_slice(&generate->request), false, span_count,
                                  generate->traffic.trace_index - traces_before, &generate->detail);
        traces_before = generate->traffic.trace_index;
    }
    if (err == BB_OK) {
        code = bb_otlp_sender_report(&sender);
    } else {
        bb_progress_clear(&sender.progress);
        code = say_failure(generate, err);
        if (sender.span_count > 0) {
            (void)bb_otlp_sender_report(&sender);
        }
    }
    bb_otlp_sender_dispose(&sender);
    return code;
}

/* Writes the requests with their lengths in front. */
static enum bb_err write_requests(struct generate *generate, FILE *file, uint64_t *out_span_count)
{
    uint64_t span_count = 0;
    uint64_t sum = 0;

    while (true) {
        uint8_t length[4];
        enum bb_err err = bb_traffic_next(&generate->traffic, &generate->request, &span_count);
        if (err != BB_OK) {
            return err;
        }
        if (span_count == 0) {
            *out_span_count = sum;
            return BB_OK;
        }
        bb_put_le32(length, (uint32_t)generate->request.size);
        if (fwrite(length, 1, sizeof(length), file) != sizeof(length) ||
            fwrite(generate->request.data, 1, generate->request.size, file) !=
                generate->request.size) {
            return bb_err_set(&generate->detail, BB_EIO, "%s: %s", generate->path,
                              strerrordesc_np(errno));
        }
        sum += span_count;
    }
}

static enum bb_exit write_all(struct generate *generate)
{
    uint64_t span_count = 0;
    FILE *file = fopen(generate->path, "wb");

    if (file == NULL) {
        return bb_say_error("%s: %s", generate->path, strerrordesc_np(errno));
    }
    enum bb_err err = write_requests(generate, file, &span_count);
    if (fclose(file) != 0 && err == BB_OK) {
        err =
            bb_err_set(&generate->detail, BB_EIO, "%s: %s", generate->path, strerrordesc_np(errno));
    }
    if (err != BB_OK) {
        return say_failure(generate, err);
    }
    bb_say_note("%llu %s written to %s", (unsigned long long)span_count,
                bb_plural(span_count, "span", "spans"), generate->path);
    return BB_EXIT_FOUND;
}

static enum bb_exit run(struct generate *generate, const struct bb_traffic_opts *opts)
{
    bb_traffic_init(&generate->traffic, opts);
    bb_buf_init(&generate->request, BB_REQUEST_BYTES_MAX);
    enum bb_exit code = generate->path != NULL ? write_all(generate) : send_all(generate);
    bb_traffic_dispose(&generate->traffic);
    bb_buf_dispose(&generate->request);
    return code;
}

enum bb_exit bb_cmd_generate(const struct bb_command *command, int argc, char **argv)
{
    static struct generate generate; /* too large for the stack, and there is one */
    uint64_t now_unix_ns = bb_clock_unix_ns(&bb_clock_system);
    struct bb_traffic_opts opts = {
        .seed = 0,
        .trace_count = TRACES_DEFAULT,
        .end_unix_ns = now_unix_ns,
        .error_millionths = ERRORS_DEFAULT_MILLIONTHS,
    };
    const char *otlp = NULL;
    const char *since = "15m";
    generate = (struct generate){0};
    const struct bb_flag flags[] = {
        {"traces", 0, BB_FLAG_UINT, "N", "so many traces (default: 1000)", &opts.trace_count, NULL,
         1, TRACES_MAX},
        {"since", 0, BB_FLAG_TEXT, "TIME",
         "spread from then on; a duration counts back from --until\n(default: 15m)", (void *)&since,
         NULL, 0, 0},
        {"until", 0, BB_FLAG_TIME, "TIME", "up to then (default: now)", &opts.end_unix_ns, NULL, 0,
         0},
        {"errors", 0, BB_FLAG_SHARE, "SHARE", "share of traces with an error (default: 5%)",
         &opts.error_millionths, NULL, 0, 0},
        {"seed", 0, BB_FLAG_UINT, "N",
         "decides everything that is chosen (default: another each\n"
         "time)",
         &opts.seed, NULL, 0, 0},
        {"rate", 0, BB_FLAG_UINT, "N", "at most N spans a second (default: no limit)",
         &generate.spans_per_s, NULL, 1, RATE_MAX},
        {"output-file", 'o', BB_FLAG_TEXT, "FILE",
         "write length-prefixed protobuf there, and send nothing", (void *)&generate.path, NULL, 0,
         0},
        bb_flag_otlp(&otlp),
    };
    int first_arg;
    enum bb_exit code;

    if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed)) {
        return bb_say_error("generate: no random seed: %s", strerrordesc_np(errno));
    }
    if (!bb_flags_begin(command, flags, BB_ARRAY_COUNT(flags), argc, argv, &first_arg, &code)) {
        return code;
    }
    if (first_arg != argc) {
        return bb_say_error("generate: what is '%s'? See 'bobbin generate --help'",
                            argv[first_arg]);
    }
    if (bb_flag_parse_time(since, opts.end_unix_ns, &opts.start_unix_ns) != BB_OK) {
        return bb_say_error("generate: --since can't be '%s': it takes a duration like 15m, or a "
                            "time like 2026-11-24T22:00:00Z",
                            since);
    }
    if (opts.start_unix_ns >= opts.end_unix_ns) {
        return bb_say_error("generate: --since must lie before --until");
    }
    generate.endpoint = bb_flag_or_env(otlp, "BOBBIN_OTLP", BB_DEFAULT_OTLP);
    return run(&generate, &opts);
}
