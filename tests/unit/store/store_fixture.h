/*
 * store_fixture.h - a store in a directory of its own under /tmp, with a clock that the test moves.
 *
 * Every append goes to the model, too (store_model.h), so that a test can ask both.
 */
#ifndef BB_TESTS_STORE_FIXTURE_H
#define BB_TESTS_STORE_FIXTURE_H

#include <stdatomic.h>

#include "common/clock.h"
#include "store/store.h"
#include "store_model.h"
#include "tests/support/span_build.h"

/* 2023-11-14T22:00:00Z: an hour begins. */
#define FIXTURE_START_NS UINT64_C(1699999200000000000)
#define FIXTURE_HOUR_NS (UINT64_C(3600) * BB_NS_PER_S)
/* The shortest with which a partition covers an hour. */
#define FIXTURE_RETENTION_NS (25 * FIXTURE_HOUR_NS)

struct moved_clock {
    struct bb_clock clock; /* first, so that a pointer to it is one to this */
    _Atomic uint64_t now_unix_ns;
};

struct store_fixture {
    struct bb_store *store; /* NULL while it is closed */
    struct bb_store_options options;
    struct moved_clock clock;
    struct store_model model;
    char dir[64];
};

/* cmocka's set-up and tear-down; *state is the fixture, its store open. */
int store_fixture_set_up(void **state);
int store_fixture_tear_down(void **state);

void store_fixture_open(struct store_fixture *fx);
void store_fixture_close(struct store_fixture *fx);
void store_fixture_reopen(struct store_fixture *fx);

/* Appends what was built to the store and to the model, and disposes of it. */
void store_fixture_append(struct store_fixture *fx, struct span_build *build);

/* The same for a whole ExportTraceServiceRequest. */
void store_fixture_append_wire(struct store_fixture *fx, struct bb_slice wire);

/* A trace of one span: `trace` is its id and its span's, of service "web". */
void store_fixture_append_span(struct store_fixture *fx, struct span_spec spec);

void store_fixture_seal(struct store_fixture *fx);

/* Moves the clock on and does the housekeeping of that moment. */
void store_fixture_pass(struct store_fixture *fx, uint64_t ns);

/* Directories below partitions/ */
unsigned store_fixture_partition_count(const struct store_fixture *fx);

/* The trace is in the store exactly as in the model: each span once, in order, byte for byte. */
void store_fixture_check_trace(struct store_fixture *fx, const struct bb_trace_id *trace_id);

/* Every trace of the model, and services and operations. */
void store_fixture_check_all(struct store_fixture *fx);

/* The search gives what the model gives; `what` tells which one it was. */
void store_fixture_check_search(struct store_fixture *fx, const struct bb_search *search,
                                const char *what);

#endif /* BB_TESTS_STORE_FIXTURE_H */
