/*
 * test_recover.c - what was acknowledged before a process ended without closing its store is there
 * at the next open; what is damaged is set aside and told, and the rest is served.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/metrics.h"
#include "span_random.h"
#include "store_fixture.h"

#define REQUEST_BYTES_MAX ((size_t)4 << 20)

static void append_random(struct store_fixture *fx, struct span_random *random)
{
    struct bb_buf request;

    bb_buf_init(&request, REQUEST_BYTES_MAX);
    span_random_put_request(random, &request);
    store_fixture_append_wire(fx, bb_buf_slice(&request));
    bb_buf_dispose(&request);
}

/* The life of one process, chosen by the seed: appends, and now and then a seal or a new hour. */
static void live(struct store_fixture *fx, uint64_t seed, bool is_model_only)
{
    struct span_random random = {.seed = seed, .start_unix_ns = FIXTURE_START_NS};

    for (int i = 0; i < 12; i++) {
        struct bb_buf request;
        bb_buf_init(&request, REQUEST_BYTES_MAX);
        span_random_put_request(&random, &request);
        uint32_t what = span_random_below(&random, 5);
        if (is_model_only) {
            struct bb_walk_result result;
            struct bb_slice wire;
            store_model_add(&fx->model, bb_buf_slice(&request), &result, &wire);
        } else {
            store_fixture_append_wire(fx, bb_buf_slice(&request));
            if (what == 0) {
                store_fixture_seal(fx);
            } else if (what == 1) {
                store_fixture_pass(fx, FIXTURE_HOUR_NS);
            }
        }
        bb_buf_dispose(&request);
    }
}

#define DIED_AS_PLANNED 7

/* The main of the child: opens the store in `dir` at `now_unix_ns`, lives, ends on the spot. */
static int run_child(const char *dir, const char *now_unix_ns, const char *seed)
{
    void *state = NULL;

    store_fixture_set_up(&state);
    struct store_fixture *fx = state;
    store_fixture_close(fx);
    rmdir(fx->dir);
    snprintf(fx->dir, sizeof fx->dir, "%s", dir);
    atomic_store(&fx->clock.now_unix_ns, strtoull(now_unix_ns, NULL, 10));
    store_fixture_open(fx);
    live(fx, strtoull(seed, NULL, 10), false);
    _exit(DIED_AS_PLANNED);
}

/* A process of its own, since the engine's threads don't come along through a fork. What it
 * appends goes to our model, too. */
static void live_and_die(struct store_fixture *fx, uint64_t seed)
{
    char now_text[32];
    char seed_text[32];
    int status = 0;

    snprintf(now_text, sizeof now_text, "%llu",
             (unsigned long long)atomic_load(&fx->clock.now_unix_ns));
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "test_recover", "live", fx->dir, now_text, seed_text, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), DIED_AS_PLANNED);
    live(fx, seed, true);
}

static void nothing_acknowledged_is_lost_when_the_process_ends(void **state)
{
    struct store_fixture *fx = *state;

    store_fixture_close(fx);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        live_and_die(fx, seed * 100);
        if (seed % 2 == 0) {
            store_fixture_open(fx);
            store_fixture_check_all(fx);
            store_fixture_close(fx);
        }
    }
    store_fixture_open(fx);
    store_fixture_check_all(fx);
}

static void nothing_comes_twice_from_log_and_segment(void **state)
{
    struct store_fixture *fx = *state;
    struct span_random random = {.seed = 5, .start_unix_ns = FIXTURE_START_NS};

    for (int i = 0; i < 10; i++) {
        append_random(fx, &random);
        store_fixture_seal(fx);
        store_fixture_reopen(fx);
        bb_store_update_metrics(fx->store);
        assert_int_equal(bb_metric_get(BB_M_STORE_SPANS), fx->model.span_count);
    }
}

/* The clock was set back, or a snapshot restored: the hour's partition is sealed already. */
static void a_clock_that_is_behind_at_the_open_loses_nothing(void **state)
{
    struct store_fixture *fx = *state;
    struct span_random random = {.seed = 6, .start_unix_ns = FIXTURE_START_NS};

    for (int i = 0; i < 4; i++) {
        append_random(fx, &random);
        store_fixture_pass(fx, FIXTURE_HOUR_NS);
        append_random(fx, &random);
        store_fixture_close(fx);
        atomic_store(&fx->clock.now_unix_ns, FIXTURE_START_NS);
        store_fixture_open(fx);
        append_random(fx, &random);
        store_fixture_check_all(fx);
    }
    store_fixture_reopen(fx);
    store_fixture_check_all(fx);
}

/* The name of the only partition, or of the oldest. */
static void oldest_partition(struct store_fixture *fx, char *out, size_t out_size)
{
    char path[128];
    char oldest[64] = "~";

    snprintf(path, sizeof path, "%s/partitions", fx->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, oldest) < 0) {
            snprintf(oldest, sizeof oldest, "%.63s", entry->d_name);
        }
    }
    closedir(dir);
    snprintf(out, out_size, "%s/%s", path, oldest);
}

/* Writes over the middle of every file in `dir` whose name ends with `suffix`. */
static unsigned damage_files(const char *dir_path, const char *suffix)
{
    DIR *dir = opendir(dir_path);
    unsigned count = 0;

    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t size = strlen(entry->d_name);
        char path[512];
        if (size < strlen(suffix) || strcmp(entry->d_name + size - strlen(suffix), suffix) != 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", dir_path, entry->d_name);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        long middle = ftell(file) / 2;
        fseek(file, middle > 64 ? middle - 64 : 0, SEEK_SET);
        for (int i = 0; i < 128; i++) {
            fputc(0xa5, file);
        }
        fclose(file);
        count++;
    }
    closedir(dir);
    return count;
}

static void append_one(struct store_fixture *fx, uint64_t trace)
{
    store_fixture_append_span(
        fx, (struct span_spec){.trace = trace, .name = "op", .start_unix_ns = FIXTURE_START_NS});
}

/* The answer lacks what was damaged and says so; it has the rest. */
static void check_rest(struct store_fixture *fx, uint64_t lost, uint64_t kept)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_search search = {.limit = 1000};
    struct bb_trace_id lost_id = span_build_trace_id(lost);
    struct bb_trace_id kept_id = span_build_trace_id(kept);
    struct bb_search_result result;
    struct bb_arena arena;
    struct bb_trace trace;

    bb_arena_init(&arena, (size_t)16 << 20);
    assert_int_equal(bb_store_find_trace(fx->store, &kept_id, &ctl, &arena, &trace), BB_OK);
    assert_int_equal(trace.batch.span_count, 1);
    ctl = (struct bb_query_ctl){.read_bytes_max = 0};
    assert_int_equal(bb_store_find_trace(fx->store, &lost_id, &ctl, &arena, &trace), BB_ENOTFOUND);
    assert_true(ctl.incomplete);
    assert_true(ctl.incomplete_reason[0] != '\0');
    ctl = (struct bb_query_ctl){.read_bytes_max = 0};
    assert_int_equal(bb_store_search(fx->store, &search, &ctl, &arena, &result), BB_OK);
    assert_int_equal(result.hit_count, 1);
    assert_true(ctl.incomplete);
    bb_arena_dispose(&arena);
}

static void a_damaged_sealed_partition_is_told_and_the_rest_is_served(void **state)
{
    struct store_fixture *fx = *state;
    char path[256];

    bb_log_set_level(BB_LOG_OFF);
    append_one(fx, 1);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    append_one(fx, 2);
    store_fixture_close(fx);
    oldest_partition(fx, path, sizeof path);
    assert_true(damage_files(path, ".sst") > 0);
    store_fixture_open(fx);
    check_rest(fx, 1, 2);
    append_one(fx, 3);
    assert_null(bb_store_not_ready_reason(fx->store));
}

static void a_partition_that_cannot_be_opened_is_told_and_the_rest_is_served(void **state)
{
    struct store_fixture *fx = *state;
    char path[256];
    char file[300];

    bb_log_set_level(BB_LOG_OFF);
    append_one(fx, 1);
    store_fixture_pass(fx, FIXTURE_HOUR_NS);
    append_one(fx, 2);
    store_fixture_close(fx);
    oldest_partition(fx, path, sizeof path);
    snprintf(file, sizeof file, "%s/CURRENT", path);
    FILE *current = fopen(file, "w");
    assert_non_null(current);
    fputs("MANIFEST-999999\n", current);
    fclose(current);
    store_fixture_open(fx);
    check_rest(fx, 1, 2);
}

/* It was never sealed, so its log was needed: set aside, never deleted, and a new one is begun. */
static void a_damaged_active_partition_is_set_aside(void **state)
{
    struct store_fixture *fx = *state;
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_search search = {.limit = 1000};
    struct bb_search_result result;
    struct bb_arena arena;
    char path[256];
    char file[300];
    int64_t before = bb_metric_get(BB_M_STORE_QUARANTINED_PARTITIONS);

    bb_log_set_level(BB_LOG_OFF);
    append_one(fx, 1);
    store_fixture_close(fx);
    oldest_partition(fx, path, sizeof path);
    snprintf(file, sizeof file, "%s/CURRENT", path);
    FILE *current = fopen(file, "w");
    assert_non_null(current);
    fputs("no manifest\n", current);
    fclose(current);
    store_fixture_open(fx);
    assert_int_equal(bb_metric_get(BB_M_STORE_QUARANTINED_PARTITIONS), before + 1);
    append_one(fx, 2);
    bb_arena_init(&arena, (size_t)16 << 20);
    assert_int_equal(bb_store_search(fx->store, &search, &ctl, &arena, &result), BB_OK);
    assert_int_equal(result.hit_count, 1);
    assert_true(ctl.incomplete); /* as long as something is set aside */
    bb_arena_dispose(&arena);
    snprintf(path, sizeof path, "%s/quarantine", fx->dir);
    DIR *dir = opendir(path);
    unsigned count = 0;
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    assert_int_equal(count, 1);
}

static void what_else_lies_in_the_directory_is_left_alone(void **state)
{
    struct store_fixture *fx = *state;
    char path[256];

    append_one(fx, 1);
    store_fixture_close(fx);
    snprintf(path, sizeof path, "%s/partitions/notes", fx->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("of somebody", file);
    fclose(file);
    store_fixture_open(fx);
    store_fixture_check_all(fx);
    assert_int_equal(access(path, F_OK), 0);
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "live") == 0) {
        return run_child(argv[2], argv[3], argv[4]);
    }
    const struct CMUnitTest tests[] = {
        STORE_TEST(nothing_acknowledged_is_lost_when_the_process_ends),
        STORE_TEST(nothing_comes_twice_from_log_and_segment),
        STORE_TEST(a_clock_that_is_behind_at_the_open_loses_nothing),
        STORE_TEST(a_damaged_sealed_partition_is_told_and_the_rest_is_served),
        STORE_TEST(a_partition_that_cannot_be_opened_is_told_and_the_rest_is_served),
        STORE_TEST(a_damaged_active_partition_is_set_aside),
        STORE_TEST(what_else_lies_in_the_directory_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
