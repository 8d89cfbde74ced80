#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/http_client.h"
#include "tests/unit/cli/canned_server.h"

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct fixture {
    struct canned_server server;
    struct bb_http_client client;
    struct bb_http_client_reply reply;
    struct bb_err_detail detail;
};

/* GETs "/x" of a server that gives that answer. */
static enum bb_err get(struct fixture *fixture, const char *answer, size_t body_bytes_max)
{
    char url[80];

    *fixture = (struct fixture){0};
    canned_server_start(&fixture->server, ANSWERS(answer));
    assert_int_equal(bb_http_client_init(&fixture->client), BB_OK);
    bb_http_client_reply_init(&fixture->reply, body_bytes_max);
    (void)snprintf(url, sizeof(url), "%s/x", fixture->server.base);
    const struct bb_http_client_call call = {.url = url, .accept = "a/b"};
    enum bb_err err =
        bb_http_client_send(&fixture->client, &call, &fixture->reply, &fixture->detail);
    canned_server_stop(&fixture->server);
    return err;
}

static void dispose(struct fixture *fixture)
{
    canned_server_dispose(&fixture->server);
    bb_http_client_dispose(&fixture->client);
    bb_http_client_reply_dispose(&fixture->reply);
}

static void a_reply_is_read_whatever_its_status_is(void **state)
{
    static struct fixture fixture;

    (void)state;
    assert_int_equal(get(&fixture,
                         "HTTP/1.1 418 Teapot\r\nContent-Type: Text/Plain;charset=utf-8\r\n"
                         "Retry-After: 12\r\nX-Which: this\r\nContent-Length: 5\r\n\r\nshort",
                         100),
                     BB_OK);
    assert_int_equal(fixture.reply.status, 418);
    assert_string_equal(fixture.reply.content_type, "text/plain");
    assert_int_equal(fixture.reply.retry_after_s, 12);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fixture.reply.body), "short"));
    assert_string_equal(bb_http_client_header(&fixture.client, "x-which"), "this");
    assert_null(bb_http_client_header(&fixture.client, "x-other"));
    assert_true(canned_server_has_header(&fixture.server, 0, "Accept: a/b"));
    dispose(&fixture);
}

static void a_reply_over_the_limit_is_cut_off(void **state)
{
    static struct fixture fixture;

    (void)state;
    assert_int_equal(get(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort", 4),
                     BB_ETOOBIG);
    assert_non_null(strstr(fixture.detail.text, "/x: the answer is larger than 4 bytes"));
    dispose(&fixture);
}

static void a_reply_that_is_cut_short_may_be_asked_for_again(void **state)
{
    static struct fixture fixture;

    (void)state;
    assert_int_equal(get(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 100),
                     BB_EBUSY);
    dispose(&fixture);
    assert_int_equal(get(&fixture, "", 100), BB_EBUSY);
    dispose(&fixture);
}

static void another_protocol_is_an_error(void **state)
{
    static struct fixture fixture;

    (void)state;
    assert_int_equal(get(&fixture, "SSH-2.0-OpenSSH_9.2\r\n", 100), BB_EINVAL);
    dispose(&fixture);
}

/* "file:" would read this machine's files in the name of a server. */
static void only_http_is_spoken(void **state)
{
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/x", "x y"};
    struct bb_http_client client;
    struct bb_http_client_reply reply;

    (void)state;
    assert_int_equal(bb_http_client_init(&client), BB_OK);
    bb_http_client_reply_init(&reply, 100);
    for (size_t i = 0; i < BB_ARRAY_COUNT(urls); i++) {
        const struct bb_http_client_call call = {.url = urls[i], .accept = "a/b"};
        struct bb_err_detail detail = {0};
        assert_int_equal(bb_http_client_send(&client, &call, &reply, &detail), BB_EINVAL);
        assert_non_null(strstr(detail.text, urls[i]));
    }
    bb_http_client_dispose(&client);
    bb_http_client_reply_dispose(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read_whatever_its_status_is),
        cmocka_unit_test(a_reply_over_the_limit_is_cut_off),
        cmocka_unit_test(a_reply_that_is_cut_short_may_be_asked_for_again),
        cmocka_unit_test(another_protocol_is_an_error),
        cmocka_unit_test(only_http_is_spoken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
