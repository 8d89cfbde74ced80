/*
 * api_v3_wire.h - the messages of jaeger.api_v3 (proto/jaeger/api_v3/query_service.proto) as bytes.
 *
 * Read and written with pb_wire.h and not with protobuf-c's generated code: names come and go with
 * their length, so that a NUL in one cuts nothing, nothing is copied, and nothing recurses. The
 * tests hold this file against the generated code.
 *
 * The readers' slices are those of the request. They return BB_EINVAL for malformed bytes and for
 * values out of range, with the field in `detail`.
 */
#ifndef BB_QUERY_API_V3_WIRE_H
#define BB_QUERY_API_V3_WIRE_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ids.h"
#include "common/slice.h"
#include "query/search_params.h"
#include "query/trace_summary.h"
#include "store/store.h"

/* FindTracesRequest, and FindTraceSummariesRequest, which has the same form. Times that are missing
 * are no bounds. A structured filter is refused. */
BB_MUST_CHECK enum bb_err bb_api_v3_read_search(struct bb_slice request,
                                                struct bb_search_params *out_params,
                                                struct bb_err_detail *detail);

/* GetTraceRequest; its times are hints that we don't need. */
BB_MUST_CHECK enum bb_err bb_api_v3_read_get_trace(struct bb_slice request,
                                                   struct bb_trace_id *out_trace_id,
                                                   struct bb_err_detail *detail);

struct bb_operations_query {
    struct bb_slice service; /* not empty */
    bool has_kind;
    enum bb_span_kind kind;
};

/* GetOperationsRequest */
BB_MUST_CHECK enum bb_err bb_api_v3_read_get_operations(struct bb_slice request,
                                                        struct bb_operations_query *out_query,
                                                        struct bb_err_detail *detail);

/* GetDependenciesRequest. Times that are missing are no bounds. */
BB_MUST_CHECK enum bb_err bb_api_v3_read_get_dependencies(struct bb_slice request,
                                                          uint64_t *out_start_unix_ns_min,
                                                          uint64_t *out_start_unix_ns_max,
                                                          struct bb_err_detail *detail);

/* Append one whole message each; `out` keeps the error. */
void bb_api_v3_write_services(const struct bb_slice *names, uint32_t count, struct bb_buf *out);
void bb_api_v3_write_operations(const struct bb_operation *operations, uint32_t count,
                                const struct bb_operations_query *query, struct bb_buf *out);
void bb_api_v3_write_dependencies(const struct bb_dependency *dependencies, uint32_t count,
                                  struct bb_buf *out);
/* Appends one element of a FindTraceSummariesResponse: several in a row are one message. */
void bb_api_v3_write_summary(const struct bb_trace_summary *summary, struct bb_buf *out);

#endif /* BB_QUERY_API_V3_WIRE_H */
