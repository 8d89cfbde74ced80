/*
 * jaeger_fixture.h - a Jaeger batch with one span, put together by protobuf-c, and what became of
 * it as text. So our numbers are held against the .proto files on both sides.
 */
#ifndef BB_TESTS_JAEGER_FIXTURE_H
#define BB_TESTS_JAEGER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/jaeger_model.h"
#include "jaeger/api_v2/collector.pb-c.h"

#define FIXTURE_LIST_MAX 8

/* The ids of the span in the fixture, as text. */
#define TRACE_TEXT "trace_id=0102030405060708090a0b0c0d0e0f10"
#define IDS_TEXT TRACE_TEXT " span_id=0102030405060708"

#define BYTES(array, size) ((ProtobufCBinaryData){.data = (array), .len = (size)})

extern uint8_t trace_id[16];
extern uint8_t other_trace_id[16];
extern uint8_t span_id[8];
extern uint8_t parent_id[8];
extern uint8_t other_id[8];
extern uint8_t zero_id[16];

/* One span with room for lists, and the batch around it. */
struct jaeger_fixture {
    Jaeger__ApiV2__Span span;
    Jaeger__ApiV2__KeyValue tags[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__KeyValue *tag_list[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__SpanRef refs[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__SpanRef *ref_list[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__Log log;
    Jaeger__ApiV2__Log *log_list[1];
    Jaeger__ApiV2__KeyValue fields[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__KeyValue *field_list[FIXTURE_LIST_MAX];
    Google__Protobuf__Timestamp start;
    Google__Protobuf__Timestamp log_time;
    Google__Protobuf__Duration duration;
    Jaeger__ApiV2__Batch batch;
    Jaeger__ApiV2__Span *spans[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__Span numbered[FIXTURE_LIST_MAX];
    uint8_t numbered_ids[FIXTURE_LIST_MAX][8];
    Jaeger__ApiV2__Process process;
    Jaeger__ApiV2__KeyValue process_tags[FIXTURE_LIST_MAX];
    Jaeger__ApiV2__KeyValue *process_tag_list[FIXTURE_LIST_MAX];
    /* What came of it. */
    enum bb_err err;
    char *text;
    struct bb_left_out left_out;
    struct bb_err_detail detail;
};

/* Of each test: a span with ids and nothing else, in a batch without a process. */
int jaeger_fixture_set_up(void **state);
int jaeger_fixture_tear_down(void **state);

Jaeger__ApiV2__KeyValue text_tag(const char *key, const char *value);
Jaeger__ApiV2__KeyValue bool_tag(const char *key, bool value);
Jaeger__ApiV2__KeyValue int_tag(const char *key, int64_t value);
Jaeger__ApiV2__KeyValue double_tag(const char *key, double value);
Jaeger__ApiV2__KeyValue binary_tag(const char *key, uint8_t *bytes, size_t size);

void add_tag(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue tag);
void add_process_tag(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue tag);
/* To the one log. */
void add_field(struct jaeger_fixture *fx, Jaeger__ApiV2__KeyValue field);
void add_reference(struct jaeger_fixture *fx, uint8_t *trace, size_t trace_size, uint8_t *span,
                   Jaeger__ApiV2__SpanRefType type);
void add_child_of(struct jaeger_fixture *fx, uint8_t *trace, uint8_t *span);
void add_follows_from(struct jaeger_fixture *fx, uint8_t *trace, uint8_t *span);
void set_times(struct jaeger_fixture *fx, int64_t start_seconds, int32_t start_nanos,
               int64_t seconds, int32_t nanos);

/* The batch gets `count` spans instead, which have only ids: span ids 1, 2, 3 and so on. */
void set_span_count(struct jaeger_fixture *fx, uint8_t count);

/* Transcodes; what comes of it must pass the walk. */
void run_wire(struct jaeger_fixture *fx, struct bb_slice wire);
void run(struct jaeger_fixture *fx);

/* Transcodes, and fails the test when `expected` isn't what comes of it. */
void check(struct jaeger_fixture *fx, const char *expected);
/* `fields` are those behind the ids. */
#define check_span(fx, fields) check(fx, "resource_spans{scope_spans{spans{" IDS_TEXT fields "}}}")
/* Transcodes, and fails the test when the span isn't left out, or with other words. */
void check_left_out(struct jaeger_fixture *fx, const char *first);

#endif /* BB_TESTS_JAEGER_FIXTURE_H */
