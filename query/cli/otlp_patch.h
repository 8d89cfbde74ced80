/*
 * otlp_patch.h - other times and ids in OTLP protobuf bytes, in place: times are fixed64 and ids
 * have fixed sizes, so nothing moves. What the recording is to become is a struct bb_otlp_patch;
 * the same one serves the JSON form (json_read.h).
 */
#ifndef BB_QUERY_CLI_OTLP_PATCH_H
#define BB_QUERY_CLI_OTLP_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"
#include "query/cli/id_map.h"

struct bb_otlp_patch {
    bool has_shift; /* the moment `from_unix_ns` becomes `to_unix_ns`, all others keep distance */
    uint64_t from_unix_ns;
    uint64_t to_unix_ns;
    bool has_fresh_ids;
    struct bb_id_map ids;
};

/* What a request holds. */
struct bb_otlp_totals {
    uint64_t span_count;
    uint64_t newest_end_unix_ns; /* of all spans; 0 without spans */
};

/* The time `unix_ns` after the shift. 0 ("not set") stays 0; what would lie before the epoch or
 * behind the last time that 64 bits hold becomes the nearest that doesn't. */
uint64_t bb_otlp_patch_time(const struct bb_otlp_patch *patch, uint64_t unix_ns);

/*
 * Patches the `size` bytes of an ExportTraceServiceRequest: the start, end and event times; with
 * fresh ids the trace, span and parent ids, those of links, and the UUIDs in string attributes. A
 * field of another size than it should have is left alone: the receiver will say what is wrong.
 *
 * BB_OK
 * BB_EINVAL  the envelope is malformed; what stood before the damage is patched
 */
BB_MUST_CHECK enum bb_err bb_otlp_patch_apply(const struct bb_otlp_patch *patch, uint8_t *bytes,
                                              size_t size);

/*
 * Counts the spans and finds the newest end.
 *
 * BB_OK      *out_totals is set
 * BB_EINVAL  `request` is no ExportTraceServiceRequest: malformed, or with unknown fields on top
 */
BB_MUST_CHECK enum bb_err bb_otlp_inspect(struct bb_slice request,
                                          struct bb_otlp_totals *out_totals);

#endif /* BB_QUERY_CLI_OTLP_PATCH_H */
