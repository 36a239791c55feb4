# SPDX-License-Identifier: Apache-2.0
"""`sallyport policy check`: as a person reads it, as a program does, and as a code scanner does."""
import glob
import json
import os
import subprocess
import tempfile

from house.gateway import CONFIG as SERVED, Gateway, until
from house.tokens import Issuer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CONFIG = os.path.join(ROOT, "tests", "golden", "check", "sallyport.yaml")
INVENTORY = os.path.join(ROOT, "tests", "golden", "check", "inventory.json")

POLICY = """policy: v1
rules:
  - id: readers
    permit: fs/read_file
    when: has(jwt.sub) == true
    args:
      pth: this.startsWith("/srv/")
  - id: no-depth
    forbid: fs/list_dir
    when: args.depth > 5
"""
TEXT = """p.yaml:5:11: warning W305: this compares what is true or false already
  5 |     when: has(jwt.sub) == true
    |           ^~~~~~~~~~~~~~~~~~~~ write has(jwt.sub)
p.yaml:7:7: error E201: tool fs/read_file has no argument 'pth'
  7 |       pth: this.startsWith("/srv/")
    |       ^~~ did you mean 'path'?
p.yaml:10:11: error E202: this forbid cannot be evaluated when 'depth' is absent (it is optional in fs/list_dir), and denies every such call
  10 |     when: args.depth > 5
     |           ^~~~~~~~~~ write args.?depth.orValue(0)
2 errors, 1 warning; `sallyport policy help W305` explains a code
"""


def run(binary, *arguments, text=POLICY):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "p.yaml"), "w") as f:
            f.write(text)
        command = [binary, "policy", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def check(binary, *options, text=POLICY, world=True):
    known = ["-c", CONFIG, "-i", INVENTORY] if world else []
    return run(binary, "check", *known, *options, "p.yaml", text=text)


def test_check_points_at_what_is_wrong(binary):
    done = check(binary)
    assert (done.returncode, done.stderr) == (1, ""), done
    assert done.stdout == TEXT, done.stdout


def test_check_knows_less_without_a_world(binary):
    done = check(binary, "--format=json", world=False)
    found = json.loads(done.stdout)
    assert [f["code"] for f in found["findings"]] == ["W305", "W317"], found
    assert done.returncode == 0 and found["errors"] == 0 and found["rules"] == 2, "warnings refuse nothing"


def test_check_says_it_in_json(binary):
    done = check(binary, "--format", "json")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and (found["errors"], found["warnings"], found["files"]) == (2, 1, 1), found
    assert found["findings"][0] == {
        "severity": "warning", "code": "W305", "file": "p.yaml", "line": 5, "column": 11, "width": 20,
        "message": "this compares what is true or false already", "suggestion": "write has(jwt.sub)",
        "replacement": "has(jwt.sub)"}, found


def test_check_says_it_in_sarif(binary):
    done = check(binary, "--format", "sarif")
    log = json.loads(done.stdout)
    (one,) = log["runs"]
    driver = one["tool"]["driver"]
    assert log["version"] == "2.1.0" and driver["name"] == "sallyport", log
    levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in driver["rules"]}
    assert len(levels) == len(driver["rules"]) > 40
    results = [(r["ruleId"], r["level"]) for r in one["results"]]
    assert results == [("W305", "warning"), ("E201", "error"), ("E202", "error")], results
    for result in one["results"]:
        assert result["ruleId"] in levels and result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "p.yaml"} and place["region"]["startLine"] >= 5, place
    region = one["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 5, "startColumn": 11, "endColumn": 31}, region


def test_check_finds_nothing_where_nothing_is(binary):
    text = "policy: v1\nrules:\n  - id: r\n    permit: fs/read_file\n    when: has(jwt.sub)\n"
    done = check(binary, text=text)
    assert (done.returncode, done.stdout) == (0, "fine: 1 rule in 1 file\n"), done
    done = check(binary, "--format", "sarif", text="policy: v1\n")
    assert done.returncode == 0 and json.loads(done.stdout)["runs"][0]["results"] == []


def test_check_wants_what_it_can_use(binary):
    assert check(binary, "--format", "xml").returncode == 2
    assert run(binary, "check").returncode == 2
    assert run(binary, "check", "-i", "p.yaml", "p.yaml").returncode == 1
    assert "warnings (W…)" in run(binary, "check", "--help").stdout


def test_check_shows_names_of_peers_safely(binary):
    tool = {"name": "read\x1b[31m\u202e", "inputSchema": {"properties": {"a\x07": {}}}}
    text = "policy: v1\nrules:\n  - id: r\n    permit: fs/*\n    when: args.b == 1\n"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"servers": {"fs": {"tools": [tool]}}}, f)
        f.flush()
        done = run(binary, "check", "-i", f.name, "p.yaml", text=text)
    assert "E201" in done.stdout and done.returncode == 1, done
    assert not set(done.stdout) & {"\x1b", "\u202e", "\x07"}, ascii(done.stdout)


def test_check_codes_are_explained(binary):
    done = run(binary, "help", "e202")
    assert done.returncode == 0 and done.stdout.startswith("E202: ") and "Has it not:" in done.stdout, done
    done = subprocess.run([binary, "help", "W306"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("W306: "), done
    assert run(binary, "help", "E999").returncode == 2 and run(binary, "help").returncode == 2


SETTINGS = """version: 1
identity:
  jwt:
    - { issuer: a, audiences: [b], jwks: "file:k.json", claims: { tier: string } }
mcp:
  servers:
    fs: { url: "http://127.0.0.1:1/mcp" }
policies: [p.yaml]
"""
RULE = "policy: v1\nrules:\n  - id: r\n    permit: fs/*\n    when: "


def test_check_is_part_of_checking_a_configuration(binary):
    with tempfile.TemporaryDirectory() as folder:
        for condition, code, place in ("jwt.tieer == 'a'", 0, "p.yaml:5:15: warning W301"), ("jwt.tier == 3", 1, "p.yaml:5:20: error E003"):
            for name, text in ("sallyport.yaml", SETTINGS), ("k.json", '{"keys":[]}'), ("p.yaml", RULE + condition + "\n"):
                with open(os.path.join(folder, name), "w") as f:
                    f.write(text)
            command = [binary, "check", "-c", os.path.join(folder, "sallyport.yaml")]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == code and place in done.stderr, done


def test_a_route_may_not_ask_what_it_cannot_be_told(binary):
    """Nothing of a quota is known where a route is chosen: such a condition would never hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sallyport.yaml")
        for condition, code, said in (("jwt.sub == 'a'", 0, ""), ("llm.backend == 'a'", 1, "chooses the backend"),
                                      ("quota.q.remaining > 1", 1, "before quotas are asked")):
            with open(path, "w") as f:
                f.write("version: 1\nllm:\n  backends: { a: { schema: openai } }\n"
                        f"  routes: [{{ name: r, to: [a], when: \"{condition}\" }}]\n")
            done = subprocess.run([binary, "check", "-c", path], capture_output=True, text=True, timeout=60)
            assert done.returncode == code and said in done.stderr, done
            assert code == 0 or "sallyport.yaml:4:38: " in done.stderr, done


def test_check_has_nothing_to_say_of_what_we_ship(binary):
    shipped = sorted(glob.glob(ROOT + "/policies/*.yaml") + glob.glob(ROOT + "/examples/*/policies/*.yaml"))
    assert len(shipped) >= 9, shipped
    for path in shipped:
        config = os.path.join(os.path.dirname(path), "..", "sallyport.yaml")
        options = ["-c", config] if os.path.exists(config) else []
        done = subprocess.run([binary, "policy", "check", *options, path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith("fine: "), (path, done)


def test_check_speaks_when_a_policy_is_reloaded(binary):
    assert "    - issuer:" in SERVED
    config = SERVED.replace("    - issuer:", "    - claims: {{ tier: string }}\n      issuer:", 1)
    gateway = Gateway(binary, Issuer(), policy=RULE + "jwt.tier == 'a'\n", config=config)
    try:
        gateway.write("policies/p.yaml", RULE + "has(jwt.tier) == true\n")
        assert until(lambda: '"reloaded"' in gateway.log_text(), 40), gateway.log_text()
        assert "warning W305" in gateway.log_text() and "reload refused" not in gateway.log_text()
        gateway.write("policies/p.yaml", RULE + "jwt.tier == 3\n")
        assert until(lambda: "reload refused" in gateway.log_text(), 40), gateway.log_text()
        assert "p.yaml:5:20: error E003" in gateway.log_text(), gateway.log_text()
    finally:
        gateway.stop()
