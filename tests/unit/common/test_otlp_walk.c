/*
 * test_otlp_walk.c - what the walk takes, and what it leaves. The tables of bad fields are in
 * test_otlp_walk_tables.c, the bounds in test_otlp_walk_limits.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "tests/support/fault.h"
#include "tests/support/otlp_build.h"

#define ARENA_BYTES ((size_t)16 << 20)

static struct bb_arena arena;

static int set_up(void **state)
{
    (void)state;
    bb_arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_arena_dispose(&arena);
    return 0;
}

/* Walks bytes that must be accepted as a request. */
static struct bb_walk_result walk(struct bb_slice wire)
{
    struct bb_walk_result result;
    struct bb_err_detail detail = {{0}};

    if (bb_otlp_walk(wire, &arena, &detail, &result) != BB_OK) {
        fail_msg("%s", detail.text);
    }
    return result;
}

/* A request of one span with this body; the caller disposes of `request`. */
static struct bb_walk_result walk_span_of(struct bb_slice body, struct bb_buf *request)
{
    struct bb_buf span;

    build_init(&span);
    build_init(request);
    bb_buf_append_slice(&span, body);
    build_request_of_span(request, &span);
    return walk(bb_buf_slice(request));
}

static void an_empty_request_is_a_batch_of_no_spans(void **state)
{
    (void)state;
    struct bb_walk_result result = walk(bb_slice_of(NULL, 0));
    assert_int_equal(result.batch.span_count, 0);
    assert_int_equal(result.batch.resource_count, 0);
    assert_int_equal(result.batch.scope_count, 0);
    assert_int_equal(result.rejected_count, 0);
    assert_string_equal(result.first_rejection.text, "");
}

static void empty_envelopes_are_taken(void **state)
{
    (void)state;
    struct bb_walk_result result = walk(BYTES_OF("\x0a\x00"));
    assert_int_equal(result.batch.span_count, 0);
    assert_int_equal(result.batch.resource_count, 1);
    result = walk(BYTES_OF("\x0a\x02\x12\x00\x0a\x04\x0a\x00\x12\x00"));
    assert_int_equal(result.batch.span_count, 0);
    assert_int_equal(result.batch.resource_count, 2);
    assert_int_equal(result.batch.scope_count, 2);
    assert_int_equal(result.rejected_count, 0);
}

static void reads_out_what_search_needs(void **state)
{
    struct bb_buf request;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    struct bb_walk_result result = walk(bb_buf_slice(&request));
    const struct bb_span_batch *batch = &result.batch;
    assert_int_equal(batch->resource_count, 2);
    assert_int_equal(batch->scope_count, 3);
    assert_int_equal(batch->span_count, 5);
    assert_int_equal(result.rejected_count, 0);
    for (uint32_t i = 0; i < 5; i++) {
        const struct bb_span_ref *span = &batch->spans[i];
        uint8_t seed = (uint8_t)(i + 1);
        assert_int_equal(span->trace_id.bytes[0], seed);
        assert_int_equal(span->trace_id.bytes[15], seed + 15);
        assert_int_equal(span->span_id.bytes[7], seed + 7);
        assert_int_equal(span->parent_span_id.bytes[0], seed + 50);
        assert_true(span->start_unix_ns == UINT64_C(1700000000000000000) + seed);
        assert_true(span->end_unix_ns == UINT64_C(1700000000500000000) + seed);
        assert_int_equal(span->name.size, strlen("operation-1"));
        assert_int_equal(span->name.data[10], '0' + seed);
        assert_int_equal(span->kind, BB_KIND_SERVER);
        assert_int_equal(span->status_code, BB_STATUS_ERROR);
        assert_int_equal(span->resource_index, i < 3 ? 0 : 1);
        assert_int_equal(span->scope_index, i < 2 ? 0 : i < 3 ? 1 : 2);
    }
    assert_true(bb_slice_equals_cstr(batch->resources[0].service_name, "shop"));
    assert_true(
        bb_slice_equals_cstr(batch->resources[0].schema_url, "https://example.test/resource"));
    assert_int_equal(batch->resources[1].service_name.size, 0);
    assert_int_equal(batch->resources[1].bytes.size, 0);
    assert_true(bb_slice_equals_cstr(batch->scopes[2].schema_url, "https://example.test/scope"));
    bb_buf_dispose(&request);
}

/* The batch copies nothing: a span's bytes are the very bytes of the request. */
static void slices_point_into_the_walked_bytes(void **state)
{
    struct bb_buf request;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    struct bb_walk_result result = walk(bb_buf_slice(&request));
    const uint8_t *end = request.data + request.size;
    for (uint32_t i = 0; i < result.batch.span_count; i++) {
        const struct bb_span_ref *span = &result.batch.spans[i];
        assert_true(span->bytes.data > request.data && span->bytes.data + span->bytes.size <= end);
        assert_true(span->name.data > span->bytes.data);
        assert_true(span->name.data + span->name.size <= span->bytes.data + span->bytes.size);
    }
    bb_buf_dispose(&request);
}

static void unknown_fields_stay_in_the_bytes_of_a_span(void **state)
{
    struct bb_buf span;
    struct bb_buf request;

    (void)state;
    build_init(&span);
    build_span_body(&span, 1);
    build_put_text(&span, 17, "a later field");
    bb_pb_write_uint(&span, 20000, 7);
    bb_pb_write_fixed64(&span, (1u << 29) - 1, 7);
    bb_pb_write_fixed32(&span, 18, 7);
    bb_pb_write_bytes(&span, 19, BYTES_OF("\xff\xff no message and no text"));
    struct bb_walk_result result = walk_span_of(bb_buf_slice(&span), &request);
    assert_int_equal(result.batch.span_count, 1);
    assert_true(bb_slice_equals(result.batch.spans[0].bytes, bb_buf_slice(&span)));
    bb_buf_dispose(&span);
    bb_buf_dispose(&request);
}

static void unknown_fields_of_the_envelopes_are_skipped(void **state)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    (void)state;
    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put_text(&scope_spans, 1000, "\xff");
    build_put_span(&scope_spans, 1);
    bb_pb_write_uint(&scope_spans, 4, 1);
    bb_pb_write_fixed32(&resource_spans, 4, 1);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put_text(&resource_spans, 1000, "instrumentation_library_spans of old");
    bb_pb_write_fixed64(&request, 2, 1);
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    build_put_text(&request, 3, "\xff");
    struct bb_walk_result result = walk(bb_buf_slice(&request));
    assert_int_equal(result.batch.span_count, 1);
    assert_int_equal(result.rejected_count, 0);
    bb_buf_dispose(&request);
}

static void unknown_enum_numbers_are_taken_as_unspecified(void **state)
{
    static const struct {
        uint64_t sent;
        uint8_t kind;
        uint8_t status;
    } cases[] = {
        {0, 0, 0},
        {1, 1, 1},
        {2, 2, 2},
        {3, 3, 0},
        {5, 5, 0},
        {6, 0, 0},
        {255, 0, 0},
        {UINT32_MAX, 0, 0},
        {UINT64_MAX, 0, 0},              /* -1 */
        {(UINT64_C(1) << 32) + 2, 2, 2}, /* protobuf keeps 32 bits */
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_buf span;
        struct bb_buf status;
        struct bb_buf request;
        build_init(&span);
        build_init(&status);
        build_span_body(&span, 1);
        bb_pb_write_uint(&span, BB_F_SPAN_KIND, cases[i].sent);
        bb_pb_write_uint(&status, BB_F_STATUS_CODE, cases[i].sent);
        build_put(&span, BB_F_SPAN_STATUS, &status);
        struct bb_walk_result result = walk_span_of(bb_buf_slice(&span), &request);
        assert_int_equal(result.batch.span_count, 1);
        assert_int_equal(result.batch.spans[0].kind, cases[i].kind);
        assert_int_equal(result.batch.spans[0].status_code, cases[i].status);
        bb_buf_dispose(&span);
        bb_buf_dispose(&request);
    }
}

static void of_a_field_that_comes_twice_the_last_counts(void **state)
{
    struct bb_buf span;
    struct bb_buf request;

    (void)state;
    build_init(&span);
    build_span_body(&span, 1);
    build_span_body(&span, 2);
    bb_pb_write_bytes(&span, BB_F_SPAN_PARENT_SPAN_ID, BYTES_OF("12345678"));
    bb_pb_write_bytes(&span, BB_F_SPAN_PARENT_SPAN_ID, BYTES_OF("")); /* a root after all */
    bb_pb_write_bytes(&span, BB_F_SPAN_STATUS, BYTES_OF("\x18\x02"));
    bb_pb_write_bytes(&span, BB_F_SPAN_STATUS, BYTES_OF("\x12\x01m")); /* merged: still an error */
    struct bb_walk_result result = walk_span_of(bb_buf_slice(&span), &request);
    assert_int_equal(result.batch.span_count, 1);
    assert_int_equal(result.batch.spans[0].trace_id.bytes[0], 2);
    assert_int_equal(result.batch.spans[0].span_id.bytes[0], 2);
    assert_true(bb_slice_equals_cstr(result.batch.spans[0].name, "operation-2"));
    assert_true(bb_span_id_is_zero(&result.batch.spans[0].parent_span_id));
    assert_int_equal(result.batch.spans[0].status_code, BB_STATUS_ERROR);
    bb_buf_dispose(&span);
    bb_buf_dispose(&request);
}

static void a_parent_id_of_zeros_is_a_root(void **state)
{
    struct bb_buf span;
    struct bb_buf request;

    (void)state;
    build_init(&span);
    build_span_body(&span, 1);
    bb_pb_write_bytes(&span, BB_F_SPAN_PARENT_SPAN_ID, BYTES_OF("\0\0\0\0\0\0\0\0"));
    struct bb_walk_result result = walk_span_of(bb_buf_slice(&span), &request);
    assert_int_equal(result.batch.span_count, 1);
    assert_true(bb_span_id_is_zero(&result.batch.spans[0].parent_span_id));
    bb_buf_dispose(&span);
    bb_buf_dispose(&request);
}

static void a_link_may_name_nothing(void **state)
{
    struct bb_buf span;
    struct bb_buf link;
    struct bb_buf request;

    (void)state;
    build_init(&span);
    build_span_body(&span, 1);
    bb_pb_write_bytes(&span, BB_F_SPAN_LINKS, BYTES_OF(""));
    build_init(&link);
    bb_pb_write_bytes(&link, BB_F_LINK_TRACE_ID, BYTES_OF(""));
    bb_pb_write_bytes(&link, BB_F_LINK_SPAN_ID, BYTES_OF(""));
    build_put_attribute(&link, BB_F_LINK_ATTRIBUTES, "why", "for its attributes");
    build_put(&span, BB_F_SPAN_LINKS, &link);
    struct bb_walk_result result = walk_span_of(bb_buf_slice(&span), &request);
    assert_int_equal(result.batch.span_count, 1);
    bb_buf_dispose(&span);
    bb_buf_dispose(&request);
}

/* Three resources in one ResourceSpans, and two scopes in one ScopeSpans: protobuf merges them. */
static void a_repeated_resource_or_scope_is_joined(void **state)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;
    struct bb_buf owner;

    (void)state;
    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_init(&owner);
    build_put_text(&owner, BB_F_SCOPE_NAME, "library");
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, &owner);
    build_put_span(&scope_spans, 1);
    build_init(&owner);
    build_put_text(&owner, BB_F_SCOPE_VERSION, "1.0");
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, &owner);

    build_init(&owner);
    build_put_attribute(&owner, BB_F_RESOURCE_ATTRIBUTES, "host.name", "a");
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &owner);
    bb_pb_write_bytes(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, BYTES_OF(""));
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_init(&owner);
    build_put_attribute(&owner, BB_F_RESOURCE_ATTRIBUTES, "service.name", "cart");
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &owner);
    build_init(&owner);
    bb_pb_write_uint(&owner, BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT, 9);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &owner);
    build_put_text(&resource_spans, BB_F_RESOURCE_SPANS_SCHEMA_URL, "first");
    build_put_text(&resource_spans, BB_F_RESOURCE_SPANS_SCHEMA_URL, "last");
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);

    struct bb_walk_result result = walk(bb_buf_slice(&request));
    assert_int_equal(result.batch.span_count, 1);
    assert_true(bb_slice_equals(result.batch.resources[0].bytes,
                                BYTES_OF("\x0a\x10\x0a\x09host.name\x12\x03\x0a\x01"
                                         "a"
                                         "\x0a\x16\x0a\x0cservice.name\x12\x06\x0a\x04"
                                         "cart\x10\x09")));
    assert_true(bb_slice_equals_cstr(result.batch.resources[0].service_name, "cart"));
    assert_true(bb_slice_equals_cstr(result.batch.resources[0].schema_url, "last"));
    assert_true(bb_slice_equals(result.batch.scopes[0].bytes, BYTES_OF("\x0a\x07library\x12\x03"
                                                                       "1.0")));
    bb_buf_dispose(&request);
}

static void counts_rejections_by_reason_and_tells_the_first(void **state)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;
    uint64_t sum = 0;

    (void)state;
    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put_span(&scope_spans, 1);
    bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SPANS, BYTES_OF("\x0a\x03xyz"));
    build_put_span(&scope_spans, 2);
    bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SPANS, BYTES_OF("\x00")); /* field number 0 */
    bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SPANS, BYTES_OF("\x2a\x01\xff"));
    bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SPANS, BYTES_OF("\x2a\x01\xff"));
    build_put_span(&scope_spans, 3);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);

    struct bb_walk_result result = walk(bb_buf_slice(&request));
    assert_int_equal(result.batch.span_count, 3);
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(result.batch.spans[i].trace_id.bytes[0], i + 1);
    }
    assert_int_equal(result.rejected_count, 4);
    assert_int_equal(result.rejected_by_reason[BB_REJECT_TRACE_ID], 1);
    assert_int_equal(result.rejected_by_reason[BB_REJECT_MALFORMED], 1);
    assert_int_equal(result.rejected_by_reason[BB_REJECT_UTF8], 2);
    for (int reason = 0; reason < BB_REJECT_COUNT_OF; reason++) {
        sum += result.rejected_by_reason[reason];
    }
    assert_int_equal(sum, result.rejected_count);
    assert_string_equal(
        result.first_rejection.text,
        "resource_spans[0].scope_spans[0].spans[1].trace_id: must be 16 bytes, is 3");
    bb_buf_dispose(&request);
}

static void spans_of_nothing_are_rejected_one_by_one(void **state)
{
    (void)state;
    struct bb_walk_result result = walk(BYTES_OF("\x0a\x08\x12\x06\x12\x00\x12\x00\x12\x00"));
    assert_int_equal(result.batch.span_count, 0);
    assert_int_equal(result.rejected_count, 3);
    assert_int_equal(result.rejected_by_reason[BB_REJECT_TRACE_ID], 3);
    assert_string_equal(
        result.first_rejection.text,
        "resource_spans[0].scope_spans[0].spans[0].trace_id: must not be missing or all zeros");
}

static void a_bad_resource_without_spans_rejects_nothing(void **state)
{
    (void)state;
    /* The bad resource stands first, so that its words could be taken for those of the span. */
    struct bb_walk_result result = walk(BYTES_OF("\x0a\x03\x0a\x01\xff"
                                                 "\x0a\x04\x12\x02\x12\x00"));
    assert_int_equal(result.rejected_count, 1);
    assert_string_equal(
        result.first_rejection.text,
        "resource_spans[1].scope_spans[0].spans[0].trace_id: must not be missing or all zeros");
}

/* Every cut of a request is either whole by chance or refused; none reads behind its end. */
static void every_cut_of_a_request_is_refused_or_whole(void **state)
{
    struct bb_buf request;
    unsigned whole_count = 0;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    for (size_t size = 0; size <= request.size; size++) {
        /* tidy: allow malloc: of the exact size, so that a sanitizer sees a read behind it */
        uint8_t *copy = malloc(size);
        struct bb_err_detail detail = {{0}};
        struct bb_walk_result result;
        if (size > 0) {
            memcpy(copy, request.data, size);
        }
        enum bb_err err = bb_otlp_walk(bb_slice_of(copy, size), &arena, &detail, &result);
        if (err == BB_OK) {
            assert_int_equal(result.rejected_count, 0);
            whole_count++;
        } else {
            assert_int_equal(err, BB_EINVAL);
            assert_memory_equal(detail.text, "resource_spans[", 15);
        }
        free(copy); /* tidy: allow malloc: as above */
        bb_arena_dispose(&arena);
    }
    assert_int_equal(whole_count, 3); /* nothing, the first ResourceSpans, both */
    bb_buf_dispose(&request);
}

/* A cut within a span's message is that span's fault alone. */
static void every_cut_of_a_span_is_rejected_or_whole(void **state)
{
    struct bb_buf full;

    (void)state;
    build_init(&full);
    build_full_span_body(&full, 1);
    for (size_t size = 0; size < full.size; size++) {
        struct bb_buf request;
        struct bb_buf resource_spans;
        struct bb_buf scope_spans;
        build_init(&request);
        build_init(&resource_spans);
        build_init(&scope_spans);
        bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SPANS, bb_slice_of(full.data, size));
        build_put_span(&scope_spans, 9);
        build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
        build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
        struct bb_walk_result result = walk(bb_buf_slice(&request));
        assert_int_equal(result.batch.span_count + result.rejected_count, 2);
        assert_int_equal(result.batch.spans[result.batch.span_count - 1].trace_id.bytes[0], 9);
        bb_buf_dispose(&request);
        bb_arena_dispose(&arena);
    }
    bb_buf_dispose(&full);
}

/* A request with a repeated resource and scope, so that the walk also joins. */
static void build_joined_request(struct bb_buf *request)
{
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    build_init(&resource_spans);
    build_init(&scope_spans);
    for (int i = 0; i < 2; i++) {
        bb_pb_write_bytes(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, BYTES_OF("\x20\x01"));
        bb_pb_write_bytes(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, BYTES_OF("\x10\x01"));
    }
    for (int i = 0; i < 200; i++) {
        build_put_span(&scope_spans, (uint8_t)(i + 1));
    }
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
}

/* Fails each allocation in turn, then lets the arena end a little later each time. */
static void without_memory_the_result_is_as_it_was(void **state)
{
    enum { FAULTS_MAX = 50 };
    struct bb_walk_result untouched;
    struct bb_walk_result result;
    struct bb_buf request;
    bool is_done = false;

    (void)state;
    memset(&untouched, 0xa5, sizeof untouched);
    build_init(&request);
    build_joined_request(&request);
    for (uint32_t nth = 1; nth <= FAULTS_MAX && !is_done; nth++) {
        struct bb_err_detail detail = {{0}};
        memcpy(&result, &untouched, sizeof result);
        fault_arm(nth);
        enum bb_err err = bb_otlp_walk(bb_buf_slice(&request), &arena, &detail, &result);
        is_done = !fault_disarm();
        if (err != BB_OK) {
            assert_int_equal(err, BB_ENOMEM);
            assert_memory_equal(&result, &untouched, sizeof result);
            assert_true(detail.text[0] != '\0');
        }
        assert_int_equal(err == BB_OK, is_done);
        bb_arena_dispose(&arena);
    }
    assert_true(is_done);

    size_t limit = 0;
    for (enum bb_err err = BB_ENOMEM; err != BB_OK; limit += 16) {
        struct bb_arena small;
        bb_arena_init(&small, limit);
        memcpy(&result, &untouched, sizeof result);
        err = bb_otlp_walk(bb_buf_slice(&request), &small, NULL, &result);
        if (err != BB_OK) {
            assert_int_equal(err, BB_ENOMEM);
            assert_memory_equal(&result, &untouched, sizeof result);
        }
        bb_arena_dispose(&small);
    }
    assert_true(limit > 200 * sizeof(struct bb_span_ref));
    bb_buf_dispose(&request);
}

static void a_refused_request_leaves_the_result_as_it_was(void **state)
{
    struct bb_walk_result untouched;
    struct bb_walk_result result;

    (void)state;
    memset(&untouched, 0xa5, sizeof untouched);
    memcpy(&result, &untouched, sizeof result);
    assert_int_equal(bb_otlp_walk(BYTES_OF("\x0a\x05"), &arena, NULL, &result), BB_EINVAL);
    assert_memory_equal(&result, &untouched, sizeof result);
}

static void reading_a_stored_span_gives_what_the_walk_gave(void **state)
{
    struct bb_buf request;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    struct bb_walk_result result = walk(bb_buf_slice(&request));
    for (uint32_t i = 0; i < result.batch.span_count; i++) {
        const struct bb_span_ref *walked = &result.batch.spans[i];
        struct bb_span_ref read;
        assert_int_equal(bb_otlp_read_span(walked->bytes, &read), BB_OK);
        assert_true(bb_trace_id_equals(&read.trace_id, &walked->trace_id));
        assert_true(bb_span_id_equals(&read.span_id, &walked->span_id));
        assert_true(bb_span_id_equals(&read.parent_span_id, &walked->parent_span_id));
        assert_true(read.start_unix_ns == walked->start_unix_ns);
        assert_true(read.end_unix_ns == walked->end_unix_ns);
        assert_true(bb_slice_equals(read.name, walked->name));
        assert_true(bb_slice_equals(read.bytes, walked->bytes));
        assert_int_equal(read.kind, walked->kind);
        assert_int_equal(read.status_code, walked->status_code);
    }
    bb_buf_dispose(&request);
}

static void damaged_stored_spans_are_told_apart(void **state)
{
    struct bb_span_ref untouched;
    struct bb_span_ref read;
    struct bb_buf span;

    (void)state;
    memset(&untouched, 0xa5, sizeof untouched);
    memcpy(&read, &untouched, sizeof read);
    assert_int_equal(bb_otlp_read_span(bb_slice_of(NULL, 0), &read), BB_ECORRUPT);
    assert_int_equal(bb_otlp_read_span(BYTES_OF("\x0a\x10xxxxxxxxxxxxxxxx"), &read), BB_ECORRUPT);
    build_init(&span);
    build_span_body(&span, 1);
    for (size_t size = 0; size < span.size; size++) {
        enum bb_err err = bb_otlp_read_span(bb_slice_of(span.data, size), &read);
        if (err != BB_OK) {
            assert_int_equal(err, BB_ECORRUPT);
            assert_memory_equal(&read, &untouched, sizeof read);
        } else {
            memcpy(&read, &untouched, sizeof read);
        }
    }
    bb_buf_dispose(&span);
}

static void finds_the_service_name_of_a_resource(void **state)
{
    static const struct {
        struct bb_slice resource;
        const char *name;
    } cases[] = {
        {{NULL, 0}, ""},
        {BYTES_INIT("\x0a\x13\x0a\x0cservice.name\x12\x03\x0a\x01"
                    "a"),
         "a"},
        /* value before key */
        {BYTES_INIT("\x0a\x13\x12\x03\x0a\x01"
                    "a"
                    "\x0a\x0cservice.name"),
         "a"},
        /* an unknown field of the value behind the string */
        {BYTES_INIT("\x0a\x15\x0a\x0cservice.name\x12\x05\x0a\x01"
                    "a"
                    "\x50\x01"),
         "a"},
        /* other keys before it, one of them its beginning */
        {BYTES_INIT("\x0a\x0e\x0a\x07service\x12\x03\x0a\x01x"
                    "\x0a\x13\x0a\x0cservice.name\x12\x03\x0a\x01"
                    "a"),
         "a"},
        /* no string */
        {BYTES_INIT("\x0a\x12\x0a\x0cservice.name\x12\x02\x18\x05"), ""},
        /* no value */
        {BYTES_INIT("\x0a\x0e\x0a\x0cservice.name"), ""},
        {BYTES_INIT("\x0a\x13\x0a\x0cservice.Name\x12\x03\x0a\x01"
                    "a"),
         ""},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_slice name = bb_otlp_service_name(cases[i].resource);
        if (!bb_slice_equals_cstr(name, cases[i].name)) {
            fail_msg("case %zu: %.*s", i, (int)name.size, (const char *)name.data);
        }
    }
}

static void reject_labels_differ_and_are_words(void **state)
{
    (void)state;
    for (int a = 0; a < BB_REJECT_COUNT_OF; a++) {
        const char *label = bb_reject_label((enum bb_reject)a);
        assert_int_equal(strspn(label, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(label));
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(label, bb_reject_label((enum bb_reject)b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_request_is_a_batch_of_no_spans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_envelopes_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_out_what_search_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slices_point_into_the_walked_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_fields_stay_in_the_bytes_of_a_span, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_fields_of_the_envelopes_are_skipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_enum_numbers_are_taken_as_unspecified, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_a_field_that_comes_twice_the_last_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_parent_id_of_zeros_is_a_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_may_name_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_resource_or_scope_is_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_rejections_by_reason_and_tells_the_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(spans_of_nothing_are_rejected_one_by_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bad_resource_without_spans_rejects_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_cut_of_a_request_is_refused_or_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_cut_of_a_span_is_rejected_or_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_the_result_is_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_request_leaves_the_result_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reading_a_stored_span_gives_what_the_walk_gave, set_up,
                                        tear_down),
        cmocka_unit_test(damaged_stored_spans_are_told_apart),
        cmocka_unit_test(finds_the_service_name_of_a_resource),
        cmocka_unit_test(reject_labels_differ_and_are_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
