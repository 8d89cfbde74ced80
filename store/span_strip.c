#include "store/span_strip.h"

#include "common/pb_wire.h"

/* The stripped fields numbered from `*next` to `last`, in order. */
static void put_fields(uint8_t flags, const struct bb_span_ref *span, uint32_t *next,
                       uint32_t last, struct bb_buf *out)
{
    for (; *next <= last; (*next)++) {
        switch (*next) {
        case BB_F_SPAN_TRACE_ID:
            bb_pb_write_bytes(out, *next, bb_slice_of(span->trace_id.bytes, BB_TRACE_ID_SIZE));
            break;
        case BB_F_SPAN_SPAN_ID:
            bb_pb_write_bytes(out, *next, bb_slice_of(span->span_id.bytes, BB_SPAN_ID_SIZE));
            break;
        case BB_F_SPAN_PARENT_SPAN_ID:
            if ((flags & BB_STRIP_PARENT) != 0) {
                bb_pb_write_bytes(out, *next,
                                  bb_slice_of(span->parent_span_id.bytes, BB_SPAN_ID_SIZE));
            }
            break;
        case BB_F_SPAN_NAME:
            if ((flags & BB_STRIP_NAME) != 0) {
                bb_pb_write_bytes(out, *next, span->name);
            }
            break;
        case BB_F_SPAN_KIND:
            if ((flags & BB_STRIP_KIND) != 0) {
                bb_pb_write_uint(out, *next, span->kind);
            }
            break;
        case BB_F_SPAN_START_TIME_UNIX_NANO:
            if ((flags & BB_STRIP_START) != 0) {
                bb_pb_write_fixed64(out, *next, span->start_unix_ns);
            }
            break;
        case BB_F_SPAN_END_TIME_UNIX_NANO:
            if ((flags & BB_STRIP_END) != 0) {
                bb_pb_write_fixed64(out, *next, span->end_unix_ns);
            }
            break;
        default:
            break;
        }
    }
}

/* The flag of a field that is stripped; 0 for one that stays. */
static uint8_t flag_of(const struct bb_pb_field *field)
{
    switch (field->number) {
    case BB_F_SPAN_TRACE_ID:
    case BB_F_SPAN_SPAN_ID:
        return BB_STRIP_IDS;
    case BB_F_SPAN_PARENT_SPAN_ID:
        return field->bytes.size == BB_SPAN_ID_SIZE ? BB_STRIP_PARENT : 0;
    case BB_F_SPAN_NAME:
        return BB_STRIP_NAME;
    case BB_F_SPAN_KIND:
        return BB_STRIP_KIND;
    case BB_F_SPAN_START_TIME_UNIX_NANO:
        return BB_STRIP_START;
    case BB_F_SPAN_END_TIME_UNIX_NANO:
        return BB_STRIP_END;
    default:
        return 0;
    }
}

void bb_span_restore(uint8_t flags, struct bb_slice left, const struct bb_span_ref *span,
                     struct bb_buf *out)
{
    struct bb_pb_reader reader = bb_pb_reader_of(left);
    uint32_t next = BB_F_SPAN_TRACE_ID;
    struct bb_pb_field field;

    if (flags == BB_STRIP_WHOLE) {
        bb_buf_append_slice(out, left);
        return;
    }
    /* Whatever stays lies before the ids' group, inside it (trace state) or behind it. */
    const uint8_t *from = reader.next;
    while (next <= BB_F_SPAN_END_TIME_UNIX_NANO && bb_pb_next(&reader, &field)) {
        if (field.number > next) {
            uint32_t last = field.number - 1;
            put_fields(flags, span, &next,
                       last < BB_F_SPAN_END_TIME_UNIX_NANO ? last : BB_F_SPAN_END_TIME_UNIX_NANO,
                       out);
        }
        bb_buf_append(out, from, (size_t)(reader.next - from));
        from = reader.next;
    }
    put_fields(flags, span, &next, BB_F_SPAN_END_TIME_UNIX_NANO, out);
    bb_buf_append(out, from, (size_t)(reader.end - from));
}

uint8_t bb_span_strip(const struct bb_span_ref *span, struct bb_buf *scratch, struct bb_buf *out)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    size_t size_before = out->size;
    uint8_t flags = 0;
    struct bb_pb_field field;

    const uint8_t *from = reader.next;
    while (bb_pb_next(&reader, &field)) {
        uint8_t flag = flag_of(&field);
        if (flag == 0) {
            bb_buf_append(out, from, (size_t)(reader.next - from));
        }
        flags |= flag;
        from = reader.next;
    }
    bb_buf_clear(scratch);
    if (bb_buf_err(out) == BB_OK) {
        bb_span_restore(flags, bb_slice_of(out->data + size_before, out->size - size_before), span,
                        scratch);
    }
    if (bb_buf_err(out) == BB_OK && bb_buf_err(scratch) == BB_OK &&
        bb_slice_equals(bb_buf_slice(scratch), span->bytes)) {
        return flags;
    }
    if (bb_buf_err(out) == BB_OK) {
        out->size = size_before;
        bb_buf_append_slice(out, span->bytes);
    }
    return BB_STRIP_WHOLE;
}
