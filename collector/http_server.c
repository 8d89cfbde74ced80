/*
 * http_server.c - sees libmicrohttpd (MHD).
 *
 * One request is one `struct exchange`. It belongs to MHD's polling thread, except between `submit`
 * and MHD_resume_connection(), when it belongs to the worker thread that runs the handler:
 *
 *   NEW ──► READING ──► WORKING ──► ANSWERED ──► SENDING     (freed in on_completed)
 *    │         │           │                        ▲
 *    └─────────┴──────► REFUSED ────────────────────┘
 *
 * A refused request's body is read and thrown away before the answer is sent, so that a client that
 * is still sending sees the answer (RFC 9112, 9.6, tells of the reset that it would see otherwise).
 * One that asked with "Expect: 100-continue" is answered at once.
 */
#include "collector/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/inflate.h"
#include "collector/listen_address.h"
#include "collector/timed_wait.h"
#include "collector/worker_pool.h"
#include "common/limits.h"
#include "common/log.h"

/* The budget is taken in steps as bytes arrive: a client that announces a large body and sends
 * nothing holds up nobody. */
#define CHARGE_STEP_BYTES (256u << 10)
/* Below it, what gzip saves isn't worth its time on a local network. */
#define GZIP_BYTES_MIN (8u << 10)
#define EXCHANGE_MEMORY_MAX (BB_HTTP_HEAD_BYTES_MAX + (64u << 10))
#define LOG_LINE_SIZE 512
#define REASON_SIZE 96

enum exchange_state {
    EXCHANGE_NEW,      /* the head isn't read yet */
    EXCHANGE_READING,  /* the body is being read */
    EXCHANGE_REFUSED,  /* the rest of the body is being thrown away */
    EXCHANGE_WORKING,  /* suspended; a worker thread has it */
    EXCHANGE_ANSWERED, /* resumed; the answer waits to be queued */
    EXCHANGE_SENDING,
};

struct bb_http_server {
    /* Constant after start. */
    struct bb_arena memory; /* holds this struct */
    struct bb_http_server_options options;
    struct bb_worker_pool *pool;
    struct MHD_Daemon *mhd;
    uint16_t port;

    atomic_bool is_stopping;   /* what begins from now on is refused */
    atomic_bool is_cancelling; /* handlers are told to give up */

    /* Guards working_count; nests in nothing. */
    pthread_mutex_t mutex;
    pthread_cond_t is_idle;
    uint32_t working_count; /* exchanges from submit to completion */
};

struct exchange {
    struct bb_work work; /* first: the pool hands it back */
    enum exchange_state state;
    struct bb_arena memory; /* holds this struct and the URI */
    struct bb_http_server *server;
    struct MHD_Connection *connection;
    int fd;
    bool is_head;
    bool has_length;
    bool is_counted; /* in server->working_count */
    size_t length;   /* Content-Length */
    size_t charged_bytes;
    size_t discarded_bytes;
    enum bb_err refusal;
    struct bb_http_request request;
    struct bb_buf body;
    struct bb_http_response response;
    struct bb_buf compressed; /* response.body as gzip, when that is what is sent */
    struct MHD_Response *mhd_response;
};

/* The one place that changes a state. */
static void exchange_move(struct exchange *exchange, enum exchange_state to)
{
    static const unsigned may_move_to[] = {
        [EXCHANGE_NEW] = 1u << EXCHANGE_READING | 1u << EXCHANGE_REFUSED,
        [EXCHANGE_READING] = 1u << EXCHANGE_REFUSED | 1u << EXCHANGE_WORKING,
        [EXCHANGE_REFUSED] = 1u << EXCHANGE_SENDING,
        [EXCHANGE_WORKING] = 1u << EXCHANGE_ANSWERED | 1u << EXCHANGE_REFUSED,
        [EXCHANGE_ANSWERED] = 1u << EXCHANGE_SENDING,
        [EXCHANGE_SENDING] = 0,
    };

    BB_ASSERT(may_move_to[exchange->state] & 1u << to);
    exchange->state = to;
}

static const char *exchange_header(const struct bb_http_request *request, const char *name)
{
    const struct exchange *exchange = request->server;

    /* MHD doesn't touch a suspended connection, so this is safe from the worker thread too. */
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static bool exchange_is_cancelled(const struct bb_http_request *request)
{
    const struct exchange *exchange = request->server;
    char byte;

    if (atomic_load(&exchange->server->is_cancelling)) {
        return true;
    }
    ssize_t size = recv(exchange->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

/* Makes the budget cover `total` bytes of body. */
static bool exchange_charge(struct exchange *exchange, size_t total)
{
    struct bb_mem_budget *budget = exchange->server->options.budget;

    if (budget == NULL || total <= exchange->charged_bytes) {
        return true;
    }
    size_t wanted = (total + CHARGE_STEP_BYTES - 1) / CHARGE_STEP_BYTES * CHARGE_STEP_BYTES;
    if (exchange->has_length && wanted > exchange->length) {
        wanted = exchange->length > total ? exchange->length : total;
    }
    if (!bb_mem_budget_try_take(budget, wanted - exchange->charged_bytes)) {
        return false;
    }
    exchange->charged_bytes = wanted;
    return true;
}

static void exchange_drop_body(struct exchange *exchange)
{
    bb_buf_dispose(&exchange->body);
    exchange->request.body = bb_slice_of(NULL, 0);
    if (exchange->charged_bytes > 0) {
        bb_mem_budget_give(exchange->server->options.budget, exchange->charged_bytes);
        exchange->charged_bytes = 0;
    }
}

static void exchange_free(struct exchange *exchange)
{
    exchange_drop_body(exchange);
    bb_buf_dispose(&exchange->response.body);
    bb_buf_dispose(&exchange->compressed);
    if (exchange->mhd_response != NULL) {
        MHD_destroy_response(exchange->mhd_response);
    }
    struct bb_arena memory = exchange->memory;
    bb_arena_dispose(&memory);
}

/* MHD's name for this is the URI log; it is the only place that shows the URI as it was sent.
 * What it returns is the request's state from then on. NULL when there is no memory. */
static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct bb_arena memory;

    bb_arena_init(&memory, EXCHANGE_MEMORY_MAX);
    struct exchange *exchange = bb_arena_try_calloc(&memory, 1, sizeof(*exchange));
    struct bb_slice copy = bb_arena_try_copy(&memory, bb_slice_from_cstr(uri));
    if (exchange == NULL || copy.data == NULL) {
        bb_arena_dispose(&memory);
        return NULL;
    }
    exchange->memory = memory;
    exchange->server = ctx;
    exchange->connection = connection;
    exchange->request.server = exchange;
    exchange->request.header = exchange_header;
    exchange->request.is_cancelled = exchange_is_cancelled;

    const uint8_t *mark = memchr(copy.data, '?', copy.size);
    if (mark == NULL) {
        exchange->request.path = copy;
    } else {
        size_t path_size = (size_t)(mark - copy.data);
        exchange->request.path = bb_slice_of(copy.data, path_size);
        exchange->request.query = bb_slice_of(mark + 1, copy.size - path_size - 1);
    }
    return exchange;
}

static bool accepts_gzip(const char *accept_encoding)
{
    const char *at = accept_encoding;

    while (at != NULL) {
        at += strspn(at, " \t,");
        size_t name_size = strcspn(at, " \t,;");
        size_t size = strcspn(at, ",");
        if ((name_size == 4 && strncasecmp(at, "gzip", 4) == 0) || (name_size == 1 && *at == '*')) {
            const char *weight = memmem(at, size, "q=", 2);
            return weight == NULL || strtod(weight + 2, NULL) > 0;
        }
        at = strchr(at, ',');
    }
    return false;
}

static bool has_header(const struct bb_http_response *response, const char *name)
{
    for (uint32_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The bytes to send: the body, or the body as gzip where that is wanted and smaller. */
static struct bb_slice choose_body(struct exchange *exchange)
{
    struct bb_http_response *response = &exchange->response;

    if (response->body.size < GZIP_BYTES_MIN || has_header(response, "Content-Encoding") ||
        !accepts_gzip(exchange_header(&exchange->request, MHD_HTTP_HEADER_ACCEPT_ENCODING))) {
        return bb_buf_slice(&response->body);
    }
    bb_buf_init(&exchange->compressed, response->body.size);
    if (bb_gzip(bb_buf_slice(&response->body), &exchange->compressed) != BB_OK) {
        bb_buf_dispose(&exchange->compressed);
        return bb_buf_slice(&response->body);
    }
    bb_buf_dispose(&response->body);
    return bb_buf_slice(&exchange->compressed);
}

static bool add_headers(struct exchange *exchange, bool is_compressible)
{
    const struct bb_http_response *response = &exchange->response;
    struct MHD_Response *out = exchange->mhd_response;
    bool is_ok = true;

    if (response->content_type != NULL) {
        is_ok = MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE,
                                        response->content_type) == MHD_YES;
    }
    for (uint32_t i = 0; i < response->header_count && is_ok; i++) {
        is_ok = MHD_add_response_header(out, response->headers[i].name,
                                        response->headers[i].value) == MHD_YES;
    }
    if (is_compressible && !has_header(response, MHD_HTTP_HEADER_VARY)) {
        is_ok = is_ok && MHD_add_response_header(out, MHD_HTTP_HEADER_VARY,
                                                 MHD_HTTP_HEADER_ACCEPT_ENCODING) == MHD_YES;
    }
    if (exchange->compressed.size > 0) {
        is_ok = is_ok &&
                MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip") == MHD_YES;
    }
    if (atomic_load(&exchange->server->is_stopping)) {
        is_ok =
            is_ok && MHD_add_response_header(out, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    return is_ok;
}

static void drop_mhd_response(struct exchange *exchange)
{
    if (exchange->mhd_response != NULL) {
        MHD_destroy_response(exchange->mhd_response);
        exchange->mhd_response = NULL;
    }
}

static void set_text_response(struct bb_http_response *response, unsigned status, const char *text)
{
    bb_buf_clear(&response->body);
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    response->header_count = 0;
    bb_buf_printf(&response->body, "%s\n", text);
}

/* Turns exchange->response into what MHD sends. The bytes stay ours until on_completed. */
static void make_mhd_response(struct exchange *exchange)
{
    struct bb_http_response *response = &exchange->response;

    if (bb_buf_err(&response->body) != BB_OK) {
        set_text_response(response, MHD_HTTP_INTERNAL_SERVER_ERROR,
                          "the answer is larger than this server sends, or there was no memory "
                          "for it");
    }
    bool is_compressible = response->body.size >= GZIP_BYTES_MIN;
    struct bb_slice body = choose_body(exchange);
    exchange->mhd_response = MHD_create_response_from_buffer(
        body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);
    if (exchange->mhd_response != NULL && !add_headers(exchange, is_compressible)) {
        drop_mhd_response(exchange);
    }
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
    exchange_move(exchange, EXCHANGE_SENDING);
    if (exchange->mhd_response == NULL) {
        return MHD_NO; /* no memory for so much as a head: the connection is closed */
    }
    return MHD_queue_response(exchange->connection, exchange->response.status,
                              exchange->mhd_response);
}

/* Status, headers and a line of text for a refusal; `reason` gets the words. */
static void set_refusal(struct exchange *exchange, char *reason, size_t reason_size)
{
    const struct bb_http_server_options *options = &exchange->server->options;
    struct bb_http_response *response = &exchange->response;
    bool is_stopping = atomic_load(&exchange->server->is_stopping);

    switch (exchange->refusal) {
    case BB_ETOOBIG:
        snprintf(reason, reason_size, "the body is over the limit of %zu bytes",
                 options->body_bytes_max);
        set_text_response(response, MHD_HTTP_CONTENT_TOO_LARGE, reason);
        break;
    case BB_EINVAL:
        snprintf(reason, reason_size,
                 "Content-Length must be there once, without Transfer-Encoding");
        set_text_response(response, MHD_HTTP_BAD_REQUEST, reason);
        bb_http_add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        break;
    default:
        snprintf(reason, reason_size, "%s, retry in %u s",
                 is_stopping ? "the server is stopping" : "too many requests at once",
                 options->retry_after_s);
        set_text_response(response, MHD_HTTP_SERVICE_UNAVAILABLE, reason);
        bb_http_add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "%u", options->retry_after_s);
        break;
    }
}

static enum MHD_Result send_refusal(struct exchange *exchange)
{
    const struct bb_http_server_options *options = &exchange->server->options;
    struct bb_http_response *response = &exchange->response;
    struct bb_arena arena;
    char reason[REASON_SIZE];

    bb_arena_init(&arena, EXCHANGE_MEMORY_MAX);
    exchange->request.arena = &arena;
    bb_buf_init(&response->body, BB_ANSWER_BYTES_MAX);
    set_refusal(exchange, reason, sizeof(reason));
    if (options->refuse != NULL) {
        bb_buf_clear(&response->body);
        options->refuse(options->ctx, &exchange->request, exchange->refusal, reason, response);
    }
    make_mhd_response(exchange);
    bb_arena_dispose(&arena);
    return send_answer(exchange);
}

static void exchange_refuse(struct exchange *exchange, enum bb_err err)
{
    exchange->refusal = err;
    exchange_drop_body(exchange);
    exchange_move(exchange, EXCHANGE_REFUSED);
}

static void read_content_length(struct exchange *exchange)
{
    const char *text = exchange_header(&exchange->request, MHD_HTTP_HEADER_CONTENT_LENGTH);

    if (text == NULL ||
        exchange_header(&exchange->request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL) {
        return;
    }
    errno = 0;
    unsigned long long length = strtoull(text, NULL, 10); /* MHD has refused what is no number */
    exchange->length = errno != 0 || length > SIZE_MAX ? SIZE_MAX : (size_t)length;
    exchange->has_length = true;
}

static enum MHD_Result count_framing(void *count, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    (void)kind;
    (void)value;
    *(unsigned *)count += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
                          strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* Two lengths, or one beside chunks: a proxy in front may take the other one, and what it takes for
 * a body would be a second request here (RFC 9112, section 11.2). MHD takes any of them. */
static bool has_ambiguous_length(const struct exchange *exchange)
{
    unsigned count = 0;

    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_framing, &count);
    return count > 1;
}

/* The head has been read, the body hasn't. */
static enum MHD_Result begin(struct exchange *exchange, const char *method)
{
    const struct bb_http_server_options *options = &exchange->server->options;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    exchange->fd = info->connect_fd;
    exchange->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    /* MHD leaves the body out of an answer to HEAD. */
    exchange->request.method = exchange->is_head ? MHD_HTTP_METHOD_GET : method;
    read_content_length(exchange);
    /* With its limit at the length, the buffer's memory is taken once and exactly. */
    bb_buf_init(&exchange->body, exchange->has_length && exchange->length < options->body_bytes_max
                                     ? exchange->length
                                     : options->body_bytes_max);

    if (has_ambiguous_length(exchange)) {
        exchange_refuse(exchange, BB_EINVAL);
        return send_refusal(exchange); /* and the connection with it: what follows means nothing */
    }
    if (atomic_load(&exchange->server->is_stopping)) {
        exchange_refuse(exchange, BB_EBUSY);
    } else if (exchange->has_length && exchange->length > options->body_bytes_max) {
        exchange_refuse(exchange, BB_ETOOBIG);
    } else {
        exchange_move(exchange, EXCHANGE_READING);
        return MHD_YES;
    }
    const char *expect = exchange_header(&exchange->request, MHD_HTTP_HEADER_EXPECT);
    bool is_waiting = expect != NULL && strcasecmp(expect, "100-continue") == 0;
    if (is_waiting || (exchange->has_length && exchange->length > BB_HTTP_DISCARD_BYTES_MAX)) {
        return send_refusal(exchange); /* MHD closes the connection behind it */
    }
    return MHD_YES;
}

static void take_body(struct exchange *exchange, const char *data, size_t size)
{
    size_t limit_bytes = exchange->server->options.body_bytes_max;
    size_t size_before = exchange->body.size;

    if (size > limit_bytes - size_before) {
        exchange_refuse(exchange, BB_ETOOBIG);
        return;
    }
    if (!exchange_charge(exchange, size_before + size)) {
        exchange_refuse(exchange, BB_EBUSY);
        return;
    }
    if (size_before == 0 && exchange->has_length) {
        bb_buf_reserve(&exchange->body, exchange->length);
    }
    bb_buf_append(&exchange->body, data, size);
    if (bb_buf_err(&exchange->body) != BB_OK) {
        exchange_refuse(exchange, BB_EBUSY); /* no memory */
    }
}

static void count_working(struct exchange *exchange)
{
    struct bb_http_server *server = exchange->server;

    pthread_mutex_lock(&server->mutex);
    server->working_count++;
    pthread_mutex_unlock(&server->mutex);
    exchange->is_counted = true;
}

/* On a worker thread. After MHD_resume_connection() the exchange is MHD's again. */
static void run_exchange(struct bb_work *work)
{
    struct exchange *exchange = (struct exchange *)work;
    const struct bb_http_server_options *options = &exchange->server->options;
    struct bb_http_response *response = &exchange->response;
    struct bb_arena arena;

    bb_arena_init(&arena, options->arena_bytes_max);
    exchange->request.arena = &arena;
    exchange->request.body = bb_buf_slice(&exchange->body);
    bb_buf_init(&response->body, BB_ANSWER_BYTES_MAX);
    if (exchange_is_cancelled(&exchange->request)) {
        set_text_response(response, MHD_HTTP_SERVICE_UNAVAILABLE, "cancelled");
    } else {
        response->status = MHD_HTTP_OK;
        options->handler(options->ctx, &exchange->request, response);
    }
    exchange_drop_body(exchange);
    make_mhd_response(exchange);
    bb_arena_dispose(&arena);
    exchange->request.arena = NULL;

    exchange_move(exchange, EXCHANGE_ANSWERED);
    MHD_resume_connection(exchange->connection);
}

/* Hands a whole request to the workers. */
static enum MHD_Result submit(struct exchange *exchange)
{
    struct MHD_Connection *connection = exchange->connection;

    if (exchange->has_length && exchange->body.size < exchange->length) {
        return MHD_NO; /* the connection ended within the body */
    }
    count_working(exchange);
    exchange->work.run = run_exchange;
    exchange_move(exchange, EXCHANGE_WORKING);
    MHD_suspend_connection(connection); /* first: a worker could resume it at any moment */
    if (!bb_worker_pool_try_submit(exchange->server->pool, &exchange->work)) {
        exchange_refuse(exchange, BB_EBUSY);
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **request_state)
{
    struct exchange *exchange = *request_state;
    size_t size = *data_size;

    (void)ctx;
    (void)connection;
    (void)url;
    (void)version;
    if (exchange == NULL) {
        return MHD_NO; /* there was no memory for it */
    }
    *data_size = 0;
    switch (exchange->state) {
    case EXCHANGE_NEW:
        *data_size = size;
        return begin(exchange, method);
    case EXCHANGE_READING:
        if (size == 0) {
            return submit(exchange);
        }
        take_body(exchange, data, size);
        return MHD_YES;
    case EXCHANGE_REFUSED:
        if (size == 0) {
            return send_refusal(exchange);
        }
        exchange->discarded_bytes += size;
        return exchange->discarded_bytes > BB_HTTP_DISCARD_BYTES_MAX ? MHD_NO : MHD_YES;
    case EXCHANGE_ANSWERED:
        return send_answer(exchange);
    case EXCHANGE_WORKING: /* never: it is suspended */
    case EXCHANGE_SENDING:
        break;
    }
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request_state,
                         enum MHD_RequestTerminationCode reason)
{
    struct bb_http_server *server = ctx;
    struct exchange *exchange = *request_state;

    (void)connection;
    (void)reason;
    if (exchange == NULL) {
        return;
    }
    *request_state = NULL;
    if (exchange->is_counted) {
        pthread_mutex_lock(&server->mutex);
        server->working_count--;
        if (server->working_count == 0) {
            pthread_cond_signal(&server->is_idle);
        }
        pthread_mutex_unlock(&server->mutex);
    }
    exchange_free(exchange);
}

static void on_log(void *ctx, const char *format, va_list args)
{
    const struct bb_http_server *server = ctx;
    char line[LOG_LINE_SIZE];
    char quoted[2 * LOG_LINE_SIZE];

    int size = vsnprintf(line, sizeof(line), format, args);
    if (size < 0) {
        return;
    }
    size_t length = strcspn(line, "\n");
    bb_log(BB_LOG_DEBUG, "http", "library message", "server=%s text=%s", server->options.name,
           bb_log_quote(bb_slice_of(line, length), quoted, sizeof(quoted)));
}

static enum bb_err start_mhd(struct bb_http_server *server, int listen_fd,
                             struct bb_err_detail *detail)
{
    server->mhd = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server, MHD_OPTION_LISTEN_SOCKET,
        listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)BB_HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)BB_HTTP_IDLE_S_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)BB_HTTP_HEAD_BYTES_MAX, MHD_OPTION_END);
    if (server->mhd == NULL) {
        return bb_err_set(detail, BB_EIO, "%s: the HTTP library didn't start",
                          server->options.name);
    }
    return BB_OK;
}

static void server_free(struct bb_http_server *server)
{
    bb_worker_pool_stop(server->pool);
    bb_worker_pool_free(server->pool);
    pthread_cond_destroy(&server->is_idle);
    pthread_mutex_destroy(&server->mutex);
    struct bb_arena memory = server->memory;
    bb_arena_dispose(&memory);
}

static enum bb_err server_new(const struct bb_http_server_options *options,
                              struct bb_http_server **out_server)
{
    struct bb_arena memory;

    bb_arena_init(&memory, SIZE_MAX);
    struct bb_http_server *server = bb_arena_try_calloc(&memory, 1, sizeof(*server));
    if (server == NULL) {
        return BB_ENOMEM;
    }
    server->memory = memory;
    server->options = *options;
    pthread_mutex_init(&server->mutex, NULL);
    bb_cond_init_monotonic(&server->is_idle);
    *out_server = server;
    return BB_OK;
}

enum bb_err bb_http_server_start(const struct bb_http_server_options *options,
                                 struct bb_err_detail *detail, struct bb_http_server **out_server)
{
    struct bb_worker_pool_options pool_options = {
        .name = options->name,
        .thread_count = options->thread_count,
        .queue_max = BB_SERVER_QUEUE_MAX,
        .is_low_priority = options->is_low_priority,
    };
    struct bb_listen_address address;
    struct bb_http_server *server = NULL;
    int listen_fd = -1;

    enum bb_err err = bb_listen_address_parse(options->listen, detail, &address);
    if (err != BB_OK) {
        return err;
    }
    err = server_new(options, &server);
    if (err != BB_OK) {
        return err;
    }
    err = bb_listen_socket_open(&address, detail, &listen_fd, &server->port);
    if (err != BB_OK) {
        goto out;
    }
    err = bb_worker_pool_start(&pool_options, &server->pool);
    if (err != BB_OK) {
        bb_err_set(detail, err, "%s: can't start %u threads", options->name, options->thread_count);
        goto out;
    }
    err = start_mhd(server, listen_fd, detail);
    if (err != BB_OK) {
        goto out;
    }
    *out_server = server;
    return BB_OK;

out:
    if (listen_fd >= 0) {
        close(listen_fd);
    }
    server_free(server);
    return err;
}

uint16_t bb_http_server_port(const struct bb_http_server *server)
{
    return server->port;
}

static void wait_until_idle(struct bb_http_server *server, uint32_t grace_ms)
{
    struct timespec until = bb_monotonic_in_ms(grace_ms);

    pthread_mutex_lock(&server->mutex);
    while (server->working_count > 0 &&
           pthread_cond_timedwait(&server->is_idle, &server->mutex, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&server->mutex);
}

void bb_http_server_stop(struct bb_http_server *server, uint32_t grace_ms)
{
    if (server == NULL) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    MHD_socket listen_fd = MHD_quiesce_daemon(server->mhd);
    if (listen_fd != MHD_INVALID_SOCKET) {
        /* Connects are refused from here on. The number stays taken until MHD's thread, which may
         * be about to accept on it, has ended. */
        shutdown(listen_fd, SHUT_RDWR);
    }
    wait_until_idle(server, grace_ms);
    atomic_store(&server->is_cancelling, true);
    /* After this nothing is suspended, which MHD asks for before it is stopped. */
    bb_worker_pool_stop(server->pool);
    MHD_stop_daemon(server->mhd);
    if (listen_fd != MHD_INVALID_SOCKET) {
        close(listen_fd);
    }
    server_free(server);
}
