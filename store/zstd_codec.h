/*
 * zstd_codec.h - one zstd frame a value, with its checksum and its content size in the frame.
 * Sees zstd. Contexts are kept for each thread.
 */
#ifndef BB_STORE_ZSTD_CODEC_H
#define BB_STORE_ZSTD_CODEC_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* Level 1: on columns and rows alike, higher levels gain 1-2 % for several times the CPU. */
#define BB_ZSTD_LEVEL 1

/* Appends a frame with `plain` in it. */
BB_MUST_CHECK enum bb_err bb_zstd_compress(struct bb_slice plain, struct bb_buf *out);

/*
 * Inflates one frame into the arena; NUL-padded by 8 bytes, so that a reader may look ahead.
 *
 * BB_ECORRUPT  not a frame of ours, its checksum is wrong, or it is over `plain_bytes_max`
 * BB_ENOMEM    the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_zstd_inflate(struct bb_slice frame, size_t plain_bytes_max,
                                          struct bb_arena *arena, struct bb_slice *out_plain);

#endif /* BB_STORE_ZSTD_CODEC_H */
