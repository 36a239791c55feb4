# SPDX-License-Identifier: Apache-2.0
"""Reads a suite's summary: count.py SET EXIT-CODE RESULTS < log; RESULTS is the folder it wrote.

A scored scenario that fails, or is warned of, is a failure, unless docs/conformance.md has a row that says why it cannot
pass; one that is explained there and passes is a failure, too. What has no score is counted apart."""
import glob
import json
import os
import re
import sys

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "conformance.md")
name, status, results = sys.argv[1], int(sys.argv[2]), sys.argv[3]
text = re.sub(r"\x1b\[[0-9;]*m", "", sys.stdin.read())
summary = text.split("=== SUMMARY ===")[-1].split("=== SUITE SUMMARY ===")[-1]
rows = re.findall(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed", summary, re.M)
unscored = set(re.findall(r"^  [✓✗] (\S+) \(", summary, re.M))
failing = {scenario for mark, scenario, _, _ in rows if mark == "✗"}
for path in glob.glob(os.path.join(results, "**", "checks.json"), recursive=True):
    with open(path) as f:
        if any(check["status"] in ("FAILURE", "WARNING") for check in json.load(f)):
            where = os.path.relpath(os.path.dirname(path), results)
            failing.add(re.sub(r"^server-|-\d{4}-\d\d-\d\dT[-\d]+Z$", "", where))
failing -= unscored
with open(DOCS) as f:
    explained = set(re.findall(rf"^\| `{re.escape(name)}` \| `(\S+)` \|", f.read(), re.M))
passed, not_passed = sum(int(p) for _, _, p, _ in rows), sum(int(f) for _, _, _, f in rows)
surprises = failing ^ explained
for scenario in sorted(surprises):
    print(f"  FAIL {scenario}: " + ("fails" if scenario in failing else "passes, though docs/conformance.md says why it cannot"))
failed = len(surprises)
if not rows or (status and not failing):
    failed += 1
    print(f"  FAIL the suite itself: exit {status}")
    print("\n".join(text.splitlines()[-15:]))
print(f"# {name}: {passed} passed, {failed} failed, {max(not_passed - failed, 0)} explained or without a score")
print(f"{passed} passed, {failed} failed")
