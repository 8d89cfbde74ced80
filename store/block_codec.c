#include "store/block_codec.h"

#include "common/limits.h"
#include "common/pb_wire.h"
#include "store/page_codec.h"
#include "store/varint_code.h"
#include "store/zstd_codec.h"

#define PARENT_NONE 0u
#define PARENT_LISTED 1u
#define PARENT_BIAS 0x4000u
/* How far from a row its parent is looked for; further ones are listed. */
#define PARENT_ROWS_BACK 64u
#define PARENT_ROWS_AHEAD 16u
/* Zigzag codes of microseconds are multiples of it, or one less. */
#define TIME_UNIT 2000u

static_assert(BB_BLOCK_SPANS_MAX < PARENT_BIAS - 2, "every row distance has a code");

static void put_u16(struct bb_buf *out, uint32_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    bb_buf_append(out, bytes, sizeof bytes);
}

/* The code of a row's parent; PARENT_LISTED when it isn't near. */
static uint32_t parent_code(const struct bb_row *const *rows, uint32_t row_count, uint32_t at)
{
    const struct bb_row *row = rows[at];
    uint32_t first = at > PARENT_ROWS_BACK ? at - PARENT_ROWS_BACK : 0;
    uint32_t end = row_count - at > PARENT_ROWS_AHEAD ? at + PARENT_ROWS_AHEAD : row_count;

    if (bb_span_id_is_zero(&row->parent_span_id)) {
        return PARENT_NONE;
    }
    for (uint32_t i = at; i-- > first;) {
        if (!bb_trace_id_equals(&rows[i]->trace_id, &row->trace_id)) {
            break;
        }
        if (bb_span_id_equals(&rows[i]->span_id, &row->parent_span_id)) {
            return PARENT_BIAS + (at - i);
        }
    }
    for (uint32_t i = at + 1; i < end; i++) {
        if (!bb_trace_id_equals(&rows[i]->trace_id, &row->trace_id)) {
            break;
        }
        if (bb_span_id_equals(&rows[i]->span_id, &row->parent_span_id)) {
            return PARENT_BIAS - (i - at);
        }
    }
    return PARENT_LISTED;
}

static void put_traces(struct bb_buf *out, const struct bb_row *const *rows, uint32_t row_count)
{
    uint32_t trace_count = 0;

    for (uint32_t i = 0; i < row_count; i++) {
        trace_count += i == 0 || !bb_trace_id_equals(&rows[i]->trace_id, &rows[i - 1]->trace_id);
    }
    bb_pb_write_varint(out, trace_count);
    for (uint32_t i = 0; i < row_count; i++) {
        if (i == 0 || !bb_trace_id_equals(&rows[i]->trace_id, &rows[i - 1]->trace_id)) {
            bb_buf_append(out, rows[i]->trace_id.bytes, BB_TRACE_ID_SIZE);
        }
    }
    uint32_t run = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        run++;
        if (i + 1 == row_count || !bb_trace_id_equals(&rows[i]->trace_id, &rows[i + 1]->trace_id)) {
            bb_pb_write_varint(out, run);
            run = 0;
        }
    }
}

/* What a row's time is kept as: its start minus the start before it, or its end minus its start. */
static uint64_t time_code(const struct bb_row *const *rows, uint32_t at, bool is_start)
{
    if (!is_start) {
        return bb_zigzag(rows[at]->end_unix_ns - rows[at]->start_unix_ns);
    }
    return bb_zigzag(rows[at]->start_unix_ns - (at == 0 ? 0 : rows[at - 1]->start_unix_ns));
}

/* Thousands, and what is left of them in two planes of bytes: many clocks tick in microseconds, and
 * what is left is then the same again and again. */
static void put_times(struct bb_buf *out, const struct bb_row *const *rows, uint32_t row_count,
                      bool is_start)
{
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, time_code(rows, i, is_start) / TIME_UNIT);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_buf_append_byte(out, (uint8_t)(time_code(rows, i, is_start) % TIME_UNIT));
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_buf_append_byte(out, (uint8_t)(time_code(rows, i, is_start) % TIME_UNIT >> 8));
    }
}

void bb_block_encode_columns(const struct bb_row *const *rows, uint32_t row_count,
                             const uint32_t *page_rows, uint32_t page_count, struct bb_buf *out)
{
    BB_ASSERT(row_count > 0 && row_count <= BB_BLOCK_SPANS_MAX);
    bb_pb_write_varint(out, row_count);
    bb_pb_write_varint(out, page_count);
    for (uint32_t i = 0; i < page_count; i++) {
        bb_pb_write_varint(out, page_rows[i]);
    }
    put_traces(out, rows, row_count);
    for (uint32_t i = 0; i < row_count; i++) {
        bb_buf_append(out, rows[i]->span_id.bytes, BB_SPAN_ID_SIZE);
    }
    size_t parents = out->size;
    for (uint32_t i = 0; i < row_count; i++) {
        put_u16(out, parent_code(rows, row_count, i));
    }
    for (uint32_t i = 0; i < row_count && bb_buf_err(out) == BB_OK; i++) {
        if (out->data[parents + 2 * (size_t)i] == PARENT_LISTED &&
            out->data[parents + 2 * (size_t)i + 1] == 0) {
            bb_buf_append(out, rows[i]->parent_span_id.bytes, BB_SPAN_ID_SIZE);
        }
    }
    put_times(out, rows, row_count, true);
    put_times(out, rows, row_count, false);
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, rows[i]->operation_code);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, rows[i]->resource_code);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, rows[i]->scope_code);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_buf_append_byte(out, rows[i]->status_code);
    }
}

static struct bb_span_ref span_of(const struct bb_row *row, const struct bb_dictionary *dictionary)
{
    struct bb_operation_entry operation = bb_dictionary_operation(dictionary, row->operation_code);

    return (struct bb_span_ref){
        .trace_id = row->trace_id,
        .span_id = row->span_id,
        .parent_span_id = row->parent_span_id,
        .start_unix_ns = row->start_unix_ns,
        .end_unix_ns = row->end_unix_ns,
        .name = operation.name,
        .bytes = row->bytes,
        .kind = operation.kind,
        .status_code = row->status_code,
    };
}

/* Reading: every value is checked against its bound, and one that is out of it ends the reading. */

static bool read_varint_up_to(struct bb_pb_reader *reader, uint64_t max, uint32_t *out_value)
{
    uint64_t value;

    if (!bb_pb_read_varint(reader, &value) || value > max) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

static const uint8_t *read_fixed(struct bb_pb_reader *reader, size_t size)
{
    const uint8_t *bytes = reader->next;

    if (size > (size_t)(reader->end - reader->next)) {
        return NULL;
    }
    reader->next += size;
    return bytes;
}

static bool read_pages(struct bb_pb_reader *reader, struct bb_block *block)
{
    uint32_t first = 0;

    for (uint32_t i = 0; i < block->page_count; i++) {
        uint32_t rows;
        if (!read_varint_up_to(reader, block->row_count - first, &rows) || rows == 0) {
            return false;
        }
        block->page_first_rows[i] = first;
        first += rows;
    }
    block->page_first_rows[block->page_count] = first;
    return first == block->row_count;
}

static bool read_traces(struct bb_pb_reader *reader, struct bb_block *block)
{
    uint32_t trace_count;
    uint32_t row = 0;

    if (!read_varint_up_to(reader, block->row_count, &trace_count)) {
        return false;
    }
    const uint8_t *ids = read_fixed(reader, (size_t)trace_count * BB_TRACE_ID_SIZE);
    if (ids == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trace_count; i++) {
        uint32_t rows;
        if (!read_varint_up_to(reader, block->row_count - row, &rows)) {
            return false;
        }
        for (uint32_t end = row + rows; row < end; row++) {
            memcpy(block->rows[row].trace_id.bytes, ids + (size_t)i * BB_TRACE_ID_SIZE,
                   BB_TRACE_ID_SIZE);
        }
    }
    return row == block->row_count;
}

static bool read_span_ids(struct bb_pb_reader *reader, struct bb_block *block)
{
    const uint8_t *ids = read_fixed(reader, (size_t)block->row_count * BB_SPAN_ID_SIZE);
    const uint8_t *codes = read_fixed(reader, (size_t)block->row_count * 2);

    if (ids == NULL || codes == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        memcpy(block->rows[i].span_id.bytes, ids + (size_t)i * BB_SPAN_ID_SIZE, BB_SPAN_ID_SIZE);
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        uint32_t code = (uint32_t)codes[2 * (size_t)i] | (uint32_t)codes[2 * (size_t)i + 1] << 8;
        const uint8_t *parent = NULL;
        if (code == PARENT_LISTED) {
            parent = read_fixed(reader, BB_SPAN_ID_SIZE);
        } else if (code != PARENT_NONE) {
            int64_t at = (int64_t)i - ((int64_t)code - PARENT_BIAS);
            parent = at >= 0 && at < block->row_count ? block->rows[at].span_id.bytes : NULL;
        }
        if (parent != NULL) {
            memcpy(block->rows[i].parent_span_id.bytes, parent, BB_SPAN_ID_SIZE);
        } else if (code != PARENT_NONE) {
            return false;
        }
    }
    return true;
}

/* Reads row_count time codes into `codes`. */
static bool read_time_codes(struct bb_pb_reader *reader, uint32_t row_count, uint64_t *codes)
{
    for (uint32_t i = 0; i < row_count; i++) {
        if (!bb_pb_read_varint(reader, &codes[i])) {
            return false;
        }
    }
    const uint8_t *low = read_fixed(reader, row_count);
    const uint8_t *high = read_fixed(reader, row_count);
    if (low == NULL || high == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        codes[i] = codes[i] * TIME_UNIT + ((uint32_t)low[i] | (uint32_t)high[i] << 8);
    }
    return true;
}

/* `codes` is room for a code a row. */
static bool read_times(struct bb_pb_reader *reader, struct bb_block *block, uint64_t *codes)
{
    uint64_t start = 0;

    if (!read_time_codes(reader, block->row_count, codes)) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        start += bb_unzigzag(codes[i]);
        block->rows[i].start_unix_ns = start;
    }
    if (!read_time_codes(reader, block->row_count, codes)) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        block->rows[i].end_unix_ns = block->rows[i].start_unix_ns + bb_unzigzag(codes[i]);
    }
    return true;
}

static bool read_codes(struct bb_pb_reader *reader, struct bb_block *block,
                       const struct bb_dictionary *dictionary)
{
    if (dictionary->operations.count == 0 || dictionary->resources.count == 0 ||
        dictionary->scopes.count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!read_varint_up_to(reader, dictionary->operations.count - 1,
                               &block->rows[i].operation_code)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!read_varint_up_to(reader, dictionary->resources.count - 1,
                               &block->rows[i].resource_code)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!read_varint_up_to(reader, dictionary->scopes.count - 1, &block->rows[i].scope_code)) {
            return false;
        }
    }
    const uint8_t *flags = read_fixed(reader, block->row_count);
    if (flags == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        block->rows[i].status_code = flags[i] & 3;
    }
    return true;
}

enum bb_err bb_block_decode(struct bb_slice columns_frame, const struct bb_dictionary *dictionary,
                            struct bb_arena *arena, struct bb_block *out_block)
{
    struct bb_block block = {.row_count = 0};
    struct bb_slice plain;

    enum bb_err err = bb_zstd_inflate(columns_frame, BB_FRAME_PLAIN_BYTES_MAX, arena, &plain);
    if (err != BB_OK) {
        return err;
    }
    struct bb_pb_reader reader = bb_pb_reader_of(plain);
    if (!read_varint_up_to(&reader, BB_BLOCK_SPANS_MAX, &block.row_count) || block.row_count == 0 ||
        !read_varint_up_to(&reader, block.row_count, &block.page_count)) {
        return BB_ECORRUPT;
    }
    block.rows = bb_arena_try_calloc(arena, block.row_count, sizeof *block.rows);
    block.page_first_rows =
        bb_arena_try_alloc(arena, (block.page_count + 1) * sizeof *block.page_first_rows);
    uint64_t *time_codes = bb_arena_try_alloc(arena, block.row_count * sizeof *time_codes);
    if (block.rows == NULL || block.page_first_rows == NULL || time_codes == NULL) {
        return BB_ENOMEM;
    }
    if (!read_pages(&reader, &block) || !read_traces(&reader, &block) ||
        !read_span_ids(&reader, &block) || !read_times(&reader, &block, time_codes) ||
        !read_codes(&reader, &block, dictionary) || reader.next != reader.end) {
        return BB_ECORRUPT;
    }
    *out_block = block;
    return BB_OK;
}

uint32_t bb_block_page_of(const struct bb_block *block, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = block->page_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (block->page_first_rows[middle] <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

enum bb_err bb_block_load_rows(struct bb_block *block, uint32_t page, struct bb_slice page_frame,
                               uint32_t first_row, uint32_t end_row,
                               const struct bb_dictionary *dictionary, struct bb_arena *arena)
{
    uint32_t page_first = block->page_first_rows[page];
    uint32_t page_end = block->page_first_rows[page + 1];
    struct bb_page_reader reader;
    struct bb_slice plain;
    struct bb_buf message;

    enum bb_err err = bb_zstd_inflate(page_frame, BB_FRAME_PLAIN_BYTES_MAX, arena, &plain);
    if (err == BB_OK) {
        err = bb_page_reader_init(&reader, plain, page_end - page_first, dictionary, arena);
    }
    bb_buf_init(&message, BB_FRAME_PLAIN_BYTES_MAX);
    for (uint32_t i = page_first; i < page_end && i < end_row && err == BB_OK; i++) {
        struct bb_row *row = &block->rows[i];
        struct bb_span_ref span = span_of(row, dictionary);
        if (i < first_row) {
            err = bb_page_next(&reader, &span, NULL);
            continue;
        }
        bb_buf_clear(&message);
        err = bb_page_next(&reader, &span, &message);
        if (err == BB_OK) {
            row->bytes = bb_arena_try_copy(arena, bb_buf_slice(&message));
            err = row->bytes.data == NULL ? BB_ENOMEM : BB_OK;
        }
    }
    bb_buf_dispose(&message);
    return err;
}
