#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/overflow_pool.h"
#include "client/span_data.h"

static struct bobbin_span span;
static const struct bbc_config config = {.limits = {.attr_value_length = UINT32_MAX}};

static int set_up(void **state)
{
    (void)state;
    memset(&span, 0, sizeof span);
    span.data = (uint8_t *)span.inline_data;
    span.data_capacity = sizeof span.inline_data;
    assert_true(bbc_overflow_map());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bbc_overflow_release(span.record.block);
    assert_int_equal(bbc_overflow_taken_count(), 0);
    return 0;
}

static uint32_t put(struct bobbin_str key, struct bobbin_str value)
{
    struct bobbin_attr attr = bobbin_attr_string(key, value);
    uint32_t size = bbc_span_data_attr(&span, &config, BBC_ENTRY_ATTR, &attr);

    if (size > 0) {
        span.record.attr_count++;
    }
    return size;
}

static void an_entry_is_laid_out_as_documented(void **state)
{
    const struct bbc_entry *entry = (const struct bbc_entry *)(const void *)span.inline_data;

    (void)state;
    assert_int_equal(put(bobbin_cstr("key"), bobbin_cstr("a value of 20 bytes.")), 16 + 8 + 24);
    assert_int_equal(entry->kind, BBC_ENTRY_ATTR);
    assert_int_equal(entry->key_size, 3);
    assert_memory_equal(bbc_entry_key(entry), "key", 3);
    assert_int_equal(entry->value_size, 20);
    assert_memory_equal(bbc_entry_value(entry), "a value of 20 bytes.", 20);
    assert_int_equal(put(bobbin_lit("a literal key"), bobbin_lit("a literal")), 32);
}

static void a_span_that_outgrows_itself_moves_to_a_block(void **state)
{
    static char large[2000];

    (void)state;
    assert_true(put(bobbin_cstr("first"), bobbin_cstr("kept")) > 0);
    assert_true(put(bobbin_cstr("large"), bobbin_strn(large, sizeof large)) > 0);
    assert_non_null(span.record.block);
    assert_ptr_equal(span.data, span.record.block);
    assert_int_equal(span.data_capacity, 4096);
    assert_memory_equal(bbc_entry_value((const struct bbc_entry *)(const void *)span.data), "kept",
                        4);
    assert_true(bbc_span_data_has_attr(&span, bobbin_cstr("first")));
    assert_false(bbc_span_data_has_attr(&span, bobbin_cstr("second")));
}

static void what_is_set_again_makes_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(put(bobbin_cstr("key"), bobbin_cstr("value")) > 0);
    }
    assert_null(span.record.block);
    bbc_span_data_compact(&span);
    assert_int_equal(span.record.attr_count, 1);
    assert_int_equal(span.record.data_size, 32);
}

static void what_does_not_fit_leaves_the_span_as_it_was(void **state)
{
    static char large[BBC_BLOCK_SIZE_MAX];

    (void)state;
    assert_true(put(bobbin_cstr("key"), bobbin_cstr("value")) > 0);
    assert_int_equal(put(bobbin_cstr("large"), bobbin_strn(large, sizeof large)), 0);
    assert_int_equal(span.record.data_size, 32);
    assert_true(bbc_span_data_has_attr(&span, bobbin_cstr("key")));
}

static void a_cut_is_by_characters(void **state)
{
    const struct bobbin_str text = bobbin_lit("a\xc3\xa9\xe2\x82\xac.");

    (void)state;
    assert_int_equal(bbc_cut_length(text, 0), 0);
    assert_int_equal(bbc_cut_length(text, 1), 1);
    assert_int_equal(bbc_cut_length(text, 2), 3);
    assert_int_equal(bbc_cut_length(text, 3), 6);
    assert_int_equal(bbc_cut_length(text, 4), 7);
    assert_int_equal(bbc_cut_length(text, 100), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entry_is_laid_out_as_documented),
        TEST(a_span_that_outgrows_itself_moves_to_a_block),
        TEST(what_is_set_again_makes_room),
        TEST(what_does_not_fit_leaves_the_span_as_it_was),
        cmocka_unit_test(a_cut_is_by_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
