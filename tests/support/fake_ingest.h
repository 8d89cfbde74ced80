/*
 * fake_ingest.h - takes the place of collector/ingest.c in a program that tests a receiver: notes
 * what it was given, and answers what the test has set.
 */
#ifndef BB_TESTS_FAKE_INGEST_H
#define BB_TESTS_FAKE_INGEST_H

#include "collector/ingest.h"
#include "common/buf.h"

struct fake_ingest {
    struct bb_ingest_result result; /* what the next call gives */
    uint32_t call_count;
    enum bb_receiver receiver;
    struct bb_buf wire; /* a copy of what came last */
    struct bb_left_out left_out;
    uint32_t refused_count;
    enum bb_err refused_err;
};

extern struct fake_ingest fake_ingest;

/* At the start of each test. */
void fake_ingest_reset(void);

#endif /* BB_TESTS_FAKE_INGEST_H */
