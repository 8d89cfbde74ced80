#include "query_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"

#define MS BB_NS_PER_MS
#define BUDGET_BYTES ((size_t)256 << 20)

/* A minute after the first span; it stands still. */
static uint64_t fixed_unix_ns(const struct bb_clock *clock)
{
    (void)clock;
    return FIXTURE_START_NS + 60 * BB_NS_PER_S;
}

static const struct bb_clock fixed_clock = {.unix_ns = fixed_unix_ns,
                                            .monotonic_ns = fixed_unix_ns};

int query_fixture_set_up_empty(void **state)
{
    static struct query_fixture fx;
    struct bb_err_detail detail = {{0}};

    fx = (struct query_fixture){.dir = "/tmp/bobbin-query-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    struct bb_store_options options = {
        .data_dir = fx.dir,
        .durability = BB_DURABILITY_WAL,
        .retention_ns = UINT64_C(3600) * BB_NS_PER_S,
        .memory_bytes = (uint64_t)256 << 20,
        .clock = &fixed_clock,
    };
    if (bb_store_open(&options, &detail, &fx.api.store) != BB_OK) {
        fail_msg("the store did not open: %s", detail.text);
    }
    bb_mem_budget_init(&fx.budget, BUDGET_BYTES, BB_M_MEMORY_QUERY_BYTES);
    fx.api.budget = &fx.budget;
    fx.api.clock = &fixed_clock;
    *state = &fx;
    return 0;
}

void query_fixture_append(struct query_fixture *fx, struct span_build *build)
{
    struct bb_err_detail detail = {{0}};
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)64 << 20);
    struct bb_span_batch batch = span_build_batch(build, &arena);
    if (bb_store_append(fx->api.store, &batch, bb_buf_slice(&build->wire), &detail) != BB_OK) {
        fail_msg("the store did not append: %s", detail.text);
    }
    bb_arena_dispose(&arena);
    span_build_dispose(build);
}

static void append_trace_1(struct query_fixture *fx)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "http", "1.0");
    span_build_span(&build, (struct span_spec){.trace = 1,
                                               .id = 0x11,
                                               .name = "GET /cart",
                                               .kind = BB_KIND_SERVER,
                                               .start_unix_ns = FIXTURE_START_NS,
                                               .end_unix_ns = FIXTURE_START_NS + 100 * MS});
    span_build_int(&build, "http.status_code", 500);
    span_build_resource(&build, "cart");
    span_build_scope(&build, "grpc", NULL);
    span_build_span(&build, (struct span_spec){.trace = 1,
                                               .id = 0x12,
                                               .parent = 0x11,
                                               .name = "getCart",
                                               .kind = BB_KIND_CLIENT,
                                               .start_unix_ns = FIXTURE_START_NS + 10 * MS,
                                               .end_unix_ns = FIXTURE_START_NS + 60 * MS,
                                               .status = BB_STATUS_ERROR,
                                               .status_message = "boom"});
    span_build_event(&build, FIXTURE_START_NS + 20 * MS, "retry");
    query_fixture_append(fx, &build);
}

static void append_traces_2_and_3(struct query_fixture *fx)
{
    const uint64_t second_ns = FIXTURE_START_NS + 10 * BB_NS_PER_S;
    const uint64_t third_ns = FIXTURE_START_NS + 20 * BB_NS_PER_S;
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "http", "1.0");
    span_build_span(&build, (struct span_spec){.trace = 2,
                                               .id = 0x21,
                                               .name = "GET /",
                                               .kind = BB_KIND_SERVER,
                                               .start_unix_ns = second_ns,
                                               .end_unix_ns = second_ns + 20 * MS});
    span_build_resource(&build, "cart");
    span_build_scope(&build, "grpc", NULL);
    span_build_span(&build, (struct span_spec){.trace = 2,
                                               .id = 0x22,
                                               .parent = 0x99,
                                               .name = "getCart",
                                               .kind = BB_KIND_SERVER,
                                               .start_unix_ns = second_ns + MS,
                                               .end_unix_ns = second_ns + 6 * MS});
    span_build_resource(&build, NULL);
    span_build_string(&build, "tenant", "blue");
    span_build_scope(&build, NULL, NULL);
    span_build_span(&build, (struct span_spec){.trace = 3,
                                               .id = 0x31,
                                               .name = "batch",
                                               .start_unix_ns = third_ns,
                                               .end_unix_ns = third_ns + 2000 * MS});
    query_fixture_append(fx, &build);
}

int query_fixture_set_up(void **state)
{
    query_fixture_set_up_empty(state);
    append_trace_1(*state);
    append_traces_2_and_3(*state);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

int query_fixture_tear_down(void **state)
{
    struct query_fixture *fx = *state;

    http_call_dispose(&fx->call);
    assert_int_equal(bb_store_close(fx->api.store, NULL), BB_OK);
    assert_int_equal(nftw(fx->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    /* Whatever a query took, it gave back. */
    assert_int_equal(atomic_load(&fx->budget.used_bytes), 0);
    return 0;
}

const char *query_fixture_get(struct query_fixture *fx, const char *target)
{
    http_call_dispose(&fx->call);
    http_call_init(&fx->call, "GET", target);
    http_call_run(&fx->call, bb_query_http_handle, &fx->api);
    return http_call_body(&fx->call);
}

void check_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s\nis not in\n%s", part, text);
    }
}

unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    while ((text = strstr(text, part)) != NULL) {
        count++;
        text += strlen(part);
    }
    return count;
}
