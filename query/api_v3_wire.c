#include "query/api_v3_wire.h"

#include <inttypes.h>

#include "common/clock.h"
#include "common/otlp_view.h"
#include "common/pb_wire.h"
#include "query/param_text.h"

/* Field numbers, as in query_service.proto and google/protobuf/{timestamp,duration}.proto. */
enum { F_SEARCH_QUERY = 1 };
enum {
    F_QUERY_SERVICE_NAME = 1,
    F_QUERY_OPERATION_NAME = 2,
    F_QUERY_ATTRIBUTES = 3,
    F_QUERY_START_TIME_MIN = 4,
    F_QUERY_START_TIME_MAX = 5,
    F_QUERY_DURATION_MIN = 6,
    F_QUERY_DURATION_MAX = 7,
    F_QUERY_SEARCH_DEPTH = 8,
    F_QUERY_FILTER = 10,
};
enum { F_ENTRY_KEY = 1, F_ENTRY_VALUE = 2 };
enum { F_SECONDS = 1, F_NANOS = 2 };
enum { F_GET_TRACE_ID = 1 };
enum { F_GET_OPERATIONS_SERVICE = 1, F_GET_OPERATIONS_SPAN_KIND = 2 };
enum { F_GET_DEPENDENCIES_START_TIME = 1, F_GET_DEPENDENCIES_END_TIME = 2 };
enum { F_SERVICES = 1 };
enum { F_OPERATIONS = 1, F_OPERATION_NAME = 1, F_OPERATION_SPAN_KIND = 2 };
enum { F_DEPENDENCIES = 1, F_PARENT = 1, F_CHILD = 2, F_CALL_COUNT = 3 };
enum {
    F_SUMMARIES = 1,
    F_SUMMARY_TRACE_ID = 1,
    F_SUMMARY_ROOT_SERVICE_NAME = 2,
    F_SUMMARY_ROOT_OPERATION_NAME = 3,
    F_SUMMARY_MIN_START_TIME = 4,
    F_SUMMARY_MAX_END_TIME = 5,
    F_SUMMARY_SPAN_COUNT = 6,
    F_SUMMARY_ERROR_SPAN_COUNT = 7,
    F_SUMMARY_ORPHAN_SPAN_COUNT = 8,
    F_SUMMARY_SERVICES = 9,
};
enum { F_SERVICE_NAME = 1, F_SERVICE_SPAN_COUNT = 2, F_SERVICE_ERROR_SPAN_COUNT = 3 };

static enum bb_err malformed(struct bb_err_detail *detail, const char *what)
{
    return bb_err_set(detail, BB_EINVAL, "%s: malformed protobuf", what);
}

/* A Timestamp or a Duration. */
struct seconds {
    int64_t seconds;
    int32_t nanos;
};

static enum bb_err read_seconds(struct bb_slice message, const char *name,
                                struct seconds *out_seconds, struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(message);
    struct seconds read = {0};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.type == BB_PB_VARINT && field.number == F_SECONDS) {
            read.seconds = (int64_t)field.value;
        } else if (field.type == BB_PB_VARINT && field.number == F_NANOS) {
            read.nanos = (int32_t)field.value;
        }
    }
    if (reader.malformed) {
        return malformed(detail, name);
    }
    *out_seconds = read;
    return BB_OK;
}

/* Times before 1970 become 0 and times past 64 bits UINT64_MAX, as in the HTTP API. */
static enum bb_err read_timestamp(struct bb_slice message, const char *name, uint64_t *out_unix_ns,
                                  struct bb_err_detail *detail)
{
    struct seconds time;

    enum bb_err err = read_seconds(message, name, &time, detail);
    if (err != BB_OK) {
        return err;
    }
    if (time.nanos < 0 || time.nanos >= (int32_t)BB_NS_PER_S) {
        return bb_err_set(detail, BB_EINVAL, "%s.nanos: must be 0 to 999999999, is %" PRId32, name,
                          time.nanos);
    }
    if (time.seconds < 0) {
        *out_unix_ns = 0;
    } else if ((uint64_t)time.seconds >= UINT64_MAX / BB_NS_PER_S) {
        *out_unix_ns = UINT64_MAX;
    } else {
        *out_unix_ns = (uint64_t)time.seconds * BB_NS_PER_S + (uint64_t)time.nanos;
    }
    return BB_OK;
}

static enum bb_err read_duration(struct bb_slice message, const char *name, uint64_t *out_ns,
                                 struct bb_err_detail *detail)
{
    struct seconds time;

    enum bb_err err = read_seconds(message, name, &time, detail);
    if (err != BB_OK) {
        return err;
    }
    if (time.seconds < 0 || (uint64_t)time.seconds >= UINT64_MAX / BB_NS_PER_S || time.nanos < 0 ||
        time.nanos >= (int32_t)BB_NS_PER_S) {
        return bb_err_set(detail, BB_EINVAL, "%s: must not be negative nor over 584 years", name);
    }
    *out_ns = (uint64_t)time.seconds * BB_NS_PER_S + (uint64_t)time.nanos;
    return BB_OK;
}

static enum bb_err read_attribute(struct bb_slice entry, struct bb_search_params *params,
                                  struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(entry);
    struct bb_err_detail inner = {{0}};
    struct bb_slice key = {0};
    struct bb_slice value = {0};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.type == BB_PB_BYTES && field.number == F_ENTRY_KEY) {
            key = field.bytes;
        } else if (field.type == BB_PB_BYTES && field.number == F_ENTRY_VALUE) {
            value = field.bytes;
        }
    }
    if (reader.malformed) {
        return malformed(detail, "query.attributes");
    }
    if (bb_search_params_add_tag(params, key, value, &inner) != BB_OK) {
        return bb_err_set(detail, BB_EINVAL, "query.attributes: %.400s", inner.text);
    }
    return BB_OK;
}

static enum bb_err read_search_depth(uint64_t value, struct bb_search *search,
                                     struct bb_err_detail *detail)
{
    int32_t depth = (int32_t)value;

    if (depth < 0 || depth > BB_SEARCH_LIMIT_MAX) {
        return bb_err_set(detail, BB_EINVAL, "query.search_depth: must be 1 to %d, is %" PRId32,
                          BB_SEARCH_LIMIT_MAX, depth);
    }
    if (depth > 0) { /* 0 is what proto3 has for "not set" */
        search->limit = (uint32_t)depth;
    }
    return BB_OK;
}

static enum bb_err read_query_field(const struct bb_pb_field *field,
                                    struct bb_search_params *params, struct bb_err_detail *detail)
{
    struct bb_search *search = &params->search;
    uint64_t end_unix_ns;
    enum bb_err err;

    if (field->number == F_QUERY_SEARCH_DEPTH && field->type == BB_PB_VARINT) {
        return read_search_depth(field->value, search, detail);
    }
    if (field->type != BB_PB_BYTES) {
        return BB_OK;
    }
    switch (field->number) {
    case F_QUERY_SERVICE_NAME:
        search->has_service_name = field->bytes.size > 0;
        search->service_name = bb_service_name_stored(field->bytes);
        return BB_OK;
    case F_QUERY_OPERATION_NAME:
        search->has_operation = field->bytes.size > 0;
        search->operation = field->bytes;
        return BB_OK;
    case F_QUERY_ATTRIBUTES:
        return read_attribute(field->bytes, params, detail);
    case F_QUERY_START_TIME_MIN:
        return read_timestamp(field->bytes, "query.start_time_min", &search->start_unix_ns_min,
                              detail);
    case F_QUERY_START_TIME_MAX:
        err = read_timestamp(field->bytes, "query.start_time_max", &end_unix_ns, detail);
        return err != BB_OK
                   ? err
                   : bb_search_params_set_end(params, end_unix_ns, "query.start_time_max", detail);
    case F_QUERY_DURATION_MIN:
        return read_duration(field->bytes, "query.duration_min", &search->duration_ns_min, detail);
    case F_QUERY_DURATION_MAX:
        return read_duration(field->bytes, "query.duration_max", &search->duration_ns_max, detail);
    case F_QUERY_FILTER:
        return bb_err_set(detail, BB_EINVAL,
                          "query.filter: structured filters are not supported, use "
                          "query.attributes");
    default:
        return BB_OK;
    }
}

enum bb_err bb_api_v3_read_search(struct bb_slice request, struct bb_search_params *out_params,
                                  struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    struct bb_pb_field field;

    bb_search_params_init(out_params);
    while (bb_pb_next(&reader, &field)) {
        if (field.number != F_SEARCH_QUERY || field.type != BB_PB_BYTES) {
            continue;
        }
        struct bb_pb_reader query_reader = bb_pb_reader_of(field.bytes);
        struct bb_pb_field query_field;
        while (bb_pb_next(&query_reader, &query_field)) {
            enum bb_err err = read_query_field(&query_field, out_params, detail);
            if (err != BB_OK) {
                return err;
            }
        }
        if (query_reader.malformed) {
            return malformed(detail, "query");
        }
    }
    if (reader.malformed) {
        return malformed(detail, "request");
    }
    return bb_search_params_check(out_params, "query.start_time_min", "query.duration_min", detail);
}

enum bb_err bb_api_v3_read_get_trace(struct bb_slice request, struct bb_trace_id *out_trace_id,
                                     struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    struct bb_slice text = {0};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == F_GET_TRACE_ID && field.type == BB_PB_BYTES) {
            text = field.bytes;
        }
    }
    if (reader.malformed) {
        return malformed(detail, "request");
    }
    if (!bb_param_parse_trace_id(text, out_trace_id)) {
        return bb_err_set(detail, BB_EINVAL,
                          "trace_id: expected 1 to 32 hex digits, not all zeros");
    }
    return BB_OK;
}

enum bb_err bb_api_v3_read_get_operations(struct bb_slice request,
                                          struct bb_operations_query *out_query,
                                          struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    struct bb_operations_query query = {.kind = BB_KIND_UNSPECIFIED};
    struct bb_pb_field field;

    while (bb_pb_next(&reader, &field)) {
        if (field.number == F_GET_OPERATIONS_SERVICE && field.type == BB_PB_BYTES) {
            query.service = field.bytes;
        } else if (field.number == F_GET_OPERATIONS_SPAN_KIND && field.type == BB_PB_BYTES) {
            query.has_kind = field.bytes.size > 0;
            if (query.has_kind && !bb_span_kind_parse(field.bytes, &query.kind)) {
                return bb_err_set(detail, BB_EINVAL,
                                  "span_kind: expected unspecified, internal, server, client, "
                                  "producer or consumer");
            }
        }
    }
    if (reader.malformed) {
        return malformed(detail, "request");
    }
    if (query.service.size == 0) {
        return bb_err_set(detail, BB_EINVAL, "service: required");
    }
    query.service = bb_service_name_stored(query.service);
    *out_query = query;
    return BB_OK;
}

enum bb_err bb_api_v3_read_get_dependencies(struct bb_slice request,
                                            uint64_t *out_start_unix_ns_min,
                                            uint64_t *out_start_unix_ns_max,
                                            struct bb_err_detail *detail)
{
    struct bb_pb_reader reader = bb_pb_reader_of(request);
    uint64_t min = 0;
    uint64_t max = UINT64_MAX;
    struct bb_pb_field field;
    enum bb_err err = BB_OK;

    while (err == BB_OK && bb_pb_next(&reader, &field)) {
        if (field.number == F_GET_DEPENDENCIES_START_TIME && field.type == BB_PB_BYTES) {
            err = read_timestamp(field.bytes, "start_time", &min, detail);
        } else if (field.number == F_GET_DEPENDENCIES_END_TIME && field.type == BB_PB_BYTES) {
            err = read_timestamp(field.bytes, "end_time", &max, detail);
        }
    }
    if (err != BB_OK) {
        return err;
    }
    if (reader.malformed) {
        return malformed(detail, "request");
    }
    if (min > max) {
        return bb_err_set(detail, BB_EINVAL,
                          "start_time: must lie before the end of the time range");
    }
    *out_start_unix_ns_min = min;
    *out_start_unix_ns_max = max;
    return BB_OK;
}

void bb_api_v3_write_services(const struct bb_slice *names, uint32_t count, struct bb_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        bb_pb_write_bytes(out, F_SERVICES, bb_service_name_shown(names[i]));
    }
}

void bb_api_v3_write_operations(const struct bb_operation *operations, uint32_t count,
                                const struct bb_operations_query *query, struct bb_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind = operations[i].kind;
        if (query->has_kind && query->kind != kind) {
            continue;
        }
        size_t mark = bb_pb_begin_message(out, F_OPERATIONS);
        bb_pb_write_bytes(out, F_OPERATION_NAME, operations[i].name);
        if (kind != BB_KIND_UNSPECIFIED) { /* here, unlike over HTTP, such a kind is "" */
            bb_pb_write_bytes(out, F_OPERATION_SPAN_KIND,
                              bb_slice_from_cstr(bb_span_kind_text(kind)));
        }
        bb_pb_end_message(out, mark);
    }
}

void bb_api_v3_write_dependencies(const struct bb_dependency *dependencies, uint32_t count,
                                  struct bb_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t mark = bb_pb_begin_message(out, F_DEPENDENCIES);
        bb_pb_write_bytes(out, F_PARENT, bb_service_name_shown(dependencies[i].parent));
        bb_pb_write_bytes(out, F_CHILD, bb_service_name_shown(dependencies[i].child));
        bb_pb_write_uint(out, F_CALL_COUNT, dependencies[i].call_count);
        bb_pb_end_message(out, mark);
    }
}

void bb_api_v3_write_summary(const struct bb_trace_summary *summary, struct bb_buf *out)
{
    char id[BB_TRACE_ID_HEX_SIZE];
    size_t mark = bb_pb_begin_message(out, F_SUMMARIES);

    bb_trace_id_format(&summary->trace_id, id);
    bb_pb_write_bytes(out, F_SUMMARY_TRACE_ID, bb_slice_from_cstr(id));
    bb_pb_write_bytes(out, F_SUMMARY_ROOT_SERVICE_NAME,
                      bb_service_name_shown(summary->root_service_name));
    bb_pb_write_bytes(out, F_SUMMARY_ROOT_OPERATION_NAME, summary->root_operation_name);
    bb_pb_write_fixed64(out, F_SUMMARY_MIN_START_TIME, summary->start_unix_ns_min);
    bb_pb_write_fixed64(out, F_SUMMARY_MAX_END_TIME, summary->end_unix_ns_max);
    bb_pb_write_uint(out, F_SUMMARY_SPAN_COUNT, summary->span_count);
    bb_pb_write_uint(out, F_SUMMARY_ERROR_SPAN_COUNT, summary->error_count);
    bb_pb_write_uint(out, F_SUMMARY_ORPHAN_SPAN_COUNT, summary->orphan_count);
    for (uint32_t i = 0; i < summary->service_count; i++) {
        const struct bb_service_summary *service = &summary->services[i];
        size_t service_mark = bb_pb_begin_message(out, F_SUMMARY_SERVICES);
        bb_pb_write_bytes(out, F_SERVICE_NAME, bb_service_name_shown(service->name));
        bb_pb_write_uint(out, F_SERVICE_SPAN_COUNT, service->span_count);
        bb_pb_write_uint(out, F_SERVICE_ERROR_SPAN_COUNT, service->error_count);
        bb_pb_end_message(out, service_mark);
    }
    bb_pb_end_message(out, mark);
}
