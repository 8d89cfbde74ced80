/*
 * span_lines.h - spans as JSON lines for scripts: one object a span with everything above it folded
 * in, attributes as plain members. The shape is part of docs/cli.md ("Spans as JSON lines") and
 * only grows.
 *
 * Easier to read than OTLP JSON, and less exact: an integer and a double with the same digits look
 * alike, bytes are base64 strings, and of two attributes with one key most readers see the last.
 */
#ifndef BB_QUERY_CLI_SPAN_LINES_H
#define BB_QUERY_CLI_SPAN_LINES_H

#include "common/buf.h"
#include "common/span_batch.h"

/* Appends the line of span `index`, line end included. `out` keeps the error. */
void bb_span_lines_append(const struct bb_span_batch *batch, uint32_t index, struct bb_buf *out);

#endif /* BB_QUERY_CLI_SPAN_LINES_H */
