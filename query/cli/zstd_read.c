/* zstd_read.c - sees libzstd (its streaming API: a frame needn't tell its size). */
#include "query/cli/zstd_read.h"

#include <zstd.h>

bool bb_zstd_is_frame(struct bb_slice bytes)
{
    static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};

    return bytes.size >= sizeof(magic) && memcmp(bytes.data, magic, sizeof(magic)) == 0;
}

enum bb_err bb_zstd_read(struct bb_slice bytes, struct bb_buf *out, struct bb_err_detail *detail)
{
    ZSTD_inBuffer in = {.src = bytes.data, .size = bytes.size};
    ZSTD_DCtx *context = ZSTD_createDCtx();
    size_t left = 0; /* 0 when a frame is complete */
    enum bb_err err = BB_OK;

    if (context == NULL) {
        return bb_err_set(detail, BB_ENOMEM, "out of memory");
    }
    while (in.pos < in.size || left != 0) {
        size_t chunk = ZSTD_DStreamOutSize();
        size_t in_before = in.pos;
        ZSTD_outBuffer chunk_out = {.dst = bb_buf_reserve(out, chunk), .size = chunk};
        if (chunk_out.dst == NULL) {
            err = bb_err_set(detail, bb_buf_err(out), "inflates to more than %zu bytes",
                             out->limit_bytes);
            break;
        }
        left = ZSTD_decompressStream(context, &chunk_out, &in);
        if (ZSTD_isError(left)) {
            err = bb_err_set(detail, BB_EINVAL, "damaged zstd data: %s", ZSTD_getErrorName(left));
            break;
        }
        bb_buf_advance(out, chunk_out.pos);
        if (left != 0 && in.pos == in_before && chunk_out.pos == 0) {
            err = bb_err_set(detail, BB_EINVAL, "zstd data is cut short");
            break;
        }
    }
    (void)ZSTD_freeDCtx(context);
    return err;
}
