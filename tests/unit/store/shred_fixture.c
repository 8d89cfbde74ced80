#include "shred_fixture.h"

#include <string.h>

#include "common/check.h"
#include "common/otlp_walk.h"
#include "store/segment_index.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define PLAIN_BYTES_MAX ((size_t)256 << 20)

static void *take(struct shred_fixture *fx, size_t count, size_t size)
{
    void *taken = bb_arena_try_calloc(&fx->arena, count, size);

    BB_ASSERT(taken != NULL);
    return taken;
}

void shred_fixture_init(struct shred_fixture *fx)
{
    memset(fx, 0, sizeof *fx);
    bb_arena_init(&fx->arena, ARENA_BYTES);
    fx->shredder = take(fx, 1, sizeof *fx->shredder);
    fx->written = take(fx, 1, sizeof *fx->written);
    fx->read = take(fx, 1, sizeof *fx->read);
    fx->spans = take(fx, SHRED_ROWS_MAX, sizeof *fx->spans);
    fx->shapes = take(fx, SHRED_ROWS_MAX, sizeof *fx->shapes);
    bb_dictionary_init(fx->written, &fx->arena);
    BB_ASSERT(bb_shredder_init(fx->shredder, &fx->arena) == BB_OK);
}

void shred_fixture_dispose(struct shred_fixture *fx)
{
    bb_shredder_dispose(fx->shredder);
    bb_arena_dispose(&fx->arena);
}

uint32_t shred_fixture_add(struct shred_fixture *fx, struct bb_slice message)
{
    struct bb_span_ref *span = &fx->spans[fx->row_count];
    uint32_t *shape = &fx->shapes[fx->row_count];

    BB_ASSERT(fx->row_count < SHRED_ROWS_MAX);
    message = bb_arena_try_copy(&fx->arena, message);
    BB_ASSERT(message.data != NULL);
    BB_ASSERT(bb_otlp_read_span(message, span) == BB_OK);
    BB_ASSERT(bb_shred_span(fx->shredder, span, shape) == BB_OK);
    fx->row_count++;
    return *shape;
}

void shred_fixture_end_page(struct shred_fixture *fx)
{
    struct shred_page *page = &fx->pages[fx->page_count];

    BB_ASSERT(fx->page_count < SHRED_PAGES_MAX);
    page->end_row = fx->row_count;
    page->column_count = fx->shredder->columns.count;
    page->end_values = take(fx, page->column_count, sizeof *page->end_values);
    for (uint32_t i = 0; i < page->column_count; i++) {
        page->end_values[i] = fx->shredder->vectors[i].count;
    }
    fx->page_count++;
}

static uint32_t first_row_of(const struct shred_fixture *fx, uint32_t page)
{
    return page == 0 ? 0 : fx->pages[page - 1].end_row;
}

static void encode_page(struct shred_fixture *fx, uint32_t index)
{
    uint32_t column_count = fx->shredder->columns.count;
    struct shred_page *page = &fx->pages[index];
    uint32_t *first = take(fx, column_count, sizeof *first);
    uint32_t *end = take(fx, column_count, sizeof *end);
    uint32_t first_row = first_row_of(fx, index);
    struct bb_buf plain;

    memcpy(end, page->end_values, page->column_count * sizeof *end);
    if (index > 0) {
        const struct shred_page *before = &fx->pages[index - 1];
        memcpy(first, before->end_values, before->column_count * sizeof *first);
    }
    bb_buf_init(&plain, PLAIN_BYTES_MAX);
    bb_page_encode(fx->shredder, fx->plans, fx->shapes + first_row, page->end_row - first_row,
                   first, end, &plain);
    BB_ASSERT(bb_buf_err(&plain) == BB_OK);
    page->plain = bb_arena_try_copy(&fx->arena, bb_buf_slice(&plain));
    BB_ASSERT(page->plain.data != NULL);
    bb_buf_dispose(&plain);
}

void shred_fixture_finish(struct shred_fixture *fx)
{
    struct bb_buf frame;

    if (first_row_of(fx, fx->page_count) < fx->row_count) {
        shred_fixture_end_page(fx);
    }
    BB_ASSERT(bb_plan_columns(fx->shredder, &fx->arena, &fx->plans) == BB_OK);
    for (uint32_t i = 0; i < fx->page_count; i++) {
        encode_page(fx, i);
    }
    bb_buf_init(&frame, PLAIN_BYTES_MAX);
    BB_ASSERT(bb_dictionary_encode(fx->written, fx->shredder, fx->plans, &frame) == BB_OK);
    BB_ASSERT(bb_dictionary_decode(bb_buf_slice(&frame), &fx->arena, fx->read) == BB_OK);
    bb_buf_dispose(&frame);
}

enum bb_err shred_fixture_read(const struct shred_fixture *fx, uint32_t index,
                               struct bb_slice plain, struct bb_buf *out)
{
    uint32_t first_row = first_row_of(fx, index);
    uint32_t end_row = fx->pages[index].end_row;
    struct bb_page_reader reader;
    struct bb_arena arena;

    bb_arena_init(&arena, ARENA_BYTES);
    enum bb_err err = bb_page_reader_init(&reader, plain, end_row - first_row, fx->read, &arena);
    for (uint32_t row = first_row; row < end_row && err == BB_OK; row++) {
        err = bb_page_next(&reader, &fx->spans[row], out);
    }
    bb_arena_dispose(&arena);
    return err;
}

/* Reads rows of a page, all of them or every third one. */
static void check_page(const struct shred_fixture *fx, uint32_t index, uint32_t step)
{
    uint32_t first_row = first_row_of(fx, index);
    uint32_t end_row = fx->pages[index].end_row;
    struct bb_page_reader reader;
    struct bb_arena arena;
    struct bb_buf message;

    bb_arena_init(&arena, ARENA_BYTES);
    bb_buf_init(&message, PLAIN_BYTES_MAX);
    BB_ASSERT(bb_page_reader_init(&reader, fx->pages[index].plain, end_row - first_row, fx->read,
                                  &arena) == BB_OK);
    for (uint32_t row = first_row; row < end_row; row++) {
        bool is_wanted = (row - first_row) % step == step - 1;
        struct bb_span_ref span = fx->spans[row];
        span.bytes = bb_slice_of(NULL, 0); /* what it is to give back is no help to it */
        bb_buf_clear(&message);
        BB_ASSERT(bb_page_next(&reader, &span, is_wanted ? &message : NULL) == BB_OK);
        BB_ASSERT(!is_wanted || bb_slice_equals(bb_buf_slice(&message), fx->spans[row].bytes));
    }
    bb_buf_dispose(&message);
    bb_arena_dispose(&arena);
}

void shred_fixture_check(const struct shred_fixture *fx)
{
    BB_ASSERT(fx->page_count > 0 && fx->pages[fx->page_count - 1].end_row == fx->row_count);
    for (uint32_t i = 0; i < fx->page_count; i++) {
        check_page(fx, i, 1);
        check_page(fx, i, 3);
    }
}

uint64_t shred_fixture_value_count(const struct shred_fixture *fx)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < fx->shredder->columns.count; i++) {
        count += fx->shredder->vectors[i].count;
    }
    return count;
}

uint32_t shred_fixture_column(const struct shred_fixture *fx, enum bb_column_place place,
                              enum bb_column_type type, const char *key)
{
    for (uint32_t i = 0; i < fx->shredder->columns.count; i++) {
        struct bb_slice entry = bb_intern_get(&fx->shredder->columns, i);
        if (bb_column_place_of(entry) == place && bb_column_type_of(entry) == type &&
            bb_slice_equals_cstr(bb_column_key_of(entry), key)) {
            return i;
        }
    }
    return UINT32_MAX;
}
