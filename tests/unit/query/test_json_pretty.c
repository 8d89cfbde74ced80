#include "query/json_pretty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *compact, const char *pretty)
{
    struct bb_buf out;

    bb_buf_init(&out, 1 << 16);
    bb_json_pretty_append(bb_slice_from_cstr(compact), &out);
    bb_buf_append_byte(&out, '\0');
    assert_int_equal(bb_buf_err(&out), BB_OK);
    assert_string_equal((const char *)out.data, pretty);
    bb_buf_dispose(&out);
}

static void indents_objects_and_arrays_by_four_blanks(void **state)
{
    (void)state;
    check("{\"a\":[1,2],\"b\":{\"c\":null}}", "{\n"
                                              "    \"a\": [\n"
                                              "        1,\n"
                                              "        2\n"
                                              "    ],\n"
                                              "    \"b\": {\n"
                                              "        \"c\": null\n"
                                              "    }\n"
                                              "}");
}

static void keeps_empty_containers_on_their_line(void **state)
{
    (void)state;
    check("[]", "[]");
    check("{\"a\":{},\"b\":[]}", "{\n    \"a\": {},\n    \"b\": []\n}");
}

static void leaves_strings_as_they_are(void **state)
{
    (void)state;
    check("[\"{,:[\\\"]}\\\\\",\"x\"]", "[\n    \"{,:[\\\"]}\\\\\",\n    \"x\"\n]");
}

static void never_reads_behind_a_document_that_is_cut(void **state)
{
    (void)state;
    check("[\"a", "[\n    \"a");
    check("[\"a\\", "[\n    \"a\\");
    check("{", "{\n    ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indents_objects_and_arrays_by_four_blanks),
        cmocka_unit_test(keeps_empty_containers_on_their_line),
        cmocka_unit_test(leaves_strings_as_they_are),
        cmocka_unit_test(never_reads_behind_a_document_that_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
