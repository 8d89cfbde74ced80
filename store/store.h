/*
 * store.h - the span store's one door.
 *
 * What is acknowledged (an append that returned BB_OK) is stored, as far as `durability` promises,
 * and is seen by every query that starts after it.
 *
 * Threads: every function may be called from any thread, at the same time as any other, between
 * bb_store_open and bb_store_close.
 */
#ifndef BB_STORE_STORE_H
#define BB_STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/ids.h"
#include "common/slice.h"
#include "common/span_batch.h"

struct bb_store;

/* The version of what is on disk (docs/store-format.md). */
#define BB_STORE_FORMAT 1

enum bb_durability {
    BB_DURABILITY_WAL,   /* survives the process being killed */
    BB_DURABILITY_FSYNC, /* survives loss of power */
};

struct bb_store_options {
    const char *data_dir;
    enum bb_durability durability;
    uint64_t retention_ns;        /* a span is kept at least this long after it arrived */
    uint64_t disk_bytes_max;      /* 0: no bound */
    uint64_t memory_bytes;        /* memtables, block cache and unsealed segments together */
    const struct bb_clock *clock; /* borrowed until close */
};

/*
 * Opens the store at data_dir, which is made when it isn't there, rebuilds what was not sealed and
 * starts the background threads.
 *
 * detail  may be NULL; the engine's own words
 *
 * BB_OK        *out_store is the caller's; free it with bb_store_close
 * BB_EBUSY     another process has it open
 * BB_EVERSION  written by a newer version
 * BB_EIO, BB_EFULL, BB_ENOMEM, BB_EINVAL
 */
BB_MUST_CHECK enum bb_err bb_store_open(const struct bb_store_options *options,
                                        struct bb_err_detail *detail, struct bb_store **out_store);

/* Seals nothing: what is in the log is rebuilt at the next open. Frees the store also on error. */
BB_MUST_CHECK enum bb_err bb_store_close(struct bb_store *store, struct bb_err_detail *detail);

/*
 * Appends every span of `batch`, or none of them.
 *
 * wire    the same spans as one ExportTraceServiceRequest: what the log keeps
 * detail  may be NULL
 *
 * BB_OK      stored and seen by searches
 * BB_EBUSY   unsealed segments are at their memory limit: retry later
 * BB_EFULL   no space left: retry later
 * BB_EIO     the engine refused the write
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_store_append(struct bb_store *store, const struct bb_span_batch *batch,
                                          struct bb_slice wire, struct bb_err_detail *detail);

/* Bounds of one query, and what it came to. Zero it before use; all zeros is "no bounds". */
struct bb_query_ctl {
    bool (*is_cancelled)(void *ctx); /* asked at least once a block; may be NULL */
    void *cancel_ctx;
    uint64_t read_bytes_max; /* stored bytes that may be read; 0: no bound */
    uint64_t read_bytes;     /* read so far */
    /* Set when the answer may lack something. The first reason is kept. */
    bool incomplete;
    char incomplete_reason[160];
};

/* A trace, put together from wherever its spans lie; all of it in the arena of the call. */
struct bb_trace {
    struct bb_trace_id trace_id;
    /* By start, then span id; copies of one span (same bytes, resource and scope) count once.
     * Two spans with one id and different content are both here. */
    struct bb_span_batch batch;
};

/*
 * BB_OK          *out_trace is set
 * BB_ENOTFOUND   no span of it is stored
 * BB_ETOOBIG, BB_ENOMEM   the arena is at its limit
 * BB_ECANCELLED, BB_EIO
 */
BB_MUST_CHECK enum bb_err bb_store_find_trace(struct bb_store *store,
                                              const struct bb_trace_id *trace_id,
                                              struct bb_query_ctl *ctl, struct bb_arena *arena,
                                              struct bb_trace *out_trace);

enum bb_search_order {
    BB_ORDER_NEWEST,  /* by the latest start among a trace's matching spans */
    BB_ORDER_SLOWEST, /* by the longest duration among a trace's matching spans */
};

/* One condition on a span. All conditions of a search must hold on the same span. */
enum bb_condition_type {
    /* An attribute of that key on the span, its resource, its scope, one of its events or links
     * has a value whose text (bb_value_append_text) is `value`; an array matches when one of its
     * elements does. */
    BB_CONDITION_ATTRIBUTE,
    BB_CONDITION_KIND,   /* `number` is an enum bb_span_kind */
    BB_CONDITION_STATUS, /* `number` is an enum bb_status_code */
    BB_CONDITION_NOT_STATUS,
    BB_CONDITION_SCOPE_NAME,    /* `value` */
    BB_CONDITION_SCOPE_VERSION, /* `value` */
    /* The tag error=true or error=false, as `number` 1 or 0 and `value`: the span's status is error
     * exactly when `number` is 1, or an attribute `error` as BB_CONDITION_ATTRIBUTE has it. */
    BB_CONDITION_ERROR_TAG,
};

struct bb_condition {
    enum bb_condition_type type;
    struct bb_slice key;
    struct bb_slice value;
    uint32_t number;
};

/* Zeros and empty slices mean "any". */
struct bb_search {
    struct bb_slice service_name;
    bool has_service_name;     /* so that the empty name can be asked for */
    struct bb_slice operation; /* span name */
    bool has_operation;
    uint64_t start_unix_ns_min; /* of a span's start; inclusive */
    uint64_t start_unix_ns_max; /* inclusive; 0: no bound */
    uint64_t duration_ns_min;   /* inclusive */
    uint64_t duration_ns_max;   /* inclusive; 0: no bound */
    const struct bb_condition *conditions;
    uint32_t condition_count;
    enum bb_search_order order;
    uint32_t limit; /* traces; at least 1 */
};

struct bb_search_hit {
    struct bb_trace_id trace_id;
    uint64_t key; /* start (Unix ns) or duration (ns) of the span that it is ordered by */
};

struct bb_search_result {
    struct bb_search_hit *hits; /* in the arena; best first, ties by trace id ascending */
    uint32_t hit_count;
};

/* Exactly the first `limit` traces of the order, unless ctl says incomplete.
 * BB_OK also with no hit. BB_ENOMEM, BB_ETOOBIG, BB_ECANCELLED, BB_EIO. */
BB_MUST_CHECK enum bb_err bb_store_search(struct bb_store *store, const struct bb_search *search,
                                          struct bb_query_ctl *ctl, struct bb_arena *arena,
                                          struct bb_search_result *out_result);

struct bb_operation {
    struct bb_slice name;
    uint8_t kind; /* enum bb_span_kind */
};

/* Every service name that a stored span has, sorted, each once; in the arena. */
BB_MUST_CHECK enum bb_err bb_store_services(struct bb_store *store, struct bb_query_ctl *ctl,
                                            struct bb_arena *arena, struct bb_slice **out_names,
                                            uint32_t *out_count);

/* Every (span name, kind) of that service, sorted by name then kind, each once; in the arena. */
BB_MUST_CHECK enum bb_err bb_store_operations(struct bb_store *store, struct bb_slice service_name,
                                              struct bb_query_ctl *ctl, struct bb_arena *arena,
                                              struct bb_operation **out_operations,
                                              uint32_t *out_count);

struct bb_dependency {
    struct bb_slice parent; /* service names */
    struct bb_slice child;
    uint64_t call_count;
    uint64_t error_count; /* calls whose child span has status error */
};

/* Calls between services: one for each span that starts in [min, max] and whose parent span is
 * stored, starts no earlier than an hour before min, and belongs to another service. Sorted by
 * parent, child; in the arena. */
BB_MUST_CHECK enum bb_err bb_store_dependencies(struct bb_store *store, uint64_t start_unix_ns_min,
                                                uint64_t start_unix_ns_max,
                                                struct bb_query_ctl *ctl, struct bb_arena *arena,
                                                struct bb_dependency **out_dependencies,
                                                uint32_t *out_count);

/* NULL when appends are taken; else why not, for /readyz. Static storage. */
const char *bb_store_not_ready_reason(struct bb_store *store);

/* Brings the store's gauges (partitions, bytes, memory) up to date. */
void bb_store_update_metrics(struct bb_store *store);

/* Seals what is unsealed now, and waits for it. For tests and for the drain of a shutdown. */
BB_MUST_CHECK enum bb_err bb_store_seal(struct bb_store *store, struct bb_err_detail *detail);

/* One turn of the housekeeping that a background thread does: rolls partitions over, expires by
 * age and by bytes. For tests with a clock of their own. */
void bb_store_housekeep(struct bb_store *store);

#endif /* BB_STORE_STORE_H */
