/*
 * dependencies.c - calls between services, counted from the stored spans.
 *
 *   1. Every span that starts in the range, or up to an hour before it, is noted as a possible
 *      parent: hash of (trace id, span id) -> service. Those in the range that have a parent are
 *      noted as calls: hash of (trace id, parent id), service, error.
 *   2. Each call is looked up; caller and callee that differ count.
 *
 * Two of n spans share a 64-bit hash with a chance of n * n / 2^65: under one in a million for a
 * million spans. A parent that starts more than an hour before the range isn't seen.
 */
#include <stdlib.h>

#include "store/hash.h"
#include "store/store_internal.h"

#define PARENT_LEAD_NS (UINT64_C(3600) * BB_NS_PER_S)
/* Copies of a span are told apart from spans by this hash, too. */
#define NO_SERVICE UINT32_MAX

struct parent {
    uint64_t hash; /* 0: free */
    uint32_t service;
};

struct call {
    uint64_t parent_hash;
    uint64_t own_hash;
    uint32_t service;
    bool is_error;
};

struct counting {
    struct bb_query_ctl *ctl;
    struct bb_arena *arena; /* names and the answer */
    uint64_t start_unix_ns_min;
    uint64_t start_unix_ns_max;
    struct bb_intern_table *services;
    struct parent *parents; /* a table; at most half full */
    uint32_t parent_count;
    uint32_t parent_slots;
    struct call *calls;
    uint32_t call_count;
    uint32_t call_capacity;
    struct bb_arena tables; /* parents and calls */
};

static uint64_t span_hash(const struct bb_trace_id *trace_id, const struct bb_span_id *span_id)
{
    uint64_t hash = bb_hash_mix(bb_hash_trace_id(trace_id) ^ bb_get_le64(span_id->bytes));

    return hash == 0 ? 1 : hash;
}

static struct parent *parent_slot(struct counting *counting, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & (counting->parent_slots - 1);

    while (counting->parents[slot].hash != 0 && counting->parents[slot].hash != hash) {
        slot = (slot + 1) & (counting->parent_slots - 1);
    }
    return &counting->parents[slot];
}

static enum bb_err grow_parents(struct counting *counting)
{
    struct parent *old = counting->parents;
    uint32_t old_slots = counting->parent_slots;

    if (counting->parent_count < old_slots / 2) {
        return BB_OK;
    }
    uint32_t slots = old_slots == 0 ? 4096 : old_slots * 4;
    struct parent *larger = bb_arena_try_calloc(&counting->tables, slots, sizeof *larger);
    if (larger == NULL) {
        return BB_ENOMEM;
    }
    counting->parents = larger;
    counting->parent_slots = slots;
    for (uint32_t i = 0; i < old_slots; i++) {
        if (old[i].hash != 0) {
            *parent_slot(counting, old[i].hash) = old[i];
        }
    }
    return BB_OK;
}

static enum bb_err add_call(struct counting *counting, const struct call *call)
{
    if (counting->call_count == counting->call_capacity) {
        uint32_t capacity = counting->call_capacity == 0 ? 4096 : counting->call_capacity * 2;
        struct call *larger = bb_arena_try_alloc(&counting->tables, capacity * sizeof *larger);
        if (larger == NULL) {
            return BB_ENOMEM;
        }
        if (counting->call_count > 0) {
            memcpy(larger, counting->calls, counting->call_count * sizeof *larger);
        }
        counting->calls = larger;
        counting->call_capacity = capacity;
    }
    counting->calls[counting->call_count++] = *call;
    return BB_OK;
}

static enum bb_err add_row(struct counting *counting, const struct bb_row *row,
                           const struct bb_dictionary *dictionary)
{
    uint64_t lead_min = counting->start_unix_ns_min > PARENT_LEAD_NS
                            ? counting->start_unix_ns_min - PARENT_LEAD_NS
                            : 0;
    uint32_t service = NO_SERVICE;

    if (row->start_unix_ns < lead_min || row->start_unix_ns > counting->start_unix_ns_max) {
        return BB_OK;
    }
    struct bb_operation_entry operation = bb_dictionary_operation(dictionary, row->operation_code);
    enum bb_err err = bb_intern_add(counting->services, operation.service_name, &service);
    if (err == BB_OK) {
        err = grow_parents(counting);
    }
    if (err != BB_OK) {
        return err;
    }
    uint64_t own_hash = span_hash(&row->trace_id, &row->span_id);
    struct parent *own = parent_slot(counting, own_hash);
    counting->parent_count += own->hash == 0;
    *own = (struct parent){.hash = own_hash, .service = service};
    if (row->start_unix_ns < counting->start_unix_ns_min ||
        bb_span_id_is_zero(&row->parent_span_id)) {
        return BB_OK;
    }
    struct call call = {
        .parent_hash = span_hash(&row->trace_id, &row->parent_span_id),
        .own_hash = own_hash,
        .service = service,
        .is_error = row->status_code == BB_STATUS_ERROR,
    };
    return add_call(counting, &call);
}

static bool overlaps(const struct counting *counting, const struct bb_row_bounds *bounds)
{
    uint64_t lead_min = counting->start_unix_ns_min > PARENT_LEAD_NS
                            ? counting->start_unix_ns_min - PARENT_LEAD_NS
                            : 0;

    return bounds->start_unix_ns_max >= lead_min &&
           bounds->start_unix_ns_min <= counting->start_unix_ns_max;
}

static enum bb_err count_active(struct counting *counting, struct bb_active_segment *segment)
{
    uint32_t row_count = bb_active_row_count(segment);
    enum bb_err err = BB_OK;

    for (uint32_t i = 0; i < row_count && err == BB_OK; i++) {
        err = add_row(counting, bb_active_row(segment, i), bb_active_dictionary(segment));
    }
    return err;
}

static enum bb_err count_sealed(struct counting *counting, struct bb_partition *partition,
                                const struct bb_sealed_segment *segment)
{
    struct bb_dictionary *dictionary = NULL;
    struct bb_arena scratch;
    bool is_there = false;

    bb_arena_init(&scratch, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err =
        bb_read_dictionary(partition, segment, counting->ctl, &scratch, &dictionary, &is_there);
    for (uint32_t i = 0; i < segment->block_count && err == BB_OK && is_there; i++) {
        struct bb_arena block_scratch;
        struct bb_block block = {.row_count = 0};
        bool has_block = false;
        if (!overlaps(counting, &segment->blocks[i].bounds)) {
            continue;
        }
        err = bb_query_check(counting->ctl);
        bb_arena_init(&block_scratch, BB_SCAN_ARENA_BYTES_MAX);
        if (err == BB_OK) {
            err = bb_read_block(partition, segment, i, dictionary, counting->ctl, &block_scratch,
                                &block, &has_block);
        }
        for (uint32_t row = 0; has_block && row < block.row_count && err == BB_OK; row++) {
            err = add_row(counting, &block.rows[row], dictionary);
        }
        bb_arena_dispose(&block_scratch);
    }
    bb_arena_dispose(&scratch);
    return err;
}

static enum bb_err count_list(struct counting *counting, const struct bb_segment_list *list)
{
    enum bb_err err = bb_query_check(counting->ctl);

    for (uint32_t i = 0; i < list->unsealed_count && err == BB_OK; i++) {
        err = count_active(counting, list->unsealed[i]->segment);
    }
    for (uint32_t i = 0; i < list->sealed_count && err == BB_OK; i++) {
        if (overlaps(counting, &list->sealed[i]->bounds)) {
            err = count_sealed(counting, list->partition, list->sealed[i]);
        }
    }
    return err;
}

static enum bb_err count_view(struct counting *counting, struct bb_view *view)
{
    enum bb_err err = BB_OK;

    for (uint32_t i = 0; i < view->partition_count && err == BB_OK; i++) {
        const struct bb_partition *partition = view->partitions[i];
        struct bb_segment_list *list = NULL;
        if (atomic_load(&partition->is_sealed) && !overlaps(counting, &partition->summary.bounds)) {
            continue;
        }
        err = bb_view_list(view, i, counting->ctl, &list);
        if (err == BB_OK && list != NULL) {
            err = count_list(counting, list);
        }
        bb_segment_list_release(list);
    }
    return err;
}

static int compare_calls(const void *a, const void *b)
{
    const struct call *left = a;
    const struct call *right = b;

    return left->own_hash < right->own_hash ? -1 : left->own_hash > right->own_hash;
}

/* Copies of a span count once. */
static void drop_copies(struct counting *counting)
{
    uint32_t kept = 0;

    if (counting->call_count > 0) {
        qsort(counting->calls, counting->call_count, sizeof *counting->calls, compare_calls);
    }
    for (uint32_t i = 0; i < counting->call_count; i++) {
        if (kept == 0 || counting->calls[kept - 1].own_hash != counting->calls[i].own_hash) {
            counting->calls[kept++] = counting->calls[i];
        }
    }
    counting->call_count = kept;
}

static int compare_dependencies(const void *a, const void *b)
{
    const struct bb_dependency *left = a;
    const struct bb_dependency *right = b;
    int order = bb_slice_compare(left->parent, right->parent);

    return order != 0 ? order : bb_slice_compare(left->child, right->child);
}

/* Leaves the calls between two services, each with its pair of codes in place of its own hash. */
static void keep_calls_between_services(struct counting *counting)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < counting->call_count; i++) {
        struct call call = counting->calls[i];
        const struct parent *parent = parent_slot(counting, call.parent_hash);
        if (parent->hash != 0 && parent->service != call.service) {
            call.own_hash = (uint64_t)parent->service << 32 | call.service;
            counting->calls[kept++] = call;
        }
    }
    counting->call_count = kept;
}

static enum bb_err put_answer(struct counting *counting, struct bb_dependency **out_dependencies,
                              uint32_t *out_count)
{
    uint32_t count = 0;

    drop_copies(counting);
    keep_calls_between_services(counting);
    if (counting->call_count > 0) {
        qsort(counting->calls, counting->call_count, sizeof *counting->calls, compare_calls);
    }
    for (uint32_t i = 0; i < counting->call_count; i++) {
        count += i == 0 || counting->calls[i].own_hash != counting->calls[i - 1].own_hash;
    }
    struct bb_dependency *answer = bb_arena_try_calloc(counting->arena, count, sizeof *answer);
    if (answer == NULL) {
        return BB_ENOMEM;
    }
    struct bb_dependency *pair = answer;
    for (uint32_t i = 0; i < counting->call_count; i++) {
        const struct call *call = &counting->calls[i];
        pair += i > 0 && call->own_hash != counting->calls[i - 1].own_hash;
        pair->parent = bb_intern_get(counting->services, (uint32_t)(call->own_hash >> 32));
        pair->child = bb_intern_get(counting->services, call->service);
        pair->call_count++;
        pair->error_count += call->is_error;
    }
    qsort(answer, count, sizeof *answer, compare_dependencies);
    *out_dependencies = answer;
    *out_count = count;
    return BB_OK;
}

enum bb_err bb_store_dependencies(struct bb_store *store, uint64_t start_unix_ns_min,
                                  uint64_t start_unix_ns_max, struct bb_query_ctl *ctl,
                                  struct bb_arena *arena, struct bb_dependency **out_dependencies,
                                  uint32_t *out_count)
{
    struct counting counting = {
        .ctl = ctl,
        .arena = arena,
        .start_unix_ns_min = start_unix_ns_min,
        .start_unix_ns_max = start_unix_ns_max,
    };
    struct bb_view view = {.partition_count = 0};

    counting.services = bb_arena_try_alloc(arena, sizeof *counting.services);
    if (counting.services == NULL) {
        return BB_ENOMEM;
    }
    bb_intern_init(counting.services, arena);
    bb_arena_init(&counting.tables, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err = bb_view_open(store, ctl, arena, &view);
    if (err == BB_OK) {
        err = count_view(&counting, &view);
    }
    bb_view_close(&view);
    if (err == BB_ENOMEM || err == BB_ETOOBIG) {
        /* Spans that were not looked at: what was counted is a lower bound. */
        bb_query_lacks(ctl, "too many spans in the range: calls are counted in part");
        err = counting.parents == NULL ? err : BB_OK;
    }
    if (err == BB_OK) {
        err = grow_parents(&counting); /* so that there is a table to look in */
    }
    if (err == BB_OK) {
        err = put_answer(&counting, out_dependencies, out_count);
    }
    bb_arena_dispose(&counting.tables);
    return err;
}
