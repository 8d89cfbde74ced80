"""Starting, watching, configuring and stopping the daemon."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import client, daemon, otlp

OPTIONS = [
    "data-dir",
    "otlp-grpc-listen",
    "otlp-http-listen",
    "jaeger-grpc-listen",
    "http-listen",
    "grpc-query-listen",
    "admin-listen",
    "durability",
    "retention",
    "max-disk-bytes",
    "memory-limit",
]


def run(*arguments, env=None, cwd=None):
    """bobbind that ends by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BOBBIND_")}
    return subprocess.run(
        [daemon.BIN_DIR / "bobbind", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean | (env or {}),
        cwd=cwd,
        check=False,
    )


# Configuration


@pytest.mark.parametrize("option", OPTIONS)
def test_print_config_shows_every_setting(option):
    done = run("--print-config")
    assert done.returncode == 0
    assert option in done.stdout


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path):
    file = tmp_path / "bobbind.conf"
    file.write_text("retention = 1h\nmemory-limit = 300MiB\nlog-level = error\n")
    done = run(
        f"--config={file}",
        "--retention=3h",
        "--print-config",
        env={"BOBBIND_RETENTION": "2h", "BOBBIND_MEMORY_LIMIT": "400MiB"},
    )
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "3h" in lines["retention"] and "400MiB" in lines["memory-limit"]
    assert "error" in lines["log-level"]


@pytest.mark.parametrize(
    "arguments, env, word",
    [
        (["--nonsense=1"], {}, "nonsense"),
        (["--retention=soon"], {}, "retention"),
        (["--durability=maybe"], {}, "durability"),
        (["--memory-limit=1KiB"], {}, "memory-limit"),
        (["--otlp-http-listen=nowhere"], {}, "otlp-http-listen"),
        (["--max-disk-bytes=lots"], {}, "max-disk-bytes"),
        ([], {"BOBBIND_NONSENSE": "1"}, "BOBBIND_NONSENSE"),
        ([], {"BOBBIND_RETENTION": "x"}, "BOBBIND_RETENTION"),
        (["--config=/nonexistent/file"], {}, "/nonexistent/file"),
        (["surprise"], {}, "surprise"),
    ],
)
def test_a_bad_setting_is_a_start_error_that_names_it(arguments, env, word, tmp_path):
    done = run(f"--data-dir={tmp_path}/data", *arguments, env=env)
    assert done.returncode != 0
    assert word in done.stderr


def test_a_bad_line_of_the_file_is_named(tmp_path):
    file = tmp_path / "bobbind.conf"
    file.write_text("# fine\nretention = 1h\nnonsense = 2\n")
    done = run(f"--config={file}")
    assert done.returncode != 0
    assert "nonsense" in done.stderr and ":3" in done.stderr


def test_an_empty_listen_address_switches_a_listener_off(new_daemon):
    bobbind = new_daemon("--jaeger-grpc-listen=", "--grpc-query-listen=", "--otlp-grpc-listen=")
    for listener in ("jaeger-grpc", "grpc-query", "otlp-grpc"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", bobbind.ports[listener]))
    client.Api(bobbind).send(otlp.request([otlp.span(otlp.new_trace_id())]))


def test_a_taken_port_is_a_start_error_that_names_the_flag(new_daemon):
    first = new_daemon()
    for listener in ("otlp-grpc", "http"):
        second = new_daemon(is_started=False)
        second.ports[listener] = first.ports[listener]
        done = run(*second.command()[1:])
        assert done.returncode != 0
        assert f"--{listener}-listen" in done.stderr, done.stderr


def test_a_data_directory_in_use_is_a_start_error(new_daemon):
    first = new_daemon()
    second = new_daemon(is_started=False)
    second.data_dir = first.data_dir
    done = run(*second.command()[1:])
    assert done.returncode != 0 and "data-dir" in done.stderr


# Admin


def test_admin_endpoints_answer(bobbind):
    assert bobbind.admin("/healthz")[0] == 200
    assert bobbind.admin("/readyz")[0] == 200
    status, body = bobbind.admin("/version")
    version = json.loads(body)
    assert (
        status == 200
        and {"version", "git_commit", "build_time", "format_version"} <= version.keys()
    )
    assert bobbind.admin("/nothing")[0] == 404


SAMPLE = re.compile(
    r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-z_]+="[^"\\]*",?)*\})? -?[0-9.e+-]+(e[+-]\d+)?|.*\+Inf.*'
)


def test_metrics_are_well_formed_and_count(bobbind, api):
    before = bobbind.metric("bobbin_receiver_accepted_spans", 'receiver="otlp_http"') or 0
    api.send(otlp.request([otlp.span(otlp.new_trace_id()) for _ in range(7)]))
    assert bobbind.metric("bobbin_receiver_accepted_spans", 'receiver="otlp_http"') == before + 7
    status, body = bobbind.admin("/metrics")
    lines = body.decode().splitlines()
    assert status == 200 and lines[-1] == "# EOF"
    for line in lines:
        assert line.startswith("# ") or SAMPLE.fullmatch(line), line


# The viewer's files


def test_the_viewer_is_served_at_the_root(api):
    answer = api.query.get("/")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert b"<html" in answer.body.lower()


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd"]
)
def test_no_file_outside_of_the_viewer_is_served(bobbind, path):
    connection = http.client.HTTPConnection("127.0.0.1", bobbind.ports["http"], timeout=10)
    connection.request("GET", path)
    assert b"root:" not in connection.getresponse().read()
    connection.close()


# Life and death


def test_what_was_acknowledged_is_there_after_a_restart(new_daemon):
    bobbind = new_daemon()
    api = client.Api(bobbind)
    trace_id = otlp.new_trace_id()
    request = otlp.request([otlp.span(trace_id, attrs={"a": [1, "x"]})])
    api.send(request)
    bobbind.stop_cleanly()
    bobbind.start()
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request)


@pytest.mark.parametrize("durability", ["wal", "fsync"])
def test_what_was_acknowledged_is_there_after_a_kill(new_daemon, durability):
    bobbind = new_daemon(f"--durability={durability}")
    api = client.Api(bobbind)
    trace_id = otlp.new_trace_id()
    request = otlp.request([otlp.span(trace_id)])
    api.send(request)
    bobbind.kill()
    bobbind.start()
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request)


def test_sigint_stops_it_too(new_daemon):
    bobbind = new_daemon()
    bobbind.process.send_signal(signal.SIGINT)
    assert bobbind.process.wait(daemon.STOP_TIMEOUT_S) == 0
    bobbind.process = None


def test_a_request_that_is_being_sent_when_it_stops_is_finished(new_daemon):
    bobbind = new_daemon()
    trace_id = otlp.new_trace_id()
    body = otlp.request([otlp.span(trace_id)]).SerializeToString()
    head = (
        f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {client.PROTOBUF}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(
        ("127.0.0.1", bobbind.ports["otlp-http"]), timeout=20
    ) as connection:
        connection.sendall(head + body[:-1])
        # A second request on its own connection: once it is answered the first head was read, too.
        client.Api(bobbind).send(otlp.request([otlp.span(otlp.new_trace_id())]))
        bobbind.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # into the drain; too early or too late only weakens the test
        try:
            connection.sendall(body[-1:])
            answer = connection.recv(4096)
        except ConnectionError:
            answer = b""
    assert bobbind.process.wait(daemon.STOP_TIMEOUT_S) == 0
    bobbind.process = None
    bobbind.start()
    found = client.Api(bobbind).query.get(f"/api/v3/traces/{trace_id}").status
    assert found == (200 if b" 200 " in answer else 404)


def test_an_idle_connection_does_not_hold_up_the_stop(new_daemon):
    bobbind = new_daemon()
    for listener in ("otlp-http", "otlp-grpc", "http", "grpc-query", "admin"):
        socket.create_connection(("127.0.0.1", bobbind.ports[listener]), timeout=20)
    bobbind.stop_cleanly()


def test_prints_its_idle_memory_and_start_time(new_daemon):
    bobbind = new_daemon(is_started=False)
    seconds = bobbind.start()
    rss = bobbind.rss_bytes()
    print(f"\nidle: {rss / (1 << 20):.1f} MiB resident, ready after {seconds * 1000:.0f} ms")
    assert rss > 0
