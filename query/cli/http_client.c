/* http_client.c - sees libcurl (the easy interface). */
#include "query/cli/http_client.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "common/limits.h"

#define CONNECT_TIMEOUT_MS 5000L
/* A connection without a byte for so long is given up; an import into a busy server may wait. */
#define STALL_S 120L

enum bb_err bb_http_client_init(struct bb_http_client *client)
{
    *client = (struct bb_http_client){0};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return BB_ENOMEM;
    }
    client->easy = curl_easy_init();
    return client->easy != NULL ? BB_OK : BB_ENOMEM;
}

void bb_http_client_dispose(struct bb_http_client *client)
{
    if (client == NULL || client->easy == NULL) {
        return;
    }
    curl_easy_cleanup(client->easy);
    curl_global_cleanup();
    client->easy = NULL;
}

void bb_http_client_reply_init(struct bb_http_client_reply *reply, size_t body_bytes_max)
{
    *reply = (struct bb_http_client_reply){0};
    bb_buf_init(&reply->body, body_bytes_max);
}

void bb_http_client_reply_dispose(struct bb_http_client_reply *reply)
{
    if (reply != NULL) {
        bb_buf_dispose(&reply->body);
    }
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct bb_buf *body = user;

    bb_buf_append(body, data, size * count);
    return bb_buf_err(body) == BB_OK ? size * count : 0; /* 0 makes libcurl stop */
}

/* Proxies are for other machines, also when the environment names one and excepts nothing. */
static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    for (size_t i = 0; i < BB_ARRAY_COUNT(hosts); i++) {
        if (strncmp(host, hosts[i], strlen(hosts[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds "name: value" to *list; false when there is no memory. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

static bool make_headers(const struct bb_http_client_call *call, struct curl_slist **list)
{
    if (!add_header(list, "Accept", call->accept)) {
        return false;
    }
    /* An empty Expect stops libcurl from asking "100-continue" and waiting a second for it. */
    return call->content_type == NULL || (add_header(list, "Content-Type", call->content_type) &&
                                          curl_slist_append(*list, "Expect:") != NULL);
}

/* curl_easy_setopt fails only for options that this libcurl wasn't built with, and for lack of
 * memory; the transfer then fails and says so. */
static void set_options(CURL *easy, const struct bb_http_client_call *call,
                        const struct curl_slist *headers, struct bb_buf *body, char *error)
{
    curl_easy_reset(easy);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    (void)curl_easy_setopt(easy, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "bobbin");
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_S);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    if (is_loopback(call->url)) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (call->content_type != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               call->body.size > 0 ? (const char *)call->body.data : "");
    }
}

const char *bb_http_client_header(const struct bb_http_client *client, const char *name)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(client->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return NULL;
    }
    return header->value;
}

static enum bb_err translate(CURLcode code, const struct bb_buf *body)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return BB_EINVAL;
    case CURLE_WRITE_ERROR:
        return bb_buf_err(body) != BB_OK ? bb_buf_err(body) : BB_EIO;
    case CURLE_OUT_OF_MEMORY:
        return BB_ENOMEM;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
        return BB_EBUSY;
    default:
        return BB_EIO;
    }
}

static void read_head(CURL *easy, struct bb_http_client_reply *reply)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    const char *type = NULL;
    size_t size = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL) {
        while (size < sizeof(reply->content_type) - 1 && type[size] != '\0' && type[size] != ';' &&
               type[size] != ' ') {
            reply->content_type[size] = (char)tolower((unsigned char)type[size]);
            size++;
        }
    }
    reply->content_type[size] = '\0';
    reply->status = (unsigned)status;
    reply->retry_after_s = retry_after_s > 0 ? (uint64_t)retry_after_s : 0;
}

enum bb_err bb_http_client_send(struct bb_http_client *client,
                                const struct bb_http_client_call *call,
                                struct bb_http_client_reply *reply, struct bb_err_detail *detail)
{
    struct curl_slist *headers = NULL;
    char error[CURL_ERROR_SIZE] = "";
    enum bb_err err = BB_OK;

    bb_buf_clear(&reply->body);
    if (!make_headers(call, &headers)) {
        err = bb_err_set(detail, BB_ENOMEM, "out of memory");
        goto out;
    }
    set_options(client->easy, call, headers, &reply->body, error);
    CURLcode code = curl_easy_perform(client->easy);
    if (code != CURLE_OK) {
        err = translate(code, &reply->body);
        if (err == BB_ETOOBIG) {
            (void)bb_err_set(detail, err, "%s: the answer is larger than %zu bytes", call->url,
                             reply->body.limit_bytes);
        } else {
            (void)bb_err_set(detail, err, "%s: %s", call->url,
                             error[0] != '\0' ? error : curl_easy_strerror(code));
        }
        goto out;
    }
    read_head(client->easy, reply);

out:
    curl_slist_free_all(headers);
    return err;
}
