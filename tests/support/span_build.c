#include "tests/support/span_build.h"

#include "common/bytes.h"
#include "common/check.h"
#include "common/otlp_walk.h"
#include "common/pb_wire.h"

#define WIRE_BYTES_MAX ((size_t)64 << 20)

/* How deep each kind of message lies. */
enum { LEVEL_RESOURCE_SPANS = 0, LEVEL_SCOPE_SPANS = 1, LEVEL_SPAN = 2, LEVEL_EVENT = 3 };

void span_build_init(struct span_build *build)
{
    *build = (struct span_build){.depth = 0};
    bb_buf_init(&build->wire, WIRE_BYTES_MAX);
}

void span_build_dispose(struct span_build *build)
{
    bb_buf_dispose(&build->wire);
}

static void close_to(struct span_build *build, unsigned depth)
{
    while (build->depth > depth) {
        bb_pb_end_message(&build->wire, build->marks[--build->depth]);
    }
}

static void open_message(struct span_build *build, uint32_t number)
{
    BB_ASSERT(build->depth < BB_ARRAY_COUNT(build->marks));
    build->marks[build->depth++] = bb_pb_begin_message(&build->wire, number);
}

static void put_text(struct span_build *build, uint32_t number, const char *text)
{
    if (text != NULL) {
        bb_pb_write_bytes(&build->wire, number, bb_slice_from_cstr(text));
    }
}

static void put_uint(struct span_build *build, uint32_t number, uint64_t value)
{
    if (value != 0) {
        bb_pb_write_uint(&build->wire, number, value);
    }
}

void span_build_resource(struct span_build *build, const char *service_name)
{
    close_to(build, LEVEL_RESOURCE_SPANS);
    open_message(build, BB_F_REQUEST_RESOURCE_SPANS);
    open_message(build, BB_F_RESOURCE_SPANS_RESOURCE);
    build->attribute_field = BB_F_RESOURCE_ATTRIBUTES;
    if (service_name != NULL) {
        span_build_string(build, "service.name", service_name);
    }
}

void span_build_scope(struct span_build *build, const char *name, const char *version)
{
    close_to(build, LEVEL_SCOPE_SPANS);
    open_message(build, BB_F_RESOURCE_SPANS_SCOPE_SPANS);
    open_message(build, BB_F_SCOPE_SPANS_SCOPE);
    build->attribute_field = BB_F_SCOPE_ATTRIBUTES;
    put_text(build, BB_F_SCOPE_NAME, name);
    put_text(build, BB_F_SCOPE_VERSION, version);
}

static void put_status(struct span_build *build, const struct span_spec *spec)
{
    if (spec->status == BB_STATUS_UNSET && spec->status_message == NULL) {
        return;
    }
    open_message(build, BB_F_SPAN_STATUS);
    put_text(build, BB_F_STATUS_MESSAGE, spec->status_message);
    put_uint(build, BB_F_STATUS_CODE, spec->status);
    close_to(build, build->depth - 1);
}

void span_build_span(struct span_build *build, struct span_spec spec)
{
    struct bb_trace_id trace_id = span_build_trace_id(spec.trace);
    struct bb_span_id span_id = span_build_span_id(spec.id);
    struct bb_span_id parent_id = span_build_span_id(spec.parent);
    struct bb_buf *wire = &build->wire;

    close_to(build, LEVEL_SPAN);
    open_message(build, BB_F_SCOPE_SPANS_SPANS);
    build->attribute_field = BB_F_SPAN_ATTRIBUTES;
    bb_pb_write_bytes(wire, BB_F_SPAN_TRACE_ID, bb_slice_of(trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(wire, BB_F_SPAN_SPAN_ID, bb_slice_of(span_id.bytes, BB_SPAN_ID_SIZE));
    put_text(build, BB_F_SPAN_TRACE_STATE, spec.trace_state);
    if (spec.parent != 0) {
        bb_pb_write_bytes(wire, BB_F_SPAN_PARENT_SPAN_ID,
                          bb_slice_of(parent_id.bytes, BB_SPAN_ID_SIZE));
    }
    put_text(build, BB_F_SPAN_NAME, spec.name);
    put_uint(build, BB_F_SPAN_KIND, spec.kind);
    bb_pb_write_fixed64(wire, BB_F_SPAN_START_TIME_UNIX_NANO, spec.start_unix_ns);
    bb_pb_write_fixed64(wire, BB_F_SPAN_END_TIME_UNIX_NANO, spec.end_unix_ns);
    put_uint(build, BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT, spec.dropped_attributes);
    put_uint(build, BB_F_SPAN_DROPPED_EVENTS_COUNT, spec.dropped_events);
    put_uint(build, BB_F_SPAN_DROPPED_LINKS_COUNT, spec.dropped_links);
    if (spec.flags != 0) {
        bb_pb_write_fixed32(wire, BB_F_SPAN_FLAGS, spec.flags);
    }
    put_status(build, &spec);
}

void span_build_event(struct span_build *build, uint64_t time_unix_ns, const char *name)
{
    close_to(build, LEVEL_EVENT);
    open_message(build, BB_F_SPAN_EVENTS);
    build->attribute_field = BB_F_EVENT_ATTRIBUTES;
    bb_pb_write_fixed64(&build->wire, BB_F_EVENT_TIME_UNIX_NANO, time_unix_ns);
    put_text(build, BB_F_EVENT_NAME, name);
}

void span_build_link(struct span_build *build, uint64_t trace, uint64_t id)
{
    struct bb_trace_id trace_id = span_build_trace_id(trace);
    struct bb_span_id span_id = span_build_span_id(id);

    close_to(build, LEVEL_EVENT);
    open_message(build, BB_F_SPAN_LINKS);
    build->attribute_field = BB_F_LINK_ATTRIBUTES;
    bb_pb_write_bytes(&build->wire, BB_F_LINK_TRACE_ID,
                      bb_slice_of(trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(&build->wire, BB_F_LINK_SPAN_ID, bb_slice_of(span_id.bytes, BB_SPAN_ID_SIZE));
}

/* Opens a KeyValue and its AnyValue; the caller writes one field and calls end_attribute. */
static void begin_attribute(struct span_build *build, const char *key, size_t marks[2])
{
    marks[0] = bb_pb_begin_message(&build->wire, build->attribute_field);
    put_text(build, BB_F_KEY_VALUE_KEY, key);
    marks[1] = bb_pb_begin_message(&build->wire, BB_F_KEY_VALUE_VALUE);
}

static void end_attribute(struct span_build *build, const size_t marks[2])
{
    bb_pb_end_message(&build->wire, marks[1]);
    bb_pb_end_message(&build->wire, marks[0]);
}

void span_build_string(struct span_build *build, const char *key, const char *value)
{
    size_t marks[2];

    begin_attribute(build, key, marks);
    put_text(build, BB_F_VALUE_STRING, value);
    end_attribute(build, marks);
}

void span_build_bool(struct span_build *build, const char *key, bool value)
{
    size_t marks[2];

    begin_attribute(build, key, marks);
    bb_pb_write_uint(&build->wire, BB_F_VALUE_BOOL, value);
    end_attribute(build, marks);
}

void span_build_int(struct span_build *build, const char *key, int64_t value)
{
    size_t marks[2];

    begin_attribute(build, key, marks);
    bb_pb_write_uint(&build->wire, BB_F_VALUE_INT, (uint64_t)value);
    end_attribute(build, marks);
}

void span_build_double(struct span_build *build, const char *key, double value)
{
    size_t marks[2];

    begin_attribute(build, key, marks);
    bb_pb_write_double(&build->wire, BB_F_VALUE_DOUBLE, value);
    end_attribute(build, marks);
}

void span_build_bytes(struct span_build *build, const char *key, struct bb_slice value)
{
    size_t marks[2];

    begin_attribute(build, key, marks);
    bb_pb_write_bytes(&build->wire, BB_F_VALUE_BYTES, value);
    end_attribute(build, marks);
}

void span_build_array(struct span_build *build, const char *key)
{
    static const char *const elements[] = {"a", "b"};
    size_t marks[2];

    begin_attribute(build, key, marks);
    size_t array = bb_pb_begin_message(&build->wire, BB_F_VALUE_ARRAY);
    for (size_t i = 0; i < BB_ARRAY_COUNT(elements); i++) {
        size_t element = bb_pb_begin_message(&build->wire, BB_F_ARRAY_VALUES);
        put_text(build, BB_F_VALUE_STRING, elements[i]);
        bb_pb_end_message(&build->wire, element);
    }
    bb_pb_end_message(&build->wire, array);
    end_attribute(build, marks);
}

struct bb_slice span_build_finish(struct span_build *build)
{
    close_to(build, 0);
    BB_ASSERT(bb_buf_err(&build->wire) == BB_OK);
    return bb_buf_slice(&build->wire);
}

struct bb_span_batch span_build_batch(struct span_build *build, struct bb_arena *arena)
{
    struct bb_err_detail detail = {{0}};
    struct bb_walk_result result;

    enum bb_err err = bb_otlp_walk(span_build_finish(build), arena, &detail, &result);
    BB_ASSERT(err == BB_OK);
    BB_ASSERT(result.rejected_count == 0);
    return result.batch;
}

struct bb_trace_id span_build_trace_id(uint64_t trace)
{
    struct bb_trace_id id;

    bb_put_be64(id.bytes, UINT64_C(0xa0a1a2a3a4a5a6a7));
    bb_put_be64(id.bytes + 8, trace);
    return id;
}

struct bb_span_id span_build_span_id(uint64_t id)
{
    struct bb_span_id span_id;

    bb_put_be64(span_id.bytes, id);
    return span_id;
}
