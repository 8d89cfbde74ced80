/*
 * w3c_headers.c - traceparent and tracestate.
 *
 *   traceparent  version "-" trace id "-" parent id "-" flags: 2, 32, 16 and 2 hex digits in lower
 *                case. Version ff and ids of zeros are invalid. Version 00 is exactly 55
 *                characters; a
 *                higher one may go on after another "-", which is ignored.
 */
#include "client/w3c_headers.h"

#include <string.h>

#include "client/include/bobbin/propagation.h"

#define TRACEPARENT_LENGTH (BOBBIN_TRACEPARENT_SIZE - 1)

/* Bytes of a tracestate member that make it the first to go. */
#define LONG_MEMBER_SIZE 128

enum { AT_TRACE_ID = 3, AT_SPAN_ID = 36, AT_FLAGS = 53 };

void bbc_hex_write(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++) {
        unsigned high = bytes[i] >> 4;
        unsigned low = bytes[i] & 15u;

        /* Without a branch or a table, so that compilers make vectors of it. */
        out[2 * i] = (char)(high + '0' + (high > 9) * ('a' - '0' - 10u));
        out[2 * i + 1] = (char)(low + '0' + (low > 9) * ('a' - '0' - 10u));
    }
}

/* Of each digit the value, with IN_ANY_CASE, and with IN_LOWER_CASE unless it is in upper case. */
#define IN_ANY_CASE 0x40u
#define IN_LOWER_CASE 0x80u

static const uint8_t digit_values[256] = {
    ['0'] = 0xc0, ['1'] = 0xc1, ['2'] = 0xc2, ['3'] = 0xc3, ['4'] = 0xc4, ['5'] = 0xc5,
    ['6'] = 0xc6, ['7'] = 0xc7, ['8'] = 0xc8, ['9'] = 0xc9, ['a'] = 0xca, ['b'] = 0xcb,
    ['c'] = 0xcc, ['d'] = 0xcd, ['e'] = 0xce, ['f'] = 0xcf, ['A'] = 0x4a, ['B'] = 0x4b,
    ['C'] = 0x4c, ['D'] = 0x4d, ['E'] = 0x4e, ['F'] = 0x4f,
};

bool bbc_hex_read(const char *text, size_t count, bool is_any_case, uint8_t *out)
{
    unsigned seen = IN_ANY_CASE | IN_LOWER_CASE;

    for (size_t i = 0; i < count; i++) {
        unsigned high = digit_values[(uint8_t)text[2 * i]];
        unsigned low = digit_values[(uint8_t)text[2 * i + 1]];

        seen &= high & low;
        out[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return (seen & (is_any_case ? IN_ANY_CASE : IN_LOWER_CASE)) != 0;
}

void bobbin_traceparent_write(const struct bobbin_span_context *context,
                              char out[BOBBIN_TRACEPARENT_SIZE])
{
    uint8_t flags = context->flags & (BOBBIN_FLAG_SAMPLED | BOBBIN_FLAG_RANDOM);

    if (!bobbin_span_context_is_valid(context)) {
        out[0] = '\0';
        return;
    }
    memcpy(out, "00-", AT_TRACE_ID);
    bbc_hex_write(context->trace_id, sizeof context->trace_id, out + AT_TRACE_ID);
    out[AT_SPAN_ID - 1] = '-';
    bbc_hex_write(context->span_id, sizeof context->span_id, out + AT_SPAN_ID);
    out[AT_FLAGS - 1] = '-';
    bbc_hex_write(&flags, 1, out + AT_FLAGS);
    out[TRACEPARENT_LENGTH] = '\0';
}

enum bobbin_err bobbin_traceparent_read(const char *text, size_t size,
                                        struct bobbin_span_context *out)
{
    struct bobbin_span_context context = {.is_remote = true};
    uint8_t version;

    if (size < TRACEPARENT_LENGTH || text[AT_TRACE_ID - 1] != '-' || text[AT_SPAN_ID - 1] != '-' ||
        text[AT_FLAGS - 1] != '-' || !bbc_hex_read(text, 1, false, &version) || version == 0xff ||
        !bbc_hex_read(text + AT_TRACE_ID, sizeof context.trace_id, false, context.trace_id) ||
        !bbc_hex_read(text + AT_SPAN_ID, sizeof context.span_id, false, context.span_id) ||
        !bbc_hex_read(text + AT_FLAGS, 1, false, &context.flags)) {
        return BOBBIN_EINVAL;
    }
    if (size > TRACEPARENT_LENGTH && (version == 0 || text[TRACEPARENT_LENGTH] != '-')) {
        return BOBBIN_EINVAL;
    }
    if (!bobbin_span_context_is_valid(&context)) {
        return BOBBIN_EINVAL;
    }
    context.flags &= BOBBIN_FLAG_SAMPLED | BOBBIN_FLAG_RANDOM;
    *out = context;
    return BOBBIN_OK;
}

/* Whether `key` is one: 1 to 256 of a-z 0-9 _ - * / @, beginning with a letter or digit. */
static bool is_key(const char *key, size_t size)
{
    if (size == 0 || size > 256) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = key[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_alnum && (i == 0 || memchr("_-*/@", c, 5) == NULL)) {
            return false;
        }
    }
    return true;
}

/*
 * Whether `value` is one: up to 256 printable characters without "," and "=", not ending in one
 * blank.
 */
static bool is_value(const char *value, size_t size)
{
    if (size == 0 || size > 256 || value[size - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (value[i] < 0x20 || value[i] > 0x7e || value[i] == ',' || value[i] == '=') {
            return false;
        }
    }
    return true;
}

static bool has_member(const char *list, size_t size, const char *key, size_t key_size)
{
    for (size_t at = 0; at < size;) {
        const char *comma = memchr(list + at, ',', size - at);
        size_t end = comma == NULL ? size : (size_t)(comma - list);

        if (end - at > key_size && list[at + key_size] == '=' &&
            memcmp(list + at, key, key_size) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

/* Removes the last member of more than LONG_MEMBER_SIZE bytes; false if there is none. */
static bool drop_long_member(char *list, size_t *size)
{
    size_t end = *size;

    while (end > 0) {
        size_t begin = end;

        while (begin > 0 && list[begin - 1] != ',') {
            begin--;
        }
        if (end - begin > LONG_MEMBER_SIZE) {
            size_t next = end < *size ? end + 1 : end;

            if (next == *size && begin > 0) {
                begin--; /* the comma before the last one */
            }
            memmove(list + begin, list + next, *size - next);
            *size -= next - begin;
            return true;
        }
        end = begin == 0 ? 0 : begin - 1;
    }
    return false;
}

static void keep_member(const char *member, size_t member_size, char *out, size_t out_size,
                        size_t *size)
{
    size_t comma = *size > 0;

    while (*size + comma + member_size > out_size && member_size <= LONG_MEMBER_SIZE &&
           drop_long_member(out, size)) {
        comma = *size > 0;
    }
    if (*size + comma + member_size > out_size) {
        return;
    }
    if (comma > 0) {
        out[(*size)++] = ',';
    }
    memcpy(out + *size, member, member_size);
    *size += member_size;
}

bool bbc_tracestate_append(const char *text, size_t text_size, char *out, size_t out_size,
                           size_t *size, unsigned *count)
{
    for (size_t at = 0; at <= text_size;) {
        const char *comma = at < text_size ? memchr(text + at, ',', text_size - at) : NULL;
        size_t end = comma == NULL ? text_size : (size_t)(comma - text);
        const char *equals;
        size_t begin = at;
        size_t key_size;

        at = end + 1;
        while (begin < end && (text[begin] == ' ' || text[begin] == '\t')) {
            begin++;
        }
        while (end > begin && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
            end--;
        }
        if (begin == end) {
            continue; /* empty members are allowed, and mean nothing */
        }
        equals = memchr(text + begin, '=', end - begin);
        if (equals == NULL) {
            return false;
        }
        key_size = (size_t)(equals - text) - begin;
        if (!is_key(text + begin, key_size) ||
            !is_value(equals + 1, (size_t)(text + end - equals) - 1) ||
            has_member(out, *size, text + begin, key_size) ||
            ++*count > BBC_TRACESTATE_MEMBERS_MAX) {
            return false;
        }
        keep_member(text + begin, end - begin, out, out_size, size);
    }
    return true;
}
