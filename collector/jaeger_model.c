/*
 * jaeger_model.c - see jaeger_model.h.
 *
 *   1. Gather: each span of the batch is read once for what it is grouped by. Spans that can't be
 *      read, or have no ids, are left out here.
 *   2. Sort by process, then by scope. Jaeger has both on each span; OTLP has them once for all.
 *   3. Write: one ResourceSpans a process, one ScopeSpans a scope. A span that turns out bad is cut
 *      off the output again.
 */
#include "collector/jaeger_model.h"

#include <stdlib.h>

#include "collector/jaeger_span.h"
#include "collector/jaeger_wire.h"
#include "common/limits.h"
#include "common/otlp_fields.h"

/* The service name that OpenTelemetry's translator writes for a resource that has none. */
#define NO_SERVICE_NAME "OTLPResourceNoServiceName"

/* The smallest span that can be taken: both ids, with their tags and lengths. */
#define SPAN_SIZE_MIN (2 + 8 + 2 + BB_SPAN_ID_SIZE)

/* What spans are grouped by. */
struct entry {
    struct bb_slice bytes;
    struct bb_jaeger_process process;
    struct bb_slice scope_name;
    struct bb_slice scope_version;
    uint32_t index; /* in the batch */
    bool is_own;    /* the process stood on the span, not on the batch */
};

/* Counts spans that failed; the path starts at the batch. */
BB_COLD static void leave_out(struct bb_jaeger_transcoder *t, uint64_t span_count)
{
    if (t->left_out->span_count == 0) {
        bb_err_set(&t->left_out->first, BB_EINVAL, "batch.%s: %s", bb_field_path_text(&t->path),
                   t->what);
    }
    t->left_out->span_count += span_count;
}

static bool write_span(struct bb_jaeger_transcoder *t, const struct entry *entry)
{
    struct bb_jaeger_span span;
    size_t size = t->out->size;
    size_t mark = bb_pb_begin_message(t->out, BB_F_SCOPE_SPANS_SPANS);

    if (bb_jaeger_read_span(t, entry->bytes, &span) && bb_jaeger_write_span(t, &span)) {
        bb_pb_end_message(t->out, mark);
        return true;
    }
    t->out->size = size;
    if (!bb_jaeger_is_fatal(t)) {
        bb_jaeger_at_field(t, "spans", entry->index);
        leave_out(t, 1);
    }
    return false;
}

static bool write_resource(struct bb_jaeger_transcoder *t, struct bb_slice process)
{
    struct bb_pb_reader reader = bb_pb_reader_of(process);
    struct bb_slice service_name = {0};
    struct bb_pb_field field;
    int64_t index = 0;
    struct bb_jaeger_tag tag;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_PROCESS_SERVICE_NAME) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_BYTES)) {
                return bb_jaeger_at_field(t, "service_name", -1);
            }
            service_name = field.bytes;
        }
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return false;
    }
    size_t mark = bb_pb_begin_message(t->out, BB_F_RESOURCE_SPANS_RESOURCE);
    if (service_name.size > 0 && !bb_slice_equals_cstr(service_name, NO_SERVICE_NAME)) {
        bb_jaeger_write_text_attribute(t->out, BB_F_RESOURCE_ATTRIBUTES, "service.name",
                                       service_name);
    }
    for (reader = bb_pb_reader_of(process); bb_pb_next(&reader, &field);) {
        if (field.number != BB_JF_PROCESS_TAGS) {
            continue;
        }
        if (!bb_jaeger_read_tag(t, &field, &tag)) {
            return bb_jaeger_at_field(t, "tags", index);
        }
        bool is_said = bb_slice_equals_cstr(tag.key, "service.name") &&
                       tag.type == BB_JAEGER_TYPE_STRING && bb_slice_equals(tag.text, service_name);
        if (!is_said) {
            bb_jaeger_write_attribute(t->out, BB_F_RESOURCE_ATTRIBUTES, &tag);
        }
        index++;
    }
    bb_pb_end_message(t->out, mark);
    return true;
}

/* The spans of one process and one scope. Leaves nothing when none of them is good. */
static size_t write_scope_spans(struct bb_jaeger_transcoder *t, const struct entry *entries,
                                size_t count)
{
    struct bb_buf *out = t->out;
    size_t size = out->size;
    size_t good_count = 0;
    size_t mark = bb_pb_begin_message(out, BB_F_RESOURCE_SPANS_SCOPE_SPANS);

    if (entries[0].scope_name.size > 0) {
        size_t scope = bb_pb_begin_message(out, BB_F_SCOPE_SPANS_SCOPE);
        bb_pb_write_bytes(out, BB_F_SCOPE_NAME, entries[0].scope_name);
        if (entries[0].scope_version.size > 0) {
            bb_pb_write_bytes(out, BB_F_SCOPE_VERSION, entries[0].scope_version);
        }
        bb_pb_end_message(out, scope);
    }
    for (size_t i = 0; i < count && !bb_jaeger_is_fatal(t); i++) {
        good_count += write_span(t, &entries[i]);
    }
    if (good_count == 0) {
        out->size = size;
    } else {
        bb_pb_end_message(out, mark);
    }
    return good_count;
}

static int compare_slices(struct bb_slice a, struct bb_slice b)
{
    /* Most spans share the batch's process: the very same bytes. */
    return a.data == b.data && a.size == b.size ? 0 : bb_slice_compare(a, b);
}

static int compare_processes(const struct entry *a, const struct entry *b)
{
    if (a->process.is_set != b->process.is_set) {
        return a->process.is_set ? 1 : -1;
    }
    return compare_slices(a->process.bytes, b->process.bytes);
}

static int compare_scopes(const struct entry *a, const struct entry *b)
{
    int order = compare_slices(a->scope_name, b->scope_name);

    return order != 0 ? order : compare_slices(a->scope_version, b->scope_version);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = compare_processes(a, b);

    if (order == 0) {
        order = compare_scopes(a, b);
    }
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* The spans of one process. */
static void write_resource_spans(struct bb_jaeger_transcoder *t, const struct entry *entries,
                                 size_t count)
{
    size_t size = t->out->size;
    size_t good_count = 0;
    size_t mark = bb_pb_begin_message(t->out, BB_F_REQUEST_RESOURCE_SPANS);

    if (entries[0].process.is_set && !write_resource(t, entries[0].process.bytes)) {
        t->out->size = size;
        bb_jaeger_at_field(t, "process", -1);
        if (entries[0].is_own) {
            bb_jaeger_at_field(t, "spans", entries[0].index);
        }
        leave_out(t, count);
        return;
    }
    for (size_t i = 0, end; i < count && !bb_jaeger_is_fatal(t); i = end) {
        for (end = i + 1; end < count && compare_scopes(&entries[i], &entries[end]) == 0;) {
            end++;
        }
        good_count += write_scope_spans(t, &entries[i], end - i);
    }
    if (good_count == 0) {
        t->out->size = size;
    } else {
        bb_pb_end_message(t->out, mark);
    }
}

/* The batch's own process, and how many of its spans are large enough to be any. */
static bool read_batch(struct bb_jaeger_transcoder *t, struct bb_slice bytes,
                       struct bb_jaeger_process *process, size_t *span_count)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    int64_t index = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_BATCH_PROCESS) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_BYTES) ||
                !bb_jaeger_merge(t, process, field.bytes)) {
                return bb_jaeger_at_field(t, "process", -1);
            }
        } else if (field.number == BB_JF_BATCH_SPANS) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_BYTES)) {
                return bb_jaeger_at_field(t, "spans", index);
            }
            *span_count += field.bytes.size >= SPAN_SIZE_MIN;
            index++;
        }
    }
    return bb_jaeger_check_end(t, &reader);
}

/* One entry for each readable span of a batch, behind the `*count` that are there. */
static bool gather(struct bb_jaeger_transcoder *t, struct bb_slice batch,
                   const struct bb_jaeger_process *process, uint32_t *index, struct entry *entries,
                   size_t *count)
{
    struct bb_pb_reader reader = bb_pb_reader_of(batch);
    struct bb_pb_field field;
    struct bb_jaeger_span span;

    for (; bb_pb_next(&reader, &field); *index += field.number == BB_JF_BATCH_SPANS) {
        if (field.number != BB_JF_BATCH_SPANS) {
            continue;
        }
        if (!bb_jaeger_read_span(t, field.bytes, &span)) {
            if (bb_jaeger_is_fatal(t)) {
                return false;
            }
            bb_jaeger_at_field(t, "spans", *index);
            leave_out(t, 1);
            continue;
        }
        struct entry *entry = &entries[(*count)++];
        *entry = (struct entry){
            .bytes = field.bytes,
            .process = span.process.is_set ? span.process : *process,
            .index = *index,
            .is_own = span.process.is_set,
        };
        bb_jaeger_take_scope(&span, &entry->scope_name, &entry->scope_version);
    }
    return true;
}

static bool write_request(struct bb_jaeger_transcoder *t, struct bb_slice request)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    struct bb_jaeger_process process = {0};
    struct bb_pb_field field;
    size_t span_count = 0;
    size_t count = 0;
    uint32_t index = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_REQUEST_BATCH &&
            (!bb_jaeger_check_type(t, &field, BB_PB_BYTES) ||
             !read_batch(t, field.bytes, &process, &span_count))) {
            return bb_jaeger_at_field(t, "batch", -1);
        }
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return bb_jaeger_at_field(t, "request", -1);
    }
    if (span_count > BB_REQUEST_SPANS_MAX) {
        t->err = BB_ETOOBIG;
        bb_jaeger_fail(t, "must be %u spans at most, has %zu", BB_REQUEST_SPANS_MAX, span_count);
        return bb_jaeger_at_field(t, "batch.spans", -1);
    }
    struct entry *entries = bb_arena_try_calloc(t->arena, span_count, sizeof *entries);
    if (entries == NULL) {
        return bb_jaeger_fail_in_arena(t) || bb_jaeger_at_field(t, "batch.spans", -1);
    }
    for (reader = bb_pb_reader_of(request); bb_pb_next(&reader, &field);) {
        if (field.number == BB_JF_REQUEST_BATCH &&
            !gather(t, field.bytes, &process, &index, entries, &count)) {
            return bb_jaeger_at_field(t, "batch", -1);
        }
    }
    if (count > 0) {
        qsort(entries, count, sizeof *entries, compare_entries);
    }
    for (size_t i = 0, end; i < count && !bb_jaeger_is_fatal(t); i = end) {
        for (end = i + 1; end < count && compare_processes(&entries[i], &entries[end]) == 0;) {
            end++;
        }
        write_resource_spans(t, &entries[i], end - i);
    }
    return !bb_jaeger_is_fatal(t);
}

enum bb_err bb_jaeger_to_otlp(struct bb_slice post_spans_request, struct bb_arena *arena,
                              struct bb_buf *out, struct bb_left_out *left_out,
                              struct bb_err_detail *detail)
{
    struct bb_jaeger_transcoder t = {.arena = arena, .out = out, .left_out = left_out};
    struct bb_left_out before = *left_out;
    size_t size = out->size;

    bb_field_path_clear(&t.path);
    if (write_request(&t, post_spans_request)) {
        return BB_OK;
    }
    out->size = size;
    *left_out = before;
    if (bb_buf_err(out) != BB_OK) {
        return bb_err_set(detail, bb_buf_err(out), "the request is too large as OTLP");
    }
    return bb_err_set(detail, t.err != BB_OK ? t.err : BB_EINVAL, "%s: %s",
                      bb_field_path_text(&t.path), t.what);
}
