/*
 * buf.h - a growing byte buffer that can't be made without its maximum.
 *
 * Errors stick: after the first append that fails, every later one does nothing, and
 * bb_buf_err() tells. A writer can so append a hundred times and check once.
 *
 * Threads: one at a time.
 */
#ifndef BB_COMMON_BUF_H
#define BB_COMMON_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/err.h"
#include "common/slice.h"

struct bb_buf {
    uint8_t *data; /* ours; NULL until the first append */
    size_t size;
    size_t capacity;
    size_t limit_bytes;
    enum bb_err err; /* BB_OK, BB_ENOMEM or BB_ETOOBIG */
};

void bb_buf_init(struct bb_buf *buf, size_t limit_bytes);

/* Frees the bytes. NULL and a zeroed buffer are accepted. The buffer can be used again. */
void bb_buf_dispose(struct bb_buf *buf);

/* Empties it, and keeps the memory. Clears the error. */
void bb_buf_clear(struct bb_buf *buf);

/* Room for `size` more bytes at the end; NULL (and the error sticks) when there is none. What is
 * written there counts only after bb_buf_advance(). */
uint8_t *bb_buf_reserve(struct bb_buf *buf, size_t size);
void bb_buf_advance(struct bb_buf *buf, size_t size);

void bb_buf_append(struct bb_buf *buf, const void *data, size_t size);
void bb_buf_append_slice(struct bb_buf *buf, struct bb_slice bytes);
void bb_buf_append_cstr(struct bb_buf *buf, const char *text);
void bb_buf_append_byte(struct bb_buf *buf, uint8_t byte);
void bb_buf_printf(struct bb_buf *buf, const char *format, ...) BB_PRINTF(2, 3);

/* BB_OK, or why an append failed. */
BB_MUST_CHECK enum bb_err bb_buf_err(const struct bb_buf *buf);

/* The bytes, borrowed until the next append or dispose. */
static inline struct bb_slice bb_buf_slice(const struct bb_buf *buf)
{
    return bb_slice_of(buf->data, buf->size);
}

#endif /* BB_COMMON_BUF_H */
