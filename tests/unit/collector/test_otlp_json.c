#include "collector/otlp_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/limits.h"
#include "common/otlp_walk.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "tests/support/proto_text.h"

#define REQUEST                                                                                    \
    &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor

#define TRACE_HEX "0102030405060708090a0b0c0d0e0f10"
#define IDS "\"traceId\":\"" TRACE_HEX "\",\"spanId\":\"0102030405060708\""
#define IDS_TEXT "trace_id=" TRACE_HEX " span_id=0102030405060708"
#define SPANS(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define SPAN(members) SPANS("{" IDS members "}")
#define VALUE(value) SPAN(",\"attributes\":[{\"key\":\"k\",\"value\":" value "}]")
#define SPAN_TEXT(fields) "resource_spans{scope_spans{spans{" IDS_TEXT fields "}}}"
#define VALUE_TEXT(value) SPAN_TEXT(" attributes{key=\"k\" value{" value "}}")
#define PATH "resourceSpans[0].scopeSpans[0].spans[0]"
#define VALUE_PATH PATH ".attributes[0].value"

struct outcome {
    enum bb_err err;
    struct bb_buf out;
    struct bb_left_out left_out;
    struct bb_err_detail detail;
};

static struct outcome transcode_bytes(const char *json, size_t size)
{
    struct outcome outcome = {.err = BB_OK};
    uint8_t *exact = malloc(size > 0 ? size : 1); /* a sanitizer sees a read behind it */

    assert_non_null(exact);
    memcpy(exact, json, size);
    bb_buf_init(&outcome.out, (size_t)1 << 20);
    outcome.err = bb_otlp_json_to_protobuf(bb_slice_of(exact, size), &outcome.out,
                                           &outcome.left_out, &outcome.detail);
    free(exact);
    return outcome;
}

static struct outcome transcode(const char *json)
{
    return transcode_bytes(json, strlen(json));
}

/* A document, and the text of the message that it becomes. */
struct good_row {
    const char *json;
    const char *text;
};

static void check_good(const struct good_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct outcome got = transcode(rows[i].json);

        if (got.err != BB_OK || got.left_out.span_count != 0) {
            fail_msg("%s\n gave %d %s %s", rows[i].json, (int)got.err, got.detail.text,
                     got.left_out.first.text);
        }
        char *text = proto_text_of(REQUEST, bb_buf_slice(&got.out));
        if (strcmp(text, rows[i].text) != 0) {
            fail_msg("%s\n gave %s\n not  %s", rows[i].json, text, rows[i].text);
        }
        free(text);
        bb_buf_dispose(&got.out);
    }
}

static void every_field_of_every_message_comes_over(void **state)
{
    static const struct good_row rows[] = {
        {"{\"resourceSpans\":[{"
         "\"schemaUrl\":\"https://r\","
         "\"resource\":{\"attributes\":[{\"key\":\"service.name\","
         "\"value\":{\"stringValue\":\"cart\"}}],"
         "\"droppedAttributesCount\":1,"
         "\"entityRefs\":[{\"schemaUrl\":\"https://e\",\"type\":\"service\","
         "\"idKeys\":[\"service.name\",\"\"],"
         "\"descriptionKeys\":[\"a\",\"b\"]}]},"
         "\"scopeSpans\":[{"
         "\"schemaUrl\":\"https://s\","
         "\"scope\":{\"name\":\"lib\",\"version\":\"1.2\",\"attributes\":[{\"key\":\"x\","
         "\"value\":{\"boolValue\":"
         "true}}],\"droppedAttributesCount\":2},"
         "\"spans\":[{"
         "\"traceId\":\"" TRACE_HEX "\","
         "\"spanId\":\"0102030405060708\","
         "\"traceState\":\"a=b\","
         "\"parentSpanId\":\"1112131415161718\","
         "\"flags\":769,"
         "\"name\":\"GET /\","
         "\"kind\":2,"
         "\"startTimeUnixNano\":\"1700000000000000001\","
         "\"endTimeUnixNano\":1700000000000000002,"
         "\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":\"5\"}}],"
         "\"droppedAttributesCount\":3,"
         "\"events\":[{\"timeUnixNano\":\"7\",\"name\":\"e\",\"attributes\":[{\"key\":\"ea\","
         "\"value\":{"
         "\"doubleValue\":0.5}}],\"droppedAttributesCount\":4}],"
         "\"droppedEventsCount\":5,"
         "\"links\":[{\"traceId\":\"" TRACE_HEX "\",\"spanId\":\"2122232425262728\","
         "\"traceState\":\"c=d\","
         "\"attributes\":[{\"key\":\"la\",\"value\":{\"stringValue\":\"v\"}}],"
         "\"droppedAttributesCount\":6,"
         "\"flags\":1}],"
         "\"droppedLinksCount\":7,"
         "\"status\":{\"message\":\"boom\",\"code\":2}"
         "}]}]}]}",
         "resource_spans{resource{attributes{key=\"service.name\" value{string_value=\"cart\"}} "
         "dropped_attributes_count=1 entity_refs{schema_url=\"https://e\" type=\"service\" "
         "id_keys=\"service.name\" id_keys=\"\" description_keys=\"a\" description_keys=\"b\"}} "
         "scope_spans{scope{name=\"lib\" version=\"1.2\" attributes{key=\"x\" value{bool_value=1}} "
         "dropped_attributes_count=2} spans{" IDS_TEXT " trace_state=\"a=b\" "
         "parent_span_id=1112131415161718 name=\"GET /\" kind=2 "
         "start_time_unix_nano=1700000000000000001 end_time_unix_nano=1700000000000000002 "
         "attributes{key=\"a\" value{int_value=5}} dropped_attributes_count=3 "
         "events{time_unix_nano=7 name=\"e\" attributes{key=\"ea\" value{double_value=0.5}} "
         "dropped_attributes_count=4} dropped_events_count=5 "
         "links{trace_id=" TRACE_HEX " span_id=2122232425262728 trace_state=\"c=d\" "
         "attributes{key=\"la\" value{string_value=\"v\"}} dropped_attributes_count=6 flags=1} "
         "dropped_links_count=7 status{message=\"boom\" code=2} flags=769} "
         "schema_url=\"https://s\"} "
         "schema_url=\"https://r\"}"},
    };

    (void)state;
    check_good(rows, BB_ARRAY_COUNT(rows));
}

static void empty_requests_are_requests(void **state)
{
    static const struct good_row rows[] = {
        {"{}", ""},
        {" \n{ } ", ""},
        {"{\"resourceSpans\":null}", ""},
        {"{\"resourceSpans\":[]}", ""},
        {"{\"resourceSpans\":[{}]}", "resource_spans{}"},
        {"{\"resourceSpans\":[{\"resource\":null,\"scopeSpans\":null,\"schemaUrl\":null}]}",
         "resource_spans{}"},
        {"{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[]}]}]}",
         "resource_spans{resource{} scope_spans{scope{}}}"},
        {"{\"somethingNew\":{\"a\":[1,2,{\"b\":null}]},\"resourceSpans\":[]}", ""},
    };

    (void)state;
    check_good(rows, BB_ARRAY_COUNT(rows));
}

static void values_keep_their_type_and_that_they_are_there(void **state)
{
    static const struct good_row rows[] = {
        {VALUE("{}"), VALUE_TEXT("")},
        {VALUE("null"), SPAN_TEXT(" attributes{key=\"k\"}")},
        {VALUE("{\"stringValue\":\"\"}"), VALUE_TEXT("string_value=\"\"")},
        {VALUE("{\"stringValue\":null}"), VALUE_TEXT("")},
        {VALUE("{\"stringValue\":null,\"intValue\":1}"), VALUE_TEXT("int_value=1")},
        {VALUE("{\"boolValue\":false}"), VALUE_TEXT("bool_value=0")},
        {VALUE("{\"intValue\":0}"), VALUE_TEXT("int_value=0")},
        {VALUE("{\"intValue\":\"0\"}"), VALUE_TEXT("int_value=0")},
        {VALUE("{\"intValue\":-1}"), VALUE_TEXT("int_value=-1")},
        {VALUE("{\"intValue\":\"-9223372036854775808\"}"),
         VALUE_TEXT("int_value=-9223372036854775808")},
        {VALUE("{\"intValue\":9223372036854775807}"), VALUE_TEXT("int_value=9223372036854775807")},
        {VALUE("{\"intValue\":9007199254740993}"), VALUE_TEXT("int_value=9007199254740993")},
        {VALUE("{\"intValue\":1e3}"), VALUE_TEXT("int_value=1000")},
        {VALUE("{\"intValue\":2.0}"), VALUE_TEXT("int_value=2")},
        {VALUE("{\"doubleValue\":0}"), VALUE_TEXT("double_value=0")},
        {VALUE("{\"doubleValue\":-0.0}"), VALUE_TEXT("double_value=-0")},
        {VALUE("{\"doubleValue\":1}"), VALUE_TEXT("double_value=1")},
        {VALUE("{\"doubleValue\":\"2.5\"}"), VALUE_TEXT("double_value=2.5")},
        {VALUE("{\"doubleValue\":\"NaN\"}"), VALUE_TEXT("double_value=nan")},
        {VALUE("{\"doubleValue\":\"Infinity\"}"), VALUE_TEXT("double_value=inf")},
        {VALUE("{\"doubleValue\":\"-Infinity\"}"), VALUE_TEXT("double_value=-inf")},
        {VALUE("{\"doubleValue\":5e-324}"), VALUE_TEXT("double_value=4.9406564584124654e-324")},
        {VALUE("{\"arrayValue\":{}}"), VALUE_TEXT("array_value{}")},
        {VALUE("{\"arrayValue\":{\"values\":[]}}"), VALUE_TEXT("array_value{}")},
        {VALUE("{\"arrayValue\":{\"values\":[{\"intValue\":1},{},{\"stringValue\":\"b\"}]}}"),
         VALUE_TEXT("array_value{values{int_value=1} values{} values{string_value=\"b\"}}")},
        {VALUE("{\"kvlistValue\":{\"values\":[{\"key\":\"\","
               "\"value\":{\"arrayValue\":{\"values\":[{\"kvlistValue\":"
               "{}}]}}}]}}"),
         VALUE_TEXT("kvlist_value{values{value{array_value{values{kvlist_value{}}}}}}")},
        {VALUE("{\"unknownValue\":7,\"boolValue\":true}"), VALUE_TEXT("bool_value=1")},
    };

    (void)state;
    check_good(rows, BB_ARRAY_COUNT(rows));
}

static void bytes_are_base64_of_either_alphabet(void **state)
{
    static const struct good_row rows[] = {
        {VALUE("{\"bytesValue\":\"\"}"), VALUE_TEXT("bytes_value=")},
        {VALUE("{\"bytesValue\":\"AA==\"}"), VALUE_TEXT("bytes_value=00")},
        {VALUE("{\"bytesValue\":\"AA\"}"), VALUE_TEXT("bytes_value=00")},
        {VALUE("{\"bytesValue\":\"AQI=\"}"), VALUE_TEXT("bytes_value=0102")},
        {VALUE("{\"bytesValue\":\"AQI\"}"), VALUE_TEXT("bytes_value=0102")},
        {VALUE("{\"bytesValue\":\"AQID\"}"), VALUE_TEXT("bytes_value=010203")},
        {VALUE("{\"bytesValue\":\"AQIDBAUG\"}"), VALUE_TEXT("bytes_value=010203040506")},
        {VALUE("{\"bytesValue\":\"+/+/\"}"), VALUE_TEXT("bytes_value=fbffbf")},
        {VALUE("{\"bytesValue\":\"-_-_\"}"), VALUE_TEXT("bytes_value=fbffbf")},
        {VALUE("{\"bytesValue\":\"\\u002b\\/+\\/\"}"), VALUE_TEXT("bytes_value=fbffbf")},
        {VALUE("{\"bytesValue\":\"/w==\"}"), VALUE_TEXT("bytes_value=ff")},
    };

    (void)state;
    check_good(rows, BB_ARRAY_COUNT(rows));
}

static void fields_of_spans_come_in_every_allowed_form(void **state)
{
    static const struct good_row rows[] = {
        {SPAN(""), SPAN_TEXT("")},
        {SPANS("{\"traceId\":\"ABCDEFabcdef00000000000000000001\","
               "\"spanId\":\"FFfFfFfFfFfFfFfF\"}"),
         "resource_spans{scope_spans{spans{trace_id=abcdefabcdef00000000000000000001 "
         "span_id=ffffffffffffffff}}}"},
        {SPANS("{\"spanId\":\"0102030405060708\","
               "\"trac\\u0065Id\":\"\\u0030102030405060708090a0b0c0d0e0f10\"}"),
         SPAN_TEXT("")},
        {SPAN(",\"parentSpanId\":\"\""), SPAN_TEXT("")},
        {SPAN(",\"parentSpanId\":null,\"name\":null,\"kind\":null,\"status\":null,\"events\":null"),
         SPAN_TEXT("")},
        {SPAN(",\"kind\":0,\"flags\":0,\"droppedEventsCount\":0,\"startTimeUnixNano\":\"0\","
              "\"name\":\"\""),
         SPAN_TEXT("")},
        {SPAN(",\"kind\":5.0"), SPAN_TEXT(" kind=5")},
        {SPAN(",\"kind\":99"), SPAN_TEXT(" kind=99")},
        {SPAN(",\"kind\":-1"), SPAN_TEXT(" kind=-1")},
        {SPAN(",\"startTimeUnixNano\":18446744073709551615,"
              "\"endTimeUnixNano\":\"18446744073709551615\""),
         SPAN_TEXT(" start_time_unix_nano=18446744073709551615 "
                   "end_time_unix_nano=18446744073709551615")},
        {SPAN(",\"startTimeUnixNano\":1.7e18"),
         SPAN_TEXT(" start_time_unix_nano=1700000000000000000")},
        {SPAN(",\"flags\":4294967295,\"droppedLinksCount\":\"4294967295\""),
         SPAN_TEXT(" dropped_links_count=4294967295 flags=4294967295")},
        {SPAN(",\"links\":[{},{\"traceId\":\"\",\"spanId\":\"\"}]"), SPAN_TEXT(" links{} links{}")},
        {SPAN(",\"status\":{}"), SPAN_TEXT(" status{}")},
        {SPAN(",\"name\":\"a\\nb \\ud83d\\ude00 h\xc3\xa9\""),
         SPAN_TEXT(" name=\"a\\x0ab \xf0\x9f\x98\x80 h\xc3\xa9\"")},
        {SPAN(",\"name\":\"cut \\ud83d\""), SPAN_TEXT(" name=\"cut \xef\xbf\xbd\"")},
        /* The names of protobuf are not those of OTLP/JSON, and unknown ones are passed over. */
        {SPAN(",\"parent_span_id\":5,\"start_time_unix_nano\":\"x\",\"Name\":1,\"\":[]"),
         SPAN_TEXT("")},
        {SPAN(",\"name\":\"first\",\"name\":\"second\""), SPAN_TEXT(" name=\"second\"")},
        {SPAN(",\"events\":[{\"name\":\"a\"}],\"events\":[{\"name\":\"b\"}]"),
         SPAN_TEXT(" events{name=\"a\"} events{name=\"b\"}")},
    };

    (void)state;
    check_good(rows, BB_ARRAY_COUNT(rows));
}

static void a_nul_in_a_string_is_kept(void **state)
{
    struct outcome got = transcode(SPAN(",\"name\":\"a\\u0000b\""));

    (void)state;
    assert_int_equal(got.err, BB_OK);
    assert_non_null(memmem(got.out.data, got.out.size,
                           "\x2a\x03"
                           "a\0b",
                           5));
    bb_buf_dispose(&got.out);
}

/* A document with one span that is bad, and what is said about it. */
struct bad_row {
    const char *json;
    const char *first;
};

static const struct bad_row BAD_SPANS[] = {
    {SPANS("5"), PATH ": must be an object, is a number"},
    {SPANS("null"), PATH ": must be an object, is null"},
    {SPANS("[]"), PATH ": must be an object, is an array"},
    {SPANS("{}"), PATH ".traceId: is missing"},
    {SPANS("{\"trace_id\":\"" TRACE_HEX "\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: is missing"},
    {SPANS("{\"traceId\":\"" TRACE_HEX "\"}"), PATH ".spanId: is missing"},
    {SPANS("{\"traceId\":null,\"spanId\":\"0102030405060708\"}"), PATH ".traceId: is missing"},
    {SPANS("{\"traceId\":\"\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be 32 hex digits, has 0 characters"},
    {SPANS("{\"traceId\":\"00000000000000000000000000000000\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must not be all zeros"},
    {SPANS("{\"traceId\":\"" TRACE_HEX "\",\"spanId\":\"0000000000000000\"}"),
     PATH ".spanId: must not be all zeros"},
    {SPANS("{\"traceId\":\"0102\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be 32 hex digits, has 4 characters"},
    {SPANS("{\"traceId\":\"" TRACE_HEX "0\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be 32 hex digits, has 33 characters"},
    {SPANS("{\"traceId\":\"AQIDBAUGBwgJCgsMDQ4PEA==\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be 32 hex digits, has 24 characters; ids are hex in OTLP/JSON, not "
          "base64"},
    {SPANS("{\"traceId\":\"" TRACE_HEX "\",\"spanId\":\"AQIDBAUGBwg=\"}"),
     PATH ".spanId: must be 16 hex digits, has 12 characters; ids are hex in OTLP/JSON, not "
          "base64"},
    {SPANS("{\"traceId\":\"0102030405060708090a0b0c0d0e0fzz\",\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be 32 hex digits"},
    {SPANS("{\"traceId\":[1,2],\"spanId\":\"0102030405060708\"}"),
     PATH ".traceId: must be a string, is an array"},
    {SPAN(",\"parentSpanId\":\"12\""), PATH ".parentSpanId: must be 16 hex digits, has 2 "
                                            "characters"},
    {SPAN(",\"parentSpanId\":false"), PATH ".parentSpanId: must be a string, is a boolean"},
    {SPAN(",\"name\":7"), PATH ".name: must be a string, is a number"},
    {SPAN(",\"traceState\":{}"), PATH ".traceState: must be a string, is an object"},
    {SPAN(",\"kind\":\"SPAN_KIND_SERVER\""),
     PATH ".kind: must be an integer: OTLP/JSON has no names for enum values"},
    {SPAN(",\"kind\":1.5"), PATH ".kind: must be a signed 32-bit integer"},
    {SPAN(",\"kind\":2147483648"), PATH ".kind: must be a signed 32-bit integer"},
    {SPAN(",\"kind\":true"), PATH ".kind: must be a number, is a boolean"},
    {SPAN(",\"status\":{\"code\":\"STATUS_CODE_ERROR\"}"),
     PATH ".status.code: must be an integer: OTLP/JSON has no names for enum values"},
    {SPAN(",\"status\":2"), PATH ".status: must be an object, is a number"},
    {SPAN(",\"status\":{\"message\":{}}"), PATH ".status.message: must be a string, is an object"},
    {SPAN(",\"startTimeUnixNano\":\"\""), PATH ".startTimeUnixNano: must be an unsigned 64-bit "
                                               "integer"},
    {SPAN(",\"startTimeUnixNano\":\"12x\""), PATH ".startTimeUnixNano: must be an unsigned 64-bit "
                                                  "integer"},
    {SPAN(",\"startTimeUnixNano\":\" 12\""), PATH ".startTimeUnixNano: must be an unsigned 64-bit "
                                                  "integer"},
    {SPAN(",\"startTimeUnixNano\":-1"), PATH ".startTimeUnixNano: must be an unsigned 64-bit "
                                             "integer"},
    {SPAN(",\"startTimeUnixNano\":0.5"), PATH ".startTimeUnixNano: must be an unsigned 64-bit "
                                              "integer"},
    {SPAN(",\"endTimeUnixNano\":18446744073709551616"),
     PATH ".endTimeUnixNano: must be an unsigned 64-bit integer"},
    {SPAN(",\"endTimeUnixNano\":{\"low\":1,\"high\":2}"),
     PATH ".endTimeUnixNano: must be an unsigned 64-bit integer, is an object"},
    {SPAN(",\"flags\":4294967296"), PATH ".flags: must be an unsigned 32-bit integer"},
    {SPAN(",\"droppedEventsCount\":-1"), PATH ".droppedEventsCount: must be an unsigned 32-bit "
                                              "integer"},
    {SPAN(",\"attributes\":{\"k\":\"v\"}"), PATH ".attributes: must be an array, is an object"},
    {SPAN(",\"attributes\":[null]"), PATH ".attributes[0]: must be an object, is null"},
    {SPAN(",\"attributes\":[{\"key\":\"a\"},{\"key\":1}]"),
     PATH ".attributes[1].key: must be a string, is a number"},
    {SPAN(",\"attributes\":[{\"value\":\"v\"}]"), VALUE_PATH ": must be an object, is a string"},
    {VALUE("{\"stringValue\":1}"), VALUE_PATH ".stringValue: must be a string, is a number"},
    {VALUE("{\"boolValue\":\"true\"}"), VALUE_PATH ".boolValue: must be a boolean, is a string"},
    {VALUE("{\"intValue\":1.5}"), VALUE_PATH ".intValue: must be a signed 64-bit integer"},
    {VALUE("{\"intValue\":9223372036854775808}"),
     VALUE_PATH ".intValue: must be a signed 64-bit integer"},
    {VALUE("{\"intValue\":\"NaN\"}"), VALUE_PATH ".intValue: must be a signed 64-bit integer"},
    {VALUE("{\"intValue\":[]}"), VALUE_PATH ".intValue: must be a signed 64-bit integer, is an "
                                            "array"},
    {VALUE("{\"doubleValue\":\"nan\"}"),
     VALUE_PATH ".doubleValue: must be a number in the range of a double, \"NaN\", \"Infinity\" or "
                "\"-Infinity\""},
    {VALUE("{\"doubleValue\":1e999}"),
     VALUE_PATH ".doubleValue: must be a number in the range of a double, \"NaN\", \"Infinity\" or "
                "\"-Infinity\""},
    {VALUE("{\"doubleValue\":true}"), VALUE_PATH ".doubleValue: must be a number, is a boolean"},
    {VALUE("{\"bytesValue\":\"A\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"A===\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"AA=\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"====\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"=AAA\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"AA A\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":\"AQID\\n\"}"), VALUE_PATH ".bytesValue: must be base64"},
    {VALUE("{\"bytesValue\":[1]}"), VALUE_PATH ".bytesValue: must be a string, is an array"},
    {VALUE("{\"arrayValue\":[]}"), VALUE_PATH ".arrayValue: must be an object, is an array"},
    {VALUE("{\"arrayValue\":{\"values\":{}}}"),
     VALUE_PATH ".arrayValue.values: must be an array, is an object"},
    {VALUE("{\"arrayValue\":{\"values\":[{},null]}}"),
     VALUE_PATH ".arrayValue.values[1]: must be an object, is null"},
    {VALUE("{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"intValue\":\"x\"}}]}}"),
     VALUE_PATH ".kvlistValue.values[0].value.intValue: must be a signed 64-bit integer"},
    {VALUE("{\"stringValue\":\"a\",\"intValue\":1}"),
     VALUE_PATH ": must have one value, has several"},
    {VALUE("{\"stringValue\":\"a\",\"stringValue\":\"b\"}"),
     VALUE_PATH ": must have one value, has several"},
    {SPAN(",\"events\":[{},{\"timeUnixNano\":\"soon\"}]"),
     PATH ".events[1].timeUnixNano: must be an unsigned 64-bit integer"},
    {SPAN(",\"events\":[{\"attributes\":[{\"key\":\"k\",\"value\":{\"boolValue\":1}}]}]"),
     PATH ".events[0].attributes[0].value.boolValue: must be a boolean, is a number"},
    {SPAN(",\"links\":[{\"traceId\":\"01\"}]"),
     PATH ".links[0].traceId: must be 32 hex digits, has 2 characters"},
    {SPAN(",\"links\":[{\"spanId\":\"01\"}]"),
     PATH ".links[0].spanId: must be 16 hex digits, has 2 characters"},
    {SPAN(",\"links\":7"), PATH ".links: must be an array, is a number"},
};

static void a_bad_span_is_left_out_and_its_field_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(BAD_SPANS); i++) {
        struct outcome got = transcode(BAD_SPANS[i].json);

        if (got.err != BB_OK || got.left_out.span_count != 1 ||
            strcmp(got.left_out.first.text, BAD_SPANS[i].first) != 0) {
            fail_msg("%s\n gave %d, %d left out, \"%s\"\n not \"%s\"", BAD_SPANS[i].json,
                     (int)got.err, (int)got.left_out.span_count, got.left_out.first.text,
                     BAD_SPANS[i].first);
        }
        char *text = proto_text_of(REQUEST, bb_buf_slice(&got.out));
        assert_string_equal(text, "resource_spans{scope_spans{}}");
        free(text);
        bb_buf_dispose(&got.out);
    }
}

static void the_good_spans_around_bad_ones_pass(void **state)
{
    static const char json[] =
        "{\"resourceSpans\":["
        "{\"scopeSpans\":[{\"spans\":[{" IDS ",\"name\":\"a\"},{" IDS ",\"kind\":\"x\","
        "\"deep\":[{\"]\":\"}\"}]},"
        "{" IDS ",\"name\":\"b\"}]}]},"
        "{\"scopeSpans\":[{\"spans\":[{\"spanId\":1}]},{\"spans\":[{" IDS ",\"name\":\"c\"}]}]}]}";
    struct outcome got = transcode(json);

    (void)state;
    assert_int_equal(got.err, BB_OK);
    assert_int_equal(got.left_out.span_count, 2);
    assert_string_equal(got.left_out.first.text,
                        "resourceSpans[0].scopeSpans[0].spans[1].kind: must be an integer: "
                        "OTLP/JSON has no "
                        "names for enum values");
    char *text = proto_text_of(REQUEST, bb_buf_slice(&got.out));
    assert_string_equal(text, "resource_spans{scope_spans{spans{" IDS_TEXT " name=\"a\"} "
                              "spans{" IDS_TEXT " name=\"b\"}}} resource_spans{scope_spans{} "
                              "scope_spans{spans{" IDS_TEXT " name=\"c\"}}}");
    free(text);
    bb_buf_dispose(&got.out);
}

static void the_ids_of_one_span_are_not_those_of_the_next(void **state)
{
    struct outcome got = transcode(SPANS("{" IDS "},{\"name\":\"a\"}"));

    (void)state;
    assert_int_equal(got.err, BB_OK);
    assert_int_equal(got.left_out.span_count, 1);
    assert_string_equal(got.left_out.first.text,
                        "resourceSpans[0].scopeSpans[0].spans[1].traceId: is missing");
    bb_buf_dispose(&got.out);
}

/* Whether the resource stands before or behind its spans. */
static void a_bad_resource_takes_all_its_spans_along(void **state)
{
    static const char *const documents[] = {
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":5}]},"
        "\"scopeSpans\":[{\"spans\":[{" IDS "},{\"bad\":1}]},{\"spans\":[{" IDS
        "}]}]},{\"scopeSpans\":[{\"spans\":[{" IDS "}]}]}]}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS "},{\"bad\":1}]},{\"spans\":[{" IDS
        "}]}],\"resource\":{\"attributes\":[{\"key\":5}]}},"
        "{\"scopeSpans\":[{\"spans\":[{" IDS "}]}]}]}",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(documents); i++) {
        struct outcome got = transcode(documents[i]);

        assert_int_equal(got.err, BB_OK);
        assert_int_equal(got.left_out.span_count, 3);
        assert_string_equal(got.left_out.first.text,
                            "resourceSpans[0].resource.attributes[0].key: must be a string, is a "
                            "number");
        char *text = proto_text_of(REQUEST, bb_buf_slice(&got.out));
        assert_string_equal(text, SPAN_TEXT(""));
        free(text);
        bb_buf_dispose(&got.out);
    }
}

static void a_bad_scope_takes_only_its_own_spans_along(void **state)
{
    struct outcome got =
        transcode("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS ",\"name\":\"a\"}]},"
                  "{\"spans\":[{" IDS "},{" IDS "}],\"schemaUrl\":[]},{\"spans\":[{" IDS ","
                  "\"name\":\"b\"}]}]}]}");

    (void)state;
    assert_int_equal(got.err, BB_OK);
    assert_int_equal(got.left_out.span_count, 2);
    assert_string_equal(got.left_out.first.text,
                        "resourceSpans[0].scopeSpans[1].schemaUrl: must be a string, is an array");
    char *text = proto_text_of(REQUEST, bb_buf_slice(&got.out));
    assert_string_equal(text, "resource_spans{scope_spans{spans{" IDS_TEXT " name=\"a\"}} "
                              "scope_spans{spans{" IDS_TEXT " name=\"b\"}}}");
    free(text);
    bb_buf_dispose(&got.out);
}

static void a_bad_resource_without_spans_is_nobodys_loss(void **state)
{
    struct outcome got = transcode("{\"resourceSpans\":[{\"resource\":7,\"scopeSpans\":[{}]}]}");

    (void)state;
    assert_int_equal(got.err, BB_OK);
    assert_int_equal(got.left_out.span_count, 0);
    assert_string_equal(got.left_out.first.text, "");
    assert_int_equal(got.out.size, 0);
    bb_buf_dispose(&got.out);
}

/* What nobody can be blamed for fails the request, and leaves nothing behind. */
static const struct bad_row BAD_REQUESTS[] = {
    {"", "JSON, line 1, column 1: expected a value, but the text ends"},
    {"  ", "JSON, line 1, column 3: expected a value, but the text ends"},
    {"[]", "request: must be an object, is an array"},
    {"null", "request: must be an object, is null"},
    {"\"x\"", "request: must be an object, is a string"},
    {"{\"resourceSpans\":{}}", "resourceSpans: must be an array, is an object"},
    {"{\"resourceSpans\":[{},7]}", "resourceSpans[1]: must be an object, is a number"},
    {"{\"resourceSpans\":[{\"scopeSpans\":\"x\"}]}",
     "resourceSpans[0].scopeSpans: must be an array, is a string"},
    {"{\"resourceSpans\":[{\"scopeSpans\":[{},null]}]}",
     "resourceSpans[0].scopeSpans[1]: must be an object, is null"},
    {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":{}}]}]}",
     "resourceSpans[0].scopeSpans[0].spans: must be an array, is an object"},
    {"{\"resourceSpans\":[{\"resource\":1,\"scopeSpans\":[{\"spans\":true}]}]}",
     "resourceSpans[0].scopeSpans[0].spans: must be an array, is a boolean"},
    {"{\"resourceSpans\":[]", "JSON, line 1, column 20: expected ',' or '}'"},
    {"{\"resourceSpans\":[]}x", "JSON, line 1, column 21: more text behind the value"},
    {"{\"resourceSpans\":[\n{\"scopeSpans\":[{\"spans\":[{" IDS ",}]}]}]}",
     "JSON, line 2, column 100: expected a key in quotes"},
    {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"\xff\"}]}]}]}",
     "JSON, line 1, column 52: a string is not valid UTF-8"},
    {"{'resourceSpans':[]}", "JSON, line 1, column 2: expected a key in quotes"},
    /* A span has been left out by then: still nothing of the request is taken. */
    {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS "},{}]}]}],",
     "JSON, line 1, column 127: expected a key in quotes"},
};

static void what_no_span_is_to_blame_for_fails_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(BAD_REQUESTS); i++) {
        struct outcome got = transcode(BAD_REQUESTS[i].json);

        if (got.err != BB_EINVAL || strcmp(got.detail.text, BAD_REQUESTS[i].first) != 0) {
            fail_msg("%s\n gave %d, \"%s\"\n not \"%s\"", BAD_REQUESTS[i].json, (int)got.err,
                     got.detail.text, BAD_REQUESTS[i].first);
        }
        assert_int_equal(got.out.size, 0);
        assert_int_equal(got.left_out.span_count, 0);
        assert_string_equal(got.left_out.first.text, "");
        bb_buf_dispose(&got.out);
    }
}

static void no_proper_prefix_of_a_document_passes(void **state)
{
    static const char json[] = SPAN(",\"attributes\":[{\"key\":\"k\","
                                    "\"value\":{\"intValue\":\"12\"}}],\"kind\":3");

    (void)state;
    for (size_t size = 0; size < sizeof json - 1; size++) {
        struct outcome got = transcode_bytes(json, size);
        assert_int_equal(got.err, BB_EINVAL);
        assert_int_equal(got.out.size, 0);
        bb_buf_dispose(&got.out);
    }
}

/* A span whose attribute has `depth` AnyValues within each other. */
static struct outcome transcode_nested(unsigned depth, const char *open, const char *close)
{
    struct bb_buf json;

    bb_buf_init(&json, (size_t)1 << 20);
    bb_buf_append_cstr(&json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
                              ",\"attributes\":[{\"key\":\"k\",\"value\":");
    for (unsigned i = 1; i < depth; i++) {
        bb_buf_append_cstr(&json, open);
    }
    bb_buf_append_cstr(&json, "{}");
    for (unsigned i = 1; i < depth; i++) {
        bb_buf_append_cstr(&json, close);
    }
    bb_buf_append_cstr(&json, "}]},{" IDS "}]}]}]}");
    struct outcome got = transcode_bytes((const char *)json.data, json.size);
    bb_buf_dispose(&json);
    return got;
}

static void a_span_with_values_nested_too_deep_is_left_out(void **state)
{
    static const char *const forms[][2] = {
        {"{\"arrayValue\":{\"values\":[", "]}}"},
        {"{\"kvlistValue\":{\"values\":[{\"key\":\"n\",\"value\":", "}]}}"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(forms); i++) {
        struct outcome got = transcode_nested(BB_VALUE_DEPTH_MAX, forms[i][0], forms[i][1]);
        assert_int_equal(got.err, BB_OK);
        assert_int_equal(got.left_out.span_count, 0);
        bb_buf_dispose(&got.out);

        got = transcode_nested(BB_VALUE_DEPTH_MAX + 1, forms[i][0], forms[i][1]);
        assert_int_equal(got.err, BB_OK);
        assert_int_equal(got.left_out.span_count, 1);
        assert_non_null(strstr(got.left_out.first.text, "nested too deep"));
        bb_buf_dispose(&got.out);
    }
}

static void a_document_nested_too_deep_is_too_big(void **state)
{
    static char json[100000];

    (void)state;
    memset(json, '[', sizeof json);
    memcpy(json, "{\"x\":", 5);
    struct outcome got = transcode_bytes(json, sizeof json);
    assert_int_equal(got.err, BB_ETOOBIG);
    assert_non_null(strstr(got.detail.text, "nested too deep"));
    bb_buf_dispose(&got.out);
}

static void an_output_at_its_limit_is_too_big(void **state)
{
    static const char json[] = SPAN(",\"name\":\"0123456789012345678901234567890123456789\"");
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {{0}};
    struct bb_buf out;

    (void)state;
    for (size_t limit = 1; limit < 60; limit++) {
        bb_buf_init(&out, limit);
        assert_int_equal(
            bb_otlp_json_to_protobuf(bb_slice_from_cstr(json), &out, &left_out, &detail),
            BB_ETOOBIG);
        assert_int_equal(out.size, 0);
        assert_int_equal(left_out.span_count, 0);
        bb_buf_dispose(&out);
    }
}

/* The transcoder and the walk agree on what is well-formed. */
static void what_is_written_is_walkable(void **state)
{
    struct outcome got =
        transcode_nested(BB_VALUE_DEPTH_MAX, "{\"arrayValue\":{\"values\":[", "]}}");
    struct bb_walk_result result;
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&got.out), &arena, NULL, &result), BB_OK);
    assert_int_equal(result.rejected_count, 0);
    assert_int_equal(result.batch.span_count, 2);
    bb_arena_dispose(&arena);
    bb_buf_dispose(&got.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_message_comes_over),
        cmocka_unit_test(empty_requests_are_requests),
        cmocka_unit_test(values_keep_their_type_and_that_they_are_there),
        cmocka_unit_test(bytes_are_base64_of_either_alphabet),
        cmocka_unit_test(fields_of_spans_come_in_every_allowed_form),
        cmocka_unit_test(a_nul_in_a_string_is_kept),
        cmocka_unit_test(a_bad_span_is_left_out_and_its_field_named),
        cmocka_unit_test(the_good_spans_around_bad_ones_pass),
        cmocka_unit_test(the_ids_of_one_span_are_not_those_of_the_next),
        cmocka_unit_test(a_bad_resource_takes_all_its_spans_along),
        cmocka_unit_test(a_bad_scope_takes_only_its_own_spans_along),
        cmocka_unit_test(a_bad_resource_without_spans_is_nobodys_loss),
        cmocka_unit_test(what_no_span_is_to_blame_for_fails_the_request),
        cmocka_unit_test(no_proper_prefix_of_a_document_passes),
        cmocka_unit_test(a_span_with_values_nested_too_deep_is_left_out),
        cmocka_unit_test(a_document_nested_too_deep_is_too_big),
        cmocka_unit_test(an_output_at_its_limit_is_too_big),
        cmocka_unit_test(what_is_written_is_walkable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
