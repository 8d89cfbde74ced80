/*
 * daemon.h - everything that runs in bobbind, put together, started and drained in order.
 *
 *   start  admin listener (not ready: "starting") -> store -> receivers -> queries -> ready
 *   stop   not ready ("stopping") -> receivers, then queries: accept no more, finish what runs ->
 *          store -> admin listener
 *
 * Threads: start and stop are called by one thread.
 */
#ifndef BB_COLLECTOR_DAEMON_H
#define BB_COLLECTOR_DAEMON_H

#include "collector/admin.h"
#include "collector/config.h"
#include "collector/grpc_server.h"
#include "collector/http_server.h"
#include "collector/ingest.h"
#include "common/err.h"
#include "common/mem_budget.h"
#include "common/rpc_api.h"
#include "query/query_api.h"
#include "store/store.h"

/* The caller's storage. Constant between start and stop, its parts see to their own threads. */
struct bb_daemon {
    const struct bb_config *config; /* borrowed */
    struct bb_memory_split memory;
    unsigned ingest_thread_count; /* of one receiver */
    struct bb_mem_budget ingest_budget;
    struct bb_mem_budget query_budget;
    struct bb_admin admin;
    struct bb_store *store;
    struct bb_ingest ingest;
    struct bb_query_api query_api;
    struct bb_rpc_method ingest_methods[2]; /* Jaeger's last: its own listener serves that alone */
    struct bb_rpc_method query_methods[BB_QUERY_RPC_METHODS_MAX];

    /* NULL when switched off. */
    struct bb_http_server *admin_server;
    struct bb_grpc_server *otlp_grpc_server;
    struct bb_grpc_server *jaeger_grpc_server;
    struct bb_http_server *otlp_http_server;
    struct bb_http_server *query_http_server;
    struct bb_grpc_server *query_grpc_server;
};

/*
 * Starts all that `config` asks for, and logs what was recovered and where it listens. `config`
 * and `version` are borrowed until the stop.
 *
 * BB_OK  it runs; end it with bb_daemon_stop
 * others what the store or a listener says; detail names the flag. Nothing runs then.
 */
BB_MUST_CHECK enum bb_err bb_daemon_start(struct bb_daemon *daemon, const struct bb_config *config,
                                          const struct bb_version *version,
                                          struct bb_err_detail *detail);

/*
 * Drains and ends it: requests that run get BB_DRAIN_MS_MAX. Nothing runs afterwards, also on an
 * error, which is what closing the store came to.
 */
BB_MUST_CHECK enum bb_err bb_daemon_stop(struct bb_daemon *daemon, struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_DAEMON_H */
