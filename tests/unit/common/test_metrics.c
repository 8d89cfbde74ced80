#include <ctype.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/otlp_walk.h"

#define TEXT_SIZE_MAX (1 << 20)

/* Renders everything as one NUL-terminated text; the caller disposes of `buf`. */
static const char *render(struct bb_buf *buf)
{
    bb_buf_init(buf, TEXT_SIZE_MAX);
    bb_metrics_render(buf);
    bb_buf_append_byte(buf, '\0');
    assert_int_equal(bb_buf_err(buf), BB_OK);
    return (const char *)buf->data;
}

/* The value of the sample that begins with `name` and a space; fails when there is none or two. */
static double sample(const char *text, const char *name)
{
    const char *found = NULL;
    size_t size = strlen(name);

    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, name, size) == 0 && line[size] == ' ') {
            assert_null(found);
            found = line;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    if (found == NULL) {
        fail_msg("no sample %s", name);
        return 0;
    }
    return strtod(found + size, NULL);
}

/*
 * A checker of OpenMetrics text 1.0, of the part that is written here: families of HELP, TYPE and
 * samples, no exemplars, units or timestamps.
 */
struct checker {
    char family[128];
    char type[32];
    bool has_help;
    bool has_samples;
    char seen_families[64][128];
    size_t family_count;
    char seen_samples[2000][256];
    size_t sample_count;
    /* Of the histogram that is being read. */
    double last_le;
    double last_bucket;
    bool has_infinity;
};

static size_t name_size(const char *text)
{
    size_t size = 0;

    while (isalnum((unsigned char)text[size]) || text[size] == '_' || text[size] == ':') {
        size++;
    }
    assert_true(size > 0 && size < 128);
    assert_false(isdigit((unsigned char)text[0]));
    return size;
}

static void begin_family(struct checker *checker, const char *name, size_t size)
{
    for (size_t i = 0; i < checker->family_count; i++) {
        if (strlen(checker->seen_families[i]) == size &&
            strncmp(checker->seen_families[i], name, size) == 0) {
            fail_msg("family %.*s comes twice", (int)size, name);
        }
    }
    assert_true(checker->family_count < 64);
    snprintf(checker->family, sizeof checker->family, "%.*s", (int)size, name);
    memcpy(checker->seen_families[checker->family_count++], checker->family,
           sizeof checker->family);
    checker->has_help = false;
    checker->has_samples = false;
    checker->type[0] = '\0';
    checker->last_le = -1;
    checker->last_bucket = 0;
    checker->has_infinity = false;
}

static void check_comment(struct checker *checker, const char *line)
{
    const char *name = line + strlen("# HELP ");
    size_t size = name_size(name);
    bool is_help = strncmp(line, "# HELP ", 7) == 0;

    assert_true(is_help || strncmp(line, "# TYPE ", 7) == 0);
    assert_int_equal(name[size], ' ');
    if (strlen(checker->family) != size || strncmp(checker->family, name, size) != 0) {
        begin_family(checker, name, size);
    }
    assert_false(checker->has_samples);
    if (is_help) {
        assert_false(checker->has_help);
        checker->has_help = true;
        assert_true(strlen(name + size + 1) > 0);
        assert_null(strpbrk(name + size + 1, "\\\"")); /* would have to be escaped */
    } else {
        assert_int_equal(checker->type[0], '\0');
        snprintf(checker->type, sizeof checker->type, "%s", name + size + 1);
        assert_true(strcmp(checker->type, "counter") == 0 || strcmp(checker->type, "gauge") == 0 ||
                    strcmp(checker->type, "histogram") == 0);
    }
}

/* Reads {name="value",...} at `text`; returns what is behind it. `le` gets the bound, if any. */
static const char *check_labels(const char *text, char *le, size_t le_size)
{
    le[0] = '\0';
    if (*text != '{') {
        return text;
    }
    do {
        text++;
        size_t size = name_size(text);
        const char *value = text + size + 2;
        assert_true(text[size] == '=' && text[size + 1] == '"');
        const char *end = value + strcspn(value, "\"\\\n");
        assert_int_equal(*end, '"');
        if (size == 2 && strncmp(text, "le", 2) == 0) {
            snprintf(le, le_size, "%.*s", (int)(end - value), value);
        }
        text = end + 1;
    } while (*text == ',');
    assert_int_equal(*text, '}');
    return text + 1;
}

static void check_bucket(struct checker *checker, const char *le, double value)
{
    double bound = strcmp(le, "+Inf") == 0 ? 1e308 : strtod(le, NULL);

    /* A bound is a float in its canonical form: it has a point or an exponent. */
    assert_true(strcmp(le, "+Inf") == 0 || strpbrk(le, ".e") != NULL);
    assert_true(bound > checker->last_le);
    assert_true(value >= checker->last_bucket);
    checker->last_le = bound;
    checker->last_bucket = value;
    checker->has_infinity = strcmp(le, "+Inf") == 0;
}

static void check_sample(struct checker *checker, const char *line)
{
    size_t family_size = strlen(checker->family);
    size_t size = name_size(line);
    const char *suffix = line + family_size;
    size_t suffix_size = size - family_size;
    char le[32];
    char *end;

    assert_true(checker->has_help && checker->type[0] != '\0');
    assert_true(size >= family_size && strncmp(line, checker->family, family_size) == 0);
    const char *rest = check_labels(line + size, le, sizeof le);
    assert_int_equal(*rest, ' ');
    double value = strtod(rest + 1, &end);
    assert_true(end > rest + 1 && *end == '\0');

    for (size_t i = 0; i < checker->sample_count; i++) {
        if (strncmp(checker->seen_samples[i], line, (size_t)(rest - line + 1)) == 0) {
            fail_msg("sample %s comes twice", line);
        }
    }
    assert_true(checker->sample_count < 2000);
    snprintf(checker->seen_samples[checker->sample_count++], 256, "%s", line);

    if (strcmp(checker->type, "counter") == 0) {
        assert_true(suffix_size == 6 && strncmp(suffix, "_total", 6) == 0);
        assert_true(value >= 0);
    } else if (strcmp(checker->type, "gauge") == 0) {
        assert_int_equal(suffix_size, 0);
    } else if (suffix_size == 7 && strncmp(suffix, "_bucket", 7) == 0) {
        check_bucket(checker, le, value);
    } else if (suffix_size == 6 && strncmp(suffix, "_count", 6) == 0) {
        assert_true(checker->has_infinity);
        assert_true(value >= checker->last_bucket && value <= checker->last_bucket);
    } else {
        assert_true(suffix_size == 4 && strncmp(suffix, "_sum", 4) == 0);
        assert_true(value >= 0);
    }
    checker->has_samples = true;
}

static void the_text_is_openmetrics(void **state)
{
    static struct checker checker;
    struct bb_buf buf;

    (void)state;
    bb_metric_observe_ns(BB_M_INGEST_SECONDS, 3 * BB_NS_PER_MS);
    bb_metric_observe_ns(BB_M_INGEST_SECONDS, 3000 * BB_NS_PER_S);
    char *text = (char *)(uintptr_t)render(&buf);
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        assert_non_null(end); /* each line ends with a line feed */
        *end = '\0';
        if (strcmp(line, "# EOF") == 0) {
            assert_int_equal(end[1], '\0'); /* nothing follows */
            assert_true(checker.has_samples);
            assert_true(checker.family_count > 20);
            bb_buf_dispose(&buf);
            return;
        }
        if (line[0] == '#') {
            check_comment(&checker, line);
        } else {
            check_sample(&checker, line);
        }
        line = end + 1;
    }
    bb_buf_dispose(&buf);
    fail_msg("no # EOF at the end");
}

static void counters_and_gauges_show_their_values(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_metric_add(BB_M_SPANS_ACCEPTED_OTLP_GRPC, 7);
    bb_metric_add(BB_M_SPANS_ACCEPTED_OTLP_GRPC, 5);
    bb_metric_set(BB_M_STORE_PARTITIONS, 9);
    bb_metric_add(BB_M_STORE_PARTITIONS, -12);
    assert_int_equal(bb_metric_get(BB_M_SPANS_ACCEPTED_OTLP_GRPC), 12);
    assert_int_equal(bb_metric_get(BB_M_STORE_PARTITIONS), -3);

    const char *text = render(&buf);
    assert_true(sample(text, "bobbin_receiver_accepted_spans_total{receiver=\"otlp_grpc\"}") == 12);
    assert_true(sample(text, "bobbin_receiver_accepted_spans_total{receiver=\"otlp_http\"}") == 0);
    assert_true(sample(text, "bobbin_store_partitions") == -3);
    bb_buf_dispose(&buf);
}

static void observations_fall_into_every_bucket_from_their_bound_up(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, 0);
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, 100 * BB_NS_PER_US); /* on a bound: belongs to it */
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, 100 * BB_NS_PER_US + 1);
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, BB_NS_PER_S);
    bb_metric_observe_ns(BB_M_QUERY_SECONDS, 61 * BB_NS_PER_S);
    assert_int_equal(bb_metric_get(BB_M_QUERY_SECONDS), 5);

    const char *text = render(&buf);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"0.0001\"}") == 2);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"0.00025\"}") == 3);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"0.5\"}") == 3);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"1.0\"}") == 4);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"60.0\"}") == 4);
    assert_true(sample(text, "bobbin_query_duration_seconds_bucket{le=\"+Inf\"}") == 5);
    assert_true(sample(text, "bobbin_query_duration_seconds_count") == 5);
    double sum = sample(text, "bobbin_query_duration_seconds_sum");
    assert_true(sum > 62.000199 && sum < 62.000201);
    bb_buf_dispose(&buf);
}

/* Each reason that the walk can give is a row of the rejected spans, in the same order. */
static void every_reject_reason_has_its_counter(void **state)
{
    (void)state;
    for (int i = 0; i < BB_REJECT_COUNT_OF; i++) {
        struct bb_buf buf;
        char name[128];
        bb_metric_add((enum bb_metric)(BB_M_SPANS_REJECTED_MALFORMED + i), 100 + i);
        snprintf(name, sizeof name, "bobbin_receiver_rejected_spans_total{reason=\"%s\"}",
                 bb_reject_label((enum bb_reject)i));
        assert_true(sample(render(&buf), name) == 100 + i);
        bb_buf_dispose(&buf);
    }
}

static void *add_many(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        bb_metric_add(BB_M_RECEIVED_BYTES, 3);
        bb_metric_observe_ns(BB_M_INGEST_SECONDS, (uint64_t)i * BB_NS_PER_US);
    }
    return arg;
}

static void adds_of_several_threads_are_all_counted(void **state)
{
    pthread_t threads[4];
    int64_t bytes_before = bb_metric_get(BB_M_RECEIVED_BYTES);
    int64_t count_before = bb_metric_get(BB_M_INGEST_SECONDS);

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(bb_metric_get(BB_M_RECEIVED_BYTES) - bytes_before, 4 * 20000 * 3);
    assert_int_equal(bb_metric_get(BB_M_INGEST_SECONDS) - count_before, 4 * 20000);
}

static void a_buffer_that_is_too_small_keeps_the_error(void **state)
{
    struct bb_buf buf;

    (void)state;
    bb_buf_init(&buf, 1000);
    bb_metrics_render(&buf);
    assert_int_equal(bb_buf_err(&buf), BB_ETOOBIG);
    bb_buf_dispose(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_openmetrics),
        cmocka_unit_test(counters_and_gauges_show_their_values),
        cmocka_unit_test(observations_fall_into_every_bucket_from_their_bound_up),
        cmocka_unit_test(every_reject_reason_has_its_counter),
        cmocka_unit_test(adds_of_several_threads_are_all_counted),
        cmocka_unit_test(a_buffer_that_is_too_small_keeps_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
