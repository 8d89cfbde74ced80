/*
 * propagator_set.c - injects and extracts with a set of propagators (propagation.h).
 *
 *   b3        b3: {trace id}-{span id}-{sampled}-{parent id}, the last two optional; sampled is 0,
 *   1
 *             or d (debug: taken as sampled). A trace id has 16 or 32 digits.
 *   b3multi   X-B3-TraceId, X-B3-SpanId, X-B3-Sampled (0 or 1; true and false of old senders),
 *             X-B3-Flags: 1 for debug
 *   jaeger    uber-trace-id: {trace id}:{span id}:{parent id}:{flags}, leading zeros left out, the
 *             colons percent-encoded at times
 */
#include "client/include/bobbin/bobbin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "client/baggage_text.h"
#include "client/env_text.h"
#include "client/w3c_headers.h"

/* Values of one header that are read: a sender may split a list over several. */
#define HEADER_VALUES_MAX 32

static const struct {
    const char *name;
    uint32_t bit;
} propagators_known[] = {
    {"tracecontext", BOBBIN_PROPAGATE_TRACECONTEXT},
    {"baggage", BOBBIN_PROPAGATE_BAGGAGE},
    {"b3", BOBBIN_PROPAGATE_B3},
    {"b3multi", BOBBIN_PROPAGATE_B3MULTI},
    {"jaeger", BOBBIN_PROPAGATE_JAEGER},
    {"none", 0},
};

enum bobbin_err bobbin_propagators_parse(const char *names, uint32_t *out)
{
    enum bobbin_err err = BOBBIN_OK;
    uint32_t set = 0;

    while (*names != '\0') {
        size_t size = strcspn(names, ",");
        size_t begin = strspn(names, " \t");
        size_t end = size;
        bool is_known = false;

        begin = begin > size ? size : begin;
        while (end > begin && (names[end - 1] == ' ' || names[end - 1] == '\t')) {
            end--;
        }
        for (unsigned i = 0; i < sizeof propagators_known / sizeof propagators_known[0]; i++) {
            if (strlen(propagators_known[i].name) == end - begin &&
                memcmp(propagators_known[i].name, names + begin, end - begin) == 0) {
                set |= propagators_known[i].bit;
                is_known = true;
            }
        }
        if (!is_known && end > begin) {
            err = BOBBIN_EINVAL;
        }
        names += size + (names[size] == ',');
    }
    *out = set;
    return err;
}

static pthread_once_t default_once = PTHREAD_ONCE_INIT;
static uint32_t default_set;

static void read_default(void)
{
    const char *names = bbc_env_text("OTEL_PROPAGATORS");

    if (bobbin_propagators_parse(names == NULL ? "tracecontext,baggage" : names, &default_set) !=
        BOBBIN_OK) {
        bobbin_opts_warn("OTEL_PROPAGATORS");
    }
}

uint32_t bobbin_propagators_default(void)
{
    (void)pthread_once(&default_once, read_default);
    return default_set;
}

const char *const *bobbin_propagator_fields(uint32_t propagators)
{
    /* One list for each set would be 32 of them: the bits choose a slot, filled in once. */
    static const struct {
        uint32_t bit;
        const char *name;
    } fields[] = {
        {BOBBIN_PROPAGATE_TRACECONTEXT, "traceparent"},
        {BOBBIN_PROPAGATE_TRACECONTEXT, "tracestate"},
        {BOBBIN_PROPAGATE_BAGGAGE, "baggage"},
        {BOBBIN_PROPAGATE_B3, "b3"},
        {BOBBIN_PROPAGATE_B3MULTI, "x-b3-traceid"},
        {BOBBIN_PROPAGATE_B3MULTI, "x-b3-spanid"},
        {BOBBIN_PROPAGATE_B3MULTI, "x-b3-sampled"},
        {BOBBIN_PROPAGATE_B3MULTI, "x-b3-flags"},
        {BOBBIN_PROPAGATE_JAEGER, "uber-trace-id"},
    };
    enum { FIELD_COUNT = sizeof fields / sizeof fields[0], SET_COUNT = 32 };
    static _Atomic(const char *) lists[SET_COUNT][FIELD_COUNT + 1];
    unsigned set = propagators % SET_COUNT;
    unsigned count = 0;

    /* Any two threads that fill a slot write the same. */
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if ((set & fields[i].bit) != 0) {
            atomic_store_explicit(&lists[set][count++], fields[i].name, memory_order_relaxed);
        }
    }
    return (const char *const *)(const void *)lists[set];
}

static enum bobbin_err set_header(const struct bobbin_header_writer *writer, const char *name,
                                  const char *value, size_t size)
{
    return writer->set(writer->user, name, value, size);
}

static enum bobbin_err inject_w3c(const struct bobbin_span_context *context,
                                  const struct bobbin_header_writer *writer)
{
    char parent[BOBBIN_TRACEPARENT_SIZE];
    char state[BOBBIN_TRACESTATE_MAX + 1];
    enum bobbin_err err;

    bobbin_traceparent_write(context, parent);
    err = set_header(writer, "traceparent", parent, BOBBIN_TRACEPARENT_SIZE - 1);
    if (err == BOBBIN_OK && context->tracestate_size > 0 &&
        context->tracestate_size <= BOBBIN_TRACESTATE_MAX) {
        memcpy(state, context->tracestate, context->tracestate_size);
        state[context->tracestate_size] = '\0';
        err = set_header(writer, "tracestate", state, context->tracestate_size);
    }
    return err;
}

/* "{trace id}{between}{span id}", and a zero byte; returns the size. */
static size_t write_ids(const struct bobbin_span_context *context, char between, char *out)
{
    bbc_hex_write(context->trace_id, sizeof context->trace_id, out);
    out[32] = between;
    bbc_hex_write(context->span_id, sizeof context->span_id, out + 33);
    out[49] = '\0';
    return 49;
}

static enum bobbin_err inject_b3(const struct bobbin_span_context *context,
                                 const struct bobbin_header_writer *writer)
{
    char text[64];
    size_t size = write_ids(context, '-', text);

    memcpy(text + size, bobbin_span_context_is_sampled(context) ? "-1" : "-0", 3);
    return set_header(writer, "b3", text, size + 2);
}

static enum bobbin_err inject_b3_multi(const struct bobbin_span_context *context,
                                       const struct bobbin_header_writer *writer)
{
    char text[64];
    enum bobbin_err err;

    (void)write_ids(context, '\0', text);
    err = set_header(writer, "x-b3-traceid", text, 32);
    if (err == BOBBIN_OK) {
        err = set_header(writer, "x-b3-spanid", text + 33, 16);
    }
    if (err == BOBBIN_OK) {
        err = set_header(writer, "x-b3-sampled",
                         bobbin_span_context_is_sampled(context) ? "1" : "0", 1);
    }
    return err;
}

static enum bobbin_err inject_jaeger(const struct bobbin_span_context *context,
                                     const struct bobbin_header_writer *writer)
{
    char text[64];
    size_t size = write_ids(context, ':', text);

    memcpy(text + size, bobbin_span_context_is_sampled(context) ? ":0:1" : ":0:0", 5);
    return set_header(writer, "uber-trace-id", text, size + 4);
}

static enum bobbin_err inject_baggage(const struct bobbin_baggage *baggage,
                                      const struct bobbin_header_writer *writer)
{
    char text[BOBBIN_BAGGAGE_SIZE_MAX + 1];

    memcpy(text, baggage->text, baggage->size);
    text[baggage->size] = '\0';
    return set_header(writer, "baggage", text, baggage->size);
}

enum bobbin_err bobbin_inject(uint32_t propagators, const struct bobbin_span_context *context,
                              const struct bobbin_baggage *baggage,
                              const struct bobbin_header_writer *writer)
{
    static const struct {
        uint32_t bit;
        enum bobbin_err (*inject)(const struct bobbin_span_context *context,
                                  const struct bobbin_header_writer *writer);
    } formats[] = {
        {BOBBIN_PROPAGATE_TRACECONTEXT, inject_w3c},
        {BOBBIN_PROPAGATE_B3, inject_b3},
        {BOBBIN_PROPAGATE_B3MULTI, inject_b3_multi},
        {BOBBIN_PROPAGATE_JAEGER, inject_jaeger},
    };
    enum bobbin_err err = BOBBIN_OK;

    if (bobbin_span_context_is_valid(context)) {
        for (unsigned i = 0; i < sizeof formats / sizeof formats[0] && err == BOBBIN_OK; i++) {
            if ((propagators & formats[i].bit) != 0) {
                err = formats[i].inject(context, writer);
            }
        }
    }
    if (err == BOBBIN_OK && (propagators & BOBBIN_PROPAGATE_BAGGAGE) != 0 && baggage != NULL &&
        baggage->size > 0) {
        err = inject_baggage(baggage, writer);
    }
    return err;
}

enum bobbin_err bobbin_inject_current(const struct bobbin_header_writer *writer)
{
    struct bobbin_span_context context = bobbin_current_span_context();

    return bobbin_inject(bobbin_propagators_default(), &context, bobbin_current_baggage(), writer);
}

static struct bobbin_str get_header(const struct bobbin_header_reader *reader, const char *name,
                                    size_t nth, bool *out_is_there)
{
    struct bobbin_str value = {0};

    *out_is_there = reader->get(reader->user, name, nth, &value);
    if (!*out_is_there) {
        return (struct bobbin_str){0};
    }
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.size--;
    }
    while (value.size > 0 &&
           (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t')) {
        value.size--;
    }
    return value;
}

static bool extract_w3c(const struct bobbin_header_reader *reader, struct bobbin_context *out)
{
    bool is_there;
    bool is_twice;
    struct bobbin_str value = get_header(reader, "traceparent", 0, &is_there);
    size_t size = 0;
    unsigned count = 0;

    if (!is_there || bobbin_traceparent_read(value.data, value.size, &out->span) != BOBBIN_OK) {
        return false;
    }
    (void)get_header(reader, "traceparent", 1, &is_twice);
    if (is_twice) {
        return false; /* it can't be known which of them is meant */
    }
    for (size_t nth = 0; nth < HEADER_VALUES_MAX; nth++) {
        value = get_header(reader, "tracestate", nth, &is_there);
        if (!is_there) {
            break;
        }
        if (!bbc_tracestate_append(value.data, value.size, out->tracestate, sizeof out->tracestate,
                                   &size, &count)) {
            size = 0; /* a tracestate that is malformed leaves the traceparent as it is */
            break;
        }
    }
    out->span.tracestate_size = (uint16_t)size;
    out->span.tracestate = out->tracestate;
    return true;
}

/* A hexadecimal id of up to 2 * `size` digits, with zeros in front; false if it is none. */
static bool read_id(struct bobbin_str text, size_t size, uint8_t *out)
{
    char digits[32];

    if (text.size == 0 || text.size > 2 * size) {
        return false;
    }
    memset(digits, '0', sizeof digits);
    memcpy(digits + 2 * size - text.size, text.data, text.size);
    return bbc_hex_read(digits, size, true, out);
}

/* Sets the context if both ids are valid. */
static bool set_ids(struct bobbin_str trace_id, struct bobbin_str span_id, bool is_sampled,
                    struct bobbin_context *out)
{
    struct bobbin_span_context context = {.is_remote = true,
                                          .flags = is_sampled ? BOBBIN_FLAG_SAMPLED : 0};

    if (!read_id(trace_id, sizeof context.trace_id, context.trace_id) ||
        !read_id(span_id, sizeof context.span_id, context.span_id) ||
        !bobbin_span_context_is_valid(&context)) {
        return false;
    }
    out->span = context;
    out->span.tracestate = out->tracestate;
    return true;
}

/* Cuts the part before `separator` off; all of it where there is none. */
static struct bobbin_str cut_part(struct bobbin_str *rest, const char *separator)
{
    size_t length = strlen(separator);
    struct bobbin_str part = *rest;

    for (uint32_t i = 0; i + length <= rest->size; i++) {
        if (strncasecmp(rest->data + i, separator, length) == 0) {
            part.size = i;
            rest->data += i + length;
            rest->size -= i + (uint32_t)length;
            return part;
        }
    }
    *rest = (struct bobbin_str){0};
    return part;
}

static bool is_b3_id_size(uint32_t size)
{
    return size == 16 || size == 32;
}

static bool extract_b3(const struct bobbin_header_reader *reader, struct bobbin_context *out)
{
    bool is_there;
    struct bobbin_str rest = get_header(reader, "b3", 0, &is_there);
    struct bobbin_str trace_id = cut_part(&rest, "-");
    struct bobbin_str span_id = cut_part(&rest, "-");
    struct bobbin_str sampled = cut_part(&rest, "-");

    if (!is_there || !is_b3_id_size(trace_id.size) || span_id.size != 16 || sampled.size > 1) {
        return false;
    }
    if (sampled.size == 1 && memchr("01d", sampled.data[0], 3) == NULL) {
        return false;
    }
    return set_ids(trace_id, span_id, sampled.size == 1 && sampled.data[0] != '0', out);
}

static bool extract_b3_multi(const struct bobbin_header_reader *reader, struct bobbin_context *out)
{
    bool is_there;
    struct bobbin_str trace_id = get_header(reader, "x-b3-traceid", 0, &is_there);
    char trace_digits[32];
    char span_digits[16];
    struct bobbin_str span_id;
    struct bobbin_str value;
    bool is_sampled;

    if (!is_there || !is_b3_id_size(trace_id.size)) {
        return false;
    }
    memcpy(trace_digits, trace_id.data, trace_id.size); /* lent until the next get only */
    trace_id.data = trace_digits;
    span_id = get_header(reader, "x-b3-spanid", 0, &is_there);
    if (!is_there || span_id.size != sizeof span_digits) {
        return false;
    }
    memcpy(span_digits, span_id.data, sizeof span_digits);
    span_id.data = span_digits;
    value = get_header(reader, "x-b3-sampled", 0, &is_there);
    is_sampled = (value.size == 1 && value.data[0] == '1') ||
                 (value.size == 4 && strncasecmp(value.data, "true", 4) == 0);
    value = get_header(reader, "x-b3-flags", 0, &is_there);
    is_sampled = is_sampled || (value.size == 1 && value.data[0] == '1');
    return set_ids(trace_id, span_id, is_sampled, out);
}

static bool extract_jaeger(const struct bobbin_header_reader *reader, struct bobbin_context *out)
{
    bool is_there;
    struct bobbin_str rest = get_header(reader, "uber-trace-id", 0, &is_there);
    const char *colon = is_there && memchr(rest.data, ':', rest.size) != NULL ? ":" : "%3A";
    struct bobbin_str trace_id;
    struct bobbin_str span_id;
    struct bobbin_str flags;
    uint8_t bits;

    if (!is_there) {
        return false;
    }
    trace_id = cut_part(&rest, colon);
    span_id = cut_part(&rest, colon);
    (void)cut_part(&rest, colon); /* the parent's id, which nobody uses any more */
    flags = cut_part(&rest, colon);
    if (!read_id(flags, 1, &bits)) {
        return false;
    }
    return set_ids(trace_id, span_id, (bits & 1) != 0, out);
}

static void extract_baggage(const struct bobbin_header_reader *reader,
                            struct bobbin_baggage *baggage)
{
    for (size_t nth = 0; nth < HEADER_VALUES_MAX; nth++) {
        bool is_there;
        struct bobbin_str value = get_header(reader, "baggage", nth, &is_there);

        if (!is_there) {
            return;
        }
        bbc_baggage_read(baggage, value.data, value.size);
    }
}

enum bobbin_err bobbin_extract(uint32_t propagators, const struct bobbin_header_reader *reader,
                               struct bobbin_context *out, struct bobbin_baggage *baggage)
{
    static const struct {
        uint32_t bit;
        bool (*extract)(const struct bobbin_header_reader *reader, struct bobbin_context *out);
    } formats[] = {
        {BOBBIN_PROPAGATE_TRACECONTEXT, extract_w3c},
        {BOBBIN_PROPAGATE_B3, extract_b3},
        {BOBBIN_PROPAGATE_B3MULTI, extract_b3_multi},
        {BOBBIN_PROPAGATE_JAEGER, extract_jaeger},
    };
    bool is_found = false;

    out->baggage = NULL;
    if (baggage != NULL) {
        baggage->size = 0;
        baggage->count = 0;
        if ((propagators & BOBBIN_PROPAGATE_BAGGAGE) != 0) {
            extract_baggage(reader, baggage);
        }
        out->baggage = baggage;
    }
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0] && !is_found; i++) {
        is_found = (propagators & formats[i].bit) != 0 && formats[i].extract(reader, out);
    }
    if (!is_found) {
        memset(&out->span, 0, sizeof out->span);
    }
    return is_found ? BOBBIN_OK : BOBBIN_ENOTFOUND;
}
