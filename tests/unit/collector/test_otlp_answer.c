/* Each outcome of a request in the codes and bodies of the protocols. */
#include "collector/otlp_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_answers(const struct bb_ingest_result *result, const char *protobuf,
                           size_t protobuf_size, const char *json)
{
    struct bb_buf out;

    bb_buf_init(&out, 1000);
    bb_otlp_answer_to_protobuf(result, &out);
    assert_int_equal(bb_buf_err(&out), BB_OK);
    assert_int_equal(out.size, protobuf_size);
    if (protobuf_size > 0) {
        assert_memory_equal(out.data, protobuf, protobuf_size);
    }
    bb_buf_clear(&out);
    bb_otlp_answer_to_json(result, &out);
    bb_buf_append_byte(&out, '\0');
    assert_string_equal((const char *)out.data, json);
    bb_buf_dispose(&out);
}

static void each_outcome_has_its_codes(void **state)
{
    static const struct {
        enum bb_ingest_outcome outcome;
        enum bb_rpc_code rpc;
        unsigned http;
        uint32_t retry_after_s;
    } rows[] = {
        {BB_INGEST_OK, BB_RPC_OK, 200, 0},
        {BB_INGEST_PARTIAL, BB_RPC_OK, 200, 0},
        {BB_INGEST_INVALID, BB_RPC_INVALID_ARGUMENT, 400, 0},
        {BB_INGEST_TOO_LARGE, BB_RPC_RESOURCE_EXHAUSTED, 413, 0},
        {BB_INGEST_RETRY, BB_RPC_UNAVAILABLE, 503, 7},
        {BB_INGEST_INTERNAL, BB_RPC_INTERNAL, 500, 0},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_ingest_result result = {.outcome = rows[i].outcome, .retry_after_s = 7};
        strncpy(result.message.text, "why", sizeof(result.message.text) - 1);
        struct bb_rpc_status status = bb_ingest_status(&result);
        assert_int_equal(status.code, rows[i].rpc);
        assert_int_equal(bb_ingest_http_status(rows[i].outcome), rows[i].http);
        /* A RetryInfo on anything else would make clients send a lost cause again. */
        assert_int_equal(status.retry_after_s, rows[i].retry_after_s);
        assert_true(bb_slice_equals_cstr(status.message, "why"));
    }
}

static void success_leaves_partial_success_unset(void **state)
{
    struct bb_ingest_result result = {.outcome = BB_INGEST_OK, .accepted_count = 3};

    (void)state;
    assert_answers(&result, NULL, 0, "{}");
}

static void partial_success_tells_how_many_and_why(void **state)
{
    static const char protobuf[] = "\x0a\x08\x08\xac\x02\x12\x03"
                                   "why";
    struct bb_ingest_result result = {.outcome = BB_INGEST_PARTIAL, .rejected_count = 300};

    (void)state;
    strncpy(result.message.text, "why", sizeof(result.message.text) - 1);
    assert_answers(&result, protobuf, sizeof(protobuf) - 1,
                   "{\"partialSuccess\":{\"rejectedSpans\":\"300\",\"errorMessage\":\"why\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_outcome_has_its_codes),
        cmocka_unit_test(success_leaves_partial_success_unset),
        cmocka_unit_test(partial_success_tells_how_many_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
