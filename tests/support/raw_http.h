/*
 * raw_http.h - a client that sends exactly the bytes that a test gives it, and reads answers. All
 * functions fail the test when the connection doesn't do what they need.
 */
#ifndef BB_TESTS_RAW_HTTP_H
#define BB_TESTS_RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

/* Connects to 127.0.0.1; close(2) it. */
int raw_connect(uint16_t port);

/* True when nothing listens there. */
bool raw_is_refused(uint16_t port);

void raw_send(int fd, const void *bytes, size_t size);
void raw_send_text(int fd, const char *text);

struct raw_answer {
    unsigned status;
    struct bb_buf head; /* the status line and headers; NUL-terminated text */
    struct bb_buf body;
};

/* Reads one answer, by its Content-Length; `has_body` false for the answer to HEAD. */
void raw_read_answer(int fd, bool has_body, struct raw_answer *out_answer);
void raw_answer_dispose(struct raw_answer *answer);

/* True when the answer has that header (any case) with exactly that value. */
bool raw_has_header(const struct raw_answer *answer, const char *name, const char *value);

/* True when the peer has closed the connection and nothing is left to read. */
bool raw_is_closed(int fd);

#endif /* BB_TESTS_RAW_HTTP_H */
