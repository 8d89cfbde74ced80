/*
 * span_random.h - requests at random from small vocabularies, so that searches hit and keys tie;
 * with spans as an SDK writes them, and odd ones that the walk takes all the same: fields in any
 * order, twice, unknown, empty, with numbers longer than they need to be.
 *
 * The same seed makes the same requests.
 */
#ifndef BB_TESTS_SPAN_RANDOM_H
#define BB_TESTS_SPAN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "store/store.h"

#define RANDOM_TRACES 60

struct span_random {
    uint64_t seed;
    uint64_t start_unix_ns; /* spans begin from here on, within ten minutes */
    bool has_unique_ids;    /* else a trace has several spans of one id, of different content */
    uint32_t span_count;    /* made so far */
};

/* A number below `bound`. */
uint32_t span_random_below(struct span_random *random, uint32_t bound);

/* Appends a whole ExportTraceServiceRequest of 1 to 30 spans. */
void span_random_put_request(struct span_random *random, struct bb_buf *request);

#define RANDOM_CONDITIONS_MAX 3

/* A search that some spans are likely to match. Its conditions live in `conditions`. */
struct bb_search span_random_search(struct span_random *random,
                                    struct bb_condition conditions[RANDOM_CONDITIONS_MAX]);

#endif /* BB_TESTS_SPAN_RANDOM_H */
