/* cmd_services.c - `bobbin services` and `bobbin operations SERVICE`. */
#include "common/http_api.h"
#include "common/json_writer.h"
#include "query/cli/api_client.h"
#include "query/cli/cli.h"
#include "query/cli/cli_flags.h"
#include "query/cli/json_read.h"
#include "query/cli/table_output.h"

#define MEMORY_BYTES_MAX (512u << 20)

/* What the two commands work with. */
struct session {
    struct bb_api_client client;
    struct bb_arena arena;
    struct bb_buf out;
    struct bb_err_detail detail;
    int output;
};

static enum bb_err begin(struct session *session, const char *server_flag)
{
    bb_arena_init(&session->arena, MEMORY_BYTES_MAX);
    bb_buf_init(&session->out, MEMORY_BYTES_MAX);
    return bb_api_client_init(&session->client,
                              bb_flag_or_env(server_flag, "BOBBIN_SERVER", BB_DEFAULT_SERVER));
}

/* Prints the result, or the error, and gives everything back. */
static enum bb_exit finish(struct session *session, enum bb_err err, uint32_t found_count,
                           const char *nothing)
{
    enum bb_exit code = BB_EXIT_FOUND;

    err = err == BB_OK ? bb_buf_err(&session->out) : err;
    if (err != BB_OK) {
        code = bb_say_error("%s", session->detail.text[0] != '\0' ? session->detail.text
                                                                  : bb_err_text(err));
    } else {
        bb_print(bb_buf_slice(&session->out));
        if (found_count == 0) {
            bb_say_note("%s", nothing);
            code = BB_EXIT_NOTHING;
        }
    }
    bb_api_client_dispose(&session->client);
    bb_arena_dispose(&session->arena);
    bb_buf_dispose(&session->out);
    return code;
}

static void write_services(struct session *session, const struct bb_services *services)
{
    struct bb_json_writer json = bb_json_writer_of(&session->out);

    if (session->output == BB_OUTPUT_JSON) {
        bb_json_begin_object(&json);
        bb_json_key(&json, "services");
        bb_json_begin_array(&json);
    }
    for (uint32_t i = 0; i < services->count; i++) {
        if (session->output == BB_OUTPUT_JSON) {
            bb_json_string(&json, services->names[i]);
        } else if (session->output == BB_OUTPUT_NDJSON) {
            json = bb_json_writer_of(&session->out);
            bb_json_begin_object(&json);
            bb_json_key(&json, "name");
            bb_json_string(&json, services->names[i]);
            bb_json_end_object(&json);
            bb_buf_append_byte(&session->out, '\n');
        }
    }
    if (session->output == BB_OUTPUT_JSON) {
        bb_json_end_array(&json);
        bb_json_end_object(&json);
        bb_buf_append_byte(&session->out, '\n');
    }
}

static enum bb_err tabulate_services(struct session *session, const struct bb_services *services)
{
    static const struct bb_table_column columns[] = {{.title = "SERVICE"}};
    struct bb_screen screen = bb_screen_of(stdout);
    struct bb_table table;

    bb_table_init(&table, columns, BB_ARRAY_COUNT(columns), &session->arena);
    for (uint32_t i = 0; i < services->count; i++) {
        bb_table_add(&table, services->names[i]);
    }
    enum bb_err err = services->count > 0 ? bb_table_render(&table, &screen, &session->out) : BB_OK;
    bb_table_dispose(&table);
    return err;
}

enum bb_exit bb_cmd_services(const struct bb_command *command, int argc, char **argv)
{
    struct session session = {0};
    struct bb_services services = {0};
    const char *server = NULL;
    const struct bb_flag flags[] = {bb_flag_output(&session.output), bb_flag_server(&server)};
    int first_arg;
    enum bb_exit code;

    if (!bb_flags_begin(command, flags, BB_ARRAY_COUNT(flags), argc, argv, &first_arg, &code)) {
        return code;
    }
    if (first_arg != argc) {
        return bb_say_error("services: takes no argument; see 'bobbin services --help'");
    }
    enum bb_err err = begin(&session, server);
    if (err == BB_OK) {
        err =
            bb_api_client_get(&session.client, "/api/v3/services", BB_MEDIA_JSON, &session.detail);
    }
    if (err == BB_OK) {
        err = bb_json_read_services(bb_buf_slice(&session.client.reply.body), &session.arena,
                                    &session.detail, &services);
    }
    if (err == BB_OK && session.output == BB_OUTPUT_TABLE) {
        err = tabulate_services(&session, &services);
    } else if (err == BB_OK) {
        write_services(&session, &services);
    }
    return finish(&session, err, services.count, "the server has no services yet");
}

static void write_operation(struct bb_json_writer *json, const struct bb_operation *operation)
{
    bb_json_begin_object(json);
    bb_json_key(json, "name");
    bb_json_string(json, operation->name);
    bb_json_key(json, "spanKind");
    bb_json_string(json, operation->span_kind);
    bb_json_end_object(json);
}

static void write_operations(struct session *session, const struct bb_operations *operations)
{
    struct bb_json_writer json = bb_json_writer_of(&session->out);

    if (session->output == BB_OUTPUT_NDJSON) {
        for (uint32_t i = 0; i < operations->count; i++) {
            json = bb_json_writer_of(&session->out);
            write_operation(&json, &operations->items[i]);
            bb_buf_append_byte(&session->out, '\n');
        }
        return;
    }
    bb_json_begin_object(&json);
    bb_json_key(&json, "operations");
    bb_json_begin_array(&json);
    for (uint32_t i = 0; i < operations->count; i++) {
        write_operation(&json, &operations->items[i]);
    }
    bb_json_end_array(&json);
    bb_json_end_object(&json);
    bb_buf_append_byte(&session->out, '\n');
}

static enum bb_err tabulate_operations(struct session *session,
                                       const struct bb_operations *operations)
{
    static const struct bb_table_column columns[] = {{.title = "KIND"}, {.title = "OPERATION"}};
    struct bb_screen screen = bb_screen_of(stdout);
    struct bb_table table;

    bb_table_init(&table, columns, BB_ARRAY_COUNT(columns), &session->arena);
    for (uint32_t i = 0; i < operations->count; i++) {
        bb_table_add(&table, operations->items[i].span_kind);
        bb_table_add(&table, operations->items[i].name);
    }
    enum bb_err err =
        operations->count > 0 ? bb_table_render(&table, &screen, &session->out) : BB_OK;
    bb_table_dispose(&table);
    return err;
}

/* Asks for the operations of `service`. */
static enum bb_err fetch_operations(struct session *session, const char *service,
                                    struct bb_operations *out_operations)
{
    struct bb_buf target;
    enum bb_err err;

    bb_buf_init(&target, 64u << 10);
    bb_buf_append_cstr(&target, "/api/v3/operations?service=");
    bb_url_encode(bb_slice_from_cstr(service), &target);
    bb_buf_append_byte(&target, '\0');
    err = bb_buf_err(&target);
    if (err == BB_OK) {
        err = bb_api_client_get(&session->client, (const char *)target.data, BB_MEDIA_JSON,
                                &session->detail);
    }
    if (err == BB_OK) {
        err = bb_json_read_operations(bb_buf_slice(&session->client.reply.body), &session->arena,
                                      &session->detail, out_operations);
    }
    bb_buf_dispose(&target);
    return err;
}

enum bb_exit bb_cmd_operations(const struct bb_command *command, int argc, char **argv)
{
    struct session session = {0};
    struct bb_operations operations = {0};
    const char *server = NULL;
    const struct bb_flag flags[] = {bb_flag_output(&session.output), bb_flag_server(&server)};
    int first_arg;
    enum bb_exit code;

    if (!bb_flags_begin(command, flags, BB_ARRAY_COUNT(flags), argc, argv, &first_arg, &code)) {
        return code;
    }
    if (argc - first_arg != 1) {
        return bb_say_error("operations: takes one SERVICE; see 'bobbin operations --help'");
    }
    enum bb_err err = begin(&session, server);
    if (err == BB_OK) {
        err = fetch_operations(&session, argv[first_arg], &operations);
    }
    if (err == BB_OK && session.output == BB_OUTPUT_TABLE) {
        err = tabulate_operations(&session, &operations);
    } else if (err == BB_OK) {
        write_operations(&session, &operations);
    }
    return finish(&session, err, operations.count, "the server knows no operation of that service");
}
