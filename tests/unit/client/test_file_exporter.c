#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client/client_fixture.h"

static void record_and_shut_down(struct bobbin_exporter exporter, const char *name)
{
    struct client_fixture fixture;
    struct bobbin_span span;

    client_fixture_init(&fixture);
    fixture.opts.exporter = exporter;
    client_fixture_start(&fixture);
    bobbin_span_start(&span, fixture.tracer, bobbin_cstr(name), NULL);
    bobbin_span_end(&span);
    client_fixture_stop(&fixture);
}

static size_t read_text(FILE *file, char *text, size_t size)
{
    size_t got = fread(text, 1, size - 1, file);

    text[got] = '\0';
    return got;
}

static void appends_one_line_for_each_request(void **state)
{
    char path[] = "/tmp/bobbin-test-"
                  "XX"
                  "XX"
                  "XX";
    struct bobbin_exporter exporter;
    char text[8192];
    FILE *file;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(bobbin_file_exporter_open(path, &exporter), BOBBIN_OK);
    record_and_shut_down(exporter, "one");
    assert_int_equal(bobbin_file_exporter_open(path, &exporter), BOBBIN_OK);
    record_and_shut_down(exporter, "two");
    file = fdopen(fd, "r");
    assert_non_null(file);
    (void)read_text(file, text, sizeof text);
    assert_memory_equal(text, "{\"resourceSpans\":[{", 19);
    assert_contains(text, "\"name\":\"one\"");
    assert_contains(text, "}]}]}\n{\"resourceSpans\":[{");
    assert_contains(text, "\"name\":\"two\"");
    fclose(file);
    unlink(path);
}

static void writes_to_a_descriptor_and_leaves_it_open(void **state)
{
    struct bobbin_exporter exporter;
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    assert_int_equal(bobbin_fd_exporter_open(fileno(file), &exporter), BOBBIN_OK);
    record_and_shut_down(exporter, "there");
    rewind(file);
    assert_true(read_text(file, text, sizeof text) > 0);
    assert_contains(text, "\"name\":\"there\"");
    fclose(file);
}

static void a_write_that_fails_is_counted(void **state)
{
    struct bobbin_exporter exporter;
    struct bobbin_stats before;
    struct bobbin_stats stats;

    (void)state;
    bobbin_stats_read(&before);
    assert_int_equal(bobbin_file_exporter_open("/dev/full", &exporter), BOBBIN_OK);
    record_and_shut_down(exporter, "lost");
    bobbin_stats_read(&stats);
    assert_int_equal(
        stats.dropped[BOBBIN_DROP_EXPORT_FAILED] - before.dropped[BOBBIN_DROP_EXPORT_FAILED], 1);
}

static void refuses_a_file_that_cannot_be_opened(void **state)
{
    struct bobbin_exporter exporter;

    (void)state;
    assert_int_equal(bobbin_file_exporter_open("/nowhere/at/all", &exporter), BOBBIN_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_one_line_for_each_request),
        cmocka_unit_test(writes_to_a_descriptor_and_leaves_it_open),
        cmocka_unit_test(a_write_that_fails_is_counted),
        cmocka_unit_test(refuses_a_file_that_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
