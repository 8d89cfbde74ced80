#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zstd.h>

#include "query/cli/zstd_read.h"

#define CONTENT_SIZE 300000

/* Packs `content` into a frame at the end of `out`. */
static void pack(struct bb_slice content, struct bb_buf *out)
{
    size_t bound = ZSTD_compressBound(content.size);
    uint8_t *room = bb_buf_reserve(out, bound);

    assert_non_null(room);
    size_t size = ZSTD_compress(room, bound, content.data, content.size, 1);
    assert_false(ZSTD_isError(size));
    bb_buf_advance(out, size);
}

struct fixture {
    uint8_t content[CONTENT_SIZE];
    struct bb_buf packed; /* the content in two frames, and an empty one */
    struct bb_buf out;
    struct bb_err_detail detail;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        fixture.content[i] = (uint8_t)(i * i >> 7);
    }
    bb_buf_init(&fixture.packed, 1u << 20);
    bb_buf_init(&fixture.out, 1u << 20);
    fixture.detail = (struct bb_err_detail){0};
    pack(bb_slice_of(fixture.content, 1000), &fixture.packed);
    pack(bb_slice_of(fixture.content + 1000, CONTENT_SIZE - 1000), &fixture.packed);
    pack(bb_slice_of(NULL, 0), &fixture.packed);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    bb_buf_dispose(&fixture->packed);
    bb_buf_dispose(&fixture->out);
    return 0;
}

static void frames_in_a_row_are_one_text(void **state)
{
    struct fixture *fixture = *state;

    assert_true(bb_zstd_is_frame(bb_buf_slice(&fixture->packed)));
    assert_int_equal(bb_zstd_read(bb_buf_slice(&fixture->packed), &fixture->out, &fixture->detail),
                     BB_OK);
    assert_true(
        bb_slice_equals(bb_buf_slice(&fixture->out), bb_slice_of(fixture->content, CONTENT_SIZE)));
}

static void every_cut_inside_a_frame_is_damage(void **state)
{
    struct fixture *fixture = *state;
    uint32_t good_count = 0;

    for (size_t size = 5; size < fixture->packed.size; size += 7) {
        bb_buf_clear(&fixture->out);
        enum bb_err err =
            bb_zstd_read(bb_slice_of(fixture->packed.data, size), &fixture->out, &fixture->detail);
        good_count += err == BB_OK ? 1 : 0;
        assert_true(err == BB_OK || err == BB_EINVAL);
    }
    assert_true(good_count <= 2); /* behind the first and the second frame */
}

static void what_inflates_over_the_limit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct bb_buf small;

    bb_buf_init(&small, 150000);
    assert_int_equal(bb_zstd_read(bb_buf_slice(&fixture->packed), &small, &fixture->detail),
                     BB_ETOOBIG);
    assert_non_null(strstr(fixture->detail.text, "150000"));
    bb_buf_dispose(&small);
}

static void other_bytes_are_no_frame(void **state)
{
    struct fixture *fixture = *state;

    assert_false(bb_zstd_is_frame(bb_slice_of("\x28\xb5\x2f", 3)));
    assert_false(bb_zstd_is_frame(bb_slice_of("{\"a\"", 4)));
    assert_int_equal(
        bb_zstd_read(bb_slice_from_cstr("nothing of it"), &fixture->out, &fixture->detail),
        BB_EINVAL);
    assert_non_null(strstr(fixture->detail.text, "zstd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_in_a_row_are_one_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_cut_inside_a_frame_is_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_inflates_over_the_limit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_bytes_are_no_frame, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
