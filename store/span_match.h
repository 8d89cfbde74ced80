/*
 * span_match.h - does a stored span match a search? The columns are asked first; the span's own
 * message is read only for conditions that need it.
 */
#ifndef BB_STORE_SPAN_MATCH_H
#define BB_STORE_SPAN_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "store/dictionary.h"
#include "store/row.h"
#include "store/store.h"

/* A search made ready for one segment. Lives in the arena. */
struct bb_matcher {
    const struct bb_search *search;
    const struct bb_dictionary *dictionary;
    /* Per code: does it hold what the search asks of it? NULL: nothing is asked. */
    uint8_t *operation_matches;
    uint32_t dictionary_counts[3]; /* operations, resources, scopes that the tables above cover */
    /* Per condition and code: does the resource (scope) have the attribute? In rows of codes. */
    uint8_t *resource_matches;
    uint8_t *scope_matches;
    bool needs_bytes;    /* some condition reads the span's message */
    bool can_match;      /* false: no row of this segment matches */
    struct bb_buf *text; /* borrowed: scratch */
};

/*
 * Makes `search` ready for rows whose codes are below what the dictionary held at the call; for an
 * active segment, take the row count first. `text` is scratch, borrowed. BB_ENOMEM.
 */
BB_MUST_CHECK enum bb_err bb_matcher_init(struct bb_matcher *matcher,
                                          const struct bb_search *search,
                                          const struct bb_dictionary *dictionary,
                                          struct bb_buf *text, struct bb_arena *arena);

/* All that can be told without the span's message: true when the row may match. */
bool bb_matcher_columns_match(const struct bb_matcher *matcher, const struct bb_row *row);

/* The rest, for a row whose bytes are loaded and whose columns match. */
bool bb_matcher_bytes_match(const struct bb_matcher *matcher, const struct bb_row *row);

#endif /* BB_STORE_SPAN_MATCH_H */
