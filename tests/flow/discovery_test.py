# SPDX-License-Identifier: Apache-2.0
"""Token endpoints that the configuration does not name: found through the server, or through the issuer."""
import subprocess

from house import mcp, upstreams
from house.gateway import until
from house.household import Household

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"


class House(Household):
    """A gateway before a guarded server whose tokens come from another host."""

    def __init__(self, binary, auth):
        self.server = upstreams.HttpFake("modern")
        self.as_ = upstreams.HttpFake("t1", "auth_server.py")
        self.issuer_url = f"http://127.0.0.1:{self.as_.port}/t1"
        self.server.control(guard={"issuer": self.issuer_url})
        config = (f"mcp:\n  servers:\n    s: {{ url: \"{self.server.url}\", list_timeout: 8s, "
                  f"auth: {auth.replace('ISSUER', self.issuer_url)} }}\n")
        super().__init__(binary, [self.server, self.as_], config, POLICY)
        self.token = self.issuer.token("alice")

    def call(self):
        return mcp.call(self.gateway, "s__echo", {"text": "hi"}, self.token).message()


CLIENT = "{ oauth_client: { client_id: gw, client_secret: gw-secret, allow_private: true%s } }"


def other_peoples_metadata_is_not_believed(h):
    """A token that the server refuses is got anew, and then the metadata is read again."""
    h.as_.control(metadata={"issuer": "https://evil.example.com"})
    h.server.control(refuse=["Bearer t1-access-1"])
    assert "result" not in h.call()
    assert until(lambda: "another issuer's" in h.gateway.log_text())
    h.as_.control(metadata={})
    h.server.control(guard={"issuer": h.issuer_url, "metadata": {"resource": "https://evil.example.com/mcp"}})
    assert until(lambda: h.call() and "another resource's" in h.gateway.log_text())
    h.server.control(guard={"issuer": h.issuer_url})
    assert until(lambda: "result" in h.call()), h.gateway.log_text()


def test_a_token_endpoint_is_found_through_the_server(binary):
    with House(binary, CLIENT % "") as h:
        assert "result" in h.call(), h.gateway.log_text()
        asked = [x for x in h.as_.seen() if x["at"] == "token"]
        assert len(asked) == 1 and asked[0]["basic"] == "gw:gw-secret", asked
        assert asked[0]["resource"] == h.server.url and asked[0]["scope"] == "tools", asked
        assert "gw-secret" not in h.gateway.log_text()
        listed = subprocess.run([binary, "tools", "list", "-c", h.gateway.dir + "/sallyport.yaml"], capture_output=True, text=True)
        assert "s/echo" in listed.stdout, (listed.stdout, listed.stderr)
        other_peoples_metadata_is_not_believed(h)


def test_a_token_endpoint_is_found_through_the_issuer(binary):
    with House(binary, CLIENT % ", issuer: 'ISSUER', scopes: [mine]") as h:
        h.as_.control(metadata={"token_endpoint_auth_methods_supported": ["client_secret_post"]})
        assert "result" in h.call(), h.gateway.log_text()
        asked = h.as_.seen()
        assert asked[0]["client_secret"] == "gw-secret" and asked[0]["scope"] == "mine", asked


def test_discovery_does_not_leave_the_public_network_unless_it_may(binary):
    closed = "{ oauth_client: { client_id: gw, client_secret: gw-secret } }"
    with House(binary, closed) as h:
        assert "result" not in h.call()
        assert until(lambda: "no token for a server" in h.gateway.log_text())
        assert "is not https" in h.gateway.log_text() and h.as_.seen() == []
