/*
 * row.h - a stored span as searches see it, whether it lies in memory or came out of a block.
 */
#ifndef BB_STORE_ROW_H
#define BB_STORE_ROW_H

#include <stdint.h>

#include "common/ids.h"
#include "common/slice.h"

#define BB_NO_ROW UINT32_MAX

struct bb_row {
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    struct bb_span_id parent_span_id;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
    struct bb_slice bytes;      /* the Span message; data NULL while its page isn't read */
    uint32_t operation_code;    /* of the segment's dictionary: service, kind and name */
    uint32_t resource_code;     /* of the segment's dictionary */
    uint32_t scope_code;        /* of the segment's dictionary */
    uint32_t previous_in_trace; /* active segments: the row before it of its trace, or BB_NO_ROW */
    uint8_t status_code;
};

static inline uint64_t bb_row_duration_ns(const struct bb_row *row)
{
    return row->end_unix_ns > row->start_unix_ns ? row->end_unix_ns - row->start_unix_ns : 0;
}

#endif /* BB_STORE_ROW_H */
