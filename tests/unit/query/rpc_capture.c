#include "rpc_capture.h"

#include "common/check.h"

#define ARENA_BYTES_MAX ((size_t)256 << 20)

static bool is_cancelled(const struct bb_rpc_call *call)
{
    const struct rpc_capture *capture = call->server;

    return capture->cancel_after > 0 && capture->message_count >= capture->cancel_after;
}

static enum bb_err send(struct bb_rpc_call *call, struct bb_slice message)
{
    struct rpc_capture *capture = call->server;

    if (is_cancelled(call)) {
        return BB_ECANCELLED;
    }
    BB_ASSERT(capture->message_count < RPC_CAPTURE_MESSAGES_MAX);
    struct bb_slice copy = bb_arena_try_copy(&capture->arena, message);
    BB_ASSERT(copy.data != NULL);
    capture->messages[capture->message_count++] = copy;
    return BB_OK;
}

void rpc_capture_init(struct rpc_capture *capture, struct bb_slice request)
{
    *capture = (struct rpc_capture){.message_count = 0};
    bb_arena_init(&capture->arena, ARENA_BYTES_MAX);
    capture->call = (struct bb_rpc_call){
        .request = request,
        .arena = &capture->arena,
        .send = send,
        .is_cancelled = is_cancelled,
        .server = capture,
    };
}

void rpc_capture_dispose(struct rpc_capture *capture)
{
    bb_arena_dispose(&capture->arena);
}
