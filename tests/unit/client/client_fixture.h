/*
 * client_fixture.h - the library started on a memory exporter, and what it exported as JSON.
 */
#ifndef TESTS_CLIENT_FIXTURE_H
#define TESTS_CLIENT_FIXTURE_H

#include "client/byte_sink.h"
#include "client/include/bobbin/bobbin.h"

struct client_fixture {
    struct bobbin_opts opts;
    struct bobbin_memory_exporter *memory;
    const struct bobbin_tracer *tracer;
    struct bbc_sink json; /* ends with a zero byte */
};

/* Options of a test: everything sampled, exported to memory, sent at flushes only. */
void client_fixture_init(struct client_fixture *fixture);

/* Starts with what is in `opts`. */
void client_fixture_start(struct client_fixture *fixture);

/* Flushes, and returns what was exported so far, as JSON, one request a line. */
const char *client_fixture_json(struct client_fixture *fixture);

/* Shuts down, and frees all. */
void client_fixture_stop(struct client_fixture *fixture);

/* Fails the test unless ended = exported + dropped + in flight. */
void assert_conserved(const struct bobbin_stats *stats);

/* The sum of dropped. */
uint64_t dropped_sum(const struct bobbin_stats *stats);

#define assert_contains(text, part) assert_contains_at(text, part, __FILE__, __LINE__)
#define assert_lacks(text, part) assert_lacks_at(text, part, __FILE__, __LINE__)
void assert_contains_at(const char *text, const char *part, const char *file, int line);
void assert_lacks_at(const char *text, const char *part, const char *file, int line);

#endif /* TESTS_CLIENT_FIXTURE_H */
