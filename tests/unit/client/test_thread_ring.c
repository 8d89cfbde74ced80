#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/thread_ring.h"
#include "tests/unit/client/client_fixture.h"

static uint8_t ring_bytes[8192] __attribute__((aligned(8)));

static void a_record_never_wraps_and_a_full_ring_refuses(void **state)
{
    struct bbc_ring ring = {.bytes = ring_bytes, .size = sizeof ring_bytes, .wake_at = UINT64_MAX};
    uint64_t head = 0;
    uint32_t pad[2];

    (void)state;
    for (unsigned i = 0; i < 8; i++) { /* 8,000 of 8,192 bytes */
        assert_ptr_equal(bbc_ring_reserve(&ring, 1000, &head), ring_bytes + i * 1000);
        bbc_ring_commit(&ring, head);
    }
    assert_null(bbc_ring_reserve(&ring, 200, &head)); /* 192 are left before the end */
    assert_non_null(bbc_ring_reserve(&ring, 192, &head));
    atomic_store(&ring.tail, 1000);
    assert_ptr_equal(bbc_ring_reserve(&ring, 1000, &head), ring_bytes);
    assert_int_equal(head, 8192 + 1000);
    memcpy(pad, ring_bytes + 8000, sizeof pad);
    assert_int_equal(pad[0], 192);
    assert_int_equal(pad[1] & 0xff, BBC_RECORD_PAD);
    assert_null(bbc_ring_reserve(&ring, 1008, &head)); /* the reader is there yet */
}

static void *record_one(void *arg)
{
    const struct client_fixture *fixture = arg;
    struct bobbin_span span;

    bobbin_span_start(&span, fixture->tracer, bobbin_lit("short-lived"), NULL);
    bobbin_span_end(&span);
    return NULL;
}

static void a_thread_that_ends_leaves_its_ring_to_the_next(void **state)
{
    struct client_fixture fixture;
    struct bobbin_stats before;
    struct bobbin_stats stats;

    (void)state;
    bobbin_stats_read(&before);
    client_fixture_init(&fixture);
    client_fixture_start(&fixture);
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, record_one, &fixture), 0);
        pthread_join(thread, NULL);
        assert_int_equal(bobbin_flush(60000), BOBBIN_OK);
    }
    bobbin_stats_read(&stats);
    assert_int_equal(stats.exported - before.exported, 50);
    assert_int_equal(stats.ring_count - before.ring_count, 1);
    client_fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_never_wraps_and_a_full_ring_refuses),
        cmocka_unit_test(a_thread_that_ends_leaves_its_ring_to_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
