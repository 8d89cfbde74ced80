#include "query/param_text.h"

#include <string.h>

#include "common/check.h"
#include "common/time_text.h"

bool bb_param_parse_uint(struct bb_slice text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out_value = value;
    return true;
}

bool bb_param_parse_bool(struct bb_slice text, bool *out_value)
{
    static const char *const words[] = {"1", "t", "T", "TRUE",  "true",  "True",
                                        "0", "f", "F", "FALSE", "false", "False"};

    for (size_t i = 0; i < BB_ARRAY_COUNT(words); i++) {
        if (bb_slice_equals_cstr(text, words[i])) {
            *out_value = i < BB_ARRAY_COUNT(words) / 2;
            return true;
        }
    }
    return false;
}

bool bb_param_parse_time(struct bb_slice text, uint64_t *out_unix_ns)
{
    uint8_t copy[64];
    const size_t offset_size = strlen("+01:00");

    if (text.size < strlen("1970-01-01T00:00:00Z") || text.size > sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    if (copy[text.size - offset_size] == ' ') {
        copy[text.size - offset_size] = '+';
    }
    switch (bb_rfc3339_parse(bb_slice_of(copy, text.size), out_unix_ns)) {
    case BB_OK:
        return true;
    case BB_ETOOBIG: /* out of range on one side or the other; the year tells which */
        *out_unix_ns = memcmp(copy, "1970", 4) <= 0 ? 0 : UINT64_MAX;
        return true;
    default:
        return false;
    }
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes at most BB_TRACE_ID_SIZE bytes; the size, or 0 when it isn't base64 or is longer. */
static size_t decode_base64(struct bb_slice text, uint8_t out[BB_TRACE_ID_SIZE])
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t size = 0;

    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        int digit = base64_digit(text.data[i]);
        if (digit < 0) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            if (size == BB_TRACE_ID_SIZE) {
                return 0;
            }
            bit_count -= 8;
            out[size++] = (uint8_t)(bits >> bit_count);
        }
    }
    return size;
}

bool bb_param_parse_trace_id(struct bb_slice text, struct bb_trace_id *out_id)
{
    uint8_t bytes[BB_TRACE_ID_SIZE];
    struct bb_trace_id id = {{0}};

    if (bb_trace_id_parse(text, out_id) == BB_OK) {
        return true;
    }
    size_t size = decode_base64(text, bytes);
    if (size != BB_TRACE_ID_SIZE && size != BB_TRACE_ID_SIZE / 2) {
        return false;
    }
    memcpy(id.bytes + BB_TRACE_ID_SIZE - size, bytes, size);
    if (bb_trace_id_is_zero(&id)) {
        return false;
    }
    *out_id = id;
    return true;
}
