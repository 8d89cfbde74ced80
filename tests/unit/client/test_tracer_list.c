#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/tracer_list.h"
#include "tests/unit/client/client_fixture.h"

static void the_same_arguments_give_the_same_tracer(void **state)
{
    const struct bobbin_attr attr = bobbin_attr_int(bobbin_lit("k"), 1);
    const struct bobbin_tracer_opts full = {.name = bobbin_lit("n"),
                                            .version = bobbin_lit("1"),
                                            .schema_url = bobbin_lit("http://schema"),
                                            .attrs = &attr,
                                            .attr_count = 1};
    struct bobbin_tracer_opts other = full;

    (void)state;
    assert_ptr_equal(bobbin_tracer_get(&full), bobbin_tracer_get(&full));
    assert_ptr_equal(bobbin_tracer_named("x"), bobbin_tracer_named("x"));
    other.version = bobbin_lit("2");
    assert_ptr_not_equal(bobbin_tracer_get(&full), bobbin_tracer_get(&other));
    other = full;
    other.schema_url = bobbin_lit("http://other");
    assert_ptr_not_equal(bobbin_tracer_get(&full), bobbin_tracer_get(&other));
    other = full;
    other.attr_count = 0;
    assert_ptr_not_equal(bobbin_tracer_get(&full), bobbin_tracer_get(&other));
}

static void a_tracer_names_the_scope_of_its_spans(void **state)
{
    const struct bobbin_attr attr = bobbin_attr_bool(bobbin_lit("k"), true);
    const struct bobbin_tracer_opts opts = {.name = bobbin_lit("lib"),
                                            .version = bobbin_lit("1.2"),
                                            .schema_url = bobbin_lit("http://schema"),
                                            .attrs = &attr,
                                            .attr_count = 1};
    struct client_fixture fixture;
    struct bobbin_span span;
    const char *json;

    (void)state;
    client_fixture_init(&fixture);
    client_fixture_start(&fixture);
    bobbin_span_start(&span, bobbin_tracer_get(&opts), bobbin_lit("a"), NULL);
    bobbin_span_end(&span);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("b"), NULL);
    bobbin_span_end(&span);
    json = client_fixture_json(&fixture);
    assert_contains(json,
                    "{\"scope\":{\"name\":\"lib\",\"version\":\"1.2\",\"attributes\":[{\"key\":"
                    "\"k\",\"value\":{\"boolValue\":true}}]},\"spans\":[{");
    assert_contains(json, "],\"schemaUrl\":\"http://schema\"},{\"scope\":{\"name\":\"tests\"}");
    client_fixture_stop(&fixture);
}

static void a_full_list_gives_the_nameless_tracer(void **state)
{
    const struct bobbin_tracer *tracer = NULL;
    char name[16];

    (void)state;
    for (int i = 0; i <= BOBBIN_TRACERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "tracer %d", i);
        tracer = bobbin_tracer_named(name);
        assert_non_null(tracer);
    }
    assert_int_equal(tracer->scope.size, 0);
    assert_ptr_not_equal(bobbin_tracer_named("tracer 1"), tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_arguments_give_the_same_tracer),
        cmocka_unit_test(a_tracer_names_the_scope_of_its_spans),
        cmocka_unit_test(a_full_list_gives_the_nameless_tracer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
