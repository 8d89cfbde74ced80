"""The README's first trace, as it stands there: its curl, its Python, its commands."""
import os
import pathlib
import re
import subprocess
import sys

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
TRACE_ID = "5b8efff798038103d269b633813fc60c"


def blocks(language):
    """The README's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def block_with(language, words):
    found = [block for block in blocks(language) if words in block]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {words!r}"
    return found[0]


def run_shell(script, bobbind, bin_dir):
    script = script.replace("127.0.0.1:4318", f"127.0.0.1:{bobbind.ports['otlp-http']}")
    script = script.replace("build/bin/", f"{bin_dir}/")
    env = {**os.environ, "BOBBIN_SERVER": f"http://127.0.0.1:{bobbind.ports['http']}"}
    return subprocess.run(["bash", "-euc", script], env=env, capture_output=True, text=True,
                          check=True, timeout=60).stdout


def test_the_span_that_curl_sends_is_found_by_the_commands(bobbind):
    bin_dir = pathlib.Path(os.environ.get("BOBBIN_BIN_DIR", "build/bin")).resolve()

    assert run_shell(block_with("sh", "curl -sS"), bobbind, bin_dir).strip() == "{}"
    shown = run_shell(block_with("sh", "bobbin search"), bobbind, bin_dir)
    for words in ("shop", "POST /checkout", TRACE_ID):
        assert words in shown


def test_the_python_program_sends_a_trace_of_two_spans(bobbind, tmp_path):
    program = tmp_path / "first.py"
    program.write_text(block_with("python", "TracerProvider"))
    env = {**os.environ,
           "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{bobbind.ports['otlp-grpc']}"}
    before = bobbind.metric("bobbin_receiver_accepted_spans", 'receiver="otlp_grpc"') or 0

    subprocess.run([sys.executable, str(program)], env=env, check=True, timeout=60)
    after = bobbind.metric("bobbin_receiver_accepted_spans", 'receiver="otlp_grpc"')
    assert after - before == 2


def test_every_address_of_the_readme_is_a_default():
    defaults = subprocess.run([str(pathlib.Path(os.environ.get("BOBBIN_BIN_DIR", "build/bin"))
                                   / "bobbind"), "--print-config"],
                              capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\| (127\.0\.0\.1:\d+) \|.*\| `--([\w-]+)` \|$", README, re.M)
    assert len(rows) == 6
    for address, flag in rows:
        assert f"{flag} = {address} # default\n" in defaults
