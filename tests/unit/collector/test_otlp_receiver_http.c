/*
 * POST /v1/traces as a table: each request with its answer. What is behind the receiver is a fake
 * that gives any outcome.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "collector/inflate.h"
#include "collector/receivers.h"
#include "common/limits.h"
#include "tests/support/fake_ingest.h"

#define ARENA_MAX ((size_t)256 << 20)
#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"
#define ONE_SPAN_JSON                                                                              \
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"                               \
    "\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\"}]}]}]}"

struct fixture {
    struct bb_ingest ingest;
    struct bb_mem_budget budget;
    struct bb_arena arena;
    struct bb_http_request request;
    struct bb_http_response response;
    const char *content_type;
    const char *content_encoding;
};

static const char *header(const struct bb_http_request *request, const char *name)
{
    const struct fixture *fx = request->server;

    if (strcasecmp(name, "Content-Type") == 0) {
        return fx->content_type;
    }
    return strcasecmp(name, "Content-Encoding") == 0 ? fx->content_encoding : NULL;
}

static void reset_response(struct fixture *fx)
{
    bb_buf_dispose(&fx->response.body);
    fx->response = (struct bb_http_response){.status = 200};
    bb_buf_init(&fx->response.body, 1u << 20);
}

static int set_up(void **state)
{
    static struct fixture fx;

    fake_ingest_reset();
    fx = (struct fixture){.content_type = PROTOBUF};
    bb_mem_budget_init(&fx.budget, ARENA_MAX, BB_M_MEMORY_INGEST_BYTES);
    fx.ingest.budget = &fx.budget;
    bb_arena_init(&fx.arena, ARENA_MAX);
    fx.request = (struct bb_http_request){
        .method = "POST",
        .path = bb_slice_from_cstr("/v1/traces"),
        .body = bb_slice_from_cstr("bytes"),
        .arena = &fx.arena,
        .header = header,
        .server = &fx,
    };
    reset_response(&fx);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_buf_dispose(&fx->response.body);
    bb_arena_dispose(&fx->arena);
    assert_int_equal(fx->budget.used_bytes, 0);
    return 0;
}

static void handle(struct fixture *fx)
{
    reset_response(fx);
    bb_otlp_http_handle(&fx->ingest, &fx->request, &fx->response);
}

static const char *response_header(const struct fixture *fx, const char *name)
{
    for (uint32_t i = 0; i < fx->response.header_count; i++) {
        if (strcasecmp(fx->response.headers[i].name, name) == 0) {
            return fx->response.headers[i].value;
        }
    }
    return NULL;
}

static void assert_body(const struct fixture *fx, const void *bytes, size_t size)
{
    assert_int_equal(fx->response.body.size, size);
    if (size > 0) {
        assert_memory_equal(fx->response.body.data, bytes, size);
    }
}

static void hands_a_protobuf_body_over_in_place(void **state)
{
    struct fixture *fx = *state;

    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_string_equal(fx->response.content_type, PROTOBUF);
    assert_body(fx, NULL, 0);
    assert_int_equal(fake_ingest.call_count, 1);
    assert_int_equal(fake_ingest.receiver, BB_RECEIVER_OTLP_HTTP);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fake_ingest.wire), "bytes"));
}

static void an_empty_protobuf_request_succeeds(void **state)
{
    struct fixture *fx = *state;

    fx->request.body = bb_slice_of(NULL, 0);
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_int_equal(fake_ingest.call_count, 1);
    assert_int_equal(fake_ingest.wire.size, 0);
}

static void turns_json_into_protobuf_and_answers_in_json(void **state)
{
    struct fixture *fx = *state;

    fx->content_type = "Application/JSON; charset=utf-8";
    fx->request.body = bb_slice_from_cstr(ONE_SPAN_JSON);
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_string_equal(fx->response.content_type, JSON);
    assert_body(fx, "{}", 2);
    assert_int_equal(fake_ingest.call_count, 1);
    assert_int_equal(fake_ingest.left_out.span_count, 0);
    /* resource_spans { scope_spans { span { trace_id, span_id } } } */
    assert_int_equal(fake_ingest.wire.size, 2 + 2 + 2 + 18 + 10);
}

static void tells_ingest_of_spans_that_json_left_out(void **state)
{
    struct fixture *fx = *state;

    fx->content_type = JSON;
    fx->request.body = bb_slice_from_cstr(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"xyz\"}]}]}]}");
    handle(fx);
    assert_int_equal(fake_ingest.call_count, 1);
    assert_int_equal(fake_ingest.left_out.span_count, 1);
    assert_non_null(strstr(fake_ingest.left_out.first.text, "spans[0]"));
}

static void refuses_what_is_no_json(void **state)
{
    struct fixture *fx = *state;

    fx->content_type = JSON;
    fx->request.body = bb_slice_from_cstr("{\"resourceSpans\":");
    handle(fx);
    assert_int_equal(fx->response.status, 400);
    assert_string_equal(fx->response.content_type, JSON);
    assert_int_equal(fake_ingest.call_count, 0);
    assert_int_equal(fake_ingest.refused_err, BB_EINVAL);
    assert_memory_equal(fx->response.body.data, "{\"code\":3,\"message\":\"", 21);
}

static void partial_success_is_told_in_the_request_s_format(void **state)
{
    static const char protobuf[] = "\x0a\x07\x08\x03\x12\x03"
                                   "why";
    static const char json[] =
        "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"why\"}}";
    struct fixture *fx = *state;

    fake_ingest.result =
        (struct bb_ingest_result){.outcome = BB_INGEST_PARTIAL, .rejected_count = 3};
    bb_err_set(&fake_ingest.result.message, BB_EINVAL, "why");
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_body(fx, protobuf, sizeof(protobuf) - 1);

    fx->content_type = JSON;
    fx->request.body = bb_slice_from_cstr(ONE_SPAN_JSON);
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_body(fx, json, sizeof(json) - 1);
}

static void an_overload_says_when_to_come_back(void **state)
{
    struct fixture *fx = *state;

    fake_ingest.result = (struct bb_ingest_result){.outcome = BB_INGEST_RETRY, .retry_after_s = 5};
    handle(fx);
    assert_int_equal(fx->response.status, 503);
    assert_string_equal(response_header(fx, "Retry-After"), "5");
    assert_string_equal(fx->response.content_type, PROTOBUF);
    assert_memory_equal(fx->response.body.data, "\x08\x0e", 2); /* code: UNAVAILABLE */
}

static void permanent_errors_carry_no_retry_after(void **state)
{
    static const struct {
        enum bb_ingest_outcome outcome;
        unsigned status;
        uint8_t code;
    } rows[] = {
        {BB_INGEST_INVALID, 400, 3},
        {BB_INGEST_TOO_LARGE, 413, 8},
        {BB_INGEST_INTERNAL, 500, 13},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        fake_ingest.result = (struct bb_ingest_result){.outcome = rows[i].outcome};
        handle(fx);
        assert_int_equal(fx->response.status, rows[i].status);
        assert_null(response_header(fx, "Retry-After"));
        assert_int_equal(fx->response.body.data[1], rows[i].code);
    }
}

static void a_bad_field_is_named(void **state)
{
    struct fixture *fx = *state;

    fake_ingest.result = (struct bb_ingest_result){.outcome = BB_INGEST_INVALID};
    bb_err_set(&fake_ingest.result.message, BB_EINVAL, "resourceSpans[0].resource: malformed");
    fx->content_type = JSON;
    fx->request.body = bb_slice_from_cstr(ONE_SPAN_JSON);
    handle(fx);
    assert_int_equal(fx->response.status, 400);
    bb_buf_append_byte(&fx->response.body, '\0');
    assert_non_null(strstr((const char *)fx->response.body.data,
                           "\"fieldViolations\":[{\"field\":\"resourceSpans[0].resource\","
                           "\"description\":\"malformed\"}]"));
}

static void inflates_gzip_and_accounts_for_it(void **state)
{
    struct fixture *fx = *state;
    struct bb_buf packed;

    bb_buf_init(&packed, 1000);
    assert_int_equal(bb_gzip(bb_slice_from_cstr("bytes"), &packed), BB_OK);
    fx->content_encoding = "gzip";
    fx->request.body = bb_buf_slice(&packed);
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fake_ingest.wire), "bytes"));

    fx->budget.limit_bytes = 4; /* a byte less than it inflates to */
    handle(fx);
    assert_int_equal(fx->response.status, 503);
    assert_int_equal(fake_ingest.refused_err, BB_EBUSY);
    assert_int_equal(fake_ingest.call_count, 1);
    bb_buf_dispose(&packed);
}

static void refuses_damaged_gzip(void **state)
{
    struct fixture *fx = *state;

    fx->content_encoding = "gzip";
    handle(fx);
    assert_int_equal(fx->response.status, 400);
    assert_int_equal(fake_ingest.call_count, 0);
    assert_int_equal(fake_ingest.refused_count, 1);
}

static void refuses_a_body_that_inflates_past_the_limit(void **state)
{
    struct fixture *fx = *state;
    struct bb_buf packed;
    size_t size = BB_REQUEST_BYTES_MAX + 1;
    uint8_t *noisy = bb_arena_try_calloc(&fx->arena, 1, size);

    assert_non_null(noisy);
    for (size_t i = 0; i < size; i += 64) {
        noisy[i] = (uint8_t)(i >> 6); /* keeps the ratio low */
    }
    bb_buf_init(&packed, ARENA_MAX);
    assert_int_equal(bb_gzip(bb_slice_of(noisy, size), &packed), BB_OK);
    fx->content_encoding = "gzip";
    fx->request.body = bb_buf_slice(&packed);
    handle(fx);
    assert_int_equal(fx->response.status, 413);
    assert_int_equal(fake_ingest.refused_err, BB_ETOOBIG);
    bb_buf_dispose(&packed);
}

static void refuses_other_paths_methods_types_and_encodings(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *type;
        const char *encoding;
        unsigned status;
        const char *header;
        const char *value;
        const char *answer_type;
        uint32_t refused_count; /* lost spans are counted; a stray request isn't */
    } rows[] = {
        {"POST", "/v1/metrics", PROTOBUF, NULL, 404, NULL, NULL, PROTOBUF, 0},
        {"POST", "/v1/traces/", PROTOBUF, NULL, 404, NULL, NULL, PROTOBUF, 0},
        {"GET", "/", NULL, NULL, 404, NULL, NULL, "text/plain; charset=utf-8", 0},
        {"GET", "/v1/traces", NULL, NULL, 405, "Allow", "POST", "text/plain; charset=utf-8", 0},
        {"PUT", "/v1/traces", JSON, NULL, 405, "Allow", "POST", JSON, 0},
        {"OPTIONS", "/v1/traces", NULL, NULL, 405, "Allow", "POST", "text/plain; charset=utf-8", 0},
        {"POST", "/v1/traces", NULL, NULL, 415, "Accept", PROTOBUF ", " JSON,
         "text/plain; charset=utf-8", 1},
        {"POST", "/v1/traces", "text/plain", NULL, 415, "Accept", PROTOBUF ", " JSON,
         "text/plain; charset=utf-8", 1},
        {"POST", "/v1/traces", "application/jsonx", NULL, 415, "Accept", PROTOBUF ", " JSON,
         "text/plain; charset=utf-8", 1},
        {"POST", "/v1/traces", PROTOBUF, "br", 415, "Accept-Encoding", "gzip, zstd, deflate",
         PROTOBUF, 1},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        fake_ingest_reset();
        fx->request.method = rows[i].method;
        fx->request.path = bb_slice_from_cstr(rows[i].path);
        fx->content_type = rows[i].type;
        fx->content_encoding = rows[i].encoding;
        handle(fx);
        assert_int_equal(fx->response.status, rows[i].status);
        assert_string_equal(fx->response.content_type, rows[i].answer_type);
        assert_true(fx->response.body.size > 0);
        if (rows[i].header != NULL) {
            assert_string_equal(response_header(fx, rows[i].header), rows[i].value);
        }
        assert_int_equal(fake_ingest.call_count, 0);
        assert_int_equal(fake_ingest.refused_count, rows[i].refused_count);
    }
}

static void takes_the_other_name_of_protobuf(void **state)
{
    struct fixture *fx = *state;

    fx->content_type = "application/protobuf";
    handle(fx);
    assert_int_equal(fx->response.status, 200);
    assert_int_equal(fake_ingest.call_count, 1);
}

static void counts_and_words_what_the_server_refuses(void **state)
{
    struct fixture *fx = *state;

    fx->response.status = 413;
    bb_otlp_http_refuse(&fx->ingest, &fx->request, BB_ETOOBIG, "too big", &fx->response);
    assert_int_equal(fx->response.status, 413);
    assert_int_equal(fake_ingest.refused_count, 1);
    assert_int_equal(fake_ingest.refused_err, BB_ETOOBIG);
    assert_string_equal(fx->response.content_type, PROTOBUF);
    assert_body(fx, "\x08\x08\x12\x07too big", 11);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_a_protobuf_body_over_in_place),
        TEST(an_empty_protobuf_request_succeeds),
        TEST(turns_json_into_protobuf_and_answers_in_json),
        TEST(tells_ingest_of_spans_that_json_left_out),
        TEST(refuses_what_is_no_json),
        TEST(partial_success_is_told_in_the_request_s_format),
        TEST(an_overload_says_when_to_come_back),
        TEST(permanent_errors_carry_no_retry_after),
        TEST(a_bad_field_is_named),
        TEST(inflates_gzip_and_accounts_for_it),
        TEST(refuses_damaged_gzip),
        TEST(refuses_a_body_that_inflates_past_the_limit),
        TEST(refuses_other_paths_methods_types_and_encodings),
        TEST(takes_the_other_name_of_protobuf),
        TEST(counts_and_words_what_the_server_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
