/*
 * id_source.h - random ids, a thread's own: xoshiro256++ (Blackman and Vigna 2018), its 256 bits of
 * state seeded from the kernel. All of a trace id's 128 bits are drawn, so that two threads or
 * processes would have to start within reach of each other in an orbit of 2^256 - 1.
 */
#ifndef BBC_ID_SOURCE_H
#define BBC_ID_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct bbc_id_source {
    uint64_t state[4];
};

/* Seeds from the kernel; false where it has no randomness to give. Safe in signal handlers. */
bool bbc_id_source_seed(struct bbc_id_source *source);

static inline uint64_t bbc_rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline uint64_t bbc_id_source_next(struct bbc_id_source *source)
{
    uint64_t *s = source->state;
    uint64_t result = bbc_rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = bbc_rotate_left(s[3], 45);
    return result;
}

/* The next number that is not 0, as ids of zeros are invalid. */
static inline uint64_t bbc_id_source_next_id(struct bbc_id_source *source)
{
    uint64_t id;

    do {
        id = bbc_id_source_next(source);
    } while (id == 0);
    return id;
}

#endif /* BBC_ID_SOURCE_H */
