#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/otlp_json_patch.h"

/* Times and ids in every place where they can stand, and members that must not be touched. */
static const char document[] =
    "{ \"resourceSpans\" : [ "
    "{\"resource\":{\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":"
    "\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\"}}]},\n"
    "\"scopeSpans\":[{\"scope\":{\"name\":\"s\"},\"spans\":[\n"
    "{\"traceId\":\"0102030405060708090A0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","
    "\"parentSpanId\":\"\",\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":2000,"
    "\"attributes\":[{\"key\":\"startTimeUnixNano\",\"value\":{\"intValue\":\"1000\"}}],"
    "\"events\":[{\"timeUnixNano\":\"1500\",\"name\":\"e\"}],"
    "\"links\":[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\"}]"
    ","
    "\"unknown\":1.50e0}]}]}],\"other\":[1, 2]}";

static struct bb_slice slice(const char *text)
{
    return bb_slice_from_cstr(text);
}

/* The patched document with a NUL behind it, in `out`. */
static const char *patched(const struct bb_otlp_patch *patch, struct bb_buf *out)
{
    bb_buf_init(out, 1u << 20);
    assert_int_equal(bb_otlp_json_patch(patch, slice(document), out), BB_OK);
    bb_buf_append_byte(out, '\0');
    return (const char *)out->data;
}

static void without_a_change_the_text_is_copied_byte_for_byte(void **state)
{
    const struct bb_otlp_patch nothing = {0};
    struct bb_buf out;

    (void)state;
    assert_string_equal(patched(&nothing, &out), document);
    bb_buf_dispose(&out);
}

static void times_move_and_keep_their_form(void **state)
{
    const struct bb_otlp_patch shift = {
        .has_shift = true, .from_unix_ns = 2000, .to_unix_ns = 1000000002000};
    struct bb_buf out;

    (void)state;
    const char *text = patched(&shift, &out);
    assert_non_null(strstr(text, "\"startTimeUnixNano\":\"1000000001000\","
                                 "\"endTimeUnixNano\":1000000002000,"));
    assert_non_null(strstr(text, "\"timeUnixNano\":\"1000000001500\""));
    assert_non_null(
        strstr(text, "\"key\":\"startTimeUnixNano\",\"value\":{\"intValue\":\"1000\"}"));
    assert_non_null(strstr(text, "\"unknown\":1.50e0"));
    bb_buf_dispose(&out);
}

static void fresh_ids_are_those_of_the_protobuf_form(void **state)
{
    const struct bb_otlp_patch fresh = {.has_fresh_ids = true, .ids = bb_id_map_of(3)};
    struct bb_trace_id trace_id;
    char expected[BB_TRACE_ID_HEX_SIZE];
    struct bb_buf out;

    (void)state;
    assert_int_equal(bb_trace_id_parse(slice("0102030405060708090a0b0c0d0e0f10"), &trace_id),
                     BB_OK);
    bb_id_map_trace_id(&fresh.ids, trace_id.bytes);
    bb_trace_id_format(&trace_id, expected);
    const char *text = patched(&fresh, &out);
    const char *first = strstr(text, expected);
    assert_non_null(first);
    assert_non_null(strstr(first + 1, expected)); /* the link's */
    assert_null(strstr(text, "\"spanId\":\"0102030405060708\""));
    assert_null(strstr(text, "6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    assert_non_null(strstr(text, "\"parentSpanId\":\"\""));
    bb_buf_dispose(&out);
}

static void counts_the_spans_and_finds_the_newest_end(void **state)
{
    struct bb_slice rest = slice(document);
    struct bb_otlp_json_document found;

    (void)state;
    assert_int_equal(bb_otlp_json_next(rest, &rest, NULL, &found), BB_OK);
    assert_true(found.has_resource_spans);
    assert_int_equal(found.totals.span_count, 1);
    assert_int_equal(found.totals.newest_end_unix_ns, 2000);
    assert_int_equal(rest.size, 0);
}

static void reads_one_document_after_the_other(void **state)
{
    struct bb_slice file = slice("{\"resourceSpans\":[]}\n{\"resourceMetrics\":[]}\n\n"
                                 "{\"result\":{\"resourceSpans\":[]}}{}\n");
    struct bb_slice rest = file;
    struct bb_otlp_json_document found;

    (void)state;
    assert_int_equal(bb_otlp_json_next(file, &rest, NULL, &found), BB_OK);
    assert_true(found.has_resource_spans);
    assert_int_equal(bb_otlp_json_next(file, &rest, NULL, &found), BB_OK);
    assert_false(found.has_resource_spans);
    assert_int_equal(bb_otlp_json_next(file, &rest, NULL, &found), BB_OK);
    assert_true(found.has_resource_spans);
    assert_true(bb_slice_equals_cstr(found.text, "{\"resourceSpans\":[]}"));
    assert_int_equal(bb_otlp_json_next(file, &rest, NULL, &found), BB_OK);
    assert_false(found.has_resource_spans);
    assert_int_equal(rest.size, 0);
}

static void damage_is_told_by_line_and_column_of_the_file(void **state)
{
    struct bb_slice file = slice("{\"resourceSpans\":[]}\n{\"resourceSpans\":[}\n");
    struct bb_slice rest = file;
    struct bb_otlp_json_document found;
    struct bb_err_detail detail = {0};

    (void)state;
    assert_int_equal(bb_otlp_json_next(file, &rest, &detail, &found), BB_OK);
    assert_int_equal(bb_otlp_json_next(file, &rest, &detail, &found), BB_EINVAL);
    assert_string_equal(detail.text, "line 2, column 19: expected a value");
}

/* What is no span is the receiver's to refuse; it must not stop the others here. */
static void values_of_a_wrong_type_are_passed_over(void **state)
{
    static const char *const texts[] = {
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[null,7,\"x\",[]]}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[3,{\"startTimeUnixNano\":{},"
        "\"endTimeUnixNano\":\"-5\",\"traceId\":7,\"spanId\":\"xyz\",\"events\":[1],\"links\":{},"
        "\"attributes\":[{\"value\":[]},5]}]}],\"resource\":[]}]}",
    };
    const struct bb_otlp_patch all = {.has_shift = true,
                                      .from_unix_ns = 10,
                                      .to_unix_ns = 20,
                                      .has_fresh_ids = true,
                                      .ids = bb_id_map_of(3)};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(texts); i++) {
        struct bb_buf out;
        bb_buf_init(&out, 1u << 20);
        assert_int_equal(bb_otlp_json_patch(&all, slice(texts[i]), &out), BB_OK);
        bb_buf_append_byte(&out, '\0');
        assert_string_equal((const char *)out.data, texts[i]);
        bb_buf_dispose(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_change_the_text_is_copied_byte_for_byte),
        cmocka_unit_test(times_move_and_keep_their_form),
        cmocka_unit_test(fresh_ids_are_those_of_the_protobuf_form),
        cmocka_unit_test(counts_the_spans_and_finds_the_newest_end),
        cmocka_unit_test(reads_one_document_after_the_other),
        cmocka_unit_test(damage_is_told_by_line_and_column_of_the_file),
        cmocka_unit_test(values_of_a_wrong_type_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
