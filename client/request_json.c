#include "client/request_json.h"

#include <math.h>
#include <stdio.h>

#include "client/pb_put.h"
#include "client/w3c_headers.h"

/* Messages within messages: OTLP's own nesting is 7, and values of this library add 3. */
#define DEPTH_MAX 16

enum field_form {
    FORM_MESSAGE,
    FORM_STRING,
    FORM_ID,     /* bytes in hexadecimal */
    FORM_BASE64, /* bytes */
    FORM_BOOL,
    FORM_INT64, /* a signed number as a string */
    FORM_UINT32,
    FORM_DOUBLE,
    FORM_FIXED64, /* as a string */
    FORM_FIXED32,
};

struct message_form;

struct field_form_of {
    uint32_t number;
    enum field_form form;
    bool is_repeated;
    const char *name;
    const struct message_form *message;
};

struct message_form {
    unsigned field_count;
    const struct field_form_of *fields;
};

#define MESSAGE(fields) {sizeof(fields) / sizeof((fields)[0]), (fields)}

static const struct message_form any_value;

static const struct field_form_of array_value_fields[] = {
    {1, FORM_MESSAGE, true, "values", &any_value},
};
static const struct message_form array_value = MESSAGE(array_value_fields);

static const struct field_form_of any_value_fields[] = {
    {1, FORM_STRING, false, "stringValue", NULL},
    {2, FORM_BOOL, false, "boolValue", NULL},
    {3, FORM_INT64, false, "intValue", NULL},
    {4, FORM_DOUBLE, false, "doubleValue", NULL},
    {5, FORM_MESSAGE, false, "arrayValue", &array_value},
    {7, FORM_BASE64, false, "bytesValue", NULL},
};
static const struct message_form any_value = MESSAGE(any_value_fields);

static const struct field_form_of key_value_fields[] = {
    {1, FORM_STRING, false, "key", NULL},
    {2, FORM_MESSAGE, false, "value", &any_value},
};
static const struct message_form key_value = MESSAGE(key_value_fields);

static const struct field_form_of status_fields[] = {
    {2, FORM_STRING, false, "message", NULL},
    {3, FORM_UINT32, false, "code", NULL},
};
static const struct message_form status = MESSAGE(status_fields);

static const struct field_form_of event_fields[] = {
    {1, FORM_FIXED64, false, "timeUnixNano", NULL},
    {2, FORM_STRING, false, "name", NULL},
    {3, FORM_MESSAGE, true, "attributes", &key_value},
    {4, FORM_UINT32, false, "droppedAttributesCount", NULL},
};
static const struct message_form event = MESSAGE(event_fields);

static const struct field_form_of link_fields[] = {
    {1, FORM_ID, false, "traceId", NULL},
    {2, FORM_ID, false, "spanId", NULL},
    {3, FORM_STRING, false, "traceState", NULL},
    {4, FORM_MESSAGE, true, "attributes", &key_value},
    {5, FORM_UINT32, false, "droppedAttributesCount", NULL},
    {6, FORM_FIXED32, false, "flags", NULL},
};
static const struct message_form link_form = MESSAGE(link_fields);

static const struct field_form_of span_fields[] = {
    {1, FORM_ID, false, "traceId", NULL},
    {2, FORM_ID, false, "spanId", NULL},
    {3, FORM_STRING, false, "traceState", NULL},
    {4, FORM_ID, false, "parentSpanId", NULL},
    {5, FORM_STRING, false, "name", NULL},
    {6, FORM_UINT32, false, "kind", NULL},
    {7, FORM_FIXED64, false, "startTimeUnixNano", NULL},
    {8, FORM_FIXED64, false, "endTimeUnixNano", NULL},
    {9, FORM_MESSAGE, true, "attributes", &key_value},
    {10, FORM_UINT32, false, "droppedAttributesCount", NULL},
    {11, FORM_MESSAGE, true, "events", &event},
    {12, FORM_UINT32, false, "droppedEventsCount", NULL},
    {13, FORM_MESSAGE, true, "links", &link_form},
    {14, FORM_UINT32, false, "droppedLinksCount", NULL},
    {15, FORM_MESSAGE, false, "status", &status},
    {16, FORM_FIXED32, false, "flags", NULL},
};
static const struct message_form span = MESSAGE(span_fields);

static const struct field_form_of scope_fields[] = {
    {1, FORM_STRING, false, "name", NULL},
    {2, FORM_STRING, false, "version", NULL},
    {3, FORM_MESSAGE, true, "attributes", &key_value},
};
static const struct message_form scope = MESSAGE(scope_fields);

static const struct field_form_of scope_spans_fields[] = {
    {1, FORM_MESSAGE, false, "scope", &scope},
    {2, FORM_MESSAGE, true, "spans", &span},
    {3, FORM_STRING, false, "schemaUrl", NULL},
};
static const struct message_form scope_spans = MESSAGE(scope_spans_fields);

static const struct field_form_of resource_fields[] = {
    {1, FORM_MESSAGE, true, "attributes", &key_value},
};
static const struct message_form resource = MESSAGE(resource_fields);

static const struct field_form_of resource_spans_fields[] = {
    {1, FORM_MESSAGE, false, "resource", &resource},
    {2, FORM_MESSAGE, true, "scopeSpans", &scope_spans},
    {3, FORM_STRING, false, "schemaUrl", NULL},
};
static const struct message_form resource_spans = MESSAGE(resource_spans_fields);

static const struct field_form_of request_fields[] = {
    {1, FORM_MESSAGE, true, "resourceSpans", &resource_spans},
};
static const struct message_form request_form = MESSAGE(request_fields);

/* One field as it stands in the wire format. */
struct wire_field {
    uint32_t number;
    uint32_t wire;
    uint64_t value;       /* VARINT, FIXED64, FIXED32 */
    const uint8_t *bytes; /* BYTES */
    size_t size;
};

struct wire {
    const uint8_t *next;
    const uint8_t *end;
};

static bool read_varint(struct wire *wire, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && wire->next < wire->end; shift += 7) {
        uint8_t byte = *wire->next++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct wire *wire, unsigned size, uint64_t *out)
{
    if ((size_t)(wire->end - wire->next) < size) {
        return false;
    }
    *out = 0;
    for (unsigned i = 0; i < size; i++) {
        *out |= (uint64_t)wire->next[i] << (8 * i);
    }
    wire->next += size;
    return true;
}

static bool read_field(struct wire *wire, struct wire_field *out)
{
    uint64_t tag;
    uint64_t size;

    if (!read_varint(wire, &tag)) {
        return false;
    }
    out->number = (uint32_t)(tag >> 3);
    out->wire = (uint32_t)(tag & 7);
    switch (out->wire) {
    case BBC_VARINT:
        return read_varint(wire, &out->value);
    case BBC_FIXED64:
        return read_fixed(wire, 8, &out->value);
    case BBC_FIXED32:
        return read_fixed(wire, 4, &out->value);
    case BBC_BYTES:
        if (!read_varint(wire, &size) || size > (uint64_t)(wire->end - wire->next)) {
            return false;
        }
        out->bytes = wire->next;
        out->size = (size_t)size;
        wire->next += size;
        return true;
    default:
        return false;
    }
}

static void put_string(struct bbc_sink *out, const uint8_t *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;

    bbc_sink_byte(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= 0x20 && text[i] != '"' && text[i] != '\\') {
            continue;
        }
        bbc_sink_put(out, text + from, i - from);
        from = i + 1;
        bbc_sink_byte(out, '\\');
        if (text[i] < 0x20) {
            const char escape[] = {'u', '0', '0', digits[text[i] >> 4], digits[text[i] & 15]};

            bbc_sink_put(out, escape, sizeof escape);
        } else {
            bbc_sink_byte(out, text[i]);
        }
    }
    bbc_sink_put(out, text + from, size - from);
    bbc_sink_byte(out, '"');
}

static void put_hex(struct bbc_sink *out, const uint8_t *bytes, size_t size)
{
    char *to = (char *)bbc_sink_reserve(out, size * 2 + 2);

    if (to != NULL) {
        to[0] = '"';
        bbc_hex_write(bytes, size, to + 1);
        to[1 + 2 * size] = '"';
        out->size += size * 2 + 2;
    }
}

static void put_base64(struct bbc_sink *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    bbc_sink_byte(out, '"');
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16;
        char four[4];

        word |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= i + 2 < size ? (uint32_t)bytes[i + 2] : 0;
        four[0] = digits[word >> 18];
        four[1] = digits[(word >> 12) & 63];
        four[2] = '=';
        four[3] = '=';
        if (i + 1 < size) {
            four[2] = digits[(word >> 6) & 63];
        }
        if (i + 2 < size) {
            four[3] = digits[word & 63];
        }
        bbc_sink_put(out, four, sizeof four);
    }
    bbc_sink_byte(out, '"');
}

static void put_double(struct bbc_sink *out, uint64_t bits)
{
    char text[40];
    double value;
    int size;

    memcpy(&value, &bits, sizeof value);
    if (isnan(value)) {
        bbc_sink_text(out, "\"NaN\"");
        return;
    }
    if (isinf(value)) {
        bbc_sink_text(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    size = snprintf(text, sizeof text, "%.17g", value);
    for (int i = 0; i < size; i++) {
        if (text[i] != '-' && text[i] != '+' && text[i] != 'e' &&
            (text[i] < '0' || text[i] > '9')) {
            text[i] = '.'; /* whatever the host's locale has for it */
        }
    }
    bbc_sink_put(out, text, (size_t)size);
}

static void put_number(struct bbc_sink *out, const char *format, uint64_t value)
{
    char text[32];
    int size =
        snprintf(text, sizeof text, format[0] == 's' ? "%lld" : "%llu", (unsigned long long)value);

    bbc_sink_put(out, text, (size_t)size);
}

static bool put_message(struct bbc_sink *out, const struct message_form *form, struct wire wire,
                        unsigned depth);

static bool put_value(struct bbc_sink *out, const struct field_form_of *field,
                      const struct wire_field *value, unsigned depth)
{
    switch (field->form) {
    case FORM_MESSAGE:
        return put_message(out, field->message,
                           (struct wire){value->bytes, value->bytes + value->size}, depth + 1);
    case FORM_STRING:
        put_string(out, value->bytes, value->size);
        break;
    case FORM_ID:
        put_hex(out, value->bytes, value->size);
        break;
    case FORM_BASE64:
        put_base64(out, value->bytes, value->size);
        break;
    case FORM_BOOL:
        bbc_sink_text(out, value->value != 0 ? "true" : "false");
        break;
    case FORM_INT64:
    case FORM_FIXED64:
        bbc_sink_byte(out, '"');
        put_number(out, field->form == FORM_INT64 ? "s" : "u", value->value);
        bbc_sink_byte(out, '"');
        break;
    case FORM_UINT32:
    case FORM_FIXED32:
        put_number(out, "u", value->value);
        break;
    case FORM_DOUBLE:
        put_double(out, value->value);
        break;
    }
    return true;
}

static uint32_t wire_of(enum field_form form)
{
    switch (form) {
    case FORM_BOOL:
    case FORM_INT64:
    case FORM_UINT32:
        return BBC_VARINT;
    case FORM_DOUBLE:
    case FORM_FIXED64:
        return BBC_FIXED64;
    case FORM_FIXED32:
        return BBC_FIXED32;
    default:
        return BBC_BYTES;
    }
}

/* Writes `"name":` and all the values of one field that the message has. */
static bool put_field(struct bbc_sink *out, const struct field_form_of *field, struct wire wire,
                      unsigned depth, bool *is_first)
{
    struct wire_field value = {0};
    bool is_open = false;

    while (wire.next < wire.end) {
        if (!read_field(&wire, &value)) {
            return false;
        }
        if (value.number != field->number || value.wire != wire_of(field->form)) {
            continue;
        }
        if (!is_open) {
            bbc_sink_text(out, *is_first ? "\"" : ",\"");
            bbc_sink_text(out, field->name);
            bbc_sink_text(out, field->is_repeated ? "\":[" : "\":");
            *is_first = false;
        } else if (field->is_repeated) {
            bbc_sink_byte(out, ',');
        } else {
            break;
        }
        is_open = true;
        if (!put_value(out, field, &value, depth)) {
            return false;
        }
    }
    if (is_open && field->is_repeated) {
        bbc_sink_byte(out, ']');
    }
    return true;
}

static bool put_message(struct bbc_sink *out, const struct message_form *form, struct wire wire,
                        unsigned depth)
{
    bool is_first = true;

    if (depth > DEPTH_MAX) {
        return false;
    }
    bbc_sink_byte(out, '{');
    for (unsigned i = 0; i < form->field_count; i++) {
        if (!put_field(out, &form->fields[i], wire, depth, &is_first)) {
            return false;
        }
    }
    bbc_sink_byte(out, '}');
    return true;
}

bool bbc_otlp_json(const uint8_t *request, size_t size, struct bbc_sink *out)
{
    struct wire wire = {request, request + size};

    return put_message(out, &request_form, wire, 0) && !out->failed;
}
