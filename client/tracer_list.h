/*
 * tracer_list.h - the tracers there are. A tracer is made once for its arguments and never freed.
 */
#ifndef BBC_TRACER_LIST_H
#define BBC_TRACER_LIST_H

#include "client/byte_sink.h"
#include "client/include/bobbin/span.h"

/* Constant once it is in the list. */
struct bobbin_tracer {
    struct bbc_sink scope;      /* the encoded fields of an OTLP InstrumentationScope */
    struct bbc_sink schema_url; /* the text */
};

/* Around fork: the list's mutex. */
void bbc_tracers_fork_prepare(void);
void bbc_tracers_fork_parent(void);
void bbc_tracers_fork_child(void);

#endif /* BBC_TRACER_LIST_H */
