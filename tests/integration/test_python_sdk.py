"""The OpenTelemetry Python SDK sends over gRPC and HTTP; every span comes back with every field
equal through each way out. What the SDK put on the wire is known from its own encoder."""

import random

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)
import grpc

from harness import jaeger, otlp

MINUS_2_63, PLUS_2_63 = -(2**63), 2**63 - 1

# Every type that the API takes, at its edges.
VALUES = {
    "str": "plain",
    "str.empty": "",
    "str.unicode": "Grüße, 日本語, \U0001f9f5, \u0000 and \u2028",
    "str.quotes": "\"\\/\b\f\n\r\t<>&'",
    "str.long": "x" * (1 << 20),
    "bool.true": True,
    "bool.false": False,
    "int.zero": 0,
    "int.min": MINUS_2_63,
    "int.max": PLUS_2_63,
    "int.2^53+1": 2**53 + 1,
    "float.zero": 0.0,
    "float.minus_zero": -0.0,
    "float.whole": 3.0,
    "float.tiny": 1e-300,
    "float.denormal": 5e-324,
    "float.huge": 1.7976931348623157e308,
    "float.tenth": 0.1,
    "float.inf": float("inf"),
    "float.minus_inf": float("-inf"),
    "float.nan": float("nan"),
    "strs": ["a", "", "ü"],
    "strs.none": [],
    "bools": [True, False],
    "ints": [0, MINUS_2_63, PLUS_2_63],
    "floats": [0.5, 1e-300, -2.0],
    "key with spaces \u00e9": "v",
}


class Recorder(SpanExporter):
    """Keeps what the SDK's encoder makes of the exported spans: the same that goes out."""

    def __init__(self):
        self.sent = otlp.ExportRequest()

    def export(self, spans):
        self.sent.MergeFrom(encode_spans(spans))
        return SpanExportResult.SUCCESS


def exporter_of(bobbind, transport):
    grpc_url = f"http://127.0.0.1:{bobbind.ports['otlp-grpc']}"
    http_url = f"http://127.0.0.1:{bobbind.ports['otlp-http']}/v1/traces"
    return {
        "grpc": lambda: GrpcExporter(endpoint=grpc_url, insecure=True),
        "grpc-gzip": lambda: GrpcExporter(
            endpoint=grpc_url, insecure=True, compression=grpc.Compression.Gzip
        ),
        "http": lambda: HttpExporter(endpoint=http_url, compression=Compression.NoCompression),
        "http-gzip": lambda: HttpExporter(endpoint=http_url, compression=Compression.Gzip),
        "http-deflate": lambda: HttpExporter(endpoint=http_url, compression=Compression.Deflate),
    }[transport]()


def remote_context(trace_id, state=None):
    return SpanContext(
        trace_id,
        0x00F067AA0BA902B7,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=state,
    )


def record_everything(provider):
    """Spans with everything that the API can put on one."""
    tracer = provider.get_tracer(
        "scope.full",
        "1.2.3",
        schema_url="https://opentelemetry.io/schemas/1.27.0",
        attributes={"scope.str": "s", "scope.int": -1, "scope.list": [1, 2]},
    )
    bare = provider.get_tracer("scope.bare")
    remote_id = random.getrandbits(120)  # leading zeros count as well
    state = TraceState([("vendor", "opaque-1"), ("rojo", "00f067aa0ba902b7")])

    with tracer.start_as_current_span("root", attributes=VALUES) as root:
        for kind in SpanKind:
            with bare.start_as_current_span(f"kind {kind.name}", kind=kind):
                pass
        with tracer.start_as_current_span("events") as span:
            span.add_event("bare")
            span.add_event("", timestamp=1)
            span.add_event("all types", attributes=VALUES, timestamp=2**62)
        with tracer.start_as_current_span(
            "links",
            links=[
                Link(remote_context(remote_id, state), attributes=VALUES),
                Link(root.get_span_context()),
            ],
        ) as span:
            span.add_link(remote_context(remote_id))
        with pytest.raises(ValueError):
            with tracer.start_as_current_span("exception"):
                raise ValueError("boom\nand more \u2603")
        for code, words in (
            (StatusCode.OK, None),
            (StatusCode.ERROR, "it broke"),
            (StatusCode.ERROR, ""),
            (StatusCode.UNSET, None),
        ):
            with tracer.start_as_current_span(f"status {code.name}") as span:
                span.set_status(Status(code, words) if words else Status(code))
        bare.start_span("", start_time=1).end(end_time=2)
        bare.start_span("no length", start_time=10**18).end(end_time=10**18)
        bare.start_span("year 2500", start_time=2**64 - 10).end(end_time=2**64 - 1)

    parent = trace.set_span_in_context(NonRecordingSpan(remote_context(remote_id, state)))
    with tracer.start_as_current_span("of a remote parent", context=parent, kind=SpanKind.SERVER):
        pass


def send(bobbind, transport, processor=SimpleSpanProcessor):
    resource = Resource(
        {
            "service.name": f"python {transport}",
            "res.int": 7,
            "res.bool": True,
            "res.float": 1.5,
            "res.list": ["x", "y"],
        },
        schema_url="https://opentelemetry.io/schemas/1.26.0",
    )
    recorder = Recorder()
    provider = TracerProvider(
        resource=resource,
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_span_attributes=len(VALUES) - 1),
    )
    provider.add_span_processor(SimpleSpanProcessor(recorder))
    provider.add_span_processor(processor(exporter_of(bobbind, transport)))
    record_everything(provider)
    provider.shutdown()
    return otlp.by_trace(otlp.flatten(recorder.sent)), recorder.sent


@pytest.fixture(scope="module", params=["grpc", "grpc-gzip", "http", "http-gzip", "http-deflate"])
def sent(request, bobbind):
    return send(bobbind, request.param)


def test_covers_what_it_claims(sent):
    spans = [
        span
        for resource_spans in sent[1].resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    assert {span.kind for span in spans} == {1, 2, 3, 4, 5}
    assert {span.status.code for span in spans} == {0, 1, 2}
    assert any(span.dropped_attributes_count for span in spans)
    assert any(span.trace_state for span in spans)
    assert any(link.flags and link.attributes for span in spans for link in span.links)
    assert {scope.schema_url for res in sent[1].resource_spans for scope in res.scope_spans} == {
        "",
        "https://opentelemetry.io/schemas/1.27.0",
    }
    assert all(res.schema_url for res in sent[1].resource_spans)
    kinds = {each.value.WhichOneof("value") for span in spans for each in span.attributes}
    assert kinds == {"string_value", "bool_value", "int_value", "double_value", "array_value"}


@pytest.mark.parametrize("way", ["v3_json", "v3_protobuf", "v3_grpc", "cli"])
def test_every_field_comes_back(sent, api, way):
    for trace_id, expected in sent[0].items():
        assert getattr(api, f"trace_{way}")(trace_id) == expected


def test_every_field_comes_back_in_jaegers_form(sent, api):
    for trace_id, spans in otlp.by_trace(otlp.flatten(sent[1])).items():
        expected = jaeger.trace_of(sent[1], trace_id)
        assert len(expected) == len(spans)
        assert jaeger.comparable(api.trace_v1(trace_id)) == expected


def test_batches_of_many_spans_come_back(bobbind, api):
    recorder = Recorder()
    provider = TracerProvider(
        resource=Resource({"service.name": "python batches"}), shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(recorder))
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter_of(bobbind, "grpc-gzip"), max_queue_size=4096, max_export_batch_size=512
        )
    )
    tracer = provider.get_tracer("many")
    with tracer.start_as_current_span("root"):
        for number in range(2000):
            with tracer.start_as_current_span("child", attributes={"number": number}):
                pass
    provider.shutdown()
    [(trace_id, expected)] = otlp.by_trace(otlp.flatten(recorder.sent)).items()
    assert len(expected) == 2001
    assert api.trace_v3_protobuf(trace_id) == expected
    assert api.trace_v3_grpc(trace_id) == expected


def test_each_service_and_operation_is_listed(sent, api):
    assert "python grpc" in api.query.get("/api/services").json()["data"]
    answer = api.query.get("/api/v3/operations", {"service": "python grpc"}).json()
    assert {"name": "kind SERVER", "spanKind": "server"} in answer["operations"]
