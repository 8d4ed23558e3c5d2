"""Which cases of a test run were skipped, and why: skipped.py FILE [--none-but PATTERN], FILE as ctest --output-junit
writes it. A case that skips says so on a line of its own, "Skipped: why". With --none-but the exit code is 1 if one was
skipped whose test is not matched by PATTERN.
"""

import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree

SAID = re.compile(r"^.*?Skipped: (.*)$", re.MULTILINE)


def skipped(text):
    """(test, why) of every skipped case. ValueError if the file has no test."""
    # What a test printed may hold characters that XML does not have.
    tests = ElementTree.fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", text)).findall("testcase")
    if not tests:
        raise ValueError("no test was run")
    found = []
    for test in tests:
        reasons = SAID.findall(test.findtext("system-out") or "")
        if not reasons and test.get("status") == "notrun":
            reasons = ["without a reason"]
        found += [(test.get("name"), why) for why in reasons]
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--none-but", metavar="PATTERN")
    arguments = parser.parse_args(arguments)
    with open(arguments.file, encoding="utf-8", errors="replace") as file:
        found = skipped(file.read())
    print(f"{len(found)} cases skipped")
    for test, why in found:
        print(f"  {test}: {why}")
    if arguments.none_but is None:
        return 0
    wrong = [test for test, _ in found if not re.search(arguments.none_but, test)]
    if wrong:
        print(f"none may be skipped here, but {len(wrong)} were", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
