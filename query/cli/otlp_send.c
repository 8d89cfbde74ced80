#include "query/cli/otlp_send.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/pb_wire.h"
#include "query/cli/api_client.h"
#include "query/cli/json_read.h"

#define REPLY_BYTES_MAX (1u << 20)
#define URL_BYTES_MAX 4096
#define TRACES_PATH "/v1/traces"
#define WAIT_MS_FIRST 200
#define WAIT_MS_MAX 10000
#define RETRY_AFTER_S_MAX 60

/* ExportTraceServiceResponse and ExportTracePartialSuccess; google.rpc.Status. */
enum { F_RESPONSE_PARTIAL_SUCCESS = 1, F_PARTIAL_REJECTED = 1, F_PARTIAL_MESSAGE = 2 };
enum { F_STATUS_MESSAGE = 2 };

static void sleep_ns(uint64_t ns)
{
    struct timespec left = {
        .tv_sec = (time_t)(ns / BB_NS_PER_S),
        .tv_nsec = (long)(ns % BB_NS_PER_S),
    };

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

enum bb_err bb_otlp_sender_init(struct bb_otlp_sender *sender, const char *endpoint,
                                uint64_t spans_per_s)
{
    size_t size = strlen(endpoint);
    size_t path_size = strlen(TRACES_PATH);

    *sender = (struct bb_otlp_sender){.spans_per_s = spans_per_s, .wait_ns = sleep_ns};
    bb_http_client_reply_init(&sender->reply, REPLY_BYTES_MAX);
    bb_progress_init(&sender->progress);
    bb_buf_init(&sender->url, URL_BYTES_MAX);
    while (size > 0 && endpoint[size - 1] == '/') {
        size--;
    }
    bb_buf_append(&sender->url, endpoint, size);
    if (size < path_size || memcmp(endpoint + size - path_size, TRACES_PATH, path_size) != 0) {
        bb_buf_append_cstr(&sender->url, TRACES_PATH);
    }
    bb_buf_append_byte(&sender->url, '\0');
    enum bb_err err = bb_buf_err(&sender->url);
    return err != BB_OK ? err : bb_http_client_init(&sender->http);
}

void bb_otlp_sender_dispose(struct bb_otlp_sender *sender)
{
    if (sender != NULL) {
        bb_progress_clear(&sender->progress);
        bb_http_client_dispose(&sender->http);
        bb_http_client_reply_dispose(&sender->reply);
        bb_buf_dispose(&sender->url);
    }
}

uint64_t bb_otlp_retry_wait_ms(unsigned attempt, uint64_t retry_after_s, uint64_t chance)
{
    if (retry_after_s > 0) {
        return 1000 * (retry_after_s < RETRY_AFTER_S_MAX ? retry_after_s : RETRY_AFTER_S_MAX);
    }
    uint64_t wait_ms = WAIT_MS_FIRST;
    for (unsigned i = 0; i < attempt && wait_ms < WAIT_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX;
    /* Between half and all of it: clients that were refused together don't come back together. */
    return wait_ms / 2 + chance % (wait_ms / 2 + 1);
}

/* Waits until so many spans may have been sent since the start. */
static void keep_rate(struct bb_otlp_sender *sender)
{
    uint64_t now_ns = bb_clock_monotonic_ns(&bb_clock_system);

    if (sender->start_ns == 0) {
        sender->start_ns = now_ns;
    }
    if (sender->spans_per_s == 0) {
        return;
    }
    double due_ns = (double)sender->span_count / (double)sender->spans_per_s * (double)BB_NS_PER_S;
    double gone_ns = (double)(now_ns - sender->start_ns);
    if (due_ns > gone_ns) {
        sender->wait_ns((uint64_t)(due_ns - gone_ns));
    }
}

/* Reads an ExportTraceServiceResponse in protobuf. */
static enum bb_err read_response(struct bb_slice bytes, struct bb_export_response *out_response)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    struct bb_export_response response = {0};

    while (bb_pb_next(&reader, &field)) {
        if (field.number != F_RESPONSE_PARTIAL_SUCCESS || field.type != BB_PB_BYTES) {
            continue;
        }
        struct bb_pb_reader inner = bb_pb_reader_of(field.bytes);
        while (bb_pb_next(&inner, &field)) {
            if (field.number == F_PARTIAL_REJECTED && field.type == BB_PB_VARINT) {
                response.rejected_span_count = field.value;
            } else if (field.number == F_PARTIAL_MESSAGE && field.type == BB_PB_BYTES) {
                response.message = field.bytes;
            }
        }
        reader.malformed = reader.malformed || inner.malformed;
    }
    if (reader.malformed) {
        return BB_EINVAL;
    }
    *out_response = response;
    return BB_OK;
}

/* Counts what a 200 says. */
static enum bb_err take_success(struct bb_otlp_sender *sender, uint64_t span_count,
                                struct bb_err_detail *detail)
{
    const struct bb_http_client_reply *reply = &sender->reply;
    struct bb_slice body = bb_buf_slice(&reply->body);
    struct bb_export_response response = {0};
    struct bb_arena arena;
    enum bb_err err;

    bb_arena_init(&arena, REPLY_BYTES_MAX);
    if (strcmp(reply->content_type, BB_MEDIA_JSON) == 0) {
        err = bb_json_read_export_response(body, &arena, detail, &response);
    } else if (strcmp(reply->content_type, BB_MEDIA_PROTOBUF) == 0 || body.size == 0) {
        err = read_response(body, &response);
    } else {
        err = BB_EINVAL;
    }
    if (err != BB_OK) {
        err = bb_err_set(detail, BB_EIO, "%s: the answer is none of an OTLP receiver",
                         (const char *)sender->url.data);
        goto out;
    }
    sender->request_count++;
    sender->span_count += span_count;
    sender->rejected_count += response.rejected_span_count;
    if (response.message.size > 0 && sender->first_rejection.text[0] == '\0') {
        (void)bb_err_set(&sender->first_rejection, BB_EINVAL, "%.*s", (int)response.message.size,
                         (const char *)response.message.data);
    }

out:
    bb_arena_dispose(&arena);
    return err;
}

/* The words of an error answer: google.rpc.Status in protobuf or JSON, else the status code. */
static void explain(const struct bb_otlp_sender *sender, enum bb_err err,
                    struct bb_err_detail *detail)
{
    const struct bb_http_client_reply *reply = &sender->reply;
    struct bb_slice body = bb_buf_slice(&reply->body);
    struct bb_slice message = {0};
    struct bb_arena arena;

    bb_arena_init(&arena, REPLY_BYTES_MAX);
    if (strcmp(reply->content_type, BB_MEDIA_JSON) == 0) {
        (void)bb_json_read_error(body, &arena, &message);
    } else if (strcmp(reply->content_type, BB_MEDIA_PROTOBUF) == 0) {
        struct bb_pb_reader reader = bb_pb_reader_of(body);
        struct bb_pb_field field;
        while (bb_pb_next(&reader, &field)) {
            if (field.number == F_STATUS_MESSAGE && field.type == BB_PB_BYTES) {
                message = field.bytes;
            }
        }
    } else if (strcmp(reply->content_type, "text/plain") == 0) {
        message = body;
    }
    (void)bb_err_set(detail, err, "%s: HTTP status %u%s%.*s", (const char *)sender->url.data,
                     reply->status, message.size > 0 ? ": " : "", (int)message.size,
                     message.size > 0 ? (const char *)message.data : "");
    bb_arena_dispose(&arena);
}

/* One attempt. BB_EBUSY: it may be tried again. */
static enum bb_err try_once(struct bb_otlp_sender *sender, const struct bb_http_client_call *call,
                            uint64_t span_count, struct bb_err_detail *detail)
{
    sender->reply.retry_after_s = 0;
    enum bb_err err = bb_http_client_send(&sender->http, call, &sender->reply, detail);
    if (err == BB_EIO || err == BB_EBUSY) {
        return sender->request_count > 0 ? BB_EBUSY : BB_EIO; /* was it there before? */
    }
    if (err != BB_OK) {
        return err;
    }
    switch (sender->reply.status) {
    case 200:
        return take_success(sender, span_count, detail);
    case 429:
    case 502:
    case 503:
    case 504:
        err = BB_EBUSY;
        break;
    default:
        err = BB_EINVAL;
        break;
    }
    explain(sender, err, detail);
    return err;
}

enum bb_err bb_otlp_sender_send(struct bb_otlp_sender *sender, struct bb_slice request,
                                bool is_json, uint64_t span_count, uint64_t work,
                                struct bb_err_detail *detail)
{
    const char *media = is_json ? BB_MEDIA_JSON : BB_MEDIA_PROTOBUF;
    const struct bb_http_client_call call = {
        .url = (const char *)sender->url.data,
        .accept = media,
        .content_type = media,
        .body = request,
    };
    uint64_t waited_ms = 0;
    enum bb_err err;

    keep_rate(sender);
    for (unsigned attempt = 0;; attempt++) {
        err = try_once(sender, &call, span_count, detail);
        if (err != BB_EBUSY || waited_ms >= BB_SEND_WAIT_MS_MAX) {
            break;
        }
        uint64_t wait_ms = bb_otlp_retry_wait_ms(attempt, sender->reply.retry_after_s,
                                                 bb_clock_monotonic_ns(&bb_clock_system));
        sender->retry_count++;
        sender->wait_ns(wait_ms * BB_NS_PER_MS);
        waited_ms += wait_ms;
    }
    if (err == BB_OK) {
        sender->work_done += work;
        bb_progress_update(&sender->progress, sender->span_count, sender->work_done,
                           sender->work_total);
    }
    return err;
}

enum bb_exit bb_otlp_sender_report(struct bb_otlp_sender *sender)
{
    uint64_t now_ns = bb_clock_monotonic_ns(&bb_clock_system);
    double seconds =
        sender->start_ns != 0 ? (double)(now_ns - sender->start_ns) / (double)BB_NS_PER_S : 0;

    bb_progress_clear(&sender->progress);
    if (sender->span_count == 0) {
        bb_say_note("no spans to send");
        return BB_EXIT_NOTHING;
    }
    bb_say_note(
        "%llu %s sent in %llu %s, %.1f s (%.0f spans/s)", (unsigned long long)sender->span_count,
        bb_plural(sender->span_count, "span", "spans"), (unsigned long long)sender->request_count,
        bb_plural(sender->request_count, "request", "requests"), seconds,
        seconds > 0 ? (double)sender->span_count / seconds : 0);
    if (sender->retry_count > 0) {
        bb_say_note("the server was busy: %llu %s", (unsigned long long)sender->retry_count,
                    bb_plural(sender->retry_count, "retry", "retries"));
    }
    if (sender->rejected_count > 0) {
        return bb_say_error("the server rejected %llu of the spans: %s",
                            (unsigned long long)sender->rejected_count,
                            sender->first_rejection.text);
    }
    if (sender->first_rejection.text[0] != '\0') {
        bb_say_warning("the server says: %s", sender->first_rejection.text);
    }
    return BB_EXIT_FOUND;
}
