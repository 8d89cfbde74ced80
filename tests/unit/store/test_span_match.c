#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/otlp_walk.h"
#include "store/active_segment.h"
#include "store/span_match.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

#define ARENA_BYTES ((size_t)64 << 20)

/* Two spans in an active segment: 0 has everything, 1 next to nothing. */
struct match_fixture {
    struct bb_arena arena;
    struct bb_active_segment *segment;
    struct bb_buf text;
    struct span_build build;
};

static void build_rich_span(struct span_build *build)
{
    span_build_resource(build, "cart");
    span_build_string(build, "host", "h1");
    span_build_int(build, "cpus", 8);
    span_build_scope(build, "lib", "1.0");
    span_build_string(build, "mode", "fast");
    span_build_span(build, (struct span_spec){.trace = 1,
                                              .id = 1,
                                              .name = "GET /",
                                              .kind = BB_KIND_SERVER,
                                              .start_unix_ns = 1000,
                                              .end_unix_ns = 3000,
                                              .status = BB_STATUS_ERROR});
    span_build_string(build, "url", "/a");
    span_build_string(build, "empty", "");
    span_build_int(build, "code", 200);
    span_build_bool(build, "ok", true);
    span_build_double(build, "ratio", 0.5);
    span_build_array(build, "tags");
    span_build_string(build, "twice", "first");
    span_build_string(build, "twice", "second");
    span_build_event(build, 1500, "retry");
    span_build_string(build, "reason", "late");
    span_build_event(build, 1600, "again");
    span_build_int(build, "attempt", -2);
    span_build_link(build, 7, 7);
    span_build_string(build, "via", "queue");
}

static int set_up(void **state)
{
    static struct match_fixture fx;
    struct span_build *build = &fx.build;

    bb_arena_init(&fx.arena, ARENA_BYTES);
    bb_buf_init(&fx.text, ARENA_BYTES);
    span_build_init(build);
    build_rich_span(build);
    span_build_resource(build, "shop");
    span_build_scope(build, NULL, NULL);
    span_build_span(build, (struct span_spec){.trace = 2,
                                              .id = 2,
                                              .name = "",
                                              .kind = BB_KIND_CLIENT,
                                              .start_unix_ns = 5000,
                                              .end_unix_ns = 4000});
    struct bb_slice wire = span_build_finish(build);
    struct bb_span_batch batch = span_build_batch(build, &fx.arena);
    assert_int_equal(batch.span_count, 2);
    assert_int_equal(bb_active_new(&fx.segment), BB_OK);
    assert_int_equal(bb_active_append(fx.segment, &batch, wire), BB_OK);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct match_fixture *fx = *state;

    span_build_dispose(&fx->build);
    bb_active_free(fx->segment);
    bb_buf_dispose(&fx->text);
    bb_arena_dispose(&fx->arena);
    return 0;
}

static bool row_matches(struct match_fixture *fx, const struct bb_search *search, uint32_t index)
{
    const struct bb_row *row = bb_active_row(fx->segment, index);
    struct bb_matcher matcher;

    assert_int_equal(
        bb_matcher_init(&matcher, search, bb_active_dictionary(fx->segment), &fx->text, &fx->arena),
        BB_OK);
    if (!matcher.can_match || !bb_matcher_columns_match(&matcher, row)) {
        return false;
    }
    /* Bytes are read only where the matcher says so. */
    if (!matcher.needs_bytes) {
        struct bb_row without = *row;
        without.bytes = bb_slice_of(NULL, 0);
        assert_true(bb_matcher_bytes_match(&matcher, &without));
    }
    return bb_matcher_bytes_match(&matcher, row);
}

/* The rich span matches, or not; the other never does. */
static void check(struct match_fixture *fx, struct bb_condition condition, bool is_match)
{
    struct bb_search search = {.conditions = &condition, .condition_count = 1, .limit = 1};

    assert_int_equal(row_matches(fx, &search, 0), is_match);
    assert_false(row_matches(fx, &search, 1));
}

static void check_attribute(struct match_fixture *fx, const char *key, const char *value,
                            bool is_match)
{
    check(fx,
          (struct bb_condition){.type = BB_CONDITION_ATTRIBUTE,
                                .key = bb_slice_from_cstr(key),
                                .value = bb_slice_from_cstr(value)},
          is_match);
}

static void finds_attributes_on_every_level(void **state)
{
    static const char *const pairs[][2] = {{"url", "/a"},      {"host", "h1"},    {"mode", "fast"},
                                           {"reason", "late"}, {"attempt", "-2"}, {"via", "queue"},
                                           {"cpus", "8"},      {"empty", ""}};

    for (size_t i = 0; i < BB_ARRAY_COUNT(pairs); i++) {
        check_attribute(*state, pairs[i][0], pairs[i][1], true);
        check_attribute(*state, pairs[i][0], "other", false);
        check_attribute(*state, "other", pairs[i][1], false);
    }
}

static void compares_the_text_of_numbers_and_booleans(void **state)
{
    check_attribute(*state, "code", "200", true);
    check_attribute(*state, "code", "0200", false);
    check_attribute(*state, "code", "20", false);
    check_attribute(*state, "ok", "true", true);
    check_attribute(*state, "ok", "1", false);
    check_attribute(*state, "ok", "false", false);
    check_attribute(*state, "ratio", "0.5", true);
    check_attribute(*state, "ratio", "0.50", false);
}

static void finds_an_element_of_an_array_and_each_of_two_values(void **state)
{
    check_attribute(*state, "tags", "a", true);
    check_attribute(*state, "tags", "b", true);
    check_attribute(*state, "tags", "c", false);
    check_attribute(*state, "tags", "", false);
    check_attribute(*state, "twice", "first", true);
    check_attribute(*state, "twice", "second", true);
    check_attribute(*state, "twice", "third", false);
}

static void asks_kind_status_and_scope(void **state)
{
    struct match_fixture *fx = *state;
    struct bb_condition condition = {.type = BB_CONDITION_KIND, .number = BB_KIND_SERVER};

    check(fx, condition, true);
    condition = (struct bb_condition){.type = BB_CONDITION_KIND, .number = BB_KIND_PRODUCER};
    check(fx, condition, false);
    condition = (struct bb_condition){.type = BB_CONDITION_STATUS, .number = BB_STATUS_ERROR};
    check(fx, condition, true);
    condition = (struct bb_condition){.type = BB_CONDITION_STATUS, .number = BB_STATUS_OK};
    check(fx, condition, false);
    condition = (struct bb_condition){.type = BB_CONDITION_NOT_STATUS, .number = BB_STATUS_UNSET};
    check(fx, condition, true);
    condition = (struct bb_condition){.type = BB_CONDITION_SCOPE_NAME, .value = BYTES_OF("lib")};
    check(fx, condition, true);
    condition.value = BYTES_OF("1.0");
    check(fx, condition, false);
    condition.type = BB_CONDITION_SCOPE_VERSION;
    check(fx, condition, true);
    condition.value = BYTES_OF("lib");
    check(fx, condition, false);
}

static void takes_the_status_for_an_error_tag(void **state)
{
    struct match_fixture *fx = *state;
    struct bb_condition is_error = {
        .type = BB_CONDITION_ERROR_TAG, .number = 1, .value = BYTES_OF("true")};
    struct bb_condition is_none = {
        .type = BB_CONDITION_ERROR_TAG, .number = 0, .value = BYTES_OF("false")};
    struct bb_search search = {.conditions = &is_error, .condition_count = 1, .limit = 1};

    assert_true(row_matches(fx, &search, 0));
    assert_false(row_matches(fx, &search, 1));
    search.conditions = &is_none;
    assert_false(row_matches(fx, &search, 0));
    assert_true(row_matches(fx, &search, 1));
}

static void wants_all_conditions_of_one_span(void **state)
{
    struct bb_condition conditions[] = {
        {.type = BB_CONDITION_ATTRIBUTE, .key = BYTES_INIT("host"), .value = BYTES_INIT("h1")},
        {.type = BB_CONDITION_ATTRIBUTE, .key = BYTES_INIT("reason"), .value = BYTES_INIT("late")},
        {.type = BB_CONDITION_STATUS, .number = BB_STATUS_ERROR},
        {.type = BB_CONDITION_KIND, .number = BB_KIND_SERVER},
    };
    struct bb_search search = {
        .conditions = conditions, .condition_count = BB_ARRAY_COUNT(conditions), .limit = 1};

    assert_true(row_matches(*state, &search, 0));
    conditions[1].value = BYTES_OF("early");
    assert_false(row_matches(*state, &search, 0));
}

static void asks_service_and_operation_also_for_the_empty_name(void **state)
{
    struct match_fixture *fx = *state;
    struct bb_search search = {
        .service_name = BYTES_OF("cart"), .has_service_name = true, .limit = 1};

    assert_true(row_matches(fx, &search, 0));
    assert_false(row_matches(fx, &search, 1));
    search.service_name = BYTES_OF("car");
    assert_false(row_matches(fx, &search, 0));
    search = (struct bb_search){.has_operation = true, .limit = 1};
    assert_false(row_matches(fx, &search, 0));
    assert_true(row_matches(fx, &search, 1));
    search.operation = BYTES_OF("GET /");
    assert_true(row_matches(fx, &search, 0));
    assert_false(row_matches(fx, &search, 1));
}

static void takes_the_bounds_of_time_and_duration_as_inclusive(void **state)
{
    struct match_fixture *fx = *state;
    struct bb_search search = {.start_unix_ns_min = 1000, .start_unix_ns_max = 1000, .limit = 1};

    assert_true(row_matches(fx, &search, 0));
    search.start_unix_ns_min = 1001;
    search.start_unix_ns_max = 0;
    assert_false(row_matches(fx, &search, 0));
    assert_true(row_matches(fx, &search, 1));
    search = (struct bb_search){.start_unix_ns_max = 999, .limit = 1};
    assert_false(row_matches(fx, &search, 0));
    search = (struct bb_search){.duration_ns_min = 2000, .duration_ns_max = 2000, .limit = 1};
    assert_true(row_matches(fx, &search, 0));
    assert_false(row_matches(fx, &search, 1)); /* one that ends before it starts lasts 0 */
    search = (struct bb_search){.duration_ns_max = 1999, .limit = 1};
    assert_false(row_matches(fx, &search, 0));
    assert_true(row_matches(fx, &search, 1));
    search = (struct bb_search){.duration_ns_min = 2001, .limit = 1};
    assert_false(row_matches(fx, &search, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_attributes_on_every_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compares_the_text_of_numbers_and_booleans, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(finds_an_element_of_an_array_and_each_of_two_values, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(asks_kind_status_and_scope, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_the_status_for_an_error_tag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wants_all_conditions_of_one_span, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_service_and_operation_also_for_the_empty_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(takes_the_bounds_of_time_and_duration_as_inclusive, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
