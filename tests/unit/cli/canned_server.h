/*
 * canned_server.h - an HTTP server on 127.0.0.1 that gives a list of answers, one a request, and
 * keeps what it was asked. One thread, connections one after the other.
 */
#ifndef BB_TESTS_CANNED_SERVER_H
#define BB_TESTS_CANNED_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

#define CANNED_ANSWERS_MAX 16

struct canned_server {
    int listener;
    char base[64]; /* "http://127.0.0.1:12345" */
    pthread_t thread;
    uint32_t answer_count;
    /* Written by the thread until canned_server_stop() has returned. */
    uint32_t request_count;
    struct bb_buf heads[CANNED_ANSWERS_MAX]; /* request line and headers, NUL-terminated */
    struct bb_buf bodies[CANNED_ANSWERS_MAX];
    struct bb_slice answers[CANNED_ANSWERS_MAX]; /* whole HTTP answers; size 0: hang up */
};

/* Starts it; the answers, NULL behind the last, are borrowed. "" closes the connection instead. */
void canned_server_start(struct canned_server *server, const char *const *answers);

/* Waits until all answers have been given, and ends it. */
void canned_server_stop(struct canned_server *server);

/* Frees what was asked. */
void canned_server_dispose(struct canned_server *server);

/* Does head `index` have that header line, exactly? */
bool canned_server_has_header(const struct canned_server *server, uint32_t index, const char *line);

#endif /* BB_TESTS_CANNED_SERVER_H */
