#include "query/json_pretty.h"

#include <stdbool.h>

static void append_line(struct bb_buf *out, unsigned depth)
{
    bb_buf_append_byte(out, '\n');
    for (unsigned i = 0; i < depth; i++) {
        bb_buf_append(out, "    ", 4);
    }
}

/* The size of the string that begins at `at`, quotes included. */
static size_t string_size(struct bb_slice json, size_t at)
{
    size_t end = at + 1;

    while (end < json.size && json.data[end] != '"') {
        end += json.data[end] == '\\' ? 2 : 1;
    }
    end = end < json.size ? end + 1 : json.size;
    return end - at;
}

static bool is_closing(uint8_t byte)
{
    return byte == '}' || byte == ']';
}

void bb_json_pretty_append(struct bb_slice json, struct bb_buf *out)
{
    unsigned depth = 0;

    for (size_t at = 0; at < json.size && bb_buf_err(out) == BB_OK; at++) {
        uint8_t byte = json.data[at];
        if (byte == '"') {
            size_t size = string_size(json, at);
            bb_buf_append(out, json.data + at, size);
            at += size - 1;
        } else if (byte == '{' || byte == '[') {
            bb_buf_append_byte(out, byte);
            if (at + 1 < json.size && is_closing(json.data[at + 1])) {
                bb_buf_append_byte(out, json.data[++at]); /* an empty one stays on its line */
            } else {
                append_line(out, ++depth);
            }
        } else if (is_closing(byte)) {
            depth -= depth > 0;
            append_line(out, depth);
            bb_buf_append_byte(out, byte);
        } else if (byte == ',') {
            bb_buf_append_byte(out, byte);
            append_line(out, depth);
        } else {
            bb_buf_append_byte(out, byte);
            if (byte == ':') {
                bb_buf_append_byte(out, ' ');
            }
        }
    }
}
