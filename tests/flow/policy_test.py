# SPDX-License-Identifier: Apache-2.0
"""The policy tools as a person uses them: no gateway runs, files and exit codes are all there is."""
import glob
import json
import os
import subprocess
import tempfile
import xml.etree.ElementTree

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def policy(binary, *args, code=0):
    p = subprocess.run([binary, "policy", *args], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert p.returncode == code, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout + p.stderr


def test_every_policy_we_ship_passes_its_own_tests(binary):
    shipped = sorted(glob.glob(os.path.join(ROOT, "policies", "*.yaml")))
    assert len(shipped) >= 7, shipped
    for path in shipped:
        out = policy(binary, "test", path)
        passed = int(out.strip().splitlines()[-1].split(" passed, 0 failed")[0])
        assert passed >= 5, (path, out)


def test_the_policies_we_ship_pass_as_one_set_too(binary):
    shipped = sorted(glob.glob(os.path.join(ROOT, "policies", "*.yaml")))
    alone = sum(int(policy(binary, "test", path).strip().splitlines()[-1].split()[0]) for path in shipped)
    assert policy(binary, "test", *shipped).endswith(f"{alone} passed, 0 failed\n")
    assert policy(binary, "check", *shipped).startswith("fine: ")


def test_zones_have_their_names_and_their_summers(binary):
    hours = 'timestamp("{}").getHours("Europe/Paris")'
    assert policy(binary, "eval", hours.format("2026-07-06T17:30:00Z")) == "19\n"
    assert policy(binary, "eval", hours.format("2026-12-07T17:30:00Z")) == "18\n"
    for name in ("Europe/Pariss", "../../etc/passwd", "localtime", "/etc/localtime"):
        out = policy(binary, "eval", f'timestamp("2026-07-06T17:30:00Z").getHours("{name}")', code=1)
        assert "E009" in out, out


def write(name, text):
    path = os.path.join(tempfile.mkdtemp(prefix="sallyport-policy-"), name)
    with open(path, "w") as f:
        f.write(text)
    return path


RULES = """policy: v1
name: r
vars:
  is_eng: '"eng" in jwt.?groups.orValue([])'
rules:
  - id: write
    permit: fs/write_file
    scopes: [fs:write]
    when: (vars.is_eng || jwt.sub == "root") && http.method == "POST"
    args:
      path: this.startsWith("/srv/")
      size: this <= 65536
  - id: no-env
    forbid: "fs/*"
    when: args.?path.orValue("").endsWith(".env")
    message: no secrets
tests:
  - name: "<writes> & \\"reads\\""
    as: { jwt: { sub: alice, groups: [eng], scope: "fs:write" } }
    call: fs/write_file
    args: { path: /srv/x, size: 1 }
    expect: permit
"""


def test_explain_names_what_was_missed_with_its_values(binary):
    rules = write("rules.yaml", RULES)
    request = write("request.json", json.dumps({
        "as": {"jwt": {"sub": "alice", "groups": ["eng"], "scope": "fs:write"}}, "call": "fs/write_file",
        "args": {"path": "/srv/big", "size": 70000}}))
    out = policy(binary, "explain", "--request", request, rules)
    assert out.startswith("DENY  fs/write_file  by jwt:|alice"), out
    assert "args.size = 70000" in out and "vars.is_eng = true" in out, out
    assert 'vars.is_eng || jwt.sub == "root"' in out, out
    assert "nearest permit: write misses 1 of 5 conditions" in out, out
    told = json.loads(policy(binary, "explain", "--format=json", "-r", request, rules))
    assert told["decision"] == "deny" and told["nearest"] == "write" and told["listed"], told
    missed = [c for r in told["rules"] if r["rule"] == "write" for c in r["conditions"] if c["outcome"] == "no"]
    assert [c["of"] for c in missed] == ["args.size"], missed


def test_explain_says_what_is_wrong_with_a_request(binary):
    rules = write("rules.yaml", RULES)
    for text, what in (("{call: fs/x, calll: y}", "did you mean 'call'"), ("[1]", "E103"), ("{as: {}}", "E102"),
                       ("{list: fs}", "not for a list"), ("{call: fs/x, now: noon}", "E104"), ("{call: 'fs", "E100")):
        request = write("request.yaml", text)
        out = policy(binary, "explain", "--request", request, rules, code=1)
        assert what in out or what == "E100" and request in out, (text, out)
    assert "no test has that name" in policy(binary, "explain", "--test", "nope", rules, code=2)
    assert "--request FILE, --test NAME" in policy(binary, "explain", rules, code=2)


def test_coverage_names_what_no_test_tried(binary):
    rules = write("rules.yaml", RULES)
    out = policy(binary, "test", "--coverage", rules)
    assert "coverage: 1 of 2 rules (50 %), 6 of 12 outcomes of conditions (50 %)" in out, out
    assert "no-env: it never decided" in out and "args.size: `this <= 65536` never failed" in out, out
    policy(binary, "test", "--coverage=50", rules)
    assert "below 51 %" in policy(binary, "test", "--coverage=51", rules, code=1)
    policy(binary, "test", "--coverage=101", rules, code=2)
    pasted = "".join(line + "\n" for line in out.splitlines() if line.startswith("  ") and not line.startswith("ok"))
    assert pasted.count("- name:") == 7, pasted
    whole = write("more.yaml", RULES + pasted)
    policy(binary, "check", whole)  # what it suggests is a test that can be read


def test_junit_is_xml_whatever_tests_are_called(binary):
    rules = write("rules.yaml", RULES.replace("expect: permit", "expect: deny"))
    report = rules + ".xml"
    policy(binary, "test", "--junit", report, rules, code=1)
    suite = xml.etree.ElementTree.parse(report).getroot()
    assert suite.tag == "testsuite" and suite.get("tests") == "1" and suite.get("failures") == "1"
    case = suite.find("testcase")
    assert case.get("name") == '<writes> & "reads"', case.attrib
    assert "got permit" in case.find("failure").get("message")
    policy(binary, "test", "--junit", "/nonexistent/report.xml", write("rules.yaml", RULES), code=1)


def test_verbs_explain_themselves(binary):
    overview = policy(binary, "--help")
    for line in overview.splitlines():
        if line.startswith("  "):
            text = policy(binary, line.split()[0], "--help")
            assert text.startswith("usage: sallyport policy " + line.split()[0]), text
    assert "did you mean `check`" in policy(binary, "chek", code=2)
