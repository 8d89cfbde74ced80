#include "common/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"

enum metric_type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

static const struct {
    const char *name;
    const char *labels;
    const char *help;
    enum metric_type type;
} table[] = {
#define BB_COUNTER(id, name, labels, help) [id] = {name, labels, help, TYPE_COUNTER},
#define BB_GAUGE(id, name, labels, help) [id] = {name, labels, help, TYPE_GAUGE},
#define BB_HISTOGRAM(id, name, labels, help) [id] = {name, labels, help, TYPE_HISTOGRAM},
#include "common/metrics.def"
#undef BB_COUNTER
#undef BB_GAUGE
#undef BB_HISTOGRAM
};

/* Upper bounds in microseconds: 100 us to 60 s, about three a decade. */
static const uint64_t bucket_bounds_us[] = {
    100,    250,    500,    1000,    2500,    5000,    10000,    25000,    50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
};
#define BUCKET_COUNT (BB_ARRAY_COUNT(bucket_bounds_us) + 1) /* the last is +Inf */

/* Values of all metrics; a histogram's buckets, count and sum stand in the tables below. */
static _Atomic int64_t values[BB_METRIC_COUNT];
static _Atomic uint64_t histogram_buckets[BB_METRIC_COUNT][BUCKET_COUNT];
static _Atomic uint64_t histogram_sum_ns[BB_METRIC_COUNT];

void bb_metric_add(enum bb_metric metric, int64_t amount)
{
    atomic_fetch_add_explicit(&values[metric], amount, memory_order_relaxed);
}

void bb_metric_set(enum bb_metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t bb_metric_get(enum bb_metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void bb_metric_observe_ns(enum bb_metric metric, uint64_t duration_ns)
{
    size_t bucket = 0;

    BB_ASSERT(table[metric].type == TYPE_HISTOGRAM);
    while (bucket < BUCKET_COUNT - 1 && duration_ns > bucket_bounds_us[bucket] * BB_NS_PER_US) {
        bucket++;
    }
    atomic_fetch_add_explicit(&histogram_buckets[metric][bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram_sum_ns[metric], duration_ns, memory_order_relaxed);
    bb_metric_add(metric, 1);
}

static void render_histogram(struct bb_buf *out, unsigned metric)
{
    const char *name = table[metric].name;
    const char *labels = table[metric].labels;
    const char *separator = labels[0] != '\0' ? "," : "";
    uint64_t count = 0;

    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        count += atomic_load_explicit(&histogram_buckets[metric][i], memory_order_relaxed);
        if (i < BUCKET_COUNT - 1) {
            /* Canonical numbers of OpenMetrics: "1.0", not "1". */
            bool is_whole = bucket_bounds_us[i] % 1000000 == 0;
            bb_buf_printf(out, "%s_bucket{%s%sle=\"%g%s\"} %" PRIu64 "\n", name, labels, separator,
                          (double)bucket_bounds_us[i] / 1e6, is_whole ? ".0" : "", count);
        } else {
            bb_buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, separator,
                          count);
        }
    }
    double sum_s =
        (double)atomic_load_explicit(&histogram_sum_ns[metric], memory_order_relaxed) / 1e9;
    bool has_labels = labels[0] != '\0';
    bb_buf_printf(out, "%s_count%s%s%s %" PRIu64 "\n", name, has_labels ? "{" : "", labels,
                  has_labels ? "}" : "", count);
    bb_buf_printf(out, "%s_sum%s%s%s %.9g\n", name, has_labels ? "{" : "", labels,
                  has_labels ? "}" : "", sum_s);
}

void bb_metrics_render(struct bb_buf *out)
{
    static const char *const type_names[] = {"counter", "gauge", "histogram"};

    for (unsigned i = 0; i < BB_METRIC_COUNT; i++) {
        const char *name = table[i].name;
        if (i == 0 || strcmp(name, table[i - 1].name) != 0) {
            bb_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, table[i].help, name,
                          type_names[table[i].type]);
        }
        if (table[i].type == TYPE_HISTOGRAM) {
            render_histogram(out, i);
            continue;
        }
        bool has_labels = table[i].labels[0] != '\0';
        bb_buf_printf(out, "%s%s%s%s%s %" PRId64 "\n", name,
                      table[i].type == TYPE_COUNTER ? "_total" : "", has_labels ? "{" : "",
                      table[i].labels, has_labels ? "}" : "", bb_metric_get((enum bb_metric)i));
    }
    bb_buf_append_cstr(out, "# EOF\n");
}
