#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "query/cli/otlp_send.h"
#include "tests/unit/cli/canned_server.h"

#define OK_EMPTY                                                                                   \
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
/* partial_success {rejected_spans: 2, error_message: "why"} */
#define OK_PARTIAL                                                                                 \
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\n"         \
    "\x0a\x07\x08\x02\x12\x03why"
#define OK_PARTIAL_JSON                                                                            \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "         \
    "65\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"because\"}}"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define BUSY_429 "HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n"
#define BUSY_7S "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
/* google.rpc.Status {code: 3, message: "no"} */
#define BAD                                                                                        \
    "HTTP/1.1 400 Bad\r\nContent-Type: application/x-protobuf\r\nContent-Length: 6\r\n\r\n"        \
    "\x08\x03\x12\x02no"
#define BAD_JSON                                                                                   \
    "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n"             \
    "{\"code\":3,\"message\":\"x must y\"}"
#define NOT_OTLP "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
#define HANG_UP ""

/* What the sender has waited for, instead of waiting. */
static uint64_t waits_ns[64];
static uint32_t wait_count;

static void note_wait(uint64_t ns)
{
    if (wait_count < BB_ARRAY_COUNT(waits_ns)) {
        waits_ns[wait_count] = ns;
    }
    wait_count++;
}

struct fixture {
    struct canned_server server;
    struct bb_otlp_sender sender;
    struct bb_err_detail detail;
};

static void start(struct fixture *fixture, const char *const *answers)
{
    *fixture = (struct fixture){0};
    wait_count = 0;
    canned_server_start(&fixture->server, answers);
    assert_int_equal(bb_otlp_sender_init(&fixture->sender, fixture->server.base, 0), BB_OK);
    fixture->sender.wait_ns = note_wait;
}

static enum bb_err send_one(struct fixture *fixture, bool is_json)
{
    return bb_otlp_sender_send(&fixture->sender, bb_slice_from_cstr("body"), is_json, 10, 10,
                               &fixture->detail);
}

static void stop(struct fixture *fixture)
{
    canned_server_stop(&fixture->server);
    canned_server_dispose(&fixture->server);
    bb_otlp_sender_dispose(&fixture->sender);
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_request_is_posted_as_it_is(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(OK_EMPTY, OK_PARTIAL_JSON));
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(send_one(&fixture, true), BB_OK);
    canned_server_stop(&fixture.server);
    assert_int_equal(
        strncmp((const char *)fixture.server.heads[0].data, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
    assert_true(
        canned_server_has_header(&fixture.server, 0, "Content-Type: application/x-protobuf"));
    assert_true(canned_server_has_header(&fixture.server, 1, "Content-Type: application/json"));
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fixture.server.bodies[0]), "body"));
    assert_int_equal(fixture.sender.request_count, 2);
    assert_int_equal(fixture.sender.span_count, 20);
    assert_int_equal(fixture.sender.rejected_count, 3);
    assert_string_equal(fixture.sender.first_rejection.text, "because");
    canned_server_dispose(&fixture.server);
    bb_otlp_sender_dispose(&fixture.sender);
}

static void a_body_over_one_megabyte_is_sent_at_once(void **state)
{
    static struct fixture fixture;
    struct bb_buf body;

    (void)state;
    bb_buf_init(&body, 8u << 20);
    assert_non_null(bb_buf_reserve(&body, 4u << 20));
    memset(body.data, 'x', 4u << 20);
    bb_buf_advance(&body, 4u << 20);
    start(&fixture, ANSWERS(OK_EMPTY));
    assert_int_equal(
        bb_otlp_sender_send(&fixture.sender, bb_buf_slice(&body), false, 1, 1, &fixture.detail),
        BB_OK);
    canned_server_stop(&fixture.server);
    assert_null(strcasestr((const char *)fixture.server.heads[0].data, "expect"));
    assert_int_equal(fixture.server.bodies[0].size, 4u << 20);
    canned_server_dispose(&fixture.server);
    bb_otlp_sender_dispose(&fixture.sender);
    bb_buf_dispose(&body);
}

static void what_is_rejected_in_part_is_counted_and_not_sent_again(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(OK_PARTIAL));
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(fixture.sender.rejected_count, 2);
    assert_string_equal(fixture.sender.first_rejection.text, "why");
    assert_int_equal(bb_otlp_sender_report(&fixture.sender), BB_EXIT_ERROR);
    stop(&fixture);
}

static void a_busy_server_is_asked_again_when_it_says(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(BUSY_7S, BUSY, BUSY_429, OK_EMPTY));
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(wait_count, 3);
    assert_true(waits_ns[0] == 7 * BB_NS_PER_S);
    assert_in_range(waits_ns[1], 200 * BB_NS_PER_MS, 400 * BB_NS_PER_MS);
    assert_in_range(waits_ns[2], 400 * BB_NS_PER_MS, 800 * BB_NS_PER_MS);
    assert_int_equal(fixture.sender.span_count, 10); /* once */
    assert_int_equal(fixture.sender.retry_count, 3);
    stop(&fixture);
}

static void a_connection_that_breaks_later_is_made_again(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(OK_EMPTY, HANG_UP, OK_EMPTY));
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(fixture.sender.span_count, 20);
    stop(&fixture);
}

static void a_server_that_is_not_there_is_an_error_at_once(void **state)
{
    struct bb_otlp_sender sender;
    struct bb_err_detail detail = {0};

    (void)state;
    wait_count = 0;
    assert_int_equal(bb_otlp_sender_init(&sender, "http://127.0.0.1:1", 0), BB_OK);
    sender.wait_ns = note_wait;
    assert_int_equal(bb_otlp_sender_send(&sender, bb_slice_from_cstr("x"), false, 1, 1, &detail),
                     BB_EIO);
    assert_int_equal(wait_count, 0);
    assert_non_null(strstr(detail.text, "http://127.0.0.1:1/v1/traces"));
    bb_otlp_sender_dispose(&sender);
}

static void a_refusal_is_final_and_in_the_servers_words(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(BAD, BAD_JSON));
    assert_int_equal(send_one(&fixture, false), BB_EINVAL);
    assert_non_null(strstr(fixture.detail.text, "/v1/traces: HTTP status 400: no"));
    assert_int_equal(send_one(&fixture, true), BB_EINVAL);
    assert_non_null(strstr(fixture.detail.text, "HTTP status 400: x must y"));
    assert_int_equal(wait_count, 0);
    assert_int_equal(fixture.sender.span_count, 0);
    stop(&fixture);
}

static void something_else_than_a_receiver_is_told(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(NOT_OTLP));
    assert_int_equal(send_one(&fixture, false), BB_EIO);
    assert_non_null(strstr(fixture.detail.text, "none of an OTLP receiver"));
    stop(&fixture);
}

static void a_server_that_stays_busy_is_given_up(void **state)
{
    const char *answers[CANNED_ANSWERS_MAX + 1] = {0};
    static struct fixture fixture;
    uint64_t sum_ns = 0;

    (void)state;
    /* 15 waits of a minute would be over the limit long before the list ends. */
    answers[0] = "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
    answers[1] = answers[0];
    answers[2] = answers[0];
    start(&fixture, answers);
    assert_int_equal(send_one(&fixture, false), BB_EBUSY);
    for (uint32_t i = 0; i < wait_count; i++) {
        sum_ns += waits_ns[i];
    }
    assert_true(sum_ns == BB_SEND_WAIT_MS_MAX * BB_NS_PER_MS);
    assert_non_null(strstr(fixture.detail.text, "HTTP status 503"));
    stop(&fixture);
}

static void the_rate_is_kept_over_all_requests(void **state)
{
    static struct fixture fixture;

    (void)state;
    start(&fixture, ANSWERS(OK_EMPTY, OK_EMPTY));
    fixture.sender.spans_per_s = 1;
    assert_int_equal(send_one(&fixture, false), BB_OK);
    assert_int_equal(wait_count, 0);
    assert_int_equal(send_one(&fixture, false), BB_OK);
    /* 10 spans at 1 a second: most of the 10 s are still to be waited for. */
    assert_int_equal(wait_count, 1);
    assert_in_range(waits_ns[0], 1, 10 * BB_NS_PER_S);
    stop(&fixture);
}

static void the_path_is_added_unless_it_is_there(void **state)
{
    static const char *const endpoints[] = {"http://127.0.0.1:1", "http://127.0.0.1:1/",
                                            "http://127.0.0.1:1/v1/traces",
                                            "http://127.0.0.1:1/v1/traces/"};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(endpoints); i++) {
        struct bb_otlp_sender sender;
        assert_int_equal(bb_otlp_sender_init(&sender, endpoints[i], 0), BB_OK);
        assert_string_equal((const char *)sender.url.data, "http://127.0.0.1:1/v1/traces");
        bb_otlp_sender_dispose(&sender);
    }
}

static void waits_grow_up_to_a_limit_with_some_chance(void **state)
{
    (void)state;
    assert_int_equal(bb_otlp_retry_wait_ms(0, 0, 0), 100);
    assert_int_equal(bb_otlp_retry_wait_ms(0, 0, 100), 200);
    assert_int_equal(bb_otlp_retry_wait_ms(3, 0, 0), 800);
    assert_int_equal(bb_otlp_retry_wait_ms(1000, 0, 0), 5000);
    assert_in_range(bb_otlp_retry_wait_ms(1000, 0, UINT64_MAX), 5000, 10000);
    assert_int_equal(bb_otlp_retry_wait_ms(5, 3, 77), 3000);
    assert_int_equal(bb_otlp_retry_wait_ms(0, 86400, 0), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_posted_as_it_is),
        cmocka_unit_test(a_body_over_one_megabyte_is_sent_at_once),
        cmocka_unit_test(what_is_rejected_in_part_is_counted_and_not_sent_again),
        cmocka_unit_test(a_busy_server_is_asked_again_when_it_says),
        cmocka_unit_test(a_connection_that_breaks_later_is_made_again),
        cmocka_unit_test(a_server_that_is_not_there_is_an_error_at_once),
        cmocka_unit_test(a_refusal_is_final_and_in_the_servers_words),
        cmocka_unit_test(something_else_than_a_receiver_is_told),
        cmocka_unit_test(a_server_that_stays_busy_is_given_up),
        cmocka_unit_test(the_rate_is_kept_over_all_requests),
        cmocka_unit_test(the_path_is_added_unless_it_is_there),
        cmocka_unit_test(waits_grow_up_to_a_limit_with_some_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
