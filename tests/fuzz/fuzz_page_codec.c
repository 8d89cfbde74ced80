/*
 * fuzz_page_codec.c - spans taken apart into columns and put together again. The first byte says
 * what the others are:
 *
 *   even  one Span message. When it is accepted, a page of it, of a span that differs from it in a
 *         value and of it again gives back the three byte for byte.
 *   odd   a page of ROW_COUNT rows, read with the dictionary of a few good spans: it is refused, or
 *         gives an answer; nothing is read outside of it (the sanitizers see that).
 */
#include "tests/fuzz/fuzz_target.h"

#include <string.h>

#include "common/check.h"
#include "common/otlp_walk.h"
#include "tests/support/otlp_build.h"
#include "tests/unit/store/shred_fixture.h"

#define ROW_COUNT 6u
#define OUT_BYTES_MAX ((size_t)16 << 20)

static void check_message(struct bb_slice message)
{
    struct shred_fixture fx;
    struct bb_span_ref span;

    if (bb_otlp_read_span(message, &span) != BB_OK) {
        return;
    }
    shred_fixture_init(&fx);
    shred_fixture_add(&fx, message);
    struct bb_slice other = bb_arena_try_copy(&fx.arena, message);
    BB_ASSERT(other.data != NULL);
    uint8_t *last = (uint8_t *)other.data + other.size - 1;
    *last = (uint8_t)(*last ^ 1); /* often the last byte of a value */
    if (bb_otlp_read_span(other, &span) == BB_OK) {
        shred_fixture_add(&fx, other);
        shred_fixture_end_page(&fx);
    }
    shred_fixture_add(&fx, message);
    shred_fixture_finish(&fx);
    shred_fixture_check(&fx);
    shred_fixture_dispose(&fx);
}

/* Spans whose dictionary has columns of every type and coding. */
static void add_good_spans(struct shred_fixture *fx)
{
    for (uint8_t i = 1; i <= ROW_COUNT; i++) {
        uint8_t id[BB_TRACE_ID_SIZE];
        struct bb_buf span;

        memset(id, i, sizeof id);
        build_init(&span);
        bb_pb_write_bytes(&span, BB_F_SPAN_TRACE_ID, bb_slice_of(id, BB_TRACE_ID_SIZE));
        bb_pb_write_bytes(&span, BB_F_SPAN_SPAN_ID, bb_slice_of(id, BB_SPAN_ID_SIZE));
        build_put_text(&span, BB_F_SPAN_NAME, "name");
        bb_pb_write_fixed64(&span, BB_F_SPAN_START_TIME_UNIX_NANO, 1000);
        build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "method", i % 2 == 0 ? "GET" : "PUT");
        build_put_attribute(&span, BB_F_SPAN_ATTRIBUTES, "one", "value");
        bb_buf_append_slice(&span, BYTES_OF("\x4a\x08\x0a\x01i\x12\x03\x18\xac\x02"
                                            "\x4a\x0e\x0a\x01"
                                            "d\x12\x09\x21\x01\x02\x03\x04\x05\x06\xf0\x3f"
                                            "\x4a\x07\x0a\x01t\x12\x02\x10\x01"
                                            "\x4a\x07\x0a\x01r\x12\x02\x2a\x00"
                                            "\x5a\x0c\x09\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01n"
                                            "\x6a\x1c\x0a\x10ttttttttTTTTTTTT\x12\x08ssssssss"
                                            "\x7a\x05\x12\x01m\x18\x02"
                                            "\x85\x01\x01\x01\x00\x00"));
        if (i == ROW_COUNT) {
            build_put_text(&span, 1000, "of a later version");
        }
        shred_fixture_add(fx, bb_buf_slice(&span));
        bb_buf_dispose(&span);
    }
    shred_fixture_finish(fx);
    /* Only with many spans does a column stand in its pages: say it of this one. */
    uint32_t column = shred_fixture_column(fx, BB_PLACE_SPAN, BB_COLUMN_STRING, "method");
    fx->read->column_values[column].count = 0;
}

static void check_page(struct bb_slice plain)
{
    static struct shred_fixture fx; /* the same for every input */
    struct bb_buf out;

    if (fx.shredder == NULL) {
        shred_fixture_init(&fx);
        add_good_spans(&fx);
    }
    bb_buf_init(&out, OUT_BYTES_MAX);
    enum bb_err err = shred_fixture_read(&fx, 0, plain, &out);
    BB_ASSERT(err == BB_OK || err == BB_ECORRUPT || err == BB_ETOOBIG);
    enum bb_err stepped = shred_fixture_read(&fx, 0, plain, NULL);
    BB_ASSERT(err == stepped || err == BB_ETOOBIG);
    bb_buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (data[0] % 2 == 0) {
        check_message(bb_slice_of(data + 1, size - 1));
    } else {
        check_page(bb_slice_of(data + 1, size - 1));
    }
    return 0;
}
