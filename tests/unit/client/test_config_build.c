#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/config_build.h"
#include "tests/unit/client/client_fixture.h"

static enum bobbin_export_result never_sent(void *user, const struct bobbin_request *request,
                                            uint32_t timeout_ms,
                                            struct bobbin_export_report *report)
{
    (void)user;
    (void)request;
    (void)timeout_ms;
    (void)report;
    return BOBBIN_EXPORT_FAILED;
}

/* The resource as text: keys and values are in it as they are. */
static const char *resource_text(const struct bbc_config *config)
{
    static char text[4096];

    for (size_t i = 0; i < config->resource.size && i + 1 < sizeof text; i++) {
        uint8_t byte = config->resource.data[i];

        text[i] = byte >= 0x20 && byte < 0x7f ? (char)byte : '.';
        text[i + 1] = '\0';
    }
    return text;
}

static void the_sources_of_the_resource_win_in_order(void **state)
{
    const struct bobbin_attr attrs[] = {
        bobbin_attr_string(bobbin_lit("from.env"), bobbin_lit("code wins")),
        bobbin_attr_string(bobbin_lit("host.name"), bobbin_lit("given")),
    };
    struct bobbin_opts opts;
    struct bbc_config *config;
    const char *text;

    (void)state;
    setenv("OTEL_RESOURCE_ATTRIBUTES",
           "from.env=env, enc = a%2Cb ,service.name=from env,malformed,host.name=env", 1);
    bobbin_opts_init(&opts);
    opts.exporter.send = never_sent;
    opts.resource_attrs = attrs;
    opts.resource_attr_count = 2;
    assert_int_equal(bbc_config_build(&opts, &config), BOBBIN_OK);
    text = resource_text(config);
    assert_contains(text, "code wins");
    assert_contains(text, "a,b");
    assert_contains(text, "from env");
    assert_contains(text, "given");
    assert_contains(text, "telemetry.sdk.language");
    assert_contains(text, "service.instance.id");
    assert_contains(text, "process.pid");
    assert_lacks(text, "unknown_service");
    bbc_config_free(config);
    opts.service_name = "from opts";
    assert_int_equal(bbc_config_build(&opts, &config), BOBBIN_OK);
    assert_contains(resource_text(config), "from opts");
    assert_lacks(resource_text(config), "from env");
    bbc_config_free(config);
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
}

static void a_child_process_gets_names_of_its_own(void **state)
{
    struct bobbin_opts opts;
    struct bbc_config *config;
    uint8_t before[4096];
    pid_t child;
    int status;

    (void)state;
    bobbin_opts_init(&opts);
    opts.exporter.send = never_sent;
    assert_int_equal(bbc_config_build(&opts, &config), BOBBIN_OK);
    assert_contains(resource_text(config), "unknown_service");
    memcpy(before, config->resource.data, config->resource.size);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bbc_config_name_process(config);
        _exit(memcmp(before + config->pid_at, config->resource.data + config->pid_at, 5) != 0 &&
                      memcmp(before + config->instance_id_at,
                             config->resource.data + config->instance_id_at, 36) != 0 &&
                      memcmp(before, config->resource.data, config->instance_id_at) == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    bbc_config_free(config);
}

static void refuses_each_option_out_of_its_range(void **state)
{
    struct bobbin_opts good;
    struct bbc_config *config = NULL;

    (void)state;
    bobbin_opts_init(&good);
    good.exporter.send = never_sent;
#define REFUSES(field, value)                                                                      \
    do {                                                                                           \
        struct bobbin_opts opts = good;                                                            \
        opts.field = (value);                                                                      \
        assert_int_equal(bbc_config_build(&opts, &config), BOBBIN_EINVAL);                         \
        assert_null(config);                                                                       \
    } while (0)
    REFUSES(exporter.send, NULL);
    REFUSES(sampler.kind, (enum bobbin_sampler_kind)0);
    REFUSES(sampler.kind, BOBBIN_SAMPLER_RATE_LIMIT); /* without a rate */
    REFUSES(sampler.kind, BOBBIN_SAMPLER_CALLBACK);   /* without a callback */
    REFUSES(limits.attr_count, 65536);
    REFUSES(batch.schedule_delay_ms, 0);
    REFUSES(batch.span_count_max, 0);
    REFUSES(batch.queue_spans_max, 511);
    REFUSES(batch.export_timeout_ms, 0);
    REFUSES(batch.request_size_max, 1023);
    REFUSES(retry.max_ms, 999);
    REFUSES(breaker.window_ms, 0);
    REFUSES(breaker.successes_required, 6); /* of 5 probes */
    REFUSES(breaker.error_share_percent, 101);
    REFUSES(ring_size, 4096);
    REFUSES(ring_size, 300000);
#undef REFUSES
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sources_of_the_resource_win_in_order),
        cmocka_unit_test(a_child_process_gets_names_of_its_own),
        cmocka_unit_test(refuses_each_option_out_of_its_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
