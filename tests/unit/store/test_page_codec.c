#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/otlp_walk.h"
#include "shred_fixture.h"
#include "tests/support/otlp_build.h"
#include "tests/support/span_build.h"

#define START_NS UINT64_C(1700000000000000000)
#define OUT_BYTES_MAX ((size_t)64 << 20)

static int set_up(void **state)
{
    static struct shred_fixture fx;

    shred_fixture_init(&fx);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    shred_fixture_dispose(*state);
    return 0;
}

/* Numbers that are the same in every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void put_head(struct bb_buf *span, uint32_t seed)
{
    uint8_t id[BB_TRACE_ID_SIZE] = {1};

    bb_put_be32(id + 4, seed);
    build_init(span);
    bb_pb_write_bytes(span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
    bb_pb_write_bytes(span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
    build_put_text(span, BB_F_SPAN_NAME, "GET /");
    bb_pb_write_fixed64(span, BB_F_SPAN_START_TIME_UNIX_NANO, START_NS + seed);
    bb_pb_write_fixed64(span, BB_F_SPAN_END_TIME_UNIX_NANO, START_NS + 2 * seed);
}

static uint32_t add(struct shred_fixture *fx, struct bb_buf *span)
{
    assert_int_equal(bb_buf_err(span), BB_OK);
    uint32_t shape = shred_fixture_add(fx, bb_buf_slice(span));
    bb_buf_dispose(span);
    return shape;
}

static void add_text(struct shred_fixture *fx, const char *key, const char *value)
{
    struct bb_buf span;

    put_head(&span, fx->row_count + 1);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, key, value);
    assert_int_not_equal(add(fx, &span), 0);
}

static void check(struct shred_fixture *fx)
{
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
}

static const struct bb_column_plan *plan_of(const struct shred_fixture *fx, const char *key)
{
    uint32_t column = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_STRING, key);

    assert_int_not_equal(column, UINT32_MAX);
    return &fx->plans[column];
}

/* Spans with everything that span_build.h can say, each in every second page only. */
static void add_rich_spans(struct shred_fixture *fx, uint32_t count)
{
    struct span_build build;
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)64 << 20);
    span_build_init(&build);
    span_build_resource(&build, "cart");
    span_build_scope(&build, "lib", "1.0");
    for (uint32_t i = 0; i < count; i++) {
        span_build_span(&build, (struct span_spec){.trace = 1 + i / 5,
                                                   .id = 1 + i,
                                                   .parent = i % 5,
                                                   .name = i % 7 == 0 ? "" : "GET /",
                                                   .kind = (enum bb_span_kind)(i % 6),
                                                   .start_unix_ns = i % 3 == 0 ? UINT64_MAX : i,
                                                   .end_unix_ns = i % 4 == 0 ? 0 : UINT64_MAX - i,
                                                   .status = (enum bb_status_code)(i % 3),
                                                   .status_message = i % 2 == 0 ? "it broke" : NULL,
                                                   .trace_state = i % 3 == 0 ? "v=1" : NULL,
                                                   .flags = i % 2 * 0x101,
                                                   .dropped_attributes = i % 3,
                                                   .dropped_events = i % 4,
                                                   .dropped_links = i % 5});
        span_build_event(&build, i * UINT64_C(1000003), i % 2 == 0 ? "retry" : "");
        span_build_string(&build, "reason", i % 4 == 0 ? "" : "late");
        span_build_int(&build, "attempt", (int64_t)i - 3);
        span_build_event(&build, UINT64_MAX, "second");
        span_build_double(&build, "cost", i / 3.0);
        span_build_bool(&build, "last", i % 2 == 0);
        span_build_link(&build, i, i * 7);
        span_build_array(&build, "tags");
        span_build_bytes(&build, "blob", bb_slice_of(&i, sizeof i));
        span_build_link(&build, i * 31, 3);
        span_build_bool(&build, "is", i % 3 == 0);
    }
    struct bb_span_batch batch = span_build_batch(&build, &arena);
    for (uint32_t i = 0; i < batch.span_count; i++) {
        shred_fixture_add(fx, batch.spans[i].bytes);
        if (i % 11 == 10) {
            shred_fixture_end_page(fx);
        }
    }
    span_build_dispose(&build);
    bb_arena_dispose(&arena);
}

static void gives_back_events_links_status_and_values_of_every_type(void **state)
{
    struct shred_fixture *fx = *state;

    add_rich_spans(fx, 300);
    check(fx);
}

static void gives_back_spans_out_of_order_with_unknown_fields(void **state)
{
    struct shred_fixture *fx = *state;

    for (uint8_t i = 1; i < 50; i++) {
        struct bb_buf span;
        build_init(&span);
        build_full_span_body(&span, i);
        assert_int_equal(add(fx, &span), 0);
    }
    check(fx);
}

/* Which fields a span has, all ways there are. */
static void gives_back_every_choice_of_fields(void **state)
{
    struct shred_fixture *fx = *state;
    uint8_t id[BB_TRACE_ID_SIZE] = {9};

    for (uint32_t has = 0; has < 1024; has++) {
        struct bb_buf span;
        build_init(&span);
        bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
        bb_pb_write_bytes(&span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
        if ((has & 1) != 0) {
            build_put_text(&span, BB_F_SPAN_TRACE_STATE, has % 64 < 32 ? "v=1" : "");
        }
        if ((has & 2) != 0) { /* a parent of zeros is not the same as none */
            bb_pb_write_bytes(&span, BB_F_SPAN_PARENT_SPAN_ID,
                              bb_slice_of(id + (has % 32 < 16 ? 8 : 0), BB_SPAN_ID_SIZE));
        }
        if ((has & 4) != 0) {
            build_put_text(&span, BB_F_SPAN_NAME, has % 16 < 8 ? "" : "name");
        }
        if ((has & 8) != 0) {
            bb_pb_write_uint(&span, BB_F_SPAN_KIND, has % 32 < 16 ? 0 : 5);
        }
        if ((has & 16) != 0) {
            bb_pb_write_fixed64(&span, BB_F_SPAN_START_TIME_UNIX_NANO,
                                has % 64 < 32 ? 0 : START_NS);
        }
        if ((has & 32) != 0) {
            bb_pb_write_fixed64(&span, BB_F_SPAN_END_TIME_UNIX_NANO, has);
        }
        if ((has & 64) != 0) {
            build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "", "");
        }
        if ((has & 128) != 0) {
            bb_pb_write_uint(&span, BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT, has % 2);
        }
        if ((has & 256) != 0) {
            bb_pb_write_bytes(&span, BB_F_SPAN_EVENTS, BYTES_OF(""));
        }
        if ((has & 512) != 0) {
            bb_pb_write_fixed32(&span, BB_F_SPAN_FLAGS, has % 2);
        }
        assert_int_not_equal(add(fx, &span), 0);
    }
    check(fx);
}

/* Values of one column in each form that a page has for them. */
static void gives_back_uuids_and_hex_of_all_sizes(void **state)
{
    struct shred_fixture *fx = *state;
    uint64_t seed = 42;

    for (uint32_t i = 0; i < 200; i++) {
        char text[256];
        uint64_t a = next_random(&seed);
        uint64_t b = next_random(&seed);
        snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", (unsigned)a,
                 (unsigned)(a >> 32) & 0xffff, (unsigned)(a >> 48), (unsigned)b & 0xffff,
                 (unsigned long long)(b >> 16));
        add_text(fx, "uuid", text);
        text[i % 36] = text[i % 36] == '-' ? '_' : '-'; /* nearly one */
        add_text(fx, "nearly", text);
        snprintf(text, sizeof text, "%08X-0000-4000-8000-%012llX", (unsigned)a,
                 (unsigned long long)(b >> 16));
        add_text(fx, "upper uuid", text);
        snprintf(text, sizeof text, "%016llx", (unsigned long long)a);
        add_text(fx, "hex", text);
        snprintf(text, sizeof text, "%016llX", (unsigned long long)a);
        add_text(fx, "upper hex", text);
        snprintf(text, sizeof text, "%06x", (unsigned)a & 0xffffff);
        add_text(fx, "short hex", text);
        snprintf(text, sizeof text, "%09llx", (unsigned long long)(a & 0xfffffffff));
        add_text(fx, "odd hex", text);
        snprintf(text, sizeof text, "%0*llx", 128, (unsigned long long)a);
        add_text(fx, "long hex", text);
        snprintf(text, sizeof text, "%0*llx", 130, (unsigned long long)a);
        add_text(fx, "too long hex", text);
        snprintf(text, sizeof text, "%0*llx", (int)(8 + i % 20 * 2), (unsigned long long)a);
        add_text(fx, "hex of many sizes", text);
    }
    check(fx);
    assert_false(plan_of(fx, "uuid")->is_in_dictionary);
    /* Packed, a UUID takes 16 bytes of its 36, hex half: so the page is smaller than its texts. */
    assert_true(fx->pages[0].plain.size <
                (size_t)200 * (16 + 37 + 37 + 8 + 17 + 7 + 10 + 64 + 131 + 30 + 10 * 2) + 1000);
}

/* The page of one column of `distinct` strings, `value_count` values. */
static void check_distinct(uint32_t distinct, uint32_t value_count, bool is_in_dictionary)
{
    struct shred_fixture fx;
    char text[32];

    shred_fixture_init(&fx);
    for (uint32_t i = 0; i < value_count; i++) {
        snprintf(text, sizeof text, "value %u", i % distinct);
        add_text(&fx, "k", text);
        if (i % 1000 == 999) {
            shred_fixture_end_page(&fx);
        }
    }
    check(&fx);
    assert_int_equal(plan_of(&fx, "k")->is_in_dictionary, is_in_dictionary);
    if (is_in_dictionary) {
        assert_int_equal(plan_of(&fx, "k")->distinct_count, distinct);
    }
    shred_fixture_dispose(&fx);
}

static void gives_back_columns_of_few_and_of_many_different_strings(void **state)
{
    (void)state;
    check_distinct(1, 1, true);
    check_distinct(1, 500, true);
    check_distinct(2, 500, true);
    check_distinct(16, 16, true);
    check_distinct(17, 17, false);
    check_distinct(255, 600, true);
    check_distinct(256, 600, true);
    check_distinct(257, 600, true);
    check_distinct(300, 599, false);
    check_distinct(1000, 5000, true);
    check_distinct(2500, 5000, false); /* its first two thousand values are all different */
    check_distinct(5000, 5000, false);
}

/* The same string is a value of several columns, and its code is another in each. */
static void tells_one_string_in_several_columns_apart(void **state)
{
    struct shred_fixture *fx = *state;
    static const char *const keys[] = {"a", "b", "c"};
    char text[16];

    for (uint32_t i = 0; i < 900; i++) {
        struct bb_buf span;
        put_head(&span, i + 1);
        for (uint32_t k = 0; k < 3; k++) {
            snprintf(text, sizeof text, "v%u", (i * (k + 1)) % (20 * (k + 1)));
            build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, keys[k], text);
        }
        assert_int_not_equal(add(fx, &span), 0);
    }
    check(fx);
}

static void gives_back_columns_that_first_appear_in_a_late_page(void **state)
{
    struct shred_fixture *fx = *state;
    char key[32];

    for (uint32_t i = 0; i < 400; i++) {
        snprintf(key, sizeof key, "key %u", i / 13);
        add_text(fx, key, i % 2 == 0 ? "x" : "y");
        if (i % 7 == 6) {
            shred_fixture_end_page(fx);
        }
    }
    check(fx);
    assert_true(fx->page_count > 50);
}

static void gives_back_a_page_of_spans_kept_whole_only(void **state)
{
    struct shred_fixture *fx = *state;

    for (uint32_t i = 0; i < 40; i++) {
        struct bb_buf span;
        put_head(&span, i + 1);
        build_put_text(&span, 1000, "of a later version");
        assert_int_equal(add(fx, &span), 0);
    }
    check(fx);
}

/* Reads damaged bytes from a piece of memory of exactly their size: any reading outside is seen. */
static void read_damaged(const struct shred_fixture *fx, const uint8_t *bytes, size_t size,
                         struct bb_buf *out)
{
    uint8_t *exact = test_malloc(size == 0 ? 1 : size);

    memcpy(exact, bytes, size);
    bb_buf_clear(out);
    enum bb_err err = shred_fixture_read(fx, 0, bb_slice_of(exact, size), out);
    assert_true(err == BB_OK || err == BB_ECORRUPT || err == BB_ETOOBIG);
    err = shred_fixture_read(fx, 0, bb_slice_of(exact, size), NULL);
    assert_true(err == BB_OK || err == BB_ECORRUPT);
    test_free(exact);
}

static void reads_nothing_outside_of_a_damaged_page(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_buf out;

    add_rich_spans(fx, 11);
    for (uint32_t i = 0; i < 20; i++) {
        char text[40];
        snprintf(text, sizeof text, "%08x-1111-4111-8111-111111111111", i);
        add_text(fx, "uuid", text);
        add_text(fx, "hex", text + 24);
        add_text(fx, "plain", text + i);
    }
    fx->page_count = 0; /* all rows in one page */
    shred_fixture_finish(fx);
    shred_fixture_check(fx);
    struct bb_slice plain = fx->pages[0].plain;
    uint8_t *bytes = test_malloc(plain.size);
    memcpy(bytes, plain.data, plain.size);
    bb_buf_init(&out, OUT_BYTES_MAX);
    for (size_t at = 0; at < plain.size; at++) {
        static const uint8_t flips[] = {0x01, 0x80, 0xff};
        for (size_t i = 0; i < BB_ARRAY_COUNT(flips); i++) {
            bytes[at] ^= flips[i];
            read_damaged(fx, bytes, plain.size, &out);
            bytes[at] ^= flips[i];
        }
    }
    for (size_t size = 0; size < plain.size; size++) {
        read_damaged(fx, bytes, size, &out);
    }
    bb_buf_clear(&out);
    assert_int_equal(shred_fixture_read(fx, 0, bb_slice_of(bytes, plain.size), &out), BB_OK);
    bb_buf_dispose(&out);
    test_free(bytes);
}

/* A dictionary from a disk may say anything of shapes and columns: of none at all, too. */
static void refuses_a_whole_span_when_there_are_no_columns(void **state)
{
    struct shred_fixture *fx = *state;
    struct bb_dictionary *dictionary = fx->written;
    struct bb_span_ref span = {.kind = 0};
    struct bb_page_reader reader;

    assert_int_equal(bb_intern_push(&dictionary->shapes, bb_slice_of("", 0)), BB_OK);
    assert_int_equal(bb_page_reader_init(&reader, BYTES_OF("\x00"), 1, dictionary, &fx->arena),
                     BB_OK);
    assert_int_equal(bb_page_next(&reader, &span, NULL), BB_ECORRUPT);
}

static void refuses_shapes_that_no_span_has(void **state)
{
    static const struct bb_slice shapes[] = {
        BYTES_INIT("\x00\x09"),         /* an unknown token */
        BYTES_INIT("\x00\x03"),         /* an event without an end */
        BYTES_INIT("\x00\x06"),         /* an end without a beginning */
        BYTES_INIT("\x00\x03\x04\x06"), /* a link in an event */
        BYTES_INIT("\x00\x00"),         /* a value of no column */
        BYTES_INIT("\x00\x00\x63"),     /* a value of a column that isn't there */
        BYTES_INIT("\x00\x00\x00"),     /* the whole message as a value */
        BYTES_INIT("\x00\x01\x63"),     /* a boolean of a column that isn't there */
        BYTES_INIT("\x00\x07\x0a"),     /* a number without a value */
        BYTES_INIT("\x00\x07\x00\x01"), /* field 0 */
        BYTES_INIT("\x00\x08\x10\x01"), /* half of the flags */
    };
    static const uint8_t whole[2] = {BB_PLACE_FIELD << 4 | BB_COLUMN_STRING, BB_FIELD_WHOLE};
    struct shred_fixture *fx = *state;
    struct bb_dictionary *dictionary = fx->written;
    struct bb_span_ref span = {.kind = 0};

    dictionary->column_values = bb_arena_try_calloc(&fx->arena, 1, sizeof(struct bb_column_values));
    assert_non_null(dictionary->column_values);
    assert_int_equal(bb_intern_push(&dictionary->columns, bb_slice_of(whole, 2)), BB_OK);
    for (uint32_t i = 0; i < BB_ARRAY_COUNT(shapes); i++) {
        uint8_t page[1] = {(uint8_t)i};
        struct bb_page_reader reader;
        assert_int_equal(bb_intern_push(&dictionary->shapes, shapes[i]), BB_OK);
        assert_int_equal(
            bb_page_reader_init(&reader, bb_slice_of(page, 1), 1, dictionary, &fx->arena), BB_OK);
        assert_int_equal(bb_page_next(&reader, &span, NULL), BB_ECORRUPT);
    }
}

/* Bytes of a good span changed at random places; those that are still accepted come back. */
static void gives_back_whatever_is_accepted(void **state)
{
    struct shred_fixture *fx = *state;
    uint64_t seed = 20261124;
    uint32_t taken_apart = 0;
    uint32_t tried = 0;

    while (fx->row_count < 4000) {
        struct bb_span_ref accepted;
        struct bb_buf span;
        put_head(&span, 1 + tried % 50);
        build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "http.method", "GET");
        bb_buf_append_slice(&span, BYTES_OF("\x4a\x08\x0a\x01i\x12\x03\x18\xac\x02"
                                            "\x4a\x07\x0a\x01t\x12\x02\x10\x01"
                                            "\x5a\x1b\x09\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01n"
                                            "\x1a\x0b\x0a\x04wide\x12\x03\x0a\x01v\x20\x03"
                                            "\x6a\x1c\x0a\x10ttttttttTTTTTTTT\x12\x08ssssssss"
                                            "\x7a\x04\x12\x00\x18\x02"
                                            "\x85\x01\x01\x01\x00\x00"));
        for (uint64_t changes = next_random(&seed) % 4; changes > 0; changes--) {
            span.data[next_random(&seed) % span.size] = (uint8_t)next_random(&seed);
        }
        bool is_accepted = bb_otlp_read_span(bb_buf_slice(&span), &accepted) == BB_OK;
        if (is_accepted) {
            taken_apart += shred_fixture_add(fx, bb_buf_slice(&span)) != 0;
            if (fx->row_count % 100 == 0) {
                shred_fixture_end_page(fx);
            }
        }
        bb_buf_dispose(&span);
        assert_true(tried++ < 100000);
    }
    check(fx);
    assert_true(taken_apart > 1000 && taken_apart < 3900); /* both ways have been gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_events_links_status_and_values_of_every_type,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_spans_out_of_order_with_unknown_fields, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_back_every_choice_of_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_uuids_and_hex_of_all_sizes, set_up, tear_down),
        cmocka_unit_test(gives_back_columns_of_few_and_of_many_different_strings),
        cmocka_unit_test_setup_teardown(tells_one_string_in_several_columns_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_back_columns_that_first_appear_in_a_late_page, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gives_back_a_page_of_spans_kept_whole_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reads_nothing_outside_of_a_damaged_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_whole_span_when_there_are_no_columns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_shapes_that_no_span_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_whatever_is_accepted, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
