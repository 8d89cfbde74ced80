#include "store/trace_filter.h"

#include "store/hash.h"

#define BLOCK_BYTES 64u
#define BITS_A_TRACE 12u
#define BITS_SET 6

size_t bb_trace_filter_size(uint32_t trace_count)
{
    size_t bytes = ((size_t)trace_count * BITS_A_TRACE + 7) / 8;

    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES + (bytes == 0 ? BLOCK_BYTES : 0);
}

static size_t block_offset(uint64_t hash, size_t size)
{
    return (size_t)((hash >> 32) * (uint64_t)(size / BLOCK_BYTES) >> 32) * BLOCK_BYTES;
}

/* 54 bits, nine for each bit to set. */
static uint64_t bit_places(uint64_t hash)
{
    return bb_hash_mix((uint32_t)hash);
}

void bb_trace_filter_add(uint8_t *filter, size_t size, const struct bb_trace_id *trace_id)
{
    uint64_t hash = bb_hash_trace_id(trace_id);
    uint8_t *block = filter + block_offset(hash, size);
    uint64_t places = bit_places(hash);

    for (int i = 0; i < BITS_SET; i++, places >>= 9) {
        block[(places & 511) >> 3] |= (uint8_t)(1u << (places & 7));
    }
}

bool bb_trace_filter_may_hold(struct bb_slice filter, const struct bb_trace_id *trace_id)
{
    uint64_t hash = bb_hash_trace_id(trace_id);
    const uint8_t *block = filter.data + block_offset(hash, filter.size);
    uint64_t places = bit_places(hash);

    for (int i = 0; i < BITS_SET; i++, places >>= 9) {
        if ((block[(places & 511) >> 3] & 1u << (places & 7)) == 0) {
            return false;
        }
    }
    return true;
}
