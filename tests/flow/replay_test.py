# SPDX-License-Identifier: Apache-2.0
"""Recorded decisions asked again: policy diff, who, explain --audit; and what a caller can, from the command line."""
import json
import os
import subprocess
import tempfile
import time

from audit_test import House
from house.gateway import until

OLD = """policy: v1
name: p
rules:
  - { id: readers, permit: [fs/read, fs/list], when: '"eng" in jwt.groups' }
  - { id: no-etc, forbid: 'fs/*', when: 'args.?path.orValue("").startsWith("/etc")' }
"""
NEW = """policy: v1
name: p
rules:
  - { id: readers, permit: [fs/read, fs/list], when: '"eng" in jwt.groups' }
  - { id: auditors, permit: fs/read, when: 'jwt.sub == "audra"' }
  - { id: no-etc, forbid: 'fs/*', when: 'args.?path.orValue("").startsWith("/etc")' }
  - { id: no-keys, forbid: 'fs/*', when: 'args.?path.orValue("").endsWith(".pem")' }
"""


def line(seq, sub, groups, tool, path, decision="permit", **more):
    facts = {"jwt.groups": groups, "jwt.sub": sub}
    absent = []
    if path is None:
        absent.append("args.path")
    else:
        facts["args.path"] = path
    return json.dumps({"v": 1, "seq": seq, "time": "2026-11-23T10:00:00.000Z", "policy": "0", "decision": decision,
                       "caller": f"jwt:https://login|{sub}", "method": "tools/call", "kind": "tool", "server": "fs",
                       "name": tool, "facts": facts, "absent": absent, "withheld": [], "prev": "0", "hash": "0", **more})


def seeded():
    """10,000 decisions, of which exactly seven would be made otherwise: four permitted, three denied."""
    lines = []
    for i in range(1, 10001):
        if i in (100, 2000, 3333, 9999):
            lines.append(line(i, "audra", [], "read", f"/srv/{i}", "deny"))
        elif i in (7, 5000, 10000):
            lines.append(line(i, f"eng{i}", ["eng"], "read", f"/srv/{i}.pem"))
        else:
            kind = i % 4
            lines.append(line(i, f"user{i % 50}", ["eng"] if kind else [], ("read", "list", "rm", "read")[kind],
                              None if i % 10 == 0 else f"/etc/{i}" if i % 11 == 0 else f"/srv/{i}"))
    return lines


class Files:
    def __init__(self, binary, **files):
        self.binary, self.files = binary, files

    def __enter__(self):
        self.held = tempfile.TemporaryDirectory()
        self.dir = self.held.name
        for name, text in self.files.items():
            with open(os.path.join(self.dir, name.replace("_", ".")), "w") as f:
                f.write(text)
        return self

    def __exit__(self, *rest):
        self.held.cleanup()

    def run(self, *args):
        return subprocess.run([self.binary, "policy", *args], cwd=self.dir, capture_output=True, text=True)


def test_diff_finds_exactly_the_seven_seeded_changes_in_ten_thousand_lines(binary):
    with Files(binary, old_yaml=OLD, new_yaml=NEW, log_jsonl="\n".join(seeded()) + "\n") as f:
        begun = time.monotonic()
        p = f.run("diff", "old.yaml", "new.yaml", "--log", "log.jsonl", "--format", "json")
        took = time.monotonic() - begun
        said = json.loads(p.stdout)
        assert p.returncode == 0, p
        assert (said["decisions"], said["newly_permitted"], said["newly_denied"], said["unknown"]) == (10000, 4, 3, 0), said
        assert [(g["change"], g["count"], g["first"]) for g in said["groups"]] == \
            [("newly-denied", 3, 7), ("newly-permitted", 4, 100)], said
        assert said["groups"][0]["before"].startswith("permit readers (old.yaml:4)"), said
        assert said["groups"][0]["after"].startswith("forbid no-keys (new.yaml:7)"), said
        assert said["groups"][1]["before"] == "no permit", said
        assert took < 20, took  # a sanitized build; the figure is measured elsewhere
        text = f.run("diff", "old.yaml", "new.yaml", "--log", "log.jsonl").stdout
        assert text.endswith("10000 decisions: 4 newly permitted, 3 newly denied, 0 unknown\n"), text
        same = f.run("diff", "old.yaml", "old.yaml", "--log", "log.jsonl", "--list", "--fail-on",
                     "newly-permitted,newly-denied,unknown")
        assert same.returncode == 0 and same.stdout.startswith("10000 decisions: 0"), same


def test_diff_fails_on_what_it_is_told_to(binary):
    log = "\n".join([line(1, "audra", [], "read", "/srv/x", "deny"), line(2, "bob", ["eng"], "read", "/srv/y")]) + "\n"
    with Files(binary, old_yaml=OLD, new_yaml=NEW, log_jsonl=log) as f:
        diff = ("diff", "old.yaml", "new.yaml", "--log", "log.jsonl")
        assert f.run(*diff, "--fail-on", "newly-permitted").returncode == 1
        assert f.run(*diff, "--fail-on", "newly-denied").returncode == 0
        assert f.run(*diff, "--fail-on", "newly-allowed").returncode == 2
        assert f.run("diff", "old.yaml", "--log", "log.jsonl").returncode == 2
        missing = f.run("diff", "old.yaml", "new.yaml", "--log", "nothing.jsonl")
        assert missing.returncode == 1 and "nothing.jsonl" in missing.stderr, missing
        lists = f.run(*diff, "--list")
        assert "list of jwt:https://login|audra: + appears fs/read\n" in lists.stdout, lists.stdout
        assert "bob" not in lists.stdout.split("first:")[-1].split("\n", 1)[1], lists.stdout


def test_what_was_not_recorded_is_unknown_and_never_guessed(binary):
    reads_more = OLD.replace('"eng" in jwt.groups', '"eng" in jwt.groups && jwt.dept == "x"')
    log = "\n".join([line(1, "bob", ["eng"], "read", "/srv/y"), line(2, "bob", [], "read", "/srv/y", "deny")]) + "\n"
    with Files(binary, old_yaml=OLD, new_yaml=reads_more, log_jsonl=log) as f:
        p = f.run("diff", "old.yaml", "new.yaml", "--log", "log.jsonl", "--format", "json")
        said = json.loads(p.stdout)
        assert (said["newly_permitted"], said["newly_denied"], said["unknown"]) == (0, 0, 1), said
        assert said["groups"][0]["not_recorded"] == "jwt.dept" and said["groups"][0]["unknown_to"] == "new", said
        assert f.run("diff", "old.yaml", "new.yaml", "--log", "log.jsonl", "--fail-on", "unknown").returncode == 1
        explained = f.run("explain", "--audit", "1", "--log", "log.jsonl", "new.yaml")
        assert explained.stdout.startswith("UNKNOWN"), explained


def test_a_line_that_is_none_is_named(binary):
    with Files(binary, old_yaml=OLD, log_jsonl=line(1, "b", [], "read", "/x") + "\n{\"decision\":\"permit\"}\n") as f:
        p = f.run("diff", "old.yaml", "old.yaml", "--log", "log.jsonl")
        assert p.returncode == 1 and "log.jsonl:2: this is no decision" in p.stderr, p


def test_who_may_call_it(binary):
    guarded = OLD + "  - { id: writers, permit: fs/write, when: 'jwt.sub == \"w\" && args.size < 10' }\n"
    guarded += "  - { id: depts, permit: fs/dept, when: jwt.dept == \"x\" }\n"
    log = "\n".join([line(1, "bob", ["eng"], "read", "/srv/y"), line(2, "mal", [], "read", None, "deny"),
                     line(3, "w", [], "read", "/x", "deny"), line(4, "bob", ["ops"], "read", "/srv/y", "deny")]) + "\n"
    with Files(binary, p_yaml=guarded, log_jsonl=log) as f:
        def who(name):
            p = f.run("who", name, "--log", "log.jsonl", "p.yaml")
            assert p.returncode == 0, p
            return {w[1].rsplit("|", 1)[1]: w[0] for w in (one.split() for one in p.stdout.splitlines())}
        assert who("fs/read") == {"bob": "no", "mal": "no", "w": "no"}, "bob left the group: the latest word counts"
        assert who("fs/write") == {"bob": "no", "mal": "no", "w": "depends"}
        assert set(who("fs/dept").values()) == {"unknown"}


def test_what_a_caller_can(binary):
    rules = OLD + "  - { id: writers, permit: fs/write, args: { size: this < 10 }, when: '\"eng\" in jwt.groups' }\n"
    rules += "  - { id: hours, require: fs/write, when: 'args.mode == \"0644\"' }\n"
    with Files(binary, p_yaml=rules, alice_yaml="as: { jwt: { sub: alice, groups: [eng] } }\n",
               bob_yaml="as: { jwt: { sub: bob, groups: [] } }\n", wrong_yaml="as: alice\nwho: me\n") as f:
        alice = f.run("can", "alice.yaml", "p.yaml")
        assert alice.returncode == 0, alice
        assert "yes fs/read\n      unless no-etc: " in alice.stdout, alice.stdout
        assert "if     writers: args.size: this < 10" in alice.stdout, alice.stdout
        assert 'only if hours: args.mode == "0644"' in alice.stdout, alice.stdout
        assert "patterns" in alice.stderr, alice
        bob = f.run("can", "bob.yaml", "p.yaml")
        assert "yes" not in bob.stdout and "no  fs/read\n" in bob.stdout, bob
        wrong = f.run("can", "wrong.yaml", "p.yaml")
        assert wrong.returncode == 1 and "wrong.yaml:2:1" in wrong.stderr, wrong


def test_a_real_log_is_explained_and_compared(binary):
    with House(binary) as h:
        h.call("/etc/passwd")
        h.call("hello")
        lines = h.decisions(2)
        rules = os.path.join(h.gateway.dir, "policies")
        run = lambda *a: subprocess.run([binary, "policy", *a], capture_output=True, text=True)  # noqa: E731
        denied = run("explain", "--audit", str(lines[0]["seq"]), "--log", h.path, os.path.join(rules, "p.yaml"))
        assert denied.stdout.startswith("DENY  new/echo") and "no-etc" in denied.stdout, denied
        same = run("diff", rules, rules, "--log", h.path, "--list", "--fail-on", "newly-permitted,newly-denied,unknown")
        assert same.returncode == 0 and same.stdout.startswith("2 decisions: 0"), same
        assert until(lambda: run("who", "new/echo", "--log", h.path, os.path.join(rules, "p.yaml")).stdout.startswith("depends"))
