/*
 * fuzz_inflate.c - any bytes in any encoding: what comes out is within the limit, and so is the
 * memory that it took. The first byte picks the encoding.
 */
#include "collector/inflate.h"
#include "common/check.h"
#include "tests/fuzz/fuzz_target.h"

#define LIMIT_BYTES ((size_t)2 << 20)
/* An output that grew by doubling, each size of it kept until the arena goes. */
#define ARENA_BYTES_MAX (4 * LIMIT_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum bb_encoding encodings[] = {BB_ENCODING_GZIP, BB_ENCODING_ZSTD,
                                                 BB_ENCODING_DEFLATE, BB_ENCODING_IDENTITY};
    struct bb_err_detail detail = {0};
    struct bb_arena arena;
    struct bb_slice body;

    if (size == 0) {
        return 0;
    }
    bb_arena_init(&arena, ARENA_BYTES_MAX);
    enum bb_err err =
        bb_inflate(encodings[data[0] % BB_ARRAY_COUNT(encodings)], bb_slice_of(data + 1, size - 1),
                   LIMIT_BYTES, &arena, &detail, &body);
    if (err == BB_OK) {
        volatile uint8_t sum = 0;
        BB_ASSERT(body.size <= LIMIT_BYTES);
        for (size_t i = 0; i < body.size; i++) {
            sum = (uint8_t)(sum + body.data[i]); /* every byte of it can be read */
        }
    } else {
        BB_ASSERT(detail.text[0] != '\0');
        BB_ASSERT(err == BB_EINVAL || err == BB_ETOOBIG); /* ARENA_BYTES_MAX is enough */
    }
    bb_arena_dispose(&arena);
    return 0;
}
