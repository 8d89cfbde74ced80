/* zstd_read.h - a file in zstd frames (RFC 8878), inflated. The one part of the program that sees
 * libzstd. */
#ifndef BB_QUERY_CLI_ZSTD_READ_H
#define BB_QUERY_CLI_ZSTD_READ_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* Does `bytes` begin like a zstd frame? */
bool bb_zstd_is_frame(struct bb_slice bytes);

/*
 * Appends what the frames of `bytes` hold, one behind the other, to `out`.
 *
 * BB_OK
 * BB_EINVAL   damaged or cut short
 * BB_ETOOBIG  more than `out` may have
 * BB_ENOMEM
 * In each case but the first, detail has the words.
 */
BB_MUST_CHECK enum bb_err bb_zstd_read(struct bb_slice bytes, struct bb_buf *out,
                                       struct bb_err_detail *detail);

#endif /* BB_QUERY_CLI_ZSTD_READ_H */
