#include "tests/support/http_call.h"

#include <string.h>
#include <strings.h>

#include "common/check.h"

#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define BODY_BYTES_MAX ((size_t)64 << 20)

static const char *find_header(const struct bb_http_request *request, const char *name)
{
    const struct http_call *call = request->server;

    for (int i = 0; i < HTTP_CALL_HEADERS_MAX && call->header_names[i] != NULL; i++) {
        if (strcasecmp(call->header_names[i], name) == 0) {
            return call->header_values[i];
        }
    }
    return NULL;
}

static bool is_cancelled(const struct bb_http_request *request)
{
    const struct http_call *call = request->server;

    return call->is_cancelled;
}

void http_call_init(struct http_call *call, const char *method, const char *target)
{
    const char *mark = strchr(target, '?');

    *call = (struct http_call){.is_cancelled = false};
    bb_arena_init(&call->arena, ARENA_BYTES_MAX);
    bb_buf_init(&call->response.body, BODY_BYTES_MAX);
    call->request = (struct bb_http_request){
        .method = method,
        .path = mark == NULL ? bb_slice_from_cstr(target)
                             : bb_slice_of(target, (size_t)(mark - target)),
        .query = bb_slice_from_cstr(mark == NULL ? "" : mark + 1),
        .arena = &call->arena,
        .header = find_header,
        .is_cancelled = is_cancelled,
        .server = call,
    };
}

void http_call_dispose(struct http_call *call)
{
    bb_arena_dispose(&call->arena);
    bb_buf_dispose(&call->response.body);
}

void http_call_set_header(struct http_call *call, const char *name, const char *value)
{
    int i = 0;

    while (call->header_names[i] != NULL) {
        i++;
        BB_ASSERT(i < HTTP_CALL_HEADERS_MAX);
    }
    call->header_names[i] = name;
    call->header_values[i] = value;
}

void http_call_run(struct http_call *call, bb_http_handler handler, void *ctx)
{
    struct bb_http_response *response = &call->response;

    bb_buf_clear(&response->body);
    response->status = 200;
    response->content_type = NULL;
    response->header_count = 0;
    handler(ctx, &call->request, response);
}

const char *http_call_header(const struct http_call *call, const char *name)
{
    for (uint32_t i = 0; i < call->response.header_count; i++) {
        if (strcasecmp(call->response.headers[i].name, name) == 0) {
            return call->response.headers[i].value;
        }
    }
    return NULL;
}

const char *http_call_body(struct http_call *call)
{
    struct bb_buf *body = &call->response.body;

    bb_buf_append_byte(body, '\0');
    BB_ASSERT(bb_buf_err(body) == BB_OK);
    body->size--;
    return (const char *)body->data;
}
