#include "collector/jaeger_span.h"

#include <inttypes.h>
#include <strings.h>

#include "collector/jaeger_model.h"
#include "common/otlp_fields.h"

#define JAEGER_FLAG_SAMPLED 1u
#define OTLP_FLAG_SAMPLED 1u

/* What Go writes for a time that was never set: the first second of the year 1. */
#define GO_ZERO_TIME_SECONDS INT64_C(-62135596800)

#define NANOS_PER_SECOND 1000000000

/* A moment as OTLP has it. One that was never set is 0. */
static bool unix_ns_of(struct bb_jaeger_transcoder *t, const struct bb_jaeger_moment *moment,
                       uint64_t *out_unix_ns)
{
    if (moment->seconds == GO_ZERO_TIME_SECONDS && moment->nanos == 0) {
        *out_unix_ns = 0;
        return true;
    }
    if (moment->nanos < 0 || moment->nanos >= NANOS_PER_SECOND) {
        bb_jaeger_fail(t, "must be 0 to 999999999, is %" PRId32, moment->nanos);
        return bb_jaeger_at_field(t, "nanos", -1);
    }
    /* The last second of 64 bits of nanoseconds isn't whole. */
    if (moment->seconds < 0 || moment->seconds >= (int64_t)(UINT64_MAX / NANOS_PER_SECOND)) {
        bb_jaeger_fail(t, "must lie between the years 1970 and 2554, is %" PRId64, moment->seconds);
        return bb_jaeger_at_field(t, "seconds", -1);
    }
    *out_unix_ns = (uint64_t)moment->seconds * NANOS_PER_SECOND + (uint64_t)moment->nanos;
    return true;
}

/* Start and end. A negative duration makes an end before the start, which OTLP can say. */
static bool times_of(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span,
                     uint64_t *out_start, uint64_t *out_end)
{
    const struct bb_jaeger_moment *duration = &span->duration;
    const int64_t seconds_max = INT64_MAX / NANOS_PER_SECOND - 1;

    if (!unix_ns_of(t, &span->start, out_start)) {
        return bb_jaeger_at_field(t, "start_time", -1);
    }
    if (duration->nanos <= -NANOS_PER_SECOND || duration->nanos >= NANOS_PER_SECOND ||
        duration->seconds < -seconds_max || duration->seconds > seconds_max) {
        bb_jaeger_fail(t, "must be a duration of less than 292 years");
        return bb_jaeger_at_field(t, "duration", -1);
    }
    int64_t duration_ns = duration->seconds * NANOS_PER_SECOND + duration->nanos;
    uint64_t size_ns = duration_ns < 0 ? (uint64_t)-duration_ns : (uint64_t)duration_ns;
    if (duration_ns < 0 ? size_ns > *out_start : size_ns > UINT64_MAX - *out_start) {
        bb_jaeger_fail(t, "must end between the years 1970 and 2554");
        return bb_jaeger_at_field(t, "duration", -1);
    }
    *out_end = duration_ns < 0 ? *out_start - size_ns : *out_start + size_ns;
    return true;
}

static bool is_text(const struct bb_jaeger_tag *tag, const char *text)
{
    return tag->type == BB_JAEGER_TYPE_STRING && bb_slice_equals_cstr(tag->text, text);
}

/* Writes what is inside of a KeyValue. */
static void write_tag(struct bb_buf *out, const struct bb_jaeger_tag *tag)
{
    if (tag->key.size > 0) {
        bb_pb_write_bytes(out, BB_F_KEY_VALUE_KEY, tag->key);
    }
    size_t value = bb_pb_begin_message(out, BB_F_KEY_VALUE_VALUE);
    switch (tag->type) {
    case BB_JAEGER_TYPE_STRING:
        bb_pb_write_bytes(out, BB_F_VALUE_STRING, tag->text);
        break;
    case BB_JAEGER_TYPE_BOOL:
        bb_pb_write_uint(out, BB_F_VALUE_BOOL, tag->boolean);
        break;
    case BB_JAEGER_TYPE_INT64:
        bb_pb_write_uint(out, BB_F_VALUE_INT, tag->integer);
        break;
    case BB_JAEGER_TYPE_FLOAT64:
        bb_pb_write_fixed64(out, BB_F_VALUE_DOUBLE, tag->float64_bits);
        break;
    default:
        bb_pb_write_bytes(out, BB_F_VALUE_BYTES, tag->binary);
        break;
    }
    bb_pb_end_message(out, value);
}

void bb_jaeger_write_attribute(struct bb_buf *out, uint32_t number, const struct bb_jaeger_tag *tag)
{
    size_t attribute = bb_pb_begin_message(out, number);

    write_tag(out, tag);
    bb_pb_end_message(out, attribute);
}

void bb_jaeger_write_text_attribute(struct bb_buf *out, uint32_t number, const char *key,
                                    struct bb_slice text)
{
    struct bb_jaeger_tag tag = {
        .key = bb_slice_from_cstr(key), .type = BB_JAEGER_TYPE_STRING, .text = text};

    bb_jaeger_write_attribute(out, number, &tag);
}

/* Writes `text` as a plain field, when there is any. */
static void write_text(struct bb_buf *out, uint32_t number, struct bb_slice text)
{
    if (text.size > 0) {
        bb_pb_write_bytes(out, number, text);
    }
}

/* A version without a name stays an attribute. */
void bb_jaeger_take_scope(struct bb_jaeger_span *span, struct bb_slice *out_name,
                          struct bb_slice *out_version)
{
    static const enum bb_jaeger_special_key pairs[][2] = {
        {BB_JAEGER_KEY_SCOPE_NAME, BB_JAEGER_KEY_SCOPE_VERSION},
        {BB_JAEGER_KEY_LIBRARY_NAME, BB_JAEGER_KEY_LIBRARY_VERSION},
    };

    *out_name = bb_slice_of(NULL, 0);
    *out_version = bb_slice_of(NULL, 0);
    for (size_t i = 0; i < BB_ARRAY_COUNT(pairs); i++) {
        struct bb_jaeger_special *name = &span->specials[pairs[i][0]];
        struct bb_jaeger_special *version = &span->specials[pairs[i][1]];
        bool has_name =
            name->is_found && name->tag.type == BB_JAEGER_TYPE_STRING && name->tag.text.size > 0;

        if (!has_name || (out_name->size > 0 && !bb_slice_equals(*out_name, name->tag.text))) {
            continue;
        }
        *out_name = name->tag.text;
        name->is_used_up = true;
        if (version->is_found && version->tag.type == BB_JAEGER_TYPE_STRING &&
            (out_version->size == 0 || bb_slice_equals(*out_version, version->tag.text))) {
            *out_version = version->tag.text;
            version->is_used_up = true;
        }
    }
}

static uint32_t take_count(struct bb_jaeger_special *count)
{
    if (!count->is_found || count->tag.type != BB_JAEGER_TYPE_INT64 || count->tag.integer == 0 ||
        count->tag.integer > UINT32_MAX) {
        return 0;
    }
    count->is_used_up = true;
    return (uint32_t)count->tag.integer;
}

static enum bb_span_kind take_kind(struct bb_jaeger_special *kind)
{
    static const char *const names[] = {
        [BB_KIND_INTERNAL] = "internal", [BB_KIND_SERVER] = "server",
        [BB_KIND_CLIENT] = "client",     [BB_KIND_PRODUCER] = "producer",
        [BB_KIND_CONSUMER] = "consumer",
    };

    for (unsigned i = BB_KIND_INTERNAL; kind->is_found && i < BB_ARRAY_COUNT(names); i++) {
        if (is_text(&kind->tag, names[i])) {
            kind->is_used_up = true;
            return (enum bb_span_kind)i;
        }
    }
    return BB_KIND_UNSPECIFIED;
}

static struct bb_slice take_trace_state(struct bb_jaeger_special *trace_state)
{
    if (!trace_state->is_found || trace_state->tag.type != BB_JAEGER_TYPE_STRING) {
        return bb_slice_of(NULL, 0);
    }
    trace_state->is_used_up = true;
    return trace_state->tag.text;
}

/* An HTTP status code, an integer or the digits of one; 0 for anything else. */
static uint64_t http_code_of(const struct bb_jaeger_tag *tag)
{
    uint64_t code = 0;

    if (tag->type == BB_JAEGER_TYPE_INT64) {
        return tag->integer;
    }
    if (tag->type != BB_JAEGER_TYPE_STRING || tag->text.size != 3) {
        return 0;
    }
    for (size_t i = 0; i < tag->text.size; i++) {
        if (tag->text.data[i] < '0' || tag->text.data[i] > '9') {
            return 0;
        }
        code = code * 10 + (uint64_t)(tag->text.data[i] - '0');
    }
    return code;
}

/* For a span that says nothing else of its status. A 4xx is the caller's mistake. */
static bool is_http_error(const struct bb_jaeger_special *http_code, enum bb_span_kind kind)
{
    uint64_t code = http_code->is_found ? http_code_of(&http_code->tag) : 0;

    return (code >= 500 && code <= 599) || (code >= 400 && code <= 499 && kind != BB_KIND_SERVER);
}

static bool is_code(const struct bb_jaeger_special *code, const char *name)
{
    return code->is_found && code->tag.type == BB_JAEGER_TYPE_STRING &&
           code->tag.text.size == strlen(name) &&
           strncasecmp((const char *)code->tag.text.data, name, strlen(name)) == 0;
}

/* error=true outranks otel.status_code, and that outranks what HTTP said. */
static enum bb_status_code take_status(struct bb_jaeger_span *span, enum bb_span_kind kind,
                                       struct bb_slice *out_message)
{
    struct bb_jaeger_special *error = &span->specials[BB_JAEGER_KEY_ERROR];
    struct bb_jaeger_special *code = &span->specials[BB_JAEGER_KEY_STATUS_CODE];
    struct bb_jaeger_special *description = &span->specials[BB_JAEGER_KEY_STATUS_DESCRIPTION];
    const struct bb_jaeger_special *http_message =
        &span->specials[BB_JAEGER_KEY_HTTP_STATUS_MESSAGE];
    enum bb_status_code status = BB_STATUS_UNSET;

    *out_message = bb_slice_of(NULL, 0);
    if (error->is_found && error->tag.type == BB_JAEGER_TYPE_BOOL && error->tag.boolean) {
        error->is_used_up = true;
        status = BB_STATUS_ERROR;
    } else if (error->is_found && is_text(&error->tag, "true")) {
        status = BB_STATUS_ERROR; /* stays an attribute: it was text */
    }
    if (is_code(code, "ERROR")) {
        code->is_used_up = true;
        status = BB_STATUS_ERROR;
    } else if (is_code(code, "OK") && status == BB_STATUS_UNSET) {
        code->is_used_up = true;
        status = BB_STATUS_OK;
    }
    if (status == BB_STATUS_UNSET && !code->is_found &&
        is_http_error(&span->specials[BB_JAEGER_KEY_HTTP_STATUS_CODE], kind)) {
        status = BB_STATUS_ERROR;
    }
    if (status == BB_STATUS_UNSET) {
        return status;
    }
    if (description->is_found && description->tag.type == BB_JAEGER_TYPE_STRING) {
        description->is_used_up = true;
        *out_message = description->tag.text;
    } else if (status == BB_STATUS_ERROR && http_message->is_found &&
               http_message->tag.type == BB_JAEGER_TYPE_STRING) {
        *out_message = http_message->tag.text;
    }
    return status;
}

/* The tags that no field has used up. */
static bool write_tags(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_pb_field field;
    uint32_t index = 0;
    struct bb_jaeger_tag tag;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_JF_SPAN_TAGS) {
            continue;
        }
        if (!bb_jaeger_read_tag(t, &field, &tag)) {
            return bb_jaeger_at_field(t, "tags", index);
        }
        enum bb_jaeger_special_key special = bb_jaeger_special_key_of(tag.key);
        bool is_used_up = special < BB_JAEGER_KEY_COUNT && span->specials[special].is_used_up &&
                          span->specials[special].index == index;
        if (!is_used_up) {
            bb_jaeger_write_attribute(t->out, BB_F_SPAN_ATTRIBUTES, &tag);
        }
        index++;
    }
    return true;
}

/* Warnings, as Jaeger itself keeps them in OTLP: an attribute with an array of strings. */
static bool write_warnings(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_pb_field field;
    struct bb_buf *out = t->out;
    size_t size = out->size;
    int64_t count = 0;

    size_t attribute = bb_pb_begin_message(out, BB_F_SPAN_ATTRIBUTES);
    bb_pb_write_bytes(out, BB_F_KEY_VALUE_KEY, bb_slice_from_cstr(BB_JAEGER_WARNINGS_KEY));
    size_t value = bb_pb_begin_message(out, BB_F_KEY_VALUE_VALUE);
    size_t array = bb_pb_begin_message(out, BB_F_VALUE_ARRAY);
    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_JF_SPAN_WARNINGS) {
            continue;
        }
        if (!bb_jaeger_check_type(t, &field, BB_PB_BYTES)) {
            return bb_jaeger_at_field(t, "warnings", count);
        }
        size_t warning = bb_pb_begin_message(out, BB_F_ARRAY_VALUES);
        bb_pb_write_bytes(out, BB_F_VALUE_STRING, field.bytes);
        bb_pb_end_message(out, warning);
        count++;
    }
    if (count == 0) {
        out->size = size;
        return true;
    }
    bb_pb_end_message(out, array);
    bb_pb_end_message(out, value);
    bb_pb_end_message(out, attribute);
    return true;
}

/* What Jaeger has and OTLP has no field for. */
static bool write_attributes(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span)
{
    if (!write_tags(t, span)) {
        return false;
    }
    if ((span->flags & ~JAEGER_FLAG_SAMPLED) != 0) {
        struct bb_jaeger_tag flags = {.key = bb_slice_from_cstr(BB_JAEGER_FLAGS_KEY),
                                      .type = BB_JAEGER_TYPE_INT64,
                                      .integer = span->flags};
        bb_jaeger_write_attribute(t->out, BB_F_SPAN_ATTRIBUTES, &flags);
    }
    if (span->process_id.size > 0) {
        bb_jaeger_write_text_attribute(t->out, BB_F_SPAN_ATTRIBUTES, BB_JAEGER_PROCESS_ID_KEY,
                                       span->process_id);
    }
    return write_warnings(t, span);
}

/* Is `tag` a count that says how many attributes of an event were dropped? */
static bool is_event_dropped_count(const struct bb_jaeger_tag *tag)
{
    return (bb_slice_equals_cstr(tag->key, "otel.event.dropped_attributes_count") ||
            bb_slice_equals_cstr(tag->key, "otel.dropped_attributes_count")) &&
           tag->type == BB_JAEGER_TYPE_INT64 && tag->integer > 0 && tag->integer <= UINT32_MAX;
}

/* The body of an event. The first text field `event` is its name. */
static bool write_log(struct bb_jaeger_transcoder *t, struct bb_slice bytes)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    struct bb_jaeger_moment timestamp = {0};
    bool has_name = false;
    bool has_count = false;
    int64_t index = 0;
    uint64_t unix_ns = 0;
    struct bb_jaeger_tag tag;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == BB_JF_LOG_TIMESTAMP && !bb_jaeger_read_moment(t, &field, &timestamp)) {
            return bb_jaeger_at_field(t, "timestamp", -1);
        }
        if (field.number != BB_JF_LOG_FIELDS) {
            continue;
        }
        if (!bb_jaeger_read_tag(t, &field, &tag)) {
            return bb_jaeger_at_field(t, "fields", index);
        }
        if (!has_name && tag.type == BB_JAEGER_TYPE_STRING &&
            bb_slice_equals_cstr(tag.key, "event")) {
            has_name = true;
            write_text(t->out, BB_F_EVENT_NAME, tag.text);
        } else if (!has_count && is_event_dropped_count(&tag)) {
            has_count = true;
            bb_pb_write_uint(t->out, BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT, tag.integer);
        } else {
            bb_jaeger_write_attribute(t->out, BB_F_EVENT_ATTRIBUTES, &tag);
        }
        index++;
    }
    if (!bb_jaeger_check_end(t, &reader)) {
        return false;
    }
    if (!unix_ns_of(t, &timestamp, &unix_ns)) {
        return bb_jaeger_at_field(t, "timestamp", -1);
    }
    if (unix_ns != 0) {
        bb_pb_write_fixed64(t->out, BB_F_EVENT_TIME_UNIX_NANO, unix_ns);
    }
    return true;
}

static bool write_logs(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_pb_field field;
    int64_t index = 0;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_JF_SPAN_LOGS) {
            continue;
        }
        size_t event = bb_pb_begin_message(t->out, BB_F_SPAN_EVENTS);
        if (!bb_jaeger_check_type(t, &field, BB_PB_BYTES) || !write_log(t, field.bytes)) {
            return bb_jaeger_at_field(t, "logs", index);
        }
        bb_pb_end_message(t->out, event);
        index++;
    }
    return true;
}

/* The parent: the first CHILD_OF in the same trace, else the first FOLLOWS_FROM in it. */
static bool find_parent(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span,
                        struct bb_jaeger_reference *out_parent, int64_t *out_index)
{
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_jaeger_reference reference;
    struct bb_pb_field field;
    int64_t index = -1;

    *out_index = -1;
    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_JF_SPAN_REFERENCES) {
            continue;
        }
        index++;
        if (!bb_jaeger_read_reference(t, &field, &reference)) {
            return bb_jaeger_at_field(t, "references", index);
        }
        if (reference.is_nothing || bb_span_id_is_zero(&reference.span_id) ||
            !bb_trace_id_equals(&reference.trace_id, &span->trace_id)) {
            continue;
        }
        bool is_better = *out_index < 0 || (out_parent->type == BB_JAEGER_REF_FOLLOWS_FROM &&
                                            reference.type == BB_JAEGER_REF_CHILD_OF);
        if (is_better) {
            *out_parent = reference;
            *out_index = index;
        }
    }
    return true;
}

/* Every reference but the parent's CHILD_OF. A FOLLOWS_FROM that is the parent is a link as well,
 * for a parent alone would read as CHILD_OF. */
static bool write_links(struct bb_jaeger_transcoder *t, const struct bb_jaeger_span *span,
                        int64_t parent_index)
{
    static const char *const type_texts[] = {
        [BB_JAEGER_REF_CHILD_OF] = "child_of",
        [BB_JAEGER_REF_FOLLOWS_FROM] = "follows_from",
    };
    struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
    struct bb_jaeger_reference reference;
    struct bb_pb_field field;
    int64_t index = -1;

    while (bb_pb_next(&reader, &field)) {
        if (field.number != BB_JF_SPAN_REFERENCES) {
            continue;
        }
        index++;
        if (!bb_jaeger_read_reference(t, &field, &reference)) {
            return bb_jaeger_at_field(t, "references", index);
        }
        if (reference.is_nothing ||
            (index == parent_index && reference.type == BB_JAEGER_REF_CHILD_OF)) {
            continue;
        }
        size_t link = bb_pb_begin_message(t->out, BB_F_SPAN_LINKS);
        bb_pb_write_bytes(t->out, BB_F_LINK_TRACE_ID,
                          bb_slice_of(reference.trace_id.bytes, BB_TRACE_ID_SIZE));
        bb_pb_write_bytes(t->out, BB_F_LINK_SPAN_ID,
                          bb_slice_of(reference.span_id.bytes, BB_SPAN_ID_SIZE));
        bb_jaeger_write_text_attribute(t->out, BB_F_LINK_ATTRIBUTES, "opentracing.ref_type",
                                       bb_slice_from_cstr(type_texts[reference.type]));
        bb_pb_end_message(t->out, link);
    }
    return true;
}

static void write_count(struct bb_buf *out, uint32_t number, uint32_t count)
{
    if (count > 0) {
        bb_pb_write_uint(out, number, count);
    }
}

static void write_status(struct bb_buf *out, enum bb_status_code code, struct bb_slice message)
{
    if (code == BB_STATUS_UNSET) {
        return;
    }
    size_t status = bb_pb_begin_message(out, BB_F_SPAN_STATUS);
    write_text(out, BB_F_STATUS_MESSAGE, message);
    bb_pb_write_uint(out, BB_F_STATUS_CODE, (uint64_t)code);
    bb_pb_end_message(out, status);
}

bool bb_jaeger_write_span(struct bb_jaeger_transcoder *t, struct bb_jaeger_span *span)
{
    struct bb_buf *out = t->out;
    struct bb_slice scope_name;
    struct bb_slice scope_version;
    struct bb_slice message;
    struct bb_jaeger_reference parent = {0};
    int64_t parent_index;
    uint64_t start = 0;
    uint64_t end = 0;

    if (!times_of(t, span, &start, &end) || !find_parent(t, span, &parent, &parent_index)) {
        return false;
    }
    bb_jaeger_take_scope(span, &scope_name, &scope_version);
    enum bb_span_kind kind = take_kind(&span->specials[BB_JAEGER_KEY_SPAN_KIND]);
    enum bb_status_code status = take_status(span, kind, &message);

    bb_pb_write_bytes(out, BB_F_SPAN_TRACE_ID, bb_slice_of(span->trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(out, BB_F_SPAN_SPAN_ID, bb_slice_of(span->span_id.bytes, BB_SPAN_ID_SIZE));
    write_text(out, BB_F_SPAN_TRACE_STATE,
               take_trace_state(&span->specials[BB_JAEGER_KEY_TRACE_STATE]));
    if (parent_index >= 0) {
        bb_pb_write_bytes(out, BB_F_SPAN_PARENT_SPAN_ID,
                          bb_slice_of(parent.span_id.bytes, BB_SPAN_ID_SIZE));
    }
    write_text(out, BB_F_SPAN_NAME, span->name);
    write_count(out, BB_F_SPAN_KIND, kind);
    bb_pb_write_fixed64(out, BB_F_SPAN_START_TIME_UNIX_NANO, start);
    bb_pb_write_fixed64(out, BB_F_SPAN_END_TIME_UNIX_NANO, end);
    write_count(out, BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT,
                take_count(&span->specials[BB_JAEGER_KEY_DROPPED_ATTRIBUTES]));
    write_count(out, BB_F_SPAN_DROPPED_EVENTS_COUNT,
                take_count(&span->specials[BB_JAEGER_KEY_DROPPED_EVENTS]));
    write_count(out, BB_F_SPAN_DROPPED_LINKS_COUNT,
                take_count(&span->specials[BB_JAEGER_KEY_DROPPED_LINKS]));
    write_status(out, status, message);
    if ((span->flags & JAEGER_FLAG_SAMPLED) != 0) {
        bb_pb_write_fixed32(out, BB_F_SPAN_FLAGS, OTLP_FLAG_SAMPLED);
    }
    return write_attributes(t, span) && write_logs(t, span) && write_links(t, span, parent_index);
}
