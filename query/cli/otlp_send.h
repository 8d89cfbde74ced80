/*
 * otlp_send.h - sends OTLP requests over HTTP as the specification asks a client to ("OTLP/HTTP
 * Response", "OTLP/HTTP Throttling"): 429, 502, 503, 504 and broken connections are tried again,
 * after the server's Retry-After or else a growing wait with some chance in it; every other error
 * is final; what a partial success has rejected is counted and not sent again.
 *
 * A server that isn't there at the first request is an error at once; one that goes away later is
 * waited for.
 */
#ifndef BB_QUERY_CLI_OTLP_SEND_H
#define BB_QUERY_CLI_OTLP_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"
#include "query/cli/cli.h"
#include "query/cli/http_client.h"
#include "query/cli/terminal.h"

/* How long one request is tried, waits added up. */
#define BB_SEND_WAIT_MS_MAX (120u * 1000)

/* The caller's storage. */
struct bb_otlp_sender {
    struct bb_http_client http;
    struct bb_http_client_reply reply;
    struct bb_buf url;    /* ends with a NUL */
    uint64_t spans_per_s; /* 0: as fast as it goes */
    uint64_t start_ns;    /* monotonic: of the first request */
    struct bb_progress progress;
    void (*wait_ns)(uint64_t ns); /* sleeps; a test puts its own here after init */
    uint64_t work_total;          /* what work_done goes up to, for the bar */
    uint64_t work_done;

    uint64_t request_count; /* answered with success */
    uint64_t span_count;    /* in them, the rejected ones included */
    uint64_t rejected_count;
    uint64_t retry_count;
    struct bb_err_detail first_rejection; /* the server's words, or empty */
};

/*
 * `endpoint` is a base address ("http://127.0.0.1:4318"); "/v1/traces" is added unless it ends so.
 * BB_ENOMEM, BB_ETOOBIG. Dispose accepts a zeroed sender.
 */
BB_MUST_CHECK enum bb_err bb_otlp_sender_init(struct bb_otlp_sender *sender, const char *endpoint,
                                              uint64_t spans_per_s);
void bb_otlp_sender_dispose(struct bb_otlp_sender *sender);

/*
 * Sends one request of `span_count` spans, which counts `work` in the progress bar, and waits for
 * the answer; before that, as long as the rate asks.
 *
 * BB_OK       the server has taken it, or part of it
 * BB_EINVAL   the server has refused it for good
 * BB_EBUSY    the server was busy or away for BB_SEND_WAIT_MS_MAX
 * BB_EIO      no connection, or something else than an OTLP server
 * BB_ENOMEM
 * In each case but the first, detail has the server's words.
 */
BB_MUST_CHECK enum bb_err bb_otlp_sender_send(struct bb_otlp_sender *sender,
                                              struct bb_slice request, bool is_json,
                                              uint64_t span_count, uint64_t work,
                                              struct bb_err_detail *detail);

/*
 * Says on stderr what was sent ("42 spans sent in 1 request"), and what was rejected.
 * BB_EXIT_FOUND, BB_EXIT_NOTHING when there was no span, BB_EXIT_ERROR when any was rejected.
 */
enum bb_exit bb_otlp_sender_report(struct bb_otlp_sender *sender);

/*
 * How long to wait before the attempt after number `attempt` (from 0). `retry_after_s` is the
 * server's wish, 0 when it has none; `chance` any number.
 */
uint64_t bb_otlp_retry_wait_ms(unsigned attempt, uint64_t retry_after_s, uint64_t chance);

#endif /* BB_QUERY_CLI_OTLP_SEND_H */
