/*
 * trace_filter.h - "may this segment hold that trace?": a Bloom filter in blocks of one cache line.
 *
 *   OFFSET         SIZE  FIELD
 *        0  64 * blocks  blocks of 512 bits
 *
 *   hash = bb_hash_trace_id(id)
 *   block = (hash >> 32) * blocks >> 32      (the upper half picks the block)
 *   bits  = 6 times 9 bits of hash * odd     (the lower half picks six bits in it)
 *
 * 12 bits a trace give about 0.7 % of wrong yeses, and a no is certain.
 */
#ifndef BB_STORE_TRACE_FILTER_H
#define BB_STORE_TRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ids.h"
#include "common/slice.h"

/* Bytes of a filter for that many traces; at least one block. */
size_t bb_trace_filter_size(uint32_t trace_count);

/* `filter` is bb_trace_filter_size bytes, zeroed before the first add. */
void bb_trace_filter_add(uint8_t *filter, size_t size, const struct bb_trace_id *trace_id);

/* False only when it was never added. `filter.size` must be a multiple of 64 and not 0. */
bool bb_trace_filter_may_hold(struct bb_slice filter, const struct bb_trace_id *trace_id);

#endif /* BB_STORE_TRACE_FILTER_H */
