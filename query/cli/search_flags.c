#include "query/cli/search_flags.h"

#include <string.h>

#include "common/http_api.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "common/time_text.h"

#define TARGET_BYTES_MAX (64u << 10)

/* What the server has no end for: the last second that Go's 64-bit times hold, for Jaeger's sake.
 * */
#define TIME_MAX_NS (UINT64_C(9223372036) * 1000000000)

static const char *const sort_words[] = {"newest", "slowest", NULL};

uint32_t bb_search_flags_entries(struct bb_search_flags *flags,
                                 struct bb_flag out_entries[BB_SEARCH_FLAGS_COUNT])
{
    const struct bb_flag entries[BB_SEARCH_FLAGS_COUNT] = {
        {"service", 0, BB_FLAG_TEXT, "NAME", "traces with a span of this service", &flags->service,
         NULL, 0, 0},
        {"operation", 0, BB_FLAG_TEXT, "NAME", "... and of this operation", &flags->operation, NULL,
         0, 0},
        {"tag", 0, BB_FLAG_LIST, "KEY=VALUE",
         "... and with this attribute, on any level; may be given\n"
         "several times: all must hold on one span",
         &flags->tags, NULL, 0, 0},
        {"min-duration", 0, BB_FLAG_DURATION, "DURATION",
         "... and which took at least this: 100ms, 1.5s", &flags->duration_ns_min, NULL, 0, 0},
        {"max-duration", 0, BB_FLAG_DURATION, "DURATION", "... and which took at most this",
         &flags->duration_ns_max, NULL, 0, 0},
        {"since", 0, BB_FLAG_TIME, "TIME",
         "... and started from then on: 1h (ago), 2026-11-24 or\n2026-11-24T22:00:00Z",
         &flags->since_unix_ns, NULL, 0, 0},
        {"until", 0, BB_FLAG_TIME, "TIME", "... and started before then (default: no end)",
         &flags->until_unix_ns, NULL, 0, 0},
        {"sort", 0, BB_FLAG_CHOICE, "newest|slowest", "what comes first (default: newest)",
         &flags->sort, sort_words, 0, 0},
        {"limit", 0, BB_FLAG_UINT, "N", "at most so many traces", &flags->limit, NULL, 1,
         BB_SEARCH_LIMIT_MAX},
    };

    memcpy(out_entries, entries, sizeof(entries));
    return BB_SEARCH_FLAGS_COUNT;
}

static void add_arg(struct bb_buf *out, const char *name, struct bb_slice value)
{
    bb_buf_append_cstr(out, "&query.");
    bb_buf_append_cstr(out, name);
    bb_buf_append_byte(out, '=');
    bb_url_encode(value, out);
}

static void add_time(struct bb_buf *out, const char *name, uint64_t unix_ns)
{
    char text[BB_RFC3339_TEXT_SIZE];

    size_t size = bb_rfc3339_format(unix_ns, 9, text);
    add_arg(out, name, bb_slice_of(text, size));
}

static void add_duration(struct bb_buf *out, const char *name, uint64_t ns)
{
    char text[BB_DURATION_TEXT_SIZE];

    if (ns > 0) {
        size_t size = bb_duration_format_exact(ns, text);
        add_arg(out, name, bb_slice_of(text, size));
    }
}

/* The tags as the JSON object of strings that the API takes. */
static enum bb_err add_tags(const struct bb_text_list *tags, struct bb_buf *out,
                            struct bb_err_detail *detail)
{
    struct bb_buf object;
    struct bb_json_writer json = bb_json_writer_of(&object);
    enum bb_err err = BB_OK;

    bb_buf_init(&object, TARGET_BYTES_MAX);
    bb_json_begin_object(&json);
    for (uint32_t i = 0; i < tags->count; i++) {
        const char *equals = strchr(tags->items[i], '=');
        if (equals == NULL || equals == tags->items[i]) {
            err = bb_err_set(detail, BB_EINVAL, "--tag '%s' must be KEY=VALUE", tags->items[i]);
            goto out;
        }
        bb_json_key_slice(&json, bb_slice_of(tags->items[i], (size_t)(equals - tags->items[i])));
        bb_json_string(&json, bb_slice_from_cstr(equals + 1));
    }
    bb_json_end_object(&json);
    err = bb_buf_err(&object);
    if (err == BB_OK) {
        add_arg(out, "attributes", bb_buf_slice(&object));
    }

out:
    bb_buf_dispose(&object);
    return err;
}

enum bb_err bb_search_flags_target(const struct bb_search_flags *flags, struct bb_buf *out,
                                   struct bb_err_detail *detail)
{
    uint64_t until_unix_ns = flags->until_unix_ns != 0 ? flags->until_unix_ns : TIME_MAX_NS;

    if (flags->until_unix_ns != 0 && flags->until_unix_ns <= flags->since_unix_ns) {
        return bb_err_set(detail, BB_EINVAL, "--until lies before --since");
    }
    if (flags->duration_ns_max != 0 && flags->duration_ns_max < flags->duration_ns_min) {
        return bb_err_set(detail, BB_EINVAL, "--max-duration is less than --min-duration");
    }
    bb_buf_append_cstr(out, "/api/v3/trace-summaries?query.sort=");
    bb_buf_append_cstr(out, sort_words[flags->sort]);
    bb_buf_printf(out, "&query.searchDepth=%llu", (unsigned long long)flags->limit);
    if (flags->service != NULL) {
        add_arg(out, "serviceName", bb_slice_from_cstr(flags->service));
    }
    if (flags->operation != NULL) {
        add_arg(out, "operationName", bb_slice_from_cstr(flags->operation));
    }
    add_time(out, "startTimeMin", flags->since_unix_ns);
    add_time(out, "startTimeMax", until_unix_ns);
    add_duration(out, "durationMin", flags->duration_ns_min);
    add_duration(out, "durationMax", flags->duration_ns_max);
    if (flags->tags.count > 0) {
        enum bb_err err = add_tags(&flags->tags, out, detail);
        if (err != BB_OK) {
            return err;
        }
    }
    return bb_buf_err(out);
}

enum bb_err bb_search_flags_run(const struct bb_search_flags *flags, struct bb_api_client *client,
                                struct bb_arena *arena, struct bb_err_detail *detail,
                                struct bb_summaries *out_summaries)
{
    struct bb_buf target;
    enum bb_err err;

    bb_buf_init(&target, TARGET_BYTES_MAX);
    err = bb_search_flags_target(flags, &target, detail);
    if (err != BB_OK) {
        goto out;
    }
    bb_buf_append_byte(&target, '\0');
    err = bb_buf_err(&target);
    if (err != BB_OK) {
        goto out;
    }
    err = bb_api_client_get(client, (const char *)target.data, BB_MEDIA_JSON, detail);
    if (err != BB_OK) {
        goto out;
    }
    err = bb_json_read_summaries(bb_buf_slice(&client->reply.body), arena, detail, out_summaries);

out:
    if (err != BB_OK && detail->text[0] == '\0') {
        (void)bb_err_set(detail, err, "%s", bb_err_text(err));
    }
    bb_buf_dispose(&target);
    return err;
}

void bb_search_flags_warn(const struct bb_summaries *summaries)
{
    if (summaries->is_complete) {
        return;
    }
    if (summaries->incomplete_reason.size > 0) {
        bb_say_warning("the result is incomplete: %.*s", (int)summaries->incomplete_reason.size,
                       (const char *)summaries->incomplete_reason.data);
    } else {
        bb_say_warning("the result is incomplete; the server does not say why");
    }
}
