/*
 * search_params.h - the parameters of a trace search, from each protocol's form to the store's.
 *
 * Rules that hold for all of them: an unknown parameter is ignored (clients send extra ones), an
 * empty one counts as absent, of one that is given twice the first counts. No parameter is
 * required: without times all that is stored is searched, without a service every service.
 */
#ifndef BB_QUERY_SEARCH_PARAMS_H
#define BB_QUERY_SEARCH_PARAMS_H

#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/http_api.h"
#include "common/ids.h"
#include "common/limits.h"
#include "store/store.h"

/* Traces that a search gives when it doesn't say */
#define BB_SEARCH_LIMIT_DEFAULT 100

/* What stands for a resource without service.name, here as in every Jaeger (OpenTelemetry
 * Collector, pkg/translator/jaeger). */
#define BB_NO_SERVICE_NAME "OTLPResourceNoServiceName"

/* `name`, or BB_NO_SERVICE_NAME for an empty one. */
struct bb_slice bb_service_name_shown(struct bb_slice name);

/* The reverse: the empty name for BB_NO_SERVICE_NAME. */
struct bb_slice bb_service_name_stored(struct bb_slice name);

/* The caller's storage. `search` points into it, so it isn't to be copied. */
struct bb_search_params {
    struct bb_search search;
    struct bb_condition conditions[BB_SEARCH_CONDITIONS_MAX];
    const struct bb_trace_id *trace_ids; /* v1's traceID=: fetch these, and search nothing */
    uint32_t trace_id_count;
};

/* A search of everything, newest first. */
void bb_search_params_init(struct bb_search_params *params);

/*
 * Adds one tag. Some names stand for fields that OTLP keeps beside the attributes: error,
 * span.kind, otel.status_code, otel.scope.name and .version, otel.library.name and .version.
 *
 * key, value  borrowed as long as `params` is used
 *
 * BB_OK
 * BB_EINVAL  an empty key, or over BB_SEARCH_CONDITIONS_MAX; `detail` says which
 */
BB_MUST_CHECK enum bb_err bb_search_params_add_tag(struct bb_search_params *params,
                                                   struct bb_slice key, struct bb_slice value,
                                                   struct bb_err_detail *detail);

/*
 * Checks what concerns two parameters at once. The names are those of the protocol, for `detail`.
 *
 * BB_OK, BB_EINVAL
 */
BB_MUST_CHECK enum bb_err bb_search_params_check(const struct bb_search_params *params,
                                                 const char *time_min_name,
                                                 const char *duration_min_name,
                                                 struct bb_err_detail *detail);

/*
 * Jaeger v1: service, operation, tag=k:v (repeat), tags={"k":"v"} (repeat), start and end (us;
 * both inclusive), minDuration, maxDuration, limit, traceID (repeat), raw; sort is ours.
 *
 * detail  names the parameter and what was expected
 *
 * BB_OK      out_params is set; its slices live as long as the request
 * BB_EINVAL
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_search_params_read_v1(const struct bb_http_request *request,
                                                   struct bb_search_params *out_params,
                                                   struct bb_err_detail *detail);

/*
 * Jaeger v3: query.serviceName, query.operationName, query.attributes, query.startTimeMin
 * (inclusive), query.startTimeMax (exclusive), query.durationMin, query.durationMax,
 * query.searchDepth (also query.numTraces), query.rawTraces; query.sort (also sort) is ours. Each
 * also in snake_case. query.filter is refused: a condition that is overlooked finds too much.
 * Errors as above.
 */
BB_MUST_CHECK enum bb_err bb_search_params_read_v3(const struct bb_http_request *request,
                                                   struct bb_search_params *out_params,
                                                   struct bb_err_detail *detail);

/*
 * Sets the exclusive upper bound of the start time, which the store has inclusive.
 *
 * BB_OK
 * BB_EINVAL  no time lies before it
 */
BB_MUST_CHECK enum bb_err bb_search_params_set_end(struct bb_search_params *params,
                                                   uint64_t end_unix_ns, const char *name,
                                                   struct bb_err_detail *detail);

#endif /* BB_QUERY_SEARCH_PARAMS_H */
