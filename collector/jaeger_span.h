/*
 * jaeger_span.h - one Jaeger span as an OTLP span: which tag becomes which field, references parent
 * and links, logs events. docs/jaeger-mapping.md has it as a table.
 */
#ifndef BB_COLLECTOR_JAEGER_SPAN_H
#define BB_COLLECTOR_JAEGER_SPAN_H

#include "collector/jaeger_wire.h"

/* The scope of a span, whose tags are then used up; an empty name when it has none. */
void bb_jaeger_take_scope(struct bb_jaeger_span *span, struct bb_slice *out_name,
                          struct bb_slice *out_version);

/* Writes the body of an OTLP span. False when the span is bad; what was written is then the
 * caller's to cut off. */
bool bb_jaeger_write_span(struct bb_jaeger_transcoder *t, struct bb_jaeger_span *span);

/* Writes a tag as the attribute field `number`. */
void bb_jaeger_write_attribute(struct bb_buf *out, uint32_t number,
                               const struct bb_jaeger_tag *tag);
void bb_jaeger_write_text_attribute(struct bb_buf *out, uint32_t number, const char *key,
                                    struct bb_slice text);

#endif /* BB_COLLECTOR_JAEGER_SPAN_H */
