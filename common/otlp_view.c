#include "common/otlp_view.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/json_writer.h"
#include "common/limits.h"

struct bb_value bb_value_read(struct bb_slice any_value)
{
    struct bb_pb_reader reader = bb_pb_reader_of(any_value);
    struct bb_value value = {.type = BB_VALUE_EMPTY};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_VALUE_STRING:
            value = (struct bb_value){.type = BB_VALUE_STRING, .bytes = field.bytes};
            break;
        case BB_F_VALUE_BOOL:
            value = (struct bb_value){.type = BB_VALUE_BOOL, .boolean = field.value != 0};
            break;
        case BB_F_VALUE_INT:
            value = (struct bb_value){.type = BB_VALUE_INT, .integer = (int64_t)field.value};
            break;
        case BB_F_VALUE_DOUBLE:
            value = (struct bb_value){.type = BB_VALUE_DOUBLE};
            memcpy(&value.real, &field.value, sizeof value.real);
            break;
        case BB_F_VALUE_ARRAY:
            value = (struct bb_value){.type = BB_VALUE_ARRAY, .bytes = field.bytes};
            break;
        case BB_F_VALUE_KVLIST:
            value = (struct bb_value){.type = BB_VALUE_KVLIST, .bytes = field.bytes};
            break;
        case BB_F_VALUE_BYTES:
            value = (struct bb_value){.type = BB_VALUE_BYTES, .bytes = field.bytes};
            break;
        default:
            break;
        }
    }
    return value;
}

bool bb_attribute_next(struct bb_attribute_iter *iter, struct bb_attribute *out_attribute)
{
    struct bb_pb_field field;

    while (bb_pb_next(&iter->reader, &field)) {
        if (field.number != iter->number || field.type != BB_PB_BYTES) {
            continue;
        }
        struct bb_pb_reader pair = bb_pb_reader_of(field.bytes);
        struct bb_slice value = bb_slice_of(NULL, 0);
        out_attribute->key = bb_slice_of(NULL, 0);
        while (bb_pb_next(&pair, &field)) {
            if (field.number == BB_F_KEY_VALUE_KEY) {
                out_attribute->key = field.bytes;
            } else if (field.number == BB_F_KEY_VALUE_VALUE) {
                value = field.bytes;
            }
        }
        out_attribute->value = bb_value_read(value);
        return true;
    }
    return false;
}

bool bb_array_next(struct bb_pb_reader *reader, struct bb_value *out_value)
{
    struct bb_pb_field field;

    while (bb_pb_next(reader, &field)) {
        if (field.number == BB_F_ARRAY_VALUES && field.type == BB_PB_BYTES) {
            *out_value = bb_value_read(field.bytes);
            return true;
        }
    }
    return false;
}

bool bb_attribute_find(struct bb_slice message, uint32_t field_number, struct bb_slice key,
                       struct bb_value *out_value)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, field_number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        if (bb_slice_equals(attribute.key, key)) {
            *out_value = attribute.value;
            return true;
        }
    }
    return false;
}

size_t bb_double_format(double value, char out[BB_DOUBLE_TEXT_SIZE])
{
    int size = 0;

    if (isnan(value)) {
        return (size_t)snprintf(out, BB_DOUBLE_TEXT_SIZE, "NaN");
    }
    if (isinf(value)) {
        return (size_t)snprintf(out, BB_DOUBLE_TEXT_SIZE, value < 0 ? "-Infinity" : "Infinity");
    }
    /* Any 15 digits survive the way through a double, unless it is subnormal. */
    for (int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        size = snprintf(out, BB_DOUBLE_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value) {
            break;
        }
    }
    return (size_t)size;
}

/* The walk bounds the depth; `depth` guards the stack against bytes that did not pass it. */
static void append_json(struct bb_json_writer *json, const struct bb_value *value, unsigned depth)
{
    struct bb_pb_reader elements;
    struct bb_attribute_iter pairs;
    struct bb_attribute pair;
    struct bb_value element;

    if (depth == BB_VALUE_DEPTH_MAX) {
        bb_json_null(json);
        return;
    }
    switch (value->type) {
    case BB_VALUE_EMPTY:
        bb_json_null(json);
        break;
    case BB_VALUE_STRING:
        bb_json_string(json, value->bytes);
        break;
    case BB_VALUE_BOOL:
        bb_json_bool(json, value->boolean);
        break;
    case BB_VALUE_INT:
        bb_json_int(json, value->integer);
        break;
    case BB_VALUE_DOUBLE:
        bb_json_double(json, value->real);
        break;
    case BB_VALUE_BYTES:
        bb_json_base64(json, value->bytes);
        break;
    case BB_VALUE_ARRAY:
        bb_json_begin_array(json);
        elements = bb_pb_reader_of(value->bytes);
        while (bb_array_next(&elements, &element)) {
            append_json(json, &element, depth + 1);
        }
        bb_json_end_array(json);
        break;
    case BB_VALUE_KVLIST:
        bb_json_begin_object(json);
        pairs = bb_kvlist_iter_of(value);
        while (bb_attribute_next(&pairs, &pair)) {
            bb_json_key_slice(json, pair.key);
            append_json(json, &pair.value, depth + 1);
        }
        bb_json_end_object(json);
        break;
    }
}

void bb_value_write_json(const struct bb_value *value, struct bb_json_writer *json)
{
    append_json(json, value, 0);
}

void bb_value_append_text(const struct bb_value *value, struct bb_buf *out)
{
    struct bb_json_writer json = bb_json_writer_of(out);
    char text[BB_DOUBLE_TEXT_SIZE];

    switch (value->type) {
    case BB_VALUE_EMPTY:
        break;
    case BB_VALUE_STRING:
        bb_buf_append_slice(out, value->bytes);
        break;
    case BB_VALUE_DOUBLE:
        bb_buf_append(out, text, bb_double_format(value->real, text));
        break;
    case BB_VALUE_BYTES:
        bb_base64_append(out, value->bytes);
        break;
    case BB_VALUE_BOOL:
    case BB_VALUE_INT:
    case BB_VALUE_ARRAY:
    case BB_VALUE_KVLIST:
        append_json(&json, value, 0);
        break;
    }
}

static void read_status(struct bb_slice status, struct bb_span_view *view)
{
    struct bb_pb_reader reader = bb_pb_reader_of(status);
    struct bb_pb_field field;

    view->has_status = true;
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_STATUS_MESSAGE) {
            view->status_message = field.bytes;
        } else if (field.number == BB_F_STATUS_CODE) {
            view->status_code = (uint32_t)field.value;
        }
    }
}

void bb_span_view_read(struct bb_slice bytes, struct bb_span_view *out_view)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_span_view view = {.bytes = bytes};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_SPAN_TRACE_ID:
            view.trace_id = field.bytes;
            break;
        case BB_F_SPAN_SPAN_ID:
            view.span_id = field.bytes;
            break;
        case BB_F_SPAN_TRACE_STATE:
            view.trace_state = field.bytes;
            break;
        case BB_F_SPAN_PARENT_SPAN_ID:
            view.parent_span_id = field.bytes;
            break;
        case BB_F_SPAN_NAME:
            view.name = field.bytes;
            break;
        case BB_F_SPAN_KIND:
            view.kind = (uint32_t)field.value;
            break;
        case BB_F_SPAN_START_TIME_UNIX_NANO:
            view.start_unix_ns = field.value;
            break;
        case BB_F_SPAN_END_TIME_UNIX_NANO:
            view.end_unix_ns = field.value;
            break;
        case BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT:
            view.dropped_attributes_count = (uint32_t)field.value;
            break;
        case BB_F_SPAN_DROPPED_EVENTS_COUNT:
            view.dropped_events_count = (uint32_t)field.value;
            break;
        case BB_F_SPAN_DROPPED_LINKS_COUNT:
            view.dropped_links_count = (uint32_t)field.value;
            break;
        case BB_F_SPAN_STATUS:
            read_status(field.bytes, &view);
            break;
        case BB_F_SPAN_FLAGS:
            view.flags = (uint32_t)field.value;
            break;
        default:
            break;
        }
    }
    *out_view = view;
}

static bool next_message(struct bb_pb_reader *reader, uint32_t number, struct bb_slice *out_bytes)
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

bool bb_event_next(struct bb_pb_reader *span_reader, struct bb_event_view *out_view)
{
    struct bb_event_view view = {.time_unix_ns = 0};
    struct bb_pb_field field;

    if (!next_message(span_reader, BB_F_SPAN_EVENTS, &view.bytes)) {
        return false;
    }
    struct bb_pb_reader reader = bb_pb_reader_of(view.bytes);
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_EVENT_TIME_UNIX_NANO) {
            view.time_unix_ns = field.value;
        } else if (field.number == BB_F_EVENT_NAME) {
            view.name = field.bytes;
        } else if (field.number == BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT) {
            view.dropped_attributes_count = (uint32_t)field.value;
        }
    }
    *out_view = view;
    return true;
}

bool bb_link_next(struct bb_pb_reader *span_reader, struct bb_link_view *out_view)
{
    struct bb_link_view view = {.flags = 0};
    struct bb_pb_field field;

    if (!next_message(span_reader, BB_F_SPAN_LINKS, &view.bytes)) {
        return false;
    }
    struct bb_pb_reader reader = bb_pb_reader_of(view.bytes);
    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_LINK_TRACE_ID:
            view.trace_id = field.bytes;
            break;
        case BB_F_LINK_SPAN_ID:
            view.span_id = field.bytes;
            break;
        case BB_F_LINK_TRACE_STATE:
            view.trace_state = field.bytes;
            break;
        case BB_F_LINK_DROPPED_ATTRIBUTES_COUNT:
            view.dropped_attributes_count = (uint32_t)field.value;
            break;
        case BB_F_LINK_FLAGS:
            view.flags = (uint32_t)field.value;
            break;
        default:
            break;
        }
    }
    *out_view = view;
    return true;
}

void bb_scope_view_read(struct bb_slice bytes, struct bb_scope_view *out_view)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_scope_view view = {.bytes = bytes};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_SCOPE_NAME) {
            view.name = field.bytes;
        } else if (field.number == BB_F_SCOPE_VERSION) {
            view.version = field.bytes;
        } else if (field.number == BB_F_SCOPE_DROPPED_ATTRIBUTES_COUNT) {
            view.dropped_attributes_count = (uint32_t)field.value;
        }
    }
    *out_view = view;
}

uint32_t bb_resource_dropped_count(struct bb_slice resource_bytes)
{
    struct bb_pb_reader reader = bb_pb_reader_of(resource_bytes);
    struct bb_pb_field field;
    uint32_t count = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT) {
            count = (uint32_t)field.value;
        }
    }
    return count;
}

static const char *const kind_texts[] = {
    [BB_KIND_UNSPECIFIED] = "unspecified", [BB_KIND_INTERNAL] = "internal",
    [BB_KIND_SERVER] = "server",           [BB_KIND_CLIENT] = "client",
    [BB_KIND_PRODUCER] = "producer",       [BB_KIND_CONSUMER] = "consumer",
};

const char *bb_span_kind_text(uint32_t kind)
{
    return kind_texts[kind < BB_ARRAY_COUNT(kind_texts) ? kind : BB_KIND_UNSPECIFIED];
}

bool bb_span_kind_parse(struct bb_slice text, enum bb_span_kind *out_kind)
{
    static const char prefix[] = "SPAN_KIND_";
    size_t prefix_size = sizeof prefix - 1;

    if (text.size > prefix_size && strncasecmp((const char *)text.data, prefix, prefix_size) == 0) {
        text = bb_slice_of(text.data + prefix_size, text.size - prefix_size);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(kind_texts); i++) {
        if (text.size == strlen(kind_texts[i]) &&
            strncasecmp((const char *)text.data, kind_texts[i], text.size) == 0) {
            *out_kind = (enum bb_span_kind)i;
            return true;
        }
    }
    return false;
}
