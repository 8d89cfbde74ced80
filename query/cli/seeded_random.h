/* seeded_random.h - SplitMix64 (Steele, Lea, Flood 2014): the same numbers from the same seed on
 * every machine. For made-up traffic; not for secrets. */
#ifndef BB_QUERY_CLI_SEEDED_RANDOM_H
#define BB_QUERY_CLI_SEEDED_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t bb_random_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* A number from `min` to `max`. The ranges here are so small that the bias of % can't be seen. */
static inline uint64_t bb_random_between(uint64_t *state, uint64_t min, uint64_t max)
{
    return min + bb_random_next(state) % (max - min + 1);
}

static inline bool bb_random_percent(uint64_t *state, unsigned percent)
{
    return bb_random_next(state) % 100 < percent;
}

#endif /* BB_QUERY_CLI_SEEDED_RANDOM_H */
