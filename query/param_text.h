/*
 * param_text.h - the text forms in which query parameters come, beside the durations of
 * time_text.h: whole numbers, booleans, times and trace ids. Plain functions; none takes memory.
 */
#ifndef BB_QUERY_PARAM_TEXT_H
#define BB_QUERY_PARAM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ids.h"
#include "common/slice.h"

/* Decimal digits only, at most UINT64_MAX. False for anything else. */
bool bb_param_parse_uint(struct bb_slice text, uint64_t *out_value);

/* What Go's strconv.ParseBool takes: 1 t T TRUE true True, and the same for false. */
bool bb_param_parse_bool(struct bb_slice text, bool *out_value);

/*
 * An RFC 3339 time (common/time_text.h). Times before 1970 become 0, times after 2554-07-21
 * UINT64_MAX. A space in the place of the offset's "+" is taken for it: that is what an unescaped
 * "+" in a URL is decoded to.
 */
bool bb_param_parse_time(struct bb_slice text, uint64_t *out_unix_ns);

/*
 * A trace id as 1 to 32 hex digits, else as base64 (standard or URL-safe, padding optional) of 8 or
 * 16 bytes. False for anything else and for all zeros.
 */
bool bb_param_parse_trace_id(struct bb_slice text, struct bb_trace_id *out_id);

#endif /* BB_QUERY_PARAM_TEXT_H */
