/*
 * store_model.h - what a store has to answer, the plain way: a list of every span that was
 * appended, and loops over it. Shares no code with store/ but its types.
 */
#ifndef BB_TESTS_STORE_MODEL_H
#define BB_TESTS_STORE_MODEL_H

#include <stdint.h>

#include "common/arena.h"
#include "common/otlp_walk.h"
#include "common/span_batch.h"
#include "store/store.h"

struct model_span {
    struct bb_span_ref ref;
    struct bb_resource_ref resource;
    struct bb_scope_ref scope;
};

struct store_model {
    struct bb_arena arena;    /* owns all bytes */
    struct model_span *spans; /* in order of arrival */
    uint32_t span_count;
    uint32_t span_capacity;
};

void store_model_init(struct store_model *model);
void store_model_dispose(struct store_model *model);

/* Copies `wire`, walks the copy and adds its spans. `out_result` and `out_wire` live as long as the
 * model. */
void store_model_add(struct store_model *model, struct bb_slice wire,
                     struct bb_walk_result *out_result, struct bb_slice *out_wire);

/* Forgets the first `count` spans, as expiry does. */
void store_model_forget(struct store_model *model, uint32_t count);

/* The distinct spans of a trace in the order of bb_trace; in `arena`. */
struct model_span *store_model_trace(const struct store_model *model,
                                     const struct bb_trace_id *trace_id, struct bb_arena *arena,
                                     uint32_t *out_count);

/* The hits of a search, best first; in `arena`. */
struct bb_search_hit *store_model_search(const struct store_model *model,
                                         const struct bb_search *search, struct bb_arena *arena,
                                         uint32_t *out_count);

/* Sorted, each once; in `arena`. */
struct bb_slice *store_model_services(const struct store_model *model, struct bb_arena *arena,
                                      uint32_t *out_count);
struct bb_operation *store_model_operations(const struct store_model *model,
                                            struct bb_slice service_name, struct bb_arena *arena,
                                            uint32_t *out_count);

/* Calls between services, sorted by parent, child; in `arena`. */
struct bb_dependency *store_model_dependencies(const struct store_model *model,
                                               uint64_t start_unix_ns_min,
                                               uint64_t start_unix_ns_max, struct bb_arena *arena,
                                               uint32_t *out_count);

#endif /* BB_TESTS_STORE_MODEL_H */
