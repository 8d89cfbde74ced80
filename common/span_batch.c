#include "common/span_batch.h"

#include "common/pb_wire.h"

/* The spans from `first` on that share its resource (and, if asked, its scope). */
static uint32_t run_end(const struct bb_span_batch *batch, uint32_t first, bool same_scope)
{
    uint32_t at = first;

    while (at < batch->span_count &&
           batch->spans[at].resource_index == batch->spans[first].resource_index &&
           (!same_scope || batch->spans[at].scope_index == batch->spans[first].scope_index)) {
        at++;
    }
    return at;
}

static size_t scope_spans_size(const struct bb_span_batch *batch, uint32_t first, uint32_t end)
{
    const struct bb_scope_ref *scope = &batch->scopes[batch->spans[first].scope_index];
    size_t size = 0;

    if (scope->bytes.size > 0) {
        size += bb_pb_bytes_field_size(BB_F_SCOPE_SPANS_SCOPE, scope->bytes.size);
    }
    if (scope->schema_url.size > 0) {
        size += bb_pb_bytes_field_size(BB_F_SCOPE_SPANS_SCHEMA_URL, scope->schema_url.size);
    }
    for (uint32_t i = first; i < end; i++) {
        size += bb_pb_bytes_field_size(BB_F_SCOPE_SPANS_SPANS, batch->spans[i].bytes.size);
    }
    return size;
}

static void write_scope_spans(const struct bb_span_batch *batch, uint32_t first, uint32_t end,
                              struct bb_buf *out)
{
    const struct bb_scope_ref *scope = &batch->scopes[batch->spans[first].scope_index];

    bb_pb_write_tag(out, BB_F_RESOURCE_SPANS_SCOPE_SPANS, BB_PB_BYTES);
    bb_pb_write_varint(out, scope_spans_size(batch, first, end));
    if (scope->bytes.size > 0) {
        bb_pb_write_bytes(out, BB_F_SCOPE_SPANS_SCOPE, scope->bytes);
    }
    for (uint32_t i = first; i < end; i++) {
        bb_pb_write_bytes(out, BB_F_SCOPE_SPANS_SPANS, batch->spans[i].bytes);
    }
    if (scope->schema_url.size > 0) {
        bb_pb_write_bytes(out, BB_F_SCOPE_SPANS_SCHEMA_URL, scope->schema_url);
    }
}

static size_t resource_spans_size(const struct bb_span_batch *batch, uint32_t first, uint32_t end)
{
    const struct bb_resource_ref *resource = &batch->resources[batch->spans[first].resource_index];
    size_t size = 0;

    if (resource->bytes.size > 0) {
        size += bb_pb_bytes_field_size(BB_F_RESOURCE_SPANS_RESOURCE, resource->bytes.size);
    }
    if (resource->schema_url.size > 0) {
        size += bb_pb_bytes_field_size(BB_F_RESOURCE_SPANS_SCHEMA_URL, resource->schema_url.size);
    }
    for (uint32_t at = first; at < end;) {
        uint32_t scope_end = run_end(batch, at, true);
        size += bb_pb_bytes_field_size(BB_F_RESOURCE_SPANS_SCOPE_SPANS,
                                       scope_spans_size(batch, at, scope_end));
        at = scope_end;
    }
    return size;
}

void bb_span_batch_encode(const struct bb_span_batch *batch, struct bb_buf *out)
{
    for (uint32_t first = 0; first < batch->span_count;) {
        uint32_t end = run_end(batch, first, false);
        const struct bb_resource_ref *resource =
            &batch->resources[batch->spans[first].resource_index];

        bb_pb_write_tag(out, BB_F_REQUEST_RESOURCE_SPANS, BB_PB_BYTES);
        bb_pb_write_varint(out, resource_spans_size(batch, first, end));
        if (resource->bytes.size > 0) {
            bb_pb_write_bytes(out, BB_F_RESOURCE_SPANS_RESOURCE, resource->bytes);
        }
        for (uint32_t at = first; at < end;) {
            uint32_t scope_end = run_end(batch, at, true);
            write_scope_spans(batch, at, scope_end, out);
            at = scope_end;
        }
        if (resource->schema_url.size > 0) {
            bb_pb_write_bytes(out, BB_F_RESOURCE_SPANS_SCHEMA_URL, resource->schema_url);
        }
        first = end;
    }
}
