#include "store/intern_table.h"

#include "store/hash.h"

#define SLOT_COUNT_MIN 256u

void bb_intern_init(struct bb_intern_table *table, struct bb_arena *arena)
{
    memset(table, 0, sizeof *table);
    table->arena = arena;
}

enum bb_err bb_intern_push(struct bb_intern_table *table, struct bb_slice bytes)
{
    uint32_t chunk = table->count / BB_INTERN_CHUNK_SIZE;

    if (chunk == BB_INTERN_CHUNKS_MAX) {
        return BB_ETOOBIG;
    }
    if (table->chunks[chunk] == NULL) {
        table->chunks[chunk] =
            bb_arena_try_alloc(table->arena, BB_INTERN_CHUNK_SIZE * sizeof(struct bb_slice));
        if (table->chunks[chunk] == NULL) {
            return BB_ENOMEM;
        }
    }
    table->chunks[chunk][table->count % BB_INTERN_CHUNK_SIZE] = bytes;
    table->count++;
    return BB_OK;
}

static void put_slot(struct bb_intern_table *table, uint32_t code)
{
    uint64_t hash = bb_hash_bytes(bb_intern_get(table, code));
    uint32_t slot = (uint32_t)hash & (table->slot_count - 1);

    while (table->slots[slot] != 0) {
        slot = (slot + 1) & (table->slot_count - 1);
    }
    table->slots[slot] = code + 1;
}

/* Keeps at most half of the slots in use. The old ones stay in the arena: a third of the new. */
static enum bb_err grow_slots(struct bb_intern_table *table)
{
    if (table->count < table->slot_count / 2) {
        return BB_OK;
    }
    uint32_t slot_count = table->slot_count == 0 ? SLOT_COUNT_MIN : table->slot_count * 4;
    uint32_t *slots = bb_arena_try_calloc(table->arena, slot_count, sizeof *slots);
    if (slots == NULL) {
        return BB_ENOMEM;
    }
    table->slots = slots;
    table->slot_count = slot_count;
    for (uint32_t code = 0; code < table->count; code++) {
        put_slot(table, code);
    }
    return BB_OK;
}

enum bb_err bb_intern_add(struct bb_intern_table *table, struct bb_slice bytes,
                          uint32_t *out_code)
{
    enum bb_err err = grow_slots(table);
    if (err != BB_OK) {
        return err;
    }
    uint32_t slot = (uint32_t)bb_hash_bytes(bytes) & (table->slot_count - 1);
    while (table->slots[slot] != 0) {
        uint32_t code = table->slots[slot] - 1;
        if (bb_slice_equals(bb_intern_get(table, code), bytes)) {
            *out_code = code;
            return BB_OK;
        }
        slot = (slot + 1) & (table->slot_count - 1);
    }
    struct bb_slice copy = bb_arena_try_copy(table->arena, bytes);
    if (copy.data == NULL) {
        return BB_ENOMEM;
    }
    err = bb_intern_push(table, copy);
    if (err != BB_OK) {
        return err;
    }
    table->slots[slot] = table->count;
    *out_code = table->count - 1;
    return BB_OK;
}
