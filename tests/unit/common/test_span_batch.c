#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "tests/support/otlp_build.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* A batch and what it lives in. */
struct walked {
    struct bb_arena arena;
    struct bb_walk_result result;
};

static void walk(struct bb_slice wire, struct walked *out_walked)
{
    struct bb_err_detail detail = {{0}};

    bb_arena_init(&out_walked->arena, ARENA_BYTES);
    if (bb_otlp_walk(wire, &out_walked->arena, &detail, &out_walked->result) != BB_OK) {
        fail_msg("%s", detail.text);
    }
}

static void assert_same_spans(const struct bb_span_batch *a, const struct bb_span_batch *b)
{
    assert_int_equal(a->span_count, b->span_count);
    for (uint32_t i = 0; i < a->span_count; i++) {
        const struct bb_span_ref *x = &a->spans[i];
        const struct bb_span_ref *y = &b->spans[i];
        const struct bb_resource_ref *rx = &a->resources[x->resource_index];
        const struct bb_resource_ref *ry = &b->resources[y->resource_index];
        const struct bb_scope_ref *sx = &a->scopes[x->scope_index];
        const struct bb_scope_ref *sy = &b->scopes[y->scope_index];
        assert_true(bb_slice_equals(x->bytes, y->bytes));
        assert_true(bb_slice_equals(x->name, y->name));
        assert_true(bb_trace_id_equals(&x->trace_id, &y->trace_id));
        assert_true(bb_span_id_equals(&x->span_id, &y->span_id));
        assert_true(bb_span_id_equals(&x->parent_span_id, &y->parent_span_id));
        assert_true(x->start_unix_ns == y->start_unix_ns && x->end_unix_ns == y->end_unix_ns);
        assert_true(x->kind == y->kind && x->status_code == y->status_code);
        assert_true(bb_slice_equals(rx->bytes, ry->bytes));
        assert_true(bb_slice_equals(rx->schema_url, ry->schema_url));
        assert_true(bb_slice_equals(rx->service_name, ry->service_name));
        assert_true(bb_slice_equals(sx->bytes, sy->bytes));
        assert_true(bb_slice_equals(sx->schema_url, sy->schema_url));
    }
}

static void what_is_encoded_walks_to_the_same_spans(void **state)
{
    struct bb_buf request;
    struct bb_buf again;
    struct walked first;
    struct walked second;

    (void)state;
    build_init(&request);
    build_init(&again);
    build_full_request(&request);
    walk(bb_buf_slice(&request), &first);
    assert_int_equal(first.result.batch.span_count, 5);
    assert_int_equal(first.result.rejected_count, 0);

    bb_span_batch_encode(&first.result.batch, &again);
    assert_int_equal(bb_buf_err(&again), BB_OK);
    walk(bb_buf_slice(&again), &second);
    assert_same_spans(&first.result.batch, &second.result.batch);
    /* The builder writes each message once and in this order, so that nothing may differ. */
    assert_true(bb_slice_equals(bb_buf_slice(&again), bb_buf_slice(&request)));

    bb_arena_dispose(&first.arena);
    bb_arena_dispose(&second.arena);
    bb_buf_dispose(&request);
    bb_buf_dispose(&again);
}

static void needs_no_byte_more_than_it_writes(void **state)
{
    struct bb_buf request;
    struct bb_buf again;
    struct walked walked;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    walk(bb_buf_slice(&request), &walked);
    bb_buf_init(&again, request.size);
    bb_span_batch_encode(&walked.result.batch, &again);
    assert_int_equal(bb_buf_err(&again), BB_OK);
    bb_buf_dispose(&again);
    bb_buf_init(&again, request.size - 1);
    bb_span_batch_encode(&walked.result.batch, &again);
    assert_int_equal(bb_buf_err(&again), BB_ETOOBIG);
    bb_buf_dispose(&again);
    bb_arena_dispose(&walked.arena);
    bb_buf_dispose(&request);
}

static void a_batch_of_no_spans_is_no_bytes(void **state)
{
    struct bb_span_batch batch = {0};
    struct bb_buf out;

    (void)state;
    build_init(&out);
    bb_span_batch_encode(&batch, &out);
    assert_int_equal(bb_buf_err(&out), BB_OK);
    assert_int_equal(out.size, 0);
    bb_buf_dispose(&out);
}

/* Spans that a query has put in its own order, so that resources and scopes alternate. */
static void spans_in_any_order_keep_their_resource_and_scope(void **state)
{
    static const uint32_t order[] = {4, 0, 3, 2, 1, 0, 4};
    struct bb_span_ref spans[BB_ARRAY_COUNT(order)];
    struct bb_buf request;
    struct bb_buf again;
    struct walked first;
    struct walked second;

    (void)state;
    build_init(&request);
    build_init(&again);
    build_full_request(&request);
    walk(bb_buf_slice(&request), &first);
    struct bb_span_batch mixed = first.result.batch;
    for (size_t i = 0; i < BB_ARRAY_COUNT(order); i++) {
        spans[i] = first.result.batch.spans[order[i]];
    }
    mixed.spans = spans;
    mixed.span_count = BB_ARRAY_COUNT(order);
    bb_span_batch_encode(&mixed, &again);
    assert_int_equal(bb_buf_err(&again), BB_OK);
    walk(bb_buf_slice(&again), &second);
    assert_same_spans(&mixed, &second.result.batch);
    bb_arena_dispose(&first.arena);
    bb_arena_dispose(&second.arena);
    bb_buf_dispose(&request);
    bb_buf_dispose(&again);
}

static void a_duration_is_never_negative(void **state)
{
    struct bb_span_ref span = {.start_unix_ns = 100, .end_unix_ns = 350};

    (void)state;
    assert_int_equal(bb_span_duration_ns(&span), 250);
    span.end_unix_ns = 100;
    assert_int_equal(bb_span_duration_ns(&span), 0);
    span.end_unix_ns = 99;
    assert_int_equal(bb_span_duration_ns(&span), 0);
    span = (struct bb_span_ref){.start_unix_ns = 0, .end_unix_ns = UINT64_MAX};
    assert_true(bb_span_duration_ns(&span) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_walks_to_the_same_spans),
        cmocka_unit_test(needs_no_byte_more_than_it_writes),
        cmocka_unit_test(a_batch_of_no_spans_is_no_bytes),
        cmocka_unit_test(spans_in_any_order_keep_their_resource_and_scope),
        cmocka_unit_test(a_duration_is_never_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
