# SPDX-License-Identifier: Apache-2.0
"""The gateway as an OAuth resource server: metadata, challenges, several issuers, keys that change."""
import json
import re
import time

from house import mcp, upstreams
from house.gateway import head, until
from house.household import Household
from house.http import once
from house.tokens import Issuer

POLICY = """policy: v1
name: p
rules:
  - { id: echo, permit: { tools: ["*/echo"] } }
  - { id: write, permit: { tools: ["*/write"] }, scopes: ["files:write", "files:read"] }
  - { id: secret, permit: { tools: ["*/secret"] }, scopes: [admin, root] }
  - { id: secret-too, permit: { tools: ["*/secret"] }, scopes: ["files:write", "files:read", x] }
"""
HEAD = head("""  scopes_supported: ["files:read", "files:write", offline_access]
  jwt:
    - {{ issuer: "ONE", audiences: ["https://gw.test/mcp", "https://gw.test/other"] }}
    - {{ issuer: "https://two.test", audiences: ["https://gw.test/mcp"], jwks: "TWO", algorithms: [EdDSA] }}
""")


class House(Household):
    """One issuer is discovered, the other's keys have a URL."""

    def __init__(self, binary):
        self.fake, self.web = upstreams.HttpFake("modern"), upstreams.HttpFake("", "keys_server.py")
        self.discovered = f"http://127.0.0.1:{self.web.port}/t1"
        self.one, self.two = Issuer("a"), Issuer("b")
        self.web.control(**{
            "/.well-known/oauth-authorization-server/t1": {"issuer": self.discovered, "jwks_uri": f"{self.discovered}/keys"},
            "/t1/keys": {"keys": [self.one.jwk]}, "/two": {"keys": [self.two.jwk]}})
        head = HEAD.replace("ONE", self.discovered).replace("TWO", f"http://127.0.0.1:{self.web.port}/two")
        extra = ("mcp:\n  endpoints:\n    - { path: /mcp, public_url: \"https://gw.test/mcp\" }\n    - { path: /other }\n"
                 f"  servers:\n    new: {{ url: \"{self.fake.url}\" }}\n")
        super().__init__(binary, [self.fake, self.web], extra, POLICY, config=head)

    def token(self, signer, issuer, sub="alice", **claims):
        now = int(time.time())
        return signer.sign({"alg": "EdDSA", "kid": signer.kid},
                           {"iss": issuer, "aud": "https://gw.test/mcp", "sub": sub, "exp": now + 600, **claims})

    def status(self, token, tool="new__echo"):
        return mcp.call(self.gateway, tool, {"text": "hi"}, token).status

    def get(self, path):
        return once(self.gateway.port, "GET", path, {})


def test_each_endpoint_has_its_metadata(binary):
    with House(binary) as h:
        a = once(h.gateway.port, "GET", "/.well-known/oauth-protected-resource/mcp", {"Origin": "http://localhost:6274"})
        assert a.status == 200 and a.headers["access-control-allow-origin"] == "http://localhost:6274", a.headers
        assert a.json() == {"resource": "https://gw.test/mcp", "authorization_servers": [h.discovered, "https://two.test"],
                            "scopes_supported": ["files:read", "files:write"], "bearer_methods_supported": ["header"]}
        assert h.get("/.well-known/oauth-protected-resource").json()["resource"] == "https://gw.test/mcp"
        other = h.get("/.well-known/oauth-protected-resource/other").json()["resource"]
        assert other == f"http://127.0.0.1:{h.gateway.port}/other"
        for path in ("/.well-known/oauth-protected-resource/none", "/.well-known/oauth-authorization-server",
                     "/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration/mcp",
                     "/mcp/.well-known/openid-configuration"):
            assert h.get(path).status == 404, path


def test_challenges_name_the_metadata_and_what_is_missing(binary):
    with House(binary) as h:
        meta = 'resource_metadata="https://gw.test/.well-known/oauth-protected-resource/mcp"'
        a = mcp.modern(h.gateway, "tools/list")
        assert a.status == 401 and meta in a.headers["www-authenticate"], a.headers
        assert "error=" not in a.headers["www-authenticate"]
        a = mcp.modern(h.gateway, "tools/list", token="eyJ.a.b")
        assert a.status == 401 and 'error="invalid_token"' in a.headers["www-authenticate"]
        for tool, scope, wanted in (("new__write", "files:read", {"files:write"}), ("new__write", "", {"files:read", "files:write"}),
                                    ("new__secret", "files:read files:write", {"x"}), ("new__secret", "", {"admin", "root"})):
            a = mcp.call(h.gateway, tool, {"path": "x"}, h.token(h.two, "https://two.test", scope=scope))
            said = a.headers["www-authenticate"]
            assert a.status == 403 and 'error="insufficient_scope"' in said and meta in said, (tool, said)
            got = set(re.search(r'(?<![a-z_])scope="([^"]*)"', said).group(1).split())
            assert wanted <= got and got <= wanted | set(scope.split()), (tool, scope, said)


def test_each_issuer_speaks_for_itself_alone(binary):
    with House(binary) as h:
        assert until(lambda: h.status(h.token(h.one, h.discovered)) == 200), h.gateway.log_text()
        assert until(lambda: h.status(h.token(h.two, "https://two.test")) == 200)
        assert h.status(h.token(h.two, h.discovered)) == 401, "a key of another issuer was taken"
        assert h.status(h.token(h.one, "https://two.test")) == 401
        assert h.status(h.token(h.two, "https://two.test", aud="https://gw.test/other")) == 401
        assert h.status(h.token(h.one, h.discovered, aud=["x", "https://gw.test/other"])) == 200


def test_new_keys_are_noticed_and_old_ones_forgotten(binary):
    with House(binary) as h:
        old = h.token(h.two, "https://two.test")
        assert until(lambda: h.status(old) == 200)
        new = Issuer("c")
        h.web.control(**{"/two": {"keys": [new.jwk]}})
        fresh = h.token(new, "https://two.test")
        assert until(lambda: h.status(fresh) == 200, 25), "an unknown key id did not make the keys be fetched"
        assert h.status(old) == 401, "a key that was withdrawn still opens"
        before = json.dumps(h.web.seen()).count("/two")
        for _ in range(20):
            h.status(h.token(Issuer("d"), "https://two.test", sub="flood"))
        assert json.dumps(h.web.seen()).count("/two") <= before + 2, "unknown key ids hammer the issuer"
