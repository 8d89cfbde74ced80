#include "tests/unit/client/client_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/request_json.h"

#define TEST_TIMEOUT_MS 60000u

void client_fixture_init(struct client_fixture *fixture)
{
    *fixture = (struct client_fixture){0};
    bobbin_opts_init(&fixture->opts);
    fixture->opts.batch.schedule_delay_ms = 3600000;
    fixture->opts.is_resource_detection_off = true;
    fixture->opts.service_name = "test";
    fixture->opts.retry = (struct bobbin_retry_opts){.initial_ms = 1, .max_ms = 2};
    assert_int_equal(bobbin_memory_exporter_new(&fixture->memory), BOBBIN_OK);
    fixture->opts.exporter = bobbin_memory_exporter_of(fixture->memory);
    fixture->tracer = bobbin_tracer_named("tests");
}

void client_fixture_start(struct client_fixture *fixture)
{
    assert_int_equal(bobbin_start(&fixture->opts), BOBBIN_OK);
}

static bool append_json(void *user, const struct bobbin_request *request)
{
    struct bbc_sink *json = user;

    assert_true(bbc_otlp_json(request->data, request->size, json));
    bbc_sink_byte(json, '\n');
    return true;
}

const char *client_fixture_json(struct client_fixture *fixture)
{
    (void)bobbin_flush(TEST_TIMEOUT_MS);
    fixture->json.size = 0;
    bobbin_memory_exporter_each(fixture->memory, append_json, &fixture->json);
    bbc_sink_byte(&fixture->json, 0);
    assert_false(fixture->json.failed);
    return (const char *)fixture->json.data;
}

void client_fixture_stop(struct client_fixture *fixture)
{
    (void)bobbin_shutdown(TEST_TIMEOUT_MS);
    bobbin_memory_exporter_free(fixture->memory);
    bbc_sink_dispose(&fixture->json);
}

uint64_t dropped_sum(const struct bobbin_stats *stats)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        sum += stats->dropped[i];
    }
    return sum;
}

void assert_conserved(const struct bobbin_stats *stats)
{
    assert_int_equal(stats->ended, stats->exported + dropped_sum(stats) + stats->in_flight);
}

void assert_contains_at(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part) == NULL) {
        print_error("no %s in:\n%s\n", part, text);
        _fail(file, line);
    }
}

void assert_lacks_at(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part) != NULL) {
        print_error("%s is in:\n%s\n", part, text);
        _fail(file, line);
    }
}
