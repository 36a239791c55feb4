# SPDX-License-Identifier: Apache-2.0
"""A gateway and the fakes it stands before, as one thing for a `with`."""
from .gateway import Gateway
from .tokens import Issuer


class Household:
    """They end together, the gateway first: it is held to a clean end while the fakes still answer. A test that
    failed tells its own failure, not the gateway's after it. A subclass adds only its config, its fakes and its
    questions; `more` is what Gateway takes besides."""

    def __init__(self, binary, fakes, extra, policy, **more):
        self.fakes, self.issuer = fakes, Issuer()
        self.gateway = Gateway(binary, self.issuer, extra, policy, **more)

    def __enter__(self):
        return self

    def __exit__(self, failure, *rest):
        try:
            self.gateway.stop()
        except AssertionError:
            if failure is None:
                raise
        finally:
            for fake in self.fakes:
                fake.stop()
