#!/usr/bin/env python3
"""cmake/count_tests.py: what each kind of test program says of itself, and what it leaves unsaid."""
import pathlib
import subprocess
import sys
import tempfile
import unittest
from xml.sax.saxutils import escape

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "cmake" / "count_tests.py"

CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] takes_one
[       OK ] takes_one
[==========] 3 test(s) run.
[  PASSED  ] {passed} test(s).
"""


def count(*cases):
    """The line for one file of (status, output) cases, and the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "results.xml"
        path.write_text("<testsuite>" + "".join(
            f'<testcase name="t" status="{status}"><system-out>{escape(output)}</system-out>'
            f"</testcase>" for status, output in cases) + "</testsuite>")
        return run(path)


def run(*paths):
    done = subprocess.run([sys.executable, str(SCRIPT), *map(str, paths)], capture_output=True,
                          text=True)
    return done.stdout.strip(), done.returncode


class CountTests(unittest.TestCase):
    def test_a_program_of_one_test_counts_as_one(self):
        self.assertEqual(count(("run", "fine\n")), ("1 passed, 0 failed, 0 skipped", 0))

    def test_cmocka_programs_count_their_tests(self):
        self.assertEqual(count(("run", CMOCKA.format(passed=3)), ("run", CMOCKA.format(passed=3))),
                         ("6 passed, 0 failed, 0 skipped", 0))

    def test_cmocka_failures_and_skips_are_counted(self):
        output = (CMOCKA.format(passed=1) + "[  SKIPPED ] 1 test(s), listed below:\n"
                  "[  FAILED  ] 1 test(s), listed below:\n")
        self.assertEqual(count(("fail", output)), ("1 passed, 1 failed, 1 skipped", 1))

    def test_pytest_counts_its_tests(self):
        self.assertEqual(count(("run", "== 38 passed, 2 skipped, 1 warning in 2.97s ==\n")),
                         ("38 passed, 0 failed, 2 skipped", 0))
        self.assertEqual(count(("fail", "1 failed, 38 passed, 1 error in 62.97s (0:01:02)\n")),
                         ("38 passed, 2 failed, 0 skipped", 1))

    def test_node_counts_its_tests(self):
        output = "# tests 9\n# pass 7\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 1\n"
        self.assertEqual(count(("run", output)), ("7 passed, 0 failed, 2 skipped", 0))

    def test_a_crash_behind_passed_tests_is_a_failure(self):
        self.assertEqual(count(("fail", CMOCKA.format(passed=3) + "Segmentation fault\n")),
                         ("3 passed, 1 failed, 0 skipped", 1))

    def test_what_ctest_did_not_run_is_skipped(self):
        self.assertEqual(count(("run", ""), ("notrun", ""), ("disabled", "")),
                         ("1 passed, 0 failed, 2 skipped", 0))

    def test_a_missing_file_is_a_failure(self):
        self.assertEqual(run("/nowhere/results.xml"), ("0 passed, 1 failed, 0 skipped", 1))

    def test_nothing_passed_is_no_success(self):
        self.assertEqual(count(("notrun", "")), ("0 passed, 0 failed, 1 skipped", 1))


if __name__ == "__main__":
    unittest.main()
