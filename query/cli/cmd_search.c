/* cmd_search.c - `bobbin search`: finds traces, one line each. */
#include <stdio.h>

#include "common/clock.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "common/time_text.h"
#include "query/cli/search_flags.h"
#include "query/cli/table_output.h"

#define MEMORY_BYTES_MAX (1u << 30)
#define SINCE_DEFAULT_NS (3600 * BB_NS_PER_S)
#define LIMIT_DEFAULT 20

static uint64_t duration_of(const struct bb_summary *summary)
{
    return summary->end_unix_ns > summary->start_unix_ns
               ? summary->end_unix_ns - summary->start_unix_ns
               : 0;
}

static void write_services(struct bb_json_writer *json, const struct bb_summary *summary)
{
    bb_json_key(json, "services");
    bb_json_begin_array(json);
    for (uint32_t i = 0; i < summary->service_count; i++) {
        bb_json_begin_object(json);
        bb_json_key(json, "name");
        bb_json_string(json, summary->services[i].name);
        bb_json_key(json, "spanCount");
        bb_json_uint(json, summary->services[i].span_count);
        bb_json_key(json, "errorSpanCount");
        bb_json_uint(json, summary->services[i].error_span_count);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

static void write_summary(struct bb_json_writer *json, const struct bb_summary *summary)
{
    char start[BB_RFC3339_TEXT_SIZE];
    size_t start_size = bb_rfc3339_format(summary->start_unix_ns, 9, start);

    bb_json_begin_object(json);
    bb_json_key(json, "traceId");
    bb_json_string(json, summary->trace_id);
    bb_json_key(json, "rootServiceName");
    bb_json_string(json, summary->root_service_name);
    bb_json_key(json, "rootOperationName");
    bb_json_string(json, summary->root_operation_name);
    bb_json_key(json, "startTime");
    bb_json_string(json, bb_slice_of(start, start_size));
    bb_json_key(json, "minStartTimeUnixNano");
    bb_json_uint_string(json, summary->start_unix_ns);
    bb_json_key(json, "maxEndTimeUnixNano");
    bb_json_uint_string(json, summary->end_unix_ns);
    bb_json_key(json, "durationNano");
    bb_json_uint(json, duration_of(summary));
    bb_json_key(json, "spanCount");
    bb_json_uint(json, summary->span_count);
    bb_json_key(json, "errorSpanCount");
    bb_json_uint(json, summary->error_span_count);
    bb_json_key(json, "orphanSpanCount");
    bb_json_uint(json, summary->orphan_span_count);
    write_services(json, summary);
    bb_json_end_object(json);
}

static void write_json(const struct bb_summaries *summaries, struct bb_buf *out)
{
    struct bb_json_writer json = bb_json_writer_of(out);

    bb_json_begin_object(&json);
    bb_json_key(&json, "summaries");
    bb_json_begin_array(&json);
    for (uint32_t i = 0; i < summaries->count; i++) {
        write_summary(&json, &summaries->items[i]);
    }
    bb_json_end_array(&json);
    bb_json_key(&json, "complete");
    bb_json_bool(&json, summaries->is_complete);
    if (!summaries->is_complete) {
        bb_json_key(&json, "incompleteReason");
        bb_json_string(&json, summaries->incomplete_reason);
    }
    bb_json_end_object(&json);
    bb_buf_append_byte(out, '\n');
}

static void write_ndjson(const struct bb_summaries *summaries, struct bb_buf *out)
{
    for (uint32_t i = 0; i < summaries->count; i++) {
        struct bb_json_writer json = bb_json_writer_of(out);
        write_summary(&json, &summaries->items[i]);
        bb_buf_append_byte(out, '\n');
    }
}

static void add_row(struct bb_table *table, const struct bb_summary *summary)
{
    char text[BB_DURATION_TEXT_SIZE];
    char start[BB_RFC3339_TEXT_SIZE];

    size_t start_size = bb_rfc3339_format(summary->start_unix_ns, 3, start);
    size_t size = bb_duration_format(duration_of(summary), text);
    char *root = bb_arena_try_printf(
        table->arena, "%.*s: %.*s", (int)summary->root_service_name.size,
        summary->root_service_name.size > 0 ? (const char *)summary->root_service_name.data : "",
        (int)summary->root_operation_name.size,
        summary->root_operation_name.size > 0 ? (const char *)summary->root_operation_name.data
                                              : "");
    bb_table_add(table, summary->trace_id);
    bb_table_add(table, bb_slice_of(start, start_size));
    bb_table_add(table, bb_slice_of(text, size));
    bb_table_add_uint(table, summary->span_count);
    bb_table_add_uint(table, summary->error_span_count);
    bb_table_add_uint(table, summary->service_count);
    bb_table_add(table, bb_slice_from_cstr(root != NULL ? root : ""));
}

static enum bb_err tabulate(const struct bb_summaries *summaries, struct bb_arena *arena,
                            struct bb_buf *out)
{
    static const struct bb_table_column columns[] = {
        {.title = "TRACE"},
        {.title = "START (UTC)"},
        {.title = "DURATION", .is_right = true},
        {.title = "SPANS", .is_right = true},
        {.title = "ERRORS", .is_right = true},
        {.title = "SERVICES", .is_right = true},
        {.title = "ROOT", .may_shrink = true},
    };
    struct bb_screen screen = bb_screen_of(stdout);
    struct bb_table table;

    bb_table_init(&table, columns, BB_ARRAY_COUNT(columns), arena);
    for (uint32_t i = 0; i < summaries->count; i++) {
        add_row(&table, &summaries->items[i]);
    }
    enum bb_err err = summaries->count > 0 ? bb_table_render(&table, &screen, out) : BB_OK;
    bb_table_dispose(&table);
    return err;
}

static enum bb_err render(const struct bb_summaries *summaries, int output, struct bb_arena *arena,
                          struct bb_buf *out)
{
    switch (output) {
    case BB_OUTPUT_JSON:
        write_json(summaries, out);
        return bb_buf_err(out);
    case BB_OUTPUT_NDJSON:
        write_ndjson(summaries, out);
        return bb_buf_err(out);
    default:
        return tabulate(summaries, arena, out);
    }
}

/* Prints what the server has found. */
static enum bb_exit search(const struct bb_search_flags *flags, const char *server, int output)
{
    struct bb_api_client client = {0};
    struct bb_summaries summaries = {0};
    struct bb_err_detail detail = {0};
    struct bb_arena arena;
    struct bb_buf out;
    enum bb_exit code = BB_EXIT_FOUND;
    enum bb_err err;

    bb_arena_init(&arena, MEMORY_BYTES_MAX);
    bb_buf_init(&out, MEMORY_BYTES_MAX);
    err = bb_api_client_init(&client, server);
    if (err != BB_OK) {
        goto out;
    }
    err = bb_search_flags_run(flags, &client, &arena, &detail, &summaries);
    if (err != BB_OK) {
        goto out;
    }
    err = render(&summaries, output, &arena, &out);
    if (err != BB_OK) {
        goto out;
    }
    bb_print(bb_buf_slice(&out));
    bb_search_flags_warn(&summaries);
    if (summaries.count == 0) {
        code = BB_EXIT_NOTHING;
        bb_say_note("no traces found%s",
                    flags->since_unix_ns != 0 ? "; --since 7d looks further back" : "");
    }

out:
    if (err != BB_OK) {
        code = bb_say_error("%s", detail.text[0] != '\0' ? detail.text : bb_err_text(err));
    }
    bb_api_client_dispose(&client);
    bb_arena_dispose(&arena);
    bb_buf_dispose(&out);
    return code;
}

enum bb_exit bb_cmd_search(const struct bb_command *command, int argc, char **argv)
{
    uint64_t now_unix_ns = bb_clock_unix_ns(&bb_clock_system);
    struct bb_search_flags search_flags = {
        .since_unix_ns = now_unix_ns - SINCE_DEFAULT_NS,
        .limit = LIMIT_DEFAULT,
    };
    const char *server = NULL;
    int output = BB_OUTPUT_TABLE;
    struct bb_flag flags[BB_FLAGS_MAX];
    uint32_t flag_count = bb_search_flags_entries(&search_flags, flags);
    int first_arg;
    enum bb_exit code;

    flags[flag_count++] = bb_flag_output(&output);
    flags[flag_count++] = bb_flag_server(&server);
    if (!bb_flags_begin(command, flags, flag_count, argc, argv, &first_arg, &code)) {
        return code;
    }
    if (first_arg != argc) {
        return bb_say_error("search: what is '%s'? See 'bobbin search --help'", argv[first_arg]);
    }
    return search(&search_flags, bb_flag_or_env(server, "BOBBIN_SERVER", BB_DEFAULT_SERVER),
                  output);
}
