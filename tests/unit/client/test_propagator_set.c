#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/include/bobbin/bobbin.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

struct written {
    char text[1024];
};

static enum bobbin_err append_header(void *user, const char *name, const char *value, size_t size)
{
    struct written *written = user;
    size_t at = strlen(written->text);

    assert_int_equal(strlen(value), size);
    (void)snprintf(written->text + at, sizeof written->text - at, "%s: %s\n", name, value);
    return BOBBIN_OK;
}

static struct bobbin_span_context context_of(const char *traceparent)
{
    struct bobbin_span_context context;

    assert_int_equal(bobbin_traceparent_read(traceparent, strlen(traceparent), &context),
                     BOBBIN_OK);
    return context;
}

static void injects_the_headers_of_each_propagator(void **state)
{
    static const struct {
        uint32_t set;
        const char *wanted;
    } rows[] = {
        {BOBBIN_PROPAGATE_TRACECONTEXT, "traceparent: 00-" TRACE "-" SPAN "-01\ntracestate: a=b\n"},
        {BOBBIN_PROPAGATE_B3, "b3: " TRACE "-" SPAN "-1\n"},
        {BOBBIN_PROPAGATE_B3MULTI,
         "x-b3-traceid: " TRACE "\nx-b3-spanid: " SPAN "\nx-b3-sampled: 1\n"},
        {BOBBIN_PROPAGATE_JAEGER, "uber-trace-id: " TRACE ":" SPAN ":0:1\n"},
        {BOBBIN_PROPAGATE_BAGGAGE, "baggage: k=v\n"},
        {BOBBIN_PROPAGATE_B3 | BOBBIN_PROPAGATE_BAGGAGE,
         "b3: " TRACE "-" SPAN "-1\nbaggage: k=v\n"},
        {0, ""},
    };
    static struct bobbin_baggage baggage;
    struct bobbin_span_context context = context_of("00-" TRACE "-" SPAN "-01");

    (void)state;
    context.tracestate = "a=b";
    context.tracestate_size = 3;
    assert_int_equal(bobbin_baggage_set(&baggage, "k", bobbin_lit("v"), bobbin_lit("")), BOBBIN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct written written = {""};
        const struct bobbin_header_writer writer = {&written, append_header};

        assert_int_equal(bobbin_inject(rows[i].set, &context, &baggage, &writer), BOBBIN_OK);
        assert_string_equal(written.text, rows[i].wanted);
    }
}

static void injects_nothing_of_an_invalid_context(void **state)
{
    struct bobbin_span_context context = {0};
    struct written written = {""};
    const struct bobbin_header_writer writer = {&written, append_header};

    (void)state;
    assert_int_equal(bobbin_inject(0x1f, &context, NULL, &writer), BOBBIN_OK);
    assert_string_equal(written.text, "");
}

/* Rows of headers, each "name" and value; what they extract to as a traceparent, or NULL. */
struct extract_row {
    uint32_t set;
    const char *headers[8];
    const char *wanted;
};

static void check_extract(const struct extract_row *row)
{
    struct bobbin_header list[4];
    struct bobbin_headers headers = {list, 0};
    struct bobbin_header_reader reader = bobbin_headers_reader(&headers);
    struct bobbin_context context;
    char found[BOBBIN_TRACEPARENT_SIZE];
    enum bobbin_err err;

    for (unsigned i = 0; i < 8 && row->headers[i] != NULL; i += 2) {
        list[headers.count].name = row->headers[i];
        list[headers.count].value = bobbin_cstr(row->headers[i + 1]);
        headers.count++;
    }
    err = bobbin_extract(row->set, &reader, &context, NULL);
    bobbin_traceparent_write(&context.span, found);
    if (row->wanted == NULL) {
        assert_int_equal(err, BOBBIN_ENOTFOUND);
        assert_string_equal(found, "");
    } else {
        assert_int_equal(err, BOBBIN_OK);
        assert_string_equal(found, row->wanted);
        assert_true(context.span.is_remote);
    }
}

static void extracts_b3_and_jaeger(void **state)
{
    static const char sampled[] = "00-" TRACE "-" SPAN "-01";
    static const char not_sampled[] = "00-" TRACE "-" SPAN "-00";
    static const char short_id[] = "00-0000000000000000a3ce929d0e0e4736-" SPAN "-01";
    static const struct extract_row rows[] = {
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-" SPAN "-1"}, sampled},
        {BOBBIN_PROPAGATE_B3, {"B3", TRACE "-" SPAN "-0"}, not_sampled},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-" SPAN "-d-" SPAN}, sampled},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-" SPAN}, not_sampled},
        {BOBBIN_PROPAGATE_B3, {"b3", "a3ce929d0e0e4736-" SPAN "-1"}, short_id},
        {BOBBIN_PROPAGATE_B3, {"b3", "0"}, NULL},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-" SPAN "-x"}, NULL},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "0-" SPAN "-1"}, NULL},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-0-1"}, NULL},
        {BOBBIN_PROPAGATE_B3, {"b3", TRACE "-0000000000000000-1"}, NULL},
        {BOBBIN_PROPAGATE_B3MULTI,
         {"X-B3-TraceId", TRACE, "X-B3-SpanId", SPAN, "X-B3-Sampled", "1"},
         sampled},
        {BOBBIN_PROPAGATE_B3MULTI, {"X-B3-TraceId", TRACE, "X-B3-SpanId", SPAN}, not_sampled},
        {BOBBIN_PROPAGATE_B3MULTI,
         {"X-B3-TraceId", TRACE, "X-B3-SpanId", SPAN, "X-B3-Flags", "1"},
         sampled},
        {BOBBIN_PROPAGATE_B3MULTI, {"X-B3-TraceId", TRACE, "X-B3-SpanId", "0"}, NULL},
        {BOBBIN_PROPAGATE_B3MULTI, {"X-B3-SpanId", SPAN}, NULL},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE ":" SPAN ":0:1"}, sampled},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE "%3a" SPAN "%3A0%3A3"}, sampled},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE ":f067aa0ba902b7:0:0"}, not_sampled},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE ":" SPAN ":0"}, NULL},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE ":0:0:1"}, NULL},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", TRACE ":" SPAN ":0:x"}, NULL},
        {BOBBIN_PROPAGATE_JAEGER, {"uber-trace-id", ""}, NULL},
        {BOBBIN_PROPAGATE_TRACECONTEXT, {"TraceParent", " 00-" TRACE "-" SPAN "-01\t"}, sampled},
        {BOBBIN_PROPAGATE_TRACECONTEXT, {"traceparent", sampled, "traceparent", sampled}, NULL},
        {BOBBIN_PROPAGATE_TRACECONTEXT, {"tracestate", "a=b"}, NULL},
        {0x1f, {"traceparent", "bad", "b3", TRACE "-" SPAN "-1"}, sampled},
        {BOBBIN_PROPAGATE_TRACECONTEXT, {"b3", TRACE "-" SPAN "-1"}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_extract(&rows[i]);
    }
}

static void joins_the_tracestate_of_several_headers(void **state)
{
    const struct bobbin_header list[] = {
        {"traceparent", bobbin_lit("00-" TRACE "-" SPAN "-01")},
        {"tracestate", bobbin_lit("a=1")},
        {"Tracestate", bobbin_lit("b=2 , c=3")},
    };
    const struct bobbin_headers headers = {list, 3};
    struct bobbin_header_reader reader = bobbin_headers_reader(&headers);
    struct bobbin_context context;
    struct bobbin_context copy;

    (void)state;
    assert_int_equal(bobbin_extract(BOBBIN_PROPAGATE_TRACECONTEXT, &reader, &context, NULL),
                     BOBBIN_OK);
    assert_int_equal(context.span.tracestate_size, 11);
    assert_memory_equal(context.span.tracestate, "a=1,b=2,c=3", 11);
    bobbin_context_copy(&copy, &context);
    assert_ptr_equal(copy.span.tracestate, copy.tracestate);
    assert_memory_equal(copy.tracestate, "a=1,b=2,c=3", 11);
}

static void a_malformed_tracestate_leaves_the_traceparent(void **state)
{
    const struct bobbin_header list[] = {
        {"traceparent", bobbin_lit("00-" TRACE "-" SPAN "-01")},
        {"tracestate", bobbin_lit("a=1")},
        {"tracestate", bobbin_lit("a=2")},
    };
    const struct bobbin_headers headers = {list, 3};
    struct bobbin_header_reader reader = bobbin_headers_reader(&headers);
    struct bobbin_context context;

    (void)state;
    assert_int_equal(bobbin_extract(BOBBIN_PROPAGATE_TRACECONTEXT, &reader, &context, NULL),
                     BOBBIN_OK);
    assert_int_equal(context.span.tracestate_size, 0);
}

static void reads_the_names_of_propagators(void **state)
{
    uint32_t set = 0;

    (void)state;
    assert_int_equal(bobbin_propagators_parse("tracecontext, baggage ,b3,b3multi,jaeger", &set),
                     BOBBIN_OK);
    assert_int_equal(set, 0x1f);
    assert_int_equal(bobbin_propagators_parse("none", &set), BOBBIN_OK);
    assert_int_equal(set, 0);
    assert_int_equal(bobbin_propagators_parse("b3,ottrace", &set), BOBBIN_EINVAL);
    assert_int_equal(set, BOBBIN_PROPAGATE_B3);
}

static void names_its_fields(void **state)
{
    const char *const *fields =
        bobbin_propagator_fields(BOBBIN_PROPAGATE_TRACECONTEXT | BOBBIN_PROPAGATE_B3);

    (void)state;
    assert_string_equal(fields[0], "traceparent");
    assert_string_equal(fields[1], "tracestate");
    assert_string_equal(fields[2], "b3");
    assert_null(fields[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(injects_the_headers_of_each_propagator),
        cmocka_unit_test(injects_nothing_of_an_invalid_context),
        cmocka_unit_test(extracts_b3_and_jaeger),
        cmocka_unit_test(joins_the_tracestate_of_several_headers),
        cmocka_unit_test(a_malformed_tracestate_leaves_the_traceparent),
        cmocka_unit_test(reads_the_names_of_propagators),
        cmocka_unit_test(names_its_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
