/* rpc_capture.h - calls a gRPC method without a server, and keeps what it sends. */
#ifndef BB_TESTS_RPC_CAPTURE_H
#define BB_TESTS_RPC_CAPTURE_H

#include <stdbool.h>

#include "common/rpc_api.h"

#define RPC_CAPTURE_MESSAGES_MAX 64

struct rpc_capture {
    struct bb_rpc_call call;
    struct bb_arena arena; /* keeps the messages */
    struct bb_slice messages[RPC_CAPTURE_MESSAGES_MAX];
    uint32_t message_count;
    uint32_t cancel_after; /* sends that succeed before the client is gone; 0: it stays */
};

/* `request` is borrowed for the life of the capture. Not to be moved. */
void rpc_capture_init(struct rpc_capture *capture, struct bb_slice request);
void rpc_capture_dispose(struct rpc_capture *capture);

#endif /* BB_TESTS_RPC_CAPTURE_H */
