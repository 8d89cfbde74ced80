/*
 * otlp_build.h - OTLP messages for tests, put together field by field, good and bad ones.
 *
 * A message body is a bb_buf; the functions append to it. All of them stop the test when memory
 * runs out.
 */
#ifndef BB_TESTS_OTLP_BUILD_H
#define BB_TESTS_OTLP_BUILD_H

#include <stdint.h>

#include "common/buf.h"
#include "common/otlp_fields.h"
#include "common/pb_wire.h"
#include "common/slice.h"

/* The most that a test builds: a little over the largest request. */
#define BUILD_BYTES_MAX ((size_t)160 << 20)

/* A slice of a string literal, which may hold NULs. */
#define BYTES_OF(literal) bb_slice_of(literal, sizeof(literal) - 1)
/* The same as the initialiser of a static slice. */
#define BYTES_INIT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

void build_init(struct bb_buf *message);

/* Appends `message` as the field `number` of `out`, and disposes of it. */
void build_put(struct bb_buf *out, uint32_t number, struct bb_buf *message);

void build_put_text(struct bb_buf *out, uint32_t number, const char *text);

/* Appends the ids, name, kind and times of a good span; `seed` tells spans apart, 1 to 255. */
void build_span_body(struct bb_buf *span, uint8_t seed);

/* Appends a whole good span as field BB_F_SCOPE_SPANS_SPANS. */
void build_put_span(struct bb_buf *scope_spans, uint8_t seed);

/* Appends a KeyValue with a string as field `number`. */
void build_put_attribute(struct bb_buf *out, uint32_t number, const char *key, const char *value);

/* A request of one resource, one scope and one span with body `span`, which is disposed of. */
void build_request_of_span(struct bb_buf *request, struct bb_buf *span);

/*
 * Appends a span that has every field of OTLP: attributes of all types, nested ones, events, links,
 * a status, a trace state, flags, dropped counts; and one field that OTLP doesn't know.
 */
void build_full_span_body(struct bb_buf *span, uint8_t seed);

/* A request of two resources, three scopes and five full spans, everything in it that can be. */
void build_full_request(struct bb_buf *request);

#endif /* BB_TESTS_OTLP_BUILD_H */
