"""Search against brute force: the same traces in the same order through v1, v3 (HTTP, gRPC,
summaries) and the command line; on spans just acknowledged, on spans rebuilt by a restart, and on
sealed ones. And every bad parameter is refused by its name."""

import json
import random
import time

import grpc
import pytest

from harness import client, daemon, oracle, otlp
from harness.oracle import Query

DAY_NS = 86_400 * 10**9
NOW_NS = time.time_ns() // 10**9 * 10**9
MS, S = 10**6, 10**9

SERVICES = ["frontend", "cart", "payment & more", "größe"]
OPERATIONS = ["GET /", "POST /cart", "charge", 'SELECT * FROM "t"']


# Fixtures: two days, all types of values on all five levels, ties


def random_span(rng, trace_id, start_ns):
    values = {
        "http.status_code": [200, 404, 500, "200"],
        "ratio": [72.5, 0.1, 3.0, -0.25, 1e30],
        "retry": [True, False, "true"],
        "user": ["ann", "bob", "", "ünï"],
        "size": [0, 2**53 + 1, -(2**63)],
        "list": [[1, 2], ["a", "b"], [True]],
        "blob": [b"\x00\xff"],
    }
    picked = {key: rng.choice(choices) for key, choices in values.items() if rng.random() < 0.5}
    span = otlp.span(
        trace_id,
        rng.choice(OPERATIONS),
        start_ns=start_ns,
        duration_ns=rng.choice([0, 1, 999, MS, MS, 5 * MS, 250 * MS, S, 90 * S]),
        attrs=picked,
        kind=rng.randrange(6),
        status={"code": rng.randrange(3)},
    )
    if rng.random() < 0.3:
        span.events.append(
            otlp.event(
                "e",
                start_ns,
                attrs={"event.only": rng.randrange(3), "user": rng.choice(["ann", "zoe"])},
            )
        )
    if rng.random() < 0.3:
        span.links.append(
            otlp.link(
                otlp.new_trace_id(), otlp.new_span_id(), attrs={"link.only": rng.choice(["x", 1.5])}
            )
        )
    return span


def random_request(rng, trace_id, start_ns, parents):
    scope = otlp.Scope(
        name=rng.choice(["", "lib.a", "lib.b"]),
        version=rng.choice(["", "1.0", "2.0"]),
        attributes=otlp.attributes({"scope.only": rng.choice([1, "one", True])}),
    )
    resource = {"host": rng.choice(["h1", "h2"]), "replica": rng.randrange(3)}
    spans = [
        random_span(rng, trace_id, start_ns + rng.randrange(0, 40 * S))
        for _ in range(rng.randrange(1, 5))
    ]
    for span in spans:
        if parents and rng.random() < 0.8:
            span.parent_span_id = rng.choice(parents)
        parents.append(span.span_id)
    return otlp.request(spans, rng.choice(SERVICES), resource, scope)


def fixture_requests():
    rng = random.Random(20261124)
    requests = []
    for _ in range(150):
        trace_id = rng.randbytes(16).hex()
        # Whole seconds, often the same one: ties that only the trace id breaks.
        start_ns = NOW_NS - rng.randrange(1, 40) * 3600 * S
        parents = []
        for _ in range(rng.randrange(1, 4)):
            requests.append(random_request(rng, trace_id, start_ns, parents))
    # One trace over two days: the window takes it whole when any of its spans starts inside.
    trace_id = rng.randbytes(16).hex()
    for days in (0, 1, 2):
        requests.append(
            otlp.request(
                [
                    otlp.span(
                        trace_id,
                        f"day -{days}",
                        duration_ns=MS,
                        start_ns=NOW_NS - days * DAY_NS - S,
                    )
                ],
                "spread",
            )
        )
    # Predicates must meet on one span, not on two spans of one trace.
    trace_id = rng.randbytes(16).hex()
    requests.append(
        otlp.request(
            [
                otlp.span(trace_id, attrs={"left": 1}, start_ns=NOW_NS),
                otlp.span(trace_id, attrs={"right": 2}, start_ns=NOW_NS),
            ],
            "apart",
        )
    )
    requests.append(
        otlp.request(
            [otlp.span(rng.randbytes(16).hex(), attrs={"left": 1, "right": 2}, start_ns=NOW_NS)],
            "together",
        )
    )
    # No service name, an end before the start, about the last time that Go can hold.
    requests.append(
        otlp.request([otlp.span(rng.randbytes(16).hex(), "nameless", start_ns=NOW_NS)], None)
    )
    odd = otlp.span(rng.randbytes(16).hex(), "backwards", start_ns=NOW_NS)
    odd.end_time_unix_nano = NOW_NS - S
    requests.append(otlp.request([odd], "odd"))
    late = otlp.span(rng.randbytes(16).hex(), "late", start_ns=9_223_372_030 * S + 5, duration_ns=5)
    requests.append(otlp.request([late], "odd"))
    return requests


def seal(api, bobbind):
    """Fills segments until some were sealed; returns what was sent for it."""
    sent = otlp.ExportRequest()
    deadline = time.monotonic() + (120 if daemon.SANITIZER else 30)
    before = bobbind.metric("bobbin_store_sealed_segments") or 0
    active = bobbind.metric("bobbin_store_active_spans")
    while (
        bobbind.metric("bobbin_store_sealed_segments") == before
        or bobbind.metric("bobbin_store_active_spans") > active / 2
    ):
        filler = otlp.request(
            [
                otlp.span(
                    otlp.new_trace_id(),
                    "filler",
                    start_ns=10**18,
                    attrs={"text": random.randbytes(1 << 19).hex()},
                )
                for _ in range(4)
            ],
            "filler",
        )
        api.send(filler)
        sent.MergeFrom(filler)
        assert time.monotonic() < deadline, "nothing is sealed"
    return sent


class Loaded:
    def __init__(self, bobbind, state):
        self.api = client.Api(bobbind)
        stored = otlp.ExportRequest()
        for request in fixture_requests():
            self.api.send(request)
            stored.MergeFrom(request)
        if state == "restarted":
            bobbind.stop_cleanly()
            bobbind.start()
        if state == "sealed":
            stored.MergeFrom(seal(self.api, bobbind))
        self.spans = oracle.stored_spans(stored)


@pytest.fixture(scope="module", params=["active", "restarted", "sealed"])
def loaded(request, tmp_path_factory):
    bobbind = daemon.Daemon(tmp_path_factory.mktemp(request.param))
    bobbind.start()
    try:
        yield Loaded(bobbind, request.param)
        bobbind.stop_cleanly()
    finally:
        if bobbind.is_alive():
            bobbind.kill()


# Ways to ask; each gives trace ids in order


def time_text(unix_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_ns // S)) + f".{unix_ns % S:09d}Z"


def by_v1(api, query):
    params = {
        "service": query.service,
        "operation": query.operation,
        "start": query.start_us,
        "end": query.end_us,
        "limit": query.limit,
        "sort": query.sort,
        "minDuration": None if query.min_ns is None else f"{query.min_ns}ns",
        "maxDuration": None if query.max_ns is None else f"{query.max_ns}ns",
    }
    pairs = [(name, value) for name, value in params.items() if value is not None]
    pairs += [("tag", f"{key}:{value}") for key, value in query.tags[:1]]
    if query.tags[1:]:
        pairs.append(("tags", json.dumps(dict(query.tags[1:]))))
    answer = api.query.get("/api/traces", pairs)
    assert answer.status == 200, answer
    return [trace["traceID"].rjust(32, "0") for trace in answer.json()["data"]]


def v3_params(query):
    params = {
        "query.serviceName": query.service,
        "query.operationName": query.operation,
        "query.attributes": json.dumps(dict(query.tags)) if query.tags else None,
        "query.startTimeMin": None if query.start_us is None else time_text(query.start_us * 1000),
        "query.startTimeMax": (
            None if query.end_us is None else time_text((query.end_us + 1) * 1000)
        ),
        "query.durationMin": None if query.min_ns is None else f"{query.min_ns}ns",
        "query.durationMax": None if query.max_ns is None else f"{query.max_ns}ns",
        "query.searchDepth": query.limit,
        "query.sort": query.sort,
    }
    return {name: value for name, value in params.items() if value is not None}


def trace_ids(message):
    """Ids in the order of their first span."""
    return list(
        dict.fromkeys(
            span.trace_id.hex()
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        )
    )


def by_v3(api, query):
    answer = api.query.get("/api/v3/traces", v3_params(query))
    if answer.status == 404:
        return []
    assert answer.status == 200, answer
    return trace_ids(otlp.from_json(answer.json()["result"]))


def by_summaries(api, query):
    answer = api.query.get("/api/v3/trace-summaries", v3_params(query))
    assert answer.status == 200, answer
    return [each["traceId"] for each in answer.json()["summaries"]]


def rpc_query(query):
    """Fields of jaeger.api_v3.TraceQueryParameters; it knows no order but newest."""
    fields = {
        "service_name": query.service,
        "operation_name": query.operation,
        "attributes": dict(query.tags),
        "search_depth": query.limit,
    }
    for name, unix_ns in (
        ("start_time_min", query.start_us and query.start_us * 1000),
        ("start_time_max", query.end_us and (query.end_us + 1) * 1000),
        ("duration_min", query.min_ns),
        ("duration_max", query.max_ns),
    ):
        if unix_ns is not None:
            fields[name] = {"seconds": unix_ns // S, "nanos": unix_ns % S}
    return {name: value for name, value in fields.items() if value is not None}


def by_rpc(api, query):
    chunks = api.query_rpc("FindTraces", query=rpc_query(query))
    messages = [otlp.TracesData.FromString(chunk.SerializeToString()) for chunk in chunks]
    assert all(len(trace_ids(message)) == 1 for message in messages), "a chunk never mixes traces"
    return list(dict.fromkeys(trace_ids(message)[0] for message in messages))


def by_cli(api, query):
    arguments = ["search", "--output", "ndjson", "--limit", query.limit, "--sort", query.sort]
    for flag, value in (
        ("--service", query.service),
        ("--operation", query.operation),
        ("--min-duration", query.min_ns and f"{query.min_ns}ns"),
        ("--max-duration", query.max_ns and f"{query.max_ns}ns"),
        ("--since", time_text((query.start_us or 0) * 1000)),
        ("--until", query.end_us and time_text((query.end_us + 1) * 1000)),
    ):
        if value is not None:
            arguments += [flag, value]
    for key, value in query.tags:
        arguments += ["--tag", f"{key}={value}"]
    done = api.cli(*arguments)
    found = [json.loads(line)["traceId"] for line in done.stdout.splitlines()]
    assert done.returncode == (0 if found else 1), done
    return found


RECENT = {"start_us": (NOW_NS - 3 * DAY_NS) // 1000, "end_us": NOW_NS // 1000}
HOUR_20_US = (NOW_NS - 20 * 3600 * S) // 1000

QUERIES = [
    Query("service", "frontend"),
    Query("service_with_spaces", "payment & more"),
    Query("service_in_unicode", "größe"),
    Query("service_unknown", "nobody"),
    Query("operation", "cart", "GET /"),
    Query("operation_with_quotes", "cart", 'SELECT * FROM "t"'),
    Query("operation_of_every_service", None, "charge"),
    Query("operation_unknown", "cart", "nothing"),
    Query("everything_recent", **RECENT),
    Query("int_by_its_text", "frontend", tags=(("http.status_code", "500"),)),
    Query("int_and_string_alike", tags=(("http.status_code", "200"),)),
    Query("large_int", tags=(("size", str(2**53 + 1)),)),
    Query("smallest_int", tags=(("size", str(-(2**63))),)),
    Query("zero", tags=(("size", "0"),)),
    Query("double", tags=(("ratio", "72.5"),)),
    Query("negative_double", tags=(("ratio", "-0.25"),)),
    Query("whole_double", tags=(("ratio", "3"),)),
    Query("huge_double", tags=(("ratio", "1e+30"),)),
    Query("bool_and_string_alike", tags=(("retry", "true"),)),
    Query("false", tags=(("retry", "false"),)),
    Query("text_in_unicode", tags=(("user", "ünï"),)),
    Query("array_element", tags=(("list", "b"),)),
    Query("array_whole", tags=(("list", "[1,2]"),)),
    Query("bytes", tags=(("blob", "AP8="),)),
    Query("value_unknown", tags=(("user", "eve"),)),
    Query("value_prefix_is_no_match", tags=(("user", "an"),)),
    Query("on_the_resource", tags=(("host", "h1"), ("replica", "2"))),
    Query("on_an_event", tags=(("event.only", "1"),)),
    Query("on_a_link", tags=(("link.only", "1.5"),)),
    Query("on_the_scope", tags=(("scope.only", "one"),)),
    Query("on_span_or_event", tags=(("user", "ann"),)),
    Query(
        "on_five_levels_at_once",
        tags=(
            ("http.status_code", "200"),
            ("host", "h1"),
            ("scope.only", "1"),
            ("event.only", "0"),
        ),
    ),
    Query("on_event_and_link", tags=(("event.only", "2"), ("link.only", "x"))),
    Query("on_two_spans_of_one_trace", tags=(("left", "1"), ("right", "2"))),
    Query("error", "cart", tags=(("error", "true"),)),
    Query("no_error", "cart", tags=(("error", "false"),)),
    Query("kind", "cart", tags=(("span.kind", "server"),)),
    Query("status", tags=(("otel.status_code", "OK"),)),
    Query("scope_name", tags=(("otel.scope.name", "lib.a"), ("otel.scope.version", "2.0"))),
    Query("duration_at_least", "frontend", min_ns=S),
    Query("duration_at_most", "frontend", max_ns=999),
    Query("duration_exactly", min_ns=MS, max_ns=MS, **RECENT),
    Query("duration_one_over", min_ns=MS + 1, max_ns=5 * MS, **RECENT),
    Query("duration_zero", max_ns=1, **RECENT),
    Query("since", start_us=HOUR_20_US, end_us=RECENT["end_us"]),
    Query("until", "cart", end_us=HOUR_20_US),
    Query("one_microsecond", start_us=NOW_NS // 1000, end_us=NOW_NS // 1000),
    Query(
        "window_takes_a_trace_by_any_span",
        "spread",
        start_us=(NOW_NS - DAY_NS - 2 * S) // 1000,
        end_us=(NOW_NS - DAY_NS) // 1000,
    ),
    Query(
        "window_between_the_spans",
        "spread",
        start_us=(NOW_NS - DAY_NS) // 1000,
        end_us=(NOW_NS - 2 * S) // 1000,
    ),
    Query("far_future", "odd", start_us=2**62 // 1000),
    Query("end_before_start_has_no_length", "odd", max_ns=1),
    Query("newest_1", "cart", limit=1),
    Query("newest_10_with_ties", limit=10, **RECENT),
    Query("newest_37_of_an_operation", "frontend", "GET /", limit=37),
    Query("slowest_1", "cart", limit=1, sort="slowest"),
    Query("slowest_10_with_ties", limit=10, sort="slowest", **RECENT),
    Query("slowest_of_a_tag", tags=(("user", "bob"),), limit=5, sort="slowest"),
    Query(
        "slowest_in_a_window", start_us=HOUR_20_US, end_us=RECENT["end_us"], limit=7, sort="slowest"
    ),
    Query(
        "all_together",
        "frontend",
        "GET /",
        (("host", "h1"),),
        0,
        90 * S,
        limit=3,
        sort="slowest",
        **RECENT,
    ),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_finds_exactly_what_brute_force_finds(loaded, query):
    expected = oracle.search(loaded.spans, query)
    assert by_v1(loaded.api, query) == expected
    assert by_v3(loaded.api, query) == expected
    assert by_summaries(loaded.api, query) == expected
    assert by_cli(loaded.api, query) == expected
    if query.sort == "newest":
        assert by_rpc(loaded.api, query) == expected


def test_the_queries_tell_right_from_wrong(loaded):
    counts = [len(oracle.search(loaded.spans, query)) for query in QUERIES]
    assert sum(count == 0 for count in counts) == 5, "unknown names and values, and an empty window"
    assert sum(0 < count < 60 for count in counts) > 25


def test_an_end_in_v3_is_exclusive_to_the_nanosecond(loaded):
    [late] = [each.span for each in loaded.spans if each.span.name == "late"]
    for end_ns, expected in (
        (late.start_time_unix_nano, []),
        (late.start_time_unix_nano + 1, [late.trace_id.hex()]),
    ):
        answer = loaded.api.query.get(
            "/api/v3/trace-summaries",
            {
                "query.serviceName": "odd",
                "query.operationName": "late",
                "query.startTimeMin": "2100-01-01T00:00:00Z",
                "query.startTimeMax": time_text(end_ns),
            },
        )
        assert [each["traceId"] for each in answer.json()["summaries"]] == expected


def test_a_trace_comes_back_whole_with_spans_that_do_not_match(loaded):
    answer = loaded.api.query.get(
        "/api/v3/traces", {"query.serviceName": "spread", "query.operationName": "day -1"}
    )
    flat = otlp.flatten(otlp.from_json(answer.json()["result"]))
    assert len(flat) == 3


def test_services_and_operations_are_exact(loaded):
    services = sorted({each.service or "OTLPResourceNoServiceName" for each in loaded.spans})
    assert sorted(loaded.api.query.get("/api/services").json()["data"]) == services
    assert sorted(loaded.api.query.get("/api/v3/services").json()["services"]) == services
    assert sorted(loaded.api.query_rpc("GetServices").services) == services
    for service in SERVICES:
        spans = [each.span for each in loaded.spans if each.service == service]
        kinds = {(span.name, "" if span.kind == 0 else oracle.KINDS[span.kind]) for span in spans}
        found = loaded.api.query_rpc("GetOperations", service=service).operations
        assert sorted((each.name, each.span_kind) for each in found) == sorted(kinds)
        answer = loaded.api.query.request("GET", "/api/v3/operations", params={"service": service})
        assert {(each["name"], each["spanKind"]) for each in answer.json()["operations"]} == {
            (name, kind or "internal") for name, kind in kinds
        }


def test_summaries_count_what_the_trace_has(loaded):
    for summary in loaded.api.query.get(
        "/api/v3/trace-summaries", {"query.serviceName": "frontend", "query.searchDepth": 1000}
    ).json()["summaries"]:
        spans = [each for each in loaded.spans if each.span.trace_id.hex() == summary["traceId"]]
        assert summary["spanCount"] == len(spans)
        assert summary.get("errorSpanCount", 0) == sum(each.span.status.code == 2 for each in spans)
        assert int(summary["minStartTimeUnixNano"]) == min(
            each.span.start_time_unix_nano for each in spans
        )
        assert {each["name"]: each["spanCount"] for each in summary["services"]} == {
            name: sum(each.service == name for each in spans)
            for name in {each.service for each in spans}
        }


def test_dependencies_count_the_calls_between_services(loaded):
    by_id = {(each.span.trace_id, each.span.span_id): each for each in loaded.spans}
    start_ns, end_ns = NOW_NS - 30 * 3600 * S, NOW_NS - 10 * 3600 * S
    calls = {}
    for each in loaded.spans:
        parent = by_id.get((each.span.trace_id, each.span.parent_span_id))
        if (
            parent
            and parent.service != each.service
            and start_ns <= each.span.start_time_unix_nano < end_ns + MS
        ):
            key = (parent.service, each.service)
            calls[key] = calls.get(key, 0) + 1
    assert len(calls) > 5
    answer = loaded.api.query.get(
        "/api/dependencies", {"endTs": end_ns // MS, "lookback": (end_ns - start_ns) // MS}
    )
    assert {
        (each["parent"], each["child"]): each["callCount"] for each in answer.json()["data"]
    } == calls
    answer = loaded.api.query_rpc(
        "GetDependencies",
        start_time={"seconds": start_ns // S},
        end_time={"seconds": end_ns // S, "nanos": MS},
    )
    assert {(each.parent, each.child): each.call_count for each in answer.dependencies} == calls


# Bad parameters

V1_BAD = [
    ("limit", "0"),
    ("limit", "-1"),
    ("limit", "ten"),
    ("limit", "1e3"),
    ("limit", "100001"),
    ("limit", "99999999999999999999"),
    ("start", "yesterday"),
    ("start", "-5"),
    ("start", "1.5"),
    ("end", "2026-01-01T00:00:00Z"),
    ("minDuration", "5"),
    ("minDuration", "fast"),
    ("minDuration", "-1s"),
    ("maxDuration", "1parsec"),
    ("tag", "nocolon"),
    ("tag", ":novalue"),
    ("tags", "{"),
    ("tags", "[]"),
    ("tags", '{"a":{}}'),
    ("tags", '{"a":null}'),
    ("tags", '{"":"x"}'),
    ("tags", '{"a":"b"} x'),
    ("sort", "oldest"),
    ("traceID", "xyz"),
    ("traceID", "0"),
    ("traceID", "a" * 33),
    ("raw", "maybe"),
]
V3_BAD = [
    ("query.searchDepth", "-1"),
    ("query.searchDepth", "many"),
    ("query.searchDepth", "100001"),
    ("query.startTimeMin", "1700000000"),
    ("query.startTimeMin", "2026-13-01T00:00:00Z"),
    ("query.startTimeMax", "soon"),
    ("query.startTimeMax", "1960-01-01T00:00:00Z"),
    ("query.durationMin", "1"),
    ("query.durationMax", "1 s"),
    ("query.attributes", "a=b"),
    ("query.attributes", '["a"]'),
    ("query.attributes", '{"a":[1]}'),
    ("query.rawTraces", "2"),
    ("query.filter", "{}"),
    ("query.sort", "random"),
]


@pytest.mark.parametrize("name, value", V1_BAD)
def test_v1_refuses_a_bad_parameter_by_its_name(api, name, value):
    answer = api.query.get("/api/traces", [("service", "x"), (name, value)])
    assert answer.status == 400
    [error] = answer.json()["errors"]
    assert error["code"] == 400 and name in error["msg"], error


@pytest.mark.parametrize("path", ["/api/v3/traces", "/api/v3/trace-summaries"])
@pytest.mark.parametrize("name, value", V3_BAD)
def test_v3_refuses_a_bad_parameter_by_its_name(api, path, name, value):
    answer = api.query.get(path, [("query.serviceName", "x"), (name, value)])
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["httpCode"] == 400 and name in error["message"], error


@pytest.mark.parametrize(
    "params, name",
    [
        ([("start", 2000), ("end", 1000)], "start"),
        ([("minDuration", "2s"), ("maxDuration", "1s")], "minDuration"),
        ([("tag", f"k{i}:v") for i in range(65)], "tag"),
    ],
)
def test_v1_refuses_parameters_that_contradict(api, params, name):
    answer = api.query.get("/api/traces", params)
    assert answer.status == 400 and name in answer.json()["errors"][0]["msg"]


@pytest.mark.parametrize(
    "path, status",
    [
        ("/api/traces/", 404),
        ("/api/traces/xyz", 400),
        ("/api/traces/" + "a" * 33, 400),
        ("/api/traces/" + "0" * 32, 400),
        ("/api/traces/" + "ab" * 16, 404),
        ("/api/v3/traces/xyz", 400),
        ("/api/v3/traces/" + "ab" * 16, 404),
        ("/api/v3/operations", 400),
        ("/api/operations", 400),
        ("/api/nothing", 404),
        ("/api/v3/nothing", 404),
        ("/api/traces?tag=%zz", 400),
        ("/api/dependencies?endTs=x", 400),
    ],
)
def test_bad_paths_have_their_status(api, path, status):
    answer = api.query.get(path)
    assert answer.status == status
    answer.json()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_query_api_is_read_only(api, method):
    assert api.query.request(method, "/api/traces").status == 405


@pytest.mark.parametrize(
    "method, fields, code",
    [
        ("GetTrace", {"trace_id": "xyz"}, grpc.StatusCode.INVALID_ARGUMENT),
        ("GetTrace", {}, grpc.StatusCode.INVALID_ARGUMENT),
        ("GetTrace", {"trace_id": "ab" * 16}, grpc.StatusCode.NOT_FOUND),
        ("GetOperations", {}, grpc.StatusCode.INVALID_ARGUMENT),
        ("FindTraces", {"query": {"search_depth": -1}}, grpc.StatusCode.INVALID_ARGUMENT),
        ("FindTraces", {"query": {"filter": b"\x0a\x00"}}, grpc.StatusCode.INVALID_ARGUMENT),
        (
            "FindTraces",
            {"query": {"duration_min": {"seconds": -1}}},
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            "FindTraces",
            {"query": {"start_time_min": {"seconds": 9, "nanos": 1 << 30}}},
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
def test_the_rpc_refuses_bad_requests(api, method, fields, code):
    with pytest.raises(grpc.RpcError) as raised:
        api.query_rpc(method, **fields)
    assert raised.value.code() == code, raised.value
