/* What comes of a request: outcome, counts, words, metrics, and what reaches the store, a fake. */
#include "collector/ingest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/metrics.h"
#include "common/otlp_walk.h"
#include "tests/support/otlp_build.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* The fake store: keeps what the last append gave it, and answers as it is told. */
struct bb_store {
    enum bb_err answer;
    int append_count;
    uint32_t span_count;
    struct bb_buf wire;  /* a copy */
    bool is_inside_wire; /* each span's bytes lie in the wire that was given */
};

enum bb_err bb_store_append(struct bb_store *store, const struct bb_span_batch *batch,
                            struct bb_slice wire, struct bb_err_detail *detail)
{
    store->append_count++;
    store->span_count = batch->span_count;
    store->is_inside_wire = true;
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct bb_slice bytes = batch->spans[i].bytes;

        store->is_inside_wire = store->is_inside_wire && bytes.data >= wire.data &&
                                bytes.data + bytes.size <= wire.data + wire.size;
    }
    bb_buf_clear(&store->wire);
    bb_buf_append_slice(&store->wire, wire);
    return store->answer == BB_OK ? BB_OK : bb_err_set(detail, store->answer, "the fake's words");
}

struct fixture {
    struct bb_store store;
    struct bb_ingest ingest;
    struct bb_arena arena;
    struct bb_buf request;
    struct bb_ingest_result result;
};

static int set_up(void **state)
{
    static struct fixture fx;

    fx = (struct fixture){.ingest = {.store = &fx.store}};
    bb_buf_init(&fx.store.wire, BUILD_BYTES_MAX);
    bb_arena_init(&fx.arena, ARENA_BYTES);
    build_init(&fx.request);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_buf_dispose(&fx->store.wire);
    bb_buf_dispose(&fx->request);
    bb_arena_dispose(&fx->arena);
    return 0;
}

/* A request of `good_count` good spans and behind them `bad_count` with a trace id of 3 bytes. */
static void build_request(struct fixture *fx, int good_count, int bad_count)
{
    struct bb_buf scope_spans;
    struct bb_buf resource_spans;

    build_init(&scope_spans);
    build_init(&resource_spans);
    for (int i = 0; i < good_count; i++) {
        build_put_span(&scope_spans, (uint8_t)(i + 1));
    }
    for (int i = 0; i < bad_count; i++) {
        struct bb_buf span;

        build_init(&span);
        build_put_text(&span, BB_F_SPAN_TRACE_ID, "abc");
        build_put(&scope_spans, BB_F_SCOPE_SPANS_SPANS, &span);
    }
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(&fx->request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
}

static const struct bb_ingest_result *take(struct fixture *fx, const struct bb_left_out *left_out)
{
    memset(&fx->result, 0xff, sizeof fx->result);
    bb_ingest_otlp(&fx->ingest, BB_RECEIVER_OTLP_HTTP, bb_buf_slice(&fx->request), left_out,
                   &fx->arena, &fx->result);
    return &fx->result;
}

static void good_spans_reach_the_store_as_they_came(void **state)
{
    struct fixture *fx = *state;
    int64_t accepted = bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_HTTP);
    int64_t bytes = bb_metric_get(BB_M_RECEIVED_BYTES);

    build_request(fx, 3, 0);
    const struct bb_ingest_result *result = take(fx, NULL);
    assert_int_equal(result->outcome, BB_INGEST_OK);
    assert_int_equal(result->accepted_count, 3);
    assert_int_equal(result->rejected_count, 0);
    assert_string_equal(result->message.text, "");
    assert_int_equal(fx->store.span_count, 3);
    assert_true(bb_slice_equals(bb_buf_slice(&fx->store.wire), bb_buf_slice(&fx->request)));
    assert_true(fx->store.is_inside_wire);
    assert_int_equal(bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_HTTP), accepted + 3);
    assert_int_equal(bb_metric_get(BB_M_RECEIVED_BYTES), bytes + (int64_t)fx->request.size);
}

static void each_receiver_counts_for_itself(void **state)
{
    struct fixture *fx = *state;
    int64_t grpc = bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_GRPC);
    int64_t jaeger = bb_metric_get(BB_M_SPANS_ACCEPTED_JAEGER_GRPC);

    build_request(fx, 2, 0);
    bb_ingest_otlp(&fx->ingest, BB_RECEIVER_JAEGER_GRPC, bb_buf_slice(&fx->request), NULL,
                   &fx->arena, &fx->result);
    assert_int_equal(bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_GRPC), grpc);
    assert_int_equal(bb_metric_get(BB_M_SPANS_ACCEPTED_JAEGER_GRPC), jaeger + 2);
}

static void an_empty_request_succeeds_without_the_store(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(take(fx, NULL)->outcome, BB_INGEST_OK);
    build_request(fx, 0, 0);
    assert_int_equal(take(fx, NULL)->outcome, BB_INGEST_OK);
    assert_int_equal(fx->result.accepted_count, 0);
    assert_int_equal(fx->store.append_count, 0);
}

static void bad_spans_are_rejected_and_the_store_sees_the_others_alone(void **state)
{
    struct fixture *fx = *state;
    int64_t rejected = bb_metric_get(BB_M_SPANS_REJECTED_TRACE_ID);
    struct bb_walk_result walked;

    build_request(fx, 2, 3);
    const struct bb_ingest_result *result = take(fx, NULL);
    assert_int_equal(result->outcome, BB_INGEST_PARTIAL);
    assert_int_equal(result->accepted_count, 2);
    assert_int_equal(result->rejected_count, 3);
    assert_string_equal(result->message.text,
                        "3 spans rejected, the first: resource_spans[0].scope_spans[0].spans[2]."
                        "trace_id: must be 16 bytes, is 3");
    assert_int_equal(bb_metric_get(BB_M_SPANS_REJECTED_TRACE_ID), rejected + 3);

    /* The log must not have the bad ones: they would be served after a restart. */
    assert_int_equal(fx->store.span_count, 2);
    assert_true(fx->store.is_inside_wire);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&fx->store.wire), &fx->arena, NULL, &walked), BB_OK);
    assert_int_equal(walked.batch.span_count, 2);
    assert_int_equal(walked.rejected_count, 0);
}

static void a_request_of_bad_spans_alone_is_partial_and_stores_nothing(void **state)
{
    struct fixture *fx = *state;

    build_request(fx, 0, 1);
    assert_int_equal(take(fx, NULL)->outcome, BB_INGEST_PARTIAL);
    assert_int_equal(fx->result.accepted_count, 0);
    assert_int_equal(fx->result.rejected_count, 1);
    assert_non_null(strstr(fx->result.message.text, "1 span rejected, the first: "));
    assert_int_equal(fx->store.append_count, 0);
}

static void what_a_transcoder_left_out_is_counted_too(void **state)
{
    struct fixture *fx = *state;
    struct bb_left_out left_out = {.span_count = 2, .first = {"spans[7].name: must be a string"}};
    int64_t malformed = bb_metric_get(BB_M_SPANS_REJECTED_MALFORMED);

    build_request(fx, 1, 1);
    const struct bb_ingest_result *result = take(fx, &left_out);
    assert_int_equal(result->outcome, BB_INGEST_PARTIAL);
    assert_int_equal(result->accepted_count, 1);
    assert_int_equal(result->rejected_count, 3);
    assert_string_equal(result->message.text,
                        "3 spans rejected, the first: spans[7].name: must be a string");
    assert_int_equal(bb_metric_get(BB_M_SPANS_REJECTED_MALFORMED), malformed + 2);
}

static void a_malformed_envelope_is_invalid_and_names_the_place(void **state)
{
    struct fixture *fx = *state;
    int64_t invalid = bb_metric_get(BB_M_REQUESTS_REFUSED_INVALID);

    bb_buf_append(&fx->request, "\x0a\x7f", 2); /* 127 bytes are told, none are there */
    assert_int_equal(take(fx, NULL)->outcome, BB_INGEST_INVALID);
    assert_non_null(strstr(fx->result.message.text, "resource_spans"));
    assert_int_equal(fx->result.accepted_count, 0);
    assert_int_equal(fx->store.append_count, 0);
    assert_int_equal(bb_metric_get(BB_M_REQUESTS_REFUSED_INVALID), invalid + 1);
}

static void a_request_over_the_limit_is_too_large(void **state)
{
    struct fixture *fx = *state;
    int64_t too_large = bb_metric_get(BB_M_REQUESTS_REFUSED_TOO_LARGE);
    struct bb_slice wire = bb_slice_of("", BB_REQUEST_BYTES_MAX + 1); /* refused unread */

    bb_ingest_otlp(&fx->ingest, BB_RECEIVER_OTLP_GRPC, wire, NULL, &fx->arena, &fx->result);
    assert_int_equal(fx->result.outcome, BB_INGEST_TOO_LARGE);
    assert_int_equal(bb_metric_get(BB_M_REQUESTS_REFUSED_TOO_LARGE), too_large + 1);
}

static void an_arena_at_its_limit_asks_for_a_retry(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena small;

    bb_arena_init(&small, 64);
    build_request(fx, 1, 0);
    bb_ingest_otlp(&fx->ingest, BB_RECEIVER_OTLP_GRPC, bb_buf_slice(&fx->request), NULL, &small,
                   &fx->result);
    assert_int_equal(fx->result.outcome, BB_INGEST_RETRY);
    assert_true(fx->result.retry_after_s > 0);
    bb_arena_dispose(&small);
}

static void each_failure_of_the_store_has_its_outcome_and_counter(void **state)
{
    static const struct {
        enum bb_err answer;
        enum bb_ingest_outcome outcome;
        enum bb_metric metric;
        const char *words;
    } cases[] = {
        {BB_EBUSY, BB_INGEST_RETRY, BB_M_REQUESTS_REFUSED_BUSY, "the fake's words"},
        {BB_ENOMEM, BB_INGEST_RETRY, BB_M_REQUESTS_REFUSED_BUSY, "the fake's words"},
        {BB_EFULL, BB_INGEST_RETRY, BB_M_REQUESTS_REFUSED_DISK, "no space left"},
        {BB_EIO, BB_INGEST_RETRY, BB_M_REQUESTS_REFUSED_DISK, "the disk refuses writes"},
        {BB_ECORRUPT, BB_INGEST_INTERNAL, BB_M_REQUESTS_REFUSED_INTERNAL, "the fake's words"},
    };
    struct fixture *fx = *state;

    build_request(fx, 1, 1);
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        int64_t refused = bb_metric_get(cases[i].metric);
        int64_t accepted = bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_HTTP);
        int64_t rejected = bb_metric_get(BB_M_SPANS_REJECTED_TRACE_ID);

        fx->store.answer = cases[i].answer;
        const struct bb_ingest_result *result = take(fx, NULL);
        assert_int_equal(result->outcome, cases[i].outcome);
        assert_int_equal(result->retry_after_s > 0, cases[i].outcome == BB_INGEST_RETRY);
        assert_int_equal(result->accepted_count, 0);
        assert_int_equal(result->rejected_count, 0);
        assert_non_null(strstr(result->message.text, cases[i].words));
        assert_int_equal(bb_metric_get(cases[i].metric), refused + 1);
        /* Nothing was taken, and the same spans may come again: they aren't counted now. */
        assert_int_equal(bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_HTTP), accepted);
        assert_int_equal(bb_metric_get(BB_M_SPANS_REJECTED_TRACE_ID), rejected);
    }
}

static void a_refusal_before_the_walk_gives_the_same_kind_of_result(void **state)
{
    static const struct {
        enum bb_err err;
        enum bb_ingest_outcome outcome;
    } cases[] = {
        {BB_EINVAL, BB_INGEST_INVALID},
        {BB_ETOOBIG, BB_INGEST_TOO_LARGE},
        {BB_EBUSY, BB_INGEST_RETRY},
        {BB_ENOMEM, BB_INGEST_RETRY},
    };
    struct bb_err_detail detail = {"gzip: cut short"};
    struct bb_ingest_result result;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        bb_ingest_refuse(cases[i].err, &detail, &result);
        assert_int_equal(result.outcome, cases[i].outcome);
        assert_string_equal(result.message.text, "gzip: cut short");
        bb_ingest_refuse(cases[i].err, NULL, &result);
        assert_string_equal(result.message.text, bb_err_text(cases[i].err));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_spans_reach_the_store_as_they_came),
        TEST(each_receiver_counts_for_itself),
        TEST(an_empty_request_succeeds_without_the_store),
        TEST(bad_spans_are_rejected_and_the_store_sees_the_others_alone),
        TEST(a_request_of_bad_spans_alone_is_partial_and_stores_nothing),
        TEST(what_a_transcoder_left_out_is_counted_too),
        TEST(a_malformed_envelope_is_invalid_and_names_the_place),
        TEST(a_request_over_the_limit_is_too_large),
        TEST(an_arena_at_its_limit_asks_for_a_retry),
        TEST(each_failure_of_the_store_has_its_outcome_and_counter),
        TEST(a_refusal_before_the_walk_gives_the_same_kind_of_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
