/*
 * terminal.h - what stdout and stderr are (width, colours, characters), and the progress bar.
 */
#ifndef BB_QUERY_CLI_TERMINAL_H
#define BB_QUERY_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"

/* How to draw. A plain value: tests fill it by hand. */
struct bb_screen {
    bool is_terminal;
    bool has_colours; /* ANSI escapes are wanted */
    bool has_unicode; /* the locale's characters are UTF-8: lines and bars are drawn with them */
    size_t width;     /* columns */
};

/*
 * Looks at `stream`. Colours: on a terminal, unless NO_COLOR is set (no-color.org) or TERM is
 * "dumb". Width: COLUMNS, else the terminal's, else 100.
 */
struct bb_screen bb_screen_of(FILE *stream);

/* Colours by meaning; static storage, "" when the screen has none. */
enum bb_colour { BB_COLOUR_NONE, BB_COLOUR_ERROR, BB_COLOUR_QUIET, BB_COLOUR_STRONG };
const char *bb_colour_on(const struct bb_screen *screen, enum bb_colour colour);
const char *bb_colour_off(const struct bb_screen *screen);

/*
 * A bar on stderr, when that is a terminal; else every call does nothing. It is drawn at most ten
 * times a second.
 */
struct bb_progress {
    struct bb_screen screen;
    uint64_t start_ns; /* monotonic, as are the next two */
    uint64_t drawn_ns;
    bool is_drawn;
};

void bb_progress_init(struct bb_progress *progress);
/* `span_count` spans have been sent, which is `done` of `total` of the work. */
void bb_progress_update(struct bb_progress *progress, uint64_t span_count, uint64_t done,
                        uint64_t total);
/* Wipes the bar, so that other text can be written. */
void bb_progress_clear(struct bb_progress *progress);

/* Appends the bar for a screen of `width` columns, without a line end: the part that is tested. */
void bb_progress_render(const struct bb_screen *screen, uint64_t span_count, uint64_t done,
                        uint64_t total, uint64_t elapsed_ns, struct bb_buf *out);

#endif /* BB_QUERY_CLI_TERMINAL_H */
