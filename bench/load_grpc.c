#include "bench/load_sender.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define DEADLINE_S 60

struct grpc_sender {
    struct bb_load_sender sender; /* first */
    grpc_channel *channel;
    grpc_completion_queue *queue;
};

static void destroy_answer(grpc_metadata_array *initial, grpc_metadata_array *trailing,
                           grpc_slice words, grpc_byte_buffer *answer)
{
    grpc_metadata_array_destroy(initial);
    grpc_metadata_array_destroy(trailing);
    grpc_slice_unref(words);
    if (answer != NULL) {
        grpc_byte_buffer_destroy(answer);
    }
}

static enum bb_err outcome(grpc_status_code status, grpc_slice words, struct bb_err_detail *detail)
{
    if (status == GRPC_STATUS_OK) {
        return BB_OK;
    }
    return bb_err_set(detail, status == GRPC_STATUS_UNAVAILABLE ? BB_EBUSY : BB_EIO,
                      "gRPC status %d: %.*s", (int)status, (int)GRPC_SLICE_LENGTH(words),
                      (const char *)GRPC_SLICE_START_PTR(words));
}

static enum bb_err send_grpc(struct bb_load_sender *sender, struct bb_slice request,
                             struct bb_err_detail *detail)
{
    struct grpc_sender *self = (struct grpc_sender *)sender;
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(DEADLINE_S, GPR_TIMESPAN));
    grpc_slice path = grpc_slice_from_static_string(EXPORT_PATH);
    grpc_call *call = grpc_channel_create_call(self->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               self->queue, path, NULL, deadline, NULL);
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)request.data, request.size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_byte_buffer *answer = NULL;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice words = grpc_empty_slice();

    grpc_slice_unref(slice);
    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT}};
    ops[1].data.send_message.send_message = message;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &initial;
    ops[4].data.recv_message.recv_message = &answer;
    ops[5].data.recv_status_on_client.trailing_metadata = &trailing;
    ops[5].data.recv_status_on_client.status = &status;
    ops[5].data.recv_status_on_client.status_details = &words;
    grpc_call_error error = grpc_call_start_batch(call, ops, 6, call, NULL);
    BB_ASSERT(error == GRPC_CALL_OK);
    grpc_completion_queue_pluck(self->queue, call, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

    enum bb_err err = outcome(status, words, detail);
    destroy_answer(&initial, &trailing, words, answer);
    grpc_byte_buffer_destroy(message);
    grpc_call_unref(call);
    return err;
}

static void close_grpc(struct bb_load_sender *sender)
{
    struct grpc_sender *self = (struct grpc_sender *)sender;

    grpc_channel_destroy(self->channel);
    grpc_completion_queue_shutdown(self->queue);
    grpc_completion_queue_destroy(self->queue);
    free(self); /* tidy: allow malloc: a program that measures */
    grpc_shutdown();
}

struct bb_load_sender *bb_load_grpc_open(const char *target)
{
    struct grpc_sender *self = calloc(1, sizeof *self); /* tidy: allow malloc: see close */
    grpc_arg own_pool = {.type = GRPC_ARG_INTEGER,
                         .key = GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
                         .value.integer = 1}; /* else all channels share one connection */
    grpc_channel_args args = {.num_args = 1, .args = &own_pool};

    if (self == NULL) {
        return NULL;
    }
    grpc_init();
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    self->sender.send = send_grpc;
    self->sender.close = close_grpc;
    self->channel = grpc_channel_create(target, credentials, &args);
    self->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_channel_credentials_release(credentials);
    return &self->sender;
}
