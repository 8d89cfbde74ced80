/*
 * export_pipeline.h - the way from the rings to the exporter, on two threads of the library's:
 *
 *   drainer  empties the rings, encodes, and queues requests: when one is full (by count or bytes),
 *            when its oldest span has waited for schedule_delay_ms, and at a flush. Sleeps on a
 *            futex
 *            that producers bump when a ring is half full.
 *   sender   takes requests off the queue, one at a time, through the circuit breaker to the
 *   exporter,
 *            with retries.
 *
 * A full queue stops the drainer under BOBBIN_DROP_NEWEST, so that the rings fill and drop what is
 * newest; under BOBBIN_DROP_OLDEST the oldest request goes.
 *
 * One mutex guards all of it but the rings; nothing blocks while holding it, so a fork never waits.
 */
#ifndef BBC_EXPORT_PIPELINE_H
#define BBC_EXPORT_PIPELINE_H

#include "client/client_config.h"

/* Makes the two threads where a fork has left this process without. Takes the mutex. */
void bbc_pipeline_ensure_threads(void);

/* Milliseconds to wait before the `attempt`-th retry (from 0); `random` spreads them. */
uint32_t bbc_retry_wait_ms(const struct bobbin_retry_opts *retry, uint32_t attempt,
                           uint32_t retry_after_ms, uint64_t random);

#endif /* BBC_EXPORT_PIPELINE_H */
