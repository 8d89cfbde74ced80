#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/id_source.h"
#include "client/overflow_pool.h"
#include "client/thread_ring.h"
#include "tests/unit/client/client_fixture.h"

static int set_up(void **state)
{
    static struct client_fixture fixture;

    client_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    client_fixture_stop(*state);
    assert_int_equal(bbc_overflow_taken_count(), 0);
    return 0;
}

static void exports_every_field_of_a_span(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_attr attrs[] = {bobbin_attr_bool(bobbin_lit("early"), true)};
    const struct bobbin_link link = {
        .context = {.trace_id = {1, 2},
                    .span_id = {3},
                    .flags = 1,
                    .tracestate = "a=b",
                    .tracestate_size = 3,
                    .is_remote = true},
        .attrs = attrs,
        .attr_count = 1,
    };
    const struct bobbin_span_opts opts = {.kind = BOBBIN_KIND_SERVER,
                                          .start_unix_ns = 1000,
                                          .attrs = attrs,
                                          .attr_count = 1,
                                          .links = &link,
                                          .link_count = 1};
    const struct bobbin_exception exception = {.type = bobbin_lit("io"),
                                               .message = bobbin_cstr("no \"disk\"\n"),
                                               .attrs = attrs,
                                               .attr_count = 1};
    struct bobbin_span span;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("first name"), &opts);
    assert_true(bobbin_span_is_recording(&span));
    bobbin_span_set_string(&span, bobbin_lit("literal"), bobbin_lit("l"));
    bobbin_span_set_string(&span, bobbin_cstr("copied"), bobbin_cstr("caf\xc3\xa9"));
    bobbin_span_set_int(&span, bobbin_lit("int"), -42);
    bobbin_span_set_int(&span, bobbin_cstr("int2"), INT64_MIN);
    bobbin_span_set_double(&span, bobbin_lit("double"), 0.5);
    bobbin_span_set_bool(&span, bobbin_lit("bool"), false);
    bobbin_span_add_event(&span, bobbin_lit("event"), 1500, attrs, 1);
    bobbin_span_record_exception(&span, &exception);
    bobbin_span_set_status(&span, BOBBIN_STATUS_ERROR, bobbin_cstr("broken"));
    bobbin_span_update_name(&span, bobbin_cstr("second name"));
    bobbin_span_end_at(&span, 2000);
    assert_false(bobbin_span_is_recording(&span));
    json = client_fixture_json(fixture);

    assert_contains(json, "\"name\":\"second name\",\"kind\":2,\"startTimeUnixNano\":\"1000\","
                          "\"endTimeUnixNano\":\"2000\"");
    assert_lacks(json, "first name");
    assert_contains(json, "{\"key\":\"early\",\"value\":{\"boolValue\":true}}");
    assert_contains(json, "{\"key\":\"literal\",\"value\":{\"stringValue\":\"l\"}}");
    assert_contains(json, "{\"key\":\"copied\",\"value\":{\"stringValue\":\"caf\xc3\xa9\"}}");
    assert_contains(json, "{\"key\":\"int\",\"value\":{\"intValue\":\"-42\"}}");
    assert_contains(json, "{\"intValue\":\"-9223372036854775808\"}");
    assert_contains(json, "{\"key\":\"double\",\"value\":{\"doubleValue\":0.5}}");
    assert_contains(json, "{\"key\":\"bool\",\"value\":{\"boolValue\":false}}");
    assert_contains(json, "{\"timeUnixNano\":\"1500\",\"name\":\"event\",\"attributes\":[{\"key\":"
                          "\"early\",\"value\":{\"boolValue\":true}}]}");
    assert_contains(json,
                    "\"name\":\"exception\",\"attributes\":[{\"key\":\"exception.type\","
                    "\"value\":{\"stringValue\":\"io\"}},{\"key\":\"exception.message\","
                    "\"value\":{\"stringValue\":\"no \\\"disk\\\"\\u000a\"}},{\"key\":\"early\"");
    assert_contains(json, "\"links\":[{\"traceId\":\"01020000000000000000000000000000\",\"spanId\":"
                          "\"0300000000000000\",\"traceState\":\"a=b\",\"attributes\":[{\"key\":"
                          "\"early\",\"value\":{\"boolValue\":true}}],\"flags\":769}]");
    assert_contains(json, "\"status\":{\"message\":\"broken\",\"code\":2}");
    assert_contains(json, "\"scope\":{\"name\":\"tests\"}");
    assert_contains(json, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"test\"}}");
    /* A new root has the random flag of W3C level 2, and no parent: 0x100 | 0x03. */
    assert_contains(json, "\"flags\":259}");
    assert_lacks(json, "parentSpanId");
}

static void exports_arrays_and_bytes(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_str strings[] = {bobbin_lit("a"), bobbin_cstr(""), bobbin_cstr("ccc")};
    const int64_t ints[] = {1, -1};
    const double doubles[] = {1.5};
    const bool bools[] = {true, false, true};
    const struct bobbin_attr attrs[] = {
        bobbin_attr_strings(bobbin_lit("s"), strings, 3),
        bobbin_attr_ints(bobbin_lit("i"), ints, 2),
        bobbin_attr_doubles(bobbin_lit("d"), doubles, 1),
        bobbin_attr_bools(bobbin_lit("b"), bools, 3),
        bobbin_attr_ints(bobbin_lit("empty"), NULL, 0),
        bobbin_attr_bytes(bobbin_lit("bytes"), "\x00\xff\x10\x20", 4),
    };
    struct bobbin_span span;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("arrays"), NULL);
    for (size_t i = 0; i < sizeof attrs / sizeof attrs[0]; i++) {
        bobbin_span_set(&span, &attrs[i]);
    }
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json, "{\"key\":\"s\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":"
                          "\"a\"},{\"stringValue\":\"\"},{\"stringValue\":\"ccc\"}]}}}");
    assert_contains(json,
                    "{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{\"intValue\":\"-1\"}]}}");
    assert_contains(json, "{\"arrayValue\":{\"values\":[{\"doubleValue\":1.5}]}}");
    assert_contains(json, "{\"arrayValue\":{\"values\":[{\"boolValue\":true},{\"boolValue\":false},"
                          "{\"boolValue\":true}]}}");
    assert_contains(json, "{\"key\":\"empty\",\"value\":{\"arrayValue\":{}}}");
    assert_contains(json, "{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"AP8QIA==\"}}");
}

static void the_last_value_of_a_key_counts(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_span span;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("again"), NULL);
    for (int i = 0; i < 100000; i++) { /* far more than a span could keep */
        bobbin_span_set_int(&span, i % 2 == 0 ? bobbin_lit("k") : bobbin_cstr("k"), i);
    }
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json, "\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":\"99999\"}}]");
    assert_lacks(json, "droppedAttributesCount");
}

static void counts_what_is_over_the_limits(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_attr three[] = {bobbin_attr_int(bobbin_lit("x"), 1),
                                        bobbin_attr_int(bobbin_lit("y"), 2),
                                        bobbin_attr_int(bobbin_lit("z"), 3)};
    const struct bobbin_link link = {.context = {.trace_id = {1}, .span_id = {1}}};
    struct bobbin_span span;
    const char *json;

    fixture->opts.limits = (struct bobbin_limits){.attr_count = 2,
                                                  .attr_value_length = 3,
                                                  .event_count = 1,
                                                  .link_count = 1,
                                                  .event_attr_count = 2,
                                                  .link_attr_count = 0};
    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("limits"), NULL);
    bobbin_span_set_string(&span, bobbin_lit("a"), bobbin_lit("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"));
    bobbin_span_set_int(&span, bobbin_lit("b"), 1);
    bobbin_span_set_int(&span, bobbin_lit("c"), 1);
    bobbin_span_set_int(&span, bobbin_lit("b"), 7); /* set again: not over the limit */
    bobbin_span_add_event(&span, bobbin_lit("e1"), 0, three, 3);
    bobbin_span_add_event(&span, bobbin_lit("e2"), 0, NULL, 0);
    for (int i = 0; i < 3; i++) {
        bobbin_span_add_link(&span, &link);
    }
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json,
                    "{\"key\":\"a\",\"value\":{\"stringValue\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}}");
    assert_contains(json, "{\"key\":\"b\",\"value\":{\"intValue\":\"7\"}}");
    assert_contains(json, "],\"droppedAttributesCount\":1,\"events\":[{");
    assert_contains(json, "{\"key\":\"y\",\"value\":{\"intValue\":\"2\"}}],"
                          "\"droppedAttributesCount\":1}],\"droppedEventsCount\":1");
    assert_contains(json, "\"droppedLinksCount\":2");
}

static void keeps_a_large_attribute_whole(void **state)
{
    struct client_fixture *fixture = *state;
    static char large[200000];
    static char wanted[sizeof large + 32];
    struct bobbin_span span;
    const char *json;

    memset(large, 'x', sizeof large);
    (void)snprintf(wanted, sizeof wanted, "\"stringValue\":\"%.*s\"", (int)sizeof large, large);
    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("large"), NULL);
    bobbin_span_set_int(&span, bobbin_lit("before"), 1);
    bobbin_span_set_string(&span, bobbin_lit("large"), bobbin_strn(large, sizeof large));
    bobbin_span_set_int(&span, bobbin_lit("after"), 2);
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json, "{\"key\":\"before\",\"value\":{\"intValue\":\"1\"}}");
    assert_contains(json, wanted);
    assert_contains(json, "{\"key\":\"after\",\"value\":{\"intValue\":\"2\"}}");
}

static void drops_a_value_over_the_pool_and_counts_it(void **state)
{
    struct client_fixture *fixture = *state;
    static char large[BBC_BLOCK_SIZE_MAX + 1];
    struct bobbin_span span;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("too large"), NULL);
    bobbin_span_set_string(&span, bobbin_lit("l"), bobbin_strn(large, sizeof large));
    bobbin_span_set_int(&span, bobbin_lit("after"), 2);
    bobbin_span_end(&span);
    assert_contains(client_fixture_json(fixture), "\"droppedAttributesCount\":1");
}

static void makes_bad_utf8_valid(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_span span;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_cstr("n\xff"), NULL);
    bobbin_span_set_string(&span, bobbin_cstr("k\xc3"), bobbin_cstr("\xed\xa0\x80v"));
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json, "\"name\":\"n\xef\xbf\xbd\"");
    assert_contains(json, "{\"key\":\"k\xef\xbf\xbd\",\"value\":{\"stringValue\":"
                          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdv\"}}");
}

static void status_ok_is_final_and_unset_is_ignored(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_span span;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("status"), NULL);
    bobbin_span_set_status(&span, BOBBIN_STATUS_ERROR, bobbin_lit("bad"));
    bobbin_span_set_status(&span, BOBBIN_STATUS_UNSET, bobbin_lit(""));
    bobbin_span_set_status(&span, BOBBIN_STATUS_OK, bobbin_lit("ignored"));
    bobbin_span_set_status(&span, BOBBIN_STATUS_ERROR, bobbin_lit("late"));
    bobbin_span_end(&span);
    json = client_fixture_json(fixture);
    assert_contains(json, "\"status\":{\"code\":1}");
}

static void nothing_is_taken_after_the_end(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct bobbin_span span;

    client_fixture_start(fixture);
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("ended"), NULL);
    bobbin_span_end(&span);
    bobbin_span_set_int(&span, bobbin_lit("late"), 1);
    bobbin_span_add_event(&span, bobbin_lit("late"), 0, NULL, 0);
    bobbin_span_update_name(&span, bobbin_lit("late"));
    bobbin_span_end(&span);
    assert_lacks(client_fixture_json(fixture), "late");
    bobbin_stats_read(&stats);
    assert_int_equal(stats.ended - before.ended, 1);
    assert_int_equal(stats.exported - before.exported, 1);
}

static void an_end_before_the_start_is_the_start(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_span_opts opts = {.start_unix_ns = 5000};
    struct bobbin_span span;

    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("back"), &opts);
    bobbin_span_end_at(&span, 10);
    assert_contains(client_fixture_json(fixture), "\"endTimeUnixNano\":\"5000\"");
}

static void a_span_is_within_the_wall_clock_around_it(void **state)
{
    struct client_fixture *fixture = *state;
    struct timespec before;
    struct timespec after;
    struct bobbin_span span;
    unsigned long long start;
    unsigned long long end;
    const char *json;
    const char *at;

    client_fixture_start(fixture);
    clock_gettime(CLOCK_REALTIME, &before);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("now"), NULL);
    bobbin_span_end(&span);
    clock_gettime(CLOCK_REALTIME, &after);
    json = client_fixture_json(fixture);
    at = strstr(json, "\"startTimeUnixNano\"");
    assert_non_null(at);
    assert_int_equal(
        sscanf(at, "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\"", &start, &end), 2);
    /* A millisecond for the drift of the anchor, in which a clock may be stepped. */
    assert_true(start + 1000000 >=
                (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec);
    assert_true(end <= (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec + 1000000);
    assert_true(start <= end);
}

static void a_child_has_the_trace_and_tracestate_of_its_parent(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_span_context remote = {.trace_id = {0xab},
                                               .span_id = {0xcd},
                                               .flags = BOBBIN_FLAG_SAMPLED,
                                               .is_remote = true,
                                               .tracestate = "v=1",
                                               .tracestate_size = 3};
    const struct bobbin_span_opts server = {.parent = &remote};
    struct bobbin_span_context context;
    struct bobbin_span parent;
    struct bobbin_scope scope;
    struct bobbin_span child;
    const char *json;

    client_fixture_start(fixture);
    bobbin_span_start(&parent, fixture->tracer, bobbin_lit("p"), &server);
    bobbin_scope_enter_span(&scope, &parent);
    bobbin_span_start(&child, fixture->tracer, bobbin_lit("c"), NULL);
    context = bobbin_span_context_of(&child);
    assert_memory_equal(context.trace_id, remote.trace_id, 16);
    assert_false(context.is_remote);
    assert_int_equal(context.tracestate_size, 3);
    assert_memory_equal(context.tracestate, "v=1", 3);
    bobbin_span_end(&child);
    bobbin_scope_leave(&scope);
    bobbin_span_end(&parent);
    json = client_fixture_json(fixture);
    assert_contains(json,
                    "\"traceState\":\"v=1\",\"parentSpanId\":\"cd00000000000000\",\"name\":\"p\"");
    assert_contains(json, "\"flags\":769}"); /* the remote's child: 0x300 | 1 */
    assert_contains(json, "\"flags\":257}"); /* the local one's: 0x100 | 1 */
}

static void without_a_start_a_span_stands_for_its_parent(void **state)
{
    struct client_fixture *fixture = *state;
    const struct bobbin_span_context remote = {
        .trace_id = {0xab}, .span_id = {0xcd}, .flags = 1, .is_remote = true};
    const struct bobbin_span_opts opts = {.parent = &remote};
    struct bobbin_span_context context;
    struct bobbin_span span;

    bobbin_span_start(&span, fixture->tracer, bobbin_lit("off"), &opts);
    assert_false(bobbin_span_is_recording(&span));
    bobbin_span_set_int(&span, bobbin_lit("k"), 1);
    context = bobbin_span_context_of(&span);
    assert_memory_equal(context.span_id, remote.span_id, 8);
    assert_true(context.is_remote);
    bobbin_span_end(&span);
}

static void spans_over_the_ring_memory_are_counted(void **state)
{
    struct client_fixture *fixture = *state;
    struct bobbin_stats before;
    struct bobbin_stats stats;
    struct bobbin_span span;

    bobbin_stats_read(&before);
    fixture->opts.ring_size = 16384; /* a size that no other test has left a ring of */
    fixture->opts.ring_memory_max = 0;
    bbc_this_thread.ring = NULL;
    client_fixture_start(fixture);
    bobbin_span_start(&span, fixture->tracer, bobbin_lit("no ring"), NULL);
    bobbin_span_end(&span);
    bobbin_stats_read(&stats);
    assert_int_equal(stats.dropped[BOBBIN_DROP_NO_RING] - before.dropped[BOBBIN_DROP_NO_RING], 1);
    assert_conserved(&stats);
}

static const struct bobbin_tracer *handler_tracer;
static volatile sig_atomic_t handler_ran;

static void record_in_handler(int signal)
{
    struct bobbin_span span;

    (void)signal;
    bobbin_span_start(&span, handler_tracer, bobbin_lit("handler"), NULL);
    bobbin_span_end(&span);
    handler_ran = 1;
}

static void a_signal_handler_may_record(void **state)
{
    struct client_fixture *fixture = *state;
    struct sigaction action = {.sa_handler = record_in_handler};
    struct bobbin_stats before;
    struct bobbin_stats stats;

    handler_tracer = fixture->tracer;
    client_fixture_start(fixture);
    assert_int_equal(bobbin_thread_attach(), BOBBIN_OK);
    bobbin_stats_read(&before);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(handler_ran);
    bbc_this_thread.busy = 1; /* as if the signal came while a span was being recorded */
    assert_int_equal(raise(SIGUSR1), 0);
    bbc_this_thread.busy = 0;
    assert_contains(client_fixture_json(fixture), "\"name\":\"handler\"");
    bobbin_stats_read(&stats);
    assert_int_equal(stats.exported - before.exported, 1);
    assert_int_equal(stats.dropped[BOBBIN_DROP_REENTERED] - before.dropped[BOBBIN_DROP_REENTERED],
                     1);
    assert_conserved(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exports_every_field_of_a_span, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exports_arrays_and_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_value_of_a_key_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_what_is_over_the_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_large_attribute_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_a_value_over_the_pool_and_counts_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(makes_bad_utf8_valid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(status_ok_is_final_and_unset_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_taken_after_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_before_the_start_is_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_span_is_within_the_wall_clock_around_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_child_has_the_trace_and_tracestate_of_its_parent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_start_a_span_stands_for_its_parent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(spans_over_the_ring_memory_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_handler_may_record, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
