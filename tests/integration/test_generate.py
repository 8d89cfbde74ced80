"""`bobbin generate`: what ./run shows when there is no captured traffic."""
import os

from harness import client

FOUND = 0


def env_of(bobbind):
    return os.environ | {
        "BOBBIN_SERVER": f"http://127.0.0.1:{bobbind.ports['http']}",
        "BOBBIN_OTLP": f"http://127.0.0.1:{bobbind.ports['otlp-http']}",
    }


def test_generated_traffic_is_stored_and_found(bobbind):
    env = env_of(bobbind)
    assert client.run_cli("generate", "--traces", "200", "--errors", "20%", env=env).returncode == 0
    accepted = bobbind.metric("bobbin_receiver_accepted_spans", 'receiver="otlp_http"')
    assert accepted >= 200

    services = client.run_cli("services", env=env)
    assert services.returncode == FOUND
    name = services.stdout.decode().split()[1]
    for wanted in (("--service", name), ("--tag", "error=true")):
        assert client.run_cli("search", *wanted, env=env).returncode == FOUND


def test_one_seed_gives_the_same_bytes_again(tmp_path):
    times = ("--since", "2026-11-24T21:00:00Z", "--until", "2026-11-24T22:00:00Z")
    files = [tmp_path / name for name in ("first", "again", "other")]
    for file, seed in zip(files, ("7", "7", "8")):
        done = client.run_cli("generate", "--traces", 20, "--seed", seed, *times, "-o", file)
        assert done.returncode == 0, done.stderr
    first, again, other = (file.read_bytes() for file in files)
    assert len(first) > 1000
    assert first == again
    assert first != other
