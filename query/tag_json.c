#include "query/tag_json.h"

#include "common/json_reader.h"
#include "common/limits.h"
#include "common/otlp_view.h"

static enum bb_err decode(const struct bb_json_string *string, struct bb_arena *arena,
                          struct bb_slice *out_text)
{
    if (!string->has_escapes) {
        *out_text = string->raw;
        return BB_OK;
    }
    uint8_t *text = bb_arena_try_alloc(arena, string->raw.size);
    if (text == NULL) {
        return BB_ENOMEM;
    }
    *out_text = bb_slice_of(text, bb_json_string_decode(string, text));
    return BB_OK;
}

/* A number as the text of an integer or, failing that, of a double. */
static enum bb_err number_text(struct bb_slice number, struct bb_arena *arena,
                               struct bb_err_detail *detail, struct bb_slice *out_text)
{
    int64_t integer;
    double real;

    if (bb_json_number_to_int(number, &integer)) {
        char *text = bb_arena_try_printf(arena, "%lld", (long long)integer);
        *out_text = bb_slice_from_cstr(text);
        return text == NULL ? BB_ENOMEM : BB_OK;
    }
    if (!bb_json_number_to_double(number, &real)) {
        return bb_err_set(detail, BB_EINVAL, "a number is out of range");
    }
    char *text = bb_arena_try_alloc(arena, BB_DOUBLE_TEXT_SIZE);
    if (text == NULL) {
        return BB_ENOMEM;
    }
    *out_text = bb_slice_of(text, bb_double_format(real, text));
    return BB_OK;
}

/* The next value as text. What the reader itself refuses is told by json->err. */
static enum bb_err read_value(struct bb_json_reader *json, struct bb_arena *arena,
                              struct bb_err_detail *detail, struct bb_slice *out_text)
{
    struct bb_json_string string;
    struct bb_slice number;
    bool boolean;

    enum bb_json_type type = bb_json_peek(json);
    switch (type) {
    case BB_JSON_STRING:
        return bb_json_read_string(json, &string) ? decode(&string, arena, out_text) : json->err;
    case BB_JSON_NUMBER:
        return bb_json_read_number(json, &number) ? number_text(number, arena, detail, out_text)
                                                  : json->err;
    case BB_JSON_BOOL:
        if (!bb_json_read_bool(json, &boolean)) {
            return json->err;
        }
        *out_text = bb_slice_from_cstr(boolean ? "true" : "false");
        return BB_OK;
    case BB_JSON_NONE:
        return json->err;
    default:
        return bb_err_set(detail, BB_EINVAL,
                          "expected a string, a number or a boolean as value, got %s",
                          bb_json_type_text(type));
    }
}

/* Fills `tags`, which has room for BB_SEARCH_CONDITIONS_MAX. */
static enum bb_err read_members(struct bb_json_reader *json, struct bb_arena *arena,
                                struct bb_err_detail *detail, struct bb_tag *tags, uint32_t *count)
{
    struct bb_json_string key;

    while (bb_json_next_key(json, &key)) {
        if (*count == BB_SEARCH_CONDITIONS_MAX) {
            return bb_err_set(detail, BB_ETOOBIG, "more than %d tags", BB_SEARCH_CONDITIONS_MAX);
        }
        enum bb_err err = decode(&key, arena, &tags[*count].key);
        if (err == BB_OK) {
            err = read_value(json, arena, detail, &tags[*count].value);
        }
        if (err != BB_OK) {
            return err;
        }
        ++*count;
    }
    return json->err;
}

enum bb_err bb_tag_json_parse(struct bb_slice text, struct bb_arena *arena,
                              struct bb_err_detail *detail, struct bb_tag **out_tags,
                              uint32_t *out_count)
{
    struct bb_json_reader json = bb_json_reader_of(text);
    uint32_t count = 0;
    enum bb_err err = BB_OK;

    struct bb_tag *tags = bb_arena_try_calloc(arena, BB_SEARCH_CONDITIONS_MAX, sizeof(*tags));
    if (tags == NULL) {
        return BB_ENOMEM;
    }
    if (bb_json_peek(&json) != BB_JSON_OBJECT) {
        return bb_err_set(detail, BB_EINVAL, "expected a JSON object like {\"key\":\"value\"}");
    }
    if (bb_json_enter_object(&json)) {
        err = read_members(&json, arena, detail, tags, &count);
    }
    if (err == BB_OK) {
        (void)bb_json_at_end(&json);
    }
    if (json.err != BB_OK) {
        size_t line;
        size_t column;
        bb_json_position(&json, &line, &column);
        return bb_err_set(detail, BB_EINVAL, "no valid JSON: %s at column %zu", json.what, column);
    }
    if (err == BB_OK) {
        *out_tags = tags;
        *out_count = count;
    }
    return err;
}
