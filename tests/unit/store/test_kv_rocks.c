#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/kv_rocks.h"
#include "temp_dir.h"
#include "tests/support/otlp_build.h"

struct kv_fixture {
    char dir[TEMP_DIR_SIZE];
    struct bb_kv_shared *shared;
    struct bb_kv *kv;
};

static void open_kv(struct kv_fixture *fx, bool is_read_only)
{
    struct bb_err_detail detail = {{0}};

    if (bb_kv_open(fx->shared, fx->dir, is_read_only, &detail, &fx->kv) != BB_OK) {
        fail_msg("not opened: %s", detail.text);
    }
}

static int set_up(void **state)
{
    static struct kv_fixture fx;

    temp_dir_make(fx.dir);
    assert_int_equal(bb_kv_shared_new(1u << 20, 1u << 20, &fx.shared), BB_OK);
    open_kv(&fx, false);
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    struct kv_fixture *fx = *state;

    bb_kv_close(fx->kv);
    bb_kv_shared_free(fx->shared);
    temp_dir_remove(fx->dir);
    return 0;
}

static void put(struct kv_fixture *fx, enum bb_kv_family family, const char *key, const char *value)
{
    assert_int_equal(
        bb_kv_put(fx->kv, family, bb_slice_from_cstr(key), bb_slice_from_cstr(value), false, NULL),
        BB_OK);
}

/* `value` NULL: there is none. */
static void check(struct kv_fixture *fx, enum bb_kv_family family, const char *key,
                  const char *value)
{
    struct bb_kv_value got = {.pin = NULL};
    enum bb_err err = bb_kv_get(fx->kv, family, bb_slice_from_cstr(key), NULL, &got);

    assert_int_equal(err, value == NULL ? BB_ENOTFOUND : BB_OK);
    assert_true(value == NULL || bb_slice_equals_cstr(got.bytes, value));
    bb_kv_value_dispose(&got);
}

static void gives_back_what_was_put_in_its_family_only(void **state)
{
    struct kv_fixture *fx = *state;

    put(fx, BB_KV_LOG, "key", "of the log");
    put(fx, BB_KV_BLOCKS, "key", "of the blocks");
    put(fx, BB_KV_INDEX, "other", "");
    check(fx, BB_KV_LOG, "key", "of the log");
    check(fx, BB_KV_BLOCKS, "key", "of the blocks");
    check(fx, BB_KV_INDEX, "other", "");
    check(fx, BB_KV_INDEX, "key", NULL);
    check(fx, BB_KV_META, "key", NULL);
    put(fx, BB_KV_LOG, "key", "another");
    check(fx, BB_KV_LOG, "key", "another");
}

static void has_it_again_after_a_close_without_a_flush(void **state)
{
    struct kv_fixture *fx = *state;

    put(fx, BB_KV_LOG, "key", "value");
    bb_kv_close(fx->kv);
    open_kv(fx, false);
    check(fx, BB_KV_LOG, "key", "value");
}

static void shows_a_batch_whole_and_not_before_it_is_committed(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_kv_writes *writes = NULL;

    for (char digit[] = "0"; digit[0] <= '9'; digit[0]++) {
        put(fx, BB_KV_LOG, digit, "entry");
    }
    assert_int_equal(bb_kv_writes_new(&writes), BB_OK);
    bb_kv_writes_put(fx->kv, writes, BB_KV_BLOCKS, BYTES_OF("block"), BYTES_OF("value"));
    bb_kv_writes_delete_range(fx->kv, writes, BB_KV_LOG, BYTES_OF("2"), BYTES_OF("5"));
    check(fx, BB_KV_BLOCKS, "block", NULL);
    check(fx, BB_KV_LOG, "3", "entry");
    assert_int_equal(bb_kv_commit(fx->kv, writes, true, NULL), BB_OK);
    bb_kv_writes_free(writes);
    check(fx, BB_KV_BLOCKS, "block", "value");
    check(fx, BB_KV_LOG, "1", "entry");
    check(fx, BB_KV_LOG, "2", NULL);
    check(fx, BB_KV_LOG, "4", NULL);
    check(fx, BB_KV_LOG, "5", "entry"); /* the end isn't in it */
}

static void forgets_writes_that_are_not_committed(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_kv_writes *writes = NULL;

    assert_int_equal(bb_kv_writes_new(&writes), BB_OK);
    bb_kv_writes_put(fx->kv, writes, BB_KV_BLOCKS, BYTES_OF("block"), BYTES_OF("value"));
    bb_kv_writes_free(writes);
    bb_kv_writes_free(NULL);
    check(fx, BB_KV_BLOCKS, "block", NULL);
}

static void walks_keys_upwards_from_where_it_is_told(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_kv_iter *iter = NULL;
    struct bb_slice key;
    struct bb_slice value;
    char expected[] = "c";

    put(fx, BB_KV_LOG, "d", "D");
    put(fx, BB_KV_LOG, "a", "A");
    put(fx, BB_KV_LOG, "e", "E");
    put(fx, BB_KV_LOG, "c", "C");
    put(fx, BB_KV_INDEX, "cc", "of another family");
    assert_int_equal(bb_kv_iter_new(fx->kv, BB_KV_LOG, BYTES_OF("b"), &iter), BB_OK);
    for (; bb_kv_iter_next(iter, &key, &value); expected[0]++) {
        assert_true(bb_slice_equals_cstr(key, expected));
        assert_int_equal(value.data[0], expected[0] - 'a' + 'A');
    }
    assert_int_equal(expected[0], 'f');
    assert_false(bb_kv_iter_next(iter, &key, &value));
    assert_int_equal(bb_kv_iter_err(iter, NULL), BB_OK);
    bb_kv_iter_free(iter);
    bb_kv_iter_free(NULL);
}

static void is_busy_while_another_has_it_open(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_err_detail detail = {{0}};
    struct bb_kv *other = NULL;

    assert_int_equal(bb_kv_open(fx->shared, fx->dir, false, &detail, &other), BB_EBUSY);
    assert_null(other);
    assert_true(detail.text[0] != '\0');
}

static void takes_no_writes_when_it_is_read_only(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_err_detail detail = {{0}};

    put(fx, BB_KV_INDEX, "key", "value");
    assert_int_equal(bb_kv_flush(fx->kv, NULL), BB_OK);
    bb_kv_close(fx->kv);
    open_kv(fx, true);
    check(fx, BB_KV_INDEX, "key", "value");
    assert_int_not_equal(
        bb_kv_put(fx->kv, BB_KV_INDEX, BYTES_OF("key"), BYTES_OF("x"), false, &detail), BB_OK);
    assert_true(detail.text[0] != '\0');
    check(fx, BB_KV_INDEX, "key", "value");
}

static void makes_no_database_when_it_is_read_only(void **state)
{
    struct kv_fixture *fx = *state;
    struct bb_kv *other = NULL;
    char path[TEMP_DIR_SIZE + 16];

    snprintf(path, sizeof path, "%s/nothing", fx->dir);
    assert_int_not_equal(bb_kv_open(fx->shared, path, true, NULL, &other), BB_OK);
    assert_null(other);
}

/* Turns bits in the middle of every file whose name ends so. */
static void damage_files(const char *dir_path, const char *ending)
{
    DIR *dir = opendir(dir_path);
    unsigned count = 0;

    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *at = strstr(entry->d_name, ending);
        char path[512];
        if (at == NULL || at[strlen(ending)] != '\0') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", dir_path, entry->d_name);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        for (long offset = 0; offset < 20000; offset += 50) {
            assert_int_equal(fseek(file, offset, SEEK_SET), 0);
            assert_int_not_equal(fputc(0xa5, file), EOF);
        }
        assert_int_equal(fclose(file), 0);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

static void says_that_it_is_damaged_and_never_gives_other_bytes(void **state)
{
    struct kv_fixture *fx = *state;
    static uint8_t bytes[30000];
    struct bb_kv_value got = {.pin = NULL};

    memset(bytes, 'v', sizeof bytes);
    assert_int_equal(bb_kv_put(fx->kv, BB_KV_BLOCKS, BYTES_OF("key"),
                               bb_slice_of(bytes, sizeof bytes), false, NULL),
                     BB_OK);
    assert_int_equal(bb_kv_flush(fx->kv, NULL), BB_OK);
    bb_kv_close(fx->kv);
    damage_files(fx->dir, ".sst");
    struct bb_err_detail detail = {{0}};
    fx->kv = NULL;
    enum bb_err err = bb_kv_open(fx->shared, fx->dir, false, &detail, &fx->kv);
    if (err == BB_OK) {
        err = bb_kv_get(fx->kv, BB_KV_BLOCKS, BYTES_OF("key"), &detail, &got);
        bb_kv_value_dispose(&got);
    }
    assert_int_equal(err, BB_ECORRUPT);
    assert_true(detail.text[0] != '\0');
}

static void counts_the_bytes_that_it_holds(void **state)
{
    struct kv_fixture *fx = *state;
    static uint8_t bytes[100000];

    size_t before = bb_kv_memtable_bytes(fx->kv);
    assert_int_equal(bb_kv_put(fx->kv, BB_KV_BLOCKS, BYTES_OF("key"),
                               bb_slice_of(bytes, sizeof bytes), false, NULL),
                     BB_OK);
    assert_true(bb_kv_memtable_bytes(fx->kv) > before);
    assert_int_equal(bb_kv_flush(fx->kv, NULL), BB_OK);
    check(fx, BB_KV_BLOCKS, "nothing", NULL);
    struct bb_kv_value got = {.pin = NULL};
    assert_int_equal(bb_kv_get(fx->kv, BB_KV_BLOCKS, BYTES_OF("key"), NULL, &got), BB_OK);
    assert_int_equal(got.bytes.size, sizeof bytes);
    bb_kv_value_dispose(&got);
    assert_true(bb_kv_cache_bytes(fx->shared) > 0);
    assert_false(bb_kv_is_failed(fx->kv));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_put_in_its_family_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(has_it_again_after_a_close_without_a_flush, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(shows_a_batch_whole_and_not_before_it_is_committed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(forgets_writes_that_are_not_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(walks_keys_upwards_from_where_it_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(is_busy_while_another_has_it_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_writes_when_it_is_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_no_database_when_it_is_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_that_it_is_damaged_and_never_gives_other_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(counts_the_bytes_that_it_holds, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
