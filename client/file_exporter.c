/*
 * file_exporter.c - requests as lines of OTLP/JSON, in a file or on a descriptor.
 */
#include "client/include/bobbin/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/request_json.h"

struct file {
    int fd;
    bool is_ours;
};

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static enum bobbin_export_result send_to_file(void *user, const struct bobbin_request *request,
                                              uint32_t timeout_ms,
                                              struct bobbin_export_report *report)
{
    const struct file *file = user;
    struct bbc_sink line = {0};
    enum bobbin_export_result result = BOBBIN_EXPORT_FAILED;

    (void)timeout_ms;
    (void)report;
    if (bbc_otlp_json(request->data, request->size, &line)) {
        bbc_sink_byte(&line, '\n');
        if (!line.failed && write_all(file->fd, line.data, line.size)) {
            result = BOBBIN_EXPORT_OK;
        }
    }
    bbc_sink_dispose(&line);
    return result;
}

static void close_file(void *user)
{
    struct file *file = user;

    if (file->is_ours) {
        (void)close(file->fd);
    }
    bbc_free(file);
}

static enum bobbin_err make(int fd, bool is_ours, struct bobbin_exporter *out)
{
    struct file *file = bbc_alloc(sizeof *file);

    if (file == NULL) {
        return BOBBIN_ENOMEM;
    }
    file->fd = fd;
    file->is_ours = is_ours;
    *out = (struct bobbin_exporter){.user = file, .send = send_to_file, .close = close_file};
    return BOBBIN_OK;
}

enum bobbin_err bobbin_fd_exporter_open(int fd, struct bobbin_exporter *out)
{
    return make(fd, false, out);
}

enum bobbin_err bobbin_file_exporter_open(const char *path, struct bobbin_exporter *out)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    enum bobbin_err err;

    if (fd < 0) {
        return BOBBIN_EIO;
    }
    err = make(fd, true, out);
    if (err != BOBBIN_OK) {
        (void)close(fd);
    }
    return err;
}
