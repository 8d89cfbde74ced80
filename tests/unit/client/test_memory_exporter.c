#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/client/client_fixture.h"

static bool count_one(void *user, const struct bobbin_request *request)
{
    unsigned *count = user;

    assert_int_equal(request->size, 3);
    ++*count;
    return false;
}

static void keeps_requests_until_they_are_cleared(void **state)
{
    struct bobbin_memory_exporter *memory;
    struct bobbin_exporter exporter;
    struct bobbin_export_report report = {0};
    const uint8_t bytes[] = {1, 2, 3};
    const struct bobbin_request request = {bytes, sizeof bytes, 7};
    unsigned count = 0;

    (void)state;
    assert_int_equal(bobbin_memory_exporter_new(&memory), BOBBIN_OK);
    exporter = bobbin_memory_exporter_of(memory);
    assert_int_equal(exporter.send(exporter.user, &request, 1, &report), BOBBIN_EXPORT_OK);
    assert_int_equal(exporter.send(exporter.user, &request, 1, &report), BOBBIN_EXPORT_OK);
    assert_int_equal(bobbin_memory_exporter_span_count(memory), 14);
    bobbin_memory_exporter_each(memory, count_one, &count);
    assert_int_equal(count, 1); /* the visitor stopped it */
    bobbin_memory_exporter_clear(memory);
    assert_int_equal(bobbin_memory_exporter_span_count(memory), 0);
    bobbin_memory_exporter_each(memory, count_one, &count);
    assert_int_equal(count, 1);
    bobbin_memory_exporter_free(memory);
    bobbin_memory_exporter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_requests_until_they_are_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
