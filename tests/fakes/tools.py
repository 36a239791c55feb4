# SPDX-License-Identifier: Apache-2.0
"""The tools of our fake MCP servers: the same over HTTP and stdio, in both eras.

A tool is a generator: it yields notifications and returns its result, so that the transport
decides how to carry them. Names say what they do to the gateway."""
import json
import os
import signal
import sys
import time

OBJECT = {"type": "object", "properties": {}}


def schema(required=(), **props):
    return {"type": "object", "properties": {k: {"type": v} for k, v in props.items()}, "required": list(required)}


DEFINITIONS = [
    {"name": "echo", "title": "Echo", "description": "says it again", "inputSchema": schema(["text"], text="string"),
     "annotations": {"readOnlyHint": True}},
    {"name": "write", "description": "pretends to write", "inputSchema": schema(["path"], path="string", size="integer"),
     "annotations": {"destructiveHint": True}},
    {"name": "secret", "description": "for few", "inputSchema": OBJECT},
    {"name": "count", "description": "reports progress, then ends", "inputSchema": schema(n="integer")},
    {"name": "slow", "description": "takes its time", "inputSchema": schema(ms="integer")},
    {"name": "fail", "description": "fails as a tool does", "inputSchema": OBJECT},
    {"name": "error", "description": "answers a JSON-RPC error", "inputSchema": OBJECT},
    {"name": "crash", "description": "the server dies", "inputSchema": OBJECT},
    {"name": "big", "description": "a long answer", "inputSchema": schema(bytes="integer")},
    {"name": "args", "description": "its arguments, byte for byte", "inputSchema": {"type": "object"}},
    {"name": "link", "description": "a link and a resource", "inputSchema": OBJECT,
     "_meta": {"ui": {"resourceUri": "ui://board"}}},
]


CHANGE = {"name": "change", "description": "the list of tools is another afterwards", "inputSchema": OBJECT}
extra = []  # tools that come and go


def definitions():
    return DEFINITIONS + ([CHANGE] if "--changes" in sys.argv else []) + extra


def new_tool(name):
    return {"name": name, "description": "came later", "inputSchema": OBJECT}


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def text(value, **more):
    return {"content": [{"type": "text", "text": value}], **more}


def run(name, args, meta, raw_arguments="{}", alive=lambda: True):
    """Yields notifications; the generator's return value is the result."""
    if name == "echo":
        return text(args.get("text", ""))
    if name == "write":
        return text(f"wrote {args.get('path')}")
    if name == "secret":
        return text("42")
    if name == "count":
        for i in range(1, args.get("n", 3) + 1):
            if "progressToken" in meta:
                yield {"jsonrpc": "2.0", "method": "notifications/progress",
                       "params": {"progressToken": meta["progressToken"], "progress": i, "total": args.get("n", 3)}}
            time.sleep(0.01)
        return text("counted")
    if name == "slow":
        end = time.time() + args.get("ms", 1000) / 1000
        while time.time() < end and alive():
            time.sleep(0.01)
        return text("slept")
    if name == "fail":
        return text("it did not work", isError=True)
    if name == "error":
        raise RpcError(-32005, "internal detail of the upstream")
    if name == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "log":
        for level in ("debug", "info", "error"):
            yield {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": "a line"}}
        return text("logged")
    if name == "change":
        extra[:] = [] if extra else [new_tool("extra")]
        yield {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        return text("changed")
    if name == "big":
        return text("x" * args.get("bytes", 1 << 20))
    if name == "link":
        return {"content": [{"type": "resource_link", "uri": "note://public/one", "name": "one"},
                            {"type": "resource", "resource": {"uri": "ui://board", "text": "b"}}]}
    if name == "args":
        return text(raw_arguments)
    raise RpcError(-32602, f"Unknown tool: {name}")
    yield  # makes this a generator even where it only returns


def raw_member(source, name):
    """The bytes of a member's value as they were sent (json.loads would lose how numbers were written)."""
    at = source.find(f'"{name}"')
    if at < 0:
        return "{}"
    at = source.index(":", at) + 1
    decoder = json.JSONDecoder()
    while source[at] == " ":
        at += 1
    return source[at:decoder.raw_decode(source, at)[1]]
