# SPDX-License-Identifier: Apache-2.0
"""Bad tokens of every kind, through the running gateway: each is 401 with invalid_token, none is anonymous."""
import json
import time

from house import mcp, upstreams
from house.gateway import CONFIG
from house.household import Household
from house.http import once
from house.tokens import AUDIENCE, ISSUER, Issuer, b64

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: '*/*' }\n"


def house(binary, **more):
    fake = upstreams.HttpFake("modern")
    return Household(binary, [fake], upstreams.servers_yaml(fake), POLICY, **more)


def bad_tokens(issuer):
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": now + 600}
    head = {"alg": "EdDSA", "kid": issuer.kid}
    other = Issuer()
    token = issuer.sign(head, good)
    none = b64(json.dumps({"alg": "none"}).encode()) + "." + b64(json.dumps(good).encode()) + "."
    twice = b64(json.dumps(head).encode()) + "." + b64(b'{"iss":"%s","aud":"%s","sub":"a","sub":"b","exp":%d}' % (
        ISSUER.encode(), AUDIENCE.encode(), now + 600))
    return {
        "alg none": none,
        "an HMAC algorithm": b64(json.dumps({"alg": "HS256", "kid": issuer.kid}).encode()) + "." + token.split(".", 1)[1],
        "signed by somebody else": other.sign(head, good),
        "expired": issuer.sign(head, {**good, "exp": now - 120}),
        "not yet valid": issuer.sign(head, {**good, "nbf": now + 600}),
        "another audience": issuer.sign(head, {**good, "aud": "https://elsewhere.test"}),
        "another issuer": issuer.sign(head, {**good, "iss": "https://evil.test"}),
        "no expiry": issuer.sign(head, {k: v for k, v in good.items() if k != "exp"}),
        "an expiry that is text": issuer.sign(head, {**good, "exp": str(now + 600)}),
        "an unknown kid": issuer.sign({**head, "kid": "k9"}, good),
        "a critical header": issuer.sign({**head, "crit": ["exp"]}, good),
        "a claim twice": twice + "." + token.rsplit(".", 1)[1],
        "truncated": token[:-10],
        "a changed payload": token.split(".")[0] + "." + b64(json.dumps({**good, "sub": "root"}).encode()) + "." + token.split(".")[2],
        "bad base64": token.replace(".", ".=", 1),
        "oversized": token + "A" * 20000,
        "no token at all": "",
        "two dots only": "..",
        "not a token": "hello world",
    }


def test_every_bad_token_is_401_even_where_anonymous_callers_are_allowed(binary):
    with house(binary, config=CONFIG.replace("identity:\n", "identity:\n  anonymous: allow\n")) as h:
        gateway, issuer = h.gateway, h.issuer
        assert mcp.modern(gateway, "tools/list").status == 200, "anonymous callers are allowed here"
        assert mcp.modern(gateway, "tools/list", token=issuer.token("alice")).status == 200
        for name, token in bad_tokens(issuer).items():
            head, body = mcp.modern_request("tools/list")
            a = post(gateway, {**head, "Authorization": f"Bearer {token}"}, body)
            if name == "oversized":
                assert a.status in (401, 431), f"{name}: {a.status}"
                continue
            assert a.status == 401, f"{name}: {a.status} {a.body}"
            assert 'error="invalid_token"' in a.headers["www-authenticate"], f"{name}: {a.headers}"
        head, body = mcp.modern_request("tools/list")
        assert post(gateway, {**head, "Authorization": "Basic YTpi"}, body).status == 401


def post(gateway, headers, body):
    return once(gateway.port, "POST", "/mcp", headers, body)


def test_a_session_belongs_to_its_caller(binary):
    with house(binary) as h:
        gateway, issuer = h.gateway, h.issuer
        alice = mcp.Session(gateway, issuer.token("alice"))
        assert len(alice.id) <= 300 and all(33 <= ord(c) <= 126 for c in alice.id)
        assert alice.request("tools/list").status == 200
        thief = mcp.Session(gateway, issuer.token("mallory"))
        stolen = thief.request("tools/list", session=alice.id)
        assert stolen.status == 404, stolen.status
        flipped = alice.id[:40] + ("A" if alice.id[40] != "A" else "B") + alice.id[41:]
        assert alice.request("tools/list", session=flipped).status == 404
        assert alice.request("tools/list", session=alice.id + "A").status == 404
        assert once(gateway.port, "DELETE", "/mcp", alice.headers()).status in (200, 204)
        assert alice.request("tools/list").status == 404, "a deleted session is over"
        assert thief.request("tools/list").status == 200, "another session is not"


def test_versions_of_the_old_era_are_negotiated(binary):
    with house(binary) as h:
        gateway, issuer = h.gateway, h.issuer
        for asked, got in (("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"),
                           ("1999-01-01", "2025-11-25"), ("2026-07-28", "2025-11-25")):
            s = mcp.Session(gateway, issuer.token("alice"), asked)
            assert s.version == got, f"asked {asked}, got {s.version}"
            assert s.request("tools/list").status == 200
