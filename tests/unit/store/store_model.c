#include "store_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/otlp_view.h"

#define MODEL_BYTES_MAX ((size_t)1 << 30)
#define TEXT_BYTES_MAX ((size_t)16 << 20)
#define PARENT_LEAD_NS (UINT64_C(3600) * UINT64_C(1000000000))

void store_model_init(struct store_model *model)
{
    *model = (struct store_model){.span_count = 0};
    bb_arena_init(&model->arena, MODEL_BYTES_MAX);
}

void store_model_dispose(struct store_model *model)
{
    bb_arena_dispose(&model->arena);
    *model = (struct store_model){.span_count = 0};
}

static void *take(struct bb_arena *arena, size_t count, size_t size)
{
    void *piece = bb_arena_try_calloc(arena, count, size);

    assert_non_null(piece);
    return piece;
}

static void add_span(struct store_model *model, struct model_span span)
{
    if (model->span_count == model->span_capacity) {
        uint32_t capacity = model->span_capacity == 0 ? 1024 : 2 * model->span_capacity;
        struct model_span *larger = take(&model->arena, capacity, sizeof *larger);
        if (model->span_count > 0) {
            memcpy(larger, model->spans, model->span_count * sizeof *larger);
        }
        model->spans = larger;
        model->span_capacity = capacity;
    }
    model->spans[model->span_count++] = span;
}

void store_model_add(struct store_model *model, struct bb_slice wire,
                     struct bb_walk_result *out_result, struct bb_slice *out_wire)
{
    struct bb_slice copy = bb_arena_try_copy(&model->arena, wire);

    assert_non_null(copy.data);
    assert_int_equal(bb_otlp_walk(copy, &model->arena, NULL, out_result), BB_OK);
    for (uint32_t i = 0; i < out_result->batch.span_count; i++) {
        const struct bb_span_ref *ref = &out_result->batch.spans[i];
        add_span(model, (struct model_span){
                            .ref = *ref,
                            .resource = out_result->batch.resources[ref->resource_index],
                            .scope = out_result->batch.scopes[ref->scope_index],
                        });
    }
    *out_wire = copy;
}

void store_model_forget(struct store_model *model, uint32_t count)
{
    assert_true(count <= model->span_count);
    model->span_count -= count;
    memmove(model->spans, model->spans + count, model->span_count * sizeof *model->spans);
}

/* Traces */

static int compare_content(const struct model_span *a, const struct model_span *b)
{
    int order = bb_slice_compare(a->ref.bytes, b->ref.bytes);

    order = order != 0 ? order : bb_slice_compare(a->resource.bytes, b->resource.bytes);
    order = order != 0 ? order : bb_slice_compare(a->resource.schema_url, b->resource.schema_url);
    order = order != 0 ? order : bb_slice_compare(a->scope.bytes, b->scope.bytes);
    return order != 0 ? order : bb_slice_compare(a->scope.schema_url, b->scope.schema_url);
}

static int compare_spans(const void *a, const void *b)
{
    const struct model_span *left = a;
    const struct model_span *right = b;

    if (left->ref.start_unix_ns != right->ref.start_unix_ns) {
        return left->ref.start_unix_ns < right->ref.start_unix_ns ? -1 : 1;
    }
    int order = memcmp(left->ref.span_id.bytes, right->ref.span_id.bytes, BB_SPAN_ID_SIZE);
    return order != 0 ? order : compare_content(left, right);
}

struct model_span *store_model_trace(const struct store_model *model,
                                     const struct bb_trace_id *trace_id, struct bb_arena *arena,
                                     uint32_t *out_count)
{
    struct model_span *spans = take(arena, model->span_count, sizeof *spans);
    uint32_t count = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        if (bb_trace_id_equals(&model->spans[i].ref.trace_id, trace_id)) {
            spans[count++] = model->spans[i];
        }
    }
    qsort(spans, count, sizeof *spans, compare_spans);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || compare_spans(&spans[kept - 1], &spans[i]) != 0) {
            spans[kept++] = spans[i];
        }
    }
    *out_count = kept;
    return spans;
}

/* Searches */

static bool has_text(const struct bb_value *value, struct bb_slice wanted)
{
    struct bb_buf text;

    bb_buf_init(&text, TEXT_BYTES_MAX);
    bb_value_append_text(value, &text);
    assert_int_equal(bb_buf_err(&text), BB_OK);
    bool is_equal = bb_slice_equals(bb_buf_slice(&text), wanted);
    bb_buf_dispose(&text);
    return is_equal;
}

static bool has_attribute(struct bb_slice message, uint32_t number, struct bb_slice key,
                          struct bb_slice wanted)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        struct bb_pb_reader elements = bb_pb_reader_of(attribute.value.bytes);
        struct bb_value element;
        if (!bb_slice_equals(attribute.key, key)) {
            continue;
        }
        if (has_text(&attribute.value, wanted)) {
            return true;
        }
        while (attribute.value.type == BB_VALUE_ARRAY && bb_array_next(&elements, &element)) {
            if (has_text(&element, wanted)) {
                return true;
            }
        }
    }
    return false;
}

static bool has_attribute_anywhere(const struct model_span *span, struct bb_slice key,
                                   struct bb_slice wanted)
{
    struct bb_pb_reader events = bb_pb_reader_of(span->ref.bytes);
    struct bb_pb_reader links = events;
    struct bb_event_view event;
    struct bb_link_view link;
    bool is_found = has_attribute(span->ref.bytes, BB_F_SPAN_ATTRIBUTES, key, wanted) ||
                    has_attribute(span->resource.bytes, BB_F_RESOURCE_ATTRIBUTES, key, wanted) ||
                    has_attribute(span->scope.bytes, BB_F_SCOPE_ATTRIBUTES, key, wanted);

    while (!is_found && bb_event_next(&events, &event)) {
        is_found = has_attribute(event.bytes, BB_F_EVENT_ATTRIBUTES, key, wanted);
    }
    while (!is_found && bb_link_next(&links, &link)) {
        is_found = has_attribute(link.bytes, BB_F_LINK_ATTRIBUTES, key, wanted);
    }
    return is_found;
}

static bool condition_holds(const struct model_span *span, const struct bb_condition *condition)
{
    struct bb_scope_view scope;
    bool is_error = span->ref.status_code == BB_STATUS_ERROR;

    bb_scope_view_read(span->scope.bytes, &scope);
    switch (condition->type) {
    case BB_CONDITION_ATTRIBUTE:
        return has_attribute_anywhere(span, condition->key, condition->value);
    case BB_CONDITION_KIND:
        return span->ref.kind == condition->number;
    case BB_CONDITION_STATUS:
        return span->ref.status_code == condition->number;
    case BB_CONDITION_NOT_STATUS:
        return span->ref.status_code != condition->number;
    case BB_CONDITION_SCOPE_NAME:
        return bb_slice_equals(scope.name, condition->value);
    case BB_CONDITION_SCOPE_VERSION:
        return bb_slice_equals(scope.version, condition->value);
    case BB_CONDITION_ERROR_TAG:
        return is_error == (condition->number == 1) ||
               has_attribute_anywhere(span, bb_slice_from_cstr("error"), condition->value);
    }
    return false;
}

static bool span_matches(const struct model_span *span, const struct bb_search *search)
{
    uint64_t start_ns = span->ref.start_unix_ns;
    uint64_t duration_ns = bb_span_duration_ns(&span->ref);

    if ((search->has_service_name &&
         !bb_slice_equals(span->resource.service_name, search->service_name)) ||
        (search->has_operation && !bb_slice_equals(span->ref.name, search->operation)) ||
        start_ns < search->start_unix_ns_min || duration_ns < search->duration_ns_min ||
        (search->start_unix_ns_max != 0 && start_ns > search->start_unix_ns_max) ||
        (search->duration_ns_max != 0 && duration_ns > search->duration_ns_max)) {
        return false;
    }
    for (uint32_t i = 0; i < search->condition_count; i++) {
        if (!condition_holds(span, &search->conditions[i])) {
            return false;
        }
    }
    return true;
}

static int compare_hits(const void *a, const void *b)
{
    const struct bb_search_hit *left = a;
    const struct bb_search_hit *right = b;

    if (left->key != right->key) {
        return left->key > right->key ? -1 : 1;
    }
    return bb_trace_id_compare(&left->trace_id, &right->trace_id);
}

struct bb_search_hit *store_model_search(const struct store_model *model,
                                         const struct bb_search *search, struct bb_arena *arena,
                                         uint32_t *out_count)
{
    struct bb_search_hit *hits = take(arena, model->span_count, sizeof *hits);
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        const struct model_span *span = &model->spans[i];
        uint64_t key = search->order == BB_ORDER_NEWEST ? span->ref.start_unix_ns
                                                        : bb_span_duration_ns(&span->ref);
        uint32_t at = 0;
        if (!span_matches(span, search)) {
            continue;
        }
        while (at < count && !bb_trace_id_equals(&hits[at].trace_id, &span->ref.trace_id)) {
            at++;
        }
        if (at == count) {
            hits[count++] = (struct bb_search_hit){span->ref.trace_id, key};
        } else if (key > hits[at].key) {
            hits[at].key = key;
        }
    }
    qsort(hits, count, sizeof *hits, compare_hits);
    *out_count = count < search->limit ? count : search->limit;
    return hits;
}

/* Catalogue */

static int compare_names(const void *a, const void *b)
{
    return bb_slice_compare(*(const struct bb_slice *)a, *(const struct bb_slice *)b);
}

struct bb_slice *store_model_services(const struct store_model *model, struct bb_arena *arena,
                                      uint32_t *out_count)
{
    struct bb_slice *names = take(arena, model->span_count, sizeof *names);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        names[i] = model->spans[i].resource.service_name;
    }
    qsort(names, model->span_count, sizeof *names, compare_names);
    for (uint32_t i = 0; i < model->span_count; i++) {
        if (kept == 0 || !bb_slice_equals(names[kept - 1], names[i])) {
            names[kept++] = names[i];
        }
    }
    *out_count = kept;
    return names;
}

static int compare_operations(const void *a, const void *b)
{
    const struct bb_operation *left = a;
    const struct bb_operation *right = b;
    int order = bb_slice_compare(left->name, right->name);

    return order != 0 ? order : (int)left->kind - (int)right->kind;
}

struct bb_operation *store_model_operations(const struct store_model *model,
                                            struct bb_slice service_name, struct bb_arena *arena,
                                            uint32_t *out_count)
{
    struct bb_operation *operations = take(arena, model->span_count, sizeof *operations);
    uint32_t count = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        const struct model_span *span = &model->spans[i];
        if (bb_slice_equals(span->resource.service_name, service_name)) {
            operations[count++] = (struct bb_operation){span->ref.name, span->ref.kind};
        }
    }
    qsort(operations, count, sizeof *operations, compare_operations);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || compare_operations(&operations[kept - 1], &operations[i]) != 0) {
            operations[kept++] = operations[i];
        }
    }
    *out_count = kept;
    return operations;
}

/* Dependencies */

static void count_call(struct bb_dependency *calls, uint32_t *count, struct bb_slice parent,
                       struct bb_slice child, bool is_error)
{
    uint32_t at = 0;

    while (at < *count && (!bb_slice_equals(calls[at].parent, parent) ||
                           !bb_slice_equals(calls[at].child, child))) {
        at++;
    }
    if (at == *count) {
        calls[(*count)++] = (struct bb_dependency){.parent = parent, .child = child};
    }
    calls[at].call_count++;
    calls[at].error_count += is_error;
}

static int compare_dependencies(const void *a, const void *b)
{
    const struct bb_dependency *left = a;
    const struct bb_dependency *right = b;
    int order = bb_slice_compare(left->parent, right->parent);

    return order != 0 ? order : bb_slice_compare(left->child, right->child);
}

/* The span whose parent this is: the first to arrive of that trace and id. */
static const struct model_span *find_parent(const struct store_model *model,
                                            const struct model_span *child,
                                            uint64_t start_unix_ns_min, uint64_t start_unix_ns_max)
{
    uint64_t earliest_ns =
        start_unix_ns_min > PARENT_LEAD_NS ? start_unix_ns_min - PARENT_LEAD_NS : 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        const struct model_span *span = &model->spans[i];
        if (bb_trace_id_equals(&span->ref.trace_id, &child->ref.trace_id) &&
            bb_span_id_equals(&span->ref.span_id, &child->ref.parent_span_id) &&
            span->ref.start_unix_ns >= earliest_ns &&
            span->ref.start_unix_ns <= start_unix_ns_max) {
            return span;
        }
    }
    return NULL;
}

struct bb_dependency *store_model_dependencies(const struct store_model *model,
                                               uint64_t start_unix_ns_min,
                                               uint64_t start_unix_ns_max, struct bb_arena *arena,
                                               uint32_t *out_count)
{
    struct bb_dependency *calls = take(arena, model->span_count, sizeof *calls);
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->span_count; i++) {
        const struct model_span *child = &model->spans[i];
        if (child->ref.start_unix_ns < start_unix_ns_min ||
            child->ref.start_unix_ns > start_unix_ns_max ||
            bb_span_id_is_zero(&child->ref.parent_span_id)) {
            continue;
        }
        const struct model_span *parent =
            find_parent(model, child, start_unix_ns_min, start_unix_ns_max);
        if (parent != NULL &&
            !bb_slice_equals(parent->resource.service_name, child->resource.service_name)) {
            count_call(calls, &count, parent->resource.service_name, child->resource.service_name,
                       child->ref.status_code == BB_STATUS_ERROR);
        }
    }
    qsort(calls, count, sizeof *calls, compare_dependencies);
    *out_count = count;
    return calls;
}
