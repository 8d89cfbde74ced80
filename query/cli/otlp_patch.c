#include "query/cli/otlp_patch.h"

#include "common/bytes.h"
#include "common/limits.h"
#include "common/otlp_fields.h"
#include "common/pb_wire.h"

/* A reader over bytes that may be written to. */
struct walker {
    const struct bb_otlp_patch *patch;
    uint8_t *bytes; /* the whole request */
};

/* The bytes of `part`, which lies in the request, to be written. */
static uint8_t *writable(const struct walker *walker, const uint8_t *part)
{
    return walker->bytes + (part - walker->bytes);
}

uint64_t bb_otlp_patch_time(const struct bb_otlp_patch *patch, uint64_t unix_ns)
{
    if (unix_ns == 0 || !patch->has_shift) {
        return unix_ns;
    }
    if (unix_ns > patch->from_unix_ns) {
        uint64_t later_ns = unix_ns - patch->from_unix_ns;
        return later_ns < UINT64_MAX - patch->to_unix_ns ? patch->to_unix_ns + later_ns
                                                         : UINT64_MAX;
    }
    uint64_t earlier_ns = patch->from_unix_ns - unix_ns;
    return earlier_ns < patch->to_unix_ns ? patch->to_unix_ns - earlier_ns : 1;
}

/* Patches the fixed64 that the reader has just passed. */
static void patch_time(const struct walker *walker, const struct bb_pb_reader *reader,
                       const struct bb_pb_field *field)
{
    if (field->type == BB_PB_FIXED64) {
        bb_put_le64(writable(walker, reader->next - 8),
                    bb_otlp_patch_time(walker->patch, field->value));
    }
}

static void patch_trace_id(const struct walker *walker, const struct bb_pb_field *field)
{
    if (walker->patch->has_fresh_ids && field->bytes.size == BB_TRACE_ID_SIZE) {
        bb_id_map_trace_id(&walker->patch->ids, writable(walker, field->bytes.data));
    }
}

static void patch_span_id(const struct walker *walker, const struct bb_pb_field *field)
{
    if (walker->patch->has_fresh_ids && field->bytes.size == BB_SPAN_ID_SIZE) {
        bb_id_map_span_id(&walker->patch->ids, writable(walker, field->bytes.data));
    }
}

static void patch_value(const struct walker *walker, struct bb_slice value, unsigned depth);

/* A KeyValue. */
static void patch_pair(const struct walker *walker, struct bb_slice pair, unsigned depth)
{
    struct bb_pb_reader reader = bb_pb_reader_of(pair);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_KEY_VALUE_VALUE && field.type == BB_PB_BYTES) {
            patch_value(walker, field.bytes, depth);
        }
    }
}

/* An AnyValue. Deeper than receivers take, nothing is looked at. */
static void patch_value(const struct walker *walker, struct bb_slice value, unsigned depth)
{
    struct bb_pb_reader reader = bb_pb_reader_of(value);
    struct bb_pb_field field;

    if (depth > BB_VALUE_DEPTH_MAX) {
        return;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.type != BB_PB_BYTES) {
            continue;
        }
        if (field.number == BB_F_VALUE_STRING && field.bytes.size > 0) {
            (void)bb_id_map_uuids(&walker->patch->ids, writable(walker, field.bytes.data),
                                  field.bytes.size);
        } else if (field.number == BB_F_VALUE_ARRAY || field.number == BB_F_VALUE_KVLIST) {
            struct bb_pb_reader inner = bb_pb_reader_of(field.bytes);
            struct bb_pb_field element;
            while (bb_pb_next(&inner, &element)) {
                if (element.type == BB_PB_BYTES && field.number == BB_F_VALUE_ARRAY) {
                    patch_value(walker, element.bytes, depth + 1);
                } else if (element.type == BB_PB_BYTES) {
                    patch_pair(walker, element.bytes, depth + 1);
                }
            }
        }
    }
}

static void patch_attributes(const struct walker *walker, struct bb_slice message,
                             uint32_t field_number)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message);
    struct bb_pb_field field;

    while (walker->patch->has_fresh_ids && bb_pb_next(&reader, &field)) {
        if (field.number == field_number && field.type == BB_PB_BYTES) {
            patch_pair(walker, field.bytes, 1);
        }
    }
}

static void patch_event(const struct walker *walker, struct bb_slice event)
{
    struct bb_pb_reader reader = bb_pb_reader_of(event);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_EVENT_TIME_UNIX_NANO) {
            patch_time(walker, &reader, &field);
        }
    }
    patch_attributes(walker, event, BB_F_EVENT_ATTRIBUTES);
}

static void patch_link(const struct walker *walker, struct bb_slice link)
{
    struct bb_pb_reader reader = bb_pb_reader_of(link);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_LINK_TRACE_ID) {
            patch_trace_id(walker, &field);
        } else if (field.number == BB_F_LINK_SPAN_ID) {
            patch_span_id(walker, &field);
        }
    }
    patch_attributes(walker, link, BB_F_LINK_ATTRIBUTES);
}

static void patch_span(const struct walker *walker, struct bb_slice span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case BB_F_SPAN_TRACE_ID:
            patch_trace_id(walker, &field);
            break;
        case BB_F_SPAN_SPAN_ID:
        case BB_F_SPAN_PARENT_SPAN_ID:
            patch_span_id(walker, &field);
            break;
        case BB_F_SPAN_START_TIME_UNIX_NANO:
        case BB_F_SPAN_END_TIME_UNIX_NANO:
            patch_time(walker, &reader, &field);
            break;
        case BB_F_SPAN_EVENTS:
            patch_event(walker, field.bytes);
            break;
        case BB_F_SPAN_LINKS:
            patch_link(walker, field.bytes);
            break;
        default:
            break;
        }
    }
    patch_attributes(walker, span, BB_F_SPAN_ATTRIBUTES);
}

static enum bb_err patch_scope_spans(const struct walker *walker, struct bb_slice scope_spans)
{
    struct bb_pb_reader reader = bb_pb_reader_of(scope_spans);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_SCOPE_SPANS_SCOPE) {
            patch_attributes(walker, field.bytes, BB_F_SCOPE_ATTRIBUTES);
        } else if (field.number == BB_F_SCOPE_SPANS_SPANS) {
            patch_span(walker, field.bytes);
        }
    }
    return reader.malformed ? BB_EINVAL : BB_OK;
}

static enum bb_err patch_resource_spans(const struct walker *walker, struct bb_slice resource_spans)
{
    struct bb_pb_reader reader = bb_pb_reader_of(resource_spans);
    struct bb_pb_field field;
    enum bb_err err = BB_OK;

    while (err == BB_OK && bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_RESOURCE_SPANS_RESOURCE) {
            patch_attributes(walker, field.bytes, BB_F_RESOURCE_ATTRIBUTES);
        } else if (field.number == BB_F_RESOURCE_SPANS_SCOPE_SPANS) {
            err = patch_scope_spans(walker, field.bytes);
        }
    }
    return reader.malformed ? BB_EINVAL : err;
}

enum bb_err bb_otlp_patch_apply(const struct bb_otlp_patch *patch, uint8_t *bytes, size_t size)
{
    const struct walker walker = {.patch = patch, .bytes = bytes};
    struct bb_pb_reader reader = bb_pb_reader_of(bb_slice_of(bytes, size));
    struct bb_pb_field field;
    enum bb_err err = BB_OK;

    while (err == BB_OK && bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_REQUEST_RESOURCE_SPANS) {
            err = patch_resource_spans(&walker, field.bytes);
        }
    }
    return reader.malformed ? BB_EINVAL : err;
}

/* Reads the times of a span; damage inside of it is the receiver's to report. */
static void inspect_span(struct bb_slice span, struct bb_otlp_totals *totals)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span);
    struct bb_pb_field field;
    uint64_t start_unix_ns = 0;
    uint64_t end_unix_ns = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_SPAN_START_TIME_UNIX_NANO) {
            start_unix_ns = field.value;
        } else if (field.number == BB_F_SPAN_END_TIME_UNIX_NANO) {
            end_unix_ns = field.value;
        }
    }
    if (end_unix_ns == 0) {
        end_unix_ns = start_unix_ns;
    }
    if (end_unix_ns > totals->newest_end_unix_ns) {
        totals->newest_end_unix_ns = end_unix_ns;
    }
    totals->span_count++;
}

static enum bb_err inspect_scope_spans(struct bb_slice scope_spans, struct bb_otlp_totals *totals)
{
    struct bb_pb_reader reader = bb_pb_reader_of(scope_spans);
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_SCOPE_SPANS_SPANS) {
            inspect_span(field.bytes, totals);
        }
    }
    return reader.malformed ? BB_EINVAL : BB_OK;
}

static enum bb_err inspect_resource_spans(struct bb_slice resource_spans,
                                          struct bb_otlp_totals *totals)
{
    struct bb_pb_reader reader = bb_pb_reader_of(resource_spans);
    struct bb_pb_field field;
    enum bb_err err = BB_OK;

    while (err == BB_OK && bb_pb_next(&reader, &field)) {
        if (field.number == BB_F_RESOURCE_SPANS_SCOPE_SPANS) {
            err = inspect_scope_spans(field.bytes, totals);
        }
    }
    return reader.malformed ? BB_EINVAL : err;
}

enum bb_err bb_otlp_inspect(struct bb_slice request, struct bb_otlp_totals *out_totals)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    struct bb_pb_field field;
    struct bb_otlp_totals totals = {0};

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_F_REQUEST_RESOURCE_SPANS || field.type != BB_PB_BYTES ||
            inspect_resource_spans(field.bytes, &totals) != BB_OK) {
            return BB_EINVAL;
        }
    }
    if (reader.malformed) {
        return BB_EINVAL;
    }
    *out_totals = totals;
    return BB_OK;
}
