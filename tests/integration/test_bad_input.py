"""Malformed requests, one table: each gets its documented answer, which names the field, the good
spans of the same request are stored (or, where the request is refused whole, none is), and the
process lives on with bounded memory.

The rules: an envelope that can't be read refuses the request; a bad span, or a bad resource or
scope above it, is rejected and counted, the others are taken (docs: common/otlp_walk.h).
"""

import dataclasses
import functools
import gzip
import json
import struct
import zlib

import grpc
import pytest
import zstandard
from google.rpc import status_pb2

from harness import client, daemon, otlp, protos, raw, wire
from harness.wire import field, fixed32, fixed64, key_value, span

TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))
BAD_UTF8 = b"\xc3\x28"
MIB = 1 << 20

# One request may take its 64 MiB several times over (body, inflated, transcoded), never gigabytes.
RSS_GROWTH_MAX = (4096 if daemon.SANITIZER else 448) * MIB


@dataclasses.dataclass
class Outcome:
    code: int
    message: str = ""
    rejected: int = 0


@dataclasses.dataclass
class Case:
    name: str
    send: object  # (api, good request bytes) -> Outcome
    code: object  # expected code, or a tuple of them
    message: str = ""  # must be part of the message
    rejected: int = 0  # spans that the partial success must count
    is_good_stored: bool = False


# What the answers say


def outcome_of_http(answer):
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    if answer.status == 200:
        if is_json:
            partial = answer.json().get("partialSuccess", {})
            return Outcome(
                200, partial.get("errorMessage", ""), int(partial.get("rejectedSpans", 0))
            )
        partial = otlp.ExportResponse.FromString(answer.body).partial_success
        return Outcome(200, partial.error_message, partial.rejected_spans)
    if is_json:
        return Outcome(answer.status, answer.json()["message"])
    if answer.headers.get("Content-Type") == client.PROTOBUF:
        return Outcome(answer.status, status_pb2.Status.FromString(answer.body).message)
    return Outcome(answer.status, answer.body.decode(errors="replace"))


def outcome_of_call(api, listener, path, message):
    try:
        answer = api.call(listener, path, message)
    except grpc.RpcError as error:
        return Outcome(error.code().value[0], error.details())
    partial = otlp.ExportResponse.FromString(answer).partial_success
    return Outcome(0, partial.error_message, partial.rejected_spans)


# Ways to send


def http(make_body, encoding=None, content_type=client.PROTOBUF):
    return lambda api, good: outcome_of_http(api.post_otlp(make_body(good), content_type, encoding))


def export(make_message):
    return lambda api, good: outcome_of_call(
        api, "otlp-grpc", client.OTLP_EXPORT_PATH, make_message(good)
    )


def frames(make_data, *headers, path=client.OTLP_EXPORT_PATH, **options):
    return lambda api, good: Outcome(
        *raw.grpc_call(api.bobbind.ports["otlp-grpc"], path, make_data(good), *headers, **options)
    )


def head(listener, make_bytes):
    """Raw bytes to an HTTP port; code is the first status, 0 when the peer only closed."""

    def send(api, good):
        received = raw.exchange(api.bobbind.ports[listener], make_bytes(good))
        return Outcome((raw.statuses(received) or [0])[0], received.decode("latin-1"))

    return send


def json_request(change):
    """Good spans as OTLP/JSON, with `change` applied to a copy of the first one put behind them."""

    def make(good):
        document = otlp.to_json(otlp.ExportRequest.FromString(good))
        spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
        bad = json.loads(json.dumps(spans[0]))
        bad["spanId"] = "00000000000000bb"
        text = json.dumps(document)
        changed = change(bad)
        if isinstance(changed, str):  # JSON text in place of the span
            return text.replace('"spans": [', f'"spans": [{changed}, ', 1).encode()
        spans.append(bad)
        return json.dumps(document).encode()

    return http(make, content_type=client.JSON)


def json_set(**members):
    return json_request(lambda bad: bad.update(members))


def json_attribute(any_value):
    return json_request(lambda bad: bad.update(attributes=[{"key": "k", "value": any_value}]))


# Bodies


def _gzip_9(data):
    return gzip.compress(data, 9)


@functools.cache
def _zeros(pack):
    """128 MiB of zeros, packed into one gzip member or zstd frame."""
    return pack(bytes(128 * MIB))


def bomb(size):
    """`size` zeros as gzip members, each about 1000 to 1."""
    return _zeros(_gzip_9) * (size // (128 * MIB))


def zstd_bomb(size):
    return _zeros(zstandard.compress) * (size // (128 * MIB))


def zstd_wide_window(good):
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(good) + compressor.flush()


def long_unknown_field(good):
    """A request that is fine but for 65 MiB of an unknown field."""
    return good + field(15, bytes(65 * MIB))


def bad_span(*more, trace_id=TRACE, span_id=SPAN, name="bad"):
    """A good request, then one with a bad span in it."""
    return lambda good: good + wire.request(span(trace_id, span_id, *more, name=name))


def attribute(any_value, key="k"):
    return field(9, key_value(key, any_value))


def many(count, one):
    return one * count


AT = "resource_spans[1].scope_spans[0].spans[0]."
JSON_AT = "resourceSpans[0].scopeSpans[0].spans["


def envelope_cases():
    """Refused whole: nothing of it can be trusted."""
    body = {
        "cut_in_the_last_span": (lambda good: good[:-1], "resource_spans[0]"),
        "cut_in_the_first_length": (lambda good: good[:1], "resource_spans[0]"),
        "cut_in_a_tag": (lambda good: good + b"\x80", "resource_spans[1]"),
        "varint_of_11_bytes": (
            lambda good: good + b"\x78" + b"\xff" * 10 + b"\x01",
            "resource_spans[1]",
        ),
        "varint_over_64_bits": (
            lambda good: good + b"\x78" + b"\xff" * 9 + b"\x7f",
            "resource_spans[1]",
        ),
        "length_of_2_to_the_63": (
            lambda good: good + wire.too_long(1, 1 << 63),
            "resource_spans[1]",
        ),
        "length_of_4_gib": (
            lambda good: good + wire.too_long(1, 1 << 32, b"x"),
            "resource_spans[1]",
        ),
        "length_one_past_the_end": (
            lambda good: good + wire.too_long(1, 3, b"xx"),
            "resource_spans[1]",
        ),
        "field_number_0": (lambda good: good + b"\x00\x01", "resource_spans[1]"),
        "field_number_over_2_to_the_29": (
            lambda good: good + b"\x80\x80\x80\x80\x10\x01",
            "resource_spans[1]",
        ),
        "wire_type_6": (lambda good: good + b"\x0e\x01", "resource_spans[1]"),
        "wire_type_7": (lambda good: good + b"\x0f\x01", "resource_spans[1]"),
        "group_start": (lambda good: good + b"\x7b\x7c", "resource_spans[1]"),
        "group_end_alone": (lambda good: good + b"\x0c", "resource_spans[1]"),
        "groups_nested_a_million_deep": (lambda good: good + b"\x7b" * MIB, "resource_spans[1]"),
        "resource_spans_as_a_varint": (lambda good: good + field(1, 7), "resource_spans"),
        "scope_spans_as_a_varint": (lambda good: good + field(1, field(2, 7)), "resource_spans[1]"),
        "resource_as_fixed64": (lambda good: good + field(1, fixed64(1, 7)), "resource_spans[1]"),
        "spans_as_fixed32": (
            lambda good: good + field(1, field(2, fixed32(2, 7))),
            "resource_spans[1].scope_spans[0]",
        ),
        "scope_spans_cut": (
            lambda good: good + field(1, wire.too_long(2, 9, b"x")),
            "resource_spans[1]",
        ),
        "span_longer_than_its_scope_spans": (
            lambda good: good + field(1, field(2, wire.too_long(2, 99, b"x"))),
            "resource_spans[1].scope_spans[0]",
        ),
        "text": (lambda good: b"hello, I am no protobuf", "resource_spans[0]"),
        "json_as_protobuf": (lambda good: b'{"resourceSpans":[]}', "resource_spans[0]"),
        "every_byte_ff": (lambda good: b"\xff" * 4096, "resource_spans[0]"),
    }
    for name, (make, path) in body.items():
        yield Case(f"envelope.{name}", http(make), 400, path)
    for name in ("cut_in_the_last_span", "length_of_2_to_the_63", "group_start"):
        make, path = body[name]
        yield Case(f"envelope.{name}.grpc", export(make), 3, path)


def span_cases():
    """One span is rejected, the good ones are stored."""
    bad = {
        "trace_id.missing": (lambda good: good + wire.request(field(2, SPAN)), "trace_id"),
        "trace_id.empty": (bad_span(trace_id=b""), "trace_id: must be 16 bytes, is 0"),
        "trace_id.of_8_bytes": (bad_span(trace_id=SPAN), "trace_id: must be 16 bytes, is 8"),
        "trace_id.of_15_bytes": (bad_span(trace_id=TRACE[1:]), "trace_id: must be 16 bytes, is 15"),
        "trace_id.of_17_bytes": (
            bad_span(trace_id=TRACE + b"x"),
            "trace_id: must be 16 bytes, is 17",
        ),
        "trace_id.of_32_hex_digits": (
            bad_span(trace_id=TRACE.hex()),
            "trace_id: must be 16 bytes, is 32",
        ),
        "trace_id.zero": (bad_span(trace_id=bytes(16)), "trace_id"),
        "trace_id.as_a_varint": (bad_span(field(1, 5)), "trace_id"),
        "span_id.missing": (lambda good: good + wire.request(field(1, TRACE)), "span_id"),
        "span_id.of_7_bytes": (bad_span(span_id=SPAN[1:]), "span_id: must be 8 bytes, is 7"),
        "span_id.of_16_bytes": (bad_span(span_id=TRACE), "span_id: must be 8 bytes, is 16"),
        "span_id.zero": (bad_span(span_id=bytes(8)), "span_id"),
        "parent_span_id.of_7_bytes": (
            bad_span(field(4, SPAN[1:])),
            "parent_span_id: must be 8 bytes, is 7",
        ),
        "link.trace_id.of_8_bytes": (
            bad_span(field(13, field(1, SPAN) + field(2, SPAN))),
            "links[0].trace_id",
        ),
        "link.span_id.of_3_bytes": (
            bad_span(field(13, field(1, TRACE) + field(2, b"abc"))),
            "links[0].span_id",
        ),
        "name.not_utf8": (bad_span(name=BAD_UTF8), "name"),
        "name.overlong_utf8": (bad_span(name=b"\xc0\xaf"), "name"),
        "name.surrogate": (bad_span(name=b"\xed\xa0\x80"), "name"),
        "name.cut_utf8": (bad_span(name=b"\xf0\x9f\xa7"), "name"),
        "name.over_unicode": (bad_span(name=b"\xf4\x90\x80\x80"), "name"),
        "name.as_fixed64": (bad_span(fixed64(5, 1)), "name"),
        "trace_state.not_utf8": (bad_span(field(3, BAD_UTF8)), "trace_state"),
        "key.not_utf8": (bad_span(attribute(field(1, "v"), BAD_UTF8)), "attributes[0].key"),
        "value.not_utf8": (bad_span(attribute(field(1, BAD_UTF8))), "attributes[0].value"),
        "value.in_an_array_not_utf8": (
            bad_span(attribute(field(5, field(1, field(1, BAD_UTF8))))),
            "attributes[0].value",
        ),
        "event.name.not_utf8": (bad_span(field(11, field(2, BAD_UTF8))), "events[0].name"),
        "event.key.not_utf8": (
            bad_span(field(11, field(3, key_value(BAD_UTF8, b"")))),
            "events[0].attributes[0].key",
        ),
        "link.trace_state.not_utf8": (
            bad_span(field(13, field(3, BAD_UTF8))),
            "links[0].trace_state",
        ),
        "status.message.not_utf8": (bad_span(field(15, field(2, BAD_UTF8))), "status.message"),
        "start.as_a_varint": (bad_span(field(7, 5)), "start_time_unix_nano"),
        "end.as_fixed32": (bad_span(fixed32(8, 5)), "end_time_unix_nano"),
        "kind.as_text": (bad_span(field(6, "SERVER")), "kind"),
        "flags.as_a_varint": (bad_span(field(16, 1)), "flags"),
        "int_value.as_text": (bad_span(attribute(field(3, "5"))), "attributes[0].value"),
        "double_value.as_a_varint": (bad_span(attribute(field(4, 5))), "attributes[0].value"),
        "attribute.as_a_varint": (bad_span(field(9, 5)), "attributes[0]"),
        "attribute.cut": (bad_span(wire.too_long(9, 50, b"\x0a\x01k")), "spans[0]"),
        "value.longer_than_its_attribute": (
            bad_span(field(9, field(1, "k") + wire.too_long(2, 9))),
            "attributes[0]",
        ),
        "group_in_a_span": (bad_span(b"\x7b\x7c"), "spans[0]"),
        "huge_varint_in_a_span": (bad_span(b"\x78" + b"\xff" * 20), "spans[0]"),
        "arrays_33_deep": (bad_span(attribute(wire.nested_array(33))), "attributes[0].value"),
        "arrays_5000_deep": (bad_span(attribute(wire.nested_array(5000))), "attributes[0].value"),
        "arrays_200k_deep": (
            bad_span(attribute(wire.nested_array(200_000))),
            "attributes[0].value",
        ),
        "kvlists_5000_deep": (bad_span(attribute(wire.nested_kvlist(5000))), "attributes[0].value"),
        "arrays_5000_deep_in_an_event": (
            bad_span(field(11, field(3, key_value("k", wire.nested_array(5000))))),
            "events[0].attributes[0]",
        ),
        "arrays_5000_deep_in_a_link": (
            bad_span(field(13, field(4, key_value("k", wire.nested_array(5000))))),
            "links[0].attributes[0]",
        ),
        "100k_attributes": (
            bad_span(many(100_000, attribute(field(3, 1)))),
            "attributes[4096]: too many",
        ),
        "100k_empty_attributes": (
            bad_span(many(100_000, field(9, b""))),
            "attributes[4096]: too many",
        ),
        "100k_events": (bad_span(many(100_000, field(11, b""))), "events[65536]: too many"),
        "100k_links": (bad_span(many(100_000, field(13, b""))), "links[65536]: too many"),
        "two_million_values": (
            bad_span(attribute(field(5, many(2 * MIB, field(1, b""))))),
            "too many values",
        ),
        "span_of_17_mib": (bad_span(attribute(field(1, b"x" * (17 * MIB)))), "too large"),
        "event.time.as_a_varint": (bad_span(field(11, field(1, 5))), "events[0].time_unix_nano"),
    }
    for name, (make, message) in bad.items():
        yield Case(f"span.{name}", http(make), 200, message, 1, True)
    for name in ("trace_id.of_15_bytes", "arrays_200k_deep", "100k_attributes", "name.not_utf8"):
        make, message = bad[name]
        yield Case(f"span.{name}.grpc", export(make), 0, message, 1, True)
    yield Case(
        "span.path_names_the_place",
        http(lambda good: good + wire.request(span(TRACE, SPAN), span(TRACE, b"x"))),
        200,
        "resource_spans[1].scope_spans[0].spans[1].span_id",
        1,
        True,
    )
    yield Case(
        "span.a_million_empty_spans",
        http(lambda good: good + wire.request(scope_more=many(1_000_000, field(2, b"")))),
        200,
        "trace_id",
        1_000_000,
        True,
    )
    yield Case(
        "span.two_million_empty_spans",
        http(lambda good: good + wire.request(scope_more=many(2_000_000, field(2, b"")))),
        413,
        "more than",
    )


def owner_cases():
    """All spans below a bad resource or scope are rejected."""
    two = (span(TRACE, SPAN), span(TRACE, bytes(7) + b"\x02"))
    bad_attribute = field(1, key_value("k", field(1, BAD_UTF8)))
    owners = {
        "resource.attribute.not_utf8": (
            wire.request(*two, resource=bad_attribute),
            "resource.attributes[0]",
        ),
        "resource.cut": (wire.request(*two, resource=wire.too_long(1, 9)), "resource"),
        "resource.of_2_mib": (
            wire.request(*two, resource=field(1, key_value("k", field(1, b"x" * (2 * MIB))))),
            "too large",
        ),
        "resource.arrays_5000_deep": (
            wire.request(*two, resource=field(1, key_value("k", wire.nested_array(5000)))),
            "resource.attributes[0]",
        ),
        "resource.100k_attributes": (
            wire.request(*two, resource=many(100_000, field(1, b""))),
            "resource.attributes[4096]",
        ),
        "scope.name.not_utf8": (wire.request(*two, scope=field(1, BAD_UTF8)), "scope.name"),
        "scope.version.as_a_varint": (wire.request(*two, scope=field(2, 1)), "scope.version"),
        "scope.attribute.not_utf8": (
            wire.request(*two, scope=field(3, key_value("k", field(1, BAD_UTF8)))),
            "scope.attributes[0]",
        ),
        "scope.url.not_utf8": (wire.request(*two, scope_more=field(3, BAD_UTF8)), "schema_url"),
        "resource.url.not_utf8": (
            wire.request(*two, resource_more=field(3, BAD_UTF8)),
            "schema_url",
        ),
    }
    for name, (bad, message) in owners.items():
        yield Case(f"owner.{name}", http(lambda good, bad=bad: good + bad), 200, message, 2, True)
    # Messages that repeat are joined, as protobuf says; here to something that is over the limit.
    yield Case(
        "owner.resource.in_a_million_parts",
        http(
            lambda good: good
            + field(
                1, many(1_000_000, field(1, field(2, 1))) + field(2, field(2, span(TRACE, SPAN)))
            )
        ),
        200,
        "resource",
        1,
        True,
    )


def encoding_cases():
    yield Case("encoding.unknown", http(lambda good: good, "br"), 415, "Content-Encoding")
    yield Case(
        "encoding.two", http(lambda good: gzip.compress(gzip.compress(good)), "gzip, gzip"), 415
    )
    yield Case("gzip.of_nothing_like_it", http(lambda good: good, "gzip"), 400, "gzip")
    yield Case("gzip.cut", http(lambda good: gzip.compress(good)[:-9], "gzip"), 400, "gzip")
    yield Case(
        "gzip.without_checksum", http(lambda good: gzip.compress(good)[:-8], "gzip"), 400, "gzip"
    )
    yield Case(
        "gzip.wrong_checksum",
        http(lambda good: gzip.compress(good)[:-8] + bytes(8), "gzip"),
        400,
        "gzip",
    )
    yield Case(
        "gzip.then_junk", http(lambda good: gzip.compress(good) + b"junk", "gzip"), 400, "gzip"
    )
    yield Case("gzip.empty", http(lambda good: b"", "gzip"), (200, 400))
    yield Case(
        "gzip.of_bad_protobuf",
        http(lambda good: gzip.compress(b"\xff" * 1000), "gzip"),
        400,
        "resource_spans[0]",
    )
    yield Case("gzip.bomb_of_2_gib", http(lambda good: bomb(2048 * MIB), "gzip"), 413)
    yield Case(
        "gzip.bomb_of_a_bomb", http(lambda good: gzip.compress(bomb(1024 * MIB)), "gzip"), 400
    )
    yield Case(
        "gzip.bomb_behind_a_good_start",
        http(lambda good: gzip.compress(good) + bomb(128 * MIB), "gzip"),
        413,
    )
    yield Case(
        "gzip.65_mib", http(lambda good: gzip.compress(long_unknown_field(good), 1), "gzip"), 413
    )
    yield Case("deflate.of_nothing_like_it", http(lambda good: good, "deflate"), 400, "deflate")
    yield Case(
        "deflate.bomb", http(lambda good: zlib.compress(bytes(128 * MIB), 9), "deflate"), 413
    )
    yield Case("zstd.of_nothing_like_it", http(lambda good: good, "zstd"), 400, "zstd")
    yield Case("zstd.cut", http(lambda good: zstandard.compress(good)[:-3], "zstd"), 400, "zstd")
    yield Case(
        "zstd.then_junk", http(lambda good: zstandard.compress(good) + b"junk", "zstd"), 400, "zstd"
    )
    yield Case("zstd.bomb_of_2_gib", http(lambda good: zstd_bomb(2048 * MIB), "zstd"), 413)
    yield Case("zstd.window_of_128_mib", http(zstd_wide_window, "zstd"), 413, "zstd")
    yield Case(
        "zstd.claims_an_exabyte",
        http(
            lambda good: b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 60) + b"\x01\x00\x00",
            "zstd",
        ),
        (400, 413),
    )
    yield Case("body.of_65_mib", http(long_unknown_field), 413)


def http_cases():
    def request(method, path, content_type=client.PROTOBUF, **headers):
        def send(api, good):
            if content_type:
                headers["Content-Type"] = content_type
            return outcome_of_http(api.otlp_http.request(method, path, good, headers))

        return send

    for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH"):
        yield Case(f"method.{method}", request(method, "/v1/traces"), 405)
    for path in (
        "/",
        "/v1/metrics",
        "/v1/logs",
        "/v1/traces/",
        "/V1/traces",
        "/v1/traces/../traces",
    ):
        yield Case(f"path.{path}", request("POST", path), 404)
    for kind in (
        "text/plain",
        "application/xml",
        "application/grpc",
        "application/x-protobuf-2",
        "x" * 200,
    ):
        yield Case(f"content_type.{kind[:30]}", request("POST", "/v1/traces", kind), 415)
    yield Case("content_type.missing", request("POST", "/v1/traces", None), 415)


def json_cases():
    text = {
        "empty": b"",
        "a_word": b"hello",
        "cut": b'{"resourceSpans":[{"scopeSpans":[',
        "trailing_comma": b'{"resourceSpans":[],}',
        "two_documents": b"{}{}",
        "nan": b'{"resourceSpans":NaN}',
        "array": b"[]",
        "number": b"1",
        "null": b"null",
        "not_utf8": b'{"a":"' + BAD_UTF8 + b'"}',
        "control_character": b'{"a":"\x01"}',
        "utf16": '{"a":1}'.encode("utf-16"),
        "100k_brackets": b"[" * 100_000,
    }
    for name, body in text.items():
        yield Case(
            f"json.{name}", http(lambda good, body=body: body, content_type=client.JSON), 400
        )
    yield Case(
        "json.100k_objects",
        http(lambda good: b'{"a":' * 100_000, content_type=client.JSON),
        413,
        "nested too deep",
    )
    shapes = {
        "resource_spans_is_an_object": ({"resourceSpans": {}}, "resourceSpans"),
        "resource_spans_of_numbers": ({"resourceSpans": [1]}, "resourceSpans[0]"),
        "scope_spans_is_text": (
            {"resourceSpans": [{"scopeSpans": "x"}]},
            "resourceSpans[0].scopeSpans",
        ),
        "spans_is_a_number": (
            {"resourceSpans": [{"scopeSpans": [{"spans": 1}]}]},
            "resourceSpans[0].scopeSpans[0].spans",
        ),
    }
    for name, (document, path) in shapes.items():
        yield Case(
            f"json.{name}",
            http(
                lambda good, document=document: json.dumps(document).encode(),
                content_type=client.JSON,
            ),
            400,
            path,
        )
    last = JSON_AT + "2]."
    spans = {
        "trace_id.short": (json_set(traceId="abcd"), last + "traceId"),
        "trace_id.no_hex": (json_set(traceId="zz" * 16), last + "traceId"),
        "trace_id.base64": (json_set(traceId="W47/95gDgQPSabYzgT/GDA=="), last + "traceId"),
        "trace_id.zero": (json_set(traceId="0" * 32), last + "traceId"),
        "trace_id.number": (json_set(traceId=5), last + "traceId"),
        "span_id.long": (json_set(spanId="a" * 32), last + "spanId"),
        "parent.odd": (json_set(parentSpanId="abc"), last + "parentSpanId"),
        "start.negative": (json_set(startTimeUnixNano="-1"), last + "startTimeUnixNano"),
        "start.word": (json_set(startTimeUnixNano="soon"), last + "startTimeUnixNano"),
        "start.over_64_bits": (
            json_set(startTimeUnixNano="18446744073709551616"),
            last + "startTimeUnixNano",
        ),
        "start.fraction": (json_set(startTimeUnixNano=1.5), last + "startTimeUnixNano"),
        "start.true": (json_set(startTimeUnixNano=True), last + "startTimeUnixNano"),
        "kind.name": (json_set(kind="SPAN_KIND_SERVER"), last + "kind"),
        "kind.over_32_bits": (json_set(kind=1 << 40), last + "kind"),
        "name.number": (json_set(name=5), last + "name"),
        "status.text": (json_set(status="ERROR"), last + "status"),
        "status.code.name": (json_set(status={"code": "STATUS_CODE_ERROR"}), last + "status.code"),
        "attributes.object": (json_set(attributes={"a": 1}), last + "attributes"),
        "events.object": (json_set(events={}), last + "events"),
        "link.trace_id.short": (
            json_set(links=[{"traceId": "ab", "spanId": "00000000000000aa"}]),
            last + "links[0].traceId",
        ),
        "dropped.negative": (json_set(droppedAttributesCount=-1), last + "droppedAttributesCount"),
        "flags.over_32_bits": (json_set(flags=1 << 32), last + "flags"),
        "value.bare": (json_attribute("bare"), last + "attributes[0].value"),
        "int.over_64_bits": (
            json_attribute({"intValue": "9223372036854775808"}),
            "attributes[0].value.intValue",
        ),
        "int.fraction": (json_attribute({"intValue": 1.5}), "attributes[0].value.intValue"),
        "int.word": (json_attribute({"intValue": "five"}), "attributes[0].value.intValue"),
        "bool.word": (json_attribute({"boolValue": "true"}), "attributes[0].value.boolValue"),
        "double.word": (json_attribute({"doubleValue": "much"}), "attributes[0].value.doubleValue"),
        "string.number": (json_attribute({"stringValue": 5}), "attributes[0].value.stringValue"),
        "bytes.no_base64": (
            json_attribute({"bytesValue": "!!!"}),
            "attributes[0].value.bytesValue",
        ),
        "array.bare": (json_attribute({"arrayValue": [1]}), "attributes[0].value.arrayValue"),
        "span.is_a_number": (json_request(lambda bad: "7"), JSON_AT + "0]"),
        "100k_attributes": (json_set(attributes=[{"key": "k", "value": {}}] * 100_000), "too many"),
    }
    for name, (send, message) in spans.items():
        yield Case(f"json.{name}", send, 200, message, 1, True)
    deep = '{"arrayValue":{"values":[' * 40 + "{}" + "]}}" * 40
    yield Case(
        "json.arrays_40_deep",
        json_request(
            lambda bad: (
                '{"traceId":"%s","spanId":"00000000000000bb","attributes":[{"key":"k","value":%s}]}'
                % (TRACE.hex(), deep)
            )
        ),
        200,
        "too deep",
        1,
        True,
    )


def head_cases():
    """Raw bytes to the HTTP ports: refused or closed, and no second request is smuggled in."""

    def post(*lines, body=b""):
        text = "\r\n".join(
            [
                "POST /v1/traces HTTP/1.1",
                "Host: x",
                "Content-Type: application/x-protobuf",
                *lines,
                "",
                "",
            ]
        )
        return text.encode("latin-1") + body

    def smuggled(good):
        return post(f"Content-Length: {len(good)}", body=good)

    # 0: closed without a word, or waiting for the rest of a request that isn't one yet
    refused = (0, 400, 413, 414, 431, 501, 505)
    bad = {
        "garbage": lambda good: b"\x00\x01\x02garbage\r\n\r\n",
        "http_0_9": lambda good: b"GET /\r\n\r\n",
        "http_9": lambda good: b"POST /v1/traces HTTP/9.9\r\nHost: x\r\n\r\n",
        "tls_hello": lambda good: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
        "http_2_preface": lambda good: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
        "two_lengths": lambda good: post(
            "Content-Length: 0", f"Content-Length: {len(smuggled(good))}", body=smuggled(good)
        ),
        "length_and_chunked": lambda good: post(
            "Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n" + smuggled(good)
        ),
        "negative_length": lambda good: post("Content-Length: -1", body=good),
        "length_of_words": lambda good: post("Content-Length: ten", body=good),
        "length_over_64_bits": lambda good: post(
            "Content-Length: 99999999999999999999999", body=good
        ),
        "length_of_an_exabyte": lambda good: post(f"Content-Length: {1 << 60}", body=b"x"),
        "chunk_size_of_words": lambda good: post(
            "Transfer-Encoding: chunked", body=b"zz\r\n" + smuggled(good)
        ),
        "chunk_size_over_64_bits": lambda good: post(
            "Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\nx"
        ),
        "cut_body": lambda good: post("Content-Length: 1000", body=good[:10]),
        "cut_head": lambda good: b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Le",
        "head_of_64_kib": lambda good: post("X-Long: " + "x" * 65536),
        "20k_headers": lambda good: post(*(f"X-{i}: 1" for i in range(20_000))),
        "line_of_1_mib": lambda good: b"GET /" + b"a" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    for name, make in bad.items():
        is_smuggling = name in ("two_lengths", "length_and_chunked")
        yield Case(f"head.{name}", head("otlp-http", make), 400 if is_smuggling else refused)
    for listener in ("http", "admin"):
        for name in ("garbage", "two_lengths", "length_and_chunked", "head_of_64_kib", "tls_hello"):
            yield Case(f"head.{name}.{listener}", head(listener, bad[name]), refused)
    yield Case("head.http_1_on_the_grpc_port", head("otlp-grpc", smuggled), (0, 400))
    yield Case(
        "head.garbage_on_the_grpc_port", head("otlp-grpc", lambda good: bytes(range(256)) * 64), 0
    )


def frame_cases():
    """gRPC: the frames and what is in them."""
    gzip_header = ("grpc-encoding", "gzip")
    one = raw.frame
    no_such_method = "/opentelemetry.proto.collector.trace.v1.TraceService/Nothing"
    yield Case("frame.flag_without_encoding", frames(lambda good: one(gzip.compress(good), 1)), 3)
    # gRPC core 1.51 hands up a frame with a flag that doesn't exist as an empty message or as none,
    # and an empty request succeeds: nothing tells the two apart.
    yield Case("frame.flag_5", frames(lambda good: one(good, 5)), (0, 3))
    yield Case("frame.flag_lies", frames(lambda good: one(good, 1), gzip_header), 3, "gzip")
    yield Case(
        "frame.gzip_cut",
        frames(lambda good: one(gzip.compress(good)[:-9], 1), gzip_header),
        3,
        "gzip",
    )
    yield Case(
        "frame.gzip_bomb_of_2_gib", frames(lambda good: one(bomb(2048 * MIB), 1), gzip_header), 8
    )
    yield Case(
        "frame.zstd_bomb_of_2_gib",
        frames(lambda good: one(zstd_bomb(2048 * MIB), 1), ("grpc-encoding", "zstd")),
        8,
    )
    yield Case(
        "frame.zstd_cut",
        frames(lambda good: one(zstandard.compress(good)[:-3], 1), ("grpc-encoding", "zstd")),
        3,
        "zstd",
    )
    yield Case(
        "frame.unknown_encoding",
        frames(lambda good: one(zlib.compress(good), 1), ("grpc-encoding", "br")),
        (3, 12),
    )
    yield Case(
        "frame.claims_4_gib", frames(lambda good: one(good, 0, 0xFFFFFFFF)), (None, 3, 8, 13)
    )
    yield Case("frame.cut", frames(lambda good: one(good)[:-5]), 3, "no message")
    yield Case("frame.head_cut", frames(lambda good: b"\x00\x00"), 3, "no message")
    yield Case("frame.none", frames(lambda good: b""), 3, "no message")
    yield Case("frame.unknown_method", frames(one, path=no_such_method), 12)
    yield Case("frame.no_path", frames(one, path="/"), 12)
    yield Case("frame.get", frames(one, method="GET"), (None, 2, 12, 13, 3))
    yield Case("frame.message_of_65_mib", export(long_unknown_field), 8)


def jaeger_cases():
    """PostSpans: nothing stored when it can't be read, the good ones when a span is bad."""

    def post(make):
        def send(api, good):
            return outcome_of_call(api, "jaeger-grpc", client.POST_SPANS_PATH, make(good))

        return send

    batch = protos.message("jaeger.api_v2.PostSpansRequest")(
        batch={
            "process": {"service_name": "bad jaeger"},
            "spans": [{"trace_id": TRACE, "span_id": SPAN, "operation_name": "x"}],
        }
    ).SerializeToString()
    yield Case("jaeger.cut", post(lambda good: batch[:-1]), 3)
    yield Case("jaeger.otlp_in_its_place", post(lambda good: good), (0, 3))
    yield Case("jaeger.length_of_2_to_the_63", post(lambda good: wire.too_long(1, 1 << 63)), 3)
    yield Case("jaeger.group", post(lambda good: b"\x7b\x7c"), 3)
    yield Case("jaeger.every_byte_ff", post(lambda good: b"\xff" * 1000), 3)


CASES = [
    case
    for group in (
        envelope_cases,
        span_cases,
        owner_cases,
        encoding_cases,
        http_cases,
        json_cases,
        head_cases,
        frame_cases,
        jaeger_cases,
    )
    for case in group()
]


def test_the_table_is_long_and_its_names_differ():
    names = [case.name for case in CASES]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def rss_at_start(bobbind, api):
    """Memory once every door has been used, so that first uses don't count as growth."""
    api.send(otlp.request([otlp.span(otlp.new_trace_id())]))
    outcome_of_call(api, "otlp-grpc", client.OTLP_EXPORT_PATH, b"")
    return bobbind.rss_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gets_its_documented_answer(case, bobbind, api, rss_at_start):
    trace_id = otlp.new_trace_id()
    good = otlp.request([otlp.span(trace_id, "good 1"), otlp.span(trace_id, "good 2")])
    bobbind.reset_rss_peak()

    outcome = case.send(api, good.SerializeToString())

    codes = case.code if isinstance(case.code, tuple) else (case.code,)
    assert outcome.code in codes, outcome
    assert case.message in outcome.message
    assert outcome.rejected == case.rejected, outcome
    assert bobbind.admin("/healthz")[0] == 200
    assert bobbind.rss_peak_bytes() - rss_at_start <= RSS_GROWTH_MAX
    if case.is_good_stored:
        assert api.trace_v3_protobuf(trace_id).items() >= otlp.flatten(good).items()
    else:
        assert api.query.get(f"/api/v3/traces/{trace_id}").status == 404
