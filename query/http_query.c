#include "query/http_query.h"

#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/limits.h"
#include "common/log.h"

enum bb_err bb_http_path_split(struct bb_slice path, struct bb_arena *arena,
                               struct bb_http_path *out_path)
{
    struct bb_http_path split = {.count = 0};
    size_t at = path.size > 0 && path.data[0] == '/';

    for (;;) {
        size_t end = at;
        while (end < path.size && path.data[end] != '/') {
            end++;
        }
        if (split.count == BB_PATH_SEGMENTS_MAX) {
            return BB_ETOOBIG;
        }
        enum bb_err err = bb_url_decode(bb_slice_of(path.data + at, end - at), false, arena,
                                        &split.segments[split.count]);
        if (err != BB_OK) {
            return err;
        }
        split.count++;
        if (end == path.size) {
            *out_path = split;
            return BB_OK;
        }
        at = end + 1;
    }
}

bool bb_http_path_matches(const struct bb_http_path *path, const char *pattern,
                          struct bb_slice *out_wildcard)
{
    for (uint32_t i = 0; i < path->count; i++) {
        size_t size = strcspn(pattern, "/");
        if (size == 0) {
            return false; /* the pattern is at its end */
        }
        if (size == 1 && pattern[0] == '*') {
            if (path->segments[i].size == 0) {
                return false;
            }
            *out_wildcard = path->segments[i];
        } else if (!bb_slice_equals(path->segments[i], bb_slice_of(pattern, size))) {
            return false;
        }
        pattern += size;
        pattern += *pattern == '/';
    }
    return *pattern == '\0';
}

static bool is_cancelled(void *ctx)
{
    const struct bb_http_request *request = ctx;

    return request->is_cancelled != NULL && request->is_cancelled(request);
}

enum bb_err bb_http_query_begin(struct bb_http_query *query, const struct bb_query_api *api,
                                const struct bb_http_request *request,
                                struct bb_http_response *response)
{
    query->request = *request;
    query->response = response;
    query->detail.text[0] = '\0';
    bb_query_run_begin(&query->run, api, is_cancelled, &query->request);
    query->run.answer = &response->body;

    enum bb_err err = bb_http_parse_args(&query->request);
    if (err == BB_ETOOBIG) {
        return bb_err_set(&query->detail, BB_EINVAL, "more than %d query parameters",
                          BB_HTTP_ARGS_MAX);
    }
    if (err == BB_EINVAL) {
        return bb_err_set(&query->detail, BB_EINVAL,
                          "the query string has a \"%%\" without two hex digits behind it");
    }
    return err;
}

unsigned bb_http_query_status(enum bb_err err)
{
    switch (err) {
    case BB_OK:
        return 200;
    case BB_EINVAL:
        return 400;
    case BB_ENOTFOUND:
        return 404;
    case BB_ETOOBIG:
        return 422; /* well-formed, but it can't be carried out as it is */
    case BB_EUNSUPPORTED:
        return 501;
    case BB_EBUSY:
    case BB_ENOMEM:
    case BB_ECANCELLED:
        return 503;
    default:
        return 500;
    }
}

const char *bb_query_error_text(enum bb_err err, const struct bb_err_detail *detail)
{
    if (detail->text[0] != '\0') {
        return detail->text;
    }
    switch (err) {
    case BB_ETOOBIG:
        return "the answer takes more memory than one query may: ask for less";
    case BB_EBUSY:
        return "other queries use all memory for queries: try again";
    default:
        return bb_err_text(err);
    }
}

void bb_http_query_end(struct bb_http_query *query, enum bb_err err)
{
    struct bb_http_response *response = query->response;
    const struct bb_query_ctl *ctl = &query->run.ctl;

    response->status = bb_http_query_status(err);
    bb_http_add_header(response, "X-Content-Type-Options", "nosniff");
    if (response->status == 503) {
        bb_http_add_header(response, "Retry-After", "%d", BB_QUERY_RETRY_AFTER_S);
    }
    if (err == BB_OK || err == BB_ENOTFOUND) {
        bb_http_add_header(response, "Bobbin-Complete", "%s", ctl->incomplete ? "false" : "true");
        if (ctl->incomplete) {
            bb_http_add_header(response, "Bobbin-Incomplete-Reason", "%s", ctl->incomplete_reason);
        }
    }
    if (response->status == 500) {
        char path[256];
        bb_log(BB_LOG_ERROR, "query", "query failed", "path=%s err=\"%s\"",
               bb_log_quote(query->request.path, path, sizeof(path)), bb_err_text(err));
    }
    bb_query_run_end(&query->run, err);
}

enum bb_err bb_answer_settle(struct bb_buf *answer, size_t size_before, enum bb_err err)
{
    if (err == BB_OK && answer->limit_bytes - answer->size < BB_ANSWER_END_BYTES) {
        err = BB_ETOOBIG;
    }
    if (err == BB_ETOOBIG) {
        answer->size = size_before;
        answer->err = BB_OK;
    }
    return err;
}

bool bb_http_wants_protobuf(const struct bb_http_request *request)
{
    static const char *const protobuf_types[] = {"application/x-protobuf", "application/protobuf"};
    static const char json_type[] = "application/json";
    const char *accept = request->header == NULL ? NULL : request->header(request, "Accept");

    if (accept == NULL) {
        return false;
    }
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t size = strcspn(accept, " \t,;");
        for (size_t i = 0; i < BB_ARRAY_COUNT(protobuf_types); i++) {
            if (size == strlen(protobuf_types[i]) &&
                strncasecmp(accept, protobuf_types[i], size) == 0) {
                return true;
            }
        }
        if (size == strlen(json_type) && strncasecmp(accept, json_type, size) == 0) {
            return false;
        }
        accept += strcspn(accept, ",");
    }
    return false;
}

bool bb_http_allows_method(const struct bb_http_request *request, struct bb_http_response *response)
{
    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
        return true;
    }
    response->status = 405;
    bb_http_add_header(response, "Allow", "GET, HEAD");
    return false;
}
