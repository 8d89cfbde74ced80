#include "tests/support/jaeger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "tests/support/proto_text.h"

#define OTLP_REQUEST                                                                               \
    &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor

uint8_t trace_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
uint8_t other_trace_id[16] = {0xff, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
uint8_t span_id[8] = {1, 2, 3, 4, 5, 6, 7, 8};
uint8_t parent_id[8] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
uint8_t other_id[8] = {0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28};
uint8_t zero_id[16];

int jaeger_fixture_set_up(void **state)
{
    struct jaeger_fixture *fx = calloc(1, sizeof *fx);

    assert_non_null(fx);
    jaeger__api_v2__span__init(&fx->span);
    fx->span.trace_id = BYTES(trace_id, sizeof trace_id);
    fx->span.span_id = BYTES(span_id, sizeof span_id);
    fx->span.tags = fx->tag_list;
    fx->span.references = fx->ref_list;
    jaeger__api_v2__log__init(&fx->log);
    fx->log.fields = fx->field_list;
    fx->log_list[0] = &fx->log;
    google__protobuf__timestamp__init(&fx->start);
    google__protobuf__timestamp__init(&fx->log_time);
    google__protobuf__duration__init(&fx->duration);
    jaeger__api_v2__batch__init(&fx->batch);
    fx->batch.spans = fx->spans;
    fx->batch.n_spans = 1;
    fx->spans[0] = &fx->span;
    jaeger__api_v2__process__init(&fx->process);
    fx->process.tags = fx->process_tag_list;
    *state = fx;
    return 0;
}

int jaeger_fixture_tear_down(void **state)
{
    struct jaeger_fixture *fx = *state;

    free(fx->text);
    free(fx);
    return 0;
}

Jaeger__ApiV2__KeyValue text_tag(const char *key, const char *value)
{
    Jaeger__ApiV2__KeyValue tag = JAEGER__API_V2__KEY_VALUE__INIT;

    tag.key = (char *)(uintptr_t)key;
    tag.v_type = JAEGER__API_V2__VALUE_TYPE__STRING;
    tag.v_str = (char *)(uintptr_t)value;
    return tag;
}

Jaeger__ApiV2__KeyValue bool_tag(const char *key, bool value)
{
    Jaeger__ApiV2__KeyValue tag = text_tag(key, "");

    tag.v_type = JAEGER__API_V2__VALUE_TYPE__BOOL;
    tag.v_bool = value;
    return tag;
}

Jaeger__ApiV2__KeyValue int_tag(const char *key, int64_t value)
{
    Jaeger__ApiV2__KeyValue tag = text_tag(key, "");

    tag.v_type = JAEGER__API_V2__VALUE_TYPE__INT64;
    tag.v_int64 = value;
    return tag;
}

Jaeger__ApiV2__KeyValue double_tag(const char *key, double value)
{
    Jaeger__ApiV2__KeyValue tag = text_tag(key, "");

    tag.v_type = JAEGER__API_V2__VALUE_TYPE__FLOAT64;
    tag.v_float64 = value;
    return tag;
}

Jaeger__ApiV2__KeyValue binary_tag(const char *key, uint8_t *bytes, size_t size)
{
    Jaeger__ApiV2__KeyValue tag = text_tag(key, "");

    tag.v_type = JAEGER__API_V2__VALUE_TYPE__BINARY;
    tag.v_binary = BYTES(bytes, size);
    return tag;
}

static void put(Jaeger__ApiV2__KeyValue *tags, Jaeger__ApiV2__KeyValue **list, size_t *count,
                Jaeger__ApiV2__KeyValue tag)
{
    assert_true(*count < FIXTURE_LIST_MAX);
    tags[*count] = tag;
    list[*count] = &tags[*count];
    (*count)++;
}

void add_tag(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue tag)
{
    put(fx->tags, fx->tag_list, &fx->span.n_tags, tag);
}

void add_field(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue field)
{
    fx->span.logs = fx->log_list;
    fx->span.n_logs = 1;
    put(fx->fields, fx->field_list, &fx->log.n_fields, field);
}

void add_process_tag(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue tag)
{
    fx->batch.process = &fx->process;
    put(fx->process_tags, fx->process_tag_list, &fx->process.n_tags, tag);
}

void add_reference(struct jaeger_fixture *fx, uint8_t *trace, size_t trace_size, uint8_t *span,
                   Jaeger__ApiV2__SpanRefType type)
{
    size_t i = fx->span.n_references++;

    assert_true(i < FIXTURE_LIST_MAX);
    jaeger__api_v2__span_ref__init(&fx->refs[i]);
    fx->refs[i].trace_id = BYTES(trace, trace_size);
    fx->refs[i].span_id = BYTES(span, 8);
    fx->refs[i].ref_type = type;
    fx->ref_list[i] = &fx->refs[i];
}

void add_child_of(struct jaeger_fixture *fx, uint8_t *trace, uint8_t *span)
{
    add_reference(fx, trace, 16, span, JAEGER__API_V2__SPAN_REF_TYPE__CHILD_OF);
}

void add_follows_from(struct jaeger_fixture *fx, uint8_t *trace, uint8_t *span)
{
    add_reference(fx, trace, 16, span, JAEGER__API_V2__SPAN_REF_TYPE__FOLLOWS_FROM);
}

void set_times(struct jaeger_fixture *fx, int64_t start_seconds, int32_t start_nanos,
               int64_t seconds, int32_t nanos)
{
    fx->start.seconds = start_seconds;
    fx->start.nanos = start_nanos;
    fx->duration.seconds = seconds;
    fx->duration.nanos = nanos;
    fx->span.start_time = &fx->start;
    fx->span.duration = &fx->duration;
}

void set_span_count(struct jaeger_fixture *fx, uint8_t count)
{
    assert_true(count <= FIXTURE_LIST_MAX);
    fx->batch.n_spans = count;
    for (uint8_t i = 0; i < count; i++) {
        fx->spans[i] = &fx->numbered[i];
        fx->numbered_ids[i][7] = (uint8_t)(i + 1);
        jaeger__api_v2__span__init(fx->spans[i]);
        fx->spans[i]->trace_id = BYTES(trace_id, sizeof trace_id);
        fx->spans[i]->span_id = BYTES(fx->numbered_ids[i], 8);
    }
}

void run_wire(struct jaeger_fixture *fx, struct bb_slice wire)
{
    struct bb_walk_result result;
    struct bb_arena arena;
    struct bb_buf out;

    memset(&fx->left_out, 0, sizeof fx->left_out);
    memset(&fx->detail, 0, sizeof fx->detail);
    bb_arena_init(&arena, (size_t)8 << 20);
    bb_buf_init(&out, (size_t)8 << 20);
    fx->err = bb_jaeger_to_otlp(wire, &arena, &out, &fx->left_out, &fx->detail);
    free(fx->text);
    fx->text = proto_text_of(OTLP_REQUEST, bb_buf_slice(&out));
    if (fx->err == BB_OK) {
        /* What is written must be what the store takes. */
        assert_int_equal(bb_otlp_walk(bb_buf_slice(&out), &arena, NULL, &result), BB_OK);
        assert_int_equal(result.rejected_count, 0);
    } else {
        assert_int_equal(out.size, 0);
        assert_int_equal(fx->left_out.span_count, 0);
    }
    bb_arena_dispose(&arena);
    bb_buf_dispose(&out);
}

void run(struct jaeger_fixture *fx)
{
    Jaeger__ApiV2__PostSpansRequest request = JAEGER__API_V2__POST_SPANS_REQUEST__INIT;

    request.batch = &fx->batch;
    size_t size = jaeger__api_v2__post_spans_request__get_packed_size(&request);
    uint8_t *wire = malloc(size > 0 ? size : 1);
    assert_non_null(wire);
    jaeger__api_v2__post_spans_request__pack(&request, wire);
    run_wire(fx, bb_slice_of(wire, size));
    free(wire);
}

void check(struct jaeger_fixture *fx, const char *expected)
{
    run(fx);
    if (fx->err != BB_OK || fx->left_out.span_count != 0 || strcmp(fx->text, expected) != 0) {
        fail_msg("%d %s %s\n gave %s\n not  %s", (int)fx->err, fx->detail.text,
                 fx->left_out.first.text, fx->text, expected);
    }
}

void check_left_out(struct jaeger_fixture *fx, const char *first)
{
    run(fx);
    if (fx->err != BB_OK || fx->left_out.span_count != 1 ||
        strcmp(fx->left_out.first.text, first) != 0 || fx->text[0] != '\0') {
        fail_msg("%d, %d left out: \"%s\"\n not \"%s\"\n %s", (int)fx->err,
                 (int)fx->left_out.span_count, fx->left_out.first.text, first, fx->text);
    }
}
