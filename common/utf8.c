#include "common/utf8.h"

#include "common/bytes.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

unsigned bb_utf8_sequence_size(struct bb_slice text)
{
    const uint8_t *p = text.data;

    if (text.size == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        return text.size >= 2 && is_continuation(p[1]) ? 2 : 0;
    }
    if ((p[0] & 0xf0) == 0xe0) {
        if (text.size < 3 || !is_continuation(p[1]) || !is_continuation(p[2]) ||
            (p[0] == 0xe0 && p[1] < 0xa0) || /* overlong */
            (p[0] == 0xed && p[1] > 0x9f)) { /* surrogate */
            return 0;
        }
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (text.size < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) ||
            !is_continuation(p[3]) || (p[0] == 0xf0 && p[1] < 0x90) || /* overlong */
            (p[0] == 0xf4 && p[1] > 0x8f)) {                          /* above U+10FFFF */
            return 0;
        }
        return 4;
    }
    return 0;
}

bool bb_utf8_is_valid(struct bb_slice text)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;

    while (at < text.size) {
        /* Nearly all text is ASCII: eight bytes at a time. */
        if (text.size - at >= 8 && (bb_get_le64(text.data + at) & high_bits) == 0) {
            at += 8;
            continue;
        }
        unsigned size = bb_utf8_sequence_size(bb_slice_of(text.data + at, text.size - at));
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}
