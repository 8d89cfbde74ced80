/*
 * dictionary.h - what the codes in a segment's rows stand for.
 *
 *   service    its name; the empty one where the resource has none
 *   operation  kind (1 byte) | service (u32 LE) | span name
 *   resource   schema URL size (u32 LE) | schema URL | Resource message
 *   scope      schema URL size (u32 LE) | schema URL | InstrumentationScope message
 *
 *   column     place << 4 | type, 1 byte; key (shape.h)
 *   shape      shape.h
 *
 * An active segment has no columns and shapes: its rows have their messages whole. The operations
 * of a segment are also its catalogue: which services, with which operations of which kind, have a
 * span in it.
 */
#ifndef BB_STORE_DICTIONARY_H
#define BB_STORE_DICTIONARY_H

#include "common/bytes.h"
#include "common/span_batch.h"
#include "store/intern_table.h"

/* The strings of one column that are in the dictionary. */
struct bb_column_values {
    struct bb_slice *values; /* by code */
    uint32_t count;          /* 0: the column's strings stand in the pages */
};

struct bb_dictionary {
    struct bb_intern_table services;
    struct bb_intern_table operations;
    struct bb_intern_table resources;
    struct bb_intern_table scopes;
    struct bb_intern_table columns;
    struct bb_intern_table shapes;
    struct bb_column_values *column_values; /* by column; NULL in an active segment */
};

static inline void bb_dictionary_init(struct bb_dictionary *dictionary, struct bb_arena *arena)
{
    bb_intern_init(&dictionary->services, arena);
    bb_intern_init(&dictionary->operations, arena);
    bb_intern_init(&dictionary->resources, arena);
    bb_intern_init(&dictionary->scopes, arena);
    bb_intern_init(&dictionary->columns, arena);
    bb_intern_init(&dictionary->shapes, arena);
    dictionary->column_values = NULL;
}

/* Kind and service. */
#define BB_OPERATION_HEAD_SIZE 5u

struct bb_operation_entry {
    struct bb_slice service_name;
    struct bb_slice name;
    uint8_t kind;
};

/* Is `entry` what the writer of a dictionary makes? For entries that come from disk. */
static inline bool bb_operation_entry_is_valid(const struct bb_dictionary *d, struct bb_slice entry)
{
    return entry.size >= BB_OPERATION_HEAD_SIZE && bb_get_le32(entry.data + 1) < d->services.count;
}

static inline bool bb_owner_entry_is_valid(struct bb_slice entry)
{
    return entry.size >= 4 && bb_get_le32(entry.data) <= entry.size - 4;
}

static inline struct bb_operation_entry bb_dictionary_operation(const struct bb_dictionary *d,
                                                                uint32_t code)
{
    struct bb_slice entry = bb_intern_get(&d->operations, code);

    return (struct bb_operation_entry){
        .service_name = bb_intern_get(&d->services, bb_get_le32(entry.data + 1)),
        .name =
            bb_slice_of(entry.data + BB_OPERATION_HEAD_SIZE, entry.size - BB_OPERATION_HEAD_SIZE),
        .kind = entry.data[0],
    };
}

static inline struct bb_resource_ref bb_dictionary_resource(const struct bb_dictionary *d,
                                                            uint32_t code)
{
    struct bb_slice entry = bb_intern_get(&d->resources, code);
    uint32_t url_size = bb_get_le32(entry.data);

    return (struct bb_resource_ref){
        .bytes = bb_slice_of(entry.data + 4 + url_size, entry.size - 4 - url_size),
        .schema_url = bb_slice_of(entry.data + 4, url_size),
    };
}

static inline struct bb_scope_ref bb_dictionary_scope(const struct bb_dictionary *d, uint32_t code)
{
    struct bb_slice entry = bb_intern_get(&d->scopes, code);
    uint32_t url_size = bb_get_le32(entry.data);

    return (struct bb_scope_ref){
        .bytes = bb_slice_of(entry.data + 4 + url_size, entry.size - 4 - url_size),
        .schema_url = bb_slice_of(entry.data + 4, url_size),
    };
}

#endif /* BB_STORE_DICTIONARY_H */
