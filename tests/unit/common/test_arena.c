#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "tests/support/fault.h"

#define LIMIT ((size_t)8 << 20)

static void takes_no_memory_before_the_first_piece(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    assert_int_equal(arena.taken_bytes, 0);
    assert_null(arena.blocks);
    bb_arena_dispose(&arena);
}

static void disposes_of_null_and_of_a_zeroed_arena(void **state)
{
    struct bb_arena arena = {0};

    (void)state;
    bb_arena_dispose(NULL);
    bb_arena_dispose(&arena);
    bb_arena_dispose(&arena);
}

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 15, 16, 17, 100, 2040, 4096, 5000, 70000, 1 << 20, 3};
    struct bb_arena arena;
    uint8_t *pieces[20 * BB_ARRAY_COUNT(sizes)];

    (void)state;
    bb_arena_init(&arena, (size_t)64 << 20);
    for (size_t i = 0; i < BB_ARRAY_COUNT(pieces); i++) {
        size_t size = sizes[i % BB_ARRAY_COUNT(sizes)];
        pieces[i] = bb_arena_try_alloc(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(pieces); i++) {
        size_t size = sizes[i % BB_ARRAY_COUNT(sizes)];
        assert_int_equal(pieces[i][0], i & 0xff);
        assert_int_equal(pieces[i][size - 1], i & 0xff);
    }
    bb_arena_dispose(&arena);
}

static void a_piece_of_no_bytes_is_a_valid_pointer(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    assert_non_null(bb_arena_try_alloc(&arena, 0));
    assert_non_null(bb_arena_try_calloc(&arena, 0, 8));
    assert_non_null(bb_arena_try_calloc(&arena, 8, 0));
    bb_arena_dispose(&arena);
}

static void never_holds_more_than_its_limit(void **state)
{
    struct bb_arena arena;
    size_t piece_count = 0;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    while (bb_arena_try_alloc(&arena, 1000) != NULL) {
        assert_true(arena.taken_bytes <= LIMIT);
        piece_count++;
    }
    /* Nearly all of the limit can be used: the last block shrinks to what is left. */
    assert_true(piece_count * 1000 > LIMIT / 100 * 95);
    bb_arena_dispose(&arena);
}

static void refuses_a_piece_over_its_limit_and_still_gives_smaller_ones(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    assert_null(bb_arena_try_alloc(&arena, LIMIT));
    assert_int_equal(arena.taken_bytes, 0);
    assert_non_null(bb_arena_try_alloc(&arena, LIMIT - 1024));
    assert_non_null(bb_arena_try_alloc(&arena, 100));
    bb_arena_dispose(&arena);
}

static void refuses_sizes_that_overflow(void **state)
{
    struct bb_arena arena;
    uint8_t byte = 0;

    (void)state;
    bb_arena_init(&arena, SIZE_MAX);
    assert_null(bb_arena_try_alloc(&arena, SIZE_MAX));
    assert_null(bb_arena_try_alloc(&arena, SIZE_MAX - 8));
    assert_null(bb_arena_try_alloc(&arena, SIZE_MAX / 2 + 1));
    assert_null(bb_arena_try_calloc(&arena, SIZE_MAX / 2, 3));
    assert_null(bb_arena_try_calloc(&arena, 3, SIZE_MAX / 2));
    assert_null(bb_arena_try_copy(&arena, bb_slice_of(&byte, SIZE_MAX)).data);
    assert_int_equal(arena.taken_bytes, 0);
    bb_arena_dispose(&arena);
}

static void zeroes_what_calloc_gives(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    for (int round = 0; round < 2; round++) {
        uint8_t *dirty = bb_arena_try_alloc(&arena, 3000);
        assert_non_null(dirty);
        memset(dirty, 0xff, 3000);
        bb_arena_dispose(&arena); /* so that the next block may be the same memory */
        uint8_t *piece = bb_arena_try_calloc(&arena, 1000, 3);
        assert_non_null(piece);
        for (size_t i = 0; i < 3000; i++) {
            assert_int_equal(piece[i], 0);
        }
    }
    bb_arena_dispose(&arena);
}

static void copies_end_with_a_nul(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    struct bb_slice copy = bb_arena_try_copy(&arena, bb_slice_from_cstr("spool"));
    assert_int_equal(copy.size, 5);
    assert_memory_equal(copy.data, "spool", 6);
    copy = bb_arena_try_copy(&arena, bb_slice_of(NULL, 0));
    assert_int_equal(copy.size, 0);
    assert_memory_equal(copy.data, "", 1);
    assert_string_equal(bb_arena_try_cstr(&arena, bb_slice_from_cstr("thread")), "thread");
    assert_string_equal(bb_arena_try_cstr(&arena, bb_slice_of(NULL, 0)), "");
    bb_arena_dispose(&arena);
}

static void prints_text_of_any_length(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    assert_string_equal(bb_arena_try_printf(&arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(bb_arena_try_printf(&arena, "%s", ""), "");
    const char *wide = bb_arena_try_printf(&arena, "%100000d", 1);
    assert_int_equal(strlen(wide), 100000);
    bb_arena_dispose(&arena);
}

static void can_be_used_again_after_dispose(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, LIMIT);
    for (int round = 0; round < 3; round++) {
        assert_non_null(bb_arena_try_alloc(&arena, LIMIT / 2));
        assert_null(bb_arena_try_alloc(&arena, LIMIT / 2));
        bb_arena_dispose(&arena);
        assert_int_equal(arena.taken_bytes, 0);
    }
}

static void a_failed_allocation_leaves_the_arena_as_it_was(void **state)
{
    static const size_t sizes[] = {0, 100, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(sizes); i++) {
        struct bb_arena arena;
        bb_arena_init(&arena, LIMIT);
        if (i % 2 == 1) {
            assert_non_null(bb_arena_try_alloc(&arena, 4000)); /* fills the first block */
        }
        struct bb_arena before = arena;

        fault_arm(1);
        void *piece = bb_arena_try_alloc(&arena, sizes[i]);
        assert_true(fault_disarm());
        assert_null(piece);
        assert_memory_equal(&arena, &before, sizeof arena);

        assert_non_null(bb_arena_try_alloc(&arena, sizes[i]));
        bb_arena_dispose(&arena);
    }
}

static void copies_and_prints_nothing_without_memory(void **state)
{
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 0);
    assert_null(bb_arena_try_copy(&arena, bb_slice_from_cstr("x")).data);
    assert_int_equal(bb_arena_try_copy(&arena, bb_slice_from_cstr("x")).size, 0);
    assert_null(bb_arena_try_cstr(&arena, bb_slice_from_cstr("x")));
    assert_null(bb_arena_try_printf(&arena, "x"));
    assert_null(bb_arena_try_calloc(&arena, 1, 1));
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_memory_before_the_first_piece),
        cmocka_unit_test(disposes_of_null_and_of_a_zeroed_arena),
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_piece_of_no_bytes_is_a_valid_pointer),
        cmocka_unit_test(never_holds_more_than_its_limit),
        cmocka_unit_test(refuses_a_piece_over_its_limit_and_still_gives_smaller_ones),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(zeroes_what_calloc_gives),
        cmocka_unit_test(copies_end_with_a_nul),
        cmocka_unit_test(prints_text_of_any_length),
        cmocka_unit_test(can_be_used_again_after_dispose),
        cmocka_unit_test(a_failed_allocation_leaves_the_arena_as_it_was),
        cmocka_unit_test(copies_and_prints_nothing_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
