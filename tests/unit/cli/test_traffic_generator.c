#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/otlp_view.h"
#include "common/otlp_walk.h"
#include "query/cli/traffic_generator.h"

#define END_NS (UINT64_C(1795557600) * BB_NS_PER_S)
#define START_NS (END_NS - 900 * BB_NS_PER_S)

static const struct bb_traffic_opts defaults = {
    .seed = 42,
    .trace_count = 500,
    .start_unix_ns = START_NS,
    .end_unix_ns = END_NS,
    .error_millionths = 100000,
};

/* All requests of `opts` as one: a TracesData. */
static void generate(const struct bb_traffic_opts *opts, struct bb_buf *out)
{
    static struct bb_traffic_generator generator;
    struct bb_buf request;
    uint64_t span_count = 1;

    bb_traffic_init(&generator, opts);
    bb_buf_init(&request, 64u << 20);
    bb_buf_init(out, 64u << 20);
    while (span_count > 0) {
        assert_int_equal(bb_traffic_next(&generator, &request, &span_count), BB_OK);
        assert_true(span_count <= BB_TRAFFIC_REQUEST_SPANS + BB_TRAFFIC_SPANS_MAX);
        bb_buf_append_slice(out, bb_buf_slice(&request));
    }
    assert_int_equal(bb_buf_err(out), BB_OK);
    bb_buf_dispose(&request);
    bb_traffic_dispose(&generator);
}

/* The traffic of `defaults`, walked once for all tests. */
static struct {
    struct bb_buf bytes;
    struct bb_arena arena;
    struct bb_walk_result walked;
} traffic;

static int set_up(void **state)
{
    (void)state;
    generate(&defaults, &traffic.bytes);
    bb_arena_init(&traffic.arena, 64u << 20);
    assert_int_equal(
        bb_otlp_walk(bb_buf_slice(&traffic.bytes), &traffic.arena, NULL, &traffic.walked), BB_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_buf_dispose(&traffic.bytes);
    bb_arena_dispose(&traffic.arena);
    return 0;
}

static const struct bb_span_ref *find_span(const struct bb_trace_id *trace_id,
                                           const struct bb_span_id *span_id)
{
    for (uint32_t i = 0; i < traffic.walked.batch.span_count; i++) {
        const struct bb_span_ref *span = &traffic.walked.batch.spans[i];
        if (bb_span_id_equals(&span->span_id, span_id) &&
            bb_trace_id_equals(&span->trace_id, trace_id)) {
            return span;
        }
    }
    return NULL;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    struct bb_traffic_opts other = defaults;
    struct bb_buf again;

    (void)state;
    generate(&defaults, &again);
    assert_true(bb_slice_equals(bb_buf_slice(&again), bb_buf_slice(&traffic.bytes)));
    bb_buf_dispose(&again);
    other.seed = 43;
    generate(&other, &again);
    assert_false(bb_slice_equals(bb_buf_slice(&again), bb_buf_slice(&traffic.bytes)));
    bb_buf_dispose(&again);
}

static void a_receiver_rejects_none_of_the_spans(void **state)
{
    (void)state;
    assert_int_equal(traffic.walked.rejected_count, 0);
    assert_true(traffic.walked.batch.span_count > defaults.trace_count);
}

static void every_span_lies_in_the_range_and_under_its_parent(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < traffic.walked.batch.span_count; i++) {
        const struct bb_span_ref *span = &traffic.walked.batch.spans[i];
        assert_true(span->start_unix_ns >= START_NS);
        assert_true(span->start_unix_ns <= span->end_unix_ns);
        assert_true(span->end_unix_ns <= END_NS);
        if (!bb_span_id_is_zero(&span->parent_span_id)) {
            const struct bb_span_ref *parent = find_span(&span->trace_id, &span->parent_span_id);
            assert_non_null(parent);
            assert_true(parent->start_unix_ns <= span->start_unix_ns);
            assert_true(parent->end_unix_ns >= span->end_unix_ns);
        }
    }
}

static void there_are_as_many_traces_as_asked_for_and_as_many_with_errors(void **state)
{
    uint32_t root_count = 0;
    uint32_t exception_count = 0;
    uint32_t in_first_half = 0;

    (void)state;
    for (uint32_t i = 0; i < traffic.walked.batch.span_count; i++) {
        const struct bb_span_ref *span = &traffic.walked.batch.spans[i];
        struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
        struct bb_event_view event;
        if (bb_span_id_is_zero(&span->parent_span_id)) {
            root_count++;
            in_first_half += span->start_unix_ns < START_NS + (END_NS - START_NS) / 2 ? 1 : 0;
        }
        while (bb_event_next(&reader, &event)) {
            exception_count += bb_slice_equals_cstr(event.name, "exception") ? 1 : 0;
        }
    }
    assert_int_equal(root_count, defaults.trace_count);
    /* One exception a trace that fails: 10 percent of 500, with this seed give or take 20. */
    assert_in_range(exception_count, 30, 70);
    assert_in_range(in_first_half, 200, 300);
}

static void an_error_has_a_status_message_and_an_exception_below(void **state)
{
    uint32_t error_count = 0;

    (void)state;
    for (uint32_t i = 0; i < traffic.walked.batch.span_count; i++) {
        const struct bb_span_ref *span = &traffic.walked.batch.spans[i];
        struct bb_span_view view;
        bb_span_view_read(span->bytes, &view);
        if (span->status_code == BB_STATUS_ERROR) {
            assert_true(view.status_message.size > 0);
            error_count++;
        } else {
            assert_false(view.has_status);
        }
    }
    assert_true(error_count >= 30);
}

/* Every kind of span, every type of value, and links from consumers to producers. */
static void the_traffic_has_everything_that_otlp_has(void **state)
{
    bool kinds[6] = {false};
    bool types[8] = {false};
    uint32_t link_count = 0;

    (void)state;
    for (uint32_t i = 0; i < traffic.walked.batch.span_count; i++) {
        const struct bb_span_ref *span = &traffic.walked.batch.spans[i];
        struct bb_attribute_iter iter = bb_attribute_iter_of(span->bytes, BB_F_SPAN_ATTRIBUTES);
        struct bb_pb_reader reader = bb_pb_reader_of(span->bytes);
        struct bb_attribute attribute;
        struct bb_link_view link;
        kinds[span->kind] = true;
        while (bb_attribute_next(&iter, &attribute)) {
            types[attribute.value.type] = true;
        }
        while (bb_link_next(&reader, &link)) {
            struct bb_trace_id trace_id;
            struct bb_span_id span_id;
            memcpy(trace_id.bytes, link.trace_id.data, BB_TRACE_ID_SIZE);
            memcpy(span_id.bytes, link.span_id.data, BB_SPAN_ID_SIZE);
            const struct bb_span_ref *producer = find_span(&trace_id, &span_id);
            assert_non_null(producer);
            assert_int_equal(producer->kind, BB_KIND_PRODUCER);
            assert_int_equal(span->kind, BB_KIND_CONSUMER);
            link_count++;
        }
    }
    for (int kind = BB_KIND_INTERNAL; kind <= BB_KIND_CONSUMER; kind++) {
        assert_true(kinds[kind]);
    }
    for (int type = BB_VALUE_STRING; type <= BB_VALUE_BYTES; type++) {
        assert_true(types[type]);
    }
    assert_true(link_count > 0);
}

static void traces_have_from_1_to_60_spans_of_many_services(void **state)
{
    struct bb_traffic_opts opts = defaults;
    static struct bb_traffic_generator generator;
    struct bb_buf request;
    uint64_t span_count;
    uint32_t smallest = UINT32_MAX;
    uint32_t largest = 0;
    bool services[BB_SHOP_SERVICE_COUNT] = {false};

    (void)state;
    opts.trace_count = 1;
    bb_buf_init(&request, 64u << 20);
    for (opts.seed = 0; opts.seed < 3000; opts.seed++) {
        bb_traffic_init(&generator, &opts);
        assert_int_equal(bb_traffic_next(&generator, &request, &span_count), BB_OK);
        smallest = span_count < smallest ? (uint32_t)span_count : smallest;
        largest = span_count > largest ? (uint32_t)span_count : largest;
        for (uint32_t i = 0; i < generator.trace.span_count; i++) {
            services[generator.trace.spans[i].service] = true;
        }
        bb_traffic_dispose(&generator);
    }
    assert_int_equal(smallest, 1);
    assert_in_range(largest, 45, BB_TRAFFIC_SPANS_MAX);
    for (uint32_t i = 0; i < BB_SHOP_SERVICE_COUNT; i++) {
        /* The mailer works for what others have sent. */
        assert_true(services[i] || strcmp(bb_shop_services[i].name, "mailer") == 0);
    }
    bb_buf_dispose(&request);
}

static void a_range_of_no_length_is_kept(void **state)
{
    struct bb_traffic_opts opts = defaults;
    struct bb_arena arena;
    struct bb_walk_result walked;
    struct bb_buf bytes;

    (void)state;
    opts.start_unix_ns = END_NS - 1000;
    generate(&opts, &bytes);
    bb_arena_init(&arena, 64u << 20);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&bytes), &arena, NULL, &walked), BB_OK);
    for (uint32_t i = 0; i < walked.batch.span_count; i++) {
        assert_true(walked.batch.spans[i].start_unix_ns >= opts.start_unix_ns);
        assert_true(walked.batch.spans[i].end_unix_ns <= opts.end_unix_ns);
    }
    bb_arena_dispose(&arena);
    bb_buf_dispose(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(a_receiver_rejects_none_of_the_spans),
        cmocka_unit_test(every_span_lies_in_the_range_and_under_its_parent),
        cmocka_unit_test(there_are_as_many_traces_as_asked_for_and_as_many_with_errors),
        cmocka_unit_test(an_error_has_a_status_message_and_an_exception_below),
        cmocka_unit_test(the_traffic_has_everything_that_otlp_has),
        cmocka_unit_test(traces_have_from_1_to_60_spans_of_many_services),
        cmocka_unit_test(a_range_of_no_length_is_kept),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
