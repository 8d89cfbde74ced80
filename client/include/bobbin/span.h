/*
 * span.h - tracers and spans. Included by <bobbin/bobbin.h>.
 *
 * A span is a value of the caller's, on its stack or inside its request: there is no handle,
 * nothing
 * to free, and no allocation. It must stay where it is from its start to its end. One thread at a
 * time may use a span; handing it to another thread needs the synchronisation that handing over any
 * value needs. It may end on another thread than it began on.
 *
 * Recording takes no lock, no malloc and no system call: attributes go into the span itself, and
 * the end copies the span into the thread's own ring. Two things are done once a thread, at its
 * first span: the ring is mapped, and the ids are seeded from the kernel.
 */
#ifndef BOBBIN_SPAN_H
#define BOBBIN_SPAN_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A named part of a program that makes spans. Lives as long as the process. */
struct bobbin_tracer;

struct bobbin_tracer_opts {
    struct bobbin_str name; /* what is instrumented: a library's or a module's name */
    struct bobbin_str version;
    struct bobbin_str schema_url;
    const struct bobbin_attr *attrs;
    size_t attr_count;
};

/*
 * The tracer of that name, version, schema URL and attributes: the same one for the same
 * arguments. It
 * can be asked for before bobbin_start and stays good after bobbin_shutdown. Never NULL: when the
 * table of tracers is full (BOBBIN_TRACERS_MAX), this is the nameless tracer.
 */
BOBBIN_API const struct bobbin_tracer *bobbin_tracer_get(const struct bobbin_tracer_opts *opts);

/* The same for a name alone. */
BOBBIN_API const struct bobbin_tracer *bobbin_tracer_named(const char *name);

#define BOBBIN_TRACERS_MAX 256

/* The numbers are OTLP's. */
enum bobbin_kind {
    BOBBIN_KIND_UNSPECIFIED = 0, /* taken as INTERNAL */
    BOBBIN_KIND_INTERNAL = 1,
    BOBBIN_KIND_SERVER = 2,
    BOBBIN_KIND_CLIENT = 3,
    BOBBIN_KIND_PRODUCER = 4,
    BOBBIN_KIND_CONSUMER = 5,
};

enum bobbin_status { BOBBIN_STATUS_UNSET = 0, BOBBIN_STATUS_OK = 1, BOBBIN_STATUS_ERROR = 2 };

struct bobbin_link {
    struct bobbin_span_context context;
    const struct bobbin_attr *attrs;
    size_t attr_count;
};

/* How a span begins. Zeroed is the everyday case: a child of the current span, from now on. */
struct bobbin_span_opts {
    enum bobbin_kind kind;
    bool is_root;                             /* no parent, whatever is current */
    const struct bobbin_span_context *parent; /* NULL: the current span */
    uint64_t start_unix_ns;                   /* 0: now */
    const struct bobbin_attr *attrs;          /* known at the start: samplers see these */
    size_t attr_count;
    const struct bobbin_link *links;
    size_t link_count;
};

/* Bytes that a span holds itself. What doesn't fit moves to a block from a bounded pool. */
#define BOBBIN_SPAN_DATA_SIZE 888

/* The part of a span that is copied into the ring. Private. */
struct bobbin_span_record {
    uint32_t record_size;
    uint8_t record_kind;
    uint8_t state;
    uint8_t kind;
    uint8_t status;
    uint8_t trace_id[BOBBIN_TRACE_ID_SIZE];
    uint8_t span_id[BOBBIN_SPAN_ID_SIZE];
    uint8_t parent_span_id[BOBBIN_SPAN_ID_SIZE];
    uint64_t start;
    uint64_t end;
    const char *name;
    const struct bobbin_tracer *tracer;
    uint8_t *block;
    uint32_t name_size;
    uint32_t data_size;
    uint8_t trace_flags;
    uint8_t is_parent_remote;
    uint16_t tracestate_size;
    uint16_t attr_count;
    uint16_t event_count;
    uint16_t link_count;
    uint16_t reserved;
    uint32_t dropped_attrs;
    uint32_t dropped_events;
    uint32_t dropped_links;
};

/* A span. Its fields are private: their meaning may change, its size will not. */
struct bobbin_span {
    uint8_t *data;
    const void *config;
    uint32_t data_capacity;
    uint32_t fork_generation;
    struct bobbin_span_record record;
    uint64_t inline_data[BOBBIN_SPAN_DATA_SIZE / 8];
};

/* A bit of struct bobbin_span_record.state. */
#define BOBBIN_SPAN_RECORDING 0x01u

/*
 * Starts `span`, whatever was in it before. `opts` may be NULL. Always leaves a usable span: where
 * nothing is recorded (not sampled, not started, switched off) every other call on it is a test of
 * one bit, and its context still passes the trace on.
 */
BOBBIN_API void bobbin_span_start(struct bobbin_span *span, const struct bobbin_tracer *tracer,
                                  struct bobbin_str name, const struct bobbin_span_opts *opts);

/* Whether what is set on the span goes anywhere. False after its end. */
static inline bool bobbin_span_is_recording(const struct bobbin_span *span)
{
    return (span->record.state & BOBBIN_SPAN_RECORDING) != 0;
}

/*
 * Ends the span, now or at `end_unix_ns` (an end before the start is taken as the start). After
 * it, every call on the span does nothing, except reading its context.
 */
BOBBIN_API void bobbin_span_end(struct bobbin_span *span);
BOBBIN_API void bobbin_span_end_at(struct bobbin_span *span, uint64_t end_unix_ns);

/* The context of a span; good as long as the span is, and until the next call on it. */
BOBBIN_API struct bobbin_span_context bobbin_span_context_of(const struct bobbin_span *span);

/* The out-of-line halves of the functions below; `span` is recording. */
BOBBIN_API void bobbin_span_put_attr(struct bobbin_span *span, const struct bobbin_attr *attr);
BOBBIN_API void bobbin_span_put_int(struct bobbin_span *span, struct bobbin_str key, int64_t value);
BOBBIN_API void bobbin_span_put_string(struct bobbin_span *span, struct bobbin_str key,
                                       struct bobbin_str value);

/*
 * Attributes. The last value of a key counts. An empty key is left out. When the limits are reached
 * (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, or the memory of the pool) an attribute is left out and
 * counted in
 * the span's dropped_attributes_count; a string over OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT
 * characters is cut.
 */
static inline void bobbin_span_set(struct bobbin_span *span, const struct bobbin_attr *attr)
{
    if (BOBBIN_UNLIKELY(!bobbin_span_is_recording(span))) {
        return;
    }
    bobbin_span_put_attr(span, attr);
}

static inline void bobbin_span_set_string(struct bobbin_span *span, struct bobbin_str key,
                                          struct bobbin_str value)
{
    if (BOBBIN_UNLIKELY(!bobbin_span_is_recording(span))) {
        return;
    }
    bobbin_span_put_string(span, key, value);
}

static inline void bobbin_span_set_int(struct bobbin_span *span, struct bobbin_str key,
                                       int64_t value)
{
    if (BOBBIN_UNLIKELY(!bobbin_span_is_recording(span))) {
        return;
    }
    bobbin_span_put_int(span, key, value);
}

static inline void bobbin_span_set_double(struct bobbin_span *span, struct bobbin_str key,
                                          double value)
{
    struct bobbin_attr attr;

    if (BOBBIN_UNLIKELY(!bobbin_span_is_recording(span))) {
        return;
    }
    attr = bobbin_attr_double(key, value);
    bobbin_span_put_attr(span, &attr);
}

static inline void bobbin_span_set_bool(struct bobbin_span *span, struct bobbin_str key, bool value)
{
    struct bobbin_attr attr;

    if (BOBBIN_UNLIKELY(!bobbin_span_is_recording(span))) {
        return;
    }
    attr = bobbin_attr_bool(key, value);
    bobbin_span_put_attr(span, &attr);
}

/* Adds an event, now or at `unix_ns` (0: now). Events keep the order of the calls. */
BOBBIN_API void bobbin_span_add_event(struct bobbin_span *span, struct bobbin_str name,
                                      uint64_t unix_ns, const struct bobbin_attr *attrs,
                                      size_t attr_count);

/* What bobbin_span_record_exception is given; an empty field is left out. */
struct bobbin_exception {
    struct bobbin_str type;
    struct bobbin_str message;
    struct bobbin_str stacktrace;
    const struct bobbin_attr *attrs; /* more; one named as a field above wins over it */
    size_t attr_count;
};

/* Adds an event "exception". The status stays as it is. */
BOBBIN_API void bobbin_span_record_exception(struct bobbin_span *span,
                                             const struct bobbin_exception *exception);

/* Adds a link after the start. Links keep the order of the calls. */
BOBBIN_API void bobbin_span_add_link(struct bobbin_span *span, const struct bobbin_link *link);

/*
 * Sets the status. OK is final; UNSET is ignored; ERROR takes a description (empty for none), and
 * a later ERROR replaces an earlier one's.
 */
BOBBIN_API void bobbin_span_set_status(struct bobbin_span *span, enum bobbin_status status,
                                       struct bobbin_str description);

/* Gives the span another name. The sampler has already seen the first one. */
BOBBIN_API void bobbin_span_update_name(struct bobbin_span *span, struct bobbin_str name);

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_SPAN_H */
