/*
 * time_text.c - the calendar part counts days in 400-year cycles that begin on March 1st, so that
 * the leap day is the last day of a year and no month table is needed.
 */
#include "common/time_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#define NS_PER_MINUTE (60 * BB_NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MINUTE)
#define NS_PER_DAY (24 * NS_PER_HOUR)
#define SECONDS_PER_DAY 86400
#define DAYS_PER_400_YEARS 146097
/* From 0000-03-01 to 1970-01-01 */
#define DAYS_TO_EPOCH 719468

struct unit {
    const char *text;
    uint64_t ns;
};

/* A unit that begins another one stands behind it. */
static const struct unit units[] = {
    {"ns", 1},
    {"us", BB_NS_PER_US},
    {"\xc2\xb5s", BB_NS_PER_US}, /* U+00B5 MICRO SIGN */
    {"\xce\xbcs", BB_NS_PER_US}, /* U+03BC GREEK SMALL LETTER MU */
    {"ms", BB_NS_PER_MS},
    {"s", BB_NS_PER_S},
    {"m", NS_PER_MINUTE},
    {"h", NS_PER_HOUR},
    {"d", NS_PER_DAY},
    {"w", 7 * NS_PER_DAY},
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* The unit at the start of `text`; NULL when there is none. */
static const struct unit *find_unit(struct bb_slice text)
{
    for (size_t i = 0; i < BB_ARRAY_COUNT(units); i++) {
        size_t size = strlen(units[i].text);
        if (text.size >= size && memcmp(text.data, units[i].text, size) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static struct bb_slice skip(struct bb_slice text, size_t size)
{
    return bb_slice_of(text.data + size, text.size - size);
}

/* The digits at the start of *text; moves *text behind them. */
static struct bb_slice take_digits(struct bb_slice *text)
{
    size_t size = 0;

    while (size < text->size && is_digit(text->data[size])) {
        size++;
    }
    struct bb_slice digits = bb_slice_of(text->data, size);
    *text = skip(*text, size);
    return digits;
}

/* Reads one <digits>[.<digits>]<unit> at the start of *text, and moves *text behind it. */
static enum bb_err parse_part(struct bb_slice *text, uint64_t *out_ns)
{
    struct bb_slice whole_digits = take_digits(text);
    struct bb_slice fraction_digits = {0};
    uint64_t whole = 0;
    uint64_t below_ns = 0;

    if (text->size > 0 && text->data[0] == '.') {
        *text = skip(*text, 1);
        fraction_digits = take_digits(text);
    }
    const struct unit *unit = find_unit(*text);
    if (whole_digits.size + fraction_digits.size == 0 || unit == NULL) {
        return BB_EINVAL;
    }
    *text = skip(*text, strlen(unit->text));

    for (size_t i = 0; i < whole_digits.size; i++) {
        whole = whole * 10 + (uint64_t)(whole_digits.data[i] - '0');
        if (whole > INT64_MAX / unit->ns) {
            return BB_ETOOBIG;
        }
    }
    /* From the last digit up: cutting off at each step is then the same as cutting off once. */
    for (size_t i = fraction_digits.size; i > 0; i--) {
        below_ns = (below_ns + (uint64_t)(fraction_digits.data[i - 1] - '0') * unit->ns) / 10;
    }
    *out_ns = whole * unit->ns + below_ns;
    return BB_OK;
}

enum bb_err bb_duration_parse(struct bb_slice text, uint64_t *out_ns)
{
    uint64_t sum = 0;

    if (text.size == 0) {
        return BB_EINVAL;
    }
    if (bb_slice_equals_cstr(text, "0")) {
        *out_ns = 0;
        return BB_OK;
    }
    while (text.size > 0) {
        uint64_t part_ns;
        enum bb_err err = parse_part(&text, &part_ns);
        if (err != BB_OK) {
            return err;
        }
        if (part_ns > INT64_MAX - sum) {
            return BB_ETOOBIG;
        }
        sum += part_ns;
    }
    *out_ns = sum;
    return BB_OK;
}

/* Three significant digits of ns / unit_ns, which is under 1000. */
static int format_three_digits(uint64_t ns, uint64_t unit_ns, const char *unit,
                               char out[BB_DURATION_TEXT_SIZE])
{
    uint64_t whole = ns / unit_ns;
    uint64_t thousandths = ns % unit_ns * 1000 / unit_ns;

    if (whole < 10) {
        return snprintf(out, BB_DURATION_TEXT_SIZE, "%u.%02u%s", (unsigned)whole,
                        (unsigned)(thousandths / 10), unit);
    }
    if (whole < 100) {
        return snprintf(out, BB_DURATION_TEXT_SIZE, "%u.%u%s", (unsigned)whole,
                        (unsigned)(thousandths / 100), unit);
    }
    return snprintf(out, BB_DURATION_TEXT_SIZE, "%u%s", (unsigned)whole, unit);
}

/* Two units, each the next of the other. */
static int format_pair(uint64_t ns, uint64_t big_ns, const char *big, uint64_t small_ns,
                       const char *small, char out[BB_DURATION_TEXT_SIZE])
{
    return snprintf(out, BB_DURATION_TEXT_SIZE, "%llu%s%02u%s", (unsigned long long)(ns / big_ns),
                    big, (unsigned)(ns % big_ns / small_ns), small);
}

size_t bb_duration_format(uint64_t ns, char out[BB_DURATION_TEXT_SIZE])
{
    int length;

    if (ns < BB_NS_PER_US) {
        length = snprintf(out, BB_DURATION_TEXT_SIZE, "%uns", (unsigned)ns);
    } else if (ns < BB_NS_PER_MS) {
        length = format_three_digits(ns, BB_NS_PER_US, "\xc2\xb5s", out);
    } else if (ns < BB_NS_PER_S) {
        length = format_three_digits(ns, BB_NS_PER_MS, "ms", out);
    } else if (ns < NS_PER_MINUTE) {
        length = format_three_digits(ns, BB_NS_PER_S, "s", out);
    } else if (ns < NS_PER_HOUR) {
        length = format_pair(ns, NS_PER_MINUTE, "m", BB_NS_PER_S, "s", out);
    } else if (ns < NS_PER_DAY) {
        length = format_pair(ns, NS_PER_HOUR, "h", NS_PER_MINUTE, "m", out);
    } else {
        length = format_pair(ns, NS_PER_DAY, "d", NS_PER_HOUR, "h", out);
    }
    return (size_t)length;
}

/* Appends `value` of `unit` at out + length, with the digits of the fraction that are needed. */
static size_t append_exact(char *out, size_t length, uint64_t ns, uint64_t unit_ns,
                           const char *unit)
{
    char fraction[16] = "";
    uint64_t below = ns % unit_ns;

    if (below > 0) {
        int digit_count = unit_ns == BB_NS_PER_S ? 9 : unit_ns == BB_NS_PER_MS ? 6 : 3;
        int size = snprintf(fraction, sizeof(fraction), ".%0*u", digit_count, (unsigned)below);
        while (fraction[size - 1] == '0') {
            fraction[--size] = '\0';
        }
    }
    return length + (size_t)snprintf(out + length, BB_DURATION_TEXT_SIZE - length, "%u%s%s",
                                     (unsigned)(ns / unit_ns), fraction, unit);
}

size_t bb_duration_format_exact(uint64_t ns, char out[BB_DURATION_TEXT_SIZE])
{
    size_t length = 0;

    if (ns >= NS_PER_HOUR) {
        length = (size_t)snprintf(out, BB_DURATION_TEXT_SIZE, "%lluh",
                                  (unsigned long long)(ns / NS_PER_HOUR));
        ns %= NS_PER_HOUR;
    }
    if (ns >= NS_PER_MINUTE) {
        length += (size_t)snprintf(out + length, BB_DURATION_TEXT_SIZE - length, "%um",
                                   (unsigned)(ns / NS_PER_MINUTE));
        ns %= NS_PER_MINUTE;
    }
    if (ns == 0) {
        return length > 0 ? length : append_exact(out, 0, 0, BB_NS_PER_S, "s");
    }
    if (ns >= BB_NS_PER_S) {
        return append_exact(out, length, ns, BB_NS_PER_S, "s");
    }
    if (ns >= BB_NS_PER_MS) {
        return append_exact(out, length, ns, BB_NS_PER_MS, "ms");
    }
    if (ns >= BB_NS_PER_US) {
        return append_exact(out, length, ns, BB_NS_PER_US, "us");
    }
    return append_exact(out, length, ns, 1, "ns");
}

struct civil_date {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

/* Days from 1970-01-01; `date` lies in the years 0 to 9999. */
static int64_t days_from_civil(const struct civil_date *date)
{
    /* The year begins in March, so January and February belong to the year before; 400 years are
     * added so that the divisions see no negative number. */
    int64_t year = date->year + 400 - (date->month <= 2 ? 1 : 0);
    int64_t month_from_march = (date->month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date->day - 1;

    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_PER_400_YEARS -
           DAYS_TO_EPOCH;
}

static struct civil_date civil_from_days(int64_t days_since_epoch)
{
    int64_t days = days_since_epoch + DAYS_TO_EPOCH;
    int64_t cycle = days / DAYS_PER_400_YEARS;
    int64_t day_of_cycle = days % DAYS_PER_400_YEARS;
    /* 1460, 36524 and 146096 are the last days of a 4-, 100- and 400-year cycle. */
    int64_t year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
    int64_t day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    return (struct civil_date){
        .year = cycle * 400 + year_of_cycle + (month_from_march >= 10 ? 1 : 0),
        .month = (unsigned)((month_from_march + 2) % 12 + 1),
        .day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

static unsigned days_of_month(const struct civil_date *date)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

    return days[date->month - 1] + (date->month == 2 && is_leap ? 1u : 0u);
}

/* Reads exactly `digit_count` digits and then one of the characters of `separators` ("" for none);
 * moves *text behind them. */
static bool take_number(struct bb_slice *text, size_t digit_count, const char *separators,
                        unsigned *out_value)
{
    size_t separator_size = separators[0] != '\0' ? 1 : 0;
    unsigned value = 0;

    if (text->size < digit_count + separator_size) {
        return false;
    }
    for (size_t i = 0; i < digit_count; i++) {
        if (!is_digit(text->data[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(text->data[i] - '0');
    }
    if (separator_size > 0 &&
        memchr(separators, text->data[digit_count], strlen(separators)) == NULL) {
        return false;
    }
    *text = skip(*text, digit_count + separator_size);
    *out_value = value;
    return true;
}

/* Reads ".<digits>", which may be absent, as nanoseconds. */
static bool take_fraction(struct bb_slice *text, uint64_t *out_ns)
{
    uint64_t ns = 0;

    if (text->size > 0 && text->data[0] == '.') {
        *text = skip(*text, 1);
        struct bb_slice digits = take_digits(text);
        if (digits.size == 0) {
            return false;
        }
        for (size_t i = 0; i < 9; i++) {
            ns = ns * 10 + (i < digits.size ? (uint64_t)(digits.data[i] - '0') : 0);
        }
    }
    *out_ns = ns;
    return true;
}

/* Reads "Z" or "+hh:mm" or "-hh:mm" up to the end of `text`. */
static bool take_offset(struct bb_slice text, int64_t *out_seconds)
{
    unsigned hours;
    unsigned minutes;

    if (text.size == 1 && (text.data[0] == 'Z' || text.data[0] == 'z')) {
        *out_seconds = 0;
        return true;
    }
    if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-')) {
        return false;
    }
    int64_t sign = text.data[0] == '+' ? 1 : -1;
    text = skip(text, 1);
    if (!take_number(&text, 2, ":", &hours) || !take_number(&text, 2, "", &minutes) || hours > 23 ||
        minutes > 59) {
        return false;
    }
    *out_seconds = sign * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

enum bb_err bb_rfc3339_parse(struct bb_slice text, uint64_t *out_unix_ns)
{
    struct civil_date date;
    unsigned year;
    unsigned hour;
    unsigned minute;
    unsigned second;
    uint64_t below_ns;
    int64_t offset_s;

    if (!take_number(&text, 4, "-", &year) || !take_number(&text, 2, "-", &date.month) ||
        !take_number(&text, 2, "Tt ", &date.day) || !take_number(&text, 2, ":", &hour) ||
        !take_number(&text, 2, ":", &minute) || !take_number(&text, 2, "", &second) ||
        !take_fraction(&text, &below_ns) || !take_offset(text, &offset_s)) {
        return BB_EINVAL;
    }
    date.year = year;
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_of_month(&date) ||
        hour > 23 || minute > 59 || second > 59) {
        return BB_EINVAL;
    }
    int64_t unix_s = days_from_civil(&date) * SECONDS_PER_DAY +
                     (int64_t)(hour * 3600 + minute * 60 + second) - offset_s;
    if (unix_s < 0 || (uint64_t)unix_s > UINT64_MAX / BB_NS_PER_S ||
        below_ns > UINT64_MAX - (uint64_t)unix_s * BB_NS_PER_S) {
        return BB_ETOOBIG;
    }
    *out_unix_ns = (uint64_t)unix_s * BB_NS_PER_S + below_ns;
    return BB_OK;
}

size_t bb_rfc3339_format(uint64_t unix_ns, unsigned fraction_digits, char out[BB_RFC3339_TEXT_SIZE])
{
    uint64_t unix_s = unix_ns / BB_NS_PER_S;
    struct civil_date date = civil_from_days((int64_t)(unix_s / SECONDS_PER_DAY));
    unsigned second_of_day = (unsigned)(unix_s % SECONDS_PER_DAY);
    char fraction[16] = "";

    BB_ASSERT(fraction_digits <= 9);
    if (fraction_digits > 0) {
        (void)snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(unix_ns % BB_NS_PER_S));
        fraction[1 + fraction_digits] = '\0';
    }
    /* The year has four digits: 64 bits of nanoseconds end in 2554. */
    return (size_t)snprintf(out, BB_RFC3339_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u%sZ",
                            (unsigned)date.year % 10000, date.month % 100, date.day % 100,
                            second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60,
                            fraction);
}
