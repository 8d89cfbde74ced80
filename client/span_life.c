/*
 * span_life.c - the life of a span on the thread that records it: from bobbin_span_start to the
 * ring.
 *
 * Nothing here takes a lock, allocates, or enters the kernel, once the thread has its ring and
 * seed.
 */
#include "client/include/bobbin/bobbin.h"

#include "client/client_config.h"
#include "client/overflow_pool.h"
#include "client/span_data.h"
#include "client/thread_ring.h"
#include "client/tick_clock.h"
#include "client/trace_sampler.h"

_Atomic(const struct bbc_config *) bbc_live;
atomic_uint bbc_fork_generation;
struct bbc_loose_counters bbc_loose;

static_assert(sizeof(struct bobbin_span_record) % 8 == 0, "records keep the ring aligned");
static_assert(offsetof(struct bobbin_span, inline_data) ==
                  offsetof(struct bobbin_span, record) + sizeof(struct bobbin_span_record),
              "a record and its data are copied in one piece");

/* Marks the thread as recording; true where it was already: this is a signal handler. */
static inline bool enter(struct bbc_thread *thread)
{
    bool is_reentered = thread->busy != 0;

    thread->busy++;
    atomic_signal_fence(memory_order_seq_cst);
    return is_reentered;
}

static inline void leave(struct bbc_thread *thread)
{
    atomic_signal_fence(memory_order_seq_cst);
    thread->busy--;
}

static inline void init_span(struct bobbin_span *span, const struct bobbin_tracer *tracer)
{
    span->data = (uint8_t *)span->inline_data;
    span->config = NULL;
    span->data_capacity = sizeof span->inline_data;
    memset(&span->record, 0, sizeof span->record);
    span->record.tracer = tracer;
}

static void keep_tracestate(struct bobbin_span *span, const char *tracestate, uint32_t size)
{
    if (size == 0 || size > BOBBIN_TRACESTATE_MAX) {
        return;
    }
    memcpy(span->data, tracestate, size);
    span->record.tracestate_size = (uint16_t)size;
    span->record.data_size = bbc_pad8(size);
}

struct bobbin_span_context bobbin_span_context_of(const struct bobbin_span *span)
{
    struct bobbin_span_context context;

    memcpy(context.trace_id, span->record.trace_id, sizeof context.trace_id);
    memcpy(context.span_id, span->record.span_id, sizeof context.span_id);
    context.flags = span->record.trace_flags;
    /* Where nothing was started, a span stands for its remote parent itself. */
    context.is_remote = span->config == NULL && span->record.is_parent_remote;
    context.tracestate_size = span->record.tracestate_size;
    context.tracestate = (const char *)span->data;
    return context;
}

/* Where the library isn't started: the span passes its parent's context on. */
static void stand_for_parent(struct bobbin_span *span, const struct bobbin_span_context *parent)
{
    memcpy(span->record.trace_id, parent->trace_id, sizeof span->record.trace_id);
    memcpy(span->record.span_id, parent->span_id, sizeof span->record.span_id);
    span->record.trace_flags = parent->flags;
    span->record.is_parent_remote = parent->is_remote;
    keep_tracestate(span, parent->tracestate, parent->tracestate_size);
}

/* Draws the ids; in a signal handler from the kernel, as the generator may be half way. */
static inline void draw_ids(struct bobbin_span *span, struct bbc_thread *thread, bool is_reentered,
                            bool is_root)
{
    struct bbc_id_source kernel;
    struct bbc_id_source *source = &thread->ids;
    uint64_t words[2];

    if (BOBBIN_UNLIKELY(is_reentered)) {
        source = &kernel;
        if (!bbc_id_source_seed(source)) {
            return;
        }
    } else if (BOBBIN_UNLIKELY(!thread->is_seeded) && !bbc_thread_seed(thread)) {
        return; /* the ids stay zero: not valid, and the span isn't recorded */
    }
    if (is_root) {
        words[0] = bbc_id_source_next_id(source);
        words[1] = bbc_id_source_next_id(source);
        memcpy(span->record.trace_id, words, sizeof words);
    }
    words[0] = bbc_id_source_next_id(source);
    memcpy(span->record.span_id, words, sizeof words[0]);
}

static void set_attrs(struct bobbin_span *span, const struct bobbin_attr *attrs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bobbin_span_put_attr(span, &attrs[i]);
    }
}

/* What a span that is sampled has over one that isn't. */
static void begin_recording(struct bobbin_span *span, struct bbc_thread *thread,
                            const struct bbc_config *config, bool is_reentered,
                            const struct bobbin_span_opts *opts)
{
    struct bobbin_span_record *record = &span->record;

    record->state |= BOBBIN_SPAN_RECORDING;
    span->fork_generation = atomic_load_explicit(&bbc_fork_generation, memory_order_relaxed);
    if ((record->state & BBC_STATE_EXPORT) != 0) {
        struct bbc_ring *ring = is_reentered ? NULL : bbc_thread_ring(thread, config);

        if (BOBBIN_UNLIKELY(ring == NULL)) {
            bbc_count(&bbc_loose.started, 1);
        } else {
            bbc_own_add(&ring->started, 1);
        }
    }
    if (opts != NULL) {
        set_attrs(span, opts->attrs, opts->attr_count);
        for (size_t i = 0; i < opts->link_count; i++) {
            bobbin_span_add_link(span, &opts->links[i]);
        }
    }
    if (opts != NULL && opts->start_unix_ns != 0) {
        record->start = opts->start_unix_ns;
        record->state |= BBC_STATE_START_UNIX;
    } else {
        record->start = bbc_tick_now(config->uses_tsc);
    }
}

static void decide(struct bobbin_span *span, struct bbc_thread *thread,
                   const struct bbc_config *config, const struct bobbin_span_context *parent,
                   bool is_reentered, struct bobbin_str name, const struct bobbin_span_opts *opts)
{
    struct bobbin_sampler_output output = {0};
    const struct bobbin_sampler_input input = {
        .parent = parent,
        .trace_id = span->record.trace_id,
        .name = name,
        .kind = (enum bobbin_kind)span->record.kind,
        .attrs = opts == NULL ? NULL : opts->attrs,
        .attr_count = opts == NULL ? 0 : opts->attr_count,
        .links = opts == NULL ? NULL : opts->links,
        .link_count = opts == NULL ? 0 : opts->link_count,
    };
    enum bobbin_decision decision = bbc_sampler_decide(config, &input, &output);

    if (output.has_tracestate) {
        keep_tracestate(span, output.tracestate.data, output.tracestate.size);
    } else {
        keep_tracestate(span, parent->tracestate, parent->tracestate_size);
    }
    if (decision == BOBBIN_RECORD_AND_SAMPLE) {
        span->record.trace_flags |= BOBBIN_FLAG_SAMPLED;
        span->record.state = BBC_STATE_EXPORT;
    }
    if (decision != BOBBIN_DROP) {
        if (name.is_literal) {
            span->record.name = name.data;
            span->record.name_size = name.size;
        } else {
            (void)bbc_span_data_entry(span, BBC_ENTRY_NAME, 0, name, NULL, 0);
        }
        begin_recording(span, thread, config, is_reentered, opts);
        set_attrs(span, output.attrs, output.attr_count);
    }
}

void bobbin_span_start(struct bobbin_span *span, const struct bobbin_tracer *tracer,
                       struct bobbin_str name, const struct bobbin_span_opts *opts)
{
    const struct bbc_config *config = atomic_load_explicit(&bbc_live, memory_order_acquire);
    struct bbc_thread *thread = &bbc_this_thread;
    struct bobbin_span_context parent = {0};
    bool has_parent;
    bool is_reentered;

    init_span(span, tracer);
    if (opts != NULL && opts->parent != NULL) {
        parent = *opts->parent;
    } else if (thread->scopes != NULL) {
        parent = bobbin_current_span_context();
    }
    if (opts != NULL && opts->is_root) {
        parent = (struct bobbin_span_context){0};
    }
    has_parent = bobbin_span_context_is_valid(&parent);
    if (config == NULL) {
        stand_for_parent(span, &parent);
        return;
    }
    span->config = config;
    span->record.kind = opts == NULL || opts->kind == BOBBIN_KIND_UNSPECIFIED ? BOBBIN_KIND_INTERNAL
                                                                              : (uint8_t)opts->kind;
    if (has_parent) {
        memcpy(span->record.trace_id, parent.trace_id, sizeof span->record.trace_id);
        memcpy(span->record.parent_span_id, parent.span_id, sizeof parent.span_id);
        span->record.is_parent_remote = parent.is_remote;
        span->record.trace_flags = parent.flags & BOBBIN_FLAG_RANDOM;
    } else {
        parent.tracestate_size = 0; /* it belongs to the parent that isn't there */
        span->record.trace_flags = BOBBIN_FLAG_RANDOM;
    }
    is_reentered = enter(thread);
    draw_ids(span, thread, is_reentered, !has_parent);
    decide(span, thread, config, &parent, is_reentered, name, opts);
    leave(thread);
}

/* An attribute over the limit may still replace one that is there. */
static bool has_attr_room(struct bobbin_span *span, const struct bbc_config *config,
                          struct bobbin_str key)
{
    if (span->record.attr_count < config->limits.attr_count) {
        return true;
    }
    bbc_span_data_compact(span);
    return span->record.attr_count < config->limits.attr_count ||
           (span->record.attr_count < UINT16_MAX && bbc_span_data_has_attr(span, key));
}

void bobbin_span_put_attr(struct bobbin_span *span, const struct bobbin_attr *attr)
{
    const struct bbc_config *config = span->config;

    if (attr->key.size == 0 || attr->type < BOBBIN_ATTR_STRING ||
        attr->type > BOBBIN_ATTR_DOUBLES) {
        bbc_count(&bbc_loose.misuse, 1);
        return;
    }
    if (has_attr_room(span, config, attr->key) &&
        bbc_span_data_attr(span, config, BBC_ENTRY_ATTR, attr)) {
        span->record.attr_count++;
    } else {
        span->record.dropped_attrs++;
    }
}

/*
 * The everyday attribute, with a literal key and an 8-byte value, in a few stores; false: not it.
 */
static inline bool put_word(struct bobbin_span *span, struct bobbin_str key,
                            enum bobbin_attr_type type, unsigned flags, uint32_t value_size,
                            const void *word)
{
    const struct bbc_config *config = span->config;
    struct bobbin_span_record *record = &span->record;
    struct bbc_entry head = {
        .kind = BBC_ENTRY_ATTR,
        .type = (uint8_t)type,
        .flags = (uint16_t)(flags | BBC_KEY_LITERAL),
        .size = 32,
        .key_size = key.size,
        .value_size = value_size,
    };
    uint64_t pointer = (uint64_t)(uintptr_t)key.data;
    uint8_t *to = span->data + record->data_size;

    if (!key.is_literal || key.size == 0 || record->attr_count >= config->limits.attr_count ||
        span->data_capacity - record->data_size < 32) {
        return false;
    }
    memcpy(to, &head, sizeof head);
    memcpy(to + 16, &pointer, 8);
    memcpy(to + 24, word, 8);
    record->data_size += 32;
    record->attr_count++;
    return true;
}

void bobbin_span_put_int(struct bobbin_span *span, struct bobbin_str key, int64_t value)
{
    if (BOBBIN_UNLIKELY(!put_word(span, key, BOBBIN_ATTR_INT, 0, 8, &value))) {
        struct bobbin_attr attr = bobbin_attr_int(key, value);

        bobbin_span_put_attr(span, &attr);
    }
}

void bobbin_span_put_string(struct bobbin_span *span, struct bobbin_str key,
                            struct bobbin_str value)
{
    const struct bbc_config *config = span->config;
    uint64_t pointer = (uint64_t)(uintptr_t)value.data;

    if (!value.is_literal || value.size > config->limits.attr_value_length ||
        !put_word(span, key, BOBBIN_ATTR_STRING, BBC_VALUE_LITERAL, value.size, &pointer)) {
        struct bobbin_attr attr = bobbin_attr_string(key, value);

        bobbin_span_put_attr(span, &attr);
    }
}

/*
 * Appends the attributes of an event or a link behind its entry. Gives the bytes appended: the
 * entry
 * is that far from the end, whatever a compaction has moved before it.
 */
static uint32_t put_children(struct bobbin_span *span, const struct bobbin_attr *attrs,
                             size_t count, uint32_t count_max, uint32_t *out_put,
                             uint32_t *out_dropped)
{
    uint32_t size = 0;
    uint32_t put = 0;
    uint32_t dropped = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t appended = 0;

        if (put < count_max && attrs[i].key.size > 0) {
            appended = bbc_span_data_attr(span, span->config, BBC_ENTRY_CHILD_ATTR, &attrs[i]);
        }
        size += appended;
        put += appended > 0;
        dropped += appended == 0;
    }
    *out_put = put;
    *out_dropped = dropped;
    return size;
}

/* The value of the entry of `entry_size` bytes that begins `distance` bytes before the end. */
static uint8_t *value_at(struct bobbin_span *span, uint32_t distance, uint32_t entry_size,
                         uint32_t value_size)
{
    return span->data + span->record.data_size - distance + entry_size - value_size;
}

/* Adds an event of two lists of attributes, one after the other. */
static void add_event(struct bobbin_span *span, struct bobbin_str name, uint64_t unix_ns,
                      const struct bobbin_attr *const lists[2], const size_t counts[2])
{
    const struct bbc_config *config = span->config;
    struct bbc_event_value value = {unix_ns, 0, 0};
    uint32_t entry_size = 0;
    uint32_t distance;
    uint32_t put;
    uint32_t dropped;

    if (unix_ns == 0) {
        value.time = bbc_tick_now(config->uses_tsc);
    }
    if (span->record.event_count < config->limits.event_count) {
        entry_size = bbc_span_data_entry(span, BBC_ENTRY_EVENT, unix_ns == 0 ? 0 : BBC_TIME_UNIX,
                                         name, &value, sizeof value);
    }
    if (entry_size == 0) {
        span->record.dropped_events++;
        return;
    }
    distance = entry_size;
    for (unsigned i = 0; i < 2; i++) {
        distance +=
            put_children(span, lists[i], counts[i],
                         config->limits.event_attr_count - value.attr_count, &put, &dropped);
        value.attr_count += put;
        value.dropped_attrs += dropped;
    }
    memcpy(value_at(span, distance, entry_size, sizeof value), &value, sizeof value);
    span->record.event_count++;
}

void bobbin_span_add_event(struct bobbin_span *span, struct bobbin_str name, uint64_t unix_ns,
                           const struct bobbin_attr *attrs, size_t attr_count)
{
    if (bobbin_span_is_recording(span)) {
        add_event(span, name, unix_ns, (const struct bobbin_attr *const[2]){attrs, NULL},
                  (const size_t[2]){attr_count, 0});
    }
}

void bobbin_span_record_exception(struct bobbin_span *span,
                                  const struct bobbin_exception *exception)
{
    struct bobbin_attr known[3];
    size_t count = 0;

    if (!bobbin_span_is_recording(span)) {
        return;
    }
    if (exception->type.size > 0) {
        known[count++] = bobbin_attr_string(bobbin_lit("exception.type"), exception->type);
    }
    if (exception->message.size > 0) {
        known[count++] = bobbin_attr_string(bobbin_lit("exception.message"), exception->message);
    }
    if (exception->stacktrace.size > 0) {
        known[count++] =
            bobbin_attr_string(bobbin_lit("exception.stacktrace"), exception->stacktrace);
    }
    /* The encoder lets the last of a key count: the attributes given come after ours. */
    add_event(span, bobbin_lit("exception"), 0,
              (const struct bobbin_attr *const[2]){known, exception->attrs},
              (const size_t[2]){count, exception->attr_count});
}

void bobbin_span_add_link(struct bobbin_span *span, const struct bobbin_link *link)
{
    const struct bbc_config *config = span->config;
    struct bbc_link_value value = {0};
    uint32_t entry_size = 0;
    uint32_t distance;

    if (!bobbin_span_is_recording(span)) {
        return;
    }
    memcpy(value.trace_id, link->context.trace_id, sizeof value.trace_id);
    memcpy(value.span_id, link->context.span_id, sizeof value.span_id);
    value.flags = link->context.flags;
    value.is_remote = link->context.is_remote;
    if (span->record.link_count < config->limits.link_count) {
        entry_size = bbc_span_data_entry(
            span, BBC_ENTRY_LINK, 0,
            bobbin_strn(link->context.tracestate, link->context.tracestate_size), &value,
            sizeof value);
    }
    if (entry_size == 0) {
        span->record.dropped_links++;
        return;
    }
    distance = entry_size + put_children(span, link->attrs, link->attr_count,
                                         config->limits.link_attr_count, &value.attr_count,
                                         &value.dropped_attrs);
    memcpy(value_at(span, distance, entry_size, sizeof value), &value, sizeof value);
    span->record.link_count++;
}

void bobbin_span_set_status(struct bobbin_span *span, enum bobbin_status status,
                            struct bobbin_str description)
{
    if (!bobbin_span_is_recording(span) || status == BOBBIN_STATUS_UNSET ||
        span->record.status == BOBBIN_STATUS_OK) {
        return;
    }
    span->record.status = (uint8_t)status;
    if (status == BOBBIN_STATUS_ERROR) {
        /* An empty one as well: it takes the place of an earlier description. */
        (void)bbc_span_data_entry(span, BBC_ENTRY_STATUS, 0, description, NULL, 0);
    }
}

void bobbin_span_update_name(struct bobbin_span *span, struct bobbin_str name)
{
    if (bobbin_span_is_recording(span)) {
        (void)bbc_span_data_entry(span, BBC_ENTRY_NAME, 0, name, NULL, 0);
    }
}

/* Drops a span that ended; `reason` is counted. */
static void drop(struct bobbin_span *span, enum bobbin_drop reason)
{
    bbc_overflow_release(span->record.block);
    bbc_count(&bbc_loose.ended, 1);
    bbc_count(&bbc_loose.dropped[reason], 1);
}

static void push(struct bobbin_span *span, struct bbc_ring *ring)
{
    uint32_t size = (uint32_t)sizeof span->record;
    uint64_t head;
    uint8_t *to;

    if (span->record.block == NULL) {
        size += span->record.data_size;
    }
    to = bbc_ring_reserve(ring, size, &head);
    if (BOBBIN_UNLIKELY(to == NULL)) {
        bbc_overflow_release(span->record.block);
        bbc_own_add(&ring->dropped_full, 1);
        bbc_drainer_wake();
        return;
    }
    span->record.record_size = size;
    span->record.record_kind = BBC_RECORD_SPAN;
    memcpy(to, &span->record, size);
    bbc_own_add(&ring->pushed, 1);
    bbc_ring_commit(ring, head);
}

static void end_span(struct bobbin_span *span)
{
    const struct bbc_config *config = span->config;
    struct bbc_thread *thread = &bbc_this_thread;
    struct bbc_ring *ring;

    span->record.state &= (uint8_t)~BOBBIN_SPAN_RECORDING;
    if ((span->record.state & BBC_STATE_EXPORT) == 0 ||
        span->fork_generation != atomic_load_explicit(&bbc_fork_generation, memory_order_relaxed)) {
        bbc_overflow_release(span->record.block); /* not sampled, or the parent process's */
        return;
    }
    if (atomic_load_explicit(&bbc_live, memory_order_relaxed) != config) {
        drop(span, BOBBIN_DROP_SHUTDOWN);
        return;
    }
    if (enter(thread)) {
        drop(span, BOBBIN_DROP_REENTERED);
    } else {
        ring = bbc_thread_ring(thread, config);
        if (BOBBIN_UNLIKELY(ring == NULL)) {
            drop(span, BOBBIN_DROP_NO_RING);
        } else {
            push(span, ring);
        }
    }
    leave(thread);
}

void bobbin_span_end(struct bobbin_span *span)
{
    const struct bbc_config *config = span->config;

    if (bobbin_span_is_recording(span)) {
        span->record.end = bbc_tick_now(config->uses_tsc);
        end_span(span);
    }
}

void bobbin_span_end_at(struct bobbin_span *span, uint64_t end_unix_ns)
{
    if (bobbin_span_is_recording(span)) {
        span->record.end = end_unix_ns;
        span->record.state |= BBC_STATE_END_UNIX;
        end_span(span);
    }
}

enum bobbin_err bobbin_thread_attach(void)
{
    const struct bbc_config *config = atomic_load_explicit(&bbc_live, memory_order_acquire);
    struct bbc_thread *thread = &bbc_this_thread;
    struct bbc_ring *ring;

    if (config == NULL) {
        return BOBBIN_ESTATE;
    }
    if (enter(thread)) {
        leave(thread);
        return BOBBIN_ESTATE;
    }
    ring = bbc_thread_ring(thread, config);
    if (!thread->is_seeded) {
        (void)bbc_thread_seed(thread);
    }
    leave(thread);
    return ring == NULL ? BOBBIN_ENOMEM : BOBBIN_OK;
}
