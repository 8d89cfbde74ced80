/*
 * test_jaeger_model.c - the rows of docs/jaeger-mapping.md that are about a batch, its processes
 * and scopes; and what becomes of bytes that protobuf-c wouldn't write.
 */
#include "collector/jaeger_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/pb_wire.h"
#include "tests/support/jaeger_fixture.h"

static void spans_of_one_scope_stand_together(void **state)
{
    struct jaeger_fixture *fx = *state;
    Jaeger__ApiV2__KeyValue a = text_tag("otel.scope.name", "a");
    Jaeger__ApiV2__KeyValue b = text_tag("otel.scope.name", "b");
    Jaeger__ApiV2__KeyValue *lists[] = {&b, &a, &b, &a};

    set_span_count(fx, 4);
    for (uint8_t i = 0; i < 4; i++) {
        fx->spans[i]->tags = &lists[i];
        fx->spans[i]->n_tags = 1;
    }
    check(fx, "resource_spans{"
              "scope_spans{scope{name=\"a\"} spans{" TRACE_TEXT " span_id=0000000000000002} "
              "spans{" TRACE_TEXT " span_id=0000000000000004}} "
              "scope_spans{scope{name=\"b\"} spans{" TRACE_TEXT " span_id=0000000000000001} "
              "spans{" TRACE_TEXT " span_id=0000000000000003}}}");
}

static void the_process_is_the_resource(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->process.service_name = (char *)"cart";
    add_process_tag(fx, text_tag("hostname", "h1"));
    add_process_tag(fx, bool_tag("canary", true));
    add_process_tag(fx, text_tag("service.name", "cart"));
    check(fx,
          "resource_spans{resource{attributes{key=\"service.name\" value{string_value=\"cart\"}} "
          "attributes{key=\"hostname\" value{string_value=\"h1\"}} "
          "attributes{key=\"canary\" value{bool_value=1}}} "
          "scope_spans{spans{" IDS_TEXT "}}}");
}

static void a_process_without_a_service_has_no_service_name(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->batch.process = &fx->process;
    check(fx, "resource_spans{resource{} scope_spans{spans{" IDS_TEXT "}}}");
    fx->process.service_name = (char *)"OTLPResourceNoServiceName";
    add_process_tag(fx, int_tag("pid", 7));
    check(fx, "resource_spans{resource{attributes{key=\"pid\" value{int_value=7}}} "
              "scope_spans{spans{" IDS_TEXT "}}}");
}

#define SERVICE(name) "resource{attributes{key=\"service.name\" value{string_value=\"" name "\"}}}"

static void the_process_of_a_span_outranks_the_batchs(void **state)
{
    struct jaeger_fixture *fx = *state;
    Jaeger__ApiV2__Process own = JAEGER__API_V2__PROCESS__INIT;
    Jaeger__ApiV2__Process same = JAEGER__API_V2__PROCESS__INIT;

    fx->process.service_name = (char *)"batch";
    same.service_name = (char *)"batch";
    own.service_name = (char *)"own";
    fx->batch.process = &fx->process;
    set_span_count(fx, 4);
    fx->spans[0]->process = &own;
    fx->spans[2]->process = &own;
    fx->spans[3]->process = &same;
    run(fx);
    /* Which process comes first is no matter; each comes once. */
    assert_string_equal(
        fx->text,
        "resource_spans{" SERVICE(
            "own") " scope_spans{spans{" TRACE_TEXT " span_id=0000000000000001} spans{" TRACE_TEXT
                   " span_id=0000000000000003}}} "
                   "resource_spans{" SERVICE("batch") " scope_spans{spans{" TRACE_TEXT
                                                      " span_id=0000000000000002} spans{" TRACE_TEXT
                                                      " span_id=0000000000000004}}}");
}

static void a_bad_process_takes_only_its_own_spans_along(void **state)
{
    struct jaeger_fixture *fx = *state;
    Jaeger__ApiV2__Process own = JAEGER__API_V2__PROCESS__INIT;

    own.service_name = (char *)"own";
    add_process_tag(fx, text_tag("a", "b"));
    fx->process_tags[0].v_type = (Jaeger__ApiV2__ValueType)9;
    set_span_count(fx, 3);
    fx->spans[1]->process = &own;
    run(fx);
    assert_int_equal(fx->err, BB_OK);
    assert_int_equal(fx->left_out.span_count, 2);
    assert_string_equal(fx->left_out.first.text,
                        "batch.process.tags[0].v_type: must be 0 to 4, is 9");
    assert_string_equal(fx->text, "resource_spans{" SERVICE("own") " scope_spans{spans{" TRACE_TEXT
                                                                   " span_id=0000000000000002}}}");
}

static void the_good_spans_around_bad_ones_pass(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_span_count(fx, 4);
    fx->spans[1]->trace_id.len = 3;
    set_times(fx, -5, 0, 0, 0);
    fx->spans[2]->start_time = &fx->start;
    run(fx);
    assert_int_equal(fx->err, BB_OK);
    assert_int_equal(fx->left_out.span_count, 2);
    assert_string_equal(fx->left_out.first.text, "batch.spans[1].trace_id: must be 16 bytes, is 3");
    assert_string_equal(fx->text, "resource_spans{scope_spans{spans{" TRACE_TEXT
                                  " span_id=0000000000000001} spans{" TRACE_TEXT
                                  " span_id=0000000000000004}}}");
}

static void empty_requests_give_nothing(void **state)
{
    struct jaeger_fixture *fx = *state;

    run_wire(fx, bb_slice_of(NULL, 0));
    assert_int_equal(fx->err, BB_OK);
    assert_string_equal(fx->text, "");
    fx->batch.n_spans = 0;
    fx->batch.process = &fx->process;
    check(fx, "");
}

static void a_malformed_envelope_fails_the_request(void **state)
{
    static const struct {
        const char *wire;
        size_t size;
        const char *words;
    } rows[] = {
        {"\x0a", 1, "request: malformed protobuf"},
        {"\x0a\x05", 2, "request: malformed protobuf"},
        {"\x08\x01", 2, "batch: has the wrong wire type"},
        {"\x0a\x01\x0a", 3, "batch: malformed protobuf"},
        {"\x0a\x02\x08\x01", 4, "batch.spans[0]: has the wrong wire type"},
        {"\x0a\x02\x10\x01", 4, "batch.process: has the wrong wire type"},
    };
    struct jaeger_fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        run_wire(fx, bb_slice_of(rows[i].wire, rows[i].size));
        assert_int_equal(fx->err, BB_EINVAL);
        assert_string_equal(fx->detail.text, rows[i].words);
    }
}

/* Every field of a span with a wire type that it can't have. */
static void a_wrong_wire_type_leaves_the_span_out(void **state)
{
    static const struct {
        uint32_t number;
        bool is_bytes; /* what it should be */
        const char *name;
    } rows[] = {
        {1, true, "trace_id"},      {2, true, "span_id"},     {3, true, "operation_name"},
        {4, true, "references[0]"}, {5, false, "flags"},      {6, true, "start_time"},
        {7, true, "duration"},      {8, true, "tags[0]"},     {9, true, "logs[0]"},
        {10, true, "process"},      {11, true, "process_id"}, {12, true, "warnings[0]"},
    };
    struct jaeger_fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        char words[128];
        struct bb_buf wire;

        bb_buf_init(&wire, 4096);
        size_t batch = bb_pb_begin_message(&wire, 1);
        size_t span = bb_pb_begin_message(&wire, 1);
        bb_pb_write_bytes(&wire, 1, bb_slice_of(trace_id, sizeof trace_id));
        bb_pb_write_bytes(&wire, 2, bb_slice_of(span_id, sizeof span_id));
        if (rows[i].is_bytes) {
            bb_pb_write_uint(&wire, rows[i].number, 1);
        } else {
            bb_pb_write_bytes(&wire, rows[i].number, bb_slice_from_cstr("x"));
        }
        bb_pb_end_message(&wire, span);
        bb_pb_end_message(&wire, batch);
        run_wire(fx, bb_buf_slice(&wire));
        bb_buf_dispose(&wire);
        snprintf(words, sizeof words, "batch.spans[0].%s: has the wrong wire type", rows[i].name);
        assert_int_equal(fx->err, BB_OK);
        assert_int_equal(fx->left_out.span_count, 1);
        assert_string_equal(fx->left_out.first.text, words);
    }
}

/* Protobuf allows a message to come in parts; then they are merged. */
static void messages_that_come_twice_are_merged(void **state)
{
    struct jaeger_fixture *fx = *state;
    struct bb_buf wire;

    bb_buf_init(&wire, 4096);
    for (int part = 0; part < 2; part++) {
        size_t batch = bb_pb_begin_message(&wire, 1);
        size_t process = bb_pb_begin_message(&wire, 2);
        if (part == 0) {
            bb_pb_write_bytes(&wire, 1, bb_slice_from_cstr("cart"));
        } else {
            size_t tag = bb_pb_begin_message(&wire, 2);
            bb_pb_write_bytes(&wire, 1, bb_slice_from_cstr("k"));
            bb_pb_end_message(&wire, tag);
        }
        bb_pb_end_message(&wire, process);
        size_t span = bb_pb_begin_message(&wire, 1);
        bb_pb_write_bytes(&wire, 1, bb_slice_of(trace_id, sizeof trace_id));
        bb_pb_write_bytes(&wire, 2, bb_slice_of(span_id, sizeof span_id));
        size_t start = bb_pb_begin_message(&wire, 6);
        bb_pb_write_uint(&wire, 1, 3);
        bb_pb_end_message(&wire, start);
        start = bb_pb_begin_message(&wire, 6);
        bb_pb_write_uint(&wire, 2, 4);
        bb_pb_end_message(&wire, start);
        bb_pb_end_message(&wire, span);
        bb_pb_end_message(&wire, batch);
    }
    run_wire(fx, bb_buf_slice(&wire));
    bb_buf_dispose(&wire);
    assert_int_equal(fx->err, BB_OK);
#define MERGED "spans{" IDS_TEXT " start_time_unix_nano=3000000004 end_time_unix_nano=3000000004}"
    assert_string_equal(fx->text, "resource_spans{resource{attributes{key=\"service.name\" "
                                  "value{string_value=\"cart\"}} attributes{key=\"k\" "
                                  "value{string_value=\"\"}}} scope_spans{" MERGED " " MERGED "}}");
#undef MERGED
}

static void a_nul_in_a_tag_is_kept(void **state)
{
    struct jaeger_fixture *fx = *state;
    struct bb_left_out left_out = {0};
    struct bb_arena arena;
    struct bb_buf wire;
    struct bb_buf out;

    (void)fx;
    bb_buf_init(&wire, 4096);
    bb_buf_init(&out, 4096);
    bb_arena_init(&arena, 65536);
    size_t batch = bb_pb_begin_message(&wire, 1);
    size_t span = bb_pb_begin_message(&wire, 1);
    bb_pb_write_bytes(&wire, 1, bb_slice_of(trace_id, sizeof trace_id));
    bb_pb_write_bytes(&wire, 2, bb_slice_of(span_id, sizeof span_id));
    size_t tag = bb_pb_begin_message(&wire, 8);
    bb_pb_write_bytes(&wire, 1, bb_slice_of("k\0k", 3));
    bb_pb_write_bytes(&wire, 3, bb_slice_of("v\0w", 3));
    bb_pb_end_message(&wire, tag);
    bb_pb_end_message(&wire, span);
    bb_pb_end_message(&wire, batch);
    assert_int_equal(bb_jaeger_to_otlp(bb_buf_slice(&wire), &arena, &out, &left_out, NULL), BB_OK);
    assert_non_null(memmem(out.data, out.size, "\x0a\x03k\0k\x12\x05\x0a\x03v\0w", 12));
    bb_arena_dispose(&arena);
    bb_buf_dispose(&wire);
    bb_buf_dispose(&out);
}

static void limits_of_output_and_arena_are_kept(void **state)
{
    struct jaeger_fixture *fx = *state;
    Jaeger__ApiV2__PostSpansRequest request = JAEGER__API_V2__POST_SPANS_REQUEST__INIT;
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {{0}};
    struct bb_arena arena;
    uint8_t wire[512];
    struct bb_buf out;

    add_tag(fx, text_tag("key", "value"));
    request.batch = &fx->batch;
    assert_true(jaeger__api_v2__post_spans_request__get_packed_size(&request) <= sizeof wire);
    size_t size = jaeger__api_v2__post_spans_request__pack(&request, wire);
    for (size_t limit = 1; limit < 60; limit++) {
        bb_buf_init(&out, limit);
        bb_arena_init(&arena, 65536);
        assert_int_equal(bb_jaeger_to_otlp(bb_slice_of(wire, size), &arena, &out, &left_out, NULL),
                         BB_ETOOBIG);
        assert_int_equal(out.size, 0);
        bb_arena_dispose(&arena);
        bb_buf_dispose(&out);
    }
    bb_buf_init(&out, 4096);
    bb_arena_init(&arena, 8);
    assert_int_equal(bb_jaeger_to_otlp(bb_slice_of(wire, size), &arena, &out, &left_out, &detail),
                     BB_ETOOBIG);
    assert_string_equal(detail.text, "batch.spans: the request takes too much memory");
    assert_int_equal(left_out.span_count, 0);
    bb_arena_dispose(&arena);
    bb_buf_dispose(&out);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, jaeger_fixture_set_up, jaeger_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spans_of_one_scope_stand_together),
        TEST(the_process_is_the_resource),
        TEST(a_process_without_a_service_has_no_service_name),
        TEST(the_process_of_a_span_outranks_the_batchs),
        TEST(a_bad_process_takes_only_its_own_spans_along),
        TEST(the_good_spans_around_bad_ones_pass),
        TEST(empty_requests_give_nothing),
        TEST(a_malformed_envelope_fails_the_request),
        TEST(a_wrong_wire_type_leaves_the_span_out),
        TEST(messages_that_come_twice_are_merged),
        TEST(a_nul_in_a_tag_is_kept),
        TEST(limits_of_output_and_arena_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
