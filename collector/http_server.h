/*
 * http_server.h - one HTTP/1.1 listener. Sees libmicrohttpd; handlers see common/http_api.h.
 *
 * Connections are polled by the server's own thread; whole requests are handed to `thread_count`
 * worker threads, so that a slow handler holds up nobody else's bytes.
 */
#ifndef BB_COLLECTOR_HTTP_SERVER_H
#define BB_COLLECTOR_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/http_api.h"
#include "common/mem_budget.h"

struct bb_http_server;

/*
 * Makes the answer to a request that the server itself refuses: BB_ETOOBIG (the body is over
 * body_bytes_max), BB_EBUSY (budget or queue used up, or the server stops) or BB_EINVAL (two
 * lengths; the connection is closed). `request` has no body; the status, Retry-After and `reason`
 * are given, the body of the answer is the hook's. Called on the server's polling thread, so it
 * must be quick.
 */
typedef void (*bb_http_refusal)(void *ctx, const struct bb_http_request *request, enum bb_err err,
                                const char *reason, struct bb_http_response *response);

struct bb_http_server_options {
    const char *name;   /* for logs and thread names; kept, so it must outlive the server */
    const char *listen; /* "host:port", "[v6]:port" or ":port"; port 0 takes a free one */
    bb_http_handler handler;
    bb_http_refusal refuse; /* NULL: a line of text */
    void *ctx;              /* of both */
    unsigned thread_count;
    size_t body_bytes_max;        /* above it: 413, and no memory is taken for the body */
    size_t arena_bytes_max;       /* of one request */
    struct bb_mem_budget *budget; /* bodies are taken from it (503 when used up); may be NULL */
    uint32_t retry_after_s;       /* told with every 503 of the server's own */
    bool is_low_priority;         /* worker threads run at a lower priority (queries) */
};

/*
 * BB_OK      listening; *out_server is the caller's, stop it with bb_http_server_stop
 * BB_EINVAL  `listen` is no address
 * BB_EIO     can't bind; detail has the reason
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_http_server_start(const struct bb_http_server_options *options,
                                               struct bb_err_detail *detail,
                                               struct bb_http_server **out_server);

/* The port that it listens on. */
uint16_t bb_http_server_port(const struct bb_http_server *server);

/* Stops accepting, lets requests that are being worked on finish for up to `grace_ms`, frees it.
 * NULL is accepted. */
void bb_http_server_stop(struct bb_http_server *server, uint32_t grace_ms);

#endif /* BB_COLLECTOR_HTTP_SERVER_H */
