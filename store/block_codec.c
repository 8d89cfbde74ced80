#include "store/block_codec.h"

#include "common/limits.h"
#include "common/pb_wire.h"
#include "store/span_strip.h"
#include "store/zstd_codec.h"

#define PARENT_NONE 0u
#define PARENT_LISTED 1u
#define PARENT_BIAS 0x4000u
/* How far from a row its parent is looked for; further ones are listed. */
#define PARENT_ROWS_BACK 64u
#define PARENT_ROWS_AHEAD 16u

static_assert(BB_BLOCK_SPANS_MAX < PARENT_BIAS - 2, "every row distance has a code");
static_assert(BB_STRIP_MASK << 2 <= UINT8_MAX, "status and strip flags share a byte");

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 != 0 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t coded)
{
    return coded >> 1 ^ (0 - (coded & 1));
}

void bb_block_encoder_init(struct bb_block_encoder *encoder)
{
    bb_buf_init(&encoder->columns, BB_FRAME_PLAIN_BYTES_MAX);
    bb_buf_init(&encoder->page, BB_FRAME_PLAIN_BYTES_MAX);
    bb_buf_init(&encoder->frame, 2 * (size_t)BB_FRAME_PLAIN_BYTES_MAX);
    bb_buf_init(&encoder->scratch, BB_FRAME_PLAIN_BYTES_MAX);
}

void bb_block_encoder_dispose(struct bb_block_encoder *encoder)
{
    bb_buf_dispose(&encoder->columns);
    bb_buf_dispose(&encoder->page);
    bb_buf_dispose(&encoder->frame);
    bb_buf_dispose(&encoder->scratch);
}

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
        if (i + 1 == row_count ||
            !bb_trace_id_equals(&rows[i]->trace_id, &rows[i + 1]->trace_id)) {
            bb_pb_write_varint(out, run);
            run = 0;
        }
    }
}

static void put_columns(struct bb_buf *out, const struct bb_row *const *rows, uint32_t row_count,
                        const uint8_t *strip_flags, const uint32_t *left_sizes)
{
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
    uint64_t start_before = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, zigzag(rows[i]->start_unix_ns - start_before));
        start_before = rows[i]->start_unix_ns;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, zigzag(rows[i]->end_unix_ns - rows[i]->start_unix_ns));
    }
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
        bb_buf_append_byte(out, (uint8_t)(rows[i]->status_code | strip_flags[i] << 2));
    }
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, left_sizes[i]);
    }
}

static struct bb_span_ref span_of(const struct bb_row *row, const struct bb_dictionary *dictionary)
{
    struct bb_operation_entry operation =
        bb_dictionary_operation(dictionary, row->operation_code);

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

static enum bb_err emit(struct bb_block_encoder *encoder, uint32_t page, struct bb_buf *plain,
                        bb_block_sink sink, void *ctx)
{
    bb_buf_clear(&encoder->frame);
    enum bb_err err = bb_buf_err(plain);
    if (err == BB_OK) {
        err = bb_zstd_compress(bb_buf_slice(plain), &encoder->frame);
    }
    if (err == BB_OK) {
        err = sink(ctx, page, bb_buf_slice(&encoder->frame));
    }
    bb_buf_clear(plain);
    return err;
}

/* The pages; `page_rows` gets the number of rows in each. */
static enum bb_err encode_pages(struct bb_block_encoder *encoder, const struct bb_row *const *rows,
                                uint32_t row_count, const struct bb_dictionary *dictionary,
                                uint8_t *strip_flags, uint32_t *left_sizes, uint32_t *page_rows,
                                uint32_t *out_page_count, bb_block_sink sink, void *ctx)
{
    uint32_t page_count = 0;
    uint32_t rows_in_page = 0;

    bb_buf_clear(&encoder->page);
    for (uint32_t i = 0; i < row_count; i++) {
        bool is_full = encoder->page.size + rows[i]->bytes.size > BB_PAGE_BYTES_AIM;
        if (is_full && rows_in_page > 0) {
            enum bb_err err = emit(encoder, page_count + 1, &encoder->page, sink, ctx);
            if (err != BB_OK) {
                return err;
            }
            page_rows[page_count++] = rows_in_page;
            rows_in_page = 0;
        }
        struct bb_span_ref span = span_of(rows[i], dictionary);
        size_t size_before = encoder->page.size;
        strip_flags[i] = bb_span_strip(&span, &encoder->scratch, &encoder->page);
        left_sizes[i] = (uint32_t)(encoder->page.size - size_before);
        rows_in_page++;
    }
    enum bb_err err = emit(encoder, page_count + 1, &encoder->page, sink, ctx);
    page_rows[page_count++] = rows_in_page;
    *out_page_count = page_count;
    return err;
}

enum bb_err bb_block_encode(struct bb_block_encoder *encoder, const struct bb_row *const *rows,
                            uint32_t row_count, const struct bb_dictionary *dictionary,
                            bb_block_sink sink, void *ctx)
{
    struct bb_buf *columns = &encoder->columns;
    uint32_t page_count = 0;
    struct bb_arena arena;

    BB_ASSERT(row_count > 0 && row_count <= BB_BLOCK_SPANS_MAX);
    bb_arena_init(&arena, (size_t)BB_BLOCK_SPANS_MAX * 64);
    uint8_t *strip_flags = bb_arena_try_alloc(&arena, row_count);
    uint32_t *left_sizes = bb_arena_try_alloc(&arena, row_count * sizeof *left_sizes);
    uint32_t *page_rows = bb_arena_try_alloc(&arena, row_count * sizeof *page_rows);
    enum bb_err err =
        strip_flags == NULL || left_sizes == NULL || page_rows == NULL ? BB_ENOMEM : BB_OK;

    if (err == BB_OK) {
        err = encode_pages(encoder, rows, row_count, dictionary, strip_flags, left_sizes,
                           page_rows, &page_count, sink, ctx);
    }
    if (err == BB_OK) {
        bb_buf_clear(columns);
        bb_pb_write_varint(columns, row_count);
        bb_pb_write_varint(columns, page_count);
        for (uint32_t i = 0; i < page_count; i++) {
            bb_pb_write_varint(columns, page_rows[i]);
        }
        put_columns(columns, rows, row_count, strip_flags, left_sizes);
        err = emit(encoder, 0, columns, sink, ctx);
    }
    bb_arena_dispose(&arena);
    return err;
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

static bool read_times(struct bb_pb_reader *reader, struct bb_block *block)
{
    uint64_t start = 0;
    uint64_t coded;

    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!bb_pb_read_varint(reader, &coded)) {
            return false;
        }
        start += unzigzag(coded);
        block->rows[i].start_unix_ns = start;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!bb_pb_read_varint(reader, &coded)) {
            return false;
        }
        block->rows[i].end_unix_ns = block->rows[i].start_unix_ns + unzigzag(coded);
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
        if (!read_varint_up_to(reader, dictionary->scopes.count - 1,
                               &block->rows[i].scope_code)) {
            return false;
        }
    }
    const uint8_t *flags = read_fixed(reader, block->row_count);
    if (flags == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        block->rows[i].status_code = flags[i] & 3;
        block->strip_flags[i] = flags[i] >> 2;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!read_varint_up_to(reader, BB_FRAME_PLAIN_BYTES_MAX, &block->left_sizes[i])) {
            return false;
        }
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
    if (!read_varint_up_to(&reader, BB_BLOCK_SPANS_MAX, &block.row_count) ||
        !read_varint_up_to(&reader, block.row_count, &block.page_count)) {
        return BB_ECORRUPT;
    }
    block.rows = bb_arena_try_calloc(arena, block.row_count, sizeof *block.rows);
    block.strip_flags = bb_arena_try_alloc(arena, block.row_count);
    block.left_sizes = bb_arena_try_alloc(arena, block.row_count * sizeof *block.left_sizes);
    block.page_first_rows =
        bb_arena_try_alloc(arena, (block.page_count + 1) * sizeof *block.page_first_rows);
    block.page_is_loaded = bb_arena_try_calloc(arena, block.page_count, sizeof(bool));
    if (block.rows == NULL || block.strip_flags == NULL || block.left_sizes == NULL ||
        block.page_first_rows == NULL || block.page_is_loaded == NULL) {
        return BB_ENOMEM;
    }
    if (!read_pages(&reader, &block) || !read_traces(&reader, &block) ||
        !read_span_ids(&reader, &block) || !read_times(&reader, &block) ||
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

enum bb_err bb_block_load_page(struct bb_block *block, uint32_t page, struct bb_slice page_frame,
                               const struct bb_dictionary *dictionary, struct bb_arena *arena)
{
    uint32_t first = block->page_first_rows[page];
    uint32_t end = block->page_first_rows[page + 1];
    size_t offset = 0;
    struct bb_slice plain;
    struct bb_buf restored;

    if (block->page_is_loaded[page]) {
        return BB_OK;
    }
    enum bb_err err = bb_zstd_inflate(page_frame, BB_FRAME_PLAIN_BYTES_MAX, arena, &plain);
    if (err != BB_OK) {
        return err;
    }
    bb_buf_init(&restored, BB_FRAME_PLAIN_BYTES_MAX);
    for (uint32_t i = first; i < end && err == BB_OK; i++) {
        struct bb_row *row = &block->rows[i];
        struct bb_slice left = bb_slice_of(plain.data + offset, block->left_sizes[i]);
        if (left.size > plain.size - offset) {
            err = BB_ECORRUPT;
            break;
        }
        offset += left.size;
        if (block->strip_flags[i] == BB_STRIP_WHOLE) {
            row->bytes = left;
            continue;
        }
        struct bb_span_ref span = span_of(row, dictionary);
        bb_buf_clear(&restored);
        bb_span_restore(block->strip_flags[i], left, &span, &restored);
        err = bb_buf_err(&restored);
        if (err == BB_OK) {
            row->bytes = bb_arena_try_copy(arena, bb_buf_slice(&restored));
            err = row->bytes.data == NULL ? BB_ENOMEM : BB_OK;
        }
    }
    bb_buf_dispose(&restored);
    if (err == BB_OK && offset != plain.size) {
        err = BB_ECORRUPT;
    }
    block->page_is_loaded[page] = err == BB_OK;
    return err;
}
