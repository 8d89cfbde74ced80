#include "client/env_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/include/bobbin/bobbin.h"

const char *bbc_env_text(const char *name)
{
    const char *text = getenv(name);

    return text == NULL || *text == '\0' ? NULL : text;
}

bool bbc_env_is_true(const char *name)
{
    const char *text = bbc_env_text(name);

    if (text == NULL || strcasecmp(text, "false") == 0) {
        return false;
    }
    if (strcasecmp(text, "true") == 0) {
        return true;
    }
    bobbin_opts_warn(name);
    return false;
}

bool bbc_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

void bbc_env_u32(const char *name, uint32_t min, uint32_t max, uint32_t *out)
{
    const char *text = bbc_env_text(name);
    uint64_t value;

    if (text == NULL) {
        return;
    }
    if (!bbc_parse_u64(text, &value) || value < min || value > max) {
        bobbin_opts_warn(name);
        return;
    }
    *out = (uint32_t)value;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

size_t bbc_percent_decode(char *text, size_t size)
{
    size_t to = 0;

    for (size_t i = 0; i < size; i++) {
        int high = i + 2 < size && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        if (low >= 0) {
            text[to++] = (char)(high << 4 | low);
            i += 2;
        } else {
            text[to++] = text[i];
        }
    }
    return to;
}

char *bbc_trim(char *text, char *end, size_t *out_size)
{
    while (text < end && (*text == ' ' || *text == '\t')) {
        text++;
    }
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *out_size = (size_t)(end - text);
    return text;
}
