/*
 * time_text.h - durations and points in time as text, both ways. Cannot touch the time zone of the
 * machine: everything is UTC.
 *
 * Durations are written as Go writes them ("1h2m3.5s", "100ms", "1.5us", "250µs"), with "d" for 24
 * hours and "w" for 7 days on top, since retention is thought of in days. Points in time are RFC
 * 3339 with up to nanoseconds ("2026-11-24T22:00:00.123456789Z", "2026-11-24T23:00:00+01:00").
 */
#ifndef BB_COMMON_TIME_TEXT_H
#define BB_COMMON_TIME_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/err.h"
#include "common/slice.h"

/*
 * Reads a duration: one or more of <digits>[.<digits>]<unit>, units ns, us, µs, ms, s, m, h, d and
 * w in any order, added up. "0" needs no unit. What lies below a nanosecond is cut off. No sign.
 *
 * BB_OK       *out_ns is set
 * BB_EINVAL   `text` is no duration
 * BB_ETOOBIG  over INT64_MAX nanoseconds (292 years)
 */
BB_MUST_CHECK enum bb_err bb_duration_parse(struct bb_slice text, uint64_t *out_ns);

#define BB_DURATION_TEXT_SIZE 40

/*
 * Writes a duration for a person, three significant digits: "0ns", "870ns", "1.23µs", "45.6ms",
 * "1.2s", "2m05s", "1h02m", "3d04h". Returns the length in bytes; "µ" takes two of them.
 */
size_t bb_duration_format(uint64_t ns, char out[BB_DURATION_TEXT_SIZE]);

/*
 * Writes a duration so that bb_duration_parse() gives the same number: "168h", "1h2m3.5s", "1.5ms",
 * "0s". ASCII only ("us"). Returns the length.
 */
size_t bb_duration_format_exact(uint64_t ns, char out[BB_DURATION_TEXT_SIZE]);

/*
 * Reads a date and a time with its offset. "T" and "Z" may be lower-case, and a space may stand for
 * "T". Digits of the fraction behind the ninth are cut off. A leap second (":60") is refused.
 *
 * BB_OK       *out_unix_ns is set
 * BB_EINVAL   `text` is no RFC 3339 time
 * BB_ETOOBIG  before 1970 or behind 2554-07-21T23:34:33.709551615Z, the last that 64 bits hold
 */
BB_MUST_CHECK enum bb_err bb_rfc3339_parse(struct bb_slice text, uint64_t *out_unix_ns);

#define BB_RFC3339_TEXT_SIZE 32

/*
 * Writes "2026-11-24T22:00:00Z" with `fraction_digits` (0 to 9) digits of the second; what lies
 * below them is cut off. Returns the length.
 */
size_t bb_rfc3339_format(uint64_t unix_ns, unsigned fraction_digits,
                         char out[BB_RFC3339_TEXT_SIZE]);

#endif /* BB_COMMON_TIME_TEXT_H */
