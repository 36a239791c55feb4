# SPDX-License-Identifier: Apache-2.0
"""What servers are shown: the gateway's own token, an exchanged one, the caller's, and nothing else."""
import threading
import time

from house import mcp, upstreams
from house.gateway import until
from house.household import Household

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"
SECRETS = ("gw-secret", "token-", "eyJ")


class House(Household):
    """A gateway before two servers of either era that are shown tokens of one endpoint."""

    def __init__(self, binary, auth, workers=2, more=""):
        self.new, self.old = upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        self.as_ = upstreams.HttpFake("", "token_server.py")
        auth = auth.replace("URL", f"http://127.0.0.1:{self.as_.port}/token")
        config = "mcp:\n  servers:\n"
        for name, fake in (("new", self.new), ("old", self.old)):
            config += f"    {name}: {{ url: \"{fake.url}\", list_timeout: 1s, timeout: 4s, auth: {auth}{more} }}\n"
        super().__init__(binary, [self.new, self.old, self.as_], config, POLICY, workers=workers)
        self.token = self.issuer.token("alice", groups=["a", "b"])

    def call(self, tool="new__echo", token=None, **more):
        return mcp.call(self.gateway, tool, {"text": "hi"}, token or self.token, **more).message()

    def works(self, tool="new__echo", token=None):
        r = self.call(tool, token)
        assert r.get("result", {}).get("content", [{}])[0].get("text") == "hi", (r, self.gateway.log_text())

    def shown(self, fake):
        """The Authorization of every tools/call this server saw."""
        return [x["headers"].get("authorization") for x in fake.seen() if x["body"]["method"] == "tools/call"]

    def exchanges(self):
        return [x for x in self.as_.seen() if "token-exchange" in x["grant_type"]]

    def __exit__(self, failure, *rest):
        try:
            log = self.gateway.log_text()
            assert failure or not any(s in log for s in SECRETS), log
        finally:
            super().__exit__(failure, *rest)


CLIENT = "{ oauth_client: { token_url: 'URL', client_id: 'g w', client_secret: 'gw-secret:%', scopes: [a, b] } }"
EXCHANGE = "{ token_exchange: { token_url: 'URL', audience: orders, client_id: gw, client_secret: gw-secret } }"


def test_client_credentials_are_got_once_for_everybody(binary):
    with House(binary, CLIENT) as h:
        h.works("new__echo")
        h.works("new__echo", h.issuer.token("bob"))
        h.works("old__echo")
        asked = h.as_.seen()
        assert len(asked) == 2, asked  # one a server
        assert asked[0]["grant_type"] == "client_credentials" and asked[0]["scope"] == "a b", asked
        assert asked[0]["basic"] == "g%20w:gw-secret%3A%25", asked
        assert sorted(x["resource"] for x in asked) == sorted([h.new.url, h.old.url])
        for fake in (h.new, h.old):
            tokens = {x["headers"].get("authorization") for x in fake.seen()}
            assert len(tokens) == 1 and tokens.pop().startswith("Bearer token-"), tokens


def test_a_callers_token_is_exchanged_once_and_never_sent(binary):
    with House(binary, EXCHANGE) as h:
        bob = h.issuer.token("bob")
        for tool in ("new__echo", "old__echo"):
            for token in (h.token, bob, h.token, bob):
                h.works(tool, token)
        asked = h.exchanges()
        assert len(asked) == 4, asked  # two callers, two servers
        assert all(x["audience"] == "orders" and "resource" not in x for x in asked)
        assert {x["subject_token"] for x in asked} == {h.token, bob}
        assert asked[0]["subject_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
        for fake in (h.new, h.old):
            shown = h.shown(fake)
            assert shown[0] == shown[2] and shown[1] == shown[3] and shown[0] != shown[1], shown
            assert h.token not in str(fake.seen()) and bob not in str(fake.seen())


def test_many_calls_at_once_exchange_once(binary):
    with House(binary, EXCHANGE) as h:
        h.works()
        h.as_.control(delay=0.3)
        carol, said = h.issuer.token("carol"), []
        threads = [threading.Thread(target=lambda: said.append(h.call("new__echo", carol))) for _ in range(16)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert all("result" in r for r in said), said
        assert sum(x["subject_token"] == carol for x in h.exchanges()) == 1


def test_a_token_is_renewed_before_it_ends(binary):
    with House(binary, EXCHANGE) as h:
        h.as_.control(lives=6)
        h.works()
        first = h.shown(h.new)[-1]
        assert until(lambda: (h.works(), h.shown(h.new)[-1] != first)[1], 15), "the token was never renewed"
        assert len(h.exchanges()) >= 2


def test_a_token_that_the_server_refuses_is_replaced_once(binary):
    with House(binary, CLIENT) as h:
        h.works()
        used = h.shown(h.new)[-1]
        h.new.control(refuse=[used])
        h.works()
        assert h.shown(h.new)[-1] != used
        h.new.control(refuse=[f"Bearer token-{i}" for i in range(100)])
        r = h.call()
        assert r["error"] == {"code": -32603, "message": "the upstream failed"}, r
        assert len(h.as_.seen()) < 8


def test_hostile_token_endpoints_fail_the_call_and_tell_nothing(binary):
    with House(binary, EXCHANGE) as h:
        h.works()
        for mood in ("huge", "garbage", "redirect", "denied", "split", "dpop"):
            h.as_.control(mood=mood)
            h.gateway.forget_records()
            r = h.call(token=h.issuer.token(f"caller-{mood}"))
            assert r["error"] == {"code": -32603, "message": "the upstream failed"}, (mood, r)
            record = h.gateway.record()
            assert record["error"] == "upstream" and "token endpoint" in record["error.text"], (mood, record)
            assert "eyJ" not in str(record), record
        assert "invalid_grant" in h.gateway.log_text()
        h.works()  # alice's token is still good


def test_a_slow_token_endpoint_delays_only_who_needs_it(binary):
    with House(binary, EXCHANGE, workers=1) as h:
        h.works()
        h.as_.control(mood="slow")
        said = []
        waiting = threading.Thread(target=lambda: said.append(h.call(token=h.issuer.token("dave"))))
        waiting.start()
        assert until(lambda: len(h.exchanges()) == 2)
        began = time.time()
        h.works()
        assert time.time() - began < 2, "a worker was blocked"
        waiting.join()
        assert said[0]["error"]["message"] == "the upstream did not answer in time", said
        h.as_.control(mood="")


def test_passthrough_hands_on_the_callers_token_and_only_where_it_says_so(binary):
    with House(binary, "{ passthrough: true }") as h:
        h.works("new__echo")
        h.works("old__echo")
        assert h.shown(h.new) == [f"Bearer {h.token}"] and h.shown(h.old) == [f"Bearer {h.token}"]
        lists = [x for x in h.new.seen() if x["body"]["method"] == "tools/list"]
        assert lists and all("authorization" not in x["headers"] for x in lists)
    with House(binary, "{ bearer: fixed }") as h:
        h.works("new__echo")
        assert h.shown(h.new) == ["Bearer fixed"]


def test_claims_become_headers_that_a_client_cannot_send(binary):
    claims = ", forward_claims: { x-user-id: jwt.sub, x-groups: jwt.groups, x-none: jwt.nothing.here, x-who: caller.id }"
    with House(binary, "{ bearer: fixed }", more=claims + ", forward_headers: [x-tenant]") as h:
        h.works("new__echo")
        r = h.call("old__echo", headers={"X-User-Id": "root", "X-None": "1", "X-Tenant": "t1", "X-Other": "2", "Cookie": "a=b"})
        assert "result" in r, r
        for fake in (h.new, h.old):
            seen = next(x["headers"] for x in fake.seen() if x["body"]["method"] == "tools/call")
            assert seen["x-user-id"] == "alice" and seen["x-groups"] == "a,b", seen
            assert seen["x-who"] == "jwt:https://login.test|alice", seen
            assert not {"x-none", "x-other", "cookie"} & set(seen), seen
        assert seen["x-tenant"] == "t1"


def test_the_anonymous_have_nothing_to_exchange(binary):
    with House(binary, EXCHANGE) as h:
        config = open(h.gateway.dir + "/sallyport.yaml").read().replace("identity:\n", "identity:\n  anonymous: allow\n")
        h.gateway.write("sallyport.yaml", config)
        assert until(lambda: mcp.modern(h.gateway, "tools/list").status == 200)
        r = mcp.call(h.gateway, "new__echo", {"text": "hi"}).message()
        assert r["error"]["code"] == -32603, r
        assert h.shown(h.new) == []
