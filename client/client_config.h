/*
 * client_config.h - what a start fixes until the shutdown, and the state that all threads read.
 *
 * A configuration is constant once it is published through bbc_live, and is never freed: a thread
 * may still be looking at it. Spans keep the one they began under.
 */
#ifndef BBC_CLIENT_CONFIG_H
#define BBC_CLIENT_CONFIG_H

#include <stdatomic.h>

#include "client/byte_sink.h"
#include "client/include/bobbin/bobbin.h"

struct bbc_config {
    struct bobbin_limits limits;
    struct bobbin_sampler sampler;
    struct bobbin_batch_opts batch;
    struct bobbin_retry_opts retry;
    struct bobbin_breaker_opts breaker;
    struct bobbin_exporter exporter;
    uint64_t ratio_bound; /* RATIO: trace ids below it are sampled */
    uint32_t ring_size;
    uint32_t ring_memory_max;
    bool uses_tsc;
    struct bbc_sink resource; /* the encoded fields of an OTLP Resource */
    size_t pid_at;            /* offset of the process id in it, BBC_PID_WIDTH bytes; 0: none */
    size_t instance_id_at;    /* offset of the text of service.instance.id; 0: none */
    struct bbc_config *older; /* keeps earlier ones reachable */
};

/* NULL: not started. Read with acquire. */
extern _Atomic(const struct bbc_config *) bbc_live;

/* Counts the forks between this process and the one that loaded the library. */
extern atomic_uint bbc_fork_generation;

/* Counters of what belongs to no ring. Atomic; added to off the hot path only. */
struct bbc_loose_counters {
    atomic_ullong started;
    atomic_ullong ended;
    atomic_ullong dropped[BOBBIN_DROP_REASONS];
    atomic_ullong misuse;
};

extern struct bbc_loose_counters bbc_loose;

static inline void bbc_count(atomic_ullong *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

#endif /* BBC_CLIENT_CONFIG_H */
