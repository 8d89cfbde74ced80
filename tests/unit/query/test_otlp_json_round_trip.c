/*
 * What the query API writes as OTLP/JSON, the receiver reads back as the same spans: nothing is
 * lost or changed on the way out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/otlp_json.h"
#include "common/otlp_walk.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "query/otlp_json_render.h"
#include "tests/support/otlp_build.h"
#include "tests/support/proto_text.h"
#include "tests/support/span_build.h"

static void erase(char *text, const char *part)
{
    const size_t size = strlen(part);

    while ((text = strstr(text, part)) != NULL) {
        memmove(text, text + size, strlen(text + size) + 1);
    }
}

/* Shows where two long texts part, and a little around it. */
static void check_same(const char *read, const char *sent)
{
    size_t at = 0;

    while (read[at] != '\0' && read[at] == sent[at]) {
        at++;
    }
    if (read[at] != sent[at]) {
        size_t from = at < 60 ? 0 : at - 60;
        fail_msg("read \"%.120s\", sent \"%.120s\"", read + from, sent + from);
    }
}

static void check_round_trip(struct bb_slice wire)
{
    const ProtobufCMessageDescriptor *type =
        &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor;
    struct bb_err_detail detail = {{0}};
    struct bb_left_out left_out = {0};
    struct bb_walk_result result;
    struct bb_arena arena;
    struct bb_buf json;
    struct bb_buf back;

    bb_arena_init(&arena, 1 << 24);
    bb_buf_init(&json, 1 << 24);
    bb_buf_init(&back, 1 << 24);
    assert_int_equal(bb_otlp_walk(wire, &arena, NULL, &result), BB_OK);
    assert_int_equal(result.rejected_count, 0);
    assert_true(result.batch.span_count > 0);

    struct bb_json_writer writer = bb_json_writer_of(&json);
    bb_json_begin_object(&writer);
    bb_json_key(&writer, "resourceSpans");
    bb_json_begin_array(&writer);
    bb_otlp_json_write_resource_spans(&writer, &result.batch);
    bb_json_end_array(&writer);
    bb_json_end_object(&writer);
    assert_int_equal(bb_buf_err(&json), BB_OK);
    if (bb_otlp_json_to_protobuf(bb_buf_slice(&json), &back, &left_out, &detail) != BB_OK) {
        fail_msg("%s", detail.text);
    }
    assert_int_equal(left_out.span_count, 0);

    char *sent = proto_text_of(type, wire);
    char *read = proto_text_of(type, bb_buf_slice(&back));
    /* JSON has no name for a field that OTLP doesn't know: that one alone is not expected back. */
    erase(sent, " unknown=1000");
    /* A resource or scope that says nothing is the same as none; clients want the object there. */
    erase(read, "resource{} ");
    erase(read, "scope{} ");
    erase(sent, "resource{} ");
    erase(sent, "scope{} ");
    check_same(read, sent);
    free(sent);
    free(read);
    bb_buf_dispose(&back);
    bb_buf_dispose(&json);
    bb_arena_dispose(&arena);
}

static void brings_a_request_of_everything_back_the_same(void **state)
{
    struct bb_buf request;

    (void)state;
    build_init(&request);
    build_full_request(&request);
    check_round_trip(bb_buf_slice(&request));
    bb_buf_dispose(&request);
}

static void brings_values_at_their_limits_back_the_same(void **state)
{
    static const double doubles[] = {0.1, -0.0, 5e-324, 1.7976931348623157e308, 1e21, 1e-7};
    struct span_build build;

    (void)state;
    span_build_init(&build);
    span_build_resource(&build, "\"quoted\"\\ \x01 \xf0\x9f\x98\x80");
    span_build_scope(&build, "", "");
    span_build_span(&build, (struct span_spec){.trace = UINT64_MAX,
                                               .id = UINT64_MAX,
                                               .name = "\n\t\x7f",
                                               .start_unix_ns = UINT64_MAX,
                                               .end_unix_ns = UINT64_MAX - 1,
                                               .flags = UINT32_MAX,
                                               .dropped_attributes = UINT32_MAX});
    span_build_int(&build, "int", INT64_MIN);
    span_build_int(&build, "int", INT64_MAX); /* a key may repeat */
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        span_build_double(&build, "double", doubles[i]);
    }
    span_build_bytes(&build, "bytes", bb_slice_of("", 0));
    span_build_bytes(&build, "bytes", bb_slice_of("\x00\x01\xfe\xff", 4));
    span_build_string(&build, "", "");
    span_build_event(&build, UINT64_MAX, "");
    check_round_trip(span_build_finish(&build));
    span_build_dispose(&build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_a_request_of_everything_back_the_same),
        cmocka_unit_test(brings_values_at_their_limits_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
