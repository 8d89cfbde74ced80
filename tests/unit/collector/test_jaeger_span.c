/*
 * test_jaeger_span.c - the rows of docs/jaeger-mapping.md that are about one span.
 */
#include "collector/jaeger_span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/jaeger_fixture.h"

static void ids_and_name_come_over(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->span.operation_name = (char *)"GET /";
    check_span(fx, " name=\"GET /\"");
}

static void a_trace_id_of_8_bytes_is_filled_up_in_front(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->span.trace_id = BYTES(parent_id, 8);
    add_reference(fx, parent_id, 8, other_id, JAEGER__API_V2__SPAN_REF_TYPE__CHILD_OF);
    check(fx, "resource_spans{scope_spans{spans{trace_id=00000000000000001112131415161718 "
              "span_id=0102030405060708 parent_span_id=2122232425262728}}}");
}

static void start_and_duration_become_start_and_end(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_times(fx, 1700000000, 999999999, 2, 3);
    check_span(fx, " start_time_unix_nano=1700000000999999999 "
                   "end_time_unix_nano=1700000003000000002");
}

static void a_negative_duration_ends_before_its_start(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_times(fx, 10, 0, -1, -5);
    check_span(fx, " start_time_unix_nano=10000000000 end_time_unix_nano=8999999995");
}

static void a_time_that_was_never_set_is_zero(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_times(fx, INT64_C(-62135596800), 0, 0, 7);
    check_span(fx, " end_time_unix_nano=7");
}

static void the_last_second_of_64_bits_is_the_last_that_passes(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_times(fx, INT64_C(18446744072), 999999999, 0, 709551616);
    check_span(fx, " start_time_unix_nano=18446744072999999999 "
                   "end_time_unix_nano=18446744073709551615");
    set_times(fx, INT64_C(18446744072), 999999999, 0, 709551617);
    check_left_out(fx, "batch.spans[0].duration: must end between the years 1970 and 2554");
    set_times(fx, INT64_C(18446744073), 0, 0, 0);
    check_left_out(fx, "batch.spans[0].start_time.seconds: must lie between the years 1970 and "
                       "2554, is 18446744073");
}

static void times_out_of_range_leave_the_span_out(void **state)
{
    struct jaeger_fixture *fx = *state;

    set_times(fx, -1, 0, 0, 0);
    check_left_out(fx, "batch.spans[0].start_time.seconds: must lie between the years 1970 and "
                       "2554, is -1");
    set_times(fx, 1, -1, 0, 0);
    check_left_out(fx, "batch.spans[0].start_time.nanos: must be 0 to 999999999, is -1");
    set_times(fx, 1, 1000000000, 0, 0);
    check_left_out(fx, "batch.spans[0].start_time.nanos: must be 0 to 999999999, is 1000000000");
    set_times(fx, 1, 0, -2, 0);
    check_left_out(fx, "batch.spans[0].duration: must end between the years 1970 and 2554");
    set_times(fx, 1, 0, INT64_MAX, 0);
    check_left_out(fx, "batch.spans[0].duration: must be a duration of less than 292 years");
    set_times(fx, 1, 0, INT64_MIN, 0);
    check_left_out(fx, "batch.spans[0].duration: must be a duration of less than 292 years");
    set_times(fx, 1, 0, 0, INT32_MIN);
    check_left_out(fx, "batch.spans[0].duration: must be a duration of less than 292 years");
}

static void tags_keep_their_types(void **state)
{
    struct jaeger_fixture *fx = *state;
    static uint8_t binary[3] = {0, 255, 1};

    add_tag(fx, text_tag("s", "v"));
    add_tag(fx, text_tag("", ""));
    add_tag(fx, bool_tag("b", false));
    add_tag(fx, int_tag("i", INT64_MIN));
    add_tag(fx, double_tag("d", -0.5));
    add_tag(fx, binary_tag("x", binary, sizeof binary));
    add_tag(fx, binary_tag("y", NULL, 0));
    check_span(fx, " attributes{key=\"s\" value{string_value=\"v\"}}"
                   " attributes{value{string_value=\"\"}}"
                   " attributes{key=\"b\" value{bool_value=0}}"
                   " attributes{key=\"i\" value{int_value=-9223372036854775808}}"
                   " attributes{key=\"d\" value{double_value=-0.5}}"
                   " attributes{key=\"x\" value{bytes_value=00ff01}}"
                   " attributes{key=\"y\" value{bytes_value=}}");
}

static void repeated_tags_are_all_kept(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("a", "1"));
    add_tag(fx, text_tag("a", "2"));
    add_tag(fx, text_tag("span.kind", "server"));
    add_tag(fx, text_tag("span.kind", "client"));
    check_span(fx, " kind=2 attributes{key=\"a\" value{string_value=\"1\"}}"
                   " attributes{key=\"a\" value{string_value=\"2\"}}"
                   " attributes{key=\"span.kind\" value{string_value=\"client\"}}");
}

static void a_tag_of_an_unknown_type_leaves_the_span_out(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("a", "1"));
    add_tag(fx, text_tag("b", "1"));
    fx->tags[1].v_type = (Jaeger__ApiV2__ValueType)5;
    check_left_out(fx, "batch.spans[0].tags[1].v_type: must be 0 to 4, is 5");
}

static void span_kinds_are_the_five_names(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->span.n_tags = 0;
    add_tag(fx, text_tag("span.kind", "internal"));
    check_span(fx, " kind=1");
    fx->tags[0].v_str = (char *)"server";
    check_span(fx, " kind=2");
    fx->tags[0].v_str = (char *)"client";
    check_span(fx, " kind=3");
    fx->tags[0].v_str = (char *)"producer";
    check_span(fx, " kind=4");
    fx->tags[0].v_str = (char *)"consumer";
    check_span(fx, " kind=5");
    /* What isn't one of them is kept as it came. */
    fx->tags[0].v_str = (char *)"Server";
    check_span(fx, " attributes{key=\"span.kind\" value{string_value=\"Server\"}}");
    fx->tags[0] = int_tag("span.kind", 2);
    check_span(fx, " attributes{key=\"span.kind\" value{int_value=2}}");
}

static void the_error_tag_is_the_status(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, bool_tag("error", true));
    check_span(fx, " status{code=2}");
    fx->tags[0] = bool_tag("error", false);
    check_span(fx, " attributes{key=\"error\" value{bool_value=0}}");
    fx->tags[0] = text_tag("error", "true");
    check_span(fx, " attributes{key=\"error\" value{string_value=\"true\"}} status{code=2}");
    fx->tags[0] = text_tag("error", "timeout");
    check_span(fx, " attributes{key=\"error\" value{string_value=\"timeout\"}}");
}

static void the_status_code_tag_is_the_status(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("otel.status_code", "OK"));
    check_span(fx, " status{code=1}");
    fx->tags[0] = text_tag("otel.status_code", "error");
    check_span(fx, " status{code=2}");
    fx->tags[0] = text_tag("otel.status_code", "WARN");
    check_span(fx, " attributes{key=\"otel.status_code\" value{string_value=\"WARN\"}}");
    fx->tags[0] = int_tag("otel.status_code", 2);
    check_span(fx, " attributes{key=\"otel.status_code\" value{int_value=2}}");
    /* The error tag outranks it, and what it said is kept. */
    fx->tags[0] = text_tag("otel.status_code", "OK");
    add_tag(fx, bool_tag("error", true));
    check_span(fx,
               " attributes{key=\"otel.status_code\" value{string_value=\"OK\"}} status{code=2}");
    fx->tags[0] = text_tag("otel.status_code", "ERROR");
    check_span(fx, " status{code=2}");
}

static void the_status_description_is_the_message(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("otel.status_description", "no such row"));
    check_span(fx,
               " attributes{key=\"otel.status_description\" value{string_value=\"no such row\"}}");
    add_tag(fx, bool_tag("error", true));
    check_span(fx, " status{message=\"no such row\" code=2}");
    fx->tags[1] = text_tag("otel.status_code", "OK");
    check_span(fx, " status{message=\"no such row\" code=1}");
}

static void an_http_error_is_the_status_of_a_span_that_has_none(void **state)
{
    struct jaeger_fixture *fx = *state;

#define HTTP(code) " attributes{key=\"http.status_code\" value{int_value=" code "}}"
    add_tag(fx, int_tag("http.status_code", 500));
    check_span(fx, HTTP("500") " status{code=2}");
    fx->tags[0] = int_tag("http.status_code", 200);
    check_span(fx, HTTP("200"));
    fx->tags[0] = int_tag("http.status_code", 600);
    check_span(fx, HTTP("600"));
    fx->tags[0] = text_tag("http.status_code", "503");
    check_span(fx,
               " attributes{key=\"http.status_code\" value{string_value=\"503\"}} status{code=2}");
    fx->tags[0] = text_tag("http.status_code", "5x3");
    check_span(fx, " attributes{key=\"http.status_code\" value{string_value=\"5x3\"}}");
    fx->tags[0] = int_tag("http.status_code", 404);
    add_tag(fx, text_tag("span.kind", "client"));
    check_span(fx, " kind=3" HTTP("404") " status{code=2}");
    fx->tags[1] = text_tag("span.kind", "server");
    check_span(fx, " kind=2" HTTP("404"));
    fx->tags[1] = text_tag("otel.status_code", "OK");
    check_span(fx, HTTP("404") " status{code=1}");
    fx->tags[1] = text_tag("http.status_message", "gone");
    check_span(fx, HTTP("404") " attributes{key=\"http.status_message\" value{string_value="
                               "\"gone\"}} status{message=\"gone\" code=2}");
#undef HTTP
}

static void the_trace_state_tag_is_the_trace_state(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("w3c.tracestate", "a=b"));
    check_span(fx, " trace_state=\"a=b\"");
    fx->tags[0] = int_tag("w3c.tracestate", 1);
    check_span(fx, " attributes{key=\"w3c.tracestate\" value{int_value=1}}");
}

static void dropped_counts_are_the_counts(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, int_tag("otel.dropped_attributes_count", 1));
    add_tag(fx, int_tag("otel.dropped_events_count", 2));
    add_tag(fx, int_tag("otel.dropped_links_count", 4294967295));
    check_span(fx, " dropped_attributes_count=1 dropped_events_count=2 "
                   "dropped_links_count=4294967295");
    fx->span.n_tags = 0;
    add_tag(fx, int_tag("otel.dropped_events_count", 4294967296));
    check_span(fx, " attributes{key=\"otel.dropped_events_count\" value{int_value=4294967296}}");
    fx->tags[0] = int_tag("otel.dropped_events_count", -1);
    check_span(fx, " attributes{key=\"otel.dropped_events_count\" value{int_value=-1}}");
}

#define SCOPED(scope, fields)                                                                      \
    "resource_spans{scope_spans{scope{" scope "} spans{" IDS_TEXT fields "}}}"

static void scope_tags_are_the_scope(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("otel.scope.name", "lib"));
    add_tag(fx, text_tag("otel.scope.version", "1.2"));
    check(fx, SCOPED("name=\"lib\" version=\"1.2\"", ""));
    fx->tags[0] = text_tag("otel.library.name", "old");
    fx->tags[1] = text_tag("otel.library.version", "0.1");
    check(fx, SCOPED("name=\"old\" version=\"0.1\"", ""));
    /* Exporters write both the new and the old names: said once they are said. */
    fx->span.n_tags = 0;
    add_tag(fx, text_tag("otel.library.version", "1.2"));
    add_tag(fx, text_tag("otel.library.name", "lib"));
    add_tag(fx, text_tag("otel.scope.name", "lib"));
    add_tag(fx, text_tag("otel.scope.version", "1.2"));
    check(fx, SCOPED("name=\"lib\" version=\"1.2\"", ""));
    fx->tags[1] = text_tag("otel.library.name", "other");
    check(fx, SCOPED("name=\"lib\" version=\"1.2\"",
                     " attributes{key=\"otel.library.version\" value{string_value=\"1.2\"}}"
                     " attributes{key=\"otel.library.name\" value{string_value=\"other\"}}"));
}

static void a_scope_version_without_a_name_stays_an_attribute(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_tag(fx, text_tag("otel.scope.version", "1.2"));
    check_span(fx, " attributes{key=\"otel.scope.version\" value{string_value=\"1.2\"}}");
}

static void the_sampled_flag_is_w3cs_and_others_are_kept(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->span.flags = 1;
    check_span(fx, " flags=1");
    fx->span.flags = 0;
    check_span(fx, "");
    fx->span.flags = 3;
    check_span(fx, " attributes{key=\"jaeger.flags\" value{int_value=3}} flags=1");
    fx->span.flags = 8;
    check_span(fx, " attributes{key=\"jaeger.flags\" value{int_value=8}}");
}

static void warnings_and_the_process_id_are_kept_as_attributes(void **state)
{
    struct jaeger_fixture *fx = *state;
    char *warnings[] = {(char *)"clock skew", (char *)""};

    fx->span.warnings = warnings;
    fx->span.n_warnings = 2;
    fx->span.process_id = (char *)"p1";
    check_span(fx, " attributes{key=\"jaeger.process_id\" value{string_value=\"p1\"}}"
                   " attributes{key=\"@jaeger@warnings\" value{array_value{"
                   "values{string_value=\"clock skew\"} values{string_value=\"\"}}}}");
}

static void logs_become_events(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_field(fx, text_tag("level", "warn"));
    add_field(fx, text_tag("event", "retry"));
    add_field(fx, int_tag("attempt", 2));
    add_field(fx, int_tag("otel.dropped_attributes_count", 3));
    add_field(fx, text_tag("event", "again"));
    fx->log_time.seconds = 5;
    fx->log_time.nanos = 6;
    fx->log.timestamp = &fx->log_time;
    check_span(fx, " events{time_unix_nano=5000000006 name=\"retry\""
                   " attributes{key=\"level\" value{string_value=\"warn\"}}"
                   " attributes{key=\"attempt\" value{int_value=2}}"
                   " attributes{key=\"event\" value{string_value=\"again\"}}"
                   " dropped_attributes_count=3}");
}

static void a_log_without_an_event_field_has_no_name(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_field(fx, int_tag("event", 7));
    check_span(fx, " events{attributes{key=\"event\" value{int_value=7}}}");
    fx->fields[0] = int_tag("otel.event.dropped_attributes_count", 9);
    check_span(fx, " events{dropped_attributes_count=9}");
}

static void a_bad_log_leaves_the_span_out(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_field(fx, text_tag("a", "b"));
    fx->log.timestamp = &fx->log_time;
    fx->log_time.seconds = -2;
    check_left_out(fx, "batch.spans[0].logs[0].timestamp.seconds: must lie between the years 1970 "
                       "and 2554, is -2");
    fx->log_time.seconds = 2;
    fx->fields[0].v_type = (Jaeger__ApiV2__ValueType)-1;
    check_left_out(fx, "batch.spans[0].logs[0].fields[0].v_type: must be 0 to 4, is "
                       "18446744073709551615");
}

#define LINK(trace, span, type)                                                                    \
    " links{trace_id=" trace " span_id=" span                                                      \
    " attributes{key=\"opentracing.ref_type\" value{string_value=\"" type "\"}}}"
#define SAME "0102030405060708090a0b0c0d0e0f10"
#define OTHER "ff02030405060708090a0b0c0d0e0f10"

static void the_first_child_of_in_the_trace_is_the_parent(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_child_of(fx, trace_id, parent_id);
    check_span(fx, " parent_span_id=1112131415161718");

    fx->span.n_references = 0;
    add_follows_from(fx, trace_id, other_id);
    add_child_of(fx, other_trace_id, other_id);
    add_child_of(fx, trace_id, parent_id);
    add_child_of(fx, trace_id, other_id);
    check_span(fx, " parent_span_id=1112131415161718" LINK(SAME, "2122232425262728", "follows_from")
                       LINK(OTHER, "2122232425262728", "child_of")
                           LINK(SAME, "2122232425262728", "child_of"));
}

static void without_a_child_of_the_first_follows_from_is_the_parent_and_a_link(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_follows_from(fx, other_trace_id, other_id);
    add_follows_from(fx, trace_id, parent_id);
    add_follows_from(fx, trace_id, other_id);
    check_span(fx,
               " parent_span_id=1112131415161718" LINK(OTHER, "2122232425262728", "follows_from")
                   LINK(SAME, "1112131415161718", "follows_from")
                       LINK(SAME, "2122232425262728", "follows_from"));
}

static void a_reference_to_another_trace_is_no_parent(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_child_of(fx, other_trace_id, parent_id);
    check_span(fx, LINK(OTHER, "1112131415161718", "child_of"));
}

static void a_child_of_no_span_marks_a_root(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_child_of(fx, trace_id, zero_id);
    add_child_of(fx, zero_id, zero_id);
    add_reference(fx, NULL, 0, zero_id, JAEGER__API_V2__SPAN_REF_TYPE__CHILD_OF);
    check_span(fx, "");
}

static void bad_references_leave_the_span_out(void **state)
{
    struct jaeger_fixture *fx = *state;

    add_child_of(fx, trace_id, parent_id);
    add_reference(fx, trace_id, 15, parent_id, JAEGER__API_V2__SPAN_REF_TYPE__CHILD_OF);
    check_left_out(fx, "batch.spans[0].references[1].trace_id: must be 16 bytes, is 15");
    fx->refs[1].trace_id.len = 16;
    fx->refs[1].span_id.len = 7;
    check_left_out(fx, "batch.spans[0].references[1].span_id: must be 8 bytes, is 7");
    fx->refs[1].span_id.len = 8;
    fx->refs[1].ref_type = (Jaeger__ApiV2__SpanRefType)2;
    check_left_out(fx, "batch.spans[0].references[1].ref_type: must be 0 or 1, is 2");
}

static void bad_ids_leave_the_span_out(void **state)
{
    struct jaeger_fixture *fx = *state;

    fx->span.trace_id = BYTES(trace_id, 15);
    check_left_out(fx, "batch.spans[0].trace_id: must be 16 bytes, is 15");
    fx->span.trace_id = BYTES(zero_id, 16);
    check_left_out(fx, "batch.spans[0].trace_id: must be there, and not all zeros");
    fx->span.trace_id = BYTES(NULL, 0);
    check_left_out(fx, "batch.spans[0].trace_id: must be there, and not all zeros");
    fx->span.trace_id = BYTES(trace_id, 16);
    fx->span.span_id = BYTES(span_id, 4);
    check_left_out(fx, "batch.spans[0].span_id: must be 8 bytes, is 4");
    fx->span.span_id = BYTES(zero_id, 8);
    check_left_out(fx, "batch.spans[0].span_id: must be there, and not all zeros");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, jaeger_fixture_set_up, jaeger_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_and_name_come_over),
        TEST(a_trace_id_of_8_bytes_is_filled_up_in_front),
        TEST(start_and_duration_become_start_and_end),
        TEST(a_negative_duration_ends_before_its_start),
        TEST(a_time_that_was_never_set_is_zero),
        TEST(the_last_second_of_64_bits_is_the_last_that_passes),
        TEST(times_out_of_range_leave_the_span_out),
        TEST(tags_keep_their_types),
        TEST(repeated_tags_are_all_kept),
        TEST(a_tag_of_an_unknown_type_leaves_the_span_out),
        TEST(span_kinds_are_the_five_names),
        TEST(the_error_tag_is_the_status),
        TEST(the_status_code_tag_is_the_status),
        TEST(the_status_description_is_the_message),
        TEST(an_http_error_is_the_status_of_a_span_that_has_none),
        TEST(the_trace_state_tag_is_the_trace_state),
        TEST(dropped_counts_are_the_counts),
        TEST(scope_tags_are_the_scope),
        TEST(a_scope_version_without_a_name_stays_an_attribute),
        TEST(the_sampled_flag_is_w3cs_and_others_are_kept),
        TEST(warnings_and_the_process_id_are_kept_as_attributes),
        TEST(logs_become_events),
        TEST(a_log_without_an_event_field_has_no_name),
        TEST(a_bad_log_leaves_the_span_out),
        TEST(the_first_child_of_in_the_trace_is_the_parent),
        TEST(without_a_child_of_the_first_follows_from_is_the_parent_and_a_link),
        TEST(a_reference_to_another_trace_is_no_parent),
        TEST(a_child_of_no_span_marks_a_root),
        TEST(bad_references_leave_the_span_out),
        TEST(bad_ids_leave_the_span_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
