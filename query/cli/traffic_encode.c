#include "query/cli/traffic_encode.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/otlp_fields.h"
#include "common/pb_wire.h"
#include "query/cli/seeded_random.h"

/* Span.flags: sampled; is the parent remote known, and is it? */
#define FLAGS_LOCAL_PARENT 0x101u
#define FLAGS_REMOTE_PARENT 0x301u

#define SCHEMA_URL "https://opentelemetry.io/schemas/1.27.0"

/* Where attributes go: into field `number` of the message that is being written. */
struct attributes {
    struct bb_buf *out;
    uint32_t number;
};

static size_t begin_value(const struct attributes *to, const char *key, size_t *out_pair)
{
    *out_pair = bb_pb_begin_message(to->out, to->number);
    bb_pb_write_bytes(to->out, BB_F_KEY_VALUE_KEY, bb_slice_from_cstr(key));
    return bb_pb_begin_message(to->out, BB_F_KEY_VALUE_VALUE);
}

static void end_value(const struct attributes *to, size_t value, size_t pair)
{
    bb_pb_end_message(to->out, value);
    bb_pb_end_message(to->out, pair);
}

static void add_text(const struct attributes *to, const char *key, const char *text)
{
    size_t pair;
    size_t value = begin_value(to, key, &pair);

    bb_pb_write_bytes(to->out, BB_F_VALUE_STRING, bb_slice_from_cstr(text));
    end_value(to, value, pair);
}

static void add_int(const struct attributes *to, const char *key, uint64_t number)
{
    size_t pair;
    size_t value = begin_value(to, key, &pair);

    bb_pb_write_uint(to->out, BB_F_VALUE_INT, number);
    end_value(to, value, pair);
}

static void add_bool(const struct attributes *to, const char *key, bool is_true)
{
    size_t pair;
    size_t value = begin_value(to, key, &pair);

    bb_pb_write_uint(to->out, BB_F_VALUE_BOOL, is_true ? 1 : 0);
    end_value(to, value, pair);
}

static void add_double(const struct attributes *to, const char *key, double number)
{
    size_t pair;
    size_t value = begin_value(to, key, &pair);

    bb_pb_write_double(to->out, BB_F_VALUE_DOUBLE, number);
    end_value(to, value, pair);
}

static void add_bytes(const struct attributes *to, const char *key, uint64_t content)
{
    uint8_t bytes[8];
    size_t pair;
    size_t value = begin_value(to, key, &pair);

    bb_put_be64(bytes, content);
    bb_pb_write_bytes(to->out, BB_F_VALUE_BYTES, bb_slice_of(bytes, sizeof(bytes)));
    end_value(to, value, pair);
}

static void add_texts(const struct attributes *to, const char *key, const char *const *texts,
                      size_t count)
{
    size_t pair;
    size_t value = begin_value(to, key, &pair);
    size_t array = bb_pb_begin_message(to->out, BB_F_VALUE_ARRAY);

    for (size_t i = 0; i < count; i++) {
        size_t element = bb_pb_begin_message(to->out, BB_F_ARRAY_VALUES);
        bb_pb_write_bytes(to->out, BB_F_VALUE_STRING, bb_slice_from_cstr(texts[i]));
        bb_pb_end_message(to->out, element);
    }
    bb_pb_end_message(to->out, array);
    end_value(to, value, pair);
}

/* A UUID of version 4 out of `chance`. */
static void add_uuid(const struct attributes *to, const char *key, uint64_t *chance)
{
    char text[40];
    uint64_t high = bb_random_next(chance);
    uint64_t low = bb_random_next(chance);

    (void)snprintf(text, sizeof(text), "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                   (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                   (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
                   (unsigned long long)(low & UINT64_C(0xffffffffffff)));
    add_text(to, key, text);
}

/* The order as a key-value list, as a service would put a structured log field into a span. */
static void add_order(const struct attributes *to, uint64_t *chance)
{
    size_t pair;
    size_t value = begin_value(to, "shop.order", &pair);
    size_t list = bb_pb_begin_message(to->out, BB_F_VALUE_KVLIST);
    const struct attributes inner = {.out = to->out, .number = BB_F_KVLIST_VALUES};

    add_uuid(&inner, "id", chance);
    add_int(&inner, "items", bb_random_between(chance, 1, 9));
    add_double(&inner, "total", (double)bb_random_between(chance, 499, 49999) / 100);
    add_text(&inner, "currency", bb_random_percent(chance, 70) ? "EUR" : "USD");
    bb_pb_end_message(to->out, list);
    end_value(to, value, pair);
}

static void add_page(const struct attributes *to, const struct bb_traffic_span *span,
                     uint64_t *chance)
{
    static const char *const agents[] = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
        "ShopApp/7.4 (Android 16)",
    };
    static const char *const languages[] = {"de-DE", "en-US", "fr-FR", "en"};
    const struct bb_shop_operation *operation = span->operation;
    char path[64];
    char address[32];

    const char *parameter = strchr(operation->target, ':');
    if (parameter != NULL) {
        (void)snprintf(path, sizeof(path), "%.*s%llu", (int)(parameter - operation->target),
                       operation->target,
                       (unsigned long long)bb_random_between(chance, 1000, 9999));
    } else {
        (void)snprintf(path, sizeof(path), "%s", operation->target);
    }
    (void)snprintf(address, sizeof(address), "203.0.113.%u",
                   (unsigned)bb_random_between(chance, 1, 254));
    add_text(to, "http.request.method", operation->statement);
    add_text(to, "http.route", operation->target);
    add_text(to, "url.path", path);
    add_text(to, "url.scheme", "https");
    add_int(to, "http.response.status_code", span->has_failed ? 500 : 200);
    add_text(to, "client.address", address);
    add_text(to, "user_agent.original",
             agents[bb_random_between(chance, 0, BB_ARRAY_COUNT(agents) - 1)]);
    add_texts(to, "http.request.header.accept-language",
              languages + bb_random_between(chance, 0, 2), 2);
    if (bb_random_percent(chance, 60)) {
        add_uuid(to, "session.id", chance);
    }
}

static void add_rpc(const struct attributes *to, const struct bb_traffic_span *span)
{
    const struct bb_shop_operation *operation = span->operation;
    const char *method = strchr(operation->name, '/');

    add_text(to, "rpc.system", "grpc");
    add_text(to, "rpc.service", operation->target);
    add_text(to, "rpc.method", method != NULL ? method + 1 : operation->name);
    add_int(to, "rpc.grpc.status_code", span->has_failed ? 13 : 0);
    if (span->kind == BB_KIND_CLIENT) {
        add_text(to, "server.address", bb_shop_services[operation->service].name);
        add_int(to, "server.port", 8080);
    }
}

static void add_database(const struct attributes *to, const struct bb_traffic_span *span,
                         uint64_t *chance)
{
    const struct bb_shop_operation *operation = span->operation;
    char verb[16];

    (void)snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(operation->name, " "), operation->name);
    add_text(to, "db.system.name", "postgresql");
    add_text(to, "db.namespace", "shop");
    add_text(to, "db.operation.name", verb);
    add_text(to, "db.collection.name", operation->target);
    add_text(to, "db.query.text", operation->statement);
    add_int(to, "db.response.returned_rows", bb_random_between(chance, 0, 50));
}

static void add_cache(const struct attributes *to, const struct bb_traffic_span *span,
                      uint64_t *chance)
{
    char query[64];

    (void)snprintf(query, sizeof(query), "%s %s", span->operation->name, span->operation->target);
    add_text(to, "db.system.name", "redis");
    add_text(to, "db.operation.name", span->operation->name);
    add_text(to, "db.query.text", query);
    add_bool(to, "shop.cache.hit", bb_random_percent(chance, 80));
}

static void add_outside(const struct attributes *to, const struct bb_traffic_span *span)
{
    const char *url = span->operation->target;
    const char *host = strstr(url, "://");
    char address[64];

    host = host != NULL ? host + 3 : url;
    (void)snprintf(address, sizeof(address), "%.*s", (int)strcspn(host, "/"), host);
    add_text(to, "http.request.method", span->operation->statement);
    add_text(to, "url.full", url);
    add_text(to, "server.address", address);
    add_int(to, "server.port", 443);
    add_int(to, "http.response.status_code", span->has_failed ? 502 : 200);
}

static void add_messaging(const struct attributes *to, const struct bb_traffic_span *span,
                          uint64_t *chance)
{
    add_text(to, "messaging.system", "kafka");
    add_text(to, "messaging.destination.name", span->operation->target);
    add_text(to, "messaging.operation.type", span->kind == BB_KIND_PRODUCER ? "send" : "process");
    add_int(to, "messaging.destination.partition.id", bb_random_between(chance, 0, 11));
    add_int(to, "messaging.kafka.offset", bb_random_between(chance, 100000, 999999));
    add_bytes(to, "messaging.kafka.message.key", bb_random_next(chance));
}

static void add_work(const struct attributes *to, uint64_t *chance)
{
    add_int(to, "thread.id", bb_random_between(chance, 1, 32));
    add_double(to, "shop.work.score", (double)bb_random_between(chance, 0, 1000) / 1000);
}

static void add_attributes(const struct attributes *to, const struct bb_traffic_span *span)
{
    uint64_t chance = span->chance;

    switch (span->operation->style) {
    case BB_SHOP_PAGE:
        add_page(to, span, &chance);
        break;
    case BB_SHOP_RPC:
        add_rpc(to, span);
        break;
    case BB_SHOP_DATABASE:
        add_database(to, span, &chance);
        break;
    case BB_SHOP_CACHE:
        add_cache(to, span, &chance);
        break;
    case BB_SHOP_OUTSIDE:
        add_outside(to, span);
        break;
    case BB_SHOP_SEND:
    case BB_SHOP_CONSUME:
        add_messaging(to, span, &chance);
        add_order(to, &chance);
        break;
    case BB_SHOP_WORK:
    case BB_SHOP_JOB:
        add_work(to, &chance);
        break;
    }
    if (span->has_failed) {
        add_text(to, "error.type", span->is_origin ? "shop.Error" : "shop.CalleeFailed");
    }
}

/* What is said of a span that fails. */
static const char *failure_of(const struct bb_traffic_span *span)
{
    if (!span->is_origin) {
        return "a service that was called has failed";
    }
    return span->operation->failure != NULL ? span->operation->failure : "internal error";
}

/* The exception, shortly before the end. */
static void add_exception(const struct bb_traffic_span *span, struct bb_buf *out)
{
    const char *service = bb_shop_services[span->service].name;
    char stack[256];
    size_t event = bb_pb_begin_message(out, BB_F_SPAN_EVENTS);
    const struct attributes to = {.out = out, .number = BB_F_EVENT_ATTRIBUTES};
    uint64_t tenth_ns = (span->end_unix_ns - span->start_unix_ns) / 10;

    (void)snprintf(stack, sizeof(stack), "shop.Error: %s\n    at %s.handle(%s:%u)\n    at main.run",
                   failure_of(span), service, service, (unsigned)(span->chance % 400 + 1));
    bb_pb_write_fixed64(out, BB_F_EVENT_TIME_UNIX_NANO, span->end_unix_ns - tenth_ns);
    bb_pb_write_bytes(out, BB_F_EVENT_NAME, bb_slice_from_cstr("exception"));
    add_text(&to, "exception.type", "shop.Error");
    add_text(&to, "exception.message", failure_of(span));
    add_text(&to, "exception.stacktrace", stack);
    add_bool(&to, "exception.escaped", true);
    bb_pb_end_message(out, event);
}

/* Some spans of work say what happened on the way. */
static void add_progress(const struct bb_traffic_span *span, struct bb_buf *out)
{
    uint64_t chance = span->chance ^ 1;
    size_t event = bb_pb_begin_message(out, BB_F_SPAN_EVENTS);
    const struct attributes to = {.out = out, .number = BB_F_EVENT_ATTRIBUTES};

    bb_pb_write_fixed64(out, BB_F_EVENT_TIME_UNIX_NANO,
                        span->start_unix_ns + (span->end_unix_ns - span->start_unix_ns) / 2);
    bb_pb_write_bytes(out, BB_F_EVENT_NAME, bb_slice_from_cstr("step done"));
    add_int(&to, "shop.step", bb_random_between(&chance, 1, 5));
    bb_pb_end_message(out, event);
}

static void add_link(const struct bb_traffic_trace *trace, struct bb_buf *out)
{
    size_t link = bb_pb_begin_message(out, BB_F_SPAN_LINKS);
    const struct attributes to = {.out = out, .number = BB_F_LINK_ATTRIBUTES};

    bb_pb_write_bytes(out, BB_F_LINK_TRACE_ID,
                      bb_slice_of(trace->link_trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(out, BB_F_LINK_SPAN_ID,
                      bb_slice_of(trace->link_span_id.bytes, BB_SPAN_ID_SIZE));
    add_text(&to, "messaging.system", "kafka");
    bb_pb_write_fixed32(out, BB_F_LINK_FLAGS, FLAGS_REMOTE_PARENT);
    bb_pb_end_message(out, link);
}

static void add_status(const struct bb_traffic_span *span, struct bb_buf *out)
{
    size_t status = bb_pb_begin_message(out, BB_F_SPAN_STATUS);

    bb_pb_write_bytes(out, BB_F_STATUS_MESSAGE, bb_slice_from_cstr(failure_of(span)));
    bb_pb_write_uint(out, BB_F_STATUS_CODE, BB_STATUS_ERROR);
    bb_pb_end_message(out, status);
}

void bb_traffic_encode_span(const struct bb_traffic_trace *trace, uint32_t index,
                            struct bb_buf *out)
{
    const struct bb_traffic_span *span = &trace->spans[index];
    const struct attributes to = {.out = out, .number = BB_F_SPAN_ATTRIBUTES};
    size_t message = bb_pb_begin_message(out, BB_F_SCOPE_SPANS_SPANS);

    bb_pb_write_bytes(out, BB_F_SPAN_TRACE_ID,
                      bb_slice_of(trace->trace_id.bytes, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(out, BB_F_SPAN_SPAN_ID, bb_slice_of(span->span_id.bytes, BB_SPAN_ID_SIZE));
    if (!bb_span_id_is_zero(&span->parent_span_id)) {
        bb_pb_write_bytes(out, BB_F_SPAN_PARENT_SPAN_ID,
                          bb_slice_of(span->parent_span_id.bytes, BB_SPAN_ID_SIZE));
    }
    bb_pb_write_bytes(out, BB_F_SPAN_NAME, bb_slice_from_cstr(span->operation->name));
    bb_pb_write_uint(out, BB_F_SPAN_KIND, span->kind);
    bb_pb_write_fixed64(out, BB_F_SPAN_START_TIME_UNIX_NANO, span->start_unix_ns);
    bb_pb_write_fixed64(out, BB_F_SPAN_END_TIME_UNIX_NANO, span->end_unix_ns);
    add_attributes(&to, span);
    if (span->operation->style == BB_SHOP_WORK && span->chance % 4 == 0) {
        add_progress(span, out);
    }
    if (span->is_origin) {
        add_exception(span, out);
    }
    if (index == 0 && trace->has_link) {
        add_link(trace, out);
    }
    if (span->has_failed) {
        add_status(span, out);
    }
    bb_pb_write_fixed32(out, BB_F_SPAN_FLAGS,
                        span->has_remote_parent ? FLAGS_REMOTE_PARENT : FLAGS_LOCAL_PARENT);
    bb_pb_end_message(out, message);
}

static void write_resource(uint32_t service, uint32_t instance, struct bb_buf *out)
{
    const struct bb_shop_service *shop_service = &bb_shop_services[service];
    size_t resource = bb_pb_begin_message(out, BB_F_RESOURCE_SPANS_RESOURCE);
    const struct attributes to = {.out = out, .number = BB_F_RESOURCE_ATTRIBUTES};
    uint64_t chance = (uint64_t)service * BB_TRAFFIC_INSTANCES + instance;
    char pod[64];

    (void)snprintf(pod, sizeof(pod), "%s-%05x-%u", shop_service->name,
                   (unsigned)(bb_random_next(&chance) & 0xfffff), instance);
    add_text(&to, "service.name", shop_service->name);
    add_text(&to, "service.namespace", "shop");
    add_text(&to, "service.version", shop_service->version);
    add_uuid(&to, "service.instance.id", &chance);
    add_text(&to, "deployment.environment.name", "demo");
    add_text(&to, "k8s.pod.name", pod);
    add_text(&to, "telemetry.sdk.language", shop_service->language);
    add_text(&to, "telemetry.sdk.name", "opentelemetry");
    add_int(&to, "process.pid", bb_random_between(&chance, 1, 30000));
    bb_pb_end_message(out, resource);
}

void bb_traffic_encode_resource_spans(uint32_t service, uint32_t instance, struct bb_slice spans,
                                      struct bb_buf *out)
{
    const struct bb_shop_service *shop_service = &bb_shop_services[service];
    size_t resource_spans = bb_pb_begin_message(out, BB_F_REQUEST_RESOURCE_SPANS);

    write_resource(service, instance, out);
    size_t scope_spans = bb_pb_begin_message(out, BB_F_RESOURCE_SPANS_SCOPE_SPANS);
    size_t scope = bb_pb_begin_message(out, BB_F_SCOPE_SPANS_SCOPE);
    bb_pb_write_bytes(out, BB_F_SCOPE_NAME, bb_slice_from_cstr(shop_service->scope));
    bb_pb_write_bytes(out, BB_F_SCOPE_VERSION, bb_slice_from_cstr(shop_service->version));
    bb_pb_end_message(out, scope);
    bb_buf_append_slice(out, spans);
    bb_pb_write_bytes(out, BB_F_SCOPE_SPANS_SCHEMA_URL, bb_slice_from_cstr(SCHEMA_URL));
    bb_pb_end_message(out, scope_spans);
    bb_pb_end_message(out, resource_spans);
}
