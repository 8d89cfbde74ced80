/*
 * grpc_server.h - one gRPC listener. The only place that sees grpc core (its C surface changes from
 * version to version); handlers see common/rpc_api.h.
 *
 * Messages come in as they are, gzip, deflate or zstd. Every server also answers
 * grpc.health.v1.Health/Check.
 */
#ifndef BB_COLLECTOR_GRPC_SERVER_H
#define BB_COLLECTOR_GRPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/mem_budget.h"
#include "common/rpc_api.h"

struct bb_grpc_server;

/* Told of each call that the server itself refuses, so that it can be counted: BB_ETOOBIG, BB_EBUSY
 * or BB_EINVAL (a damaged compressed message). Called on any of the server's threads. */
typedef void (*bb_grpc_refusal)(void *ctx, enum bb_err err, const char *reason);

struct bb_grpc_server_options {
    const char *name;   /* for logs and thread names; kept, so it must outlive the server */
    const char *listen; /* "host:port"; port 0 takes a free one */
    const struct bb_rpc_method *methods; /* copied, their paths are not; any other path is answered
                                            UNIMPLEMENTED */
    uint32_t method_count;
    unsigned poll_thread_count;   /* one completion queue each; inline methods run on them */
    unsigned worker_thread_count; /* for the methods that aren't inline; 0 when there are none */
    size_t message_bytes_max;     /* also after inflating: RESOURCE_EXHAUSTED above */
    size_t arena_bytes_max;       /* of one call */
    struct bb_mem_budget *budget; /* messages are taken from it (UNAVAILABLE with RetryInfo when
                                     used up); may be NULL */
    uint32_t retry_after_s;       /* told with that */
    bb_grpc_refusal refused;      /* may be NULL */
    void *refused_ctx;
    bool is_low_priority; /* worker threads run at a lower priority (queries) */
};

/* As bb_http_server_start. */
BB_MUST_CHECK enum bb_err bb_grpc_server_start(const struct bb_grpc_server_options *options,
                                               struct bb_err_detail *detail,
                                               struct bb_grpc_server **out_server);

uint16_t bb_grpc_server_port(const struct bb_grpc_server *server);

/* Stops accepting, lets running calls finish for up to `grace_ms`, cancels the rest, frees it.
 * NULL is accepted. */
void bb_grpc_server_stop(struct bb_grpc_server *server, uint32_t grace_ms);

#endif /* BB_COLLECTOR_GRPC_SERVER_H */
