#include "collector/ingest.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/limits.h"
#include "common/metrics.h"
#include "common/otlp_walk.h"

/* What senders are told to wait before they try again; long enough for a segment to be sealed. */
#define RETRY_AFTER_S 1u
/* After a full disk: someone, or expiry, has to make room. */
#define RETRY_AFTER_FULL_S 5u

static void count_accepted(enum bb_receiver receiver, uint64_t count)
{
    static const enum bb_metric metrics[] = {
        [BB_RECEIVER_OTLP_GRPC] = BB_M_SPANS_ACCEPTED_OTLP_GRPC,
        [BB_RECEIVER_OTLP_HTTP] = BB_M_SPANS_ACCEPTED_OTLP_HTTP,
        [BB_RECEIVER_JAEGER_GRPC] = BB_M_SPANS_ACCEPTED_JAEGER_GRPC,
    };

    bb_metric_add(metrics[receiver], (int64_t)count);
}

static void count_rejected(const struct bb_walk_result *result, const struct bb_left_out *left_out)
{
    static const enum bb_metric metrics[] = {
        [BB_REJECT_MALFORMED] = BB_M_SPANS_REJECTED_MALFORMED,
        [BB_REJECT_TRACE_ID] = BB_M_SPANS_REJECTED_TRACE_ID,
        [BB_REJECT_SPAN_ID] = BB_M_SPANS_REJECTED_SPAN_ID,
        [BB_REJECT_PARENT_ID] = BB_M_SPANS_REJECTED_PARENT_ID,
        [BB_REJECT_LINK_ID] = BB_M_SPANS_REJECTED_LINK_ID,
        [BB_REJECT_UTF8] = BB_M_SPANS_REJECTED_UTF8,
        [BB_REJECT_DEPTH] = BB_M_SPANS_REJECTED_DEPTH,
        [BB_REJECT_COUNT] = BB_M_SPANS_REJECTED_COUNT,
        [BB_REJECT_SIZE] = BB_M_SPANS_REJECTED_SIZE,
    };
    static_assert(BB_ARRAY_COUNT(metrics) == BB_REJECT_COUNT_OF, "each reason has its counter");

    for (size_t i = 0; i < BB_REJECT_COUNT_OF; i++) {
        bb_metric_add(metrics[i], (int64_t)result->rejected_by_reason[i]);
    }
    if (left_out != NULL) {
        bb_metric_add(BB_M_SPANS_REJECTED_MALFORMED, (int64_t)left_out->span_count);
    }
}

/* Outcome and counter of a request that failed whole. */
static void refuse(enum bb_err err, const struct bb_err_detail *detail,
                   struct bb_ingest_result *result)
{
    const char *words = detail == NULL || detail->text[0] == '\0' ? bb_err_text(err) : detail->text;
    enum bb_metric metric = BB_M_REQUESTS_REFUSED_INTERNAL;

    result->accepted_count = 0;
    switch (err) {
    case BB_EINVAL:
    case BB_EUNSUPPORTED:
        result->outcome = BB_INGEST_INVALID;
        metric = BB_M_REQUESTS_REFUSED_INVALID;
        break;
    case BB_ETOOBIG:
        result->outcome = BB_INGEST_TOO_LARGE;
        metric = BB_M_REQUESTS_REFUSED_TOO_LARGE;
        break;
    case BB_EBUSY:
    case BB_ENOMEM:
        result->outcome = BB_INGEST_RETRY;
        result->retry_after_s = RETRY_AFTER_S;
        metric = BB_M_REQUESTS_REFUSED_BUSY;
        break;
    case BB_EFULL:
    case BB_EIO:
        /* The disk may be given room, or come back: the sender keeps what it has. */
        result->outcome = BB_INGEST_RETRY;
        result->retry_after_s = RETRY_AFTER_FULL_S;
        metric = BB_M_REQUESTS_REFUSED_DISK;
        words = err == BB_EFULL ? "no space left on the disk" : "the disk refuses writes";
        break;
    default:
        result->outcome = BB_INGEST_INTERNAL;
        break;
    }
    bb_metric_add(metric, 1);
    (void)bb_err_set(&result->message, err, "%s", words);
}

void bb_ingest_refuse(enum bb_err err, const struct bb_err_detail *detail,
                      struct bb_ingest_result *out_result)
{
    *out_result = (struct bb_ingest_result){.outcome = BB_INGEST_INTERNAL};
    refuse(err, detail, out_result);
}

/*
 * The log keeps what was accepted and nothing else: where spans were rejected, the others are put
 * together again, and walked again, so that the batch lies in the new bytes.
 */
static enum bb_err keep_accepted(struct bb_walk_result *result, struct bb_arena *arena,
                                 struct bb_slice *wire)
{
    struct bb_err_detail detail = {{0}};
    struct bb_walk_result *again = bb_arena_try_calloc(arena, 1, sizeof *again);
    struct bb_buf encoded;

    if (again == NULL) {
        return BB_ENOMEM;
    }
    bb_buf_init(&encoded, 2 * (size_t)BB_REQUEST_BYTES_MAX);
    bb_span_batch_encode(&result->batch, &encoded);
    enum bb_err err = bb_buf_err(&encoded);
    if (err == BB_OK) {
        *wire = bb_arena_try_copy(arena, bb_buf_slice(&encoded));
        err = wire->data == NULL ? BB_ENOMEM : BB_OK;
    }
    bb_buf_dispose(&encoded);
    if (err == BB_OK) {
        err = bb_otlp_walk(*wire, arena, &detail, again);
    }
    if (err == BB_OK) {
        BB_ASSERT(again->rejected_count == 0 &&
                  again->batch.span_count == result->batch.span_count);
        result->batch = again->batch;
    }
    return err;
}

static void describe_rejections(const struct bb_walk_result *walked,
                                const struct bb_left_out *left_out, struct bb_ingest_result *result)
{
    uint64_t left_out_count = left_out == NULL ? 0 : left_out->span_count;
    const char *first = left_out_count > 0 ? left_out->first.text : walked->first_rejection.text;

    result->rejected_count = walked->rejected_count + left_out_count;
    if (result->rejected_count > 0) {
        (void)bb_err_set(&result->message, BB_EINVAL,
                         "%" PRIu64 " span%s rejected, the first: %.400s", result->rejected_count,
                         result->rejected_count == 1 ? "" : "s", first);
    }
}

static enum bb_err take(struct bb_ingest *ingest, struct bb_slice wire,
                        const struct bb_left_out *left_out, struct bb_arena *arena,
                        struct bb_err_detail *detail, struct bb_ingest_result *result)
{
    struct bb_walk_result *walked = bb_arena_try_calloc(arena, 1, sizeof *walked);

    if (walked == NULL) {
        return BB_ENOMEM;
    }
    enum bb_err err = bb_otlp_walk(wire, arena, detail, walked);
    if (err == BB_OK && walked->rejected_count > 0 && walked->batch.span_count > 0) {
        err = keep_accepted(walked, arena, &wire);
    }
    if (err == BB_OK && walked->batch.span_count > 0) {
        err = bb_store_append(ingest->store, &walked->batch, wire, detail);
    }
    if (err == BB_OK) {
        describe_rejections(walked, left_out, result);
        result->accepted_count = walked->batch.span_count;
        result->outcome = result->rejected_count > 0 ? BB_INGEST_PARTIAL : BB_INGEST_OK;
        count_rejected(walked, left_out);
    }
    return err;
}

void bb_ingest_otlp(struct bb_ingest *ingest, enum bb_receiver receiver, struct bb_slice wire,
                    const struct bb_left_out *left_out, struct bb_arena *arena,
                    struct bb_ingest_result *out_result)
{
    uint64_t begun_ns = bb_clock_monotonic_ns(&bb_clock_system);
    struct bb_err_detail detail = {{0}};

    *out_result = (struct bb_ingest_result){.outcome = BB_INGEST_OK};
    bb_metric_add(BB_M_RECEIVED_BYTES, (int64_t)wire.size);
    enum bb_err err = take(ingest, wire, left_out, arena, &detail, out_result);
    if (err == BB_OK) {
        count_accepted(receiver, out_result->accepted_count);
    } else {
        refuse(err, &detail, out_result);
    }
    bb_metric_observe_ns(BB_M_INGEST_SECONDS, bb_clock_monotonic_ns(&bb_clock_system) - begun_ns);
}
