#include "query/otlp_json_render.h"

#include "common/limits.h"
#include "common/otlp_fields.h"
#include "common/otlp_view.h"
#include "common/pb_wire.h"

static void write_value(struct bb_json_writer *json, const struct bb_value *value, unsigned depth);

static void write_string_field(struct bb_json_writer *json, const char *key, struct bb_slice text)
{
    if (text.size > 0) {
        bb_json_key(json, key);
        bb_json_string(json, text);
    }
}

static void write_hex_field(struct bb_json_writer *json, const char *key, struct bb_slice id)
{
    if (id.size > 0) {
        bb_json_key(json, key);
        bb_json_hex(json, id);
    }
}

static void write_uint_field(struct bb_json_writer *json, const char *key, uint32_t value)
{
    if (value != 0) {
        bb_json_key(json, key);
        bb_json_uint(json, value);
    }
}

/* The pairs of an attribute list or of a key-value list. */
static void write_pairs(struct bb_json_writer *json, struct bb_attribute_iter iter, unsigned depth)
{
    struct bb_attribute pair;

    bb_json_begin_array(json);
    while (bb_attribute_next(&iter, &pair)) {
        bb_json_begin_object(json);
        bb_json_key(json, "key");
        bb_json_string(json, pair.key);
        bb_json_key(json, "value");
        write_value(json, &pair.value, depth);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

static void write_array_value(struct bb_json_writer *json, const struct bb_value *value,
                              unsigned depth)
{
    struct bb_pb_reader reader = bb_pb_reader_of(value->bytes);
    struct bb_value element;

    bb_json_key(json, "arrayValue");
    bb_json_begin_object(json);
    bb_json_key(json, "values");
    bb_json_begin_array(json);
    while (bb_array_next(&reader, &element)) {
        write_value(json, &element, depth);
    }
    bb_json_end_array(json);
    bb_json_end_object(json);
}

static void write_kvlist_value(struct bb_json_writer *json, const struct bb_value *value,
                               unsigned depth)
{
    bb_json_key(json, "kvlistValue");
    bb_json_begin_object(json);
    bb_json_key(json, "values");
    write_pairs(json, bb_kvlist_iter_of(value), depth);
    bb_json_end_object(json);
}

/* An AnyValue. What came in is never nested deeper than BB_VALUE_DEPTH_MAX; the bound here is for
 * bytes that a disk has damaged. */
static void write_value(struct bb_json_writer *json, const struct bb_value *value, unsigned depth)
{
    bb_json_begin_object(json);
    switch (value->type) {
    case BB_VALUE_EMPTY:
        break;
    case BB_VALUE_STRING:
        bb_json_key(json, "stringValue");
        bb_json_string(json, value->bytes);
        break;
    case BB_VALUE_BOOL:
        bb_json_key(json, "boolValue");
        bb_json_bool(json, value->boolean);
        break;
    case BB_VALUE_INT:
        bb_json_key(json, "intValue");
        bb_json_int_string(json, value->integer);
        break;
    case BB_VALUE_DOUBLE:
        bb_json_key(json, "doubleValue");
        bb_json_double(json, value->real);
        break;
    case BB_VALUE_BYTES:
        bb_json_key(json, "bytesValue");
        bb_json_base64(json, value->bytes);
        break;
    case BB_VALUE_ARRAY:
        if (depth <= BB_VALUE_DEPTH_MAX) {
            write_array_value(json, value, depth + 1);
        }
        break;
    case BB_VALUE_KVLIST:
        if (depth <= BB_VALUE_DEPTH_MAX) {
            write_kvlist_value(json, value, depth + 1);
        }
        break;
    }
    bb_json_end_object(json);
}

/* A repeated KeyValue field under the key "attributes"; nothing when there are none. */
static void write_attributes(struct bb_json_writer *json, struct bb_slice message,
                             uint32_t field_number)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, field_number);
    struct bb_attribute_iter probe = iter;
    struct bb_attribute first;

    if (bb_attribute_next(&probe, &first)) {
        bb_json_key(json, "attributes");
        write_pairs(json, iter, 1);
    }
}

/* The next field `number` that is a message or a string. False at the end. */
static bool next_bytes(struct bb_pb_reader *reader, uint32_t number, struct bb_slice *out_bytes)
{
    struct bb_pb_field field;

    while (bb_pb_next(reader, &field)) {
        if (field.number == number && field.type == BB_PB_BYTES) {
            *out_bytes = field.bytes;
            return true;
        }
    }
    return false;
}

static struct bb_slice last_string(struct bb_slice message, uint32_t number)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message);
    struct bb_slice text = {0};

    while (next_bytes(&reader, number, &text)) {
    }
    return text;
}

/* A repeated string field; nothing when there are none. */
static void write_strings(struct bb_json_writer *json, const char *key, struct bb_slice message,
                          uint32_t number)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message);
    struct bb_slice text;
    bool is_open = false;

    while (next_bytes(&reader, number, &text)) {
        if (!is_open) {
            bb_json_key(json, key);
            bb_json_begin_array(json);
            is_open = true;
        }
        bb_json_string(json, text);
    }
    if (is_open) {
        bb_json_end_array(json);
    }
}

static void write_entity_refs(struct bb_json_writer *json, struct bb_slice resource)
{
    struct bb_pb_reader reader = bb_pb_reader_of(resource);
    struct bb_slice ref;
    bool is_open = false;

    while (next_bytes(&reader, BB_F_RESOURCE_ENTITY_REFS, &ref)) {
        if (!is_open) {
            bb_json_key(json, "entityRefs");
            bb_json_begin_array(json);
            is_open = true;
        }
        bb_json_begin_object(json);
        write_string_field(json, "schemaUrl", last_string(ref, BB_F_ENTITY_REF_SCHEMA_URL));
        write_string_field(json, "type", last_string(ref, BB_F_ENTITY_REF_TYPE));
        write_strings(json, "idKeys", ref, BB_F_ENTITY_REF_ID_KEYS);
        write_strings(json, "descriptionKeys", ref, BB_F_ENTITY_REF_DESCRIPTION_KEYS);
        bb_json_end_object(json);
    }
    if (is_open) {
        bb_json_end_array(json);
    }
}

static void write_resource(struct bb_json_writer *json, struct bb_slice bytes)
{
    bb_json_key(json, "resource");
    bb_json_begin_object(json);
    write_attributes(json, bytes, BB_F_RESOURCE_ATTRIBUTES);
    write_uint_field(json, "droppedAttributesCount", bb_resource_dropped_count(bytes));
    write_entity_refs(json, bytes);
    bb_json_end_object(json);
}

static void write_scope(struct bb_json_writer *json, struct bb_slice bytes)
{
    struct bb_scope_view scope;

    bb_scope_view_read(bytes, &scope);
    bb_json_key(json, "scope");
    bb_json_begin_object(json);
    write_string_field(json, "name", scope.name);
    write_string_field(json, "version", scope.version);
    write_attributes(json, bytes, BB_F_SCOPE_ATTRIBUTES);
    write_uint_field(json, "droppedAttributesCount", scope.dropped_attributes_count);
    bb_json_end_object(json);
}

static void write_events(struct bb_json_writer *json, struct bb_slice span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_event_view event;
    bool is_open = false;

    while (bb_event_next(&reader, &event)) {
        if (!is_open) {
            bb_json_key(json, "events");
            bb_json_begin_array(json);
            is_open = true;
        }
        bb_json_begin_object(json);
        bb_json_key(json, "timeUnixNano");
        bb_json_uint_string(json, event.time_unix_ns);
        write_string_field(json, "name", event.name);
        write_attributes(json, event.bytes, BB_F_EVENT_ATTRIBUTES);
        write_uint_field(json, "droppedAttributesCount", event.dropped_attributes_count);
        bb_json_end_object(json);
    }
    if (is_open) {
        bb_json_end_array(json);
    }
}

static void write_links(struct bb_json_writer *json, struct bb_slice span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_link_view link;
    bool is_open = false;

    while (bb_link_next(&reader, &link)) {
        if (!is_open) {
            bb_json_key(json, "links");
            bb_json_begin_array(json);
            is_open = true;
        }
        bb_json_begin_object(json);
        write_hex_field(json, "traceId", link.trace_id);
        write_hex_field(json, "spanId", link.span_id);
        write_string_field(json, "traceState", link.trace_state);
        write_attributes(json, link.bytes, BB_F_LINK_ATTRIBUTES);
        write_uint_field(json, "droppedAttributesCount", link.dropped_attributes_count);
        write_uint_field(json, "flags", link.flags);
        bb_json_end_object(json);
    }
    if (is_open) {
        bb_json_end_array(json);
    }
}

static void write_status(struct bb_json_writer *json, const struct bb_span_view *span)
{
    if (!span->has_status) {
        return;
    }
    bb_json_key(json, "status");
    bb_json_begin_object(json);
    write_string_field(json, "message", span->status_message);
    if (span->status_code != BB_STATUS_UNSET) {
        bb_json_key(json, "code");
        bb_json_int(json, (int32_t)span->status_code);
    }
    bb_json_end_object(json);
}

static void write_span(struct bb_json_writer *json, struct bb_slice bytes)
{
    struct bb_span_view span;

    bb_span_view_read(bytes, &span);
    bb_json_begin_object(json);
    bb_json_key(json, "traceId");
    bb_json_hex(json, span.trace_id);
    bb_json_key(json, "spanId");
    bb_json_hex(json, span.span_id);
    write_string_field(json, "traceState", span.trace_state);
    write_hex_field(json, "parentSpanId", span.parent_span_id);
    write_uint_field(json, "flags", span.flags);
    bb_json_key(json, "name");
    bb_json_string(json, span.name);
    bb_json_key(json, "kind");
    bb_json_int(json, (int32_t)span.kind); /* enums are int32 on the wire */
    bb_json_key(json, "startTimeUnixNano");
    bb_json_uint_string(json, span.start_unix_ns);
    bb_json_key(json, "endTimeUnixNano");
    bb_json_uint_string(json, span.end_unix_ns);
    write_attributes(json, bytes, BB_F_SPAN_ATTRIBUTES);
    write_uint_field(json, "droppedAttributesCount", span.dropped_attributes_count);
    write_events(json, bytes);
    write_uint_field(json, "droppedEventsCount", span.dropped_events_count);
    write_links(json, bytes);
    write_uint_field(json, "droppedLinksCount", span.dropped_links_count);
    write_status(json, &span);
    bb_json_end_object(json);
}

/* The ScopeSpans that begins at span `first`; returns where the next one begins. */
static uint32_t write_scope_spans(struct bb_json_writer *json, const struct bb_span_batch *batch,
                                  uint32_t first)
{
    const struct bb_span_ref *spans = batch->spans;
    const struct bb_scope_ref *scope = &batch->scopes[spans[first].scope_index];
    uint32_t at = first;

    bb_json_begin_object(json);
    write_scope(json, scope->bytes);
    bb_json_key(json, "spans");
    bb_json_begin_array(json);
    while (at < batch->span_count && spans[at].scope_index == spans[first].scope_index &&
           spans[at].resource_index == spans[first].resource_index) {
        write_span(json, spans[at].bytes);
        at++;
    }
    bb_json_end_array(json);
    write_string_field(json, "schemaUrl", scope->schema_url);
    bb_json_end_object(json);
    return at;
}

void bb_otlp_json_write_resource_spans(struct bb_json_writer *json,
                                       const struct bb_span_batch *batch)
{
    uint32_t at = 0;

    while (at < batch->span_count && bb_buf_err(json->out) == BB_OK) {
        uint32_t resource_index = batch->spans[at].resource_index;
        const struct bb_resource_ref *resource = &batch->resources[resource_index];
        bb_json_begin_object(json);
        write_resource(json, resource->bytes);
        bb_json_key(json, "scopeSpans");
        bb_json_begin_array(json);
        while (at < batch->span_count && batch->spans[at].resource_index == resource_index) {
            at = write_scope_spans(json, batch, at);
        }
        bb_json_end_array(json);
        write_string_field(json, "schemaUrl", resource->schema_url);
        bb_json_end_object(json);
    }
}
