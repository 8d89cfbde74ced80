/*
 * rpc_status.h - google.rpc.Status, the error body of OTLP: in protobuf and in protobuf's JSON.
 *
 *   Status     1 code (int32)   2 message (string)   3 details (repeated google.protobuf.Any)
 *   RetryInfo  1 retry_delay { 1 seconds }
 *   BadRequest 1 field_violations { 1 field, 2 description }
 */
#ifndef BB_COLLECTOR_RPC_STATUS_H
#define BB_COLLECTOR_RPC_STATUS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/rpc_api.h"
#include "common/slice.h"

struct bb_rpc_status {
    enum bb_rpc_code code;
    struct bb_slice message;     /* UTF-8 */
    uint32_t retry_after_s;      /* above 0: with a RetryInfo */
    struct bb_slice field;       /* not empty: with a BadRequest that names it */
    struct bb_slice description; /* of the field's violation */
};

/*
 * A status whose text is `message`. For BB_RPC_INVALID_ARGUMENT, a message of the form "path.to[1].
 * field: what is wrong" also makes the BadRequest. Borrows `message`.
 */
struct bb_rpc_status bb_rpc_status_of(enum bb_rpc_code code, const char *message,
                                      uint32_t retry_after_s);

/* Append it to `out`, which keeps the error. */
void bb_rpc_status_to_protobuf(const struct bb_rpc_status *status, struct bb_buf *out);
void bb_rpc_status_to_json(const struct bb_rpc_status *status, struct bb_buf *out);

/* Bytes for grpc-status-details-bin in the arena; empty when there are no details to tell or there
 * is no memory (the code and message go without them). */
struct bb_slice bb_rpc_status_details(const struct bb_rpc_status *status, struct bb_arena *arena);

#endif /* BB_COLLECTOR_RPC_STATUS_H */
