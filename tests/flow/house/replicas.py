# SPDX-License-Identifier: Apache-2.0
"""Gateways of one configuration that share a store, before one fake server."""
import copy
import shutil
import tempfile

from . import mcp, upstreams
from .gateway import Gateway
from .tokens import Issuer

KEY = "0123456789abcdef0123456789abcdef"
POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'] } }
"""


class Replicas:
    """`store` may hold {dir}, a folder of theirs; `extra` is more of the configuration."""

    def __init__(self, binary, store, extra="", count=2, policy=POLICY):
        self.dir, self.issuer, self.gateways = tempfile.mkdtemp(prefix="sallyport-replicas-"), Issuer(), []
        self.fake = upstreams.HttpFake("modern")
        config = upstreams.servers_yaml(modern=self.fake) + extra + 'seal_keys: ["file:seal.key"]\n' \
            f'store: "{store.format(dir=self.dir)}"\n'
        try:
            for _ in range(count):
                self.gateways.append(Gateway(binary, self.issuer, config, policy, files={"seal.key": KEY}))
        except AssertionError:
            self.__exit__(True)
            raise

    def session(self, at=0, who="alice"):
        return mcp.Session(self.gateways[at], self.issuer.token(who))

    def kill(self, at):
        gone = self.gateways[at]
        self.gateways[at] = None
        gone.process.kill()
        gone.process.wait()
        shutil.rmtree(gone.dir)

    def __enter__(self):
        return self

    def __exit__(self, failure, *rest):
        try:
            for g in filter(None, self.gateways):
                g.stop()
        except AssertionError:
            if failure is None:
                raise
        finally:
            self.fake.stop()
            shutil.rmtree(self.dir)


def same_client_at(session, gateway):
    other = copy.copy(session)
    other.port = gateway.port
    return other
