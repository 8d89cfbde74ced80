#include "query/cli/api_client.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "query/cli/cli.h"
#include "query/cli/json_read.h"

#define URL_BYTES_MAX (64u << 10)
#define ERROR_BYTES_MAX (64u << 10)

enum bb_err bb_api_client_init(struct bb_api_client *client, const char *server)
{
    *client = (struct bb_api_client){.server = server};
    bb_http_client_reply_init(&client->reply, BB_ANSWER_BYTES_MAX);
    return bb_http_client_init(&client->http);
}

void bb_api_client_dispose(struct bb_api_client *client)
{
    if (client != NULL) {
        bb_http_client_dispose(&client->http);
        bb_http_client_reply_dispose(&client->reply);
    }
}

/* What the reply, which isn't a 200, means. */
static enum bb_err explain(const struct bb_http_client_reply *reply, const char *url,
                           struct bb_err_detail *detail)
{
    struct bb_arena arena;
    struct bb_slice message;
    enum bb_err err;

    bb_arena_init(&arena, ERROR_BYTES_MAX);
    if (bb_json_read_error(bb_buf_slice(&reply->body), &arena, &message)) {
        err = bb_err_set(detail, reply->status == 404 ? BB_ENOTFOUND : BB_EIO, "%.*s",
                         (int)message.size, (const char *)message.data);
    } else {
        err = bb_err_set(detail, BB_EIO, "%s: HTTP status %u, from something that isn't bobbind?",
                         url, reply->status);
    }
    bb_arena_dispose(&arena);
    return err;
}

enum bb_err bb_api_client_get(struct bb_api_client *client, const char *target, const char *accept,
                              struct bb_err_detail *detail)
{
    struct bb_buf url;
    size_t server_size = strlen(client->server);

    while (server_size > 0 && client->server[server_size - 1] == '/') {
        server_size--;
    }
    bb_buf_init(&url, URL_BYTES_MAX);
    bb_buf_append(&url, client->server, server_size);
    bb_buf_append_cstr(&url, target);
    bb_buf_append_byte(&url, '\0');
    enum bb_err err = bb_buf_err(&url);
    if (err != BB_OK) {
        err = bb_err_set(detail, err, "the address of the query is over %u bytes", URL_BYTES_MAX);
        goto out;
    }
    const struct bb_http_client_call call = {.url = (const char *)url.data, .accept = accept};
    err = bb_http_client_send(&client->http, &call, &client->reply, detail);
    if (err != BB_OK) {
        err = err == BB_ETOOBIG || err == BB_ENOMEM ? err : BB_EIO;
        goto out;
    }
    if (client->reply.status != 200) {
        err = explain(&client->reply, call.url, detail);
    }

out:
    bb_buf_dispose(&url);
    return err;
}

enum bb_err bb_api_client_get_trace(struct bb_api_client *client,
                                    const struct bb_trace_id *trace_id, const char *accept,
                                    struct bb_err_detail *detail)
{
    char id[BB_TRACE_ID_HEX_SIZE];
    char target[sizeof("/api/v3/traces/") + BB_TRACE_ID_HEX_SIZE];

    bb_trace_id_format(trace_id, id);
    (void)snprintf(target, sizeof(target), "/api/v3/traces/%s", id);
    return bb_api_client_get(client, target, accept, detail);
}

void bb_api_client_warn_incomplete(const struct bb_api_client *client, const char *what)
{
    const char *complete = bb_http_client_header(&client->http, "Bobbin-Complete");

    if (complete != NULL && strcmp(complete, "false") == 0) {
        const char *reason = bb_http_client_header(&client->http, "Bobbin-Incomplete-Reason");
        bb_say_warning("%s is incomplete: %s", what,
                       reason != NULL ? reason : "the server does not say why");
    }
}
