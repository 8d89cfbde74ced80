#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/otlp_view.h"
#include "tests/support/otlp_build.h"

/* The text of the AnyValue with these bytes is `expected`. */
static void assert_value_text(struct bb_slice any_value, const char *expected)
{
    struct bb_value value = bb_value_read(any_value);
    struct bb_buf text;

    build_init(&text);
    bb_value_append_text(&value, &text);
    assert_int_equal(bb_buf_err(&text), BB_OK);
    if (!bb_slice_equals_cstr(bb_buf_slice(&text), expected)) {
        fail_msg("expected %s, got %.*s", expected, (int)text.size, (const char *)text.data);
    }
    bb_buf_dispose(&text);
}

static void plain_values_have_the_text_that_search_compares(void **state)
{
    static const struct {
        struct bb_slice any_value;
        const char *text;
    } cases[] = {
        {{NULL, 0}, ""},
        {BYTES_INIT("\x0a\x00"), ""},
        {BYTES_INIT("\x0a\x05"
                    "a\"b\\c"),
         "a\"b\\c"}, /* as it is, no quotes */
        {BYTES_INIT("\x10\x01"), "true"},
        {BYTES_INIT("\x10\x00"), "false"},
        {BYTES_INIT("\x10\x05"), "true"},
        {BYTES_INIT("\x18\x00"), "0"},
        {BYTES_INIT("\x18\x2a"), "42"},
        {BYTES_INIT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-1"},
        {BYTES_INIT("\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "-9223372036854775808"},
        {BYTES_INIT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "9223372036854775807"},
        {BYTES_INIT("\x21\x00\x00\x00\x00\x00\x20\x52\x40"), "72.5"},
        {BYTES_INIT("\x3a\x03\x00\xff\x80"), "AP+A"},
        {BYTES_INIT("\x3a\x00"), ""},
        {BYTES_INIT("\x42\x01x"), ""}, /* a type of a later version */
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        assert_value_text(cases[i].any_value, cases[i].text);
    }
}

static void arrays_and_lists_have_the_text_of_json(void **state)
{
    static const struct {
        struct bb_slice any_value;
        const char *text;
    } cases[] = {
        {BYTES_INIT("\x2a\x00"), "[]"},
        {BYTES_INIT("\x32\x00"), "{}"},
        {BYTES_INIT("\x2a\x02\x0a\x00"), "[null]"},
        {BYTES_INIT("\x2a\x0f\x0a\x02\x10\x01\x0a\x02\x18\x02\x0a\x05\x0a\x03x\"y"),
         "[true,2,\"x\\\"y\"]"},
        {BYTES_INIT("\x2a\x0d\x0a\x0b\x09zzzzzzzz\x2a\x00"), "[[]]"}, /* a field of type 8 bytes */
        {BYTES_INIT("\x2a\x1d\x0a\x09\x21\x00\x00\x00\x00\x00\x00\xf8\x7f"
                    "\x0a\x09\x21\x00\x00\x00\x00\x00\x00\xf0\xff\x0a\x05\x3a\x03\x00\xff\x80"),
         "[\"NaN\",\"-Infinity\",\"AP+A\"]"},
        {BYTES_INIT("\x32\x0b\x0a\x09\x0a\x01k\x12\x04\x0a\x02v\n"), "{\"k\":\"v\\n\"}"},
        {BYTES_INIT("\x32\x07\x0a\x00\x0a\x03\x0a\x01k"), "{\"\":null,\"k\":null}"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        assert_value_text(cases[i].any_value, cases[i].text);
    }
}

static void nested_values_have_the_text_of_json(void **state)
{
    struct bb_buf span;
    struct bb_value value;
    struct bb_buf text;

    (void)state;
    build_init(&span);
    build_init(&text);
    build_full_span_body(&span, 1);
    assert_true(bb_attribute_find(bb_buf_slice(&span), BB_F_SPAN_ATTRIBUTES,
                                  bb_slice_from_cstr("nested"), &value));
    assert_int_equal(value.type, BB_VALUE_KVLIST);
    bb_value_append_text(&value, &text);
    assert_true(
        bb_slice_equals_cstr(bb_buf_slice(&text), "{\"list\":[1,[\"x\"],{}],\"empty\":null}"));
    bb_buf_dispose(&span);
    bb_buf_dispose(&text);
}

/* Bytes that never passed the walk must not use up the stack. */
static void nesting_without_end_becomes_null(void **state)
{
    struct bb_buf value;
    struct bb_buf text;

    (void)state;
    build_init(&value);
    build_init(&text);
    for (int depth = 0; depth < 2000; depth++) {
        struct bb_buf array;
        build_init(&array);
        build_put(&array, BB_F_ARRAY_VALUES, &value);
        build_init(&value);
        build_put(&value, BB_F_VALUE_ARRAY, &array);
    }
    struct bb_value read = bb_value_read(bb_buf_slice(&value));
    bb_value_append_text(&read, &text);
    assert_int_equal(bb_buf_err(&text), BB_OK);
    assert_int_equal(text.size, 2 * BB_VALUE_DEPTH_MAX + 4);
    assert_memory_equal(text.data + BB_VALUE_DEPTH_MAX, "null", 4);
    bb_buf_dispose(&value);
    bb_buf_dispose(&text);
}

static void doubles_have_their_well_known_texts(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {-1.5, "-1.5"},
        {72.5, "72.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3.0, "0.3333333333333333"},
        {1e15, "1e+15"},
        {123456789012345.0, "123456789012345"},
        {1e30, "1e+30"},
        {1e-7, "1e-07"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {1.5e-323, "1.5e-323"},
        {9007199254740993.0, "9007199254740992"},
    };
    char text[BB_DOUBLE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        size_t size = bb_double_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(size, strlen(text));
    }
    bb_double_format((double)NAN, text);
    assert_string_equal(text, "NaN");
    bb_double_format((double)INFINITY, text);
    assert_string_equal(text, "Infinity");
    bb_double_format(-(double)INFINITY, text);
    assert_string_equal(text, "-Infinity");
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* True when some number of `digits` significant digits reads back as `value`. */
static bool has_form_of(double value, int digits)
{
    char text[64];

    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    double back = strtod(text, NULL);
    return back >= value && back <= value;
}

static int count_digits(const char *text)
{
    int count = 0;
    int zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text == '0') {
            zeros++; /* counts when another digit follows, unless it leads */
        } else if (*text >= '1' && *text <= '9') {
            count += (count > 0 ? zeros : 0) + 1;
            zeros = 0;
        }
    }
    return count;
}

static void random_doubles_read_back_from_the_fewest_digits(void **state)
{
    uint64_t seed = 20261124;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&seed);
        char text[BB_DOUBLE_TEXT_SIZE];
        double value;
        if (i % 4 == 0) {
            bits &= UINT64_C(0x800fffffffffffff); /* a subnormal one */
        } else if (i % 4 == 1) {
            bits &= UINT64_C(0xfff0000000000000); /* a power of two */
        }
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        size_t size = bb_double_format(value, text);
        assert_int_equal(size, strlen(text));
        double back = strtod(text, NULL);
        uint64_t back_bits;
        memcpy(&back_bits, &back, sizeof back_bits);
        if (back_bits != bits) {
            fail_msg("%s reads back as other bits than %a", text, value);
        }
        int digits = count_digits(text);
        if (digits > 1 && has_form_of(value, digits - 1)) {
            fail_msg("%s has more digits than %a needs", text, value);
        }
    }
}

static void iterates_attributes_in_order_with_their_types(void **state)
{
    static const struct {
        const char *key;
        enum bb_value_type type;
    } expected[] = {
        {"text", BB_VALUE_STRING},   {"bool", BB_VALUE_BOOL},   {"int", BB_VALUE_INT},
        {"double", BB_VALUE_DOUBLE}, {"bytes", BB_VALUE_BYTES}, {"nested", BB_VALUE_KVLIST},
    };
    struct bb_buf span;
    struct bb_attribute attribute;
    size_t at = 0;

    (void)state;
    build_init(&span);
    build_full_span_body(&span, 1);
    struct bb_attribute_iter iter = bb_attribute_iter_of(bb_buf_slice(&span), BB_F_SPAN_ATTRIBUTES);
    while (bb_attribute_next(&iter, &attribute)) {
        assert_true(at < BB_ARRAY_COUNT(expected));
        assert_true(bb_slice_equals_cstr(attribute.key, expected[at].key));
        assert_int_equal(attribute.value.type, expected[at].type);
        switch (attribute.value.type) {
        case BB_VALUE_BOOL:
            assert_true(attribute.value.boolean);
            break;
        case BB_VALUE_INT:
            assert_int_equal(attribute.value.integer, -42);
            break;
        case BB_VALUE_DOUBLE:
            assert_true(attribute.value.real >= 72.5 && attribute.value.real <= 72.5);
            break;
        default:
            break;
        }
        at++;
    }
    assert_int_equal(at, BB_ARRAY_COUNT(expected));
    bb_buf_dispose(&span);
}

static void finds_the_first_attribute_of_a_key(void **state)
{
    struct bb_buf span;
    struct bb_value value = {.type = BB_VALUE_EMPTY};

    (void)state;
    build_init(&span);
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "k", "first");
    build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "k", "second");
    build_put_attribute(&span, BB_F_SPAN_LINKS, "other", "no attribute");
    assert_true(bb_attribute_find(bb_buf_slice(&span), BB_F_SPAN_ATTRIBUTES,
                                  bb_slice_from_cstr("k"), &value));
    assert_true(bb_slice_equals_cstr(value.bytes, "first"));
    assert_false(bb_attribute_find(bb_buf_slice(&span), BB_F_SPAN_ATTRIBUTES,
                                   bb_slice_from_cstr("K"), &value));
    assert_false(bb_attribute_find(bb_buf_slice(&span), BB_F_SPAN_ATTRIBUTES,
                                   bb_slice_from_cstr("other"), &value));
    bb_buf_dispose(&span);
}

static void a_span_view_has_every_field(void **state)
{
    struct bb_buf span;
    struct bb_span_view view;

    (void)state;
    build_init(&span);
    build_full_span_body(&span, 1);
    bb_span_view_read(bb_buf_slice(&span), &view);
    assert_true(bb_slice_equals(view.bytes, bb_buf_slice(&span)));
    assert_int_equal(view.trace_id.size, 16);
    assert_int_equal(view.trace_id.data[0], 1);
    assert_int_equal(view.span_id.size, 8);
    assert_int_equal(view.parent_span_id.size, 8);
    assert_int_equal(view.parent_span_id.data[0], 51);
    assert_true(bb_slice_equals_cstr(view.trace_state, "vendor=span"));
    assert_true(bb_slice_equals_cstr(view.name, "operation-1"));
    assert_true(bb_slice_equals_cstr(view.status_message, "it broke"));
    assert_true(view.start_unix_ns == UINT64_C(1700000000000000001));
    assert_true(view.end_unix_ns == UINT64_C(1700000000500000001));
    assert_int_equal(view.flags, 0x101);
    assert_int_equal(view.kind, BB_KIND_SERVER);
    assert_int_equal(view.status_code, BB_STATUS_ERROR);
    assert_int_equal(view.dropped_attributes_count, 5);
    assert_int_equal(view.dropped_events_count, 6);
    assert_int_equal(view.dropped_links_count, 7);
    assert_true(view.has_status);
    bb_buf_dispose(&span);
}

static void a_span_view_of_nothing_is_empty(void **state)
{
    struct bb_span_view view;

    (void)state;
    bb_span_view_read(bb_slice_of(NULL, 0), &view);
    assert_int_equal(view.trace_id.size + view.name.size + view.status_message.size, 0);
    assert_false(view.has_status);
    bb_span_view_read(BYTES_OF("\x7a\x00"), &view); /* a status with nothing set */
    assert_true(view.has_status);
    assert_int_equal(view.status_code, BB_STATUS_UNSET);
}

static void of_a_field_that_comes_twice_the_last_counts(void **state)
{
    struct bb_span_view view;

    (void)state;
    bb_span_view_read(BYTES_OF("\x2a\x01"
                               "a"
                               "\x2a\x01"
                               "b"
                               "\x30\x02\x30\x63"),
                      &view);
    assert_true(bb_slice_equals_cstr(view.name, "b"));
    assert_int_equal(view.kind, 99); /* an unknown number is given back */
    /* Two statuses are merged, as protobuf has it for messages. */
    bb_span_view_read(BYTES_OF("\x7a\x03\x12\x01m\x7a\x02\x18\x02"), &view);
    assert_true(bb_slice_equals_cstr(view.status_message, "m"));
    assert_int_equal(view.status_code, BB_STATUS_ERROR);
    struct bb_value value = bb_value_read(BYTES_OF("\x0a\x01"
                                                   "a"
                                                   "\x18\x07"));
    assert_int_equal(value.type, BB_VALUE_INT);
    assert_int_equal(value.integer, 7);
}

static void iterates_events_and_links(void **state)
{
    struct bb_buf span;
    struct bb_event_view event;
    struct bb_link_view link;
    struct bb_value value;

    (void)state;
    build_init(&span);
    build_full_span_body(&span, 1);
    struct bb_pb_reader reader = bb_pb_reader_of(bb_buf_slice(&span));
    assert_true(bb_event_next(&reader, &event));
    assert_true(bb_slice_equals_cstr(event.name, "first"));
    assert_true(event.time_unix_ns == UINT64_C(1700000000250000000));
    assert_int_equal(event.dropped_attributes_count, 3);
    assert_true(
        bb_attribute_find(event.bytes, BB_F_EVENT_ATTRIBUTES, bb_slice_from_cstr("int"), &value));
    assert_true(bb_event_next(&reader, &event));
    assert_true(bb_slice_equals_cstr(event.name, "second"));
    assert_false(bb_event_next(&reader, &event));

    reader = bb_pb_reader_of(bb_buf_slice(&span));
    assert_true(bb_link_next(&reader, &link));
    assert_int_equal(link.trace_id.data[0], 101);
    assert_int_equal(link.span_id.size, 8);
    assert_true(bb_slice_equals_cstr(link.trace_state, "vendor=link"));
    assert_int_equal(link.flags, 0x301);
    assert_int_equal(link.dropped_attributes_count, 4);
    assert_true(
        bb_attribute_find(link.bytes, BB_F_LINK_ATTRIBUTES, bb_slice_from_cstr("bool"), &value));
    assert_false(bb_link_next(&reader, &link));
    bb_buf_dispose(&span);
}

static void reads_scopes_and_the_dropped_count_of_a_resource(void **state)
{
    struct bb_scope_view scope;

    (void)state;
    bb_scope_view_read(BYTES_OF("\x0a\x03lib\x12\x01"
                                "1\x20\x09"),
                       &scope);
    assert_true(bb_slice_equals_cstr(scope.name, "lib"));
    assert_true(bb_slice_equals_cstr(scope.version, "1"));
    assert_int_equal(scope.dropped_attributes_count, 9);
    assert_int_equal(bb_resource_dropped_count(BYTES_OF("\x10\x05")), 5);
    assert_int_equal(bb_resource_dropped_count(bb_slice_of(NULL, 0)), 0);
}

static void reads_every_cut_of_a_span_without_leaving_it(void **state)
{
    struct bb_buf span;

    (void)state;
    build_init(&span);
    build_full_span_body(&span, 1);
    for (size_t size = 0; size <= span.size; size++) {
        /* tidy: allow malloc: of the exact size, so that a sanitizer sees a read behind it */
        uint8_t *copy = malloc(size);
        struct bb_span_view view;
        struct bb_attribute attribute;
        struct bb_event_view event;
        struct bb_link_view link;
        struct bb_buf text;
        if (size > 0) {
            memcpy(copy, span.data, size);
        }
        build_init(&text);
        struct bb_slice bytes = bb_slice_of(copy, size);
        bb_span_view_read(bytes, &view);
        struct bb_attribute_iter iter = bb_attribute_iter_of(bytes, BB_F_SPAN_ATTRIBUTES);
        while (bb_attribute_next(&iter, &attribute)) {
            bb_value_append_text(&attribute.value, &text);
        }
        struct bb_pb_reader reader = bb_pb_reader_of(bytes);
        while (bb_event_next(&reader, &event)) {
            bb_buf_append_slice(&text, event.name);
        }
        reader = bb_pb_reader_of(bytes);
        while (bb_link_next(&reader, &link)) {
            bb_buf_append_slice(&text, link.trace_state);
        }
        assert_int_equal(bb_buf_err(&text), BB_OK);
        bb_buf_dispose(&text);
        free(copy); /* tidy: allow malloc: as above */
    }
    bb_buf_dispose(&span);
}

static void span_kinds_have_words_and_read_back(void **state)
{
    enum bb_span_kind kind;

    (void)state;
    for (uint32_t i = BB_KIND_UNSPECIFIED; i <= BB_KIND_CONSUMER; i++) {
        char prefixed[40];
        assert_true(bb_span_kind_parse(bb_slice_from_cstr(bb_span_kind_text(i)), &kind));
        assert_int_equal(kind, i);
        snprintf(prefixed, sizeof prefixed, "Span_Kind_%s", bb_span_kind_text(i));
        assert_true(bb_span_kind_parse(bb_slice_from_cstr(prefixed), &kind));
        assert_int_equal(kind, i);
    }
    assert_true(bb_span_kind_parse(bb_slice_from_cstr("SERVER"), &kind));
    assert_int_equal(kind, BB_KIND_SERVER);
    assert_string_equal(bb_span_kind_text(6), "unspecified");
    assert_string_equal(bb_span_kind_text(UINT32_MAX), "unspecified");
    assert_false(bb_span_kind_parse(bb_slice_from_cstr(""), &kind));
    assert_false(bb_span_kind_parse(bb_slice_from_cstr("SPAN_KIND_"), &kind));
    assert_false(bb_span_kind_parse(bb_slice_from_cstr("servers"), &kind));
    assert_false(bb_span_kind_parse(bb_slice_from_cstr("serve"), &kind));
    assert_int_equal(kind, BB_KIND_SERVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_have_the_text_that_search_compares),
        cmocka_unit_test(arrays_and_lists_have_the_text_of_json),
        cmocka_unit_test(nested_values_have_the_text_of_json),
        cmocka_unit_test(nesting_without_end_becomes_null),
        cmocka_unit_test(doubles_have_their_well_known_texts),
        cmocka_unit_test(random_doubles_read_back_from_the_fewest_digits),
        cmocka_unit_test(iterates_attributes_in_order_with_their_types),
        cmocka_unit_test(finds_the_first_attribute_of_a_key),
        cmocka_unit_test(a_span_view_has_every_field),
        cmocka_unit_test(a_span_view_of_nothing_is_empty),
        cmocka_unit_test(of_a_field_that_comes_twice_the_last_counts),
        cmocka_unit_test(iterates_events_and_links),
        cmocka_unit_test(reads_scopes_and_the_dropped_count_of_a_resource),
        cmocka_unit_test(reads_every_cut_of_a_span_without_leaving_it),
        cmocka_unit_test(span_kinds_have_words_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
