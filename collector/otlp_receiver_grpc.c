/* otlp_receiver_grpc.c - TraceService/Export (OTLP specification, "OTLP/gRPC"). */
#include "collector/ingest.h"
#include "collector/otlp_answer.h"
#include "collector/receivers.h"
#include "collector/rpc_status.h"

/* Of an ExportTraceServiceResponse: the message of a result and what stands around it. */
#define ANSWER_BYTES_MAX (2u * BB_ERR_DETAIL_SIZE)

static void send_answer(struct bb_rpc_call *call, const struct bb_ingest_result *result)
{
    struct bb_buf answer;

    bb_buf_init(&answer, ANSWER_BYTES_MAX);
    bb_otlp_answer_to_protobuf(result, &answer);
    if (bb_buf_err(&answer) != BB_OK) {
        /* The spans are stored: that has to be told, even without the words. */
        bb_buf_clear(&answer);
    }
    if (call->send(call, bb_buf_slice(&answer)) != BB_OK) {
        call->code = BB_RPC_CANCELLED;
    }
    bb_buf_dispose(&answer);
}

void bb_otlp_grpc_export(void *ctx, struct bb_rpc_call *call)
{
    struct bb_ingest *ingest = ctx;
    struct bb_ingest_result result = {0};

    bb_ingest_otlp(ingest, BB_RECEIVER_OTLP_GRPC, call->request, NULL, call->arena, &result);
    if (result.outcome == BB_INGEST_OK || result.outcome == BB_INGEST_PARTIAL) {
        send_answer(call, &result);
        return;
    }
    struct bb_rpc_status status = bb_ingest_status(&result);
    call->code = status.code;
    call->message = result.message;
    call->status_details = bb_rpc_status_details(&status, call->arena);
}

void bb_otlp_grpc_refused(void *ctx, enum bb_err err, const char *reason)
{
    struct bb_err_detail detail = {0};
    struct bb_ingest_result result = {0};

    (void)ctx;
    bb_err_set(&detail, err, "%s", reason);
    bb_ingest_refuse(err, &detail, &result);
}
