# SPDX-License-Identifier: Apache-2.0
"""Virtual keys: given out, bounded, rotated and revoked, while the gateway runs."""
import json
import os
import subprocess
import sys

from house import gateway, mcp, upstreams
from house.gateway import Gateway, until
from house.household import Household
from house.http import once
from house.stream import listen

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: tools, permit: { tools: ['*/*'] }, when: jwt.team == "a" && caller.kind == "key" }
  - { id: models, permit: { models: ['*'] }, when: caller.id.startsWith("key:") }
"""
LLM = """llm:
  prices: prices.yaml
  backends:
    local: {{ schema: openai, url: "http://127.0.0.1:{port}", auth: {{ bearer: of-the-backend }},
              credential: {{ from_header: x-api-key, fallback: true }} }}
  routes:
    - {{ name: all, models: [gpt-small, gpt-large], to: [{{ backend: local }}] }}
"""
PRICES = "prices: v1\nmodels: { \"gpt-*\": { input: 0, output: 1000000 } }\n"  # a dollar a token
SEAL = "a seal key of the tests, thirty-two bytes and more"


def config(keys):
    head = gateway.CONFIG.replace("identity:\n", f"seal_keys: [\"file:seal.key\"]\nidentity:\n  keys: {keys}\n")
    return head.replace("version: 1\n", "version: 1\nstore: \"sqlite:kept.db\"\n")


class House(Household):
    def __init__(self, binary, keys="{{ file: keys.yaml }}"):
        self.binary, self.new, self.old = binary, upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        self.model = Provider()
        extra = upstreams.servers_yaml(self.new, self.old) + LLM.format(port=self.model.port)
        super().__init__(binary, [self.new, self.old, self.model], extra, POLICY, config=config(keys),
                         files={"seal.key": SEAL, "prices.yaml": PRICES})

    def key(self, verb, *args, fails=False):
        done = subprocess.run([self.binary, "key", verb, *args, "-c", os.path.join(self.gateway.dir, "sallyport.yaml")],
                              capture_output=True, text=True, timeout=20)
        assert (done.returncode != 0) == fails, (done.returncode, done.stdout, done.stderr)
        return done.stderr if fails else done.stdout.strip()

    def give(self, name, *args):
        """A key that is in force."""
        token = self.key("new", "--name", name, "--claims", '{"team":"a"}', *args)
        assert until(lambda: self.models(token).status == 200)
        return token

    def models(self, token, header="Authorization", scheme="Bearer "):
        return once(self.gateway.port, "GET", "/v1/models", {header: scheme + token})

    def chat(self, token, model, header="Authorization", scheme="Bearer "):
        self.model.will(Answer(json.dumps({"choices": [{"message": {"role": "assistant", "content": "hello"}}],
                                           "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}})))
        body = json.dumps({"model": model, "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]})
        return once(self.gateway.port, "POST", "/v1/chat/completions",
                    {header: scheme + token, "Content-Type": "application/json"}, body)

    def tools(self, token):
        return {t.split("__")[0] for t in mcp.list_tools(self.gateway, token)}


def test_a_key_opens_both_doors_whichever_way_it_comes(binary):
    with House(binary) as h:
        token = h.give("ci")
        for header, scheme in (("Authorization", "Bearer "), ("x-api-key", ""), ("api-key", "")):
            assert h.chat(token, "gpt-small", header, scheme).status == 200
            sent = {name.lower(): value for name, value in h.model.asked[-1][1].items()}
            assert token not in str(sent) and sent["authorization"] == "Bearer of-the-backend", sent
            head, body = mcp.modern_request("tools/call", {"name": "new__echo", "arguments": {"text": "x"}})
            answer = once(h.gateway.port, "POST", "/mcp", {**head, header: scheme + token}, body)
            assert "result" in answer.message(), answer.body
        h.gateway.forget_records()
        assert h.models(token).status == 200
        record = h.gateway.record()
        assert record["caller"].startswith("key:"), record
        assert token not in open(os.path.join(h.gateway.dir, "keys.yaml")).read()
        assert oct(os.stat(os.path.join(h.gateway.dir, "keys.yaml")).st_mode & 0o777) == "0o600"
        for bad in (token[:-1] + ("A" if token[-1] != "A" else "B"), "sp_" + "0" * 12 + token[15:], token[:20]):
            assert h.models(bad).status == 401 and mcp.modern(h.gateway, "tools/list", token=bad).status == 401


def test_a_key_may_use_what_it_is_for(binary):
    with House(binary) as h:
        wide, tight = h.give("wide"), h.give("tight", "--servers", "n*", "--models", "*-small")
        assert h.tools(wide) == {"new", "old"} and h.tools(tight) == {"new"}
        hidden, missing = (mcp.call(h.gateway, f"old__{tool}", {"text": "x"}, tight).message()["error"]
                           for tool in ("echo", "nothing"))
        assert hidden == {**missing, "message": missing["message"].replace("nothing", "echo")}, hidden
        assert "result" in mcp.call(h.gateway, "old__echo", {"text": "x"}, wide).message()
        listed = [m["id"] for m in h.models(tight).json()["data"]]
        assert listed == ["gpt-small"], listed
        assert h.chat(tight, "gpt-large").status == 404 and h.chat(tight, "gpt-small").status == 200
        scope = mcp.modern(h.gateway, "tools/list", token=wide).message()["result"]["cacheScope"]
        assert scope == "private", scope


def test_a_key_spends_its_budget_and_no_other(binary):
    with House(binary) as h:
        poor, rich = h.give("poor", "--budget", "5/1d"), h.give("rich", "--budget", "500/month")
        spent = [h.chat(poor, "gpt-small") for _ in range(3)]
        assert [a.status for a in spent] == [200, 200, 429], [a.body for a in spent]
        refused = h.chat(poor, "gpt-large")
        assert refused.status == 429 and "budget of this key" in refused.json()["error"]["message"], refused.body
        assert int(refused.headers["retry-after"]) > 0, refused.headers
        assert h.chat(rich, "gpt-small").status == 200
        new = h.key("rotate", "poor", "--overlap", "0s")
        assert until(lambda: h.models(new).status == 200) and h.chat(new, "gpt-small").status == 429


def test_a_key_is_rotated_with_an_overlap(binary):
    with House(binary) as h:
        old = h.give("ci")
        new = h.key("rotate", "ci", "--overlap", "3s")
        assert new[:15] == old[:15] and new != old
        assert until(lambda: h.models(new).status == 200) and h.models(old).status == 200
        assert until(lambda: h.models(old).status == 401) and h.models(new).status == 200
        newer = h.key("rotate", "ci", "--overlap", "0s")
        assert until(lambda: h.models(newer).status == 200) and h.models(new).status == 401


def test_a_key_ends_at_once(binary):
    with House(binary) as h:
        token, other = h.give("ci"), h.give("other")
        s = listen(h.gateway, token, toolsListChanged=True)
        assert s.method() == "notifications/subscriptions/acknowledged"
        h.gateway.write("policies/p.yaml", "policy: v1\nname: [half written")  # must not keep it in force
        h.key("revoke", "ci")
        assert until(lambda: h.models(token).status == 401)
        assert b"revoked" in h.models(token).body and h.models(other).status == 200
        assert s.rest(10) is not None
        assert "revoked" in h.key("list") and "active" in h.key("list")
        soon = h.give("soon", "--expires", "3s")
        assert until(lambda: h.models(soon).status == 401) and b"expired" in h.models(soon).body


def test_a_bad_file_of_keys_changes_nothing(binary):
    with House(binary) as h:
        token = h.give("ci")
        h.gateway.write("keys.yaml", "version: 1\nkeys: [{ id: nonsense }]\n")
        assert until(lambda: "keys refused" in h.gateway.log_text())
        assert h.models(token).status == 200
        assert "12 hex digits" in h.key("list", fails=True)
        h.gateway.write("keys.yaml", "")
        assert until(lambda: h.models(token).status == 401)


def test_keys_in_the_store_are_taken_by_all_who_share_it(binary):
    with House(binary, keys="{{}}") as h:
        twin = Gateway(binary, h.issuer, "store: \"sqlite:" + os.path.join(h.gateway.dir, "kept.db") + "\"\n"
                       + LLM.format(port=h.model.port), POLICY, files={"seal.key": SEAL, "prices.yaml": PRICES},
                       config=config("{{}}").replace("store: \"sqlite:kept.db\"\n", ""))
        try:
            token = h.give("ci")
            head = {"Authorization": f"Bearer {token}"}
            assert until(lambda: once(twin.port, "GET", "/v1/models", head).status == 200)
            h.key("revoke", "ci")
            assert until(lambda: once(twin.port, "GET", "/v1/models", head).status == 401)
            assert until(lambda: h.models(token).status == 401)
            assert token.encode() not in open(os.path.join(h.gateway.dir, "kept.db"), "rb").read()
        finally:
            twin.stop()


def test_the_command_says_what_it_wants(binary):
    with House(binary) as h:
        for args, says in ((["new"], "--name"), (["new", "--name", "x", "--budget", "5"], "20/month"),
                           (["new", "--name", "x", "--expires", "yesterday"], "30d"),
                           (["new", "--name", "x", "--expires", "9999999d"], "30d"),
                           (["new", "--name", "x", "--claims", "[1]"], "JSON object"), (["revoke", "nobody"], "key list")):
            assert says in h.key(*args, fails=True), args
        h.give("twice"), h.give("twice")
        assert "nothing was changed" in h.key("rotate", h.key("list").split("\n")[1][:12], "--overlap", "9999999d", fails=True)
        assert "give the id" in h.key("revoke", "twice", fails=True)
