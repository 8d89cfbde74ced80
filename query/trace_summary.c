#include "query/trace_summary.h"

#include <stdlib.h>

#include "common/check.h"
#include "query/span_index.h"

struct named_resource {
    struct bb_slice name;
    uint32_t resource_index;
};

static int compare_named(const void *a, const void *b)
{
    const struct named_resource *left = a;
    const struct named_resource *right = b;

    return bb_slice_compare(left->name, right->name);
}

/* Gives every resource the place of its service in the sorted list of services. */
static enum bb_err list_services(const struct bb_span_batch *batch, struct bb_arena *arena,
                                 struct bb_service_summary **out_services, uint32_t *out_count,
                                 uint32_t **out_service_of_resource)
{
    uint32_t count = batch->resource_count;
    struct named_resource *named = bb_arena_try_calloc(arena, count, sizeof(*named));
    struct bb_service_summary *services = bb_arena_try_calloc(arena, count, sizeof(*services));
    uint32_t *service_of = bb_arena_try_calloc(arena, count, sizeof(*service_of));
    uint32_t service_count = 0;

    if (named == NULL || services == NULL || service_of == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        named[i] = (struct named_resource){batch->resources[i].service_name, i};
    }
    qsort(named, count, sizeof(*named), compare_named);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !bb_slice_equals(named[i].name, named[i - 1].name)) {
            services[service_count++].name = named[i].name;
        }
        service_of[named[i].resource_index] = service_count - 1;
    }
    *out_services = services;
    *out_count = service_count;
    *out_service_of_resource = service_of;
    return BB_OK;
}

/* A batch may have resources that none of its spans has. */
static uint32_t drop_empty_services(struct bb_service_summary *services, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (services[i].span_count > 0) {
            services[kept++] = services[i];
        }
    }
    return kept;
}

/* 0: has no parent, 1: its parent isn't here, 2: any other. The lowest is the root. */
static int root_rank(const struct bb_span_index *index, const struct bb_span_ref *span)
{
    if (bb_span_id_is_zero(&span->parent_span_id)) {
        return 0;
    }
    return bb_span_index_is_orphan(index, span) ? 1 : 2;
}

enum bb_err bb_trace_summary_make(const struct bb_trace *trace, struct bb_arena *arena,
                                  struct bb_trace_summary *out_summary)
{
    const struct bb_span_batch *batch = &trace->batch;
    struct bb_trace_summary summary = {
        .trace_id = trace->trace_id,
        .start_unix_ns_min = UINT64_MAX,
        .span_count = batch->span_count,
    };
    const struct bb_span_ref *root = NULL;
    struct bb_span_index index;
    uint32_t *service_of;
    int best_rank = 3;

    BB_ASSERT(batch->span_count > 0);
    enum bb_err err =
        list_services(batch, arena, &summary.services, &summary.service_count, &service_of);
    if (err == BB_OK) {
        err = bb_span_index_build(batch, arena, &index);
    }
    if (err != BB_OK) {
        return err;
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct bb_span_ref *span = &batch->spans[i];
        struct bb_service_summary *service = &summary.services[service_of[span->resource_index]];
        bool is_error = span->status_code == BB_STATUS_ERROR;
        uint64_t end_unix_ns = span->start_unix_ns + bb_span_duration_ns(span);
        int rank = root_rank(&index, span);

        service->span_count++;
        service->error_count += is_error;
        summary.error_count += is_error;
        summary.orphan_count += rank == 1;
        if (span->start_unix_ns < summary.start_unix_ns_min) {
            summary.start_unix_ns_min = span->start_unix_ns;
        }
        if (end_unix_ns > summary.end_unix_ns_max) {
            summary.end_unix_ns_max = end_unix_ns;
        }
        if (rank < best_rank || (rank == best_rank && span->start_unix_ns < root->start_unix_ns)) {
            best_rank = rank;
            root = span;
        }
    }
    summary.service_count = drop_empty_services(summary.services, summary.service_count);
    summary.root_service_name = batch->resources[root->resource_index].service_name;
    summary.root_operation_name = root->name;
    *out_summary = summary;
    return BB_OK;
}
