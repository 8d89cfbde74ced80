#include "span_random.h"

#include "common/bytes.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/otlp_fields.h"
#include "common/pb_wire.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

static const char *const services[] = {"web", "cart", "db", ""};
static const char *const operations[] = {"GET /", "GET /cart", "query", "publish", ""};
static const char *const keys[] = {"http.status_code", "error", "user", "k", "service.name"};
static const char *const texts[] = {"200",
                                    "true",
                                    "false",
                                    "a",
                                    "b",
                                    "",
                                    "72.5",
                                    "web",
                                    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                                    "00f067aa0ba902b7",
                                    "caf\xc3\xa9"};
static const char *const scopes[] = {"lib", "grpc", NULL};

uint32_t span_random_below(struct span_random *random, uint32_t bound)
{
    uint64_t x = random->seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((x ^ x >> 31) % bound);
}

#define PICK(random, array) ((array)[span_random_below(random, BB_ARRAY_COUNT(array))])

/* An AnyValue body. */
static void put_value(struct span_random *random, struct bb_buf *value, unsigned depth)
{
    static const double reals[] = {72.5, 0.1, -0.0, 1e300, 200.0};
    struct bb_buf elements;

    switch (span_random_below(random, depth < 3 ? 9 : 6)) {
    case 0:
        bb_pb_write_uint(value, BB_F_VALUE_BOOL, span_random_below(random, 2));
        break;
    case 1:
        bb_pb_write_uint(value, BB_F_VALUE_INT,
                         span_random_below(random, 4) == 0 ? (uint64_t)INT64_C(-5) : 200);
        break;
    case 2:
        bb_pb_write_double(value, BB_F_VALUE_DOUBLE, PICK(random, reals));
        break;
    case 3:
        bb_pb_write_bytes(value, BB_F_VALUE_BYTES, BYTES_OF("\x00\xff\x80"));
        break;
    case 4:
        break; /* nothing set */
    case 7:
    case 8: {
        bool is_list = span_random_below(random, 2) == 0;
        build_init(&elements);
        for (uint32_t i = span_random_below(random, 4); i > 0; i--) {
            struct bb_buf element;
            build_init(&element);
            put_value(random, &element, depth + 1);
            if (is_list) {
                struct bb_buf pair;
                build_init(&pair);
                build_put_text(&pair, BB_F_KEY_VALUE_KEY, PICK(random, keys));
                build_put(&pair, BB_F_KEY_VALUE_VALUE, &element);
                element = pair;
            }
            build_put(&elements, BB_F_ARRAY_VALUES, &element);
        }
        build_put(value, is_list ? BB_F_VALUE_KVLIST : BB_F_VALUE_ARRAY, &elements);
        break;
    }
    default:
        build_put_text(value, BB_F_VALUE_STRING, PICK(random, texts));
        break;
    }
}

static void put_attributes(struct span_random *random, struct bb_buf *out, uint32_t number)
{
    for (uint32_t i = span_random_below(random, 5); i > 1; i--) {
        struct bb_buf pair;
        struct bb_buf value;
        build_init(&pair);
        build_init(&value);
        build_put_text(&pair, BB_F_KEY_VALUE_KEY, PICK(random, keys));
        put_value(random, &value, 0);
        build_put(&pair, BB_F_KEY_VALUE_VALUE, &value);
        build_put(out, number, &pair);
    }
}

static void put_id(struct bb_buf *span, uint32_t number, uint32_t id)
{
    uint8_t bytes[BB_SPAN_ID_SIZE];

    bb_put_be64(bytes, id);
    bb_pb_write_bytes(span, number, bb_slice_of(bytes, sizeof bytes));
}

static void put_event_or_link(struct span_random *random, struct bb_buf *span)
{
    struct bb_buf message;
    bool is_event = span_random_below(random, 2) == 0;

    build_init(&message);
    if (is_event) {
        bb_pb_write_fixed64(&message, BB_F_EVENT_TIME_UNIX_NANO,
                            random->start_unix_ns + span_random_below(random, 1000));
        build_put_text(&message, BB_F_EVENT_NAME, PICK(random, texts));
        put_attributes(random, &message, BB_F_EVENT_ATTRIBUTES);
    } else {
        struct bb_trace_id id = span_build_trace_id(span_random_below(random, RANDOM_TRACES) + 1);
        bb_pb_write_bytes(&message, BB_F_LINK_TRACE_ID, bb_slice_of(id.bytes, sizeof id.bytes));
        put_id(&message, BB_F_LINK_SPAN_ID, 1 + span_random_below(random, 30));
        put_attributes(random, &message, BB_F_LINK_ATTRIBUTES);
    }
    build_put(span, is_event ? BB_F_SPAN_EVENTS : BB_F_SPAN_LINKS, &message);
}

/* Times, kind, status: few different ones, so that keys tie. */
static void put_numbers(struct span_random *random, struct bb_buf *span)
{
    static const uint64_t durations_ns[] = {
        0, 1, 1000, 1000, 5 * BB_NS_PER_MS, 5 * BB_NS_PER_MS, BB_NS_PER_S, 7200 * BB_NS_PER_S};
    uint64_t start_ns = random->start_unix_ns + span_random_below(random, 20) * 30 * BB_NS_PER_S;
    uint64_t end_ns = start_ns + PICK(random, durations_ns);

    bb_pb_write_uint(span, BB_F_SPAN_KIND, span_random_below(random, 7));
    bb_pb_write_fixed64(span, BB_F_SPAN_START_TIME_UNIX_NANO, start_ns);
    if (span_random_below(random, 20) == 0) {
        end_ns = start_ns - 1; /* a clock that stepped back */
    }
    bb_pb_write_fixed64(span, BB_F_SPAN_END_TIME_UNIX_NANO, end_ns);
    if (span_random_below(random, 3) == 0) {
        struct bb_buf status;
        build_init(&status);
        if (span_random_below(random, 2) == 0) {
            build_put_text(&status, BB_F_STATUS_MESSAGE, PICK(random, texts));
        }
        bb_pb_write_uint(&status, BB_F_STATUS_CODE, span_random_below(random, 4));
        build_put(span, BB_F_SPAN_STATUS, &status);
    }
    if (span_random_below(random, 2) == 0) {
        bb_pb_write_fixed32(span, BB_F_SPAN_FLAGS, 0x101 * span_random_below(random, 3));
    }
}

/* What no SDK writes and the walk takes. */
static void put_odd_field(struct span_random *random, struct bb_buf *span)
{
    static const struct bb_slice fields[] = {
        BYTES_INIT("\x30\x82\x80\x80\x00"),                /* kind in four bytes */
        BYTES_INIT("\xaa\x80\x80\x00\x02zz"),              /* a name behind a long tag */
        BYTES_INIT("\x2a\x83\x80\x00odd"),                 /* a name behind a long length */
        BYTES_INIT("\x1a\x00"),                            /* an empty trace state */
        BYTES_INIT("\x22\x00"),                            /* an empty parent */
        BYTES_INIT("\x22\x08\0\0\0\0\0\0\0\0"),            /* a parent of zeros */
        BYTES_INIT("\x4a\x00"),                            /* an attribute of nothing */
        BYTES_INIT("\x4a\x02\x12\x00"),                    /* one without a key */
        BYTES_INIT("\x4a\x03\x0a\x01k"),                   /* one without a value */
        BYTES_INIT("\x4a\x09\x12\x02\x10\x01\x0a\x03key"), /* value before key */
        BYTES_INIT("\x4a\x08\x0a\x01k\x0a\x01l\x12\x00"),  /* two keys */
        BYTES_INIT("\x4a\x0c\x0a\x01k\x12\x02\x10\x01\x12\x03\x0a\x01v"), /* two values */
        BYTES_INIT("\x4a\x0a\x0a\x01k\x12\x05\x10\x01\x0a\x01v"),         /* a value of two types */
        BYTES_INIT("\x4a\x09\x0a\x01k\x12\x04\x10\x81\x80\x00"),          /* a long true */
        BYTES_INIT("\x4a\x07\x0a\x01k\x12\x02\x10\x05"),                  /* a bool of 5 */
        BYTES_INIT("\x4a\x0a\x0a\x01k\x12\x05\x0a\x82\x00"
                   "v1"),                                 /* a text behind a long length */
        BYTES_INIT("\x4a\x08\x0a\x01k\x12\x03\x42\x01x"), /* a later type of value */
        BYTES_INIT("\x50\x00"),                           /* a count of zero, written out */
        BYTES_INIT("\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* one of 64 bits */
        BYTES_INIT("\x5a\x00"),                                     /* an event of nothing */
        BYTES_INIT("\x6a\x00"),                                     /* a link of nothing */
        BYTES_INIT("\x7a\x00"),                                     /* a status of nothing */
        BYTES_INIT("\x7a\x02\x18\x02"),                             /* and another */
        BYTES_INIT("\x85\x01\0\0\0\0"),                             /* flags of zero, written out */
        BYTES_INIT("\xc2\x3e\x05\xff\x00\x80zz"), /* unknown fields of every type */
        BYTES_INIT("\xc0\x3e\x2a"),
        BYTES_INIT("\xc1\x3e........"),
        BYTES_INIT("\xc5\x3e...."),
    };

    bb_buf_append_slice(span, PICK(random, fields));
}

static void put_span(struct span_random *random, struct bb_buf *scope_spans)
{
    struct bb_trace_id trace_id = span_build_trace_id(span_random_below(random, RANDOM_TRACES) + 1);
    bool is_odd = span_random_below(random, 4) == 0;
    struct bb_buf span;

    build_init(&span);
    if (is_odd && span_random_below(random, 2) == 0) {
        put_attributes(random, &span, BB_F_SPAN_ATTRIBUTES); /* before the ids */
    }
    bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(trace_id.bytes, 16));
    random->span_count++;
    put_id(&span, BB_F_SPAN_SPAN_ID,
           random->has_unique_ids ? random->span_count : 1 + span_random_below(random, 30));
    if (span_random_below(random, 2) == 0) {
        uint32_t ids = random->has_unique_ids ? random->span_count : 30;
        put_id(&span, BB_F_SPAN_PARENT_SPAN_ID, 1 + span_random_below(random, ids));
    }
    if (span_random_below(random, 8) != 0) {
        build_put_text(&span, BB_F_SPAN_NAME, PICK(random, operations));
    }
    put_numbers(random, &span);
    put_attributes(random, &span, BB_F_SPAN_ATTRIBUTES);
    for (uint32_t i = span_random_below(random, 4); i > 1; i--) {
        put_event_or_link(random, &span);
    }
    for (uint32_t i = is_odd ? span_random_below(random, 4) : 0; i > 0; i--) {
        put_odd_field(random, &span);
    }
    build_put(scope_spans, BB_F_SCOPE_SPANS_SPANS, &span);
}

static void put_scope_spans(struct span_random *random, struct bb_buf *resource_spans)
{
    const char *name = PICK(random, scopes);
    struct bb_buf scope_spans;
    struct bb_buf scope;

    build_init(&scope_spans);
    if (name != NULL) {
        build_init(&scope);
        build_put_text(&scope, BB_F_SCOPE_NAME, name);
        build_put_text(&scope, BB_F_SCOPE_VERSION, PICK(random, texts));
        put_attributes(random, &scope, BB_F_SCOPE_ATTRIBUTES);
        build_put(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, &scope);
    }
    for (uint32_t i = 1 + span_random_below(random, 5); i > 0; i--) {
        put_span(random, &scope_spans);
    }
    if (span_random_below(random, 3) == 0) {
        build_put_text(&scope_spans, BB_F_SCOPE_SPANS_SCHEMA_URL, "https://example.test/1");
    }
    build_put(resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
}

void span_random_put_request(struct span_random *random, struct bb_buf *request)
{
    for (uint32_t i = 1 + span_random_below(random, 3); i > 0; i--) {
        const char *service = PICK(random, services);
        struct bb_buf resource_spans;
        struct bb_buf resource;
        build_init(&resource_spans);
        build_init(&resource);
        if (service[0] != '\0') {
            build_put_attribute(&resource, BB_F_RESOURCE_ATTRIBUTES, "service.name", service);
        }
        if (span_random_below(random, 2) == 0) {
            build_put_attribute(&resource, BB_F_RESOURCE_ATTRIBUTES, "k", PICK(random, texts));
        }
        build_put(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &resource);
        for (uint32_t scope = 1 + span_random_below(random, 2); scope > 0; scope--) {
            put_scope_spans(random, &resource_spans);
        }
        if (span_random_below(random, 3) == 0) {
            build_put_text(&resource_spans, BB_F_RESOURCE_SPANS_SCHEMA_URL,
                           "https://example.test/2");
        }
        build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    }
}

static struct bb_condition random_condition(struct span_random *random)
{
    static const char *const values[] = {
        "200", "-5", "72.5", "true", "0.1",    "AP+A",         "",      "a",
        "[]",  "{}", "-0",   "web",  "1e+300", "none of them", "[200]", "00f067aa0ba902b7"};
    struct bb_condition condition = {
        .type = (enum bb_condition_type)span_random_below(random, BB_CONDITION_ERROR_TAG + 1)};

    if (span_random_below(random, 2) == 0) {
        condition.type = BB_CONDITION_ATTRIBUTE;
    }
    switch (condition.type) {
    case BB_CONDITION_ATTRIBUTE:
        condition.key = bb_slice_from_cstr(PICK(random, keys));
        condition.value = bb_slice_from_cstr(PICK(random, values));
        break;
    case BB_CONDITION_KIND:
        condition.number = span_random_below(random, 6);
        break;
    case BB_CONDITION_STATUS:
    case BB_CONDITION_NOT_STATUS:
        condition.number = span_random_below(random, 3);
        break;
    case BB_CONDITION_SCOPE_NAME:
        condition.value = bb_slice_from_cstr(PICK(random, scopes));
        break;
    case BB_CONDITION_SCOPE_VERSION:
        condition.value = bb_slice_from_cstr(PICK(random, texts));
        break;
    case BB_CONDITION_ERROR_TAG:
        condition.number = span_random_below(random, 2);
        condition.value = bb_slice_from_cstr(condition.number == 1 ? "true" : "false");
        break;
    }
    return condition;
}

struct bb_search span_random_search(struct span_random *random,
                                    struct bb_condition conditions[RANDOM_CONDITIONS_MAX])
{
    static const uint32_t limits[] = {1, 2, 5, 20, 1000};
    static const uint64_t durations_ns[] = {1, 1000, 1001, 5 * BB_NS_PER_MS, BB_NS_PER_S};
    struct bb_search search = {
        .conditions = conditions,
        .order = span_random_below(random, 2) == 0 ? BB_ORDER_NEWEST : BB_ORDER_SLOWEST,
        .limit = PICK(random, limits),
    };

    if (span_random_below(random, 2) == 0) {
        search.has_service_name = true;
        search.service_name = bb_slice_from_cstr(PICK(random, services));
    }
    if (span_random_below(random, 3) == 0) {
        search.has_operation = true;
        search.operation = bb_slice_from_cstr(PICK(random, operations));
    }
    if (span_random_below(random, 3) == 0) {
        search.start_unix_ns_min =
            random->start_unix_ns + span_random_below(random, 20) * 30 * BB_NS_PER_S;
    }
    if (span_random_below(random, 3) == 0) {
        search.start_unix_ns_max =
            random->start_unix_ns + span_random_below(random, 20) * 30 * BB_NS_PER_S;
    }
    if (span_random_below(random, 4) == 0) {
        search.duration_ns_min = PICK(random, durations_ns);
    }
    if (span_random_below(random, 4) == 0) {
        search.duration_ns_max = PICK(random, durations_ns);
    }
    search.condition_count = span_random_below(random, RANDOM_CONDITIONS_MAX + 1);
    for (uint32_t i = 0; i < search.condition_count; i++) {
        conditions[i] = random_condition(random);
    }
    return search;
}
