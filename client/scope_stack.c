/*
 * scope_stack.c - the stack of scopes of each thread (context.h).
 */
#include "client/include/bobbin/context.h"

#include "client/thread_ring.h"

void bobbin_scope_enter_span(struct bobbin_scope *scope, struct bobbin_span *span)
{
    struct bobbin_scope *outer = bbc_this_thread.scopes;

    *scope = (struct bobbin_scope){
        .outer = outer, .span = span, .baggage = outer == NULL ? NULL : outer->baggage};
    bbc_this_thread.scopes = scope;
}

void bobbin_scope_enter_context(struct bobbin_scope *scope, const struct bobbin_context *context)
{
    *scope = (struct bobbin_scope){
        .outer = bbc_this_thread.scopes, .context = context, .baggage = context->baggage};
    bbc_this_thread.scopes = scope;
}

void bobbin_scope_enter_baggage(struct bobbin_scope *scope, const struct bobbin_baggage *baggage)
{
    struct bobbin_scope *outer = bbc_this_thread.scopes;

    *scope = (struct bobbin_scope){
        .outer = outer,
        .span = outer == NULL ? NULL : outer->span,
        .context = outer == NULL ? NULL : outer->context,
        .baggage = baggage,
    };
    bbc_this_thread.scopes = scope;
}

void bobbin_scope_leave(struct bobbin_scope *scope)
{
    const struct bobbin_scope *open = bbc_this_thread.scopes;

    while (open != NULL && open != scope) {
        open = open->outer;
    }
    if (open == NULL) {
        bbc_count(&bbc_loose.misuse, 1);
        return;
    }
    bbc_this_thread.scopes = scope->outer;
}

struct bobbin_scope *bobbin_scope_swap(struct bobbin_scope *scopes)
{
    struct bobbin_scope *before = bbc_this_thread.scopes;

    bbc_this_thread.scopes = scopes;
    return before;
}

struct bobbin_span *bobbin_current_span(void)
{
    const struct bobbin_scope *scope = bbc_this_thread.scopes;

    return scope == NULL ? NULL : scope->span;
}

struct bobbin_span_context bobbin_current_span_context(void)
{
    const struct bobbin_scope *scope = bbc_this_thread.scopes;

    if (scope != NULL && scope->span != NULL) {
        return bobbin_span_context_of(scope->span);
    }
    if (scope != NULL && scope->context != NULL) {
        return scope->context->span;
    }
    return (struct bobbin_span_context){0};
}

const struct bobbin_baggage *bobbin_current_baggage(void)
{
    const struct bobbin_scope *scope = bbc_this_thread.scopes;

    return scope == NULL ? NULL : scope->baggage;
}

static void keep(struct bobbin_context *to, const struct bobbin_span_context *span,
                 const struct bobbin_baggage *baggage)
{
    to->span = *span;
    to->baggage = baggage;
    if (span->tracestate_size > 0 && span->tracestate_size <= sizeof to->tracestate) {
        memcpy(to->tracestate, span->tracestate, span->tracestate_size);
    } else {
        to->span.tracestate_size = 0;
    }
    to->span.tracestate = to->tracestate;
}

void bobbin_context_copy(struct bobbin_context *to, const struct bobbin_context *from)
{
    if (to != from) {
        keep(to, &from->span, from->baggage);
    }
}

void bobbin_context_capture(struct bobbin_context *out)
{
    struct bobbin_span_context span = bobbin_current_span_context();

    keep(out, &span, bobbin_current_baggage());
}
