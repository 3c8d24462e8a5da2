"""Sums the reports in a folder: lit's and pytest's JUnit XML, GoogleTest's XML,
and steps.txt (lines `NAME passed|failed`). Prints one line a report, the names of
what failed, and at last `N passed, N failed`. Exits with 1 on any failure."""

import glob
import os
import sys
import xml.etree.ElementTree as ET


def read_xml(path):
    """(passed, failed, skipped, names of failed tests)"""
    passed = skipped = 0
    failures = []
    for case in ET.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            name = "%s.%s" % (case.get("classname", ""), case.get("name"))
            failures.append(name.lstrip("."))
        elif "skipped" in kinds or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, len(failures), skipped, failures


def read_steps(path):
    lines = [line.split() for line in open(path) if line.strip()]
    failures = [name for name, result in lines if result != "passed"]
    return len(lines) - len(failures), len(failures), 0, failures


def main(folder):
    total_passed = total_failed = 0
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        name = os.path.splitext(os.path.basename(path))[0]
        try:
            read = read_xml if path.endswith(".xml") else read_steps
            passed, failed, skipped, failures = read(path)
        except (ET.ParseError, ValueError) as error:
            passed, failed, skipped, failures = 0, 1, 0, ["unreadable: %s" % error]
        print("%-32s %6d passed %4d failed %4d skipped" % (name, passed, failed, skipped))
        for failure in failures:
            print("    FAILED " + failure)
        total_passed += passed
        total_failed += failed
    if total_passed + total_failed == 0:
        print("no reports in " + folder)
        total_failed = 1
    print("%d passed, %d failed" % (total_passed, total_failed))
    return 1 if total_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
