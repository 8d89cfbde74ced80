/*
 * table_output.h - rows of text in columns that are as wide as their widest cell. The rows are kept
 * until the end, since only then are the widths known.
 */
#ifndef BB_QUERY_CLI_TABLE_OUTPUT_H
#define BB_QUERY_CLI_TABLE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "query/cli/terminal.h"

#define BB_TABLE_COLUMNS_MAX 8

struct bb_table_column {
    const char *title;
    bool is_right;   /* aligned to the right: numbers */
    bool may_shrink; /* gives way when the table is wider than the terminal; at most one column */
};

struct bb_table {
    struct bb_arena *arena; /* borrowed: keeps the cells */
    const struct bb_table_column *columns;
    uint32_t column_count;
    struct bb_buf rows; /* of struct bb_slice, column_count in a row */
};

/* `columns` is borrowed as long as the table is used. */
void bb_table_init(struct bb_table *table, const struct bb_table_column *columns,
                   uint32_t column_count, struct bb_arena *arena);
void bb_table_dispose(struct bb_table *table);

/* Adds the next cell, row by row; the bytes are copied. Errors stick in table->rows. */
void bb_table_add(struct bb_table *table, struct bb_slice text);
void bb_table_add_uint(struct bb_table *table, uint64_t value);

/*
 * Appends the titles and the rows to `out`. On a terminal, the column that may shrink is cut so
 * that the lines fit; into a pipe, everything is written.
 *
 * BB_OK
 * BB_ENOMEM, BB_ETOOBIG  a cell or `out` had no room
 */
BB_MUST_CHECK enum bb_err bb_table_render(const struct bb_table *table,
                                          const struct bb_screen *screen, struct bb_buf *out);

#endif /* BB_QUERY_CLI_TABLE_OUTPUT_H */
