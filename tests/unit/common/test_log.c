#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

#define LINE_SIZE_MAX 4096 /* what a pipe takes at once (POSIX PIPE_BUF on Linux) */

/* Standard error, caught in a file. */
struct capture {
    FILE *file;
    int old_stderr;
};

static void begin_capture(struct capture *capture)
{
    fflush(stderr);
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->old_stderr = dup(STDERR_FILENO);
    assert_true(capture->old_stderr >= 0);
    assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

/* Returns the number of bytes that were written; `out` is cut at its size and gets a NUL. */
static size_t end_capture(struct capture *capture, char *out, size_t out_size)
{
    dup2(capture->old_stderr, STDERR_FILENO);
    close(capture->old_stderr);
    rewind(capture->file);
    size_t size = fread(out, 1, out_size - 1, capture->file);
    out[size] = '\0';
    fclose(capture->file);
    return size;
}

static void writes_one_line_of_logfmt(void **state)
{
    struct capture capture;
    char text[1000];
    int year, month, day, hour, minute, second, ms, end = 0;

    (void)state;
    begin_capture(&capture);
    bb_log(BB_LOG_WARN, "store", "partition sealed", "spans=%d dir=%s", 12, "\"a b\"");
    end_capture(&capture, text, sizeof text);
    assert_int_equal(sscanf(text, "ts=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &end),
                     7);
    assert_int_equal(end, strlen("ts=2026-11-24T22:00:00.123Z"));
    assert_string_equal(text + end,
                        " level=warn module=store msg=\"partition sealed\" spans=12 dir=\"a b\"\n");
}

static void a_line_without_fields_ends_behind_the_message(void **state)
{
    struct capture capture;
    char text[1000];

    (void)state;
    begin_capture(&capture);
    bb_log(BB_LOG_ERROR, "m", "x", "%s", "");
    bb_log(BB_LOG_INFO, "m", "stopped", "%s", "k=v");
    end_capture(&capture, text, sizeof text);
    assert_non_null(strstr(text, "level=info module=m msg=\"stopped\" k=v\n"));
}

static void writes_nothing_below_its_level(void **state)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    (void)state;
    for (int level = BB_LOG_DEBUG; level <= BB_LOG_OFF; level++) {
        struct capture capture;
        char text[2000];
        char expected[40];
        bb_log_set_level((enum bb_log_level)level);
        begin_capture(&capture);
        for (int line = BB_LOG_DEBUG; line <= BB_LOG_OFF; line++) {
            bb_log((enum bb_log_level)line, "m", "x", "%s", "k=v");
        }
        end_capture(&capture, text, sizeof text);
        for (int line = BB_LOG_DEBUG; line < BB_LOG_OFF; line++) {
            snprintf(expected, sizeof expected, " level=%s ", names[line]);
            assert_int_equal(strstr(text, expected) != NULL, line >= level);
        }
    }
    bb_log_set_level(BB_LOG_INFO);
}

static void a_line_that_is_too_long_is_cut_and_still_one_line(void **state)
{
    struct capture capture;
    static char text[3 * LINE_SIZE_MAX];

    (void)state;
    begin_capture(&capture);
    bb_log(BB_LOG_INFO, "m", "long", "k=%010000d", 1);
    size_t size = end_capture(&capture, text, sizeof text);
    assert_in_range(size, LINE_SIZE_MAX - 64, LINE_SIZE_MAX);
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
}

enum { THREAD_COUNT = 4, LINES_PER_THREAD = 500 };

static void *write_lines(void *arg)
{
    const char *letter = arg;
    char word[301];

    memset(word, letter[0], 300);
    word[300] = '\0';
    for (int i = 0; i < LINES_PER_THREAD; i++) {
        bb_log(BB_LOG_INFO, letter, "threads", "word=%s", word);
    }
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    static const char *const letters[THREAD_COUNT] = {"a", "b", "c", "d"};
    static char text[THREAD_COUNT * LINES_PER_THREAD * 500];
    pthread_t threads[THREAD_COUNT];
    struct capture capture;
    int line_count = 0;

    (void)state;
    begin_capture(&capture);
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)letters[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    end_capture(&capture, text, sizeof text);
    for (char *line = text; *line != '\0'; line_count++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        const char *word = strstr(line, "word=") + 5;
        assert_int_equal(end - word, 300);
        for (const char *at = word; at < end; at++) {
            assert_int_equal(*at, word[0]);
        }
        line = end + 1;
    }
    assert_int_equal(line_count, THREAD_COUNT * LINES_PER_THREAD);
}

static void quotes_escape_what_would_end_the_value_or_the_line(void **state)
{
    char out[100];

    (void)state;
    assert_string_equal(bb_log_quote(bb_slice_from_cstr("plain \xc3\xa9"), out, sizeof out),
                        "\"plain \xc3\xa9\"");
    assert_string_equal(bb_log_quote(bb_slice_from_cstr("a\"b\\c\nd\x7f"), out, sizeof out),
                        "\"a\\\"b\\\\c\\x0ad\\x7f\"");
    assert_string_equal(bb_log_quote(bb_slice_of("\0", 1), out, sizeof out), "\"\\x00\"");
    assert_string_equal(bb_log_quote(bb_slice_of(NULL, 0), out, sizeof out), "\"\"");
}

static void a_quoted_value_is_cut_to_any_size_and_still_closed(void **state)
{
    static const char text[] = "ab\n\"\\\x01xyz\n\n\n\n\n\n\n\n";

    (void)state;
    for (size_t size = 3; size < 80; size++) {
        char out[81];
        memset(out, '#', sizeof out);
        bb_log_quote(bb_slice_from_cstr(text), out, size);
        size_t length = strlen(out);
        assert_true(length < size);
        assert_int_equal(out[0], '"');
        assert_int_equal(out[length - 1], '"');
        assert_int_equal(out[size], '#');
        for (size_t i = 0; i < length; i++) {
            assert_int_not_equal(out[i], '\n');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line_of_logfmt),
        cmocka_unit_test(a_line_without_fields_ends_behind_the_message),
        cmocka_unit_test(writes_nothing_below_its_level),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_still_one_line),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
        cmocka_unit_test(quotes_escape_what_would_end_the_value_or_the_line),
        cmocka_unit_test(a_quoted_value_is_cut_to_any_size_and_still_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
