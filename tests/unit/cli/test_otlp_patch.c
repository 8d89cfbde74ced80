#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/otlp_view.h"
#include "common/otlp_walk.h"
#include "query/cli/otlp_patch.h"
#include "tests/support/otlp_build.h"

#define OLD_NS UINT64_C(1000000000000000000)
#define NOW_NS UINT64_C(1795557600000000000)

/* A walk of what was patched; everything lives in the fixture. */
struct fixture {
    struct bb_buf request;
    struct bb_arena arena;
    struct bb_walk_result walked;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    build_init(&fixture.request);
    build_full_request(&fixture.request);
    bb_arena_init(&fixture.arena, 64u << 20);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    bb_buf_dispose(&fixture->request);
    bb_arena_dispose(&fixture->arena);
    return 0;
}

static struct bb_span_batch *walk(struct fixture *fixture)
{
    assert_int_equal(
        bb_otlp_walk(bb_buf_slice(&fixture->request), &fixture->arena, NULL, &fixture->walked),
        BB_OK);
    assert_int_equal(fixture->walked.rejected_count, 0);
    return &fixture->walked.batch;
}

static void patch(struct fixture *fixture, const struct bb_otlp_patch *patch)
{
    assert_int_equal(bb_otlp_patch_apply(patch, fixture->request.data, fixture->request.size),
                     BB_OK);
}

static void a_shift_keeps_all_distances(void **state)
{
    const struct bb_otlp_patch shift = {
        .has_shift = true, .from_unix_ns = OLD_NS, .to_unix_ns = NOW_NS};

    (void)state;
    assert_true(bb_otlp_patch_time(&shift, OLD_NS) == NOW_NS);
    assert_true(bb_otlp_patch_time(&shift, OLD_NS - 5) == NOW_NS - 5);
    assert_true(bb_otlp_patch_time(&shift, OLD_NS + 5) == NOW_NS + 5);
}

static void a_time_that_is_not_set_stays_so(void **state)
{
    const struct bb_otlp_patch shift = {
        .has_shift = true, .from_unix_ns = OLD_NS, .to_unix_ns = NOW_NS};

    (void)state;
    assert_true(bb_otlp_patch_time(&shift, 0) == 0);
}

static void a_shift_stops_at_the_ends_of_time(void **state)
{
    const struct bb_otlp_patch back = {.has_shift = true, .from_unix_ns = 100, .to_unix_ns = 10};
    const struct bb_otlp_patch forth = {
        .has_shift = true, .from_unix_ns = 10, .to_unix_ns = UINT64_MAX - 10};

    (void)state;
    assert_true(bb_otlp_patch_time(&back, 50) == 1);
    assert_true(bb_otlp_patch_time(&back, 91) == 1);
    assert_true(bb_otlp_patch_time(&back, 92) == 2);
    assert_true(bb_otlp_patch_time(&forth, 25) == UINT64_MAX);
    assert_true(bb_otlp_patch_time(&forth, UINT64_MAX) == UINT64_MAX);
}

static void counts_the_spans_and_finds_the_newest_end(void **state)
{
    struct fixture *fixture = *state;
    const struct bb_span_batch *batch = walk(fixture);
    struct bb_otlp_totals totals;
    uint64_t newest = 0;

    for (uint32_t i = 0; i < batch->span_count; i++) {
        newest = batch->spans[i].end_unix_ns > newest ? batch->spans[i].end_unix_ns : newest;
    }
    assert_int_equal(bb_otlp_inspect(bb_buf_slice(&fixture->request), &totals), BB_OK);
    assert_int_equal(totals.span_count, batch->span_count);
    assert_true(batch->span_count > 0);
    assert_true(totals.newest_end_unix_ns == newest);
}

/* Spans and events move together, and not a byte else changes. */
static void the_newest_span_ends_at_the_moment_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct bb_otlp_totals totals;
    struct bb_buf before;

    assert_int_equal(bb_otlp_inspect(bb_buf_slice(&fixture->request), &totals), BB_OK);
    const struct bb_otlp_patch there = {
        .has_shift = true, .from_unix_ns = totals.newest_end_unix_ns, .to_unix_ns = NOW_NS};
    const struct bb_otlp_patch back = {
        .has_shift = true, .from_unix_ns = NOW_NS, .to_unix_ns = totals.newest_end_unix_ns};
    build_init(&before);
    bb_buf_append_slice(&before, bb_buf_slice(&fixture->request));

    patch(fixture, &there);
    assert_int_equal(bb_otlp_inspect(bb_buf_slice(&fixture->request), &totals), BB_OK);
    assert_true(totals.newest_end_unix_ns == NOW_NS);
    const struct bb_span_batch *batch = walk(fixture);
    struct bb_pb_reader reader = bb_pb_reader_of(batch->spans[0].bytes);
    struct bb_event_view event;
    assert_true(bb_event_next(&reader, &event));
    assert_true(event.time_unix_ns > NOW_NS - 3600 * BB_NS_PER_S);

    patch(fixture, &back);
    assert_true(bb_slice_equals(bb_buf_slice(&fixture->request), bb_buf_slice(&before)));
    bb_buf_dispose(&before);
}

static void fresh_ids_keep_parents_and_children_together(void **state)
{
    struct fixture *fixture = *state;
    const struct bb_otlp_patch fresh = {.has_fresh_ids = true, .ids = bb_id_map_of(3)};
    const struct bb_span_batch *batch = walk(fixture);
    struct bb_span_ref before = batch->spans[0];
    struct bb_span_id parent = before.parent_span_id;
    struct bb_trace_id trace_id = before.trace_id;

    assert_false(bb_span_id_is_zero(&parent));
    bb_id_map_trace_id(&fresh.ids, trace_id.bytes);
    bb_id_map_span_id(&fresh.ids, parent.bytes);
    patch(fixture, &fresh);
    batch = walk(fixture);
    assert_true(bb_trace_id_equals(&batch->spans[0].trace_id, &trace_id));
    assert_true(bb_span_id_equals(&batch->spans[0].parent_span_id, &parent));
    assert_false(bb_span_id_equals(&batch->spans[0].span_id, &before.span_id));
    assert_true(batch->spans[0].start_unix_ns == before.start_unix_ns);
}

static void links_are_mapped_like_the_spans_they_name(void **state)
{
    struct fixture *fixture = *state;
    const struct bb_otlp_patch fresh = {.has_fresh_ids = true, .ids = bb_id_map_of(3)};
    struct bb_pb_reader reader = bb_pb_reader_of(walk(fixture)->spans[0].bytes);
    struct bb_link_view link;
    struct bb_trace_id trace_id;
    struct bb_span_id span_id;

    assert_true(bb_link_next(&reader, &link));
    memcpy(trace_id.bytes, link.trace_id.data, BB_TRACE_ID_SIZE);
    memcpy(span_id.bytes, link.span_id.data, BB_SPAN_ID_SIZE);
    bb_id_map_trace_id(&fresh.ids, trace_id.bytes);
    bb_id_map_span_id(&fresh.ids, span_id.bytes);
    patch(fixture, &fresh);
    reader = bb_pb_reader_of(walk(fixture)->spans[0].bytes);
    assert_true(bb_link_next(&reader, &link));
    assert_memory_equal(link.trace_id.data, trace_id.bytes, BB_TRACE_ID_SIZE);
    assert_memory_equal(link.span_id.data, span_id.bytes, BB_SPAN_ID_SIZE);
}

static void uuids_in_attributes_become_fresh(void **state)
{
    static const char uuid[] = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    const struct bb_otlp_patch fresh = {.has_fresh_ids = true, .ids = bb_id_map_of(3)};
    struct bb_buf span;
    struct bb_buf request;
    struct bb_arena arena;
    struct bb_walk_result walked;
    struct bb_value value;

    (void)state;
    bb_arena_init(&arena, 1u << 20);
    build_init(&span);
    build_init(&request);
    build_span_body(&span, 1);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "session.id", uuid);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "plain", "not-a-uuid");
    build_request_of_span(&request, &span);
    assert_int_equal(bb_otlp_patch_apply(&fresh, request.data, request.size), BB_OK);
    assert_int_equal(bb_otlp_walk(bb_buf_slice(&request), &arena, NULL, &walked), BB_OK);
    struct bb_slice bytes = walked.batch.spans[0].bytes;
    assert_true(
        bb_attribute_find(bytes, BB_F_SPAN_ATTRIBUTES, bb_slice_from_cstr("session.id"), &value));
    assert_int_equal(value.bytes.size, strlen(uuid));
    assert_false(bb_slice_equals_cstr(value.bytes, uuid));
    assert_true(
        bb_attribute_find(bytes, BB_F_SPAN_ATTRIBUTES, bb_slice_from_cstr("plain"), &value));
    assert_true(bb_slice_equals_cstr(value.bytes, "not-a-uuid"));
    bb_buf_dispose(&request);
    bb_arena_dispose(&arena);
}

/* Whatever a file holds: nothing outside of it is touched, and no damage is overlooked. */
static void every_cut_of_a_request_is_safe(void **state)
{
    struct fixture *fixture = *state;
    const struct bb_otlp_patch all = {.has_shift = true,
                                      .from_unix_ns = OLD_NS,
                                      .to_unix_ns = NOW_NS,
                                      .has_fresh_ids = true,
                                      .ids = bb_id_map_of(3)};
    struct bb_buf cut;
    struct bb_otlp_totals totals;
    uint32_t refused = 0;

    for (size_t size = 1; size < fixture->request.size; size++) {
        /* A block of exactly that size, so that the sanitizer sees what lies behind. */
        bb_buf_init(&cut, size);
        bb_buf_append(&cut, fixture->request.data, size);
        assert_int_equal(bb_buf_err(&cut), BB_OK);
        enum bb_err inspected = bb_otlp_inspect(bb_buf_slice(&cut), &totals);
        enum bb_err patched = bb_otlp_patch_apply(&all, cut.data, cut.size);
        assert_int_equal(inspected, patched);
        refused += inspected != BB_OK ? 1 : 0;
        bb_buf_dispose(&cut);
    }
    /* Only cuts between the two ResourceSpans leave a request. */
    assert_true(refused >= fixture->request.size - 3);
}

static void other_messages_are_not_taken_for_requests(void **state)
{
    struct bb_otlp_totals totals;

    (void)state;
    assert_int_equal(bb_otlp_inspect(BYTES_OF("\x12\x00"), &totals), BB_EINVAL);
    assert_int_equal(bb_otlp_inspect(BYTES_OF("\x08\x01"), &totals), BB_EINVAL);
    assert_int_equal(bb_otlp_inspect(BYTES_OF("text"), &totals), BB_EINVAL);
    assert_int_equal(bb_otlp_inspect(bb_slice_of(NULL, 0), &totals), BB_OK);
    assert_int_equal(totals.span_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shift_keeps_all_distances),
        cmocka_unit_test(a_time_that_is_not_set_stays_so),
        cmocka_unit_test(a_shift_stops_at_the_ends_of_time),
        cmocka_unit_test_setup_teardown(counts_the_spans_and_finds_the_newest_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_newest_span_ends_at_the_moment_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(fresh_ids_keep_parents_and_children_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(links_are_mapped_like_the_spans_they_name, set_up,
                                        tear_down),
        cmocka_unit_test(uuids_in_attributes_become_fresh),
        cmocka_unit_test_setup_teardown(every_cut_of_a_request_is_safe, set_up, tear_down),
        cmocka_unit_test(other_messages_are_not_taken_for_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
