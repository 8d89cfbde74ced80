/* The gRPC server over real HTTP/2: what reaches a handler, what doesn't, and how calls end. */
#include "collector/grpc_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/inflate.h"
#include "collector/rpc_status.h"
#include "common/json_writer.h"
#include "tests/support/grpc_call.h"
#include "tests/support/raw_http.h"

#define MESSAGE_MAX ((size_t)2 << 20)
#define BUDGET ((size_t)8 << 20)
#define CHUNK_BYTES ((size_t)64 << 10)
#define GRACE_MS 10000

struct fixture {
    struct bb_grpc_server *server;
    struct bb_mem_budget budget;
    uint16_t port;

    /* Guards what follows. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open; /* the handlers of Wait end */
    uint32_t waiting_count;
    uint32_t handled_count;
    uint32_t refused_count;
    enum bb_err refused_err;
    enum bb_err send_err; /* the last of Stream */
};

static void count_handled(struct fixture *fx)
{
    pthread_mutex_lock(&fx->mutex);
    fx->handled_count++;
    pthread_mutex_unlock(&fx->mutex);
}

static void echo(void *ctx, struct bb_rpc_call *call)
{
    count_handled(ctx);
    if (call->send(call, call->request) != BB_OK) {
        call->code = BB_RPC_CANCELLED;
    }
}

static void fail_with_details(void *ctx, struct bb_rpc_call *call)
{
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_UNAVAILABLE, "b\xc3\xbcsy", 5);

    count_handled(ctx);
    call->code = BB_RPC_UNAVAILABLE;
    bb_err_set(&call->message, BB_EBUSY, "b\xc3\xbcsy");
    call->status_details = bb_rpc_status_details(&status, call->arena);
}

/* Sends as many messages as the request says. */
static void stream(void *ctx, struct bb_rpc_call *call)
{
    struct fixture *fx = ctx;
    uint8_t *chunk = bb_arena_try_calloc(call->arena, 1, CHUNK_BYTES);
    char *text = bb_arena_try_cstr(call->arena, call->request);
    enum bb_err err = BB_OK;

    assert_non_null(chunk);
    assert_non_null(text);
    for (unsigned long left = strtoul(text, NULL, 10); left > 0 && err == BB_OK; left--) {
        err = call->send(call, bb_slice_of(chunk, CHUNK_BYTES));
    }
    pthread_mutex_lock(&fx->mutex);
    fx->send_err = err;
    fx->handled_count++;
    pthread_cond_broadcast(&fx->changed);
    pthread_mutex_unlock(&fx->mutex);
}

static void wait_for_gate(void *ctx, struct bb_rpc_call *call)
{
    struct fixture *fx = ctx;

    pthread_mutex_lock(&fx->mutex);
    fx->waiting_count++;
    pthread_cond_broadcast(&fx->changed);
    while (!fx->is_open) {
        pthread_cond_wait(&fx->changed, &fx->mutex);
    }
    pthread_mutex_unlock(&fx->mutex);
    enum bb_err err = call->send(call, bb_slice_from_cstr("waited"));
    pthread_mutex_lock(&fx->mutex);
    fx->send_err = err;
    pthread_mutex_unlock(&fx->mutex);
}

static void wait_for_cancel(void *ctx, struct bb_rpc_call *call)
{
    struct fixture *fx = ctx;

    pthread_mutex_lock(&fx->mutex);
    fx->waiting_count++;
    pthread_cond_broadcast(&fx->changed);
    pthread_mutex_unlock(&fx->mutex);
    while (!call->is_cancelled(call)) {
    }
    call->code = BB_RPC_CANCELLED;
    count_handled(fx);
}

static void on_refused(void *ctx, enum bb_err err, const char *reason)
{
    struct fixture *fx = ctx;

    pthread_mutex_lock(&fx->mutex);
    fx->refused_count++;
    fx->refused_err = err;
    pthread_mutex_unlock(&fx->mutex);
    assert_true(strlen(reason) > 0);
}

static enum bb_err start_at(struct fixture *fx, const char *listen, struct bb_err_detail *detail,
                            struct bb_grpc_server **out_server)
{
    const struct bb_rpc_method methods[] = {
        {"/t.Test/Echo", echo, fx, true},
        {"/t.Test/WorkerEcho", echo, fx, false},
        {"/t.Test/Fail", fail_with_details, fx, true},
        {"/t.Test/Stream", stream, fx, false},
        {"/t.Test/Wait", wait_for_gate, fx, false},
        {"/t.Test/WaitForCancel", wait_for_cancel, fx, false},
    };
    const struct bb_grpc_server_options options = {
        .name = "test",
        .listen = listen,
        .methods = methods,
        .method_count = BB_ARRAY_COUNT(methods),
        .poll_thread_count = 2,
        .worker_thread_count = 2,
        .message_bytes_max = MESSAGE_MAX,
        .arena_bytes_max = 4 * MESSAGE_MAX,
        .budget = &fx->budget,
        .retry_after_s = 3,
        .refused = on_refused,
        .refused_ctx = fx,
    };

    return bb_grpc_server_start(&options, detail, out_server);
}

static int set_up(void **state)
{
    static struct fixture fx;
    struct bb_err_detail detail = {0};

    fx = (struct fixture){0};
    pthread_mutex_init(&fx.mutex, NULL);
    pthread_cond_init(&fx.changed, NULL);
    bb_mem_budget_init(&fx.budget, BUDGET, BB_M_MEMORY_INGEST_BYTES);
    if (start_at(&fx, "127.0.0.1:0", &detail, &fx.server) != BB_OK) {
        fail_msg("%s", detail.text);
    }
    fx.port = bb_grpc_server_port(fx.server);
    *state = &fx;
    return 0;
}

static void stop(struct fixture *fx)
{
    bb_grpc_server_stop(fx->server, GRACE_MS);
    fx->server = NULL;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    stop(fx);
    assert_int_equal(fx->budget.used_bytes, 0);
    pthread_cond_destroy(&fx->changed);
    pthread_mutex_destroy(&fx->mutex);
    return 0;
}

struct counts {
    uint32_t handled;
    uint32_t refused;
    enum bb_err refused_err;
};

static struct counts counts_of(struct fixture *fx)
{
    pthread_mutex_lock(&fx->mutex);
    struct counts counts = {fx->handled_count, fx->refused_count, fx->refused_err};
    pthread_mutex_unlock(&fx->mutex);
    return counts;
}

static void wait_for_waiting(struct fixture *fx, uint32_t count)
{
    pthread_mutex_lock(&fx->mutex);
    while (fx->waiting_count < count) {
        pthread_cond_wait(&fx->changed, &fx->mutex);
    }
    pthread_mutex_unlock(&fx->mutex);
}

static void open_gate(struct fixture *fx)
{
    pthread_mutex_lock(&fx->mutex);
    fx->is_open = true;
    pthread_cond_broadcast(&fx->changed);
    pthread_mutex_unlock(&fx->mutex);
}

static struct grpc_reply call_with(const struct fixture *fx, const char *path,
                                   struct bb_slice message)
{
    const struct grpc_request request = {.port = fx->port, .path = path, .message = message};
    struct grpc_reply reply;

    grpc_call_run(&request, &reply);
    return reply;
}

static struct grpc_reply call_packed(const struct fixture *fx, const char *encoding,
                                     struct bb_slice message)
{
    const struct grpc_request request = {
        .port = fx->port,
        .path = "/t.Test/Echo",
        .message = message,
        .is_compressed = true,
        .encoding = encoding,
    };
    struct grpc_reply reply;

    grpc_call_run(&request, &reply);
    return reply;
}

/* Compares, and disposes of the reply. */
static void expect_message(struct grpc_reply *reply, struct bb_slice message)
{
    assert_int_equal(reply->status, BB_RPC_OK);
    assert_int_equal(reply->message_count, 1);
    assert_true(bb_slice_equals(bb_buf_slice(&reply->bytes), message));
    grpc_reply_dispose(reply);
}

static void expect_status(struct grpc_reply *reply, int status, const char *message)
{
    assert_int_equal(reply->status, status);
    assert_int_equal(reply->message_count, 0);
    if (message != NULL) {
        assert_string_equal(reply->message, message);
    }
    grpc_reply_dispose(reply);
}

/* 1 MiB that doesn't compress: arrives in many slices. */
static struct bb_slice noise(void)
{
    static uint8_t bytes[1u << 20];
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bb_slice_of(bytes, sizeof(bytes));
}

static void answers_on_the_poll_thread_and_on_workers(void **state)
{
    static const char *const paths[] = {"/t.Test/Echo", "/t.Test/WorkerEcho"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(paths); i++) {
        struct grpc_reply reply = call_with(fx, paths[i], bb_slice_from_cstr("spans"));
        expect_message(&reply, bb_slice_from_cstr("spans"));
        reply = call_with(fx, paths[i], bb_slice_of(NULL, 0));
        expect_message(&reply, bb_slice_of(NULL, 0));
        reply = call_with(fx, paths[i], noise());
        expect_message(&reply, noise());
    }
    assert_int_equal(counts_of(fx).handled, 6);
}

static void inflates_gzip(void **state)
{
    struct fixture *fx = *state;
    struct bb_buf packed;

    bb_buf_init(&packed, MESSAGE_MAX);
    assert_int_equal(bb_gzip(bb_slice_from_cstr("spans"), &packed), BB_OK);
    struct grpc_reply reply = call_packed(fx, "gzip", bb_buf_slice(&packed));
    expect_message(&reply, bb_slice_from_cstr("spans"));
    bb_buf_dispose(&packed);
}

static void inflates_zstd_which_core_does_not_know(void **state)
{
    /* One raw block of five bytes. */
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5,   0x29,
                                    0,    0,    's',  'p',  'a',  'n', 's'};
    struct fixture *fx = *state;
    struct grpc_reply reply = call_packed(fx, "zstd", bb_slice_of(frame, sizeof(frame)));

    expect_message(&reply, bb_slice_from_cstr("spans"));
}

static void refuses_and_counts_a_damaged_message(void **state)
{
    struct fixture *fx = *state;
    struct grpc_reply reply = call_packed(fx, "gzip", bb_slice_from_cstr("no gzip"));

    expect_status(&reply, BB_RPC_INVALID_ARGUMENT, NULL);
    assert_int_equal(counts_of(fx).handled, 0);
    assert_int_equal(counts_of(fx).refused, 1);
    assert_int_equal(counts_of(fx).refused_err, BB_EINVAL);
}

static void refuses_and_counts_what_inflates_past_the_limit(void **state)
{
    static uint8_t zeros[MESSAGE_MAX + 1];
    struct fixture *fx = *state;
    struct bb_buf packed;

    bb_buf_init(&packed, MESSAGE_MAX);
    assert_int_equal(bb_gzip(bb_slice_of(zeros, sizeof(zeros)), &packed), BB_OK);
    struct grpc_reply reply = call_packed(fx, "gzip", bb_buf_slice(&packed));
    expect_status(&reply, BB_RPC_RESOURCE_EXHAUSTED,
                  "the gzip body inflates to more than 2097152 bytes");
    assert_int_equal(counts_of(fx).refused_err, BB_ETOOBIG);
    assert_int_equal(counts_of(fx).handled, 0);
    bb_buf_dispose(&packed);
}

static void refuses_a_message_over_the_limit(void **state)
{
    static uint8_t zeros[MESSAGE_MAX + 1];
    struct fixture *fx = *state;
    struct grpc_reply reply = call_with(fx, "/t.Test/Echo", bb_slice_of(zeros, sizeof(zeros)));

    assert_int_equal(reply.status, BB_RPC_RESOURCE_EXHAUSTED);
    grpc_reply_dispose(&reply);
    assert_int_equal(counts_of(fx).handled, 0);
    reply = call_with(fx, "/t.Test/Echo", bb_slice_of(zeros, MESSAGE_MAX));
    expect_message(&reply, bb_slice_of(zeros, MESSAGE_MAX));
}

static void a_call_without_a_message_is_refused(void **state)
{
    struct fixture *fx = *state;
    const struct grpc_request request = {
        .port = fx->port, .path = "/t.Test/Echo", .has_no_message = true};
    struct grpc_reply reply;

    grpc_call_run(&request, &reply);
    expect_status(&reply, BB_RPC_INVALID_ARGUMENT, "the call has no message");
    assert_int_equal(counts_of(fx).handled, 0);
}

static void an_unknown_method_is_unimplemented(void **state)
{
    static const char *const paths[] = {"/t.Test/Nope", "/x.Y/Z", "/",
                                        "/grpc.health.v1.Health/Watch"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(paths); i++) {
        /* An answer that overtakes the request's end comes with a reset, which may hide it. */
        const struct grpc_request request = {
            .port = fx->port, .path = paths[i], .has_no_message = true};
        struct grpc_reply reply;
        grpc_call_run(&request, &reply);
        expect_status(&reply, BB_RPC_UNIMPLEMENTED, NULL);
    }
}

/* Base64 as grpc writes it in a header: without padding. */
static void expect_details(const struct grpc_reply *reply, const struct bb_rpc_status *status)
{
    struct bb_buf bytes;
    struct bb_buf text;

    bb_buf_init(&bytes, 1000);
    bb_buf_init(&text, 2000);
    bb_rpc_status_to_protobuf(status, &bytes);
    bb_base64_append(&text, bb_buf_slice(&bytes));
    while (text.data[text.size - 1] == '=') {
        text.size--;
    }
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&text), reply->details));
    bb_buf_dispose(&bytes);
    bb_buf_dispose(&text);
}

static void a_used_up_budget_says_when_to_come_back(void **state)
{
    struct fixture *fx = *state;
    struct bb_rpc_status status =
        bb_rpc_status_of(BB_RPC_UNAVAILABLE, "too many requests at once", 3);

    assert_true(bb_mem_budget_try_take(&fx->budget, BUDGET - 5));
    struct grpc_reply reply = call_with(fx, "/t.Test/Echo", bb_slice_from_cstr("123456"));
    expect_details(&reply, &status);
    expect_status(&reply, BB_RPC_UNAVAILABLE, "too many requests at once");
    reply = call_with(fx, "/t.Test/WorkerEcho", bb_slice_from_cstr("123456"));
    expect_details(&reply, &status);
    expect_status(&reply, BB_RPC_UNAVAILABLE, "too many requests at once");
    assert_int_equal(counts_of(fx).refused, 2);
    assert_int_equal(counts_of(fx).refused_err, BB_EBUSY);
    assert_int_equal(counts_of(fx).handled, 0);

    reply = call_with(fx, "/t.Test/Echo", bb_slice_from_cstr("12345"));
    expect_message(&reply, bb_slice_from_cstr("12345"));
    bb_mem_budget_give(&fx->budget, BUDGET - 5);
}

static void what_is_inflated_comes_out_of_the_budget_too(void **state)
{
    static uint8_t zeros[1000];
    struct fixture *fx = *state;
    struct bb_buf packed;

    bb_buf_init(&packed, MESSAGE_MAX);
    assert_int_equal(bb_gzip(bb_slice_of(zeros, sizeof(zeros)), &packed), BB_OK);
    assert_true(bb_mem_budget_try_take(&fx->budget, BUDGET - 500));
    struct grpc_reply reply = call_packed(fx, "gzip", bb_buf_slice(&packed));
    expect_status(&reply, BB_RPC_UNAVAILABLE, NULL);
    bb_mem_budget_give(&fx->budget, BUDGET - 500);
    bb_buf_dispose(&packed);
}

static void a_handler_s_status_reaches_the_client_whole(void **state)
{
    struct fixture *fx = *state;
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_UNAVAILABLE, "b\xc3\xbcsy", 5);
    struct grpc_reply reply = call_with(fx, "/t.Test/Fail", bb_slice_of(NULL, 0));

    expect_details(&reply, &status);
    expect_status(&reply, BB_RPC_UNAVAILABLE, "b%C3%BCsy");
}

static void streams_more_than_the_client_s_window(void **state)
{
    struct fixture *fx = *state;
    struct grpc_reply reply = call_with(fx, "/t.Test/Stream", bb_slice_from_cstr("100"));

    assert_int_equal(reply.status, BB_RPC_OK);
    assert_int_equal(reply.message_count, 100);
    assert_int_equal(reply.bytes.size, 100 * CHUNK_BYTES);
    grpc_reply_dispose(&reply);
    reply = call_with(fx, "/t.Test/Stream", bb_slice_from_cstr("0"));
    expect_status(&reply, BB_RPC_OK, NULL);
}

static void a_stream_ends_when_its_client_has_gone(void **state)
{
    struct fixture *fx = *state;
    const struct grpc_request request = {
        .port = fx->port,
        .path = "/t.Test/Stream",
        .message = bb_slice_from_cstr("1000000000"), /* would take days */
        .break_after_messages = 2,
    };
    struct grpc_reply reply;

    grpc_call_run(&request, &reply);
    assert_int_equal(reply.message_count, 2);
    grpc_reply_dispose(&reply);
    pthread_mutex_lock(&fx->mutex);
    while (fx->handled_count == 0) {
        pthread_cond_wait(&fx->changed, &fx->mutex);
    }
    pthread_mutex_unlock(&fx->mutex);
    assert_int_equal(fx->send_err, BB_ECANCELLED);
}

static void a_passed_deadline_cancels_the_call(void **state)
{
    struct fixture *fx = *state;
    const struct grpc_request request = {
        .port = fx->port, .path = "/t.Test/WaitForCancel", .timeout = "50m"};
    struct grpc_reply reply;

    grpc_call_run(&request, &reply);
    assert_int_not_equal(reply.status, BB_RPC_OK);
    grpc_reply_dispose(&reply);
    stop(fx);
    assert_int_equal(fx->handled_count, fx->waiting_count);
}

static void answers_health_checks(void **state)
{
    struct fixture *fx = *state;
    struct grpc_reply reply =
        call_with(fx, "/grpc.health.v1.Health/Check", bb_slice_from_cstr("\x0a\x06t.Test"));

    expect_message(&reply, bb_slice_from_cstr("\x08\x01"));
    reply = call_with(fx, "/grpc.health.v1.Health/Check", bb_slice_from_cstr("\x0a\x01t"));
    expect_status(&reply, BB_RPC_NOT_FOUND, NULL);
}

static void *run_waiting_call(void *arg)
{
    struct fixture *fx = arg;
    struct grpc_reply reply = call_with(fx, "/t.Test/Wait", bb_slice_of(NULL, 0));

    /* Some versions of libcurl leave the trailers out once they have seen a GOAWAY: the message is
     * what tells that the call went on. */
    assert_int_equal(reply.message_count, 1);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&reply.bytes), "waited"));
    grpc_reply_dispose(&reply);
    return NULL;
}

static void a_call_past_its_deadline_is_not_worked_on(void **state)
{
    struct fixture *fx = *state;
    const struct grpc_request request = {
        .port = fx->port, .path = "/t.Test/WorkerEcho", .timeout = "20m"};
    struct grpc_reply reply;
    pthread_t clients[2];

    for (uint32_t i = 0; i < 2; i++) { /* both worker threads */
        assert_int_equal(pthread_create(&clients[i], NULL, run_waiting_call, fx), 0);
    }
    wait_for_waiting(fx, 2);
    grpc_call_run(&request, &reply); /* returns when core ends the stream at the deadline */
    assert_int_equal(reply.message_count, 0);
    grpc_reply_dispose(&reply);
    open_gate(fx);
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(clients[i], NULL);
    }
    stop(fx); /* runs what waits */
    assert_int_equal(counts_of(fx).handled, 0);
}

static void *run_stop(void *arg)
{
    stop(arg);
    return NULL;
}

static void stop_lets_running_calls_finish(void **state)
{
    struct fixture *fx = *state;
    pthread_t client;
    pthread_t stopper;

    assert_int_equal(pthread_create(&client, NULL, run_waiting_call, fx), 0);
    wait_for_waiting(fx, 1);
    assert_int_equal(pthread_create(&stopper, NULL, run_stop, fx), 0);
    while (!raw_is_refused(fx->port)) { /* stopping begins by listening no more */
    }
    open_gate(fx);
    pthread_join(client, NULL);
    pthread_join(stopper, NULL);
    assert_int_equal(fx->send_err, BB_OK);
}

static void *run_cancelled_call(void *arg)
{
    struct fixture *fx = arg;
    struct grpc_reply reply = call_with(fx, "/t.Test/WaitForCancel", bb_slice_of(NULL, 0));

    assert_int_not_equal(reply.status, BB_RPC_OK);
    grpc_reply_dispose(&reply);
    return NULL;
}

static void stop_cancels_what_does_not_finish(void **state)
{
    struct fixture *fx = *state;
    pthread_t client;

    assert_int_equal(pthread_create(&client, NULL, run_cancelled_call, fx), 0);
    wait_for_waiting(fx, 1);
    bb_grpc_server_stop(fx->server, 1); /* would never return if the handler weren't told */
    fx->server = NULL;
    pthread_join(client, NULL);
    assert_int_equal(counts_of(fx).handled, 1);
}

static void tells_why_it_can_not_start(void **state)
{
    struct fixture *fx = *state;
    struct bb_err_detail detail = {0};
    struct bb_grpc_server *second = NULL;
    char listen[32];

    assert_int_equal(start_at(fx, "nonsense", &detail, &second), BB_EINVAL);
    assert_non_null(strstr(detail.text, "nonsense"));
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", fx->port);
    assert_int_equal(start_at(fx, listen, &detail, &second), BB_EIO);
    assert_non_null(strstr(detail.text, "Address already in use"));
    assert_null(second);
    bb_grpc_server_stop(NULL, 0);
}

static void http_1_disturbs_nobody(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);
    struct grpc_reply reply;

    raw_send_text(fd, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    reply = call_with(fx, "/t.Test/Echo", bb_slice_from_cstr("spans"));
    expect_message(&reply, bb_slice_from_cstr("spans"));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_on_the_poll_thread_and_on_workers),
        TEST(inflates_gzip),
        TEST(inflates_zstd_which_core_does_not_know),
        TEST(refuses_and_counts_a_damaged_message),
        TEST(refuses_and_counts_what_inflates_past_the_limit),
        TEST(refuses_a_message_over_the_limit),
        TEST(a_call_without_a_message_is_refused),
        TEST(an_unknown_method_is_unimplemented),
        TEST(a_used_up_budget_says_when_to_come_back),
        TEST(what_is_inflated_comes_out_of_the_budget_too),
        TEST(a_handler_s_status_reaches_the_client_whole),
        TEST(streams_more_than_the_client_s_window),
        TEST(a_stream_ends_when_its_client_has_gone),
        TEST(a_passed_deadline_cancels_the_call),
        TEST(answers_health_checks),
        TEST(a_call_past_its_deadline_is_not_worked_on),
        TEST(stop_lets_running_calls_finish),
        TEST(stop_cancels_what_does_not_finish),
        TEST(tells_why_it_can_not_start),
        TEST(http_1_disturbs_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
