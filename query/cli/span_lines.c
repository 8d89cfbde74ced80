#include "query/cli/span_lines.h"

#include "common/json_writer.h"
#include "common/otlp_view.h"

/* The pairs as one object. */
static void write_pairs(struct bb_json_writer *json, struct bb_attribute_iter iter)
{
    struct bb_attribute attribute;

    bb_json_begin_object(json);
    while (bb_attribute_next(&iter, &attribute)) {
        bb_json_key_slice(json, attribute.key);
        bb_value_write_json(&attribute.value, json);
    }
    bb_json_end_object(json);
}

static void write_attributes(struct bb_json_writer *json, struct bb_slice message,
                             uint32_t field_number)
{
    bb_json_key(json, "attributes");
    write_pairs(json, bb_attribute_iter_of(message, field_number));
}

static void write_text(struct bb_json_writer *json, const char *key, struct bb_slice text)
{
    if (text.size > 0) {
        bb_json_key(json, key);
        bb_json_string(json, text);
    }
}

static void write_count(struct bb_json_writer *json, const char *key, uint64_t count)
{
    if (count > 0) {
        bb_json_key(json, key);
        bb_json_uint(json, count);
    }
}

static void write_id(struct bb_json_writer *json, const char *key, struct bb_slice id)
{
    bb_json_key(json, key);
    bb_json_hex(json, id);
}

static void write_time(struct bb_json_writer *json, const char *key, uint64_t unix_ns)
{
    bb_json_key(json, key);
    bb_json_uint_string(json, unix_ns);
}

static void write_events(struct bb_json_writer *json, struct bb_slice span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_event_view event;

    bb_json_key(json, "events");
    bb_json_begin_array(json);
    while (bb_event_next(&reader, &event)) {
        bb_json_begin_object(json);
        write_time(json, "timeUnixNano", event.time_unix_ns);
        bb_json_key(json, "name");
        bb_json_string(json, event.name);
        write_attributes(json, event.bytes, BB_F_EVENT_ATTRIBUTES);
        write_count(json, "droppedAttributesCount", event.dropped_attributes_count);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

static void write_links(struct bb_json_writer *json, struct bb_slice span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_link_view link;

    bb_json_key(json, "links");
    bb_json_begin_array(json);
    while (bb_link_next(&reader, &link)) {
        bb_json_begin_object(json);
        write_id(json, "traceId", link.trace_id);
        write_id(json, "spanId", link.span_id);
        write_text(json, "traceState", link.trace_state);
        write_attributes(json, link.bytes, BB_F_LINK_ATTRIBUTES);
        write_count(json, "droppedAttributesCount", link.dropped_attributes_count);
        write_count(json, "flags", link.flags);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

static void write_status(struct bb_json_writer *json, const struct bb_span_view *view)
{
    static const char *const words[] = {"unset", "ok", "error"};

    bb_json_key(json, "status");
    bb_json_begin_object(json);
    bb_json_key(json, "code");
    bb_json_cstr(json,
                 view->status_code < BB_ARRAY_COUNT(words) ? words[view->status_code] : "unset");
    write_text(json, "message", view->status_message);
    bb_json_end_object(json);
}

static void write_resource(struct bb_json_writer *json, const struct bb_resource_ref *resource)
{
    bb_json_key(json, "resource");
    bb_json_begin_object(json);
    write_attributes(json, resource->bytes, BB_F_RESOURCE_ATTRIBUTES);
    write_count(json, "droppedAttributesCount", bb_resource_dropped_count(resource->bytes));
    write_text(json, "schemaUrl", resource->schema_url);
    bb_json_end_object(json);
}

static void write_scope(struct bb_json_writer *json, const struct bb_scope_ref *scope)
{
    struct bb_scope_view view;

    bb_scope_view_read(scope->bytes, &view);
    bb_json_key(json, "scope");
    bb_json_begin_object(json);
    write_text(json, "name", view.name);
    write_text(json, "version", view.version);
    write_attributes(json, scope->bytes, BB_F_SCOPE_ATTRIBUTES);
    write_count(json, "droppedAttributesCount", view.dropped_attributes_count);
    write_text(json, "schemaUrl", scope->schema_url);
    bb_json_end_object(json);
}

void bb_span_lines_append(const struct bb_span_batch *batch, uint32_t index, struct bb_buf *out)
{
    const struct bb_span_ref *span = &batch->spans[index];
    const struct bb_resource_ref *resource = &batch->resources[span->resource_index];
    struct bb_json_writer json = bb_json_writer_of(out);
    struct bb_span_view view;

    bb_span_view_read(span->bytes, &view);
    bb_json_begin_object(&json);
    write_id(&json, "traceId", view.trace_id);
    write_id(&json, "spanId", view.span_id);
    write_id(&json, "parentSpanId", view.parent_span_id);
    bb_json_key(&json, "service");
    bb_json_string(&json, resource->service_name);
    bb_json_key(&json, "name");
    bb_json_string(&json, view.name);
    bb_json_key(&json, "kind");
    bb_json_cstr(&json, bb_span_kind_text(view.kind));
    write_time(&json, "startTimeUnixNano", view.start_unix_ns);
    write_time(&json, "endTimeUnixNano", view.end_unix_ns);
    bb_json_key(&json, "durationNano");
    bb_json_uint(&json, bb_span_duration_ns(span));
    write_status(&json, &view);
    write_text(&json, "traceState", view.trace_state);
    write_count(&json, "flags", view.flags);
    write_attributes(&json, span->bytes, BB_F_SPAN_ATTRIBUTES);
    write_count(&json, "droppedAttributesCount", view.dropped_attributes_count);
    write_events(&json, span->bytes);
    write_count(&json, "droppedEventsCount", view.dropped_events_count);
    write_links(&json, span->bytes);
    write_count(&json, "droppedLinksCount", view.dropped_links_count);
    write_resource(&json, resource);
    write_scope(&json, &batch->scopes[span->scope_index]);
    bb_json_end_object(&json);
    bb_buf_append_byte(out, '\n');
}
