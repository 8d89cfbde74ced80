/*
 * load_source.h - requests to load a server with: captured traffic, grown to any size.
 *
 * The captured spans are cut into requests of a fixed number of spans once. Copy n of request k has
 * fresh trace and span ids and UUIDs, the same ones in all requests of a copy, so that traces stay
 * whole; and its times end now.
 */
#ifndef BB_BENCH_LOAD_SOURCE_H
#define BB_BENCH_LOAD_SOURCE_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

struct bb_load_source {
    struct bb_arena arena;
    struct bb_slice *requests; /* templates */
    uint32_t *span_counts;
    uint32_t request_count;
    uint64_t newest_end_unix_ns;
    uint64_t seed;
};

/* Reads a file of length-prefixed ExportTraceServiceRequests (u32 LE, bytes). BB_EIO, BB_EINVAL,
 * BB_ENOMEM. Dispose of it with bb_load_source_dispose. */
BB_MUST_CHECK enum bb_err bb_load_source_open(const char *path, uint32_t spans_a_request,
                                              uint64_t seed, struct bb_err_detail *detail,
                                              struct bb_load_source *out_source);
void bb_load_source_dispose(struct bb_load_source *source);

/* Writes request `number` (0, 1, 2, ... without end) to `out`; returns its spans. */
uint32_t bb_load_source_next(const struct bb_load_source *source, uint64_t number,
                             struct bb_buf *out);

#endif /* BB_BENCH_LOAD_SOURCE_H */
