/*
 * screen_text.h - text from outside on a terminal: how many columns it takes, and nothing in it
 * that the terminal would obey. Span names and attribute values come from anybody, so control
 * characters are escaped ("\n", "\t", "\x1b"), and bytes that are not UTF-8 become U+FFFD.
 */
#ifndef BB_QUERY_CLI_SCREEN_TEXT_H
#define BB_QUERY_CLI_SCREEN_TEXT_H

#include <stddef.h>

#include "common/buf.h"
#include "common/slice.h"

#define BB_WIDTH_ANY SIZE_MAX

/*
 * Appends `text` in at most `width_max` columns; if it has to be cut, the last one is an ellipsis
 * (U+2026). Returns the columns taken.
 */
size_t bb_screen_text_append(struct bb_buf *out, struct bb_slice text, size_t width_max);

/* The columns that bb_screen_text_append() takes when nothing is cut. */
size_t bb_screen_text_width(struct bb_slice text);

/* Appends `text` and spaces up to `width` columns; text that is wider is cut. */
void bb_screen_text_append_padded(struct bb_buf *out, struct bb_slice text, size_t width);

/* Appends `count` spaces. */
void bb_screen_text_append_spaces(struct bb_buf *out, size_t count);

#endif /* BB_QUERY_CLI_SCREEN_TEXT_H */
