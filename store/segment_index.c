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
enum { F_OPERATION = 1, F_RESOURCE = 2, F_SCOPE = 3 };

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
            bb_row_bounds_join(&out_segment->bounds, out_segment->block_count == 0,
                               &block->bounds);
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

enum bb_err bb_dictionary_encode(const struct bb_dictionary *dictionary, struct bb_buf *out)
{
    struct bb_buf plain;

    bb_buf_init(&plain, BB_FRAME_PLAIN_BYTES_MAX);
    put_table(&dictionary->operations, F_OPERATION, &plain);
    put_table(&dictionary->resources, F_RESOURCE, &plain);
    put_table(&dictionary->scopes, F_SCOPE, &plain);
    enum bb_err err = bb_buf_err(&plain);
    if (err == BB_OK) {
        err = bb_zstd_compress(bb_buf_slice(&plain), out);
    }
    bb_buf_dispose(&plain);
    return err;
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
        bool is_operation = field.number == F_OPERATION;
        bool is_valid = field.type == BB_PB_BYTES &&
                        (is_operation ? bb_operation_entry_is_valid(field.bytes)
                                      : bb_owner_entry_is_valid(field.bytes));
        if (!is_valid) {
            return BB_ECORRUPT;
        }
        err = bb_intern_push(is_operation                   ? &out_dictionary->operations
                             : field.number == F_RESOURCE ? &out_dictionary->resources
                                                            : &out_dictionary->scopes,
                             field.bytes);
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
