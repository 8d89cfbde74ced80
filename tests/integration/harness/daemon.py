"""Runs the real bobbind: ports of its own, a data directory, its log, and what it did wrong."""

import http.client
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

BIN_DIR = pathlib.Path(os.environ.get("BOBBIN_BIN_DIR", "build/bin")).resolve()
SANITIZER = os.environ.get("BOBBIN_SANITIZE", "")

# Sanitizers and a busy machine make a start slow; these bound a test that hangs and measure nothing.
START_TIMEOUT_S = 120 if SANITIZER else 30
STOP_TIMEOUT_S = 60 if SANITIZER else 10

REPORTS = (
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "runtime error:",
    "WARNING: ThreadSanitizer",
    "assertion failed",
)

LISTENERS = ("otlp-grpc", "otlp-http", "http", "grpc-query", "admin", "jaeger-grpc")

SUPPRESSIONS = pathlib.Path(__file__).resolve().parents[2] / "support"


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """Ports below the range that the kernel gives to outgoing connections, so they stay free."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(15000, 32000)
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


class Daemon:
    """One data directory and one set of ports; the process behind them comes and goes."""

    def __init__(self, work_dir, flags=(), env=None):
        self.work_dir = pathlib.Path(work_dir)
        self.data_dir = self.work_dir / "data"
        self.log_path = self.work_dir / "bobbind.log"
        self.flags = list(flags)
        self.env = env or {}
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.process = None

    def command(self):
        given = [
            flag.partition("=")[0] for flag in self.flags
        ]  # one that is given twice is an error
        listen = [
            f"--{name}-listen=127.0.0.1:{port}"
            for name, port in self.ports.items()
            if f"--{name}-listen" not in given
        ]
        return [str(BIN_DIR / "bobbind"), f"--data-dir={self.data_dir}", *listen, *self.flags]

    def environment(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith("BOBBIN_")}
        for variable, file, more in (
            # gRPC and RocksDB aren't instrumented: what only they touch is not judged. Without
            # this each such race is found, symbolized and dropped, which takes minutes.
            ("TSAN_OPTIONS", "tsan.supp", "ignore_noninstrumented_modules=1"),
            ("LSAN_OPTIONS", "lsan.supp", "print_suppressions=0"),
        ):
            env[variable] = f"suppressions={SUPPRESSIONS / file} {more} {env.get(variable, '')}"
        env.update(self.env)
        return env

    def start(self, is_awaited=True):
        """Starts it and waits until it is ready; returns the seconds that took."""
        assert self.process is None
        begin = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
            )
        if is_awaited:
            self.wait_ready()
        return time.monotonic() - begin

    def wait_ready(self, timeout_s=START_TIMEOUT_S):
        deadline = time.monotonic() + timeout_s
        while True:
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise AssertionError(f"bobbind ended with {code}:\n{self.log()}")
            try:
                if self.admin("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"bobbind isn't ready after {timeout_s} s:\n{self.log()}")
            time.sleep(0.005)

    def admin(self, path):
        """GET on the admin port: (status, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["admin"], timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def metric(self, name, labels=""):
        """The value of one sample of /metrics, or None. Counters may carry the suffix _total."""
        wanted = {f"{base}{{{labels}}}" if labels else base for base in (name, name + "_total")}
        for line in self.admin("/metrics")[1].decode().splitlines():
            sample, _, value = line.rpartition(" ")
            if sample in wanted:
                return float(value)
        return None

    def metric_sum(self, name):
        """The sum of all samples of a counter, whatever their labels."""
        samples = (line.rpartition(" ") for line in self.admin("/metrics")[1].decode().splitlines())
        return sum(
            float(value)
            for sample, _, value in samples
            if sample.partition("{")[0] in (name, name + "_total")
        )

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        """SIGTERM; returns (exit code, seconds until it was gone)."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT_S + 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"bobbind doesn't stop on SIGTERM:\n{self.log()}") from None
        self.process = None
        return code, time.monotonic() - begin

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop_cleanly(self):
        code, seconds = self.terminate()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log()}"
        assert seconds <= STOP_TIMEOUT_S, f"SIGTERM took {seconds:.1f} s:\n{self.log()}"
        self.check_log()

    def log(self):
        return self.log_path.read_text(errors="replace")[-20000:] if self.log_path.exists() else ""

    def check_log(self):
        text = self.log_path.read_text(errors="replace")
        for report in REPORTS:
            at = text.find(report)
            assert at < 0, f"bobbind reported:\n{text[max(0, at - 200):at + 6000]}"

    def _status_bytes(self, field):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) << 10
        raise AssertionError(f"no {field} in /proc status")

    def rss_bytes(self):
        return self._status_bytes("VmRSS")

    def rss_peak_bytes(self):
        return self._status_bytes("VmHWM")

    def reset_rss_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
