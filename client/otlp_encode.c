#include "client/otlp_encode.h"

#include "client/otlp_attr.h"
#include "client/pb_put.h"
#include "client/tracer_list.h"

/* Bytes of the length of ResourceSpans and ScopeSpans: up to 32 GiB. */
#define OUTER_WIDTH 5

/* Bytes that a span's fixed fields, or the head of one entry, take at most when encoded. */
#define SPAN_FIXED_SIZE_MAX 192
#define ENTRY_FIXED_SIZE_MAX 128

/* What one byte of data can become: a bool of an array takes 4, a bad byte of a text 3. */
#define BYTE_GROWTH 4

/* The entries of one span. */
struct entries {
    const uint8_t *data;
    uint32_t from;
    uint32_t size;
};

static const struct bbc_entry *entry_at(const struct entries *entries, uint32_t at)
{
    return (const struct bbc_entry *)(const void *)(entries->data + at);
}

/* Bytes that the span encodes to at most. */
static size_t bound_of(const struct bobbin_span_record *record, const struct entries *entries)
{
    size_t bound = SPAN_FIXED_SIZE_MAX + (size_t)record->name_size * 3 + BOBBIN_TRACESTATE_MAX * 3;

    for (uint32_t at = entries->from; at < entries->size; at += entry_at(entries, at)->size) {
        const struct bbc_entry *entry = entry_at(entries, at);

        bound += ENTRY_FIXED_SIZE_MAX + ((size_t)entry->key_size + entry->value_size) * BYTE_GROWTH;
    }
    return bound;
}

static uint8_t *put_text(uint8_t *to, uint32_t field, const char *text, size_t size)
{
    size_t valid_size = bbc_utf8_size(text, size);

    if (valid_size == size) {
        return bbc_put_bytes(to, field, text, size);
    }
    to = bbc_put_varint(bbc_put_tag(to, field, BBC_BYTES), valid_size);
    return bbc_utf8_put(to, text, size);
}

/* Opens a message of at most `bound` bytes; close_message fills its length in. */
static uint8_t *open_message(uint8_t *to, uint32_t field, size_t bound, unsigned *out_width)
{
    to = bbc_put_tag(to, field, BBC_BYTES);
    *out_width = bbc_varint_size(bound);
    return to + *out_width;
}

static void close_message(uint8_t *begin, const uint8_t *end, unsigned width)
{
    bbc_put_varint_padded(begin - width, (uint64_t)(end - begin), width);
}

static uint64_t load_word(const uint8_t *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

/* The elements of an array, as the fields of an ArrayValue. */
static uint8_t *put_elements(uint8_t *to, const struct bbc_entry *entry)
{
    const uint8_t *value = bbc_entry_value(entry);
    const uint8_t *end = value + entry->value_size;

    while (value < end) {
        unsigned width;
        uint32_t size = 8;
        uint8_t *begin;

        if (entry->type == BOBBIN_ATTR_STRINGS) {
            memcpy(&size, value, sizeof size);
            value += sizeof size;
            begin = open_message(to, 1, (size_t)size * 3 + 16, &width);
            to = put_text(begin, 1, (const char *)value, size);
        } else if (entry->type == BOBBIN_ATTR_BOOLS) {
            size = 1;
            begin = open_message(to, 1, 16, &width);
            to = bbc_put_uint(begin, 2, *value);
        } else if (entry->type == BOBBIN_ATTR_INTS) {
            begin = open_message(to, 1, 16, &width);
            to = bbc_put_uint(begin, 3, load_word(value));
        } else {
            begin = open_message(to, 1, 16, &width);
            to = bbc_put_fixed64(begin, 4, load_word(value));
        }
        close_message(begin, to, width);
        value += size;
    }
    return to;
}

/* The fields of an AnyValue. */
static uint8_t *put_any_value(uint8_t *to, const struct bbc_entry *entry)
{
    const uint8_t *value = bbc_entry_value(entry);
    unsigned width;
    uint8_t *begin;

    switch (entry->type) {
    case BOBBIN_ATTR_STRING:
        return put_text(to, 1, (const char *)value, entry->value_size);
    case BOBBIN_ATTR_BOOL:
        return bbc_put_uint(to, 2, load_word(value));
    case BOBBIN_ATTR_INT:
        return bbc_put_uint(to, 3, load_word(value));
    case BOBBIN_ATTR_DOUBLE:
        return bbc_put_fixed64(to, 4, load_word(value));
    case BOBBIN_ATTR_BYTES:
        return bbc_put_bytes(to, 7, value, entry->value_size);
    default:
        begin = open_message(to, 5, (size_t)entry->value_size * BYTE_GROWTH + 16, &width);
        to = put_elements(begin, entry);
        close_message(begin, to, width);
        return to;
    }
}

static uint8_t *put_attr(uint8_t *to, uint32_t field, const struct bbc_entry *entry)
{
    size_t value_bound = (size_t)entry->value_size * BYTE_GROWTH + 24;
    unsigned width;
    unsigned value_width;
    uint8_t *begin;
    uint8_t *value;

    begin = open_message(to, field, value_bound + (size_t)entry->key_size * 3 + 24, &width);
    to = put_text(begin, 1, bbc_entry_key(entry), entry->key_size);
    value = open_message(to, 2, value_bound, &value_width);
    to = put_any_value(value, entry);
    close_message(value, to, value_width);
    close_message(begin, to, width);
    return to;
}

/* Whether an entry of this kind from `next` up to `end` has the same key. */
static bool is_set_again(const struct entries *entries, const struct bbc_entry *entry,
                         uint32_t next, uint32_t end)
{
    const char *key = bbc_entry_key(entry);

    while (next < end) {
        const struct bbc_entry *later = entry_at(entries, next);

        if (later->kind == entry->kind && later->key_size == entry->key_size &&
            memcmp(bbc_entry_key(later), key, entry->key_size) == 0) {
            return true;
        }
        next += later->size;
    }
    return false;
}

/* The attributes of the event or link before `at`; *at moves behind them. */
static uint8_t *put_children(uint8_t *to, uint32_t field, const struct entries *entries,
                             uint32_t *at)
{
    uint32_t end = *at;

    while (end < entries->size && entry_at(entries, end)->kind == BBC_ENTRY_CHILD_ATTR) {
        end += entry_at(entries, end)->size;
    }
    while (*at < end) {
        const struct bbc_entry *entry = entry_at(entries, *at);

        *at += entry->size;
        if (!is_set_again(entries, entry, *at, end)) {
            to = put_attr(to, field, entry);
        }
    }
    return to;
}

/* Bytes that the entries from `at` on, as long as they are CHILD_ATTR, encode to at most. */
static size_t children_bound(const struct entries *entries, uint32_t at)
{
    size_t bound = 0;

    while (at < entries->size && entry_at(entries, at)->kind == BBC_ENTRY_CHILD_ATTR) {
        const struct bbc_entry *entry = entry_at(entries, at);

        bound += ENTRY_FIXED_SIZE_MAX + ((size_t)entry->key_size + entry->value_size) * BYTE_GROWTH;
        at += entry->size;
    }
    return bound;
}

static uint8_t *put_event(uint8_t *to, const struct entries *entries, uint32_t *at,
                          const struct bbc_tick_clock *clock)
{
    const struct bbc_entry *entry = entry_at(entries, *at);
    struct bbc_event_value event;
    unsigned width;
    uint8_t *begin;

    memcpy(&event, bbc_entry_value(entry), sizeof event);
    if ((entry->flags & BBC_TIME_UNIX) == 0) {
        event.time = bbc_tick_clock_unix_ns(clock, event.time);
    }
    *at += entry->size;
    begin = open_message(to, 11, (size_t)entry->key_size * 3 + 64 + children_bound(entries, *at),
                         &width);
    to = bbc_put_fixed64(begin, 1, event.time);
    to = put_text(to, 2, bbc_entry_key(entry), entry->key_size);
    to = put_children(to, 3, entries, at);
    if (event.dropped_attrs > 0) {
        to = bbc_put_uint(to, 4, event.dropped_attrs);
    }
    close_message(begin, to, width);
    return to;
}

/* OTLP's flags: those of W3C, and whether it is known to be remote, and is. */
static uint32_t otlp_flags(uint32_t trace_flags, bool is_remote)
{
    return (trace_flags & 0xff) | 0x100u | (is_remote ? 0x200u : 0);
}

static uint8_t *put_link(uint8_t *to, const struct entries *entries, uint32_t *at)
{
    const struct bbc_entry *entry = entry_at(entries, *at);
    struct bbc_link_value link;
    unsigned width;
    uint8_t *begin;

    memcpy(&link, bbc_entry_value(entry), sizeof link);
    *at += entry->size;
    begin = open_message(to, 13, (size_t)entry->key_size * 3 + 96 + children_bound(entries, *at),
                         &width);
    to = bbc_put_bytes(begin, 1, link.trace_id, sizeof link.trace_id);
    to = bbc_put_bytes(to, 2, link.span_id, sizeof link.span_id);
    if (entry->key_size > 0) {
        to = put_text(to, 3, bbc_entry_key(entry), entry->key_size);
    }
    to = put_children(to, 4, entries, at);
    if (link.dropped_attrs > 0) {
        to = bbc_put_uint(to, 5, link.dropped_attrs);
    }
    to = bbc_put_fixed32(to, 6, otlp_flags(link.flags, link.is_remote != 0));
    close_message(begin, to, width);
    return to;
}

/* The entries, and the last name and status among them. */
static uint8_t *put_entries(uint8_t *to, const struct entries *entries,
                            const struct bbc_tick_clock *clock, const struct bbc_entry **out_name,
                            const struct bbc_entry **out_status)
{
    for (uint32_t at = entries->from; at < entries->size;) {
        const struct bbc_entry *entry = entry_at(entries, at);

        switch (entry->kind) {
        case BBC_ENTRY_EVENT:
            to = put_event(to, entries, &at, clock);
            continue;
        case BBC_ENTRY_LINK:
            to = put_link(to, entries, &at);
            continue;
        case BBC_ENTRY_NAME:
            *out_name = entry;
            break;
        case BBC_ENTRY_STATUS:
            *out_status = entry;
            break;
        default:
            if (!is_set_again(entries, entry, at + entry->size, entries->size)) {
                to = put_attr(to, 9, entry);
            }
        }
        at += entry->size;
    }
    return to;
}

static uint8_t *put_status(uint8_t *to, unsigned code, const struct bbc_entry *entry)
{
    bool has_text = entry != NULL && code == BOBBIN_STATUS_ERROR && entry->key_size > 0;
    unsigned width;
    uint8_t *begin = open_message(to, 15, has_text ? (size_t)entry->key_size * 3 + 24 : 8, &width);

    to = begin;
    if (has_text) {
        to = put_text(to, 2, bbc_entry_key(entry), entry->key_size);
    }
    to = bbc_put_uint(to, 3, code);
    close_message(begin, to, width);
    return to;
}

static uint8_t *put_times(uint8_t *to, const struct bobbin_span_record *record,
                          const struct bbc_tick_clock *clock)
{
    uint64_t start = record->start;
    uint64_t end = record->end;

    if ((record->state & BBC_STATE_START_UNIX) == 0) {
        start = bbc_tick_clock_unix_ns(clock, start);
    }
    if ((record->state & BBC_STATE_END_UNIX) == 0) {
        end = bbc_tick_clock_unix_ns(clock, end);
    }
    to = bbc_put_fixed64(to, 7, start);
    return bbc_put_fixed64(to, 8, end < start ? start : end);
}

static uint8_t *put_span(uint8_t *to, const struct bobbin_span_record *record,
                         const struct entries *entries, const struct bbc_tick_clock *clock)
{
    static const uint8_t no_parent[BOBBIN_SPAN_ID_SIZE];
    const struct bbc_entry *name = NULL;
    const struct bbc_entry *status = NULL;
    bool has_parent = memcmp(record->parent_span_id, no_parent, sizeof no_parent) != 0;

    to = bbc_put_bytes(to, 1, record->trace_id, sizeof record->trace_id);
    to = bbc_put_bytes(to, 2, record->span_id, sizeof record->span_id);
    if (record->tracestate_size > 0) {
        to = put_text(to, 3, (const char *)entries->data, record->tracestate_size);
    }
    if (has_parent) {
        to = bbc_put_bytes(to, 4, record->parent_span_id, sizeof record->parent_span_id);
    }
    to = bbc_put_uint(to, 6, record->kind);
    to = put_times(to, record, clock);
    to = put_entries(to, entries, clock, &name, &status);
    if (record->dropped_attrs > 0) {
        to = bbc_put_uint(to, 10, record->dropped_attrs);
    }
    if (record->dropped_events > 0) {
        to = bbc_put_uint(to, 12, record->dropped_events);
    }
    if (record->dropped_links > 0) {
        to = bbc_put_uint(to, 14, record->dropped_links);
    }
    if (record->status != BOBBIN_STATUS_UNSET) {
        to = put_status(to, record->status, status);
    }
    if (name != NULL) {
        to = put_text(to, 5, bbc_entry_key(name), name->key_size);
    } else {
        to = put_text(to, 5, record->name, record->name_size);
    }
    return bbc_put_fixed32(to, 16,
                           otlp_flags(record->trace_flags, has_parent && record->is_parent_remote));
}

static void close_scope(struct bbc_encoder *encoder)
{
    if (encoder->tracer != NULL) {
        bbc_put_varint_padded(encoder->request.data + encoder->scope_at,
                              encoder->request.size - encoder->scope_at - OUTER_WIDTH, OUTER_WIDTH);
        encoder->tracer = NULL;
    }
}

/* Bytes that stand before the span if it is the first, or the first of its tracer. */
static size_t heads_size(const struct bbc_encoder *encoder, const struct bobbin_tracer *tracer,
                         const struct bbc_sink *resource)
{
    size_t size = 64;

    if (encoder->request.size == 0) {
        size += resource->size;
    }
    if (encoder->tracer != tracer) {
        size += tracer->scope.size + tracer->schema_url.size * 3;
    }
    return size;
}

/* Writes what has to stand before the span; there is room. */
static uint8_t *put_heads(struct bbc_encoder *encoder, uint8_t *to,
                          const struct bobbin_tracer *tracer, const struct bbc_sink *resource)
{
    if (encoder->request.size == 0) {
        to = bbc_put_tag(to, 1, BBC_BYTES) + OUTER_WIDTH;
        to = bbc_put_bytes(to, 1, resource->data, resource->size);
    }
    if (encoder->tracer != tracer) {
        close_scope(encoder);
        to = bbc_put_tag(to, 2, BBC_BYTES);
        encoder->scope_at = (size_t)(to - encoder->request.data);
        encoder->tracer = tracer;
        to = bbc_put_bytes(to + OUTER_WIDTH, 1, tracer->scope.data, tracer->scope.size);
        if (tracer->schema_url.size > 0) {
            to = put_text(to, 3, (const char *)tracer->schema_url.data, tracer->schema_url.size);
        }
    }
    return to;
}

enum bbc_encode_result bbc_encoder_add(struct bbc_encoder *encoder,
                                       const struct bobbin_span_record *record,
                                       const struct bbc_tick_clock *clock,
                                       const struct bbc_sink *resource, size_t size_max)
{
    const struct entries entries = {
        .data = record->block != NULL ? record->block : (const uint8_t *)(record + 1),
        .from = bbc_pad8(record->tracestate_size),
        .size = record->data_size,
    };
    struct bbc_encoder before = *encoder;
    size_t bound = bound_of(record, &entries);
    unsigned width;
    uint8_t *begin;
    uint8_t *to =
        bbc_sink_reserve(&encoder->request, bound + heads_size(encoder, record->tracer, resource));

    if (to == NULL) {
        encoder->request.failed = false;
        return BBC_ENCODE_NO_MEMORY;
    }
    before.request = encoder->request;
    to = put_heads(encoder, to, record->tracer, resource);
    begin = open_message(to, 2, bound, &width);
    to = put_span(begin, record, &entries, clock);
    close_message(begin, to, width);
    encoder->request.size = (size_t)(to - encoder->request.data);
    if (encoder->request.size > size_max) {
        *encoder = before;
        return encoder->span_count == 0 ? BBC_ENCODE_TOO_BIG : BBC_ENCODE_FULL;
    }
    encoder->span_count++;
    return BBC_ENCODED;
}

void bbc_encoder_seal(struct bbc_encoder *encoder)
{
    if (encoder->request.size == 0) {
        return;
    }
    close_scope(encoder);
    bbc_put_varint_padded(encoder->request.data + 1, encoder->request.size - 1 - OUTER_WIDTH,
                          OUTER_WIDTH);
}

void bbc_encoder_reset(struct bbc_encoder *encoder)
{
    *encoder = (struct bbc_encoder){0};
}
