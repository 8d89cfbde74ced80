#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

static void append(struct store_fixture *fx, uint64_t trace, const char *service, const char *name,
                   enum bb_span_kind kind)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, service);
    span_build_scope(&build, "lib", NULL);
    span_build_span(&build,
                    (struct span_spec){.trace = trace, .id = 1, .name = name, .kind = kind});
    store_fixture_append(fx, &build);
}

static void services_and_operations_are_sorted_and_each_once(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_operation *operations = NULL;
    struct bb_slice *names = NULL;
    struct bb_arena arena;
    uint32_t count = 0;

    append(fx, 1, "web", "GET /b", BB_KIND_SERVER);
    append(fx, 2, "cart", "x", BB_KIND_CLIENT);
    append(fx, 3, "web", "GET /a", BB_KIND_SERVER);
    append(fx, 4, "web", "GET /a", BB_KIND_CLIENT);
    append(fx, 5, "web", "GET /a", BB_KIND_SERVER);
    append(fx, 6, NULL, "GET /", BB_KIND_UNSPECIFIED);
    append(fx, 7, "we", "GET /a", BB_KIND_SERVER); /* the beginning of another's name */
    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_store_services(fx->store, &ctl, &arena, &names, &count), BB_OK);
    assert_int_equal(count, 4);
    assert_int_equal(names[0].size, 0);
    assert_true(bb_slice_equals_cstr(names[1], "cart"));
    assert_true(bb_slice_equals_cstr(names[2], "we"));
    assert_true(bb_slice_equals_cstr(names[3], "web"));
    assert_int_equal(bb_store_operations(fx->store, bb_slice_from_cstr("web"), &ctl, &arena,
                                         &operations, &count),
                     BB_OK);
    assert_int_equal(count, 3);
    assert_true(bb_slice_equals_cstr(operations[0].name, "GET /a"));
    assert_int_equal(operations[0].kind, BB_KIND_SERVER);
    assert_int_equal(operations[1].kind, BB_KIND_CLIENT);
    assert_true(bb_slice_equals_cstr(operations[2].name, "GET /b"));
    bb_arena_dispose(&arena);
    store_fixture_check_all(fx); /* and as the model has it, in every state */
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

static void names_go_with_the_last_span_that_has_them(void **state)
{
    struct store_fixture *fx = *state;

    append(fx, 1, "old", "gone", BB_KIND_SERVER);
    append(fx, 2, "both", "gone", BB_KIND_SERVER);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    append(fx, 3, "both", "stays", BB_KIND_SERVER);
    store_fixture_check_all(fx);
    store_fixture_pass(fx, FIXTURE_RETENTION_NS + 1);
    store_model_forget(&fx->model, 2);
    store_fixture_check_all(fx);
}

static void names_of_every_size_are_told_apart(void **state)
{
    struct store_fixture *fx = *state;
    static char name[70000];

    for (size_t size = 1; size < sizeof name; size = size * 7 + 1) {
        memset(name, 'n', size);
        name[size] = '\0';
        append(fx, size, name, name, BB_KIND_SERVER);
        name[size - 1] = 'm'; /* differs in the last byte only */
        append(fx, size + 1, name, name, BB_KIND_SERVER);
    }
    store_fixture_check_all(fx);
    store_fixture_seal(fx);
    store_fixture_check_all(fx);
}

static void an_arena_at_its_limit_is_told(void **state)
{
    struct store_fixture *fx = *state;

    for (uint64_t i = 1; i <= 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "operation %llu", (unsigned long long)i);
        append(fx, i, "web", name, BB_KIND_SERVER);
    }
    for (int sealed = 0; sealed < 2; sealed++) {
        enum bb_err err = BB_ENOMEM;
        for (size_t limit = 0; err != BB_OK; limit += 1000) {
            struct bb_query_ctl ctl = {.read_bytes_max = 0};
            struct bb_operation *operations = NULL;
            struct bb_arena arena;
            uint32_t count = 42;
            bb_arena_init(&arena, limit);
            err = bb_store_operations(fx->store, bb_slice_from_cstr("web"), &ctl, &arena,
                                      &operations, &count);
            assert_true(err == BB_OK || err == BB_ENOMEM || err == BB_ETOOBIG);
            assert_int_equal(count, err == BB_OK ? 300 : 42);
            bb_arena_dispose(&arena);
            assert_true(limit < ((size_t)1 << 22));
        }
        store_fixture_seal(fx);
    }
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(services_and_operations_are_sorted_and_each_once),
        STORE_TEST(names_go_with_the_last_span_that_has_them),
        STORE_TEST(names_of_every_size_are_told_apart),
        STORE_TEST(an_arena_at_its_limit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
