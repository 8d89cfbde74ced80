#include "tests/support/fake_ingest.h"

#include <stddef.h>

struct fake_ingest fake_ingest;

void fake_ingest_reset(void)
{
    bb_buf_dispose(&fake_ingest.wire);
    fake_ingest = (struct fake_ingest){0};
    bb_buf_init(&fake_ingest.wire, (size_t)1 << 30);
}

void bb_ingest_otlp(struct bb_ingest *ingest, enum bb_receiver receiver, struct bb_slice wire,
                    const struct bb_left_out *left_out, struct bb_arena *arena,
                    struct bb_ingest_result *out_result)
{
    (void)ingest;
    (void)arena;
    fake_ingest.call_count++;
    fake_ingest.receiver = receiver;
    bb_buf_clear(&fake_ingest.wire);
    bb_buf_append_slice(&fake_ingest.wire, wire);
    fake_ingest.left_out = left_out == NULL ? (struct bb_left_out){0} : *left_out;
    *out_result = fake_ingest.result;
}

void bb_ingest_refuse(enum bb_err err, const struct bb_err_detail *detail,
                      struct bb_ingest_result *out_result)
{
    fake_ingest.refused_count++;
    fake_ingest.refused_err = err;
    *out_result = (struct bb_ingest_result){.retry_after_s = 1};
    out_result->outcome = err == BB_ETOOBIG                     ? BB_INGEST_TOO_LARGE
                          : err == BB_EBUSY || err == BB_ENOMEM ? BB_INGEST_RETRY
                                                                : BB_INGEST_INVALID;
    if (detail != NULL) {
        out_result->message = *detail;
    }
}
