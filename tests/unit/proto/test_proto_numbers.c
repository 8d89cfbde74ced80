/*
 * test_proto_numbers.c - the numbers of common/otlp_fields.h, which our own reader and writers use,
 * are those of the .proto files: each is looked up in the descriptors that protoc-c made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_fields.h"
#include "common/pb_wire.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

#define REQUEST opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor
#define TRACE(name) opentelemetry__proto__trace__v1__##name##__descriptor
#define COMMON(name) opentelemetry__proto__common__v1__##name##__descriptor
#define RESOURCE opentelemetry__proto__resource__v1__resource__descriptor

#define ONE PROTOBUF_C_LABEL_NONE
#define MANY PROTOBUF_C_LABEL_REPEATED
#define STRING PROTOBUF_C_TYPE_STRING
#define BYTES PROTOBUF_C_TYPE_BYTES
#define MESSAGE PROTOBUF_C_TYPE_MESSAGE
#define ENUM PROTOBUF_C_TYPE_ENUM
#define UINT32 PROTOBUF_C_TYPE_UINT32
#define FIXED32 PROTOBUF_C_TYPE_FIXED32
#define FIXED64 PROTOBUF_C_TYPE_FIXED64

struct field_row {
    const ProtobufCMessageDescriptor *message;
    unsigned number;
    const char *name;
    ProtobufCType type;
    ProtobufCLabel label;
};

static const struct field_row FIELDS[] = {
    {&REQUEST, BB_F_REQUEST_RESOURCE_SPANS, "resource_spans", MESSAGE, MANY},
    {&TRACE(traces_data), BB_F_REQUEST_RESOURCE_SPANS, "resource_spans", MESSAGE, MANY},

    {&TRACE(resource_spans), BB_F_RESOURCE_SPANS_RESOURCE, "resource", MESSAGE, ONE},
    {&TRACE(resource_spans), BB_F_RESOURCE_SPANS_SCOPE_SPANS, "scope_spans", MESSAGE, MANY},
    {&TRACE(resource_spans), BB_F_RESOURCE_SPANS_SCHEMA_URL, "schema_url", STRING, ONE},

    {&TRACE(scope_spans), BB_F_SCOPE_SPANS_SCOPE, "scope", MESSAGE, ONE},
    {&TRACE(scope_spans), BB_F_SCOPE_SPANS_SPANS, "spans", MESSAGE, MANY},
    {&TRACE(scope_spans), BB_F_SCOPE_SPANS_SCHEMA_URL, "schema_url", STRING, ONE},

    {&RESOURCE, BB_F_RESOURCE_ATTRIBUTES, "attributes", MESSAGE, MANY},
    {&RESOURCE, BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT, "dropped_attributes_count", UINT32, ONE},
    {&RESOURCE, BB_F_RESOURCE_ENTITY_REFS, "entity_refs", MESSAGE, MANY},

    {&COMMON(entity_ref), BB_F_ENTITY_REF_SCHEMA_URL, "schema_url", STRING, ONE},
    {&COMMON(entity_ref), BB_F_ENTITY_REF_TYPE, "type", STRING, ONE},
    {&COMMON(entity_ref), BB_F_ENTITY_REF_ID_KEYS, "id_keys", STRING, MANY},
    {&COMMON(entity_ref), BB_F_ENTITY_REF_DESCRIPTION_KEYS, "description_keys", STRING, MANY},

    {&COMMON(instrumentation_scope), BB_F_SCOPE_NAME, "name", STRING, ONE},
    {&COMMON(instrumentation_scope), BB_F_SCOPE_VERSION, "version", STRING, ONE},
    {&COMMON(instrumentation_scope), BB_F_SCOPE_ATTRIBUTES, "attributes", MESSAGE, MANY},
    {&COMMON(instrumentation_scope), BB_F_SCOPE_DROPPED_ATTRIBUTES_COUNT,
     "dropped_attributes_count", UINT32, ONE},

    {&TRACE(span), BB_F_SPAN_TRACE_ID, "trace_id", BYTES, ONE},
    {&TRACE(span), BB_F_SPAN_SPAN_ID, "span_id", BYTES, ONE},
    {&TRACE(span), BB_F_SPAN_TRACE_STATE, "trace_state", STRING, ONE},
    {&TRACE(span), BB_F_SPAN_PARENT_SPAN_ID, "parent_span_id", BYTES, ONE},
    {&TRACE(span), BB_F_SPAN_NAME, "name", STRING, ONE},
    {&TRACE(span), BB_F_SPAN_KIND, "kind", ENUM, ONE},
    {&TRACE(span), BB_F_SPAN_START_TIME_UNIX_NANO, "start_time_unix_nano", FIXED64, ONE},
    {&TRACE(span), BB_F_SPAN_END_TIME_UNIX_NANO, "end_time_unix_nano", FIXED64, ONE},
    {&TRACE(span), BB_F_SPAN_ATTRIBUTES, "attributes", MESSAGE, MANY},
    {&TRACE(span), BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT, "dropped_attributes_count", UINT32, ONE},
    {&TRACE(span), BB_F_SPAN_EVENTS, "events", MESSAGE, MANY},
    {&TRACE(span), BB_F_SPAN_DROPPED_EVENTS_COUNT, "dropped_events_count", UINT32, ONE},
    {&TRACE(span), BB_F_SPAN_LINKS, "links", MESSAGE, MANY},
    {&TRACE(span), BB_F_SPAN_DROPPED_LINKS_COUNT, "dropped_links_count", UINT32, ONE},
    {&TRACE(span), BB_F_SPAN_STATUS, "status", MESSAGE, ONE},
    {&TRACE(span), BB_F_SPAN_FLAGS, "flags", FIXED32, ONE},

    {&TRACE(span__event), BB_F_EVENT_TIME_UNIX_NANO, "time_unix_nano", FIXED64, ONE},
    {&TRACE(span__event), BB_F_EVENT_NAME, "name", STRING, ONE},
    {&TRACE(span__event), BB_F_EVENT_ATTRIBUTES, "attributes", MESSAGE, MANY},
    {&TRACE(span__event), BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT, "dropped_attributes_count", UINT32,
     ONE},

    {&TRACE(span__link), BB_F_LINK_TRACE_ID, "trace_id", BYTES, ONE},
    {&TRACE(span__link), BB_F_LINK_SPAN_ID, "span_id", BYTES, ONE},
    {&TRACE(span__link), BB_F_LINK_TRACE_STATE, "trace_state", STRING, ONE},
    {&TRACE(span__link), BB_F_LINK_ATTRIBUTES, "attributes", MESSAGE, MANY},
    {&TRACE(span__link), BB_F_LINK_DROPPED_ATTRIBUTES_COUNT, "dropped_attributes_count", UINT32,
     ONE},
    {&TRACE(span__link), BB_F_LINK_FLAGS, "flags", FIXED32, ONE},

    {&TRACE(status), BB_F_STATUS_MESSAGE, "message", STRING, ONE},
    {&TRACE(status), BB_F_STATUS_CODE, "code", ENUM, ONE},

    {&COMMON(key_value), BB_F_KEY_VALUE_KEY, "key", STRING, ONE},
    {&COMMON(key_value), BB_F_KEY_VALUE_VALUE, "value", MESSAGE, ONE},

    {&COMMON(any_value), BB_F_VALUE_STRING, "string_value", STRING, ONE},
    {&COMMON(any_value), BB_F_VALUE_BOOL, "bool_value", PROTOBUF_C_TYPE_BOOL, ONE},
    {&COMMON(any_value), BB_F_VALUE_INT, "int_value", PROTOBUF_C_TYPE_INT64, ONE},
    {&COMMON(any_value), BB_F_VALUE_DOUBLE, "double_value", PROTOBUF_C_TYPE_DOUBLE, ONE},
    {&COMMON(any_value), BB_F_VALUE_ARRAY, "array_value", MESSAGE, ONE},
    {&COMMON(any_value), BB_F_VALUE_KVLIST, "kvlist_value", MESSAGE, ONE},
    {&COMMON(any_value), BB_F_VALUE_BYTES, "bytes_value", BYTES, ONE},

    {&COMMON(array_value), BB_F_ARRAY_VALUES, "values", MESSAGE, MANY},
    {&COMMON(key_value_list), BB_F_KVLIST_VALUES, "values", MESSAGE, MANY},
};

static void every_named_field_has_its_number_type_and_label(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(FIELDS); i++) {
        const struct field_row *row = &FIELDS[i];
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(row->message, row->number);

        if (field == NULL) {
            fail_msg("%s has no field %u (%s)", row->message->name, row->number, row->name);
        }
        if (strcmp(field->name, row->name) != 0 || field->type != row->type ||
            field->label != row->label) {
            fail_msg("%s field %u is %s, type %d, label %d", row->message->name, row->number,
                     field->name, (int)field->type, (int)field->label);
        }
    }
}

/* What the .proto files have and the header doesn't name would be dropped by our writers. */
static void no_field_of_a_message_is_left_unnamed(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(FIELDS); i++) {
        unsigned named = 0;

        for (size_t j = 0; j < BB_ARRAY_COUNT(FIELDS); j++) {
            named += FIELDS[j].message == FIELDS[i].message;
        }
        if (named != FIELDS[i].message->n_fields) {
            fail_msg("%s has %u fields, %u of them named", FIELDS[i].message->name,
                     FIELDS[i].message->n_fields, named);
        }
    }
}

static void the_members_of_any_value_are_one_oneof(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMMON(any_value).n_fields; i++) {
        assert_true(COMMON(any_value).fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
        assert_int_equal(COMMON(any_value).fields[i].quantifier_offset,
                         COMMON(any_value).fields[0].quantifier_offset);
    }
}

struct enum_row {
    const ProtobufCEnumDescriptor *type;
    int value;
    const char *name;
};

static const struct enum_row ENUMS[] = {
    {&TRACE(span__span_kind), BB_KIND_UNSPECIFIED, "SPAN_KIND_UNSPECIFIED"},
    {&TRACE(span__span_kind), BB_KIND_INTERNAL, "SPAN_KIND_INTERNAL"},
    {&TRACE(span__span_kind), BB_KIND_SERVER, "SPAN_KIND_SERVER"},
    {&TRACE(span__span_kind), BB_KIND_CLIENT, "SPAN_KIND_CLIENT"},
    {&TRACE(span__span_kind), BB_KIND_PRODUCER, "SPAN_KIND_PRODUCER"},
    {&TRACE(span__span_kind), BB_KIND_CONSUMER, "SPAN_KIND_CONSUMER"},
    {&TRACE(status__status_code), BB_STATUS_UNSET, "STATUS_CODE_UNSET"},
    {&TRACE(status__status_code), BB_STATUS_OK, "STATUS_CODE_OK"},
    {&TRACE(status__status_code), BB_STATUS_ERROR, "STATUS_CODE_ERROR"},
};

static void every_enum_value_has_its_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(ENUMS); i++) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(ENUMS[i].type, ENUMS[i].value);

        assert_non_null(value);
        assert_string_equal(value->name, ENUMS[i].name);
    }
    assert_int_equal(TRACE(span__span_kind).n_values, 6);
    assert_int_equal(TRACE(status__status_code).n_values, 3);
}

static Opentelemetry__Proto__Trace__V1__Span example_span(void)
{
    static uint8_t trace_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static uint8_t span_id[8] = {1, 1, 2, 3, 5, 8, 13, 21};
    Opentelemetry__Proto__Trace__V1__Span span = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT;

    span.trace_id = (ProtobufCBinaryData){.data = trace_id, .len = sizeof trace_id};
    span.span_id = (ProtobufCBinaryData){.data = span_id, .len = sizeof span_id};
    span.name = (char *)"checkout";
    span.kind = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_SERVER;
    span.start_time_unix_nano = UINT64_C(0x1122334455667788);
    span.flags = 0x301;
    return span;
}

static void our_reader_reads_what_protobuf_c_packs(void **state)
{
    Opentelemetry__Proto__Trace__V1__Span span = example_span();
    uint8_t packed[256];
    struct bb_pb_field field;
    unsigned seen = 0;

    (void)state;
    assert_true(opentelemetry__proto__trace__v1__span__get_packed_size(&span) <= sizeof packed);
    size_t size = opentelemetry__proto__trace__v1__span__pack(&span, packed);
    struct bb_pb_reader reader = bb_pb_reader_of(bb_slice_of(packed, size));
    while (bb_pb_next(&reader, &field)) {
        seen++;
        switch (field.number) {
        case BB_F_SPAN_TRACE_ID:
            assert_int_equal(field.bytes.size, 16);
            assert_memory_equal(field.bytes.data, span.trace_id.data, 16);
            break;
        case BB_F_SPAN_SPAN_ID:
            assert_int_equal(field.bytes.size, 8);
            assert_memory_equal(field.bytes.data, span.span_id.data, 8);
            break;
        case BB_F_SPAN_NAME:
            assert_true(bb_slice_equals_cstr(field.bytes, "checkout"));
            break;
        case BB_F_SPAN_KIND:
            assert_int_equal(field.type, BB_PB_VARINT);
            assert_int_equal(field.value, BB_KIND_SERVER);
            break;
        case BB_F_SPAN_START_TIME_UNIX_NANO:
            assert_int_equal(field.type, BB_PB_FIXED64);
            assert_true(field.value == UINT64_C(0x1122334455667788));
            break;
        case BB_F_SPAN_FLAGS:
            assert_int_equal(field.type, BB_PB_FIXED32);
            assert_int_equal(field.value, 0x301);
            break;
        default:
            fail_msg("field %u was not packed", field.number);
        }
    }
    assert_false(reader.malformed);
    assert_int_equal(seen, 6);
}

static void protobuf_c_unpacks_what_our_writer_writes(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 4096);
    size_t request = bb_pb_begin_message(&buf, BB_F_REQUEST_RESOURCE_SPANS);
    size_t scope = bb_pb_begin_message(&buf, BB_F_RESOURCE_SPANS_SCOPE_SPANS);
    size_t span = bb_pb_begin_message(&buf, BB_F_SCOPE_SPANS_SPANS);
    bb_pb_write_bytes(&buf, BB_F_SPAN_NAME, bb_slice_from_cstr("checkout"));
    bb_pb_write_fixed64(&buf, BB_F_SPAN_END_TIME_UNIX_NANO, 42);
    bb_pb_write_fixed32(&buf, BB_F_SPAN_FLAGS, 0x301);
    size_t attribute = bb_pb_begin_message(&buf, BB_F_SPAN_ATTRIBUTES);
    bb_pb_write_bytes(&buf, BB_F_KEY_VALUE_KEY, bb_slice_from_cstr("ratio"));
    size_t value = bb_pb_begin_message(&buf, BB_F_KEY_VALUE_VALUE);
    bb_pb_write_double(&buf, BB_F_VALUE_DOUBLE, 0.25);
    bb_pb_end_message(&buf, value);
    bb_pb_end_message(&buf, attribute);
    bb_pb_end_message(&buf, span);
    bb_pb_end_message(&buf, scope);
    bb_pb_end_message(&buf, request);
    assert_int_equal(bb_buf_err(&buf), BB_OK);

    Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *read =
        opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
            NULL, buf.size, buf.data);
    assert_non_null(read);
    const Opentelemetry__Proto__Trace__V1__Span *read_span =
        read->resource_spans[0]->scope_spans[0]->spans[0];
    assert_string_equal(read_span->name, "checkout");
    assert_int_equal(read_span->end_time_unix_nano, 42);
    assert_int_equal(read_span->flags, 0x301);
    assert_int_equal(read_span->n_attributes, 1);
    assert_string_equal(read_span->attributes[0]->key, "ratio");
    assert_int_equal(read_span->attributes[0]->value->value_case,
                     OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE);
    assert_true(read_span->attributes[0]->value->double_value == 0.25);
    opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(read,
                                                                                            NULL);
    bb_buf_dispose(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_named_field_has_its_number_type_and_label),
        cmocka_unit_test(no_field_of_a_message_is_left_unnamed),
        cmocka_unit_test(the_members_of_any_value_are_one_oneof),
        cmocka_unit_test(every_enum_value_has_its_number),
        cmocka_unit_test(our_reader_reads_what_protobuf_c_packs),
        cmocka_unit_test(protobuf_c_unpacks_what_our_writer_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
