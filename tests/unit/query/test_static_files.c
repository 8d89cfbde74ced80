#include "query/static_files.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/http_call.h"

struct fixture {
    char dir[64]; /* holds secret.js, and ui/ with the files below */
    char ui_dir[80];
    struct http_call call;
};

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    static struct fixture fx;
    char path[256];

    fx = (struct fixture){.dir = "/tmp/bobbin-ui-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    (void)snprintf(fx.ui_dir, sizeof(fx.ui_dir), "%s/ui", fx.dir);
    assert_int_equal(mkdir(fx.ui_dir, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/js", fx.ui_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(fx.dir, "secret.js", "secret");
    write_file(fx.ui_dir, "index.html", "the page");
    write_file(fx.ui_dir, "js/main.js", "the script");
    write_file(fx.ui_dir, "notes.txt", "not served");
    write_file(fx.ui_dir, ".hidden.js", "secret");
    (void)snprintf(path, sizeof(path), "%s/link.js", fx.ui_dir);
    assert_int_equal(symlink("../secret.js", path), 0);
    (void)snprintf(path, sizeof(path), "%s/out", fx.ui_dir);
    assert_int_equal(symlink("..", path), 0);
    *state = &fx;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    http_call_dispose(&fx->call);
    assert_int_equal(nftw(fx->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    return 0;
}

static void handle(void *ctx, const struct bb_http_request *request,
                   struct bb_http_response *response)
{
    bb_static_files_handle(ctx, request, response);
}

/* From `ui_dir`, NULL for the built-in copy. */
static const char *get(struct fixture *fx, char *ui_dir, const char *path, const char *etag)
{
    http_call_dispose(&fx->call);
    http_call_init(&fx->call, "GET", path);
    if (etag != NULL) {
        http_call_set_header(&fx->call, "If-None-Match", etag);
    }
    http_call_run(&fx->call, handle, ui_dir);
    return http_call_body(&fx->call);
}

static void serves_the_files_of_a_directory(void **state)
{
    struct fixture *fx = *state;

    assert_string_equal(get(fx, fx->ui_dir, "/js/main.js", NULL), "the script");
    assert_int_equal(fx->call.response.status, 200);
    assert_string_equal(fx->call.response.content_type, "text/javascript; charset=utf-8");
    assert_string_equal(get(fx, fx->ui_dir, "/js/%6dain.js", NULL), "the script");
}

static void gives_the_page_for_every_view(void **state)
{
    static const char *const paths[] = {"/",   "",           "/search", "/trace/abc",
                                        "/js", "/notes.txt", "/a/../b", "//"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_string_equal(get(fx, fx->ui_dir, paths[i], NULL), "the page");
        assert_int_equal(fx->call.response.status, 200);
        assert_string_equal(fx->call.response.content_type, "text/html; charset=utf-8");
    }
}

static void never_leaves_the_directory(void **state)
{
    static const char *const paths[] = {
        "/../secret.js",    "/%2e%2e/secret.js", "/js/../../secret.js", "/..%2fsecret.js",
        "/link.js",         "/out/secret.js",    "/.hidden.js",         "//secret.js",
        "/secret.js%00.js", "/js/%00/main.js",   "/js/./main.js",
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *body = get(fx, fx->ui_dir, paths[i], NULL);
        assert_null(strstr(body, "secret"));
        assert_int_equal(fx->call.response.status, 404);
    }
}

static void says_404_for_a_file_that_is_not_there(void **state)
{
    struct fixture *fx = *state;

    (void)get(fx, fx->ui_dir, "/js/other.js", NULL);
    assert_int_equal(fx->call.response.status, 404);
    (void)get(fx, NULL, "/no/such.css", NULL);
    assert_int_equal(fx->call.response.status, 404);
}

static void says_what_is_missing_when_there_is_no_page(void **state)
{
    struct fixture *fx = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/index.html", fx->ui_dir);
    assert_int_equal(unlink(path), 0);
    assert_non_null(strstr(get(fx, fx->ui_dir, "/", NULL), "index.html is missing"));
    assert_int_equal(fx->call.response.status, 404);
}

static void sees_a_change_of_a_file_at_once(void **state)
{
    struct fixture *fx = *state;
    char etag[80];

    (void)get(fx, fx->ui_dir, "/js/main.js", NULL);
    (void)snprintf(etag, sizeof(etag), "%s", http_call_header(&fx->call, "ETag"));
    assert_string_equal(get(fx, fx->ui_dir, "/js/main.js", etag), "");
    assert_int_equal(fx->call.response.status, 304);
    write_file(fx->ui_dir, "js/main.js", "the script, longer");
    assert_string_equal(get(fx, fx->ui_dir, "/js/main.js", etag), "the script, longer");
    assert_int_equal(fx->call.response.status, 200);
}

static void serves_every_built_in_file(void **state)
{
    struct fixture *fx = *state;
    char path[256];

    assert_true(bb_static_file_count > 0);
    for (uint32_t i = 0; i < bb_static_file_count; i++) {
        const struct bb_static_file *file = &bb_static_files[i];
        (void)snprintf(path, sizeof(path), "/%s", file->path);
        (void)get(fx, NULL, path, NULL);
        assert_int_equal(fx->call.response.status, 200);
        assert_non_null(fx->call.response.content_type);
        assert_int_equal(fx->call.response.body.size, file->size);
        assert_memory_equal(fx->call.response.body.data, file->data, file->size);
        assert_string_equal(http_call_header(&fx->call, "ETag"), file->etag);
        assert_string_equal(get(fx, NULL, path, file->etag), "");
        assert_int_equal(fx->call.response.status, 304);
        /* Tests and tools of the viewer are not part of it. */
        assert_false(strncmp(file->path, "test/", 5) == 0);
        assert_null(strstr(file->path, "node_modules"));
    }
    assert_int_equal(get(fx, NULL, "/trace/abc", NULL)[0], '<');
}

static void forbids_scripts_from_elsewhere_and_in_the_page(void **state)
{
    struct fixture *fx = *state;

    (void)get(fx, NULL, "/", NULL);
    assert_string_equal(
        http_call_header(&fx->call, "Content-Security-Policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
        "'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'");
    assert_string_equal(http_call_header(&fx->call, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(http_call_header(&fx->call, "Cache-Control"), "no-cache");
}

static void takes_a_list_of_tags_and_a_star(void **state)
{
    struct fixture *fx = *state;
    char list[128];

    (void)get(fx, NULL, "/", NULL);
    (void)snprintf(list, sizeof(list), "\"other\", W/%s", http_call_header(&fx->call, "ETag"));
    (void)get(fx, NULL, "/", list);
    assert_int_equal(fx->call.response.status, 304);
    (void)get(fx, NULL, "/", "*");
    assert_int_equal(fx->call.response.status, 304);
    (void)get(fx, NULL, "/", "\"other\"");
    assert_int_equal(fx->call.response.status, 200);
}

static void refuses_to_be_written_to(void **state)
{
    struct fixture *fx = *state;

    http_call_init(&fx->call, "PUT", "/index.html");
    http_call_run(&fx->call, handle, NULL);
    assert_int_equal(fx->call.response.status, 405);
    assert_string_equal(http_call_header(&fx->call, "Allow"), "GET, HEAD");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(serves_the_files_of_a_directory),
        TEST(gives_the_page_for_every_view),
        TEST(never_leaves_the_directory),
        TEST(says_404_for_a_file_that_is_not_there),
        TEST(says_what_is_missing_when_there_is_no_page),
        TEST(sees_a_change_of_a_file_at_once),
        TEST(serves_every_built_in_file),
        TEST(forbids_scripts_from_elsewhere_and_in_the_page),
        TEST(takes_a_list_of_tags_and_a_star),
        TEST(refuses_to_be_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
