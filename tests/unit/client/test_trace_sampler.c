#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/trace_sampler.h"
#include "tests/unit/client/client_fixture.h"

static void a_ratio_goes_by_the_end_of_the_trace_id(void **state)
{
    struct bbc_config config = {.sampler = {.kind = BOBBIN_SAMPLER_RATIO}};
    const struct bobbin_span_context parent = {0};
    uint8_t below[16] = {[8] = 0x3f, [9] = 0xff};
    uint8_t above[16] = {[8] = 0x40};
    struct bobbin_sampler_input input = {.parent = &parent, .trace_id = below};
    struct bobbin_sampler_output output = {0};

    (void)state;
    config.ratio_bound = bbc_sampler_ratio_bound(0.25);
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_RECORD_AND_SAMPLE);
    input.trace_id = above;
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_DROP);
    config.ratio_bound = bbc_sampler_ratio_bound(1);
    memset(above, 0xff, sizeof above);
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_RECORD_AND_SAMPLE);
    config.ratio_bound = bbc_sampler_ratio_bound(0);
    memset(below, 0, sizeof below);
    input.trace_id = below;
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_DROP);
}

static void a_parent_decides_for_its_children(void **state)
{
    struct bbc_config config = {
        .sampler = {.kind = BOBBIN_SAMPLER_ALWAYS_OFF, .is_parent_based = true}};
    struct bobbin_span_context parent = {.trace_id = {1}, .span_id = {1}, .flags = 1};
    const struct bobbin_sampler_input input = {.parent = &parent, .trace_id = parent.trace_id};
    struct bobbin_sampler_output output = {0};

    (void)state;
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_RECORD_AND_SAMPLE);
    config.sampler.kind = BOBBIN_SAMPLER_ALWAYS_ON;
    parent.flags = 0;
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_DROP);
    parent.span_id[0] = 0; /* no parent: the sampler is asked */
    assert_int_equal(bbc_sampler_decide(&config, &input, &output), BOBBIN_RECORD_AND_SAMPLE);
}

static void a_rate_allows_one_second_at_once_and_then_the_rate(void **state)
{
    const uint64_t second = 1000000000;
    uint64_t now = 77 * second;
    unsigned allowed = 0;

    (void)state;
    bbc_sampler_reset();
    for (unsigned i = 0; i < 100; i++) {
        allowed += bbc_sampler_rate_allows(10, now);
    }
    assert_int_equal(allowed, 10);
    for (unsigned i = 0; i < 1000; i++) { /* ten seconds more */
        now += second / 100;
        allowed += bbc_sampler_rate_allows(10, now);
    }
    assert_int_equal(allowed, 110);
    bbc_sampler_reset();
    assert_true(bbc_sampler_rate_allows(0.1, now)); /* one in ten seconds */
    assert_false(bbc_sampler_rate_allows(0.1, now + 9 * second));
    assert_true(bbc_sampler_rate_allows(0.1, now + 10 * second));
}

static enum bobbin_decision decide_by_name(void *user, const struct bobbin_sampler_input *input,
                                           struct bobbin_sampler_output *output)
{
    static struct bobbin_attr attr;

    assert_non_null(user);

    if (input->name.size == 4) {
        return BOBBIN_DROP;
    }
    if (input->name.size == 6) {
        return BOBBIN_RECORD_ONLY;
    }
    attr = bobbin_attr_int(bobbin_lit("by.sampler"), (int64_t)input->attr_count);
    output->attrs = &attr;
    output->attr_count = 1;
    output->has_tracestate = true;
    output->tracestate = bobbin_lit("s=1");
    return BOBBIN_RECORD_AND_SAMPLE;
}

static void a_callback_decides_and_adds(void **state)
{
    struct client_fixture fixture;
    const struct bobbin_attr early = bobbin_attr_int(bobbin_lit("k"), 1);
    const struct bobbin_span_opts opts = {.attrs = &early, .attr_count = 1};
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct bobbin_span span;
    const char *json;

    (void)state;
    client_fixture_init(&fixture);
    fixture.opts.sampler = (struct bobbin_sampler){
        .kind = BOBBIN_SAMPLER_CALLBACK, .decide = decide_by_name, .user = &fixture};
    client_fixture_start(&fixture);
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("drop"), &opts);
    assert_false(bobbin_span_is_recording(&span));
    assert_false(bobbin_span_context_of(&span).flags & BOBBIN_FLAG_SAMPLED);
    bobbin_span_end(&span);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("record"), &opts);
    assert_true(bobbin_span_is_recording(&span));
    assert_false(bobbin_span_context_of(&span).flags & BOBBIN_FLAG_SAMPLED);
    bobbin_span_end(&span);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("sample it"), &opts);
    bobbin_span_end(&span);
    json = client_fixture_json(&fixture);
    assert_contains(json, "{\"key\":\"by.sampler\",\"value\":{\"intValue\":\"1\"}}");
    assert_contains(json, "\"traceState\":\"s=1\"");
    assert_lacks(json, "\"name\":\"record\"");
    bobbin_stats_read(&stats);
    assert_int_equal(stats.started - before.started, 1); /* of the sampled */
    client_fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ratio_goes_by_the_end_of_the_trace_id),
        cmocka_unit_test(a_parent_decides_for_its_children),
        cmocka_unit_test(a_rate_allows_one_second_at_once_and_then_the_rate),
        cmocka_unit_test(a_callback_decides_and_adds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
