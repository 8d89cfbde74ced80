/* cmd_trace.c - `bobbin trace ID`: one trace, as a waterfall or as JSON. */
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/otlp_walk.h"
#include "query/cli/api_client.h"
#include "query/cli/cli.h"
#include "query/cli/cli_flags.h"
#include "query/cli/json_read.h"
#include "query/cli/span_lines.h"
#include "query/cli/waterfall.h"

#define MEMORY_BYTES_MAX (2u << 30)

struct trace_view {
    int output;
    bool with_attributes;
};

/* Prints the OTLP JSON that the server gave, without its wrapper. */
static enum bb_err print_json(struct bb_slice answer, struct bb_err_detail *detail)
{
    struct bb_slice result;
    enum bb_err err = bb_json_read_result(answer, detail, &result);

    if (err == BB_OK) {
        bb_print(result);
        bb_print(bb_slice_from_cstr("\n"));
    }
    return err;
}

static enum bb_err print_lines(const struct bb_span_batch *batch)
{
    struct bb_buf line;
    enum bb_err err = BB_OK;

    bb_buf_init(&line, MEMORY_BYTES_MAX);
    for (uint32_t i = 0; i < batch->span_count && err == BB_OK; i++) {
        bb_buf_clear(&line);
        bb_span_lines_append(batch, i, &line);
        err = bb_buf_err(&line);
        if (err == BB_OK) {
            bb_print(bb_buf_slice(&line));
        }
    }
    bb_buf_dispose(&line);
    return err;
}

static enum bb_err print_waterfall(const struct bb_span_batch *batch, bool with_attributes,
                                   struct bb_arena *arena)
{
    struct bb_screen screen = bb_screen_of(stdout);
    struct bb_buf drawing;

    bb_buf_init(&drawing, MEMORY_BYTES_MAX);
    enum bb_err err = bb_waterfall_render(batch, &screen, with_attributes, arena, &drawing);
    if (err == BB_OK) {
        bb_print(bb_buf_slice(&drawing));
    }
    bb_buf_dispose(&drawing);
    return err;
}

/* Prints a TracesData. */
static enum bb_err print_protobuf(struct bb_slice answer, const struct trace_view *view,
                                  struct bb_err_detail *detail)
{
    struct bb_walk_result walked;
    struct bb_arena arena;

    bb_arena_init(&arena, MEMORY_BYTES_MAX);
    enum bb_err err = bb_otlp_walk(answer, &arena, detail, &walked);
    if (err != BB_OK) {
        goto out;
    }
    if (walked.rejected_count > 0) {
        bb_say_warning(
            "%llu %s of the answer can't be shown: %s", (unsigned long long)walked.rejected_count,
            bb_plural(walked.rejected_count, "span", "spans"), walked.first_rejection.text);
    }
    if (walked.batch.span_count == 0) {
        err = bb_err_set(detail, BB_ENOTFOUND, "the trace has no spans that can be shown");
    } else if (view->output == BB_OUTPUT_NDJSON) {
        err = print_lines(&walked.batch);
    } else {
        err = print_waterfall(&walked.batch, view->with_attributes, &arena);
    }

out:
    bb_arena_dispose(&arena);
    return err;
}

static enum bb_exit show(const struct bb_trace_id *trace_id, const char *server,
                         const struct trace_view *view)
{
    struct bb_api_client client = {0};
    struct bb_err_detail detail = {0};
    const char *accept = view->output == BB_OUTPUT_JSON ? BB_MEDIA_JSON : BB_MEDIA_PROTOBUF;

    enum bb_err err = bb_api_client_init(&client, server);
    if (err == BB_OK) {
        err = bb_api_client_get_trace(&client, trace_id, accept, &detail);
    }
    if (err == BB_OK) {
        bb_api_client_warn_incomplete(&client, "the trace");
        struct bb_slice answer = bb_buf_slice(&client.reply.body);
        if (strcmp(client.reply.content_type, accept) != 0) {
            err = bb_err_set(&detail, BB_EINVAL, "the server answered with %s instead of %s",
                             client.reply.content_type, accept);
        } else if (view->output == BB_OUTPUT_JSON) {
            err = print_json(answer, &detail);
        } else {
            err = print_protobuf(answer, view, &detail);
        }
    }
    bb_api_client_dispose(&client);
    if (err == BB_OK) {
        return BB_EXIT_FOUND;
    }
    (void)bb_say_error("%s", detail.text[0] != '\0' ? detail.text : bb_err_text(err));
    return err == BB_ENOTFOUND ? BB_EXIT_NOTHING : BB_EXIT_ERROR;
}

enum bb_exit bb_cmd_trace(const struct bb_command *command, int argc, char **argv)
{
    struct trace_view view = {0};
    const char *server = NULL;
    const struct bb_flag flags[] = {
        {.name = "attributes",
         .letter = 'a',
         .type = BB_FLAG_SWITCH,
         .target = &view.with_attributes,
         .help = "in the table, below each span: attributes, events and links"},
        bb_flag_output(&view.output),
        bb_flag_server(&server),
    };
    struct bb_trace_id trace_id;
    int first_arg;
    enum bb_exit code;

    if (!bb_flags_begin(command, flags, BB_ARRAY_COUNT(flags), argc, argv, &first_arg, &code)) {
        return code;
    }
    if (argc - first_arg != 1) {
        return bb_say_error("trace: takes one trace ID; see 'bobbin trace --help'");
    }
    if (bb_trace_id_parse(bb_slice_from_cstr(argv[first_arg]), &trace_id) != BB_OK) {
        return bb_say_error("trace: '%s' is no trace id: it has 1 to 32 hex digits, not all zero",
                            argv[first_arg]);
    }
    return show(&trace_id, bb_flag_or_env(server, "BOBBIN_SERVER", BB_DEFAULT_SERVER), &view);
}
