# SPDX-License-Identifier: Apache-2.0
"""As much of a browser as connecting an account takes."""
from urllib.parse import urlsplit

from .http import once


class Browser:
    """Follows redirects and keeps cookies by port, as a browser does by host. `names`: hosts that are ports of this machine."""

    def __init__(self, names=None):
        self.cookies, self.way, self.names = {}, [], names or {}

    def open(self, url, until_path=None):
        for _ in range(10):
            at = urlsplit(url)
            if until_path and at.path == until_path and self.way:
                return url
            port = self.names.get(at.hostname, at.port)
            head = {"Cookie": "; ".join(self.cookies[port])} if port in self.cookies else {}
            r = once(port, "GET", at.path + ("?" + at.query if at.query else ""), head)
            self.way.append((port, at.path, r.status))
            if "set-cookie" in r.headers:
                self.cookies[port] = [r.headers["set-cookie"].split(";")[0]]
            if r.status != 302:
                return r
            url = r.headers["location"]
        raise AssertionError(self.way)
