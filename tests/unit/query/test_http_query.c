#include "query/http_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "tests/support/http_call.h"

static struct bb_http_path split(struct bb_arena *arena, const char *path)
{
    struct bb_http_path out;

    assert_int_equal(bb_http_path_split(bb_slice_from_cstr(path), arena, &out), BB_OK);
    return out;
}

static void splits_a_path_before_it_decodes_it(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 1 << 16);
    struct bb_http_path path = split(&arena, "/api/services/a%2Fb%20+c/operations");
    assert_int_equal(path.count, 4);
    assert_true(bb_slice_equals_cstr(path.segments[2], "a/b +c"));
    assert_int_equal(split(&arena, "/").count, 1);
    assert_int_equal(split(&arena, "").count, 1);
    bb_arena_dispose(&arena);
}

static void refuses_paths_that_are_malformed_or_too_deep(void **state)
{
    struct bb_arena arena;
    struct bb_http_path path;

    (void)state;
    bb_arena_init(&arena, 1 << 16);
    assert_int_equal(bb_http_path_split(bb_slice_from_cstr("/a/%4"), &arena, &path), BB_EINVAL);
    assert_int_equal(bb_http_path_split(bb_slice_from_cstr("/1/2/3/4/5/6/7/8"), &arena, &path),
                     BB_OK);
    assert_int_equal(bb_http_path_split(bb_slice_from_cstr("/1/2/3/4/5/6/7/8/9"), &arena, &path),
                     BB_ETOOBIG);
    bb_arena_dispose(&arena);
}

static void matches_whole_paths_only(void **state)
{
    static const struct {
        const char *path;
        const char *pattern;
        bool matches;
    } rows[] = {
        {"/api/traces", "api/traces", true},
        {"/api/traces/", "api/traces", false},
        {"/api/traces", "api/traces/*", false},
        {"/api/traces/", "api/traces/*", false},
        {"/api/traces/x", "api/traces/*", true},
        {"/api/traces/x/y", "api/traces/*", false},
        {"/api/tracesx", "api/traces", false},
        {"/api/trace", "api/traces", false},
        {"/api/s/x/operations", "api/s/*/operations", true},
        {"/api/s//operations", "api/s/*/operations", false},
        {"/api", "api/traces", false},
    };
    struct bb_slice wildcard;
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bb_http_path path = split(&arena, rows[i].path);
        if (bb_http_path_matches(&path, rows[i].pattern, &wildcard) != rows[i].matches) {
            fail_msg("%s against %s", rows[i].path, rows[i].pattern);
        }
    }
    bb_arena_dispose(&arena);
}

static void takes_back_what_does_not_fit_and_leaves_room_for_the_end(void **state)
{
    struct bb_buf answer;

    (void)state;
    bb_buf_init(&answer, BB_ANSWER_END_BYTES + 10);
    bb_buf_append(&answer, "0123456789", 10);
    assert_int_equal(bb_answer_settle(&answer, 0, BB_OK), BB_OK);
    bb_buf_append(&answer, "x", 1);
    assert_int_equal(bb_answer_settle(&answer, 10, BB_OK), BB_ETOOBIG);
    assert_int_equal(answer.size, 10);
    assert_null(bb_buf_reserve(&answer, BB_ANSWER_END_BYTES + 1));
    assert_int_equal(bb_answer_settle(&answer, 10, bb_buf_err(&answer)), BB_ETOOBIG);
    assert_int_equal(bb_buf_err(&answer), BB_OK);
    assert_int_equal(bb_answer_settle(&answer, 10, BB_EIO), BB_EIO);
    bb_buf_dispose(&answer);
}

static void reads_accept_from_left_to_right(void **state)
{
    static const struct {
        const char *accept;
        bool wants_protobuf;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"application/json", false},
        {"application/x-protobuf", true},
        {"application/protobuf", true},
        {"APPLICATION/X-PROTOBUF; q=0.5", true},
        {"text/html,application/protobuf;q=0.9,*/*", true},
        {"application/json;q=0.1, application/x-protobuf", false},
        {"application/x-protobuf2", false},
    };
    struct http_call call;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http_call_init(&call, "GET", "/");
        if (rows[i].accept != NULL) {
            http_call_set_header(&call, "Accept", rows[i].accept);
        }
        assert_int_equal(bb_http_wants_protobuf(&call.request), rows[i].wants_protobuf);
        http_call_dispose(&call);
    }
}

static void gives_every_error_a_status_and_words(void **state)
{
    struct bb_err_detail none = {{0}};
    struct bb_err_detail some = {{"limit: too much"}};

    (void)state;
    assert_int_equal(bb_http_query_status(BB_OK), 200);
    assert_int_equal(bb_http_query_status(BB_EINVAL), 400);
    assert_int_equal(bb_http_query_status(BB_ENOTFOUND), 404);
    assert_int_equal(bb_http_query_status(BB_ETOOBIG), 422);
    assert_int_equal(bb_http_query_status(BB_EBUSY), 503);
    assert_int_equal(bb_http_query_status(BB_ENOMEM), 503);
    assert_int_equal(bb_http_query_status(BB_EIO), 500);
    assert_int_equal(bb_http_query_status(BB_ECORRUPT), 500);
    assert_string_equal(bb_query_error_text(BB_EINVAL, &some), "limit: too much");
    for (int err = BB_OK; err < BB_ERR_COUNT; err++) {
        assert_string_not_equal(bb_query_error_text((enum bb_err)err, &none), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_a_path_before_it_decodes_it),
        cmocka_unit_test(refuses_paths_that_are_malformed_or_too_deep),
        cmocka_unit_test(matches_whole_paths_only),
        cmocka_unit_test(takes_back_what_does_not_fit_and_leaves_room_for_the_end),
        cmocka_unit_test(reads_accept_from_left_to_right),
        cmocka_unit_test(gives_every_error_a_status_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
