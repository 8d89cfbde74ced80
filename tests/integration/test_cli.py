"""`bobbin` from end to end: exit codes, forms of output, import and export."""

import json
import os
import struct
import time

import pytest

from harness import client, otlp

S = 10**9
FOUND, NOTHING, ERROR = 0, 1, 2


def traffic():
    """Three traces of two services, some minutes ago."""
    start_ns = time.time_ns() - 600 * S
    requests = []
    for number in range(3):
        trace_id, root = otlp.new_trace_id(), otlp.new_span_id()
        requests.append(
            otlp.request(
                [
                    otlp.span(
                        trace_id,
                        f"GET /{number}",
                        root,
                        start_ns + number * S,
                        50_000_000,
                        kind=otlp.SERVER,
                        attrs={"number": number, "tiny": 1e-300, "list": ["a", 1]},
                    )
                ],
                "cli front",
                {"host": "h\u00e9"},
                otlp.Scope(name="lib", version="1"),
            )
        )
        child = otlp.span(
            trace_id,
            "query",
            None,
            start_ns + number * S + 1000,
            10_000_000,
            root,
            {"blob": b"\x00\xff"},
            kind=otlp.CLIENT,
            status={"code": 2 if number == 1 else 0, "message": "no rows" if number == 1 else ""},
        )
        child.events.append(otlp.event("exception", start_ns, attrs={"exception.message": "a\nb"}))
        child.links.append(
            otlp.link(otlp.new_trace_id(), otlp.new_span_id(), attrs={"why": "retry"})
        )
        requests.append(otlp.request([child], "cli back", resource_url="urn:x"))
    return requests


@pytest.fixture(scope="module")
def sent(api):
    requests = traffic()
    for request in requests:
        api.send(request)
    return otlp.merge(*requests)


@pytest.fixture(scope="module")
def ids(sent):
    """Trace ids, oldest first."""
    return [
        sent.resource_spans[2 * number].scope_spans[0].spans[0].trace_id.hex()
        for number in range(3)
    ]


# Exit codes


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["services"], FOUND),
        (["search", "--service", "cli front"], FOUND),
        (["search", "--service", "nobody"], NOTHING),
        (["search", "--service", "cli front", "--tag", "number=9"], NOTHING),
        (["trace", "ab" * 16], NOTHING),
        (["trace", "xyz"], ERROR),
        (["trace"], ERROR),
        ([], ERROR),
        (["nonsense"], ERROR),
        (["search", "--nonsense"], ERROR),
        (["search", "--limit", "0"], ERROR),
        (["search", "--sort", "oldest"], ERROR),
        (["search", "--tag", "novalue"], ERROR),
        (["search", "--min-duration", "5"], ERROR),
        (["search", "--output", "xml"], ERROR),
        (["search", "--min-duration", "2s", "--max-duration", "1s"], ERROR),
        (["import", "/nonexistent"], ERROR),
        (["services", "surprise"], ERROR),
        (["--help"], FOUND),
        (["search", "--help"], FOUND),
        (["--version"], FOUND),
    ],
)
def test_exit_codes(api, sent, arguments, code):
    done = api.cli(*arguments)
    assert done.returncode == code, done
    if code == ERROR:
        assert done.stdout == b"" and done.stderr.startswith(b"bobbin: "), done


def test_a_trace_that_is_there_is_found(api, ids):
    assert api.cli("trace", ids[0]).returncode == FOUND
    assert api.cli("trace", ids[0].upper()).returncode == FOUND


def test_a_server_that_is_not_there_is_an_error(tmp_path):
    for command in (["services"], ["search"], ["trace", "ab" * 16]):
        done = client.run_cli(*command, "--server", "http://127.0.0.1:1", env=dict(os.environ))
        assert done.returncode == ERROR
        assert b"127.0.0.1:1" in done.stderr


def test_the_flag_wins_over_the_environment(api, sent):
    server = f"http://127.0.0.1:{api.bobbind.ports['http']}"
    env = os.environ | {"BOBBIN_SERVER": "http://127.0.0.1:1"}
    assert client.run_cli("services", "--server", server, env=env).returncode == FOUND
    assert client.run_cli("services", env=env).returncode == ERROR


# Forms of output


def test_services_in_each_form(api, sent):
    expected = ["cli back", "cli front"]
    assert json.loads(api.cli("services", "--output", "json").stdout)["services"] == expected
    lines = api.cli("services", "--output", "ndjson").stdout.splitlines()
    assert len(lines) == 2 and all(
        name in json.dumps(json.loads(line)) for name, line in zip(expected, lines)
    )
    table = api.cli("services").stdout.decode()
    assert all(name in table for name in expected)


def test_a_search_in_each_form(api, ids):
    arguments = ["search", "--service", "cli front"]
    document = json.loads(api.cli(*arguments, "--output", "json").stdout)
    assert [each["traceId"] for each in document["summaries"]] == ids[::-1]
    lines = [
        json.loads(line) for line in api.cli(*arguments, "--output", "ndjson").stdout.splitlines()
    ]
    assert lines == document["summaries"]
    assert lines[0]["spanCount"] == 2 and lines[1]["errorSpanCount"] == 1
    table = api.cli(*arguments).stdout.decode()
    assert all(trace_id in table for trace_id in ids) and "GET /0" in table
    assert len(api.cli(*arguments, "--limit", "1", "--output", "ndjson").stdout.splitlines()) == 1


def test_a_trace_in_each_form(api, sent, ids):
    expected = otlp.by_trace(otlp.flatten(sent))[ids[1]]
    assert api.trace_cli(ids[1]) == expected
    lines = api.cli("trace", ids[1], "--output", "ndjson").stdout.splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines) and lines
    table = api.cli("trace", ids[1]).stdout.decode()
    assert "GET /1" in table and "query" in table and "cli back" in table
    assert "\x1b" not in table, "no colours but on a terminal"


def test_control_characters_of_a_trace_do_not_reach_the_terminal(api):
    trace_id = otlp.new_trace_id()
    api.send(otlp.request([otlp.span(trace_id, "a\x1b[31mb\rc\nd\x9b5m")], "bad\x1b]0;title\x07"))
    for command in (["trace", trace_id], ["search", "--limit", "1"], ["services"]):
        out = api.cli(*command).stdout
        assert not set(out) & {0x1B, 0x0D, 0x07}, out


def test_since_and_sort(api, ids):
    arguments = ["search", "--service", "cli front", "--output", "ndjson"]
    assert api.cli(*arguments, "--since", "5m").returncode == NOTHING
    assert api.cli(*arguments, "--since", "1h").returncode == FOUND
    slowest = api.cli(*arguments, "--sort", "slowest", "--limit", "3")
    assert {json.loads(line)["traceId"] for line in slowest.stdout.splitlines()} == set(ids)


# Import and export


def as_json_file(requests):
    return json.dumps(otlp.to_json(otlp.merge(*requests)), indent=1).encode()


def as_json_lines(requests):
    return b"".join(json.dumps(otlp.to_json(request)).encode() + b"\n" for request in requests)


def as_framed_protobuf(requests):
    messages = [request.SerializeToString() for request in requests]
    return b"".join(struct.pack("<I", len(message)) + message for message in messages)


def import_env(bobbind):
    return os.environ | {
        "BOBBIN_SERVER": f"http://127.0.0.1:{bobbind.ports['http']}",
        "BOBBIN_OTLP": f"http://127.0.0.1:{bobbind.ports['otlp-http']}",
    }


@pytest.mark.parametrize("write", [as_json_file, as_json_lines, as_framed_protobuf])
def test_import_reads_each_form(api, bobbind, tmp_path, write):
    requests = traffic()
    file = tmp_path / "traffic"
    file.write_bytes(write(requests))
    done = client.run_cli("import", file, env=import_env(bobbind))
    assert done.returncode == FOUND, done
    for trace_id, expected in otlp.by_trace(otlp.flatten(otlp.merge(*requests))).items():
        assert api.trace_v3_protobuf(trace_id) == expected


@pytest.mark.parametrize("write", [as_json_lines, as_framed_protobuf])
def test_import_of_a_damaged_file_is_an_error(bobbind, tmp_path, write):
    file = tmp_path / "damaged"
    file.write_bytes(write(traffic())[:-10])
    done = client.run_cli("import", file, env=import_env(bobbind))
    assert done.returncode == ERROR and str(file).encode() in done.stderr, done


def test_import_with_now_moves_all_times_together(api, bobbind, tmp_path):
    trace_id = otlp.new_trace_id()
    old = otlp.span(trace_id, "old", "00000000000000aa", 10**18, 3 * S)
    old.events.append(otlp.event("e", 10**18 + S))
    older = otlp.span(trace_id, "older", "00000000000000bb", 10**18 - 5 * S, S)
    file = tmp_path / "old.jsonl"
    file.write_bytes(as_json_lines([otlp.request([old]), otlp.request([older])]))
    before_ns = time.time_ns()
    done = client.run_cli("import", "--now", file, env=import_env(bobbind))
    assert done.returncode == FOUND, done
    answer = api.query.get(f"/api/v3/traces/{trace_id}", headers={"Accept": client.PROTOBUF})
    spans = {
        span.name: span
        for resource in otlp.TracesData.FromString(answer.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    start_ns = spans["old"].start_time_unix_nano
    assert before_ns - 60 * S <= spans["old"].end_time_unix_nano <= time.time_ns() + S
    assert spans["old"].end_time_unix_nano == start_ns + 3 * S
    assert spans["old"].events[0].time_unix_nano == start_ns + S
    assert spans["older"].start_time_unix_nano == start_ns - 5 * S


def test_what_is_exported_and_imported_elsewhere_is_equal(
    api, bobbind, sent, ids, new_daemon, tmp_path
):
    file = tmp_path / "exported"
    with open(file, "wb") as out:
        done = client.run_cli(
            "export", "--service", "cli front", "--limit", "1000", env=import_env(bobbind)
        )
        assert done.returncode == FOUND, done
        out.write(done.stdout)
    second = new_daemon()
    assert client.run_cli("import", file, env=import_env(second)).returncode == FOUND
    expected = otlp.by_trace(otlp.flatten(sent))
    other = client.Api(second)
    for trace_id in ids:
        assert other.trace_v3_protobuf(trace_id) == expected[trace_id]


def test_an_export_of_nothing_says_so(api, bobbind):
    done = client.run_cli("export", "--service", "nobody", env=import_env(bobbind))
    assert done.returncode == NOTHING and done.stdout == b""
