#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/include/bobbin/bobbin.h"
#include "client/w3c_headers.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void reads_good_traceparents(void **state)
{
    static const struct {
        const char *text;
        uint8_t flags;
    } rows[] = {
        {"00-" TRACE "-" SPAN "-00", 0},
        {"00-" TRACE "-" SPAN "-01", 1},
        {"00-" TRACE "-" SPAN "-02", 2},
        {"00-" TRACE "-" SPAN "-03", 3},
        {"00-" TRACE "-" SPAN "-ff", 3}, /* flags that aren't known count as 0 */
        {"00-" TRACE "-" SPAN "-09", 1},
        {"cc-" TRACE "-" SPAN "-01", 1}, /* a later version */
        {"cc-" TRACE "-" SPAN "-01-what-the-future-has", 1},
        {"01-" TRACE "-" SPAN "-01-", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bobbin_span_context context = {0};
        char again[BOBBIN_TRACEPARENT_SIZE];

        assert_int_equal(bobbin_traceparent_read(rows[i].text, strlen(rows[i].text), &context),
                         BOBBIN_OK);
        assert_int_equal(context.flags, rows[i].flags);
        assert_true(context.is_remote);
        bobbin_traceparent_write(&context, again);
        assert_int_equal(strlen(again), 55);
        assert_memory_equal(again + 3, rows[i].text + 3, 50);
    }
}

static void refuses_malformed_traceparents(void **state)
{
    static const char *const rows[] = {
        "",
        "00",
        "00-",
        "00-" TRACE,
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-001",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01.",
        "00-" TRACE "-" SPAN "-01-what-the-future-has",
        "00-" TRACE "-" SPAN "-0G",
        "00-" TRACE "-" SPAN "-0A",
        "00-" TRACE "-" SPAN "_01",
        "00-" TRACE "_" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-01",
        "000-" TRACE "-" SPAN "-01",
        ".0-" TRACE "-" SPAN "-01",
        "0.-" TRACE "-" SPAN "-01",
        "ff-" TRACE "-" SPAN "-01",
        "FF-" TRACE "-" SPAN "-01",
        "CC-" TRACE "-" SPAN "-01",
        "cc-" TRACE "-" SPAN "-01.what-the-future-has",
        "cc-" TRACE "-" SPAN "-010",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47366-" SPAN "-01",
        "00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01",
        "00-" TRACE "-00f067aa0ba902b-01",
        "00-" TRACE "-00f067aa0ba902b77-01",
        "00-" TRACE "-.0f067aa0ba902b7-01",
        " 00-" TRACE "-" SPAN "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bobbin_span_context context = {.flags = 99};

        if (bobbin_traceparent_read(rows[i], strlen(rows[i]), &context) != BOBBIN_EINVAL) {
            fail_msg("took %s", rows[i]);
        }
        assert_int_equal(context.flags, 99);
    }
}

static void an_invalid_context_has_no_traceparent(void **state)
{
    struct bobbin_span_context context = {.trace_id = {1}};
    char text[BOBBIN_TRACEPARENT_SIZE] = "x";

    (void)state;
    bobbin_traceparent_write(&context, text);
    assert_string_equal(text, "");
}

/* What becomes of one tracestate header; NULL where it is malformed. */
static const char *read_state(const char *text)
{
    static char out[BOBBIN_TRACESTATE_MAX + 1];
    size_t size = 0;
    unsigned count = 0;

    if (!bbc_tracestate_append(text, strlen(text), out, BOBBIN_TRACESTATE_MAX, &size, &count)) {
        return NULL;
    }
    out[size] = '\0';
    return out;
}

static void reads_good_tracestates(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"", ""},
        {"foo=1", "foo=1"},
        {"foo=1,bar=2", "foo=1,bar=2"},
        {" foo=1 ,\tbar=2\t", "foo=1,bar=2"},
        {"foo=1,,bar=2,", "foo=1,bar=2"},
        {",", ""},
        {"foo= 1", "foo= 1"}, /* a blank in front belongs to the value */
        {"t@v=1", "t@v=1"},
        {"0a=1", "0a=1"},
        {"a_-*/@b=!~", "a_-*/@b=!~"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found = read_state(rows[i].text);

        assert_non_null(found);
        assert_string_equal(found, rows[i].wanted);
    }
}

static void refuses_malformed_tracestates(void **state)
{
    static const char *const rows[] = {
        "foo",       "foo=",         "=1",          "foo =1",      "FOO=1",  "foo.bar=1",
        "foo=1=2",   "foo=1;b=2",    "foo=1,foo=1", "foo=1,foo=2", "@foo=1", "_foo=1",
        "foo=a\x7f", "foo=\xc3\xa9", "foo=a\tb",    "f\xc3=1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i], "foo=1;b=2") == 0) {
            assert_null(read_state("foo=1;b=2")); /* for its second "=" */
        } else if (read_state(rows[i]) != NULL) {
            fail_msg("took %s", rows[i]);
        }
    }
}

static void keeps_32_members_and_refuses_33(void **state)
{
    char text[512];
    size_t size = 0;

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "k%u=%u,", i, i);
    }
    assert_non_null(read_state(text));
    (void)snprintf(text + size, sizeof text - size, "last=1");
    assert_null(read_state(text));
}

static void keys_and_values_have_256_characters_at_most(void **state)
{
    char text[600];

    (void)state;
    (void)snprintf(text, sizeof text, "%0256d=1", 0);
    assert_non_null(read_state(text));
    (void)snprintf(text, sizeof text, "%0257d=1", 0);
    assert_null(read_state(text));
    (void)snprintf(text, sizeof text, "a=%0256d", 0);
    assert_non_null(read_state(text));
    (void)snprintf(text, sizeof text, "a=%0257d", 0);
    assert_null(read_state(text));
}

static void a_long_member_goes_before_a_short_one(void **state)
{
    char text[1200];
    const char *found;

    (void)state;
    (void)snprintf(text, sizeof text, "a=%0200d,b=%0100d,c=%0200d,d=%0100d,e=1", 0, 0, 0, 0);
    found = read_state(text);
    assert_non_null(found);
    assert_true(strlen(found) <= BOBBIN_TRACESTATE_MAX);
    assert_null(strstr(found, "c="));
    assert_memory_equal(found, "a=", 2);
    assert_non_null(strstr(found, ",b="));
    assert_non_null(strstr(found, ",d="));
    assert_non_null(strstr(found, ",e=1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_traceparents),
        cmocka_unit_test(refuses_malformed_traceparents),
        cmocka_unit_test(an_invalid_context_has_no_traceparent),
        cmocka_unit_test(reads_good_tracestates),
        cmocka_unit_test(refuses_malformed_tracestates),
        cmocka_unit_test(keeps_32_members_and_refuses_33),
        cmocka_unit_test(keys_and_values_have_256_characters_at_most),
        cmocka_unit_test(a_long_member_goes_before_a_short_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
