/*
 * pb_put.h - writes the protobuf wire format to a pointer; the caller has made the room.
 *
 * A length that isn't known yet gets a varint of a fixed width, padded with continuation bits: a
 * form that every parser takes, and that saves a second pass.
 */
#ifndef BBC_PB_PUT_H
#define BBC_PB_PUT_H

#include <stdint.h>
#include <string.h>

enum bbc_wire { BBC_VARINT = 0, BBC_FIXED64 = 1, BBC_BYTES = 2, BBC_FIXED32 = 5 };

/* Bytes of the longest tag used here, and of the longest varint. */
#define BBC_TAG_SIZE_MAX 2
#define BBC_VARINT_SIZE_MAX 10

static inline uint8_t *bbc_put_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline unsigned bbc_varint_size(uint64_t value)
{
    unsigned size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

/* Writes `value` into exactly `width` bytes. */
static inline void bbc_put_varint_padded(uint8_t *to, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i + 1 < width; i++) {
        to[i] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[width - 1] = (uint8_t)(value & 0x7f);
}

static inline uint8_t *bbc_put_tag(uint8_t *to, uint32_t field, enum bbc_wire wire)
{
    return bbc_put_varint(to, field << 3 | (uint32_t)wire);
}

static inline uint8_t *bbc_put_uint(uint8_t *to, uint32_t field, uint64_t value)
{
    return bbc_put_varint(bbc_put_tag(to, field, BBC_VARINT), value);
}

static inline uint8_t *bbc_put_fixed64(uint8_t *to, uint32_t field, uint64_t value)
{
    to = bbc_put_tag(to, field, BBC_FIXED64);
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
    return to + 8;
}

static inline uint8_t *bbc_put_fixed32(uint8_t *to, uint32_t field, uint32_t value)
{
    to = bbc_put_tag(to, field, BBC_FIXED32);
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
    return to + 4;
}

static inline uint8_t *bbc_put_bytes(uint8_t *to, uint32_t field, const void *data, size_t size)
{
    to = bbc_put_varint(bbc_put_tag(to, field, BBC_BYTES), size);
    if (size > 0) {
        memcpy(to, data, size);
    }
    return to + size;
}

#endif /* BBC_PB_PUT_H */
