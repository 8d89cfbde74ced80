#include "store/lz4_codec.h"

#include <lz4.h>

#include "common/bytes.h"
#include "common/limits.h"

#define HEAD_SIZE 4u

static_assert(BB_REQUEST_BYTES_MAX <= LZ4_MAX_INPUT_SIZE, "lz4 takes a request as one block");

enum bb_err bb_lz4_compress(struct bb_slice plain, struct bb_buf *out)
{
    BB_ASSERT(plain.size <= BB_REQUEST_BYTES_MAX);
    int bound = LZ4_compressBound((int)plain.size);
    uint8_t *entry = bb_buf_reserve(out, HEAD_SIZE + (size_t)bound);
    if (entry == NULL) {
        return bb_buf_err(out);
    }
    bb_put_le32(entry, (uint32_t)plain.size);
    int size = LZ4_compress_default((const char *)plain.data, (char *)entry + HEAD_SIZE,
                                    (int)plain.size, bound);
    BB_ASSERT(size > 0); /* the bound makes a failure impossible */
    bb_buf_advance(out, HEAD_SIZE + (size_t)size);
    return BB_OK;
}

enum bb_err bb_lz4_inflate(struct bb_slice entry, size_t plain_bytes_max, struct bb_arena *arena,
                           struct bb_slice *out_plain)
{
    if (entry.size < HEAD_SIZE || entry.size > INT32_MAX ||
        bb_get_le32(entry.data) > plain_bytes_max) {
        return BB_ECORRUPT;
    }
    size_t size = bb_get_le32(entry.data);
    uint8_t *plain = bb_arena_try_alloc(arena, size + 1);
    if (plain == NULL) {
        return BB_ENOMEM;
    }
    int got = LZ4_decompress_safe((const char *)entry.data + HEAD_SIZE, (char *)plain,
                                  (int)(entry.size - HEAD_SIZE), (int)size);
    if (got < 0 || (size_t)got != size) {
        return BB_ECORRUPT;
    }
    *out_plain = bb_slice_of(plain, size);
    return BB_OK;
}
