#include "query/otlp_json_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/otlp_walk.h"
#include "common/pb_wire.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

struct fixture {
    struct bb_arena arena;
    struct bb_buf out;
};

static int set_up(void **state)
{
    static struct fixture fx;

    bb_arena_init(&fx.arena, 1 << 20);
    bb_buf_init(&fx.out, 1 << 20);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    bb_buf_dispose(&fx->out);
    return 0;
}

static const char *render(struct fixture *fx, const struct bb_span_batch *batch)
{
    struct bb_json_writer json = bb_json_writer_of(&fx->out);

    bb_json_begin_array(&json);
    bb_otlp_json_write_resource_spans(&json, batch);
    bb_json_end_array(&json);
    assert_int_equal(json.depth, 0);
    bb_buf_append_byte(&fx->out, '\0');
    assert_int_equal(bb_buf_err(&fx->out), BB_OK);
    return (const char *)fx->out.data;
}

static void writes_every_field_of_a_span(void **state)
{
    struct fixture *fx = *state;
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", "1.2");
    span_build_int(&build, "scope.n", 1);
    span_build_span(&build, (struct span_spec){.trace = 1,
                                               .id = 2,
                                               .parent = 3,
                                               .name = "x",
                                               .kind = BB_KIND_CONSUMER,
                                               .start_unix_ns = UINT64_C(1700000000000000001),
                                               .end_unix_ns = UINT64_C(1700000000000000002),
                                               .status = BB_STATUS_ERROR,
                                               .status_message = "boom",
                                               .trace_state = "a=1",
                                               .flags = 0x101,
                                               .dropped_attributes = 1,
                                               .dropped_events = 2,
                                               .dropped_links = 3});
    span_build_string(&build, "s", "");
    span_build_bool(&build, "b", true);
    span_build_int(&build, "i", INT64_MIN);
    span_build_double(&build, "d", 0.1);
    span_build_bytes(&build, "raw", bb_slice_of("\x00\xff", 2));
    span_build_array(&build, "list");
    span_build_event(&build, 5, "ev");
    span_build_bool(&build, "deep", false);
    span_build_link(&build, 4, 5);
    struct bb_span_batch batch = span_build_batch(&build, &fx->arena);

    assert_string_equal(
        render(fx, &batch),
        "[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
        "{\"stringValue\":\"web\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\","
        "\"version\":\"1.2\",\"attributes\":[{\"key\":\"scope.n\",\"value\":{\"intValue\":\"1\"}}]}"
        ","
        "\"spans\":[{\"traceId\":\"a0a1a2a3a4a5a6a70000000000000001\","
        "\"spanId\":\"0000000000000002\",\"traceState\":\"a=1\","
        "\"parentSpanId\":\"0000000000000003\",\"flags\":257,\"name\":\"x\",\"kind\":5,"
        "\"startTimeUnixNano\":\"1700000000000000001\",\"endTimeUnixNano\":\"1700000000000000002\","
        "\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"\"}},"
        "{\"key\":\"b\",\"value\":{\"boolValue\":true}},"
        "{\"key\":\"i\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
        "{\"key\":\"d\",\"value\":{\"doubleValue\":0.1}},"
        "{\"key\":\"raw\",\"value\":{\"bytesValue\":\"AP8=\"}},"
        "{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},"
        "{\"stringValue\":\"b\"}]}}}],\"droppedAttributesCount\":1,"
        "\"events\":[{\"timeUnixNano\":\"5\",\"name\":\"ev\",\"attributes\":"
        "[{\"key\":\"deep\",\"value\":{\"boolValue\":false}}]}],\"droppedEventsCount\":2,"
        "\"links\":[{\"traceId\":\"a0a1a2a3a4a5a6a70000000000000004\","
        "\"spanId\":\"0000000000000005\"}],\"droppedLinksCount\":3,"
        "\"status\":{\"message\":\"boom\",\"code\":2}}]}]}]");
    span_build_dispose(&build);
}

static void writes_one_element_a_resource_and_one_a_scope(void **state)
{
    struct fixture *fx = *state;
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "a");
    span_build_scope(&build, "s1", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 1});
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 2});
    span_build_scope(&build, "s2", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 3});
    span_build_resource(&build, "b");
    span_build_scope(&build, "s3", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 4});
    struct bb_span_batch batch = span_build_batch(&build, &fx->arena);
    const char *json = render(fx, &batch);
    unsigned resources = 0;
    unsigned scopes = 0;
    unsigned spans = 0;

    for (const char *at = json; (at = strstr(at, "\"resource\":")) != NULL; at++) {
        resources++;
    }
    for (const char *at = json; (at = strstr(at, "\"scope\":")) != NULL; at++) {
        scopes++;
    }
    for (const char *at = json; (at = strstr(at, "\"spanId\":")) != NULL; at++) {
        spans++;
    }
    assert_int_equal(resources, 2);
    assert_int_equal(scopes, 3);
    assert_int_equal(spans, 4);
    span_build_dispose(&build);
}

/* Every name of OTLP's JSON that a request of everything must bring. */
static void leaves_no_field_of_a_full_request_out(void **state)
{
    static const char *const keys[] = {
        "resource",
        "scopeSpans",
        "schemaUrl",
        "attributes",
        "scope",
        "name",
        "version",
        "spans",
        "traceId",
        "spanId",
        "traceState",
        "parentSpanId",
        "flags",
        "kind",
        "key",
        "startTimeUnixNano",
        "value",
        "events",
        "endTimeUnixNano",
        "droppedAttributesCount",
        "timeUnixNano",
        "links",
        "droppedEventsCount",
        "droppedLinksCount",
        "status",
        "message",
        "code",
        "stringValue",
        "boolValue",
        "intValue",
        "doubleValue",
        "bytesValue",
        "arrayValue",
        "kvlistValue",
    };
    struct fixture *fx = *state;
    struct bb_walk_result result;
    struct bb_buf request;
    char quoted[64];

    build_init(&request);
    build_full_request(&request);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&request), &fx->arena, NULL, &result), BB_OK);
    assert_int_equal(result.rejected_count, 0);
    const char *json = render(fx, &result.batch);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)snprintf(quoted, sizeof(quoted), "\"%s\":", keys[i]);
        if (strstr(json, quoted) == NULL) {
            fail_msg("no %s in %s", keys[i], json);
        }
    }
    bb_buf_dispose(&request);
}

static void writes_the_entities_of_a_resource(void **state)
{
    struct fixture *fx = *state;
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, NULL);
    size_t mark = bb_pb_begin_message(&build.wire, BB_F_RESOURCE_ENTITY_REFS);
    bb_pb_write_bytes(&build.wire, BB_F_ENTITY_REF_SCHEMA_URL, BYTES_OF("u"));
    bb_pb_write_bytes(&build.wire, BB_F_ENTITY_REF_TYPE, BYTES_OF("host"));
    bb_pb_write_bytes(&build.wire, BB_F_ENTITY_REF_ID_KEYS, BYTES_OF("host.id"));
    bb_pb_write_bytes(&build.wire, BB_F_ENTITY_REF_ID_KEYS, BYTES_OF("host.ip"));
    bb_pb_write_bytes(&build.wire, BB_F_ENTITY_REF_DESCRIPTION_KEYS, BYTES_OF("host.name"));
    bb_pb_end_message(&build.wire, mark);
    bb_pb_write_uint(&build.wire, BB_F_RESOURCE_DROPPED_ATTRIBUTES_COUNT, 9);
    span_build_scope(&build, NULL, NULL);
    span_build_span(&build, (struct span_spec){.trace = 1, .id = 1});
    struct bb_span_batch batch = span_build_batch(&build, &fx->arena);
    const char *json = render(fx, &batch);

    assert_non_null(strstr(json, "{\"resource\":{\"droppedAttributesCount\":9,\"entityRefs\":["
                                 "{\"schemaUrl\":\"u\",\"type\":\"host\",\"idKeys\":[\"host.id\","
                                 "\"host.ip\"],\"descriptionKeys\":[\"host.name\"]}]}"));
    span_build_dispose(&build);
}

/* Not what the walk lets in: what a damaged disk could hand up. */
static void bounds_the_nesting_that_it_follows(void **state)
{
    struct fixture *fx = *state;
    struct bb_slice value = {0};
    uint8_t *bytes = bb_arena_try_alloc(&fx->arena, 1 << 16);
    size_t at = 1 << 16;

    assert_non_null(bytes);
    for (int i = 0; i < 2000; i++) { /* from the inside out: ArrayValue in AnyValue in ... */
        struct bb_buf prefix;
        bb_buf_init(&prefix, 64);
        size_t size = ((size_t)1 << 16) - at;
        bb_pb_write_tag(&prefix, i % 2 == 0 ? (uint32_t)BB_F_VALUE_ARRAY : BB_F_ARRAY_VALUES,
                        BB_PB_BYTES);
        bb_pb_write_varint(&prefix, size);
        at -= prefix.size;
        memcpy(bytes + at, prefix.data, prefix.size);
        bb_buf_dispose(&prefix);
    }
    value = bb_slice_of(bytes + at, ((size_t)1 << 16) - at);
    struct bb_buf span;
    build_init(&span);
    size_t attribute = bb_pb_begin_message(&span, BB_F_SPAN_ATTRIBUTES);
    bb_pb_write_bytes(&span, BB_F_KEY_VALUE_KEY, BYTES_OF("k"));
    bb_pb_write_bytes(&span, BB_F_KEY_VALUE_VALUE,
                      bb_slice_of(value.data + 3, value.size - 3)); /* begins as an AnyValue */
    bb_pb_end_message(&span, attribute);
    struct bb_resource_ref resource = {0};
    struct bb_scope_ref scope = {0};
    struct bb_span_ref ref = {.bytes = bb_buf_slice(&span)};
    struct bb_span_batch batch = {.resources = &resource,
                                  .scopes = &scope,
                                  .spans = &ref,
                                  .resource_count = 1,
                                  .scope_count = 1,
                                  .span_count = 1};
    const char *json = render(fx, &batch);
    unsigned depth = 0;
    for (const char *p = json; (p = strstr(p, "arrayValue")) != NULL; p++) {
        depth++;
    }
    assert_int_equal(depth, BB_VALUE_DEPTH_MAX);
    bb_buf_dispose(&span);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_every_field_of_a_span, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_one_element_a_resource_and_one_a_scope, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(leaves_no_field_of_a_full_request_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_the_entities_of_a_resource, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_the_nesting_that_it_follows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
