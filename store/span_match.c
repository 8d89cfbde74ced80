#include "store/span_match.h"

#include "common/otlp_view.h"

/* Is the value's text `wanted`? Of an array, that of one of its elements. */
static bool value_matches(const struct bb_value *value, struct bb_slice wanted, struct bb_buf *text)
{
    if (value->type == BB_VALUE_STRING) {
        return bb_slice_equals(value->bytes, wanted);
    }
    if (value->type == BB_VALUE_ARRAY) {
        struct bb_pb_reader elements = bb_pb_reader_of(value->bytes);
        struct bb_value element;
        while (bb_array_next(&elements, &element)) {
            if (element.type == BB_VALUE_STRING) {
                if (bb_slice_equals(element.bytes, wanted)) {
                    return true;
                }
                continue;
            }
            bb_buf_clear(text);
            bb_value_append_text(&element, text);
            if (bb_buf_err(text) == BB_OK && bb_slice_equals(bb_buf_slice(text), wanted)) {
                return true;
            }
        }
    }
    bb_buf_clear(text);
    bb_value_append_text(value, text);
    return bb_buf_err(text) == BB_OK && bb_slice_equals(bb_buf_slice(text), wanted);
}

static bool attributes_match(struct bb_slice message, uint32_t number, struct bb_slice key,
                             struct bb_slice wanted, struct bb_buf *text)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        if (bb_slice_equals(attribute.key, key) && value_matches(&attribute.value, wanted, text)) {
            return true;
        }
    }
    return false;
}

static bool is_attribute_condition(const struct bb_condition *condition)
{
    return condition->type == BB_CONDITION_ATTRIBUTE || condition->type == BB_CONDITION_ERROR_TAG;
}

/* The key of an attribute condition. */
static struct bb_slice condition_key(const struct bb_condition *condition)
{
    return condition->type == BB_CONDITION_ERROR_TAG ? bb_slice_from_cstr("error") : condition->key;
}

static bool scope_matches(const struct bb_condition *condition, struct bb_slice scope_bytes,
                          struct bb_buf *text)
{
    struct bb_scope_view scope;

    bb_scope_view_read(scope_bytes, &scope);
    switch (condition->type) {
    case BB_CONDITION_SCOPE_NAME:
        return bb_slice_equals(scope.name, condition->value);
    case BB_CONDITION_SCOPE_VERSION:
        return bb_slice_equals(scope.version, condition->value);
    default:
        return is_attribute_condition(condition) &&
               attributes_match(scope_bytes, BB_F_SCOPE_ATTRIBUTES, condition_key(condition),
                                condition->value, text);
    }
}

static bool operation_matches(const struct bb_search *search,
                              const struct bb_operation_entry *operation)
{
    if (search->has_service_name &&
        !bb_slice_equals(operation->service_name, search->service_name)) {
        return false;
    }
    if (search->has_operation && !bb_slice_equals(operation->name, search->operation)) {
        return false;
    }
    for (uint32_t i = 0; i < search->condition_count; i++) {
        const struct bb_condition *condition = &search->conditions[i];
        if (condition->type == BB_CONDITION_KIND && condition->number != operation->kind) {
            return false;
        }
    }
    return true;
}

static enum bb_err match_owners(struct bb_matcher *matcher, struct bb_arena *arena)
{
    const struct bb_search *search = matcher->search;
    const struct bb_dictionary *dictionary = matcher->dictionary;
    uint32_t resource_count = matcher->dictionary_counts[1];
    uint32_t scope_count = matcher->dictionary_counts[2];

    matcher->resource_matches = bb_arena_try_calloc(arena, search->condition_count, resource_count);
    matcher->scope_matches = bb_arena_try_calloc(arena, search->condition_count, scope_count);
    if (matcher->resource_matches == NULL || matcher->scope_matches == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < search->condition_count; i++) {
        const struct bb_condition *condition = &search->conditions[i];
        for (uint32_t code = 0; code < resource_count && is_attribute_condition(condition);
             code++) {
            struct bb_resource_ref resource = bb_dictionary_resource(dictionary, code);
            matcher->resource_matches[(size_t)i * resource_count + code] =
                attributes_match(resource.bytes, BB_F_RESOURCE_ATTRIBUTES, condition_key(condition),
                                 condition->value, matcher->text);
        }
        for (uint32_t code = 0; code < scope_count; code++) {
            struct bb_scope_ref scope = bb_dictionary_scope(dictionary, code);
            matcher->scope_matches[(size_t)i * scope_count + code] =
                scope_matches(condition, scope.bytes, matcher->text);
        }
        matcher->needs_bytes |= is_attribute_condition(condition);
    }
    return BB_OK;
}

enum bb_err bb_matcher_init(struct bb_matcher *matcher, const struct bb_search *search,
                            const struct bb_dictionary *dictionary, struct bb_buf *text,
                            struct bb_arena *arena)
{
    *matcher = (struct bb_matcher){
        .search = search,
        .dictionary = dictionary,
        .dictionary_counts = {dictionary->operations.count, dictionary->resources.count,
                              dictionary->scopes.count},
        .text = text,
    };
    matcher->operation_matches =
        bb_arena_try_calloc(arena, matcher->dictionary_counts[0], sizeof(uint8_t));
    if (matcher->operation_matches == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t code = 0; code < matcher->dictionary_counts[0]; code++) {
        struct bb_operation_entry operation = bb_dictionary_operation(dictionary, code);
        matcher->operation_matches[code] = operation_matches(search, &operation);
        matcher->can_match |= matcher->operation_matches[code] != 0;
    }
    if (!matcher->can_match || search->condition_count == 0) {
        return BB_OK;
    }
    return match_owners(matcher, arena);
}

/* What a condition says of a row without its message. */
enum verdict { NO, MAYBE, YES };

static enum verdict condition_verdict(const struct bb_matcher *matcher, uint32_t index,
                                      const struct bb_row *row)
{
    const struct bb_condition *condition = &matcher->search->conditions[index];
    bool owner_has =
        matcher->resource_matches[(size_t)index * matcher->dictionary_counts[1] +
                                  row->resource_code] != 0 ||
        matcher->scope_matches[(size_t)index * matcher->dictionary_counts[2] + row->scope_code] !=
            0;

    switch (condition->type) {
    case BB_CONDITION_ATTRIBUTE:
        return owner_has ? YES : MAYBE;
    case BB_CONDITION_ERROR_TAG:
        return owner_has || (row->status_code == BB_STATUS_ERROR) == (condition->number == 1)
                   ? YES
                   : MAYBE;
    case BB_CONDITION_KIND:
        return YES; /* the operation's code has it */
    case BB_CONDITION_STATUS:
        return row->status_code == condition->number ? YES : NO;
    case BB_CONDITION_NOT_STATUS:
        return row->status_code != condition->number ? YES : NO;
    case BB_CONDITION_SCOPE_NAME:
    case BB_CONDITION_SCOPE_VERSION:
        return owner_has ? YES : NO;
    }
    return NO;
}

bool bb_matcher_columns_match(const struct bb_matcher *matcher, const struct bb_row *row)
{
    const struct bb_search *search = matcher->search;
    uint64_t duration_ns = bb_row_duration_ns(row);

    if (row->operation_code >= matcher->dictionary_counts[0] ||
        !matcher->operation_matches[row->operation_code]) {
        return false;
    }
    if (row->start_unix_ns < search->start_unix_ns_min || duration_ns < search->duration_ns_min) {
        return false;
    }
    if ((search->start_unix_ns_max != 0 && row->start_unix_ns > search->start_unix_ns_max) ||
        (search->duration_ns_max != 0 && duration_ns > search->duration_ns_max)) {
        return false;
    }
    for (uint32_t i = 0; i < search->condition_count; i++) {
        if (condition_verdict(matcher, i, row) == NO) {
            return false;
        }
    }
    return true;
}

/* An attribute of the span itself, of one of its events or of one of its links. */
static bool span_has(const struct bb_row *row, const struct bb_condition *condition,
                     struct bb_buf *text)
{
    struct bb_slice key = condition_key(condition);
    struct bb_pb_reader reader = bb_pb_reader_of(row->bytes);
    struct bb_event_view event;
    struct bb_link_view link;

    if (attributes_match(row->bytes, BB_F_SPAN_ATTRIBUTES, key, condition->value, text)) {
        return true;
    }
    while (bb_event_next(&reader, &event)) {
        if (attributes_match(event.bytes, BB_F_EVENT_ATTRIBUTES, key, condition->value, text)) {
            return true;
        }
    }
    reader = bb_pb_reader_of(row->bytes);
    while (bb_link_next(&reader, &link)) {
        if (attributes_match(link.bytes, BB_F_LINK_ATTRIBUTES, key, condition->value, text)) {
            return true;
        }
    }
    return false;
}

bool bb_matcher_bytes_match(const struct bb_matcher *matcher, const struct bb_row *row)
{
    for (uint32_t i = 0; i < matcher->search->condition_count; i++) {
        if (condition_verdict(matcher, i, row) == MAYBE &&
            !span_has(row, &matcher->search->conditions[i], matcher->text)) {
            return false;
        }
    }
    return true;
}
