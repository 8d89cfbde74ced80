#include "common/json_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/check.h"
#include "common/limits.h"
#include "common/utf8.h"

/* The longest form of a double is 1077 digits, but 17 tell every double from its neighbours. */
#define NUMBER_TEXT_MAX 400

/* Digits of an integer that can matter: UINT64_MAX has 20. */
#define INTEGER_DIGITS_MAX 20

BB_COLD static bool fail(struct bb_json_reader *json, enum bb_err err, const char *what)
{
    if (json->err == BB_OK) {
        json->err = err;
        json->what = what;
    }
    return false;
}

static void skip_space(struct bb_json_reader *json)
{
    while (json->next < json->end && (*json->next == ' ' || *json->next == '\n' ||
                                      *json->next == '\r' || *json->next == '\t')) {
        json->next++;
    }
}

/* Takes `character`, behind white space, if it is there. */
static bool take(struct bb_json_reader *json, char character)
{
    skip_space(json);
    if (json->next < json->end && *json->next == (uint8_t)character) {
        json->next++;
        return true;
    }
    return false;
}

static bool take_word(struct bb_json_reader *json, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(json->end - json->next) >= size && memcmp(json->next, word, size) == 0) {
        json->next += size;
        return true;
    }
    return fail(json, BB_EINVAL, "expected a value");
}

enum bb_json_type bb_json_peek(struct bb_json_reader *json)
{
    if (json->err != BB_OK) {
        return BB_JSON_NONE;
    }
    skip_space(json);
    if (json->next == json->end) {
        fail(json, BB_EINVAL, "expected a value, but the text ends");
        return BB_JSON_NONE;
    }
    switch (*json->next) {
    case '{':
        return BB_JSON_OBJECT;
    case '[':
        return BB_JSON_ARRAY;
    case '"':
        return BB_JSON_STRING;
    case 't':
    case 'f':
        return BB_JSON_BOOL;
    case 'n':
        return BB_JSON_NULL;
    default:
        if (*json->next == '-' || (*json->next >= '0' && *json->next <= '9')) {
            return BB_JSON_NUMBER;
        }
        fail(json, BB_EINVAL, "expected a value");
        return BB_JSON_NONE;
    }
}

const char *bb_json_type_text(enum bb_json_type type)
{
    static const char *const texts[] = {
        [BB_JSON_NONE] = "nothing",    [BB_JSON_NULL] = "null",       [BB_JSON_BOOL] = "a boolean",
        [BB_JSON_NUMBER] = "a number", [BB_JSON_STRING] = "a string", [BB_JSON_ARRAY] = "an array",
        [BB_JSON_OBJECT] = "an object"};

    BB_ASSERT((size_t)type < BB_ARRAY_COUNT(texts));
    return texts[type];
}

static bool expect(struct bb_json_reader *json, enum bb_json_type type)
{
    if (bb_json_peek(json) == type) {
        return true;
    }
    return fail(json, BB_EINVAL, "another type of value was expected");
}

static bool enter(struct bb_json_reader *json, enum bb_json_type type)
{
    if (!expect(json, type)) {
        return false;
    }
    if (json->depth == BB_JSON_DEPTH_MAX) {
        return fail(json, BB_ETOOBIG, "nested too deep");
    }
    json->next++;
    json->depth++;
    json->is_first = true;
    return true;
}

bool bb_json_enter_object(struct bb_json_reader *json)
{
    return enter(json, BB_JSON_OBJECT);
}

bool bb_json_enter_array(struct bb_json_reader *json)
{
    return enter(json, BB_JSON_ARRAY);
}

/* What stands between two members; true when another one follows. Leaves at `close`. */
static bool next_member(struct bb_json_reader *json, char close, const char *what)
{
    if (json->err != BB_OK) {
        return false;
    }
    BB_ASSERT(json->depth > 0);
    if (take(json, close)) {
        json->depth--;
        json->is_first = false;
        return false;
    }
    if (!json->is_first && !take(json, ',')) {
        return fail(json, BB_EINVAL, what);
    }
    json->is_first = false;
    return true;
}

bool bb_json_next_element(struct bb_json_reader *json)
{
    return next_member(json, ']', "expected ',' or ']'");
}

bool bb_json_next_key(struct bb_json_reader *json, struct bb_json_string *out_key)
{
    if (!next_member(json, '}', "expected ',' or '}'")) {
        return false;
    }
    skip_space(json);
    if (json->next == json->end || *json->next != '"') {
        return fail(json, BB_EINVAL, "expected a key in quotes");
    }
    if (!bb_json_read_string(json, out_key)) {
        return false;
    }
    if (!take(json, ':')) {
        return fail(json, BB_EINVAL, "expected ':'");
    }
    return true;
}

bool bb_json_read_null(struct bb_json_reader *json)
{
    return expect(json, BB_JSON_NULL) && take_word(json, "null");
}

bool bb_json_read_bool(struct bb_json_reader *json, bool *out_value)
{
    if (!expect(json, BB_JSON_BOOL)) {
        return false;
    }
    bool value = *json->next == 't';
    if (!take_word(json, value ? "true" : "false")) {
        return false;
    }
    *out_value = value;
    return true;
}

/* The four digits of \uXXXX at `digits`; above 0xffff when they are none. */
static uint32_t read_hex4(const uint8_t *digits, const uint8_t *end)
{
    uint8_t bytes[2];

    if (end - digits < 4 || !bb_hex_decode((const char *)digits, 4, bytes)) {
        return UINT32_MAX;
    }
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* `escape` is behind the backslash. The size of the escape, 0 for one that doesn't exist. */
static size_t escape_size(const uint8_t *escape, const uint8_t *end)
{
    if (escape == end) {
        return 0;
    }
    if (*escape == 'u') {
        return read_hex4(escape + 1, end) == UINT32_MAX ? 0 : 5;
    }
    return *escape != '\0' && strchr("\"\\/bfnrt", *escape) != NULL ? 1 : 0;
}

bool bb_json_read_string(struct bb_json_reader *json, struct bb_json_string *out_string)
{
    if (!expect(json, BB_JSON_STRING)) {
        return false;
    }
    const uint8_t *start = json->next + 1;
    const uint8_t *at = start;
    bool has_escapes = false;

    while (at < json->end && *at != '"') {
        if (*at < 0x20) {
            json->next = at;
            return fail(json, BB_EINVAL, "a control character in a string must be escaped");
        }
        if (*at++ == '\\') {
            size_t size = escape_size(at, json->end);
            if (size == 0) {
                json->next = at;
                return fail(json, BB_EINVAL, "unknown escape in a string");
            }
            at += size;
            has_escapes = true;
        }
    }
    if (at == json->end) {
        return fail(json, BB_EINVAL, "a string does not end");
    }
    struct bb_slice raw = bb_slice_of(start, (size_t)(at - start));
    if (!bb_utf8_is_valid(raw)) {
        return fail(json, BB_EINVAL, "a string is not valid UTF-8");
    }
    *out_string = (struct bb_json_string){.raw = raw, .has_escapes = has_escapes};
    json->next = at + 1;
    return true;
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* Behind the number at `at`; NULL when there is none. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *digits;

    if (at < end && *at == '-') {
        at++;
    }
    digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits) {
            return NULL;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        digits = at;
        at = skip_digits(at, end);
        if (at == digits) {
            return NULL;
        }
    }
    return at;
}

bool bb_json_read_number(struct bb_json_reader *json, struct bb_slice *out_text)
{
    if (!expect(json, BB_JSON_NUMBER)) {
        return false;
    }
    const uint8_t *behind = number_end(json->next, json->end);
    if (behind == NULL) {
        return fail(json, BB_EINVAL, "malformed number");
    }
    *out_text = bb_slice_of(json->next, (size_t)(behind - json->next));
    json->next = behind;
    return true;
}

static bool skip_scalar(struct bb_json_reader *json, enum bb_json_type type)
{
    struct bb_json_string string;
    struct bb_slice number;
    bool value;

    switch (type) {
    case BB_JSON_NULL:
        return bb_json_read_null(json);
    case BB_JSON_BOOL:
        return bb_json_read_bool(json, &value);
    case BB_JSON_NUMBER:
        return bb_json_read_number(json, &number);
    case BB_JSON_STRING:
        return bb_json_read_string(json, &string);
    default:
        return false;
    }
}

bool bb_json_skip(struct bb_json_reader *json)
{
    bool is_object[BB_JSON_DEPTH_MAX + 1]; /* by depth */
    unsigned base = json->depth;
    struct bb_json_string key;

    do {
        enum bb_json_type type = bb_json_peek(json);
        if (type == BB_JSON_OBJECT || type == BB_JSON_ARRAY) {
            if (!enter(json, type)) {
                return false;
            }
            is_object[json->depth] = type == BB_JSON_OBJECT;
        } else if (!skip_scalar(json, type)) {
            return false;
        }
        /* Up to where the next value stands, leaving every container that ends here. */
        while (json->depth > base) {
            if (is_object[json->depth] ? bb_json_next_key(json, &key)
                                       : bb_json_next_element(json)) {
                break;
            }
            if (json->err != BB_OK) {
                return false;
            }
        }
    } while (json->depth > base);
    return true;
}

bool bb_json_at_end(struct bb_json_reader *json)
{
    if (json->err != BB_OK) {
        return false;
    }
    skip_space(json);
    if (json->next != json->end) {
        return fail(json, BB_EINVAL, "more text behind the value");
    }
    return true;
}

void bb_json_position(const struct bb_json_reader *json, size_t *out_line, size_t *out_column)
{
    size_t line = 1;
    size_t column = 1;

    for (const uint8_t *at = json->begin; at < json->next; at++) {
        column++;
        if (*at == '\n') {
            line++;
            column = 1;
        }
    }
    *out_line = line;
    *out_column = column;
}

static size_t encode_utf8(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* `at` is at the digits of a \u escape that has been checked. Returns behind it. */
static const uint8_t *decode_unicode(const uint8_t *at, const uint8_t *end, uint32_t *out_code)
{
    uint32_t code = read_hex4(at, end);

    at += 4;
    if (code >= 0xd800 && code <= 0xdbff && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = read_hex4(at + 2, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *out_code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            return at + 6;
        }
    }
    *out_code = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    return at;
}

size_t bb_json_string_decode(const struct bb_json_string *string, uint8_t *out)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const uint8_t *at = string->raw.data;
    const uint8_t *end = at + string->raw.size;
    size_t size = 0;

    if (!string->has_escapes) {
        if (string->raw.size > 0) {
            memcpy(out, at, string->raw.size);
        }
        return string->raw.size;
    }
    while (at < end) {
        if (*at != '\\') {
            out[size++] = *at++;
            continue;
        }
        at++; /* what follows has been checked by bb_json_read_string */
        if (*at == 'u') {
            uint32_t code;
            at = decode_unicode(at + 1, end, &code);
            size += encode_utf8(code, out + size);
            continue;
        }
        const char *letter = strchr(from, *at);
        out[size++] = letter != NULL ? (uint8_t)to[letter - from] : *at;
        at++;
    }
    return size;
}

bool bb_json_string_equals(const struct bb_json_string *string, const char *text)
{
    uint8_t decoded[256];

    if (!string->has_escapes) {
        return bb_slice_equals_cstr(string->raw, text);
    }
    /* An escape takes at most 6 characters for one. */
    if (string->raw.size > sizeof decoded || string->raw.size > 6 * strlen(text)) {
        return false;
    }
    size_t size = bb_json_string_decode(string, decoded);
    return bb_slice_equals_cstr(bb_slice_of(decoded, size), text);
}

bool bb_json_number_is_valid(struct bb_slice text)
{
    return text.size > 0 && number_end(text.data, text.data + text.size) == text.data + text.size;
}

/* The exponent of a valid number, `at` behind the 'e'; held at +-100000, which nothing reaches. */
static long read_exponent(const uint8_t *at, const uint8_t *end)
{
    bool is_negative = *at == '-';
    long exponent = 0;

    if (*at == '-' || *at == '+') {
        at++;
    }
    for (; at < end; at++) {
        exponent = exponent < 10000 ? exponent * 10 + (*at - '0') : 100000;
    }
    return is_negative ? -exponent : exponent;
}

/* value = value * 10 + digit. False when it doesn't fit. */
static bool put_digit(uint64_t *value, unsigned digit)
{
    if (*value > UINT64_MAX / 10 || (*value == UINT64_MAX / 10 && digit > UINT64_MAX % 10)) {
        return false;
    }
    *value = *value * 10 + digit;
    return true;
}

/* The number without its sign, as an integer. */
static bool magnitude_of(struct bb_slice text, uint64_t *out_value)
{
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.size;
    long digits_behind = 0; /* zeros to append, once all digits are read */
    long zeros = 0;         /* that have been read but not yet put into the value */
    bool is_fraction = false;
    uint64_t value = 0;

    for (at += *at == '-'; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            is_fraction = true;
            continue;
        }
        digits_behind -= is_fraction;
        if (*at == '0') {
            zeros++;
            continue;
        }
        /* Zeros are put in only when another digit follows, so that 2.000 stays 2. */
        for (; zeros > 0; zeros--) {
            if (!put_digit(&value, 0)) {
                return false;
            }
        }
        if (!put_digit(&value, (unsigned)(*at - '0'))) {
            return false;
        }
    }
    digits_behind += zeros;
    if (at < end) {
        digits_behind += read_exponent(at + 1, end);
    }
    if (value == 0) {
        *out_value = 0;
        return true;
    }
    if (digits_behind < 0 || digits_behind > INTEGER_DIGITS_MAX) {
        return false;
    }
    for (; digits_behind > 0; digits_behind--) {
        if (!put_digit(&value, 0)) {
            return false;
        }
    }
    *out_value = value;
    return true;
}

bool bb_json_number_to_uint(struct bb_slice text, uint64_t *out_value)
{
    uint64_t value;

    if (!bb_json_number_is_valid(text) || !magnitude_of(text, &value)) {
        return false;
    }
    if (text.data[0] == '-' && value != 0) {
        return false;
    }
    *out_value = value;
    return true;
}

bool bb_json_number_to_int(struct bb_slice text, int64_t *out_value)
{
    uint64_t value;

    if (!bb_json_number_is_valid(text) || !magnitude_of(text, &value)) {
        return false;
    }
    if (text.data[0] != '-') {
        if (value > INT64_MAX) {
            return false;
        }
        *out_value = (int64_t)value;
        return true;
    }
    if (value > (uint64_t)INT64_MAX + 1) {
        return false;
    }
    *out_value = value == 0 ? 0 : -(int64_t)(value - 1) - 1;
    return true;
}

bool bb_json_number_to_double(struct bb_slice text, double *out_value)
{
    char copy[NUMBER_TEXT_MAX + 1];

    if (text.size > NUMBER_TEXT_MAX || !bb_json_number_is_valid(text)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double value = strtod(copy, NULL); /* our programs stay in the "C" locale */
    if (!isfinite(value)) {
        return false;
    }
    *out_value = value;
    return true;
}
