/*
 * lz4_codec.h - the log's compression: a log entry lives for seconds, so it is coded for speed and
 * not for size (docs/adr/0004-log-in-lz4.md). Sees lz4.
 *
 *   OFFSET  SIZE  FIELD
 *        0     4  size before compression, little-endian
 *        4     -  one LZ4 block
 *
 * No checksum of its own: the engine has one on everything that the log is read from.
 */
#ifndef BB_STORE_LZ4_CODEC_H
#define BB_STORE_LZ4_CODEC_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* Appends the entry of `plain`, which has at most BB_REQUEST_BYTES_MAX bytes. */
BB_MUST_CHECK enum bb_err bb_lz4_compress(struct bb_slice plain, struct bb_buf *out);

/* BB_ECORRUPT when it is no such entry, or of more than `plain_bytes_max`; BB_ENOMEM. */
BB_MUST_CHECK enum bb_err bb_lz4_inflate(struct bb_slice entry, size_t plain_bytes_max,
                                         struct bb_arena *arena, struct bb_slice *out_plain);

#endif /* BB_STORE_LZ4_CODEC_H */
