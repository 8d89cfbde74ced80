#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/search_flags.h"

/* The target for `flags` with a NUL, in `out`; or the error. */
static enum bb_err make_target(const struct bb_search_flags *flags, struct bb_buf *out,
                               struct bb_err_detail *detail)
{
    bb_buf_init(out, 1u << 16);
    enum bb_err err = bb_search_flags_target(flags, out, detail);
    bb_buf_append_byte(out, '\0');
    return err;
}

static void every_flag_is_in_the_request(void **state)
{
    const struct bb_search_flags flags = {
        .service = "a&b",
        .operation = "GET /x?y",
        .tags = {.items = {"k=v=w", "\"q\"=h\xc3\xa9"}, .count = 2},
        .duration_ns_min = 1500000,
        .duration_ns_max = 2000000000,
        .since_unix_ns = UINT64_C(1795557600123456789),
        .until_unix_ns = UINT64_C(1795557601000000000),
        .sort = 1,
        .limit = 5,
    };
    struct bb_err_detail detail = {0};
    struct bb_buf out;

    (void)state;
    assert_int_equal(make_target(&flags, &out, &detail), BB_OK);
    assert_string_equal((const char *)out.data,
                        "/api/v3/trace-summaries?query.sort=slowest&query.searchDepth=5"
                        "&query.serviceName=a%26b&query.operationName=GET%20%2Fx%3Fy"
                        "&query.startTimeMin=2026-11-24T22%3A00%3A00.123456789Z"
                        "&query.startTimeMax=2026-11-24T22%3A00%3A01.000000000Z"
                        "&query.durationMin=1.5ms&query.durationMax=2s"
                        "&query.attributes=%7B%22k%22%3A%22v%3Dw%22%2C%22%5C%22q%5C%22%22%3A%22h%C3"
                        "%A9%22%7D");
    bb_buf_dispose(&out);
}

static void without_flags_everything_is_asked_for(void **state)
{
    const struct bb_search_flags flags = {.limit = 20};
    struct bb_err_detail detail = {0};
    struct bb_buf out;

    (void)state;
    assert_int_equal(make_target(&flags, &out, &detail), BB_OK);
    assert_string_equal((const char *)out.data,
                        "/api/v3/trace-summaries?query.sort=newest&query.searchDepth=20"
                        "&query.startTimeMin=1970-01-01T00%3A00%3A00.000000000Z"
                        "&query.startTimeMax=2262-04-11T23%3A47%3A16.000000000Z");
    bb_buf_dispose(&out);
}

static void flags_that_contradict_each_other_are_refused(void **state)
{
    const struct {
        struct bb_search_flags flags;
        const char *words;
    } cases[] = {
        {{.since_unix_ns = 10, .until_unix_ns = 10}, "--until lies before --since"},
        {{.duration_ns_min = 2, .duration_ns_max = 1}, "--max-duration is less"},
        {{.tags = {.items = {"novalue"}, .count = 1}}, "--tag 'novalue' must be KEY=VALUE"},
        {{.tags = {.items = {"=v"}, .count = 1}}, "--tag '=v' must be KEY=VALUE"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_err_detail detail = {0};
        struct bb_buf out;
        enum bb_err err = make_target(&cases[i].flags, &out, &detail);
        if (err != BB_EINVAL || strstr(detail.text, cases[i].words) == NULL) {
            fail_msg("%s: error %d, '%s'", cases[i].words, err, detail.text);
        }
        bb_buf_dispose(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flag_is_in_the_request),
        cmocka_unit_test(without_flags_everything_is_asked_for),
        cmocka_unit_test(flags_that_contradict_each_other_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
