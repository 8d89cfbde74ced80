/*
 * The exporter against a server of this file's own, which answers each connection from a script.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/include/bobbin/otlp_http.h"
#include "tests/unit/client/client_fixture.h"

#define TEST_TIMEOUT_MS 60000u

struct server {
    int listener;
    pthread_t thread;
    char url[64];
    const char *const *answers; /* NULL ends them; "" resets the connection, "-" never answers */
    char request[65536];        /* the last one: head and body */
    size_t request_size;
    int silent; /* a connection that is kept without an answer */
};

/* Reads a request with a Content-Length. */
static void read_request(struct server *server, int fd)
{
    size_t wanted = SIZE_MAX;

    server->request_size = 0;
    while (server->request_size < wanted) {
        ssize_t got = read(fd, server->request + server->request_size,
                           sizeof server->request - 1 - server->request_size);
        const char *end;
        const char *length;

        if (got <= 0) {
            return;
        }
        server->request_size += (size_t)got;
        server->request[server->request_size] = '\0';
        end = strstr(server->request, "\r\n\r\n");
        length = strstr(server->request, "Content-Length: ");
        if (end != NULL && length != NULL) {
            wanted = (size_t)(end + 4 - server->request) + strtoul(length + 16, NULL, 10);
        }
    }
}

static void *serve(void *arg)
{
    struct server *server = arg;

    for (unsigned i = 0; server->answers[i] != NULL; i++) {
        const char *answer = server->answers[i];
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0) {
            return NULL;
        }
        if (strcmp(answer, "") == 0) {
            const struct linger at_once = {.l_onoff = 1};

            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        } else if (strcmp(answer, "-") == 0) {
            server->silent = fd;
            continue;
        } else {
            const char *rest = answer;

            read_request(server, fd);
            while (*rest != '\0') {
                ssize_t sent = write(fd, rest, strlen(rest));

                if (sent <= 0) {
                    break;
                }
                rest += sent;
            }
            shutdown(fd, SHUT_WR);
        }
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *server, const char *const *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    *server = (struct server){.answers = answers, .silent = -1};
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/v1/traces",
                   ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    if (server->silent >= 0) {
        close(server->silent);
    }
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

struct outcome {
    uint64_t exported;
    uint64_t requests;
    uint64_t dropped[BOBBIN_DROP_REASONS];
    enum bobbin_err flushed;
};

/* Exports three spans to a server with these answers. */
static struct outcome export_three(const char *const *answers, struct server *server)
{
    struct client_fixture fixture;
    struct bobbin_otlp_http_opts http = {.headers = "x-key=se%20cret, x-other=2"};
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct outcome outcome;

    server_start(server, answers);
    client_fixture_init(&fixture);
    http.url = server->url;
    assert_int_equal(bobbin_otlp_http_exporter_open(&http, &fixture.opts.exporter), BOBBIN_OK);
    client_fixture_start(&fixture);
    bobbin_stats_read(&before);
    for (unsigned i = 0; i < 3; i++) {
        struct bobbin_span span;

        bobbin_span_start(&span, fixture.tracer, bobbin_lit("over http"), NULL);
        bobbin_span_end(&span);
    }
    outcome.flushed = bobbin_flush(TEST_TIMEOUT_MS);
    client_fixture_stop(&fixture);
    server_stop(server);
    bobbin_stats_read(&stats);
    assert_conserved(&stats);
    assert_int_equal(stats.in_flight, 0);
    outcome.exported = stats.exported - before.exported;
    outcome.requests = stats.requests - before.requests;
    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        outcome.dropped[i] = stats.dropped[i] - before.dropped[i];
    }
    return outcome;
}

static struct server test_server;

static void posts_protobuf_with_the_headers_given(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    struct outcome outcome = export_three(answers, &test_server);

    (void)state;
    assert_int_equal(outcome.flushed, BOBBIN_OK);
    assert_int_equal(outcome.exported, 3);
    assert_memory_equal(test_server.request, "POST /v1/traces HTTP/1.1\r\n", 26);
    assert_contains(test_server.request, "\r\nContent-Type: application/x-protobuf\r\n");
    assert_contains(test_server.request, "\r\nUser-Agent: OTel-OTLP-Exporter-C/" BOBBIN_VERSION);
    assert_contains(test_server.request, "\r\nx-key: se cret\r\n");
    assert_contains(test_server.request, "\r\nx-other: 2\r\n");
    assert_lacks(test_server.request, "Expect:");
}

static void tries_again_what_may_succeed_later(void **state)
{
    static const char *const answers[] = {
        ANSWER("429 Too Many"), ANSWER("503 Busy"), "",   ANSWER("502 Bad"),
        ANSWER("504 Late"),     OK_ANSWER,          NULL,
    };
    static const char *const up_to_three[] = {ANSWER("503 Busy"), "", OK_ANSWER, NULL};
    struct outcome outcome = export_three(up_to_three, &test_server);

    (void)state;
    assert_int_equal(outcome.exported, 3);
    assert_int_equal(outcome.requests, 3);
    /* The fifth failure opens the breaker: the sixth answer is not asked for. */
    outcome = export_three(answers, &test_server);
    assert_int_equal(outcome.requests, 5);
    assert_int_equal(outcome.dropped[BOBBIN_DROP_BREAKER_OPEN], 3);
}

static void a_refused_request_is_final(void **state)
{
    static const char *const statuses[] = {ANSWER("400 Bad"),   ANSWER("401 Who"),
                                           ANSWER("404 Where"), ANSWER("413 Big"),
                                           ANSWER("500 Oops"),  ANSWER("302 Found")};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        const char *const answers[] = {statuses[i], NULL};
        struct outcome outcome = export_three(answers, &test_server);

        assert_int_equal(outcome.requests, 1);
        assert_int_equal(outcome.dropped[BOBBIN_DROP_EXPORT_FAILED], 3);
    }
}

static void honours_retry_after(void **state)
{
    /* Longer than a request may take: so it is dropped, where a wait of 1 ms would have sent it. */
    static const char *const answers[] = {
        "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        OK_ANSWER, NULL};
    struct outcome outcome = export_three(answers, &test_server);

    (void)state;
    assert_int_equal(outcome.requests, 1);
    assert_int_equal(outcome.dropped[BOBBIN_DROP_RETRIES_OVER], 3);
}

static void counts_a_partial_success(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\x0a\x02\x08\x02", NULL};
    struct outcome outcome = export_three(answers, &test_server);

    (void)state;
    assert_int_equal(outcome.exported, 1);
    assert_int_equal(outcome.dropped[BOBBIN_DROP_REJECTED], 2);
}

static void a_shutdown_does_not_wait_for_a_black_hole(void **state)
{
    static const char *const answers[] = {"-", NULL};
    struct client_fixture fixture;
    struct bobbin_otlp_http_opts http = {.timeout_ms = 3600000};
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct bobbin_span span;

    (void)state;
    server_start(&test_server, answers);
    client_fixture_init(&fixture);
    fixture.opts.batch.export_timeout_ms = 3600000;
    http.url = test_server.url;
    assert_int_equal(bobbin_otlp_http_exporter_open(&http, &fixture.opts.exporter), BOBBIN_OK);
    client_fixture_start(&fixture);
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("lost"), NULL);
    bobbin_span_end(&span);
    assert_int_equal(bobbin_flush(10), BOBBIN_ETIMEDOUT);
    assert_int_equal(bobbin_shutdown(10), BOBBIN_ETIMEDOUT);
    client_fixture_stop(&fixture);
    do { /* the sender may need a moment longer than the shutdown */
        bobbin_stats_read(&stats);
    } while (stats.in_flight > 0);
    assert_int_equal(stats.dropped[BOBBIN_DROP_SHUTDOWN] - before.dropped[BOBBIN_DROP_SHUTDOWN], 1);
    assert_conserved(&stats);
    server_stop(&test_server);
}

static void nobody_listening_is_tried_again(void **state)
{
    static const char *const answers[] = {NULL};
    struct client_fixture fixture;
    struct bobbin_otlp_http_opts http = {0};
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct bobbin_span span;

    (void)state;
    server_start(&test_server, answers);
    server_stop(&test_server); /* the port is free again */
    client_fixture_init(&fixture);
    http.url = test_server.url;
    assert_int_equal(bobbin_otlp_http_exporter_open(&http, &fixture.opts.exporter), BOBBIN_OK);
    client_fixture_start(&fixture);
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("refused"), NULL);
    bobbin_span_end(&span);
    assert_int_equal(bobbin_flush(TEST_TIMEOUT_MS), BOBBIN_EEXPORT);
    bobbin_stats_read(&stats);
    assert_int_equal(stats.requests - before.requests, 5); /* then the breaker is open */
    assert_int_equal(stats.breaker, BOBBIN_BREAKER_OPEN);
    client_fixture_stop(&fixture);
}

static void reads_the_environment(void **state)
{
    struct bobbin_otlp_http_opts opts;
    char room[128];

    (void)state;
    bobbin_otlp_http_opts_init(&opts, room, sizeof room);
    assert_string_equal(opts.url, "http://localhost:4318/v1/traces");
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1/base//", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=1", 1);
    setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "77", 1);
    bobbin_otlp_http_opts_init(&opts, room, sizeof room);
    assert_string_equal(opts.url, "http://127.0.0.1:1/base/v1/traces");
    assert_string_equal(opts.headers, "a=1");
    assert_int_equal(opts.timeout_ms, 77);
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/as/it/is", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "never", 1);
    bobbin_otlp_http_opts_init(&opts, room, sizeof room);
    assert_string_equal(opts.url, "http://127.0.0.1:1/as/it/is");
    assert_int_equal(opts.timeout_ms, 77);
    assert_true(bobbin_opts_warnings(room, sizeof room) > 0);
    assert_contains(room, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT");
}

static void refuses_malformed_options(void **state)
{
    static const struct bobbin_otlp_http_opts rows[] = {
        {.url = "localhost:4318"},
        {.url = "ftp://127.0.0.1/"},
        {.url = "http://127.0.0.1/", .headers = "no equals"},
        {.url = "http://127.0.0.1/", .headers = "a=x%0d%0aEvil: 1"},
        {.url = "http://127.0.0.1/", .headers = "=1"},
    };
    struct bobbin_exporter exporter;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(bobbin_otlp_http_exporter_open(&rows[i], &exporter), BOBBIN_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_protobuf_with_the_headers_given),
        cmocka_unit_test(tries_again_what_may_succeed_later),
        cmocka_unit_test(a_refused_request_is_final),
        cmocka_unit_test(honours_retry_after),
        cmocka_unit_test(counts_a_partial_success),
        cmocka_unit_test(a_shutdown_does_not_wait_for_a_black_hole),
        cmocka_unit_test(nobody_listening_is_tried_again),
        cmocka_unit_test(reads_the_environment),
        cmocka_unit_test(refuses_malformed_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
