#include "client/otlp_attr.h"

#include "client/pb_put.h"

/* Bytes of the character at `text`, or 0 where there is no valid one. */
static unsigned char_size(const uint8_t *text, size_t size)
{
    uint8_t first = text[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    unsigned length;

    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size < length) {
        return 0;
    }
    /* Overlong forms, surrogates, and what is beyond U+10FFFF show in the second byte. */
    if (first == 0xe0) {
        low = 0xa0;
    } else if (first == 0xed) {
        high = 0x9f;
    } else if (first == 0xf0) {
        low = 0x90;
    } else if (first == 0xf4) {
        high = 0x8f;
    }
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (unsigned i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

size_t bbc_utf8_size(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t result = size;

    for (size_t i = 0; i < size;) {
        uint64_t word;
        unsigned length;

        if (size - i >= sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        length = char_size(bytes + i, size - i);
        result += length == 0 ? 2 : 0; /* three bytes for one */
        i += length == 0 ? 1 : length;
    }
    return result;
}

uint8_t *bbc_utf8_put(uint8_t *to, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;

    for (size_t i = 0; i < size;) {
        unsigned length = char_size(bytes + i, size - i);

        if (length == 0) {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
            i++;
            continue;
        }
        memcpy(to, bytes + i, length);
        to += length;
        i += length;
    }
    return to;
}

void bbc_otlp_text(struct bbc_sink *sink, uint32_t field, struct bobbin_str text)
{
    size_t size = bbc_utf8_size(text.data, text.size);
    uint8_t *to;

    if (size == 0) {
        return;
    }
    to = bbc_sink_reserve(sink, size + BBC_TAG_SIZE_MAX + BBC_VARINT_SIZE_MAX);
    if (to == NULL) {
        return;
    }
    to = bbc_put_varint(bbc_put_tag(to, field, BBC_BYTES), size);
    to = bbc_utf8_put(to, text.data, text.size);
    sink->size = (size_t)(to - sink->data);
}

/* Appends a field that holds what is in `inner`, and empties that. */
static void put_message(struct bbc_sink *sink, uint32_t field, struct bbc_sink *inner)
{
    uint8_t head[BBC_TAG_SIZE_MAX + BBC_VARINT_SIZE_MAX];
    uint8_t *end = bbc_put_varint(bbc_put_tag(head, field, BBC_BYTES), inner->size);

    bbc_sink_put(sink, head, (size_t)(end - head));
    bbc_sink_put(sink, inner->data, inner->size);
    sink->failed = sink->failed || inner->failed;
    bbc_sink_dispose(inner);
}

/* A value that isn't an array, as the fields of an AnyValue; an empty string is one too. */
static void put_scalar(struct bbc_sink *sink, const struct bobbin_attr *attr)
{
    struct bbc_sink text = {0};
    uint8_t bytes[BBC_TAG_SIZE_MAX + BBC_VARINT_SIZE_MAX];
    uint8_t *end = bytes;
    uint64_t bits;

    switch (attr->type) {
    case BOBBIN_ATTR_BOOL:
        end = bbc_put_uint(bytes, 2, attr->value.as_bool);
        break;
    case BOBBIN_ATTR_INT:
        end = bbc_put_uint(bytes, 3, (uint64_t)attr->value.as_int);
        break;
    case BOBBIN_ATTR_DOUBLE:
        memcpy(&bits, &attr->value.as_double, sizeof bits);
        end = bbc_put_fixed64(bytes, 4, bits);
        break;
    case BOBBIN_ATTR_BYTES:
        bbc_sink_put(&text, attr->value.as_string.data, attr->value.as_string.size);
        put_message(sink, 7, &text);
        break;
    default:
        if (attr->value.as_string.size == 0) {
            put_message(sink, 1, &text);
        } else {
            bbc_otlp_text(sink, 1, attr->value.as_string);
        }
    }
    bbc_sink_put(sink, bytes, (size_t)(end - bytes));
}

static void put_array(struct bbc_sink *sink, const struct bobbin_attr *attr)
{
    struct bbc_sink array = {0};

    for (uint32_t i = 0; i < attr->count; i++) {
        struct bbc_sink value = {0};
        struct bobbin_attr element = {.type = BOBBIN_ATTR_STRING};

        if (attr->type == BOBBIN_ATTR_BOOLS) {
            element = bobbin_attr_bool(attr->key, attr->value.bools[i]);
        } else if (attr->type == BOBBIN_ATTR_INTS) {
            element = bobbin_attr_int(attr->key, attr->value.ints[i]);
        } else if (attr->type == BOBBIN_ATTR_DOUBLES) {
            element = bobbin_attr_double(attr->key, attr->value.doubles[i]);
        } else {
            element.value.as_string = attr->value.strings[i];
        }
        put_scalar(&value, &element);
        put_message(&array, 1, &value);
    }
    put_message(sink, 5, &array);
}

void bbc_otlp_attrs(struct bbc_sink *sink, uint32_t field, const struct bobbin_attr *attrs,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bbc_sink pair = {0};
        struct bbc_sink value = {0};

        if (attrs[i].key.size == 0) {
            continue;
        }
        bbc_otlp_text(&pair, 1, attrs[i].key);
        if (attrs[i].type >= BOBBIN_ATTR_STRINGS) {
            put_array(&value, &attrs[i]);
        } else {
            put_scalar(&value, &attrs[i]);
        }
        put_message(&pair, 2, &value);
        put_message(sink, field, &pair);
    }
}
