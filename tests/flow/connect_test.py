# SPDX-License-Identifier: Apache-2.0
"""Accounts of callers at servers: connected in a browser by whoever made the call, and by nobody else."""
import subprocess
import time
from urllib.parse import urlsplit

from house import mcp, upstreams
from house.browser import Browser
from house.gateway import head, until
from house.household import Household
from house.http import once

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"
HEAD = head("""  jwt:
    - {{ issuer: IDP, audiences: ["{audience}"], jwks: "file:keys.json", algorithms: [EdDSA],
        login: {{ client_id: gw-login, client_secret: login-secret }} }}
""", '''seal_keys: ["a key of the tests that has at least 32 bytes"]
store: "sqlite:kept.db"
''')
LOCAL = """version: 1
listen: [ {{ address: "127.0.0.1:{port}" }} ]
admin: {{ address: "127.0.0.1:{admin}", token: t }}
workers: {workers}
identity: {{ anonymous: allow }}
policies: ["policies/*.yaml"]
telemetry: {{ access_log: {{ to: stdout }} }}
"""
CAN = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}}}


class House(Household):
    def __init__(self, binary):
        self.server = upstreams.HttpFake("modern")
        self.as_, self.idp = upstreams.HttpFake("t1", "auth_server.py"), upstreams.HttpFake("idp", "auth_server.py")
        self.server.control(guard={"issuer": f"http://127.0.0.1:{self.as_.port}/t1"}, page=100)
        self.idp_url = f"http://127.0.0.1:{self.idp.port}/idp"
        config = (f"mcp:\n  servers:\n    s: {{ url: \"{self.server.url}\", list_timeout: 8s, "
                  "auth: { user_oauth: { allow_private: true } } }\n")
        super().__init__(binary, [self.server, self.as_, self.idp], config, POLICY, config=HEAD.replace("IDP", self.idp_url))
        self.idp.control(signer=[self.issuer.key, self.issuer.kid], login_issuer=self.idp_url)

    def token(self, sub):
        now = int(time.time())
        return self.issuer.sign({"alg": "EdDSA", "kid": self.issuer.kid},
                                {"iss": self.idp_url, "aud": "https://gw.test/mcp", "sub": sub, "exp": now + 3600})

    def call(self, token, tool="s__echo", args=None, **more):
        return mcp.call(self.gateway, tool, args or {}, token, meta=CAN, **more).message()

    def asked(self, token, tool="s__connect_account"):
        """The address that a call is answered with."""
        r = self.call(token, tool)["result"]
        assert r["resultType"] == "input_required", r
        (question,) = r["inputRequests"].values()
        assert question["method"] == "elicitation/create" and question["params"]["mode"] == "url", question
        self.state = r["requestState"]
        return question["params"]["url"]

    def connect(self, token, user, **more):
        self.idp.control(user=user)
        return Browser().open(self.asked(token, **more))


def test_an_account_is_connected_by_its_caller(binary):
    with House(binary) as h:
        alice, bob = h.token("alice"), h.token("bob")
        assert mcp.list_tools(h.gateway, alice) == ["s__connect_account"]
        url, browser = h.asked(alice), Browser()
        assert browser.open(url).status == 200, (browser.way, h.gateway.log_text())
        assert [p for p in browser.way if p[1] == "/authorize"] == [(h.idp.port, "/authorize", 302), (h.as_.port, "/authorize", 302)]
        assert "s__echo" in mcp.list_tools(h.gateway, alice)  # at once: whatever was shown to a stranger a moment ago
        assert h.call(alice, args={"text": "hi"})["result"]["content"][0]["text"] == "hi"  # by whoever can be asked, too
        r = mcp.modern(h.gateway, "tools/call", {"name": "s__connect_account", "arguments": {}, "requestState": h.state,
                                                 "inputResponses": {"url1": {"action": "accept"}}}, alice, meta=CAN).message()
        assert r["result"]["content"][0]["text"] == "Your account is connected.", r
        shown = {x["headers"].get("authorization") for x in h.server.seen() if x["body"]["method"] == "tools/call"}
        assert shown == {"Bearer t1-access-1"}, shown
        asked = [x for x in h.as_.seen() if x["at"] == "authorize"]
        assert asked[0]["code_challenge_method"] == "S256" and asked[0]["resource"] == h.server.url, asked
        assert asked[0]["scope"] == "tools" and asked[0]["client_id"] == "registered-1", asked

        nobody_connects_for_somebody_else(h, bob)
        accounts_outlive_the_process(h, alice)
        an_account_that_is_over_is_asked_for_again(h, alice)
        more_is_asked_for_where_the_server_wants_more(h, alice)
        another_authorization_server_begins_anew(h, alice)
        an_old_client_is_told_the_address(h, bob)
        log = h.gateway.log_text()
        assert not any(s in log for s in ("t1-access", "t1-refresh", "login-secret", "code-")), log


def nobody_connects_for_somebody_else(h, bob):
    assert mcp.list_tools(h.gateway, bob) == ["s__connect_account"]  # alice's list is hers
    r = h.connect(bob, "alice")  # bob's address, opened by alice
    assert r.status == 403 and b"Nothing was connected" in r.body, r.status
    h.idp.control(user="bob")
    url = h.asked(bob)
    back = Browser().open(url, until_path="/oauth/callback")
    assert Browser().open(back).status == 403  # another browser, without the cookie
    at = urlsplit(url)
    assert once(h.gateway.port, "GET", at.path + "?c=" + at.query[2:-4] + "AAAA", {}).status == 400
    assert once(h.gateway.port, "GET", "/oauth/callback?code=x&state=" + at.query[2:], {}).status == 400
    h.idp.control(iss="https://evil.example.com")
    assert Browser().open(h.asked(bob)).status == 400
    h.idp.control(iss=h.idp_url)
    assert mcp.list_tools(h.gateway, bob) == ["s__connect_account"]


def accounts_outlive_the_process(h, alice):
    h.gateway.crash()
    assert until(lambda: "s__echo" in mcp.list_tools(h.gateway, alice)), h.gateway.log_text()
    assert h.call(alice, args={"text": "hi"})["result"]["content"][0]["text"] == "hi"
    with open(f"{h.gateway.dir}/kept.db", "rb") as f:
        kept = f.read()
    assert b"t1-access" not in kept and b"t1-refresh" not in kept


def an_account_that_is_over_is_asked_for_again(h, alice):
    h.server.control(refuse=["Bearer t1-access-1"])
    assert h.call(alice, args={"text": "hi"})["result"]["content"][0]["text"] == "hi"  # renewed, unseen
    renewed = [x for x in h.as_.seen() if x.get("grant_type") == "refresh_token"]
    assert len(renewed) == 1 and renewed[0]["refresh_token"] == "t1-refresh-1", renewed
    h.server.control(refuse=["Bearer t1-access-2"])
    h.as_.control(refuse="invalid_grant")
    assert h.call(alice, args={"text": "hi"})["result"]["resultType"] == "input_required"
    h.as_.control(refuse=None)
    assert h.connect(alice, "alice").status == 200
    assert until(lambda: "content" in h.call(alice, args={"text": "hi"})["result"])


def sent_last(h):
    return [x["headers"]["authorization"] for x in h.server.seen() if x["body"]["method"] == "tools/call"][-1]


def more_is_asked_for_where_the_server_wants_more(h, alice):
    h.call(alice)
    h.server.control(wants={"scope": "write", "of": [sent_last(h)]})
    assert h.connect(alice, "alice", tool="s__echo").status == 200
    asked = [x for x in h.as_.seen() if x["at"] == "authorize"][-1]
    assert asked["scope"] == "tools write", asked
    assert h.call(alice, args={"text": "hi"})["result"]["content"][0]["text"] == "hi"
    h.server.control(wants={"scope": "write", "of": [sent_last(h)]})
    assert h.call(alice)["error"]["code"] == -32603  # he gave it, and is not asked again
    h.server.control(wants={"scope": "tools more", "of": [sent_last(h)]})
    assert "error" not in h.call(alice)
    url = h.asked(alice)  # our own tool says so, too
    assert Browser().open(url).status == 200
    assert [x for x in h.as_.seen() if x["at"] == "authorize"][-1]["scope"] == "tools write more"
    assert "content" in h.call(alice)["result"]


def another_authorization_server_begins_anew(h, alice):
    other = upstreams.HttpFake("t2", "auth_server.py")
    h.fakes.append(other)
    h.server.control(guard={"issuer": f"http://127.0.0.1:{other.port}/t2"}, refuse=[sent_last(h)], wants=None)
    before = len(h.as_.seen())
    assert h.connect(alice, "alice", tool="s__echo").status == 200
    assert h.call(alice, args={"text": "hi"})["result"]["content"][0]["text"] == "hi"
    assert sent_last(h) == "Bearer t2-access-1" and len(h.as_.seen()) == before, h.as_.seen()[before:]
    seen = other.seen()
    assert [x["at"] for x in seen] == ["register", "authorize", "token"] and "t1-" not in str(seen), seen


def test_who_we_are_can_be_read_at_an_address(binary):
    server, as_ = upstreams.HttpFake("modern"), upstreams.HttpFake("t1", "auth_server.py")
    server.control(guard={"issuer": f"http://127.0.0.1:{as_.port}/t1"})
    as_.control(metadata={"client_id_metadata_document_supported": True})
    config = ("mcp:\n  endpoints: [ { path: /mcp, public_url: 'https://gw.test/mcp' } ]\n  servers:\n"
              f"    s: {{ url: '{server.url}', auth: {{ user_oauth: {{ allow_private: true }} }} }}\n")
    with Household(binary, [server, as_], config, POLICY, config=LOCAL) as h:
        m = mcp.call(h.gateway, "s__connect_account", {}, None, meta=CAN).message()["result"]
        ((key, question),) = m["inputRequests"].items()
        browser = Browser({"gw.test": h.gateway.port})
        assert browser.open(question["params"]["url"]).status == 200, browser.way
        seen = as_.seen()
        assert [x["at"] for x in seen] == ["authorize", "token"], seen
        who = once(h.gateway.port, "GET", "/client-metadata.json", {})
        document = who.json()
        assert who.headers["content-type"] == "application/json" and document["client_name"] == "Sallyport", document
        assert document["client_id"] == seen[0]["client_id"] == seen[1]["client_id"] == "https://gw.test/client-metadata.json", seen
        assert document["redirect_uris"] == [seen[0]["redirect_uri"]] and document["token_endpoint_auth_method"] == "none"
        r = subprocess.run([binary, "tools", "list", "-c", f"{h.gateway.dir}/sallyport.yaml"], capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and "s: shows its tools only to callers with an account" in r.stderr, r.stderr
        assert "client_secret" not in seen[1] and "basic" not in seen[1], seen


def an_old_client_is_told_the_address(h, bob):
    s = mcp.Session(h.gateway, bob, capabilities={"elicitation": {"url": {}}})
    e = s.request("tools/call", {"name": "s__connect_account", "arguments": {}}).message()["error"]
    assert e["code"] == -32042 and e["data"]["elicitations"][0]["url"].startswith("http://"), e
