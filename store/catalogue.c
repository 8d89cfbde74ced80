/*
 * catalogue.c - which services there are, with which operations: the dictionaries of all segments,
 * put together. A listed name has a span, since a segment's dictionary has what its rows use.
 */
#include <stdlib.h>

#include "store/store_internal.h"

struct cataloguing {
    struct bb_query_ctl *ctl;
    struct bb_intern_table *names; /* service names, or kind and name of operations */
    struct bb_buf entry;
    struct bb_slice service_name;
    bool wants_operations;
};

static enum bb_err add_dictionary(struct cataloguing *cataloguing,
                                  const struct bb_dictionary *dictionary)
{
    uint32_t count = dictionary->operations.count;
    uint32_t code = 0;
    enum bb_err err = BB_OK;

    for (uint32_t i = 0; i < count && err == BB_OK; i++) {
        struct bb_operation_entry operation = bb_dictionary_operation(dictionary, i);
        if (!cataloguing->wants_operations) {
            err = bb_intern_add(cataloguing->names, operation.service_name, &code);
        } else if (bb_slice_equals(operation.service_name, cataloguing->service_name)) {
            bb_buf_clear(&cataloguing->entry);
            bb_buf_append_byte(&cataloguing->entry, operation.kind);
            bb_buf_append_slice(&cataloguing->entry, operation.name);
            err = bb_buf_err(&cataloguing->entry);
            if (err == BB_OK) {
                err = bb_intern_add(cataloguing->names, bb_buf_slice(&cataloguing->entry), &code);
            }
        }
    }
    return err;
}

static enum bb_err catalogue_list(struct cataloguing *cataloguing,
                                  const struct bb_segment_list *list)
{
    enum bb_err err = bb_query_check(cataloguing->ctl);

    for (uint32_t i = 0; i < list->unsealed_count && err == BB_OK; i++) {
        err = add_dictionary(cataloguing, bb_active_dictionary(list->unsealed[i]->segment));
    }
    for (uint32_t i = 0; i < list->sealed_count && err == BB_OK; i++) {
        struct bb_dictionary *dictionary = NULL;
        struct bb_arena scratch;
        bool is_there = false;
        bb_arena_init(&scratch, BB_SCAN_ARENA_BYTES_MAX);
        err = bb_read_dictionary(list->partition, list->sealed[i], cataloguing->ctl, &scratch,
                                 &dictionary, &is_there);
        if (err == BB_OK && is_there) {
            err = add_dictionary(cataloguing, dictionary);
        }
        bb_arena_dispose(&scratch);
    }
    return err;
}

static enum bb_err catalogue(struct bb_store *store, struct cataloguing *cataloguing,
                             struct bb_arena *arena)
{
    struct bb_view view = {.partition_count = 0};

    cataloguing->names = bb_arena_try_alloc(arena, sizeof *cataloguing->names);
    if (cataloguing->names == NULL) {
        return BB_ENOMEM;
    }
    bb_intern_init(cataloguing->names, arena);
    bb_buf_init(&cataloguing->entry, BB_SCAN_ARENA_BYTES_MAX);
    enum bb_err err = bb_view_open(store, cataloguing->ctl, arena, &view);
    for (uint32_t i = 0; i < view.partition_count && err == BB_OK; i++) {
        struct bb_segment_list *list = NULL;
        err = bb_view_list(&view, i, cataloguing->ctl, &list);
        if (err == BB_OK && list != NULL) {
            err = catalogue_list(cataloguing, list);
        }
        bb_segment_list_release(list);
    }
    bb_view_close(&view);
    bb_buf_dispose(&cataloguing->entry);
    return err;
}

static int compare_names(const void *a, const void *b)
{
    return bb_slice_compare(*(const struct bb_slice *)a, *(const struct bb_slice *)b);
}

enum bb_err bb_store_services(struct bb_store *store, struct bb_query_ctl *ctl,
                              struct bb_arena *arena, struct bb_slice **out_names,
                              uint32_t *out_count)
{
    struct cataloguing cataloguing = {.ctl = ctl};

    enum bb_err err = catalogue(store, &cataloguing, arena);
    if (err != BB_OK) {
        return err;
    }
    uint32_t count = cataloguing.names->count;
    struct bb_slice *names = bb_arena_try_alloc(arena, count * sizeof *names);
    if (names == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        names[i] = bb_intern_get(cataloguing.names, i);
    }
    qsort(names, count, sizeof *names, compare_names);
    *out_names = names;
    *out_count = count;
    return BB_OK;
}

static int compare_operations(const void *a, const void *b)
{
    const struct bb_operation *left = a;
    const struct bb_operation *right = b;
    int order = bb_slice_compare(left->name, right->name);

    return order != 0 ? order : (int)left->kind - (int)right->kind;
}

enum bb_err bb_store_operations(struct bb_store *store, struct bb_slice service_name,
                                struct bb_query_ctl *ctl, struct bb_arena *arena,
                                struct bb_operation **out_operations, uint32_t *out_count)
{
    struct cataloguing cataloguing = {
        .ctl = ctl, .service_name = service_name, .wants_operations = true};

    enum bb_err err = catalogue(store, &cataloguing, arena);
    if (err != BB_OK) {
        return err;
    }
    uint32_t count = cataloguing.names->count;
    struct bb_operation *operations = bb_arena_try_alloc(arena, count * sizeof *operations);
    if (operations == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct bb_slice entry = bb_intern_get(cataloguing.names, i);
        operations[i] = (struct bb_operation){.name = bb_slice_of(entry.data + 1, entry.size - 1),
                                              .kind = entry.data[0]};
    }
    qsort(operations, count, sizeof *operations, compare_operations);
    *out_operations = operations;
    *out_count = count;
    return BB_OK;
}
