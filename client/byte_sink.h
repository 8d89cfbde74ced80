/*
 * byte_sink.h - a growing buffer of bytes for what is built off the recording path. A failed growth
 * sticks: later writes do nothing, and `failed` says so at the end.
 */
#ifndef BBC_BYTE_SINK_H
#define BBC_BYTE_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "client/client_alloc.h"

struct bbc_sink {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
};

static inline void bbc_sink_dispose(struct bbc_sink *sink)
{
    bbc_free(sink->data);
    *sink = (struct bbc_sink){0};
}

/* Room for `more` bytes behind the present ones, or NULL. */
static inline uint8_t *bbc_sink_reserve(struct bbc_sink *sink, size_t more)
{
    if (sink->failed || more > SIZE_MAX / 4) {
        sink->failed = true;
        return NULL;
    }
    if (sink->capacity - sink->size < more) {
        size_t wanted = (sink->size + more) * 2;
        uint8_t *data = bbc_resize(sink->data, wanted);

        if (data == NULL) {
            sink->failed = true;
            return NULL;
        }
        sink->data = data;
        sink->capacity = wanted;
    }
    return sink->data + sink->size;
}

static inline void bbc_sink_put(struct bbc_sink *sink, const void *data, size_t size)
{
    uint8_t *to = bbc_sink_reserve(sink, size);

    if (to != NULL && size > 0) {
        memcpy(to, data, size);
        sink->size += size;
    }
}

static inline void bbc_sink_text(struct bbc_sink *sink, const char *text)
{
    bbc_sink_put(sink, text, strlen(text));
}

static inline void bbc_sink_byte(struct bbc_sink *sink, uint8_t byte)
{
    bbc_sink_put(sink, &byte, 1);
}

#endif /* BBC_BYTE_SINK_H */
