#include "bench/load_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/otlp_walk.h"
#include "query/cli/otlp_patch.h"

#define SOURCE_BYTES_MAX ((size_t)1 << 30)

static enum bb_err read_file(const char *path, struct bb_arena *arena, struct bb_err_detail *detail,
                             struct bb_slice *out_bytes)
{
    FILE *file = fopen(path, "rb");
    char words[128];
    struct bb_buf bytes;
    size_t got = 0;

    if (file == NULL) {
        return bb_err_set(detail, BB_EIO, "can't open %s: %s", path,
                          strerror_r(errno, words, sizeof words));
    }
    bb_buf_init(&bytes, SOURCE_BYTES_MAX);
    do {
        uint8_t *room = bb_buf_reserve(&bytes, 1u << 20);
        got = room == NULL ? 0 : fread(room, 1, 1u << 20, file);
        bb_buf_advance(&bytes, got);
    } while (got > 0);
    fclose(file);
    *out_bytes = bb_arena_try_copy(arena, bb_buf_slice(&bytes));
    enum bb_err err = bb_buf_err(&bytes);
    bb_buf_dispose(&bytes);
    return err == BB_OK && out_bytes->data == NULL ? BB_ENOMEM : err;
}

/* All requests of the file as one batch: concatenated, they are one message. */
static enum bb_err join_requests(struct bb_slice file, struct bb_arena *arena,
                                 struct bb_err_detail *detail, struct bb_slice *out_wire)
{
    uint8_t *wire = bb_arena_try_alloc(arena, file.size + 1);
    size_t size = 0;

    if (wire == NULL) {
        return BB_ENOMEM;
    }
    for (size_t at = 0; at < file.size;) {
        uint32_t length = file.size - at >= 4 ? bb_get_le32(file.data + at) : UINT32_MAX;
        if (length > file.size - at - 4) {
            return bb_err_set(detail, BB_EINVAL, "cut short at byte %zu", at);
        }
        memcpy(wire + size, file.data + at + 4, length);
        size += length;
        at += 4 + (size_t)length;
    }
    *out_wire = bb_slice_of(wire, size);
    return BB_OK;
}

static enum bb_err cut(struct bb_load_source *source, const struct bb_span_batch *all,
                       uint32_t spans_a_request)
{
    uint32_t count = (all->span_count + spans_a_request - 1) / spans_a_request;
    enum bb_err err = BB_OK;

    source->requests = bb_arena_try_calloc(&source->arena, count, sizeof *source->requests);
    source->span_counts = bb_arena_try_calloc(&source->arena, count, sizeof(uint32_t));
    if (source->requests == NULL || source->span_counts == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t first = 0; first < all->span_count && err == BB_OK; first += spans_a_request) {
        struct bb_span_batch part = *all;
        struct bb_buf bytes;
        part.spans = all->spans + first;
        part.span_count =
            all->span_count - first < spans_a_request ? all->span_count - first : spans_a_request;
        bb_buf_init(&bytes, BB_REQUEST_BYTES_MAX);
        bb_span_batch_encode(&part, &bytes);
        err = bb_buf_err(&bytes);
        source->requests[source->request_count] =
            bb_arena_try_copy(&source->arena, bb_buf_slice(&bytes));
        source->span_counts[source->request_count++] = part.span_count;
        bb_buf_dispose(&bytes);
    }
    return err;
}

enum bb_err bb_load_source_open(const char *path, uint32_t spans_a_request, uint64_t seed,
                                struct bb_err_detail *detail, struct bb_load_source *out_source)
{
    struct bb_load_source source = {.seed = seed};
    struct bb_walk_result walked;
    struct bb_slice file;
    struct bb_slice wire;

    bb_arena_init(&source.arena, 4 * SOURCE_BYTES_MAX);
    enum bb_err err = read_file(path, &source.arena, detail, &file);
    if (err == BB_OK) {
        err = join_requests(file, &source.arena, detail, &wire);
    }
    if (err == BB_OK) {
        err = bb_otlp_walk(wire, &source.arena, detail, &walked);
    }
    if (err == BB_OK) {
        for (uint32_t i = 0; i < walked.batch.span_count; i++) {
            uint64_t end_unix_ns = walked.batch.spans[i].end_unix_ns;
            if (end_unix_ns > source.newest_end_unix_ns) {
                source.newest_end_unix_ns = end_unix_ns;
            }
        }
        err = cut(&source, &walked.batch, spans_a_request);
    }
    if (err != BB_OK) {
        bb_arena_dispose(&source.arena);
        return err;
    }
    *out_source = source;
    return BB_OK;
}

void bb_load_source_dispose(struct bb_load_source *source)
{
    bb_arena_dispose(&source->arena);
}

uint32_t bb_load_source_next(const struct bb_load_source *source, uint64_t number,
                             struct bb_buf *out)
{
    uint32_t index = (uint32_t)(number % source->request_count);
    uint64_t copy = number / source->request_count;
    struct bb_otlp_patch patch = {
        .has_shift = true,
        .from_unix_ns = source->newest_end_unix_ns,
        .to_unix_ns = bb_clock_unix_ns(&bb_clock_system),
        .has_fresh_ids = true,
        .ids = bb_id_map_of(source->seed + copy),
    };

    bb_buf_clear(out);
    bb_buf_append_slice(out, source->requests[index]);
    BB_ASSERT(bb_buf_err(out) == BB_OK);
    enum bb_err err = bb_otlp_patch_apply(&patch, out->data, out->size);
    BB_ASSERT(err == BB_OK);
    return source->span_counts[index];
}
