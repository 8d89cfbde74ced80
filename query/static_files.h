/*
 * static_files.h - the viewer: the built-in copy of ui-static/, or a directory in its place, which
 * is read anew at each request, for whoever works on the viewer.
 *
 * A path that is no file is a view of the viewer (/search, /trace/ID) and gets index.html, unless
 * it ends like a file of a type that we serve: then it is a 404.
 */
#ifndef BB_QUERY_STATIC_FILES_H
#define BB_QUERY_STATIC_FILES_H

#include <stdint.h>

#include "common/http_api.h"

/* One built-in file. */
struct bb_static_file {
    const char *path; /* "js/main.js" */
    const uint8_t *data;
    uint32_t size;
    const char *etag; /* with its quotes */
};

/* Made by embed_files.cmake; sorted by path. */
extern const struct bb_static_file bb_static_files[];
extern const uint32_t bb_static_file_count;

/* Answers one request. `ui_dir` NULL: from the built-in copy. */
void bb_static_files_handle(const char *ui_dir, const struct bb_http_request *request,
                            struct bb_http_response *response);

#endif /* BB_QUERY_STATIC_FILES_H */
