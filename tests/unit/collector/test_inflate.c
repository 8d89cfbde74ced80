/* Compressed bodies: good ones, bombs, damage, and every cut. */
#include "collector/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/limits.h"

#define TEXT "spans, spans, spans and a few more spans"
#define LIMIT ((size_t)1 << 20)
#define ARENA_MAX ((size_t)256 << 20)
#define BOMB_BYTES ((size_t)8 << 20)

/* TEXT as other programs make it: zlib's level 9, and zstd's level 19 with size and check sum. */
static const uint8_t text_zlib[] = {
    0x78, 0xda, 0x2b, 0x2e, 0x48, 0xcc, 0x2b, 0xd6, 0x51, 0x28, 0x46, 0xa2,
    0x14, 0x12, 0xf3, 0x52, 0x14, 0x12, 0x15, 0xd2, 0x52, 0xcb, 0x15, 0x72,
    0xf3, 0x8b, 0x52, 0x21, 0x82, 0x00, 0x24, 0xee, 0x0e, 0x56,
};
static const uint8_t text_zstd[] = {
    0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x28, 0x15, 0x01, 0x00, 0xe0, 0x73, 0x70, 0x61, 0x6e, 0x73, 0x2c,
    0x20, 0x20, 0x61, 0x6e, 0x64, 0x20, 0x61, 0x20, 0x66, 0x65, 0x77, 0x20, 0x6d, 0x6f, 0x72, 0x65,
    0x20, 0x73, 0x70, 0x61, 0x6e, 0x73, 0x01, 0x00, 0xe2, 0x8a, 0x11, 0x12, 0x57, 0x12, 0xe2,
};

struct fixture {
    struct bb_arena arena;
    struct bb_err_detail detail;
    struct bb_buf packed;
    struct bb_slice out;
};

static int set_up(void **state)
{
    static struct fixture fx;

    fx = (struct fixture){0};
    bb_arena_init(&fx.arena, ARENA_MAX);
    bb_buf_init(&fx.packed, ARENA_MAX);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    bb_arena_dispose(&fx->arena);
    bb_buf_dispose(&fx->packed);
    return 0;
}

static enum bb_err inflate_bytes(struct fixture *fx, enum bb_encoding encoding,
                                 struct bb_slice body, size_t limit_bytes)
{
    return bb_inflate(encoding, body, limit_bytes, &fx->arena, &fx->detail, &fx->out);
}

static enum bb_err inflate_packed(struct fixture *fx, enum bb_encoding encoding)
{
    return inflate_bytes(fx, encoding, bb_buf_slice(&fx->packed), LIMIT);
}

static void pack_gzip(struct fixture *fx, const void *data, size_t size)
{
    assert_int_equal(bb_gzip(bb_slice_of(data, size), &fx->packed), BB_OK);
}

static void pack_zeros(struct fixture *fx, size_t size)
{
    void *zeros = bb_arena_try_calloc(&fx->arena, 1, size);

    assert_non_null(zeros);
    pack_gzip(fx, zeros, size);
}

static void assert_out(const struct fixture *fx, const char *text)
{
    assert_true(bb_slice_equals_cstr(fx->out, text));
}

static void knows_the_names_of_encodings(void **state)
{
    enum bb_encoding encoding;

    (void)state;
    assert_int_equal(bb_encoding_parse(NULL, &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_IDENTITY);
    assert_int_equal(bb_encoding_parse("", &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_IDENTITY);
    assert_int_equal(bb_encoding_parse("GZip", &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_GZIP);
    assert_int_equal(bb_encoding_parse("x-gzip", &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_GZIP);
    assert_int_equal(bb_encoding_parse("zstd", &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_ZSTD);
    assert_int_equal(bb_encoding_parse("deflate", &encoding), BB_OK);
    assert_int_equal(encoding, BB_ENCODING_DEFLATE);
    assert_int_equal(bb_encoding_parse("br", &encoding), BB_EUNSUPPORTED);
    assert_int_equal(bb_encoding_parse("gzip, gzip", &encoding), BB_EUNSUPPORTED);
    assert_int_equal(bb_encoding_parse("gzipx", &encoding), BB_EUNSUPPORTED);
}

static void gives_an_identity_body_back_in_place(void **state)
{
    struct fixture *fx = *state;
    struct bb_slice body = bb_slice_from_cstr(TEXT);

    assert_int_equal(inflate_bytes(fx, BB_ENCODING_IDENTITY, body, body.size), BB_OK);
    assert_ptr_equal(fx->out.data, body.data);
    assert_int_equal(fx->out.size, body.size);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_IDENTITY, bb_slice_of(NULL, 0), 0), BB_OK);
    assert_int_equal(fx->out.size, 0);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_IDENTITY, body, body.size - 1), BB_ETOOBIG);
}

static void inflates_what_other_programs_compressed(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_DEFLATE, bb_slice_of(text_zlib, sizeof(text_zlib)), LIMIT),
        BB_OK);
    assert_out(fx, TEXT);
    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_ZSTD, bb_slice_of(text_zstd, sizeof(text_zstd)), LIMIT),
        BB_OK);
    assert_out(fx, TEXT);
}

static void inflates_what_bb_gzip_made(void **state)
{
    struct fixture *fx = *state;

    pack_gzip(fx, TEXT, strlen(TEXT));
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_OK);
    assert_out(fx, TEXT);
    bb_buf_clear(&fx->packed);
    pack_gzip(fx, NULL, 0);
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_OK);
    assert_int_equal(fx->out.size, 0);
}

static void gzip_holds_the_limit_of_its_buffer_to_the_byte(void **state)
{
    struct fixture *fx = *state;
    struct bb_buf small;

    pack_gzip(fx, TEXT, strlen(TEXT));
    bb_buf_init(&small, fx->packed.size);
    assert_int_equal(bb_gzip(bb_slice_from_cstr(TEXT), &small), BB_OK);
    assert_int_equal(small.size, fx->packed.size);
    bb_buf_dispose(&small);
    bb_buf_init(&small, fx->packed.size - 1);
    assert_int_equal(bb_gzip(bb_slice_from_cstr(TEXT), &small), BB_ETOOBIG);
    bb_buf_dispose(&small);
}

static void takes_several_gzip_members_as_one_body(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 3; i++) {
        pack_gzip(fx, "spans ", 6);
    }
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_OK);
    assert_out(fx, "spans spans spans ");
}

static void takes_zstd_frames_and_skips_skippable_ones(void **state)
{
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    struct fixture *fx = *state;

    bb_buf_append(&fx->packed, skippable, sizeof(skippable));
    bb_buf_append(&fx->packed, text_zstd, sizeof(text_zstd));
    bb_buf_append(&fx->packed, text_zstd, sizeof(text_zstd));
    bb_buf_append(&fx->packed, skippable, sizeof(skippable));
    assert_int_equal(inflate_packed(fx, BB_ENCODING_ZSTD), BB_OK);
    assert_out(fx, TEXT TEXT);
}

static void a_body_of_only_skippable_frames_is_empty(void **state)
{
    static const uint8_t skippable[] = {0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
    struct fixture *fx = *state;

    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_ZSTD, bb_slice_of(skippable, sizeof(skippable)), LIMIT),
        BB_OK);
    assert_int_equal(fx->out.size, 0);
}

static void refuses_an_empty_compressed_body(void **state)
{
    struct fixture *fx = *state;
    struct bb_slice none = bb_slice_of(NULL, 0);

    assert_int_equal(inflate_bytes(fx, BB_ENCODING_GZIP, none, LIMIT), BB_EINVAL);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_ZSTD, none, LIMIT), BB_EINVAL);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_DEFLATE, none, LIMIT), BB_EINVAL);
}

static void refuses_every_cut(void **state)
{
    struct fixture *fx = *state;

    pack_gzip(fx, TEXT, strlen(TEXT));
    for (size_t size = 1; size < fx->packed.size; size++) {
        struct bb_slice cut = bb_slice_of(fx->packed.data, size);
        assert_int_equal(inflate_bytes(fx, BB_ENCODING_GZIP, cut, LIMIT), BB_EINVAL);
    }
    for (size_t size = 1; size < sizeof(text_zstd); size++) {
        struct bb_slice cut = bb_slice_of(text_zstd, size);
        assert_int_equal(inflate_bytes(fx, BB_ENCODING_ZSTD, cut, LIMIT), BB_EINVAL);
    }
    for (size_t size = 1; size < sizeof(text_zlib); size++) {
        struct bb_slice cut = bb_slice_of(text_zlib, size);
        assert_int_equal(inflate_bytes(fx, BB_ENCODING_DEFLATE, cut, LIMIT), BB_EINVAL);
    }
    assert_true(strstr(fx->detail.text, "cut short") != NULL);
}

static void refuses_bytes_behind_the_end(void **state)
{
    struct fixture *fx = *state;

    pack_gzip(fx, TEXT, strlen(TEXT));
    bb_buf_append_cstr(&fx->packed, "more");
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_EINVAL);

    bb_buf_clear(&fx->packed);
    bb_buf_append(&fx->packed, text_zstd, sizeof(text_zstd));
    bb_buf_append_cstr(&fx->packed, "more");
    assert_int_equal(inflate_packed(fx, BB_ENCODING_ZSTD), BB_EINVAL);

    bb_buf_clear(&fx->packed);
    bb_buf_append(&fx->packed, text_zlib, sizeof(text_zlib));
    bb_buf_append_byte(&fx->packed, 0);
    assert_int_equal(inflate_packed(fx, BB_ENCODING_DEFLATE), BB_EINVAL);
}

static void refuses_a_wrong_check_sum(void **state)
{
    struct fixture *fx = *state;

    pack_gzip(fx, TEXT, strlen(TEXT));
    fx->packed.data[fx->packed.size - 8] ^= 1;
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_EINVAL);
    assert_true(strstr(fx->detail.text, "damaged") != NULL);

    bb_buf_append(&fx->packed, text_zstd, sizeof(text_zstd));
    uint8_t bytes[sizeof(text_zstd)];
    memcpy(bytes, text_zstd, sizeof(bytes));
    bytes[sizeof(bytes) - 1] ^= 1;
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_ZSTD, bb_slice_of(bytes, sizeof(bytes)), LIMIT),
                     BB_EINVAL);
}

static void holds_the_limit_to_the_byte(void **state)
{
    struct fixture *fx = *state;
    struct bb_slice zstd = bb_slice_of(text_zstd, sizeof(text_zstd));
    size_t size = strlen(TEXT);

    pack_gzip(fx, TEXT, size);
    struct bb_slice gzip = bb_buf_slice(&fx->packed);
    /* A body that is larger than what it inflates to is held to the same limit. */
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_GZIP, gzip, size - 1), BB_ETOOBIG);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_ZSTD, zstd, size - 1), BB_ETOOBIG);

    bb_buf_clear(&fx->packed);
    pack_zeros(fx, 100000);
    gzip = bb_buf_slice(&fx->packed);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_GZIP, gzip, 100000), BB_OK);
    assert_int_equal(fx->out.size, 100000);
    assert_int_equal(inflate_bytes(fx, BB_ENCODING_GZIP, gzip, 99999), BB_ETOOBIG);
}

/* A zstd frame of `count` blocks that each repeat one byte 128 Ki times (RFC 8878, 3.1.1.2). */
static void pack_zstd_bomb(struct fixture *fx, int count)
{
    static const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3};
    uint8_t block[4];

    bb_buf_append(&fx->packed, head, sizeof(head));
    for (int i = 0; i < count; i++) {
        uint32_t is_last = i == count - 1;
        bb_put_le32(block, (128u << 10) << 3 | 1u << 1 | is_last);
        bb_buf_append(&fx->packed, block, sizeof(block));
    }
}

static void refuses_a_bomb_by_its_ratio(void **state)
{
    struct fixture *fx = *state;

    pack_zstd_bomb(fx, 8); /* 1 MiB, where the ratio begins to count */
    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_ZSTD, bb_buf_slice(&fx->packed), BB_REQUEST_BYTES_MAX),
        BB_OK);
    assert_int_equal(fx->out.size, 1u << 20);

    bb_buf_clear(&fx->packed);
    pack_zstd_bomb(fx, 64);
    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_ZSTD, bb_buf_slice(&fx->packed), BB_REQUEST_BYTES_MAX),
        BB_ETOOBIG);
    assert_true(strstr(fx->detail.text, "times its size") != NULL);
}

static void takes_no_more_memory_than_the_limit_for_a_bomb(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena arena;

    pack_zeros(fx, BOMB_BYTES);
    bb_arena_init(&arena, ARENA_MAX);
    assert_int_equal(bb_inflate(BB_ENCODING_GZIP, bb_buf_slice(&fx->packed), LIMIT, &arena,
                                &fx->detail, &fx->out),
                     BB_ETOOBIG);
    assert_in_range(arena.taken_bytes, 1, LIMIT + 4096);
    bb_arena_dispose(&arena);
}

static void believes_no_size_that_a_body_tells_of_itself(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena arena;

    /* ISIZE is checked by zlib at the end, when it is too late to save memory. */
    pack_gzip(fx, TEXT, strlen(TEXT));
    bb_put_le32(fx->packed.data + fx->packed.size - 4, UINT32_MAX);
    bb_arena_init(&arena, ARENA_MAX);
    assert_int_equal(bb_inflate(BB_ENCODING_GZIP, bb_buf_slice(&fx->packed), BB_REQUEST_BYTES_MAX,
                                &arena, &fx->detail, &fx->out),
                     BB_EINVAL);
    assert_in_range(arena.taken_bytes, 0, (2u << 20));
    bb_arena_dispose(&arena);
}

static void grows_when_the_guess_was_too_small(void **state)
{
    struct fixture *fx = *state;
    uint8_t *noise = bb_arena_try_alloc(&fx->arena, 300000);
    uint32_t seed = 1;

    assert_non_null(noise);
    for (size_t i = 0; i < 300000; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(seed >> 24);
    }
    pack_gzip(fx, noise, 300000);
    pack_gzip(fx, "end", 3); /* the guess is made of this member's ISIZE */
    assert_int_equal(inflate_packed(fx, BB_ENCODING_GZIP), BB_OK);
    assert_int_equal(fx->out.size, 300003);
    assert_memory_equal(fx->out.data, noise, 300000);
}

static void refuses_a_zstd_window_over_8_mib(void **state)
{
    /* A frame header with a window descriptor of 2^24 bytes and no content size, then an empty
     * last block. */
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (24 - 10) << 3, 1, 0, 0};
    static const uint8_t at_limit[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3, 1, 0, 0};
    struct fixture *fx = *state;

    assert_int_equal(inflate_bytes(fx, BB_ENCODING_ZSTD, bb_slice_of(frame, sizeof(frame)), LIMIT),
                     BB_ETOOBIG);
    assert_int_equal(
        inflate_bytes(fx, BB_ENCODING_ZSTD, bb_slice_of(at_limit, sizeof(at_limit)), LIMIT), BB_OK);
    assert_int_equal(fx->out.size, 0);
}

static void tells_when_the_arena_is_full(void **state)
{
    struct fixture *fx = *state;
    struct bb_arena arena;

    pack_zeros(fx, 100000);
    bb_arena_init(&arena, 50000);
    assert_int_equal(bb_inflate(BB_ENCODING_GZIP, bb_buf_slice(&fx->packed), LIMIT, &arena,
                                &fx->detail, &fx->out),
                     BB_ENOMEM);
    bb_arena_dispose(&arena);
}

static void sees_the_magic_of_zstd(void **state)
{
    (void)state;
    assert_true(bb_is_zstd(bb_slice_of(text_zstd, sizeof(text_zstd))));
    assert_false(bb_is_zstd(bb_slice_of(text_zstd, 3)));
    assert_false(bb_is_zstd(bb_slice_of(text_zlib, sizeof(text_zlib))));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(knows_the_names_of_encodings),
        TEST(gives_an_identity_body_back_in_place),
        TEST(inflates_what_other_programs_compressed),
        TEST(inflates_what_bb_gzip_made),
        TEST(gzip_holds_the_limit_of_its_buffer_to_the_byte),
        TEST(takes_several_gzip_members_as_one_body),
        TEST(takes_zstd_frames_and_skips_skippable_ones),
        TEST(a_body_of_only_skippable_frames_is_empty),
        TEST(refuses_an_empty_compressed_body),
        TEST(refuses_every_cut),
        TEST(refuses_bytes_behind_the_end),
        TEST(refuses_a_wrong_check_sum),
        TEST(holds_the_limit_to_the_byte),
        TEST(refuses_a_bomb_by_its_ratio),
        TEST(takes_no_more_memory_than_the_limit_for_a_bomb),
        TEST(believes_no_size_that_a_body_tells_of_itself),
        TEST(grows_when_the_guess_was_too_small),
        TEST(refuses_a_zstd_window_over_8_mib),
        TEST(tells_when_the_arena_is_full),
        TEST(sees_the_magic_of_zstd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
