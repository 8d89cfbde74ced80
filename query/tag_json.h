/*
 * tag_json.h - the JSON object of tags in a search: {"http.status_code":"200","retry":true}.
 */
#ifndef BB_QUERY_TAG_JSON_H
#define BB_QUERY_TAG_JSON_H

#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/slice.h"

struct bb_tag {
    struct bb_slice key;
    struct bb_slice value; /* as text: what search compares with */
};

/*
 * Reads one flat JSON object. Values are strings, numbers (200 is the text "200", 72.50 is "72.5")
 * or booleans.
 *
 * detail  may be NULL; what was expected, and at which byte
 *
 * BB_OK       *out_tags is set, in the order of the text; keys may repeat; all in the arena
 * BB_EINVAL   no such object
 * BB_ETOOBIG  more than BB_SEARCH_CONDITIONS_MAX members
 * BB_ENOMEM
 */
BB_MUST_CHECK enum bb_err bb_tag_json_parse(struct bb_slice text, struct bb_arena *arena,
                                            struct bb_err_detail *detail, struct bb_tag **out_tags,
                                            uint32_t *out_count);

#endif /* BB_QUERY_TAG_JSON_H */
