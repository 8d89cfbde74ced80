/*
 * client_names.c - names of errors and drops, and the text form of the counters.
 */
#include "client/include/bobbin/bobbin.h"

static const char *const error_names[] = {
    [BOBBIN_OK] = "BOBBIN_OK",
    [BOBBIN_EINVAL] = "BOBBIN_EINVAL",
    [BOBBIN_ENOMEM] = "BOBBIN_ENOMEM",
    [BOBBIN_ETIMEDOUT] = "BOBBIN_ETIMEDOUT",
    [BOBBIN_ESTATE] = "BOBBIN_ESTATE",
    [BOBBIN_EEXPORT] = "BOBBIN_EEXPORT",
    [BOBBIN_ENOTFOUND] = "BOBBIN_ENOTFOUND",
    [BOBBIN_EIO] = "BOBBIN_EIO",
};

static const char *const drop_names[BOBBIN_DROP_REASONS] = {
    [BOBBIN_DROP_RING_FULL] = "ring_full",       [BOBBIN_DROP_NO_RING] = "no_ring",
    [BOBBIN_DROP_REENTERED] = "reentered",       [BOBBIN_DROP_TOO_BIG] = "too_big",
    [BOBBIN_DROP_NO_MEMORY] = "no_memory",       [BOBBIN_DROP_QUEUE_FULL] = "queue_full",
    [BOBBIN_DROP_BREAKER_OPEN] = "breaker_open", [BOBBIN_DROP_EXPORT_FAILED] = "export_failed",
    [BOBBIN_DROP_RETRIES_OVER] = "retries_over", [BOBBIN_DROP_REJECTED] = "rejected",
    [BOBBIN_DROP_SHUTDOWN] = "shutdown",
};

const char *bobbin_version(void)
{
    return BOBBIN_VERSION;
}

const char *bobbin_err_name(enum bobbin_err err)
{
    if ((unsigned)err >= sizeof error_names / sizeof error_names[0]) {
        return "unknown error";
    }
    return error_names[err];
}

const char *bobbin_drop_name(enum bobbin_drop reason)
{
    return (unsigned)reason < BOBBIN_DROP_REASONS ? drop_names[reason] : NULL;
}

/* A text that is cut at `size`, while `whole` goes on counting. */
struct dump {
    char *out;
    size_t size;
    size_t whole;
};

static void add_text(struct dump *dump, const char *text)
{
    for (; *text != '\0'; text++) {
        if (dump->whole + 1 < dump->size) {
            dump->out[dump->whole] = *text;
        }
        dump->whole++;
    }
}

static void add_line(struct dump *dump, const char *prefix, const char *name, uint64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    add_text(dump, prefix);
    add_text(dump, name);
    add_text(dump, " ");
    add_text(dump, at);
    add_text(dump, "\n");
}

size_t bobbin_stats_dump(char *out, size_t size)
{
    struct dump dump = {out, size, 0};
    struct bobbin_stats stats;

    bobbin_stats_read(&stats);
    add_line(&dump, "spans_", "started", stats.started);
    add_line(&dump, "spans_", "ended", stats.ended);
    add_line(&dump, "spans_", "exported", stats.exported);
    for (unsigned i = 0; i < BOBBIN_DROP_REASONS; i++) {
        add_line(&dump, "spans_dropped_", drop_names[i], stats.dropped[i]);
    }
    add_line(&dump, "spans_", "in_flight", stats.in_flight);
    add_line(&dump, "spans_", "queued", stats.queue_spans);
    add_line(&dump, "", "requests", stats.requests);
    add_line(&dump, "", "retries", stats.retries);
    add_line(&dump, "", "requests_failed", stats.requests_failed);
    add_line(&dump, "", "breaker_state", (uint64_t)stats.breaker);
    add_line(&dump, "", "breaker_opened", stats.breaker_opened);
    add_line(&dump, "", "misuse", stats.misuse);
    add_line(&dump, "", "rings", stats.ring_count);
    if (size > 0) {
        out[dump.whole < size ? dump.whole : size - 1] = '\0';
    }
    return dump.whole;
}
