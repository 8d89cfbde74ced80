#include "query/jaeger_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/otlp_view.h"
#include "query/search_params.h"
#include "query/span_index.h"

/* The largest integer that a JSON number is sure to carry to a browser. */
#define SAFE_INTEGER_MAX ((INT64_C(1) << 53) - 1)

#define SERVICE_NAME_KEY "service.name"

/* One trace being written. */
struct render {
    struct bb_json_writer *json;
    const struct bb_span_batch *batch;
    struct bb_span_index ids;
    uint32_t *process_of_resource; /* the N of pN */
    struct bb_buf text;            /* scratch: a value as text */
    enum bb_err text_err;          /* why a text came out cut; the first one stays */
};

static void write_int64(struct bb_json_writer *json, int64_t value)
{
    if (value > SAFE_INTEGER_MAX || value < -SAFE_INTEGER_MAX) {
        bb_json_int_string(json, value);
    } else {
        bb_json_int(json, value);
    }
}

static struct bb_slice value_text(struct render *render, const struct bb_value *value)
{
    if (value->type == BB_VALUE_STRING) {
        return value->bytes;
    }
    bb_buf_clear(&render->text);
    bb_value_append_text(value, &render->text);
    if (render->text_err == BB_OK) {
        render->text_err = bb_buf_err(&render->text);
    }
    return bb_buf_slice(&render->text);
}

static void write_tag(struct render *render, struct bb_slice key, const struct bb_value *value)
{
    struct bb_json_writer *json = render->json;

    bb_json_begin_object(json);
    bb_json_key(json, "key");
    bb_json_string(json, key);
    bb_json_key(json, "type");
    switch (value->type) {
    case BB_VALUE_BOOL:
        bb_json_cstr(json, "bool");
        bb_json_key(json, "value");
        bb_json_bool(json, value->boolean);
        break;
    case BB_VALUE_INT:
        bb_json_cstr(json, "int64");
        bb_json_key(json, "value");
        write_int64(json, value->integer);
        break;
    case BB_VALUE_DOUBLE:
        bb_json_cstr(json, "float64");
        bb_json_key(json, "value");
        bb_json_double(json, value->real);
        break;
    case BB_VALUE_BYTES:
        bb_json_cstr(json, "binary");
        bb_json_key(json, "value");
        bb_json_base64(json, value->bytes);
        break;
    default: /* strings, and what has no type of its own here */
        bb_json_cstr(json, "string");
        bb_json_key(json, "value");
        bb_json_string(json, value_text(render, value));
        break;
    }
    bb_json_end_object(json);
}

/* All attributes of a message; `skip_key` (NULL: none) is left out where it is a string. */
static void write_attributes(struct render *render, struct bb_slice message, uint32_t field_number,
                             const char *skip_key)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, field_number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        if (skip_key != NULL && attribute.value.type == BB_VALUE_STRING &&
            bb_slice_equals_cstr(attribute.key, skip_key)) {
            continue;
        }
        write_tag(render, attribute.key, &attribute.value);
    }
}

/* A tag that is made from a field of `message`, unless an attribute says the same already. */
static void write_derived(struct render *render, struct bb_slice message, uint32_t field_number,
                          const char *key, struct bb_value value)
{
    struct bb_slice key_slice = bb_slice_from_cstr(key);
    struct bb_value present;

    if (bb_attribute_find(message, field_number, key_slice, &present)) {
        struct bb_slice text = value.type == BB_VALUE_BOOL
                                   ? bb_slice_from_cstr(value.boolean ? "true" : "false")
                                   : value.bytes;
        if (bb_slice_equals(value_text(render, &present), text)) {
            return;
        }
    }
    write_tag(render, key_slice, &value);
}

static struct bb_value string_value(struct bb_slice text)
{
    return (struct bb_value){.type = BB_VALUE_STRING, .bytes = text};
}

static void write_span_tag(struct render *render, const struct bb_span_view *span, const char *key,
                           struct bb_slice text)
{
    if (text.size > 0) {
        write_derived(render, span->bytes, BB_F_SPAN_ATTRIBUTES, key, string_value(text));
    }
}

static void write_tags(struct render *render, const struct bb_span_view *span,
                       const struct bb_scope_view *scope)
{
    bb_json_begin_array(render->json);
    write_span_tag(render, span, "otel.scope.name", scope->name);
    write_span_tag(render, span, "otel.scope.version", scope->version);
    write_attributes(render, span->bytes, BB_F_SPAN_ATTRIBUTES, NULL);
    if (span->kind != BB_KIND_UNSPECIFIED && span->kind <= BB_KIND_CONSUMER) {
        write_span_tag(render, span, "span.kind",
                       bb_slice_from_cstr(bb_span_kind_text(span->kind)));
    }
    if (span->status_code == BB_STATUS_OK) {
        write_span_tag(render, span, "otel.status_code", bb_slice_from_cstr("OK"));
    }
    if (span->status_code == BB_STATUS_ERROR) {
        write_span_tag(render, span, "otel.status_code", bb_slice_from_cstr("ERROR"));
        write_derived(render, span->bytes, BB_F_SPAN_ATTRIBUTES, "error",
                      (struct bb_value){.type = BB_VALUE_BOOL, .boolean = true});
    }
    write_span_tag(render, span, "otel.status_description", span->status_message);
    write_span_tag(render, span, "w3c.tracestate", span->trace_state);
    bb_json_end_array(render->json);
}

/* Jaeger writes a trace id of 64 bits, as Zipkin's clients make them, with 16 digits. */
static void write_trace_id(struct bb_json_writer *json, struct bb_slice id)
{
    static const uint8_t zeros[BB_TRACE_ID_SIZE / 2];

    if (id.size == BB_TRACE_ID_SIZE && memcmp(id.data, zeros, sizeof(zeros)) == 0) {
        id = bb_slice_of(id.data + sizeof(zeros), sizeof(zeros));
    }
    bb_json_hex(json, id);
}

static void write_reference(struct bb_json_writer *json, const char *type, struct bb_slice trace_id,
                            struct bb_slice span_id)
{
    bb_json_begin_object(json);
    bb_json_key(json, "refType");
    bb_json_cstr(json, type);
    bb_json_key(json, "traceID");
    write_trace_id(json, trace_id);
    bb_json_key(json, "spanID");
    bb_json_hex(json, span_id);
    bb_json_end_object(json);
}

static void write_references(struct render *render, const struct bb_span_ref *ref,
                             const struct bb_span_view *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_link_view link;

    bb_json_begin_array(render->json);
    if (!bb_span_id_is_zero(&ref->parent_span_id)) {
        write_reference(render->json, "CHILD_OF", span->trace_id,
                        bb_slice_of(ref->parent_span_id.bytes, BB_SPAN_ID_SIZE));
    }
    while (bb_link_next(&reader, &link)) {
        write_reference(render->json, "FOLLOWS_FROM", link.trace_id, link.span_id);
    }
    bb_json_end_array(render->json);
}

static void write_logs(struct render *render, const struct bb_span_view *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_json_writer *json = render->json;
    struct bb_event_view event;

    bb_json_begin_array(json);
    while (bb_event_next(&reader, &event)) {
        bb_json_begin_object(json);
        bb_json_key(json, "timestamp");
        bb_json_uint(json, event.time_unix_ns / BB_NS_PER_US);
        bb_json_key(json, "fields");
        bb_json_begin_array(json);
        if (event.name.size > 0) {
            write_derived(render, event.bytes, BB_F_EVENT_ATTRIBUTES, "event",
                          string_value(event.name));
        }
        write_attributes(render, event.bytes, BB_F_EVENT_ATTRIBUTES, NULL);
        bb_json_end_array(json);
        bb_json_end_object(json);
    }
    bb_json_end_array(json);
}

/* The warnings of one span: `null` when there is none, as clients expect. */
struct warnings {
    struct bb_json_writer *json;
    uint32_t count;
};

static void warn(struct warnings *warnings, const char *format, ...) BB_PRINTF(2, 3);

static void warn(struct warnings *warnings, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (warnings->count++ == 0) {
        bb_json_begin_array(warnings->json);
    }
    bb_json_cstr(warnings->json, text);
}

static void warn_dropped(struct warnings *warnings, uint32_t count, const char *what)
{
    if (count > 0) {
        warn(warnings, "%" PRIu32 " %s of this span were dropped before it was sent", count, what);
    }
}

static void write_warnings(struct render *render, const struct bb_span_ref *ref,
                           const struct bb_span_view *span)
{
    struct warnings warnings = {.json = render->json};

    if (bb_span_index_is_orphan(&render->ids, ref)) {
        char parent[BB_SPAN_ID_HEX_SIZE];
        bb_span_id_format(&ref->parent_span_id, parent);
        warn(&warnings, "its parent span %s is not in the trace", parent);
    }
    if (bb_span_index_count(&render->ids, &ref->span_id) > 1) {
        warn(&warnings, "other spans of this trace have the same span id");
    }
    if (ref->end_unix_ns < ref->start_unix_ns) {
        warn(&warnings, "it ends %" PRIu64 "ns before it starts; shown with a duration of 0",
             ref->start_unix_ns - ref->end_unix_ns);
    }
    warn_dropped(&warnings, span->dropped_attributes_count, "attributes");
    warn_dropped(&warnings, span->dropped_events_count, "events");
    warn_dropped(&warnings, span->dropped_links_count, "links");
    if (warnings.count == 0) {
        bb_json_null(render->json);
    } else {
        bb_json_end_array(render->json);
    }
}

static void write_span(struct render *render, const struct bb_span_ref *ref)
{
    struct bb_json_writer *json = render->json;
    struct bb_span_view span;
    struct bb_scope_view scope;
    char process_id[16];

    bb_span_view_read(ref->bytes, &span);
    bb_scope_view_read(render->batch->scopes[ref->scope_index].bytes, &scope);
    (void)snprintf(process_id, sizeof(process_id), "p%" PRIu32,
                   render->process_of_resource[ref->resource_index]);

    bb_json_begin_object(json);
    bb_json_key(json, "traceID");
    write_trace_id(json, bb_slice_of(ref->trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_json_key(json, "spanID");
    bb_json_hex(json, bb_slice_of(ref->span_id.bytes, BB_SPAN_ID_SIZE));
    if (span.flags != 0) {
        bb_json_key(json, "flags");
        bb_json_uint(json, span.flags);
    }
    bb_json_key(json, "operationName");
    bb_json_string(json, ref->name);
    bb_json_key(json, "references");
    write_references(render, ref, &span);
    bb_json_key(json, "startTime");
    bb_json_uint(json, ref->start_unix_ns / BB_NS_PER_US);
    bb_json_key(json, "duration");
    bb_json_uint(json, bb_span_duration_ns(ref) / BB_NS_PER_US);
    bb_json_key(json, "tags");
    write_tags(render, &span, &scope);
    bb_json_key(json, "logs");
    write_logs(render, &span);
    bb_json_key(json, "processID");
    bb_json_cstr(json, process_id);
    bb_json_key(json, "warnings");
    write_warnings(render, ref, &span);
    bb_json_end_object(json);
}

struct resource_place {
    struct bb_slice bytes;
    uint32_t index;
};

static int compare_resources(const void *a, const void *b)
{
    const struct resource_place *left = a;
    const struct resource_place *right = b;
    int order = bb_slice_compare(left->bytes, right->bytes);

    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* Numbers the processes from 1 in the order of the resources; equal resources are one process. */
static enum bb_err number_processes(struct render *render, struct bb_arena *arena)
{
    uint32_t count = render->batch->resource_count;
    struct resource_place *places = bb_arena_try_calloc(arena, count, sizeof(*places));
    uint32_t *first_of = bb_arena_try_calloc(arena, count, sizeof(*first_of));
    uint32_t process_count = 0;

    render->process_of_resource = bb_arena_try_calloc(arena, count, sizeof(uint32_t));
    if (places == NULL || first_of == NULL || render->process_of_resource == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        places[i] = (struct resource_place){render->batch->resources[i].bytes, i};
    }
    qsort(places, count, sizeof(*places), compare_resources);
    for (uint32_t i = 0; i < count; i++) {
        bool is_same = i > 0 && bb_slice_equals(places[i].bytes, places[i - 1].bytes);
        first_of[places[i].index] = is_same ? first_of[places[i - 1].index] : places[i].index;
    }
    for (uint32_t i = 0; i < count; i++) {
        render->process_of_resource[i] =
            first_of[i] == i ? ++process_count : render->process_of_resource[first_of[i]];
    }
    return BB_OK;
}

static void write_processes(struct render *render)
{
    struct bb_json_writer *json = render->json;
    uint32_t written = 0;

    bb_json_begin_object(json);
    for (uint32_t i = 0; i < render->batch->resource_count; i++) {
        const struct bb_resource_ref *resource = &render->batch->resources[i];
        char process_id[16];
        if (render->process_of_resource[i] <= written) {
            continue;
        }
        written = render->process_of_resource[i];
        (void)snprintf(process_id, sizeof(process_id), "p%" PRIu32, written);
        bb_json_key(json, process_id);
        bb_json_begin_object(json);
        bb_json_key(json, "serviceName");
        bb_json_string(json, bb_service_name_shown(resource->service_name));
        bb_json_key(json, "tags");
        bb_json_begin_array(json);
        write_attributes(render, resource->bytes, BB_F_RESOURCE_ATTRIBUTES, SERVICE_NAME_KEY);
        bb_json_end_array(json);
        bb_json_end_object(json);
    }
    bb_json_end_object(json);
}

enum bb_err bb_jaeger_json_write_trace(struct bb_json_writer *json, const struct bb_trace *trace,
                                       struct bb_arena *arena)
{
    struct render render = {.json = json, .batch = &trace->batch};

    enum bb_err err = bb_span_index_build(&trace->batch, arena, &render.ids);
    if (err == BB_OK) {
        err = number_processes(&render, arena);
    }
    if (err != BB_OK) {
        return err;
    }
    bb_buf_init(&render.text, BB_ANSWER_BYTES_MAX);
    bb_json_begin_object(json);
    bb_json_key(json, "traceID");
    write_trace_id(json, bb_slice_of(trace->trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_json_key(json, "spans");
    bb_json_begin_array(json);
    for (uint32_t i = 0; i < trace->batch.span_count; i++) {
        write_span(&render, &trace->batch.spans[i]);
        if (bb_buf_err(json->out) != BB_OK) {
            break;
        }
    }
    bb_json_end_array(json);
    bb_json_key(json, "processes");
    write_processes(&render);
    bb_json_key(json, "warnings");
    bb_json_null(json);
    bb_json_end_object(json);
    err = bb_buf_err(json->out);
    if (err == BB_OK) {
        err = render.text_err;
    }
    bb_buf_dispose(&render.text);
    return err;
}
