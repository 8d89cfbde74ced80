/* The admin pages in every state of the daemon. The store behind them is a fake. */
#include "collector/admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/metrics.h"

/* The fake store: only its address counts. */
struct bb_store {
    const char *reason;
    int update_count;
};

const char *bb_store_not_ready_reason(struct bb_store *store)
{
    return store->reason;
}

void bb_store_update_metrics(struct bb_store *store)
{
    store->update_count++;
    bb_metric_set(BB_M_STORE_PARTITIONS, 42);
}

static const struct bb_version version = {
    .version = "1.2.3",
    .git_commit = "0123456789012345678901234567890123456789",
    .build_time = "2026-11-24T22:00:00Z",
    .store_format = 7,
};

struct fixture {
    struct bb_admin admin;
    struct bb_store store;
    struct bb_http_response response;
};

static int set_up(void **state)
{
    static struct fixture fx;

    fx = (struct fixture){0};
    bb_admin_init(&fx.admin, &version, "starting");
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_buf_dispose(&fx->response.body);
    bb_admin_dispose(&fx->admin);
    return 0;
}

/* Asks for a page; its body is NUL-terminated and lasts until the next one. */
static const char *ask(struct fixture *fx, const char *method, const char *path)
{
    struct bb_http_request request = {.method = method, .path = bb_slice_from_cstr(path)};

    bb_buf_dispose(&fx->response.body);
    fx->response = (struct bb_http_response){.status = 200};
    bb_buf_init(&fx->response.body, 1 << 20);
    bb_admin_handle(&fx->admin, &request, &fx->response);
    assert_int_equal(bb_buf_err(&fx->response.body), BB_OK);
    bb_buf_append_byte(&fx->response.body, '\0');
    return (const char *)fx->response.body.data;
}

static void is_alive_before_it_is_ready(void **state)
{
    struct fixture *fx = *state;

    assert_string_equal(ask(fx, "GET", "/healthz"), "ok\n");
    assert_int_equal(fx->response.status, 200);
}

static void readiness_follows_the_daemon_and_the_store(void **state)
{
    struct fixture *fx = *state;

    assert_string_equal(ask(fx, "GET", "/readyz"), "starting\n");
    assert_int_equal(fx->response.status, 503);

    bb_admin_set_ready(&fx->admin, &fx->store);
    assert_string_equal(ask(fx, "GET", "/readyz"), "ready\n");
    assert_int_equal(fx->response.status, 200);

    fx->store.reason = "no space left";
    assert_string_equal(ask(fx, "GET", "/readyz"), "no space left\n");
    assert_int_equal(fx->response.status, 503);

    fx->store.reason = NULL;
    bb_admin_set_not_ready(&fx->admin, "stopping");
    assert_string_equal(ask(fx, "GET", "/readyz"), "stopping\n");
    assert_int_equal(fx->response.status, 503);

    bb_admin_forget_store(&fx->admin);
    assert_string_equal(ask(fx, "GET", "/readyz"), "stopping\n");
    assert_int_equal(fx->response.status, 503);
}

static void version_says_which_build_and_format(void **state)
{
    struct fixture *fx = *state;

    assert_string_equal(ask(fx, "GET", "/version"),
                        "{\"version\":\"1.2.3\","
                        "\"git_commit\":\"0123456789012345678901234567890123456789\","
                        "\"build_time\":\"2026-11-24T22:00:00Z\",\"format_version\":7}\n");
    assert_string_equal(fx->response.content_type, "application/json");
}

static void metrics_ask_the_store_only_while_there_is_one(void **state)
{
    struct fixture *fx = *state;

    assert_null(strstr(ask(fx, "GET", "/metrics"), "bobbin_store_partitions 42"));
    assert_int_equal(fx->store.update_count, 0);
    assert_non_null(strstr((char *)fx->response.body.data, "\nbobbin_ready 0\n"));

    bb_admin_set_ready(&fx->admin, &fx->store);
    assert_non_null(strstr(ask(fx, "GET", "/metrics"), "bobbin_store_partitions 42"));
    assert_non_null(strstr((char *)fx->response.body.data, "\nbobbin_ready 1\n"));
    assert_int_equal(fx->store.update_count, 1);

    bb_admin_set_not_ready(&fx->admin, "stopping");
    ask(fx, "GET", "/metrics");
    assert_int_equal(fx->store.update_count, 2);
    bb_admin_forget_store(&fx->admin);
    ask(fx, "GET", "/metrics");
    assert_int_equal(fx->store.update_count, 2);
}

static void metrics_are_openmetrics_with_the_process_in_them(void **state)
{
    struct fixture *fx = *state;
    const char *text = ask(fx, "GET", "/metrics");
    size_t size = strlen(text);

    assert_string_equal(fx->response.content_type, BB_METRICS_CONTENT_TYPE);
    assert_string_equal(text + size - strlen("# EOF\n"), "# EOF\n");
    /* This process has more than a megabyte and at least stdin, stdout and stderr. */
    assert_true(bb_metric_get(BB_M_PROCESS_RSS_BYTES) > 1 << 20);
    assert_true(bb_metric_get(BB_M_PROCESS_FDS) >= 3);
    assert_true(bb_metric_get(BB_M_PROCESS_FDS) < 1000);
}

static void another_path_is_404_and_another_method_405(void **state)
{
    static const char *const paths[] = {"/", "/healthz/", "/Healthz", "", "/metrics/x", "/admin"};
    static const char *const methods[] = {"POST", "PUT", "DELETE", "get", "OPTIONS"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < BB_ARRAY_COUNT(paths); i++) {
        ask(fx, "GET", paths[i]);
        assert_int_equal(fx->response.status, 404);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(methods); i++) {
        ask(fx, methods[i], "/metrics");
        assert_int_equal(fx->response.status, 405);
        assert_int_equal(fx->response.header_count, 1);
        assert_string_equal(fx->response.headers[0].name, "Allow");
        assert_string_equal(fx->response.headers[0].value, "GET, HEAD");
    }
    ask(fx, "HEAD", "/version");
    assert_int_equal(fx->response.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_alive_before_it_is_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readiness_follows_the_daemon_and_the_store, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(version_says_which_build_and_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics_ask_the_store_only_while_there_is_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(metrics_are_openmetrics_with_the_process_in_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_path_is_404_and_another_method_405, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
