/*
 * traffic_generator.h - plays the web shop of shop_model.h: traces of 1 to BB_TRAFFIC_SPANS_MAX
 * spans over a stretch of time, as OTLP requests. The same options give the same bytes on every
 * machine: all numbers come from one seeded generator, and there is no floating point in the times.
 *
 * Most latencies lie near the typical one, some are a few times as long, and one in a hundred up to
 * 25 times. In a trace that is to fail, one operation fails (exception event, status message), and
 * its callers mostly fail with it. What is sent to a topic is taken by consumers, whose traces
 * begin a little later and link to the sending span.
 */
#ifndef BB_QUERY_CLI_TRAFFIC_GENERATOR_H
#define BB_QUERY_CLI_TRAFFIC_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ids.h"
#include "query/cli/shop_model.h"

#define BB_TRAFFIC_SPANS_MAX 60
/* A request is sent when it has so many spans, as exporters do (their default is 512). */
#define BB_TRAFFIC_REQUEST_SPANS 400
/* Each service runs on so many machines. */
#define BB_TRAFFIC_INSTANCES 2

struct bb_traffic_opts {
    uint64_t seed;
    uint64_t trace_count;      /* those of consumers included */
    uint64_t start_unix_ns;    /* no span starts before, */
    uint64_t end_unix_ns;      /* none ends behind */
    uint64_t error_millionths; /* share of the traces with an error */
};

/* One span, before it is encoded. */
struct bb_traffic_span {
    const struct bb_shop_operation *operation;
    uint8_t service;
    uint8_t kind; /* enum bb_span_kind */
    bool has_failed;
    bool is_origin; /* of the failure: it has the exception */
    bool has_remote_parent;
    struct bb_span_id span_id;
    struct bb_span_id parent_span_id;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
    uint64_t chance; /* decides the values of its attributes */
};

struct bb_traffic_trace {
    struct bb_trace_id trace_id;
    struct bb_traffic_span spans[BB_TRAFFIC_SPANS_MAX];
    uint32_t span_count;
    bool has_link; /* of the root, to the span that sent the message */
    struct bb_trace_id link_trace_id;
    struct bb_span_id link_span_id;
};

/* A message that waits for its consumer. */
struct bb_traffic_message {
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;
    uint64_t sent_unix_ns;
    uint8_t consumer; /* operation */
};

#define BB_TRAFFIC_MESSAGES_MAX 16

/* The caller's storage. */
struct bb_traffic_generator {
    struct bb_traffic_opts opts;
    uint64_t random_state;
    uint64_t trace_index; /* of the next trace */
    struct bb_traffic_message messages[BB_TRAFFIC_MESSAGES_MAX];
    uint32_t message_count;
    struct bb_traffic_trace trace; /* the one that is being made */
    int64_t failures_to_skip; /* the operation that fails is the one after so many; < 0: none */
    struct bb_buf spans[BB_SHOP_SERVICE_COUNT * BB_TRAFFIC_INSTANCES]; /* encoded */
};

void bb_traffic_init(struct bb_traffic_generator *generator, const struct bb_traffic_opts *opts);
void bb_traffic_dispose(struct bb_traffic_generator *generator);

/*
 * Makes the next request in `out`, which is cleared first.
 *
 * BB_OK      *out_span_count is set; 0: all traces have been made
 * BB_ENOMEM, BB_ETOOBIG
 */
BB_MUST_CHECK enum bb_err bb_traffic_next(struct bb_traffic_generator *generator,
                                          struct bb_buf *out, uint64_t *out_span_count);

#endif /* BB_QUERY_CLI_TRAFFIC_GENERATOR_H */
