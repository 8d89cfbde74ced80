#include "client/trace_sampler.h"

#include "client/tick_clock.h"

/*
 * The rate limit is one number, the time at which the allowance is used up (the "theoretical
 * arrival
 * time" of the generic cell rate algorithm): a new trace moves it on by one interval, and is
 * refused
 * where that would put it more than a second ahead. So a burst of one second's traces may come at
 * once, and the long-term rate is exact.
 */
static _Atomic uint64_t used_up_until_ns;

uint64_t bbc_sampler_ratio_bound(double ratio)
{
    if (!(ratio > 0)) {
        return 0;
    }
    return ratio >= 1 ? UINT64_C(1) << 63 : (uint64_t)(ratio * 9223372036854775808.0);
}

void bbc_sampler_reset(void)
{
    atomic_store(&used_up_until_ns, 0);
}

bool bbc_sampler_rate_allows(double per_second, uint64_t now_ns)
{
    const double second_ns = 1e9;
    uint64_t interval = (uint64_t)(second_ns / per_second);
    /* At less than one a second, one is allowed at once all the same. */
    uint64_t ahead_max = interval > (uint64_t)second_ns ? interval : (uint64_t)second_ns;
    uint64_t seen = atomic_load_explicit(&used_up_until_ns, memory_order_relaxed);
    uint64_t next;

    do {
        next = (seen > now_ns ? seen : now_ns) + interval;
        if (next > now_ns + ahead_max) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&used_up_until_ns, &seen, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* By the last 8 bytes of the trace id, which are random at every level of W3C Trace Context. */
static bool is_below(const uint8_t *trace_id, uint64_t bound)
{
    uint64_t value = 0;

    for (unsigned i = 8; i < BOBBIN_TRACE_ID_SIZE; i++) {
        value = value << 8 | trace_id[i];
    }
    return value >> 1 < bound;
}

static enum bobbin_decision sample_if(bool condition)
{
    return condition ? BOBBIN_RECORD_AND_SAMPLE : BOBBIN_DROP;
}

enum bobbin_decision bbc_sampler_decide(const struct bbc_config *config,
                                        const struct bobbin_sampler_input *input,
                                        struct bobbin_sampler_output *output)
{
    const struct bobbin_sampler *sampler = &config->sampler;

    if (sampler->is_parent_based && bobbin_span_context_is_valid(input->parent)) {
        return sample_if(bobbin_span_context_is_sampled(input->parent));
    }
    switch (sampler->kind) {
    case BOBBIN_SAMPLER_ALWAYS_ON:
        return BOBBIN_RECORD_AND_SAMPLE;
    case BOBBIN_SAMPLER_ALWAYS_OFF:
        return BOBBIN_DROP;
    case BOBBIN_SAMPLER_RATIO:
        return sample_if(is_below(input->trace_id, config->ratio_bound));
    case BOBBIN_SAMPLER_RATE_LIMIT:
        return sample_if(
            bbc_sampler_rate_allows(sampler->per_second, bbc_clock_ns(CLOCK_MONOTONIC)));
    case BOBBIN_SAMPLER_CALLBACK:
        return sampler->decide(sampler->user, input, output);
    }
    return BOBBIN_DROP;
}
