#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/field_path.h"

static void starts_empty(void **state)
{
    struct bb_field_path path;

    (void)state;
    bb_field_path_clear(&path);
    assert_string_equal(bb_field_path_text(&path), "");
}

static void is_put_together_from_the_inside_out(void **state)
{
    struct bb_field_path path;

    (void)state;
    bb_field_path_clear(&path);
    bb_field_path_prepend(&path, "key", -1);
    assert_string_equal(bb_field_path_text(&path), "key");
    bb_field_path_prepend(&path, "attributes", 0);
    bb_field_path_prepend(&path, "events", INT64_MAX);
    assert_string_equal(bb_field_path_text(&path), "events[9223372036854775807].attributes[0].key");
    bb_field_path_clear(&path);
    assert_string_equal(bb_field_path_text(&path), "");
}

static void one_that_is_too_long_keeps_its_outer_part(void **state)
{
    struct bb_field_path path;

    (void)state;
    bb_field_path_clear(&path);
    for (int i = 0; i < 1000; i++) {
        bb_field_path_prepend(&path, "values", i % 10);
    }
    bb_field_path_prepend(&path, "spans", 7);
    const char *text = bb_field_path_text(&path);
    size_t size = strlen(text);
    assert_in_range(size, BB_FIELD_PATH_SIZE - 16, BB_FIELD_PATH_SIZE - 1);
    assert_memory_equal(text, "spans[7].values[9].values[8].", 29);
    assert_string_equal(text + size - 3, "...");
}

/* Whatever its length was before, the outermost part is there whole. */
static void fits_every_length_up_to_its_size(void **state)
{
    (void)state;
    for (size_t length = 1; length < BB_FIELD_PATH_SIZE + 50; length++) {
        struct bb_field_path path;
        bb_field_path_clear(&path);
        for (size_t i = 0; i < length; i++) {
            bb_field_path_prepend(&path, "x", -1);
        }
        bb_field_path_prepend(&path, "outermost", 1);
        const char *text = bb_field_path_text(&path);
        assert_memory_equal(text, "outermost[1].x", 14);
        size_t whole = strlen("outermost[1]") + 2 * length;
        assert_int_equal(strlen(text), whole < BB_FIELD_PATH_SIZE ? whole : BB_FIELD_PATH_SIZE - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(is_put_together_from_the_inside_out),
        cmocka_unit_test(one_that_is_too_long_keeps_its_outer_part),
        cmocka_unit_test(fits_every_length_up_to_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
