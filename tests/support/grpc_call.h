/*
 * grpc_call.h - one gRPC call over HTTP/2, put together by hand ("gRPC over HTTP/2"), so that a
 * test says each byte of it: flags, encodings, time-outs, and when to break off. Sees libcurl.
 */
#ifndef BB_TESTS_GRPC_CALL_H
#define BB_TESTS_GRPC_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

struct grpc_request {
    uint16_t port;
    const char *path;
    struct bb_slice message;       /* as it is to be sent */
    bool is_compressed;            /* the flag in front of the message */
    const char *encoding;          /* grpc-encoding; may be NULL */
    const char *timeout;           /* grpc-timeout; may be NULL */
    bool has_no_message;           /* ends the stream without one */
    uint32_t break_after_messages; /* 0: reads to the end */
};

#define GRPC_NO_STATUS (-1)

struct grpc_reply {
    int status;          /* grpc-status; GRPC_NO_STATUS when the stream ended without */
    char message[512];   /* grpc-message, percent-encoded */
    char details[1024];  /* grpc-status-details-bin, base64 */
    struct bb_buf bytes; /* of all messages, without what stands before each */
    uint32_t message_count;
};

/* Makes the call on a connection of its own. Dispose of the reply. */
void grpc_call_run(const struct grpc_request *request, struct grpc_reply *out_reply);
void grpc_reply_dispose(struct grpc_reply *reply);

#endif /* BB_TESTS_GRPC_CALL_H */
