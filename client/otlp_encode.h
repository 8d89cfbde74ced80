/*
 * otlp_encode.h - turns records from the rings into OTLP ExportTraceServiceRequests, in one pass.
 *
 *   request        = 1: ResourceSpans { 1: resource, 2: ScopeSpans, ..., 2: ScopeSpans }
 *   ScopeSpans     = { 1: scope, 3: schema URL, 2: Span, ..., 2: Span }
 *
 * Spans are written as they come; a span of another tracer than the one before opens another
 * ScopeSpans. Lengths that aren't known yet are varints of a fixed width (pb_put.h). Texts are made
 * valid UTF-8, as a receiver may refuse a whole request for one bad byte. Of attributes with one
 * key
 * the last counts.
 */
#ifndef BBC_OTLP_ENCODE_H
#define BBC_OTLP_ENCODE_H

#include "client/byte_sink.h"
#include "client/span_entry.h"
#include "client/tick_clock.h"

struct bbc_encoder {
    struct bbc_sink request;
    const struct bobbin_tracer *tracer; /* of the open ScopeSpans; NULL: none open */
    size_t scope_at;                    /* offset of its length */
    uint32_t span_count;
};

enum bbc_encode_result {
    BBC_ENCODED,
    BBC_ENCODE_FULL,    /* over `size_max` with this span: send the request, and ask again */
    BBC_ENCODE_TOO_BIG, /* over `size_max` on its own */
    BBC_ENCODE_NO_MEMORY,
};

/* Adds one span. Unless BBC_ENCODED, the request is as it was. */
enum bbc_encode_result bbc_encoder_add(struct bbc_encoder *encoder,
                                       const struct bobbin_span_record *record,
                                       const struct bbc_tick_clock *clock,
                                       const struct bbc_sink *resource, size_t size_max);

/* Fills in the lengths: request.data is whole. An encoder without spans has no request. */
void bbc_encoder_seal(struct bbc_encoder *encoder);

/* Forgets the request, which has gone elsewhere or is freed with bbc_sink_dispose before. */
void bbc_encoder_reset(struct bbc_encoder *encoder);

#endif /* BBC_OTLP_ENCODE_H */
