#include "query/cli/traffic_generator.h"

#include "common/bytes.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/otlp_fields.h"
#include "query/cli/seeded_random.h"
#include "query/cli/traffic_encode.h"

#define NO_SPAN UINT32_MAX
/* A caller fails with what it called in so many cases out of a hundred; else it has a way out. */
#define FAILS_WITH_CALLEE_PERCENT 75
/* The operation that fails is one of the first so many that can. */
#define FAILURES_TO_SKIP_MAX 6
/* Room at the end of the time range for traces to end in, at most. */
#define TAIL_NS_MAX (20 * BB_NS_PER_S)

/* What became of an operation that was called. */
struct outcome {
    uint64_t end_unix_ns;
    bool has_failed;
};

void bb_traffic_init(struct bb_traffic_generator *generator, const struct bb_traffic_opts *opts)
{
    *generator = (struct bb_traffic_generator){
        .opts = *opts,
        .random_state = opts->seed,
    };
    for (size_t i = 0; i < BB_ARRAY_COUNT(generator->spans); i++) {
        bb_buf_init(&generator->spans[i], BB_REQUEST_BYTES_MAX);
    }
}

void bb_traffic_dispose(struct bb_traffic_generator *generator)
{
    for (size_t i = 0; generator != NULL && i < BB_ARRAY_COUNT(generator->spans); i++) {
        bb_buf_dispose(&generator->spans[i]);
    }
}

static uint64_t next_random(struct bb_traffic_generator *generator)
{
    return bb_random_next(&generator->random_state);
}

/* A latency around `typical_us`, with the tail that real ones have. */
static uint64_t latency_ns(struct bb_traffic_generator *generator, uint64_t typical_us)
{
    uint64_t *state = &generator->random_state;
    uint64_t ns = typical_us * bb_random_between(state, 600, 1600); /* thousandths of 1 us */
    uint64_t place = bb_random_between(state, 0, 999);

    if (place < 10) {
        ns *= bb_random_between(state, 8, 25);
    } else if (place < 60) {
        ns *= bb_random_between(state, 2, 5);
    }
    return ns + bb_random_between(state, 0, 999);
}

static enum bb_span_kind kind_of(const struct bb_shop_operation *operation)
{
    switch (operation->style) {
    case BB_SHOP_PAGE:
    case BB_SHOP_RPC:
        return BB_KIND_SERVER;
    case BB_SHOP_DATABASE:
    case BB_SHOP_CACHE:
    case BB_SHOP_OUTSIDE:
        return BB_KIND_CLIENT;
    case BB_SHOP_SEND:
        return BB_KIND_PRODUCER;
    case BB_SHOP_CONSUME:
        return BB_KIND_CONSUMER;
    case BB_SHOP_WORK:
    case BB_SHOP_JOB:
        break;
    }
    return BB_KIND_INTERNAL;
}

/* Adds a span below span `parent` (NO_SPAN: a root). NO_SPAN when the trace is full. */
static uint32_t add_span(struct bb_traffic_generator *generator,
                         const struct bb_shop_operation *operation, uint8_t service,
                         enum bb_span_kind kind, uint32_t parent, uint64_t start_unix_ns)
{
    struct bb_traffic_trace *trace = &generator->trace;

    if (trace->span_count == BB_TRAFFIC_SPANS_MAX) {
        return NO_SPAN;
    }
    struct bb_traffic_span *span = &trace->spans[trace->span_count];
    *span = (struct bb_traffic_span){
        .operation = operation,
        .service = service,
        .kind = (uint8_t)kind,
        .start_unix_ns = start_unix_ns,
        .end_unix_ns = start_unix_ns,
        .chance = next_random(generator),
    };
    bb_put_be64(span->span_id.bytes, next_random(generator) | 1); /* never zero */
    if (parent != NO_SPAN) {
        span->parent_span_id = trace->spans[parent].span_id;
        span->has_remote_parent = trace->spans[parent].service != service;
    }
    return trace->span_count++;
}

/* Does this operation begin the failure of the trace? */
static bool begins_failure(struct bb_traffic_generator *generator,
                           const struct bb_shop_operation *operation)
{
    return operation->failure != NULL && generator->failures_to_skip >= 0 &&
           generator->failures_to_skip-- == 0;
}

/* The consumers of what span `index` sends will have traces of their own. */
static void send_message(struct bb_traffic_generator *generator, uint32_t index)
{
    const struct bb_traffic_span *span = &generator->trace.spans[index];
    uint8_t consumers[BB_SHOP_CONSUMERS_MAX];
    uint32_t count = bb_shop_consumers((uint32_t)(span->operation - bb_shop_operations), consumers);

    for (uint32_t i = 0; i < count && generator->message_count < BB_TRAFFIC_MESSAGES_MAX; i++) {
        generator->messages[generator->message_count++] = (struct bb_traffic_message){
            .trace_id = generator->trace.trace_id,
            .span_id = span->span_id,
            .sent_unix_ns = span->end_unix_ns,
            .consumer = consumers[i],
        };
    }
}

static struct outcome play(struct bb_traffic_generator *generator, uint8_t operation,
                           uint8_t caller_service, uint32_t caller, uint64_t start_unix_ns);

/* Plays one entry of the calls of span `index`, once or several times. */
static struct outcome play_call(struct bb_traffic_generator *generator, uint32_t index,
                                const struct bb_shop_call *call, uint64_t start_unix_ns)
{
    struct outcome sum = {.end_unix_ns = start_unix_ns};
    uint8_t service = generator->trace.spans[index].service;

    if (!bb_random_percent(&generator->random_state, call->chance_percent)) {
        return sum;
    }
    uint64_t count = bb_random_between(&generator->random_state, call->count_min, call->count_max);
    for (uint64_t i = 0; i < count && !sum.has_failed; i++) {
        uint64_t gap_ns = bb_random_between(&generator->random_state, 2000, 60000);
        struct outcome one =
            play(generator, call->operation, service, index, sum.end_unix_ns + gap_ns);
        sum.end_unix_ns = one.end_unix_ns;
        sum.has_failed = one.has_failed;
    }
    return sum;
}

/*
 * Plays what the operation of span `index` does, and sets its end: half of its own time, its calls
 * side by side or one behind the other, the other half. One that fails with a call makes no more.
 */
static void play_body(struct bb_traffic_generator *generator, uint32_t index)
{
    const struct bb_shop_operation *operation = generator->trace.spans[index].operation;
    uint64_t own_ns = latency_ns(generator, operation->own_us);
    uint64_t begin_unix_ns = generator->trace.spans[index].start_unix_ns + own_ns / 2;
    uint64_t end_unix_ns = begin_unix_ns;
    bool is_origin = begins_failure(generator, operation);
    bool has_failed = is_origin;

    for (uint32_t i = 0; i < BB_SHOP_CALLS_MAX && operation->calls[i].chance_percent > 0; i++) {
        uint64_t start_unix_ns = operation->is_parallel ? begin_unix_ns : end_unix_ns;
        struct outcome outcome = play_call(generator, index, &operation->calls[i], start_unix_ns);
        if (outcome.end_unix_ns > end_unix_ns) {
            end_unix_ns = outcome.end_unix_ns;
        }
        if (outcome.has_failed &&
            bb_random_percent(&generator->random_state, FAILS_WITH_CALLEE_PERCENT)) {
            has_failed = true;
            if (!operation->is_parallel) {
                break;
            }
        }
    }
    struct bb_traffic_span *span = &generator->trace.spans[index];
    span->end_unix_ns = end_unix_ns + own_ns - own_ns / 2;
    span->has_failed = has_failed;
    span->is_origin = is_origin;
    if (operation->style == BB_SHOP_SEND && !has_failed) {
        send_message(generator, index);
    }
}

/* The client's side of a call: around the server's, with the network on both ways. */
static struct outcome play_rpc(struct bb_traffic_generator *generator,
                               const struct bb_shop_operation *operation, uint8_t caller_service,
                               uint32_t caller, uint64_t start_unix_ns)
{
    uint32_t client =
        add_span(generator, operation, caller_service, BB_KIND_CLIENT, caller, start_unix_ns);
    struct outcome outcome = {.end_unix_ns = start_unix_ns};

    if (client == NO_SPAN) {
        return outcome;
    }
    uint64_t there_ns = latency_ns(generator, 180);
    uint32_t server = add_span(generator, operation, operation->service, BB_KIND_SERVER, client,
                               start_unix_ns + there_ns);
    outcome.end_unix_ns += there_ns;
    if (server != NO_SPAN) {
        play_body(generator, server);
        outcome.end_unix_ns = generator->trace.spans[server].end_unix_ns;
        outcome.has_failed = generator->trace.spans[server].has_failed;
    }
    outcome.end_unix_ns += latency_ns(generator, 180);
    generator->trace.spans[client].end_unix_ns = outcome.end_unix_ns;
    generator->trace.spans[client].has_failed = outcome.has_failed;
    return outcome;
}

/* Recurses as deep as the calls of the shop go, which make no circle. */
static struct outcome play(struct bb_traffic_generator *generator, uint8_t operation_index,
                           uint8_t caller_service, uint32_t caller, uint64_t start_unix_ns)
{
    const struct bb_shop_operation *operation = &bb_shop_operations[operation_index];

    if (operation->style == BB_SHOP_RPC) {
        return play_rpc(generator, operation, caller_service, caller, start_unix_ns);
    }
    uint32_t index =
        add_span(generator, operation, caller_service, kind_of(operation), caller, start_unix_ns);
    if (index == NO_SPAN) {
        return (struct outcome){.end_unix_ns = start_unix_ns};
    }
    play_body(generator, index);
    return (struct outcome){
        .end_unix_ns = generator->trace.spans[index].end_unix_ns,
        .has_failed = generator->trace.spans[index].has_failed,
    };
}

static uint8_t choose_entry(struct bb_traffic_generator *generator)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < bb_shop_entry_count; i++) {
        sum += bb_shop_entries[i].weight;
    }
    uint64_t place = bb_random_between(&generator->random_state, 0, sum - 1);
    for (uint32_t i = 0; i + 1 < bb_shop_entry_count; i++) {
        if (place < bb_shop_entries[i].weight) {
            return bb_shop_entries[i].operation;
        }
        place -= bb_shop_entries[i].weight;
    }
    return bb_shop_entries[bb_shop_entry_count - 1].operation;
}

/* When trace number `trace_index` begins: the traces are spread evenly, each moved a little. */
static uint64_t choose_start(struct bb_traffic_generator *generator)
{
    const struct bb_traffic_opts *opts = &generator->opts;
    uint64_t range_ns = opts->end_unix_ns - opts->start_unix_ns;
    uint64_t tail_ns = range_ns / 10 < TAIL_NS_MAX ? range_ns / 10 : TAIL_NS_MAX;
    uint64_t slot_ns = (range_ns - tail_ns) / opts->trace_count;

    return opts->start_unix_ns + slot_ns * generator->trace_index +
           bb_random_between(&generator->random_state, 0, slot_ns);
}

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* Moves a trace that would end too late, and cuts what is longer than the whole range. */
static void fit_into_range(struct bb_traffic_trace *trace, const struct bb_traffic_opts *opts)
{
    uint64_t end_unix_ns = 0;

    for (uint32_t i = 0; i < trace->span_count; i++) {
        if (trace->spans[i].end_unix_ns > end_unix_ns) {
            end_unix_ns = trace->spans[i].end_unix_ns;
        }
    }
    uint64_t excess_ns = end_unix_ns > opts->end_unix_ns ? end_unix_ns - opts->end_unix_ns : 0;
    for (uint32_t i = 0; i < trace->span_count && excess_ns > 0; i++) {
        struct bb_traffic_span *span = &trace->spans[i];
        span->start_unix_ns =
            clamp(span->start_unix_ns, opts->start_unix_ns + excess_ns, UINT64_MAX) - excess_ns;
        span->end_unix_ns =
            clamp(span->end_unix_ns, opts->start_unix_ns + excess_ns, UINT64_MAX) - excess_ns;
    }
}

static void make_trace(struct bb_traffic_generator *generator)
{
    struct bb_traffic_trace *trace = &generator->trace;
    uint64_t start_unix_ns = choose_start(generator);
    uint8_t operation = choose_entry(generator);
    bool is_to_fail =
        bb_random_between(&generator->random_state, 0, 999999) < generator->opts.error_millionths;

    *trace = (struct bb_traffic_trace){0};
    bb_put_be64(trace->trace_id.bytes, next_random(generator));
    bb_put_be64(trace->trace_id.bytes + 8, next_random(generator) | 1);
    if (generator->message_count > 0) {
        const struct bb_traffic_message *message = &generator->messages[--generator->message_count];
        operation = message->consumer;
        start_unix_ns = message->sent_unix_ns + latency_ns(generator, 40000);
        trace->has_link = true;
        trace->link_trace_id = message->trace_id;
        trace->link_span_id = message->span_id;
    }
    generator->failures_to_skip =
        is_to_fail
            ? (int64_t)bb_random_between(&generator->random_state, 0, FAILURES_TO_SKIP_MAX - 1)
            : -1;
    (void)play(generator, operation, bb_shop_operations[operation].service, NO_SPAN, start_unix_ns);
    if (is_to_fail && generator->failures_to_skip >= 0) {
        /* The trace was too short for the operation that was to fail. */
        trace->spans[0].has_failed = true;
        trace->spans[0].is_origin = true;
    }
    fit_into_range(trace, &generator->opts);
}

/* Files the spans of the trace under the instances that they ran on. */
static void encode_trace(struct bb_traffic_generator *generator)
{
    const struct bb_traffic_trace *trace = &generator->trace;

    for (uint32_t i = 0; i < trace->span_count; i++) {
        uint32_t service = trace->spans[i].service;
        uint32_t instance = (trace->trace_id.bytes[0] + service) % BB_TRAFFIC_INSTANCES;
        bb_traffic_encode_span(trace, i,
                               &generator->spans[service * BB_TRAFFIC_INSTANCES + instance]);
    }
}

enum bb_err bb_traffic_next(struct bb_traffic_generator *generator, struct bb_buf *out,
                            uint64_t *out_span_count)
{
    uint64_t span_count = 0;

    bb_buf_clear(out);
    while (generator->trace_index < generator->opts.trace_count &&
           span_count < BB_TRAFFIC_REQUEST_SPANS) {
        make_trace(generator);
        encode_trace(generator);
        span_count += generator->trace.span_count;
        generator->trace_index++;
    }
    for (uint32_t i = 0; i < BB_ARRAY_COUNT(generator->spans); i++) {
        struct bb_buf *spans = &generator->spans[i];
        if (bb_buf_err(spans) != BB_OK) {
            return bb_buf_err(spans);
        }
        if (spans->size > 0) {
            bb_traffic_encode_resource_spans(i / BB_TRAFFIC_INSTANCES, i % BB_TRAFFIC_INSTANCES,
                                             bb_buf_slice(spans), out);
            bb_buf_clear(spans);
        }
    }
    if (bb_buf_err(out) != BB_OK) {
        return bb_buf_err(out);
    }
    *out_span_count = span_count;
    return BB_OK;
}
