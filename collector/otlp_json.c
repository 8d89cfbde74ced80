/*
 * otlp_json.c - see otlp_json.h.
 *
 * One pass over the text, writing protobuf as it goes: no tree is built, so a request takes no more
 * memory than its text and its result. What OTLP's messages look like is in the tables below; one
 * function writes any of them. Duplicate keys mean what they mean in protobuf: of a plain field the
 * last one counts, messages merge, lists append.
 *
 * A failure travels up as `false`, with its words and path in the transcoder, until something
 * catches it:
 *   - a span, which is cut off the output again, and whose text is read once more to skip it;
 *   - a ResourceSpans or ScopeSpans whose resource, scope or schemaUrl is bad: all spans below it
 *     go. Its text is read once more to count them, for JSON may have put them first;
 *   - otherwise the request fails. So does it when the text is no JSON or the output is full.
 */
#include "collector/otlp_json.h"

#include <math.h>
#include <stdio.h>

#include "common/field_path.h"
#include "common/ids.h"
#include "common/json_reader.h"
#include "common/limits.h"
#include "common/otlp_fields.h"
#include "common/pb_wire.h"

#define WHAT_SIZE 96

/* An integer or an id in quotes; what is longer is neither. */
#define SHORT_TEXT_MAX 400

enum field_kind {
    KIND_STRING,
    KIND_BASE64,
    KIND_TRACE_ID, /* hex */
    KIND_SPAN_ID,  /* hex */
    KIND_BOOL,
    KIND_UINT32,
    KIND_FIXED32,
    KIND_FIXED64,
    KIND_INT64,
    KIND_ENUM,
    KIND_DOUBLE,
    KIND_MESSAGE,
};

struct message;

struct field {
    const char *name;
    size_t name_size;
    uint32_t number;
    enum field_kind kind;
    bool is_repeated;
    bool is_required; /* an id that must be there and not all zeros */
    const struct message *message;
};

struct message {
    const struct field *fields;
    size_t field_count;
    bool is_oneof; /* at most one field may be set, and zero is a value */
};

#define NAME(text) .name = text, .name_size = sizeof text - 1
#define PLAIN(text, num, knd) {NAME(text), .number = num, .kind = knd}
#define REQUIRED(text, num, knd) {NAME(text), .number = num, .kind = knd, .is_required = true}
#define STRINGS(text, num) {NAME(text), .number = num, .kind = KIND_STRING, .is_repeated = true}
#define ONE(text, num, msg) {NAME(text), .number = num, .kind = KIND_MESSAGE, .message = &(msg)}
#define MANY(text, num, msg)                                                                       \
    {NAME(text), .number = num, .kind = KIND_MESSAGE, .is_repeated = true, .message = &(msg)}
#define MESSAGE(list) {.fields = (list), .field_count = BB_ARRAY_COUNT(list)}

static const struct message any_value; /* contains itself */

static const struct field key_value_fields[] = {
    PLAIN("key", BB_F_KEY_VALUE_KEY, KIND_STRING),
    ONE("value", BB_F_KEY_VALUE_VALUE, any_value),
};
static const struct message key_value = MESSAGE(key_value_fields);

static const struct field array_value_fields[] = {MANY("values", BB_F_ARRAY_VALUES, any_value)};
static const struct message array_value = MESSAGE(array_value_fields);

static const struct field kvlist_fields[] = {MANY("values", BB_F_KVLIST_VALUES, key_value)};
static const struct message kvlist = MESSAGE(kvlist_fields);

static const struct field any_value_fields[] = {
    PLAIN("stringValue", BB_F_VALUE_STRING, KIND_STRING),
    PLAIN("boolValue", BB_F_VALUE_BOOL, KIND_BOOL),
    PLAIN("intValue", BB_F_VALUE_INT, KIND_INT64),
    PLAIN("doubleValue", BB_F_VALUE_DOUBLE, KIND_DOUBLE),
    ONE("arrayValue", BB_F_VALUE_ARRAY, array_value),
    ONE("kvlistValue", BB_F_VALUE_KVLIST, kvlist),
    PLAIN("bytesValue", BB_F_VALUE_BYTES, KIND_BASE64),
};
static const struct message any_value = {
    .fields = any_value_fields,
    .field_count = BB_ARRAY_COUNT(any_value_fields),
    .is_oneof = true,
};

static const struct field entity_ref_fields[] = {
    PLAIN("schemaUrl", BB_F_ENTITY_REF_SCHEMA_URL, KIND_STRING),
    PLAIN("type", BB_F_ENTITY_REF_TYPE, KIND_STRING),
    STRINGS("idKeys", BB_F_ENTITY_REF_ID_KEYS),
    STRINGS("descriptionKeys", BB_F_ENTITY_REF_DESCRIPTION_KEYS),
};
static const struct message entity_ref = MESSAGE(entity_ref_fields);

static const struct field resource_fields[] = {
    MANY("attributes", BB_F_RESOURCE_ATTRIBUTES, key_value),
    PLAIN("droppedAttributesCount", BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT, KIND_UINT32),
    MANY("entityRefs", BB_F_RESOURCE_ENTITY_REFS, entity_ref),
};
static const struct message resource = MESSAGE(resource_fields);

static const struct field scope_fields[] = {
    PLAIN("name", BB_F_SCOPE_NAME, KIND_STRING),
    PLAIN("version", BB_F_SCOPE_VERSION, KIND_STRING),
    MANY("attributes", BB_F_SCOPE_ATTRIBUTES, key_value),
    PLAIN("droppedAttributesCount", BB_F_SCOPE_DROPPED_ATTRIBUTES_COUNT, KIND_UINT32),
};
static const struct message scope = MESSAGE(scope_fields);

static const struct field event_fields[] = {
    PLAIN("timeUnixNano", BB_F_EVENT_TIME_UNIX_NANO, KIND_FIXED64),
    PLAIN("name", BB_F_EVENT_NAME, KIND_STRING),
    MANY("attributes", BB_F_EVENT_ATTRIBUTES, key_value),
    PLAIN("droppedAttributesCount", BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT, KIND_UINT32),
};
static const struct message event = MESSAGE(event_fields);

static const struct field link_fields[] = {
    PLAIN("traceId", BB_F_LINK_TRACE_ID, KIND_TRACE_ID),
    PLAIN("spanId", BB_F_LINK_SPAN_ID, KIND_SPAN_ID),
    PLAIN("traceState", BB_F_LINK_TRACE_STATE, KIND_STRING),
    MANY("attributes", BB_F_LINK_ATTRIBUTES, key_value),
    PLAIN("droppedAttributesCount", BB_F_LINK_DROPPED_ATTRIBUTES_COUNT, KIND_UINT32),
    PLAIN("flags", BB_F_LINK_FLAGS, KIND_FIXED32),
};
static const struct message span_link = MESSAGE(link_fields);

static const struct field status_fields[] = {
    PLAIN("message", BB_F_STATUS_MESSAGE, KIND_STRING),
    PLAIN("code", BB_F_STATUS_CODE, KIND_ENUM),
};
static const struct message status = MESSAGE(status_fields);

static const struct field span_fields[] = {
    REQUIRED("traceId", BB_F_SPAN_TRACE_ID, KIND_TRACE_ID),
    REQUIRED("spanId", BB_F_SPAN_SPAN_ID, KIND_SPAN_ID),
    PLAIN("parentSpanId", BB_F_SPAN_PARENT_SPAN_ID, KIND_SPAN_ID),
    PLAIN("name", BB_F_SPAN_NAME, KIND_STRING),
    PLAIN("kind", BB_F_SPAN_KIND, KIND_ENUM),
    PLAIN("startTimeUnixNano", BB_F_SPAN_START_TIME_UNIX_NANO, KIND_FIXED64),
    PLAIN("endTimeUnixNano", BB_F_SPAN_END_TIME_UNIX_NANO, KIND_FIXED64),
    MANY("attributes", BB_F_SPAN_ATTRIBUTES, key_value),
    PLAIN("droppedAttributesCount", BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT, KIND_UINT32),
    MANY("events", BB_F_SPAN_EVENTS, event),
    PLAIN("droppedEventsCount", BB_F_SPAN_DROPPED_EVENTS_COUNT, KIND_UINT32),
    MANY("links", BB_F_SPAN_LINKS, span_link),
    PLAIN("droppedLinksCount", BB_F_SPAN_DROPPED_LINKS_COUNT, KIND_UINT32),
    ONE("status", BB_F_SPAN_STATUS, status),
    PLAIN("flags", BB_F_SPAN_FLAGS, KIND_FIXED32),
    PLAIN("traceState", BB_F_SPAN_TRACE_STATE, KIND_STRING),
};
static const struct message span = MESSAGE(span_fields);

/* ResourceSpans and ScopeSpans: a head that holds for all below it, and a list. */
struct group {
    const char *name; /* of the list that it is an element of */
    uint32_t number;
    struct message head;
    const char *list_name;
    const struct group *element; /* of the list; NULL: spans */
};

static const struct field scope_head_fields[] = {
    ONE("scope", BB_F_SCOPE_SPANS_SCOPE, scope),
    PLAIN("schemaUrl", BB_F_SCOPE_SPANS_SCHEMA_URL, KIND_STRING),
};
static const struct group scope_spans = {
    .name = "scopeSpans",
    .number = BB_F_RESOURCE_SPANS_SCOPE_SPANS,
    .head = MESSAGE(scope_head_fields),
    .list_name = "spans",
};

static const struct field resource_head_fields[] = {
    ONE("resource", BB_F_RESOURCE_SPANS_RESOURCE, resource),
    PLAIN("schemaUrl", BB_F_RESOURCE_SPANS_SCHEMA_URL, KIND_STRING),
};
static const struct group resource_spans = {
    .name = "resourceSpans",
    .number = BB_F_REQUEST_RESOURCE_SPANS,
    .head = MESSAGE(resource_head_fields),
    .list_name = "scopeSpans",
    .element = &scope_spans,
};

enum level { LEVEL_RESOURCE, LEVEL_SCOPE, LEVEL_SPAN, LEVEL_COUNT };

struct transcoder {
    struct bb_json_reader in;
    struct bb_buf *out;
    struct bb_left_out *left_out;
    size_t index[LEVEL_COUNT];
    uint32_t ids_seen; /* of this span, by field number */
    bool is_counting;  /* the spans that are passed are left out, and only counted */
    /* Of the failure that is on its way up. */
    bool is_of_head; /* it holds for all spans of the group */
    char what[WHAT_SIZE];
    struct bb_field_path path;
};

/* Nothing can be caught: the text is no JSON, or the output is full. */
static bool is_fatal(const struct transcoder *t)
{
    return t->in.err != BB_OK || bb_buf_err(t->out) != BB_OK;
}

/* Starts a failure. Returns false, so that it can end a check. */
BB_COLD BB_PRINTF(2, 3) static bool fail(struct transcoder *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->what, sizeof t->what, format, args);
    va_end(args);
    bb_field_path_clear(&t->path);
    t->is_of_head = false;
    return false;
}

/* Puts "name" or "name[index]" in front of the path. Returns false. */
BB_COLD static bool at_field(struct transcoder *t, const char *name, int64_t index)
{
    bb_field_path_prepend(&t->path, name, index);
    return false;
}

/* The words of a failure that `level` catches, with the whole path. */
BB_COLD static void describe(const struct transcoder *t, enum level level,
                             struct bb_err_detail *detail)
{
    char prefix[128];
    int size = snprintf(prefix, sizeof prefix, "resourceSpans[%zu]", t->index[LEVEL_RESOURCE]);

    if (level >= LEVEL_SCOPE) {
        size += snprintf(prefix + size, sizeof prefix - (size_t)size, ".scopeSpans[%zu]",
                         t->index[LEVEL_SCOPE]);
    }
    if (level == LEVEL_SPAN) {
        snprintf(prefix + size, sizeof prefix - (size_t)size, ".spans[%zu]", t->index[LEVEL_SPAN]);
    }
    const char *path = bb_field_path_text(&t->path);
    bb_err_set(detail, BB_EINVAL, "%s%s%s: %s", prefix, *path == '\0' ? "" : ".", path, t->what);
}

static bool check_type(struct transcoder *t, enum bb_json_type type)
{
    enum bb_json_type is = bb_json_peek(&t->in);

    if (BB_LIKELY(is == type)) {
        return true;
    }
    return fail(t, "must be %s, is %s", bb_json_type_text(type), bb_json_type_text(is));
}

static const struct field *find_field(const struct message *message,
                                      const struct bb_json_string *key)
{
    for (size_t i = 0; i < message->field_count; i++) {
        const struct field *field = &message->fields[i];
        if (key->has_escapes ? bb_json_string_equals(key, field->name)
                             : key->raw.size == field->name_size &&
                                   memcmp(key->raw.data, field->name, field->name_size) == 0) {
            return field;
        }
    }
    return NULL;
}

/* Reads a string of up to SHORT_TEXT_MAX bytes into `scratch`. */
static bool read_short_text(struct transcoder *t, uint8_t scratch[SHORT_TEXT_MAX],
                            struct bb_slice *out_text)
{
    struct bb_json_string string;

    if (!bb_json_read_string(&t->in, &string)) {
        return false;
    }
    if (string.raw.size > SHORT_TEXT_MAX) {
        return fail(t, "is too long");
    }
    *out_text = bb_slice_of(scratch, bb_json_string_decode(&string, scratch));
    return true;
}

/* The text of a number, which may stand in quotes. */
static bool read_number_text(struct transcoder *t, uint8_t scratch[SHORT_TEXT_MAX],
                             const char *what, struct bb_slice *out_text)
{
    enum bb_json_type type = bb_json_peek(&t->in);

    if (type == BB_JSON_NUMBER) {
        return bb_json_read_number(&t->in, out_text);
    }
    if (type == BB_JSON_STRING) {
        return read_short_text(t, scratch, out_text);
    }
    return fail(t, "must be %s, is %s", what, bb_json_type_text(type));
}

static bool read_uint(struct transcoder *t, uint64_t max, const char *what, uint64_t *out_value)
{
    uint8_t scratch[SHORT_TEXT_MAX];
    struct bb_slice text = {0};
    uint64_t value;

    if (!read_number_text(t, scratch, what, &text)) {
        return false;
    }
    if (!bb_json_number_to_uint(text, &value) || value > max) {
        return fail(t, "must be %s", what);
    }
    *out_value = value;
    return true;
}

static bool read_int64(struct transcoder *t, int64_t *out_value)
{
    static const char what[] = "a signed 64-bit integer";
    uint8_t scratch[SHORT_TEXT_MAX];
    struct bb_slice text = {0};

    if (!read_number_text(t, scratch, what, &text)) {
        return false;
    }
    return bb_json_number_to_int(text, out_value) || fail(t, "must be %s", what);
}

static bool read_enum(struct transcoder *t, int64_t *out_value)
{
    struct bb_slice text = {0};
    int64_t value;

    if (bb_json_peek(&t->in) == BB_JSON_STRING) {
        return fail(t, "must be an integer: OTLP/JSON has no names for enum values");
    }
    if (!check_type(t, BB_JSON_NUMBER) || !bb_json_read_number(&t->in, &text)) {
        return false;
    }
    if (!bb_json_number_to_int(text, &value) || value < INT32_MIN || value > INT32_MAX) {
        return fail(t, "must be a signed 32-bit integer");
    }
    *out_value = value;
    return true;
}

static bool read_double(struct transcoder *t, double *out_value)
{
    uint8_t scratch[SHORT_TEXT_MAX];
    struct bb_slice text = {0};

    if (!read_number_text(t, scratch, "a number", &text)) {
        return false;
    }
    if (bb_json_number_to_double(text, out_value)) {
        return true;
    }
    if (bb_slice_equals_cstr(text, "NaN")) {
        *out_value = (double)NAN;
    } else if (bb_slice_equals_cstr(text, "Infinity")) {
        *out_value = (double)INFINITY;
    } else if (bb_slice_equals_cstr(text, "-Infinity")) {
        *out_value = -(double)INFINITY;
    } else {
        return fail(t, "must be a number in the range of a double, \"NaN\", \"Infinity\" or "
                       "\"-Infinity\"");
    }
    return true;
}

static bool is_all_zeros(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;

    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* An id in hex. Empty is none. */
static bool write_id(struct transcoder *t, const struct field *field)
{
    size_t size = field->kind == KIND_TRACE_ID ? BB_TRACE_ID_SIZE : BB_SPAN_ID_SIZE;
    uint8_t scratch[SHORT_TEXT_MAX];
    uint8_t id[BB_TRACE_ID_SIZE];
    struct bb_slice text = {0};

    if (!check_type(t, BB_JSON_STRING) || !read_short_text(t, scratch, &text)) {
        return false;
    }
    if (text.size == 0 && !field->is_required) {
        return true;
    }
    if (text.size != 2 * size) {
        bool is_base64_size = text.size == (size + 2) / 3 * 4;
        return fail(t, "must be %zu hex digits, has %zu characters%s", 2 * size, text.size,
                    is_base64_size ? "; ids are hex in OTLP/JSON, not base64" : "");
    }
    if (!bb_hex_decode((const char *)text.data, text.size, id)) {
        return fail(t, "must be %zu hex digits", 2 * size);
    }
    if (field->is_required) {
        if (is_all_zeros(id, size)) {
            return fail(t, "must not be all zeros");
        }
        t->ids_seen |= UINT32_C(1) << field->number;
    }
    bb_pb_write_bytes(t->out, field->number, bb_slice_of(id, size));
    return true;
}

/* The value of a base64 digit in the standard or the URL-safe alphabet; above 63 for none. */
static unsigned base64_digit(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return (unsigned)(character - 'A');
    }
    if (character >= 'a' && character <= 'z') {
        return (unsigned)(character - 'a') + 26;
    }
    if (character >= '0' && character <= '9') {
        return (unsigned)(character - '0') + 52;
    }
    if (character == '+' || character == '-') {
        return 62;
    }
    return character == '/' || character == '_' ? 63 : UINT32_MAX;
}

/* Decodes `size` characters in place, with or without padding. False when they aren't base64. */
static bool decode_base64(uint8_t *text, size_t size, size_t *out_size)
{
    size_t digit_count = size;
    size_t written = 0;
    uint32_t bits = 0;

    while (digit_count > 0 && text[digit_count - 1] == '=' && size - digit_count < 2) {
        digit_count--;
    }
    if (digit_count % 4 == 1 || (digit_count != size && size % 4 != 0)) {
        return false;
    }
    for (size_t i = 0; i < digit_count; i++) {
        unsigned digit = base64_digit(text[i]);
        if (digit > 63) {
            return false;
        }
        bits = bits << 6 | digit;
        if (i % 4 != 0) {
            text[written++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    *out_size = written;
    return true;
}

static bool write_text(struct transcoder *t, const struct field *field, bool is_in_oneof)
{
    struct bb_json_string string;

    if (!check_type(t, BB_JSON_STRING) || !bb_json_read_string(&t->in, &string)) {
        return false;
    }
    if (string.raw.size == 0 && !field->is_repeated && !is_in_oneof) {
        return true;
    }
    size_t mark = bb_pb_begin_message(t->out, field->number);
    uint8_t *text = bb_buf_reserve(t->out, string.raw.size);
    if (text == NULL) {
        return false;
    }
    size_t size = bb_json_string_decode(&string, text);
    if (field->kind == KIND_BASE64 && !decode_base64(text, size, &size)) {
        return fail(t, "must be base64");
    }
    bb_buf_advance(t->out, size);
    bb_pb_end_message(t->out, mark);
    return true;
}

static bool write_integer(struct transcoder *t, const struct field *field, bool is_in_oneof)
{
    bool is_32_bits = field->kind == KIND_UINT32 || field->kind == KIND_FIXED32;
    int64_t as_signed = 0;
    uint64_t value = 0;
    bool flag = false;

    switch (field->kind) {
    case KIND_BOOL:
        if (!check_type(t, BB_JSON_BOOL) || !bb_json_read_bool(&t->in, &flag)) {
            return false;
        }
        value = flag;
        break;
    case KIND_INT64:
    case KIND_ENUM:
        if (field->kind == KIND_ENUM ? !read_enum(t, &as_signed) : !read_int64(t, &as_signed)) {
            return false;
        }
        value = (uint64_t)as_signed;
        break;
    default:
        if (!read_uint(t, is_32_bits ? UINT32_MAX : UINT64_MAX,
                       is_32_bits ? "an unsigned 32-bit integer" : "an unsigned 64-bit integer",
                       &value)) {
            return false;
        }
        break;
    }
    if (value == 0 && !is_in_oneof) {
        return true;
    }
    if (field->kind == KIND_FIXED64) {
        bb_pb_write_fixed64(t->out, field->number, value);
    } else if (field->kind == KIND_FIXED32) {
        bb_pb_write_fixed32(t->out, field->number, (uint32_t)value);
    } else {
        bb_pb_write_uint(t->out, field->number, value);
    }
    return true;
}

static bool write_double(struct transcoder *t, const struct field *field)
{
    double value;

    if (!read_double(t, &value)) {
        return false;
    }
    bb_pb_write_double(t->out, field->number, value);
    return true;
}

static bool write_message(struct transcoder *t, const struct message *message, unsigned depth);

/* One value that isn't null, of a field or an element of it. `depth`: AnyValues around it. */
static bool write_value(struct transcoder *t, const struct field *field, bool is_in_oneof,
                        unsigned depth)
{
    switch (field->kind) {
    case KIND_STRING:
    case KIND_BASE64:
        return write_text(t, field, is_in_oneof);
    case KIND_TRACE_ID:
    case KIND_SPAN_ID:
        return write_id(t, field);
    case KIND_DOUBLE:
        return write_double(t, field);
    case KIND_MESSAGE:
        if (field->message == &any_value && depth++ == BB_VALUE_DEPTH_MAX) {
            return fail(t, "nested too deep");
        }
        size_t mark = bb_pb_begin_message(t->out, field->number);
        if (!write_message(t, field->message, depth)) {
            return false;
        }
        bb_pb_end_message(t->out, mark);
        return true;
    default:
        return write_integer(t, field, is_in_oneof);
    }
}

static bool write_field(struct transcoder *t, const struct field *field, bool is_in_oneof,
                        unsigned depth)
{
    int64_t index = 0;

    if (!field->is_repeated) {
        return write_value(t, field, is_in_oneof, depth) || at_field(t, field->name, -1);
    }
    if (!check_type(t, BB_JSON_ARRAY) || !bb_json_enter_array(&t->in)) {
        return at_field(t, field->name, -1);
    }
    for (; bb_json_next_element(&t->in); index++) {
        if (!write_value(t, field, is_in_oneof, depth)) {
            return at_field(t, field->name, index);
        }
    }
    return !is_fatal(t);
}

/* The fields of a message. Null is absent, unknown names are passed over. */
static bool write_message(struct transcoder *t, const struct message *message, unsigned depth)
{
    struct bb_json_string key;
    unsigned set_count = 0;

    if (!check_type(t, BB_JSON_OBJECT) || !bb_json_enter_object(&t->in)) {
        return false;
    }
    while (bb_json_next_key(&t->in, &key)) {
        const struct field *field = find_field(message, &key);
        if (field == NULL || bb_json_peek(&t->in) == BB_JSON_NULL) {
            if (!bb_json_skip(&t->in)) {
                return false;
            }
            continue;
        }
        if (message->is_oneof && ++set_count > 1) {
            return fail(t, "must have one value, has several");
        }
        if (!write_field(t, field, message->is_oneof, depth)) {
            return false;
        }
    }
    return !is_fatal(t);
}

static bool write_span_fields(struct transcoder *t)
{
    t->ids_seen = 0;
    if (!write_message(t, &span, 0)) {
        return false;
    }
    for (size_t i = 0; i < span.field_count; i++) {
        const struct field *field = &span.fields[i];
        if (field->is_required && !(t->ids_seen & UINT32_C(1) << field->number)) {
            fail(t, "is missing");
            return at_field(t, field->name, -1);
        }
    }
    return true;
}

static bool write_span(struct transcoder *t)
{
    struct bb_json_reader start = t->in;
    size_t size = t->out->size;

    if (t->is_counting) {
        t->left_out->span_count++;
        return bb_json_skip(&t->in);
    }
    size_t mark = bb_pb_begin_message(t->out, BB_F_SCOPE_SPANS_SPANS);
    if (write_span_fields(t)) {
        bb_pb_end_message(t->out, mark);
        return true;
    }
    if (is_fatal(t)) {
        return false;
    }
    if (t->left_out->span_count++ == 0) {
        describe(t, LEVEL_SPAN, &t->left_out->first);
    }
    t->out->size = size;
    t->in = start;
    return bb_json_skip(&t->in);
}

static bool write_group(struct transcoder *t, const struct group *group, enum level level);

/* The list of a group. What is no list is nobody's in particular: then the request fails. */
static bool write_list(struct transcoder *t, const struct group *group, enum level level)
{
    enum level element_level = level + 1;

    if (!check_type(t, BB_JSON_ARRAY) || !bb_json_enter_array(&t->in)) {
        return at_field(t, group->list_name, -1);
    }
    for (size_t i = 0; bb_json_next_element(&t->in); i++) {
        t->index[element_level] = i;
        bool is_good =
            group->element == NULL ? write_span(t) : write_group(t, group->element, element_level);
        if (!is_good) {
            return at_field(t, group->list_name, (int64_t)i);
        }
    }
    return !is_fatal(t);
}

static bool write_group_members(struct transcoder *t, const struct group *group, enum level level)
{
    struct bb_json_string key;

    if (!check_type(t, BB_JSON_OBJECT) || !bb_json_enter_object(&t->in)) {
        return false;
    }
    while (bb_json_next_key(&t->in, &key)) {
        const struct field *field = find_field(&group->head, &key);
        bool is_list = field == NULL && bb_json_string_equals(&key, group->list_name);
        bool is_good;

        if (bb_json_peek(&t->in) == BB_JSON_NULL || (field != NULL && t->is_counting) ||
            (field == NULL && !is_list)) {
            is_good = bb_json_skip(&t->in);
        } else if (is_list) {
            is_good = write_list(t, group, level);
        } else {
            is_good = write_field(t, field, false, 0);
            t->is_of_head = !is_good;
        }
        if (!is_good) {
            return false;
        }
    }
    return !is_fatal(t);
}

static bool write_group(struct transcoder *t, const struct group *group, enum level level)
{
    struct bb_json_reader start = t->in;
    size_t size = t->out->size;
    struct bb_left_out before = *t->left_out;
    struct bb_err_detail words;

    if (t->is_counting) {
        return write_group_members(t, group, level);
    }
    size_t mark = bb_pb_begin_message(t->out, group->number);
    if (write_group_members(t, group, level)) {
        bb_pb_end_message(t->out, mark);
        return true;
    }
    if (is_fatal(t) || !t->is_of_head) {
        return false;
    }
    describe(t, level, &words);
    t->out->size = size;
    t->in = start;
    *t->left_out = before;
    t->is_counting = true;
    bool is_good = write_group_members(t, group, level);
    t->is_counting = false;
    if (before.span_count == 0 && t->left_out->span_count > 0) {
        t->left_out->first = words;
    }
    return is_good;
}

static bool write_request(struct transcoder *t)
{
    struct bb_json_string key;

    if (bb_json_peek(&t->in) == BB_JSON_NONE) {
        return false;
    }
    if (!check_type(t, BB_JSON_OBJECT)) {
        return at_field(t, "request", -1);
    }
    if (!bb_json_enter_object(&t->in)) {
        return false;
    }
    while (bb_json_next_key(&t->in, &key)) {
        if (!bb_json_string_equals(&key, resource_spans.name) ||
            bb_json_peek(&t->in) == BB_JSON_NULL) {
            if (!bb_json_skip(&t->in)) {
                return false;
            }
            continue;
        }
        if (!check_type(t, BB_JSON_ARRAY) || !bb_json_enter_array(&t->in)) {
            return at_field(t, resource_spans.name, -1);
        }
        for (size_t i = 0; bb_json_next_element(&t->in); i++) {
            t->index[LEVEL_RESOURCE] = i;
            if (!write_group(t, &resource_spans, LEVEL_RESOURCE)) {
                return at_field(t, resource_spans.name, (int64_t)i);
            }
        }
    }
    return bb_json_at_end(&t->in);
}

/* Why write_request failed. */
BB_COLD static enum bb_err failure_of(const struct transcoder *t, struct bb_err_detail *detail)
{
    size_t line;
    size_t column;

    if (t->in.err != BB_OK) {
        bb_json_position(&t->in, &line, &column);
        return bb_err_set(detail, t->in.err, "JSON, line %zu, column %zu: %s", line, column,
                          t->in.what);
    }
    if (bb_buf_err(t->out) != BB_OK) {
        return bb_err_set(detail, bb_buf_err(t->out), "the request is too large as protobuf");
    }
    return bb_err_set(detail, BB_EINVAL, "%s: %s", bb_field_path_text(&t->path), t->what);
}

enum bb_err bb_otlp_json_to_protobuf(struct bb_slice json, struct bb_buf *out,
                                     struct bb_left_out *left_out, struct bb_err_detail *detail)
{
    struct transcoder t = {
        .in = bb_json_reader_of(json),
        .out = out,
        .left_out = left_out,
    };
    struct bb_left_out before = *left_out;
    size_t size = out->size;

    bb_field_path_clear(&t.path);
    if (write_request(&t) && bb_buf_err(out) == BB_OK) {
        return BB_OK;
    }
    enum bb_err err = failure_of(&t, detail);
    out->size = size;
    *left_out = before;
    return err;
}
