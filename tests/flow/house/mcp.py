# SPDX-License-Identifier: Apache-2.0
"""MCP requests of both eras, as bytes one can then spoil."""
import itertools
import json

from .http import Connection, once

MODERN = "2026-07-28"
ids = itertools.count(1)


def modern_request(method, params=None, request_id=None, headers=None, meta=None):
    """(headers, body) of a 2026-07-28 request."""
    params = dict(params or {})
    params["_meta"] = {"io.modelcontextprotocol/protocolVersion": MODERN,
                       "io.modelcontextprotocol/clientCapabilities": {},
                       "io.modelcontextprotocol/clientInfo": {"name": "flow-test", "version": "1"}, **(meta or {})}
    body = {"jsonrpc": "2.0", "id": next(ids) if request_id is None else request_id, "method": method, "params": params}
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    named = [params[k] for k in ("name", "uri", "taskId") if k in params]
    if named:
        head["Mcp-Name"] = named[0]
    head.update(headers or {})
    return head, json.dumps(body)


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def modern(gateway, method, params=None, token=None, **more):
    head, body = modern_request(method, params, **more)
    return once(gateway.port, "POST", "/mcp", {**head, **bearer(token)}, body)


def call(gateway, tool, args, token=None, **more):
    return modern(gateway, "tools/call", {"name": tool, "arguments": args}, token, **more)


def list_tools(gateway, token=None):
    return [t["name"] for t in modern(gateway, "tools/list", token=token).message()["result"]["tools"]]


class Session:
    """A client of the old era: initialize, then requests with its session id."""

    def __init__(self, gateway, token=None, version="2025-11-25", capabilities=None):
        self.port, self.version, self.token = gateway.port, version, token
        a = self.post({"jsonrpc": "2.0", "id": next(ids), "method": "initialize",
                       "params": {"protocolVersion": version, "capabilities": capabilities or {},
                                  "clientInfo": {"name": "flow-test", "version": "1"}}}, session=None)
        self.opened = a
        self.id = a.headers.get("mcp-session-id")
        self.version = a.message()["result"]["protocolVersion"]
        self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def headers(self, session="own", **more):
        head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **bearer(self.token)}
        if session is not None:
            head["Mcp-Session-Id"] = self.id if session == "own" else session
            head["MCP-Protocol-Version"] = self.version
        head.update(more)
        return head

    def post(self, message, **more):
        return once(self.port, "POST", "/mcp", self.headers(**more), json.dumps(message))

    def request(self, method, params=None, **more):
        m = {"jsonrpc": "2.0", "id": next(ids), "method": method}
        if params is not None:
            m["params"] = params
        return self.post(m, **more)

    def open_request(self, method, params):
        """Sends it and gives the connection, for those who want to leave in the middle."""
        c = Connection(self.port)
        c.request("POST", "/mcp", self.headers(),
                  json.dumps({"jsonrpc": "2.0", "id": next(ids), "method": method, "params": params}))
        return c
