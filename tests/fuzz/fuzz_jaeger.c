/*
 * fuzz_jaeger.c - any bytes into the Jaeger transcoder. What must hold:
 *   - what it writes passes the walk, but for text that isn't UTF-8, counts and sizes, which only
 *     the walk looks at;
 *   - no span gets lost: one is written, or left out and counted;
 *   - the output is no more than a few times the input;
 *   - what it refuses leaves nothing behind.
 */
#include "collector/jaeger_model.h"
#include "common/arena.h"
#include "common/check.h"
#include "common/otlp_walk.h"
#include "common/pb_wire.h"
#include "tests/fuzz/fuzz_target.h"

/* The worst case is an empty tag, log field or warning: 2 bytes become 8. A process that says one
 * thing for many spans is written once. What is fixed, a span's times, takes 18 bytes. */
#define GROWTH_MAX 16

static uint64_t count_spans(struct bb_slice request)
{
    struct bb_pb_reader batches = bb_pb_reader_of(request);
    struct bb_pb_field batch;
    struct bb_pb_field field;
    uint64_t count = 0;

    while (bb_pb_next(&batches, &batch)) {
        struct bb_pb_reader reader = bb_pb_reader_of(batch.bytes);
        while (batch.number == 1 && bb_pb_next(&reader, &field)) {
            count += field.number == 1;
        }
    }
    return count;
}

static uint64_t check_walk(struct bb_slice wire)
{
    struct bb_walk_result result;
    struct bb_err_detail detail = {{0}};
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)256 << 20);
    BB_ASSERT(bb_otlp_walk(wire, &arena, &detail, &result) == BB_OK);
    for (int reason = 0; reason < BB_REJECT_COUNT_OF; reason++) {
        bool is_walks =
            reason == BB_REJECT_UTF8 || reason == BB_REJECT_COUNT || reason == BB_REJECT_SIZE;
        BB_ASSERT(is_walks || result.rejected_by_reason[reason] == 0);
    }
    uint64_t count = result.batch.span_count + result.rejected_count;
    bb_arena_dispose(&arena);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bb_slice request = bb_slice_of(data, size);
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {{0}};
    struct bb_arena arena;
    struct bb_buf out;

    bb_arena_init(&arena, (size_t)64 << 20);
    bb_buf_init(&out, (size_t)64 << 20);
    enum bb_err err = bb_jaeger_to_otlp(request, &arena, &out, &left_out, &detail);
    if (err == BB_OK) {
        BB_ASSERT((left_out.span_count > 0) == (left_out.first.text[0] != '\0'));
        BB_ASSERT(check_walk(bb_buf_slice(&out)) + left_out.span_count == count_spans(request));
        BB_ASSERT(out.size <= GROWTH_MAX * size);
    } else {
        BB_ASSERT(out.size == 0);
        BB_ASSERT(left_out.span_count == 0);
        BB_ASSERT(detail.text[0] != '\0');
    }
    bb_buf_dispose(&out);
    bb_arena_dispose(&arena);
    return 0;
}
