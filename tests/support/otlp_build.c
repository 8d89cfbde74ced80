#include "tests/support/otlp_build.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/ids.h"

void build_init(struct bb_buf *message)
{
    bb_buf_init(message, BUILD_BYTES_MAX);
}

void build_put(struct bb_buf *out, uint32_t number, struct bb_buf *message)
{
    BB_ASSERT(bb_buf_err(message) == BB_OK);
    bb_pb_write_bytes(out, number, bb_buf_slice(message));
    BB_ASSERT(bb_buf_err(out) == BB_OK);
    bb_buf_dispose(message);
}

void build_put_text(struct bb_buf *out, uint32_t number, const char *text)
{
    bb_pb_write_bytes(out, number, bb_slice_from_cstr(text));
}

static void put_id(struct bb_buf *out, uint32_t number, uint8_t first, size_t size)
{
    uint8_t bytes[BB_TRACE_ID_SIZE];

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(first + i);
    }
    bb_pb_write_bytes(out, number, bb_slice_of(bytes, size));
}

void build_span_body(struct bb_buf *span, uint8_t seed)
{
    char name[32];

    BB_ASSERT(seed > 0);
    snprintf(name, sizeof name, "operation-%u", seed);
    put_id(span, BB_F_SPAN_TRACE_ID, seed, BB_TRACE_ID_SIZE);
    put_id(span, BB_F_SPAN_SPAN_ID, seed, BB_SPAN_ID_SIZE);
    build_put_text(span, BB_F_SPAN_NAME, name);
    bb_pb_write_uint(span, BB_F_SPAN_KIND, BB_KIND_SERVER);
    bb_pb_write_fixed64(span, BB_F_SPAN_START_TIME_UNIX_NANO, UINT64_C(1700000000000000000) + seed);
    bb_pb_write_fixed64(span, BB_F_SPAN_END_TIME_UNIX_NANO, UINT64_C(1700000000500000000) + seed);
}

void build_put_span(struct bb_buf *scope_spans, uint8_t seed)
{
    struct bb_buf span;

    build_init(&span);
    build_span_body(&span, seed);
    build_put(scope_spans, BB_F_SCOPE_SPANS_SPANS, &span);
}

/* Appends a KeyValue with the AnyValue body `value`, which is disposed of. */
static void put_pair(struct bb_buf *out, uint32_t number, const char *key, struct bb_buf *value)
{
    struct bb_buf pair;

    build_init(&pair);
    build_put_text(&pair, BB_F_KEY_VALUE_KEY, key);
    build_put(&pair, BB_F_KEY_VALUE_VALUE, value);
    build_put(out, number, &pair);
}

void build_put_attribute(struct bb_buf *out, uint32_t number, const char *key, const char *text)
{
    struct bb_buf value;

    build_init(&value);
    build_put_text(&value, BB_F_VALUE_STRING, text);
    put_pair(out, number, key, &value);
}

void build_request_of_span(struct bb_buf *request, struct bb_buf *span)
{
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SPANS, span);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
}

/* {"list": [1, ["x"], {}], "empty": null} as an AnyValue. */
static void build_nested_value(struct bb_buf *value)
{
    struct bb_buf list;
    struct bb_buf array;
    struct bb_buf element;
    struct bb_buf pairs;
    struct bb_buf inner;

    build_init(&array);
    build_init(&element);
    bb_pb_write_uint(&element, BB_F_VALUE_INT, 1);
    build_put(&array, BB_F_ARRAY_VALUES, &element);

    build_init(&inner);
    build_init(&element);
    build_put_text(&element, BB_F_VALUE_STRING, "x");
    build_put(&inner, BB_F_ARRAY_VALUES, &element);
    build_init(&element);
    build_put(&element, BB_F_VALUE_ARRAY, &inner);
    build_put(&array, BB_F_ARRAY_VALUES, &element);

    build_init(&element);
    bb_pb_write_bytes(&element, BB_F_VALUE_KVLIST, BYTES_OF(""));
    build_put(&array, BB_F_ARRAY_VALUES, &element);

    build_init(&list);
    build_put(&list, BB_F_VALUE_ARRAY, &array);
    build_init(&pairs);
    put_pair(&pairs, BB_F_KVLIST_VALUES, "list", &list);
    build_init(&inner);
    put_pair(&pairs, BB_F_KVLIST_VALUES, "empty", &inner);
    build_put(value, BB_F_VALUE_KVLIST, &pairs);
}

/* One attribute of every type as fields `number`. */
static void put_attributes(struct bb_buf *out, uint32_t number)
{
    struct bb_buf value;

    build_put_attribute(out, number, "text", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80");
    build_init(&value);
    bb_pb_write_uint(&value, BB_F_VALUE_BOOL, 1);
    put_pair(out, number, "bool", &value);
    build_init(&value);
    bb_pb_write_uint(&value, BB_F_VALUE_INT, (uint64_t)INT64_C(-42));
    put_pair(out, number, "int", &value);
    build_init(&value);
    bb_pb_write_double(&value, BB_F_VALUE_DOUBLE, 72.5);
    put_pair(out, number, "double", &value);
    build_init(&value);
    bb_pb_write_bytes(&value, BB_F_VALUE_BYTES, BYTES_OF("\x00\xff\x80"));
    put_pair(out, number, "bytes", &value);
    build_init(&value);
    build_nested_value(&value);
    put_pair(out, number, "nested", &value);
}

static void put_event(struct bb_buf *span, const char *name)
{
    struct bb_buf event;

    build_init(&event);
    bb_pb_write_fixed64(&event, BB_F_EVENT_TIME_UNIX_NANO, UINT64_C(1700000000250000000));
    build_put_text(&event, BB_F_EVENT_NAME, name);
    put_attributes(&event, BB_F_EVENT_ATTRIBUTES);
    bb_pb_write_uint(&event, BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT, 3);
    build_put(span, BB_F_SPAN_EVENTS, &event);
}

static void put_link(struct bb_buf *span, uint8_t seed)
{
    struct bb_buf link;

    build_init(&link);
    put_id(&link, BB_F_LINK_TRACE_ID, (uint8_t)(seed + 100), BB_TRACE_ID_SIZE);
    put_id(&link, BB_F_LINK_SPAN_ID, (uint8_t)(seed + 100), BB_SPAN_ID_SIZE);
    build_put_text(&link, BB_F_LINK_TRACE_STATE, "vendor=link");
    put_attributes(&link, BB_F_LINK_ATTRIBUTES);
    bb_pb_write_uint(&link, BB_F_LINK_DROPPED_ATTRIBUTES_COUNT, 4);
    bb_pb_write_fixed32(&link, BB_F_LINK_FLAGS, 0x301);
    build_put(span, BB_F_SPAN_LINKS, &link);
}

void build_full_span_body(struct bb_buf *span, uint8_t seed)
{
    struct bb_buf status;

    build_span_body(span, seed);
    build_put_text(span, BB_F_SPAN_TRACE_STATE, "vendor=span");
    put_id(span, BB_F_SPAN_PARENT_SPAN_ID, (uint8_t)(seed + 50), BB_SPAN_ID_SIZE);
    put_attributes(span, BB_F_SPAN_ATTRIBUTES);
    bb_pb_write_uint(span, BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT, 5);
    put_event(span, "first");
    put_event(span, "second");
    bb_pb_write_uint(span, BB_F_SPAN_DROPPED_EVENTS_COUNT, 6);
    put_link(span, seed);
    bb_pb_write_uint(span, BB_F_SPAN_DROPPED_LINKS_COUNT, 7);
    build_init(&status);
    build_put_text(&status, BB_F_STATUS_MESSAGE, "it broke");
    bb_pb_write_uint(&status, BB_F_STATUS_CODE, BB_STATUS_ERROR);
    build_put(span, BB_F_SPAN_STATUS, &status);
    bb_pb_write_fixed32(span, BB_F_SPAN_FLAGS, 0x101);
    build_put_text(span, 1000, "a field of a later version");
}

static void put_full_scope_spans(struct bb_buf *resource_spans, uint8_t first_seed,
                                 uint8_t span_count)
{
    struct bb_buf scope_spans;
    struct bb_buf scope;

    build_init(&scope_spans);
    build_init(&scope);
    build_put_text(&scope, BB_F_SCOPE_NAME, "library");
    build_put_text(&scope, BB_F_SCOPE_VERSION, "1.2.3");
    put_attributes(&scope, BB_F_SCOPE_ATTRIBUTES);
    bb_pb_write_uint(&scope, BB_F_SCOPE_DROPPED_ATTRIBUTES_COUNT, 2);
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, &scope);
    for (uint8_t i = 0; i < span_count; i++) {
        struct bb_buf span;
        build_init(&span);
        build_full_span_body(&span, (uint8_t)(first_seed + i));
        build_put(&scope_spans, BB_F_SCOPE_SPANS_SPANS, &span);
    }
    build_put_text(&scope_spans, BB_F_SCOPE_SPANS_SCHEMA_URL, "https://example.test/scope");
    build_put(resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
}

static void put_full_resource(struct bb_buf *resource_spans)
{
    struct bb_buf resource;
    struct bb_buf entity;

    build_init(&resource);
    build_put_attribute(&resource, BB_F_RESOURCE_ATTRIBUTES, "service.name", "shop");
    put_attributes(&resource, BB_F_RESOURCE_ATTRIBUTES);
    bb_pb_write_uint(&resource, BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT, 1);
    build_init(&entity);
    build_put_text(&entity, BB_F_ENTITY_REF_SCHEMA_URL, "https://example.test/entity");
    build_put_text(&entity, BB_F_ENTITY_REF_TYPE, "service");
    build_put_text(&entity, BB_F_ENTITY_REF_ID_KEYS, "service.name");
    build_put_text(&entity, BB_F_ENTITY_REF_DESCRIPTION_KEYS, "text");
    build_put(&resource, BB_F_RESOURCE_ENTITY_REFS, &entity);
    build_put(resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &resource);
}

void build_full_request(struct bb_buf *request)
{
    struct bb_buf resource_spans;

    build_init(&resource_spans);
    put_full_resource(&resource_spans);
    put_full_scope_spans(&resource_spans, 1, 2);
    put_full_scope_spans(&resource_spans, 3, 1);
    build_put_text(&resource_spans, BB_F_RESOURCE_SPANS_SCHEMA_URL,
                   "https://example.test/resource");
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);

    build_init(&resource_spans);
    put_full_scope_spans(&resource_spans, 4, 2);
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
}
