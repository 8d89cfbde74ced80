/*
 * exporter.h - where finished spans go. Included by <bobbin/bobbin.h>.
 *
 * An exporter is a table of functions that gets encoded requests, one at a time, on a thread of the
 * library's. Batching, retries, the circuit breaker and the counters are around it.
 */
#ifndef BOBBIN_EXPORTER_H
#define BOBBIN_EXPORTER_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An OTLP ExportTraceServiceRequest in protobuf; borrowed for the call. */
struct bobbin_request {
    const uint8_t *data;
    size_t size;
    uint32_t span_count;
};

enum bobbin_export_result {
    BOBBIN_EXPORT_OK = 0,
    BOBBIN_EXPORT_RETRY, /* may succeed later: no connection, 429, 502, 503, 504 */
    BOBBIN_EXPORT_FAILED /* never will: the spans are dropped */
};

/* Zeroed before the call. */
struct bobbin_export_report {
    uint32_t rejected_spans; /* OK: partial success; these are counted as rejected */
    uint32_t retry_after_ms; /* RETRY: the receiver's word; 0 for none */
};

struct bobbin_exporter {
    void *user;
    /* Sends one request within `timeout_ms`. The only call that may block. */
    enum bobbin_export_result (*send)(void *user, const struct bobbin_request *request,
                                      uint32_t timeout_ms, struct bobbin_export_report *report);
    /* Makes a running send return soon, and later ones at once. On another thread. NULL: can't. */
    void (*cancel)(void *user);
    /* In the child after a fork, before the first send there: forget connections. NULL: none. */
    void (*forked)(void *user);
    /* The last call: releases `user`. NULL: nothing to release. */
    void (*close)(void *user);
};

/* Keeps requests in memory, for tests. Free it after bobbin_shutdown. */
struct bobbin_memory_exporter;

/* BOBBIN_ENOMEM: out of memory. Freed by bobbin_memory_exporter_free. */
BOBBIN_API enum bobbin_err bobbin_memory_exporter_new(struct bobbin_memory_exporter **out);
BOBBIN_API void bobbin_memory_exporter_free(struct bobbin_memory_exporter *memory);
BOBBIN_API struct bobbin_exporter bobbin_memory_exporter_of(struct bobbin_memory_exporter *memory);

/* Spans received so far. */
BOBBIN_API uint64_t bobbin_memory_exporter_span_count(struct bobbin_memory_exporter *memory);

/*
 * Gives each request so far to `visit`, in order, until it returns false. Nothing can be added
 * meanwhile.
 */
BOBBIN_API void bobbin_memory_exporter_each(struct bobbin_memory_exporter *memory,
                                            bool (*visit)(void *user,
                                                          const struct bobbin_request *request),
                                            void *user);

/* Forgets what it has. */
BOBBIN_API void bobbin_memory_exporter_clear(struct bobbin_memory_exporter *memory);

/*
 * Appends each request as one line of OTLP/JSON to the file at `path`, or to the descriptor `fd`,
 * which stays open (1 for the standard output: the only way this library ever writes there). A line
 * goes out in one write, so that several processes can share a file.
 *
 * BOBBIN_EIO     the file can't be opened
 * BOBBIN_ENOMEM  out of memory
 */
BOBBIN_API enum bobbin_err bobbin_file_exporter_open(const char *path, struct bobbin_exporter *out);
BOBBIN_API enum bobbin_err bobbin_fd_exporter_open(int fd, struct bobbin_exporter *out);

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_EXPORTER_H */
