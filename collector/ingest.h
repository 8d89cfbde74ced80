/*
 * ingest.h - from a request's bytes to the store: what every receiver calls.
 *
 * Receivers know protocols; ingest knows admission, the walk, the append and what it all came to.
 * A receiver turns the outcome into its protocol's answer (OTLP specification, "OTLP/gRPC
 * Response", "OTLP/HTTP Response").
 *
 * Threads: any, at the same time.
 */
#ifndef BB_COLLECTOR_INGEST_H
#define BB_COLLECTOR_INGEST_H

#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/mem_budget.h"
#include "common/slice.h"
#include "store/store.h"

enum bb_receiver { BB_RECEIVER_OTLP_GRPC, BB_RECEIVER_OTLP_HTTP, BB_RECEIVER_JAEGER_GRPC };

/* What all receivers share. The caller's storage; constant after init. */
struct bb_ingest {
    struct bb_store *store;       /* borrowed */
    struct bb_mem_budget *budget; /* borrowed: bytes of requests that are being worked on */
};

enum bb_ingest_outcome {
    BB_INGEST_OK,        /* all stored (also: nothing was sent) */
    BB_INGEST_PARTIAL,   /* the accepted ones are stored, the others never will be */
    BB_INGEST_INVALID,   /* nothing stored; sending it again won't help: 400, INVALID_ARGUMENT */
    BB_INGEST_TOO_LARGE, /* nothing stored; sending it again won't help: 413, RESOURCE_EXHAUSTED */
    BB_INGEST_RETRY,     /* nothing stored; send again after retry_after_s: 503, UNAVAILABLE */
    BB_INGEST_INTERNAL,  /* nothing stored; our fault: 500, INTERNAL */
};

struct bb_ingest_result {
    enum bb_ingest_outcome outcome;
    uint64_t accepted_count;
    uint64_t rejected_count;
    uint32_t retry_after_s;       /* of BB_INGEST_RETRY */
    struct bb_err_detail message; /* empty for BB_INGEST_OK */
};

/* Spans that a transcoder (OTLP/JSON, Jaeger) left out before the walk. Zero it before use. */
struct bb_left_out {
    uint64_t span_count;
    struct bb_err_detail first; /* path of the field and what is wrong */
};

/*
 * Takes `wire`, an ExportTraceServiceRequest in protobuf, inflated.
 *
 * left_out  what the receiver has already rejected of this request; may be NULL
 * arena     the request's
 *
 * Counts metrics for all of it, the outcome included.
 */
void bb_ingest_otlp(struct bb_ingest *ingest, enum bb_receiver receiver, struct bb_slice wire,
                    const struct bb_left_out *left_out, struct bb_arena *arena,
                    struct bb_ingest_result *out_result);

/* For a request that fails before there is anything to walk (it won't inflate or parse): gives the
 * same kind of result, and counts it. `err` is BB_EINVAL, BB_ETOOBIG, BB_EBUSY or BB_ENOMEM. */
void bb_ingest_refuse(enum bb_err err, const struct bb_err_detail *detail,
                      struct bb_ingest_result *out_result);

#endif /* BB_COLLECTOR_INGEST_H */
