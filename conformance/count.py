# SPDX-License-Identifier: Apache-2.0
"""Reads a suite's summary: count.py SET EXIT-CODE < log.

The verdict is the suite's own: its exit code, and the scenarios it calls unexpected (failing and not
listed, or listed and passing). Every other failing check is listed as expected, or has no score."""
import re
import sys

name, status = sys.argv[1], int(sys.argv[2])
text = re.sub(r"\x1b\[[0-9;]*m", "", sys.stdin.read())
summary = text.split("=== SUMMARY ===")[-1]
rows = re.findall(r"^[✓✗] (\S+): (\d+) passed, (\d+) failed", summary, re.M)
passed, not_passed = sum(int(p) for _, p, _ in rows), sum(int(f) for _, _, f in rows)
surprises = re.findall(r"^  [✗!⚠✓] (\S+)", summary, re.M)
failed = len(surprises) if status else 0
for scenario in surprises if status else []:
    print(f"  FAIL {scenario}: not as its expected-failures file says")
if status and not failed or not rows:
    failed = 1
    print(f"  FAIL the suite itself: exit {status}")
    print("\n".join(text.splitlines()[-15:]))
print(f"# {name}: {passed} passed, {failed} failed, {not_passed - failed} expected to fail or without a score")
print(f"{passed} passed, {failed} failed")
