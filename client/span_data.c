#include "client/span_data.h"

#include "client/overflow_pool.h"

uint32_t bbc_cut_length(struct bobbin_str text, uint32_t length_max)
{
    uint32_t size = 0;
    uint32_t length = 0;

    if (text.size <= length_max) {
        return text.size;
    }
    /* Continuation bytes of UTF-8 belong to the character before. */
    while (size < text.size && (length < length_max || ((uint8_t)text.data[size] & 0xc0) == 0x80)) {
        length += ((uint8_t)text.data[size] & 0xc0) != 0x80;
        size++;
    }
    return size;
}

static bool is_same_key(const struct bbc_entry *a, const struct bbc_entry *b)
{
    return a->key_size == b->key_size &&
           memcmp(bbc_entry_key(a), bbc_entry_key(b), a->key_size) == 0;
}

bool bbc_span_data_has_attr(const struct bobbin_span *span, struct bobbin_str key)
{
    uint32_t at = bbc_pad8(span->record.tracestate_size);

    while (at < span->record.data_size) {
        const struct bbc_entry *entry = (const struct bbc_entry *)(const void *)(span->data + at);

        if (entry->kind == BBC_ENTRY_ATTR && entry->key_size == key.size &&
            memcmp(bbc_entry_key(entry), key.data, key.size) == 0) {
            return true;
        }
        at += entry->size;
    }
    return false;
}

/* Whether an entry behind `at` replaces the one there: an attribute, name or status set again. */
static bool is_replaced(const struct bobbin_span *span, uint32_t at)
{
    const struct bbc_entry *entry = (const struct bbc_entry *)(const void *)(span->data + at);

    if (entry->kind != BBC_ENTRY_ATTR && entry->kind != BBC_ENTRY_NAME &&
        entry->kind != BBC_ENTRY_STATUS) {
        return false;
    }
    for (uint32_t next = at + entry->size; next < span->record.data_size;) {
        const struct bbc_entry *later = (const struct bbc_entry *)(const void *)(span->data + next);

        if (later->kind == entry->kind &&
            (entry->kind != BBC_ENTRY_ATTR || is_same_key(entry, later))) {
            return true;
        }
        next += later->size;
    }
    return false;
}

void bbc_span_data_compact(struct bobbin_span *span)
{
    uint32_t from = bbc_pad8(span->record.tracestate_size);
    uint32_t to = from;

    while (from < span->record.data_size) {
        const struct bbc_entry *entry = (const struct bbc_entry *)(const void *)(span->data + from);
        uint32_t size = entry->size;

        if (is_replaced(span, from)) {
            if (entry->kind == BBC_ENTRY_ATTR) {
                span->record.attr_count--;
            }
        } else {
            memmove(span->data + to, span->data + from, size);
            to += size;
        }
        from += size;
    }
    span->record.data_size = to;
}

bool bbc_span_data_grow(struct bobbin_span *span, uint32_t size)
{
    uint32_t capacity;
    uint8_t *block;

    if (size > BBC_BLOCK_SIZE_MAX) {
        return false;
    }
    bbc_span_data_compact(span);
    /* A compaction that frees little would be repeated by every append. */
    if (span->data_capacity - span->record.data_size >= size + span->data_capacity / 4) {
        return true;
    }
    block = bbc_overflow_take((size_t)span->record.data_size + size, &capacity);
    if (block == NULL) {
        return span->data_capacity - span->record.data_size >= size;
    }
    memcpy(block, span->data, span->record.data_size);
    bbc_overflow_release(span->record.block);
    span->record.block = block;
    span->data = block;
    span->data_capacity = capacity;
    return true;
}

/* Bytes of an array's elements, or SIZE_MAX where they can't be kept. */
static size_t array_size(const struct bobbin_attr *attr, uint32_t length_max)
{
    size_t size = 0;

    if (attr->count > BBC_BLOCK_SIZE_MAX / 8) {
        return SIZE_MAX;
    }
    switch (attr->type) {
    case BOBBIN_ATTR_BOOLS:
        return attr->count;
    case BOBBIN_ATTR_INTS:
    case BOBBIN_ATTR_DOUBLES:
        return (size_t)attr->count * 8;
    default:
        for (uint32_t i = 0; i < attr->count; i++) {
            size += sizeof(uint32_t) + bbc_cut_length(attr->value.strings[i], length_max);
        }
        return size;
    }
}

static void copy_array(uint8_t *to, const struct bobbin_attr *attr, uint32_t length_max)
{
    switch (attr->type) {
    case BOBBIN_ATTR_BOOLS:
        for (uint32_t i = 0; i < attr->count; i++) {
            to[i] = attr->value.bools[i];
        }
        return;
    case BOBBIN_ATTR_INTS:
    case BOBBIN_ATTR_DOUBLES:
        if (attr->count > 0) {
            memcpy(to,
                   attr->type == BOBBIN_ATTR_INTS ? (const void *)attr->value.ints
                                                  : (const void *)attr->value.doubles,
                   (size_t)attr->count * 8);
        }
        return;
    default:
        for (uint32_t i = 0; i < attr->count; i++) {
            uint32_t size = bbc_cut_length(attr->value.strings[i], length_max);

            memcpy(to, &size, sizeof size);
            if (size > 0) {
                memcpy(to + sizeof size, attr->value.strings[i].data, size);
            }
            to += sizeof size + size;
        }
    }
}

/* Writes the head and the key of an entry; returns where its value goes. */
static uint8_t *put_head(uint8_t *to, struct bbc_entry head, struct bobbin_str key)
{
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    if ((head.flags & BBC_KEY_LITERAL) != 0) {
        uint64_t pointer = (uint64_t)(uintptr_t)key.data;

        memcpy(to, &pointer, sizeof pointer);
        return to + sizeof pointer;
    }
    if (key.size > 0) {
        memcpy(to, key.data, key.size);
    }
    return to + bbc_pad8(key.size);
}

/*
 * The head of an entry whose value takes `value_room` bytes. SIZE_MAX-like sizes are refused
 * before.
 */
static struct bbc_entry head_of(enum bbc_entry_kind kind, unsigned type, unsigned flags,
                                struct bobbin_str key, uint32_t value_size, uint32_t value_room)
{
    uint32_t key_room = key.is_literal ? 8 : bbc_pad8(key.size);

    return (struct bbc_entry){
        .kind = (uint8_t)kind,
        .type = (uint8_t)type,
        .flags = (uint16_t)(flags | (key.is_literal ? BBC_KEY_LITERAL : 0u)),
        .size = (uint32_t)sizeof(struct bbc_entry) + key_room + value_room,
        .key_size = key.size,
        .value_size = value_size,
    };
}

uint32_t bbc_span_data_attr(struct bobbin_span *span, const struct bbc_config *config,
                            enum bbc_entry_kind kind, const struct bobbin_attr *attr)
{
    uint32_t length_max = config->limits.attr_value_length;
    bool is_text = attr->type == BOBBIN_ATTR_STRING || attr->type == BOBBIN_ATTR_BYTES;
    bool is_array = attr->type >= BOBBIN_ATTR_STRINGS;
    bool by_reference = is_text && attr->value.as_string.is_literal;
    size_t size = 8;
    struct bbc_entry head;
    uint8_t *to;

    if (attr->type == BOBBIN_ATTR_STRING) {
        size = bbc_cut_length(attr->value.as_string, length_max);
    } else if (is_text) {
        size = attr->value.as_string.size;
    } else if (is_array) {
        size = array_size(attr, length_max);
    }
    if (attr->key.size > BBC_BLOCK_SIZE_MAX || size > BBC_BLOCK_SIZE_MAX) {
        return 0;
    }
    head = head_of(kind, attr->type, by_reference ? BBC_VALUE_LITERAL : 0, attr->key,
                   (uint32_t)size, by_reference ? 8 : bbc_pad8((uint32_t)size));
    to = bbc_span_data_reserve(span, head.size);
    if (to == NULL) {
        return 0;
    }
    to = put_head(to, head, attr->key);
    if (by_reference) {
        uint64_t pointer = (uint64_t)(uintptr_t)attr->value.as_string.data;

        memcpy(to, &pointer, sizeof pointer);
    } else if (is_text) {
        if (size > 0) {
            memcpy(to, attr->value.as_string.data, size);
        }
    } else if (is_array) {
        copy_array(to, attr, length_max);
    } else if (attr->type == BOBBIN_ATTR_BOOL) {
        int64_t value = attr->value.as_bool;

        memcpy(to, &value, sizeof value);
    } else {
        memcpy(to, &attr->value.as_int, 8); /* as_double has the same place and size */
    }
    span->record.data_size += head.size;
    return head.size;
}

uint32_t bbc_span_data_entry(struct bobbin_span *span, enum bbc_entry_kind kind, uint16_t flags,
                             struct bobbin_str key, const void *value, uint32_t value_size)
{
    struct bbc_entry head;
    uint8_t *to;

    if (key.size > BBC_BLOCK_SIZE_MAX) {
        return 0;
    }
    head = head_of(kind, 0, flags, key, value_size, value_size);
    to = bbc_span_data_reserve(span, head.size);
    if (to == NULL) {
        return 0;
    }
    to = put_head(to, head, key);
    if (value_size > 0) {
        memcpy(to, value, value_size);
    }
    span->record.data_size += head.size;
    return head.size;
}
