#include "store/segment_index.h"

#include "common/pb_wire.h"
#include "store/block_codec.h"
#include "store/zstd_codec.h"

/* Summary */
enum { F_ROW_COUNT = 1, F_BLOCK = 2 };
/* Block summary, in field 2 of the summary */
enum {
    F_BLOCK_ROW_COUNT = 1,
    F_BLOCK_FIRST_TRACE_ID = 2,
    F_BLOCK_LAST_TRACE_ID = 3,
    F_BLOCK_START_MIN = 4,
    F_BLOCK_START_MAX = 5,
    F_BLOCK_DURATION_MAX = 6,
};
/* Dictionary */
enum {
    F_OPERATION = 1,
    F_RESOURCE = 2,
    F_SCOPE = 3,
    F_COLUMN = 4,
    F_SHAPE = 5,
    F_VALUES = 6,
    F_SERVICE = 7,
};
/* Values of a column, in field 6 of the dictionary */
enum { F_VALUES_COLUMN = 1, F_VALUES_VALUE = 2 };

void bb_index_key(uint32_t segment, enum bb_index_part part, uint8_t out[BB_INDEX_KEY_SIZE])
{
    bb_put_be32(out, segment);
    out[4] = (uint8_t)part;
}

void bb_block_key(uint32_t segment, uint32_t block, uint32_t page, uint8_t out[BB_BLOCK_KEY_SIZE])
{
    bb_put_be32(out, segment);
    bb_put_be32(out + 4, block);
    bb_put_be32(out + 8, page);
}

void bb_row_bounds_join(struct bb_row_bounds *bounds, bool is_first,
                        const struct bb_row_bounds *other)
{
    if (is_first || other->start_unix_ns_min < bounds->start_unix_ns_min) {
        bounds->start_unix_ns_min = other->start_unix_ns_min;
    }
    if (is_first || other->start_unix_ns_max > bounds->start_unix_ns_max) {
        bounds->start_unix_ns_max = other->start_unix_ns_max;
    }
    if (is_first || other->duration_ns_max > bounds->duration_ns_max) {
        bounds->duration_ns_max = other->duration_ns_max;
    }
}

void bb_row_bounds_add(struct bb_row_bounds *bounds, bool is_first, const struct bb_row *row)
{
    struct bb_row_bounds one = {
        .start_unix_ns_min = row->start_unix_ns,
        .start_unix_ns_max = row->start_unix_ns,
        .duration_ns_max = bb_row_duration_ns(row),
    };

    bb_row_bounds_join(bounds, is_first, &one);
}

void bb_segment_summary_encode(const struct bb_sealed_segment *segment, struct bb_buf *out)
{
    bb_pb_write_uint(out, F_ROW_COUNT, segment->row_count);
    for (uint32_t i = 0; i < segment->block_count; i++) {
        const struct bb_block_summary *block = &segment->blocks[i];
        size_t mark = bb_pb_begin_message(out, F_BLOCK);
        bb_pb_write_uint(out, F_BLOCK_ROW_COUNT, block->row_count);
        bb_pb_write_bytes(out, F_BLOCK_FIRST_TRACE_ID,
                          bb_slice_of(block->first_trace_id.bytes, BB_TRACE_ID_SIZE));
        bb_pb_write_bytes(out, F_BLOCK_LAST_TRACE_ID,
                          bb_slice_of(block->last_trace_id.bytes, BB_TRACE_ID_SIZE));
        bb_pb_write_uint(out, F_BLOCK_START_MIN, block->bounds.start_unix_ns_min);
        bb_pb_write_uint(out, F_BLOCK_START_MAX, block->bounds.start_unix_ns_max);
        bb_pb_write_uint(out, F_BLOCK_DURATION_MAX, block->bounds.duration_ns_max);
        bb_pb_end_message(out, mark);
    }
}

static bool read_trace_id(const struct bb_pb_field *field, struct bb_trace_id *id)
{
    if (field->bytes.size != BB_TRACE_ID_SIZE) {
        return false;
    }
    memcpy(id->bytes, field->bytes.data, BB_TRACE_ID_SIZE);
    return true;
}

static bool read_block_summary(struct bb_slice bytes, struct bb_block_summary *block)
{
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    bool is_good = true;

    while (is_good && bb_pb_next(&reader, &field)) {
        switch (field.number) {
        case F_BLOCK_ROW_COUNT:
            block->row_count = (uint32_t)field.value;
            break;
        case F_BLOCK_FIRST_TRACE_ID:
            is_good = read_trace_id(&field, &block->first_trace_id);
            break;
        case F_BLOCK_LAST_TRACE_ID:
            is_good = read_trace_id(&field, &block->last_trace_id);
            break;
        case F_BLOCK_START_MIN:
            block->bounds.start_unix_ns_min = field.value;
            break;
        case F_BLOCK_START_MAX:
            block->bounds.start_unix_ns_max = field.value;
            break;
        case F_BLOCK_DURATION_MAX:
            block->bounds.duration_ns_max = field.value;
            break;
        default:
            break;
        }
    }
    return is_good && !reader.malformed && block->row_count > 0;
}

enum bb_err bb_segment_summary_decode(struct bb_slice bytes, struct bb_arena *arena,
                                      struct bb_sealed_segment *out_segment)
{
    struct bb_pb_reader counting = bb_pb_reader_of(bytes);
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    struct bb_pb_field field;
    uint32_t block_count = 0;
    uint64_t row_count = 0;

    while (bb_pb_next(&counting, &field)) {
        block_count += field.number == F_BLOCK;
    }
    struct bb_block_summary *blocks = bb_arena_try_calloc(arena, block_count, sizeof *blocks);
    if (blocks == NULL) {
        return BB_ENOMEM;
    }
    out_segment->row_count = 0;
    out_segment->block_count = 0;
    out_segment->bounds = (struct bb_row_bounds){0};
    while (bb_pb_next(&reader, &field)) {
        if (field.number == F_ROW_COUNT) {
            row_count = field.value;
        } else if (field.number == F_BLOCK) {
            struct bb_block_summary *block = &blocks[out_segment->block_count];
            if (!read_block_summary(field.bytes, block)) {
                return BB_ECORRUPT;
            }
            bb_row_bounds_join(&out_segment->bounds, out_segment->block_count == 0, &block->bounds);
            out_segment->row_count += block->row_count;
            out_segment->block_count++;
        }
    }
    out_segment->blocks = blocks;
    bool is_good = !reader.malformed && block_count > 0 && out_segment->row_count == row_count;
    return is_good ? BB_OK : BB_ECORRUPT;
}

static void put_table(const struct bb_intern_table *table, uint32_t number, struct bb_buf *out)
{
    for (uint32_t code = 0; code < table->count; code++) {
        bb_pb_write_bytes(out, number, bb_intern_get(table, code));
    }
}

static void put_values(const struct bb_shredder *shredder, const struct bb_column_plan *plans,
                       struct bb_buf *out)
{
    for (uint32_t column = 0; column < shredder->columns.count; column++) {
        const struct bb_column_plan *plan = &plans[column];
        if (!plan->is_in_dictionary || plan->distinct_count == 0) {
            continue;
        }
        size_t mark = bb_pb_begin_message(out, F_VALUES);
        bb_pb_write_uint(out, F_VALUES_COLUMN, column);
        for (uint32_t i = 0; i < plan->distinct_count; i++) {
            bb_pb_write_bytes(out, F_VALUES_VALUE,
                              bb_intern_get(&shredder->strings, plan->globals[i]));
        }
        bb_pb_end_message(out, mark);
    }
}

enum bb_err bb_dictionary_encode(const struct bb_dictionary *dictionary,
                                 const struct bb_shredder *shredder,
                                 const struct bb_column_plan *plans, struct bb_buf *out)
{
    struct bb_buf plain;

    bb_buf_init(&plain, BB_FRAME_PLAIN_BYTES_MAX);
    put_table(&dictionary->services, F_SERVICE, &plain);
    put_table(&dictionary->operations, F_OPERATION, &plain);
    put_table(&dictionary->resources, F_RESOURCE, &plain);
    put_table(&dictionary->scopes, F_SCOPE, &plain);
    put_table(&shredder->columns, F_COLUMN, &plain);
    put_table(&shredder->shapes, F_SHAPE, &plain);
    put_values(shredder, plans, &plain);
    enum bb_err err = bb_buf_err(&plain);
    if (err == BB_OK) {
        err = bb_zstd_compress(bb_buf_slice(&plain), out);
    }
    bb_buf_dispose(&plain);
    return err;
}

/* Services come before operations, and are there when these are looked at. */
static bool is_valid_entry(const struct bb_dictionary *dictionary, uint32_t number,
                           struct bb_slice entry)
{
    switch (number) {
    case F_SERVICE:
        return true;
    case F_OPERATION:
        return bb_operation_entry_is_valid(dictionary, entry);
    case F_RESOURCE:
    case F_SCOPE:
        return bb_owner_entry_is_valid(entry);
    case F_COLUMN:
        return entry.size >= 1;
    default:
        return number == F_SHAPE;
    }
}

static struct bb_intern_table *table_of(struct bb_dictionary *dictionary, uint32_t number)
{
    switch (number) {
    case F_SERVICE:
        return &dictionary->services;
    case F_OPERATION:
        return &dictionary->operations;
    case F_RESOURCE:
        return &dictionary->resources;
    case F_SCOPE:
        return &dictionary->scopes;
    case F_COLUMN:
        return &dictionary->columns;
    default:
        return &dictionary->shapes;
    }
}

/* The values of one column; all columns have been read before. */
static enum bb_err read_values(struct bb_slice bytes, struct bb_dictionary *dictionary,
                               struct bb_arena *arena)
{
    struct bb_pb_reader counting = bb_pb_reader_of(bytes);
    struct bb_pb_reader reader = bb_pb_reader_of(bytes);
    uint64_t column = UINT64_MAX;
    struct bb_pb_field field;
    uint32_t count = 0;

    while (bb_pb_next(&counting, &field)) {
        column = field.number == F_VALUES_COLUMN ? field.value : column;
        count += field.number == F_VALUES_VALUE;
    }
    if (counting.malformed || column >= dictionary->columns.count) {
        return BB_ECORRUPT;
    }
    struct bb_column_values *values = &dictionary->column_values[column];
    if (count == 0 || values->count > 0) {
        return BB_ECORRUPT; /* a column has its values once */
    }
    values->values = bb_arena_try_alloc(arena, count * sizeof *values->values);
    if (values->values == NULL) {
        return BB_ENOMEM;
    }
    while (bb_pb_next(&reader, &field)) {
        if (field.number == F_VALUES_VALUE) {
            values->values[values->count++] = field.bytes;
        }
    }
    return BB_OK;
}

enum bb_err bb_dictionary_decode(struct bb_slice frame, struct bb_arena *arena,
                                 struct bb_dictionary *out_dictionary)
{
    struct bb_slice plain;
    struct bb_pb_field field;

    enum bb_err err = bb_zstd_inflate(frame, BB_FRAME_PLAIN_BYTES_MAX, arena, &plain);
    if (err != BB_OK) {
        return err;
    }
    bb_dictionary_init(out_dictionary, arena);
    struct bb_pb_reader reader = bb_pb_reader_of(plain);
    while (err == BB_OK && bb_pb_next(&reader, &field)) {
        if (field.type != BB_PB_BYTES) {
            return BB_ECORRUPT;
        }
        if (field.number == F_VALUES) {
            if (out_dictionary->column_values == NULL) {
                out_dictionary->column_values = bb_arena_try_calloc(
                    arena, out_dictionary->columns.count, sizeof(struct bb_column_values));
            }
            err = out_dictionary->column_values == NULL
                      ? BB_ENOMEM
                      : read_values(field.bytes, out_dictionary, arena);
        } else if (is_valid_entry(out_dictionary, field.number, field.bytes)) {
            /* Columns come before values: an array by column is made at the first values. */
            bool is_late = out_dictionary->column_values != NULL && field.number == F_COLUMN;
            err = is_late ? BB_ECORRUPT
                          : bb_intern_push(table_of(out_dictionary, field.number), field.bytes);
        } else {
            return BB_ECORRUPT;
        }
    }
    if (err == BB_OK && out_dictionary->column_values == NULL) {
        out_dictionary->column_values = bb_arena_try_calloc(arena, out_dictionary->columns.count,
                                                            sizeof(struct bb_column_values));
        err = out_dictionary->column_values == NULL ? BB_ENOMEM : BB_OK;
    }
    return err == BB_OK && reader.malformed ? BB_ECORRUPT : err;
}

void bb_segment_find_blocks(const struct bb_sealed_segment *segment,
                            const struct bb_trace_id *trace_id, uint32_t *out_first,
                            uint32_t *out_end)
{
    uint32_t low = 0;
    uint32_t high = segment->block_count;

    while (low < high) { /* the first block whose last trace isn't before this one */
        uint32_t middle = low + (high - low) / 2;
        if (bb_trace_id_compare(&segment->blocks[middle].last_trace_id, trace_id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_first = low;
    while (low < segment->block_count &&
           bb_trace_id_compare(&segment->blocks[low].first_trace_id, trace_id) <= 0) {
        low++;
    }
    *out_end = low;
}
