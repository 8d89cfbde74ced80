#include "client/breaker.h"

void bbc_breaker_init(struct bbc_breaker *breaker, const struct bobbin_breaker_opts *opts)
{
    *breaker = (struct bbc_breaker){.opts = *opts};
}

/* The only place where the state changes. */
static void move_to(struct bbc_breaker *breaker, enum bobbin_breaker_state state, uint64_t now_ms)
{
    breaker->state = state;
    breaker->probes = 0;
    breaker->probe_successes = 0;
    breaker->probe_failures = 0;
    memset(breaker->buckets, 0, sizeof breaker->buckets);
    if (state == BOBBIN_BREAKER_OPEN) {
        breaker->opened_ms = now_ms;
        breaker->opened_count++;
    }
}

/* Moves the window to now, and gives the index of its newest bucket. */
static unsigned slide(struct bbc_breaker *breaker, uint64_t now_ms)
{
    uint64_t width = breaker->opts.window_ms / BBC_BREAKER_BUCKETS;
    uint64_t bucket = now_ms / (width == 0 ? 1 : width);

    for (unsigned i = 0; i < BBC_BREAKER_BUCKETS && breaker->newest_bucket < bucket; i++) {
        breaker->newest_bucket++;
        memset(&breaker->buckets[breaker->newest_bucket % BBC_BREAKER_BUCKETS], 0,
               sizeof breaker->buckets[0]);
    }
    if (breaker->newest_bucket < bucket) { /* all are cleared: the rest of the way is a jump */
        breaker->newest_bucket = bucket;
    }
    return (unsigned)(breaker->newest_bucket % BBC_BREAKER_BUCKETS);
}

static bool has_failed_too_often(const struct bbc_breaker *breaker)
{
    uint64_t successes = 0;
    uint64_t failures = 0;

    for (unsigned i = 0; i < BBC_BREAKER_BUCKETS; i++) {
        successes += breaker->buckets[i].successes;
        failures += breaker->buckets[i].failures;
    }
    return failures > 0 && successes + failures >= breaker->opts.volume_threshold &&
           failures * 100 >= (successes + failures) * breaker->opts.error_share_percent;
}

bool bbc_breaker_allows(struct bbc_breaker *breaker, uint64_t now_ms)
{
    if (breaker->opts.is_off) {
        return true;
    }
    if (breaker->state == BOBBIN_BREAKER_OPEN &&
        now_ms - breaker->opened_ms >= breaker->opts.sleep_window_ms) {
        move_to(breaker, BOBBIN_BREAKER_HALF_OPEN, now_ms);
    }
    switch (breaker->state) {
    case BOBBIN_BREAKER_CLOSED:
        return true;
    case BOBBIN_BREAKER_HALF_OPEN:
        if (breaker->probes < breaker->opts.probe_count) {
            breaker->probes++;
            return true;
        }
        return false;
    case BOBBIN_BREAKER_OPEN:
        return false;
    }
    return false;
}

static void report_probe(struct bbc_breaker *breaker, uint64_t now_ms, bool is_success)
{
    breaker->probe_successes += is_success;
    breaker->probe_failures += !is_success;
    if (breaker->probe_successes >= breaker->opts.successes_required) {
        move_to(breaker, BOBBIN_BREAKER_CLOSED, now_ms);
    } else if (breaker->probe_failures + breaker->opts.successes_required >
               breaker->opts.probe_count) {
        move_to(breaker, BOBBIN_BREAKER_OPEN, now_ms);
    }
}

void bbc_breaker_report(struct bbc_breaker *breaker, uint64_t now_ms, bool is_success)
{
    unsigned newest;

    if (breaker->opts.is_off) {
        return;
    }
    if (breaker->state == BOBBIN_BREAKER_HALF_OPEN) {
        report_probe(breaker, now_ms, is_success);
        return;
    }
    if (breaker->state == BOBBIN_BREAKER_OPEN) {
        return; /* begun before it opened */
    }
    newest = slide(breaker, now_ms);
    breaker->buckets[newest].successes += is_success;
    breaker->buckets[newest].failures += !is_success;
    if (!is_success && has_failed_too_often(breaker)) {
        move_to(breaker, BOBBIN_BREAKER_OPEN, now_ms);
    }
}
