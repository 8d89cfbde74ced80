#include "collector/jaeger_wire.h"

#include <inttypes.h>
#include <stdio.h>

bool bb_jaeger_fail(struct bb_jaeger_transcoder *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->what, sizeof t->what, format, args);
    va_end(args);
    bb_field_path_clear(&t->path);
    return false;
}

bool bb_jaeger_at_field(struct bb_jaeger_transcoder *t, const char *name, int64_t index)
{
    bb_field_path_prepend(&t->path, name, index);
    return false;
}

bool bb_jaeger_is_fatal(const struct bb_jaeger_transcoder *t)
{
    return t->err != BB_OK || bb_buf_err(t->out) != BB_OK;
}

bool bb_jaeger_fail_in_arena(struct bb_jaeger_transcoder *t)
{
    t->err = BB_ETOOBIG;
    return bb_jaeger_fail(t, "the request takes too much memory");
}

bool bb_jaeger_check_type(struct bb_jaeger_transcoder *t, const struct bb_pb_field *field,
                          enum bb_pb_type type)
{
    return BB_LIKELY(field->type == type) || bb_jaeger_fail(t, "has the wrong wire type");
}

bool bb_jaeger_check_end(struct bb_jaeger_transcoder *t, const struct bb_pb_reader *reader)
{
    return BB_LIKELY(!reader->malformed) || bb_jaeger_fail(t, "malformed protobuf");
}

bool bb_jaeger_merge(struct bb_jaeger_transcoder *t, struct bb_jaeger_process *process,
                     struct bb_slice more)
{
    struct bb_slice have = process->bytes;

    process->is_set = true;
    if (have.size == 0 || more.size == 0) {
        process->bytes = have.size == 0 ? more : have;
        return true;
    }
    uint8_t *both = bb_arena_try_alloc(t->arena, have.size + more.size);
    if (both == NULL) {
        return bb_jaeger_fail_in_arena(t);
    }
    memcpy(both, have.data, have.size);
    memcpy(both + have.size, more.data, more.size);
    process->bytes = bb_slice_of(both, have.size + more.size);
    return true;
}

bool bb_jaeger_read_moment(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                           struct bb_jaeger_moment *out_moment)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message->bytes);
    struct bb_pb_field field;

    if (!bb_jaeger_check_type(t, message, BB_PB_BYTES)) {
        return false;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_MOMENT_SECONDS) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_VARINT)) {
                return bb_jaeger_at_field(t, "seconds", -1);
            }
            out_moment->seconds = (int64_t)field.value;
        } else if (field.number == BB_JF_MOMENT_NANOS) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_VARINT)) {
                return bb_jaeger_at_field(t, "nanos", -1);
            }
            out_moment->nanos = (int32_t)(uint32_t)field.value;
        }
    }
    return bb_jaeger_check_end(t, &reader);
}

/* Ids come as bytes, most significant first; old clients send trace ids of 8. */
static bool read_trace_id(struct bb_jaeger_transcoder *t, struct bb_slice bytes,
                          struct bb_trace_id *out_id)
{
    if (bytes.size != BB_TRACE_ID_SIZE && bytes.size != BB_TRACE_ID_SIZE / 2) {
        return bb_jaeger_fail(t, "must be 16 bytes, is %zu", bytes.size);
    }
    *out_id = (struct bb_trace_id){{0}};
    memcpy(out_id->bytes + BB_TRACE_ID_SIZE - bytes.size, bytes.data, bytes.size);
    return true;
}

static bool read_span_id(struct bb_jaeger_transcoder *t, struct bb_slice bytes,
                         struct bb_span_id *out_id)
{
    if (bytes.size != BB_SPAN_ID_SIZE) {
        return bb_jaeger_fail(t, "must be 8 bytes, is %zu", bytes.size);
    }
    memcpy(out_id->bytes, bytes.data, BB_SPAN_ID_SIZE);
    return true;
}

static bool read_tag_field(struct bb_jaeger_transcoder *t, const struct bb_pb_field *field,
                           struct bb_jaeger_tag *tag)
{
    switch (field->number) {
    case BB_JF_TAG_KEY:
        tag->key = field->bytes;
        return bb_jaeger_check_type(t, field, BB_PB_BYTES) || bb_jaeger_at_field(t, "key", -1);
    case BB_JF_TAG_TYPE:
        tag->type = field->value;
        return bb_jaeger_check_type(t, field, BB_PB_VARINT) || bb_jaeger_at_field(t, "v_type", -1);
    case BB_JF_TAG_STRING:
        tag->text = field->bytes;
        return bb_jaeger_check_type(t, field, BB_PB_BYTES) || bb_jaeger_at_field(t, "v_str", -1);
    case BB_JF_TAG_BOOL:
        tag->boolean = field->value != 0;
        return bb_jaeger_check_type(t, field, BB_PB_VARINT) || bb_jaeger_at_field(t, "v_bool", -1);
    case BB_JF_TAG_INT64:
        tag->integer = field->value;
        return bb_jaeger_check_type(t, field, BB_PB_VARINT) || bb_jaeger_at_field(t, "v_int64", -1);
    case BB_JF_TAG_FLOAT64:
        tag->float64_bits = field->value;
        return bb_jaeger_check_type(t, field, BB_PB_FIXED64) ||
               bb_jaeger_at_field(t, "v_float64", -1);
    case BB_JF_TAG_BINARY:
        tag->binary = field->bytes;
        return bb_jaeger_check_type(t, field, BB_PB_BYTES) || bb_jaeger_at_field(t, "v_binary", -1);
    default:
        return true;
    }
}

bool bb_jaeger_read_tag(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                        struct bb_jaeger_tag *out_tag)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message->bytes);
    struct bb_pb_field field;

    *out_tag = (struct bb_jaeger_tag){0};
    if (!bb_jaeger_check_type(t, message, BB_PB_BYTES)) {
        return false;
    }
    while (bb_pb_next(&reader, &field)) {
        if (!read_tag_field(t, &field, out_tag)) {
            return false;
        }
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return false;
    }
    if (out_tag->type >= BB_JAEGER_TYPE_COUNT) {
        bb_jaeger_fail(t, "must be 0 to 4, is %" PRIu64, out_tag->type);
        return bb_jaeger_at_field(t, "v_type", -1);
    }
    return true;
}

enum bb_jaeger_special_key bb_jaeger_special_key_of(struct bb_slice key)
{
    static const struct {
        const char *text;
        size_t size;
    } keys[] = {
#define SPECIAL_KEY(name, key) [name] = {key, sizeof(key) - 1},
        BB_JAEGER_KEY_LIST(SPECIAL_KEY)
#undef SPECIAL_KEY
    };
    enum bb_jaeger_special_key special = 0;

    while (special < BB_JAEGER_KEY_COUNT && (key.size != keys[special].size ||
                                             memcmp(key.data, keys[special].text, key.size) != 0)) {
        special++;
    }
    return special;
}

static bool note_tag(struct bb_jaeger_transcoder *t, const struct bb_pb_field *field,
                     uint32_t index, struct bb_jaeger_span *span)
{
    struct bb_jaeger_tag tag;

    if (!bb_jaeger_read_tag(t, field, &tag)) {
        return bb_jaeger_at_field(t, "tags", index);
    }
    enum bb_jaeger_special_key special = bb_jaeger_special_key_of(tag.key);
    if (special < BB_JAEGER_KEY_COUNT && !span->specials[special].is_found) {
        span->specials[special] =
            (struct bb_jaeger_special){.tag = tag, .index = index, .is_found = true};
    }
    return true;
}

static bool read_span_field(struct bb_jaeger_transcoder *t, const struct bb_pb_field *field,
                            uint32_t *tag_count, struct bb_jaeger_span *span)
{
    switch (field->number) {
    case BB_JF_SPAN_TRACE_ID:
        return (bb_jaeger_check_type(t, field, BB_PB_BYTES) &&
                read_trace_id(t, field->bytes, &span->trace_id)) ||
               bb_jaeger_at_field(t, "trace_id", -1);
    case BB_JF_SPAN_SPAN_ID:
        return (bb_jaeger_check_type(t, field, BB_PB_BYTES) &&
                read_span_id(t, field->bytes, &span->span_id)) ||
               bb_jaeger_at_field(t, "span_id", -1);
    case BB_JF_SPAN_OPERATION_NAME:
        span->name = field->bytes;
        return bb_jaeger_check_type(t, field, BB_PB_BYTES) ||
               bb_jaeger_at_field(t, "operation_name", -1);
    case BB_JF_SPAN_FLAGS:
        span->flags = (uint32_t)field->value;
        return bb_jaeger_check_type(t, field, BB_PB_VARINT) || bb_jaeger_at_field(t, "flags", -1);
    case BB_JF_SPAN_START_TIME:
        return bb_jaeger_read_moment(t, field, &span->start) ||
               bb_jaeger_at_field(t, "start_time", -1);
    case BB_JF_SPAN_DURATION:
        return bb_jaeger_read_moment(t, field, &span->duration) ||
               bb_jaeger_at_field(t, "duration", -1);
    case BB_JF_SPAN_TAGS:
        return note_tag(t, field, (*tag_count)++, span);
    case BB_JF_SPAN_PROCESS:
        return (bb_jaeger_check_type(t, field, BB_PB_BYTES) &&
                bb_jaeger_merge(t, &span->process, field->bytes)) ||
               bb_jaeger_at_field(t, "process", -1);
    case BB_JF_SPAN_PROCESS_ID:
        span->process_id = field->bytes;
        return bb_jaeger_check_type(t, field, BB_PB_BYTES) ||
               bb_jaeger_at_field(t, "process_id", -1);
    default:
        return true;
    }
}

bool bb_jaeger_read_span(struct bb_jaeger_transcoder *t, struct bb_slice bytes,
                         struct bb_jaeger_span *out_span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint32_t tag_count = 0;

    *out_span = (struct bb_jaeger_span){.bytes = bytes};
    while (bb_pb_next(&reader, &field)) {
        if (!read_span_field(t, &field, &tag_count, out_span)) {
            return false;
        }
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return false;
    }
    if (bb_trace_id_is_zero(&out_span->trace_id)) {
        bb_jaeger_fail(t, "must be there, and not all zeros");
        return bb_jaeger_at_field(t, "trace_id", -1);
    }
    if (bb_span_id_is_zero(&out_span->span_id)) {
        bb_jaeger_fail(t, "must be there, and not all zeros");
        return bb_jaeger_at_field(t, "span_id", -1);
    }
    return true;
}

bool bb_jaeger_read_reference(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                              struct bb_jaeger_reference *out_reference)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message->bytes);
    struct bb_slice trace_id = {0};
    struct bb_slice span_id = {0};
    struct bb_pb_field field;

    *out_reference = (struct bb_jaeger_reference){0};
    if (!bb_jaeger_check_type(t, message, BB_PB_BYTES)) {
        return false;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_REF_TRACE_ID) {
            trace_id = field.bytes;
        } else if (field.number == BB_JF_REF_SPAN_ID) {
            span_id = field.bytes;
        } else if (field.number == BB_JF_REF_TYPE) {
            if (!bb_jaeger_check_type(t, &field, BB_PB_VARINT)) {
                return bb_jaeger_at_field(t, "ref_type", -1);
            }
            out_reference->type = field.value;
        }
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return false;
    }
    if (out_reference->type >= BB_JAEGER_REF_COUNT) {
        bb_jaeger_fail(t, "must be 0 or 1, is %" PRIu64, out_reference->type);
        return bb_jaeger_at_field(t, "ref_type", -1);
    }
    out_reference->is_nothing = out_reference->type == BB_JAEGER_REF_CHILD_OF && span_id.size == 0;
    if (out_reference->is_nothing) {
        return true;
    }
    if (!read_span_id(t, span_id, &out_reference->span_id)) {
        return bb_jaeger_at_field(t, "span_id", -1);
    }
    out_reference->is_nothing = out_reference->type == BB_JAEGER_REF_CHILD_OF &&
                                bb_span_id_is_zero(&out_reference->span_id);
    if (!out_reference->is_nothing && !read_trace_id(t, trace_id, &out_reference->trace_id)) {
        return bb_jaeger_at_field(t, "trace_id", -1);
    }
    return true;
}
