/*
 * admin.h - what operators and their machines ask the daemon: is it alive, is it ready, which one
 * is it, how is it doing.
 *
 *   GET /healthz   200 "ok" as long as the process answers
 *   GET /readyz    200 "ready", or 503 and the reason: starting, stopping, or the store's own
 *   GET /version   JSON: version, git_commit, build_time, format_version
 *   GET /metrics   OpenMetrics text
 *
 * Listens from before the store is opened until after it is closed, so that both can be watched.
 */
#ifndef BB_COLLECTOR_ADMIN_H
#define BB_COLLECTOR_ADMIN_H

#include <pthread.h>

#include "collector/version.h"
#include "common/http_api.h"
#include "store/store.h"

/* The caller's storage. */
struct bb_admin {
    const struct bb_version *version; /* constant after init */

    /* Guards what follows, and is held while the store is asked, so that it isn't closed meanwhile.
     * No other mutex of ours is taken under it but the store's own. */
    pthread_mutex_t mutex;
    struct bb_store *store;       /* NULL when there is none to ask */
    const char *not_ready_reason; /* NULL: the store knows */
};

/* Not ready, for the reason given (static storage). `version` is borrowed. */
void bb_admin_init(struct bb_admin *admin, const struct bb_version *version, const char *reason);
void bb_admin_dispose(struct bb_admin *admin);

/* Ready from now on as far as `store` is. It is borrowed until one of the next two. */
void bb_admin_set_ready(struct bb_admin *admin, struct bb_store *store);

/* Not ready from now on, for the reason given (static storage); metrics still ask the store. */
void bb_admin_set_not_ready(struct bb_admin *admin, const char *reason);

/* Lets go of the store; returns when nobody is asking it any more. Not ready before and after. */
void bb_admin_forget_store(struct bb_admin *admin);

/* A bb_http_handler; `ctx` is the struct bb_admin. Threads: any. */
void bb_admin_handle(void *ctx, const struct bb_http_request *request,
                     struct bb_http_response *response);

#endif /* BB_COLLECTOR_ADMIN_H */
