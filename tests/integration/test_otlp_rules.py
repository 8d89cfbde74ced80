"""The rules of the OTLP specification: success, partial success, permanent and retryable errors,
compression, limits; on gRPC, HTTP with protobuf, and HTTP with JSON."""

import gzip
import json
import os
import socket
import time
import zlib

import grpc
import pytest
import zstandard
from google.rpc import error_details_pb2, status_pb2

from harness import client, daemon, otlp, raw, wire

MIB = 1 << 20
REQUEST_BYTES_MAX = 64 * MIB


def request_of(*spans):
    return otlp.request(list(spans))


def bad_spans(trace_id):
    """(field, span) of spans that are refused, each for another reason."""
    no_id = otlp.span(trace_id, "no span id")
    no_id.span_id = b""
    short = otlp.span(trace_id, "short trace id")
    short.trace_id = short.trace_id[:15]
    parent = otlp.span(trace_id, "odd parent")
    parent.parent_span_id = b"abc"
    return [("span_id", no_id), ("trace_id", short), ("parent_span_id", parent)]


# Success


@pytest.mark.parametrize(
    "body", [b"", wire.field(1, b""), wire.request(), wire.field(99, b"later")]
)
def test_an_empty_protobuf_request_succeeds(api, body):
    answer = api.post_otlp(body)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == client.PROTOBUF
    assert api.call("otlp-grpc", client.OTLP_EXPORT_PATH, body) == b""


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"resourceSpans":[]}',
        b' {"resourceSpans":[{}]} ',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}',
        b'{"later":{"x":[1]}}',
    ],
)
def test_an_empty_json_request_succeeds(api, body):
    answer = api.post_otlp(body, client.JSON)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(client.JSON)
    assert not answer.json().get("partialSuccess")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-protobuf", "APPLICATION/X-PROTOBUF", "application/x-protobuf; charset=utf-8"],
)
def test_the_content_type_is_read_as_http_says(api, content_type):
    assert api.post_otlp(b"", content_type).status == 200


def everything(trace_id):
    """A span with every field of the protocol, those that no SDK sets included."""
    span = otlp.span(
        trace_id,
        "everything",
        parent=otlp.new_span_id(),
        kind=otlp.CONSUMER,
        attrs={
            "empty": None,
            "bytes": b"\x00\xff",
            "map": {"a": {"b": [1, {"c": None}]}},
            "int": -(2**63),
            "mixed": [1, "a", 1.5, True, b"x", [2]],
            "double": 5e-324,
            "big": 2**63 - 1,
            "": "empty key",
        },
        trace_state="a=b",
        flags=0x301,
        dropped_attributes_count=2**32 - 1,
        dropped_events_count=7,
        dropped_links_count=8,
        status={"code": 2, "message": "m"},
    )
    span.events.append(otlp.event("e", 1, attrs={"k": 1.0}, dropped_attributes_count=3))
    span.links.append(
        otlp.link(
            otlp.new_trace_id(),
            otlp.new_span_id(),
            attrs={"k": False},
            trace_state="c=d",
            flags=0x100,
            dropped_attributes_count=4,
        )
    )
    odd = otlp.span(trace_id, "odd numbers", kind=77, status={"code": 9})
    scope = otlp.Scope(
        name="n", version="v", attributes=otlp.attributes({"k": [b"x"]}), dropped_attributes_count=5
    )
    request = otlp.request(
        [span, odd], "everything", {"r": {"m": 1}}, scope, resource_url="urn:r", scope_url="urn:s"
    )
    resource = request.resource_spans[0].resource
    resource.dropped_attributes_count = 6
    resource.entity_refs.add(schema_url="urn:e", type="host", id_keys=["r"], description_keys=["d"])
    return request


@pytest.mark.parametrize("form", ["protobuf", "json", "grpc"])
def test_every_field_of_the_protocol_is_kept(api, form):
    trace_id = otlp.new_trace_id()
    request = everything(trace_id)
    if form == "protobuf":
        api.send(request)
    elif form == "json":
        answer = api.post_otlp(json.dumps(otlp.to_json(request)), client.JSON)
        assert answer.status == 200 and not answer.json().get("partialSuccess"), answer
    else:
        assert api.call("otlp-grpc", client.OTLP_EXPORT_PATH, request.SerializeToString()) == b""
    expected = otlp.flatten(request)
    assert api.trace_v3_protobuf(trace_id) == expected
    assert api.trace_v3_json(trace_id) == expected
    assert api.trace_v3_grpc(trace_id) == expected
    assert api.trace_cli(trace_id) == expected


def test_fields_of_a_later_protocol_are_kept_in_protobuf(api):
    trace_id = otlp.new_trace_id()
    later = wire.field(1000, "later") + wire.fixed64(1001, 7)
    body = wire.request(wire.span(bytes.fromhex(trace_id), b"12345678", later))
    assert api.post_otlp(body).body == b""
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(otlp.ExportRequest.FromString(body))
    assert "1000" in repr(api.trace_v3_protobuf(trace_id))


@pytest.mark.parametrize("number", ["123", 123])
def test_json_takes_64_bit_integers_as_numbers_and_as_text(api, number):
    trace_id = otlp.new_trace_id()
    api_body = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": trace_id.upper(),
                                "spanId": "00000000000000AB",
                                "startTimeUnixNano": number,
                                "endTimeUnixNano": number,
                                "attributes": [{"key": "k", "value": {"intValue": number}}],
                                "unknown": {"is": "ignored"},
                            }
                        ]
                    }
                ]
            }
        ]
    }
    assert api.post_otlp(json.dumps(api_body), client.JSON).status == 200
    [[flat]] = api.trace_v3_protobuf(trace_id).values()
    assert "int_value: 123" in flat.span and "start_time_unix_nano: 123" in flat.span


def test_half_a_surrogate_pair_in_json_becomes_a_replacement_character(api):
    trace_id = otlp.new_trace_id()
    document = otlp.to_json(request_of(otlp.span(trace_id)))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] = "cut \ud83e"
    assert api.post_otlp(json.dumps(document), client.JSON).status == 200
    assert api.trace_v1(trace_id)["spans"][0]["operationName"] == "cut \ufffd"


# Partial success


def test_partial_success_counts_exactly(api, bobbind):
    before = bobbind.metric("bobbin_receiver_rejected_spans", 'reason="span_id"') or 0
    trace_id = otlp.new_trace_id()
    good = [otlp.span(trace_id, f"good {number}") for number in range(5)]
    bad = bad_spans(trace_id)
    spans = [good[0], bad[0][1], good[1], good[2], bad[1][1], bad[2][1], good[3], good[4]]
    answer = api.post_otlp(request_of(*spans).SerializeToString())
    assert answer.status == 200
    partial = otlp.ExportResponse.FromString(answer.body).partial_success
    assert partial.rejected_spans == 3
    assert "resource_spans[0].scope_spans[0].spans[1].span_id" in partial.error_message
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request_of(*good))
    assert bobbind.metric("bobbin_receiver_rejected_spans", 'reason="span_id"') == before + 1


def test_partial_success_in_json(api):
    trace_id = otlp.new_trace_id()
    good = otlp.span(trace_id, "good")
    document = otlp.to_json(request_of(good))
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += [{"traceId": trace_id}, {"spanId": "ab"}, {"traceId": trace_id, "spanId": "0" * 16}]
    answer = api.post_otlp(json.dumps(document), client.JSON)
    assert answer.status == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "3"  # an int64, so a string
    assert "spanId" in partial["errorMessage"] or "span_id" in partial["errorMessage"]
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request_of(good))


def test_partial_success_on_grpc(api):
    trace_id = otlp.new_trace_id()
    good = otlp.span(trace_id, "good")
    message = request_of(*(span for _, span in bad_spans(trace_id)), good).SerializeToString()
    answer = otlp.ExportResponse.FromString(api.call("otlp-grpc", client.OTLP_EXPORT_PATH, message))
    assert answer.partial_success.rejected_spans == 3
    assert "spans[0].span_id" in answer.partial_success.error_message
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request_of(good))


def test_spans_that_are_all_bad_are_all_counted(api):
    spans = [span for _, span in bad_spans(otlp.new_trace_id())]
    answer = api.post_otlp(request_of(*spans).SerializeToString())
    assert answer.status == 200
    assert otlp.ExportResponse.FromString(answer.body).partial_success.rejected_spans == 3


# Permanent errors


def test_a_bad_protobuf_request_names_its_field_in_a_status(api):
    answer = api.post_otlp(wire.field(1, wire.field(2, 7)))
    assert answer.status == 400 and answer.headers["Content-Type"] == client.PROTOBUF
    status = status_pb2.Status.FromString(answer.body)
    assert "resource_spans[0]" in status.message
    details = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(details)
    assert details.field_violations[0].field.startswith("resource_spans[0]")
    assert "Retry-After" not in answer.headers


def test_a_bad_json_request_names_its_field_in_a_status(api):
    answer = api.post_otlp(b'{"resourceSpans":[{"scopeSpans":7}]}', client.JSON)
    assert answer.status == 400 and answer.headers["Content-Type"].startswith(client.JSON)
    assert "resourceSpans[0].scopeSpans" in answer.json()["message"]


def test_a_bad_json_text_is_told_its_place(api):
    answer = api.post_otlp(b'{\n  "resourceSpans": [\n   }', client.JSON)
    assert answer.status == 400
    assert "line 3" in answer.json()["message"]


def test_a_bad_grpc_request_names_its_field_in_its_details(api):
    with pytest.raises(grpc.RpcError) as raised:
        api.call("otlp-grpc", client.OTLP_EXPORT_PATH, wire.field(1, wire.field(2, 7)))
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    status = status_of(raised.value)
    details = error_details_pb2.BadRequest()
    assert status.code == 3 and status.details[0].Unpack(details)
    assert details.field_violations[0].field.startswith("resource_spans[0]")


def status_of(error):
    trailers = dict(error.trailing_metadata())
    return status_pb2.Status.FromString(trailers["grpc-status-details-bin"])


def test_wrong_method_path_and_type(api):
    answer = api.otlp_http.get("/v1/traces")
    assert answer.status == 405 and "POST" in answer.headers["Allow"]
    assert api.otlp_http.post("/v1/nothing", b"", {"Content-Type": client.PROTOBUF}).status == 404
    assert api.post_otlp(b"", "text/plain").status == 415
    assert api.post_otlp(b"", encoding="br").status == 415
    with pytest.raises(grpc.RpcError) as raised:
        api.call("otlp-grpc", "/opentelemetry.proto.collector.logs.v1.LogsService/Export", b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


# Compression


def gzip_fast(data):
    return gzip.compress(data, 1)


PACKERS = {
    "gzip": gzip_fast,
    "x-gzip": gzip_fast,
    "GZIP": gzip_fast,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("content_type", [client.PROTOBUF, client.JSON])
@pytest.mark.parametrize("encoding", PACKERS)
def test_compressed_bodies_are_taken(api, encoding, content_type):
    trace_id = otlp.new_trace_id()
    request = request_of(*(otlp.span(trace_id, f"span {number}") for number in range(100)))
    body = (
        request.SerializeToString()
        if content_type == client.PROTOBUF
        else json.dumps(otlp.to_json(request)).encode()
    )
    assert api.post_otlp(PACKERS[encoding](body), content_type, encoding).status == 200
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_parts_that_are_compressed_apart_are_one_body(api, encoding):
    trace_id = otlp.new_trace_id()
    body = request_of(otlp.span(trace_id)).SerializeToString()
    pack = PACKERS[encoding]
    assert api.post_otlp(pack(body[:20]) + pack(body[20:]), encoding=encoding).status == 200
    assert len(api.trace_v3_protobuf(trace_id)) == 1


def test_grpc_takes_gzip_and_zstd(api, bobbind):
    trace_id = otlp.new_trace_id()
    one, two = (request_of(otlp.span(trace_id, name)).SerializeToString() for name in ("a", "b"))
    api.call("otlp-grpc", client.OTLP_EXPORT_PATH, one, compression=grpc.Compression.Gzip)
    # grpcio has no zstd; what the OpenTelemetry Collector sends is this.
    frames = raw.frame(zstandard.compress(two), 1)
    code, message = raw.grpc_call(
        bobbind.ports["otlp-grpc"], client.OTLP_EXPORT_PATH, frames, ("grpc-encoding", "zstd")
    )
    assert code == 0, message
    assert len(api.trace_v3_protobuf(trace_id)) == 2


# Limits


def padded(trace_id, size):
    """A request of exactly `size` bytes: one good span, the rest unknown fields that don't compress
    so well that they are refused for it."""
    body = request_of(otlp.span(trace_id)).SerializeToString()
    pad = size - len(body) - 1 - len(wire.varint(size))
    return body + wire.too_long(15, pad, (os.urandom(MIB // 2).hex().encode() * 64)[:pad])


@pytest.mark.parametrize("encoding", [None, "gzip", "zstd"])
def test_64_mib_inflated_pass_and_one_byte_more_does_not(api, encoding):
    trace_id, pack = otlp.new_trace_id(), PACKERS[encoding or "identity"]
    body = padded(trace_id, REQUEST_BYTES_MAX)
    assert len(body) == REQUEST_BYTES_MAX
    assert api.post_otlp(pack(body), encoding=encoding).status == 200
    assert len(api.trace_v3_protobuf(trace_id)) == 1

    answer = api.post_otlp(
        pack(padded(otlp.new_trace_id(), REQUEST_BYTES_MAX) + b"\x10\x01"), encoding=encoding
    )
    assert answer.status == 413
    assert "Retry-After" not in answer.headers


def test_grpc_refuses_over_64_mib_for_good(api):
    trace_id = otlp.new_trace_id()
    assert (
        api.call("otlp-grpc", client.OTLP_EXPORT_PATH, padded(trace_id, REQUEST_BYTES_MAX)) == b""
    )
    with pytest.raises(grpc.RpcError) as raised:
        api.call("otlp-grpc", client.OTLP_EXPORT_PATH, padded(trace_id, REQUEST_BYTES_MAX + 1))
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    # With a RetryInfo clients would send it again.
    assert "grpc-status-details-bin" not in dict(raised.value.trailing_metadata() or ())


def test_a_value_of_1_mib_passes_whole(api):
    trace_id = otlp.new_trace_id()
    request = request_of(otlp.span(trace_id, attrs={"long": "ü" * (MIB // 2), "blob": bytes(MIB)}))
    api.send(request)
    assert api.trace_v3_json(trace_id) == otlp.flatten(request)


def test_a_trace_of_10k_spans_from_many_requests_is_streamed_in_small_messages(api):
    trace_id = otlp.new_trace_id()
    whole = otlp.ExportRequest()
    for start in range(0, 10_008, 278):
        part = request_of(
            *(
                otlp.span(trace_id, f"op {number}", attrs={"text": "x" * 400})
                for number in range(start, start + 278)
            )
        )
        api.send(part)
        whole.MergeFrom(part)
    expected = otlp.flatten(whole)
    assert len(expected) == 10_008
    chunks = api.query_rpc("GetTrace", trace_id=trace_id)
    assert len(chunks) > 1 and max(chunk.ByteSize() for chunk in chunks) < 4 * MIB
    assert api.trace_v3_grpc(trace_id) == expected
    assert api.trace_v3_protobuf(trace_id) == expected


def test_a_span_sent_twice_is_there_once_and_a_changed_one_twice(api):
    trace_id = otlp.new_trace_id()
    span = otlp.span(trace_id)
    request = request_of(span)
    api.send(request)
    api.send(request)
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request)
    changed = otlp.Span.FromString(span.SerializeToString())
    changed.name = "changed"
    api.send(request_of(changed))
    [spans] = api.trace_v3_protobuf(trace_id).values()
    assert len(spans) == 2


# Retryable errors


class HeldBodies:
    """Requests that have told a large body and don't finish it: they hold memory of ingest."""

    def __init__(self, port, count, size):
        head = (
            f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {client.PROTOBUF}\r\n"
            f"Content-Length: {size}\r\n\r\n"
        ).encode()
        self.sockets = []
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(head + bytes(size - 1))
            self.sockets.append(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.sockets:
            connection.close()


@pytest.fixture
def busy(new_daemon):
    """A daemon with little memory whose share for requests is used up."""
    bobbind = new_daemon("--memory-limit=256MiB")
    api = client.Api(bobbind)
    body = otlp.request([otlp.span(otlp.new_trace_id(), attrs={"pad": "x" * (8 * MIB)})])
    body = body.SerializeToString()
    with HeldBodies(bobbind.ports["otlp-http"], 8, 60 * MIB):
        yield bobbind, api, body


def eventually(call, is_wanted):
    """Repeats `call` until the daemon has seen what other connections sent before it."""
    deadline = time.monotonic() + daemon.START_TIMEOUT_S
    while not is_wanted(answer := call()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


def test_a_busy_daemon_says_when_to_retry_over_http(busy):
    bobbind, api, body = busy
    answer = eventually(lambda: api.post_otlp(body), lambda answer: answer.status == 503)
    assert int(answer.headers["Retry-After"]) >= 1
    status = status_pb2.Status.FromString(answer.body)
    assert status.message
    assert bobbind.metric("bobbin_receiver_refused_requests", 'reason="busy"') >= 1
    assert bobbind.admin("/healthz")[0] == 200


def test_a_busy_daemon_says_when_to_retry_over_grpc(busy):
    _, api, body = busy

    def call():
        try:
            return api.call("otlp-grpc", client.OTLP_EXPORT_PATH, body)
        except grpc.RpcError as error:
            return error

    error = eventually(call, lambda answer: isinstance(answer, grpc.RpcError))
    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status_of(error).details)
    assert info.retry_delay.seconds >= 1


def test_a_daemon_that_was_busy_takes_spans_again(new_daemon):
    bobbind = new_daemon("--memory-limit=256MiB")
    api = client.Api(bobbind)
    body = otlp.request([otlp.span(otlp.new_trace_id(), attrs={"pad": "x" * (8 * MIB)})])
    body = body.SerializeToString()
    with HeldBodies(bobbind.ports["otlp-http"], 8, 60 * MIB):
        eventually(lambda: api.post_otlp(body), lambda answer: answer.status == 503)
    eventually(lambda: api.post_otlp(body), lambda answer: answer.status == 200)
