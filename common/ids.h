/*
 * ids.h - trace and span ids as plain values (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4).
 * All zeros means "no id".
 */
#ifndef BB_COMMON_IDS_H
#define BB_COMMON_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/slice.h"

#define BB_TRACE_ID_SIZE 16
#define BB_SPAN_ID_SIZE 8
#define BB_TRACE_ID_HEX_SIZE (2 * BB_TRACE_ID_SIZE + 1) /* with the NUL */
#define BB_SPAN_ID_HEX_SIZE (2 * BB_SPAN_ID_SIZE + 1)   /* with the NUL */

struct bb_trace_id {
    uint8_t bytes[BB_TRACE_ID_SIZE];
};

struct bb_span_id {
    uint8_t bytes[BB_SPAN_ID_SIZE];
};

static inline bool bb_trace_id_equals(const struct bb_trace_id *a, const struct bb_trace_id *b)
{
    return memcmp(a->bytes, b->bytes, BB_TRACE_ID_SIZE) == 0;
}

static inline int bb_trace_id_compare(const struct bb_trace_id *a, const struct bb_trace_id *b)
{
    return memcmp(a->bytes, b->bytes, BB_TRACE_ID_SIZE);
}

static inline bool bb_span_id_equals(const struct bb_span_id *a, const struct bb_span_id *b)
{
    return memcmp(a->bytes, b->bytes, BB_SPAN_ID_SIZE) == 0;
}

static inline bool bb_trace_id_is_zero(const struct bb_trace_id *id)
{
    static const struct bb_trace_id zero;
    return bb_trace_id_equals(id, &zero);
}

static inline bool bb_span_id_is_zero(const struct bb_span_id *id)
{
    static const struct bb_span_id zero;
    return bb_span_id_equals(id, &zero);
}

/* A well-mixed 64-bit hash, for tables in memory only; ids may be chosen by whoever sends them. */
uint64_t bb_trace_id_hash(const struct bb_trace_id *id);

/* `out` gets 32 lower-case hex digits and a NUL. */
void bb_trace_id_format(const struct bb_trace_id *id, char out[BB_TRACE_ID_HEX_SIZE]);

/* `out` gets 16 lower-case hex digits and a NUL. */
void bb_span_id_format(const struct bb_span_id *id, char out[BB_SPAN_ID_HEX_SIZE]);

/*
 * Reads 1 to 32 hex digits, either case; fewer than 32 mean leading zeros (Jaeger's and Zipkin's
 * 64-bit ids).
 *
 * BB_OK      *out_id is set, and is not all zeros
 * BB_EINVAL  no digits, too many, a character that is no hex digit, or all zeros
 */
BB_MUST_CHECK enum bb_err bb_trace_id_parse(struct bb_slice text, struct bb_trace_id *out_id);

/* The same for a span id of 1 to 16 hex digits. */
BB_MUST_CHECK enum bb_err bb_span_id_parse(struct bb_slice text, struct bb_span_id *out_id);

#endif /* BB_COMMON_IDS_H */
