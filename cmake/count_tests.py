#!/usr/bin/env python3
"""Counts tests over ctest's JUnit files and prints "N passed, N failed, N skipped".

    count_tests.py RESULTS.xml...

A ctest test that is a program of many tests (cmocka, pytest, node --test) counts as what it says of
itself; another one counts as one. One that fails without a failure of its own (it crashed, or ran out
of time) counts one failure more. A file that isn't there counts one failure: nothing ran.
Exits with 1 when a test failed or none passed.
"""
import os
import re
import sys
import xml.etree.ElementTree

CMOCKA = {
    "passed": re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M),
    "failed": re.compile(r"^\[  FAILED  \] (\d+) test\(s\)", re.M),
    "skipped": re.compile(r"^\[  SKIPPED \] (\d+) test\(s\)", re.M),
}
PYTEST_LINE = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s.*$", re.M)
NODE = {
    "passed": re.compile(r"^(?:#|ℹ) pass (\d+)", re.M),
    "failed": re.compile(r"^(?:#|ℹ) fail (\d+)", re.M),
    "skipped": re.compile(r"^(?:#|ℹ) (?:skipped|todo) (\d+)", re.M),
}


def count_in_output(text):
    """What a program of many tests says of itself, or None."""
    for patterns in (CMOCKA, NODE):
        if patterns["passed"].search(text):
            return {kind: sum(map(int, pattern.findall(text))) for kind, pattern in patterns.items()}
    lines = PYTEST_LINE.findall(text)
    if lines:
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        for number, word in re.findall(r"(\d+) (\w+)", ", ".join(lines)):
            kind = {"error": "failed", "errors": "failed", "xfailed": "skipped"}.get(word, word)
            if kind in counts:
                counts[kind] += int(number)
        return counts
    return None


def count_case(case):
    status = case.get("status")
    text = "".join(out.text or "" for out in case.iter("system-out"))
    counts = count_in_output(text)
    if counts is None:
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        if status == "run":
            counts["passed"] = 1
        elif status in ("notrun", "disabled"):
            counts["skipped"] = 1
    if status == "fail" and counts["failed"] == 0:
        counts["failed"] = 1
    return counts


def count_file(path):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    if not os.path.exists(path):
        print(f"{path}: no results", file=sys.stderr)
        total["failed"] = 1
        return total
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        for kind, number in count_case(case).items():
            total[kind] += number
    return total


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sys.argv[1:]:
        for kind, number in count_file(path).items():
            total[kind] += number
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    return 0 if total["failed"] == 0 and total["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
