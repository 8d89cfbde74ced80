#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/api_client.h"
#include "tests/unit/cli/canned_server.h"

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FOUND                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; x=y\r\nContent-Length: 2\r\n\r\n{}"
#define NO_TRACE                                                                                   \
    "HTTP/1.1 404 Not found\r\nContent-Type: application/json\r\nContent-Length: 52\r\n\r\n"       \
    "{\"error\":{\"httpCode\":404,\"message\":\"no such trace\"}}"
#define BAD_QUERY                                                                                  \
    "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 46\r\n\r\n"             \
    "{\"error\":{\"httpCode\":400,\"message\":\"a\\nb\"}}   "
#define NO_PAGE "HTTP/1.1 404 Not found\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n404"

struct fixture {
    struct canned_server server;
    struct bb_api_client client;
    struct bb_err_detail detail;
    char base[80]; /* with a slash too many */
};

static void start(struct fixture *fixture, const char *const *answers)
{
    *fixture = (struct fixture){0};
    canned_server_start(&fixture->server, answers);
    (void)snprintf(fixture->base, sizeof(fixture->base), "%s/", fixture->server.base);
    assert_int_equal(bb_api_client_init(&fixture->client, fixture->base), BB_OK);
}

static enum bb_err get(struct fixture *fixture, const char *target)
{
    fixture->detail = (struct bb_err_detail){0};
    return bb_api_client_get(&fixture->client, target, BB_MEDIA_JSON, &fixture->detail);
}

static void stop(struct fixture *fixture)
{
    canned_server_dispose(&fixture->server);
    bb_api_client_dispose(&fixture->client);
}

static void an_answer_is_there_until_the_next_call(void **state)
{
    static struct fixture fixture;
    struct bb_trace_id trace_id = {.bytes[15] = 0xab};

    (void)state;
    start(&fixture, ANSWERS(FOUND, FOUND));
    assert_int_equal(get(&fixture, "/api/v3/services?x=%20"), BB_OK);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fixture.client.reply.body), "{}"));
    assert_string_equal(fixture.client.reply.content_type, "application/json");
    assert_int_equal(
        bb_api_client_get_trace(&fixture.client, &trace_id, BB_MEDIA_PROTOBUF, &fixture.detail),
        BB_OK);
    canned_server_stop(&fixture.server);
    assert_int_equal(strncmp((const char *)fixture.server.heads[0].data,
                             "GET /api/v3/services?x=%20 HTTP/1.1\r\n", 37),
                     0);
    assert_true(canned_server_has_header(&fixture.server, 0, "Accept: application/json"));
    assert_int_equal(strncmp((const char *)fixture.server.heads[1].data,
                             "GET /api/v3/traces/000000000000000000000000000000ab HTTP/1.1\r\n",
                             62),
                     0);
    assert_true(canned_server_has_header(&fixture.server, 1, "Accept: application/x-protobuf"));
    stop(&fixture);
}

static void a_trace_that_is_not_there_is_told_from_a_wrong_address(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(NO_TRACE, NO_PAGE));
    assert_int_equal(get(&fixture, "/x"), BB_ENOTFOUND);
    assert_string_equal(fixture.detail.text, "no such trace");
    assert_int_equal(get(&fixture, "/x"), BB_EIO);
    assert_non_null(strstr(fixture.detail.text, "/x: HTTP status 404"));
    canned_server_stop(&fixture.server);
    stop(&fixture);
}

static void an_error_comes_in_the_servers_words(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(BAD_QUERY));
    assert_int_equal(get(&fixture, "/x"), BB_EIO);
    assert_string_equal(fixture.detail.text, "a\nb");
    canned_server_stop(&fixture.server);
    stop(&fixture);
}

static void a_server_that_hangs_up_or_is_not_there_is_an_error(void **state)
{
    static struct fixture fixture;
    static const char *const servers[] = {"http://127.0.0.1:1", "nonsense://x"};

    (void)state;
    start(&fixture, ANSWERS(""));
    assert_int_equal(get(&fixture, "/x"), BB_EIO);
    assert_non_null(strstr(fixture.detail.text, "/x: "));
    canned_server_stop(&fixture.server);
    for (size_t i = 0; i < BB_ARRAY_COUNT(servers); i++) {
        fixture.client.server = servers[i];
        assert_int_equal(get(&fixture, "/x"), BB_EIO);
        assert_non_null(strstr(fixture.detail.text, servers[i]));
    }
    stop(&fixture);
}

/* A proxy is for other machines; this one would answer nobody. */
static void a_proxy_of_the_environment_is_not_used_for_this_machine(void **state)
{
    static struct fixture fixture;

    (void)state;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    start(&fixture, ANSWERS(FOUND));
    assert_int_equal(get(&fixture, "/x"), BB_OK);
    canned_server_stop(&fixture.server);
    stop(&fixture);
    assert_int_equal(unsetenv("http_proxy"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_there_until_the_next_call),
        cmocka_unit_test(a_trace_that_is_not_there_is_told_from_a_wrong_address),
        cmocka_unit_test(an_error_comes_in_the_servers_words),
        cmocka_unit_test(a_server_that_hangs_up_or_is_not_there_is_an_error),
        cmocka_unit_test(a_proxy_of_the_environment_is_not_used_for_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
