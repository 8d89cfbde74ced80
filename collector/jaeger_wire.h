/*
 * jaeger_wire.h - the messages of jaeger.api_v2 as they are read: into plain structs of slices, one
 * message at a time, with the path of the field that is wrong.
 *
 * The bytes are read where they lie and nothing is unpacked: an unpacked message takes up to 120
 * times its bytes, and its strings end at the first NUL. What a sender has written twice in one
 * message counts as protobuf has it: of a plain field the last, messages are merged.
 *
 * Functions that return bool leave what is wrong and where in the transcoder when it is false.
 */
#ifndef BB_COLLECTOR_JAEGER_WIRE_H
#define BB_COLLECTOR_JAEGER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ingest.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/field_path.h"
#include "common/ids.h"
#include "common/pb_wire.h"
#include "common/slice.h"

/* Field numbers of jaeger.api_v2. */
enum { BB_JF_REQUEST_BATCH = 1 };
enum { BB_JF_BATCH_SPANS = 1, BB_JF_BATCH_PROCESS = 2 };
enum { BB_JF_PROCESS_SERVICE_NAME = 1, BB_JF_PROCESS_TAGS = 2 };
enum { BB_JF_LOG_TIMESTAMP = 1, BB_JF_LOG_FIELDS = 2 };
enum { BB_JF_REF_TRACE_ID = 1, BB_JF_REF_SPAN_ID = 2, BB_JF_REF_TYPE = 3 };
enum { BB_JF_MOMENT_SECONDS = 1, BB_JF_MOMENT_NANOS = 2 };
enum {
    BB_JF_SPAN_TRACE_ID = 1,
    BB_JF_SPAN_SPAN_ID = 2,
    BB_JF_SPAN_OPERATION_NAME = 3,
    BB_JF_SPAN_REFERENCES = 4,
    BB_JF_SPAN_FLAGS = 5,
    BB_JF_SPAN_START_TIME = 6,
    BB_JF_SPAN_DURATION = 7,
    BB_JF_SPAN_TAGS = 8,
    BB_JF_SPAN_LOGS = 9,
    BB_JF_SPAN_PROCESS = 10,
    BB_JF_SPAN_PROCESS_ID = 11,
    BB_JF_SPAN_WARNINGS = 12,
};
enum {
    BB_JF_TAG_KEY = 1,
    BB_JF_TAG_TYPE = 2,
    BB_JF_TAG_STRING = 3,
    BB_JF_TAG_BOOL = 4,
    BB_JF_TAG_INT64 = 5,
    BB_JF_TAG_FLOAT64 = 6,
    BB_JF_TAG_BINARY = 7,
};

enum {
    BB_JAEGER_TYPE_STRING,
    BB_JAEGER_TYPE_BOOL,
    BB_JAEGER_TYPE_INT64,
    BB_JAEGER_TYPE_FLOAT64,
    BB_JAEGER_TYPE_BINARY,
    BB_JAEGER_TYPE_COUNT
};
enum { BB_JAEGER_REF_CHILD_OF, BB_JAEGER_REF_FOLLOWS_FROM, BB_JAEGER_REF_COUNT };

/* Tags of a span that OTLP has fields for. */
#define BB_JAEGER_KEY_LIST(X)                                                                      \
    X(BB_JAEGER_KEY_SPAN_KIND, "span.kind")                                                        \
    X(BB_JAEGER_KEY_ERROR, "error")                                                                \
    X(BB_JAEGER_KEY_STATUS_CODE, "otel.status_code")                                               \
    X(BB_JAEGER_KEY_STATUS_DESCRIPTION, "otel.status_description")                                 \
    X(BB_JAEGER_KEY_TRACE_STATE, "w3c.tracestate")                                                 \
    X(BB_JAEGER_KEY_SCOPE_NAME, "otel.scope.name")                                                 \
    X(BB_JAEGER_KEY_SCOPE_VERSION, "otel.scope.version")                                           \
    X(BB_JAEGER_KEY_LIBRARY_NAME, "otel.library.name")                                             \
    X(BB_JAEGER_KEY_LIBRARY_VERSION, "otel.library.version")                                       \
    X(BB_JAEGER_KEY_DROPPED_ATTRIBUTES, "otel.dropped_attributes_count")                           \
    X(BB_JAEGER_KEY_DROPPED_EVENTS, "otel.dropped_events_count")                                   \
    X(BB_JAEGER_KEY_DROPPED_LINKS, "otel.dropped_links_count")                                     \
    X(BB_JAEGER_KEY_HTTP_STATUS_CODE, "http.status_code")                                          \
    X(BB_JAEGER_KEY_HTTP_STATUS_MESSAGE, "http.status_message")

#define BB_JAEGER_KEY_ENUM(name, key) name,
enum bb_jaeger_special_key { BB_JAEGER_KEY_LIST(BB_JAEGER_KEY_ENUM) BB_JAEGER_KEY_COUNT };
#undef BB_JAEGER_KEY_ENUM

struct bb_jaeger_tag {
    struct bb_slice key;
    uint64_t type;
    struct bb_slice text;
    struct bb_slice binary;
    uint64_t integer;      /* of BB_JAEGER_TYPE_INT64, in two's complement */
    uint64_t float64_bits; /* of BB_JAEGER_TYPE_FLOAT64 */
    bool boolean;
};

/* The first tag with a special key. */
struct bb_jaeger_special {
    struct bb_jaeger_tag tag;
    uint32_t index;
    bool is_found;
    bool is_used_up; /* a field says it all: the tag doesn't become an attribute */
};

/* google.protobuf.Timestamp and Duration */
struct bb_jaeger_moment {
    int64_t seconds;
    int32_t nanos;
};

struct bb_jaeger_process {
    bool is_set;
    struct bb_slice bytes;
};

/* One span, all but its lists. */
struct bb_jaeger_span {
    struct bb_slice bytes;
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    struct bb_slice name;
    struct bb_slice process_id;
    struct bb_jaeger_process process;
    struct bb_jaeger_moment start;
    struct bb_jaeger_moment duration;
    uint32_t flags;
    struct bb_jaeger_special specials[BB_JAEGER_KEY_COUNT];
};

struct bb_jaeger_reference {
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    uint64_t type;
    bool is_nothing; /* child of no span: how some clients mark a root */
};

/* One transcoding. */
struct bb_jaeger_transcoder {
    struct bb_arena *arena;
    struct bb_buf *out;
    struct bb_left_out *left_out;
    enum bb_err err; /* that ends the whole transcoding */
    /* Of the failure that is on its way up. */
    char what[96];
    struct bb_field_path path;
};

/* Starts a failure: its words. Returns false, so that it can end a check. */
BB_COLD bool bb_jaeger_fail(struct bb_jaeger_transcoder *t, const char *format, ...)
    BB_PRINTF(2, 3);

/* Puts "name" or "name[index]" in front of the failure's path. Returns false. */
BB_COLD bool bb_jaeger_at_field(struct bb_jaeger_transcoder *t, const char *name, int64_t index);

/* A failure that ends the whole transcoding: the arena is at its limit. Returns false. */
BB_COLD bool bb_jaeger_fail_in_arena(struct bb_jaeger_transcoder *t);

/* Has the whole transcoding failed, and not just a span? */
bool bb_jaeger_is_fatal(const struct bb_jaeger_transcoder *t);

bool bb_jaeger_check_type(struct bb_jaeger_transcoder *t, const struct bb_pb_field *field,
                          enum bb_pb_type type);

/* To be called when bb_pb_next has returned false. */
bool bb_jaeger_check_end(struct bb_jaeger_transcoder *t, const struct bb_pb_reader *reader);

/* Takes another occurrence of the message; in protobuf, bytes in a row are a merged message. */
bool bb_jaeger_merge(struct bb_jaeger_transcoder *t, struct bb_jaeger_process *process,
                     struct bb_slice more);

/* Reads a Timestamp or Duration into what earlier occurrences left. Its range isn't checked. */
bool bb_jaeger_read_moment(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                           struct bb_jaeger_moment *out_moment);

/* Reads a KeyValue; its type is known when it is true. */
bool bb_jaeger_read_tag(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                        struct bb_jaeger_tag *out_tag);

/* BB_JAEGER_KEY_COUNT when `key` isn't special. */
enum bb_jaeger_special_key bb_jaeger_special_key_of(struct bb_slice key);

/* Reads a Span, all but its references, logs and warnings. Its ids are there when it is true. */
bool bb_jaeger_read_span(struct bb_jaeger_transcoder *t, struct bb_slice bytes,
                         struct bb_jaeger_span *out_span);

/* Reads a SpanRef; its type is known and, unless it refers to nothing, so are its ids. */
bool bb_jaeger_read_reference(struct bb_jaeger_transcoder *t, const struct bb_pb_field *message,
                              struct bb_jaeger_reference *out_reference);

#endif /* BB_COLLECTOR_JAEGER_WIRE_H */
