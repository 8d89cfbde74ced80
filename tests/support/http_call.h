/*
 * http_call.h - calls an HTTP handler without a server: a request from "METHOD", "/path?query" and
 * headers, and what the handler answered.
 */
#ifndef BB_TESTS_HTTP_CALL_H
#define BB_TESTS_HTTP_CALL_H

#include <stdbool.h>

#include "common/http_api.h"

#define HTTP_CALL_HEADERS_MAX 4

struct http_call {
    struct bb_http_request request;
    struct bb_http_response response;
    struct bb_arena arena;
    const char *header_names[HTTP_CALL_HEADERS_MAX];
    const char *header_values[HTTP_CALL_HEADERS_MAX];
    bool is_cancelled; /* what the request says when it is asked */
};

/* `target` is borrowed for the life of the call. Not to be moved. */
void http_call_init(struct http_call *call, const char *method, const char *target);
void http_call_dispose(struct http_call *call);

/* Adds a request header. */
void http_call_set_header(struct http_call *call, const char *name, const char *value);

/* Empties the response and calls the handler. */
void http_call_run(struct http_call *call, bb_http_handler handler, void *ctx);

/* A response header's value; NULL when it is not there. */
const char *http_call_header(const struct http_call *call, const char *name);

/* The body with a NUL behind it. */
const char *http_call_body(struct http_call *call);

#endif /* BB_TESTS_HTTP_CALL_H */
