#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/include/bobbin/bobbin.h"

static void has_the_defaults_of_the_specification(void **state)
{
    struct bobbin_opts opts;

    (void)state;
    bobbin_opts_init(&opts);
    assert_false(opts.is_disabled);
    assert_null(opts.service_name);
    assert_int_equal(opts.sampler.kind, BOBBIN_SAMPLER_ALWAYS_ON);
    assert_true(opts.sampler.is_parent_based);
    assert_int_equal(opts.limits.attr_count, 128);
    assert_int_equal(opts.limits.attr_value_length, UINT32_MAX);
    assert_int_equal(opts.limits.event_count, 128);
    assert_int_equal(opts.limits.link_count, 128);
    assert_int_equal(opts.limits.event_attr_count, 128);
    assert_int_equal(opts.limits.link_attr_count, 128);
    assert_int_equal(opts.batch.schedule_delay_ms, 5000);
    assert_int_equal(opts.batch.queue_spans_max, 2048);
    assert_int_equal(opts.batch.span_count_max, 512);
    assert_int_equal(opts.batch.export_timeout_ms, 30000);
}

static void reads_every_variable(void **state)
{
    struct bobbin_opts opts;

    (void)state;
    setenv("OTEL_SDK_DISABLED", "true", 1);
    setenv("OTEL_SERVICE_NAME", "shop", 1);
    setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "9", 1);
    setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10", 1);
    setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "11", 1);
    setenv("OTEL_SPAN_LINK_COUNT_LIMIT", "12", 1);
    setenv("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "13", 1);
    setenv("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "14", 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "15", 1);
    setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16", 1);
    setenv("OTEL_BSP_EXPORT_TIMEOUT", "17", 1);
    setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "18", 1);
    bobbin_opts_init(&opts);
    assert_true(opts.is_disabled);
    assert_string_equal(opts.service_name, "shop");
    assert_int_equal(opts.limits.attr_count, 9);
    assert_int_equal(opts.limits.attr_value_length, 10);
    assert_int_equal(opts.limits.event_count, 11);
    assert_int_equal(opts.limits.link_count, 12);
    assert_int_equal(opts.limits.event_attr_count, 13);
    assert_int_equal(opts.limits.link_attr_count, 14);
    assert_int_equal(opts.batch.schedule_delay_ms, 15);
    assert_int_equal(opts.batch.queue_spans_max, 16);
    assert_int_equal(opts.batch.export_timeout_ms, 17);
    assert_int_equal(opts.batch.span_count_max, 16); /* no more than the queue */
    setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "8", 1);
    bobbin_opts_init(&opts);
    assert_int_equal(opts.limits.attr_count, 8); /* the one for spans wins */
}

static void reads_the_samplers(void **state)
{
    static const struct {
        const char *name;
        const char *argument;
        enum bobbin_sampler_kind kind;
        bool is_parent_based;
        double ratio;
    } rows[] = {
        {"always_on", "", BOBBIN_SAMPLER_ALWAYS_ON, false, 1},
        {"always_off", "", BOBBIN_SAMPLER_ALWAYS_OFF, false, 1},
        {"traceidratio", "0.25", BOBBIN_SAMPLER_RATIO, false, 0.25},
        {"traceidratio", "", BOBBIN_SAMPLER_RATIO, false, 1},
        {"parentbased_always_off", "", BOBBIN_SAMPLER_ALWAYS_OFF, true, 1},
        {"parentbased_traceidratio", "1", BOBBIN_SAMPLER_RATIO, true, 1},
        {"parentbased_traceidratio", ".5", BOBBIN_SAMPLER_RATIO, true, 0.5},
        {"parentbased_traceidratio", "1.5", BOBBIN_SAMPLER_RATIO, true, 1},
        {"parentbased_traceidratio", "0,5", BOBBIN_SAMPLER_RATIO, true, 1},
        {"parentbased_traceidratio", "-1", BOBBIN_SAMPLER_RATIO, true, 1},
        {"nonsense", "0.5", BOBBIN_SAMPLER_ALWAYS_ON, true, 1},
    };
    char warnings[1024];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bobbin_opts opts;

        setenv("OTEL_TRACES_SAMPLER", rows[i].name, 1);
        setenv("OTEL_TRACES_SAMPLER_ARG", rows[i].argument, 1);
        bobbin_opts_init(&opts);
        assert_int_equal(opts.sampler.kind, rows[i].kind);
        assert_int_equal(opts.sampler.is_parent_based, rows[i].is_parent_based);
        assert_true(opts.sampler.ratio == rows[i].ratio);
    }
    assert_int_equal(bobbin_opts_warnings(warnings, sizeof warnings), 2);
    assert_string_equal(warnings, "OTEL_TRACES_SAMPLER_ARG OTEL_TRACES_SAMPLER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_defaults_of_the_specification),
        cmocka_unit_test(reads_every_variable),
        cmocka_unit_test(reads_the_samplers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
