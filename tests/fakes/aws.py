# SPDX-License-Identifier: Apache-2.0
"""What AWS does with a signature (Signature Version 4): it makes its own of what arrived, and compares."""
import hashlib
import hmac
import re
import urllib.parse


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def is_signed(method, path, headers, body, secret):
    """Is this request, as it came over the wire, signed with that secret?"""
    headers = {k.lower(): v for k, v in headers.items()}
    said = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, "
                        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", headers.get("authorization", ""))
    if not said:
        return False
    _, day, region, service, names, signature = said.groups()
    if not {"host", "x-amz-date"} <= set(names.split(";")) or not headers["x-amz-date"].startswith(day):
        return False
    lines = [method, urllib.parse.quote(path, safe="/-_.~"), ""]
    lines += [f"{n}:{headers[n].strip()}" for n in names.split(";")]
    lines += ["", names, hashlib.sha256(body).hexdigest()]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    scope = f"{day}/{region}/{service}/aws4_request"
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = mac(key, part)
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    return hmac.compare_digest(mac(key, text).hex(), signature)
