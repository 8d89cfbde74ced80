/* cmd_import.c - `bobbin import FILE...`: sends recorded requests to an OTLP receiver. */
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "query/cli/cli.h"
#include "query/cli/cli_flags.h"
#include "query/cli/otlp_file.h"
#include "query/cli/otlp_json_patch.h"
#include "query/cli/otlp_send.h"

#define FILES_MAX 256
#define REPEAT_MAX 1000000000u
#define RATE_MAX 1000000000u

struct import {
    struct bb_otlp_sender sender;
    struct bb_otlp_file files[FILES_MAX];
    uint32_t file_count;
    uint64_t newest_end_unix_ns; /* of all files */
    struct bb_buf scratch;       /* one request, patched */
    struct bb_err_detail detail;
    bool to_now;
    bool has_fresh_ids;
    uint64_t repeat_count;
};

/* Reads every file before anything is sent: a file that can't be read stops the import at a time
 * when nothing has happened yet, and --now has to know the newest of all spans. */
static enum bb_err read_files(struct import *import, char *const *paths, uint32_t count)
{
    uint64_t span_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct bb_otlp_file *file = &import->files[i];
        struct bb_err_detail why = {0};
        enum bb_err err = bb_otlp_file_read(paths[i], &why, file);
        if (err != BB_OK) {
            return bb_err_set(&import->detail, err, "%s: %s", paths[i], why.text);
        }
        import->file_count++;
        if (file->skipped_count > 0) {
            bb_say_warning("%s: %u %s without resourceSpans: not sent", paths[i],
                           file->skipped_count,
                           bb_plural(file->skipped_count, "document", "documents"));
        }
        if (file->totals.newest_end_unix_ns > import->newest_end_unix_ns) {
            import->newest_end_unix_ns = file->totals.newest_end_unix_ns;
        }
        span_count += file->totals.span_count;
    }
    import->sender.work_total = span_count * import->repeat_count;
    return BB_OK;
}

/* What the requests of the next repetition are to become. */
static enum bb_err make_patch(const struct import *import, struct bb_otlp_patch *out_patch)
{
    struct bb_otlp_patch patch = {
        .has_shift = import->to_now,
        .from_unix_ns = import->newest_end_unix_ns,
        .to_unix_ns = bb_clock_unix_ns(&bb_clock_system),
        .has_fresh_ids = import->has_fresh_ids,
    };
    uint64_t seed;

    if (patch.has_fresh_ids) {
        if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
            return BB_EIO;
        }
        patch.ids = bb_id_map_of(seed);
    }
    *out_patch = patch;
    return BB_OK;
}

/* A patched copy in import->scratch. */
static enum bb_err patch_request(struct import *import, const struct bb_otlp_patch *patch,
                                 const struct bb_otlp_request *request)
{
    enum bb_err err;

    bb_buf_clear(&import->scratch);
    if (request->is_json) {
        err = bb_otlp_json_patch(patch, request->bytes, &import->scratch);
    } else {
        bb_buf_append_slice(&import->scratch, request->bytes);
        err = bb_buf_err(&import->scratch);
        if (err == BB_OK) {
            err = bb_otlp_patch_apply(patch, import->scratch.data, import->scratch.size);
        }
    }
    return err == BB_OK ? BB_OK
                        : bb_err_set(&import->detail, err,
                                     "can't change a request's ids "
                                     "and times: %s",
                                     bb_err_text(err));
}

static enum bb_err send_file(struct import *import, const struct bb_otlp_patch *patch,
                             const struct bb_otlp_file *file)
{
    for (uint32_t i = 0; i < file->request_count; i++) {
        const struct bb_otlp_request *request = bb_otlp_file_request(file, i);
        struct bb_slice bytes = request->bytes;
        enum bb_err err = BB_OK;
        if (patch->has_shift || patch->has_fresh_ids) {
            err = patch_request(import, patch, request);
            bytes = bb_buf_slice(&import->scratch);
        }
        if (err == BB_OK) {
            err = bb_otlp_sender_send(&import->sender, bytes, request->is_json, request->span_count,
                                      request->span_count, &import->detail);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

static enum bb_err send_all(struct import *import)
{
    for (uint64_t pass = 0; pass < import->repeat_count; pass++) {
        struct bb_otlp_patch patch;
        enum bb_err err = make_patch(import, &patch);
        for (uint32_t i = 0; i < import->file_count && err == BB_OK; i++) {
            err = send_file(import, &patch, &import->files[i]);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

static enum bb_exit run(struct import *import, const char *endpoint, uint64_t spans_per_s,
                        char *const *paths, uint32_t path_count)
{
    enum bb_exit code;
    enum bb_err err;

    bb_buf_init(&import->scratch, BB_OTLP_FILE_BYTES_MAX);
    err = bb_otlp_sender_init(&import->sender, endpoint, spans_per_s);
    if (err != BB_OK) {
        goto out;
    }
    err = read_files(import, paths, path_count);
    if (err != BB_OK) {
        goto out;
    }
    err = send_all(import);

out:
    if (err == BB_OK) {
        code = bb_otlp_sender_report(&import->sender);
    } else {
        bb_progress_clear(&import->sender.progress);
        code = bb_say_error("%s", import->detail.text[0] != '\0' ? import->detail.text
                                                                 : bb_err_text(err));
        if (import->sender.span_count > 0) {
            (void)bb_otlp_sender_report(&import->sender);
        }
    }
    bb_otlp_sender_dispose(&import->sender);
    for (uint32_t i = 0; i < import->file_count; i++) {
        bb_otlp_file_dispose(&import->files[i]);
    }
    bb_buf_dispose(&import->scratch);
    return code;
}

enum bb_exit bb_cmd_import(const struct bb_command *command, int argc, char **argv)
{
    static struct import import; /* too large for the stack, and there is one */
    const char *otlp = NULL;
    uint64_t spans_per_s = 0;
    const struct bb_flag flags[] = {
        {"now", 0, BB_FLAG_SWITCH, NULL, "shift all times so that the newest span ends now",
         &import.to_now, NULL, 0, 0},
        {"fresh-ids", 0, BB_FLAG_SWITCH, NULL,
         "give traces and spans new ids, and UUIDs in attributes new\n"
         "values; the same one wherever the old one was the same",
         &import.has_fresh_ids, NULL, 0, 0},
        {"repeat", 0, BB_FLAG_UINT, "N", "send everything N times (with --fresh-ids if over 1)",
         &import.repeat_count, NULL, 1, REPEAT_MAX},
        {"rate", 0, BB_FLAG_UINT, "N", "at most N spans a second (default: no limit)", &spans_per_s,
         NULL, 1, RATE_MAX},
        bb_flag_otlp(&otlp),
    };
    int first_arg;
    enum bb_exit code;

    import = (struct import){.repeat_count = 1};
    if (!bb_flags_begin(command, flags, BB_ARRAY_COUNT(flags), argc, argv, &first_arg, &code)) {
        return code;
    }
    if (first_arg == argc) {
        return bb_say_error("import: takes at least one FILE ('-' is stdin); see "
                            "'bobbin import --help'");
    }
    if (argc - first_arg > FILES_MAX) {
        return bb_say_error("import: takes at most %d files at a time", FILES_MAX);
    }
    if (import.repeat_count > 1 && !import.has_fresh_ids) {
        return bb_say_error("import: --repeat needs --fresh-ids: else the same spans would be sent "
                            "again");
    }
    return run(&import, bb_flag_or_env(otlp, "BOBBIN_OTLP", BB_DEFAULT_OTLP), spans_per_s,
               argv + first_arg, (uint32_t)(argc - first_arg));
}
