/*
 * span_build.h - requests for tests, written front to back: a resource, its scopes, their spans.
 * Where otlp_build.h puts together messages, good and bad, this one makes whole traces.
 *
 *   span_build_init(&build);
 *   span_build_resource(&build, "cart");
 *   span_build_scope(&build, "lib", "1.0");
 *   span_build_span(&build, (struct span_spec){.trace = 1, .id = 2, .name = "GET /"});
 *   span_build_int(&build, "http.status_code", 200);
 *   span_build_event(&build, 1234, "retry");
 *   wire = span_build_finish(&build);
 *
 * Attributes go to what was begun last. All of them stop the test when memory runs out.
 */
#ifndef BB_TESTS_SPAN_BUILD_H
#define BB_TESTS_SPAN_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/ids.h"
#include "common/otlp_fields.h"
#include "common/slice.h"
#include "common/span_batch.h"

struct span_build {
    struct bb_buf wire;
    size_t marks[5]; /* of the messages that are open, outermost first */
    unsigned depth;
    uint32_t attribute_field; /* of the innermost one */
};

struct span_spec {
    uint64_t trace; /* see span_build_trace_id */
    uint64_t id;
    uint64_t parent; /* 0: none */
    const char *name;
    enum bb_span_kind kind;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
    enum bb_status_code status;
    const char *status_message;
    const char *trace_state;
    uint32_t flags;
    uint32_t dropped_attributes;
    uint32_t dropped_events;
    uint32_t dropped_links;
};

void span_build_init(struct span_build *build);
void span_build_dispose(struct span_build *build);

/* `service_name` NULL: none. */
void span_build_resource(struct span_build *build, const char *service_name);
void span_build_scope(struct span_build *build, const char *name, const char *version);
void span_build_span(struct span_build *build, struct span_spec spec);
void span_build_event(struct span_build *build, uint64_t time_unix_ns, const char *name);
void span_build_link(struct span_build *build, uint64_t trace, uint64_t id);

void span_build_string(struct span_build *build, const char *key, const char *value);
void span_build_bool(struct span_build *build, const char *key, bool value);
void span_build_int(struct span_build *build, const char *key, int64_t value);
void span_build_double(struct span_build *build, const char *key, double value);
void span_build_bytes(struct span_build *build, const char *key, struct bb_slice value);
/* An array of the strings "a" and "b". */
void span_build_array(struct span_build *build, const char *key);

/* Closes everything. The bytes are borrowed until the next call; an ExportTraceServiceRequest. */
struct bb_slice span_build_finish(struct span_build *build);

/* The same as a batch; its arrays are in the arena. */
struct bb_span_batch span_build_batch(struct span_build *build, struct bb_arena *arena);

/* 16 bytes with `trace` in the lower half; the upper half is a0a1a2a3a4a5a6a7. */
struct bb_trace_id span_build_trace_id(uint64_t trace);
struct bb_span_id span_build_span_id(uint64_t id);

#endif /* BB_TESTS_SPAN_BUILD_H */
