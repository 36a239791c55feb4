#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A legacy MCP server on stdio. `--exit-on-discover` leaves on the modern probe, as some real ones do."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import subjects  # noqa: E402
import tools  # noqa: E402


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def call(m, source):
    params = m["params"]
    raw = tools.raw_member(source, "arguments")
    steps = tools.run(params["name"], params.get("arguments") or {}, params.get("_meta") or {}, raw)
    try:
        while True:
            say(next(steps))
    except StopIteration as end:
        say({"jsonrpc": "2.0", "id": m["id"], "result": end.value})
    except tools.RpcError as e:
        say({"jsonrpc": "2.0", "id": m["id"], "error": {"code": e.code, "message": str(e)}})


def other(m):
    """Prompts and resources: the result, or an error to be said."""
    try:
        found = subjects.answer(m["method"], m.get("params", {}))
    except subjects.NotFound as e:
        return None, {"code": -32002, "message": "no such note", "data": {"uri": str(e)}}
    return (found[0], None) if found else (None, {"code": -32601, "message": "Method not found"})


def main():
    sys.stderr.write("the fake server is up\n")
    for line in sys.stdin:
        m = json.loads(line)
        method = m.get("method")
        if "id" not in m or method is None:
            continue
        if method == "server/discover" and "--exit-on-discover" in sys.argv:
            sys.exit(3)
        if method == "initialize":
            result = {"protocolVersion": "2025-06-18", "capabilities": subjects.CAPABILITIES,
                      "serverInfo": {"name": "fake-stdio", "version": "1"}}
        elif method == "tools/list":
            result = {"tools": tools.definitions()}
        elif method == "ping":
            result = {}
        elif method == "tools/call":
            call(m, line)
            continue
        else:
            result, error = other(m)
            if error:
                say({"jsonrpc": "2.0", "id": m["id"], "error": error})
                continue
        say({"jsonrpc": "2.0", "id": m["id"], "result": result})


main()
