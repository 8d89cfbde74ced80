/*
 * log.h - one line an event, logfmt, to stderr:
 *
 *   ts=2026-11-24T22:00:00.123Z level=info module=store msg="partition sealed" spans=123 dir="…"
 *
 * `fields` is a printf format of the `key=value` part behind msg; "" when there are none. Text that
 * comes from outside goes through bb_log_quote().
 *
 * Threads: any; a line is written by one write(2), so lines don't mix.
 */
#ifndef BB_COMMON_LOG_H
#define BB_COMMON_LOG_H

#include "common/check.h"
#include "common/slice.h"

enum bb_log_level { BB_LOG_DEBUG, BB_LOG_INFO, BB_LOG_WARN, BB_LOG_ERROR, BB_LOG_OFF };

/* Lines below `level` are not written. At start: BB_LOG_INFO. */
void bb_log_set_level(enum bb_log_level level);

void bb_log(enum bb_log_level level, const char *module, const char *msg, const char *fields, ...)
    BB_PRINTF(4, 5);

/* Writes `text` as a quoted, escaped logfmt value to `out` (cut to fit), and returns `out`. */
const char *bb_log_quote(struct bb_slice text, char *out, size_t out_size);

#endif /* BB_COMMON_LOG_H */
