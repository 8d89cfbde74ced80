/*
 * fuzz_otlp_walk.c - any bytes as an ExportTraceServiceRequest. What must hold:
 *
 *   - the walk refuses them, or gives spans whose slices lie inside the bytes or the arena;
 *   - the counts add up: by reason, and with the spans that the envelope names;
 *   - what is accepted encodes to bytes that walk to the same spans, none rejected;
 *   - every view of an accepted span stays inside it, and bb_otlp_read_span agrees with the walk;
 *   - the views stay inside bytes that were never accepted, too.
 */
#include "tests/fuzz/fuzz_target.h"

#include <string.h>

#include "common/check.h"
#include "common/otlp_view.h"
#include "common/otlp_walk.h"
#include "common/utf8.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define TEXT_BYTES_MAX ((size_t)64 << 20)

static void check_inside(struct bb_slice outer, struct bb_slice inner)
{
    if (inner.size > 0) {
        BB_ASSERT(inner.data >= outer.data);
        BB_ASSERT(inner.data + inner.size <= outer.data + outer.size);
    }
}

static void check_attributes(struct bb_slice message, uint32_t number, bool is_accepted,
                             struct bb_buf *text)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        check_inside(message, attribute.key);
        check_inside(message, attribute.value.bytes);
        BB_ASSERT(!is_accepted || bb_utf8_is_valid(attribute.key));
        bb_buf_clear(text);
        bb_value_append_text(&attribute.value, text);
        BB_ASSERT(bb_buf_err(text) == BB_OK);
        BB_ASSERT(!is_accepted || bb_utf8_is_valid(bb_buf_slice(text)));
    }
}

/* Reads all of a span; `is_accepted` when the walk has taken it. */
static void check_views(struct bb_slice bytes, bool is_accepted, struct bb_buf *text)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_span_view span;
    struct bb_event_view event;
    struct bb_link_view link;

    bb_span_view_read(bytes, &span);
    check_inside(bytes, span.trace_id);
    check_inside(bytes, span.span_id);
    check_inside(bytes, span.parent_span_id);
    check_inside(bytes, span.trace_state);
    check_inside(bytes, span.name);
    check_inside(bytes, span.status_message);
    check_attributes(bytes, BB_F_SPAN_ATTRIBUTES, is_accepted, text);
    while (bb_event_next(&reader, &event)) {
        check_inside(bytes, event.bytes);
        check_inside(event.bytes, event.name);
        check_attributes(event.bytes, BB_F_EVENT_ATTRIBUTES, is_accepted, text);
    }
    reader = bb_pb_reader_of(bytes);
    while (bb_link_next(&reader, &link)) {
        check_inside(bytes, link.bytes);
        check_inside(link.bytes, link.trace_state);
        BB_ASSERT(!is_accepted || link.trace_id.size == 0 || link.trace_id.size == 16);
        BB_ASSERT(!is_accepted || link.span_id.size == 0 || link.span_id.size == 8);
        check_attributes(link.bytes, BB_F_LINK_ATTRIBUTES, is_accepted, text);
    }
}

static void check_same(const struct bb_span_ref *a, const struct bb_span_ref *b)
{
    BB_ASSERT(bb_trace_id_equals(&a->trace_id, &b->trace_id));
    BB_ASSERT(bb_span_id_equals(&a->span_id, &b->span_id));
    BB_ASSERT(bb_span_id_equals(&a->parent_span_id, &b->parent_span_id));
    BB_ASSERT(a->start_unix_ns == b->start_unix_ns && a->end_unix_ns == b->end_unix_ns);
    BB_ASSERT(a->kind == b->kind && a->status_code == b->status_code);
    BB_ASSERT(bb_slice_equals(a->name, b->name));
    BB_ASSERT(bb_slice_equals(a->bytes, b->bytes));
}

static void check_span(struct bb_slice wire, const struct bb_span_batch *batch,
                       const struct bb_span_ref *span, struct bb_buf *text)
{
    struct bb_span_ref read;
    struct bb_span_view view;

    check_inside(wire, span->bytes);
    check_inside(span->bytes, span->name);
    BB_ASSERT(span->resource_index < batch->resource_count);
    BB_ASSERT(span->scope_index < batch->scope_count);
    BB_ASSERT(!bb_trace_id_is_zero(&span->trace_id) && !bb_span_id_is_zero(&span->span_id));
    BB_ASSERT(bb_otlp_read_span(span->bytes, &read) == BB_OK);
    check_same(&read, span);
    bb_span_view_read(span->bytes, &view);
    BB_ASSERT(bb_slice_equals(view.trace_id, bb_slice_of(span->trace_id.bytes, 16)));
    BB_ASSERT(bb_slice_equals(view.name, span->name) && bb_utf8_is_valid(view.name));
    BB_ASSERT(view.kind == span->kind || span->kind == BB_KIND_UNSPECIFIED);
    BB_ASSERT(view.status_code == span->status_code || span->status_code == BB_STATUS_UNSET);
    check_views(span->bytes, true, text);
}

static void check_encoding(const struct bb_span_batch *batch)
{
    struct bb_arena arena;
    struct bb_buf encoded;
    struct bb_walk_result again;

    bb_arena_init(&arena, ARENA_BYTES);
    bb_buf_init(&encoded, TEXT_BYTES_MAX);
    bb_span_batch_encode(batch, &encoded);
    BB_ASSERT(bb_buf_err(&encoded) == BB_OK);
    BB_ASSERT(bb_otlp_walk(bb_buf_slice(&encoded), &arena, NULL, &again) == BB_OK);
    BB_ASSERT(again.rejected_count == 0 && again.batch.span_count == batch->span_count);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct bb_span_ref *a = &batch->spans[i];
        const struct bb_span_ref *b = &again.batch.spans[i];
        const struct bb_resource_ref *ra = &batch->resources[a->resource_index];
        const struct bb_resource_ref *rb = &again.batch.resources[b->resource_index];
        const struct bb_scope_ref *sa = &batch->scopes[a->scope_index];
        const struct bb_scope_ref *sb = &again.batch.scopes[b->scope_index];
        check_same(a, b);
        BB_ASSERT(bb_slice_equals(ra->bytes, rb->bytes) && bb_slice_equals(sa->bytes, sb->bytes));
        BB_ASSERT(bb_slice_equals(ra->schema_url, rb->schema_url));
        BB_ASSERT(bb_slice_equals(sa->schema_url, sb->schema_url));
        BB_ASSERT(bb_slice_equals(ra->service_name, rb->service_name));
    }
    bb_buf_dispose(&encoded);
    bb_arena_dispose(&arena);
}

static void check_accepted(struct bb_slice wire, const struct bb_walk_result *result,
                           struct bb_buf *text)
{
    uint64_t by_reason = 0;

    for (int reason = 0; reason < BB_REJECT_COUNT_OF; reason++) {
        by_reason += result->rejected_by_reason[reason];
    }
    BB_ASSERT(by_reason == result->rejected_count);
    BB_ASSERT((result->first_rejection.text[0] != '\0') == (result->rejected_count > 0));
    for (uint32_t i = 0; i < result->batch.span_count; i++) {
        check_span(wire, &result->batch, &result->batch.spans[i], text);
    }
    for (uint32_t i = 0; i < result->batch.resource_count; i++) {
        const struct bb_resource_ref *resource = &result->batch.resources[i];
        check_inside(resource->bytes, resource->service_name);
        check_inside(wire, resource->schema_url);
        check_attributes(resource->bytes, BB_F_RESOURCE_ATTRIBUTES, true, text);
    }
    for (uint32_t i = 0; i < result->batch.scope_count; i++) {
        const struct bb_scope_ref *scope = &result->batch.scopes[i];
        struct bb_scope_view view;
        bb_scope_view_read(scope->bytes, &view);
        check_inside(scope->bytes, view.name);
        check_attributes(scope->bytes, BB_F_SCOPE_ATTRIBUTES, true, text);
    }
    check_encoding(&result->batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bb_slice wire = bb_slice_of(data, size);
    struct bb_err_detail detail = {{0}};
    struct bb_walk_result result;
    struct bb_arena arena;
    struct bb_buf text;

    bb_arena_init(&arena, ARENA_BYTES);
    bb_buf_init(&text, TEXT_BYTES_MAX);
    enum bb_err err = bb_otlp_walk(wire, &arena, &detail, &result);
    if (err == BB_OK) {
        check_accepted(wire, &result, &text);
    } else {
        BB_ASSERT(err == BB_EINVAL || err == BB_ETOOBIG || err == BB_ENOMEM);
        BB_ASSERT(detail.text[0] != '\0');
    }
    check_views(wire, false, &text); /* as if the bytes were a span's */
    bb_buf_dispose(&text);
    bb_arena_dispose(&arena);
    return 0;
}
