/*
 * http_client.h - one HTTP request, one reply, over a connection that is kept. The one part of the
 * program that sees libcurl.
 */
#ifndef BB_QUERY_CLI_HTTP_CLIENT_H
#define BB_QUERY_CLI_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* The caller's storage. Not for several threads at a time. */
struct bb_http_client {
    void *easy; /* CURL * */
};

struct bb_http_client_call {
    const char *url;
    const char *accept;       /* media type */
    const char *content_type; /* of the body; NULL: a GET without a body */
    struct bb_slice body;
};

struct bb_http_client_reply {
    unsigned status;
    char content_type[64];  /* without parameters, lower-case; "" when there is none */
    uint64_t retry_after_s; /* 0: the server didn't say */
    struct bb_buf body;
};

/* BB_ENOMEM when libcurl can't be set up. */
BB_MUST_CHECK enum bb_err bb_http_client_init(struct bb_http_client *client);
void bb_http_client_dispose(struct bb_http_client *client);

/* An answer may have up to `body_bytes_max`. Dispose accepts a zeroed reply. */
void bb_http_client_reply_init(struct bb_http_client_reply *reply, size_t body_bytes_max);
void bb_http_client_reply_dispose(struct bb_http_client_reply *reply);

/*
 * Sends the call and reads the reply, whatever its status is. `reply` has been initialised; what an
 * earlier reply left in it is overwritten.
 *
 * BB_OK       *reply is filled
 * BB_EINVAL   the URL can't be used, or what answers there doesn't speak HTTP
 * BB_ETOOBIG  the body is larger than the reply may be
 * BB_EBUSY    the connection broke or timed out: sending it again may help
 * BB_EIO      no connection
 * In each case but the first, detail has libcurl's words and the URL.
 */
BB_MUST_CHECK enum bb_err bb_http_client_send(struct bb_http_client *client,
                                              const struct bb_http_client_call *call,
                                              struct bb_http_client_reply *reply,
                                              struct bb_err_detail *detail);

/* A header of the last reply, any case of the name; NULL when it has none. Borrowed until the next
 * call. */
const char *bb_http_client_header(const struct bb_http_client *client, const char *name);

#endif /* BB_QUERY_CLI_HTTP_CLIENT_H */
