/*
 * metrics.h - the process's counters, gauges and histograms, listed in metrics.def.
 *
 * One value a row, no labels made at run time: cardinality is what the list says. Threads: any, at
 * the same time; an add is one relaxed atomic.
 */
#ifndef BB_COMMON_METRICS_H
#define BB_COMMON_METRICS_H

#include <stdint.h>

#include "common/buf.h"

#define BB_COUNTER(id, name, labels, help) id,
#define BB_GAUGE(id, name, labels, help) id,
#define BB_HISTOGRAM(id, name, labels, help) id,
enum bb_metric {
#include "common/metrics.def"
    BB_METRIC_COUNT
};
#undef BB_COUNTER
#undef BB_GAUGE
#undef BB_HISTOGRAM

/* Adds to a counter or a gauge. */
void bb_metric_add(enum bb_metric metric, int64_t amount);

/* Sets a gauge. */
void bb_metric_set(enum bb_metric metric, int64_t value);

/* One observation of a histogram. */
void bb_metric_observe_ns(enum bb_metric metric, uint64_t duration_ns);

/* The value of a counter or gauge, or the count of a histogram's observations. */
int64_t bb_metric_get(enum bb_metric metric);

/* All of them in OpenMetrics text 1.0 (ends with "# EOF"). `out` keeps the error. */
void bb_metrics_render(struct bb_buf *out);

#define BB_METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

#endif /* BB_COMMON_METRICS_H */
