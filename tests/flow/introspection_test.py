# SPDX-License-Identifier: Apache-2.0
"""Tokens that say nothing by themselves: their issuer is asked, and nobody gets in without its word."""
from house import mcp, upstreams
from house.gateway import head, until
from house.household import Household

POLICY = """policy: v1
name: p
rules:
  - { id: echo, permit: { tools: ["*/echo"] }, when: "jwt.sub == 'alice'" }
"""
HEAD = head("""  jwt:
    - {{ issuer: {issuer}, audiences: ["{audience}"], jwks: "file:keys.json", algorithms: [EdDSA] }}
    - issuer: ISSUER
      audiences: ["{audience}"]
      introspection: {{ url: "INTROSPECT", client_id: gw, client_secret: gw-secret, cache: 1s }}
""")


class House(Household):
    def __init__(self, binary):
        self.fake, self.as_ = upstreams.HttpFake("modern"), upstreams.HttpFake("t1", "auth_server.py")
        base = f"http://127.0.0.1:{self.as_.port}"
        self.as_.control(claims={"aud": "https://gw.test/mcp", "sub": "alice"})
        head = HEAD.replace("ISSUER", f"{base}/t1").replace("INTROSPECT", f"{base}/introspect")
        super().__init__(binary, [self.fake, self.as_], f"mcp:\n  servers:\n    new: {{ url: \"{self.fake.url}\" }}\n",
                         POLICY, workers=1, config=head)

    def call(self, token):
        return mcp.call(self.gateway, "new__echo", {"text": "hi"}, token)

    def asked(self):
        return [x for x in self.as_.seen() if x["at"] == "introspect"]


def get_token(h):
    """As a client gets one: not through the gateway."""
    import json
    import urllib.request
    rq = urllib.request.Request(f"http://127.0.0.1:{h.as_.port}/token", b"grant_type=client_credentials")
    return json.load(urllib.request.urlopen(rq, timeout=5))["access_token"]


def test_an_opaque_token_is_its_issuers_word(binary):
    with House(binary) as h:
        token = get_token(h)
        for _ in range(3):
            assert h.call(token).message()["result"]["content"][0]["text"] == "hi"
        asked = h.asked()
        assert len(asked) == 1 and asked[0]["token"] == token and asked[0]["basic"] == "gw:gw-secret", asked
        assert h.call(h.issuer.token("alice")).status == 200  # the other issuer's speak for themselves
        assert h.call("t1-access-unknown").status == 401

        h.as_.control(revoke=token)
        assert until(lambda: h.call(token).status == 401), "a revoked token is still good"
        for wrong in ("down",):  # what else is no yes: introspection_test.c
            fresh = get_token(h)
            h.as_.control(**{"break": wrong})
            r = h.call(fresh)
            assert r.status == 503 and "www-authenticate" not in r.headers, (wrong, r.status)
            h.as_.control(**{"break": None})
            assert until(lambda: h.call(fresh).status == 200)
        log = h.gateway.log_text()
        assert "a token could not be checked" in log and "t1-access" not in log and "gw-secret" not in log, log

        h.as_.control(claims={"aud": "https://elsewhere.test", "sub": "alice"})
        assert h.call(get_token(h)).status == 401


def test_a_stream_lives_as_long_as_its_token(binary):
    with House(binary) as h:
        token = get_token(h)
        head, body = mcp.modern_request("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        c = mcp.Connection(h.gateway.port)
        c.request("POST", "/mcp", {**head, **mcp.bearer(token)}, body)
        assert c.head()[0] == 200
        assert until(lambda: len(h.asked()) >= 2, 20), "the issuer is asked again while the stream stands"
        h.as_.control(revoke=token)
        while c.chunk():
            pass  # the stream ends: this would time out otherwise
        c.close()
