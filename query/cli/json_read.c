#include "query/cli/json_read.h"

#include "common/json_reader.h"

/* Where an answer is read from, and where to. Both errors stick. */
struct source {
    struct bb_json_reader json;
    struct bb_arena *arena;
    bool is_out_of_memory;
};

static struct source source_of(struct bb_slice text, struct bb_arena *arena)
{
    return (struct source){.json = bb_json_reader_of(text), .arena = arena};
}

/* What became of the reading, once it is over. */
static enum bb_err finish(struct source *source, struct bb_err_detail *detail)
{
    size_t line;
    size_t column;

    if (source->is_out_of_memory) {
        return bb_err_set(detail, BB_ENOMEM, "the answer is too large for the memory allowed");
    }
    if (bb_json_at_end(&source->json)) {
        return BB_OK;
    }
    bb_json_position(&source->json, &line, &column);
    return bb_err_set(detail, BB_EINVAL,
                      "the server's answer is not the JSON expected (line %zu, column %zu: %s)",
                      line, column, source->json.what);
}

/* A member that has been looked for isn't there. */
static enum bb_err missing(const char *member, struct bb_err_detail *detail)
{
    return bb_err_set(detail, BB_EINVAL, "the server's answer has no \"%s\"", member);
}

static void take_text(struct source *source, struct bb_slice *out_text)
{
    struct bb_json_string string;

    if (!bb_json_read_string(&source->json, &string)) {
        return;
    }
    uint8_t *bytes = bb_arena_try_alloc(source->arena, string.raw.size);
    if (bytes == NULL) {
        source->is_out_of_memory = true;
        return;
    }
    *out_text = bb_slice_of(bytes, bb_json_string_decode(&string, bytes));
}

/* A 64-bit integer as a number or, as protobuf's JSON has it, as a string. */
static void take_uint(struct source *source, uint64_t *out_value)
{
    struct bb_json_string string;
    struct bb_slice text = {0};

    if (bb_json_peek(&source->json) == BB_JSON_STRING) {
        if (!bb_json_read_string(&source->json, &string)) {
            return;
        }
        text = string.raw;
    } else if (!bb_json_read_number(&source->json, &text)) {
        return;
    }
    if (!bb_json_number_to_uint(text, out_value) && source->json.err == BB_OK) {
        source->json.err = BB_EINVAL;
        source->json.what = "expected a whole number";
    }
}

/* Zeroed room for the elements of the array that comes next; *out_count is their number. NULL when
 * it is empty, or at an error. */
static void *make_array(struct source *source, size_t element_size, uint32_t *out_count)
{
    struct bb_json_reader ahead = source->json;
    uint32_t count = 0;

    if (!bb_json_enter_array(&ahead)) {
        source->json = ahead; /* with its error */
        return NULL;
    }
    while (bb_json_next_element(&ahead) && bb_json_skip(&ahead)) {
        count++;
    }
    if (ahead.err != BB_OK) {
        source->json = ahead;
        return NULL;
    }
    *out_count = count;
    void *items = bb_arena_try_calloc(source->arena, count, element_size);
    source->is_out_of_memory = source->is_out_of_memory || items == NULL;
    return items;
}

enum bb_err bb_json_read_services(struct bb_slice text, struct bb_arena *arena,
                                  struct bb_err_detail *detail, struct bb_services *out_services)
{
    struct source source = source_of(text, arena);
    struct bb_services services = {0};
    struct bb_json_string key;
    bool is_found = false;

    (void)bb_json_enter_object(&source.json);
    while (bb_json_next_key(&source.json, &key)) {
        if (!bb_json_string_equals(&key, "services")) {
            (void)bb_json_skip(&source.json);
            continue;
        }
        is_found = true;
        services.names = make_array(&source, sizeof(*services.names), &services.count);
        if (services.names == NULL) {
            break;
        }
        (void)bb_json_enter_array(&source.json);
        for (uint32_t i = 0; bb_json_next_element(&source.json); i++) {
            take_text(&source, &services.names[i]);
        }
    }
    enum bb_err err = finish(&source, detail);
    if (err == BB_OK && !is_found) {
        err = missing("services", detail);
    }
    if (err == BB_OK) {
        *out_services = services;
    }
    return err;
}

static void take_operation(struct source *source, struct bb_operation *operation)
{
    struct bb_json_string key;

    (void)bb_json_enter_object(&source->json);
    while (bb_json_next_key(&source->json, &key)) {
        if (bb_json_string_equals(&key, "name")) {
            take_text(source, &operation->name);
        } else if (bb_json_string_equals(&key, "spanKind")) {
            take_text(source, &operation->span_kind);
        } else {
            (void)bb_json_skip(&source->json);
        }
    }
}

enum bb_err bb_json_read_operations(struct bb_slice text, struct bb_arena *arena,
                                    struct bb_err_detail *detail,
                                    struct bb_operations *out_operations)
{
    struct source source = source_of(text, arena);
    struct bb_operations operations = {0};
    struct bb_json_string key;
    bool is_found = false;

    (void)bb_json_enter_object(&source.json);
    while (bb_json_next_key(&source.json, &key)) {
        if (!bb_json_string_equals(&key, "operations")) {
            (void)bb_json_skip(&source.json);
            continue;
        }
        is_found = true;
        operations.items = make_array(&source, sizeof(*operations.items), &operations.count);
        if (operations.items == NULL) {
            break;
        }
        (void)bb_json_enter_array(&source.json);
        for (uint32_t i = 0; bb_json_next_element(&source.json); i++) {
            take_operation(&source, &operations.items[i]);
        }
    }
    enum bb_err err = finish(&source, detail);
    if (err == BB_OK && !is_found) {
        err = missing("operations", detail);
    }
    if (err == BB_OK) {
        *out_operations = operations;
    }
    return err;
}

static void take_summary_service(struct source *source, struct bb_summary_service *service)
{
    struct bb_json_string key;

    (void)bb_json_enter_object(&source->json);
    while (bb_json_next_key(&source->json, &key)) {
        if (bb_json_string_equals(&key, "name")) {
            take_text(source, &service->name);
        } else if (bb_json_string_equals(&key, "spanCount")) {
            take_uint(source, &service->span_count);
        } else if (bb_json_string_equals(&key, "errorSpanCount")) {
            take_uint(source, &service->error_span_count);
        } else {
            (void)bb_json_skip(&source->json);
        }
    }
}

static void take_summary_services(struct source *source, struct bb_summary *summary)
{
    summary->services = make_array(source, sizeof(*summary->services), &summary->service_count);
    if (summary->services == NULL) {
        return;
    }
    (void)bb_json_enter_array(&source->json);
    for (uint32_t i = 0; bb_json_next_element(&source->json); i++) {
        take_summary_service(source, &summary->services[i]);
    }
}

static void take_summary(struct source *source, struct bb_summary *summary)
{
    const struct {
        const char *key;
        struct bb_slice *text;
        uint64_t *number;
    } members[] = {
        {"traceId", &summary->trace_id, NULL},
        {"rootServiceName", &summary->root_service_name, NULL},
        {"rootOperationName", &summary->root_operation_name, NULL},
        {"minStartTimeUnixNano", NULL, &summary->start_unix_ns},
        {"maxEndTimeUnixNano", NULL, &summary->end_unix_ns},
        {"spanCount", NULL, &summary->span_count},
        {"errorSpanCount", NULL, &summary->error_span_count},
        {"orphanSpanCount", NULL, &summary->orphan_span_count},
    };
    struct bb_json_string key;

    (void)bb_json_enter_object(&source->json);
    while (bb_json_next_key(&source->json, &key)) {
        size_t i = 0;
        while (i < BB_ARRAY_COUNT(members) && !bb_json_string_equals(&key, members[i].key)) {
            i++;
        }
        if (i == BB_ARRAY_COUNT(members)) {
            if (bb_json_string_equals(&key, "services")) {
                take_summary_services(source, summary);
            } else {
                (void)bb_json_skip(&source->json);
            }
        } else if (members[i].text != NULL) {
            take_text(source, members[i].text);
        } else {
            take_uint(source, members[i].number);
        }
    }
}

static void take_summaries(struct source *source, struct bb_summaries *summaries)
{
    summaries->items = make_array(source, sizeof(*summaries->items), &summaries->count);
    if (summaries->items == NULL) {
        return;
    }
    (void)bb_json_enter_array(&source->json);
    for (uint32_t i = 0; bb_json_next_element(&source->json); i++) {
        take_summary(source, &summaries->items[i]);
    }
}

enum bb_err bb_json_read_summaries(struct bb_slice text, struct bb_arena *arena,
                                   struct bb_err_detail *detail, struct bb_summaries *out_summaries)
{
    struct source source = source_of(text, arena);
    struct bb_summaries summaries = {.is_complete = true};
    struct bb_json_string key;
    bool is_found = false;

    (void)bb_json_enter_object(&source.json);
    while (!source.is_out_of_memory && bb_json_next_key(&source.json, &key)) {
        if (bb_json_string_equals(&key, "summaries")) {
            is_found = true;
            take_summaries(&source, &summaries);
        } else if (bb_json_string_equals(&key, "complete")) {
            (void)bb_json_read_bool(&source.json, &summaries.is_complete);
        } else if (bb_json_string_equals(&key, "incompleteReason")) {
            take_text(&source, &summaries.incomplete_reason);
        } else {
            (void)bb_json_skip(&source.json);
        }
    }
    enum bb_err err = finish(&source, detail);
    if (err == BB_OK && !is_found) {
        err = missing("summaries", detail);
    }
    if (err == BB_OK) {
        *out_summaries = summaries;
    }
    return err;
}

/* The text of the value that comes next; reads past it. */
static struct bb_slice take_raw(struct source *source)
{
    const uint8_t *begin;

    if (bb_json_peek(&source->json) == BB_JSON_NONE) {
        return bb_slice_of(NULL, 0);
    }
    begin = source->json.next;
    (void)bb_json_skip(&source->json);
    return bb_slice_of(begin, (size_t)(source->json.next - begin));
}

static enum bb_err read_member(struct bb_slice text, const char *member,
                               struct bb_err_detail *detail, struct bb_slice *out_raw)
{
    struct source source = source_of(text, NULL);
    struct bb_slice raw = {0};
    struct bb_json_string key;

    (void)bb_json_enter_object(&source.json);
    while (bb_json_next_key(&source.json, &key)) {
        struct bb_slice value = take_raw(&source);
        if (bb_json_string_equals(&key, member)) {
            raw = value;
        }
    }
    enum bb_err err = finish(&source, detail);
    if (err == BB_OK && raw.size == 0) {
        err = missing(member, detail);
    }
    if (err == BB_OK) {
        *out_raw = raw;
    }
    return err;
}

enum bb_err bb_json_read_result(struct bb_slice text, struct bb_err_detail *detail,
                                struct bb_slice *out_result)
{
    return read_member(text, "result", detail, out_result);
}

enum bb_err bb_json_read_resource_spans(struct bb_slice text, struct bb_err_detail *detail,
                                        struct bb_slice *out_inside)
{
    struct bb_slice array;
    enum bb_err err = read_member(text, "resourceSpans", detail, &array);

    if (err != BB_OK) {
        return err;
    }
    if (array.data[0] != '[') {
        return bb_err_set(detail, BB_EINVAL, "\"resourceSpans\" in the answer is no array");
    }
    array = bb_slice_of(array.data + 1, array.size - 2);
    while (array.size > 0 && array.data[array.size - 1] <= ' ') {
        array.size--;
    }
    *out_inside = array;
    return BB_OK;
}

/* The text member `member` of the object that comes next; true when it has one that isn't empty. */
static bool take_message(struct source *source, const char *member, struct bb_slice *out_message)
{
    struct bb_json_string key;
    struct bb_slice message = {0};

    (void)bb_json_enter_object(&source->json);
    while (bb_json_next_key(&source->json, &key)) {
        if (bb_json_string_equals(&key, member) && bb_json_peek(&source->json) == BB_JSON_STRING) {
            take_text(source, &message);
        } else {
            (void)bb_json_skip(&source->json);
        }
    }
    if (source->json.err != BB_OK || source->is_out_of_memory || message.size == 0) {
        return false;
    }
    *out_message = message;
    return true;
}

/* Of the first element of the array that comes next. */
static bool take_first_message(struct source *source, struct bb_slice *out_message)
{
    return bb_json_enter_array(&source->json) && bb_json_next_element(&source->json) &&
           bb_json_peek(&source->json) == BB_JSON_OBJECT &&
           take_message(source, "msg", out_message);
}

bool bb_json_read_error(struct bb_slice text, struct bb_arena *arena, struct bb_slice *out_message)
{
    struct source source = source_of(text, arena);
    struct bb_json_string key;

    (void)bb_json_enter_object(&source.json);
    while (bb_json_next_key(&source.json, &key)) {
        enum bb_json_type type = bb_json_peek(&source.json);
        if (bb_json_string_equals(&key, "error") && type == BB_JSON_OBJECT) {
            return take_message(&source, "message", out_message);
        }
        if (bb_json_string_equals(&key, "errors") && type == BB_JSON_ARRAY) {
            return take_first_message(&source, out_message);
        }
        if (bb_json_string_equals(&key, "message") && type == BB_JSON_STRING) {
            take_text(&source, out_message);
            return source.json.err == BB_OK && !source.is_out_of_memory;
        }
        (void)bb_json_skip(&source.json);
    }
    return false;
}

enum bb_err bb_json_read_export_response(struct bb_slice text, struct bb_arena *arena,
                                         struct bb_err_detail *detail,
                                         struct bb_export_response *out_response)
{
    struct source source = source_of(text, arena);
    struct bb_export_response response = {0};
    struct bb_json_string key;

    (void)bb_json_enter_object(&source.json);
    while (bb_json_next_key(&source.json, &key)) {
        if (!bb_json_string_equals(&key, "partialSuccess") ||
            bb_json_peek(&source.json) != BB_JSON_OBJECT) {
            (void)bb_json_skip(&source.json);
            continue;
        }
        (void)bb_json_enter_object(&source.json);
        while (bb_json_next_key(&source.json, &key)) {
            if (bb_json_string_equals(&key, "rejectedSpans")) {
                take_uint(&source, &response.rejected_span_count);
            } else if (bb_json_string_equals(&key, "errorMessage")) {
                take_text(&source, &response.message);
            } else {
                (void)bb_json_skip(&source.json);
            }
        }
    }
    enum bb_err err = finish(&source, detail);
    if (err == BB_OK) {
        *out_response = response;
    }
    return err;
}
