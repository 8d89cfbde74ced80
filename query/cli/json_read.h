/*
 * json_read.h - the JSON answers of bobbind's query API and of its OTLP endpoint, into structs.
 * What they hold lives in the caller's arena. Unknown members are skipped, so that a newer server
 * may say more.
 */
#ifndef BB_QUERY_CLI_JSON_READ_H
#define BB_QUERY_CLI_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"

struct bb_services {
    struct bb_slice *names;
    uint32_t count;
};

struct bb_operation {
    struct bb_slice name;
    struct bb_slice span_kind;
};

struct bb_operations {
    struct bb_operation *items;
    uint32_t count;
};

struct bb_summary_service {
    struct bb_slice name;
    uint64_t span_count;
    uint64_t error_span_count;
};

struct bb_summary {
    struct bb_slice trace_id; /* hex */
    struct bb_slice root_service_name;
    struct bb_slice root_operation_name;
    uint64_t start_unix_ns;
    uint64_t end_unix_ns;
    uint64_t span_count;
    uint64_t error_span_count;
    uint64_t orphan_span_count;
    struct bb_summary_service *services;
    uint32_t service_count;
};

struct bb_summaries {
    struct bb_summary *items;
    uint32_t count;
    bool is_complete;                  /* true when the server doesn't say */
    struct bb_slice incomplete_reason; /* size 0: not given */
};

/*
 * Each reads one whole answer.
 *
 * BB_OK      *out_... is set
 * BB_EINVAL  no JSON, or not of that form; detail has line, column and what was expected
 * BB_ENOMEM  the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_json_read_services(struct bb_slice text, struct bb_arena *arena,
                                                struct bb_err_detail *detail,
                                                struct bb_services *out_services);
BB_MUST_CHECK enum bb_err bb_json_read_operations(struct bb_slice text, struct bb_arena *arena,
                                                  struct bb_err_detail *detail,
                                                  struct bb_operations *out_operations);
BB_MUST_CHECK enum bb_err bb_json_read_summaries(struct bb_slice text, struct bb_arena *arena,
                                                 struct bb_err_detail *detail,
                                                 struct bb_summaries *out_summaries);

/*
 * The value of member `result` as it stands in the text: a trace is handed on, not taken apart.
 * Errors as above; needs no memory.
 */
BB_MUST_CHECK enum bb_err bb_json_read_result(struct bb_slice text, struct bb_err_detail *detail,
                                              struct bb_slice *out_result);

/* The elements of the array `resourceSpans`, as they stand between its brackets; size 0 for none.
 * Errors as above. */
BB_MUST_CHECK enum bb_err bb_json_read_resource_spans(struct bb_slice text,
                                                      struct bb_err_detail *detail,
                                                      struct bb_slice *out_inside);

/*
 * The words of an error answer: {"error":{"message":...}} (v3), {"errors":[{"msg":...}]} (v1) or
 * google.rpc.Status {"message":...} (OTLP). False when it is none of them, or has no memory.
 */
bool bb_json_read_error(struct bb_slice text, struct bb_arena *arena, struct bb_slice *out_message);

struct bb_export_response {
    uint64_t rejected_span_count;
    struct bb_slice message; /* size 0: everything was taken without a word */
};

/* An ExportTraceServiceResponse. Errors as above. */
BB_MUST_CHECK enum bb_err bb_json_read_export_response(struct bb_slice text, struct bb_arena *arena,
                                                       struct bb_err_detail *detail,
                                                       struct bb_export_response *out_response);

#endif /* BB_QUERY_CLI_JSON_READ_H */
