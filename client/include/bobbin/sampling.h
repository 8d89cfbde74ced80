/*
 * sampling.h - which spans are recorded. Included by <bobbin/bobbin.h>.
 */
#ifndef BOBBIN_SAMPLING_H
#define BOBBIN_SAMPLING_H

#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

enum bobbin_decision {
    BOBBIN_DROP = 0,    /* ids and context only */
    BOBBIN_RECORD_ONLY, /* bobbin_span_is_recording, yet neither exported nor flagged as sampled */
    BOBBIN_RECORD_AND_SAMPLE,
};

/* What a sampler of your own is shown. Everything is borrowed for the call. */
struct bobbin_sampler_input {
    const struct bobbin_span_context *parent; /* not valid for a root */
    const uint8_t *trace_id;
    struct bobbin_str name;
    enum bobbin_kind kind;
    const struct bobbin_attr *attrs;
    size_t attr_count;
    const struct bobbin_link *links;
    size_t link_count;
};

/*
 * What it may answer beside the decision; zeroed before the call. `attrs` are added to the span,
 * and `tracestate` replaces the parent's; both must live until bobbin_span_start returns, so static
 * or thread-local.
 */
struct bobbin_sampler_output {
    const struct bobbin_attr *attrs;
    size_t attr_count;
    bool has_tracestate;
    struct bobbin_str tracestate;
};

enum bobbin_sampler_kind {
    BOBBIN_SAMPLER_ALWAYS_ON = 1,
    BOBBIN_SAMPLER_ALWAYS_OFF,
    BOBBIN_SAMPLER_RATIO,      /* by the trace id: every service with this ratio decides the same */
    BOBBIN_SAMPLER_RATE_LIMIT, /* at most so many new traces a second */
    BOBBIN_SAMPLER_CALLBACK,
};

struct bobbin_sampler {
    enum bobbin_sampler_kind kind;
    bool
        is_parent_based; /* spans with a parent do as it did; the sampler is asked for roots only */
    double ratio;        /* RATIO: 0 to 1 */
    double per_second;   /* RATE_LIMIT: above 0 */
    /* CALLBACK: called on any thread, at the same time. `user` lives until bobbin_shutdown. */
    enum bobbin_decision (*decide)(void *user, const struct bobbin_sampler_input *input,
                                   struct bobbin_sampler_output *output);
    void *user;
};

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_SAMPLING_H */
