"""The OpenTelemetry Go SDK sends over gRPC and HTTP; every span comes back with every field equal.
go_sdk/main.go prints the messages that it had acknowledged."""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import jaeger, otlp

MODULE = pathlib.Path(__file__).resolve().parent / "go_sdk"


def go_version():
    """(major, minor) of the installed Go; (0, 0) without one."""
    if not shutil.which("go"):
        return (0, 0)
    text = subprocess.run(
        ["go", "env", "GOVERSION"], capture_output=True, text=True, cwd="/", check=True
    ).stdout
    match = re.match(r"go(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def wanted_version():
    match = re.search(r"^go (\d+)\.(\d+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    return (int(match[1]), int(match[2]))


pytestmark = pytest.mark.skipif(
    go_version() < wanted_version(), reason=f"needs Go {wanted_version()}, found {go_version()}"
)


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    program = tmp_path_factory.mktemp("go") / "go_sdk"
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    subprocess.run(
        ["go", "build", "-o", program, "."], cwd=MODULE, env=env, check=True, timeout=600
    )
    return program


@pytest.fixture(scope="module", params=["grpc", "grpc-gzip", "http", "http-gzip"])
def sent(request, go_program, bobbind):
    listener = "otlp-grpc" if request.param.startswith("grpc") else "otlp-http"
    address = f"127.0.0.1:{bobbind.ports[listener]}"
    done = subprocess.run(
        [go_program, request.param, address], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) > 1, "several requests, so that traces are put together from parts"
    return otlp.merge(
        *(otlp.ExportRequest.FromString(base64.b64decode(line["request"])) for line in lines)
    )


def test_covers_what_it_claims(sent):
    spans = [
        span
        for resource_spans in sent.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    assert len(spans) == 10
    assert {span.kind for span in spans} == {1, 2, 3, 4, 5}
    assert {span.status.code for span in spans} == {0, 1, 2}
    assert any(link.flags and link.attributes for span in spans for link in span.links)
    assert any(span.trace_state for span in spans)
    assert any(event.name == "exception" for span in spans for event in span.events)


@pytest.mark.parametrize("way", ["v3_json", "v3_protobuf", "v3_grpc", "cli"])
def test_every_field_comes_back(sent, api, way):
    for trace_id, expected in otlp.by_trace(otlp.flatten(sent)).items():
        assert getattr(api, f"trace_{way}")(trace_id).items() >= expected.items()


def test_every_field_comes_back_in_jaegers_form(sent, api):
    for trace_id in otlp.by_trace(otlp.flatten(sent)):
        expected = jaeger.trace_of(sent, trace_id)
        found = jaeger.comparable(api.trace_v1(trace_id))
        assert [span for span in found if span in expected] == expected
