#include "query/cli/table_output.h"

#include <stdio.h>

#include "query/cli/screen_text.h"

#define ROWS_BYTES_MAX (256u << 20)
#define GAP 2
#define SHRUNK_WIDTH_MIN 12

void bb_table_init(struct bb_table *table, const struct bb_table_column *columns,
                   uint32_t column_count, struct bb_arena *arena)
{
    BB_ASSERT(column_count <= BB_TABLE_COLUMNS_MAX);
    *table = (struct bb_table){
        .arena = arena,
        .columns = columns,
        .column_count = column_count,
    };
    bb_buf_init(&table->rows, ROWS_BYTES_MAX);
}

void bb_table_dispose(struct bb_table *table)
{
    if (table != NULL) {
        bb_buf_dispose(&table->rows);
    }
}

void bb_table_add(struct bb_table *table, struct bb_slice text)
{
    struct bb_slice copy = bb_arena_try_copy(table->arena, text);

    if (copy.data == NULL) {
        table->rows.err = BB_ENOMEM;
    }
    bb_buf_append(&table->rows, &copy, sizeof(copy));
}

void bb_table_add_uint(struct bb_table *table, uint64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

    bb_table_add(table, bb_slice_of(text, (size_t)length));
}

/* The width of each column; returns the width of a whole line. */
static size_t measure(const struct bb_table *table, const struct bb_slice *cells, size_t cell_count,
                      size_t widths[BB_TABLE_COLUMNS_MAX])
{
    size_t sum = 0;

    for (uint32_t i = 0; i < table->column_count; i++) {
        widths[i] = bb_screen_text_width(bb_slice_from_cstr(table->columns[i].title));
    }
    for (size_t i = 0; i < cell_count; i++) {
        size_t width = bb_screen_text_width(cells[i]);
        uint32_t column = (uint32_t)(i % table->column_count);
        if (width > widths[column]) {
            widths[column] = width;
        }
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        sum += widths[i] + (i > 0 ? GAP : 0);
    }
    return sum;
}

/* Takes what is too much from the column that may shrink. */
static void shrink(const struct bb_table *table, size_t too_much,
                   size_t widths[BB_TABLE_COLUMNS_MAX])
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].may_shrink) {
            size_t room = widths[i] > SHRUNK_WIDTH_MIN ? widths[i] - SHRUNK_WIDTH_MIN : 0;
            widths[i] -= too_much < room ? too_much : room;
        }
    }
}

/* One line; the last column isn't padded, so that lines have no spaces at their end. */
static void render_row(const struct bb_table *table, const struct bb_slice *cells,
                       const size_t widths[BB_TABLE_COLUMNS_MAX], struct bb_buf *out)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        bool is_last = i + 1 == table->column_count;
        if (i > 0) {
            bb_screen_text_append_spaces(out, GAP);
        }
        if (table->columns[i].is_right) {
            size_t width = bb_screen_text_width(cells[i]);
            bb_screen_text_append_spaces(out, width < widths[i] ? widths[i] - width : 0);
            (void)bb_screen_text_append(out, cells[i], widths[i]);
        } else if (is_last) {
            (void)bb_screen_text_append(out, cells[i], widths[i]);
        } else {
            bb_screen_text_append_padded(out, cells[i], widths[i]);
        }
    }
}

enum bb_err bb_table_render(const struct bb_table *table, const struct bb_screen *screen,
                            struct bb_buf *out)
{
    const struct bb_slice *cells = (const struct bb_slice *)(const void *)table->rows.data;
    size_t cell_count = table->rows.size / sizeof(*cells);
    struct bb_slice titles[BB_TABLE_COLUMNS_MAX];
    size_t widths[BB_TABLE_COLUMNS_MAX];

    if (bb_buf_err(&table->rows) != BB_OK) {
        return bb_buf_err(&table->rows);
    }
    size_t width = measure(table, cells, cell_count, widths);
    if (screen->is_terminal && width > screen->width) {
        shrink(table, width - screen->width, widths);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        titles[i] = bb_slice_from_cstr(table->columns[i].title);
    }
    bb_buf_append_cstr(out, bb_colour_on(screen, BB_COLOUR_STRONG));
    render_row(table, titles, widths, out);
    bb_buf_append_cstr(out, bb_colour_off(screen));
    bb_buf_append_byte(out, '\n');
    for (size_t i = 0; i + table->column_count <= cell_count; i += table->column_count) {
        render_row(table, cells + i, widths, out);
        bb_buf_append_byte(out, '\n');
    }
    return bb_buf_err(out);
}
