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

static uint64_t slot_value(uint64_t hash, uint32_t code)
{
    return (hash & ~(uint64_t)UINT32_MAX) | (code + 1);
}

static void put_slot(struct bb_intern_table *table, uint64_t hash, uint32_t code)
{
    uint32_t slot = (uint32_t)hash & (table->slot_count - 1);

    while (table->slots[slot] != 0) {
        slot = (slot + 1) & (table->slot_count - 1);
    }
    table->slots[slot] = slot_value(hash, code);
}

/* Keeps at most half of the slots in use. The old ones stay in the arena: a third of the new. */
static enum bb_err grow_slots(struct bb_intern_table *table)
{
    uint32_t count = table->count;

    if (count < table->slot_count / 2) {
        return BB_OK;
    }
    uint32_t slot_count = table->slot_count == 0 ? SLOT_COUNT_MIN : table->slot_count * 4;
    uint64_t *slots = bb_arena_try_calloc(table->arena, slot_count, sizeof *slots);
    if (slots == NULL) {
        return BB_ENOMEM;
    }
    table->slots = slots;
    table->slot_count = slot_count;
    for (uint32_t code = 0; code < count; code++) {
        put_slot(table, bb_hash_bytes(bb_intern_get(table, code)), code);
    }
    return BB_OK;
}

/* The code of `bytes` in *out_code, or false and the free slot where it belongs in *out_slot. */
static bool find(const struct bb_intern_table *table, struct bb_slice bytes, uint64_t hash,
                 uint32_t *out_code, uint32_t *out_slot)
{
    uint32_t slot = (uint32_t)hash & (table->slot_count - 1);

    for (; table->slots[slot] != 0; slot = (slot + 1) & (table->slot_count - 1)) {
        /* The entry is looked at only when half of its hash is right. */
        if ((table->slots[slot] ^ hash) >> 32 == 0) {
            uint32_t code = (uint32_t)table->slots[slot] - 1;
            if (bb_slice_equals(bb_intern_get(table, code), bytes)) {
                *out_code = code;
                return true;
            }
        }
    }
    *out_slot = slot;
    return false;
}

static enum bb_err add(struct bb_intern_table *table, struct bb_slice bytes, bool is_copied,
                       uint32_t *out_code)
{
    uint32_t slot = 0;

    uint64_t hash = bb_hash_bytes(bytes);
    enum bb_err err = grow_slots(table);
    if (err != BB_OK || find(table, bytes, hash, out_code, &slot)) {
        return err;
    }
    if (is_copied) {
        bytes = bb_arena_try_copy(table->arena, bytes);
        if (bytes.data == NULL) {
            return BB_ENOMEM;
        }
    }
    err = bb_intern_push(table, bytes);
    if (err == BB_OK) {
        *out_code = table->count - 1;
        table->slots[slot] = slot_value(hash, *out_code);
    }
    return err;
}

enum bb_err bb_intern_add(struct bb_intern_table *table, struct bb_slice bytes, uint32_t *out_code)
{
    return add(table, bytes, true, out_code);
}

enum bb_err bb_intern_add_borrowed(struct bb_intern_table *table, struct bb_slice bytes,
                                   uint32_t *out_code)
{
    return add(table, bytes, false, out_code);
}
