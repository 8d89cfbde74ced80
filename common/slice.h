/*
 * slice.h - bytes that somebody else owns: a pointer and a size. Carries nearly all data here.
 * A slice says nothing of who owns the bytes; the struct that holds it does.
 */
#ifndef BB_COMMON_SLICE_H
#define BB_COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bb_slice {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

static inline struct bb_slice bb_slice_of(const void *data, size_t size)
{
    return (struct bb_slice){.data = data, .size = size};
}

static inline struct bb_slice bb_slice_from_cstr(const char *text)
{
    return (struct bb_slice){.data = (const uint8_t *)text, .size = text ? strlen(text) : 0};
}

static inline bool bb_slice_equals(struct bb_slice a, struct bb_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bb_slice_equals_cstr(struct bb_slice a, const char *text)
{
    return bb_slice_equals(a, bb_slice_from_cstr(text));
}

/* memcmp order, a prefix before what it begins. */
static inline int bb_slice_compare(struct bb_slice a, struct bb_slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

#endif /* BB_COMMON_SLICE_H */
