"""A search by brute force over OTLP messages: what the answer of the real one must be."""

import base64
import dataclasses
import json

from harness import otlp

KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}


@dataclasses.dataclass
class Query:
    name: str
    service: str = None
    operation: str = None
    tags: tuple = ()  # of (key, value text)
    min_ns: int = None  # duration bounds, inclusive
    max_ns: int = None
    start_us: int = None  # of the span's start, inclusive
    end_us: int = None  # inclusive to the end of the microsecond
    limit: int = 1000
    sort: str = "newest"


@dataclasses.dataclass
class StoredSpan:
    span: object
    resource: object
    scope: object

    @property
    def service(self):
        names = [
            each.value.string_value
            for each in self.resource.attributes
            if each.key == "service.name"
        ]
        return names[0] if names else ""

    @property
    def duration_ns(self):
        return max(0, self.span.end_time_unix_nano - self.span.start_time_unix_nano)


def stored_spans(request):
    return [
        StoredSpan(span, resource_spans.resource, scope_spans.scope)
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _double_text(number):
    text = repr(number)
    return text[:-2] if text.endswith(".0") else text


def text_of(value):
    """The value as text; enough for the values that the fixtures have."""
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "double_value":
        return _double_text(value.double_value)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "array_value":
        return json.dumps(
            [_json(each) for each in value.array_value.values],
            separators=(",", ":"),
            ensure_ascii=False,
        )
    return str(getattr(value, kind))


def _json(value):
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def _texts(value):
    yield text_of(value)
    if value.WhichOneof("value") == "array_value":
        yield from map(text_of, value.array_value.values)


def _attributes(stored):
    yield from stored.span.attributes
    yield from stored.resource.attributes
    yield from stored.scope.attributes
    for each in (*stored.span.events, *stored.span.links):
        yield from each.attributes


def _has_attribute(stored, key, text):
    return any(each.key == key and text in _texts(each.value) for each in _attributes(stored))


def _has_tag(stored, key, text):
    """Some names stand for fields that OTLP keeps beside the attributes."""
    if key == "error" and text in ("true", "false"):
        is_error = stored.span.status.code == otlp.Status.STATUS_CODE_ERROR
        return is_error == (text == "true") or _has_attribute(stored, key, text)
    if key == "span.kind" and text in KINDS.values():
        return KINDS[stored.span.kind] == text
    if key == "otel.status_code" and text in STATUSES.values():
        return STATUSES[stored.span.status.code] == text
    if key == "otel.scope.name":
        return stored.scope.name == text
    if key == "otel.scope.version":
        return stored.scope.version == text
    return _has_attribute(stored, key, text)


def matches(stored, query):
    start_ns = stored.span.start_time_unix_nano
    return (
        (query.service is None or stored.service == query.service)
        and (query.operation is None or stored.span.name == query.operation)
        and (query.min_ns is None or stored.duration_ns >= query.min_ns)
        and (query.max_ns is None or stored.duration_ns <= query.max_ns)
        and (query.start_us is None or start_ns >= query.start_us * 1000)
        and (query.end_us is None or start_ns < (query.end_us + 1) * 1000)
        and all(_has_tag(stored, key, text) for key, text in query.tags)
    )


def search(spans, query):
    """Trace ids, best first: by the latest start or the longest duration among the matching spans
    of a trace; ties by trace id."""
    keys = {}
    for stored in spans:
        if matches(stored, query):
            key = stored.span.start_time_unix_nano if query.sort == "newest" else stored.duration_ns
            trace_id = stored.span.trace_id.hex()
            keys[trace_id] = max(key, keys.get(trace_id, 0))
    return sorted(keys, key=lambda trace_id: (-keys[trace_id], trace_id))[: query.limit]
