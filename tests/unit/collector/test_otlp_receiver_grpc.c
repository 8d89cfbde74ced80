/* TraceService/Export: each outcome of ingest as a call's answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "collector/receivers.h"
#include "tests/support/fake_ingest.h"

struct fixture {
    struct bb_rpc_call call; /* first */
    struct bb_arena arena;
    struct bb_buf sent;
    uint32_t sent_count;
    bool is_gone; /* the client */
};

static enum bb_err take_message(struct bb_rpc_call *call, struct bb_slice message)
{
    struct fixture *fx = (struct fixture *)call;

    if (fx->is_gone) {
        return BB_ECANCELLED;
    }
    fx->sent_count++;
    bb_buf_append_slice(&fx->sent, message);
    return BB_OK;
}

static int set_up(void **state)
{
    static struct fixture fx;

    fake_ingest_reset();
    fx = (struct fixture){0};
    bb_arena_init(&fx.arena, 1u << 20);
    bb_buf_init(&fx.sent, 1u << 20);
    fx.call.request = bb_slice_from_cstr("bytes");
    fx.call.arena = &fx.arena;
    fx.call.send = take_message;
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    bb_buf_dispose(&fx->sent);
    return 0;
}

static void export_as(struct fixture *fx, enum bb_ingest_outcome outcome, const char *message)
{
    fake_ingest.result.outcome = outcome;
    fake_ingest.result.retry_after_s = 2;
    bb_err_set(&fake_ingest.result.message, BB_OK, "%s", message);
    bb_otlp_grpc_export(NULL, &fx->call);
}

static void success_is_one_empty_message(void **state)
{
    struct fixture *fx = *state;

    export_as(fx, BB_INGEST_OK, "");
    assert_int_equal(fx->call.code, BB_RPC_OK);
    assert_int_equal(fx->sent_count, 1);
    assert_int_equal(fx->sent.size, 0);
    assert_int_equal(fake_ingest.receiver, BB_RECEIVER_OTLP_GRPC);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&fake_ingest.wire), "bytes"));
}

static void partial_success_is_told_in_the_message(void **state)
{
    struct fixture *fx = *state;

    fake_ingest.result.rejected_count = 3;
    export_as(fx, BB_INGEST_PARTIAL, "why");
    assert_int_equal(fx->call.code, BB_RPC_OK);
    assert_int_equal(fx->sent_count, 1);
    assert_int_equal(fx->sent.size, 9);
    assert_memory_equal(fx->sent.data, "\x0a\x07\x08\x03\x12\x03why", 9);
}

static void an_overload_is_unavailable_with_retry_info(void **state)
{
    struct fixture *fx = *state;

    export_as(fx, BB_INGEST_RETRY, "busy");
    assert_int_equal(fx->call.code, BB_RPC_UNAVAILABLE);
    assert_string_equal(fx->call.message.text, "busy");
    assert_int_equal(fx->sent_count, 0);
    assert_non_null(memmem(fx->call.status_details.data, fx->call.status_details.size,
                           "google.rpc.RetryInfo", 20));
}

static void too_large_has_no_retry_info(void **state)
{
    struct fixture *fx = *state;

    export_as(fx, BB_INGEST_TOO_LARGE, "large");
    assert_int_equal(fx->call.code, BB_RPC_RESOURCE_EXHAUSTED);
    assert_int_equal(fx->call.status_details.size, 0); /* with it, clients would send it again */
    assert_int_equal(fx->sent_count, 0);
}

static void a_bad_request_names_its_field(void **state)
{
    struct fixture *fx = *state;

    export_as(fx, BB_INGEST_INVALID, "resourceSpans[0]: malformed");
    assert_int_equal(fx->call.code, BB_RPC_INVALID_ARGUMENT);
    assert_non_null(memmem(fx->call.status_details.data, fx->call.status_details.size,
                           "google.rpc.BadRequest", 21));
}

static void our_own_fault_is_internal(void **state)
{
    struct fixture *fx = *state;

    export_as(fx, BB_INGEST_INTERNAL, "oops");
    assert_int_equal(fx->call.code, BB_RPC_INTERNAL);
    assert_int_equal(fx->sent_count, 0);
}

static void a_client_that_has_gone_ends_the_call(void **state)
{
    struct fixture *fx = *state;

    fx->is_gone = true;
    export_as(fx, BB_INGEST_OK, "");
    assert_int_equal(fx->call.code, BB_RPC_CANCELLED);
}

static void what_the_server_refuses_is_counted(void **state)
{
    (void)state;
    bb_otlp_grpc_refused(NULL, BB_EBUSY, "too many");
    assert_int_equal(fake_ingest.refused_count, 1);
    assert_int_equal(fake_ingest.refused_err, BB_EBUSY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(success_is_one_empty_message),
        TEST(partial_success_is_told_in_the_message),
        TEST(an_overload_is_unavailable_with_retry_info),
        TEST(too_large_has_no_retry_info),
        TEST(a_bad_request_names_its_field),
        TEST(our_own_fault_is_internal),
        TEST(a_client_that_has_gone_ends_the_call),
        TEST(what_the_server_refuses_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
