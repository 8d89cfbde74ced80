#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/cli/shop_model.h"

static void the_calls_of_the_shop_make_no_circle(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < bb_shop_operation_count; i++) {
        const struct bb_shop_operation *operation = &bb_shop_operations[i];
        assert_non_null(operation->name);
        for (uint32_t j = 0; j < BB_SHOP_CALLS_MAX; j++) {
            const struct bb_shop_call *call = &operation->calls[j];
            if (call->chance_percent > 0) {
                assert_true(call->operation > i);
                assert_true(call->operation < bb_shop_operation_count);
                assert_true(call->count_min > 0 && call->count_min <= call->count_max);
            }
        }
    }
}

static void every_operation_has_what_its_style_shows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < bb_shop_operation_count; i++) {
        const struct bb_shop_operation *operation = &bb_shop_operations[i];
        assert_true(operation->service < BB_SHOP_SERVICE_COUNT);
        assert_true(operation->own_us > 0);
        switch (operation->style) {
        case BB_SHOP_PAGE:
        case BB_SHOP_DATABASE:
        case BB_SHOP_OUTSIDE:
            assert_non_null(operation->statement);
            assert_non_null(operation->target);
            break;
        case BB_SHOP_RPC:
            assert_non_null(strchr(operation->name, '/'));
            assert_non_null(operation->target);
            break;
        case BB_SHOP_CACHE:
        case BB_SHOP_SEND:
        case BB_SHOP_CONSUME:
            assert_non_null(operation->target);
            break;
        case BB_SHOP_WORK:
        case BB_SHOP_JOB:
            break;
        }
    }
}

/* What nobody calls, takes or begins would be dead text. */
static void every_operation_is_reached(void **state)
{
    bool is_reached[256] = {false};

    (void)state;
    for (uint32_t i = 0; i < bb_shop_entry_count; i++) {
        assert_true(bb_shop_entries[i].weight > 0);
        is_reached[bb_shop_entries[i].operation] = true;
    }
    for (uint32_t i = 0; i < bb_shop_operation_count; i++) {
        const struct bb_shop_operation *operation = &bb_shop_operations[i];
        uint8_t consumers[BB_SHOP_CONSUMERS_MAX];
        for (uint32_t j = 0; j < BB_SHOP_CALLS_MAX && operation->calls[j].chance_percent > 0; j++) {
            is_reached[operation->calls[j].operation] = true;
        }
        if (operation->style == BB_SHOP_SEND) {
            uint32_t count = bb_shop_consumers(i, consumers);
            assert_int_equal(count, 2);
            for (uint32_t j = 0; j < count; j++) {
                is_reached[consumers[j]] = true;
            }
        }
    }
    for (uint32_t i = 0; i < bb_shop_operation_count; i++) {
        assert_true(is_reached[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calls_of_the_shop_make_no_circle),
        cmocka_unit_test(every_operation_has_what_its_style_shows),
        cmocka_unit_test(every_operation_is_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
