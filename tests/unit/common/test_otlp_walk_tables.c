/*
 * test_otlp_walk_tables.c - every field of OTLP with every wire type that it must not have, every
 * string that is no UTF-8, every id of a wrong size, every kind of malformed bytes in every
 * message; and for each the reason, the path in words, and that the other spans of the request
 * stay.
 *
 * The request that a row is put into:
 *
 *   resource_spans[0]  scope_spans[0]  spans 1, 2 (the target), 3
 *                      scope_spans[1]  span 4
 *   resource_spans[1]  scope_spans[0]  span 5
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "tests/support/otlp_build.h"

#define ARENA_BYTES ((size_t)1 << 20)

/* What the place hangs on: decides which spans go with it. */
enum base {
    BASE_REQUEST,
    BASE_RESOURCE_SPANS,
    BASE_RESOURCE,
    BASE_SCOPE_SPANS,
    BASE_SCOPE,
    BASE_SPAN
};

/* A message within the request: the fields that lead to it from its base. */
struct place {
    enum base base;
    const char *path; /* from the base; "" for the base itself */
    uint32_t numbers[8];
};

enum place_id {
    REQUEST,
    RESOURCE_SPANS,
    RESOURCE,
    RESOURCE_PAIR,
    RESOURCE_VALUE,
    ENTITY_REF,
    SCOPE_SPANS,
    SCOPE,
    SCOPE_PAIR,
    SCOPE_VALUE,
    SPAN,
    SPAN_PAIR,
    SPAN_VALUE,
    ARRAY,
    ARRAY_VALUE,
    KVLIST,
    KVLIST_PAIR,
    KVLIST_VALUE,
    EVENT,
    EVENT_PAIR,
    EVENT_VALUE,
    LINK,
    LINK_PAIR,
    LINK_VALUE,
    STATUS,
    PLACE_COUNT
};

static const struct place places[PLACE_COUNT] = {
    [REQUEST] = {BASE_REQUEST, "", {0}},
    [RESOURCE_SPANS] = {BASE_RESOURCE_SPANS, "", {0}},
    [RESOURCE] = {BASE_RESOURCE, "", {0}},
    [RESOURCE_PAIR] = {BASE_RESOURCE, "attributes[0]", {1}},
    [RESOURCE_VALUE] = {BASE_RESOURCE, "attributes[0].value", {1, 2}},
    [ENTITY_REF] = {BASE_RESOURCE, "entity_refs", {3}},
    [SCOPE_SPANS] = {BASE_SCOPE_SPANS, "", {0}},
    [SCOPE] = {BASE_SCOPE, "", {0}},
    [SCOPE_PAIR] = {BASE_SCOPE, "attributes[0]", {3}},
    [SCOPE_VALUE] = {BASE_SCOPE, "attributes[0].value", {3, 2}},
    [SPAN] = {BASE_SPAN, "", {0}},
    [SPAN_PAIR] = {BASE_SPAN, "attributes[0]", {9}},
    [SPAN_VALUE] = {BASE_SPAN, "attributes[0].value", {9, 2}},
    [ARRAY] = {BASE_SPAN, "attributes[0].value.array_value", {9, 2, 5}},
    [ARRAY_VALUE] = {BASE_SPAN, "attributes[0].value.array_value.values[0]", {9, 2, 5, 1}},
    [KVLIST] = {BASE_SPAN, "attributes[0].value.kvlist_value", {9, 2, 6}},
    [KVLIST_PAIR] = {BASE_SPAN, "attributes[0].value.kvlist_value.values[0]", {9, 2, 6, 1}},
    [KVLIST_VALUE] = {BASE_SPAN,
                      "attributes[0].value.kvlist_value.values[0].value",
                      {9, 2, 6, 1, 2}},
    [EVENT] = {BASE_SPAN, "events[0]", {11}},
    [EVENT_PAIR] = {BASE_SPAN, "events[0].attributes[0]", {11, 3}},
    [EVENT_VALUE] = {BASE_SPAN, "events[0].attributes[0].value", {11, 3, 2}},
    [LINK] = {BASE_SPAN, "links[0]", {13}},
    [LINK_PAIR] = {BASE_SPAN, "links[0].attributes[0]", {13, 4}},
    [LINK_VALUE] = {BASE_SPAN, "links[0].attributes[0].value", {13, 4, 2}},
    [STATUS] = {BASE_SPAN, "status", {15}},
};

static const char *const base_paths[] = {
    [BASE_REQUEST] = "resource_spans[2]", /* what is malformed stands behind the two good ones */
    [BASE_RESOURCE_SPANS] = "resource_spans[0]",
    [BASE_RESOURCE] = "resource_spans[0].resource",
    [BASE_SCOPE_SPANS] = "resource_spans[0].scope_spans[0]",
    [BASE_SCOPE] = "resource_spans[0].scope_spans[0].scope",
    [BASE_SPAN] = "resource_spans[0].scope_spans[0].spans[1]",
};

/* The seeds of the spans that stay when something at the base is bad. */
static const char *const staying_spans[] = {
    [BASE_RESOURCE] = "5", [BASE_SCOPE] = "45", [BASE_SPAN] = "1345"};

static bool is_envelope(enum base base)
{
    return base == BASE_REQUEST || base == BASE_RESOURCE_SPANS || base == BASE_SCOPE_SPANS;
}

/* What has to stand at `base`, when `extra` is to stand at `place`. */
static void put_at(struct bb_buf *message, enum base base, const struct place *place,
                   struct bb_slice extra)
{
    struct bb_buf inner;
    int depth = 0;

    if (place->base != base) {
        return;
    }
    while (place->numbers[depth] != 0) {
        depth++;
    }
    build_init(&inner);
    bb_buf_append_slice(&inner, extra);
    while (depth > 0) {
        struct bb_buf outer;
        build_init(&outer);
        build_put(&outer, place->numbers[--depth], &inner);
        inner = outer;
    }
    bb_buf_append_slice(message, bb_buf_slice(&inner));
    bb_buf_dispose(&inner);
}

/* The request of the opening comment; `target` is span 2 whole when it isn't NULL. */
static void build_request(struct bb_buf *request, const struct place *place, struct bb_slice extra,
                          const struct bb_slice *target)
{
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;
    struct bb_buf message;

    build_init(request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_init(&message);
    build_put_text(&message, BB_F_SCOPE_NAME, "library");
    put_at(&message, BASE_SCOPE, place, extra);
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SCOPE, &message);
    build_put_span(&scope_spans, 1);
    build_init(&message);
    if (target != NULL) {
        bb_buf_append_slice(&message, *target);
    } else {
        build_span_body(&message, 2);
        put_at(&message, BASE_SPAN, place, extra);
    }
    build_put(&scope_spans, BB_F_SCOPE_SPANS_SPANS, &message);
    build_put_span(&scope_spans, 3);
    put_at(&scope_spans, BASE_SCOPE_SPANS, place, extra);

    build_init(&message);
    put_at(&message, BASE_RESOURCE, place, extra);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, &message);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_init(&scope_spans);
    build_put_span(&scope_spans, 4);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    put_at(&resource_spans, BASE_RESOURCE_SPANS, place, extra);
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);

    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put_span(&scope_spans, 5);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    put_at(request, BASE_REQUEST, place, extra);
}

/* Checks which spans came through, by their seeds. */
static void assert_seeds(const struct bb_walk_result *result, const char *seeds, const char *what)
{
    if (result->batch.span_count != strlen(seeds)) {
        fail_msg("%s: %u spans stay, not %s", what, result->batch.span_count, seeds);
    }
    for (uint32_t i = 0; i < result->batch.span_count; i++) {
        assert_int_equal(result->batch.spans[i].trace_id.bytes[0], seeds[i] - '0');
    }
    assert_int_equal(result->rejected_count, 5 - strlen(seeds));
}

struct expectation {
    bool is_good;
    enum bb_reject reason;
    const char *field; /* behind the place's path; "" for the place itself */
    const char *what;
};

static void expected_text(const struct place *place, const struct expectation *expected, char *out,
                          size_t out_size)
{
    snprintf(out, out_size, "%s%s%s%s%s: %s", base_paths[place->base],
             place->path[0] != '\0' ? "." : "", place->path, expected->field[0] != '\0' ? "." : "",
             expected->field, expected->what);
}

static void check_request(struct bb_slice wire, const struct place *place,
                          const struct expectation *expected)
{
    struct bb_arena arena;
    struct bb_walk_result result;
    struct bb_err_detail detail = {{0}};
    char text[BB_ERR_DETAIL_SIZE];

    bb_arena_init(&arena, ARENA_BYTES);
    expected_text(place, expected, text, sizeof text);
    enum bb_err err = bb_otlp_walk(wire, &arena, &detail, &result);
    if (!expected->is_good && is_envelope(place->base)) {
        if (err != BB_EINVAL) {
            fail_msg("taken, though %s", text);
        }
        assert_string_equal(detail.text, text);
    } else if (err != BB_OK) {
        fail_msg("%s, where expected: %s", detail.text, expected->is_good ? "good" : text);
    } else if (expected->is_good) {
        if (result.rejected_count > 0) {
            fail_msg("good, but %s", result.first_rejection.text);
        }
        assert_seeds(&result, "12345", "good");
    } else {
        if (result.rejected_count == 0) {
            fail_msg("taken, though %s", text);
        }
        assert_seeds(&result, staying_spans[place->base], text);
        assert_int_equal(result.rejected_by_reason[expected->reason], result.rejected_count);
        assert_string_equal(result.first_rejection.text, text);
    }
    bb_arena_dispose(&arena);
}

/* Puts `extra` at `place` and checks what the walk makes of it. */
static void check(enum place_id id, struct bb_slice extra, const struct expectation *expected)
{
    struct bb_buf request;

    build_request(&request, &places[id], extra, NULL);
    check_request(bb_buf_slice(&request), &places[id], expected);
    bb_buf_dispose(&request);
}

/* Every field of every message. */
static const struct field {
    enum place_id place;
    uint32_t number;
    enum bb_pb_type type;
    const char *name;
    bool is_string;
} fields[] = {
    {RESOURCE_SPANS, 1, BB_PB_BYTES, "resource", false},
    {RESOURCE_SPANS, 2, BB_PB_BYTES, "scope_spans[2]", false},
    {RESOURCE_SPANS, 3, BB_PB_BYTES, "schema_url", false},
    {SCOPE_SPANS, 1, BB_PB_BYTES, "scope", false},
    {SCOPE_SPANS, 2, BB_PB_BYTES, "spans[3]", false},
    {SCOPE_SPANS, 3, BB_PB_BYTES, "schema_url", false},
    {RESOURCE, 1, BB_PB_BYTES, "attributes[0]", false},
    {RESOURCE, 2, BB_PB_VARINT, "dropped_attributes_count", false},
    {RESOURCE, 3, BB_PB_BYTES, "entity_refs", false},
    {RESOURCE_PAIR, 1, BB_PB_BYTES, "key", true},
    {RESOURCE_PAIR, 2, BB_PB_BYTES, "value", false},
    {RESOURCE_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {ENTITY_REF, 1, BB_PB_BYTES, "schema_url", true},
    {ENTITY_REF, 2, BB_PB_BYTES, "type", true},
    {ENTITY_REF, 3, BB_PB_BYTES, "id_keys", true},
    {ENTITY_REF, 4, BB_PB_BYTES, "description_keys", true},
    {SCOPE, 1, BB_PB_BYTES, "name", true},
    {SCOPE, 2, BB_PB_BYTES, "version", true},
    {SCOPE, 3, BB_PB_BYTES, "attributes[0]", false},
    {SCOPE, 4, BB_PB_VARINT, "dropped_attributes_count", false},
    {SCOPE_PAIR, 1, BB_PB_BYTES, "key", true},
    {SCOPE_PAIR, 2, BB_PB_BYTES, "value", false},
    {SCOPE_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {SPAN, 1, BB_PB_BYTES, "trace_id", false},
    {SPAN, 2, BB_PB_BYTES, "span_id", false},
    {SPAN, 3, BB_PB_BYTES, "trace_state", true},
    {SPAN, 4, BB_PB_BYTES, "parent_span_id", false},
    {SPAN, 5, BB_PB_BYTES, "name", true},
    {SPAN, 6, BB_PB_VARINT, "kind", false},
    {SPAN, 7, BB_PB_FIXED64, "start_time_unix_nano", false},
    {SPAN, 8, BB_PB_FIXED64, "end_time_unix_nano", false},
    {SPAN, 9, BB_PB_BYTES, "attributes[0]", false},
    {SPAN, 10, BB_PB_VARINT, "dropped_attributes_count", false},
    {SPAN, 11, BB_PB_BYTES, "events[0]", false},
    {SPAN, 12, BB_PB_VARINT, "dropped_events_count", false},
    {SPAN, 13, BB_PB_BYTES, "links[0]", false},
    {SPAN, 14, BB_PB_VARINT, "dropped_links_count", false},
    {SPAN, 15, BB_PB_BYTES, "status", false},
    {SPAN, 16, BB_PB_FIXED32, "flags", false},
    {SPAN_PAIR, 1, BB_PB_BYTES, "key", true},
    {SPAN_PAIR, 2, BB_PB_BYTES, "value", false},
    {SPAN_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {SPAN_VALUE, 2, BB_PB_VARINT, "bool_value", false},
    {SPAN_VALUE, 3, BB_PB_VARINT, "int_value", false},
    {SPAN_VALUE, 4, BB_PB_FIXED64, "double_value", false},
    {SPAN_VALUE, 5, BB_PB_BYTES, "array_value", false},
    {SPAN_VALUE, 6, BB_PB_BYTES, "kvlist_value", false},
    {SPAN_VALUE, 7, BB_PB_BYTES, "bytes_value", false},
    {ARRAY, 1, BB_PB_BYTES, "values[0]", false},
    {ARRAY_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {ARRAY_VALUE, 4, BB_PB_FIXED64, "double_value", false},
    {KVLIST, 1, BB_PB_BYTES, "values[0]", false},
    {KVLIST_PAIR, 1, BB_PB_BYTES, "key", true},
    {KVLIST_PAIR, 2, BB_PB_BYTES, "value", false},
    {KVLIST_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {KVLIST_VALUE, 3, BB_PB_VARINT, "int_value", false},
    {EVENT, 1, BB_PB_FIXED64, "time_unix_nano", false},
    {EVENT, 2, BB_PB_BYTES, "name", true},
    {EVENT, 3, BB_PB_BYTES, "attributes[0]", false},
    {EVENT, 4, BB_PB_VARINT, "dropped_attributes_count", false},
    {EVENT_PAIR, 1, BB_PB_BYTES, "key", true},
    {EVENT_PAIR, 2, BB_PB_BYTES, "value", false},
    {EVENT_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {LINK, 1, BB_PB_BYTES, "trace_id", false},
    {LINK, 2, BB_PB_BYTES, "span_id", false},
    {LINK, 3, BB_PB_BYTES, "trace_state", true},
    {LINK, 4, BB_PB_BYTES, "attributes[0]", false},
    {LINK, 5, BB_PB_VARINT, "dropped_attributes_count", false},
    {LINK, 6, BB_PB_FIXED32, "flags", false},
    {LINK_PAIR, 1, BB_PB_BYTES, "key", true},
    {LINK_PAIR, 2, BB_PB_BYTES, "value", false},
    {LINK_VALUE, 1, BB_PB_BYTES, "string_value", true},
    {STATUS, 2, BB_PB_BYTES, "message", true},
    {STATUS, 3, BB_PB_VARINT, "code", false},
};

/* A well-formed field of that number and type, content all zeros or empty. */
static void put_field(struct bb_buf *out, uint32_t number, enum bb_pb_type type)
{
    bb_pb_write_tag(out, number, type);
    bb_buf_append(out, "\0\0\0\0\0\0\0", type == BB_PB_FIXED64 ? 8 : type == BB_PB_FIXED32 ? 4 : 1);
}

static void a_field_of_a_wrong_wire_type_is_named(void **state)
{
    static const enum bb_pb_type types[] = {BB_PB_VARINT, BB_PB_FIXED64, BB_PB_BYTES,
                                            BB_PB_FIXED32};
    struct expectation expected = {.reason = BB_REJECT_MALFORMED,
                                   .what = "has the wrong wire type"};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(fields); i++) {
        for (size_t t = 0; t < BB_ARRAY_COUNT(types); t++) {
            struct bb_buf extra;
            if (types[t] == fields[i].type) {
                continue;
            }
            build_init(&extra);
            put_field(&extra, fields[i].number, types[t]);
            expected.field = fields[i].name;
            check(fields[i].place, bb_buf_slice(&extra), &expected);
            bb_buf_dispose(&extra);
        }
    }
}

/* The same rows the other way round: so the table tells what is right, too. */
static void a_field_of_its_own_wire_type_is_taken(void **state)
{
    const struct expectation good = {.is_good = true, .field = "", .what = ""};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(fields); i++) {
        struct bb_buf extra;
        if (fields[i].place == SPAN && (fields[i].number == 1 || fields[i].number == 2)) {
            continue; /* the ids may not be empty */
        }
        if (fields[i].place == SCOPE_SPANS && fields[i].number == 2) {
            continue; /* nor may a span */
        }
        build_init(&extra);
        put_field(&extra, fields[i].number, fields[i].type);
        check(fields[i].place, bb_buf_slice(&extra), &good);
        bb_buf_dispose(&extra);
    }
}

static void unknown_fields_of_every_type_are_taken_everywhere(void **state)
{
    const struct expectation good = {.is_good = true, .field = "", .what = ""};

    (void)state;
    for (int place = 0; place < PLACE_COUNT; place++) {
        check((enum place_id)place,
              BYTES_OF("\xc0\x3e\x01\xc1\x3e........\xc2\x3e\x02\xff\xff\xc5\x3e...."
                       "\xfa\xff\xff\xff\x0f\x00"),
              &good);
    }
}

static void malformed_bytes_are_refused_in_every_message(void **state)
{
    static const struct bb_slice cases[] = {
        BYTES_INIT("\x80"),                                                 /* half a tag */
        BYTES_INIT("\x00\x00"),                                             /* field number 0 */
        BYTES_INIT("\x02\x00"),                                             /* the same, bytes */
        BYTES_INIT("\xc3\x3e"),                                             /* a group begins */
        BYTES_INIT("\xc3\x3e\xc4\x3e"),                                     /* and ends */
        BYTES_INIT("\xc4\x3e"),                                             /* a group ends */
        BYTES_INIT("\xc6\x3e\x00"),                                         /* wire type 6 */
        BYTES_INIT("\xc7\x3e\x00"),                                         /* wire type 7 */
        BYTES_INIT("\xc0\xbe\x80\x80\x80\x00\x01"),                         /* a tag of 6 bytes */
        BYTES_INIT("\xc0\xbe\x80\x80\x10\x01"),                             /* a tag over 32 bits */
        BYTES_INIT("\xc0\x3e"),                                             /* no varint */
        BYTES_INIT("\xc0\x3e\xff"),                                         /* half a varint */
        BYTES_INIT("\xc0\x3e\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), /* one of 11 bytes */
        BYTES_INIT("\xc0\x3e\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),     /* one of 65 bits */
        BYTES_INIT("\xc1\x3e\x00\x00\x00\x00\x00\x00\x00"),                 /* 7 of 8 bytes */
        BYTES_INIT("\xc5\x3e\x00\x00\x00"),                                 /* 3 of 4 bytes */
        BYTES_INIT("\xc2\x3e"),                                             /* no length */
        BYTES_INIT("\xc2\x3e\x02x"),                                        /* one past the end */
        BYTES_INIT("\xc2\x3e\x82\x80\x80\x80\x80\x00xx"),                   /* one of 6 bytes */
        BYTES_INIT("\xc2\x3e\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),    /* one of 2^64 - 1 */
    };

    (void)state;
    for (int place = 0; place < PLACE_COUNT; place++) {
        struct expectation expected = {
            .reason = BB_REJECT_MALFORMED,
            .field = "",
            .what = place == REQUEST ? "malformed protobuf (cut short?)" : "malformed protobuf",
        };
        for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
            check((enum place_id)place, cases[i], &expected);
        }
    }
}

/* The length of a message that is in the way, one more than there is behind it. */
static void a_length_past_the_end_is_refused_at_every_level(void **state)
{
    struct expectation expected = {.reason = BB_REJECT_MALFORMED, .field = ""};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(fields); i++) {
        struct bb_buf extra;
        if (fields[i].type != BB_PB_BYTES) {
            continue;
        }
        build_init(&extra);
        bb_pb_write_tag(&extra, fields[i].number, BB_PB_BYTES);
        bb_buf_append(&extra, "\x03\0\0", 3);
        expected.what = "malformed protobuf";
        check(fields[i].place, bb_buf_slice(&extra), &expected);
        bb_buf_dispose(&extra);
    }
    expected.what = "malformed protobuf (cut short?)";
    check(REQUEST, BYTES_OF("\x0a\x03\x12\x00"), &expected);
}

static void resource_spans_of_a_wrong_wire_type_are_refused(void **state)
{
    const struct expectation expected = {.field = "", .what = "has the wrong wire type"};

    (void)state;
    check(REQUEST, BYTES_OF("\x08\x01"), &expected);
    check(REQUEST, BYTES_OF("\x09\0\0\0\0\0\0\0\0"), &expected);
    check(REQUEST, BYTES_OF("\x0d\0\0\0\0"), &expected);
}

static const struct bb_slice bad_texts[] = {
    BYTES_INIT("\xff"),
    BYTES_INIT("\x80"),
    BYTES_INIT("good until \xc3"),
    BYTES_INIT("\xc0\x80"),
    BYTES_INIT("\xe0\x80\x80"),
    BYTES_INIT("\xed\xa0\x80"),
    BYTES_INIT("\xf4\x90\x80\x80"),
    BYTES_INIT("twenty plain letters\xe2\x82"),
    BYTES_INIT("\xf0\x9f\x9a and more"),
};

static const struct bb_slice good_texts[] = {
    BYTES_INIT(""),
    BYTES_INIT("plain"),
    BYTES_INIT("\0 a NUL, \x7f and \x01"),
    BYTES_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80 \xf4\x8f\xbf\xbf \xef\xbf\xbe"),
};

static void a_string_that_is_no_utf8_is_named(void **state)
{
    struct expectation expected = {.reason = BB_REJECT_UTF8, .what = "is not valid UTF-8"};
    const struct expectation good = {.is_good = true, .field = "", .what = ""};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(fields); i++) {
        if (!fields[i].is_string) {
            continue;
        }
        expected.field = fields[i].name;
        for (size_t t = 0; t < BB_ARRAY_COUNT(bad_texts) + BB_ARRAY_COUNT(good_texts); t++) {
            bool is_bad = t < BB_ARRAY_COUNT(bad_texts);
            struct bb_buf extra;
            build_init(&extra);
            bb_pb_write_bytes(&extra, fields[i].number,
                              is_bad ? bad_texts[t] : good_texts[t - BB_ARRAY_COUNT(bad_texts)]);
            if (is_bad) { /* a later good one does not make up for it */
                bb_pb_write_bytes(&extra, fields[i].number, BYTES_OF("good"));
            }
            check(fields[i].place, bb_buf_slice(&extra), is_bad ? &expected : &good);
            bb_buf_dispose(&extra);
        }
    }
}

/* A schema URL is the envelope's, but text: its spans are rejected, the request is not. */
static void a_schema_url_that_is_no_utf8_rejects_its_spans(void **state)
{
    (void)state;
    for (int is_scope = 0; is_scope < 2; is_scope++) {
        enum place_id id = is_scope ? SCOPE_SPANS : RESOURCE_SPANS;
        const struct place as_owner = {is_scope ? BASE_SCOPE : BASE_RESOURCE, "", {0}};
        struct expectation expected = {.reason = BB_REJECT_UTF8};
        struct bb_arena arena;
        struct bb_walk_result result;
        struct bb_buf request;
        char text[200];

        bb_arena_init(&arena, ARENA_BYTES);
        build_request(&request, &places[id], BYTES_OF("\x1a\x01\xff\x1a\x04good"), NULL);
        assert_int_equal(bb_otlp_walk(bb_buf_slice(&request), &arena, NULL, &result), BB_OK);
        assert_seeds(&result, staying_spans[as_owner.base], "schema_url");
        assert_int_equal(result.rejected_by_reason[expected.reason], result.rejected_count);
        snprintf(text, sizeof text, "%s.schema_url: is not valid UTF-8",
                 base_paths[places[id].base]);
        assert_string_equal(result.first_rejection.text, text);
        bb_arena_dispose(&arena);
        bb_buf_dispose(&request);
    }
}

/* An id of each size from none to 40 bytes; those of the right size are taken. */
static void check_id_sizes(enum place_id place, uint32_t number, const char *name, size_t right,
                           bool may_be_empty, enum bb_reject reason)
{
    static const uint8_t id[40] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

    for (size_t size = 0; size <= sizeof id; size++) {
        struct bb_buf extra;
        char what[64];
        snprintf(what, sizeof what, "must be %zu bytes, is %zu", right, size);
        struct expectation expected = {.is_good = size == right || (size == 0 && may_be_empty),
                                       .reason = reason,
                                       .field = name,
                                       .what = what};
        build_init(&extra);
        bb_pb_write_bytes(&extra, number, bb_slice_of(id, size));
        if (expected.is_good && place == SPAN && number == BB_F_SPAN_TRACE_ID) {
            bb_pb_write_bytes(&extra, number, bb_slice_of("\2...............", 16)); /* its seed */
        }
        check(place, bb_buf_slice(&extra), &expected);
        bb_buf_dispose(&extra);
    }
}

static void ids_of_every_wrong_size_are_refused(void **state)
{
    (void)state;
    check_id_sizes(SPAN, BB_F_SPAN_TRACE_ID, "trace_id", 16, false, BB_REJECT_TRACE_ID);
    check_id_sizes(SPAN, BB_F_SPAN_SPAN_ID, "span_id", 8, false, BB_REJECT_SPAN_ID);
    check_id_sizes(SPAN, BB_F_SPAN_PARENT_SPAN_ID, "parent_span_id", 8, true, BB_REJECT_PARENT_ID);
    check_id_sizes(LINK, BB_F_LINK_TRACE_ID, "trace_id", 16, true, BB_REJECT_LINK_ID);
    check_id_sizes(LINK, BB_F_LINK_SPAN_ID, "span_id", 8, true, BB_REJECT_LINK_ID);
}

static void ids_that_are_missing_or_zero_are_refused(void **state)
{
    static const struct {
        struct bb_slice span;
        enum bb_reject reason;
        const char *field;
    } cases[] = {
        {{NULL, 0}, BB_REJECT_TRACE_ID, "trace_id"},
        {BYTES_INIT("\x12\x08"
                    "12345678"),
         BB_REJECT_TRACE_ID, "trace_id"},
        {BYTES_INIT("\x0a\x10"
                    "1234567812345678"),
         BB_REJECT_SPAN_ID, "span_id"},
        {BYTES_INIT("\x0a\x10"
                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                    "\x12\x08"
                    "12345678"),
         BB_REJECT_TRACE_ID, "trace_id"},
        {BYTES_INIT("\x0a\x10"
                    "1234567812345678"
                    "\x12\x08"
                    "\0\0\0\0\0\0\0\0"),
         BB_REJECT_SPAN_ID, "span_id"},
        {BYTES_INIT("\x0a\x10"
                    "1234567812345678"
                    "\x12\x08"
                    "12345678"
                    "\x12\x08"
                    "\0\0\0\0\0\0\0\0"),
         BB_REJECT_SPAN_ID, "span_id"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct expectation expected = {.reason = cases[i].reason,
                                       .field = cases[i].field,
                                       .what = "must not be missing or all zeros"};
        struct bb_buf request;
        build_request(&request, &places[SPAN], bb_slice_of(NULL, 0), &cases[i].span);
        check_request(bb_buf_slice(&request), &places[SPAN], &expected);
        bb_buf_dispose(&request);
    }
}

/* The index in a path counts what stands before it, good ones included. */
static void a_path_counts_from_zero_at_every_level(void **state)
{
    struct expectation expected = {.reason = BB_REJECT_UTF8, .what = "is not valid UTF-8"};

    (void)state;
    expected.field = "attributes[2].value.array_value.values[1].string_value";
    check(SPAN, BYTES_OF("\x4a\x00\x4a\x00\x4a\x09\x12\x07\x2a\x05\x0a\x00\x0a\x01\xff"),
          &(struct expectation){.reason = BB_REJECT_MALFORMED,
                                .field = "attributes[2].value.array_value.values[1]",
                                .what = "malformed protobuf"});
    check(SPAN, BYTES_OF("\x4a\x00\x4a\x00\x4a\x0b\x12\x09\x2a\x07\x0a\x00\x0a\x03\x0a\x01\xff"),
          &expected);
    expected.field = "events[1].attributes[1].key";
    check(SPAN, BYTES_OF("\x5a\x00\x5a\x07\x1a\x00\x1a\x03\x0a\x01\xff"), &expected);
    expected.field = "links[2].trace_state";
    check(SPAN, BYTES_OF("\x6a\x00\x6a\x00\x6a\x03\x1a\x01\xff"), &expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_of_a_wrong_wire_type_is_named),
        cmocka_unit_test(a_field_of_its_own_wire_type_is_taken),
        cmocka_unit_test(unknown_fields_of_every_type_are_taken_everywhere),
        cmocka_unit_test(malformed_bytes_are_refused_in_every_message),
        cmocka_unit_test(a_length_past_the_end_is_refused_at_every_level),
        cmocka_unit_test(resource_spans_of_a_wrong_wire_type_are_refused),
        cmocka_unit_test(a_string_that_is_no_utf8_is_named),
        cmocka_unit_test(a_schema_url_that_is_no_utf8_rejects_its_spans),
        cmocka_unit_test(ids_of_every_wrong_size_are_refused),
        cmocka_unit_test(ids_that_are_missing_or_zero_are_refused),
        cmocka_unit_test(a_path_counts_from_zero_at_every_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
