/*
 * http_api.h - what an HTTP endpoint sees: a request and a response, no server library.
 * The server behind it is collector/http_server.c; tests call handlers with a request of their own.
 */
#ifndef BB_COMMON_HTTP_API_H
#define BB_COMMON_HTTP_API_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"

struct bb_http_arg {
    struct bb_slice name;  /* percent-decoded */
    struct bb_slice value; /* percent-decoded; "+" is a space; size 0 when there is no "=" */
};

struct bb_http_request {
    const char *method;    /* "GET", as sent */
    struct bb_slice path;  /* as sent: percent-encoded, without the query */
    struct bb_slice query; /* as sent: behind the "?", size 0 when there is none */
    struct bb_slice body;  /* as sent: still in its Content-Encoding */
    struct bb_http_arg *args;
    uint32_t arg_count;
    struct bb_arena *arena; /* freed after the response has been made */

    /* The value of a header, any case of the name; NULL when it is not there. */
    const char *(*header)(const struct bb_http_request *request, const char *name);
    /* True once the client has gone: work for it can stop. May be NULL. */
    bool (*is_cancelled)(const struct bb_http_request *request);
    void *server; /* of whoever made the request */
};

#define BB_HTTP_HEADERS_MAX 8

struct bb_http_header {
    const char *name; /* static storage */
    char value[256];  /* a Content-Security-Policy is the longest */
};

/* Filled by the handler; made and freed by the server. At the start: status 200, no body. */
struct bb_http_response {
    unsigned status;
    const char *content_type; /* static storage */
    struct bb_buf body;
    struct bb_http_header headers[BB_HTTP_HEADERS_MAX];
    uint32_t header_count;
};

/*
 * Answers one request. `ctx` is what was given with the handler. Threads: any, at the same time.
 */
typedef void (*bb_http_handler)(void *ctx, const struct bb_http_request *request,
                                struct bb_http_response *response);

/*
 * Splits `query` into request->args, in the arena.
 *
 * BB_OK       args and arg_count are set
 * BB_EINVAL   a "%" without two hex digits behind it
 * BB_ETOOBIG  more than BB_HTTP_ARGS_MAX
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_http_parse_args(struct bb_http_request *request);

/* The first argument of that name; false when there is none. */
bool bb_http_arg(const struct bb_http_request *request, const char *name,
                 struct bb_slice *out_value);

/* Percent-decodes `text` into the arena; "+" becomes a space if `plus_is_space`. */
BB_MUST_CHECK enum bb_err bb_url_decode(struct bb_slice text, bool plus_is_space,
                                        struct bb_arena *arena, struct bb_slice *out_text);

/* Appends `text` percent-encoded (all but RFC 3986's unreserved characters). */
void bb_url_encode(struct bb_slice text, struct bb_buf *out);

/* Adds a header; `name` has static storage. Asserts that there is room. */
void bb_http_add_header(struct bb_http_response *response, const char *name, const char *format,
                        ...) BB_PRINTF(3, 4);

#endif /* BB_COMMON_HTTP_API_H */
