/*
 * query_fixture.h - the query API over a real store in a directory of its own.
 *
 * Three traces, 10 s apart from FIXTURE_START_NS:
 *
 *   trace 1   web  11  GET /cart  server  +0 s       100 ms   http.status_code=500 (int)
 *             cart 12  getCart    client  +10 ms      50 ms   error "boom", event "retry"; of 11
 *   trace 2   web  21  GET /      server  +10 s       20 ms
 *             cart 22  getCart    server  +10.001 s    5 ms   its parent 99 isn't stored
 *   trace 3   (no service.name) 31 batch  +20 s        2 s    tenant=blue on its resource
 */
#ifndef BB_TESTS_QUERY_FIXTURE_H
#define BB_TESTS_QUERY_FIXTURE_H

#include "query/query_api.h"
#include "tests/support/http_call.h"
#include "tests/support/span_build.h"

#define FIXTURE_START_NS UINT64_C(1700000000000000000)
#define FIXTURE_TRACE_1 "a0a1a2a3a4a5a6a70000000000000001"
#define FIXTURE_TRACE_2 "a0a1a2a3a4a5a6a70000000000000002"
#define FIXTURE_TRACE_3 "a0a1a2a3a4a5a6a70000000000000003"

struct query_fixture {
    struct bb_query_api api;
    struct bb_mem_budget budget;
    struct http_call call;
    char dir[64];
};

/* cmocka's set-up and tear-down; *state is the fixture. */
int query_fixture_set_up(void **state);
int query_fixture_tear_down(void **state);

/* An empty store. */
int query_fixture_set_up_empty(void **state);

/* Appends what was built, and disposes of it. */
void query_fixture_append(struct query_fixture *fx, struct span_build *build);

/* Answers GET `target` through the router; gives the body. */
const char *query_fixture_get(struct query_fixture *fx, const char *target);

/* Fails the test unless `part` is in `text`. */
void check_has(const char *text, const char *part);

/* How often `part` is in `text`. */
unsigned count_of(const char *text, const char *part);

#endif /* BB_TESTS_QUERY_FIXTURE_H */
