/*
 * http_router.c - which of the APIs, or the viewer, a request on the query port is for.
 */
#include <string.h>

#include "query/http_query.h"
#include "query/http_v1.h"
#include "query/http_v3.h"
#include "query/query_api.h"
#include "query/static_files.h"

static bool has_prefix(struct bb_slice path, const char *prefix)
{
    size_t size = strlen(prefix);

    return path.size >= size && memcmp(path.data, prefix, size) == 0;
}

static bool is_under(struct bb_slice path, const char *folder)
{
    return bb_slice_equals_cstr(path, folder) ||
           (has_prefix(path, folder) && path.data[strlen(folder)] == '/');
}

void bb_query_http_handle(void *query_api, const struct bb_http_request *request,
                          struct bb_http_response *response)
{
    const struct bb_query_api *api = query_api;
    bool is_v3 = is_under(request->path, "/api/v3");
    struct bb_http_path path;

    if (!is_under(request->path, "/api")) {
        bb_static_files_handle(api->ui_dir, request, response);
        return;
    }
    switch (bb_http_path_split(request->path, request->arena, &path)) {
    case BB_OK:
        (is_v3 ? bb_http_v3_handle : bb_http_v1_handle)(api, &path, request, response);
        break;
    case BB_EINVAL:
        (is_v3 ? bb_http_v3_refuse : bb_http_v1_refuse)(
            response, 400, "the path has a \"%\" without two hex digits behind it");
        break;
    case BB_ETOOBIG:
        (is_v3 ? bb_http_v3_refuse : bb_http_v1_refuse)(response, 404, "no such endpoint");
        break;
    default:
        (is_v3 ? bb_http_v3_refuse : bb_http_v1_refuse)(response, 503, "out of memory");
        break;
    }
}
