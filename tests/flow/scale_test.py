# SPDX-License-Identifier: Apache-2.0
"""Much of everything: many servers of many tools, one of them a hole; many sessions that do nothing."""
import json
import os

from house import mcp, upstreams
from house.household import Household
from house.http import Connection

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"
SERVERS, TOOLS = 20, 50


class Many(Household):
    """A gateway before twenty servers of fifty tools. They are one fake at many paths; the last is a fake that
    takes every connection and never answers."""

    def __init__(self, binary):
        fake, hole = upstreams.HttpFake("modern"), upstreams.HttpFake("modern")
        fake.control(page=TOOLS, tools=[{"name": f"tool_{i}", "description": "one of many", "inputSchema": {"type": "object"}} for i in range(TOOLS)])
        hole.control(hang=True)
        lines = [f"    s{i}: {{ url: \"http://127.0.0.1:{fake.port}/{i}\" }}" for i in range(SERVERS - 1)]
        config = "\n".join(["mcp:", "  endpoints: [ { path: /mcp } ]", "  servers:", *lines,
                            f"    hole: {{ url: \"{hole.url}\", list_timeout: 2s }}"]) + "\n"
        super().__init__(binary, [fake, hole], config, POLICY)
        self.token = self.issuer.token("alice")

    def list(self):
        """All pages, by name."""
        names, cursor = [], {}
        while True:
            page = mcp.modern(self.gateway, "tools/list", cursor, self.token).message()["result"]
            names += [t["name"] for t in page["tools"]]
            if "nextCursor" not in page:
                return names
            cursor = {"cursor": page["nextCursor"]}


def test_a_hole_among_many_servers_costs_its_own_tools_alone(binary):
    with Many(binary) as h:
        wanted = [f"s{i}__tool_{j}" for i in range(SERVERS - 1) for j in range(TOOLS)]
        assert h.list() == wanted, "something is missing, or not in its order"
        h.gateway.forget_records()
        assert h.list() == wanted
        r = h.gateway.record()
        assert r["missing"] == "hole" and r["duration_us"] < 1_000_000, r  # it did not wait for it again
        assert '"upstream is down","server":"hole"' in h.gateway.log_text()


def opened(connection, token, n):
    """So many handshakes on one connection."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize",
                       "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "many", "version": "1"}}})
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **mcp.bearer(token)}
    ids = set()
    for _ in range(n):
        connection.request("POST", "/mcp", head, body)
        ids.add(connection.answer().headers["mcp-session-id"])
    return ids


def test_sessions_that_do_nothing_cost_nothing(binary):
    fake = upstreams.HttpFake("modern")
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1"  # else what is freed is not used again for long
    try:
        house = Household(binary, [fake], upstreams.servers_yaml(fake), POLICY)
    finally:
        del os.environ["ASAN_OPTIONS"]
    with house as h:
        c, token = Connection(h.gateway.port), h.issuer.token("alice")
        opened(c, token, 1000)
        before = h.gateway.rss_kb()
        ids = opened(c, token, 5000)
        grown = h.gateway.rss_kb() - before
        assert len(ids) == 5000 and max(len(i) for i in ids) <= 300
        assert grown < 6000, f"{grown} KB for 5,000 sessions"  # tests/load/lists says it exactly, on a release build
        c.close()
