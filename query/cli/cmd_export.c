/* cmd_export.c - `bobbin export`: writes traces as OTLP, in forms that `bobbin import` reads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "query/cli/search_flags.h"

#define MEMORY_BYTES_MAX ((size_t)2 << 30)
#define LIMIT_DEFAULT BB_SEARCH_LIMIT_MAX
/* Traces are joined up to this size: small enough for any receiver, large enough to be fast. */
#define REQUEST_BYTES_AIM (1u << 20)

enum form { FORM_JSON, FORM_JSONL, FORM_PROTOBUF };
static const char *const form_words[] = {"json", "jsonl", "pb", NULL};

struct export {
    struct bb_api_client client;
    struct bb_arena arena;
    struct bb_err_detail detail;
    const char *path; /* NULL: stdout */
    FILE *out; /* NULL until there is something to write: an export of nothing makes no file */
    int form;
    bool is_document_open; /* JSON: its first bracket is written */
    struct bb_buf request; /* protobuf: traces that are not written yet */
    uint64_t trace_count;
    uint64_t gone_count; /* found by the search, and no longer there when fetched */
};

static void write_out(struct export *export, struct bb_slice bytes)
{
    if (bytes.size > 0) {
        (void)fwrite(bytes.data, 1, bytes.size, export->out); /* errors stick; see close_out() */
    }
}

/* Writes the traces that have been joined as one length-prefixed request. */
static void flush_request(struct export *export)
{
    uint8_t length[4];

    if (export->request.size > 0) {
        bb_put_le32(length, (uint32_t)export->request.size);
        write_out(export, bb_slice_of(length, sizeof(length)));
        write_out(export, bb_buf_slice(&export->request));
        bb_buf_clear(&export->request);
    }
}

/* Two TracesData behind each other are one: protobuf merges repeated fields so. */
static enum bb_err add_protobuf(struct export *export, struct bb_slice traces_data)
{
    if (export->request.size + traces_data.size > REQUEST_BYTES_AIM) {
        flush_request(export);
    }
    bb_buf_append_slice(&export->request, traces_data);
    return bb_buf_err(&export->request);
}

/* Writes without line ends: in JSON they stand only between values. */
static void write_in_one_line(struct export *export, struct bb_slice json)
{
    size_t begin = 0;

    for (size_t i = 0; i < json.size; i++) {
        if (json.data[i] == '\n' || json.data[i] == '\r') {
            write_out(export, bb_slice_of(json.data + begin, i - begin));
            begin = i + 1;
        }
    }
    write_out(export, bb_slice_of(json.data + begin, json.size - begin));
}

static enum bb_err add_json(struct export *export, struct bb_slice answer)
{
    struct bb_slice result;
    struct bb_slice inside;
    enum bb_err err = bb_json_read_result(answer, &export->detail, &result);

    if (err != BB_OK) {
        return err;
    }
    if (export->form == FORM_JSONL) {
        write_in_one_line(export, result);
        write_out(export, bb_slice_from_cstr("\n"));
        return BB_OK;
    }
    err = bb_json_read_resource_spans(result, &export->detail, &inside);
    if (err == BB_OK && inside.size > 0) {
        write_out(export,
                  bb_slice_from_cstr(export->is_document_open ? ",\n" : "{\"resourceSpans\":["));
        write_out(export, inside);
        export->is_document_open = true;
    }
    return err;
}

static enum bb_err open_out(struct export *export)
{
    if (export->out != NULL) {
        return BB_OK;
    }
    export->out = export->path == NULL ? stdout : fopen(export->path, "wb");
    if (export->out == NULL) {
        return bb_err_set(&export->detail, BB_EIO, "%s: %s", export->path, strerrordesc_np(errno));
    }
    return BB_OK;
}

/* Fetches one trace and writes it. One that retention has taken since the search is passed over. */
static enum bb_err export_trace(struct export *export, const struct bb_trace_id *trace_id,
                                bool must_exist)
{
    const char *accept = export->form == FORM_PROTOBUF ? BB_MEDIA_PROTOBUF : BB_MEDIA_JSON;
    enum bb_err err = bb_api_client_get_trace(&export->client, trace_id, accept, &export->detail);

    if (err == BB_ENOTFOUND && !must_exist) {
        export->gone_count++;
        return BB_OK;
    }
    if (err != BB_OK) {
        return err;
    }
    struct bb_slice answer = bb_buf_slice(&export->client.reply.body);
    char what[sizeof("trace ") + BB_TRACE_ID_HEX_SIZE] = "trace ";
    bb_trace_id_format(trace_id, what + strlen(what));
    bb_api_client_warn_incomplete(&export->client, what);
    if (strcmp(export->client.reply.content_type, accept) != 0) {
        return bb_err_set(&export->detail, BB_EINVAL, "the server answered with %s instead of %s",
                          export->client.reply.content_type, accept);
    }
    err = open_out(export);
    if (err != BB_OK) {
        return err;
    }
    err = export->form == FORM_PROTOBUF ? add_protobuf(export, answer) : add_json(export, answer);
    export->trace_count += err == BB_OK ? 1 : 0;
    return err;
}

/* The traces that were named. */
static enum bb_err export_named(struct export *export, const struct bb_text_list *ids)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        struct bb_trace_id trace_id;
        if (bb_trace_id_parse(bb_slice_from_cstr(ids->items[i]), &trace_id) != BB_OK) {
            return bb_err_set(&export->detail, BB_EINVAL, "--trace '%s' is no trace id",
                              ids->items[i]);
        }
        enum bb_err err = export_trace(export, &trace_id, true);
        if (err == BB_ENOTFOUND) {
            return bb_err_set(&export->detail, err, "trace %s: not found", ids->items[i]);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

/* The traces that a search finds. */
static enum bb_err export_found(struct export *export, const struct bb_search_flags *flags)
{
    struct bb_summaries summaries;
    enum bb_err err =
        bb_search_flags_run(flags, &export->client, &export->arena, &export->detail, &summaries);

    if (err != BB_OK) {
        return err;
    }
    for (uint32_t i = 0; i < summaries.count; i++) {
        struct bb_trace_id trace_id;
        if (bb_trace_id_parse(summaries.items[i].trace_id, &trace_id) != BB_OK) {
            return bb_err_set(&export->detail, BB_EINVAL, "the server found a trace without an id");
        }
        err = export_trace(export, &trace_id, false);
        if (err != BB_OK) {
            return err;
        }
    }
    bb_search_flags_warn(&summaries);
    if (summaries.count == flags->limit) {
        bb_say_warning("stopped at the limit of %llu traces; there may be more (--limit, --until)",
                       (unsigned long long)flags->limit);
    }
    return BB_OK;
}

/* Closes the file (stdout is only flushed); BB_EIO when anything written to it was lost. */
static enum bb_err close_out(struct export *export)
{
    if (export->out == NULL) {
        return BB_OK;
    }
    bool failed = ferror(export->out) != 0;
    int result = export->out == stdout ? fflush(stdout) : fclose(export->out);
    if (failed || result != 0) {
        return bb_err_set(&export->detail, BB_EIO, "%s: %s",
                          export->path != NULL ? export->path : "stdout", strerrordesc_np(errno));
    }
    return BB_OK;
}

static enum bb_exit finish(struct export *export, enum bb_err err)
{
    if (err != BB_OK) {
        (void)bb_say_error("%s",
                           export->detail.text[0] != '\0' ? export->detail.text : bb_err_text(err));
        if (export->trace_count > 0) {
            bb_say_note("stopped after %llu %s: what was written is not the whole",
                        (unsigned long long)export->trace_count,
                        bb_plural(export->trace_count, "trace", "traces"));
        }
        return err == BB_ENOTFOUND ? BB_EXIT_NOTHING : BB_EXIT_ERROR;
    }
    if (export->gone_count > 0) {
        bb_say_warning("%llu %s found, but gone before they could be read",
                       (unsigned long long)export->gone_count,
                       bb_plural(export->gone_count, "trace was", "traces were"));
    }
    if (export->trace_count == 0) {
        bb_say_note("no traces found");
        return BB_EXIT_NOTHING;
    }
    bb_say_note("%llu %s exported", (unsigned long long)export->trace_count,
                bb_plural(export->trace_count, "trace", "traces"));
    return BB_EXIT_FOUND;
}

/* Fetches, writes, and closes what was opened. */
static enum bb_err export_all(struct export *export, const struct bb_search_flags *flags,
                              const struct bb_text_list *ids)
{
    enum bb_err err = ids->count > 0 ? export_named(export, ids) : export_found(export, flags);

    if (export->out != NULL) {
        flush_request(export);
        if (err == BB_OK && export->is_document_open) {
            write_out(export, bb_slice_from_cstr("]}\n"));
        }
        enum bb_err close_err = close_out(export);
        err = err != BB_OK ? err : close_err;
    }
    return err;
}

static enum bb_exit run(struct export *export, const char *server,
                        const struct bb_search_flags *flags, const struct bb_text_list *ids)
{
    bb_arena_init(&export->arena, MEMORY_BYTES_MAX);
    bb_buf_init(&export->request, MEMORY_BYTES_MAX);
    enum bb_err err = bb_api_client_init(&export->client, server);
    if (err == BB_OK) {
        err = export_all(export, flags, ids);
    }
    enum bb_exit code = finish(export, err);
    bb_api_client_dispose(&export->client);
    bb_arena_dispose(&export->arena);
    bb_buf_dispose(&export->request);
    return code;
}

enum bb_exit bb_cmd_export(const struct bb_command *command, int argc, char **argv)
{
    struct export export = {.form = FORM_JSONL};
    struct bb_search_flags search_flags = {.limit = LIMIT_DEFAULT};
    struct bb_text_list ids = {0};
    const char *server = NULL;
    struct bb_flag flags[BB_FLAGS_MAX];
    uint32_t flag_count = bb_search_flags_entries(&search_flags, flags);
    int first_arg;
    enum bb_exit code;

    flags[flag_count++] = (struct bb_flag){
        "trace", 0, BB_FLAG_LIST, "ID", "this trace (may be repeated), and no search", &ids, NULL,
        0,       0};
    flags[flag_count++] =
        (struct bb_flag){"output-format",
                         0,
                         BB_FLAG_CHOICE,
                         "json|jsonl|pb",
                         "one JSON document, JSON lines (default), or length-prefixed\nprotobuf",
                         &export.form,
                         form_words,
                         0,
                         0};
    flags[flag_count++] = (struct bb_flag){"output-file",
                                           'o',
                                           BB_FLAG_TEXT,
                                           "FILE",
                                           "write there (default: stdout)",
                                           (void *)&export.path,
                                           NULL,
                                           0,
                                           0};
    flags[flag_count++] = bb_flag_server(&server);
    if (!bb_flags_begin(command, flags, flag_count, argc, argv, &first_arg, &code)) {
        return code;
    }
    if (first_arg != argc) {
        return bb_say_error("export: what is '%s'? See 'bobbin export --help'", argv[first_arg]);
    }
    return run(&export, bb_flag_or_env(server, "BOBBIN_SERVER", BB_DEFAULT_SERVER), &search_flags,
               &ids);
}
