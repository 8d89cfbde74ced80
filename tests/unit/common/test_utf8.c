#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/check.h"
#include "common/utf8.h"

/* Encodes as the Unicode standard's table 3-6 has it, also what 3-7 forbids. */
static size_t encode(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | code_point >> 6);
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code_point >> 12);
        out[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code_point >> 18);
    out[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}

static void takes_every_code_point_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x200000; code_point++) {
        uint8_t bytes[4];
        size_t size = encode(code_point, bytes);
        bool is_scalar = code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);
        if (bb_utf8_is_valid(bb_slice_of(bytes, size)) != is_scalar) {
            fail_msg("U+%04X", code_point);
        }
        assert_int_equal(bb_utf8_sequence_size(bb_slice_of(bytes, size)), is_scalar ? size : 0);
    }
}

/* Every sequence of two and three bytes, against the standard's table 3-7 written down plainly. */
static size_t reference_size(const uint8_t *p, size_t size)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max;
        size_t size;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        if (p[0] < rows[i].first_min || p[0] > rows[i].first_max) {
            continue;
        }
        if (rows[i].size > size) {
            return 0;
        }
        if (rows[i].size > 1 && (p[1] < rows[i].second_min || p[1] > rows[i].second_max)) {
            return 0;
        }
        for (size_t at = 2; at < rows[i].size; at++) {
            if (p[at] < 0x80 || p[at] > 0xbf) {
                return 0;
            }
        }
        return rows[i].size;
    }
    return 0;
}

static void agrees_with_the_table_of_the_standard_on_all_short_sequences(void **state)
{
    static const uint8_t fourths[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

    (void)state;
    for (uint32_t bits = 0; bits < 1u << 24; bits++) {
        uint8_t bytes[4] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits,
                            fourths[bits % BB_ARRAY_COUNT(fourths)]};
        for (size_t size = 3; size <= 4; size++) {
            if (bb_utf8_sequence_size(bb_slice_of(bytes, size)) != reference_size(bytes, size)) {
                fail_msg("%02x %02x %02x %02x, size %zu", bytes[0], bytes[1], bytes[2], bytes[3],
                         size);
            }
        }
    }
}

static void no_text_is_valid_and_has_no_sequence(void **state)
{
    (void)state;
    assert_true(bb_utf8_is_valid(bb_slice_of(NULL, 0)));
    assert_int_equal(bb_utf8_sequence_size(bb_slice_of(NULL, 0)), 0);
}

static void finds_one_bad_byte_at_every_place_of_every_length(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 40; size++) {
        /* tidy: allow malloc: of the exact size, so that a sanitizer sees a read behind it */
        uint8_t *text = malloc(size);
        assert_non_null(text);
        memset(text, 'a', size);
        assert_true(bb_utf8_is_valid(bb_slice_of(text, size)));
        for (size_t at = 0; at < size; at++) {
            text[at] = 0x80;
            assert_false(bb_utf8_is_valid(bb_slice_of(text, size)));
            text[at] = 'a';
        }
        free(text);
    }
}

static void takes_a_sequence_at_every_place_and_refuses_its_cut_ends(void **state)
{
    static const char *const sequences[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\x80"};

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(sequences); i++) {
        size_t sequence_size = strlen(sequences[i]);
        for (size_t before = 0; before <= 20; before++) {
            uint8_t text[64];
            memset(text, 'a', sizeof text);
            memcpy(text + before, sequences[i], sequence_size);
            assert_true(bb_utf8_is_valid(bb_slice_of(text, before + sequence_size)));
            assert_true(bb_utf8_is_valid(bb_slice_of(text, before + sequence_size + 9)));
            for (size_t cut = 1; cut < sequence_size; cut++) {
                assert_false(bb_utf8_is_valid(bb_slice_of(text, before + cut)));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_code_point_but_surrogates),
        cmocka_unit_test(agrees_with_the_table_of_the_standard_on_all_short_sequences),
        cmocka_unit_test(no_text_is_valid_and_has_no_sequence),
        cmocka_unit_test(finds_one_bad_byte_at_every_place_of_every_length),
        cmocka_unit_test(takes_a_sequence_at_every_place_and_refuses_its_cut_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
