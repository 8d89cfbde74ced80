/*
 * types.h - what every part of libbobbin's API is made of: errors, strings, attributes, and the
 * context that travels from one process to the next. Included by <bobbin/bobbin.h>.
 *
 * Nothing in this API prints, aborts, or touches signals of its host. What can't be done returns an
 * error or is counted (bobbin_stats_read).
 */
#ifndef BOBBIN_TYPES_H
#define BOBBIN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define BOBBIN_API __attribute__((visibility("default")))
#define BOBBIN_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#else
#define BOBBIN_API
#define BOBBIN_UNLIKELY(condition) (condition)
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum bobbin_err {
    BOBBIN_OK = 0,
    BOBBIN_EINVAL,    /* an argument is not what the function's comment asks for */
    BOBBIN_ENOMEM,    /* out of memory, or a fixed table is full */
    BOBBIN_ETIMEDOUT, /* the time given is over; what was asked for goes on */
    BOBBIN_ESTATE,    /* not started, or started already */
    BOBBIN_EEXPORT,   /* spans were dropped since the last successful flush: see the counters */
    BOBBIN_ENOTFOUND, /* the carrier has no such header */
    BOBBIN_EIO,       /* a file or a thread could not be made */
};

/* The name of `err`, such as "BOBBIN_EINVAL"; static. */
BOBBIN_API const char *bobbin_err_name(enum bobbin_err err);

/*
 * A string. One that is literal is kept by reference and must live as long as the process (before
 * a library with such literals is unloaded, call bobbin_flush); any other is copied at once.
 */
struct bobbin_str {
    const char *data;
    uint32_t size;
    uint32_t is_literal;
};

static inline struct bobbin_str bobbin_str_by_reference(const char *data, size_t size)
{
    struct bobbin_str str;

    str.data = data;
    str.size = (uint32_t)size;
    str.is_literal = 1;
    return str;
}

/* A string of `size` bytes at `data`, copied when it is used. Over 4 GiB it is cut. */
static inline struct bobbin_str bobbin_strn(const char *data, size_t size)
{
    struct bobbin_str str;

    str.data = data;
    str.size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    str.is_literal = 0;
    return str;
}

/* A string that ends with a zero byte, copied when it is used; NULL is the empty string. */
static inline struct bobbin_str bobbin_cstr(const char *text)
{
    return bobbin_strn(text, text == NULL ? 0 : strlen(text));
}

/* A literal, kept by reference. Compiles with string literals only. */
#define bobbin_lit(text) bobbin_str_by_reference("" text "", sizeof(text) - 1)

enum bobbin_attr_type {
    BOBBIN_ATTR_STRING = 1,
    BOBBIN_ATTR_BOOL,
    BOBBIN_ATTR_INT,
    BOBBIN_ATTR_DOUBLE,
    BOBBIN_ATTR_BYTES,
    BOBBIN_ATTR_STRINGS, /* arrays: every element of one type */
    BOBBIN_ATTR_BOOLS,
    BOBBIN_ATTR_INTS,
    BOBBIN_ATTR_DOUBLES,
};

/* A key with a value, for the functions that take lists of them. Owns nothing. */
struct bobbin_attr {
    struct bobbin_str key;
    enum bobbin_attr_type type;
    uint32_t count; /* elements of an array */
    union {
        int64_t as_int;
        double as_double;
        bool as_bool;
        struct bobbin_str as_string; /* BYTES too */
        const struct bobbin_str *strings;
        const int64_t *ints;
        const double *doubles;
        const bool *bools;
    } value;
};

static inline struct bobbin_attr bobbin_attr_string(struct bobbin_str key, struct bobbin_str value)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_STRING;
    attr.count = 0;
    attr.value.as_string = value;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_bytes(struct bobbin_str key, const void *data,
                                                   size_t size)
{
    struct bobbin_attr attr = bobbin_attr_string(key, bobbin_strn((const char *)data, size));

    attr.type = BOBBIN_ATTR_BYTES;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_int(struct bobbin_str key, int64_t value)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_INT;
    attr.count = 0;
    attr.value.as_int = value;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_double(struct bobbin_str key, double value)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_DOUBLE;
    attr.count = 0;
    attr.value.as_double = value;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_bool(struct bobbin_str key, bool value)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_BOOL;
    attr.count = 0;
    attr.value.as_bool = value;
    return attr;
}

/* Arrays: `values` is borrowed until the function that the attribute is given to returns. */
static inline struct bobbin_attr bobbin_attr_strings(struct bobbin_str key,
                                                     const struct bobbin_str *values, size_t count)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_STRINGS;
    attr.count = (uint32_t)count;
    attr.value.strings = values;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_ints(struct bobbin_str key, const int64_t *values,
                                                  size_t count)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_INTS;
    attr.count = (uint32_t)count;
    attr.value.ints = values;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_doubles(struct bobbin_str key, const double *values,
                                                     size_t count)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_DOUBLES;
    attr.count = (uint32_t)count;
    attr.value.doubles = values;
    return attr;
}

static inline struct bobbin_attr bobbin_attr_bools(struct bobbin_str key, const bool *values,
                                                   size_t count)
{
    struct bobbin_attr attr;

    attr.key = key;
    attr.type = BOBBIN_ATTR_BOOLS;
    attr.count = (uint32_t)count;
    attr.value.bools = values;
    return attr;
}

#define BOBBIN_TRACE_ID_SIZE 16
#define BOBBIN_SPAN_ID_SIZE 8

/* Bits of the trace flags (W3C Trace Context level 2). Other bits are passed on as 0. */
#define BOBBIN_FLAG_SAMPLED 0x01u
#define BOBBIN_FLAG_RANDOM 0x02u

/* Bytes of a tracestate that are kept; from a longer one, whole members are left out. */
#define BOBBIN_TRACESTATE_MAX 512

/* What identifies a span to the next process. Owns nothing: `tracestate` is borrowed. */
struct bobbin_span_context {
    uint8_t trace_id[BOBBIN_TRACE_ID_SIZE];
    uint8_t span_id[BOBBIN_SPAN_ID_SIZE];
    uint8_t flags;
    bool is_remote;           /* came in over the wire */
    uint16_t tracestate_size; /* 0 for none */
    const char *tracestate;
};

/* Whether both ids are other than zero. */
static inline bool bobbin_span_context_is_valid(const struct bobbin_span_context *context)
{
    uint64_t high, low, span;

    memcpy(&high, context->trace_id, sizeof high);
    memcpy(&low, context->trace_id + sizeof high, sizeof low);
    memcpy(&span, context->span_id, sizeof span);
    return (high | low) != 0 && span != 0;
}

static inline bool bobbin_span_context_is_sampled(const struct bobbin_span_context *context)
{
    return (context->flags & BOBBIN_FLAG_SAMPLED) != 0;
}

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_TYPES_H */
