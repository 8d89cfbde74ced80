#include "store_fixture.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"

#define ARENA_BYTES ((size_t)256 << 20)

static uint64_t moved_unix_ns(const struct bb_clock *clock)
{
    return atomic_load(&((const struct moved_clock *)clock)->now_unix_ns);
}

int store_fixture_set_up(void **state)
{
    static struct store_fixture fx;

    bb_log_set_level(BB_LOG_WARN);
    memset(&fx, 0, sizeof fx);
    snprintf(fx.dir, sizeof fx.dir, "/tmp/bobbin-store-XXXXXX");
    assert_non_null(mkdtemp(fx.dir));
    fx.clock.clock = (struct bb_clock){moved_unix_ns, moved_unix_ns};
    atomic_init(&fx.clock.now_unix_ns, FIXTURE_START_NS);
    fx.options = (struct bb_store_options){
        .data_dir = fx.dir,
        .durability = BB_DURABILITY_WAL,
        .retention_ns = FIXTURE_RETENTION_NS,
        .memory_bytes = (uint64_t)64 << 20,
        .clock = &fx.clock.clock,
    };
    store_model_init(&fx.model);
    store_fixture_open(&fx);
    *state = &fx;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

int store_fixture_tear_down(void **state)
{
    struct store_fixture *fx = *state;

    if (fx->store != NULL) {
        store_fixture_close(fx);
    }
    store_model_dispose(&fx->model);
    assert_int_equal(nftw(fx->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    return 0;
}

void store_fixture_open(struct store_fixture *fx)
{
    struct bb_err_detail detail = {{0}};

    if (bb_store_open(&fx->options, &detail, &fx->store) != BB_OK) {
        fail_msg("the store did not open: %s", detail.text);
    }
}

void store_fixture_close(struct store_fixture *fx)
{
    struct bb_err_detail detail = {{0}};

    if (bb_store_close(fx->store, &detail) != BB_OK) {
        fail_msg("the store did not close: %s", detail.text);
    }
    fx->store = NULL;
}

void store_fixture_reopen(struct store_fixture *fx)
{
    store_fixture_close(fx);
    store_fixture_open(fx);
}

void store_fixture_append_wire(struct store_fixture *fx, struct bb_slice wire)
{
    struct bb_err_detail detail = {{0}};
    struct bb_walk_result result;
    struct bb_slice copy;

    store_model_add(&fx->model, wire, &result, &copy);
    if (result.rejected_count > 0) {
        fail_msg("the test's own request is bad: %s", result.first_rejection.text);
    }
    if (bb_store_append(fx->store, &result.batch, copy, &detail) != BB_OK) {
        fail_msg("the store did not append: %s", detail.text);
    }
}

void store_fixture_append(struct store_fixture *fx, struct span_build *build)
{
    store_fixture_append_wire(fx, span_build_finish(build));
    span_build_dispose(build);
}

void store_fixture_append_span(struct store_fixture *fx, struct span_spec spec)
{
    struct span_build build;

    span_build_init(&build);
    span_build_resource(&build, "web");
    span_build_scope(&build, "lib", "1.0");
    spec.id = spec.id == 0 ? spec.trace : spec.id;
    span_build_span(&build, spec);
    store_fixture_append(fx, &build);
}

void store_fixture_seal(struct store_fixture *fx)
{
    struct bb_err_detail detail = {{0}};

    if (bb_store_seal(fx->store, &detail) != BB_OK) {
        fail_msg("the store did not seal: %s", detail.text);
    }
}

void store_fixture_pass(struct store_fixture *fx, uint64_t ns)
{
    atomic_fetch_add(&fx->clock.now_unix_ns, ns);
    bb_store_housekeep(fx->store);
}

unsigned store_fixture_partition_count(const struct store_fixture *fx)
{
    char path[128];
    unsigned count = 0;

    snprintf(path, sizeof path, "%s/partitions", fx->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

static void check_span(const struct bb_span_batch *batch, uint32_t index,
                       const struct model_span *expected)
{
    const struct bb_span_ref *span = &batch->spans[index];

    assert_true(span->resource_index < batch->resource_count);
    assert_true(span->scope_index < batch->scope_count);
    const struct bb_resource_ref *resource = &batch->resources[span->resource_index];
    const struct bb_scope_ref *scope = &batch->scopes[span->scope_index];
    assert_true(bb_slice_equals(span->bytes, expected->ref.bytes));
    assert_true(bb_slice_equals(span->name, expected->ref.name));
    assert_true(bb_trace_id_equals(&span->trace_id, &expected->ref.trace_id));
    assert_true(bb_span_id_equals(&span->span_id, &expected->ref.span_id));
    assert_true(bb_span_id_equals(&span->parent_span_id, &expected->ref.parent_span_id));
    assert_true(span->start_unix_ns == expected->ref.start_unix_ns);
    assert_true(span->end_unix_ns == expected->ref.end_unix_ns);
    assert_int_equal(span->kind, expected->ref.kind);
    assert_int_equal(span->status_code, expected->ref.status_code);
    assert_true(bb_slice_equals(resource->bytes, expected->resource.bytes));
    assert_true(bb_slice_equals(resource->schema_url, expected->resource.schema_url));
    assert_true(bb_slice_equals(resource->service_name, expected->resource.service_name));
    assert_true(bb_slice_equals(scope->bytes, expected->scope.bytes));
    assert_true(bb_slice_equals(scope->schema_url, expected->scope.schema_url));
}

/* Two spans that differ in their owners alone may stand either way round. */
static bool is_tie(const struct model_span *a, const struct model_span *b)
{
    return a->ref.start_unix_ns == b->ref.start_unix_ns &&
           bb_span_id_equals(&a->ref.span_id, &b->ref.span_id) &&
           bb_slice_equals(a->ref.bytes, b->ref.bytes);
}

static bool is_under(const struct bb_span_batch *batch, uint32_t index,
                     const struct model_span *expected)
{
    const struct bb_span_ref *span = &batch->spans[index];
    const struct bb_resource_ref *resource = &batch->resources[span->resource_index];
    const struct bb_scope_ref *scope = &batch->scopes[span->scope_index];

    return bb_slice_equals(resource->bytes, expected->resource.bytes) &&
           bb_slice_equals(resource->schema_url, expected->resource.schema_url) &&
           bb_slice_equals(scope->bytes, expected->scope.bytes) &&
           bb_slice_equals(scope->schema_url, expected->scope.schema_url);
}

static void check_spans(const struct bb_span_batch *batch, struct model_span *expected)
{
    for (uint32_t i = 0; i < batch->span_count; i++) {
        uint32_t at = i;
        while (at + 1 < batch->span_count && !is_under(batch, i, &expected[at]) &&
               is_tie(&expected[i], &expected[at + 1])) {
            at++;
        }
        struct model_span found = expected[at];
        expected[at] = expected[i];
        expected[i] = found;
        check_span(batch, i, &expected[i]);
    }
}

void store_fixture_check_trace(struct store_fixture *fx, const struct bb_trace_id *trace_id)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_trace trace;
    struct bb_arena arena;
    uint32_t count = 0;

    bb_arena_init(&arena, ARENA_BYTES);
    struct model_span *expected = store_model_trace(&fx->model, trace_id, &arena, &count);
    enum bb_err err = bb_store_find_trace(fx->store, trace_id, &ctl, &arena, &trace);
    assert_int_equal(err, count > 0 ? BB_OK : BB_ENOTFOUND);
    assert_false(ctl.incomplete);
    if (err == BB_OK) {
        assert_true(bb_trace_id_equals(&trace.trace_id, trace_id));
        assert_int_equal(trace.batch.span_count, count);
        check_spans(&trace.batch, expected);
    }
    bb_arena_dispose(&arena);
}

static void check_operations(struct store_fixture *fx, struct bb_slice service)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_operation *operations = NULL;
    struct bb_arena arena;
    uint32_t count = 0;
    uint32_t expected_count = 0;

    bb_arena_init(&arena, ARENA_BYTES);
    const struct bb_operation *expected =
        store_model_operations(&fx->model, service, &arena, &expected_count);
    assert_int_equal(bb_store_operations(fx->store, service, &ctl, &arena, &operations, &count),
                     BB_OK);
    assert_false(ctl.incomplete);
    assert_int_equal(count, expected_count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bb_slice_equals(operations[i].name, expected[i].name));
        assert_int_equal(operations[i].kind, expected[i].kind);
    }
    bb_arena_dispose(&arena);
}

static void check_catalogue(struct store_fixture *fx)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_slice *names = NULL;
    struct bb_arena arena;
    uint32_t count = 0;
    uint32_t expected_count = 0;

    bb_arena_init(&arena, ARENA_BYTES);
    const struct bb_slice *expected = store_model_services(&fx->model, &arena, &expected_count);
    assert_int_equal(bb_store_services(fx->store, &ctl, &arena, &names, &count), BB_OK);
    assert_false(ctl.incomplete);
    assert_int_equal(count, expected_count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bb_slice_equals(names[i], expected[i]));
        check_operations(fx, names[i]);
    }
    check_operations(fx, bb_slice_from_cstr("no such service"));
    bb_arena_dispose(&arena);
}

void store_fixture_check_all(struct store_fixture *fx)
{
    for (uint32_t i = 0; i < fx->model.span_count; i++) {
        const struct bb_trace_id *trace_id = &fx->model.spans[i].ref.trace_id;
        uint32_t first = 0;
        while (!bb_trace_id_equals(&fx->model.spans[first].ref.trace_id, trace_id)) {
            first++;
        }
        if (first == i) {
            store_fixture_check_trace(fx, trace_id);
        }
    }
    struct bb_trace_id absent = span_build_trace_id(UINT64_C(0xdeadbeef));
    store_fixture_check_trace(fx, &absent);
    check_catalogue(fx);
}

void store_fixture_check_search(struct store_fixture *fx, const struct bb_search *search,
                                const char *what)
{
    struct bb_query_ctl ctl = {.read_bytes_max = 0};
    struct bb_search_result result = {.hit_count = 0};
    struct bb_arena arena;
    uint32_t count = 0;

    bb_arena_init(&arena, ARENA_BYTES);
    const struct bb_search_hit *expected = store_model_search(&fx->model, search, &arena, &count);
    assert_int_equal(bb_store_search(fx->store, search, &ctl, &arena, &result), BB_OK);
    assert_false(ctl.incomplete);
    if (result.hit_count != count) {
        fail_msg("%s: %u hits, not %u", what, result.hit_count, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!bb_trace_id_equals(&result.hits[i].trace_id, &expected[i].trace_id) ||
            result.hits[i].key != expected[i].key) {
            fail_msg("%s: hit %u of %u is another", what, i, count);
        }
    }
    bb_arena_dispose(&arena);
}
