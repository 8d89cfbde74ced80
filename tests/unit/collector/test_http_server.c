/* The HTTP server over real sockets: what reaches a handler, and what doesn't. */
#include "collector/http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/inflate.h"
#include "collector/worker_pool.h"
#include "common/limits.h"
#include "tests/support/raw_http.h"

#define BODY_MAX ((size_t)1 << 20)
#define GRACE_MS 10000

struct fixture {
    struct bb_http_server *server;
    struct bb_mem_budget budget;
    uint16_t port;

    /* Guards what follows. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open; /* handlers of /wait end */
    uint32_t waiting_count;
    uint32_t handled_count;
    uint32_t refused_count;
    enum bb_err refused_err;
    bool has_seen_cancel;
};

/* Answers with what it was asked, line by line, and the body. */
static void echo(const struct bb_http_request *request, struct bb_http_response *response)
{
    const char *header = request->header(request, "X-TEST");

    bb_buf_printf(&response->body, "%s\n", request->method);
    bb_buf_append_slice(&response->body, request->path);
    bb_buf_append_byte(&response->body, '\n');
    bb_buf_append_slice(&response->body, request->query);
    bb_buf_printf(&response->body, "\n%s\n", header == NULL ? "-" : header);
    bb_buf_append_slice(&response->body, request->body);
}

static void wait_until_open(struct fixture *fx, const struct bb_http_request *request)
{
    pthread_mutex_lock(&fx->mutex);
    fx->waiting_count++;
    pthread_cond_broadcast(&fx->changed);
    while (!fx->is_open) {
        pthread_cond_wait(&fx->changed, &fx->mutex);
    }
    fx->waiting_count--;
    fx->has_seen_cancel = request->is_cancelled(request);
    pthread_mutex_unlock(&fx->mutex);
}

static void handle(void *ctx, const struct bb_http_request *request,
                   struct bb_http_response *response)
{
    struct fixture *fx = ctx;
    char size[16] = {0};

    pthread_mutex_lock(&fx->mutex);
    fx->handled_count++;
    pthread_mutex_unlock(&fx->mutex);
    if (bb_slice_equals_cstr(request->path, "/wait")) {
        wait_until_open(fx, request);
    } else if (bb_slice_equals_cstr(request->path, "/letters")) {
        memcpy(size, request->query.data, request->query.size);
        for (unsigned long left = strtoul(size, NULL, 10); left > 0; left--) {
            bb_buf_append_byte(&response->body, (uint8_t)('a' + left % 26));
        }
        response->content_type = "text/plain";
    } else if (bb_slice_equals_cstr(request->path, "/teapot")) {
        response->status = 418;
        bb_http_add_header(response, "X-Kind", "%s", "oolong");
    } else if (bb_slice_equals_cstr(request->path, "/until-cancelled")) {
        wait_until_open(fx, request);
        while (!request->is_cancelled(request)) {
        }
    } else if (bb_slice_equals_cstr(request->path, "/broken")) {
        response->body.err = BB_ETOOBIG;
    } else {
        echo(request, response);
    }
}

static void refuse(void *ctx, const struct bb_http_request *request, enum bb_err err,
                   const char *reason, struct bb_http_response *response)
{
    struct fixture *fx = ctx;

    assert_non_null(request->arena);
    fx->refused_count++;
    fx->refused_err = err;
    bb_buf_printf(&response->body, "refused: %s", reason);
}

static void start(struct fixture *fx, unsigned thread_count)
{
    const struct bb_http_server_options options = {
        .name = "test",
        .listen = "127.0.0.1:0",
        .handler = handle,
        .refuse = refuse,
        .ctx = fx,
        .thread_count = thread_count,
        .body_bytes_max = BODY_MAX,
        .arena_bytes_max = 1u << 20,
        .budget = &fx->budget,
        .retry_after_s = 3,
    };
    struct bb_err_detail detail = {0};

    if (bb_http_server_start(&options, &detail, &fx->server) != BB_OK) {
        fail_msg("%s", detail.text);
    }
    fx->port = bb_http_server_port(fx->server);
}

static int set_up(void **state)
{
    static struct fixture fx;

    fx = (struct fixture){0};
    pthread_mutex_init(&fx.mutex, NULL);
    pthread_cond_init(&fx.changed, NULL);
    bb_mem_budget_init(&fx.budget, 4 * BODY_MAX, BB_M_MEMORY_INGEST_BYTES);
    start(&fx, 2);
    *state = &fx;
    return 0;
}

static void stop(struct fixture *fx)
{
    bb_http_server_stop(fx->server, GRACE_MS);
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

/* Reads one answer and compares; a NULL body isn't compared. */
static void expect(int fd, unsigned status, const char *body)
{
    struct raw_answer answer;

    raw_read_answer(fd, true, &answer);
    assert_int_equal(answer.status, status);
    if (body != NULL) {
        bb_buf_append_byte(&answer.body, '\0');
        assert_string_equal((const char *)answer.body.data, body);
    }
    raw_answer_dispose(&answer);
}

static void hands_over_the_request_as_it_was_sent(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "DELETE /a%2Fb%20c?x=%31&y=+ HTTP/1.1\r\nHost: t\r\nx-test: v 1\r\n\r\n");
    expect(fd, 200, "DELETE\n/a%2Fb%20c\nx=%31&y=+\nv 1\n");
    close(fd);
}

static void keeps_the_connection_for_further_requests(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    for (int i = 0; i < 3; i++) {
        raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
        expect(fd, 200, "GET\n/x\n\n-\n");
    }
    raw_send_text(fd, "POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
                      "GET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, "POST\n/1\n\n-\nabc");
    expect(fd, 200, "GET\n/2\n\n-\n");
    close(fd);
}

static void reads_a_body_of_a_told_length(void **state)
{
    static char body[BODY_MAX];
    struct fixture *fx = *state;
    struct raw_answer answer;
    char head[100];
    int fd = raw_connect(fx->port);

    for (size_t i = 0; i < BODY_MAX; i++) {
        body[i] = (char)('a' + i % 23);
    }
    snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n",
             BODY_MAX);
    raw_send_text(fd, head);
    raw_send(fd, body, BODY_MAX);
    raw_read_answer(fd, true, &answer);
    assert_int_equal(answer.body.size, strlen("POST\n/\n\n-\n") + BODY_MAX);
    assert_memory_equal(answer.body.data + strlen("POST\n/\n\n-\n"), body, BODY_MAX);
    raw_answer_dispose(&answer);
    close(fd);
}

static void reads_a_body_in_chunks(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n");
    expect(fd, 200, "POST\n/\n\n-\nabc0123456789");
    close(fd);
}

static void refuses_a_body_over_the_limit_before_reading_it(void **state)
{
    struct fixture *fx = *state;
    char head[150];
    int fd = raw_connect(fx->port);

    snprintf(head, sizeof(head),
             "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
             BODY_MAX + 1);
    raw_send_text(fd, head);
    expect(fd, 413, "refused: the body is over the limit of 1048576 bytes");
    assert_true(raw_is_closed(fd));
    assert_int_equal(fx->refused_err, BB_ETOOBIG);
    assert_int_equal(fx->handled_count, 0);
    close(fd);
}

static void a_client_that_sends_all_of_it_sees_the_413(void **state)
{
    static char body[2 * BODY_MAX];
    struct fixture *fx = *state;
    char head[100];
    int fd = raw_connect(fx->port);

    snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n",
             sizeof(body));
    raw_send_text(fd, head);
    raw_send(fd, body, sizeof(body));
    expect(fd, 413, NULL);
    /* And the connection goes on: nothing of the body is taken for a request. */
    raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, "GET\n/x\n\n-\n");
    assert_int_equal(fx->refused_count, 1);
    close(fd);
}

static void refuses_chunks_over_the_limit(void **state)
{
    static char chunk[65536];
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0; sent <= BODY_MAX; sent += sizeof(chunk)) {
        raw_send_text(fd, "10000\r\n");
        raw_send(fd, chunk, sizeof(chunk));
        raw_send_text(fd, "\r\n");
    }
    raw_send_text(fd, "0\r\n\r\n");
    expect(fd, 413, NULL);
    assert_int_equal(fx->handled_count, 0);
    close(fd);
}

static void a_used_up_budget_says_when_to_come_back(void **state)
{
    struct fixture *fx = *state;
    struct raw_answer answer;
    int fd = raw_connect(fx->port);

    assert_true(bb_mem_budget_try_take(&fx->budget, 4 * BODY_MAX - 5));
    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\n123456");
    raw_read_answer(fd, true, &answer);
    assert_int_equal(answer.status, 503);
    assert_true(raw_has_header(&answer, "Retry-After", "3"));
    assert_int_equal(fx->refused_err, BB_EBUSY);
    raw_answer_dispose(&answer);

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n12345");
    expect(fd, 200, NULL);
    bb_mem_budget_give(&fx->budget, 4 * BODY_MAX - 5);
    close(fd);
}

static void an_announced_body_takes_no_budget_before_it_comes(void **state)
{
    struct fixture *fx = *state;
    int fds[8];

    for (size_t i = 0; i < BB_ARRAY_COUNT(fds); i++) {
        fds[i] = raw_connect(fx->port);
        raw_send_text(fds[i], "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1048576\r\n\r\n1");
    }
    int fd = raw_connect(fx->port);
    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n12345");
    expect(fd, 200, NULL);
    close(fd);
    for (size_t i = 0; i < BB_ARRAY_COUNT(fds); i++) {
        close(fds[i]);
    }
}

static void answers_100_continue_before_the_body(void **state)
{
    struct fixture *fx = *state;
    struct raw_answer answer;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
                      "Content-Length: 3\r\n\r\n");
    raw_read_answer(fd, false, &answer);
    assert_int_equal(answer.status, 100);
    raw_answer_dispose(&answer);
    raw_send_text(fd, "abc");
    expect(fd, 200, "POST\n/\n\n-\nabc");
    close(fd);
}

static void head_is_get_without_a_body(void **state)
{
    struct fixture *fx = *state;
    struct raw_answer answer;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n");
    raw_read_answer(fd, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(raw_has_header(&answer, "Content-Length", "10")); /* "GET\n/x\n\n-\n" */
    raw_answer_dispose(&answer);
    raw_send_text(fd, "GET /y HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, "GET\n/y\n\n-\n");
    close(fd);
}

static void sends_the_handler_s_status_and_headers(void **state)
{
    struct fixture *fx = *state;
    struct raw_answer answer;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "GET /teapot HTTP/1.1\r\nHost: t\r\n\r\n");
    raw_read_answer(fd, true, &answer);
    assert_int_equal(answer.status, 418);
    assert_true(raw_has_header(&answer, "X-Kind", "oolong"));
    assert_int_equal(answer.body.size, 0);
    raw_answer_dispose(&answer);
    close(fd);
}

static void an_answer_that_did_not_fit_is_a_500(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "GET /broken HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 500, NULL);
    close(fd);
}

/* Asks for `size` letters with that Accept-Encoding. */
static void get_letters(struct fixture *fx, int size, const char *accept,
                        struct raw_answer *out_answer)
{
    char head[200];
    int fd = raw_connect(fx->port);

    snprintf(head, sizeof(head), "GET /letters?%d HTTP/1.1\r\nHost: t\r\n%s%s\r\n\r\n", size,
             accept == NULL ? "X: " : "Accept-Encoding: ", accept == NULL ? "" : accept);
    raw_send_text(fd, head);
    raw_read_answer(fd, true, out_answer);
    assert_int_equal(out_answer->status, 200);
    close(fd);
}

static void compresses_a_large_answer_for_who_asks(void **state)
{
    static const char *const accepts[] = {"gzip", "deflate, gzip;q=0.5", "br,GZIP", "*",
                                          "gzip;q=1.0, identity"};
    struct fixture *fx = *state;
    struct bb_err_detail detail;
    struct raw_answer answer;
    struct bb_arena arena;
    struct bb_slice text;

    bb_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < BB_ARRAY_COUNT(accepts); i++) {
        get_letters(fx, 20000, accepts[i], &answer);
        assert_true(raw_has_header(&answer, "Content-Encoding", "gzip"));
        assert_true(raw_has_header(&answer, "Vary", "Accept-Encoding"));
        assert_true(answer.body.size < 2000);
        assert_int_equal(
            bb_inflate(BB_ENCODING_GZIP, bb_buf_slice(&answer.body), 20000, &arena, &detail, &text),
            BB_OK);
        assert_int_equal(text.size, 20000);
        raw_answer_dispose(&answer);
    }
    bb_arena_dispose(&arena);
}

static void does_not_compress_otherwise(void **state)
{
    static const char *const accepts[] = {NULL, "", "identity", "gzip;q=0", "gzipx", "gzip; q=0.0"};
    struct fixture *fx = *state;
    struct raw_answer answer;

    for (size_t i = 0; i < BB_ARRAY_COUNT(accepts); i++) {
        get_letters(fx, 20000, accepts[i], &answer);
        assert_false(raw_has_header(&answer, "Content-Encoding", "gzip"));
        assert_int_equal(answer.body.size, 20000);
        raw_answer_dispose(&answer);
    }
    get_letters(fx, 100, "gzip", &answer); /* too small to be worth it */
    assert_int_equal(answer.body.size, 100);
    raw_answer_dispose(&answer);
}

static void refuses_a_request_with_two_lengths(void **state)
{
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(heads); i++) {
        int fd = raw_connect(fx->port);
        raw_send_text(fd, heads[i]);
        expect(fd, 400, NULL);
        close(fd);
    }
    assert_int_equal(fx->handled_count, 0);
    assert_int_equal(fx->refused_count, 2);
}

static void what_is_no_http_is_not_handled(void **state)
{
    static const struct {
        const char *text;
        unsigned status; /* 0: no answer */
    } rows[] = {
        {"\r\n\r\n\r\n", 0},
        {"GET\r\n\r\n", 0},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n", 400},
        {"GET /x HTTP/1.1\r\nHost: t\r\nno colon here\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        int fd = raw_connect(fx->port);
        raw_send_text(fd, rows[i].text);
        if (rows[i].status != 0) {
            expect(fd, rows[i].status, NULL);
        }
        close(fd);
    }
    int fd = raw_connect(fx->port);
    raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, NULL);
    close(fd);
    assert_int_equal(fx->handled_count, 1);
}

static void a_head_at_the_limit_is_refused(void **state)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: t\r\nX-Test: ";
    struct fixture *fx = *state;
    static char head[BB_HTTP_HEAD_BYTES_MAX];
    int fd = raw_connect(fx->port);

    memset(head, 'x', sizeof(head));
    memcpy(head, begin, sizeof(begin) - 1);
    memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
    raw_send(fd, head, sizeof(head));
    expect(fd, 431, NULL);
    close(fd);
    assert_int_equal(fx->handled_count, 0);
}

static void a_client_that_leaves_within_its_body_is_forgotten(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n123");
    close(fd);
    fd = raw_connect(fx->port);
    raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, NULL);
    close(fd);
    stop(fx);
    assert_int_equal(fx->handled_count, 1);
    assert_int_equal(fx->budget.used_bytes, 0);
}

static void a_slow_handler_holds_up_nobody_else(void **state)
{
    struct fixture *fx = *state;
    int slow = raw_connect(fx->port);
    int fd = raw_connect(fx->port);

    raw_send_text(slow, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    wait_for_waiting(fx, 1);
    raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, NULL);
    open_gate(fx);
    expect(slow, 200, "");
    close(fd);
    close(slow);
}

static void a_handler_sees_that_its_client_has_gone(void **state)
{
    struct fixture *fx = *state;
    int gone = raw_connect(fx->port);
    int stays = raw_connect(fx->port);

    open_gate(fx);
    raw_send_text(gone, "GET /until-cancelled HTTP/1.1\r\nHost: t\r\n\r\n");
    close(gone);
    raw_send_text(stays, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(stays, 200, "");
    assert_false(fx->has_seen_cancel);
    close(stays);
}

static void a_full_queue_says_when_to_come_back(void **state)
{
    struct fixture *fx = *state;
    static int fds[BB_SERVER_QUEUE_MAX + 2];
    struct raw_answer answer;

    for (size_t i = 0; i < 2; i++) { /* both threads */
        fds[i] = raw_connect(fx->port);
        raw_send_text(fds[i], "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    wait_for_waiting(fx, 2);
    /* Pipelining can't fill the queue, a connection has one request in it at a time. */
    for (size_t i = 2; i < BB_ARRAY_COUNT(fds); i++) {
        fds[i] = raw_connect(fx->port);
        raw_send_text(fds[i], "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    int late = raw_connect(fx->port);
    raw_send_text(late, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    raw_read_answer(late, true, &answer);
    assert_int_equal(answer.status, 503);
    assert_true(raw_has_header(&answer, "Retry-After", "3"));
    raw_answer_dispose(&answer);
    close(late);
    open_gate(fx);
    for (size_t i = 0; i < BB_ARRAY_COUNT(fds); i++) {
        expect(fds[i], 200, NULL);
        close(fds[i]);
    }
}

static void *run_stop(void *arg)
{
    stop(arg);
    return NULL;
}

static void stop_lets_running_requests_finish(void **state)
{
    struct fixture *fx = *state;
    struct raw_answer answer;
    pthread_t thread;
    uint16_t port = fx->port;
    int fd = raw_connect(port);

    raw_send_text(fd, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    wait_for_waiting(fx, 1);
    assert_int_equal(pthread_create(&thread, NULL, run_stop, fx), 0);
    while (!raw_is_refused(port)) { /* stopping begins by listening no more */
    }
    open_gate(fx);
    raw_read_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(raw_has_header(&answer, "Connection", "close"));
    raw_answer_dispose(&answer);
    pthread_join(thread, NULL);
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void stop_cancels_what_does_not_finish(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "GET /until-cancelled HTTP/1.1\r\nHost: t\r\n\r\n");
    wait_for_waiting(fx, 1);
    open_gate(fx);
    bb_http_server_stop(fx->server, 1); /* would never return if the handler weren't told */
    fx->server = NULL;
    close(fd);
}

static void stop_closes_idle_connections(void **state)
{
    struct fixture *fx = *state;
    int fd = raw_connect(fx->port);

    raw_send_text(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(fd, 200, NULL);
    stop(fx);
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void tells_why_it_can_not_start(void **state)
{
    struct fixture *fx = *state;
    struct bb_http_server_options options = {
        .name = "second",
        .listen = "nonsense",
        .handler = handle,
        .ctx = fx,
        .thread_count = 1,
        .body_bytes_max = BODY_MAX,
        .arena_bytes_max = 1u << 20,
    };
    struct bb_err_detail detail = {0};
    struct bb_http_server *second = NULL;
    char listen[32];

    assert_int_equal(bb_http_server_start(&options, &detail, &second), BB_EINVAL);
    assert_non_null(strstr(detail.text, "nonsense"));
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", fx->port);
    options.listen = listen;
    assert_int_equal(bb_http_server_start(&options, &detail, &second), BB_EIO);
    assert_non_null(strstr(detail.text, "Address already in use"));
    options.listen = "127.0.0.1:0";
    options.thread_count = BB_WORKER_THREADS_MAX + 1;
    assert_int_equal(bb_http_server_start(&options, &detail, &second), BB_EINVAL);
    assert_null(second);
    bb_http_server_stop(NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_over_the_request_as_it_was_sent),
        TEST(keeps_the_connection_for_further_requests),
        TEST(reads_a_body_of_a_told_length),
        TEST(reads_a_body_in_chunks),
        TEST(refuses_a_body_over_the_limit_before_reading_it),
        TEST(a_client_that_sends_all_of_it_sees_the_413),
        TEST(refuses_chunks_over_the_limit),
        TEST(a_used_up_budget_says_when_to_come_back),
        TEST(an_announced_body_takes_no_budget_before_it_comes),
        TEST(answers_100_continue_before_the_body),
        TEST(head_is_get_without_a_body),
        TEST(sends_the_handler_s_status_and_headers),
        TEST(an_answer_that_did_not_fit_is_a_500),
        TEST(compresses_a_large_answer_for_who_asks),
        TEST(does_not_compress_otherwise),
        TEST(refuses_a_request_with_two_lengths),
        TEST(what_is_no_http_is_not_handled),
        TEST(a_head_at_the_limit_is_refused),
        TEST(a_client_that_leaves_within_its_body_is_forgotten),
        TEST(a_slow_handler_holds_up_nobody_else),
        TEST(a_handler_sees_that_its_client_has_gone),
        TEST(a_full_queue_says_when_to_come_back),
        TEST(stop_lets_running_requests_finish),
        TEST(stop_cancels_what_does_not_finish),
        TEST(stop_closes_idle_connections),
        TEST(tells_why_it_can_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
