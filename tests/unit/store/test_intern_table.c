#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/intern_table.h"

#define ARENA_BYTES ((size_t)256 << 20)

static struct bb_intern_table table;
static struct bb_arena arena;

static int set_up(void **state)
{
    (void)state;
    bb_arena_init(&arena, ARENA_BYTES);
    bb_intern_init(&table, &arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bb_arena_dispose(&arena);
    return 0;
}

static uint32_t add(struct bb_slice bytes)
{
    uint32_t code = UINT32_MAX;

    assert_int_equal(bb_intern_add(&table, bytes, &code), BB_OK);
    return code;
}

static void gives_codes_in_the_order_of_coming_and_one_for_each_string(void **state)
{
    char text[32];

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < 20000; i++) { /* many chunks, many sizes of the table */
            snprintf(text, sizeof text, "entry %u", i);
            assert_int_equal(add(bb_slice_from_cstr(text)), i);
        }
    }
    assert_int_equal(table.count, 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "entry %u", i);
        assert_true(bb_slice_equals_cstr(bb_intern_get(&table, i), text));
    }
}

static void tells_the_empty_string_prefixes_and_zeros_apart(void **state)
{
    static const char zeros[16] = {0};

    (void)state;
    for (uint32_t size = 0; size <= sizeof zeros; size++) {
        assert_int_equal(add(bb_slice_of(zeros, size)), size);
    }
    for (uint32_t size = 0; size <= sizeof zeros; size++) {
        assert_int_equal(add(bb_slice_of(zeros, size)), size);
    }
}

static void keeps_a_copy_unless_it_is_told_to_borrow(void **state)
{
    char copied[] = "copied";
    char borrowed[] = "borrowed";
    uint32_t code = 0;

    (void)state;
    assert_int_equal(add(bb_slice_from_cstr(copied)), 0);
    assert_int_equal(bb_intern_add_borrowed(&table, bb_slice_from_cstr(borrowed), &code), BB_OK);
    assert_int_equal(code, 1);
    copied[0] = 'x';
    assert_true(bb_slice_equals_cstr(bb_intern_get(&table, 0), "copied"));
    assert_ptr_equal(bb_intern_get(&table, 1).data, borrowed);
    /* One that is there is found, whichever way it came in. */
    assert_int_equal(add(bb_slice_from_cstr("borrowed")), 1);
    assert_int_equal(bb_intern_add_borrowed(&table, bb_slice_from_cstr("copied"), &code), BB_OK);
    assert_int_equal(code, 0);
}

static void pushes_without_looking(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3 * BB_INTERN_CHUNK_SIZE; i++) {
        assert_int_equal(bb_intern_push(&table, bb_slice_from_cstr("same")), BB_OK);
    }
    assert_int_equal(table.count, 3 * BB_INTERN_CHUNK_SIZE);
    assert_true(bb_slice_equals_cstr(bb_intern_get(&table, 3 * BB_INTERN_CHUNK_SIZE - 1), "same"));
}

static void refuses_more_entries_than_it_has_chunks_for(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BB_INTERN_CHUNKS_MAX * BB_INTERN_CHUNK_SIZE; i++) {
        if (bb_intern_push(&table, bb_slice_from_cstr("x")) != BB_OK) {
            fail_msg("entry %u is refused", i);
        }
    }
    assert_int_equal(bb_intern_push(&table, bb_slice_from_cstr("x")), BB_ETOOBIG);
    assert_int_equal(table.count, BB_INTERN_CHUNKS_MAX * BB_INTERN_CHUNK_SIZE);
}

/* Whatever could not be added is not there, and what was there still is. */
static void is_as_before_when_memory_runs_out(void **state)
{
    struct bb_arena small;
    uint32_t code = 0;
    char text[64];
    uint32_t added = 0;

    (void)state;
    bb_arena_init(&small, (size_t)256 << 10);
    bb_intern_init(&table, &small);
    enum bb_err err = BB_OK;
    while (err == BB_OK) {
        snprintf(text, sizeof text, "entry %u", added);
        err = bb_intern_add(&table, bb_slice_from_cstr(text), &code);
        added += err == BB_OK;
    }
    assert_int_equal(err, BB_ENOMEM);
    assert_true(added > 100);
    assert_int_equal(table.count, added);
    for (uint32_t i = 0; i < added; i++) {
        snprintf(text, sizeof text, "entry %u", i);
        assert_true(bb_slice_equals_cstr(bb_intern_get(&table, i), text));
    }
    bb_arena_dispose(&small);
}

#define ENTRIES_BY_THREAD 50000u

static void *write_entries(void *ctx)
{
    char text[32];
    uint32_t code = 0;

    (void)ctx;
    for (uint32_t i = 0; i < ENTRIES_BY_THREAD; i++) {
        snprintf(text, sizeof text, "%u", i);
        BB_ASSERT(bb_intern_add(&table, bb_slice_from_cstr(text), &code) == BB_OK && code == i);
    }
    return NULL;
}

static void shows_what_is_counted_to_readers_while_it_grows(void **state)
{
    pthread_t writer;
    char text[32];
    uint32_t count = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_entries, NULL), 0);
    while (count < ENTRIES_BY_THREAD) {
        count = table.count;
        if (count > 0) {
            snprintf(text, sizeof text, "%u", count - 1);
            assert_true(bb_slice_equals_cstr(bb_intern_get(&table, count - 1), text));
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_codes_in_the_order_of_coming_and_one_for_each_string,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_the_empty_string_prefixes_and_zeros_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_copy_unless_it_is_told_to_borrow, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pushes_without_looking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_entries_than_it_has_chunks_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(is_as_before_when_memory_runs_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_what_is_counted_to_readers_while_it_grows, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
