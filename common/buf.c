#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256u

void bb_buf_init(struct bb_buf *buf, size_t limit_bytes)
{
    *buf = (struct bb_buf){.limit_bytes = limit_bytes};
}

void bb_buf_dispose(struct bb_buf *buf)
{
    if (buf == NULL) {
        return;
    }
    free(buf->data);
    *buf = (struct bb_buf){.limit_bytes = buf->limit_bytes};
}

void bb_buf_clear(struct bb_buf *buf)
{
    buf->size = 0;
    buf->err = BB_OK;
}

BB_COLD static bool grow(struct bb_buf *buf, size_t size)
{
    if (buf->err != BB_OK) {
        return false;
    }
    if (size > buf->limit_bytes - buf->size) {
        buf->err = BB_ETOOBIG;
        return false;
    }
    size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
    while (capacity - buf->size < size) {
        capacity = capacity > buf->limit_bytes / 2 ? buf->limit_bytes : capacity * 2;
    }
    if (capacity > buf->limit_bytes) {
        capacity = buf->limit_bytes;
    }
    uint8_t *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->err = BB_ENOMEM;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *bb_buf_reserve(struct bb_buf *buf, size_t size)
{
    if (BB_UNLIKELY(size > buf->capacity - buf->size || buf->err != BB_OK || buf->data == NULL)) {
        if (!grow(buf, size)) {
            return NULL;
        }
    }
    return buf->data + buf->size;
}

void bb_buf_advance(struct bb_buf *buf, size_t size)
{
    BB_ASSERT(size <= buf->capacity - buf->size);
    buf->size += size;
}

void bb_buf_append(struct bb_buf *buf, const void *data, size_t size)
{
    uint8_t *out = bb_buf_reserve(buf, size);

    if (out != NULL && size > 0) {
        memcpy(out, data, size);
        buf->size += size;
    }
}

void bb_buf_append_slice(struct bb_buf *buf, struct bb_slice bytes)
{
    bb_buf_append(buf, bytes.data, bytes.size);
}

void bb_buf_append_cstr(struct bb_buf *buf, const char *text)
{
    bb_buf_append(buf, text, strlen(text));
}

void bb_buf_append_byte(struct bb_buf *buf, uint8_t byte)
{
    bb_buf_append(buf, &byte, 1);
}

void bb_buf_printf(struct bb_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        buf->err = BB_EINVAL;
        return;
    }
    uint8_t *out = bb_buf_reserve(buf, (size_t)size + 1); /* vsnprintf writes a NUL behind it */
    if (out != NULL) {
        va_start(args, format);
        vsnprintf((char *)out, (size_t)size + 1, format, args);
        va_end(args);
        buf->size += (size_t)size;
    }
}

enum bb_err bb_buf_err(const struct bb_buf *buf)
{
    return buf->err;
}
