#include "store/zstd_codec.h"

#include <pthread.h>
#include <string.h>
#include <zstd.h>

/* Made at a thread's first use, freed at its end. */
static pthread_key_t compress_key;
static pthread_key_t inflate_key;
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void free_compress_context(void *context)
{
    ZSTD_freeCCtx(context);
}

static void free_inflate_context(void *context)
{
    ZSTD_freeDCtx(context);
}

static void make_keys(void)
{
    BB_ASSERT(pthread_key_create(&compress_key, free_compress_context) == 0);
    BB_ASSERT(pthread_key_create(&inflate_key, free_inflate_context) == 0);
}

static ZSTD_CCtx *compress_context(void)
{
    pthread_once(&keys_once, make_keys);
    ZSTD_CCtx *context = pthread_getspecific(compress_key);
    if (context == NULL) {
        context = ZSTD_createCCtx();
        if (context != NULL) {
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, BB_ZSTD_LEVEL);
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
            pthread_setspecific(compress_key, context);
        }
    }
    return context;
}

static ZSTD_DCtx *inflate_context(void)
{
    pthread_once(&keys_once, make_keys);
    ZSTD_DCtx *context = pthread_getspecific(inflate_key);
    if (context == NULL) {
        context = ZSTD_createDCtx();
        if (context != NULL) {
            pthread_setspecific(inflate_key, context);
        }
    }
    return context;
}

enum bb_err bb_zstd_compress(struct bb_slice plain, struct bb_buf *out)
{
    ZSTD_CCtx *context = compress_context();
    size_t bound = ZSTD_compressBound(plain.size);
    uint8_t *frame = bb_buf_reserve(out, bound);

    if (context == NULL || frame == NULL) {
        return frame == NULL ? bb_buf_err(out) : BB_ENOMEM;
    }
    size_t size = ZSTD_compress2(context, frame, bound, plain.data, plain.size);
    if (ZSTD_isError(size)) {
        return BB_ENOMEM; /* the bound makes any other failure impossible */
    }
    bb_buf_advance(out, size);
    return BB_OK;
}

enum bb_err bb_zstd_inflate(struct bb_slice frame, size_t plain_bytes_max, struct bb_arena *arena,
                            struct bb_slice *out_plain)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.size);
    ZSTD_DCtx *context = inflate_context();

    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
        size > plain_bytes_max) {
        return BB_ECORRUPT;
    }
    uint8_t *plain = bb_arena_try_alloc(arena, (size_t)size + 8);
    if (context == NULL || plain == NULL) {
        return BB_ENOMEM;
    }
    size_t got = ZSTD_decompressDCtx(context, plain, (size_t)size, frame.data, frame.size);
    if (ZSTD_isError(got) || got != size) {
        return BB_ECORRUPT;
    }
    memset(plain + size, 0, 8);
    *out_plain = bb_slice_of(plain, (size_t)size);
    return BB_OK;
}
