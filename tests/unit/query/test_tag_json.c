#include "query/tag_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"

struct fixture {
    struct bb_arena arena;
    struct bb_err_detail detail;
    struct bb_tag *tags;
    uint32_t count;
};

static int set_up(void **state)
{
    static struct fixture fx;

    fx = (struct fixture){.count = 0};
    bb_arena_init(&fx.arena, 1 << 20);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    return 0;
}

static enum bb_err parse(struct fixture *fx, const char *json)
{
    return bb_tag_json_parse(bb_slice_from_cstr(json), &fx->arena, &fx->detail, &fx->tags,
                             &fx->count);
}

static void check_tag(const struct fixture *fx, uint32_t index, const char *key, const char *value)
{
    assert_true(index < fx->count);
    assert_true(bb_slice_equals_cstr(fx->tags[index].key, key));
    assert_true(bb_slice_equals_cstr(fx->tags[index].value, value));
}

static void gives_every_value_the_text_of_a_typed_attribute(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(parse(fx, " { \"a\" : \"x\", \"b\":200,\"c\":72.50, \"d\":true,\"e\":false, "
                               "\"f\":-7, \"g\":1e3 } "),
                     BB_OK);
    assert_int_equal(fx->count, 7);
    check_tag(fx, 0, "a", "x");
    check_tag(fx, 1, "b", "200");
    check_tag(fx, 2, "c", "72.5");
    check_tag(fx, 3, "d", "true");
    check_tag(fx, 4, "e", "false");
    check_tag(fx, 5, "f", "-7");
    check_tag(fx, 6, "g", "1000");
}

static void decodes_escapes_in_keys_and_values(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(parse(fx, "{\"a\\u0062\":\"q\\\"\\n\\u00e4\\ud83d\\ude00\"}"), BB_OK);
    check_tag(fx, 0, "ab", "q\"\n\xc3\xa4\xf0\x9f\x98\x80");
}

static void takes_an_empty_object(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(parse(fx, "{}"), BB_OK);
    assert_int_equal(fx->count, 0);
}

static void refuses_what_is_no_flat_object_and_says_so(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "\"a\"",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1} x",
        "{a:1}",
        "{\"a\":null}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1]}",
        "{\"a\":01}",
        "{\"a\":\"x}",
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fx->detail.text[0] = '\0';
        assert_int_equal(parse(fx, bad[i]), BB_EINVAL);
        assert_string_not_equal(fx->detail.text, "");
    }
}

static void refuses_more_tags_than_a_search_may_have(void **state)
{
    struct fixture *fx = *state;
    char json[BB_SEARCH_CONDITIONS_MAX * 16 + 32];
    int size = snprintf(json, sizeof(json), "{\"k\":1");

    for (int i = 0; i < BB_SEARCH_CONDITIONS_MAX; i++) {
        size += snprintf(json + size, sizeof(json) - (size_t)size, ",\"k%d\":1", i);
    }
    (void)snprintf(json + size, sizeof(json) - (size_t)size, "}");
    assert_int_equal(parse(fx, json), BB_ETOOBIG);
}

static void reports_an_arena_that_is_full(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    bb_arena_init(&fx->arena, 64);
    assert_int_equal(parse(fx, "{\"a\":\"b\"}"), BB_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_every_value_the_text_of_a_typed_attribute, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(decodes_escapes_in_keys_and_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_an_empty_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_flat_object_and_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_tags_than_a_search_may_have, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reports_an_arena_that_is_full, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
