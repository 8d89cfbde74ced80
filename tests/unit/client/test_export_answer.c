#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/export_answer.h"

static void reads_the_rejected_spans(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t size;
        uint32_t wanted;
    } rows[] = {
        {{0}, 0, 0},
        {{0x0a, 0x02, 0x08, 0x02}, 4, 2},
        {{0x0a, 0x00}, 2, 0},
        {{0x0a, 0x05, 0x12, 0x01, 'x', 0x08, 0x07}, 7, 7}, /* the message before the number */
        {{0x12, 0x01, 'x', 0x0a, 0x02, 0x08, 0x03}, 7, 3}, /* an unknown field before */
        {{0x0a, 0x06, 0x08, 0xff, 0xff, 0xff, 0xff, 0x7f}, 8, UINT32_MAX},
        {{0x0a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 13, 0},
        {{0x0a, 0x05, 0x08}, 3, 0}, /* cut */
        {{0x0a}, 1, 0},
        {{'<', 'h', 't', 'm', 'l', '>'}, 6, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(bbc_otlp_answer_rejected(rows[i].bytes, rows[i].size), rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_rejected_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
