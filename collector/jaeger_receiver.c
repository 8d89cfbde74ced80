/*
 * jaeger_receiver.c - jaeger.api_v2.CollectorService/PostSpans.
 *
 * PostSpansResponse is empty, so it can't tell of single rejected spans: where some of a request
 * are rejected the answer is OK (sending it again would only store the others twice) and the
 * counters tell; where all are, it is INVALID_ARGUMENT.
 */
#include "collector/ingest.h"
#include "collector/jaeger_model.h"
#include "collector/otlp_answer.h"
#include "collector/receivers.h"
#include "collector/rpc_status.h"
#include "common/limits.h"

static void take(struct bb_ingest *ingest, struct bb_rpc_call *call,
                 struct bb_ingest_result *out_result)
{
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {0};
    struct bb_buf wire;

    bb_buf_init(&wire, BB_REQUEST_BYTES_MAX);
    enum bb_err err = bb_jaeger_to_otlp(call->request, call->arena, &wire, &left_out, &detail);
    if (err == BB_OK) {
        bb_ingest_otlp(ingest, BB_RECEIVER_JAEGER_GRPC, bb_buf_slice(&wire), &left_out, call->arena,
                       out_result);
    } else {
        bb_ingest_refuse(err, &detail, out_result);
    }
    bb_buf_dispose(&wire);
}

void bb_jaeger_grpc_post_spans(void *ctx, struct bb_rpc_call *call)
{
    struct bb_ingest_result result = {0};

    take(ctx, call, &result);
    if (result.outcome == BB_INGEST_PARTIAL && result.accepted_count == 0) {
        result.outcome = BB_INGEST_INVALID;
    }
    if (result.outcome == BB_INGEST_OK || result.outcome == BB_INGEST_PARTIAL) {
        if (call->send(call, bb_slice_of(NULL, 0)) != BB_OK) {
            call->code = BB_RPC_CANCELLED;
        }
        return;
    }
    struct bb_rpc_status status = bb_ingest_status(&result);
    call->code = status.code;
    call->message = result.message;
    call->status_details = bb_rpc_status_details(&status, call->arena);
}
