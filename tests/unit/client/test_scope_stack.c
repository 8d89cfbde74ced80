#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/client/client_fixture.h"

static struct client_fixture fixture;

static int set_up(void **state)
{
    (void)state;
    client_fixture_init(&fixture);
    client_fixture_start(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(bobbin_scope_swap(NULL));
    client_fixture_stop(&fixture);
    return 0;
}

static void scopes_nest_and_leave_in_order(void **state)
{
    static struct bobbin_baggage baggage;
    struct bobbin_span a;
    struct bobbin_span b;
    struct bobbin_scope scopes[3];

    (void)state;
    assert_null(bobbin_current_span());
    bobbin_span_start(&a, fixture.tracer, bobbin_lit("a"), NULL);
    bobbin_span_start(&b, fixture.tracer, bobbin_lit("b"), NULL);
    bobbin_scope_enter_span(&scopes[0], &a);
    bobbin_scope_enter_baggage(&scopes[1], &baggage);
    assert_ptr_equal(bobbin_current_span(), &a);
    bobbin_scope_enter_span(&scopes[2], &b);
    assert_ptr_equal(bobbin_current_span(), &b);
    assert_ptr_equal(bobbin_current_baggage(), &baggage);
    bobbin_scope_leave(&scopes[2]);
    bobbin_scope_leave(&scopes[1]);
    assert_null(bobbin_current_baggage());
    assert_ptr_equal(bobbin_current_span(), &a);
    bobbin_scope_leave(&scopes[0]);
    assert_null(bobbin_current_span());
    bobbin_span_end(&a);
    bobbin_span_end(&b);
}

static void leaving_an_outer_scope_leaves_the_inner_ones(void **state)
{
    struct bobbin_span span;
    struct bobbin_scope outer;
    struct bobbin_scope inner;
    struct bobbin_stats before;
    struct bobbin_stats stats;

    (void)state;
    bobbin_stats_read(&before);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("s"), NULL);
    bobbin_scope_enter_span(&outer, &span);
    bobbin_scope_enter_span(&inner, &span);
    bobbin_scope_leave(&outer);
    assert_null(bobbin_current_span());
    bobbin_scope_leave(&inner); /* not there any more: ignored, and counted */
    bobbin_stats_read(&stats);
    assert_int_equal(stats.misuse - before.misuse, 1);
    bobbin_span_end(&span);
}

static struct bobbin_context handed_over;

static void *work_in_another_thread(void *unused)
{
    struct bobbin_scope scope;
    struct bobbin_span span;

    assert_null(bobbin_current_span());
    bobbin_scope_enter_context(&scope, &handed_over);
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("there"), NULL);
    bobbin_span_end(&span);
    bobbin_scope_leave(&scope);
    return unused;
}

static void a_context_is_handed_to_another_thread(void **state)
{
    struct bobbin_span_context context;
    char wanted[64] = "\"parentSpanId\":\"";
    size_t at = strlen(wanted);
    pthread_t thread;

    (void)state;
    {
        BOBBIN_SCOPE(work, fixture.tracer, "here");
        context = bobbin_span_context_of(&work.span);
        bobbin_context_capture(&handed_over);
        assert_int_equal(pthread_create(&thread, NULL, work_in_another_thread, NULL), 0);
        pthread_join(thread, NULL);
    }
    for (unsigned i = 0; i < 8; i++) {
        static const char digits[] = "0123456789abcdef";

        wanted[at++] = digits[context.span_id[i] >> 4];
        wanted[at++] = digits[context.span_id[i] & 15];
    }
    memcpy(wanted + at, "\",\"name\":\"there\"", 17);
    assert_contains(client_fixture_json(&fixture), wanted);
}

static void a_coroutine_has_a_stack_of_its_own(void **state)
{
    struct bobbin_span span;
    struct bobbin_scope scope;
    struct bobbin_scope *mine;

    (void)state;
    bobbin_span_start(&span, fixture.tracer, bobbin_lit("main"), NULL);
    bobbin_scope_enter_span(&scope, &span);
    mine = bobbin_scope_swap(NULL); /* another coroutine runs */
    assert_null(bobbin_current_span());
    assert_null(bobbin_scope_swap(mine));
    assert_ptr_equal(bobbin_current_span(), &span);
    bobbin_scope_leave(&scope);
    bobbin_span_end(&span);
}

static void leave_early(bool is_early)
{
    BOBBIN_SCOPE(work, fixture.tracer, "scoped");
    if (is_early) {
        return;
    }
    BOBBIN_SCOPE_END(work);
    BOBBIN_SCOPE_END(work); /* does nothing the second time */
    assert_null(bobbin_current_span());
}

static void a_scope_ends_its_span_once_however_it_is_left(void **state)
{
    struct bobbin_stats before;
    struct bobbin_stats stats;

    (void)state;
    bobbin_stats_read(&before);
    leave_early(true);
    assert_null(bobbin_current_span());
    leave_early(false);
    bobbin_stats_read(&stats);
    assert_int_equal(stats.ended - before.ended, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scopes_nest_and_leave_in_order),
        TEST(leaving_an_outer_scope_leaves_the_inner_ones),
        TEST(a_context_is_handed_to_another_thread),
        TEST(a_coroutine_has_a_stack_of_its_own),
        TEST(a_scope_ends_its_span_once_however_it_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
