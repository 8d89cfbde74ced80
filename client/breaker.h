/*
 * breaker.h - the circuit breaker around the exporter: it spares a receiver that is down, and the
 * program from sending to one. A value without lock or clock of its own: the time is an argument.
 *
 *   CLOSED     all attempts go through. Opens when, in the last window, there were at least
 *              volume_threshold attempts, and error_share_percent of them failed.
 *   OPEN       none goes through. After sleep_window_ms: HALF_OPEN.
 *   HALF_OPEN  up to probe_count attempts go through. successes_required of them close it; as soon
 *   as
 *              that many can't succeed any more it opens again.
 *
 * The window is a ring of 10 buckets, so that it slides by tenths.
 */
#ifndef BBC_BREAKER_H
#define BBC_BREAKER_H

#include "client/include/bobbin/bobbin.h"

#define BBC_BREAKER_BUCKETS 10

struct bbc_breaker {
    struct bobbin_breaker_opts opts;
    enum bobbin_breaker_state state;
    uint64_t opened_ms;
    uint64_t opened_count;
    uint32_t probes; /* HALF_OPEN: attempts let through */
    uint32_t probe_successes;
    uint32_t probe_failures;
    uint64_t newest_bucket; /* the time in units of a bucket */
    struct {
        uint32_t successes;
        uint32_t failures;
    } buckets[BBC_BREAKER_BUCKETS];
};

void bbc_breaker_init(struct bbc_breaker *breaker, const struct bobbin_breaker_opts *opts);

/* Whether an attempt may be made now. One that may must be reported. */
bool bbc_breaker_allows(struct bbc_breaker *breaker, uint64_t now_ms);

/* Reports how an attempt that was allowed went. */
void bbc_breaker_report(struct bbc_breaker *breaker, uint64_t now_ms, bool is_success);

#endif /* BBC_BREAKER_H */
