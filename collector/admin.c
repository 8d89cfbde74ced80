#include "collector/admin.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/check.h"
#include "common/json_writer.h"
#include "common/metrics.h"

void bb_admin_init(struct bb_admin *admin, const struct bb_version *version, const char *reason)
{
    *admin = (struct bb_admin){.version = version, .not_ready_reason = reason};
    pthread_mutex_init(&admin->mutex, NULL); /* can't fail without attributes */
}

void bb_admin_dispose(struct bb_admin *admin)
{
    pthread_mutex_destroy(&admin->mutex);
}

void bb_admin_set_ready(struct bb_admin *admin, struct bb_store *store)
{
    pthread_mutex_lock(&admin->mutex);
    admin->store = store;
    admin->not_ready_reason = NULL;
    pthread_mutex_unlock(&admin->mutex);
}

void bb_admin_set_not_ready(struct bb_admin *admin, const char *reason)
{
    pthread_mutex_lock(&admin->mutex);
    admin->not_ready_reason = reason;
    pthread_mutex_unlock(&admin->mutex);
}

void bb_admin_forget_store(struct bb_admin *admin)
{
    pthread_mutex_lock(&admin->mutex);
    BB_ASSERT(admin->not_ready_reason != NULL);
    admin->store = NULL;
    pthread_mutex_unlock(&admin->mutex);
}

/* Under the mutex. */
static const char *not_ready_reason(struct bb_admin *admin)
{
    if (admin->not_ready_reason != NULL) {
        return admin->not_ready_reason;
    }
    return bb_store_not_ready_reason(admin->store);
}

static void answer_text(struct bb_http_response *response, unsigned status, const char *text)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    bb_buf_printf(&response->body, "%s\n", text);
}

static void answer_health(struct bb_admin *admin, struct bb_http_response *response)
{
    (void)admin;
    answer_text(response, 200, "ok");
}

static void answer_ready(struct bb_admin *admin, struct bb_http_response *response)
{
    const char *reason;

    pthread_mutex_lock(&admin->mutex);
    reason = not_ready_reason(admin);
    pthread_mutex_unlock(&admin->mutex);
    if (reason == NULL) {
        answer_text(response, 200, "ready");
    } else {
        answer_text(response, 503, reason);
    }
}

static void answer_version(struct bb_admin *admin, struct bb_http_response *response)
{
    struct bb_json_writer json = bb_json_writer_of(&response->body);

    response->content_type = "application/json";
    bb_json_begin_object(&json);
    bb_json_key(&json, "version");
    bb_json_cstr(&json, admin->version->version);
    bb_json_key(&json, "git_commit");
    bb_json_cstr(&json, admin->version->git_commit);
    bb_json_key(&json, "build_time");
    bb_json_cstr(&json, admin->version->build_time);
    bb_json_key(&json, "format_version");
    bb_json_int(&json, admin->version->store_format);
    bb_json_end_object(&json);
    bb_buf_append_byte(&response->body, '\n');
}

/* The second number in /proc/self/statm: resident pages (proc(5)). 0 when it can't be read. */
static int64_t resident_bytes(void)
{
    char text[128] = "";
    int64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    if (read(fd, text, sizeof text - 1) <= 0 || sscanf(text, "%*d %" SCNd64, &pages) != 1) {
        pages = 0;
    }
    close(fd);
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_fd_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int64_t count = 0;

    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 3; /* ".", ".." and the one that reads them */
}

static void answer_metrics(struct bb_admin *admin, struct bb_http_response *response)
{
    bool is_ready;

    pthread_mutex_lock(&admin->mutex);
    is_ready = not_ready_reason(admin) == NULL;
    if (admin->store != NULL) {
        bb_store_update_metrics(admin->store);
    }
    pthread_mutex_unlock(&admin->mutex);
    bb_metric_set(BB_M_READY, is_ready);
    bb_metric_set(BB_M_PROCESS_RSS_BYTES, resident_bytes());
    bb_metric_set(BB_M_PROCESS_FDS, open_fd_count());

    response->content_type = BB_METRICS_CONTENT_TYPE;
    bb_metrics_render(&response->body);
}

static const struct {
    const char *path;
    void (*answer)(struct bb_admin *admin, struct bb_http_response *response);
} pages[] = {
    {"/healthz", answer_health},
    {"/readyz", answer_ready},
    {"/version", answer_version},
    {"/metrics", answer_metrics},
};

void bb_admin_handle(void *ctx, const struct bb_http_request *request,
                     struct bb_http_response *response)
{
    for (size_t i = 0; i < BB_ARRAY_COUNT(pages); i++) {
        if (!bb_slice_equals_cstr(request->path, pages[i].path)) {
            continue;
        }
        if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
            bb_http_add_header(response, "Allow", "GET, HEAD");
            answer_text(response, 405, "only GET and HEAD are answered here");
            return;
        }
        pages[i].answer(ctx, response);
        return;
    }
    answer_text(response, 404, "there are /healthz, /readyz, /version and /metrics here");
}
