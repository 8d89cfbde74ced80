#include "store/active_segment.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/limits.h"
#include "store/hash.h"

#define ROW_CHUNK_SIZE 4096u
#define ROW_CHUNKS_MAX (BB_SEGMENT_SPANS_MAX / ROW_CHUNK_SIZE)
#define TRACE_SLOTS_MIN 1024u
/* Everything of one segment: the spans' bytes, rows, dictionaries. */
#define ARENA_BYTES_MAX ((size_t)4 * BB_SEGMENT_BYTES_MAX)

static_assert(BB_REQUEST_SPANS_MAX <= BB_SEGMENT_SPANS_MAX, "a request fits into a segment");
static_assert(BB_SEGMENT_SPANS_MAX <= (size_t)BB_INTERN_CHUNK_SIZE * BB_INTERN_CHUNKS_MAX,
              "a dictionary holds an entry for each row");

struct bb_active_segment {
    /* Published: readable below row_count without the lock. */
    struct bb_row *row_chunks[ROW_CHUNKS_MAX];
    struct bb_dictionary dictionary;
    atomic_uint row_count;
    atomic_size_t memory_bytes;

    /*
     * Guards what is below, and appends. Nests in the store's append lock and in no other; nothing
     * nests in it.
     */
    pthread_rwlock_t lock;
    struct bb_arena arena;
    uint32_t *trace_slots; /* last row of a trace + 1, at the place of its hash; 0: free */
    uint32_t trace_slot_count;
    uint32_t trace_count;
    struct bb_row_bounds bounds;
    struct bb_buf key; /* an entry of the dictionary being made */
};

enum bb_err bb_active_new(struct bb_active_segment **out_segment)
{
    struct bb_active_segment *segment =
        calloc(1, sizeof *segment); /* tidy: allow malloc: outlives every request */

    if (segment == NULL) {
        return BB_ENOMEM;
    }
    bb_arena_init(&segment->arena, ARENA_BYTES_MAX);
    bb_dictionary_init(&segment->dictionary, &segment->arena);
    bb_buf_init(&segment->key, BB_SPAN_BYTES_MAX * 2);
    pthread_rwlock_init(&segment->lock, NULL);
    *out_segment = segment;
    return BB_OK;
}

void bb_active_free(struct bb_active_segment *segment)
{
    if (segment == NULL) {
        return;
    }
    bb_arena_dispose(&segment->arena);
    bb_buf_dispose(&segment->key);
    free(segment->trace_slots); /* tidy: allow malloc: grows apart from the arena */
    pthread_rwlock_destroy(&segment->lock);
    free(segment); /* tidy: allow malloc: see new */
}

static struct bb_row *row_at(const struct bb_active_segment *segment, uint32_t index)
{
    return &segment->row_chunks[index / ROW_CHUNK_SIZE][index % ROW_CHUNK_SIZE];
}

const struct bb_row *bb_active_row(const struct bb_active_segment *segment, uint32_t index)
{
    return row_at(segment, index);
}

uint32_t bb_active_row_count(const struct bb_active_segment *segment)
{
    return atomic_load_explicit(&segment->row_count, memory_order_acquire);
}

size_t bb_active_bytes(const struct bb_active_segment *segment)
{
    return atomic_load_explicit(&segment->memory_bytes, memory_order_relaxed);
}

const struct bb_dictionary *bb_active_dictionary(const struct bb_active_segment *segment)
{
    return &segment->dictionary;
}

/* The slot of that trace, or the free one where it belongs. The table is never full. */
static uint32_t trace_slot(const struct bb_active_segment *segment,
                           const struct bb_trace_id *trace_id)
{
    uint32_t slot = (uint32_t)bb_trace_id_hash(trace_id) & (segment->trace_slot_count - 1);

    while (
        segment->trace_slots[slot] != 0 &&
        !bb_trace_id_equals(&row_at(segment, segment->trace_slots[slot] - 1)->trace_id, trace_id)) {
        slot = (slot + 1) & (segment->trace_slot_count - 1);
    }
    return slot;
}

/* Makes room for `more` traces, at most half of the slots in use. */
static enum bb_err grow_trace_slots(struct bb_active_segment *segment, uint32_t more)
{
    uint32_t wanted = segment->trace_slot_count == 0 ? TRACE_SLOTS_MIN : segment->trace_slot_count;

    while (wanted / 2 < segment->trace_count + more) {
        wanted *= 2;
    }
    if (wanted == segment->trace_slot_count) {
        return BB_OK;
    }
    uint32_t *old_slots = segment->trace_slots;
    uint32_t old_count = segment->trace_slot_count;
    uint32_t *slots = calloc(wanted, sizeof *slots); /* tidy: allow malloc: freed when it grows */
    if (slots == NULL) {
        return BB_ENOMEM;
    }
    segment->trace_slots = slots;
    segment->trace_slot_count = wanted;
    for (uint32_t i = 0; i < old_count; i++) {
        if (old_slots[i] != 0) {
            slots[trace_slot(segment, &row_at(segment, old_slots[i] - 1)->trace_id)] = old_slots[i];
        }
    }
    free(old_slots); /* tidy: allow malloc: see above */
    return BB_OK;
}

/* Rows `first` and up get chunks to lie in. */
static enum bb_err reserve_rows(struct bb_active_segment *segment, uint32_t first, uint32_t count)
{
    if (count > BB_SEGMENT_SPANS_MAX - first) {
        return BB_ETOOBIG;
    }
    for (uint32_t chunk = first / ROW_CHUNK_SIZE; chunk * ROW_CHUNK_SIZE < first + count; chunk++) {
        if (segment->row_chunks[chunk] == NULL) {
            segment->row_chunks[chunk] =
                bb_arena_try_alloc(&segment->arena, ROW_CHUNK_SIZE * sizeof(struct bb_row));
            if (segment->row_chunks[chunk] == NULL) {
                return BB_ENOMEM;
            }
        }
    }
    return BB_OK;
}

static void append_size(struct bb_buf *key, size_t size)
{
    uint8_t bytes[4];

    bb_put_le32(bytes, (uint32_t)size);
    bb_buf_append(key, bytes, sizeof bytes);
}

static enum bb_err add_owner(struct bb_active_segment *segment, struct bb_intern_table *table,
                             struct bb_slice schema_url, struct bb_slice bytes, uint32_t *out_code)
{
    bb_buf_clear(&segment->key);
    append_size(&segment->key, schema_url.size);
    bb_buf_append_slice(&segment->key, schema_url);
    bb_buf_append_slice(&segment->key, bytes);
    if (bb_buf_err(&segment->key) != BB_OK) {
        return BB_ENOMEM;
    }
    return bb_intern_add(table, bb_buf_slice(&segment->key), out_code);
}

/* A name stands once, however many operations its service has. */
static enum bb_err add_operation(struct bb_active_segment *segment, uint32_t service,
                                 const struct bb_span_ref *span, uint32_t *out_code)
{
    bb_buf_clear(&segment->key);
    bb_buf_append_byte(&segment->key, span->kind);
    append_size(&segment->key, service);
    bb_buf_append_slice(&segment->key, span->name);
    if (bb_buf_err(&segment->key) != BB_OK) {
        return BB_ENOMEM;
    }
    return bb_intern_add(&segment->dictionary.operations, bb_buf_slice(&segment->key), out_code);
}

/* Codes of a batch's resources, their services, and scopes in this segment. */
struct batch_codes {
    uint32_t *resources;
    uint32_t *services; /* by resource */
    uint32_t *scopes;
};

static enum bb_err add_owners(struct bb_active_segment *segment, const struct bb_span_batch *batch,
                              struct bb_arena *scratch, struct batch_codes *out_codes)
{
    out_codes->resources = bb_arena_try_calloc(scratch, batch->resource_count, sizeof(uint32_t));
    out_codes->services = bb_arena_try_calloc(scratch, batch->resource_count, sizeof(uint32_t));
    out_codes->scopes = bb_arena_try_calloc(scratch, batch->scope_count, sizeof(uint32_t));
    if (out_codes->resources == NULL || out_codes->services == NULL || out_codes->scopes == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < batch->resource_count; i++) {
        const struct bb_resource_ref *resource = &batch->resources[i];
        enum bb_err err = add_owner(segment, &segment->dictionary.resources, resource->schema_url,
                                    resource->bytes, &out_codes->resources[i]);
        if (err == BB_OK) {
            err = bb_intern_add(&segment->dictionary.services, resource->service_name,
                                &out_codes->services[i]);
        }
        if (err != BB_OK) {
            return err;
        }
    }
    for (uint32_t i = 0; i < batch->scope_count; i++) {
        const struct bb_scope_ref *scope = &batch->scopes[i];
        enum bb_err err = add_owner(segment, &segment->dictionary.scopes, scope->schema_url,
                                    scope->bytes, &out_codes->scopes[i]);
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

/* Writes the rows behind the published ones. An operation code per row is all that can fail. */
static enum bb_err fill_rows(struct bb_active_segment *segment, const struct bb_span_batch *batch,
                             const struct batch_codes *codes, struct bb_slice wire,
                             const uint8_t *copy, uint32_t first)
{
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct bb_span_ref *span = &batch->spans[i];
        struct bb_row *row = row_at(segment, first + i);
        BB_ASSERT(span->bytes.data >= wire.data &&
                  span->bytes.data + span->bytes.size <= wire.data + wire.size);
        *row = (struct bb_row){
            .trace_id = span->trace_id,
            .span_id = span->span_id,
            .parent_span_id = span->parent_span_id,
            .start_unix_ns = span->start_unix_ns,
            .end_unix_ns = span->end_unix_ns,
            .bytes = bb_slice_of(copy + (span->bytes.data - wire.data), span->bytes.size),
            .resource_code = codes->resources[span->resource_index],
            .scope_code = codes->scopes[span->scope_index],
            .previous_in_trace = BB_NO_ROW,
            .status_code = span->status_code,
        };
        enum bb_err err = add_operation(segment, codes->services[span->resource_index], span,
                                        &row->operation_code);
        if (err != BB_OK) {
            return err;
        }
    }
    return BB_OK;
}

/* Cannot fail: links the rows into their traces and widens the bounds. */
static void link_rows(struct bb_active_segment *segment, uint32_t first, uint32_t count)
{
    struct bb_row_bounds *bounds = &segment->bounds;

    for (uint32_t i = first; i < first + count; i++) {
        struct bb_row *row = row_at(segment, i);
        uint32_t slot = trace_slot(segment, &row->trace_id);
        if (segment->trace_slots[slot] == 0) {
            segment->trace_count++;
        } else {
            row->previous_in_trace = segment->trace_slots[slot] - 1;
        }
        segment->trace_slots[slot] = i + 1;

        uint64_t duration_ns = bb_row_duration_ns(row);
        if (i == 0 || row->start_unix_ns < bounds->start_unix_ns_min) {
            bounds->start_unix_ns_min = row->start_unix_ns;
        }
        if (row->start_unix_ns > bounds->start_unix_ns_max) {
            bounds->start_unix_ns_max = row->start_unix_ns;
        }
        if (duration_ns > bounds->duration_ns_max) {
            bounds->duration_ns_max = duration_ns;
        }
    }
}

static enum bb_err append_locked(struct bb_active_segment *segment,
                                 const struct bb_span_batch *batch, struct bb_slice wire,
                                 struct bb_arena *scratch)
{
    uint32_t first = atomic_load_explicit(&segment->row_count, memory_order_relaxed);
    struct batch_codes codes;

    enum bb_err err = reserve_rows(segment, first, batch->span_count);
    if (err == BB_OK) {
        err = grow_trace_slots(segment, batch->span_count);
    }
    if (err == BB_OK) {
        err = add_owners(segment, batch, scratch, &codes);
    }
    if (err != BB_OK) {
        return err;
    }
    uint8_t *copy = bb_arena_try_alloc(&segment->arena, wire.size);
    if (copy == NULL) {
        return BB_ENOMEM;
    }
    memcpy(copy, wire.data, wire.size);
    err = fill_rows(segment, batch, &codes, wire, copy, first);
    if (err != BB_OK) {
        return err; /* rows above the count are nobody's; dictionary entries may stay unused */
    }
    link_rows(segment, first, batch->span_count);
    atomic_store_explicit(&segment->memory_bytes,
                          segment->arena.taken_bytes + segment->trace_slot_count * 4u,
                          memory_order_relaxed);
    atomic_store_explicit(&segment->row_count, first + batch->span_count, memory_order_release);
    return BB_OK;
}

enum bb_err bb_active_append(struct bb_active_segment *segment, const struct bb_span_batch *batch,
                             struct bb_slice wire)
{
    struct bb_arena scratch;

    bb_arena_init(&scratch, BB_REQUEST_BYTES_MAX);
    pthread_rwlock_wrlock(&segment->lock);
    enum bb_err err = append_locked(segment, batch, wire, &scratch);
    pthread_rwlock_unlock(&segment->lock);
    bb_arena_dispose(&scratch);
    return err;
}

uint32_t bb_active_find_trace(struct bb_active_segment *segment, const struct bb_trace_id *trace_id,
                              uint32_t row_count)
{
    uint32_t index = BB_NO_ROW;

    pthread_rwlock_rdlock(&segment->lock);
    if (segment->trace_slot_count > 0) {
        uint32_t last = segment->trace_slots[trace_slot(segment, trace_id)];
        index = last == 0 ? BB_NO_ROW : last - 1;
    }
    while (index != BB_NO_ROW && index >= row_count) {
        index = row_at(segment, index)->previous_in_trace;
    }
    pthread_rwlock_unlock(&segment->lock);
    return index;
}

struct bb_row_bounds bb_active_bounds(struct bb_active_segment *segment)
{
    pthread_rwlock_rdlock(&segment->lock);
    struct bb_row_bounds bounds = segment->bounds;
    pthread_rwlock_unlock(&segment->lock);
    return bounds;
}
