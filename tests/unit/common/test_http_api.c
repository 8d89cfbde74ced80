#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/http_api.h"
#include "common/limits.h"

static struct bb_arena arena;

static int set_up(void **state)
{
    (void)state;
    bb_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_arena_dispose(&arena);
    return 0;
}

static struct bb_http_request request_of(const char *query)
{
    return (struct bb_http_request){.query = bb_slice_from_cstr(query), .arena = &arena};
}

static void splits_arguments_and_decodes_both_sides(void **state)
{
    struct bb_http_request request =
        request_of("service=front%20end&tag=a%3D1&tag=b%26=2%3D&empty=&alone&x+y=1+2&&=v&"
                   "%e2%82%ac=%C3%a9");
    static const char *const expected[][2] = {
        {"service", "front end"},
        {"tag", "a=1"},
        {"tag", "b&=2="},
        {"empty", ""},
        {"alone", ""},
        {"x y", "1 2"},
        {"", "v"},
        {"\xe2\x82\xac", "\xc3\xa9"},
    };
    struct bb_slice value;

    (void)state;
    assert_int_equal(bb_http_parse_args(&request), BB_OK);
    assert_int_equal(request.arg_count, BB_ARRAY_COUNT(expected));
    /* Of several "=" only the first divides. */
    for (size_t i = 0; i < BB_ARRAY_COUNT(expected); i++) {
        assert_true(bb_slice_equals_cstr(request.args[i].name, expected[i][0]));
        assert_true(bb_slice_equals_cstr(request.args[i].value, expected[i][1]));
    }
    assert_true(bb_http_arg(&request, "tag", &value));
    assert_true(bb_slice_equals_cstr(value, "a=1")); /* the first of that name */
    assert_true(bb_http_arg(&request, "alone", &value));
    assert_int_equal(value.size, 0);
}

static void an_argument_that_is_missing_leaves_the_value(void **state)
{
    struct bb_http_request request = request_of("a=1");
    struct bb_slice value = bb_slice_from_cstr("before");

    (void)state;
    assert_int_equal(bb_http_parse_args(&request), BB_OK);
    assert_false(bb_http_arg(&request, "A", &value));
    assert_false(bb_http_arg(&request, "", &value));
    assert_true(bb_slice_equals_cstr(value, "before"));
}

static void no_query_has_no_arguments(void **state)
{
    struct bb_http_request request = request_of(NULL);
    struct bb_slice value;

    (void)state;
    assert_int_equal(bb_http_parse_args(&request), BB_OK);
    assert_int_equal(request.arg_count, 0);
    assert_false(bb_http_arg(&request, "a", &value));
}

static void refuses_a_percent_without_two_digits(void **state)
{
    static const char *const cases[] = {"a=%", "a=%1", "a=%zz", "a=%1g", "%=1", "a=1&b=%4", "%%30"};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_http_request request = request_of(cases[i]);
        assert_int_equal(bb_http_parse_args(&request), BB_EINVAL);
        assert_null(request.args);
        assert_int_equal(request.arg_count, 0);
    }
}

static void takes_as_many_arguments_as_the_limit_and_no_more(void **state)
{
    char query[4 * BB_HTTP_ARGS_MAX + 8] = "";
    struct bb_http_request request;

    (void)state;
    for (size_t i = 0; i < BB_HTTP_ARGS_MAX; i++) {
        memcpy(query + 4 * i, "a=1&", 4);
    }
    query[4 * BB_HTTP_ARGS_MAX - 1] = '\0';
    request = request_of(query);
    assert_int_equal(bb_http_parse_args(&request), BB_OK);
    assert_int_equal(request.arg_count, BB_HTTP_ARGS_MAX);
    memcpy(query + 4 * BB_HTTP_ARGS_MAX - 1, "&b", 3);
    request = request_of(query);
    assert_int_equal(bb_http_parse_args(&request), BB_ETOOBIG);
}

static void reports_an_arena_at_its_limit(void **state)
{
    struct bb_arena none;
    struct bb_http_request request = request_of("a=1");
    struct bb_slice text;

    (void)state;
    bb_arena_init(&none, 0);
    request.arena = &none;
    assert_int_equal(bb_http_parse_args(&request), BB_ENOMEM);
    assert_int_equal(bb_url_decode(bb_slice_from_cstr("a"), false, &none, &text), BB_ENOMEM);
    bb_arena_dispose(&none);
}

static void a_plus_is_a_space_only_where_it_is_said(void **state)
{
    struct bb_slice text;

    (void)state;
    assert_int_equal(bb_url_decode(bb_slice_from_cstr("a+b%2B"), true, &arena, &text), BB_OK);
    assert_true(bb_slice_equals_cstr(text, "a b+"));
    assert_int_equal(bb_url_decode(bb_slice_from_cstr("a+b%2B"), false, &arena, &text), BB_OK);
    assert_true(bb_slice_equals_cstr(text, "a+b+"));
}

static void a_decoded_nul_does_not_end_the_text(void **state)
{
    struct bb_slice text;

    (void)state;
    assert_int_equal(bb_url_decode(bb_slice_from_cstr("a%00b"), false, &arena, &text), BB_OK);
    assert_true(bb_slice_equals(text, bb_slice_of("a\0b", 3)));
}

static void encodes_all_but_unreserved_characters_and_reads_back(void **state)
{
    uint8_t every[256];
    struct bb_buf encoded;
    struct bb_slice back;

    (void)state;
    for (size_t i = 0; i < sizeof every; i++) {
        every[i] = (uint8_t)i;
    }
    bb_buf_init(&encoded, 1000);
    bb_url_encode(bb_slice_from_cstr("aZ09-._~ /%\xc3\xa9"), &encoded);
    assert_true(bb_slice_equals_cstr(bb_buf_slice(&encoded), "aZ09-._~%20%2F%25%C3%A9"));
    bb_buf_clear(&encoded);
    bb_url_encode(bb_slice_of(every, sizeof every), &encoded);
    assert_int_equal(bb_buf_err(&encoded), BB_OK);
    assert_int_equal(encoded.size, 66 + 3 * (256 - 66)); /* 66 are unreserved */
    for (int plus = 0; plus < 2; plus++) {
        assert_int_equal(bb_url_decode(bb_buf_slice(&encoded), plus == 1, &arena, &back), BB_OK);
        assert_true(bb_slice_equals(back, bb_slice_of(every, sizeof every)));
    }
    bb_buf_dispose(&encoded);
}

static void adds_headers_in_order(void **state)
{
    struct bb_http_response response = {.status = 200};

    (void)state;
    bb_http_add_header(&response, "Retry-After", "%d", 5);
    bb_http_add_header(&response, "Allow", "%s, %s", "GET", "HEAD");
    assert_int_equal(response.header_count, 2);
    assert_string_equal(response.headers[0].name, "Retry-After");
    assert_string_equal(response.headers[0].value, "5");
    assert_string_equal(response.headers[1].value, "GET, HEAD");
}

static void a_value_from_outside_cannot_start_a_header_of_its_own(void **state)
{
    struct bb_http_response response = {.status = 200};

    (void)state;
    bb_http_add_header(&response, "Location", "/x%s", "\r\nSet-Cookie: a=b\n\x01\x7f\t.");
    assert_string_equal(response.headers[0].value, "/x  Set-Cookie: a=b    .");
    for (const char *at = response.headers[0].value; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

static void a_header_that_is_too_long_is_cut(void **state)
{
    struct bb_http_response response = {.status = 200};

    (void)state;
    bb_http_add_header(&response, "X", "%01000d", 1);
    assert_int_equal(strlen(response.headers[0].value), sizeof response.headers[0].value - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_arguments_and_decodes_both_sides),
        cmocka_unit_test(an_argument_that_is_missing_leaves_the_value),
        cmocka_unit_test(no_query_has_no_arguments),
        cmocka_unit_test(refuses_a_percent_without_two_digits),
        cmocka_unit_test(takes_as_many_arguments_as_the_limit_and_no_more),
        cmocka_unit_test(reports_an_arena_at_its_limit),
        cmocka_unit_test(a_plus_is_a_space_only_where_it_is_said),
        cmocka_unit_test(a_decoded_nul_does_not_end_the_text),
        cmocka_unit_test(encodes_all_but_unreserved_characters_and_reads_back),
        cmocka_unit_test(adds_headers_in_order),
        cmocka_unit_test(a_value_from_outside_cannot_start_a_header_of_its_own),
        cmocka_unit_test(a_header_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
