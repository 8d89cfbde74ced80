/*
 * context.h - what is current on a thread, and baggage. Included by <bobbin/bobbin.h>.
 *
 * A thread has a stack of scopes; a scope makes a span, a context or a baggage the current one
 * until
 * it is left. Scopes are values of the caller's and stay where they are until they are left. A new
 * span
 * is the child of what is current unless it is told otherwise.
 *
 * Handing work to another thread, a callback or a queue: bobbin_context_capture on this side,
 * bobbin_scope_enter_context on the other. Coroutines: bobbin_scope_swap at each switch.
 */
#ifndef BOBBIN_CONTEXT_H
#define BOBBIN_CONTEXT_H

#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The W3C limits of a baggage header: bytes and members. */
#define BOBBIN_BAGGAGE_SIZE_MAX 8192
#define BOBBIN_BAGGAGE_MEMBERS_MAX 64

/*
 * Name-value pairs that travel with the trace. A plain value of the caller's, 8 KiB: `text` is kept
 * in the form of the header. Zeroed is empty. Copy it freely.
 */
struct bobbin_baggage {
    uint16_t size;
    uint16_t count;
    char text[BOBBIN_BAGGAGE_SIZE_MAX];
};

/*
 * Sets `name` (an RFC 7230 token) to `value` (any UTF-8; kept percent-encoded), with `metadata`
 * such
 * as "ttl=30" or the empty string. An entry of that name is replaced.
 *
 * BOBBIN_EINVAL  name is no token, value no UTF-8, or metadata has a comma or a control character
 * BOBBIN_ENOMEM  over the limits above; the baggage is as it was
 */
BOBBIN_API enum bobbin_err bobbin_baggage_set(struct bobbin_baggage *baggage, const char *name,
                                              struct bobbin_str value, struct bobbin_str metadata);

/* Removes `name`; nothing happens if it isn't there. */
BOBBIN_API void bobbin_baggage_remove(struct bobbin_baggage *baggage, const char *name);

/*
 * The value of `name`, decoded into `value` of `value_size` bytes with a zero byte behind it.
 *
 * BOBBIN_ENOTFOUND  there is none
 * BOBBIN_ENOMEM     it does not fit
 */
BOBBIN_API enum bobbin_err bobbin_baggage_get(const struct bobbin_baggage *baggage,
                                              const char *name, char *value, size_t value_size);

/*
 * Calls `visit` for each entry, in order, with the value as it is encoded; stops when it returns
 * false.
 */
BOBBIN_API void bobbin_baggage_each(const struct bobbin_baggage *baggage,
                                    bool (*visit)(void *user, struct bobbin_str name,
                                                  struct bobbin_str encoded_value,
                                                  struct bobbin_str metadata),
                                    void *user);

/*
 * A span's context that owns its tracestate: what comes in over the wire, or what is handed to
 * another thread. Can be copied with bobbin_context_copy only, as `span` points into it. `baggage`
 * is borrowed.
 */
struct bobbin_context {
    struct bobbin_span_context span;
    const struct bobbin_baggage *baggage; /* NULL: none */
    char tracestate[BOBBIN_TRACESTATE_MAX];
};

/* Copies a context; `baggage` is the same one. */
BOBBIN_API void bobbin_context_copy(struct bobbin_context *to, const struct bobbin_context *from);

/* Takes what is current on this thread. Without a current span, `out->span` is not valid. */
BOBBIN_API void bobbin_context_capture(struct bobbin_context *out);

/* A scope. Its fields are private. */
struct bobbin_scope {
    struct bobbin_scope *outer;
    struct bobbin_span *span;
    const struct bobbin_context *context;
    const struct bobbin_baggage *baggage;
};

/* Makes a span current; the baggage stays as it is. */
BOBBIN_API void bobbin_scope_enter_span(struct bobbin_scope *scope, struct bobbin_span *span);

/* Makes a context and its baggage current: what was current before is hidden. */
BOBBIN_API void bobbin_scope_enter_context(struct bobbin_scope *scope,
                                           const struct bobbin_context *context);

/* Makes a baggage current; the span stays as it is. */
BOBBIN_API void bobbin_scope_enter_baggage(struct bobbin_scope *scope,
                                           const struct bobbin_baggage *baggage);

/*
 * Leaves a scope: what was current before it is current again. Scopes entered after it and not left
 * are left with it. One that isn't on this thread's stack is ignored and counted
 * (bobbin_stats.misuse).
 */
BOBBIN_API void bobbin_scope_leave(struct bobbin_scope *scope);

/* Exchanges the whole stack of scopes of this thread; returns the one before. */
BOBBIN_API struct bobbin_scope *bobbin_scope_swap(struct bobbin_scope *scopes);

/* The current span, or NULL where none is or only a context is. */
BOBBIN_API struct bobbin_span *bobbin_current_span(void);

/* The context of what is current; not valid where nothing is. Borrowed from it. */
BOBBIN_API struct bobbin_span_context bobbin_current_span_context(void);

/* The current baggage, or NULL. */
BOBBIN_API const struct bobbin_baggage *bobbin_current_baggage(void);

/*
 * The everyday case: a span that is current while it is open.
 *
 *     BOBBIN_SCOPE(work, tracer, "load config");
 *     bobbin_span_set_int(&work.span, bobbin_lit("file.size"), size);
 *     ...
 *     BOBBIN_SCOPE_END(work);
 *
 * Where the compiler has the cleanup attribute (GCC, Clang), BOBBIN_SCOPE_END may be left out: the
 * span ends with the block, however it is left. Ending it twice does nothing.
 */
struct bobbin_scoped_span {
    struct bobbin_scope scope;
    struct bobbin_span span;
    bool is_open;
};

static inline void bobbin_scoped_span_enter(struct bobbin_scoped_span *scoped,
                                            const struct bobbin_tracer *tracer,
                                            struct bobbin_str name)
{
    bobbin_span_start(&scoped->span, tracer, name, NULL);
    bobbin_scope_enter_span(&scoped->scope, &scoped->span);
    scoped->is_open = true;
}

static inline void bobbin_scoped_span_leave(struct bobbin_scoped_span *scoped)
{
    if (scoped->is_open) {
        scoped->is_open = false;
        bobbin_scope_leave(&scoped->scope);
        bobbin_span_end(&scoped->span);
    }
}

#if defined(__GNUC__)
#define BOBBIN_SCOPED __attribute__((cleanup(bobbin_scoped_span_leave)))
#else
#define BOBBIN_SCOPED
#endif

#define BOBBIN_SCOPE(variable, tracer, name)                                                       \
    struct bobbin_scoped_span variable BOBBIN_SCOPED;                                              \
    bobbin_scoped_span_enter(&(variable), (tracer), bobbin_lit(name))

#define BOBBIN_SCOPE_END(variable) bobbin_scoped_span_leave(&(variable))

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_CONTEXT_H */
