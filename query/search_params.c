#include "query/search_params.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/otlp_fields.h"
#include "common/otlp_view.h"
#include "common/time_text.h"
#include "query/param_text.h"
#include "query/tag_json.h"

struct bb_slice bb_service_name_shown(struct bb_slice name)
{
    return name.size == 0 ? bb_slice_from_cstr(BB_NO_SERVICE_NAME) : name;
}

struct bb_slice bb_service_name_stored(struct bb_slice name)
{
    return bb_slice_equals_cstr(name, BB_NO_SERVICE_NAME) ? bb_slice_of(NULL, 0) : name;
}

void bb_search_params_init(struct bb_search_params *params)
{
    *params = (struct bb_search_params){
        .search = {.order = BB_ORDER_NEWEST, .limit = BB_SEARCH_LIMIT_DEFAULT},
    };
    params->search.conditions = params->conditions;
}

/* The condition that `key` and `value` stand for. */
static struct bb_condition condition_of(struct bb_slice key, struct bb_slice value)
{
    struct bb_condition condition = {
        .type = BB_CONDITION_ATTRIBUTE, .key = key, .value = value, .number = 0};
    enum bb_span_kind kind;

    if (bb_slice_equals_cstr(key, "error")) {
        bool is_true = bb_slice_equals_cstr(value, "true");
        if (is_true || bb_slice_equals_cstr(value, "false")) {
            condition.type = BB_CONDITION_ERROR_TAG;
            condition.number = is_true;
        }
    } else if (bb_slice_equals_cstr(key, "span.kind")) {
        if (bb_span_kind_parse(value, &kind)) {
            condition.type = BB_CONDITION_KIND;
            condition.number = kind;
        }
    } else if (bb_slice_equals_cstr(key, "otel.status_code")) {
        static const char *const codes[] = {"UNSET", "OK", "ERROR"}; /* by enum bb_status_code */
        for (uint32_t i = 0; i < BB_ARRAY_COUNT(codes); i++) {
            if (bb_slice_equals_cstr(value, codes[i])) {
                condition.type = BB_CONDITION_STATUS;
                condition.number = i;
            }
        }
    } else if (bb_slice_equals_cstr(key, "otel.scope.name") ||
               bb_slice_equals_cstr(key, "otel.library.name")) {
        condition.type = BB_CONDITION_SCOPE_NAME;
    } else if (bb_slice_equals_cstr(key, "otel.scope.version") ||
               bb_slice_equals_cstr(key, "otel.library.version")) {
        condition.type = BB_CONDITION_SCOPE_VERSION;
    }
    return condition;
}

enum bb_err bb_search_params_add_tag(struct bb_search_params *params, struct bb_slice key,
                                     struct bb_slice value, struct bb_err_detail *detail)
{
    if (key.size == 0) {
        return bb_err_set(detail, BB_EINVAL, "a tag has an empty key");
    }
    if (params->search.condition_count == BB_SEARCH_CONDITIONS_MAX) {
        return bb_err_set(detail, BB_EINVAL, "more than %d tags", BB_SEARCH_CONDITIONS_MAX);
    }
    params->conditions[params->search.condition_count++] = condition_of(key, value);
    return BB_OK;
}

enum bb_err bb_search_params_check(const struct bb_search_params *params, const char *time_min_name,
                                   const char *duration_min_name, struct bb_err_detail *detail)
{
    const struct bb_search *search = &params->search;

    if (search->start_unix_ns_max != 0 && search->start_unix_ns_min > search->start_unix_ns_max) {
        return bb_err_set(detail, BB_EINVAL, "%s: must lie before the end of the time range",
                          time_min_name);
    }
    if (search->duration_ns_max != 0 && search->duration_ns_min > search->duration_ns_max) {
        return bb_err_set(detail, BB_EINVAL, "%s: must not be over the maximum duration",
                          duration_min_name);
    }
    return BB_OK;
}

enum bb_err bb_search_params_set_end(struct bb_search_params *params, uint64_t end_unix_ns,
                                     const char *name, struct bb_err_detail *detail)
{
    if (end_unix_ns <= 1) {
        return bb_err_set(detail, BB_EINVAL, "%s: must lie after 1970-01-01T00:00:00Z", name);
    }
    params->search.start_unix_ns_max = end_unix_ns - 1;
    return BB_OK;
}

/* How a value of a request's parameters is found: by up to three names, all meaning the same. */
struct names {
    const char *name[4]; /* the first is the one that errors tell; ends with NULL */
};

/* The first parameter of these names that isn't empty. *out_name is the name it was given by. */
static bool find_arg(const struct bb_http_request *request, const struct names *names,
                     struct bb_slice *out_value, const char **out_name)
{
    for (uint32_t i = 0; names->name[i] != NULL; i++) {
        if (bb_http_arg(request, names->name[i], out_value) && out_value->size > 0) {
            *out_name = names->name[i];
            return true;
        }
    }
    return false;
}

/* "name: expected what, got "value"", the value cut to a readable length. */
static enum bb_err bad_arg(struct bb_err_detail *detail, const char *name, const char *expected,
                           struct bb_slice value)
{
    return bb_err_set(detail, BB_EINVAL, "%s: expected %s, got \"%.*s\"", name, expected,
                      value.size < 80 ? (int)value.size : 80, (const char *)value.data);
}

static enum bb_err read_duration(const struct bb_http_request *request, const struct names *names,
                                 uint64_t *out_ns, struct bb_err_detail *detail)
{
    struct bb_slice value;
    const char *name;

    if (find_arg(request, names, &value, &name) && bb_duration_parse(value, out_ns) != BB_OK) {
        return bad_arg(detail, name, "a duration like 1.2s, 100ms or 250us", value);
    }
    return BB_OK;
}

static enum bb_err read_limit(const struct bb_http_request *request, const struct names *names,
                              bool zero_is_default, uint32_t *out_limit,
                              struct bb_err_detail *detail)
{
    struct bb_slice value;
    const char *name;
    uint64_t limit;

    if (!find_arg(request, names, &value, &name)) {
        return BB_OK;
    }
    if (!bb_param_parse_uint(value, &limit) || limit > BB_SEARCH_LIMIT_MAX ||
        (limit == 0 && !zero_is_default)) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "a number from 1 to %d", BB_SEARCH_LIMIT_MAX);
        return bad_arg(detail, name, expected, value);
    }
    if (limit != 0) {
        *out_limit = (uint32_t)limit;
    }
    return BB_OK;
}

static enum bb_err read_order(const struct bb_http_request *request, const struct names *names,
                              enum bb_search_order *out_order, struct bb_err_detail *detail)
{
    struct bb_slice value;
    const char *name;

    if (!find_arg(request, names, &value, &name) || bb_slice_equals_cstr(value, "newest")) {
        return BB_OK;
    }
    if (!bb_slice_equals_cstr(value, "slowest")) {
        return bad_arg(detail, name, "newest or slowest", value);
    }
    *out_order = BB_ORDER_SLOWEST;
    return BB_OK;
}

/* Traces are always given as stored, so the value changes nothing; it must still be a boolean. */
static enum bb_err check_raw(const struct bb_http_request *request, const struct names *names,
                             struct bb_err_detail *detail)
{
    struct bb_slice value;
    const char *name;
    bool raw;

    if (find_arg(request, names, &value, &name) && !bb_param_parse_bool(value, &raw)) {
        return bad_arg(detail, name, "true or false", value);
    }
    return BB_OK;
}

static void read_service_and_operation(const struct bb_http_request *request,
                                       const struct names *service, const struct names *operation,
                                       struct bb_search *search)
{
    struct bb_slice value;
    const char *name;

    if (find_arg(request, service, &value, &name)) {
        search->has_service_name = true;
        search->service_name = bb_service_name_stored(value);
    }
    if (find_arg(request, operation, &value, &name)) {
        search->has_operation = true;
        search->operation = value;
    }
}

/* Adds the tags of one JSON object. */
static enum bb_err add_json_tags(struct bb_search_params *params, const char *name,
                                 struct bb_slice json, struct bb_arena *arena,
                                 struct bb_err_detail *detail)
{
    struct bb_err_detail inner = {{0}};
    struct bb_tag *tags;
    uint32_t count;

    enum bb_err err = bb_tag_json_parse(json, arena, &inner, &tags, &count);
    for (uint32_t i = 0; err == BB_OK && i < count; i++) {
        err = bb_search_params_add_tag(params, tags[i].key, tags[i].value, &inner);
    }
    if (err == BB_EINVAL || err == BB_ETOOBIG) {
        return bb_err_set(detail, BB_EINVAL, "%s: %.400s", name, inner.text);
    }
    return err;
}

/* One "key:value"; the value may have colons of its own. */
static enum bb_err add_colon_tag(struct bb_search_params *params, struct bb_slice text,
                                 struct bb_err_detail *detail)
{
    struct bb_err_detail inner = {{0}};
    const uint8_t *colon = text.size == 0 ? NULL : memchr(text.data, ':', text.size);

    if (colon == NULL) {
        return bad_arg(detail, "tag", "key:value", text);
    }
    size_t key_size = (size_t)(colon - text.data);
    if (bb_search_params_add_tag(params, bb_slice_of(text.data, key_size),
                                 bb_slice_of(colon + 1, text.size - key_size - 1),
                                 &inner) != BB_OK) {
        return bb_err_set(detail, BB_EINVAL, "tag: %.400s", inner.text);
    }
    return BB_OK;
}

static enum bb_err read_tags_v1(const struct bb_http_request *request,
                                struct bb_search_params *params, struct bb_err_detail *detail)
{
    for (uint32_t i = 0; i < request->arg_count; i++) {
        const struct bb_http_arg *arg = &request->args[i];
        enum bb_err err = BB_OK;
        if (arg->value.size == 0) {
            continue;
        }
        if (bb_slice_equals_cstr(arg->name, "tag")) {
            err = add_colon_tag(params, arg->value, detail);
        } else if (bb_slice_equals_cstr(arg->name, "tags")) {
            err = add_json_tags(params, "tags", arg->value, request->arena, detail);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

static enum bb_err read_trace_ids_v1(const struct bb_http_request *request,
                                     struct bb_search_params *params, struct bb_err_detail *detail)
{
    uint32_t count = 0;

    struct bb_trace_id *ids = bb_arena_try_calloc(request->arena, request->arg_count, sizeof(*ids));
    if (ids == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < request->arg_count; i++) {
        const struct bb_http_arg *arg = &request->args[i];
        if (!bb_slice_equals_cstr(arg->name, "traceID") || arg->value.size == 0) {
            continue;
        }
        if (!bb_param_parse_trace_id(arg->value, &ids[count])) {
            return bad_arg(detail, "traceID", "a trace id of 1 to 32 hex digits", arg->value);
        }
        bool is_repeated = false;
        for (uint32_t k = 0; k < count; k++) {
            is_repeated |= bb_trace_id_equals(&ids[k], &ids[count]);
        }
        count += !is_repeated;
    }
    params->trace_ids = ids;
    params->trace_id_count = count;
    return BB_OK;
}

/* Microseconds since 1970. */
static enum bb_err read_time_us(const struct bb_http_request *request, const struct names *names,
                                bool *out_is_given, uint64_t *out_us, struct bb_err_detail *detail)
{
    struct bb_slice value;
    const char *name;

    *out_is_given = find_arg(request, names, &value, &name);
    if (*out_is_given && !bb_param_parse_uint(value, out_us)) {
        return bad_arg(detail, name, "microseconds since 1970", value);
    }
    return BB_OK;
}

static enum bb_err read_times_v1(const struct bb_http_request *request, struct bb_search *search,
                                 struct bb_err_detail *detail)
{
    static const struct names start = {{"start"}};
    static const struct names end = {{"end"}};
    const uint64_t us_max = UINT64_MAX / BB_NS_PER_US - 1;
    bool is_given;
    uint64_t us = 0;

    enum bb_err err = read_time_us(request, &start, &is_given, &us, detail);
    if (err != BB_OK) {
        return err;
    }
    if (is_given) {
        search->start_unix_ns_min = us > us_max ? UINT64_MAX : us * BB_NS_PER_US;
    }
    err = read_time_us(request, &end, &is_given, &us, detail);
    if (err != BB_OK) {
        return err;
    }
    if (is_given) {
        /* v1 shows starts cut to microseconds: the one that a client saw must be found by it. */
        search->start_unix_ns_max = us > us_max ? UINT64_MAX : us * BB_NS_PER_US + BB_NS_PER_US - 1;
    }
    return BB_OK;
}

enum bb_err bb_search_params_read_v1(const struct bb_http_request *request,
                                     struct bb_search_params *out_params,
                                     struct bb_err_detail *detail)
{
    static const struct names service = {{"service"}};
    static const struct names operation = {{"operation"}};
    static const struct names duration_min = {{"minDuration"}};
    static const struct names duration_max = {{"maxDuration"}};
    static const struct names limit = {{"limit"}};
    static const struct names sort = {{"sort"}};
    static const struct names raw = {{"raw"}};
    struct bb_search *search = &out_params->search;
    enum bb_err err;

    bb_search_params_init(out_params);
    read_service_and_operation(request, &service, &operation, search);
    if ((err = read_times_v1(request, search, detail)) != BB_OK ||
        (err = read_duration(request, &duration_min, &search->duration_ns_min, detail)) != BB_OK ||
        (err = read_duration(request, &duration_max, &search->duration_ns_max, detail)) != BB_OK ||
        (err = read_limit(request, &limit, false, &search->limit, detail)) != BB_OK ||
        (err = read_order(request, &sort, &search->order, detail)) != BB_OK ||
        (err = check_raw(request, &raw, detail)) != BB_OK ||
        (err = read_tags_v1(request, out_params, detail)) != BB_OK ||
        (err = read_trace_ids_v1(request, out_params, detail)) != BB_OK) {
        return err;
    }
    return bb_search_params_check(out_params, "start", "minDuration", detail);
}

static enum bb_err read_times_v3(const struct bb_http_request *request,
                                 struct bb_search_params *params, struct bb_err_detail *detail)
{
    static const struct names time_min = {{"query.startTimeMin", "query.start_time_min"}};
    static const struct names time_max = {{"query.startTimeMax", "query.start_time_max"}};
    static const char expected[] = "an RFC 3339 time like 2026-01-02T15:04:05.123456789Z";
    struct bb_slice value;
    const char *name;
    uint64_t end_unix_ns;

    if (find_arg(request, &time_min, &value, &name) &&
        !bb_param_parse_time(value, &params->search.start_unix_ns_min)) {
        return bad_arg(detail, name, expected, value);
    }
    if (!find_arg(request, &time_max, &value, &name)) {
        return BB_OK;
    }
    if (!bb_param_parse_time(value, &end_unix_ns)) {
        return bad_arg(detail, name, expected, value);
    }
    return bb_search_params_set_end(params, end_unix_ns, name, detail);
}

static enum bb_err read_tags_v3(const struct bb_http_request *request,
                                struct bb_search_params *params, struct bb_err_detail *detail)
{
    static const struct names attributes = {{"query.attributes"}};
    static const struct names filter = {{"query.filter"}};
    struct bb_slice value;
    const char *name;

    if (find_arg(request, &filter, &value, &name)) {
        return bb_err_set(detail, BB_EINVAL,
                          "query.filter: structured filters are not supported, use "
                          "query.attributes");
    }
    if (find_arg(request, &attributes, &value, &name)) {
        return add_json_tags(params, name, value, request->arena, detail);
    }
    return BB_OK;
}

enum bb_err bb_search_params_read_v3(const struct bb_http_request *request,
                                     struct bb_search_params *out_params,
                                     struct bb_err_detail *detail)
{
    static const struct names service = {{"query.serviceName", "query.service_name"}};
    static const struct names operation = {{"query.operationName", "query.operation_name"}};
    static const struct names duration_min = {{"query.durationMin", "query.duration_min"}};
    static const struct names duration_max = {{"query.durationMax", "query.duration_max"}};
    static const struct names depth = {{"query.searchDepth", "query.search_depth"}};
    static const struct names num_traces = {{"query.numTraces", "query.num_traces"}};
    static const struct names sort = {{"query.sort", "sort"}};
    static const struct names raw = {{"query.rawTraces", "query.raw_traces"}};
    struct bb_search *search = &out_params->search;
    enum bb_err err;

    bb_search_params_init(out_params);
    read_service_and_operation(request, &service, &operation, search);
    if ((err = read_times_v3(request, out_params, detail)) != BB_OK ||
        (err = read_duration(request, &duration_min, &search->duration_ns_min, detail)) != BB_OK ||
        (err = read_duration(request, &duration_max, &search->duration_ns_max, detail)) != BB_OK ||
        (err = read_limit(request, &num_traces, true, &search->limit, detail)) != BB_OK ||
        (err = read_limit(request, &depth, true, &search->limit, detail)) != BB_OK ||
        (err = read_order(request, &sort, &search->order, detail)) != BB_OK ||
        (err = check_raw(request, &raw, detail)) != BB_OK ||
        (err = read_tags_v3(request, out_params, detail)) != BB_OK) {
        return err;
    }
    return bb_search_params_check(out_params, "query.startTimeMin", "query.durationMin", detail);
}
