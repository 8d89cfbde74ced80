/* bytes.h - fixed-width integers in byte buffers, and hex. Cannot fail, owns nothing. */
#ifndef BB_COMMON_BYTES_H
#define BB_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void bb_put_be32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static inline void bb_put_be64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static inline uint32_t bb_get_be32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static inline uint64_t bb_get_be64(const uint8_t *in)
{
    return (uint64_t)bb_get_be32(in) << 32 | bb_get_be32(in + 4);
}

static inline void bb_put_le32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline void bb_put_le64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline uint32_t bb_get_le32(const uint8_t *in)
{
    return (uint32_t)in[3] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[1] << 8 | in[0];
}

static inline uint64_t bb_get_le64(const uint8_t *in)
{
    return (uint64_t)bb_get_le32(in + 4) << 32 | bb_get_le32(in);
}

/* Writes 2 * size lower-case hex digits and a NUL to `out`. */
void bb_hex_encode(const uint8_t *bytes, size_t size, char *out);

/* Reads `digit_count` hex digits, either case, into digit_count / 2 bytes. False when a character
 * is no hex digit or the count is odd; `out` is then undefined. */
bool bb_hex_decode(const char *digits, size_t digit_count, uint8_t *out);

#endif /* BB_COMMON_BYTES_H */
