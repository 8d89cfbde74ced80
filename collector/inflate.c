/*
 * inflate.c - sees zlib and zstd.
 *
 * The whole compressed body is at hand, so it is inflated into one piece of memory. Its size is
 * guessed from what the body says of itself (gzip's ISIZE, zstd's frame content size), which is
 * never trusted: the guess is capped by what the limits allow, the piece grows when it was too
 * small, and the limits are checked as bytes come out, before memory is asked for.
 */
#include "collector/inflate.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/bytes.h"
#include "common/limits.h"

/* Below this much, a ratio says nothing: a page of blanks compresses a thousandfold. */
#define RATIO_FREE_BYTES (1u << 20)
#define CAPACITY_MIN 1024u
/* The smallest gzip member: 10 bytes of header, an empty block of 2, CRC and ISIZE. */
#define GZIP_SIZE_MIN 20u
#define GZIP_CHUNK_BYTES (64u << 10)

static_assert(sizeof(size_t) >= 8, "a body's size times the ratio must not overflow");

/* What is inflated so far. Grows in the arena; what it grew out of is freed with the arena. */
struct output {
    struct bb_arena *arena;
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit_bytes;  /* one byte more than this shows that the body is too large */
    bool is_ratio_limit; /* the ratio's, not the caller's */
};

enum bb_err bb_encoding_parse(const char *text, enum bb_encoding *out_encoding)
{
    static const struct {
        const char *name;
        enum bb_encoding encoding;
    } names[] = {
        {"", BB_ENCODING_IDENTITY}, {"identity", BB_ENCODING_IDENTITY},
        {"gzip", BB_ENCODING_GZIP}, {"x-gzip", BB_ENCODING_GZIP},
        {"zstd", BB_ENCODING_ZSTD}, {"deflate", BB_ENCODING_DEFLATE},
    };

    if (text == NULL) {
        *out_encoding = BB_ENCODING_IDENTITY;
        return BB_OK;
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(names); i++) {
        if (strcasecmp(text, names[i].name) == 0) {
            *out_encoding = names[i].encoding;
            return BB_OK;
        }
    }
    return BB_EUNSUPPORTED;
}

bool bb_is_zstd(struct bb_slice bytes)
{
    return bytes.size >= 4 && bb_get_le32(bytes.data) == ZSTD_MAGICNUMBER;
}

/* Makes the capacity at least `wanted`, but no more than shows that the limit is passed. */
static enum bb_err output_grow(struct output *out, size_t wanted)
{
    if (wanted > out->limit_bytes) {
        wanted = out->limit_bytes + 1;
    }
    if (wanted <= out->capacity) {
        return BB_OK;
    }
    uint8_t *data = bb_arena_try_alloc(out->arena, wanted);
    if (data == NULL) {
        return BB_ENOMEM;
    }
    if (out->size > 0) {
        memcpy(data, out->data, out->size);
    }
    out->data = data;
    out->capacity = wanted;
    return BB_OK;
}

/* Room for at least one more byte. */
static enum bb_err output_make_room(struct output *out)
{
    if (out->size < out->capacity) {
        return BB_OK;
    }
    return output_grow(out, out->capacity < CAPACITY_MIN ? CAPACITY_MIN : out->capacity * 2);
}

static enum bb_err set_too_big(const struct output *out, const char *encoding,
                               struct bb_err_detail *detail)
{
    if (out->is_ratio_limit) {
        return bb_err_set(detail, BB_ETOOBIG,
                          "the %s body inflates to more than %d times its size, past %zu bytes",
                          encoding, BB_INFLATE_RATIO_MAX, out->limit_bytes);
    }
    return bb_err_set(detail, BB_ETOOBIG, "the %s body inflates to more than %zu bytes", encoding,
                      out->limit_bytes);
}

static enum bb_err inflate_zlib_members(z_stream *stream, bool is_gzip, struct output *out,
                                        struct bb_err_detail *detail)
{
    const char *encoding = is_gzip ? "gzip" : "deflate";

    for (;;) {
        enum bb_err err = output_make_room(out);
        if (err != BB_OK) {
            return bb_err_set(detail, err, "no memory to inflate into");
        }
        size_t room = out->capacity - out->size;
        stream->next_out = out->data + out->size;
        stream->avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;

        int result = inflate(stream, Z_NO_FLUSH);
        out->size = (size_t)(stream->next_out - out->data);
        if (out->size > out->limit_bytes) {
            return set_too_big(out, encoding, detail);
        }
        if (result == Z_STREAM_END) {
            if (stream->avail_in == 0) {
                return BB_OK;
            }
            if (!is_gzip) {
                return bb_err_set(detail, BB_EINVAL, "%u bytes behind the end of the deflate body",
                                  stream->avail_in);
            }
            inflateReset(stream);
        } else if (result == Z_MEM_ERROR) {
            return bb_err_set(detail, BB_ENOMEM, "no memory to inflate with");
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return bb_err_set(detail, BB_EINVAL, "the %s body is damaged: %s", encoding,
                              stream->msg != NULL ? stream->msg : "no zlib data");
        } else if (stream->avail_in == 0 && stream->avail_out > 0) {
            return bb_err_set(detail, BB_EINVAL, "the %s body is cut short", encoding);
        }
    }
}

static enum bb_err inflate_zlib(struct bb_slice body, bool is_gzip, struct output *out,
                                struct bb_err_detail *detail)
{
    z_stream stream = {0};
    size_t guess = body.size * 4;

    if (is_gzip && body.size >= GZIP_SIZE_MIN) {
        /* A byte more than ISIZE lets zlib read the trailer without being short of room. */
        guess = (size_t)bb_get_le32(body.data + body.size - 4) + 1;
    }
    enum bb_err err = output_grow(out, guess);
    if (err != BB_OK) {
        return bb_err_set(detail, err, "no memory to inflate into");
    }
    if (inflateInit2(&stream, is_gzip ? MAX_WBITS + 16 : MAX_WBITS) != Z_OK) {
        return bb_err_set(detail, BB_ENOMEM, "no memory to inflate with");
    }
    stream.next_in = (z_const Bytef *)body.data;
    stream.avail_in = (uInt)body.size;
    err = inflate_zlib_members(&stream, is_gzip, out, detail);
    inflateEnd(&stream);
    return err;
}

/* At the start of a frame: room for all of it when it tells its size. zstd then writes straight
 * into the output and needs no window of its own, however large the frame is. */
static enum bb_err prepare_zstd_frame(const ZSTD_inBuffer *in, struct output *out,
                                      struct bb_err_detail *detail)
{
    unsigned long long size =
        ZSTD_getFrameContentSize((const uint8_t *)in->src + in->pos, in->size - in->pos);

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) {
        return BB_OK;
    }
    if (size > out->limit_bytes - out->size) {
        return set_too_big(out, "zstd", detail);
    }
    if (size <= out->capacity - out->size) {
        return BB_OK;
    }
    enum bb_err err = output_grow(out, out->size + (size_t)size);
    return err == BB_OK ? BB_OK : bb_err_set(detail, err, "no memory to inflate into");
}

static enum bb_err zstd_err(size_t result, struct bb_err_detail *detail)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return bb_err_set(detail, BB_ETOOBIG, "the zstd body needs a window over %u bytes",
                          1u << BB_ZSTD_WINDOW_LOG_MAX);
    case ZSTD_error_memory_allocation:
        return bb_err_set(detail, BB_ENOMEM, "no memory to inflate with");
    default:
        return bb_err_set(detail, BB_EINVAL, "the zstd body is damaged: %s",
                          ZSTD_getErrorName(result));
    }
}

static enum bb_err inflate_zstd_frames(ZSTD_DCtx *zstd, struct bb_slice body, struct output *out,
                                       struct bb_err_detail *detail)
{
    ZSTD_inBuffer in = {.src = body.data, .size = body.size};
    size_t wanted = 0; /* 0: between two frames */

    do {
        enum bb_err err = wanted == 0 ? prepare_zstd_frame(&in, out, detail) : BB_OK;
        if (err != BB_OK) {
            return err;
        }
        err = output_make_room(out);
        if (err != BB_OK) {
            return bb_err_set(detail, err, "no memory to inflate into");
        }
        ZSTD_outBuffer room = {.dst = out->data, .size = out->capacity, .pos = out->size};
        size_t pos_before = in.pos;
        wanted = ZSTD_decompressStream(zstd, &room, &in);
        if (ZSTD_isError(wanted)) {
            return zstd_err(wanted, detail);
        }
        bool is_stuck = in.pos == pos_before && room.pos == out->size;
        out->size = room.pos;
        if (out->size > out->limit_bytes) {
            return set_too_big(out, "zstd", detail);
        }
        if (wanted != 0 && in.pos == in.size && (is_stuck || out->size < out->capacity)) {
            return bb_err_set(detail, BB_EINVAL, "the zstd body is cut short");
        }
    } while (wanted != 0 || in.pos < in.size);
    return BB_OK;
}

static enum bb_err inflate_zstd(struct bb_slice body, struct output *out,
                                struct bb_err_detail *detail)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();

    if (zstd == NULL) {
        return bb_err_set(detail, BB_ENOMEM, "no memory to inflate with");
    }
    size_t result = ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, BB_ZSTD_WINDOW_LOG_MAX);
    BB_ASSERT(!ZSTD_isError(result));
    enum bb_err err = inflate_zstd_frames(zstd, body, out, detail);
    ZSTD_freeDCtx(zstd);
    return err;
}

enum bb_err bb_inflate(enum bb_encoding encoding, struct bb_slice body, size_t limit_bytes,
                       struct bb_arena *arena, struct bb_err_detail *detail,
                       struct bb_slice *out_body)
{
    struct output out = {.arena = arena, .limit_bytes = limit_bytes};
    enum bb_err err = BB_OK;

    if (body.size > limit_bytes || body.size > UINT_MAX) { /* zlib counts in unsigned int */
        return bb_err_set(detail, BB_ETOOBIG, "a body of %zu bytes", body.size);
    }
    if (encoding == BB_ENCODING_IDENTITY) {
        *out_body = body;
        return BB_OK;
    }
    if (body.size == 0) {
        return bb_err_set(detail, BB_EINVAL, "a compressed body of no bytes");
    }
    size_t ratio_limit = body.size * BB_INFLATE_RATIO_MAX;
    if (ratio_limit < RATIO_FREE_BYTES) {
        ratio_limit = RATIO_FREE_BYTES;
    }
    if (out.limit_bytes > ratio_limit) {
        out.is_ratio_limit = true;
        out.limit_bytes = ratio_limit;
    }
    switch (encoding) {
    case BB_ENCODING_GZIP:
        err = inflate_zlib(body, true, &out, detail);
        break;
    case BB_ENCODING_DEFLATE:
        err = inflate_zlib(body, false, &out, detail);
        break;
    case BB_ENCODING_ZSTD:
        err = inflate_zstd(body, &out, detail);
        break;
    case BB_ENCODING_IDENTITY:
        break;
    }
    if (err == BB_OK) {
        *out_body = bb_slice_of(out.data, out.size);
    }
    return err;
}

enum bb_err bb_gzip(struct bb_slice body, struct bb_buf *out)
{
    z_stream stream = {0};
    int result;

    if (body.size > UINT_MAX) {
        return BB_ETOOBIG;
    }
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return BB_ENOMEM;
    }
    stream.next_in = (z_const Bytef *)body.data;
    stream.avail_in = (uInt)body.size;
    do {
        size_t left = out->limit_bytes - out->size;
        /* At the limit one byte is asked for, so that the buffer keeps the error. */
        size_t size = left > GZIP_CHUNK_BYTES ? GZIP_CHUNK_BYTES : left > 0 ? left : 1;
        uint8_t *room = bb_buf_reserve(out, size);
        if (room == NULL) {
            break;
        }
        stream.next_out = room;
        stream.avail_out = (uInt)size;
        result = deflate(&stream, Z_FINISH);
        bb_buf_advance(out, size - stream.avail_out);
    } while (result != Z_STREAM_END);
    deflateEnd(&stream);
    return bb_buf_err(out);
}
