#include "collector/daemon.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "collector/receivers.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/metrics.h"

#define MODULE "daemon"
#define QUOTED_SIZE 512
/* Told to those who are asked to come back: long enough to drain a full share, short enough that
 * SDKs, which hold spans for some seconds only, lose none. */
#define RETRY_AFTER_S 1
#define ADMIN_THREADS 2            /* so that a slow scrape holds up no probe */
#define ADMIN_BYTES_MAX (4u << 20) /* of one answer's memory; all metrics take some 20 KiB */

/* A request's own memory: its inflated bytes, and its index of spans beside them. */
#define INGEST_ARENA_BYTES_MAX (4 * (size_t)BB_REQUEST_BYTES_MAX)

static size_t smaller(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

/* Puts the flag in front of what a listener or the store has said. */
static enum bb_err name_flag(enum bb_option option, enum bb_err err,
                             const struct bb_err_detail *why, struct bb_err_detail *detail)
{
    return bb_err_set(detail, err, "--%s: %s", bb_option_name(option),
                      why->text[0] == '\0' ? bb_err_text(err) : why->text);
}

static void log_listening(const char *name, const char *listen, uint16_t port)
{
    char quoted[QUOTED_SIZE];

    bb_log(BB_LOG_INFO, MODULE, "listening", "name=%s listen=%s port=%u", name,
           bb_log_quote(bb_slice_from_cstr(listen), quoted, sizeof quoted), (unsigned)port);
}

static enum bb_err start_http(enum bb_option option, const struct bb_http_server_options *options,
                              struct bb_err_detail *detail, struct bb_http_server **out_server)
{
    struct bb_err_detail why = {0};
    enum bb_err err;

    if (options->listen == NULL) {
        return BB_OK;
    }
    err = bb_http_server_start(options, &why, out_server);
    if (err != BB_OK) {
        return name_flag(option, err, &why, detail);
    }
    log_listening(options->name, options->listen, bb_http_server_port(*out_server));
    return BB_OK;
}

static enum bb_err start_grpc(enum bb_option option, const struct bb_grpc_server_options *options,
                              struct bb_err_detail *detail, struct bb_grpc_server **out_server)
{
    struct bb_err_detail why = {0};
    enum bb_err err;

    if (options->listen == NULL) {
        return BB_OK;
    }
    err = bb_grpc_server_start(options, &why, out_server);
    if (err != BB_OK) {
        return name_flag(option, err, &why, detail);
    }
    log_listening(options->name, options->listen, bb_grpc_server_port(*out_server));
    return BB_OK;
}

static enum bb_err start_admin(struct bb_daemon *daemon, struct bb_err_detail *detail)
{
    const struct bb_http_server_options options = {
        .name = "admin",
        .listen = daemon->config->admin_listen,
        .handler = bb_admin_handle,
        .ctx = &daemon->admin,
        .thread_count = ADMIN_THREADS,
        .body_bytes_max = BB_HTTP_HEAD_BYTES_MAX,
        .arena_bytes_max = ADMIN_BYTES_MAX,
    };

    return start_http(BB_OPTION_ADMIN_LISTEN, &options, detail, &daemon->admin_server);
}

static enum bb_err open_store(struct bb_daemon *daemon, struct bb_err_detail *detail)
{
    const struct bb_config *config = daemon->config;
    const struct bb_store_options options = {
        .data_dir = config->data_dir,
        .durability = config->durability,
        .retention_ns = config->retention_ns,
        .disk_bytes_max = config->max_disk_bytes,
        .memory_bytes = daemon->memory.store_bytes,
        .clock = &bb_clock_system,
    };
    uint64_t begin_ns = bb_clock_monotonic_ns(&bb_clock_system);
    struct bb_err_detail why = {0};
    char quoted[QUOTED_SIZE];
    enum bb_err err = bb_store_open(&options, &why, &daemon->store);

    if (err != BB_OK) {
        return name_flag(BB_OPTION_DATA_DIR, err, &why, detail);
    }
    bb_store_update_metrics(daemon->store);
    bb_log(BB_LOG_INFO, MODULE, "store open",
           "dir=%s durability=%s partitions=%" PRId64 " spans=%" PRId64 " rebuilt_spans=%" PRId64
           " ms=%" PRIu64,
           bb_log_quote(bb_slice_from_cstr(config->data_dir), quoted, sizeof quoted),
           config->settings[BB_OPTION_DURABILITY].text, bb_metric_get(BB_M_STORE_PARTITIONS),
           bb_metric_get(BB_M_STORE_SPANS), bb_metric_get(BB_M_STORE_ACTIVE_SPANS),
           (bb_clock_monotonic_ns(&bb_clock_system) - begin_ns) / BB_NS_PER_MS);
    return BB_OK;
}

static enum bb_err start_receivers(struct bb_daemon *daemon, struct bb_err_detail *detail)
{
    struct bb_grpc_server_options grpc = {
        .name = "otlp-grpc",
        .listen = daemon->config->otlp_grpc_listen,
        .methods = daemon->ingest_methods,
        .method_count = BB_ARRAY_COUNT(daemon->ingest_methods),
        .poll_thread_count = daemon->ingest_thread_count,
        .message_bytes_max = BB_REQUEST_BYTES_MAX,
        .arena_bytes_max = INGEST_ARENA_BYTES_MAX,
        .budget = &daemon->ingest_budget,
        .retry_after_s = RETRY_AFTER_S,
        .refused = bb_otlp_grpc_refused,
        .refused_ctx = &daemon->ingest,
    };
    const struct bb_http_server_options http = {
        .name = "otlp-http",
        .listen = daemon->config->otlp_http_listen,
        .handler = bb_otlp_http_handle,
        .refuse = bb_otlp_http_refuse,
        .ctx = &daemon->ingest,
        .thread_count = daemon->ingest_thread_count,
        .body_bytes_max = BB_REQUEST_BYTES_MAX,
        .arena_bytes_max = INGEST_ARENA_BYTES_MAX,
        .budget = &daemon->ingest_budget,
        .retry_after_s = RETRY_AFTER_S,
    };
    enum bb_err err;

    daemon->ingest_methods[0] = (struct bb_rpc_method){BB_OTLP_GRPC_EXPORT_PATH,
                                                       bb_otlp_grpc_export, &daemon->ingest, true};
    daemon->ingest_methods[1] = (struct bb_rpc_method){
        BB_JAEGER_POST_SPANS_PATH, bb_jaeger_grpc_post_spans, &daemon->ingest, true};
    err = start_grpc(BB_OPTION_OTLP_GRPC_LISTEN, &grpc, detail, &daemon->otlp_grpc_server);
    if (err != BB_OK) {
        return err;
    }
    grpc.name = "jaeger-grpc";
    grpc.listen = daemon->config->jaeger_grpc_listen;
    grpc.methods = &daemon->ingest_methods[1];
    grpc.method_count = 1;
    grpc.poll_thread_count = 1; /* few send this any more */
    err = start_grpc(BB_OPTION_JAEGER_GRPC_LISTEN, &grpc, detail, &daemon->jaeger_grpc_server);
    if (err != BB_OK) {
        return err;
    }
    return start_http(BB_OPTION_OTLP_HTTP_LISTEN, &http, detail, &daemon->otlp_http_server);
}

static enum bb_err start_queries(struct bb_daemon *daemon, struct bb_err_detail *detail)
{
    size_t arena_bytes_max = smaller(daemon->memory.query_bytes, BB_QUERY_BYTES_MAX);
    const struct bb_http_server_options http = {
        .name = "query-http",
        .listen = daemon->config->http_listen,
        .handler = bb_query_http_handle,
        .ctx = &daemon->query_api,
        .thread_count = BB_QUERY_THREADS,
        .body_bytes_max = BB_HTTP_HEAD_BYTES_MAX, /* nothing that is asked here has a body */
        .arena_bytes_max = arena_bytes_max,
        .budget = &daemon->query_budget,
        .retry_after_s = RETRY_AFTER_S,
        .is_low_priority = true,
    };
    const struct bb_grpc_server_options grpc = {
        .name = "query-grpc",
        .listen = daemon->config->grpc_query_listen,
        .methods = daemon->query_methods,
        .method_count = bb_query_rpc_methods(&daemon->query_api, daemon->query_methods),
        .poll_thread_count = 1, /* the work is the workers' */
        .worker_thread_count = BB_QUERY_THREADS,
        .message_bytes_max = BB_QUERY_REQUEST_BYTES_MAX,
        .arena_bytes_max = arena_bytes_max,
        .budget = &daemon->query_budget,
        .retry_after_s = RETRY_AFTER_S,
        .is_low_priority = true,
    };
    enum bb_err err = start_http(BB_OPTION_HTTP_LISTEN, &http, detail, &daemon->query_http_server);

    if (err != BB_OK) {
        return err;
    }
    return start_grpc(BB_OPTION_GRPC_QUERY_LISTEN, &grpc, detail, &daemon->query_grpc_server);
}

static unsigned choose_ingest_thread_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    /* Two at least, so that one waiting for the disk leaves one that reads. */
    return cores < 2 ? 2 : (unsigned)smaller((uint64_t)cores, BB_INGEST_THREADS_MAX);
}

static void init_parts(struct bb_daemon *daemon, const struct bb_config *config,
                       const struct bb_version *version)
{
    *daemon = (struct bb_daemon){
        .config = config,
        .memory = bb_config_split_memory(config),
        .ingest_thread_count = choose_ingest_thread_count(),
    };
    bb_mem_budget_init(&daemon->ingest_budget, (size_t)daemon->memory.ingest_bytes,
                       BB_M_MEMORY_INGEST_BYTES);
    bb_mem_budget_init(&daemon->query_budget, (size_t)daemon->memory.query_bytes,
                       BB_M_MEMORY_QUERY_BYTES);
    bb_metric_set(BB_M_MEMORY_LIMIT_BYTES, (int64_t)config->memory_limit_bytes);
    bb_metric_set(BB_M_PROCESS_START_UNIX,
                  (int64_t)(bb_clock_unix_ns(&bb_clock_system) / BB_NS_PER_S));
    bb_admin_init(&daemon->admin, version, "starting");
}

enum bb_err bb_daemon_start(struct bb_daemon *daemon, const struct bb_config *config,
                            const struct bb_version *version, struct bb_err_detail *detail)
{
    enum bb_err err;

    init_parts(daemon, config, version);
    err = start_admin(daemon, detail);
    if (err == BB_OK) {
        err = open_store(daemon, detail);
    }
    if (err == BB_OK) {
        daemon->ingest = (struct bb_ingest){
            .store = daemon->store,
            .budget = &daemon->ingest_budget,
        };
        daemon->query_api = (struct bb_query_api){
            .store = daemon->store,
            .budget = &daemon->query_budget,
            .clock = &bb_clock_system,
            .ui_dir = config->ui_dir,
        };
        err = start_receivers(daemon, detail);
    }
    if (err == BB_OK) {
        err = start_queries(daemon, detail);
    }
    if (err != BB_OK) {
        struct bb_err_detail second = {0};
        char quoted[QUOTED_SIZE];

        if (bb_daemon_stop(daemon, &second) != BB_OK) {
            bb_log(BB_LOG_ERROR, MODULE, "closing the store after a failed start", "err=%s",
                   bb_log_quote(bb_slice_from_cstr(second.text), quoted, sizeof quoted));
        }
        return err;
    }
    bb_admin_set_ready(&daemon->admin, daemon->store);
    bb_log(BB_LOG_INFO, MODULE, "ready", "");
    return BB_OK;
}

/* What is left of the drain's time. */
static uint32_t grace_left_ms(uint64_t begin_ns)
{
    uint64_t past_ms = (bb_clock_monotonic_ns(&bb_clock_system) - begin_ns) / BB_NS_PER_MS;

    return past_ms < BB_DRAIN_MS_MAX ? (uint32_t)(BB_DRAIN_MS_MAX - past_ms) : 0;
}

enum bb_err bb_daemon_stop(struct bb_daemon *daemon, struct bb_err_detail *detail)
{
    uint64_t begin_ns = bb_clock_monotonic_ns(&bb_clock_system);
    enum bb_err err = BB_OK;

    bb_admin_set_not_ready(&daemon->admin, "stopping");
    bb_grpc_server_stop(daemon->otlp_grpc_server, grace_left_ms(begin_ns));
    bb_grpc_server_stop(daemon->jaeger_grpc_server, grace_left_ms(begin_ns));
    bb_http_server_stop(daemon->otlp_http_server, grace_left_ms(begin_ns));
    bb_grpc_server_stop(daemon->query_grpc_server, grace_left_ms(begin_ns));
    bb_http_server_stop(daemon->query_http_server, grace_left_ms(begin_ns));

    bb_admin_forget_store(&daemon->admin);
    if (daemon->store != NULL) {
        err = bb_store_close(daemon->store, detail);
    }
    bb_http_server_stop(daemon->admin_server, grace_left_ms(begin_ns));
    bb_admin_dispose(&daemon->admin);
    *daemon = (struct bb_daemon){0};
    return err;
}
