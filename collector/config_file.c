#include "collector/config_file.h"

#include <string.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static struct bb_slice trim(struct bb_slice text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Takes the next line off `rest`, without its LF or CR LF. */
static struct bb_slice take_line(struct bb_slice *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    struct bb_slice line = *rest;

    if (end != NULL) {
        line.size = (size_t)(end - rest->data);
        *rest = bb_slice_of(end + 1, rest->size - line.size - 1);
    } else {
        *rest = bb_slice_of(NULL, 0);
    }
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    return line;
}

/* `text` up to a comment. */
static struct bb_slice cut_comment(struct bb_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '#' && (i == 0 || is_blank(text.data[i - 1]))) {
            text.size = i;
        }
    }
    return text;
}

/* Reads the quoted value that `text` begins with into `out`, which has room for all of `text`. */
static enum bb_err unquote(struct bb_slice text, char *out, struct bb_err_detail *detail)
{
    size_t used = 0;
    size_t i = 1;

    for (; i < text.size && text.data[i] != '"'; i++) {
        if (text.data[i] == '\\') {
            i++;
            if (i == text.size || (text.data[i] != '"' && text.data[i] != '\\')) {
                return bb_err_set(detail, BB_EINVAL,
                                  "a backslash in quotes stands before \" or \\ only");
            }
        }
        out[used++] = (char)text.data[i];
    }
    if (i == text.size) {
        return bb_err_set(detail, BB_EINVAL, "the closing quote is missing");
    }
    if (cut_comment(trim(bb_slice_of(text.data + i + 1, text.size - i - 1))).size > 0) {
        return bb_err_set(detail, BB_EINVAL, "there is more behind the closing quote");
    }
    out[used] = '\0';
    return BB_OK;
}

/* Reads `line`, which is neither empty nor a comment. */
static enum bb_err parse_line(struct bb_slice line, struct bb_arena *arena,
                              struct bb_config_entry *out_entry, struct bb_err_detail *detail)
{
    const uint8_t *equals = memchr(line.data, '=', line.size);
    struct bb_slice value;
    char *copy;
    enum bb_err err;

    if (equals == NULL) {
        return bb_err_set(detail, BB_EINVAL, "no `key = value`: the = is missing");
    }
    value = trim(bb_slice_of(equals + 1, (size_t)(line.data + line.size - equals - 1)));
    out_entry->key =
        bb_arena_try_cstr(arena, trim(bb_slice_of(line.data, (size_t)(equals - line.data))));
    copy = bb_arena_try_alloc(arena, value.size + 1);
    if (out_entry->key == NULL || copy == NULL) {
        return BB_ENOMEM;
    }
    if (out_entry->key[0] == '\0') {
        return bb_err_set(detail, BB_EINVAL, "no `key = value`: the key is missing");
    }
    if (value.size > 0 && value.data[0] == '"') {
        err = unquote(value, copy, detail);
        if (err != BB_OK) {
            return err;
        }
    } else {
        value = trim(cut_comment(value));
        if (value.size > 0) {
            memcpy(copy, value.data, value.size);
        }
        copy[value.size] = '\0';
    }
    out_entry->value = copy;
    return BB_OK;
}

enum bb_err bb_config_next_entry(struct bb_config_cursor *cursor, struct bb_arena *arena,
                                 struct bb_config_entry *out_entry, struct bb_err_detail *detail)
{
    while (cursor->rest.size > 0) {
        struct bb_slice line = take_line(&cursor->rest);

        cursor->line++;
        for (size_t i = 0; i < line.size; i++) {
            if (is_control(line.data[i]) && line.data[i] != '\t') {
                return bb_err_set(detail, BB_EINVAL, "control character 0x%02x",
                                  (unsigned)line.data[i]);
            }
        }
        line = trim(line);
        if (line.size > 0 && line.data[0] != '#') {
            out_entry->line = cursor->line;
            return parse_line(line, arena, out_entry, detail);
        }
    }
    return BB_ENOTFOUND;
}

static bool needs_quotes(const char *value)
{
    struct bb_slice text = bb_slice_from_cstr(value);

    return text.size == 0 || text.data[0] == '"' || trim(text).size != text.size ||
           cut_comment(text).size != text.size;
}

void bb_config_append_value(struct bb_buf *out, const char *value)
{
    if (!needs_quotes(value)) {
        bb_buf_append_cstr(out, value);
        return;
    }
    bb_buf_append_byte(out, '"');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            bb_buf_append_byte(out, '\\');
        }
        bb_buf_append_byte(out, (uint8_t)*c);
    }
    bb_buf_append_byte(out, '"');
}
