/*
 * json_reader.h - JSON (RFC 8259) as a stream out of bytes that lie in memory: the caller asks for
 * what it expects, and nothing is built. Memory is this struct, however large the document is.
 *
 *   bb_json_enter_object(&json);
 *   while (bb_json_next_key(&json, &key)) { read or skip exactly one value }
 *   bb_json_enter_array(&json);
 *   while (bb_json_next_element(&json)) { read or skip exactly one value }
 *
 * The first error sticks: after it every call returns false or BB_JSON_NONE at once, so a caller
 * may look at `err` once at the end. The struct is a plain value: a copy is a place to go back to.
 *
 * Strict: no comments, no trailing commas, no NaN; strings must be UTF-8. Numbers are handed out as
 * text, since 64-bit integers don't fit into a double. Never recurses, never reads outside.
 */
#ifndef BB_COMMON_JSON_READER_H
#define BB_COMMON_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

enum bb_json_type {
    BB_JSON_NONE, /* no value stands here */
    BB_JSON_NULL,
    BB_JSON_BOOL,
    BB_JSON_NUMBER,
    BB_JSON_STRING,
    BB_JSON_ARRAY,
    BB_JSON_OBJECT,
};

struct bb_json_reader {
    const uint8_t *begin;
    const uint8_t *next;
    const uint8_t *end;
    unsigned depth;   /* containers that are open */
    bool is_first;    /* nothing has been read yet in the innermost open container */
    enum bb_err err;  /* BB_OK, BB_EINVAL, or BB_ETOOBIG for more than BB_JSON_DEPTH_MAX */
    const char *what; /* of err; static storage */
};

/* A string as it stands between its quotes: checked, not yet unescaped. Borrows the document. */
struct bb_json_string {
    struct bb_slice raw;
    bool has_escapes;
};

static inline struct bb_json_reader bb_json_reader_of(struct bb_slice text)
{
    return (struct bb_json_reader){
        .begin = text.data,
        .next = text.data,
        .end = text.size == 0 ? text.data : text.data + text.size,
    };
}

/* What the next value is, by its first character. BB_JSON_NONE is an error. */
enum bb_json_type bb_json_peek(struct bb_json_reader *json);

/* "null", "a boolean", "a number", "a string", "an array", "an object"; static storage. */
const char *bb_json_type_text(enum bb_json_type type);

/* These read the value that bb_json_peek announced; another one is an error. */
bool bb_json_enter_object(struct bb_json_reader *json);
bool bb_json_enter_array(struct bb_json_reader *json);
bool bb_json_read_null(struct bb_json_reader *json);
bool bb_json_read_bool(struct bb_json_reader *json, bool *out_value);
bool bb_json_read_string(struct bb_json_reader *json, struct bb_json_string *out_string);
/* Text that bb_json_number_is_valid accepts. */
bool bb_json_read_number(struct bb_json_reader *json, struct bb_slice *out_text);

/* True: a key was read, and its value comes next. False: the object has been left, or an error. */
bool bb_json_next_key(struct bb_json_reader *json, struct bb_json_string *out_key);
/* True: an element comes next. False: the array has been left, or an error. */
bool bb_json_next_element(struct bb_json_reader *json);

/* Reads one whole value of any type and forgets it. */
bool bb_json_skip(struct bb_json_reader *json);

/* True when nothing but white space is left; else it is an error. */
bool bb_json_at_end(struct bb_json_reader *json);

/* Where `next` stands, from 1; columns count bytes. For the words of an error. */
void bb_json_position(const struct bb_json_reader *json, size_t *out_line, size_t *out_column);

/* Unescapes into `out`, which has room for raw.size bytes; returns how many were written. Half a
 * surrogate pair becomes U+FFFD: JavaScript writes one for text that it cut in the middle of a
 * character. A NUL is a byte like any other. */
size_t bb_json_string_decode(const struct bb_json_string *string, uint8_t *out);

/* Is it `text`, once unescaped? */
bool bb_json_string_equals(const struct bb_json_string *string, const char *text);

/* Is it a number by RFC 8259, section 6, with nothing before or behind? */
bool bb_json_number_is_valid(struct bb_slice text);

/*
 * Integers exactly, over the whole 64 bits. "1e3" and "2.0" are integers too, "2.5" is not. False
 * when `text` is no JSON number, no integer, or out of range.
 */
BB_MUST_CHECK bool bb_json_number_to_uint(struct bb_slice text, uint64_t *out_value);
BB_MUST_CHECK bool bb_json_number_to_int(struct bb_slice text, int64_t *out_value);

/* False when `text` is no JSON number, over 400 characters long, or beyond the largest double. */
BB_MUST_CHECK bool bb_json_number_to_double(struct bb_slice text, double *out_value);

#endif /* BB_COMMON_JSON_READER_H */
