#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zstd.h>

#include "common/bytes.h"
#include "query/cli/otlp_file.h"
#include "tests/support/otlp_build.h"

static void put_framed(struct bb_buf *file, struct bb_slice request)
{
    uint8_t length[4];

    bb_put_le32(length, (uint32_t)request.size);
    bb_buf_append(file, length, sizeof(length));
    bb_buf_append_slice(file, request);
}

/* `count` requests of five spans each, length-prefixed. */
static void build_framed(struct bb_buf *file, uint32_t count)
{
    struct bb_buf request;

    build_init(file);
    build_init(&request);
    build_full_request(&request);
    for (uint32_t i = 0; i < count; i++) {
        put_framed(file, bb_buf_slice(&request));
    }
    bb_buf_dispose(&request);
}

/* Parses, and checks the counts. */
static void assert_file(struct bb_slice bytes, uint32_t request_count, uint64_t span_count,
                        bool is_json)
{
    struct bb_otlp_file file;
    struct bb_err_detail detail = {0};

    if (bb_otlp_file_parse(bytes, &detail, &file) != BB_OK) {
        fail_msg("refused: %s", detail.text);
    }
    assert_int_equal(file.request_count, request_count);
    assert_int_equal(file.totals.span_count, span_count);
    for (uint32_t i = 0; i < file.request_count; i++) {
        assert_true(bb_otlp_file_request(&file, i)->is_json == is_json);
    }
    bb_otlp_file_dispose(&file);
}

static void assert_refused(struct bb_slice bytes, const char *words)
{
    struct bb_otlp_file file;
    struct bb_err_detail detail = {0};

    assert_int_equal(bb_otlp_file_parse(bytes, &detail, &file), BB_EINVAL);
    if (strstr(detail.text, words) == NULL) {
        fail_msg("'%s' doesn't say '%s'", detail.text, words);
    }
}

static void each_form_is_told_by_its_content(void **state)
{
    struct bb_buf framed;
    struct bb_buf bare;

    (void)state;
    build_framed(&framed, 3);
    build_init(&bare);
    build_full_request(&bare);
    assert_file(bb_buf_slice(&framed), 3, 15, false);
    assert_file(bb_buf_slice(&bare), 1, 5, false);
    assert_file(BYTES_OF(" \n{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{}]}]}]}"), 1, 2,
                true);
    assert_file(BYTES_OF("\xef\xbb\xbf{\"resourceSpans\":[]}\n{\"resourceSpans\":[]}\n"), 2, 0,
                true);
    bb_buf_dispose(&framed);
    bb_buf_dispose(&bare);
}

static void an_empty_file_has_no_requests(void **state)
{
    (void)state;
    assert_file(bb_slice_of(NULL, 0), 0, 0, false);
    assert_file(BYTES_OF(" \n\n"), 0, 0, false);
    assert_file(BYTES_OF("\0\0\0\0"), 1, 0, false); /* one request, without spans */
}

/* The first byte of a length can be that of '{'. */
static void a_length_that_looks_like_json_is_a_length(void **state)
{
    struct bb_buf request;
    struct bb_buf scope_spans;
    struct bb_buf resource_spans;
    struct bb_buf file;

    (void)state;
    for (size_t padding = 0;; padding++) {
        build_init(&scope_spans);
        build_init(&resource_spans);
        build_init(&request);
        build_put_span(&scope_spans, 1);
        build_put(&resource_spans, BB_F_RESOURCE_SPANS_SCOPE_SPANS, &scope_spans);
        for (size_t i = 0; i < padding; i++) {
            build_put_text(&resource_spans, BB_F_RESOURCE_SPANS_SCHEMA_URL, "");
        }
        build_put(&request, BB_F_REQUEST_RESOURCE_SPANS, &resource_spans);
        if ((request.size & 0xff) == '{') {
            break;
        }
        assert_true(padding < 512);
        bb_buf_dispose(&request);
    }
    build_init(&file);
    put_framed(&file, bb_buf_slice(&request));
    assert_int_equal(file.data[0], '{');
    assert_file(bb_buf_slice(&file), 1, 1, false);
    bb_buf_dispose(&request);
    bb_buf_dispose(&file);
}

static void zstd_frames_are_inflated_first(void **state)
{
    struct bb_buf framed;
    struct bb_buf packed;

    (void)state;
    build_framed(&framed, 40);
    build_init(&packed);
    size_t bound = ZSTD_compressBound(framed.size);
    /* Two frames behind each other are one file. */
    for (int half = 0; half < 2; half++) {
        size_t begin = half == 0 ? 0 : framed.size / 2;
        size_t end = half == 0 ? framed.size / 2 : framed.size;
        uint8_t *room = bb_buf_reserve(&packed, bound);
        assert_non_null(room);
        size_t size = ZSTD_compress(room, bound, framed.data + begin, end - begin, 1);
        assert_false(ZSTD_isError(size));
        bb_buf_advance(&packed, size);
    }
    assert_file(bb_buf_slice(&packed), 40, 200, false);
    assert_refused(bb_slice_of(packed.data, packed.size - 1), "zstd");
    packed.data[packed.size / 2] ^= 0xff;
    struct bb_otlp_file file;
    assert_int_equal(bb_otlp_file_parse(bb_buf_slice(&packed), NULL, &file), BB_EINVAL);
    bb_buf_dispose(&framed);
    bb_buf_dispose(&packed);
}

static void damage_is_told_with_its_place(void **state)
{
    struct bb_buf framed;

    (void)state;
    build_framed(&framed, 3);
    assert_refused(bb_slice_of(framed.data, framed.size - 10), "number 3) is cut short");
    assert_refused(bb_slice_of(framed.data, framed.size * 2 / 3 + 2), "number 3) is cut short");
    framed.data[framed.size / 3 + 4] = 0xff;
    assert_refused(bb_buf_slice(&framed), "number 2) is no ExportTraceServiceRequest");
    assert_refused(BYTES_OF("{\"resourceSpans\":["), "line 1, column 19");
    assert_refused(BYTES_OF("[{\"resourceSpans\":[]}]"), "neither OTLP protobuf");
    assert_refused(BYTES_OF("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "gzip");
    assert_refused(BYTES_OF("hello"), "neither OTLP protobuf");
    bb_buf_dispose(&framed);
}

static void documents_of_other_signals_are_counted(void **state)
{
    struct bb_otlp_file file;

    (void)state;
    assert_int_equal(
        bb_otlp_file_parse(BYTES_OF("{\"resourceLogs\":[]}\n{\"resourceSpans\":[]}"), NULL, &file),
        BB_OK);
    assert_int_equal(file.request_count, 1);
    assert_int_equal(file.skipped_count, 1);
    bb_otlp_file_dispose(&file);
}

static void reads_from_disk_and_says_why_it_cannot(void **state)
{
    char path[] = "/tmp/test_otlp_file_XXXXXX";
    struct bb_err_detail detail = {0};
    struct bb_otlp_file file;
    struct bb_buf framed;

    (void)state;
    build_framed(&framed, 2);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, framed.data, framed.size), framed.size);
    assert_int_equal(close(fd), 0);
    assert_int_equal(bb_otlp_file_read(path, &detail, &file), BB_OK);
    assert_int_equal(file.request_count, 2);
    bb_otlp_file_dispose(&file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(bb_otlp_file_read(path, &detail, &file), BB_EIO);
    assert_string_equal(detail.text, "No such file or directory");
    assert_int_equal(bb_otlp_file_read("/", &detail, &file), BB_EIO);
    bb_buf_dispose(&framed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_told_by_its_content),
        cmocka_unit_test(an_empty_file_has_no_requests),
        cmocka_unit_test(a_length_that_looks_like_json_is_a_length),
        cmocka_unit_test(zstd_frames_are_inflated_first),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(documents_of_other_signals_are_counted),
        cmocka_unit_test(reads_from_disk_and_says_why_it_cannot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
