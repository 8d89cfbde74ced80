/*
 * rpc_api.h - what a gRPC method sees: one request message, messages out, one status. The server
 * behind it is collector/grpc_server.c, the one file that sees grpc.
 */
#ifndef BB_COMMON_RPC_API_H
#define BB_COMMON_RPC_API_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"

/* google.rpc.Code, the part that we answer with. */
enum bb_rpc_code {
    BB_RPC_OK = 0,
    BB_RPC_CANCELLED = 1,
    BB_RPC_UNKNOWN = 2,
    BB_RPC_INVALID_ARGUMENT = 3,
    BB_RPC_DEADLINE_EXCEEDED = 4,
    BB_RPC_NOT_FOUND = 5,
    BB_RPC_RESOURCE_EXHAUSTED = 8,
    BB_RPC_UNIMPLEMENTED = 12,
    BB_RPC_INTERNAL = 13,
    BB_RPC_UNAVAILABLE = 14,
};

struct bb_rpc_call {
    struct bb_slice request; /* the message, inflated and under the server's limit */
    struct bb_arena *arena;  /* freed when the handler has returned */

    /*
     * Sends one message and waits until it is on its way (flow control). A unary method sends
     * one, a streaming one any number. `message` is borrowed.
     * BB_OK, or BB_ECANCELLED when the client has gone: then return.
     */
    enum bb_err (*send)(struct bb_rpc_call *call, struct bb_slice message);
    bool (*is_cancelled)(const struct bb_rpc_call *call);
    void *server;

    /* The handler's answer. At the start: BB_RPC_OK and empty. */
    enum bb_rpc_code code;
    struct bb_err_detail message; /* the status message */
    struct bb_slice
        status_details; /* google.rpc.Status for grpc-status-details-bin; size 0: none */
};

/* Threads: any, at the same time. Sends its messages, sets the status, returns. */
typedef void (*bb_rpc_handler)(void *ctx, struct bb_rpc_call *call);

struct bb_rpc_method {
    const char *path; /* "/opentelemetry.proto.collector.trace.v1.TraceService/Export" */
    bb_rpc_handler handler;
    void *ctx;
    /* Short and unary: runs on the thread that polls. Others run on the worker threads. */
    bool is_inline;
};

#endif /* BB_COMMON_RPC_API_H */
