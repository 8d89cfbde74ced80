/*
 * otlp_walk.c - see otlp_walk.h.
 *
 *   1. Count: the envelope alone, skipping over spans by their length. Finds every malformed
 *      envelope, and how much memory the batch takes, before any is asked for.
 *   2. Walk: resource by resource, scope by scope, span by span. A span that fails is left out.
 *
 * The path of a field is put together on the way back from a failure, so that the good way pays
 * nothing for it; and only for the first failure, which is the one that is told.
 */
#include "common/otlp_walk.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/field_path.h"
#include "common/limits.h"
#include "common/otlp_view.h"
#include "common/pb_wire.h"
#include "common/utf8.h"

/* What is wrong, and where. */
struct words {
    char what[96];
    struct bb_field_path path;
};

struct walk {
    struct bb_arena *arena;
    struct bb_walk_result *result;
    struct words *words;   /* NULL when nobody will read them */
    uint32_t values_left;  /* of this span, resource or scope */
    enum bb_reject reason; /* of the failure that is on its way up */
};

const char *bb_reject_label(enum bb_reject reason)
{
    static const char *const labels[] = {
#define BB_REJECT_LABEL(name, label, text) [name] = label,
        BB_REJECT_LIST(BB_REJECT_LABEL)
#undef BB_REJECT_LABEL
    };

    BB_ASSERT((unsigned)reason < BB_REJECT_COUNT_OF);
    return labels[reason];
}

/* Starts a failure. Returns false, so that it can end a check. */
BB_COLD static bool fail(struct walk *walk, enum bb_reject reason, const char *what)
{
    walk->reason = reason;
    if (walk->words != NULL) {
        snprintf(walk->words->what, sizeof walk->words->what, "%s", what);
        bb_field_path_clear(&walk->words->path);
    }
    return false;
}

BB_COLD static bool fail_size(struct walk *walk, enum bb_reject reason, size_t wanted, size_t size)
{
    char what[96];

    snprintf(what, sizeof what, "must be %zu bytes, is %zu", wanted, size);
    return fail(walk, reason, what);
}

/* Puts "name" or "name[index]" in front of the path. Returns false. */
BB_COLD static bool at_field(struct walk *walk, const char *name, int64_t index)
{
    if (walk->words != NULL) {
        bb_field_path_prepend(&walk->words->path, name, index);
    }
    return false;
}

static void put_in_words(const struct words *words, struct bb_err_detail *detail)
{
    (void)bb_err_set(detail, BB_EINVAL, "%s: %s", bb_field_path_text(&words->path), words->what);
}

static bool check_type(struct walk *walk, const struct bb_pb_field *field, enum bb_pb_type type)
{
    if (BB_LIKELY(field->type == type)) {
        return true;
    }
    return fail(walk, BB_REJECT_MALFORMED, "has the wrong wire type");
}

static bool check_string(struct walk *walk, const struct bb_pb_field *field)
{
    if (!check_type(walk, field, BB_PB_BYTES)) {
        return false;
    }
    if (BB_LIKELY(bb_utf8_is_valid(field->bytes))) {
        return true;
    }
    return fail(walk, BB_REJECT_UTF8, "is not valid UTF-8");
}

static bool check_end(struct walk *walk, const struct bb_pb_reader *reader)
{
    if (BB_LIKELY(!reader->malformed)) {
        return true;
    }
    return fail(walk, BB_REJECT_MALFORMED, "malformed protobuf");
}

static bool walk_value(struct walk *walk, struct bb_slice bytes, unsigned depth);

static bool walk_key_value(struct walk *walk, struct bb_slice bytes, unsigned depth)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_KEY_VALUE_KEY) {
            if (!check_string(walk, &field)) {
                return at_field(walk, "key", -1);
            }
        } else if (field.number == BB_F_KEY_VALUE_VALUE) {
            if (!check_type(walk, &field, BB_PB_BYTES) || !walk_value(walk, field.bytes, depth)) {
                return at_field(walk, "value", -1);
            }
        }
    }
    return check_end(walk, &reader);
}

/* The elements of an ArrayValue, or the pairs of a KeyValueList. */
static bool walk_elements(struct walk *walk, struct bb_slice bytes, unsigned depth, bool is_list)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    int64_t index = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_F_ARRAY_VALUES) {
            continue;
        }
        bool is_good = check_type(walk, &field, BB_PB_BYTES);
        if (is_good && walk->values_left-- == 0) {
            walk->values_left = 0;
            is_good = fail(walk, BB_REJECT_COUNT, "too many values in one span");
        }
        if (is_good) {
            is_good = is_list ? walk_key_value(walk, field.bytes, depth)
                              : walk_value(walk, field.bytes, depth);
        }
        if (!is_good) {
            return at_field(walk, "values", index);
        }
        index++;
    }
    return check_end(walk, &reader);
}

static bool walk_value(struct walk *walk, struct bb_slice bytes, unsigned depth)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_VALUE_STRING:
            if (!check_string(walk, &field)) {
                return at_field(walk, "string_value", -1);
            }
            break;
        case BB_F_VALUE_BOOL:
        case BB_F_VALUE_INT:
            if (!check_type(walk, &field, BB_PB_VARINT)) {
                return at_field(walk, field.number == BB_F_VALUE_INT ? "int_value" : "bool_value",
                                -1);
            }
            break;
        case BB_F_VALUE_DOUBLE:
            if (!check_type(walk, &field, BB_PB_FIXED64)) {
                return at_field(walk, "double_value", -1);
            }
            break;
        case BB_F_VALUE_BYTES:
            if (!check_type(walk, &field, BB_PB_BYTES)) {
                return at_field(walk, "bytes_value", -1);
            }
            break;
        case BB_F_VALUE_ARRAY:
        case BB_F_VALUE_KVLIST: {
            bool is_list = field.number == BB_F_VALUE_KVLIST;
            bool is_good = check_type(walk, &field, BB_PB_BYTES);
            if (is_good && depth + 1 >= BB_VALUE_DEPTH_MAX) {
                is_good = fail(walk, BB_REJECT_DEPTH, "nested too deep");
            }
            if (!is_good || !walk_elements(walk, field.bytes, depth + 1, is_list)) {
                return at_field(walk, is_list ? "kvlist_value" : "array_value", -1);
            }
            break;
        }
        default:
            break;
        }
    }
    return check_end(walk, &reader);
}

/* One attribute of a span, event, link, scope or resource; `count` counts those of its list. */
static bool walk_attribute(struct walk *walk, const struct bb_pb_field *field, uint32_t *count)
{
    bool is_good = check_type(walk, field, BB_PB_BYTES);

    if (is_good && *count == BB_ATTRIBUTES_MAX) {
        is_good = fail(walk, BB_REJECT_COUNT, "too many attributes");
    }
    if (is_good && walk->values_left-- == 0) {
        walk->values_left = 0;
        is_good = fail(walk, BB_REJECT_COUNT, "too many values in one span");
    }
    if (!is_good || !walk_key_value(walk, field->bytes, 0)) {
        return at_field(walk, "attributes", *count);
    }
    (*count)++;
    return true;
}

static bool walk_event(struct walk *walk, struct bb_slice bytes)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint32_t attribute_count = 0;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_EVENT_TIME_UNIX_NANO:
            if (!check_type(walk, &field, BB_PB_FIXED64)) {
                return at_field(walk, "time_unix_nano", -1);
            }
            break;
        case BB_F_EVENT_NAME:
            if (!check_string(walk, &field)) {
                return at_field(walk, "name", -1);
            }
            break;
        case BB_F_EVENT_ATTRIBUTES:
            if (!walk_attribute(walk, &field, &attribute_count)) {
                return false;
            }
            break;
        case BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT:
            if (!check_type(walk, &field, BB_PB_VARINT)) {
                return at_field(walk, "dropped_attributes_count", -1);
            }
            break;
        default:
            break;
        }
    }
    return check_end(walk, &reader);
}

/* A link may name nothing: the tracing API keeps one with an empty context for its attributes. */
static bool check_link_id(struct walk *walk, const struct bb_pb_field *field, size_t size)
{
    if (!check_type(walk, field, BB_PB_BYTES)) {
        return false;
    }
    if (field->bytes.size != 0 && field->bytes.size != size) {
        return fail_size(walk, BB_REJECT_LINK_ID, size, field->bytes.size);
    }
    return true;
}

static bool walk_link(struct walk *walk, struct bb_slice bytes)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint32_t attribute_count = 0;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_LINK_TRACE_ID:
            if (!check_link_id(walk, &field, BB_TRACE_ID_SIZE)) {
                return at_field(walk, "trace_id", -1);
            }
            break;
        case BB_F_LINK_SPAN_ID:
            if (!check_link_id(walk, &field, BB_SPAN_ID_SIZE)) {
                return at_field(walk, "span_id", -1);
            }
            break;
        case BB_F_LINK_TRACE_STATE:
            if (!check_string(walk, &field)) {
                return at_field(walk, "trace_state", -1);
            }
            break;
        case BB_F_LINK_ATTRIBUTES:
            if (!walk_attribute(walk, &field, &attribute_count)) {
                return false;
            }
            break;
        case BB_F_LINK_DROPPED_ATTRIBUTES_COUNT:
            if (!check_type(walk, &field, BB_PB_VARINT)) {
                return at_field(walk, "dropped_attributes_count", -1);
            }
            break;
        case BB_F_LINK_FLAGS:
            if (!check_type(walk, &field, BB_PB_FIXED32)) {
                return at_field(walk, "flags", -1);
            }
            break;
        default:
            break;
        }
    }
    return check_end(walk, &reader);
}

static bool walk_status(struct walk *walk, struct bb_slice bytes, struct bb_span_ref *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_STATUS_MESSAGE && !check_string(walk, &field)) {
            return at_field(walk, "message", -1);
        }
        if (field.number == BB_F_STATUS_CODE) {
            if (!check_type(walk, &field, BB_PB_VARINT)) {
                return at_field(walk, "code", -1);
            }
            uint32_t code = (uint32_t)field.value; /* protobuf keeps 32 bits of an enum */
            span->status_code = (uint8_t)(code <= BB_STATUS_ERROR ? code : BB_STATUS_UNSET);
        }
    }
    return check_end(walk, &reader);
}

static bool walk_trace_id(struct walk *walk, const struct bb_pb_field *field,
                          struct bb_trace_id *id)
{
    if (!check_type(walk, field, BB_PB_BYTES)) {
        return false;
    }
    if (field->bytes.size != BB_TRACE_ID_SIZE) {
        return fail_size(walk, BB_REJECT_TRACE_ID, BB_TRACE_ID_SIZE, field->bytes.size);
    }
    memcpy(id->bytes, field->bytes.data, BB_TRACE_ID_SIZE);
    return true;
}

static bool walk_span_id(struct walk *walk, const struct bb_pb_field *field, enum bb_reject reason,
                         struct bb_span_id *id)
{
    if (!check_type(walk, field, BB_PB_BYTES)) {
        return false;
    }
    if (field->bytes.size == 0 && reason == BB_REJECT_PARENT_ID) {
        *id = (struct bb_span_id){{0}};
        return true;
    }
    if (field->bytes.size != BB_SPAN_ID_SIZE) {
        return fail_size(walk, reason, BB_SPAN_ID_SIZE, field->bytes.size);
    }
    memcpy(id->bytes, field->bytes.data, BB_SPAN_ID_SIZE);
    return true;
}

struct span_counts {
    uint32_t attributes;
    uint32_t events;
    uint32_t links;
};

/* Fields that repeat. */
static bool walk_span_list_field(struct walk *walk, const struct bb_pb_field *field,
                                 struct span_counts *counts)
{
    bool is_event = field->number == BB_F_SPAN_EVENTS;
    uint32_t *count = is_event ? &counts->events : &counts->links;
    uint32_t count_max = is_event ? BB_SPAN_EVENTS_MAX : BB_SPAN_LINKS_MAX;
    bool is_good = check_type(walk, field, BB_PB_BYTES);

    if (is_good && *count == count_max) {
        is_good = fail(walk, BB_REJECT_COUNT, is_event ? "too many events" : "too many links");
    }
    if (is_good) {
        is_good = is_event ? walk_event(walk, field->bytes) : walk_link(walk, field->bytes);
    }
    if (!is_good) {
        return at_field(walk, is_event ? "events" : "links", *count);
    }
    (*count)++;
    return true;
}

/* The id fields; false also names the field. */
static bool walk_span_id_field(struct walk *walk, const struct bb_pb_field *field,
                               struct bb_span_ref *span)
{
    switch (field->number) {
    case BB_F_SPAN_TRACE_ID:
        return walk_trace_id(walk, field, &span->trace_id) || at_field(walk, "trace_id", -1);
    case BB_F_SPAN_SPAN_ID:
        return walk_span_id(walk, field, BB_REJECT_SPAN_ID, &span->span_id) ||
               at_field(walk, "span_id", -1);
    default:
        return walk_span_id(walk, field, BB_REJECT_PARENT_ID, &span->parent_span_id) ||
               at_field(walk, "parent_span_id", -1);
    }
}

static uint8_t read_kind(const struct bb_pb_field *field)
{
    uint32_t kind = (uint32_t)field->value; /* protobuf keeps 32 bits of an enum */

    return (uint8_t)(kind <= BB_KIND_CONSUMER ? kind : BB_KIND_UNSPECIFIED);
}

static bool walk_span_field(struct walk *walk, const struct bb_pb_field *field,
                            struct bb_span_ref *span, struct span_counts *counts)
{
    switch (field->number) {
    case BB_F_SPAN_TRACE_ID:
    case BB_F_SPAN_SPAN_ID:
    case BB_F_SPAN_PARENT_SPAN_ID:
        return walk_span_id_field(walk, field, span);
    case BB_F_SPAN_TRACE_STATE:
        return check_string(walk, field) || at_field(walk, "trace_state", -1);
    case BB_F_SPAN_NAME:
        span->name = field->bytes;
        return check_string(walk, field) || at_field(walk, "name", -1);
    case BB_F_SPAN_KIND:
        span->kind = read_kind(field);
        return check_type(walk, field, BB_PB_VARINT) || at_field(walk, "kind", -1);
    case BB_F_SPAN_START_TIME_UNIX_NANO:
        span->start_unix_ns = field->value;
        return check_type(walk, field, BB_PB_FIXED64) || at_field(walk, "start_time_unix_nano", -1);
    case BB_F_SPAN_END_TIME_UNIX_NANO:
        span->end_unix_ns = field->value;
        return check_type(walk, field, BB_PB_FIXED64) || at_field(walk, "end_time_unix_nano", -1);
    case BB_F_SPAN_ATTRIBUTES:
        return walk_attribute(walk, field, &counts->attributes);
    case BB_F_SPAN_EVENTS:
    case BB_F_SPAN_LINKS:
        return walk_span_list_field(walk, field, counts);
    case BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT:
        return check_type(walk, field, BB_PB_VARINT) ||
               at_field(walk, "dropped_attributes_count", -1);
    case BB_F_SPAN_DROPPED_EVENTS_COUNT:
        return check_type(walk, field, BB_PB_VARINT) || at_field(walk, "dropped_events_count", -1);
    case BB_F_SPAN_DROPPED_LINKS_COUNT:
        return check_type(walk, field, BB_PB_VARINT) || at_field(walk, "dropped_links_count", -1);
    case BB_F_SPAN_STATUS:
        return (check_type(walk, field, BB_PB_BYTES) && walk_status(walk, field->bytes, span)) ||
               at_field(walk, "status", -1);
    case BB_F_SPAN_FLAGS:
        return check_type(walk, field, BB_PB_FIXED32) || at_field(walk, "flags", -1);
    default:
        return true; /* a field of a later version: kept as it is */
    }
}

static bool walk_span(struct walk *walk, struct bb_slice bytes, struct bb_span_ref *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct span_counts counts = {0};
    struct bb_pb_field field;

    *span = (struct bb_span_ref){.bytes = bytes};
    walk->values_left = BB_SPAN_VALUES_MAX;
    if (bytes.size > BB_SPAN_BYTES_MAX) {
        return fail(walk, BB_REJECT_SIZE, "span is too large");
    }
    while (bb_pb_next(&reader, &field)) {
        if (!walk_span_field(walk, &field, span, &counts)) {
            return false;
        }
    }
    if (!check_end(walk, &reader)) {
        return false;
    }
    if (bb_trace_id_is_zero(&span->trace_id)) {
        fail(walk, BB_REJECT_TRACE_ID, "must not be missing or all zeros");
        return at_field(walk, "trace_id", -1);
    }
    if (bb_span_id_is_zero(&span->span_id)) {
        fail(walk, BB_REJECT_SPAN_ID, "must not be missing or all zeros");
        return at_field(walk, "span_id", -1);
    }
    return true;
}

/* An EntityRef: strings only. */
static bool walk_entity_ref(struct walk *walk, const struct bb_pb_field *ref)
{
    static const char *const names[] = {
        [BB_F_ENTITY_REF_SCHEMA_URL] = "schema_url",
        [BB_F_ENTITY_REF_TYPE] = "type",
        [BB_F_ENTITY_REF_ID_KEYS] = "id_keys",
        [BB_F_ENTITY_REF_DESCRIPTION_KEYS] = "description_keys",
    };
    struct bb_pb_reader reader = bb_pb_reader_of(ref->bytes);
    struct bb_pb_field field;

    if (!check_type(walk, ref, BB_PB_BYTES)) {
        return false;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.number < BB_ARRAY_COUNT(names) && !check_string(walk, &field)) {
            return at_field(walk, names[field.number], -1);
        }
    }
    return check_end(walk, &reader);
}

static bool walk_resource_field(struct walk *walk, const struct bb_pb_field *field,
                                uint32_t *attribute_count)
{
    switch (field->number) {
    case BB_F_RESOURCE_ATTRIBUTES:
        return walk_attribute(walk, field, attribute_count);
    case BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT:
        return check_type(walk, field, BB_PB_VARINT) ||
               at_field(walk, "dropped_attributes_count", -1);
    case BB_F_RESOURCE_ENTITY_REFS:
        return walk_entity_ref(walk, field) || at_field(walk, "entity_refs", -1);
    default:
        return true;
    }
}

static bool walk_scope_field(struct walk *walk, const struct bb_pb_field *field,
                             uint32_t *attribute_count)
{
    switch (field->number) {
    case BB_F_SCOPE_NAME:
        return check_string(walk, field) || at_field(walk, "name", -1);
    case BB_F_SCOPE_VERSION:
        return check_string(walk, field) || at_field(walk, "version", -1);
    case BB_F_SCOPE_ATTRIBUTES:
        return walk_attribute(walk, field, attribute_count);
    case BB_F_SCOPE_DROPPED_ATTRIBUTES_COUNT:
        return check_type(walk, field, BB_PB_VARINT) ||
               at_field(walk, "dropped_attributes_count", -1);
    default:
        return true;
    }
}

/* What several spans share: a Resource or an InstrumentationScope, and the URL beside it. */
struct owner {
    struct bb_slice bytes;
    struct bb_slice schema_url;
    bool has_bad_url; /* a URL that isn't UTF-8, also where a later one replaces it */
};

static bool walk_owner(struct walk *walk, const struct owner *owner, bool is_resource)
{
    struct bb_pb_reader reader = bb_pb_reader_of(owner->bytes);
    const char *name = is_resource ? "resource" : "scope";
    struct bb_pb_field field;
    uint32_t attribute_count = 0;

    if (owner->has_bad_url) {
        fail(walk, BB_REJECT_UTF8, "is not valid UTF-8");
        return at_field(walk, "schema_url", -1);
    }
    walk->values_left = BB_SPAN_VALUES_MAX;
    if (owner->bytes.size > BB_RESOURCE_BYTES_MAX) {
        fail(walk, BB_REJECT_SIZE, "is too large");
        return at_field(walk, name, -1);
    }
    while (bb_pb_next(&reader, &field)) {
        if (!(is_resource ? walk_resource_field(walk, &field, &attribute_count)
                          : walk_scope_field(walk, &field, &attribute_count))) {
            return at_field(walk, name, -1);
        }
    }
    return check_end(walk, &reader) || at_field(walk, name, -1);
}

/* Counts `count` spans as rejected for the failure that has come up to the request. */
BB_COLD static void reject(struct walk *walk, uint64_t count)
{
    struct bb_walk_result *result = walk->result;

    if (walk->words != NULL && count > 0) {
        put_in_words(walk->words, &result->first_rejection);
        walk->words = NULL;
    }
    result->rejected_count += count;
    result->rejected_by_reason[walk->reason] += count;
}

/* The fields that a ResourceSpans and a ScopeSpans have in the same places. */
enum { ENVELOPE_OWNER = 1, ENVELOPE_CHILD = 2, ENVELOPE_SCHEMA_URL = 3 };
static_assert((int)BB_F_RESOURCE_SPANS_SCOPE_SPANS == ENVELOPE_CHILD &&
                  (int)BB_F_SCOPE_SPANS_SPANS == ENVELOPE_CHILD,
              "one reader serves both");

/* Puts the `owner_size` bytes of several owner fields together. */
static enum bb_err join_owners(struct bb_slice envelope, size_t owner_size, struct bb_arena *arena,
                               struct bb_slice *out_owner)
{
    struct bb_pb_reader reader = bb_pb_reader_of(envelope);
    uint8_t *joined = bb_arena_try_alloc(arena, owner_size);
    struct bb_pb_field field;
    size_t size = 0;

    if (joined == NULL) {
        return BB_ENOMEM;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.number == ENVELOPE_OWNER && field.bytes.size > 0) {
            memcpy(joined + size, field.bytes.data, field.bytes.size);
            size += field.bytes.size;
        }
    }
    *out_owner = bb_slice_of(joined, size);
    return BB_OK;
}

/* Reads the owner, the URL and the number of children of a ResourceSpans or a ScopeSpans. Several
 * owners count as one, joined, as protobuf says. */
static enum bb_err read_envelope(struct bb_slice bytes, struct bb_arena *arena,
                                 struct owner *out_owner, uint64_t *out_child_count)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct owner owner = {.has_bad_url = false};
    struct bb_pb_field field;
    size_t owner_size = 0;
    uint64_t child_count = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == ENVELOPE_CHILD) {
            child_count++;
        } else if (field.number == ENVELOPE_SCHEMA_URL) {
            owner.schema_url = field.bytes;
            owner.has_bad_url = owner.has_bad_url || !bb_utf8_is_valid(field.bytes);
        } else if (field.number == ENVELOPE_OWNER && field.bytes.size > 0) {
            owner.bytes = field.bytes;
            owner_size += field.bytes.size;
        }
    }
    if (owner_size > owner.bytes.size) {
        enum bb_err err = join_owners(bytes, owner_size, arena, &owner.bytes);
        if (err != BB_OK) {
            return err;
        }
    }
    *out_owner = owner;
    *out_child_count = child_count;
    return BB_OK;
}

/* Spans of all ScopeSpans in one ResourceSpans; the count pass has found it well formed. */
static uint64_t count_spans(struct bb_slice resource_spans)
{
    struct bb_pb_reader reader = bb_pb_reader_of(resource_spans);
    struct bb_pb_field field;
    uint64_t count = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_F_RESOURCE_SPANS_SCOPE_SPANS) {
            continue;
        }
        struct bb_pb_reader scope_reader = bb_pb_reader_of(field.bytes);
        struct bb_pb_field inner;
        while (bb_pb_next(&scope_reader, &inner)) {
            count += inner.number == BB_F_SCOPE_SPANS_SPANS;
        }
    }
    return count;
}

static void walk_spans(struct walk *walk, struct bb_slice scope_spans, uint32_t resource_index,
                       int64_t resource_at, int64_t scope_at)
{
    struct bb_span_batch *batch = &walk->result->batch;
    struct bb_pb_reader reader = bb_pb_reader_of(scope_spans);
    struct bb_pb_field field;
    int64_t span_at = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_F_SCOPE_SPANS_SPANS) {
            continue;
        }
        struct bb_span_ref *span = &batch->spans[batch->span_count];
        if (BB_LIKELY(walk_span(walk, field.bytes, span))) {
            span->resource_index = resource_index;
            span->scope_index = batch->scope_count - 1;
            batch->span_count++;
        } else {
            at_field(walk, "spans", span_at);
            at_field(walk, "scope_spans", scope_at);
            at_field(walk, "resource_spans", resource_at);
            reject(walk, 1);
        }
        span_at++;
    }
}

static enum bb_err walk_scope_spans(struct walk *walk, struct bb_slice bytes,
                                    uint32_t resource_index, int64_t resource_at, int64_t scope_at)
{
    struct bb_span_batch *batch = &walk->result->batch;
    struct owner scope;
    uint64_t span_count;

    enum bb_err err = read_envelope(bytes, walk->arena, &scope, &span_count);
    if (err != BB_OK) {
        return err;
    }
    if (!walk_owner(walk, &scope, false)) {
        at_field(walk, "scope_spans", scope_at);
        at_field(walk, "resource_spans", resource_at);
        reject(walk, span_count);
        return BB_OK;
    }
    batch->scopes[batch->scope_count++] =
        (struct bb_scope_ref){.bytes = scope.bytes, .schema_url = scope.schema_url};
    walk_spans(walk, bytes, resource_index, resource_at, scope_at);
    return BB_OK;
}

static enum bb_err walk_resource_spans(struct walk *walk, struct bb_slice bytes,
                                       int64_t resource_at)
{
    struct bb_span_batch *batch = &walk->result->batch;
    struct owner resource;
    uint64_t scope_count;

    enum bb_err err = read_envelope(bytes, walk->arena, &resource, &scope_count);
    if (err != BB_OK) {
        return err;
    }
    if (!walk_owner(walk, &resource, true)) {
        at_field(walk, "resource_spans", resource_at);
        reject(walk, count_spans(bytes));
        return BB_OK;
    }
    uint32_t resource_index = batch->resource_count++;
    batch->resources[resource_index] = (struct bb_resource_ref){
        .bytes = resource.bytes,
        .schema_url = resource.schema_url,
        .service_name = bb_otlp_service_name(resource.bytes),
    };
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    int64_t scope_at = 0;
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_RESOURCE_SPANS_SCOPE_SPANS) {
            err = walk_scope_spans(walk, field.bytes, resource_index, resource_at, scope_at);
            if (err != BB_OK) {
                return err;
            }
            scope_at++;
        }
    }
    return BB_OK;
}

/* The first pass. */

struct counts {
    uint64_t resources;
    uint64_t scopes;
    uint64_t spans;
};

/* The last field that was read was bad: names it by the number that it has in both envelopes. */
static bool at_envelope_field(struct walk *walk, uint32_t number, const char *owner_name,
                              const char *child_name, uint64_t child_at)
{
    switch (number) {
    case ENVELOPE_OWNER:
        return at_field(walk, owner_name, -1);
    case ENVELOPE_CHILD:
        return at_field(walk, child_name, (int64_t)child_at);
    default:
        return at_field(walk, "schema_url", -1);
    }
}

static bool check_envelope_type(struct walk *walk, const struct bb_pb_field *field)
{
    return field->number > ENVELOPE_SCHEMA_URL || check_type(walk, field, BB_PB_BYTES);
}

static bool count_scope_spans(struct walk *walk, struct bb_slice bytes, struct counts *counts)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint64_t span_count = 0;

    while (bb_pb_next(&reader, &field)) {
        if (!check_envelope_type(walk, &field)) {
            return at_envelope_field(walk, field.number, "scope", "spans", span_count);
        }
        span_count += field.number == BB_F_SCOPE_SPANS_SPANS;
    }
    counts->spans += span_count;
    return check_end(walk, &reader);
}

static bool count_resource_spans(struct walk *walk, struct bb_slice bytes, struct counts *counts)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint64_t scope_count = 0;

    while (bb_pb_next(&reader, &field)) {
        bool is_scope_spans = field.number == BB_F_RESOURCE_SPANS_SCOPE_SPANS;
        if (!check_envelope_type(walk, &field) ||
            (is_scope_spans && !count_scope_spans(walk, field.bytes, counts))) {
            return at_envelope_field(walk, field.number, "resource", "scope_spans", scope_count);
        }
        scope_count += is_scope_spans;
    }
    counts->scopes += scope_count;
    return check_end(walk, &reader);
}

static bool count_request(struct walk *walk, struct bb_slice wire, struct counts *counts)
{
    struct bb_pb_reader reader = bb_pb_reader_of(wire);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_F_REQUEST_RESOURCE_SPANS) {
            continue;
        }
        if (!check_type(walk, &field, BB_PB_BYTES) ||
            !count_resource_spans(walk, field.bytes, counts)) {
            return at_field(walk, "resource_spans", (int64_t)counts->resources);
        }
        counts->resources++;
    }
    if (reader.malformed) {
        fail(walk, BB_REJECT_MALFORMED, "malformed protobuf (cut short?)");
        return at_field(walk, "resource_spans", (int64_t)counts->resources);
    }
    return true;
}

static enum bb_err check_request(struct walk *walk, struct bb_slice wire, struct counts *counts,
                                 struct bb_err_detail *detail)
{
    if (wire.size > BB_REQUEST_BYTES_MAX) {
        return bb_err_set(detail, BB_ETOOBIG, "request is %zu bytes, at most %u are taken",
                          wire.size, BB_REQUEST_BYTES_MAX);
    }
    if (!count_request(walk, wire, counts)) {
        put_in_words(walk->words, detail);
        return BB_EINVAL;
    }
    /* Each span, scope and resource is at least two bytes, and memory is asked for by count. */
    if (counts->spans > BB_REQUEST_SPANS_MAX || counts->scopes > BB_REQUEST_SPANS_MAX ||
        counts->resources > BB_REQUEST_SPANS_MAX) {
        return bb_err_set(detail, BB_ETOOBIG, "more than %u spans, scopes or resources",
                          BB_REQUEST_SPANS_MAX);
    }
    return BB_OK;
}

static enum bb_err make_batch(const struct counts *counts, struct bb_arena *arena,
                              struct bb_span_batch *out_batch)
{
    struct bb_span_batch batch = {
        .resources = bb_arena_try_alloc(arena, counts->resources * sizeof(struct bb_resource_ref)),
        .scopes = bb_arena_try_alloc(arena, counts->scopes * sizeof(struct bb_scope_ref)),
        .spans = bb_arena_try_alloc(arena, counts->spans * sizeof(struct bb_span_ref)),
    };

    if (batch.resources == NULL || batch.scopes == NULL || batch.spans == NULL) {
        return BB_ENOMEM;
    }
    *out_batch = batch;
    return BB_OK;
}

enum bb_err bb_otlp_walk(struct bb_slice wire, struct bb_arena *arena, struct bb_err_detail *detail,
                         struct bb_walk_result *out_result)
{
    struct bb_walk_result result = {.rejected_count = 0};
    struct words words;
    struct walk walk = {.arena = arena, .result = &result, .words = &words};
    struct counts counts = {0};

    enum bb_err err = check_request(&walk, wire, &counts, detail);
    if (err != BB_OK) {
        return err;
    }
    err = make_batch(&counts, arena, &result.batch);
    if (err != BB_OK) {
        return bb_err_set(detail, err, "no memory for %" PRIu64 " spans", counts.spans);
    }
    struct bb_pb_reader reader = bb_pb_reader_of(wire);
    struct bb_pb_field field;
    int64_t resource_at = 0;
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_REQUEST_RESOURCE_SPANS) {
            err = walk_resource_spans(&walk, field.bytes, resource_at);
            if (err != BB_OK) {
                return bb_err_set(detail, err, "no memory to join a repeated resource");
            }
            resource_at++;
        }
    }
    *out_result = result;
    return BB_OK;
}

enum bb_err bb_otlp_read_span(struct bb_slice bytes, struct bb_span_ref *out_span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_span_ref span = {.bytes = bytes};
    struct walk walk = {.words = NULL};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        bool is_list = field.number == BB_F_SPAN_ATTRIBUTES || field.number == BB_F_SPAN_EVENTS ||
                       field.number == BB_F_SPAN_LINKS;
        struct span_counts counts = {0};
        if (!is_list && !walk_span_field(&walk, &field, &span, &counts)) {
            return BB_ECORRUPT;
        }
    }
    if (reader.malformed || bb_trace_id_is_zero(&span.trace_id) ||
        bb_span_id_is_zero(&span.span_id)) {
        return BB_ECORRUPT;
    }
    *out_span = span;
    return BB_OK;
}

struct bb_slice bb_otlp_service_name(struct bb_slice resource_bytes)
{
    struct bb_value value;
    bool is_found = bb_attribute_find(resource_bytes, BB_F_RESOURCE_ATTRIBUTES,
                                      bb_slice_from_cstr("service.name"), &value);

    return is_found && value.type == BB_VALUE_STRING ? value.bytes : bb_slice_of(NULL, 0);
}
