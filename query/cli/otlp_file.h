/*
 * otlp_file.h - recorded OTLP requests, in whichever form they lie in a file. The form is told by
 * the content, not by the name:
 *
 *   zstd frames       inflated first, then as below
 *   length-prefixed   u32 little-endian length, that many bytes of protobuf; again and again
 *   JSON              {"resourceSpans": ...}, one document or several, a line each or not; also the
 *                     {"result": {...}} of the query API
 *   protobuf          one ExportTraceServiceRequest (or TracesData: the same bytes)
 */
#ifndef BB_QUERY_CLI_OTLP_FILE_H
#define BB_QUERY_CLI_OTLP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"
#include "query/cli/otlp_patch.h"

/* What a file may hold, inflated: all of it is kept in memory. */
#define BB_OTLP_FILE_BYTES_MAX ((size_t)8 << 30)

struct bb_otlp_request {
    struct bb_slice bytes;
    bool is_json;
    uint64_t span_count;
};

/* The caller's storage. */
struct bb_otlp_file {
    struct bb_buf bytes;    /* the content, inflated: the requests point into it */
    struct bb_buf requests; /* of struct bb_otlp_request */
    uint32_t request_count;
    struct bb_otlp_totals totals;
    uint32_t skipped_count; /* JSON documents of other signals */
};

/* A zeroed file is accepted. */
void bb_otlp_file_dispose(struct bb_otlp_file *file);

/*
 * Reads a whole file; "-" is stdin. An empty file is one without requests.
 *
 * BB_OK       *out_file is set; dispose it BB_EIO      it can't be read BB_EINVAL   it has none of
 * the forms, or is damaged BB_ETOOBIG  over BB_OTLP_FILE_BYTES_MAX BB_ENOMEM In each case but the
 * first, detail says why (without the file's name) and nothing is to be disposed.
 */
BB_MUST_CHECK enum bb_err bb_otlp_file_read(const char *path, struct bb_err_detail *detail,
                                            struct bb_otlp_file *out_file);

/* The same for bytes that lie in memory; they are copied. */
BB_MUST_CHECK enum bb_err bb_otlp_file_parse(struct bb_slice bytes, struct bb_err_detail *detail,
                                             struct bb_otlp_file *out_file);

/* Borrowed until the file is disposed. */
const struct bb_otlp_request *bb_otlp_file_request(const struct bb_otlp_file *file, uint32_t index);

#endif /* BB_QUERY_CLI_OTLP_FILE_H */
