/*
 * hash.h - hashes for tables and filters of the store. Not keyed, and part of the format where a
 * filter is stored: a change raises BB_STORE_FORMAT. Whoever picks ids that collide only makes
 * the look-ups of his own ids slower.
 */
#ifndef BB_STORE_HASH_H
#define BB_STORE_HASH_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/ids.h"
#include "common/slice.h"

/* The finaliser of MurmurHash3: every bit of the input reaches every bit of the output. */
static inline uint64_t bb_hash_mix(uint64_t value)
{
    value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
    value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

static inline uint64_t bb_hash_trace_id(const struct bb_trace_id *id)
{
    return bb_hash_mix(bb_get_le64(id->bytes) ^ bb_hash_mix(bb_get_le64(id->bytes + 8)));
}

static inline uint64_t bb_hash_bytes(struct bb_slice bytes)
{
    uint64_t hash = bytes.size * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = 0;

    for (; bytes.size - at >= 8; at += 8) {
        hash = (hash ^ bb_get_le64(bytes.data + at)) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 29;
    }
    uint64_t tail = 0;
    for (unsigned shift = 0; at < bytes.size; at++, shift += 8) {
        tail |= (uint64_t)bytes.data[at] << shift;
    }
    return bb_hash_mix(hash ^ tail);
}

#endif /* BB_STORE_HASH_H */
