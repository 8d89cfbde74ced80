#include "query/cli/otlp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "query/cli/otlp_json_patch.h"
#include "query/cli/zstd_read.h"

#define READ_BYTES (1u << 20)
#define REQUESTS_BYTES_MAX ((size_t)1 << 30)
#define LENGTH_SIZE 4

void bb_otlp_file_dispose(struct bb_otlp_file *file)
{
    if (file != NULL) {
        bb_buf_dispose(&file->bytes);
        bb_buf_dispose(&file->requests);
    }
}

const struct bb_otlp_request *bb_otlp_file_request(const struct bb_otlp_file *file, uint32_t index)
{
    BB_ASSERT(index < file->request_count);
    return (const struct bb_otlp_request *)(const void *)file->requests.data + index;
}

static void add_request(struct bb_otlp_file *file, struct bb_slice bytes, bool is_json,
                        const struct bb_otlp_totals *totals)
{
    const struct bb_otlp_request request = {
        .bytes = bytes,
        .is_json = is_json,
        .span_count = totals->span_count,
    };

    bb_buf_append(&file->requests, &request, sizeof(request));
    file->request_count++;
    file->totals.span_count += totals->span_count;
    if (totals->newest_end_unix_ns > file->totals.newest_end_unix_ns) {
        file->totals.newest_end_unix_ns = totals->newest_end_unix_ns;
    }
}

/* Forgets requests that belonged to a form which the file doesn't have after all. */
static void forget_requests(struct bb_otlp_file *file)
{
    bb_buf_clear(&file->requests);
    file->request_count = 0;
    file->totals = (struct bb_otlp_totals){0};
}

/*
 * Reads length-prefixed requests. False when the bytes have another form; a file that begins with
 * a good request and then goes wrong is a damaged one: then *err says so.
 */
static bool read_prefixed(struct bb_otlp_file *file, struct bb_err_detail *detail,
                          enum bb_err *out_err)
{
    struct bb_slice all = bb_buf_slice(&file->bytes);
    struct bb_otlp_totals totals;
    size_t at = 0;

    while (at < all.size) {
        size_t left = all.size - at;
        size_t size = left >= LENGTH_SIZE ? bb_get_le32(all.data + at) : 0;
        bool is_whole = left >= LENGTH_SIZE && size <= left - LENGTH_SIZE;
        if (!is_whole ||
            bb_otlp_inspect(bb_slice_of(all.data + at + LENGTH_SIZE, size), &totals) != BB_OK) {
            bool is_damaged = file->totals.span_count > 0;
            if (is_damaged) {
                *out_err = bb_err_set(detail, BB_EINVAL,
                                      "the request at byte %zu (the file's number %u) is %s", at,
                                      file->request_count + 1,
                                      is_whole ? "no ExportTraceServiceRequest" : "cut short");
            }
            forget_requests(file);
            return is_damaged;
        }
        add_request(file, bb_slice_of(all.data + at + LENGTH_SIZE, size), false, &totals);
        at += LENGTH_SIZE + size;
    }
    *out_err = BB_OK;
    return true;
}

static enum bb_err read_json(struct bb_otlp_file *file, struct bb_slice text,
                             struct bb_err_detail *detail)
{
    struct bb_otlp_json_document document;
    struct bb_slice rest = text;

    while (rest.size > 0) {
        enum bb_err err = bb_otlp_json_next(text, &rest, detail, &document);
        if (err != BB_OK) {
            return err;
        }
        if (document.has_resource_spans) {
            add_request(file, document.text, true, &document.totals);
        } else {
            file->skipped_count++;
        }
    }
    return BB_OK;
}

/* The text behind a byte order mark and white space. */
static struct bb_slice skip_to_text(struct bb_slice bytes)
{
    size_t at = 0;

    if (bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0) {
        at = 3;
    }
    while (at < bytes.size && (bytes.data[at] == ' ' || bytes.data[at] == '\t' ||
                               bytes.data[at] == '\n' || bytes.data[at] == '\r')) {
        at++;
    }
    return bb_slice_of(bytes.data + at, bytes.size - at);
}

/* Finds the form of file->bytes and the requests in it. */
static enum bb_err find_requests(struct bb_otlp_file *file, struct bb_err_detail *detail)
{
    struct bb_slice bytes = bb_buf_slice(&file->bytes);
    struct bb_otlp_totals totals;
    enum bb_err err = BB_OK;

    if (bytes.size == 0) {
        return BB_OK;
    }
    struct bb_slice text = skip_to_text(bytes);
    if (text.size == 0) {
        return BB_OK;
    }
    /* Before JSON: a length may begin with the byte of '{', but the start of a JSON document makes
     * a length that no file has. */
    if (read_prefixed(file, detail, &err)) {
        return err;
    }
    if (text.data[0] == '{') {
        return read_json(file, text, detail);
    }
    if (bb_otlp_inspect(bytes, &totals) == BB_OK) {
        add_request(file, bytes, false, &totals);
        return BB_OK;
    }
    if (bytes.size >= 2 && bytes.data[0] == 0x1f && bytes.data[1] == 0x8b) {
        return bb_err_set(detail, BB_EINVAL,
                          "a gzip file; unpack it first: zcat FILE | bobbin import -");
    }
    return bb_err_set(detail, BB_EINVAL,
                      "neither OTLP protobuf (bare or length-prefixed) nor OTLP JSON");
}

/* Takes over `raw` (on failure, too): inflates it if need be and finds the requests. */
static enum bb_err take_bytes(struct bb_buf *raw, struct bb_err_detail *detail,
                              struct bb_otlp_file *out_file)
{
    struct bb_otlp_file file = {0};
    enum bb_err err = BB_OK;

    bb_buf_init(&file.requests, REQUESTS_BYTES_MAX);
    if (bb_zstd_is_frame(bb_buf_slice(raw))) {
        bb_buf_init(&file.bytes, BB_OTLP_FILE_BYTES_MAX);
        err = bb_zstd_read(bb_buf_slice(raw), &file.bytes, detail);
        bb_buf_dispose(raw);
    } else {
        file.bytes = *raw;
    }
    if (err == BB_OK) {
        err = find_requests(&file, detail);
    }
    if (err == BB_OK && bb_buf_err(&file.requests) != BB_OK) {
        err = bb_err_set(detail, bb_buf_err(&file.requests), "too many requests");
    }
    if (err != BB_OK) {
        bb_otlp_file_dispose(&file);
        return err;
    }
    *out_file = file;
    return BB_OK;
}

/* Reads `descriptor` to its end. */
static enum bb_err read_all(int descriptor, struct bb_buf *out, struct bb_err_detail *detail)
{
    while (true) {
        uint8_t *room = bb_buf_reserve(out, READ_BYTES);
        if (room == NULL) {
            return bb_err_set(detail, bb_buf_err(out), "%s", bb_err_text(bb_buf_err(out)));
        }
        ssize_t size = read(descriptor, room, READ_BYTES);
        if (size == 0) {
            return BB_OK;
        }
        if (size > 0) {
            bb_buf_advance(out, (size_t)size);
        } else if (errno != EINTR) {
            return bb_err_set(detail, BB_EIO, "%s", strerrordesc_np(errno));
        }
    }
}

enum bb_err bb_otlp_file_read(const char *path, struct bb_err_detail *detail,
                              struct bb_otlp_file *out_file)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int descriptor = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct bb_buf raw;

    if (descriptor < 0) {
        return bb_err_set(detail, BB_EIO, "%s", strerrordesc_np(errno));
    }
    bb_buf_init(&raw, BB_OTLP_FILE_BYTES_MAX);
    enum bb_err err = read_all(descriptor, &raw, detail);
    if (!is_stdin) {
        (void)close(descriptor); /* it was only read */
    }
    if (err != BB_OK) {
        bb_buf_dispose(&raw);
        return err;
    }
    return take_bytes(&raw, detail, out_file);
}

enum bb_err bb_otlp_file_parse(struct bb_slice bytes, struct bb_err_detail *detail,
                               struct bb_otlp_file *out_file)
{
    struct bb_buf raw;

    bb_buf_init(&raw, BB_OTLP_FILE_BYTES_MAX);
    bb_buf_append_slice(&raw, bytes);
    if (bb_buf_err(&raw) != BB_OK) {
        enum bb_err err = bb_buf_err(&raw);
        bb_buf_dispose(&raw);
        return bb_err_set(detail, err, "%s", bb_err_text(err));
    }
    return take_bytes(&raw, detail, out_file);
}
