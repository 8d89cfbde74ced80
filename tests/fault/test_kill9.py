"""`kill -9` under load: what was acknowledged is there exactly once after the restart, what was not
is there whole or not at all, and the daemon is ready again within 3 s.

KILLS is how often (50; 8 under a sanitizer); KILL_SEED repeats a run's random moments as far as
threads allow.
"""

import os
import random
import statistics
import time

from harness import client, daemon, otlp
from harness.load import Cycle

KILLS = int(os.environ.get("KILLS", "8" if daemon.SANITIZER else "50"))
READY_S_MAX = 3.0
MIB = 1 << 20


class Ledger:
    """All cycles so far, and the check of what the daemon has of them."""

    def __init__(self, bobbind):
        self.api = client.Api(bobbind)
        self.cycles = []
        self.span_counts = {}  # cycle number: spans that were found, known after the first check

    def check(self, cycle):
        """Reads every batch by its id, whole, and lists the cycle by a search."""
        found = {}
        for trace_id, span_ids in cycle.batches("acknowledged"):
            assert self.read(trace_id) == span_ids, f"acknowledged trace {trace_id}"
            found[trace_id] = len(span_ids)
        for trace_id, span_ids in cycle.batches("unknown"):
            read = self.read(trace_id)
            assert read in ([], span_ids), f"half a batch: trace {trace_id}"
            if read:
                found[trace_id] = len(read)
        for trace_id, _ in cycle.batches("refused"):
            assert self.read(trace_id) == [], f"refused, yet stored: trace {trace_id}"
        assert self.search(cycle) == found
        self.cycles.append(cycle)
        self.span_counts[cycle.number] = sum(found.values())

    def read(self, trace_id):
        """The span ids of a trace, repeats included, in order."""
        answer = self.api.query.get(
            f"/api/v3/traces/{trace_id}", headers={"Accept": client.PROTOBUF}
        )
        if answer.status == 404:
            return []
        assert answer.status == 200, answer
        return sorted(
            span.span_id
            for resource in otlp.TracesData.FromString(answer.body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        )

    def search(self, cycle):
        """{trace id: span count} of the cycle's service."""
        answer = self.api.query.get(
            "/api/v3/trace-summaries",
            {
                "query.serviceName": cycle.service,
                "query.searchDepth": 100_000,
                "query.startTimeMin": "2020-01-01T00:00:00Z",
                "query.startTimeMax": "2200-01-01T00:00:00Z",
            },
        )
        assert answer.status == 200, answer
        return {each["traceId"]: each["spanCount"] for each in answer.json()["summaries"]}

    def check_totals(self, bobbind):
        """Everything again, at the end: later kills must not have touched earlier cycles."""
        for cycle in self.cycles:
            assert sum(self.search(cycle).values()) == self.span_counts[cycle.number]
        assert bobbind.metric("bobbin_store_spans") == sum(self.span_counts.values())


def run_until_kill(bobbind, cycle, rng, is_fat):
    """Loads and kills at a random moment; for a fat cycle, after a random amount."""
    cycle.start()
    if is_fat:
        wanted = rng.uniform(4, 48) * MIB
        give_up = time.monotonic() + 20
        while cycle.sent_bytes() < wanted and time.monotonic() < give_up:
            time.sleep(0.002)
    else:
        time.sleep(rng.uniform(0.005, 0.25))
    bobbind.kill()
    cycle.join()


def restart(bobbind, rng, is_killed_again):
    """Starts it again; sometimes the first start is killed in the middle of its recovery."""
    if is_killed_again:
        bobbind.start(is_awaited=False)
        time.sleep(rng.uniform(0, 0.06))
        bobbind.kill()
    return bobbind.start()


def test_acknowledged_spans_survive_kills(new_daemon):
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(1 << 32)))
    rng = random.Random(seed)
    bobbind = new_daemon()
    ledger = Ledger(bobbind)
    ready_s = []
    print(f"\nKILLS={KILLS} KILL_SEED={seed}")

    for number in range(KILLS):
        is_fat = number % 5 == 4
        shape = (
            {"sender_count": 3, "span_count": 500, "value_size": 1024}
            if is_fat
            else {"sender_count": 4, "span_count": rng.choice((1, 20, 60)), "value_size": 64}
        )
        cycle = Cycle(number, bobbind.ports["otlp-http"], **shape)
        run_until_kill(bobbind, cycle, rng, is_fat)
        ready_s.append(restart(bobbind, rng, is_killed_again=number % 7 == 6))
        ledger.check(cycle)

    spans = sum(ledger.span_counts.values())
    sealed = spans - bobbind.metric("bobbin_store_active_spans")
    counts = {
        kind: sum(len(cycle.batches(kind)) for cycle in ledger.cycles)
        for kind in ("acknowledged", "unknown", "refused")
    }
    print(
        f"{KILLS} kills; batches {counts}; {spans} spans, {sealed:.0f} of them sealed; "
        f"ready after {statistics.median(ready_s):.3f} s (median), {max(ready_s):.3f} s (longest)"
    )
    ledger.check_totals(bobbind)
    if KILLS >= 50:
        assert counts["unknown"] > 0 and sealed > 0, "the kills hit neither a request nor a seal"
    if not daemon.SANITIZER:
        assert max(ready_s) <= READY_S_MAX


def test_acknowledged_spans_survive_a_clean_stop_under_load(new_daemon):
    bobbind = new_daemon()
    ledger = Ledger(bobbind)
    cycle = Cycle(0, bobbind.ports["otlp-http"], sender_count=4, span_count=50, value_size=64)
    cycle.start()
    while cycle.sent_bytes() < 4 * MIB:
        time.sleep(0.01)
    bobbind.stop_cleanly()
    cycle.stop()
    cycle.join()
    bobbind.start()
    ledger.check(cycle)
    assert ledger.span_counts[0] > 0
    ledger.check_totals(bobbind)
