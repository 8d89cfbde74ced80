/*
 * waterfall.h - one trace, drawn with characters: a line a span, its place in the tree, how long it
 * took, and when.
 *
 *   SPAN                                   DURATION    0          61.5ms          123ms
 *   frontend GET /checkout                    123ms    ################################
 *   |- cart GetCart                          12.3ms      ###
 *   `- payment Charge                        80.1ms  !         #####################
 */
#ifndef BB_QUERY_CLI_WATERFALL_H
#define BB_QUERY_CLI_WATERFALL_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/span_batch.h"
#include "query/cli/terminal.h"

/*
 * Appends the drawing of the spans of `batch`, at least one, all of one trace. With attributes,
 * each span is followed by its status, attributes, events and links, and by its resource's
 * attributes where that is another one than its parent's.
 *
 * BB_OK
 * BB_ENOMEM, BB_ETOOBIG  the arena or `out` had no room
 */
BB_MUST_CHECK enum bb_err bb_waterfall_render(const struct bb_span_batch *batch,
                                              const struct bb_screen *screen, bool with_attributes,
                                              struct bb_arena *arena, struct bb_buf *out);

#endif /* BB_QUERY_CLI_WATERFALL_H */
