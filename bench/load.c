/*
 * load.c - loads any OTLP server with captured traffic, and says how it took it.
 *
 *   bench_load --file traffic.otlp --target 127.0.0.1:4317 [--protocol grpc|http] [--spans 1000000]
 *              [--batch 500] [--connections 4] [--seed 1] [--pid PID]
 *
 * Closed loop: each connection sends its next request when the last one is answered; one that asks
 * to retry is sent again, and counted. With --pid, the CPU time and the peak memory of that process
 * (/proc/PID) are told too: CPU before and after, all threads.
 *
 * Prints one JSON object.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load_sender.h"
#include "bench/load_source.h"
#include "common/clock.h"
#include "common/limits.h"

#define CONNECTIONS_MAX 256
#define LATENCIES_MAX (4u << 20)

struct load {
    const char *file;
    const char *target;
    bool is_http;
    uint64_t span_count_wanted;
    uint32_t batch;
    unsigned connection_count;
    uint64_t seed;
    int pid;

    struct bb_load_source source;
    _Atomic uint64_t next_request;
    _Atomic uint64_t span_count;
    _Atomic uint64_t byte_count;
    _Atomic uint64_t retry_count;
    _Atomic uint32_t latency_count;
    uint32_t *latencies_us;
};

static void fail(const char *what, const char *words)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, words);
    exit(2);
}

static void send_until_taken(struct load *load, struct bb_load_sender *sender,
                             struct bb_slice request)
{
    struct bb_err_detail detail = {{0}};

    for (;;) {
        uint64_t begun_ns = bb_clock_monotonic_ns(&bb_clock_system);
        enum bb_err err = sender->send(sender, request, &detail);
        uint64_t took_ns = bb_clock_monotonic_ns(&bb_clock_system) - begun_ns;
        if (err == BB_OK) {
            uint32_t at = atomic_fetch_add(&load->latency_count, 1);
            if (at < LATENCIES_MAX) {
                load->latencies_us[at] = (uint32_t)(took_ns / BB_NS_PER_US);
            }
            return;
        }
        if (err != BB_EBUSY) {
            fail("the server refused a request", detail.text);
        }
        atomic_fetch_add(&load->retry_count, 1);
        usleep(20000);
    }
}

static void *run_connection(void *ctx)
{
    struct load *load = ctx;
    struct bb_load_sender *sender =
        load->is_http ? bb_load_http_open(load->target) : bb_load_grpc_open(load->target);
    struct bb_buf request;

    BB_ASSERT(sender != NULL);
    bb_buf_init(&request, BB_REQUEST_BYTES_MAX);
    while (atomic_load(&load->span_count) < load->span_count_wanted) {
        uint64_t number = atomic_fetch_add(&load->next_request, 1);
        uint32_t spans = bb_load_source_next(&load->source, number, &request);
        atomic_fetch_add(&load->span_count, spans);
        atomic_fetch_add(&load->byte_count, request.size);
        send_until_taken(load, sender, bb_buf_slice(&request));
    }
    bb_buf_dispose(&request);
    sender->close(sender);
    return NULL;
}

static double cpu_seconds(int pid)
{
    char path[64];
    char text[1024] = {0};
    unsigned long user = 0;
    unsigned long system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    const char *fields = size == 0 ? NULL : strrchr(text, ')');
    if (fields == NULL || sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &system) != 2) {
        return 0;
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t peak_rss_kb(int pid)
{
    char path[64];
    char line[256];
    uint64_t kb = 0;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %" SCNu64, &kb) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kb;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static double percentile_ms(const struct load *load, uint32_t count, double share)
{
    return count == 0 ? 0 : load->latencies_us[(uint32_t)((count - 1) * share)] / 1000.0;
}

static void report(struct load *load, double wall_s, double cpu_s)
{
    uint32_t count = atomic_load(&load->latency_count);
    double spans = (double)atomic_load(&load->span_count);

    count = count > LATENCIES_MAX ? LATENCIES_MAX : count;
    qsort(load->latencies_us, count, sizeof(uint32_t), compare_u32);
    printf("{\"spans\":%.0f,\"requests\":%" PRIu32 ",\"retries\":%" PRIu64
           ",\"bytes_a_span\":%.1f,\"wall_s\":%.3f,\"spans_a_second\":%.0f,"
           "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f",
           spans, count, atomic_load(&load->retry_count),
           (double)atomic_load(&load->byte_count) / spans, wall_s, spans / wall_s,
           percentile_ms(load, count, 0.5), percentile_ms(load, count, 0.99),
           percentile_ms(load, count, 1));
    if (load->pid != 0) {
        printf(",\"server_cpu_s_a_million_spans\":%.3f,\"server_peak_rss_mb\":%.1f",
               cpu_s * 1e6 / spans, (double)peak_rss_kb(load->pid) / 1024);
    }
    printf("}\n");
}

static void parse_arguments(struct load *load, int argc, char **argv)
{
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'},
        {"target", required_argument, NULL, 't'},
        {"protocol", required_argument, NULL, 'p'},
        {"spans", required_argument, NULL, 'n'},
        {"batch", required_argument, NULL, 'b'},
        {"connections", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"pid", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            load->file = optarg;
            break;
        case 't':
            load->target = optarg;
            break;
        case 'p':
            load->is_http = strcmp(optarg, "http") == 0;
            break;
        case 'n':
            load->span_count_wanted = strtoull(optarg, NULL, 10);
            break;
        case 'b':
            load->batch = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            load->connection_count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            load->seed = strtoull(optarg, NULL, 10);
            break;
        case 'i':
            load->pid = (int)strtol(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    if (load->file == NULL || load->target == NULL || load->batch == 0 ||
        load->connection_count == 0 || load->connection_count > CONNECTIONS_MAX) {
        fail("usage", "--file FILE --target HOST:PORT|URL [--protocol grpc|http] [--spans N] "
                      "[--batch N] [--connections N] [--seed N] [--pid PID]");
    }
}

int main(int argc, char **argv)
{
    static struct load load = {
        .span_count_wanted = 1000000, .batch = 500, .connection_count = 4, .seed = 1};
    pthread_t threads[CONNECTIONS_MAX];
    struct bb_err_detail detail = {{0}};

    parse_arguments(&load, argc, argv);
    if (bb_load_source_open(load.file, load.batch, load.seed << 32, &detail, &load.source) !=
        BB_OK) {
        fail(load.file, detail.text);
    }
    load.latencies_us =
        calloc(LATENCIES_MAX, sizeof(uint32_t)); /* tidy: allow malloc: until the end */
    BB_ASSERT(load.latencies_us != NULL);
    double cpu_before_s = load.pid == 0 ? 0 : cpu_seconds(load.pid);
    uint64_t begun_ns = bb_clock_monotonic_ns(&bb_clock_system);
    for (unsigned i = 0; i < load.connection_count; i++) {
        BB_ASSERT(pthread_create(&threads[i], NULL, run_connection, &load) == 0);
    }
    for (unsigned i = 0; i < load.connection_count; i++) {
        pthread_join(threads[i], NULL);
    }
    double wall_s = (double)(bb_clock_monotonic_ns(&bb_clock_system) - begun_ns) / 1e9;
    report(&load, wall_s, load.pid == 0 ? 0 : cpu_seconds(load.pid) - cpu_before_s);
    bb_load_source_dispose(&load.source);
    return 0;
}
