#include "query/jaeger_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/span_build.h"

struct fixture {
    struct span_build build;
    struct bb_arena arena;
    struct bb_trace trace;
    struct bb_buf out;
};

static int set_up(void **state)
{
    static struct fixture fx;

    span_build_init(&fx.build);
    bb_arena_init(&fx.arena, 1 << 20);
    bb_buf_init(&fx.out, 1 << 20);
    fx.trace.trace_id = span_build_trace_id(1);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    span_build_dispose(&fx->build);
    bb_arena_dispose(&fx->arena);
    bb_buf_dispose(&fx->out);
    return 0;
}

static const char *render(struct fixture *fx)
{
    struct bb_json_writer json = bb_json_writer_of(&fx->out);

    fx->trace.batch = span_build_batch(&fx->build, &fx->arena);
    assert_int_equal(bb_jaeger_json_write_trace(&json, &fx->trace, &fx->arena), BB_OK);
    assert_int_equal(json.depth, 0);
    bb_buf_append_byte(&fx->out, '\0');
    return (const char *)fx->out.data;
}

static void check_has(const char *json, const char *part)
{
    if (strstr(json, part) == NULL) {
        fail_msg("%s\nis not in\n%s", part, json);
    }
}

static void check_has_not(const char *json, const char *part)
{
    if (strstr(json, part) != NULL) {
        fail_msg("%s\nis in\n%s", part, json);
    }
}

static void renders_a_plain_span_in_jaegers_shape(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(&fx->build, (struct span_spec){.trace = 1,
                                                   .id = 0x2a,
                                                   .name = "GET /",
                                                   .start_unix_ns = 1700000000000001999,
                                                   .end_unix_ns = 1700000000000005000});
    assert_string_equal(
        render(fx),
        "{\"traceID\":\"a0a1a2a3a4a5a6a70000000000000001\",\"spans\":["
        "{\"traceID\":\"a0a1a2a3a4a5a6a70000000000000001\",\"spanID\":\"000000000000002a\","
        "\"operationName\":\"GET /\",\"references\":[],\"startTime\":1700000000000001,"
        "\"duration\":3,\"tags\":[],\"logs\":[],\"processID\":\"p1\",\"warnings\":null}],"
        "\"processes\":{\"p1\":{\"serviceName\":\"web\",\"tags\":[]}},\"warnings\":null}");
}

static void gives_every_tag_its_type(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_int(&fx->build, "process.pid", 7);
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 1, .name = "x"});
    span_build_string(&fx->build, "s", "t\"");
    span_build_bool(&fx->build, "b", false);
    span_build_int(&fx->build, "i", -5);
    span_build_int(&fx->build, "big", INT64_C(9007199254740993));
    span_build_double(&fx->build, "d", 72.5);
    span_build_bytes(&fx->build, "raw", bb_slice_of("\x00\xff", 2));
    span_build_array(&fx->build, "list");
    const char *json = render(fx);

    check_has(json, "\"tags\":["
                    "{\"key\":\"s\",\"type\":\"string\",\"value\":\"t\\\"\"},"
                    "{\"key\":\"b\",\"type\":\"bool\",\"value\":false},"
                    "{\"key\":\"i\",\"type\":\"int64\",\"value\":-5},"
                    "{\"key\":\"big\",\"type\":\"int64\",\"value\":\"9007199254740993\"},"
                    "{\"key\":\"d\",\"type\":\"float64\",\"value\":72.5},"
                    "{\"key\":\"raw\",\"type\":\"binary\",\"value\":\"AP8=\"},"
                    "{\"key\":\"list\",\"type\":\"string\",\"value\":\"[\\\"a\\\",\\\"b\\\"]\"}]");
    check_has(json, "\"p1\":{\"serviceName\":\"web\",\"tags\":"
                    "[{\"key\":\"process.pid\",\"type\":\"int64\",\"value\":7}]}");
}

static void makes_tags_of_the_fields_that_jaeger_has_none_for(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, "lib", "1.2");
    span_build_span(&fx->build, (struct span_spec){.trace = 1,
                                                   .id = 1,
                                                   .name = "x",
                                                   .kind = BB_KIND_SERVER,
                                                   .status = BB_STATUS_ERROR,
                                                   .status_message = "boom",
                                                   .trace_state = "a=1",
                                                   .flags = 0x101});
    const char *json = render(fx);

    check_has(json, "\"flags\":257,");
    check_has(json, "{\"key\":\"otel.scope.name\",\"type\":\"string\",\"value\":\"lib\"},"
                    "{\"key\":\"otel.scope.version\",\"type\":\"string\",\"value\":\"1.2\"},"
                    "{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"},"
                    "{\"key\":\"otel.status_code\",\"type\":\"string\",\"value\":\"ERROR\"},"
                    "{\"key\":\"error\",\"type\":\"bool\",\"value\":true},"
                    "{\"key\":\"otel.status_description\",\"type\":\"string\",\"value\":\"boom\"},"
                    "{\"key\":\"w3c.tracestate\",\"type\":\"string\",\"value\":\"a=1\"}]");
}

static void says_nothing_twice_that_an_attribute_says_already(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(
        &fx->build,
        (struct span_spec){
            .trace = 1, .id = 1, .name = "x", .kind = BB_KIND_CLIENT, .status = BB_STATUS_ERROR});
    span_build_bool(&fx->build, "error", true);
    span_build_string(&fx->build, "span.kind", "odd");
    const char *json = render(fx);

    check_has(json, "\"tags\":[{\"key\":\"error\",\"type\":\"bool\",\"value\":true},"
                    "{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"odd\"},"
                    "{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"client\"},"
                    "{\"key\":\"otel.status_code\",\"type\":\"string\",\"value\":\"ERROR\"}]");
}

static void turns_events_into_logs_and_links_into_references(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 1, .name = "root"});
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 2, .parent = 1, .name = "x"});
    span_build_event(&fx->build, 5000, "retry");
    span_build_int(&fx->build, "n", 3);
    span_build_event(&fx->build, 7000, "");
    span_build_link(&fx->build, 9, 8);
    const char *json = render(fx);

    check_has(json, "\"references\":[{\"refType\":\"CHILD_OF\","
                    "\"traceID\":\"a0a1a2a3a4a5a6a70000000000000001\","
                    "\"spanID\":\"0000000000000001\"},{\"refType\":\"FOLLOWS_FROM\","
                    "\"traceID\":\"a0a1a2a3a4a5a6a70000000000000009\","
                    "\"spanID\":\"0000000000000008\"}]");
    check_has(json, "\"logs\":[{\"timestamp\":5,\"fields\":["
                    "{\"key\":\"event\",\"type\":\"string\",\"value\":\"retry\"},"
                    "{\"key\":\"n\",\"type\":\"int64\",\"value\":3}]},"
                    "{\"timestamp\":7,\"fields\":[]}]");
}

static void warns_of_what_is_wrong_or_lost(void **state)
{
    struct fixture *fx = *state;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 1, .parent = 0x99});
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 1});
    span_build_span(&fx->build, (struct span_spec){.trace = 1,
                                                   .id = 2,
                                                   .start_unix_ns = 9000,
                                                   .end_unix_ns = 8000,
                                                   .dropped_attributes = 3,
                                                   .dropped_events = 4,
                                                   .dropped_links = 5});
    const char *json = render(fx);

    check_has(json, "\"warnings\":[\"its parent span 0000000000000099 is not in the trace\","
                    "\"other spans of this trace have the same span id\"]");
    check_has(json, "\"warnings\":[\"other spans of this trace have the same span id\"]");
    check_has(json, "\"duration\":0,");
    check_has(json, "\"warnings\":[\"it ends 1000ns before it starts; shown with a duration of "
                    "0\",\"3 attributes of this span were dropped before it was sent\",\"4 events "
                    "of this span were dropped before it was sent\",\"5 links of this span were "
                    "dropped before it was sent\"]");
}

static void makes_one_process_of_equal_resources(void **state)
{
    static const char *const services[] = {"web", "cart", "web", NULL};
    struct fixture *fx = *state;

    for (uint64_t i = 0; i < 4; i++) {
        span_build_resource(&fx->build, services[i]);
        span_build_scope(&fx->build, NULL, NULL);
        span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = i + 1});
    }
    const char *json = render(fx);

    check_has(json, "\"processes\":{\"p1\":{\"serviceName\":\"web\",\"tags\":[]},"
                    "\"p2\":{\"serviceName\":\"cart\",\"tags\":[]},"
                    "\"p3\":{\"serviceName\":\"OTLPResourceNoServiceName\",\"tags\":[]}}");
    check_has(json, "\"spanID\":\"0000000000000003\",\"operationName\":\"\",\"references\":[],"
                    "\"startTime\":0,\"duration\":0,\"tags\":[],\"logs\":[],\"processID\":\"p1\"");
    check_has_not(json, "p4");
}

static void writes_a_trace_id_of_64_bits_with_16_digits(void **state)
{
    struct fixture *fx = *state;

    memset(fx->trace.trace_id.bytes, 0, 8);
    span_build_resource(&fx->build, "web");
    const char *json = render(fx);
    check_has(json, "{\"traceID\":\"0000000000000001\",");
}

static void reports_a_buffer_and_an_arena_that_are_full(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena full;
    struct bb_buf small;

    span_build_resource(&fx->build, "web");
    span_build_scope(&fx->build, NULL, NULL);
    span_build_span(&fx->build, (struct span_spec){.trace = 1, .id = 1});
    (void)render(fx);
    bb_arena_init(&full, 8);
    struct bb_json_writer json = bb_json_writer_of(&fx->out);
    assert_int_equal(bb_jaeger_json_write_trace(&json, &fx->trace, &full), BB_ENOMEM);
    bb_arena_dispose(&full);
    bb_buf_init(&small, 100);
    json = bb_json_writer_of(&small);
    assert_int_equal(bb_jaeger_json_write_trace(&json, &fx->trace, &fx->arena), BB_ETOOBIG);
    bb_buf_dispose(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(renders_a_plain_span_in_jaegers_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_every_tag_its_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_tags_of_the_fields_that_jaeger_has_none_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_nothing_twice_that_an_attribute_says_already, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(turns_events_into_logs_and_links_into_references, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(warns_of_what_is_wrong_or_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_one_process_of_equal_resources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_a_trace_id_of_64_bits_with_16_digits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reports_a_buffer_and_an_arena_that_are_full, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
