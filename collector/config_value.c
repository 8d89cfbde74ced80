#include "collector/config_value.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "collector/listen_address.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/time_text.h"
#include "store/store.h"

struct byte_unit {
    const char *name;
    uint64_t bytes;
};

static const struct byte_unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

struct choice {
    const char *name;
    int value;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum bb_err parse_choice(const char *text, const struct choice *choices, size_t choice_count,
                                int *out_value, struct bb_err_detail *detail)
{
    char names[128] = "";
    size_t used = 0;

    for (size_t i = 0; i < choice_count; i++) {
        size_t size = strlen(choices[i].name);

        if (strcmp(text, choices[i].name) == 0) {
            *out_value = choices[i].value;
            return BB_OK;
        }
        BB_ASSERT(used + size + 3 <= sizeof names);
        if (i > 0) {
            memcpy(names + used, ", ", 2);
            used += 2;
        }
        memcpy(names + used, choices[i].name, size);
        used += size;
    }
    return bb_err_set(detail, BB_EINVAL, "\"%s\" can only be one of: %s", text, names);
}

enum bb_err bb_parse_path(const char *text, void *out_value, struct bb_err_detail *detail)
{
    if (text[0] == '\0') {
        return bb_err_set(detail, BB_EINVAL, "can't be empty");
    }
    *(const char **)out_value = text;
    return BB_OK;
}

enum bb_err bb_parse_optional_path(const char *text, void *out_value, struct bb_err_detail *detail)
{
    (void)detail;
    *(const char **)out_value = text[0] == '\0' ? NULL : text;
    return BB_OK;
}

enum bb_err bb_parse_listen(const char *text, void *out_value, struct bb_err_detail *detail)
{
    struct bb_listen_address address;
    enum bb_err err = BB_OK;

    if (text[0] != '\0') {
        err = bb_listen_address_parse(text, detail, &address);
    }
    if (err == BB_OK) {
        *(const char **)out_value = text[0] == '\0' ? NULL : text;
    }
    return err;
}

enum bb_err bb_parse_durability(const char *text, void *out_value, struct bb_err_detail *detail)
{
    static const struct choice choices[] = {
        {"wal", BB_DURABILITY_WAL},
        {"fsync", BB_DURABILITY_FSYNC},
    };
    int value = 0;
    enum bb_err err = parse_choice(text, choices, BB_ARRAY_COUNT(choices), &value, detail);

    if (err == BB_OK) {
        *(enum bb_durability *)out_value = (enum bb_durability)value;
    }
    return err;
}

enum bb_err bb_parse_log_level(const char *text, void *out_value, struct bb_err_detail *detail)
{
    static const struct choice choices[] = {
        {"debug", BB_LOG_DEBUG}, {"info", BB_LOG_INFO}, {"warn", BB_LOG_WARN},
        {"error", BB_LOG_ERROR}, {"off", BB_LOG_OFF},
    };
    int value = 0;
    enum bb_err err = parse_choice(text, choices, BB_ARRAY_COUNT(choices), &value, detail);

    if (err == BB_OK) {
        *(enum bb_log_level *)out_value = (enum bb_log_level)value;
    }
    return err;
}

enum bb_err bb_parse_retention(const char *text, void *out_value, struct bb_err_detail *detail)
{
    uint64_t ns = 0;
    enum bb_err err = bb_duration_parse(bb_slice_from_cstr(text), &ns);

    if (err == BB_ETOOBIG) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" is too long (292 years is the end)", text);
    }
    if (err != BB_OK) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" is no duration (like 90m, 168h, 7d)", text);
    }
    if (ns < BB_RETENTION_S_MIN * BB_NS_PER_S) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" must be at least %ds", text,
                          BB_RETENTION_S_MIN);
    }
    *(uint64_t *)out_value = ns;
    return BB_OK;
}

/* Adds a decimal digit behind `*number`. False when it would pass 2^64. */
static bool append_digit(uint64_t *number, char digit)
{
    uint64_t value = (uint64_t)(digit - '0');

    if (*number > (UINT64_MAX - value) / 10) {
        return false;
    }
    *number = *number * 10 + value;
    return true;
}

/* What the digits behind a point come to in a unit; cuts below one byte and behind 6 digits. */
static uint64_t fraction_bytes(const char *digits, uint64_t unit_bytes)
{
    uint64_t numerator = 0;
    uint64_t denominator = 1;

    for (int i = 0; i < 6 && is_digit(digits[i]); i++) { /* unit_bytes * 10^6 stays below 2^64 */
        numerator = numerator * 10 + (uint64_t)(digits[i] - '0');
        denominator *= 10;
    }
    return unit_bytes * numerator / denominator;
}

static const struct byte_unit *find_byte_unit(const char *name)
{
    for (size_t i = 0; i < BB_ARRAY_COUNT(byte_units); i++) {
        if (strcasecmp(name, byte_units[i].name) == 0) {
            return &byte_units[i];
        }
    }
    return NULL;
}

enum bb_err bb_parse_bytes(const char *text, uint64_t *out_bytes, struct bb_err_detail *detail)
{
    const char *next = text;
    const char *fraction = "";
    const struct byte_unit *unit;
    uint64_t whole = 0;
    uint64_t extra;

    for (; is_digit(*next); next++) {
        if (!append_digit(&whole, *next)) {
            return bb_err_set(detail, BB_EINVAL, "\"%s\" is over 2^64 bytes", text);
        }
    }
    if (next > text && next[0] == '.' && is_digit(next[1])) {
        fraction = next + 1;
        next = fraction + strspn(fraction, "0123456789");
    }
    unit = find_byte_unit(next + strspn(next, " "));
    if (next == text || unit == NULL) {
        return bb_err_set(detail, BB_EINVAL,
                          "\"%s\" is no amount of bytes (like 268435456, 512MiB, 10GB)", text);
    }
    extra = fraction_bytes(fraction, unit->bytes);
    if (whole > (UINT64_MAX - extra) / unit->bytes) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" is over 2^64 bytes", text);
    }
    *out_bytes = whole * unit->bytes + extra;
    return BB_OK;
}

enum bb_err bb_parse_disk_bytes(const char *text, void *out_value, struct bb_err_detail *detail)
{
    uint64_t bytes = 0;
    enum bb_err err = bb_parse_bytes(text, &bytes, detail);

    if (err != BB_OK) {
        return err;
    }
    if (bytes != 0 && bytes < BB_DISK_BYTES_MIN) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" must be 0 (no bound) or at least %uMiB", text,
                          BB_DISK_BYTES_MIN >> 20);
    }
    *(uint64_t *)out_value = bytes;
    return BB_OK;
}

enum bb_err bb_parse_memory_bytes(const char *text, void *out_value, struct bb_err_detail *detail)
{
    uint64_t bytes = 0;
    enum bb_err err = bb_parse_bytes(text, &bytes, detail);

    if (err != BB_OK) {
        return err;
    }
    if (bytes < BB_MEMORY_BYTES_MIN) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" must be at least %uMiB", text,
                          BB_MEMORY_BYTES_MIN >> 20);
    }
    *(uint64_t *)out_value = bytes;
    return BB_OK;
}
