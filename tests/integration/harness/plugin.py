"""Fixtures of tests/integration and tests/fault; loaded by run_pytest.sh."""

import pytest

from harness import client, daemon


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run what takes many minutes")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        kept = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = reporter.stats.get("passed", []) + reporter.stats.get("failed", [])
    if exitstatus == 0 and reporter.stats.get("skipped") and not ran:
        session.exitstatus = 77


@pytest.fixture
def new_daemon(tmp_path):
    """Makes daemons with flags of the test's own; each must end cleanly when it still runs."""
    made = []

    def make(*flags, env=None, is_started=True):
        work_dir = tmp_path / f"bobbind-{len(made)}"
        work_dir.mkdir()
        made.append(daemon.Daemon(work_dir, flags, env))
        if is_started:
            made[-1].start()
        return made[-1]

    yield make
    _stop_all(made)


@pytest.fixture(scope="module")
def bobbind(tmp_path_factory):
    """One daemon with default settings that the tests of a module share."""
    shared = daemon.Daemon(tmp_path_factory.mktemp("bobbind"))
    shared.start()
    yield shared
    _stop_all([shared])


@pytest.fixture(scope="module")
def api(bobbind):
    return client.Api(bobbind)


def _stop_all(daemons):
    failures = []
    for each in daemons:
        try:
            if each.is_alive():
                each.stop_cleanly()
            elif each.process is not None:
                raise AssertionError(f"bobbind died with {each.process.returncode}:\n{each.log()}")
            elif each.log_path.exists():
                each.check_log()
        except AssertionError as failure:
            failures.append(str(failure))
            if each.is_alive():
                each.kill()
    assert not failures, "\n".join(failures)
