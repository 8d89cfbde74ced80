/*
 * inflate.h - compressed bodies: requests inflated as a stream under a limit on the inflated size,
 * and answers made smaller. Sees zlib and zstd.
 */
#ifndef BB_COLLECTOR_INFLATE_H
#define BB_COLLECTOR_INFLATE_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

enum bb_encoding { BB_ENCODING_IDENTITY, BB_ENCODING_GZIP, BB_ENCODING_ZSTD, BB_ENCODING_DEFLATE };

/* Reads a Content-Encoding value ("", identity, gzip, x-gzip, zstd, deflate; any case); NULL is
 * identity. BB_EUNSUPPORTED for another. */
BB_MUST_CHECK enum bb_err bb_encoding_parse(const char *text, enum bb_encoding *out_encoding);

/* True when `bytes` begin as a zstd frame does (RFC 8878, 3.1.1). */
bool bb_is_zstd(struct bb_slice bytes);

/*
 * Inflates `body` into the arena; several gzip members or zstd frames in a row are one body.
 * Identity gives `body` itself, if it is not over the limit.
 *
 * BB_OK       *out_body is set
 * BB_EINVAL   damaged or cut short, or bytes behind the end
 * BB_ETOOBIG  more than `limit_bytes` inflated, or over BB_INFLATE_RATIO_MAX, or a zstd window over
 *             BB_ZSTD_WINDOW_LOG_MAX (where the frame doesn't tell its size)
 * BB_ENOMEM   the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_inflate(enum bb_encoding encoding, struct bb_slice body,
                                     size_t limit_bytes, struct bb_arena *arena,
                                     struct bb_err_detail *detail, struct bb_slice *out_body);

/* Appends `body` as one gzip member, at zlib's fastest level. BB_ENOMEM, or BB_ETOOBIG when `out`
 * is at its limit; `out` then has a part of it. */
BB_MUST_CHECK enum bb_err bb_gzip(struct bb_slice body, struct bb_buf *out);

#endif /* BB_COLLECTOR_INFLATE_H */
