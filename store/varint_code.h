/* varint_code.h - differences as unsigned numbers: small ones, of either sign, stay small. */
#ifndef BB_STORE_VARINT_CODE_H
#define BB_STORE_VARINT_CODE_H

#include <stdint.h>

/* `value` is taken as a two's complement number; works modulo 2^64. */
static inline uint64_t bb_zigzag(uint64_t value)
{
    return value << 1 ^ (value >> 63 != 0 ? UINT64_MAX : 0);
}

static inline uint64_t bb_unzigzag(uint64_t coded)
{
    return coded >> 1 ^ (0 - (coded & 1));
}

#endif /* BB_STORE_VARINT_CODE_H */
