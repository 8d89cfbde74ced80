"""OTLP messages for tests: making them, reading OTLP/JSON, and comparing without regard to order.

Comparing works on "flat" spans, each with what stands above it, because a store may group spans
under other ResourceSpans than they came in: the order of spans and the grouping are free, every
byte of a span, its resource and its scope is not.
"""

import base64
import copy
import dataclasses
import os
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

ExportRequest = trace_service_pb2.ExportTraceServiceRequest
ExportResponse = trace_service_pb2.ExportTraceServiceResponse
TracesData = trace_pb2.TracesData
Span = trace_pb2.Span
Status = trace_pb2.Status
AnyValue = common_pb2.AnyValue
KeyValue = common_pb2.KeyValue
Resource = resource_pb2.Resource
Scope = common_pb2.InstrumentationScope

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)


# Making


def new_trace_id():
    return os.urandom(16).hex()


def new_span_id():
    return os.urandom(8).hex()


def value(plain):
    """An AnyValue of a Python value, by its type."""
    if plain is None:
        return AnyValue()
    if isinstance(plain, bool):
        return AnyValue(bool_value=plain)
    if isinstance(plain, int):
        return AnyValue(int_value=plain)
    if isinstance(plain, float):
        return AnyValue(double_value=plain)
    if isinstance(plain, bytes):
        return AnyValue(bytes_value=plain)
    if isinstance(plain, dict):
        return AnyValue(kvlist_value=common_pb2.KeyValueList(values=attributes(plain)))
    if isinstance(plain, (list, tuple)):
        return AnyValue(array_value=common_pb2.ArrayValue(values=map(value, plain)))
    return AnyValue(string_value=plain)


def attributes(plain):
    return [KeyValue(key=key, value=value(each)) for key, each in (plain or {}).items()]


def event(name, at_ns=0, **fields):
    return Span.Event(
        name=name, time_unix_nano=at_ns, attributes=attributes(fields.pop("attrs", {})), **fields
    )


def link(trace_id, span_id, **fields):
    return Span.Link(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        attributes=attributes(fields.pop("attrs", {})),
        **fields,
    )


def span(
    trace_id,
    name="op",
    span_id=None,
    start_ns=None,
    duration_ns=1_000_000,
    parent="",
    attrs=None,
    **fields,
):
    start_ns = time.time_ns() if start_ns is None else start_ns
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id or new_span_id()),
        parent_span_id=bytes.fromhex(parent),
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + duration_ns,
        attributes=attributes(attrs),
        **fields,
    )


def request(spans, service="svc", resource=None, scope=None, **fields):
    """One ResourceSpans of one ScopeSpans. `fields` are resource_url and scope_url."""
    service_attribute = {} if service is None else {"service.name": service}
    return ExportRequest(
        resource_spans=[
            trace_pb2.ResourceSpans(
                resource=Resource(attributes=attributes(service_attribute | (resource or {}))),
                schema_url=fields.get("resource_url", ""),
                scope_spans=[
                    trace_pb2.ScopeSpans(
                        scope=scope, spans=spans, schema_url=fields.get("scope_url", "")
                    )
                ],
            )
        ]
    )


def merge(*requests):
    whole = ExportRequest()
    for each in requests:
        whole.MergeFrom(each)
    return whole


# OTLP/JSON

_IDS = ("traceId", "spanId", "parentSpanId")


def _ids_to_base64(node):
    for name in _IDS:
        if name in node:
            assert node[name] == node[name].lower(), f"{name} must be lower-case hex"
            node[name] = base64.b64encode(bytes.fromhex(node[name])).decode()


def from_json(document):
    """Reads a TracesData of OTLP/JSON; refuses unknown fields and ids that aren't hex."""
    document = copy.deepcopy(document)
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            for each in scope_spans.get("spans", []):
                _ids_to_base64(each)
                for one in each.get("links", []):
                    _ids_to_base64(one)
    return json_format.ParseDict(document, TracesData())


def to_json(message):
    """The reverse of from_json, for sending: enums as integers, ids as hex."""
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            for each in scope_spans.get("spans", []):
                for node in [each, *each.get("links", [])]:
                    for name in _IDS:
                        if name in node:
                            node[name] = base64.b64decode(node[name]).hex()
    return document


def unwrap(document):
    """TracesData of `document`, in or out of the gateway's {"result": ...}."""
    return document.get("result", document)


# Comparing


@dataclasses.dataclass(frozen=True)
class FlatSpan:
    resource: str
    resource_url: str
    scope: str
    scope_url: str
    span: str


def flatten(*messages):
    """{(trace id, span id): [FlatSpan]}; the texts are protobuf's text format, so that a failed
    comparison reads well and no default is confused with a value."""
    spans = {}
    for message in messages:
        for resource_spans in message.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for each in scope_spans.spans:
                    key = (each.trace_id.hex(), each.span_id.hex())
                    spans.setdefault(key, []).append(
                        FlatSpan(
                            _text(resource_spans.resource),
                            resource_spans.schema_url,
                            _text(scope_spans.scope),
                            scope_spans.schema_url,
                            _text(each),
                        )
                    )
    for same_key in spans.values():
        same_key.sort(key=repr)
    return spans


def _text(message):
    # Unknown fields print as numbers, so they are compared as well. NaN prints as nan and is equal.
    return str(message)


def by_trace(flat):
    """{trace id: what flatten gives of that trace}"""
    traces = {}
    for key, spans in flat.items():
        traces.setdefault(key[0], {})[key] = spans
    return traces


def span_keys(*messages):
    """[(trace id, span id)] of every span, repeats included, sorted."""
    return sorted(
        (each.trace_id.hex(), each.span_id.hex())
        for message in messages
        for resource_spans in message.resource_spans
        for scope_spans in resource_spans.scope_spans
        for each in scope_spans.spans
    )
