#include "query/cli/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "query/cli/cli.h"

#define WIDTH_DEFAULT 100
#define WIDTH_MIN 40
#define WIDTH_MAX 1000
#define PROGRESS_INTERVAL_NS (100 * BB_NS_PER_MS)
#define PROGRESS_BAR_WIDTH 30

static size_t width_of(FILE *stream)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;

    if (width <= 0 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    if (width <= 0) {
        width = WIDTH_DEFAULT;
    }
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : (size_t)width;
}

static bool wants_colours(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (no_color == NULL || no_color[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

struct bb_screen bb_screen_of(FILE *stream)
{
    bool is_terminal = isatty(fileno(stream)) == 1;

    return (struct bb_screen){
        .is_terminal = is_terminal,
        .has_colours = is_terminal && wants_colours(),
        .has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .width = width_of(stream),
    };
}

const char *bb_colour_on(const struct bb_screen *screen, enum bb_colour colour)
{
    if (!screen->has_colours) {
        return "";
    }
    switch (colour) {
    case BB_COLOUR_ERROR:
        return "\x1b[31m";
    case BB_COLOUR_QUIET:
        return "\x1b[2m";
    case BB_COLOUR_STRONG:
        return "\x1b[1m";
    case BB_COLOUR_NONE:
        break;
    }
    return "";
}

const char *bb_colour_off(const struct bb_screen *screen)
{
    return screen->has_colours ? "\x1b[0m" : "";
}

void bb_progress_init(struct bb_progress *progress)
{
    *progress = (struct bb_progress){
        .screen = bb_screen_of(stderr),
        .start_ns = bb_clock_monotonic_ns(&bb_clock_system),
    };
}

void bb_progress_render(const struct bb_screen *screen, uint64_t span_count, uint64_t done,
                        uint64_t total, uint64_t elapsed_ns, struct bb_buf *out)
{
    uint64_t permille = total == 0 ? 1000 : (uint64_t)((double)done / (double)total * 1000);
    double seconds = (double)elapsed_ns / (double)BB_NS_PER_S;
    double spans_per_s = seconds > 0 ? (double)span_count / seconds : 0;
    size_t filled = (size_t)(permille * PROGRESS_BAR_WIDTH / 1000);

    if (screen->width >= 80) {
        bb_buf_append_byte(out, '[');
        for (size_t i = 0; i < PROGRESS_BAR_WIDTH; i++) {
            bb_buf_append_byte(out, i < filled ? '#' : '.');
        }
        bb_buf_append_cstr(out, "] ");
    }
    bb_buf_printf(out, "%3u%%  %llu %s  %.0f/s", (unsigned)(permille / 10),
                  (unsigned long long)span_count, bb_plural(span_count, "span", "spans"),
                  spans_per_s);
}

void bb_progress_update(struct bb_progress *progress, uint64_t span_count, uint64_t done,
                        uint64_t total)
{
    struct bb_buf line;
    uint64_t now_ns;

    if (!progress->screen.is_terminal) {
        return;
    }
    now_ns = bb_clock_monotonic_ns(&bb_clock_system);
    if (progress->is_drawn && now_ns - progress->drawn_ns < PROGRESS_INTERVAL_NS) {
        return;
    }
    bb_buf_init(&line, 1024);
    bb_buf_append_cstr(&line, "\r\x1b[K");
    bb_progress_render(&progress->screen, span_count, done, total, now_ns - progress->start_ns,
                       &line);
    (void)fwrite(line.data, 1, line.size, stderr);
    (void)fflush(stderr);
    bb_buf_dispose(&line);
    progress->drawn_ns = now_ns;
    progress->is_drawn = true;
}

void bb_progress_clear(struct bb_progress *progress)
{
    if (progress->is_drawn) {
        (void)fputs("\r\x1b[K", stderr);
        (void)fflush(stderr);
        progress->is_drawn = false;
    }
}
