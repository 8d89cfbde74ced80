#include "client/overflow_pool.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define WORD_BITS 64u

struct size_class {
    uint32_t block_size;
    uint32_t block_count;
    uint32_t first_word; /* of the bitmap */
};

static const struct size_class classes[] = {
    {4u * 1024, 256, 0},
    {32u * 1024, 64, 4},
    {256u * 1024, 16, 5},
    {BBC_BLOCK_SIZE_MAX, 8, 6},
};

enum { CLASS_COUNT = sizeof classes / sizeof classes[0], WORD_COUNT = 7 };

static _Atomic(uint8_t *) pool;
static atomic_ullong taken[WORD_COUNT]; /* a bit set: that block is taken */

static size_t class_bytes(const struct size_class *class)
{
    return (size_t)class->block_size * class->block_count;
}

int bbc_overflow_map(void)
{
    size_t size = 0;
    void *mapped;

    if (atomic_load_explicit(&pool, memory_order_acquire) != NULL) {
        return 1;
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        size += class_bytes(&classes[i]);
    }
    mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    if (mapped == MAP_FAILED) {
        return 0;
    }
    atomic_store_explicit(&pool, mapped, memory_order_release);
    return 1;
}

/* The index of a block that was free and is now taken, or -1. */
static int take_from(const struct size_class *class)
{
    unsigned words = (class->block_count + WORD_BITS - 1) / WORD_BITS;

    for (unsigned w = 0; w < words; w++) {
        atomic_ullong *word = &taken[class->first_word + w];
        unsigned bits = class->block_count < WORD_BITS ? class->block_count : WORD_BITS;
        unsigned long long full = bits == WORD_BITS ? ~0ull : (1ull << bits) - 1;
        unsigned long long seen = atomic_load_explicit(word, memory_order_relaxed);

        while (seen != full) {
            unsigned bit = (unsigned)__builtin_ctzll(~seen);

            if (atomic_compare_exchange_weak_explicit(word, &seen, seen | 1ull << bit,
                                                      memory_order_acquire, memory_order_relaxed)) {
                return (int)(w * WORD_BITS + bit);
            }
        }
    }
    return -1;
}

uint8_t *bbc_overflow_take(size_t size, uint32_t *out_size)
{
    uint8_t *at = atomic_load_explicit(&pool, memory_order_acquire);

    if (at == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        int block = classes[i].block_size < size ? -1 : take_from(&classes[i]);

        if (block >= 0) {
            *out_size = classes[i].block_size;
            return at + (size_t)block * classes[i].block_size;
        }
        at += class_bytes(&classes[i]);
    }
    return NULL;
}

void bbc_overflow_release(uint8_t *block)
{
    size_t offset;

    if (block == NULL) {
        return;
    }
    offset = (size_t)(block - atomic_load_explicit(&pool, memory_order_relaxed));
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        if (offset < class_bytes(&classes[i])) {
            unsigned index = (unsigned)(offset / classes[i].block_size);

            atomic_fetch_and_explicit(&taken[classes[i].first_word + index / WORD_BITS],
                                      ~(1ull << index % WORD_BITS), memory_order_release);
            return;
        }
        offset -= class_bytes(&classes[i]);
    }
}

unsigned bbc_overflow_taken_count(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        count += (unsigned)__builtin_popcountll(atomic_load(&taken[i]));
    }
    return count;
}
