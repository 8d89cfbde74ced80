/*
 * screen_text.c - the width tables are ranges of Unicode 15: those that terminals draw in two
 * columns (East Asian Width W and F, emoji) and those that take none (combining marks, selectors).
 * A width that is wrong for a rare character moves a column by one; it does no harm.
 */
#include "query/cli/screen_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

struct range {
    uint32_t first;
    uint32_t last;
};

static const struct range wide_ranges[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static const struct range zero_ranges[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

/* Marks that turn the writing direction: they could make a line read as something else. */
static const struct range direction_ranges[] = {
    {0x061c, 0x061c},
    {0x200e, 0x200f},
    {0x202a, 0x202e},
    {0x2066, 0x2069},
};

/* One character of the text, as it is shown. */
struct piece {
    struct bb_slice shown;
    size_t width;
    size_t consumed; /* bytes of the text */
    char escape[12]; /* `shown` may lie in here */
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count && code >= ranges[i].first; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Decodes a sequence that bb_utf8_sequence_size() has found to be well-formed. */
static uint32_t decode(const uint8_t *bytes, unsigned size)
{
    if (size == 1) {
        return bytes[0];
    }
    uint32_t code = bytes[0] & (0x7fu >> size);
    for (unsigned i = 1; i < size; i++) {
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    return code;
}

static void escape(struct piece *piece, uint32_t code)
{
    int length;

    if (code == '\n' || code == '\t' || code == '\r') {
        length = snprintf(piece->escape, sizeof(piece->escape), "\\%c",
                          code == '\n'   ? 'n'
                          : code == '\t' ? 't'
                                         : 'r');
    } else if (code < 0x100) {
        length = snprintf(piece->escape, sizeof(piece->escape), "\\x%02x", (unsigned)code);
    } else {
        length = snprintf(piece->escape, sizeof(piece->escape), "\\u%04x", (unsigned)code);
    }
    piece->shown = bb_slice_of(piece->escape, (size_t)length);
    piece->width = (size_t)length;
}

/* Reads the character at the start of `text`, which is not empty. */
static void next_piece(struct bb_slice text, struct piece *out_piece)
{
    unsigned size = bb_utf8_sequence_size(text);

    if (size == 0) {
        out_piece->shown = bb_slice_from_cstr(REPLACEMENT);
        out_piece->width = 1;
        out_piece->consumed = 1;
        return;
    }
    uint32_t code = decode(text.data, size);
    out_piece->shown = bb_slice_of(text.data, size);
    out_piece->width = 1;
    out_piece->consumed = size;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) ||
        is_in(direction_ranges, BB_ARRAY_COUNT(direction_ranges), code)) {
        escape(out_piece, code);
    } else if (is_in(zero_ranges, BB_ARRAY_COUNT(zero_ranges), code)) {
        out_piece->width = 0;
    } else if (is_in(wide_ranges, BB_ARRAY_COUNT(wide_ranges), code)) {
        out_piece->width = 2;
    }
}

static struct bb_slice skip(struct bb_slice text, size_t size)
{
    return bb_slice_of(text.data + size, text.size - size);
}

/* Adds up widths, but stops once `limit` is passed. */
static size_t width_up_to(struct bb_slice text, size_t limit)
{
    struct piece piece;
    size_t width = 0;

    while (text.size > 0 && width <= limit) {
        next_piece(text, &piece);
        text = skip(text, piece.consumed);
        width += piece.width;
    }
    return width;
}

size_t bb_screen_text_append(struct bb_buf *out, struct bb_slice text, size_t width_max)
{
    struct piece piece;
    size_t width = 0;
    bool is_cut = width_max != BB_WIDTH_ANY && width_up_to(text, width_max) > width_max;
    size_t room = is_cut && width_max > 0 ? width_max - 1 : width_max;

    while (text.size > 0) {
        next_piece(text, &piece);
        if (piece.width > room - width) {
            break;
        }
        bb_buf_append_slice(out, piece.shown);
        width += piece.width;
        text = skip(text, piece.consumed);
    }
    if (is_cut && width_max > 0) {
        bb_buf_append_cstr(out, ELLIPSIS);
        width++;
    }
    return width;
}

size_t bb_screen_text_width(struct bb_slice text)
{
    return width_up_to(text, BB_WIDTH_ANY - 16);
}

void bb_screen_text_append_padded(struct bb_buf *out, struct bb_slice text, size_t width)
{
    size_t taken = bb_screen_text_append(out, text, width);

    bb_screen_text_append_spaces(out, width - taken);
}

void bb_screen_text_append_spaces(struct bb_buf *out, size_t count)
{
    static const char spaces[] = "                                ";

    while (count > 0) {
        size_t size = count < sizeof(spaces) - 1 ? count : sizeof(spaces) - 1;
        bb_buf_append(out, spaces, size);
        count -= size;
    }
}
