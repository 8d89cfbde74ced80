/*
 * bobbin.h - libbobbin, tracing for services written in C. The only header that is needed.
 *
 *     struct bobbin_opts opts;
 *
 *     bobbin_opts_init(&opts);                  // the OTel environment variables, or the defaults
 *     opts.service_name = "shop";
 *     bobbin_otlp_http_exporter_open(&opts.exporter); // <bobbin/otlp_http.h>, libbobbin-otlp-http
 *     bobbin_start(&opts);
 *     ...
 *     BOBBIN_SCOPE(work, bobbin_tracer_named("shop"), "checkout");
 *     bobbin_span_set_int(&work.span, bobbin_lit("cart.items"), 3);
 *     ...
 *     bobbin_shutdown(2000);
 *
 * One process has one provider: bobbin_start makes it, bobbin_shutdown ends it, and it may be
 * started
 * again. Before and after, every call works and records nothing.
 *
 * Life cycle, as rules:
 *   1. Every function may be called from any thread, except where its comment says otherwise.
 *   2. bobbin_flush and bobbin_shutdown return within their time, whatever the receiver does.
 *   3. A forked child traces on, with ids and threads of its own; what the parent had recorded by
 *   then
 *      is exported by the parent alone. A span that is open across the fork belongs to the parent.
 *   4. Nothing runs at exit: what isn't flushed by then is lost. The library can't be unloaded
 *      (dlclose leaves it in place), so that its threads never lose their code.
 *   5. A span may be recorded in a signal handler, on a thread that has recorded one before (or has
 *      called bobbin_thread_attach).
 *
 * Headers in bobbin/experimental/ may change between minor versions; all others may not.
 */
#ifndef BOBBIN_BOBBIN_H
#define BOBBIN_BOBBIN_H

#include "context.h"
#include "exporter.h"
#include "propagation.h"
#include "sampling.h"
#include "span.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BOBBIN_VERSION "0.1.0"
#define BOBBIN_VERSION_MAJOR 0
#define BOBBIN_VERSION_MINOR 1
#define BOBBIN_VERSION_PATCH 0

/* The version of the library that is linked, such as "0.1.0". */
BOBBIN_API const char *bobbin_version(void);

/* Limits of a span; what is over them is counted on the span. */
struct bobbin_limits {
    uint32_t attr_count;        /* OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: 128; at most 65,535 */
    uint32_t attr_value_length; /* ..._VALUE_LENGTH_LIMIT: characters; UINT32_MAX is no limit */
    uint32_t event_count;       /* OTEL_SPAN_EVENT_COUNT_LIMIT: 128 */
    uint32_t link_count;        /* OTEL_SPAN_LINK_COUNT_LIMIT: 128 */
    uint32_t event_attr_count;  /* OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: 128 */
    uint32_t link_attr_count;   /* OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: 128 */
};

enum bobbin_overflow { BOBBIN_DROP_NEWEST = 0, BOBBIN_DROP_OLDEST };

struct bobbin_batch_opts {
    uint32_t schedule_delay_ms; /* OTEL_BSP_SCHEDULE_DELAY: 5000; the longest wait of a span */
    uint32_t span_count_max;    /* OTEL_BSP_MAX_EXPORT_BATCH_SIZE: 512; spans a request */
    uint32_t queue_spans_max;   /* OTEL_BSP_MAX_QUEUE_SIZE: 2048; spans waiting to be sent */
    uint32_t export_timeout_ms; /* OTEL_BSP_EXPORT_TIMEOUT: 30000; a request with its retries */
    uint32_t request_size_max;  /* bytes a request: 1 MiB; a span over it is dropped as too big */
    enum bobbin_overflow overflow; /* what a full queue drops */
};

struct bobbin_retry_opts {
    uint32_t
        initial_ms;  /* 1000; doubled by each retry, then taken at random from half to all of it */
    uint32_t max_ms; /* 30000 */
};

/*
 * The circuit breaker around the exporter. It opens when, within the last `window_ms`, at least
 * `volume_threshold` attempts were made and `error_share_percent` of them failed. While open,
 * requests are dropped at once and counted. After `sleep_window_ms` it is half open: up to
 * `probe_count` attempts go through; `successes_required` of them close it, and it opens again as
 * soon as that many can't succeed any more.
 */
struct bobbin_breaker_opts {
    bool is_off;
    uint32_t window_ms;           /* 10000 */
    uint32_t volume_threshold;    /* 5 */
    uint32_t error_share_percent; /* 50 */
    uint32_t sleep_window_ms;     /* 5000 */
    uint32_t probe_count;         /* 5 */
    uint32_t successes_required;  /* 1 */
};

enum bobbin_breaker_state {
    BOBBIN_BREAKER_CLOSED = 0,
    BOBBIN_BREAKER_OPEN,
    BOBBIN_BREAKER_HALF_OPEN,
};

enum bobbin_clock {
    BOBBIN_CLOCK_AUTO = 0,  /* the TSC where the kernel itself trusts it, else the vDSO's clock */
    BOBBIN_CLOCK_MONOTONIC, /* clock_gettime(CLOCK_MONOTONIC) */
};

struct bobbin_opts {
    bool is_disabled;         /* OTEL_SDK_DISABLED: bobbin_start does nothing */
    const char *service_name; /* OTEL_SERVICE_NAME; NULL: from the resource, else unknown_service */
    const struct bobbin_attr *resource_attrs; /* over those of OTEL_RESOURCE_ATTRIBUTES */
    size_t resource_attr_count;
    bool is_resource_detection_off; /* leaves out process.*, host.*, os.*, container.id, ... */
    struct bobbin_sampler sampler;  /* OTEL_TRACES_SAMPLER: always on, parent based */
    struct bobbin_limits limits;
    struct bobbin_batch_opts batch;
    struct bobbin_retry_opts retry;
    struct bobbin_breaker_opts breaker;
    uint32_t ring_size;       /* bytes a new thread: 256 KiB; a power of two from 8 KiB on */
    uint32_t ring_memory_max; /* bytes of all rings: 64 MiB; threads over it record nothing */
    enum bobbin_clock clock;
    struct bobbin_exporter exporter; /* taken; its `send` must not be NULL */
};

/*
 * Sets the defaults and then what the environment says. A variable that is malformed counts as
 * unset;
 * bobbin_opts_warnings names such ones.
 */
BOBBIN_API void bobbin_opts_init(struct bobbin_opts *opts);

/*
 * Writes the names of malformed OTEL_ variables, separated by blanks, to `out`; returns their
 * number.
 */
BOBBIN_API unsigned bobbin_opts_warnings(char *out, size_t size);

/* Adds a variable to that list: for exporters that read their own. `name` is a literal. */
BOBBIN_API void bobbin_opts_warn(const char *name);

/*
 * Starts recording and two threads that export. Everything in `opts` is copied, except that the
 * exporter is taken, on failure and when disabled too.
 *
 * BOBBIN_EINVAL  an option is outside its range, or the exporter has no `send`
 * BOBBIN_ESTATE  started already, or a shutdown that timed out still runs
 * BOBBIN_ENOMEM  out of memory
 * BOBBIN_EIO     the threads can't be made
 */
BOBBIN_API enum bobbin_err bobbin_start(const struct bobbin_opts *opts);

/*
 * Exports all spans that ended before the call.
 *
 * BOBBIN_EEXPORT    all were tried; some were dropped since the last flush
 * BOBBIN_ETIMEDOUT  not done within `timeout_ms`; it goes on
 * BOBBIN_ESTATE     not started
 */
BOBBIN_API enum bobbin_err bobbin_flush(uint32_t timeout_ms);

/*
 * Stops recording, exports what has ended, ends the threads and closes the exporter. What can't be
 * exported within `timeout_ms` is dropped and counted.
 *
 * BOBBIN_EEXPORT    some spans were dropped since the last flush
 * BOBBIN_ETIMEDOUT  not all could be exported
 * BOBBIN_ESTATE     not started
 */
BOBBIN_API enum bobbin_err bobbin_shutdown(uint32_t timeout_ms);

/*
 * Maps this thread's ring and seeds its ids now, so that its first span costs no more than others.
 */
BOBBIN_API enum bobbin_err bobbin_thread_attach(void);

enum bobbin_drop {
    BOBBIN_DROP_RING_FULL = 0, /* the thread's ring was full */
    BOBBIN_DROP_NO_RING,       /* ring_memory_max is used up, or no memory */
    BOBBIN_DROP_REENTERED,     /* in a signal handler that interrupted recording */
    BOBBIN_DROP_TOO_BIG,       /* over request_size_max on its own */
    BOBBIN_DROP_NO_MEMORY,     /* no memory to encode it */
    BOBBIN_DROP_QUEUE_FULL,    /* queue_spans_max */
    BOBBIN_DROP_BREAKER_OPEN,
    BOBBIN_DROP_EXPORT_FAILED, /* the exporter said never */
    BOBBIN_DROP_RETRIES_OVER,  /* export_timeout_ms was over */
    BOBBIN_DROP_REJECTED,      /* the receiver's partial success */
    BOBBIN_DROP_SHUTDOWN,      /* ended after the shutdown began, or not exported in its time */
    BOBBIN_DROP_REASONS,
};

/* The name of a reason, such as "ring_full"; static. NULL outside the list. */
BOBBIN_API const char *bobbin_drop_name(enum bobbin_drop reason);

/*
 * Counters since the process began (in a forked child: since the fork). Of spans that are sampled:
 *
 *     ended = exported + the sum of dropped + in_flight
 *
 * exactly, whenever no span ends during the call; once all is flushed, in_flight is 0. `started`
 * less
 * `ended` is open, or was never ended.
 */
struct bobbin_stats {
    uint64_t started;
    uint64_t ended;
    uint64_t exported;
    uint64_t dropped[BOBBIN_DROP_REASONS];
    uint64_t in_flight;
    uint64_t queue_spans;
    uint64_t requests; /* attempts to send, retries included */
    uint64_t retries;
    uint64_t requests_failed;
    uint64_t misuse; /* calls that broke a rule of these headers and did nothing */
    uint64_t breaker_opened;
    enum bobbin_breaker_state breaker;
    uint32_t ring_count;
};

BOBBIN_API void bobbin_stats_read(struct bobbin_stats *out);

/*
 * Writes the counters as lines of "name value", cut at `size` with a zero byte behind; returns the
 * size of the whole.
 */
BOBBIN_API size_t bobbin_stats_dump(char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_BOBBIN_H */
