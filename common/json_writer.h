/*
 * json_writer.h - JSON as a stream into a bb_buf. Commas and quotes are the writer's; whether the
 * calls make one whole document is the caller's, and asserted in `end`.
 *
 * Strings are written as UTF-8 with only ", \ and control characters escaped; invalid UTF-8 becomes
 * U+FFFD, so that a document is always valid JSON (RFC 8259). Errors stick in the buffer.
 */
#ifndef BB_COMMON_JSON_WRITER_H
#define BB_COMMON_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

struct bb_json_writer {
    struct bb_buf *out; /* borrowed */
    int depth;
    bool needs_comma;
};

static inline struct bb_json_writer bb_json_writer_of(struct bb_buf *out)
{
    return (struct bb_json_writer){.out = out};
}

void bb_json_begin_object(struct bb_json_writer *json);
void bb_json_end_object(struct bb_json_writer *json);
void bb_json_begin_array(struct bb_json_writer *json);
void bb_json_end_array(struct bb_json_writer *json);

/* The key of what comes next; plain ASCII without characters to escape. */
void bb_json_key(struct bb_json_writer *json, const char *key);
/* The same for a key that comes from outside. */
void bb_json_key_slice(struct bb_json_writer *json, struct bb_slice key);

void bb_json_string(struct bb_json_writer *json, struct bb_slice text);
void bb_json_cstr(struct bb_json_writer *json, const char *text);
void bb_json_uint(struct bb_json_writer *json, uint64_t value);
void bb_json_int(struct bb_json_writer *json, int64_t value);
/* 64-bit integers as decimal strings, as protobuf's JSON mapping has them. */
void bb_json_uint_string(struct bb_json_writer *json, uint64_t value);
void bb_json_int_string(struct bb_json_writer *json, int64_t value);
/* Shortest form that reads back the same; NaN and the infinities as the strings of protobuf's
 * JSON mapping. */
void bb_json_double(struct bb_json_writer *json, double value);
void bb_json_bool(struct bb_json_writer *json, bool value);
void bb_json_null(struct bb_json_writer *json);
/* Standard base64 with padding, as a string. */
void bb_json_base64(struct bb_json_writer *json, struct bb_slice bytes);
/* Lower-case hex, as a string. */
void bb_json_hex(struct bb_json_writer *json, struct bb_slice bytes);
/* `text` must be one whole JSON value. */
void bb_json_raw(struct bb_json_writer *json, struct bb_slice text);

/* Appends base64 of `bytes`, without quotes. */
void bb_base64_append(struct bb_buf *out, struct bb_slice bytes);

#endif /* BB_COMMON_JSON_WRITER_H */
