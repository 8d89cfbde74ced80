#include "query/query_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "query_fixture.h"

static void sends_each_path_to_the_api_that_it_belongs_to(void **state)
{
    static const struct {
        const char *target;
        const char *begins;
    } rows[] = {
        {"/api/services", "{\"data\":["},
        {"/api/other", "{\"data\":null"},
        {"/api/v3x", "{\"data\":null"},
        {"/api", "{\"data\":null"},
        {"/api/v3/services", "{\"services\":["},
        {"/api/v3/other", "{\"error\":{"},
        {"/api/v3", "{\"error\":{"},
        {"/", "<"},
        {"/search?service=web", "<"},
        {"/trace/" FIXTURE_TRACE_1, "<"},
        {"/apis", "<"},
    };
    struct query_fixture *fx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *body = query_fixture_get(fx, rows[i].target);
        if (strncmp(body, rows[i].begins, strlen(rows[i].begins)) != 0) {
            fail_msg("%s: %s", rows[i].target, body);
        }
    }
}

static void answers_head_like_get(void **state)
{
    struct query_fixture *fx = *state;

    http_call_init(&fx->call, "HEAD", "/api/services");
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    assert_int_equal(fx->call.response.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sends_each_path_to_the_api_that_it_belongs_to,
                                        query_fixture_set_up, query_fixture_tear_down),
        cmocka_unit_test_setup_teardown(answers_head_like_get, query_fixture_set_up,
                                        query_fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
