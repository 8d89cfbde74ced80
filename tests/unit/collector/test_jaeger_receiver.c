/* PostSpans: an answer that can't tell of single spans, so all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "collector/receivers.h"
#include "tests/support/fake_ingest.h"

/* PostSpansRequest { batch { spans { trace_id, span_id } } }; the second span has no ids. */
static const char one_span[] = "\x0a\x1e\x0a\x1c\x0a\x10"
                               "0123456789abcdef"
                               "\x12\x08"
                               "01234567";
static const char bad_span[] = "\x0a\x02\x0a\x00";

struct fixture {
    struct bb_rpc_call call; /* first */
    struct bb_arena arena;
    uint32_t sent_count;
    size_t sent_size;
};

static enum bb_err take_message(struct bb_rpc_call *call, struct bb_slice message)
{
    struct fixture *fx = (struct fixture *)call;

    fx->sent_count++;
    fx->sent_size += message.size;
    return BB_OK;
}

static int set_up(void **state)
{
    static struct fixture fx;

    fake_ingest_reset();
    fx = (struct fixture){0};
    bb_arena_init(&fx.arena, 1u << 20);
    fx.call.request = bb_slice_of(one_span, sizeof(one_span) - 1);
    fx.call.arena = &fx.arena;
    fx.call.send = take_message;
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    return 0;
}

static void hands_over_otlp_and_answers_an_empty_message(void **state)
{
    struct fixture *fx = *state;

    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fx->call.code, BB_RPC_OK);
    assert_int_equal(fx->sent_count, 1);
    assert_int_equal(fx->sent_size, 0);
    assert_int_equal(fake_ingest.call_count, 1);
    assert_int_equal(fake_ingest.receiver, BB_RECEIVER_JAEGER_GRPC);
    assert_int_equal(fake_ingest.left_out.span_count, 0);
    assert_true(fake_ingest.wire.size > 0);
}

static void an_empty_request_succeeds(void **state)
{
    struct fixture *fx = *state;

    fx->call.request = bb_slice_of(NULL, 0);
    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fx->call.code, BB_RPC_OK);
    assert_int_equal(fx->sent_count, 1);
}

static void is_ok_when_some_spans_are_rejected(void **state)
{
    struct fixture *fx = *state;

    fake_ingest.result = (struct bb_ingest_result){
        .outcome = BB_INGEST_PARTIAL, .accepted_count = 1, .rejected_count = 1};
    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fx->call.code, BB_RPC_OK);
    assert_int_equal(fx->sent_count, 1);
}

static void is_invalid_when_all_spans_are_rejected(void **state)
{
    struct fixture *fx = *state;

    fx->call.request = bb_slice_of(bad_span, sizeof(bad_span) - 1);
    fake_ingest.result =
        (struct bb_ingest_result){.outcome = BB_INGEST_PARTIAL, .rejected_count = 1};
    bb_err_set(&fake_ingest.result.message, BB_EINVAL, "1 span rejected");
    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fake_ingest.left_out.span_count, 1);
    assert_int_equal(fx->call.code, BB_RPC_INVALID_ARGUMENT);
    assert_string_equal(fx->call.message.text, "1 span rejected");
    assert_int_equal(fx->sent_count, 0);
}

static void an_overload_is_unavailable_with_retry_info(void **state)
{
    struct fixture *fx = *state;

    fake_ingest.result = (struct bb_ingest_result){.outcome = BB_INGEST_RETRY, .retry_after_s = 1};
    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fx->call.code, BB_RPC_UNAVAILABLE);
    assert_true(fx->call.status_details.size > 0);
    assert_int_equal(fx->sent_count, 0);
}

static void refuses_and_counts_a_malformed_request(void **state)
{
    struct fixture *fx = *state;

    fx->call.request = bb_slice_of("\x0a\x7f", 2);
    bb_jaeger_grpc_post_spans(NULL, &fx->call);
    assert_int_equal(fx->call.code, BB_RPC_INVALID_ARGUMENT);
    assert_int_equal(fake_ingest.call_count, 0);
    assert_int_equal(fake_ingest.refused_count, 1);
    assert_int_equal(fx->sent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_over_otlp_and_answers_an_empty_message),
        TEST(an_empty_request_succeeds),
        TEST(is_ok_when_some_spans_are_rejected),
        TEST(is_invalid_when_all_spans_are_rejected),
        TEST(an_overload_is_unavailable_with_retry_info),
        TEST(refuses_and_counts_a_malformed_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
