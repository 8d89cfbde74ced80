/*
 * fuzz_otlp_json.c - any bytes into the OTLP/JSON transcoder. What must hold:
 *   - what it takes is JSON, and what it writes passes the walk: no span that it wrote is
 * malformed, has a bad id, bad text or too deep a value (of counts and sizes only the walk is the
 * judge);
 *   - what it refuses leaves nothing behind.
 */
#include "tests/fuzz/fuzz_target.h"

#include "collector/otlp_json.h"
#include "common/arena.h"
#include "common/check.h"
#include "common/json_reader.h"
#include "common/otlp_walk.h"

static void check_walk(struct bb_slice wire)
{
    struct bb_walk_result result;
    struct bb_err_detail detail = {{0}};
    struct bb_arena arena;

    bb_arena_init(&arena, (size_t)256 << 20);
    BB_ASSERT(bb_otlp_walk(wire, &arena, &detail, &result) == BB_OK);
    for (int reason = 0; reason < BB_REJECT_COUNT_OF; reason++) {
        bool is_walks = reason == BB_REJECT_COUNT || reason == BB_REJECT_SIZE;
        BB_ASSERT(is_walks || result.rejected_by_reason[reason] == 0);
    }
    bb_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bb_slice text = bb_slice_of(data, size);
    struct bb_json_reader json = bb_json_reader_of(text);
    bool is_json = bb_json_skip(&json) && bb_json_at_end(&json);
    struct bb_left_out left_out = {0};
    struct bb_err_detail detail = {{0}};
    struct bb_buf out;

    bb_buf_init(&out, (size_t)64 << 20);
    enum bb_err err = bb_otlp_json_to_protobuf(text, &out, &left_out, &detail);
    if (err == BB_OK) {
        BB_ASSERT(is_json);
        BB_ASSERT((left_out.span_count > 0) == (left_out.first.text[0] != '\0'));
        check_walk(bb_buf_slice(&out));
    } else {
        BB_ASSERT(out.size == 0);
        BB_ASSERT(left_out.span_count == 0);
        BB_ASSERT(detail.text[0] != '\0');
    }
    bb_buf_dispose(&out);
    return 0;
}
