#include "common/utf8.h"

#include "common/bytes.h"
#include "common/check.h"

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
            (p[0] == 0xf4 && p[1] > 0x8f)) {                           /* above U+10FFFF */
            return 0;
        }
        return 4;
    }
    return 0;
}

static bool is_ascii(struct bb_slice text)
{
    const uint8_t *p = text.data;
    uint64_t bits = 0;

    if (text.size >= 8) {
        for (size_t at = 0; at < text.size - 8; at += 8) {
            bits |= bb_get_le64(p + at);
        }
        bits |= bb_get_le64(p + text.size - 8); /* what is left, and some bytes again */
    } else {
        for (size_t at = 0; at < text.size; at++) {
            bits |= p[at];
        }
    }
    return (bits & UINT64_C(0x8080808080808080)) == 0;
}

bool bb_utf8_is_valid(struct bb_slice text)
{
    size_t at = 0;

    if (BB_LIKELY(is_ascii(text))) {
        return true; /* nearly all text */
    }
    while (at < text.size) {
        unsigned size = bb_utf8_sequence_size(bb_slice_of(text.data + at, text.size - at));
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}
