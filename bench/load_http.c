#include "bench/load_sender.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>

#define TIMEOUT_S 60L

struct http_sender {
    struct bb_load_sender sender; /* first */
    CURL *curl;
    struct curl_slist *headers;
};

static size_t drop_body(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static enum bb_err send_http(struct bb_load_sender *sender, struct bb_slice request,
                             struct bb_err_detail *detail)
{
    struct http_sender *self = (struct http_sender *)sender;
    long status = 0;

    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request.size);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, (const char *)request.data);
    CURLcode code = curl_easy_perform(self->curl);
    if (code != CURLE_OK) {
        return bb_err_set(detail, BB_EIO, "%s", curl_easy_strerror(code));
    }
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        return BB_OK;
    }
    return bb_err_set(detail, status == 429 || status == 503 ? BB_EBUSY : BB_EIO, "HTTP status %ld",
                      status);
}

static void close_http(struct bb_load_sender *sender)
{
    struct http_sender *self = (struct http_sender *)sender;

    curl_slist_free_all(self->headers);
    curl_easy_cleanup(self->curl);
    free(self); /* tidy: allow malloc: a program that measures */
}

struct bb_load_sender *bb_load_http_open(const char *target)
{
    struct http_sender *self = calloc(1, sizeof *self); /* tidy: allow malloc: see close */

    if (self == NULL) {
        return NULL;
    }
    self->sender.send = send_http;
    self->sender.close = close_http;
    self->curl = curl_easy_init();
    self->headers = curl_slist_append(self->headers, "Content-Type: application/x-protobuf");
    self->headers = curl_slist_append(self->headers, "Expect:");
    curl_easy_setopt(self->curl, CURLOPT_URL, target);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    return &self->sender;
}
