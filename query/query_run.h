/*
 * query_run.h - one query from its start to its count: memory, cancelling, what it came to.
 *
 * Memory. What the store gives back goes into two arenas: `found` (names, hits) lives as long as
 * the query, `trace` holds one trace at a time, so that memory follows the answer and not all spans
 * that it is made from. How much a call needs isn't known before it: it starts with an arena of 1
 * MiB, and when that is too small runs again with eight times as much, as far as the budget of all
 * queries and BB_QUERY_BYTES_MAX let it. So at most an eighth of the work is done twice.
 *
 * Threads: one at a time.
 */
#ifndef BB_QUERY_QUERY_RUN_H
#define BB_QUERY_QUERY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "query/query_api.h"
#include "store/store.h"

/* Seconds after which a query that found no memory may come again */
#define BB_QUERY_RETRY_AFTER_S 1

/* The caller's storage. */
struct bb_query_run {
    const struct bb_query_api *api;
    struct bb_query_ctl ctl;
    struct bb_arena found;
    struct bb_arena trace;
    size_t trace_bytes_max;      /* what the store may put into `trace`; renderers get more */
    const struct bb_buf *answer; /* what is rendered; its memory counts, too. May be NULL */
    size_t reserved_bytes;       /* taken from api->budget */
    uint64_t start_ns;           /* monotonic */
};

void bb_query_run_begin(struct bb_query_run *run, const struct bb_query_api *api,
                        bool (*is_cancelled)(void *ctx), void *cancel_ctx);

/* Frees the arenas, gives the memory back, counts the query by `err`. */
void bb_query_run_end(struct bb_query_run *run, enum bb_err err);

/*
 * Takes memory for both arenas at their limits, the answer, and `more_bytes` on top.
 *
 * BB_OK
 * BB_EBUSY    other queries have it
 * BB_ETOOBIG  more than there is for all of them
 */
BB_MUST_CHECK enum bb_err bb_query_run_reserve(struct bb_query_run *run, size_t more_bytes);

/* Notes that the answer may lack something. The first reason is kept. */
void bb_query_run_set_incomplete(struct bb_query_run *run, const char *format, ...) BB_PRINTF(2, 3);

/*
 * The store's calls of the same names, under the rules above.
 *
 * BB_EBUSY    no memory now
 * BB_ETOOBIG  more than BB_QUERY_BYTES_MAX, or than there is for all queries
 * and what the store's call gives
 */
BB_MUST_CHECK enum bb_err bb_query_run_services(struct bb_query_run *run,
                                                struct bb_slice **out_names, uint32_t *out_count);
BB_MUST_CHECK enum bb_err bb_query_run_operations(struct bb_query_run *run,
                                                  struct bb_slice service_name,
                                                  struct bb_operation **out_operations,
                                                  uint32_t *out_count);
BB_MUST_CHECK enum bb_err bb_query_run_dependencies(struct bb_query_run *run,
                                                    uint64_t start_unix_ns_min,
                                                    uint64_t start_unix_ns_max,
                                                    struct bb_dependency **out_dependencies,
                                                    uint32_t *out_count);

/*
 * One trace, in `run->trace`: gone with the next call. Memory for rendering it is reserved.
 */
BB_MUST_CHECK enum bb_err bb_query_run_find_trace(struct bb_query_run *run,
                                                  const struct bb_trace_id *trace_id,
                                                  struct bb_trace *out_trace);

/*
 * Takes one trace of an answer; `trace` is gone when it returns.
 *
 * BB_OK       go on
 * BB_ETOOBIG  the answer is full: it keeps what it had before this trace
 * any other   the query ends with it
 */
typedef enum bb_err (*bb_query_trace_sink)(void *ctx, struct bb_query_run *run,
                                           const struct bb_trace *trace);

/*
 * Searches, and hands each trace found, whole and in order, to `sink`. A trace that expired
 * meanwhile or is over a limit, and all behind a full answer, are missing: then the run is marked
 * incomplete.
 *
 * BB_OK  also when nothing was found
 */
BB_MUST_CHECK enum bb_err bb_query_run_search(struct bb_query_run *run,
                                              const struct bb_search *search,
                                              bb_query_trace_sink sink, void *ctx);

#endif /* BB_QUERY_QUERY_RUN_H */
