/*
 * config_file.h - the syntax of the configuration file, which --print-config writes, too.
 *
 *   file   = *( line LF )
 *   line   = [ key "=" value ] [ "#" comment ]
 *   value  = bare / DQUOTE *( char / "\" DQUOTE / "\\" ) DQUOTE
 *
 * Blanks around each part don't count. A "#" begins a comment at the start of a line or value, or
 * behind a blank. A bare value has no DQUOTE in front, no control characters and ends where the
 * comment begins; whatever else a value is, it is quoted.
 */
#ifndef BB_COLLECTOR_CONFIG_FILE_H
#define BB_COLLECTOR_CONFIG_FILE_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

struct bb_config_entry {
    const char *key; /* in the arena */
    const char *value;
    unsigned line; /* from 1 */
};

/* A place in a file's text. At the start `rest` is all of it and `line` is 0. */
struct bb_config_cursor {
    struct bb_slice rest;
    unsigned line; /* the last one read */
};

/*
 * Reads up to the next entry.
 *
 * BB_OK        *out_entry is set
 * BB_ENOTFOUND there is no further entry
 * BB_EINVAL    line `cursor->line` is no entry; detail says why
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_config_next_entry(struct bb_config_cursor *cursor,
                                               struct bb_arena *arena,
                                               struct bb_config_entry *out_entry,
                                               struct bb_err_detail *detail);

/* Appends `value` so that it reads back as it is: bare where that does, else quoted. */
void bb_config_append_value(struct bb_buf *out, const char *value);

#endif /* BB_COLLECTOR_CONFIG_FILE_H */
