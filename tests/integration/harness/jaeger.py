"""What Jaeger's first HTTP API must say about OTLP spans: a second, independent reading of the
OpenTelemetry specification's "OTLP to Jaeger" tables, to hold against bobbind's answers."""

import base64
import json
import math

from harness import otlp

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


def base64_text(data):
    return base64.b64encode(data).decode()


def _double_text(number):
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _plain(any_value):
    """An AnyValue as what json.loads gives of its JSON."""
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_plain(each) for each in any_value.array_value.values]
    if kind == "kvlist_value":
        return {each.key: _plain(each.value) for each in any_value.kvlist_value.values}
    if kind == "bytes_value":
        return base64_text(any_value.bytes_value)
    if kind == "double_value":
        return _double_text(any_value.double_value)
    return getattr(any_value, kind)


def _tag(key, any_value):
    """(key, Jaeger type, comparable value)"""
    kind = any_value.WhichOneof("value")
    if kind in ("array_value", "kvlist_value"):
        return (key, "string", _canonical(_plain(any_value)))
    if kind == "bytes_value":
        return (key, "binary", _plain(any_value))
    if kind is None:
        return (key, "string", "")
    types = {
        "string_value": "string",
        "bool_value": "bool",
        "int_value": "int64",
        "double_value": "float64",
    }
    return (key, types[kind], _comparable_value(types[kind], _plain(any_value)))


def _tags(attributes):
    return [_tag(each.key, each.value) for each in attributes]


def _canonical(plain):
    """JSON as one text: a list in a string tag has JSON's one type of numbers, so 2.0 is 2."""
    return json.dumps(_one_number_type(plain), sort_keys=True)


def _one_number_type(plain):
    if isinstance(plain, list):
        return [_one_number_type(each) for each in plain]
    if isinstance(plain, dict):
        return {key: _one_number_type(each) for key, each in plain.items()}
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def _comparable_value(kind, plain):
    if kind == "int64":
        return int(plain)  # JavaScript loses integers over 2^53, so they may be strings
    if kind == "float64":
        return repr(float(plain)) if not isinstance(plain, str) else repr(float(plain))
    return plain


def comparable_tags(tags):
    result = []
    for tag in tags:
        plain = _comparable_value(tag["type"], tag["value"])
        if tag["type"] == "string" and plain[:1] in ("[", "{"):
            plain = _canonical(json.loads(plain))
        result.append((tag["key"], tag["type"], plain))
    return sorted(result, key=repr)


def _span_tags(span, scope):
    tags = _tags(span.attributes)
    if span.kind in KINDS:
        tags.append(("span.kind", "string", KINDS[span.kind]))
    if scope.name:
        tags.append(("otel.scope.name", "string", scope.name))
    if scope.version:
        tags.append(("otel.scope.version", "string", scope.version))
    if span.status.code == otlp.Status.STATUS_CODE_OK:
        tags.append(("otel.status_code", "string", "OK"))
    if span.status.code == otlp.Status.STATUS_CODE_ERROR:
        tags.append(("otel.status_code", "string", "ERROR"))
        tags.append(("error", "bool", True))
    if span.status.message:
        tags.append(("otel.status_description", "string", span.status.message))
    if span.trace_state:
        tags.append(("w3c.tracestate", "string", span.trace_state))
    return tags


def _references(span):
    references = []
    if span.parent_span_id:
        references.append(("CHILD_OF", span.trace_id.hex(), span.parent_span_id.hex()))
    for link in span.links:
        references.append(("FOLLOWS_FROM", link.trace_id.hex(), link.span_id.hex()))
    return references


def _logs(span):
    logs = []
    for event in span.events:
        fields = _tags(event.attributes)
        if event.name:
            fields.append(("event", "string", event.name))
        logs.append((event.time_unix_nano // 1000, sorted(fields, key=repr)))
    return logs


def trace_of(request, trace_id):
    """What `comparable` must give for that trace of an ExportTraceServiceRequest."""
    spans = []
    for resource_spans in request.resource_spans:
        process = _tags(resource_spans.resource.attributes)
        names = [plain for key, _, plain in process if key == "service.name"]
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if span.trace_id.hex() != trace_id:
                    continue
                spans.append(
                    {
                        "traceID": trace_id,
                        "spanID": span.span_id.hex(),
                        "operationName": span.name,
                        "startTime": span.start_time_unix_nano // 1000,
                        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
                        "references": _references(span),
                        "tags": sorted(_span_tags(span, scope_spans.scope), key=repr),
                        "logs": _logs(span),
                        "serviceName": names[0] if names else "OTLPResourceNoServiceName",
                        "process": sorted(
                            (tag for tag in process if tag[0] != "service.name"), key=repr
                        ),
                    }
                )
    return sorted(spans, key=repr)


def comparable(trace):
    """A trace object of the API as a list of spans, whatever the order of spans and tags."""
    spans = []
    for span in trace["spans"]:
        process = trace["processes"][span["processID"]]
        spans.append(
            {
                "traceID": span["traceID"],
                "spanID": span["spanID"],
                "operationName": span["operationName"],
                "startTime": span["startTime"],
                "duration": span["duration"],
                "references": [
                    (each["refType"], each["traceID"], each["spanID"])
                    for each in span["references"]
                ],
                "tags": comparable_tags(span["tags"]),
                "logs": [
                    (log["timestamp"], comparable_tags(log["fields"])) for log in span["logs"]
                ],
                "serviceName": process["serviceName"],
                "process": comparable_tags(process["tags"]),
            }
        )
    return sorted(spans, key=repr)
