# SPDX-License-Identifier: Apache-2.0
"""Clients that can be asked, of both eras, and the servers that ask (tests/fakes/asking_server.py)."""
import json
import os
import sys

from . import mcp, upstreams
from .gateway import until
from .household import Household
from .http import Connection

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"
CAN = {"roots": {}, "sampling": {}, "elicitation": {"form": {}, "url": {}}}
ANSWERS = {"elicitation/create": {"action": "accept", "content": {"name": "Ada"}},
           "sampling/createMessage": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}},
           "roots/list": {"roots": [{"uri": "file:///a"}]}}
SCRIPT = "asking_server.py"
STDIO = [sys.executable, os.path.abspath(os.path.join(upstreams.FAKES, SCRIPT)), "stdio"]


class House(Household):
    """A gateway with a modern (new), a legacy (old) and a stdio (child) server that ask; `more`: of the HTTP ones."""

    def __init__(self, binary, workers=2, **more):
        self.new, self.old = upstreams.HttpFake("modern", SCRIPT), upstreams.HttpFake("legacy", SCRIPT)
        config = upstreams.servers_yaml(self.new, self.old, STDIO, **more)
        super().__init__(binary, [self.new, self.old], config, POLICY, workers=workers)

    def old_client(self, who="alice", version="2025-11-25", capabilities=CAN):
        return OldClient(self.gateway, self.issuer.token(who), version, capabilities)

    def new_client(self, who="alice", capabilities=CAN):
        return NewClient(self.gateway, self.issuer.token(who), capabilities)

    def kill_children(self):
        for pid in self.gateway.children(SCRIPT):
            os.kill(pid, 9)

    def heard(self, server, what):
        """Does the server hear, in time, a message of which this is true?"""
        return until(lambda: any(what(m) for m in server.seen()))


class Call:
    """One call of an old client, event by event."""

    def __init__(self, client, tool, args):
        self.client, self.rest, self.over = client, b"", False
        self.id = next(mcp.ids)
        self.connection = Connection(client.session.port)
        body = {"jsonrpc": "2.0", "id": self.id, "method": "tools/call", "params": {"name": tool, "arguments": args}}
        self.connection.request("POST", "/mcp", client.session.headers(), json.dumps(body))
        status, headers = self.connection.head()
        assert status == 200, status
        self.streams = headers["content-type"].startswith("text/event-stream")
        if not self.streams:
            n = int(headers["content-length"])
            while len(self.connection.held) < n:
                self.connection.more()

    def next(self):
        """The next message; None: the stream has ended."""
        if not self.streams:
            return json.loads(self.connection.held)
        while b"\n\n" not in self.rest:
            piece = self.connection.chunk()
            if not piece:
                return None
            self.rest += piece
        block, self.rest = self.rest.split(b"\n\n", 1)
        data = [line[6:] for line in block.decode().split("\n") if line.startswith("data: ")]
        return json.loads("\n".join(data)) if data and data[0] else self.next()

    def answer(self, question, result=None, error=None):
        said = {"result": ANSWERS[question["method"]] if result is None else result} if error is None else {"error": error}
        return self.client.session.post({"jsonrpc": "2.0", "id": question["id"], **said})

    def finish(self, answer=None):
        """Answers whatever is asked; (questions, the last message)."""
        asked = []
        while (m := self.next()) is not None:
            if "method" in m and "id" in m:
                asked.append(m)
                a = (answer or Call.answer)(self, m)
                assert a is None or a.status == 202, a.status
            elif "id" in m:
                return asked, m
        return asked, None


class OldClient:
    def __init__(self, gateway, token, version, capabilities):
        self.session = mcp.Session(gateway, token, version, capabilities)

    def call(self, tool, **args):
        return Call(self, tool, args)


class NewClient:
    def __init__(self, gateway, token, capabilities):
        self.gateway, self.token = gateway, token
        self.meta = {"io.modelcontextprotocol/clientCapabilities": capabilities}

    def send(self, tool, args, **more):
        """The whole answer; more: inputResponses, requestState."""
        params = {"name": tool, "arguments": args, **more}
        return mcp.modern(self.gateway, "tools/call", params, self.token, meta=self.meta)

    def round(self, tool, args, **more):
        return self.send(tool, args, **more).message()

    def again(self, tool, args, last, answers=None):
        """The next round after that result."""
        asked = last["result"].get("inputRequests", {})
        more = {"inputResponses": {k: ANSWERS[q["method"]] for k, q in asked.items()} if answers is None else answers}
        if "requestState" in last["result"]:
            more["requestState"] = last["result"]["requestState"]
        return self.round(tool, args, **more)

    def finish(self, tool, args):
        asked, m = [], self.round(tool, args)
        while m.get("result", {}).get("resultType") == "input_required":
            asked.append(m["result"].get("inputRequests", {}))
            m = self.again(tool, args, m)
        return asked, m


def said(message):
    """The text of a tool's result."""
    return message["result"]["content"][0]["text"]
