#include "common/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/otlp_view.h"
#include "common/utf8.h"

static void before_value(struct bb_json_writer *json)
{
    if (json->needs_comma) {
        bb_buf_append_byte(json->out, ',');
    }
    json->needs_comma = true;
}

static void begin(struct bb_json_writer *json, char bracket)
{
    before_value(json);
    bb_buf_append_byte(json->out, (uint8_t)bracket);
    json->needs_comma = false;
    json->depth++;
}

static void end(struct bb_json_writer *json, char bracket)
{
    BB_ASSERT(json->depth > 0);
    json->depth--;
    bb_buf_append_byte(json->out, (uint8_t)bracket);
    json->needs_comma = true;
}

void bb_json_begin_object(struct bb_json_writer *json)
{
    begin(json, '{');
}

void bb_json_end_object(struct bb_json_writer *json)
{
    end(json, '}');
}

void bb_json_begin_array(struct bb_json_writer *json)
{
    begin(json, '[');
}

void bb_json_end_array(struct bb_json_writer *json)
{
    end(json, ']');
}

void bb_json_key(struct bb_json_writer *json, const char *key)
{
    before_value(json);
    bb_buf_append_byte(json->out, '"');
    bb_buf_append_cstr(json->out, key);
    bb_buf_append(json->out, "\":", 2);
    json->needs_comma = false;
}

void bb_json_key_slice(struct bb_json_writer *json, struct bb_slice key)
{
    bb_json_string(json, key);
    bb_buf_append_byte(json->out, ':');
    json->needs_comma = false;
}

static void append_escaped(struct bb_buf *out, uint8_t byte)
{
    static const char short_forms[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    if (byte == '"' || byte == '\\') {
        char text[2] = {'\\', (char)byte};
        bb_buf_append(out, text, 2);
    } else if (short_forms[byte] != 0) {
        char text[2] = {'\\', short_forms[byte]};
        bb_buf_append(out, text, 2);
    } else {
        bb_buf_printf(out, "\\u%04x", byte);
    }
}

void bb_json_string(struct bb_json_writer *json, struct bb_slice text)
{
    struct bb_buf *out = json->out;
    size_t plain = 0; /* start of what has not been written yet */
    size_t at = 0;

    before_value(json);
    bb_buf_append_byte(out, '"');
    while (at < text.size) {
        uint8_t byte = text.data[at];
        if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
            at++;
            continue;
        }
        unsigned size = 1;
        if (byte >= 0x80) {
            size = bb_utf8_sequence_size(bb_slice_of(text.data + at, text.size - at));
            if (size > 0) {
                at += size;
                continue;
            }
        }
        bb_buf_append(out, text.data + plain, at - plain);
        if (byte >= 0x80) {
            bb_buf_append(out, "\xef\xbf\xbd", 3);
        } else {
            append_escaped(out, byte);
        }
        at++;
        plain = at;
    }
    if (at > plain) {
        bb_buf_append(out, text.data + plain, at - plain);
    }
    bb_buf_append_byte(out, '"');
}

void bb_json_cstr(struct bb_json_writer *json, const char *text)
{
    bb_json_string(json, bb_slice_from_cstr(text));
}

void bb_json_uint(struct bb_json_writer *json, uint64_t value)
{
    before_value(json);
    bb_buf_printf(json->out, "%" PRIu64, value);
}

void bb_json_int(struct bb_json_writer *json, int64_t value)
{
    before_value(json);
    bb_buf_printf(json->out, "%" PRId64, value);
}

void bb_json_uint_string(struct bb_json_writer *json, uint64_t value)
{
    before_value(json);
    bb_buf_printf(json->out, "\"%" PRIu64 "\"", value);
}

void bb_json_int_string(struct bb_json_writer *json, int64_t value)
{
    before_value(json);
    bb_buf_printf(json->out, "\"%" PRId64 "\"", value);
}

void bb_json_double(struct bb_json_writer *json, double value)
{
    char text[BB_DOUBLE_TEXT_SIZE];
    size_t size = bb_double_format(value, text);

    if (!isfinite(value)) {
        bb_json_cstr(json, text);
        return;
    }
    before_value(json);
    bb_buf_append(json->out, text, size);
    if (value == 0 && signbit(value)) {
        /* Readers take "-0" for an integer, without its sign. */
        bb_buf_append_cstr(json->out, ".0");
    }
}

void bb_json_bool(struct bb_json_writer *json, bool value)
{
    before_value(json);
    bb_buf_append_cstr(json->out, value ? "true" : "false");
}

void bb_json_null(struct bb_json_writer *json)
{
    before_value(json);
    bb_buf_append_cstr(json->out, "null");
}

void bb_base64_append(struct bb_buf *out, struct bb_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *text = bb_buf_reserve(out, (bytes.size + 2) / 3 * 4);
    size_t at = 0;

    if (text == NULL) {
        return;
    }
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16 |
                         (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[i + 2] : 0);
        text[at++] = (uint8_t)digits[group >> 18];
        text[at++] = (uint8_t)digits[group >> 12 & 63];
        text[at++] = (uint8_t)(left > 1 ? digits[group >> 6 & 63] : '=');
        text[at++] = (uint8_t)(left > 2 ? digits[group & 63] : '=');
    }
    bb_buf_advance(out, at);
}

void bb_json_base64(struct bb_json_writer *json, struct bb_slice bytes)
{
    before_value(json);
    bb_buf_append_byte(json->out, '"');
    bb_base64_append(json->out, bytes);
    bb_buf_append_byte(json->out, '"');
}

void bb_json_hex(struct bb_json_writer *json, struct bb_slice bytes)
{
    before_value(json);
    bb_buf_append_byte(json->out, '"');
    uint8_t *text = bb_buf_reserve(json->out, 2 * bytes.size + 1);
    if (text != NULL) {
        bb_hex_encode(bytes.data, bytes.size, (char *)text);
        bb_buf_advance(json->out, 2 * bytes.size);
    }
    bb_buf_append_byte(json->out, '"');
}

void bb_json_raw(struct bb_json_writer *json, struct bb_slice text)
{
    before_value(json);
    bb_buf_append_slice(json->out, text);
}
