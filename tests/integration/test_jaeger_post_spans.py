"""Jaeger's api_v2 PostSpans, on its own port and on OTLP's, comes back through Jaeger's first HTTP
API with the same tags, process, logs and references, types included."""

import grpc
import pytest

from harness import client, jaeger, otlp, protos

PostSpansRequest = protos.message("jaeger.api_v2.PostSpansRequest")
STRING, BOOL, INT64, FLOAT64, BINARY = range(5)
CHILD_OF, FOLLOWS_FROM = range(2)
START_S, START_NS = 1_760_000_000, 123_456_000

TAGS = [
    {"key": "str", "v_type": STRING, "v_str": "Grüße"},
    {"key": "str.empty", "v_type": STRING, "v_str": ""},
    {"key": "bool", "v_type": BOOL, "v_bool": True},
    {"key": "bool.false", "v_type": BOOL, "v_bool": False},
    {"key": "int.min", "v_type": INT64, "v_int64": -(2**63)},
    {"key": "int.max", "v_type": INT64, "v_int64": 2**63 - 1},
    {"key": "float", "v_type": FLOAT64, "v_float64": 1e-300},
    {"key": "binary", "v_type": BINARY, "v_binary": b"\x00\xff\x80"},
]


def request(trace_id, **batch):
    process = {
        "service_name": "jaeger client",
        "tags": [
            {"key": "hostname", "v_str": "h1"},
            {"key": "replica", "v_type": INT64, "v_int64": 3},
        ],
    }
    root = {
        "trace_id": trace_id,
        "span_id": bytes(7) + b"\x01",
        "operation_name": "root",
        "flags": 1,
        "start_time": {"seconds": START_S, "nanos": START_NS},
        "duration": {"seconds": 2, "nanos": 5000},
        "tags": TAGS,
        "logs": [
            {
                "timestamp": {"seconds": START_S, "nanos": 999_000},
                "fields": [{"key": "event", "v_str": "cache miss"}, *TAGS],
            },
            {"timestamp": {"seconds": START_S + 1}, "fields": [{"key": "level", "v_str": "info"}]},
        ],
    }
    child = {
        "trace_id": trace_id,
        "span_id": bytes(7) + b"\x02",
        "operation_name": "child",
        "start_time": {"seconds": START_S + 1},
        "duration": {"nanos": 1000},
        "references": [
            {"trace_id": trace_id, "span_id": root["span_id"], "ref_type": CHILD_OF},
            {"trace_id": bytes(range(16)), "span_id": bytes(range(8)), "ref_type": FOLLOWS_FROM},
        ],
        "tags": [
            {"key": "span.kind", "v_str": "client"},
            {"key": "error", "v_type": BOOL, "v_bool": True},
        ],
        "process": {"service_name": "its own", "tags": [{"key": "hostname", "v_str": "h2"}]},
    }
    return PostSpansRequest(batch={"process": process, "spans": [root, child]} | batch)


def plain_tags(tags):
    return jaeger.comparable_tags(
        [
            {
                "key": tag["key"],
                "type": ("string", "bool", "int64", "float64", "binary")[tag.get("v_type", 0)],
                "value": (
                    jaeger.base64_text(tag["v_binary"])
                    if "v_binary" in tag
                    else next(tag[name] for name in tag if name not in ("key", "v_type"))
                ),
            }
            for tag in tags
        ]
    )


@pytest.fixture(params=["otlp-grpc", "jaeger-grpc"])
def posted(request, api):
    trace_id = otlp.new_trace_id()
    message = globals()["request"](bytes.fromhex(trace_id)).SerializeToString()
    assert api.call(request.param, client.POST_SPANS_PATH, message) == b""
    child, root = sorted(
        jaeger.comparable(api.trace_v1(trace_id)), key=lambda span: span["operationName"]
    )
    return trace_id, root, child


def test_names_ids_and_times_come_back(posted):
    trace_id, root, child = posted
    assert (root["traceID"], root["spanID"]) == (trace_id, "0000000000000001")
    assert (root["startTime"], root["duration"]) == (START_S * 10**6 + 123_456, 2_000_005)
    assert (child["startTime"], child["duration"]) == ((START_S + 1) * 10**6, 1)


def test_tags_come_back_with_their_types(posted):
    _, root, child = posted
    assert root["tags"] == plain_tags(TAGS)
    assert child["tags"] == plain_tags(
        [
            {"key": "span.kind", "v_str": "client"},
            {"key": "error", "v_type": BOOL, "v_bool": True},
            {"key": "otel.status_code", "v_str": "ERROR"},
        ]
    )


def test_logs_come_back(posted):
    _, root, _ = posted
    (first_us, first), (second_us, second) = root["logs"]
    assert (first_us, second_us) == (START_S * 10**6 + 999, (START_S + 1) * 10**6)
    assert first == plain_tags([{"key": "event", "v_str": "cache miss"}, *TAGS])
    assert ("level", "string", "info") in second


def test_references_come_back(posted):
    trace_id, root, child = posted
    assert root["references"] == []
    assert child["references"] == [
        ("CHILD_OF", trace_id, "0000000000000001"),
        ("FOLLOWS_FROM", bytes(range(16)).hex(), bytes(range(8)).hex()),
    ]


def test_processes_come_back(posted):
    _, root, child = posted
    assert root["serviceName"] == "jaeger client"
    assert root["process"] == [("hostname", "string", "h1"), ("replica", "int64", 3)]
    assert (child["serviceName"], child["process"]) == ("its own", [("hostname", "string", "h2")])


def test_it_is_otlp_afterwards(posted, api):
    """Typed attributes, the kind and the status are fields that OTLP's clients know."""
    flat = api.trace_v3_protobuf(posted[0])
    [[child]] = [spans for (_, span_id), spans in flat.items() if span_id.endswith("2")]
    assert "kind: SPAN_KIND_CLIENT" in child.span
    assert "code: STATUS_CODE_ERROR" in child.span


def test_a_span_is_found_by_its_tags(posted, api):
    answer = api.query.get(
        "/api/traces",
        {"service": "jaeger client", "tag": "int.min:" + str(-(2**63)), "limit": 1000},
    )
    assert posted[0] in [trace["traceID"] for trace in answer.json()["data"]]


def test_good_spans_of_a_batch_with_a_bad_one_are_stored(api, bobbind):
    """PostSpansResponse has no place for a count of the rejected: OK, and the counters tell."""
    before = bobbind.metric_sum("bobbin_receiver_rejected_spans")
    trace_id = otlp.new_trace_id()
    message = request(bytes.fromhex(trace_id))
    message.batch.spans.add(trace_id=b"short", span_id=bytes(7) + b"\x03", operation_name="bad")
    api.call("jaeger-grpc", client.POST_SPANS_PATH, message.SerializeToString())
    assert len(api.trace_v1(trace_id)["spans"]) == 2
    assert bobbind.metric_sum("bobbin_receiver_rejected_spans") == before + 1


def test_a_batch_of_bad_spans_only_is_refused_and_names_the_field(api):
    message = PostSpansRequest(batch={"spans": [{"trace_id": b"short", "span_id": b"12345678"}]})
    with pytest.raises(grpc.RpcError) as raised:
        api.call("jaeger-grpc", client.POST_SPANS_PATH, message.SerializeToString())
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "spans[0].trace_id" in raised.value.details()


def test_an_empty_request_succeeds(api):
    for body in (b"", PostSpansRequest(batch={}).SerializeToString()):
        assert api.call("jaeger-grpc", client.POST_SPANS_PATH, body) == b""
