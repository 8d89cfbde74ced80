#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/otlp_encode.h"
#include "client/request_json.h"
#include "client/tracer_list.h"

static const struct bobbin_tracer tracer_a = {.scope = {.data = (uint8_t *)"\x0a\x01"
                                                                           "a",
                                                        .size = 3}};
static const struct bobbin_tracer tracer_b = {.scope = {.data = (uint8_t *)"\x0a\x01"
                                                                           "b",
                                                        .size = 3}};
static const struct bbc_tick_clock tick_clock = {.ns_per_tick = 1};
static const struct bbc_sink resource;

static struct bobbin_span_record record_of(const struct bobbin_tracer *tracer, const char *name)
{
    struct bobbin_span_record record = {.trace_id = {1},
                                        .span_id = {2},
                                        .kind = BOBBIN_KIND_INTERNAL,
                                        .state = BBC_STATE_START_UNIX | BBC_STATE_END_UNIX,
                                        .start = 10,
                                        .end = 20,
                                        .name = name,
                                        .name_size = (uint32_t)strlen(name),
                                        .tracer = tracer};

    return record;
}

static enum bbc_encode_result add(struct bbc_encoder *encoder, const struct bobbin_tracer *tracer,
                                  const char *name, size_t size_max)
{
    struct bobbin_span_record record = record_of(tracer, name);

    return bbc_encoder_add(encoder, &record, &tick_clock, &resource, size_max);
}

static void assert_json(struct bbc_encoder *encoder, const char *wanted)
{
    struct bbc_sink json = {0};

    bbc_encoder_seal(encoder);
    assert_true(bbc_otlp_json(encoder->request.data, encoder->request.size, &json));
    bbc_sink_byte(&json, 0);
    assert_string_equal((const char *)json.data, wanted);
    bbc_sink_dispose(&json);
    bbc_sink_dispose(&encoder->request);
    bbc_encoder_reset(encoder);
}

#define SPAN(name)                                                                                 \
    "{\"traceId\":\"01000000000000000000000000000000\",\"spanId\":\"0200000000000000\","           \
    "\"name\":\"" name "\",\"kind\":1,\"startTimeUnixNano\":\"10\",\"endTimeUnixNano\":\"20\","    \
    "\"flags\":256}"

static void another_tracer_opens_another_scope(void **state)
{
    struct bbc_encoder encoder = {0};

    (void)state;
    assert_int_equal(add(&encoder, &tracer_a, "1", 4096), BBC_ENCODED);
    assert_int_equal(add(&encoder, &tracer_a, "2", 4096), BBC_ENCODED);
    assert_int_equal(add(&encoder, &tracer_b, "3", 4096), BBC_ENCODED);
    assert_int_equal(encoder.span_count, 3);
    assert_json(&encoder, "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":["
                          "{\"scope\":{\"name\":\"a\"},\"spans\":[" SPAN("1") "," SPAN(
                              "2") "]},"
                                   "{\"scope\":{\"name\":\"b\"},\"spans\":[" SPAN("3") "]}]}]}");
}

static void a_span_over_the_size_leaves_the_request_as_it_was(void **state)
{
    struct bbc_encoder encoder = {0};

    (void)state;
    assert_int_equal(add(&encoder, &tracer_a, "1", 30), BBC_ENCODE_TOO_BIG);
    assert_int_equal(encoder.span_count, 0);
    assert_int_equal(encoder.request.size, 0);
    assert_int_equal(add(&encoder, &tracer_a, "1", 100), BBC_ENCODED);
    assert_int_equal(add(&encoder, &tracer_b, "2", 100), BBC_ENCODE_FULL);
    assert_int_equal(encoder.span_count, 1);
    assert_json(&encoder, "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":["
                          "{\"scope\":{\"name\":\"a\"},\"spans\":[" SPAN("1") "]}]}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_tracer_opens_another_scope),
        cmocka_unit_test(a_span_over_the_size_leaves_the_request_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
