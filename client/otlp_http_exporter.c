/*
 * otlp_http_exporter.c - OTLP/HTTP over libcurl: the only file of the library that sees curl, apart
 * from the adapters in include/bobbin/experimental/.
 *
 * One easy handle is kept with its connection and driven by a multi handle, whose wake-up lets
 * `cancel` end a transfer at once. The answer is read up to ANSWER_SIZE_MAX; a longer one is cut.
 *
 * After a fork the child forgets the handle without closing it, as closing would talk to the
 * receiver
 * over the parent's connection; it closes its copy of the descriptors only.
 */
#include "client/include/bobbin/otlp_http.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "client/client_alloc.h"
#include "client/env_text.h"
#include "client/export_answer.h"
#include "client/include/bobbin/bobbin.h"

/* Bytes of an answer that are read: OTLP's holds two numbers and a text. */
#define ANSWER_SIZE_MAX 65536

/* Milliseconds that a transfer sleeps at most before it looks whether it was cancelled. */
#define POLL_MS 1000

/* Sockets of one exporter that a fork closes in the child. */
#define SOCKETS_MAX 4

#define URL_SIZE_MAX 2048

struct http_exporter {
    /* Constant. */
    char *url;
    char *certificate;
    char *client_key;
    char *client_certificate;
    struct curl_slist *headers;
    uint32_t timeout_ms;

    /* The sending thread's; `multi` is also woken by cancel. */
    CURL *easy;
    _Atomic(CURLM *) multi;
    uint8_t answer[ANSWER_SIZE_MAX];
    size_t answer_size;
    int sockets[SOCKETS_MAX]; /* -1: none */

    atomic_bool is_cancelled;
};

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
    struct http_exporter *http = user;
    size_t all = size * count;
    size_t room = sizeof http->answer - http->answer_size;
    size_t kept = all < room ? all : room;

    memcpy(http->answer + http->answer_size, data, kept);
    http->answer_size += kept;
    return all;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_exporter *http = user;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    for (unsigned i = 0; i < SOCKETS_MAX && fd >= 0; i++) {
        if (http->sockets[i] < 0) {
            http->sockets[i] = fd;
            break;
        }
    }
    return fd;
}

static int close_socket(void *user, curl_socket_t fd)
{
    struct http_exporter *http = user;

    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        if (http->sockets[i] == fd) {
            http->sockets[i] = -1;
        }
    }
    return close(fd);
}

/* Sets what all requests have in common. */
static bool set_options(struct http_exporter *http)
{
    CURL *easy = http->easy;
    CURLcode code = CURLE_OK;

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK) {                                                                    \
            code = curl_easy_setopt(easy, option, value);                                          \
        }                                                                                          \
    } while (0)
    SET(CURLOPT_URL, http->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTPHEADER, http->headers);
    SET(CURLOPT_USERAGENT, "OTel-OTLP-Exporter-C/" BOBBIN_VERSION " bobbin");
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, http);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, http);
    SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, http);
    if (http->certificate != NULL) {
        SET(CURLOPT_CAINFO, http->certificate);
    }
    if (http->client_key != NULL) {
        SET(CURLOPT_SSLKEY, http->client_key);
    }
    if (http->client_certificate != NULL) {
        SET(CURLOPT_SSLCERT, http->client_certificate);
    }
#undef SET
    return code == CURLE_OK;
}

static bool make_handles(struct http_exporter *http)
{
    CURLM *multi;

    if (http->easy != NULL) {
        return true;
    }
    multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (multi == NULL || http->easy == NULL || !set_options(http)) {
        curl_easy_cleanup(http->easy);
        (void)curl_multi_cleanup(multi);
        http->easy = NULL;
        return false;
    }
    atomic_store(&http->multi, multi);
    return true;
}

/* Runs the transfer to its end; a cancelled one ends as CURLE_ABORTED_BY_CALLBACK. */
static CURLcode run_transfer(struct http_exporter *http)
{
    CURLM *multi = atomic_load(&http->multi);
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;

    if (curl_multi_add_handle(multi, http->easy) != CURLM_OK) {
        return CURLE_OUT_OF_MEMORY;
    }
    while (running > 0 && !atomic_load(&http->is_cancelled)) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) {
            break;
        }
        if (running > 0 && curl_multi_poll(multi, NULL, 0, POLL_MS, NULL) != CURLM_OK) {
            break;
        }
    }
    if (running == 0) {
        int left;
        const CURLMsg *message = curl_multi_info_read(multi, &left);

        if (message != NULL) {
            code = message->data.result;
        }
    }
    (void)curl_multi_remove_handle(multi, http->easy);
    return code;
}

/* What the status and the answer say. */
static enum bobbin_export_result judge(struct http_exporter *http,
                                       struct bobbin_export_report *report)
{
    curl_off_t retry_after = 0;
    long status = 0;

    (void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        report->rejected_spans = bbc_otlp_answer_rejected(http->answer, http->answer_size);
        return BOBBIN_EXPORT_OK;
    }
    if (status != 429 && status != 502 && status != 503 && status != 504) {
        return BOBBIN_EXPORT_FAILED;
    }
    (void)curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (retry_after > 0) {
        report->retry_after_ms = (uint32_t)(retry_after < 86400 ? retry_after : 86400) * 1000;
    }
    return BOBBIN_EXPORT_RETRY;
}

static enum bobbin_export_result send_over_http(void *user, const struct bobbin_request *request,
                                                uint32_t timeout_ms,
                                                struct bobbin_export_report *report)
{
    struct http_exporter *http = user;
    uint32_t limit = timeout_ms < http->timeout_ms ? timeout_ms : http->timeout_ms;

    if (atomic_load(&http->is_cancelled) || !make_handles(http)) {
        return BOBBIN_EXPORT_RETRY;
    }
    http->answer_size = 0;
    if (curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, request->data) != CURLE_OK ||
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size) !=
            CURLE_OK ||
        curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)limit) != CURLE_OK) {
        return BOBBIN_EXPORT_FAILED;
    }
    if (run_transfer(http) != CURLE_OK) {
        return BOBBIN_EXPORT_RETRY;
    }
    return judge(http, report);
}

static void cancel(void *user)
{
    struct http_exporter *http = user;
    CURLM *multi;

    atomic_store(&http->is_cancelled, true);
    multi = atomic_load(&http->multi);
    if (multi != NULL) {
        (void)curl_multi_wakeup(multi);
    }
}

static void forget_connections(void *user)
{
    struct http_exporter *http = user;

    http->easy = NULL; /* never freed: it belongs to the parent process's connection */
    atomic_store(&http->multi, NULL);
    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        if (http->sockets[i] >= 0) {
            (void)close(http->sockets[i]);
            http->sockets[i] = -1;
        }
    }
}

static void close_exporter(void *user)
{
    struct http_exporter *http = user;

    curl_easy_cleanup(http->easy);
    (void)curl_multi_cleanup(atomic_load(&http->multi));
    curl_slist_free_all(http->headers);
    bbc_free(http->url);
    bbc_free(http->certificate);
    bbc_free(http->client_key);
    bbc_free(http->client_certificate);
    bbc_free(http);
}

/* A copy of `text`, or NULL; clears *is_ok where memory is out. */
static char *copy_text(const char *text, bool *is_ok)
{
    size_t size = text == NULL ? 0 : strlen(text) + 1;
    char *copy = text == NULL ? NULL : bbc_alloc(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    } else if (text != NULL) {
        *is_ok = false;
    }
    return copy;
}

static bool add_header(struct http_exporter *http, const char *line)
{
    struct curl_slist *longer = curl_slist_append(http->headers, line);

    if (longer == NULL) {
        return false;
    }
    http->headers = longer;
    return true;
}

/* One "name=value" of the option, as "name: value". */
static enum bobbin_err add_pair(struct http_exporter *http, char *begin, char *end)
{
    char *equals = memchr(begin, '=', (size_t)(end - begin));
    char line[URL_SIZE_MAX];
    size_t name_size;
    size_t value_size;
    const char *name;
    char *value;

    if (equals == NULL) {
        (void)bbc_trim(begin, end, &name_size);
        return name_size == 0 ? BOBBIN_OK : BOBBIN_EINVAL;
    }
    name = bbc_trim(begin, equals, &name_size);
    value = bbc_trim(equals + 1, end, &value_size);
    value_size = bbc_percent_decode(value, value_size);
    if (name_size == 0 || memchr(value, '\n', value_size) != NULL ||
        memchr(value, '\r', value_size) != NULL || name_size + value_size + 3 > sizeof line) {
        return BOBBIN_EINVAL;
    }
    memcpy(line, name, name_size);
    memcpy(line + name_size, ": ", 2);
    memcpy(line + name_size + 2, value, value_size);
    line[name_size + 2 + value_size] = '\0';
    return add_header(http, line) ? BOBBIN_OK : BOBBIN_ENOMEM;
}

static enum bobbin_err add_headers(struct http_exporter *http, const char *headers)
{
    bool is_ok = true;
    char *copy = copy_text(headers, &is_ok);
    enum bobbin_err err = is_ok ? BOBBIN_OK : BOBBIN_ENOMEM;

    if (!add_header(http, "Content-Type: application/x-protobuf") || !add_header(http, "Expect:")) {
        err = BOBBIN_ENOMEM;
    }
    for (char *pair = copy; pair != NULL && err == BOBBIN_OK;) {
        char *comma = strchr(pair, ',');

        err = add_pair(http, pair, comma == NULL ? pair + strlen(pair) : comma);
        pair = comma == NULL ? NULL : comma + 1;
    }
    bbc_free(copy);
    return err;
}

/* The variable of the signal, else the general one. */
static const char *either(const char *own, const char *general)
{
    const char *text = bbc_env_text(own);

    return text != NULL ? text : bbc_env_text(general);
}

void bobbin_otlp_http_opts_init(struct bobbin_otlp_http_opts *opts, char *url_room,
                                size_t url_room_size)
{
    static const char path[] = "/v1/traces";
    const char *base = bbc_env_text("OTEL_EXPORTER_OTLP_ENDPOINT");
    size_t size;

    memset(opts, 0, sizeof *opts);
    opts->url = bbc_env_text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    if (opts->url == NULL) {
        base = base == NULL ? "http://localhost:4318" : base;
        size = strlen(base);
        while (size > 0 && base[size - 1] == '/') {
            size--;
        }
        if (size + sizeof path <= url_room_size) {
            memcpy(url_room, base, size);
            memcpy(url_room + size, path, sizeof path);
            opts->url = url_room;
        }
    }
    opts->headers = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
    opts->timeout_ms = 10000;
    bbc_env_u32("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 86400000, &opts->timeout_ms);
    bbc_env_u32("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 1, 86400000, &opts->timeout_ms);
    opts->certificate =
        either("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
    opts->client_key =
        either("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY");
    opts->client_certificate = either("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
                                      "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
}

static enum bobbin_err fill(struct http_exporter *http, const struct bobbin_otlp_http_opts *opts)
{
    bool is_ok = true;

    if (opts->url == NULL ||
        (strncasecmp(opts->url, "http://", 7) != 0 && strncasecmp(opts->url, "https://", 8) != 0)) {
        return BOBBIN_EINVAL;
    }
    http->url = copy_text(opts->url, &is_ok);
    http->certificate = copy_text(opts->certificate, &is_ok);
    http->client_key = copy_text(opts->client_key, &is_ok);
    http->client_certificate = copy_text(opts->client_certificate, &is_ok);
    http->timeout_ms = opts->timeout_ms == 0 ? 10000 : opts->timeout_ms;
    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        http->sockets[i] = -1;
    }
    return is_ok ? add_headers(http, opts->headers) : BOBBIN_ENOMEM;
}

enum bobbin_err bobbin_otlp_http_exporter_open(const struct bobbin_otlp_http_opts *opts,
                                               struct bobbin_exporter *out)
{
    struct bobbin_otlp_http_opts from_environment;
    char url_room[URL_SIZE_MAX];
    struct http_exporter *http;
    enum bobbin_err err;

    if (opts == NULL) {
        bobbin_otlp_http_opts_init(&from_environment, url_room, sizeof url_room);
        opts = &from_environment;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return BOBBIN_ENOMEM;
    }
    http = bbc_alloc(sizeof *http);
    if (http == NULL) {
        return BOBBIN_ENOMEM;
    }
    err = fill(http, opts);
    if (err != BOBBIN_OK) {
        close_exporter(http);
        return err;
    }
    *out = (struct bobbin_exporter){
        .user = http,
        .send = send_over_http,
        .cancel = cancel,
        .forked = forget_connections,
        .close = close_exporter,
    };
    return BOBBIN_OK;
}
