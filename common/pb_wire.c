#include "common/pb_wire.h"

const uint8_t *bb_pb_read_long_varint(const uint8_t *next, const uint8_t *end, unsigned size_max,
                                      uint64_t *out_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 7 * size_max && next < end; shift += 7) {
        uint8_t byte = *next++;
        if (shift == 63 && byte > 1) {
            break; /* over 64 bits */
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out_value = value;
            return next;
        }
    }
    return NULL;
}

void bb_pb_write_varint(struct bb_buf *buf, uint64_t value)
{
    /* No more than needed, so that a buffer can be filled up to its limit. */
    uint8_t *out = bb_buf_reserve(buf, bb_pb_varint_size(value));
    size_t size = 0;

    if (out == NULL) {
        return;
    }
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    bb_buf_advance(buf, size);
}

void bb_pb_write_tag(struct bb_buf *buf, uint32_t number, enum bb_pb_type type)
{
    bb_pb_write_varint(buf, (uint64_t)number << 3 | (uint64_t)type);
}

void bb_pb_write_uint(struct bb_buf *buf, uint32_t number, uint64_t value)
{
    bb_pb_write_tag(buf, number, BB_PB_VARINT);
    bb_pb_write_varint(buf, value);
}

void bb_pb_write_fixed64(struct bb_buf *buf, uint32_t number, uint64_t value)
{
    uint8_t bytes[8];

    bb_put_le64(bytes, value);
    bb_pb_write_tag(buf, number, BB_PB_FIXED64);
    bb_buf_append(buf, bytes, sizeof bytes);
}

void bb_pb_write_fixed32(struct bb_buf *buf, uint32_t number, uint32_t value)
{
    uint8_t bytes[4];

    bb_put_le32(bytes, value);
    bb_pb_write_tag(buf, number, BB_PB_FIXED32);
    bb_buf_append(buf, bytes, sizeof bytes);
}

void bb_pb_write_bytes(struct bb_buf *buf, uint32_t number, struct bb_slice bytes)
{
    bb_pb_write_tag(buf, number, BB_PB_BYTES);
    bb_pb_write_varint(buf, bytes.size);
    bb_buf_append_slice(buf, bytes);
}

void bb_pb_write_double(struct bb_buf *buf, uint32_t number, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    bb_pb_write_fixed64(buf, number, bits);
}

size_t bb_pb_begin_message(struct bb_buf *buf, uint32_t number)
{
    bb_pb_write_tag(buf, number, BB_PB_BYTES);
    return buf->size;
}

void bb_pb_end_message(struct bb_buf *buf, size_t mark)
{
    if (bb_buf_err(buf) != BB_OK) {
        return;
    }
    BB_ASSERT(mark <= buf->size);
    size_t content_size = buf->size - mark;
    size_t length_size = bb_pb_varint_size(content_size);

    if (bb_buf_reserve(buf, length_size) == NULL) {
        return;
    }
    memmove(buf->data + mark + length_size, buf->data + mark, content_size);
    for (size_t i = 0; i < length_size; i++) {
        bool is_last = i + 1 == length_size;
        buf->data[mark + i] = (uint8_t)((content_size >> (7 * i) & 0x7f) | (is_last ? 0 : 0x80));
    }
    bb_buf_advance(buf, length_size);
}
