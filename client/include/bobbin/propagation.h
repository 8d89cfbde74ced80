/*
 * propagation.h - carries a context from one process to the next: W3C Trace Context (level 2) and
 * Baggage, B3 in one header or several, and Jaeger's. Included by <bobbin/bobbin.h>.
 *
 * Propagation works whether or not the library is started, and is never switched off.
 */
#ifndef BOBBIN_PROPAGATION_H
#define BOBBIN_PROPAGATION_H

#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a traceparent with the zero byte behind it. */
#define BOBBIN_TRACEPARENT_SIZE 56

/* Writes the traceparent of a valid context; an invalid one gives the empty string. */
BOBBIN_API void bobbin_traceparent_write(const struct bobbin_span_context *context,
                                         char out[BOBBIN_TRACEPARENT_SIZE]);

/*
 * Reads a traceparent. On success *out is a remote context without tracestate.
 *
 * BOBBIN_EINVAL  it is none by the rules of W3C Trace Context level 2; *out is as it was
 */
BOBBIN_API enum bobbin_err bobbin_traceparent_read(const char *text, size_t size,
                                                   struct bobbin_span_context *out);

/* A set of propagators: these bits. */
#define BOBBIN_PROPAGATE_TRACECONTEXT 0x01u
#define BOBBIN_PROPAGATE_BAGGAGE 0x02u
#define BOBBIN_PROPAGATE_B3 0x04u
#define BOBBIN_PROPAGATE_B3MULTI 0x08u
#define BOBBIN_PROPAGATE_JAEGER 0x10u

/* What OTEL_PROPAGATORS says, read once; without it, tracecontext and baggage. */
BOBBIN_API uint32_t bobbin_propagators_default(void);

/*
 * Reads a list such as "tracecontext,baggage,b3" or "none". A name that isn't known is left out.
 *
 * BOBBIN_EINVAL  a name wasn't known; *out has the others
 */
BOBBIN_API enum bobbin_err bobbin_propagators_parse(const char *names, uint32_t *out);

/* The header names that the set reads and writes, in lower case; NULL ends the list. Static. */
BOBBIN_API const char *const *bobbin_propagator_fields(uint32_t propagators);

/*
 * Where headers come from. `get` gives the `nth` value (from 0) of the header `name`, which is
 * lower
 * case; names of HTTP headers are to be compared without case. It returns false where there is
 * none. The value is borrowed until the next call.
 */
struct bobbin_header_reader {
    void *user;
    bool (*get)(void *user, const char *name, size_t nth, struct bobbin_str *out_value);
};

/* Where headers go. `value` ends with a zero byte, which `size` does not count. */
struct bobbin_header_writer {
    void *user;
    enum bobbin_err (*set)(void *user, const char *name, const char *value, size_t size);
};

/*
 * Writes the headers of a context (invalid: none) and of a baggage (NULL or empty: none). Stops at
 * the first error of the writer and returns it.
 */
BOBBIN_API enum bobbin_err bobbin_inject(uint32_t propagators,
                                         const struct bobbin_span_context *context,
                                         const struct bobbin_baggage *baggage,
                                         const struct bobbin_header_writer *writer);

/* Writes what is current on this thread. */
BOBBIN_API enum bobbin_err bobbin_inject_current(const struct bobbin_header_writer *writer);

/*
 * Reads a context. If several propagators find one, the order is tracecontext, b3, b3multi, jaeger.
 * `baggage`, if not NULL, is set to what the headers hold (empty for none), and `out->baggage` to
 * it. Headers that are malformed count as absent.
 *
 * BOBBIN_ENOTFOUND  no valid context; out->span is not valid, the baggage may be there
 */
BOBBIN_API enum bobbin_err bobbin_extract(uint32_t propagators,
                                          const struct bobbin_header_reader *reader,
                                          struct bobbin_context *out,
                                          struct bobbin_baggage *baggage);

/* A plain array of headers. Names are compared without case. */
struct bobbin_header {
    const char *name;
    struct bobbin_str value;
};

struct bobbin_headers {
    const struct bobbin_header *headers;
    size_t count;
};

BOBBIN_API struct bobbin_header_reader bobbin_headers_reader(const struct bobbin_headers *headers);

/*
 * Environment variables, for child processes: the header "traceparent" is the variable TRACEPARENT.
 * The reader reads this process's own environment, the writer sets it (not while another thread
 * uses the environment).
 */
BOBBIN_API struct bobbin_header_reader bobbin_environment_reader(void);
BOBBIN_API struct bobbin_header_writer bobbin_environment_writer(void);

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_PROPAGATION_H */
