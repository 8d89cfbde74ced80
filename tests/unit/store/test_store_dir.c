#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "store/store_dir.h"
#include "temp_dir.h"

static char root[TEMP_DIR_SIZE];

static int set_up(void **state)
{
    (void)state;
    temp_dir_make(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_remove(root);
    return 0;
}

static void path_of(const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", root, name);
}

static void write_text(const char *name, const char *text)
{
    char path[256];

    path_of(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_dir(const char *name)
{
    char path[256];

    path_of(name, path);
    assert_int_equal(mkdir(path, 0750), 0);
}

static bool is_there(const char *name)
{
    char path[256];

    path_of(name, path);
    return access(path, F_OK) == 0;
}

static void open_and_close(void)
{
    int fd = -1;

    assert_int_equal(bb_store_dir_open(root, NULL, &fd), BB_OK);
    assert_true(fd >= 0);
    close(fd);
}

static void makes_what_is_missing_also_above(void **state)
{
    char path[256];
    int fd = -1;

    (void)state;
    path_of("a/b/c", path);
    assert_int_equal(bb_store_dir_open(path, NULL, &fd), BB_OK);
    close(fd);
    assert_true(is_there("a/b/c/FORMAT"));
    assert_true(is_there("a/b/c/LOCK"));
    assert_true(is_there("a/b/c/partitions"));
    assert_true(is_there("a/b/c/trash"));
    assert_true(is_there("a/b/c/quarantine"));
    assert_int_equal(bb_store_dir_open(path, NULL, &fd), BB_OK); /* and again */
    close(fd);
}

static void is_busy_while_the_lock_is_held(void **state)
{
    struct bb_err_detail detail = {{0}};
    int held = -1;
    int fd = -1;

    (void)state;
    assert_int_equal(bb_store_dir_open(root, NULL, &held), BB_OK);
    assert_int_equal(bb_store_dir_open(root, &detail, &fd), BB_EBUSY);
    assert_non_null(strstr(detail.text, root));
    assert_int_equal(fd, -1);
    close(held);
    open_and_close();
}

static void refuses_another_format_and_leaves_it_as_it_is(void **state)
{
    static const char *const texts[] = {"bobbin store format 2\n",
                                        "bobbin store format 0\n",
                                        "bobbin store format 11\n",
                                        "bobbin store format 1 of another\n",
                                        "bobbin store format \n",
                                        "something else",
                                        ""};
    int fd = -1;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(texts); i++) {
        struct bb_err_detail detail = {{0}};
        write_text("FORMAT", texts[i]);
        assert_int_equal(bb_store_dir_open(root, &detail, &fd), BB_EVERSION);
        assert_int_equal(fd, -1);
        assert_true(detail.text[0] != '\0');
        assert_false(is_there("partitions"));
    }
    write_text("FORMAT", "bobbin store format 1\n");
    open_and_close();
}

static void refuses_an_empty_path_and_one_that_is_too_long(void **state)
{
    static char path[BB_STORE_PATH_SIZE];
    int fd = -1;

    (void)state;
    memset(path, 'x', sizeof path - 1);
    assert_int_equal(bb_store_dir_open(path, NULL, &fd), BB_EINVAL);
    assert_int_equal(bb_store_dir_open("", NULL, &fd), BB_EINVAL);
    assert_int_equal(bb_store_dir_open("/dev/null/x", NULL, &fd), BB_EIO);
}

static void names_partitions_by_the_second(void **state)
{
    char name[BB_PARTITION_NAME_SIZE];
    uint64_t unix_ns = 0;

    (void)state;
    bb_partition_name_format(UINT64_C(1795557600123456789), name);
    assert_string_equal(name, "20261124T220000Z");
    assert_int_equal(bb_partition_name_parse(name, &unix_ns), BB_OK);
    assert_true(unix_ns == UINT64_C(1795557600000000000));
    bb_partition_name_format(0, name);
    assert_string_equal(name, "19700101T000000Z");
    bb_partition_name_format(UINT64_MAX, name);
    assert_int_equal(bb_partition_name_parse(name, &unix_ns), BB_OK);
    assert_true(unix_ns == UINT64_MAX / BB_NS_PER_S * BB_NS_PER_S);
}

static void refuses_names_that_are_not_its_own(void **state)
{
    static const char *const names[] = {"",
                                        ".",
                                        "20261124T220000",
                                        "20261124T220000ZZ",
                                        "20261324T220000Z",
                                        "20260230T220000Z",
                                        "20261124T240000Z",
                                        "20261124T226000Z",
                                        "20261124t220000Z",
                                        "2026112 T220000Z",
                                        "+2261124T220000Z",
                                        "19691231T235959Z",
                                        "20261124T22000 Z"};
    uint64_t unix_ns = 7;

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(names); i++) {
        assert_int_equal(bb_partition_name_parse(names[i], &unix_ns), BB_EINVAL);
    }
    assert_true(unix_ns == 7);
}

static void lists_partitions_oldest_first_and_nothing_else(void **state)
{
    char name[BB_PARTITION_NAME_SIZE];
    char dir[64];
    struct bb_arena arena;
    char **names = NULL;
    uint32_t count = 0;

    (void)state;
    open_and_close();
    make_dir("partitions/notes");
    write_text("partitions/20261124T220000Z.tmp", "x");
    for (uint32_t i = 0; i < 600; i++) { /* out of order, and more than the first array holds */
        bb_partition_name_format((i * 7919u % 600 + 1) * UINT64_C(3600) * BB_NS_PER_S, name);
        snprintf(dir, sizeof dir, "partitions/%s", name);
        make_dir(dir);
    }
    bb_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(bb_store_dir_list(root, &arena, NULL, &names, &count), BB_OK);
    assert_int_equal(count, 600);
    for (uint32_t i = 0; i < count; i++) {
        bb_partition_name_format((i + 1) * UINT64_C(3600) * BB_NS_PER_S, name);
        assert_string_equal(names[i], name);
    }
    bb_arena_dispose(&arena);
    bb_arena_init(&arena, 8192);
    assert_int_equal(bb_store_dir_list(root, &arena, NULL, &names, &count), BB_ENOMEM);
    bb_arena_dispose(&arena);
}

static void moves_a_partition_into_the_trash_and_empties_that(void **state)
{
    (void)state;
    open_and_close();
    for (int i = 0; i < 2; i++) { /* the second finds one of its name there */
        make_dir("partitions/20261124T220000Z");
        write_text("partitions/20261124T220000Z/file", "bytes");
        assert_int_equal(bb_store_dir_discard(root, "20261124T220000Z", NULL), BB_OK);
        assert_false(is_there("partitions/20261124T220000Z"));
        assert_true(is_there("trash/20261124T220000Z/file"));
    }
    bb_store_dir_empty_trash(root);
    assert_false(is_there("trash/20261124T220000Z"));
    assert_true(is_there("trash"));
    char path[256];
    path_of("trash", path);
    assert_int_equal(rmdir(path), 0); /* nothing is left in it */
    struct bb_err_detail detail = {{0}};
    assert_int_equal(bb_store_dir_discard(root, "20261124T230000Z", &detail), BB_EIO);
    assert_non_null(strstr(detail.text, "20261124T230000Z"));
}

static void keeps_what_is_in_quarantine(void **state)
{
    (void)state;
    open_and_close();
    make_dir("partitions/20261124T220000Z");
    write_text("partitions/20261124T220000Z/file", "bytes");
    assert_int_equal(bb_store_dir_quarantine(root, "20261124T220000Z", NULL), BB_OK);
    bb_store_dir_empty_trash(root);
    open_and_close();
    assert_false(is_there("partitions/20261124T220000Z"));
    assert_true(is_there("quarantine/20261124T220000Z/file"));
}

static void counts_the_bytes_of_files_below(void **state)
{
    static char text[300001];

    (void)state;
    open_and_close();
    uint64_t before = bb_store_dir_bytes(root);
    memset(text, 'x', sizeof text - 1);
    make_dir("partitions/20261124T220000Z");
    write_text("partitions/20261124T220000Z/file", text);
    sync();
    uint64_t after = bb_store_dir_bytes(root);
    assert_true(after >= before + 300000);
    assert_true(after < before + 3 * 300000);
    assert_true(bb_store_dir_bytes("/no/such/path") == 0);
    assert_true(bb_store_dir_free_bytes(root) > 0);
    assert_true(bb_store_dir_free_bytes("/no/such/path") == 0);
}

static const struct bb_partition_summary good = {
    .sealed_unix_ns = UINT64_MAX,
    .row_count = 12345,
    .bounds = {.start_unix_ns_min = 0,
               .start_unix_ns_max = UINT64_C(1700000000000000001),
               .duration_ns_max = 998},
};

static void gives_a_summary_back(void **state)
{
    struct bb_partition_summary summary = {0};

    (void)state;
    assert_int_equal(bb_partition_summary_read(root, &summary), BB_ENOTFOUND);
    assert_int_equal(bb_partition_summary_write(root, &good, NULL), BB_OK);
    assert_int_equal(bb_partition_summary_read(root, &summary), BB_OK);
    assert_true(summary.sealed_unix_ns == good.sealed_unix_ns);
    assert_true(summary.row_count == good.row_count);
    assert_true(summary.bounds.start_unix_ns_min == good.bounds.start_unix_ns_min);
    assert_true(summary.bounds.start_unix_ns_max == good.bounds.start_unix_ns_max);
    assert_true(summary.bounds.duration_ns_max == good.bounds.duration_ns_max);
    assert_false(is_there("SEALED.tmp"));
    assert_int_equal(bb_partition_summary_write("/no/such/path", &good, NULL), BB_EIO);
}

/* A summary that says less than the truth would make searches skip the partition. */
static void refuses_a_summary_cut_short_at_any_byte(void **state)
{
    struct bb_partition_summary summary = {.row_count = 7};
    char path[256];
    char text[512] = {0};

    (void)state;
    assert_int_equal(bb_partition_summary_write(root, &good, NULL), BB_OK);
    path_of("SEALED", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    while (size-- > 0) {
        text[size] = '\0';
        write_text("SEALED", text);
        assert_int_equal(bb_partition_summary_read(root, &summary), BB_ECORRUPT);
    }
    write_text("SEALED", "sealed_unix_ns=-1\nrow_count=1\nstart_unix_ns_min=1\n"
                         "start_unix_ns_max=1\nduration_ns_max=1\n");
    assert_int_equal(bb_partition_summary_read(root, &summary), BB_ECORRUPT);
    assert_true(summary.row_count == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_what_is_missing_also_above, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_busy_while_the_lock_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_another_format_and_leaves_it_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_an_empty_path_and_one_that_is_too_long, set_up,
                                        tear_down),
        cmocka_unit_test(names_partitions_by_the_second),
        cmocka_unit_test(refuses_names_that_are_not_its_own),
        cmocka_unit_test_setup_teardown(lists_partitions_oldest_first_and_nothing_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(moves_a_partition_into_the_trash_and_empties_that, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_what_is_in_quarantine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_the_bytes_of_files_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_a_summary_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_summary_cut_short_at_any_byte, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
