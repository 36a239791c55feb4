# SPDX-License-Identifier: Apache-2.0
"""`sallyport policy import`: other gateways' rules decide here what they decided there.

The examples and the table of decisions are not part of this repository; without them (a folder
`shared` beside it, or SALLYPORT_SHARED) those tests say so and pass."""
import glob
import json
import os
import subprocess
import tempfile

here = os.path.dirname(os.path.abspath(__file__))


def shared(path):
    """The path in the folder of shared material, or None."""
    folders = [os.environ.get("SALLYPORT_SHARED", "")]
    folders += [os.path.join(here, *[".."] * up, "shared") for up in (3, 4)]
    for folder in folders:
        found = os.path.join(folder, path)
        if folder and os.path.exists(found):
            return found
    print(f"     (no shared material: {path} is skipped)")
    return None


def run(binary, *args):
    return subprocess.run([binary, "policy", *args], capture_output=True, text=True, timeout=60)


def imported(binary, kind, path, folder):
    """The policy file made of `path`; it must be formatted and fine."""
    r = run(binary, "import", "--from", kind, path)
    assert r.returncode == 0, r
    out = os.path.join(folder, "imported.yaml")
    with open(out, "w") as f:
        f.write(r.stdout)
    for verb in ("check",), ("fmt", "--check"):
        checked = run(binary, *verb, out)
        assert checked.returncode == 0, (path, verb, checked, r.stdout)
    return out, r.stderr


def route_of(policy):
    """The case's policy as the MCPRoute it would stand in."""
    return {
        "apiVersion": "aigateway.envoyproxy.io/v1beta1",
        "kind": "MCPRoute",
        "metadata": {"name": "route"},
        "spec": {"backendRefs": [{"name": "backend1"}], "securityPolicy": {"authorization": policy}},
    }


def tests_of(case):
    """The case's request as tests of a policy file."""
    request, expect = case["request"], case["expect"]
    subject = {"as": {"jwt": request["jwt_claims"]}} if "jwt_claims" in request else {}
    if "tools" in expect:
        tools = case["backends"][0]["tools"]
        listed = [name.split("__", 1)[1] for name in expect["tools"]]
        calls = [
            {**subject, "name": t, "call": "backend1/" + t, "expect": "permit" if t in listed else "deny"}
            for t in tools
        ]
        return calls + [{**subject, "name": "list", "list": "backend1", "expect_tools": listed}]
    return [
        {
            **subject,
            "name": case["id"],
            "call": request["backend"] + "/" + request["tool"],
            "args": request.get("params", {}).get("arguments", {}),
            "headers": {k: v for k, v in request["headers"].items() if k != "authorization"},
            "expect": "permit" if expect["allowed"] else "deny",
        }
    ]


def test_import_decides_as_the_table_of_decisions_says(binary):
    path = shared("conformance/llm/mcp_authz.json")
    if not path:
        return
    with open(path) as f:
        cases = json.load(f)
    equal, lost = 0, []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "route.yaml")
            with open(source, "w") as f:
                json.dump(route_of(case["policy"]), f)
            out, notes = imported(binary, "envoy", source, folder)
            with open(out, "a") as f:
                f.write("\ntests: " + json.dumps(tests_of(case)) + "\n")
            r = run(binary, "test", out)
            if r.returncode == 0:
                equal += 1
            elif "cannot be kept" in notes:
                lost.append((case["id"], notes))
            else:
                raise AssertionError((case["id"], r.stdout, r.stderr, open(out).read(), notes))
    print(f"     {equal} of {len(cases)} cases decide equally, {len(lost)} cannot be expressed")
    for name, why in lost:
        print(f"     {name}: {why}")
    assert equal == len(cases)


def test_import_reads_every_example(binary):
    folder = shared("conformance/import")
    if not folder:
        return
    for kind in "envoy", "agentgateway":
        files = sorted(glob.glob(os.path.join(folder, kind, "*.yaml")))
        assert files, folder
        for path in files:
            with tempfile.TemporaryDirectory() as scratch:
                _, notes = imported(binary, kind, path, scratch)
            # whatever is not said in rules is said in words
            assert all(line.startswith(path + ":") for line in notes.splitlines()), notes


AGENTGATEWAY = """mcp:
  policies:
    mcpAuthorization:
      rules:
      - 'mcp.tool.name == "echo"'
      - 'jwt.sub == "test-user" && mcp.tool.name == "get-sum"'
      - 'mcp.tool.name == "get-env" && jwt.nested.key == "value"'
  targets:
  - name: mcp2
"""
TESTS = """
tests:
  - { call: mcp2/echo, expect: permit }
  - { call: mcp2/get-sum, expect: deny }
  - { as: { jwt: { sub: test-user } }, call: mcp2/get-sum, expect: permit }
  - { as: { jwt: { sub: x, nested: { key: value } } }, call: mcp2/get-env, expect: permit }
  - { as: { jwt: { sub: x, nested: {} } }, call: mcp2/get-env, expect: deny }
  - { as: { jwt: { sub: x } }, list: mcp2, expect_tools: [echo] }
"""


def test_import_of_agentgateway_decides_as_its_rules_say(binary):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "config.yaml")
        with open(source, "w") as f:
            f.write(AGENTGATEWAY)
        out, notes = imported(binary, "agentgateway", source, folder)
        assert notes == "", notes
        with open(out, "a") as f:
            f.write(TESTS)
        r = run(binary, "test", out)
        assert r.stdout.endswith("6 passed, 0 failed\n"), r


def test_import_wants_to_know_from_where(binary):
    assert run(binary, "import", "x.yaml").returncode == 2
    assert run(binary, "import", "--from", "kong", "x.yaml").returncode == 2
    assert run(binary, "import", "--from", "envoy").returncode == 2
    r = run(binary, "import", "--from", "envoy", "/nonexistent.yaml")
    assert r.returncode == 1 and "nonexistent" in r.stderr, r
