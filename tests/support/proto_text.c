#include "tests/support/proto_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"

static void append_text(struct bb_buf *out, const char *text)
{
    bb_buf_append_byte(out, '"');
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\') {
            bb_buf_printf(out, "\\x%02x", (unsigned char)*text);
        } else {
            bb_buf_append_byte(out, (uint8_t)*text);
        }
    }
    bb_buf_append_byte(out, '"');
}

static void append_hex(struct bb_buf *out, const ProtobufCBinaryData *bytes)
{
    for (size_t i = 0; i < bytes->len; i++) {
        bb_buf_printf(out, "%02x", bytes->data[i]);
    }
}

static void append_name(struct bb_buf *out, const char *name)
{
    if (out->size > 0 && out->data[out->size - 1] != '{') {
        bb_buf_append_byte(out, ' ');
    }
    bb_buf_append_cstr(out, name);
}

/* Size of one value in memory. */
static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

static bool is_zero(ProtobufCType type, const void *value)
{
    static const uint8_t zeros[8];

    switch (type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text;
        memcpy(&text, value, sizeof text);
        return text == NULL || *text == '\0';
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const void *message;
        memcpy(&message, value, sizeof message);
        return message == NULL;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)value)->len == 0;
    default:
        return memcmp(value, zeros, value_size(type)) == 0;
    }
}

static void append_number(struct bb_buf *out, ProtobufCType type, const void *value)
{
    uint32_t u32;
    uint64_t u64;
    double number;

    switch (type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&number, value, sizeof number);
        bb_buf_printf(out, "%.17g", number);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        memcpy(&u64, value, sizeof u64);
        bb_buf_printf(out, "%lld", (long long)u64);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memcpy(&u64, value, sizeof u64);
        bb_buf_printf(out, "%llu", (unsigned long long)u64);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        memcpy(&u32, value, sizeof u32);
        bb_buf_printf(out, "%u", u32);
        break;
    default:
        memcpy(&u32, value, sizeof u32);
        bb_buf_printf(out, "%d", (int)u32);
        break;
    }
}

static void append_value(struct bb_buf *out, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    const void *pointer;

    append_name(out, field->name);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        memcpy(&pointer, value, sizeof pointer);
        bb_buf_append_byte(out, '{');
        proto_text_append(out, pointer);
        bb_buf_append_byte(out, '}');
        return;
    }
    bb_buf_append_byte(out, '=');
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        memcpy(&pointer, value, sizeof pointer);
        append_text(out, pointer);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        append_hex(out, value);
    } else {
        append_number(out, field->type, value);
    }
}

void proto_text_append(struct bb_buf *out, const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;

    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const uint8_t *value = base + field->offset;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count;
            const uint8_t *values;
            memcpy(&count, base + field->quantifier_offset, sizeof count);
            memcpy(&values, value, sizeof values);
            for (size_t j = 0; j < count; j++) {
                append_value(out, field, values + j * value_size(field->type));
            }
        } else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            uint32_t set;
            memcpy(&set, base + field->quantifier_offset, sizeof set);
            if (set == field->id) {
                append_value(out, field, value);
            }
        } else if (!is_zero(field->type, value)) {
            append_value(out, field, value);
        }
    }
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        append_name(out, "unknown");
        bb_buf_printf(out, "=%u", message->unknown_fields[i].tag);
    }
}

char *proto_text_of(const ProtobufCMessageDescriptor *type, struct bb_slice wire)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, wire.size, wire.data);
    struct bb_buf out;

    if (message == NULL) {
        fail_msg("%zu bytes are no %s", wire.size, type->name);
    }
    bb_buf_init(&out, (size_t)16 << 20);
    proto_text_append(&out, message);
    bb_buf_append_byte(&out, '\0');
    assert_int_equal(bb_buf_err(&out), BB_OK);
    protobuf_c_message_free_unpacked(message, NULL);
    char *text = strdup((const char *)out.data);
    assert_non_null(text);
    bb_buf_dispose(&out);
    return text;
}
