/*
 * grpc_server.c - sees grpc core, 1.51 (its C surface: grpc/grpc.h).
 *
 * Each poll thread owns one completion queue, and all calls that come out of it. A call is one
 * `struct call`, made when a slot for it is armed:
 *
 *   armed ─► requested ─┬─ inline: waits in poller->ready ─► handler ─► one batch: all of the
 * answer └─ else: worker_pool ─► handler, send() ... ─► last batch: the status Freed by its poll
 * thread once both its close and its status have come out of the queue, so that no completion can
 * name a call that is gone.
 *
 * Admission comes before work: a poll thread first takes in the messages that have arrived (up to
 * BB_GRPC_BURST_MAX) and takes the budget for each, then works on one. So what waits is counted,
 * and refused when the budget is used up, rather than piling up unseen inside grpc core.
 *
 * Core's own decompression is off, because it inflates a message whole before it compares its size
 * with the limit; and its resource quota refuses with a status that clients must take as final, so
 * it is set far above the budget, as the last wall.
 */
#include "collector/grpc_server.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include "collector/grpc_health.h"
#include "collector/inflate.h"
#include "collector/listen_address.h"
#include "collector/rpc_status.h"
#include "collector/timed_wait.h"
#include "collector/worker_pool.h"
#include "common/limits.h"
#include "common/log.h"

#define METHODS_MAX 16
#define POLLERS_MAX 64
/* Slots for calls that each queue keeps armed, of each method and of unknown ones. One that is
 * taken is armed again at once, so a few are enough. */
#define ARMED_METHOD 4
#define ARMED_GENERIC 2
#define STACK_BYTES (1u << 20)
#define CALL_MEMORY_MAX (64u << 10)
#define OPS_MAX 4
#define ARGS_MAX 16

/* Keep-alive: find dead peers, and be kind to clients that ping often. */
#define KEEPALIVE_TIME_MS 60000
#define KEEPALIVE_TIMEOUT_MS 20000
#define PING_INTERVAL_MIN_MS 10000

/* The quota is this many times the budget: see the top of this file. */
#define QUOTA_FACTOR 4

enum tag_type { TAG_REQUEST, TAG_CLOSE, TAG_SEND, TAG_STATUS, TAG_SHUTDOWN };

struct call;

/* What a completion names. */
struct tag {
    enum tag_type type;
    struct call *call; /* NULL for TAG_SHUTDOWN */
};

struct method {
    struct bb_rpc_method api;
    void *handle; /* core's */
};

struct poller {
    /* Constant after start. */
    struct bb_grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    bool has_thread;

    /* Its thread only: calls that have been taken in and wait for their inline handler. */
    struct call *ready_first;
    struct call *ready_last;
};

enum send_state { SEND_IDLE, SEND_RUNNING, SEND_DONE, SEND_FAILED };

struct call {
    struct bb_work work; /* first: the pool hands it back */
    struct bb_rpc_call api;
    struct bb_arena memory; /* holds this struct */
    struct bb_arena arena;  /* the handler's */
    struct poller *poller;
    const struct method *method; /* NULL: some other path */
    struct call *next_ready;

    /* Core fills these in when the call comes in. */
    grpc_call *core;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* only where method is NULL */
    grpc_byte_buffer *payload;

    size_t charged_bytes;
    bool has_sent_metadata;
    grpc_byte_buffer *message; /* being sent, or waiting for an inline call's one batch */
    grpc_slice status_message;
    grpc_metadata trailer;  /* grpc-status-details-bin */
    int is_close_cancelled; /* core's word */

    /* The poll thread's. */
    bool has_close;
    bool has_status;

    atomic_bool is_cancelled;
    atomic_bool is_answered; /* the handler's thread is through with the call */

    /* Guards send_state; nests in nothing. Only for calls on worker threads. */
    pthread_mutex_t mutex;
    pthread_cond_t has_sent;
    enum send_state send_state;

    struct tag request_tag;
    struct tag close_tag;
    struct tag send_tag;
    struct tag status_tag;
};

struct bb_grpc_server {
    /* Constant after start. */
    struct bb_arena memory; /* holds this struct */
    struct bb_grpc_server_options options;
    struct bb_rpc_method given_methods[METHODS_MAX];
    struct method methods[METHODS_MAX]; /* those and our own */
    uint32_t method_count;
    struct bb_grpc_health health;
    grpc_server *core;
    struct poller pollers[POLLERS_MAX];
    unsigned poller_count;
    struct bb_worker_pool *pool; /* NULL: every method is inline */
    uint16_t port;
    struct tag shutdown_tag;

    atomic_bool is_stopping;
    atomic_bool is_cancelling; /* handlers are told to give up */
    atomic_uint call_count;    /* armed ones too */

    /* Guards is_shut_down and goes with `changed`, which also tells that call_count is 0; nests in
     * nothing. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_shut_down;
};

/* A call's life */

static struct call *call_new(struct poller *poller, const struct method *method)
{
    struct bb_arena memory;

    bb_arena_init(&memory, CALL_MEMORY_MAX);
    struct call *call = bb_arena_try_calloc(&memory, 1, sizeof(*call));
    if (call == NULL) {
        return NULL;
    }
    call->memory = memory;
    call->poller = poller;
    call->method = method;
    bb_arena_init(&call->arena, poller->server->options.arena_bytes_max);
    call->api.arena = &call->arena;
    call->api.server = call;
    call->request_tag = (struct tag){TAG_REQUEST, call};
    call->close_tag = (struct tag){TAG_CLOSE, call};
    call->send_tag = (struct tag){TAG_SEND, call};
    call->status_tag = (struct tag){TAG_STATUS, call};
    call->status_message = grpc_empty_slice();
    call->trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
    call->trailer.value = grpc_empty_slice();
    grpc_metadata_array_init(&call->metadata);
    grpc_call_details_init(&call->details);
    pthread_mutex_init(&call->mutex, NULL);
    bb_cond_init_monotonic(&call->has_sent);
    atomic_fetch_add(&poller->server->call_count, 1);
    return call;
}

/* Gives back all that the handler needed, as soon as it is through. */
static void call_drop_request(struct call *call)
{
    bb_arena_dispose(&call->arena);
    if (call->payload != NULL) {
        grpc_byte_buffer_destroy(call->payload);
        call->payload = NULL;
    }
    if (call->charged_bytes > 0) {
        bb_mem_budget_give(call->poller->server->options.budget, call->charged_bytes);
        call->charged_bytes = 0;
    }
}

static void call_drop_message(struct call *call)
{
    if (call->message != NULL) {
        grpc_byte_buffer_destroy(call->message);
        call->message = NULL;
    }
}

static void call_free(struct call *call)
{
    struct bb_grpc_server *server = call->poller->server;

    call_drop_request(call);
    call_drop_message(call);
    grpc_slice_unref(call->status_message);
    grpc_slice_unref(call->trailer.value);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    if (call->core != NULL) {
        grpc_call_unref(call->core);
    }
    pthread_cond_destroy(&call->has_sent);
    pthread_mutex_destroy(&call->mutex);
    struct bb_arena memory = call->memory;
    bb_arena_dispose(&memory);

    if (atomic_fetch_sub(&server->call_count, 1) == 1) {
        pthread_mutex_lock(&server->mutex);
        pthread_cond_broadcast(&server->changed);
        pthread_mutex_unlock(&server->mutex);
    }
}

static void start_batch(grpc_call *core, const grpc_op *ops, size_t op_count, struct tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(core, ops, op_count, tag, NULL);

    /* Anything else means that we broke the rules of the batch. */
    BB_ASSERT(error == GRPC_CALL_OK);
}

/* Arms one slot. Without memory, or while stopping, there is one slot less. */
static void arm(struct poller *poller, struct method *method)
{
    struct bb_grpc_server *server = poller->server;
    grpc_call_error error;

    if (atomic_load(&server->is_stopping)) {
        return;
    }
    struct call *call = call_new(poller, method);
    if (call == NULL) {
        bb_log(BB_LOG_ERROR, "grpc", "no memory for a call", "server=%s", server->options.name);
        return;
    }
    if (method != NULL) {
        error = grpc_server_request_registered_call(
            server->core, method->handle, &call->core, &call->deadline, &call->metadata,
            &call->payload, poller->queue, poller->queue, &call->request_tag);
    } else {
        error = grpc_server_request_call(server->core, &call->core, &call->details, &call->metadata,
                                         poller->queue, poller->queue, &call->request_tag);
    }
    BB_ASSERT(error == GRPC_CALL_OK);
}

/* The request */

static bool is_past_deadline(const struct call *call)
{
    return gpr_time_cmp(gpr_now(call->deadline.clock_type), call->deadline) >= 0;
}

static bool call_is_cancelled(const struct bb_rpc_call *api)
{
    const struct call *call = api->server;

    return atomic_load(&call->is_cancelled) || atomic_load(&call->poller->server->is_cancelling) ||
           is_past_deadline(call);
}

static bool charge(struct call *call, size_t size)
{
    struct bb_mem_budget *budget = call->poller->server->options.budget;

    if (budget == NULL || size == 0) {
        return true;
    }
    if (!bb_mem_budget_try_take(budget, size)) {
        return false;
    }
    call->charged_bytes += size;
    return true;
}

/* Sets the answer to a call that no handler gets to see. */
static void set_refusal(struct call *call, enum bb_err err, const char *reason)
{
    const struct bb_grpc_server_options *options = &call->poller->server->options;
    uint32_t retry_after_s = 0;

    switch (err) {
    case BB_EINVAL:
        call->api.code = BB_RPC_INVALID_ARGUMENT;
        break;
    case BB_ETOOBIG:
        call->api.code = BB_RPC_RESOURCE_EXHAUSTED;
        break;
    default:
        err = BB_EBUSY;
        call->api.code = BB_RPC_UNAVAILABLE;
        retry_after_s = options->retry_after_s;
        break;
    }
    bb_err_set(&call->api.message, err, "%s", reason);
    struct bb_rpc_status status =
        bb_rpc_status_of(call->api.code, call->api.message.text, retry_after_s);
    call->api.status_details = bb_rpc_status_details(&status, &call->arena);
    if (options->refused != NULL) {
        options->refused(options->refused_ctx, err, reason);
    }
}

/* The payload's bytes: its one slice in place, several joined in the arena. */
static enum bb_err join_payload(struct call *call, struct bb_slice *out_bytes)
{
    grpc_slice_buffer *slices = &call->payload->data.raw.slice_buffer;

    if (slices->count <= 1) {
        *out_bytes = slices->count == 0 ? bb_slice_of(NULL, 0)
                                        : bb_slice_of(GRPC_SLICE_START_PTR(slices->slices[0]),
                                                      GRPC_SLICE_LENGTH(slices->slices[0]));
        return BB_OK;
    }
    uint8_t *bytes = bb_arena_try_alloc(&call->arena, slices->length);
    if (bytes == NULL) {
        return BB_ENOMEM;
    }
    size_t size = 0;
    for (size_t i = 0; i < slices->count; i++) {
        memcpy(bytes + size, GRPC_SLICE_START_PTR(slices->slices[i]),
               GRPC_SLICE_LENGTH(slices->slices[i]));
        size += GRPC_SLICE_LENGTH(slices->slices[i]);
    }
    *out_bytes = bb_slice_of(bytes, size);
    return BB_OK;
}

static enum bb_encoding payload_encoding(const struct call *call, struct bb_slice bytes)
{
    switch (call->payload->data.raw.compression) {
    case GRPC_COMPRESS_DEFLATE:
        return BB_ENCODING_DEFLATE;
    case GRPC_COMPRESS_GZIP:
        return BB_ENCODING_GZIP;
    default:
        /* Core doesn't know zstd and hands its bytes up as if they were plain. No message that we
         * take begins with that magic: it would be field 5, of type varint. */
        return bb_is_zstd(bytes) ? BB_ENCODING_ZSTD : BB_ENCODING_IDENTITY;
    }
}

static enum bb_err read_request(struct call *call, struct bb_err_detail *detail)
{
    size_t limit_bytes = call->poller->server->options.message_bytes_max;
    struct bb_slice bytes;

    if (call->payload == NULL) {
        return bb_err_set(detail, BB_EINVAL, "the call has no message");
    }
    enum bb_err err = join_payload(call, &bytes);
    if (err != BB_OK) {
        return bb_err_set(detail, err, "no memory for the message");
    }
    enum bb_encoding encoding = payload_encoding(call, bytes);
    err = bb_inflate(encoding, bytes, limit_bytes, &call->arena, detail, &call->api.request);
    if (err == BB_OK && encoding != BB_ENCODING_IDENTITY && !charge(call, call->api.request.size)) {
        return bb_err_set(detail, BB_EBUSY, "too many requests at once");
    }
    return err;
}

/* False when the call has its answer already. */
static bool prepare(struct call *call)
{
    struct bb_err_detail detail = {0};
    bool is_broken = call->payload == NULL && grpc_call_failed_before_recv_message(call->core);

    if (is_broken || call_is_cancelled(&call->api)) {
        /* Nobody waits for the answer any more. */
        call->api.code = is_past_deadline(call) ? BB_RPC_DEADLINE_EXCEEDED : BB_RPC_CANCELLED;
        return false;
    }
    enum bb_err err = read_request(call, &detail);
    if (err != BB_OK) {
        set_refusal(call, err, detail.text);
        return false;
    }
    return true;
}

/* The answer */

static grpc_byte_buffer *message_new(struct bb_slice bytes)
{
    /* Core keeps slices until they are on the wire, after send() has returned: hence the copy. */
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return message;
}

/* An inline call's only message goes out with its status. */
static enum bb_err keep_message(struct bb_rpc_call *api, struct bb_slice bytes)
{
    struct call *call = api->server;

    BB_ASSERT(call->message == NULL);
    call->message = message_new(bytes);
    return BB_OK;
}

static enum bb_err wait_until_sent(struct call *call)
{
    struct timespec until = bb_monotonic_in_ms(BB_GRPC_SEND_S_MAX * UINT64_C(1000));

    pthread_mutex_lock(&call->mutex);
    while (call->send_state == SEND_RUNNING) {
        if (pthread_cond_timedwait(&call->has_sent, &call->mutex, &until) != ETIMEDOUT) {
            continue;
        }
        /* A client that doesn't read must not keep a thread. Cancelled, the batch fails soon. */
        grpc_call_cancel(call->core, NULL);
        while (call->send_state == SEND_RUNNING) {
            pthread_cond_wait(&call->has_sent, &call->mutex);
        }
    }
    bool is_sent = call->send_state == SEND_DONE;
    call->send_state = SEND_IDLE;
    pthread_mutex_unlock(&call->mutex);
    return is_sent ? BB_OK : BB_ECANCELLED;
}

static enum bb_err send_message(struct bb_rpc_call *api, struct bb_slice bytes)
{
    struct call *call = api->server;
    grpc_op ops[OPS_MAX] = {0};
    size_t op_count = 0;

    if (call_is_cancelled(api)) {
        return BB_ECANCELLED;
    }
    call->message = message_new(bytes);
    if (!call->has_sent_metadata) {
        ops[op_count++].op = GRPC_OP_SEND_INITIAL_METADATA;
        call->has_sent_metadata = true;
    }
    ops[op_count].op = GRPC_OP_SEND_MESSAGE;
    ops[op_count++].data.send_message.send_message = call->message;

    pthread_mutex_lock(&call->mutex);
    call->send_state = SEND_RUNNING;
    pthread_mutex_unlock(&call->mutex);
    start_batch(call->core, ops, op_count, &call->send_tag);
    enum bb_err err = wait_until_sent(call);
    call_drop_message(call);
    return err;
}

static void add_status_op(struct call *call, grpc_op *op)
{
    op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    op->data.send_status_from_server.status = (grpc_status_code)call->api.code;
    if (call->api.message.text[0] != '\0') {
        call->status_message = grpc_slice_from_copied_string(call->api.message.text);
        op->data.send_status_from_server.status_details = &call->status_message;
    }
    if (call->api.status_details.size > 0) {
        call->trailer.value = grpc_slice_from_copied_buffer(
            (const char *)call->api.status_details.data, call->api.status_details.size);
        op->data.send_status_from_server.trailing_metadata = &call->trailer;
        op->data.send_status_from_server.trailing_metadata_count = 1;
    }
}

/* Sends what is left to send and the status. The last thing that the handler's thread does with a
 * call: from here on it is the poll thread's. */
static void finish(struct call *call, bool with_close)
{
    grpc_op ops[OPS_MAX] = {0};
    grpc_call *core = call->core; /* read before the call is handed over */
    size_t op_count = 0;

    if (!call->has_sent_metadata) {
        ops[op_count++].op = GRPC_OP_SEND_INITIAL_METADATA;
        call->has_sent_metadata = true;
    }
    if (call->message != NULL && call->api.code == BB_RPC_OK) {
        ops[op_count].op = GRPC_OP_SEND_MESSAGE;
        ops[op_count++].data.send_message.send_message = call->message;
    }
    add_status_op(call, &ops[op_count++]);
    if (with_close) {
        ops[op_count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        ops[op_count++].data.recv_close_on_server.cancelled = &call->is_close_cancelled;
        call->has_close = true;
    }
    call_drop_request(call);
    atomic_store_explicit(&call->is_answered, true, memory_order_release);
    start_batch(core, ops, op_count, &call->status_tag);
}

/* Running a call */

static void run_inline(struct call *call)
{
    if (prepare(call)) {
        call->method->api.handler(call->method->api.ctx, &call->api);
    }
    finish(call, true);
}

static void run_on_worker(struct bb_work *work)
{
    struct call *call = (struct call *)work;

    if (prepare(call)) {
        call->method->api.handler(call->method->api.ctx, &call->api);
    }
    finish(call, false);
}

static void answer_unknown(struct call *call)
{
    call->api.code = BB_RPC_UNIMPLEMENTED;
    bb_err_set(&call->api.message, BB_EUNSUPPORTED, "no method %.*s is here",
               (int)GRPC_SLICE_LENGTH(call->details.method),
               (const char *)GRPC_SLICE_START_PTR(call->details.method));
    finish(call, true);
}

static void submit(struct call *call)
{
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

    close.data.recv_close_on_server.cancelled = &call->is_close_cancelled;
    start_batch(call->core, &close, 1, &call->close_tag);
    call->work.run = run_on_worker;
    if (!bb_worker_pool_try_submit(call->poller->server->pool, &call->work)) {
        set_refusal(call, BB_EBUSY, "too many requests wait");
        finish(call, false);
    }
}

/* Takes in a call that has just arrived. */
static void admit(struct call *call)
{
    struct poller *poller = call->poller;

    if (call->method == NULL) {
        answer_unknown(call);
        return;
    }
    if (call->payload != NULL && !charge(call, grpc_byte_buffer_length(call->payload))) {
        set_refusal(call, BB_EBUSY, "too many requests at once");
        finish(call, true);
        return;
    }
    call->api.is_cancelled = call_is_cancelled;
    if (!call->method->api.is_inline) {
        call->api.send = send_message;
        submit(call);
        return;
    }
    call->api.send = keep_message;
    if (poller->ready_first == NULL) {
        poller->ready_first = call;
    } else {
        poller->ready_last->next_ready = call;
    }
    poller->ready_last = call;
}

static void run_next_ready(struct poller *poller)
{
    struct call *call = poller->ready_first;

    poller->ready_first = call->next_ready;
    run_inline(call);
}

/* The poll threads */

static void free_if_over(struct call *call)
{
    if (call->has_close && call->has_status) {
        call_free(call);
    }
}

static void on_shut_down(struct bb_grpc_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->is_shut_down = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void on_sent(struct call *call, bool is_ok)
{
    pthread_mutex_lock(&call->mutex);
    call->send_state = is_ok ? SEND_DONE : SEND_FAILED;
    pthread_cond_signal(&call->has_sent);
    pthread_mutex_unlock(&call->mutex);
}

static void on_event(struct poller *poller, const struct tag *tag, bool is_ok)
{
    struct call *call = tag->call;

    switch (tag->type) {
    case TAG_REQUEST:
        if (!is_ok) {
            call_free(call); /* the server is shutting down */
            break;
        }
        arm(poller, (struct method *)(uintptr_t)call->method);
        admit(call);
        break;
    case TAG_CLOSE:
        if (call->is_close_cancelled) {
            atomic_store(&call->is_cancelled, true);
        }
        call->has_close = true;
        free_if_over(call);
        break;
    case TAG_SEND:
        on_sent(call, is_ok);
        break;
    case TAG_STATUS:
        BB_ASSERT(atomic_load_explicit(&call->is_answered, memory_order_acquire));
        call->has_status = true;
        free_if_over(call);
        break;
    case TAG_SHUTDOWN:
        on_shut_down(poller->server);
        break;
    }
}

/* Works until the queue has been shut down and is empty. */
static void poll_queue(struct poller *poller)
{
    gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_MONOTONIC);
    unsigned burst_count = 0;

    for (;;) {
        bool has_ready = poller->ready_first != NULL;
        if (has_ready && burst_count >= BB_GRPC_BURST_MAX) {
            run_next_ready(poller);
            burst_count = 0;
            continue;
        }
        grpc_event event =
            grpc_completion_queue_next(poller->queue, has_ready ? at_once : forever, NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            BB_ASSERT(!has_ready);
            return;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            on_event(poller, event.tag, event.success != 0);
            burst_count++;
        } else if (has_ready) {
            run_next_ready(poller);
            burst_count = 0;
        }
    }
}

static void *run_poller(void *arg)
{
    struct poller *poller = arg;
    struct bb_grpc_server *server = poller->server;

    pthread_setname_np(pthread_self(), "bb-grpc-poll");
    for (int slot = 0; slot < ARMED_METHOD; slot++) {
        for (uint32_t i = 0; i < server->method_count; i++) {
            arm(poller, &server->methods[i]);
        }
    }
    for (int slot = 0; slot < ARMED_GENERIC; slot++) {
        arm(poller, NULL);
    }
    poll_queue(poller);
    return NULL;
}

/* Start and stop */

static void on_core_log(gpr_log_func_args *args)
{
    char quoted[1024];

    /* Whatever matters comes back as a result too. What core thinks an error is mostly a client's
     * doing, and would let any client fill the log. */
    bb_log(BB_LOG_DEBUG, "grpc", "core message", "at=%s:%d text=%s", args->file, args->line,
           bb_log_quote(bb_slice_from_cstr(args->message), quoted, sizeof(quoted)));
}

static grpc_arg int_arg(const char *key, int value)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};

    arg.value.integer = value;
    return arg;
}

static void create_core(struct bb_grpc_server *server)
{
    const struct bb_grpc_server_options *options = &server->options;
    size_t message_bytes_max = options->message_bytes_max;
    grpc_resource_quota *quota = NULL;
    grpc_arg list[ARGS_MAX] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                message_bytes_max > INT_MAX ? INT_MAX : (int)message_bytes_max),
        int_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, BB_GRPC_STREAMS_MAX),
        int_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
        int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),
        int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MIN_MS),
    };
    grpc_channel_args args = {.args = list};

    while (args.num_args < ARGS_MAX && list[args.num_args].key != NULL) {
        args.num_args++;
    }
    if (options->budget != NULL) {
        quota = grpc_resource_quota_create(options->name);
        grpc_resource_quota_resize(quota, options->budget->limit_bytes * QUOTA_FACTOR);
        grpc_arg *arg = &list[args.num_args++];
        *arg =
            (grpc_arg){.type = GRPC_ARG_POINTER, .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA};
        arg->value.pointer.p = quota;
        arg->value.pointer.vtable = grpc_resource_quota_arg_vtable();
    }
    server->core = grpc_server_create(&args, NULL);
    if (quota != NULL) {
        grpc_resource_quota_unref(quota); /* the server has its own reference */
    }
}

static enum bb_err add_port(struct bb_grpc_server *server, const struct bb_listen_address *address,
                            struct bb_err_detail *detail)
{
    char endpoint[BB_ENDPOINT_SIZE];

    bb_listen_address_format(address, endpoint);
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server->core, endpoint, credentials);
    grpc_server_credentials_release(credentials);
    if (port > 0) {
        server->port = (uint16_t)port;
        return BB_OK;
    }
    /* Core only logs why; a socket of our own meets the same error and can tell. */
    int fd;
    enum bb_err err = bb_listen_socket_open(address, detail, &fd, &server->port);
    if (err == BB_OK) {
        close(fd);
        return bb_err_set(detail, BB_EIO, "grpc core can't listen on %s", endpoint);
    }
    return err;
}

static enum bb_err add_methods(struct bb_grpc_server *server,
                               const struct bb_grpc_server_options *options,
                               struct bb_err_detail *detail)
{
    if (options->method_count >= METHODS_MAX) {
        return bb_err_set(detail, BB_EINVAL, "%s: over %d methods", options->name, METHODS_MAX - 1);
    }
    server->health.methods = server->given_methods;
    server->health.method_count = options->method_count;
    for (uint32_t i = 0; i < options->method_count; i++) {
        server->given_methods[i] = options->methods[i];
        server->methods[server->method_count++].api = options->methods[i];
    }
    server->methods[server->method_count++].api = (struct bb_rpc_method){
        .path = BB_GRPC_HEALTH_CHECK_PATH,
        .handler = bb_grpc_health_check,
        .ctx = &server->health,
        .is_inline = true,
    };
    for (uint32_t i = 0; i < server->method_count; i++) {
        struct method *method = &server->methods[i];
        /* With its payload a call comes in as one event instead of two. */
        method->handle = grpc_server_register_method(server->core, method->api.path, NULL,
                                                     GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        if (method->handle == NULL) {
            return bb_err_set(detail, BB_EINVAL, "%s: can't register %s", options->name,
                              method->api.path);
        }
    }
    return BB_OK;
}

static enum bb_err start_threads(struct bb_grpc_server *server, struct bb_err_detail *detail)
{
    const struct bb_grpc_server_options *options = &server->options;
    pthread_attr_t attr;
    bool is_ok = true;

    if (options->worker_thread_count > 0) {
        struct bb_worker_pool_options pool_options = {
            .name = options->name,
            .thread_count = options->worker_thread_count,
            .queue_max = BB_SERVER_QUEUE_MAX,
            .is_low_priority = options->is_low_priority,
        };
        enum bb_err err = bb_worker_pool_start(&pool_options, &server->pool);
        if (err != BB_OK) {
            return bb_err_set(detail, err, "%s: can't start %u threads", options->name,
                              options->worker_thread_count);
        }
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (unsigned i = 0; i < server->poller_count && is_ok; i++) {
        struct poller *poller = &server->pollers[i];
        is_ok = pthread_create(&poller->thread, &attr, run_poller, poller) == 0;
        poller->has_thread = is_ok;
    }
    pthread_attr_destroy(&attr);
    return is_ok ? BB_OK
                 : bb_err_set(detail, BB_EIO, "%s: can't start %u threads", options->name,
                              server->poller_count);
}

static void wait_until_shut_down(struct bb_grpc_server *server, uint32_t grace_ms)
{
    struct timespec until = bb_monotonic_in_ms(grace_ms);

    pthread_mutex_lock(&server->mutex);
    while (!server->is_shut_down &&
           pthread_cond_timedwait(&server->changed, &server->mutex, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&server->mutex);
}

static void wait_until_empty(struct bb_grpc_server *server)
{
    pthread_mutex_lock(&server->mutex);
    while (!server->is_shut_down || atomic_load(&server->call_count) > 0) {
        pthread_cond_wait(&server->changed, &server->mutex);
    }
    pthread_mutex_unlock(&server->mutex);
}

/* Where no thread polls the first queue, because the start failed: waits for the shutdown here. */
static void poll_until_shut_down(struct bb_grpc_server *server)
{
    gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);

    while (!server->is_shut_down) {
        grpc_event event = grpc_completion_queue_next(server->pollers[0].queue, forever, NULL);
        on_event(&server->pollers[0], event.tag, event.success != 0);
    }
}

/* Ends the queues and frees all; every call is gone. */
static void server_free(struct bb_grpc_server *server)
{
    for (unsigned i = 0; i < server->poller_count; i++) {
        struct poller *poller = &server->pollers[i];
        grpc_completion_queue_shutdown(poller->queue);
        if (poller->has_thread) {
            pthread_join(poller->thread, NULL);
        } else {
            poll_queue(poller); /* nothing but the end of it */
        }
    }
    grpc_server_destroy(server->core);
    for (unsigned i = 0; i < server->poller_count; i++) {
        grpc_completion_queue_destroy(server->pollers[i].queue);
    }
    bb_worker_pool_free(server->pool);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    struct bb_arena memory = server->memory;
    bb_arena_dispose(&memory);
    grpc_shutdown();
}

static enum bb_err server_new(const struct bb_grpc_server_options *options,
                              struct bb_grpc_server **out_server)
{
    struct bb_arena memory;

    bb_arena_init(&memory, SIZE_MAX);
    struct bb_grpc_server *server = bb_arena_try_calloc(&memory, 1, sizeof(*server));
    if (server == NULL) {
        return BB_ENOMEM;
    }
    server->memory = memory;
    server->options = *options;
    server->options.methods = NULL; /* copied in add_methods */
    server->shutdown_tag = (struct tag){TAG_SHUTDOWN, NULL};
    pthread_mutex_init(&server->mutex, NULL);
    bb_cond_init_monotonic(&server->changed);
    gpr_set_log_function(on_core_log);
    grpc_init();
    create_core(server);
    server->poller_count = options->poll_thread_count;
    for (unsigned i = 0; i < server->poller_count; i++) {
        struct poller *poller = &server->pollers[i];
        poller->server = server;
        poller->queue = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server->core, poller->queue, NULL);
    }
    *out_server = server;
    return BB_OK;
}

enum bb_err bb_grpc_server_start(const struct bb_grpc_server_options *options,
                                 struct bb_err_detail *detail, struct bb_grpc_server **out_server)
{
    struct bb_listen_address address;
    struct bb_grpc_server *server = NULL;

    if (options->poll_thread_count == 0 || options->poll_thread_count > POLLERS_MAX) {
        return bb_err_set(detail, BB_EINVAL, "%s: 1 to %d poll threads", options->name,
                          POLLERS_MAX);
    }
    enum bb_err err = bb_listen_address_parse(options->listen, detail, &address);
    if (err != BB_OK) {
        return err;
    }
    err = server_new(options, &server);
    if (err != BB_OK) {
        return err;
    }
    err = add_methods(server, options, detail);
    if (err == BB_OK) {
        err = add_port(server, &address, detail);
    }
    grpc_server_start(server->core); /* also on an error: only what has started can be stopped */
    if (err == BB_OK) {
        err = start_threads(server, detail);
    }
    if (err != BB_OK) {
        bb_grpc_server_stop(server, 0);
        return err;
    }
    *out_server = server;
    return BB_OK;
}

uint16_t bb_grpc_server_port(const struct bb_grpc_server *server)
{
    return server->port;
}

void bb_grpc_server_stop(struct bb_grpc_server *server, uint32_t grace_ms)
{
    if (server == NULL) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    atomic_store(&server->health.is_stopping, true);
    grpc_server_shutdown_and_notify(server->core, server->pollers[0].queue, &server->shutdown_tag);
    if (server->pollers[0].has_thread) {
        wait_until_shut_down(server, grace_ms);
    } else {
        poll_until_shut_down(server);
    }
    atomic_store(&server->is_cancelling, true);
    grpc_server_cancel_all_calls(server->core);
    bb_worker_pool_stop(server->pool);
    wait_until_empty(server);
    server_free(server);
}
