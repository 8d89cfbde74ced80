/*
 * otlp_json_patch.h - what otlp_patch.h does to protobuf, done to OTLP/JSON: the text is copied as
 * it is, byte for byte, but for the values that change. So what we don't know stays, and no number
 * is read and written again.
 */
#ifndef BB_QUERY_CLI_OTLP_JSON_PATCH_H
#define BB_QUERY_CLI_OTLP_JSON_PATCH_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"
#include "query/cli/otlp_patch.h"

/* One document of a file. */
struct bb_otlp_json_document {
    struct bb_slice text; /* an ExportTraceServiceRequest; without the {"result": ...} of an API */
    bool has_resource_spans; /* false: of another kind (metrics, logs), not for us */
    struct bb_otlp_totals totals;
};

/*
 * Reads the document at the start of *rest and moves *rest behind it and the white space there.
 *
 * BB_OK      *out_document is set; its text lies in *rest
 * BB_EINVAL  no JSON object; detail has line and column from the start of `file`
 */
BB_MUST_CHECK enum bb_err bb_otlp_json_next(struct bb_slice file, struct bb_slice *rest,
                                            struct bb_err_detail *detail,
                                            struct bb_otlp_json_document *out_document);

/*
 * Appends the document `text`, patched, to `out`.
 *
 * BB_OK
 * BB_EINVAL  no JSON
 * BB_ENOMEM, BB_ETOOBIG  `out` has no room
 */
BB_MUST_CHECK enum bb_err bb_otlp_json_patch(const struct bb_otlp_patch *patch,
                                             struct bb_slice text, struct bb_buf *out);

#endif /* BB_QUERY_CLI_OTLP_JSON_PATCH_H */
