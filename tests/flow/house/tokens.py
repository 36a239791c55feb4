# SPDX-License-Identifier: Apache-2.0
"""Signs tokens as an issuer would, with the openssl command: nothing of ours on this side."""
import base64
import json
import os
import subprocess
import tempfile
import time

ISSUER = "https://login.test"
AUDIENCE = "https://gw.test/mcp"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """One Ed25519 key, its JWKS, and tokens for whom you like."""

    def __init__(self, kid="k1"):
        self.kid = kid
        self.dir = tempfile.mkdtemp(prefix="sallyport-issuer-")
        self.key = os.path.join(self.dir, "key.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": b64(der[-32:])}
        self.made = {}

    def jwks(self):
        return json.dumps({"keys": [self.jwk]})

    def sign(self, header, claims):
        text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        path = os.path.join(self.dir, "signing-input")
        with open(path, "w") as f:
            f.write(text)
        sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", self.key, "-rawin", "-in", path],
                             check=True, capture_output=True).stdout
        return text + "." + b64(sig)

    def token(self, sub, **claims):
        memo = (sub, json.dumps(claims, sort_keys=True))
        if memo not in self.made:
            now = int(time.time())
            body = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 3600, **claims}
            self.made[memo] = self.sign({"alg": "EdDSA", "typ": "JWT", "kid": self.kid}, body)
        return self.made[memo]
