#include "tests/support/grpc_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "common/bytes.h"
#include "common/check.h"

#define BYTES_MAX ((size_t)64 << 20)
/* Of a message: a flag and its size. */
#define PREFIX_SIZE 5
/* Only reached when the server hangs: makes the test fail instead of the run. */
#define CALL_S_MAX 60L

struct reading {
    const struct grpc_request *request;
    struct grpc_reply *reply;
    struct bb_buf pending; /* not yet a whole message */
};

static void take_header(const char *line, size_t size, const char *name, char *out, size_t out_size)
{
    size_t name_size = strlen(name);

    if (size > name_size && strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
        const char *value = line + name_size + 1;
        size_t value_size = size - name_size - 1;
        while (value_size > 0 && *value == ' ') {
            value++;
            value_size--;
        }
        while (value_size > 0 && (value[value_size - 1] == '\r' || value[value_size - 1] == '\n')) {
            value_size--;
        }
        snprintf(out, out_size, "%.*s", (int)value_size, value);
    }
}

/* Headers and trailers, line by line. */
static size_t on_header(char *line, size_t one, size_t size, void *ctx)
{
    struct reading *reading = ctx;
    char status[8] = "";

    (void)one;
    take_header(line, size, "grpc-status", status, sizeof(status));
    if (status[0] != '\0') {
        reading->reply->status = (int)strtol(status, NULL, 10);
    }
    take_header(line, size, "grpc-message", reading->reply->message,
                sizeof(reading->reply->message));
    take_header(line, size, "grpc-status-details-bin", reading->reply->details,
                sizeof(reading->reply->details));
    return size;
}

static size_t on_data(char *data, size_t one, size_t size, void *ctx)
{
    struct reading *reading = ctx;
    struct bb_buf *pending = &reading->pending;
    size_t at = 0;

    (void)one;
    bb_buf_append(pending, data, size);
    while (pending->size - at >= PREFIX_SIZE) {
        size_t message_size = bb_get_be32(pending->data + at + 1);
        if (pending->size - at - PREFIX_SIZE < message_size) {
            break;
        }
        bb_buf_append(&reading->reply->bytes, pending->data + at + PREFIX_SIZE, message_size);
        reading->reply->message_count++;
        at += PREFIX_SIZE + message_size;
        if (reading->reply->message_count == reading->request->break_after_messages) {
            return 0; /* breaks the transfer off */
        }
    }
    if (at > 0) {
        memmove(pending->data, pending->data + at, pending->size - at);
        pending->size -= at;
    }
    return size;
}

static struct curl_slist *make_headers(const struct grpc_request *request)
{
    struct curl_slist *headers = curl_slist_append(NULL, "content-type: application/grpc");
    char line[100];

    headers = curl_slist_append(headers, "te: trailers");
    headers = curl_slist_append(headers, "Expect:");
    if (request->encoding != NULL) {
        snprintf(line, sizeof(line), "grpc-encoding: %s", request->encoding);
        headers = curl_slist_append(headers, line);
    }
    if (request->timeout != NULL) {
        snprintf(line, sizeof(line), "grpc-timeout: %s", request->timeout);
        headers = curl_slist_append(headers, line);
    }
    assert_non_null(headers);
    return headers;
}

void grpc_call_run(const struct grpc_request *request, struct grpc_reply *out_reply)
{
    struct reading reading = {.request = request, .reply = out_reply};
    uint8_t prefix[PREFIX_SIZE] = {request->is_compressed};
    struct bb_buf body;
    char url[200];

    *out_reply = (struct grpc_reply){.status = GRPC_NO_STATUS};
    bb_buf_init(&out_reply->bytes, BYTES_MAX);
    bb_buf_init(&reading.pending, BYTES_MAX);
    bb_buf_init(&body, BYTES_MAX);
    if (!request->has_no_message) {
        bb_put_be32(prefix + 1, (uint32_t)request->message.size);
        bb_buf_append(&body, prefix, sizeof(prefix));
        bb_buf_append_slice(&body, request->message);
    }
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", request->port, request->path);

    CURL *curl = curl_easy_init();
    assert_non_null(curl);
    struct curl_slist *headers = make_headers(request);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, CALL_S_MAX);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.size > 0 ? (char *)body.data : "");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reading);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reading);
    CURLcode code = curl_easy_perform(curl);
    assert_int_not_equal(code, CURLE_OPERATION_TIMEDOUT);

    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    bb_buf_dispose(&body);
    bb_buf_dispose(&reading.pending);
}

void grpc_reply_dispose(struct grpc_reply *reply)
{
    bb_buf_dispose(&reply->bytes);
}
