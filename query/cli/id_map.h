/*
 * id_map.h - fresh ids for a copy of recorded traffic.
 *
 * A map is a keyed permutation of all trace ids, of all span ids and of all UUIDs: the same id
 * always gets the same fresh one, two different ids never get one and the same, and no table is
 * kept, however large the recording is. Not a cipher: whoever knows the seed can go back.
 *
 *   64 bits    xor with a key and an invertible mix, twice
 *   128 bits   a Feistel network of four rounds over two halves of 64 bits
 *
 * "No id" (all zeros) stays what it is.
 */
#ifndef BB_QUERY_CLI_ID_MAP_H
#define BB_QUERY_CLI_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ids.h"

struct bb_id_map {
    uint64_t keys[4];
};

/* Different seeds give unrelated maps. */
struct bb_id_map bb_id_map_of(uint64_t seed);

/* Replace an id in place. Cannot fail. */
void bb_id_map_trace_id(const struct bb_id_map *map, uint8_t id[BB_TRACE_ID_SIZE]);
void bb_id_map_span_id(const struct bb_id_map *map, uint8_t id[BB_SPAN_ID_SIZE]);

/*
 * Replaces each UUID (8-4-4-4-12 hex digits, nothing alphanumeric beside it) in `text` by a fresh
 * one of the same version, in lower case; the size stays. Returns how many there were. Request ids
 * in attributes are unique in real traffic, so a copy that repeats them would compress too well.
 */
size_t bb_id_map_uuids(const struct bb_id_map *map, uint8_t *text, size_t size);

#endif /* BB_QUERY_CLI_ID_MAP_H */
