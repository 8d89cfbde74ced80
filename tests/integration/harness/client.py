"""Talks to a bobbind the way its users do: OTLP, Jaeger's query APIs, the command line."""

import dataclasses
import http.client
import json
import os
import subprocess
import threading
import urllib.parse

import grpc

from harness import daemon as daemons
from harness import otlp, protos

OTLP_EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
POST_SPANS_PATH = "/jaeger.api_v2.CollectorService/PostSpans"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
LARGE_MESSAGES = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
]
TIMEOUT_S = 120 if daemons.SANITIZER else 30


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


class HttpClient:
    """Keeps one connection per thread; connects anew when the server has closed it."""

    def __init__(self, port):
        self.port = port
        self._local = threading.local()

    def request(self, method, path, body=None, headers=None, params=None):
        if params:
            path += "?" + urllib.parse.urlencode(params)
        reused = getattr(self._local, "connection", None)
        connection = reused or self._connect()
        try:
            return self._send(connection, method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if reused is None:
                raise
        return self._send(self._connect(), method, path, body, headers)

    def get(self, path, params=None, headers=None):
        return self.request("GET", path, headers=headers, params=params)

    def post(self, path, body, headers):
        return self.request("POST", path, body, headers)

    def close(self):
        connection = getattr(self._local, "connection", None)
        if connection:
            connection.close()
        self._local.connection = None

    def _connect(self):
        self._local.connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT_S
        )
        return self._local.connection

    def _send(self, connection, method, path, body, headers):
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if response.will_close:
            self.close()
        return answer


class Api:
    """All of one bobbind's doors."""

    def __init__(self, bobbind):
        self.bobbind = bobbind
        self.otlp_http = HttpClient(bobbind.ports["otlp-http"])
        self.query = HttpClient(bobbind.ports["http"])
        self._channels = {}

    def channel(self, listener):
        if listener not in self._channels:
            address = f"127.0.0.1:{self.bobbind.ports[listener]}"
            self._channels[listener] = grpc.insecure_channel(address, options=LARGE_MESSAGES)
        return self._channels[listener]

    # Sending

    def post_otlp(self, body, content_type=PROTOBUF, encoding=None, **headers):
        headers = {"Content-Type": content_type} | headers
        if encoding:
            headers["Content-Encoding"] = encoding
        return self.otlp_http.post("/v1/traces", body, headers)

    def send(self, request):
        """Stores an ExportTraceServiceRequest; fails unless all of it was accepted."""
        answer = self.post_otlp(request.SerializeToString())
        assert answer.status == 200, answer
        response = otlp.ExportResponse.FromString(answer.body)
        assert not response.HasField("partial_success"), response

    def call(self, listener, path, message, **options):
        """A unary gRPC call of raw bytes; raises grpc.RpcError."""
        method = self.channel(listener).unary_unary(path)
        return method(message, timeout=TIMEOUT_S, **options)

    # Jaeger gRPC v3

    def query_rpc(self, method, **fields):
        """Calls jaeger.api_v3.QueryService; a list of messages for a streaming method."""
        path, request_class, response_class = protos.service("jaeger.api_v3.QueryService")[method]
        streams = method in ("GetTrace", "FindTraces", "FindTraceSummaries")
        channel = self.channel("grpc-query")
        make = channel.unary_stream if streams else channel.unary_unary
        call = make(
            path,
            request_serializer=request_class.SerializeToString,
            response_deserializer=response_class.FromString,
        )
        answer = call(request_class(**fields), timeout=TIMEOUT_S)
        return list(answer) if streams else answer

    # One trace, by each way out: {(trace id, span id): [flat spans]}

    def trace_v3_json(self, trace_id):
        answer = self.query.get(f"/api/v3/traces/{trace_id}")
        assert answer.status == 200, answer
        return otlp.flatten(otlp.from_json(answer.json()["result"]))

    def trace_v3_protobuf(self, trace_id):
        answer = self.query.get(f"/api/v3/traces/{trace_id}", headers={"Accept": PROTOBUF})
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == PROTOBUF
        return otlp.flatten(otlp.TracesData.FromString(answer.body))

    def trace_v3_grpc(self, trace_id):
        chunks = self.query_rpc("GetTrace", trace_id=trace_id)
        assert all(chunk.resource_spans for chunk in chunks), "an empty chunk"
        return otlp.flatten(
            *(otlp.TracesData.FromString(chunk.SerializeToString()) for chunk in chunks)
        )

    def trace_cli(self, trace_id):
        done = self.cli("trace", trace_id, "--output", "json")
        assert done.returncode == 0, done
        return otlp.flatten(otlp.from_json(otlp.unwrap(json.loads(done.stdout))))

    def trace_v1(self, trace_id):
        """The trace object of Jaeger's first HTTP API."""
        answer = self.query.get(f"/api/traces/{trace_id}")
        assert answer.status == 200, answer
        envelope = answer.json()
        assert envelope["errors"] is None and len(envelope["data"]) == 1, envelope
        return envelope["data"][0]

    # The command line

    def cli(self, *arguments, input=None):
        env = {name: value for name, value in os.environ.items() if not name.startswith("BOBBIN_")}
        env["BOBBIN_SERVER"] = f"http://127.0.0.1:{self.bobbind.ports['http']}"
        return run_cli(*arguments, input=input, env=env)


def run_cli(*arguments, input=None, env=None):
    return subprocess.run(
        [str(daemons.BIN_DIR / "bobbin"), *map(str, arguments)],
        input=input,
        capture_output=True,
        timeout=TIMEOUT_S,
        env=env,
        check=False,
    )
