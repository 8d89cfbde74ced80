#include "query/cli/waterfall.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/otlp_view.h"
#include "common/time_text.h"
#include "query/cli/cli.h"
#include "query/cli/screen_text.h"
#include "query/cli/span_tree.h"
#include "query/search_params.h"

#define DURATION_WIDTH 8
#define GAP 2
#define MARK_WIDTH 1
#define BAR_WIDTH_MIN 10
/* A level of the tree takes three columns, or fewer when the trace is so deep that nothing would be
 * left for the names. */
#define INDENT_WIDTH_MAX 3
#define NAME_WIDTH_MIN 20
#define LEVELS_MAX 64
#define DETAIL_INDENT 3

/* The characters of the tree and the bars. */
struct glyphs {
    const char *through; /* an ancestor has more children below */
    const char *branch;
    const char *last;
    const char *dash; /* behind a branch */
    const char *bar;
    const char *sliver; /* shorter than half a column */
};

static const struct glyphs unicode_glyphs = {
    .through = "\xe2\x94\x82", /* U+2502 */
    .branch = "\xe2\x94\x9c",  /* U+251C */
    .last = "\xe2\x94\x94",    /* U+2514 */
    .dash = "\xe2\x94\x80",    /* U+2500 */
    .bar = "\xe2\x96\x88",     /* U+2588 */
    .sliver = "\xe2\x96\x8f",  /* U+258F */
};

static const struct glyphs ascii_glyphs = {
    .through = "|",
    .branch = "|",
    .last = "`",
    .dash = "-",
    .bar = "#",
    .sliver = "|",
};

struct drawing {
    const struct bb_span_batch *batch;
    const struct bb_screen *screen;
    const struct glyphs *glyphs;
    struct bb_span_tree tree;
    struct bb_buf *out;
    struct bb_buf scratch; /* of one value or label */
    size_t label_width;
    size_t bar_width;
    size_t indent_width;
    uint32_t level_count_max;        /* deeper spans are told by a number */
    bool more_below[LEVELS_MAX + 1]; /* by depth: does the ancestor there have another sibling? */
};

/* Durations for people have a micro sign, which an ASCII screen writes as "us". */
static void append_duration(const struct drawing *drawing, uint64_t ns, struct bb_buf *out)
{
    char text[BB_DURATION_TEXT_SIZE];
    size_t size = bb_duration_format(ns, text);
    const char *micro = strstr(text, "\xc2\xb5");

    if (micro == NULL || drawing->screen->has_unicode) {
        bb_buf_append(out, text, size);
    } else {
        bb_buf_append(out, text, (size_t)(micro - text));
        bb_buf_append_cstr(out, "us");
    }
}

static struct bb_slice service_of(const struct drawing *drawing, const struct bb_span_ref *span)
{
    struct bb_slice name = drawing->batch->resources[span->resource_index].service_name;

    return name.size > 0 ? name : bb_slice_from_cstr(BB_NO_SERVICE_NAME);
}

/* Distinct services; there are few, so each is compared with those before it. */
static uint32_t count_services(const struct bb_span_batch *batch)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < batch->resource_count; i++) {
        uint32_t j = 0;
        while (j < i && !bb_slice_equals(batch->resources[i].service_name,
                                         batch->resources[j].service_name)) {
            j++;
        }
        count += j == i ? 1 : 0;
    }
    return count;
}

static void draw_head(struct drawing *drawing)
{
    const struct bb_span_tree *tree = &drawing->tree;
    const struct bb_span_ref *root = tree->nodes[0].span;
    uint32_t service_count = count_services(drawing->batch);
    char id[BB_TRACE_ID_HEX_SIZE];
    char start[BB_RFC3339_TEXT_SIZE];
    struct bb_buf *out = drawing->out;

    bb_trace_id_format(&root->trace_id, id);
    (void)bb_rfc3339_format(tree->start_unix_ns, 3, start);
    bb_buf_printf(out, "%sTrace %s  ", bb_colour_on(drawing->screen, BB_COLOUR_STRONG), id);
    (void)bb_screen_text_append(out, service_of(drawing, root), BB_WIDTH_ANY);
    bb_buf_append_cstr(out, ": ");
    (void)bb_screen_text_append(out, root->name, BB_WIDTH_ANY);
    bb_buf_printf(out, "%s\n%s  ", bb_colour_off(drawing->screen), start);
    append_duration(drawing, tree->end_unix_ns - tree->start_unix_ns, out);
    bb_buf_printf(out, "  %u %s  %u %s", tree->count, bb_plural(tree->count, "span", "spans"),
                  service_count, bb_plural(service_count, "service", "services"));
    if (tree->error_count > 0) {
        bb_buf_printf(out, "  %s%u %s%s", bb_colour_on(drawing->screen, BB_COLOUR_ERROR),
                      tree->error_count, bb_plural(tree->error_count, "error", "errors"),
                      bb_colour_off(drawing->screen));
    }
    if (tree->orphan_count > 0) {
        bb_buf_printf(out, "  %u without %s parent", tree->orphan_count,
                      bb_plural(tree->orphan_count, "its", "their"));
    }
    bb_buf_append_cstr(out, "\n\n");
}

static void draw_duration_right(struct drawing *drawing, uint64_t ns, size_t width)
{
    bb_buf_clear(&drawing->scratch);
    append_duration(drawing, ns, &drawing->scratch);
    size_t taken = bb_screen_text_width(bb_buf_slice(&drawing->scratch));
    bb_screen_text_append_spaces(drawing->out, taken < width ? width - taken : 0);
    bb_buf_append_slice(drawing->out, bb_buf_slice(&drawing->scratch));
}

/* The titles, and the time axis: 0 at the left, the whole duration at the right. */
static void draw_titles(struct drawing *drawing)
{
    bb_buf_append_cstr(drawing->out, bb_colour_on(drawing->screen, BB_COLOUR_QUIET));
    bb_screen_text_append_padded(drawing->out, bb_slice_from_cstr("SPAN"), drawing->label_width);
    bb_screen_text_append_spaces(drawing->out, GAP);
    bb_buf_append_cstr(drawing->out, "DURATION");
    bb_screen_text_append_spaces(drawing->out, GAP + MARK_WIDTH + 1);
    bb_buf_append_byte(drawing->out, '0');
    draw_duration_right(drawing, drawing->tree.end_unix_ns - drawing->tree.start_unix_ns,
                        drawing->bar_width - 1);
    bb_buf_append_cstr(drawing->out, bb_colour_off(drawing->screen));
    bb_buf_append_byte(drawing->out, '\n');
}

/* One level of the tree, `indent_width` columns. */
static void draw_level(struct drawing *drawing, const char *line, bool has_dash)
{
    bb_buf_append_cstr(drawing->out, line);
    if (has_dash && drawing->indent_width > 1) {
        bb_buf_append_cstr(drawing->out, drawing->glyphs->dash);
        bb_screen_text_append_spaces(drawing->out, drawing->indent_width - 2);
    } else {
        bb_screen_text_append_spaces(drawing->out, drawing->indent_width - 1);
    }
}

/* The lines of the tree left of a span; returns their width. `of_details` are the lines below it.
 * */
static size_t draw_branches(struct drawing *drawing, const struct bb_tree_node *node,
                            bool of_details)
{
    uint32_t levels =
        node->depth < drawing->level_count_max ? node->depth : drawing->level_count_max;
    const struct glyphs *glyphs = drawing->glyphs;

    for (uint32_t level = 1; level <= levels; level++) {
        bool has_more = drawing->more_below[level];
        if (level < levels || of_details) {
            draw_level(drawing, has_more ? glyphs->through : " ", false);
        } else {
            draw_level(drawing, has_more ? glyphs->branch : glyphs->last, true);
        }
    }
    return (size_t)levels * drawing->indent_width;
}

static void draw_label(struct drawing *drawing, const struct bb_tree_node *node)
{
    struct bb_buf *label = &drawing->scratch;
    size_t taken = draw_branches(drawing, node, false);

    bb_buf_clear(label);
    if (node->depth > drawing->level_count_max) {
        bb_buf_printf(label, "(depth %u) ", node->depth);
    }
    bb_buf_append_slice(label, service_of(drawing, node->span));
    bb_buf_append_byte(label, ' ');
    bb_buf_append_slice(label, node->span->name);
    if (node->is_orphan) {
        bb_buf_append_cstr(label, " (parent missing)");
    }
    bb_screen_text_append_padded(drawing->out, bb_buf_slice(label), drawing->label_width - taken);
}

static void draw_bar(struct drawing *drawing, const struct bb_span_ref *span)
{
    const struct bb_span_tree *tree = &drawing->tree;
    bool is_error = span->status_code == BB_STATUS_ERROR;
    double total = (double)(tree->end_unix_ns - tree->start_unix_ns);
    double scale = total > 0 ? (double)drawing->bar_width / total : 0;
    double left = (double)(span->start_unix_ns - tree->start_unix_ns) * scale;
    double length = (double)bb_span_duration_ns(span) * scale;
    size_t begin = (size_t)left;
    size_t end = (size_t)(left + length + 0.5);

    if (begin >= drawing->bar_width) {
        begin = drawing->bar_width - 1;
    }
    if (end > drawing->bar_width) {
        end = drawing->bar_width;
    }
    bb_screen_text_append_spaces(drawing->out, begin);
    bb_buf_append_cstr(drawing->out,
                       bb_colour_on(drawing->screen, is_error ? BB_COLOUR_ERROR : BB_COLOUR_NONE));
    if (length < 0.5 || end <= begin) {
        bb_buf_append_cstr(drawing->out, drawing->glyphs->sliver);
    }
    for (size_t i = begin; length >= 0.5 && i < end; i++) {
        bb_buf_append_cstr(drawing->out, drawing->glyphs->bar);
    }
    bb_buf_append_cstr(drawing->out, is_error ? bb_colour_off(drawing->screen) : "");
}

static void draw_span(struct drawing *drawing, const struct bb_tree_node *node)
{
    bool is_error = node->span->status_code == BB_STATUS_ERROR;

    if (node->depth <= LEVELS_MAX) {
        drawing->more_below[node->depth] = !node->is_last;
    }
    draw_label(drawing, node);
    bb_screen_text_append_spaces(drawing->out, GAP);
    draw_duration_right(drawing, bb_span_duration_ns(node->span), DURATION_WIDTH);
    bb_screen_text_append_spaces(drawing->out, GAP);
    bb_buf_printf(drawing->out, "%s%c%s ",
                  bb_colour_on(drawing->screen, is_error ? BB_COLOUR_ERROR : BB_COLOUR_NONE),
                  is_error ? '!' : ' ', is_error ? bb_colour_off(drawing->screen) : "");
    draw_bar(drawing, node->span);
    bb_buf_append_byte(drawing->out, '\n');
}

/* One line below a span, from what stands in the scratch buffer. */
static void draw_detail(struct drawing *drawing, const struct bb_tree_node *node)
{
    size_t width = BB_WIDTH_ANY;
    size_t taken = draw_branches(drawing, node, true);
    bool has_line = node->has_children && node->depth < drawing->level_count_max;

    bb_buf_append_cstr(drawing->out, has_line ? drawing->glyphs->through : " ");
    bb_screen_text_append_spaces(drawing->out, DETAIL_INDENT - 1);
    taken += DETAIL_INDENT;
    if (drawing->screen->is_terminal) {
        width = drawing->screen->width > taken ? drawing->screen->width - taken : 1;
    }
    bb_buf_append_cstr(drawing->out, bb_colour_on(drawing->screen, BB_COLOUR_QUIET));
    (void)bb_screen_text_append(drawing->out, bb_buf_slice(&drawing->scratch), width);
    bb_buf_append_cstr(drawing->out, bb_colour_off(drawing->screen));
    bb_buf_append_byte(drawing->out, '\n');
    if (bb_buf_err(&drawing->scratch) != BB_OK) {
        drawing->out->err = bb_buf_err(&drawing->scratch);
    }
}

/* A line an attribute, "<prefix>key = value". */
static void draw_attributes(struct drawing *drawing, const struct bb_tree_node *node,
                            const char *prefix, struct bb_slice message, uint32_t field_number)
{
    struct bb_attribute_iter iter = bb_attribute_iter_of(message, field_number);
    struct bb_attribute attribute;

    while (bb_attribute_next(&iter, &attribute)) {
        bb_buf_clear(&drawing->scratch);
        bb_buf_append_cstr(&drawing->scratch, prefix);
        bb_buf_append_slice(&drawing->scratch, attribute.key);
        bb_buf_append_cstr(&drawing->scratch, " = ");
        bb_value_append_text(&attribute.value, &drawing->scratch);
        draw_detail(drawing, node);
    }
}

/* A moment, as distance from the start of the trace. */
static void append_moment(struct drawing *drawing, uint64_t unix_ns)
{
    bool is_before = unix_ns < drawing->tree.start_unix_ns;

    bb_buf_append_byte(&drawing->scratch, is_before ? '-' : '+');
    append_duration(drawing,
                    is_before ? drawing->tree.start_unix_ns - unix_ns
                              : unix_ns - drawing->tree.start_unix_ns,
                    &drawing->scratch);
}

static void draw_events(struct drawing *drawing, const struct bb_tree_node *node)
{
    struct bb_pb_reader reader = bb_pb_reader_of(node->span->bytes);
    struct bb_event_view event;

    while (bb_event_next(&reader, &event)) {
        bb_buf_clear(&drawing->scratch);
        bb_buf_append_cstr(&drawing->scratch, "event ");
        append_moment(drawing, event.time_unix_ns);
        bb_buf_append_byte(&drawing->scratch, ' ');
        bb_buf_append_slice(&drawing->scratch, event.name);
        draw_detail(drawing, node);
        draw_attributes(drawing, node, "  ", event.bytes, BB_F_EVENT_ATTRIBUTES);
    }
}

static void append_hex(struct bb_buf *out, struct bb_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        bb_buf_printf(out, "%02x", bytes.data[i]);
    }
}

static void draw_links(struct drawing *drawing, const struct bb_tree_node *node)
{
    struct bb_pb_reader reader = bb_pb_reader_of(node->span->bytes);
    struct bb_link_view link;

    while (bb_link_next(&reader, &link)) {
        bb_buf_clear(&drawing->scratch);
        bb_buf_append_cstr(&drawing->scratch, "link to trace ");
        append_hex(&drawing->scratch, link.trace_id);
        bb_buf_append_cstr(&drawing->scratch, " span ");
        append_hex(&drawing->scratch, link.span_id);
        draw_detail(drawing, node);
        draw_attributes(drawing, node, "  ", link.bytes, BB_F_LINK_ATTRIBUTES);
    }
}

static void draw_details(struct drawing *drawing, const struct bb_tree_node *node)
{
    static const char *const status_words[] = {"unset", "ok", "error"};
    const struct bb_span_ref *span = node->span;
    const struct bb_span_batch *batch = drawing->batch;
    char id[BB_SPAN_ID_HEX_SIZE];
    struct bb_span_view view;

    bb_span_view_read(span->bytes, &view);
    bb_span_id_format(&span->span_id, id);
    bb_buf_clear(&drawing->scratch);
    bb_buf_printf(&drawing->scratch, "span %s  ", id);
    append_moment(drawing, span->start_unix_ns);
    bb_buf_printf(&drawing->scratch, "  %s", bb_span_kind_text(view.kind));
    if (view.status_code < BB_ARRAY_COUNT(status_words) && view.status_code != BB_STATUS_UNSET) {
        bb_buf_printf(&drawing->scratch, "  status %s%s", status_words[view.status_code],
                      view.status_message.size > 0 ? ": " : "");
        bb_buf_append_slice(&drawing->scratch, view.status_message);
    }
    draw_detail(drawing, node);
    draw_attributes(drawing, node, "", span->bytes, BB_F_SPAN_ATTRIBUTES);
    if (node->parent == BB_TREE_NONE ||
        drawing->tree.nodes[node->parent].span->resource_index != span->resource_index) {
        draw_attributes(drawing, node, "resource ", batch->resources[span->resource_index].bytes,
                        BB_F_RESOURCE_ATTRIBUTES);
    }
    draw_events(drawing, node);
    draw_links(drawing, node);
}

/* Shares the width between the label (three fifths) and the bar, and that of the label between the
 * tree and the names. */
static void lay_out(struct drawing *drawing)
{
    size_t between = GAP + DURATION_WIDTH + GAP + MARK_WIDTH + 1;
    size_t room = drawing->screen->width > between + 2 * BAR_WIDTH_MIN
                      ? drawing->screen->width - between
                      : 2 * BAR_WIDTH_MIN;
    uint32_t depth_max = 0;

    drawing->bar_width = room * 2 / 5 > BAR_WIDTH_MIN ? room * 2 / 5 : BAR_WIDTH_MIN;
    drawing->label_width = room - drawing->bar_width;
    size_t tree_width = drawing->label_width > NAME_WIDTH_MIN + INDENT_WIDTH_MAX
                            ? drawing->label_width - NAME_WIDTH_MIN
                            : INDENT_WIDTH_MAX;
    for (uint32_t i = 0; i < drawing->tree.count; i++) {
        uint32_t depth = drawing->tree.nodes[i].depth;
        depth_max = depth > depth_max ? depth : depth_max;
    }
    drawing->indent_width = INDENT_WIDTH_MAX;
    while (drawing->indent_width > 1 && depth_max > tree_width / drawing->indent_width) {
        drawing->indent_width--;
    }
    drawing->level_count_max = (uint32_t)(tree_width / drawing->indent_width);
    if (drawing->level_count_max > LEVELS_MAX) {
        drawing->level_count_max = LEVELS_MAX;
    }
}

enum bb_err bb_waterfall_render(const struct bb_span_batch *batch, const struct bb_screen *screen,
                                bool with_attributes, struct bb_arena *arena, struct bb_buf *out)
{
    struct drawing drawing = {
        .batch = batch,
        .screen = screen,
        .glyphs = screen->has_unicode ? &unicode_glyphs : &ascii_glyphs,
        .out = out,
    };

    BB_ASSERT(batch->span_count > 0);
    enum bb_err err = bb_span_tree_build(batch, arena, &drawing.tree);
    if (err != BB_OK) {
        return err;
    }
    bb_buf_init(&drawing.scratch, out->limit_bytes);
    lay_out(&drawing);
    draw_head(&drawing);
    draw_titles(&drawing);
    for (uint32_t i = 0; i < drawing.tree.count; i++) {
        draw_span(&drawing, &drawing.tree.nodes[i]);
        if (with_attributes) {
            draw_details(&drawing, &drawing.tree.nodes[i]);
        }
    }
    bb_buf_dispose(&drawing.scratch);
    return bb_buf_err(out);
}
