#include "common/ids.h"

#include <sys/random.h>

#include "common/bytes.h"

/*
 * Trace ids come from outside, so a fixed hash could be attacked with ids that collide. The key is
 * drawn once a process.
 */
static uint64_t hash_key[2];

__attribute__((constructor)) static void draw_hash_key(void)
{
    if (getrandom(hash_key, sizeof hash_key, GRND_NONBLOCK) != (ssize_t)sizeof hash_key) {
        /* The loader's randomness, better than none. */
        hash_key[0] = (uint64_t)(uintptr_t)&hash_key;
        hash_key[1] = UINT64_C(0x9e3779b97f4a7c15);
    }
    hash_key[0] |= 1;
    hash_key[1] |= 1;
}

uint64_t bb_trace_id_hash(const struct bb_trace_id *id)
{
    uint64_t a = (bb_get_le64(id->bytes) ^ hash_key[0]) * UINT64_C(0xbf58476d1ce4e5b9);
    uint64_t b = bb_get_le64(id->bytes + 8) ^ hash_key[1];

    a = (a ^ a >> 32 ^ b) * UINT64_C(0x94d049bb133111eb);
    a = (a ^ a >> 29) * hash_key[1];
    return a ^ a >> 32;
}

void bb_trace_id_format(const struct bb_trace_id *id, char out[BB_TRACE_ID_HEX_SIZE])
{
    bb_hex_encode(id->bytes, BB_TRACE_ID_SIZE, out);
}

void bb_span_id_format(const struct bb_span_id *id, char out[BB_SPAN_ID_HEX_SIZE])
{
    bb_hex_encode(id->bytes, BB_SPAN_ID_SIZE, out);
}

static bool parse_padded_hex(struct bb_slice text, uint8_t *out, size_t size)
{
    char digits[2 * BB_TRACE_ID_SIZE];
    size_t digit_count = 2 * size;

    if (text.size == 0 || text.size > digit_count) {
        return false;
    }
    memset(digits, '0', digit_count);
    memcpy(digits + digit_count - text.size, text.data, text.size);
    return bb_hex_decode(digits, digit_count, out);
}

enum bb_err bb_trace_id_parse(struct bb_slice text, struct bb_trace_id *out_id)
{
    struct bb_trace_id id;

    if (!parse_padded_hex(text, id.bytes, sizeof id.bytes) || bb_trace_id_is_zero(&id)) {
        return BB_EINVAL;
    }
    *out_id = id;
    return BB_OK;
}

enum bb_err bb_span_id_parse(struct bb_slice text, struct bb_span_id *out_id)
{
    struct bb_span_id id;

    if (!parse_padded_hex(text, id.bytes, sizeof id.bytes) || bb_span_id_is_zero(&id)) {
        return BB_EINVAL;
    }
    *out_id = id;
    return BB_OK;
}
