/*
 * http_query.h - what Jaeger's two HTTP APIs share: paths, the life of one query, error statuses
 * and the headers that say whether an answer is complete.
 *
 * Every answer of a query has `Bobbin-Complete: true`, or `Bobbin-Complete: false` and
 * `Bobbin-Incomplete-Reason`.
 */
#ifndef BB_QUERY_HTTP_QUERY_H
#define BB_QUERY_HTTP_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/http_api.h"
#include "query/query_api.h"
#include "query/query_run.h"

#define BB_PATH_SEGMENTS_MAX 8

#define BB_CONTENT_TYPE_JSON "application/json; charset=utf-8"
#define BB_CONTENT_TYPE_PROTOBUF "application/x-protobuf"

/* The decoded parts of a path between its slashes. */
struct bb_http_path {
    struct bb_slice segments[BB_PATH_SEGMENTS_MAX];
    uint32_t count;
};

/*
 * Splits first and decodes then, so that "a%2Fb" is one segment.
 *
 * BB_OK       *out_path is set, in the arena
 * BB_EINVAL   a "%" without two hex digits behind it
 * BB_ETOOBIG  more than BB_PATH_SEGMENTS_MAX segments
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_http_path_split(struct bb_slice path, struct bb_arena *arena,
                                             struct bb_http_path *out_path);

/* Does `path` have the form of `pattern`, a path in which an asterisk stands for any one segment
 * that isn't empty? *out_wildcard is what it stands for. */
bool bb_http_path_matches(const struct bb_http_path *path, const char *pattern,
                          struct bb_slice *out_wildcard);

/* One query that came over HTTP. The caller's storage; not to be moved while it runs. */
struct bb_http_query {
    struct bb_http_request request; /* a copy: its args are parsed here */
    struct bb_http_response *response;
    struct bb_query_run run;
    struct bb_err_detail detail; /* words for a failure */
};

/* Begins the run. BB_OK, or why the parameters can't be read: the query must be ended also then. */
BB_MUST_CHECK enum bb_err bb_http_query_begin(struct bb_http_query *query,
                                              const struct bb_query_api *api,
                                              const struct bb_http_request *request,
                                              struct bb_http_response *response);

/* Sets status and headers for the outcome `err`, logs what is our own fault, ends the run. The
 * body is the caller's. */
void bb_http_query_end(struct bb_http_query *query, enum bb_err err);

/* The status that stands for `err`. */
unsigned bb_http_query_status(enum bb_err err);

/* The words for `err`: the query's detail, or general ones. */
const char *bb_query_error_text(enum bb_err err, const struct bb_err_detail *detail);

/*
 * To be called when something has been appended to an answer that was `size_before` long; `err` is
 * how that went. Takes it back when it is too much: then BB_ETOOBIG, and the answer is as before.
 * Else `err`. There is always room left for BB_ANSWER_END_BYTES more.
 */
BB_MUST_CHECK enum bb_err bb_answer_settle(struct bb_buf *answer, size_t size_before,
                                           enum bb_err err);
#define BB_ANSWER_END_BYTES 16384

/* Does the request ask for protobuf rather than JSON? The first of the two in Accept counts. */
bool bb_http_wants_protobuf(const struct bb_http_request *request);

/* True when the method reads; else the response is a 405 without a body yet. */
bool bb_http_allows_method(const struct bb_http_request *request,
                           struct bb_http_response *response);

#endif /* BB_QUERY_HTTP_QUERY_H */
