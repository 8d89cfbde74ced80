#include "query/cli/otlp_json_patch.h"

#include "common/bytes.h"
#include "common/json_reader.h"

/* One walk serves both: counting (no patch) and patching. Values of another type than they should
 * have are passed over: the receiver will say what is wrong with them. */
struct walker {
    struct bb_json_reader json;
    const struct bb_otlp_patch *patch; /* NULL: count only */
    struct bb_otlp_totals totals;
    struct bb_buf *out;
    const uint8_t *copied_up_to; /* what stands before is in `out` */
};

/* Copies the text up to `begin`, and then `text` in the place of what reaches to `end`. */
static void replace(struct walker *walker, const uint8_t *begin, const uint8_t *end,
                    struct bb_slice text)
{
    bb_buf_append(walker->out, walker->copied_up_to, (size_t)(begin - walker->copied_up_to));
    bb_buf_append_slice(walker->out, text);
    walker->copied_up_to = end;
}

static bool enters_object(struct walker *walker)
{
    if (bb_json_peek(&walker->json) == BB_JSON_OBJECT) {
        return bb_json_enter_object(&walker->json);
    }
    (void)bb_json_skip(&walker->json);
    return false;
}

static bool enters_array(struct walker *walker)
{
    if (bb_json_peek(&walker->json) == BB_JSON_ARRAY) {
        return bb_json_enter_array(&walker->json);
    }
    (void)bb_json_skip(&walker->json);
    return false;
}

static void walk_id(struct walker *walker, size_t id_size)
{
    uint8_t bytes[BB_TRACE_ID_SIZE];
    char digits[BB_TRACE_ID_HEX_SIZE];
    struct bb_json_string string;

    if (walker->patch == NULL || !walker->patch->has_fresh_ids ||
        bb_json_peek(&walker->json) != BB_JSON_STRING) {
        (void)bb_json_skip(&walker->json);
        return;
    }
    if (!bb_json_read_string(&walker->json, &string) || string.raw.size != 2 * id_size ||
        !bb_hex_decode((const char *)string.raw.data, string.raw.size, bytes)) {
        return;
    }
    if (id_size == BB_TRACE_ID_SIZE) {
        bb_id_map_trace_id(&walker->patch->ids, bytes);
    } else {
        bb_id_map_span_id(&walker->patch->ids, bytes);
    }
    bb_hex_encode(bytes, id_size, digits);
    replace(walker, string.raw.data, string.raw.data + string.raw.size,
            bb_slice_of(digits, 2 * id_size));
}

/* A time, as a number or as a string; 0 when it is neither. */
static uint64_t walk_time(struct walker *walker)
{
    enum bb_json_type type = bb_json_peek(&walker->json);
    struct bb_json_string string;
    struct bb_slice digits = {0};
    uint64_t unix_ns = 0;

    if (type == BB_JSON_STRING && bb_json_read_string(&walker->json, &string)) {
        digits = string.raw;
    } else if (type != BB_JSON_NUMBER || !bb_json_read_number(&walker->json, &digits)) {
        (void)bb_json_skip(&walker->json);
        return 0;
    }
    if (!bb_json_number_to_uint(digits, &unix_ns)) {
        return 0;
    }
    uint64_t shifted_ns =
        walker->patch != NULL ? bb_otlp_patch_time(walker->patch, unix_ns) : unix_ns;
    if (shifted_ns != unix_ns) {
        struct bb_buf text;
        bb_buf_init(&text, 32);
        /* A number stays a number and a string a string: only the digits are replaced. */
        bb_buf_printf(&text, "%llu", (unsigned long long)shifted_ns);
        replace(walker, digits.data, digits.data + digits.size, bb_buf_slice(&text));
        bb_buf_dispose(&text);
    }
    return unix_ns;
}

static void walk_value(struct walker *walker);

/* A string value: its UUIDs become fresh. Digits and dashes stand for themselves between quotes. */
static void walk_string_value(struct walker *walker)
{
    struct bb_json_string string;
    struct bb_buf copy;

    if (bb_json_peek(&walker->json) != BB_JSON_STRING) {
        (void)bb_json_skip(&walker->json);
        return;
    }
    if (!bb_json_read_string(&walker->json, &string) || string.raw.size == 0) {
        return;
    }
    bb_buf_init(&copy, string.raw.size);
    bb_buf_append_slice(&copy, string.raw);
    if (bb_buf_err(&copy) != BB_OK) {
        walker->out->err = bb_buf_err(&copy);
    } else if (bb_id_map_uuids(&walker->patch->ids, copy.data, copy.size) > 0) {
        replace(walker, string.raw.data, string.raw.data + string.raw.size, bb_buf_slice(&copy));
    }
    bb_buf_dispose(&copy);
}

/* KeyValues: the attributes of something, or the values of a kvlistValue. */
static void walk_pairs(struct walker *walker)
{
    struct bb_json_string key;

    if (walker->patch == NULL || !walker->patch->has_fresh_ids) {
        (void)bb_json_skip(&walker->json);
        return;
    }
    if (!enters_array(walker)) {
        return;
    }
    while (bb_json_next_element(&walker->json)) {
        if (!enters_object(walker)) {
            continue;
        }
        while (bb_json_next_key(&walker->json, &key)) {
            if (bb_json_string_equals(&key, "value")) {
                walk_value(walker);
            } else {
                (void)bb_json_skip(&walker->json);
            }
        }
    }
}

/* The member `values` of an arrayValue or a kvlistValue. */
static void walk_values(struct walker *walker, bool of_pairs)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (!bb_json_string_equals(&key, "values")) {
            (void)bb_json_skip(&walker->json);
        } else if (of_pairs) {
            walk_pairs(walker);
        } else if (enters_array(walker)) {
            while (bb_json_next_element(&walker->json)) {
                walk_value(walker);
            }
        }
    }
}

/* An AnyValue. The reader lets nothing nest deeper than BB_JSON_DEPTH_MAX. */
static void walk_value(struct walker *walker)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "stringValue")) {
            walk_string_value(walker);
        } else if (bb_json_string_equals(&key, "arrayValue")) {
            walk_values(walker, false);
        } else if (bb_json_string_equals(&key, "kvlistValue")) {
            walk_values(walker, true);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
}

/* An object of which only the attributes matter: a resource or a scope. */
static void walk_attribute_holder(struct walker *walker)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "attributes")) {
            walk_pairs(walker);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
}

/* An event or a link. */
static void walk_span_part(struct walker *walker)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "timeUnixNano")) {
            (void)walk_time(walker);
        } else if (bb_json_string_equals(&key, "traceId")) {
            walk_id(walker, BB_TRACE_ID_SIZE);
        } else if (bb_json_string_equals(&key, "spanId")) {
            walk_id(walker, BB_SPAN_ID_SIZE);
        } else if (bb_json_string_equals(&key, "attributes")) {
            walk_pairs(walker);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
}

/* Calls `walk` for each element of the array that comes next. */
static void walk_each(struct walker *walker, void (*walk)(struct walker *))
{
    if (!enters_array(walker)) {
        return;
    }
    while (bb_json_next_element(&walker->json)) {
        walk(walker);
    }
}

static void walk_span(struct walker *walker)
{
    struct bb_json_string key;
    uint64_t start_unix_ns = 0;
    uint64_t end_unix_ns = 0;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "traceId")) {
            walk_id(walker, BB_TRACE_ID_SIZE);
        } else if (bb_json_string_equals(&key, "spanId") ||
                   bb_json_string_equals(&key, "parentSpanId")) {
            walk_id(walker, BB_SPAN_ID_SIZE);
        } else if (bb_json_string_equals(&key, "startTimeUnixNano")) {
            start_unix_ns = walk_time(walker);
        } else if (bb_json_string_equals(&key, "endTimeUnixNano")) {
            end_unix_ns = walk_time(walker);
        } else if (bb_json_string_equals(&key, "attributes")) {
            walk_pairs(walker);
        } else if (bb_json_string_equals(&key, "events") || bb_json_string_equals(&key, "links")) {
            walk_each(walker, walk_span_part);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
    end_unix_ns = end_unix_ns != 0 ? end_unix_ns : start_unix_ns;
    if (end_unix_ns > walker->totals.newest_end_unix_ns) {
        walker->totals.newest_end_unix_ns = end_unix_ns;
    }
    walker->totals.span_count++;
}

static void walk_scope_spans(struct walker *walker)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "spans")) {
            walk_each(walker, walk_span);
        } else if (bb_json_string_equals(&key, "scope")) {
            walk_attribute_holder(walker);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
}

static void walk_resource_spans(struct walker *walker)
{
    struct bb_json_string key;

    if (!enters_object(walker)) {
        return;
    }
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "scopeSpans")) {
            walk_each(walker, walk_scope_spans);
        } else if (bb_json_string_equals(&key, "resource")) {
            walk_attribute_holder(walker);
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
}

/* The document itself. Sets *out_result to the text of its member "result", when it has one. True
 * when it has resourceSpans. */
static bool walk_document(struct walker *walker, struct bb_slice *out_result)
{
    struct bb_json_string key;
    bool has_resource_spans = false;

    (void)bb_json_enter_object(&walker->json);
    while (bb_json_next_key(&walker->json, &key)) {
        if (bb_json_string_equals(&key, "resourceSpans")) {
            has_resource_spans = true;
            walk_each(walker, walk_resource_spans);
        } else if (bb_json_string_equals(&key, "result") &&
                   bb_json_peek(&walker->json) == BB_JSON_OBJECT) {
            const uint8_t *begin = walker->json.next;
            if (bb_json_skip(&walker->json)) {
                *out_result = bb_slice_of(begin, (size_t)(walker->json.next - begin));
            }
        } else {
            (void)bb_json_skip(&walker->json);
        }
    }
    return has_resource_spans;
}

/* Counts what the document at the start of `text` has; its size is where the walker stands then. */
static bool inspect(struct bb_slice text, struct walker *walker,
                    struct bb_otlp_json_document *document)
{
    struct bb_slice result = {0};

    *walker = (struct walker){.json = bb_json_reader_of(text)};
    document->has_resource_spans = walk_document(walker, &result);
    document->text = bb_slice_of(text.data, (size_t)(walker->json.next - text.data));
    document->totals = walker->totals;
    if (walker->json.err == BB_OK && !document->has_resource_spans && result.size > 0) {
        struct walker inner = {.json = bb_json_reader_of(result)};
        struct bb_slice ignored;
        document->text = result;
        document->has_resource_spans = walk_document(&inner, &ignored);
        document->totals = inner.totals;
    }
    return walker->json.err == BB_OK;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

enum bb_err bb_otlp_json_next(struct bb_slice file, struct bb_slice *rest,
                              struct bb_err_detail *detail,
                              struct bb_otlp_json_document *out_document)
{
    struct bb_otlp_json_document document = {0};
    struct walker walker;

    if (!inspect(*rest, &walker, &document)) {
        size_t line;
        size_t column;
        walker.json.begin = file.data; /* lines are counted from the start of the file */
        bb_json_position(&walker.json, &line, &column);
        return bb_err_set(detail, BB_EINVAL, "line %zu, column %zu: %s", line, column,
                          walker.json.what);
    }
    size_t size = (size_t)(walker.json.next - rest->data);
    while (size < rest->size && is_space(rest->data[size])) {
        size++;
    }
    *rest = bb_slice_of(rest->data + size, rest->size - size);
    *out_document = document;
    return BB_OK;
}

enum bb_err bb_otlp_json_patch(const struct bb_otlp_patch *patch, struct bb_slice text,
                               struct bb_buf *out)
{
    struct walker walker = {
        .json = bb_json_reader_of(text),
        .patch = patch,
        .out = out,
        .copied_up_to = text.data,
    };
    struct bb_slice ignored;

    (void)walk_document(&walker, &ignored);
    if (!bb_json_at_end(&walker.json)) {
        return BB_EINVAL;
    }
    bb_buf_append(out, walker.copied_up_to, (size_t)(text.data + text.size - walker.copied_up_to));
    return bb_buf_err(out);
}
