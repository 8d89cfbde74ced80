/*
 * overflow_pool.h - blocks for the data of spans that outgrow the space in the span itself.
 *
 * Four sizes, each a fixed number, in one mapping that the kernel fills as it is touched: taking
 * one is a scan of a bitmap and a compare-and-swap, without a lock and without the allocator. A
 * span
 * that needs more than there is loses that attribute, counted. The exporting thread gives blocks
 * back after encoding them.
 *
 *   SIZE      NUMBER  ALTOGETHER
 *   4 KiB        256       1 MiB
 *   32 KiB        64       2 MiB
 *   256 KiB       16       4 MiB
 *   1 MiB          8       8 MiB
 */
#ifndef BBC_OVERFLOW_POOL_H
#define BBC_OVERFLOW_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the largest block: what one span can hold. */
#define BBC_BLOCK_SIZE_MAX (1024u * 1024u)

/*
 * A block of at least `size` bytes, or NULL where none is left. Its size goes to *out_size. Given
 * back by bbc_overflow_release. Safe in signal handlers once bbc_overflow_map has been called.
 */
uint8_t *bbc_overflow_take(size_t size, uint32_t *out_size);

/* Gives a block back; NULL does nothing. */
void bbc_overflow_release(uint8_t *block);

/*
 * Maps the pool, once; false where the kernel refuses. The caller sees to it that one thread does.
 */
int bbc_overflow_map(void);

/* Blocks that are taken at present. */
unsigned bbc_overflow_taken_count(void);

#endif /* BBC_OVERFLOW_POOL_H */
