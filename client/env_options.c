/*
 * env_options.c - the options that the environment gives (bobbin_opts_init).
 */
#include "client/include/bobbin/bobbin.h"

#include <pthread.h>

#include "client/env_text.h"

/* Malformed variables that are kept by name. */
#define WARNINGS_MAX 32

/* Guards the list of warnings. Nests in nothing. */
static pthread_mutex_t warnings_mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *warnings[WARNINGS_MAX];
static unsigned warning_count;

void bobbin_opts_warn(const char *name)
{
    bool is_known = false;

    (void)pthread_mutex_lock(&warnings_mutex);
    for (unsigned i = 0; i < warning_count; i++) {
        is_known = is_known || strcmp(warnings[i], name) == 0;
    }
    if (!is_known && warning_count < WARNINGS_MAX) {
        warnings[warning_count++] = name;
    }
    (void)pthread_mutex_unlock(&warnings_mutex);
}

unsigned bobbin_opts_warnings(char *out, size_t size)
{
    size_t at = 0;
    unsigned count;

    (void)pthread_mutex_lock(&warnings_mutex);
    count = warning_count;
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(warnings[i]);

        if (at + length + 2 > size) {
            break;
        }
        if (at > 0) {
            out[at++] = ' ';
        }
        memcpy(out + at, warnings[i], length);
        at += length;
    }
    (void)pthread_mutex_unlock(&warnings_mutex);
    if (size > 0) {
        out[at] = '\0';
    }
    return count;
}

static void read_limits(struct bobbin_limits *limits)
{
    uint32_t attr_count = 128;
    uint32_t length = UINT32_MAX;

    /* The general limits hold where the one for spans isn't set. */
    bbc_env_u32("OTEL_ATTRIBUTE_COUNT_LIMIT", 0, UINT16_MAX, &attr_count);
    bbc_env_u32("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0, UINT32_MAX, &length);
    *limits = (struct bobbin_limits){
        .attr_count = attr_count,
        .attr_value_length = length,
        .event_count = 128,
        .link_count = 128,
        .event_attr_count = 128,
        .link_attr_count = 128,
    };
    bbc_env_u32("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0, UINT16_MAX, &limits->attr_count);
    bbc_env_u32("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0, UINT32_MAX,
                &limits->attr_value_length);
    bbc_env_u32("OTEL_SPAN_EVENT_COUNT_LIMIT", 0, UINT16_MAX, &limits->event_count);
    bbc_env_u32("OTEL_SPAN_LINK_COUNT_LIMIT", 0, UINT16_MAX, &limits->link_count);
    bbc_env_u32("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", 0, UINT16_MAX, &limits->event_attr_count);
    bbc_env_u32("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", 0, UINT16_MAX, &limits->link_attr_count);
}

static void read_batch(struct bobbin_batch_opts *batch)
{
    *batch = (struct bobbin_batch_opts){
        .schedule_delay_ms = 5000,
        .span_count_max = 512,
        .queue_spans_max = 2048,
        .export_timeout_ms = 30000,
        .request_size_max = 1024 * 1024,
    };
    bbc_env_u32("OTEL_BSP_SCHEDULE_DELAY", 1, 86400000, &batch->schedule_delay_ms);
    bbc_env_u32("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 1000000, &batch->span_count_max);
    bbc_env_u32("OTEL_BSP_MAX_QUEUE_SIZE", 1, 100000000, &batch->queue_spans_max);
    bbc_env_u32("OTEL_BSP_EXPORT_TIMEOUT", 1, 86400000, &batch->export_timeout_ms);
    if (batch->span_count_max > batch->queue_spans_max) {
        batch->span_count_max = batch->queue_spans_max;
    }
}

/*
 * Reads a decimal fraction from 0 to 1, such as "0.25"; false if it is none. Not strtod, which goes
 * by the locale of the host.
 */
static bool parse_ratio(const char *text, double *out)
{
    double value = 0;
    double place = 1;
    bool has_digit = false;

    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (*text - '0');
        has_digit = true;
    }
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            place /= 10;
            value += (*text - '0') * place;
            has_digit = true;
        }
    }
    if (!has_digit || *text != '\0' || value > 1) {
        return false;
    }
    *out = value;
    return true;
}

static void read_sampler(struct bobbin_sampler *sampler)
{
    static const struct {
        const char *name;
        enum bobbin_sampler_kind kind;
        bool is_parent_based;
    } samplers[] = {
        {"always_on", BOBBIN_SAMPLER_ALWAYS_ON, false},
        {"always_off", BOBBIN_SAMPLER_ALWAYS_OFF, false},
        {"traceidratio", BOBBIN_SAMPLER_RATIO, false},
        {"parentbased_always_on", BOBBIN_SAMPLER_ALWAYS_ON, true},
        {"parentbased_always_off", BOBBIN_SAMPLER_ALWAYS_OFF, true},
        {"parentbased_traceidratio", BOBBIN_SAMPLER_RATIO, true},
    };
    const char *name = bbc_env_text("OTEL_TRACES_SAMPLER");
    const char *argument = bbc_env_text("OTEL_TRACES_SAMPLER_ARG");
    bool is_known = name == NULL;

    *sampler = (struct bobbin_sampler){
        .kind = BOBBIN_SAMPLER_ALWAYS_ON, .is_parent_based = true, .ratio = 1};
    for (unsigned i = 0; name != NULL && i < sizeof samplers / sizeof samplers[0]; i++) {
        if (strcmp(name, samplers[i].name) == 0) {
            sampler->kind = samplers[i].kind;
            sampler->is_parent_based = samplers[i].is_parent_based;
            is_known = true;
        }
    }
    if (!is_known) {
        bobbin_opts_warn("OTEL_TRACES_SAMPLER");
    }
    if (argument != NULL && sampler->kind == BOBBIN_SAMPLER_RATIO &&
        !parse_ratio(argument, &sampler->ratio)) {
        bobbin_opts_warn("OTEL_TRACES_SAMPLER_ARG");
    }
}

void bobbin_opts_init(struct bobbin_opts *opts)
{
    memset(opts, 0, sizeof *opts);
    opts->is_disabled = bbc_env_is_true("OTEL_SDK_DISABLED");
    opts->service_name = bbc_env_text("OTEL_SERVICE_NAME");
    read_sampler(&opts->sampler);
    read_limits(&opts->limits);
    read_batch(&opts->batch);
    opts->retry = (struct bobbin_retry_opts){.initial_ms = 1000, .max_ms = 30000};
    opts->breaker = (struct bobbin_breaker_opts){
        .window_ms = 10000,
        .volume_threshold = 5,
        .error_share_percent = 50,
        .sleep_window_ms = 5000,
        .probe_count = 5,
        .successes_required = 1,
    };
    opts->ring_size = 256 * 1024;
    opts->ring_memory_max = 64 * 1024 * 1024;
}
