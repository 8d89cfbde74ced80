#include "query/cli/id_map.h"

#include "common/bytes.h"

#define UUID_TEXT_SIZE 36
#define UUID_VERSION_AT 14
#define UUID_VARIANT_AT 19

/* Invertible: each step is (the finalizer of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

struct bb_id_map bb_id_map_of(uint64_t seed)
{
    struct bb_id_map map;

    for (size_t i = 0; i < BB_ARRAY_COUNT(map.keys); i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        map.keys[i] = mix(seed);
    }
    return map;
}

static uint64_t permute64(const struct bb_id_map *map, uint64_t x)
{
    return mix(mix(x ^ map->keys[0]) ^ map->keys[1]);
}

static void permute128(const struct bb_id_map *map, uint64_t *high, uint64_t *low)
{
    for (size_t i = 0; i < BB_ARRAY_COUNT(map->keys); i++) {
        uint64_t next = *high ^ mix(*low ^ map->keys[i]);
        *high = *low;
        *low = next;
    }
}

void bb_id_map_trace_id(const struct bb_id_map *map, uint8_t id[BB_TRACE_ID_SIZE])
{
    uint64_t high = bb_get_be64(id);
    uint64_t low = bb_get_be64(id + 8);

    if ((high | low) == 0) {
        return;
    }
    /* The one id that would become zero takes what zero would have become: still one to one. */
    do {
        permute128(map, &high, &low);
    } while ((high | low) == 0);
    bb_put_be64(id, high);
    bb_put_be64(id + 8, low);
}

void bb_id_map_span_id(const struct bb_id_map *map, uint8_t id[BB_SPAN_ID_SIZE])
{
    uint64_t value = bb_get_be64(id);

    if (value == 0) {
        return;
    }
    do {
        value = permute64(map, value);
    } while (value == 0);
    bb_put_be64(id, value);
}

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

static bool is_uuid_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

static bool is_uuid(const uint8_t *text)
{
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        if (is_uuid_dash(i) ? text[i] != '-' : !is_hex(text[i])) {
            return false;
        }
    }
    return true;
}

static void replace_uuid(const struct bb_id_map *map, uint8_t *text)
{
    char digits[BB_TRACE_ID_HEX_SIZE];
    uint8_t bytes[16];
    size_t count = 0;

    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        if (!is_uuid_dash(i)) {
            digits[count++] = (char)text[i];
        }
    }
    if (!bb_hex_decode(digits, count, bytes)) {
        return;
    }
    uint64_t high = bb_get_be64(bytes);
    uint64_t low = bb_get_be64(bytes + 8);
    permute128(map, &high, &low);
    bb_put_be64(bytes, high);
    bb_put_be64(bytes + 8, low);
    bb_hex_encode(bytes, sizeof(bytes), digits);
    count = 0;
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        if (!is_uuid_dash(i)) {
            if (i != UUID_VERSION_AT && i != UUID_VARIANT_AT) {
                text[i] = (uint8_t)digits[count];
            }
            count++;
        }
    }
}

size_t bb_id_map_uuids(const struct bb_id_map *map, uint8_t *text, size_t size)
{
    size_t count = 0;

    for (size_t at = 0; at + UUID_TEXT_SIZE <= size;) {
        /* The first dash is a cheap test that nearly every other text fails. */
        if (text[at + 8] == '-' && (at == 0 || !is_alphanumeric(text[at - 1])) &&
            (at + UUID_TEXT_SIZE == size || !is_alphanumeric(text[at + UUID_TEXT_SIZE])) &&
            is_uuid(text + at)) {
            replace_uuid(map, text + at);
            count++;
            at += UUID_TEXT_SIZE;
        } else {
            at++;
        }
    }
    return count;
}
