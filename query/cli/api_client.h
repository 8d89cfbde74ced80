/*
 * api_client.h - GETs from bobbind's query API, with the server's own words for what went wrong.
 */
#ifndef BB_QUERY_CLI_API_CLIENT_H
#define BB_QUERY_CLI_API_CLIENT_H

#include "common/arena.h"
#include "common/err.h"
#include "common/ids.h"
#include "query/cli/http_client.h"

#define BB_MEDIA_JSON "application/json"
#define BB_MEDIA_PROTOBUF "application/x-protobuf"

/* The caller's storage. */
struct bb_api_client {
    struct bb_http_client http;
    struct bb_http_client_reply reply; /* of the last call */
    const char *server;                /* borrowed: "http://127.0.0.1:16686" */
};

/* BB_ENOMEM. Dispose accepts a zeroed client. */
BB_MUST_CHECK enum bb_err bb_api_client_init(struct bb_api_client *client, const char *server);
void bb_api_client_dispose(struct bb_api_client *client);

/*
 * GETs `target` ("/api/v3/services"), and leaves the answer in client->reply.body until the next
 * call.
 *
 * BB_OK         status 200
 * BB_ENOTFOUND  status 404, said by a bobbind: there is no such trace
 * BB_EIO        another status, or no answer
 * BB_ETOOBIG    the answer is larger than BB_ANSWER_BYTES_MAX
 * BB_ENOMEM
 * In each case but the first, `detail` has what the server said, or what stands in the way.
 */
BB_MUST_CHECK enum bb_err bb_api_client_get(struct bb_api_client *client, const char *target,
                                            const char *accept, struct bb_err_detail *detail);

/*
 * GETs one trace in the form that `accept` names: BB_MEDIA_JSON gives {"result":{...}},
 * BB_MEDIA_PROTOBUF a TracesData. Errors as above.
 */
BB_MUST_CHECK enum bb_err bb_api_client_get_trace(struct bb_api_client *client,
                                                  const struct bb_trace_id *trace_id,
                                                  const char *accept, struct bb_err_detail *detail);

/* Warns on stderr when the server has said, with the last answer, that it isn't the whole:
 * "warning: trace ID is incomplete: ...". `what` is "trace ID". */
void bb_api_client_warn_incomplete(const struct bb_api_client *client, const char *what);

#endif /* BB_QUERY_CLI_API_CLIENT_H */
