/*
 * otlp_view.h - reading accepted OTLP messages field by field, without a copy and without memory.
 *
 * For bytes that bb_otlp_walk accepted. On others the readers still stay inside the slice and end
 * early. Where a field that isn't repeated occurs twice the last one counts. (Protobuf would merge
 * two sub-messages; no encoder writes them so, but for a span's status, which is merged here, too.)
 */
#ifndef BB_COMMON_OTLP_VIEW_H
#define BB_COMMON_OTLP_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/otlp_fields.h"
#include "common/pb_wire.h"
#include "common/slice.h"

enum bb_value_type {
    BB_VALUE_EMPTY, /* an AnyValue with nothing set */
    BB_VALUE_STRING,
    BB_VALUE_BOOL,
    BB_VALUE_INT,
    BB_VALUE_DOUBLE,
    BB_VALUE_ARRAY,
    BB_VALUE_KVLIST,
    BB_VALUE_BYTES,
};

/* opentelemetry.proto.common.v1.AnyValue */
struct bb_value {
    enum bb_value_type type;
    bool boolean;
    int64_t integer;
    double real;
    struct bb_slice bytes; /* STRING, BYTES: the content; ARRAY, KVLIST: the message body */
};

struct bb_attribute {
    struct bb_slice key;
    struct bb_value value;
};

/* Walks the attributes of a message: bb_attribute_iter_of(span.bytes, BB_F_SPAN_ATTRIBUTES). */
struct bb_attribute_iter {
    struct bb_pb_reader reader;
    uint32_t number;
};

static inline struct bb_attribute_iter bb_attribute_iter_of(struct bb_slice message,
                                                            uint32_t field_number)
{
    return (struct bb_attribute_iter){.reader = bb_pb_reader_of(message), .number = field_number};
}

/* The pairs of a KVLIST value. */
static inline struct bb_attribute_iter bb_kvlist_iter_of(const struct bb_value *value)
{
    return bb_attribute_iter_of(value->bytes, BB_F_KVLIST_VALUES);
}

/* False at the end. */
bool bb_attribute_next(struct bb_attribute_iter *iter, struct bb_attribute *out_attribute);

/* The elements of an ARRAY value: iterate with a reader over value->bytes. False at the end. */
bool bb_array_next(struct bb_pb_reader *reader, struct bb_value *out_value);

/* The first attribute of that key; false when there is none. */
bool bb_attribute_find(struct bb_slice message, uint32_t field_number, struct bb_slice key,
                       struct bb_value *out_value);

/* Reads an AnyValue message body. */
struct bb_value bb_value_read(struct bb_slice any_value);

/*
 * The value as text, the way that search compares and tables show it: strings as they are, true
 * and false, integers in decimal, doubles with the fewest digits that read back the same ("72.5",
 * "1e+30", "NaN", "Infinity"), bytes as standard base64, arrays and key-value lists as JSON, empty
 * as "". Appends to `out`.
 */
void bb_value_append_text(const struct bb_value *value, struct bb_buf *out);

struct bb_json_writer;

/* The value as JSON: strings, booleans, numbers, arrays and objects as they are, bytes as standard
 * base64, empty as null. What is nested deeper than BB_VALUE_DEPTH_MAX, which no accepted value is,
 * becomes null. */
void bb_value_write_json(const struct bb_value *value, struct bb_json_writer *json);

/* A double as above (a power of two may have a digit more than it needs: its two neighbours are not
 * equally far). `out` takes at most 32 bytes with the NUL; returns the length. */
#define BB_DOUBLE_TEXT_SIZE 32
size_t bb_double_format(double value, char out[BB_DOUBLE_TEXT_SIZE]);

/* All of a Span but its repeated fields. */
struct bb_span_view {
    struct bb_slice bytes; /* the message, for the iterators */
    struct bb_slice trace_id;
    struct bb_slice span_id;
    struct bb_slice parent_span_id;
    struct bb_slice trace_state;
    struct bb_slice name;
    struct bb_slice status_message;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
    uint32_t flags;
    uint32_t kind;        /* as sent, so that an unknown number is given back */
    uint32_t status_code; /* as sent */
    uint32_t dropped_attributes_count;
    uint32_t dropped_events_count;
    uint32_t dropped_links_count;
    bool has_status;
};

void bb_span_view_read(struct bb_slice bytes, struct bb_span_view *out_view);

struct bb_event_view {
    struct bb_slice bytes;
    struct bb_slice name;
    uint64_t time_unix_ns;
    uint32_t dropped_attributes_count;
};

/* The events of a span, in order: a reader over span.bytes. False at the end. */
bool bb_event_next(struct bb_pb_reader *span_reader, struct bb_event_view *out_view);

struct bb_link_view {
    struct bb_slice bytes;
    struct bb_slice trace_id;
    struct bb_slice span_id;
    struct bb_slice trace_state;
    uint32_t flags;
    uint32_t dropped_attributes_count;
};

bool bb_link_next(struct bb_pb_reader *span_reader, struct bb_link_view *out_view);

struct bb_scope_view {
    struct bb_slice bytes;
    struct bb_slice name;
    struct bb_slice version;
    uint32_t dropped_attributes_count;
};

void bb_scope_view_read(struct bb_slice bytes, struct bb_scope_view *out_view);

/* Resource.dropped_attributes_count */
uint32_t bb_resource_dropped_count(struct bb_slice resource_bytes);

/* "unspecified", "internal", "server", "client", "producer", "consumer"; static storage. */
const char *bb_span_kind_text(uint32_t kind);

/* The reverse, any case, also with the prefix SPAN_KIND_. False for another word. */
bool bb_span_kind_parse(struct bb_slice text, enum bb_span_kind *out_kind);

#endif /* BB_COMMON_OTLP_VIEW_H */
