/*
 * span_strip.h - leaves out of a Span message what its row keeps already: trace id, span id, parent,
 * name, kind and times; and puts it back.
 *
 * Protobuf encoders write fields in ascending order. A span is stripped only when putting the
 * fields back in that order gives the same bytes again; another is kept as it came. So what is
 * read is always, byte for byte, what was received.
 */
#ifndef BB_STORE_SPAN_STRIP_H
#define BB_STORE_SPAN_STRIP_H

#include <stdint.h>

#include "common/buf.h"
#include "common/span_batch.h"

/* Which fields were there; 0 means that the span is kept whole. */
#define BB_STRIP_WHOLE 0u
#define BB_STRIP_IDS 1u /* always set in a stripped span */
#define BB_STRIP_PARENT 2u
#define BB_STRIP_NAME 4u
#define BB_STRIP_KIND 8u
#define BB_STRIP_START 16u
#define BB_STRIP_END 32u
#define BB_STRIP_MASK 63u

/* Appends what is left of `span->bytes` to `out`, and returns the flags. `scratch` is for the
 * check. The buffers keep the error. */
uint8_t bb_span_strip(const struct bb_span_ref *span, struct bb_buf *scratch, struct bb_buf *out);

/* Appends the message again, from what was left and the row's fields in `span`. Damaged bytes give
 * some message; the caller checks it where that matters. */
void bb_span_restore(uint8_t flags, struct bb_slice left, const struct bb_span_ref *span,
                     struct bb_buf *out);

/* Bytes that restoring adds at most, but for the name: for the size of a buffer. */
#define BB_STRIP_ADDED_MAX 64u

#endif /* BB_STORE_SPAN_STRIP_H */
