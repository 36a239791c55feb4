# SPDX-License-Identifier: Apache-2.0
"""The audit log: what stands in it, that nothing is permitted without it, that nobody can change it unseen; and
shadow policies."""
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile

from house import mcp, upstreams
from house.gateway import CONFIG, until
from house.household import Household
from house.http import once

POLICY = """policy: v1
name: p
vars: { is_eng: '"eng" in jwt.groups' }
rules:
  - { id: engineers, permit: { tools: ['new/*'], models: ['*'] }, when: vars.is_eng }
  - { id: no-etc, forbid: new/echo, when: 'args.?text.orValue("").startsWith("/etc") || args.?password.orValue("") == "x"' }
  - { id: tenants, require: new/echo, when: '!(http.headers.?authorization.hasValue() && args.?text.orValue("") == "t")' }
"""
AUDIT = "  audit_log: {{ to: audit.jsonl, redact: [args.password] }}\n"


class House(Household):
    def __init__(self, binary, extra="", policy=POLICY, audit=AUDIT):
        self.fake = upstreams.HttpFake("modern")
        more = upstreams.servers_yaml(self.fake) + upstreams.models_yaml(self.fake) + extra
        super().__init__(binary, [self.fake], more, policy, config=CONFIG + audit)
        self.path = os.path.join(self.gateway.dir, "audit.jsonl")

    def call(self, text, who="alice", groups=("eng",), **args):
        return mcp.call(self.gateway, "new__echo", {"text": text, **args}, self.issuer.token(who, groups=list(groups)))

    def lines(self, least=1):
        """All lines, once there are at least so many decisions."""
        def read():
            with open(self.path) as f:
                return [json.loads(line) for line in f if line.endswith("\n")]
        until(lambda: sum("decision" in line for line in read()) >= least, 5)
        return read()

    def decisions(self, least=1):
        return [line for line in self.lines(least) if "decision" in line]


def verify(binary, *paths):
    p = subprocess.run([binary, "audit", "verify", *paths], capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


def test_a_line_says_who_what_why_and_what_the_rules_saw(binary):
    with House(binary) as h:
        assert h.call("hello").status == 200
        permit = h.decisions()[-1]
        expected = {"v": 1, "decision": "permit", "rule": "engineers", "rules": ["engineers"], "method": "tools/call", "kind": "tool",
                    "server": "new", "name": "echo", "endpoint": "/mcp"}
        assert {k: permit.get(k) for k in expected} == expected, permit
        assert permit["caller"].endswith("|alice") and "why" not in permit, permit
        assert permit["args_sha256"] == hashlib.sha256(b'{"text": "hello"}').hexdigest(), permit
        assert permit["facts"] == {"jwt.groups": ["eng"], "args.text": "hello"}, permit
        assert "args.password" in permit["absent"], permit
        assert permit["withheld"] == ["http.headers.authorization"], permit
        assert len(permit["policy"]) == 12 and permit["time"].endswith("Z"), permit


def test_a_denial_names_its_rule_and_secrets_stay_out(binary):
    with House(binary) as h:
        h.call("/etc/passwd", password="hunter2")
        h.call("hello", who="bob", groups=())
        forbidden, default = h.decisions(2)
        assert (forbidden["decision"], forbidden["why"], forbidden["rule"]) == ("deny", "forbid", "no-etc"), forbidden
        assert sorted(forbidden["withheld"]) == ["args.password", "http.headers.authorization"], forbidden
        assert (default["decision"], default["why"]) == ("deny", "default") and "rule" not in default, default
        with open(h.path) as f:
            text = f.read()
        assert "hunter2" not in text and h.issuer.token("alice", groups=["eng"])[:40] not in text


def test_a_rule_that_cannot_be_evaluated_is_named(binary):
    broken = POLICY + "  - { id: broken, forbid: new/echo, when: 'args.count > 3' }\n"
    with House(binary, policy=broken) as h:
        h.call("hello")
        line = h.decisions()[0]
        assert (line["decision"], line["why"], line["rule"]) == ("deny", "forbid_error", "broken"), line
        assert line["error"].startswith("broken ("), line
        assert (line["rules"], line["broken"]) == (["broken"], ["broken"]), line


def test_all_rules_behind_a_decision_are_named(binary):
    more = POLICY + ("  - { id: also, forbid: new/echo, when: 'args.text == \"/etc/passwd\"' }\n"
                     "  - { id: odd, permit: new/echo, when: args.count > 3 }\n")
    with House(binary, policy=more) as h:
        h.call("/etc/passwd")
        line = h.decisions()[0]
        assert (line["rule"], line["rules"], line["broken"]) == ("also", ["also", "no-etc"], ["odd"]), line


def test_requests_to_models_are_recorded(binary):
    with House(binary) as h:
        body = {"model": "gpt-small", "messages": [{"role": "user", "content": "hi"}]}
        for groups in (["eng"], []):
            once(h.gateway.port, "POST", "/v1/chat/completions", mcp.bearer(h.issuer.token("carol", groups=groups)),
                 json.dumps(body))
        yes, no = h.decisions(2)
        assert (yes["kind"], yes["name"], yes["decision"], yes["endpoint"]) == \
            ("model", "gpt-small", "permit", "/v1/chat/completions"), yes
        assert yes["backend"] and no["decision"] == "deny", (yes, no)


def test_lists_and_refused_tokens_write_no_line(binary):
    with House(binary) as h:
        mcp.list_tools(h.gateway, h.issuer.token("alice", groups=["eng"]))
        assert mcp.call(h.gateway, "new__echo", {"text": "x"}, "not a token").status == 401
        h.call("one")
        assert len(h.decisions()) == 1


def test_the_chain_holds_over_stops_kills_and_torn_lines(binary):
    with House(binary) as h:
        for i in range(20):
            h.call(f"call {i}")
        h.lines(20)
        h.gateway.process.kill()
        h.gateway.process.wait()
        with open(h.path, "a") as f:
            f.write('{"v":1,"seq":99,"time":"2026')
        again = [binary, "serve", "-c", os.path.join(h.gateway.dir, "sallyport.yaml")]
        h.gateway.process = subprocess.Popen(again, stdout=subprocess.DEVNULL, stderr=h.gateway.log)
        assert until(lambda: any(line.get("event") == "torn" for line in h.lines(20))), h.lines()
        assert until(lambda: h.call("after").status == 200)
        h.lines(21)
        h.gateway.process.send_signal(signal.SIGTERM)
        assert h.gateway.process.wait(timeout=20) == 0
        lines = h.lines()
        assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
        assert [line["event"] for line in lines if "event" in line] == ["begin", "torn", "begin", "end"]
        assert lines[0]["prev"] == "0" * 64
        code, said = verify(binary, h.path)
        assert code == 0 and f"{len(lines)} lines" in said and lines[-1]["hash"] in said, said


def test_what_was_changed_is_found(binary):
    with House(binary) as h, tempfile.TemporaryDirectory() as d:
        for i in range(5):
            h.call(f"call {i}")
        h.lines(5)
        h.gateway.process.send_signal(signal.SIGTERM)
        h.gateway.process.wait(timeout=20)
        with open(h.path) as f:
            whole = f.readlines()
        assert len(whole) == 7, whole
        spoilt = {
            "changed": (whole[:2] + [whole[2].replace("call 1", "call 9")] + whole[3:], ":3: its hash does not match"),
            "dropped": (whole[:3] + whole[4:], ":4: lines 4 to 4 are missing"),
            "swapped": (whole[:2] + [whole[3], whole[2]] + whole[4:], ":3: lines 3 to 3 are missing"),
            "twice": (whole[:3] + [whole[2]] + whole[3:], ":4: it is line 3, but 4 was expected"),
            "half": (whole[:6] + [whole[6][:-20]], ":7: half a line"),
            "foreign": (whole[:2] + ["hello\n"] + whole[2:], ":3: this is no line of an audit log"),
        }
        for name, (lines, said) in spoilt.items():
            path = os.path.join(d, name)
            with open(path, "w") as f:
                f.writelines(lines)
            code, out = verify(binary, path)
            assert code == 1 and f"{path}{said}" in out, (name, code, out)
        # a line that was made anew has another hash than the one the next line names
        made = json.loads(whole[2])
        del made["hash"]
        made["name"] = "other"
        body = json.dumps(made, separators=(",", ":"))
        forged = body[:-1] + ',"hash":"%s"}\n' % hashlib.sha256(body.encode()).hexdigest()
        path = os.path.join(d, "forged")
        with open(path, "w") as f:
            f.writelines(whole[:2] + [forged] + whole[3:])
        code, out = verify(binary, path)
        assert code == 1 and ":4: the line before it is another one" in out, out
        # and a gateway does not go on behind a last line that was changed
        shutil.copy(h.path, os.path.join(d, "whole"))
        with open(h.path, "w") as f:
            f.writelines(whole[:6] + [whole[6].replace('"end"', '"fin"')])
        p = subprocess.run([binary, "serve", "-c", os.path.join(h.gateway.dir, "sallyport.yaml")], capture_output=True,
                           text=True, timeout=20)
        assert p.returncode == 1 and "the last line cannot be continued" in p.stderr, p


def test_what_cannot_be_recorded_is_not_permitted(binary):
    with House(binary) as h:
        h.call("before")
        h.lines(1)
        pid = h.gateway.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (os.path.getsize(h.path) + 300, resource.RLIM_INFINITY))
        h.call("this line fills the disk")
        assert until(lambda: h.call("refused").status == 503), h.gateway.log_text()
        calls = len(h.fake.seen())
        refused = h.call("refused too")
        assert refused.message()["error"]["message"] == "calls cannot be recorded now", refused.body
        assert len(h.fake.seen()) == calls, "the server was called all the same"
        model = once(h.gateway.port, "POST", "/v1/chat/completions", mcp.bearer(h.issuer.token("a", groups=["eng"])),
                     json.dumps({"model": "gpt-small", "messages": [{"role": "user", "content": "hi"}]}))
        assert model.status == 503 and model.json()["error"]["code"] == "audit_unavailable", model.body
        ready = once(h.gateway.admin, "GET", "/readyz", {})
        assert ready.status == 503 and ready.json()["audit_log"]["written"] is False, ready.body
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert until(lambda: h.call("after").status == 200), h.gateway.log_text()
        texts = [line["facts"].get("args.text") for line in h.decisions(3)]
        assert texts[:2] == ["before", "this line fills the disk"] and texts[-1] == "after", texts
        assert verify(binary, h.path)[0] == 0, verify(binary, h.path)
        metrics = once(h.gateway.admin, "GET", "/metrics", {}).body.decode()
        refusals = next(float(m.split()[1]) for m in metrics.splitlines() if m.startswith("sallyport_audit_refused_total"))
        assert refusals >= 3, refusals


def test_sighup_goes_on_in_a_new_file(binary):
    with House(binary) as h:
        h.call("old")
        h.lines(1)
        os.rename(h.path, h.path + ".1")
        h.call("still old")
        h.gateway.process.send_signal(signal.SIGHUP)
        assert until(lambda: os.path.exists(h.path)), h.gateway.log_text()
        h.call("new")
        assert [line["facts"]["args.text"] for line in h.decisions(1)] == ["new"]
        code, said = verify(binary, h.path + ".1", h.path)
        assert code == 0 and "lines, 1 to 4" in said, said
        code, said = verify(binary, h.path)
        assert code == 0 and "goes on from line 3" in said, said
        assert verify(binary, h.path, h.path + ".1")[0] == 1, "the order of files matters"


def test_two_gateways_do_not_share_a_file(binary):
    with House(binary) as h:
        other = h.gateway.dir + "/other.yaml"
        with open(os.path.join(h.gateway.dir, "sallyport.yaml")) as f:
            text = f.read().replace(str(h.gateway.port), "0").replace(str(h.gateway.admin), "0")
        with open(other, "w") as f:
            f.write(text)
        p = subprocess.run([binary, "serve", "-c", other], capture_output=True, text=True, timeout=20)
        assert p.returncode == 1 and "is another gateway's" in p.stderr, p


def test_a_wrong_redaction_is_a_mistake_with_a_place(binary):
    with House(binary) as h:
        config = os.path.join(h.gateway.dir, "sallyport.yaml")
        with open(config) as f:
            text = f.read()
        with open(config + ".bad", "w") as f:
            f.write(text.replace("args.password", "arg.password"))
        p = subprocess.run([binary, "check", "-c", config + ".bad"], capture_output=True, text=True)
        assert p.returncode == 1 and "`arg.password` is no attribute" in p.stderr, p


def test_shadow_policies_are_asked_and_decide_nothing(binary):
    shadow = "shadow_policies: ['next/*.yaml']\n"
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "next.yaml")
        with open(path, "w") as f:
            f.write("policy: v1\nname: n\nrules:\n  - { id: bob-only, permit: new/*, when: 'jwt.sub == \"bob\"' }\n")
        with House(binary, extra=shadow.replace("next/*.yaml", path)) as h:
            assert "result" in h.call("a").message()
            assert h.call("b", who="bob", groups=()).message()["error"]["code"] == -32602
            first, second = h.gateway.record(), h.gateway.record()
            assert (first["verdict"], first["shadow"]) == ("permit", "deny"), first
            assert (second["verdict"], second["shadow"]) == ("deny", "permit"), second
            one, two = h.decisions(2)
            assert (one["decision"], one["shadow"]["decision"], one["shadow"]["why"]) == ("permit", "deny", "default"), one
            assert (two["shadow"]["decision"], two["shadow"]["rule"]) == ("permit", "bob-only"), two
            assert one["policy"] != one["shadow"]["policy"]
            metrics = once(h.gateway.admin, "GET", "/metrics", {}).body.decode()
            assert 'sallyport_shadow_differences_total{door="mcp",verdict="deny"} 1' in metrics, metrics
            with open(path, "a") as f:
                f.write("tests:\n  - { name: bob, as: { jwt: { sub: bob } }, call: new/x, expect: deny }\n")
            assert until(lambda: "reload refused" in h.gateway.log_text()), "shadow policies are tested too"
