/* json_pretty.h - indents a JSON document, four blanks a level: what v1's prettyPrint=true asks. */
#ifndef BB_QUERY_JSON_PRETTY_H
#define BB_QUERY_JSON_PRETTY_H

#include "common/buf.h"
#include "common/slice.h"

/* Appends `json`, one valid document without blanks between its tokens, to `out`, which keeps the
 * error. */
void bb_json_pretty_append(struct bb_slice json, struct bb_buf *out);

#endif /* BB_QUERY_JSON_PRETTY_H */
