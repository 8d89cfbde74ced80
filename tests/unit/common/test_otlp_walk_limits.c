/* test_otlp_walk_limits.c - every bound of the walk, at it and one above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/otlp_walk.h"
#include "tests/support/otlp_build.h"

#define ARENA_BYTES ((size_t)512 << 20)
#define PREFIX "resource_spans[0].scope_spans[0]."

struct outcome {
    enum bb_err err;
    uint32_t span_count;
    uint64_t rejected_count;
    enum bb_reject reason; /* of a rejection */
    char text[BB_ERR_DETAIL_SIZE];
};

static struct outcome walk(struct bb_slice wire)
{
    struct outcome outcome = {.err = BB_OK};
    struct bb_arena arena;
    struct bb_walk_result result;
    struct bb_err_detail detail = {{0}};

    bb_arena_init(&arena, ARENA_BYTES);
    outcome.err = bb_otlp_walk(wire, &arena, &detail, &result);
    if (outcome.err != BB_OK) {
        memcpy(outcome.text, detail.text, sizeof detail.text);
    } else {
        outcome.span_count = result.batch.span_count;
        outcome.rejected_count = result.rejected_count;
        memcpy(outcome.text, result.first_rejection.text, sizeof outcome.text);
        for (int reason = 0; reason < BB_REJECT_COUNT_OF; reason++) {
            if (result.rejected_by_reason[reason] > 0) {
                outcome.reason = (enum bb_reject)reason;
            }
        }
    }
    bb_arena_dispose(&arena);
    return outcome;
}

/* Walks a request of this one span, whose body is disposed of. */
static struct outcome walk_span(struct bb_buf *span)
{
    struct bb_buf request;

    build_init(&request);
    build_request_of_span(&request, span);
    struct outcome outcome = walk(bb_buf_slice(&request));
    bb_buf_dispose(&request);
    return outcome;
}

/* Walks a request of one good span under this resource or scope, whose body is disposed of. */
static struct outcome walk_owner(struct bb_buf *owner, bool is_resource)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put(is_resource ? &resource_spans : &scope_spans, 1, owner);
    build_put_span(&scope_spans, 1);
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    struct outcome outcome = walk(bb_buf_slice(&request));
    bb_buf_dispose(&request);
    return outcome;
}

static void assert_taken(struct outcome outcome)
{
    if (outcome.err != BB_OK || outcome.rejected_count != 0) {
        fail_msg("%s", outcome.text);
    }
    assert_int_equal(outcome.span_count, 1);
}

static void assert_rejected(struct outcome outcome, enum bb_reject reason, const char *text)
{
    assert_int_equal(outcome.err, BB_OK);
    assert_int_equal(outcome.span_count, 0);
    assert_int_equal(outcome.rejected_count, 1);
    assert_string_equal(outcome.text, text);
    assert_int_equal(outcome.reason, reason);
}

/* Appends `count` empty messages as fields `number`. */
static void put_empty(struct bb_buf *out, uint32_t number, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bb_pb_write_bytes(out, number, bb_slice_of(NULL, 0));
    }
}

enum nesting { ARRAYS, LISTS, BOTH };

/* An AnyValue that is `depth` AnyValues deep. */
static void build_nested(struct bb_buf *value, unsigned depth, enum nesting nesting)
{
    build_init(value);
    bb_pb_write_uint(value, BB_F_VALUE_INT, 1);
    for (unsigned i = 1; i < depth; i++) {
        bool is_list = nesting == LISTS || (nesting == BOTH && i % 2 == 0);
        struct bb_buf elements;
        build_init(&elements);
        if (is_list) {
            struct bb_buf pair;
            build_init(&pair);
            build_put(&pair, BB_F_KEY_VALUE_VALUE, value);
            build_put(&elements, BB_F_KVLIST_VALUES, &pair);
        } else {
            build_put(&elements, BB_F_ARRAY_VALUES, value);
        }
        build_init(value);
        build_put(value, is_list ? BB_F_VALUE_KVLIST : BB_F_VALUE_ARRAY, &elements);
    }
}

/* Appends an attribute with such a value as field `number`. */
static void put_nested(struct bb_buf *out, uint32_t number, unsigned depth, enum nesting nesting)
{
    struct bb_buf pair;
    struct bb_buf value;

    build_init(&pair);
    build_nested(&value, depth, nesting);
    build_put(&pair, BB_F_KEY_VALUE_VALUE, &value);
    build_put(out, number, &pair);
}

static void values_nest_to_the_limit_and_not_deeper(void **state)
{
    (void)state;
    for (int nesting = ARRAYS; nesting <= BOTH; nesting++) {
        for (unsigned depth = BB_VALUE_DEPTH_MAX - 1; depth <= BB_VALUE_DEPTH_MAX + 1; depth++) {
            for (int place = 0; place < 5; place++) {
                struct bb_buf body;
                struct bb_buf inner;
                struct outcome outcome;
                build_init(&body);
                build_init(&inner);
                if (place < 3) {
                    build_span_body(&body, 1);
                }
                if (place == 0) {
                    put_nested(&body, BB_F_SPAN_ATTRIBUTES, depth, (enum nesting)nesting);
                } else if (place == 1) {
                    put_nested(&inner, BB_F_EVENT_ATTRIBUTES, depth, (enum nesting)nesting);
                    bb_pb_write_bytes(&body, BB_F_SPAN_EVENTS, bb_buf_slice(&inner));
                } else if (place == 2) {
                    put_nested(&inner, BB_F_LINK_ATTRIBUTES, depth, (enum nesting)nesting);
                    bb_pb_write_bytes(&body, BB_F_SPAN_LINKS, bb_buf_slice(&inner));
                } else {
                    put_nested(&body,
                               place == 3 ? (uint32_t)BB_F_RESOURCE_ATTRIBUTES
                                          : (uint32_t)BB_F_SCOPE_ATTRIBUTES,
                               depth, (enum nesting)nesting);
                }
                outcome = place < 3 ? walk_span(&body) : walk_owner(&body, place == 3);
                if (depth <= BB_VALUE_DEPTH_MAX) {
                    assert_taken(outcome);
                } else {
                    assert_int_equal(outcome.rejected_count, 1);
                    assert_int_equal(outcome.reason, BB_REJECT_DEPTH);
                    assert_memory_equal(outcome.text, "resource_spans[0].", 18);
                    assert_non_null(strstr(outcome.text, ": nested too deep"));
                }
                bb_buf_dispose(&inner);
            }
        }
    }
}

static void the_path_to_what_is_too_deep_keeps_its_outer_part(void **state)
{
    struct bb_buf span;

    (void)state;
    build_init(&span);
    build_span_body(&span, 1);
    put_nested(&span, BB_F_SPAN_ATTRIBUTES, 2000, LISTS);
    struct outcome outcome = walk_span(&span);
    assert_int_equal(outcome.reason, BB_REJECT_DEPTH);
    assert_memory_equal(outcome.text,
                        PREFIX "spans[0].attributes[0].value.kvlist_value.values[0].value.",
                        strlen(PREFIX) + 58);
    assert_non_null(strstr(outcome.text, "...: nested too deep"));
}

static void attributes_are_bounded_on_a_span_an_event_and_a_link(void **state)
{
    static const struct {
        uint32_t owner; /* field of the span; 0 for the span itself */
        uint32_t attributes;
        const char *path;
    } cases[] = {
        {0, BB_F_SPAN_ATTRIBUTES, ""},
        {BB_F_SPAN_EVENTS, BB_F_EVENT_ATTRIBUTES, "events[0]."},
        {BB_F_SPAN_LINKS, BB_F_LINK_ATTRIBUTES, "links[0]."},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        for (size_t count = BB_ATTRIBUTES_MAX; count <= BB_ATTRIBUTES_MAX + 1; count++) {
            struct bb_buf span;
            struct bb_buf owner;
            char text[200];
            build_init(&span);
            build_init(&owner);
            build_span_body(&span, 1);
            put_empty(cases[i].owner == 0 ? &span : &owner, cases[i].attributes, count);
            if (cases[i].owner != 0) {
                /* Each has its own count. */
                bb_pb_write_bytes(&span, cases[i].owner, bb_buf_slice(&owner));
                bb_pb_write_bytes(&span, cases[i].owner, bb_buf_slice(&owner));
            }
            struct outcome outcome = walk_span(&span);
            if (count == BB_ATTRIBUTES_MAX) {
                assert_taken(outcome);
            } else {
                snprintf(text, sizeof text, PREFIX "spans[0].%sattributes[%d]: too many attributes",
                         cases[i].path, BB_ATTRIBUTES_MAX);
                assert_rejected(outcome, BB_REJECT_COUNT, text);
            }
            bb_buf_dispose(&owner);
        }
    }
}

static void attributes_are_bounded_on_a_resource_and_a_scope(void **state)
{
    (void)state;
    for (int is_resource = 0; is_resource < 2; is_resource++) {
        for (size_t count = BB_ATTRIBUTES_MAX; count <= BB_ATTRIBUTES_MAX + 1; count++) {
            struct bb_buf owner;
            build_init(&owner);
            put_empty(&owner,
                      is_resource ? (uint32_t)BB_F_RESOURCE_ATTRIBUTES
                                  : (uint32_t)BB_F_SCOPE_ATTRIBUTES,
                      count);
            struct outcome outcome = walk_owner(&owner, is_resource);
            if (count == BB_ATTRIBUTES_MAX) {
                assert_taken(outcome);
            } else {
                assert_rejected(
                    outcome, BB_REJECT_COUNT,
                    is_resource ? "resource_spans[0].resource.attributes[4096]: too many attributes"
                                : PREFIX "scope.attributes[4096]: too many attributes");
            }
        }
    }
}

static void events_and_links_are_bounded(void **state)
{
    (void)state;
    for (int is_event = 0; is_event < 2; is_event++) {
        size_t limit = is_event ? BB_SPAN_EVENTS_MAX : BB_SPAN_LINKS_MAX;
        for (size_t count = limit; count <= limit + 1; count++) {
            struct bb_buf span;
            char text[200];
            build_init(&span);
            build_span_body(&span, 1);
            put_empty(&span, is_event ? (uint32_t)BB_F_SPAN_EVENTS : (uint32_t)BB_F_SPAN_LINKS,
                      count);
            struct outcome outcome = walk_span(&span);
            if (count == limit) {
                assert_taken(outcome);
            } else {
                snprintf(text, sizeof text, PREFIX "spans[0].%s[%zu]: too many %s",
                         is_event ? "events" : "links", limit, is_event ? "events" : "links");
                assert_rejected(outcome, BB_REJECT_COUNT, text);
            }
        }
    }
}

/* Attributes, elements and pairs count together, over all levels of one span. */
static void values_are_bounded_over_all_levels_of_a_span(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct bb_buf span;
        struct bb_buf elements;
        struct bb_buf value;
        struct bb_buf pair;
        build_init(&span);
        build_init(&elements);
        build_init(&value);
        build_init(&pair);
        build_span_body(&span, 1);
        put_empty(&span, BB_F_SPAN_ATTRIBUTES, 1);
        put_empty(&elements, BB_F_ARRAY_VALUES, BB_SPAN_VALUES_MAX / 2);
        bb_pb_write_bytes(&value, BB_F_VALUE_ARRAY, bb_buf_slice(&elements));
        build_put(&pair, BB_F_KEY_VALUE_VALUE, &value);
        build_put(&span, BB_F_SPAN_ATTRIBUTES, &pair);
        bb_buf_clear(&elements);
        put_empty(&elements, BB_F_KVLIST_VALUES, BB_SPAN_VALUES_MAX / 2 - 3 + more);
        build_init(&value);
        build_init(&pair);
        bb_pb_write_bytes(&value, BB_F_VALUE_KVLIST, bb_buf_slice(&elements));
        build_put(&pair, BB_F_KEY_VALUE_VALUE, &value);
        build_put(&span, BB_F_SPAN_ATTRIBUTES, &pair);
        bb_buf_dispose(&elements);
        struct outcome outcome = walk_span(&span);
        if (more == 0) {
            assert_taken(outcome);
        } else {
            assert_rejected(outcome, BB_REJECT_COUNT,
                            PREFIX "spans[0].attributes[2].value.kvlist_value.values[524285]: "
                                   "too many values in one span");
        }
    }
}

/* One more attribute than there may be values is told as such, and the next span starts anew. */
static void the_count_of_values_starts_anew_with_each_span(void **state)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    (void)state;
    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    for (uint8_t seed = 1; seed <= 3; seed++) {
        struct bb_buf span;
        struct bb_buf elements;
        struct bb_buf value;
        struct bb_buf pair;
        build_init(&span);
        build_init(&elements);
        build_init(&value);
        build_init(&pair);
        build_span_body(&span, seed);
        put_empty(&elements, BB_F_ARRAY_VALUES, BB_SPAN_VALUES_MAX - 1);
        build_put(&value, BB_F_VALUE_ARRAY, &elements);
        build_put(&pair, BB_F_KEY_VALUE_VALUE, &value);
        build_put(&span, BB_F_SPAN_ATTRIBUTES, &pair);
        if (seed == 2) {
            put_empty(&span, BB_F_SPAN_ATTRIBUTES, 1);
        }
        build_put(&scope_spans, BB_F_SCOPE_SPANS_SPANS, &span);
    }
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    struct outcome outcome = walk(bb_buf_slice(&request));
    assert_int_equal(outcome.span_count, 2);
    assert_int_equal(outcome.rejected_count, 1);
    assert_string_equal(outcome.text, PREFIX "spans[1].attributes[1]: too many values in one span");
    bb_buf_dispose(&request);
}

/* Fills `message` with an unknown field so that it has exactly `size` bytes. */
static void pad_to(struct bb_buf *message, size_t size)
{
    size_t content = size - message->size - 2 - 4; /* a tag of 2 bytes, a length of 4 */

    bb_pb_write_tag(message, 100, BB_PB_BYTES);
    bb_buf_append_byte(message, (uint8_t)(content | 0x80));
    bb_buf_append_byte(message, (uint8_t)(content >> 7 | 0x80));
    bb_buf_append_byte(message, (uint8_t)(content >> 14 | 0x80));
    bb_buf_append_byte(message, (uint8_t)(content >> 21));
    uint8_t *room = bb_buf_reserve(message, content);
    assert_non_null(room);
    memset(room, 'x', content);
    bb_buf_advance(message, content);
    assert_int_equal(message->size, size);
}

static void a_span_is_bounded_in_bytes(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct bb_buf span;
        build_init(&span);
        build_span_body(&span, 1);
        pad_to(&span, BB_SPAN_BYTES_MAX + more);
        struct outcome outcome = walk_span(&span);
        if (more == 0) {
            assert_taken(outcome);
        } else {
            assert_rejected(outcome, BB_REJECT_SIZE, PREFIX "spans[0]: span is too large");
        }
    }
}

static void a_resource_and_a_scope_are_bounded_in_bytes(void **state)
{
    (void)state;
    for (int is_resource = 0; is_resource < 2; is_resource++) {
        for (size_t more = 0; more <= 1; more++) {
            struct bb_buf owner;
            build_init(&owner);
            pad_to(&owner, BB_RESOURCE_BYTES_MAX + more);
            struct outcome outcome = walk_owner(&owner, is_resource);
            if (more == 0) {
                assert_taken(outcome);
            } else {
                assert_rejected(outcome, BB_REJECT_SIZE,
                                is_resource ? "resource_spans[0].resource: is too large"
                                            : PREFIX "scope: is too large");
            }
        }
    }
}

/* The limit holds for what several resources come to together, and joining stays linear. */
static void resources_in_many_pieces_are_bounded_together(void **state)
{
    struct bb_buf request;
    struct bb_buf resource_spans;
    struct bb_buf scope_spans;

    (void)state;
    build_init(&request);
    build_init(&resource_spans);
    build_init(&scope_spans);
    build_put_span(&scope_spans, 1);
    for (size_t size = 0; size <= BB_RESOURCE_BYTES_MAX; size += 2) {
        bb_pb_write_bytes(&resource_spans, BB_F_RESOURCE_SPANS_RESOURCE, BYTES_OF("\x10\x01"));
    }
    build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
    build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
    assert_rejected(walk(bb_buf_slice(&request)), BB_REJECT_SIZE,
                    "resource_spans[0].resource: is too large");
    bb_buf_dispose(&request);
}

static void a_request_is_bounded_in_bytes(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct bb_buf request;
        struct bb_buf span;
        char text[80];
        build_init(&request);
        build_init(&span);
        build_span_body(&span, 1);
        build_request_of_span(&request, &span);
        pad_to(&request, BB_REQUEST_BYTES_MAX + more);
        struct outcome outcome = walk(bb_buf_slice(&request));
        if (more == 0) {
            assert_taken(outcome);
        } else {
            assert_int_equal(outcome.err, BB_ETOOBIG);
            snprintf(text, sizeof text, "request is %u bytes, at most %u are taken",
                     BB_REQUEST_BYTES_MAX + 1, BB_REQUEST_BYTES_MAX);
            assert_string_equal(outcome.text, text);
        }
        bb_buf_dispose(&request);
    }
}

/* Messages of two bytes each, so that a small request would ask for much memory. */
static void spans_scopes_and_resources_of_a_request_are_bounded(void **state)
{
    (void)state;
    for (int level = 0; level < 3; level++) {
        for (size_t more = 0; more <= 1; more++) {
            struct bb_buf request;
            struct bb_buf resource_spans;
            struct bb_buf scope_spans;
            size_t count = BB_REQUEST_SPANS_MAX + more;
            char text[80];
            snprintf(text, sizeof text, "more than %u spans, scopes or resources",
                     BB_REQUEST_SPANS_MAX);
            build_init(&request);
            build_init(&resource_spans);
            build_init(&scope_spans);
            if (level == 0) {
                put_empty(&scope_spans, BB_F_SCOPE_SPANS_SPANS, count);
                build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
                build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
            } else if (level == 1) {
                put_empty(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, count);
                build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
            } else {
                put_empty(&request, BB_F_REQUEST_RESOURCE_SPANS, count);
            }
            struct outcome outcome = walk(bb_buf_slice(&request));
            if (more == 0) {
                assert_int_equal(outcome.err, BB_OK);
                assert_int_equal(outcome.rejected_count, level == 0 ? count : 0);
            } else {
                assert_int_equal(outcome.err, BB_ETOOBIG);
                assert_string_equal(outcome.text, text);
            }
            bb_buf_dispose(&request);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_nest_to_the_limit_and_not_deeper),
        cmocka_unit_test(the_path_to_what_is_too_deep_keeps_its_outer_part),
        cmocka_unit_test(attributes_are_bounded_on_a_span_an_event_and_a_link),
        cmocka_unit_test(attributes_are_bounded_on_a_resource_and_a_scope),
        cmocka_unit_test(events_and_links_are_bounded),
        cmocka_unit_test(values_are_bounded_over_all_levels_of_a_span),
        cmocka_unit_test(the_count_of_values_starts_anew_with_each_span),
        cmocka_unit_test(a_span_is_bounded_in_bytes),
        cmocka_unit_test(a_resource_and_a_scope_are_bounded_in_bytes),
        cmocka_unit_test(resources_in_many_pieces_are_bounded_together),
        cmocka_unit_test(a_request_is_bounded_in_bytes),
        cmocka_unit_test(spans_scopes_and_resources_of_a_request_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
