#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "query/cli/id_map.h"

#define SPAN_IDS 20000

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static void two_span_ids_never_become_the_same(void **state)
{
    static uint64_t mapped[SPAN_IDS];
    struct bb_id_map map = bb_id_map_of(7);

    (void)state;
    for (uint64_t i = 0; i < SPAN_IDS; i++) {
        uint8_t id[BB_SPAN_ID_SIZE];
        bb_put_be64(id, i + 1);
        bb_id_map_span_id(&map, id);
        mapped[i] = bb_get_be64(id);
    }
    qsort(mapped, SPAN_IDS, sizeof(mapped[0]), compare_u64);
    for (uint64_t i = 0; i < SPAN_IDS; i++) {
        assert_true(mapped[i] != 0);
        assert_true(i == 0 || mapped[i] != mapped[i - 1]);
    }
}

static void the_same_id_becomes_the_same_and_another_seed_another(void **state)
{
    struct bb_id_map map = bb_id_map_of(1);
    struct bb_id_map other_map = bb_id_map_of(2);
    struct bb_trace_id ids[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        ids[i].bytes[15] = 9;
    }
    bb_id_map_trace_id(&map, ids[0].bytes);
    bb_id_map_trace_id(&map, ids[1].bytes);
    bb_id_map_trace_id(&other_map, ids[2].bytes);
    assert_true(bb_trace_id_equals(&ids[0], &ids[1]));
    assert_false(bb_trace_id_equals(&ids[0], &ids[2]));
    assert_false(bb_trace_id_equals(&ids[0], &ids[3]));
}

static void no_id_stays_no_id(void **state)
{
    struct bb_id_map map = bb_id_map_of(1);
    struct bb_trace_id trace_id = {0};
    struct bb_span_id span_id = {0};

    (void)state;
    bb_id_map_trace_id(&map, trace_id.bytes);
    bb_id_map_span_id(&map, span_id.bytes);
    assert_true(bb_trace_id_is_zero(&trace_id));
    assert_true(bb_span_id_is_zero(&span_id));
}

static void uuids_are_replaced_and_nothing_else(void **state)
{
    static const char before[] = "id=6BA7B810-9dad-41d1-80b4-00c04fd430c8;"
                                 "x6ba7b810-9dad-41d1-80b4-00c04fd430c8 "
                                 "6ba7b810-9dad-41d1-80b4-00c04fd430c "
                                 "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    struct bb_id_map map = bb_id_map_of(1);
    char text[sizeof(before)];
    size_t size = sizeof(before) - 1;

    (void)state;
    memcpy(text, before, sizeof(before));
    assert_int_equal(bb_id_map_uuids(&map, (uint8_t *)text, size), 2);
    assert_memory_equal(text, "id=", 3);
    assert_memory_not_equal(text + 3, before + 3, 36);
    assert_int_equal(text[3 + 14], '4'); /* the version */
    assert_int_equal(text[3 + 19], '8'); /* the variant */
    assert_int_equal(text[3 + 8], '-');
    /* A letter before it, a digit too few: no UUIDs. */
    assert_memory_equal(text + 39, before + 39, strlen(before) - 39 - 36);
    /* The last is the first in lower case, and so becomes the same. */
    assert_memory_equal(text + size - 36, text + 3, 36);
    assert_int_equal(bb_id_map_uuids(&map, (uint8_t *)text, 35), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_span_ids_never_become_the_same),
        cmocka_unit_test(the_same_id_becomes_the_same_and_another_seed_another),
        cmocka_unit_test(no_id_stays_no_id),
        cmocka_unit_test(uuids_are_replaced_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
