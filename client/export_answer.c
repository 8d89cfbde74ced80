#include "client/export_answer.h"

#include <stdbool.h>

#include "client/pb_put.h"

static bool read_varint(const uint8_t **next, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *next < end; shift += 7) {
        uint8_t byte = *(*next)++;

        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* Finds field 1 of the type; its number, or the length of its bytes at *out_bytes. */
static bool find_first(const uint8_t *next, const uint8_t *end, enum bbc_wire wire,
                       uint64_t *out_value, const uint8_t **out_bytes)
{
    while (next < end) {
        uint64_t tag;
        uint64_t value;

        if (!read_varint(&next, end, &tag) || ((tag & 7) != BBC_VARINT && (tag & 7) != BBC_BYTES) ||
            !read_varint(&next, end, &value) ||
            ((tag & 7) == BBC_BYTES && value > (uint64_t)(end - next))) {
            return false;
        }
        if (tag == (1u << 3 | (unsigned)wire)) {
            *out_value = value;
            *out_bytes = next;
            return true;
        }
        if ((tag & 7) == BBC_BYTES) {
            next += value;
        }
    }
    return false;
}

uint32_t bbc_otlp_answer_rejected(const uint8_t *answer, size_t size)
{
    const uint8_t *partial;
    const uint8_t *unused;
    uint64_t partial_size;
    uint64_t rejected;

    if (size == 0 || !find_first(answer, answer + size, BBC_BYTES, &partial_size, &partial) ||
        !find_first(partial, partial + partial_size, BBC_VARINT, &rejected, &unused)) {
        return 0;
    }
    /* An int64: one below zero makes no sense, and one that is too large is cut by the counters. */
    return rejected > INT64_MAX ? 0 : rejected > UINT32_MAX ? UINT32_MAX : (uint32_t)rejected;
}
