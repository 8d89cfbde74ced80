#include "query/query_run.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/metrics.h"

#define ARENA_BYTES_FIRST ((size_t)1 << 20)
#define ARENA_GROWTH 8
/* The budget is asked in steps of this size. */
#define RESERVE_STEP ((size_t)1 << 20)
/* Bytes of answer that a byte of span is taken to make before it is rendered: on captured traffic
 * it was 2.0 in OTLP/JSON and 2.2 in v1's, and the buffer grows ahead. The real size is counted
 * before the next trace. */
#define RENDERED_PER_STORED 3

void bb_query_run_begin(struct bb_query_run *run, const struct bb_query_api *api,
                        bool (*is_cancelled)(void *ctx), void *cancel_ctx)
{
    *run = (struct bb_query_run){
        .api = api,
        .ctl = {.is_cancelled = is_cancelled, .cancel_ctx = cancel_ctx},
        .start_ns = bb_clock_monotonic_ns(api->clock),
    };
    bb_arena_init(&run->found, 0);
    bb_arena_init(&run->trace, 0);
}

static enum bb_metric metric_of(const struct bb_query_run *run, enum bb_err err)
{
    switch (err) {
    case BB_OK:
        return run->ctl.incomplete ? BB_M_QUERIES_INCOMPLETE : BB_M_QUERIES_OK;
    case BB_EINVAL:
    case BB_ETOOBIG:
    case BB_EUNSUPPORTED:
        return BB_M_QUERIES_INVALID;
    case BB_ENOTFOUND:
        return BB_M_QUERIES_NOT_FOUND;
    case BB_ECANCELLED:
        return BB_M_QUERIES_CANCELLED;
    case BB_EBUSY:
        return BB_M_QUERIES_BUSY;
    default:
        return BB_M_QUERIES_ERROR;
    }
}

void bb_query_run_end(struct bb_query_run *run, enum bb_err err)
{
    uint64_t now_ns = bb_clock_monotonic_ns(run->api->clock);

    bb_arena_dispose(&run->found);
    bb_arena_dispose(&run->trace);
    if (run->reserved_bytes > 0) {
        bb_mem_budget_give(run->api->budget, run->reserved_bytes);
    }
    run->reserved_bytes = 0;
    bb_metric_add(metric_of(run, err), 1);
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, now_ns - run->start_ns);
}

enum bb_err bb_query_run_reserve(struct bb_query_run *run, size_t more_bytes)
{
    size_t wanted = run->found.limit_bytes + run->trace.limit_bytes + more_bytes;

    if (run->answer != NULL) {
        wanted += run->answer->capacity;
    }
    if (wanted <= run->reserved_bytes) {
        return BB_OK;
    }
    if (wanted > run->api->budget->limit_bytes) {
        return BB_ETOOBIG;
    }
    size_t step = (wanted - run->reserved_bytes + RESERVE_STEP - 1) / RESERVE_STEP * RESERVE_STEP;
    if (step > run->api->budget->limit_bytes - run->reserved_bytes) {
        step = run->api->budget->limit_bytes - run->reserved_bytes;
    }
    if (!bb_mem_budget_try_take(run->api->budget, step)) {
        return BB_EBUSY;
    }
    run->reserved_bytes += step;
    return BB_OK;
}

void bb_query_run_set_incomplete(struct bb_query_run *run, const char *format, ...)
{
    va_list args;

    if (run->ctl.incomplete) {
        return;
    }
    run->ctl.incomplete = true;
    va_start(args, format);
    (void)vsnprintf(run->ctl.incomplete_reason, sizeof(run->ctl.incomplete_reason), format, args);
    va_end(args);
}

/* One call of the store into an arena; ctx carries its arguments and results. */
typedef enum bb_err (*store_call)(struct bb_query_run *run, struct bb_arena *arena, void *ctx);

/* The next larger limit for `arena`; the same when there is none. */
static size_t larger_limit(const struct bb_query_run *run, const struct bb_arena *arena)
{
    size_t other = run->found.limit_bytes + run->trace.limit_bytes - arena->limit_bytes +
                   (run->answer == NULL ? 0 : run->answer->capacity);
    size_t budget = run->api->budget->limit_bytes;
    size_t most = budget > other ? budget - other : 0;
    size_t limit = arena->limit_bytes * ARENA_GROWTH;

    if (limit > BB_QUERY_BYTES_MAX) {
        limit = BB_QUERY_BYTES_MAX;
    }
    if (limit > most) {
        limit = most;
    }
    return limit > arena->limit_bytes ? limit : arena->limit_bytes;
}

static enum bb_err call_store(struct bb_query_run *run, struct bb_arena *arena, store_call call,
                              void *ctx)
{
    struct bb_query_ctl before = run->ctl;

    bb_arena_dispose(arena);
    if (arena->limit_bytes < ARENA_BYTES_FIRST) {
        arena->limit_bytes = ARENA_BYTES_FIRST;
    }
    for (;;) {
        enum bb_err err = bb_query_run_reserve(run, 0);
        if (err == BB_OK) {
            err = call(run, arena, ctx);
        }
        if (err != BB_ETOOBIG && err != BB_ENOMEM) {
            return err;
        }
        bb_arena_dispose(arena);
        size_t limit_bytes = larger_limit(run, arena);
        if (limit_bytes == arena->limit_bytes) {
            return BB_ETOOBIG;
        }
        arena->limit_bytes = limit_bytes;
        /* What the call found out before it ran into the limit, it will find out again. */
        before.read_bytes = run->ctl.read_bytes;
        run->ctl = before;
    }
}

struct services_call {
    struct bb_slice *names;
    uint32_t count;
};

static enum bb_err call_services(struct bb_query_run *run, struct bb_arena *arena, void *ctx)
{
    struct services_call *call = ctx;

    return bb_store_services(run->api->store, &run->ctl, arena, &call->names, &call->count);
}

enum bb_err bb_query_run_services(struct bb_query_run *run, struct bb_slice **out_names,
                                  uint32_t *out_count)
{
    struct services_call call = {0};

    enum bb_err err = call_store(run, &run->found, call_services, &call);
    if (err == BB_OK) {
        *out_names = call.names;
        *out_count = call.count;
    }
    return err;
}

struct operations_call {
    struct bb_slice service_name;
    struct bb_operation *operations;
    uint32_t count;
};

static enum bb_err call_operations(struct bb_query_run *run, struct bb_arena *arena, void *ctx)
{
    struct operations_call *call = ctx;

    return bb_store_operations(run->api->store, call->service_name, &run->ctl, arena,
                               &call->operations, &call->count);
}

enum bb_err bb_query_run_operations(struct bb_query_run *run, struct bb_slice service_name,
                                    struct bb_operation **out_operations, uint32_t *out_count)
{
    struct operations_call call = {.service_name = service_name};

    enum bb_err err = call_store(run, &run->found, call_operations, &call);
    if (err == BB_OK) {
        *out_operations = call.operations;
        *out_count = call.count;
    }
    return err;
}

struct dependencies_call {
    uint64_t start_unix_ns_min;
    uint64_t start_unix_ns_max;
    struct bb_dependency *dependencies;
    uint32_t count;
};

static enum bb_err call_dependencies(struct bb_query_run *run, struct bb_arena *arena, void *ctx)
{
    struct dependencies_call *call = ctx;

    return bb_store_dependencies(run->api->store, call->start_unix_ns_min, call->start_unix_ns_max,
                                 &run->ctl, arena, &call->dependencies, &call->count);
}

enum bb_err bb_query_run_dependencies(struct bb_query_run *run, uint64_t start_unix_ns_min,
                                      uint64_t start_unix_ns_max,
                                      struct bb_dependency **out_dependencies, uint32_t *out_count)
{
    struct dependencies_call call = {
        .start_unix_ns_min = start_unix_ns_min,
        .start_unix_ns_max = start_unix_ns_max,
    };

    enum bb_err err = call_store(run, &run->found, call_dependencies, &call);
    if (err == BB_OK) {
        *out_dependencies = call.dependencies;
        *out_count = call.count;
    }
    return err;
}

struct trace_call {
    const struct bb_trace_id *trace_id;
    struct bb_trace *trace;
};

static enum bb_err call_find_trace(struct bb_query_run *run, struct bb_arena *arena, void *ctx)
{
    struct trace_call *call = ctx;

    return bb_store_find_trace(run->api->store, call->trace_id, &run->ctl, arena, call->trace);
}

enum bb_err bb_query_run_find_trace(struct bb_query_run *run, const struct bb_trace_id *trace_id,
                                    struct bb_trace *out_trace)
{
    struct trace_call call = {.trace_id = trace_id, .trace = out_trace};

    run->trace.limit_bytes = run->trace_bytes_max;
    enum bb_err err = call_store(run, &run->trace, call_find_trace, &call);
    /* A trace that was too big says nothing of the next one. */
    run->trace_bytes_max = err == BB_ETOOBIG ? 0 : run->trace.limit_bytes;
    if (err != BB_OK) {
        return err;
    }
    size_t stored_bytes = run->trace.taken_bytes;
    /* Renderers sort and look up in this arena, too: a few words for each span. */
    run->trace.limit_bytes = stored_bytes + (size_t)256 * out_trace->batch.span_count +
                             (size_t)128 * out_trace->batch.resource_count + ARENA_BYTES_FIRST;
    return bb_query_run_reserve(run, run->answer == NULL ? 0 : RENDERED_PER_STORED * stored_bytes);
}

struct search_call {
    const struct bb_search *search;
    struct bb_search_result result;
};

static enum bb_err call_search(struct bb_query_run *run, struct bb_arena *arena, void *ctx)
{
    struct search_call *call = ctx;

    return bb_store_search(run->api->store, call->search, &run->ctl, arena, &call->result);
}

/* Is it the answer that takes the memory, rather than the trace at hand? */
static bool is_answer_large(const struct bb_query_run *run)
{
    return run->answer != NULL && run->answer->capacity > run->api->budget->limit_bytes / 4;
}

/* One hit of a search. *out_is_full is set when the answer takes no more. */
static enum bb_err hand_over(struct bb_query_run *run, const struct bb_trace_id *trace_id,
                             bb_query_trace_sink sink, void *ctx, bool *out_is_full)
{
    char id[BB_TRACE_ID_HEX_SIZE];
    struct bb_trace trace;

    bb_trace_id_format(trace_id, id);
    enum bb_err err = bb_query_run_find_trace(run, trace_id, &trace);
    switch (err) {
    case BB_OK:
        break;
    case BB_ENOTFOUND:
        bb_query_run_set_incomplete(run, "trace %s expired during the search", id);
        return BB_OK;
    case BB_ETOOBIG:
        if (is_answer_large(run)) {
            *out_is_full = true; /* the next ones would not fit either */
        } else {
            bb_query_run_set_incomplete(run, "trace %s takes more memory than is left", id);
        }
        return BB_OK;
    default:
        return err;
    }
    err = sink(ctx, run, &trace);
    if (err == BB_ETOOBIG) {
        *out_is_full = true;
        return BB_OK;
    }
    return err;
}

enum bb_err bb_query_run_search(struct bb_query_run *run, const struct bb_search *search,
                                bb_query_trace_sink sink, void *ctx)
{
    struct search_call call = {.search = search};
    bool is_full = false;

    enum bb_err err = call_store(run, &run->found, call_search, &call);
    if (err != BB_OK) {
        return err;
    }
    for (uint32_t i = 0; i < call.result.hit_count; i++) {
        if (run->ctl.is_cancelled != NULL && run->ctl.is_cancelled(run->ctl.cancel_ctx)) {
            return BB_ECANCELLED;
        }
        err = hand_over(run, &call.result.hits[i].trace_id, sink, ctx, &is_full);
        if (err != BB_OK) {
            return err;
        }
        if (is_full) {
            bb_query_run_set_incomplete(run, "the answer is full with %u of %u traces", i,
                                        call.result.hit_count);
            break;
        }
    }
    return BB_OK;
}
