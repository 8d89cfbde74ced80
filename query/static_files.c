#include "query/static_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/limits.h"
#include "query/http_query.h"

/* Scripts, styles and data only from this server, and nothing inline: text of a span that is taken
 * for markup by mistake still runs nothing. */
static const char content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

static_assert(sizeof(content_security_policy) <= sizeof(((struct bb_http_header *)0)->value),
              "a policy that is cut protects less");

static const struct {
    const char *extension;
    const char *content_type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".json", "application/json; charset=utf-8"},
};

/* NULL when it doesn't end like a file that we serve. */
static const char *content_type_of(struct bb_slice path)
{
    for (size_t i = 0; i < BB_ARRAY_COUNT(types); i++) {
        size_t size = strlen(types[i].extension);
        if (path.size > size &&
            memcmp(path.data + path.size - size, types[i].extension, size) == 0) {
            return types[i].content_type;
        }
    }
    return NULL;
}

static void refuse(struct bb_http_response *response, unsigned status, const char *message)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    bb_buf_clear(&response->body);
    bb_buf_append_cstr(&response->body, message);
    bb_buf_append_byte(&response->body, '\n');
}

/* If-None-Match is a list of tags, weak ones marked W/, or "*" (RFC 9110, section 13.1.2). */
static bool matches_etag(const struct bb_http_request *request, const char *etag)
{
    const char *list = request->header == NULL ? NULL : request->header(request, "If-None-Match");

    return list != NULL && (strcmp(list, "*") == 0 || strstr(list, etag) != NULL);
}

static void send_file(const struct bb_http_request *request, struct bb_http_response *response,
                      const char *content_type, const char *etag, struct bb_slice data)
{
    response->content_type = content_type;
    bb_http_add_header(response, "ETag", "%s", etag);
    if (matches_etag(request, etag)) {
        bb_buf_clear(&response->body);
        response->status = 304;
        return;
    }
    if (data.data != response->body.data) {
        bb_buf_append_slice(&response->body, data);
    }
    if (bb_buf_err(&response->body) != BB_OK) {
        refuse(response, 503, "out of memory");
    }
}

static const struct bb_static_file *find_built_in(struct bb_slice path)
{
    uint32_t low = 0;
    uint32_t high = bb_static_file_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bb_slice_compare(bb_slice_from_cstr(bb_static_files[middle].path), path);
        if (order == 0) {
            return &bb_static_files[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* True when there is such a file. */
static bool send_built_in(const struct bb_http_request *request, struct bb_http_response *response,
                          struct bb_slice path)
{
    const struct bb_static_file *file = find_built_in(path);

    if (file == NULL) {
        return false;
    }
    send_file(request, response, content_type_of(path), file->etag,
              bb_slice_of(file->data, file->size));
    return true;
}

/*
 * Opens a file below `ui_dir`, part by part. No part may be a link or lead up, so that whatever the
 * path says, only files below the directory are opened. -1 when there is none.
 */
static int open_below(const char *ui_dir, struct bb_slice path)
{
    int fd = open(ui_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t at = 0;

    while (fd >= 0) {
        char name[256];
        const uint8_t *slash = memchr(path.data + at, '/', path.size - at);
        size_t size = slash == NULL ? path.size - at : (size_t)(slash - path.data) - at;
        bool is_name = size > 0 && size < sizeof(name) && path.data[at] != '.' &&
                       memchr(path.data + at, '\0', size) == NULL;
        int next = -1;
        if (is_name) {
            memcpy(name, path.data + at, size);
            name[size] = '\0';
            next = openat(fd, name,
                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                              (slash == NULL ? 0 : O_DIRECTORY));
        }
        (void)close(fd);
        fd = next;
        if (slash == NULL) {
            break;
        }
        at += size + 1;
    }
    return fd;
}

/* Appends all of a file of `size` bytes; false when it can't be read whole. */
static bool read_file(int fd, size_t size, struct bb_buf *out)
{
    uint8_t *data = bb_buf_reserve(out, size);
    size_t have = 0;

    if (data == NULL) {
        return false;
    }
    while (have < size) {
        ssize_t got = read(fd, data + have, size - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        have += (size_t)got;
    }
    bb_buf_advance(out, size);
    return true;
}

static bool send_from_dir(const char *ui_dir, const struct bb_http_request *request,
                          struct bb_http_response *response, struct bb_slice path)
{
    const char *content_type = content_type_of(path);
    struct stat info;
    char etag[64];

    if (content_type == NULL) {
        return false;
    }
    int fd = open_below(ui_dir, path);
    if (fd < 0) {
        return false;
    }
    bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (is_file && (uint64_t)info.st_size > BB_UI_FILE_BYTES_MAX) {
        refuse(response, 500, "the file is over the limit for a file of the viewer");
    } else if (is_file && !read_file(fd, (size_t)info.st_size, &response->body)) {
        refuse(response, 500, "the file could not be read");
    } else if (is_file) {
        (void)snprintf(etag, sizeof(etag), "\"%llx-%llx.%lx\"", (unsigned long long)info.st_size,
                       (unsigned long long)info.st_mtim.tv_sec,
                       (unsigned long)info.st_mtim.tv_nsec);
        send_file(request, response, content_type, etag, bb_buf_slice(&response->body));
    }
    (void)close(fd);
    return is_file;
}

static bool send_path(const char *ui_dir, const struct bb_http_request *request,
                      struct bb_http_response *response, struct bb_slice path)
{
    return ui_dir == NULL ? send_built_in(request, response, path)
                          : send_from_dir(ui_dir, request, response, path);
}

static void add_headers(struct bb_http_response *response)
{
    bb_http_add_header(response, "Content-Security-Policy", "%s", content_security_policy);
    bb_http_add_header(response, "X-Content-Type-Options", "nosniff");
    bb_http_add_header(response, "Referrer-Policy", "same-origin");
    /* Asked again at each load, answered by 304: an upgrade is never mixed with old files. */
    bb_http_add_header(response, "Cache-Control", "no-cache");
}

void bb_static_files_handle(const char *ui_dir, const struct bb_http_request *request,
                            struct bb_http_response *response)
{
    struct bb_slice index = bb_slice_from_cstr("index.html");
    struct bb_slice path;

    if (!bb_http_allows_method(request, response)) {
        refuse(response, 405, "method not allowed: use GET");
        return;
    }
    add_headers(response);
    if (bb_url_decode(request->path, false, request->arena, &path) != BB_OK) {
        refuse(response, 400, "the path has a \"%\" without two hex digits behind it");
        return;
    }
    if (path.size > 0 && path.data[0] == '/') {
        path = bb_slice_of(path.data + 1, path.size - 1);
    }
    if (path.size > 0 && send_path(ui_dir, request, response, path)) {
        return;
    }
    if (content_type_of(path) != NULL) {
        refuse(response, 404, "no such file");
    } else if (!send_path(ui_dir, request, response, index)) {
        refuse(response, 404, "there is no viewer: index.html is missing");
    }
}
