/*
 * trace_sampler.h - asks the configured sampler.
 */
#ifndef BBC_TRACE_SAMPLER_H
#define BBC_TRACE_SAMPLER_H

#include "client/client_config.h"

/* The bound that trace ids are compared with, for a ratio from 0 to 1. */
uint64_t bbc_sampler_ratio_bound(double ratio);

/* Forgets the allowance of the rate limit: for a new configuration. */
void bbc_sampler_reset(void);

/*
 * Decides about a span. `output` is zeroed; only a CALLBACK sets it. Any thread. Takes no lock;
 * RATE_LIMIT reads the clock.
 */
enum bobbin_decision bbc_sampler_decide(const struct bbc_config *config,
                                        const struct bobbin_sampler_input *input,
                                        struct bobbin_sampler_output *output);

/* RATE_LIMIT's rule, with the time as an argument; for bbc_sampler_decide and tests. */
bool bbc_sampler_rate_allows(double per_second, uint64_t now_ns);

#endif /* BBC_TRACE_SAMPLER_H */
