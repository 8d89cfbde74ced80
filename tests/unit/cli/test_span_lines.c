#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_reader.h"
#include "common/otlp_walk.h"
#include "query/cli/span_lines.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

static void a_line_has_all_that_belongs_to_a_span(void **state)
{
    struct span_build build;
    struct bb_arena arena;
    struct bb_buf out;

    (void)state;
    span_build_init(&build);
    span_build_resource(&build, "shop");
    span_build_scope(&build, "lib", "1.0");
    span_build_span(&build, (struct span_spec){.trace = 1,
                                               .id = 2,
                                               .parent = 3,
                                               .name = "n\n\"",
                                               .kind = BB_KIND_CLIENT,
                                               .start_unix_ns = 1000,
                                               .end_unix_ns = 3000,
                                               .status = BB_STATUS_ERROR,
                                               .status_message = "bad",
                                               .trace_state = "a=b",
                                               .flags = 257,
                                               .dropped_attributes = 4,
                                               .dropped_events = 5,
                                               .dropped_links = 6});
    span_build_int(&build, "i", INT64_MIN);
    span_build_double(&build, "d", 0.5);
    span_build_bool(&build, "b", true);
    span_build_bytes(&build, "raw", bb_slice_of("\x00\xff", 2));
    span_build_array(&build, "list");
    span_build_event(&build, 1500, "e");
    span_build_string(&build, "k", "v");
    span_build_link(&build, 7, 8);
    bb_arena_init(&arena, 1u << 20);
    bb_buf_init(&out, 1u << 20);
    struct bb_span_batch batch = span_build_batch(&build, &arena);
    bb_span_lines_append(&batch, 0, &out);
    bb_buf_append_byte(&out, '\0');
    assert_string_equal(
        (const char *)out.data,
        "{\"traceId\":\"a0a1a2a3a4a5a6a70000000000000001\",\"spanId\":\"0000000000000002\","
        "\"parentSpanId\":\"0000000000000003\",\"service\":\"shop\",\"name\":\"n\\n\\\"\","
        "\"kind\":\"client\",\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"3000\","
        "\"durationNano\":2000,\"status\":{\"code\":\"error\",\"message\":\"bad\"},"
        "\"traceState\":\"a=b\",\"flags\":257,"
        "\"attributes\":{\"i\":-9223372036854775808,\"d\":0.5,\"b\":true,\"raw\":\"AP8=\","
        "\"list\":[\"a\",\"b\"]},\"droppedAttributesCount\":4,"
        "\"events\":[{\"timeUnixNano\":\"1500\",\"name\":\"e\",\"attributes\":{\"k\":\"v\"}}],"
        "\"droppedEventsCount\":5,"
        "\"links\":[{\"traceId\":\"a0a1a2a3a4a5a6a70000000000000007\","
        "\"spanId\":\"0000000000000008\",\"attributes\":{}}],\"droppedLinksCount\":6,"
        "\"resource\":{\"attributes\":{\"service.name\":\"shop\"}},"
        "\"scope\":{\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":{}}}\n");
    bb_buf_dispose(&out);
    bb_arena_dispose(&arena);
    span_build_dispose(&build);
}

static void whatever_a_span_has_its_line_is_one_json_object(void **state)
{
    struct bb_buf request;
    struct bb_buf out;
    struct bb_arena arena;
    struct bb_walk_result walked;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    bb_arena_init(&arena, 1u << 20);
    bb_buf_init(&out, 1u << 20);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&request), &arena, NULL, &walked), BB_OK);
    for (uint32_t i = 0; i < walked.batch.span_count; i++) {
        bb_buf_clear(&out);
        bb_span_lines_append(&walked.batch, i, &out);
        assert_int_equal(bb_buf_err(&out), BB_OK);
        assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
        struct bb_json_reader json = bb_json_reader_of(bb_buf_slice(&out));
        assert_int_equal(bb_json_peek(&json), BB_JSON_OBJECT);
        assert_true(bb_json_skip(&json));
        assert_true(bb_json_at_end(&json));
    }
    bb_buf_dispose(&request);
    bb_buf_dispose(&out);
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_all_that_belongs_to_a_span),
        cmocka_unit_test(whatever_a_span_has_its_line_is_one_json_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
