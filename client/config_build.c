/*
 * config_build.c - options into a configuration. The resource is put together in the order of its
 * sources; of attributes with one key, the last counts:
 *
 *   1. what is detected: telemetry.sdk.*, host.name, os.type, process.executable.name
 *   2. OTEL_RESOURCE_ATTRIBUTES
 *   3. the attributes of bobbin_opts
 *   4. the service's name (bobbin_opts.service_name, from OTEL_SERVICE_NAME by default)
 *
 * service.instance.id and process.pid come last, each unless it was given, in a form that a forked
 * child can write over in place.
 */
#include "client/config_build.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "client/env_text.h"
#include "client/id_source.h"
#include "client/otlp_attr.h"
#include "client/pb_put.h"
#include "client/thread_ring.h"
#include "client/tick_clock.h"
#include "client/trace_sampler.h"

/* Attributes of a resource; more are not kept. */
#define RESOURCE_ATTRS_MAX 256

/* Bytes of a process id as a padded varint, and of a UUID's text. */
#define PID_WIDTH 5
#define UUID_SIZE 36

struct resource {
    struct bobbin_attr attrs[RESOURCE_ATTRS_MAX];
    size_t count;
    char *environment; /* a copy of OTEL_RESOURCE_ATTRIBUTES, which attributes point into */
    struct utsname system;
    char executable[256];
};

static bool is_key(const struct bobbin_attr *attr, struct bobbin_str key)
{
    return attr->key.size == key.size && memcmp(attr->key.data, key.data, key.size) == 0;
}

static bool has_key(const struct resource *resource, struct bobbin_str key)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (is_key(&resource->attrs[i], key)) {
            return true;
        }
    }
    return false;
}

static void put(struct resource *resource, const struct bobbin_attr *attr)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (is_key(&resource->attrs[i], attr->key)) {
            resource->attrs[i] = *attr;
            return;
        }
    }
    if (resource->count < RESOURCE_ATTRS_MAX) {
        resource->attrs[resource->count++] = *attr;
    }
}

static void put_text(struct resource *resource, struct bobbin_str key, struct bobbin_str value)
{
    struct bobbin_attr attr = bobbin_attr_string(key, value);

    put(resource, &attr);
}

static void read_executable(struct resource *resource)
{
    ssize_t size = readlink("/proc/self/exe", resource->executable, sizeof resource->executable);
    const char *name = resource->executable;

    for (ssize_t i = 0; i < size; i++) {
        if (resource->executable[i] == '/') {
            name = resource->executable + i + 1;
        }
    }
    if (size > 0) {
        put_text(resource, bobbin_lit("process.executable.name"),
                 bobbin_strn(name, (size_t)(resource->executable + size - name)));
    }
}

static void detect(struct resource *resource)
{
    read_executable(resource);
    if (uname(&resource->system) == 0) {
        put_text(resource, bobbin_lit("host.name"), bobbin_cstr(resource->system.nodename));
        put_text(resource, bobbin_lit("os.description"), bobbin_cstr(resource->system.release));
    }
    put_text(resource, bobbin_lit("os.type"), bobbin_lit("linux"));
    put_text(resource, bobbin_lit("process.runtime.name"), bobbin_lit("c"));
}

/* OTEL_RESOURCE_ATTRIBUTES: key=value pairs with commas between them, percent-encoded. */
static enum bobbin_err read_environment(struct resource *resource)
{
    const char *text = bbc_env_text("OTEL_RESOURCE_ATTRIBUTES");
    size_t size = text == NULL ? 0 : strlen(text);

    if (text == NULL) {
        return BOBBIN_OK;
    }
    resource->environment = bbc_alloc(size + 1);
    if (resource->environment == NULL) {
        return BOBBIN_ENOMEM;
    }
    memcpy(resource->environment, text, size);
    for (char *pair = resource->environment; pair != NULL;) {
        char *comma = strchr(pair, ',');
        char *end = comma == NULL ? pair + strlen(pair) : comma;
        char *equals = memchr(pair, '=', (size_t)(end - pair));
        size_t key_size = 0;
        size_t value_size = 0;
        char *key = bbc_trim(pair, equals == NULL ? end : equals, &key_size);

        if (equals != NULL && key_size > 0) {
            char *value = bbc_trim(equals + 1, end, &value_size);

            key_size = bbc_percent_decode(key, key_size);
            value_size = bbc_percent_decode(value, value_size);
            put_text(resource, bobbin_strn(key, key_size), bobbin_strn(value, value_size));
        } else if (end != pair) {
            bobbin_opts_warn("OTEL_RESOURCE_ATTRIBUTES");
        }
        pair = comma == NULL ? NULL : comma + 1;
    }
    return BOBBIN_OK;
}

static void write_uuid(char *to)
{
    static const char digits[] = "0123456789abcdef";
    struct bbc_id_source source = {{1, 2, 3, 4}};
    uint64_t bits = 0;

    (void)bbc_id_source_seed(&source);
    for (unsigned i = 0; i < UUID_SIZE; i++) {
        if (i % 16 == 0) {
            bits = bbc_id_source_next(&source);
        }
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            to[i] = '-';
        } else if (i == 14) {
            to[i] = '4'; /* version 4: random */
        } else if (i == 19) {
            to[i] = digits[8 | (bits & 3)];
        } else {
            to[i] = digits[bits & 15];
        }
        bits >>= 4;
    }
}

/* Appends service.instance.id and process.pid so that their values can be written over. */
static void put_process(struct bbc_config *config, const struct resource *resource)
{
    static const char pid_key[] = "process.pid";
    struct bbc_sink *sink = &config->resource;
    char uuid[UUID_SIZE];
    struct bobbin_attr attr;

    if (!has_key(resource, bobbin_lit("service.instance.id"))) {
        write_uuid(uuid);
        attr = bobbin_attr_string(bobbin_lit("service.instance.id"), bobbin_strn(uuid, UUID_SIZE));
        bbc_otlp_attrs(sink, 1, &attr, 1);
        config->instance_id_at = sink->size - UUID_SIZE;
    }
    if (!has_key(resource, bobbin_lit("process.pid"))) {
        uint8_t bytes[64];
        uint8_t *to = bbc_put_tag(bytes, 1, BBC_BYTES);

        to = bbc_put_varint(to, 2 + sizeof pid_key - 1 + 2 + 1 + PID_WIDTH);
        to = bbc_put_bytes(to, 1, pid_key, sizeof pid_key - 1);
        to = bbc_put_varint(bbc_put_tag(to, 2, BBC_BYTES), 1 + PID_WIDTH);
        to = bbc_put_tag(to, 3, BBC_VARINT);
        bbc_put_varint_padded(to, (uint64_t)getpid(), PID_WIDTH);
        bbc_sink_put(sink, bytes, (size_t)(to + PID_WIDTH - bytes));
        config->pid_at = sink->size - PID_WIDTH;
    }
}

void bbc_config_name_process(const struct bbc_config *config)
{
    uint8_t *resource = config->resource.data;

    if (config->instance_id_at != 0) {
        write_uuid((char *)resource + config->instance_id_at);
    }
    if (config->pid_at != 0) {
        bbc_put_varint_padded(resource + config->pid_at, (uint64_t)getpid(), PID_WIDTH);
    }
}

static enum bobbin_err build_resource(struct bbc_config *config, const struct bobbin_opts *opts)
{
    struct resource *resource = bbc_alloc(sizeof *resource);
    enum bobbin_err err = BOBBIN_ENOMEM;

    if (resource == NULL) {
        return err;
    }
    put_text(resource, bobbin_lit("telemetry.sdk.name"), bobbin_lit("bobbin"));
    put_text(resource, bobbin_lit("telemetry.sdk.language"), bobbin_lit("c"));
    put_text(resource, bobbin_lit("telemetry.sdk.version"), bobbin_lit(BOBBIN_VERSION));
    put_text(resource, bobbin_lit("service.name"), bobbin_lit("unknown_service"));
    if (!opts->is_resource_detection_off) {
        detect(resource);
    }
    err = read_environment(resource);
    if (err != BOBBIN_OK) {
        goto out;
    }
    for (size_t i = 0; i < opts->resource_attr_count; i++) {
        put(resource, &opts->resource_attrs[i]);
    }
    if (opts->service_name != NULL) {
        put_text(resource, bobbin_lit("service.name"), bobbin_cstr(opts->service_name));
    }
    bbc_otlp_attrs(&config->resource, 1, resource->attrs, resource->count);
    if (!opts->is_resource_detection_off) {
        put_process(config, resource);
    }
    err = config->resource.failed ? BOBBIN_ENOMEM : BOBBIN_OK;

out:
    bbc_free(resource->environment);
    bbc_free(resource);
    return err;
}

static bool is_sampler_valid(const struct bobbin_sampler *sampler)
{
    switch (sampler->kind) {
    case BOBBIN_SAMPLER_ALWAYS_ON:
    case BOBBIN_SAMPLER_ALWAYS_OFF:
        return true;
    case BOBBIN_SAMPLER_RATIO:
        return sampler->ratio >= 0 && sampler->ratio <= 1;
    case BOBBIN_SAMPLER_RATE_LIMIT:
        return sampler->per_second >= 1e-6 && sampler->per_second <= 1e9;
    case BOBBIN_SAMPLER_CALLBACK:
        return sampler->decide != NULL;
    }
    return false;
}

static bool are_counts_valid(const struct bobbin_limits *limits,
                             const struct bobbin_batch_opts *batch,
                             const struct bobbin_breaker_opts *breaker)
{
    return limits->attr_count <= UINT16_MAX && limits->event_count <= UINT16_MAX &&
           limits->link_count <= UINT16_MAX && batch->schedule_delay_ms > 0 &&
           batch->span_count_max > 0 && batch->queue_spans_max >= batch->span_count_max &&
           batch->export_timeout_ms > 0 && batch->request_size_max >= 1024 &&
           batch->request_size_max <= 1024u * 1024 * 1024 &&
           (breaker->is_off ||
            (breaker->window_ms > 0 && breaker->successes_required > 0 &&
             breaker->probe_count >= breaker->successes_required &&
             breaker->error_share_percent > 0 && breaker->error_share_percent <= 100));
}

enum bobbin_err bbc_config_build(const struct bobbin_opts *opts, struct bbc_config **out)
{
    struct bbc_config *config;
    enum bobbin_err err;

    if (opts->exporter.send == NULL || !is_sampler_valid(&opts->sampler) ||
        !are_counts_valid(&opts->limits, &opts->batch, &opts->breaker) ||
        opts->ring_size < BBC_RING_SIZE_MIN || (opts->ring_size & (opts->ring_size - 1)) != 0 ||
        opts->ring_size > 1u << 30 || opts->retry.max_ms < opts->retry.initial_ms) {
        return BOBBIN_EINVAL;
    }
    config = bbc_alloc(sizeof *config);
    if (config == NULL) {
        return BOBBIN_ENOMEM;
    }
    config->limits = opts->limits;
    config->sampler = opts->sampler;
    config->batch = opts->batch;
    config->retry = opts->retry;
    config->breaker = opts->breaker;
    config->exporter = opts->exporter;
    config->ratio_bound = bbc_sampler_ratio_bound(opts->sampler.ratio);
    config->ring_size = opts->ring_size;
    config->ring_memory_max = opts->ring_memory_max;
    config->uses_tsc = opts->clock == BOBBIN_CLOCK_AUTO && bbc_tsc_is_trusted();
    err = build_resource(config, opts);
    if (err != BOBBIN_OK) {
        bbc_config_free(config);
        return err;
    }
    *out = config;
    return BOBBIN_OK;
}

void bbc_config_free(struct bbc_config *config)
{
    if (config != NULL) {
        bbc_sink_dispose(&config->resource);
        bbc_free(config);
    }
}
